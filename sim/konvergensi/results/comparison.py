"""What a comparison of scenarios found: tables, a manifest, and one run of each scenario in full.

A run is scenario, draw and seed. Draw 0 has every parameter as it is; draws 1, 2, ... are samples of the uncertain
ones. The tables speak of draws 1, 2, ... times seeds, or, when there are no draws, of draw 0 times seeds. The first
scenario is the reference; differences are paired: scenario less reference in the same draw and seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import pandas as pd

from konvergensi.model.outcome import DIRECTIONS, MONEY_STAGES
from konvergensi.results.base import Result
from konvergensi.results.run import Run

MEASURES = DIRECTIONS  # of a comparison: all of them
# what a measure cannot leave; an interval around a mean is cut there
BOUNDS = {"prevalence": (0.0, 100.0), "complete_package_share": (0.0, 1.0), "integration_index": (0.0, 1.0)}
STAGES = MONEY_STAGES
COLUMNS = {
    "comparison": [
        "policy", "measure", "month", "mean", "low", "high", "difference", "diff_low", "diff_high", "p_best",
        "p_best_low", "p_best_high",
    ],
    "runs": ["policy", "draw", "seed", "measure", "month", "value"],
    "targets": ["policy", "target_percent", "month", "probability", "runs"],
    "variance": ["policy", "measure", "share_parameters", "share_chance"],
    "pairs": ["policy_a", "policy_b", "measure", "difference", "low", "high", "decided", "more_runs", "more_of"],
    "costs": ["policy", "draw", "seed", "source", "stage", "amount_rp"],
    "cost_effect": ["policy", "draw", "seed", "d_cost_rp", "d_cases", "d_protected", "d_transfer_rp"],
    "groups": ["policy", "group", "mean", "difference", "diff_low", "diff_high"],
    "villages": ["policy", "village", "kecamatan", "x", "y", "lokus", "prevalence", "difference"],
    "parameter_draws": ["draw", "parameter", "value"],
    "settled": ["draw", "seed", "parameter", "value"],
    "information": ["parameter", "value", "chance", "value_rp", "points"],
}  # fmt: skip
# what every table says of itself, as `DataFrame.attrs`
LABELS = (
    "version", "district", "policies", "start", "end", "draws", "seeds", "population_share", "synthetic_inputs",
    "intervals",
)  # fmt: skip
DETAILS = "details"  # the folder of the runs in full, one folder for each scenario


@dataclass(repr=False, eq=False)
class Comparison(Result):
    """Scenarios compared in one district. Money and counts are those of the whole district.

    comparison: by scenario, measure, month; mean with 95 % interval (cut at what the measure can be), difference to the
    first scenario with 95 % interval, p_best (share of runs in which no other scenario is better; ties are split; NaN
    where no direction is better; p_best_low, p_best_high: its own 95 % interval). Months: all for prevalence, for the
    others each December and the last.
    runs: the value behind it, one row for each run, measure and month.
    targets: probability that true prevalence is at most target_percent in that month; NaN, with runs 0, where the
    month lies outside the span.
    variance: shares of the variance of the difference to the first scenario (for the first: of its level), last month,
    that come from parameters and from chance; NaN without draws or with one seed.
    pairs: difference b less a in the last month; decided: its interval excludes 0, which runs without
    spread never do; more_runs, more_of: how many more runs of each would decide it, and whether of more draws or more
    seeds, whichever is cheaper (NaN and "" where decided or hopeless).
    costs: Rp over the run by source and stage (planned, budgeted, released, spent).
    cost_effect: difference to the first scenario in money spent (KPM incentives included), in stunted children averted
    in the last month, and in children protected in time over the run; d_transfer_rp: what of that money went to
    families as cash or food vouchers.
    groups: prevalence, percent, last month, by lokus, wealth fifth and age band.
    villages: prevalence, percent, mean over runs, at the end of the last year.
    details: scenario -> its run with draw 0 and seed 1; money and counts there are those of the simulated share.
    parameter_draws: what each draw says of each uncertain parameter; level and rise as solved with seed 1.
    settled: what else was set in each run, as text: the rules its draw chose, level and rise as solved with its seed.
    With both a run can be made again.
    information: what knowing a parameter before choosing is worth (EVPPI), in stunted children fewer (value), in rupiah
    at what one costs under the leading policy (value_rp, NaN where not known) and in points of prevalence; chance: the
    largest that so many parameters would show by chance. Events are no choice. NaN with fewer than 16 draws.
    """

    kind: ClassVar[str] = "comparison"
    labels: ClassVar[tuple[str, ...]] = LABELS
    manifest: dict[str, Any]
    comparison: pd.DataFrame
    runs: pd.DataFrame
    targets: pd.DataFrame
    variance: pd.DataFrame
    pairs: pd.DataFrame
    costs: pd.DataFrame
    cost_effect: pd.DataFrame
    groups: pd.DataFrame
    villages: pd.DataFrame
    details: dict[str, Run]
    parameter_draws: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS["parameter_draws"]))
    settled: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS["settled"]))
    information: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS["information"]))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name in COLUMNS}

    def saved_tables(self) -> dict[str, pd.DataFrame]:
        """The tables, and those of the runs in full below details/<scenario>/."""
        inside = {
            f"{DETAILS}/{scenario}/{name}": table
            for scenario, run in self.details.items()
            for name, table in run.tables().items()
        }
        return self.tables() | inside

    def data(self) -> dict[str, Any]:
        """What each run in full holds besides its tables."""
        return {"details": {name: {"manifest": run.manifest, **run.data()} for name, run in self.details.items()}}

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Comparison:
        """The comparison that these parts were saved from. Raises KeyError when a part is missing."""
        details = {}
        for scenario, own in data["details"].items():
            prefix = f"{DETAILS}/{scenario}/"
            inside = {name.removeprefix(prefix): each for name, each in tables.items() if name.startswith(prefix)}
            rest = {name: value for name, value in own.items() if name != "manifest"}
            details[scenario] = Run.restored(inside, rest, own["manifest"])
        return cls(manifest, **{name: tables[name] for name in COLUMNS}, details=details)
