"""The month's money of every programme: what a service costs, how far the line reaches, and what was spent of it.

Worked out for all programmes at once when delivery begins, and booked when it is over: no programme's month moves the
money of another. Parameters: delivery.toml, budget.toml.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.mechanisms import budget, shocks
from konvergensi.mechanisms.programme_month import (
    ELIGIBLE,
    LISTED,
    N_COUNTS,
    REACHED,
    RIGHT,
    SHORT,
    SPENT,
    TARGETED,
    UNITS,
    WANTED,
)

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.households import F32
    from konvergensi.world.state import World

Money = NDArray[np.float64]


@dataclass(slots=True)
class Purses:
    """Columns over programmes: Rp of a service at the roadside with overhead and of its travel at full remoteness,
    (n_programmes,); limits of this month by budget, release and spending, (n_programmes, 3) Rp; what came of it,
    (n_programmes, N_COUNTS) as programme_month.py names the columns; who ran.
    """

    base: F32
    travel: F32
    limits: NDArray[np.float64]
    counts: NDArray[np.float64]
    ran: list[int]

    def book(self, world: World) -> None:
        """Enter what was spent and delivered into the programmes, and what was counted into the tally (in place)."""
        book, tally, ran = world.programmes, world.tally, np.array(self.ran, np.intp)
        book.ran[ran] = True
        enter(
            self.counts, ran, not world.burn_in, book.unit_cost, book.short, book.wanted, book.spent, book.units,
            book.overhead, tally.months, tally.eligible, tally.listed, tally.targeted, tally.right, tally.reached,
        )  # fmt: skip


def _enter_in_columns(
    counts: Money, ran: NDArray[np.intp], counted: bool, unit_cost: Money, short: Money, wanted: Money, spent: Money,
    units: Money, overhead: Money, months: Money, *tallied: Money,
) -> None:  # fmt: skip
    short += counts[:, SHORT]
    wanted += counts[:, WANTED]
    spent += counts[:, SPENT]
    units += counts[:, UNITS]
    overhead += counts[:, SPENT] - counts[:, UNITS] * unit_cost
    if counted:
        months[ran] += 1
        for column, name in zip(tallied, (ELIGIBLE, LISTED, TARGETED, RIGHT, REACHED), strict=True):
            column += counts[:, name]


@compiled(_enter_in_columns)
def enter(  # type: ignore[no-untyped-def]
    counts, ran, counted, unit_cost, short, wanted, spent, units, overhead, months, eligible, listed, targeted, right,
    reached,
):  # fmt: skip
    """Add the `counts` of a month, (n_programmes, N_COUNTS), to columns of the year, (n_programmes,) in place.

    Who did not run has zeros; `ran`, rows, have run one month more. In the burn-in nothing but money is `counted`.
    """
    for p in range(len(counts)):
        short[p] += counts[p, SHORT]
        wanted[p] += counts[p, WANTED]
        spent[p] += counts[p, SPENT]
        units[p] += counts[p, UNITS]
        overhead[p] += counts[p, SPENT] - counts[p, UNITS] * unit_cost[p]
        if counted:
            eligible[p] += counts[p, ELIGIBLE]
            listed[p] += counts[p, LISTED]
            targeted[p] += counts[p, TARGETED]
            right[p] += counts[p, RIGHT]
            reached[p] += counts[p, REACHED]
    if counted:
        for p in ran:
            months[p] += 1


def open_purses(world: World, is_a_visit: Callable[[Service], bool]) -> Purses:
    """What every programme may spend this month; is_a_visit: whether a shock can call a service's meetings off."""
    book, settings = world.programmes, world.settings
    open_now = shocks.in_force(settings, "home_contact_share")
    in_money, visits = _of_services(world, is_a_visit)
    left = _months_left(world)
    limits = limits_of(
        book.budgeted, book.released, book.spent, left, budget.absorption_of(world), book.source, visits, open_now
    )
    base, travel = costs_of(
        book.unit_cost, 1.0 + settings["budget.overhead_share"], settings["delivery.travel_cost_share"], in_money
    )
    return Purses(base, travel, limits, np.zeros((len(book), N_COUNTS)), [])


def _limits_in_columns(
    budgeted: Money, released: Money, spent: Money, left: Money, absorbed: Money, source: NDArray[np.intp],
    visits: NDArray[np.bool_], open_now: float,
) -> NDArray[np.float64]:  # fmt: skip
    unbound = np.maximum(budgeted - spent, 0.0) / left
    paid_out = np.minimum(unbound, np.maximum(released - spent, 0.0))
    absorbable = np.maximum(absorbed[source] * budgeted - spent, 0.0) / left
    return np.stack([unbound, paid_out, np.minimum(paid_out, absorbable) * np.where(visits, open_now, 1.0)], axis=1)


@compiled(_limits_in_columns)
def limits_of(budgeted, released, spent, left, absorbed, source, visits, open_now):  # type: ignore[no-untyped-def]
    """Rp a programme may spend this month by its budget, by what is released and in all, (n_programmes, 3).

    Columns are (n_programmes,): Rp of the year, deliveries `left` in it; absorbed (n_sources,) share of a budget that
    can be spent by now; `visits` are cut to the share `open_now`.
    """
    found = np.empty((len(budgeted), 3))
    for p in range(len(budgeted)):
        unbound = max(budgeted[p] - spent[p], 0.0) / left[p]
        paid_out = min(unbound, max(released[p] - spent[p], 0.0))
        absorbable = max(absorbed[source[p]] * budgeted[p] - spent[p], 0.0) / left[p]
        found[p, 0], found[p, 1] = unbound, paid_out
        found[p, 2] = min(paid_out, absorbable) * (open_now if visits[p] else 1.0)
    return found


def _costs_in_columns(
    unit_cost: Money, with_overhead: float, travel_share: float, in_money: NDArray[np.bool_]
) -> tuple[F32, F32]:
    travel = np.where(in_money, 0.0, unit_cost * travel_share)
    return (unit_cost * with_overhead).astype(np.float32), travel.astype(np.float32)


@compiled(_costs_in_columns)
def costs_of(unit_cost, with_overhead, travel_share, in_money):  # type: ignore[no-untyped-def]
    """Rp of a service at the roadside and of its travel at full remoteness, (n_programmes,) float32 each."""
    base, travel = np.empty(len(unit_cost), np.float32), np.empty(len(unit_cost), np.float32)
    for p in range(len(unit_cost)):
        base[p] = unit_cost[p] * with_overhead
        travel[p] = 0.0 if in_money[p] else unit_cost[p] * travel_share
    return base, travel


def _months_left(world: World) -> NDArray[np.float64]:
    """Deliveries of each programme that are left this year, this month's included, (n_programmes,); inf for none."""
    now = world.month_of_year
    key = ("months left", now)
    if key not in world.kept:
        months = [tuple(each.months) for each in world.services]
        left = np.array([len(each) - bisect_left(each, now) for each in months], float)[world.programmes.service]
        left[left == 0.0] = np.inf
        world.kept[key] = left
    found: NDArray[np.float64] = world.kept[key]
    return found


def _of_services(world: World, is_a_visit: Callable[[Service], bool]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each programme pays in money, and whether what it does is a visit, (n_programmes,) each."""
    if "purses" not in world.derived:
        of = world.programmes.service
        in_money = np.array([each.place.in_money for each in world.services], bool)[of]
        world.derived["purses"] = (in_money, np.array([is_a_visit(each) for each in world.services], bool)[of])
    found: tuple[NDArray[np.bool_], NDArray[np.bool_]] = world.derived["purses"]
    return found
