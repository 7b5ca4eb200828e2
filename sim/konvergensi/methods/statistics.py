"""Statistics of paired runs: pure functions over arrays whose first two axes are draws and seeds.

Draws are samples of the uncertain parameters, seeds are chance; every draw is run with every seed (crossed). Everything
is computed along these two axes, so that a third axis may hold months, scenarios or villages. Where runs do not allow a
number it is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from konvergensi.methods.crossed import CONFIDENCE, Spread, planned_half, quantile

F64 = NDArray[np.float64]
ENOUGH_DRAWS = 39  # from here on the outermost draws hold a further one in 95 % of cases
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

    percentiles (39 draws and more): percentiles of the runs, so far out that a further run is held in 95 % of cases
    whatever its distribution, were there one run a draw. few_draws (2 to 38): where a further run is expected under
    the normal distribution, mean +- t times the spread of draws, seeds and rest and the error of the mean, with
    Satterthwaite's degrees of freedom. Both say how far runs spread. chance (one draw): the t interval of the mean over
    seeds. none: NaN. How often they hold a further run: tests/test_coverage.py.

    Parameters: values (draws, seeds, ...). Returns: mean, low, high, each (...).
    """
    draws, seeds = values.shape[:2]
    flat = values.reshape(draws * seeds, *values.shape[2:])
    mean = flat.mean(axis=0)
    kind = interval_kind(draws, seeds)
    if kind == "percentiles":
        tail = 100.0 * (0.5 * (1.0 - CONFIDENCE) * (draws + 1) - 1.0) / (draws - 1)
        low, high = np.percentile(flat, [max(tail, 0.0), min(100.0 - tail, 100.0)], axis=0)
        return mean, low, high
    if kind == "none":
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    spread = Spread.of(values)
    variance, freedom = spread.run_error() if kind == "few_draws" else spread.mean_error()
    half = quantile(freedom) * np.sqrt(variance)
    return mean, mean - half, mean + half


def mean_interval(values: F64) -> tuple[F64, F64, F64]:
    """Mean of the runs and the 95 % t interval of that mean: how well these runs tell it.

    Draws and seeds are both taken as samples (methods/crossed.py), so that what seeds do to all draws alike counts with
    the few degrees of freedom that seeds have. NaN for a single run.

    Parameters: values (draws, seeds, ...). Returns: mean, low, high, each (...).
    """
    mean = values.mean(axis=(0, 1))
    if values.shape[0] * values.shape[1] < 2:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    variance, freedom = Spread.of(values).mean_error()
    half = quantile(freedom) * np.sqrt(variance)
    return mean, mean - half, mean + half


def is_decided(values: F64) -> bool:
    """Whether the interval of the mean leaves out 0; runs that do not vary decide nothing.

    Parameters: values (draws, seeds), paired differences.
    """
    mean, low, high = (float(each) for each in mean_interval(values))
    return high - low > ROUNDING * abs(mean) and (low > 0.0 or high < 0.0)


def more_runs(values: F64) -> tuple[float, str]:
    """How many more runs would decide it, and of what: `draws` with the seeds there are, or `seeds` of these draws.

    The cheaper of both is given: so many that the half-width to expect of `mean_interval` falls below the mean.

    Parameters: values (draws, seeds), paired differences. Returns: runs, a multiple of the seeds or of the draws, and
    which; NaN and "" where the mean is decided already, is zero, does not vary, rests on one run, or needs more than a
    million runs.
    """
    draws, seeds = values.shape
    mean = abs(float(values.mean()))
    if values.size < 2 or not mean > 0.0 or not float(np.ptp(values)) > ROUNDING * mean or is_decided(values):
        return math.nan, ""
    spread = Spread.of(values)
    ways: dict[str, tuple[int, int, Callable[[int], float]]] = {}
    if draws > 1:
        ways["draws"] = (draws, seeds, lambda n: planned_half(spread, n, seeds))
    if seeds > 1:
        ways["seeds"] = (seeds, draws, lambda n: planned_half(spread, draws, n))
    found = [
        ((needed - there) * each, which)
        for which, (there, each, half) in ways.items()
        if (needed := _needed(there, MOST_RUNS // each, half, mean))
    ]
    return min(found) if found else (math.nan, "")


def _needed(there: int, most: int, half: Callable[[int], float], mean: float) -> int:
    """The least number above `there`, at most `most`, with a half-width below the mean; 0 where there is none."""
    if half(most) >= mean:
        return 0
    low, high = there, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if half(middle) >= mean else (low, middle)
    return high


def wins(values: F64, direction: int) -> F64:
    """Whether each scenario is the best in each run, ties split: the same shape, 0..1; NaN where a value is NaN."""
    best = (direction * values).max(axis=2, keepdims=True)
    won = (direction * values == best).astype(float)
    return np.asarray(np.where(np.isnan(best), np.nan, won / np.maximum(won.sum(axis=2, keepdims=True), 1.0)))


def best_shares(values: F64, direction: int) -> F64:
    """Share of the runs in which each scenario is the best; runs in which several are equally good are split.

    Parameters: values (draws, seeds, scenarios, ...); direction, 1 the higher the better, -1 the lower, 0 neither.
    Returns: (scenarios, ...), summing to 1 over scenarios; NaN for direction 0 and where a value is NaN.
    """
    return best_with_interval(values, direction)[0]


def best_with_interval(values: F64, direction: int) -> tuple[F64, F64, F64]:
    """`best_shares` and their 95 % interval (`share_interval`), (scenarios, ...) each."""
    if direction == 0:
        nothing = np.full(values.shape[2:], np.nan)
        return nothing, nothing.copy(), nothing.copy()
    won = wins(values, direction)
    return won.mean(axis=(0, 1)), *share_interval(won)


def share_interval(hits: F64) -> tuple[F64, F64]:
    """The 95 % interval of a share of runs, by the exact interval for as many independent runs as they are worth.

    Runs of one draw, and runs of one seed, are alike: they are worth as many as would give the variance of the share
    that the crossed design has, at most all of them; where all runs say the same, as many as there are draws.

    Parameters: hits (draws, seeds, ...), 0..1. Returns: low, high, each (...); NaN where a value is NaN.
    Source: E. L. Korn and B. I. Graubard, Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data, Survey Methodol. 24, 1998.
    """
    from scipy.stats import beta

    draws, seeds = hits.shape[:2]
    share = hits.mean(axis=(0, 1))
    if draws * seeds < 2:
        return np.zeros_like(share), np.ones_like(share)
    variance, _ = Spread.of(hits).mean_error()
    least = float(draws if draws > 1 else seeds)
    worth = np.where(variance > 0.0, share * (1.0 - share) / np.where(variance > 0.0, variance, 1.0), least)
    worth = np.clip(worth, 1.0, draws * seeds)
    tail, k = 0.5 * (1.0 - CONFIDENCE), share * worth
    low = np.where(share > 0.0, beta.ppf(tail, np.maximum(k, 1e-12), worth - k + 1.0), 0.0)
    high = np.where(share < 1.0, beta.ppf(1.0 - tail, k + 1.0, np.maximum(worth - k, 1e-12)), 1.0)
    return np.where(np.isnan(share), np.nan, low), np.where(np.isnan(share), np.nan, high)


def variance_shares(values: F64) -> tuple[float, float]:
    """Shares of the variance of a run that come from parameters and from chance, which sum to 1.

    Two-way analysis of variance with random draws and seeds: parameters are the component of draws, chance those of
    seeds and of draws with seeds. A component estimated below zero counts as zero.

    Parameters: values (draws, seeds). Returns: NaN twice with fewer than two of either, and where nothing varies.
    """
    draws, seeds = values.shape
    if draws < 2 or seeds < 2:
        return math.nan, math.nan
    parameters, of_seeds, rest = (float(each) for each in Spread.of(values).components)
    total = parameters + of_seeds + rest
    if total <= (ROUNDING * float(np.abs(values).max())) ** 2:
        return math.nan, math.nan
    return parameters / total, (of_seeds + rest) / total


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
    (xx, xy), (_, yy) = np.cov(above, below) / n * quantile(n - 1) ** 2
    if y <= 0.0 or yy >= y * y:
        return math.nan, math.nan, math.nan
    middle, scale = x * y - xy, y * y - yy
    half = math.sqrt(max(middle * middle - scale * (x * x - xx), 0.0))
    return x / y, float(middle - half) / scale, float(middle + half) / scale
