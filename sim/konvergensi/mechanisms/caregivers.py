"""What reaches the caregiver: KPM, posyandu and dasawisma neighbours, against beliefs that resist.

Once a year, in January, before uptake is worked out for the year. Home visits and parenting sessions teach too, but
they are services (mechanisms/delivery.py). Parameters: caregivers.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import cascade, field, partners

if TYPE_CHECKING:
    from konvergensi.world.households import F32
    from konvergensi.world.state import World


def learn(world: World) -> None:
    """A year of caregivers' learning, forgetting and neighbours; beliefs give way slowly (in place)."""
    settings, homes = world.settings, world.households
    exposed = exposure(world)
    resist = 1.0 - settings["caregivers.belief_resistance_share"] * homes.belief
    known, first = homes.knowledge, homes.knowledge_start
    gain = np.float32(settings["caregivers.learning_share"]) * exposed * resist * (1.0 - known)
    added = np.maximum(known - first, 0.0)  # what was known before has long gone round among neighbours
    more = np.maximum(neighbours(added, homes.dasawisma) - added, 0.0)
    gain += np.float32(settings["caregivers.peer_share"]) * resist * more
    lost = np.float32(settings["caregivers.decay_share"]) * added
    homes.knowledge = np.clip(known + gain - lost, 0.0, 1.0).astype(np.float32)
    homes.belief = homes.belief * (1.0 - np.float32(settings["caregivers.belief_change_share"]) * exposed)


def exposure(world: World) -> F32:
    """Exposure of each household to counselling in a year, 0..1, (n_households,) float32."""
    settings, homes, state = world.settings, world.households, world.coordination
    understands = state.village_understanding.astype(np.float32)
    effort, _ = cascade.kpm_effort(settings)
    by_kpm = np.float32(settings["caregivers.kpm_channel_share"] * effort) * understands * state.kpm
    by_posyandu = np.float32(settings["caregivers.posyandu_channel_share"]) * understands * world.posyandu_quality
    comes = 1.0 / (1.0 + np.exp(-world.household_score))
    home = homes.village
    exposed = 1.0 - (1.0 - by_kpm[home]) * (1.0 - by_posyandu[home] * comes)
    exposed = 1.0 - (1.0 - exposed) * (1.0 - field.pkk_exposure(world)[home]) * (
        1.0 - partners.campaign_exposure(world)
    )
    return exposed.astype(np.float32)


def neighbours(value: F32, group: np.ndarray) -> F32:
    """Mean of a column over each household's dasawisma group, (n_households,) float32."""
    total = np.bincount(group, weights=value)
    count = np.maximum(np.bincount(group), 1)
    mean: F32 = (total / count).astype(np.float32)[group]
    return mean
