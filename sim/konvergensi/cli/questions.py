"""Commands `compare`, `gaps`, `explain`: what a policy changes, which gap binds, why prevalence changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

import konvergensi as kv
from konvergensi.cli.options import (
    ClusterOption,
    CsvOption,
    DistrictOption,
    DrawsFromOption,
    EndOption,
    LangOption,
    ObservedOption,
    PdfOption,
    PoliciesFromOption,
    PptxOption,
    SetOption,
    ShareOption,
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
from konvergensi.cli.terminal import (
    Lang,
    begin,
    print_advice,
    progress_bar,
    save_and_tell,
    warn_of_damage,
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(gaps)
    app.command()(compare)
    app.command()(explain)


@contextmanager
def asking(out: Path, lang: Lang) -> Iterator[dict[str, Any]]:
    """Where a question keeps the rows it has, and whom it tells how far it is; what is damaged there is said first."""
    rows = out / "runs"
    warn_of_damage(rows, lang)
    with interruptible(rows, lang), progress_bar(lang, "runs") as progress:
        yield {"keep": rows, "progress": progress}


def gaps(
    district: DistrictOption = "lebak",
    seeds: Annotated[int, typer.Option(help="Seeds, for the interval of chance · Jumlah benih acak")] = 4,
    draws: Annotated[int, typer.Option(help="Samples of the assumptions · Jumlah sampel asumsi")] = 8,
    population_share: ShareOption = 0.1,
    start: StartOption = "2018-01",
    end: EndOption = "2024-12",
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    ranges: Annotated[
        bool, typer.Option("--ranges/--no-ranges", help="Also try unmeasured rates at both ends · Uji ujung rentang")
    ] = True,
    with_: WithOption = None,
    structures: StructuresOption = "all",
    policies_from: PoliciesFromOption = None,
    pdf: PdfOption = False,
    xlsx: XlsxOption = False,
    csv: CsvOption = False,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/gaps"),
    lang: LangOption = Lang.en,
) -> None:
    """Close the gaps of socialization, data and timing, alone and together · Tutup celah sosialisasi, data, waktu."""
    with refusals(lang, with_):
        from konvergensi.inputs.districts import find_district
        from konvergensi.inputs.options import check_options
        from konvergensi.inputs.structures import structures_asked

        numbers = {"seeds": seeds, "draws": draws, "population_share": population_share}
        check_options(start=start, end=end, **numbers)
        check_engine(workers, cluster)
        structures_asked(structures)
        place = find_district(district)
        also = also_of(pdf=pdf, xlsx=xlsx, csv=csv)
        begin("gaps", out, lang, place, population_share, also=also)
        with asking(out, lang) as kept:
            result = kv.gaps(
                district,
                seeds=seeds,
                draws=draws,
                population_share=population_share,
                start=start,
                end=end,
                workers=workers,
                cluster=cluster,
                ranges=ranges,
                structures=structures,
                policies_from=policies_from,
                lang=lang.value,
                **kept,
            )
        save_and_tell(result, out, lang, also=also)


def compare(
    scenarios: Annotated[
        list[str], typer.Argument(help="Two or more names or files, the reference first · Skenario, acuan lebih dulu")
    ],
    district: DistrictOption = "lebak",
    draws: Annotated[int, typer.Option(help="Samples of the uncertain parameters · Jumlah sampel parameter")] = 20,
    seeds: Annotated[int, typer.Option(help="Seeds for each of them · Jumlah benih acak tiap sampel")] = 4,
    population_share: ShareOption = 0.2,
    start: StartOption = "2018-01",
    end: EndOption = "2024-12",
    set_: SetOption = None,
    draws_from: DrawsFromOption = "fitted",
    structures: StructuresOption = "all",
    observed: ObservedOption = None,
    policies_from: PoliciesFromOption = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    with_: WithOption = None,
    pdf: PdfOption = False,
    pptx: PptxOption = False,
    xlsx: XlsxOption = False,
    csv: CsvOption = False,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/compare"),
    lang: LangOption = Lang.en,
) -> None:
    """Compare policies, paired, with intervals and a report · Bandingkan kebijakan, dengan selang dan laporan."""
    with refusals(lang, with_):
        from konvergensi.analyses.compare_plan import make_plan
        from konvergensi.inputs.advice import of_run, overruled
        from konvergensi.inputs.options import check_options, parse_set
        from konvergensi.inputs.scenarios import starting

        numbers = {"seeds": seeds, "draws": draws, "population_share": population_share}
        check_options(start=start, end=end, **numbers)
        check_engine(workers, cluster)
        changes = parse_set(set_ or [])
        span = (population_share, start, end)
        scenarios = starting(scenarios, policies_from)
        plan = make_plan(scenarios, district, draws, seeds, *span, changes, draws_from, structures, observed)  # refuse
        known = plan.place.parameters()
        for policy, resolved in zip(plan.policies, plan.resolved):
            print_advice([*of_run(policy, resolved, changes, known), *overruled(policy, plan.last)], lang)
        also = also_of(pdf, pptx, xlsx, csv)
        begin("comparison", out, lang, plan.place, population_share, policies=plan.names, also=also)
        with asking(out, lang) as kept:
            result = kv.compare(
                scenarios,
                district=district,
                draws=draws,
                seeds=seeds,
                population_share=population_share,
                start=start,
                end=end,
                set=changes,
                draws_from=draws_from,
                structures=structures,
                observed=observed,
                workers=workers,
                cluster=cluster,
                **kept,
            )
        save_and_tell(result, out, lang, also=also)


def explain(
    district: DistrictOption = "lebak",
    since: Annotated[str, typer.Option("--from", help="First month · Bulan pertama, YYYY-MM")] = "2018-01",
    until: Annotated[str, typer.Option("--to", help="Last month · Bulan terakhir, YYYY-MM")] = "2021-12",
    seeds: Annotated[int, typer.Option(help="Seeds, for the interval of chance · Jumlah benih acak")] = 4,
    population_share: ShareOption = 0.1,
    agencies: Annotated[
        int, typer.Option(help="Agencies with a share of their own; each doubles the work · OPD yang dirinci")
    ] = 3,
    set_: SetOption = None,
    draws_from: DrawsFromOption = "fitted",
    structures: StructuresOption = "all",
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    with_: WithOption = None,
    pdf: PdfOption = False,
    xlsx: XlsxOption = False,
    csv: CsvOption = False,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/explain"),
    lang: LangOption = Lang.en,
) -> None:
    """Say why published prevalence changed: integration, or a few agencies? · Mengapa prevalensi terbit berubah?"""
    with refusals(lang, with_):
        from konvergensi.analyses.explain_plan import make_plan
        from konvergensi.inputs.options import parse_set

        changes = parse_set(set_ or [])
        numbers = {"seeds": seeds, "population_share": population_share, "agencies": agencies}
        check_engine(workers, cluster)
        options = (numbers, changes, draws_from, structures)
        plan = make_plan(district, since, until, *options)  # refuse now, not later
        also = also_of(pdf=pdf, xlsx=xlsx, csv=csv)
        begin("explanation", out, lang, plan.place, population_share, also=also)
        with asking(out, lang) as kept:
            result = kv.explain(
                district,
                since=since,
                until=until,
                seeds=seeds,
                population_share=population_share,
                agencies=agencies,
                set=changes,
                draws_from=draws_from,
                structures=structures,
                workers=workers,
                cluster=cluster,
                lang=lang.value,
                **kept,
            )
        save_and_tell(result, out, lang, also=also)
