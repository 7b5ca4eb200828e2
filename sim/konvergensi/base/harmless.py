"""Text from files, made harmless for whoever shows it: a terminal, a page, a spreadsheet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# C0 and C1 controls but tab and line feed, and what turns the direction of text or breaks its lines
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# what a spreadsheet takes for the beginning of a formula, at once or after a white space it drops
FORMULA = re.compile(r"^\s*[=+\-@]|^\t")


def plain(text: str) -> str:
    """Text with its control characters written out: they would command a terminal, not be shown by it."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def neutral(cell: object) -> object:
    """A cell of a CSV file for spreadsheets: plain, and text that would be run as a formula is led by an apostrophe.

    Numbers, also when written as text, stay as they are.
    """
    if not isinstance(cell, str):
        return cell
    text = plain(cell)
    if not FORMULA.match(text):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


# how Excel opens a CSV file where Indonesian is its language
INDONESIAN: dict[str, Any] = {"sep": ";", "decimal": ",", "encoding": "utf-8-sig", "lineterminator": "\r\n"}


def write_csv(table: pd.DataFrame, file: Path, indonesian: bool = False) -> None:
    """Write a table for spreadsheets: UTF-8, without its index, every cell and heading made `neutral`.

    indonesian: semicolons, decimal commas and the mark of UTF-8.
    """
    text = [name for name in table if table[name].dtype.kind not in "biufcmM"]
    safe = table.copy(deep=False)
    for name in text:
        safe[name] = table[name].map(neutral)
    safe.rename(columns={name: neutral(name) for name in table}).to_csv(
        file, index=False, **(INDONESIAN if indonesian else {})
    )
