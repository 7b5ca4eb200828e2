"""Measures of the coordination network, as numbers per layer: density, centralisation, reach, time to inform.

Between agencies, in the layers `formal`, `informal` and `data`: how strongly they are tied (`density`), how many of
the pairs are tied at all (`tied_share`), and how far the ties run through one agency (`centralisation`). In
`hierarchy`, the links from coordinator to kecamatan and from kecamatan to villages are fixed, so only their mean
strength is given.

A message starts at the coordinator. A link passes it on after 1 / (strength x contacts a month) months, and it takes
the quickest way. Contacts a month:

- formal: meetings a year, with those a decree brings, / 12, at least the yearly rembuk; COVID closes a share
  of the meetings (shocks.meeting_open_share);
- informal: one a month;
- hierarchy: cascade.meetings_per_year / 12, closed in the same way. Villages that a round leaves out are never told;
  of the rounds, remoteness (cascade.remoteness_share x remoteness) keeps a share from a village. Lokus villages are
  spoken to by the district itself (mechanisms/cascade.py), so their message may skip the kecamatan;
- data: none, a shared list tells nobody.

`told_*` is the share of the other agencies, the kecamatan or the villages whom the message reaches at all, `reach_*`
the share whom it reaches within 12 months, `months_to_*` the median months until it does, over all of them, told or
not: inf where half or more are never told, NaN where there is nobody to tell. Rows of the layer `formal` or `informal`
use that layer alone; `all` takes the quickest of the layers.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.base.months import format_month
from konvergensi.mechanisms import shocks
from konvergensi.mechanisms.socialization import meetings_per_year
from konvergensi.world.coordination import AGENCY_LAYERS
from konvergensi.world.network import WEAKEST

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.state import World

Matrix = NDArray[np.float64]
Measures = list[tuple[str, str, float]]  # layer, measure, value
Row = tuple[str, str, str, float]
WITHIN_MONTHS = 12.0  # a message that takes longer is too late for the year's plan
LONGEST = float(np.finfo(float).max)  # months; longer takes only what is never told
INFORMAL_CONTACTS = 1.0  # calls and messages between acquaintances, a month
MEASURED_IN = (3, 6, 9, 12)  # months of the year with rows in the network table, besides the first of the run


def density(tie: Matrix) -> float:
    """Mean strength of the tie over pairs of agencies, 0..1; 0 with fewer than two. tie: (n, n) symmetrical."""
    pairs = _pairs(tie)
    return float(np.add.reduce(pairs) / len(pairs)) if len(pairs) else 0.0


def tied_share(tie: Matrix) -> float:
    """Share of pairs of agencies tied at least as strongly as world/network.py counts a tie; 0 with fewer than two."""
    pairs = _pairs(tie)
    return np.count_nonzero(pairs >= WEAKEST) / len(pairs) if len(pairs) else 0.0


def centralisation(tie: Matrix) -> float:
    """How far the ties of a layer run through one agency: Freeman's degree centralisation for weighted ties, 0..1.

    sum over agencies of (largest degree - degree) / (n - 2), the degree being the sum of an agency's ties over the
    strongest tie and over the n - 1 others. A star gives 1, ties all alike give 0; the strength that all ties share
    drops out, as density tells it. 0 with fewer than three agencies or without ties.

    Source: Freeman 1978, Centrality in social networks, Social Networks 1:215-239; divided by the strongest tie so that
    binary ties give Freeman's value.
    """
    n = len(tie)
    strongest = np.maximum.reduce(tie, axis=None, initial=0.0)
    if n < 3 or strongest <= 0.0:
        return 0.0
    degree = np.add.reduce(tie, axis=1) / (strongest * (n - 1))
    return float(np.add.reduce(np.maximum.reduce(degree) - degree) / (n - 2))


def _pairs(tie: Matrix) -> Matrix:
    return tie[_above(len(tie))]


@functools.cache
def _above(n: int) -> tuple[NDArray[np.intp], ...]:
    """Rows and columns above the diagonal of an (n, n) matrix."""
    return np.triu_indices(n, 1)


def contacts(settings: Settings) -> dict[str, float]:
    """Contacts a month along a link of full strength, by layer."""
    open_ = shocks.in_force(settings, "meeting_open_share")
    return {
        "formal": max(meetings_per_year(settings), 1) / 12 * open_,
        "informal": INFORMAL_CONTACTS,
        "hierarchy": settings["cascade.meetings_per_year"] / 12 * open_,
    }


def waiting(strength: Matrix, contacts_a_month: float) -> Matrix:
    """Months until a link passes a message on, 1 / (strength x contacts); inf along what is too weak for a tie."""
    tied = strength >= WEAKEST
    months: Matrix = np.full(strength.shape, np.inf)
    passes = strength * contacts_a_month
    return np.divide(1.0, passes, out=months, where=tied & (passes > 0.0))


def _quickest_in_columns(length: Matrix, start: int) -> Matrix:
    months = np.full(len(length), np.inf)
    months[start] = 0.0
    for _ in range(len(length) - 1):
        further = np.minimum(months, (months[:, None] + length).min(axis=0))
        if (further == months).all():
            break
        months = further
    return months


@compiled(_quickest_in_columns)
def quickest(length, start):  # type: ignore[no-untyped-def]
    """Months from `start` to each node along the quickest way, (n,); inf where none leads.

    length: (n, n), months along each link, inf for none. By Bellman and Ford: at most n - 1 links are of use.
    """
    n = len(length)
    months = np.full(n, np.inf)
    months[start] = 0.0
    for _ in range(n - 1):
        further, moved = months.copy(), False
        for i in range(n):
            for j in range(n):
                further[j] = min(further[j], months[i] + length[i, j])
        for j in range(n):
            moved |= further[j] != months[j]
        if not moved:
            break
        months = further
    return months


def months_below(world: World) -> tuple[Matrix, Matrix]:
    """Months from the coordinator to each kecamatan, (n_kecamatan,), and to each village, (n_villages,)."""
    state, settings = world.coordination, world.settings
    rounds = contacts(settings)["hierarchy"]
    kecamatan = waiting(_team(state.tpps_kecamatan, settings), rounds)
    # of the rounds, those that terrain lets through to an included village
    through = state.included(settings) * (1.0 - settings["cascade.remoteness_share"] * state.remoteness)
    with np.errstate(divide="ignore"):
        last = waiting(_team(state.tpps_desa, settings), rounds) / through
    first = np.where(state.lokus, 0.0, kecamatan[state.village_kecamatan])
    return kecamatan, first + last


def _team(active: NDArray[np.bool_], settings: Settings) -> Matrix:
    """Strength of the links to teams: what passes through one that exists only by decree is less."""
    return np.where(active, 1.0, settings["cascade.inactive_team_share"])


def reach(months: Matrix, within: float = WITHIN_MONTHS) -> float:
    """Share of those to be told whom a message has reached within so many months; NaN where there is nobody."""
    return np.count_nonzero(months <= within + 1e-9) / len(months) if len(months) else float("nan")


def time_to_inform(months: Matrix) -> float:
    """Median months until a message arrives; inf where half or more are never told, NaN where there is nobody."""
    if not len(months):
        return float("nan")
    middle = len(months) // 2
    ordered = np.sort(months)
    return float(ordered[middle] if len(months) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


class Measured(NamedTuple):
    """What `network_rows` is made from: ties by layer, contacts a month, the coordinator's row, rows of `_below`."""

    month: int
    ties: dict[str, Matrix]
    often: dict[str, float]
    start: int
    below: Measures

    @classmethod
    def of(cls, world: World) -> Measured:
        """Of a world, as it is now."""
        ties = {layer: world.coordination.ties[layer].copy() for layer in AGENCY_LAYERS}
        start = next((i for i, opd in enumerate(world.opds) if opd.role == "coordinator"), 0)
        return cls(world.month, ties, contacts(world.settings), start, _below(world))


def network_rows(
    month: int, ties: dict[str, Matrix], often: dict[str, float], start: int, below: Measures
) -> list[Row]:
    """Rows of the network table for what was `Measured`: month, layer, measure, value."""
    found: Measures = []
    for layer, tie in ties.items():
        found += [
            (layer, "density", density(tie)),
            (layer, "tied_share", tied_share(tie)),
            (layer, "centralisation", centralisation(tie)),
        ]
    found.append(below[0])
    length = {layer: waiting(ties[layer], often[layer]) for layer in ("formal", "informal")}
    length["all"] = np.minimum(length["formal"], length["informal"])
    for layer, months in length.items():
        told = quickest(months, start)
        found += _informed(layer, "opd", np.concatenate([told[:start], told[start + 1 :]]))
    when = format_month(month)
    return [(when, *row) for row in (*found, *below[1:])]


def _below(world: World) -> Measures:
    """Rows without their month of what lies below the agencies: as before until settings or teams change."""
    state, settings = world.coordination, world.settings
    now = (state.tpps_kecamatan.tobytes(), state.tpps_desa.tobytes())
    of, found = world.derived.get("network below", (None, []))
    if of != now:
        teams = np.concatenate([_team(state.tpps_kecamatan, settings), _team(state.tpps_desa, settings)])
        found = [("hierarchy", "density", float(teams.mean()))]
        for name, below in zip(("kecamatan", "villages"), months_below(world), strict=True):
            found += _informed("all", name, below)
        world.derived["network below"] = (now, found)
    rows: Measures = found
    return rows


def _informed(layer: str, whom: str, months: Matrix) -> list[tuple[str, str, float]]:
    return [
        (layer, f"told_{whom}", reach(months, within=LONGEST)),
        (layer, f"reach_{whom}", reach(months)),
        (layer, f"months_to_{whom}", time_to_inform(months)),
    ]


def tie_rows(world: World) -> list[tuple[str, str, str, str, float]]:
    """Rows of the ties table for the month: month, layer, source, target, weight of each tied pair of agencies."""
    when, names = format_month(world.month), [opd.id for opd in world.opds]
    found = []
    for layer in AGENCY_LAYERS:
        tie = world.coordination.ties[layer]
        for i, j in np.argwhere(np.triu(tie, 1) >= WEAKEST).tolist():
            found.append((when, layer, names[i], names[j], float(tie[i, j])))
    return found
