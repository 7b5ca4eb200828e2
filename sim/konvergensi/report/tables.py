"""Every table of a result for a spreadsheet: a workbook, or CSV that an Indonesian Excel opens as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from konvergensi.base.harmless import write_csv
from konvergensi.base.words import Lang, word, word_or
from konvergensi.observe.units import CHILDREN, HOUSEHOLDS, RUPIAH, SHARE, YEAR, units_of
from konvergensi.report.workbook import DECIMAL, PERCENT, WHOLE, Sheet, write_workbook
from konvergensi.report.workbook import RUPIAH as RUPIAH_FORMAT

_FORMATS = {RUPIAH: RUPIAH_FORMAT, SHARE: PERCENT, CHILDREN: WHOLE, HOUSEHOLDS: WHOLE, YEAR: "0"}
MOST_ROWS = 1_000_000  # a sheet of Excel holds 1,048,576


def header(column: str, lang: Lang) -> str:
    """A column's heading in the language; its own name where it is one of a file of the user's."""
    return word_or(f"column.{column}", lang, column)


def write_tables(result: Any, path: Path, lang: Lang) -> None:
    """Write every table of a result as a sheet of one workbook, and what it is of as the first sheet."""
    sheets = [Sheet(word("paper.about", lang), ["", ""], _about(result, lang))]
    for name, table in result.tables().items():
        sheets.append(_sheet(result.kind, name, table, lang))
    write_workbook(sheets, path)


def _sheet(kind: str, name: str, table: pd.DataFrame, lang: Lang) -> Sheet:
    units = units_of(kind, name, table.columns) | table.attrs.get("units", {})
    formats = {at: _format(table[column], units.get(str(column), "")) for at, column in enumerate(table.columns)}
    shown = table.head(MOST_ROWS).astype(object)
    before = [word("paper.cut", lang, n=MOST_ROWS, of=len(table))] if len(table) > MOST_ROWS else []
    rows = shown.to_numpy().tolist()
    return Sheet(name, [header(str(column), lang) for column in table.columns], rows, before, formats)


def _format(column: pd.Series, unit: str) -> str:
    if column.dtype.kind not in "iuf":
        return "General"
    return _FORMATS.get(unit, WHOLE if column.dtype.kind in "iu" else DECIMAL)


def _about(result: Any, lang: Lang) -> list[tuple[str, str]]:
    """What a result is of, and that nothing in it is a measurement."""
    manifest = result.manifest
    names = ("version", "district", "policy", "policies", "start", "end", "draws", "seeds", "seed",
             "population_share", "synthetic_inputs")  # fmt: skip
    told = [(word_or(f"paper.name.{name}", lang, name), _text(manifest[name])) for name in names if name in manifest]
    return [*told, ("", word("paper.simulated", lang))]


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def write_csvs(result: Any, folder: Path, lang: Lang) -> None:
    """Write every table as CSV for Excel in Indonesian: semicolons, decimal commas, UTF-8 with its mark."""
    folder.mkdir(exist_ok=True)
    for name, table in result.tables().items():
        headed = table.copy(deep=False)
        headed.columns = [str(header(str(column), lang)) for column in table.columns]
        write_csv(headed, folder / f"{name}.csv", indonesian=True)
