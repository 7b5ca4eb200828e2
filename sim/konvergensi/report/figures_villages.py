"""Pictures of places and households: the map of villages, services per household."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from konvergensi.base.words import Lang, month_name, number, percent, word
from konvergensi.report import axes as panel
from konvergensi.report import readings as read
from konvergensi.report import theme
from konvergensi.report.origin import synthetic_places
from konvergensi.report.readings import RunTables

_LARGEST_AREA = 260.0  # square points of the largest village's circle on a map of few villages
_SMALLEST_AREA = 8.0


@theme.themed
def village_map(run: RunTables, lang: Lang) -> Figure:
    """Villages where they lie: colour true prevalence, ring lokus, area under-fives; last full year."""
    figure = theme.new_figure(8.5, 8.0)
    axes = figure.subplots()
    table = read.rows(run.villages, "year", "lokus", "n_children", "prevalence", "x", "y")
    table = table.dropna(subset=["x", "y", "prevalence"])
    table = table[table["n_children"] > 0]
    warning = word("map.synthetic", lang) if synthetic_places(run) else ""
    year = read.last_full_year(run, table)
    if year is None:
        panel.nothing(axes, lang)
        return theme.dress(figure, run, lang, word("map.title_empty", lang), bottom=warning)
    seen = table[table["year"] == year].sort_values("n_children", ascending=False)  # small ones on top
    largest = float(seen["n_children"].max())
    area = _LARGEST_AREA / largest * min(1.0, 0.35 + 60 / len(seen))
    percents = seen["prevalence"].to_numpy(float) * 100
    low, high = np.percentile(percents, [2, 98])
    room = max(0.0, 0.5 - (high - low) / 2)  # a scale of at least one point, also for one village
    scale = Normalize(low - room, high + room)
    lokus = seen["lokus"].to_numpy().astype(bool)
    axes.scatter(
        seen["x"],
        seen["y"],
        s=np.maximum(seen["n_children"].to_numpy(float) * area, _SMALLEST_AREA),
        c=percents,
        cmap=theme.SCALE,
        norm=scale,
        edgecolors=[theme.RED if chosen else "white" for chosen in lokus],
        linewidths=np.where(lokus, 1.6, 0.5),
    )
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.08)
    panel.value_axis(axes, lang, word("axis.north", lang))
    panel.value_axis(axes, lang, word("axis.east", lang), which="x")
    bar = figure.colorbar(ScalarMappable(scale, theme.SCALE), ax=axes, shrink=0.75, extend="both")
    panel.value_axis(bar.ax, lang, word("axis.prevalence", lang))
    key: list[Artist] = [
        _circle(word("map.lokus", lang), 9, theme.RED, 1.8),
        _circle(word("map.other", lang), 9, "white", 0.5),
    ]
    for size in _round_sizes(largest):
        label = word("map.size", lang, n=number(size, lang))
        key.append(_circle(label, (size * area) ** 0.5, "white", 0.5))
    name = read.year_name(run, year, lang)
    title = word("map.title_few", lang, year=name)
    if len(seen) >= 4:
        quarter, three = (percent(q / 100, lang, 0) for q in np.percentile(percents, [25, 75]))
        title = word("map.title", lang, year=name, low=quarter, high=three)
    return theme.dress(figure, run, lang, title, word("map.note", lang), key, bottom=warning)


def _circle(label: str, diameter: float, edge: str, width: float) -> Line2D:
    face = matplotlib.colormaps[theme.SCALE](0.45)
    size = max(diameter, _SMALLEST_AREA**0.5)
    return Line2D([], [], ls="", marker="o", ms=size, mfc=face, mec=edge, mew=width, label=label)


def _round_sizes(largest: float) -> list[float]:
    """Round village sizes for the key: about the largest and a quarter of it."""
    step = 10.0 ** np.floor(np.log10(largest))
    top = float(np.floor(largest / step) * step)
    return [round(top / 4), top] if top >= 8 else [top]


@theme.themed
def services_per_household(run: RunTables, lang: Lang) -> Figure:
    """How many package services one 1,000-HPK household got at the end; complete packages over time."""
    figure = theme.new_figure(9.5, 5.8)
    left, right = figure.subplots(1, 2)
    _draw_distribution(left, run, lang)
    complete = read.indicator(run, "complete_package_share")
    if complete.empty:
        panel.nothing(right, lang)
    else:
        right.set_title(word("services.over_time", lang), loc="left")
        panel.line(right, complete, "value", "", color=theme.ORANGE)
        panel.time_axis(right, lang, run, complete["month"])
        panel.value_axis(right, lang, word("axis.households", lang))
        right.set_ylim(0, max(float(complete["value"].max()) * 115, 1.0))
    package = ", ".join(read.service_name(run, service, lang) for service in run.package)
    note = word("services.note", lang)
    if package:
        note += " " + word("services.package", lang, package=package)
    if complete.empty:
        return theme.dress(figure, run, lang, word("services.title_empty", lang), note)
    share = percent(float(complete["value"].iloc[-1]), lang)
    mean = number(read.last_indicator(run, "services_mean"), lang, 1)
    title, bottom = word("services.title", lang, share=share, mean=mean), word("services.bottom", lang)
    return theme.dress(figure, run, lang, title, note, bottom=bottom)


def _draw_distribution(axes: Axes, run: RunTables, lang: Lang) -> None:
    month, shares = read.services_distribution(run)
    if shares.empty:
        panel.nothing(axes, lang)
        return
    for count, share in shares.items():
        axes.bar(count, share * 100, 0.8, color=theme.BLUE)
        panel.value_label(axes, percent(share, lang, 0), (count, share * 100))
    axes.set_title(word("services.distribution", lang, month=month_name(month, lang)), loc="left")
    axes.set_xticks([int(count) for count in shares.index])
    axes.grid(axis="x", visible=False)
    axes.margins(y=0.12)
    axes.set_xlabel(word("axis.services", lang))
    panel.value_axis(axes, lang, word("axis.households", lang))
