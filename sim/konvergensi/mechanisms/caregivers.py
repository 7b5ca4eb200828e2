"""What reaches the caregiver: KPM, posyandu and dasawisma neighbours, against beliefs that resist.

Once a year, in January, before uptake is worked out for the year. Home visits and parenting sessions teach too, but
they are services (mechanisms/delivery.py). Parameters: caregivers.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.base.compiled import compiled
from konvergensi.mechanisms import cascade, field, partners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from konvergensi.world.households import F32
    from konvergensi.world.state import World


def learn(world: World) -> None:
    """A year of caregivers' learning, forgetting and neighbours; beliefs give way slowly (in place)."""
    settings, homes, f32 = world.settings, world.households, np.float32
    exposed, known, first = exposure(world), homes.knowledge, homes.knowledge_start
    added = np.maximum(known - first, f32(0.0))  # what was known before has long gone round among neighbours
    shares = (f32(settings[f"caregivers.{name}_share"]) for name in ("learning", "peer", "decay", "belief_change"))
    resistance = f32(settings["caregivers.belief_resistance_share"])
    homes.knowledge, homes.belief = learnt(
        known, homes.belief, exposed, added, neighbours(added, homes.dasawisma), resistance, *shares
    )


def _learnt_in_columns(
    known: F32,
    belief: F32,
    exposed: F32,
    added: F32,
    others: F32,
    resistance: np.float32,
    learning: np.float32,
    peer: np.float32,
    decay: np.float32,
    change: np.float32,
) -> tuple[F32, F32]:
    resist = np.float32(1.0) - resistance * belief
    gain = learning * exposed * resist * (np.float32(1.0) - known)
    gain += peer * resist * np.maximum(others - added, np.float32(0.0))
    return np.clip(known + gain - decay * added, 0.0, 1.0), belief * (np.float32(1.0) - change * exposed)


@compiled(_learnt_in_columns)
def learnt(known, belief, exposed, added, others, resistance, learning, peer, decay, change):  # type: ignore[no-untyped-def]
    """Knowledge and belief after a year, (n,) each: of exposure, of what was added so far and what neighbours added."""
    none, all_ = np.float32(0.0), np.float32(1.0)
    knows, believes = np.empty(len(known), np.float32), np.empty(len(known), np.float32)
    for i in range(len(known)):
        resist = all_ - resistance * belief[i]
        gain = learning * exposed[i] * resist * (all_ - known[i])
        gain += peer * resist * max(others[i] - added[i], none)
        knows[i] = min(max(known[i] + gain - decay * added[i], none), all_)
        believes[i] = belief[i] * (all_ - change * exposed[i])
    return knows, believes


def exposure(world: World) -> F32:
    """Exposure of each household to counselling in a year, 0..1, (n_households,) float32."""
    settings, homes, state = world.settings, world.households, world.coordination
    understands = state.village_understanding.astype(np.float32)
    effort, _ = cascade.kpm_effort(settings)
    by_kpm = np.float32(settings["caregivers.kpm_channel_share"] * effort) * understands * state.kpm
    by_posyandu = np.float32(settings["caregivers.posyandu_channel_share"]) * understands * world.posyandu_quality
    score = np.negative(world.household_score)
    np.exp(score, out=score)  # NumPy's in either case: its last bit is its own
    campaign = partners.campaign_exposure(world)
    return exposed_to(by_kpm, by_posyandu, field.pkk_exposure(world), homes.village, score, campaign)


def _exposed_to_in_columns(
    by_kpm: F32, by_posyandu: F32, by_pkk: F32, village: NDArray[np.integer], away: F32, campaign: F32
) -> F32:
    one = np.float32(1.0)
    comes = one / (one + away)
    exposed = one - (one - by_kpm[village]) * (one - by_posyandu[village] * comes)
    found: F32 = one - (one - exposed) * (one - by_pkk[village]) * (one - campaign)
    return found


@compiled(_exposed_to_in_columns)
def exposed_to(by_kpm, by_posyandu, by_pkk, village, away, campaign):  # type: ignore[no-untyped-def]
    """Exposure of each household, (n,): by who works in its village, (n_villages,) each, by the odds of staying away
    from posyandu, (n,), and by the campaign, (n,).
    """
    one, found = np.float32(1.0), np.empty(len(village), np.float32)
    for i in range(len(village)):
        here = village[i]
        comes = one / (one + away[i])
        exposed = one - (one - by_kpm[here]) * (one - by_posyandu[here] * comes)
        found[i] = one - (one - exposed) * (one - by_pkk[here]) * (one - campaign[i])
    return found


def _neighbours_in_columns(value: F32, group: NDArray[np.integer]) -> F32:
    total = np.bincount(group, weights=value)
    count = np.maximum(np.bincount(group), 1)
    mean: F32 = (total / count).astype(np.float32)[group]
    return mean


@compiled(_neighbours_in_columns)
def neighbours(value, group):  # type: ignore[no-untyped-def]
    """Mean of a column over each household's dasawisma group, (n_households,) float32."""
    n = 0
    for i in range(len(group)):
        n = max(n, group[i] + 1)
    total, count = np.zeros(n), np.zeros(n, np.int64)
    for i in range(len(group)):
        total[group[i]] += value[i]
        count[group[i]] += 1
    found = np.empty(len(group), np.float32)
    for i in range(len(group)):
        found[i] = total[group[i]] / count[group[i]]
    return found
