"""Delivery: a programme turns released money and staff into services for those on its list.

Each month and programme: who is in need, who is on the list in use, how far budget, released money and staff reach
among them (in a lasting order, lokus villages first where the money follows them), who of those offered takes it up,
and what that adds to length. Services for children and for households go through the same steps.
Parameters: delivery.toml, budget.toml; services as data: services.toml.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import budget, effects, meetings, reach, shocks, targeting
from konvergensi.mechanisms.contacts import CASELOAD
from konvergensi.mechanisms.rationing import reached, serve
from konvergensi.world.children import FIRST_1000_DAYS
from konvergensi.world.households import Mask
from konvergensi.world.package import mark
from konvergensi.world.programmes import Ration

if TYPE_CHECKING:
    from types import ModuleType

    from konvergensi.inputs.services import Service
    from konvergensi.mechanisms.reach import Offer
    from konvergensi.world.children import Children
    from konvergensi.world.households import F32, Households
    from konvergensi.world.state import World

RULES: dict[str, ModuleType] = {"lasting-order": reach, "contacts": meetings}


def rule_of(world: World) -> ModuleType:
    """The rule of reach in force."""
    return RULES[world.settings["contacts.reach"]]


def deliver(world: World) -> None:
    """Run every programme that can deliver this month.

    In the years simulated before the run, only what those years leave in children is simulated. What changes households
    for good (water, latrines, knowledge, spacing) is left out: the district's totals describe households at the start.
    """
    now = world.month_of_year
    targeting.mark_households_with_children(world)
    for s, service in enumerate(world.services):
        if now not in service.months or not (not world.burn_in or _leaves_trace(world, s, service)):
            continue
        if service.unit == "household":
            _serve_households(world, s, service)
        else:
            _serve_children(world, s, service)
    live_with_works(world)


def live_with_works(world: World) -> None:
    """What was built stays: children of households that use it are exposed to its effect every month (in place)."""
    for s, service in enumerate(world.services):
        runs = world.programmes_of[s]
        if not service.place.built or not runs or not (each := effects.monthly(world, s, runs[0])).any():
            continue
        uses = (world.book.received[s] > 0) & world.book.willing[s]
        rows = world.children.window(world.month, service.from_age, service.to_age)
        takes = uses[world.children.household[rows]]
        now = effects.by_row(world, rows, each)
        effects.add_shift(world, s, rows, takes & (now != 0), now)


def _leaves_trace(world: World, service_row: int, service: Service) -> bool:
    """Whether a service of the burn-in can still be seen in a child when the run starts."""
    if service.contact in CASELOAD and rule_of(world) is meetings:
        return True  # whose course has begun, and how far it is; what caregivers know stays as it is at the start
    if service.act.lasts_at_home:
        return False
    if service.package or service.act.gives_nik:
        return True
    return any(effects.by_age_and_dose(world, service_row, p)[0] is not None for p in world.programmes_of[service_row])


# ---- services for children and pregnancies ---------------------------------------------------------------------------


def _serve_children(world: World, service_row: int, service: Service) -> None:
    children, book = world.children, world.book
    rule, rows = rule_of(world), children.window(world.month, service.from_age, service.to_age)
    need = targeting.child_need(world, service, rows)
    runs = world.programmes_of[service_row]
    if not runs:
        if not world.burn_in:
            world.tally.children_in_need(service_row, rows, need)
        return
    left = None  # whom an earlier programme has not served this month and whose course is open
    if book.limited[service_row]:
        left = book.received[service_row][rows] < service.duration_months
        need = left.copy() if need is None else need & left
    for p in runs:
        offer = rule.to_children(world, service_row, p, service, rows, left)
        result = _spend(world, p, service, offer, children, rows)
        given = result.given
        takes = given & book.willing[service_row][rows]
        if len(runs) > 1:
            left = ~given if left is None else left & ~given
        received = book.received[service_row][rows]
        received += given.view(np.uint8)  # of the same type, so that NumPy need not convert
        rule.remember(world, service_row, service, rows, given, takes)
        act_on_children(world, service_row, service, p, rows, takes)
        if not world.burn_in:
            world.tally.children_served(
                children,
                world.month,
                service_row,
                p,
                rows,
                need,
                offer.known,
                offer.listed,
                offer.at,
                result,
                given,
                takes,
                effects.gains(world, service_row, p),
                enough_of(world, service_row, service, rows),
            )


def act_on_children(
    world: World, service_row: int, service: Service, programme_row: int, rows: slice, takes: Mask
) -> None:
    """What taking the service up does to the children in `rows` who take it, (n,) bool (in place)."""
    children, book = world.children, world.book
    counted = slice(None)
    if bit := world.package.bit_of.get(service_row):
        young = inside_1000_days(world, rows)
        counted = slice(young.start - rows.start, None)  # of the package, only what comes in time
        mark(children.got[young], takes[counted], 1, bit)
    if service.act.teaches and not world.burn_in:
        home = children.household[rows][takes]
        quality = effects.quality_of(world, int(world.programmes.opd[programme_row]))
        gain = np.float32(quality * world.settings["uptake.knowledge_gain_per_visit"])
        world.households.knowledge[home] = np.minimum(world.households.knowledge[home] + gain, np.float32(1.0))
    elif service.act.gives_nik:
        nik = world.registers.nik_month[rows]
        nik[takes] = np.minimum(nik[takes], world.month)
    if service.place.built:
        return  # works: see live_with_works
    if service.act.at_birth:
        if (each := effects.of_delivery(world, service_row, programme_row, rows)) is not None:
            needy = targeting.child_need(world, service, rows) if service.only_in_need else None
            children.weight_gain[rows] += (takes if needy is None else takes & needy) * each
    else:
        effects.add_deliveries(world, service_row, programme_row, rows, takes)
    # after what was taken before has told what this one adds
    taken = book.taken[service_row][rows][counted]
    taken += takes[counted].view(np.uint8)


def counts_doses(world: World) -> bool:
    """Whether only an adequate dose counts as having had a service."""
    return bool(world.settings["delivery.package_dose"] == "adequate")


def enough_of(world: World, service_row: int, service: Service, rows: slice) -> Mask | None:
    """Who of the children in `rows` has had an adequate dose, (n,); None where any contact counts or there is none."""
    if not counts_doses(world) or service.adequate is None or not len(world.book.taken[service_row]):
        return None
    enough: Mask = world.book.taken[service_row][rows] >= service.adequate.doses
    return enough


def inside_1000_days(world: World, rows: slice) -> slice:
    """The part of `rows` still inside the 1,000 days: rows are in order of birth, so it is the last part."""
    oldest = world.children.window(world.month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
    return slice(min(max(oldest, rows.start), rows.stop), rows.stop)


# ---- services for households -----------------------------------------------------------------------------------------


def _serve_households(world: World, service_row: int, service: Service) -> None:
    book, everyone = world.book, slice(0, len(world.households))
    runs = world.programmes_of[service_row]
    need = targeting.household_need(world, service)
    left = np.ones(len(need), bool)
    if runs:
        left = book.received[service_row] < service.duration_months
        need &= left
    stage = need.astype(np.uint8)
    for p in runs:
        offer = rule_of(world).to_households(world, service_row, p, service, need, left)
        result = _spend(world, p, service, offer, world.households, everyone)
        given = result.given
        takes = given & book.willing[service_row]
        left &= ~given
        book.received[service_row] += given
        rule_of(world).remember(world, service_row, service, everyone, given, takes)
        _act_on_households(world, service, takes)
        if service_row in world.package.bit_of or effects.monthly(world, service_row, p).any() or counts_doses(world):
            rows = world.children.window(world.month, service.from_age, service.to_age)
            act_on_children(world, service_row, service, p, rows, takes[world.children.household[rows]])
        if not world.burn_in:
            world.tally.households_served(p, need, offer.listed, offer.at, result, given, takes, stage)
    if not world.burn_in:
        gains = effects.gains(world, service_row, runs[0]) if runs else None
        rows = world.children.window(world.month, service.from_age, service.to_age)
        enough = enough_of(world, service_row, service, rows)
        world.tally.household_stage(world.children, world.month, service_row, service, stage, gains, enough)


def _act_on_households(world: World, service: Service, takes: Mask) -> None:
    if service.act.column:
        getattr(world.households, service.act.column)[takes] = service.act.becomes


# ---- money and staff -------------------------------------------------------------------------------------------------


def unit_cost(world: World, programme_row: int, service: Service) -> tuple[np.float32, np.float32]:
    """Cost of one service of programme p, Rp: at the roadside with overhead, and the travel at full remoteness."""
    unit = float(world.programmes.unit_cost[programme_row])
    base = np.float32(unit * (1.0 + world.settings["budget.overhead_share"]))
    if service.place.in_money:
        return base, np.float32(0.0)
    return base, np.float32(unit * world.settings["delivery.travel_cost_share"])


def _keep(result: Ration, who: NDArray[np.intp], remoteness: F32, base: np.float32, travel: np.float32) -> None:
    """Only the rows `who` are served of those the money reaches (in place)."""
    result.given[:] = False
    result.given[who] = True
    result.short += result.units - len(who)
    result.units = len(who)
    result.spent = float((remoteness[who] * travel + base).sum(dtype=float))


def _spend(
    world: World,
    programme_row: int,
    service: Service,
    offer: Offer,
    of: Children | Households,
    rows: slice,
) -> Ration:
    """Ration a programme's month among the candidates of `rows` of a table, and book what is spent."""
    book, settings, rule = world.programmes, world.settings, rule_of(world)
    base, travel = unit_cost(world, programme_row, service)
    remoteness = of.remoteness[rows]
    left = len(service.months) - bisect_left(service.months, world.month_of_year)  # deliveries left this year
    spent, budgeted = float(book.spent[programme_row]), float(book.budgeted[programme_row])
    budget_limit = max(budgeted - spent, 0.0) / left
    release_limit = min(budget_limit, max(float(book.released[programme_row]) - spent, 0.0))
    absorbable = max(budget.absorption_of(world)[book.source[programme_row]] * budgeted - spent, 0.0) / left
    spend_limit = min(release_limit, absorbable)
    takes_staff = rule.takes_staff(service)
    staff_limit = rule.staff_left(world, programme_row) if takes_staff else np.inf
    if rule.is_a_visit(service):
        spend_limit *= shocks.in_force(settings, "home_contact_share")
    limits = (budget_limit, release_limit, spend_limit, staff_limit)
    result = Ration(*serve(len(offer.known), offer.order, offer.at, remoteness, base, travel, *limits))
    if takes_staff:
        served, villages, step = reached(result.step, result.delivered, offer.at, of.village[rows])
        held = rule.use_staff(world, programme_row, villages, step)
        if held is not None:  # whom no staff were there for is not served, and the money stays in the line
            _keep(result, offer.at[served[held]], remoteness, base, travel)
    book.short[programme_row] += result.short
    book.ran[programme_row] = True
    book.wanted[programme_row] += result.wanted
    book.spent[programme_row] += result.spent
    book.units[programme_row] += result.units
    book.overhead[programme_row] += result.spent - result.units * book.unit_cost[programme_row]
    return result
