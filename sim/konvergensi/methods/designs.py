"""Designs: which points of the factors a study runs. Each point is a draw, numbered from 1.

Each sampled design can be extended, and what was run stays valid: a longer Sobol series begins with the shorter one,
Saltelli's blocks and Morris's trajectories are appended, and a Latin hypercube is extended by another, independent one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from konvergensi.methods.factors import Factor, codes_of, table_of

METHODS = ("list", "factorial", "lhs", "sobol", "saltelli", "morris", "csv")
SAMPLED = ("lhs", "sobol", "saltelli", "morris")  # need draws, and can be given more of them
MORRIS_LEVELS = 4


@dataclass(frozen=True)
class Design:
    """How the factors' points are chosen.

    Parameters: method, one of METHODS; draws, how many points, of saltelli base points, of morris trajectories (0
    where the method itself says); seed of the sample; blocks, the sizes of the independent hypercubes that draws was
    reached by; second_order, whether saltelli also holds what second-order indices need.
    """

    method: str = "list"
    draws: int = 0
    seed: int = 1
    blocks: tuple[int, ...] = ()
    second_order: bool = False


class Planned(Protocol):
    """What has points: factors, a design over them, and the codes of points that are given."""

    @property
    def factors(self) -> tuple[Factor, ...]: ...

    @property
    def design(self) -> Design: ...

    @property
    def codes(self) -> np.ndarray | None: ...


def codes(study: Planned) -> np.ndarray:
    """Codes of the study's points, (draws, factors) float; one draw without columns when there are no factors."""
    if study.codes is not None:
        return study.codes
    if not study.factors:
        return np.empty((1, 0))
    if study.design.method == "factorial":
        return _factorial(study.factors)
    return codes_of(study.factors, unit_points(study.design, groups_of(study.factors)))


def points(study: Planned) -> pd.DataFrame:
    """The study's points as values: a column for each factor, a row for each draw (index `draw`, from 1)."""
    return table_of(study.factors, codes(study))


def points_for(study: Any, design: Design) -> pd.DataFrame:
    """The points another design would take over the same factors."""
    return points(replace(study, design=design, codes=None))


def draws_of(study: Planned) -> int:
    """How many draws there are, without making them."""
    if study.codes is not None:
        return len(study.codes)
    if not study.factors:
        return 1
    design, moved = study.design, len(set(groups_of(study.factors)))
    if design.method == "factorial":
        return int(np.prod([len(_levels(factor)) for factor in study.factors], dtype=object))
    if design.method == "saltelli":
        return design.draws * ((2 * moved if design.second_order else moved) + 2)
    return design.draws * (moved + 1) if design.method == "morris" else design.draws


def first_draw(study: Planned) -> int:
    """Number of the first draw: 1, or 0 of the only one, parameters as they are."""
    return 1 if study.factors else 0


def extended(design: Design, draws: int) -> Design:
    """The design with more draws, beginning with those it has."""
    blocks = (*(design.blocks or (design.draws,)), draws - design.draws) if design.method == "lhs" else ()
    return replace(design, draws=draws, blocks=blocks)


def groups_of(factors: Sequence[Factor]) -> list[str]:
    """Group of each factor; one without a group is one by itself."""
    return [factor.group or factor.key for factor in factors]


def unit_points(design: Design, groups: Sequence[str]) -> np.ndarray:
    """Points in the unit cube, (points, factors), for a sampled design over factors moved in these groups."""
    samplers: dict[str, Callable[[Design, Sequence[str]], np.ndarray]] = {
        "lhs": _latin, "sobol": _sobol, "saltelli": _saltelli, "morris": _morris
    }  # fmt: skip
    return samplers[design.method](design, groups)


def _sobol(design: Design, groups: Sequence[str]) -> np.ndarray:
    return _sobol_series(len(groups), design.draws, design.seed)


def _sobol_series(width: int, draws: int, seed: int) -> np.ndarray:
    """Scrambled Sobol points; a whole power of two is drawn, so that the sequence is used as it is meant."""
    from scipy.stats import qmc

    series = qmc.Sobol(width, scramble=True, rng=np.random.default_rng(seed))
    return np.asarray(series.random_base2((max(draws, 1) - 1).bit_length())[:draws])


def _latin(design: Design, groups: Sequence[str]) -> np.ndarray:
    from scipy.stats import qmc

    blocks = design.blocks or (design.draws,)
    return np.vstack([
        qmc.LatinHypercube(len(groups), rng=np.random.default_rng([design.seed, number])).random(size)
        for number, size in enumerate(blocks)
    ])  # fmt: skip


def _saltelli(design: Design, groups: Sequence[str]) -> np.ndarray:
    """Blocks A, A with one group from B ..., (B with one from A ...,) B of each base point, in SALib's order."""
    width, names = len(groups), list(dict.fromkeys(groups))
    series = _sobol_series(2 * width, design.draws, design.seed)
    a, b = series[:, :width], series[:, width:]
    masks = [np.array([group == name for group in groups]) for name in names]
    block = [a, *(np.where(mask, b, a) for mask in masks)]
    if design.second_order:
        block += [np.where(mask, a, b) for mask in masks]
    return np.stack([*block, b], axis=1).reshape(-1, width)


def _morris(design: Design, groups: Sequence[str]) -> np.ndarray:
    """Morris trajectories, each from a seed of its own number."""
    from SALib.sample import morris

    names = [f"x{j}" for j in range(len(groups))]
    problem = {"num_vars": len(groups), "names": names, "bounds": [[0.0, 1.0]] * len(groups), "groups": list(groups)}
    if len(set(groups)) == len(groups):
        del problem["groups"]
    made = [
        morris.sample(problem, 1, num_levels=MORRIS_LEVELS, seed=np.random.default_rng([design.seed, number]))
        for number in range(design.draws)
    ]
    return np.vstack(made)


def _factorial(factors: Sequence[Factor]) -> np.ndarray:
    """Every combination of the levels, the last factor changing fastest."""
    grids = np.meshgrid(*(_levels(factor) for factor in factors), indexing="ij")
    return np.column_stack([grid.ravel() for grid in grids]).astype(np.float64)


def _levels(factor: Factor) -> np.ndarray:
    if factor.values:
        return np.arange(len(factor.values), dtype=float)
    assert factor.low is not None and factor.high is not None
    steps = np.linspace(factor.low, factor.high, factor.levels or 2)
    return np.unique(np.rint(steps)) if factor.whole else np.unique(steps)
