"""Places: which villages a programme may serve, and whether lokus villages come first. Parameters: budget.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import partners
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.world.households import Mask
    from konvergensi.world.state import World

FOLLOW_LOKUS = {source: f"budget.{source}_follow_lokus" for source in ("apbn", "dak", "apbd")}


def open_villages(world: World, programme_row: int) -> Mask | None:
    """Villages the programme may serve, (n_villages,) bool; None for all of them.

    Companies and donors choose where they give (partners.py).
    `lokus`: lokus villages only; `central`: where the centre placed it, which may miss them.
    """
    location = world.programmes.location[programme_row]
    if location == "all":
        gives = SOURCES[world.programmes.source[programme_row]] == "csr"
        return partners.giving_villages(world) if gives else None
    key = ("open", programme_row)
    if key not in world.derived:
        open_ = world.lokus.copy()
        if location == "central":
            year = world.month // 12  # the centre draws up its list of places each year
            draw = world.draws.uniform(f"place {world.programmes.id[programme_row]}", year, world.village_keys)
            match = world.settings["budget.apbn_location_match_share"]
            open_ = draw < np.where(world.lokus, match, world.settings["budget.apbn_location_share"])
            if lokus_first(world, programme_row):
                open_ |= world.lokus
        world.derived[key] = open_
    found: Mask = world.derived[key]
    return found


def new_year(world: World) -> None:
    """The centre draws up its list of places again."""
    for key in [key for key in world.derived if isinstance(key, tuple) and key[0] == "open"]:
        del world.derived[key]


def lokus_first(world: World, programme_row: int) -> bool:
    """Whether the money of programme p serves lokus villages before the others."""
    source = SOURCES[world.programmes.source[programme_row]]
    return source in FOLLOW_LOKUS and bool(world.settings[FOLLOW_LOKUS[source]])
