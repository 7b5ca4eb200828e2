"""Page one of a comparison, for whoever decides: what is recommended, how sure, what it costs, what to do and by when.

It ends with what no survey sees and what would change the answer.

Policies are called by their names. What happens to a district (a cut, a pandemic) is never recommended: report/loss.py
tells what it takes away. The page behind this one, for analysts, is report/decision.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.base.words import Lang, counted, listed, month_name, number, part, percent, rupiah, word, word_or
from konvergensi.inputs.advice import FEW_FAMILIES
from konvergensi.report import decision, loss, measure_first_page, numbers
from konvergensi.report import readings_comparison as compared
from konvergensi.report import readings_moves as moves
from konvergensi.report.decision import Line, Part, Sheet
from konvergensi.report.origin import period, synthetic
from konvergensi.report.readings_comparison import Estimate, Policy

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

MATTERS = 0.1  # points of prevalence: what is smaller is no difference that matters
_LEAST_RP = 5e7  # of a source in a year: less is under 0.1 billion
_MOST_UNKNOWNS = 2
_MOST_DOORS = 5  # lines of what to do, so that it stays one page; the page behind has them all
_SURE = (("nearly_certain", 0.95), ("likely", 0.8), ("leaning", 0.6))


def front(comparison: Comparison, lang: Lang) -> Sheet:
    """Page one."""
    manifest = comparison.manifest
    title = word("front.title", lang, district=manifest.get("district_name", manifest["district"]))
    events = loss.events(comparison)
    parts: list[Part] = []
    if _lead(comparison) is not None:
        made = {"sure": _sure, "costs": _costs, "do": _do, "unseen": _unseen, "changes": _changes}
        parts = [Part(word(f"front.heading.{name}", lang), make(comparison, lang)) for name, make in made.items()]
    for event in events:
        heading = word("front.heading.lost", lang, name=named(event, lang))
        own = _lead(comparison) is None and event == events[0]  # the costs above say it else
        parts.append(Part(heading, loss.lines(comparison, event, lang, own)))
    if events and _lead(comparison) is None:
        parts.append(Part(word("front.heading.changes", lang), _changes(comparison, lang)))
    return Sheet(title, _answer(comparison, lang), parts, _origin(comparison, lang))


def _origin(comparison: Comparison, lang: Lang) -> str:
    """Where it comes from, without words of the trade."""
    manifest = comparison.manifest
    runs = compared.runs_each(comparison)
    told = [f"konvergensi {manifest['version']}", period(comparison, lang), counted("front.simulations", runs, lang),
            word("origin.share", lang, share=part(float(manifest.get("population_share", 1.0)), lang))]  # fmt: skip
    if inputs := synthetic(comparison, lang):
        told.append(word("origin.synthetic", lang, inputs=inputs))
    return " · ".join(told)


def named(policy: Policy, lang: Lang) -> str:
    """A policy by its name."""
    return word("front.name", lang, title=policy.title(lang).rstrip("."))


def _first(comparison: Comparison) -> Policy:
    return compared.policies(comparison)[str(comparison.manifest["policies"][0])]


def _lead(comparison: Comparison) -> Policy | None:
    """The leading policy of those that can be chosen, None where nothing but events was compared."""
    lead = compared.policies(comparison)[compared.leading(comparison)]
    return None if compared.is_event(comparison, lead.id) else lead


def _choice(comparison: Comparison) -> Policy:
    return _lead(comparison) or compared.policies(comparison)[compared.leading(comparison)]


# ---- the answer ------------------------------------------------------------------------------------------------------


def _answer(comparison: Comparison, lang: Lang) -> list[str]:
    few = [decision.too_few(comparison, lang)] if compared.too_few(comparison) else []
    return [*few, *_told_first(comparison, lang)]


def _told_first(comparison: Comparison, lang: Lang) -> list[str]:
    first, lead = _first(comparison), _lead(comparison)
    events = listed([named(each, lang) for each in loss.events(comparison)], lang)
    if lead is None:
        shown = compared.policies(comparison)[compared.leading(comparison)]
        moved = abs(compared.difference(comparison, "stunted_children", shown.id).mean) >= loss.LEAST_CHILDREN
        kind = "event" if moved else "event_none"
        return [word(f"front.answer.{kind}", lang, events=events, **_told(comparison, shown, lang))]
    kind = _kind(comparison, first, lead)
    others = [each for each in compared.policies(comparison).values() if each.id in _as_good(comparison, lead)]
    if kind == "recommend" and others:
        kind = "recommend_or"
    told = _told(comparison, lead, lang) | {"others": listed([named(each, lang) for each in others], lang)}
    answer = [word(f"front.answer.{kind}", lang, **told, least=number(MATTERS, lang, 1))]
    return [*answer, word("front.answer.besides", lang, events=events)] if events else answer


def _told(comparison: Comparison, policy: Policy, lang: Lang) -> dict[str, str]:
    points = compared.difference(comparison, "prevalence", policy.id)
    return {
        "lead": named(policy, lang),
        "first": named(_first(comparison), lang),
        "month": month_name(compared.last_month(comparison), lang),
        "cases": loss.cases(compared.difference(comparison, "stunted_children", policy.id).mean, lang),
        "points": loss.points(points.mean, lang),
    }


def _kind(comparison: Comparison, first: Policy, lead: Policy) -> str:
    """Which answer it is."""
    less = compared.difference(comparison, "prevalence", lead.id)
    if first.id == lead.id:
        return "alone"
    if compared.too_few(comparison):
        return "so_far"
    if less.is_zero:
        return "none"
    if lead.id in [rival for rival, _ in compared.rivals(comparison, first.id)]:
        return "cannot_tell"
    if less.mean >= 0:
        return "keep"
    return "too_small" if abs(less.mean) < MATTERS else "recommend"


def _as_good(comparison: Comparison, lead: Policy) -> list[str]:
    """Policies that do as well as the leading one, or cannot be told from it; no event, and not the first one."""
    same = [*compared.alike(comparison, lead.id), *(rival for rival, _ in compared.rivals(comparison, lead.id))]
    return [each for each in same if each != _first(comparison).id and not compared.is_event(comparison, each)]


# ---- how sure --------------------------------------------------------------------------------------------------------


def _sure(comparison: Comparison, lang: Lang) -> list[Line]:
    first, lead = _first(comparison), _choice(comparison)
    lines = []
    runs, few = compared.runs_each(comparison), compared.too_few(comparison)
    less = compared.difference(comparison, "prevalence", lead.id)
    better = compared.better_share(comparison, lead.id)
    if runs < 2:
        lines.append(word("front.sure.one", lang))
    elif less.is_zero:
        lines.append(word("front.sure.same", lang))
    else:
        decided = _kind(comparison, first, lead) not in ("cannot_tell", "alone", "none", "so_far")
        level = next((name for name, least in _SURE if decided and better >= least), "few" if few else "open")
        counted = {"k": number(runs * better, lang), "n": number(runs, lang)}
        lines.append(word(f"front.sure.{level}", lang, lead=named(lead, lang), **counted))
        lines += [] if few else _ranges(comparison, first, lead, less, lang)
    lines += [] if few else [
        word("front.sure.target", lang, target=_plain(row.target_percent, lang), month=month_name(row.month, lang),
             k=_of_hundred(row.probability, lang))
        for row in compared.targets_of(comparison, lead.id).itertuples()
    ]  # fmt: skip
    families = int(comparison.manifest.get("families_simulated", FEW_FAMILIES))
    if families < FEW_FAMILIES:
        lines.append(word("front.sure.families", lang, n=number(families, lang)))
    ranges = any(each.has_interval for each in (less, compared.pair(comparison, first.id, lead.id)))
    bare = few or less.is_zero or not ranges or runs < 2
    return [Line(text) for text in (*lines, word(f"front.sure.model{'_few' if bare else ''}", lang))]


def _ranges(comparison: Comparison, first: Policy, lead: Policy, less: Estimate, lang: Lang) -> list[str]:
    """Both kinds of interval, in words: where one future may lie, and how well the average is known."""
    lines = []
    if less.has_interval:
        lines.append(word("front.sure.spread", lang, low=_signed(less.low, lang), high=_signed(less.high, lang)))
    mean = compared.pair(comparison, first.id, lead.id)
    if mean.has_interval:
        lines.append(word("front.sure.mean", lang, low=_signed(mean.low, lang), high=_signed(mean.high, lang)))
    return lines


def _of_hundred(share: float, lang: Lang) -> str:
    return number(100 * share, lang)


def _signed(value: float, lang: Lang) -> str:
    shown = number(value, lang, 2)
    return f"+{shown}" if value > 0 and shown.strip("0.,") else shown


def _plain(value: float, lang: Lang) -> str:
    return number(value, lang, int(value % 1 > 0))


# ---- what it costs ---------------------------------------------------------------------------------------------------


def _costs(comparison: Comparison, lang: Lang) -> list[Line]:
    lead = _choice(comparison)
    cost = compared.over_runs(compared.cost_effect(comparison, lead.id), "d_cost_rp")
    by_source = compared.more_spent(comparison, lead.id)
    yearly = sum(by_source.values())
    lines = []
    if np.isfinite(cost.mean):
        open_ = "unclear_more" if yearly > 0 else "unclear_less"
        kind = "same" if cost.is_zero else {-1: "less", 0: open_, 1: "more"}[cost.side]
        lines.append(word(f"front.costs.{kind}", lang, rp=rupiah(abs(yearly), lang)))
        if not cost.is_zero:
            lines.append(word("front.costs.who", lang, sources=_payers(by_source, lang)))
    price, _ = compared.cost_per(comparison, lead.id, "d_cases", lang)
    if price is not None:
        price = loss.known(comparison, price)
        lines.append(word("front.costs.price", lang, price=numbers.rupiah(price, lang, words="front")))
    _, share = compared.priced_by_assumption(comparison, lead.id)
    if np.isfinite(share):
        lines.append(word("front.costs.assumed", lang, share=percent(share, lang, 0)))
    lines.append(loss.own_money(comparison, lang))
    return [Line(text) for text in lines if text]


def _payers(by_source: dict[str, float], lang: Lang) -> str:
    """Each source's part with whoever decides on it, the largest first."""
    more = sorted(by_source.items(), key=lambda pair: -abs(pair[1]))
    told = [
        word("front.costs.source", lang, source=word_or(f"source_short.{source}", lang, source),
             rp=loss.billion(rp, lang), payer=word_or(f"front.payer.{source}", lang, source))
        for source, rp in more
        if abs(rp) >= _LEAST_RP
    ]  # fmt: skip
    return "; ".join(told) or word("front.costs.little", lang)


# ---- what to do ------------------------------------------------------------------------------------------------------


def _do(comparison: Comparison, lang: Lang) -> list[Line]:
    first, lead = _first(comparison), _choice(comparison)
    kind = _kind(comparison, first, lead)
    if kind in ("keep", "alone", "none", "too_small", "cannot_tell", "so_far"):
        said = {"cannot_tell": "kept", "so_far": "again"}.get(kind, "nothing")
        return [Line(word(f"front.do.{said}", lang))]
    lines = decision.by_doors(comparison, lead, lang, most=_MOST_DOORS)
    if not lines:
        return [Line(word("front.do.nothing", lang))]
    before, after = (moves.caught(comparison.details[policy.id]) for policy in (first, lead))
    missed = [word(f"compare.door.{door}", lang) for door, ok in after.items() if not ok]
    doors = {"n": len(after), "k": sum(after.values()), "m": sum(before.values()), "missed": listed(missed, lang)}
    lines.append(Line(word(f"front.do.{'doors' if missed else 'all_doors'}", lang, **doors)))
    begins = compared.begins(comparison, lead.id)
    return [*lines, Line(word("front.do.since", lang, month=month_name(begins, lang)))] if begins else lines


# ---- what no survey sees, what would change the answer ---------------------------------------------------------------


def _unseen(comparison: Comparison, lang: Lang) -> list[Line]:
    lead = _choice(comparison)
    shown = {
        name: loss.changed(comparison, compared.difference(comparison, measure, lead.id), measure, lang)
        for name, measure in (("protected", "protected_in_time"), ("package", "complete_package_share"))
    }
    margin = compared.survey_margin(comparison)
    if not np.isfinite(margin):
        return [Line(word("front.unseen.none", lang, **shown))]
    less = abs(compared.difference(comparison, "prevalence", lead.id).mean)
    kind = "below" if less < margin else "above"
    return [Line(word(f"front.unseen.{kind}", lang, margin=number(margin, lang, 1), **shown))]


def _unknowns(comparison: Comparison, lead: Policy, lang: Lang) -> str:
    """Which unknowns could change the answer, by what knowing them is worth; else with which the difference moves."""
    if compared.too_few(comparison) and len(compared.drawn(comparison)):
        return word("front.changes.too_few", lang)  # that a choice stands under two or three values tried says nothing
    found = compared.standing_out(comparison, lead.id)
    worth = measure_first_page.beyond_chance(comparison)
    unknowns = "; ".join(moves.meaning(key, lang) for key in (worth or found or [])[:_MOST_UNKNOWNS])
    if worth:
        return word("front.changes.worth", lang, named=unknowns)
    if measure_first_page.changes_nothing(comparison):
        return word(f"front.changes.{'size' if found else 'same'}", lang, **({"named": unknowns} if found else {}))
    if found:
        return word("front.changes.measure", lang, named=unknowns)
    if len(compared.drawn(comparison)):
        return word(f"front.changes.{'too_few' if found is None else 'many'}", lang)
    return word("front.changes.not_tried", lang)


def _changes(comparison: Comparison, lang: Lang) -> list[Line]:
    lead = _choice(comparison)
    lines = [_unknowns(comparison, lead, lang)]
    policies = compared.policies(comparison)
    for measure in ("protected_in_time", "complete_package_share", "spent_rp"):
        best = compared.at_end(comparison, measure)["p_best"]
        best = best[[name for name in best.index if not compared.is_event(comparison, str(name))]]
        if lead.id in best and best.notna().any() and best.max() > best[lead.id]:
            other = named(policies[str(best.idxmax())], lang)
            said = word(f"front.measure.{measure}", lang)
            lines.append(word("front.changes.yardstick", lang, measure=said, policy=other))
    if inputs := synthetic(comparison, lang):
        lines.append(word("front.changes.synthetic", lang, inputs=inputs))
    if (assumed := comparison.manifest.get("assumptions_share")) is not None:
        lines.append(word("front.changes.assumptions", lang, share=part(float(assumed), lang)))
    return [Line(text) for text in lines]
