"""The page behind page one, for analysts: what to do by when, how sure, who gains, what it costs, what would change it.

Page one, for whoever decides, is report/front_page.py. `decision.md` and `report.html` show both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from konvergensi.base.words import Lang, counted, listed, month_name, month_of_year, number, percent, word, word_or
from konvergensi.inputs.advice import FEW_FAMILIES
from konvergensi.report import numbers
from konvergensi.report import readings_comparison as compared
from konvergensi.report import readings_moves as moves
from konvergensi.report.origin import comparison_origin, period, plain, synthetic
from konvergensi.report.readings_comparison import Estimate, Policy
from konvergensi.report.readings_moves import Moved

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

SHOWN_ASSUMPTIONS = 3
_LEAST_RP = 1e8  # of a source in a year, so that it does not round to nothing
_MOST_RIVALS = 4
MANY_RUNS = 1_000  # two policies that need more to be told apart may be treated as equal
_ROOM = 10  # levers that the sheet has room to spell out, so that it stays one page; the report has them all
_MOST_LEVERS = 2  # of a theme
# line of what a policy does, by its theme -> the step or door by which it must be done; None: at any time
_BY = {
    "review": "review",
    "timing": "plan",
    "data": "data",
    "socialization": "apbd",
    "leadership": "rembuk",
    "goals": "apbd",
    "above": "apbn",
    "villages": "dana-desa",
    "money-village": "village_rule",
    "in_villages": "dana-desa",
    "money-district": "apbd",
    "agency": "apbd",
    "doors": None,
    "other": None,
}
# what the district does not decide stands under who does, whatever it is about
_OTHERS = {"village": "in_villages", "above": "above"}
_WITH = {"measurement": "data", "money-centre": "above"}  # themes that stand with another


def _line(each: Moved) -> str:
    """The line of the sheet that a lever stands in."""
    line = _OTHERS.get(each.whose) or _WITH.get(each.theme, each.theme)
    return line if line in _BY else "other"


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
        policies=counted("count.policies", len(manifest["policies"]), lang),
        period=period(comparison, lang),
    )
    parts = {"do": _do, "sure": _sure, "gains": _gains, "costs": _costs, "changes": _changes}
    made = [Part(word(f"decision.heading.{name}", lang), make(comparison, lang)) for name, make in parts.items()]
    return Sheet(title, _answer(comparison, lang), made, comparison_origin(comparison, lang))


def markdown(shown: Sheet, under: str = "") -> str:
    """The sheet as Markdown; what comes from files is escaped. under: more # before each heading."""
    text = [f"{under}# {plain(shown.title)}", "", " ".join(plain(sentence) for sentence in shown.answer)]
    for part in shown.parts:
        text += ["", f"{under}## {plain(part.heading)}", ""]
        text += [f"- **{plain(line.label)}**: {plain(line.text)}" if line.label else f"- {plain(line.text)}"
                 for line in part.lines]  # fmt: skip
    return "\n".join([*text, "", plain(shown.origin)]) + "\n"


def _pair(comparison: Comparison) -> tuple[Policy, Policy]:
    """The first policy and the leading one."""
    found = compared.policies(comparison)
    return found[comparison.manifest["policies"][0]], found[compared.leading(comparison)]


def _answer(comparison: Comparison, lang: Lang) -> list[str]:
    first, lead = _pair(comparison)
    others = list(comparison.manifest["policies"])[1:]
    shown = {
        "first": first.name(lang),
        "a": first.letter,
        "lead": lead.name(lang),
        "month": month_name(compared.last_month(comparison), lang),
        "level": numbers.level(compared.level(comparison, "prevalence", first.id), "prevalence", lang),
        "change": _change(comparison, "prevalence", lead.id, lang),
        "p": percent(compared.p_best(comparison, "prevalence", lead.id), lang, 0),
    }
    less = compared.difference(comparison, "prevalence", lead.id)
    if first.id == lead.id:
        kind = "alone"
    elif all(compared.difference(comparison, "prevalence", each).is_zero for each in others):
        kind = "same" if len(others) == 1 else "all_same"
    elif less.is_zero:
        kind = "same"
    elif less.mean >= 0:
        kind = "none_better"
    elif _decided(comparison, first.id, lead.id):
        apart = not compared.rivals(comparison, lead.id) and not compared.alike(comparison, lead.id)
        kind = "best" if apart else "among_best"
    else:
        kind = "undecided"
    today = "today_drawn" if int(comparison.manifest["draws"]) else "today"
    said = [word(f"decision.answer.{today}", lang, **shown), word(f"decision.answer.{kind}", lang, **shown)]
    return [too_few(comparison, lang), *said] if compared.too_few(comparison) else said


def too_few(comparison: Comparison, lang: Lang) -> str:
    """The sentence that comes first where there are too few runs to say anything."""
    n, drawn = compared.tried(comparison)
    runs = counted("front.simulations", compared.runs_each(comparison), lang)
    kind = "too_few" if drawn else "too_few_alike"
    return word(f"front.answer.{kind}", lang, runs=runs, n=number(n, lang), least=compared.FEWEST)


def _change(comparison: Comparison, measure: str, scenario: str, lang: Lang) -> str:
    return numbers.change(compared.difference(comparison, measure, scenario), measure, lang)


def _decided(comparison: Comparison, one: str, other: str) -> bool:
    return other not in [rival for rival, _ in compared.rivals(comparison, one)]


# ---- what to do, by when ---------------------------------------------------------------------------------------------


def _do(comparison: Comparison, lang: Lang) -> list[Line]:
    _, lead = _pair(comparison)
    lines = by_doors(comparison, lead, lang)
    if not lines:
        event = compared.is_event(comparison, lead.id)
        kind = "event" if event else "only_meanwhile" if compared.begins(comparison, lead.id) else "nothing"
        return [Line(word(f"decision.do.{kind}", lang, lead=lead.letter)), Line(_doors(comparison, lang))]
    return [*lines, Line(_doors(comparison, lang)), Line(_when(comparison, lead, lang))]


def by_doors(comparison: Comparison, lead: Policy, lang: Lang, most: int = len(_BY)) -> list[Line]:
    """What a policy does, by the step or door by which it must be done, at most so many lines; events are not done."""
    run = comparison.details[lead.id]
    own: dict[str, list[Moved]] = {}
    for each in moves.stand_otherwise(comparison, lead.id):
        if each.parameter.role != "event":
            own.setdefault(_line(each), []).append(each)
    if not own:
        return []
    months = moves.steps(run) | moves.doors(run)
    named = {name.replace("-", "_"): month_of_year(month, lang) for name, month in months.items()}
    due = {theme: months[by] if (by := _BY[theme]) else 13 for theme in own}
    shown = min(_MOST_LEVERS, max(_ROOM // len(own), 1))
    lines = []
    for theme in sorted(own, key=lambda name: (due[name], list(_BY).index(name)))[:most]:
        by = word("decision.do.any_time", lang)
        if due[theme] <= 12:
            by = word("decision.do.by", lang, month=month_of_year(due[theme], lang))
        levers = _levers(own[theme], shown, comparison.manifest["agency_names"], lang)
        lines.append(Line(word(f"decision.do.{theme}", lang, levers=levers, **named), by))
    return lines


def _levers(moved: list[Moved], most: int, agencies: dict[str, str], lang: Lang) -> str:
    """The first levers of a theme, from what to what, and how many more there are."""
    shown = "; ".join(_lever(each, agencies, lang) for each in moved[:most])
    more = len(moved) - most
    return (
        word("decision.do.more", lang, shown=shown, more=counted("count.more_levers", more, lang))
        if more > 0
        else shown
    )


def _lever(each: Moved, agencies: dict[str, str], lang: Lang) -> str:
    do = each.to_do(lang, agencies)
    if each.says_value:
        return do
    old, new = (moves.lever_value(each.key, value, lang) for value in (each.old, each.new))
    return word("decision.do.lever", lang, meaning=do, old=old, new=new)


def _doors(comparison: Comparison, lang: Lang) -> str:
    first, lead = _pair(comparison)
    before, after = (moves.caught(comparison.details[policy.id]) for policy in (first, lead))
    missed = listed((word(f"compare.door.{door}", lang) for door, ok in after.items() if not ok), lang)
    key = "decision.do.doors_missed" if missed else "decision.do.doors_caught"
    words = {"lead": lead.letter, "first": first.letter, "k": sum(after.values()), "m": sum(before.values())}
    return word(key, lang, n=len(after), **words, **({"missed": missed} if missed else {}))


def _when(comparison: Comparison, lead: Policy, lang: Lang) -> str:
    own = moves.moved_besides(comparison, lead.id)
    since, until = min(each.month for each in own), max(each.until or each.month for each in own)
    levers = counted("count.levers", len({each.key for each in own}), lang)
    key = "decision.do.at_once" if since == until else "decision.do.over_time"
    first, end = compared.letter(0), month_name(compared.last_month(comparison), lang)
    span = {"since": month_name(since, lang), "until": month_name(until, lang)}
    return word(key, lang, lead=lead.letter, levers=levers, first=first, month=end, **span)


# ---- how sure --------------------------------------------------------------------------------------------------------


def _sure(comparison: Comparison, lang: Lang) -> list[Line]:
    first, lead = _pair(comparison)
    runs = counted("count.runs", compared.runs_each(comparison), lang)
    found = compared.policies(comparison)
    lines = []
    few = int(comparison.manifest.get("families_simulated", FEW_FAMILIES))
    if few < FEW_FAMILIES:
        kind = "few_families" if float(comparison.manifest["population_share"]) < 1 else "few_families_whole"
        lines.append(Line(word(f"decision.sure.{kind}", lang, n=number(few, lang))))
    for measure in ("prevalence", "protected_in_time"):
        best, share = compared.most_often_best(comparison, measure)
        if len(best) > 1:
            tied = listed((found[each].letter for each in best), lang)
            lines.append(Line(word(f"decision.sure.tied.{measure}", lang, tied=tied)))
        elif best:
            words = {"best": found[best[0]].letter, "p": percent(share, lang, 0), "runs": runs}
            lines.append(Line(word(f"decision.sure.{measure}", lang, **words)))
    if first.id != lead.id:
        lines += [Line(text) for text in _told_apart(comparison, lead, lang)]
    lines += [Line(text) for text in _targets(comparison, lead, lang)]
    return [*lines, Line(word("decision.sure.model", lang))]


def _told_apart(comparison: Comparison, lead: Policy, lang: Lang) -> list[str]:
    """Which policies do the same as the leading one, which cannot be told from it yet, which can."""
    rivals, alike = compared.rivals(comparison, lead.id), compared.alike(comparison, lead.id)
    found = compared.policies(comparison)
    said = []
    if alike:
        same = listed((found[other].letter for other in alike), lang)
        said.append(word("decision.sure.alike", lang, lead=lead.letter, same=same))
    if not rivals:
        left = len(found) - 1 - len(alike)
        kind = "apart_from_rest" if alike else "apart"
        return [*said, word(f"decision.sure.{kind}", lang, lead=lead.letter)] if left else said
    named = []
    for other, more in rivals[:_MOST_RIVALS]:
        needed = word("decision.sure.hopeless", lang)
        if np.isfinite(more):
            many = more > MANY_RUNS
            needed = word("decision.sure.many", lang) if many else counted("count.more_runs", int(more), lang)
            of = "" if many else compared.more_of(comparison, lead.id, other)
            needed = word(f"decision.sure.of.{of}", lang, needed=needed) if of else needed
        named.append(word("decision.sure.rival", lang, policy=found[other].letter, needed=needed))
    if len(rivals) > _MOST_RIVALS:
        named.append(counted("count.more_policies", len(rivals) - _MOST_RIVALS, lang))
    return [*said, word("decision.sure.rivals", lang, lead=lead.letter, rivals=listed(named, lang))]


def _targets(comparison: Comparison, lead: Policy, lang: Lang) -> list[str]:
    return [
        word(
            "decision.sure.target",
            lang,
            lead=lead.letter,
            target=number(row.target_percent, lang, int(row.target_percent % 1 > 0)),
            month=month_name(row.month, lang),
            p=percent(row.probability, lang, 0),
        )
        for row in compared.targets_of(comparison, lead.id).itertuples()
    ]


# ---- who gains, what it costs ----------------------------------------------------------------------------------------


def _gains(comparison: Comparison, lang: Lang) -> list[Line]:
    first, lead = _pair(comparison)
    lines = []
    for measure in ("protected_in_time", "stunted_children", "complete_package_share"):
        change = _change(comparison, measure, lead.id, lang)
        words = {"change": change, "first": first.letter, "month": month_name(compared.last_month(comparison), lang)}
        lines.append(Line(word(f"decision.gains.{measure}", lang, **words)))
    for cut, names in (("place", compared.GROUPS["place"]), ("wealth", ("wealth_1", "wealth_5"))):
        changes = {name: compared.group_difference(comparison, lead.id, name) for name in names}
        known = all(np.isfinite(change.mean) for change in changes.values())
        if known and not all(change.is_zero for change in changes.values()):
            each = [_group(name, change, lang) for name, change in changes.items()]
            lines.append(Line(word(f"decision.gains.{cut}", lang, groups="; ".join(each))))
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
    if np.isfinite(cost.mean) and not cost.is_zero:
        lines.append(Line(_by_source(comparison, lead, lang)))
    displaced = compared.difference(comparison, "displaced_rp", lead.id)
    if np.isfinite(displaced.mean) and abs(displaced.mean) >= _LEAST_RP:
        shown = numbers.rupiah(displaced, lang, sign=True)
        lines.append(Line(word("decision.costs.displaced", lang, rp=shown, **words)))
    prices = {effect: compared.cost_per(comparison, lead.id, effect, lang) for effect in compared.EFFECTS}
    reasons = {why for price, why in prices.values() if price is None}
    if len(reasons) == 1 and all(price is None for price, _ in prices.values()) and (why := reasons.pop()):
        lines.append(Line(word("decision.costs.no_price", lang, why=why)))
        prices = {}
    for effect, (price, why) in prices.items():
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


def _by_source(comparison: Comparison, lead: Policy, lang: Lang) -> str:
    """What is spent more in a year, by source: who would have to find it."""
    more = sorted(compared.more_spent(comparison, lead.id).items(), key=lambda pair: -abs(pair[1]))
    names = {source: word_or(f"source_short.{source}", lang, source) for source, _ in more}
    named = [f"{names[source]} {_billion(rp, lang)}" for source, rp in more if abs(rp) >= 0.5 * _LEAST_RP]
    shown = "; ".join(named) or word("decision.costs.little", lang)
    return word("decision.costs.by_source", lang, sources=shown)


def _billion(rp: float, lang: Lang) -> str:
    return ("+" if rp > 0 else "") + number(rp / 1e9, lang, 1)


def _cheapest(comparison: Comparison, lang: Lang) -> list[Line]:
    """The policy whose protected child costs least, of those with a price."""
    found = compared.policies(comparison)
    prices = {s: compared.cost_per(comparison, s, "d_protected", lang)[0] for s in list(found)[1:]}
    known = {scenario: price for scenario, price in prices.items() if price is not None}
    if len(known) < 2:
        return []
    best = min(known, key=lambda scenario: known[scenario].mean)
    words = {"policy": found[best].letter, "price": numbers.rupiah(known[best], lang)}
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
        widest = [moves.meaning(key, lang) for key in drawn["key"].head(SHOWN_ASSUMPTIONS)]
        fitted = set((comparison.manifest.get("parameter_draws") or {}).get("fitted") or []) & set(
            comparison.manifest["drawn"]
        )
        words = {"n": number(len(drawn), lang), "k": number(len(fitted), lang), "widest": "; ".join(widest)}
        lines.append(Line(word("decision.changes.drawn_fitted" if fitted else "decision.changes.drawn", lang, **words)))
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
    named = "; ".join(moves.meaning(key, lang) for key in found[:SHOWN_ASSUMPTIONS])
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
