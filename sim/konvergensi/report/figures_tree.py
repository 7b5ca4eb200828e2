"""Picture of a classification tree: questions from above, leaves below, how often it happens in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from konvergensi.base.words import Lang, number, percent, word
from konvergensi.report import discovery_page as words_of
from konvergensi.report import theme
from konvergensi.report.origin import comparison_origin

if TYPE_CHECKING:
    from konvergensi.analyses.discover import Discovery
    from konvergensi.methods.tree import Node

WIDE, TALL, GAP = 2.5, 1.05, 0.18  # inches of a node, and between two
NARROWEST = 7.5


@dataclass(frozen=True)
class _Placed:
    node: Node
    x: float  # of its middle, in nodes
    level: int
    parent: tuple[float, int] | None
    yes: bool


@theme.themed
def tree(found: Discovery, root: Node, lang: Lang) -> Figure:
    """The tree; where nothing tells the draws apart, its bare root."""
    placed = list(_placed(root, 0.0, 0, None, True))
    leaves, levels = sum(1 for _ in root.leaves()), max(each.level for each in placed) + 1
    width = max(leaves * (WIDE + GAP) + 2 * theme.MARGIN + 0.3, NARROWEST)
    figure = theme.new_figure(width, 3.0)
    axes = figure.subplots()
    axes.set_axis_off()
    step = TALL + 0.55
    inside = width - 2 * theme.MARGIN - 0.2
    axes.set_xlim(-inside / 2 + (leaves - 1) * (WIDE + GAP) / 2, inside / 2 + (leaves - 1) * (WIDE + GAP) / 2)
    axes.set_ylim(-(levels - 1) * step - TALL / 2 - 0.05, TALL / 2 + 0.05)
    for each in placed:
        _draw(axes, each, found, step, lang)
    what = words_of.what(found, lang)
    title = word("discovery.figure.tree" if root.factor else "discovery.figure.tree_none", lang, what=what)
    note = word("discovery.figure.tree_note", lang)
    foot = comparison_origin(found, lang, "interval.discovery.none")
    return theme.frame(figure, title, foot, note, panels=levels * step - 0.55 + 0.35)


def _placed(node: Node, left: float, level: int, parent: tuple[float, int] | None, yes: bool) -> Iterator[_Placed]:
    """Leaves stand side by side; a question stands over the middle of its answers."""
    if node.yes is None or node.no is None:
        yield _Placed(node, left, level, parent, yes)
        return
    first = sum(1 for _ in node.yes.leaves())
    at = (_middle(node.yes, left) + _middle(node.no, left + first)) / 2
    yield _Placed(node, at, level, parent, yes)
    yield from _placed(node.yes, left, level + 1, (at, level), True)
    yield from _placed(node.no, left + first, level + 1, (at, level), False)


def _middle(node: Node, left: float) -> float:
    if node.yes is None or node.no is None:
        return left
    first = sum(1 for _ in node.yes.leaves())
    return (_middle(node.yes, left) + _middle(node.no, left + first)) / 2


def _draw(axes: Axes, each: _Placed, found: Discovery, step: float, lang: Lang) -> None:
    node, x, y = each.node, each.x * (WIDE + GAP), -each.level * step
    if each.parent is not None:
        px, py = each.parent[0] * (WIDE + GAP), -each.parent[1] * step
        axes.plot([px, x], [py - TALL / 2, y + TALL / 2], color=theme.GREY, lw=1.2, zorder=1)
        side = word("discovery.figure.yes" if each.yes else "discovery.figure.no", lang)
        at = ((px + x) / 2, (py - TALL / 2 + y + TALL / 2) / 2)
        axes.text(*at, side, ha="center", va="center", fontsize=theme.SMALL, zorder=3, bbox=_BEHIND)
    face = to_hex(colormaps["Blues"](0.05 + 0.55 * node.fit.density))  # never so dark that ink is hard to read
    above = not node.factor and node.fit.density > node.fit.base
    edge = {"ec": theme.INK, "lw": 2.2} if above else {"ec": theme.GREY, "lw": 1.0}
    corner = (x - WIDE / 2, y - TALL / 2)
    style = "round,pad=0,rounding_size=0.08"
    frame = FancyBboxPatch(corner, WIDE, TALL, style, fc=face, **edge, zorder=2, clip_on=False)
    axes.add_patch(frame)
    axes.text(x, y, _text(node, found, lang), ha="center", va="center", fontsize=theme.SMALL, zorder=4)


_BEHIND = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}


def _text(node: Node, found: Discovery, lang: Lang) -> str:
    counts = {"hits": number(node.fit.hits, lang), "support": number(node.fit.support, lang)}
    text = word("discovery.figure.node", lang, density=percent(node.fit.density, lang, 0), **counts)
    text = theme.wrap(text, WIDE - 0.16)
    if node.limit is None:
        return text
    limit = words_of.limit_words(node.limit, lang)
    meaning = theme.wrap(words_of.meaning(found, node.factor, lang), WIDE - 0.16, most=3)
    asked = theme.wrap(word("discovery.figure.question", lang, limit=limit), WIDE - 0.16)
    return f"{text}\n{meaning}:\n{asked}"
