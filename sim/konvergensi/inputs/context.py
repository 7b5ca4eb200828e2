"""What came since 2024, dated and graded, and what is not modelled for want of a source (context.toml)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from konvergensi.base.files import read_toml
from konvergensi.inputs.fields import Choice, Grade, Month, Table, Text, Words, validated

FILE = Path(__file__).with_name("context.toml")


class ContextEvent(Table):
    """Something that happened, and whether the model acts on it."""

    month: Month = Field(alias="from")
    said: Words
    modelled: bool
    source: Words
    grade: Annotated[Grade, Choice]


class CalendarSource(Table):
    """Where a month of the reform comes from; `key` is its parameter, which has the source in English alone."""

    key: Text
    source: Words


class LeftOut(Table):
    """Something that exists and is not modelled, and why."""

    name: Words
    why: Words


class Context(Table):
    """The whole of context.toml."""

    event: list[ContextEvent]
    calendar: list[CalendarSource]
    left_out: list[LeftOut]


@cache
def context() -> Context:
    """What is known of the years ahead. Raises InputError naming what is wrong with the file."""
    return validated(Context, read_toml(FILE), f"inputs/{FILE.name}")
