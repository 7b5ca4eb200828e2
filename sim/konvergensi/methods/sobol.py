"""Scrambled Sobol points over the ranges of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from konvergensi.inputs.parameters import Parameter, Value

SOBOL_SEED = 1  # the same sample each time, and a longer one begins with the shorter one


def sobol(uncertain: Sequence[Parameter], draws: int, seed: int = SOBOL_SEED) -> list[dict[str, Value]]:
    """Scrambled Sobol points over the ranges, `draws` of them: key -> value; of another seed, others."""
    if draws == 0 or not uncertain:
        return [{} for _ in range(draws)]
    from scipy.stats import qmc

    points = qmc.Sobol(len(uncertain), scramble=True, seed=seed).random_base2((draws - 1).bit_length())
    low = np.array([each.low for each in uncertain], float)
    high = np.array([each.high for each in uncertain], float)
    return [
        {each.key: number_of(each, value) for each, value in zip(uncertain, row)}
        for row in (low + points[:draws] * (high - low)).tolist()
    ]


def number_of(parameter: Parameter, value: Any) -> Value:
    """A value as the parameter's type: whole where the parameter is."""
    return round(value) if isinstance(parameter.value, int) else float(value)
