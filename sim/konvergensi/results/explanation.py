"""Why prevalence changed between two months: its parts, and a manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from konvergensi.results.base import Result

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

PUBLISHED, TRUE, MEASUREMENT, COHORTS = "published", "true", "measurement", "cohort_replacement"
DATES, ERROR, EARLIER, REST = (
    "measurement:dates",
    "measurement:error",
    "cohort_replacement:incomes",
    "cohort_replacement:rest",
)
COORDINATION_LESS_SERVICES = "coordination less services"
LABELS = ("version", "district", "since", "until", "seeds", "population_share", "synthetic_inputs", "intervals")


@dataclass(repr=False, eq=False)
class Explanation(Result):
    """Why prevalence changed between two months, in points of prevalence; below zero it fell.

    parts: part, kind, value (mean over seeds), low, high (95 % t interval over seeds, NaN with one seed), alone, last.
    Kinds: `part`, which sum to the total; `total`: `published`, or `true` where there were no two surveys, and `true`;
    `detail`, inside a part (`services` is all agencies'); `contrast`; `without`: how much higher prevalence would be at
    the end had the agency delivered nothing. Of a driver also what it brings when it moves alone, and as the last.
    worlds: seed, world, change: `moves a+b`, with these drivers moving; `without a`; `level`: everything stands still,
    and incomes always stood where they stood before `since`.
    surveys: system, fieldwork, simulated (percent, mean over seeds and teams), half_width (of a single survey's 95 %
    interval), truth, published (what was really found, NaN where the district's folder does not say).
    """

    kind: ClassVar[str] = "explanation"
    labels: ClassVar[tuple[str, ...]] = LABELS
    parts: pd.DataFrame
    worlds: pd.DataFrame
    surveys: pd.DataFrame
    manifest: dict[str, Any]
    lang: Lang = "en"

    def of(self, part: str) -> pd.Series:
        """The row of a part. Raises KeyError when there is none."""
        rows = self.parts[self.parts["part"] == part]
        if rows.empty:
            raise KeyError(part)
        return rows.iloc[0]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {"explain": self.parts, "worlds": self.worlds, "surveys": self.surveys}

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Explanation:
        """The result that these parts were saved from. Raises KeyError when a part is missing."""
        parts = (tables["explain"], tables["worlds"], tables["surveys"])
        return cls(*parts, manifest=manifest)
