"""The patient rule induction method (PRIM): boxes of conditions in which many runs are of interest.

A box begins with all runs. *Peeling* takes off a thin slice at one end of one factor, that which holds the fewest runs
of interest, again and again. *Dropping* gives up, in each box of this trajectory, the restrictions that may be chance.
*Choosing* takes one of these boxes by a rule that is named. *Pasting* gives back slices that hold no fewer runs of
interest than the box. What lies inside is set aside and the search begins again on the rest, for another box. All this
uses only the order of a factor's values, so that a scale of millimetres or of logarithms finds the same runs.

Source: J. H. Friedman and N. I. Fisher, Bump hunting in high-dimensional data, Statistics and Computing 9, 1999. What
is changed, and why it is no package: docs/decisions/0020-scenario-discovery.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.methods.boxes import Bools, Box, Fit, Limit, fit, inside, outside, quasi_p, relaxed

SLICE = 0.05  # share of the runs inside that a peel takes off
LEAST_SHARE = 0.05  # a box holds at least this share of all runs,
LEAST_RUNS = 5  # and never fewer than these
CHANCE = 0.05  # a factor is dropped when its quasi-p, times the slices there were to choose from, is above
MOST_BOXES = 3
FEWEST_FACTORS, RUNS_A_FACTOR = 5, 20  # so many factors are looked at, and one more for each so many runs


@dataclass(frozen=True)
class Step:
    """A box of the peeling trajectory."""

    box: Box
    fit: Fit


@dataclass(frozen=True)
class Found:
    """A box with the way to it: it came of the step `chosen` of the trajectory, by dropping and pasting."""

    box: Box
    fit: Fit
    trajectory: tuple[Step, ...]
    chosen: int


@dataclass(frozen=True)
class Rule:
    """Which box of a trajectory is chosen.

    density None: that for which lying inside and being of interest are most strongly correlated (phi, the Matthews
    coefficient); it weighs coverage and density alike whatever share of all runs is of interest. A number: the largest
    coverage among boxes of at least this density, or, where none has it, the densest.
    """

    density: float | None = None

    def choose(self, fits: Sequence[Fit]) -> int:
        """Place of the chosen box; the first of equals."""
        if self.density is None:
            return int(np.argmax([correlation(found) for found in fits]))
        enough = [found.coverage if found.density >= self.density else -1.0 for found in fits]
        return int(np.argmax(enough if max(enough) > 0 else [found.density for found in fits]))


def correlation(found: Fit) -> float:
    """Correlation over the runs between lying inside and being of interest: 1 is perfect, 0 is chance."""
    spread = found.base * (1.0 - found.base) * found.mass * (1.0 - found.mass)
    return (found.hits / found.runs - found.base * found.mass) / math.sqrt(spread) if spread > 0 else 0.0


def find_boxes(x: pd.DataFrame, interest: Bools, rule: Rule = Rule(), most: int = MOST_BOXES) -> list[Found]:
    """Boxes in the order found, each on the runs that lie in none before, as long as one is denser than all runs are.

    Returns [] where no restriction stands.

    Parameters: x (n, factors), numbers or levels (text, bool, categories), without NaN, in any order of rows; interest
    (n,) bool, some true and some not. Fits count the runs of their own search (a second box: those left).
    """
    found: list[Found] = []
    left = np.ones(len(x), dtype=bool)
    least = max(LEAST_RUNS, round(LEAST_SHARE * len(x)))
    while len(found) < most and 0 < interest[left].sum() < left.sum():
        one = find_box(x[left], interest[left], least, rule)
        if one is None or one.fit.density <= interest.mean():
            break
        found.append(one)
        left &= ~inside(one.box, x)
    return found


def find_box(x: pd.DataFrame, interest: Bools, least: int, rule: Rule) -> Found | None:
    """Peel, drop, choose, paste; None where no restriction is left. `least` runs stay inside."""
    choices = sum(2 if is_number(x[name]) else 1 for name in x)
    steps = tuple(_peel(x[strongest(x, interest)], interest, least))
    cleaned = [_drop(step.box, x, interest, choices) for step in steps]
    chosen = rule.choose([fit(inside(box, x), interest) for box in cleaned])
    box = _paste(cleaned[chosen], x, interest)
    return Found(box, fit(inside(box, x), interest), steps, chosen) if box else None


def strongest(x: pd.DataFrame, interest: Bools, most: int | None = None) -> list[str]:
    """The factors to peel: those whose values differ most between runs of interest and others, that first.

    With hundreds of factors and few runs some slice of some useless factor always happens to hold no run of interest,
    and peeling would follow chance. The measure is the largest distance between the two distributions
    (Kolmogorov-Smirnov; of levels, the largest difference in the share of one). `most`, as many as there are runs for
    unless given.
    """
    most = most or max(FEWEST_FACTORS, len(x) // RUNS_A_FACTOR)
    numbers = [str(name) for name in x if is_number(x[name])]
    apart = dict(zip(numbers, _distances(x[numbers].to_numpy(float), interest)))
    apart |= {str(name): _level_distance(x[name], interest) for name in x if name not in apart}
    return sorted(apart, key=lambda name: (-apart[name], name))[:most]


def _distances(values: NDArray[np.float64], interest: Bools) -> list[float]:
    """Kolmogorov-Smirnov distance of each column (n, factors) between runs of interest and others."""
    order = np.argsort(values, axis=0)
    step = np.where(interest, 1.0 / interest.sum(), -1.0 / (~interest).sum())
    between = np.abs(np.cumsum(step[order], axis=0))
    ranked = np.take_along_axis(values, order, axis=0)
    last = np.vstack([ranked[1:] > ranked[:-1], np.zeros((1, values.shape[1]), dtype=bool)])  # of runs with one value
    return [round(float(each), 9) for each in np.where(last, between, 0.0).max(axis=0)]


def _level_distance(values: pd.Series, interest: Bools) -> float:
    """Largest difference, over levels, between their shares of the runs of interest and of the others."""
    of, others = (values[which].value_counts(normalize=True) for which in (interest, ~interest))
    return round(float(of.sub(others, fill_value=0.0).abs().max()), 9)


# ---- peeling --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Slices:
    """What may be peeled off next, one element each: `limits[i]` would then be asked of `factors[i]`."""

    factors: list[str]
    limits: list[Limit]
    taken: NDArray[np.int64]  # runs that would leave, and
    hits: NDArray[np.int64]  # those of interest among them
    lean: NDArray[np.float64]  # how strongly runs of interest lie at the other end; decides between equal slices

    def best(self, now: Fit, least: int) -> int | None:
        """The slice that raises density most, or lowers it least, for each run given up; None where none may go."""
        left = now.support - self.taken
        may = (left >= least) & (self.taken > 0)
        gain = (now.hits - self.hits) / np.maximum(left, 1) - now.density
        score = (gain / np.maximum(self.taken, 1)).round(12)
        order = sorted(np.flatnonzero(may), key=lambda i: (-score[i], -self.lean[i], self.factors[i]))
        return int(order[0]) if order else None


def _peel(x: pd.DataFrame, interest: Bools, least: int) -> Iterator[Step]:
    numbers = [str(name) for name in x if is_number(x[name])]
    values = x[numbers].to_numpy(float)
    levels = {str(name): x[name].to_numpy(object) for name in x if str(name) not in numbers}
    box: dict[str, Limit] = {}
    where = np.ones(len(x), dtype=bool)
    while True:
        now = fit(where, interest)
        yield Step(dict(box), now)
        y = interest[where]
        slices = _ends(numbers, values[where], y, box)
        slices = _joined(slices, *(_each_level(name, of[where], y) for name, of in levels.items()))
        best = slices.best(now, least)
        if best is None or now.density == 1.0:
            return
        factor = slices.factors[best]
        box[factor] = slices.limits[best]
        where &= box[factor].holds(x[factor])


def _ends(names: list[str], values: NDArray[np.float64], y: Bools, box: Box) -> _Slices:
    """A slice at either end of each number; runs with the same value leave together."""
    size = max(1, int(SLICE * len(y)))
    lean = _correlation(values, y)
    limits: list[Limit] = []
    taken, hits = [], []
    for sign in (1.0, -1.0):
        signed = sign * values
        lowest = signed.min(axis=0)
        kept_from = np.partition(signed, min(size, len(y) - 1), axis=0)[min(size, len(y) - 1)]
        next_up = np.where(signed > lowest, signed, np.inf).min(axis=0)
        kept_from = np.maximum(kept_from, np.where(kept_from > lowest, kept_from, next_up))
        leave = signed < kept_from
        taken.append(np.where(np.isfinite(kept_from), leave.sum(axis=0), 0))
        hits.append(leave[y].sum(axis=0))
        for name, edge in zip(names, sign * kept_from):
            of = box.get(name, Limit())
            limits.append(Limit(float(edge), of.high) if sign > 0 else Limit(of.low, float(edge)))
    return _Slices([*names, *names], limits, np.concatenate(taken), np.concatenate(hits), np.concatenate([lean, -lean]))


def _each_level(name: str, levels: NDArray[np.object_], y: Bools) -> _Slices:
    """Each level of a factor on its own, where there are two or more."""
    there = sorted(set(levels), key=str)
    taken = np.array([(levels == level).sum() for level in there], dtype=np.int64)
    hits = np.array([(levels[y] == level).sum() for level in there], dtype=np.int64)
    limits = [Limit(levels=tuple(other for other in there if other != level)) for level in there]
    if len(there) < 2:
        taken = np.zeros_like(taken)
    return _Slices([name] * len(there), limits, taken, hits, np.zeros(len(there)))


def _joined(*parts: _Slices) -> _Slices:
    taken, hits, lean = (np.concatenate([getattr(each, of) for each in parts]) for of in ("taken", "hits", "lean"))
    factors, limits = ([each for part in parts for each in getattr(part, of)] for of in ("factors", "limits"))
    return _Slices(factors, limits, taken, hits, lean)


def _correlation(values: NDArray[np.float64], y: Bools) -> NDArray[np.float64]:
    """Rank correlation of each column with being of interest, rounded so that rounding error decides nothing."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0)
    ranks -= ranks.mean(axis=0)
    centred = y - y.mean()
    scale = np.sqrt((ranks**2).sum(axis=0) * (centred**2).sum())
    return np.asarray(np.where(scale > 0, centred @ ranks / np.where(scale > 0, scale, 1.0), 0.0).round(9))


# ---- dropping and pasting -------------------------------------------------------------------------------------------


def _drop(box: Box, x: pd.DataFrame, interest: Bools, choices: int) -> Box:
    """Give up one by one the factor, then the side of a factor, that is most likely chance, until what is left is not.

    `choices`: from how many slices the first was chosen; with more to choose from, chance finds better ones.
    """
    shut_out = outside(box, x)
    while box:
        by_factor = {
            name: np.any([of for (factor, _), of in shut_out.items() if factor == name], axis=0) for name in box
        }
        found = quasi_p(by_factor, interest)
        worst = max(found, key=lambda name: (found[name], name))
        if found[worst] * choices <= CHANCE:
            break
        box = {name: limit for name, limit in box.items() if name != worst}
        shut_out = {side: of for side, of in shut_out.items() if side[0] != worst}
    while sides := quasi_p(shut_out, interest):
        weakest = max(sides, key=lambda side: (sides[side], side))
        if sides[weakest] <= CHANCE:
            break
        box = relaxed(box, *weakest)
        del shut_out[weakest]
    return box


def _paste(box: Box, x: pd.DataFrame, interest: Bools) -> dict[str, Limit]:
    """Give back slices outside the box as long as they are at least as dense as the box; the densest first."""
    box = dict(box)
    while box:
        now = fit(inside(box, x), interest)
        wider = [(fit(inside(each, x), interest), each) for each in _wider(box, x)]
        better = [
            (found.density, found.support, i)
            for i, (found, _) in enumerate(wider)
            if found.support > now.support and found.density >= now.density
        ]
        if not better:
            break
        box = wider[max(better)[2]][1]
    return box


def _wider(box: Box, x: pd.DataFrame) -> Iterator[dict[str, Limit]]:
    """The box with each restriction moved outwards: a number by a slice of the box's runs, levels by one level."""
    here = inside(box, x)
    size = max(1, int(SLICE * here.sum()))
    for factor, limit in sorted(box.items()):
        for side in limit.sides():
            without = relaxed(box, factor, side)
            beyond = x.loc[inside(without, x) & ~here, factor]
            if limit.levels is not None:
                for level in sorted(set(beyond), key=str):
                    whole = set(limit.levels) | {level} == set(x[factor])
                    yield without if whole else {**box, factor: Limit(levels=(*limit.levels, level))}
            elif len(beyond) <= size:
                yield without
            else:
                far = np.sort(beyond.to_numpy(float))
                moved = replace(limit, low=far[-size]) if side == "low" else replace(limit, high=far[size - 1])
                yield {**box, factor: moved}


def is_number(values: pd.Series) -> bool:
    """Whether a factor is a number; everything else, true and false too, is levels."""
    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))
