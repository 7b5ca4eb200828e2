"""Cases: what was varied in each draw of a study, and whether the draw is of interest."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from konvergensi.base.errors import InputError, fault
from konvergensi.methods.boxes import Bools

SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_ONE = re.compile(r"\s*([\w:-]+)\s*(>=|<=|>|<)\s*([-+]?[\d_]*\.?\d+(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Condition:
    """`output` compared with a number, in the units of the store."""

    output: str
    sign: str
    value: float

    def holds(self, values: pd.Series) -> Bools:
        """For which of the values it holds, (n,)."""
        return np.asarray(SIGNS[self.sign](values, self.value), dtype=bool)


@dataclass(frozen=True)
class Where:
    """What is of interest: one condition, or several of which `any` or all must hold."""

    conditions: tuple[Condition, ...]
    any: bool
    text: str

    def holds(self, values: pd.DataFrame) -> Bools:
        """Which rows are of interest, (n,); `values` has a column for each output."""
        each = [condition.holds(values[condition.output]) for condition in self.conditions]
        return np.asarray(np.any(each, axis=0) if self.any else np.all(each, axis=0))


def parse_where(text: str) -> Where:
    """Read `OUTPUT SIGN NUMBER`, several joined by `or` or by `and`. Raises InputError for anything else."""
    parts = re.split(r"\s+(or|and)\s+", text.strip())
    found = [_ONE.fullmatch(part) for part in parts[::2]]
    if not all(found) or len(set(parts[1::2])) > 1:
        raise InputError(fault("", "--where", "where_form", value=text))
    conditions = tuple(Condition(name, sign, float(value)) for name, sign, value in (m.groups() for m in found if m))
    return Where(conditions, "or" in parts[1::2], " ".join(text.split()))


@dataclass(frozen=True)
class Cases:
    """Cases by draw: `x` the factors, `values` the outputs asked for, `interest` (n,) bool; all in the same order."""

    x: pd.DataFrame
    values: pd.DataFrame
    interest: Bools
    where: Where
    scenario: str
    district: str
    left_out: int  # draws of which a run failed or is not yet done, or for which an output has no number
