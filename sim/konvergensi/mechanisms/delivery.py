"""Delivery: a programme turns released money and staff into services for those on its list.

Each month and programme: who is in need, who is on the list in use, how far budget, released money and staff reach
among them (in a lasting order, lokus villages first where the money follows them), who of those offered takes it up,
and what that adds to length. Services for children and for households go through the same steps.
Parameters: delivery.toml, budget.toml; services as data: services.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import registers as register_rules
from konvergensi.mechanisms.growth import months_per_delivery
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.households import Mask
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.children import Children
    from konvergensi.world.households import Households
    from konvergensi.world.world import World

Rows = NDArray[np.intp]
BINS = 1024  # steps of the lasting order in which people are served
LASTING_AT_HOME = ("water", "latrine", "knowledge", "spacing")


@dataclass(slots=True)
class Ration:
    """How far the money reaches in the order of serving: steps below each cut are within that limit."""

    step: NDArray[np.intp]
    budgeted: int
    released: int
    delivered: int
    spent: float  # Rp
    wanted: float  # Rp, what serving every candidate would have cost


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
    step = (order >> np.uint16(6)).astype(np.intp)
    cost_to = np.cumsum(np.bincount(step, weights=cost, minlength=BINS))

    def reach(limit: float) -> int:
        return int(np.searchsorted(cost_to, limit, side="right"))

    budgeted = reach(budget_limit)
    released = min(reach(release_limit), budgeted)
    delivered = min(reach(spend_limit), released)
    if staff_limit < len(order):
        count_to = np.cumsum(np.bincount(step, minlength=BINS))
        delivered = min(delivered, int(np.searchsorted(count_to, staff_limit, side="right")))
    spent = float(cost_to[delivered - 1]) if delivered else 0.0
    return Ration(step, budgeted, released, delivered, spent, float(cost_to[-1]))


def deliver(world: World) -> None:
    """Run every programme that can deliver this month.

    In the years lived before the run, only what those years leave in children is lived. What changes households for
    good (water, latrines, knowledge, spacing) is left out: the district's totals describe households at the start.
    """
    now = world.month_of_year
    mark_households_with_children(world)
    for s, service in enumerate(world.services):
        if now not in service.months or not (world.tally.counting or _leaves_trace(world, s, service)):
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
        if service.venue != "works" or not runs or not (each := world.shift(s, runs[0])).any():
            continue
        uses = (world.book.received[s] > 0) & world.book.willing[s]
        rows = world.children.window(world.month, service.from_age, service.to_age)
        at = rows.start + np.flatnonzero(uses[world.children.household[rows]])
        age = world.month - world.children.birth_month[at] + PREGNANCY_MONTHS
        world.month_shift[at] += world.combination.forward(each)[age]
        world.month_services[at] += each[age] != 0


def _leaves_trace(world: World, s: int, service: Service) -> bool:
    """Whether a service of the lived past can still be seen in a child when the run starts."""
    if service.acts_on in LASTING_AT_HOME:
        return False
    grows = any(world.shift(s, p).any() for p in world.programmes_of[s])
    return grows or service.package or service.acts_on == "nik"


# ---- services for children and pregnancies ---------------------------------------------------------------------------


def _serve_children(world: World, s: int, service: Service) -> None:
    children, book = world.children, world.book
    rows = children.window(world.month, service.from_age, service.to_age)
    need = child_need(world, service, rows)
    runs = world.programmes_of[s]
    if not runs:
        world.tally.children_in_need(s, rows, need)
        return
    open_course = None
    if book.limited[s]:  # a course can end before its age window does
        open_course = book.received[s][rows] < service.duration_months
        need = open_course if need is None else need & open_course
    served = np.zeros(rows.stop - rows.start, bool) if len(runs) > 1 else None
    for p in runs:
        known, listed = child_list(world, p, service, rows)
        candidates = listed.copy()
        if open_course is not None:
            candidates &= open_course
        if served is not None:
            candidates &= ~served
        if (open_ := world.village_open(p)) is not None:
            candidates &= open_[children.village[rows]]
        if service.venue == "posyandu":
            candidates &= world.came(rows)
        found = np.flatnonzero(candidates)
        at = found + rows.start
        result, given = _spend(world, p, service, book.rank[s][at], children, at)
        offered = at[given]
        takes = offered[book.willing[s][offered]]
        if served is not None:
            served[found[given]] = True
        if book.limited[s]:
            book.received[s][offered] += 1
        act_on_children(world, s, service, p, takes)
        world.tally.children_served(world, s, p, rows, need, known, listed, found, result, given, takes)


def child_need(world: World, service: Service, rows: slice) -> Mask | None:
    """Who among the rows is truly in the target group, (n,) bool, whatever any register says; None: everybody."""
    match service.need:
        case "all":
            return None
        case "kek":
            return world.children.kek[rows].copy()
        case "faltering":
            return world.children.z[rows] < world.settings["registers.faltering_cutoff_z"]
        case "at-risk":
            return world.at_risk[world.children.household[rows]]
        case "first-birth":
            return world.children.first_birth[rows].copy()
        case "no-nik":
            return world.registers.nik_month[rows] > world.month
        case other:
            raise ValueError(f"services.toml: {service.id}: need {other!r} is not one of a child")


def child_list(world: World, p: int, service: Service, rows: slice) -> tuple[Mask, Mask]:
    """Who the programme's agency knows, and who is on the target list it uses; two (n,) bool."""
    registers = world.registers
    register = world.programmes.register[p]
    falter_known = registers.recorded_faltering[rows]
    match register:
        case "eppgbm":
            listed = registers.on_eppgbm[rows]
            known = listed | register_rules.in_eppgbm(registers, rows, world.settings, world.month)
        case "kohort":
            known = listed = registers.cohort_month[rows] <= world.month
        case "krs":
            known, listed = registers.known_krs[rows], registers.on_krs[rows]
        case "dtks":
            known, listed = registers.known_dtks[rows], registers.on_dtks[rows]
        case "dukcapil":
            known = listed = registers.nik_month[rows] <= world.month
        case _:
            luck = world.book.own_luck[service.id][rows]
            known = listed = register_rules.own_list(child_need(world, service, rows), luck, world.settings)
    joined = world.uses_joined_list(p)
    match service.need:
        case "kek":
            listed = listed & registers.recorded_kek[rows]
        case "faltering" if register == "eppgbm" or joined:
            # only who reads e-PPGBM knows who falters; others serve their whole list
            listed = listed & falter_known
        case "first-birth":
            listed = listed & world.children.first_birth[rows]
    if joined:
        more = registers.on_joined[rows]
        if service.need == "kek":
            more = more & registers.recorded_kek[rows]
        elif service.need == "faltering":
            more = more & falter_known
        elif service.need == "at-risk":
            more = more & registers.known_krs[rows]
        elif service.need == "no-nik":
            more = more & (registers.nik_month[rows] > world.month)
        elif service.need == "first-birth":
            more = more & world.children.first_birth[rows]
        more = more | registers.false_match[rows]
        known = known | more
        listed = listed | more
    if SOURCES[world.programmes.source[p]] == "dana-desa":
        village = world.children.village[rows]
        listed = _as_the_village_knows(world, service, village, rows, listed)
        known = known | listed
    return known, listed


def _as_the_village_knows(
    world: World, service: Service, village: NDArray[np.int16], rows: slice, listed: Mask
) -> Mask:
    """Villages serve by the by-name list if they hold one, and otherwise the families they think of."""
    holds = world.has_by_name_list[village]
    share = world.settings["registers.village_guess_share"]
    guess = world.book.own_luck[service.id][rows] < np.uint16(65535 * share)
    guess &= ~holds
    return guess | (holds & listed)


def act_on_children(world: World, s: int, service: Service, p: int, takes: Rows) -> None:
    """What taking the service up does to the children in rows `takes` (in place)."""
    if len(takes) == 0:
        return
    children = world.children
    if bit := world.package.bit_of.get(s):
        # rows are in order of birth, so those still inside the 1,000 days are the last of them
        oldest = children.window(world.month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
        children.got[takes[np.searchsorted(takes, oldest) :]] |= bit
    if service.acts_on == "knowledge":
        home = children.household[takes]
        gained = world.households.knowledge[home] + np.float32(world.settings["uptake.knowledge_gain_per_visit"])
        world.households.knowledge[home] = np.minimum(gained, np.float32(1.0))
    elif service.acts_on == "nik":
        world.registers.nik_month[takes] = np.minimum(world.registers.nik_month[takes], world.month)
    each = world.shift(s, p) * months_per_delivery(service)
    if service.venue == "works" or not each.any():
        return  # works: see live_with_works
    age = world.month - children.birth_month[takes] + PREGNANCY_MONTHS
    if service.acts_on == "birth-weight":
        helped = children.kek[takes] if service.need == "kek" else np.ones(len(takes), bool)
        children.weight_gain[takes] += each[age] * helped
    else:
        world.month_shift[takes] += world.combination.forward(each)[age]
        world.month_services[takes] += 1


# ---- services for households -----------------------------------------------------------------------------------------


def _serve_households(world: World, s: int, service: Service) -> None:
    runs = world.programmes_of[s]
    need = household_need(world, service)
    open_course = world.book.received[s] < service.duration_months if runs else np.ones(len(need), bool)
    need &= open_course
    stage = need.astype(np.uint8)
    served = np.zeros(len(need), bool)
    for p in runs:
        listed = household_list(world, p, service, need)
        candidates = listed & open_course
        candidates &= ~served
        if (open_ := world.village_open(p)) is not None:
            candidates &= open_[world.households.village]
        found = np.flatnonzero(candidates)
        result, given = _spend(world, p, service, world.book.rank[s][found], world.households, found)
        offered = found[given]
        takes = offered[world.book.willing[s][offered]]
        served[offered] = True
        world.book.received[s][offered] += 1
        _act_on_households(world, service, takes)
        _reach_children(world, s, service, p, takes)
        world.tally.households_served(p, need, listed, found, result, given, takes, stage)
    world.tally.household_stage(world, s, service, stage)


def household_need(world: World, service: Service) -> Mask:
    """Which households are truly in the target group, (n_households,) bool."""
    households = world.households
    match service.need:
        case "poor":
            poor = households.poor
            return poor & world.has_child if service.id == "pkh" else poor.copy()
        case "no-water":
            return households.no_water.copy()
        case "no-latrine":
            return households.no_latrine.copy()
        case "food-insecure":
            return households.food_insecure & world.in_1000_days
        case "four-too":
            return households.four_too & ~households.spaced
        case other:
            raise ValueError(f"services.toml: {service.id}: need {other!r} is not one of a household")


def household_list(world: World, p: int, service: Service, need: Mask) -> Mask:
    """Which households are on the list the programme uses, (n_households,) bool."""
    households, registers = world.households, world.registers
    match world.programmes.register[p]:
        case "dtks":
            listed = households.in_dtks & (world.has_child if service.id == "pkh" else True)
        case "krs":
            listed = households.in_krs & (need if service.need == "four-too" else True)
        case _:
            luck = world.book.own_luck[service.id]
            listed = register_rules.own_list(need, luck, world.settings)
            if service.need == "food-insecure":
                listed &= world.in_1000_days
    if world.uses_joined_list(p):
        recorded = registers.krs_poor if service.need == "poor" else need & households.in_krs
        listed = listed | (registers.joined_households & recorded)
    if SOURCES[world.programmes.source[p]] == "dana-desa":
        listed = _as_the_village_knows(world, service, households.village, slice(None), listed)
    return listed


def _act_on_households(world: World, service: Service, takes: Rows) -> None:
    match service.acts_on:
        case "water":
            world.households.no_water[takes] = False
        case "latrine":
            world.households.no_latrine[takes] = False
        case "spacing":
            world.households.spaced[takes] = True


def _reach_children(world: World, s: int, service: Service, p: int, takes: Rows) -> None:
    """What a household takes up reaches its children in the service's age window."""
    took = np.zeros(len(world.households), bool)
    took[takes] = True
    rows = world.children.window(world.month, service.from_age, service.to_age)
    act_on_children(world, s, service, p, rows.start + np.flatnonzero(took[world.children.household[rows]]))


# ---- money, staff, uptake --------------------------------------------------------------------------------------------


def _spend(
    world: World, p: int, service: Service, rank: NDArray[np.uint16], of: Children | Households, rows: Rows
) -> tuple[Ration, Mask]:
    """Ration this month's candidates of a programme (rows `of` a table) by money and staff, and book what is spent.

    Returns the ration and who is served, (n,) bool.
    """
    book, settings = world.programmes, world.settings
    order = rank
    if (first := world.village_first(p)) is not None:  # lokus villages come first, each in its lasting order
        order = (rank >> np.uint16(1)) | np.where(first, np.uint16(0), np.uint16(1 << 15))[of.village[rows]]
    base, travel = world.unit_cost(p)
    cost = of.remoteness[rows] * travel
    cost += base
    left = sum(m >= world.month_of_year for m in service.months)
    spent, source = book.spent[p], book.source[p]
    budget_limit = max(book.budgeted[p] - spent, 0.0) / left
    release_limit = min(budget_limit, max(book.released[p] - spent, 0.0))
    absorbable = max(world.absorption[source] * book.budgeted[p] - spent, 0.0) / left
    staff_limit = np.inf
    spend_limit = min(release_limit, absorbable)
    if service.venue in ("home", "facility"):
        staff_limit = world.staff_capacity(p)
        spend_limit *= settings["shocks.home_contact_share"]
    result = ration(order, cost, budget_limit, release_limit, spend_limit, staff_limit)
    given = result.step < result.delivered
    units = int(np.count_nonzero(given))
    book.wanted[p] += result.wanted
    book.spent[p] += result.spent
    book.units[p] += units
    book.overhead[p] += result.spent - units * book.unit_cost[p]
    return result, given


def mark_households_with_children(world: World) -> None:
    """In months with a service for households: which have an under-five or pregnancy, which a 1,000-day member."""
    if not any(s.unit == "household" and world.month_of_year in s.months for s in world.services):
        return
    children, n = world.children, len(world.households)
    for name, last_age in (("has_child", LAST_AGE), ("in_1000_days", FIRST_1000_DAYS)):
        flags = np.zeros(n, bool)
        flags[children.household[children.window(world.month, -PREGNANCY_MONTHS, last_age)]] = True
        setattr(world, name, flags)
