"""The state of one run: everything that exists, and what mechanisms look up about it each month."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.inputs.months import month_of
from konvergensi.mechanisms import budget, goals, growth, shocks
from konvergensi.world.children import LAST_AGE, Children
from konvergensi.world.draws import Draws, Keys
from konvergensi.world.households import F32, Households, Mask
from konvergensi.world.programmes import SOURCES, Programmes, ServiceBook
from konvergensi.world.registers import Registers

if TYPE_CHECKING:
    from collections.abc import Collection

    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service
    from konvergensi.observe.series import Package
    from konvergensi.observe.tally import Tally
    from konvergensi.world.agents import Opd
    from konvergensi.world.coordination import Coordination


FOLLOW_LOKUS = {source: f"budget.{source}_follow_lokus" for source in ("apbn", "dak", "apbd")}


@dataclass(slots=True)
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
    luck: dict[str, NDArray[np.float32]]  # lasting draws of the agencies, (n_opd,) each
    village_keys: Keys
    posyandu_quality: F32
    lokus: Mask
    kecamatan: NDArray[np.intp]  # index of each village's kecamatan
    village_effect: F32
    village_list_luck: F32
    village_kit_luck: F32
    package: Package
    household_chance: NDArray[np.uint16]  # (kinds of uptake, n_households)
    attendance_score: F32  # (n_children,) log odds of coming to posyandu, before age counts
    household_score: F32  # (n_households,) the same
    attended: Mask  # under-fives brought to posyandu this month
    has_by_name_list: Mask
    has_child: Mask  # (n_households,)
    in_1000_days: Mask  # (n_households,)
    at_risk: Mask  # (n_households,)
    month_shift: F32  # (n_children,) on the scale of the combination rule
    month_services: NDArray[np.uint8]  # growth services taken up this month
    combination: growth.Combination
    absorption: NDArray[np.float64]
    linked: bool = False  # the first linkage (Aksi 6) has been run
    _shifts: dict[tuple[int, int], F32] = field(default_factory=dict)  # by service and programme
    _open: dict[int, Mask] = field(default_factory=dict)  # villages a programme may serve

    @property
    def month_of_year(self) -> int:
        """1 January .. 12 December."""
        return month_of(self.month)

    def change_settings(self, settings: Settings, dated: Collection[str] = ()) -> None:
        """Put changed settings in force; what was derived from the old ones is derived again when asked for.

        Parameters: dated, keys whose value is written for this very month, if only as it was: an agency that has moved
        on from there is put back.
        """
        before, self.settings = self.settings, settings
        self._tell_agencies(before, dated)
        self.combination = growth.Combination.of(settings)
        self.absorption = budget.absorption(settings)
        self._shifts.clear()
        self._open.clear()

    def settle_agencies(self) -> None:
        """Agencies as the settings at the start have them."""
        self._tell_agencies(None)

    def _tell_agencies(self, before: Settings | None, dated: Collection[str] = ()) -> None:
        for i, opd in enumerate(self.opds):
            luck = {name: float(values[i]) for name, values in self.luck.items()}
            opd.take_settings(self.settings, before, luck, dated)
        self.coordination.take_settings(self.settings)
        goals.share_lists(self)

    def forget_quality(self) -> None:
        """What agencies deliver follows what they understand now: effects of services are worked out again."""
        self._shifts.clear()

    def new_year(self) -> None:
        """Forget what holds for a year: the places chosen by the centre."""
        self._open.clear()

    def came(self, rows: slice) -> Mask:
        """Which of the under-fives in `rows` are at posyandu this month."""
        start = self.children.window(self.month, 0, LAST_AGE).start
        return self.attended[rows.start - start : rows.stop - start]

    def uses_joined_list(self, p: int) -> bool:
        """Whether programme p may serve from the joined list: shared with its agency, and not under ministry rules."""
        opd = self.opds[self.programmes.opd[p]]
        bound = self.programmes.rigid[p] and self.settings["registers.ministry_rules_bind"]
        return bool(self.linked and opd.shares_joined_list and not bound)

    def shift(self, s: int, p: int) -> F32:
        """z (or g of birth weight) per month of taking up service s from programme p, by age, (69,) float32."""
        if (s, p) not in self._shifts:
            service = self.services[s]
            full = growth.monthly_shift(service, self.settings[f"services.{service.id}.effect"], self.settings)
            quality = 1.0
            if service.venue != "transfer":  # money is money; everything else can be done well or badly
                quality = self.opds[self.programmes.opd[p]].quality(self.settings)
            self._shifts[s, p] = full * np.float32(quality * self.settings["uptake.adherence_share"])
        return self._shifts[s, p]

    def staff_capacity(self, p: int) -> float:
        """Services of programme p that the agency's field staff can deliver in a month."""
        opd = self.opds[self.programmes.opd[p]]
        each = self.settings["delivery.contacts_per_staff_month"] * shocks.in_force(self.settings, "home_contact_share")
        return float(opd.staff * self.population_share * each * self.programmes.staff_share[p])

    def unit_cost(self, p: int) -> tuple[np.float32, np.float32]:
        """Cost of one service of programme p, Rp: at the roadside with overhead, and the travel at full remoteness."""
        unit = self.programmes.unit_cost[p]
        base = np.float32(unit * (1.0 + self.settings["budget.overhead_share"]))
        if self.services[self.programmes.service[p]].venue == "transfer":
            return base, np.float32(0.0)
        return base, np.float32(unit * self.settings["delivery.travel_cost_share"])

    def village_open(self, p: int) -> Mask | None:
        """Villages the programme may serve, (n_villages,) bool; None for all of them.

        `lokus`: lokus villages only; `central`: where the centre placed it, which may miss them.
        """
        location = self.programmes.location[p]
        if location == "all":
            return None
        if p not in self._open:
            open_ = self.lokus.copy()
            if location == "central":
                year = self.month // 12  # the centre draws up its list of places each year
                luck = self.draws.uniform(f"place {self.programmes.id[p]}", year, self.village_keys)
                match = self.settings["budget.apbn_location_match_share"]
                open_ = luck < np.where(self.lokus, match, self.settings["budget.apbn_location_share"])
                if self.lokus_first(p):
                    open_ |= self.lokus
            self._open[p] = open_
        return self._open[p]

    def lokus_first(self, p: int) -> bool:
        """Whether the money of programme p serves lokus villages before the others."""
        source = SOURCES[self.programmes.source[p]]
        return source in FOLLOW_LOKUS and bool(self.settings[FOLLOW_LOKUS[source]])
