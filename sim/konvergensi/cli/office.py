"""Command `budget-template`: files that an office fills in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from konvergensi.cli.options import LangOption, refusals
from konvergensi.cli.terminal import Lang, say


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(name="budget-template")(budget_template)


def budget_template(
    district: Annotated[str, typer.Argument(help="Name or folder · Nama atau folder daerah")],
    out: Annotated[
        Path | None,
        typer.Option(help="New .xlsx, or new folder of a district with it · Berkas .xlsx baru, atau folder baru"),
    ] = None,
    lang: LangOption = Lang.en,
) -> None:
    """Write the district's budget as a workbook to fill in · Tulis anggaran daerah sebagai buku kerja untuk diisi."""
    with refusals(lang):
        from konvergensi.base.folders import drafted_file
        from konvergensi.inputs.districts import find_district
        from konvergensi.inputs.own_budget import FILES
        from konvergensi.report.budget_template import district_toml, write_budget_template

        place = find_district(district)
        path = out or Path(f"budget-{place.id}.xlsx")
        written = [path]
        if path.suffix.lower() != ".xlsx":
            written = [path / "district.toml", path / FILES[0]]
            with drafted_file(written[0]) as file:
                file.write_text(district_toml(place, lang.value), encoding="utf-8")
        with drafted_file(written[-1]) as file:
            write_budget_template(place, file, lang.value)
        folder = written[-1].parent
        typer.echo(say("written", lang, out=folder, files=", ".join(each.name for each in written)))
