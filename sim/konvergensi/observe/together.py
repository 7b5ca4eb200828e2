"""Services of the package at the 1,000-day household: how many it has, whether all that is due, and in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.world.children import FIRST_1000_DAYS, PREGNANCY_MONTHS, age_of_rows

if TYPE_CHECKING:
    from konvergensi.world.households import Mask
    from konvergensi.world.package import Package
    from konvergensi.world.state import World

STRATA = ((-9, -1), (0, 5), (6, 11), (12, 23))  # within these ages the same services are due
Bits = NDArray[np.uint16]  # services of the package


def by_adequate_dose(world: World) -> bool:
    """Whether a service of the package counts as had at a dose that works, and not after any contact."""
    return bool(world.settings["delivery.package_dose"] == "adequate")


def due_of(world: World) -> NDArray[np.uint16]:
    """Which services of the package are due by age, as bits, for ages -9..59."""
    return world.package.due_enough if by_adequate_dose(world) else world.package.due


class Had(NamedTuple):
    """What services 1,000-day households have, as `held_together` and `served` count them."""

    sums: NDArray[np.int64]
    held: NDArray[np.int64]
    exactly: NDArray[np.int64]
    n_due: tuple[int, int]
    with_all: tuple[int, int]
    adequate: bool


def convergence(world: World, package: Package) -> tuple[Had, NDArray[np.bool_], slice]:
    """What reaches the same 1,000-day household (`indicators_of`), who has all that is due, (n,), and their rows."""
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
    counted = held_together(combinations, package.number, package.size)
    return Had(*counted, n_due, with_all, adequate), complete, rows


def indicators_of(had: Had) -> dict[str, float]:
    """Indicators of how many services reach the same 1,000-day household.

    A household is counted once, by its youngest child. Services are those of the package taken up so far inside the
    1,000 days; complete is what delivery.package_dose says, any contact or an adequate dose of each. The variance ratio
    compares the spread of their number with what it would be if each service reached households independently of the
    others, within the age strata of STRATA: 1 is independence, above 1 the same households get everything and others
    nothing.
    """
    sums, held, n_due, with_all = had.sums, had.held, had.n_due, had.with_all
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
    if had.adequate:
        values["any_contact_package_share"] = with_all[1] / n_due[1] if n_due[1] else np.nan
    return values | {f"services_{k}": count / max(households, 1) for k, count in enumerate(had.exactly.tolist())}


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
        rows = slice(start, ends[each])
        had, has, nik, next_, full = enough[rows], got[rows], nik_month[rows], next_birth[rows], complete[rows]
        youngest, met = np.empty(len(had), np.bool_), np.empty(len(had), np.uint16)
        for i in range(len(had)):
            met[i] = has[i] | (nik_bit if nik[i] <= month else np.uint16(0))
            youngest[i] = next_[i] > month + PREGNANCY_MONTHS
            full[i] = (now > 0) & (((had[i] | (met[i] & nik_bit)) & now) == now)
        many = with_due = with_any_due = 0
        for i in range(len(had)):
            many += youngest[i]
            with_due += youngest[i] & full[i]
            with_any_due += youngest[i] & ((met[i] & now_any) == now_any)
        counted += many * (now > 0)
        with_all += with_due
        counted_any += many * (now_any > 0)
        with_any += with_any_due * (now_any > 0)
        here = combinations[stratum]
        for i in range(len(had)):
            here[met[i]] += youngest[i]
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
