"""Agents that decide: district agencies (OPD), kecamatan and villages.

Households and children are columns (world/households.py, world/children.py), with a light `Household` view for reading
one; kecamatan and villages read their columns in world/coordination.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import mesa
import numpy as np

from konvergensi.inputs.kinds import families

if TYPE_CHECKING:
    from collections.abc import Collection

    from konvergensi.inputs import districts
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.children import Children
    from konvergensi.world.coordination import Coordination
    from konvergensi.world.households import Households

OPD_FIELDS = tuple(families("opd"))  # what a scenario may change of an agency, `opd.<id>.<field>`
STATED = {"in_decree": "decree_stated", "focal_unit": "focal_stated", "guideline": "guideline_stated"}


class Opd(mesa.Agent):
    """A district agency (organisasi perangkat daerah). Shares run from 0 to 1."""

    def __init__(self, model: mesa.Model, spec: districts.Opd) -> None:
        super().__init__(model)
        self.id = spec.id
        self.name = spec.name
        self.register = spec.register or "none"
        self.surveyed = spec.surveyed
        self.role = spec.role
        self.staff = spec.staff
        self.posted = spec.posted
        self.understanding = spec.understanding  # of the people in charge
        self.institutional_understanding = spec.institutional_understanding  # of files and routines
        self.goal_adoption = spec.goal_adoption
        self.adaptation = spec.goal_adoption  # how far its programmes bend to the shared goal
        self.ego = spec.ego
        self.mandate = spec.mandate
        self.skill = spec.skill
        # as the district or the scenario states it, and as it is now with what policies add
        self.decree_stated = self.in_decree = spec.in_decree
        self.focal_stated = self.focal_unit = spec.focal_unit
        self.guideline_stated = self.guideline = spec.guideline
        self.has_programme = False
        self.in_plan = False  # the joint plan of the year includes it
        self.shares_joined_list = False
        self.attendance = 0.5  # share of recent meetings it came to
        self.knows_colleagues = False  # the person who comes is the one who came last time
        self.rembuk_year: int | None = None  # the last rembuk it took part in

    @property
    def known(self) -> float:
        """What its people and its files understand together."""
        return 0.5 * (self.understanding + self.institutional_understanding)

    @property
    def leads(self) -> bool:
        """Whether it coordinates or leads."""
        return self.role != "member"

    def take_settings(
        self, settings: Settings, before: Settings | None, fixed_draws: dict[str, float], dated: Collection[str] = ()
    ) -> None:
        """Take over what the scenario changes of this agency, and what policies add to it.

        Parameters: before, the settings in force until now (None at the start); fixed_draws, this agency's own;
        dated, keys whose value is written for this very month.
        """
        for name in OPD_FIELDS:
            key = f"opd.{self.id}.{name}"
            if key in settings and (before is None or key in dated or before[key] != settings[key]):
                setattr(self, STATED.get(name, name), settings[key])
        added = fixed_draws["decree"] < settings["network.decree_coverage_share"]
        self.in_decree = bool(settings["network.decree_in_force"] and (self.decree_stated or added))
        self.focal_unit = bool(
            self.focal_stated or fixed_draws["focal unit"] < settings["socialization.focal_unit_share"]
        )
        given = fixed_draws["guideline"] < settings["socialization.guideline_share"]
        self.guideline = bool(settings["socialization.guideline_in_force"] and (self.guideline_stated or given))

    def quality(self, settings: Settings) -> float:
        """Quality of what the agency delivers, against trials: rises with what it understands and can."""
        floor = settings["delivery.quality_floor_share"]
        full = settings["delivery.quality_full_share"]
        skill = self.skill + (1.0 - self.skill) * settings["socialization.training_share"]
        weight = settings["delivery.skill_weight"]
        return float(floor + max(full - floor, 0.0) * ((1.0 - weight) * self.known + weight * skill))

    def list_used(self, linked: bool) -> str:
        """The register its target lists come from, and the joined list once there is one and the agency gets it."""
        return f"{self.register}+joined" if linked and self.shares_joined_list else self.register


class Kecamatan(mesa.Agent):
    """A subdistrict, an agent over columns: the link between agencies and villages."""

    def __init__(self, model: mesa.Model, name: str, index: int) -> None:
        super().__init__(model)
        self.name = name
        self.index = index

    @property
    def _state(self) -> Coordination:
        state: Coordination = self.model.world.coordination
        return state

    @property
    def understanding(self) -> float:
        """What its team understands, 0..1."""
        return float(self._state.kecamatan_understanding[self.index])

    @property
    def tpps_active(self) -> bool:
        """Whether its team (TPPS) is active and not only decreed."""
        return bool(self._state.tpps_kecamatan[self.index])


class Village(mesa.Agent):
    """A village (desa or kelurahan), an agent over columns: its households are rows with `village == index`."""

    def __init__(
        self,
        model: mesa.Model,
        index: int,
        name: str,
        kecamatan: Kecamatan,
        lokus: bool,
        remoteness: float,
        posyandu_quality: float,
    ) -> None:
        super().__init__(model)
        self.index = index
        self.name = name
        self.kecamatan = kecamatan
        self.lokus = lokus
        self.remoteness = remoteness
        self.posyandu_quality = posyandu_quality

    @property
    def _state(self) -> Coordination:
        state: Coordination = self.model.world.coordination
        return state

    @property
    def understanding(self) -> float:
        """What village head, team and cadres understand, 0..1."""
        return float(self._state.village_understanding[self.index])

    @property
    def tpps_active(self) -> bool:
        """Whether its team (TPPS desa) is active and not only decreed."""
        return bool(self._state.tpps_desa[self.index])

    @property
    def has_kpm(self) -> bool:
        """Whether a KPM is at work."""
        return bool(self._state.kpm[self.index])

    @property
    def has_by_name_list(self) -> bool:
        """Whether it holds the by-name by-address list."""
        return bool(self.model.world.has_by_name_list[self.index])


@dataclass(frozen=True, slots=True)
class Household:
    """A household to read, taken from the columns."""

    row: int
    village: int
    dasawisma: int
    wealth_fifth: int
    knowledge: float  # of the caregiver, 0..1
    belief: float  # that resists, 0..1
    on_registers: tuple[str, ...]
    lacks: tuple[str, ...]
    children: tuple[int, ...]  # rows of its children, oldest first

    @classmethod
    def read(cls, households: Households, children: Children, row: int) -> Household:
        """View of household `row`. Raises IndexError when there is no such row."""
        if not 0 <= row < len(households):
            raise IndexError(f"household {row} is outside 0..{len(households) - 1}")
        registers = [name for name in ("krs", "dtks") if getattr(households, f"in_{name}")[row]]
        lacks = [name for name in ("water", "latrine") if getattr(households, f"no_{name}")[row]]
        return cls(
            row=row,
            village=int(households.village[row]),
            dasawisma=int(households.dasawisma[row]),
            wealth_fifth=int(households.wealth_fifth[row]) + 1,
            knowledge=float(households.knowledge[row]),
            belief=float(households.belief[row]),
            on_registers=tuple(registers + (["dukcapil"] if households.has_nik[row] else [])),
            lacks=tuple(lacks + (["food"] if households.food_insecure[row] else [])),
            children=tuple(np.flatnonzero(children.household == row).tolist()),
        )
