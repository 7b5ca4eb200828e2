"""Agents that decide: district agencies (OPD), kecamatan and villages.

In this version their understanding and goals are fixed by the district file; households and children are columns
(world/households.py, world/children.py), with a light `Household` view for reading one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mesa
import numpy as np

if TYPE_CHECKING:
    from konvergensi.inputs import districts
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.children import Children
    from konvergensi.world.households import Households


class Opd(mesa.Agent):
    """A district agency (organisasi perangkat daerah). Shares run from 0 to 1."""

    def __init__(self, model: mesa.Model, spec: districts.Opd) -> None:
        super().__init__(model)
        self.id = spec.id
        self.name = spec.name
        self.register = spec.register or "none"
        self.surveyed = spec.surveyed
        self.staff = spec.staff
        self.understanding = spec.understanding
        self.institutional_understanding = spec.institutional_understanding
        self.goal_adoption = spec.goal_adoption
        self.ego = spec.ego
        self.in_decree = spec.in_decree
        self.focal_unit = spec.focal_unit
        self.guideline = spec.guideline
        self.shares_joined_list = False

    def take_settings(self, settings: Settings) -> None:
        """Take over what the scenario says of this agency (`opd.<id>.<field>`)."""
        for name in OPD_FIELDS:
            key = f"opd.{self.id}.{name}"
            if key in settings:
                setattr(self, name, settings[key])

    def quality(self, settings: Settings) -> float:
        """Quality of what the agency delivers, against trials: rises with what its people and files know."""
        floor = settings["delivery.quality_floor_share"]
        full = settings["delivery.quality_full_share"]
        known = 0.5 * (self.understanding + self.institutional_understanding)
        return float(floor + max(full - floor, 0.0) * known)

    def list_used(self, linked: bool) -> str:
        """The register its target lists come from, and the joined list once there is one and the agency gets it."""
        return f"{self.register}+joined" if linked and self.shares_joined_list else self.register


OPD_FIELDS = (
    "understanding",
    "institutional_understanding",
    "goal_adoption",
    "ego",
    "in_decree",
    "focal_unit",
    "guideline",
)


class Kecamatan(mesa.Agent):
    """A subdistrict: the link between agencies and villages."""

    def __init__(self, model: mesa.Model, name: str, index: int) -> None:
        super().__init__(model)
        self.name = name
        self.index = index


class Village(mesa.Agent):
    """A village (desa or kelurahan), an agent over columns: its households are rows with `village == index`."""

    def __init__(self, model: mesa.Model, index: int, row: Any, kecamatan: Kecamatan) -> None:
        super().__init__(model)
        self.index = index
        self.name = str(row.village)
        self.kecamatan = kecamatan
        self.lokus = bool(row.lokus)
        self.remoteness = float(row.remoteness)
        self.posyandu_quality = float(row.posyandu_quality)
        self.has_by_name_list = False


@dataclass(frozen=True, slots=True)
class Household:
    """A household to read, taken from the columns."""

    row: int
    village: int
    dasawisma: int
    wealth_fifth: int
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
            on_registers=tuple(registers + (["dukcapil"] if households.has_nik[row] else [])),
            lacks=tuple(lacks + (["food"] if households.food_insecure[row] else [])),
            children=tuple(np.flatnonzero(children.household == row).tolist()),
        )
