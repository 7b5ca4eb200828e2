"""Where a method looks: points in the unit cube, a coordinate for each factor and one for a dummy that no model reads.

A unit is what a method judges as one: a factor, or a group of factors that move together. The dummy is the last unit.
Pick-freeze methods (sobol, morris, shapley) move one unit at a time inside a block of rows; given-data methods (pawn,
delta, rbd_fast, rsa) need rows that fill the cube, and judge factors one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from konvergensi.methods.designs import Design as StudyDesign
from konvergensi.methods.designs import unit_points
from konvergensi.methods.factors import DUMMY

F64 = NDArray[np.float64]
NESTED = (8, 4, 2, 1)  # parts of the whole sample at which convergence is looked at
LEAST_BLOCKS, LEAST_ROWS = 2, 32  # sample sizes below which pick-freeze and given-data methods say nothing


@dataclass(frozen=True)
class Design:
    """Rows of a method: points (rows, factors) in 0..1, the dummy last; groups, the unit of each factor.

    block: rows that belong together, 1 where each stands alone. A block cannot be cut, only left out.
    """

    method: str
    factors: tuple[str, ...]
    groups: tuple[str, ...]
    points: F64
    block: int

    @property
    def units(self) -> tuple[str, ...]:
        """What is judged as one, the dummy last."""
        return tuple(dict.fromkeys(self.groups))

    @property
    def blocks(self) -> int:
        """How many blocks there are; this is the sample size N of the method."""
        return len(self.points) // self.block

    def problem(self) -> dict[str, Any]:
        """The design as SALib describes it. Names are numbers: SALib forbids some endings."""
        units = self.units
        return {
            "num_vars": len(self.factors),
            "names": [f"x{i}" for i in range(len(self.factors))],
            "bounds": [[0.0, 1.0]] * len(self.factors),
            "groups": [f"g{units.index(group)}" for group in self.groups],
        }

    def rows_of(self, blocks: NDArray[np.intp]) -> NDArray[np.intp]:
        """Rows of these blocks, in their order."""
        return (blocks[:, None] * self.block + np.arange(self.block)).ravel()

    def only(self, blocks: NDArray[np.intp]) -> Design:
        """The design with these blocks alone."""
        return replace(self, points=self.points[self.rows_of(blocks)])

    def nested(self) -> list[int]:
        """Sample sizes N/8, N/4, N/2 and N in blocks, those that are too small for any number left out."""
        return [self.blocks // part for part in NESTED if self.blocks // part >= least(self.method)]


def design(method: str, factors: Sequence[str], groups: Sequence[str], draws: int, seed: int) -> Design:
    """The rows that a method needs.

    Parameters: groups, the unit of each factor, '' for a factor by itself; draws, the sample size N: base points of
    sobol (rounded up to a power of two), trajectories of morris and shapley, rows of the others.
    Returns: N (units + 2) rows for sobol, N (units + 1) for morris and shapley, N for the others, counting the dummy
    as a unit. The same arguments give the same points. Raises KeyError for a method that is not one of METHODS.
    """
    units = [group or factor for factor, group in zip(factors, groups, strict=True)]
    empty = Design(method, (*factors, DUMMY), (*units, DUMMY), np.empty((0, len(factors) + 1)), 1)
    if method not in PICK_FREEZE:
        singles = replace(empty, groups=empty.factors)
        return replace(singles, points=METHODS[method](singles, draws, seed))
    points = METHODS[method](empty, draws, seed)
    return replace(empty, points=points, block=len(empty.units) + (2 if method == "sobol" else 1))


def least(method: str) -> int:
    """The smallest sample size N of a method."""
    return LEAST_BLOCKS if method in PICK_FREEZE else LEAST_ROWS


def noise_unknown(stochastic: bool, method: str, seeds: int) -> bool:
    """Whether nothing tells what a unit moves from what it shuffles: moved one at a time, in a stochastic model."""
    return stochastic and method in PICK_FREEZE and seeds < 2


def blocks_needed(method: str, draws: int) -> int:
    """The sample size N that a method makes of the draws asked for."""
    return 1 << max(draws - 1, 0).bit_length() if method == "sobol" else draws


def _sobol(empty: Design, draws: int, seed: int) -> F64:
    return unit_points(StudyDesign("saltelli", blocks_needed("sobol", draws), seed), empty.groups)


def _morris(empty: Design, draws: int, seed: int) -> F64:
    return unit_points(StudyDesign("morris", draws, seed), empty.groups)


def _shapley(empty: Design, draws: int, seed: int) -> F64:
    """Goda's trajectories: from a first point to a second, one unit after another in a random order.

    SALib's sampler makes them for single factors only; units are the same with several coordinates at a time.
    Source: T. Goda, Reliability Engineering & System Safety 213, 107702, 2021.
    """
    rng = np.random.default_rng(seed)
    units = empty.units
    unit_of = np.array([units.index(group) for group in empty.groups])
    first, second = rng.random((2, draws, 1, len(unit_of)))
    place = rng.permuted(np.tile(np.arange(len(units)), (draws, 1)), axis=1)  # when each unit moves
    moved = place[:, None, :] < np.arange(len(units) + 1)[:, None]  # (draws, steps, units)
    points: F64 = np.where(moved[:, :, unit_of], second, first)
    return points.reshape(-1, len(unit_of))


def _filling(empty: Design, draws: int, seed: int) -> F64:
    """A Latin hypercube, rows in random order, so that the first rows are a sample too."""
    return unit_points(StudyDesign("lhs", draws, seed), empty.groups)


PICK_FREEZE = ("sobol", "morris", "shapley")
METHODS: dict[str, Callable[[Design, int, int], F64]] = {
    "sobol": _sobol,
    "morris": _morris,
    "pawn": _filling,
    "delta": _filling,
    "rbd_fast": _filling,
    "shapley": _shapley,
    "rsa": _filling,
}


def positions(columns: Sequence[NDArray[Any]], seed: int = 1) -> F64:
    """Columns of values as places in 0..1, for methods that look at order alone.

    Parameters: columns, one for each factor, numbers or codes of levels. Equal values are put in random order, so that
    what a level holds says nothing about where in the table it stood. Returns: (rows, factors).
    """
    rng = np.random.default_rng(seed)
    rows = len(columns[0]) if len(columns) else 0
    placed = np.empty((rows, len(columns)))
    for i, column in enumerate(columns):
        placed[np.lexsort((rng.random(rows), column)), i] = (np.arange(rows) + 0.5) / rows
    return placed


def given(
    method: str, factors: Sequence[str], columns: Sequence[NDArray[Any]], seed: int, dummy: NDArray[Any] | None = None
) -> Design:
    """Rows that somebody else has chosen as a design for a given-data method.

    Parameters: dummy, their column that no model read; where they have none, one is drawn beside them.
    """
    if dummy is None:
        dummy = np.random.default_rng(seed).random(len(columns[0]))
    names = (*factors, DUMMY)
    return Design(method, names, names, positions([*columns, dummy], seed), 1)
