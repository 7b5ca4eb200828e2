"""Test functions that run as models: every command can be held against answers known on paper.

`ishigami` (Ishigami and Homma 1990, with a = 7 and b = 0.1) and `sobol_g` (Saltelli and Sobol 1995) have analytic
Sobol indices: `analytic`. Besides their inputs both have knobs to try a study with: chance, failure, duration.
"""

from __future__ import annotations

import functools
import math
import os
import time
import zlib
from collections.abc import Callable, Mapping

import numpy as np

from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.model.outcome import Outcome

PLACE = "nowhere"  # the one district of a test function
SCENARIOS = ("baseline", "plus-one", "doubled", "with-x1-squared")
MONTH = "2020-01"
ISHIGAMI_A, ISHIGAMI_B = 7.0, 0.1
G_WEIGHTS = (0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0)


def ishigami(x: list[float]) -> float:
    """sin x1 + 7 sin² x2 + 0.1 x3⁴ sin x1, each in [-π, π]."""
    return math.sin(x[0]) + ISHIGAMI_A * math.sin(x[1]) ** 2 + ISHIGAMI_B * x[2] ** 4 * math.sin(x[0])


def sobol_g(x: list[float]) -> float:
    """Product of (|4 x - 2| + a) / (1 + a), each x in [0, 1]."""
    return math.prod((abs(4.0 * each - 2.0) + a) / (1.0 + a) for each, a in zip(x, G_WEIGHTS))


FUNCTIONS: dict[str, tuple[Callable[[list[float]], float], int, float, float]] = {
    "ishigami": (ishigami, 3, -math.pi, math.pi),
    "sobol_g": (sobol_g, len(G_WEIGHTS), 0.0, 1.0),
}
KNOBS = {  # key -> standing value, lowest, highest, meaning
    "noise_sd": (0.0, 0.0, 100.0, "standard deviation of chance, drawn anew for each point and seed"),
    "fail_above": (1e9, -1e9, 1e9, "runs with a larger x1 fail"),
    "die_above": (1e9, -1e9, 1e9, "runs with a larger x1 end the process they are in"),
    "seconds": (0.0, 0.0, 60.0, "time a run takes"),
}


@functools.cache
def parameters_of(name: str) -> dict[str, Parameter]:
    """The inputs x1, x2, ... and the knobs of a test function, as parameters."""
    _, count, low, high = FUNCTIONS[name]
    inputs = {f"x{i + 1}": ((low + high) / 2, low, high, f"input {i + 1}") for i in range(count)}
    return {
        key: Parameter(key, value, "", low, high, (), f"test function {name}", "model", meaning, meaning)
        for key, (value, low, high, meaning) in (inputs | KNOBS).items()
    }


def evaluate(name: str, scenario: str, values: Mapping[str, Value], seed: int) -> Outcome:
    """One run of a test function. Raises ArithmeticError where `fail_above` asks for it."""
    function, count, _, _ = FUNCTIONS[name]
    standing = {key: parameter.value for key, parameter in parameters_of(name).items()} | dict(values)
    x = [float(standing[f"x{i + 1}"]) for i in range(count)]
    knobs = {key: float(standing[key]) for key in KNOBS}
    if knobs["seconds"]:  # sleeping for nothing gives the core away
        time.sleep(knobs["seconds"])
    if x[0] > knobs["die_above"]:
        os._exit(9)
    if x[0] > knobs["fail_above"]:
        raise ArithmeticError(f"x1 is {x[0]:g}, above {knobs['fail_above']:g}")
    y = function(x)
    if knobs["noise_sd"]:
        chance = np.random.default_rng([seed, zlib.crc32(np.array(x).tobytes())])
        y += knobs["noise_sd"] * float(chance.standard_normal())
    y = {"baseline": y, "plus-one": y + 1.0, "doubled": 2.0 * y, "with-x1-squared": y + x[0] ** 2}[scenario]
    return Outcome({"y": y}, [(MONTH, "y", y)], [(MONTH, "above" if y > 0 else "below", "y", y)])


def analytic(name: str) -> dict[str, tuple[float, float]]:
    """First-order and total Sobol index of each input, with all inputs uniform over their ranges.

    Sources: Ishigami: Sobol and Levitan 1999, with V = a²/8 + bπ⁴/5 + b²π⁸/18 + 1/2; g: Saltelli and Sobol 1995,
    with V_i = (1/3) / (1 + a_i)².
    """
    if name == "ishigami":
        a, b = ISHIGAMI_A, ISHIGAMI_B
        alone = [0.5 * (1 + b * math.pi**4 / 5) ** 2, a**2 / 8, 0.0]
        both = b**2 * math.pi**8 * (1 / 18 - 1 / 50)  # of x1 and x3 together
        whole = sum(alone) + both
        totals = [alone[0] + both, alone[1], both]
    else:
        alone = [1 / 3 / (1 + a) ** 2 for a in G_WEIGHTS]
        product = math.prod(1 + part for part in alone)
        whole = product - 1
        totals = [part * product / (1 + part) for part in alone]
    return {f"x{i + 1}": (first / whole, total / whole) for i, (first, total) in enumerate(zip(alone, totals))}
