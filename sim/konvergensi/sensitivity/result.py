"""What a sensitivity analysis found: three tables, what they rest on, and writing them down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from konvergensi.saving import MANIFEST, drafted, write_json, write_table, written
from konvergensi.sensitivity.estimates import DECIDES
from konvergensi.studies.factors import DUMMY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from konvergensi.report.words import Lang

TABLES = ("sensitivity", "convergence", "heat")
LABELS = ("version", "district", "scenarios", "start", "end", "method", "n", "seeds", "population_share",
          "synthetic_inputs", "intervals")  # fmt: skip


@dataclass
class Sensitivity:
    """Which factors move which output, of one method.

    sensitivity: method, output, factor, group, index, value, low, high, floor, detected; a row for each index of each
    unit (a factor, or a group of factors) and the dummy, by the index that decides. low, high: 95 % interval.
    convergence: the index that decides at nested sample sizes: method, output, n, unit, index, value, low, high, floor,
    detected. heat: which part of the variance rests on which grade of evidence; see `tables.heat`.
    manifest: what was run; `factors` tells grade, group, range and meaning of each.
    """

    sensitivity: pd.DataFrame
    convergence: pd.DataFrame
    heat: pd.DataFrame
    manifest: dict[str, Any]

    @property
    def outputs(self) -> list[str]:
        """The outputs that were looked at, as `name@scenario`."""
        return list(self.sensitivity["output"].unique())

    def ranked(self, output: str) -> pd.DataFrame:
        """The index that decides of each unit, the largest first, without the dummy; unit is a column.

        Raises KeyError when the output was not looked at.
        """
        table = self._deciding(output)
        return table[table["unit"] != DUMMY].reset_index(drop=True)

    def dummy(self, output: str) -> pd.Series:
        """The row of the dummy."""
        table = self._deciding(output)
        return table[table["unit"] == DUMMY].iloc[0]

    def _deciding(self, output: str) -> pd.DataFrame:
        if output not in self.outputs:
            raise KeyError(f"no output {output!r}; there are {', '.join(self.outputs)}")
        table = self.sensitivity
        table = table[(table["output"] == output) & (table["index"] == DECIDES[self.manifest["method"]])]
        return table.assign(unit=table["factor"].where(table["factor"] != "", table["group"]))

    def plot(self, name: str, lang: Lang = "en") -> Figure:
        """Draw a figure by its name in `figure_names`. Raises KeyError with the names there are."""
        from konvergensi.report.figures_sensitivity import figures

        made = figures(self)
        if name not in made:
            raise KeyError(f"no figure {name!r}; there are {', '.join(made)}")
        return made[name].draw(lang)

    def figure_names(self) -> list[str]:
        """Names of the figures there are."""
        from konvergensi.report.figures_sensitivity import figures

        return list(figures(self))

    def save(self, out: str | Path, *, lang: Lang = "en", command: str | None = None) -> list[str]:
        """Write tables (Parquet, the first also CSV), sensitivity.md, figures (PNG, SVG, CSV) and manifest.json.

        Returns the names of what was written into `out`, all of it or nothing; what was there under these names is
        replaced. Raises OSError when `out` cannot be written.
        """
        from konvergensi.report.figures_sensitivity import save_figures
        from konvergensi.report.sensitivity_page import page

        manifest = self.manifest | {"lang": lang, "command": command or self.manifest["command"]}
        labelled = Sensitivity(self.sensitivity, self.convergence, self.heat, manifest)
        with drafted(Path(out), (*(f"{name}.parquet" for name in TABLES), "figures")) as draft:
            for name in TABLES:
                write_table(getattr(self, name), draft / f"{name}.parquet", manifest, LABELS)
            self.sensitivity.to_csv(draft / "sensitivity.csv", index=False)
            (draft / "sensitivity.md").write_text(page(labelled, lang), encoding="utf-8")
            (draft / "figures").mkdir()
            save_figures(labelled, draft / "figures", lang)
            write_json(manifest, draft / MANIFEST)
            return written(draft)
