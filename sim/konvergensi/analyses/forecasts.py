"""Naive forecasts that a model has to beat: the last value, and the last value moved by the national trend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from konvergensi.base.errors import InputError, fault
from konvergensi.inputs.calibration_targets import F64, Target, from_scale, to_scale
from konvergensi.inputs.csv_files import read_rows
from konvergensi.methods.scores import TAILS, crps, interval_score

LEVELS = (np.arange(199) + 0.5) / 199  # quantiles that stand for a naive forecast's distribution
NAIVE = ("last value", "national trend")
_FIELD_MONTHS = {"Riskesdas": 4}
_ANY_OTHER = 9


@dataclass(frozen=True)
class Forecast:
    """A forecast of one target in its unit: low, middle, high, and a sample of it (n,)."""

    method: str
    low: float
    middle: float
    high: float
    sample: F64

    def scores(self, seen: float) -> dict[str, float]:
        """Interval score and CRPS of what was seen."""
        return {"interval_score": interval_score(self.low, self.high, seen), "crps": crps(self.sample, seen)}


def of_sample(method: str, sample: F64) -> Forecast:
    """A forecast from equally likely values (n,)."""
    low, middle, high = np.quantile(sample, (TAILS[0], 0.5, TAILS[1]))
    return Forecast(method, float(low), float(middle), float(high), sample)


def naive(method: str, target: Target, earlier: Sequence[Target], national: dict[float, float]) -> Forecast | None:
    """A naive forecast of a target from earlier ones of the same place and kind; None where there is none.

    The last value as it was, or moved on the target's scale as the nation's surveys moved. Its error: that of the last
    value and that of the target itself, both as their error models say, so that no forecast knows more than another.
    """
    kind, when = target.observable.partition(":")[0], year_of(target.when)
    place = [each for each in earlier if each.observable.partition(":")[0] == kind and each.area == target.area]
    before = [each for each in place if year_of(each.when) < when]
    if not before or target.scale not in ("logit", "log"):
        return None
    last = max(before, key=lambda each: year_of(each.when))
    middle = last.scaled
    if method == "national trend":
        then, now = (nation_at(national, year_of(each)) for each in (last.when, target.when))
        middle += float(to_scale(now, target.scale) - to_scale(then, target.scale))
    sd = float(np.hypot(last.observation_sd, target.observation_sd))
    low, high, half = (float(from_scale(middle + sd * ndtri(at), target.scale)) for at in (*TAILS, 0.5))
    return Forecast(method, low, half, high, from_scale(middle + sd * ndtri(LEVELS), target.scale))


def year_of(when: str) -> float:
    """A month `YYYY-MM` or a year `YYYY` (its middle) as a number of years."""
    year, _, month = when.partition("-")
    return float(year) + (float(month) - 0.5) / 12.0 if month else float(year) + 0.5


def nation_at(national: dict[float, float], when: float) -> float:
    """The nation's percent at a time: linear between surveys, and on at the pace of the last two beyond them."""
    years = np.array(sorted(national))
    percent = np.array([national[year] for year in years])
    if when > years[-1] and len(years) > 1:
        pace = (percent[-1] - percent[-2]) / (years[-1] - years[-2])
        return float(max(percent[-1] + pace * (when - years[-1]), 0.5))
    return float(np.interp(when, years, percent))


def read_national(path: Path) -> dict[float, float]:
    """The nation's surveys by time. Raises InputError when the table has no such columns or numbers."""
    found: dict[float, float] = {}
    for line, row in read_rows(path, ("measure_system", "year", "percent")):
        try:
            month = _FIELD_MONTHS.get(row["measure_system"], _ANY_OTHER)
            found[year_of(f"{int(row['year'])}-{month:02}")] = float(row["percent"])
        except ValueError as error:
            raise InputError(fault(path, f"line {line}", "plain", text=str(error))) from None
    return found


def field_month(system: str) -> int:
    """The month in which a survey system is taken to go to the field."""
    return _FIELD_MONTHS.get(system, _ANY_OTHER)
