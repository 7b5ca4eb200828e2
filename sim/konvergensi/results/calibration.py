"""What a calibration found: its runs, its weighted draws, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from konvergensi.inputs.calibration_study import CalibrationStudy, list_studies, load_calibration
from konvergensi.observe.units import with_units
from konvergensi.results.base import Result
from konvergensi.results.fitted import small

KEYS = ("stage", "draw", "seed")  # of a run


@dataclass(repr=False, eq=False)
class Calibration(Result):
    """What a calibration found. runs: every run (see Simulator.run); draws: draw, weight, a column for each parameter;
    manifest: what it rests on and how it went.
    """

    kind: ClassVar[str] = "calibration"
    study: CalibrationStudy
    runs: pd.DataFrame
    draws: pd.DataFrame
    manifest: dict[str, Any]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file: the draws, and what checks need of the runs."""
        shown = [*KEYS, *self.study.space.keys, *self.study.shown]
        also = [name for name in self.runs.columns if name.startswith(("survey:", "eppgbm:")) and name.count(":") == 1]
        kept = self.runs[list(dict.fromkeys([*shown, *also]))]
        return with_units(self.kind, {self.study.place.id: self.draws, f"{self.study.place.id}-runs": small(kept)})

    def data(self) -> dict[str, Any]:
        """The study: the name of a shipped one, else where its file is."""
        shipped = list_studies().get(self.study.id) == self.study.path
        return {"study": self.study.id if shipped else str(self.study.path.resolve())}

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Calibration:
        """The calibration that these parts were saved from, with its study as it is shipped or where it was."""
        district = manifest["district"]
        return cls(load_calibration(data["study"]), tables[f"{district}-runs"], tables[district], manifest)
