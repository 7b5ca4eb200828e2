"""Pictures of a comparison by name, with the data behind each; those of prevalence, differences and groups are here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from konvergensi.base.words import Lang, month_name, number, percent, word
from konvergensi.report import axes as panel
from konvergensi.report import comparison_figure as base
from konvergensi.report import figures_comparison_money as money
from konvergensi.report import figures_comparison_places as places
from konvergensi.report import figures_comparison_services as services
from konvergensi.report import figures_published as published
from konvergensi.report import numbers, theme
from konvergensi.report import readings as read
from konvergensi.report import readings_comparison as compared

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

_FOREST = ("prevalence", "stunted_children", "protected_in_time", "complete_package_share")
_LABEL_AT = 0.13  # of the width of the panel: the middle of a target's label
_TARGET_NEAR = 8.0  # percentage points: a target further below what is drawn would flatten the picture


@theme.themed
def trajectories(comparison: Comparison, lang: Lang) -> Figure:
    """True prevalence of every policy; the first one's interval as a band, every interval at the end as a bar.

    With too few runs to say anything there are no intervals: they would hide the lines.
    """
    few = compared.too_few(comparison)
    shown = compared.policies(comparison)
    table = comparison.comparison[comparison.comparison["measure"] == "prevalence"]
    figure = base.new()
    axes, ends = figure.subplots(1, 2, sharey=True, width_ratios=(8, max(1.0, 0.45 * len(shown))))
    panel.time_axis(axes, lang, comparison, table["month"], most=5)
    first = next(iter(shown))
    for scenario, policy in shown.items():
        rows = table[table["policy"] == scenario].sort_values("month")
        at = read.year_fraction(rows["month"])
        if scenario == first and not few:
            axes.fill_between(at, rows["low"], rows["high"], color=policy.colour, alpha=0.12, lw=0, zorder=1)
        marker = "o" if len(rows) == 1 else ""
        axes.plot(at, rows["mean"], color=policy.colour, ls=policy.dashes, lw=2.2, marker=marker, zorder=3)
    key = base.key(list(shown.values()), lang, line=True)
    lowest = float(np.nanmin(table[["mean"] if few else ["mean", "low"]].to_numpy(float)))
    due = comparison.targets[comparison.targets["runs"] > 0]
    for target in sorted(due["target_percent"].unique(), reverse=True):
        if target > lowest - _TARGET_NEAR:
            axes.axhline(target, color=theme.GREY, lw=1.2, ls=(0, (5, 3)), zorder=1)
            ends.axhline(target, color=theme.GREY, lw=1.2, ls=(0, (5, 3)), zorder=1)
            label = word("compare.target", lang, target=number(target, lang, int(target % 1 > 0)))
            begin, end = axes.get_xlim()
            panel.value_label(axes, label, (begin + _LABEL_AT * (end - begin), target))
    panel.value_axis(axes, lang, word("axis.prevalence", lang))
    month = compared.last_month(comparison)
    for place, (scenario, policy) in enumerate(shown.items()):
        end = compared.level(comparison, "prevalence", scenario)
        if end.has_interval and not few:
            ends.vlines(place, end.low, end.high, color=policy.colour, lw=2.2)
        ends.plot([place], [end.mean], policy.marker, color=policy.colour, ms=6, mec="white")
    ends.set_xlim(-0.8, len(shown) - 0.2)
    ends.set_xticks(range(len(shown)), [policy.letter for policy in shown.values()])
    ends.grid(axis="x", visible=False)
    ends.tick_params(axis="y", length=0, labelleft=False)
    ends.spines["left"].set_visible(False)
    ends.set_xlabel(month_name(month, lang))
    key += panel.shock_bands(axes, next(iter(comparison.details.values())), lang)
    values = [compared.level(comparison, "prevalence", scenario).mean for scenario in shown]
    shown_in = {"low": percent(min(values) / 100, lang), "high": percent(max(values) / 100, lang)}
    title = word("compare.trajectories.title", lang, month=month_name(month, lang), **shown_in)
    note = word("compare.trajectories.note", lang, first=shown[first].letter)
    note = word("compare.trajectories.note_few", lang) if few else note
    return base.finish(figure, comparison, lang, title, 3.4, note, key)


@theme.themed
def difference_over_time(comparison: Comparison, lang: Lang) -> Figure:
    """Difference of prevalence to the first policy by month, with intervals."""
    figure = base.new()
    axes = figure.subplots()
    table = comparison.comparison[comparison.comparison["measure"] == "prevalence"]
    panel.time_axis(axes, lang, comparison, table["month"], most=6)
    base.zero(axes, vertical=False)
    for policy in base.others(comparison):
        rows = table[table["policy"] == policy.id].sort_values("month")
        at = read.year_fraction(rows["month"])
        if not compared.too_few(comparison):
            axes.fill_between(at, rows["diff_low"], rows["diff_high"], color=policy.colour, alpha=0.14, lw=0)
        marker = "o" if len(rows) == 1 else ""
        axes.plot(at, rows["difference"], color=policy.colour, ls=policy.dashes, lw=2.2, marker=marker)
    panel.value_axis(axes, lang, word("compare.axis.difference", lang))
    key = base.key(base.others(comparison), lang, line=True)
    first, lead = (compared.policies(comparison)[s] for s in (base.first(comparison), compared.leading(comparison)))
    change = compared.difference(comparison, "prevalence", lead.id)
    shown = {"lead": lead.letter, "first": first.letter, "change": numbers.change(change, "prevalence", lang)}
    title = word("compare.difference_over_time.title", lang, month=base.end(comparison, lang), **shown)
    note = word("compare.difference_over_time.note", lang, first=first.name(lang))
    return base.finish(figure, comparison, lang, title, 2.9, note, key)


@theme.themed
def differences(comparison: Comparison, lang: Lang) -> Figure:
    """Differences to the first policy in the last month, one panel per measure, with intervals."""
    others, first = base.others(comparison), compared.policies(comparison)[base.first(comparison)]
    figure = base.new()
    panels = figure.subplots(len(_FOREST), 1, squeeze=False).ravel()
    for axes, measure in zip(panels, _FOREST):
        scale = numbers.unit_of(measure).scale
        for place, policy in enumerate(others):
            change = compared.difference(comparison, measure, policy.id).scaled(scale)
            if change.has_interval:
                axes.hlines(place, change.low, change.high, color=policy.colour, lw=2.4)
            axes.plot([change.mean], [place], policy.marker, color=policy.colour, ms=7, mec="white", zorder=3)
        base.zero(axes)
        axes.set_yticks(range(len(others)), [policy.letter for policy in others])
        axes.set_ylim(len(others) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        panel.value_axis(axes, lang, "", which="x")
        axes.set_title(word(f"compare.measure.{measure}", lang), loc="left", fontsize=theme.SMALL)
    title = word("compare.differences.title", lang, first=first.letter, month=base.end(comparison, lang))
    note = word("compare.differences.note", lang, first=first.name(lang))
    height = len(_FOREST) * (0.62 + 1.3 * base.ROW * len(others))
    return base.finish(figure, comparison, lang, title, height, note, base.key(others, lang))


@theme.themed
def groups(comparison: Comparison, lang: Lang) -> Figure:
    """Difference of prevalence to the first policy by place, wealth and age, with intervals."""
    others, first = base.others(comparison), compared.policies(comparison)[base.first(comparison)]
    figure = base.new()
    kinds = {
        kind: found
        for kind, names in compared.GROUPS.items()
        if (found := [name for name in names if compared.has_group(comparison, name)])
    }
    rows = max(sum(len(names) for names in kinds.values()), 1)
    lead = compared.policies(comparison)[compared.leading(comparison)]
    words = {"lead": lead.letter, "first": first.letter}
    note = word("compare.groups.note", lang, **words)
    if not kinds:
        panel.nothing(figure.subplots(), lang)
        return base.finish(figure, comparison, lang, word("compare.groups.title_none", lang), 1.2, note)
    ratios = [len(names) for names in kinds.values()]
    panels = figure.subplots(len(kinds), 1, sharex=True, squeeze=False, height_ratios=ratios).ravel()
    for axes, (kind, names) in zip(panels, kinds.items()):
        base.zero(axes)
        for shift, policy in zip(base.dodge(len(others)), others):
            for place, name in enumerate(names):
                change = compared.group_difference(comparison, policy.id, name)
                if change.has_interval:
                    axes.hlines(place + shift, change.low, change.high, color=policy.colour, lw=1.8)
                style = {"color": policy.colour, "ms": 5.5, "mec": "white", "mew": 0.5, "zorder": 3}
                axes.plot([change.mean], [place + shift], policy.marker, **style)
        base.rows_axis(axes, [compared.group_name(name, lang) for name in names])
        axes.set_title(word(f"compare.groups.{kind}", lang), loc="left", fontsize=theme.SMALL)
    panel.value_axis(panels[-1], lang, word("compare.axis.difference", lang), which="x")
    title = word("compare.groups.title_none", lang)
    poor, rich = (compared.group_difference(comparison, lead.id, name) for name in ("wealth_1", "wealth_5"))
    if np.isfinite([poor.mean, rich.mean]).all():
        shown = {"poor": numbers.change(poor, "prevalence", lang), "rich": numbers.change(rich, "prevalence", lang)}
        title = word("compare.groups.title", lang, **words, **shown)
    height = 0.5 + 0.35 * len(kinds) + rows * max(0.24, 0.13 * len(others))
    return base.finish(figure, comparison, lang, title, height, note, base.key(others, lang))


def _of_measures(*measures: str) -> Callable[[Comparison], pd.DataFrame]:
    def data(comparison: Comparison) -> pd.DataFrame:
        table = comparison.comparison
        return table[table["measure"].isin(measures)]

    return data


def _at_end(comparison: Comparison) -> pd.DataFrame:
    table = comparison.comparison
    return table[table["measure"].isin(_FOREST) & (table["month"] == compared.last_month(comparison))]


Maker = Callable[["Comparison", Lang], Figure]
# name -> (picture, its data), in the order in which the report shows them
FIGURES: dict[str, tuple[Maker, Callable[[Comparison], pd.DataFrame]]] = {
    "trajectories": (trajectories, _of_measures("prevalence")),
    "difference_over_time": (difference_over_time, _of_measures("prevalence")),
    "differences": (differences, _at_end),
    "routine": (published.compared_routine, published.compared_routine_data),
    "cascade": (services.cascade, services.cascade_data),
    "services": (services.services, services.services_data),
    "map_before": (places.map_before, places.villages_before),
    "map_after": (places.map_after, places.villages_after),
    "map_change": (places.map_change, places.villages_after),
    "groups": (groups, lambda comparison: comparison.groups),
    "cost_cases": (money.cost_cases, money.cost_data),
    "cost_protected": (money.cost_protected, money.cost_data),
    "money": (money.money, money.money_data),
    "calendar": (money.planning_calendar, money.calendar_data),
    "network_before": (places.network_before, places.ties_before),
    "network_after": (places.network_after, places.ties_after),
    "targeting": (services.targeting, services.targeting_data),
}
# what a figure needs to be in the report at all
NEEDS = {"routine": published.compared_has_routine}


def figures_of(comparison: Comparison) -> dict[str, tuple[Maker, Callable[[Comparison], pd.DataFrame]]]:
    """The figures that this comparison has, of FIGURES."""
    return {name: each for name, each in FIGURES.items() if name not in NEEDS or NEEDS[name](comparison)}
