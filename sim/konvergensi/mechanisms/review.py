"""Review and learning: what the district learns from what was published, late and biased, and what scores do to it.

Leaders look at the last published survey and the last published e-PPGBM figure, never at the truth. A figure above the
target raises their attention, one below it lets them rest. Where a low e-PPGBM figure pays, stunted results stay out of
the register unless the review looks. Parameters: review.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from konvergensi.world.state import World


def published_percent(world: World) -> float:
    """Prevalence as the published figures have it, percent: survey and register, weighted; NaN without any."""
    last: dict[bool, tuple[int, float]] = {}
    for month, system, percent in world.coordination.published:
        routine = system == "e-PPGBM"
        if month <= world.month and np.isfinite(percent) and month >= last.get(routine, (0, 0.0))[0]:
            last[routine] = (month, percent)
    weight = world.settings["review.survey_weight_share"]
    if len(last) == 2:
        return weight * last[False][1] + (1.0 - weight) * last[True][1]
    return next((percent for _, percent in last.values()), float("nan"))


def learn(world: World, effect: float) -> None:
    """Aksi 8: attention moves with the distance of the published figures from the target (in place)."""
    settings, state = world.settings, world.coordination
    seen = published_percent(world)
    if not settings["review.on"] or not np.isfinite(seen):
        return
    target = settings["review.target_percent"]
    due = settings["review.attention_share"] * float(np.clip((seen - target) / target, -1.0, 1.0))
    state.attention += settings["review.quality"] * effect * (due - state.attention)


def fade(world: World) -> None:
    """Attention fades (in place)."""
    world.coordination.attention *= 1.0 - world.settings["review.attention_decay_share"]


def kept_out_share(world: World) -> float:
    """Share of stunted results kept out of e-PPGBM because a low figure is rewarded and the review does not look."""
    settings = world.settings
    looks = settings["review.quality"] * world.coordination.effect("review", settings)
    return float(settings["review.score_reward"] * settings["review.gaming_entry_share"] * (1.0 - looks))
