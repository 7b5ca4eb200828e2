"""What happens to a district and nobody chooses, a cut or a pandemic: what it takes away, where and when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from konvergensi.analyses.budget_lines import own_sentence
from konvergensi.base.months import format_month, parse_month
from konvergensi.base.words import Lang, month_name, number, word, word_or
from konvergensi.report import numbers
from konvergensi.report import readings as read
from konvergensi.report import readings_comparison as compared
from konvergensi.report import readings_moves as moves
from konvergensi.report.decision import Line
from konvergensi.report.origin import synthetic_places
from konvergensi.report.readings_comparison import Estimate, Policy
from konvergensi.report.readings_moves import Moved

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

LEAST_CHILDREN = 0.5  # fewer is none
_MOST = 4  # services and kecamatan named
_LEAST_RP = 5e7  # rupiah a year of a source: less is under 0.1 billion


def events(comparison: Comparison) -> list[Policy]:
    """The events among the scenarios after the first."""
    others = list(compared.policies(comparison).values())[1:]
    return [each for each in others if compared.is_event(comparison, each.id)]


def lines(comparison: Comparison, event: Policy, lang: Lang, own: bool = True) -> list[Line]:
    """What an event takes away: children, money, services; where and when.

    own: say whose the money is, unless the page says so already.
    """
    told = [_when(comparison, event, lang), _children(comparison, event, lang), _sure(comparison, event, lang),
            _protected(comparison, event, lang), _by_year(comparison, event, lang), _money(comparison, event, lang),
            _services(comparison, event, lang), _groups(comparison, event, lang), _kecamatan(comparison, event, lang),
            own_money(comparison, lang) if own else ""]  # fmt: skip
    return [Line(text) for text in told if text]


def cases(children: float, lang: Lang) -> str:
    """So many stunted children more or fewer."""
    if not np.isfinite(children) or abs(children) < LEAST_CHILDREN:
        return word("front.as_many", lang)
    return word("front.more" if children > 0 else "front.fewer", lang, n=number(_rounded(abs(children)), lang))


def changed(comparison: Comparison, change: Estimate, measure: str, lang: Lang) -> str:
    """A difference as page one says it: its range in words, none where there are too few simulations for one."""
    return numbers.change(known(comparison, change), measure, lang, "front")


def known(comparison: Comparison, estimate: Estimate) -> Estimate:
    """An estimate without its range where there are too few simulations to tell one."""
    return replace(estimate, low=np.nan, high=np.nan) if compared.too_few(comparison) else estimate


def points(value: float, lang: Lang) -> str:
    """A difference in points with its sign, two decimals."""
    shown = number(value, lang, 2)
    return word("unit.points", lang, n=f"+{shown}" if value > 0 and shown.strip("0.,") else shown)


def billion(rp: float, lang: Lang) -> str:
    """Rp billion with its sign."""
    return ("+" if rp > 0 else "") + number(rp / 1e9, lang, 1)


def own_money(comparison: Comparison, lang: Lang) -> str:
    """How much of the money is the planner's own."""
    own = comparison.manifest.get("own_money")
    return own_sentence(own, lang) if own else ""


def _rounded(children: float) -> float:
    """Two digits that count: 1,243 is about 1,200."""
    return float(f"{children:.2g}")


def _when(comparison: Comparison, event: Policy, lang: Lang) -> str:
    own = moves.moved_besides(comparison, event.id)
    if not own:
        return ""
    since = min(each.month for each in own)
    ends = _back(own)
    until = word("front.lost.until", lang, month=month_name(ends, lang)) if ends else ""
    return word("front.lost.when", lang, since=month_name(since, lang), until=until)


def _back(own: list[Moved]) -> str | None:
    """The last month in which it acts, YYYY-MM; None where something stays as it was put."""
    before: dict[str, str] = {}
    last: dict[str, Moved] = {}
    for each in sorted(own, key=lambda one: one.month):
        before.setdefault(each.key, each.old)
        last[each.key] = each
    if any(each.new != before[each.key] for each in last.values()):
        return None
    return format_month(parse_month(max(each.until or each.month for each in last.values())) - 1)


def _children(comparison: Comparison, event: Policy, lang: Lang) -> str:
    last = compared.difference(comparison, "prevalence", event.id)
    table = comparison.comparison
    rows = table[(table["policy"] == event.id) & (table["measure"] == "prevalence")]
    peak = rows.iloc[int(np.nanargmax(rows["difference"].abs()))] if rows["difference"].notna().any() else None
    month = month_name(compared.last_month(comparison), lang)
    if last.is_zero or peak is None:
        return word("front.lost.none", lang, month=month, points=points(last.mean, lang))
    children = cases(compared.difference(comparison, "stunted_children", event.id).mean, lang)
    top = {"peak": month_name(str(peak["month"]), lang), "most": points(float(peak["difference"]), lang)}
    return word("front.lost.children", lang, cases=children, month=month, points=points(last.mean, lang), **top)


def _sure(comparison: Comparison, event: Policy, lang: Lang) -> str:
    runs = compared.runs_each(comparison)
    if runs < 2:
        return word("front.sure.one", lang)
    worse = 1.0 - compared.better_share(comparison, event.id, ties=True)
    mean = compared.pair(comparison, str(comparison.manifest["policies"][0]), event.id)
    kind = "loss_open" if mean.has_interval and mean.low <= 0 <= mean.high and worse > 0 else "loss"
    return word(f"front.sure.{kind}", lang, k=number(runs * worse, lang), n=number(runs, lang))


def _protected(comparison: Comparison, event: Policy, lang: Lang) -> str:
    change = compared.over_runs(compared.cost_effect(comparison, event.id), "d_protected")
    if not np.isfinite(change.mean):
        return ""
    return word("front.lost.protected", lang, change=changed(comparison, change, "protected_in_time", lang))


def _by_year(comparison: Comparison, event: Policy, lang: Lang) -> str:
    """Children protected in time fewer in each year, where the table has the months."""
    table = comparison.comparison
    rows = table[(table["policy"] == event.id) & (table["measure"] == "protected_in_time")].sort_values("month")
    rows = rows[rows["month"].str.endswith("-12")]
    since = compared.begins(comparison, event.id)
    yearly = rows.set_index(rows["month"].str[:4])["difference"].diff().fillna(rows["difference"].iloc[:1].sum())
    told = [f"{year} {_children_change(value, lang)}" for year, value in yearly.items() if str(year) >= since[:4]]
    return word("front.lost.year", lang, years="; ".join(told)) if len(told) > 1 else ""


def _children_change(value: float, lang: Lang) -> str:
    shown = number(value, lang)
    return f"+{shown}" if value > 0 and shown != "0" else shown


def _money(comparison: Comparison, event: Policy, lang: Lang) -> str:
    less = {source: rp for source, rp in compared.more_spent(comparison, event.id).items() if source in read.SOURCES}
    name = {source: word_or(f"source_short.{source}", lang, source) for source in less}
    hit = [f"{name[source]} {billion(rp, lang)}" for source, rp in less.items() if abs(rp) >= _LEAST_RP]
    spared = [name[source] for source, rp in less.items() if abs(rp) < _LEAST_RP]
    shown = "; ".join(hit) or word("front.costs.little", lang)
    if spared and hit:
        return word("front.lost.money", lang, sources=shown, others=", ".join(spared))
    return word("front.lost.money_all", lang, sources=shown)


def _services(comparison: Comparison, event: Policy, lang: Lang) -> str:
    """The services whose deliveries fall most in the year in which they fall most, in the one run kept in full."""
    first = str(comparison.manifest["policies"][0])
    before, after = (_taken_up(comparison, scenario) for scenario in (first, event.id))
    change = (after - before).dropna()
    if change.empty or not (change < 0).any():
        return ""
    by_year = change.groupby(level="year").sum()
    year = by_year.index[int(np.argmin(by_year))]
    share = (100 * change[year] / before[year].reindex(change[year].index)).replace([np.inf, -np.inf], np.nan).dropna()
    worst = share[share <= -0.5].nsmallest(_MOST)
    told = [
        word("front.lost.service", lang, service=read.service_name(comparison.details[first], service, lang),
             change=number(value, lang))
        for service, value in worst.items()
    ]  # fmt: skip
    return word("front.lost.services", lang, year=year, services="; ".join(told)) if told else ""


def _taken_up(comparison: Comparison, scenario: str) -> pd.Series:
    table = comparison.details[scenario].cascade
    rows = table[table["stage"] == "taken_up"]
    return rows.groupby(["year", "service"])["children"].sum()


def _groups(comparison: Comparison, event: Policy, lang: Lang) -> str:
    names = [each for each in ("lokus", "non_lokus", "wealth_1", "wealth_5") if compared.has_group(comparison, each)]
    changes = {name: compared.group_difference(comparison, event.id, name) for name in names}
    if not changes or all(change.is_zero or not np.isfinite(change.mean) for change in changes.values()):
        return ""
    told = [f"{compared.group_name(name, lang)} {points(change.mean, lang)}" for name, change in changes.items()]
    return word("front.lost.where", lang, groups="; ".join(told))


def _kecamatan(comparison: Comparison, event: Policy, lang: Lang) -> str:
    """The kecamatan with most added stunting; none where villages are made up, or it moves nowhere."""
    if synthetic_places(comparison):
        return ""
    table = comparison.villages[comparison.villages["policy"] == event.id]
    worst = table.groupby("kecamatan")["difference"].mean().nlargest(_MOST)
    told = [f"{name} ({points(value, lang)})" for name, value in worst.items() if value > 0]
    return word("front.lost.kecamatan", lang, names="; ".join(told)) if told else ""
