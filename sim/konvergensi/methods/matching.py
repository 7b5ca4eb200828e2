"""History matching: which parts of the prior cannot have brought about what was observed.

A point is ruled out when its second highest implausibility over the targets is above the cutoff: one target alone,
whose error may be misjudged, rules nothing out (Vernon, Goldstein and Bower 2010). Three standard deviations by
Pukelsheim's rule, whatever the shape of the errors as long as it has one peak.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from konvergensi.inputs.calibration_targets import F64
from konvergensi.methods.likelihood import Likelihood

CUTOFF = 3.0
BLOCK = 2048  # candidates looked at together
MOST = 2**14  # candidates looked at in all before points near those left are tried
NEAR_SD = 0.05  # how near, as a share of each range


class Left(NamedTuple):
    """Points that are not ruled out, (n, n_free) of the unit cube; the share of the prior they stand for."""

    points: F64
    share: float


def second_highest(implausibility: F64) -> F64:
    """Second highest over the targets, (n,); the highest where there is one target only."""
    ordered = np.sort(implausibility, axis=1)
    return np.asarray(ordered[:, -2] if ordered.shape[1] > 1 else ordered[:, -1])


def not_ruled_out(likelihood: Likelihood, unit: F64, cutoff: float = CUTOFF) -> np.ndarray:
    """Which points of the unit cube are left, (n,) bool."""
    return np.asarray(second_highest(likelihood.implausibility(unit)) <= cutoff)


def sobol_points(n: int, dimensions: int, seed: int) -> F64:
    """Scrambled Sobol points of the unit cube, (n, dimensions); a longer series begins with a shorter one."""
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(dimensions, seed=seed).random(2 ** max(n - 1, 1).bit_length())[:n])


def what_is_left(likelihood: Likelihood, dimensions: int, n: int, seed: int, cutoff: float = CUTOFF) -> Left:
    """Find `n` points that are not ruled out, evenly in what is left of the prior.

    Sobol points are tried in their order; where too few of MOST are left, points near those are tried too (a random
    walk that stays inside what is left, which samples it evenly). Raises ValueError when no point is left, naming the
    targets that rule most out.
    """
    from scipy.stats import qmc

    found: list[F64] = []
    tried = kept = 0
    source = qmc.Sobol(dimensions, seed=seed)
    while tried < MOST and kept < n:
        block = source.random(BLOCK)
        means = likelihood.emulators.predict_again((seed, tried), block)
        left = block[second_highest(likelihood.implausibility_of(means)) <= cutoff]
        found.append(left)
        tried, kept = tried + len(block), kept + len(left)
    if kept == 0:
        away = likelihood.implausibility(sobol_points(BLOCK, dimensions, seed)).min(axis=0)
        worst = [likelihood.targets[i].id for i in np.argsort(-away)[:3]]
        raise ValueError(f"nothing is left of the prior at cutoff {cutoff}; farthest off: {', '.join(worst)}")
    points = np.concatenate(found)[:n]
    if len(points) < n:
        points = _walk(likelihood, points, n, np.random.default_rng([seed, 7]), cutoff)
    return Left(points, kept / tried)


def _walk(likelihood: Likelihood, start: F64, n: int, rng: np.random.Generator, cutoff: float, steps: int = 30) -> F64:
    """Random walks from the points found, inside what is left: their ends, with the points themselves first."""
    at = start[rng.integers(len(start), size=n - len(start))]
    for _ in range(steps):
        near = reflected(at + NEAR_SD * rng.standard_normal(at.shape))
        at = np.where(not_ruled_out(likelihood, near, cutoff)[:, None], near, at)
    return np.concatenate([start, at])


def reflected(points: F64) -> F64:
    """Points mirrored at the walls of the unit cube until they are inside."""
    folded = np.mod(points, 2.0)
    return np.where(folded > 1.0, 2.0 - folded, folded)
