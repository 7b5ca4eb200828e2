"""Pictures of conditions: how a box was found, the draws and the box, the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from konvergensi.base.words import Lang, percent, word
from konvergensi.methods.boxes import Limit
from konvergensi.methods.prim import is_number, strongest
from konvergensi.report import axes as panel
from konvergensi.report import discovery_page as words_of
from konvergensi.report import theme
from konvergensi.report.figures_tree import tree
from konvergensi.report.origin import comparison_origin

if TYPE_CHECKING:
    from konvergensi.analyses.discover import Discovery

_PEEL: dict[str, Any] = {"color": theme.GREY, "marker": "o", "ms": 4, "lw": 1}
_CHOSEN: dict[str, Any] = {"color": theme.INK, "marker": "o", "mfc": "none", "mew": 1.8, "ms": 11, "ls": ""}
_FINAL: dict[str, Any] = {"color": theme.BLUE, "marker": "s", "ms": 10, "ls": ""}
_UNSEEN: dict[str, Any] = {"color": theme.RED, "marker": "D", "ms": 8, "lw": 1.6}
_HAPPENS: dict[str, Any] = {"color": theme.RED, "marker": "o", "ms": 5, "ls": "", "alpha": 0.85}
_NOT: dict[str, Any] = {"color": theme.SKY, "marker": "o", "mfc": "none", "ms": 5, "ls": "", "alpha": 0.85}
_FRAME: dict[str, Any] = {"edgecolor": theme.INK, "facecolor": "none", "lw": 2}
JITTER = 0.28  # of the room of a level: draws of one level do not hide each other


def figures(found: Discovery, lang: Lang) -> dict[str, Figure]:
    """The figures there are, by name."""
    made = {"draws": draws(found, lang)} if len(found.cases.x.columns) > 1 else {}
    if found.found:
        made["trajectory"] = trajectory(found, lang)
    if found.root is not None:
        made["tree"] = tree(found, found.root, lang)
    return made


# ---- how the box was found -------------------------------------------------------------------------------------------


@theme.themed
def trajectory(found: Discovery, lang: Lang) -> Figure:
    """Coverage against density: the peels, the chosen step, what was made of it, and what unseen draws say."""
    figure = theme.new_figure(9.0, 6.4)
    axes = figure.subplots()
    first, region = found.found[0], found.boxes[0]
    fits = [step.fit for step in first.trajectory]
    axes.plot([100 * fit.coverage for fit in fits], [100 * fit.density for fit in fits], **_PEEL, zorder=2)
    at = fits[first.chosen]
    axes.plot(100 * at.coverage, 100 * at.density, **_CHOSEN, zorder=4)
    axes.plot(100 * region.fit.coverage, 100 * region.fit.density, **_FINAL, zorder=3)
    key: list[Artist] = [
        Line2D([], [], **_PEEL, label=word("discovery.figure.peel", lang)),
        Line2D([], [], **_CHOSEN, label=word("discovery.figure.chosen", lang)),
        Line2D([], [], **_FINAL, label=word("discovery.figure.final", lang)),
    ]
    check = found.check
    if len(found.boxes) == 1 and np.isfinite(check.density):  # the check is of all boxes together
        place = 100 * check.coverage
        axes.plot([place, place], [100 * check.low, 100 * check.high], color=_UNSEEN["color"], lw=1.6, zorder=3)
        axes.plot(place, 100 * check.density, **_UNSEEN, zorder=5)
        key.append(Line2D([], [], **_UNSEEN, label=word("discovery.figure.unseen", lang)))
    axes.set_xlim(-3, 104)
    axes.set_ylim(-3, 104)
    panel.value_axis(axes, lang, word("discovery.figure.coverage", lang), "x")
    panel.value_axis(axes, lang, theme.wrap(word("discovery.figure.density", lang), 4.0, theme.TEXT), "y")
    title = word("discovery.figure.trajectory", lang, what=words_of.what(found, lang))
    note = word("discovery.figure.trajectory_note", lang, rule=words_of.rule(found, lang))
    return theme.frame(figure, title, _origin(found, lang, ""), note, key)


# ---- the draws -------------------------------------------------------------------------------------------------------


@theme.themed
def draws(found: Discovery, lang: Lang) -> Figure:
    """Each draw by the two numbers that matter most, with the first box as a frame."""
    across, up = strongest_two(found)
    figure = theme.new_figure(9.0, 6.8)
    axes = figure.subplots()
    x, interest = found.cases.x, found.cases.interest
    places = {factor: _places(x[factor]) for factor in (across, up)}
    for which, style in ((~interest, _NOT), (interest, _HAPPENS)):
        axes.plot(places[across][which], places[up][which], **style, zorder=2)
    _factor_axis(axes, found, across, lang, "x")
    _factor_axis(axes, found, up, lang, "y")
    key: list[Artist] = [
        Line2D([], [], **_HAPPENS, label=word("discovery.figure.happens", lang)),
        Line2D([], [], **_NOT, label=word("discovery.figure.not", lang)),
    ]
    what = words_of.what(found, lang)
    if not found.boxes:
        title, note = word("discovery.figure.no_box", lang, what=what), word("discovery.figure.no_box_note", lang)
        return theme.frame(figure, title, _origin(found, lang, "interval.discovery.none"), note, key)
    region = found.boxes[0]
    _frame(axes, found, across, up)
    key.append(Patch(**_FRAME, label=word("discovery.figure.frame", lang, n=1)))
    shares = {"density": percent(region.fit.density, lang, 0), "base": percent(region.fit.base, lang, 0)}
    note = word("discovery.figure.box_note", lang, **shares)
    if more := len(set(region.box) - {across, up}):
        note = word("discovery.figure.box_more", lang, n=more)
    title = word("discovery.figure.box", lang, what=what)
    return theme.frame(figure, title, _origin(found, lang, "interval.discovery.none"), note, key)


def strongest_two(found: Discovery) -> tuple[str, str]:
    """The two numbers of the first box with the lowest quasi-p, completed by those that separate best."""
    asked: list[str] = []
    if found.boxes:
        p = found.boxes[0].quasi_p
        asked = list(dict.fromkeys(factor for factor, _ in sorted(p, key=lambda side: (p[side], side))))
    x, interest = found.cases.x, found.cases.interest
    rest = [name for name in strongest(x, interest, len(asked) + 2) if name not in asked]
    first, second = [*asked, *rest][:2]
    return first, second


def _places(values: pd.Series) -> np.ndarray:
    """Where the draws stand: numbers where they are, levels side by side, shaken a little."""
    if is_number(values):
        return values.to_numpy(float)
    codes = values.map({level: place for place, level in enumerate(levels_of(values))}).to_numpy(float)
    return codes + np.random.default_rng(1).uniform(-JITTER, JITTER, len(values))


def levels_of(values: pd.Series) -> list[Any]:
    """The levels in the order in which they stand."""
    return sorted(set(values), key=str)


def _factor_axis(axes: Axes, found: Discovery, factor: str, lang: Lang, which: str) -> None:
    unit = words_of.unit_of(found, factor, lang)
    label = words_of.meaning(found, factor, lang) + (f" ({unit})" if unit else "")
    values = found.cases.x[factor]
    label = theme.wrap(label, 6.5 if which == "x" else 4.2, theme.TEXT)
    if is_number(values):
        panel.value_axis(axes, lang, label, which)
        return
    axis = axes.xaxis if which == "x" else axes.yaxis
    levels = levels_of(values)
    axis.set_ticks(range(len(levels)), [words_of.level_name(level, lang) for level in levels])
    axis.set_label_text(label)
    (axes.set_xlim if which == "x" else axes.set_ylim)(-0.55, len(levels) - 0.45)


def _frame(axes: Axes, found: Discovery, across: str, up: str) -> None:
    (left, right), (low, high) = (
        _span(found.boxes[0].box.get(factor, Limit()), found.cases.x[factor], limits)
        for factor, limits in ((across, axes.get_xlim()), (up, axes.get_ylim()))
    )
    axes.add_patch(Rectangle((left, low), right - left, high - low, **_FRAME, zorder=3))


def _span(limit: Limit, values: pd.Series, limits: tuple[float, float]) -> tuple[float, float]:
    """From where to where a limit reaches on an axis; levels that are apart are framed with what lies between."""
    margin = 0.005 * (limits[1] - limits[0])  # the frame goes round its draws, and is seen at the edge of the panel
    lowest, highest = limits[0] + margin, limits[1] - margin
    if limit.levels is not None:
        kept = [place for place, level in enumerate(levels_of(values)) if level in limit.levels]
        return min(kept) - 0.45, max(kept) + 0.45
    return (
        limit.low - margin if limit.low > -np.inf else lowest,
        limit.high + margin if limit.high < np.inf else highest,
    )


def _origin(found: Discovery, lang: Lang, interval: str) -> str:
    return comparison_origin(found, lang, interval)
