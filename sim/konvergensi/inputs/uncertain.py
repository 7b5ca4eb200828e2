"""What is uncertain in a district: assumptions on how the world works, and nothing decided, dated or fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from konvergensi.inputs.parameters import load_parameters

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Parameter

# what counts only under another structure than the one in force: room -> the choice that uses it
STRUCTURE_OF = {
    "contacts": ("contacts.reach", "contacts"),
    "effects": ("effects.reading", "published"),
}


def is_uncertain(parameter: Parameter, place: District) -> bool:
    """Whether a parameter is drawn, counts under the rules in force, and is nothing the district says of itself."""
    room = parameter.key.partition(".")[0]
    if room in STRUCTURE_OF and load_parameters()[STRUCTURE_OF[room][0]].value != STRUCTURE_OF[room][1]:
        return False
    own = parameter.key in place.overrides or any(parameter.key in event.set for event in place.timeline)
    return parameter.drawn and not own
