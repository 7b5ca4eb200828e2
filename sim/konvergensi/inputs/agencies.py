"""Agencies as data (opd.toml): who they are, where they stand at the start, which programmes they run."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from konvergensi.base.errors import Fault, InputError, fault, unknown_name
from konvergensi.base.files import as_toml
from konvergensi.inputs.fields import (
    Choice,
    Grade,
    Id,
    Money,
    Registered,
    Rupiah,
    Share,
    Table,
    Text,
    between,
    entries,
    is_id,
    validated,
)
from konvergensi.inputs.institutions import institutions
from konvergensi.inputs.kinds import families
from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.inputs.services import load_services

Role = Literal["coordinator", "lead", "member"]
Posting = Literal["district", "kecamatan", "village"]


class Opd(Registered):
    """One district agency, and where it stands at the start.

    `mandate` is how far stunting is in its tasks, `skill` how well its people do what they do; `posted` where its
    field staff work: at the district office, at the health centre or office of each kecamatan, or in each village.
    """

    id: Id
    name: Text
    gloss: Text
    in_decree: bool
    surveyed: bool
    understanding: Share
    institutional_understanding: Share
    goal_adoption: Share
    ego: Share
    role: Annotated[Role, Choice] = "member"
    mandate: Share = 0.4
    skill: Share = 0.6
    staff: Annotated[int, between(0, 100_000, "persons", whole=True)]
    posted: Annotated[Posting, Choice] = "district"
    focal_unit: bool
    guideline: bool
    source: Text
    grade: Annotated[Grade, Choice]


class Programme(Registered):
    """One line of one agency's budget for one service."""

    service: Id
    opd: Id
    money: Annotated[Money, Choice]
    funded_share: Share | None = None
    budget_rp: Rupiah | None = None
    unit_cost_rp: Rupiah | None = None
    rigid: bool = False
    location: Annotated[Literal["all", "central", "lokus"], Choice] = "all"
    source: Text
    grade: Annotated[Grade, Choice]

    @property
    def id(self) -> str:
        """The programme's name in every table: `<opd>:<service>:<money>`."""
        return f"{self.opd}:{self.service}:{self.money}"


class OpdFile(Table):
    """The whole of opd.toml."""

    opd: list[Opd]
    programme: list[Programme] = Field(default_factory=list)


def opd_parameters(opd: Iterable[Opd]) -> dict[str, Parameter]:
    """Return the states of these agencies that a scenario may change, as parameters `opd.<id>.<field>`."""
    levers = [
        opd_lever(each.id, field, getattr(each, field), each.name, each.source, each.grade)
        for each in opd
        for field in families("opd")
    ]
    return {lever.key: lever for lever in levers}


def line_parameters(lines: Iterable[str]) -> dict[str, Parameter]:
    """Return what a policy may do with these lines, `<agency>:<service>:<source>`: `programmes.<line>.<field>`.

    0 is as agencies budget it.
    """
    known, sources, fields = load_services(), institutions().source, tuple(families("programmes"))
    found = []
    for line in lines:
        agency, service, money = line.split(":")
        en, id_ = (known[service].name[lang] if service in known else service for lang in ("en", "id"))
        said, rule = (f"{en} ({agency}, {money})", f"{id_} ({agency}, {money})"), sources.get(money)
        found += [_line_lever(line, field, *said, rule and rule.decided_by) for field in fields]
    return {each.key: each for each in found}


@functools.lru_cache(maxsize=8192)
def _line_lever(line: str, field: str, en: str, id_: str, decided_by: str | None) -> Parameter:
    family = families("programmes")[field]
    ((unit, (least, most)),) = family.allowed.items()
    said = family.fields_of({"en": en, "id": id_})
    return Parameter(
        key=f"programmes.{line}.{field}",
        value=0.0,
        unit=unit,
        low=least,
        high=most,
        allowed=(least, most),
        choices=(),
        source="0 is as agencies budget it; a policy says otherwise (`[[budget.add]]`, inputs/money.py)",
        grade="assumption",
        **said | {"decided_by": decided_by or "nobody"},
    )


def any_line(key: str) -> dict[str, Parameter]:
    """Return the parameters `programmes.<line>.<field>` for the line a key speaks of, whichever it is."""
    room, _, rest = key.partition(".")
    line, _, field = rest.rpartition(".")
    return line_parameters([line]) if room == "programmes" and field and line.count(":") == 2 else {}


@functools.lru_cache(maxsize=8192, typed=True)
def opd_lever(opd: str, field: str, value: Value, name: str, source: str, grade: str) -> Parameter:
    """Return one state of one agency as a parameter; `value` is where it stands at the start."""
    family = families("opd")[field]
    is_share = not isinstance(value, bool)
    return Parameter(
        key=f"opd.{opd}.{field}",
        value=value,
        unit=str(family.unit),
        low=0.0 if is_share else None,
        high=1.0 if is_share else None,
        choices=(),
        source=source,
        grade=grade,
        **family.fields_of({"en": name, "id": name}),
    )


def any_opd(key: str) -> dict[str, Parameter]:
    """Return the parameters `opd.<id>.<field>` for the OPD a key speaks of, whichever it is."""
    room, _, rest = key.partition(".")
    opd, _, field = rest.partition(".")
    if room != "opd" or not field:
        return {}
    nothing = {name: False if each.unit == "yes/no" else 0.0 for name, each in families("opd").items()}
    levers = [opd_lever(opd, name, value, opd, "", "") for name, value in nothing.items()]
    return {lever.key: lever for lever in levers}


def read_opd(content: bytes, path: Path) -> OpdFile:
    """Read and check opd.toml. Raises InputError with every fault found, whatever else is wrong."""
    return _read_opd(content, path, tuple(load_services()))


@functools.lru_cache(maxsize=16)  # a study reads the same district run after run
def _read_opd(content: bytes, path: Path, services: tuple[str, ...]) -> OpdFile:
    data = as_toml(content, path)
    read: OpdFile | None = None
    faults: list[Fault] = []
    try:
        read = validated(OpdFile, data, path)
    except InputError as error:
        faults += error.faults
    agencies = [each for each in entries(data, "opd").values() if isinstance(each, dict)]
    ids = [each["id"] for each in agencies if isinstance(each.get("id"), str)]
    if data.get("opd") == []:
        faults.append(fault(path, "opd", "no_rows"))
    faults += duplicates(ids, path, "opd.id")
    leading = [str(each.get("id")) for each in agencies if each.get("role") == "coordinator"]
    if len(leading) > 1:
        faults.append(fault(path, "opd.role", "one_coordinator", value="coordinator", opd=", ".join(leading)))
    lines = [each for each in entries(data, "programme").values() if isinstance(each, dict)]
    names = [_programme_id(each) for each in lines]
    faults += duplicates([name for name in names if "?" not in name], path, "programme")
    for name, line in zip(names, lines):
        faults += programme_faults(f"programme[{name}]", line, ids, path, services)
    if faults or read is None:
        raise InputError(faults)
    return read


def _programme_id(line: dict[str, Any]) -> str:
    """What `Programme.id` will be, with ? for what is missing or no text."""
    parts = (line.get(part) for part in ("opd", "service", "money"))
    return ":".join(each if isinstance(each, str) else "?" for each in parts)


def programme_faults(
    key: str, line: dict[str, Any], ids: list[str], path: Path, services: Collection[str]
) -> list[Fault]:
    """Say whether the line's agency and service exist and what it is paid with, whatever else it lacks."""
    faults: list[Fault] = []
    opd, service = line.get("opd", ""), line.get("service", "")
    if is_id(opd) and ids and opd not in ids:
        faults.append(unknown_name(path, f"{key}.opd", "OPD", opd, ids))
    if is_id(service) and service not in services:
        faults.append(unknown_name(path, f"{key}.service", "service", service, services))
    if "funded_share" not in line and "budget_rp" not in line:
        faults.append(fault(path, key, "no_money"))
    return faults


def duplicates(names: list[str], path: Path, key: str) -> list[Fault]:
    """Return a fault for each name that is there more than once."""
    return [fault(path, key, "duplicate", value=name, at="") for name in dict.fromkeys(names) if names.count(name) > 1]
