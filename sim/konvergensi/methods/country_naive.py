"""Naive forecasts of a district's survey reading that the fit over the country has to beat.

Each looks only at readings given to it. Intervals are as wide as the same rule's own errors in earlier years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from konvergensi.inputs import country

NAIVE = ("last value", "national trend", "past mean", "partial pooling")
QUANTILES = ndtri((np.arange(199) + 0.5) / 199)
LEAST_SD = 3.0  # points; before a rule has two years to be wrong in


@dataclass(frozen=True)
class Readings:
    """percent (n, T): readings by district and survey year, NaN none; years (T,); nation (T,): the nation as read."""

    percent: np.ndarray
    years: np.ndarray
    nation: np.ndarray

    def before(self, year: int) -> Readings:
        """What was known before a year."""
        early = self.years < year
        return Readings(self.percent[:, early], self.years[early], self.nation[early])


def published(last: int) -> Readings:
    """Everything published up to a year, rows as in `country.codes()`."""
    nation = country.nation().set_index("year")["percent"]
    nation = nation[nation.index <= last]
    wide = country.surveys().pivot(index="code", columns="year", values="percent").reindex(country.codes())
    years = nation.index.to_numpy(int)
    return Readings(wide[years].to_numpy(float), years, nation.to_numpy(float))


def centres(method: str, known: Readings, nation_then: float | None = None, ahead: float = 1.0) -> np.ndarray:
    """The middle of a forecast for every district, (n,), percent; NaN where nothing is known of it.

    nation_then: the nation's reading in that year where it is known; None: a forecast, from the last two years at the
    pace between them for `national trend`, `ahead` years on, else as the last one. ValueError for an unknown method.
    """
    has = np.isfinite(known.percent)
    some = has.any(axis=1)
    last = np.where(some, has.shape[1] - 1 - np.argmax(has[:, ::-1], axis=1), 0)
    value = np.where(some, known.percent[np.arange(len(last)), last], np.nan)
    now = known.nation[-1] if nation_then is None else nation_then
    if method == "last value":
        return np.asarray(value)
    if method == "national trend":
        if nation_then is None:
            pace = (known.nation[-1] - known.nation[-2]) / (known.years[-1] - known.years[-2])
            now = max(known.nation[-1] + ahead * pace, 0.5)
        return np.asarray(value + now - known.nation[last])
    apart = known.percent - known.nation
    if method == "past mean":
        return np.asarray(now + _row_means(apart))
    if method == "partial pooling":
        return np.asarray(now + _pooled(apart))
    raise ValueError(f"method must be one of {NAIVE}, not {method!r}")


def _row_means(values: np.ndarray) -> np.ndarray:
    count = np.isfinite(values).sum(axis=1)
    return np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)


def _pooled(apart: np.ndarray) -> np.ndarray:
    """Means over the years drawn towards the mean of all: variance between districts from covariances of years."""
    centred = apart - np.nanmean(apart, axis=0)
    filled = np.where(np.isfinite(centred), centred, 0.0)
    pairs = np.isfinite(centred).astype(float)
    products, counts = filled.T @ filled, pairs.T @ pairs
    off = ~np.eye(len(counts), dtype=bool)
    between = max(products[off].sum() / max(counts[off].sum(), 1.0), 1e-6) if off.any() else 1e-6
    within = max(np.nanvar(centred) - between, 1e-6)
    n = pairs.sum(axis=1)
    return np.asarray(np.nanmean(apart) + filled.sum(axis=1) / (n + within / between))


def spread(method: str, known: Readings) -> float:
    """SD of a method's errors, points: of its forecasts of each earlier year from what was known before that."""
    errors = []
    for at in range(2, len(known.years)):
        early = known.before(int(known.years[at]))
        errors.append(known.percent[:, at] - centres(method, early))
    found = np.concatenate(errors) if errors else np.zeros(1)
    found = found[np.isfinite(found)]
    return max(float(np.sqrt(np.mean(found**2))) if len(found) else 0.0, LEAST_SD)


def naive_draws(method: str, known: Readings, nation_then: float | None = None, ahead: float = 1.0) -> np.ndarray:
    """Equally likely readings of every district, (n, 199), percent between 0 and 100; rows of NaN as in `centres`."""
    middle, sd = centres(method, known, nation_then, ahead), spread(method, known)
    return np.asarray(np.clip(middle[:, None] + sd * QUANTILES, 0.0, 100.0))
