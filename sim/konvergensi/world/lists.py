"""State of lists that travel by name and address: whom agencies found on the list they were last handed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from konvergensi.world.draws import Draws, Keys
from konvergensi.world.households import F32, Mask
from konvergensi.world.registers import NEVER


@dataclass(slots=True)
class HandedLists:
    """Child columns (n_children,) unless named otherwise. `next_*` is being matched and comes into use in `due`."""

    on: Mask  # found by the agencies that were handed the list
    cases: Mask  # of those, recorded as faltering
    false: Mask  # taken for one on it by mistake
    households: Mask  # (n_households,) found, or mistaken, on the family list
    next_on: Mask  # handed out, not yet matched
    next_cases: Mask
    next_false: Mask
    next_households: Mask  # (n_households,)
    match_draw: F32  # fixed draw: whether its name and address can be matched
    opd_draw: F32  # (n_opd,) fixed draw: which agencies are handed the list
    due: int = NEVER  # month in which the list that was handed out comes into use
    in_use: bool = False  # a list has been matched at least once

    @classmethod
    def empty(cls, draws: Draws, children: Keys, households: Keys, opds: Keys) -> HandedLists:
        """Lists that hold nobody yet."""
        child = [np.zeros(len(children), bool) for _ in range(6)]
        home = [np.zeros(len(households), bool) for _ in range(2)]
        return cls(
            on=child[0],
            cases=child[1],
            false=child[2],
            households=home[0],
            next_on=child[3],
            next_cases=child[4],
            next_false=child[5],
            next_households=home[1],
            match_draw=draws.uniform("name match", 0, children),
            opd_draw=draws.uniform("handed list", 0, opds),
        )
