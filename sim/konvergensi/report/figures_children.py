"""Pictures of the children: prevalence over time, by age, by wealth and place."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from konvergensi.base.words import ABSENT, Lang, month_name, number, percent, word
from konvergensi.report import axes as panel
from konvergensi.report import figures_published as real
from konvergensi.report import readings as read
from konvergensi.report import readings_published, theme
from konvergensi.report.readings import RunTables

_WIDTH = 9.5  # inches
_MARKERS = (
    ("o", theme.RED),
    ("s", theme.GREEN),
    ("D", theme.PURPLE),
    ("^", theme.ORANGE),
    ("v", theme.SKY),
)


@theme.themed
def prevalence(run: RunTables, lang: Lang) -> Figure:
    """True prevalence, surveys with their intervals, e-PPGBM, what was really published, shocks, national target."""
    figure = theme.new_figure(_WIDTH, 6.2)
    axes = figure.subplots()
    truth = read.group(run, "all")
    surveys = read.surveys_of_district(run, routine=False)
    routine = read.surveys_of_district(run, routine=True)
    months = pd.concat([truth["month"], surveys["fieldwork"], routine["fieldwork"]])
    if months.empty:
        panel.nothing(axes, lang)
        return theme.dress(figure, run, lang, word("prevalence.title_empty", lang))
    panel.time_axis(axes, lang, run, months)
    panel.value_axis(axes, lang, word("axis.prevalence", lang))
    target = read.TARGET_SHARE * 100
    key: list[Artist] = []
    fitted = _draw_level(axes, run, key, lang)
    if len(truth):
        label = word("prevalence.truth", lang)
        key.append(panel.line(axes, truth, "prevalence", label, color=theme.BLUE))
    key += _draw_surveys(axes, surveys, lang)
    if len(routine):
        label = word("prevalence.eppgbm", lang)
        at = read.year_fraction(routine["fieldwork"])
        key += axes.plot(at, routine["percent"], "x", ms=5, mew=1.4, color=theme.INK, label=label)
    published = _draw_published(axes, run, key, lang)
    _name_surveys(axes, surveys, lang)
    label = word("prevalence.target", lang)
    key.append(axes.axhline(target, color=theme.GREY, ls=(0, (5, 3)), label=label))
    key += panel.shock_bands(axes, run, lang)
    heights = [truth["prevalence"] * 100, surveys["percent"], surveys["high"], routine["percent"], published, fitted]
    axes.set_ylim(0, 1.14 * float(np.nanmax([target, *pd.concat(heights)])))
    title = _prevalence_title(truth, surveys, lang)
    interval = "interval.survey" if len(surveys) else "interval.none"
    return theme.dress(figure, run, lang, title, word("prevalence.note", lang), key, interval)


def _draw_level(axes: Axes, run: RunTables, key: list[Artist], lang: Lang) -> pd.Series:
    """The level fitted over the country with its 90 % interval, as a band under the rest; returns its upper ends."""
    level = run.manifest.get("level") or {}
    if level.get("from") != "country":
        return pd.Series(dtype=float)
    at = read.year_fraction(pd.Series([f"{year}-07" for year in level["percent"]]))
    _, low, high = np.array(list(level["percent"].values()), float).T
    label = word("prevalence.level", lang)
    key.append(axes.fill_between(at, low, high, color=theme.SKY, alpha=0.25, lw=0, zorder=0, label=label))
    return pd.Series(high)


def _draw_published(axes: Axes, run: RunTables, key: list[Artist], lang: Lang) -> pd.Series:
    """Mark what was really published of the district and add it to the key; returns the percents."""
    percents = []
    for routine, name, style in ((False, "published", real.SURVEY), (True, "published_routine", real.YEAR)):
        table = readings_published.published(run.manifest, "district", routine)
        real.mark_published(axes, table)
        percents.append(table["percent"].astype(float))
        if len(table):
            key.append(Line2D([], [], **style, label=word(f"prevalence.{name}", lang)))
    return pd.concat(percents)


def _prevalence_title(truth: pd.DataFrame, surveys: pd.DataFrame, lang: Lang) -> str:
    if truth.empty:
        return word("prevalence.title_empty", lang)
    first, last = (percent(float(truth["prevalence"].iloc[row]), lang) for row in (0, -1))
    if len(truth) == 1:
        month = month_name(truth["month"].iloc[0], lang)
        title = word("prevalence.title_one_month", lang, last=last, month=month)
    else:
        title = word("prevalence.title", lang, first=first, last=last)
    if surveys.empty:
        return title
    survey = surveys.iloc[-1]
    figures = {name: percent(survey[name] / 100, lang) for name in ("percent", "low", "high")}
    year = str(survey["fieldwork"])[:4]
    return word("prevalence.title_survey", lang, title=title, system=survey["system"], year=year, **figures)


def _draw_surveys(axes: Axes, surveys: pd.DataFrame, lang: Lang) -> list[Artist]:
    """Points with their 95 % bars, one marker per system; each is named where there is room."""
    handles: list[Artist] = []
    systems = list(surveys["system"].unique())
    for system, (marker, colour) in zip(systems, _MARKERS * (len(systems) // len(_MARKERS) + 1)):
        mine = surveys[surveys["system"] == system]
        value = mine["percent"].to_numpy(float)
        bars = np.array([value - mine["low"], mine["high"] - value], dtype=float)
        axes.errorbar(
            read.year_fraction(mine["fieldwork"]),
            value,
            yerr=np.maximum(np.nan_to_num(bars), 0),
            fmt=marker,
            color=colour,
            ms=7,
            mec="white",
            capsize=4,
            lw=1.8,
            zorder=4,
        )
        label = word("prevalence.survey", lang, system=system)
        handles.append(Line2D([], [], color=colour, marker=marker, ms=7, label=label))
    return handles


def _name_surveys(axes: Axes, surveys: pd.DataFrame, lang: Lang) -> None:
    """Write system and value above each bar and the stars near it, left to right, skipping those without room."""
    stars = [line for line in axes.get_lines() if line.get_marker() == real.SURVEY["marker"]]
    marked = np.vstack([np.empty((0, 2)), *(np.asarray(line.get_xydata()) for line in stars)])
    marked[:, 1] += 0.03 * axes.get_ylim()[1]  # the upper half of a star
    left, right = axes.get_xlim()
    years_per_inch = (right - left) / (0.88 * _WIDTH)
    free_from = left
    for at, (_, survey) in zip(read.year_fraction(surveys["fieldwork"]), surveys.iterrows(), strict=True):
        value = percent(survey["percent"] / 100, lang)
        label = word("prevalence.survey_label", lang, system=survey["system"], percent=value)
        width = years_per_inch * theme.text_width(max(label.split("\n"), key=len), theme.SMALL)
        start = min(max(at - width / 2, left), right - width)  # centred, but inside the axes
        if start >= free_from:
            under = np.abs(marked[:, 0] - start - width / 2) < width / 2
            top = np.nanmax([survey["percent"], survey["high"], *marked[under, 1]])
            panel.value_label(axes, label, (start + width / 2, top))
            free_from = start + width * 1.15


@theme.themed
def age_profile(run: RunTables, lang: Lang) -> Figure:
    """True prevalence by age band beside the national profile of SSGI 2022; 2022 if the run covers it."""
    figure = theme.new_figure(8.5, 5.6)
    axes = figure.subplots()
    table = read.rows(run.series, "month", "group", "n_children", "prevalence")
    seen = table[table["group"].isin(read.AGE_BANDS) & table["prevalence"].notna()]
    years = seen["month"].astype(str).str[:4].astype(int).to_frame("year")
    note = word("age.note", lang)
    year = 2022 if (years["year"] == 2022).any() else read.last_full_year(run, years)
    if year is None:
        panel.nothing(axes, lang)
        return theme.dress(figure, run, lang, word("age.title_empty", lang), note)
    shares = {band: read.year_prevalence(run, band, year) for band in read.AGE_BANDS}
    model = {band: share * 100 for band, share in shares.items() if np.isfinite(share)}
    name = read.year_name(run, year, lang)
    bars = (
        (model, -0.2, theme.BLUE, word("age.model", lang, year=name)),
        (read.SSGI_2022_NATIONAL, 0.2, theme.ORANGE, word("age.national", lang)),
    )
    key: list[Artist] = []
    for values, shift, colour, label in bars:
        for place, band in enumerate(read.AGE_BANDS):
            if band in values:
                axes.bar(place + shift, values[band], 0.38, color=colour)
                panel.value_label(axes, number(values[band], lang, 1), (place + shift, values[band]))
        key.append(Patch(color=colour, label=label))
    axes.set_xticks(range(len(read.AGE_BANDS)), [_band(band) for band in read.AGE_BANDS])
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(word("axis.age", lang))
    axes.margins(y=0.12)
    panel.value_axis(axes, lang, word("axis.prevalence_age", lang))
    top = max(model, key=lambda band: model[band])
    highest = percent(shares[top], lang)
    title = word("age.title", lang, year=name, band=_band(top), percent=highest)
    return theme.dress(figure, run, lang, title, note, key)


def _band(group: str) -> str:
    return group.removeprefix("age_").replace("_", "–")


@theme.themed
def equity(run: RunTables, lang: Lang) -> Figure:
    """True prevalence over time: lokus against other villages, and by fifths of wealth."""
    figure = theme.new_figure(9.5, 5.8)
    left, right = figure.subplots(1, 2, sharey=True)
    shades = matplotlib.colormaps[theme.SCALE](np.linspace(0, 0.92, len(read.WEALTH)))
    places = {"lokus": {"color": theme.RED}, "non_lokus": {"color": theme.BLUE, "ls": (0, (4, 2))}}
    fifths = {name: {"color": shade} for name, shade in zip(read.WEALTH, shades)}
    key: list[Artist] = []
    for axes, styles, heading in ((left, places, "places"), (right, fifths, "wealth")):
        axes.set_title(word(f"equity.{heading}", lang), loc="left", fontweight="bold")
        tables = {name: read.group(run, name) for name in styles}
        tables = {name: table for name, table in tables.items() if len(table)}
        for name, table in tables.items():
            label = word(f"group.{name}", lang)
            key.append(panel.line(axes, table, "prevalence", label, **styles[name]))
            panel.time_axis(axes, lang, run, table["month"])
        if tables:
            panel.value_axis(axes, lang, word("axis.prevalence", lang))
        else:
            panel.nothing(axes, lang)
    if key:  # one scale for both panels, from zero
        highest = max(float(np.max(line.get_ydata())) for line in left.lines + right.lines)
        left.set_ylim(0, max(highest * 1.08, 1.0))
    note = word("equity.note", lang)
    first, last = (number(gap * 100, lang, 1) for gap in read.gap(run, "wealth_1", "wealth_5"))
    if first == ABSENT:
        return theme.dress(figure, run, lang, word("equity.title_empty", lang), note, key)
    title = word("equity.title", lang, first=first, last=last)
    return theme.dress(figure, run, lang, title, note, key)
