"""Children from conception to 59 months: columns sorted by birth month, so every age window is one slice."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.world.draws import Draws, Keys, member_keys
from konvergensi.world.households import F32, Households, Mask, by_wealth

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Settings

PREGNANCY_MONTHS = 9
LAST_AGE = 59  # months; a child leaves the model when it turns 60 months
FIRST_1000_DAYS = 23  # last month of age inside the 1,000 days


def age_of_rows(ends: NDArray[np.int64], oldest: int, n: int) -> NDArray[np.int64]:
    """Age of each of n rows in order of birth, (n,): months of age end at `ends`, (k,), the first is `oldest`."""
    return oldest - np.searchsorted(ends, np.arange(n), side="right")


def _homes_of_in_columns(home: NDArray[np.int32], n_households: int) -> Mask:
    found = np.zeros(n_households, bool)
    found[home] = True
    return found


@compiled(_homes_of_in_columns)
def homes_of(home, n_households):  # type: ignore[no-untyped-def]
    """Which households are the home of any of the rows, (n,); (n_households,) bool."""
    found = np.zeros(n_households, np.bool_)
    for i in range(len(home)):
        found[np.uint64(home[i])] = True
    return found


def _at_homes_in_columns(chosen: Mask, home: NDArray[np.int32]) -> NDArray[np.intp]:
    return np.flatnonzero(chosen[home])


@compiled(_at_homes_in_columns)
def at_homes(chosen, home):  # type: ignore[no-untyped-def]
    """Rows, (k,), whose home, (n,), is chosen, (n_households,)."""
    found, k = np.empty(len(home), np.intp), 0
    for i in range(len(home)):
        found[k] = i
        k += chosen[np.uint64(home[i])]
    return found[:k]


@dataclass(slots=True)
class Children:
    """Columns of the child table, sorted by birth month, then household. Shapes are (n_children,).

    `offsets[b - first_birth]` is the first row of those born in month b; `window` turns ages into a slice.
    """

    key: Keys
    household: NDArray[np.int32]
    village: NDArray[np.int16]
    village_remoteness: F32  # of each village, not of each row
    joint: NDArray[np.uint16]  # as of the household; refreshed each January
    birth_month: NDArray[np.int32]
    order: NDArray[np.int8]  # birth order within the simulated years, 0 first
    next_birth: NDArray[np.int32]  # birth month of the next sibling, within the run or after it
    male: Mask
    first_birth: Mask
    kek: Mask  # mother with chronic energy deficiency
    lasting: F32  # lasting difference to the mean curve at 24 months and later, z
    deviation: F32  # personal deviation, z; redrawn mostly in the first year
    gain: F32  # z gained from services so far
    best: F32  # the largest z gained from one service so far
    weight_gain: F32  # g of birth weight gained from services in pregnancy
    birth_weight: F32  # g, set at birth
    z: F32  # true length-for-age z this month (0 before birth)
    cell: NDArray[np.int8]  # wealth fifth 0..4 of the household, plus 5 in a lokus village; refreshed each January
    at_risk: Mask  # as of the household; refreshed each January
    got: NDArray[np.uint16]  # services of the package taken up inside the 1,000 days, as bits (observe/together.py)
    first_birth_month: int
    offsets: NDArray[np.int64]
    starts: list[int] = field(init=False)  # `offsets` as plain numbers, which are quicker to read one by one

    def __post_init__(self) -> None:
        self.starts = self.offsets.tolist()

    @property
    def remoteness(self) -> F32:
        """Remoteness of the village of each, (n_children,) 0 to 1."""
        return self.village_remoteness[self.village]

    def __len__(self) -> int:
        return len(self.key)

    def window(self, month: int, from_age: int, to_age: int) -> slice:
        """Rows whose age in months is from_age..to_age in `month`; pregnancies have ages -9..-1."""
        before, starts = month - self.first_birth_month, self.starts
        last, start, stop = len(starts) - 1, before - to_age, before - from_age + 1
        return slice(
            starts[0 if start < 0 else last if start > last else start],
            starts[0 if stop < 0 else last if stop > last else stop],
        )

    def first_row(self, month: int, age: int) -> int:
        """The first row of those who are `age` months old or younger in `month`."""
        at, starts = month - age - self.first_birth_month, self.starts
        return starts[at] if 0 <= at < len(starts) else starts[0 if at < 0 else -1]

    def by_age(self, month: int, rows: slice) -> tuple[NDArray[np.int64], int]:
        """Where each month of age ends in `rows`, (k,) counted from their first, and the age of the oldest (first)."""
        if rows.stop <= rows.start:
            return self.offsets[:0], 0
        first, last = bisect_right(self.starts, rows.start), bisect_right(self.starts, rows.stop - 1)
        return self.offsets[first : last + 1] - rows.start, month - self.first_birth_month - first + 1

    def ages(self, month: int, rows: slice) -> NDArray[np.int32]:
        """Age in months of the rows, (n,) int32; negative before birth."""
        return (month - self.birth_month[rows]).astype(np.int32)


def build_children(
    district: District,
    settings: Settings,
    draws: Draws,
    households: Households,
    first_birth_month: int,
    last_birth_month: int,
) -> Children:
    """Make every child born in first_birth_month .. last_birth_month, sorted by birth month.

    Births of a household are a renewal process in equilibrium: a shortest interval plus an exponential waiting time,
    more frequent in poorer households, so that the district's births per month are the same from the first month.
    A later `last_birth_month` adds rows at the end and changes none before.
    """
    household, birth, order, following = _births(
        district, settings, draws, households, first_birth_month, last_birth_month
    )
    # by birth, then household: both sorts keep equals in order, and 16 bits are sorted by counting
    at_home = np.argsort(household, kind="stable")
    sort = at_home[np.argsort((birth[at_home] - first_birth_month).astype(np.uint16), kind="stable")]
    household, birth, order, following = household[sort], birth[sort], order[sort], following[sort]
    n = len(household)
    key = member_keys("child", households.key[household], order)
    total = {name: quantity.value for name, quantity in district.population.items()}
    months = last_birth_month - first_birth_month + 1
    counts = np.bincount(birth - first_birth_month, minlength=months)
    return Children(
        key=key,
        household=household,
        village=households.village[household],
        village_remoteness=households.village_remoteness,
        joint=households.joint[household],
        birth_month=birth,
        order=order,
        next_birth=following,
        male=draws.uniform("sex", 0, key) < settings["population.male_birth_share"],
        # drawn for every child: the simulated years do not know all elder siblings
        first_birth=draws.uniform("first birth", 0, key) < settings["population.first_birth_share"],
        kek=draws.uniform("kek", 0, key) < total["kek_share"],
        lasting=np.zeros(n, np.float32),
        deviation=np.zeros(n, np.float32),
        gain=np.zeros(n, np.float32),
        best=np.zeros(n, np.float32),
        weight_gain=np.zeros(n, np.float32),
        birth_weight=np.zeros(n, np.float32),
        z=np.zeros(n, np.float32),
        cell=np.zeros(n, np.int8),
        at_risk=np.zeros(n, bool),
        got=np.zeros(n, np.uint16),
        first_birth_month=first_birth_month,
        offsets=np.concatenate([[0], np.cumsum(counts)]),
    )


def _births(
    district: District,
    settings: Settings,
    draws: Draws,
    households: Households,
    first: int,
    last: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8], NDArray[np.int32]]:
    """Household row, birth month, order and birth month of the next sibling of every birth (unsorted)."""
    total = {name: quantity.value for name, quantity in district.population.items()}
    monthly_rate = total["births_per_year"] / 12.0 / total["families"]
    fertility = by_wealth(settings["population.fertility_wealth_gradient"], households.wealth)
    shortest = float(settings["population.min_birth_interval_months"])
    mean_interval = 1.0 / (monthly_rate * fertility)
    waiting = np.maximum(mean_interval - shortest, 1.0)

    def exponential(round_: int, rows: NDArray[np.int32]) -> NDArray[np.floating]:
        u = draws.uniform("birth interval", round_, households.key[rows])
        return -np.log1p(-u.astype(np.float64)) * waiting[rows]

    rows = np.arange(len(households), dtype=np.int32)
    # In equilibrium a household is still within the shortest interval with probability shortest / mean interval.
    u = draws.uniform("birth interval start", 0, households.key).astype(np.float64)
    within = u * mean_interval < shortest
    when = np.where(within, u * mean_interval, 0.0) + exponential(0, rows)
    found = []
    span = last - first + 1
    for order in range(16):
        rows, when = rows[when < span], when[when < span]
        if len(rows) == 0:
            break
        later = when + shortest + exponential(order + 1, rows)
        found.append(
            (
                rows,
                (first + when).astype(np.int32),
                np.full(len(rows), order, np.int8),
                (first + later).astype(np.int32),
            )
        )
        when = later
    if not found:  # a handful of households may have no birth at all
        none = np.zeros(0, np.int32)
        return none, none, np.zeros(0, np.int8), none
    household, birth, orders, following = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return household, birth, orders, following
