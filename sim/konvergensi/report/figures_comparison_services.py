"""Pictures of what reaches children: the chain of services, service by service, and whom lists miss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from konvergensi.base.words import Lang, percent, word
from konvergensi.report import axes as panel
from konvergensi.report import comparison_figure as base
from konvergensi.report import readings as read
from konvergensi.report import readings_comparison as compared
from konvergensi.report import theme

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

_MOST_PROGRAMMES = 12


@theme.themed
def cascade(comparison: Comparison, lang: Lang) -> Figure:
    """Of all needs of all services, the share that reaches each stage, policies side by side."""
    shown = compared.policies(comparison)
    chains = {scenario: compared.chain_shares(comparison.details[scenario]) for scenario in shown}
    figure = base.new()
    axes = figure.subplots()
    stages = list(read.STAGES)
    for shift, (scenario, policy) in zip(base.dodge(len(shown)), shown.items()):
        for place, stage in enumerate(stages):
            value = float(chains[scenario].get(stage, np.nan)) * 100
            axes.hlines(place + shift, 0, np.nan_to_num(value), color=policy.colour, lw=1.4, alpha=0.6)
            axes.plot([value], [place + shift], policy.marker, color=policy.colour, ms=5.5, mec="white", mew=0.6)
    base.rows_axis(axes, [word(f"stage.{stage}", lang) for stage in stages])
    panel.value_axis(axes, lang, word("compare.axis.of_need", lang), which="x")
    axes.set_xlim(0, 104)
    first, lead = shown[base.first(comparison)], shown[compared.leading(comparison)]
    shown_in = {
        "first": first.letter,
        "lead": lead.letter,
        "before": percent(float(chains[first.id].get("taken_up", np.nan)), lang, 0),
        "after": percent(float(chains[lead.id].get("taken_up", np.nan)), lang, 0),
        "year": base.last_year(comparison),
    }
    title, note = word("compare.cascade.title", lang, **shown_in), word("compare.cascade.note", lang)
    key = base.key(list(shown.values()), lang)
    height = 0.5 + len(stages) * max(0.3, 0.14 * len(shown))
    return base.finish(figure, comparison, lang, title, height, note, key, "interval.detail")


@theme.themed
def services(comparison: Comparison, lang: Lang) -> Figure:
    """Share of the need of each service that is taken up, policies side by side, most need met on top."""
    shown = compared.policies(comparison)
    uptake = _uptake(comparison)
    names = next(iter(comparison.details.values()))
    figure = base.new()
    axes = figure.subplots()
    for scenario, policy in shown.items():
        axes.plot(
            uptake[scenario] * 100,
            range(len(uptake)),
            policy.marker,
            color=policy.colour,
            ms=6.5,
            mec="white",
            mew=0.7,
            alpha=0.9,
        )
    for place, row in enumerate(uptake.to_numpy(float)):
        if np.isfinite(row).any():
            axes.hlines(place, np.nanmin(row) * 100, np.nanmax(row) * 100, color=theme.PALE, lw=3, zorder=1)
    labels = [theme.wrap(read.service_name(names, str(service), lang), 1.9, most=2) for service in uptake.index]
    base.rows_axis(axes, labels)
    panel.value_axis(axes, lang, word("compare.axis.of_service", lang), which="x")
    axes.set_xlim(-2, 102)
    lead = compared.leading(comparison)
    gain = (uptake[lead] - uptake[base.first(comparison)]).fillna(0.0) if len(uptake) else pd.Series(dtype=float)
    title = word("compare.services.title_none", lang)
    if len(gain) and gain.abs().max() > 0.005:
        most = str(gain.abs().idxmax())
        shown_in = {
            "service": read.service_name(names, most, lang),
            "before": percent(float(uptake.loc[most, base.first(comparison)]), lang, 0),
            "after": percent(float(uptake.loc[most, lead]), lang, 0),
            "lead": shown[lead].letter,
        }
        title = word("compare.services.title", lang, **shown_in)
    note = word("compare.services.note", lang, year=base.last_year(comparison))
    key = base.key(list(shown.values()), lang)
    height = 0.5 + 0.34 * max(len(uptake), 2)
    return base.finish(figure, comparison, lang, title, height, note, key, "interval.detail")


def _uptake(comparison: Comparison) -> pd.DataFrame:
    """Share of the need that is taken up: one row per service offered by anybody, one column per scenario."""
    wide = {}
    for scenario, run in comparison.details.items():
        children = compared.stages(run)
        wide[scenario] = children["taken_up"] / children["in_need"] if len(children) else pd.Series(dtype=float)
    table = pd.DataFrame(wide)
    return table.loc[table.mean(axis=1).sort_values(ascending=False, kind="stable").index]


@theme.themed
def targeting(comparison: Comparison, lang: Lang) -> Figure:
    """Exclusion and inclusion error of the programmes with most people entitled, policies side by side."""
    shown = compared.policies(comparison)
    errors = _targeting(comparison)
    figure = base.new()
    if errors.empty:
        panel.nothing(figure.subplots(), lang)
        return base.finish(figure, comparison, lang, word("targeting.title_empty", lang), 1.2)
    names = list(errors.index.unique("programme"))
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, kind in ((left, "exclusion"), (right, "inclusion")):
        wide = errors[f"{kind}_error"].unstack("policy").reindex(index=names, columns=list(shown)) * 100
        for place, row in enumerate(wide.to_numpy(float)):
            if np.isfinite(row).any():
                axes.hlines(place, np.nanmin(row), np.nanmax(row), color=theme.PALE, lw=3, zorder=1)
        for scenario, policy in shown.items():
            style = {"color": policy.colour, "ms": 6.5, "mec": "white", "mew": 0.7, "alpha": 0.9}
            axes.plot(wide[scenario], range(len(names)), policy.marker, **style)
        axes.set_xlim(-3, 103)
        panel.value_axis(axes, lang, word(f"compare.axis.{kind}", lang), which="x")
        axes.xaxis.set_major_locator(FixedLocator([0, 50, 100]))
    run = next(iter(comparison.details.values()))
    base.rows_axis(left, [theme.wrap(read.programme_name(run, name, lang), 1.9, most=3) for name in names])
    right.tick_params(axis="y", length=0)
    right.grid(axis="y", visible=False)
    first, lead = shown[base.first(comparison)], shown[compared.leading(comparison)]
    before, after = (compared.median_exclusion(comparison.details[policy.id]) for policy in (first, lead))
    words = {"first": first.letter, "lead": lead.letter, "before": percent(before, lang, 0)}
    title = word("compare.targeting.title", lang, after=percent(after, lang, 0), **words)
    note = word("compare.targeting.note", lang, n=len(names), year=base.last_year(comparison))
    key = base.key(list(shown.values()), lang)
    height = 0.55 + 0.52 * len(names)
    return base.finish(figure, comparison, lang, title, height, note, key, "interval.detail")


def _targeting(comparison: Comparison) -> pd.DataFrame:
    """Errors by (programme, scenario), of the programmes with most people entitled under the first scenario."""
    tables = {s: compared.errors(run) for s, run in comparison.details.items()}
    first = tables[base.first(comparison)]
    chosen = list(first.nlargest(_MOST_PROGRAMMES, "eligible")["programme"])
    parts = [table[table["programme"].isin(chosen)].assign(policy=s) for s, table in tables.items()]
    found = pd.concat(parts, ignore_index=True).set_index(["programme", "policy"])
    order = {programme: place for place, programme in enumerate(chosen)}
    return found.sort_index(level="programme", key=lambda names: names.map(order), sort_remaining=False)


# ---- the data behind each ----


def cascade_data(comparison: Comparison) -> pd.DataFrame:
    """Share of all needs by stage and scenario."""
    chains = {scenario: compared.chain_shares(run) for scenario, run in comparison.details.items()}
    table = pd.DataFrame(chains).rename_axis("stage").reset_index()
    return table.melt("stage", var_name="policy", value_name="share_of_need")


def services_data(comparison: Comparison) -> pd.DataFrame:
    """Share of the need taken up by service and scenario."""
    table = _uptake(comparison).rename_axis("service").reset_index()
    return table.melt("service", var_name="policy", value_name="share_of_need_taken_up")


def targeting_data(comparison: Comparison) -> pd.DataFrame:
    """Errors by programme and scenario."""
    return _targeting(comparison).reset_index()
