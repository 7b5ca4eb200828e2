"""The command `sensitivity`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.errors import InputError
from konvergensi.cli.options import (
    ClusterOption,
    LangOption,
    PlaceOption,
    StructuresOption,
    WorkersOption,
    interruptible,
    refusals,
)
from konvergensi.cli.terminal import Lang, claim, progress_bar, save_and_tell, say


class Method(StrEnum):
    """What the command can do; as in konvergensi.sensitivity, which is not imported for a list of names."""

    sobol = "sobol"
    morris = "morris"
    pawn = "pawn"
    delta = "delta"
    rbd_fast = "rbd_fast"
    shapley = "shapley"
    rsa = "rsa"


class Failed(StrEnum):
    """What is done with runs that failed."""

    refuse = "refuse"
    drop = "drop"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(sensitivity)


def sensitivity(
    file: Annotated[Path, typer.Argument(help="Study file, or the store of a study · Berkas atau simpanan studi")],
    method: Annotated[Method, typer.Option(help="How to look · Metode")] = Method.sobol,
    out: Annotated[
        Path, typer.Option(help="Folder; results go to OUT/METHOD · Folder hasil, isinya di OUT/METODE")
    ] = Path("out/sensitivity"),
    output: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[@SCENARIO]",
            help="What is to be explained, repeatable · Keluaran yang dijelaskan: prevalence, "
            "difference:prevalence@full-convergence, cost_per_case_rp, variance:prevalence",
        ),
    ] = None,
    district: PlaceOption = None,
    draws: Annotated[
        int | None, typer.Option(help="Sample size N of the method · Ukuran sampel N", show_default="the study's")
    ] = None,
    structures: StructuresOption = "default",
    failed: Annotated[Failed, typer.Option(help="Failed runs · Simulasi yang gagal")] = Failed.refuse,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    lang: LangOption = Lang.en,
) -> None:
    """Say which parameters move which result, and what is noise · Parameter mana yang menggerakkan hasil."""
    with refusals(lang):
        from konvergensi.inputs.options import number_faults

        if workers is not None and (wrong := number_faults({"workers": workers})):
            raise InputError(wrong)
        claim(out / method.value, "sensitivity", lang)

        from konvergensi.analyses.sensitivity import sensitivity as look

        with interruptible(out, lang), progress_bar(lang, "runs") as progress:
            found = look(
                file,
                method.value,
                out=out,
                output=output or (),
                district=district,
                draws=draws,
                workers=workers,
                cluster=cluster,
                on_failed=failed.value,
                structures=structures,
                begun=lambda own: typer.echo(say("own_points", lang, method=method.value, runs=own.runs), err=True),
                progress=progress,
            )
        for of in found.manifest["refused"]:
            typer.echo(of[lang.value], err=True)

        save_and_tell(found, out / method.value, lang)
