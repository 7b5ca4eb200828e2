"""The posterior inside what history matching left: tempered sequential Monte Carlo on the emulated likelihood.

Particles begin evenly in what is left. The power of the likelihood rises from 0 to 1 in steps that keep half of the
particles worth, each followed by resampling and random walks shaped like the particles. One generator, seeded, in one
process: the same bits for any number of workers (the emulators' points come from a store).
Source: Del Moral, Doucet and Jasra (2006); adaptive steps as in Jasra et al. (2011).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from konvergensi.inputs.calibration_targets import F64
from konvergensi.methods.likelihood import Likelihood
from konvergensi.methods.matching import CUTOFF, reflected, second_highest, what_is_left

KEPT_SHARE = 0.5  # of the particles that each step keeps worth
MOVES = 8  # random walks after each step, at least
MOST_MOVES = 24
MOVED_ENOUGH = 2.0  # accepted moves for each particle, on average
AFTER = 10  # more walks at the end


@dataclass(frozen=True)
class Posterior:
    """Equally weighted particles (n, n_free) of the unit cube, with log likelihood (n,).

    powers: powers of the likelihood that were passed; accepted: share of moves accepted at each; log_evidence: of the
    data under the prior that history matching left; left_share: share of the prior that it left.
    """

    particles: F64
    log_likelihood: F64
    powers: tuple[float, ...]
    accepted: tuple[float, ...]
    log_evidence: float
    left_share: float

    def quantiles(self, *levels: float) -> F64:
        """Quantiles of each parameter, (n_levels, n_free), in the unit cube."""
        return np.asarray(np.quantile(self.particles, levels, axis=0))


def sample(likelihood: Likelihood, dimensions: int, particles: int, seed: int, cutoff: float = CUTOFF) -> Posterior:
    """Sample the posterior of a likelihood over emulators. Raises ValueError when nothing is left of the prior."""
    left = what_is_left(likelihood, dimensions, particles, seed, cutoff)

    def log_target(unit: F64) -> F64:
        means = likelihood.emulators.predict(unit)
        inside = second_highest(likelihood.implausibility_of(means)) <= cutoff
        return np.where(inside, likelihood.log_of(means), -np.inf)

    return temper(log_target, left.points, np.random.default_rng([seed, 11]), left.share)


def temper(
    log_likelihood: Callable[[F64], F64], start: F64, rng: np.random.Generator, left_share: float = 1.0
) -> Posterior:
    """Move particles that are spread evenly over the prior (n, n_free) to the posterior on the unit cube.

    Parameters: log_likelihood of points (n, n_free), -inf where the prior is 0.
    """
    at, logs = np.array(start), log_likelihood(start)
    power, evidence = 0.0, 0.0
    powers: list[float] = []
    shares: list[float] = []
    while power < 1.0:
        step = _next_step(logs, 1.0 - power)
        power = 1.0 if step >= 1.0 - power else power + step
        weights = step * logs
        top = weights.max()
        evidence += float(top + np.log(np.mean(np.exp(weights - top))))
        chosen = systematic(np.exp(weights - top), len(at), float(rng.random()))
        at, logs = at[chosen], logs[chosen]
        at, logs, share = _move(log_likelihood, at, logs, power, rng, AFTER if power == 1.0 else 0)
        powers.append(power)
        shares.append(share)
    return Posterior(at, logs, tuple(powers), tuple(shares), evidence, left_share)


def _next_step(logs: F64, room: float) -> float:
    """The largest rise of the power that keeps KEPT_SHARE of the particles worth, at most `room`."""

    def worth(step: float) -> float:
        return effective_share(np.exp(step * (logs - logs.max())))

    if worth(room) >= KEPT_SHARE:
        return room
    low, high = 0.0, room
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if worth(middle) >= KEPT_SHARE else (low, middle)
    return max(low, 1e-6)


def _move(
    log_likelihood: Callable[[F64], F64], at: F64, logs: F64, power: float, rng: np.random.Generator, more: int
) -> tuple[F64, F64, float]:
    """Random walks that leave the tempered posterior as it is; share of the moves accepted."""
    d = at.shape[1]
    shape = np.linalg.cholesky(np.cov(at.T).reshape(d, d) + 1e-8 * np.eye(d))
    size, moved, tried, done = 2.38 / np.sqrt(d), 0.0, 0, 0
    while ((moved < MOVED_ENOUGH or done < MOVES) and done < MOST_MOVES) or done < more:
        near = reflected(at + size * rng.standard_normal(at.shape) @ shape.T)
        logs_near = log_likelihood(near)
        take = np.log(rng.random(len(at))) < power * (logs_near - logs)
        at, logs = np.where(take[:, None], near, at), np.where(take, logs_near, logs)
        rate = float(take.mean())
        size *= 1.2 if rate > 0.3 else 0.8 if rate < 0.15 else 1.0
        moved, tried, done = moved + rate, tried + 1, done + 1
    return at, logs, moved / tried


def effective_share(weights: F64) -> float:
    """Effective number of weights over their number (Kish), 0 to 1."""
    total = float(weights.sum())
    return total**2 / (len(weights) * float((weights**2).sum())) if total > 0 else 0.0


def systematic(weights: F64, n: int, draw: float) -> np.ndarray:
    """Systematic resampling: `n` rows, each as often as its weight says, give or take one. draw in [0, 1)."""
    edges = np.cumsum(weights / weights.sum())
    edges[-1] = 1.0
    return np.searchsorted(edges, (np.arange(n) + draw) / n, side="right").clip(0, len(weights) - 1)
