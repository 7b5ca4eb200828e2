"""Why prevalence changed between two months: incomes, COVID-19, coordination, the services of each agency, measurement.

**What is explained.** The change of published prevalence in the model: the last survey whose fieldwork lies in the
months `since` .. `until`, less the first. It is the sum of four things.

1. *Measurement*: what surveys add to the truth. Their dates (they do not fall on the first and the last month) and
   their errors (sample, length, age). Truth is prevalence before `since` and in `until`. Each survey is held by many
   teams: the part is their mean; how far a single pair of surveys goes astray is told beside it.
2. *Cohort replacement*: the change of the truth when every driver stands still. Children born under earlier conditions
   grow out, others are born under those of `since`.
3. *Each driver*: its Shapley share of what the drivers bring together. With v(S) the change of the truth when the
   drivers in S move as they did and all others stand still, the share of a driver is what it adds to v, averaged over
   all orders in which the drivers could have begun to move. Every set S is simulated from the same month on by a copy
   of the same model, with the same children and the same chance; nothing is sampled but the seed.
4. Nothing else: the shares of the drivers sum to v(all) - v(none), so everything sums to the published change.

**What standing still means.** A change is explained by what changed. So a driver that stands still goes on as it was
before `since`; it does not stop:

- *incomes*: children conceived from `since` on begin with the income trend of those conceived in that month;
- *COVID-19*: dated shocks stay as they are in that month;
- *coordination*: agencies, villages and caregivers do not meet, learn, forget, rotate, tie, change goals, look at
  published figures; dated changes of decree, lists and calendar do not come. Actions go on, as well as they are
  done by agencies that know what they know then;
- *services of an agency*: the yearly money of its programmes stays as it is; it serves and is paid as before;
- *other history*: any other dated change of the district's history does not come.

What the level of `since` itself brings is another question, told apart: how much higher prevalence would be at the end
had the agency delivered nothing from `since` on. Decision: docs/decisions/0017-explain.md.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from konvergensi.analyses.explain_plan import (
    EVERY,
    LEVEL,
    MOVES,
    SCENARIO,
    TEAMS,
    WITHOUT,
    Plan,
    live_worlds,
    make_plan,
    world_of,
)
from konvergensi.analyses.gaps import t_interval
from konvergensi.analyses.manifest import made_from
from konvergensi.inputs.arguments import public
from konvergensi.inputs.extensions import takes_extensions
from konvergensi.inputs.published import FILE, Published
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.inputs.structures import USUAL
from konvergensi.methods.shapley import coalitions, shapley
from konvergensi.model.replay import COORDINATION, HISTORY, PROVINCE, SERVICES
from konvergensi.results.explanation import (
    COHORTS,
    COORDINATION_LESS_SERVICES,
    DATES,
    EARLIER,
    ERROR,
    MEASUREMENT,
    PUBLISHED,
    REST,
    TRUE,
    Explanation,
)
from konvergensi.results.fitted import FITTED, described
from konvergensi.studies.rows import Progress, Row, rows_of

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

Change = Mapping[str, float]  # by world, points of prevalence


@public()
@takes_extensions
def explain(
    district: str = "lebak",
    *,
    since: str = "2018-01",
    until: str = "2021-12",
    seeds: int = 4,
    population_share: float = 0.1,
    agencies: int = 2,
    workers: int | None = None,
    cluster: str | None = None,
    set: Mapping[str, Any] | None = None,
    draws_from: str = FITTED,
    structures: str = USUAL,
    lang: Lang = "en",
    keep: str | Path | None = None,
    progress: Progress | None = None,
    extensions: Sequence[str | Path] | str | Path | None = None,
) -> Explanation:
    """Split the change of published prevalence into what brought it about: see the head of this module.

    Parameters: since, until, first and last month, "YYYY-MM"; seeds, how many of them (1, 2, ...); agencies, how many
    get a share of their own, those with most programmes first (the others share one; each doubles the work); set,
    parameter values in force from the beginning of the burn-in; structures, rules of which each seed gets a choice
    (`all`, `default` for none, or the name of one); draws_from, `fitted`: each seed with a draw fitted
    to the district, where it has them, `prior`: parameters as they are, or the folder of a calibration; district,
    population_share, workers, cluster, lang, keep, extensions and progress as in `konvergensi.gaps`, the last called
    with worlds simulated and in all.
    Raises InputError naming what is wrong with the input.
    """
    began = time.perf_counter()
    numbers = {"seeds": seeds, "population_share": population_share, "agencies": agencies, "workers": workers}
    plan = make_plan(district, since, until, numbers, set, draws_from=draws_from, structures=structures)
    real = [each for each in plan.place.published if not each.routine]

    def tell(done: int, in_all: int) -> None:
        if progress is not None:
            progress(round(done * plan.worlds / in_all), plan.worlds)

    rows = rows_of(plan.jobs, live_worlds, workers=workers, cluster=cluster, keep=keep, progress=tell)
    by_seed = {seed: _together([row for job, row in zip(plan.jobs, rows) if job.seed == seed]) for seed in plan.seeds}
    surveys = _surveys(list(by_seed.values()), real)
    return Explanation(
        parts=_parts(plan, list(by_seed.values())),
        worlds=pd.DataFrame(
            [(seed, world, change) for seed, row in by_seed.items() for world, change in row["change"].items()],
            columns=["seed", "world", "change"],
        ),
        surveys=surveys,
        manifest=_manifest(plan, by_seed, set or {}, real, time.perf_counter() - began),
        lang=lang,
    )


# ---- tables ----------------------------------------------------------------------------------------------------------


def _together(rows: Sequence[Row]) -> Row:
    """What the batches of one seed found, as one row."""
    change: dict[str, float] = {}
    for row in rows:
        change |= row["change"]
    whole = next(row for row in rows if "truth" in row)
    return whole | {"change": change}


def split(change: Change, drivers: Sequence[str]) -> dict[str, float]:
    """Split the change of one seed's truth: `true`, `cohort_replacement`, its details, the Shapley share of each.

    The order in which drivers are named changes nothing, to the last bit.
    """
    game = {each: change[world_of(each)] for each in coalitions(tuple(drivers))}
    nobody, everybody = game[frozenset()], game[frozenset(drivers)]
    found = {TRUE: everybody, COHORTS: nobody, EARLIER: nobody - change[LEVEL], REST: change[LEVEL]}
    return found | shapley(game)


def measured(row: Row, until: str) -> dict[str, float]:
    """What surveys add to one seed's truth: `published`, `measurement` and its details; nothing without two of them."""
    surveys, truth = row["surveys"], row["truth"]
    if len(surveys) < 2:
        return {}
    (began, at_first), (ended, at_last) = (
        (each["fieldwork"], float(np.mean(each["percent"]))) for each in (surveys[0], surveys[-1])
    )
    dates = (truth[ended] - truth[until]) - (truth[began] - row["before"])
    error = (at_last - truth[ended]) - (at_first - truth[began])
    return {PUBLISHED: at_last - at_first, MEASUREMENT: dates + error, DATES: dates, ERROR: error}


def _of_seed(plan: Plan, row: Row) -> dict[str, float]:
    found = measured(row, plan.until) | split(row["change"], plan.drivers) | dict.fromkeys(plan.idle, 0.0)
    found[EVERY] = sum(found[group] for group in plan.groups)
    found[COORDINATION_LESS_SERVICES] = found[COORDINATION] - found[EVERY]
    stopped = {name: change for name, change in row["change"].items() if name.startswith(WITHOUT)}
    return found | {name: change - found[TRUE] for name, change in stopped.items()}


def _parts(plan: Plan, rows: Sequence[Row]) -> pd.DataFrame:
    seeds = [_of_seed(plan, row) for row in rows]
    surveyed = PUBLISHED in seeds[0]
    history = tuple(each for each in (PROVINCE, HISTORY) if each in plan.drivers)
    ordered = [(PUBLISHED, "total"), (MEASUREMENT, "part"), (DATES, "detail"), (ERROR, "detail")] if surveyed else []
    ordered += [(TRUE, "total"), (COHORTS, "part"), (EARLIER, "detail"), (REST, "detail")]
    ordered += [(each, "part") for each in ("income", "covid", COORDINATION, *plan.groups, *history)]
    ordered += [(EVERY, "detail"), (COORDINATION_LESS_SERVICES, "contrast")]
    ordered += [(name, "without") for name in seeds[0] if name.startswith(WITHOUT)]
    table = []
    for part, kind in ordered:
        mean, low, high = t_interval(np.array([each[part] for each in seeds]))
        alone, last = _edges(part, plan.drivers, rows) if part in plan.drivers else (float("nan"), float("nan"))
        table.append((part, kind, mean, low, high, alone, last))
    return pd.DataFrame(table, columns=["part", "kind", "value", "low", "high", "alone", "last"])


def _edges(driver: str, drivers: Sequence[str], rows: Sequence[Row]) -> tuple[float, float]:
    """What a driver brings when it alone moves, and when it moves after all others; means over seeds."""
    every = frozenset(drivers)
    pairs = ((frozenset({driver}), frozenset[str]()), (every, every - {driver}))
    alone, last = (
        float(np.mean([row["change"][world_of(with_)] - row["change"][world_of(less)] for row in rows]))
        for with_, less in pairs
    )
    return alone, last


def single_pairs(rows: Sequence[Row]) -> list[float]:
    """95 % range of the change that one pair of surveys would publish, over seeds and teams; empty without two."""
    if len(rows[0]["surveys"]) < 2:
        return []
    first, last = (np.concatenate([row["surveys"][which]["percent"] for row in rows]) for which in (0, -1))
    return [float(edge) for edge in np.percentile(last - first, (2.5, 97.5))]


def _surveys(rows: Sequence[Row], real: Sequence[Published]) -> pd.DataFrame:
    """One row for each survey of the model, and for each published figure of these months that no survey stands for."""
    published = {each.fieldwork: each.percent for each in real}
    table = []
    for number, survey in enumerate(rows[0]["surveys"]):
        each, fieldwork = [row["surveys"][number] for row in rows], survey["fieldwork"]
        simulated = float(np.mean([one["percent"] for one in each]))
        half = float(np.mean([one["half_width"] for one in each]))
        truth = float(np.mean([row["truth"][fieldwork] for row in rows]))
        table.append((survey["system"], fieldwork, simulated, half, truth, published.get(fieldwork, float("nan"))))
    months, seen = rows[0]["truth"], {row[1] for row in table}
    for figure in real:
        if figure.fieldwork in months and figure.fieldwork not in seen:
            truth = float(np.mean([row["truth"][figure.fieldwork] for row in rows]))
            table.append((figure.system, figure.fieldwork, float("nan"), float("nan"), truth, figure.percent))
    columns = ["system", "fieldwork", "simulated", "half_width", "truth", "published"]
    return pd.DataFrame(table, columns=columns).sort_values("fieldwork", kind="stable", ignore_index=True)


def _manifest(
    plan: Plan, by_seed: Mapping[int, Row], set_: Mapping[str, Any], real: Sequence[Published], wall_time_s: float
) -> dict[str, Any]:

    job, rows = plan.jobs[0], list(by_seed.values())
    names = {opd.id: opd.name for opd in plan.place.opd}
    trend = plan.place.parameters()["growth.income_trend_z_per_year"]
    trends = [float(row["rise"]) for row in rows]
    hashes = load_scenario(SCENARIO).hashes
    return made_from(plan.place, hashes, wall_time_s) | {
        "policy": SCENARIO,
        "structures": {each.key: dict(each.weights) for each in plan.structures},
        "start": plan.since,  # the months explained, as figures and tables show them
        "end": plan.until,
        "since": plan.since,
        "until": plan.until,
        "agencies_move_from": job.start,
        "seed": f"1–{plan.seeds[-1]}" if len(plan.seeds) > 1 else "1",
        "seeds": list(plan.seeds),
        "worlds": plan.worlds,
        "population_share": job.population_share,
        "population_share_made": rows[0]["share_made"],
        "set": dict(set_),
        "parameter_draws": described(plan.fitted, plan.place) if plan.fitted else {"from": "none"},
        "drivers": list(plan.drivers),
        "idle": list(plan.idle),
        "agencies": {group: [names.get(each, each) for each in ids] for group, ids in plan.groups.items()},
        "before": float(np.mean([row["before"] for row in rows])),
        "teams": TEAMS,
        "single_pairs": single_pairs(rows),
        "income_trend": {
            "value": float(np.mean(trends)),
            "low": trend.low,
            "high": trend.high,
            "grade": trend.grade,
        },
        "published": [
            {"system": each.system, "fieldwork": each.fieldwork, "percent": each.percent}
            | {"source": each.source, "grade": each.grade}
            for each in real
        ],
        "published_file": FILE,
        "command": "konvergensi.explain",
        "intervals": f"chance: 95 % t interval over {len(plan.seeds)} seeds; parameters as they are"
        if plan.fitted is None
        else f"chance and parameters: 95 % t interval over {len(plan.seeds)} seeds, each with a fitted draw of its own",
    }


__all__ = ["MOVES", "SERVICES", "Explanation", "explain", "measured", "split"]
