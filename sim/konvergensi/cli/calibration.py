"""The commands `calibrate` and `validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.errors import InputError
from konvergensi.cli.options import ClusterOption, LangOption, WorkersOption, interruptible, refusals
from konvergensi.cli.terminal import Lang, claim, progress_bar, save_and_tell, say


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(calibrate)
    app.command()(validate)


def calibrate(
    study: Annotated[str, typer.Argument(help="Name or file · Nama atau berkas studi kalibrasi")] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="Folder for runs and results · Folder simulasi dan hasil: out/calibrate-STUDY")
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="The quick study, whatever is named · Studi kilat")] = False,
    lang: LangOption = Lang.en,
) -> None:
    """Fit free parameters to what was observed; goes on where it was stopped · Kalibrasi parameter bebas."""
    with refusals(lang):
        from konvergensi.inputs.calibration_study import load_calibration
        from konvergensi.inputs.options import number_faults

        if workers is not None and (wrong := number_faults({"workers": workers})):
            raise InputError(wrong)
        asked = load_calibration("quick" if quick else study)
        out = out or Path("out") / f"calibrate-{asked.id}"
        claim(out, "calibration", lang, district=asked.place.id)

        from konvergensi.analyses.calibrate import calibrate as fit

        with interruptible(out, lang), progress_bar(lang, "runs") as progress:
            result = fit(asked, out, workers=workers, cluster=cluster, progress=progress)
        save_and_tell(result, out, lang)


def validate(
    district: Annotated[str, typer.Option(help="A calibrated district · Daerah yang sudah dikalibrasi")] = "lebak",
    observed: Annotated[
        Path | None, typer.Option(help="Your observations, CSV · Pengamatan Anda: area,year,measure_system,percent,...")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Folder that `calibrate` wrote; else what is shipped · Folder hasil calibrate")
    ] = None,
    study: Annotated[
        str | None, typer.Option(help="Its study, if it is your own file · Berkas studinya, bila milik sendiri")
    ] = None,
    other: Annotated[
        str | None, typer.Option("--from", help="District whose draws are tried here · Daerah asal sampel yang dicoba")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the results · Folder hasil: out/validate-...")] = None,
    lang: LangOption = Lang.en,
) -> None:
    """Say what can be believed of a calibration, and test it on what it never saw · Uji hasil kalibrasi."""
    with refusals(lang):
        from konvergensi.analyses.calibrate import read_calibration
        from konvergensi.analyses.observed import read_observed
        from konvergensi.analyses.validate import validate as check

        found = read_calibration(district, calibration, study)
        seen = None if observed is None else read_observed(observed, found.study)
        source = None if other is None else read_calibration(other)
        out = out or Path("out") / f"validate-{found.study.place.id}"
        claim(out, "validation", lang, district=found.study.place.id)
        result = check(found, seen, source, tell=lambda step: typer.echo(say("checking", lang, step=step), err=True))

        save_and_tell(result, out, lang)
