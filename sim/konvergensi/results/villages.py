"""Which villages first: a list by kecamatan, or, where villages are made up, the rule and how many it would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from konvergensi.results.base import Result

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

REASONS = ("poor", "remote", "weak_posyandu", "large", "low_reach", "not_lokus")
COLUMNS = {
    "villages": [
        "rank", "kecamatan", "village", "need", "need_low", "need_high", "reach", "reach_low", "reach_high",
        "first_share", "lokus", "reasons",
    ],
    "kecamatan": ["kecamatan", "villages", "need", "reach", "first"],
    "rule": ["reason", "villages", "need", "need_share"],
    "cover": ["need_share", "villages", "villages_low", "villages_high"],
}  # fmt: skip


@dataclass(repr=False, eq=False)
class VillageList(Result):
    """Villages in the order of their stunted under-fives, over runs that differ by chance. Counts are of the district.

    villages: need (stunted under-fives) and reach (households in the first 1,000 days with the complete package, of
    those expected to have it, 0 to 1), each with the lowest and highest of the runs; first_share, in which share of the
    runs it is among the first `first` (manifest); reasons, from its own data. kecamatan: the same added up.
    rule: for each reason the villages that have it, their need, its share of all. cover: how many villages hold a share
    of all need, mean, lowest and highest of the runs.
    Where any of the villages' size, poverty, remoteness or posyandu is made up, villages and kecamatan are empty: a
    ranking by name would be one of invented numbers.
    """

    kind: ClassVar[str] = "villages"
    labels: ClassVar[tuple[str, ...]] = ("version", "district", "policy", "start", "end", "population_share",
                                         "synthetic_inputs")  # fmt: skip
    manifest: dict[str, Any]
    villages: pd.DataFrame
    kecamatan: pd.DataFrame
    rule: pd.DataFrame
    cover: pd.DataFrame
    lang: Lang = "en"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {name: getattr(self, name) for name in COLUMNS}

    @property
    def is_drawn(self) -> bool:
        """Whether the villages are made up, so that none is named."""
        return bool(self.manifest["drawn"])
