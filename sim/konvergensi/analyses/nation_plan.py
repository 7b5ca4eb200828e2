"""One district's part of `konvergensi nation`: its baseline to 2029, a few policies from 2026 on, over many paths.

Each set of parameters is run once for the baseline and once for each policy; level and rise add to every child's z
alike, so prevalence under any path of the fit is read off the same children (model/level.py): a few runs stand for many
draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from konvergensi.analyses.compare_plan import sample_of
from konvergensi.analyses.paths import path_draws
from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import collect
from konvergensi.base.months import format_month, month_of, parse_month
from konvergensi.inputs.country import LEVEL_KEYS, codes, shipped_codes
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.scenarios import Scenario, load_scenario
from konvergensi.model.branch import branches_of
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.level import MIDDLE, YEARS, Probe, Snapshot, snapshot
from konvergensi.model.outcome import measures_of
from konvergensi.studies.rows import Row

BASELINE = "baseline"
POLICIES = ("one-list", "more-money-no-coordination", "full-convergence")
FROM, START, END = "2026-01", "2018-01", "2029-12"
PATHS = 40  # of the fit, for each set of parameters


@dataclass(frozen=True)
class DistrictJob:
    """One district with all its runs; families: at most so many are simulated, None: population_share of them."""

    scenarios: tuple[str, ...]
    district: str
    code: str
    families: int | None
    population_share: float
    samples: int  # sets of parameters: as they are, then draws of what is uncertain
    paths: int = PATHS
    set: tuple[tuple[str, Value], ...] = ()


def jobs_of(
    policies: Sequence[str], families: int | None, population_share: float, samples: int, areas: Sequence[str] = ()
) -> list[DistrictJob]:
    """A job for each district, by code; areas: only these codes. Raises InputError for a policy that cannot be used."""
    names = (BASELINE, *policies)
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError([fault("", "--policy", "named_twice", value=name) for name in twice])
    collect(partial(later, name) for name in policies)
    own = {code: id_ for id_, code in shipped_codes().items()}
    asked = list(areas) or codes().tolist()
    return [DistrictJob(names, own.get(each, each), each, families, population_share, samples) for each in asked]


def later(name: str, month: str = FROM) -> Scenario:
    """A policy as if it began in a month: all its dates moved by the same time. Raises InputError for none such."""
    policy = load_scenario(name)
    if not policy.changes:
        return policy
    by = parse_month(month) - min(change.month for change in policy.changes)
    moved = (
        replace(each, month=each.month + by, until=None if each.until is None else each.until + by)
        for each in policy.changes
    )
    return replace(policy, changes=tuple(moved))


def run_district(job: DistrictJob) -> Row:
    """All runs of a district.

    Returns: paths, percent by YEARS of each draw; percent, by scenario, in END under each draw (samples x paths);
    under_fives, spent_rp, kpm_rp, by scenario and sample, of the whole district (rupiah from FROM on); share_made.
    """
    place = find_district(job.district)
    families = float(place.population["families"].value)
    share = job.population_share if job.families is None else min(1.0, job.families / families)
    _, drawn = sample_of(place, job.samples - 1, set(LEVEL_KEYS))
    every = path_draws(job.code, job.samples * job.paths)
    found: Row = {"paths": every, "percent": {}, "under_fives": {}, "spent_rp": {}, "kpm_rp": {}, "share_made": share}
    for number, values in enumerate([{}, *drawn]):
        ends, probe, money = _runs(job, share, number + 1, dict(values) | dict(job.set))
        own = every[number * job.paths : (number + 1) * job.paths]
        levels = [probe.solve(dict(zip(YEARS, path))) for path in own]
        for name, last in ends.items():
            percent = [round(100 * last.prevalence(*each, probe.sd), 3) for each in levels]
            found["percent"].setdefault(name, []).extend(percent)
            for what in ("under_fives", "spent_rp", "kpm_rp"):
                found[what].setdefault(name, []).append(money[name][what])
    return found


def _runs(
    job: DistrictJob, share: float, seed: int, values: dict[str, Value]
) -> tuple[dict[str, Snapshot], Probe, dict[str, dict[str, float]]]:
    """One set of parameters: the children of each scenario in END, what the baseline says until 2024, and money."""
    snapshots: dict[int, Snapshot] = {}

    def watch(model: ConvergenceModel) -> None:
        month = model.world.month - 1
        year = int(format_month(month)[:4])
        if month_of(month) == MIDDLE and year in YEARS:
            snapshots[year] = snapshot(model, month)

    ends: dict[str, Snapshot] = {}
    money: dict[str, dict[str, float]] = {}
    sd = 0.0
    policies = [(name, load_scenario(name) if name == BASELINE else later(name)) for name in job.scenarios]
    for name, model in branches_of(policies, job.district, seed, share, START, END, values, watch=watch):
        ends[name] = snapshot(model, model.world.month - 1)
        sd = float(model.world.settings["growth.deviation_sd"])
        money[name] = _money(measures_of(model))
    return ends, Probe(snapshots, sd, {}), money


def _money(kept: dict[str, Any]) -> dict[str, float]:
    """Under-fives in the last month, and rupiah from FROM on."""
    before = kept["at"].index(format_month(parse_month(FROM) - 1))
    spent, kpm = (kept[name][-1] - kept[name][before] for name in ("spent_rp", "kpm_incentive_rp"))
    children = 100.0 * kept["stunted_children"][-1] / kept["prevalence"][-1]
    return {"under_fives": children, "spent_rp": spent, "kpm_rp": kpm}
