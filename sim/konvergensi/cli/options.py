"""Options that several commands take, and how commands end on bad input and on Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.errors import InputError, fault
from konvergensi.cli.terminal import Lang, say

LangOption = Annotated[Lang, typer.Option("--lang", help="Language of the output · Bahasa keluaran")]
DistrictOption = Annotated[str, typer.Option(help="Name or folder · Nama atau folder daerah")]
PlaceOption = Annotated[
    str | None, typer.Option("--district", help="District of the study · Daerah", show_default="the first · pertama")
]
StartOption = Annotated[str, typer.Option(help="First month · Bulan pertama, YYYY-MM")]
EndOption = Annotated[str, typer.Option(help="Last month · Bulan terakhir, YYYY-MM")]
ShareOption = Annotated[
    float, typer.Option(help="Share of the families simulated · Bagian keluarga yang disimulasikan")
]
SeedOption = Annotated[int, typer.Option("--seed", help="Chance: the same seed gives the same run · Benih acak")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a parameter, repeatable · Ubah parameter"),
]
DrawsFromOption = Annotated[
    str,
    typer.Option(
        help="Parameter draws: fitted (where there are), prior, or a folder of `calibrate` · Sumber sampel parameter"
    ),
]
ObservedOption = Annotated[
    Path | None,
    typer.Option(
        help="Survey rows of one's own that move the level: area, year, measure_system, percent · Survei sendiri"
    ),
]
StructuresOption = Annotated[
    str, typer.Option(help="Rules drawn with the samples: all, default (as set), or one · Aturan yang ikut diambil")
]
PoliciesFromOption = Annotated[
    str | None,
    typer.Option(
        "--policies-from", metavar="YYYY-MM", help="Every policy begins then · Semua kebijakan mulai bulan ini"
    ),
]
ClusterOption = Annotated[
    str | None, typer.Option(metavar="tcp://HOST:PORT", help="Dask scheduler instead · Penjadwal Dask sebagai ganti")
]
WithOption = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="FILE", help="Extension: .py, .toml, or its name; repeatable · Perluasan"),
]
WorkersOption = Annotated[
    int | None, typer.Option(help="Processes at work · Proses kerja", show_default="all cores · semua inti")
]


PdfOption = Annotated[bool, typer.Option("--pdf", help="Also as PDF, A4 · Juga sebagai PDF A4")]
PptxOption = Annotated[bool, typer.Option("--pptx", help="Also as five slides · Juga sebagai lima salindia")]
XlsxOption = Annotated[bool, typer.Option("--xlsx", help="Also every table as a workbook · Juga tabel sebagai xlsx")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Also CSV for Indonesian Excel · Juga CSV Excel Indonesia")]


def also_of(pdf: bool = False, pptx: bool = False, xlsx: bool = False, csv: bool = False) -> list[str]:
    """Names of what is to be written beside a result's own files."""
    asked = {"pdf": pdf, "pptx": pptx, "xlsx": xlsx, "csv": csv}
    return [name for name, wanted in asked.items() if wanted]


@contextmanager
def refusals(lang: Lang, extensions: list[str] | None = None) -> Iterator[None]:
    """Put extensions in force. Print what was wrong with the input, one line per fault, and leave with exit code 2."""
    try:
        if not extensions:
            yield
            return
        from konvergensi.inputs.extensions import in_force

        with in_force(extensions):
            yield
    except InputError as error:
        for each in error.readings:
            typer.echo(say("reading", lang, text=each.text(lang, typed=True)), err=True)
        for line in error.lines(lang, typed=True):
            typer.echo(line, err=True)
        raise typer.Exit(2) from None


@contextmanager
def interruptible(kept: Path, lang: Lang, phrase: str = "stopped") -> Iterator[None]:
    """Leave on Ctrl-C with exit code 130, saying where finished runs are kept and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(say(phrase, lang, folder=kept), err=True)
        raise typer.Exit(130) from None


def check_engine(workers: int | None, cluster: str | None) -> None:
    """Raise InputError for a number of workers that cannot be, and for both ways at once."""
    from konvergensi.inputs.options import number_faults

    faults = number_faults({"workers": workers}) if workers is not None else []
    if workers is not None and cluster is not None:
        faults.append(fault("", "--workers", "workers_and_cluster"))
    if faults:
        raise InputError(faults)
