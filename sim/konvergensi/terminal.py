"""What the command line prints: phrases in two languages, a progress bar, tables, the summary of a run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from konvergensi.inputs.errors import InputError, fault

if TYPE_CHECKING:
    from konvergensi.runs import Run


class Lang(StrEnum):
    """The language of what is printed and written."""

    en = "en"
    id = "id"


# phrase -> (English, Indonesian)
PHRASES = {
    "running": ("Simulating", "Menyimulasikan"),
    "months": ("months", "bulan"),
    "months_per_second": ("months/s", "bulan/dtk"),
    "runs": ("runs", "simulasi"),
    "runs_per_second": ("runs/s", "simulasi/dtk"),
    "left": ("left", "lagi"),
    "writing": ("Writing tables and figures ...", "Menulis tabel dan gambar ..."),
    "stopped": ("Stopped. Finished runs are kept in {folder}; the same command goes on from there.",
                "Dihentikan. Simulasi yang selesai tersimpan di {folder}; perintah yang sama melanjutkannya."),
    "true": ("True prevalence of stunting: {first} ({start}) to {last} ({end})",
             "Prevalensi stunting sebenarnya: {first} ({start}) menjadi {last} ({end})"),
    "survey": ("  {system} {fieldwork}: {percent} (95 %: {low} to {high})",
               "  {system} {fieldwork}: {percent} (95 %: {low} sampai {high})"),
    "synthetic": ("Synthetic inputs, not data: {names}", "Masukan sintetis, bukan data: {names}"),
    "written": ("Written to {out}: {files}", "Ditulis ke {out}: {files}"),
    "next": ("Fill them in, then: konvergensi check {folder}", "Isi berkas itu, lalu: konvergensi check {folder}"),
    "districts": ("Districts", "Daerah"),
    "scenarios": ("Scenarios", "Skenario"),
    "services": ("Services", "Layanan"),
    "parameters": ("Parameters", "Parameter"),
    "good": ("{path}: good. {what}", "{path}: baik. {what}"),
}  # fmt: skip


def say(phrase: str, lang: Lang, **words: object) -> str:
    """Return one of the phrases above, filled in."""
    return PHRASES[phrase][lang is Lang.id].format(**words)


def summary_lines(result: Run, out: Path, lang: Lang) -> list[str]:
    """Say in a few lines what came out: prevalence, surveys, synthetic inputs, files."""

    def percent(value: float) -> str:
        text = f"{value:.1f} %"
        return text.replace(".", ",") if lang is Lang.id else text

    every = result.series[result.series["group"] == "all"].sort_values("month")
    first, last = every.iloc[0], every.iloc[-1]
    ends = {"start": first["month"], "end": last["month"]}
    prevalence = {"first": percent(100 * first["prevalence"]), "last": percent(100 * last["prevalence"])}
    lines = [say("true", lang, **prevalence, **ends)]
    surveys = result.surveys[(result.surveys["level"] == "district") & (result.surveys["system"] != "e-PPGBM")]
    for _, row in surveys.iterrows():
        words = {name: percent(row[name]) for name in ("percent", "low", "high")}
        lines.append(say("survey", lang, system=row["system"], fieldwork=row["fieldwork"], **words))
    if names := result.manifest.get("synthetic_inputs"):
        from konvergensi.report.origin import synthetic

        lines.append(say("synthetic", lang, names=synthetic(result, lang.value) or ", ".join(names)))
    from konvergensi.observe.recorder import COLUMNS

    ours = {"manifest.json", "summary.md", "figures", *(f"{name}.parquet" for name in COLUMNS)}
    files = sorted(path.name + ("/" if path.is_dir() else "") for path in out.iterdir() if path.name in ours)
    return [*lines, say("written", lang, out=out, files=", ".join(files))]


@contextmanager
def progress_bar(lang: Lang, unit: str = "months") -> Iterator[Callable[[int, int], None]]:
    """Show what is done, rate and time left on stderr; yields `progress(done, in_all)`.

    Parameters: unit, what is counted: months or runs.
    """
    from rich import progress as bar
    from rich.console import Console

    class Rate(bar.ProgressColumn):
        def render(self, task: bar.Task) -> str:
            return f"{task.speed or 0:.1f} {say(f'{unit}_per_second', lang)}"

    counted, left = bar.TextColumn(say(unit, lang)), bar.TextColumn(say("left", lang))
    ends = (bar.MofNCompleteColumn(), counted, Rate(), bar.TimeRemainingColumn(), left)
    columns = (bar.TextColumn("{task.description}"), bar.BarColumn(), *ends)
    with bar.Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(say("running", lang), total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def refuse_unwritable(out: Path) -> None:
    """Try to make the folder and a file in it, then remove both. Raises InputError when that fails."""
    made: list[Path] = []
    try:
        for folder in reversed([each for each in (out, *out.parents) if not each.exists()]):
            folder.mkdir()
            made.append(folder)
        with tempfile.TemporaryFile(dir=out):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(fault(out, "--out", "unwritable", reason=reason)) from None
    finally:
        for folder in reversed(made):
            folder.rmdir()


def table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]], lang: Lang) -> None:
    """Print rows under headings; no text is cut, on a screen or in a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from konvergensi.inputs.describe import label

    console: Any = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 160
    headings = [label(name, lang) if name else "" for name in columns]
    shown = Table(
        *headings, title=say(title, lang) if title else None, box=box.SIMPLE, title_justify="left",
        show_header=any(headings),
    )  # fmt: skip
    for column in shown.columns:
        column.overflow = "fold"
    shown.columns[0].no_wrap = True  # keys stay whole
    for row in rows:
        shown.add_row(*row)
    console.print(shown)
