"""Pictures of places and agencies under the first and the leading policy: maps, the coordination network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from konvergensi.base.words import Lang, word
from konvergensi.report import axes as panel
from konvergensi.report import comparison_figure as base
from konvergensi.report import figures_coordination as network_parts
from konvergensi.report import readings as read
from konvergensi.report import readings_comparison as compared
from konvergensi.report import readings_coordination as agencies
from konvergensi.report import theme
from konvergensi.report.origin import synthetic_places

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

_DIVERGING = "RdBu_r"  # red: more stunting than before; told apart by colour-blind readers


@theme.themed
def map_before(comparison: Comparison, lang: Lang) -> Figure:
    """Villages under the first policy."""
    return _map(comparison, lang, base.first(comparison))


@theme.themed
def map_after(comparison: Comparison, lang: Lang) -> Figure:
    """Villages under the leading policy, on the same scale."""
    return _map(comparison, lang, compared.leading(comparison))


@theme.themed
def map_change(comparison: Comparison, lang: Lang) -> Figure:
    """Villages: leading policy less first."""
    return _map(comparison, lang, compared.leading(comparison), change=True)


def _map(comparison: Comparison, lang: Lang, scenario: str, change: bool = False) -> Figure:
    figure = base.new()
    axes = figure.subplots()
    policy, first = compared.policies(comparison)[scenario], compared.policies(comparison)[base.first(comparison)]
    placed = comparison.villages.dropna(subset=["x", "y", "prevalence"])
    rows = placed[placed["policy"] == scenario]
    kind = "change" if change else "level"
    words = {"policy": policy.name(lang), "first": first.letter, "year": base.last_year(comparison)}
    title, note = (word(f"compare.map.{part}.{kind}", lang, **words) for part in ("title", "note"))
    warning = word("map.synthetic", lang) if synthetic_places(comparison) else ""
    if rows.empty:
        panel.nothing(axes, lang)
        return base.finish(figure, comparison, lang, title, 1.2, note, bottom=warning)
    values = rows["difference" if change else "prevalence"].to_numpy(float)
    if change:
        reach = max(float(np.percentile(np.abs(values), 98)), 0.05)
        scale, colours = Normalize(-reach, reach), _DIVERGING
    else:
        both = placed[placed["policy"].isin([first.id, compared.leading(comparison)])]["prevalence"]
        low, high = np.percentile(both, [2, 98])
        room = max(0.0, 0.5 - (high - low) / 2)
        scale, colours = Normalize(low - room, high + room), theme.SCALE
    lokus = rows["lokus"].to_numpy().astype(bool)
    axes.scatter(
        rows["x"],
        rows["y"],
        s=30 if len(rows) > 100 else 70,
        c=values,
        cmap=colours,
        norm=scale,
        edgecolors=[theme.INK if chosen else "white" for chosen in lokus],
        linewidths=np.where(lokus, 1.1, 0.4),
    )
    axes.set_aspect("equal", adjustable="datalim")
    panel.value_axis(axes, lang, word("axis.north", lang))
    panel.value_axis(axes, lang, word("axis.east", lang), which="x")
    bar = figure.colorbar(ScalarMappable(scale, colours), ax=axes, shrink=0.85, extend="both")
    panel.value_axis(bar.ax, lang, word("compare.axis.difference" if change else "axis.prevalence", lang))
    key: list[Artist] = [
        Line2D([], [], ls="", marker="o", ms=7, mfc=theme.PALE, mec=edge, mew=width, label=word(f"map.{name}", lang))
        for name, edge, width in (("lokus", theme.INK, 1.4), ("other", theme.PALE, 0.4))
    ]
    return base.finish(figure, comparison, lang, title, 3.6, note, key, "interval.mean", warning)


@theme.themed
def network_before(comparison: Comparison, lang: Lang) -> Figure:
    """Ties between agencies under the first policy."""
    return _network(comparison, lang, base.first(comparison))


@theme.themed
def network_after(comparison: Comparison, lang: Lang) -> Figure:
    """Ties between agencies under the leading policy."""
    return _network(comparison, lang, compared.leading(comparison))


def _network(comparison: Comparison, lang: Lang, scenario: str) -> Figure:
    run, policy = comparison.details[scenario], compared.policies(comparison)[scenario]
    figure = base.new()
    axes = figure.subplots()
    months, centre = agencies.moments(run), agencies.coordinator(run)
    note = word("compare.network.note", lang)
    if not months or centre is None:
        panel.nothing(axes, lang)
        return base.finish(figure, comparison, lang, word("network.title_empty", lang), 1.2, note)
    last = agencies.agencies_at(run, months[-1])
    members = list(last.index[last["in_decree"].astype(bool)])
    at = network_parts.places(list(last.index), centre, members)
    network_parts.draw_network(axes, run, months[-1], at, lang)
    title = word("compare.network.title", lang, policy=policy.name(lang))
    return base.finish(figure, comparison, lang, title, 4.3, note, network_parts.key(lang), "interval.detail")


# ---- the data behind each ----


def villages_before(comparison: Comparison) -> pd.DataFrame:
    """Villages under the first scenario."""
    return comparison.villages[comparison.villages["policy"] == base.first(comparison)]


def villages_after(comparison: Comparison) -> pd.DataFrame:
    """Villages under the leading scenario, and their difference."""
    return comparison.villages[comparison.villages["policy"] == compared.leading(comparison)]


def ties_before(comparison: Comparison) -> pd.DataFrame:
    """Ties between agencies under the first scenario."""
    return _ties(comparison, base.first(comparison))


def ties_after(comparison: Comparison) -> pd.DataFrame:
    """Ties between agencies under the leading scenario."""
    return _ties(comparison, compared.leading(comparison))


def _ties(comparison: Comparison, scenario: str) -> pd.DataFrame:
    run = comparison.details[scenario]
    months = agencies.moments(run)
    table = agencies.ties_at(run, months[-1]) if months else read.rows(None, "layer", "source", "target", "weight")
    return table.assign(policy=scenario)
