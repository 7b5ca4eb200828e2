"""Scores of forecasts for many districts, and intervals of their differences over the same districts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from konvergensi.methods.scores import TAILS, crps, interval_score

RESAMPLES = 2000


def score_rows(draws: np.ndarray, seen: np.ndarray) -> pd.DataFrame:
    """One row for each reading: low, middle, high (90 % interval), error, inside, crps, interval_score; points.

    Parameters: draws (n, m) of what would be read; seen (n,) what was.
    """
    low, middle, high = np.quantile(draws, (TAILS[0], 0.5, TAILS[1]), axis=1)
    return pd.DataFrame({
        "low": low, "middle": middle, "high": high, "seen": seen, "error": middle - seen,
        "inside": (low <= seen) & (seen <= high),
        "crps": [crps(each, float(one)) for each, one in zip(draws, seen)],
        "interval_score": [interval_score(float(a), float(b), float(one)) for a, b, one in zip(low, high, seen)],
    })  # fmt: skip


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Means over readings: n, crps, rmse, coverage (share of readings inside), interval_score, bias, width."""
    return {
        "n": len(rows), "crps": rows["crps"].mean(), "rmse": float(np.sqrt((rows["error"] ** 2).mean())),
        "coverage": rows["inside"].mean(), "interval_score": rows["interval_score"].mean(),
        "bias": rows["error"].mean(), "width": (rows["high"] - rows["low"]).mean(),
    }  # fmt: skip


def paired(first: pd.DataFrame, second: pd.DataFrame, blocks: np.ndarray, seed: int = 1) -> dict[str, float]:
    """First minus second in CRPS and RMSE over the same readings, with 90 % intervals: whole blocks are drawn anew.

    Parameters: both (n rows) in one order; blocks (n,): provinces, whose readings go wrong together. Negative: the
    first is better.
    """
    names, row_block = np.unique(blocks, return_inverse=True)
    sums = [
        np.bincount(row_block, values, minlength=len(names))
        for values in (
            np.ones(len(first)), first["crps"] - second["crps"], first["error"] ** 2, second["error"] ** 2
        )
    ]  # fmt: skip
    times = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1.0 / len(names)), RESAMPLES)
    times = np.vstack([np.ones(len(names)), times])
    n, crps_sum, first_square, second_square = (times @ each for each in sums)
    found = {"crps": crps_sum / n, "rmse": np.sqrt(first_square / n) - np.sqrt(second_square / n)}
    told: dict[str, float] = {}
    for name, values in found.items():
        low, high = np.quantile(values[1:], TAILS)
        told |= {name: float(values[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    return told
