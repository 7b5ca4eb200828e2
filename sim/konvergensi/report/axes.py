"""Axes as the reader's language writes them, and the few marks that every panel shares."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from konvergensi.base.words import Lang, month_name, number, word, word_or
from konvergensi.report.readings import RunTables, span, year_fraction
from konvergensi.report.theme import GREY, PALE, SMALL


def nothing(axes: Axes, lang: Lang, key: str = "no_data") -> None:
    """Say in the panel itself that there is nothing to draw."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, word(key, lang), ha="center", va="center", color=GREY, transform=axes.transAxes)


def value_axis(axes: Axes, lang: Lang, label: str, which: str = "y") -> None:
    """Label an axis with its unit and write its numbers as the language does."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], min_n_ticks=3))

    def as_written(value: float, _position: int | None) -> str:
        ticks = axis.get_majorticklocs()
        step = abs(ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
        return number(value, lang, max(0, math.ceil(-math.log10(step) - 1e-9)))

    axis.set_major_formatter(FuncFormatter(as_written))
    axis.set_label_text(label)


def time_axis(axes: Axes, lang: Lang, run: RunTables, shown: pd.Series, most: int = 12) -> None:
    """An axis in years for runs of over two years, in months for shorter ones.

    ``shown`` are the months ('YYYY-MM') to cover when the manifest does not say; ``most``, the years there is room for.
    """
    first = str(run.manifest.get("start") or shown.min())
    last = str(run.manifest.get("end") or shown.max())
    start = int(first[:4]) * 12 + int(first[5:7]) - 1
    stop = int(last[:4]) * 12 + int(last[5:7])
    axes.set_xlim(start / 12 - 0.02, stop / 12 + 0.02)
    if stop - start > 24:
        years = range(-(-start // 12), stop // 12 + 1)
        step = -(-len(years) // most)
        shown_years = list(years)[::step]
        axes.set_xticks([float(year) for year in shown_years], [str(year) for year in shown_years])
        axes.set_xlabel(word("axis.year", lang))
    else:
        step = -(-(stop - start) // max(most // 2, 1))
        months = range(start, stop, step)
        labels = [month_name(f"{m // 12}-{m % 12 + 1:02d}", lang) for m in months]
        axes.set_xticks([(m + 0.5) / 12 for m in months], labels)
        axes.set_xlabel(word("axis.month", lang))


def shock_bands(axes: Axes, run: RunTables, lang: Lang) -> list[Artist]:
    """Shade the months of each shock that the axes show; returns what the key says of them. Set the time axis first."""
    handles: list[Artist] = []
    left, right = axes.get_xlim()
    for shock in run.manifest.get("shocks") or []:
        first, last = str(shock["from"]), str(shock["to"])
        middle = year_fraction(pd.Series([first, last]))
        start, stop = max(middle[0] - 0.5 / 12, left), min(middle[1] + 0.5 / 12, right)
        if start < stop:
            axes.axvspan(start, stop, color=PALE, alpha=0.7, lw=0, zorder=0)
            name = "covid" if "covid" in str(shock["name"]).lower() else str(shock["name"])
            label = f"{word_or(f'shock.{name}', lang, name)} ({span(first, last, lang)})"
            handles.append(Patch(color=PALE, label=label))
    return handles


def line(axes: Axes, table: pd.DataFrame, column: str, label: str, **style: Any) -> Line2D:
    """Shares of a monthly table as a line in percent; a single month becomes a point."""
    marker = "o" if len(table) == 1 else ""
    shares = table[column].to_numpy(float) * 100
    drawn = axes.plot(year_fraction(table["month"]), shares, lw=2.2, marker=marker, label=label, **style)
    return drawn[0]


def value_label(axes: Axes, text: str, at: tuple[float, float], beside: bool = False, below: bool = False) -> None:
    """A small number just above a point, beside it, or below it."""
    offset, place = ((3, 0), {"va": "center"}) if beside else ((0, 2), {"ha": "center"})
    if below:
        offset, place = (0, -3), {"ha": "center", "va": "top"}
    label = axes.annotate(text, at, offset, textcoords="offset points", fontsize=SMALL, **place)
    label.set_path_effects([withStroke(linewidth=2, foreground="white")])  # readable across lines
