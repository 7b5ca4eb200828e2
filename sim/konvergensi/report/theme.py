"""How every figure looks: size, fonts, colours, headline, key, and the line that says where it comes from.

Figures are plain ``matplotlib.figure.Figure`` objects on the Agg canvas; nothing here touches pyplot.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.textpath import text_to_path

from konvergensi.base.words import Lang
from konvergensi.report.origin import origin
from konvergensi.report.readings import RunTables

# Okabe and Ito (2008): told apart by readers with any common form of colour blindness.
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, RED, PURPLE, INK = "#0072B2", "#D55E00", "#CC79A7", "#1A1A1A"
GREY, PALE = "#5F5F5F", "#E4E4E4"
SCALE = "cividis"  # for ordered values; same reason

TITLE, TEXT, SMALL = 13.0, 10.0, 9.0  # points; nothing is smaller than SMALL
MARGIN = 0.15  # inches
_LINE = 1.3  # line height in font sizes
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,  # a village called "$1" is a name, not a formula
}

FigureMaker = Callable[[RunTables, Lang], Figure]
Asked = ParamSpec("Asked")


def themed(make: Callable[Asked, Figure]) -> Callable[Asked, Figure]:
    """Build and lay out a figure under this style, leaving matplotlib's settings as they were."""

    @functools.wraps(make)
    def build(*args: Asked.args, **kwargs: Asked.kwargs) -> Figure:
        with matplotlib.rc_context(STYLE):
            figure = make(*args, **kwargs)
            engine = figure.get_layout_engine()  # ticks are made when they are laid out or drawn, so under the style
            if engine is None:
                figure.draw_without_rendering()
            else:
                engine.execute(figure)
            return figure

    return build


def save_png(figure: Figure, file: Path, dpi: int) -> None:
    """Write a figure that is laid out as PNG; from here on its layout stays as it is.

    Not by `savefig`, which lays out and draws everything twice more.
    """
    figure.set_layout_engine("none")
    figure.set_dpi(dpi)
    with matplotlib.rc_context(STYLE):
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": "konvergensi"})


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches, laid out so that labels never collide with other panels."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def dress(
    figure: Figure,
    run: RunTables,
    lang: Lang,
    title: str,
    note: str = "",
    key: Sequence[Artist] = (),
    interval: str = "interval.none",
    bottom: str = "",
) -> Figure:
    """Put headline, explanation and key above the panels and the origin of the run below them.

    ``bottom`` is one more line under the panels, for what must be read with the picture.
    """
    return frame(figure, title, origin(run, lang, interval), note, key, bottom)


def frame(
    figure: Figure,
    title: str,
    foot: str,
    note: str = "",
    key: Sequence[Artist] = (),
    bottom: str = "",
    panels: float | None = None,
) -> Figure:
    """As `dress`, with the origin in words.

    ``panels`` inches of height are kept for the panels, whatever the words need; None leaves the figure's height.
    """
    width, height = (float(side) for side in figure.get_size_inches())
    if panels is not None:
        height = panels + _words_height(figure, ((title, TITLE, "bold"), (note, TEXT, "normal")), key, (foot, bottom))
        figure.set_size_inches(width, height)
    top = MARGIN
    for text, size, weight, colour in ((title, TITLE, "bold", INK), (note, TEXT, "normal", GREY)):
        if text:
            lines = wrap(text, width - 2 * MARGIN, size, weight)
            _write(figure, lines, top, size, weight=weight, color=colour)
            top += (lines.count("\n") + 1) * size * _LINE / 72 + 0.06
    if key:
        top += _draw_key(figure, key, top) + 0.04
    below = MARGIN
    for text, colour in ((foot, GREY), (bottom, INK)):
        if text:
            lines = wrap(text, width - 2 * MARGIN, SMALL)
            below += (lines.count("\n") + 1) * SMALL * _LINE / 72
            _write(figure, lines, height - below + 0.06, SMALL, color=colour)
    engine = figure.get_layout_engine()
    if engine is not None:
        side = MARGIN / width
        free = max(height - top - below - 0.08, 0.5)
        rect = (side, (below + 0.06) / height, 1 - 2 * side, free / height)
        engine.set(rect=rect, w_pad=0.08, h_pad=0.08, wspace=0.02, hspace=0.02)  # type: ignore[call-arg]
    return figure


def _words_height(
    figure: Figure, heads: Sequence[tuple[str, float, str]], key: Sequence[Artist], feet: Sequence[str]
) -> float:
    """Inches that headline, key and what stands below the panels take at the figure's width."""
    inside = float(figure.get_size_inches()[0]) - 2 * MARGIN
    shown = [*heads, *((text, SMALL, "normal") for text in feet)]
    heights = [
        (wrap(text, inside, size, weight).count("\n") + 1) * size * _LINE / 72 + 0.06
        for text, size, weight in shown
        if text
    ]
    keyed = _draw_key(figure, key, 0.0) + 0.04 if key else 0.0
    return 2 * MARGIN + sum(heights) + keyed + 0.08


def _write(figure: Figure, text: str, from_top: float, size: float, **style: Any) -> None:
    width, height = figure.get_size_inches()
    at = (MARGIN / width, 1 - from_top / height)
    figure.text(*at, text, va="top", ha="left", fontsize=size, linespacing=1.2, **style)


def _draw_key(figure: Figure, handles: Sequence[Artist], from_top: float) -> float:
    """Draw the key in as few rows as fit the width; returns its height in inches."""
    width, height = figure.get_size_inches()
    for columns in range(len(handles), 0, -1):
        for old in list(figure.legends):
            old.remove()
        legend: Legend = figure.legend(
            handles=list(handles),
            loc="upper left",
            bbox_to_anchor=(MARGIN / width, 1 - from_top / height),
            ncols=columns,
            borderaxespad=0,
            borderpad=0.2,
            columnspacing=1.4,
            handletextpad=0.6,
        )
        legend.set_in_layout(False)
        box = legend.get_window_extent(figure.canvas.get_renderer())  # type: ignore[attr-defined]
        if box.width / figure.dpi <= width - 2 * MARGIN:
            break
    return float(box.height) / figure.dpi


def wrap(text: str, inches: float, size: float = SMALL, weight: str = "normal", most: int = 99) -> str:
    """Break a text into lines that fit a width, as measured in the font; a word is cut only if it alone is wider.

    ``most`` is the number of lines there is room for; a longer text ends in an ellipsis.
    """
    inches *= 0.96  # hinted glyphs on the canvas come out a little wider than their outlines
    lines = [""]
    for piece in (part for whole in text.split() for part in _parts(whole, inches, size, weight)):
        longer = f"{lines[-1]} {piece}".strip()
        if not lines[-1] or text_width(longer, size, weight) <= inches:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(piece)
        else:
            lines[-1] += " …"
            break
    return "\n".join(lines)


def _parts(whole: str, inches: float, size: float, weight: str) -> list[str]:
    """A word, in as many parts as its width asks for."""
    if text_width(whole, size, weight) <= inches:
        return [whole]
    parts = [""]
    for character in whole:
        if parts[-1] and text_width(parts[-1] + character, size, weight) > inches:
            parts.append("")
        parts[-1] += character
    return parts


@functools.lru_cache(maxsize=4096)
def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line in inches."""
    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72
