"""Pictures of what was published beside what the model shows: the routine register, one panel per kecamatan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from konvergensi.base.words import Lang, listed, number, word, word_or
from konvergensi.report import axes as panel
from konvergensi.report import comparison_figure as base
from konvergensi.report import readings as read
from konvergensi.report import readings_published as real
from konvergensi.report import theme
from konvergensi.report.origin import origin
from konvergensi.report.readings import RunTables

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

# what was really published looks the same in every figure
SURVEY: dict[str, Any] = {"marker": "*", "ls": "", "ms": 13, "mfc": "white", "mec": theme.INK, "mew": 1.3}
YEAR: dict[str, Any] = {"color": theme.INK, "lw": 2.6, "solid_capstyle": "butt"}
_MODEL: dict[str, Any] = {"color": theme.BLUE, "marker": "x", "ms": 5, "mew": 1.4, "lw": 1.2}
_MOST_LABELLED = 8  # panels that are wide enough for numbers


def mark_published(axes: Axes, table: pd.DataFrame) -> None:
    """Draw published figures: a star in the month of a survey, a bar over the year where no month was printed."""
    for when, percent in zip(table["fieldwork"].astype(str), table["percent"].astype(float), strict=True):
        if "-" in when:
            axes.plot(read.year_fraction(pd.Series([when])), [percent], **SURVEY, zorder=6)
        else:
            axes.plot([int(when), int(when) + 1], [percent] * 2, **YEAR, zorder=5)


def has_routine(run: RunTables) -> bool:
    """Whether a routine series by kecamatan was published of the run's district."""
    return len(real.published(run.manifest, "subdistrict", routine=True)) > 0


@theme.themed
def routine(run: RunTables, lang: Lang) -> Figure:
    """The routine register by kecamatan: the model's rounds, and what was published."""
    found = real.routine_by_kecamatan(run.surveys, run.manifest)
    panels = found["kecamatan"].nunique()
    figure = theme.new_figure(9.5, 3.0)
    across = min(panels, 2 if panels <= _MOST_LABELLED else 4)
    key = _draw(figure, found, run, run.surveys, across, lang)
    foot = origin(run, lang, "interval.register")
    height = 1.9 * max(-(-panels // max(across, 1)), 1) + 0.3
    return theme.frame(figure, _title(found, lang), foot, _note(found, lang), key, panels=height)


def compared_has_routine(comparison: Comparison) -> bool:
    """Whether a routine series by kecamatan was published of the district compared in."""
    return len(real.published(comparison.manifest, "subdistrict", routine=True)) > 0


@theme.themed
def compared_routine(comparison: Comparison, lang: Lang) -> Figure:
    """As `routine`, of the policy that the others are compared with."""
    surveys, found = comparison.details[base.first(comparison)].surveys, compared_routine_data(comparison)
    panels = found["kecamatan"].nunique()
    figure = base.new()
    across = 1 if panels <= _MOST_LABELLED else 2
    key = _draw(figure, found, comparison, surveys, across, lang)
    height = 1.35 * max(-(-panels // across), 1) + 0.3
    title, note = _title(found, lang), _note(found, lang)
    return base.finish(figure, comparison, lang, title, height, note, key, "interval.register_detail")


def compared_routine_data(comparison: Comparison) -> pd.DataFrame:
    """The data behind it: see `readings_published.routine_by_kecamatan`."""
    first = base.first(comparison)
    found = real.routine_by_kecamatan(comparison.details[first].surveys, comparison.manifest)
    return found.assign(policy=first, intervals=word("interval.register_detail", "en"))


def _title(found: pd.DataFrame, lang: Lang) -> str:
    apart = real.apart(found)
    if not apart.n:
        return word("routine.title_none", lang)
    return word("routine.title", lang, points=number(apart.points, lang, 1), n=apart.n)


def _note(found: pd.DataFrame, lang: Lang) -> str:
    return word("routine.note", lang, times=number(real.apart(found).ratio, lang, 2))


def _draw(figure: Figure, found: pd.DataFrame, of: Any, surveys: pd.DataFrame, across: int, lang: Lang) -> list[Artist]:
    """A panel for each kecamatan of which something was published; returns the key."""
    names = list(dict.fromkeys(found["kecamatan"]))
    if not names:
        panel.nothing(figure.subplots(), lang)
        return []
    rounds = real.rounds_by_kecamatan(surveys)
    down = -(-len(names) // across)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.ravel()):
        if place >= len(names):
            axes.set_axis_off()
            continue
        mine, told = (table[table[by] == names[place]] for table, by in ((rounds, "area"), (found, "kecamatan")))
        panel.time_axis(axes, lang, of, pd.concat([mine["fieldwork"], told["fieldwork"] + "-01"]))
        axes.plot(read.year_fraction(mine["fieldwork"]), mine["percent"], **_MODEL)
        mark_published(axes, told.rename(columns={"published": "percent"}))
        if len(names) <= _MOST_LABELLED:
            _number(axes, told, lang)
        axes.set_title(names[place], loc="left", fontweight="bold")
        if place // across < down - 1:
            axes.set_xlabel("")
        panel.value_axis(axes, lang, "")
    figure.supylabel(word("routine.axis", lang), fontsize=theme.TEXT)
    highest = float(np.nanmax([*rounds[rounds["area"].isin(names)]["percent"], *found["published"]]))
    grid[0, 0].set_ylim(0, 1.25 * highest)
    modelled = Line2D([], [], **_MODEL, label=word("routine.model", lang))
    grades = listed((word_or(f"report.grade.{each}", lang, each) for each in found["grade"].unique()), lang)
    return [modelled, Line2D([], [], **YEAR, label=word("routine.published", lang, grades=grades))]


def _number(axes: Axes, told: pd.DataFrame, lang: Lang) -> None:
    """The published percent at its mark, on the side away from the model."""
    for when, percent, modelled in zip(told["fieldwork"], told["published"], told["modelled"], strict=True):
        at = float(when) + 0.5 if "-" not in when else float(read.year_fraction(pd.Series([when]))[0])
        panel.value_label(axes, number(percent, lang, 1), (at, percent), below=modelled > percent > 3)
