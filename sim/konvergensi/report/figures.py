"""All figures of a run, by name, and writing them to a folder."""

from __future__ import annotations

from pathlib import Path

import matplotlib

from konvergensi.report import (
    figures_agencies,
    figures_children,
    figures_coordination,
    figures_published,
    figures_villages,
    theme,
)
from konvergensi.report.readings import RunTables
from konvergensi.report.words import Lang

FIGURES: dict[str, theme.FigureMaker] = {
    "prevalence": figures_children.prevalence,
    "routine": figures_published.routine,
    "cascade": figures_agencies.cascade,
    "map": figures_villages.village_map,
    "services_per_household": figures_villages.services_per_household,
    "money": figures_agencies.money,
    "age_profile": figures_children.age_profile,
    "targeting": figures_agencies.targeting,
    "equity": figures_children.equity,
    "network": figures_coordination.network,
    "agencies": figures_coordination.agencies,
    "integration": figures_coordination.integration,
}
# what a figure needs to be written at all
NEEDS = {"routine": figures_published.has_routine}
DPI = 150


def save_figures(run: RunTables, folder: Path | str, lang: Lang) -> list[str]:
    """Write figures as '<name>.png' into a folder that exists; returns the names of the files.

    A figure of something that the district has not (NEEDS) is left out.
    """
    written = []
    for name, make in FIGURES.items():
        if name in NEEDS and not NEEDS[name](run):
            continue
        figure = make(run, lang)
        with matplotlib.rc_context(theme.STYLE):
            figure.savefig(Path(folder) / f"{name}.png", dpi=DPI, metadata={"Software": "konvergensi"})
        written.append(f"{name}.png")
    return written
