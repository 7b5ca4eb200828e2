"""What is written on request beside a result's own files: PDF, slides, a workbook of tables, CSV for Excel."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from konvergensi.base.errors import InputError, fault
from konvergensi.base.words import Lang
from konvergensi.report import pdf, slides, tables

ALSO = ("pdf", "pptx", "xlsx", "csv")
# name of the PDF by kind of result; kinds without a page have none
PDF = {
    "comparison": "decision.pdf",
    "run": "summary.pdf",
    "gaps": "gaps.pdf",
    "explanation": "explain.pdf",
    "allocation": "allocation.pdf",
    "villages": "villages.pdf",
}
LIBRARY = {
    "pdf": ("reportlab", "reportlab"),
    "pptx": ("pptx", "python-pptx"),
}  # module, package
SLIDES, TABLES, CSV = "slides.pptx", "tables.xlsx", "csv"


def check(kind: str, also: Collection[str]) -> None:
    """Raise InputError for what a kind of result cannot be written as, before any work."""
    for each in also:
        if each not in ALSO:
            raise InputError(fault("", "also", "choice", value=each, choices=", ".join(ALSO)))
        if each in LIBRARY and find_spec(LIBRARY[each][0]) is None:
            raise InputError(fault("", f"--{each}", "no_library", name=LIBRARY[each][1]))
        if (each == "pdf" and kind not in PDF) or (each == "pptx" and kind != "comparison"):
            raise InputError(fault("", f"--{each}", "not_of_kind", value=kind))


def names(kind: str, also: Collection[str]) -> list[str]:
    """Names and patterns of what is written."""
    made = {"pdf": PDF.get(kind, ""), "pptx": SLIDES, "xlsx": TABLES, "csv": f"{CSV}/*.csv"}
    return [made[each] for each in also]


def write(result: Any, folder: Path, lang: Lang, also: Collection[str], page: str) -> None:
    """Write into a folder in which the result's page and figures stand already; page: its page as Markdown."""
    drawn = sorted((folder / "figures").glob("*.png"))
    if "pdf" in also and result.kind == "comparison":
        chosen = [folder / "figures" / f"{name}.png" for name in pdf.PRINTED]
        pdf.write_comparison(result, folder / PDF[result.kind], lang, [each for each in chosen if each in drawn])
    elif "pdf" in also:
        pdf.write_page(page, folder / PDF[result.kind], lang, drawn)
    if "pptx" in also:
        slides.write_slides(result, folder / SLIDES, lang)
    if "xlsx" in also:
        tables.write_tables(result, folder / TABLES, lang)
    if "csv" in also:
        tables.write_csvs(result, folder / CSV, lang)
