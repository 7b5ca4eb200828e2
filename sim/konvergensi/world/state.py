"""The state of one run: everything that exists, as data. What happens to it is the matter of mechanisms/."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.months import month_of
from konvergensi.world.children import LAST_AGE, Children
from konvergensi.world.draws import Draws, Keys
from konvergensi.world.households import F32, Households, Mask
from konvergensi.world.programmes import Programmes, ServiceBook
from konvergensi.world.registers import Registers

if TYPE_CHECKING:
    from collections.abc import Hashable

    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service
    from konvergensi.world.agents import Opd
    from konvergensi.world.coordination import Coordination
    from konvergensi.world.costs import Costs
    from konvergensi.world.lists import HandedLists
    from konvergensi.world.package import Package
    from konvergensi.world.tally import Tally
    from konvergensi.world.villages import Villages


class Scratch:
    """Arrays that are filled anew each month, kept so that memory need not be asked for again.

    No copy of a world takes them along. What stands in one is lost when its name is asked for again.
    """

    def __init__(self) -> None:
        self._held: dict[str, NDArray[Any]] = {}

    def empty(self, name: str, n: int, kind: type) -> NDArray[Any]:
        """An array of n values, not set."""
        held = self._held.get(name)
        if held is None or len(held) < n:
            held = self._held[name] = np.empty(n, kind)
        return held[:n]

    def __deepcopy__(self, memo: Any) -> Scratch:
        return Scratch()

    def __reduce__(self) -> tuple[type[Scratch], tuple[()]]:
        return Scratch, ()


@dataclass(slots=True, repr=False)
class World:
    """State of the district in a month. Village arrays are (n_villages,); columns as in their own classes."""

    district: District
    settings: Settings
    draws: Draws
    services: list[Service]
    population_share: float  # households made over families in the district
    month: int
    households: Households
    children: Children
    registers: Registers
    programmes: Programmes
    programmes_of: list[list[int]]  # programmes of each service, in the order of the district file
    book: ServiceBook
    tally: Tally
    opds: list[Opd]
    coordination: Coordination
    fixed_draws: dict[str, NDArray[np.float32]]  # of the agencies, (n_opd,) each
    village_keys: Keys
    posyandu_quality: F32
    lokus: Mask
    behind: NDArray[np.uint16]  # 0 in a lokus village, else the step that puts it behind where lokus come first
    kecamatan: NDArray[np.intp]  # index of each village's kecamatan
    families: NDArray[np.float64]  # simulated in each village
    village_effect: F32
    village_list_draw: F32
    village_kit_draw: F32
    villages: Villages
    handed: HandedLists
    costs: Costs
    package: Package
    household_chance: NDArray[np.uint16]  # (kinds of uptake, offered and having come, n_households)
    attendance_score: F32  # (n_children,) log odds of coming to posyandu, before age counts
    household_score: F32  # (n_households,) the same
    attended: Mask  # under-fives brought to posyandu this month
    has_by_name_list: Mask
    has_child: Mask  # (n_households,)
    in_1000_days: Mask  # (n_households,)
    at_risk: Mask  # (n_households,)
    month_shift: F32  # (n_children,) on the scale of the combination rule
    month_services: NDArray[np.uint8]  # growth services taken up this month
    linked: bool = False  # the first linkage (Aksi 6) has been run
    burn_in: bool = True  # the months before the run: agencies stand still and nothing is counted
    derived: dict[Hashable, Any] = field(default_factory=dict)  # what follows from the settings, until they change
    kept: dict[Hashable, Any] = field(default_factory=dict)  # worked out once for a run, by keys that say from what
    scratch: Scratch = field(default_factory=Scratch)

    @property
    def month_of_year(self) -> int:
        """1 January .. 12 December."""
        return month_of(self.month)

    def came(self, rows: slice) -> Mask:
        """Which of the under-fives in `rows` are at posyandu this month."""
        start = self.children.window(self.month, 0, LAST_AGE).start
        return self.attended[rows.start - start : rows.stop - start]
