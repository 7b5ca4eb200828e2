"""Targets: what was observed of a district, on which scale it is compared, and how far it may be off.

A target names an observable of the model (observables.py) and an error model. Its variance has parts that are kept
apart (docs/decisions/0021-calibration.md): the *observation's* own (sample, count, register), that *between survey
systems* (`system_sd`: teams, tools and season make two surveys of one year differ), and the *model's discrepancy*. What
comes on top when a run is held against it, chance and emulator, is added where they are known (likelihood.py).

Scales: `logit` (percent), `log` (counts, register percents), `share` (k of n), `difference` (as it stands).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from konvergensi.base.errors import Fault, InputError, fault, format_value
from konvergensi.inputs.csv_files import all_or_faults, read_rows, typed
from konvergensi.inputs.fields import AnyNumber, Choice, Grade, Table, Text, between, validated

F64 = NDArray[np.float64]
Scale = Literal["logit", "log", "share", "difference"]
ErrorModel = Literal["survey", "binomial", "factor", "normal"]
NUMBERS = ("value", "n", "design_effect", "error_sd", "system_sd", "discrepancy_sd", "weight")
SMALLEST = 1e-3  # share below which, and its mirror above which, a logit is not taken
SMALLEST_COUNT = 0.1  # percent or count below which no log is taken
_NEEDS = {"survey": ("n", "design_effect"), "binomial": ("n",), "factor": ("error_sd",), "normal": ("error_sd",)}
_SCALES = {"survey": ("logit",), "binomial": ("share",), "factor": ("log",), "normal": ("logit", "log", "difference")}


class Target(Table):
    """One row of a target file.

    Parameters: value as published, in `unit`; n and design_effect of a survey, n of a count; error_sd, system_sd and
    discrepancy_sd standard deviations on the scale; weight, the power its likelihood is raised to, 0 to only show it.
    """

    id: Text
    area: Text
    level: Text
    when: Text
    observable: Text
    value: AnyNumber
    unit: Text
    scale: Annotated[Scale, Choice]
    error_model: Annotated[ErrorModel, Choice]
    n: Annotated[float, between(1, 1e9)] | None = None
    design_effect: Annotated[float, between(0.5, 20)] | None = None
    error_sd: Annotated[float, between(0, 10)] | None = None
    system_sd: Annotated[float, between(0, 10)] = 0.0
    discrepancy_sd: Annotated[float, between(0, 10)] = 0.0
    weight: Annotated[float, between(0, 1, "share")] = 1.0
    source: Text
    grade: Annotated[Grade, Choice]
    note: str = Field(default="")

    @property
    def scaled(self) -> float:
        """The observed value on the target's scale."""
        return self.value / self.count if self.scale == "share" else float(to_scale(self.value, self.scale))

    @property
    def count(self) -> int:
        """Of how many: n of a binomial target."""
        return int(self.n or 0)

    @property
    def sampling_sd(self) -> float:
        """SD of the observation itself on the scale: sample with its design effect, count, or the size named."""
        if self.error_model == "survey":
            share = self.value / 100.0
            return math.sqrt(float(self.design_effect or 1) / (float(self.n or 1) * share * (1 - share)))
        if self.error_model == "binomial":
            near = (self.value + 1) / (self.count + 2)  # 9 of 9 is no proof of all
            return math.sqrt(near * (1 - near) / self.count)
        return float(self.error_sd or 0.0)

    @property
    def observation_sd(self) -> float:
        """SD of the observation with that between survey systems."""
        return math.hypot(self.sampling_sd, self.system_sd)

    @property
    def error_sd_all(self) -> float:
        """SD of the observation and the model's discrepancy together."""
        return math.hypot(self.observation_sd, self.discrepancy_sd)


def to_scale(value: Any, scale: Scale) -> F64:
    """Values in their unit (percent, count, correlation) on a scale; share is left as it is (0 to 1)."""
    x = np.asarray(value, float)
    if scale == "logit":
        share = np.clip(x / 100.0, SMALLEST, 1.0 - SMALLEST)
        return np.asarray(np.log(share / (1.0 - share)))
    if scale == "log":
        return np.asarray(np.log(np.maximum(x, SMALLEST_COUNT)))
    return x


def from_scale(x: Any, scale: Scale, n: int = 1) -> F64:
    """The inverse of `to_scale`, in the unit of the target; of a share, n times it."""
    x = np.asarray(x, float)
    if scale == "logit":
        return np.asarray(100.0 / (1.0 + np.exp(-x)))
    if scale == "log":
        return np.asarray(np.exp(x))
    return x * n if scale == "share" else x


def read_targets(path: Path) -> list[Target]:
    """Read a target file. Raises InputError naming line, column and value of everything wrong in it."""
    faults: list[Fault] = []
    found: list[Target] = []
    for line, row in read_rows(path, Target.model_fields):
        try:
            target = validated(Target, typed(row, NUMBERS, empty=("note",)), path, f"line {line}")
        except InputError as error:
            faults += error.faults
            continue
        faults += _faults(target, path, line)
        if any(target.id == other.id for other in found):
            faults.append(fault(path, f"line {line}.id", "duplicate", value=target.id, at=""))
        found.append(target)
    return all_or_faults(path, found, faults)


def _faults(target: Target, path: Path, line: int) -> list[Fault]:
    """What the error model asks for and the row lacks."""
    at, scales = f"line {line}", _SCALES[target.error_model]
    wrong = [
        fault(path, f"{at}.{name}", "missing", expected=f"a number, for {target.error_model}")
        for name in _NEEDS[target.error_model]
        if getattr(target, name) is None
    ]
    if target.scale not in scales:
        wrong.append(fault(path, f"{at}.scale", "choice", value=target.scale, choices=", ".join(scales)))
    low, high = {"logit": (0.0, 100.0), "log": (0.0, 1e12), "share": (0.0, float(target.n or 0))}.get(
        target.scale, (-1e6, 1e6)
    )
    if not low <= target.value <= high or (target.scale == "log" and target.value <= 0):
        words = {"value": target.value, "low": format_value(low), "high": format_value(high), "unit": target.unit}
        wrong.append(fault(path, f"{at}.value", "outside", **words))
    return wrong


@dataclass(frozen=True)
class Columns:
    """Targets as arrays (n_targets,), for the likelihood: all on the targets' scales.

    error_var: of observation and discrepancy (of a count, of the discrepancy alone: its own chance is binomial).
    """

    value: F64
    error_var: F64
    weight: F64
    count: NDArray[np.int64]  # n of a count, 0 of everything else

    @classmethod
    def of(cls, targets: Sequence[Target], observed: F64 | None = None) -> Columns:
        """Arrays of these targets; with `observed` (n_targets,), on the scales, in place of what was published."""
        count = np.array([each.count if each.error_model == "binomial" else 0 for each in targets])
        own = np.array([each.error_sd_all**2 for each in targets])
        discrepancy = np.array([each.discrepancy_sd**2 for each in targets])
        value = np.array([each.scaled for each in targets]) if observed is None else np.asarray(observed, float)
        return cls(value, np.where(count > 0, discrepancy, own), np.array([each.weight for each in targets]), count)
