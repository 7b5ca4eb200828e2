"""What to buy with Rp X more, which lines to spare with Rp X less, or how to deal the same money anew.

Every line that the district may change is simulated with two amounts, paired with the same children, draws and seed; a
linear programme over what they bring finds the best use (methods/allocation.py); that use is simulated once more,
beside the same money divided as lines are now. Docs: decision 0031.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from konvergensi.analyses.allocate_plan import (
    ALONG,
    OBJECTIVES,
    REFERENCE,
    AllocateJob,
    Plan,
    allocate_job,
    make_plan,
    months_of,
    rooms,
)
from konvergensi.analyses.manifest import made_from
from konvergensi.base.errors import InputError, fault, nearest
from konvergensi.base.months import format_month
from konvergensi.base.words import both
from konvergensi.inputs.arguments import public
from konvergensi.inputs.extensions import takes_extensions
from konvergensi.inputs.options import number_faults
from konvergensi.methods.allocation import CAUTIONS, Bought, Offer, frontier, priced
from konvergensi.methods.allocation import allocate as solve
from konvergensi.methods.information import evppi
from konvergensi.methods.statistics import mean_interval
from konvergensi.results.allocation import COLUMNS, Allocation
from konvergensi.results.fitted import FITTED, described
from konvergensi.studies.rows import Progress, Row, rows_of

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

F64 = np.ndarray
RESAMPLES = 1000
CHOSEN = "chosen"
COUNTED = {
    "cases": "cases",
    "cost": "cases",
    "equity": "equity",
    "protected": "protected",
}  # objective -> what is counted
SIGN = {"cases": -1.0, "equity": -1.0, "protected": 1.0}  # which way is better


@public()
@takes_extensions
def allocate(
    district: str = "lebak",
    *,
    more: float | None = None,
    less: float | None = None,
    since: str,
    until: str,
    at: str | None = None,
    objective: str = "cases",
    caution: str = "mean",
    policy: str = "baseline",
    draws: int = 20,
    seeds: int = 2,
    first_seed: int = 1,
    population_share: float = 0.03,
    start: str = "2018-01",
    draws_from: str = FITTED,
    structures: str = "all",
    workers: int | None = None,
    cluster: str | None = None,
    lang: Lang = "en",
    keep: str | Path | None = None,
    progress: Progress | None = None,
    extensions: Sequence[str | Path] | str | Path | None = None,
) -> Allocation:
    """Find what to buy with money.

    Parameters: more or less, Rp a year more or less than now (neither: the same money, dealt anew); since, until, first
    month and last December of the money, "YYYY-MM"; at, the month in which gains are counted (None: 36 months after
    `since`), among children born or under 24 months while the money acts; objective, `cases` (stunted children
    averted), `protected` (children with every service in time), `equity` (cases, weighted by wealth fifth), or `cost`
    (half of the cases that the money could avert, for the fewest rupiah); caution, `mean` of the draws, their
    `worst-decile`, or `regret`; policy, what is in force beside; draws, seeds, first_seed, how many samples and seeds,
    and the first of them; the others as in `konvergensi.compare`.
    Raises InputError naming what is wrong with the input.
    """
    began = time.perf_counter()
    budget = checked(more, less, objective, caution, draws, seeds, workers)
    months = months_of(since, until, at, start)
    numbers = range(first_seed, first_seed + seeds)
    plan = make_plan(
        district, budget, months, policy, draws, numbers, population_share, start, draws_from, structures
    )  # fmt: skip
    engine: dict[str, Any] = {"workers": workers, "cluster": cluster, "keep": keep}
    count = len(plan.jobs)
    tell = None if progress is None else lambda done, total: progress(done, total + count // 2)
    rows = dict(zip(plan.jobs, rows_of(list(plan.jobs.values()), allocate_job, progress=tell, **engine)))
    found = _Found(plan, rows, COUNTED[objective])
    offer = found.offer()
    best = _solved(offer, plan, caution, objective)
    check = _check_jobs(plan, found, best, rows)
    tell = None if progress is None else lambda done, total: progress(count + done, count + total)
    again = dict(zip(check, rows_of(list(check.values()), allocate_job, progress=tell, **engine)))
    ranks = found.ranks()
    return Allocation(
        allocation=_allocation(found, best, ranks),
        marginal=_marginal(found, ranks),
        front=_front(found, offer, plan),
        cautions=_cautions(found, offer, plan, objective),
        checked=_checked_table(found, best, again),
        structures=_structures(found),
        information=_information(found, offer, best),
        tries=_tries(found),
        manifest=_manifest(plan, found, best, ranks, objective, caution, numbers, time.perf_counter() - began),
        lang=lang,
    )


def checked(
    more: float | None,
    less: float | None,
    objective: str,
    caution: str,
    draws: int,
    seeds: int,
    workers: int | None = None,
) -> float:
    """The budget in Rp a year, below 0 where it is less. Raises InputError."""
    faults = number_faults({"seeds": seeds} | ({} if workers is None else {"workers": workers}))
    if more is not None and less is not None:
        faults.append(fault("", "--less", "more_and_less"))
    for name, value in (("--more", more), ("--less", less)):
        if value is not None and not 1e6 <= value <= 1e15:
            faults.append(fault("", name, "outside", value=value, low="1000000", high="1e15", unit="Rp"))
    for name, chosen, known in (("--objective", objective, OBJECTIVES), ("--caution", caution, CAUTIONS)):
        if chosen not in known:
            faults.append(
                fault("", name, "choice", value=chosen, choices=", ".join(known), near=nearest(chosen, known))
            )
    if draws < 2 or draws > 10_000:
        faults.append(fault("", "--draws", "outside", value=draws, low="2", high="10000", unit=""))
    if faults:
        raise InputError(faults)
    return float(more or 0.0) - float(less or 0.0)


class _Found:
    """What the tries brought, as arrays over draws and seeds."""

    def __init__(self, plan: Plan, rows: Mapping[tuple[int, int], Row], counted: str) -> None:
        self.plan, self.counted = plan, counted
        self.draws = sorted({draw for draw, _ in rows})
        self.seeds = sorted({seed for _, seed in rows})
        self.rows = rows
        names = [name for name, _ in next(iter(plan.jobs.values())).tries]
        self.names = names[1 : 1 + len(plan.points)]
        self.gains = np.stack([self.gain(name) for name in self.names], axis=2)  # (draws, seeds, points)

    def array(self, name: str, what: str, rows: Mapping[tuple[int, int], Row] | None = None) -> F64:
        """A number of a try, (draws, seeds)."""
        rows = self.rows if rows is None else rows
        return np.array([[rows[d, s]["tries"][name][what] for s in self.seeds] for d in self.draws], float)

    def gain(self, name: str, rows: Mapping[tuple[int, int], Row] | None = None) -> F64:
        """What a try brings, (draws, seeds)."""
        base = self.array(REFERENCE, self.counted, rows)
        return SIGN[self.counted] * (self.array(name, self.counted, rows) - base)

    def offer(self, index: tuple[F64, F64] | None = None) -> Offer:
        """What can be bought; index: draws and seeds of a resample."""
        plan = self.plan
        gains = self.gains if index is None else self.gains[np.ix_(*index)]
        of_draws = gains.mean(axis=1)
        n = len(plan.lines)
        sources = list(dict.fromkeys(line.source for line in plan.lines))
        room = rooms(plan.lines)
        return Offer(
            rp=np.concatenate([np.zeros(n), [rp for _, rp in plan.points]]),
            gain=np.concatenate([np.zeros((len(of_draws), n)), of_draws], axis=1),
            line=np.concatenate([np.arange(n), [i for i, _ in plan.points]]).astype(np.intp),
            source=np.array([sources.index(line.source) for line in plan.lines], np.intp),
            room=np.array([room[source] for source in sources]),
        )

    def smallest(self) -> list[int]:
        """Index of the smallest amount tried of each line; upwards where both ways were."""
        plan = self.plan
        return [
            min(
                (k for k, (line, rp) in enumerate(plan.points) if line == i),
                key=lambda k: (plan.points[k][1] < 0.0, abs(plan.points[k][1])),
            )
            for i in range(len(plan.lines))
        ]

    def per_billion(self) -> F64:
        """What a billion rupiah brings at the smallest amount of each line, (draws, seeds, lines); less costs so
        much.
        """
        at = self.smallest()
        rp = np.array([self.plan.points[k][1] for k in at])
        return self.gains[:, :, at] / (rp / 1e9)

    def ranks(self) -> F64:
        """Rank of each line by gain a rupiah in each resample of draws and seeds, 1 is best: (2, resamples, lines).

        First the better, then the worse rank of lines that are equal. Where money is less, the line that loses least a
        rupiah is first.
        """
        from scipy.stats import rankdata

        rng = np.random.default_rng(1)
        each = self.per_billion() * (-1.0 if self.plan.budget_rp < 0.0 else 1.0)
        d, s = len(self.draws), len(self.seeds)
        found = []
        for _ in range(RESAMPLES):
            means = each[np.ix_(rng.integers(d, size=d), rng.integers(s, size=s))].mean(axis=(0, 1))
            found.append([rankdata(-np.round(means, 9), method) for method in ("min", "max")])
        return np.array(found).swapaxes(0, 1)

    def names_of(self, i: int) -> tuple[str, str, str]:
        agency, service, source = self.plan.lines[i].name.split(":")
        return agency, service, source


def _solved(offer: Offer, plan: Plan, caution: str, objective: str) -> Bought:
    least = float(sum(min([0.0, *(rp for i, rp in plan.points if i == k)]) for k in range(len(plan.lines))))
    if plan.budget_rp < least * 0.999:
        raise InputError(fault("", "--less", "less_than_there_is", value=-plan.budget_rp, most=f"{-least:.0f}"))
    return solve(offer, plan.budget_rp, caution, objective == "cost")


def _check_jobs(
    plan: Plan, found: _Found, best: Bought, rows: Mapping[tuple[int, int], Row]
) -> dict[tuple[int, int], AllocateJob]:
    """The allocation, and the money divided as lines are, with every draw and with seeds that chose nothing."""
    lines = tuple((line.name, float(round(rp))) for line, rp in zip(plan.lines, best.rp) if abs(rp) > 0.5)
    tried = dict(next(iter(plan.jobs.values())).tries)
    along = ((ALONG, tried[ALONG]),) if ALONG in tried else ()
    tries = ((REFERENCE, ()), (CHOSEN, lines), *along)
    others, found_jobs = len(found.seeds), {}
    for at, job in plan.jobs.items():
        values = tuple((dict(job.set) | rows[at]["level"]).items())
        found_jobs[at] = replace(job, seed=job.seed + others, tries=tries, path=None, set=values)
    return found_jobs


# ---- tables ----------------------------------------------------------------------------------------------------------


def _table(name: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS[name])


def _mean(values: F64) -> tuple[float, float, float]:
    """Mean and its interval; none where runs do not vary and still differ from nothing."""
    mean, low, high = (float(each) for each in mean_interval(values))
    return (mean, math.nan, math.nan) if mean != 0.0 and not np.ptp(values) > 0.0 else (mean, low, high)


def _of_line(found: _Found, i: int, rp: float) -> F64:
    """What rupiah of one line bring, (draws, seeds), between the amounts that were tried."""
    at = [k for k, (line, _) in enumerate(found.plan.points) if line == i]
    amounts = np.array([0.0, *(found.plan.points[k][1] for k in at)])
    order = amounts.argsort()
    values = np.concatenate([np.zeros((*found.gains.shape[:2], 1)), found.gains[:, :, at]], axis=2)[:, :, order]
    return np.apply_along_axis(lambda own: np.interp(rp, amounts[order], own), 2, values)


def _allocation(found: _Found, best: Bought, ranks: F64) -> pd.DataFrame:
    best_rank, worst_rank = np.percentile(ranks[0], 2.5, axis=0), np.percentile(ranks[1], 97.5, axis=0)
    rows = [
        (*found.names_of(i), float(best.rp[i]), *_mean(_of_line(found, i, float(best.rp[i]))),
         math.floor(best_rank[i]), math.ceil(worst_rank[i]))
        for i in ranks.mean(axis=(0, 1)).argsort(kind="stable")
    ]  # fmt: skip
    return _table("allocation", rows)


def _marginal(found: _Found, ranks: F64) -> pd.DataFrame:
    plan, each, at = found.plan, found.per_billion(), found.smallest()
    rows = []
    for i in ranks.mean(axis=(0, 1)).argsort(kind="stable"):
        line, gains = plan.lines[i], found.gains[:, :, at[i]]
        own = (line.now_rp, line.most_rp, line.least_rp, plan.points[at[i]][1])
        first = float((ranks[1][:, i] == 1).mean())
        rows.append((*found.names_of(i), *own, *_mean(gains), *_mean(each[:, :, i]), first))
    return _table("marginal", rows)


def _front(found: _Found, offer: Offer, plan: Plan) -> pd.DataFrame:
    if plan.budget_rp == 0.0:
        return _table("front", [])
    rows = []
    for rp, bought in frontier(offer, plan.budget_rp):
        gains = np.sum([_of_line(found, i, float(each)) for i, each in enumerate(bought.rp)], axis=0)
        rows.append((rp, *_mean(gains)))
    return _table("front", rows)


def _cautions(found: _Found, offer: Offer, plan: Plan, objective: str) -> pd.DataFrame:
    rows = []
    for caution in CAUTIONS:
        bought = solve(offer, plan.budget_rp, caution, objective == "cost")
        rows += [(caution, *found.names_of(i), float(rp)) for i, rp in enumerate(bought.rp) if abs(rp) > 0.5]
    return _table("cautions", rows)


def _checked_table(found: _Found, best: Bought, again: Mapping[tuple[int, int], Row]) -> pd.DataFrame:
    rows = [("surrogate", float(best.rp.sum()), *_mean(
        np.sum([_of_line(found, i, float(rp)) for i, rp in enumerate(best.rp)], axis=0)))]  # fmt: skip
    simulated = found.gain(CHOSEN, again)
    rows.append((CHOSEN, float(best.rp.sum()), *_mean(simulated)))
    tries = dict(next(iter(found.plan.jobs.values())).tries)
    if ALONG in tries:
        along = found.gain(ALONG, again)
        rows.append(("along", float(sum(rp for _, rp in tries[ALONG])), *_mean(along)))
        rows.append(("better", 0.0, *_mean(simulated - along)))
    return _table("checked", rows)


def _structures(found: _Found) -> pd.DataFrame:
    """The first two lines in the draws in which a rule made each choice: what is robust, and what flips."""
    each = found.per_billion().mean(axis=1) * (-1.0 if found.plan.budget_rp < 0.0 else 1.0)
    rows: list[tuple[Any, ...]] = []
    for structure in found.plan.structures:
        for choice in structure.weights:
            chosen = [found.plan.chosen_rules[draw - 1].get(structure.key) == choice for draw in found.draws]
            if not any(chosen):
                continue
            means = each[np.array(chosen)].mean(axis=0)
            order = (-means).argsort()
            first, second = (found.plan.lines[i].name for i in (order[0], order[min(1, len(order) - 1)]))
            rows.append((structure.name, choice, int(sum(chosen)), first, second, float(abs(means[order[0]]))))
    return _table("structures", rows)


def _information(found: _Found, offer: Offer, best: Bought) -> pd.DataFrame:
    """What knowing each drawn parameter would be worth: options are the best use in each draw, and the chosen one."""
    plan = found.plan
    if plan.budget_rp == 0.0 or len(found.draws) < 2:
        return _table("information", [])
    options = {tuple(np.round(best.rp, -6))}
    for d in range(len(found.draws)):
        own = replace(offer, gain=offer.gain[d : d + 1])
        options.add(tuple(np.round(solve(own, plan.budget_rp).rp, -6)))
    gains = np.stack([priced(offer, np.array(each)).gain.sum(axis=1) for each in sorted(options)], axis=1)
    sample = pd.DataFrame(
        [{key: v for key, v in each.items() if not isinstance(v, (bool, str))} for each in plan.sample]
    )
    sample = sample.loc[:, sample.nunique() > 1].astype(float)
    value, chance = evppi(gains, sample.to_numpy())
    mean = float(best.gain.sum(axis=1).mean())
    rp_each = abs(float(best.rp.sum())) / abs(mean) if abs(mean) > 0.0 else math.nan
    children = float(found.array(REFERENCE, "children").mean())
    rows = [
        (key, float(v), float(c), float(v) * rp_each, 100.0 * float(v) / children)
        for key, v, c in sorted(zip(sample.columns, value, chance), key=lambda row: -np.nan_to_num(row[1]))
    ]
    return _table("information", rows)


def _tries(found: _Found) -> pd.DataFrame:
    spent = [found.array(name, "spent_rp") - found.array(REFERENCE, "spent_rp") for name in found.names]
    rows = [
        (draw, seed, *found.names_of(i), rp, float(found.gains[d, s, k]), float(spent[k][d, s]))
        for k, (i, rp) in enumerate(found.plan.points)
        for d, draw in enumerate(found.draws)
        for s, seed in enumerate(found.seeds)
    ]
    return _table("tries", rows)


def _manifest(
    plan: Plan,
    found: _Found,
    best: Bought,
    ranks: F64,
    objective: str,
    caution: str,
    seeds: range,
    wall_time_s: float,
) -> dict[str, Any]:
    top = ranks.mean(axis=(0, 1)).argsort(kind="stable")[:2]
    together = float((ranks[1][:, top] <= len(top)).all(axis=1).mean())
    job = next(iter(plan.jobs.values()))
    return made_from(plan.place, plan.policy.hashes, wall_time_s) | {
        "policy": plan.policy.id,
        "since": format_month(plan.since),
        "until": format_month(plan.until),
        "at": format_month(plan.at),
        "years": plan.years,
        "budget_rp": plan.budget_rp,
        "objective": objective,
        "caution": caution,
        "unit": COUNTED[objective],
        "draws": len(found.draws),
        "seeds": len(seeds),
        "first_seed": seeds[0],
        "runs": len(plan.jobs) * (len(plan.points) + 3),
        "population_share": job.population_share,
        "start": job.start,
        "placed_rp": float(best.rp.sum()),
        "baseline": {name: float(found.array(REFERENCE, name).mean()) for name in ("cases", "protected", "children")},
        "first_two": [plan.lines[i].name for i in top],
        "first_two_share": together,
        "first_two_clear": together >= 0.95,
        "structures": {each.key: dict(each.weights) for each in plan.structures},
        "parameter_draws": described(plan.fitted, plan.place),
        "service_names": {each: dict(name) for each, name in _service_names().items()},
        "agency_names": {each.id: each.name for each in plan.place.opd},
        "intervals": both("said.intervals.pairs"),
        "command": "konvergensi.allocate",
    }


def _service_names() -> dict[str, dict[str, str]]:
    from konvergensi.inputs.services import load_services

    return {each.id: {"en": each.name["en"], "id": each.name["id"]} for each in load_services().values()}
