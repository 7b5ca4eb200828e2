"""Factors: what a study varies, each a parameter with a distribution over (part of) its own range.

A sampler works in the unit cube; `quantile` carries a coordinate of it to a value. In between stands the code, a float:
the value itself of a number, the place in `values` of a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.inputs.parameters import Parameter, Value

DISTRIBUTIONS = ("uniform", "normal", "triangular", "lognormal", "choice")
# what each needs besides low and high, which are the parameter's own range unless written
NEEDS: dict[str, tuple[str, ...]] = {
    "uniform": (),
    "normal": ("mean", "sd"),
    "triangular": ("mode",),
    "lognormal": ("median", "gsd"),
    "choice": ("values",),
}
DUMMY = "dummy"  # a factor of this name, or `dummy.<anything>`, is sampled and given to no model: the noise floor


@dataclass(frozen=True)
class Factor:
    """One factor of a study.

    Parameters: key, of a parameter; distribution, one of DISTRIBUTIONS; low, high, None for the parameter's own range,
    also the cut of normal and lognormal; mean, sd of the normal before it is cut; mode of the triangular; median, gsd
    (geometric standard deviation, above 1) of the lognormal before it is cut; values of a choice, equally likely or as
    `weights` say, which sum to 1;
    group, the name under which factors are moved together; levels, how many equal steps a factorial takes;
    whole, numbers are rounded (set from the parameter).
    """

    key: str
    distribution: str = "uniform"
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sd: float | None = None
    mode: float | None = None
    median: float | None = None
    gsd: float | None = None
    values: tuple[Value, ...] = ()
    weights: tuple[float, ...] = ()
    group: str = ""
    levels: int | None = None
    whole: bool = False

    @property
    def is_dummy(self) -> bool:
        """Whether no model sees it."""
        return self.key == DUMMY or self.key.startswith(f"{DUMMY}.")

    def codes(self, unit: np.ndarray) -> np.ndarray:
        """Carry coordinates in [0, 1] to codes, (n,) float; they lie in low..high, whole ones are rounded."""
        if self.weights:
            edges = np.cumsum(self.weights)[:-1]
            return np.searchsorted(edges, unit, side="right").astype(float)
        if self.values:
            return np.minimum(np.floor(unit * len(self.values)), len(self.values) - 1)
        found = np.clip(self._quantile(unit), self.low, self.high)
        return np.rint(found) if self.whole else found

    def _quantile(self, unit: np.ndarray) -> np.ndarray:
        from scipy import stats

        assert self.low is not None and self.high is not None  # `checked` puts the parameter's range in
        if self.distribution == "uniform" or self.low == self.high:
            return self.low + unit * (self.high - self.low)
        if self.distribution == "triangular":
            width = self.high - self.low
            return np.asarray(stats.triang.ppf(unit, (self.mode - self.low) / width, self.low, width))  # type: ignore[operator]
        kind = self._whole_distribution()
        below, above = kind.cdf(self.low), kind.cdf(self.high)
        return np.asarray(kind.ppf(below + unit * (above - below)))

    def _whole_distribution(self) -> Any:
        """The normal or lognormal before it is cut."""
        from scipy import stats

        if self.distribution == "normal":
            return stats.norm(self.mean, self.sd)
        assert self.gsd is not None
        return stats.lognorm(np.log(self.gsd), scale=self.median)

    def share_inside(self) -> float:
        """How much of a normal or lognormal lies within low..high; 1 of the others."""
        if self.distribution not in ("normal", "lognormal"):
            return 1.0
        kind = self._whole_distribution()
        return float(kind.cdf(self.high) - kind.cdf(self.low))

    def value(self, code: float) -> Value:
        """The value a code stands for, as the parameter's type."""
        if self.values:
            return self.values[int(code)]
        return int(code) if self.whole else float(code)

    def code(self, value: Value) -> float:
        """The code of a value. Raises ValueError when it is none of the levels."""
        return float(self.values.index(value)) if self.values else float(value)


def codes_of(factors: Sequence[Factor], unit: np.ndarray) -> np.ndarray:
    """Carry points of the unit cube, (n, factors), to codes of the same shape."""
    return np.column_stack([factor.codes(unit[:, j]) for j, factor in enumerate(factors)]).astype(np.float64)


def table_of(factors: Sequence[Factor], codes: np.ndarray) -> pd.DataFrame:
    """Points as values: a column for each factor, a row for each draw (index `draw`, from 1)."""
    columns = {factor.key: [factor.value(code) for code in codes[:, j]] for j, factor in enumerate(factors)}
    index = pd.RangeIndex(1, len(codes) + 1, name="draw")
    return pd.DataFrame({key: pd.Series(column, index) for key, column in columns.items()}, index=index)


def levels_of(parameter: Parameter) -> tuple[Value, ...]:
    """The levels of a parameter that is no number; none of a number."""
    if isinstance(parameter.value, bool):
        return (False, True)
    return parameter.choices if isinstance(parameter.value, str) else ()
