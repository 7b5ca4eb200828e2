"""Pictures of money and time: cost planes, money by source, and the calendar with its doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from konvergensi.base.words import Lang, month_of_year, percent, word
from konvergensi.report import axes as panel
from konvergensi.report import comparison_figure as base
from konvergensi.report import numbers, theme
from konvergensi.report import readings as read
from konvergensi.report import readings_comparison as compared
from konvergensi.report import readings_moves as moves
from konvergensi.report.readings_comparison import Policy

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

_DOOR_COLOURS = {True: theme.GREEN, False: theme.RED}
_STEP_MARKERS = {"analysis": "<", "plan": "^", "rembuk": "s"}


@theme.themed
def cost_cases(comparison: Comparison, lang: Lang) -> Figure:
    """Money spent more against stunting cases averted, one point per run."""
    return _plane(comparison, lang, "d_cases")


@theme.themed
def cost_protected(comparison: Comparison, lang: Lang) -> Figure:
    """Money spent more against children protected in time, one point per run."""
    return _plane(comparison, lang, "d_protected")


def _plane(comparison: Comparison, lang: Lang, effect: str) -> Figure:
    figure = base.new()
    axes = figure.subplots()
    others, first = base.others(comparison), compared.policies(comparison)[base.first(comparison)]
    for policy in others:
        rows = compared.cost_effect(comparison, policy.id)
        gain, cost = compared.over_runs(rows, effect), compared.over_runs(rows, "d_cost_rp").scaled(1e-9)
        axes.plot(rows[effect], rows["d_cost_rp"] / 1e9, policy.marker, color=policy.colour, ms=3.2, alpha=0.28, mew=0)
        if gain.has_interval:
            axes.hlines(cost.mean, gain.low, gain.high, color=policy.colour, lw=1.8, zorder=3)
            axes.vlines(gain.mean, cost.low, cost.high, color=policy.colour, lw=1.8, zorder=3)
        style = {"color": policy.colour, "ms": 8, "mec": "white", "zorder": 4}
        axes.plot([gain.mean], [cost.mean], policy.marker, **style)
    base.zero(axes)
    base.zero(axes, vertical=False)
    panel.value_axis(axes, lang, word("compare.axis.cost", lang))
    panel.value_axis(axes, lang, word(f"compare.axis.{effect}", lang), which="x")
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    lead = compared.policies(comparison)[compared.leading(comparison)]
    price, _ = compared.cost_per(comparison, lead.id, effect, lang)
    words = {"lead": lead.letter, "first": first.letter}
    title = word(f"compare.plane.none.{effect}", lang, **words)
    if price is not None:
        title = word(f"compare.plane.title.{effect}", lang, price=numbers.rupiah(price, lang), **words)
    note = word("compare.plane.note", lang, first=first.name(lang))
    bottom = assumed_prices(comparison, lang)
    return base.finish(figure, comparison, lang, title, 3.3, note, base.key(others, lang), "interval.cloud", bottom)


def assumed_prices(comparison: Comparison, lang: Lang) -> str:
    """How much of the money rests on unit costs that are assumptions."""
    n, share = compared.priced_by_assumption(comparison, compared.leading(comparison))
    if not np.isfinite(share):
        return ""
    return word("compare.plane.assumed", lang, n=n, share=percent(share, lang, 0))


@theme.themed
def money(comparison: Comparison, lang: Lang) -> Figure:
    """Rupiah spent over the whole span, by source, policies side by side; how much more was budgeted as a mark."""
    shown = compared.policies(comparison)
    spent, budgeted = (compared.money(comparison, stage) / 1e9 for stage in ("spent", "budgeted"))
    figure = base.new()
    axes = figure.subplots()
    shades = matplotlib.colormaps[theme.SCALE](np.linspace(0.05, 0.95, max(spent.shape[1], 2)))
    key: list[Artist] = []
    left = np.zeros(len(shown))
    for source, shade in zip(spent.columns, shades):
        axes.barh(range(len(shown)), spent[source], 0.62, left=left, color=shade, ec="white", lw=0.4)
        left = left + spent[source].to_numpy(float)
        key.append(Patch(color=shade, label=read.source_name(str(source), lang)))
    total = budgeted.sum(axis=1).to_numpy(float)
    axes.plot(total, range(len(shown)), "|", ms=14, mew=2.2, color=theme.RED, ls="")
    label = word("compare.money.budgeted", lang)
    key.append(Line2D([], [], ls="", marker="|", ms=12, mew=2.2, color=theme.RED, label=label))
    base.rows_axis(axes, [policy.letter for policy in shown.values()])
    panel.value_axis(axes, lang, word("axis.rp_billion", lang), which="x")
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.set_xlim(0, max(float(np.nanmax(np.append(total, left))), 1e-9) * 1.08)
    lead, first = compared.leading(comparison), base.first(comparison)
    before, share = (compared.spent_share(comparison, scenario) for scenario in (first, lead))
    words = {"first": shown[first].letter, "lead": shown[lead].letter}
    words |= {"before": percent(before, lang, 0), "after": percent(share, lang, 0)}
    title = word("compare.money.title", lang, **words)
    names = "; ".join(policy.name(lang) for policy in shown.values())
    note = word("compare.money.note", lang, policies=names)
    return base.finish(figure, comparison, lang, title, 0.55 + 0.4 * len(shown), note, key, "interval.mean")


@theme.themed
def planning_calendar(comparison: Comparison, lang: Lang) -> Figure:
    """When each policy analyses, plans and agrees, and which doors of next year's money its plan is in time for."""
    shown = compared.policies(comparison)
    figure = base.new()
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False).ravel()
    for axes, (scenario, policy) in zip(panels, shown.items()):
        run = comparison.details[scenario]
        at, doors, caught = moves.steps(run), moves.doors(run), moves.caught(run)
        axes.set_xlim(0.4, 12.9)
        axes.set_ylim(-0.7, 1.75)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.axhline(0, color=theme.PALE, lw=1.4, zorder=1)
        by_month: dict[int, list[str]] = {}
        for step in moves.STEPS:
            by_month.setdefault(at[step], []).append(step)
        for month, steps in by_month.items():
            for shift, step in zip(base.dodge(len(steps), 0.5), steps):
                axes.plot([month + shift], [1.1], _STEP_MARKERS[step], color=theme.BLUE, ms=8, mec="white", zorder=4)
        same: dict[int, list[str]] = {}
        for door, month in doors.items():
            same.setdefault(month, []).append(door)
        for month, names in same.items():
            for shift, door in zip(base.dodge(len(names), 0.6), names):
                ok = caught[door]
                style = {"color": _DOOR_COLOURS[ok], "ms": 9, "mew": 2.4 if not ok else 0.6, "zorder": 3}
                axes.plot([month + shift], [0], "o" if ok else "x", mec="white" if ok else theme.RED, **style)
        axes.axvline(at["plan"], color=theme.BLUE, lw=1.0, ls=(0, (2, 2)), zorder=2)
        k = sum(caught.values())
        head = word("compare.calendar.k", lang, k=k, n=len(caught))
        room = base.WIDTH - 0.7 - theme.text_width(f": {head}", theme.SMALL, "bold")
        name = theme.wrap(policy.name(lang), room, theme.SMALL, "bold", most=1)
        axes.set_title(f"{name}: {head}", loc="left", fontsize=theme.SMALL, fontweight="bold")
        axes.grid(axis="y", visible=False)
    panels[-1].set_xticks(range(1, 13), [month_of_year(m, lang, short=True) for m in range(1, 13)])
    key: list[Artist] = [
        Line2D(
            [], [], ls="", marker=_STEP_MARKERS[step], color=theme.BLUE, ms=8, label=word(f"compare.step.{step}", lang)
        )
        for step in moves.STEPS
    ]
    for ok, marker in ((True, "o"), (False, "x")):
        label = word(f"compare.calendar.{'caught' if ok else 'missed'}", lang)
        key.append(Line2D([], [], ls="", marker=marker, color=_DOOR_COLOURS[ok], ms=8, mew=2.4, label=label))
    first, lead = shown[base.first(comparison)], shown[compared.leading(comparison)]
    title = _calendar_title(comparison, first, lead, lang)
    run = comparison.details[lead.id]
    doors_named = ", ".join(
        f"{month_of_year(month, lang, short=True)} {word(f'compare.door.{door}', lang)}"
        for door, month in moves.doors(run).items()
    )
    note = word("compare.calendar.note", lang, doors=doors_named)
    return base.finish(figure, comparison, lang, title, 0.4 + 0.74 * len(shown), note, key, "interval.rule")


def _calendar_title(comparison: Comparison, first: Policy, lead: Policy, lang: Lang) -> str:
    before, after = (moves.caught(comparison.details[policy.id]) for policy in (first, lead))
    words = {"first": first.letter, "lead": lead.letter, "k": sum(before.values()), "m": sum(after.values())}
    return word("compare.calendar.title", lang, n=len(before), **words)


# ---- the data behind each ----


def cost_data(comparison: Comparison) -> pd.DataFrame:
    """Cost and effect of each run against the first scenario."""
    return comparison.cost_effect


def money_data(comparison: Comparison) -> pd.DataFrame:
    """Mean rupiah by scenario, source and stage."""
    mean = comparison.costs.groupby(["policy", "source", "stage"], sort=False)["amount_rp"].mean()
    return mean.rename("rp_mean_over_runs").reset_index()


def calendar_data(comparison: Comparison) -> pd.DataFrame:
    """Months of steps and doors in the last year, and whether the plan is in time."""
    rows = []
    for scenario, run in comparison.details.items():
        at, ready = moves.steps(run), moves.caught(run)
        rows += [(scenario, "step", step, at[step], "") for step in (*moves.STEPS, "village_rule")]
        rows += [(scenario, "door", d, m, "caught" if ready[d] else "missed") for d, m in moves.doors(run).items()]
    return pd.DataFrame(rows, columns=["policy", "kind", "name", "month_of_year", "plan"])
