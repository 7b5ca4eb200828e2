"""CSV files of people: parsed strictly, as strings, each row with its line in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.files import as_text, read_bytes

Row = TypeVar("Row")
WORKBOOK = b"PK\x03\x04"  # how xlsx and ods begin
SHOWN = 5  # one column too few in the header is one fault, not one for each row


def parse_csv(content: bytes, path: Path) -> pd.DataFrame:
    """Parse CSV into a table of strings whose index is the line in the file; blank lines are no rows.

    Raises InputError when it is a workbook, not UTF-8 or no CSV, names a column twice,
    is separated by semicolons, or a row does not fit the header. pandas would shift, cut or fill such rows silently.
    """
    if content.startswith(WORKBOOK):
        raise InputError(fault(path, "", "workbook"))
    text = as_text(content, path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                lines.append(reader.line_num)
                rows.append(row)
    except csv.Error as error:
        raise InputError(fault(path, "", "bad_csv", line=reader.line_num, reason=error)) from None
    if not rows:
        raise InputError(fault(path, "", "no_rows"))
    header = [name.strip() for name in rows[0]]
    if len(header) == 1 and ";" in header[0]:
        raise InputError(fault(path, "", "semicolons"))
    twice = [name for name in dict.fromkeys(header) if header.count(name) > 1]
    faults = [fault(path, name, "duplicate", value=name, at="") for name in twice]
    faults += [
        fault(path, "", "cells", line=line, cells=len(row), columns=len(header))
        for line, row in zip(lines, rows)
        if len(row) != len(header)
    ][:SHOWN]
    if faults:
        raise InputError(faults)
    return pd.DataFrame(rows[1:], columns=header, index=lines[1:], dtype=str)


def read_rows(path: Path, columns: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    """Line and cells, by column, of every row of a file. Raises InputError as `parse_csv`, and for a missing column."""
    table = parse_csv(read_bytes(path), path)
    if lacking := [name for name in columns if name not in table]:
        raise InputError(fault(path, name, "missing_column") for name in lacking)
    cells = table.to_numpy(str).tolist()
    return [(int(line), dict(zip(table.columns, row))) for line, row in zip(table.index, cells)]


def typed(
    cells: Mapping[str, str], numbers: Collection[str], whole: Collection[str] = (), empty: Collection[str] = ()
) -> dict[str, Any]:
    """Cells as what their column holds: numbers where they can be read so; what cannot stays a text, to be named later.

    Parameters: numbers, columns of numbers; whole, those among them whose whole numbers are ints; empty, the columns
    of which an empty cell is kept, as a text without characters; of the others it is left out.
    """
    found: dict[str, Any] = {}
    for name, cell in cells.items():
        text = cell.strip()
        if not text and name not in empty:
            continue
        found[name] = text
        if name in numbers:
            try:
                number = float(text)
            except ValueError:
                continue
            found[name] = int(number) if name in whole and number.is_integer() else number
    return found


def all_or_faults(path: Path, found: list[Row], faults: list[Fault]) -> list[Row]:
    """The rows of a file, none of which is wrong. Raises InputError with all faults, or when there is no row."""
    if faults:
        raise InputError(faults)
    if not found:
        raise InputError(fault(path, "", "no_rows"))
    return found
