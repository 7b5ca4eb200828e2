"""Statistics of paired runs: pure functions over arrays whose first two axes are draws and seeds.

Draws are samples of the uncertain parameters, seeds are chance; every draw is run with every seed (crossed). Everything
is computed along these two axes, so that a third axis may hold months, scenarios or villages. Where runs do not allow a
number it is NaN.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

F64 = NDArray[np.float64]
CONFIDENCE = 0.95
ENOUGH_DRAWS = 20  # from here on the percentiles of the draws say more than a distribution fitted to them
ROUNDING = 1e-12  # what varies less than this, relative to its size, does not vary
MOST_RUNS = 1_000_000  # a pair that needs more is out of reach
Kind = Literal["percentiles", "few_draws", "chance", "none"]


def interval_kind(draws: int, seeds: int) -> Kind:
    """Which interval `interval` gives: of percentiles, of a few draws, of chance alone, or none.

    Parameters: draws, of uncertain parameters, 0 when they are as they are; seeds, of each draw.
    """
    if draws >= ENOUGH_DRAWS:
        return "percentiles"
    if draws >= 2:
        return "few_draws"
    return "chance" if seeds >= 2 else "none"


def interval(values: F64) -> tuple[F64, F64, F64]:
    """Mean of the runs and their 95 % interval.

    percentiles (20 draws and more): the 2.5th to 97.5th percentile of the runs. few_draws (2 to 19): where a further
    run is expected, mean +- t sd sqrt(1 + 1 / draws) with draws - 1 degrees of freedom, so wider than the few values
    seen. Both say how far runs spread. chance (one draw): the t interval of the mean over seeds. none: NaN.

    Parameters: values (draws, seeds, ...). Returns: mean, low, high, each (...).
    """
    draws, seeds = values.shape[:2]
    flat = values.reshape(draws * seeds, *values.shape[2:])
    mean = flat.mean(axis=0)
    kind = interval_kind(draws, seeds)
    if kind == "percentiles":
        tail = 50.0 * (1.0 - CONFIDENCE)
        low, high = np.percentile(flat, [tail, 100.0 - tail], axis=0)
        return mean, low, high
    if kind == "none":
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    n = draws if kind == "few_draws" else seeds
    spread = flat.std(axis=0, ddof=1) * math.sqrt(1.0 + 1.0 / n if kind == "few_draws" else 1.0 / n)
    half = _quantile(n - 1) * spread
    return mean, mean - half, mean + half


def mean_interval(values: F64) -> tuple[F64, F64, F64]:
    """Mean of the runs and the 95 % t interval of that mean: how well these runs tell it.

    With two draws and more, draws are the replicates (draws - 1 degrees of freedom), and what seeds add for all draws
    alike is added; with one draw, seeds are. NaN for a single run.

    Parameters: values (draws, seeds, ...). Returns: mean, low, high, each (...).
    """
    mean = values.mean(axis=(0, 1))
    half = _quantile(_replicates(values) - 1) * _error(values)
    return mean, mean - half, mean + half


def more_runs(values: F64) -> float:
    """How many more runs would bring the half-width of `mean_interval` below the mean, seeds of a draw as they are.

    Parameters: values (draws, seeds), paired differences. Returns: runs, a multiple of the seeds where there are
    draws; NaN where the mean is decided already, is zero, rests on one run, or would need more than a million runs.
    """
    n, each = _replicates(values), values.size / max(_replicates(values), 1)
    mean, sd = abs(float(values.mean())), float(_error(values)) * math.sqrt(n)
    if n < 2 or not mean > 0.0 or _quantile(n - 1) * sd / math.sqrt(n) < mean:
        return math.nan
    if (1.96 * sd / mean) ** 2 * each > MOST_RUNS:
        return math.nan
    needed = max(n + 1, math.floor((1.9599 * sd / mean) ** 2))  # t is wider than the normal: this is not too many
    while _quantile(needed - 1) * sd / math.sqrt(needed) >= mean:
        needed += 1
    return (needed - n) * each


def best_shares(values: F64, direction: int) -> F64:
    """Share of the runs in which each scenario is the best; runs in which several are equally good are split.

    Parameters: values (draws, seeds, scenarios, ...); direction, 1 the higher the better, -1 the lower, 0 neither.
    Returns: (scenarios, ...), summing to 1 over scenarios; NaN for direction 0 and where a value is NaN.
    """
    if direction == 0:
        return np.full(values.shape[2:], np.nan)
    best = (direction * values).max(axis=2, keepdims=True)
    wins = (direction * values == best).astype(float)
    shares: F64 = np.where(np.isnan(best), np.nan, wins / np.maximum(wins.sum(axis=2, keepdims=True), 1.0)).mean(
        axis=(0, 1)
    )
    return shares


def variance_shares(values: F64) -> tuple[float, float]:
    """Shares of the variance of a run that come from parameters and from chance, which sum to 1.

    Two-way analysis of variance with random draws and seeds: parameters are the component of draws, chance those of
    seeds and of draws with seeds. A component estimated below zero counts as zero.

    Parameters: values (draws, seeds). Returns: NaN twice with fewer than two of either, and where nothing varies.
    """
    draws, seeds = values.shape
    if draws < 2 or seeds < 2:
        return math.nan, math.nan
    of_draws, of_seeds, rest = _mean_squares(values)
    parameters = max((of_draws - rest) / seeds, 0.0)
    chance = max((of_seeds - rest) / draws, 0.0) + rest
    total = float(parameters + chance)
    if total <= (ROUNDING * float(np.abs(values).max())) ** 2:
        return math.nan, math.nan
    return float(parameters) / total, float(chance) / total


def ratio_interval(above: F64, below: F64) -> tuple[float, float, float]:
    """Ratio of two paired means with its 95 % interval by Fieller's theorem.

    Parameters: above, below (n,), independent pairs. Returns: ratio, low, high; NaN where the mean below is not
    clearly above 0 (its own 95 % t interval), as then no ratio is known.
    Source: E. C. Fieller, Some problems in interval estimation, J. R. Stat. Soc. B 16, 1954.
    """
    n = len(below)
    if n < 2:
        return math.nan, math.nan, math.nan
    x, y = float(above.mean()), float(below.mean())
    (xx, xy), (_, yy) = np.cov(above, below) / n * _quantile(n - 1) ** 2
    if y <= 0.0 or yy >= y * y:
        return math.nan, math.nan, math.nan
    middle, scale = x * y - xy, y * y - yy
    half = math.sqrt(max(middle * middle - scale * (x * x - xx), 0.0))
    return x / y, float(middle - half) / scale, float(middle + half) / scale


def _quantile(freedom: int) -> float:
    return float(student.ppf(0.5 + CONFIDENCE / 2, freedom)) if freedom > 0 else math.nan


def _replicates(values: F64) -> int:
    draws, seeds = values.shape[:2]
    return draws if draws >= 2 else seeds


def _error(values: F64) -> F64:
    """Standard error of the mean over draws and seeds, (...)."""
    draws, seeds = values.shape[:2]
    if draws < 2:
        return np.asarray(
            values.std(axis=(0, 1), ddof=1) if seeds > 1 else np.full(values.shape[2:], np.nan)
        ) / math.sqrt(seeds)
    of_draws, of_seeds, rest = _mean_squares(values)
    shared = np.maximum(of_seeds - rest, 0.0) if seeds > 1 else 0.0
    return np.asarray(np.sqrt((of_draws + shared) / (draws * seeds)))


def _mean_squares(values: F64) -> tuple[F64, F64, F64]:
    """Mean squares of draws, of seeds and of the rest, (...) each; those of one level are 0."""
    draws, seeds = values.shape[:2]
    mean = values.mean(axis=(0, 1), keepdims=True)
    by_draw = values.mean(axis=1, keepdims=True) - mean
    by_seed = values.mean(axis=0, keepdims=True) - mean
    rest = values - mean - by_draw - by_seed
    squares = (seeds * (by_draw**2).sum(axis=(0, 1)), draws * (by_seed**2).sum(axis=(0, 1)), (rest**2).sum(axis=(0, 1)))
    freedom = (draws - 1, seeds - 1, (draws - 1) * (seeds - 1))
    of_draws, of_seeds, of_rest = (total / max(count, 1) for total, count in zip(squares, freedom))
    return of_draws, of_seeds, of_rest
