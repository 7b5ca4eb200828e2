"""What to buy with a sum of money: rupiah by line, what they bring, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from konvergensi.results.base import Result

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

LABELS = ("version", "district", "since", "until", "at", "draws", "seeds", "population_share", "synthetic_inputs",
          "intervals")  # fmt: skip
COLUMNS = {
    "allocation": ["agency", "service", "source", "rp", "gain", "low", "high", "rank_low", "rank_high"],
    "marginal": ["agency", "service", "source", "now_rp", "most_rp", "least_rp", "rp", "gain", "low", "high",
    "per_billion",
                 "per_billion_low", "per_billion_high", "first_share"],
    "front": ["rp", "gain", "low", "high"],
    "cautions": ["caution", "agency", "service", "source", "rp"],
    "checked": ["what", "rp", "gain", "low", "high"],
    "structures": ["structure", "choice", "draws", "first", "second", "first_per_billion"],
    "information": ["parameter", "value", "chance", "value_rp", "points"],
    "tries": ["draw", "seed", "agency", "service", "source", "rp", "gain", "spent_rp"],
}  # fmt: skip


@dataclass(repr=False, eq=False)
class Allocation(Result):
    """What to buy. Rupiah are those of a year of the whole district; below 0 less.

    Gains are in the unit of the objective (manifest: `unit`): stunted children averted, the same weighted by wealth,
    or children protected in time, among those born or under 24 months while the money acts, in the month `at`.
    Intervals: 95 %, of means over draws and seeds.
    allocation: agency, service, source, rp, what these rupiah bring (gain, low, high), and the range of ranks of the
    line by gain a rupiah (rank_low best; over resamples of draws and seeds). Best rank first.
    marginal: of each line the smaller amount that was tried, what it brings, per billion rupiah, and in which share of
    the resamples the line is first; now_rp, most_rp, least_rp: what it has, can take, can give up.
    front: the most that each tenth of the money brings, or the least that it costs where it is less.
    cautions: the allocation by each caution. checked: the allocation simulated once more, with other seeds, and the
    money divided as lines are now.
    structures: the first two lines in the draws with each choice of each rule. information: what knowing a parameter
    before deciding is worth, in the objective's unit (value), what chance alone would show (chance), in rupiah, and in
    points of prevalence among the children counted. tries: every try.
    """

    kind: ClassVar[str] = "allocation"
    labels: ClassVar[tuple[str, ...]] = LABELS
    allocation: pd.DataFrame
    marginal: pd.DataFrame
    front: pd.DataFrame
    cautions: pd.DataFrame
    checked: pd.DataFrame
    structures: pd.DataFrame
    information: pd.DataFrame
    tries: pd.DataFrame
    manifest: dict[str, Any]
    lang: Lang = "en"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {name: getattr(self, name) for name in COLUMNS}
