"""Scenarios as data: a short named difference from baseline, and what it comes to in one district."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from konvergensi.inputs.agencies import SHARE_LEVERS, YES_NO_LEVERS, opd_lever
from konvergensi.inputs.districts import District
from konvergensi.inputs.errors import Fault, InputError, fault, format_value, unknown
from konvergensi.inputs.fields import Month, Scalar, Table, Text, Words, validated
from konvergensi.inputs.files import as_toml, data_root, digest, exists, flat, is_path, locate, read_bytes
from konvergensi.inputs.months import format_month
from konvergensi.inputs.parameters import Parameter, Settings, Value, load_parameters

BUILT = (
    "growth.village_sd_z",
    "delivery.faltering_need_share",
    "delivery.no_nik_need_share",
    "delivery.household_child_share",
)


@dataclass(frozen=True, slots=True)
class Change:
    """From this month on, `key` has this value; `origin` says which file or option asked for it."""

    month: int
    key: str
    value: Value
    origin: str


@dataclass(frozen=True)
class Scenario:
    """A policy as a file says it; `changes` holds those of the scenarios it extends too, by month."""

    id: str
    title: Words
    question: Words
    extends: str | None
    changes: tuple[Change, ...]
    path: Path
    hashes: dict[str, str]


@dataclass(frozen=True)
class Resolved:
    """What a scenario comes to in a district: values at the start, dated changes after it, a log of both."""

    initial: Settings
    changes: tuple[Change, ...]
    log: list[str]


class _Change(Table):
    month: Month = Field(alias="from")
    set: dict[str, Scalar]


class _ScenarioFile(Table):
    title: Words
    question: Words
    extends: Text | None = None
    change: list[_Change] = Field(default_factory=list)


def list_scenarios() -> list[str]:
    """Return the names of the scenarios that come with the package, baseline first."""
    return sorted(_shipped(), key=lambda name: (name != "baseline", name))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a shipped scenario by name, or any TOML file, with the scenarios it extends.

    Raises InputError with every fault of the file; keys of an OPD are checked for their form only, because
    which OPD there are is the district's matter (`resolve`).
    """
    return _load(locate(name_or_path, "scenario", _shipped()), ())


def resolve(scenario: Scenario, district: District, set_: Mapping[str, Any] | None, start: int, end: int) -> Resolved:
    """Lay parameters, district, its history, the scenario and `--set` over each other, in this order.

    Parameters: set_ key -> value, in force from the start, with later dated changes of the same key left out;
    start, end months, end >= start. Changes up to `start` are part of `initial`; those after `end` go.
    Raises InputError naming every key that does not exist here and every value out of range.
    """
    if end < start:
        raise InputError(
            fault("", "end", "before", value=format_month(end), first=format_month(start), first_key="start")
        )
    set_ = dict(set_ or {})
    known = district.parameters()
    here = f"district {district.id}"
    layers = [Change(start, key, each.value, here) for key, each in district.overrides.items()]
    dated: dict[tuple[int, str], Change] = {}
    for event in district.timeline:
        dated |= {(event.month, key): Change(event.month, key, value, here) for key, value in event.set.items()}
    dated |= {(change.month, change.key): change for change in scenario.changes}
    layers += sorted((each for each in dated.values() if each.key not in set_), key=lambda change: change.month)
    layers += [Change(start, key, value, "--set") for key, value in set_.items()]

    faults = [wrong for each in layers if (wrong := _wrong(each, known))]
    faults += [
        fault(each.origin, each.key, "built")
        for each in dated.values()
        if each.key in known and _read_when_built(each.key)
    ]
    if faults:
        raise InputError(faults)
    layers = [Change(each.month, each.key, known[each.key].checked(each.value), each.origin) for each in layers]
    initial = {key: parameter.value for key, parameter in known.items()}
    log = _apply([each for each in layers if each.month <= start], initial, start)
    later = [each for each in layers if start < each.month <= end]
    log += _apply(later, dict(initial), start)
    log += [f"{_line(each)} (after the end, left out)" for each in layers if each.month > end]
    return Resolved(Settings(initial, known), tuple(later), log)


def _apply(changes: list[Change], values: dict[str, Value], start: int) -> list[str]:
    """Write the changes into `values` and return one line `old -> new` for each."""
    log = []
    for each in changes:
        old = values[each.key]
        values[each.key] = each.value
        log.append(_line(each, f"{format_value(old)} -> ", max(each.month, start)))
    return log


def _line(change: Change, old: str = "", month: int | None = None) -> str:
    when = format_month(change.month if month is None else month)
    return f"{when} {change.key}: {old}{format_value(change.value)} ({change.origin})"


def _read_when_built(key: str) -> bool:
    """Whether a value only counts when households, villages and first budgets are made: a date would change nothing."""
    if key.startswith("population."):
        return key != "population.wealth_persistence"
    return key in BUILT


def _wrong(change: Change, known: Mapping[str, Parameter]) -> Fault | None:
    if change.key not in known:
        return unknown(change.origin, change.key, change.key, known)
    return known[change.key].fault_in(change.value, change.origin)


def _shipped() -> dict[str, Path]:
    return {path.stem: path for path in sorted(data_root().glob("policies/*.toml"))}


def _load(path: Path, chain: tuple[str, ...]) -> Scenario:
    content = read_bytes(path)
    if os.path.realpath(path) in chain:
        names = [Path(each).stem for each in (*chain, os.path.realpath(path))]
        raise InputError(fault(path, "extends", "cycle", chain=" -> ".join(names)))
    data = as_toml(content, path)
    for change in data["change"] if isinstance(data.get("change"), list) else []:
        if isinstance(change, dict) and isinstance(change.get("set"), dict):
            change["set"] = flat(change["set"], path, "change.set")
    read = validated(_ScenarioFile, data, path)
    own = _changes(read, path)
    inherited: dict[tuple[int, str], Change] = {}
    hashes = {f"{path.absolute().parent.name}/{path.name}": digest(content)}
    if read.extends is not None:
        parent = _load(_parent(read.extends, path), (*chain, os.path.realpath(path)))
        inherited = {(each.month, each.key): each for each in parent.changes}
        hashes = parent.hashes | hashes
    merged = inherited | {(each.month, each.key): each for each in own}
    changes = tuple(sorted(merged.values(), key=lambda change: change.month))
    return Scenario(path.stem, read.title, read.question, read.extends, changes, path, hashes)


def _parent(extends: str, path: Path) -> Path:
    """Find the scenario a file extends: beside it, else among the shipped ones."""
    beside = path.parent / (extends if extends.endswith(".toml") else f"{extends}.toml")
    shipped = _shipped()
    if exists(beside) and (os.path.realpath(beside) != os.path.realpath(path) or extends not in shipped):
        return beside
    if is_path(extends):
        raise InputError(fault(path, "extends", "no_file"))
    return locate(extends, "scenario", shipped, f"{path}: extends")


def _changes(read: _ScenarioFile, path: Path) -> list[Change]:
    """Return the file's own changes. Raises InputError for unknown keys, bad values, repeated keys."""
    parameters = load_parameters()
    found: dict[tuple[int, str], Change] = {}
    faults: list[Fault] = []
    for entry in read.change:
        when = format_month(entry.month)
        for key, value in entry.set.items():
            place = f"change[{when}].set.{key}"
            known = parameters | _any_opd(key)
            if (entry.month, key) in found:
                faults.append(fault(path, place, "twice", month=when))
            if key not in known:
                faults.append(unknown(path, place, key, known))
            elif wrong := known[key].fault_in(value):
                faults.append(fault(path, place, wrong.phrase, **wrong.words))
            else:
                found[entry.month, key] = Change(entry.month, key, known[key].checked(value), path.name)
    if faults:
        raise InputError(faults)
    return list(found.values())


def _any_opd(key: str) -> dict[str, Parameter]:
    """Return the parameters `opd.<id>.<field>` for the OPD a key speaks of, whichever it is."""
    room, _, rest = key.partition(".")
    opd, _, field = rest.partition(".")
    if room != "opd" or not field:
        return {}
    levers = [opd_lever(opd, each, 0.0, opd, "", "") for each in SHARE_LEVERS]
    levers += [opd_lever(opd, each, False, opd, "", "") for each in YES_NO_LEVERS]
    return {lever.key: lever for lever in levers}
