"""The commands `discover` and `robustness`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.errors import InputError, fault
from konvergensi.cli.options import LangOption, PlaceOption, refusals
from konvergensi.cli.terminal import Lang, claim, save_and_tell, say

StoreArgument = Annotated[Path, typer.Argument(help="Store of a study · Simpanan studi")]


class Method(StrEnum):
    """How conditions are sought."""

    prim = "prim"
    tree = "tree"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(discover)
    app.command()(robustness)


def discover(
    store: StoreArgument,
    where: Annotated[
        str,
        typer.Option(
            help="What is of interest: OUTPUT SIGN NUMBER, joined by 'or' or by 'and' · Yang dicari: "
            "'prevalence > 30', 'difference:prevalence >= -0.2 or cost_per_case_rp > 1e9'"
        ),
    ],
    scenario: Annotated[
        str | None, typer.Option(help="Scenario looked at · Skenario", show_default="the last · terakhir")
    ] = None,
    district: PlaceOption = None,
    method: Annotated[Method, typer.Option(help="Boxes, or a tree · Kotak, atau pohon")] = Method.prim,
    density: Annotated[
        float | None,
        typer.Option(help="Choose the fullest box of at least this density, 0-1 · Kepadatan kotak paling sedikit"),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/discover"),
    lang: LangOption = Lang.en,
) -> None:
    """Say under which conditions something happens · Dalam kondisi apa sesuatu terjadi."""
    with refusals(lang):
        if density is not None and not 0 < density <= 1:
            raise InputError(fault("", "--density", "outside", value=density, low=0, high=1, unit=""))
        from konvergensi.studies.store import Store

        read = Store.open(store)
        claim(out, "discovery", lang, district=district or read.districts[0])

        from konvergensi.analyses.discover import discover as search

        typer.echo(say("searching", lang), err=True)
        found = search(read, where, scenario, method.value, district=district, density=density)
        save_and_tell(found, out, lang)


def robustness(
    store: StoreArgument,
    output: Annotated[
        str, typer.Option(help="What is to be good · Keluaran: prevalence, difference:protected_in_time")
    ] = "prevalence",
    threshold: Annotated[
        float | None,
        typer.Option(help="Good enough, in the output's unit · Ambang", show_default="the district's target"),
    ] = None,
    district: PlaceOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the results · Folder hasil")] = Path("out/robustness"),
    lang: LangOption = Lang.en,
) -> None:
    """Rank scenarios when nobody knows which draw is true · Skenario mana yang kokoh di bawah ketidakpastian."""
    with refusals(lang):
        from konvergensi.studies.store import Store

        read = Store.open(store)
        claim(out, "robustness", lang, policies=read.scenarios, district=district or read.districts[0])

        from konvergensi.analyses.robustness import robustness as rank

        found = rank(read, output, threshold=threshold, district=district)
        save_and_tell(found, out, lang)
