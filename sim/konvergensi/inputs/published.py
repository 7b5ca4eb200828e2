"""published.toml in a district's folder: what was really found there. It may be missing.

No run reads it: figures and pages show it beside what the model finds. It is the district's own, never that of a
district it extends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from konvergensi.base.errors import Fault, InputError, fault, unknown_name
from konvergensi.base.files import as_toml
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.agencies import duplicates
from konvergensi.inputs.country_profiles import content_of, is_there
from konvergensi.inputs.fields import Choice, Grade, Table, Text, between, entries, refusal, right, validated

FILE = "published.toml"
ROUTINE = "e-PPGBM"
_YEAR = re.compile(r"(19|2[01])\d\d", re.ASCII)


def _when(value: Any) -> str:
    if not isinstance(value, bool) and _YEAR.fullmatch(str(value)):
        return str(value)
    try:
        return format_month(parse_month(value))
    except InputError as error:
        raise refusal(error.faults[0].phrase, error.faults[0].words) from None


class Published(Table):
    """One published prevalence of stunting, percent of under-fives.

    kecamatan: None for the whole district. fieldwork: a survey's month as the district's [[survey]] dates it,
    "2019-09"; of the routine register also a year, "2019", where no month was printed. cases: stunted children counted.
    """

    kecamatan: Text | None = None
    system: Annotated[Literal["PSG", "Riskesdas", "SSGBI", "SSGI", "SKI", "e-PPGBM"], Choice]
    fieldwork: Annotated[str, BeforeValidator(_when)]
    percent: Annotated[float, between(0, 100, "percent")]
    cases: Annotated[int, between(0, 10_000_000, "children", whole=True)] | None = None
    source: Text
    grade: Annotated[Grade, Choice]

    @property
    def routine(self) -> bool:
        """Whether it comes from the routine register and not from a survey."""
        return self.system == ROUTINE

    def row(self, district: str) -> dict[str, Any]:
        """It as tables and manifests hold it, area and level as in the `surveys` table of a run."""
        area, level = (self.kecamatan, "subdistrict") if self.kecamatan else (district, "district")
        return {"area": area, "level": level} | self.model_dump(exclude={"kecamatan"})


class _File(Table):
    published: list[Published] = Field(default_factory=list)


def read_published(folder: Path, kecamatan: Iterable[str] | None = None) -> tuple[Published, ...]:
    """Return what was published of the district in a folder, by time; nothing where there is no file.

    Parameters: kecamatan, the names in its villages.csv; None: they are not known and not checked.
    Raises InputError naming every fault: a kecamatan that is not there, a survey of a kecamatan or of no month, and
    what is there twice.
    """
    path = folder / FILE
    if not is_there(path):
        return ()
    data = as_toml(content_of(path), path)
    faults: list[Fault] = []
    try:
        validated(_File, data, path)
    except InputError as error:
        faults += error.faults
    found = right(Published, entries(data, "published"))
    names = None if kecamatan is None else sorted(set(kecamatan))
    for each in found.values():
        faults += _faults(each, path, names)
    faults += duplicates([_name(each) for each in found.values()], path, "published")
    if faults:
        raise InputError(faults)
    return tuple(sorted(found.values(), key=lambda each: each.fieldwork))


def _faults(each: Published, path: Path, names: list[str] | None) -> list[Fault]:
    place = f"published[{_name(each)}]"
    faults = []
    if each.kecamatan and names is not None and each.kecamatan not in names:
        faults.append(unknown_name(path, f"{place}.kecamatan", "kecamatan", each.kecamatan, names))
    if each.kecamatan and not each.routine:
        faults.append(fault(path, f"{place}.system", "not_by_kecamatan", value=each.system, choices=ROUTINE))
    if not each.routine and "-" not in each.fieldwork:
        faults.append(fault(path, f"{place}.fieldwork", "month", value=each.fieldwork))
    return faults


def _name(each: Published) -> str:
    return " ".join(part for part in (each.kecamatan, each.system, each.fieldwork) if part)
