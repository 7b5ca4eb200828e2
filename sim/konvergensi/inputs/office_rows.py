"""Rows of an office's table as text, numbers written with a point, for readers that check each row by itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.files import read_bytes
from konvergensi.inputs.office_cells import Numbers, as_text, decimal_marks, plain_number
from konvergensi.inputs.office_table import OfficeTable, read_table

_POINTED = re.compile(r"-?\d+,\d+")


def read_office_rows(
    path: Path,
    table: str,
    needed: Collection[str],
    names: Collection[str],
    numbers: Mapping[str, Numbers],
    notes: list[Fault] | None = None,
) -> list[tuple[int, dict[str, str]]]:
    """Line and cells, by column, of every row of a file: CSV or workbook.

    Parameters: table, whose column names (office.toml); needed, columns that have to be there; names, those of them
    that say what a row is about; numbers, columns of numbers, whose cells are written with a point where they can mean
    one number only; notes, is added what was read how. Raises InputError for a missing column, and for a number that
    may mean two things, naming its cell.
    """
    found = read_table(read_bytes(path), path, table, needed, names)
    faults = [fault(path, name, "missing_column") for name in needed if name not in found.columns]
    if faults:
        raise InputError(faults)
    marks = decimal_marks(found, {name: spec for name, spec in numbers.items() if name in found.columns})
    cells: dict[str, list[str]] = {}
    for name in found.columns:
        if name in numbers:
            cells[name], wrong = plain_number(found, name, numbers[name], marks)
            faults += wrong
        else:
            cells[name] = [_text(found, cell) for cell in map(as_text, found.cells(name))]
    if faults:
        raise InputError(faults)
    if notes is not None:
        notes += found.notes
    return [(found.grid.lines[row], {name: cells[name][i] for name in cells}) for i, row in enumerate(found.rows)]


def _text(found: OfficeTable, cell: str) -> str:
    """A code such as 32.11, which a spreadsheet with decimal commas writes 32,11."""
    return cell.replace(",", ".") if found.grid.between != "," and _POINTED.fullmatch(cell) else cell
