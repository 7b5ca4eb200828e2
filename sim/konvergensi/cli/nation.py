"""Commands `nation` and `compare-districts`: all 514 districts, and yours beside its province and its peers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.errors import InputError, fault
from konvergensi.cli.options import (
    ClusterOption,
    LangOption,
    ObservedOption,
    WithOption,
    WorkersOption,
    check_engine,
    interruptible,
    refusals,
)
from konvergensi.cli.terminal import Lang, claim, progress_bar, save_and_tell, warn_of_damage


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(nation)
    app.command(name="compare-districts")(compare_districts)


def nation(
    policy: Annotated[
        list[str] | None,
        typer.Option(help="Tried as if it began in 2026, repeatable · Kebijakan yang dicoba mulai 2026"),
    ] = None,
    families: Annotated[
        int | None, typer.Option(help="Families simulated in each district · Keluarga tiap daerah", show_default="4000")
    ] = None,
    population_share: Annotated[
        float | None, typer.Option(help="Instead: this share of all families, 1 for all · Bagian keluarga")
    ] = None,
    samples: Annotated[int, typer.Option(help="Sets of uncertain parameters · Jumlah sampel parameter")] = 3,
    area: Annotated[list[str] | None, typer.Option(help="Only these districts, repeatable · Hanya daerah ini")] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
    with_: WithOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/nation"),
    lang: LangOption = Lang.en,
) -> None:
    """All 514 districts: level, trend, targets, where help brings most · Semua 514 kabupaten/kota."""
    with refusals(lang, with_):
        from konvergensi.analyses.nation import FAMILIES, estimate, plan
        from konvergensi.base.words import number, word
        from konvergensi.studies.engines import cores

        check_engine(workers, cluster)
        if families is not None and population_share is not None:
            raise InputError(fault("--families", "", "never_with", value="--population-share"))
        asked = FAMILIES if families is None else families
        jobs = plan(policy, asked, population_share, samples, area)
        claim(out, "nation", lang)
        warn_of_damage(out / "districts", lang)
        keep = out / "districts"

        import konvergensi as kv

        with interruptible(keep, lang):
            seconds, left = estimate(jobs, workers, keep)
            words = {"left": left, "workers": workers or cores(), "folder": keep}
            typer.echo(word("nation.estimate", lang.value, minutes=number(seconds / 60, lang.value, 1), **words))
            with progress_bar(lang, "runs") as progress:
                result = kv.nation(
                    policies=policy,
                    families=asked,
                    population_share=population_share,
                    samples=samples,
                    areas=area,
                    workers=workers,
                    cluster=cluster,
                    keep=keep,
                    progress=progress,
                )
        save_and_tell(result, out, lang)


def compare_districts(
    areas: Annotated[list[str], typer.Argument(help="Names or codes · Nama atau kode daerah")],
    observed: ObservedOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/districts"),
    lang: LangOption = Lang.en,
) -> None:
    """Districts beside their province and districts alike · Daerah di samping provinsi dan daerah serupa."""
    with refusals(lang):
        import konvergensi as kv

        result = kv.compare_districts(areas, observed=observed, lang=lang.value)
        claim(out, "districts", lang)
        save_and_tell(result, out, lang)
