"""The study file: TOML to Study, every fault by its key."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, Field

from konvergensi.base.errors import InputError, fault, unknown
from konvergensi.base.files import as_text, as_toml, data_root, exists, flat, is_path, locate, read_bytes
from konvergensi.base.months import format_month
from konvergensi.inputs.csv_files import parse_csv
from konvergensi.inputs.district_names import from_anywhere
from konvergensi.inputs.fields import AnyNumber, Choice, Month, Scalar, Table, Text, Told, between, refusal, validated
from konvergensi.inputs.parameters import Parameter
from konvergensi.methods.designs import SAMPLED, Design
from konvergensi.methods.factors import Factor
from konvergensi.methods.functions import PLACE
from konvergensi.model.outcome import MEASURES, scalar_names
from konvergensi.studies.study import (
    KONVERGENSI,
    LAST_SEED,
    OUTCOME,
    Keep,
    Sources,
    Study,
    checked,
    parameters_for,
    sources_of,
    with_points,
)

MOST_SEEDS = 100_000


def _seeds(value: Any) -> list[int]:
    """A count N for seeds 1 .. N, or the seeds themselves."""
    listed = value if isinstance(value, list) else [value]
    most = LAST_SEED if isinstance(value, list) else MOST_SEEDS
    least = 0 if isinstance(value, list) else 1
    for each in listed:
        if isinstance(each, bool) or not isinstance(each, int):
            raise refusal("not_whole", {"value": each, "range": fault("", "", "range", low=least, high=most, unit="")})
        if not least <= each <= most:
            raise refusal("outside", {"value": each, "low": least, "high": most, "unit": ""})
    if not listed:
        raise refusal("empty", {"value": value})
    if twice := next((each for each in listed if listed.count(each) > 1), None):
        raise refusal("duplicate", {"value": twice, "at": ""})
    return listed if isinstance(value, list) else list(range(1, value + 1))


class _Design(Table):
    method: Annotated[Literal["factorial", "list", "lhs", "sobol", "saltelli", "morris", "csv"], Choice]
    draws: Annotated[int, between(1, 10_000_000, "draws", whole=True)] | None = None
    seed: Annotated[int, between(0, LAST_SEED, whole=True)] = 1
    second_order: bool = False
    file: Text | None = None
    points: list[dict[str, Any]] | None = None


class _Factor(Table):
    distribution: Annotated[Literal["uniform", "normal", "triangular", "lognormal", "choice"], Choice] = "uniform"
    low: AnyNumber | None = None
    high: AnyNumber | None = None
    mean: AnyNumber | None = None
    sd: AnyNumber | None = None
    mode: AnyNumber | None = None
    median: AnyNumber | None = None
    gsd: AnyNumber | None = None
    values: list[Scalar] | None = Field(default=None, min_length=1)
    group: Text = ""
    levels: Annotated[int, between(2, 1000, "levels", whole=True)] | None = None


class _Uncertain(Table):
    only: list[Text] = Field(default_factory=list)
    except_: list[Text] = Field(default_factory=list, alias="except")
    group_by: Annotated[Literal["room"], Choice] | None = None


class _Keep(Table):
    scalars: list[Text] | None = None
    series: list[Text] | None = None
    groups: bool = True


class _StudyFile(Table):
    title: Told | None = None
    model: Annotated[Literal["konvergensi", "ishigami", "sobol_g"], Choice] = "konvergensi"
    districts: list[Text] = Field(default_factory=list)
    scenarios: list[Text] = Field(default_factory=list)
    population_share: Annotated[float, between(1e-4, 1, "share")] = 0.02
    start: Month = Field(default="2018-01", validate_default=True)
    end: Month = Field(default="2024-12", validate_default=True)
    seeds: Annotated[list[int], BeforeValidator(_seeds)] = Field(default_factory=lambda: [1])
    set: dict[str, Scalar] = Field(default_factory=dict)
    design: _Design | None = None
    factors: dict[str, _Factor] = Field(default_factory=dict)
    uncertain: _Uncertain | None = None
    keep: _Keep = _Keep()
    outcome: Text | None = None
    extensions: list[Text] = Field(default_factory=list)


def read_study(path: Path) -> Study:
    """Read and check a study file. Raises InputError with one fault for each thing that is wrong."""
    data = as_toml(read_bytes(path), path)
    if isinstance(data.get("set"), dict):
        data["set"] = flat(data["set"], path, "set")
    if isinstance(data.get("factors"), dict):
        data["factors"] = flat(data["factors"], path, "factors", leaf="distribution")
    read = validated(_StudyFile, data, path)
    ours = read.model == KONVERGENSI
    study = Study(
        districts=tuple(from_anywhere(name, path.parent) for name in read.districts) or ("lebak" if ours else PLACE,),
        scenarios=tuple(_found(name, path) for name in read.scenarios) or ("baseline",),
        seeds=tuple(read.seeds),
        population_share=read.population_share,
        start=format_month(read.start),
        end=format_month(read.end),
        set=read.set,
        model=read.model,
        title={"en": read.title.en, "id": read.title.id} if read.title else {"en": path.stem, "id": path.stem},
        keep=_keep(read.keep),
        outcome=read.outcome or OUTCOME,
        extensions=tuple(_extension(name, path) for name in read.extensions),
    )
    if read.end < read.start:
        raise InputError(fault(path, "end", "before", value=study.end, first=study.start, first_key="start"))
    sources, known = sources_of(study, path), parameters_for(study)
    faults = _keep_faults(study, path)
    written = {key: _as_factor(key, factor) for key, factor in read.factors.items()}
    try:
        doubtful = _uncertain(read.uncertain, study, sources, known, path) if read.uncertain else {}
    except InputError as error:
        faults, doubtful = [*faults, *error.faults], {}
    if faults:
        raise InputError(faults)
    return _designed(read.design, replace(study, factors=tuple((doubtful | written).values())), path)


def _found(name: str, study_file: Path) -> str:
    """A name as it is; a path from the study file's folder, or from where one is."""
    beside = study_file.parent / name
    return str(beside.resolve()) if is_path(name) and exists(beside) else name


def _extension(name: str, study_file: Path) -> str:
    """The name of an installed extension as it is; a file from the study file's folder, or from where one is."""
    beside = study_file.parent / name
    return str(beside.resolve()) if beside.suffix and exists(beside) else name


def _as_factor(key: str, written: _Factor) -> Factor:
    fields = {name: getattr(written, name) for name in _Factor.model_fields if name != "values"}
    return Factor(key, **fields, values=tuple(written.values or ()))


def _keep(written: _Keep) -> Keep:
    scalars, series = written.scalars, written.series
    return Keep(None if scalars is None else tuple(scalars), None if series is None else tuple(series), written.groups)


def _keep_faults(study: Study, path: Path) -> list[Any]:
    """Names that the outcome will not have, as far as that is known before a run."""
    ours = study.outcome == OUTCOME
    scalars = scalar_names(study.start, study.end) if study.model == KONVERGENSI else ["y"]
    series = MEASURES if study.model == KONVERGENSI else ("y",)
    written = (("keep.scalars", study.keep.scalars, scalars), ("keep.series", study.keep.series, series))
    return [
        unknown(path, f"{key}.{name}", name, allowed)
        for key, names, allowed in written
        for name in names or ()
        if ours and name not in allowed
    ]


def _uncertain(
    asked: _Uncertain, study: Study, sources: Sources, known: dict[str, Parameter], path: Path
) -> dict[str, Factor]:
    """Every uncertain parameter of the first district that the study itself does not decide, over its whole range."""
    if study.model != KONVERGENSI:
        every = [key for key in known if key.startswith("x")]
    else:
        from konvergensi.inputs.uncertain import is_uncertain

        decided = {change.key for policy in sources.policies for change in policy.changes} | set(study.set)
        every = [key for key, each in known.items()
                 if key not in decided and all(is_uncertain(each, place) for place in sources.places)]  # fmt: skip
    rooms = {key.partition(".")[0] for key in every}
    faults = [
        unknown(path, f"uncertain.{option}.{name}", name, [*every, *sorted(rooms)])
        for option, names in (("only", asked.only), ("except", asked.except_))
        for name in names
        if name not in every and name not in rooms
    ]
    if faults:
        raise InputError(faults)

    def named(key: str, names: list[str]) -> bool:
        return key in names or key.partition(".")[0] in names

    taken = [key for key in every if (not asked.only or named(key, asked.only)) and not named(key, asked.except_)]
    by_room = asked.group_by == "room"
    return {key: Factor(key, group=key.partition(".")[0] if by_room else "") for key in taken}


def _designed(written: _Design | None, study: Study, path: Path) -> Study:
    """The study with its design, checked."""
    method = written.method if written else ""
    needs = {"csv": "file", "list": "points"} | dict.fromkeys(SAMPLED, "draws")
    faults = []
    if written:
        given = {name for name in ("file", "points", "draws") if getattr(written, name) is not None}
        need = needs.get(method)
        if need and need not in given:
            faults.append(fault(path, f"design.{need}", "missing", expected=f"{need} = ...", near=None))
        faults += [fault(path, f"design.{name}", "factor_unused", value=method) for name in sorted(given - {need})]
        if method not in ("csv", "list") and not study.factors:
            faults.append(fault(path, "factors", "missing", expected='[factors."budget.inertia"]', near=None))
    elif study.factors:
        faults.append(fault(path, "design", "missing", expected='design = { method = "sobol", draws = 64 }', near=None))
    if faults:
        raise InputError(faults)
    if not written:
        return checked(study, path)
    if method in ("csv", "list"):
        file, header = (path.parent / str(written.file), 1) if method == "csv" else (path, 0)
        table = _csv(file) if method == "csv" else _listed(written.points or [], path)
        return checked(with_points(_without_design(study, path), table, file, header), path)
    design = Design(method, written.draws or 0, written.seed, second_order=written.second_order)
    return checked(replace(study, design=design), path)


def _listed(points: list[dict[str, Any]], path: Path) -> pd.DataFrame:
    rows = [flat(point, path, "design.points") for point in points]
    if not rows or not rows[0]:
        raise InputError(fault(path, "design.points", "empty"))
    faults = [
        fault(path, f"design.points[#{number}].{key}", "missing", expected=f"{key} = ...", near=None)
        for number, row in enumerate(rows, start=1)
        for key in dict.fromkeys(key for each in rows for key in each)
        if key not in row
    ]
    if faults:
        raise InputError(faults)
    return pd.DataFrame(rows)


def _csv(path: Path) -> pd.DataFrame:
    """Points of a file: cells as pandas reads them, once it is sure that every row fits the header."""
    content = read_bytes(path)
    parse_csv(content, path)
    return pd.read_csv(io.StringIO(as_text(content, path)), skipinitialspace=True)


def _without_design(study: Study, path: Path) -> Study:
    """The study with its factors checked, before its points are known."""
    if not study.factors:
        return study
    placeholder = Design("sobol", 1)
    return replace(checked(replace(study, design=placeholder), path), design=Design())


def load_study(name_or_path: str | Path) -> Study:
    """Read and check a study file, or one that comes along by its name.

    Raises InputError with one fault for each thing that is wrong.
    """
    return read_study(find_study(name_or_path))


def is_study_file(path: str | Path) -> bool:
    """Whether a TOML file can only be meant as a study: it says what varies, or over which districts and seeds."""
    path = Path(path)
    if path.suffix != ".toml" or not path.is_file():
        return False
    own = {"design", "factors", "uncertain", "keep", "seeds", "districts"}
    return not own.isdisjoint(as_toml(read_bytes(path), path))


def find_study(name_or_path: str | Path) -> Path:
    """The file of a study, given as a path or as the name of one that comes along. Raises InputError without one."""
    installed = data_root().parent / "studies"  # beside scenarios/, in the package as in a checkout
    return locate(name_or_path, "study", {path.stem: path for path in sorted(installed.glob("*.toml"))})
