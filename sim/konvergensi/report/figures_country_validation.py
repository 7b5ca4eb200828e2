"""Picture of predicted readings: a panel for each kind of row, what was read across, what was predicted up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from konvergensi.base.words import Lang, number, word
from konvergensi.report import axes as panel
from konvergensi.report import theme
from konvergensi.report.country_validation_page import kind_name, origin
from konvergensi.results.country_validation import CountryValidation

COLUMNS = 2
MANY = 150  # readings in a panel beyond which marks are smaller and lines paler
_INSIDE: dict[str, Any] = {"color": theme.BLUE, "marker": "o", "ls": ""}
_OUTSIDE: dict[str, Any] = {"color": theme.RED, "marker": "D", "ls": ""}  # told apart by shape too


@theme.themed
def readings(found: CountryValidation, lang: Lang) -> Figure:
    """What the fit predicted, with the 90 % interval of a reading, against what was read."""
    model = found.of_model()
    kinds = list(dict.fromkeys(model["kind"]))
    columns = min(COLUMNS, len(kinds))
    rows = -(-len(kinds) // columns)
    figure = theme.new_figure(10.5 if columns > 1 else 7.5, 6.0)
    panels = figure.subplots(rows, columns, squeeze=False)
    for place, axes in enumerate(panels.flat):
        if place < len(kinds):
            _draw(axes, model[model["kind"] == kinds[place]], kinds[place], lang)
        else:
            axes.remove()
    counts = {"n": number(len(model), lang), "inside": number(int(model["inside"].sum()), lang)}
    title = word(f"country_validation.figure.title_{found.manifest['about']}", lang, **counts)
    key = [
        Line2D([], [], **_INSIDE, ms=6, label=word("country_validation.figure.inside", lang)),
        Line2D([], [], **_OUTSIDE, ms=6, label=word("country_validation.figure.outside", lang)),
        Line2D([], [], color=theme.INK, lw=1, label=word("country_validation.figure.line", lang)),
    ]
    note = word("country_validation.figure.note", lang)
    return theme.frame(figure, title, origin(found, lang), note, key, panels=4.3 * rows)


def _draw(axes: Axes, table: pd.DataFrame, kind: str, lang: Lang) -> None:
    many = len(table) > MANY
    for inside, style in ((True, _INSIDE), (False, _OUTSIDE)):
        part = table[table["inside"] == inside]
        width, alpha = (0.6, 0.25 if inside else 0.6) if many else (1.4, 0.7)
        axes.vlines(part["observed"], part["low"], part["high"], color=style["color"], lw=width, alpha=alpha, zorder=2)
        axes.plot(part["observed"], part["middle"], **style, ms=3 if many else 5, zorder=3)
    edges = pd.concat([table["observed"], table["low"], table["high"]])
    low, high = max(float(edges.min()) - 2, 0.0), float(edges.max()) + 2
    axes.plot([low, high], [low, high], color=theme.INK, lw=1, zorder=1)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    words = {"kind": kind_name(kind, lang), "inside": number(int(table["inside"].sum()), lang)}
    text = word("country_validation.figure.panel", lang, n=number(len(table), lang), **words)
    axes.set_title(text, loc="left", fontsize=theme.TEXT, fontweight="bold")
    panel.value_axis(axes, lang, word("country_validation.figure.across", lang), "x")
    panel.value_axis(axes, lang, word("country_validation.figure.up", lang))


FIGURES: dict[str, Callable[[Any, Lang], Figure]] = {"readings": readings}
