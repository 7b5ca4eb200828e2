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

from konvergensi.mechanisms import budget, effects, meetings, reach, shocks, targeting
from konvergensi.mechanisms.contacts import CASELOAD
from konvergensi.mechanisms.rationing import serve
from konvergensi.world.children import FIRST_1000_DAYS
from konvergensi.world.households import Mask
from konvergensi.world.programmes import Ration

if TYPE_CHECKING:
    from types import ModuleType

    from konvergensi.inputs.services import Service
    from konvergensi.mechanisms.reach import Offer
    from konvergensi.world.children import Children
    from konvergensi.world.households import Households
    from konvergensi.world.state import World

RULES: dict[str, ModuleType] = {"lasting-order": reach, "contacts": meetings}


def rule_of(world: World) -> ModuleType:
    """The rule of reach in force."""
    return RULES[world.settings["contacts.reach"]]


def deliver(world: World) -> None:
    """Run every programme that can deliver this month.

    In the years lived before the run, only what those years leave in children is lived. What changes households for
    good (water, latrines, knowledge, spacing) is left out: the district's totals describe households at the start.
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


def _leaves_trace(world: World, s: int, service: Service) -> bool:
    """Whether a service of the lived past can still be seen in a child when the run starts."""
    if service.contact in CASELOAD and rule_of(world) is meetings:
        return True  # whose course has begun, and how far it is; what caregivers know stays as it is at the start
    if service.act.lasts_at_home:
        return False
    grows = any(effects.monthly(world, s, p).any() for p in world.programmes_of[s])
    return grows or service.package or service.act.gives_nik


# ---- services for children and pregnancies ---------------------------------------------------------------------------


def _serve_children(world: World, s: int, service: Service) -> None:
    children, book = world.children, world.book
    rows = children.window(world.month, service.from_age, service.to_age)
    need = targeting.child_need(world, service, rows)
    runs = world.programmes_of[s]
    if not runs:
        if not world.burn_in:
            world.tally.children_in_need(s, rows, need)
        return
    left = None  # whom an earlier programme has not served this month and whose course is open
    if book.limited[s]:
        left = book.received[s][rows] < service.duration_months
        need = left.copy() if need is None else need & left
    for p in runs:
        offer = rule_of(world).to_children(world, s, p, service, rows, left)
        result = _spend(world, p, service, offer, children, rows)
        given = result.given
        takes = given & book.willing[s][rows]
        if len(runs) > 1:
            left = ~given if left is None else left & ~given
        book.received[s][rows] += given
        rule_of(world).remember(world, s, service, rows, given, takes)
        act_on_children(world, s, service, p, rows, takes)
        if not world.burn_in:
            gains = effects.monthly(world, s, p) > 0
            world.tally.children_served(
                children,
                world.month,
                s,
                p,
                rows,
                need,
                offer.known,
                offer.listed,
                offer.at,
                result,
                given,
                takes,
                gains,
                enough_of(world, s, service, rows),
            )


def act_on_children(world: World, s: int, service: Service, p: int, rows: slice, takes: Mask) -> None:
    """What taking the service up does to the children in `rows` who take it, (n,) bool (in place)."""
    children, book = world.children, world.book
    counted = takes
    if bit := world.package.bit_of.get(s):
        young = inside_1000_days(world, rows)
        children.got[young] |= takes[young.start - rows.start :] * bit
        counted = takes.copy()  # of the package, only what comes in time
        counted[: young.start - rows.start] = False
    if service.act.teaches and not world.burn_in:
        home = children.household[rows][takes]
        quality = world.opds[world.programmes.opd[p]].quality(world.settings)
        gain = np.float32(quality * world.settings["uptake.knowledge_gain_per_visit"])
        world.households.knowledge[home] = np.minimum(world.households.knowledge[home] + gain, np.float32(1.0))
    elif service.act.gives_nik:
        nik = world.registers.nik_month[rows]
        nik[takes] = np.minimum(nik[takes], world.month)
    if service.place.built:
        return  # works: see live_with_works
    if service.act.at_birth:
        if (each := effects.of_delivery(world, s, p, rows)) is not None:
            needy = targeting.child_need(world, service, rows) if service.only_in_need else None
            children.weight_gain[rows] += (takes if needy is None else takes & needy) * each
    else:
        effects.add_deliveries(world, s, p, rows, takes)
    book.taken[s][rows] += counted  # after what was taken before has told what this one adds


def counts_doses(world: World) -> bool:
    """Whether only an adequate dose counts as having had a service."""
    return bool(world.settings["delivery.package_dose"] == "adequate")


def enough_of(world: World, s: int, service: Service, rows: slice) -> Mask | None:
    """Who of the children in `rows` has had an adequate dose, (n,); None where any contact counts or there is none."""
    if not counts_doses(world) or service.adequate is None or not len(world.book.taken[s]):
        return None
    enough: Mask = world.book.taken[s][rows] >= service.adequate.doses
    return enough


def inside_1000_days(world: World, rows: slice) -> slice:
    """The part of `rows` still inside the 1,000 days: rows are in order of birth, so it is the last part."""
    oldest = world.children.window(world.month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
    return slice(min(max(oldest, rows.start), rows.stop), rows.stop)


# ---- services for households -----------------------------------------------------------------------------------------


def _serve_households(world: World, s: int, service: Service) -> None:
    book, everyone = world.book, slice(0, len(world.households))
    runs = world.programmes_of[s]
    need = targeting.household_need(world, service)
    left = np.ones(len(need), bool)
    if runs:
        left = book.received[s] < service.duration_months
        need &= left
    stage = need.astype(np.uint8)
    for p in runs:
        offer = rule_of(world).to_households(world, s, p, service, need, left)
        result = _spend(world, p, service, offer, world.households, everyone)
        given = result.given
        takes = given & book.willing[s]
        left &= ~given
        book.received[s] += given
        rule_of(world).remember(world, s, service, everyone, given, takes)
        _act_on_households(world, service, takes)
        if s in world.package.bit_of or effects.monthly(world, s, p).any() or counts_doses(world):
            rows = world.children.window(world.month, service.from_age, service.to_age)
            act_on_children(world, s, service, p, rows, takes[world.children.household[rows]])
        if not world.burn_in:
            world.tally.households_served(p, need, offer.listed, offer.at, result, given, takes, stage)
    if not world.burn_in:
        gains = effects.monthly(world, s, runs[0]) > 0 if runs else None
        rows = world.children.window(world.month, service.from_age, service.to_age)
        enough = enough_of(world, s, service, rows)
        world.tally.household_stage(world.children, world.month, s, service, stage, gains, enough)


def _act_on_households(world: World, service: Service, takes: Mask) -> None:
    if service.act.column:
        getattr(world.households, service.act.column)[takes] = service.act.becomes


# ---- money and staff -------------------------------------------------------------------------------------------------


def unit_cost(world: World, p: int) -> tuple[np.float32, np.float32]:
    """Cost of one service of programme p, Rp: at the roadside with overhead, and the travel at full remoteness."""
    unit = world.programmes.unit_cost[p]
    base = np.float32(unit * (1.0 + world.settings["budget.overhead_share"]))
    if world.services[world.programmes.service[p]].place.in_money:
        return base, np.float32(0.0)
    return base, np.float32(unit * world.settings["delivery.travel_cost_share"])


def _spend(
    world: World,
    p: int,
    service: Service,
    offer: Offer,
    of: Children | Households,
    rows: slice,
) -> Ration:
    """Ration a programme's month among the candidates of `rows` of a table, and book what is spent."""
    book, settings, rule = world.programmes, world.settings, rule_of(world)
    base, travel = unit_cost(world, p)
    left = len(service.months) - bisect_left(service.months, world.month_of_year)  # deliveries left this year
    spent, budgeted = float(book.spent[p]), float(book.budgeted[p])
    budget_limit = max(budgeted - spent, 0.0) / left
    release_limit = min(budget_limit, max(float(book.released[p]) - spent, 0.0))
    absorbable = max(budget.absorption_of(world)[book.source[p]] * budgeted - spent, 0.0) / left
    spend_limit = min(release_limit, absorbable)
    takes_staff = rule.takes_staff(service)
    staff_limit = rule.staff_left(world, p) if takes_staff else np.inf
    if rule.is_a_visit(service):
        spend_limit *= shocks.in_force(settings, "home_contact_share")
    limits = (budget_limit, release_limit, spend_limit, staff_limit)
    result = Ration(*serve(len(offer.known), offer.order, offer.at, of.remoteness[rows], base, travel, *limits))
    if takes_staff:
        rule.use_staff(world, p, result.units)
    book.ran[p] = True
    book.wanted[p] += result.wanted
    book.spent[p] += result.spent
    book.units[p] += result.units
    book.overhead[p] += result.spent - result.units * book.unit_cost[p]
    return result
