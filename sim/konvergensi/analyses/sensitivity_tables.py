"""Tables of a sensitivity analysis: indices with a verdict, convergence over sample sizes, and assumption heat.

Verdict: a unit is detected when the lower end of its interval lies above the noise floor. The floor is how far from
zero the dummy's interval reaches or, where every point was run with several seeds, what chance alone would give this
unit, whichever is higher.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.base.errors import InputError, fault
from konvergensi.methods.factors import DUMMY
from konvergensi.methods.sensitivity_designs import Design
from konvergensi.methods.sensitivity_estimates import DECIDES, F64, SHARES, IndexEstimate, Z, estimates
from konvergensi.methods.statistics import ROUNDING

Estimates = Sequence[IndexEstimate]
UNJUDGED = ("mu", "sigma")  # they say how a unit acts, not how much
WEAK = "assumption"  # the grade of a number that rests on nobody's measurement
PARTS = ("assumption", "better", "mixed")  # units of weak grade alone, of better grades alone, groups with both
INDICES = ["method", "output", "factor", "group", "index", "value", "low", "high", "floor", "detected"]


def judged(design: Design, estimate: IndexEstimate) -> pd.DataFrame:
    """An index of every unit with interval, floor and verdict; the dummy has no verdict.

    Returns: columns unit, index, value, low, high, floor, detected (True, False, or missing where nothing is judged).
    """
    low, high = estimate.value - estimate.half, estimate.value + estimate.half
    table = pd.DataFrame({"unit": design.units, "index": estimate.index, "value": estimate.value})
    table["low"], table["high"] = low, high
    if estimate.index in UNJUDGED:
        return table.assign(floor=np.nan, detected=pd.array([pd.NA] * len(low), dtype="boolean"))
    rounding = ROUNDING * float(np.abs(estimate.value).max())
    floor = np.maximum(max(high[-1], -low[-1], rounding), estimate.noise)
    detected = pd.array([*(low > floor)[:-1], pd.NA], dtype="boolean")
    return table.assign(floor=floor, detected=detected)


def unjudged(table: pd.DataFrame) -> pd.DataFrame:
    """The table without floors, and nothing detected.

    For points moved one unit at a time in a model of chance, run with one seed: each move shuffles the noise of a run,
    and nothing tells how much of an index is that.
    """
    return table.assign(floor=np.nan, detected=table["detected"].where(table["detected"].isna(), False))


def indices(
    design: Design, replicates: F64, output: str, seed: int = 1, whole: Estimates | None = None
) -> pd.DataFrame:
    """Every index of every unit, by the index that decides, the largest first, the dummy last.

    Parameters: replicates (rows, seeds); whole, `estimates` of all of them where they are known.
    Returns: columns INDICES; a unit of several factors stands in `group`.
    Raises InputError naming the output when so few points tell nothing of it.
    """
    tables = [judged(design, estimate) for estimate in whole or estimates(design, replicates, seed)]
    table = pd.concat(tables, ignore_index=True)
    decides = table[table["index"] == DECIDES[design.method]].set_index("unit")["value"]
    if not np.isfinite(decides).all():
        raise InputError(fault("", output, "no_index", n=design.blocks))
    order = [*decides.drop(DUMMY).sort_values(ascending=False, kind="stable").index, DUMMY]
    table["place"] = table["unit"].map({unit: place for place, unit in enumerate(order)})
    table = table.sort_values(["place"], kind="stable", ignore_index=True)
    alone = table["unit"].isin(design.factors)
    table["factor"] = table["unit"].where(alone, "")
    table["group"] = table["unit"].mask(alone, "")
    return table.assign(method=design.method, output=output)[INDICES]


def convergence(
    design: Design, replicates: F64, output: str, seed: int = 1, whole: Estimates | None = None
) -> pd.DataFrame:
    """The index that decides at nested sample sizes, each the beginning of the next.

    Parameters: as of `indices`.
    Returns: columns method, output, n (blocks or rows), unit, index, value, low, high, floor, detected. A size at which
    the output is constant, or that tells nothing of it, is left out.
    """
    found = []
    for n in design.nested():
        blocks = np.arange(n)
        part = replicates[design.rows_of(blocks)]
        if np.ptp(part.mean(axis=1)) == 0.0:
            continue
        all_of_it = whole if n == design.blocks else None
        found_here = all_of_it or estimates(design.only(blocks), part, seed)
        deciding = next(each for each in found_here if each.index == DECIDES[design.method])
        if not np.isfinite(deciding.value).all():
            continue
        found.append(judged(design, deciding).assign(method=design.method, output=output, n=n))
    columns = ["method", "output", "n", "unit", "index", "value", "low", "high", "floor", "detected"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def heat(
    design: Design,
    replicates: F64,
    output: str,
    grades: Mapping[str, str],
    seed: int = 1,
    whole: Estimates | None = None,
) -> pd.DataFrame:
    """Which part of the variance rests on parameters of weak grade, with interval.

    Parameters: grades, of each factor; a factor without one counts for nothing; the others as of `indices`.
    Returns: columns method, output, part, bound, value, low, high, units. bound `alone`: the sum of first-order
    shares, what the part moves by itself; `at_most`: with every interaction there is, and with chance; `effect`: the
    sum of Shapley effects, which divide interactions equally. part `chance`: variance of the mean over seeds. Empty
    for methods whose indices are no shares of the variance.
    """
    columns = ["method", "output", "part", "bound", "value", "low", "high", "units"]
    share = SHARES.get(design.method)
    of = part_of_units(design, grades)
    if share is None or not any(of):
        return pd.DataFrame(columns=columns)
    estimate = next(each for each in whole or estimates(design, replicates, seed) if each.index == share)
    rows = []
    for part in PARTS:
        inside = np.array([each == part for each in of])
        if not inside.any():
            continue
        if share == "effect":
            rows.append((part, "effect", *_sum(estimate, inside), inside.sum()))
            continue
        rows.append((part, "alone", *_sum(estimate, inside), inside.sum()))
        others = np.array([each not in (part, "") for each in of])
        rest, low, high = _sum(estimate, others)
        rows.append((part, "at_most", 1.0 - rest, 1.0 - high, 1.0 - low, inside.sum()))
    if replicates.shape[1] > 1:
        rows.append(("chance", "effect" if share == "effect" else "alone", _chance(replicates), np.nan, np.nan, 0))
    return pd.DataFrame(rows, columns=columns[2:]).assign(method=design.method, output=output)[columns]


def part_of_units(design: Design, grades: Mapping[str, str]) -> list[str]:
    """For each unit the part it belongs to, '' for the dummy and for units without grades."""
    parts = []
    for unit in design.units:
        members = {grades.get(f, "") for f, g in zip(design.factors, design.groups) if g == unit} - {""}
        weak = WEAK in members
        parts.append("" if not members else "mixed" if weak and len(members) > 1 else WEAK if weak else "better")
    return parts


def _sum(estimate: IndexEstimate, inside: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Sum of an index over units, with the interval of the sum."""
    assert estimate.samples is not None  # every share of the variance is resampled
    value = float(estimate.value[inside].sum())
    half = Z * float(estimate.samples[:, inside].sum(axis=1).std(ddof=1))
    return value, value - half, value + half


def _chance(replicates: F64) -> float:
    """Share of the variance of the mean over seeds that is left of chance, without what a seed does to all alike."""
    rows, seeds = replicates.shape
    rest = replicates - replicates.mean(axis=1, keepdims=True) - replicates.mean(axis=0) + replicates.mean()
    variance = float((rest**2).sum()) / ((rows - 1) * (seeds - 1))
    return variance / seeds / float(replicates.mean(axis=1).var())
