"""Scores of predictions that come as samples or quantiles: pure functions. All are in the unit of what is predicted."""

from __future__ import annotations

import numpy as np

from konvergensi.inputs.calibration_targets import F64

LEVEL = 0.90  # of every interval of a calibration
TAILS = (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)


def weighted_quantiles(values: F64, weights: F64, levels: tuple[float, ...]) -> F64:
    """Quantiles of weighted values (n,), (n_levels,): the value at which the weight reaches the level."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    at = np.searchsorted(reached / reached[-1], np.asarray(levels) - 1e-12)
    return np.asarray(values[order][at.clip(0, len(values) - 1)])


def interval_score(low: float, high: float, seen: float, level: float = LEVEL) -> float:
    """Interval score (Gneiting and Raftery 2007): width, and a fine for what lies outside; lower is better."""
    fine = 2.0 / (1.0 - level)
    return (high - low) + fine * (max(low - seen, 0.0) + max(seen - high, 0.0))


def crps(values: F64, seen: float, weights: F64 | None = None) -> float:
    """Continuous ranked probability score of a weighted sample (n,): mean distance to what was seen, less half the
    mean distance between two of the sample; lower is better, and the absolute error of a single value.
    """
    share = np.full(len(values), 1.0 / len(values)) if weights is None else weights / weights.sum()
    order = np.argsort(values, kind="stable")
    x, w = values[order], share[order]
    below = np.cumsum(w) - w  # weight before each value
    spread = 2.0 * float(np.sum(w * x * (2.0 * below + w - 1.0)))  # mean |x - x'|
    return float(w @ np.abs(x - seen)) - 0.5 * spread


def rank_of(truth: float, values: F64) -> float:
    """Share of a sample below the truth, 0 to 1: even over many data sets if the posterior is right."""
    return float((values < truth).mean() + 0.5 * (values == truth).mean())
