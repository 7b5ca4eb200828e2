"""What `nation` found, as one table: districts, provinces and the nation by year and quantity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from konvergensi.results.base import Result

COLUMNS = ("code", "area", "province", "year", "quantity", "middle", "low", "high", "pooled_share")
NATION, INDONESIA = "00", "Indonesia"


@dataclass(repr=False, eq=False)
class Nation(Result):
    """nation: code (`36.02`, province `36`, nation `00`), area, province, year, quantity, middle, low, high (90 %) and
    pooled_share: of levels how much of what sets a district apart its own surveys leave open (1: none of its own), of
    what policies bring how far it is drawn to the mean of districts of its kind; of a group the weighted mean.

    quantity: `prevalence` (percent of under-fives; years to 2024 as fitted, middle of the year; 2029 simulated, 2045
    from the fitted trend, December); `trend_points_per_year` (2018 to 2024); `chance_of_target` (share of draws at or
    under the national target of that year, no interval); by policy (`<quantity>:<policy>`, against the baseline,
    December 2029): `points` (percentage points), `cases` (fewer stunted children), `cases_per_1000` (under-fives),
    `rupiah` (more spent from 2026 on), `cases_per_billion_rp` (NaN where it costs no more).
    """

    kind: ClassVar[str] = "nation"
    labels: ClassVar[tuple[str, ...]] = ("version", "policies_from", "end", "samples", "draws", "families")
    nation: pd.DataFrame
    manifest: dict[str, Any]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {"nation": self.nation}

    def of(self, quantity: str, year: int, length: int = 5) -> pd.DataFrame:
        """Rows of a quantity in a year by code; length of the codes: 5 districts, 2 provinces and the nation."""
        table = self.nation
        kept = (table["quantity"] == quantity) & (table["year"] == year) & (table["code"].str.len() == length)
        return table[kept].set_index("code")

    def policies(self) -> list[str]:
        """Ids of the policies tried."""
        return list(self.manifest["policies"])
