"""The model at given points, each stage of a calibration as a study of its own: a store that can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from konvergensi.base.errors import InputError, fault
from konvergensi.inputs.calibration_study import CalibrationStudy
from konvergensi.inputs.calibration_targets import F64, Scale, to_scale
from konvergensi.inputs.parameters import Value
from konvergensi.results.calibration import KEYS
from konvergensi.studies.execute import run_study
from konvergensi.studies.study import Keep, Study, with_points

OUTCOME = "konvergensi.analyses.observables:observables"
LOST_SHARE = 0.05  # of the runs of a stage that may fail
Progress = Callable[[int, int], None]


@dataclass
class Simulator:
    """Runs the model for a calibration study.

    out: the folder whose subfolders are the stores of the stages; planned: runs in all, for the progress.
    """

    study: CalibrationStudy
    out: Path
    workers: int | None = None
    cluster: str | None = None
    progress: Progress | None = None
    planned: int = 0
    done: int = field(default=0, init=False)

    def run(
        self, stage: str, unit: F64, seeds: tuple[int, ...], set_: Mapping[str, Value] | None = None
    ) -> pd.DataFrame:
        """Live every point (n, n_free) of the unit cube with every seed; resumes what the stage's folder holds.

        Returns a row for each run: stage, draw (1, 2, ...), seed, the parameters, the observables. Raises InputError
        when more runs failed than LOST_SHARE; the others are left out.
        """
        file, place = self.study.file, self.study.place
        base = Study(
            districts=(file.district if "/" not in file.district else str(place.path),),
            seeds=seeds,
            population_share=file.population_share,
            start=file.start,
            end=file.end,
            set=dict(set_ or {}),
            outcome=OUTCOME,
            keep=Keep(series=(), groups=False),
        )
        space = self.study.space
        points = space.table(unit).astype({key: int for key, whole in zip(space.keys, space.whole) if whole})
        store = run_study(
            with_points(base, points), self.out / stage, workers=self.workers, cluster=self.cluster,
            progress=self._tell,
        )  # fmt: skip
        runs = store.runs()
        self.done += len(runs)
        failed = runs[runs["status"] != "ok"]
        if len(failed) > LOST_SHARE * len(runs):
            words = {"value": len(failed), "runs": len(runs), "error": failed["error"].iloc[0]}
            raise InputError(fault(self.out / stage, "", "calibration_failed", **words))
        lost = set(failed["draw"])
        kept = runs[~runs["draw"].isin(lost)]
        columns = ["draw", "seed", *space.keys, *store.scalars]
        return kept[columns].assign(stage=stage)[[*KEYS, *space.keys, *store.scalars]].reset_index(drop=True)

    def _tell(self, done: int, _all: int) -> None:
        if self.progress is not None:
            self.progress(self.done + done, self.planned)


def outputs_of(study: CalibrationStudy, runs: pd.DataFrame) -> dict[str, Scale]:
    """What is emulated of a table of runs, and on which scale. Raises InputError for a target that no run shows."""
    scales: dict[str, Scale] = {each.observable: each.scale for each in study.targets}
    lacking = [name for name in scales if name not in runs.columns or runs[name].isna().all()]
    if lacking:
        words = {"value": lacking[0], "choices": f"{study.file.start} .. {study.file.end}"}
        raise InputError(fault(study.path, "targets", "no_observable", **words))
    return scales


def arrays(study: CalibrationStudy, runs: pd.DataFrame, scales: Mapping[str, Scale]) -> tuple[F64, F64]:
    """Points of the unit cube (n_points, n_free) and outputs (n_points, n_seeds, n_outputs) on their scales.

    Parameters: runs, with the same number of seeds for each stage and draw; points with a missing output are left out.
    """
    ordered = runs.sort_values(["stage", "draw", "seed"], kind="stable")
    groups = ordered.groupby(["stage", "draw"], sort=False)
    n_seeds = int(groups.size().iloc[0])
    first = groups.head(1)
    unit = study.space.unit(first[list(study.space.keys)].to_numpy(float))
    values = np.stack([to_scale(ordered[name].to_numpy(float), scale) for name, scale in scales.items()], axis=-1)
    values = values.reshape(len(first), n_seeds, len(scales))
    whole = np.isfinite(values).all(axis=(1, 2))
    return unit[whole], values[whole]
