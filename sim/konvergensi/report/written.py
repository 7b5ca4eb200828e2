"""What saving each kind of result writes, as names or patterns: what stands in the way is known before the work."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from konvergensi.base.folders import MANIFEST
from konvergensi.report import (
    districts_page,
    figures,
    figures_calibration,
    figures_comparison,
    figures_country_validation,
    figures_explain,
    figures_gaps,
    figures_nation,
    paper,
)
from konvergensi.results import allocation, comparison, country_validation, run, sensitivity, validation, villages

WITH_TABLE = ("png", "svg", "csv")  # figures in several formats, with the table they show


def _tables(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}.parquet" for name in names)


def _figures(names: Iterable[str], *endings: str) -> tuple[str, ...]:
    return tuple(f"figures/{name}.{ending}" for name in names for ending in endings or ("png",))


FILES: dict[str, tuple[str, ...]] = {
    "run": ("summary.md", *_tables(*run.COLUMNS), *_figures(figures.FIGURES)),
    "comparison": (
        *("decision.md", "report.html"),
        *_tables(*comparison.COLUMNS, *(f"{comparison.DETAILS}/*/{name}" for name in run.COLUMNS)),
        *_figures(figures_comparison.FIGURES, *WITH_TABLE),
    ),
    "gaps": (
        "gaps.md",
        *_tables("gaps", "differences", "shapley", "ranges", "money"),
        *_figures(figures_gaps.FIGURES),
    ),
    "allocation": ("allocation.md", *_tables(*allocation.COLUMNS)),
    "explanation": ("explain.md", *_tables("explain", "worlds", "surveys"), *_figures(figures_explain.FIGURES)),
    "villages": ("villages.md", "villages.xlsx", *_tables(*villages.COLUMNS)),
    "trial": _tables("trial"),
    "calibration": ("{district}.json", *_tables("{district}", "{district}-runs")),
    "sensitivity": (
        *("sensitivity.md", "sensitivity.csv"),
        *_tables(*sensitivity.TABLES),
        *_figures(("what-moves-*", "points-enough-*", "assumption-heat"), *WITH_TABLE),
    ),
    "discovery": (
        "discovery.md",
        *_tables("boxes", "cases", "trajectory"),
        *_figures(("draws", "trajectory", "tree")),
    ),
    "robustness": ("robustness.md", *_tables("robustness", "draws"), *_figures(("robustness",))),
    "validation": ("validation.md", *_tables(*validation.TABLES), *_figures(figures_calibration.FIGURES)),
    "districts": ("districts.md", *_tables("districts"), *_figures(districts_page.FIGURES)),
    "nation": ("nation.md", "nation.csv", "nation.xlsx", *_tables("nation"), *_figures(figures_nation.FIGURES)),
    "country_validation": (
        "validation.md",
        *_tables(*country_validation.TABLES),
        *_figures(figures_country_validation.FIGURES),
    ),
}


def names(kind: str, district: str = "", with_figures: bool = True, also: Collection[str] = ()) -> list[str]:
    """Names and patterns of all that saving a result of this kind may write; district, in whose name some are.

    also: what is written beside it (report/paper.py). Without figures, those of kinds whose figures belong to their
    pages are written all the same.
    """
    found = [name.replace("{district}", district) for name in (*FILES[kind], *paper.names(kind, also), MANIFEST)]
    kept = with_figures or kind in ("comparison", "sensitivity")
    return [name for name in found if kept or not name.startswith("figures/")]
