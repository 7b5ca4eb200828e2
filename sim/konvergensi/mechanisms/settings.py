"""Settings in force: what a dated change means for agencies, villages and what was derived from the old values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from konvergensi.mechanisms import goals

if TYPE_CHECKING:
    from collections.abc import Collection

    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.state import World


def change(world: World, settings: Settings, dated: Collection[str] = ()) -> None:
    """Put changed settings in force; what was derived from the old ones is derived again when asked for.

    Parameters: dated, keys whose value is written for this very month, if only as it was: an agency that has moved
    on from there is put back.
    """
    before, world.settings = world.settings, settings
    _tell_agencies(world, before, dated)
    world.derived.clear()


def settle_agencies(world: World) -> None:
    """Agencies as the settings at the start have them."""
    _tell_agencies(world, None)


def _tell_agencies(world: World, before: Settings | None, dated: Collection[str] = ()) -> None:
    for i, opd in enumerate(world.opds):
        fixed_draws = {name: float(values[i]) for name, values in world.fixed_draws.items()}
        opd.take_settings(world.settings, before, fixed_draws, dated)
    world.coordination.take_settings(world.settings)
    goals.share_lists(world)
