"""The budget lines of a district in rupiah: what is assumed, what is the planner's own, and a file to fill in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from konvergensi.base.words import LANGUAGES, Lang, percent, word, word_or
from konvergensi.inputs.districts import District
from konvergensi.inputs.own_budget import services_a_year
from konvergensi.inputs.parameters import Settings, Value
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms.budget import deliveries_a_year, expected_need

COLUMNS = ("agency", "agency_name", "service", "programme", "source", "amount_rp", "families", "own")


def budget_lines(place: District, lang: Lang = "en") -> pd.DataFrame:
    """The first year's budget of each programme: one row per line, columns COLUMNS.

    amount_rp is Rp a year for the whole district; families how many that pays for at the unit cost in use; own, whether
    the amount stands in the district's own budget file. Lines of one agency stand together.
    """
    known = place.parameters()
    values: dict[str, Value] = {key: each.value for key, each in known.items()}
    values |= {key: each.value for key, each in place.overrides.items() if key in known}
    settings = Settings(values, known)
    names = {each.id: each.name for each in place.opd}
    rows = []
    for each in place.programmes:
        service = load_services()[each.service]
        unit_cost = each.unit_cost_rp or float(settings[f"services.{each.service}.unit_cost_rp"])
        each_service = unit_cost * (1.0 + settings["budget.overhead_share"])
        yearly, one = deliveries_a_year(service) * each_service, services_a_year(service) * each_service
        need = expected_need(service, place, settings)
        amount = each.budget_rp if each.budget_rp is not None else (each.funded_share or 0.0) * need * yearly
        rows.append((each.opd, names[each.opd], each.service, service.name[lang], each.money, float(amount),
                     amount / one if one else np.nan, each.id in place.own_lines))  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values(["agency", "service"], kind="stable", ignore_index=True)


def own_money(place: District) -> dict[str, Any]:
    """How much of the money is the planner's own: share of the first year's rupiah, and lines of how many."""
    if not place.own_lines:
        return {"share": 0.0, "lines": 0, "of": len(place.programmes)}
    lines = budget_lines(place)
    total = float(lines["amount_rp"].sum())
    share = float(lines.loc[lines["own"], "amount_rp"].sum()) / total if total > 0 else 0.0
    return {"share": round(share, 4), "lines": int(lines["own"].sum()), "of": len(lines)}


def money_note(place: District) -> dict[str, str]:
    """What rupiah mean in a result, and how much of the money is the planner's own, in every language."""
    found = own_money(place)
    return {lang: f"{word('said.note.money', lang)} {own_sentence(found, lang)}" for lang in LANGUAGES}


def own_sentence(found: dict[str, Any], lang: Lang) -> str:
    """One sentence: how much of the money is the planner's own."""
    if not found["lines"]:
        return word("said.note.money_assumed", lang)
    share = percent(float(found["share"]), lang, 0)
    return word("said.note.money_own", lang, share=share, lines=found["lines"], of=found["of"])


def source_name(source: str, lang: Lang) -> str:
    """A source of money as officials write it."""
    return word_or(f"source_short.{source}", lang, source)
