"""A study: districts x scenarios x draws of the factors x seeds, and what is kept of each run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault, unknown, unknown_name
from konvergensi.base.files import anywhere, collect
from konvergensi.base.scalars import scalar
from konvergensi.inputs.arguments import Check, mapping, name_list
from konvergensi.inputs.district_names import from_anywhere
from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.extensions import in_force
from konvergensi.inputs.fields import number_fault
from konvergensi.inputs.options import check_options
from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.inputs.scenarios import Scenario, load_scenario, resolve
from konvergensi.methods.designs import SAMPLED, Design, draws_of
from konvergensi.methods.factors import Factor, levels_of
from konvergensi.methods.functions import FUNCTIONS, PLACE, SCENARIOS, parameters_of
from konvergensi.studies.factor_checks import checked_factor

KONVERGENSI = "konvergensi"
OUTCOME = "konvergensi.model.outcome:outcome"
MODELS = (KONVERGENSI, *FUNCTIONS)
LAST_SEED = 2**31 - 1
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
    force from the beginning of the burn-in, as the factors' are; model, `konvergensi` or a test function; outcome,
    `module:function` that makes an Outcome of a finished model; extensions, files or names of installed ones; title, by
    language or one text for both; codes, the points of a design that has them given. Lists and arrays do for tuples,
    one name for several, a number N of seeds for seeds 1 to N.
    Raises InputError with each argument of a wrong type.
    """

    districts: tuple[str, ...] = ("lebak",)
    scenarios: tuple[str, ...] = ("baseline",)
    factors: tuple[Factor, ...] = ()
    design: Design = field(default_factory=Design)
    seeds: tuple[int, ...] = (1,)
    population_share: float = 0.02
    start: str = "2018-01"
    end: str = "2024-12"
    set: Mapping[str, Value] = field(default_factory=dict)
    model: str = KONVERGENSI
    outcome: str = OUTCOME
    title: Mapping[str, str] = field(default_factory=dict)
    keep: Keep = Keep()
    extensions: tuple[str, ...] = ()
    codes: np.ndarray | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        def made(name: str, kind: Check) -> tuple[str, Any]:
            return name, kind(name, getattr(self, name))

        for name, value in collect(partial(made, name, kind) for name, kind in _KINDS.items()):
            object.__setattr__(self, name, value)

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


def _names(option: str, value: Any) -> tuple[str, ...]:
    return tuple(name_list(option, value))


def _factors(option: str, value: Any) -> tuple[Factor, ...]:
    listed = [value] if isinstance(value, (Factor, str)) else value
    if not isinstance(listed, Sequence) or not all(isinstance(each, (Factor, str)) for each in listed):
        raise InputError(fault("", option, "not_kind", value=value, what="factors"))
    return tuple(Factor(each) if isinstance(each, str) else each for each in listed)


def _design(option: str, value: Any) -> Design:
    if not isinstance(value, Design):
        raise InputError(fault("", option, "not_kind", value=value, what="a_design"))
    return value


def _seeds(option: str, value: Any) -> tuple[int, ...]:
    value = scalar(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_DRAWS:
        return tuple(range(1, value + 1))
    listed = [scalar(each) for each in value] if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    wrong: tuple[str, dict[str, Any]] | None = ("empty", {}) if not listed else None
    for each in listed:
        wrong = wrong or number_fault(each, 0, LAST_SEED, "", whole=True)
    if wrong:
        raise InputError(fault("", option, wrong[0], **wrong[1]))
    return tuple(map(int, listed))


def _plain(_option: str, value: Any) -> Any:
    return scalar(value)


def _title(option: str, value: Any) -> Mapping[str, str]:
    title = {"en": value, "id": value} if isinstance(value, str) else mapping(option, value)
    if not all(isinstance(each, str) for each in title.values()):
        raise InputError(fault("", option, "not_text", value=value))
    return title


_KINDS: dict[str, Check] = {
    "districts": _names, "scenarios": _names, "factors": _factors, "design": _design, "seeds": _seeds,
    "population_share": _plain, "set": mapping, "title": _title,
}  # fmt: skip


def with_points(study: Study, points: pd.DataFrame, where: object = "points", header: int = 0) -> Study:
    """The study at these points: a column for each factor, a row for each draw.

    A column whose factor the study has keeps its definition. Parameters: where, header: the file of the points and how
    many of its lines come before them, for what is said of a fault. Raises InputError for unknown keys and values out
    of the parameter's range.
    """
    known = parameters_for(study)
    had = {factor.key: factor for factor in study.factors}
    keys = [str(key) for key in points.columns]
    faults = [unknown(where, key, key, known) for key in keys if key not in known and not Factor(key).is_dummy]
    if len(points) == 0 or not keys:
        faults.append(fault(where, "", "no_rows"))
    if faults:
        raise InputError(faults)
    factors = tuple(had.get(key) or _given(key, known.get(key)) for key in keys)
    told = (where, header)
    columns = collect(partial(_column, each, known.get(each.key), points[each.key], told) for each in factors)
    return replace(study, factors=factors, design=Design("list", len(points)), codes=np.column_stack(columns))


def _given(key: str, parameter: Parameter | None) -> Factor:
    if parameter is None:
        return Factor(key, low=0.0, high=1.0)
    levels = levels_of(parameter)
    whole = isinstance(parameter.value, int) and not levels
    return Factor(key, low=parameter.low, high=parameter.high, values=levels, whole=whole)


def _column(factor: Factor, parameter: Parameter | None, column: pd.Series, told: tuple[object, int]) -> np.ndarray:
    """Codes of a column of values. Raises InputError with the first value that cannot be used."""
    if not factor.values and _usable(column, parameter):
        return column.to_numpy(np.float64)
    values, (where, header) = column.tolist(), told
    for line, value in enumerate(values, start=header + 1):
        wrong = parameter.fault_in(value) if parameter else _no_number(value)
        if wrong is None and factor.values and value not in factor.values:
            wrong = fault("", "", "choice", value=value, choices=", ".join(map(str, factor.values)))
        if wrong:
            more = {"line": line, "what": replace(wrong, where="", key=""), "more": 0}
            raise InputError(fault(where, factor.key, "at_line", **more))
    return np.array([factor.code(value) for value in values])


def _no_number(value: Any) -> Fault | None:
    wrong = number_fault(value, -1e18, 1e18, "", whole=False)
    return fault("", "", wrong[0], **wrong[1]) if wrong else None


def _usable(column: pd.Series, parameter: Parameter | None) -> bool:
    """Whether all of a column are numbers this parameter may have."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return False
    values = column.to_numpy(np.float64)
    if parameter is None:
        return bool(np.isfinite(values).all())
    whole = not isinstance(parameter.value, int) or (values == np.rint(values)).all()
    return bool(whole and ((values >= parameter.bounds[0]) & (values <= parameter.bounds[1])).all())


def parameters_for(study: Study) -> dict[str, Parameter]:
    """What may be varied or set: parameters of every district of the study."""
    with in_force(study.extensions):
        return _parameters_for(study)


def _parameters_for(study: Study) -> dict[str, Parameter]:
    if study.model != KONVERGENSI:
        return parameters_of(study.model)
    known = find_district(study.districts[0]).parameters()
    for other in study.districts[1:]:
        there = find_district(other).parameters()
        known = {key: parameter for key, parameter in known.items() if key in there}
    return known


def sources_of(study: Study, where: object = "") -> Sources:
    """Read the districts and scenarios. Raises InputError when one is unknown, wrong, or named twice."""
    with in_force(study.extensions):
        return _sources_of(study, where)


def _sources_of(study: Study, where: object) -> Sources:
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
        reads = [partial(_read, find_district, name, where, "districts") for name in study.districts]
        read = collect([*reads, *(partial(_read, load_scenario, name, where, "scenarios") for name in study.scenarios)])
        places, policies = tuple(read[: len(reads)]), tuple(read[len(reads) :])
        found = Sources(places, policies, tuple(each.id for each in places), tuple(each.id for each in policies))
    faults = []
    for key, names in (("districts", found.place_ids), ("scenarios", found.policy_ids)):
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        faults += [fault(where, key, "named_twice", value=name) for name in twice]
    if faults:
        raise InputError(faults)
    return found


def _read(read: Callable[[str], Any], name: str, where: object, key: str) -> Any:
    """Read a district or a scenario; a fault that names no file of its own is one of the study."""
    try:
        return read(name)
    except InputError as error:
        faults = [each if each.where else replace(each, where=str(where), key=key) for each in error.faults]
        raise InputError(faults) from None


# ---- checking --------------------------------------------------------------------------------------------------------


def checked(study: Study, where: object = "study") -> Study:
    """The study with every factor's range filled in. Raises InputError with each thing that is wrong with it."""
    with in_force(study.extensions) as extensions:
        # imported here, as it takes a second that commands on stores, and workers on test functions, do not need
        from konvergensi.model.convergence import MONTH, ConvergenceModel
        from konvergensi.model.extensions import check as check_extensions

        check_extensions(extensions, MONTH, ConvergenceModel)
        return _checked(replace(study, extensions=tuple(each.where for each in extensions)), where)


def _checked(study: Study, where: object) -> Study:
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
            factors.append(checked_factor(factor, known, sources.policies, study.set, where))
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
    return replace(
        study, districts=tuple(map(from_anywhere, study.districts)), scenarios=tuple(map(anywhere, study.scenarios))
    )


def _design_faults(study: Study, where: object) -> list[Fault]:
    design, faults = study.design, []
    given = study.codes is not None
    if not given and study.factors and design.method in SAMPLED and not 1 <= design.draws <= MOST_DRAWS:
        words = {"value": design.draws, "low": 1, "high": f"{MOST_DRAWS:,}", "unit": "draws"}
        faults.append(fault(where, "design.draws", "outside", **words))
    if not given and study.factors and design.method in ("list", "csv"):
        faults.append(fault(where, "design", "missing", expected="points = [{ ... }]", near=None))
    if not faults and study.runs > MOST_RUNS:
        faults.append(fault(where, "design", "too_many_runs", value=study.runs, most=f"{MOST_RUNS:,}"))
    return faults


def as_data(study: Study) -> dict[str, Any]:
    """The study as JSON writes it, without its points."""
    from dataclasses import asdict

    data = asdict(replace(study, codes=None))
    del data["codes"]
    return data


def from_data(data: Mapping[str, Any], codes: np.ndarray | None) -> Study:
    """The study that `as_data` wrote, with the points it was given, if any."""

    def made(kind: Any, each: Mapping[str, Any]) -> Any:
        return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in each.items()})

    parts = {
        "factors": [made(Factor, each) for each in data["factors"]],
        "design": made(Design, data["design"]),
        "keep": made(Keep, data["keep"]),
        "codes": codes,
    }
    found: Study = made(Study, {**data, **parts})
    return found
