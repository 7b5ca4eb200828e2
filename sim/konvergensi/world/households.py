"""Households: families with a fertile couple, a pregnancy or an under-five (keluarga sasaran), one row each."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.world.draws import Draws, Keys, fixed_uniform, member_keys, name_keys

if TYPE_CHECKING:
    import pandas as pd

    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Settings

LAST_PLACE = np.uint16(65535)
F32 = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Households:
    """Columns of the household table; row i is the same household in all of them.

    Shapes are (n_households,). Shares and strengths run from 0 to 1.
    """

    key: Keys
    village: NDArray[np.int16]
    village_remoteness: F32  # of each village, not of each row
    dasawisma: NDArray[np.int32]
    wealth: F32  # standardised within the district, mean 0, SD 1
    village_wealth: F32  # the part of it that all households of the village share
    wealth_fifth: NDArray[np.int8]  # 0 poorest .. 4
    poor: Mask  # under the line that social programmes are meant for
    food_insecure: Mask
    no_water: Mask
    no_latrine: Mask
    four_too: Mask  # mother too young, too old, births too close, too many
    spaced: Mask  # family planning keeps the four-too risk away from conceptions of this year
    knowledge: F32  # of the caregiver
    knowledge_start: F32  # what it falls back to
    belief: F32
    trust: F32
    access: F32  # 1 at the road and the posyandu, 0 out of reach
    has_nik: Mask
    joint: NDArray[np.uint16]  # lasting order on the joint list (families at risk), LAST_PLACE if not on it
    in_krs: Mask
    in_dtks: Mask

    @property
    def remoteness(self) -> F32:
        """Remoteness of the village of each, (n_households,) 0 to 1."""
        return self.village_remoteness[self.village]

    def __len__(self) -> int:
        return len(self.key)


def village_keys(villages: pd.DataFrame) -> Keys:
    """Keys of the villages, (n_villages,): a village is told by its kecamatan and its name."""
    return _keys_of(tuple(zip(villages["kecamatan"].tolist(), villages["village"].tolist(), strict=True))).copy()


@functools.lru_cache(maxsize=64)  # districts that a process simulates again and again
def _keys_of(names: tuple[tuple[str, str], ...]) -> Keys:
    return name_keys("village", [f"{kecamatan}|{village}" for kecamatan, village in names])


def household_counts(families: NDArray[np.int64], population_share: float, keys: Keys) -> NDArray[np.int64]:
    """Households simulated per village, (n_villages,) int64, at least 1.

    A village's share is rounded up or down by a number of its own, so that totals are kept on average, a smaller share
    is a part of a larger one, and what another village holds plays no part.
    """
    return np.maximum(np.floor(families * population_share + fixed_uniform(keys)).astype(np.int64), 1)


def build_households(district: District, settings: Settings, draws: Draws, population_share: float) -> Households:
    """Make the district's households from its village table and totals.

    Parameters: population_share in (0, 1], the share of families simulated one to one.
    """
    villages = district.villages
    families = villages["families"].to_numpy(np.int64)
    owners = village_keys(villages)
    count = household_counts(families, population_share, owners)
    village = np.repeat(np.arange(len(families), dtype=np.int16), count)
    first_row = np.cumsum(count) - count
    within = np.arange(len(village)) - np.repeat(first_row, count)
    key = member_keys("household", np.repeat(owners, count), within)
    group = settings["population.dasawisma_size"]
    groups = -(-families // group)  # in each village, the last one smaller

    def normal(decision: str) -> F32:
        return draws.normal(decision, 0, key)

    def happens(decision: str, share: NDArray[np.floating]) -> Mask:
        return draws.uniform(decision, 0, key) < share

    village_wealth = _village_wealth(villages["poverty"].to_numpy(float), settings)[village]
    wealth = village_wealth + own_wealth_sd(settings) * normal("wealth")
    of_village: F32 = villages["remoteness"].to_numpy(np.float32)
    total = {name: quantity.value for name, quantity in district.population.items()}
    poorer = by_wealth(settings["population.lack_wealth_gradient"], wealth)  # lacks fall on the poor

    def lacking(decision: str, name: str) -> Mask:
        return happens(decision, np.clip(total[name] * poorer, 0.0, 0.97))

    knowledge = _share(
        settings["population.knowledge_mean"] + settings["population.knowledge_wealth_slope"] * wealth,
        settings["population.knowledge_sd"],
        normal("knowledge"),
    )
    households = Households(
        key=key,
        village=village,
        village_remoteness=of_village,
        dasawisma=(np.repeat(np.cumsum(groups) - groups, count) + within // group).astype(np.int32),
        wealth=wealth,
        village_wealth=village_wealth,
        wealth_fifth=np.zeros(len(key), np.int8),
        poor=np.zeros(len(key), bool),
        food_insecure=lacking("food insecure", "food_insecure_share"),
        no_water=lacking("no water", "no_water_share"),
        no_latrine=lacking("no latrine", "no_latrine_share"),
        four_too=happens("four too", np.full(len(key), total["four_too_share"])),
        spaced=np.zeros(len(key), bool),
        knowledge=knowledge,
        knowledge_start=knowledge.copy(),
        belief=_share(settings["population.belief_mean"], settings["population.belief_sd"], normal("belief")),
        trust=_share(settings["population.trust_mean"], settings["population.trust_sd"], normal("trust")),
        access=_share(np.float32(1.0) - of_village[village], settings["population.access_sd"], normal("access")),
        has_nik=happens("household nik", np.full(len(key), total["nik_share"])),
        joint=np.full(len(key), LAST_PLACE),
        in_krs=np.zeros(len(key), bool),
        in_dtks=np.zeros(len(key), bool),
    )
    rank_wealth(households, settings["registers.poor_line_share"])
    return households


def _share(mean: F32 | float, sd: float, deviation: F32) -> F32:
    return np.clip(mean + sd * deviation, 0.0, 1.0).astype(np.float32)


def _village_wealth(poverty: NDArray[np.floating], settings: Settings) -> F32:
    """Part of wealth that a village shares, (n_villages,): follows the village's poverty."""
    part = -(poverty - poverty.mean()) / (poverty.std() or 1.0)
    return (settings["population.village_wealth_spread"] * part).astype(np.float32)


def own_wealth_sd(settings: Settings) -> np.float32:
    """SD of wealth between the households of a village; with the villages' it makes 1."""
    return np.float32(np.sqrt(1.0 - settings["population.village_wealth_spread"] ** 2))


def by_wealth(gradient: float, wealth: F32) -> NDArray[np.floating]:
    """How much more than average something falls on a household, (n,): exp(-gradient wealth), 1 on average.

    The average is that of a standard normal wealth, so that it is no matter who else lives in the district.
    """
    return np.exp(-gradient * wealth - 0.5 * gradient**2)


def rank_wealth(households: Households, poor_line_share: float) -> None:
    """Set wealth fifths and the poor line from the present wealth, which is standard normal (in place)."""
    shares = [0.2, 0.4, 0.6, 0.8, poor_line_share]
    cuts = [NormalDist().inv_cdf(min(max(share, 1e-9), 1 - 1e-9)) for share in shares]
    fifth = np.zeros(len(households), np.int8)
    for cut in cuts[:4]:
        fifth += households.wealth >= cut
    households.wealth_fifth = fifth
    households.poor = households.wealth < cuts[4]
