"""Barriers of the field studies as experiments: what is switched, what is measured, in which district.

docs/barriers.toml holds a table for each barrier of evidence/barriers.csv (some have two). `live` runs one side of it:
the same district, seed and draws, with only the named parameters set. A `background` is set on both sides, where what a
barrier does can only be seen together with something else. Values hold from the first month of the run; with `always`,
from the beginning of the burn-in (dated changes of the same key are then left out too). What is measured is in
scripts/barrier_measures.py. For tests/test_barriers.py and scripts/make_barriers.py.
"""

from __future__ import annotations

import copy
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from barrier_measures import MEASURES

from konvergensi.base.months import parse_month
from konvergensi.inputs.changes import Change
from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.fields import Words
from konvergensi.inputs.scenarios import Resolved, Scenario, load_scenario, resolve
from konvergensi.model.convergence import ConvergenceModel

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "barriers.toml"
START = "2018-01"
SIDES = ("with", "without")
EVERY_OPD = "opd.*."  # `opd.*.ego` stands for that field of every agency of the district

Value = Any
Pairs = tuple[tuple[Any, Value], ...]
Values = Mapping[str, Value]  # key -> value, or key -> {month: value} where it changes in the run


@dataclass(frozen=True)
class Barrier:
    """One barrier as an experiment. `higher`: whether the measure is higher with the barrier than without it."""

    id: str
    slug: str
    words: Mapping[str, str]  # en, id: what the study said
    mechanism: tuple[str, ...]  # room.function, in sim/konvergensi/mechanisms
    measure: str
    higher: bool
    sides: Mapping[str, Values] = field(repr=False)
    background: Values = field(repr=False)
    always: bool

    @property
    def name(self) -> str:
        """`B04-same-person`, as in the name of its test."""
        return f"{self.id}-{self.slug}"

    @property
    def test(self) -> str:
        """Where the test of it is."""
        return f"test_barrier[{self.name}]"

    def values(self, side: str) -> dict[str, Value]:
        """What is set on one side, background included."""
        return {**self.background, **self.sides[side]}


def load(path: Path = TABLE) -> list[Barrier]:
    """Every barrier, in the order of the file.

    Raises KeyError where a table lacks something, ValueError for a direction or measure that there is not.
    """
    found = []
    for each in tomllib.loads(path.read_text(encoding="utf-8"))["barrier"]:
        if each["direction"] not in ("higher", "lower"):
            raise ValueError(f"{path.name}: {each['id']}: direction {each['direction']!r} is neither higher nor lower")
        if each["measure"] not in MEASURES:
            raise ValueError(f"{path.name}: {each['id']}: there is no measure {each['measure']!r}")
        found.append(
            Barrier(
                id=each["id"],
                slug=each["slug"],
                words={"en": each["en"], "id": each["arti"]},
                mechanism=tuple(each["mechanism"]),
                measure=each["measure"],
                higher=each["direction"] == "higher",
                sides={side: each[side] for side in SIDES},
                background=each.get("background", {}),
                always=each.get("always", False),
            )
        )
    return found


# ---- running ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a barrier is tried: a district by name or path, how much of it, and until when."""

    district: str
    share: float
    end: str


def live(barrier: Barrier, side: str, place: Place, seed: int) -> ConvergenceModel:
    """A model that has simulated all its months on one side of a barrier; only to be read, because others get the same.

    Two sides, of one barrier or two, that come to the same values are one and the same model.
    """
    return _kept(place, seed, *told(barrier, side, district(place.district)))


district = functools.cache(find_district)


def told(barrier: Barrier, side: str, where: District) -> tuple[Pairs, Pairs]:
    """What is set from the beginning, ((key, value), ...), and from some month on, (((month, key), value), ...).

    A value that the district has anyway, and keeps, is left out.
    """
    values = spelt_out(barrier.values(side), where)
    by_month = {(month, key): value for key, given in values.items() for month, value in _by_month(given).items()}
    first, history = _own(where)
    anyway = {at for at, value in by_month.items() if at[0] == START and value == first[at[1]] and at[1] not in history}
    by_month = {at: value for at, value in by_month.items() if at not in anyway}
    start = {key: value for (month, key), value in by_month.items() if month == START and barrier.always}
    steps = {at: value for at, value in by_month.items() if at[1] not in start}
    return tuple(sorted(start.items())), tuple(sorted(steps.items()))


@functools.cache
def _own(where: District) -> tuple[Values, set[str]]:
    """The district's own values in the first month, and the keys that its history changes at some time."""
    month = parse_month(START)
    history = {key for event in where.timeline for key in event.set}
    return resolve(_baseline(), where, None, month, month).initial.as_dict(), history


def spelt_out(values: Values, where: District) -> dict[str, Value]:
    """Values with `opd.*.` written out for every agency of the district."""
    found: dict[str, Value] = {}
    for key, value in values.items():
        if key.startswith(EVERY_OPD):
            found |= {f"opd.{opd.id}.{key.removeprefix(EVERY_OPD)}": value for opd in where.opd}
        else:
            found[key] = value
    return found


_baseline = functools.cache(lambda: load_scenario("baseline"))


def _by_month(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {START: value}


def simulated(place: Place, seed: int, start: Pairs, steps: Pairs) -> ConvergenceModel:
    """A model that has simulated all its months under what `told` returns."""
    model = with_changes(_past(place, seed, start), start, steps)
    while model.running:
        model.step()
    return model


_kept = functools.lru_cache(maxsize=128)(simulated)  # of the small district; Lebak's would fill the memory


@functools.lru_cache(maxsize=6)
def _past(place: Place, seed: int, start: Pairs) -> ConvergenceModel:
    """A model at its first month; its past is the same for all that differ only from then on."""
    return ConvergenceModel(
        "baseline", place.district, seed, place.share, START, place.end, set=dict(start) if start else None
    )


def with_changes(past: ConvergenceModel, start: Pairs, steps: Pairs) -> ConvergenceModel:
    """A copy of a model at its first month, with dated changes as if a scenario had made them."""
    model = copy.deepcopy(past)
    model.begin(model.policy, resolved(model.place, start, steps, model.first_month, model.last_month))
    return model


def resolved(where: District, start: Pairs, steps: Pairs, first: int, last: int) -> Resolved:
    """Settings in the first month and dated changes after it, in months first..last, of what `told` returns."""
    changes = tuple(Change(parse_month(month), key, value, "barrier") for (month, key), value in steps)
    base, words = _baseline(), Words(en="barrier", id="hambatan")
    scenario = Scenario("barrier", words, words, "baseline", changes, base.path, base.hashes)
    return resolve(scenario, where, dict(start), first, last)
