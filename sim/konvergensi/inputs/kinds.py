"""What a parameter is: its role, what it is about, when it is read, who decides it, and how it is called for people.

The names that may be written, with what each means in both languages, stand in base/words/kinds.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from konvergensi.base.errors import Fault, fault, nearest
from konvergensi.base.files import read_toml
from konvergensi.base.words import catalogue
from konvergensi.inputs.fields import Table, Text, Words, refusal, validated

FAMILIES = Path(__file__).with_name("families.toml")


@cache
def names_of(kind: str) -> tuple[str, ...]:
    """The names of a kind (role, theme, read, decided_by, mark), in the order of base/words/kinds.toml."""
    start = f"kind.{kind}."
    return tuple(key.removeprefix(start) for key in catalogue() if key.startswith(start))


def _one_of(kind: str) -> BeforeValidator:
    def check(value: Any) -> str:
        known = names_of(kind)
        if isinstance(value, str) and value in known:
            return value
        near = nearest(value, known) if isinstance(value, str) else None
        raise refusal("choice", {"value": value, "choices": ", ".join(known), "near": near})

    return BeforeValidator(check)


class Kinds(Table):
    """What is said of a parameter beside its value, unit, range, source and grade.

    `to_do` is what a policy does that moves it, read as "... (old → new)", and `to_do_off` what one does that switches
    it off; `short` is its name where its meaning is too long for a figure.
    """

    role: Annotated[str, _one_of("role")]
    theme: Annotated[str, _one_of("theme")]
    read: Annotated[str, _one_of("read")]
    marks: list[Annotated[str, _one_of("mark")]] = []
    decided_by: Annotated[str, _one_of("decided_by")] | None = None
    to_do: Words | None = None
    to_do_off: Words | None = None
    short: Words | None = None
    meaning: Text
    arti: Text
    needs: Text | None = None  # the key of a yes/no lever without which it does nothing
    replaced_by: Text | None = None  # the key that rules in its place from the reform of 2025 on

    def as_fields(self) -> dict[str, Any]:
        """The fields of `inputs.parameters.Parameter` that say it."""
        said = {name: getattr(self, name) for name in Kinds.model_fields}
        return said | {
            "marks": tuple(self.marks),
            "decided_by": self.decided_by or "",
            "needs": self.needs or "",
            "replaced_by": self.replaced_by or "",
        }

    def lever_faults(self, where: object, key: str) -> list[Fault]:
        """What a lever leaves open: who decides it, and what whoever decides has to do."""
        if self.role != "lever":
            return []
        open_ = [name for name in ("decided_by", "to_do") if getattr(self, name) is None]
        if self.to_do_off is not None and "to_do" in open_:
            open_.remove("to_do")
        return [fault(where, f"{key}.{name}", "missing", expected=f"{name} = ...", near=None) for name in open_]


class Family(Kinds):
    """What is said of a parameter that every service or every agency has; `{name}` stands for the service or agency."""

    unit: Text | None = None  # None where each member says it
    allowed: dict[str, list[float]] = {}  # by unit, what may be written beyond what a member's evidence says

    def fields_of(self, name: Mapping[str, str]) -> dict[str, Any]:
        """The fields of a member's parameter; `name` in both languages."""
        said = self.as_fields()
        for field, lang in (("meaning", "en"), ("arti", "id")):
            said[field] = said[field].replace("{name}", name[lang])
        for field in ("to_do", "to_do_off"):
            if words := said[field]:
                said[field] = Words(**{lang: words[lang].replace("{name}", name[lang]) for lang in ("en", "id")})
        return said


@cache
def families(of: str) -> dict[str, Family]:
    """The parameters that each of the `services`, or each `opd`, has; in the order of families.toml."""
    tables = read_toml(FAMILIES)[of]
    return {name: validated(Family, table, f"inputs/{FAMILIES.name}", f"{of}.{name}") for name, table in tables.items()}
