"""Which runs `compare` makes, with which parameter draws and seeds, and what is kept of each.

A run is policy, parameter draw (draw 0: each parameter as it is; draw 1, 2, ...: a sample of what is uncertain)
and chance (the seed). All scenarios of one draw and seed are one job, so that they share their past.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from konvergensi.analyses.paths import NodePath, at_level, centre, follows_country, own_rows, path_draws
from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import anywhere, collect
from konvergensi.inputs.additions import added_parameters
from konvergensi.inputs.country import LEVEL_KEYS
from konvergensi.inputs.country_observed import Observed
from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.options import check_options
from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.inputs.scenarios import Resolved, Scenario, load_scenario, resolve
from konvergensi.inputs.structures import USUAL, Structure, structures_asked
from konvergensi.inputs.uncertain import is_uncertain
from konvergensi.methods.sobol import SOBOL_SEED, rules, sobol
from konvergensi.model.branch import branches
from konvergensi.model.outcome import measures_of
from konvergensi.results.fitted import PRIOR, Fitted, joined, parameter_draws_of
from konvergensi.studies.rows import Row

if TYPE_CHECKING:
    from konvergensi.model.convergence import ConvergenceModel
    from konvergensi.results.run import Run


@dataclass(frozen=True)
class PairedJob:
    """All scenarios with one parameter draw and one seed; with `in_full`, their whole tables are kept too."""

    scenarios: tuple[str, ...]
    district: str
    seed: int
    population_share: float
    start: str
    end: str
    set: tuple[tuple[str, Value], ...] = ()
    in_full: bool = False
    path: NodePath | None = None  # of true prevalence, solved into level and rise


@dataclass(frozen=True)
class Plan:
    """The jobs to do: `full` for the details, `sample` by draw and seed for everything else."""

    place: District
    policies: tuple[Scenario, ...]
    resolved: tuple[Resolved, ...]  # with parameters as they are
    first: int
    last: int
    drawn: tuple[Parameter, ...]
    draws: int
    seeds: int
    full: PairedJob
    sample: dict[tuple[int, int], PairedJob]
    structures: tuple[Structure, ...] = ()  # that are drawn with the parameters
    fitted: Fitted | None = None  # where the draws of its parameters come from, if not from the prior
    rows: tuple[Observed, ...] = ()  # of one's own, that moved the level

    @property
    def names(self) -> list[str]:
        """Ids of the scenarios, the reference first."""
        return [policy.id for policy in self.policies]


def make_plan(
    scenarios: Sequence[str],
    district: str,
    draws: int,
    seeds: int,
    population_share: float,
    start: str,
    end: str,
    set_: dict[str, Any],
    draws_from: str = PRIOR,
    structures: str = USUAL,
    observed: str | Path | Sequence[Observed] | None = None,
) -> Plan:
    """Plan the jobs. Raises InputError for fewer than two scenarios, one named twice, and input that does not fit.

    Parameters: draws_from, see calibration/fitted.py; structures, `all`, `default` or the name of one: the rules that
    are drawn with the parameters; observed, survey rows that move the district's level. What the caller or a policy
    sets is not drawn.
    """
    first, last = check_options(start=start, end=end, seeds=seeds, draws=draws, population_share=population_share)
    if len(scenarios) < 2:
        raise InputError(fault("", "scenarios", "two_scenarios", value=", ".join(scenarios)))
    district, scenarios = anywhere(district), [anywhere(name) for name in scenarios]
    place = find_district(district)
    policies = collect(partial(load_scenario, name) for name in scenarios)
    names = [policy.id for policy in policies]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError([fault("", "scenarios", "named_twice", value=name) for name in twice])
    resolved = collect(partial(resolve, policy, place, set_, first, last) for policy in policies)
    known = place.parameters()
    given = {key: known[key].checked(value) for key, value in set_.items()}
    decided = {change.key for policy in policies for change in policy.changes} | set(given)
    fitted, rows = parameter_draws_of(place, draws_from), own_rows(place, observed)
    followed = follows_country(place, decided, rows)
    decided |= set(LEVEL_KEYS) if followed else set()
    drawn, sample = sample_of(place, draws, decided, fitted)
    asked = tuple(each for each in structures_asked(structures) if each.key not in decided) if draws else ()
    sample = [{**parameter_draw, **rule} for parameter_draw, rule in zip(sample, rules(asked, draws))]

    middle = centre(str(place.area), rows) if followed and rows else None

    def job(seed: int, parameter_draw: dict[str, Value], path: NodePath | None, in_full: bool = False) -> PairedJob:
        settled = tuple((given | parameter_draw).items())
        return PairedJob(tuple(scenarios), district, seed, population_share, start, end, settled, in_full, path)

    parameter_draws = dict(enumerate(sample, start=1)) or {0: {}}
    drawn_paths = path_draws(str(place.area), draws, rows) if followed else []
    paths = dict(enumerate(drawn_paths, start=1))
    return Plan(
        place=place,
        policies=tuple(policies),
        resolved=tuple(resolved),
        first=first,
        last=last,
        drawn=tuple(drawn),
        draws=draws,
        seeds=seeds,
        full=job(1, {}, middle, in_full=True),
        sample={
            (draw, seed): job(seed, parameter_draw, paths.get(draw, middle))
            for draw, parameter_draw in parameter_draws.items()
            for seed in range(1, seeds + 1)
        },
        fitted=fitted if draws else None,
        structures=asked,
        rows=tuple(rows),
    )


def sample_of(
    place: District, draws: int, decided: Collection[str], fitted: Fitted | None = None
) -> tuple[list[Parameter], list[dict[str, Value]]]:
    """What is uncertain in a district and not decided by who compares, and `draws` samples of it: key -> value.

    Scrambled Sobol points over the ranges; where there are fitted draws, they say what they know and the points the
    rest. A sample says the same of a parameter whatever else is decided or added by extensions, and a longer series
    begins with a shorter one.
    """
    uncertain = [each for each in place.parameters().values() if is_uncertain(each, place)]
    drawn = [each for each in uncertain if each.key not in decided]
    keys = {each.key for each in drawn}
    own = [each for each in uncertain if each.key in added_parameters()]  # of extensions
    shipped = sobol([each for each in uncertain if each not in own], draws)
    both = [one | other for one, other in zip(shipped, sobol(own, draws, SOBOL_SEED + 1))]
    sample = [{key: value for key, value in each.items() if key in keys} for each in both]
    if fitted is not None:
        known = place.parameters()
        sample = joined(fitted, sample, known, decided)
        drawn += [known[key] for key in fitted.keys if key not in keys and key not in decided]
    return drawn if draws else [], sample


# ---- what is kept of a job -------------------------------------------------------------------------------------------


def compare_job(job: PairedJob) -> Row:
    """Live all scenarios of a job; what is kept of each, in their order, and with `in_full` their tables."""
    kept: dict[str, Row] = {}
    values = at_level(job.district, job.seed, job.set, job.path)
    for name, model in branches(
        job.scenarios, job.district, job.seed, job.population_share, job.start, job.end, values
    ):
        kept[name] = {"outcome": measures_of(model)}
        if job.in_full:
            kept[name]["run"] = run_as_row(model, values)
    solved = {key: values[key] for key in LEVEL_KEYS} if job.path else {}
    return {"scenarios": [kept[name] for name in job.scenarios], "level": solved}


def run_as_row(model: ConvergenceModel, set_: dict[str, Value]) -> Row:
    """A run in full, as JSON writes it."""
    from konvergensi.analyses.run import collect as gather

    run = gather(model, set_, 0.0)
    tables = {name: {str(c): table[c].tolist() for c in table} for name, table in run.tables().items()}
    names = {"service_names": run.service_names, "agency_names": run.agency_names, "package": run.package}
    return {"tables": tables, "manifest": run.manifest, **names}


def run_of_row(row: Row) -> Run:
    """The run that `run_as_row` wrote."""
    from konvergensi.results.run import Run

    tables: dict[str, Any] = {name: pd.DataFrame(columns) for name, columns in row["tables"].items()}
    names = {name: row[name] for name in ("service_names", "agency_names", "package")}
    return Run.restored(tables, names, row["manifest"])
