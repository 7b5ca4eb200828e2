"""The rule of reach `contacts`: what the rules of contacts.py need of the world, gathered, and what they leave in it.

Same shape as mechanisms/reach.py: whom a programme can serve this month and in which order, staff, and what is
remembered of it. Parameters: contacts.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import contacts, places, reach, staff, targeting, villages
from konvergensi.mechanisms.reach import First, Offer
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.draws import member_keys

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service
    from konvergensi.mechanisms.reach import Order
    from konvergensi.world.draws import Draws, Keys
    from konvergensi.world.households import F32, Households, Mask
    from konvergensi.world.state import World

At = NDArray[np.intp]
NOBODY = np.zeros(0, bool)  # for a mask that leaves nobody out, or brings nobody in
VACCINES = "immunisation"  # the service for which health workers also go after those who did not come
WITH_COURSE = (*contacts.CASELOAD, "enrolment")
PAPER = ("soon_share", "later_share", "facility_odds")
FIRST_VISIT = -8  # months of age from which a pregnancy is seen


# ---- offers ----------------------------------------------------------------------------------------------------------


def to_children(
    world: World, service_row: int, programme_row: int, service: Service, rows: slice, left: Mask | None, first: First
) -> Offer:
    """Whom programme p of service s can serve among the children in `rows`; left: not served yet, None for all."""
    match service.contact:
        case "posyandu" | "health-centre":
            met = came(world, rows)
            if service.id == VACCINES:
                met = met | caught_up(world, rows)
            if (need := targeting.child_need(world, service, rows)) is not None:
                met = met & need
            return _by_themselves(world, programme_row, service, rows, met, left, first)
        case "antenatal":
            seen = antenatal(world, service, rows)
            return _by_themselves(world, programme_row, service, rows, seen, left, first)
        case "office":
            goes = _applicants(world, service_row, service, rows)
            return _by_themselves(world, programme_row, service, rows, goes, left, first)
        case "transfer" | "works" | "birth":
            return reach.to_children(world, service_row, programme_row, service, rows, left, first)
    return _found_by_workers(world, service_row, programme_row, service, rows, left, first)


def to_households(
    world: World, service_row: int, programme_row: int, service: Service, need: Mask, left: Mask, first: First
) -> Offer:
    """Whom programme p of service s can serve among all households; left: not served yet."""
    homes = world.households
    if service.contact == "health-centre":  # couples who want it come; nothing is spent on those who do not
        met = need & left & world.book.willing[service_row]
        at = np.flatnonzero(met)
        order = contacts.stock_order(stock(world, service), homes.village, at)
        return Offer(met, met, at, *reach.in_order(world, programme_row, order, homes, slice(0, len(need)), at, first))
    found = reach.to_households(world, service_row, programme_row, service, need, left, first)
    if service.contact != "enrolment":
        return found
    begun, rank = world.book.in_course[service_row], world.book.rank[service_row]
    dose, refusals = contacts.dose_of(service), world.settings["contacts.refusals"]
    room = contacts.has_room(world.book.received[service_row], world.book.refused[service_row], dose, refusals)
    candidates, listed = begun & left, found.listed | begun
    candidates[found.at] = True
    at = np.flatnonzero(candidates & room)
    order, first = reach.in_order(world, programme_row, rank[at], homes, slice(0, len(need)), at, first)
    return Offer(listed, listed, at, order, first, begun, rank)


def _by_themselves(
    world: World, programme_row: int, service: Service, rows: slice, met: Mask, left: Mask | None, first: First
) -> Offer:
    """Families who came: served while the place has the thing in stock."""
    at = _where(world, programme_row, rows, met, left)
    order = contacts.stock_order(stock(world, service), world.children.village[rows], at)
    return Offer(met, met, at, *reach.in_order(world, programme_row, order, world.children, rows, at, first))


def _where(world: World, programme_row: int, rows: slice, met: Mask, left: Mask | None) -> At:
    """Of those met, the rows of those not served yet who live where programme p runs, (m,)."""
    return contacts.where(met, *_limits(world, programme_row, rows, left))


def _limits(world: World, programme_row: int, rows: slice, left: Mask | None) -> tuple[Mask, Mask, NDArray[np.integer]]:
    """Who has not been served yet, where programme p runs, and the village of each row, as `contacts.where` asks."""
    open_ = places.open_villages(world, programme_row)
    return NOBODY if left is None else left, NOBODY if open_ is None else open_, world.children.village[rows]


def _found_by_workers(
    world: World, service_row: int, programme_row: int, service: Service, rows: slice, left: Mask | None, first: First
) -> Offer:
    """Families on the list in use whom a worker visits, calls to a class or enrols; those begun come first.

    To a class whoever comes to the posyandu is asked before others, as far as families are asked there.
    """
    children, book = world.children, world.book
    known, listed = targeting.child_list(world, programme_row, service, rows)
    begun, village, met = book.in_course[service_row][rows], children.village[rows], NOBODY
    if (share := world.settings["contacts.one_stop_share"]) > 0.0 and service.to_age >= 0:
        met = one_stop(world, share)[village] & came(world, rows)
        if (need := targeting.child_need(world, service, rows)) is not None:
            met &= need
    had, refused, dose = book.taken[service_row][rows], book.refused[service_row][rows], contacts.dose_of(service)
    limits, refusals = _limits(world, programme_row, rows, left), world.settings["contacts.refusals"]
    checksums = world.draws.checksums(f"met {service.id}", world.month)
    known, listed, at, lot, workers = contacts.caseload(
        known, listed, met, begun, had, refused, dose, refusals, *limits, children.key[rows], *checksums,
        staff.workers(world),
    )  # fmt: skip
    new = contacts.by_workers(lot, workers)
    new, first = reach.in_order(world, programme_row, new, children, rows, at, first)
    if service.contact == "class":
        asked_there = reach.part_of_keys(world.settings["contacts.class_posyandu_share"])
        first = first._replace(came=came(world, rows), came_below=asked_there)
    return Offer(known, listed, at, new, first, begun, book.rank[service_row][rows])


def has_course(service: Service) -> bool:
    """Whether it is remembered whose course has begun and who refused."""
    return service.contact in WITH_COURSE


def remember(world: World, service: Service, rows: slice, who: At) -> None:
    """What is remembered of a month: antenatal visits held, of the rows `who`, (k,) (in place)."""
    if service.id == contacts.CARRIER:
        start, _, held = antenatal_visits(world)
        held[rows.start - start + who] = True
        book_of = world.registers.cohort_month[rows]  # who has been seen is in the midwife's book
        book_of[who] = np.minimum(book_of[who], world.month)


# ---- who comes -------------------------------------------------------------------------------------------------------


def came(world: World, rows: slice) -> Mask:
    """Who of the rows is at posyandu this month, (n,); nobody before birth."""
    born = world.children.window(world.month, 0, LAST_AGE)
    found = np.zeros(rows.stop - rows.start, bool)
    start, stop = max(rows.start, born.start), min(rows.stop, born.stop)
    if stop > start:
        found[start - rows.start : stop - rows.start] = world.came(slice(start, stop))
    return found


def antenatal(world: World, service: Service, rows: slice) -> Mask:
    """Pregnancies seen this month, (n,) over `rows`: by demand; what rides on a visit needs it to have been held."""
    start, wanted, held = antenatal_visits(world)
    if service.id == contacts.CARRIER:
        return wanted[rows.start - start : rows.stop - start]
    share = world.settings["contacts.pack_share"]
    handed = world.draws.uniform(f"handed out {service.id}", world.month, world.children.key[rows]) < share
    seen: Mask = held[rows.start - start : rows.stop - start] & handed
    return seen


def antenatal_visits(world: World) -> tuple[int, Mask, Mask]:
    """The first row of the pregnancies, who of them wants a visit this month and whose is held, (n,) each; `held` moves
    in place as visits are held.
    """
    month, start, wanted, held = world.derived.get("antenatal", (None, 0, None, None))
    if month != world.month:
        every = world.children.window(world.month, -PREGNANCY_MONTHS, -1)
        start, wanted = every.start, _antenatal_visits(world, every)
        runs = any(world.programmes_of[s] for s in _carriers(world))
        held = np.zeros(len(wanted), bool) if runs else wanted  # where nobody pays, women go to midwives of their own
        world.derived["antenatal"] = (world.month, start, wanted, held)
    return start, wanted, held


def _antenatal_visits(world: World, rows: slice) -> Mask:
    draws, children = world.draws, world.children
    seen: Mask
    begun, seen = contacts.wants_visit(
        children.key[rows], children.household[rows], children.birth_month[rows], world.month - FIRST_VISIT,
        draws.checksums("antenatal care", 0), draws.checksums("antenatal visit", world.month),
        share_at_home(world, "contacts.antenatal_base"), _antenatal_shares(world),
    )  # fmt: skip
    had = next((world.book.received[s] for s in _carriers(world)), None)
    if had is None or not len(had):
        return seen
    brought: Mask = seen | villages.brought_pregnant(world, rows, seen, begun, had[rows])
    return brought


def _carriers(world: World) -> list[int]:
    """Rows of the services on whose visits others ride, worked out once."""
    if "carriers" not in world.kept:
        world.kept["carriers"] = [s for s, each in enumerate(world.services) if each.id == contacts.CARRIER]
    found: list[int] = world.kept["carriers"]
    return found


def _antenatal_shares(world: World) -> F32:
    """Share of months in which those who are seen seldom and often want a visit, (2,); worked out once."""
    if "antenatal shares" not in world.derived:
        kinds = (world.settings[f"contacts.antenatal_{kind}_share"] for kind in ("seldom", "often"))
        odds = np.array([contacts.log_odds(kind) for kind in kinds], np.float32)
        world.derived["antenatal shares"] = contacts.chance_of(odds)
    found: F32 = world.derived["antenatal shares"]
    return found


def caught_up(world: World, rows: slice) -> Mask:
    """Children vaccinated on a round of the health centre or sought out at home, (n,): a matter of the place."""
    share = contacts.log_odds(world.settings["contacts.catch_up_share"])
    if "catch up" not in world.derived:
        place, effect = _place(world, "posyandu")
        world.derived["catch up"] = contacts.chance_of(np.float32(share) + effect)[place]
    draw = world.draws.uniform("catch up", world.month, world.children.key[rows])
    found: Mask = contacts.below(draw, world.derived["catch up"], world.children.household[rows])
    return found


def paper_odds(world: World, rows: slice) -> F32:
    """Log odds beyond the district's level that children of `rows` are ever registered, (n,): wealth and place."""
    homes, home = world.households, world.children.household[rows]
    place, effect = _place(world, "office")
    slope = np.float32(world.settings["contacts.paper_wealth_slope"])
    found: F32 = slope * homes.wealth[home] + effect[place[home]]
    return found


def antenatal_odds(world: World) -> F32:
    """Log odds of regular care in pregnancy and at birth beyond the base, (n_households,); yearly."""
    year, found = world.derived.get("antenatal odds", (None, None))
    if year != world.month // 12:
        homes, settings = world.households, world.settings
        place, effect = _place(world, "antenatal")
        found = (
            np.float32(settings["contacts.antenatal_wealth_slope"]) * homes.wealth
            + np.float32(settings["uptake.access_slope"]) * (homes.access - np.float32(0.5))
            + effect[place]
        ).astype(np.float32)
        world.derived["antenatal odds"] = (world.month // 12, found)
    odds: F32 = found
    return odds


def share_at_home(world: World, base: str) -> F32:
    """Chance in each household, (n_households,), yearly: that a pregnancy is seen in most months
    (`contacts.antenatal_base`), or that a birth is in a facility (`contacts.facility_birth_base`).
    """
    odds = antenatal_odds(world)
    of, share = world.derived.get(base, (None, None))
    if of is not odds:  # of another year
        share = contacts.chance_of(odds + np.float32(world.settings[base]))
        world.derived[base] = (odds, share)
    found: F32 = share
    return found


def born_in_facility(world: World, rows: slice | At) -> Mask:
    """Whose birth is or was in a facility, (n,): lasting."""
    draw = world.draws.uniform("facility birth", 0, world.children.key[rows])
    found: Mask = contacts.below(
        draw, share_at_home(world, "contacts.facility_birth_base"), world.children.household[rows]
    )
    return found


def _applicants(world: World, service_row: int, service: Service, rows: slice) -> Mask:
    """Who goes to the office for a paper this month, (n,)."""
    if service.need != "no-nik":  # a marriage is once
        need = targeting.child_need(world, service, rows)
        first = world.book.received[service_row][rows] == 0
        return first if need is None else need & first
    settings, children, draws = world.settings, world.children, world.draws
    shares = (settings[f"contacts.paper_{name}"] for name in PAPER)
    need, found = contacts.applies(
        world.registers.nik_month[rows], world.month, children.birth_month[rows], children.key[rows],
        draws.checksums("office", world.month), draws.checksums("facility birth", 0),
        share_at_home(world, "contacts.facility_birth_base"), children.household[rows], contacts.paper_shares(*shares),
    )  # fmt: skip
    if (share := settings["contacts.one_stop_share"]) > 0.0:
        found |= need & one_stop(world, share)[children.village[rows]] & came(world, rows)
    return found


def attendance(world: World, common: F32) -> F32:
    """Log odds of coming to posyandu in an ordinary month before age counts, (n_households,): two kinds of family.

    common (n_households,): what `uptake.common_odds` says.
    """
    settings, homes = world.settings, world.households
    place, effect = _place(world, "posyandu")
    quality = np.float32(settings["uptake.attendance_quality_slope"]) * (world.posyandu_quality - np.float32(0.5))
    odds = np.float32(settings["contacts.habit_base"]) + common
    odds += quality[homes.village]
    odds += effect[place]
    draw = world.draws.uniform("posyandu habit", 0, homes.key)
    often, seldom = settings["contacts.often_share"], settings["contacts.seldom_share"]
    return contacts.two_groups(draw, odds, often, seldom)


# ---- places and workers ----------------------------------------------------------------------------------------------


def _place(world: World, contact: str) -> tuple[np.ndarray, F32]:
    """The posyandu each household belongs to and each place's log odds for a contact."""
    place, keys = posyandu_of(world)
    key = ("place", contact)
    if key not in world.derived:
        world.derived[key] = _effects(keys, world.settings, world.draws, contact)
    return place, world.derived[key]


def _effects(keys: Keys, settings: Settings, draws: Draws, contact: str) -> F32:
    own, common = draws.normal(f"place {contact}", 0, keys), draws.normal("place", 0, keys)
    sd, overlap = settings["contacts.place_sd"], settings["contacts.place_overlap_share"]
    return contacts.place_effects(own, common, sd, overlap)


def posyandu_of(world: World) -> tuple[np.ndarray, Keys]:
    """Posyandu of each household, (n_households,), and each posyandu's key: neighbouring dasawisma of a village."""
    if "posyandu" not in world.derived:
        world.derived["posyandu"] = _places(world.households, world.settings, world.village_keys)
    found: tuple[np.ndarray, Keys] = world.derived["posyandu"]
    return found


def _places(homes: Households, settings: Settings, village_keys: Keys) -> tuple[np.ndarray, Keys]:
    # households stand village by village: the first of each has its first group
    starts = np.searchsorted(homes.village, np.arange(int(homes.village[-1]) + 1))
    first = homes.dasawisma[starts].astype(np.int64)
    groups = max(int(settings["contacts.posyandu_families"] // settings["population.dasawisma_size"]), 1)
    number = (homes.dasawisma - first[homes.village]) // groups
    begins = np.concatenate([[True], (number[1:] != number[:-1]) | (homes.village[1:] != homes.village[:-1])])
    return np.cumsum(begins) - 1, member_keys("posyandu", village_keys[homes.village[begins]], number[begins])


def lack_by_place(
    homes: Households, settings: Settings, draws: Draws, village_keys: Keys, no_water: float, no_latrine: float
) -> None:
    """Draw again who lacks water and a latrine: pipes and habits are a matter of the place as well (in place).

    The district's shares are kept on average over places and wealth, whoever lives in the district, and so are the
    draws of each household.
    """
    place, keys = _places(homes, settings, village_keys)
    weight, gradient = settings["contacts.works_place_share"], settings["population.lack_wealth_gradient"]
    lean = -weight * _effects(keys, settings, draws, "works")[place] - gradient * homes.wealth
    sd = float(np.hypot(weight * settings["contacts.place_sd"], gradient))
    for column, share in (("no water", no_water), ("no latrine", no_latrine)):
        chance = contacts.lacking(lean, sd, share)
        setattr(homes, column.replace(" ", "_"), draws.uniform(column, 0, homes.key) < chance)


def stock(world: World, service: Service) -> Order:
    """This quarter's draw of each village in being supplied with a service, (n_villages,)."""
    key, quarter = ("stock", service.id), world.month // 3
    when, found = world.derived.get(key, (None, None))
    if when != quarter:
        found = world.draws.halves(f"stock {service.id}", quarter, world.village_keys)
        world.derived[key] = (quarter, found)
    order: Order = found
    return order


def one_stop(world: World, share: float) -> Mask:
    """Villages with an integrated posyandu, (n_villages,): a larger share holds the smaller one."""
    return world.draws.uniform("one stop", 0, world.village_keys) < share


# ---- staff -----------------------------------------------------------------------------------------------------------


takes_staff = contacts.takes_staff


def is_a_visit(service: Service) -> bool:
    """Whether it takes a meeting at home or in a clinic, which a shock can call off."""
    return takes_staff(service)


def staff_left(world: World, programme_row: int) -> float:
    """No limit over the district: staff are where they are posted, see `use_staff`."""
    return np.inf


staff_of_programmes = staff.OfMonth


def use_staff(world: World, programme_row: int, units: int) -> None:
    """Nothing more is taken: meetings were, place by place."""
