"""A user's observations: read from a CSV, predicted by the fitted draws, scored against naive forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd

from konvergensi.analyses.calibration import POSTERIOR, Analysis
from konvergensi.analyses.forecasts import NAIVE, field_month, naive, of_sample
from konvergensi.base.errors import Fault, InputError, fault, format_value, unknown_name
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.calibration_study import CalibrationStudy
from konvergensi.inputs.calibration_targets import F64, Target, from_scale, to_scale
from konvergensi.inputs.country_observed import NUMBERS
from konvergensi.inputs.csv_files import all_or_faults, typed
from konvergensi.inputs.fields import Choice, Table, Text, between, validated
from konvergensi.inputs.office_rows import read_office_rows
from konvergensi.methods.posterior import systematic

COLUMNS = ("area", "year", "measure_system", "percent", "source")
INTERVAL = ("low", "high")  # columns that need not be there
REGISTER = "e-PPGBM"
SAMPLED = 2000
DEFAULTS: dict[str, Any] = {
    "n": 690.0,
    "design_effect": 1.5,
    "system_sd": 0.15,
    "discrepancy_sd": 0.05,
}  # as in the target files
REGISTER_ERRORS: dict[str, Any] = {"error_sd": 0.12, "discrepancy_sd": 0.1}


class Observation(Table):
    """One row of the file: low and high are the survey's own 95 % interval, where it published one."""

    area: Text
    year: Annotated[int, between(1990, 2100, "", whole=True)]
    measure_system: Annotated[Literal["Riskesdas", "SSGBI", "SSGI", "SKI", "e-PPGBM"], Choice]
    percent: Annotated[float, between(1, 99, "percent")]  # below, it is a share: 0.193
    low: Annotated[float, between(0, 100, "percent")] | None = None
    high: Annotated[float, between(0, 100, "percent")] | None = None
    source: Text


@dataclass(frozen=True)
class _Span:
    first: int
    last: int


def read_observed(path: Path, study: CalibrationStudy, notes: list[Fault] | None = None) -> list[Observation]:
    """Read a file of observations for a study's district; notes, where given, is added what was read how.

    Raises InputError with one line for each fault: a column or cell that is missing, a number out of range, an area
    that is not the district, a year outside the study's runs, an interval that does not hold its percent.
    """
    names = {study.place.name.lower(), study.place.id.lower()}
    span = _Span(parse_month(study.file.start), parse_month(study.file.end))
    faults: list[Fault] = []
    found: list[Observation] = []
    for line, row in read_office_rows(path, "observed", COLUMNS, ("area", "year"), NUMBERS, notes):
        try:
            cells = {name: row.get(name, "") for name in (*COLUMNS, *INTERVAL)}
            known = typed(cells, ("year", "percent", *INTERVAL), whole=("year",), empty=COLUMNS)
            each = validated(Observation, known, path, f"line {line}")
        except InputError as error:
            faults += error.faults
            continue
        if each.area.strip().lower() not in names:
            choices = [study.place.name, study.place.id]
            faults.append(unknown_name(path, f"line {line}.area", "area", each.area, choices))
        month = _month(each, study)
        if not span.first <= month <= span.last:
            words = {"value": each.year, "low": study.file.start, "high": study.file.end, "unit": ""}
            faults.append(fault(path, f"line {line}.year", "outside", **words))
        low, high = each.low if each.low is not None else 0.0, each.high if each.high is not None else 100.0
        if not low <= each.percent <= high:
            words = {"value": each.percent, "low": format_value(low), "high": format_value(high)}
            faults.append(fault(path, f"line {line}.percent", "low_above_high", **words))
        found.append(each)
    return all_or_faults(path, found, faults)


def _month(each: Observation, study: CalibrationStudy) -> int:
    """The month in which a survey is taken to have gone out: as the district dates that system in that year."""
    dated = [s.fieldwork for s in study.place.surveys if s.system == each.measure_system]
    same_year = [month for month in dated if month // 12 == each.year]
    month = 8 if each.measure_system == REGISTER else field_month(each.measure_system)
    return same_year[0] if same_year else each.year * 12 + month - 1


def as_target(each: Observation, study: CalibrationStudy) -> Target:
    """The observation as a target, with the error model of its kind; its own interval where it has one."""
    common: dict[str, Any] = {
        "id": f"{each.measure_system} {each.year}", "area": study.place.name, "level": "district",
        "value": each.percent, "source": each.source, "grade": "published",
    }  # fmt: skip
    if each.measure_system == REGISTER:
        own: dict[str, Any] = {
            "when": str(each.year),
            "observable": f"eppgbm:{each.year}",
            "unit": "percent of children entered",
        }
        return Target(**common, **own, scale="log", error_model="factor", **REGISTER_ERRORS)
    month = _nearest_simulated(format_month(_month(each, study)))
    own = {"when": month, "observable": f"survey:{month}", "unit": "percent of under-fives"}
    errors: dict[str, Any] = dict(DEFAULTS)
    if each.low is not None and each.high is not None and each.low < each.high:
        half = (float(to_scale(each.high, "logit")) - float(to_scale(each.low, "logit"))) / 2.0
        share = each.percent / 100.0
        variance = (half / 1.96) ** 2 * share * (1.0 - share)  # of one child, over the children it is worth
        errors |= {"n": max(1.0, errors["design_effect"] / max(variance, 1e-9))}
    return Target(**common, **own, scale="logit", error_model="survey", **errors)


def _nearest_simulated(month: str) -> str:
    """April or September, whichever is nearer: for these months runs keep what a survey would find."""
    year, _, number = month.partition("-")
    return f"{year}-04" if int(number) <= 6 else f"{year}-09"


def predict_observed(
    analysis: Analysis, draws: pd.DataFrame, observed: list[Observation], national: dict[float, float]
) -> pd.DataFrame:
    """Each observation predicted by the fitted draws' own runs, and by naive forecasts from earlier targets.

    One that the fit has seen is predicted from draws weighted back, as if it had not. Parameters: draws, a row for each
    draw: weight and free parameters. Columns: area, year, measure_system, observed, was_target, method, low, middle,
    high, inside, interval_score, crps.
    """
    study = analysis.study
    weights = draws["weight"].to_numpy(float)
    logs = _target_logs(analysis, draws) if observed else np.empty((0, 0))
    runs = analysis.runs[analysis.runs["stage"] == POSTERIOR]
    rng = np.random.default_rng([study.file.seed, 71])
    rows = []
    for each in observed:
        target = as_target(each, study)
        same = np.array([one.observable == target.observable and one.weight > 0 for one in study.targets])
        own = weights * _back(logs[:, same].sum(axis=1))
        chosen = systematic(own[runs["draw"].to_numpy(int) - 1], SAMPLED, 0.5)
        shown = to_scale(runs[target.observable].to_numpy(float)[chosen], target.scale)
        noisy = from_scale(shown + target.error_sd_all * rng.standard_normal(SAMPLED), target.scale)
        earlier = [one for one in study.targets if one.level == "district"]
        forecasts = [of_sample("model", noisy)]
        forecasts += [made for name in NAIVE if (made := naive(name, target, earlier, national)) is not None]
        for made in forecasts:
            rows.append({
                "area": each.area, "year": each.year, "measure_system": each.measure_system, "observed": each.percent,
                "was_target": bool(same.any()), "method": made.method,
                "low": made.low, "middle": made.middle, "high": made.high,
                "inside": bool(made.low <= each.percent <= made.high), **made.scores(each.percent),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _target_logs(analysis: Analysis, draws: pd.DataFrame) -> F64:
    """What each target added to the log likelihood of each draw, (n_draws, n_targets)."""
    likelihood, space = analysis.likelihood, analysis.study.space
    unit = space.unit(draws[list(space.keys)].to_numpy(float))
    return np.asarray(likelihood.each_log_of(likelihood.emulators.predict(unit)) * likelihood.columns.weight)


def _back(log: F64) -> F64:
    """Weights (n_draws,) that take a part of the likelihood back, the largest 1."""
    return np.asarray(np.exp(log.min() - log))
