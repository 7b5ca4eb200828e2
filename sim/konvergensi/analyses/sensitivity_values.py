"""Outputs of runs as a method takes them: a row for each point, a column for each seed, and nothing that is no number.

SALib gives zeros for every index, without an error, as soon as one output is NaN or all are equal. So both are refused
here, and runs that failed are refused or left out with the whole block of points they belong to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.base.errors import InputError, fault
from konvergensi.methods.sensitivity_designs import Design, least
from konvergensi.methods.sensitivity_estimates import F64, delta_classes
from konvergensi.methods.statistics import ROUNDING

OnFailed = Literal["refuse", "drop"]
NAMED = 3  # runs named in a refusal; more are counted


@dataclass(frozen=True)
class Sample:
    """A design and which draw of the store each of its rows is; several rows may be the same draw."""

    design: Design
    draws: NDArray[np.intp]  # (rows,)
    asked: int  # sample size N that was asked for
    left_out: int = 0  # blocks
    failed: int = 0  # runs

    def without(self, runs: pd.DataFrame, on_failed: OnFailed) -> Sample:
        """The sample without the blocks that hold a failed run.

        Parameters: runs, columns draw, seed, scenario, status, error. Raises InputError when runs failed and are not to
        be left out, and when too few blocks remain.
        """
        failed = runs[(runs["status"] == "failed") & runs["draw"].isin(self.draws)]
        if failed.empty:
            return self
        bad = np.asarray(np.isin(self.draws, failed["draw"]).reshape(-1, self.design.block).any(axis=1))
        if on_failed == "refuse":
            counts = {"count": len(failed), "total": len(runs), "blocks": int(bad.sum())}
            reason = str(failed["error"].iloc[0]).splitlines()[-1]
            raise InputError(fault("", "runs", "failed_runs", **counts, runs=named(failed), reason=reason))
        blocks = np.flatnonzero(~bad)
        if len(blocks) < (needed := least(self.design.method)):
            raise InputError(fault("", "runs", "too_few_blocks", value=len(blocks), total=len(bad), least=needed))
        kept = self.design.rows_of(blocks)
        return Sample(self.design.only(blocks), self.draws[kept], self.asked, int(bad.sum()), len(failed))

    def replicates(self, output: str, values: pd.DataFrame, seeds: Sequence[int]) -> F64:
        """The output of each row and seed, (rows, seeds).

        Parameters: values, columns draw, seed, value. Raises InputError naming the output when a value is missing or no
        finite number, when all rows are equal, and for `delta` when there are too few different values for densities.
        """
        of_rows = values[values["draw"].isin(self.draws)]
        wide = of_rows.pivot(index="draw", columns="seed", values="value").reindex(
            index=np.unique(self.draws), columns=list(seeds)
        )
        absent = ~np.isfinite(wide.to_numpy(float))
        if absent.any():
            draws, columns = np.nonzero(absent)
            bad = pd.DataFrame({"draw": wide.index[draws], "seed": wide.columns[columns]})
            counts = {"count": len(bad), "total": absent.size}
            raise InputError(fault("", output, "not_numbers", **counts, runs=named(bad)))
        found: F64 = wide.loc[self.draws].to_numpy(float)
        means = found.mean(axis=1)
        if np.ptp(means) <= ROUNDING * float(np.abs(means).max()):
            raise InputError(fault("", output, "constant", value=float(means[0]), total=absent.size))
        different, needed = len(np.unique(means)), 2 * delta_classes(len(means))
        if self.design.method == "delta" and different < needed:
            raise InputError(fault("", output, "few_values", value=different, least=needed))
        return found


def named(runs: pd.DataFrame) -> str:
    """The first runs of a table by draw and seed, and how many more there are."""
    first = [f"draw {row.draw} seed {row.seed}" for row in runs.head(NAMED).itertuples()]
    return ", ".join(first) + (f" + {len(runs) - NAMED}" if len(runs) > NAMED else "")
