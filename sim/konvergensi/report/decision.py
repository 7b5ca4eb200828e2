"""The decision sheet in words: what to do by when, how sure, who gains, what it costs, what would change the answer.

`decision.md` and the opening of `report.html` show the same sheet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from konvergensi.report import numbers
from konvergensi.report import readings_comparison as compared
from konvergensi.report.origin import comparison_origin, period, plain, synthetic
from konvergensi.report.readings_comparison import Estimate, Moved, Policy
from konvergensi.report.words import Lang, counted, listed, month_name, month_of_year, number, percent, word

if TYPE_CHECKING:
    from konvergensi.experiments.comparison import Comparison

SHOWN_ASSUMPTIONS = 3
_MOST_RIVALS = 4
_ROOM = 10  # levers that the sheet has room to spell out, so that it stays one page; the report has them all
_MOST_LEVERS = 2  # of a theme
# theme of what a policy does -> the step or door by which it must be done; None: at any time
_BY = {
    "review": "review",
    "plan": "plan",
    "lists": "data",
    "told": "apbd",
    "lead": "rembuk",
    "joint": "apbd",
    "central": "apbn",
    "villages": "dana-desa",
    "village_fund": "village_rule",
    "apbd": "apbd",
    "opd": "apbd",
    "doors": None,
    "other": None,
}


@dataclass(frozen=True)
class Line:
    """A sentence, or several, with what they are about in front."""

    text: str
    label: str = ""


@dataclass
class Part:
    """A heading and what stands under it."""

    heading: str
    lines: list[Line] = field(default_factory=list)


@dataclass
class Sheet:
    """One page: title, the answer, parts, and where it comes from."""

    title: str
    answer: list[str]
    parts: list[Part]
    origin: str


def sheet(comparison: Comparison, lang: Lang) -> Sheet:
    """The decision sheet of a comparison."""
    manifest = comparison.manifest
    title = word(
        "decision.title",
        lang,
        district=manifest.get("district_name", manifest["district"]),
        policies=counted("count.policies", len(manifest["scenarios"]), lang),
        period=period(comparison, lang),
    )
    parts = {"do": _do, "sure": _sure, "gains": _gains, "costs": _costs, "changes": _changes}
    made = [Part(word(f"decision.heading.{name}", lang), make(comparison, lang)) for name, make in parts.items()]
    return Sheet(title, _answer(comparison, lang), made, comparison_origin(comparison, lang))


def markdown(shown: Sheet) -> str:
    """The sheet as one page of Markdown; what comes from files is escaped."""
    text = [f"# {plain(shown.title)}", "", " ".join(plain(sentence) for sentence in shown.answer)]
    for part in shown.parts:
        text += ["", f"## {plain(part.heading)}", ""]
        text += [f"- **{plain(line.label)}**: {plain(line.text)}" if line.label else f"- {plain(line.text)}"
                 for line in part.lines]  # fmt: skip
    return "\n".join([*text, "", plain(shown.origin)]) + "\n"


def _pair(comparison: Comparison) -> tuple[Policy, Policy]:
    """The first policy and the leading one."""
    found = compared.policies(comparison)
    return found[comparison.manifest["scenarios"][0]], found[compared.leading(comparison)]


def _answer(comparison: Comparison, lang: Lang) -> list[str]:
    first, lead = _pair(comparison)
    shown = {
        "first": first.name(lang),
        "lead": lead.name(lang),
        "month": month_name(compared.last_month(comparison), lang),
        "level": numbers.level(compared.level(comparison, "prevalence", first.id), "prevalence", lang),
        "change": _change(comparison, "prevalence", lead.id, lang),
        "p": percent(compared.p_best(comparison, "prevalence", lead.id), lang, 0),
    }
    less = compared.difference(comparison, "prevalence", lead.id)
    if first.id == lead.id:
        kind = "alone"
    elif less.is_zero:
        kind = "same"
    elif less.mean >= 0:
        kind = "none_better"
    elif _decided(comparison, first.id, lead.id):
        kind = "best" if not compared.rivals(comparison, lead.id) else "among_best"
    else:
        kind = "undecided"
    return [word("decision.answer.today", lang, **shown), word(f"decision.answer.{kind}", lang, **shown)]


def _change(comparison: Comparison, measure: str, scenario: str, lang: Lang) -> str:
    return numbers.change(compared.difference(comparison, measure, scenario), measure, lang)


def _decided(comparison: Comparison, one: str, other: str) -> bool:
    return other not in [rival for rival, _ in compared.rivals(comparison, one)]


# ---- what to do, by when ---------------------------------------------------------------------------------------------


def _do(comparison: Comparison, lang: Lang) -> list[Line]:
    _, lead = _pair(comparison)
    run = comparison.details[lead.id]
    own = compared.moved_besides(comparison, lead.id)
    themes = list(dict.fromkeys(each.theme for each in own))
    if not themes:
        return [Line(word("decision.do.nothing", lang, lead=lead.letter)), Line(_doors(comparison, lang))]
    months = compared.steps(run) | compared.doors(run)
    named = {name.replace("-", "_"): month_of_year(month, lang) for name, month in months.items()}
    due = {theme: months[by] if (by := _BY[theme]) else 13 for theme in themes}
    shown = min(_MOST_LEVERS, max(_ROOM // len(themes), 1))
    lines = []
    for theme in sorted(themes, key=lambda name: (due[name], list(_BY).index(name))):
        by = word("decision.do.any_time", lang)
        if due[theme] <= 12:
            by = word("decision.do.by", lang, month=month_of_year(due[theme], lang))
        levers = _levers([each for each in own if each.theme == theme], shown, lang)
        lines.append(Line(word(f"decision.do.{theme}", lang, levers=levers, **named), by))
    return [*lines, Line(_doors(comparison, lang)), Line(_when(comparison, lead, lang))]


def _levers(moved: list[Moved], most: int, lang: Lang) -> str:
    """The first levers of a theme, from what to what, and how many more there are."""
    last = {each.key: each for each in moved}  # moved twice: what it comes to
    shown = "; ".join(
        word(
            "decision.do.lever",
            lang,
            meaning=compared.meaning(key, lang),
            old=compared.lever_value(key, each.old, lang),
            new=compared.lever_value(key, each.new, lang),
        )
        for key, each in list(last.items())[:most]
    )
    more = len(last) - most
    return (
        word("decision.do.more", lang, shown=shown, more=counted("count.more_levers", more, lang))
        if more > 0
        else shown
    )


def _doors(comparison: Comparison, lang: Lang) -> str:
    first, lead = _pair(comparison)
    before, after = (compared.caught(comparison.details[policy.id]) for policy in (first, lead))
    missed = listed((word(f"compare.door.{door}", lang) for door, ok in after.items() if not ok), lang)
    key = "decision.do.doors_missed" if missed else "decision.do.doors_caught"
    words = {"lead": lead.letter, "first": first.letter, "k": sum(after.values()), "m": sum(before.values())}
    return word(key, lang, n=len(after), **words, **({"missed": missed} if missed else {}))


def _when(comparison: Comparison, lead: Policy, lang: Lang) -> str:
    own = compared.moved_besides(comparison, lead.id)
    since, until = min(each.month for each in own), max(each.until or each.month for each in own)
    levers = counted("count.levers", len({each.key for each in own}), lang)
    key = "decision.do.at_once" if since == until else "decision.do.over_time"
    return word(
        key, lang, lead=lead.letter, levers=levers, since=month_name(since, lang), until=month_name(until, lang)
    )


# ---- how sure --------------------------------------------------------------------------------------------------------


def _sure(comparison: Comparison, lang: Lang) -> list[Line]:
    first, lead = _pair(comparison)
    runs = counted("count.runs", len(comparison.runs[["draw", "seed"]].drop_duplicates()), lang)
    lines = []
    for measure in ("prevalence", "protected_in_time"):
        rows = compared.at_end(comparison, measure)["p_best"]
        if rows.notna().any():
            best = compared.policies(comparison)[str(rows.idxmax())]
            words = {"best": best.name(lang), "p": percent(float(rows.max()), lang, 0), "runs": runs}
            lines.append(Line(word(f"decision.sure.{measure}", lang, **words)))
    if first.id != lead.id:
        lines.append(Line(_told_apart(comparison, lead, lang)))
    lines += [Line(text) for text in _targets(comparison, lead, lang)]
    return [*lines, Line(word("decision.sure.model", lang))]


def _told_apart(comparison: Comparison, lead: Policy, lang: Lang) -> str:
    rivals = compared.rivals(comparison, lead.id)
    if not rivals:
        return word("decision.sure.apart", lang, lead=lead.letter)
    found = compared.policies(comparison)
    named = []
    for other, more in rivals[:_MOST_RIVALS]:
        needed = word("decision.sure.hopeless", lang)
        if np.isfinite(more):
            needed = counted("count.more_runs", int(more), lang)
        named.append(word("decision.sure.rival", lang, policy=found[other].letter, needed=needed))
    if len(rivals) > _MOST_RIVALS:
        named.append(counted("count.more_policies", len(rivals) - _MOST_RIVALS, lang))
    return word("decision.sure.rivals", lang, lead=lead.letter, rivals=listed(named, lang))


def _targets(comparison: Comparison, lead: Policy, lang: Lang) -> list[str]:
    table = comparison.targets
    table = table[(table["scenario"] == lead.id) & (table["runs"] > 0)]
    return [
        word(
            "decision.sure.target",
            lang,
            lead=lead.letter,
            target=number(row.target_percent, lang, int(row.target_percent % 1 > 0)),
            month=month_name(row.month, lang),
            p=percent(row.probability, lang, 0),
        )
        for row in table.itertuples()
    ]


# ---- who gains, what it costs ----------------------------------------------------------------------------------------


def _gains(comparison: Comparison, lang: Lang) -> list[Line]:
    first, lead = _pair(comparison)
    lines = []
    for measure in ("protected_in_time", "stunted_children", "complete_package_share"):
        change = _change(comparison, measure, lead.id, lang)
        words = {"change": change, "first": first.letter, "month": month_name(compared.last_month(comparison), lang)}
        lines.append(Line(word(f"decision.gains.{measure}", lang, **words)))
    changes = {name: compared.group_difference(comparison, lead.id, name) for name in compared.groups(comparison)}
    changes = {name: change for name, change in changes.items() if np.isfinite(change.mean)}
    if changes and not all(change.is_zero for change in changes.values()):
        ordered = sorted(changes, key=lambda name: changes[name].mean)
        words = {end: _group(name, changes[name], lang) for end, name in (("most", ordered[0]), ("least", ordered[-1]))}
        kind = "groups" if changes[ordered[-1]].mean <= 0 else "groups_worse"
        lines.append(Line(word(f"decision.gains.{kind}", lang, **words)))
    return lines


def _group(name: str, change: Estimate, lang: Lang) -> str:
    shown = numbers.change(change, "prevalence", lang)
    return word("decision.gains.group", lang, group=compared.group_name(name, lang), change=shown)


def _costs(comparison: Comparison, lang: Lang) -> list[Line]:
    first, lead = _pair(comparison)
    rows = compared.cost_effect(comparison, lead.id)
    cost = compared.over_runs(rows, "d_cost_rp")
    words = {"lead": lead.letter, "first": first.letter}
    lines = []
    if np.isfinite(cost.mean):
        kind = "same" if cost.is_zero else {-1: "less", 0: "unclear", 1: "more"}[cost.side]
        shown = numbers.rupiah(cost, lang, sign=True)
        lines.append(Line(word(f"decision.costs.{kind}", lang, cost=shown, **words)))
    for effect in compared.EFFECTS:
        price, why = compared.cost_per(comparison, lead.id, effect, lang)
        if price is not None:
            lines.append(Line(word(f"decision.costs.{effect}", lang, price=numbers.rupiah(price, lang))))
        elif why:
            lines.append(Line(word(f"decision.costs.no.{effect}", lang, why=why)))
    lines += _cheapest(comparison, lang)
    n, share = compared.priced_by_assumption(comparison, lead.id)
    if np.isfinite(share):
        lines.append(Line(word("decision.costs.assumed", lang, n=n, share=percent(share, lang, 0))))
    if note := (comparison.manifest.get("money_note") or {}).get(lang):
        lines.append(Line(note))
    return lines


def _cheapest(comparison: Comparison, lang: Lang) -> list[Line]:
    """The policy whose protected child costs least, of those with a price."""
    found = compared.policies(comparison)
    prices = {s: compared.cost_per(comparison, s, "d_protected", lang)[0] for s in list(found)[1:]}
    known = {scenario: price for scenario, price in prices.items() if price is not None}
    if len(known) < 2:
        return []
    best = min(known, key=lambda scenario: known[scenario].mean)
    words = {"policy": found[best].name(lang), "price": numbers.rupiah(known[best], lang)}
    return [Line(word("decision.costs.cheapest", lang, **words))]


# ---- what would change the answer ------------------------------------------------------------------------------------


def _changes(comparison: Comparison, lang: Lang) -> list[Line]:
    first, lead = _pair(comparison)
    lines = []
    share = compared.share_of_parameters(comparison, lead.id)
    if np.isfinite(share):
        kind = "parameters" if share >= 0.5 else "chance"
        words = {"parameters": percent(share, lang, 0), "chance": percent(1 - share, lang, 0)}
        lines.append(Line(word(f"decision.changes.{kind}", lang, lead=lead.letter, first=first.letter, **words)))
    elif note := (comparison.manifest.get("variance_note") or {}).get(lang):
        lines.append(Line(word("decision.changes.not_split", lang, note=note)))
    drawn = compared.drawn(comparison)
    if len(drawn):
        widest = [compared.meaning(key, lang) for key in drawn["key"].head(SHOWN_ASSUMPTIONS)]
        words = {"n": number(len(drawn), lang), "widest": "; ".join(widest)}
        lines.append(Line(word("decision.changes.drawn", lang, **words)))
        lines += _standing_out(comparison, lead, len(drawn), lang)
    else:
        lines.append(Line(word("decision.changes.not_drawn", lang)))
    assumed = comparison.manifest.get("assumptions_share")
    if assumed is not None:
        lines.append(Line(word("decision.changes.assumptions", lang, share=percent(float(assumed), lang, 0))))
    lines += _other_yardsticks(comparison, lang)
    if inputs := synthetic(comparison, lang):
        lines.append(Line(word("decision.changes.synthetic", lang, inputs=inputs)))
    return lines


def _standing_out(comparison: Comparison, lead: Policy, n: int, lang: Lang) -> list[Line]:
    found = compared.standing_out(comparison, lead.id)
    if found is None:
        return []
    draws = counted("count.draws", int(comparison.manifest["draws"]), lang)
    if not found:
        return [Line(word("decision.changes.none_stands_out", lang, n=number(n, lang), draws=draws))]
    named = "; ".join(compared.meaning(key, lang) for key in found[:SHOWN_ASSUMPTIONS])
    return [Line(word("decision.changes.stands_out", lang, lead=lead.letter, named=named, draws=draws))]


def _other_yardsticks(comparison: Comparison, lang: Lang) -> list[Line]:
    """Measures by which another policy would be chosen."""
    _, lead = _pair(comparison)
    found = compared.policies(comparison)
    named = []
    for measure in ("protected_in_time", "complete_package_share", "spent_rp"):
        best = compared.at_end(comparison, measure)["p_best"]
        if best.notna().any() and best.max() > best[lead.id]:
            policy = found[str(best.idxmax())]
            words = {"measure": word(f"compare.measure.{measure}", lang), "policy": policy.letter}
            named.append(word("decision.changes.yardstick", lang, **words, p=percent(float(best.max()), lang, 0)))
    return [Line(word("decision.changes.yardsticks", lang, found="; ".join(named)))] if named else []
