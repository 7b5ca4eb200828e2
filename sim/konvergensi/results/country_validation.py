"""Predictions of survey readings of any districts, held against what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from konvergensi.results.base import Result

MODEL = "model"
TABLES = ("observed", "scores")


@dataclass(repr=False, eq=False)
class CountryValidation(Result):
    """observed: a row for each reading and method; area (as written), code, year, measure_system, observed, own_low,
    own_high (the survey's own 95 % interval), source, kind (how it was predicted), was_target (the fit has seen it),
    method, low, middle, high (90 % interval of a reading), inside, interval_score, crps; percent of under-fives.

    scores: kind, method, n, rmse, crps, coverage, interval_score, bias, width; for each naive rule also the model less
    it, on the rows of both: gap_crps, gap_rmse with _low and _high (90 %, provinces drawn anew; NaN for few provinces).
    """

    kind: ClassVar[str] = "country_validation"
    labels: ClassVar[tuple[str, ...]] = ("version", "about")
    observed: pd.DataFrame
    scores: pd.DataFrame
    manifest: dict[str, Any]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {name: getattr(self, name) for name in TABLES}

    @property
    def kinds(self) -> list[str]:
        """The kinds of rows there are, in the order of the scores."""
        return list(dict.fromkeys(self.scores["kind"]))

    def of_model(self) -> pd.DataFrame:
        """The model's rows."""
        return self.observed[self.observed["method"] == MODEL].reset_index(drop=True)
