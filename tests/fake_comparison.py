"""A comparison in the shape of a real one: a small run of each scenario, other draws and seeds invented around it."""

from __future__ import annotations

import copy
import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from kept import kept

import konvergensi as kv
from konvergensi.results.comparison import COLUMNS, MEASURES, STAGES, Comparison
from konvergensi.results.run import Run

SCENARIOS = ("baseline", "early-planning", "one-list")
SHARE = 0.01
ROUTINE = ({"area": "Bayah", "percent": 9.1}, {"area": "Malingping", "percent": 12.4, "cases": 300})
PUBLISHED = [
    {"level": "subdistrict", "system": "e-PPGBM", "fieldwork": year, "source": "Dinkes", "grade": "paper"} | each
    for year in ("2019", "2020")
    for each in ROUTINE
]
NATIONAL = [{"percent": 14.0, "month": "2024-12", "source": "a decree", "grade": "paper"}]
GROUPS = ("lokus", "non_lokus", *(f"wealth_{k}" for k in range(1, 6)))
AGES = ("age_0_5", "age_6_11", "age_12_23", "age_24_35", "age_36_47", "age_48_59")
TARGETS = {"2024-12": 14.0, "2025-12": 18.8}
STEP = {"prevalence": -0.55, "stunted_children": -620.0, "protected_in_time": 410.0, "complete_package_share": 0.021}
# mean of the levels at the end, and how much draws and seeds move level and difference
LEVEL = {
    "prevalence": 31.0, "stunted_children": 33000.0, "protected_in_time": 9000.0, "complete_package_share": 0.04,
    "services_mean": 2.1, "integration_index": 0.24, "budgeted_rp": 6.1e11, "spent_rp": 4.2e11, "kpm_incentive_rp": 0.0,
    "coordination_rp": 0.0, "displaced_rp": 0.0,
}  # fmt: skip


@functools.cache
def detail(scenario: str, start: str = "2018-01", end: str = "2024-12") -> Run:
    """A run of one scenario, made once for all workers; only to be read."""
    return kept(_detail, scenario, start, end)


def _detail(scenario: str, start: str, end: str) -> Run:
    return kv.run(scenario, population_share=SHARE, start=start, end=end)


def compared(
    scenarios: tuple[str, ...] = SCENARIOS,
    draws: int = 6,
    seeds: int = 2,
    start: str = "2018-01",
    end: str = "2024-12",
    gain: float = 1.0,
    titles: dict[str, dict[str, str]] | None = None,
) -> Comparison:
    """Compare scenarios: `gain` scales what each later one changes, 0 makes all of them inert.

    Who asks for the same gets a manifest of their own and the same tables, which are only to be read.
    """
    made = _compared(scenarios, draws, seeds, start, end, gain)
    manifest = made.manifest | ({"titles": titles, "questions": titles} if titles else {})
    return replace(made, manifest=copy.deepcopy(manifest), details=dict(made.details))


@functools.cache
def _compared(scenarios: tuple[str, ...], draws: int, seeds: int, start: str, end: str, gain: float) -> Comparison:
    details = {scenario: detail(scenario, start, end) for scenario in scenarios}
    months = [str(month) for month in pd.period_range(start, end, freq="M")]
    runs = _runs(scenarios, months, list(range(1, draws + 1)) or [0], seeds, gain)
    first = details[scenarios[0]]
    titles = {scenario: run.manifest["policy_title"] for scenario, run in details.items()}
    manifest = {
        "version": kv.__version__, "district": "lebak", "district_name": "Kabupaten Lebak",
        "policies": list(scenarios), "titles": titles, "questions": titles,
        "draws": draws, "seeds": seeds, "runs": len(scenarios) * max(draws, 1) * seeds,
        "start": start, "end": end, "population_share": SHARE,
        "synthetic_inputs": ["villages"], "published": PUBLISHED, "targets": NATIONAL,
        "assumptions_share": first.manifest["assumptions_share"], "grades": first.manifest["grades"],
        "drawn": ["budget.inertia", "socialization.turnover_share", "services.pmba.effect"] if draws else [],
        "intervals": {"en": "95% of draws and seeds", "id": "95% dari sampel parameter dan benih acak"},
        "pair_intervals": {"en": "t interval of the mean", "id": "selang t bagi rata-rata"}, "variance_note": None,
        "money_note": {"en": "Meetings are not counted.", "id": "Rapat tidak dihitung."},
        "assumed_unit_costs": {"spent_share": dict.fromkeys(scenarios, 0.25), "services": ["anc", "pmba"]},
        "cost_per": _cost_per(runs, scenarios, gain),
        "packages": first.manifest["packages"], "command": "konvergensi compare", "git_commit": None,
        "service_names": first.service_names, "agency_names": first.agency_names, "package": first.package,
    }  # fmt: skip
    return Comparison(
        manifest=manifest,
        comparison=_comparison(runs, scenarios),
        runs=runs,
        targets=_targets(runs, months),
        variance=_table("variance", [(s, m, 0.7, 0.3) for s in scenarios for m in MEASURES]),
        pairs=_pairs(runs, scenarios),
        costs=_costs(runs),
        cost_effect=_cost_effect(runs, scenarios),
        groups=_groups(details, scenarios, gain),
        villages=_villages(details, scenarios, gain),
        details=details,
    )


def _table(name: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS[name])


def _runs(scenarios: tuple[str, ...], months: list[str], draws: list[int], seeds: int, gain: float) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    ramp = np.linspace(0.0, 1.0, len(months))
    ends = [k for k, month in enumerate(months) if month.endswith("-12") or k == len(months) - 1]
    for draw in draws:
        parameter_draw = 1 + 0.08 * rng.standard_normal() * (draw > 0)
        for seed in range(1, seeds + 1):
            chance = 1 + 0.01 * rng.standard_normal()
            wobble = rng.standard_normal(len(MEASURES))
            for place, scenario in enumerate(scenarios):
                for (measure, level), shift in zip(LEVEL.items(), wobble, strict=True):
                    shape = 1.2 - 0.2 * ramp if measure in ("prevalence", "stunted_children") else ramp
                    step = STEP.get(measure, 0.02 * level) * gain * place * (1 + 0.4 * shift) * ramp
                    values = level * parameter_draw * chance * shape + step
                    shown = range(len(months)) if measure == "prevalence" else ends
                    rows += [(scenario, draw, seed, measure, months[k], float(values[k])) for k in shown]
    return _table("runs", rows)


def _comparison(runs: pd.DataFrame, scenarios: tuple[str, ...]) -> pd.DataFrame:
    wide = runs.pivot(index=["measure", "month", "draw", "seed"], columns="policy", values="value")
    rows = []
    for (measure, month), values in wide.groupby(level=[0, 1], sort=False):
        best = (values * MEASURES[measure]).rank(axis=1, ascending=False, method="min") == 1
        best = best.div(best.sum(axis=1), axis=0)
        for scenario in scenarios:
            less = values[scenario] - values[scenarios[0]]
            chosen = best[scenario].mean() if MEASURES[measure] else np.nan
            of_best = (chosen, max(chosen - 0.1, 0.0), min(chosen + 0.1, 1.0))
            rows.append((scenario, measure, month, *_interval(values[scenario]), *_interval(less), *of_best))
    return _table("comparison", rows)


def _interval(values: pd.Series) -> tuple[float, float, float]:
    if len(values) < 2:
        return float(values.mean()), np.nan, np.nan
    return float(values.mean()), *(float(edge) for edge in np.percentile(values, [2.5, 97.5]))


def _targets(runs: pd.DataFrame, months: list[str]) -> pd.DataFrame:
    rows = []
    true = runs[runs["measure"] == "prevalence"]
    for scenario, mine in true.groupby("policy", sort=False):
        for month, target in TARGETS.items():
            at = mine.loc[mine["month"] == month, "value"]
            rows.append((scenario, target, month, float((at <= target).mean()) if len(at) else np.nan, len(at)))
    return _table("targets", rows)


def _end(runs: pd.DataFrame, measure: str) -> pd.DataFrame:
    last = runs[(runs["measure"] == measure) & (runs["month"] == runs["month"].max())]
    return last.pivot(index=["draw", "seed"], columns="policy", values="value")


def _pairs(runs: pd.DataFrame, scenarios: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for measure in ("prevalence", "protected_in_time"):
        end = _end(runs, measure)
        for k, one in enumerate(scenarios):
            for other in scenarios[k + 1 :]:
                mean, low, high = _interval(end[other] - end[one])
                decided = bool(low > 0 or high < 0)
                more = (np.nan, "") if decided or low == high else (40.0, "draws")
                rows.append((one, other, measure, mean, low, high, decided, *more))
    return _table("pairs", rows)


def _costs(runs: pd.DataFrame) -> pd.DataFrame:
    spent = runs[(runs["measure"] == "spent_rp") & (runs["month"] == runs["month"].max())]
    shares = {"apbn": 0.5, "dak": 0.2, "apbd": 0.2, "dana-desa": 0.1}
    rows = [
        (row.policy, row.draw, row.seed, source, stage, row.value * share * (1.45 - 0.15 * at))
        for row in spent.itertuples()
        for source, share in shares.items()
        for at, stage in enumerate(STAGES)
    ]
    return _table("costs", rows)


def _cost_effect(runs: pd.DataFrame, scenarios: tuple[str, ...]) -> pd.DataFrame:
    ends = {name: _end(runs, name) for name in ("spent_rp", "stunted_children", "protected_in_time")}
    rows = []
    for scenario in scenarios[1:]:
        less = {name: end[scenario] - end[scenarios[0]] for name, end in ends.items()}
        for draw, seed in ends["spent_rp"].index:
            cost, cases, protected = (float(change[draw, seed]) for change in less.values())
            rows.append((scenario, draw, seed, cost, -cases, protected, 0.0))
    return _table("cost_effect", rows)


def _cost_per(runs: pd.DataFrame, scenarios: tuple[str, ...], gain: float) -> list[dict[str, Any]]:
    rows = []
    for scenario in scenarios[1:]:
        less = {m: (_end(runs, m)[scenario] - _end(runs, m)[scenarios[0]]).mean() for m in STEP}
        effects = {"cases_averted": -less["stunted_children"], "protected_in_time": less["protected_in_time"]}
        for effect, children in effects.items():
            rp = 1.5e10 / children if gain > 0 and children > 0 else None
            ends = {"low": rp and rp / 2, "high": rp and rp * 2}
            reason = None if rp else {"en": "the same in every run", "id": "sama pada semua simulasi"}
            rows.append({"policy": scenario, "effect": effect, "rp": rp, **ends, "reason": reason})
    return rows


def _groups(details: dict[str, Run], scenarios: tuple[str, ...], gain: float) -> pd.DataFrame:
    rows = []
    for place, (scenario, run) in enumerate(details.items()):
        last = run.series[run.series["month"] == run.series["month"].max()].set_index("group")["prevalence"] * 100
        for at, group in enumerate((*GROUPS, *AGES)):
            less = STEP["prevalence"] * gain * place * (1 - 0.06 * at)
            spread = 0.2 * abs(less)
            rows.append((scenario, group, float(last[group]), less, less - spread, less + spread))
    return _table("groups", rows)


def _villages(details: dict[str, Run], scenarios: tuple[str, ...], gain: float) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    first = next(iter(details.values())).villages
    seen = first[first["year"] == first["year"].max()]
    base = rng.normal(31.0, 4.0, len(seen))
    change = rng.normal(STEP["prevalence"], 0.8, len(seen)) * gain
    tables = []
    for place, scenario in enumerate(scenarios):
        table = seen[["village", "kecamatan", "x", "y", "lokus"]].assign(
            policy=scenario, prevalence=base + change * place, difference=change * place
        )
        tables.append(table[COLUMNS["villages"]])
    return pd.concat(tables, ignore_index=True)
