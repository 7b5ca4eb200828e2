"""Robustness: which policy to take when it is not known which draw is the world.

A table of draws by scenarios, every scenario in the same draws. All rules are computed on *badness*, so that less is
always better; what comes out is turned back into the units and the sign of the output.

- expected: the mean over draws.
- worst: the worst draw (maximin).
- percentile: the value that only one draw in ten is worse than.
- regret: how far a policy falls behind the best one for the same draw, at most over draws (minimax regret, Savage).
- mean_sd: the mean, worsened by one standard deviation over draws: a mean-variance rule that stays in the unit of the
  output and does not depend on where its zero lies, as products of mean and standard deviation do.
- satisficing: the share of draws in which the output meets a threshold (the domain criterion of Starr).

Sources: L. J. Savage, The theory of statistical decision, J. Am. Stat. Assoc. 46, 1951; C. McPhail, H. R. Maier,
J. H. Kwakkel, M. Giuliani, A. Castelletti and S. Westra, Robustness metrics, Earth's Future 6, 2018.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

F64 = NDArray[np.float64]
PERCENTILE = 90.0
RESAMPLES = 2000
CONFIDENCE = 0.95
RULES = ("expected", "worst", "percentile", "regret", "mean_sd", "satisficing")


def regrets(values: F64, direction: int) -> F64:
    """How much worse each scenario is than the best one in the same draw, >= 0 with a 0 in every draw.

    Parameters: values (..., draws, scenarios); direction, 1 the higher the better, -1 the lower.
    """
    bad = -direction * values
    return np.asarray(bad - bad.min(axis=-1, keepdims=True))


def measures(values: F64, direction: int, threshold: float | None = None) -> dict[str, F64]:
    """Each rule's number for each scenario, in the units of the output; satisficing only with a threshold.

    Parameters: values (..., draws, scenarios), without NaN; direction, 1 the higher the better, -1 the lower;
    threshold, which a draw meets when its value is as good or better. Returns: rule -> (..., scenarios).
    """
    bad, sign = -direction * values, -direction
    spread = bad.std(axis=-2, ddof=1) if values.shape[-2] > 1 else np.full(bad.shape[:-2] + bad.shape[-1:], np.nan)
    found = {
        "expected": sign * bad.mean(axis=-2),
        "worst": sign * bad.max(axis=-2),
        "percentile": sign * np.percentile(bad, PERCENTILE, axis=-2),
        "regret": regrets(values, direction).max(axis=-2),
        "mean_sd": sign * (bad.mean(axis=-2) + spread),
    }
    if threshold is not None:
        found["satisficing"] = (bad <= sign * threshold).mean(axis=-2)
    return {rule: np.asarray(each, dtype=float) for rule, each in found.items()}


def better(rule: str, direction: int) -> int:
    """Which way a rule's number is better: 1 the higher, -1 the lower."""
    return {"regret": -1, "satisficing": 1}.get(rule, direction)


def table(values: pd.DataFrame, direction: int, threshold: float | None = None, seed: int = 1) -> pd.DataFrame:
    """Each scenario by each rule: rule, scenario, value, low, high, rank, best_share.

    low, high: 95 % percentile interval over resamples of the draws, all scenarios keeping the same draws; the chance
    of seeds, common to all draws, is not in it. The worst
    draw and the largest regret are extremes: resampling cannot see beyond the worst draw there is, so their interval
    says how much hangs on few draws, not how bad it may get. rank: 1 is best, equals share the better rank.
    best_share: share of the resamples in which the scenario is best by this rule, ties split.

    Parameters: values, index draws, columns scenarios, without NaN, two draws and two scenarios or more.
    """
    numbers = values.sort_index().to_numpy(float)
    draws = len(numbers)
    rng = np.random.default_rng(seed)
    now = measures(numbers, direction, threshold)
    again = [measures(numbers[rng.integers(draws, size=draws)], direction, threshold) for _ in range(RESAMPLES)]
    rows = []
    for rule, value in now.items():
        resampled = np.array([each[rule] for each in again])
        tail = 50.0 * (1.0 - CONFIDENCE)
        low, high = np.percentile(resampled, [tail, 100.0 - tail], axis=0)
        sign = better(rule, direction)
        ranks = (sign * value[None, :] > sign * value[:, None] + _ROUNDING * np.abs(value).max()).sum(axis=1) + 1
        shares = _best_shares(resampled, sign)
        for i, scenario in enumerate(values.columns):
            rows.append((rule, scenario, value[i], low[i], high[i], int(ranks[i]), shares[i]))
    return pd.DataFrame(rows, columns=["rule", "policy", "value", "low", "high", "rank", "best_share"])


_ROUNDING = 1e-12  # numbers that differ by less than this, relative to the largest, are equal


def _best_shares(resampled: F64, sign: int) -> F64:
    """Share of the resamples (n, scenarios) in which each scenario is best; those of equals are split."""
    from konvergensi.methods.statistics import best_shares

    return best_shares(resampled[:, None, :], sign)
