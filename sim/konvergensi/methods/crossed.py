"""Variances of a crossed design of draws and seeds: mean squares, the error of the mean, degrees of freedom.

A run is mean + draw + seed + rest, each effect random and independent. Mean squares give the variance of the grand
mean, and Satterthwaite's rule how many degrees of freedom it has, between those of draws and those of seeds.

Sources: F. E. Satterthwaite, An approximate distribution of estimates of variance components, Biometrics Bull. 2, 1946;
R. K. Burdick and F. A. Graybill, Confidence Intervals on Variance Components, 1992, chapter 6 (crossed, one a cell).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """Mean squares of draws, seeds and rest, (...) each; those of one level are 0."""

    draws: int
    seeds: int
    of_draws: F64
    of_seeds: F64
    of_rest: F64

    @classmethod
    def of(cls, values: F64) -> Spread:
        """The mean squares of values (draws, seeds, ...)."""
        draws, seeds = values.shape[:2]
        mean = values.mean(axis=(0, 1), keepdims=True)
        by_draw = values.mean(axis=1, keepdims=True) - mean
        by_seed = values.mean(axis=0, keepdims=True) - mean
        rest = values - mean - by_draw - by_seed
        axes = (0, 1)
        squares = (seeds * (by_draw**2).sum(axes), draws * (by_seed**2).sum(axes), (rest**2).sum(axes))
        freedom = (draws - 1, seeds - 1, (draws - 1) * (seeds - 1))
        return cls(draws, seeds, *(np.asarray(total / max(count, 1)) for total, count in zip(squares, freedom)))

    @property
    def components(self) -> tuple[F64, F64, F64]:
        """Variances of a draw, of a seed, and of the rest; below zero counts as zero.

        With one seed what seeds do is part of draws, with one draw part of seeds.
        """
        if self.seeds < 2:
            return self.of_draws, np.zeros_like(self.of_draws), np.zeros_like(self.of_draws)
        if self.draws < 2:
            return np.zeros_like(self.of_seeds), self.of_seeds, np.zeros_like(self.of_seeds)
        draw = np.maximum(self.of_draws - self.of_rest, 0.0) / self.seeds
        seed = np.maximum(self.of_seeds - self.of_rest, 0.0) / self.draws
        return draw, seed, self.of_rest

    def mean_error(self) -> tuple[F64, F64]:
        """Variance of the grand mean and its degrees of freedom, (...) each."""
        share = 1.0 / (self.draws * self.seeds)
        return self._combined(share, share)

    def run_error(self) -> tuple[F64, F64]:
        """Variance of a further run (new draw, new seed) about the grand mean, and its degrees of freedom."""
        d, s = self.draws, self.seeds
        if s < 2 or d < 2:
            n = max(d, s)
            return self._combined(1.0 + 1.0 / n, 1.0 + 1.0 / n)
        return self._combined((1.0 + 1.0 / d) / s, (1.0 + 1.0 / s) / d, 1.0 + 1.0 / (d * s))

    def _combined(self, a: float, b: float, whole: float | None = None) -> tuple[F64, F64]:
        """Variance a MS(draws) + b MS(seeds) + c MS(rest) and its degrees of freedom.

        whole: what a, b and c sum to, a where it is left out. Where seeds vary no more than the rest does, they are
        left out, and c makes up for it.
        """
        d, s = self.draws, self.seeds
        if d < 2:
            return b * self.of_seeds, np.full_like(self.of_seeds, s - 1.0)
        if s < 2:
            return a * self.of_draws, np.full_like(self.of_draws, d - 1.0)
        b_used = np.where(self.of_seeds > self.of_rest, b, 0.0)
        rest = (a if whole is None else whole) - a - b_used
        parts = (a * self.of_draws, b_used * self.of_seeds, rest * self.of_rest)
        total = np.maximum(parts[0] + parts[1] + parts[2], 0.0)
        weights = (d - 1, s - 1, (d - 1) * (s - 1))
        squares = np.asarray(sum(part**2 / n for part, n in zip(parts, weights)))
        return total, np.where(squares > 0.0, total**2 / np.where(squares > 0.0, squares, 1.0), d - 1.0)


def planned_half(spread: Spread, draws: int, seeds: int) -> float:
    """The half-width to expect of the interval of the mean with so many draws and seeds; spread of one column."""
    draw, seed, rest = (float(each) for each in spread.components)
    if spread.draws < 2 or spread.seeds < 2:
        n = draws if spread.seeds < 2 else seeds
        return float(quantile(n - 1)) * float(np.sqrt((draw + seed) / n))
    parts = (seeds * draw + rest, draws * seed + rest, -rest)
    total = sum(parts)
    squares = sum(p**2 / n for p, n in zip(parts, (draws - 1, seeds - 1, (draws - 1) * (seeds - 1))))
    return float(quantile(total**2 / squares)) * float(np.sqrt(total / (draws * seeds))) if squares > 0.0 else 0.0


def quantile(freedom: F64 | float) -> F64 | float:
    """The t quantile of a 95 % interval; NaN where there are no degrees of freedom."""
    from scipy.stats import t as student

    return student.ppf(0.5 + CONFIDENCE / 2, np.where(np.asarray(freedom) > 0, freedom, np.nan))
