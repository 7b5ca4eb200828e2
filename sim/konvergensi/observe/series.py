"""What is seen month by month from the true state: prevalence by group, and services at the 1,000-day household."""

from __future__ import annotations

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
from konvergensi.world.package import Package, how_many

if TYPE_CHECKING:
    from konvergensi.world.state import World

AGE_BANDS = ((0, 5), (6, 11), (12, 23), (24, 35), (36, 47), (48, 59))
STRATA = ((-9, -1), (0, 5), (6, 11), (12, 23))  # within these ages the same services are due
CELLS = 10  # wealth fifth within lokus or not
Row = dict[str, Any]
Bits = NDArray[np.uint16]  # services of the package


def prevalence_rows(world: World) -> list[Row]:
    """One row per group: month, group, n_children, prevalence (share), mean_laz, sd_laz, of the true state."""
    children, month = world.children, world.month
    rows = children.window(month, 0, LAST_AGE)
    z = children.z[rows]
    # ten cells: wealth fifth within lokus or not; every other group but age is a sum of cells
    cell = children.cell[rows]
    cells = by_cell(cell, z)
    when = format_month(month)

    def row(group: str, n: float, low: float, total: float, square: float) -> Row:
        mean = total / n if n else np.nan
        variance = max(square / n - mean**2, 0.0) if n else np.nan
        return {
            "month": when,
            "group": group,
            "n_children": int(n),
            "prevalence": float(low / n) if n else np.nan,
            "mean_laz": float(mean),
            "sd_laz": float(np.sqrt(variance)),
        }

    groups: dict[str, Any] = {"all": slice(None), "lokus": slice(5, 10), "non_lokus": slice(0, 5)}
    groups |= {f"wealth_{f + 1}": [f, f + 5] for f in range(5)}
    found = [row(name, *cells[:, at].sum(axis=1)) for name, at in groups.items()]
    for first, last in AGE_BANDS:
        band = children.window(month, first, last)
        part = children.z[band].astype(np.float64)
        found.append(row(f"age_{first}_{last}", len(part), (part < -2.0).sum(), part.sum(), np.square(part).sum()))
    return found


def _by_cell_in_columns(cell: NDArray[np.intp], z: F32) -> NDArray[np.float64]:
    weights = (np.ones(len(z)), z < -2.0, z, z * z)
    return np.stack([np.bincount(cell, weights=each, minlength=CELLS) for each in weights])


@compiled(_by_cell_in_columns)
def by_cell(cell, z):  # type: ignore[no-untyped-def]
    """Children, those stunted, sum of z and of its square in each cell, (4, CELLS); cell and z (n,)."""
    found = np.zeros((4, CELLS))
    for i in range(len(z)):
        found[0, cell[i]] += 1.0
        found[1, cell[i]] += z[i] < -2.0
        found[2, cell[i]] += z[i]
        found[3, cell[i]] += z[i] * z[i]
    return found


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
    got = with_nik(children.got[rows], world.registers.nik_month[rows], month, package.nik_bit)
    youngest = children.next_birth[rows] > month + PREGNANCY_MONTHS
    ages, had = children.by_age(month, rows), got
    if by_adequate_dose(world):
        had = package.enough(world.book, rows) | (got & package.nik_bit)
    complete, counted, with_all = has_all(had, youngest, due_of(world), *ages)
    spread, independent = 0.0, 0.0
    combinations = np.zeros(len(package.number), np.int64)
    for first, last in STRATA:
        part = children.window(month, first, last)
        inside = slice(part.start - rows.start, part.stop - rows.start)
        here = how_many(got[inside], youngest[inside], len(combinations))
        combinations += here
        if (n := int(here.sum())) > 1:
            share = here @ package.holds / n
            mean = float(here @ package.number) / n
            spread += float(here @ package.number**2) - n * mean**2
            independent += n * float((share * (1 - share)).sum())
    households = int(combinations.sum())
    exactly = np.bincount(package.number, weights=combinations, minlength=package.size + 1)
    values = {
        "households_1000hpk": float(households),
        "services_mean": float(combinations @ package.number) / households if households else np.nan,
        "services_variance_ratio": spread / independent if independent > 0 else np.nan,
        "complete_package_share": with_all / counted if counted else np.nan,
    }
    if by_adequate_dose(world):
        _, counted, with_all = has_all(got, youngest, package.due, *ages)
        values["any_contact_package_share"] = with_all / counted if counted else np.nan
    values |= {f"services_{k}": float(count / max(households, 1)) for k, count in enumerate(exactly)}
    return values, complete, rows


def _with_nik_in_columns(got: Bits, nik_month: NDArray[np.int32], month: int, bit: np.uint16) -> Bits:
    return got | (nik_month <= month) * bit


@compiled(_with_nik_in_columns)
def with_nik(got, nik_month, month, bit):  # type: ignore[no-untyped-def]
    """Services had, as bits, (n,), with `bit` set where there is an identity number by now."""
    found = np.empty(len(got), np.uint16)
    for i in range(len(got)):
        found[i] = got[i] | bit * np.uint16(nik_month[i] <= month)
    return found


def _has_all_in_columns(
    had: Bits, youngest: Mask, due: Bits, ends: NDArray[np.int64], oldest: int
) -> tuple[Mask, int, int]:
    now = due[age_of_rows(ends, oldest, len(had)) + PREGNANCY_MONTHS]
    complete = ((had & now) == now) & (now > 0)
    return complete, int(np.count_nonzero(youngest & (now > 0))), int(np.count_nonzero(youngest & complete))


@compiled(_has_all_in_columns)
def has_all(had, youngest, due, ends, oldest):  # type: ignore[no-untyped-def]
    """Who has all that is due, (n,) where anything is; of the youngest how many have something due, and all of it.

    had: bits (n,); due: bits by age (69,); ages as `Children.by_age` tells them.
    """
    complete = np.zeros(len(had), np.bool_)
    counted = with_all = start = 0
    for each in range(len(ends)):
        now = due[oldest - each + PREGNANCY_MONTHS]
        if now > 0:
            rows = slice(start, ends[each])
            part, own, last = complete[rows], had[rows], youngest[rows]
            for i in range(len(part)):
                part[i] = (own[i] & now) == now
            for i in range(len(part)):
                counted += last[i]
            for i in range(len(part)):
                with_all += last[i] & part[i]
        start = ends[each]
    return complete, counted, with_all


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
    return [{"month": when, "indicator": name, "value": value} for name, value in values.items()]


def _coordination(world: World) -> dict[str, float]:
    """What caregivers, villages and kecamatan know, who leads how firmly, and what KPM are paid a month."""
    state, settings = world.coordination, world.settings
    paid = settings["cascade.kpm_incentive_rp"] * np.count_nonzero(state.kpm) * world.population_share
    return {
        "caregiver_knowledge_mean": float(world.households.knowledge.mean()),
        "caregiver_belief_mean": float(world.households.belief.mean()),
        "village_understanding_mean": float(state.village_understanding.mean()),
        "kecamatan_understanding_mean": float(state.kecamatan_understanding.mean()),
        "leadership": goals.leadership(world),
        "attention": float(state.attention),
        "kpm_incentive_rp": float(paid),
        "coordination_rp": costs.more_rp(world),
        "displaced_rp": float(world.costs.displaced.sum()),
    }


def village_table(world: World, package: Package) -> pd.DataFrame:
    """The villages table at the end of a year."""
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
    table = world.district.villages
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "year": month // 12,
            "n_children": count,
            "prevalence": low / count,
            "complete_package_share": with_all / expected,
            "understanding": world.coordination.village_understanding,
            "tpps_active": world.coordination.tpps_desa,
            "has_kpm": world.coordination.kpm,
            "has_by_name_list": world.has_by_name_list,
            "register_share": world.villages.entered_stunted / world.villages.entered,
        }
    return pd.DataFrame(dict(table.items()) | columns)
