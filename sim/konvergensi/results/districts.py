"""Districts beside their provinces and their peers, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from konvergensi.base.words import Lang
from konvergensi.results.base import Result

ASKED, PROVINCE, PEER = "asked", "province", "peer"


@dataclass(repr=False, eq=False)
class Districts(Result):
    """districts: year, quantity, middle, low, high (90 %), code, role (asked, province, peer), beside (code of the
    district asked for), area, province, pooled_share (how much its own surveys leave open).

    quantity: `prevalence` (percent; 2018, 2021, 2024 middle of the year, 2029 and 2045 December, both from the fitted
    trend), `trend_points_per_year`, `points_from_province` (2024), `chance_of_target`, covariates (year 0: the last
    published), `survey:<system>`.
    """

    kind: ClassVar[str] = "districts"
    labels: ClassVar[tuple[str, ...]] = ("version", "areas", "system")
    districts: pd.DataFrame
    manifest: dict[str, Any]
    lang: Lang = "en"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {"districts": self.districts}

    def of(self, beside: str, quantity: str, year: int) -> pd.DataFrame:
        """Rows of a quantity and year for a district asked for: itself, its province, its peers in their order."""
        table = self.districts
        kept = (table["beside"] == beside) & (table["quantity"] == quantity) & (table["year"] == year)
        return table[kept].reset_index(drop=True)
