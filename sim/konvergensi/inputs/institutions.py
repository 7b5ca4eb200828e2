"""What institutions allow with money: who decides on a source, what it pays, what no cut reaches."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from konvergensi.base.files import read_toml
from konvergensi.inputs.fields import AnyNumber, Choice, Grade, Id, Share, Table, Text, validated

FILE = Path(__file__).with_name("institutions.toml")


class Limit(Table):
    """A number with its range, unit, source and grade."""

    value: AnyNumber
    low: AnyNumber
    high: AnyNumber
    unit: Text
    source: Text
    grade: Annotated[Grade, Choice]


class SourceRule(Table):
    """What may be done with one source of money; see the head of institutions.toml."""

    decided_by: Annotated[Literal["district", "village", "above", "nobody"], Choice]
    pays: list[Id]
    pays_source: Text | None = None
    pays_grade: Annotated[Grade, Choice] | None = None
    district_adds: bool
    district_cuts: bool
    room_share: Limit
    growth_times: Limit
    new_line_share: Limit
    lead_months: Limit

    def may_pay(self, service: str) -> bool:
        """Whether it may pay for a service."""
        return self.pays == ["all"] or service in self.pays


class Floor(Table):
    """The share of a service's lines that no cut reaches."""

    service: Id
    share: Share
    source: Text
    grade: Annotated[Grade, Choice]


class Institutions(Table):
    """The whole of institutions.toml."""

    source: dict[str, SourceRule]
    floor: list[Floor] = Field(default_factory=list)

    def kept_share(self, service: str) -> float:
        """Share of a service's lines that no cut reaches, 0..1."""
        return max((each.share for each in self.floor if each.service == service), default=0.0)


@cache
def institutions() -> Institutions:
    """The rules that come with the package. Raises InputError naming what is wrong with the file."""
    return validated(Institutions, read_toml(FILE), f"inputs/{FILE.name}")
