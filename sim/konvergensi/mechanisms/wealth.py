"""Wealth: households rise and fall within their village, once a year. Parameters: population.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.world.households import own_wealth_sd, rank_wealth

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.draws import Draws
    from konvergensi.world.households import Households


def move(households: Households, settings: Settings, draws: Draws, month: int) -> None:
    """Once a year, households rise and fall within their village: most of the rank stays (in place)."""
    keep = settings["population.wealth_persistence"]
    fresh = own_wealth_sd(settings) * draws.normal("wealth move", month, households.key)
    own = households.wealth - households.village_wealth
    own = np.float32(keep) * own + np.float32(np.sqrt(1.0 - keep**2)) * fresh
    households.wealth = households.village_wealth + own
    rank_wealth(households, settings["registers.poor_line_share"])
