"""The commands `konvergensi study ...`: run, status, resume, extend, export, rerun."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from konvergensi.base.errors import InputError, fault
from konvergensi.base.harmless import plain
from konvergensi.cli.options import ClusterOption, LangOption, WorkersOption, check_engine, interruptible, refusals
from konvergensi.cli.terminal import Lang, claim, progress_bar, save, say

if TYPE_CHECKING:
    from konvergensi.results.run import Run
    from konvergensi.studies.rerun import Again
    from konvergensi.studies.store import Store

StoreArgument = Annotated[Path, typer.Argument(help="Folder of the study's store · Folder simpanan studi")]
RetryOption = Annotated[
    bool, typer.Option("--retry-failed", help="Also try failed runs again · Ulangi juga simulasi yang gagal")
]


class Kind(StrEnum):
    """Formats of exported tables."""

    csv = "csv"
    parquet = "parquet"
    ema = "ema"


study = typer.Typer(
    no_args_is_help=True,
    help="Thousands of runs that survive what happens to them · Ribuan simulasi yang tahan gangguan",
)


def add_to(app: typer.Typer) -> None:
    """Add `study` to the commands."""
    app.add_typer(study, name="study")


@study.command()
def run(
    file: Annotated[str, typer.Argument(help="Study file, or name of one that comes along · Berkas atau nama studi")],
    out: Annotated[Path, typer.Option(help="Folder of the store · Folder simpanan: out/study-FILE")] = Path(""),
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = Lang.en,
) -> None:
    """Run what of a study is not in its store yet · Jalankan bagian studi yang belum tersimpan."""
    store = out if out.name else Path("out") / f"study-{Path(file).stem}"
    with refusals(lang), interruptible(store, lang, "study_stopped"):
        check_engine(workers, cluster)
        from konvergensi.base.files import read_bytes
        from konvergensi.studies.execute import run_study
        from konvergensi.studies.study_file import find_study, load_study

        plan, text = load_study(file), read_bytes(find_study(file))
        words = {"districts": len(plan.districts), "scenarios": len(plan.scenarios), "seeds": len(plan.seeds)}
        draws = plan.cells // (len(plan.districts) * len(plan.seeds))
        typer.echo(
            say("study_planned", lang, title=plan.title[lang.value], runs=plan.runs, draws=draws, **words), err=True
        )
        with progress_bar(lang, "runs") as progress:
            made = run_study(plan, store, workers=workers, cluster=cluster, progress=progress, text=text)
        _tell(made, lang)


@study.command()
def status(store: StoreArgument, lang: LangOption = Lang.en) -> None:
    """Say how far a study is · Sejauh mana studi ini."""
    with refusals(lang):
        from konvergensi.studies.store import Store

        _tell(Store.open(store), lang)


@study.command()
def resume(
    store: StoreArgument,
    retry_failed: RetryOption = False,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = Lang.en,
) -> None:
    """Go on with a study that was stopped, killed or damaged · Lanjutkan studi yang terhenti atau rusak."""
    with refusals(lang), interruptible(store, lang, "study_stopped"):
        check_engine(workers, cluster)
        from konvergensi.studies.execute import resume_study
        from konvergensi.studies.store import Store

        if damaged := Store.open(store).damaged(contents=False):
            typer.echo(say("study_damaged", lang, files=", ".join(damaged)), err=True)
        with progress_bar(lang, "runs") as progress:
            made = resume_study(store, workers=workers, cluster=cluster, progress=progress, retry_failed=retry_failed)
        _tell(made, lang)


@study.command()
def extend(
    store: StoreArgument,
    draws: Annotated[int | None, typer.Option(help="Draws there are to be in all · Jumlah sampel seluruhnya")] = None,
    seeds: Annotated[int | None, typer.Option(help="Seeds there are to be in all · Jumlah benih seluruhnya")] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = Lang.en,
) -> None:
    """Add draws or seeds to a study and run them · Tambah sampel atau benih, lalu jalankan."""
    with refusals(lang), interruptible(store, lang, "study_stopped"):
        check_engine(workers, cluster)
        from konvergensi.studies.execute import extend_study

        sizes = {"draws": draws, "seeds": seeds}
        with progress_bar(lang, "runs") as progress:
            made = extend_study(store, **sizes, workers=workers, cluster=cluster, progress=progress)
        _tell(made, lang)


@study.command()
def export(
    store: StoreArgument,
    out: Annotated[Path, typer.Option(help="New folder; ema: a file, .tar.gz · Folder baru; ema: berkas .tar.gz")],
    kind: Annotated[
        Kind, typer.Option("--format", help="Of the tables; ema: for the EMA Workbench · Format tabel")
    ] = Kind.parquet,
    lang: LangOption = Lang.en,
) -> None:
    """Write runs, series and groups in one file each, sorted · Tulis tabel, satu berkas tiap tabel, terurut."""
    with refusals(lang):
        from konvergensi.studies.export import export_store
        from konvergensi.studies.store import Store

        found = Store.open(store)
        if (counts := found.counts()).left:
            typer.echo(say("study_partial", lang, left=counts.left, planned=counts.planned), err=True)
        if kind is Kind.ema:
            _export_ema(found, out)
            typer.echo(say("written", lang, out=out.parent, files=out.name))
            return
        names = export_store(found, out, kind.value)
        typer.echo(say("written", lang, out=out, files=", ".join(names)))


def _export_ema(store: Store, out: Path) -> None:
    from konvergensi.studies.ema import write_ema

    try:
        write_ema(store, out)
    except OSError as error:
        raise InputError(fault(out, "", "unwritable", reason=error.strerror or error)) from None


@study.command()
def rerun(
    store: StoreArgument,
    run_id: Annotated[str, typer.Argument(help="Id of a run, or its beginning · Id simulasi, atau awalnya")],
    out: Annotated[
        Path | None, typer.Option(help="Also write all its tables and figures here · Tulis juga semua tabel dan gambar")
    ] = None,
    lang: LangOption = Lang.en,
) -> None:
    """Make one run again by itself and compare · Ulangi satu simulasi tersendiri dan bandingkan."""
    with refusals(lang):
        from konvergensi.studies import rerun as again
        from konvergensi.studies.store import Store

        if out is not None:
            claim(out, "run", lang)
        found = again.rerun(Store.open(store), run_id)
        row = found.row
        words = {name: row[name] for name in ("run_id", "district", "policy", "draw", "seed", "status")}
        typer.echo(say("study_run", lang, **words))
        for key, value in found.set.items():
            typer.echo(plain(f"  {key} = {value}"))
        typer.echo(say("study_differs" if found.differ else "study_same", lang, count=len(found.differ)))
        for name, kept, now in found.differ[:20]:
            typer.echo(plain(f"  {name}: {kept} -> {now}"))
        if out is not None:
            folder, _ = save(_in_full(found), out, lang)
            typer.echo(say("written", lang, out=folder, files="manifest.json, ..."))
        if found.differ:
            raise typer.Exit(1)


def _in_full(again: Again) -> Run:
    """The run once more with every table, as `konvergensi run` makes it."""
    from konvergensi.analyses.run import run

    study = again.study
    return run(
        study.scenarios[0],
        district=study.districts[again.place],
        seed=again.row["seed"],
        start=study.start,
        end=study.end,
        population_share=study.population_share,
        set=again.set,
        extensions=study.extensions,
    )


def _tell(store: Store, lang: Lang) -> None:
    """Print how far a study is."""
    from konvergensi.base.words import number
    from konvergensi.studies.status import status_of

    found = status_of(store)
    counts = found.counts
    words = {"ok": counts.ok, "planned": counts.planned, "failed": counts.failed, "left": counts.left}
    size = {"shards": counts.shards, "megabytes": number(found.megabytes, lang.value, 1), "folder": store.path}
    typer.echo(say("study_done", lang, **words, **size))
    for error, count in found.errors:
        typer.echo(say("study_error", lang, count=count, error=error))
    if counts.failed:
        typer.echo(say("study_retry", lang, folder=shlex.quote(str(store.path))))
    if found.damaged:
        typer.echo(say("study_damaged", lang, files=", ".join(found.damaged)))
    if found.holder:
        typer.echo(say("study_holder", lang, by=found.holder))
        if found.per_second and found.seconds_left:
            minutes, seconds = divmod(round(found.seconds_left), 60)
            time = f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
            typer.echo(say("study_rate", lang, rate=number(found.per_second, lang.value, 1), time=time))
