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

from konvergensi.mechanisms import budget, effects, goals, places, registers, shocks, targeting
from konvergensi.mechanisms.growth import months_per_delivery
from konvergensi.world.children import FIRST_1000_DAYS, PREGNANCY_MONTHS
from konvergensi.world.households import Mask
from konvergensi.world.programmes import Ration

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.children import Children
    from konvergensi.world.households import Households
    from konvergensi.world.state import World

BINS = 1024  # steps of the lasting order in which people are served


def steps(order: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Step 0..BINS-1 of each place in the order of serving, (n,)."""
    return order >> np.uint16(6)


def ration(
    order: NDArray[np.uint16],
    cost: NDArray[np.floating],
    budget_limit: float,
    release_limit: float,
    spend_limit: float,
    staff_limit: float,
) -> Ration:
    """Serve candidates in their order as far as money and staff reach.

    Parameters: order (n,) uint16, lower is served first; cost (n,) Rp each; limits in Rp of this month, and services
    that staff can deliver. Whole steps of the order are served, so spending never exceeds a limit and falls short of
    it by at most one step.
    """
    step = steps(order)
    cost_to = np.cumsum(np.bincount(step, weights=cost, minlength=BINS))

    def reach(limit: float) -> int:
        return int(np.searchsorted(cost_to, limit, side="right"))

    budgeted = reach(budget_limit)
    released = min(reach(release_limit), budgeted)
    delivered = min(reach(spend_limit), released)
    if np.count_nonzero(step < delivered) > staff_limit:
        count_to = np.cumsum(np.bincount(step, minlength=BINS))
        delivered = int(np.searchsorted(count_to, staff_limit, side="right"))
    spent = float(cost_to[delivered - 1]) if delivered else 0.0
    return Ration(step, budgeted, released, delivered, spent, float(cost_to[-1]))


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
        world.month_shift[rows] += takes * by_row(world, rows, effects.combination(world).forward(each))
        world.month_services[rows] += takes & (by_row(world, rows, each) != 0)


def _leaves_trace(world: World, s: int, service: Service) -> bool:
    """Whether a service of the lived past can still be seen in a child when the run starts."""
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
        known, listed = targeting.child_list(world, p, service, rows)
        candidates = listed if left is None else listed & left
        if (open_ := places.open_villages(world, p)) is not None:
            candidates = candidates & open_[children.village[rows]]
        if service.place.at_posyandu:
            candidates = candidates & world.came(rows)
        result, given = _spend(world, p, service, book.rank[s][rows], candidates, children, rows)
        takes = given & book.willing[s][rows]
        if len(runs) > 1:
            left = ~given if left is None else left & ~given
        book.received[s][rows] += given
        act_on_children(world, s, service, p, rows, takes)
        if not world.burn_in:
            gains = effects.monthly(world, s, p) > 0
            world.tally.children_served(
                children, world.month, s, p, rows, need, known, listed, candidates, result, given, takes, gains
            )


def act_on_children(world: World, s: int, service: Service, p: int, rows: slice, takes: Mask) -> None:
    """What taking the service up does to the children in `rows` who take it, (n,) bool (in place)."""
    children = world.children
    if bit := world.package.bit_of.get(s):
        young = inside_1000_days(world, rows)
        children.got[young] |= takes[young.start - rows.start :] * bit
    if service.act.teaches:
        home = children.household[rows][takes]
        quality = world.opds[world.programmes.opd[p]].quality(world.settings)
        gain = np.float32(quality * world.settings["uptake.knowledge_gain_per_visit"])
        world.households.knowledge[home] = np.minimum(world.households.knowledge[home] + gain, np.float32(1.0))
    elif service.act.gives_nik:
        nik = world.registers.nik_month[rows]
        nik[takes] = np.minimum(nik[takes], world.month)
    if service.place.built:
        return  # works: see live_with_works
    each = effects.monthly(world, s, p)
    if not each.any():
        return
    if service.act.at_birth:
        needy = targeting.child_need(world, service, rows) if service.only_in_need else None
        helped = takes if needy is None else takes & needy
        children.weight_gain[rows] += helped * by_row(world, rows, each * months_per_delivery(service))
    else:
        each = effects.combination(world).forward(each * months_per_delivery(service))
        world.month_shift[rows] += takes * by_row(world, rows, each)
        world.month_services[rows] += takes


def inside_1000_days(world: World, rows: slice) -> slice:
    """The part of `rows` still inside the 1,000 days: rows are in order of birth, so it is the last part."""
    oldest = world.children.window(world.month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
    return slice(min(max(oldest, rows.start), rows.stop), rows.stop)


def by_row(world: World, rows: slice, by_age: NDArray[np.float32]) -> NDArray[np.float32] | np.float32:
    """Values by age (69,), for ages -9..59, as one value per row; a single number where all rows have the same."""
    if rows.stop == rows.start:
        return np.float32(0.0)
    oldest, youngest = (int(world.month - world.children.birth_month[row]) for row in (rows.start, rows.stop - 1))
    part = by_age[youngest + PREGNANCY_MONTHS : oldest + PREGNANCY_MONTHS + 1]
    if (part == part[0]).all():
        return part[0]
    return by_age[world.children.ages(world.month, rows) + PREGNANCY_MONTHS]


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
        listed = targeting.household_list(world, p, service, need)
        candidates = listed & left
        if (open_ := places.open_villages(world, p)) is not None:
            candidates &= open_[world.households.village]
        result, given = _spend(world, p, service, book.rank[s], candidates, world.households, everyone)
        takes = given & book.willing[s]
        left &= ~given
        book.received[s] += given
        _act_on_households(world, service, takes)
        if s in world.package.bit_of or effects.monthly(world, s, p).any():
            rows = world.children.window(world.month, service.from_age, service.to_age)
            act_on_children(world, s, service, p, rows, takes[world.children.household[rows]])
        if not world.burn_in:
            world.tally.households_served(p, need, listed, candidates, result, given, takes, stage)
    if not world.burn_in:
        gains = effects.monthly(world, s, runs[0]) > 0 if runs else None
        world.tally.household_stage(world.children, world.month, s, service, stage, gains)


def _act_on_households(world: World, service: Service, takes: Mask) -> None:
    if service.act.column:
        getattr(world.households, service.act.column)[takes] = service.act.becomes


# ---- money and staff -------------------------------------------------------------------------------------------------


def staff_capacity(world: World, p: int) -> float:
    """Services of programme p that the agency's field staff can deliver in a month."""
    opd = world.opds[world.programmes.opd[p]]
    each = world.settings["delivery.contacts_per_staff_month"] * shocks.in_force(world.settings, "home_contact_share")
    return float(opd.staff * world.population_share * each * world.programmes.staff_share[p])


def unit_cost(world: World, p: int) -> tuple[np.float32, np.float32]:
    """Cost of one service of programme p, Rp: at the roadside with overhead, and the travel at full remoteness."""
    unit = world.programmes.unit_cost[p]
    base = np.float32(unit * (1.0 + world.settings["budget.overhead_share"]))
    if world.services[world.programmes.service[p]].place.in_money:
        return base, np.float32(0.0)
    return base, np.float32(unit * world.settings["delivery.travel_cost_share"])


def serving_order(
    world: World, p: int, rank: NDArray[np.uint16], of: Children | Households, rows: slice
) -> NDArray[np.uint16]:
    """Order in which programme p serves, (n,) uint16, lower first: its lasting order, unless lists or places lead.

    Lokus villages come first where the money follows them; then, as far as the agency targets jointly, the families of
    the joint list; then, as far as linked records are used to see it, those who have not had the service yet.
    """
    order = rank
    if registers.uses_joined_list(world, p) and (share := world.settings["registers.missed_first_share"]) > 0.0:
        had = world.book.received[int(world.programmes.service[p])][rows] > 0
        order = _behind(order, had & (of.key[rows] < np.uint32(share * (2**32 - 1))))
    if (share := goals.joint_share(world, p)) > 0.0:
        order = _behind(order, of.joint[rows] >= np.uint16(share * 65535))
    if places.lokus_first(world, p):
        order = (order >> np.uint16(1)) | of.behind[rows]
    return order


def _behind(order: NDArray[np.uint16], later: Mask) -> NDArray[np.uint16]:
    """Put the rows of `later` behind all others, each part in its order, (n,) uint16."""
    return (order >> np.uint16(1)) | (later.astype(np.uint16) << np.uint16(15))


def _spend(
    world: World,
    p: int,
    service: Service,
    rank: NDArray[np.uint16],
    candidates: Mask,
    of: Children | Households,
    rows: slice,
) -> tuple[Ration, Mask]:
    """Ration a programme's month among the candidates, (n,) bool over `rows` of a table, and book what is spent.

    Returns the ration and who is served, (n,) bool.
    """
    book, settings = world.programmes, world.settings
    order = serving_order(world, p, rank, of, rows)
    base, travel = unit_cost(world, p)
    found = np.flatnonzero(candidates)
    cost = of.remoteness[rows][found]
    cost *= travel
    cost += base
    left = len(service.months) - bisect_left(service.months, world.month_of_year)  # deliveries left this year
    spent, source = book.spent[p], book.source[p]
    budget_limit = max(book.budgeted[p] - spent, 0.0) / left
    release_limit = min(budget_limit, max(book.released[p] - spent, 0.0))
    absorbable = max(budget.absorption_of(world)[source] * book.budgeted[p] - spent, 0.0) / left
    staff_limit = np.inf
    spend_limit = min(release_limit, absorbable)
    if service.place.by_staff:
        capacity = staff_capacity(world, p)
        book.staff_time[p] = min(book.staff_time[p] + capacity, max(capacity, 1.0))
        staff_limit = book.staff_time[p]
        spend_limit *= shocks.in_force(settings, "home_contact_share")
    result = ration(order[found], cost, budget_limit, release_limit, spend_limit, staff_limit)
    result.step = steps(order)
    given = candidates & (result.step < result.delivered)
    units = int(np.count_nonzero(given))
    book.staff_time[p] = max(book.staff_time[p] - units, 0.0)
    book.ran[p] = True
    book.wanted[p] += result.wanted
    book.spent[p] += result.spent
    book.units[p] += units
    book.overhead[p] += result.spent - units * book.unit_cost[p]
    return result, given
