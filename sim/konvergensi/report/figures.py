"""All figures of a run, by name."""

from __future__ import annotations

from konvergensi.report import (
    figures_agencies,
    figures_children,
    figures_coordination,
    figures_published,
    figures_villages,
    theme,
)
from konvergensi.report.readings import RunTables

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


def shown(run: RunTables) -> list[str]:
    """Names of the figures that there is something to draw for."""
    return [name for name in FIGURES if name not in NEEDS or NEEDS[name](run)]
