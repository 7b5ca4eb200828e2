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
        # counts of who did not run are zeros
        ran, counts, book, tally = np.array(self.ran, np.intp), self.counts, world.programmes, world.tally
        spent, units = counts[:, SPENT], counts[:, UNITS]
        book.ran[ran] = True
        book.short += counts[:, SHORT]
        book.wanted += counts[:, WANTED]
        book.spent += spent
        book.units += units
        book.overhead += spent - units * book.unit_cost
        if not world.burn_in:
            tally.months[ran] += 1
            for column, name in (
                (tally.eligible, ELIGIBLE),
                (tally.listed, LISTED),
                (tally.targeted, TARGETED),
                (tally.right, RIGHT),
                (tally.reached, REACHED),
            ):
                column += counts[:, name]


def open_purses(world: World, is_a_visit: Callable[[Service], bool]) -> Purses:
    """What every programme may spend this month; is_a_visit: whether a shock can call a service's meetings off."""
    book, settings = world.programmes, world.settings
    open_now = shocks.in_force(settings, "home_contact_share")
    in_money, visits = _of_services(world, is_a_visit)
    left = _months_left(world)
    unbound = np.maximum(book.budgeted - book.spent, 0.0) / left
    released = np.minimum(unbound, np.maximum(book.released - book.spent, 0.0))
    absorbable = np.maximum(budget.absorption_of(world)[book.source] * book.budgeted - book.spent, 0.0) / left
    spend = np.minimum(released, absorbable)
    spend[visits] *= open_now
    base = (book.unit_cost * (1.0 + settings["budget.overhead_share"])).astype(np.float32)
    travel = (book.unit_cost * settings["delivery.travel_cost_share"]).astype(np.float32)
    travel[in_money] = 0.0
    limits = np.empty((len(book), 3))
    limits[:, 0], limits[:, 1], limits[:, 2] = unbound, released, spend
    return Purses(base, travel, limits, np.zeros((len(book), N_COUNTS)), [])


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
