"""What is seen month by month from the true state: prevalence by group, and services at the 1,000-day household."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.base.months import format_month
from konvergensi.mechanisms import costs, goals
from konvergensi.mechanisms.registers import in_eppgbm
from konvergensi.observe.together import convergence, due_of, protection
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.households import F32, Mask
from konvergensi.world.package import Package

if TYPE_CHECKING:
    from konvergensi.world.state import World

AGE_BANDS = ((0, 5), (6, 11), (12, 23), (24, 35), (36, 47), (48, 59))
CELLS = 10  # wealth fifth within lokus or not
Row = tuple[Any, ...]


def prevalence_rows(world: World) -> list[Row]:
    """One row per group: month, group, n_children, prevalence (share), mean_laz, sd_laz, of the true state."""
    children, month = world.children, world.month
    rows = children.window(month, 0, LAST_AGE)
    bands = [children.window(month, first, last) for first, last in AGE_BANDS]
    starts = np.array([rows.start, *(band.stop for band in reversed(bands))]) - rows.start  # the oldest band first
    cells, low, wide = by_group(children.cell[rows], children.z[rows], starts)
    counted = {
        "all": np.add.reduce(cells, axis=1).tolist(),
        "lokus": np.add.reduce(cells[:, 5:], axis=1).tolist(),
        "non_lokus": np.add.reduce(cells[:, :5], axis=1).tolist(),
    }
    for fifth, found in enumerate((cells[:, :5] + cells[:, 5:]).T.tolist(), 1):
        counted[f"wealth_{fifth}"] = found
    for (first, last), band, below in zip(AGE_BANDS, bands, reversed(low.tolist()), strict=True):
        part = wide[:, band.start - rows.start : band.stop - rows.start]
        counted[f"age_{first}_{last}"] = [band.stop - band.start, below, *np.add.reduce(part, axis=1).tolist()]
    when = format_month(month)
    return [(when, group, *_spread(*found)) for group, found in counted.items()]


def _spread(n: float, low: float, total: float, square: float) -> tuple[int, float, float, float]:
    """Children, share of them stunted, mean and SD, from sums of z and of its square."""
    if not n:
        return 0, float("nan"), float("nan"), float("nan")
    mean = total / n
    return int(n), low / n, mean, math.sqrt(max(square / n - mean**2, 0.0))


def _by_group_in_columns(
    cell: NDArray[np.int8], z: F32, starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    weights = (np.ones(len(z)), z < -2.0, z, z * z)
    cells: NDArray[np.float64] = np.stack([np.bincount(cell, weights=each, minlength=CELLS) for each in weights])
    low = [np.count_nonzero(z[start:stop] < -2.0) for start, stop in itertools.pairwise(starts)]
    wide = z.astype(np.float64)
    return cells, np.array(low, np.int64), np.stack([wide, np.square(wide)])


@compiled(_by_group_in_columns)
def by_group(cell, z, starts):  # type: ignore[no-untyped-def]
    """Children, those stunted, sum of z and of its square in each cell, (4, CELLS); those stunted between rows
    `starts`, (k - 1,); z and its square in double precision, (2, n); cell and z (n,).
    """
    by_cell, low, wide = np.zeros((CELLS, 4)), np.zeros(len(starts) - 1, np.int64), np.empty((2, len(z)))
    for band in range(len(low)):
        for i in range(starts[band], starts[band + 1]):
            here, own = by_cell[cell[i]], np.float64(z[i])
            here[0] += 1.0
            here[1] += z[i] < -2.0
            here[2] += z[i]
            here[3] += z[i] * z[i]
            low[band] += z[i] < -2.0
            wide[0, i] = own
            wide[1, i] = own * own
    return np.ascontiguousarray(by_cell.T), low, wide


def mean_of(column: NDArray[np.floating]) -> float:
    """Mean of a column; its own method takes three times as long for few rows."""
    return float(np.add.reduce(column) / len(column))


def share_of(mask: Mask) -> float:
    """Share of those in the mask, (n,), n above zero."""
    return int(np.count_nonzero(mask)) / len(mask)


def indicator_rows(world: World, package: Package) -> list[Row]:
    """Rows of the indicators table for the month: month, indicator, value."""
    values, _, _ = convergence(world, package)
    values |= protection(world, package)
    children, month = world.children, world.month
    under_fives = children.window(month, 0, LAST_AGE)
    born = children.window(month, 0, 0)
    pregnant = children.window(month, -PREGNANCY_MONTHS, -1)
    values |= {
        "under_fives": float(under_fives.stop - under_fives.start),
        "pregnant_women": float(pregnant.stop - pregnant.start),
        "births": float(born.stop - born.start),
        "low_birth_weight_share": float((children.birth_weight[born] < 2500.0).mean())
        if born.stop > born.start
        else np.nan,
        "posyandu_attendance_share": share_of(world.attended) if len(world.attended) else np.nan,
        "krs_families": float(np.count_nonzero(world.households.in_krs)),
        "dtks_families": float(np.count_nonzero(world.households.in_dtks)),
        "eppgbm_children_share": share_of(in_eppgbm(world.registers, under_fives, world.settings, month))
        if under_fives.stop > under_fives.start
        else np.nan,
    } | _coordination(world)
    when = format_month(month)
    return [(when, name, value) for name, value in values.items()]


def _coordination(world: World) -> dict[str, float]:
    """What caregivers, villages and kecamatan know, who leads how firmly, and what KPM are paid a month."""
    state, settings = world.coordination, world.settings
    paid = settings["cascade.kpm_incentive_rp"] * np.count_nonzero(state.kpm) * world.population_share
    return {
        "caregiver_knowledge_mean": mean_of(world.households.knowledge),
        "caregiver_belief_mean": mean_of(world.households.belief),
        "village_understanding_mean": mean_of(state.village_understanding),
        "kecamatan_understanding_mean": mean_of(state.kecamatan_understanding),
        "leadership": goals.leadership(world),
        "attention": float(state.attention),
        "kpm_incentive_rp": float(paid),
        "coordination_rp": costs.more_rp(world),
        "displaced_rp": float(np.add.reduce(world.costs.displaced)),
    }


def village_columns(world: World, package: Package) -> dict[str, Any]:
    """What the villages table says of the year that ends: columns, (n_villages,), and the year."""
    children, month, n = world.children, world.month, len(world.lokus)
    rows = children.window(month, 0, LAST_AGE)
    village = children.village[rows]
    count = np.bincount(village, minlength=n)
    low = np.bincount(village[children.z[rows] < -2.0], minlength=n)
    _, complete, young = convergence(world, package)
    home = children.village[young]
    with_all = np.bincount(home[complete], minlength=n)
    due = due_of(world)[children.ages(month, young) + PREGNANCY_MONTHS] > 0
    expected = np.bincount(home[due], minlength=n)
    state, here = world.coordination, world.villages
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "year": month // 12,
            "n_children": count,
            "prevalence": low / count,
            "complete_package_share": with_all / expected,
            "understanding": state.village_understanding.copy(),
            "tpps_active": state.tpps_desa.copy(),
            "has_kpm": state.kpm.copy(),
            "has_by_name_list": world.has_by_name_list.copy(),
            "register_share": here.entered_stunted / here.entered,
        }


def village_tables(places: pd.DataFrame, years: list[dict[str, Any]]) -> pd.DataFrame:
    """The villages table: columns of the district's villages, and those of `village_columns` of each year."""
    n = len(places)
    row = np.tile(np.arange(n), len(years))
    lasting = {name: column.array.take(row) for name, column in places.items()}
    changing = {name: np.concatenate([year[name] for year in years]) for name in years[0] if name != "year"}
    year = np.repeat([year["year"] for year in years], n)
    return pd.DataFrame({"year": year} | lasting | changing, copy=False)
