"""Picture of robustness: a panel for each rule, a row for each scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from konvergensi.analyses.robustness import measure_of
from konvergensi.base.words import Lang, word
from konvergensi.report import axes as panel
from konvergensi.report import robustness_page as words_of
from konvergensi.report import theme
from konvergensi.report.numbers import unit_of
from konvergensi.report.origin import comparison_origin
from konvergensi.studies.outputs import DIFFERENCE

if TYPE_CHECKING:
    from konvergensi.analyses.robustness import Robustness

COLUMNS = 3
_BEST: dict[str, Any] = {"color": theme.BLUE, "marker": "o", "ms": 9, "lw": 2.2}
_OTHER: dict[str, Any] = {"color": theme.GREY, "marker": "o", "mfc": "white", "mew": 1.8, "ms": 8, "lw": 1.6}


def figures(found: Robustness, lang: Lang) -> dict[str, Figure]:
    """The figure, by name."""
    return {"robustness": rules(found, lang)}


@theme.themed
def rules(found: Robustness, lang: Lang) -> Figure:
    """Each rule's number of each scenario with its interval; the best by that rule is filled."""
    names = list(found.manifest["policies"])
    rows = -(-len(found.rules) // COLUMNS)
    figure = theme.new_figure(11.5, 6.0)
    panels = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True)
    for place, axes in enumerate(panels.flat):
        if place < len(found.rules):
            _draw(axes, found, found.rules[place], lang)
        else:
            axes.remove()
    for first in panels[:, 0]:
        first.set_yticks(range(len(names)), [theme.wrap(str(name), 2.2) for name in names])
        first.set_ylim(len(names) - 0.4, -0.6)
    title = word("robustness.figure", lang, output=words_of.output(found, lang))
    note = " ".join(words_of.caution(found, lang) + words_of.verdict(found, lang))
    key: list[Artist] = [
        Line2D([], [], **_BEST, label=word("robustness.best_mark", lang)),
        Line2D([], [], **_OTHER, label=word("robustness.other_mark", lang)),
    ]
    foot = comparison_origin(found, lang)
    return theme.frame(figure, title, foot, note, key, panels=rows * (1.25 + 0.36 * len(names)))


def _draw(axes: Axes, found: Robustness, rule: str, lang: Lang) -> None:
    table = found.of(rule)
    scale = 100.0 if rule == "satisficing" else unit_of(measure_of(found.manifest["output"])).scale
    best = words_of.winners(found, rule)
    for place, name in enumerate(found.manifest["policies"]):
        row = table.loc[name]
        style = _BEST if name in best and len(best) < len(table) else _OTHER
        line = {key: style[key] for key in ("color", "lw")}
        axes.hlines(place, row["low"] * scale, row["high"] * scale, **line, zorder=2)
        axes.plot(row["value"] * scale, place, **(style | {"ls": ""}), zorder=3)
    axes.set_title(word(f"robustness.rule.{rule}", lang), loc="left", fontsize=theme.TEXT, fontweight="bold")
    axes.grid(axis="y", visible=False)
    if rule == "satisficing":
        axes.set_xlim(-4, 104)
    panel.value_axis(axes, lang, _unit(found, rule, lang), "x")


def _unit(found: Robustness, rule: str, lang: Lang) -> str:
    """The unit of a rule's axis."""
    if rule == "satisficing":
        return word("robustness.axis.draws", lang)
    asked = str(found.manifest["output"])
    of = unit_of(measure_of(asked))
    key = of.change if rule == "regret" or asked.startswith(DIFFERENCE) else of.level
    return word(key, lang, n="").strip() if key else words_of.output(found, lang)
