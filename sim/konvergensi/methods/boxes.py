"""Boxes: what is asked of each factor, which runs lie inside, and how well the inside matches the runs of interest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Level = str | bool | int | float
Side = Literal["low", "high", "levels"]


@dataclass(frozen=True)
class Limit:
    """What a box asks of one factor: a number from `low` to `high`, both ends included, or one of `levels`."""

    low: float = -np.inf
    high: float = np.inf
    levels: tuple[Level, ...] | None = None

    def sides(self) -> list[Side]:
        """The sides on which it asks something."""
        if self.levels is not None:
            return ["levels"]
        sides: list[tuple[Side, bool]] = [("low", self.low > -np.inf), ("high", self.high < np.inf)]
        return [side for side, asked in sides if asked]

    def holds(self, values: pd.Series) -> Bools:
        """For which of the values it holds, (n,)."""
        if self.levels is not None:
            return np.asarray(values.isin(self.levels), dtype=bool)
        numbers = values.to_numpy(float)
        return np.asarray((numbers >= self.low) & (numbers <= self.high))

    def without(self, side: Side) -> Limit | None:
        """The same without what it asks on one side, None when nothing is left."""
        if side == "levels":
            return None
        left = Limit(-np.inf if side == "low" else self.low, np.inf if side == "high" else self.high)
        return left if left.sides() else None


Box = Mapping[str, Limit]  # factor -> what is asked of it; a factor that is not there may be anything


@dataclass(frozen=True)
class Fit:
    """How a region matches: `support` of `runs` lie inside, and `hits` of the `of_interest` do."""

    runs: int
    of_interest: int
    support: int
    hits: int

    @property
    def coverage(self) -> float:
        """Share of the runs of interest that lie inside; NaN when there are none."""
        return self.hits / self.of_interest if self.of_interest else np.nan

    @property
    def density(self) -> float:
        """Share of the runs inside that are of interest; NaN when none lies inside."""
        return self.hits / self.support if self.support else np.nan

    @property
    def mass(self) -> float:
        """Share of all runs that lie inside."""
        return self.support / self.runs

    @property
    def base(self) -> float:
        """Share of all runs that are of interest: the density of no box at all."""
        return self.of_interest / self.runs


def inside(box: Box, x: pd.DataFrame) -> Bools:
    """Which rows of a table of factors lie in a box, (n,)."""
    found = np.ones(len(x), dtype=bool)
    for factor, limit in box.items():
        found &= limit.holds(x[factor])
    return found


def fit(where: Bools, interest: Bools) -> Fit:
    """How well the runs `where` match those of `interest`; both (n,) bool, n > 0."""
    return Fit(len(where), int(interest.sum()), int(where.sum()), int((where & interest).sum()))


def union(boxes: list[Box], x: pd.DataFrame) -> Bools:
    """Which rows lie in any of the boxes, (n,)."""
    return np.any([np.zeros(len(x), dtype=bool), *(inside(box, x) for box in boxes)], axis=0)


Restriction = tuple[str, Side]
Name = TypeVar("Name", Restriction, str)


def outside(box: Box, x: pd.DataFrame) -> dict[Restriction, Bools]:
    """For each restriction of a box, which rows it shuts out, (n,)."""
    found = {}
    for factor, limit in box.items():
        for side in limit.sides():
            alone = limit if side == "levels" else Limit(**{side: getattr(limit, side)})
            found[factor, side] = ~alone.holds(x[factor])
    return found


def quasi_p(shut_out: Mapping[Name, Bools], interest: Bools) -> dict[Name, float]:
    """For each restriction: how likely a density as high by chance, were the restriction of no use.

    One-sided binomial test of the runs inside against the share of interest in the box without that restriction. Only
    "quasi": the same runs suggested the restriction, so these are lower than honest p-values.

    Source: B. P. Bryant and R. J. Lempert, Thinking inside the box, Technological Forecasting and Social Change 77,
    2010. Parameters: shut_out, which rows each shuts out (n,), as of `outside`; interest (n,) bool. NaN where no run
    lies inside.
    """
    from scipy.stats import binom

    if not shut_out:
        return {}
    shut = np.column_stack(list(shut_out.values()))
    times = shut.sum(axis=1)
    wider = times[:, None] == shut  # what lies inside when a column's restriction is given up
    now, share = fit(times == 0, interest), wider[interest].sum(axis=0) / np.maximum(wider.sum(axis=0), 1)
    if not now.support:
        return dict.fromkeys(shut_out, np.nan)
    return dict(zip(shut_out, binom.sf(now.hits - 1, now.support, share).tolist()))


def relaxed(box: Box, factor: str, side: Side) -> dict[str, Limit]:
    """The box without one restriction."""
    left = box[factor].without(side)
    return {name: limit for name, limit in box.items() if name != factor} | ({factor: left} if left else {})
