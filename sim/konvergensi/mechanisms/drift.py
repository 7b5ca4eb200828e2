"""Register drift: under pressure to show a fall, posyandu and health centres enter fewer stunted results year by year.

In January the register's last published figure is held against the one of a year before. If it did not fall as much as
demanded, a further part of the stunted results is kept out from then on, as far as targets and scores press and the
review does not look. The survey does not know of it: the register's share of it falls. Parameters: drift.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from konvergensi.world.state import World

REGISTER = "e-PPGBM"


def press(world: World) -> None:
    """January: keep a further part of the stunted results out where the figure did not fall enough (in place)."""
    settings, state = world.settings, world.coordination
    pressure = float(settings["drift.pressure"])
    figures = [(month, percent) for month, system, percent in state.published if system == REGISTER]
    shown = [(month, percent) for month, percent in figures if month <= world.month and np.isfinite(percent)]
    if not shown or pressure == 0.0:
        return
    before = [percent for month, percent in shown if month <= world.month - 12]
    demanded = (1.0 - settings["drift.demanded_fall_share"]) * (before[-1] if before else np.inf)
    if shown[-1][1] > demanded:
        looks = settings["review.quality"] * state.effect("review", settings)
        step = pressure * settings["drift.step_share"] * (1.0 - looks)
        state.kept_out += step * (1.0 - state.kept_out)


def kept_out(world: World, rewarded: float) -> float:
    """Share of stunted results kept out: by drift so far, and of the rest by a reward for low figures, 0..1."""
    return float(1.0 - (1.0 - world.coordination.kept_out) * (1.0 - rewarded))
