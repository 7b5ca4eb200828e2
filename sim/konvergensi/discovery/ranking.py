"""How robust the scenarios of a study are: the rules of `robustness` on an output, over the draws of a store.

`robustness(store, "prevalence")` returns a `Robustness`. A draw counts once, with the output averaged over its seeds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from konvergensi.discovery.cases import by_draw
from konvergensi.discovery.discover import described
from konvergensi.discovery.prim import LEAST_RUNS
from konvergensi.discovery.robustness import RESAMPLES, RULES, regrets, table
from konvergensi.experiments.comparison import MEASURES
from konvergensi.inputs.errors import InputError, fault, nearest
from konvergensi.studies.designs import draws_of
from konvergensi.studies.outputs import DIFFERENCE
from konvergensi.studies.study import parameters_for

if TYPE_CHECKING:
    from konvergensi.report.words import Lang
    from konvergensi.studies.store import Store

TARGET = "review.target_percent"  # what the district set itself for prevalence, the threshold unless one is given


@dataclass
class Robustness:
    """Scenarios by rule. values: index draw, columns scenarios; table: see `robustness.table`."""

    values: pd.DataFrame
    table: pd.DataFrame
    manifest: dict[str, Any]

    @property
    def rules(self) -> list[str]:
        """The rules there are, in their order."""
        return [rule for rule in RULES if rule in set(self.table["rule"])]

    def of(self, rule: str) -> pd.DataFrame:
        """The rows of a rule by scenario."""
        return self.table[self.table["rule"] == rule].set_index("scenario")

    def regret(self) -> pd.DataFrame:
        """Regret by draw and scenario."""
        numbers = regrets(self.values.to_numpy(float), self.manifest["direction"])
        return pd.DataFrame(numbers, index=self.values.index, columns=self.values.columns)

    def save(self, out: str | Path, *, lang: Lang = "en", command: str | None = None) -> list[str]:
        """Write robustness and draws (Parquet), robustness.md, the figure and manifest.json; return their names.

        draws: draw, scenario, value, regret. Raises OSError when `out` cannot be written.
        """
        from konvergensi.discovery.writing import write
        from konvergensi.report.figures_robustness import figures
        from konvergensi.report.robustness_page import page

        named = replace(self, manifest=self.manifest | {"lang": lang, "command": command or self.manifest["command"]})
        parts = (each.rename_axis(columns="scenario").stack() for each in (self.values, self.regret()))
        draws = pd.concat(parts, axis=1, keys=["value", "regret"]).reset_index()
        tables = {"robustness": self.table, "draws": draws}
        return write(Path(out), tables, page(named, lang), figures(named, lang), named.manifest)


def robustness(
    store: Store, output: str = "prevalence", *, threshold: float | None = None, district: str | None = None
) -> Robustness:
    """Rank the scenarios of a store by an output.

    Parameters: output, a measure that has a better direction, or its difference to the first scenario; threshold in
    its unit, for prevalence the district's own target unless given, for others none. Draws count of which every run
    ended well. Raises InputError for names that are not there, one scenario, and fewer than LEAST_RUNS whole draws.
    """
    district = district or store.districts[0]
    direction = direction_of(output)
    if len(store.scenarios) < 2:
        raise InputError(fault(store.path, "scenarios", "two_scenarios", value=", ".join(store.scenarios)))
    by = {name: by_draw(store, output, name, district) for name in store.scenarios}
    values = pd.DataFrame(by).dropna()
    if len(values) < LEAST_RUNS:
        raise InputError(fault(store.path, "draws", "too_few_draws", runs=len(values), least=LEAST_RUNS))
    if threshold is None and output == "prevalence" and TARGET in (known := parameters_for(store.study)):
        threshold = float(store.study.set.get(TARGET, known[TARGET].value))
    resamples = f"{RESAMPLES:,}".replace(",", ".")
    manifest = described(store, district) | {
        "kind": "robustness",
        "scenarios": store.scenarios,
        "draws": len(values),
        "left_out": draws_of(store.study) - len(values),
        "output": output,
        "direction": direction,
        "threshold": threshold,
        "intervals": {
            "en": f"95%, percentiles over {RESAMPLES:,} resamples of the draws only; the luck of seeds is not in them",
            "id": f"95%, persentil atas {resamples} sampel ulang saja; keberuntungan benih acak tidak termuat",
        },
    }
    return Robustness(values, table(values, direction, threshold), manifest)


def direction_of(output: str) -> int:
    """1 where more of an output is better, -1 where less is. Raises InputError where neither is known."""
    measure = measure_of(output)
    if MEASURES.get(measure, 0):
        return MEASURES[measure]
    known = [name for name, sign in MEASURES.items() if sign]
    words = {"value": output, "choices": ", ".join(known), "near": nearest(measure, known)}
    raise InputError(fault("", "--output", "no_direction", **words))


def measure_of(output: str) -> str:
    """The measure behind an output: prevalence for difference:prevalence_2024_12."""
    return re.sub(r"_\d{4}_\d\d$", "", output.removeprefix(DIFFERENCE))
