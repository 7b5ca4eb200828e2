"""Commands `compare`, `gaps`, `explain`: what a policy changes, which gap binds, why prevalence changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from konvergensi.cli.options import (
    ClusterOption,
    DistrictOption,
    DrawsFromOption,
    EndOption,
    LangOption,
    SetOption,
    ShareOption,
    StartOption,
    StructuresOption,
    WithOption,
    WorkersOption,
    check_engine,
    interruptible,
    refusals,
)
from konvergensi.cli.terminal import (
    Lang,
    claim,
    print_advice,
    print_readings,
    progress_bar,
    save_and_tell,
    warn_of_damage,
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(gaps)
    app.command()(compare)
    app.command()(explain)


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
    structures: StructuresOption = "default",
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/gaps"),
    lang: LangOption = Lang.en,
) -> None:
    """Close the gaps of socialization, data and timing, alone and together · Tutup celah sosialisasi, data, waktu."""
    with refusals(lang, with_):
        from konvergensi.inputs.advice import few_families
        from konvergensi.inputs.districts import find_district
        from konvergensi.inputs.options import check_options
        from konvergensi.inputs.structures import structures_asked

        numbers = {"seeds": seeds, "draws": draws, "population_share": population_share}
        check_options(start=start, end=end, **numbers)
        check_engine(workers, cluster)
        structures_asked(structures)
        place = find_district(district)
        claim(out, "gaps", lang, district=place.id)
        print_readings(place.readings, lang)
        print_advice(few_families(place, population_share), lang)

        warn_of_damage(out / "runs", lang)

        import konvergensi as kv

        with interruptible(out / "runs", lang), progress_bar(lang, "runs") as progress:
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
                lang=lang.value,
                keep=out / "runs",
                progress=progress,
            )
        save_and_tell(result, out, lang)


def compare(
    scenarios: Annotated[
        list[str], typer.Argument(help="Two or more names or files, the reference first · Skenario, acuan lebih dulu")
    ],
    district: DistrictOption = "lebak",
    draws: Annotated[int, typer.Option(help="Samples of the uncertain parameters · Jumlah sampel parameter")] = 20,
    seeds: Annotated[int, typer.Option(help="Seeds for each of them · Jumlah benih acak tiap sampel")] = 2,
    population_share: ShareOption = 0.2,
    start: StartOption = "2018-01",
    end: EndOption = "2024-12",
    set_: SetOption = None,
    draws_from: DrawsFromOption = "fitted",
    structures: StructuresOption = "default",
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    with_: WithOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/compare"),
    lang: LangOption = Lang.en,
) -> None:
    """Compare policies, paired, with intervals and a report · Bandingkan kebijakan, dengan selang dan laporan."""
    with refusals(lang, with_):
        from konvergensi.analyses.compare_plan import make_plan
        from konvergensi.inputs.advice import few_families, of_run, overruled
        from konvergensi.inputs.options import check_options, parse_set

        numbers = {"seeds": seeds, "draws": draws, "population_share": population_share}
        check_options(start=start, end=end, **numbers)
        check_engine(workers, cluster)
        changes = parse_set(set_ or [])
        span = (population_share, start, end)
        plan = make_plan(scenarios, district, draws, seeds, *span, changes, draws_from, structures)  # refuse now
        known = plan.place.parameters()
        for policy, resolved in zip(plan.policies, plan.resolved):
            print_advice([*of_run(policy, resolved, changes, known), *overruled(policy, plan.last)], lang)
        claim(out, "comparison", lang, scenarios=plan.names, district=plan.place.id)
        print_readings(plan.place.readings, lang)
        print_advice(few_families(plan.place, population_share), lang)

        warn_of_damage(out / "runs", lang)

        import konvergensi as kv

        with interruptible(out / "runs", lang), progress_bar(lang, "runs") as progress:
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
                workers=workers,
                cluster=cluster,
                keep=out / "runs",
                progress=progress,
            )
        save_and_tell(result, out, lang)


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
    structures: StructuresOption = "default",
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    with_: WithOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/explain"),
    lang: LangOption = Lang.en,
) -> None:
    """Say why published prevalence changed: integration, or a few agencies? · Mengapa prevalensi terbit berubah?"""
    with refusals(lang, with_):
        from konvergensi.analyses.explain_plan import make_plan
        from konvergensi.inputs.advice import few_families
        from konvergensi.inputs.options import parse_set

        changes = parse_set(set_ or [])
        numbers = {"seeds": seeds, "population_share": population_share, "agencies": agencies}
        check_engine(workers, cluster)
        options = (numbers, changes, draws_from, structures)
        plan = make_plan(district, since, until, *options)  # refuse now, not later
        claim(out, "explanation", lang, district=plan.place.id)
        print_readings(plan.place.readings, lang)
        print_advice(few_families(plan.place, population_share), lang)

        warn_of_damage(out / "runs", lang)

        import konvergensi as kv

        with interruptible(out / "runs", lang), progress_bar(lang, "runs") as progress:
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
                keep=out / "runs",
                progress=progress,
            )
        save_and_tell(result, out, lang)
