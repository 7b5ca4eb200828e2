"""Field staff under the rule `contacts`: whom they belong to, where they are posted, how their time is shared.

Staff are counted by agency and belong to it (`staff` in opd.toml). They work where the agency posts them (`posted`): at
the district office, at the health centre or office of each kecamatan by its families, or in each village by its
families and by how many workers a village has for them (family teams and cadres, `contacts.workers_sd`). Their time is
one pool for each place, in meetings a month. Each line of the first year keeps the time of the meetings it paid for;
what is left goes to new money in the order of services.toml. So a line that gets more money never takes staff from one
that had them. Parameters: delivery.toml, contacts.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.mechanisms import contacts, shocks

if TYPE_CHECKING:
    from konvergensi.world.households import F32
    from konvergensi.world.state import World

Meetings = NDArray[np.float64]
LEVELS = ("village", "kecamatan", "district")
NOWHERE = np.zeros(0, np.intp)  # for places that are no part of a larger one
LEAST = 20.0  # meetings a month below which a place is too small to have a limit of its own


def hold(
    world: World, programme_row: int, villages: NDArray[np.integer], step: NDArray[np.uint16]
) -> NDArray[np.intp] | None:
    """Meetings that programme p's agency can hold this month; they are taken from its staff's time (in place).

    Parameters: villages (n,), where each family lives; step (n,), the order in which they are met.
    Returns: the rows met, (m,); None for all of them.
    """
    opd = int(world.programmes.opd[programme_row])
    of_village, pool = _pools(world)[opd]
    centre = _centre_of(world, programme_row, len(pool))
    name, one = f"staff {world.programmes.id[programme_row]}", world.coordination.opd_keys[opd : opd + 1]
    fixed_draw = world.draws.uniform(name, world.month, one)[0]
    kept, weights = _kept_for_others(world, programme_row), _places(world, opd)[1]
    everybody, held = meet(
        pool, weights, kept, of_village, NOWHERE if centre is None else centre, villages, step, fixed_draw
    )
    return None if everybody else held


def _centre_of(world: World, programme_row: int, n_places: int) -> NDArray[np.intp] | None:
    """Kecamatan of each village where those who work in villages hold this meeting together, None where they do not.

    A family that comes to a health centre or an office meets whoever is on duty there.
    """
    contact = world.services[world.programmes.service[programme_row]].contact
    apart = n_places == len(world.kecamatan) > 1
    return world.kecamatan if apart and contact in ("health-centre", "office", "antenatal") else None


def _first_in_columns(
    place: NDArray[np.integer], step: NDArray[np.uint16], room: NDArray[np.integer]
) -> NDArray[np.intp]:
    order = np.lexsort((step, place))
    at = place[order]
    nth = np.arange(len(at)) - np.searchsorted(at, at)  # how many of the same place come before
    return np.sort(order[nth < room[at]])


@compiled(_first_in_columns)
def first_of_each(place, step, room):  # type: ignore[no-untyped-def]
    """The first `room` of each place, (n_places,), in their order, as rows of place and step (n,), ascending."""
    n, last = len(place), 0
    for i in range(n):
        last = max(last, int(step[i]))
    starts = np.zeros(last + 2, np.int64)
    for i in range(n):
        starts[np.int64(step[i]) + 1] += 1
    for each in range(last):
        starts[each + 1] += starts[each]
    order = np.empty(n, np.int64)  # rows by step, equals as they stand
    for i in range(n):
        order[starts[step[i]]] = i
        starts[step[i]] += 1
    kept, met = np.zeros(n, np.bool_), np.zeros(len(room), np.int64)
    for k in range(n):
        where = place[order[k]]
        kept[order[k]] = met[where] < room[where]
        met[where] += 1
    return np.flatnonzero(kept)


def workers(world: World) -> F32:
    """Workers per family of each village, (n_villages,): the same people make visits, hold classes and enrol."""
    if "workers" not in world.derived:
        draw = world.draws.normal("workers", 0, world.village_keys)
        world.derived["workers"] = contacts.workers(draw, world.settings["contacts.workers_sd"])
    found: F32 = world.derived["workers"]
    return found


def capacity(world: World, opd: int) -> float:
    """Meetings that an agency's field staff can hold in a month, all places together."""
    each = world.settings["delivery.contacts_per_staff_month"] * shocks.in_force(world.settings, "home_contact_share")
    return float(world.opds[opd].staff * each * world.population_share)


def _whole_in_columns(room: Meetings, fixed_draw: np.float32) -> NDArray[np.int64]:
    upto = np.floor(np.cumsum(np.concatenate([[0.0], np.maximum(room, 0.0)])) + fixed_draw)
    return np.diff(upto).astype(np.int64)


@compiled(_whole_in_columns)
def whole(room, fixed_draw):  # type: ignore[no-untyped-def]
    """Whole meetings of each place, (n_places,): rounded so that their sum stays within one of the sum of `room`.

    Which places get the fractions follows one draw of the month, so small districts lose no time to rounding.
    """
    found = np.empty(len(room), np.int64)
    total, before = 0.0, np.floor(0.0 + fixed_draw)
    for i in range(len(room)):
        total += max(room[i], 0.0)
        upto = np.floor(total + fixed_draw)
        found[i] = np.int64(upto - before)
        before = upto
    return found


def _meet_in_columns(
    pool: Meetings,
    weights: Meetings,
    kept: float,
    of_village: NDArray[np.intp],
    centre: NDArray[np.intp],
    villages: NDArray[np.integer],
    step: NDArray[np.uint16],
    fixed_draw: np.float32,
) -> tuple[bool, NDArray[np.intp]]:
    free: Meetings = np.maximum(pool - kept * weights, 0.0)
    area = centre if len(centre) else of_village
    place = area[villages]
    together = np.bincount(centre, weights=free).astype(float) if len(centre) else free
    room = whole(together, fixed_draw)
    asked = np.bincount(place, minlength=len(room))
    everybody, held = not (asked > room).any(), np.zeros(0, np.intp)
    if not everybody:
        held = first_of_each(place, step, room)
        asked = np.bincount(place[held], minlength=len(room))
    if len(centre):  # everybody's time in the kecamatan, in proportion
        pool -= free * (asked / np.maximum(together, 1e-9))[centre]
    else:
        pool -= asked
    return everybody, held


@compiled(_meet_in_columns)
def meet(pool, weights, kept, of_village, centre, villages, step, fixed_draw):  # type: ignore[no-untyped-def]
    """Whether everybody is met, else the rows who are, of families in `villages`, (n,), in the order of `step`, (n,).

    What a pool, (n_places,), keeps for others is `kept` times its weight; what is held is taken from it (in place).
    centre: kecamatan of each place where those who work in villages meet together there, else empty.
    """
    n_places, together_there = len(pool), len(centre) > 0
    free = np.empty(n_places)
    for i in range(n_places):
        free[i] = max(pool[i] - kept * weights[i], 0.0)
    together = free
    if together_there:
        together = np.zeros(centre.max() + 1)
        for i in range(n_places):
            together[centre[i]] += free[i]
    room = whole(together, fixed_draw)
    place = np.empty(len(villages), np.int64)
    asked = np.zeros(len(room), np.int64)
    for i in range(len(villages)):
        place[i] = centre[villages[i]] if together_there else of_village[villages[i]]
        asked[place[i]] += 1
    everybody, held = (asked <= room).all(), np.zeros(0, np.int64)
    if not everybody:
        held = first_of_each(place, step, room)
        asked[:] = 0
        for k in range(len(held)):
            asked[place[held[k]]] += 1
    for i in range(n_places):
        if together_there:
            pool[i] -= free[i] * (asked[centre[i]] / max(together[centre[i]], 1e-9))
        else:
            pool[i] -= asked[i]
    return everybody, held


def _pools(world: World) -> list[tuple[NDArray[np.intp], Meetings]]:
    """Of every agency: place of each village, (n_villages,), and meetings its staff can still hold there this month."""
    month, pools = world.derived.get("staff pools", (None, None))
    if month != world.month:
        pools = []
        for opd in range(len(world.opds)):
            of_village, weights = _places(world, opd)
            pools.append((of_village, capacity(world, opd) * weights))
        world.derived["staff pools"] = (world.month, pools)
    found: list[tuple[NDArray[np.intp], Meetings]] = pools
    return found


def _places(world: World, opd: int) -> tuple[NDArray[np.intp], Meetings]:
    """Place of each village, (n_villages,), and the share of an agency's staff at each place, (n_places,), sum 1.

    Where they are posted, or the next larger area in which they hold LEAST meetings a month: when few families are
    simulated, a village has too few of either for a limit of its own to mean anything.
    """
    known = world.derived.setdefault("staff places", {})
    if opd not in known:
        levels = LEVELS[LEVELS.index(world.opds[opd].posted) :]
        most = world.settings["delivery.contacts_per_staff_month"] * world.opds[opd].staff * world.population_share
        for level in levels:
            known[opd] = _level(world, level)
            if most >= LEAST * len(known[opd][1]):
                break
    found: tuple[NDArray[np.intp], Meetings] = known[opd]
    return found


def _level(world: World, level: str) -> tuple[NDArray[np.intp], Meetings]:
    n = len(world.kecamatan)
    families = np.bincount(world.households.village, minlength=n).astype(float)
    if level == "village":
        of_village, families = np.arange(n), families * workers(world)
    else:
        of_village = world.kecamatan if level == "kecamatan" else np.zeros(n, np.intp)
    by_place = np.bincount(of_village, weights=families)
    return of_village, by_place / by_place.sum()


def _kept_for_others(world: World, programme_row: int) -> float:
    """Meetings of this month that the agency keeps for programmes whose turn comes after p."""
    month, kept = world.derived.get("staff kept", (None, None))
    if month != world.month:
        kept = np.zeros(len(world.programmes))
        for opd, turn in _turns_of(world).items():
            routine = world.programmes.routine[turn]
            scale = min(1.0, capacity(world, opd) / max(float(routine.sum()), 1e-9))
            kept[turn] = scale * (routine[::-1].cumsum()[::-1] - routine)
        kept = kept.tolist()
        world.derived["staff kept"] = (world.month, kept)
    found: float = kept[programme_row]
    return found


def _turns_of(world: World) -> dict[int, list[int]]:
    """`_turns` by agency, of the agencies that have any; the same in every year."""
    key = ("staff turns", world.month_of_year)
    if key not in world.derived:
        found: dict[int, list[int]] = {}
        for programme in _turns(world):
            found.setdefault(int(world.programmes.opd[programme]), []).append(programme)
        world.derived[key] = found
    of_opd: dict[int, list[int]] = world.derived[key]
    return of_opd


def _turns(world: World) -> list[int]:
    """Programmes that need staff this month, in the order in which they are run."""
    return [
        p
        for s, service in enumerate(world.services)
        if contacts.takes_staff(service) and world.month_of_year in service.months
        for p in world.programmes_of[s]
    ]
