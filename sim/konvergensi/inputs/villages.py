"""villages.csv: one row per village (desa or kelurahan), checked column by column.

Columns: village, kecamatan (str); families (int); lokus, synthetic (bool); remoteness (0 near the district
capital to 1), poverty (share of families), posyandu_quality (0 to 1); x, y (km east and north).
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault, unknown
from konvergensi.inputs.csv_files import parse_csv
from konvergensi.inputs.fields import number_fault

TEXT = ("village", "kecamatan")
# column -> lowest, highest, unit, whole number
NUMBERS: dict[str, tuple[float, float, str, bool]] = {
    "families": (1, 1_000_000, "families", True),
    "lokus": (0, 1, "", True),
    "remoteness": (0, 1, "share", False),
    "poverty": (0, 1, "share of families", False),
    "posyandu_quality": (0, 1, "share", False),
    "x": (-10_000, 10_000, "km", False),
    "y": (-10_000, 10_000, "km", False),
    "synthetic": (0, 1, "", True),
}
COLUMNS = ("village", "kecamatan", *NUMBERS)


def read_villages(content: bytes, path: Path) -> pd.DataFrame:
    """Return the village table of a CSV file, columns in the order of COLUMNS, rows as in the file.

    Raises InputError with every fault: one per column that is missing or unknown and one per column with bad
    cells, naming the first line.
    """
    raw = parse_csv(content, path)
    faults = [unknown(path, str(name), str(name), COLUMNS) for name in raw.columns if name not in COLUMNS]
    faults += [fault(path, name, "missing_column") for name in COLUMNS if name not in raw.columns]
    if raw.empty:
        raise InputError([*faults, fault(path, "", "no_rows")])
    table = pd.DataFrame(index=raw.index)
    for name in COLUMNS:
        if name not in raw:
            continue
        cells = raw[name].str.strip()
        if name in TEXT:
            table[name] = cells
            faults += _first(path, name, cells.eq(""), cells, fault("", "", "empty"))
            continue
        low, high, unit, whole = NUMBERS[name]
        numbers = pd.to_numeric(cells, errors="coerce").astype(float)
        good = numbers.between(low, high) & (~numbers.mod(1).ne(0) if whole else True)
        if not good.all():
            cell, value = cells[~good].iloc[0], numbers[~good].iloc[0]
            wrong = number_fault(float(value) if value == value else cell, low, high, unit, whole)
            what = fault("", "", wrong[0], **wrong[1]) if cell and wrong else fault("", "", "empty")
            faults += _first(path, name, ~good, cells, what)
            continue
        table[name] = numbers.astype(bool) if name in ("lokus", "synthetic") else numbers
    if "village" in table:
        twice = table["village"].duplicated()
        if twice.any():
            name = table["village"][twice].iloc[0]
            lines = [str(line) for line in table.index[table["village"] == name]]
            where = f" (line {', '.join(lines)})"
            faults.append(fault(path, "village", "duplicate", value=name, at=where))
    if faults:
        raise InputError(faults)
    return table.astype({"families": "int64"}).reset_index(drop=True)


def _first(path: Path, column: str, bad: pd.Series, cells: pd.Series, what: Fault) -> list[Fault]:
    """Return one fault for all bad cells of a column: the first line, and how many more."""
    if not bad.any():
        return []
    return [fault(path, column, "at_line", line=cells.index[bad][0], what=what, more=int(bad.sum()) - 1)]
