"""Structures: rules that evidence cannot choose between, with stated weights (structures.toml)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

from pydantic import Field

from konvergensi.base.errors import InputError, fault, nearest
from konvergensi.base.files import read_toml
from konvergensi.inputs.fields import Choice, Grade, Table, Text, Words, between, validated
from konvergensi.inputs.parameters import load_parameters

FILE = Path(__file__).with_name("structures.toml")
ALL, DEFAULT = "all", "default"
USUAL = ALL  # what is drawn unless somebody asks otherwise: an interval without the rules would be too narrow
Weight = Annotated[float, between(0.0, 1.0, "share")]


class Structure(Table):
    """One choice of rule: the parameter that makes it, and how far each of its values is believed."""

    name: Text
    key: Text
    weights: dict[str, Weight] = Field(min_length=1)
    title: Words
    settles: Words
    source: Text  # why the weights are what they are
    grade: Annotated[Grade, Choice]


@functools.cache
def load_structures() -> dict[str, Structure]:
    """Return every structure by its name. Raises InputError naming what is wrong with the file."""
    where, known, found = f"inputs/{FILE.name}", load_parameters(), {}
    for name, table in read_toml(FILE).items():
        each = validated(Structure, {"name": name, **table}, where, name)
        for choice in each.weights:
            known[each.key].checked(choice, where)
        if abs(sum(each.weights.values()) - 1.0) > 1e-9:
            raise InputError(fault(where, f"{name}.weights", "sum_to_one", value=sum(each.weights.values())))
        found[name] = each
    return found


def structures_asked(text: str) -> tuple[Structure, ...]:
    """Return the structures to draw: `all`, `default` (none), or one by its name or key.

    Raises InputError with the nearest name when there is no such structure.
    """
    known = load_structures()
    if text == DEFAULT:
        return ()
    if text == ALL:
        return tuple(known.values())
    for each in known.values():
        if text in (each.name, each.key):
            return (each,)
    names = [ALL, DEFAULT, *known]
    raise InputError(fault("", "structures", "choice", value=text, choices=", ".join(names), near=nearest(text, names)))
