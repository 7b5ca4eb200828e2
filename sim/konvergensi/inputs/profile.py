"""One folder's district.toml: its tables, read as far as they are right although others are wrong.

So that a planner hears of every fault at once, each entry is checked by itself: what is wrong becomes a fault, what is
right is checked further. Districts are put together from profiles in inputs/districts.py.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from konvergensi.base.errors import Fault, InputError, fault, nearest, unknown
from konvergensi.base.files import as_toml, flat
from konvergensi.base.months import format_month
from konvergensi.inputs.changes import Change, ramp_end
from konvergensi.inputs.country import districts as country_districts
from konvergensi.inputs.country_profiles import content_of
from konvergensi.inputs.fields import (
    AnyNumber,
    Choice,
    Grade,
    Month,
    Scalar,
    Table,
    Text,
    Words,
    between,
    entries,
    keys_at,
    number_fault,
    right,
    tables,
    validated,
)

REQUIRED = (
    "families",
    "births_per_year",
    "no_latrine_share",
    "no_water_share",
    "four_too_share",
    "kek_share",
    "food_insecure_share",
    "dtks_share",
    "nik_share",
)
OPTIONAL = ("persons", "poverty_share", "village_fund_rp")  # the first two are context for the reader
KNOWN = REQUIRED + OPTIONAL


class Quantity(Table):
    """One published or assumed total of the district."""

    value: AnyNumber
    unit: Text
    source: Text
    grade: Annotated[Grade, Choice]
    low: AnyNumber | None = None
    high: AnyNumber | None = None


class Override(Table):
    """A parameter's value in this district."""

    value: Scalar
    source: Text
    grade: Annotated[Grade, Choice]


class Event(Table):
    """A dated change that belongs to the district's history; with `until`, a ramp."""

    month: Month = Field(alias="from")
    until: Month | None = None
    set: dict[str, Scalar]
    reason: Words

    def changes(self, origin: str) -> list[Change]:
        """Return one change for each key."""
        until = ramp_end(self.month, self.until)
        return [Change(self.month, key, value, origin, until) for key, value in self.set.items()]


class Survey(Table):
    """A survey that goes to the field here; clusters are census blocks."""

    system: Annotated[Literal["Riskesdas", "SSGBI", "SSGI", "SKI"], Choice]
    fieldwork: Month
    published: Month
    clusters: Annotated[int, between(1, 1000, "clusters", whole=True)]
    children_per_cluster: Annotated[int, between(1, 500, "children", whole=True)]
    source: Text
    grade: Annotated[Grade, Choice]


class DistrictFile(Table):
    """The whole of district.toml. What is not there may come from the district it extends."""

    extends: Text | None = None
    area: Text | None = None  # official code of the district it stands for, whose fitted level it takes: "32.11"
    name: Text
    province: Text
    kind: Annotated[Literal["kabupaten", "kota"], Choice]
    notes: Words
    synthetic: list[Text] = Field(default_factory=list)
    population: dict[str, Quantity] = Field(default_factory=dict)
    set: dict[str, Override] = Field(default_factory=dict)
    timeline: list[Event] = Field(default_factory=list)
    survey: list[Survey] = Field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Profile:
    """One district.toml as far as it is right; `faults` says what is wrong with it.

    Parameters: main None when there is any fault; extends as written, None when nothing usable is; whole False when
    it is unknown what the file means to extend; written the names in [population], right or wrong, None when
    [population] is no table.
    """

    path: Path
    content: bytes
    main: DistrictFile | None
    extends: str | None
    whole: bool
    written: frozenset[str] | None
    population: dict[str, Quantity]
    overrides: dict[str, Override]
    timeline: tuple[Event, ...]
    surveys: tuple[Survey, ...]
    faults: tuple[Fault, ...]


def read_profile(path: Path) -> Profile:
    """Read a district.toml. Raises InputError only when it cannot be read as TOML at all."""
    return _read_profile(content_of(path), path)


@functools.lru_cache(maxsize=16)  # read again by every run of a district and of those that extend it
def _read_profile(content: bytes, path: Path) -> Profile:
    data = as_toml(content, path)
    faults = _flatten(data, path)
    main: DistrictFile | None = None
    try:
        main = validated(DistrictFile, data, path)
    except InputError as error:
        faults += error.faults
    totals = tables(data, "population")
    faults += [unknown(path, f"population.{name}", name, KNOWN) for name in totals if name not in KNOWN]
    outside = {name: _total_faults(name, total, path) for name, total in totals.items() if name in KNOWN}
    faults += [wrong for each in outside.values() for wrong in each]
    area = data.get("area")
    if isinstance(area, str) and area.strip() and area not in country_districts().index:
        faults.append(fault(path, "area", "no_area", value=area, near=None))
    surveys = tuple(right(Survey, entries(data, "survey")).values())
    faults += [wrong for survey in surveys for wrong in _survey_faults(survey, path)]
    extends = data.get("extends")
    named = isinstance(extends, str) and bool(extends.strip())
    known = keys_at(DistrictFile, ())
    misspelt = any(nearest(key, known) == "extends" for key in data if key not in known)
    return Profile(
        path=path,
        content=content,
        main=None if faults else main,
        extends=str(extends) if named else None,
        whole=named or (extends is None and not misspelt),
        written=frozenset(totals) if isinstance(data.get("population", {}), dict) else None,
        population={name: total for name, total in right(Quantity, totals).items() if outside.get(name) == []},
        overrides=_overrides(tables(data, "set")),
        timeline=tuple(right(Event, entries(data, "timeline")).values()),
        surveys=surveys,
        faults=tuple(faults),
    )


def _flatten(data: dict[str, Any], path: Path) -> list[Fault]:
    """Write the keys of [set] and of the timeline with dots (in place); a table that sets a key twice is taken out."""
    faults: list[Fault] = []
    if isinstance(data.get("set"), dict):
        try:
            data["set"] = flat(data["set"], path, "set", leaf="value")
        except InputError as error:
            faults += error.faults
            del data["set"]
    for event in data["timeline"] if isinstance(data.get("timeline"), list) else []:
        if isinstance(event, dict) and isinstance(event.get("set"), dict):
            try:
                event["set"] = flat(event["set"], path, "timeline.set")
            except InputError as error:
                faults += error.faults
                event["set"] = {}
    return faults


def _overrides(written: dict[str, Any]) -> dict[str, Override]:
    """Own values, also those without a source: what is missing has been said, the value is still to be checked."""
    bare = {
        key: Override.model_construct(value=each["value"], source="", grade="assumption")
        for key, each in written.items()
        if isinstance(each, dict) and isinstance(each.get("value"), (bool, int, float, str))
    }
    return bare | right(Override, written)


def _total_faults(name: str, written: Any, path: Path) -> list[Fault]:
    """Say which numbers of one total are out of range, whatever else it lacks: *_share is 0 to 1, others are counts."""
    if not isinstance(written, dict):
        return []
    given: dict[str, Any] = {part: written[part] for part in ("value", "low", "high") if part in written}
    # what is no number, or none that any total could be, has been said already
    numbers = {part: each for part, each in given.items() if type(each) in (int, float) and abs(each) <= 1e18}
    if name.endswith("_share"):
        low, high, unit = 0.0, 1.0, "share"
    else:
        low, high, unit = 1.0, 1e14 if name.endswith("_rp") else 1e9, str(written.get("unit", ""))
    faults = []
    for part, number in numbers.items():
        if wrong := number_fault(number, low, high, unit, whole=False):
            faults.append(fault(path, f"population.{name}.{part}", wrong[0], **wrong[1]))
    if not faults and "value" in numbers:
        value = numbers["value"]
        least, most = numbers.get("low", value), numbers.get("high", value)
        if not least <= value <= most:
            faults.append(fault(path, f"population.{name}", "low_above_high", value=value, low=least, high=most))
    return faults


def _survey_faults(survey: Survey, path: Path) -> list[Fault]:
    if survey.published >= survey.fieldwork:
        return []
    words = {"value": format_month(survey.published), "first": format_month(survey.fieldwork)}
    return [fault(path, f"survey[{survey.system}].published", "before", first_key="fieldwork", **words)]
