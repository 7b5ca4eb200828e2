"""What closing the gaps of socialization, data and timing changes: tables and a manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from konvergensi.results.base import Result

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

# what every table says of itself, as `DataFrame.attrs`
LABELS = ("version", "district", "start", "end", "seeds", "draws", "population_share", "synthetic_inputs", "intervals")
RANKING = ["measure", "structure", "choice", "draws", "gap", "mean", "first_share"]
MEASURES = ("prevalence", "protected_in_time", "complete_package_share")
GOOD = {"prevalence": -1, "protected_in_time": 1, "complete_package_share": 1}  # sign of a change for the better
RANGES = ["measure", "parameter", "low", "value", "high", "at_low", "at_value", "at_high", "span"]


@dataclass(repr=False, eq=False)
class Gaps(Result):
    """What closing the gaps changes in the last whole calendar year.

    values: closed, scenario, measure, seed, draw, value; in draw 0 every parameter is as it is. Prevalence and complete
    package are shares, children protected in time those of the whole district.
    differences: closed, measure, value, difference to the baseline, and its intervals: chance_low, chance_high (t
    interval over seeds, NaN with one seed), assumed_low, assumed_high (where a further draw with
    a seed of its own is expected, NaN with fewer than two draws).
    shapley: measure, part, value, intervals; parts are the gaps, which sum to `total`, and `interaction`, the total
    less what each gap brings alone.
    ranges: measure, parameter, low, value, high, at_low, at_value, at_high, span: the difference with all gaps closed
    when one rate stands at an end of its range; first seed; widest first.
    ranking: measure, structure, choice, draws, gap, mean, first_share: over the draws in which a structure made this
    choice (`all`: over all of them) the mean Shapley share of a gap and how often it brings most; empty where no
    structure is drawn.
    money: closed, year, source, budgeted_rp, spent_rp: whole district, mean over seeds. budgeted_rp: of services,
    and of the coordination that is paid in their place; spent_rp: on services.
    """

    kind: ClassVar[str] = "gaps"
    labels: ClassVar[tuple[str, ...]] = LABELS
    values: pd.DataFrame
    differences: pd.DataFrame
    shapley: pd.DataFrame
    ranges: pd.DataFrame
    money: pd.DataFrame
    manifest: dict[str, Any]
    lang: Lang = "en"
    ranking: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=RANKING))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file; `ranges` and `ranking` only when they were run."""
        names = ("gaps", "differences", "shapley", "ranges", "money", "ranking")
        own = (self.values, self.differences, self.shapley, self.ranges, self.money, self.ranking)
        named = dict(zip(names, own))
        return {name: table for name, table in named.items() if len(table)}

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Gaps:
        """The result that these parts were saved from. Raises KeyError when a part is missing."""
        ranges = tables.get("ranges", pd.DataFrame(columns=RANGES))
        ranking = tables.get("ranking", pd.DataFrame(columns=RANKING))
        values, differences, shapley, money = (tables[name] for name in ("gaps", "differences", "shapley", "money"))
        return cls(values, differences, shapley, ranges, money, manifest, ranking=ranking)

    def budgets_differ_by(self) -> float:
        """Largest relative difference of a source's yearly budget between the eight sets; 0 where money is equal."""
        wide = self.money.pivot(index=["year", "source"], columns="closed", values="budgeted_rp")
        wide = wide[wide.max(axis=1) > 0]
        return float(((wide.max(axis=1) - wide.min(axis=1)) / wide.max(axis=1)).max()) if len(wide) else 0.0
