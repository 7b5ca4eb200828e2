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
from konvergensi.world.children import LAST_AGE, Children
from konvergensi.world.draws import Draws, Keys
from konvergensi.world.households import F32, Households, Mask

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings

KINDS = service_kinds.names("uptake")
WEIGHING_ROUNDS = (2, 8)  # February and August


def uptake_chance(households: Households, settings: Settings) -> NDArray[np.uint16]:
    """Chance of taking up each kind of service, (len(KINDS), n_households) uint16 in steps of 1/65,536."""
    common = (
        settings["uptake.access_slope"] * (households.access - 0.5)
        + settings["uptake.knowledge_slope"] * (households.knowledge - 0.5)
        + settings["uptake.trust_slope"] * (households.trust - 0.5)
    )
    resist = settings["uptake.belief_slope"] * households.belief
    chance = np.empty((len(KINDS), len(households)), np.uint16)
    for i, kind in enumerate(KINDS):
        against = settings[f"uptake.{kind}_belief_weight"] * resist
        odds = np.exp(settings[f"uptake.{kind}_base"] + common - against)
        chance[i] = (65535.0 * odds / (1.0 + odds)).astype(np.uint16)
    return chance


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
    luck = draws.bits("attendance", month, children.key[rows]) >> np.uint32(16)
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
