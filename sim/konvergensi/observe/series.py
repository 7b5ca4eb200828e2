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
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS, age_of_rows
from konvergensi.world.households import F32, Mask
from konvergensi.world.package import Package

if TYPE_CHECKING:
    from konvergensi.world.state import World

AGE_BANDS = ((0, 5), (6, 11), (12, 23), (24, 35), (36, 47), (48, 59))
STRATA = ((-9, -1), (0, 5), (6, 11), (12, 23))  # within these ages the same services are due
CELLS = 10  # wealth fifth within lokus or not
Row = tuple[Any, ...]
Bits = NDArray[np.uint16]  # services of the package


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


def by_adequate_dose(world: World) -> bool:
    """Whether a service of the package counts as had at a dose that works, and not after any contact."""
    return bool(world.settings["delivery.package_dose"] == "adequate")


def due_of(world: World) -> NDArray[np.uint16]:
    """Which services of the package are due by age, as bits, for ages -9..59."""
    return world.package.due_enough if by_adequate_dose(world) else world.package.due


def convergence(world: World, package: Package) -> tuple[dict[str, float], NDArray[np.bool_], slice]:
    """Indicators of how many services reach the same 1,000-day household; which children have all that is due.

    A household is counted once, by its youngest child. Services are those of the package taken up so far inside the
    1,000 days; complete is what delivery.package_dose says, any contact or an adequate dose of each. The variance ratio
    compares the spread of their number with what it would be if each service reached households independently of the
    others, within the age strata of STRATA: 1 is independence, above 1 the same households get everything and others
    nothing.
    """
    children, month = world.children, world.month
    rows = children.window(month, -PREGNANCY_MONTHS, FIRST_1000_DAYS)
    got, adequate = children.got[rows], by_adequate_dose(world)
    complete, n_due, with_all, combinations = served(
        package.enough(world.book, rows) if adequate else got,
        got,
        world.registers.nik_month[rows],
        month,
        package.nik_bit,
        children.next_birth[rows],
        due_of(world),
        package.due,
        *children.by_age(month, rows),
        len(package.number),
    )
    sums, held, exactly = held_together(combinations, package.number, package.size)
    n, several = sums[:, 0], sums[:, 0] > 1
    share = held[several] / n[several, None]
    chance = np.add.reduce(share * (1 - share), axis=1).tolist()
    spread, independent = 0.0, 0.0
    for (size, total, square), by_chance in zip(sums[several].tolist(), chance, strict=True):
        spread += square - size * (total / size) ** 2
        independent += size * by_chance
    households, services = np.add.reduce(sums)[:2].tolist()
    values = {
        "households_1000hpk": float(households),
        "services_mean": services / households if households else np.nan,
        "services_variance_ratio": spread / independent if independent > 0 else np.nan,
        "complete_package_share": with_all[0] / n_due[0] if n_due[0] else np.nan,
    }
    if adequate:
        values["any_contact_package_share"] = with_all[1] / n_due[1] if n_due[1] else np.nan
    values |= {f"services_{k}": count / max(households, 1) for k, count in enumerate(exactly.tolist())}
    return values, complete, rows


def _served_in_columns(
    enough: Bits,
    got: Bits,
    nik_month: NDArray[np.int32],
    month: int,
    nik_bit: np.uint16,
    next_birth: NDArray[np.int32],
    due: Bits,
    due_any: Bits,
    ends: NDArray[np.int64],
    oldest: int,
    n_codes: int,
) -> tuple[Mask, tuple[int, int], tuple[int, int], NDArray[np.int64]]:
    age = age_of_rows(ends, oldest, len(got))
    youngest = next_birth > month + PREGNANCY_MONTHS
    met = got | (nik_month <= month) * nik_bit
    has, counted, with_all = [], [], []
    for had, by_age in ((enough | (met & nik_bit), due), (met, due_any)):
        now = by_age[age + PREGNANCY_MONTHS]
        has.append(((had & now) == now) & (now > 0))
        counted.append(int(np.count_nonzero(youngest & (now > 0))))
        with_all.append(int(np.count_nonzero(youngest & has[-1])))
    inside = [youngest & (age >= first) & (age <= last) for first, last in STRATA]
    combinations = np.stack([np.bincount(met[each], minlength=n_codes) for each in inside])
    return has[0], (counted[0], counted[1]), (with_all[0], with_all[1]), combinations


@compiled(_served_in_columns)
def served(enough, got, nik_month, month, nik_bit, next_birth, due, due_any, ends, oldest, n_codes):  # type: ignore[no-untyped-def]
    """What pregnancies and children under two have had, who is the youngest at home standing for the household.

    enough, got: services had at a dose that counts and at all, as bits, (n,), to which an identity number by `month`
    adds `nik_bit`; next_birth (n,); due, due_any: bits by age (69,); ages as `Children.by_age` tells them.
    Returns: who has enough of all that is due, (n,) where anything is; of the youngest, how many have something due and
    how many have all of it, twice: at a dose that counts, and at all; youngest with each combination of services had at
    all, (strata, n_codes).
    """
    complete, combinations = np.zeros(len(got), np.bool_), np.zeros((len(STRATA), n_codes), np.int64)
    counted = counted_any = with_all = with_any = start = 0
    for each in range(len(ends)):
        age, stratum = oldest - each, 0
        while age > STRATA[stratum][1]:
            stratum += 1
        now, now_any = due[age + PREGNANCY_MONTHS], due_any[age + PREGNANCY_MONTHS]
        here = combinations[stratum]
        for i in range(start, ends[each]):
            nik = nik_bit if nik_month[i] <= month else np.uint16(0)
            met, youngest = got[i] | nik, next_birth[i] > month + PREGNANCY_MONTHS
            complete[i] = now > 0 and ((enough[i] | (met & nik_bit)) & now) == now
            counted += youngest and now > 0
            with_all += youngest and complete[i]
            counted_any += youngest and now_any > 0
            with_any += youngest and now_any > 0 and (met & now_any) == now_any
            here[met] += youngest
        start = ends[each]
    return complete, (counted, counted_any), (with_all, with_any), combinations


def _held_together_in_columns(
    combinations: NDArray[np.int64], number: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    holds = (np.arange(len(number))[:, None] >> np.arange(size)) & 1
    sums = np.stack([combinations.sum(axis=1), combinations @ number, combinations @ number**2], axis=1)
    exactly = np.zeros(size + 1, np.int64)
    np.add.at(exactly, number, combinations.sum(axis=0))
    return sums, combinations @ holds, exactly


@compiled(_held_together_in_columns)
def held_together(combinations, number, size):  # type: ignore[no-untyped-def]
    """What households with each combination of `size` services, (strata, n_codes), come to; number of each code.

    Returns: by stratum households, services they have and squares of how many each has, (strata, 3), and who has each
    service, (strata, size); households with 0 .. size services, (size + 1,).
    """
    sums, held = np.zeros((len(combinations), 3), np.int64), np.zeros((len(combinations), size), np.int64)
    exactly = np.zeros(size + 1, np.int64)
    for stratum in range(len(combinations)):
        for code in range(len(number)):
            here, many = combinations[stratum, code], number[code]
            if here > 0:
                sums[stratum, 0] += here
                sums[stratum, 1] += here * many
                sums[stratum, 2] += here * many * many
                exactly[many] += here
                for k in range(size):
                    held[stratum, k] += here * ((code >> k) & 1)
    return sums, held, exactly


def protection(world: World, package: Package) -> dict[str, float]:
    """Of the children who turned 24 months: how many, and how many got all of the package inside their 1,000 days."""
    rows = world.children.window(world.month, FIRST_1000_DAYS + 1, FIRST_1000_DAYS + 1)
    nik_in_time = world.registers.nik_month[rows] < world.month  # of them, the month of turning 24 is too late
    got = world.children.got[rows] | nik_in_time * package.nik_bit
    due = package.due[PREGNANCY_MONTHS + FIRST_1000_DAYS]
    any_contact = float(np.count_nonzero((got & due) == due))
    values = {"turned_24_months": float(rows.stop - rows.start), "protected_in_time": any_contact}
    if by_adequate_dose(world):
        due = package.due_enough[PREGNANCY_MONTHS + FIRST_1000_DAYS + 1]
        enough = package.enough(world.book, rows) | (got & package.nik_bit)
        values["protected_in_time"] = float(np.count_nonzero((enough & due) == due))
        values["any_contact_in_time"] = any_contact
    return values


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
