"""Excel workbooks for offices: headings, widths and number formats that show in the reader's own language."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from konvergensi.base.harmless import FORMULA, plain
from konvergensi.base.scalars import scalar

# Excel shows these with the separators of the reader's language: 1.520 and 0,35 in an Indonesian one
WHOLE, DECIMAL, PERCENT, RUPIAH = "#,##0", "#,##0.0##", "0.0%", '"Rp" #,##0'
_WIDEST = 60
_MADE = datetime.datetime(2000, 1, 1)  # no time of writing: the same content, the same bytes


@dataclass
class Sheet:
    """A sheet: lines above the table, the names of its columns, its rows; formats by column number, from 0.

    fill: columns that are to be filled in, which are coloured.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    before: Sequence[str] = ()
    formats: Mapping[int, str] = field(default_factory=dict)
    fill: Sequence[int] = ()


def write_workbook(sheets: Sequence[Sheet], path: Path) -> None:
    """Write sheets into a new workbook. Text that a spreadsheet would run as a formula is kept as text."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    book.properties.creator, book.properties.created, book.properties.modified = "konvergensi", _MADE, _MADE
    names: list[str] = []
    for each in sheets:
        names.append(_sheet_name(each.name, names))
        _write(book.create_sheet(names[-1]), each)
    book.save(path)


def _sheet_name(name: str, taken: Sequence[str]) -> str:
    """At most 31 letters, none that Excel forbids, no name twice."""
    short = "".join("-" if letter in r"[]:*?/\'" else letter for letter in plain(name))[:31] or "-"
    tries = (short if n == 1 else f"{short[:27]} {n}" for n in range(1, 1000))
    return next(each for each in tries if each.casefold() not in {name.casefold() for name in taken})


def _write(sheet: Any, of: Sheet) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    colour = PatternFill("solid", fgColor="FFF4CC")
    for text in of.before:
        sheet.append([_cell(text)])
        sheet.cell(sheet.max_row, 1).font = Font(italic=sheet.max_row > 1, bold=sheet.max_row == 1)
    top = len(of.before) + 1
    for at, name in enumerate(of.columns, start=1):
        cell = sheet.cell(top, at, _cell(name))
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    for down, row in enumerate(of.rows, start=top + 1):
        for at, value in enumerate(row, start=1):
            cell = sheet.cell(down, at, _cell(value))
            if isinstance(value, str):
                cell.data_type = "s"
            cell.number_format = of.formats.get(at - 1, "General")
            if at - 1 in of.fill:
                cell.fill = colour
    for at, name in enumerate(of.columns, start=1):
        shown = [str(name)[:20], *(_as_shown(row[at - 1]) for row in list(of.rows)[:200] if at <= len(row))]
        sheet.column_dimensions[get_column_letter(at)].width = min(max(map(len, shown)) + 2, _WIDEST)
    sheet.freeze_panes = sheet.cell(top + 1, 1)


def _as_shown(value: Any) -> str:
    value = scalar(value)
    return f"{value:,.0f}" if isinstance(value, float) and math.isfinite(value) else str(value)


def _cell(value: Any) -> Any:
    """A value as a cell: no NaN, no control characters, no formula."""
    value = scalar(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        text = plain(value)
        return f"'{text}" if FORMULA.match(text) and text[:1] == "=" else text
    if value is None or isinstance(value, (bool, int, float, datetime.date)):
        return value
    return plain(str(value))
