"""The three gaps of the field studies, closed alone and together: who knows, who is on whose list, when money comes.

Each set of gaps is closed by the policies `close-<gap>`, with the same children, chance and money as the baseline.
Two kinds of interval: over seeds (chance), and over draws of what nobody has measured (assumptions), where
seeds take turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from konvergensi.analyses.gaps_plan import (
    ALL,
    ENDS,
    EQUAL_MONEY,
    GAPS,
    NONE,
    SETS,
    Closed,
    Plan,
    gaps_job,
    make_plan,
    name_of,
    scenario_of,
    seed_of,
)
from konvergensi.analyses.manifest import made_from
from konvergensi.base.errors import InputError
from konvergensi.inputs.arguments import public
from konvergensi.inputs.extensions import takes_extensions
from konvergensi.inputs.options import number_faults
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.inputs.structures import USUAL
from konvergensi.methods.shapley import shapley
from konvergensi.methods.statistics import interval
from konvergensi.results.gaps import GOOD, MEASURES, RANGES, RANKING, Gaps
from konvergensi.studies.rows import Progress, Row, rows_of

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

Sample = Mapping[Closed, float]  # a measure with each set of gaps closed, in one seed or draw
Rows = Mapping[tuple[Closed, int], Row]  # by set of gaps, and seed or draw
CONFIDENCE = 0.95  # over seeds
INTERVALS = ("chance_low", "chance_high", "assumed_low", "assumed_high")


@public()
@takes_extensions
def gaps(
    district: str = "lebak",
    *,
    seeds: int = 4,
    draws: int = 8,
    population_share: float = 0.1,
    start: str = "2018-01",
    end: str = "2024-12",
    workers: int | None = None,
    cluster: str | None = None,
    ranges: bool = True,
    structures: str = USUAL,
    policies_from: str | None = None,
    lang: Lang = "en",
    keep: str | Path | None = None,
    progress: Progress | None = None,
    extensions: Sequence[str | Path] | str | Path | None = None,
) -> Gaps:
    """Close the three gaps alone, in pairs and together, and say what each brings.

    Parameters: district, population_share, start, end, extensions as in `konvergensi.run`; seeds, how many of them (1,
    2, ...); draws, how many samples of the assumptions (0: none); workers, processes at work (None: one for each core);
    cluster, the address of a Dask scheduler instead, `tcp://host:port`; ranges, whether each rate that was never
    measured is also tried at both ends of its range; structures, the rules that are drawn with the assumptions: `all`,
    `default` (none) or the name of one; policies_from, the month in which gaps are closed, "YYYY-MM" or `next January`
    (None: as the policies say); lang, the language of `lines`; keep, a folder in which each finished run is
    kept for the next start; progress, called with runs done and in all.
    Raises InputError naming what is wrong with the input.
    """
    began = time.perf_counter()
    if faults := number_faults({} if workers is None else {"workers": workers}):
        raise InputError(faults)
    plan = make_plan(district, seeds, draws, population_share, start, end, ranges, structures, policies_from)
    jobs = plan.jobs()
    rows = dict(zip(jobs, rows_of(jobs, gaps_job, workers=workers, cluster=cluster, keep=keep, progress=progress)))
    main = {at: rows[job] for at, job in plan.main.items()}
    drawn = {at: rows[job] for at, job in plan.drawn.items()}
    ends = {at: rows[job] for at, job in plan.ends.items()}
    return Gaps(
        values=_values(main, drawn, plan),
        differences=_differences(main, drawn),
        shapley=_shapley(main, drawn),
        ranges=_ranges(plan, main, ends),
        money=_money(main),
        ranking=_ranking(plan, drawn),
        manifest=_manifest(plan, main, time.perf_counter() - began),
        lang=lang,
    )


# ---- tables ----------------------------------------------------------------------------------------------------------


def _values(main: Rows, drawn: Rows, plan: Plan) -> pd.DataFrame:
    runs = [(closed, seed, 0, row) for (closed, seed), row in main.items()]
    runs += [(closed, seed_of(draw, len(plan.seeds)), draw, row) for (closed, draw), row in drawn.items()]
    return pd.DataFrame(
        [
            (name_of(closed), scenario_of(closed, plan.policies_from), measure, seed, draw, row[measure])
            for measure in MEASURES
            for closed, seed, draw, row in runs
        ],
        columns=["closed", "policy", "measure", "seed", "draw", "value"],
    )


def _samples(rows: Rows, measure: str) -> list[Sample]:
    """A measure by set of gaps, once for each seed or draw."""
    numbers = sorted({number for _, number in rows})
    return [{closed: rows[closed, number][measure] for closed in SETS} for number in numbers]


def _estimates(
    of: Callable[[Sample], dict[str, float]], by_seed: Sequence[Sample], by_draw: Sequence[Sample]
) -> dict[str, dict[str, float]]:
    """Mean over seeds of each statistic, and both its intervals; each seed and draw is its own pair."""
    seeds, draws = ([of(sample) for sample in samples] for samples in (by_seed, by_draw))
    found = {}
    for name in seeds[0]:
        mean, low, high = t_interval(np.array([each[name] for each in seeds]))
        assumed = _assumed(np.array([each[name] for each in draws]))
        found[name] = {"value": mean, **dict(zip(INTERVALS, (low, high, *assumed)))}
    return found


def _assumed(values: np.ndarray) -> tuple[float, float]:
    """Where a further draw with a seed of its own is expected, 95 %; (n,) values, NaN for fewer than two."""
    if len(values) < 2:
        return float("nan"), float("nan")
    _, low, high = interval(values[:, None])
    return float(low), float(high)


def t_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % t interval of (n,) independent values; the interval is NaN for a single one."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    from scipy.stats import t

    half = float(t.ppf(0.5 + CONFIDENCE / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def _differences(main: Rows, drawn: Rows) -> pd.DataFrame:
    found = []
    for measure in MEASURES:
        by_seed = _samples(main, measure)
        level = {name_of(closed): float(np.mean([each[closed] for each in by_seed])) for closed in SETS}
        for name, estimate in _estimates(_to_baseline, by_seed, _samples(drawn, measure)).items():
            estimate["difference"] = estimate.pop("value")
            found.append({"closed": name, "measure": measure, "value": level[name]} | estimate)
    return pd.DataFrame(found)[["closed", "measure", "value", "difference", *INTERVALS]]


def _to_baseline(sample: Sample) -> dict[str, float]:
    return {name_of(closed): sample[closed] - sample[NONE] for closed in SETS}


def _shapley(main: Rows, drawn: Rows) -> pd.DataFrame:
    found = []
    for measure in MEASURES:
        estimates = _estimates(shares, _samples(main, measure), _samples(drawn, measure))
        found += [{"measure": measure, "part": part} | estimate for part, estimate in estimates.items()]
    return pd.DataFrame(found)


def shares(sample: Sample) -> dict[str, float]:
    """Shapley share of each gap; `total`, their sum; `interaction`, the total less what each gap brings alone."""
    total = sample[ALL] - sample[NONE]
    alone = sum(sample[frozenset({gap})] - sample[NONE] for gap in GAPS)
    found = shapley(sample)
    return {gap: found[gap] for gap in GAPS} | {"total": total, "interaction": total - alone}


def _ranges(plan: Plan, main: Rows, ends: Mapping[tuple[Closed, str, str], Row]) -> pd.DataFrame:
    found = []
    for measure in MEASURES:
        usual = main[ALL, 1][measure] - main[NONE, 1][measure]
        for rate in plan.rates:
            low, high = (ends[ALL, rate.key, end][measure] - ends[NONE, rate.key, end][measure] for end in ENDS)
            reached = (low, usual, high)
            found.append(
                (measure, rate.key, rate.low, plan.standing[rate.key], rate.high, *reached, max(reached) - min(reached))
            )
    table = pd.DataFrame(found, columns=RANGES)
    order = table["measure"].map({measure: i for i, measure in enumerate(MEASURES)})
    table = table.assign(order=order).sort_values(["order", "span"], ascending=[True, False], kind="stable")
    return table.drop(columns="order").reset_index(drop=True)


def _ranking(plan: Plan, drawn: Rows) -> pd.DataFrame:
    """How often each gap brings most, over all draws and under each choice of each structure."""
    if not plan.structures:
        return pd.DataFrame(columns=RANKING)
    found = []
    for measure in MEASURES:
        parts = pd.DataFrame([shares(each) for each in _samples(drawn, measure)])[list(GAPS)]
        first = (GOOD[measure] * parts).idxmax(axis=1)
        chosen = pd.DataFrame(list(plan.rules))
        groups = [("all", "all", np.ones(len(parts), bool))]
        for each in plan.structures:
            groups += [(each.name, choice, (chosen[each.key] == choice).to_numpy()) for choice in each.weights]
        for name, choice, rows in groups:
            for gap in GAPS:
                n = int(rows.sum())
                mean, share = (parts[gap][rows].mean(), (first[rows] == gap).mean()) if n else (np.nan, np.nan)
                found.append((measure, name, choice, n, gap, mean, share))
    return pd.DataFrame(found, columns=RANKING)


def _money(main: Rows) -> pd.DataFrame:
    lines = [(name_of(closed), *line) for (closed, _), row in main.items() for line in row["money"]]
    table = pd.DataFrame(lines, columns=["closed", "year", "source", "budgeted_rp", "spent_rp"])
    return table.groupby(["closed", "year", "source"], sort=False, as_index=False).mean()


def _manifest(plan: Plan, main: Rows, wall_time_s: float) -> dict[str, Any]:

    policies = {gap: load_scenario(scenario_of(frozenset({gap}), plan.policies_from)) for gap in GAPS}
    job, rows = plan.main[NONE, 1], [main[NONE, seed] for seed in plan.seeds]
    surveys = [row["survey"] for row in rows if row["survey"] is not None]
    hashes = {name: each for policy in policies.values() for name, each in policy.hashes.items()}
    return made_from(plan.place, hashes, wall_time_s) | {
        "policy": ", ".join(["baseline", *(policy.id for policy in policies.values())]),
        "policies": {gap: policy.id for gap, policy in policies.items()},
        "start": job.start,
        "end": job.end,
        "year": plan.year,
        "seed": f"1–{plan.seeds[-1]}" if len(plan.seeds) > 1 else "1",
        "seeds": list(plan.seeds),
        "draws": plan.draws,
        "runs": len(set(plan.jobs())),
        "population_share": job.population_share,
        "population_share_made": rows[0]["population_share_made"],
        "set": dict(EQUAL_MONEY),
        "drawn": {each.key: [each.low, each.high] for each in plan.assumptions} if plan.draws else {},
        "structures": {each.key: dict(each.weights) for each in plan.structures},
        "baseline": {name: float(np.mean([row[name] for row in rows])) for name in ("turned_24_months", "under_fives")},
        "survey": {"system": surveys[0][0], "half_width": float(np.mean([each[1] for each in surveys])) / 100}
        if surveys
        else None,
        "command": "konvergensi.gaps",
        "intervals": f"chance: 95 % t interval over {len(plan.seeds)} seeds, paired by seed; assumptions: "
        f"where a further draw is expected (95 %), from {plan.draws} draws, each with a seed in turn, "
        "paired; ranges: seed 1, no interval",
    }
