"""State of villages that deliver: the money they decide on, and whom they brought to services this month.

KPM, team, understanding and by-name list of a village are columns of world/coordination.py and World. What changes this
state: mechanisms/villages.py, mechanisms/village_money.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from konvergensi.world.draws import Draws, Keys

Column = NDArray[np.float64]
ITEMS = ("food", "posyandu", "health-post", "works")  # what villages buy for stunting
DRAWS = ("kpm trained", "kpm scorecard", "village rembuk", "village triggered")


@dataclass(slots=True)
class Villages:
    """Columns over villages, (n_villages,) unless named otherwise; money in rupiah of the simulated share."""

    fixed_draws: dict[str, Column]  # lasting draws: who is trained, keeps the scorecard, holds a council, is triggered
    custom: Column  # (n_items,) share of each of ITEMS in what villages bought at the start
    first_rp: Column  # (n_items,) what all villages together spent a year at the start
    lines_share: Column  # (n_items,) of it, in the lines of programmes
    own_rp: Column  # (n_items,) this year's money of all villages, a grant left out
    money_rp: Column  # (n_items, n_villages) this year's money
    met: NDArray[np.bool_]  # a council on stunting was held in time for next year's money
    item_of: NDArray[np.intp]  # (n_programmes,) index into ITEMS of programmes paid from village funds, -1 for others
    entered: NDArray[np.int64]  # under-fives in e-PPGBM in the last weighing round
    entered_stunted: NDArray[np.int64]  # of them, below -2 as measured
    brought_children: int = 0  # to the posyandu this month, of those simulated
    brought_pregnant: int = 0  # to antenatal care this month, of those simulated

    @classmethod
    def empty(cls, draws: Draws, keys: Keys, item_of: NDArray[np.intp]) -> Villages:
        """Villages without money yet: see `village_money.begin`."""
        n = len(keys)
        return cls(
            fixed_draws={name: draws.uniform(name, 0, keys).astype(float) for name in DRAWS},
            custom=np.zeros(len(ITEMS)),
            first_rp=np.zeros(len(ITEMS)),
            lines_share=np.ones(len(ITEMS)),
            own_rp=np.zeros(len(ITEMS)),
            money_rp=np.zeros((len(ITEMS), n)),
            met=np.zeros(n, bool),
            item_of=item_of,
            entered=np.zeros(n, np.int64),
            entered_stunted=np.zeros(n, np.int64),
        )
