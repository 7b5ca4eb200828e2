"""Official indices and what the model can count of them (indices.toml): IKPS, village scorecard, reform actions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from konvergensi.base.errors import Fault, InputError, fault, unknown_name
from konvergensi.base.files import read_toml
from konvergensi.inputs.fields import Choice, Grade, Id, Table, Text, Words, between, validated
from konvergensi.inputs.services import Age, load_services

FILE = Path(__file__).with_name("indices.toml")
WITH_STEPS = ("deliveries", "quarter-deliveries")
WITH_SERVICES = (*WITH_STEPS, "payments")
Fit = Literal["same", "near", "none"]
# what is asked of a person or family; each is a function of observe/counted.py
What = Literal[
    "deliveries", "quarter-deliveries", "payments", "water", "latrine", "food", "nik", "breastfeeding",
    "diet-diversity", "weighing-rounds",
]  # fmt: skip
# the convergence actions of the model (mechanisms/actions.py)
Action = Literal["analysis", "plan", "rembuk", "village_rule", "coaching", "data", "measurement", "review"]


class Step(Table):
    """How many deliveries are due from an age in months on."""

    age: Age
    deliveries: Annotated[int, between(1, 72, "deliveries", whole=True)]


class Counts(Table):
    """How the model counts an indicator.

    Ages in months, of pregnant women (-9 to -1) and children, None for families; steps: deliveries due from an age on.
    """

    who: Annotated[Literal["pregnant", "children", "families"], Choice]
    from_age: Age | None = None
    to_age: Age | None = None
    need: Annotated[Literal["kek", "four-too", "stunted"] | None, Choice] = None
    what: Annotated[What, Choice]
    services: list[Id] = []
    steps: list[Step] = []


class Group(Table):
    """A dimension of an index, or a group of people it counts."""

    id: Text
    name: Words


class Indicator(Table):
    """One official indicator, what it counts officially and how the model counts it; counts None: it does not."""

    group: Text
    id: Text
    name: Words
    official: Words
    fit: Annotated[Fit, Choice]
    counts: Counts | None = None
    reason: Words
    source: Text
    grade: Annotated[Grade, Choice]


class Index(Table):
    """An index: its indicators by group, how they are put together, and where that stands."""

    name: Words
    rule: Words
    source: Text
    grade: Annotated[Grade, Choice]
    group: list[Group]
    indicator: list[Indicator]

    @property
    def counted(self) -> list[Indicator]:
        """The indicators that the model counts."""
        return [each for each in self.indicator if each.counts is not None]


class Stage(Table):
    """A main action of the reform, and which actions of the model belong to it."""

    id: Text
    name: Words
    fit: Annotated[Fit, Choice]
    actions: list[Annotated[Action, Choice]]
    reason: Words


class LeftOut(Table):
    """A part of the reform that has no number here, and why."""

    name: Words
    why: Words


class Reform(Table):
    """The main actions of the reform of 2025."""

    name: Words
    rule: Words
    source: Text
    grade: Annotated[Grade, Choice]
    stage: list[Stage]
    left_out: list[LeftOut]


class Indices(Table):
    """The whole of indices.toml."""

    ikps: Index
    scorecard: Index
    reform: Reform


@cache
def indices() -> Indices:
    """The shipped file. Raises InputError naming what is wrong with it."""
    return read_indices(read_toml(FILE), f"inputs/{FILE.name}")


def read_indices(data: dict[str, Any], where: object) -> Indices:
    """Check parsed TOML. Raises InputError with every fault: unknown keys, words and services, counts without sense."""
    found = validated(Indices, data, where)
    faults = [*_faults(found.ikps, "ikps", where), *_faults(found.scorecard, "scorecard", where)]
    for each in found.reform.stage:
        if (each.fit == "none") != (not each.actions):
            faults.append(fault(where, f"reform.stage[{each.id}].actions", "index_fit", fit=each.fit))
    if faults:
        raise InputError(faults)
    return found


def _faults(index: Index, name: str, where: object) -> Iterator[Fault]:
    groups, services = [each.id for each in index.group], load_services()
    for each in index.indicator:
        key = f"{name}.indicator[{each.id}]"
        if each.group not in groups:
            yield unknown_name(where, f"{key}.group", "group", each.group, groups)
        counts = each.counts
        if (each.fit == "none") != (counts is None):
            yield fault(where, f"{key}.counts", "index_fit", fit=each.fit)
        if counts is None:
            continue
        for service in counts.services:
            if service not in services:
                yield unknown_name(where, f"{key}.counts.services", "service", service, services)
        for field, asked in (
            ("services", counts.what in WITH_SERVICES),
            ("steps", counts.what in WITH_STEPS),
            ("from_age", counts.who != "families"),
            ("to_age", counts.who != "families"),
        ):
            if (getattr(counts, field) not in (None, [])) != asked:
                phrase = "index_asks" if asked else "index_asks_not"
                yield fault(where, f"{key}.counts.{field}", phrase, who=counts.who, asked=counts.what)
        ages = [step.age for step in counts.steps]
        if ages != sorted(set(ages)):
            yield fault(where, f"{key}.counts.steps", "index_steps")
