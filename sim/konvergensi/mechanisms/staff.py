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
    from konvergensi.world.draws import Begun, Keys
    from konvergensi.world.households import F32
    from konvergensi.world.state import World

Meetings = NDArray[np.float64]
Rows = NDArray[np.intp]
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


class Rota(NamedTuple):
    """Who needs whose staff in a month of the year. Columns over programmes, (n_programmes,), unless said otherwise."""

    first: Rows  # where the places of its agency begin in the pool, -1 for a programme that needs no staff
    stop: Rows  # and where they end
    row: Rows  # of `places`
    apart: NDArray[np.bool_]  # those who work in villages meet together in the kecamatan
    places: Rows  # place of each village, (n_agencies, n_villages)
    agency: Rows  # of every place of every agency, (n_places,)
    weights: Meetings  # (n_places,)
    of_agency: list[tuple[int, list[int]]]  # agencies that are needed, and whose turn it is
    turn: Rows  # programmes that need staff, (n_turns,)
    begun: Begun  # of the draw of each of these
    keys: Keys  # of the agency of each of these


class OfMonth:
    """This month's staff: what is left at each place moves in place as programmes take their turn."""

    def __init__(self, world: World) -> None:
        self.rota = rota = _rota(world)
        self.kecamatan = world.kecamatan
        in_all, self.kept = _kept(world, rota)
        self.pool = in_all[rota.agency] * rota.weights
        self.draw = np.zeros(len(rota.first))
        self.draw[rota.turn] = world.draws.one_each(rota.begun, world.month, rota.keys)

    def of(self, programme_row: int) -> Staff | None:
        """The staff of programme p, None where it needs none."""
        rota, p = self.rota, programme_row
        if rota.first[p] < 0:
            return None
        there = slice(rota.first[p], rota.stop[p])
        centre = self.kecamatan if rota.apart[p] else NOWHERE
        of_village = rota.places[rota.row[p]]
        return Staff(self.pool[there], rota.weights[there], float(self.kept[p]), of_village, centre, self.draw[p])


def _meets_in_kecamatan(world: World, programme_row: int, n_places: int) -> bool:
    """Whether those who work in villages hold this meeting together, in the kecamatan.

    A family that comes to a health centre or an office meets whoever is on duty there.
    """
    contact = world.services[world.programmes.service[programme_row]].contact
    return n_places == len(world.kecamatan) > 1 and contact in ("health-centre", "office", "antenatal")


def workers(world: World) -> F32:
    """Workers per family of each village, (n_villages,): the same people make visits, hold classes and enrol."""
    if "workers" not in world.derived:
        draw = world.draws.normal("workers", 0, world.village_keys)
        world.derived["workers"] = contacts.workers(draw, world.settings["contacts.workers_sd"])
    found: F32 = world.derived["workers"]
    return found


def capacity(world: World, opd: int) -> float:
    """Meetings that an agency's field staff can hold in a month, all places together."""
    return float(world.opds[opd].staff * _meetings_of_one(world) * world.population_share)


def _meetings_of_one(world: World) -> float:
    """Meetings that one worker can hold this month."""
    each = world.settings["delivery.contacts_per_staff_month"] * shocks.in_force(world.settings, "home_contact_share")
    return float(each)


def _places(world: World, opd: int) -> tuple[NDArray[np.intp], Meetings]:
    """Place of each village, (n_villages,), and the share of an agency's staff at each place, (n_places,), sum 1.

    Where they are posted, or the next larger area in which they hold LEAST meetings a month: when few families are
    simulated, a village has too few of either for a limit of its own to mean anything.
    """
    levels = LEVELS[LEVELS.index(world.opds[opd].posted) :]
    most = world.settings["delivery.contacts_per_staff_month"] * world.opds[opd].staff * world.population_share
    for level in levels:
        found = _level(world, level)
        if most >= LEAST * len(found[1]):
            break
    return found


def _level(world: World, level: str) -> tuple[NDArray[np.intp], Meetings]:
    key = ("staff at", level, world.settings["contacts.workers_sd"])
    if key not in world.kept:
        world.kept[key] = _spread(world, level)
    found: tuple[NDArray[np.intp], Meetings] = world.kept[key]
    return found


def _spread(world: World, level: str) -> tuple[NDArray[np.intp], Meetings]:
    n = len(world.kecamatan)
    families = world.families
    if level == "village":
        of_village, families = np.arange(n), families * workers(world)
    else:
        of_village = world.kecamatan if level == "kecamatan" else np.zeros(n, np.intp)
    by_place = np.bincount(of_village, weights=families)
    return of_village, by_place / by_place.sum()


def _rota(world: World) -> Rota:
    """The rota of this month of the year, worked out once for all in which the same services are due, as long as the
    settings that it follows stand.
    """
    follows = (world.settings["contacts.workers_sd"], world.settings["delivery.contacts_per_staff_month"])
    key = ("rota", _due(world), *follows)
    if key not in world.kept:
        world.kept[key] = _draw_up(world)
    found: Rota = world.kept[key]
    return found


def _draw_up(world: World) -> Rota:
    n, turns = len(world.programmes), [p for s in _due(world) for p in world.programmes_of[s]]
    by_opd: dict[int, list[int]] = {}
    for programme in turns:
        by_opd.setdefault(int(world.programmes.opd[programme]), []).append(programme)
    of = [_places(world, opd) for opd in by_opd]
    lengths = [len(weights) for _, weights in of]
    starts = np.cumsum([0, *lengths])
    found = Rota(
        first=np.full(n, -1, np.intp),
        stop=np.full(n, -1, np.intp),
        row=np.zeros(n, np.intp),
        apart=np.zeros(n, bool),
        places=np.array([of_village for of_village, _ in of], np.intp).reshape(len(of), len(world.kecamatan)),
        agency=np.repeat(np.array(list(by_opd), np.intp), lengths),
        weights=np.concatenate([np.zeros(0), *(weights for _, weights in of)]),
        of_agency=list(by_opd.items()),
        turn=np.array(turns, np.intp),
        begun=world.draws.begin(f"staff {world.programmes.id[p]}" for p in turns),
        keys=world.coordination.opd_keys[world.programmes.opd[np.array(turns, np.intp)]],
    )
    for row, mine in enumerate(by_opd.values()):
        found.first[mine], found.stop[mine], found.row[mine] = starts[row], starts[row + 1], row
        found.apart[mine] = [_meets_in_kecamatan(world, p, lengths[row]) for p in mine]
    return found


def _kept(world: World, rota: Rota) -> tuple[Meetings, Meetings]:
    """Meetings that each agency's staff can hold this month, (n_opd,), and what is kept at each programme's turn for
    others, (n_programmes,); worked out once for each month of the year, as long as agencies have the same staff.
    """
    each = _meetings_of_one(world)
    in_all = tuple(float(opd.staff * each * world.population_share) for opd in world.opds)
    key = ("staff kept", _due(world), in_all)
    if key not in world.kept:
        kept = np.zeros(len(world.programmes))
        for opd, mine in rota.of_agency:
            kept[mine] = kept_for_others(world.programmes.routine[mine], in_all[opd])
        world.kept[key] = np.array(in_all), kept
    found: tuple[Meetings, Meetings] = world.kept[key]
    return found


def kept_for_others(routine: Meetings, in_all: float) -> list[float]:
    """Meetings of a month that an agency keeps, before each turn, for those whose turn comes later: their routine,
    (n_turns,), as far as all its meetings reach.
    """
    scale = min(1.0, in_all / max(float(routine.sum()), 1e-9))
    kept: list[float] = (scale * (routine[::-1].cumsum()[::-1] - routine)).tolist()
    return kept


def _due(world: World) -> tuple[int, ...]:
    """Services that need staff this month, worked out once for each month of the year."""
    now = world.month_of_year
    key = ("due with staff", now)
    if key not in world.kept:
        of = enumerate(world.services)
        world.kept[key] = tuple(s for s, each in of if contacts.takes_staff(each) and now in each.months)
    found: tuple[int, ...] = world.kept[key]
    return found
