"""Why prevalence changed, in words and tables: what is printed, and explain.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.base.words import ABSENT, Lang, month_name, number, part, word
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.origin import district, plain, synthetic

if TYPE_CHECKING:
    import pandas as pd

    from konvergensi.analyses.explain import Explanation

SERVICES, OTHERS = "services:", "services:others"
PAYERS = {"services:villages": "villages", "services:partners": "partners"}  # not agencies, but who pays
INDENT = "– "  # before what is inside the line above
LITTLE = 0.25  # share of the true change below which coordination and services are "neither"
_NAMES = {
    "measurement:dates": "dates",
    "measurement:error": "error",
    "cohort_replacement:incomes": "earlier",
    "cohort_replacement:rest": "rest",
}


def page(found: Explanation, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    return markdown(_title(found, lang), [*_blocks(found, lang), _meaning(found, lang), _reading(found, lang)])


def lines(found: Explanation, lang: Lang) -> list[str]:
    """The same to print, without the definitions."""
    return printed(_title(found, lang), _blocks(found, lang))


def _title(found: Explanation, lang: Lang) -> str:
    return word("explain.title", lang, district=district(found), **_span(found, lang))


def _span(found: Explanation, lang: Lang) -> dict[str, str]:
    return {name: month_name(found.manifest[name], lang) for name in ("since", "until")}


def _blocks(found: Explanation, lang: Lang) -> list[Block]:
    question = "question" if found.manifest["district"] == "lebak" else "question_elsewhere"
    answer = Block(sentences=[word(f"explain.{question}", lang), *answers(found, lang)])
    rest = Block(sentences=[summed(found, lang), incomes(found, lang)])
    return [answer, rest, _parts(found, lang), _without(found, lang), _published(found, lang)]


# ---- sentences -------------------------------------------------------------------------------------------------------


def answers(found: Explanation, lang: Lang) -> list[str]:
    """The answer to the study's question, in one or two sentences."""
    true, services, coordination = (found.of(name) for name in ("true", "services", "coordination"))
    both = services["value"] + coordination["value"]
    little = abs(both) < LITTLE * abs(true["value"])
    size = word(
        f"explain.answer.{'neither' if little else 'part'}", lang, both=points(both, lang),
        true=points(true["value"], lang),
    )  # fmt: skip
    apart = found.of("coordination less services")
    words = {"services": _with_interval(services, lang), "coordination": _with_interval(coordination, lang)}
    if apart["low"] > 0:  # below zero is a fall, so the lower of the two brought more of it
        largest = _largest(found)
        words |= {"agency": _agency(found, largest["part"], lang), "largest": _with_interval(largest, lang)}
        return [size, word("explain.answer.agencies", lang, **words)]
    key = "integration" if apart["high"] < 0 else "undecided"
    return [size, word(f"explain.answer.{key}", lang, **words)]


def _largest(found: Explanation) -> pd.Series:
    """The agency, or the other agencies, whose services brought most of the fall."""
    table = found.parts[found.parts["part"].str.startswith(SERVICES)]
    return table.sort_values("value", kind="stable").iloc[0]


def summed(found: Explanation, lang: Lang) -> str:
    """How the parts come to the total, in one sentence."""
    names = ("true", "cohort_replacement", "income", "coordination", "covid", "services")
    shown = {name: points(found.of(name)["value"], lang) for name in names} | _span(found, lang)
    if "published" not in set(found.parts["part"]):
        return word("explain.sum_true", lang, **shown)
    return word("explain.sum", lang, **shown, published=points(found.of("published")["value"], lang))


def incomes(found: Explanation, lang: Lang) -> str:
    """What of it rests on the assumed rise of incomes."""
    trend = found.manifest["income_trend"]
    earlier, since = (found.of(name)["value"] for name in ("cohort_replacement:incomes", "income"))
    return word(
        "explain.incomes", lang, rate=_plain(trend["value"], lang), low=_plain(trend["low"], lang),
        high=_plain(trend["high"], lang), earlier=points(earlier, lang), all=points(earlier + since, lang),
    )  # fmt: skip


def really(found: Explanation, lang: Lang) -> list[str]:
    """What was really published, and whether a pair of the model's surveys could have found it."""
    table = found.surveys.dropna(subset=["published"])
    if table.empty:
        return [word("explain.none_published", lang, file=found.manifest["published_file"])]
    first, last = table.iloc[0], table.iloc[-1]
    words = {"first": number(first["published"], lang, 1), "first_survey": _survey(first, lang)}
    if len(table) == 1:
        return [word("explain.one_real", lang, **words)]
    change = last["published"] - first["published"]
    words |= {"last": number(last["published"], lang, 1), "last_survey": _survey(last, lang)}
    said = [word("explain.really", lang, **words, change=points(change, lang, 1))]
    pairs = found.manifest["single_pairs"]
    held = found.surveys.dropna(subset=["simulated"])
    if not pairs or [first["fieldwork"], last["fieldwork"]] != [held.iloc[i]["fieldwork"] for i in (0, -1)]:
        return said
    modelled = float(found.of("published")["value"])
    shown = {"change": change, "modelled": modelled, "gap": change - modelled}
    said.append(word("explain.gap", lang, **{name: points(value, lang, 1) for name, value in shown.items()}))
    low, high = pairs
    edges = {"low": points(low, lang, 1), "high": points(high, lang, 1)}
    if low <= change <= high:
        return [*said, word("explain.inside", lang, **edges)]
    rest = change - (low if change < low else high)
    return [*said, word("explain.outside", lang, **edges, rest=points(rest, lang, 1))]


# ---- tables ----------------------------------------------------------------------------------------------------------


def _parts(found: Explanation, lang: Lang) -> Block:
    columns = tuple(word(f"explain.column.{name}", lang) for name in ("part", "points", "chance"))
    rows = []
    for row in shown_parts(found):
        name = (INDENT if row.kind == "detail" else "") + part_name(found, row.part, lang)
        rows.append((name, points(row.value, lang), _interval(row.low, row.high, lang)))
    total = "published" if "published" in set(found.parts["part"]) else "true"
    row = found.of(total)
    name = f"{word('explain.part.total', lang)}: {part_name(found, total, lang)}"
    rows.append((name, points(row["value"], lang), _interval(row["low"], row["high"], lang)))
    interval = chance(found) if len(found.manifest["seeds"]) > 1 else "none"
    after = [word("explain.sums", lang, interval=word(f"explain.interval.{interval}", lang))]
    return Block(word("explain.heading.parts", lang), [], columns, rows, after)


def shown_parts(found: Explanation) -> list[Any]:
    """Parts and details in the order they are shown: each part, and below it what is inside."""
    table = found.parts[found.parts["kind"].isin(("part", "detail"))]
    return [row for row in table.itertuples() if row.part != "services"]


def part_name(found: Explanation, name: str, lang: Lang) -> str:
    """A part in words."""
    if name == OTHERS:
        return word("explain.part.others", lang)
    if name in PAYERS:
        return word(f"explain.part.{PAYERS[name]}", lang)
    if name.startswith(SERVICES):
        return word("explain.part.agency", lang, agency=_agency(found, name, lang))
    return word(f"explain.part.{_NAMES.get(name, name)}", lang, **_span(found, lang))


def _agency(found: Explanation, group: str, lang: Lang) -> str:
    if group in PAYERS:
        return word(f"explain.part.{PAYERS[group]}", lang)
    names = found.manifest["agencies"][group]
    return plain(", ".join(names))


def _without(found: Explanation, lang: Lang) -> Block:
    columns = tuple(word(f"explain.column.{name}", lang) for name in ("agency", "points", "chance"))
    table = found.parts[found.parts["kind"] == "without"]
    rows = []
    for row in table.itertuples():
        group = str(row.part).partition(" ")[2]
        name = word("explain.part.services", lang) if group == "services" else _agency(found, group, lang)
        rows.append((name, points(row.value, lang), _interval(row.low, row.high, lang)))
    sentences = [word("explain.without_read", lang, **_span(found, lang))] if rows else []
    return Block(word("explain.heading.without", lang), sentences, columns, rows)


def _published(found: Explanation, lang: Lang) -> Block:
    columns = tuple(word(f"explain.column.{name}", lang) for name in ("survey", "truth", "simulated", "published"))
    rows = []
    for _, row in found.surveys.iterrows():
        simulated = f"{number(row['simulated'], lang, 1)} ± {number(row['half_width'], lang, 1)}"
        shown = ABSENT if np.isnan(row["simulated"]) else simulated
        rows.append((_survey(row, lang), number(row["truth"], lang, 1), shown, number(row["published"], lang, 1)))
    manifest = found.manifest
    about = {"teams": manifest["teams"], "seeds": len(manifest["seeds"])}
    after = [word("explain.really_read", lang, **about)] if rows else []
    return Block(word("explain.heading.published", lang), really(found, lang), columns, rows, after)


def _survey(row: pd.Series, lang: Lang) -> str:
    return f"{plain(row['system'])} {month_name(row['fieldwork'], lang)}"


def _meaning(found: Explanation, lang: Lang) -> Block:
    span, rows = _span(found, lang), []
    for name in map(str, found.parts.loc[found.parts["kind"] == "part", "part"]):
        key = "others" if name == OTHERS else "services" if name.startswith(SERVICES) else name
        key = PAYERS.get(name, key)
        agencies = _agency(found, name, lang) if key == "others" else ""
        said = word(f"explain.still.{key}", lang, **span, agencies=agencies)
        if name in found.manifest["idle"]:
            said += f" ({word('explain.idle', lang)})"
        rows.append((part_name(found, name, lang), said))
    columns = tuple(word(f"explain.column.{name}", lang) for name in ("driver", "still"))
    return Block(word("explain.heading.meaning", lang), [], columns, rows, ends_in_words=True)


def _reading(found: Explanation, lang: Lang) -> Block:
    manifest = found.manifest
    seeds = len(manifest["seeds"])
    sentences = [
        word("explain.reading.changed", lang),
        word("explain.reading.shapley", lang, worlds=number(manifest["worlds"], lang), seeds=seeds),
        word("explain.reading.start", lang, start=month_name(manifest["agencies_move_from"], lang)),
        word("explain.reading.rates", lang),
        word(f"explain.reading.{chance(found)}", lang, seeds=seeds)
        if seeds > 1
        else word("explain.reading.no_chance", lang),
        word("explain.reading.size", lang, share=part(float(manifest["population_share"]), lang)),
    ]
    if inputs := synthetic(found, lang):
        sentences.append(word("explain.reading.synthetic", lang, inputs=plain(inputs)))
    return Block(word("explain.heading.reading", lang), sentences)


# ---- numbers ---------------------------------------------------------------------------------------------------------


def points(value: float, lang: Lang, decimals: int = 2) -> str:
    """Points of prevalence with their sign; what rounds to nothing has none."""
    text = number(float(value), lang, decimals)
    return "+" + text if value > 0 and text.strip("0.,") else text


def _interval(low: float, high: float, lang: Lang) -> str:
    if np.isnan(low):
        return ABSENT
    return word("explain.to", lang, low=points(low, lang), high=points(high, lang))


def _with_interval(row: pd.Series, lang: Lang) -> str:
    value = points(row["value"], lang)
    return value if np.isnan(row["low"]) else f"{value} ({_interval(row['low'], row['high'], lang)})"


def _plain(value: float, lang: Lang) -> str:
    text = f"{float(value):.6g}"
    return text if lang == "en" else text.replace(".", ",")


def chance(found: Explanation) -> str:
    """What an interval over seeds holds: chance alone, or also the fitted draws of parameters."""
    return "fitted" if (found.manifest.get("parameter_draws") or {}).get("from") == "fitted" else "chance"
