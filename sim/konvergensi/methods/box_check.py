"""Does a box stand on new data? The whole search is done again on parts of the runs and tried on the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from konvergensi.methods.boxes import Bools, Box, Fit, fit, union

Search = Callable[[pd.DataFrame, Bools], list[Box]]
Verdict = Literal["stands", "unsure", "falls"]
REPEATS, FOLDS = 4, 5  # so often the runs are split, into so many parts


@dataclass(frozen=True)
class Check:
    """What the search finds on runs that it has not seen.

    density, coverage: of what it finds on four fifths of the runs, on the last fifth; pooled over the fifths, mean of
    the repeats. low, high: 95 % Wilson interval of that density, for as many runs as lie inside in a repeat. found:
    share of the searches that found anything. recurs: factor -> share of the searches that restrict it.
    """

    base: float
    density: float
    low: float
    high: float
    coverage: float
    found: float
    recurs: dict[str, float]

    @property
    def verdict(self) -> Verdict:
        """stands: the whole interval lies above the share of all runs; unsure: the middle does; falls: neither."""
        if self.low > self.base:
            return "stands"
        return "unsure" if self.density > self.base else "falls"


def check(search: Search, x: pd.DataFrame, interest: Bools, seed: int = 1) -> Check:
    """Search in four fifths of the runs and look at the last, each fifth once, REPEATS times.

    Every choice that looked at the runs is made anew: which factors, slices, box, restrictions. The split follows the
    order of `x`'s index, not of its rows.
    """
    order = np.argsort(x.index.to_numpy(), kind="stable")
    rng = np.random.default_rng(seed)
    trials: list[Fit] = []
    boxes: list[list[Box]] = []
    for _ in range(REPEATS):
        fold = np.empty(len(x), dtype=int)
        fold[order] = rng.permutation(np.arange(len(x)) % FOLDS)
        where = np.zeros(len(x), dtype=bool)
        for unseen in range(FOLDS):
            seen = fold != unseen
            boxes.append(search(x[seen], interest[seen]))
            where[~seen] = union(boxes[-1], x[~seen])
        trials.append(fit(where, interest))
    support, hits = (float(np.mean([getattr(trial, of) for trial in trials])) for of in ("support", "hits"))
    density = hits / support if support else np.nan
    low, high = _wilson(round(hits), round(support))
    return Check(
        base=trials[0].base,
        density=density,
        low=low,
        high=high,
        coverage=float(np.mean([trial.coverage for trial in trials])),
        found=float(np.mean([bool(each) for each in boxes])),
        recurs={str(name): float(np.mean([any(name in box for box in each) for each in boxes])) for name in x},
    )


def _wilson(hits: int, runs: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    if runs == 0:
        return np.nan, np.nan
    found = binomtest(min(hits, runs), runs).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
