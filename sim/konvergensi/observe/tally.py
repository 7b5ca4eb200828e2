"""Counting while the year runs: how far along the cascade each child came, and how well programmes aimed.

Stages of the cascade are nested by construction: a child counted at one stage is counted at all before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.world.children import FIRST_1000_DAYS, PREGNANCY_MONTHS
from konvergensi.world.households import Mask

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.mechanisms.delivery import Ration
    from konvergensi.world.world import World

STAGES = (
    "in_need",
    "known",
    "listed",
    "budgeted",
    "released",
    "delivered",
    "taken_up",
    "in_time",
    "z_gained",
)
IN_NEED, KNOWN, LISTED, TAKEN_UP, IN_TIME, Z_GAINED = (
    np.uint8(STAGES.index(stage) + 1) for stage in ("in_need", "known", "listed", "taken_up", "in_time", "z_gained")
)
Rows = NDArray[np.intp]


class Tally:
    """This calendar year's counts. Before `start()` nothing is counted (the years lived before the run)."""

    def __init__(self, n_services: int, n_programmes: int, n_children: int) -> None:
        self.counting = False
        self.stage = np.zeros((n_services, n_children), np.uint8)  # furthest stage reached this year
        self.eligible = np.zeros(n_programmes)
        self.listed = np.zeros(n_programmes)
        self.targeted = np.zeros(n_programmes)
        self.reached = np.zeros(n_programmes)
        self.right = np.zeros(n_programmes)  # targeted and eligible
        self.months = np.zeros(n_programmes)

    def start(self) -> None:
        """Begin to count."""
        self.counting = True

    def new_year(self) -> None:
        """Forget last year's counts."""
        self.stage[:] = 0
        for column in (self.eligible, self.listed, self.targeted, self.reached, self.right, self.months):
            column[:] = 0.0

    def children_in_need(self, s: int, rows: slice, need: Mask | None) -> None:
        """Count the children in need of a service that nobody runs."""
        if self.counting:
            stage = IN_NEED if need is None else need.view(np.uint8)
            np.maximum(self.stage[s, rows], stage, out=self.stage[s, rows])

    def children_served(
        self,
        world: World,
        s: int,
        p: int,
        rows: slice,
        need: Mask | None,
        known: Mask,
        listed: Mask,
        found: Rows,
        result: Ration,
        given: Mask,
        takes: Rows,
    ) -> None:
        """Count one programme's month; need None: everybody; found are positions in `rows`, takes row numbers."""
        if not self.counting:
            return
        stage = self._stages(need, known, listed, found, result, given, p)
        taken = takes - rows.start
        if len(taken):
            age = world.month - world.children.birth_month[takes]
            gains = world.shift(s, p)[age + PREGNANCY_MONTHS] > 0
            stage[taken] = self._reached(age, gains) * (np.uint8(1) if need is None else need[taken])
        self.reached[p] += len(takes)
        np.maximum(self.stage[s, rows], stage, out=self.stage[s, rows])

    def households_served(
        self,
        p: int,
        need: Mask,
        listed: Mask,
        found: Rows,
        result: Ration,
        given: Mask,
        takes: Rows,
        stage: NDArray[np.uint8],
    ) -> None:
        """Count one programme's month among households and raise `stage` (n_households,) in place."""
        if not self.counting:
            return
        here = self._stages(need, listed, listed, found, result, given, p)
        here[takes] = np.where(need[takes], TAKEN_UP, 0)
        self.reached[p] += len(takes)
        np.maximum(stage, here, out=stage)

    def household_stage(self, world: World, s: int, service: Service, stage: NDArray[np.uint8]) -> None:
        """Pass the stage of households on to their children in the service's age window."""
        if not self.counting:
            return
        rows = world.children.window(world.month, service.from_age, service.to_age)
        passed = stage[world.children.household[rows]]
        took = passed == TAKEN_UP
        age = world.children.ages(world.month, rows)
        runs = world.programmes_of[s]
        gains = world.shift(s, runs[0])[age + PREGNANCY_MONTHS] > 0 if runs else np.zeros(len(age), bool)
        passed = np.where(took, self._reached(age, gains), passed).astype(np.uint8)
        np.maximum(self.stage[s, rows], passed, out=self.stage[s, rows])

    @staticmethod
    def _reached(age: NDArray[np.integer], gains: Mask) -> NDArray[np.uint8]:
        """Stage of those who took the service up: in time inside the 1,000 days, and whether z was gained."""
        in_time = age <= FIRST_1000_DAYS
        return (TAKEN_UP + in_time + (in_time & gains)).astype(np.uint8)

    def _stages(
        self, need: Mask | None, known: Mask, listed: Mask, found: Rows, result: Ration, given: Mask, p: int
    ) -> NDArray[np.uint8]:
        """Stage reached by every row of one programme's month up to delivery, 0 for those not in need."""
        further = (result.step < result.budgeted).view(np.uint8) + (result.step < result.released).view(np.uint8)
        further += given.view(np.uint8)
        further += LISTED
        stage = known.view(np.uint8) + listed.view(np.uint8)
        stage += IN_NEED
        stage[found] = further
        targeted = eligible = right = int(np.count_nonzero(given))
        if need is None:
            eligible = len(stage)
        else:
            stage *= need.view(np.uint8)
            eligible = int(np.count_nonzero(need))
            right = int(np.count_nonzero(need[found[given]]))
        self.eligible[p] += eligible
        self.listed[p] += int(np.count_nonzero(listed))
        self.targeted[p] += targeted
        self.right[p] += right
        self.months[p] += 1
        return stage

    def cascade_counts(self, world: World, s: int) -> tuple[list[int], list[int]]:
        """Children and households that reached each stage of service s this year."""
        # whoever was in the service's age window at any time of the year up to this month
        service = world.services[s]
        rows = world.children.window(world.month, service.from_age, service.to_age + 12)
        stage = self.stage[s, rows]
        some = np.flatnonzero(stage)
        stage = stage[some]
        children = np.bincount(stage, minlength=len(STAGES) + 1)
        furthest = np.zeros(len(world.households), np.uint8)
        np.maximum.at(furthest, world.children.household[rows][some], stage)
        households = np.bincount(furthest, minlength=len(STAGES) + 1)
        return _at_least(children), _at_least(households)


def _at_least(counts: NDArray[np.integer]) -> list[int]:
    return counts[1:][::-1].cumsum()[::-1].tolist()
