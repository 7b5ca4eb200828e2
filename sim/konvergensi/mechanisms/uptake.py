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

from konvergensi.base.compiled import compiled
from konvergensi.inputs import service_kinds
from konvergensi.mechanisms import shocks
from konvergensi.mechanisms.contacts import BY_THEMSELVES
from konvergensi.world.children import LAST_AGE, Children, age_of_rows
from konvergensi.world.draws import BLOCK, Draws, Keys
from konvergensi.world.households import F32, Households, Mask

if TYPE_CHECKING:
    from collections.abc import Collection

    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service

KINDS = service_kinds.names("uptake")
WEIGHING_ROUNDS = (2, 8)  # February and August


def set_chances(
    chance: NDArray[np.uint16], households: Households, settings: Settings, rows: Collection[int], common: F32
) -> None:
    """Set chances of taking up each kind of service as offered, then for families that came by themselves (in place).

    Parameters: chance (2 * len(KINDS), n_households), in steps of 1/65,536; rows of it to set, as `row_of` numbers
    them; common (n_households,) what `common_odds` says.
    """
    there = settings["contacts.present_bonus"] if settings["contacts.reach"] == "contacts" else 0.0
    resist = settings["uptake.belief_slope"] * households.belief
    for row in rows:
        kind = KINDS[row % len(KINDS)]
        base = np.float32(settings[f"uptake.{kind}_base"] + (there if row >= len(KINDS) else 0.0))
        weight = np.float32(settings[f"uptake.{kind}_belief_weight"])
        for start in range(0, len(households), BLOCK):
            part = slice(start, start + BLOCK)
            odds = log_odds(base, common[part], weight, resist[part])
            np.exp(odds, out=odds)  # NumPy's in either case: its last bit is its own
            to_chance(chance[row, part], odds)


def _log_odds_in_columns(base: np.float32, common: F32, weight: np.float32, resist: F32) -> F32:
    return base + common - weight * resist


@compiled(_log_odds_in_columns)
def log_odds(base, common, weight, resist):  # type: ignore[no-untyped-def]
    """Log odds of uptake, (n,) float32: of the kind, of the household, less its beliefs."""
    found = np.empty(len(common), np.float32)
    for i in range(len(common)):
        found[i] = base + common[i] - weight * resist[i]
    return found


def _to_chance_in_columns(chance: NDArray[np.uint16], odds: F32) -> None:
    chance[:] = (np.float32(65535.0) * odds / (np.float32(1.0) + odds)).astype(np.uint16)


@compiled(_to_chance_in_columns)
def to_chance(chance, odds):  # type: ignore[no-untyped-def]
    """Set chances, (n,) in steps of 1/65,536, from odds, (n,)."""
    for i in range(len(odds)):
        chance[i] = np.uint16(np.float32(65535.0) * odds[i] / (np.float32(1.0) + odds[i]))


def common_odds(households: Households, settings: Settings) -> F32:
    """Log odds that access, knowledge and trust add to whatever a family does, (n_households,)."""
    found: F32 = (
        settings["uptake.access_slope"] * (households.access - 0.5)
        + settings["uptake.knowledge_slope"] * (households.knowledge - 0.5)
        + settings["uptake.trust_slope"] * (households.trust - 0.5)
    )
    return found


def row_of(service: Service) -> int:
    """Row of the table of chances that counts for a service."""
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
    more = np.zeros(LAST_AGE + 1, np.float32)
    more[:12], more[12:24] = settings["uptake.attendance_infant"], settings["uptake.attendance_toddler"]
    in_round = np.float32(settings["uptake.attendance_round"] if month_of_year in WEIGHING_ROUNDS else 0.0)
    draw = draws.halves("attendance", month, children.key[rows])
    comes: Mask = who_comes(score[rows], more, in_round, *children.by_age(month, rows), draw, _logistic_table())
    open_share = shocks.in_force(settings, "posyandu_open_share")
    if open_share < 1.0:
        is_open = draws.uniform("posyandu open", month, village_keys) < open_share
        comes &= is_open[children.village[rows]]
    return comes


def _who_comes_in_columns(
    score: F32,
    more: F32,
    in_round: np.float32,
    ends: NDArray[np.int64],
    oldest: int,
    draw: NDArray[np.uint16],
    table: F32,
) -> Mask:
    return score + more[age_of_rows(ends, oldest, len(score))] + in_round > table.take(draw)


@compiled(_who_comes_in_columns)
def who_comes(score, more, in_round, ends, oldest, draw, table):  # type: ignore[no-untyped-def]
    """Who comes, (n,): log odds of the family, (n,), age, (60,), and round against a logistic draw, (n,)."""
    found, start = np.empty(len(score), np.bool_), 0
    for each in range(len(ends)):
        rows, by_age = slice(start, ends[each]), more[oldest - each]
        part, own, drawn = found[rows], score[rows], draw[rows]
        for i in range(len(part)):
            part[i] = own[i] + by_age + in_round > table[drawn[i]]
        start = ends[each]
    return found


@functools.cache
def _logistic_table() -> F32:
    """Quantiles of the logistic distribution at 65,536 equal slices: comparing with them needs no exponential."""
    p = (np.arange(65536) + 0.5) / 65536
    return np.log(p / (1.0 - p)).astype(np.float32)
