"""A planner's own survey values: rows of any districts together, read from a CSV and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from konvergensi.base.errors import Fault, InputError, fault, format_value
from konvergensi.inputs.country import area_name, resolve_area
from konvergensi.inputs.csv_files import all_or_faults, typed
from konvergensi.inputs.fields import Choice, Table, Text, between, validated
from konvergensi.inputs.office_cells import Numbers
from konvergensi.inputs.office_rows import read_office_rows

COLUMNS = ("area", "year", "measure_system", "percent")
OPTIONAL = ("low", "high", "source")
System = Literal["PSG", "Riskesdas", "SSGBI", "SSGI", "SKI", "e-PPGBM"]
SYSTEMS = ("PSG", "Riskesdas", "SSGBI", "SSGI", "SKI")  # of surveys; e-PPGBM is the routine register
REGISTER = "e-PPGBM"
FIRST_YEAR, LAST_YEAR = 2017, 2029
_PERCENT = Numbers(0, 100, "percent", False, ("%", "persen", "percent"))
NUMBERS = {"percent": _PERCENT, "low": _PERCENT, "high": _PERCENT}


class _Row(Table):
    """One row of the file; low and high are the survey's own 95 % interval, where it published one."""

    area: Text
    year: Annotated[int, between(FIRST_YEAR, LAST_YEAR, "", whole=True)]
    measure_system: Annotated[System, Choice]
    percent: Annotated[float, between(1, 99, "percent")]
    low: Annotated[float, between(0, 100, "percent")] | None = None
    high: Annotated[float, between(0, 100, "percent")] | None = None
    source: str = ""


@dataclass(frozen=True)
class Observed:
    """A prevalence somebody found: percent of under-fives; low, high its own 95 % interval or None; written: the area
    as it stands in the file.
    """

    code: str
    year: int
    measure_system: str
    percent: float
    low: float | None = None
    high: float | None = None
    source: str = ""
    written: str = field(default="", compare=False)

    @property
    def area(self) -> str:
        """Full name of the district."""
        return area_name(self.code)


def read_country_observed(path: Path, notes: list[Fault] | None = None) -> list[Observed]:
    """Read rows `area, year, measure_system, percent[, low, high, source]` of any districts, from a CSV or a workbook
    as offices keep them; notes, where given, is added what was read how.

    Raises InputError with one line for each fault: a missing column or cell, an area that is no district or two, a
    year outside 2017 to 2029, a percent written as a share, a percent outside its interval, a row that is there twice.
    """
    faults: list[Fault] = []
    found: dict[tuple[str, int, str], Observed] = {}
    for line, cells in read_office_rows(path, "observed", COLUMNS, ("area", "year"), NUMBERS, notes):
        try:
            each = _observed(cells, path, f"line {line}")
        except InputError as error:
            faults += error.faults
            continue
        key = (each.code, each.year, each.measure_system)
        if key in found:
            shown = f"{each.area} {each.year} {each.measure_system}"
            faults.append(fault(path, f"line {line}", "duplicate", value=shown, at=""))
        found[key] = each
    return all_or_faults(path, list(found.values()), faults)


def _observed(cells: dict[str, str], path: Path, line: str) -> Observed:
    named = {name: cells.get(name, "") for name in (*COLUMNS, *OPTIONAL)}
    known = typed(named, ("year", "percent", "low", "high"), whole=("year",), empty=COLUMNS)
    faults: list[Fault] = []
    code = ""
    try:
        code = resolve_area(known["area"], path, f"{line}.area")
    except InputError as error:
        faults += error.faults
    percent = known["percent"]
    if isinstance(percent, float) and 0 < percent < 1:
        words = {"value": percent, "percent": format_value(percent * 100)}
        raise InputError([*faults, fault(path, f"{line}.percent", "share_for_percent", **words)])
    try:
        row = validated(_Row, known, path, line)
    except InputError as error:
        raise InputError([*faults, *error.faults]) from None
    low, high = 0.0 if row.low is None else row.low, 100.0 if row.high is None else row.high
    if not low <= row.percent <= high:
        words = {"value": row.percent, "low": format_value(low), "high": format_value(high)}
        faults.append(fault(path, f"{line}.percent", "low_above_high", **words))
    if faults:
        raise InputError(faults)
    return Observed(code, row.year, row.measure_system, row.percent, row.low, row.high, row.source, row.area)
