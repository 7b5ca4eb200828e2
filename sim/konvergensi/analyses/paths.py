"""One level for every question: paths of true prevalence from the fit over the country, and runs that follow them.

A path is the total, programmes and all. Draws of `compare`, `gaps` and `explain` take one path each, which is solved
into level and rise in the process that makes the run (model/level.py); one with parameters as they are takes the
centre. Rows of a survey of one's own are conditioned on first (methods/country.py).
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from konvergensi.analyses.level import rows_or_file
from konvergensi.base.errors import InputError, fault
from konvergensi.base.words import both
from konvergensi.inputs.country import LEVEL_KEYS, area_name
from konvergensi.inputs.country_observed import Observed
from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.parameters import Value
from konvergensi.methods.country import REFERENCE, condition, level_draws, shipped_posterior
from konvergensi.methods.scores import TAILS
from konvergensi.model.level import YEARS, solved
from konvergensi.results.fitted import GOLDEN

NodePath = tuple[float, ...]  # percent of under-fives in the middle of each of YEARS


def follows_country(place: District, set_: Collection[str], rows: Sequence[Observed] = ()) -> bool:
    """Whether level and rise come from the fit over the country: not where the district's own folder or `--set` say
    them. With rows they do wherever the district has a code and `--set` says nothing.
    """
    return not any(key in set_ for key in LEVEL_KEYS) and (place.levelled or bool(rows and place.area))


def own_rows(place: District, observed: str | Path | Sequence[Observed] | None) -> list[Observed]:
    """Rows of a file that are of this district. Raises InputError where there is none, or the district has no code."""
    if observed is None:
        return []
    rows = rows_or_file("--observed", observed)
    if place.area is None:
        raise InputError(fault("", "--observed", "no_code", value=place.name))
    own = [row for row in rows if row.code == place.area]
    if not own:
        raise InputError(fault("", "--observed", "no_own_rows", value=f"{area_name(place.area)} ({place.area})"))
    return own


def centre(code: str, rows: Sequence[Observed] = ()) -> NodePath:
    """Medians of true prevalence, percent, in the middle of each of YEARS on SSGI's scale."""
    return tuple(np.median(_draws(code, tuple(rows)), axis=0).round(3).tolist())


def path_draws(code: str, draws: int, rows: Sequence[Observed] = (), by_change: bool = False) -> list[NodePath]:
    """So many paths, spread evenly over the fit's draws in the order of their means (by_change: of their changes); a
    longer series begins with a shorter one.
    """
    every = _draws(code, tuple(rows))
    order = every[:, -1] - every[:, 0] if by_change else every.mean(axis=1)
    every = every[np.argsort(order, kind="stable")]
    at = [int((0.5 + number * GOLDEN) % 1.0 * len(every)) for number in range(1, draws + 1)]
    return [tuple(every[row].round(3).tolist()) for row in at]


@functools.lru_cache(maxsize=32)
def _draws(code: str, rows: tuple[Observed, ...]) -> np.ndarray:
    return level_draws(shipped_posterior(), code, [float(year) for year in YEARS], REFERENCE, rows)


@functools.lru_cache(maxsize=64)
def _solved(district: str, path: NodePath, values: tuple[tuple[str, Value], ...], seed: int) -> dict[str, float]:
    return solved(district, dict(zip(YEARS, path)), dict(values), seed)


def at_level(
    district: str,
    seed: int,
    values: tuple[tuple[str, Value], ...],
    path: NodePath | None,
    of: tuple[tuple[str, Value], ...] | None = None,
) -> dict[str, Value]:
    """The values of a run, with level and rise under which its baseline follows the path; as they are without one.

    Parameters: of, the baseline's values where a policy's run leaves some out: level and rise are the baseline's.
    """
    return dict(values) if path is None else {**dict(values), **_solved(district, path, of or values, seed)}


def level_for(
    district: str, observed: str | Path | Sequence[Observed] | None = None, values: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """Values to `set` so that runs of a district follow the fit's centre, with rows of one's own where given.

    For analyses that make their own runs, as `allocate`: nothing where there are no rows (the district has its values)
    or where its level is its own. Raises InputError for rows that cannot be used.
    """
    if observed is None:
        return {}
    place, set_ = find_district(district), dict(values or {})
    rows = own_rows(place, observed)
    if not rows or not follows_country(place, set_, rows):
        return {}
    return dict(_solved(district, centre(str(place.area), rows), tuple(set_.items()), 1))


def described_level(place: District, set_: Mapping[str, Any], rows: Sequence[Observed] = ()) -> dict[str, Any]:
    """What a manifest says of the level: whence, its centre and 90 % interval by year, and rows that moved it."""
    if place.area is None or not follows_country(place, set_, rows):
        return {"from": "district"}
    draws = _draws(place.area, tuple(rows))
    low, high = np.quantile(draws, TAILS, axis=0)
    told = zip(YEARS, np.median(draws, axis=0), low, high)
    found: dict[str, Any] = {
        "from": "country",
        "code": place.area,
        "system": REFERENCE,
        "percent": {str(year): [round(float(each), 2) for each in three] for year, *three in told},
        "observed": [
            {"year": row.year, "measure_system": row.measure_system, "percent": row.percent, "source": row.source}
            for row in rows
        ],
    }
    if rows:
        before = centre(place.area)
        worth = condition(shipped_posterior(), place.area, np.array([2024.0]), rows).worth
        found["before"] = {str(year): value for year, value in zip(YEARS, before)}
        found["draws_worth"] = round(worth, 1)
        last = (before[-1], float(np.median(draws[:, -1])))
        words = {"count": len(rows), "before": f"{last[0]:.1f}", "after": f"{last[1]:.1f}"}
        found["said"] = both("said.level.observed", area=area_name(place.area), **words)
    return found
