"""Priors: which parameters are free in a calibration, between which bounds, and which targets speak to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault, format_value, unknown
from konvergensi.base.files import read_toml
from konvergensi.inputs.calibration_targets import F64
from konvergensi.inputs.fields import AnyNumber, Table, Text, validated
from konvergensi.inputs.parameters import Parameter, Value


class Prior(Table):
    """One free parameter: uniform between `low` and `high` (its own range where they are not given)."""

    low: AnyNumber | None = None
    high: AnyNumber | None = None
    why: Text
    informed_by: list[Text]


@dataclass(frozen=True)
class Space:
    """The free parameters, as a box that is mapped to the unit cube.

    keys: (n_free,) parameter keys; low, high (n_free,); informed_by: ids (or beginnings of ids) of targets.
    """

    keys: tuple[str, ...]
    low: F64
    high: F64
    informed_by: tuple[tuple[str, ...], ...]
    whole: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.keys)

    def values(self, unit: F64) -> F64:
        """Points of the unit cube (n, n_free) as parameter values."""
        values = self.low + unit * (self.high - self.low)
        return np.where(self.whole, np.round(values), values)

    def unit(self, values: F64) -> F64:
        """Parameter values (n, n_free) as points of the unit cube."""
        return np.asarray((values - self.low) / (self.high - self.low))

    def table(self, unit: F64) -> pd.DataFrame:
        """Points of the unit cube as a table, one column for each key."""
        return pd.DataFrame(self.values(unit), columns=list(self.keys))

    def settings(self, row: F64) -> dict[str, Value]:
        """One row of values as what a run is set to."""
        return {key: int(value) if whole else float(value) for key, value, whole in zip(self.keys, row, self.whole)}


def read_space(path: Path, free: Sequence[str], known: dict[str, Parameter], where: object) -> Space:
    """Read priors.toml and take the parameters that a study frees, in its order.

    Parameters: free, keys; known, the parameters of the district; where, the study's file, for what is wrong in it.
    Raises InputError naming keys nobody knows, parameters that are no numbers, and bounds outside their own range.
    """
    written: dict[str, Any] = read_toml(path)
    faults: list[Fault] = [unknown(path, key, key, known) for key in written if key not in known]
    faults += [unknown(where, f"free.{key}", key, written) for key in free if key not in written]
    if twice := [key for key in dict.fromkeys(free) if list(free).count(key) > 1]:
        faults += [fault(where, "free", "duplicate", value=key, at="") for key in twice]
    if faults:
        raise InputError(faults)
    found: list[tuple[str, float, float, Prior]] = []
    for key, table in written.items():
        try:
            prior = validated(Prior, table, path, key)
        except InputError as error:
            faults += error.faults
            continue
        parameter = known[key]
        if isinstance(parameter.value, (bool, str)) or parameter.low is None or parameter.high is None:
            faults.append(fault(path, key, "not_number", value=parameter.value, range=""))
            continue
        low = parameter.low if prior.low is None else prior.low
        high = parameter.high if prior.high is None else prior.high
        faults += [
            fault(path, f"{key}.{name}", "outside", value=value, unit="", **_bounds(*parameter.bounds))
            for name, value in (("low", low), ("high", high))
            if not parameter.bounds[0] <= value <= parameter.bounds[1]
        ]
        if not low < high:
            faults.append(fault(path, key, "low_above_high", value=low, **_bounds(low, high)))
        found.append((key, float(low), float(high), prior))
    if faults:
        raise InputError(faults)
    by_key = {key: (low, high, prior) for key, low, high, prior in found}
    return Space(
        keys=tuple(free),
        low=np.array([by_key[key][0] for key in free]),
        high=np.array([by_key[key][1] for key in free]),
        informed_by=tuple(tuple(by_key[key][2].informed_by) for key in free),
        whole=tuple(isinstance(known[key].value, int) for key in free),
    )


def _bounds(low: float, high: float) -> dict[str, str]:
    return {"low": format_value(low), "high": format_value(high)}
