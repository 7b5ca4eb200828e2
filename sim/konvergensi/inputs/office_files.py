"""Tables as offices keep them: CSV with any separator and encoding that can be told, and workbooks (.xlsx)."""

from __future__ import annotations

import csv
import datetime
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.files import LARGEST, as_text_of
from konvergensi.base.harmless import CONTROLS
from konvergensi.inputs.csv_files import WORKBOOK

OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"  # how .xls begins
BETWEEN = (",", ";", "\t", "|")
_MOST_ROWS, _MOST_COLUMNS = 200_000, 300


class Percent(float):
    """A number that a workbook shows with a percent sign: 0.12 for 12%."""


Value: TypeAlias = str | float | bool | datetime.date | datetime.time | datetime.timedelta | None


@dataclass
class Grid:
    """The rows of a file or of one sheet, as they stand; `lines` the number of each; notes, what was read how."""

    path: Path
    rows: list[list[Value]]
    lines: list[int]
    sheet: str = ""
    between: str = ","
    merged: set[int] = field(default_factory=set)  # lines with merged cells
    notes: list[Fault] = field(default_factory=list)

    def place(self, row: int, column: int) -> str:
        """Where a cell is: B5 in a workbook, else nothing (the line says it)."""
        from openpyxl.utils import get_column_letter

        return f"{get_column_letter(column + 1)}{self.lines[row]}" if self.sheet else ""

    def at(self, row: int, column: int, what: Fault, more: int = 0) -> dict[str, object]:
        """Phrase and words of a fault in a cell."""
        cell = self.place(row, column)
        return {"phrase": "at_cell" if cell else "at_line", "line": self.lines[row], "cell": cell, "what": what,
                "more": more}  # fmt: skip


def read_grid(content: bytes, path: Path, score: Callable[[Grid], int]) -> Grid:
    """The grid of a file, read in the way that knows most of its headers.

    Parameters: score, how many headers that are looked for a grid holds. Raises InputError for what is no table of
    text or workbook, for text of an encoding that cannot be told, and for a workbook with two sheets that fit.
    """
    if content.startswith(OLD_WORKBOOK):
        raise InputError(fault(path, "", "old_workbook"))
    if content.startswith(WORKBOOK):
        return _of_workbook(content, path, score)
    return _of_text(content, path, score)


# ---- text ------------------------------------------------------------------------------------------------------------


def _of_text(content: bytes, path: Path, score: Callable[[Grid], int]) -> Grid:
    text, encoding = as_text_of(content, path)
    first, _, rest = text.partition("\n")
    named = first.strip().casefold().removeprefix("\ufeff")
    own = named.startswith("sep=") and len(named) == 5  # Excel's own way to name the separator
    grids: list[Grid] = []
    wrong: list[InputError] = []
    for between in (named[4],) if own else BETWEEN:
        try:
            grids.append(_parsed(rest if own else text, path, between, 1 if own else 0))
        except InputError as error:
            wrong.append(error)
    if not grids:
        raise wrong[0]
    best = max(grids, key=score)  # the first of equals
    if not best.rows:
        raise InputError(fault(path, "", "no_rows"))
    if encoding != "utf-8":
        best.notes.append(fault(path, "", "read_encoding", encoding=encoding))
    if best.between != ",":
        best.notes.append(fault(path, "", f"read_between_{_NAMES.get(best.between, 'other')}"))
    return best


_NAMES = {";": "semicolon", "\t": "tab"}


def _parsed(text: str, path: Path, between: str, before: int) -> Grid:
    grid = Grid(path, [], [], between=between)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=between)
    try:
        for row in reader:
            if row:
                grid.lines.append(reader.line_num + before)
                grid.rows.append([_tidy(cell) for cell in row])
    except csv.Error as error:
        raise InputError(fault(path, "", "bad_csv", line=reader.line_num + before, reason=error)) from None
    return grid


def _tidy(cell: str) -> str:
    """Text with one space where there are several, none at its ends; spaces that do not break count as spaces."""
    return " ".join(cell.split())


# ---- workbooks -------------------------------------------------------------------------------------------------------


def _of_workbook(content: bytes, path: Path, score: Callable[[Grid], int]) -> Grid:
    from openpyxl import load_workbook
    from openpyxl.worksheet.worksheet import Worksheet

    _check_parts(content, path)
    try:
        book = load_workbook(io.BytesIO(content), data_only=True)
        formulas = load_workbook(io.BytesIO(content), data_only=False)
    except Exception as error:  # whatever a damaged workbook brings up
        raise InputError(fault(path, "", "bad_workbook", reason=type(error).__name__)) from None
    sheets = [each for each in book.worksheets if isinstance(each, Worksheet)]
    shown = [each for each in sheets if each.sheet_state == "visible"]
    grids = [_of_sheet(each, formulas[each.title], path) for each in shown]
    if not any(grid.rows for grid in grids):
        raise InputError(fault(path, "", "no_rows"))
    best = max(grids, key=score)
    rivals = [grid.sheet for grid in grids if score(grid) == score(best) and grid.rows]
    if len(rivals) > 1 and score(best) > 1:
        raise InputError(fault(path, "", "two_sheets", choices=", ".join(rivals)))
    if len(sheets) > 1:
        others = ", ".join(each.title for each in sheets if each.title != best.sheet)
        best.notes.append(fault(path, "", "read_sheet", sheet=best.sheet, others=others))
    return best


def _check_parts(content: bytes, path: Path) -> None:
    """Refuse what is no workbook, and one that would unpack to far more than an input may hold."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            size = sum(each.file_size for each in parts.infolist())
            workbook = "[Content_Types].xml" in parts.namelist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(fault(path, "", "bad_workbook", reason=type(error).__name__)) from None
    if not workbook:
        raise InputError(fault(path, "", "old_workbook"))
    if size > LARGEST:
        raise InputError(fault(path, "", "too_large", size=f"{size / 1e6:.0f}", most=f"{LARGEST / 1e6:.0f}"))


def _of_sheet(sheet: object, formulas: object, path: Path) -> Grid:
    """A sheet as rows: merged cells all hold what the first holds."""
    grid = Grid(path, [], [], sheet=sheet.title)  # type: ignore[attr-defined]
    if sheet.max_row > _MOST_ROWS or sheet.max_column > _MOST_COLUMNS:  # type: ignore[attr-defined]
        shape = {"rows": sheet.max_row, "columns": sheet.max_column}  # type: ignore[attr-defined]
        raise InputError(fault(path, sheet.title, "sheet_too_large", **shape))  # type: ignore[attr-defined]
    merged = {
        place: (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges  # type: ignore[attr-defined]
        for place in (
            (r, c) for r in range(area.min_row, area.max_row + 1) for c in range(area.min_col, area.max_col + 1)
        )
    }
    grid.merged = {row for row, _ in merged}
    faults: list[Fault] = []
    for row in sheet.iter_rows():  # type: ignore[attr-defined]
        cells: list[Value] = []
        for cell in row:
            place = merged.get((cell.row, cell.column), (cell.row, cell.column))
            value = sheet.cell(*place)  # type: ignore[attr-defined]
            formula = formulas.cell(*place)  # type: ignore[attr-defined]
            if value.value is None and formula.data_type == "f":
                faults.append(fault(path, cell.coordinate, "formula_unread"))
            cells.append(_of_cell(value.value, value.number_format, value.data_type))
            if isinstance(cells[-1], str) and (found := CONTROLS.search(str(cells[-1]))):
                faults.append(fault(path, cell.coordinate, "control_character", code=f"U+{ord(found[0]):04X}"))
        grid.rows.append(cells)
        grid.lines.append(row[0].row)
    if faults:
        raise InputError(faults[:5])
    return grid


def _of_cell(value: object, number_format: str, kind: str) -> Value:
    if isinstance(value, str):
        return _tidy(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return Percent(value) if "%" in str(number_format) else float(value)
    if isinstance(value, (datetime.date, datetime.time, datetime.timedelta)):
        return value
    return _tidy(str(value))
