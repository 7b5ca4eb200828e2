"""Pictures of a calibration: fit, answers of the agencies, parameters, known truths, ranks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from konvergensi.analyses.forecasts import year_of
from konvergensi.base.words import Lang, number, percent, word
from konvergensi.report import axes as panel
from konvergensi.report import theme
from konvergensi.report.origin import plain
from konvergensi.report.validation_page import origin
from konvergensi.results.validation import IDENTIFIED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from konvergensi.results.validation import Validation

BINS = 10
_SEEN: dict[str, Any] = {"color": theme.RED, "marker": "D", "ls": "", "ms": 6}
_OWN: dict[str, Any] = {"color": theme.RED, "lw": 1.6}
_BEFORE, _AFTER = theme.PALE, theme.SKY


def _district(found: Validation) -> str:
    return plain(found.manifest["district_name"])


def _bars(axes: Axes, at: float, row: pd.Series, across: bool = False) -> None:
    """One target: before fitting (wide, pale), after, and what was observed with its own interval."""
    line = axes.hlines if across else axes.vlines
    line(at, row["prior_low"], row["prior_high"], color=_BEFORE, lw=12, zorder=1)
    line(at, row["low"], row["high"], color=_AFTER, lw=7, zorder=2)
    line(at, row["own_low"], row["own_high"], **_OWN, zorder=3)
    spot = (row["observed"], at) if across else (at, row["observed"])
    axes.plot(*spot, **_SEEN, zorder=4)


def _bound(value: float, lang: Lang) -> str:
    """An end of a range, without noughts that say nothing."""
    text = number(value, lang, 3)
    return text.rstrip("0").rstrip(".,") if any(mark in text for mark in ".,") else text


def _key(lang: Lang) -> list[Any]:
    return [
        Line2D([], [], **_SEEN | {"ls": "-", "lw": 1.6}, label=word("validation.figure.published", lang)),
        Patch(color=_AFTER, label=word("validation.figure.after", lang)),
        Patch(color=_BEFORE, label=word("validation.figure.before", lang)),
    ]


@theme.themed
def fit(found: Validation, lang: Lang) -> Figure:
    """Surveys and the register by year: observed, predicted before and after fitting."""
    figure = theme.new_figure(10.0, 5.2)
    left, right = figure.subplots(1, 2)
    table = found.targets[found.targets["level"] == "district"]
    register = table[table["id"].str.startswith("eppgbm")]
    parts = ((left, table[table["error_model"] == "survey"], "surveys"), (right, register, "register"))
    for axes, rows, name in parts:
        for _, row in rows.iterrows():
            _bars(axes, year_of(row["when"]), row)
        years = sorted({int(year_of(when)) for when in rows["when"]})
        if years:
            ticks = list(range(years[0], years[-1] + 1))
            axes.set_xticks([year + 0.5 for year in ticks], [str(year) for year in ticks])
            axes.set_xlim(years[0] - 0.1, years[-1] + 1.1)
            axes.set_ylim(0, None)
        axes.grid(axis="x", visible=False)
        panel.value_axis(axes, lang, word(f"validation.figure.{name}", lang))
    title = word("validation.figure.fit_title", lang, district=_district(found))
    return theme.frame(figure, title, origin(found, lang), word("validation.figure.fit_note", lang), _key(lang))


@theme.themed
def answers(found: Validation, lang: Lang) -> Figure:
    """The agencies' counted answers: observed k of n, predicted before and after fitting."""
    table = found.targets[found.targets["error_model"] == "binomial"].reset_index(drop=True)
    figure = theme.new_figure(10.0, 2.0 + 0.27 * max(len(table), 4))
    axes = figure.subplots()
    names = {id: name.removeprefix("opd:") for id, name in found.manifest["observables"].items()}
    if table.empty:
        panel.nothing(axes, lang)
    for at, row in table.iterrows():
        _bars(axes, float(at), row, across=True)
    if len(table):
        labels = [theme.wrap(names[id].replace(":", ": ", 1), 4.2, most=1) for id in table["id"]]
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        panel.value_axis(axes, lang, word("validation.figure.answers_axis", lang), "x")
    inside = {"inside": int(table["inside"].sum()), "n": len(table)}
    title = word("validation.figure.answers_title", lang, district=_district(found), **inside)
    return theme.frame(figure, title, origin(found, lang), word("validation.figure.answers_note", lang), _key(lang))


@theme.themed
def parameters(found: Validation, lang: Lang) -> Figure:
    """Each free parameter over its prior range: where the fitted draws lie, and the value shipped."""
    table = found.parameters
    figure = theme.new_figure(10.0, 2.0 + 0.32 * len(table))
    axes = figure.subplots()
    shipped: dict[str, Any] = {"color": theme.INK, "marker": "|", "ls": "", "ms": 14, "mew": 2}
    for at, row in enumerate(table.to_dict("records")):
        span = row["prior_high"] - row["prior_low"]
        low, middle, high, own = (
            (row[name] - row["prior_low"]) / span for name in ("low", "middle", "high", "as_it_is")
        )
        axes.hlines(at, 0, 1, color=_BEFORE, lw=12, zorder=1)
        colour = theme.ORANGE if row["narrower"] > IDENTIFIED else theme.BLUE
        axes.hlines(at, low, high, color=colour, lw=7, zorder=2)
        axes.plot(middle, at, color="w", marker="o", ms=4, zorder=4)
        axes.plot(own, at, **shipped, zorder=3)
        for edge, name, side in ((0, "prior_low", "right"), (1, "prior_high", "left")):
            text = _bound(row[name], lang)
            shift = -0.012 if edge == 0 else 0.012
            axes.text(edge + shift, at, text, ha=side, va="center", fontsize=theme.SMALL, color=theme.GREY)
    axes.set_yticks(range(len(table)), table["key"].tolist())
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.set_xlim(-0.09, 1.09)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.set_xlabel(word("validation.figure.parameters_axis", lang))
    key = [
        Patch(color=theme.BLUE, label=word("validation.figure.told", lang)),
        Patch(color=theme.ORANGE, label=word("validation.figure.untold", lang)),
        Line2D([], [], **shipped, label=word("validation.figure.shipped", lang)),
    ]
    title = word("validation.figure.parameters_title", lang, district=_district(found), n=len(table))
    note = word("validation.figure.parameters_note", lang)
    return theme.frame(figure, title, origin(found, lang), note, key)


@theme.themed
def recovery(found: Validation, lang: Lang) -> Figure:
    """Known truths: a panel for each parameter, truth across, what was found up, with 90 % intervals."""
    table, keys = found.truths, found.parameters["key"].tolist()
    columns = 5
    rows = -(-len(keys) // columns)
    figure = theme.new_figure(11.0, 1.6 + 2.1 * rows)
    panels = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
    for axes, key in zip(panels, keys):
        own = table[table["key"] == key] if len(table) else table
        around = found.parameters.set_index("key").loc[key]
        low, high = float(around["prior_low"]), float(around["prior_high"])
        axes.plot([low, high], [low, high], color=theme.GREY, lw=0.8)
        for inside, colour in ((True, theme.BLUE), (False, theme.RED)):
            part = own[own["inside"] == inside] if len(own) else own
            if len(part):
                axes.vlines(part["truth"], part["low"], part["high"], color=colour, lw=1.2)
                axes.plot(part["truth"], part["middle"], color=colour, marker="o", ls="", ms=3)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        room, _, name = key.partition(".")
        axes.set_title(f"{room}.\n{name}", fontsize=theme.SMALL, loc="left")
        axes.set_xticks([low, high], [_bound(x, lang) for x in (low, high)])
        axes.set_yticks([])
    for axes in panels[len(keys) :]:
        axes.set_axis_off()
    share = percent(float(table["inside"].mean()) if len(table) else float("nan"), lang, 0)
    title = word("validation.figure.recovery_title", lang, district=_district(found), share=share)
    count = int(table["data_set"].nunique()) if len(table) else 0
    return theme.frame(figure, title, origin(found, lang), word("validation.figure.recovery_note", lang, n=count))


@theme.themed
def ranks(found: Validation, lang: Lang) -> Figure:
    """Ranks of the truths in their posteriors, all parameters together, against what even ranks would give."""
    from scipy.stats import binom

    figure = theme.new_figure(7.5, 4.6)
    axes = figure.subplots()
    table = found.truths
    if table.empty:
        panel.nothing(axes, lang)
    else:
        count, edges = np.histogram(table["rank"], BINS, (0.0, 1.0))
        low, high = binom.ppf((0.05, 0.95), len(table), 1 / BINS)
        axes.axhspan(low, high, color=theme.PALE, zorder=0)
        axes.axhline(len(table) / BINS, color=theme.GREY, lw=1)
        axes.bar(edges[:-1], count, 0.9 / BINS, align="edge", color=theme.BLUE)
        axes.grid(axis="x", visible=False)
        panel.value_axis(axes, lang, word("validation.figure.count_axis", lang))
        axes.set_xlabel(word("validation.figure.ranks_axis", lang))
    title = word("validation.figure.ranks_title", lang, district=_district(found))
    key = [Patch(color=theme.PALE, label=word("validation.figure.even", lang))]
    return theme.frame(figure, title, origin(found, lang), word("validation.figure.ranks_note", lang), key)


FIGURES: dict[str, Callable[[Any, Lang], Figure]] = {
    "fit": fit,
    "answers": answers,
    "parameters": parameters,
    "recovery": recovery,
    "ranks": ranks,
}


def shown(found: Validation) -> list[str]:
    """Names of the figures that there is something to draw for."""
    without = set()
    if not (found.targets["error_model"] == "binomial").any():
        without.add("answers")
    if found.truths.empty:
        without |= {"recovery", "ranks"}
    return [name for name in FIGURES if name not in without]
