"""Scenarios as data: a short named difference from baseline, and what it comes to in one district.

Scenarios combine: `one-list+early-planning` holds the changes of both.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from konvergensi.base.errors import Fault, InputError, fault, format_value, nearest, shown, unknown
from konvergensi.base.files import as_toml, collect, data_root, digest, exists, flat, is_path, locate, read_bytes
from konvergensi.base.months import format_month, is_relative, parse_month, parse_when
from konvergensi.inputs.agencies import any_line, any_opd
from konvergensi.inputs.changes import Change, inside_fault, inside_ramps, ramp_end, ramp_fault, until_fault
from konvergensi.inputs.districts import District
from konvergensi.inputs.fields import Choice, Scalar, Table, Text, Told, When, Words, entries, right, validated
from konvergensi.inputs.money import BudgetEvents, MoneyEvent, as_changes, events_of
from konvergensi.inputs.parameters import Parameter, Settings, Value, load_parameters


@dataclass(frozen=True)
class Scenario:
    """A policy as a file says it; `changes` holds those of the scenarios it extends too, by month, ramps as ramps.

    Of a combination, `path` is the first member's and `extends` None.
    """

    id: str
    title: Words
    question: Words
    extends: str | None
    changes: tuple[Change, ...]
    path: Path
    hashes: dict[str, str]
    money: tuple[MoneyEvent, ...] = ()  # those of the file and of what it extends; `changes` holds what they come to
    kind: str | None = None  # event: it happens to a district and is never recommended; policy: it can be chosen


@dataclass(frozen=True)
class Resolved:
    """What a scenario comes to in a district: values at the start, dated changes after it, a log of both.

    In `changes` a ramp is one change for each month in which its value moves; in `log` it is one line.
    """

    initial: Settings
    changes: tuple[Change, ...]
    log: list[str]


class _Change(Table):
    month: When = Field(alias="from")
    until: When | None = None
    set: dict[str, Scalar]


class _ScenarioFile(Table):
    title: Told
    question: Told
    extends: Text | None = None
    kind: Annotated[Literal["policy", "event"], Choice] | None = None
    change: list[_Change] = Field(default_factory=list)
    budget: BudgetEvents = Field(default_factory=BudgetEvents)


def list_scenarios() -> list[str]:
    """Return the names of the scenarios that come with the package, baseline first."""
    return sorted(_shipped(), key=lambda name: (name != "baseline", name))


def load_scenario(name_or_path: str | Path) -> Scenario:
    """Read a shipped scenario by name, or any TOML file, with the scenarios it extends; `a+b` is both together.

    `a@2026-01` is the same scenario with its first change in that month (`begun`).

    Raises InputError with every fault of the file; keys of an OPD are checked for their form only, because
    which OPD there are is the district's matter (`resolve`). Scenarios that differ on one key at one time are
    not combined.
    """
    names = _members(name_or_path)
    if len(names) == 1:
        name, month = _begins(names[0])
        read = _load(locate(name, "scenario", _shipped()), ())
        return read if month is None else begun(read, month)
    return _combined(dict(zip(names, collect(functools.partial(load_scenario, name) for name in names))))


def begun(scenario: Scenario, month: int) -> Scenario:
    """The scenario with its first change in a month, and all others as long after it as they were; named `a@2026-01`.

    One that changes nothing is left as it is.
    """
    if not scenario.changes:
        return scenario
    later = month - min(change.month for change in scenario.changes)
    name = format_month(month)

    def moved(at: int | None) -> int | None:
        return None if at is None else at + later

    changes = tuple(replace(each, month=each.month + later, until=moved(each.until)) for each in scenario.changes)
    money = tuple(replace(each, first=each.first + later, last=moved(each.last)) for each in scenario.money)
    titles = {lang: f"{scenario.title[lang]} ({name})" for lang in ("en", "id")}
    return replace(
        scenario,
        id=f"{scenario.id}@{name}",
        title=Words(**titles),
        changes=changes,
        money=money,
        hashes={file: digest(f"{content}@{name}".encode()) for file, content in scenario.hashes.items()},
    )


def starting(names: Iterable[str], month: str | None) -> list[str]:
    """The names of these scenarios, each to begin in a month (`2026-01`, `next January`); as they are without one.

    Those that change nothing, or name a month of their own, keep it. Raises InputError for what is no month.
    """
    if month is None:
        return [str(name) for name in names]
    at = format_month(parse_when(month, "--policies-from"))
    found = []
    for name in names:
        members = [str(each) for each in _members(name)]
        of_own = [_begins(each)[1] is not None or not load_scenario(each).changes for each in members]
        found.append("+".join(each if own else f"{each}@{at}" for each, own in zip(members, of_own)))
    return found


def _begins(name: str | Path) -> tuple[str | Path, int | None]:
    """Take the month off `a@2026-01`; an @ in the name of a file that exists is part of it."""
    text, _, month = str(name).rpartition("@")
    if not text or exists(Path(name)):
        return name, None
    return text, parse_month(month, str(name))


def is_combination(name_or_path: str | Path) -> bool:
    """Tell whether several scenarios are named, as in `one-list+early-planning`."""
    return len(_members(name_or_path)) > 1


def resolve(scenario: Scenario, district: District, set_: Mapping[str, Any] | None, start: int, end: int) -> Resolved:
    """Lay parameters, district, its history, the scenario and `--set` over each other, in this order.

    Parameters: set_ key -> value, in force from the start, with later dated changes of the same key left out;
    start, end months, end >= start. Changes up to `start` are part of `initial`; those after `end` go.
    A ramp begins from the value in force before it, and ends where the next change of its key begins.
    Raises InputError naming every key that does not exist here, every value out of range, and history that
    falls inside a ramp of the scenario.
    """
    if end < start:
        raise InputError(
            fault("", "--end", "before", value=format_month(end), first=format_month(start), first_key="--start")
        )
    set_ = dict(set_ or {})
    known = district.parameters()
    here = f"district {district.id}"
    layers = [Change(start, key, each.value, here) for key, each in district.overrides.items()]
    history = [change for event in district.timeline for change in event.changes(here)]
    dated = {(change.month, change.key): change for change in (*history, *scenario.changes)}
    layers += sorted((each for each in dated.values() if each.key not in set_), key=lambda change: change.month)
    layers += [Change(start, key, value, "--set") for key, value in set_.items()]

    wrong = [found for each in layers if (found := _wrong(each, known))]
    faults = list({each.text(): each for each in wrong}.values())  # the start and the end of an event are one fault
    faults += [
        fault(each.origin, each.key, "built")
        for each in dated.values()
        if each.key in known and known[each.key].read == "start"
    ]
    # a policy may take over from a ramp of the district's history; history may not break into a policy's ramp
    faults += [
        inside_fault(ramp.origin, ramp.key, ramp, other)
        for ramp, other in inside_ramps(each for each in dated.values() if each.key not in set_)
        if ramp.origin != here and other.origin == here
    ]
    if faults:
        raise InputError(faults)
    layers = [replace(each, value=known[each.key].checked(each.value)) for each in layers]
    initial = {key: parameter.value for key, parameter in known.items()}
    steps, log = _apply(sorted(layers, key=lambda change: max(change.month, start)), dict(initial), start, end)
    initial |= {each.key: each.value for each in steps if each.month <= start}
    later = sorted((each for each in steps if start < each.month <= end), key=lambda change: change.month)
    return Resolved(Settings(initial, known), tuple(later), log)


def _apply(layers: list[Change], values: dict[str, Value], start: int, end: int) -> tuple[list[Change], list[str]]:
    """Write the changes into `values`, one after the other; return their monthly steps and a line for each change."""
    steps: list[Change] = []
    log = []
    for number, each in enumerate(layers):
        if each.month > end:
            log.append(f"{each.span} {each.key}: {format_value(each.value)} ({each.origin}) (after the end, left out)")
            continue
        old = values[each.key]
        path = each.steps(old)
        if each.until is not None:
            taken_over = next((other.month for other in layers[number + 1 :] if other.key == each.key), end + 1)
            path = [step for step in path if step.month < min(taken_over, end + 1)]
            log.append(_ramp_line(each, old, path, start, min(each.until, taken_over - 1, end)))
        else:
            when = format_month(max(each.month, start))
            log.append(f"{when} {each.key}: {format_value(old)} -> {format_value(each.value)} ({each.origin})")
        values[each.key] = path[-1].value if path else old
        steps += path
    return steps, log


def _ramp_line(ramp: Change, old: Value, path: list[Change], start: int, last: int) -> str:
    """Say `old -> new` of a ramp, and where it stood when the run began and where it was left, if on the way."""
    on_the_way = [last] if start <= ramp.month else [min(start, last), last]
    notes = ""
    for month in dict.fromkeys(each for each in on_the_way if each < ramp.last):
        reached = next((step.value for step in reversed(path) if step.month <= month), old)
        notes += f"; {format_value(reached)} at {format_month(month)}"
    return f"{ramp.span} {ramp.key}: {format_value(old)} -> {format_value(ramp.value)} ({ramp.origin}{notes})"


def _wrong(change: Change, known: Mapping[str, Parameter]) -> Fault | None:
    if change.key not in known:
        if change.key.startswith("programmes."):
            return _no_line(change, known)
        return unknown(change.origin, change.key, change.key, known)
    return known[change.key].fault_in(change.value, change.origin)


def _no_line(change: Change, known: Mapping[str, Parameter]) -> Fault:
    """Say that the district has no such budget line, and which ones it has for the service."""
    line = change.key.removeprefix("programmes.").rpartition(".")[0]
    of_lines = (key.removeprefix("programmes.") for key in known if key.startswith("programmes."))
    lines = sorted({key.rpartition(".")[0] for key in of_lines})
    service = line.split(":")[1] if line.count(":") == 2 else ""
    same = [each for each in lines if each.split(":")[1] == service] or lines
    return fault(change.origin, "budget", "no_line", value=line, choices=", ".join(same), near=nearest(line, lines))


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
    read, own = collect(
        [
            functools.partial(validated, _ScenarioFile, data, path),
            functools.partial(_changes, right(_Change, entries(data, "change")).values(), path),
        ]
    )
    money = tuple(events_of(read.budget, path))
    merged = {(each.month, each.key): each for each in own}
    hashes = {f"{path.absolute().parent.name}/{path.name}": digest(content + _counted_from(data, own, money))}
    if read.extends is not None:
        parent = _load(_parent(read.extends, path), (*chain, os.path.realpath(path)))
        merged = {(each.month, each.key): each for each in _without_money(parent)} | merged
        hashes, money = parent.hashes | hashes, parent.money + money
    merged = _with_money(merged, money, path)
    if inside := inside_ramps(merged.values()):
        raise InputError(inside_fault(path, _place(other.month, other.key), ramp, other) for ramp, other in inside)
    changes = tuple(sorted(merged.values(), key=lambda change: change.month))
    return Scenario(path.stem, read.title, read.question, read.extends, changes, path, hashes, money, read.kind)


Merged = dict[tuple[int, str], Change]


def _without_money(scenario: Scenario) -> list[Change]:
    """The changes that a scenario makes beside its events of money."""
    keys = {each.key for each in scenario.money}
    return [each for each in scenario.changes if each.key not in keys]


def _with_money(merged: Merged, money: Iterable[MoneyEvent], where: object) -> Merged:
    """The changes and what the events of money come to. Raises InputError where both set a key."""
    keys = {key for _, key in merged}
    if both := sorted({each.key for each in money} & keys):
        raise InputError(fault(where, key, "set_and_event") for key in both)
    return merged | {(each.month, each.key): each for each in as_changes(money)}


def _counted_from(data: dict[str, Any], own: list[Change], money: Iterable[MoneyEvent]) -> bytes:
    """What the hash of a file also covers: the months that `next January` stands for now; nothing without any."""
    rooms = [data.get("change"), *(data.get("budget") or {}).values()]
    written = [entry for room in rooms for entry in (room if isinstance(room, list) else [])]
    if not any(is_relative(entry.get(name)) for entry in written for name in ("from", "until")):
        return b""
    return repr(([(each.month, each.last) for each in own], [(each.first, each.last) for each in money])).encode()


def _members(name_or_path: str | Path) -> list[str | Path]:
    """Return the scenarios named in `a+b`; a + in the name of an existing file or folder separates nothing."""
    parts = str(name_or_path).split("+")
    if len(parts) == 1:
        return [name_or_path]  # a Path stays one
    found: list[str | Path] = []
    while parts:
        whole = (count for count in range(len(parts), 0, -1) if exists(Path("+".join(parts[:count]).strip())))
        count = next(whole, 1)
        found.append("+".join(parts[:count]).strip())
        parts = parts[count:]
    return found


def _combined(members: dict[str | Path, Scenario]) -> Scenario:
    """Return one scenario with the changes of all. Raises InputError where two differ on a key at one time."""
    kept: dict[str, Scenario] = {}
    for name, each in members.items():
        if not any(_adds_nothing(each, to) for to in kept.values()):
            kept = {other: to for other, to in kept.items() if not _adds_nothing(to, each)} | {str(name): each}
    if len(kept) == 1:
        return next(iter(kept.values()))
    taken: list[tuple[str, Change]] = []
    hashes: dict[str, str] = {}
    faults = []
    money = tuple(dict.fromkeys(event for each in kept.values() for event in each.money))
    for name, each in kept.items():
        for change in _without_money(each):
            rivals = [(by, other) for by, other in taken if by != name and _at_one_time(change, other)]
            if not rivals:
                taken.append((name, change))
            elif clash := next(((by, other) for by, other in rivals if not _alike(change, other)), None):
                faults.append(_disagreement("+".join(kept), clash, (name, change)))
        for file, content in each.hashes.items():
            hashes[_free_name(file, content, hashes)] = content
    if faults:
        raise InputError(faults)
    merged = {(each.month, each.key): each for _, each in taken}
    changes = _with_money(merged, money, "+".join(kept)).values()
    every = list(kept.values())
    return Scenario(
        id="+".join(each.id for each in every),
        title=Words(en=" + ".join(each.title.en for each in every), id=" + ".join(each.title.id for each in every)),
        question=Words(
            en=" ".join(dict.fromkeys(each.question.en for each in every)),
            id=" ".join(dict.fromkeys(each.question.id for each in every)),
        ),
        extends=None,
        changes=tuple(sorted(changes, key=lambda change: change.month)),
        path=every[0].path,
        hashes=hashes,
        money=money,
    )


def _free_name(file: str, content: str, taken: dict[str, str]) -> str:
    """Return the file's name, numbered when it already stands for another content: folders may be called alike."""
    numbered = (f"{file} ({number})" for number in itertools.count(2))
    return next(name for name in itertools.chain([file], numbered) if taken.get(name, content) == content)


def _adds_nothing(each: Scenario, to: Scenario) -> bool:
    """Whether a scenario changes nothing, or is one that the other extends (or is)."""
    return not each.changes or each.hashes.items() <= to.hashes.items()


def _at_one_time(one: Change, other: Change) -> bool:
    return one.key == other.key and one.month <= other.last and other.month <= one.last


def _alike(one: Change, other: Change) -> bool:
    return (one.month, one.until, one.value) == (other.month, other.until, other.value)


def _disagreement(where: str, first: tuple[str, Change], second: tuple[str, Change]) -> Fault:
    (one, mine), (two, yours) = first, second
    words = {"value": mine.value, "when": mine.span, "other": shown(yours.value), "then": yours.span}
    return fault(where, mine.key, "disagree", **words, first=one, second=two)


def _parent(extends: str, path: Path) -> Path:
    """Find the scenario a file extends: beside it, else among the shipped ones."""
    beside = path.parent / (extends if extends.endswith(".toml") else f"{extends}.toml")
    shipped = _shipped()
    if exists(beside) and (os.path.realpath(beside) != os.path.realpath(path) or extends not in shipped):
        return beside
    if is_path(extends):
        raise InputError(fault(path, "extends", "no_file"))
    return locate(extends, "scenario", shipped, f"{path}: extends")


def _changes(written: Iterable[_Change], path: Path) -> list[Change]:
    """Return the file's own changes. Raises InputError for unknown keys, bad values, repeated keys."""
    parameters = load_parameters()
    found: dict[tuple[int, str], Change] = {}
    faults: list[Fault] = []
    for entry in written:
        when = format_month(entry.month)
        faults += until_fault(path, f"change[{when}].until", entry.month, entry.until)
        until = ramp_end(entry.month, entry.until)
        for key, value in entry.set.items():
            place = _place(entry.month, key)
            known = parameters | any_opd(key) | any_line(key)
            if (entry.month, key) in found:
                faults.append(fault(path, place, "twice", month=when))
            if key not in known:
                faults.append(unknown(path, place, key, known))
            elif wrong := known[key].fault_in(value) or ramp_fault(known[key], value, until):
                faults.append(fault(path, place, wrong.phrase, **wrong.words))
            else:
                found[entry.month, key] = Change(entry.month, key, known[key].checked(value), path.name, until)
    if faults:
        raise InputError(faults)
    return list(found.values())


def _place(month: int, key: str) -> str:
    """Where in a scenario's file a key is changed."""
    return f"change[{format_month(month)}].set.{key}"
