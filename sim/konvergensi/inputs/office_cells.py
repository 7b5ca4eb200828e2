"""Cells of an office's table as numbers and as yes or no: read where they can mean one thing only, else refused.

Which of point and comma is the decimal mark is decided once for a table, by the cells that allow one meaning only.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.errors import Fault, fault
from konvergensi.inputs.fields import number_fault
from konvergensi.inputs.office_files import Percent, Value
from konvergensi.inputs.office_table import OfficeTable, read_scales, read_words

F64 = NDArray[np.float64]
_NUMBER = re.compile(r"(?P<number>[-+−]?\d[\d.,]*(?: \d{3})*(?:[.,]\d+)?)\s*(?P<unit>[^\d.,\s].*)?")
_MARKS = tuple(
    (mark, other, re.compile(rf"[-+]?(?:0|[1-9]\d{{0,2}}(?:[{other} ]\d{{3}})+|\d+)(?:[{mark}]\d+)?"))
    for mark, other in ((".", ","), (",", "."))
)
_MONEY = re.compile(r"^rp\.?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Numbers:
    """What the numbers of a column are: range, unit, whole or not, and words that may stand after them."""

    low: float
    high: float
    unit: str
    whole: bool = False
    words: tuple[str, ...] = ()

    @property
    def is_share(self) -> bool:
        return self.unit.startswith("share")

    def allows(self, value: float) -> bool:
        return self.low <= value <= self.high and (not self.whole or value == int(value))


@dataclass(frozen=True)
class _Token:
    """A cell's text taken apart: its meanings by decimal mark, its unit, whether it is a percent."""

    meanings: dict[str, float]
    unit: str
    percent: bool
    marked: bool  # holds a point or comma

    def value(self, mark: str) -> float:
        return self.meanings[mark] / (100 if self.percent else 1)


def meanings(text: str) -> dict[str, float]:
    """What digits with points, commas and spaces can mean, by the decimal mark: `1.520` is 1.52 or 1520."""
    found: dict[str, float] = {}
    for decimal, thousands, groups in _MARKS:
        if groups.fullmatch(text):
            plain = text.replace(thousands, "").replace(" ", "").replace(decimal, ".")
            found[decimal] = float(plain)
    return found


def decimal_marks(table: OfficeTable, columns: dict[str, Numbers]) -> set[str]:
    """The decimal marks that cells with only one meaning show, in columns that may hold decimals; a comma is noted."""
    marks = {mark for name, spec in columns.items() if not spec.whole for mark in _evidence(table, name, spec)}
    if "," in marks:
        table.notes.append(fault(table.grid.path, "", "read_decimal_comma"))
    return marks


def _evidence(table: OfficeTable, name: str, spec: Numbers) -> set[str]:
    tokens = (_token(cell, spec) for cell in table.cells(name) if isinstance(cell, str))
    plausible = (_plausible(each, spec, name in table.percent) for each in tokens if each and each.marked)
    return {next(iter(marks)) for marks in plausible if len(marks) == 1}


def _plausible(token: _Token, spec: Numbers, percent: bool) -> set[str]:
    scale = 100.0 if spec.is_share and percent and not token.percent else 1.0
    fits = {mark for mark in token.meanings if spec.allows(token.value(mark) / scale)}
    return fits if len({token.meanings[mark] for mark in fits}) > 1 or len(fits) == 1 else set()


@functools.lru_cache(maxsize=1 << 14)  # a cell is asked for its marks, its value and its percent, each by itself
def _token(cell: str, spec: Numbers) -> _Token | None:
    text = cell.removeprefix("'").replace("−", "-")
    if spec.unit == "rupiah":
        text = re.sub(r",-$", "", _MONEY.sub("", text))
    found = _NUMBER.fullmatch(text)
    if not found:
        return None
    number, unit = found["number"], (found["unit"] or "").strip().casefold().rstrip(".")
    percent = unit in read_words()["percent"]
    scale = read_scales().get(unit.removesuffix(" rupiah")) if spec.unit == "rupiah" else None
    if scale is not None:
        scaled = {mark: value * scale for mark, value in meanings(number).items()}
        return _Token(scaled, unit, False, bool(re.search("[.,]", number))) if scaled else None
    if unit and not (percent and spec.is_share) and unit not in spec.words:
        return None
    means = meanings(number)
    percent = percent and spec.is_share
    return _Token(means, unit, percent, bool(re.search("[.,]", number))) if means else None


def read_numbers(table: OfficeTable, name: str, spec: Numbers, marks: set[str]) -> tuple[F64 | None, list[Fault]]:
    """The numbers of a column, or None and what is wrong; conversions are added to the table's notes.

    Parameters: marks, the decimal marks of the table (`decimal_marks`).
    """
    cells = table.cells(name)
    values = np.full(len(cells), np.nan)
    bad: dict[str, tuple[list[int], Fault]] = {}
    converted: list[int] = []
    own = _evidence(table, name, spec)
    header_percent = spec.is_share and name in table.percent
    signed = spec.is_share and any(_shows_percent(cell, spec) for cell in cells)

    def refuse(kind: str, at: int, what: Fault) -> None:
        bad.setdefault(kind, ([], what))[0].append(at)

    for at, cell in enumerate(cells):
        value, what = _value(cell, spec, own, marks)
        if what is not None:
            refuse(what.phrase, at, what)
            continue
        percent = _shows_percent(cell, spec)
        if header_percent and not percent:
            value /= 100
        elif signed and not percent and value != 0:
            refuse("half_percent", at, fault("", "", "half_percent", value=_shown(cell)))
            continue
        if wrong := number_fault(value, spec.low, spec.high, spec.unit, spec.whole):
            refuse(wrong[0], at, fault("", "", wrong[0], **wrong[1]))
            continue
        values[at] = value
        if isinstance(cell, str) and (percent or header_percent or _plain(cell) != value):
            converted.append(at)
    faults = [each for places, what in bad.values() for each in table.first_fault(name, places, what)]
    if header_percent and not signed and not faults and len(values) and 0 < values.max() <= 0.01:
        faults = table.first_fault(name, [int(values.argmax())], fault("", "", "percent_or_share",
                                   header=table.headers[name], value=_shown(cells[int(values.argmax())])))  # fmt: skip
    if faults:
        return None, faults
    _tell(table, name, cells, values, converted, header_percent)
    return values, []


def plain_number(table: OfficeTable, name: str, spec: Numbers, marks: set[str]) -> tuple[list[str], list[Fault]]:
    """The cells of a column of numbers as text with a point, and faults of those that may mean two things or are dates.

    What is no number, and nothing, stays as it is: whoever checks the rows refuses it.
    """
    own = _evidence(table, name, spec)
    read: list[str] = []
    bad: dict[str, tuple[list[int], Fault]] = {}
    for at, cell in enumerate(table.cells(name)):
        value, what = _value(cell, spec, own, marks)
        if isinstance(cell, Percent):  # 0.193 shown as 19.3%
            value = round(value * 100, 10)
        if what is not None and what.phrase in ("two_meanings", "is_date"):
            bad.setdefault(what.phrase, ([], what))[0].append(at)
        read.append(repr(float(value)) if what is None else as_text(cell))
    return read, [each for places, what in bad.values() for each in table.first_fault(name, places, what)]


def _value(cell: Value, spec: Numbers, own: set[str], marks: set[str]) -> tuple[float, Fault | None]:
    """The number in a cell, its percent sign heeded; else what is wrong with it."""
    if isinstance(cell, bool):
        return float(cell), None
    if isinstance(cell, float):
        return float(cell), None
    if cell is None or cell == "":
        return 0.0, fault("", "", "empty")
    if isinstance(cell, (datetime.date, datetime.time, datetime.timedelta)):
        return 0.0, fault("", "", "is_date", value=str(cell))
    token = _token(cell, spec)
    if token is None:
        return _unread(cell, spec)
    fits = {mark for mark in token.meanings if spec.allows(token.value(mark))} or set(token.meanings)
    values = {mark: token.value(mark) for mark in token.meanings if mark in fits}
    if len(set(values.values())) == 1 and not (spec.whole and _fraction(cell, values, marks)):
        return next(iter(values.values())), None
    if len(set(values.values())) == 1:
        return _unread(cell, spec)
    known = own or (marks - _marks_in(cell) if spec.whole else marks)
    if len(known) == 1 and (mark := next(iter(known))) in values:
        return values[mark], None
    shown = " / ".join(f"{value:g}" for value in sorted(values.values()))
    return 0.0, fault("", "", "two_meanings", value=cell, choices=shown)


def _fraction(cell: str, values: dict[str, float], marks: set[str]) -> bool:
    """Whether a whole number is written with decimals by a mark that is not the table's: 4,00 beside 0.35."""
    mark = next(iter(values))
    written = re.search(rf"[{mark}]\d+\D*$", cell)
    return len(values) == 1 and written is not None and bool(marks) and mark not in marks


def _marks_in(cell: str) -> set[str]:
    return {mark for mark in ".," if mark in cell}


def _unread(cell: str, spec: Numbers) -> tuple[float, Fault | None]:
    try:
        value = float(cell)  # inf and the like: outside its range
    except ValueError:
        value = np.nan
    if re.search(r"\d{1,4}[-/]\w{1,9}([-/]\d{2,4})?", cell):
        return 0.0, fault("", "", "is_date", value=cell)
    wrong = number_fault(value if value == value else cell, spec.low, spec.high, spec.unit, spec.whole)
    return (value, None) if wrong is None else (0.0, fault("", "", wrong[0], **wrong[1]))


def _shows_percent(cell: Value, spec: Numbers) -> bool:
    if isinstance(cell, Percent):
        return True
    token = _token(cell, spec) if isinstance(cell, str) else None
    return token is not None and token.percent


def _plain(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _shown(cell: Value) -> object:
    return cell if isinstance(cell, (str, float)) else str(cell)


def _tell(
    table: OfficeTable, name: str, cells: list[Value], values: F64, converted: list[int], header_percent: bool
) -> None:
    """One note for a column: an example of what was converted, the one with most to it, and how many cells."""
    special = [at for at in converted if not re.fullmatch(r"-?\d+,\d+", str(cells[at])) or header_percent]
    if special:
        at = max(special, key=lambda one: len(str(cells[one])))
        words = {"value": str(cells[at]), "read": f"{values[at]:.10g}", "n": len(special)}
        table.notes.append(fault(table.grid.path, name, "read_as", **words))


def read_yes_no(table: OfficeTable, name: str) -> tuple[F64 | None, list[Fault]]:
    """A column of yes and no as 1 and 0, or None and what is wrong."""
    words = read_words()
    means = dict.fromkeys(words["yes"], 1.0) | dict.fromkeys(words["no"], 0.0)
    cells = table.cells(name)
    values = np.full(len(cells), np.nan)
    bad: dict[str, tuple[list[int], Fault]] = {}
    told: dict[str, float] = {}
    for at, cell in enumerate(cells):
        text = cell.casefold() if isinstance(cell, str) else cell
        if isinstance(text, (bool, float)) and float(text) in (0.0, 1.0):
            values[at] = float(text)
        elif isinstance(text, str) and text in means:
            values[at] = means[text]
            if text not in ("0", "1"):
                told[str(cell)] = means[text]
        else:
            what = _not_yes_no(cell)
            bad.setdefault(what.phrase, ([], what))[0].append(at)
    if bad:
        return None, [each for places, what in bad.values() for each in table.first_fault(name, places, what)]
    if told:
        shown = ", ".join(f"{word} = {value:.0f}" for word, value in told.items())
        table.notes.append(fault(table.grid.path, name, "read_words", words=shown))
    return values, []


def _not_yes_no(cell: Value) -> Fault:
    if cell is None or cell == "":
        return fault("", "", "empty")
    number = cell if isinstance(cell, float) else _plain(str(cell))
    wrong = number_fault(number, 0, 1, "", True) if number is not None and number == number else None
    return fault("", "", wrong[0], **wrong[1]) if wrong else fault("", "", "not_yes_no", value=_shown(cell))


def scale_of(header: str) -> float:
    """What amounts under a header are multiplied by: 1e6 for `Pagu (Rp juta)`."""
    words = re.sub(r"\W+", " ", header.casefold()).split()
    return next((scale for word, scale in read_scales().items() if word in words), 1.0)


def as_text(cell: Value) -> str:
    """A cell of a text column: whole numbers without a point."""
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() else f"{cell}"
    return "" if cell is None else str(cell)


def texts(cells: Iterable[Value]) -> list[str]:
    """The cells of a text column."""
    return [as_text(cell) for cell in cells]
