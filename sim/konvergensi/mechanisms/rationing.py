"""Rationing: how far budget, released money and staff reach among those who may be served, in the order of serving."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.world.households import Mask
from konvergensi.world.programmes import Ration

Order = NDArray[np.uint16]
BINS = 1024  # steps of the lasting order in which people are served


def ration(
    order: Order,
    cost: NDArray[np.floating],
    budget_limit: float,
    release_limit: float,
    spend_limit: float,
    staff_limit: float,
) -> Ration:
    """Serve candidates in their order as far as money and staff reach.

    Parameters: order (n,) uint16, lower is served first; cost (n,) Rp each; limits in Rp of this month, and services
    that staff can deliver. Whole steps of the order are served, so spending never exceeds a limit and falls short of
    it by at most one step.
    """
    n, one = len(order), cost.dtype.type(1)
    limits = (budget_limit, release_limit, spend_limit, staff_limit)
    return Ration(*serve(n, order, np.arange(n), cost, cost.dtype.type(0), one, *limits))


def _serve_in_columns(
    n: int,
    order: Order,
    at: NDArray[np.intp],
    remoteness: NDArray[np.floating],
    base: np.floating,
    travel: np.floating,
    budget: float,
    release: float,
    spend: float,
    staff: float,
) -> tuple[Mask, int, Order, int, int, int, float, float, int]:
    step = order >> np.uint16(6)
    cost_to = np.cumsum(np.bincount(step, weights=remoteness[at] * travel + base, minlength=BINS))
    budgeted, released, delivered = cost_to.searchsorted((budget, release, spend), side="right").tolist()
    released = min(released, budgeted)
    delivered = min(delivered, released)
    paid = int(np.count_nonzero(step < delivered))
    if paid > staff:
        count_to = np.cumsum(np.bincount(step, minlength=BINS))
        delivered = int(np.searchsorted(count_to, staff, side="right"))
    spent = float(cost_to[delivered - 1]) if delivered else 0.0
    given = np.zeros(n, bool)
    served = at[step < delivered]
    given[served] = True
    return given, len(served), step, budgeted, released, delivered, spent, float(cost_to[-1]), paid - len(served)


@compiled(_serve_in_columns)
def serve(n, order, at, remoteness, base, travel, budget, release, spend, staff):  # type: ignore[no-untyped-def]
    """Who of n rows is served, and the columns of `Ration`; candidates, (m,), stand at rows `at` in `order`.

    A service costs `base` and `travel` times the remoteness of its row, (n,). The other limits as in `ration`.
    """
    cost_to = np.zeros(BINS)
    step = np.empty(len(at), np.uint16)
    for i in range(len(at)):
        step[i] = order[i] >> 6
        cost_to[step[i]] += remoteness[at[i]] * travel + base
    for each in range(1, BINS):
        cost_to[each] += cost_to[each - 1]
    budgeted = np.searchsorted(cost_to, budget, side="right")
    released = min(np.searchsorted(cost_to, release, side="right"), budgeted)
    delivered = min(np.searchsorted(cost_to, spend, side="right"), released)
    paid = 0
    for i in range(len(at)):
        paid += step[i] < delivered
    units = paid
    if paid > staff:
        people = np.zeros(BINS, np.int64)
        for i in range(len(at)):
            people[step[i]] += 1
        units = 0
        for each in range(delivered):
            if units + people[each] > staff:
                delivered = each
                break
            units += people[each]
    spent = cost_to[delivered - 1] if delivered > 0 else 0.0
    given = np.zeros(n, np.bool_)
    for i in range(len(at)):
        given[at[i]] = step[i] < delivered
    return given, units, step, budgeted, released, delivered, spent, cost_to[BINS - 1], paid - units


def _reached_in_columns(
    step: Order, delivered: int, at: NDArray[np.intp], village: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.integer], Order]:
    found = np.flatnonzero(step < delivered)
    return found, village[at[found]], step[found]


@compiled(_reached_in_columns)
def reached(step, delivered, at, village):  # type: ignore[no-untyped-def]
    """Which of the candidates, (m,), the money reaches, where they live and their steps, (k,) each; village (n,)."""
    found, k = np.empty(len(step), np.intp), 0
    for i in range(len(step)):
        found[k] = i
        k += step[i] < delivered
    villages, steps = np.empty(k, village.dtype), np.empty(k, np.uint16)
    for j in range(k):
        villages[j] = village[at[found[j]]]
        steps[j] = step[found[j]]
    return found[:k].copy(), villages, steps
