"""The commands `calibrate` and `validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.cli.options import ClusterOption, LangOption, WorkersOption, interruptible, refusals
from konvergensi.cli.terminal import Lang, claim, print_readings, progress_bar, save_and_tell, say


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
    district: Annotated[
        str | None, typer.Option(help="A calibrated district · Daerah yang sudah dikalibrasi", show_default="lebak")
    ] = None,
    observed: Annotated[
        Path | None,
        typer.Option(help="Your observations of any districts, CSV · Pengamatan Anda, daerah mana pun, CSV"),
    ] = None,
    nation: Annotated[
        bool, typer.Option("--nation", help="How hidden surveys of all districts were forecast · Uji seluruh negeri")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="Earlier rows speak to later ones · Baris lama dipakai untuk baris baru")
    ] = False,
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
    """Say what can be believed of a calibration or of the fit over the country, and test it on what it never saw · Uji
    hasil kalibrasi dan pencocokan seluruh negeri.
    """
    own_fit = {"--calibration": calibration, "--study": study, "--from": other}
    district = None if district is None else _shipped_id(district)
    with refusals(lang):
        if nation:
            _refuse(own_fit | {"--district": district, "--observed": observed, "--update": update}, "--nation")
            _of_nation(out or Path("out") / "validate-nation", lang)
        elif observed and not any(own_fit.values()) and not (district and _has_fit(district)):
            _of_rows(observed, district, update, out or Path("out") / "validate-observed", lang)
        else:
            if update:
                raise InputError(fault("--update", "", "only_rows"))
            _of_district(district or "lebak", observed, calibration, study, other, out, lang)


def _refuse(given: dict[str, Any], beside: str) -> None:
    """Refuse options that mean nothing beside another."""
    if wrong := [fault(name, "", "never_with", value=beside) for name, value in given.items() if value]:
        raise InputError(wrong)


def _shipped_id(district: str) -> str:
    """The folder's id where a name or code is that of a district with a folder of its own; else what was typed."""
    from konvergensi.inputs.country import resolve_area, shipped_codes

    try:
        code = resolve_area(district)
    except InputError:
        return district
    return next((each for each, own in shipped_codes().items() if own == code), district)


def _has_fit(district: str) -> bool:
    from konvergensi.results.fitted import fitted_root

    return (fitted_root() / f"{district}.json").exists()


def _of_nation(out: Path, lang: Lang) -> None:
    from konvergensi.analyses.country_validation import validate_nation

    claim(out, "country_validation", lang, about="trials")
    save_and_tell(validate_nation(), out, lang)


def _of_rows(observed: Path, district: str | None, update: bool, out: Path, lang: Lang) -> None:
    from konvergensi.analyses.country_validation import validate_rows
    from konvergensi.inputs.country import area_name, resolve_area
    from konvergensi.inputs.country_observed import read_country_observed

    code = None if district is None else resolve_area(district, "--district")
    notes: list[Fault] = []
    rows = read_country_observed(observed, notes)
    print_readings(notes, lang)
    rows = rows if code is None else [row for row in rows if row.code == code]
    if not rows:
        raise InputError(fault(observed, "", "no_row_of", value=area_name(str(code))))
    claim(out, "country_validation", lang, about="observed")
    typer.echo(say("predicting", lang, n=len(rows)), err=True)
    save_and_tell(validate_rows(rows, update), out, lang)


def _of_district(
    district: str,
    observed: Path | None,
    calibration: Path | None,
    study: str | None,
    other: str | None,
    out: Path | None,
    lang: Lang,
) -> None:
    from konvergensi.analyses.calibrate import read_calibration
    from konvergensi.analyses.observed import read_observed
    from konvergensi.analyses.validate import validate as check

    found = read_calibration(district, calibration, study)
    notes: list[Fault] = []
    seen = None if observed is None else read_observed(observed, found.study, notes)
    print_readings(notes, lang)
    source = None if other is None else read_calibration(other)
    out = out or Path("out") / f"validate-{found.study.place.id}"
    claim(out, "validation", lang, district=found.study.place.id)
    result = check(found, seen, source, tell=lambda step: typer.echo(say("checking", lang, step=step), err=True))

    save_and_tell(result, out, lang)
