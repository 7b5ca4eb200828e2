"""What the pictures of a comparison share: one column wide, so that they are read on a phone as well as on paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from konvergensi.base.words import Lang, month_name
from konvergensi.report import readings_comparison as compared
from konvergensi.report import theme
from konvergensi.report.origin import comparison_origin
from konvergensi.report.readings_comparison import Policy

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

WIDTH = 4.8  # inches: on a phone 390 pixels wide, 9 points come out as 9 pixels
ROW = 0.2  # inches for a line of text beside a mark


def new() -> Figure:
    """An empty figure of one column; `finish` gives it its height."""
    return theme.new_figure(WIDTH, 3.0)


def finish(
    figure: Figure,
    comparison: Comparison,
    lang: Lang,
    title: str,
    panels: float,
    note: str = "",
    key: Sequence[Artist] = (),
    interval: str = "",
    bottom: str = "",
) -> Figure:
    """Headline, note and key above, origin below, `panels` inches between them.

    interval: the message that says what the intervals are, '' for those of the tables.
    """
    foot = comparison_origin(comparison, lang, interval)
    return theme.frame(figure, title, foot, note, key, bottom, panels)


def key(shown: Sequence[Policy], lang: Lang, line: bool = False) -> list[Artist]:
    """What stands for each policy; a long title takes two lines."""
    handles: list[Artist] = []
    for policy in shown:
        label = theme.wrap(policy.name(lang), WIDTH - 0.9, most=2)
        style: dict[str, Any] = {"ls": policy.dashes, "lw": 2.2} if line else {"ls": "", "ms": 7, "mec": "white"}
        handles.append(Line2D([], [], color=policy.colour, marker="" if line else policy.marker, label=label, **style))
    return handles


def others(comparison: Comparison) -> list[Policy]:
    """Every policy but the first."""
    return list(compared.policies(comparison).values())[1:]


def first(comparison: Comparison) -> str:
    """Id of the scenario that the others are compared with."""
    return str(comparison.manifest["policies"][0])


def end(comparison: Comparison, lang: Lang) -> str:
    """The last month in words."""
    return month_name(compared.last_month(comparison), lang)


def last_year(comparison: Comparison) -> str:
    """The year of the last month."""
    return compared.last_month(comparison)[:4]


def zero(axes: Axes, vertical: bool = True) -> None:
    """A line at nothing."""
    (axes.axvline if vertical else axes.axhline)(0, color=theme.GREY, lw=1.2, zorder=1)


def dodge(count: int, room: float = 0.64) -> np.ndarray:
    """Shifts at which several marks of one row stand apart."""
    return (np.arange(count) - (count - 1) / 2) * (room / max(count, 2))


def rows_axis(axes: Axes, labels: list[str]) -> None:
    """One row for each label, the first on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
