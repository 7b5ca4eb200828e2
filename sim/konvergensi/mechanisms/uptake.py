"""Who takes up what is offered, and who comes to posyandu: access, knowledge, belief and trust.

Offered is not received; received is not adhered to. A household's uptake of a kind of service is a logistic function
of its access, caregiver knowledge, trust and beliefs; whether a child takes up a given service is one lasting draw,
so those who refuse keep refusing until the probability moves past their draw. Parameters: uptake.toml.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.inputs import service_kinds
from konvergensi.mechanisms import shocks
from konvergensi.mechanisms.contacts import BY_THEMSELVES
from konvergensi.world.children import LAST_AGE, Children
from konvergensi.world.draws import Draws, Keys
from konvergensi.world.households import F32, Households, Mask

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service

KINDS = service_kinds.names("uptake")
WEIGHING_ROUNDS = (2, 8)  # February and August


def uptake_chance(households: Households, settings: Settings, bonus: float = 0.0) -> NDArray[np.uint16]:
    """Chance of taking up each kind of service, (len(KINDS), n_households) uint16 in steps of 1/65,536.

    bonus: log odds added to all of them.
    """
    common = common_odds(households, settings)
    resist = settings["uptake.belief_slope"] * households.belief
    chance = np.empty((len(KINDS), len(households)), np.uint16)
    for i, kind in enumerate(KINDS):
        against = settings[f"uptake.{kind}_belief_weight"] * resist
        odds = np.exp(settings[f"uptake.{kind}_base"] + bonus + common - against)
        chance[i] = (65535.0 * odds / (1.0 + odds)).astype(np.uint16)
    return chance


def common_odds(households: Households, settings: Settings) -> F32:
    """Log odds that access, knowledge and trust add to whatever a family does, (n_households,)."""
    found: F32 = (
        settings["uptake.access_slope"] * (households.access - 0.5)
        + settings["uptake.knowledge_slope"] * (households.knowledge - 0.5)
        + settings["uptake.trust_slope"] * (households.trust - 0.5)
    )
    return found


def chances(households: Households, settings: Settings) -> NDArray[np.uint16]:
    """`uptake_chance` as offered, then for families that came by themselves: (2 * len(KINDS), n_households)."""
    there = settings["contacts.present_bonus"] if settings["contacts.reach"] == "contacts" else 0.0
    offered = uptake_chance(households, settings)
    return np.concatenate([offered, uptake_chance(households, settings, there) if there else offered])


def row_of(service: Service) -> int:
    """Row of `chances` that counts for a service."""
    return KINDS.index(service.uptake) + len(KINDS) * (service.contact in BY_THEMSELVES)


def attendance_score(households: Households, settings: Settings, draws: Draws, posyandu_quality: F32) -> F32:
    """Log odds of coming to posyandu in an ordinary month before age counts, (n_households,) float32."""
    return (
        np.float32(settings["uptake.attendance_base"])
        + np.float32(settings["uptake.access_slope"]) * (households.access - 0.5)
        + np.float32(settings["uptake.knowledge_slope"]) * (households.knowledge - 0.5)
        + np.float32(settings["uptake.trust_slope"]) * (households.trust - 0.5)
        + np.float32(settings["uptake.attendance_quality_slope"])
        * (posyandu_quality[households.village] - np.float32(0.5))
        + np.float32(settings["uptake.attendance_frailty"]) * draws.normal("attendance", 0, households.key)
    ).astype(np.float32)


def attend(
    children: Children,
    score: F32,
    settings: Settings,
    draws: Draws,
    village_keys: Keys,
    month: int,
    month_of_year: int,
) -> Mask:
    """Which under-fives are brought to posyandu this month.

    Parameters: score (n_children,) float32, the household's log odds as the child carries them.
    Returns: (n_under_fives,) bool, for the rows of `children.window(month, 0, LAST_AGE)`.
    """
    rows = children.window(month, 0, LAST_AGE)
    threshold = score[rows].copy()
    start = rows.start
    for from_age, to_age, key in ((0, 11, "infant"), (12, 23, "toddler")):
        part = children.window(month, from_age, to_age)
        threshold[part.start - start : part.stop - start] += np.float32(settings[f"uptake.attendance_{key}"])
    if month_of_year in WEIGHING_ROUNDS:
        threshold += np.float32(settings["uptake.attendance_round"])
    luck = draws.halves("attendance", month, children.key[rows])
    comes = threshold > _logistic_table().take(luck)
    open_share = shocks.in_force(settings, "posyandu_open_share")
    if open_share < 1.0:
        is_open = draws.uniform("posyandu open", month, village_keys) < open_share
        comes &= is_open[children.village[rows]]
    return comes


@functools.cache
def _logistic_table() -> F32:
    """Quantiles of the logistic distribution at 65,536 equal slices: comparing with them needs no exponential."""
    p = (np.arange(65536) + 0.5) / 65536
    return np.log(p / (1.0 - p)).astype(np.float32)
