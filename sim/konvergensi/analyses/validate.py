"""What can be believed of a calibration: its checks as tables, made from the runs that come with the fitted draws.

Nothing is simulated: emulators are fitted again from the runs, so that every number here can be made again in minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from konvergensi.analyses.calibrate import read_calibration, stages_of
from konvergensi.analyses.calibration import POSTERIOR, Analysis
from konvergensi.analyses.fall import fall_table
from konvergensi.analyses.forecasts import read_national
from konvergensi.analyses.observed import Observation, predict_observed, read_observed
from konvergensi.analyses.transfer import transferred
from konvergensi.analyses.validation_checks import later, left_out, parameter_table, target_table, truths
from konvergensi.base.version import __version__
from konvergensi.inputs.arguments import kind_of, public
from konvergensi.inputs.calibration_study import calibration_root
from konvergensi.results.calibration import Calibration
from konvergensi.results.fitted import changed_since
from konvergensi.results.validation import Validation

Tell = Callable[[str], None]


@public(
    calibration=kind_of("a_calibration", Calibration),
    observed=kind_of("observations", list),
    other=kind_of("a_calibration", Calibration),
)
def validate(
    calibration: Calibration | str = "lebak",
    observed: list[Observation] | str | Path | None = None,
    other: Calibration | str | None = None,
    tell: Tell = lambda _step: None,
) -> Validation:
    """Make every check.

    Parameters: calibration, or a district whose fitted draws come with the package; observed, a file of observations or
    its rows; other, the calibration of another district whose draws are to predict
    this one; tell, called with the name of each step.
    """
    calibration = calibration if isinstance(calibration, Calibration) else read_calibration(calibration)
    other = read_calibration(other) if isinstance(other, str) else other
    if isinstance(observed, (str, Path)):
        observed = read_observed(Path(observed), calibration.study)
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
    summarised = Validation(
        targets=target_table(analysis, weights),
        parameters=parameter_table(analysis, calibration.draws),
        truths=found_truths,
        left_out=found_left_out,
        later=found_later,
        transfer=found_transfer,
        fall=fall_table(analysis, weights),
        emulators=pd.DataFrame(calibration.manifest["emulators"]),
        observed=predict_observed(analysis, calibration.draws, observed or [], national),
        manifest={
            "version": __version__,
            "district": study.place.id,
            "district_name": study.place.name,
            "study": study.id,
            "fitted": calibration.manifest | {"draws_made": len(calibration.draws)},
            "observables": {each.id: each.observable for each in study.targets},
            "structures": {each.id: {"en": each.title["en"], "id": each.title["id"]} for each in study.file.structure},
            "other_name": "" if other is None else other.study.place.name,
            "changed_since": changed_since(calibration.manifest, study.place),
            "command": "konvergensi.validate",
        },
    )
    summarised.manifest["summary"] = summarised.summary()
    return summarised
