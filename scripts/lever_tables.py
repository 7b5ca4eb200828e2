"""Tables of docs/levers.md: what somebody decides, in both languages, as its parameter says; which policy sets it."""

from __future__ import annotations

import functools
from collections.abc import Callable

from odd_tables import table

from konvergensi.base.errors import format_value
from konvergensi.base.units import unit_word
from konvergensi.inputs.kinds import families
from konvergensi.inputs.parameters import Parameter, load_parameters
from konvergensi.inputs.scenarios import list_scenarios, load_scenario

SHOWN_POLICIES = 2  # beside a lever: those that set least beside it


@functools.cache
def keys_by_policy() -> dict[str, frozenset[str]]:
    """What each shipped policy sets, the most particular policy first."""
    found = {name: frozenset(change.key for change in load_scenario(name).changes) for name in list_scenarios()}
    return dict(sorted(found.items(), key=lambda item: (len(item[1]), item[0])))


def policies(key: str) -> str:
    """The shipped policies that set a lever, the most particular ones; a dash where none does."""
    found = [f"`{name}`" for name, keys in keys_by_policy().items() if key in keys]
    return ", ".join(found[:SHOWN_POLICIES]) or "–"


def unit(text: str) -> str:
    """A unit in both languages; once where they have the same word."""
    return " · ".join(dict.fromkeys((text, unit_word(text, "id"))))


def decided() -> dict[str, list[Parameter]]:
    """What somebody decides, or a scenario sets to ask what if, by the file it stands in."""
    found: dict[str, list[Parameter]] = {}
    for key, each in load_parameters().items():
        if each.decided_by:
            found.setdefault(key.partition(".")[0], []).append(each)
    return found


def levers(name: str) -> str:
    """One group of levers: key, meaning in both languages, value where no district or policy sets another, range."""
    rows = []
    for p in decided()[name.removeprefix("lever-")]:
        said = (p.meaning, p.arti, format_value(p.value), p.range_text(), unit(p.unit))
        rows.append((f"`{p.key}`", *said, policies(p.key)))
    return table(("Key", "What it is", "Apa itu", "Value", "Range", "Unit, satuan", "Policies"), rows)


def opd_levers() -> str:
    """What a policy can set of one agency."""
    rows = []
    for name, each in families("opd").items():
        said = [text.removeprefix("{name}: ") for text in (each.meaning, each.arti)]
        if "moves-on" in each.marks:
            said = [f"{said[0]}; moves on from there", f"{said[1]}; lalu bergerak sendiri"]
        rows.append((f"`opd.<id>.{name}`", *said, "true, false" if each.unit == "yes/no" else "0 .. 1"))
    return table(("Key", "What it is", "Apa itu", "Range"), rows)


def line_levers() -> str:
    """What a policy can do with one budget line."""
    rows = []
    for name, each in families("programmes").items():
        said = [text.removeprefix("{name}: ") for text in (each.meaning, each.arti)]
        rows.append((f"`programmes.<line>.{name}`", *said, unit(each.unit or "")))
    return table(("Key", "What it is", "Apa itu", "Unit, satuan"), rows)


def _maker(name: str) -> Callable[[], str]:
    return lambda: levers(name)


LEVER_TABLES: dict[str, Callable[[], str]] = {f"lever-{name}": _maker(f"lever-{name}") for name in decided()} | {
    "lever-opd": opd_levers,
    "lever-line": line_levers,
}
