"""Small districts simulated live: one to look at, and two futures of the same children to compare within two seconds.

A small share of the families is simulated, several times with other draws. The past is simulated once and kept; a
policy is then simulated from its first month on, on a copy, exactly as a run of it from the start would have come out.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.analyses.gaps import t_interval
from konvergensi.analyses.run import collect
from konvergensi.base.months import parse_month
from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.outcome import measures_of

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.results.run import Run

START, END = "2018-01", "2024-12"  # of a look: the years that surveys cover
LAST_END = "2035-12"
FAMILIES = 4_000  # simulated, live: few enough to answer at once
SEEDS = (1, 2, 3, 4)
KEPT = 6  # pasts kept in memory; one of 4,000 families with four seeds takes about 20 MB
CHANGES = ("prevalence", "stunted_children", "protected_in_time", "complete_package_share", "spent_rp")


def share_of(place: District) -> float:
    """The share of its families that is simulated live."""
    return min(1.0, FAMILIES / float(place.villages["families"].sum()))


@dataclass(frozen=True)
class _Key:
    """A district by its content, so that one that was changed meanwhile is another."""

    source: str
    hashes: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, source: str, place: District) -> _Key:
        return cls(source, tuple(sorted(place.hashes.items())))


def look(source: str, place: District) -> Run:
    """The district as it was, 2018 to 2024, one seed, a small share of its families."""
    return _looked(_Key.of(source, place))


@functools.lru_cache(maxsize=8)
def _looked(key: _Key) -> Run:
    from konvergensi.inputs.districts import find_district

    place = find_district(key.source)
    model = ConvergenceModel("baseline", key.source, 1, share_of(place), START, END)
    while model.running:
        model.step()
    return collect(model, {}, 0.0)


# ---- two futures -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Past:
    """The years before a policy, simulated once for each seed, and the future without it."""

    since: str
    end: str
    models: tuple[ConvergenceModel, ...]  # as they stand before `since`; never stepped themselves
    without: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Change:
    """Mean over the seeds without and with the policy, and the paired difference with its 95 % t interval."""

    without: float
    with_it: float
    difference: float
    low: float
    high: float

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def same(self) -> bool:
        """Whether nothing moved at all."""
        return self.difference == 0.0 and self.low == self.high == 0.0


@dataclass(frozen=True)
class Future:
    """What a policy changed: whole district, counts and rupiah from its first month on."""

    months: list[str]
    without: np.ndarray  # (seeds, months) prevalence, percent
    with_it: np.ndarray
    changes: dict[str, Change]
    families: int


_pasts: OrderedDict[tuple[_Key, str, str], Past] = OrderedDict()
_lock = threading.Lock()


def past(source: str, place: District, since: str, end: str) -> Past:
    """The past of a district up to `since`, kept for the next question."""
    key = (_Key.of(source, place), since, end)
    with _lock:
        if key in _pasts:
            _pasts.move_to_end(key)
            return _pasts[key]
    models, without = [], []
    for seed in SEEDS:
        model = ConvergenceModel("baseline", source, seed, share_of(place), START, end)
        while model.world.month < parse_month(since):
            model.step()
        models.append(copy.deepcopy(model))
        while model.running:
            model.step()
        without.append(measures_of(model))
    found = Past(since, end, tuple(models), tuple(without))
    with _lock:
        _pasts[key] = found
        while len(_pasts) > KEPT:
            _pasts.popitem(last=False)
    return found


def future(past: Past, policy: str) -> Future:
    """Live the same years again under a policy that changes nothing before `since`.

    Raises InputError where the policy does not fit the district, ValueError where it changes something earlier.
    """
    scenario = load_scenario(policy)
    if any(change.month < parse_month(past.since) for change in scenario.changes):
        raise ValueError(f"{policy} changes something before {past.since}")
    found = []
    for kept in past.models:
        model = copy.deepcopy(kept)
        resolved = resolve(scenario, model.place, {}, model.first_month, model.last_month)
        model.follow(scenario, resolved)
        while model.running:
            model.step()
        found.append(measures_of(model))
    return compared(past, found)


def compared(past: Past, found: list[dict[str, Any]]) -> Future:
    """Differences of the two futures, seed by seed."""
    months = found[0]["months"]
    without, with_it = (np.array([each["prevalence"] for each in of]) for of in (past.without, found))
    values = {name: [_of(name, each, past.since) for each in past.without] for name in CHANGES}
    others = {name: [_of(name, each, past.since) for each in found] for name in CHANGES}
    changes = {name: _change(np.array(values[name]), np.array(others[name])) for name in CHANGES}
    return Future(months, without, with_it, changes, len(past.models[0].world.households))


def _of(name: str, measured: Mapping[str, Any], since: str) -> float:
    """A measure at the end; what adds up over the run, from `since` on."""
    values = measured[name]
    if name in ("protected_in_time", "spent_rp"):
        before = [at for at in measured["at"] if at < since]
        return float(values[-1] - (values[len(before) - 1] if before else 0.0))
    return float(values[-1])


def _change(without: np.ndarray, with_it: np.ndarray) -> Change:
    mean, low, high = t_interval(with_it - without)
    return Change(float(without.mean()), float(with_it.mean()), mean, low, high)
