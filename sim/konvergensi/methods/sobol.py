"""Scrambled Sobol points over the ranges of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.inputs.structures import Structure

STRUCTURE_SEED = 2  # rules are drawn apart, so that asking for them leaves the draws of numbers as they are
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


def rules(structures: Sequence[Structure], draws: int) -> list[dict[str, Value]]:
    """A choice of each structure in each of `draws` draws, by weight, evenly spread: key -> choice."""
    if not structures or draws == 0:
        return [{} for _ in range(draws)]
    from scipy.stats import qmc

    power = (draws - 1).bit_length()
    points = qmc.Sobol(len(structures), scramble=True, seed=STRUCTURE_SEED).random_base2(power)[:draws]
    return [{each.key: _choice(each, float(u)) for each, u in zip(structures, row)} for row in points]


def _choice(structure: Structure, u: float) -> str:
    """The choice at u in [0, 1) of the weights laid end to end."""
    choices = [(name, weight) for name, weight in structure.weights.items() if weight > 0]
    edges = np.cumsum([weight for _, weight in choices])
    return choices[min(int(np.searchsorted(edges, u, side="right")), len(choices) - 1)][0]
