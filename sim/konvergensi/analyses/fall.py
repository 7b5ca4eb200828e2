"""How much of the published fall between two surveys the fitted model believes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from konvergensi.analyses.calibration import POSTERIOR, Analysis, wave
from konvergensi.inputs.calibration_targets import F64
from konvergensi.methods.scores import TAILS, weighted_quantiles


def fall_table(analysis: Analysis, weights: F64) -> pd.DataFrame:
    """Published and believed change from the first survey to each later one, in points; below zero it fell.

    Columns: first, last (ids), published, what the draws believe surveys without error would have shown (low, middle,
    high), the same before fitting, noise_sd (SD of the difference of two such surveys, points), and share: the believed
    change over the published.
    """
    surveys = sorted(
        (each for each in analysis.study.targets if each.error_model == "survey"), key=lambda target: target.when
    )
    rows = []
    for last in surveys[1:]:
        first = surveys[0]
        believed = _change(analysis, POSTERIOR, first.observable, last.observable, weights)
        before = _change(analysis, wave(1), first.observable, last.observable, None)
        noise = [each.observation_sd * each.value * (1 - each.value / 100) for each in (first, last)]
        published = last.value - first.value
        low, middle, high = believed
        rows.append({
            "first": first.id, "last": last.id, "published": published, "low": low, "middle": middle, "high": high,
            "prior_low": before[0], "prior_middle": before[1], "prior_high": before[2],
            "noise_sd": float(np.hypot(noise[0], noise[1])), "share": middle / published if published else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _change(analysis: Analysis, stage: str, first: str, last: str, weights: F64 | None) -> tuple[float, ...]:
    runs = analysis.runs[analysis.runs["stage"] == stage]
    by_draw = runs.groupby("draw")[[first, last]].mean()
    change = (by_draw[last] - by_draw[first]).to_numpy(float)
    mass = np.ones(len(change)) if weights is None else weights[by_draw.index.to_numpy(int) - 1]
    return tuple(float(x) for x in weighted_quantiles(change, mass, (TAILS[0], 0.5, TAILS[1])))
