"""Districts as data: district.toml (totals, own values, history, surveys), villages.csv, opd.toml."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from konvergensi.inputs.agencies import Opd, Programme, duplicates, opd_parameters, read_opd
from konvergensi.inputs.changes import Change, inside_fault, inside_ramps, ramp_end, ramp_fault, until_fault
from konvergensi.inputs.errors import Fault, InputError, fault, nearest, unknown
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
    number_fault,
    validated,
)
from konvergensi.inputs.files import as_toml, collect, data_root, digest, exists, flat, locate, read_bytes
from konvergensi.inputs.months import format_month
from konvergensi.inputs.parameters import Parameter, load_parameters
from konvergensi.inputs.villages import read_villages

FILES = ("district.toml", "villages.csv", "opd.toml")
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


class _DistrictFile(Table):
    name: Text
    province: Text
    kind: Annotated[Literal["kabupaten", "kota"], Choice]
    notes: Words
    synthetic: list[Text] = Field(default_factory=list)
    population: dict[str, Quantity]
    set: dict[str, Override] = Field(default_factory=dict)
    timeline: list[Event] = Field(default_factory=list)
    survey: list[Survey] = Field(default_factory=list)


@dataclass(frozen=True, eq=False)
class District:
    """One district, checked. `villages` has one row per village: see inputs/villages.py for its columns."""

    id: str
    name: str
    province: str
    kind: str
    notes: Words
    synthetic: tuple[str, ...]
    population: dict[str, Quantity]
    overrides: dict[str, Override]
    timeline: tuple[Event, ...]
    surveys: tuple[Survey, ...]
    villages: pd.DataFrame
    opd: tuple[Opd, ...]
    programmes: tuple[Programme, ...]
    path: Path
    hashes: dict[str, str]

    def parameters(self) -> dict[str, Parameter]:
        """Return every key a scenario may set here: the model's parameters and `opd.<id>.<field>`."""
        return load_parameters() | opd_parameters(self.opd)


def list_districts() -> list[str]:
    """Return the ids of the districts that come with the package."""
    return sorted(_shipped())


def find_district(name_or_path: str | Path) -> District:
    """Read a shipped district by its id, or any folder with the three files.

    Raises InputError with every fault of the three files, each naming file, key, value and what is allowed.
    """
    path = locate(name_or_path, "district", _shipped())
    return load_district(path if os.path.isdir(path) else path.parent)


def load_district(folder: Path) -> District:
    """Read and check the district in a folder. Raises InputError with every fault found."""
    paths = [folder / name for name in FILES]
    if not exists(paths[0]):
        raise InputError(fault(paths[0], "", "no_file"))
    contents = collect(functools.partial(read_bytes, path) for path in paths)
    main, villages, agencies = collect(
        functools.partial(read, content, path)
        for read, content, path in zip((_read_main, read_villages, read_opd), contents, paths)
    )
    _check_keys(main, opd_parameters(agencies.opd), paths[0])
    _check_families(main, villages, paths[0])
    return District(
        id=Path(os.path.realpath(folder)).name,
        name=main.name,
        province=main.province,
        kind=main.kind,
        notes=main.notes,
        synthetic=_synthetic(main, villages),
        population=main.population,
        overrides=main.set,
        timeline=tuple(sorted(main.timeline, key=lambda event: event.month)),
        surveys=tuple(main.survey),
        villages=villages,
        opd=tuple(agencies.opd),
        programmes=tuple(agencies.programme),
        path=folder,
        hashes={path.name: digest(content) for path, content in zip(paths, contents)},
    )


def _shipped() -> dict[str, Path]:
    return {path.parent.name: path.parent for path in sorted(data_root().glob("districts/*/district.toml"))}


def _read_main(content: bytes, path: Path) -> _DistrictFile:
    data = as_toml(content, path)
    if isinstance(data.get("set"), dict):
        data["set"] = flat(data["set"], path, "set", leaf="value")
    for event in data["timeline"] if isinstance(data.get("timeline"), list) else []:
        if isinstance(event, dict) and isinstance(event.get("set"), dict):
            event["set"] = flat(event["set"], path, "timeline.set")
    main = validated(_DistrictFile, data, path)
    faults = [*_population_faults(main.population, path)]
    for survey in main.survey:
        if survey.published < survey.fieldwork:
            key = f"survey[{survey.system}].published"
            words = {"value": format_month(survey.published), "first": format_month(survey.fieldwork)}
            faults.append(fault(path, key, "before", first_key="fieldwork", **words))
    if faults:
        raise InputError(faults)
    return main


def _population_faults(population: dict[str, Quantity], path: Path) -> list[Fault]:
    """Say what is missing, unknown or out of range in [population]: *_share is 0 to 1, others are counts."""
    strange = [name for name in population if name not in REQUIRED + OPTIONAL]
    faults = [unknown(path, f"population.{name}", name, REQUIRED + OPTIONAL) for name in strange]
    for name in REQUIRED:
        if name not in population:
            near = nearest(name, strange)
            expected = f"{name} = {{ value = ..., unit = ... }}" + (f" (not {near})" if near else "")
            faults.append(fault(path, f"population.{name}", "missing", expected=expected))
    for name, quantity in population.items():
        most = 1e14 if name.endswith("_rp") else 1e9
        low, high, unit = (0, 1, "share") if name.endswith("_share") else (1, most, quantity.unit)
        for part in ("value", "low", "high"):
            given = getattr(quantity, part)
            wrong = None if given is None else number_fault(given, low, high, unit, whole=False)
            if wrong:
                faults.append(fault(path, f"population.{name}.{part}", wrong[0], **wrong[1]))
        least = quantity.value if quantity.low is None else quantity.low
        most = quantity.value if quantity.high is None else quantity.high
        if not least <= quantity.value <= most:
            words = {"value": quantity.value, "low": least, "high": most}
            faults.append(fault(path, f"population.{name}", "low_above_high", **words))
    return faults


def _check_families(main: _DistrictFile, villages: pd.DataFrame, path: Path) -> None:
    """Raise InputError when the villages' families do not add up to the district's: money would be sized wrongly."""
    total, found = main.population["families"].value, int(villages["families"].sum())
    if abs(found - total) > 0.01 * total:
        raise InputError(fault(path, "population.families", "families_sum", value=found, total=f"{total:g}"))


def _synthetic(main: _DistrictFile, villages: pd.DataFrame) -> tuple[str, ...]:
    """Inputs to name as synthetic in every output; for villages the table itself decides."""
    named = [name for name in main.synthetic if name != "villages"]
    return (*(["villages"] if villages["synthetic"].any() else []), *named)


def _check_keys(main: _DistrictFile, opd: dict[str, Parameter], path: Path) -> None:
    """Check every key and value of [set] and the timeline against the parameters. Raises InputError."""
    known = load_parameters() | opd
    given: list[tuple[str, str, Any, int | None]] = [("set", key, each.value, None) for key, each in main.set.items()]
    faults: list[Fault] = []
    for event in main.timeline:
        place = f"timeline[{format_month(event.month)}]"
        faults += until_fault(path, f"{place}.until", event.month, event.until)
        given += [(f"{place}.set", key, value, event.until) for key, value in event.set.items()]
    for place, key, value, until in given:
        if key not in known:
            faults.append(unknown(path, f"{place}.{key}", key, known))
        elif wrong := known[key].fault_in(value, path) or ramp_fault(known[key], value, until):
            faults.append(fault(path, f"{place}.{key}", wrong.phrase, **wrong.words))
    moments = [f"{format_month(event.month)} {key}" for event in main.timeline for key in event.set]
    faults += duplicates(moments, path, "timeline")
    history = [change for event in main.timeline for change in event.changes(path.name)]
    for ramp, other in inside_ramps(history):
        faults.append(inside_fault(path, f"timeline[{format_month(other.month)}].set.{other.key}", ramp, other))
    if faults:
        raise InputError(faults)
