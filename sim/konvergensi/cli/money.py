"""Command `allocate`: what to buy with a sum of money."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.months import format_month
from konvergensi.cli.options import (
    ClusterOption,
    CsvOption,
    DrawsFromOption,
    LangOption,
    PdfOption,
    StartOption,
    StructuresOption,
    WithOption,
    WorkersOption,
    XlsxOption,
    also_of,
    check_engine,
    interruptible,
    refusals,
)
from konvergensi.cli.terminal import Lang, begin, progress_bar, save_and_tell, warn_of_damage


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(allocate)


def allocate(
    district: Annotated[str, typer.Argument(help="Name or folder · Nama atau folder daerah")] = "lebak",
    more: Annotated[
        float | None, typer.Option(metavar="RP", help="Rupiah a year more · Tambahan rupiah per tahun")
    ] = None,
    less: Annotated[float | None, typer.Option(metavar="RP", help="Rupiah a year less · Pengurangan per tahun")] = None,
    since: Annotated[str, typer.Option("--from", help="First month of the money · Bulan pertama, YYYY-MM")] = "2026-01",
    until: Annotated[str, typer.Option(help="Its last December · Desember terakhir, YYYY-12")] = "2026-12",
    at: Annotated[
        str | None,
        typer.Option(help="Month in which gains are counted · Bulan penghitungan", show_default="36 months later"),
    ] = None,
    objective: Annotated[
        str, typer.Option(help="cases, protected, equity or cost · kasus, anak terlindungi, pemerataan, biaya")
    ] = "cases",
    caution: Annotated[
        str, typer.Option(help="mean, worst-decile or regret · rata-rata, sepersepuluh terburuk, penyesalan")
    ] = "mean",
    policy: Annotated[str, typer.Option(help="Policy in force beside · Kebijakan yang berlaku")] = "baseline",
    draws: Annotated[int, typer.Option(help="Samples of the uncertain parameters · Jumlah sampel parameter")] = 20,
    seeds: Annotated[int, typer.Option(help="Seeds for each of them · Jumlah benih acak tiap sampel")] = 2,
    first_seed: Annotated[int, typer.Option(help="The first of them · Benih acak pertama")] = 1,
    population_share: Annotated[
        float, typer.Option(help="Share of the families simulated · Bagian keluarga yang disimulasikan")
    ] = 0.03,
    start: StartOption = "2018-01",
    draws_from: DrawsFromOption = "fitted",
    structures: StructuresOption = "all",
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    with_: WithOption = None,
    pdf: PdfOption = False,
    xlsx: XlsxOption = False,
    csv: CsvOption = False,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/allocate"),
    lang: LangOption = Lang.en,
) -> None:
    """Which services for Rp X more (or less), with which certainty · Layanan mana untuk tambahan Rp X."""
    with refusals(lang, with_):
        from konvergensi.analyses.allocate_plan import months_of
        from konvergensi.inputs.districts import find_district
        from konvergensi.inputs.options import check_options

        _, _, last = months_of(since, until, at, start)  # refuse now
        numbers = {"seeds": seeds, "draws": draws, "population_share": population_share}
        check_options(start=start, end=format_month(last), **numbers)
        check_engine(workers, cluster)
        place = find_district(district)
        also = also_of(pdf=pdf, xlsx=xlsx, csv=csv)
        begin("allocation", out, lang, place, population_share, also=also)
        warn_of_damage(out / "runs", lang)

        import konvergensi as kv

        with interruptible(out / "runs", lang), progress_bar(lang, "runs") as progress:
            result = kv.allocate(
                district,
                more=more,
                less=less,
                since=since,
                until=until,
                at=at,
                objective=objective,
                caution=caution,
                policy=policy,
                draws=draws,
                seeds=seeds,
                first_seed=first_seed,
                population_share=population_share,
                start=start,
                draws_from=draws_from,
                structures=structures,
                workers=workers,
                cluster=cluster,
                lang=lang.value,
                keep=out / "runs",
                progress=progress,
            )
        save_and_tell(result, out, lang, also=also)
