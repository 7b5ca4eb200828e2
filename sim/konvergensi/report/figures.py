"""All figures of a run, by name, and writing them to a folder."""

from __future__ import annotations

from pathlib import Path

import matplotlib

from konvergensi.report import figures_agencies, figures_children, figures_coordination, figures_villages, theme
from konvergensi.report.readings import RunTables
from konvergensi.report.words import Lang

FIGURES: dict[str, theme.FigureMaker] = {
    "prevalence": figures_children.prevalence,
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
DPI = 150


def save_figures(run: RunTables, folder: Path | str, lang: Lang) -> list[str]:
    """Write every figure as '<name>.png' into a folder that exists; returns the names of the files."""
    written = []
    for name, make in FIGURES.items():
        figure = make(run, lang)
        with matplotlib.rc_context(theme.STYLE):
            figure.savefig(Path(folder) / f"{name}.png", dpi=DPI, metadata={"Software": "konvergensi"})
        written.append(f"{name}.png")
    return written
