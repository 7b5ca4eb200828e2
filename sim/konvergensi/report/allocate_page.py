"""What to buy with a sum of money, in words and tables: allocation.md and what is printed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from konvergensi.analyses.budget_lines import own_sentence
from konvergensi.base.months import format_month, parse_month
from konvergensi.base.words import ABSENT, Lang, month_name, number, percent, rupiah, word
from konvergensi.inputs.context import context
from konvergensi.inputs.institutions import institutions
from konvergensi.inputs.structures import load_structures
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.origin import district, plain, synthetic
from konvergensi.report.readings_moves import meaning

if TYPE_CHECKING:
    import pandas as pd

    from konvergensi.results.allocation import Allocation

LEAST_RP = 5e7  # a year: less is no line of a budget
SHOWN = 8  # unknowns worth measuring


def page(found: Allocation, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    manifest = found.manifest
    made = [f"konvergensi {manifest.get('version', '?')}", district(found), _seeds(found, lang)]
    if inputs := synthetic(found, lang):
        made.append(word("discovery.reading.synthetic", lang, inputs=plain(inputs)))
    tail = " · ".join(made)
    if manifest.get("command"):
        tail += "  \n" + word("discovery.written", lang, command=f"`{manifest['command']}`")
    return markdown(_title(found, lang), blocks(found, lang)) + "\n" + tail + "\n"


def lines(found: Allocation, lang: Lang) -> list[str]:
    """The same to print."""
    return printed(_title(found, lang), blocks(found, lang))


def blocks(found: Allocation, lang: Lang) -> list[Block]:
    """What is told, block by block: what to do stands first."""
    every = [_answer, _sure, _ranking, _checked, _front, _robust, _information, _limits]
    return [block for make in every if (block := make(found, lang)) is not None]


def _title(found: Allocation, lang: Lang) -> str:
    manifest = found.manifest
    budget = float(manifest["budget_rp"])
    years = str(manifest["since"])[:4]
    if str(manifest["until"])[:4] != years:
        years += f"-{str(manifest['until'])[:4]}"
    key = "title" if budget > 0 else "title_less" if budget < 0 else "title_same"
    return word(f"allocate.{key}", lang, district=district(found), money=rupiah(abs(budget), lang), years=years)


def _seeds(found: Allocation, lang: Lang) -> str:
    return word("allocate.seeds", lang, draws=found.manifest["draws"], seeds=found.manifest["seeds"])


def line_name(found: Allocation, row: Any, lang: Lang) -> str:
    """A budget line in words: the service, and the agency and the source in brackets."""
    services, agencies = found.manifest["service_names"], found.manifest["agency_names"]
    return word(
        "allocate.line",
        lang,
        service=plain(services.get(row.service, {}).get(lang, row.service)),
        agency=plain(agencies.get(row.agency, row.agency)),
        source=word(f"source.{row.source}", lang),
    )


def _lines(rows: pd.DataFrame) -> pd.Series:
    """The name agency:service:source of each row."""
    return rows["agency"] + ":" + rows["service"] + ":" + rows["source"]


def _named(found: Allocation, name: str, lang: Lang) -> str:
    """A line by its name agency:service:source."""
    rows = found.allocation
    at = rows[_lines(rows) == name]
    return line_name(found, next(at.itertuples()), lang)


def _between(mean: float, low: float, high: float, lang: Lang, decimals: int = 0) -> str:
    """A number with its interval; without one where the runs did not vary."""
    said = [number(each, lang, decimals) for each in (mean, low, high)]
    if not math.isfinite(low):
        return said[0] if mean == 0 else word("compare.without_interval", lang, value=said[0])
    return word("compare.between", lang, value=said[0], low=said[1], high=said[2])


def _answer(found: Allocation, lang: Lang) -> Block:
    manifest = found.manifest
    since = month_name(manifest["since"], lang)
    given = found.allocation[found.allocation["rp"].abs() >= LEAST_RP]
    given = given.sort_values("rp", key=abs, ascending=False)
    rows = [(line_name(found, row, lang), since, _more(float(row.rp), lang), _brings(found, row, lang))
            for row in given.itertuples()]  # fmt: skip
    columns = tuple(word(f"allocate.column.{name}", lang) for name in ("line", "since", "more", "gain"))
    after = []
    left = float(manifest["budget_rp"]) - float(manifest["placed_rp"])
    if manifest["budget_rp"] > 0 and left > LEAST_RP and manifest["objective"] != "cost":
        after.append(word("allocate.answer.unplaced", lang, rp=rupiah(left, lang)))
    for source in dict.fromkeys(given[given["rp"] > 0]["source"]):
        lead = int(institutions().source[str(source)].lead_months.value)
        door = format_month(parse_month(manifest["since"]) - lead)
        words = {"source": word(f"source.{source}", lang), "month": since, "door": month_name(door, lang)}
        after.append(word("allocate.answer.door", lang, **words))
    heading = word("allocate.heading.answer", lang)
    return Block(heading, [_verdict(found, not rows, lang)], columns if rows else (), rows, after, ends_in_words=True)


def _sure(found: Allocation, lang: Lang) -> Block:
    said = [*_better(found, lang), _first_two(found, lang), _counts(found, lang)]
    if own := found.manifest.get("own_money"):
        said.append(own_sentence(own, lang))
    return Block(word("allocate.heading.sure", lang), said)


def _verdict(found: Allocation, nothing: bool, lang: Lang) -> str:
    """The first line: what is recommended, or that no difference that matters can be shown."""
    if nothing:
        return word("allocate.answer.nothing", lang)
    budget = float(found.manifest["budget_rp"])
    if budget < 0:
        return word("allocate.answer.spared", lang)
    chosen = next(found.checked[found.checked["what"] == "chosen"].itertuples())
    gain = _children(found, _between(chosen.gain, chosen.low, chosen.high, lang), lang)
    if math.isfinite(chosen.low) and chosen.low > 0:
        key = "recommended"
    elif math.isfinite(chosen.high) and chosen.high < 0:
        key = "worse"
    else:
        key = "untold_more" if budget > 0 else "untold_same"
    return word(f"allocate.answer.{key}", lang, money=rupiah(budget, lang), gain=gain)


def _more(rp: float, lang: Lang) -> str:
    """Rupiah more or less, with the sign."""
    return ("+" if rp > 0 else "-") + rupiah(abs(rp), lang)


def _children(found: Allocation, value: str, lang: Lang) -> str:
    """A gain with what it counts."""
    return word(f"allocate.gain.{found.manifest['objective']}", lang, value=value)


def _brings(found: Allocation, row: Any, lang: Lang) -> str:
    """What a line's rupiah bring, and whether that can be told from nothing."""
    told = math.isfinite(row.low) and (row.low > 0 or row.high < 0)
    said = _children(found, _between(row.gain, row.low, row.high, lang), lang)
    return said if told else word("allocate.answer.untold", lang, value=said)


def _better(found: Allocation, lang: Lang) -> list[str]:
    """Whether the answer does better than the money divided as lines are now."""
    better = found.checked[found.checked["what"] == "better"]
    if better.empty:
        return []
    return [word(f"allocate.checked.{'sure' if float(better['low'].iloc[0]) > 0 else 'unsure'}", lang)]


def _first_two(found: Allocation, lang: Lang) -> str:
    manifest = found.manifest
    first, second = (_named(found, name, lang) for name in (*manifest["first_two"], *manifest["first_two"])[:2])
    key = "clear" if manifest["first_two_clear"] else "unclear"
    share = percent(float(manifest["first_two_share"]), lang, 0)
    return word(f"allocate.answer.{key}", lang, first=first, second=second, share=share)


def _counts(found: Allocation, lang: Lang) -> str:
    manifest = found.manifest
    return word(
        "allocate.answer.counts",
        lang,
        objective=word(f"allocate.objective.{manifest['objective']}", lang),
        month=month_name(manifest["at"], lang),
        children=number(float(manifest["baseline"]["children"]), lang),
    )


def _ranking(found: Allocation, lang: Lang) -> Block:
    names = ("line", "now", "most", "per_billion", "rank", "rp")
    columns = tuple(word(f"allocate.column.{name}", lang) for name in names)
    ranks = found.allocation.set_index(_lines(found.allocation))
    rows = []
    for row in found.marginal.itertuples():
        own = ranks.loc[f"{row.agency}:{row.service}:{row.source}"]
        least = f"{own['rank_low']:.0f}-{own['rank_high']:.0f}"
        brings = _between(row.per_billion, row.per_billion_low, row.per_billion_high, lang, 1)
        room = row.most_rp if found.manifest["budget_rp"] >= 0 else -row.least_rp
        cells = (rupiah(float(row.now_rp), lang), rupiah(float(room), lang), brings, least)
        rows.append((line_name(found, row, lang), *cells, rupiah(float(own["rp"]), lang) if own["rp"] else ABSENT))
    return Block(word("allocate.heading.ranking", lang), [], columns, rows)


def _front(found: Allocation, lang: Lang) -> Block | None:
    if found.front.empty:
        return None
    columns = tuple(word(f"allocate.column.{name}", lang) for name in ("money", "gain"))
    rows = [(rupiah(row.rp, lang), _between(row.gain, row.low, row.high, lang)) for row in found.front.itertuples()]
    return Block(word("allocate.heading.front", lang), [], columns, rows)


def _checked(found: Allocation, lang: Lang) -> Block:
    columns = tuple(word(f"allocate.column.{name}", lang) for name in ("what", "money", "gain"))
    rows = [
        (word(f"allocate.checked.{row.what}", lang), rupiah(row.rp, lang) if row.rp else ABSENT,
         _between(row.gain, row.low, row.high, lang))
        for row in found.checked.itertuples()
    ]  # fmt: skip
    return Block(word("allocate.heading.checked", lang), [], columns, rows)


def _robust(found: Allocation, lang: Lang) -> Block:
    said = []
    table = found.structures
    if len(table):
        firsts = list(dict.fromkeys(str(first) for first in table["first"]))
        named = [_named(found, line, lang) for line in firsts]
        if len(firsts) == 1:
            said.append(word("allocate.robust.same", lang, line=named[0]))
        else:
            said.append(word("allocate.robust.flips", lang, named="; ".join(named)))
    largest = {str(caution): _largest(rows) for caution, rows in found.cautions.groupby("caution", sort=False)}
    if len(set(largest.values())) == 1:
        said.append(word("allocate.robust.cautions_same", lang, line=_named(found, next(iter(largest.values())), lang)))
    elif largest:
        named = [
            word("allocate.robust.caution", lang, caution=word(f"allocate.caution.{name}", lang),
                 line=_named(found, line, lang))
            for name, line in largest.items()
        ]  # fmt: skip
        said.append(word("allocate.robust.cautions_differ", lang, named="; ".join(named)))
    columns = tuple(
        word(f"allocate.column.{name}", lang) for name in ("structure", "choice", "draws", "first", "second")
    )
    rows = [
        (_rule(str(row.structure), lang), str(row.choice), number(row.draws, lang), _named(found, row.first, lang),
         _named(found, row.second, lang))
        for row in table.itertuples()
    ]  # fmt: skip
    return Block(word("allocate.heading.robust", lang), said, columns if rows else (), rows, ends_in_words=True)


def _rule(structure: str, lang: Lang) -> str:
    """A rule of the model in words."""
    known = load_structures().get(structure)
    return known.title[lang] if known else structure


def _largest(rows: pd.DataFrame) -> str:
    return str(_lines(rows).iloc[int(rows["rp"].abs().to_numpy().argmax())])


def _information(found: Allocation, lang: Lang) -> Block | None:
    table = found.information
    if table.empty:
        return None
    heading = word("allocate.heading.information", lang)
    if table["value"].isna().all():
        return Block(heading, [word("allocate.information.few", lang)])
    beyond = table[table["value"] > table["chance"]]
    if beyond.empty:
        return Block(heading, [word("allocate.information.none", lang, draws=found.manifest["draws"])])
    columns = tuple(word(f"allocate.column.{name}", lang) for name in ("parameter", "value", "value_rp", "points"))
    rows = [
        (plain(meaning(str(row.parameter), lang)), number(row.value, lang, 1), rupiah(row.value_rp, lang),
         number(row.points, lang, 3))
        for row in beyond.head(SHOWN).itertuples()
    ]  # fmt: skip
    return Block(heading, [word("allocate.information.said", lang)], columns, rows)


def _limits(found: Allocation, lang: Lang) -> Block:
    said = [word(f"allocate.limits.{name}", lang) for name in ("who", "lines", "surrogate")]
    left_out = [f"{each.name[lang]}: {each.why[lang]}" for each in context().left_out]
    return Block(
        word("allocate.heading.limits", lang),
        said,
        after=[word("allocate.limits.not_modelled", lang, named="; ".join(left_out))],
    )
