"""Do fitted draws still belong to this model? Some of them are lived again and held against the runs kept with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from konvergensi.calibration.analysis import POSTERIOR
from konvergensi.calibration.calibrate import Calibration
from konvergensi.calibration.observables import observables
from konvergensi.model import ConvergenceModel

RELATIVE = 1e-5  # kept runs are float32; Python, NumPy and SciPy versions agree to rounding


def differing(calibration: Calibration, draws: Sequence[int]) -> list[str]:
    """Live draws (1, 2, ...) of the posterior again, with every seed they were lived with; name what comes out else.

    Returns `draw, seed: observable then -> now`, nothing when all agree to `RELATIVE`.
    """
    file, keys = calibration.study.file, list(calibration.manifest["free"])
    kept = calibration.runs[calibration.runs["stage"] == POSTERIOR].set_index(["draw", "seed"]).sort_index()
    beliefs = calibration.draws.set_index("draw")[keys]
    found = []
    for draw in draws:
        for seed in kept.loc[draw].index:
            model = ConvergenceModel(
                "baseline", file.district, int(seed), file.population_share, file.start, file.end,
                set=dict(zip(keys, beliefs.loc[draw].tolist())),
            )  # fmt: skip
            while model.running:
                model.step()
            then, now = kept.loc[(draw, seed)], observables(model).scalars
            found += [
                f"draw {draw}, seed {seed}: {name} {then[name]:g} -> {value:g}"
                for name, value in now.items()
                if not np.isclose(float(then[name]), value, rtol=RELATIVE, atol=1e-6, equal_nan=True)
            ]
    return found
