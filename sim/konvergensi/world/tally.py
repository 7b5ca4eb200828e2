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


def _pass_on_in_columns(
    furthest: Stage,
    of_home: Stage,
    home: NDArray[np.int32],
    taken: NDArray[np.uint8],
    enough: int,
    young: int,
    gains: Mask,
    ends: NDArray[np.int64],
    oldest: int,
) -> None:
    stage = of_home[home]
    took = stage == TAKEN_UP
    if enough:
        took &= taken >= enough
    stage[young:] += took[young:]
    if gains.any():
        stage[young:] += took[young:] & gains[age_of_rows(ends, oldest, len(stage))[young:] + PREGNANCY_MONTHS]
    np.maximum(furthest, stage, out=furthest)


@compiled(_pass_on_in_columns)
def pass_on(furthest, of_home, home, taken, enough, young, gains, ends, oldest):  # type: ignore[no-untyped-def]
    """Keep the furthest stage, (n,) in place: that of the home, of_home (n_households,), and what follows taking up.

    In time are those from row `young` on with `enough` deliveries taken, (n,) or empty where any counts; then z is
    gained at the ages of `gains`, (69,).
    """
    for i in range(young):
        furthest[i] = max(furthest[i], of_home[np.uint64(home[i])])
    start = young
    for each in range(len(ends)):
        further = np.uint8(1 + gains[oldest - each + PREGNANCY_MONTHS])
        for i in range(start, ends[each]):
            stage = of_home[np.uint64(home[i])]
            if stage == TAKEN_UP and (enough == 0 or taken[i] >= enough):
                stage = np.uint8(stage + further)
            furthest[i] = max(furthest[i], stage)
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
    # four counts each, added at the end: most stand at the same stage, and a count would wait for the one before;
    # a household moves from count to count with its children, without a branch that nobody can foresee
    children, households = np.zeros((4, N_STAGES), np.int64), np.zeros((4, N_STAGES), np.int64)
    furthest = np.zeros(n_households, np.uint8)
    households[0, 0] = n_households
    for i in range(len(stage)):
        own, home = stage[i], np.uint64(household[i])
        children[i & 3, own] += 1
        before = furthest[home]
        after = max(before, own)
        furthest[home] = after
        households[i & 3, before] -= 1
        households[i & 3, after] += 1
    for each in range(1, 4):
        for stage_of in range(N_STAGES):  # one by one: an expression of arrays takes two seconds to compile
            children[0, stage_of] += children[each, stage_of]
            households[0, stage_of] += households[each, stage_of]
    return children[0], households[0]


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

    def household_stage(
        self,
        children: Children,
        month: int,
        service_row: int,
        service: Service,
        stage: NDArray[np.uint8],
        gains: Mask | None,
        taken: NDArray[np.uint8],
        enough: int,
    ) -> None:
        """Pass the stage of households, (n_households,), on to their children in the service's age window.

        Parameters: gains (69,) bool, ages -9..59 at which taking up adds to length; taken (n_children,) deliveries so
        far, and how many of them count as in time, 0: any delivery does. The furthest stage of the year is kept.
        """
        rows = children.window(month, service.from_age, service.to_age)
        start = children.window(month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
        young = min(max(start, rows.start), rows.stop) - rows.start
        gains = NOWHERE if gains is None else gains
        home, by_age = children.household[rows], children.by_age(month, rows)
        pass_on(self.stage[service_row, rows], stage, home, taken[rows], enough, young, gains, *by_age)

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
