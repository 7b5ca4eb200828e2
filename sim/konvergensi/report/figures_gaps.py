"""Pictures of closing the gaps: what each brings, and how the answer moves with what was never measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from konvergensi.base.words import Lang, word
from konvergensi.report import axes as panel
from konvergensi.report import gaps_page as words_of
from konvergensi.report import theme
from konvergensi.report.gaps_page import MEASURES, PARTS
from konvergensi.report.origin import district
from konvergensi.report.readings_moves import meaning

if TYPE_CHECKING:
    from konvergensi.analyses.gaps import Gaps

COLOURS = {"socialization": theme.BLUE, "data": theme.ORANGE, "timing": theme.GREEN}
_SCALE = {"prevalence": 100, "protected_in_time": 1, "complete_package_share": 100}  # shares are drawn in points
_THICK, _THIN = 5.0, 1.4
_LOW_END: dict[str, Any] = {"color": theme.BLUE, "marker": "o", "mfc": "white", "mew": 1.8, "ls": "", "ms": 7}
_HIGH_END: dict[str, Any] = {"color": theme.RED, "marker": "o", "ls": "", "ms": 7}
_IN_USE: dict[str, Any] = {"color": theme.INK, "lw": 1.2, "ls": (0, (4, 3))}


@theme.themed
def differences(gaps: Gaps, lang: Lang) -> Figure:
    """Above, each set of closed gaps with both intervals; below, Shapley shares from nothing to the total."""
    figure = theme.new_figure(11.0, 7.4)
    upper, lower = figure.subplots(2, len(MEASURES), sharey="row", height_ratios=(8, 5))
    for column, measure in enumerate(MEASURES):
        _draw_sets(upper[column], gaps, measure, lang)
        _draw_shares(lower[column], gaps, measure, lang)
        low, high = _common_limits(upper[column], lower[column])
        for axes in (upper[column], lower[column]):
            axes.set_xlim(low, high)
            axes.axvline(0, color=theme.GREY, lw=1)
            axes.grid(axis="y", visible=False)
        panel.value_axis(upper[column], lang, "", "x")
        panel.value_axis(lower[column], lang, word(f"gaps.short.{measure}", lang), "x")
    shown = {measure: words_of.signed(value, measure, lang) for measure, value in words_of.totals(gaps).items()}
    title = word(
        "gaps.figure.title", lang, district=district(gaps), year=gaps.manifest["year"],
        points=shown["prevalence"], children=shown["protected_in_time"],
    )  # fmt: skip
    note = word("gaps.figure.note", lang)
    return theme.dress(figure, gaps, lang, title, note, _key(gaps, lang), _interval(gaps))


def _interval(gaps: Gaps) -> str:
    return "interval.gaps.both" if len(gaps.manifest["seeds"]) > 1 or gaps.manifest["draws"] else "interval.gaps.none"


def _key(gaps: Gaps, lang: Lang) -> list[Artist]:
    seeds, draws = len(gaps.manifest["seeds"]), gaps.manifest["draws"]
    mean = word("gaps.figure.mean", lang)
    key: list[Artist] = [Line2D([], [], color=theme.INK, marker="o", ls="", ms=7, mec="white", label=mean)]
    if seeds > 1:
        label = word("gaps.figure.chance", lang, seeds=seeds)
        key.append(Line2D([], [], color=theme.SKY, lw=_THICK, label=label))
    if draws:
        label = word("gaps.figure.assumed", lang, draws=draws)
        key.append(Line2D([], [], color=theme.INK, lw=_THIN, label=label))
    return key


def _draw_sets(axes: Axes, gaps: Gaps, measure: str, lang: Lang) -> None:
    table = gaps.differences[(gaps.differences["measure"] == measure) & (gaps.differences["closed"] != "none")]
    for place, row in enumerate(table.itertuples()):
        _draw_interval(axes, place, row, 0.0, _SCALE[measure])
        axes.plot(row.difference * _SCALE[measure], place, "o", color=theme.INK, ms=7, mec="white", zorder=4)
    axes.set_yticks(range(len(table)), [words_of.set_name(str(closed), lang) for closed in table["closed"]])
    axes.set_ylim(len(table) - 0.4, -0.6)


def _draw_interval(axes: Axes, place: float, row: object, shift: float, scale: float) -> None:
    """Thick the interval of chance, thin that of assumptions; nothing where there is none."""
    for name, width, colour, order in (("chance", _THICK, theme.SKY, 2), ("assumed", _THIN, theme.INK, 3)):
        edges = np.array([getattr(row, f"{name}_low"), getattr(row, f"{name}_high")], float)
        if np.isfinite(edges).all():
            axes.hlines(place, *((edges + shift) * scale), color=colour, lw=width, zorder=order)


def _draw_shares(axes: Axes, gaps: Gaps, measure: str, lang: Lang) -> None:
    """Each gap's share begins where the one above ends; the last bar is the total."""
    table = gaps.shapley[gaps.shapley["measure"] == measure].set_index("part")
    reached, scale = 0.0, _SCALE[measure]
    names = PARTS[:-1]  # interaction is inside the shares
    for place, name in enumerate(names):
        row = table.loc[name]
        start = 0.0 if name == "total" else reached
        value = float(row["value"])
        axes.barh(place, value * scale, 0.62, left=start * scale, color=COLOURS.get(name, theme.GREY), zorder=2)
        end = start + value
        panel.value_label(axes, words_of.signed(value, measure, lang), (max(start, end) * scale, place), beside=True)
        if name != "total":
            axes.plot([end * scale] * 2, [place - 0.31, place + 1.31], color=theme.GREY, lw=0.8, zorder=1)
            reached = end
    axes.set_yticks(range(len(names)), [word(f"gaps.set.{name}", lang) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    low, high = axes.get_xlim()
    axes.set_xlim(low, high + 0.25 * (high - low))  # for the numbers beside the bars


def _common_limits(*panels: Axes) -> tuple[float, float]:
    """Limits that hold what any of the panels shows, and the zero."""
    edges = [edge for axes in panels for edge in axes.get_xlim()] + [0.0]
    return min(edges), max(edges)


@theme.themed
def tornado(gaps: Gaps, lang: Lang) -> Figure:
    """The difference that closing all three makes, with each rate at both ends of its range."""
    title_words = {"district": district(gaps), "year": gaps.manifest["year"]}
    if gaps.ranges.empty:
        figure = theme.new_figure(9.5, 3.0)
        panel.nothing(figure.subplots(), lang)
        return theme.dress(figure, gaps, lang, word("gaps.title", lang, **title_words))
    seen = words_of.sorted_rates(gaps)
    shown = {measure: seen[measure] for measure in ("prevalence", "protected_in_time")}
    figure = theme.new_figure(11.0, 2.4 + 0.38 * len(shown["prevalence"]))
    panels = figure.subplots(1, len(shown), sharey=True)
    for axes, (measure, table) in zip(panels, shown.items()):
        _draw_ends(axes, table, _SCALE[measure])
        panel.value_axis(axes, lang, word(f"gaps.short.{measure}", lang), "x")
        axes.grid(axis="y", visible=False)
    table = shown["prevalence"]
    names = (f"{meaning(str(rate), lang)} ({words_of.rate_range(row, lang)})" for rate, row in table.iterrows())
    labels = [theme.wrap(name, 4.2, most=2) for name in names]
    panels[0].set_yticks(range(len(table)), labels)
    panels[0].set_ylim(len(table) - 0.4, -0.6)
    ends = table[["at_low", "at_high"]].to_numpy(float)
    low, high = (words_of.signed(float(edge), "prevalence", lang) for edge in (ends.min(), ends.max()))
    title = word("gaps.figure.ranges_title", lang, low=low, high=high, **title_words)
    key: list[Artist] = [
        Line2D([], [], **_LOW_END, label=word("gaps.figure.low_end", lang)),
        Line2D([], [], **_HIGH_END, label=word("gaps.figure.high_end", lang)),
        Line2D([], [], **_IN_USE, label=word("gaps.figure.in_use", lang)),
    ]
    return theme.dress(figure, gaps, lang, title, word("gaps.figure.ranges_note", lang), key, "interval.gaps.ranges")


def _draw_ends(axes: Axes, table: pd.DataFrame, scale: float) -> None:
    places = np.arange(len(table))
    low, high = (table[name].to_numpy(float) * scale for name in ("at_low", "at_high"))
    axes.hlines(places, np.minimum(low, high), np.maximum(low, high), color=theme.PALE, lw=6, zorder=1)
    axes.plot(high, places, **_HIGH_END, zorder=3)
    axes.plot(low, places, **_LOW_END, zorder=4)
    axes.axvline(float(table["at_value"].iloc[0]) * scale, **_IN_USE, zorder=2)


FIGURES: dict[str, Callable[[Any, Lang], Figure]] = {"gaps": differences, "gaps_ranges": tornado}


def shown(gaps: Gaps) -> list[str]:
    """Names of the figures that there is something to draw for."""
    return list(FIGURES) if len(gaps.ranges) else ["gaps"]
