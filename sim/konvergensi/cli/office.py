"""Commands `budget-template` and `villages`: a budget to fill in, and which villages come first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from konvergensi.cli.options import (
    CsvOption,
    EndOption,
    LangOption,
    PdfOption,
    SetOption,
    ShareOption,
    StartOption,
    WithOption,
    XlsxOption,
    also_of,
    refusals,
)
from konvergensi.cli.terminal import Lang, claim, print_advice, print_readings, progress_bar, save_and_tell, say


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(name="budget-template")(budget_template)
    app.command()(villages)


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


def villages(
    district: Annotated[str, typer.Argument(help="Name or folder · Nama atau folder daerah")] = "lebak",
    scenario: Annotated[str, typer.Option(help="Policy in force · Kebijakan yang berlaku")] = "baseline",
    seeds: Annotated[int, typer.Option(help="Simulations that differ by chance · Jumlah simulasi")] = 4,
    population_share: ShareOption = 1.0,
    start: StartOption = "2018-01",
    end: EndOption = "2024-12",
    set_: SetOption = None,
    with_: WithOption = None,
    pdf: PdfOption = False,
    xlsx: XlsxOption = False,
    csv: CsvOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results · Folder hasil: out/villages-DISTRICT")
    ] = None,
    lang: LangOption = Lang.en,
) -> None:
    """List villages by need and reach, with reasons · Daftar desa menurut kebutuhan dan jangkauan, dengan alasan."""
    with refusals(lang, with_):
        from konvergensi.inputs.advice import few_families
        from konvergensi.inputs.districts import find_district
        from konvergensi.inputs.options import check_options, parse_set
        from konvergensi.inputs.scenarios import load_scenario, resolve

        first, last = check_options(start=start, end=end, seeds=seeds, population_share=population_share)
        changes = parse_set(set_ or [])
        place = find_district(district)
        resolve(load_scenario(scenario), place, changes, first, last)
        out, also = out or Path("out") / f"villages-{place.id}", also_of(pdf=pdf, xlsx=xlsx, csv=csv)
        claim(out, "villages", lang, also=also, district=place.id, policy=scenario)
        print_readings(place.readings, lang)
        print_advice(few_families(place, population_share), lang)

        import konvergensi as kv

        with progress_bar(lang, "runs") as progress:
            result = kv.villages(
                district,
                scenario=scenario,
                seeds=seeds,
                start=start,
                end=end,
                population_share=population_share,
                set=changes,
                lang=lang.value,
                progress=progress,
            )
        save_and_tell(result, out, lang, also=also)
