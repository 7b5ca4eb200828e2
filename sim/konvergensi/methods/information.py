"""Value of information: what knowing an uncertain number before deciding would be worth (EVPPI), from runs at hand.

The expected gain of each option given one parameter is a smooth curve through the draws (a spline with a ridge penalty
chosen by leaving out one draw at a time); who knew the parameter would take the highest curve at each value of it. What
so many draws bring by chance alone is found by shuffling them: its mean is taken off, and the largest that so many
parameters show by chance is told beside.

Source: M. Strong, J. E. Oakley and A. Brennan, Estimating multiparameter partial expected value of perfect information
from a probabilistic sensitivity analysis sample, Med. Decis. Making 34, 2014.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
SHUFFLES = (2_000, 20_000)  # least and most
_FOR_EACH = 60  # shuffles for each parameter, so that three lie beyond the largest of so many
_AT_ONCE = 500  # shuffles in memory
PENALTIES = np.logspace(-2, 4, 7)
LEAST_DRAWS = 16  # fewer cannot carry a curve
SURE = 0.95
ROUNDING = 1e-12  # relative to the gains: less is nothing


def evpi(gains: F64) -> float:
    """What knowing everything would add: mean of the best less the best mean; gains (draws, options)."""
    more = float(gains.max(axis=1).mean() - gains.mean(axis=0).max())
    return more if more > ROUNDING * float(np.abs(gains).max()) else 0.0


def evppi(gains: F64, parameters: F64, seed: int = 1) -> tuple[F64, F64]:
    """What knowing each parameter would add, and what the largest of so many would show by chance, (parameters,) each.

    The mean of chance is taken off; below zero counts as zero, and nothing is worth more than knowing everything. The
    second is the 95th percentile of the largest of as many parameters that have nothing to do with the gains.
    Parameters: gains (draws, options); parameters (draws, parameters). NaN twice with fewer than 16 draws.
    """
    draws, count = parameters.shape
    if draws < LEAST_DRAWS:
        return np.full(count, np.nan), np.full(count, np.nan)
    varies = np.ptp(parameters, axis=0) > 0.0
    found, chance = np.zeros(count), np.zeros(count)
    many = int(varies.sum())
    if many:
        curves = _Curves(draws)
        shuffled = _shuffled(curves, gains, int(np.clip(_FOR_EACH * many, *SHUFFLES)), seed)
        own = curves.worth(gains[parameters[:, varies].argsort(axis=0, kind="stable").T])
        largest = np.quantile(shuffled, SURE ** (1.0 / many))
        most = evpi(gains)
        found[varies] = np.clip(own - shuffled.mean(), 0.0, most)
        chance[varies] = np.clip(largest - shuffled.mean(), 0.0, most)
    return found, chance


def _shuffled(curves: _Curves, gains: F64, many: int, seed: int) -> F64:
    rng = np.random.default_rng(seed)
    orders = rng.permuted(np.tile(np.arange(len(gains)), (many, 1)), axis=1)
    return np.concatenate([curves.worth(gains[orders[at : at + _AT_ONCE]]) for at in range(0, many, _AT_ONCE)])


class _Curves:
    """Curves through so many draws in the order of a parameter, whose range may span magnitudes: ranks alone count."""

    def __init__(self, draws: int) -> None:
        from sklearn.preprocessing import SplineTransformer, StandardScaler  # half a second that most commands need not

        basis = SplineTransformer(n_knots=4, degree=2).fit_transform(np.arange(float(draws))[:, None])
        u, s, _ = np.linalg.svd(StandardScaler().fit_transform(basis), full_matrices=False)
        kept = s > 1e-9 * s[0]
        self.along = u[:, kept]
        self.shrink = s[kept] ** 2 / (s[kept] ** 2 + PENALTIES[:, None])
        self.left = 1.0 - 1.0 / draws - self.shrink @ (self.along**2).T  # of a draw's own residual, (penalties, draws)

    def worth(self, gains: F64) -> F64:
        """Mean of the highest curve less the best mean, gains (orders, draws, options) in the order of a parameter."""
        mean = gains.mean(axis=1, keepdims=True)
        part = self.along.T @ (gains - mean)
        least = np.full(len(gains), np.inf)
        best = np.zeros(gains.shape)
        for shrink, left in zip(self.shrink, self.left):
            curve = mean + self.along @ (shrink[:, None] * part)
            error = (((gains - curve) / left[:, None]) ** 2).mean(axis=(1, 2))
            better = error < least
            best[better], least[better] = curve[better], error[better]
        return np.asarray(best.max(axis=2).mean(axis=1) - mean[:, 0].max(axis=1))
