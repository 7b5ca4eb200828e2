"""What a sensitivity analysis found: three tables, what they rest on, and writing them down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from konvergensi.methods.factors import DUMMY
from konvergensi.methods.sensitivity_estimates import DECIDES
from konvergensi.results.base import Result

TABLES = ("sensitivity", "convergence", "heat")
LABELS = ("version", "district", "policies", "start", "end", "method", "n", "seeds", "population_share",
          "synthetic_inputs", "intervals")  # fmt: skip


@dataclass(repr=False, eq=False)
class Sensitivity(Result):
    """Which factors move which output, of one method.

    sensitivity: method, output, factor, group, index, value, low, high, floor, detected; a row for each index of each
    unit (a factor, or a group of factors) and the dummy, by the index that decides. low, high: 95 % interval.
    convergence: the index that decides at nested sample sizes: method, output, n, unit, index, value, low, high, floor,
    detected. heat: which part of the variance rests on which grade of evidence; see `tables.heat`.
    manifest: what was run; `factors` tells grade, group, range and meaning of each.
    """

    kind: ClassVar[str] = "sensitivity"
    labels: ClassVar[tuple[str, ...]] = LABELS
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

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {name: getattr(self, name) for name in TABLES}
