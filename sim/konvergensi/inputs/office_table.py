"""A table inside a file of an office: where its header stands, which columns are meant, which rows are none.

Each thing done is one note. What is not sure is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from konvergensi.base.errors import Fault, InputError, fault, nearest
from konvergensi.base.files import read_toml
from konvergensi.inputs.office_files import Grid, Value, read_grid

_HEADER_WITHIN = 40  # rows
_SHOWN = 5
_PERCENT_WORD = re.compile(r"%|\b(persen|persentase|presentase|percent|percentage|pct)\b")


@cache
def column_names(table: str) -> dict[str, str]:
    """Headers as offices write them, in small letters -> the column's name here."""
    found = read_toml(Path(__file__).with_name("office.toml"))[table]
    return {each: column for column, listed in found.items() for each in listed}


@dataclass
class OfficeTable:
    """Rows of a table: for each column its cells; `rows` the row of the grid each came from."""

    grid: Grid
    columns: dict[str, int]
    percent: set[str]  # columns whose header says percent
    headers: dict[str, str]  # column -> header as written
    rows: list[int]
    notes: list[Fault] = field(default_factory=list)

    def cells(self, column: str) -> list[Value]:
        """The cells of a column, None where a row ends before it."""
        at = self.columns[column]
        return [_cell(self.grid.rows[row], at) for row in self.rows]

    def first_fault(self, column: str, bad: Iterable[int], what: Fault) -> list[Fault]:
        """One fault for all bad cells of a column: the first one's place, and how many more."""
        places = list(bad)
        if not places:
            return []
        words = self.grid.at(self.rows[places[0]], self.columns[column], what, len(places) - 1)
        return [fault(self.grid.path, column, str(words.pop("phrase")), **words)]


def read_table(
    content: bytes, path: Path, table: str, needed: Collection[str], names: Collection[str], least: int = 2
) -> OfficeTable:
    """Find the table with these columns in a file.

    Parameters: table, whose column names (office.toml); needed, columns that make a row one of the table; names, those
    of them that say what a row is about; least, headers that have to be known for a row to be the header. Raises
    InputError as `read_grid`, for columns that are there twice, headers that are nearly right, and rows that do not fit
    the header.
    """
    known = column_names(table)
    grid = read_grid(content, path, lambda each: _header(each, known)[1])
    at, score = _header(grid, known)
    if score < least:
        at = next((i for i, row in enumerate(grid.rows) if any(not _is_empty(cell) for cell in row)), 0)
    if not grid.rows:
        raise InputError(fault(path, "", "no_rows"))
    header, last = _two_rows(grid, at, known)
    columns, percent, headers, notes = _columns(grid, header, last, known, set(needed))
    found = OfficeTable(grid, columns, percent, headers, [], [*grid.notes, *notes])
    found.rows = _rows(found, at, last, set(needed), set(names))
    return found


def as_header(text: Value) -> str:
    """A header as it is compared: small letters, no brackets, no words for percent, one space between words."""
    return _as_header(text) if isinstance(text, str) else ""


@lru_cache(maxsize=1 << 14)
def _as_header(text: str) -> str:
    plain = re.sub(r"\(.*?\)|\[.*?\]", " ", text.casefold())
    return " ".join(re.sub(r"[\W_]+", " ", _PERCENT_WORD.sub(" ", plain)).split()) or (
        "percent" if plain.strip() else ""
    )


def _known(cell: Value, known: dict[str, str]) -> str | None:
    return known.get(as_header(cell))


def _header(grid: Grid, known: dict[str, str]) -> tuple[int, int]:
    """The row that names most columns, and how many."""
    scores = [len({_known(cell, known) for cell in row} - {None}) for row in grid.rows[:_HEADER_WITHIN]]
    best = max(scores, default=0)
    return (scores.index(best) if scores else 0), best


def _two_rows(grid: Grid, at: int, known: dict[str, str]) -> tuple[list[Value], int]:
    """The header's cells, and its last row: under merged headings a second row may name the columns."""
    header, below = grid.rows[at], grid.rows[at + 1] if at + 1 < len(grid.rows) else []
    fresh = [i for i, cell in enumerate(below) if _known(cell, known) and not _known(_cell(header, i), known)]
    if not fresh or any(isinstance(cell, float) for cell in below):
        return header, at
    wide = max(len(header), len(below))
    return [_cell(below, i) if i in fresh else _cell(header, i) for i in range(wide)], at + 1


def _columns(
    grid: Grid, header: list[Value], last: int, known: dict[str, str], needed: set[str]
) -> tuple[dict[str, int], set[str], dict[str, str], list[Fault]]:
    columns: dict[str, int] = {}
    percent: set[str] = set()
    headers: dict[str, str] = {}
    skipped: list[tuple[int, str]] = []
    renamed: list[str] = []
    faults: list[Fault] = []
    for at, cell in enumerate(header):
        text = "" if cell is None else str(cell)
        column = _known(cell, known)
        if column is None:
            if text or any(not _is_empty(_cell(row, at)) for row in grid.rows[last + 1 :]):
                skipped.append((at, text))
            continue
        if column in columns:
            faults.append(fault(grid.path, column, "duplicate", value=text, at=""))
            continue
        columns[column] = at
        headers[column] = text
        if isinstance(cell, str) and _PERCENT_WORD.search(cell.casefold()) and column != "percent":
            percent.add(column)
        if text.casefold() != column:
            renamed.append(f"{text} = {column}")
    missing = needed - columns.keys()
    for _, text in skipped:
        spelt = (
            nearest(as_header(text), [name for name, column in known.items() if column in missing]) if text else None
        )
        if spelt:
            faults.append(fault(grid.path, text, "unknown", near=known[spelt]))
    if faults:
        raise InputError([*faults, *(fault(grid.path, name, "missing_column") for name in sorted(missing))])
    notes = []
    if renamed:
        notes.append(fault(grid.path, "", "read_columns", names=", ".join(renamed)))
    if skipped:
        shown = ", ".join(text or f"#{at + 1}" for at, text in skipped)
        notes.append(fault(grid.path, "", "read_columns_skipped", names=shown))
    return columns, percent, headers, notes


def _rows(table: OfficeTable, at: int, last: int, needed: set[str], names: set[str]) -> list[int]:
    """The rows of the table proper; those before, empty ones, column numbers, totals and notes are said to be skipped.

    Raises InputError for a row with more or fewer cells than the header.
    """
    grid, kept, faults = table.grid, [], []
    width = len(grid.rows[last])
    skipped: dict[str, list[int]] = {"before": [], "empty": [], "numbers": [], "total": [], "note": []}
    skipped["before"] = [grid.lines[i] for i in range(at) if any(not _is_empty(cell) for cell in grid.rows[i])]
    skipped["empty"] = [grid.lines[i] for i in range(at) if all(_is_empty(cell) for cell in grid.rows[i])]
    used = [column for name, column in table.columns.items() if name in needed]
    about = [column for name, column in table.columns.items() if name in names]
    for i in range(last + 1, len(grid.rows)):
        row = grid.rows[i]
        kind = _kind(row, used, about, i == last + 1)
        if kind:
            skipped[kind].append(grid.lines[i])
            continue
        if not grid.sheet and len(row) != width and (len(row) < width or any(not _is_empty(c) for c in row[width:])):
            phrase = "cells" if grid.between == "," else "cells_between"
            faults.append(fault(grid.path, "", phrase, line=grid.lines[i], cells=len(row), columns=width))
            continue
        kept.append(i)
    if faults:
        raise InputError(faults[:_SHOWN])
    if any(grid.lines[i] in grid.merged for i in kept):
        table.notes.append(fault(grid.path, "", "read_merged"))
    end = grid.lines[kept[-1]] if kept else 0
    skipped["empty"] = [
        line for line in skipped["empty"] if line < end or not grid.sheet
    ]  # a sheet's last rows often are
    for kind, lines in skipped.items():
        if lines:
            table.notes.append(fault(grid.path, "", f"read_skipped_{kind}", lines=_lines(lines)))
    return kept


def _kind(row: list[Value], used: list[int], about: list[int], first: bool) -> str:
    """What a row is that is no row of the table: empty, numbers (of columns), total, note; "" for one of it."""
    filled = [cell for cell in row if not _is_empty(cell)]
    if not filled:
        return "empty"
    if first and len(filled) > 2 and [_ordinal(cell) for cell in filled] == list(range(1, len(filled) + 1)):
        return "numbers"
    words = [as_header(cell) for cell in filled if isinstance(cell, str)]
    total = read_words()["total"]
    names = [_cell(row, at) for at in about]
    told = len(names) > 1 and not any(_is_empty(name) for name in names)
    if told and any(str(name).strip().casefold() in read_words()["village_too"] for name in names):
        return ""  # a village, since its kecamatan stands beside it
    if any(word in total or word.removesuffix(" kabupaten").removesuffix(" kota") in total for word in words[:2]):
        return "total"
    if any(re.match(r"(sub ?total|total|jumlah) (kec|kecamatan|kab|kabupaten|kota)\b", word) for word in words[:2]):
        return "total"
    if len(set(map(str, filled))) == 1 and isinstance(filled[0], str):  # one text, perhaps merged over columns
        return "note"
    nameless = any(_is_empty(_cell(row, at)) for at in about)
    few = sum(not _is_empty(_cell(row, at)) for at in used) <= len(used) // 3
    return "note" if nameless and few else ""


@cache
def read_words() -> dict[str, list[str]]:
    """Words for yes, no, total and percent."""
    return dict(read_toml(Path(__file__).with_name("office.toml"))["words"])


@cache
def read_scales() -> dict[str, float]:
    """Words for thousands, millions, ... of rupiah."""
    return dict(read_toml(Path(__file__).with_name("office.toml"))["scale"])


def _ordinal(cell: Value) -> int | None:
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    found = re.fullmatch(r"\(?(\d{1,3})\)?", text)
    return int(found[1]) if found else None


def _is_empty(cell: Value) -> bool:
    return cell is None or cell == ""


def _cell(row: list[Value], at: int) -> Value:
    return row[at] if at < len(row) else None


def _lines(lines: list[int]) -> str:
    """Line numbers in one word: 1, 2, 7-9."""
    spans: list[list[int]] = []
    for line in sorted(lines):
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
