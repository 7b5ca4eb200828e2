"""Do fitted draws still belong to this model? Some are simulated again and held against the runs kept with them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from konvergensi.analyses.calibrate import Calibration
from konvergensi.analyses.calibration import POSTERIOR
from konvergensi.analyses.observables import observables
from konvergensi.model.convergence import ConvergenceModel

RELATIVE = 1e-5  # kept runs are float32; Python, NumPy and SciPy versions agree to rounding


def differing(calibration: Calibration, draws: Sequence[int]) -> list[str]:
    """Live draws (1, 2, ...) of the posterior again, with every seed they had; name what comes out else.

    Returns `draw, seed: observable then -> now`, nothing when all agree to `RELATIVE`.
    """
    file, keys = calibration.study.file, list(calibration.manifest["free"])
    runs = calibration.runs
    kept = runs[(runs["stage"] == POSTERIOR) & runs["draw"].isin(list(draws))]
    parameter_draws = dict(zip(calibration.draws["draw"], calibration.draws[keys].to_numpy(float).tolist()))
    found = []
    for then in kept.to_dict("records"):
        model = ConvergenceModel(
            "baseline", file.district, int(then["seed"]), file.population_share, file.start, file.end,
            set=dict(zip(keys, parameter_draws[then["draw"]])),
        )  # fmt: skip
        while model.running:
            model.step()
        found += [
            f"draw {then['draw']}, seed {then['seed']}: {name} {then[name]:g} -> {value:g}"
            for name, value in observables(model).scalars.items()
            if name in then and not np.isclose(float(then[name]), value, rtol=RELATIVE, atol=1e-6, equal_nan=True)
        ]
    return found
