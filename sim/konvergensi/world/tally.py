"""Counting while the year runs: how far along the cascade each child came, and how well programmes aimed.

Stages of the cascade are nested by construction: a child counted at one stage is counted at all before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS, age_of_rows
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
Stage = NDArray[np.uint8]
N_STAGES = len(STAGES) + 1  # with none
EVERYBODY = np.zeros(0, bool)  # for whom need is asked of no one
NOWHERE = np.zeros(PREGNANCY_MONTHS + LAST_AGE + 1, bool)  # the ages at which taking up adds nothing to length
IN_NEED, TAKEN_UP = np.uint8(1), np.uint8(STAGES.index("taken_up") + 1)


def _stages_in_columns(
    need: Mask,
    known: Mask,
    listed: Mask,
    at: NDArray[np.intp],
    step: NDArray[np.uint16],
    budgeted: int,
    released: int,
    given: Mask,
    takes: Mask,
) -> tuple[Stage, int, int, int, int, int]:
    stage = known.view(np.uint8) + listed.view(np.uint8)
    stage += IN_NEED
    stage[at] += (step < budgeted).view(np.uint8) + (step < released).view(np.uint8)
    stage += given
    stage += takes
    right, eligible = given, len(stage)
    if len(need):
        stage *= need
        right, eligible = given & need, int(np.count_nonzero(need))
    counts = (int(np.count_nonzero(each)) for each in (listed, given, right, takes))
    return stage, eligible, *counts  # type: ignore[return-value]


@compiled(_stages_in_columns)
def stages(need, known, listed, at, step, budgeted, released, given, takes):  # type: ignore[no-untyped-def]
    """Stage of each row of one programme's month, (n,), 0 for those not in need; how many are eligible, listed,
    targeted, targeted rightly and reached. need (n,), or empty: everybody; at, step (m,) of the candidates.
    """
    n = len(known)
    stage = np.empty(n, np.uint8)
    on_list = targeted = right = reached = 0
    for i in range(n):  # loops that do one thing each run several rows at a time
        stage[i] = 1 + known[i] + listed[i] + given[i] + takes[i]
    for i in range(n):
        on_list += listed[i]
    for i in range(n):
        targeted += given[i]
    for i in range(n):
        reached += takes[i]
    for j in range(len(at)):
        stage[at[j]] += (step[j] < budgeted) + (step[j] < released)
    if len(need) == 0:
        return stage, n, on_list, targeted, targeted, reached
    eligible = 0
    for i in range(n):
        stage[i] *= need[i]
    for i in range(n):
        eligible += need[i]
    for i in range(n):
        right += given[i] & need[i]
    return stage, eligible, on_list, targeted, right, reached


def _pass_on_in_columns(
    furthest: Stage, stage: Stage, took: Mask, young: int, gains: Mask, ends: NDArray[np.int64], oldest: int
) -> None:
    stage[young:] += took[young:]
    if gains.any():
        stage[young:] += took[young:] & gains[age_of_rows(ends, oldest, len(stage))[young:] + PREGNANCY_MONTHS]
    np.maximum(furthest, stage, out=furthest)


@compiled(_pass_on_in_columns)
def pass_on(furthest, stage, took, young, gains, ends, oldest):  # type: ignore[no-untyped-def]
    """Add what follows taking up, (n,): in time from row `young` on, then z gained at the ages of `gains`, (69,); and
    keep the furthest stage (both in place).
    """
    for i in range(young):
        furthest[i] = max(furthest[i], stage[i])
    start = young
    for each in range(len(ends)):
        further = np.uint8(1 + gains[oldest - each + PREGNANCY_MONTHS])
        part, takes, before = stage[start : ends[each]], took[start : ends[each]], furthest[start : ends[each]]
        for i in range(len(part)):
            part[i] += takes[i] * further
        for i in range(len(part)):
            before[i] = max(before[i], part[i])
        start = max(start, ends[each])


def _reached_in_columns(
    stage: Stage, household: NDArray[np.int32], n_households: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    furthest = np.zeros(n_households, np.uint8)
    np.maximum.at(furthest, household, stage)
    return np.bincount(stage, minlength=N_STAGES), np.bincount(furthest, minlength=N_STAGES)


@compiled(_reached_in_columns)
def reached(stage, household, n_households):  # type: ignore[no-untyped-def]
    """Children and households whose furthest stage is 0, 1, ... 9, (10,) each; stage and household of children (n,)."""
    children, households = np.zeros(N_STAGES, np.int64), np.zeros(N_STAGES, np.int64)
    furthest = np.zeros(n_households, np.uint8)
    for i in range(len(stage)):
        children[stage[i]] += 1
        furthest[household[i]] = max(furthest[household[i]], stage[i])
    for i in range(n_households):
        households[furthest[i]] += 1
    return children, households


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

    def children_in_need(self, service_row: int, rows: slice, need: Mask | None) -> None:
        """Count the children in need of a service that nobody runs."""
        stage = IN_NEED if need is None else need.view(np.uint8)
        np.maximum(self.stage[service_row, rows], stage, out=self.stage[service_row, rows])

    def children_served(
        self,
        children: Children,
        month: int,
        service_row: int,
        programme_row: int,
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
        stage = self._stages(need, known, listed, at, result, given, takes, programme_row)
        in_time = takes if need is None else takes & need
        self._pass_on(children, month, service_row, gains, rows, stage, in_time if enough is None else in_time & enough)

    def households_served(
        self,
        programme_row: int,
        need: Mask,
        listed: Mask,
        at: NDArray[np.intp],
        result: Ration,
        given: Mask,
        takes: Mask,
        stage: NDArray[np.uint8],
    ) -> None:
        """Count one programme's month among households and raise `stage` (n_households,) in place."""
        here = self._stages(need, listed, listed, at, result, given, takes, programme_row)
        np.maximum(stage, here, out=stage)

    def household_stage(
        self,
        children: Children,
        month: int,
        service_row: int,
        service: Service,
        stage: NDArray[np.uint8],
        gains: Mask | None,
        enough: Mask | None = None,
    ) -> None:
        """Pass the stage of households on to their children in the service's age window; enough as above."""
        rows = children.window(month, service.from_age, service.to_age)
        passed = stage[children.household[rows]]
        in_time = passed == TAKEN_UP
        self._pass_on(
            children, month, service_row, gains, rows, passed, in_time if enough is None else in_time & enough
        )

    def _pass_on(
        self,
        children: Children,
        month: int,
        service_row: int,
        gains: Mask | None,
        rows: slice,
        stage: NDArray[np.uint8],
        took: Mask,
    ) -> None:
        """Add what follows taking up (in time, z gained) and keep the furthest stage of the year (in place)."""
        start = children.window(month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
        young = min(max(start - rows.start, 0), len(stage))
        gains = NOWHERE if gains is None else gains
        pass_on(self.stage[service_row, rows], stage, took, young, gains, *children.by_age(month, rows))

    def _stages(
        self,
        need: Mask | None,
        known: Mask,
        listed: Mask,
        at: NDArray[np.intp],
        result: Ration,
        given: Mask,
        takes: Mask,
        programme_row: int,
    ) -> NDArray[np.uint8]:
        """Stage reached by every row of one programme's month up to taking up, 0 for those not in need."""
        needy = EVERYBODY if need is None else need
        stage, eligible, on_list, targeted, right, reached = stages(
            needy, known, listed, at, result.step, result.budgeted, result.released, given, takes
        )
        self.eligible[programme_row] += eligible
        self.listed[programme_row] += on_list
        self.targeted[programme_row] += targeted
        self.right[programme_row] += right
        self.reached[programme_row] += reached
        self.months[programme_row] += 1
        return stage

    def cascade_counts(
        self, children: Children, households: int, month: int, service_row: int, service: Service
    ) -> tuple[list[int], list[int]]:
        """Children and households that reached each stage of service s this year."""
        # whoever was in the service's age window at any time of the year up to this month
        rows = children.window(month, service.from_age, service.to_age + 12)
        stage = self.stage[service_row, rows]
        of_children, of_households = reached(stage, children.household[rows], households)
        return _at_least(of_children), _at_least(of_households)


def _at_least(exactly: NDArray[np.int64]) -> list[int]:
    """How many reached each stage or one behind it."""
    return np.cumsum(exactly[:0:-1])[::-1].tolist()
