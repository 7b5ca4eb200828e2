"""Draws fitted to one district predict another, with that district's own inputs.

What is general goes over; a district's level cannot, so it is set by the other's own surveys before the later targets.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from konvergensi.analyses.calibrate import Calibration
from konvergensi.analyses.calibration import Analysis, in_units
from konvergensi.analyses.forecasts import NAIVE, naive, of_sample
from konvergensi.inputs.calibration_targets import F64
from konvergensi.methods.posterior import effective_share, systematic

OWN = ("growth.level_shift_z",)  # never taken from another district
LEVELS_TRIED = 64  # of each draw
PREDICTED = 2000


def transferred(analysis: Analysis, other: Calibration, national: dict[float, float]) -> pd.DataFrame:
    """Predictions of this district's targets from draws fitted to another.

    Its level is tried evenly over its prior with each draw and weighted by the surveys that are not among the later
    targets; nothing else of this district is used. Columns as of `checks.later`, with effective.
    """
    study, likelihood = analysis.study, analysis.likelihood
    unit, weights = _points(analysis, other)
    own = np.array([each.error_model == "survey" and not study.later(each) for each in study.targets])
    means = likelihood.emulators.predict(unit)
    logs = likelihood.each_log_of(means)[:, own].sum(axis=1)
    mass = weights * np.exp(logs - logs.max())
    chosen = systematic(mass, PREDICTED, 0.5)
    drawn = in_units(study, likelihood.draw(means[chosen], np.random.default_rng([study.file.seed, 61])))
    known = [each for each, used in zip(study.targets, own) if used]
    rows = []
    for j, target in enumerate(study.targets):
        if own[j] or target.level != "district":
            continue
        forecasts = [of_sample("model", drawn[:, j])]
        forecasts += [made for name in NAIVE if (made := naive(name, target, known, national)) is not None]
        for made in forecasts:
            rows.append({
                "id": target.id, "method": made.method, "observed": target.value, "low": made.low,
                "middle": made.middle, "high": made.high, **made.scores(target.value),
                "inside": bool(made.low <= target.value <= made.high), "effective": effective_share(mass),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _points(analysis: Analysis, other: Calibration) -> tuple[F64, F64]:
    """Points of this district's unit cube and their weights: each of the other's draws with every level tried.

    A free parameter that the other did not fit is tried over its prior.
    """
    space, draws = analysis.study.space, other.draws
    rng = np.random.default_rng([analysis.study.file.seed, 62])
    n = len(draws) * LEVELS_TRIED
    columns = []
    for i, key in enumerate(space.keys):
        if key in OWN or key not in draws:
            columns.append(rng.random(n))
        else:
            unit = (draws[key].to_numpy(float) - space.low[i]) / (space.high[i] - space.low[i])
            columns.append(np.repeat(unit.clip(0.0, 1.0), LEVELS_TRIED))
    return np.column_stack(columns), np.repeat(draws["weight"].to_numpy(float), LEVELS_TRIED)
