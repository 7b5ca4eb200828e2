"""Who is due what an official indicator counts, and who has it: one function for each word of inputs/indices.toml.

These functions read the world and change nothing in it. Rows are children and pregnancies, or families where the
indicator counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.months import month_of
from konvergensi.mechanisms.growth import stunted
from konvergensi.mechanisms.uptake import WEIGHING_ROUNDS
from konvergensi.observe import simultaneous
from konvergensi.world.children import FIRST_1000_DAYS

if TYPE_CHECKING:
    from konvergensi.inputs.indices import Counts
    from konvergensi.world.households import Mask
    from konvergensi.world.state import World

Home = slice | NDArray[np.int32]  # the household of each row
QUARTER = 3  # months
YEAR = 12


Kept = list[tuple[int, dict[str, NDArray[np.uint8]]]]  # by month and service, what children or families had by its end


@dataclass(slots=True)
class Past:
    """What the indices ask of months gone by.

    in_quarter, in_year: services whose deliveries to children within the quarter, or payments to families within the
    year, are asked; taken, paid: those so far, at the ends of the last two quarters and years; rounds: of the last two
    weighing months, the month, the rows of children under two, and who of them came.
    """

    in_quarter: tuple[str, ...]
    in_year: tuple[str, ...]
    taken: Kept = field(default_factory=list)
    paid: Kept = field(default_factory=list)
    rounds: list[tuple[int, slice, Mask]] = field(default_factory=list)

    @classmethod
    def begin(cls, world: World, asked: Iterable[Counts | None]) -> Past:
        """The memory for these indicators before the month of the world is lived."""

        def services(what: str) -> tuple[str, ...]:
            return tuple(sorted({name for each in asked if each and each.what == what for name in each.services}))

        asked = list(asked)
        past = cls(services("quarter-deliveries"), services("payments"))
        past._keep(world, world.month - 1, quarter=True, year=True)
        return past

    def remember(self, world: World) -> None:
        """Keep what later months will ask of this one, which has been lived."""
        now = month_of(world.month)
        self._keep(world, world.month, quarter=now % QUARTER == 0, year=now % YEAR == 0)
        if now in WEIGHING_ROUNDS and len(world.attended):
            rows = world.children.window(world.month, 0, FIRST_1000_DAYS)
            self.rounds = [*self.rounds[-1:], (world.month, rows, world.came(rows).copy())]

    def _keep(self, world: World, month: int, *, quarter: bool, year: bool) -> None:
        if quarter:
            taken = {name: world.book.taken[s].copy() for name, s in _rows_of(world, self.in_quarter)}
            self.taken = [*self.taken[-1:], (month, taken)]
        if year:
            paid = {name: world.book.received[s].copy() for name, s in _rows_of(world, self.in_year)}
            self.paid = [*self.paid[-1:], (month, paid)]


def before(kept: Kept, month: int) -> dict[str, NDArray[np.uint8]]:
    """What was kept when the quarter or year of `month` began, by service; none when nothing was."""
    return next((found for when, found in reversed(kept) if when < month), {})


def count(world: World, counts: Counts, past: Past) -> tuple[slice, Mask, Mask]:
    """The rows an indicator looks at, who of them is due what it counts, (n,), and who of those has it, (n,)."""
    if counts.from_age is None or counts.to_age is None:
        rows = slice(0, len(world.households))
        home: Home = rows
    else:
        rows = world.children.window(world.month, counts.from_age, counts.to_age)
        home = world.children.household[rows]
    due, has = COUNTED[counts.what](world, counts, rows, home, past)
    if counts.need is not None:
        due = due & NEEDS[counts.need](world, rows, home)
    return rows, due, has & due


def _rows_of(world: World, names: Sequence[str]) -> list[tuple[str, int]]:
    """Which of these services somebody runs, and their rows."""
    found = [(each.id, s) for s, each in enumerate(world.services) if each.id in names]
    return [(name, s) for name, s in found if len(world.book.received[s])]


def _everybody(rows: slice) -> Mask:
    return np.ones(rows.stop - rows.start, bool)


# ---- what is asked; each returns who is due it and who has it, (n,) --------------------------------------------------


def _taken(world: World, counts: Counts, rows: slice) -> NDArray[np.uint16]:
    """Deliveries of the services taken up so far, (n,)."""
    total = np.zeros(rows.stop - rows.start, np.uint16)
    for _, s in _rows_of(world, counts.services):
        total += world.book.taken[s][rows]
    return total


def _enough(world: World, counts: Counts, rows: slice, taken: NDArray[np.uint16]) -> tuple[Mask, Mask]:
    """Who is old enough for the first step, and who has the deliveries due at its age."""
    number = np.array([0, *(step.deliveries for step in counts.steps)], np.uint16)
    from_ages = np.array([step.age for step in counts.steps])
    needed = number[np.searchsorted(from_ages, world.children.ages(world.month, rows), side="right")]
    return needed > 0, taken >= needed


def _deliveries(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    return _enough(world, counts, rows, _taken(world, counts, rows))


def _quarter_deliveries(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    taken, kept = _taken(world, counts, rows), before(past.taken, world.month)
    for name in counts.services:
        if name in kept:
            taken -= kept[name][rows]
    return _enough(world, counts, rows, taken)


def _payments(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    paid, kept = np.zeros(len(world.households), bool), before(past.paid, world.month)
    for name, s in _rows_of(world, counts.services):
        paid |= world.book.received[s] > kept.get(name, 0)
    return _everybody(rows), paid[home]


def _has_water(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    return _everybody(rows), ~world.households.no_water[home]


def _has_latrine(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    return _everybody(rows), ~world.households.no_latrine[home]


def _has_food(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    return _everybody(rows), ~world.households.food_insecure[home]


def _has_nik(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    return _everybody(rows), world.registers.nik_month[rows] <= world.month


def _breastfed(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    return _everybody(rows), simultaneous.breastfed(world, np.arange(rows.start, rows.stop))


def _diverse_diet(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    return _everybody(rows), simultaneous.diverse_diet(world, np.arange(rows.start, rows.stop))


def _weighing_rounds(world: World, counts: Counts, rows: slice, home: Home, past: Past) -> tuple[Mask, Mask]:
    """Due: whom one of the year's two rounds found old enough; has: who came to each that did."""
    due, has = ~_everybody(rows), _everybody(rows)
    for month, kept, came in past.rounds:
        if world.month - month >= YEAR:
            continue
        old_enough = world.children.window(month, counts.from_age or 0, FIRST_1000_DAYS)
        first, last = max(rows.start, old_enough.start), min(rows.stop, old_enough.stop)
        if first < last:
            here = slice(first - rows.start, last - rows.start)
            due[here] = True
            has[here] &= came[first - kept.start : last - kept.start]
    return due, has


COUNTED: dict[str, Callable[[World, Counts, slice, Home, Past], tuple[Mask, Mask]]] = {
    "deliveries": _deliveries,
    "quarter-deliveries": _quarter_deliveries,
    "payments": _payments,
    "water": _has_water,
    "latrine": _has_latrine,
    "food": _has_food,
    "nik": _has_nik,
    "breastfeeding": _breastfed,
    "diet-diversity": _diverse_diet,
    "weighing-rounds": _weighing_rounds,
}

# ---- whom an indicator is for, where not everybody -------------------------------------------------------------------

NEEDS: dict[str, Callable[[World, slice, Home], Mask]] = {
    "kek": lambda world, rows, home: world.children.kek[rows],
    "four-too": lambda world, rows, home: world.households.four_too[home],
    "stunted": lambda world, rows, home: stunted(world.children.z[rows]),
}
