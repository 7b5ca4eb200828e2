"""The diary of one household: month by month, who knows it, how far each service came towards it, how its child grows.

For reading and teaching; a diary changes nothing in the model. `model.recorder.follow(row)` opens one:

    diary = model.recorder.follow(row)
    model.step()
    diary.services
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from konvergensi.base.months import format_month
from konvergensi.mechanisms.caregivers import exposure
from konvergensi.mechanisms.registers import in_eppgbm
from konvergensi.observe.measure import traced_measurement
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.tally import STAGES

if TYPE_CHECKING:
    from konvergensi.world.state import World

HOME = ["month", "knowledge", "belief", "counselled", "village_understanding", "village_has_list"]
REGISTERS = ["kohort", "eppgbm", "krs", "dtks", "dukcapil", "joined"]
CHILDREN = ["month", "child", "age_months", "laz_true", "laz_measured", "at_posyandu", "entered", *REGISTERS]
SERVICES = ["month", "child", "service", "stage"]


class Diary:
    """What happens to one household, written at the end of each month from the month in which it was opened.

    home: knowledge and belief of the caregiver, how much counselling a year like this one brings it, what its village
    understands (all 0..1), and whether the village holds the by-name list.
    children: of each child from conception to 59 months, true length-for-age, the same as a trained team would measure
    it (z; NaN before birth), whether it was brought to posyandu and entered in e-PPGBM this month, and which registers
    hold it now.
    services: of each child and service, the furthest stage of the cascade in this calendar year, as in
    `cascade.parquet`; "" where it is not in need of it.
    """

    def __init__(self, household: int) -> None:
        self.household = household
        self._home: list[tuple[Any, ...]] = []
        self._children: list[tuple[Any, ...]] = []
        self._services: list[tuple[Any, ...]] = []

    @property
    def home(self) -> pd.DataFrame:
        """A row a month."""
        return pd.DataFrame(self._home, columns=HOME)

    @property
    def children(self) -> pd.DataFrame:
        """A row a month and child."""
        return pd.DataFrame(self._children, columns=CHILDREN)

    @property
    def services(self) -> pd.DataFrame:
        """A row a month, child and service."""
        return pd.DataFrame(self._services, columns=SERVICES)

    def write(self, world: World) -> None:
        """Add the month that has just been simulated; called by the recorder before the year's counts are forgotten."""
        when, row, homes = format_month(world.month), self.household, world.households
        village = int(homes.village[row])
        self._home.append(
            (
                when,
                float(homes.knowledge[row]),
                float(homes.belief[row]),
                float(exposure(world)[row]),
                float(world.coordination.village_understanding[village]),
                bool(world.has_by_name_list[village]),
            )
        )
        for child in self._present(world):
            self._child(world, when, child)

    def _present(self, world: World) -> list[int]:
        """Rows of its children, conceived and under five."""
        window = world.children.window(world.month, -PREGNANCY_MONTHS, LAST_AGE)
        mine = np.flatnonzero(world.children.household[window] == self.household)
        return (window.start + mine).tolist()

    def _child(self, world: World, when: str, child: int) -> None:
        children, registers, month = world.children, world.registers, world.month
        age = int(month - children.birth_month[child])
        name, one = f"{self.household}-{children.order[child]}", slice(child, child + 1)
        born = age >= 0
        measured = float(traced_measurement(world, np.array([child]))[0]) if born else np.nan
        holds = (
            bool(registers.cohort_month[child] <= month),
            bool(born and in_eppgbm(registers, one, world.settings, month)[0]),
            bool(registers.known_krs[child]),
            bool(registers.known_dtks[child]),
            bool(registers.nik_month[child] <= month),
            bool(registers.on_joined[child]),
        )
        true = float(children.z[child]) if born else np.nan
        came = bool(born and world.came(one)[0])
        entered = bool(registers.last_entry[child] == month)
        self._children.append((when, name, age, true, measured, came, entered, *holds))
        for s, service in enumerate(world.services):
            reached = int(world.tally.stage[s, child])
            self._services.append((when, name, service.id, STAGES[reached - 1] if reached else ""))
