"""Delivery: a programme turns released money and staff into services for those on its list.

Each month and programme: who is in need, who is on the list in use, how far budget, released money and staff reach
among them (in a lasting order, lokus villages first where the money follows them), who of those offered takes it up,
and what that adds to length. Services for children and for households go through the same steps.
What is written here serves one programme after the other. Where loops are compiled, `deliver` hands the programmes for
children to month_of_children.py, which says the same with the same bits.
Parameters: delivery.toml, budget.toml; services as data: services.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import effects, meetings, reach, targeting, turns
from konvergensi.mechanisms.contacts import CASELOAD
from konvergensi.mechanisms.programme_month import NOTHING, SPENT, add_doses, month_of_programme, take, teach
from konvergensi.mechanisms.purses import Purses, open_purses
from konvergensi.mechanisms.staff import OfMonth, Staff
from konvergensi.world.children import FIRST_1000_DAYS, at_homes
from konvergensi.world.tally import EVERYBODY, NOWHERE

if TYPE_CHECKING:
    from types import ModuleType

    from konvergensi.inputs.services import Service
    from konvergensi.mechanisms.reach import Before, Offer
    from konvergensi.world.households import F32, Mask
    from konvergensi.world.state import World

Rows = NDArray[np.intp]

RULES: dict[str, ModuleType] = {"lasting-order": reach, "contacts": meetings}
# columns that do not apply to households: what a delivery adds is added to their children
NO_ENDS, NO_Z = np.zeros(0, np.int64), np.zeros(0, np.float32)
NO_COUNTS, NO_BITS = np.zeros(0, np.uint8), np.zeros(0, np.uint16)
NO_STAFF = Staff(np.zeros(0), np.zeros(0), 0.0, np.zeros(0, np.intp), np.zeros(0, np.intp), 0.0)


class Month(NamedTuple):
    """What programmes have this month, worked out before the first of them begins."""

    rule: ModuleType  # of reach
    purses: Purses
    staff: OfMonth | None  # where a rule of reach knows of places
    first: Before  # whom each serves before others
    steps: F32  # shares of what a delivery adds by deliveries taken before, (n_programmes, MOST)


def rule_of(world: World) -> ModuleType:
    """The rule of reach in force."""
    return RULES[world.settings["contacts.reach"]]


def deliver(world: World) -> None:
    """Run every programme that can deliver this month.

    In the years simulated before the run, only what those years leave in children is simulated. What changes households
    for good (water, latrines, knowledge, spacing) is left out: the district's totals describe households at the start.
    """
    rule = rule_of(world)
    targeting.mark_households_with_children(world)
    purses, staff = open_purses(world, rule.is_a_visit), rule.staff_of_programmes(world)
    month = Month(rule, purses, staff, reach.before_others(world), effects.steps_of_all(world))
    due = _due(world)
    if staff is not None and turns.possible(world):
        _serve_at_once(world, due, month, staff)
    else:
        for s in due:
            _serve(world, s, month)
    month.purses.book(world)
    live_with_works(world)


def _due(world: World) -> tuple[int, ...]:
    """Services of this month, in the order of services.toml."""
    known = world.derived if world.burn_in else world.kept
    key = ("due", world.month_of_year, world.burn_in)
    if key not in known:
        of_year = ((s, each) for s, each in enumerate(world.services) if world.month_of_year in each.months)
        known[key] = tuple(s for s, each in of_year if not world.burn_in or _leaves_trace(world, s, each))
    found: tuple[int, ...] = known[key]
    return found


def _serve(world: World, service_row: int, month: Month) -> None:
    service = world.services[service_row]
    if service.unit == "household":
        _serve_households(world, service_row, service, month)
    else:
        _serve_children(world, service_row, service, month)


def _serve_at_once(world: World, due: tuple[int, ...], month: Month, staff: OfMonth) -> None:
    """As `_serve` for each service, with all that the compiled month knows in a few calls."""
    plan = turns.plan(world, due, _doses_enough(world))
    share = np.float32(effects.combination(world).together)
    ready = turns.Ready(world, plan, month.purses, staff, month.first, share)
    for step in plan.steps:
        if step.alone >= 0:
            _serve(world, step.alone, month)
        else:
            ready.serve(step)
            month.purses.ran.extend(step.ran)


def live_with_works(world: World) -> None:
    """What was built stays: children of households that use it are exposed to its effect every month (in place)."""
    for s in _works(world):
        service, each = world.services[s], effects.monthly(world, s, world.programmes_of[s][0])
        if not each.any():
            continue
        uses = (world.book.received[s] > 0) & world.book.willing[s]
        rows = world.children.window(world.month, service.from_age, service.to_age)
        takes = uses[world.children.household[rows]]
        now = effects.by_row(world, rows, each)
        effects.add_shift(world, s, rows, takes & (now != 0), now)


def _works(world: World) -> list[int]:
    """Services that build and that some programme runs, worked out once."""
    if "works" not in world.kept:
        of = enumerate(world.services)
        world.kept["works"] = [s for s, each in of if each.place.built and world.programmes_of[s]]
    found: list[int] = world.kept["works"]
    return found


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


def _serve_children(world: World, service_row: int, service: Service, month: Month) -> None:
    children, book = world.children, world.book
    rows = children.window(world.month, service.from_age, service.to_age)
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
    act = _act_of(world, service_row, service, rows)
    for p in runs:
        offer = month.rule.to_children(world, service_row, p, service, rows, left, month.first.of(p))
        who, _ = hand_to_children(world, service_row, service, p, need, offer, act, month)
        month.rule.remember(world, service, rows, who)
        if len(runs) > 1:
            left = np.ones(rows.stop - rows.start, bool) if left is None else left
            left[who] = False


class Act(NamedTuple):
    """How a service acts on children this month, whoever pays: see `programme_month.month_of_programme`."""

    rows: slice
    needy: Mask  # to whom alone it brings something, empty for all
    ends: NDArray[np.int64]  # ages of the rows, as Children.by_age tells them
    oldest: int
    target: F32  # where a delivery adds: to the weight at birth in g, or to the month's length in z
    keeps: bool  # count of deliveries
    first: int  # row from which on they count: of the package, only what comes in time
    bit: int  # of the package
    young: int  # the first row inside the 1,000 days
    enough: int  # deliveries that make an adequate dose


def _act_of(world: World, service_row: int, service: Service, rows: slice) -> Act:
    bit = int(world.package.bit_of.get(service_row, 0))
    young = inside_1000_days(world, rows).start - rows.start
    needy = targeting.child_need(world, service, rows) if service.act.at_birth and service.only_in_need else None
    return Act(
        rows,
        EVERYBODY if needy is None else needy,
        *world.children.by_age(world.month, rows),
        world.children.weight_gain if service.act.at_birth else world.month_shift,
        not service.place.built,
        young if bit else 0,
        bit,
        young,
        _enough(world, service_row, service),
    )


def hand_to_children(
    world: World,
    service_row: int,
    service: Service,
    programme_row: int,
    need: Mask | None,
    offer: Offer,
    act: Act,
    month: Month,
) -> tuple[Rows, Rows]:
    """Programme p's month among children: who is served, what it adds, how far along they came (in place).

    need (n,): who is counted as in need, None for all. Returns the rows served and those who took it up, from the first
    row on.
    """
    children, book, s, p, purses, rows = world.children, world.book, service_row, programme_row, month.purses, act.rows
    doses, each = _doses(world, s, p, rows)
    staff_limit, staff = _staff(world, service, p, month)
    who, took, everybody = month_of_programme(
        purses.counts, p, rows.start, rows.stop, offer.at, offer.order, offer.known, offer.listed,
        EVERYBODY if need is None else need, children.key, children.village, children.village_remoteness, world.behind,
        children.joint, book.received[s], *offer.first, offer.begun, offer.lasting, purses.base, purses.travel,
        purses.limits, staff_limit, *staff, not world.burn_in, book.willing[s], book.in_course[s], book.refused[s],
        month.rule.has_course(service), *doses, month.steps, act.needy, act.ends, act.oldest, book.taken[s],
        book.gained[s], children.best, act.target, world.month_services, act.keeps, act.first, act.bit, children.got,
        world.tally.stage[s], act.enough, act.young, NOWHERE if world.burn_in else effects.gains(world, s, p),
    )  # fmt: skip
    _pay(world, service, p, who, everybody, children.village[rows], month)
    if each is not None:
        effects.add_one_by_one(world, s, rows, _mask(took, rows), act.needy, each)
    _teach_and_register(world, service, p, rows, took)
    return who, took


def act_on_children(
    world: World, service_row: int, service: Service, programme_row: int, act: Act, took: Rows, month: Month
) -> None:
    """What taking a household's service up does to its children who take it, rows from the first of `act`."""
    children, book, rows = world.children, world.book, act.rows
    doses, each = _doses(world, service_row, programme_row, rows)
    taken = book.taken[service_row][rows]
    if each is not None:
        effects.add_one_by_one(world, service_row, rows, _mask(took, rows), act.needy, each)
    elif doses.kind != NOTHING:
        add_doses(
            doses.kind, took, act.needy, doses.whole, month.steps[programme_row], act.ends, act.oldest, taken,
            book.gained[service_row][rows], children.best[rows], doses.share, act.target[rows],
            world.month_services[rows],
        )  # fmt: skip
    _teach_and_register(world, service, programme_row, rows, took)
    if act.keeps:  # after what was taken before has told what this one adds
        take(took, act.first, act.bit, children.got[rows], taken)


def _doses(world: World, service_row: int, programme_row: int, rows: slice) -> tuple[effects.Doses, F32 | None]:
    """How a delivery adds up, and what it adds to each of `rows`, (n,), where no common rule says it."""
    found = effects.doses(world)[programme_row]
    if found is not None:
        return found, None
    return effects.NO_DOSES, effects.of_delivery(world, service_row, programme_row, rows)


def _mask(at: Rows, rows: slice) -> Mask:
    found = np.zeros(rows.stop - rows.start, bool)
    found[at] = True
    return found


def _teach_and_register(world: World, service: Service, programme_row: int, rows: slice, took: Rows) -> None:
    if service.act.teaches and not world.burn_in:
        quality = effects.quality_of(world, int(world.programmes.opd[programme_row]))
        gain = np.float32(quality * world.settings["uptake.knowledge_gain_per_visit"])
        teach(world.households.knowledge, world.children.household[rows], took, gain)
    elif service.act.gives_nik:
        nik = world.registers.nik_month[rows]
        nik[took] = np.minimum(nik[took], world.month)


def counts_doses(world: World) -> bool:
    """Whether only an adequate dose counts as having had a service."""
    return bool(world.settings["delivery.package_dose"] == "adequate")


def _enough(world: World, service_row: int, service: Service) -> int:
    """Deliveries that count as an adequate dose; 0 where any contact counts or there is no such dose."""
    if not counts_doses(world) or service.adequate is None or not len(world.book.taken[service_row]):
        return 0
    return service.adequate.doses


def _doses_enough(world: World) -> tuple[int, ...]:
    """`_enough` of every service, worked out once."""
    if "enough" not in world.derived:
        world.derived["enough"] = tuple(_enough(world, s, each) for s, each in enumerate(world.services))
    found: tuple[int, ...] = world.derived["enough"]
    return found


def inside_1000_days(world: World, rows: slice) -> slice:
    """The part of `rows` still inside the 1,000 days: rows are in order of birth, so it is the last part."""
    oldest = world.children.window(world.month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
    return slice(min(max(oldest, rows.start), rows.stop), rows.stop)


# ---- services for households -----------------------------------------------------------------------------------------


def _serve_households(world: World, service_row: int, service: Service, month: Month) -> None:
    book, children = world.book, world.children
    runs = world.programmes_of[service_row]
    need = left = targeting.household_need(world, service)
    if runs:
        left = book.received[service_row] < service.duration_months
        need &= left
    stage, act = need.astype(np.uint8), None
    for p in runs:
        offer = month.rule.to_households(world, service_row, p, service, need, left, month.first.of(p))
        who, took = hand_to_households(world, service_row, service, p, need, offer, stage, month)
        if len(runs) > 1:
            left[who] = False
        _act_on_households(world, service, took)
        if len(took) and _reaches_children(world, service_row, p):
            rows = children.window(world.month, service.from_age, service.to_age)
            act = act or _act_of(world, service_row, service, rows)
            takes = at_homes(_mask(took, slice(0, len(need))), children.household[act.rows])
            act_on_children(world, service_row, service, p, act, takes, month)
    if not world.burn_in:
        gains = effects.gains(world, service_row, runs[0]) if runs else None
        taken, enough = book.taken[service_row], _doses_enough(world)[service_row]
        world.tally.household_stage(children, world.month, service_row, service, stage, gains, taken, enough)


def _reaches_children(world: World, service_row: int, programme_row: int) -> bool:
    """Whether what a household takes up is counted or acts in its children."""
    if service_row in world.package.bit_of or counts_doses(world):
        return True
    return bool(effects.monthly(world, service_row, programme_row).any())


def hand_to_households(
    world: World,
    service_row: int,
    service: Service,
    programme_row: int,
    need: Mask,
    offer: Offer,
    stage: NDArray[np.uint8],
    month: Month,
) -> tuple[Rows, Rows]:
    """Programme p's month among households, as `hand_to_children`: who is served and who took it up, rows (in place).

    stage (n_households,) is raised; what it adds, and who came in time, is asked of the children of the household.
    """
    homes, book, s, p, purses, n = world.households, world.book, service_row, programme_row, month.purses, len(need)
    staff_limit, staff = _staff(world, service, p, month)
    who, took, everybody = month_of_programme(
        purses.counts, p, 0, n, offer.at, offer.order, offer.known, offer.listed, need, homes.key, homes.village,
        homes.village_remoteness, world.behind, homes.joint, book.received[s], *offer.first, offer.begun, offer.lasting,
        purses.base, purses.travel, purses.limits, staff_limit, *staff, not world.burn_in, book.willing[s],
        book.in_course[s], book.refused[s], month.rule.has_course(service), *effects.NO_DOSES, month.steps, EVERYBODY,
        NO_ENDS, 0, NO_COUNTS, NO_Z, NO_Z, NO_Z, NO_COUNTS, False, 0, 0, NO_BITS, stage, 0, n, NOWHERE,
    )  # fmt: skip
    _pay(world, service, p, who, everybody, homes.village, month)
    return who, took


def _act_on_households(world: World, service: Service, took: Rows) -> None:
    if service.act.column:
        getattr(world.households, service.act.column)[took] = service.act.becomes


# ---- money and staff -------------------------------------------------------------------------------------------------


def _staff(world: World, service: Service, programme_row: int, month: Month) -> tuple[float, Staff]:
    """Services that staff can deliver, and where they are posted; no limit and nowhere where it takes none."""
    limit = month.rule.staff_left(world, programme_row) if month.rule.takes_staff(service) else np.inf
    return limit, (month.staff.of(programme_row) if month.staff else None) or NO_STAFF


def _pay(
    world: World,
    service: Service,
    programme_row: int,
    who: Rows,
    everybody: bool,
    village: NDArray[np.int16],
    month: Month,
) -> None:
    """What those served cost, rows of `village`, (n,), and the time of staff: what was not met is not paid."""
    purses, p = month.purses, programme_row
    purses.ran.append(p)
    if month.rule.takes_staff(service):
        month.rule.use_staff(world, p, len(who))
    if not everybody:
        cost = world.households.village_remoteness[village[who]] * purses.travel[p] + purses.base[p]
        purses.counts[p, SPENT] = float(cost.sum(dtype=float))  # in the order in which NumPy adds
