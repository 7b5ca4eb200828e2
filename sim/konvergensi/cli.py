"""The command line: run, list, check, new-district, describe, trial, gaps, compare, explain.

Heavy imports stay inside the commands, so that `konvergensi --help` answers at once.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from konvergensi import __version__, cli_calibration, cli_discovery, cli_sensitivity, cli_study
from konvergensi.cli_options import (
    DistrictOption,
    DrawsFromOption,
    EndOption,
    LangOption,
    SeedOption,
    SetOption,
    ShareOption,
    StartOption,
    WorkersOption,
    interruptible,
    refusals,
)
from konvergensi.inputs.errors import InputError
from konvergensi.terminal import (
    Lang,
    print_advice,
    print_comparison,
    print_replaced,
    print_written,
    progress_bar,
    refuse_unwritable,
    save,
    say,
    summary_lines,
    table,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which gap keeps services from meeting at the same child? · Celah mana yang menghalangi layanan "
    "bertemu pada anak yang sama?",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"konvergensi {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version · Versi")
    ] = False,
) -> None:
    """Hold the options of the program itself."""


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="Name or file · Nama atau berkas skenario")] = "baseline",
    district: DistrictOption = "lebak",
    start: StartOption = "2018-01",
    end: EndOption = "2024-12",
    seed: SeedOption = 1,
    population_share: ShareOption = 1.0,
    set_: SetOption = None,
    trace_children: Annotated[
        int, typer.Option(help="Children followed from birth · Anak yang diikuti sejak lahir")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results · Folder hasil: out/SCENARIO-DISTRICT")
    ] = None,
    lang: LangOption = Lang.en,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw figures · Gambar")] = True,
) -> None:
    """Simulate one scenario in one district · Simulasikan satu skenario di satu daerah."""
    with refusals(lang):
        from konvergensi.inputs.advice import few_families, of_run, overruled
        from konvergensi.inputs.districts import find_district
        from konvergensi.inputs.options import check_options, parse_set
        from konvergensi.inputs.scenarios import load_scenario, resolve

        numbers = {"seed": seed, "population_share": population_share, "trace_children": trace_children}
        first, last = check_options(start=start, end=end, typed=True, **numbers)
        changes = parse_set(set_ or [])
        policy, place = load_scenario(scenario), find_district(district)
        resolved = resolve(policy, place, changes, first, last)  # refuse now what the run would refuse later
        print_advice([*of_run(policy, resolved, changes, place.parameters()), *overruled(policy, last)], lang)
        out = out or Path("out") / f"{policy.id}-{place.id}"
        refuse_unwritable(out)
        print_advice(few_families(place, population_share), lang)

        import konvergensi as kv

        with progress_bar(lang) as progress:
            result = kv.run(
                scenario,
                district=district,
                seed=seed,
                start=start,
                end=end,
                population_share=population_share,
                set=changes,
                trace_children=trace_children,
                progress=progress,
            )
        save(result, out, lang, figures=figures)
        for line in summary_lines(result, out, lang):
            typer.echo(line)


@app.command(name="list")
def list_(lang: LangOption = Lang.en) -> None:
    """List districts, scenarios and services · Daftar daerah, skenario, dan layanan."""
    with refusals(lang):
        from konvergensi.inputs import describe as rows

        table("districts", ("id", "name", "province", "villages", "extends"), rows.district_rows(lang), lang)
        table("scenarios", ("id", "title", "question"), rows.scenario_rows(lang), lang)
        columns = ("id", "name", "opd", "money", "target", "effect")
        table("services", columns, rows.service_rows(lang), lang)


@app.command()
def check(
    path: Annotated[str, typer.Argument(help="Scenario file or district folder · Berkas skenario atau folder daerah")],
    district: Annotated[
        str | None, typer.Option(help="District to check a scenario against · Daerah tempat skenario diperiksa")
    ] = None,
    lang: LangOption = Lang.en,
) -> None:
    """Say what is wrong with a scenario or a district · Periksa skenario atau daerah."""
    with refusals(lang):
        from konvergensi.inputs.check import advice, headline, read_path

        read = read_path(path)
        print_advice(advice(read, district), lang)
        typer.echo(say("good", lang, path=path, what=headline(read, lang)))


@app.command(name="new-district")
def new_district(
    folder: Annotated[Path, typer.Argument(help="New folder to write · Folder baru yang akan ditulis")],
    lang: LangOption = Lang.en,
) -> None:
    """Write a commented example of a district to fill in · Tulis contoh daerah berketerangan untuk diisi."""
    with refusals(lang):
        from konvergensi.inputs.template import NAMES, write_template

        write_template(folder, lang.value)
        typer.echo(say("written", lang, out=folder, files=", ".join(NAMES)))
        typer.echo(say("next", lang, folder=shlex.quote(str(folder))))


@app.command()
def describe(
    key: Annotated[str | None, typer.Argument(help="Parameter, mechanism, service, scenario or district")] = None,
    lang: LangOption = Lang.en,
) -> None:
    """Show parameters with unit, range, source and grade · Parameter, satuan, rentang, sumber, mutu bukti."""
    with refusals(lang):
        from konvergensi.inputs.describe import describe as everything_about
        from konvergensi.inputs.describe import parameter_rows

        rows = parameter_rows(lang, key or "")
        if rows:
            table("parameters", ("key", "value", "unit", "range", "grade", "meaning"), rows, lang)
        else:
            table("", ("", ""), everything_about(key or "", lang), lang)


@app.command()
def trial(
    service: Annotated[str, typer.Argument(help="One service, or A+B for both · Satu layanan, atau A+B")],
    children: Annotated[int, typer.Option(help="Children in each arm · Anak per kelompok")] = 20_000,
    seed: SeedOption = 1,
    lang: LangOption = Lang.en,
) -> None:
    """Try a service on the same children with and without it · Uji satu layanan pada anak yang sama."""
    with refusals(lang):
        from konvergensi.inputs.errors import unknown_name
        from konvergensi.inputs.options import number_faults
        from konvergensi.inputs.services import load_services

        names, known = [name.strip() for name in service.split("+")], load_services()
        faults = number_faults({"seed": seed, "children": children}, typed=True)
        faults += [unknown_name("", "trial", "service", name, known) for name in names if name not in known]
        if faults:
            raise InputError(faults)
        import konvergensi as kv

        for line in kv.trial(names, n=children, seed=seed, lang=lang.value).lines:
            typer.echo(line)


@app.command()
def gaps(
    district: DistrictOption = "lebak",
    seeds: Annotated[int, typer.Option(help="Seeds, for the interval of chance · Jumlah benih acak")] = 4,
    draws: Annotated[int, typer.Option(help="Samples of the assumptions · Jumlah sampel asumsi")] = 8,
    population_share: ShareOption = 0.1,
    start: StartOption = "2018-01",
    end: EndOption = "2024-12",
    workers: WorkersOption = None,
    ranges: Annotated[
        bool, typer.Option("--ranges/--no-ranges", help="Also try unmeasured rates at both ends · Uji ujung rentang")
    ] = True,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/gaps"),
    lang: LangOption = Lang.en,
) -> None:
    """Close the gaps of socialization, data and timing, alone and together · Tutup celah sosialisasi, data, waktu."""
    with refusals(lang):
        from konvergensi.inputs.advice import few_families
        from konvergensi.inputs.districts import find_district
        from konvergensi.inputs.options import check_options

        numbers = {"seeds": seeds, "draws": draws, "population_share": population_share}
        check_options(start=start, end=end, typed=True, **numbers, **({} if workers is None else {"workers": workers}))
        refuse_unwritable(out)
        print_advice(few_families(find_district(district), population_share), lang)

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
                ranges=ranges,
                lang=lang.value,
                keep=out / "runs",
                progress=progress,
            )
        save(result, out, lang)
        for line in result.lines:
            typer.echo(line)
        from konvergensi.experiments.gaps import WRITTEN

        print_written(out, (name for name in WRITTEN if (out / name).exists()), lang)


@app.command()
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
    workers: WorkersOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/compare"),
    lang: LangOption = Lang.en,
) -> None:
    """Compare policies, paired, with intervals and a report · Bandingkan kebijakan, dengan selang dan laporan."""
    with refusals(lang):
        from konvergensi.experiments.compare_plan import make_plan
        from konvergensi.inputs.advice import few_families, of_run, overruled
        from konvergensi.inputs.options import check_options, parse_set

        numbers = {"seeds": seeds, "draws": draws, "population_share": population_share}
        check_options(start=start, end=end, typed=True, **numbers, **({} if workers is None else {"workers": workers}))
        changes = parse_set(set_ or [])
        span = (population_share, start, end)
        plan = make_plan(scenarios, district, draws, seeds, *span, changes, draws_from)  # refuse now, not later
        known = plan.place.parameters()
        for policy, resolved in zip(plan.policies, plan.resolved):
            print_advice([*of_run(policy, resolved, changes, known), *overruled(policy, plan.last)], lang)
        refuse_unwritable(out)
        print_advice(few_families(plan.place, population_share), lang)
        print_replaced(out, plan.names, plan.place.id, lang)

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
                workers=workers,
                keep=out / "runs",
                progress=progress,
            )
        names = save(result, out, lang)
        print_comparison(result, lang)
        print_written(out, (name.partition("/")[0] + ("/" if "/" in name else "") for name in names), lang)


@app.command()
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
    workers: WorkersOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/explain"),
    lang: LangOption = Lang.en,
) -> None:
    """Say why published prevalence changed: integration, or a few agencies? · Mengapa prevalensi terbit berubah?"""
    with refusals(lang):
        from konvergensi.experiments.explain_plan import make_plan
        from konvergensi.inputs.advice import few_families
        from konvergensi.inputs.options import parse_set

        changes = parse_set(set_ or [])
        numbers = {"seeds": seeds, "population_share": population_share, "agencies": agencies, "workers": workers}
        options = (numbers, changes, True, draws_from)
        plan = make_plan(district, since, until, *options)  # refuse now, not later
        refuse_unwritable(out)
        print_advice(few_families(plan.place, population_share), lang)

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
                workers=workers,
                lang=lang.value,
                keep=out / "runs",
                progress=progress,
            )
        save(result, out, lang)
        for line in result.lines:
            typer.echo(line)
        from konvergensi.experiments.explain import WRITTEN

        print_written(out, WRITTEN, lang)


cli_study.add_to(app)
cli_sensitivity.add_to(app)
cli_discovery.add_to(app)
cli_calibration.add_to(app)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
