"""Partners: campaigns of Diskominfo, universities in monitoring, companies and donors who decide where they give.

A campaign is exposure to a message, less than a visit. Universities help with the analysis and the review. Companies
choose the villages they give to: easy to reach by themselves, lokus when asked. Parameters: partners.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.households import F32, Mask
    from konvergensi.world.state import World

HELPED = ("analysis", "review")  # actions that universities help with


def campaign_exposure(world: World) -> F32:
    """Exposure to counselling that the year's campaign gives each household, (n_households,)."""
    share = world.settings["partners.campaign_share"]
    drawn = world.draws.uniform("campaign", world.month // 12, world.households.key)
    found: F32 = ((drawn < share) * np.float32(world.settings["partners.campaign_channel_share"])).astype(np.float32)
    return found


def help_with(action: str, settings: Settings) -> float:
    """Share of the gap to a well done action that universities close, 0..1."""
    helped = settings["partners.university_share"] * settings["partners.university_weight"]
    return float(helped) if action in HELPED else 0.0


def giving_villages(world: World) -> Mask | None:
    """Villages in which companies and donors give, (n_villages,); None for all of them."""
    rule = world.settings["partners.giving_places"]
    if rule == "all":
        return None
    if rule == "lokus":
        return world.lokus
    if "near villages" not in world.derived:
        share, remoteness = world.settings["partners.near_share"], world.coordination.remoteness
        world.derived["near villages"] = remoteness <= np.quantile(remoteness, share)
    near: Mask = world.derived["near villages"]
    return near
