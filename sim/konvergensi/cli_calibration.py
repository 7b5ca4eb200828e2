"""The commands `calibrate` and `validate`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from konvergensi.inputs.errors import InputError, fault
from konvergensi.terminal import Lang, progress_bar, refuse_unwritable, say

LangOption = Annotated[Lang, typer.Option("--lang", help="Language of the output · Bahasa keluaran")]
WorkersOption = Annotated[
    int | None, typer.Option(help="Processes at work · Proses kerja", show_default="all cores · semua inti")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(calibrate)


def calibrate(
    study: Annotated[str, typer.Argument(help="Name or file · Nama atau berkas studi kalibrasi")] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="Folder for runs and results · Folder simulasi dan hasil: out/calibrate-STUDY")
    ] = None,
    workers: WorkersOption = None,
    cluster: Annotated[
        str | None, typer.Option(help="Dask scheduler instead · Penjadwal Dask, tcp://host:port")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The quick study, whatever is named · Studi kilat")] = False,
    lang: LangOption = Lang.en,
) -> None:
    """Fit free parameters to what was observed; goes on where it was stopped · Kalibrasi parameter bebas."""
    from konvergensi.cli import interruptible, refusals

    with refusals(lang):
        from konvergensi.calibration.study import load_calibration
        from konvergensi.inputs.options import number_faults

        if workers is not None and (wrong := number_faults({"workers": workers}, typed=True)):
            raise InputError(wrong)
        asked = load_calibration("quick" if quick else study)
        out = out or Path("out") / f"calibrate-{asked.id}"
        refuse_unwritable(out)

        from konvergensi.calibration.calibrate import calibrate as fit

        with interruptible(out, lang), progress_bar(lang, "runs") as progress:
            result = fit(asked, out, workers=workers, cluster=cluster, progress=progress)
        result.manifest["command"] = shlex.join(["konvergensi", *sys.argv[1:]])
        try:
            names = result.save(out)
        except OSError as error:  # a full disk
            raise InputError(fault(out, "", "unwritable", reason=error.strerror or error)) from None
        manifest = result.manifest
        words = {
            "district": asked.place.name,
            "draws": len(result.draws),
            "worth": round(manifest["effective_share"] * len(result.draws)),
            "left": f"{manifest['left_of_prior'][-1]:.2%}",
        }
        typer.echo(say("calibrated", lang, **words))
        typer.echo(say("written", lang, out=out, files=", ".join(names)))
