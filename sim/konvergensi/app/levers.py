"""The levers of the page "Try": how each is shown, what was moved, and the policy file that says so."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from konvergensi.base.errors import InputError, fault, format_value, unknown
from konvergensi.base.files import read_toml
from konvergensi.base.words import LANGUAGES, word
from konvergensi.inputs.fields import Table, Text, number_fault, validated
from konvergensi.inputs.parameters import Parameter, Value, load_parameters
from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.inputs.services import load_services

if TYPE_CHECKING:
    from konvergensi.base.words import Lang
    from konvergensi.inputs.districts import District

FILE = Path(__file__).with_name("levers.toml")
ADDED = 3  # programmes that money can be added to at once
Control = Literal["yes_no", "month", "share", "count", "choice"]


class _Group(Table):
    name: Text
    keys: list[Text]


class _File(Table):
    group: list[_Group]


@dataclass(frozen=True)
class Lever:
    """One lever on the form; `value` is what holds without the policy, in the month it would begin."""

    parameter: Parameter
    value: Value

    @property
    def key(self) -> str:
        return self.parameter.key

    @property
    def control(self) -> Control:
        """How it is moved."""
        if isinstance(self.parameter.value, bool):
            return "yes_no"
        if isinstance(self.parameter.value, str):
            return "choice"
        if self.parameter.unit == "month of year":
            return "month"
        return "count" if isinstance(self.parameter.value, int) else "share"

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest that may be written."""
        return self.parameter.bounds

    def label(self, lang: Lang) -> str:
        """What it is."""
        return self.parameter.meaning if lang == "en" else self.parameter.arti


@functools.cache
def groups() -> dict[str, tuple[str, ...]]:
    """Keys by group. Raises InputError where levers.toml names no parameter."""
    read = validated(_File, read_toml(FILE), FILE)
    known = load_parameters()
    if lost := [key for group in read.group for key in group.keys if key not in known]:
        raise InputError(fault(FILE, "keys", "plain", text=", ".join(lost)))
    return {group.name: tuple(group.keys) for group in read.group}


def levers(place: District, start: int, since: int, end: int) -> dict[str, list[Lever]]:
    """The levers by group, each as it stands in the district in the month `since` without any policy."""
    known = place.parameters()
    resolved = resolve(load_scenario("baseline"), place, {}, start, end)
    now = resolved.initial.as_dict() | {each.key: each.value for each in resolved.changes if each.month <= since}
    return {name: [Lever(known[key], now[key]) for key in keys] for name, keys in groups().items()}


def moved(form: Mapping[str, str], shown: Mapping[str, list[Lever]]) -> dict[str, Value]:
    """What a form changes: key -> value. Raises InputError with every value that may not be written."""
    found: dict[str, Value] = {}
    faults = []
    for lever in (each for group in shown.values() for each in group):
        text = str(form.get(lever.key, "")).strip()
        if not text:
            continue
        value = _read(lever, text)
        if wrong := lever.parameter.fault_in(value):
            faults.append(wrong)
        elif (value := lever.parameter.checked(value)) != lever.value:
            found[lever.key] = value
    if faults:
        raise InputError(faults)
    return found


def _read(lever: Lever, text: str) -> Value:
    if lever.control == "yes_no":
        return {"true": True, "false": False}.get(text, text)
    if lever.control == "choice":
        return text
    try:
        return int(text) if lever.control in ("month", "count") else float(text)
    except ValueError:
        return text


def lines(place: District, lang: Lang) -> list[tuple[str, str]]:
    """The programmes of a district that money can be added to: `agency:service:source`, and how it is called."""
    services, agencies = load_services(), {opd.id: opd.name for opd in place.opd}
    found = [
        (
            each.id,
            f"{services[each.service].name[lang]}, {agencies[each.opd]}, {word(f'source_short.{each.money}', lang)}",
        )
        for each in place.programmes
        if each.id.count(":") == 2
    ]
    return sorted(found, key=lambda each: each[1])


def added(form: Mapping[str, str], place: District) -> dict[str, float]:
    """Rupiah a year that a form adds to programmes, by `agency:service:source`. Raises InputError with its faults."""
    known = {each.id for each in place.programmes}
    found: dict[str, float] = {}
    faults = []
    for number in range(1, ADDED + 1):
        line, text = str(form.get(f"line-{number}", "")).strip(), str(form.get(f"billion-{number}", "")).strip()
        if not line or not text:
            continue
        if line not in known:
            faults.append(unknown("", f"line-{number}", line[:80], known))
            continue
        try:
            billion = float(text)
        except ValueError:
            billion = math.nan
        if wrong := number_fault(billion if billion == billion else text[:20], 0, 10_000, "Rp billion", whole=False):
            faults.append(fault("", f"billion-{number}", wrong[0], **wrong[1]))
        elif billion:
            found[line] = found.get(line, 0.0) + billion * 1e9
    if faults:
        raise InputError(faults)
    return found


def policy_text(changes: Mapping[str, Value], since: str, money: Mapping[str, float] | None = None) -> str:
    """The policy as a TOML file, the same for the same changes.

    Parameters: money, Rp a year more for programmes, by `agency:service:source`.
    """
    titles = ", ".join(f'{lang} = "{word("app.try.policy_title", lang, month=since)}"' for lang in LANGUAGES)
    asked = ", ".join(f'{lang} = "{word("app.try.policy_question", lang)}"' for lang in LANGUAGES)
    values = ", ".join(f'"{key}" = {_toml(value)}' for key, value in sorted(changes.items()))
    text = (
        f"title = {{ {titles} }}\nquestion = {{ {asked} }}\n"
        f'extends = "baseline"\nchange = [{{ from = "{since}", set = {{ {values} }} }}]\n'
    )
    for line, rp in sorted((money or {}).items()):
        agency, service, source = line.split(":")
        text += (
            f'\n[[budget.add]]\nfrom = "{since}"\nagency = "{agency}"\nservice = "{service}"\n'
            f'source = "{source}"\namount = {round(rp)}\n'
        )
    return text


def _toml(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value) if isinstance(value, float) else format_value(value)
