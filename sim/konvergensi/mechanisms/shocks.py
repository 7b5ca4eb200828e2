"""Dated shocks: what a district's history closes, moves or calls off, and the switch that leaves it out.

The district file dates the values (COVID-19 in 2020 and 2021); `shocks.on = false` runs the same district as if nothing
had happened. Parameters: shocks.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings


def in_force(settings: Settings, name: str) -> Any:
    """Value of `shocks.<name>`, or that of an ordinary month, as shocks.toml has it, where shocks are switched off."""
    return settings[f"shocks.{name}"] if settings["shocks.on"] else settings.parameter(f"shocks.{name}").value
