"""A sensitivity analysis from a study: the points a method needs, their runs, and what they say of each output.

sobol, morris and shapley look at points of their own over the study's factors. pawn, delta, rbd_fast and rsa look at
points that fill the ranges: those of the study where it has such a design, and a Latin hypercube otherwise. Runs are
kept in a store beside the results, so that a stopped analysis goes on, and methods that share points share runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.analyses.sensitivity_tables import convergence, heat, indices, unjudged
from konvergensi.analyses.sensitivity_values import OnFailed, Sample
from konvergensi.base.errors import InputError, fault, unknown_name
from konvergensi.base.version import __version__
from konvergensi.inputs.arguments import count, kind_of, name_list, public
from konvergensi.inputs.districts import district_id, find_district
from konvergensi.inputs.structures import DEFAULT, structures_asked
from konvergensi.methods.designs import SAMPLED, draws_of
from konvergensi.methods.factors import DUMMY, Factor, codes_of, table_of
from konvergensi.methods.sensitivity_designs import METHODS, PICK_FREEZE, Design, design, given, least, noise_unknown
from konvergensi.methods.sensitivity_estimates import F64, RESAMPLES, estimates
from konvergensi.results.sensitivity import Sensitivity
from konvergensi.studies.execute import run_study
from konvergensi.studies.outputs import COST, DIFFERENCE, output_names, outputs
from konvergensi.studies.store import Store
from konvergensi.studies.study import KONVERGENSI, MOST_DRAWS, Study, parameters_for, sources_of, with_points
from konvergensi.studies.study_file import load_study

Progress = Callable[[int, int], None]
Begun = Callable[[Study], None]
# Designs of a study that given-data methods can look at. The harmonics of RBD-FAST take the pattern that two
# coordinates of a Sobol sequence make together for an effect: an index of 0.8 for a factor that does nothing.
FILLING = dict.fromkeys(("pawn", "delta", "rsa"), ("lhs", "csv", "sobol")) | {"rbd_fast": ("lhs", "csv")}
TAIL = 0.025  # Morris puts points on the ends of a range; of a distribution with tails these are cut off
MEASURES = ("prevalence", "complete_package_share")  # looked at when nobody asks for others
AT = "@"  # between an output and its scenario


@public(study=kind_of("a_study", Study), draws=count, output=name_list)
def sensitivity(
    study: Study | str | Path,
    method: str,
    *,
    out: str | Path,
    output: str | Sequence[str] = (),
    district: str | None = None,
    draws: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    on_failed: OnFailed = "refuse",
    structures: str = DEFAULT,
    begun: Begun = lambda _study: None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Run what a method needs and say which factors move which output.

    Parameters: study, a Study, a study file, or the store of a study that has been run; method, one of METHODS; out, a
    folder for the runs (`runs-<design>`); output, names as in `studies.outputs`, with `@scenario` for another than the
    last, by default prevalence and complete-package share of the first scenario, and of the last their differences to
    it and the cost per case; district, one of the study's, by default its first; draws, the sample size N instead of
    the study's; workers and cluster as in `run_study`; on_failed, whether failed runs are refused or left out with
    their block; structures, rules that are added to the study's factors with their weights: `all`, `default` (what the
    study varies) or the name of one; begun, called with the study of the method's own points before it is run.
    Raises InputError when the study cannot be run, when an output that was asked for is not finite or is constant, and
    when runs failed and may not be left out. Among the default outputs those are left out and named in the manifest.
    """
    if method not in METHODS:
        raise InputError(unknown_name("", "--method", "method", method, METHODS))
    study = with_rules(study, structures)
    sample, store, place = prepared(study, method, Path(out), district, draws, workers, cluster, begun, progress)
    asked = [_asked(name, store) for name in output] or _default(store)
    runs = store.runs(["draw", "seed", "policy", "district", "status", "error"])
    runs = runs[runs["district"] == place]
    sample = sample.without(runs, on_failed)
    tables: dict[str, list[pd.DataFrame]] = {"sensitivity": [], "convergence": [], "heat": []}
    grades = _grades(store.study)
    refused: list[dict[str, str]] = []
    spread: dict[str, list[float]] = {}
    for name, scenario in asked:
        label = f"{name}{AT}{scenario}" if len(store.scenarios) > 1 else name
        try:
            values = outputs(store, name, scenario, place)
            seeds = sorted(values["seed"].unique())
            replicates = sample.replicates(label, values, seeds)
            made = estimates(sample.design, replicates)
            tabled = (
                indices(sample.design, replicates, label, whole=made),
                convergence(sample.design, replicates, label, whole=made),
            )
        except InputError as error:
            if output:
                raise
            refused.append({lang: error.lines(lang)[0] for lang in ("en", "id")})
            continue
        if noise_unknown(store.study.model == KONVERGENSI, method, len(seeds)):
            tabled = unjudged(tabled[0]), unjudged(tabled[1])
        tables["sensitivity"].append(tabled[0])
        tables["convergence"].append(tabled[1])
        spread[label] = spread_of(replicates)
        tables["heat"].append(heat(sample.design, replicates, label, grades, whole=made))
    if not tables["sensitivity"]:
        raise InputError([fault("", "", "plain", text=lines["en"]) for lines in refused])
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    return Sensitivity(**whole, manifest=_manifest(sample, store, place, refused) | {"spread": spread})


def with_rules(study: Study | str | Path, structures: str) -> Study | str | Path:
    """The study with the rules asked for among its factors, those it varies already left as they are.

    Raises InputError for an unknown name, for a study of another model, and for the store of one that has been run.
    """
    if not (asked := structures_asked(structures)):
        return study
    ran = isinstance(study, (str, Path)) and Path(study).is_dir()
    told = study if isinstance(study, Study) else None if ran else load_study(study)
    if told is None or told.model != KONVERGENSI or told.codes is not None:
        raise InputError(fault("", "--structures", "no_rules", value=structures))
    own = {factor.key for factor in told.factors} | set(told.set)
    rules = [
        Factor(each.key, "choice", values=tuple(each.weights), weights=tuple(each.weights.values()))
        for each in asked
        if each.key not in own
    ]
    return replace(told, factors=(*told.factors, *rules))


# ---- points and runs -------------------------------------------------------------------------------------------------


def prepared(
    study: Study | str | Path,
    method: str,
    out: Path,
    district: str | None = None,
    draws: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    begun: Begun = lambda _study: None,
    progress: Progress | None = None,
) -> tuple[Sample, Store, str]:
    """The sample a method looks at, the store of its runs, run as far as they were not, and the district."""
    store = Store.open(study) if isinstance(study, (str, Path)) and Path(study).is_dir() else None
    told = store.study if store else study if isinstance(study, Study) else load_study(study)
    named = dict(zip(sources_of(told).place_ids, told.districts))
    place = str(district_id(district)) if district else next(iter(named))
    if place not in named:
        raise InputError(unknown_name("", "--district", "district", place, named))
    factors = [factor for factor in told.factors if not factor.is_dummy]
    if not factors:
        raise InputError(fault("" if isinstance(study, Study) else study, "factors", "missing", expected="[uncertain]"))
    fills = told.design.method in FILLING.get(method, ())
    if fills and (store or draws is None or told.codes is None):
        if store is None:
            own = told if draws is None else replace(told, design=replace(told.design, draws=draws, blocks=()))
            _refuse_few(draws_of(own), method)
            begun(own)
            store = run_study(own, out / "runs-study", workers=workers, cluster=cluster, progress=progress)
        _refuse_unfinished(store)
        _refuse_few(draws_of(store.study), method)
        return _of_store(method, factors, store), store, place
    n = _size(told, method, draws)
    planned = design(method, [each.key for each in factors], [each.group for each in factors], n, told.design.seed)
    points, rows = _distinct(factors, planned)
    alone = with_points(replace(told, districts=(named[place],)), points)
    begun(alone)
    name = method if method in PICK_FREEZE else "lhs"
    store = run_study(alone, out / f"runs-{name}", workers=workers, cluster=cluster, progress=progress)
    return Sample(planned, rows, n), store, place


def _size(study: Study, method: str, draws: int | None) -> int:
    """The sample size N: what was asked for, or else the draws of the study. Raises InputError where there is none."""
    if draws is None and study.design.method not in SAMPLED:
        raise InputError(fault("", "--draws", "missing", expected="--draws 64", near=None))
    n = study.design.draws if draws is None else draws
    _refuse_few(n, method)
    if n > MOST_DRAWS:
        raise InputError(fault("", "--draws", "outside", value=n, low=least(method), high=f"{MOST_DRAWS:,}", unit=""))
    return n


def _distinct(factors: Sequence[Factor], planned: Design) -> tuple[pd.DataFrame, np.ndarray]:
    """Points as values, each once, and the number of its draw for each row; points that differ by the dummy are one.

    A design that fills the cube keeps its dummy, as a column that no model is given.
    """
    unit = np.minimum(planned.points, np.nextafter(1.0, 0.0))
    if planned.method == "morris":
        tailed = [j for j, each in enumerate(factors) if each.distribution in ("normal", "lognormal")]
        unit[:, tailed] = TAIL + (1.0 - 2.0 * TAIL) * unit[:, tailed]
    varied = list(factors) if planned.method in PICK_FREEZE else [*factors, Factor(DUMMY, low=0.0, high=1.0)]
    codes = codes_of(varied, unit[:, : len(varied)])
    _, first, row = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))  # in the order in which points appear, so that a store fills block by block
    return table_of(varied, codes[np.sort(first)]), place[row.ravel()] + 1


def _of_store(method: str, factors: Sequence[Factor], store: Store) -> Sample:
    """The points of a store as a sample; where they have no dummy, one is drawn beside them."""
    keys = [each.key for each in factors]
    own = [DUMMY] if DUMMY in store.factors else []
    runs = store.runs(["draw", *keys, *own]).drop_duplicates("draw").sort_values("draw")
    columns = [np.array([each.code(value) for value in runs[each.key].tolist()]) for each in factors]
    dummy = runs[DUMMY].to_numpy() if own else None
    found = given(method, keys, columns, store.study.design.seed, dummy)
    return Sample(found, runs["draw"].to_numpy(), len(runs))


def _refuse_few(draws: int, method: str) -> None:
    if draws < least(method):
        raise InputError(fault("", "--draws", "too_few_rows", value=draws, method=method, least=least(method)))


def _refuse_unfinished(store: Store) -> None:
    counts = store.counts()
    if counts.left:
        raise InputError(fault(store.path, "", "unfinished", count=counts.left, total=counts.planned))


# ---- outputs ---------------------------------------------------------------------------------------------------------


def _asked(name: str, store: Store) -> tuple[str, str]:
    """An output and its scenario. Raises InputError when there is no such scenario."""
    output, _, scenario = name.partition(AT)
    if scenario and scenario not in store.scenarios:
        raise InputError(unknown_name("", "--output", "scenario", scenario, store.scenarios))
    return output, scenario or store.scenarios[-1]


def spread_of(replicates: F64) -> list[float]:
    """Mean of an output over the points, and the 5th and 95th percentile; of its mean over seeds (rows, seeds)."""
    means = replicates.mean(axis=1)
    return [float(means.mean()), *np.quantile(means, (0.05, 0.95)).tolist()]


def _default(store: Store) -> list[tuple[str, str]]:
    first, last = store.scenarios[0], store.scenarios[-1]
    names = [name for name in MEASURES if name in store.scalars] or store.scalars[:1]
    asked = [(name, first) for name in names]
    if first != last:
        asked += [(DIFFERENCE + name, last) for name in names]
        if COST in output_names(store):
            asked.append((COST, last))
    if len(store.study.seeds) > 1:
        asked += [(f"variance:{name}", scenario) for name, scenario in asked if name != COST]
    return asked


def _grades(study: Study) -> dict[str, str]:
    known = parameters_for(study)
    return {each.key: known[each.key].grade for each in study.factors if each.key in known}


def _manifest(sample: Sample, store: Store, district: str, refused: list[dict[str, str]]) -> dict[str, Any]:
    study, found = store.study, sample.design
    place = find_district(store.source_of(district)) if study.model == KONVERGENSI else None
    known = parameters_for(study)
    groups = dict(zip(found.factors, found.groups))
    factors = {
        each.key: {
            "group": "" if groups[each.key] == each.key else groups[each.key],
            "distribution": each.distribution,
            "low": each.low,
            "high": each.high,
            "values": list(each.values),
            "grade": known[each.key].grade,
            "meaning": known[each.key].meaning,
            "arti": known[each.key].arti,
        }
        for each in study.factors
        if not each.is_dummy
    }
    return {
        "version": __version__,
        "model": study.model,
        "method": found.method,
        "n": found.blocks,
        "asked": sample.asked,
        "points": len(found.points),
        "runs": store.counts().ok,
        "left_out": sample.left_out,
        "failed": sample.failed,
        "resamples": RESAMPLES[found.method],
        "intervals": "95 %, index +- 1.96 standard deviations of resamples (bootstrap)",
        "district": district,
        "district_name": place.name if place else district,
        "policies": store.scenarios,
        "start": study.start,
        "end": study.end,
        "seeds": list(study.seeds),
        "population_share": study.population_share,
        "extensions": store.extensions,
        "synthetic_inputs": list(place.synthetic) if place else [],
        "refused": refused,
        "factors": factors,
        "store": store.path.name,
        "command": "",
    }
