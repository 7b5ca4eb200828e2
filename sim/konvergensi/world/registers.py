"""Registers and target lists as columns: who is known to whom, and who stands on the list in use.

Known means that the register holds the household or child now; listed means it stood on the target list when that
list was last drawn up. The gap between the two is staleness: newborns wait for the next refresh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from konvergensi.world.draws import Draws, Keys
from konvergensi.world.households import F32, Mask

NEVER = 1_000_000  # a month that does not come


@dataclass(slots=True)
class Registers:
    """Child columns (n_children,) unless named otherwise; row i is child i."""

    cohort_month: NDArray[np.int32]  # month the pregnancy enters the midwife's cohort book
    nik_month: NDArray[np.int32]  # month the child gets an identity number
    recorded_kek: Mask
    last_entry: NDArray[np.int32]  # month of the last weighing entered into e-PPGBM
    recorded_faltering: Mask  # by the last weighing that was entered
    known_krs: Mask  # the family is on the register
    known_dtks: Mask
    on_eppgbm: Mask  # on the list as last drawn up
    on_krs: Mask
    on_dtks: Mask
    on_joined: Mask  # on the list made by linkage
    false_match: Mask  # on it by a false match
    link_draw: F32  # fixed draw for a child's records in linkage
    krs_misread: Mask  # (n_households,) the family census took down its state wrongly
    krs_poor: Mask  # (n_households,) KRS records the family as poor
    joined_households: Mask  # (n_households,) on the joined list

    @classmethod
    def empty(cls, draws: Draws, child_keys: Keys, n_households: int) -> Registers:
        """Registers that know nobody yet."""
        n = len(child_keys)

        def none() -> Mask:
            return np.zeros(n, bool)

        return cls(
            cohort_month=np.full(n, NEVER, np.int32),
            nik_month=np.full(n, NEVER, np.int32),
            recorded_kek=none(),
            last_entry=np.full(n, -NEVER, np.int32),
            recorded_faltering=none(),
            known_krs=none(),
            known_dtks=none(),
            on_eppgbm=none(),
            on_krs=none(),
            on_dtks=none(),
            on_joined=none(),
            false_match=none(),
            link_draw=draws.uniform("linkage", 0, child_keys),
            krs_misread=np.zeros(n_households, bool),
            krs_poor=np.zeros(n_households, bool),
            joined_households=np.zeros(n_households, bool),
        )
