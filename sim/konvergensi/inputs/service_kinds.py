"""The words a service may use of itself: its need, venue, what it acts on, its kind of uptake (service_kinds.toml)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator

from konvergensi.base.errors import nearest
from konvergensi.base.files import read_toml
from konvergensi.inputs.fields import Choice, Table, Words, refusal, validated

FILE = Path(__file__).with_name("service_kinds.toml")


class Need(Table):
    """Whom a service is for: a child (or pregnancy) or a household in some state."""

    of: Annotated[Literal["child", "household"], Choice]
    not_on: str = ""  # the register on which who needs it cannot be
    meaning: Words


class Venue(Table):
    """Where a service is given, and what that means for who gets it and at what cost."""

    at_posyandu: bool = False  # only who comes gets it
    by_staff: bool = False  # field staff bring it, as far as they reach
    in_money: bool = False  # neither travel nor quality counts
    built: bool = False  # it stays once made


class Act(Table):
    """What taking a service up changes beside or instead of growth."""

    at_birth: bool = False  # on weight at birth, in grams
    teaches: bool = False  # adds to what a caregiver knows
    gives_nik: bool = False
    column: str = ""  # of households that changes for good, and what it becomes
    becomes: bool = False

    @property
    def lasts_at_home(self) -> bool:
        """Whether it changes the household, and not only the child."""
        return self.teaches or bool(self.column)


Kind = TypeVar("Kind", Need, Venue, Act)


@cache
def _tables() -> dict[str, dict[str, dict[str, Any]]]:
    return read_toml(FILE)


def names(field: str) -> tuple[str, ...]:
    """The words there are for `need`, `venue`, `acts_on` or `uptake`, in the order of the file."""
    return tuple(_tables()[field])


def one_of(field: str) -> BeforeValidator:
    """Return the check that a service's word is one of the file's."""

    def check(value: Any) -> str:
        if isinstance(value, str) and value in names(field):
            return value
        near = nearest(value, names(field)) if isinstance(value, str) else None
        raise refusal("choice", {"value": value, "choices": ", ".join(names(field)), "near": near})

    return BeforeValidator(check)


@cache
def need(name: str) -> Need:
    """What is said of a need. Raises KeyError when there is none such."""
    return _read("need", name, Need)


@cache
def venue(name: str) -> Venue:
    """What is said of a venue. Raises KeyError when there is none such."""
    return _read("venue", name, Venue)


@cache
def act(name: str) -> Act:
    """What is said of what a service acts on. Raises KeyError when there is none such."""
    return _read("acts_on", name, Act)


def _read(field: str, name: str, kind: type[Kind]) -> Kind:
    return validated(kind, _tables()[field][name], f"inputs/{FILE.name}", f"{field}.{name}")
