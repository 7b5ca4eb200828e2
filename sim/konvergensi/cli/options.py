"""Options that several commands take, and how commands end on bad input and on Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.errors import InputError
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
    typer.Option(help="Beliefs: fitted (where there are), prior, or a folder of `calibrate` · Sumber sampel parameter"),
]
ClusterOption = Annotated[
    str | None, typer.Option(metavar="tcp://HOST:PORT", help="Dask scheduler instead · Penjadwal Dask sebagai ganti")
]
WorkersOption = Annotated[
    int | None, typer.Option(help="Processes at work · Proses kerja", show_default="all cores · semua inti")
]


@contextmanager
def refusals(lang: Lang) -> Iterator[None]:
    """Print what was wrong with the input, one line per fault, and leave with exit code 2."""
    try:
        yield
    except InputError as error:
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
