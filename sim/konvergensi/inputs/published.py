"""published.toml in a district's folder: what surveys really found there. It may be missing.

No run reads it: it is shown beside what the model's surveys find.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from konvergensi.inputs.districts import District
from konvergensi.inputs.errors import InputError, fault
from konvergensi.inputs.fields import Choice, Grade, Month, Table, Text, between, validated
from konvergensi.inputs.files import exists, read_toml
from konvergensi.inputs.months import format_month

FILE = "published.toml"


class Published(Table):
    """One published prevalence of stunting, percent of under-fives; fieldwork as the district's [[survey]] dates it."""

    system: Annotated[Literal["Riskesdas", "SSGBI", "SSGI", "SKI"], Choice]
    fieldwork: Month
    percent: Annotated[float, between(0, 100, "percent")]
    source: Text
    grade: Annotated[Grade, Choice]


class _File(Table):
    published: list[Published] = Field(default_factory=list)


def read_published(place: District) -> list[Published]:
    """Return what was published of a district, by month of fieldwork; nothing where there is no file.

    Raises InputError naming every fault of the file, and a survey that is there twice.
    """
    path = place.path / FILE
    if not exists(path):
        return []
    found = sorted(validated(_File, read_toml(path), path).published, key=lambda each: each.fieldwork)
    months = [each.fieldwork for each in found]
    if twice := [month for month in dict.fromkeys(months) if months.count(month) > 1]:
        raise InputError(
            fault(path, "published.fieldwork", "duplicate", value=format_month(each), at="") for each in twice
        )
    return found
