"""The province: it accompanies the district through its Bappeda and Dinkes, if they are not left out, and gives money.

Accompaniment adds to that of the centre (network.pendampingan). Money (APBD Prov) goes on top of the district's own
lines, in proportion to what they lack, in January, and is not copied into next year. Parameters: province.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.state import World


def own_accompaniment(settings: Settings) -> float:
    """What the province's agencies that take part bring, 0..1."""
    weight = settings["province.dinkes_weight"]
    included = weight * settings["province.dinkes_included"] + (1.0 - weight) * settings["province.bappeda_included"]
    return float(settings["province.accompaniment"] * included)


def accompaniment(settings: Settings) -> float:
    """Accompaniment of the district by centre and province together, 0..1."""
    return float(1.0 - (1.0 - settings["network.pendampingan"]) * (1.0 - own_accompaniment(settings)))


def give(world: World) -> float:
    """January: the province's money for the year in the lines of APBD that lack most; Rp given (in place)."""
    book, aid = world.programmes, float(world.settings["province.aid_rp"]) * world.population_share
    lacks = np.where(book.source == SOURCES.index("apbd"), np.maximum(book.need - book.budgeted, 0.0), 0.0)
    total = float(lacks.sum())
    if aid == 0.0 or total == 0.0:
        return 0.0
    book.budgeted += lacks * (aid / total)
    book.planned[:] = np.maximum(book.planned, book.budgeted)
    return aid
