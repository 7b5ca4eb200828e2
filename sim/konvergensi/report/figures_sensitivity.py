"""Pictures of what moves a result: the ranking, whether the points were enough, and what rests on assumptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from konvergensi.base.harmless import write_csv
from konvergensi.base.words import Lang, number, word
from konvergensi.methods.factors import DUMMY
from konvergensi.report import axes as panel
from konvergensi.report import names_sensitivity as names
from konvergensi.report import theme
from konvergensi.report.figures import DPI
from konvergensi.report.sensitivity_page import BESIDE, Span, spans

if TYPE_CHECKING:
    from konvergensi.results.sensitivity import Sensitivity

SHOWN = 12  # units in a ranking
FOLLOWED = 5  # units in a picture of convergence
_NAMES_WIDE = 4.4  # inches for names
_ROW = 0.5  # inches for a unit
_ABOVE: dict[str, Any] = {"color": theme.BLUE, "marker": "o", "ls": "", "ms": 8}
_BELOW: dict[str, Any] = {"color": theme.GREY, "marker": "o", "ls": "", "ms": 8, "mfc": "white", "mew": 1.6}
_BESIDE: dict[str, Any] = {"color": theme.ORANGE, "marker": "D", "ls": "", "ms": 6}
_FLOOR: dict[str, Any] = {"color": theme.RED, "marker": "|", "ls": "", "ms": 16, "mew": 2.2}
_LINES = (theme.BLUE, theme.RED, theme.GREEN, theme.ORANGE, theme.PURPLE)
_MARKS = ("o", "s", "^", "D", "v")
_PARTS = {"assumption": theme.RED, "mixed": theme.ORANGE, "better": theme.BLUE, "chance": theme.GREY}


@dataclass(frozen=True)
class Drawing:
    """A figure and the table it shows."""

    draw: Callable[[Lang], Figure]
    table: pd.DataFrame


def figures(found: Sensitivity) -> dict[str, Drawing]:
    """Every figure by the name of its file."""
    made: dict[str, Drawing] = {}
    for output in found.outputs:
        name = file_name(output)
        about = found.convergence[found.convergence["output"] == output]
        made[f"what-moves-{name}"] = Drawing(partial(ranking, found, output), _ranked(found, output))
        made[f"points-enough-{name}"] = Drawing(partial(settled, found, output), about)
    if len(found.heat):
        made["assumption-heat"] = Drawing(partial(heat, found), found.heat)
    return made


def file_name(output: str) -> str:
    """An output as part of the name of a file."""
    return output.replace(":", "-of-").replace("@", "-under-").replace("_", "-").replace("+", "-and-")


def write(found: Sensitivity, out: Path, lang: Lang) -> None:
    """Write the table of indices as CSV, and every figure as PNG and SVG with its table as CSV, into `out`."""
    write_csv(found.sensitivity, out / "sensitivity.csv")
    folder = out / "figures"
    folder.mkdir()
    for name, drawing in figures(found).items():
        figure = drawing.draw(lang)
        figure.set_layout_engine("none")  # it is laid out; `savefig` would do it again for each file
        with matplotlib.rc_context(theme.STYLE | {"svg.hashsalt": "konvergensi"}):
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": "konvergensi"})
        theme.save_png(figure, folder / f"{name}.png", DPI)
        write_csv(drawing.table, folder / f"{name}.csv")


def _ranked(found: Sensitivity, output: str) -> pd.DataFrame:
    """Units of a ranking and the dummy."""
    return pd.concat([found.ranked(output), found.dummy(output).to_frame().T], ignore_index=True)


@theme.themed
def ranking(found: Sensitivity, output: str, lang: Lang) -> Figure:
    """The largest units, those above the noise floor first, with interval and floor, and the dummy."""
    ranked = found.ranked(output)
    rises = ranked["detected"].astype(bool)
    whole = pd.concat([ranked[rises], ranked[~rises]])  # a large index that chance could give comes after
    table = pd.concat([whole.head(SHOWN), found.dummy(output).to_frame().T], ignore_index=True)
    above = whole["detected"].astype(bool)
    figure = theme.new_figure(11.0, 1.0)
    axes = figure.subplots()
    for row in table.itertuples():
        style = _ABOVE if row.detected is not pd.NA and row.detected else _BELOW
        axes.hlines(row.Index, row.low, row.high, color=style["color"], lw=2.0, zorder=2)
        axes.plot(row.floor, row.Index, **_FLOOR, zorder=3)
        axes.plot(row.value, row.Index, **style, zorder=4)
    beside = BESIDE.get(found.manifest["method"], "")
    if beside:
        _draw_beside(axes, table["unit"].tolist(), spans(found.sensitivity, output, beside))
    _name_rows(axes, found, table["unit"].tolist(), lang)
    axes.axvline(0, color=theme.GREY, lw=1)
    panel.value_axis(axes, lang, names.index_name(str(table["index"].iloc[0]), output, lang), "x")
    first = names.factor_name(found, str(whole["unit"].iloc[0]), lang)
    key = "sensitivity.figure.ranking" if above.any() else "sensitivity.figure.ranking_none"
    title = word(key, lang, output=names.output_name(found, output, lang), **({"first": first} if above.any() else {}))
    numbers = {"shown": min(SHOWN, len(whole)), "n": number(len(whole), lang), "k": number(int(above.sum()), lang)}
    note = word("sensitivity.figure.ranking_note", lang, **numbers, place=names.place(found))
    handles: list[Artist] = [
        Line2D([], [], **_ABOVE, label=word("sensitivity.figure.detected", lang)),
        Line2D([], [], **_BELOW, label=word("sensitivity.figure.undetected", lang)),
        Line2D([], [], **_FLOOR, label=word("sensitivity.figure.floor", lang)),
    ]
    if beside:
        handles.append(Line2D([], [], **_BESIDE, label=word(f"sensitivity.figure.{beside}", lang)))
    foot = names.sensitivity_origin(found, lang)
    return theme.frame(figure, title, foot, note, handles, panels=_ROW * len(table) + 0.8)


def _draw_beside(axes: Axes, units: list[str], second: dict[str, Span]) -> None:
    """A second index just below the one that decides."""
    for place, unit in enumerate(units):
        value, low, high = second[unit]
        axes.hlines(place + 0.22, low, high, color=_BESIDE["color"], lw=1.2, zorder=2)
        axes.plot(value, place + 0.22, **_BESIDE, zorder=4)


def _name_rows(axes: Axes, found: Sensitivity, units: list[str], lang: Lang) -> None:
    """Names beside the rows, the key of each in small print below."""
    axes.set_yticks(range(len(units)), [""] * len(units))
    axes.set_ylim(len(units) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    for place, unit in enumerate(units):
        name = theme.wrap(names.factor_name(found, unit, lang), _NAMES_WIDE, theme.TEXT, most=1)
        key = names.short_key(found, unit, lang) if unit != DUMMY else ""
        style = {"ha": "right", "transform": axes.get_yaxis_transform()}
        axes.text(-0.012, place, name, va="bottom" if key else "center", fontsize=theme.TEXT, **style)
        axes.text(-0.012, place + 0.06, key, va="top", fontsize=theme.SMALL, color=theme.GREY, **style)


@theme.themed
def settled(found: Sensitivity, output: str, lang: Lang) -> Figure:
    """The first units over nested sample sizes, and the dummy."""
    table = found.convergence[found.convergence["output"] == output]
    figure = theme.new_figure(10.0, 4.6)
    axes = figure.subplots()
    foot = names.sensitivity_origin(found, lang)
    title = word("sensitivity.figure.convergence", lang, output=names.output_name(found, output, lang))
    sizes = sorted(table["n"].unique())
    if not sizes:
        panel.nothing(axes, lang)
        return theme.frame(figure, title, foot)
    units = found.ranked(output)["unit"].head(FOLLOWED).tolist()
    scale = found.manifest["points"] / found.manifest["n"]
    handles: list[Artist] = []
    for place, unit in enumerate([*units, DUMMY]):
        of = table[table["unit"] == unit].sort_values("n")
        aside = 1.0 + 0.025 * (place - len(units) / 2)  # so that intervals do not hide each other
        colour = theme.GREY if unit == DUMMY else _LINES[place]
        style: dict[str, Any] = {"color": colour, "marker": "x" if unit == DUMMY else _MARKS[place], "lw": 1.6}
        axes.plot(of["n"] * scale * aside, of["value"], **style, zorder=3)
        axes.vlines(of["n"] * scale * aside, of["low"], of["high"], color=colour, lw=1.4, zorder=2)
        label = theme.wrap(names.factor_name(found, unit, lang), 8.6, most=1)
        handles.append(Line2D([], [], **style, label=label))
    axes.set_xscale("log", base=2)
    axes.set_xticks([n * scale for n in sizes], [number(n * scale, lang) for n in sizes])
    axes.minorticks_off()
    axes.set_xlabel(word("sensitivity.figure.points", lang))
    panel.value_axis(axes, lang, names.index_name(str(table["index"].iloc[0]), output, lang).replace(" (", "\n("))
    note = word("sensitivity.figure.convergence_note", lang, shown=len(units), place=names.place(found))
    return theme.frame(figure, title, foot, note, handles, panels=3.4)


@theme.themed
def heat(found: Sensitivity, lang: Lang) -> Figure:
    """Shares of the variance by grade of evidence, for each output."""
    table = found.heat
    spans_of = table[["value", "low", "high"]].to_numpy(float)
    cells = dict(zip(zip(table["output"], table["part"], table["bound"]), spans_of))
    effect = "effect" in set(table["bound"])
    figure = theme.new_figure(10.0, 1.0)
    axes = figure.subplots()
    place, labels = 0.0, dict[float, str]()
    for output in table["output"].unique():
        labels[place - 0.52] = names.output_name(found, output, lang)
        for part_ in table.loc[table["output"] == output, "part"].unique():
            value, low, high = cells[output, part_, "effect" if effect else "alone"]
            most, lower, upper = cells.get((output, part_, "at_most"), (value, low, high))
            if max(high - low, upper - lower) > 1.0:
                axes.text(0.01, place, word("sensitivity.heat.unknown", lang), va="center", color=theme.GREY)
                place += 1.0
                continue
            axes.barh(place, np.clip(most, 0.0, 1.0), 0.7, color=_PARTS[part_], alpha=0.28, zorder=2)
            axes.barh(place, np.clip(value, 0.0, 1.0), 0.7, color=_PARTS[part_], zorder=3)
            if np.isfinite(low):
                axes.hlines(place, *np.clip((low, high), 0.0, 1.0), color=theme.INK, lw=2, zorder=4)
            place += 1.0
        place += 0.9
    for at, name in labels.items():
        axes.text(0.0, at, name, va="bottom", fontsize=theme.TEXT, weight="bold")
    axes.set_yticks([])
    axes.set_ylim(place - 1.3, -1.2)
    axes.set_xlim(0.0, 1.02)
    axes.grid(axis="y", visible=False)
    panel.value_axis(axes, lang, word("sensitivity.figure.share", lang), "x")
    note = "sensitivity.figure.heat_effect_note" if effect else "sensitivity.figure.heat_note"
    used = [part_ for part_ in _PARTS if part_ in set(found.heat["part"])]
    handles: list[Artist] = [Patch(color=_PARTS[name], label=word(f"sensitivity.part.{name}", lang)) for name in used]
    title, foot = word("sensitivity.figure.heat", lang), names.sensitivity_origin(found, lang)
    said = word(note, lang, place=names.place(found))
    return theme.frame(figure, title, foot, said, handles, panels=0.36 * place + 0.8)
