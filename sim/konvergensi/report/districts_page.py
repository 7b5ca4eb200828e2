"""Districts beside their provinces and peers: what is printed, districts.md and its figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from konvergensi.base.words import Lang, listed, number, percent, word
from konvergensi.report import axes as panel
from konvergensi.report import theme
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.results.districts import ASKED, PEER, PROVINCE, Districts

NOW, NEXT, LAST = 2024, 2029, 2045
COLOURS = {ASKED: theme.RED, PROVINCE: theme.INK, PEER: theme.BLUE}
MARKS = {ASKED: "D", PROVINCE: "s", PEER: "o"}


def page(found: Districts, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    figure = f"\n![{word('districts.alt', lang)}](figures/districts.png)\n"
    return markdown(title(found, lang), blocks(found, lang)) + figure + f"\n{origin(found, lang)}\n"


def lines(found: Districts, lang: Lang) -> list[str]:
    """The words of the page to print."""
    return [*printed(title(found, lang), blocks(found, lang)), "", origin(found, lang)]


def title(found: Districts, lang: Lang) -> str:
    """The page's title."""
    return word("districts.title", lang, areas=listed(found.manifest["areas"], lang))


def origin(found: Districts, lang: Lang) -> str:
    """The line that says where it comes from."""
    return word("districts.origin", lang, version=found.manifest["version"], system=found.manifest["system"])


def blocks(found: Districts, lang: Lang) -> list[Block]:
    """One table for each district asked for, after how to read them."""
    said = [word("districts.how", lang)]
    if found.manifest["observed"]:
        said.append(word("districts.observed", lang, rows=listed(found.manifest["observed"], lang)))
    return [Block(sentences=said), *(_of(found, code, lang) for code in found.manifest["codes"])]


def _of(found: Districts, code: str, lang: Lang) -> Block:
    level, slope = found.of(code, "prevalence", NOW), found.of(code, "trend_points_per_year", NOW)
    chances = [found.of(code, "chance_of_target", year) for year in (NEXT, LAST)]
    poverty = found.of(code, "poverty_percent", 0).set_index("code")["middle"]
    rows = []
    for at, row in level.iterrows():
        who = word(f"districts.role.{row['role']}", lang)
        poor = number(float(poverty[row["code"]]), lang, 1) if row["code"] in poverty.index else "-"
        rows.append(
            (
                str(row["area"]), who, _span(level, int(str(at)), lang, 1), _span(slope, int(str(at)), lang, 2),
                *(percent(float(each["middle"].iloc[int(str(at))]), lang, 0) for each in chances),
                poor, percent(float(row["pooled_share"]), lang, 0),
            )
        )  # fmt: skip
    names = ("area", "role", "level", "trend", "chance_next", "chance_last", "poverty", "pooled")
    columns = tuple(word(f"districts.column.{name}", lang) for name in names)
    return Block(str(level["area"].iloc[0]), [_said(found, code, lang)], columns, rows)


def _span(table: Any, at: int, lang: Lang, digits: int) -> str:
    middle, low, high = (number(float(table[name].iloc[at]), lang, digits) for name in ("middle", "low", "high"))
    return f"{middle} ({low} … {high})"


def _said(found: Districts, code: str, lang: Lang) -> str:
    """Whether a district can be told from its province and from how many of its peers."""
    level = found.of(code, "prevalence", NOW)
    own, province = level.iloc[0], level.iloc[1]
    peers = level[level["role"] == PEER]
    points = found.of(code, "points_from_province", NOW).iloc[0]
    apart = "lower" if points["high"] < 0 else "higher" if points["low"] > 0 else "alike"
    lower, higher = int((peers["low"] > own["high"]).sum()), int((peers["high"] < own["low"]).sum())
    words = {
        "by": _span(found.of(code, "points_from_province", NOW), 0, lang, 1),
        "area": own["area"],
        "province": province["area"],
        "n": len(peers),
        "lower": lower,
        "higher": higher,
    }
    return word(f"districts.{apart}", lang, **words) + " " + word("districts.peers", lang, **words)


@theme.themed
def districts(found: Districts, lang: Lang) -> Figure:
    """Level in 2024 of each district asked for, its province and its peers, with 90 % intervals."""
    codes = found.manifest["codes"]
    figure = theme.new_figure(10.0, 4.0)
    panels = figure.subplots(len(codes), 1, sharex=True, squeeze=False)[:, 0]
    for axes, code in zip(panels, codes):
        _draw(axes, found, code)
    panel.value_axis(panels[-1], lang, word("districts.axis", lang), "x")
    key = [
        Line2D([], [], color=COLOURS[role], marker=MARKS[role], ls="", label=word(f"districts.role.{role}", lang))
        for role in (ASKED, PROVINCE, PEER)
    ]
    note = word("districts.figure.note", lang)
    head = word("districts.figure.title", lang, areas=listed(found.manifest["areas"], lang))
    return theme.frame(figure, head, origin(found, lang), note, key, panels=2.6 * len(codes) + 0.4)


def _draw(axes: Axes, found: Districts, code: str) -> None:
    level = found.of(code, "prevalence", NOW)
    at = np.arange(len(level))[::-1]
    for y, row in zip(at, level.to_dict("records")):
        colour = COLOURS[row["role"]]
        axes.hlines(y, row["low"], row["high"], color=colour, lw=1.6, alpha=0.7)
        axes.plot(row["middle"], y, MARKS[row["role"]], color=colour, ms=6)
    axes.set_yticks(at, level["area"])
    axes.grid(axis="y", visible=False)


FIGURES: dict[str, Callable[[Any, Lang], Figure]] = {"districts": districts}
