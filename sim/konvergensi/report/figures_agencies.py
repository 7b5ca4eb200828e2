"""Pictures of the agencies' work: the cascade of services, money, targeting."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from konvergensi.base.words import Lang, number, percent, rupiah, word
from konvergensi.report import axes as panel
from konvergensi.report import readings as read
from konvergensi.report import theme
from konvergensi.report.readings import RunTables

_MOST_PROGRAMMES = 30  # more rows than this are not read at a glance
NOBODY = "nobody"  # a stage no child can reach: the service is in no programme
_MARGIN_COLUMN = len(read.STAGES) - 0.35  # where the words beside the cascade start, in columns
_STAGE_COLOURS = dict(zip(read.MONEY_STAGES, (theme.PALE, theme.SKY, theme.BLUE, theme.INK)))


def _empty(run: RunTables, lang: Lang, name: str) -> Figure:
    figure = theme.new_figure(9.5, 4)
    panel.nothing(figure.subplots(), lang)
    return theme.dress(figure, run, lang, word(f"{name}.title_empty", lang), word(f"{name}.note", lang))


@theme.themed
def cascade(run: RunTables, lang: Lang) -> Figure:
    """Services by stages as a table of shares of the children in need; the largest loss is framed."""
    year = read.last_full_year(run, read.rows(run.cascade, "year", "service", "stage", "children"))
    children = read.chain(run, year) if year is not None else pd.DataFrame()
    if children.empty or year is None:
        return _empty(run, lang, "cascade")
    reached = (children["taken_up"] / children["in_need"]).fillna(0)
    children = children.loc[reached.sort_values(ascending=False, kind="stable").index]
    links = read.weakest_links(children)
    offered = read.offered(run, links.index)
    links.loc[~offered, "stage"] = NOBODY
    figure = theme.new_figure(11.0, 3.0 + 0.34 * len(children))
    axes = figure.subplots()
    _draw_cells(axes, children, lang)
    _mark_losses(axes, links, lang)
    labels = []
    for service, need in children["in_need"].items():
        name = theme.wrap(read.service_name(run, str(service), lang), 2.4, most=2)
        labels.append(f"{name} ({number(need, lang)})")
    axes.set_yticks(range(len(children)), labels)
    found = links.loc[offered & (links["stage"] != ""), "stage"].value_counts()
    name = read.year_name(run, year, lang)
    title = word("cascade.title_whole", lang, year=name)
    if not offered.any():
        title = word("cascade.title_none", lang, year=name)
    elif len(found):
        stage = word(f"stage.{found.index[0]}", lang)
        title = word("cascade.title", lang, year=name, k=int(found.iloc[0]), n=int(offered.sum()), stage=stage)
    note, bottom = word("cascade.note", lang), word("cascade.bottom", lang)
    return theme.dress(figure, run, lang, title, note, bottom=bottom)


def _draw_cells(axes: Axes, children: pd.DataFrame, lang: Lang) -> None:
    shares = children[list(read.STAGES)].div(children["in_need"], axis=0).to_numpy()
    colours = LinearSegmentedColormap.from_list("to_blue", ["#FFFFFF", theme.SKY, theme.BLUE])
    axes.imshow(np.nan_to_num(shares), cmap=colours, vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        ink = "white" if share > 0.72 else theme.INK
        text = percent(share, lang, 0)
        axes.text(column, row, text, ha="center", va="center", fontsize=theme.SMALL, color=ink)
    axes.axvline(len(read.LINKS) + 0.5, color=theme.INK, lw=1.2)
    heads = [theme.wrap(word(f"stage.{stage}", lang), 0.72) for stage in read.STAGES]
    axes.set_xticks(range(len(heads)), heads)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set_xticks(np.arange(-0.5, len(heads)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(shares)), minor=True)
    axes.tick_params(which="minor", length=0)
    axes.grid(which="major", visible=False)
    axes.grid(which="minor", color="white", lw=1.5)
    axes.spines[:].set_visible(False)


def _mark_losses(axes: Axes, links: pd.DataFrame, lang: Lang) -> None:
    for row, (stage, lost) in enumerate(zip(links["stage"], links["lost"])):
        if stage == NOBODY:
            text = word("cascade.nobody", lang)
            axes.text(_MARGIN_COLUMN, row, text, va="center", fontsize=theme.SMALL, color=theme.GREY)
        elif stage:
            corner = (read.STAGES.index(stage) - 0.46, row - 0.44)
            axes.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, ec=theme.ORANGE, lw=2.6))
            text = f"{word(f'stage.{stage}', lang)}: -{number(lost, lang)}"
            axes.text(_MARGIN_COLUMN, row, text, va="center", fontsize=theme.SMALL)
    head = word("cascade.lost", lang)
    axes.text(_MARGIN_COLUMN, -0.7, head, va="bottom", fontsize=theme.SMALL, fontweight="bold")


@theme.themed
def money(run: RunTables, lang: Lang) -> Figure:
    """Planned, budgeted, released and spent rupiah by year, one panel per source and one for all."""
    total = read.money_by(run, "year")
    year = read.last_full_year(run, total.reset_index())
    if year is None:
        return _empty(run, lang, "money")
    by_source = read.money_by(run, "source", "year")
    found = list(by_source.index.unique("source"))
    sources = [source for source in read.SOURCES if source in found]
    sources += [source for source in found if source not in sources]
    tables = {read.source_name(source, lang): by_source.loc[source] for source in sources}
    tables[word("source.all", lang)] = total
    columns = min(3, len(tables))
    lines = -(-len(tables) // columns)
    figure = theme.new_figure(10.0, 2.0 + 2.7 * lines)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, (name, amounts) in zip(panels, tables.items()):
        _draw_stages(axes, amounts.reindex(total.index).fillna(0.0) / 1e9, lang)
        axes.set_title(name, loc="left", fontweight="bold")
    for axes in panels[len(tables) :]:
        axes.set_axis_off()
    budgeted, spent = (float(total.loc[year, stage]) for stage in ("budgeted_rp", "spent_rp"))
    name = read.year_name(run, year, lang)
    title = word("money.title_zero", lang, year=name)
    if budgeted > 0:
        shown = {"budgeted": rupiah(budgeted, lang), "spent": rupiah(spent, lang)}
        title = word("money.title", lang, year=name, share=percent(spent / budgeted, lang, 0), **shown)
    key: list[Artist] = []
    for stage, colour in _STAGE_COLOURS.items():
        label = word(f"money_stage.{stage}", lang)
        key.append(Patch(facecolor=colour, edgecolor=theme.GREY, lw=0.6, label=label))
    return theme.dress(figure, run, lang, title, word("money.note", lang), key)


def _draw_stages(axes: Axes, amounts: pd.DataFrame, lang: Lang) -> None:
    at = np.arange(len(amounts))
    for place, (stage, colour) in enumerate(_STAGE_COLOURS.items()):
        axes.bar(at + (place - 1.5) * 0.21, amounts[stage], 0.2, color=colour, ec=theme.GREY, lw=0.4)
    step = -(-len(at) // 8)
    axes.set_xticks(at[::step], [str(int(year)) for year in amounts.index[::step]])
    axes.grid(axis="x", visible=False)
    axes.set_ylim(0, float(amounts.to_numpy().max()) * 1.1 or 1.0)
    axes.set_xlim(-0.6, len(at) - 0.4)
    panel.value_axis(axes, lang, word("axis.rp_billion", lang))


@theme.themed
def targeting(run: RunTables, lang: Lang) -> Figure:
    """Exclusion and inclusion error of each programme, last full year, worst exclusion on top."""
    year, rows = read.targeting_errors(run)
    if year is None or rows.empty:
        return _empty(run, lang, "targeting")
    shown = rows.nlargest(_MOST_PROGRAMMES, "eligible")
    shown = shown.sort_values("exclusion_error", na_position="first")
    figure = theme.new_figure(10.0, 2.6 + 0.42 * len(shown))
    axes = figure.subplots()
    key: list[Artist] = []
    for kind, shift, colour in (("exclusion", 0.19, theme.BLUE), ("inclusion", -0.19, theme.ORANGE)):
        for row, share in enumerate(shown[f"{kind}_error"].astype(float)):
            length = float(np.nan_to_num(share * 100))
            axes.barh(row + shift, length, 0.36, color=colour)
            panel.value_label(axes, percent(share, lang, 0), (length, row + shift), beside=True)
        key.append(Patch(color=colour, label=word(f"targeting.{kind}", lang)))
    names = [read.programme_name(run, str(programme), lang) for programme in shown["programme"]]
    axes.set_yticks(range(len(shown)), [theme.wrap(name, 3.4, most=2) for name in names])
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 108)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    panel.value_axis(axes, lang, word("axis.error", lang), which="x")
    median, most = float(rows["exclusion_error"].median()), float(shown["inclusion_error"].max())
    title = word("targeting.title_empty", lang)
    if np.isfinite([median, most]).all():
        errors = {"exclusion": percent(median, lang, 0), "inclusion": percent(most, lang, 0)}
        title = word("targeting.title", lang, year=read.year_name(run, year, lang), **errors)
    others = len(rows) - len(shown)
    bottom = word("targeting.more", lang, n=len(shown), others=others) if others else ""
    return theme.dress(figure, run, lang, title, word("targeting.note", lang), key, bottom=bottom)
