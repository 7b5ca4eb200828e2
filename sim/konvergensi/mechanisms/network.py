"""The coordination network at work: ties strengthen where agencies meet, plan together and use one list, and decay.

Also what ties and decree do to an agency: how strongly the coordinator pulls it, and what dependence does to its ego.
Measures of the network: observe/network.py. Parameters: network.toml.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.agents import Opd
    from konvergensi.world.coordination import Column, Flags
    from konvergensi.world.state import World


def begin(world: World) -> None:
    """Coordination as it is when agencies begin to move: after the burn-in, under the scenario (in place)."""
    world.coordination.begin(world.settings, world.opds, world.draws)
    world.coordination.aware = awareness(world.coordination.ties, world.opds)


def pull(opd: Opd, settings: Settings) -> float:
    """How strongly the coordinator can hold this agency to an agreement, 0..1: weak where it is unclear who leads."""
    unclear = (1.0 - settings["network.lead_clarity_share"]) * (1.0 - opd.known)
    return float(settings["network.coordinator_strength"] * (1.0 - unclear))


def effective_ego(world: World, i: int) -> float:
    """Sectoral ego of agency i after what its dependence on the others takes away, 0..1."""
    depends = float(world.coordination.aware[i])
    return float(world.opds[i].ego * (1.0 - world.settings["network.interdependence"] * depends))


def tie_meeting(world: World, again: Flags) -> None:
    """Those who met are tied more strongly; where the same persons meet again, also informally (in place)."""
    state, settings = world.coordination, world.settings
    _strengthen(state.ties["formal"], state.came, settings["network.tie_gain_share"])
    _strengthen(state.ties["informal"], again, settings["network.informal_gain_share"])


def tie_plans(world: World, quality: float) -> None:
    """Agencies whose plans are in the joint plan are tied more strongly (in place)."""
    included = np.array([opd.in_plan for opd in world.opds])
    _strengthen(world.coordination.ties["formal"], included, quality * world.settings["network.plan_gain_share"])


def move_ties(world: World) -> None:
    """The month's decay, and the tie between agencies that work from the same list (in place)."""
    ties, settings = world.coordination.ties, world.settings
    ties["formal"] *= 1.0 - settings["network.decay_share"]
    ties["informal"] *= 1.0 - settings["network.informal_decay_share"]
    one_list = same_list(world)
    data = ties["data"]
    data += one_list * (settings["network.data_gain_share"] * (1.0 - data))
    data *= np.where(one_list, 1.0, 1.0 - settings["network.decay_share"])
    world.coordination.aware = awareness(ties, world.opds)


def awareness(ties: dict[str, Column], opds: Sequence[Opd]) -> Column:
    """How much each agency has to do with those that run a programme or lead: mean strongest tie, 0..1, (n_opd,)."""
    others, many = _others(partners(opds))
    mean: Column = np.add.reduce(functools.reduce(np.maximum, ties.values()) * others, axis=1) / many
    return mean


def partners(opds: Sequence[Opd]) -> tuple[bool, ...]:
    """Which agencies run a programme or lead."""
    return tuple([opd.has_programme or opd.leads for opd in opds])


@functools.lru_cache(maxsize=64)
def _others(partners: tuple[bool, ...]) -> tuple[Flags, Column]:
    """Of each agency, the others that are partners, (n_opd, n_opd), and how many they are, at least 1, (n_opd,)."""
    others: Flags = np.array(partners, bool)[None, :] & ~np.eye(len(partners), dtype=bool)
    return others, np.maximum(others.sum(axis=1), 1)


def same_list(world: World) -> Flags:
    """Pairs of agencies that use the same register, or the joined list, (n_opd, n_opd)."""
    registers = tuple(opd.register for opd in world.opds)
    of, same = world.derived.get("same register", (None, None))
    if of != registers:
        lists = np.array([name if name not in ("none", "own") else "" for name in registers])
        same = (lists[:, None] == lists[None, :]) & (lists != "")[:, None]
        np.fill_diagonal(same, False)
        world.derived["same register"] = (registers, same)
    found: Flags = same
    if world.linked:
        joined = np.array([opd.shares_joined_list for opd in world.opds], bool)
        found = found | (joined[:, None] & joined[None, :])
        np.fill_diagonal(found, False)
    return found


def _strengthen(tie: Column, among: Flags, share: float) -> None:
    both = among[:, None] & among[None, :]
    np.fill_diagonal(both, False)
    tie += np.where(both, share * (1.0 - tie), 0.0)
