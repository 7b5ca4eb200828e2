"""National targets of prevalence, with source and grade, from targets.toml."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

from konvergensi.base.files import read_toml
from konvergensi.inputs.fields import Choice, Grade, Month, Table, Text, between, validated

FILE = Path(__file__).parent / "targets.toml"


class Target(Table):
    """Prevalence, percent of under-fives, to be reached by a month."""

    month: Month
    percent: Annotated[float, between(0, 100, "percent")]
    source: Text
    grade: Annotated[Grade, Choice]


class _File(Table):
    target: list[Target]


@functools.cache
def load_targets(path: Path = FILE) -> tuple[Target, ...]:
    """Return the targets by month. Raises InputError naming every fault of the file."""
    return tuple(sorted(validated(_File, read_toml(path), path).target, key=lambda each: each.month))
