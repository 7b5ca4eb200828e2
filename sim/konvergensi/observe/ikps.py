"""An index like IKPS: the official indicators that the model has, by dimension (inputs/indices.toml).

Every indicator is a percent, a dimension the mean of its indicators, the index the mean of its dimensions. What the
model lacks is left out, so the index is to be compared with itself and not with the published one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.inputs.indices import indices
from konvergensi.observe.counted import count

if TYPE_CHECKING:
    from konvergensi.observe.counted import Past
    from konvergensi.world.state import World

INDEX, ALL = "index", "all"  # how the table names the index, and a dimension as a whole
Row = dict[str, Any]


def ikps_rows(world: World, past: Past) -> list[Row]:
    """Rows of the table `ikps`: year, dimension, indicator, counted (people or families, NaN for means), percent."""
    year, found = world.month // 12, indices().ikps
    rows: list[Row] = []
    means: list[float] = []
    for group in found.group:
        percents = []
        for each in found.counted:
            if each.group == group.id and each.counts is not None:
                _, due, has = count(world, each.counts, past)
                n = int(np.count_nonzero(due))
                percents.append(100.0 * int(np.count_nonzero(has)) / n if n else np.nan)
                rows.append(_row(year, group.id, each.id, n, percents[-1]))
        if percents:
            means.append(mean(percents))
            rows.append(_row(year, group.id, ALL, np.nan, means[-1]))
    rows.append(_row(year, INDEX, ALL, np.nan, mean(means)))
    return rows


def mean(percents: list[float]) -> float:
    """Mean of those that are known, NaN of none: parts of the index count alike."""
    known = [each for each in percents if each == each]
    return sum(known) / len(known) if known else float("nan")


def _row(year: int, dimension: str, indicator: str, counted: float, percent: float) -> Row:
    return {"year": year, "dimension": dimension, "indicator": indicator, "counted": counted, "percent": percent}
