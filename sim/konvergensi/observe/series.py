"""What is seen month by month from the true state: prevalence by group, and services at the 1,000-day household."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled, together
from konvergensi.base.months import format_month
from konvergensi.mechanisms import costs, goals
from konvergensi.mechanisms.registers import in_eppgbm
from konvergensi.observe.together import Had, due_of, indicators_of, protection
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.households import F32, Mask

if TYPE_CHECKING:
    from konvergensi.world.state import World

AGE_BANDS = ((0, 5), (6, 11), (12, 23), (24, 35), (36, 47), (48, 59))
BAND_EDGES = (*(last for _, last in reversed(AGE_BANDS)), -1)  # the oldest first
CELLS = 10  # wealth fifth within lokus or not
GROUPS = (
    "all", "lokus", "non_lokus", *(f"wealth_{fifth}" for fifth in range(1, 6)),
    *(f"age_{first}_{last}" for first, last in AGE_BANDS),
)  # fmt: skip
Row = tuple[Any, ...]


def groups(world: World) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """What `prevalence_rows` is made from: the month, and what `by_group` counts of its under-fives."""
    children, month = world.children, world.month
    first = [children.first_row(month, age) for age in BAND_EDGES]
    rows = slice(first[0], first[-1])
    return month, *by_group(children.cell[rows], children.z[rows], np.array(first) - first[0])


def prevalence_rows(month: int, cells: NDArray[np.float64], bands: NDArray[np.float64]) -> list[Row]:
    """One row per group: month, group, n_children, prevalence (share), mean_laz, sd_laz, of the true state."""
    others, lokus = cells[:, :5], cells[:, 5:]
    counted = [*(np.add.reduce(each, axis=1).tolist() for each in (cells, lokus, others)), *(others + lokus).T.tolist()]
    counted += reversed(bands.tolist())
    when = format_month(month)
    return [(when, group, *_spread(*found)) for group, found in zip(GROUPS, counted, strict=True)]


def _spread(n: float, low: float, total: float, square: float) -> tuple[int, float, float, float]:
    """Children, share of them stunted, mean and SD, from sums of z and of its square."""
    if not n:
        return 0, float("nan"), float("nan"), float("nan")
    mean = total / n
    return int(n), low / n, mean, math.sqrt(max(square / n - mean**2, 0.0))


def _by_group_in_columns(
    cell: NDArray[np.int8], z: F32, starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weights = (np.ones(len(z)), z < -2.0, z, z * z)
    cells: NDArray[np.float64] = np.stack([np.bincount(cell, weights=each, minlength=CELLS) for each in weights])
    bands = np.zeros((len(starts) - 1, 4))
    for of, start, stop in zip(bands, starts[:-1], starts[1:], strict=True):
        wide, low = z[start:stop].astype(np.float64), np.count_nonzero(z[start:stop] < -2.0)
        of[:] = stop - start, low, np.add.reduce(wide), np.add.reduce(np.square(wide))
    return cells, bands


@compiled(_by_group_in_columns)
def by_group(cell, z, starts):  # type: ignore[no-untyped-def]
    """Children, those stunted, sum of z and of its square: in each cell, (4, CELLS), and of those between rows
    `starts`, (k, 4) for k + 1 of them; cell and z (n,).
    """
    cells, bands = np.zeros((4, CELLS)), np.zeros((len(starts) - 1, 4))
    many, short, total, square = cells[0], cells[1], cells[2], cells[3]
    for i in range(len(z)):
        here, own = cell[i], z[i]
        many[here] += 1.0
        short[here] += own < -2.0
        total[here] += own
        square[here] += own * own
    for band in range(len(bands)):
        part, low = z[starts[band] : starts[band + 1]], 0
        for i in range(len(part)):
            low += part[i] < -2.0
        bands[band, 0], bands[band, 1] = len(part), low
        bands[band, 2], bands[band, 3] = sum_and_square(part)
    return cells, bands


@together
def sum_and_square(row):  # type: ignore[no-untyped-def]
    """Sum of numbers, (n,), and of their squares in double precision, in the order in which NumPy adds a row: halves of
    it, down to 128 numbers, and in these eight sums side by side.
    """
    if len(row) > 128:
        half = len(row) // 2
        half -= half % 8
        one, other = sum_and_square(row[:half]), sum_and_square(row[half:])
        return one[0] + other[0], one[1] + other[1]
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    q0 = q1 = q2 = q3 = q4 = q5 = q6 = q7 = 0.0
    whole = len(row) - len(row) % 8
    for i in range(0, whole, 8):
        a, b, c, d = np.float64(row[i]), np.float64(row[i + 1]), np.float64(row[i + 2]), np.float64(row[i + 3])
        s0, s1, s2, s3 = s0 + a, s1 + b, s2 + c, s3 + d
        q0, q1, q2, q3 = q0 + a * a, q1 + b * b, q2 + c * c, q3 + d * d
        a, b, c, d = np.float64(row[i + 4]), np.float64(row[i + 5]), np.float64(row[i + 6]), np.float64(row[i + 7])
        s4, s5, s6, s7 = s4 + a, s5 + b, s6 + c, s7 + d
        q4, q5, q6, q7 = q4 + a * a, q5 + b * b, q6 + c * c, q7 + d * d
    total, square = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)), ((q0 + q1) + (q2 + q3)) + ((q4 + q5) + (q6 + q7))
    for i in range(whole, len(row)):
        own = np.float64(row[i])
        total, square = total + own, square + own * own
    return total, square


def mean_of(column: NDArray[np.floating]) -> float:
    """Mean of a column; its own method takes three times as long for few rows."""
    return float(np.add.reduce(column) / len(column))


def share_of(mask: Mask) -> float:
    """Share of those in the mask, (n,), n above zero."""
    return int(np.count_nonzero(mask)) / len(mask)


def indicators(world: World) -> dict[str, float]:
    """Indicators of the month beyond those of services together."""
    values = protection(world, world.package)
    children, month = world.children, world.month
    under_fives = children.window(month, 0, LAST_AGE)
    born = children.window(month, 0, 0)
    pregnant = children.window(month, -PREGNANCY_MONTHS, -1)
    return (
        values
        | {
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
        }
        | _coordination(world)
    )


def indicator_rows(month: int, had: Had, others: dict[str, float]) -> list[Row]:
    """Rows of the indicators table: month, indicator, value; of what was had together, and of `indicators`."""
    when, values = format_month(month), indicators_of(had) | others
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


def village_columns(world: World, complete: Mask, young: slice) -> dict[str, Any]:
    """What the villages table says of the year that ends: columns, (n_villages,), and the year.

    complete (n,): which of the children in rows `young` have all that is due, as `convergence` found them.
    """
    children, month, n = world.children, world.month, len(world.lokus)
    rows = children.window(month, 0, LAST_AGE)
    village = children.village[rows]
    count = np.bincount(village, minlength=n)
    low = np.bincount(village[children.z[rows] < -2.0], minlength=n)
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
