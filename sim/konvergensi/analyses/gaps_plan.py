"""Which runs `gaps` makes, with which parameter draws, and what is kept of each.

A run is policy (the gaps it closes), parameter draw (draw 0: each parameter as it is; draw 1, 2, ...: a sample of the
assumptions; or one rate at an end of its range) and chance (the seed).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from konvergensi.analyses.paths import NodePath, at_level, follows_country, path_draws
from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import anywhere
from konvergensi.base.months import format_month
from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.options import check_options
from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.inputs.scenarios import load_scenario, resolve, starting
from konvergensi.inputs.structures import USUAL, Structure, structures_asked
from konvergensi.methods.shapley import coalitions
from konvergensi.methods.sobol import number_of, rules, sobol
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.extensions import model_class
from konvergensi.studies.rows import Row

Closed = frozenset[str]
GAPS = ("socialization", "data", "timing")
NONE, ALL = frozenset[str](), frozenset(GAPS)
SETS = tuple(coalitions(GAPS))  # of closed gaps: none, each, pairs, all

# A source's yearly total is the same whatever agencies argue for. Nothing is moved for COVID-19: what is taken then
# is what has not been released, so whoever releases earlier would have more money.
EQUAL_MONEY: dict[str, Value] = {"budget.envelope": "fixed", "shocks.budget_moved_share": 0.0}

# themes whose assumptions are drawn, with what else carries coordination to children
THEMES = ("socialization", "villages", "leadership", "goals", "actions", "review")
ENDS = ("low", "high")


def name_of(closed: Closed) -> str:
    """The closed gaps as one name: `data+timing`; `none` for the baseline."""
    return "+".join(gap for gap in GAPS if gap in closed) or "none"


def scenario_of(closed: Closed, policies_from: str | None = None) -> str:
    """The scenario that closes these gaps, from a month of its own where one is given."""
    names = [f"close-{gap}" for gap in GAPS if gap in closed]
    return "+".join(starting(names, policies_from)) or "baseline"


@dataclass(frozen=True)
class Job:
    """One run: policy, place, parameter draw (`set`) and chance."""

    scenario: str
    district: str
    seed: int
    population_share: float
    start: str
    end: str
    set: tuple[tuple[str, Value], ...] = ()
    path: NodePath | None = None  # of true prevalence, solved into level and rise
    baseline: tuple[tuple[str, Value], ...] = ()  # values of the run that follows it

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Those that decide what comes out."""
        return (self.scenario,)


@dataclass(frozen=True)
class Plan:
    """The runs to make: `main` by closed and seed, `drawn` by closed and draw, `ends` by closed, rate and its end."""

    place: District
    year: int  # the calendar year that is read
    seeds: tuple[int, ...]
    assumptions: tuple[Parameter, ...]  # that are drawn
    rates: tuple[Parameter, ...]
    structures: tuple[Structure, ...]  # that are drawn
    rules: tuple[dict[str, Value], ...]  # their choices, by draw
    standing: dict[str, Value]  # value of each rate as the district has it
    main: dict[tuple[Closed, int], Job]
    drawn: dict[tuple[Closed, int], Job]
    ends: dict[tuple[Closed, str, str], Job]
    policies_from: str | None = None  # the month in which gaps are closed, where the policies do not say

    @property
    def draws(self) -> int:
        """How many samples of the assumptions there are."""
        return len(self.drawn) // len(SETS)

    def jobs(self) -> list[Job]:
        """Every run: first those that answer, then those that say how sure the answer is."""
        return [*self.main.values(), *self.drawn.values(), *self.ends.values()]


def make_plan(
    district: str,
    seeds: int,
    draws: int,
    population_share: float,
    start: str,
    end: str,
    ranges: bool,
    structures: str = USUAL,
    policies_from: str | None = None,
) -> Plan:
    """Plan the runs. Raises InputError when the span holds no whole year or a policy does not fit the district.

    Parameters: structures, `all`, `default` or the name of one: the rules that are drawn with the assumptions;
    policies_from, the month in which gaps are closed (None: as the policies say).
    """
    first, last = check_options(start=start, end=end, seeds=seeds, draws=draws, population_share=population_share)
    year = last_whole_year(first, last)
    district = anywhere(district)
    place = find_district(district)
    policies = {closed: load_scenario(scenario_of(closed, policies_from)) for closed in SETS}
    values = [resolve(policy, place, EQUAL_MONEY, first, last).initial for policy in policies.values()]
    closes = {closed: {change.key for change in policy.changes} for closed, policy in policies.items()}
    known = place.parameters()
    assumptions = [known[key] for key in known if _is_drawn(known[key], closes[ALL])]
    rates = unmeasured_rates(known) if ranges else []
    if policies_from is not None:  # the years before are alike only if nothing is left out for a policy
        rates = [rate for rate in rates if rate.key not in closes[ALL]]
    numbers = tuple(range(1, seeds + 1))

    def job(closed: Closed, seed: int, parameter_draw: Mapping[str, Value], path: NodePath | None = None) -> Job:
        # where the policy closes it, the parameter_draw is about the baseline only
        left = {key: value for key, value in parameter_draw.items() if key not in closes[closed]}
        changed = tuple((EQUAL_MONEY | left).items())
        span = (seed, population_share, start, end)
        of = tuple((EQUAL_MONEY | dict(parameter_draw)).items())
        return Job(scenario_of(closed, policies_from), district, *span, changed, path, of)

    asked = structures_asked(structures)
    paths = path_draws(str(place.area), draws) if follows_country(place, {}) else [None] * draws
    sample = [
        {**parameter_draw, **rule} for parameter_draw, rule in zip(sobol(assumptions, draws), rules(asked, draws))
    ]
    return Plan(
        place=place,
        year=year,
        seeds=numbers,
        assumptions=tuple(assumptions),
        rates=tuple(rates),
        structures=asked if draws else (),
        policies_from=policies_from,
        rules=tuple({each.key: parameter_draw[each.key] for each in asked} for parameter_draw in sample),
        standing={rate.key: values[0][rate.key] for rate in rates},
        main={(closed, seed): job(closed, seed, {}) for seed in numbers for closed in SETS},
        drawn={
            (closed, k + 1): job(closed, seed_of(k + 1, seeds), parameter_draw, paths[k])
            for k, parameter_draw in enumerate(sample)
            for closed in SETS
        },
        ends={
            (closed, rate.key, end_): job(closed, 1, {rate.key: number_of(rate, getattr(rate, end_))})
            for rate in rates
            for end_ in ENDS
            for closed in (NONE, ALL)
        },
    )


def seed_of(draw: int, seeds: int) -> int:
    """The seed that a draw is simulated with, in turn: what draws differ by then holds their chance too."""
    return 1 + (draw - 1) % seeds


def last_whole_year(first: int, last: int) -> int:
    """The last calendar year that lies in the months first .. last. Raises InputError when there is none."""
    year = (last + 1) // 12 - 1
    if first > year * 12:
        raise InputError(fault("", "", "no_year", first=format_month(first), last=format_month(last)))
    return year


def unmeasured_rates(known: Mapping[str, Parameter]) -> list[Parameter]:
    """What nobody measured and is varied one at a time: turnover, diffusion, decay, what turns them into children."""
    return [each for each in known.values() if "unmeasured-rate" in each.marks]


def _is_drawn(parameter: Parameter, closed: set[str]) -> bool:
    about = parameter.theme in THEMES or "carries-coordination" in parameter.marks
    return parameter.drawn and about and parameter.grade == "assumption" and parameter.key not in closed


def gaps_job(job: Job) -> Row:
    """Live a job's run; what is kept of it."""
    model = model_class(ConvergenceModel)(
        job.scenario, job.district, job.seed, job.population_share, job.start, job.end,
        set=at_level(job.district, job.seed, job.set, job.path, job.baseline),
    )  # fmt: skip
    while model.running:
        model.step()
    return year_outcome(model)


def year_outcome(model: ConvergenceModel) -> Row:
    """What is kept of a run: the measures of its last whole year, the money of each year, how sharply a survey sees.

    Counts and rupiah are scaled up to the whole district.
    """
    tables, year = model.recorder.tables(), last_whole_year(model.first_month, model.last_month)
    scale = 1.0 / model.world.population_share

    def of_year(table: pd.DataFrame, **where: str) -> pd.DataFrame:
        kept = table["month"].str.startswith(f"{year}-")
        for column, value in where.items():
            kept &= table[column] == value
        return table[kept]

    series, indicators = tables["series"], tables["indicators"]

    def monthly(name: str) -> pd.Series:
        return of_year(indicators, indicator=name)["value"]

    money = tables["money"].groupby(["year", "source"], sort=True)[["budgeted_rp", "spent_rp"]].sum() * scale
    # coordination is paid out of the same budget, so what it took from services still belongs to the source
    displaced = tables["coordination_money"].groupby(["year", "source"])["displaced_rp"].sum() * scale
    money["budgeted_rp"] += displaced.reindex(money.index, fill_value=0.0)
    surveys = tables["surveys"]
    surveys = surveys[(surveys["level"] == "district") & (surveys["system"] != "e-PPGBM")]
    last = surveys.iloc[-1] if len(surveys) else None
    return {
        "prevalence": float(of_year(series, group="all")["prevalence"].mean()),
        "protected_in_time": float(monthly("protected_in_time").sum()) * scale,
        "turned_24_months": float(monthly("turned_24_months").sum()) * scale,
        "complete_package_share": float(monthly("complete_package_share").mean()),
        "under_fives": float(monthly("under_fives").mean()) * scale,
        "money": [[int(y), source, float(b), float(s)] for (y, source), (b, s) in zip(money.index, money.to_numpy())],
        "survey": None if last is None else [str(last["system"]), float(last["high"] - last["low"]) / 2],
        "population_share_made": float(model.world.population_share),
    }
