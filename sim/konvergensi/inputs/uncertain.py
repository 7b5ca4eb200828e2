"""What is uncertain in a district: assumptions on how the world works, and nothing decided, dated or fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Parameter


def is_uncertain(parameter: Parameter, place: District) -> bool:
    """Whether a parameter is drawn, and is nothing that the district says of itself."""
    own = parameter.key in place.overrides or any(parameter.key in event.set for event in place.timeline)
    return parameter.drawn and not own
