"""A classification tree (CART, scikit-learn): questions that part runs of interest from others.

Grown to at most `DEEPEST` questions in a row and pruned by cost complexity to the smallest tree that predicts unseen
runs about as well as the best one: within one standard error (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3),
here of the paired difference, of the squared error of the expected share, which also serves where few runs are of
interest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.methods.boxes import Bools, Box, Fit, Level, Limit, fit, inside
from konvergensi.methods.prim import LEAST_RUNS, LEAST_SHARE, is_number

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

DEEPEST = 4
FOLDS, MOST_PRUNINGS = 5, 8


@dataclass(frozen=True)
class Node:
    """A question or, without factor, a leaf. Runs for which `limit` holds of `factor` go to `yes`, others to `no`."""

    fit: Fit  # of the runs that come here
    box: Box  # which runs these are
    factor: str = ""
    limit: Limit | None = None
    yes: Node | None = None
    no: Node | None = None

    def leaves(self) -> Iterator[Node]:
        """The leaves from left (yes) to right (no)."""
        if self.yes is None or self.no is None:
            yield self
        else:
            yield from self.yes.leaves()
            yield from self.no.leaves()

    def of_interest(self) -> list[Node]:
        """Leaves in which the share of interest is above that of all runs, the densest first; [] for a bare root."""
        above = [leaf for leaf in self.leaves() if leaf.fit.density > leaf.fit.base]
        return sorted(above, key=lambda leaf: -leaf.fit.density)


def grow(x: pd.DataFrame, interest: Bools) -> Node:
    """The tree of a table of factors, as its root.

    Parameters: x (n, factors), numbers or levels, without NaN; interest (n,) bool, some true and some not. Rows are
    taken in the order of the index, so that it does not matter how they come.
    """
    order = np.argsort(x.index.to_numpy(), kind="stable")
    x, interest = x.iloc[order], interest[order]
    columns = _columns(x)
    values = np.column_stack([column.values for column in columns])
    pruning = _pruning(values, interest)
    grown = _cart(len(x), pruning).fit(values, interest).tree_
    return _node(grown, 0, columns, x, interest, {})


def _cart(runs: int, pruning: float = 0.0) -> DecisionTreeClassifier:
    from sklearn.tree import DecisionTreeClassifier

    least = max(LEAST_RUNS, round(LEAST_SHARE * runs))
    return DecisionTreeClassifier(max_depth=DEEPEST, min_samples_leaf=least, random_state=0, ccp_alpha=pruning)


@dataclass(frozen=True)
class _Column:
    """What scikit-learn sees: a number, or whether a factor has a level."""

    factor: str
    level: Level | None
    values: NDArray[np.float64]


def _columns(x: pd.DataFrame) -> list[_Column]:
    """A column for each number and for each level of the others; two levels need but one."""
    columns = []
    for name in map(str, x):
        if is_number(x[name]):
            columns.append(_Column(name, None, x[name].to_numpy(float)))
            continue
        there = sorted(set(x[name]), key=str)
        for level in there if len(there) > 2 else there[:1]:
            columns.append(_Column(name, level, (x[name] == level).to_numpy(float)))
    return columns


def _pruning(values: NDArray[np.float64], interest: Bools) -> float:
    """The strongest pruning whose error on unseen runs is within one standard error (paired) of the least."""
    path = np.unique(_cart(len(values)).cost_complexity_pruning_path(values, interest).ccp_alphas.clip(0.0))
    between = [*np.sqrt(path[:-1] * path[1:]), path[-1] * (1 + 1e-9)]  # one for each size, the bare root last
    pick = np.unique(np.linspace(0, len(between) - 1, min(MOST_PRUNINGS, len(between))).round().astype(int))
    tried = [float(between[i]) for i in pick]
    fold = np.random.default_rng(0).permutation(np.arange(len(values)) % FOLDS)
    errors = np.empty((len(tried), len(values)))
    for unseen in range(FOLDS):
        seen = fold != unseen
        for i, pruning in enumerate(tried):
            cart = _cart(int(seen.sum()), pruning).fit(values[seen], interest[seen])
            expected = (
                cart.predict_proba(values[~seen])[:, list(cart.classes_).index(True)] if True in cart.classes_ else 0.0
            )
            errors[i, ~seen] = (expected - interest[~seen]) ** 2
    worse = errors - errors[int(errors.mean(axis=1).argmin())]
    allowed = worse.mean(axis=1) <= worse.std(axis=1, ddof=1) / np.sqrt(len(values))
    return tried[int(np.flatnonzero(allowed).max())]


def _node(tree: Any, at: int, columns: list[_Column], x: pd.DataFrame, interest: Bools, box: Box) -> Node:
    """The node of a fitted tree and all below it. `yes` is the side that lies lower, or has the level."""
    found = fit(inside(box, x), interest)
    if tree.children_left[at] < 0:
        return Node(found, box)
    column, edge = columns[tree.feature[at]], float(tree.threshold[at])
    of = box.get(column.factor, Limit())
    if column.level is None:
        yes, no = replace(of, high=edge), replace(of, low=float(np.nextafter(edge, np.inf)))
        children = (tree.children_left[at], tree.children_right[at])
    else:
        there = of.levels or tuple(sorted(set(x[column.factor]), key=str))
        yes = Limit(levels=(column.level,))
        no = Limit(levels=tuple(level for level in there if level != column.level))
        children = (tree.children_right[at], tree.children_left[at])
    below = [
        _node(tree, int(child), columns, x, interest, {**box, column.factor: limit})
        for child, limit in zip(children, (yes, no))
    ]
    return Node(found, box, column.factor, yes, *below)


def boxes(root: Node) -> list[Box]:
    """The leaves of interest as boxes."""
    return [leaf.box for leaf in root.of_interest()] if root.factor else []
