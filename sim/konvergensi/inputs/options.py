"""What is typed at the command line or passed to `kv.run`: months, seed, shares, KEY=VALUE."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.fields import number_fault
from konvergensi.inputs.parameters import Value

# lowest, highest, unit, whole number
LIMITS: dict[str, tuple[float, float, str, bool]] = {
    "seed": (0, 2**31 - 1, "", True),
    "population_share": (1e-4, 1, "share", False),
    "trace_children": (0, 1_000_000, "children", True),
    "seeds": (1, 1000, "seeds", True),
    "draws": (0, 10_000, "draws", True),
    "workers": (1, 1024, "processes", True),
    "children": (100, 1_000_000, "children", True),
    "agencies": (1, 8, "agencies", True),
    "families": (100, 10_000_000, "families", True),
    "samples": (1, 1000, "samples", True),
}


def check_options(*, start: str, end: str, **numbers: Any) -> tuple[int, int]:
    """Check the options of a run and return its first and last month.

    Parameters: start, end `"YYYY-MM"`, both included, end not before start; numbers any of seed,
    population_share, trace_children, children, seeds, draws, workers.
    Raises InputError with one fault for each option that cannot be used.
    """
    faults: list[Fault] = []
    months = []
    for option, text in (("start", start), ("end", end)):
        try:
            months.append(parse_month(text, key=f"--{option}"))
        except InputError as error:
            faults += error.faults
    if len(months) == 2 and months[1] < months[0]:
        first = {"first": format_month(months[0]), "first_key": "--start"}
        faults.append(fault("", "--end", "before", value=format_month(months[1]), **first))
    faults += number_faults(numbers)
    if faults:
        raise InputError(faults)
    return months[0], months[1]


def number_faults(numbers: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with these options, by their name in `check_options`."""
    faults = []
    for option, value in numbers.items():
        if wrong := number_fault(value, *LIMITS[option]):
            faults.append(fault("", f"--{option.replace('_', '-')}", wrong[0], **wrong[1]))
    return faults


def parse_set(items: Iterable[str]) -> dict[str, Value]:
    """Turn `["budget.inertia=0.8", "growth.rule=additive"]` into keys and values.

    A value is read as TOML (number, true, false, quoted text); anything else is text as it stands.
    Raises InputError for an item without `=` and for a key given twice.
    """
    found: dict[str, Value] = {}
    faults = []
    for item in items:
        key, equals, text = (part.strip() for part in item.partition("="))
        if not key or not equals or not text:
            faults.append(fault("--set", "", "set_form", value=item))
        elif key in found:
            faults.append(fault("--set", key, "set_twice"))
        else:
            found[key] = _scalar(text)
    if faults:
        raise InputError(faults)
    return found


def _scalar(text: str) -> Value:
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    value = read["value"]
    return value if len(read) == 1 and isinstance(value, (bool, int, float, str)) else text
