"""The village convergence scorecard as its form counts it: indicators received over those due (inputs/indices.toml).

Both are summed over pregnant women and children under two; who is no target of an indicator counts in neither. It
counts what is so, where a real card counts what its cadre knows and writes down.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.inputs.indices import indices
from konvergensi.observe.counted import Past, count

if TYPE_CHECKING:
    from konvergensi.world.households import Mask
    from konvergensi.world.state import World

ALL = "all"  # how the tables name both groups together
Counts = NDArray[np.int64]  # by village
Card = dict[str, tuple[Counts, Counts]]  # indicators received and due, by group
Row = dict[str, Any]


def card_of(world: World, past: Past) -> tuple[Card, list[Row]]:
    """The card of every village at this month, and the rows of `scorecard_indicators`, one an indicator.

    Columns: year, target, indicator, received and due (people), percent.
    """
    found, year = indices().scorecard, world.month // 12
    villages: Card = {}
    indicators: list[Row] = []
    for group in found.group:
        asked = [each for each in found.counted if each.group == group.id]
        counted = [count(world, each.counts, past) for each in asked if each.counts is not None]
        if not counted:
            continue
        villages[group.id] = _in_villages(world, counted)
        for each, (_, due, has) in zip(asked, counted, strict=True):
            n_due, n_has = int(np.count_nonzero(due)), int(np.count_nonzero(has))
            percent = 100.0 * n_has / n_due if n_due else np.nan
            indicators.append(
                {"year": year, "target": group.id, "indicator": each.id}
                | {"received": n_has, "due": n_due, "percent": percent}
            )
    villages[ALL] = _add(villages[name] for name in tuple(villages))
    return villages, indicators


def _add(groups: Iterable[tuple[Counts, Counts]]) -> tuple[Counts, Counts]:
    received, due = zip(*groups, strict=True)
    return np.sum(received, axis=0), np.sum(due, axis=0)


def _in_villages(world: World, counted: list[tuple[slice, Mask, Mask]]) -> tuple[Counts, Counts]:
    """Indicators received and due of one group, all together, (n_villages,) each."""
    first, last = min(rows.start for rows, _, _ in counted), max(rows.stop for rows, _, _ in counted)
    received, due = np.zeros(last - first, np.uint8), np.zeros(last - first, np.uint8)
    for rows, is_due, has in counted:
        here = slice(rows.start - first, rows.stop - first)
        received[here] += has
        due[here] += is_due
    place, n = world.children.village[first:last], len(world.lokus)
    return tuple(np.bincount(place, weights=each, minlength=n).astype(np.int64) for each in (received, due))  # type: ignore[return-value]


def by_village(cards: list[tuple[int, Card]], places: pd.DataFrame) -> pd.DataFrame:
    """The table `scorecard`: year, village, kecamatan, target, received and due (numbers of indicators), percent."""
    groups = [(year, target, *both) for year, card in cards for target, both in card.items()]
    years, targets, received, due = zip(*groups, strict=True)
    has, asked = np.concatenate(received), np.concatenate(due)
    place, group = np.tile(np.arange(len(places)), len(groups)), np.repeat(np.arange(len(groups)), len(places))
    names = {column: places[column].array.take(place) for column in ("village", "kecamatan")}
    return pd.DataFrame(
        {"year": np.array(years)[group], **names, "target": pd.Series(targets, dtype=str).array.take(group)}
        | {"received": has, "due": asked, "percent": 100.0 * has / np.where(asked > 0, asked, np.nan)},
        copy=False,
    )
