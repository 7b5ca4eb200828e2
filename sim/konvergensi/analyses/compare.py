"""Comparing scenarios: the same children, parameter draws and chance under each, differences to the first.

`compare(["baseline", "one-list"], district="lebak")` returns a `Comparison`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.analyses.budget_lines import money_note
from konvergensi.analyses.compare_plan import PairedJob, Plan, compare_job, make_plan, run_of_row
from konvergensi.analyses.manifest import made_from
from konvergensi.analyses.measure_first import choices, measure_first
from konvergensi.analyses.paths import described_level
from konvergensi.base.errors import InputError
from konvergensi.base.months import format_month
from konvergensi.base.words import both
from konvergensi.inputs.acting import acting_years
from konvergensi.inputs.arguments import public
from konvergensi.inputs.country_observed import Observed
from konvergensi.inputs.extensions import takes_extensions
from konvergensi.inputs.options import number_faults
from konvergensi.inputs.scenarios import starting
from konvergensi.inputs.structures import USUAL
from konvergensi.inputs.targets import load_targets
from konvergensi.methods.statistics import (
    F64,
    best_with_interval,
    interval,
    interval_kind,
    is_decided,
    mean_interval,
    more_runs,
    ratio_interval,
    variance_shares,
)
from konvergensi.results.comparison import BOUNDS, COLUMNS, MEASURES, Comparison
from konvergensi.results.fitted import FITTED, described
from konvergensi.results.run import Run
from konvergensi.studies.rows import Progress, Row, rows_of

TARGETS = tuple((each.percent, format_month(each.month)) for each in load_targets())  # the national path
EFFECTS = {"cases_averted": "d_cases", "protected_in_time": "d_protected"}


@public()
@takes_extensions
def compare(
    scenarios: Sequence[str],
    *,
    district: str = "lebak",
    draws: int = 20,
    seeds: int = 4,
    population_share: float = 0.2,
    start: str = "2018-01",
    end: str = "2024-12",
    set: Mapping[str, Any] | None = None,
    draws_from: str = FITTED,
    structures: str = USUAL,
    observed: str | Path | Sequence[Observed] | None = None,
    policies_from: str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    keep: str | Path | None = None,
    progress: Progress | None = None,
    extensions: Sequence[str | Path] | str | Path | None = None,
) -> Comparison:
    """Compare scenarios in one district; the first is the reference.

    Parameters: scenarios, two or more, by name, path, or a+b; draws, how many samples of the uncertain parameters (0:
    parameters as they are, so that intervals speak of chance alone); seeds, how many for each draw (1, 2, ...);
    draws_from, `fitted` for draws fitted to the district where it has them (else as `prior`), `prior` for the ranges of
    the parameters alone, or the folder of a calibration; structures, the rules that are drawn with them: `all`,
    `default` (none) or the name of one; observed, survey rows of one's own or a file of them, which move the district's
    level (as `validate --observed` reads them); policies_from, the month in which every policy begins, "YYYY-MM" or
    `next January` (None: as each says); workers, processes at work (None: one for each core); cluster, the address of a
    Dask scheduler instead, `tcp://host:port`; keep, a folder in which what is finished is kept for the next start;
    progress, called with runs done and in all; the others as in `konvergensi.run`. The level of each draw is one of the
    fit over the country (docs/decisions/0038-one-truth.md).
    Raises InputError naming what is wrong with the input.
    """
    began = time.perf_counter()
    if faults := number_faults({} if workers is None else {"workers": workers}):
        raise InputError(faults)
    span = (population_share, start, end)
    scenarios = starting(scenarios, policies_from)
    plan = make_plan(scenarios, district, draws, seeds, *span, dict(set or {}), draws_from, structures, observed)
    each = len(plan.policies)
    tell = None if progress is None else lambda done, total: progress(done * each, total * each)
    jobs = [plan.full, *plan.sample.values()]
    found = rows_of(jobs, compare_job, workers=workers, cluster=cluster, keep=keep, progress=tell)
    rows = dict(zip(jobs, found))
    details = {policy: run_of_row(row["run"]) for policy, row in zip(plan.names, rows[plan.full]["scenarios"])}
    samples = _Samples.of(plan, rows)
    cost_effect = _cost_effect(samples)
    parameter_draws = _parameter_draws(plan, rows)
    information, worth = _information(samples, parameter_draws, cost_effect)
    manifest = _manifest(plan, samples, details, cost_effect, dict(set or {}), time.perf_counter() - began)
    return Comparison(
        manifest=manifest | {"information": worth},
        comparison=_comparison(samples),
        runs=_runs(samples),
        targets=_targets(samples),
        variance=_variance(samples),
        pairs=_pairs(samples),
        costs=_costs(samples),
        cost_effect=cost_effect,
        groups=_groups(samples),
        villages=_villages(samples),
        details=details,
        parameter_draws=parameter_draws,
        settled=_settled(plan, rows),
        information=information,
    )


class _Samples:
    """The sampled runs as arrays: everything begins with draws, seeds, scenarios."""

    def __init__(self, plan: Plan, outcomes: dict[tuple[int, int], list[Row]]) -> None:
        self.plan = plan
        self.draws = sorted({draw for draw, _ in outcomes})
        self.seeds = sorted({seed for _, seed in outcomes})
        self.outcomes = outcomes
        first = next(iter(outcomes.values()))[0]
        self.months: dict[str, list[str]] = {m: first["months" if m == "prevalence" else "at"] for m in MEASURES}
        self.groups = list(first["groups"])
        self.share_made = float(first["population_share_made"])
        self.by_measure = {measure: self.array(measure) for measure in MEASURES}  # (..., months)
        self.last = {measure: values[..., -1] for measure, values in self.by_measure.items()}

    @classmethod
    def of(cls, plan: Plan, rows: Mapping[PairedJob, Row]) -> _Samples:
        found = {at: [each["outcome"] for each in rows[job]["scenarios"]] for at, job in plan.sample.items()}
        return cls(plan, found)

    @property
    def names(self) -> list[str]:
        return self.plan.names

    def array(self, name: str) -> F64:
        """One thing of every outcome, (draws, seeds, scenarios, ...)."""
        return np.array([[[o[name] for o in self.outcomes[d, s]] for s in self.seeds] for d in self.draws], float)

    def each_run(self) -> list[tuple[str, int, int, Row]]:
        """Scenario, draw, seed and outcome of every run, scenario by scenario."""
        return [
            (name, draw, seed, self.outcomes[draw, seed][i])
            for i, name in enumerate(self.names)
            for draw in self.draws
            for seed in self.seeds
        ]


def _to_first(values: F64) -> F64:
    """Paired differences to the first scenario, (draws, seeds, scenarios, ...)."""
    return values - values[:, :, :1]


# ---- tables ----------------------------------------------------------------------------------------------------------


def _table(name: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS[name])


def _comparison(samples: _Samples) -> pd.DataFrame:
    parts = []
    for measure, values in samples.by_measure.items():
        levels = (np.clip(each, *BOUNDS.get(measure, (0.0, math.inf))) for each in interval(values))
        columns = (*levels, *interval(_to_first(values)), *best_with_interval(values, MEASURES[measure]))
        for i, name in enumerate(samples.names):
            of_one = dict(zip(COLUMNS["comparison"][3:], (column[i] for column in columns)))
            parts.append(pd.DataFrame({"policy": name, "measure": measure, "month": samples.months[measure]} | of_one))
    return pd.concat(parts, ignore_index=True)


def _runs(samples: _Samples) -> pd.DataFrame:
    rows = [
        (name, draw, seed, measure, month, value)
        for name, draw, seed, outcome in samples.each_run()
        for measure in MEASURES
        for month, value in zip(samples.months[measure], outcome[measure])
    ]
    return _table("runs", rows)


def _targets(samples: _Samples) -> pd.DataFrame:
    values, months = samples.by_measure["prevalence"], samples.months["prevalence"]
    rows: list[tuple[Any, ...]] = []
    for i, name in enumerate(samples.names):
        for percent, month in TARGETS:
            if month not in months:
                rows.append((name, percent, month, math.nan, 0))
                continue
            reached = values[:, :, i, months.index(month)] <= percent
            rows.append((name, percent, month, float(reached.mean()), reached.size))
    return _table("targets", rows)


def _variance(samples: _Samples) -> pd.DataFrame:
    rows = []
    for i, name in enumerate(samples.names):
        for measure, values in samples.last.items():
            of_one = values[..., 0] if i == 0 else _to_first(values)[..., i]
            rows.append((name, measure, *variance_shares(of_one)))
    return _table("variance", rows)


def _pairs(samples: _Samples) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for a, one in enumerate(samples.names):
        for b, other in enumerate(samples.names[a + 1 :], start=a + 1):
            for measure, values in samples.last.items():
                difference = values[..., b] - values[..., a]
                mean, low, high = (float(each) for each in mean_interval(difference))
                rows.append((one, other, measure, mean, low, high, is_decided(difference), *more_runs(difference)))
    return _table("pairs", rows)


def _costs(samples: _Samples) -> pd.DataFrame:
    return _table("costs", [(*key, *line) for *key, outcome in samples.each_run() for line in outcome["costs"]])


def _cost_effect(samples: _Samples) -> pd.DataFrame:
    cost = _to_first(samples.last["spent_rp"] + samples.last["kpm_incentive_rp"] + samples.last["coordination_rp"])
    cases, protected = (_to_first(samples.last[measure]) for measure in ("stunted_children", "protected_in_time"))
    paid_out = _to_first(samples.array("transfer_rp"))
    rows = [
        (name, draw, seed, cost[d, s, i], 0.0 - cases[d, s, i], protected[d, s, i], paid_out[d, s, i])
        for i, name in enumerate(samples.names)
        for d, draw in enumerate(samples.draws)
        for s, seed in enumerate(samples.seeds)
    ]
    return _table("cost_effect", rows)


def _groups(samples: _Samples) -> pd.DataFrame:
    values = samples.array("groups_prevalence")
    mean, difference = values.mean(axis=(0, 1)), interval(_to_first(values))
    rows = [
        (name, group, mean[i, g], *(each[i, g] for each in difference))
        for i, name in enumerate(samples.names)
        for g, group in enumerate(samples.groups)
    ]
    return _table("groups", rows)


def _villages(samples: _Samples) -> pd.DataFrame:
    values = samples.array("villages")
    difference = _to_first(values)
    place = samples.plan.place.villages
    parts = [
        pd.DataFrame(
            {
                "policy": name,
                "village": place["village"].to_numpy(),
                "kecamatan": place["kecamatan"].to_numpy(),
                "x": place["x"].to_numpy(),
                "y": place["y"].to_numpy(),
                "lokus": place["lokus"].to_numpy(),
                "prevalence": _mean_where_known(values[:, :, i]),
                "difference": _mean_where_known(difference[:, :, i]),
            }
        )
        for i, name in enumerate(samples.names)
    ]
    return pd.concat(parts, ignore_index=True)


def _parameter_draws(plan: Plan, rows: Mapping[PairedJob, Row]) -> pd.DataFrame:
    """What each draw holds: parameters drawn, and level and rise as they were solved from its path."""
    drawn = {each.key for each in plan.drawn}
    found = []
    for (draw, seed), job in plan.sample.items():
        if seed == 1 and draw:
            held = {key: value for key, value in job.set if key in drawn} | rows[job]["level"]
            found += [(draw, key, float(value)) for key, value in held.items()]
    return _table("parameter_draws", found)


def _settled(plan: Plan, rows: Mapping[PairedJob, Row]) -> pd.DataFrame:
    """Rules that a draw chose, and level and rise of each of its runs, as text that reads back exactly."""
    rules = {each.key for each in plan.structures}
    found = []
    for (draw, seed), job in plan.sample.items():
        held = {key: value for key, value in job.set if key in rules} | rows[job]["level"]
        found += [(draw, seed, key, str(value)) for key, value in held.items()]
    return _table("settled", found)


def _information(
    samples: _Samples, parameter_draws: pd.DataFrame, cost_effect: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What is worth measuring before choosing, priced by what a stunted child fewer costs under the best policy."""
    chosen = choices(samples.plan.policies)
    prevalence, stunted = (samples.last[name][:, :, chosen] for name in ("prevalence", "stunted_children"))
    best = samples.names[chosen[int(prevalence.mean(axis=(0, 1)).argmin())]]
    prices = {(each["policy"], each["effect"]): each["rp"] for each in _cost_per(cost_effect, samples)}
    return measure_first(prevalence, stunted, samples.draws, parameter_draws, prices.get((best, "cases_averted")))


def _mean_where_known(values: F64) -> F64:
    """Mean over draws and seeds, leaving out runs in which a village has no child; NaN where none has."""
    known = ~np.isnan(values)
    count = known.sum(axis=(0, 1))
    total = np.where(known, values, 0.0).sum(axis=(0, 1))
    mean: F64 = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


# ---- manifest --------------------------------------------------------------------------------------------------------


def _manifest(
    plan: Plan,
    samples: _Samples,
    details: Mapping[str, Run],
    cost_effect: pd.DataFrame,
    set_: dict[str, Any],
    wall_time_s: float,
) -> dict[str, Any]:
    draws, seeds = plan.draws, plan.seeds
    reference = details[plan.names[0]]
    kind = interval_kind(draws, seeds)
    hashes = {policy.id: policy.hashes for policy in plan.policies}
    return made_from(plan.place, hashes, wall_time_s) | {
        "policies": plan.names,
        "titles": {policy.id: {"en": policy.title.en, "id": policy.title.id} for policy in plan.policies},
        "kinds": {policy.id: policy.kind for policy in plan.policies if policy.kind},
        "questions": {policy.id: {"en": policy.question.en, "id": policy.question.id} for policy in plan.policies},
        "changes": {policy.id: resolved.log for policy, resolved in zip(plan.policies, plan.resolved)},
        "acts": {
            policy.id: acting_years(plan.resolved[0], resolved, plan.first, plan.last)
            for policy, resolved in zip(plan.policies, plan.resolved)
        },
        "draws": draws,
        "seeds": seeds,
        "runs": len(plan.sample) * len(plan.names),
        "start": format_month(plan.first),
        "end": format_month(plan.last),
        "population_share": plan.full.population_share,
        "population_share_made": samples.share_made,
        "set": set_,
        "drawn": [each.key for each in plan.drawn],
        "structures": {each.key: dict(each.weights) for each in plan.structures},
        "parameter_draws": described(plan.fitted, plan.place) if draws else {"from": "none"},
        "level": described_level(plan.place, set_, plan.rows),
        "interval_kind": kind,
        "intervals": both(f"said.intervals.{kind}", draws=draws, seeds=seeds),
        "pair_intervals": both("said.intervals.pairs"),
        "variance_note": None if draws >= 2 and seeds >= 2 else both("said.note.no_variance"),
        "money_note": money_note(plan.place),
        "assumed_unit_costs": _assumed_unit_costs(plan, details),
        "cost_per": _cost_per(cost_effect, samples),
        "families_simulated": round(samples.share_made * float(plan.place.villages["families"].sum())),
        "targets": [
            {"percent": each.percent, "month": format_month(each.month), "source": each.source, "grade": each.grade}
            for each in load_targets()
        ],
        "published": [each.row(plan.place.name) for each in plan.place.published],
        "assumptions_share": reference.manifest["assumptions_share"],
        "grades": reference.manifest["grades"],
        "service_names": reference.service_names,
        "agency_names": reference.agency_names,
        "package": reference.package,
        "command": "konvergensi.compare",
    }


def _assumed_unit_costs(plan: Plan, details: Mapping[str, Run]) -> dict[str, Any]:
    """Of the money spent, the share whose unit cost is an assumption, by scenario; and which services those are."""
    known = plan.place.parameters()
    grade = {
        each.id: each.grade if each.unit_cost_rp else known[f"services.{each.service}.unit_cost_rp"].grade
        for each in plan.place.programmes
    }
    assumed = {each.service for each in plan.place.programmes if grade[each.id] == "assumption"}
    shares = {}
    for name, run in details.items():
        spent = run.money.groupby("programme")["spent_rp"].sum()
        total = float(spent.sum())
        on_assumed = float(spent[[grade[programme] == "assumption" for programme in spent.index]].sum())
        shares[name] = on_assumed / total if total > 0 else math.nan
    return {"spent_share": shares, "services": sorted(assumed)}


def _cost_per(cost_effect: pd.DataFrame, samples: _Samples) -> list[dict[str, Any]]:
    """Rp per stunted child averted and per child protected in time, against the reference, or why there is none.

    without_transfers_rp: the same without what goes to families as cash or food vouchers.
    """
    by = "draw" if len(samples.draws) > 1 else "seed"
    rows: list[dict[str, Any]] = []
    for name in samples.names[1:]:
        each = cost_effect[cost_effect["policy"] == name]
        means = each.groupby(by)[["d_cost_rp", "d_transfer_rp", *EFFECTS.values()]].mean()
        services = (means["d_cost_rp"] - means["d_transfer_rp"]).to_numpy()
        for effect, column in EFFECTS.items():
            ratio, low, high = ratio_interval(means["d_cost_rp"].to_numpy(), means[column].to_numpy())
            reason = (
                None if math.isfinite(ratio) else both(f"said.no_ratio.{_why(each[column].to_numpy(), len(means))}")
            )
            known = (
                {"rp": ratio, "low": low, "high": high} if reason is None else {"rp": None, "low": None, "high": None}
            )
            without, _, _ = ratio_interval(services, means[column].to_numpy())
            services_rp = without if reason is None and math.isfinite(without) else None
            told = {**known, "without_transfers_rp": services_rp, "reason": reason}
            rows.append({"policy": name, "effect": effect, **told})
    return rows


def _why(effect: F64, replicates: int) -> str:
    if not effect.any():
        return "alike"
    if replicates < 2:
        return "one_run"
    return "worse" if (effect <= 0).all() else "unclear"
