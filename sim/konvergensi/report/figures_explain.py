"""Picture of why prevalence changed: a waterfall from nothing to the published change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from konvergensi.base.words import Lang, month_name, word
from konvergensi.report import axes as panel
from konvergensi.report import explain_page as words_of
from konvergensi.report import theme
from konvergensi.report.origin import district

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from konvergensi.analyses.explain import Explanation

COLOURS = {
    "measurement": theme.PURPLE,
    "cohort_replacement": theme.GREY,
    "income": theme.SKY,
    "covid": theme.RED,
    "coordination": theme.BLUE,
    "history": theme.YELLOW,
}
_SERVICES, _TOTAL = theme.ORANGE, theme.INK
_HIGH = 0.62  # of a bar, in rows
_INTERVAL: dict[str, Any] = {"color": theme.INK, "lw": 1.4, "path_effects": [withStroke(linewidth=3.4, foreground="w")]}
_SINGLE: dict[str, Any] = {"color": theme.PALE, "lw": 9}
_REALLY: dict[str, Any] = {"color": theme.RED, "marker": "D", "ls": "", "ms": 8}


@theme.themed
def waterfall(found: Explanation, lang: Lang) -> Figure:
    """Each part from where the one above ends; the total; and, if known, what was really published."""
    parts = [row for row in words_of.shown_parts(found) if row.kind == "part"]
    total = "published" if "published" in set(found.parts["part"]) else "true"
    figure = theme.new_figure(10.0, 2.6 + 0.36 * (len(parts) + 2))
    axes = figure.subplots()
    reached, labels = 0.0, []
    for place, row in enumerate(parts):
        colour = COLOURS.get(row.part, _SERVICES)
        _bar(axes, place, reached, row, colour, lang)
        reached += row.value
        axes.plot([reached] * 2, [place - _HIGH / 2, place + 1 + _HIGH / 2], color=theme.GREY, lw=0.8, zorder=1)
        labels.append(words_of.part_name(found, row.part, lang))
    key: list[Artist] = []
    pairs, place = found.manifest["single_pairs"], len(parts)
    if pairs:
        axes.hlines(place, *pairs, **_SINGLE, zorder=1)
        key.append(Line2D([], [], **_SINGLE, label=word("explain.figure.single", lang)))
    _bar(axes, place, 0.0, found.of(total), _TOTAL, lang)
    labels.append(words_of.part_name(found, total, lang))
    if (real := really_changed(found)) is not None:
        axes.plot(real, place, **_REALLY, zorder=5)
        key.append(Line2D([], [], **_REALLY, label=word("explain.figure.really", lang)))
    if len(found.manifest["seeds"]) > 1:
        label = word(f"explain.figure.{words_of.chance(found)}", lang, seeds=len(found.manifest["seeds"]))
        key.insert(0, Line2D([], [], **_INTERVAL, label=label))
    axes.axvline(0, color=theme.GREY, lw=1)
    axes.set_yticks(range(len(labels)), [theme.wrap(label, 2.6) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    low, high = axes.get_xlim()
    axes.set_xlim(low, max(high, 0.0) + 0.12 * (high - low))  # for the numbers beside the bars
    panel.value_axis(axes, lang, word("explain.figure.axis", lang), "x")
    return theme.dress(
        figure,
        found,
        lang,
        _title(found, total, lang),
        _note(found, total, lang),
        key,
        f"explain.interval.{_interval(found)}",
    )


def really_changed(found: Explanation) -> float | None:
    """Points between the first and the last figure that was really published in these months; None without two."""
    real = found.surveys["published"].dropna()
    return float(real.iloc[-1] - real.iloc[0]) if len(real) > 1 else None


def _bar(axes: Axes, place: int, start: float, row: Any, colour: str, lang: Lang) -> None:
    axes.barh(place, row.value, _HIGH, left=start, color=colour, zorder=2)
    edges = [start, start + row.value]
    if np.isfinite(row.low):
        axes.plot([start + row.low, start + row.high], [place, place], **_INTERVAL, zorder=4)
        edges += [start + row.low, start + row.high]
    panel.value_label(axes, words_of.points(row.value, lang), (max(edges), place), beside=True)


def _title(found: Explanation, total: str, lang: Lang) -> str:
    named = {"total": total, "coordination": "coordination", "services": "services"}
    shown = {name: words_of.points(found.of(part)["value"], lang) for name, part in named.items()}
    of = words_of.part_name(found, total, lang)
    return word("explain.figure.title", lang, district=district(found), of=of, **shown)


def _note(found: Explanation, total: str, lang: Lang) -> str:
    span = {name: month_name(found.manifest[name], lang) for name in ("since", "until")}
    return word("explain.figure.note", lang, total=words_of.part_name(found, total, lang), **span)


def _interval(found: Explanation) -> str:
    return words_of.chance(found) if len(found.manifest["seeds"]) > 1 else "none"


FIGURES: dict[str, Callable[[Any, Lang], Figure]] = {"explain": waterfall}
