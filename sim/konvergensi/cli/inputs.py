"""Commands `list`, `check`, `new-district`, `describe`: what there is, and what stands behind a number."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from konvergensi.cli.options import (
    LangOption,
    WithOption,
    refusals,
)
from konvergensi.cli.terminal import Lang, print_advice, print_readings, say, table


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(name="list")(list_)
    app.command()(districts)
    app.command()(check)
    app.command(name="new-district")(new_district)
    app.command()(describe)


def list_(lang: LangOption = Lang.en) -> None:
    """List districts, scenarios and services · Daftar daerah, skenario, dan layanan."""
    with refusals(lang):
        from konvergensi.inputs import describe as rows

        table("districts", ("id", "name", "province", "villages", "extends"), rows.district_rows(lang), lang)
        typer.echo(say("all_districts", lang))
        table("scenarios", ("id", "title", "question"), rows.scenario_rows(lang), lang)
        columns = ("id", "name", "opd", "money", "target", "effect")
        table("services", columns, rows.service_rows(lang), lang)


def districts(
    search: Annotated[
        str, typer.Argument(help="Part of a name, a province or a code · Bagian nama, provinsi, atau kode")
    ] = "",
    lang: LangOption = Lang.en,
) -> None:
    """List or search the 514 districts · Daftar atau cari 514 kabupaten/kota."""
    with refusals(lang):
        from konvergensi.base.errors import InputError, fault
        from konvergensi.inputs.describe import country_rows

        rows = country_rows(search)
        if not rows:
            raise InputError(fault("", "districts", "no_area", value=search, near=None))
        columns = ("id", "name", "province", "kecamatan", "villages", "first_lokus_year", "last_survey")
        table("districts", columns, rows, lang)
        typer.echo(say("districts_hint", lang))


def check(
    path: Annotated[
        str,
        typer.Argument(help="Scenario, district, study or extension · Skenario, folder daerah, studi, atau perluasan"),
    ],
    district: Annotated[
        str | None, typer.Option(help="District to check a scenario against · Daerah tempat skenario diperiksa")
    ] = None,
    lang: LangOption = Lang.en,
) -> None:
    """Say what is wrong with a scenario, district, study or extension · Periksa skenario, daerah, studi, perluasan."""
    with refusals(lang):
        from konvergensi.inputs.check import advice, headline, read_path
        from konvergensi.inputs.districts import District
        from konvergensi.inputs.extensions import is_extension_file

        if is_extension_file(path):
            typer.echo(say("good", lang, path=path, what=_checked_extension(path, district, lang)))
            return
        from konvergensi.studies.study_file import is_study_file, load_study

        if is_study_file(path):
            study = load_study(path)
            typer.echo(say("good", lang, path=path, what=study.title[lang]))
            return
        read = read_path(path)
        if isinstance(read, District):
            print_readings(read.readings, lang)
        print_advice(advice(read, district), lang)
        typer.echo(say("good", lang, path=path, what=headline(read, lang)))


def _checked_extension(path: str, district: str | None, lang: Lang) -> str:
    """What an extension adds, in words; in a district, when one is named. Raises InputError with what is wrong."""
    from konvergensi.base.errors import fault
    from konvergensi.inputs.districts import find_district
    from konvergensi.inputs.extensions import in_force
    from konvergensi.model.convergence import MONTH, ConvergenceModel
    from konvergensi.model.extensions import check as check_extensions
    from konvergensi.model.extensions import model_class

    with in_force([path]) as found:
        check_extensions(found, MONTH, ConvergenceModel)
        (each,) = found
        given = {programme.service for programme in each.programmes}
        if district is not None:
            given |= {programme.service for programme in find_district(district).programmes}
        print_advice([fault(path, name, "nobody_pays") for name in each.services if name not in given], lang)
        own = model_class(ConvergenceModel)
        models = [] if own is ConvergenceModel else [own.__name__]
        names = {
            "parameters": [key for key in each.parameters if not key.startswith("services.")],
            "services": each.services,
            "programmes": [programme.id for programme in each.programmes],
            "mechanisms": each.mechanisms,
            "observers": each.observers,
            "models": models,
        }
    return "; ".join(f"{say(f'adds_{kind}', lang)}: {', '.join(some)}" for kind, some in names.items() if some)


def new_district(
    folder: Annotated[Path, typer.Argument(help="New folder to write · Folder baru yang akan ditulis")],
    like: Annotated[
        str | None,
        typer.Option(help="One of the 514 by name or code: its profile to start from · Profil daerah untuk memulai"),
    ] = None,
    lang: LangOption = Lang.en,
) -> None:
    """Write a commented example of a district to fill in · Tulis contoh daerah berketerangan untuk diisi."""
    with refusals(lang):
        from konvergensi.inputs.template import NAMES, write_template

        write_template(folder, lang.value, like)
        typer.echo(say("written", lang, out=folder, files=", ".join(NAMES)))
        typer.echo(say("next", lang, folder=shlex.quote(str(folder))))


def describe(
    key: Annotated[str | None, typer.Argument(help="Parameter, mechanism, service, scenario or district")] = None,
    with_: WithOption = None,
    lang: LangOption = Lang.en,
) -> None:
    """Show parameters with unit, range, source and grade · Parameter, satuan, rentang, sumber, mutu bukti."""
    with refusals(lang, with_):
        from konvergensi.inputs.describe import describe as everything_about
        from konvergensi.inputs.describe import parameter_rows

        rows = parameter_rows(lang, key or "")
        if rows:
            table("parameters", ("key", "value", "unit", "range", "grade", "role", "meaning"), rows, lang)
        else:
            table("", ("", ""), everything_about(key or "", lang), lang)
