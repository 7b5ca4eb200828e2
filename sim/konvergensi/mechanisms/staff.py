"""Field staff under the rule `contacts`: whom they belong to, where they are posted, how their time is shared.

Staff are counted by agency and belong to it (`staff` in opd.toml). They work where the agency posts them (`posted`): at
the district office, at the health centre or office of each kecamatan by its families, or in each village by its
families and by how many workers a village has for them (family teams and cadres, `contacts.workers_sd`). Their time is
one pool for each place, in meetings a month. Each line of the first year keeps the time of the meetings it paid for;
what is left goes to new money in the order of services.toml. So a line that gets more money never takes staff from one
that had them. Parameters: delivery.toml, contacts.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import contacts, shocks

if TYPE_CHECKING:
    from konvergensi.world.households import F32
    from konvergensi.world.state import World

Meetings = NDArray[np.float64]
LEVELS = ("village", "kecamatan", "district")
NOWHERE = np.zeros(0, np.intp)  # for places that are no part of a larger one
LEAST = 20.0  # meetings a month below which a place is too small to have a limit of its own


class Staff(NamedTuple):
    """Meetings that a programme's agency can hold this month, as `programme_month.meet` asks."""

    pool: Meetings  # at each place, (n_places,); moves in place
    weights: Meetings  # each place's share of the agency's staff
    kept: float  # meetings kept for programmes whose turn comes later
    of_village: NDArray[np.intp]  # place of each village
    centre: NDArray[np.intp]  # kecamatan of each place where those of a kecamatan meet together, else empty
    draw: float


class Turn(NamedTuple):
    """A programme that needs an agency's staff in a month of the year."""

    programme: int
    name: str  # of its draw
    key: int  # of the agency's draws
    kept: float
    centre: NDArray[np.intp]


def of_programmes(world: World) -> dict[int, Staff]:
    """This month's staff of every programme that needs any."""
    found: dict[int, Staff] = {}
    for turn, weights, in_all, of_village in _turns_of(world):
        pool = in_all * weights
        for p, name, key, kept, centre in turn:
            draw = world.draws.uniform_of(name, world.month, key)
            found[p] = Staff(pool, weights, kept, of_village, centre, draw)
    return found


def _centre_of(world: World, programme_row: int, n_places: int) -> NDArray[np.intp]:
    """Kecamatan of each village where those who work in villages hold this meeting together, empty where they do not.

    A family that comes to a health centre or an office meets whoever is on duty there.
    """
    contact = world.services[world.programmes.service[programme_row]].contact
    apart = n_places == len(world.kecamatan) > 1
    return world.kecamatan if apart and contact in ("health-centre", "office", "antenatal") else NOWHERE


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
    families = world.families
    if level == "village":
        of_village, families = np.arange(n), families * workers(world)
    else:
        of_village = world.kecamatan if level == "kecamatan" else np.zeros(n, np.intp)
    by_place = np.bincount(of_village, weights=families)
    return of_village, by_place / by_place.sum()


def _turns_of(world: World) -> list[tuple[list[Turn], Meetings, float, NDArray[np.intp]]]:
    """Of each agency that is needed this month: whose turn it is, in order, its staff's weights, meetings in all and
    the place of each village; worked out once for each month of the year, as long as agencies have the same staff.
    """
    capacities = tuple(capacity(world, opd) for opd in range(len(world.opds)))
    key = ("staff turns", world.month_of_year, capacities)
    if key not in world.derived:
        by_opd: dict[int, list[int]] = {}
        for programme in _turns(world):
            by_opd.setdefault(int(world.programmes.opd[programme]), []).append(programme)
        found = []
        for opd, turn in by_opd.items():
            (of_village, weights), in_all = _places(world, opd), capacities[opd]
            kept = kept_for_others(world.programmes.routine[turn], in_all)
            number = int(world.coordination.opd_keys[opd])
            names = [f"staff {world.programmes.id[p]}" for p in turn]
            centres = [_centre_of(world, p, len(weights)) for p in turn]
            turns = [Turn(p, names[i], number, kept[i], centres[i]) for i, p in enumerate(turn)]
            found.append((turns, weights, in_all, of_village))
        world.derived[key] = found
    of_opd: list[tuple[list[Turn], Meetings, float, NDArray[np.intp]]] = world.derived[key]
    return of_opd


def kept_for_others(routine: Meetings, in_all: float) -> list[float]:
    """Meetings of a month that an agency keeps, before each turn, for those whose turn comes later: their routine,
    (n_turns,), as far as all its meetings reach.
    """
    scale = min(1.0, in_all / max(float(routine.sum()), 1e-9))
    kept: list[float] = (scale * (routine[::-1].cumsum()[::-1] - routine)).tolist()
    return kept


def _turns(world: World) -> list[int]:
    """Programmes that need staff this month, in the order in which they are run."""
    return [
        p
        for s, service in enumerate(world.services)
        if contacts.takes_staff(service) and world.month_of_year in service.months
        for p in world.programmes_of[s]
    ]
