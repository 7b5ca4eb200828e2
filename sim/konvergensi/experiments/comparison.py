"""What a comparison of scenarios found: tables, a manifest, and one run of each scenario in full.

A run is scenario, draw and seed. Draw 0 has every parameter as it is; draws 1, 2, ... are samples of the uncertain
ones. The tables speak of draws 1, 2, ... times seeds, or, when there are no draws, of draw 0 times seeds. The first
scenario is the reference; differences are paired: scenario less reference in the same draw and seed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from konvergensi.inputs.errors import InputError, fault
from konvergensi.observe.recorder import COLUMNS as RUN_COLUMNS
from konvergensi.saving import MANIFEST, drafted, write_json, write_table

if TYPE_CHECKING:
    from konvergensi.report.words import Lang
    from konvergensi.runs import Run

# measure -> the better direction: -1 the lower the better, 1 the higher, 0 neither: money is a means
MEASURES = {
    "prevalence": -1,  # percent of under-fives truly below -2 z, in the month
    "stunted_children": -1,  # count, whole district, in the month
    "protected_in_time": 1,  # count, whole district, from the first month on
    "complete_package_share": 1,  # share of 1,000-day households, in the month
    "services_mean": 1,  # services per 1,000-day household, in the month
    "integration_index": 1,  # 0 to 1, in the month
    "budgeted_rp": 0,  # whole district, from the first month on
    "spent_rp": 0,  # whole district, from the first month on
    "kpm_incentive_rp": 0,  # whole district, from the first month on; part of no programme's money
}
# what a measure cannot leave; an interval around a mean is cut there
BOUNDS = {"prevalence": (0.0, 100.0), "complete_package_share": (0.0, 1.0), "integration_index": (0.0, 1.0)}
STAGES = ("planned", "budgeted", "released", "spent")
COLUMNS = {
    "comparison": [
        "scenario", "measure", "month", "mean", "low", "high", "difference", "diff_low", "diff_high", "p_best",
    ],
    "runs": ["scenario", "draw", "seed", "measure", "month", "value"],
    "targets": ["scenario", "target_percent", "month", "probability", "runs"],
    "variance": ["scenario", "measure", "share_parameters", "share_chance"],
    "pairs": ["scenario_a", "scenario_b", "measure", "difference", "low", "high", "decided", "more_runs"],
    "costs": ["scenario", "draw", "seed", "source", "stage", "rp"],
    "cost_effect": ["scenario", "draw", "seed", "d_cost_rp", "d_cases", "d_protected"],
    "groups": ["scenario", "group", "mean", "difference", "diff_low", "diff_high"],
    "villages": ["scenario", "village", "kecamatan", "x", "y", "lokus", "prevalence", "difference"],
    "beliefs": ["draw", "parameter", "value"],
}  # fmt: skip
# what every table says of itself, as `DataFrame.attrs`
LABELS = (
    "version", "district", "scenarios", "start", "end", "draws", "seeds", "population_share", "synthetic_inputs",
    "intervals",
)  # fmt: skip
DETAILS = "details"  # the folder of the runs in full, one folder for each scenario


@dataclass
class Comparison:
    """Scenarios compared in one district. Money and counts are those of the whole district.

    comparison: by scenario, measure, month; mean with 95 % interval (cut at what the measure can be), difference to the
    first scenario with 95 % interval, p_best (share of runs in which no other scenario is better; ties are split; NaN
    where no direction is better). Months: all for prevalence, for the others each December and the last.
    runs: the value behind it, one row for each run, measure and month.
    targets: probability that true prevalence is at most target_percent in that month; NaN, with runs 0, where the
    month lies outside the span.
    variance: shares of the variance of the difference to the first scenario (for the first: of its level), last month,
    that come from parameters and from chance; NaN without draws or with one seed.
    pairs: difference b less a in the last month; decided: its interval excludes 0 or both are alike in every run;
    more_runs: how many more runs of each would decide it (NaN where decided or hopeless).
    costs: Rp over the run by source and stage (planned, budgeted, released, spent).
    cost_effect: difference to the first scenario in money spent (KPM incentives included), in stunted children averted
    in the last month, and in children protected in time over the run.
    groups: prevalence, percent, last month, by lokus, wealth fifth and age band.
    villages: prevalence, percent, mean over runs, at the end of the last year.
    details: scenario -> its run with draw 0 and seed 1; money and counts there are those of the simulated share.
    beliefs: what each draw says of each uncertain parameter; with it and its seed a run can be made again.
    """

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
    beliefs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS["beliefs"]))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name in COLUMNS}

    def save(self, out: str | Path, *, lang: Lang = "en", command: str | None = None) -> list[str]:
        """Write tables, manifest, decision sheet, report and figures into `out`, all of it or nothing.

        Returns the names of what was written, relative to `out`; what an earlier comparison left there under these
        names is replaced. Raises OSError when `out` cannot be written.
        """
        from konvergensi.report.comparison import write

        out = Path(out)
        manifest = self.manifest | {"lang": lang, "command": command or self.manifest["command"]}
        labelled = replace(self, manifest=manifest)
        with drafted(out, (DETAILS, "figures")) as draft:
            return [*labelled.save_tables(draft), *write(labelled, draft, lang)]

    def save_tables(self, folder: Path) -> list[str]:
        """Write the tables, the details and, last, the manifest; return their names. `folder` exists."""
        for name, table in self.tables().items():
            write_table(table, folder / f"{name}.parquet", self.manifest, LABELS)
        for scenario, run in self.details.items():
            inside = folder / DETAILS / scenario
            inside.mkdir(parents=True)
            for name, table in run.tables().items():
                write_table(table, inside / f"{name}.parquet", self.manifest, LABELS)
            write_json(run.manifest, inside / MANIFEST)
        write_json(self.manifest, folder / MANIFEST)
        return [*(f"{name}.parquet" for name in self.tables()), f"{DETAILS}/", "manifest.json"]

    @classmethod
    def load(cls, folder: str | Path) -> Comparison:
        """Read what `save` or `save_tables` wrote. Raises InputError when the folder holds no whole comparison."""
        folder = Path(folder)
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in COLUMNS}
            names = {key: manifest[key] for key in ("service_names", "agency_names", "package")}
            details = {scenario: _load_run(folder / DETAILS / scenario, names) for scenario in manifest["scenarios"]}
        except (OSError, ValueError, KeyError) as error:
            raise InputError(fault(folder, "", "no_comparison", reason=error)) from None
        return cls(manifest, **tables, details=details)


def _load_run(folder: Path, names: dict[str, Any]) -> Run:
    from konvergensi.runs import Run

    tables: dict[str, Any] = {
        name: pd.read_parquet(folder / f"{name}.parquet") for name in RUN_COLUMNS if name != "children"
    }
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return Run(**tables, children=None, manifest=manifest, **names)
