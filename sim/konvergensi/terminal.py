"""What the command line prints: phrases in two languages, a progress bar, tables, the summary of a run."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import typer

from konvergensi.inputs.errors import Fault, InputError, fault

if TYPE_CHECKING:
    from konvergensi.experiments.comparison import Comparison
    from konvergensi.runs import Run


class Lang(StrEnum):
    """The language of what is printed and written."""

    en = "en"
    id = "id"


class Saved(Protocol):
    """A result that can be written into a folder."""

    def save(self, out: Path, *, lang: Literal["en", "id"] = "en", command: str | None = None) -> Any: ...


# phrase -> (English, Indonesian)
PHRASES = {
    "running": ("Simulating", "Menyimulasikan"),
    "months": ("months", "bulan"),
    "months_per_second": ("months/s", "bulan/dtk"),
    "runs": ("runs", "simulasi"),
    "runs_per_second": ("runs/s", "simulasi/dtk"),
    "left": ("left", "lagi"),
    "searching": ("Searching, and trying the search on draws held back ...",
                  "Mencari, lalu menguji pencarian pada sampel yang disisihkan ..."),
    "writing": ("Writing tables and figures ...", "Menulis tabel dan gambar ..."),
    "stopped": ("Stopped. Finished runs are kept in {folder}; the same command goes on from there.",
                "Dihentikan. Simulasi yang selesai tersimpan di {folder}; perintah yang sama melanjutkannya."),
    "study_stopped": ("Stopped. Finished runs are kept; go on with: konvergensi study resume {folder}",
                      "Dihentikan. Simulasi selesai tersimpan; lanjutkan dengan: konvergensi study resume {folder}"),
    "study_planned": ("{title}. {runs} runs: districts {districts}, scenarios {scenarios}, draws {draws}, "
                      "seeds {seeds}",
                      "{title}. {runs} simulasi: daerah {districts}, skenario {scenarios}, sampel {draws}, "
                      "benih {seeds}"),
    "own_points": ("{method} looks at points of its own: {runs} runs, those that are there already among them",
                   "{method} memakai titiknya sendiri: {runs} simulasi, termasuk yang sudah ada"),
    "study_partial": ("CAUTION: {left} of {planned} runs are not there yet, and not in these files",
                      "PERHATIAN: {left} dari {planned} simulasi belum ada, dan tidak ada dalam berkas ini"),
    "study_done": ("{folder}: {ok} of {planned} runs done, {failed} failed, {left} left; {shards} shards, "
                   "{megabytes} MB",
                   "{folder}: {ok} dari {planned} simulasi selesai, {failed} gagal, {left} tersisa; {shards} bagian, "
                   "{megabytes} MB"),
    "study_damaged": ("Damaged or missing, their runs are made again: {files}",
                      "Rusak atau hilang, simulasinya diulang: {files}"),
    "study_holder": ("At work: {by}", "Sedang dikerjakan oleh {by}"),
    "study_rate": ("Of late {rate} runs/s; at that rate {time} to go",
                   "Belakangan {rate} simulasi/dtk; dengan laju itu {time} lagi"),
    "study_error": ("  failed {count} times: {error}", "  gagal {count} kali: {error}"),
    "study_retry": ("Failed runs are kept; to try them again: konvergensi study resume {folder} --retry-failed",
                    "Simulasi gagal tetap tercatat; untuk mencobanya lagi: konvergensi study resume {folder} "
                    "--retry-failed"),
    "study_run": ("{run_id}: {district}, {scenario}, draw {draw}, seed {seed}, kept as {status}",
                  "{run_id}: {district}, {scenario}, sampel {draw}, benih {seed}, tersimpan sebagai {status}"),
    "study_same": ("Made again alone, the same comes out, bit for bit.", "Diulang tersendiri, hasilnya sama persis."),
    "study_differs": ("Made again alone, {count} numbers differ:", "Diulang tersendiri, {count} angka berbeda:"),
    "true": ("True prevalence of stunting: {first} ({start}) to {last} ({end})",
             "Prevalensi stunting sebenarnya: {first} ({start}) menjadi {last} ({end})"),
    "survey": ("  simulated survey {system} {fieldwork}: {percent} (95 %: {low} to {high}){really}",
               "  survei simulasi {system} {fieldwork}: {percent} (95 %: {low} sampai {high}){really}"),
    "really": ("; really published: {percent}", "; yang benar-benar dipublikasikan: {percent}"),
    "synthetic": ("Synthetic inputs, not data: {names}", "Masukan sintetis, bukan data: {names}"),
    "advice": ("Warning: {text}", "Peringatan: {text}"),
    "written": ("Written to {out}: {files}", "Ditulis ke {out}: {files}"),
    "next": ("Fill them in, then: konvergensi check {folder}", "Isi berkas itu, lalu: konvergensi check {folder}"),
    "compared": ("{district}, {start} to {end}: true prevalence of stunting in {month}, children protected in time and "
                 "money spent over the whole time; differences to {first}",
                 "{district}, {start} sampai {end}: prevalensi stunting sebenarnya pada {month}, anak terlindungi "
                 "tepat waktu dan uang terpakai sepanjang periode; selisih terhadap {first}"),
    "interval": ("In brackets: {text}", "Dalam kurung: {text}"),
    "districts": ("Districts", "Daerah"),
    "scenarios": ("Scenarios", "Skenario"),
    "services": ("Services", "Layanan"),
    "parameters": ("Parameters", "Parameter"),
    "replaces": ("{out} holds another comparison ({scenarios}); it is replaced. To keep both, name another --out.",
                 "{out} berisi perbandingan lain ({scenarios}); isinya diganti. Agar keduanya ada, pakai --out lain."),
    "calibrated": ("{district}: {draws} fitted draws, worth {worth} of equal weight; {left} of the prior was left",
                   "{district}: {draws} sampel kalibrasi, setara {worth} berbobot sama; {left} prior tersisa"),
    "checking": ("Checking: {step} ...", "Memeriksa: {step} ..."),
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
    published = {
        each["fieldwork"]: percent(each["percent"])
        for each in result.manifest.get("published") or []
        if each["level"] == "district" and each["system"] != "e-PPGBM"
    }
    for _, row in surveys.iterrows():
        words = {name: percent(row[name]) for name in ("percent", "low", "high")}
        real = published.get(row["fieldwork"])
        words["really"] = say("really", lang, percent=real) if real else ""
        lines.append(say("survey", lang, system=row["system"], fieldwork=row["fieldwork"], **words))
    if names := result.manifest.get("synthetic_inputs"):
        from konvergensi.report.origin import synthetic

        lines.append(say("synthetic", lang, names=synthetic(result, lang.value) or ", ".join(names)))
    from konvergensi.observe.recorder import COLUMNS

    ours = {"manifest.json", "summary.md", "figures", *(f"{name}.parquet" for name in COLUMNS)}
    files = sorted(path.name + ("/" if path.is_dir() else "") for path in out.iterdir() if path.name in ours)
    return [*lines, say("written", lang, out=out, files=", ".join(files))]


def print_comparison(result: Comparison, lang: Lang) -> None:
    """Print a row for each scenario: how it ends, how it differs from the first, how often it is the best."""
    from konvergensi.report.words import month_name, number, percent, rupiah

    manifest = result.manifest
    tongue: Literal["en", "id"] = lang.value
    first, end = manifest["scenarios"][0], manifest["end"]
    at_end = result.comparison[result.comparison["month"] == end].set_index(["measure", "scenario"])
    money = result.cost_effect.groupby("scenario")["d_cost_rp"].mean()

    def cell(row: Any, names: tuple[str, str, str], decimals: int, unit: str = "", sign: bool = False) -> str:
        value, low, high = (float(row[name]) for name in names)
        shown = number(value, tongue, decimals) + unit
        if sign and value > 0 and shown.strip("0.,"):
            shown = f"+{shown}"
        return shown if low != low else f"{shown} ({number(low, tongue, decimals)} … {number(high, tongue, decimals)})"

    levels, changes = ("mean", "low", "high"), ("difference", "diff_low", "diff_high")
    rows: list[tuple[str, ...]] = []
    for name in manifest["scenarios"]:
        stunting, protected = at_end.loc[("prevalence", name)], at_end.loc[("protected_in_time", name)]
        rows.append(
            (
                name,
                cell(stunting, levels, 1, "%"),
                "" if name == first else cell(stunting, changes, 2, sign=True),
                percent(float(stunting["p_best"]), tongue, 0),
                "" if name == first else cell(protected, changes, 0, sign=True),
                "" if name == first else rupiah(float(money[name]), tongue),
            )
        )
    words = {"district": manifest["district_name"], "start": manifest["start"], "end": end, "first": first}
    print(say("compared", lang, month=month_name(end, tongue), **words))
    table("", ("scenario", "stunting", "points", "best", "more_protected", "more_money"), rows, lang)
    print(say("interval", lang, text=manifest["intervals"][tongue]))


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
        begun: list[int] = []

        def tell(done: int, total: int) -> None:
            if begun:
                shown.update(task, completed=done, total=total)
            else:  # what was kept from an earlier start is no work of this one: it must not count in the rate
                shown.reset(task, completed=done, total=total)
                begun.append(done)

        yield tell


def print_replaced(out: Path, scenarios: list[str], district: str, lang: Lang) -> None:
    """Say that a folder holds the comparison of something else, which is about to be replaced."""
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        there = [*map(str, manifest["scenarios"]), str(manifest["district"])]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if there != [*scenarios, district]:
        typer.echo(say("replaces", lang, out=out, scenarios=", ".join(there)), err=True)


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


def save(result: Saved, out: Path, lang: Lang, **options: Any) -> Any:
    """Write a result into a folder with the command that made it; returns what its `save` returns.

    Raises InputError when the disk is full or the folder cannot be written to any more.
    """
    typer.echo(say("writing", lang), err=True)
    try:
        return result.save(out, lang=lang.value, command=shlex.join(["konvergensi", *sys.argv[1:]]), **options)
    except OSError as error:
        raise InputError(fault(out, "", "unwritable", reason=error.strerror or error)) from None


def save_and_tell(result: Saved, out: Path, lines: Iterable[str], lang: Lang) -> None:
    """Save a result, print what was found, and say which files were written. Raises InputError as `save`."""
    names = save(result, out, lang)
    for line in lines:
        typer.echo(line)
    print_written(out, names, lang)


def print_advice(faults: Iterable[Fault], lang: Lang) -> None:
    """Warn of what is allowed but does nothing, or may be a slip; one line each, on stderr."""
    for each in faults:
        typer.echo(say("advice", lang, text=each.text(lang.value)), err=True)


def print_written(out: Path, names: Iterable[str], lang: Lang) -> None:
    """Say which files were written."""
    typer.echo(say("written", lang, out=out, files=", ".join(sorted(set(names)))))


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
