"""Pictures of how agencies act together: the network, what each agency takes over, the integration index."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch
from matplotlib.patheffects import withStroke

from konvergensi.base.words import Lang, month_name, number, word, word_or
from konvergensi.report import axes as panel
from konvergensi.report import readings_coordination as read
from konvergensi.report import theme
from konvergensi.report.readings import RunTables, year_fraction

# layer: colour, dashes, bend, width without and with a full tie; several ties of a pair lie side by side
_TIES = {
    "formal": (theme.BLUE, "solid", 0.0, 0.6, 4.4),
    "informal": (theme.RED, (0.0, (0.1, 1.9)), 0.16, 0.9, 1.6),
    "data": (theme.GREEN, (0.0, (4.0, 1.6)), -0.16, 0.7, 1.0),
}
_NODE = 400.0  # area of a full disc, points squared
_INNER, _INNER_CROWDED, _OUTER = 0.64, 0.84, 1.1  # radius of the ring of members, and of those left out
_ROOMY = 14  # so many agencies around the coordinator stand comfortably at even angles
_PALE_EDGE = "#B5B5B5"  # of an agency outside the decree
_STATE_STYLES = {
    "understanding": {"color": theme.SKY, "lw": 1.5},
    "institutional_understanding": {"color": theme.SKY, "lw": 1.5, "ls": (0, (1.2, 1.2))},
    "adaptation": {"color": theme.BLUE, "lw": 2.2},
    "goal_adoption": {"color": theme.RED, "lw": 2.2},
}
_DIMENSION_STYLES = (
    {"color": theme.BLUE, "ls": "-"},
    {"color": theme.GREEN, "ls": (0, (5, 1.5))},
    {"color": theme.RED, "ls": (0, (2.5, 1.2))},
    {"color": theme.PURPLE, "ls": (0, (6, 1.5, 1.5, 1.5))},
)


def _empty(run: RunTables, lang: Lang, name: str) -> Figure:
    figure = theme.new_figure(9.5, 4)
    panel.nothing(figure.subplots(), lang)
    return theme.dress(figure, run, lang, word(f"{name}.title_empty", lang), word(f"{name}.note", lang))


# ---- the network -----------------------------------------------------------------------------------------------------


@theme.themed
def network(run: RunTables, lang: Lang) -> Figure:
    """Ties between agencies in the first month and in the last December, agencies at the same places in both."""
    months = read.moments(run)
    centre = read.coordinator(run)
    if not months or centre is None:
        return _empty(run, lang, "network")
    last = read.agencies_at(run, months[-1])
    inside = last.index[last["in_decree"].astype(bool)]
    at = places(list(last.index), centre, list(inside))
    figure = theme.new_figure(11.0 if len(months) > 1 else 7.5, 7.2)
    for axes, month in zip(figure.subplots(1, len(months), squeeze=False)[0], months, strict=True):
        draw_network(axes, run, month, at, lang)
    title = word("network.title_one", lang, **_numbers(run, months[-1], lang))
    if len(months) > 1:
        then = _numbers(run, months[0], lang)
        shown = {"first": then["month"], "before": then["density"], "opd_before": then["opd"]}
        title = word("network.title", lang, **shown, **_numbers(run, months[-1], lang))
    return theme.dress(figure, run, lang, title, word("network.note", lang), key(lang))


def key(lang: Lang) -> list[Artist]:
    """What lines and discs mean."""
    handles = [_tie_key(layer, lang) for layer in _TIES]
    node = {"ls": "", "marker": "o", "ms": 11, "mfc": "white"}
    handles.append(Line2D([], [], ls="", marker="o", ms=11, color=theme.INK, label=word("network.adopted", lang)))
    handles.append(Line2D([], [], mec=theme.INK, mew=1.4, label=word("network.member", lang), **node))
    handles.append(Line2D([], [], mec=_PALE_EDGE, mew=1.4, label=word("network.outside", lang), **node))
    return handles


def places(agencies: list[str], centre: str, members: list[str]) -> dict[str, tuple[float, float]]:
    """Where each agency stands: the coordinator in the middle, members around it, the others on an outer ring.

    Clockwise from the top. Without members, or with nobody else, all stand on one ring.
    """
    ring = [agency for agency in agencies if agency in members and agency != centre]
    out = [agency for agency in agencies if agency not in members and agency != centre]
    at = {centre: (0.0, 0.0)}
    crowded = len(ring + out) > _ROOMY
    inner = _INNER_CROWDED if crowded else _INNER
    if not (ring and out):
        inner, ring, out = _INNER_CROWDED, ring + out, []
    if crowded:
        return at | _by_height(ring, inner, inner) | _by_height(out, _OUTER, inner, len(ring))
    return at | _by_angle(ring, inner) | _by_angle(out, _OUTER)


def _by_angle(agencies: list[str], radius: float) -> dict[str, tuple[float, float]]:
    """Evenly around a ring."""
    turn = np.pi / 2 - 2 * np.pi * (np.arange(len(agencies)) + 0.5) / max(len(agencies), 1)
    return {agency: (radius * float(np.cos(a)), radius * float(np.sin(a))) for agency, a in zip(agencies, turn)}


def _by_height(agencies: list[str], radius: float, inner: float, between: int = 0) -> dict[str, tuple[float, float]]:
    """Around a ring at even heights on each side, so that many names, written beside the agencies, stand apart.

    Within the height of the inner ring with its ``between`` agencies, at the heights between theirs.
    """
    right = (len(agencies) + 1) // 2
    sides = ((1.0, agencies[:right], (between + 1) // 2), (-1.0, agencies[: right - 1 : -1], between // 2))
    at = {}
    for sign, group, taken in sides:
        free = [inner * (1 - 2 * k / taken) for k in range(taken + 1)] if taken else []
        for k, agency in enumerate(group):
            y = radius * (1 - 2 * (k + 0.5) / len(group))
            if free and abs(y) < inner:
                y = free.pop(int(np.argmin([abs(height - y) for height in free])))
            at[agency] = (sign * float(np.sqrt(radius**2 - y**2)), float(y))
    return at


def draw_network(axes: Axes, run: RunTables, month: str, at: dict[str, tuple[float, float]], lang: Lang) -> None:
    """Draw the ties of one month, agencies standing where `places` put them."""
    axes.set_aspect("equal")
    axes.set_xlim(-1.62, 1.62)
    axes.set_ylim(-1.36, 1.2)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    ties = read.ties_at(run, month)
    for layer, (colour, dashes, bend, thin, wider) in _TIES.items():
        mine = ties[(ties["layer"] == layer) & ties["source"].isin(at) & ties["target"].isin(at)]
        for one, other, weight in zip(mine["source"], mine["target"], mine["weight"].astype(float)):
            line = FancyArrowPatch(
                at[one],
                at[other],
                arrowstyle="-",
                connectionstyle=f"arc3,rad={bend}",
                shrinkA=0,
                shrinkB=0,
                color=colour,
                ls=dashes,
                lw=thin + wider * weight,
                alpha=min(0.3 + 0.7 * weight, 1.0) if layer == "formal" else 0.8,
                capstyle="round" if layer == "informal" else "butt",
                zorder=2 if layer == "formal" else 1,
            )
            axes.add_patch(line)
    agencies = read.agencies_at(run, month)
    for agency, (x, y) in at.items():
        if agency not in agencies.index:
            continue
        state = agencies.loc[agency]
        edge = theme.INK if state["in_decree"] else _PALE_EDGE
        axes.scatter([x], [y], s=_NODE, color="white", edgecolors=edge, linewidths=1.4, zorder=3)
        axes.scatter([x], [y], s=_NODE * float(state["goal_adoption"]), color=theme.INK, lw=0, zorder=4)
        _name(axes, read.short_name(run, agency), x, y)
    decreed = int(agencies["in_decree"].astype(bool).sum())
    decree = word("network.decree", lang, k=decreed, n=len(agencies)) if decreed else word("network.no_decree", lang)
    axes.set_title(f"{month_name(month, lang)}: {decree}", loc="left", fontweight="bold")
    axes.set_xlabel(word("network.caption", lang, **_numbers(run, month, lang)), loc="left", linespacing=1.35)


def _name(axes: Axes, name: str, x: float, y: float) -> None:
    """The name of an agency on the side away from the middle."""
    if abs(x) < 0.02:
        offset, side, line = (0.0, 14.0 if y > 0 else -14.0), "center", "bottom" if y > 0 else "top"
    else:
        distance = float(np.hypot(x, y))
        offset, side, line = (14.0 * x / distance, 14.0 * y / distance), "left" if x > 0 else "right", "center"
    where = {"xytext": offset, "textcoords": "offset points", "ha": side, "va": line}
    label = axes.annotate(name, (x, y), fontsize=theme.SMALL, zorder=6, **where)
    label.set_path_effects([withStroke(linewidth=3.5, foreground="white")])


def _numbers(run: RunTables, month: str, lang: Lang) -> dict[str, str]:
    return {
        "month": month_name(month, lang),
        "density": number(read.measure_at(run, month, "formal", "density"), lang, 2),
        "centralisation": number(read.measure_at(run, month, "formal", "centralisation"), lang, 2),
        **{whom: read.months_to_inform(run, month, whom, lang) for whom in read.TOLD},
    }


def _tie_key(layer: str, lang: Lang) -> Artist:
    colour, dashes = _TIES[layer][:2]
    label = word(f"network.{layer}", lang)
    return Line2D([], [], color=colour, ls=dashes, lw=2.4, dash_capstyle="round", label=label)


# ---- agencies --------------------------------------------------------------------------------------------------------


@theme.themed
def agencies(run: RunTables, lang: Lang) -> Figure:
    """One panel per agency at work: what it understands, how far it adapts its programmes and adopts the goal."""
    names = read.at_work(run)
    if not names:
        return _empty(run, lang, "agencies")
    table = read.agencies(run)
    columns = min(4, len(names))
    lines = -(-len(names) // columns)
    figure = theme.new_figure(11.0, 2.4 + 1.9 * lines)
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
    key: list[Artist] = [
        Line2D([], [], label=word(f"agencies.{state}", lang), **style) for state, style in _STATE_STYLES.items()
    ]
    key.append(Patch(color=theme.BLUE, alpha=0.14, lw=0, label=word("agencies.gap", lang)))
    for k, (axes, agency) in enumerate(zip(panels, names)):
        mine = table[table["agency"] == agency]
        panel.time_axis(axes, lang, run, mine["month"], most=4)
        panel.value_axis(axes, lang, word("axis.share", lang) if k % columns == 0 else "")
        axes.set_ylim(0, 1.02)
        shocks = panel.shock_bands(axes, run, lang)
        key += shocks if k == 0 else []
        at = year_fraction(mine["month"])
        adapted, adopted = mine["adaptation"].to_numpy(float), mine["goal_adoption"].to_numpy(float)
        axes.fill_between(at, adopted, adapted, where=adapted > adopted, color=theme.BLUE, alpha=0.14, lw=0)
        for state, style in _STATE_STYLES.items():
            axes.plot(at, mine[state].to_numpy(float), marker="o" if len(mine) == 1 else "", **style)
        axes.set_title(read.short_name(run, agency), loc="left", fontweight="bold")
        axes.set_xlabel("")  # years and months explain themselves, and room is scarce
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    month = str(table["month"].iloc[-1])
    last = read.agencies_at(run, month).loc[names]
    mean = {state: number(float(last[state].mean()), lang, 2) for state in ("adaptation", "goal_adoption")}
    title = word("agencies.title", lang, month=month_name(month, lang), n=len(names), **mean)
    return theme.dress(figure, run, lang, title, word("agencies.note", lang), key)


# ---- integration -----------------------------------------------------------------------------------------------------


@theme.themed
def integration(run: RunTables, lang: Lang) -> Figure:
    """The integration index and its dimensions over time, with the sub-aspects of first and last month in a table."""
    wide = read.integration(run)
    names = read.dimensions(wide)
    if wide.empty or not names:
        return _empty(run, lang, "integration")
    figure = theme.new_figure(11.0, 6.4)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    at = year_fraction(pd.Series(wide.index))
    panel.time_axis(left, lang, run, pd.Series(wide.index), most=8)
    panel.value_axis(left, lang, word("axis.share", lang))
    shocks = panel.shock_bands(left, run, lang)
    marker = "o" if len(wide) == 1 else ""
    key: list[Artist] = []
    for name, style in zip([read.INDEX, *names], [{"color": theme.INK, "lw": 3.2}, *_DIMENSION_STYLES]):
        label = read.dimension_name(name, lang)
        key += left.plot(at, wide[name, read.ALL], marker=marker, label=label, **({"lw": 2.0} | style))
    left.set_ylim(0, max(0.5, float(np.nanmax(wide[[(name, read.ALL) for name in names]])) * 1.1))
    _write_table(right, wide, names, lang)
    last = wide.iloc[-1]
    lowest = min(names, key=lambda name: float(last[name, read.ALL]))
    shown = {
        "first": number(float(wide[read.INDEX, read.ALL].iloc[0]), lang, 2),
        "last": number(float(last[read.INDEX, read.ALL]), lang, 2),
        "lowest": read.dimension_name(lowest, lang),
        "value": number(float(last[lowest, read.ALL]), lang, 2),
    }
    title, note = word("integration.title", lang, **shown), word("integration.note", lang)
    return theme.dress(figure, run, lang, title, note, key + shocks, bottom=word("integration.bottom", lang))


def _write_table(axes: Axes, wide: pd.DataFrame, names: list[str], lang: Lang) -> None:
    """Index, dimensions and sub-aspects with their values in the first and the last month."""
    axes.set_axis_off()
    lines: list[tuple[str, str, tuple[str, str]]] = [
        (read.dimension_name(read.INDEX, lang), "bold", (read.INDEX, read.ALL))
    ]
    for name in names:
        lines.append((read.dimension_name(name, lang), "bold", (name, read.ALL)))
        for sub in read.aspects(wide, name):
            label = word_or(f"aspect.{sub.replace(' ', '_')}", lang, sub)
            lines.append((f"   {label}", "normal", (name, sub)))
    colours = dict(zip([read.INDEX, *names], [theme.INK, *(str(style["color"]) for style in _DIMENSION_STYLES)]))
    months = list(dict.fromkeys([str(wide.index[0]), str(wide.index[-1])]))
    columns = (0.82, 1.0)[-len(months) :]
    axes.set_xlim(0, 1)
    axes.set_ylim(len(lines) - 0.4, -1.1)
    style = {"fontsize": theme.SMALL, "va": "center"}
    for month, x in zip(months, columns):
        axes.text(x, -0.8, month_name(month, lang), ha="right", color=theme.GREY, **style)
    for row, (label, weight, column) in enumerate(lines):
        ink = colours[column[0]] if weight == "bold" else theme.INK
        axes.text(0, row, label, color=ink, fontweight=weight, **style)
        for month, x in zip(months, columns):
            value = number(float(wide.loc[month, column]), lang, 2)
            axes.text(x, row, value, ha="right", fontweight=weight, **style)
        if weight == "bold":
            axes.axhline(row - 0.5, color=theme.PALE, lw=0.8)
