"""Commands `run` and `trial`: one simulation, one virtual trial."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.errors import InputError
from konvergensi.cli.options import (
    CsvOption,
    DistrictOption,
    EndOption,
    LangOption,
    ObservedOption,
    PdfOption,
    PoliciesFromOption,
    SeedOption,
    SetOption,
    ShareOption,
    StartOption,
    WithOption,
    XlsxOption,
    also_of,
    refusals,
)
from konvergensi.cli.terminal import Lang, begin, print_advice, progress_bar, save_and_tell


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(run)
    app.command()(trial)


def run(
    scenario: Annotated[str, typer.Argument(help="Name or file · Nama atau berkas skenario")] = "baseline",
    district: DistrictOption = "lebak",
    start: StartOption = "2018-01",
    end: EndOption = "2024-12",
    seed: SeedOption = 1,
    population_share: ShareOption = 1.0,
    set_: SetOption = None,
    observed: ObservedOption = None,
    trace_children: Annotated[
        int, typer.Option(help="Children followed from birth · Anak yang diikuti sejak lahir")
    ] = 0,
    policies_from: PoliciesFromOption = None,
    with_: WithOption = None,
    pdf: PdfOption = False,
    xlsx: XlsxOption = False,
    csv: CsvOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results · Folder hasil: out/SCENARIO-DISTRICT")
    ] = None,
    lang: LangOption = Lang.en,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw figures · Gambar")] = True,
) -> None:
    """Simulate one scenario in one district · Simulasikan satu skenario di satu daerah."""
    with refusals(lang, with_):
        from konvergensi.analyses.paths import own_rows
        from konvergensi.inputs.advice import of_run, overruled
        from konvergensi.inputs.districts import find_district
        from konvergensi.inputs.options import check_options, parse_set
        from konvergensi.inputs.scenarios import load_scenario, resolve, starting

        numbers = {"seed": seed, "population_share": population_share, "trace_children": trace_children}
        first, last = check_options(start=start, end=end, **numbers)
        changes = parse_set(set_ or [])
        (scenario,) = starting([scenario], policies_from)
        policy, place = load_scenario(scenario), find_district(district)
        resolved = resolve(policy, place, changes, first, last)  # refuse now what the run would refuse later
        own_rows(place, observed)
        print_advice([*of_run(policy, resolved, changes, place.parameters()), *overruled(policy, last)], lang)
        out = out or Path("out") / f"{policy.id}-{place.id}"
        also = also_of(pdf=pdf, xlsx=xlsx, csv=csv)
        begin("run", out, lang, place, population_share, figures=figures, policy=policy.id, also=also)

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
                observed=observed,
                trace_children=trace_children,
                progress=progress,
            )
        save_and_tell(result, out, lang, figures=figures, also=also)


def trial(
    service: Annotated[str, typer.Argument(help="One service, or A+B for both · Satu layanan, atau A+B")],
    children: Annotated[int, typer.Option(help="Children in each arm · Anak per kelompok")] = 20_000,
    seed: SeedOption = 1,
    with_: WithOption = None,
    lang: LangOption = Lang.en,
) -> None:
    """Try a service on the same children with and without it · Uji satu layanan pada anak yang sama."""
    with refusals(lang, with_):
        from konvergensi.base.errors import unknown_name
        from konvergensi.inputs.options import number_faults
        from konvergensi.inputs.services import load_services

        names, known = [name.strip() for name in service.split("+")], load_services()
        faults = number_faults({"seed": seed, "children": children})
        faults += [unknown_name("", "trial", "service", name, known) for name in names if name not in known]
        if faults:
            raise InputError(faults)
        import konvergensi as kv

        for line in kv.trial(names, n=children, seed=seed, lang=lang.value).lines:
            typer.echo(line)
