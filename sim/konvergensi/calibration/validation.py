"""What can be believed of a calibration: its checks as tables, made from the runs that come with the fitted draws.

Nothing is simulated: emulators are fitted again from the runs, so that every number here can be made again in minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from konvergensi.calibration.analysis import POSTERIOR, Analysis
from konvergensi.calibration.calibrate import Calibration, stages_of
from konvergensi.calibration.checks import later, left_out, parameter_table, target_table, truths
from konvergensi.calibration.fall import fall_table
from konvergensi.calibration.fitted import changed_since
from konvergensi.calibration.forecasts import read_national
from konvergensi.calibration.observed import Observation, predict_observed
from konvergensi.calibration.study import calibration_root
from konvergensi.calibration.transfer import transferred
from konvergensi.saving import drafted, write_figure, write_json, written

if TYPE_CHECKING:
    from konvergensi.report.words import Lang

Tell = Callable[[str], None]
IDENTIFIED = 0.8  # an interval narrower than this part of the prior's says that the targets spoke
PUSHED = 0.25  # share of the draws in the outermost twentieth of a range that counts as pushed to its edge


@dataclass(eq=False)
class Validation:
    """Tables of the checks. Which columns each has: see checks.py, fall.py, observed.py and transfer.py.

    later and transfer hold predictions of what was left out; observed those of a user's file, else no rows. other_name:
    the district whose draws transfer; changed_since: what is no longer as it was when the draws were fitted.
    """

    calibration: Calibration
    targets: pd.DataFrame
    parameters: pd.DataFrame
    truths: pd.DataFrame
    left_out: pd.DataFrame
    later: pd.DataFrame
    transfer: pd.DataFrame
    fall: pd.DataFrame
    emulators: pd.DataFrame
    observed: pd.DataFrame
    other_name: str = ""
    changed_since: tuple[str, ...] = ()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: table for name, table in found.items() if isinstance(table, pd.DataFrame)}

    def summary(self) -> dict[str, Any]:
        """The numbers that the page leads with."""
        weighed = self.targets[self.targets["weight"] > 0]
        shown: dict[str, Any] = {"targets": len(weighed), "inside": int(weighed["inside"].sum())}
        shown["prior_inside"] = int(weighed["prior_inside"].sum())
        if len(self.truths):
            shown["data_sets"] = int(self.truths["data_set"].nunique())
            shown["covered"] = float(self.truths["inside"].mean())
        if len(self.left_out):
            shown["left_out_inside"] = float(self.left_out["inside"].mean())
        shown["unidentified"] = self.unidentified()
        shown["pushed"] = self.pushed()
        return shown

    def unidentified(self) -> list[str]:
        """Parameters on which the targets say little: their interval is hardly narrower than the prior's."""
        return self.parameters.loc[self.parameters["narrower"] > IDENTIFIED, "key"].tolist()

    def pushed(self) -> dict[str, str]:
        """Parameters pushed to an edge of their range, and to which."""
        table = self.parameters
        edges = zip(table["key"], table["at_low"].to_numpy(float), table["at_high"].to_numpy(float))
        return {str(key): "low" if low >= PUSHED else "high" for key, low, high in edges if max(low, high) >= PUSHED}

    def save(self, out: Path, *, lang: Lang = "en", command: str | None = None) -> list[str]:
        """Write tables, summary, figures and validation.md into `out`, all of it or nothing; return the names.

        Raises OSError when `out` cannot be written.
        """
        from konvergensi.report.figures_calibration import FIGURES, shown
        from konvergensi.report.validation_page import page

        tables = self.tables()
        stale = (*(f"{name}.parquet" for name in tables), "figures")
        with drafted(out, stale) as draft:
            for name, table in tables.items():
                if len(table):
                    table.to_parquet(draft / f"{name}.parquet", index=False)
            made = {"command": command or "konvergensi.validate", "fitted": self.calibration.manifest["hashes"]}
            write_json(made | self.summary(), draft / "summary.json")
            for name in shown(self):
                write_figure(FIGURES[name](self, lang), draft / "figures" / f"{name}.png")
            (draft / "validation.md").write_text(page(self, lang), encoding="utf-8")
            return written(draft)


def validate(
    calibration: Calibration,
    observed: list[Observation] | None = None,
    other: Calibration | None = None,
    tell: Tell = lambda _step: None,
) -> Validation:
    """Make every check.

    Parameters: observed, rows of a user's file; other, the calibration of another district whose draws are to predict
    this one; tell, called with the name of each step.
    """
    study, runs = calibration.study, calibration.runs
    tell("emulators")
    analysis = Analysis(study, runs, (*stages_of(study), POSTERIOR))
    national = read_national(calibration_root() / "targets" / "national.csv")
    weights = calibration.draws["weight"].to_numpy(float)
    weights = weights / weights.sum()
    tell("posterior")
    posterior = analysis.posterior()
    tell("truths")
    found_truths = truths(analysis)
    tell("left_out")
    found_left_out = left_out(analysis, posterior)
    tell("later")
    found_later = later(analysis, national)
    tell("transfer")
    found_transfer = pd.DataFrame() if other is None else transferred(analysis, other, national)
    return Validation(
        calibration=calibration,
        targets=target_table(analysis, weights),
        parameters=parameter_table(analysis, calibration.draws),
        truths=found_truths,
        left_out=found_left_out,
        later=found_later,
        transfer=found_transfer,
        fall=fall_table(analysis, weights),
        emulators=pd.DataFrame(calibration.manifest["emulators"]),
        observed=predict_observed(analysis, calibration.draws, observed or [], national),
        other_name="" if other is None else other.study.place.name,
        changed_since=tuple(changed_since(calibration.manifest, study.place)),
    )
