"""Which worlds `explain` lives, in which batches, and what is kept of each.

A world is one seed simulated from the month `since` on in which some drivers move and the others stand still; the
months before are the same in all worlds of a seed, so each is a copy of the model that has simulated them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.analyses.paths import NodePath, at_level, follows_country, path_draws
from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.files import anywhere, collect
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.country import LEVEL_KEYS
from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.options import number_faults
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.inputs.structures import USUAL, Structure, structures_asked
from konvergensi.mechanisms import shocks
from konvergensi.methods.shapley import coalitions
from konvergensi.methods.sobol import rules
from konvergensi.model.replay import COORDINATION, COVID, HISTORY, INCOME, PROVINCE, Replay, driver_of, service_groups
from konvergensi.observe import measure, surveys
from konvergensi.results.fitted import PRIOR, Fitted, joined, parameter_draws_of
from konvergensi.studies.rows import Row
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS

if TYPE_CHECKING:
    from konvergensi.model.convergence import ConvergenceModel

START = "2018-01"  # agencies move from here on, or from `since` if that is earlier
SCENARIO = "baseline"
MOVES, WITHOUT, LEVEL = "moves ", "without ", "level"  # kinds of world: drivers that move, agencies that stop, incomes
EVERY = "services"  # all agencies
AT_ONCE = 16  # worlds of one batch: the months they share are simulated once
TEAMS = 50  # that hold each survey: their mean is what surveys see, their spread is how far one goes astray


@dataclass(frozen=True)
class Worlds:
    """Some worlds of one seed."""

    district: str
    seed: int
    population_share: float
    start: str
    since: str
    until: str
    worlds: tuple[str, ...]
    drivers: tuple[str, ...]
    groups: tuple[tuple[str, tuple[str, ...]], ...]
    set: tuple[tuple[str, Value], ...] = ()
    path: NodePath | None = None  # of true prevalence, solved into level and rise

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The district as it went on: no policy is tried here."""
        return (SCENARIO,)


@dataclass(frozen=True)
class Plan:
    """The worlds to live. `drivers` take part in the game; `idle` are those that did not move in these months."""

    place: District
    since: str
    until: str
    seeds: tuple[int, ...]
    drivers: tuple[str, ...]
    idle: tuple[str, ...]
    groups: dict[str, tuple[str, ...]]
    jobs: tuple[Worlds, ...]
    fitted: Fitted | None = None  # each seed then has a fitted draw of its own
    structures: tuple[Structure, ...] = ()  # a choice of each for each seed

    @property
    def worlds(self) -> int:
        """How many worlds there are in all."""
        return sum(len(job.worlds) for job in self.jobs)


def check_span(since: str, until: str) -> tuple[int, int]:
    """Return the first and the last month. Raises InputError when one is no month, or the last comes first."""
    keys = ("--from", "--to")
    first, last = collect(partial(parse_month, text, key=key) for text, key in zip((since, until), keys))
    if last < first:
        words = {"value": format_month(last), "first": format_month(first), "first_key": keys[0]}
        raise InputError(fault("", keys[1], "before", **words))
    return first, last


def make_plan(
    district: str,
    since: str,
    until: str,
    numbers: Mapping[str, Any],
    set_: Mapping[str, Any] | None = None,
    draws_from: str = PRIOR,
    structures: str = USUAL,
) -> Plan:
    """Plan the worlds.

    Parameters: numbers, `seeds`, `population_share`, `agencies` and `workers` (None: not asked for); draws_from,
    structures and the others as `explain`. Raises InputError naming what is wrong with the input.
    """
    asked = {name: value for name, value in numbers.items() if value is not None}
    faults: list[Fault] = []
    try:
        first, last = check_span(since, until)
    except InputError as error:
        faults += error.faults
    if faults := [*faults, *number_faults(asked)]:
        raise InputError(faults)
    district = anywhere(district)
    place = find_district(district)
    start = min(parse_month(START), first)
    dated = resolve(load_scenario(SCENARIO), place, set_, start, last).changes
    known = place.parameters()
    moved = {driver_of(known[change.key]) for change in dated if change.month > first}
    groups = service_groups(place, numbers["agencies"])
    always = (INCOME, COORDINATION, *groups)
    drivers = tuple(
        each for each in (INCOME, COVID, COORDINATION, *groups, PROVINCE, HISTORY) if each in always or each in moved
    )
    worlds = [world_of(each) for each in coalitions(drivers)]
    worlds += [WITHOUT + each for each in (*groups, EVERY) if each != EVERY or len(groups) > 1] + [LEVEL]
    batches = [tuple(worlds[at : at + AT_ONCE]) for at in range(0, len(worlds), AT_ONCE)]
    each_seed = tuple(range(1, numbers["seeds"] + 1))
    fitted = parameter_draws_of(place, draws_from)
    drawn = tuple(each for each in structures_asked(structures) if each.key not in (set_ or {}))
    chosen = rules(drawn, len(each_seed))
    followed = draws_from != PRIOR and follows_country(place, set_ or {})
    paths = path_draws(str(place.area), len(each_seed), by_change=True) if followed else [None] * len(each_seed)

    def job(seed: int, some: tuple[str, ...]) -> Worlds:
        changed = tuple(
            (parameter_draws(fitted, place, seed, set_ or {}) | chosen[seed - 1] | dict(set_ or {})).items()
        )
        span = (format_month(start), format_month(first), format_month(last))
        share, path = numbers["population_share"], paths[seed - 1]
        return Worlds(district, seed, share, *span, some, drivers, tuple(groups.items()), changed, path)

    return Plan(
        place=place,
        since=format_month(first),
        until=format_month(last),
        seeds=each_seed,
        drivers=drivers,
        idle=() if COVID in drivers else (COVID,),
        groups=groups,
        jobs=tuple(job(seed, some) for seed in each_seed for some in batches),
        fitted=fitted,
        structures=drawn,
    )


def parameter_draws(fitted: Fitted | None, place: District, seed: int, set_: Mapping[str, Any]) -> dict[str, Value]:
    """What a seed's fitted draw says of the parameters that are not set; nothing without fitted draws."""
    if fitted is None:
        return {}
    dated = {key for event in place.timeline for key in event.set}
    every: list[dict[str, Value]] = [{} for _ in range(seed)]
    decided = {*set_, *dated, *(LEVEL_KEYS if follows_country(place, set_) else ())}
    return joined(fitted, every, place.parameters(), decided)[-1]


def world_of(moving: frozenset[str]) -> str:
    """Name of the world in which these drivers move, whatever the order they were named in."""
    return MOVES + "+".join(sorted(moving))


def live_worlds(job: Worlds) -> Row:
    """Live the worlds of a job.

    Returns: `before`, true prevalence in percent before the month `since`; `change`, by world, that of the month
    `until` less that before (of LEVEL, less its own before); and of the world in which all moves, `truth` by month,
    percent, and `surveys` as `survey_often` finds them.
    """
    past = _past(job)
    row: Row = {"before": 100 * past.prevalence(), "change": {}, "share_made": past.world.population_share}
    row["rise"] = float(past.world.settings[LEVEL_KEYS[1]])
    groups = dict(job.groups)
    for name in job.worlds:
        if name == LEVEL:
            model = _past(job, level_from=past.world.month + PREGNANCY_MONTHS)
            before = 100 * model.prevalence()
            model.hold(job.drivers, groups)
        else:
            model, before = past.twin(), row["before"]
        if name.startswith(MOVES):
            moving = {each for each in name.removeprefix(MOVES).split("+") if each}
            model.hold((each for each in job.drivers if each not in moving), groups)
        elif name.startswith(WITHOUT):
            which = name.removeprefix(WITHOUT)
            model.stop(agency for group, ids in groups.items() if which in (group, EVERY) for agency in ids)
        whole = name == world_of(frozenset(job.drivers))
        truth, found = {}, []
        while model.running:
            model.step()
            if whole:
                truth[format_month(model.world.month - 1)] = 100 * model.prevalence()
                found += survey_often(model)
        row["change"][name] = 100 * model.prevalence() - before
        if whole:
            row |= {"truth": truth, "surveys": found}
    return row


def _past(job: Worlds, level_from: int | None = None) -> Replay:
    """The model as it is before the month `since`."""
    model = Replay.of_extensions()(
        SCENARIO, job.district, job.seed, job.population_share, job.start, job.until,
        at_level(job.district, job.seed, job.set, job.path), level_from=level_from,
    )  # fmt: skip
    while model.world.month < parse_month(job.since):
        model.step()
    return model


def survey_often(model: ConvergenceModel) -> list[dict[str, Any]]:
    """The surveys of the month last simulated, each held by TEAMS teams that draw other children and measure anew.

    Returns: for each, `fieldwork`, `system`, `percent` (TEAMS,), and `half_width` of a team's own 95 % interval (mean).
    """
    world, month = model.world, model.world.month - 1
    due = [plan for plan in measure.survey_rounds(world) if plan.fieldwork == month]
    if not due or not shocks.in_force(world.settings, "surveys_on"):
        return []
    children = world.children
    rows = children.window(month, 0, LAST_AGE)
    sex = (~children.male[rows]).view(np.int8)
    age = children.ages(month, rows)
    error = surveys.SurveyError(
        world.settings["measurement.survey_error_cm"], world.settings["measurement.age_error_months"]
    )
    found = []
    for plan in due:
        each = [
            surveys.survey(
                plan, children.village[rows], children.z[rows], sex, age, error,
                world.draws.generator(f"survey {plan.system} by team {team}", month),
            )
            for team in range(TEAMS)
        ]  # fmt: skip
        half = float(np.mean([one.high - one.low for one in each])) / 2
        about = {"fieldwork": format_month(month), "system": plan.system, "half_width": half}
        found.append(about | {"percent": [one.percent for one in each]})
    return found
