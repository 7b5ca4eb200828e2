"""What to buy with a sum of money: a linear programme over what each line was found to bring at some amounts.

A line's gain between the amounts that were tried is the straight line between them, and lines add up: a surrogate,
whose answer is simulated once more by whoever asks (analyses/allocate.py). Solved by HiGHS through
`scipy.optimize.linprog`, which is there already: docs/decisions/0031-allocate.md.

Sources: R. T. Rockafellar and S. Uryasev, Optimization of conditional value-at-risk, J. Risk 2, 2000 (worst decile);
L. J. Savage, The theory of statistical decision, J. Am. Stat. Assoc. 46, 1951 (regret).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack, vstack

F64 = NDArray[np.float64]
CAUTIONS = ("mean", "worst-decile", "regret")
WORST = 0.1  # share of the draws that the worst decile is
ENOUGH = 0.5  # `cost`: the share of the gain that could be had, for the fewest rupiah


@dataclass(frozen=True)
class Offer:
    """What can be bought.

    rp: (points,) amounts that were tried, 0 where nothing is bought, below 0 where something is taken away; gain:
    (draws, points); line: (points,) index of the line each point belongs to, each line with a point of 0; source:
    (lines,) index of its source; room: (sources,) the most that can be added to each.
    """

    rp: F64
    gain: F64
    line: NDArray[np.intp]
    source: NDArray[np.intp]
    room: F64

    @property
    def lines(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class Bought:
    """rp: (lines,) rupiah for each line; gain: (draws, lines)."""

    rp: F64
    gain: F64


def allocate(offer: Offer, budget: float, caution: str = "mean", fewest_rupiah: bool = False) -> Bought:
    """The best use of at most `budget` rupiah (below 0: of at least as much less).

    Parameters: caution, `mean` of the draws, the mean of their `worst-decile`, or the largest `regret` against knowing
    the draw; fewest_rupiah, half of what could be gained for as little as possible instead.
    Raises ValueError for a budget that limits forbid: less than all lines can give up.
    """
    weights = _solve(offer, budget, caution)
    if fewest_rupiah:
        most = float((offer.gain.mean(axis=0) * weights).sum())
        if most > 0.0:
            weights = _cheapest(offer, budget, ENOUGH * most)
    return bought(offer, weights)


def bought(offer: Offer, weights: F64) -> Bought:
    """What weights of the points come to for each line."""
    belongs = (offer.line[:, None] == np.arange(offer.lines)).astype(float)
    return Bought(np.asarray((weights * offer.rp) @ belongs), np.asarray((offer.gain * weights) @ belongs))


def priced(offer: Offer, rp: Sequence[float] | F64) -> Bought:
    """What given rupiah for each line come to, between the points that were tried."""
    weights = np.zeros(len(offer.rp))
    for line, amount in enumerate(rp):
        at = np.flatnonzero(offer.line == line)
        at = at[np.argsort(offer.rp[at])]
        amounts = offer.rp[at]
        amount = float(np.clip(amount, amounts[0], amounts[-1]))
        above = int(np.clip(np.searchsorted(amounts, amount), 1, len(amounts) - 1)) if len(amounts) > 1 else 0
        share = (amount - amounts[above - 1]) / (amounts[above] - amounts[above - 1]) if above else 1.0
        weights[at[above]] += share
        if above:
            weights[at[above - 1]] += 1.0 - share
    return bought(offer, weights)


def _limits(offer: Offer, budget: float) -> tuple[csr_array, F64, csr_array, F64]:
    """Rows of `A x <= b` (budget, room of each source) and of `A x = b` (a line's points are shares of one)."""
    rows = [offer.rp[None, :]]
    least = [budget]
    for source, room in enumerate(offer.room):
        rows.append(np.where(offer.source[offer.line] == source, offer.rp, 0.0)[None, :])
        least.append(room)
    one = (offer.line[None, :] == np.arange(offer.lines)[:, None]).astype(float)
    return csr_array(np.concatenate(rows)), np.array(least), csr_array(one), np.ones(offer.lines)


def _solve(offer: Offer, budget: float, caution: str) -> F64:
    if caution == "mean":
        return _run(offer, budget, _thrifty(offer, offer.gain.mean(axis=0)))
    draws, points = offer.gain.shape
    if caution == "regret":
        best = np.array([float(own @ _run(offer, budget, _thrifty(offer, own))) for own in offer.gain])
        extra = csr_array(np.ones((draws, 1)))
        rows = hstack([csr_array(-offer.gain), -extra])  # best - gain <= r
        return _run(offer, budget, np.zeros(points), [1.0], rows, -best, [(None, None)])
    # worst decile: the most t less the mean shortfall below t, by Rockafellar and Uryasev
    rows = hstack([csr_array(-offer.gain), csr_array(np.ones((draws, 1))), -eye_array(draws)])
    cost = [-1.0, *[1.0 / (WORST * draws)] * draws]
    return _run(offer, budget, np.zeros(points), cost, rows, np.zeros(draws), [(None, None), *[(0.0, None)] * draws])


def _thrifty(offer: Offer, gain: F64) -> F64:
    """The cost to make least: less gain, and a trace for each rupiah, so that none is spent for nothing."""
    trace = 1e-7 * max(float(np.abs(gain).max()), 1e-12) / max(float(np.abs(offer.rp).max()), 1.0)
    return -gain + trace * offer.rp


def _cheapest(offer: Offer, budget: float, least_gain: float) -> F64:
    rows = csr_array(-offer.gain.mean(axis=0)[None, :])
    return _run(offer, budget, offer.rp, [], rows, np.array([-least_gain * (1.0 - 1e-9)]), [])


def _run(
    offer: Offer,
    budget: float,
    cost: F64,
    extra_cost: Sequence[float] = (),
    extra_rows: csr_array | None = None,
    extra_least: F64 | None = None,
    extra_bounds: Sequence[tuple[float | None, float | None]] = (),
) -> F64:
    """Solve one programme over the points' weights and some more variables; returns the weights."""
    upper, least, equal, ones = _limits(offer, budget)
    n, more = len(offer.rp), len(extra_cost)
    scale = max(float(np.abs(offer.rp).max()), 1.0)  # rupiah in units of the largest amount
    upper, least = upper / scale, least / scale
    if more:
        upper = hstack([upper, csr_array((upper.shape[0], more))])
        equal = hstack([equal, csr_array((equal.shape[0], more))])
    if extra_rows is not None and extra_least is not None:
        upper, least = vstack([upper, extra_rows]), np.concatenate([least, extra_least])
    costs = np.concatenate([cost / scale if cost is offer.rp else cost, np.asarray(extra_cost, float)])
    bounds = [(0.0, None)] * n + list(extra_bounds)
    found = linprog(costs, upper, least, equal, ones, bounds, method="highs")
    if not found.success:
        raise ValueError(f"no allocation keeps the limits: {found.message}")
    return np.asarray(found.x[:n], float)


def frontier(offer: Offer, budget: float, steps: int = 10) -> list[tuple[float, Bought]]:
    """The Pareto front of rupiah and mean gain: the best use of each tenth of the budget."""
    return [(budget * k / steps, allocate(offer, budget * k / steps)) for k in range(1, steps + 1)]
