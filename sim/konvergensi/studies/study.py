"""A study: districts x scenarios x draws of the factors x seeds, and what is kept of each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.errors import Fault, InputError, fault, unknown, unknown_name
from konvergensi.inputs.files import collect
from konvergensi.inputs.options import check_options
from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.inputs.scenarios import Scenario, load_scenario, resolve
from konvergensi.studies.designs import SAMPLED, Design, draws_of
from konvergensi.studies.factors import DISTRIBUTIONS, NEEDS, Factor, levels_of
from konvergensi.studies.functions import FUNCTIONS, PLACE, SCENARIOS, parameters_of

KONVERGENSI = "konvergensi"
OUTCOME = "konvergensi.studies.outcome:outcome"
MODELS = (KONVERGENSI, *FUNCTIONS)
MOST_DRAWS, MOST_RUNS = 10_000_000, 1_000_000_000


@dataclass(frozen=True)
class Keep:
    """What is kept of each run: names of scalars and of measures of the series (None: all), groups or not."""

    scalars: tuple[str, ...] | None = None
    series: tuple[str, ...] | None = None
    groups: bool = True


@dataclass(frozen=True)
class Study:
    """Which runs to make, and what to keep of them.

    Parameters: districts and scenarios, names or paths, the first scenario the reference of differences; factors, what
    varies; design, at which points; seeds, in common for all scenarios and draws; set, values that all runs share, in
    force from the beginning of the lived past, as the factors' are; model, `konvergensi` or a test function; outcome,
    `module:function` that makes an Outcome of a finished model; codes, the points of a design that has them given.
    """

    districts: tuple[str, ...] = ("lebak",)
    scenarios: tuple[str, ...] = ("baseline",)
    factors: tuple[Factor, ...] = ()
    design: Design = Design()
    seeds: tuple[int, ...] = (1,)
    population_share: float = 0.02
    start: str = "2018-01"
    end: str = "2024-12"
    set: Mapping[str, Value] = field(default_factory=dict)
    model: str = KONVERGENSI
    outcome: str = OUTCOME
    title: Mapping[str, str] = field(default_factory=dict)
    keep: Keep = Keep()
    codes: np.ndarray | None = field(default=None, compare=False, repr=False)

    @property
    def runs(self) -> int:
        """How many runs are planned."""
        return self.cells * len(self.scenarios)

    @property
    def cells(self) -> int:
        """How many pieces of work: all scenarios of one district, draw and seed."""
        return len(self.districts) * draws_of(self) * len(self.seeds)


@dataclass(frozen=True)
class Sources:
    """What a study's names stand for; of a test function, names only."""

    places: tuple[District, ...]
    policies: tuple[Scenario, ...]
    place_ids: tuple[str, ...]
    policy_ids: tuple[str, ...]


def with_points(study: Study, points: pd.DataFrame) -> Study:
    """The study at these points: a column for each factor, a row for each draw.

    A column whose factor the study has keeps its definition. Raises InputError for unknown keys and values out of the
    parameter's range.
    """
    known, where = parameters_for(study), "points"
    had = {factor.key: factor for factor in study.factors}
    columns = [str(key) for key in points.columns]
    faults = [unknown(where, key, key, known) for key in columns if key not in known and not Factor(key).is_dummy]
    if len(points) == 0 or not columns:
        faults.append(fault(where, "", "no_rows"))
    if faults:
        raise InputError(faults)
    factors = tuple(had.get(key) or _given(key, known.get(key)) for key in columns)
    codes = np.column_stack(collect(partial(_column, factor, known.get(factor.key), points[factor.key], where)
                                    for factor in factors))  # fmt: skip
    return replace(study, factors=factors, design=Design("list", len(codes)), codes=codes)


def _given(key: str, parameter: Parameter | None) -> Factor:
    if parameter is None:
        return Factor(key, low=0.0, high=1.0)
    whole = isinstance(parameter.value, int)
    return Factor(key, low=parameter.low, high=parameter.high, values=levels_of(parameter), whole=whole)


def _column(factor: Factor, parameter: Parameter | None, column: pd.Series, where: object) -> np.ndarray:
    """Codes of a column of values. Raises InputError with the first value that cannot be used."""
    if parameter is not None:
        for row, value in enumerate(column.tolist(), start=1):
            wrong = parameter.fault_in(value)
            if wrong is None and factor.values and value not in factor.values:
                wrong = fault("", "", "choice", value=value, choices=", ".join(map(str, factor.values)))
            if wrong:
                more = {"line": row, "what": replace(wrong, where="", key=""), "more": 0}
                raise InputError(fault(where, factor.key, "at_line", **more))
    if factor.values:
        return np.array([factor.code(value) for value in column.tolist()])
    return column.to_numpy(np.float64)


def parameters_for(study: Study) -> dict[str, Parameter]:
    """What may be varied or set: parameters of every district of the study."""
    if study.model != KONVERGENSI:
        return parameters_of(study.model)
    known = find_district(study.districts[0]).parameters()
    for other in study.districts[1:]:
        there = find_district(other).parameters()
        known = {key: parameter for key, parameter in known.items() if key in there}
    return known


def sources_of(study: Study, where: object = "") -> Sources:
    """Read the districts and scenarios. Raises InputError when one is unknown, wrong, or named twice."""
    if study.model != KONVERGENSI:
        faults = [
            unknown_name(where, "districts", "district", name, [PLACE]) for name in study.districts if name != PLACE
        ]
        faults += [unknown_name(where, "scenarios", "scenario", name, SCENARIOS)
                   for name in study.scenarios if name not in SCENARIOS]  # fmt: skip
        if faults:
            raise InputError(faults)
        found = Sources((), (), study.districts, study.scenarios)
    else:
        reads = [partial(find_district, name) for name in study.districts]
        read = collect([*reads, *(partial(load_scenario, name) for name in study.scenarios)])
        places, policies = tuple(read[: len(reads)]), tuple(read[len(reads) :])
        found = Sources(places, policies, tuple(each.id for each in places), tuple(each.id for each in policies))
    faults = []
    for key, names in (("districts", found.place_ids), ("scenarios", found.policy_ids)):
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        faults += [fault(where, key, "named_twice", value=name) for name in twice]
    if faults:
        raise InputError(faults)
    return found


# ---- checking --------------------------------------------------------------------------------------------------------


def checked(study: Study, where: object = "study") -> Study:
    """The study with every factor's range filled in. Raises InputError with each thing that is wrong with it."""
    if study.model not in MODELS:
        raise InputError(unknown_name(where, "model", "model", study.model, MODELS))
    first, last = check_options(start=study.start, end=study.end, population_share=study.population_share)
    sources = sources_of(study, where)
    known = parameters_for(study)
    faults = [unknown(where, f"set.{key}", key, known) for key in study.set if key not in known]
    faults += [replace(wrong, key=f"set.{key}") for key, value in study.set.items()
               if key in known and (wrong := known[key].fault_in(value, where))]  # fmt: skip
    factors = []
    for factor in study.factors:
        try:
            factors.append(_checked_factor(factor, known, sources, study, where))
        except InputError as error:
            faults += error.faults
    keys = [factor.key for factor in study.factors]
    faults += [fault(where, f"factors.{key}", "set_twice") for key in dict.fromkeys(keys) if keys.count(key) > 1]
    if faults:
        raise InputError(faults)
    study = replace(study, factors=tuple(factors))
    faults = _design_faults(study, where)
    if faults:
        raise InputError(faults)
    for policy in sources.policies:
        collect(partial(resolve, policy, place, study.set, first, last) for place in sources.places)
    return study


def _checked_factor(
    factor: Factor, known: Mapping[str, Parameter], sources: Sources, study: Study, where: object
) -> Factor:
    key = f"factors.{factor.key}"
    if factor.is_dummy:
        return replace(factor, low=0.0, high=1.0)
    if factor.key not in known:
        raise InputError(unknown(where, key, factor.key, known))
    parameter = known[factor.key]
    faults: list[Fault] = []
    if factor.key in study.set:
        faults.append(fault(where, key, "set_and_factor"))
    if by := next((each for each in sources.policies if any(c.key == factor.key for c in each.changes)), None):
        faults.append(fault(where, key, "factor_decided", value=by.id))
    if factor.distribution not in DISTRIBUTIONS:
        faults.append(unknown_name(where, f"{key}.distribution", "distribution", factor.distribution, DISTRIBUTIONS))
        raise InputError(faults)
    values = tuple(factor.values)
    if not values and (factor.distribution == "choice" or levels_of(parameter)):
        values = levels_of(parameter)
    if levels_of(parameter) and factor.distribution not in ("uniform", "choice"):
        choices = ", ".join(str(each).lower() for each in levels_of(parameter))
        faults.append(fault(where, f"{key}.distribution", "factor_levels", value=factor.distribution, choices=choices))
    if values:
        faults += [
            replace(wrong, key=f"{key}.values") for value in values if (wrong := parameter.fault_in(value, where))
        ]
        faults += [fault(where, f"{key}.values", "duplicate", value=value, at="")
                   for value in dict.fromkeys(values) if values.count(value) > 1]  # fmt: skip
        whole = isinstance(parameter.value, int) and not isinstance(parameter.value, bool)
        settled = replace(factor, distribution="choice", values=values, whole=whole)
    else:
        settled = replace(
            factor,
            low=parameter.low if factor.low is None else factor.low,
            high=parameter.high if factor.high is None else factor.high,
            whole=isinstance(parameter.value, int),
        )
        faults += _number_faults(settled, parameter, where, key)
    if faults:
        raise InputError(faults)
    if not values:
        return settled
    return replace(settled, values=tuple(parameter.checked(value) for value in values))


def _number_faults(factor: Factor, parameter: Parameter, where: object, key: str) -> list[Fault]:
    """What is wrong with the numbers of a distribution."""
    needs = NEEDS[factor.distribution]
    faults = [
        fault(where, f"{key}.{name}", "missing", expected=f"{name} = ...", near=None)
        for name in needs
        if getattr(factor, name) in (None, ())
    ]
    every = {name for names in NEEDS.values() for name in names} - {"values"}
    faults += [
        fault(where, f"{key}.{name}", "factor_unused", value=factor.distribution)
        for name in sorted(every - set(needs))
        if getattr(factor, name) is not None
    ]
    inside = replace(parameter, value=float(parameter.value))  # a mean or a cut of a whole parameter need not be whole
    for name in ("low", "high", "mode", "median"):
        value = getattr(factor, name)
        if value is not None and (wrong := inside.fault_in(value, where)):
            faults.append(replace(wrong, key=f"{key}.{name}"))
    for name, least in (("sd", 0.0), ("gsd", 1.0)):
        value = getattr(factor, name)
        if value is not None and not (least < value < float("inf")):
            faults.append(fault(where, f"{key}.{name}", "not_above", value=value, least=f"{least:g}"))
    if factor.mean is not None and not abs(factor.mean) < float("inf"):
        faults.append(fault(where, f"{key}.mean", "not_number", value=factor.mean, range=""))
    if faults:
        return faults
    assert factor.low is not None and factor.high is not None
    if not factor.low < factor.high:
        faults.append(fault(where, f"{key}.low", "low_not_below", value=factor.low, high=factor.high))
    elif factor.mode is not None and not factor.low <= factor.mode <= factor.high:
        faults.append(
            fault(where, f"{key}.mode", "outside", value=factor.mode, low=factor.low, high=factor.high, unit="")
        )
    elif factor.distribution == "lognormal" and not factor.high > 0:
        faults.append(fault(where, f"{key}.distribution", "factor_positive", value=factor.high))
    elif factor.distribution in ("normal", "lognormal") and not np.isfinite(factor.codes(np.array([0.5]))).all():
        faults.append(fault(where, key, "factor_outside", low=factor.low, high=factor.high))
    return faults


def _design_faults(study: Study, where: object) -> list[Fault]:
    design, faults = study.design, []
    given = study.codes is not None
    if not given and study.factors and design.method in SAMPLED and not 1 <= design.draws <= MOST_DRAWS:
        words = {"value": design.draws, "low": 1, "high": f"{MOST_DRAWS:,}", "unit": " draws"}
        faults.append(fault(where, "design.draws", "outside", **words))
    if not given and study.factors and design.method in ("list", "csv"):
        faults.append(fault(where, "design", "missing", expected="points = [{ ... }]", near=None))
    if not faults and study.runs > MOST_RUNS:
        faults.append(fault(where, "design", "too_many_runs", value=study.runs, most=f"{MOST_RUNS:,}"))
    return faults


def load_study(path: str | Path) -> Study:
    """Read and check a study file. Raises InputError with one fault for each thing that is wrong."""
    from konvergensi.studies.study_file import read_study

    return read_study(Path(path))


def as_data(study: Study) -> dict[str, Any]:
    """The study as JSON writes it, without its points."""
    from dataclasses import asdict

    data = asdict(replace(study, codes=None))
    del data["codes"]
    return data


def from_data(data: Mapping[str, Any], codes: np.ndarray | None) -> Study:
    """The study that `as_data` wrote, with the points it was given, if any."""

    def table(kind: Any, each: Mapping[str, Any]) -> Any:
        return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in each.items()})

    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    plain["factors"] = tuple(table(Factor, each) for each in data["factors"])
    plain["design"], plain["keep"] = table(Design, data["design"]), table(Keep, data["keep"])
    return Study(**plain, codes=codes)
