"""Solves level and rise of all 514 districts: python scripts/fit_levels.py [CODE ...] [--seeds 2] [--jobs 2] [--check]

Each district's run is made to follow the centre of the fit over the country (medians by year, 2018 to 2024, as SSGI
would read; methods/country.py): one small run of the baseline for each seed says what programmes add, and the shift of
the mean curve and the rise per birth year are solved on it (model/level.py). Writes scenarios/country/levels.csv; about
0.8 s of CPU for a district and seed. To be run again when mechanisms, services or the fit over the country change.
--check solves those named and says by how many points their paths have moved, writing nothing (exit 1 above 0.5).
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from konvergensi.inputs import country
from konvergensi.methods.country import level_draws, shipped_posterior
from konvergensi.model.level import LEVEL, RISE, YEARS, probe

LIMIT = 0.5  # points a path may be off before the table is called stale


def centre(code: str) -> dict[int, float]:
    """Median true prevalence by year, percent."""
    draws = level_draws(shipped_posterior(), code, [float(year) for year in YEARS])
    return dict(zip(YEARS, np.median(draws, axis=0).tolist()))


def fit(job: tuple[str, int]) -> dict[str, float | str]:
    """A district's row: mean of the seeds' levels and rises, and how far the path is off with them."""
    code, seeds = job
    own = {id_of: id_ for id_, id_of in country.shipped_codes().items()}.get(code, code)
    target = centre(code)
    probes = [probe(own, {LEVEL: 0.0, RISE: 0.03}, seed=seed) for seed in range(1, seeds + 1)]
    shift, rise = np.mean([each.solve(target) for each in probes], axis=0)
    paths = [each.path(shift, rise) for each in probes]
    off = max(abs(np.mean([path[year] for path in paths]) - target[year]) for year in YEARS)
    return {
        "code": code, LEVEL: round(float(shift), 4), RISE: round(float(rise), 4),
        "percent_2018": round(target[YEARS[0]], 2), "percent_2024": round(target[YEARS[-1]], 2),
        "misfit_points": round(float(off), 2),
    }  # fmt: skip


def main() -> int:
    """Fit and write, or check."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("codes", nargs="*", help="only these (names or codes)")
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--check", action="store_true")
    asked = arguments.parse_args()
    codes = [country.resolve_area(each) for each in asked.codes] or country.codes().tolist()
    before = country.levels()
    with ProcessPoolExecutor(asked.jobs) as pool:
        rows = pd.DataFrame(pool.map(fit, [(code, asked.seeds) for code in codes], chunksize=4)).set_index("code")
    if asked.check:
        then = before.reindex(rows.index)
        # 30 points to one z where a quarter is stunted; half of the rise's years are behind a child of 2021
        moved = 30 * (rows[LEVEL] - then[LEVEL]).abs() + 30 * 3 * (rows[RISE] - then[RISE]).abs()
        print(moved.round(2).to_string())
        return int(bool(moved.isna().any() or (moved > LIMIT).any()))
    table = rows if not asked.codes else pd.concat([before.drop(rows.index, errors="ignore"), rows])
    path = country.folder() / "levels.csv"
    path.write_text(table.sort_index().reset_index().to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    print(f"{len(rows)} districts; furthest from its path: {rows['misfit_points'].max()} points")
    print(rows[[LEVEL, RISE, "misfit_points"]].describe().round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
