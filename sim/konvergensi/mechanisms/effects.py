"""Effects: what a month of taking a service up adds to a child, as its agency delivers it, and how services combine.

Both follow from the settings and from what agencies understand; they are worked out when asked for and kept in
`World.derived` until either changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import growth

if TYPE_CHECKING:
    from konvergensi.world.households import F32
    from konvergensi.world.state import World


def monthly(world: World, s: int, p: int) -> F32:
    """z (or g of birth weight) per month of taking up service s from programme p, by age, (69,) float32."""
    key = ("effect", s, p)
    if key not in world.derived:
        service = world.services[s]
        full = growth.monthly_shift(service, world.settings[f"services.{service.id}.effect"], world.settings)
        quality = 1.0
        if not service.place.in_money:  # money is money; everything else can be done well or badly
            quality = world.opds[world.programmes.opd[p]].quality(world.settings)
        world.derived[key] = full * np.float32(quality * world.settings["uptake.adherence_share"])
    found: F32 = world.derived[key]
    return found


def forget_quality(world: World) -> None:
    """What agencies deliver follows what they understand now: effects are worked out again."""
    for key in [key for key in world.derived if isinstance(key, tuple) and key[0] == "effect"]:
        del world.derived[key]


def combination(world: World) -> growth.Combination:
    """How services of one month combine."""
    if "combination" not in world.derived:
        world.derived["combination"] = growth.Combination.of(world.settings)
    found: growth.Combination = world.derived["combination"]
    return found
