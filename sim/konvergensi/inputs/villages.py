"""villages.csv or villages.xlsx: one row per village (desa or kelurahan), as offices keep them, checked by column.

Columns: village, kecamatan (str); families (int); lokus, synthetic (bool); remoteness (0 near the district
capital to 1), poverty (share of families), posyandu_quality (0 to 1); x, y (km east and north). A village is its
kecamatan and its name, or its code (`kode_desa`) where there is one. Instead of remoteness, poverty and
posyandu_quality a file may give what offices have (village_conversions.toml).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.inputs.country_profiles import code_of, village_table
from konvergensi.inputs.office_cells import Numbers, decimal_marks, read_numbers, read_yes_no, texts
from konvergensi.inputs.office_table import OfficeTable, read_table
from konvergensi.inputs.village_conversions import ALTERNATIVES, by_word, converted

_OF_FAMILIES = ("kk", "keluarga", "kepala keluarga", "families", "households", "rumah tangga")
NUMBERS = {
    "families": Numbers(1, 1_000_000, "families", True, _OF_FAMILIES),
    "remoteness": Numbers(0, 1, "share"),
    "poverty": Numbers(0, 1, "share of families"),
    "posyandu_quality": Numbers(0, 1, "share"),
    "x": Numbers(-10_000, 10_000, "km", False, ("km", "°")),
    "y": Numbers(-10_000, 10_000, "km", False, ("km", "°")),
    "distance_km": Numbers(0, 1_000, "km", False, ("km", "kilometer")),
    "poor_families": Numbers(0, 1_000_000, "families", True, _OF_FAMILIES),
}
YES_NO = ("lokus", "synthetic")
COLUMNS = (
    "village",
    "kecamatan",
    "families",
    "lokus",
    "remoteness",
    "poverty",
    "posyandu_quality",
    "x",
    "y",
    "synthetic",
)
# Indonesia, degrees: kilometres of a district do not lie so far to the east of their origin all together
_EAST, _NORTH = (94.0, 142.0), (-12.0, 7.0)
_KM_OF_DEGREE = 111.32


@dataclass(frozen=True, eq=False)
class Villages:
    """The village table, columns in the order of COLUMNS, rows as in the file; notes, what was read how."""

    table: pd.DataFrame
    notes: tuple[Fault, ...]


def read_villages(content: bytes, path: Path) -> Villages:
    """Read the villages of a file.

    A profile's are taken from the table that its file was written from: to read them back takes longer than all else.
    Raises InputError with every fault: one per column that is missing or unknown and one per column with bad
    cells, naming the first line or cell.
    """
    if (code := code_of(path.parent)) and path.name == "villages.csv":
        return Villages(village_table(code).copy(), ())
    read = _read_villages(content, path)
    return Villages(read.table.copy(), read.notes)


@functools.lru_cache(maxsize=16)  # a study reads the same district run after run
def _read_villages(content: bytes, path: Path) -> Villages:
    found = read_table(content, path, "villages", COLUMNS, ("village", "kecamatan"))
    missing = [name for name in COLUMNS if not _has(found, name)]
    faults = [fault(path, name, "missing_column") for name in missing]
    if not found.rows:
        raise InputError([*faults, fault(path, "", "no_rows")])
    table = pd.DataFrame(index=range(len(found.rows)))
    for name in ("village", "kecamatan"):
        if name in found.columns:
            table[name] = texts(found.cells(name))
            empty = np.flatnonzero(table[name].eq(""))
            faults += found.first_fault(name, empty.tolist(), fault("", "", "empty"))
    for name in YES_NO:
        if name in found.columns:
            _put(table, name, *read_yes_no(found, name), faults)
    used = _used(found)
    marks = decimal_marks(found, {name: NUMBERS[name] for name in used if name in NUMBERS})
    for name in used:
        if name in NUMBERS:
            _put(table, name, *read_numbers(found, name, NUMBERS[name], marks), faults)
        else:
            _put(table, ALTERNATIVES[name], *by_word(found, name, marks), faults)
    if not faults:
        for name in used:
            if name in ("distance_km", "poor_families"):
                _put(table, ALTERNATIVES[name], *converted(found, name, table), faults)
    if "kecamatan" in table:
        table["kecamatan"] = _one_spelling(found, table["kecamatan"])
    if {"village", "kecamatan"} <= set(table):
        faults += _told_apart(found, table)
    if {"x", "y"} <= set(table):
        faults += _placed(found, table)
    if faults:
        raise InputError(faults)
    whole = table[list(COLUMNS)].astype({"families": "int64", "lokus": bool, "synthetic": bool})
    return Villages(whole.reset_index(drop=True), tuple(found.notes))


def _put(table: pd.DataFrame, name: str, values: np.ndarray | None, wrong: list[Fault], faults: list[Fault]) -> None:
    faults += wrong
    if values is not None:
        table[name] = values


def _has(found: OfficeTable, name: str) -> bool:
    return name in found.columns or any(other in found.columns for other, of in ALTERNATIVES.items() if of == name)


def _used(found: OfficeTable) -> list[str]:
    """Columns of numbers that are read: the model's own, else the first of what offices have; others are skipped."""
    used = [name for name in COLUMNS if name in NUMBERS and name in found.columns]
    for of in dict.fromkeys(ALTERNATIVES.values()):
        there = [name for name, what in ALTERNATIVES.items() if what == of and name in found.columns]
        kept = [] if of in used else there[:1]
        used += kept
        if left := [found.headers[name] for name in there if name not in kept]:
            instead = found.headers[kept[0]] if kept else of
            found.notes.append(fault(found.grid.path, "", "read_instead", names=", ".join(left), used=instead))
    return used


# ---- names -----------------------------------------------------------------------------------------------------------


def _kecamatan(name: str) -> str:
    """A kecamatan's name as it is compared: small letters, without `kecamatan` before it."""
    words = re.sub(r"[\W_]+", " ", name.casefold()).strip()
    return re.sub(r"^(kecamatan|kec)\s+", "", words)


def _one_spelling(found: OfficeTable, names: pd.Series) -> pd.Series:
    """One spelling for each kecamatan: the shortest that is not all capitals, of those the most frequent."""
    spellings: dict[str, Counter[str]] = {}
    for name in names:
        spellings.setdefault(_kecamatan(name), Counter())[name] += 1
    chosen, told = {}, []
    for key, counts in spellings.items():
        chosen[key] = min(counts, key=lambda each: (each.isupper(), len(each), -counts[each], each))
        if len(counts) > 1:
            others = ", ".join(each for each in counts if each != chosen[key])
            told.append(f"{others} = {chosen[key]}")
    if told:
        found.notes.append(fault(found.grid.path, "kecamatan", "read_one_kecamatan", names="; ".join(told)))
    return names.map(lambda name: chosen[_kecamatan(name)])


def _told_apart(found: OfficeTable, table: pd.DataFrame) -> list[Fault]:
    """A village is its code, else kecamatan and name. Names shared in a kecamatan by two codes are told by the code."""
    faults: list[Fault] = []
    path = found.grid.path
    lines = [found.grid.lines[row] for row in found.rows]
    codes = pd.Series(texts(found.cells("code")) if "code" in found.columns else [""] * len(table))
    known = codes.ne("")
    for name in codes[known & codes.duplicated(keep=False)].unique()[:1]:
        faults.append(_twice(path, found.headers["code"], name, [lines[i] for i in np.flatnonzero(codes.eq(name))]))
    named = table["village"].str.casefold() + "|" + table["kecamatan"]
    same = named.duplicated(keep=False) & table["village"].ne("")
    for name in named[same].unique():
        rows = np.flatnonzero(named.eq(name))
        if not known.iloc[rows].all():
            faults.append(_twice(path, "village", str(table["village"].iloc[rows[0]]), [lines[i] for i in rows]))
            break
        table.loc[rows, "village"] = [f"{table['village'].iloc[i]} ({codes.iloc[i]})" for i in rows]
    if known.any() and not faults:
        found.notes.append(fault(path, found.headers["code"], "read_code"))
    if "code" in found.columns and known.any() and not known.all():
        faults += found.first_fault("code", np.flatnonzero(~known).tolist(), fault("", "", "empty"))
    return faults


def _twice(path: Path, key: str, name: str, lines: list[int]) -> Fault:
    return fault(path, key, "duplicate", value=name, at=f" (line {', '.join(map(str, lines))})")


# ---- places ----------------------------------------------------------------------------------------------------------


def _placed(found: OfficeTable, table: pd.DataFrame) -> list[Fault]:
    """Longitude and latitude, told by header or by lying in Indonesia, become km east and north of their middle."""
    headers = " ".join(found.headers[name] for name in ("x", "y")).casefold()
    x, y = table["x"], table["y"]
    named = any(word in headers for word in ("bujur", "lintang", "lon", "lng", "lat"))
    if named and "lintang selatan" in headers and (y > 0).all():
        y = -y
    inside = x.between(*_EAST) & y.between(*_NORTH)
    if x.between(*_NORTH).all() and y.between(*_EAST).all():
        words = {"x": f"{x.iloc[0]:g}", "y": f"{y.iloc[0]:g}"}
        return [fault(found.grid.path, found.headers["x"], "swapped_degrees", **words)]
    if not inside.all():
        if named or inside.mean() > 0.5:
            what = fault("", "", "no_degrees", x=f"{x[~inside].iloc[0]:g}", y=f"{y[~inside].iloc[0]:g}")
            return found.first_fault("x", np.flatnonzero(~inside).tolist(), what)
        return []
    if "km" in headers:
        return []
    middle_x, middle_y = (float(each.min() + each.max()) / 2 for each in (x, y))
    table["x"] = ((x - middle_x) * _KM_OF_DEGREE * np.cos(np.radians(middle_y))).round(3)
    table["y"] = ((y - middle_y) * _KM_OF_DEGREE).round(3)
    found.notes.append(fault(found.grid.path, "x, y", "read_degrees", x=f"{middle_x:.4g}", y=f"{middle_y:.4g}"))
    return []
