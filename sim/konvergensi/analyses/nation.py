"""All 514 districts: level and trend, chance of the targets, what policies would bring where and for how much.

`nation()` returns a `Nation`. Level, trend and 2045 are the fit's over the country; 2029 is simulated district by
district (nation_plan.py) and its draws are joined to those of the fit. What a policy brings in a district is drawn
towards the mean of districts of its kind as far as chance of few runs asks for. Provinces and the nation are means
weighted by under-fives.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.analyses.nation_plan import (
    BASELINE,
    END,
    FROM,
    PATHS,
    POLICIES,
    DistrictJob,
    jobs_of,
    run_district,
)
from konvergensi.base.errors import InputError
from konvergensi.base.months import parse_month
from konvergensi.base.version import __version__
from konvergensi.base.versions import git_commit, package_versions
from konvergensi.base.words import both
from konvergensi.inputs import country
from konvergensi.inputs.arguments import name_list, optional, public
from konvergensi.inputs.country_profiles import kind_of, profile_row
from konvergensi.inputs.options import check_options, number_faults
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.inputs.targets import Target, load_targets
from konvergensi.methods.country import REFERENCE, condition, level_draws, own_cov, shipped_posterior, time_of
from konvergensi.methods.scores import TAILS
from konvergensi.model.level import YEARS
from konvergensi.results.nation import COLUMNS, INDONESIA, NATION, Nation
from konvergensi.studies.engines import cores
from konvergensi.studies.rows import Row, kept_jobs, rows_of

FAMILIES = 4000
SAMPLES = 3
FEW = 20  # districts of a kind: with fewer nothing is pooled
Z90 = 1.645
AHEAD = (2029, 2045)  # of the national targets: simulated, and from the fitted trend
Say = Callable[[int, int], None]


@public(policies=optional(name_list), areas=optional(name_list))
def nation(
    *,
    policies: Sequence[str] | None = None,
    families: int | None = FAMILIES,
    population_share: float | None = None,
    samples: int = SAMPLES,
    areas: Sequence[str] | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    keep: str | Path | None = None,
    progress: Say | None = None,
) -> Nation:
    """All districts of Indonesia (or some), each with its own baseline to 2029 and a few policies from 2026 on.

    Parameters: policies, shipped scenarios or files, as if they began in January 2026 (None: three); families,
    simulated in each district at most; population_share, instead of `families` this share everywhere (1: every family);
    samples, sets of uncertain parameters (the first: as they are), each with 40 paths of the fit; areas, names or codes
    of districts (None: all); keep, a folder in which finished districts are kept for the next start; the others as in
    `konvergensi.compare`.
    Raises InputError naming what is wrong with the input.
    """
    began = time.perf_counter()
    jobs = plan(policies, families, population_share, samples, areas)
    rows = rows_of(jobs, run_district, workers=workers, cluster=cluster, keep=keep, progress=progress)
    found = dict(zip([job.code for job in jobs], rows))
    table = pd.concat([_districts(jobs, found), *_groups(jobs, found)], ignore_index=True)[list(COLUMNS)]
    return Nation(nation=table, manifest=_manifest(jobs, time.perf_counter() - began))


def plan(
    policies: Sequence[str] | None,
    families: int | None,
    population_share: float | None,
    samples: int,
    areas: Sequence[str] | None,
) -> list[DistrictJob]:
    """The districts' jobs. Raises InputError naming what is wrong with the input."""
    given = {"families": families, "samples": samples}
    if faults := number_faults({name: value for name, value in given.items() if value is not None}):
        raise InputError(faults)
    share = 1.0 if population_share is None else population_share
    check_options(start="2018-01", end=END, population_share=share)
    codes = [country.resolve_area(each, "", "--area") for each in areas or ()]
    return jobs_of(tuple(policies or POLICIES), families if population_share is None else None, share, samples, codes)


def estimate(jobs: Sequence[DistrictJob], workers: int | None, keep: str | Path | None = None) -> tuple[float, int]:
    """Seconds that the jobs will take on so many processes, told from one of middling size, and how many are left.

    The one that is timed is kept, so that nothing is done twice; where it was kept before, the time is told from
    another. A district's time hardly depends on its size unless whole populations are simulated.
    """
    sizes = [profile_row(job.code)["families"] for job in jobs]
    middle = jobs[int(np.argsort(sizes, kind="stable")[len(jobs) // 2])]
    done = rows_kept(jobs, keep)
    probe = middle if middle.code not in done else next((job for job in jobs if job.code not in done), middle)
    began = time.perf_counter()
    rows_of([probe], run_district, workers=1, keep=keep)
    each = time.perf_counter() - began
    left = len(jobs) - len(done | {probe.code})
    scale = 1.0
    if probe.families is None:  # with whole populations time goes with families
        scale = float(np.mean(sizes)) / float(profile_row(probe.code)["families"])
    return each * scale * left / (workers or cores()), left


def rows_kept(jobs: Sequence[DistrictJob], keep: str | Path | None) -> set[str]:
    """Codes of the jobs that an earlier start has kept."""
    return set() if keep is None else {job.code for job in kept_jobs(jobs, run_district, Path(keep))}


# ---- districts -------------------------------------------------------------------------------------------------------


def _targets() -> dict[int, Target]:
    return {each.month // 12: each for each in load_targets() if each.month // 12 in AHEAD}


@functools.lru_cache(maxsize=600)
def _levels(code: str) -> np.ndarray:
    """Draws of true prevalence in the middle of YEARS and in December 2045, percent, (1000, 8)."""
    last = time_of(parse_month(f"{AHEAD[1]}-12"))
    return level_draws(shipped_posterior(), code, [*map(float, YEARS), last], REFERENCE)


def pooled_share(code: str) -> float:
    """How much of what sets a district apart its own surveys leave open in 2024: 1 for a district without any."""
    year, post = np.array([float(YEARS[-1])]), shipped_posterior()
    left, prior = condition(post, code, year).cov, own_cov(post, year, year)
    return float(np.mean(left[:, 0, 0] / prior[:, 0, 0]))


def _middle(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, (TAILS[0], 0.5, TAILS[1]))
    return float(middle), float(low), float(high)


def _rows(levels: np.ndarray, base: np.ndarray) -> list[tuple[int, str, float, float, float]]:
    """year, quantity, middle, low, high of levels (n, 8) and of the baseline's prevalence in END (m,), percent."""
    rows: list[tuple[int, str, float, float, float]] = []
    for at, year in enumerate((*YEARS, AHEAD[1])):
        rows.append((year, "prevalence", *_middle(levels[:, at])))
    rows.append((AHEAD[0], "prevalence", *_middle(base)))
    slope = (levels[:, len(YEARS) - 1] - levels[:, 0]) / (YEARS[-1] - YEARS[0])
    rows.append((YEARS[-1], "trend_points_per_year", *_middle(slope)))
    for year, values in zip(AHEAD, (base, levels[:, -1])):
        chance = float(np.mean(values <= _targets()[year].percent))
        rows.append((year, "chance_of_target", chance, math.nan, math.nan))
    return rows


def _per_sample(job: DistrictJob, row: Row, name: str) -> np.ndarray:
    """Fewer stunted children of 1,000 under-fives in END, mean over paths, of each set of parameters, (samples,)."""
    base, policy = (np.array(row["percent"][each]).reshape(job.samples, -1) for each in (BASELINE, name))
    return np.asarray(10.0 * (base - policy).mean(axis=1))


def _t(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 90 % t interval over sets of parameters; no interval from one."""
    from scipy.stats import t as student

    mean = float(values.mean())
    if len(values) < 2:
        return mean, math.nan, math.nan
    half = float(student.ppf(TAILS[1], len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return mean, mean - half, mean + half


def effects(per_sample: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """What a policy brings in each district, (n, 4): middle, low, high, pooled share, from (n, samples).

    Partial pooling: chance of few runs, alike in all districts of a kind (kinds, (n,)), is told from how their means
    differ, and each mean is drawn towards that of its kind by the share that is chance. Sample k is nearly the same set
    of parameters in every district, so what a kind has in common in it is no chance of one district, and no number of
    districts averages it away: it stands in every interval. Where there are fewer than FEW of a kind, a t interval of
    the district's own runs, nothing pooled.
    """
    found = np.empty((len(per_sample), 4))
    for kind in np.unique(kinds):
        of = kinds == kind
        own = per_sample[of]
        if own.shape[0] < FEW or own.shape[1] < 2:
            found[of] = [(*_t(each), 0.0) for each in own]
            continue
        common, means = own.mean(axis=0), own.mean(axis=1)
        rest = own - common - (means - means.mean())[:, None]
        free = (own.shape[0] - 1) * (own.shape[1] - 1)
        noise = max(float(np.square(rest).sum()) / free / own.shape[1], 1e-12)
        between = max(float(means.var(ddof=1)) - noise, 0.0)
        pooled = noise / (noise + between)
        middle = means.mean() + (1.0 - pooled) * (means - means.mean())
        mean, low, _ = _t(common)
        half = math.hypot(mean - low, Z90 * math.sqrt((1.0 - pooled) * noise + pooled * noise / len(own)))
        found[of] = np.column_stack([middle, middle - half, middle + half, np.full(len(own), pooled)])
    return found


def _policy_rows(jobs: Sequence[DistrictJob], found: dict[str, Row], name: str) -> pd.DataFrame:
    """What a policy brings and takes in every district: fewer cases in END, rupiah, and both together."""
    kinds = np.array([kind_of(job.code) for job in jobs])
    per_1000 = effects(np.array([_per_sample(job, found[job.code], name) for job in jobs]), kinds)
    rows: list[tuple[Any, ...]] = []
    for job, (middle, low, high, pooled) in zip(jobs, per_1000.tolist()):
        row = found[job.code]
        children = float(np.mean(row["under_fives"][name]))
        more = [np.array(row[what][name]) - np.array(row[what][BASELINE]) for what in ("spent_rp", "kpm_rp")]
        rupiah = _t(more[0] + more[1])
        cases = np.array([middle, low, high]) * children / 1000.0
        billion = cases / rupiah[0] * 1e9 if rupiah[0] > 0 else np.full(3, math.nan)
        rows += [
            (job.code, f"points:{name}", -middle / 10, -high / 10, -low / 10, pooled),
            (job.code, f"cases:{name}", *cases.tolist(), pooled),
            (job.code, f"cases_per_1000:{name}", middle, low, high, pooled),
            (job.code, f"rupiah:{name}", *rupiah, 0.0),
            (job.code, f"cases_per_billion_rp:{name}", *billion.tolist(), pooled),
        ]
    columns = ["code", "quantity", "middle", "low", "high", "pooled_share"]
    return pd.DataFrame(rows, columns=columns).assign(year=AHEAD[0])


def _districts(jobs: Sequence[DistrictJob], found: dict[str, Row]) -> pd.DataFrame:
    parts = []
    for job in jobs:
        rows = _rows(_levels(job.code), np.array(found[job.code]["percent"][BASELINE]))
        each = pd.DataFrame(rows, columns=["year", "quantity", "middle", "low", "high"])
        parts.append(each.assign(code=job.code, pooled_share=pooled_share(job.code)))
    parts += [_policy_rows(jobs, found, name) for name in jobs[0].scenarios[1:]]
    table = pd.concat(parts, ignore_index=True)
    table["area"] = table["code"].map(country.area_name)
    table["province"] = table["code"].map(country.province_of)
    return table.sort_values("code", kind="stable", ignore_index=True)


# ---- provinces and the nation ----------------------------------------------------------------------------------------


def _groups(jobs: Sequence[DistrictJob], found: dict[str, Row]) -> list[pd.DataFrame]:
    """Rows of each province and of the nation, where all their districts were simulated.

    Draws of the fit belong together: draw i of one district shares the nation's, the province's and the surveys' part
    with draw i of another. So means over districts keep what they have in common.
    """
    provinces: dict[str, list[DistrictJob]] = {}
    for job in jobs:
        provinces.setdefault(job.code[:2], []).append(job)
    every = country.districts().index.str[:2].value_counts()
    whole = {code: members for code, members in provinces.items() if len(members) == every[code]}
    tables = [_group(code, country.province_of(members[0].code), members, found) for code, members in whole.items()]
    if len(jobs) == len(country.codes()):
        tables.append(_group(NATION, INDONESIA, list(jobs), found))
    return tables


def _group(code: str, name: str, members: Sequence[DistrictJob], found: dict[str, Row]) -> pd.DataFrame:
    weight = np.array([np.mean(found[job.code]["under_fives"][BASELINE]) for job in members])
    weight = weight / weight.sum()
    levels = np.tensordot(weight, np.array([_levels(job.code) for job in members]), axes=1)
    rows = _rows(levels, _joined(members, found, weight))
    for policy in members[0].scenarios[1:]:
        each = np.array([_per_sample(job, found[job.code], policy) for job in members])
        middle, low, high = _t(weight @ each)  # sample k of every district has nearly the same parameters
        rows.append((AHEAD[0], f"points:{policy}", -middle / 10, -high / 10, -low / 10))
    table = pd.DataFrame(rows, columns=["year", "quantity", "middle", "low", "high"])
    pooled = float(weight @ np.array([pooled_share(job.code) for job in members]))
    return table.assign(code=code, area=name, province="" if code == NATION else name, pooled_share=pooled)


def _joined(members: Sequence[DistrictJob], found: dict[str, Row], weight: np.ndarray) -> np.ndarray:
    """The baseline's prevalence in END of a group, over the draws that districts have in common, (1000,).

    A district's runs are at paths of its own; a regression on the path's level in 2024 and its change carries them over
    to the shared draws of the fit, on which draw i of one district belongs to draw i of another.
    """
    total = np.zeros(1)
    for job, share in zip(members, weight):
        row, shared = found[job.code], _levels(job.code)[:, : len(YEARS)]
        known = np.linalg.lstsq(_design(np.array(row["paths"])), np.array(row["percent"][BASELINE]), rcond=None)[0]
        total = total + share * np.clip(_design(shared) @ known, 0.0, 100.0)
    return total


def _design(paths: np.ndarray) -> np.ndarray:
    """One, a path's end and its change, (n, 3), of paths (n, 7)."""
    return np.column_stack([np.ones(len(paths)), paths[:, -1], paths[:, -1] - paths[:, 0]])


def _manifest(jobs: Sequence[DistrictJob], wall_time_s: float) -> dict[str, Any]:
    policies = {name: load_scenario(name) for name in jobs[0].scenarios}
    return {
        "version": __version__,
        "git_commit": git_commit(),
        "districts": len(jobs),
        "policies": {
            name: {"en": each.title.en, "id": each.title.id} for name, each in policies.items() if name != BASELINE
        },
        "policies_from": FROM,
        "start": f"{YEARS[0]}-01",
        "end": END,
        "families": jobs[0].families,
        "population_share": jobs[0].population_share,
        "samples": jobs[0].samples,
        "draws": jobs[0].samples * PATHS,
        "system": REFERENCE,
        "targets": {
            str(year): {"percent": each.percent, "source": each.source, "grade": each.grade}
            for year, each in _targets().items()
        },
        "intervals": both("nation.intervals"),
        "packages": package_versions(),
        "wall_time_s": round(wall_time_s, 1),
        "command": "konvergensi.nation",
    }
