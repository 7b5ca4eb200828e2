"""Socialization below the district: to kecamatan, to villages (lokus first, or all), and what villages do with it.

A round reaches villages that are included and not too remote; a team (TPPS) that exists only by decree passes little
on. Villages that understand fetch by-name lists and argue for their own money. Parameters: cascade.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import field, shocks
from konvergensi.mechanisms.calendar import is_meeting_month

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.coordination import Column, Flags
    from konvergensi.world.state import World


def go_down(world: World) -> None:
    """The month's round of socialization below the district, if there is one, and what fades (in place)."""
    settings, state = world.settings, world.coordination
    keep, active = settings["cascade.decay_share"], settings["cascade.active_decay_share"]
    state.kecamatan_understanding *= 1.0 - keep * np.where(state.tpps_kecamatan, active, 1.0)
    state.village_understanding *= 1.0 - keep * np.where(state.tpps_desa, active, 1.0)
    if not is_meeting_month(settings["cascade.meetings_per_year"], world.month):
        return
    held = world.draws.uniform("round held", world.month, state.kecamatan_keys)
    held = held < shocks.in_force(settings, "meeting_open_share")
    said = district_message(world)
    learns = settings["cascade.learning_share"]
    passes = np.where(state.tpps_kecamatan, 1.0, settings["cascade.inactive_team_share"])
    more = np.maximum(said - state.kecamatan_understanding, 0.0)
    state.kecamatan_understanding += held * learns * passes * more
    # lokus villages are spoken to by the district itself, the others by their kecamatan
    teacher = state.kecamatan_understanding[state.village_kecamatan]
    teacher = np.where(state.lokus, np.maximum(teacher, said), teacher)
    reached = reach(world) & held[state.village_kecamatan]
    passes = np.where(state.tpps_desa, 1.0, settings["cascade.inactive_team_share"])
    more = np.maximum(teacher - state.village_understanding, 0.0)
    state.village_understanding += reached * learns * passes * more


def reach(world: World) -> Flags:
    """Villages that this month's round includes and that the terrain lets it reach, (n_villages,)."""
    state, settings = world.coordination, world.settings
    draw = world.draws.uniform("terrain", world.month, state.village_keys)
    reachable = draw >= settings["cascade.remoteness_share"] * state.remoteness
    return (state.included(settings) | field.invited(world)) & reachable


def district_message(world: World) -> float:
    """What the district has to say: what its coordinating and leading agencies understand, on average, 0..1."""
    leading = [opd.known for opd in world.opds if opd.leads]
    return float(np.mean(leading)) if leading else 0.0


def coach(world: World, effect: float) -> None:
    """Aksi 5: villages with a KPM are coached, if they are included (in place)."""
    state, settings = world.coordination, world.settings
    share = effect * settings["cascade.coaching_share"] * (state.kpm & state.included(settings))
    state.village_understanding += share * (1.0 - state.village_understanding)


def holds_list(world: World, effect: float) -> Flags:
    """Villages that hold the by-name list after Aksi 5: it was brought to them, or they fetched it; (n_villages,)."""
    settings = world.settings
    brought = effect * settings["registers.by_name_village_share"]
    fetched = settings["cascade.list_fetch_share"] * world.coordination.village_understanding
    return world.village_list_draw < brought + (1.0 - brought) * fetched


def kpm_effort(settings: Settings) -> tuple[float, float]:
    """Effort of a KPM for families, and what an incentive adds to reporting; shares of full effort."""
    paid = min(settings["cascade.kpm_incentive_rp"] / settings["cascade.kpm_full_incentive_rp"], 1.0)
    unpaid = settings["cascade.kpm_unpaid_share"]
    reporting = settings["cascade.kpm_reporting_share"]
    return float(unpaid + (1.0 - unpaid) * paid * (1.0 - reporting)), float(paid * reporting)


def entry_share(world: World) -> Column:
    """Share of posyandu results entered in e-PPGBM by village, (n_villages,): paid KPM complete part of the rest."""
    base = world.settings["measurement.eppgbm_entry_share"]
    _, reporting = kpm_effort(world.settings)
    completed = world.settings["cascade.kpm_entry_share"] * reporting * world.coordination.kpm
    entered: Column = base + (1.0 - base) * completed
    return entered


def village_voice(world: World) -> float:
    """How far villages argue for stunting in their own budget: what they understand, weighted by families, 0..1."""
    state = world.coordination
    return float(np.average(state.village_understanding, weights=state.families))
