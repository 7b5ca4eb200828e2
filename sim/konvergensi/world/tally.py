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
    from konvergensi.world.children import Children
    from konvergensi.world.programmes import Ration

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
IN_NEED, TAKEN_UP = np.uint8(1), np.uint8(STAGES.index("taken_up") + 1)


class Tally:
    """This calendar year's counts. During the burn-in nobody counts."""

    def __init__(self, n_services: int, n_programmes: int, n_children: int) -> None:
        self.stage = np.zeros((n_services, n_children), np.uint8)  # furthest stage reached this year
        self.eligible = np.zeros(n_programmes)
        self.listed = np.zeros(n_programmes)
        self.targeted = np.zeros(n_programmes)
        self.reached = np.zeros(n_programmes)
        self.right = np.zeros(n_programmes)  # targeted and eligible
        self.months = np.zeros(n_programmes)

    def new_year(self) -> None:
        """Forget last year's counts."""
        self.stage[:] = 0
        for column in (self.eligible, self.listed, self.targeted, self.reached, self.right, self.months):
            column[:] = 0.0

    def children_in_need(self, s: int, rows: slice, need: Mask | None) -> None:
        """Count the children in need of a service that nobody runs."""
        stage = IN_NEED if need is None else need.view(np.uint8)
        np.maximum(self.stage[s, rows], stage, out=self.stage[s, rows])

    def children_served(
        self,
        children: Children,
        month: int,
        s: int,
        p: int,
        rows: slice,
        need: Mask | None,
        known: Mask,
        listed: Mask,
        at: NDArray[np.intp],
        result: Ration,
        given: Mask,
        takes: Mask,
        gains: Mask | None,
        enough: Mask | None = None,
    ) -> None:
        """Count one programme's month among the children in `rows`.

        Parameters: need None: everybody; at (m,), where the candidates of the ration are; gains (69,) bool, ages -9..59
        at which taking up adds to length; enough (n,) who has the dose that counts as in time, None: any delivery does.
        """
        stage = self._stages(need, known, listed, at, result, given, takes, p)
        in_time = takes if need is None else takes & need
        self._pass_on(children, month, s, gains, rows, stage, in_time if enough is None else in_time & enough)

    def households_served(
        self,
        p: int,
        need: Mask,
        listed: Mask,
        at: NDArray[np.intp],
        result: Ration,
        given: Mask,
        takes: Mask,
        stage: NDArray[np.uint8],
    ) -> None:
        """Count one programme's month among households and raise `stage` (n_households,) in place."""
        here = self._stages(need, listed, listed, at, result, given, takes, p)
        np.maximum(stage, here, out=stage)

    def household_stage(
        self,
        children: Children,
        month: int,
        s: int,
        service: Service,
        stage: NDArray[np.uint8],
        gains: Mask | None,
        enough: Mask | None = None,
    ) -> None:
        """Pass the stage of households on to their children in the service's age window; enough as above."""
        rows = children.window(month, service.from_age, service.to_age)
        passed = stage[children.household[rows]]
        in_time = passed == TAKEN_UP
        self._pass_on(children, month, s, gains, rows, passed, in_time if enough is None else in_time & enough)

    def _pass_on(
        self,
        children: Children,
        month: int,
        s: int,
        gains: Mask | None,
        rows: slice,
        stage: NDArray[np.uint8],
        took: Mask,
    ) -> None:
        """Add what follows taking up (in time, z gained) and keep the furthest stage of the year (in place)."""
        start = children.window(month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
        young = slice(min(max(start - rows.start, 0), len(stage)), len(stage))
        stage[young] += took[young]
        if gains is not None and gains.any():
            age = children.ages(month, slice(rows.start + young.start, rows.stop))
            stage[young] += took[young] & gains[age + PREGNANCY_MONTHS]
        np.maximum(self.stage[s, rows], stage, out=self.stage[s, rows])

    def _stages(
        self,
        need: Mask | None,
        known: Mask,
        listed: Mask,
        at: NDArray[np.intp],
        result: Ration,
        given: Mask,
        takes: Mask,
        p: int,
    ) -> NDArray[np.uint8]:
        """Stage reached by every row of one programme's month up to taking up, 0 for those not in need."""
        stage = known.view(np.uint8) + listed.view(np.uint8)
        stage += IN_NEED
        paid = (result.step < result.budgeted).view(np.uint8) + (result.step < result.released).view(np.uint8)
        stage[at] += paid
        stage += given
        stage += takes
        targeted = right = int(np.count_nonzero(given))
        eligible = len(stage)
        if need is not None:
            stage *= need
            eligible = int(np.count_nonzero(need))
            right = int(np.count_nonzero(given & need))
        self.eligible[p] += eligible
        self.listed[p] += int(np.count_nonzero(listed))
        self.targeted[p] += targeted
        self.right[p] += right
        self.reached[p] += int(np.count_nonzero(takes))
        self.months[p] += 1
        return stage

    def cascade_counts(
        self, children: Children, households: int, month: int, s: int, service: Service
    ) -> tuple[list[int], list[int]]:
        """Children and households that reached each stage of service s this year."""
        # whoever was in the service's age window at any time of the year up to this month
        rows = children.window(month, service.from_age, service.to_age + 12)
        stage = self.stage[s, rows]
        furthest = np.zeros(households, np.uint8)
        np.maximum.at(furthest, children.household[rows], stage)
        return _at_least(stage), _at_least(furthest)


def _at_least(stage: NDArray[np.uint8]) -> list[int]:
    """How many reached each stage or one behind it."""
    exactly = [int(np.count_nonzero(stage == number)) for number in range(1, len(STAGES) + 1)]
    return np.cumsum(exactly[::-1])[::-1].tolist()
