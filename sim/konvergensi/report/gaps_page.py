"""Closing the gaps in words and tables: what is printed, and gaps.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from konvergensi.analyses.budget_lines import own_sentence
from konvergensi.base.words import Lang, number, part, percent, rupiah, word
from konvergensi.inputs.structures import load_structures
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.origin import district, plain, synthetic
from konvergensi.results.gaps import GOOD, MEASURES

if TYPE_CHECKING:
    from konvergensi.analyses.gaps import Gaps

GAPS = ("socialization", "data", "timing")
PARTS = (*GAPS, "total", "interaction")
NEGLIGIBLE = 1e-6  # relative difference of budgets that is rounding
SHOWN_RATES = 6  # printed; the page has all


def page(gaps: Gaps, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    return markdown(_title(gaps, lang), _blocks(gaps, lang, whole=True))


def lines(gaps: Gaps, lang: Lang) -> list[str]:
    """The same to print, with the rates that matter most."""
    return printed(_title(gaps, lang), _blocks(gaps, lang, whole=False))


def _title(gaps: Gaps, lang: Lang) -> str:
    return word("gaps.title", lang, district=district(gaps), year=gaps.manifest["year"])


def _blocks(gaps: Gaps, lang: Lang, whole: bool) -> list[Block]:
    blocks = [_compared(gaps, lang), *(_measure(gaps, measure, lang) for measure in MEASURES)]
    blocks += [_shares(gaps, lang), _money(gaps, lang)]
    if len(gaps.ranking):
        blocks.append(_ranking(gaps, lang, whole))
    if len(gaps.ranges):
        blocks.append(_rates(gaps, lang, whole))
    return [*blocks, _reading(gaps, lang)]


def _compared(gaps: Gaps, lang: Lang) -> Block:
    manifest = gaps.manifest
    share = part(float(manifest["population_share"]), lang)
    sentences = [
        word("gaps.compared", lang, policies=", ".join(manifest["policies"].values())),
        word("gaps.equal", lang),
        word("gaps.size", lang, share=share, seeds=len(manifest["seeds"])),
    ]
    return Block(sentences=sentences, after=[headline(gaps, lang), *_worse(gaps, lang), *_survey(gaps, lang)])


def headline(gaps: Gaps, lang: Lang) -> str:
    """What closing all three changes, in one sentence."""
    shown = {measure: signed(value, measure, lang) for measure, value in totals(gaps).items()}
    package = shown["complete_package_share"]
    return word("gaps.all", lang, points=shown["prevalence"], children=shown["protected_in_time"], package=package)


def totals(gaps: Gaps) -> dict[str, float]:
    """The difference that closing all three makes, by measure."""
    table = gaps.shapley[gaps.shapley["part"] == "total"].set_index("measure")["value"]
    return {measure: float(table[measure]) for measure in MEASURES}


def _worse(gaps: Gaps, lang: Lang) -> list[str]:
    """Sets of gaps whose closing makes a measure worse, the whole interval over seeds on that side."""
    found = []
    for measure in MEASURES:
        table = gaps.differences[gaps.differences["measure"] == measure]
        edges = table[["chance_low", "chance_high"]].to_numpy(float) * GOOD[measure]
        # never with one seed, where edges are NaN, nor with two, which may agree by chance
        beyond = (edges < 0).all(axis=1) & (len(gaps.manifest["seeds"]) > 2)
        names = [set_name(str(closed), lang) for closed, worse in zip(table["closed"], beyond) if worse]
        if names:
            found.append(f"{word(f'gaps.short.{measure}', lang)}: {', '.join(names)}")
    return [word("gaps.worse", lang, found="; ".join(found))] if found else []


def _survey(gaps: Gaps, lang: Lang) -> list[str]:
    survey = gaps.manifest["survey"]
    if survey is None:
        return []
    half = float(survey["half_width"])
    apart = half * np.sqrt(2)  # two surveys, each with its own error
    key = "gaps.survey_sees" if abs(totals(gaps)["prevalence"]) > apart else "gaps.survey_blind"
    shown = {"half": number(100 * half, lang, 1), "apart": number(100 * apart, lang, 1)}
    return [word(key, lang, system=plain(survey["system"]), **shown)]


def _measure(gaps: Gaps, measure: str, lang: Lang) -> Block:
    table = gaps.differences[gaps.differences["measure"] == measure]
    baseline = float(table.loc[table["closed"] == "none", "value"].iloc[0])
    level = number(baseline, lang) if measure == "protected_in_time" else percent(baseline, lang)
    turned = number(gaps.manifest["baseline"]["turned_24_months"], lang)
    heading = word(f"gaps.measure.{measure}", lang, level=level, turned=turned)
    columns = tuple(word(f"gaps.column.{name}", lang) for name in ("closed", "difference", "chance", "assumed"))
    rows = [
        (
            set_name(row.closed, lang),
            signed(row.difference, measure, lang),
            _to(row.chance_low, row.chance_high, measure, lang),
            _to(row.assumed_low, row.assumed_high, measure, lang),
        )
        for row in table[table["closed"] != "none"].itertuples()
    ]
    return Block(heading=heading, columns=columns, rows=rows)


def _shares(gaps: Gaps, lang: Lang) -> Block:
    columns = (word("gaps.column.measure", lang), *(word(f"gaps.set.{name}", lang) for name in PARTS))
    table = gaps.shapley.set_index(["measure", "part"])["value"]
    rows = [
        (
            word(f"gaps.short.{measure}", lang),
            *(signed(float(table[measure, name]), measure, lang) for name in PARTS),
        )
        for measure in MEASURES
    ]
    heading = word("gaps.heading.shapley", lang)
    return Block(heading=heading, columns=columns, rows=rows, after=[word("gaps.interaction", lang)])


def _ranking(gaps: Gaps, lang: Lang, whole: bool) -> Block:
    """How often each gap brings most, and under which rule the order is another."""
    table = gaps.ranking
    columns = (
        *(word(f"gaps.column.{name}", lang) for name in ("measure", "structure", "choice", "draws")),
        *(word(f"gaps.set.{name}", lang) for name in GAPS),
    )
    rows, after = [], []
    known = load_structures()
    for measure in MEASURES:
        part = table[table["measure"] == measure]
        leader = str(part[part["structure"] == "all"].set_index("gap")["first_share"].idxmax())
        turned = []
        for (name, choice), group in part.astype({"structure": str}).groupby(["structure", "choice"], sort=False):
            name = str(name)
            often = group.set_index("gap")["first_share"]
            title = known[name].title[lang] if name in known else word("gaps.set.all_rules", lang)
            shown = "" if name == "all" else str(choice)
            draws = int(group["draws"].iloc[0])
            shares = (percent(float(often[gap]), lang) if draws else "–" for gap in GAPS)
            if whole or name == "all":
                rows.append((word(f"gaps.short.{measure}", lang), title, shown, str(draws), *shares))
            if draws > 1 and str(often.idxmax()) != leader:
                turned.append((name, str(choice)))
        for name, choice in turned:
            settles = known[name].settles[lang]
            told = {"measure": word(f"gaps.short.{measure}", lang), "rule": known[name].title[lang], "choice": choice}
            after.append(word("gaps.turns", lang, settles=settles, leader=word(f"gaps.set.{leader}", lang), **told))
    after = after or [word("gaps.steady", lang)]
    return Block(heading=word("gaps.heading.ranking", lang), columns=columns, rows=rows, after=after)


def _money(gaps: Gaps, lang: Lang) -> Block:
    year = gaps.manifest["year"]
    of_year = gaps.money[gaps.money["year"] == year]
    sums = of_year.groupby("closed", sort=False)[["budgeted_rp", "spent_rp"]].sum()
    budgeted = float(sums.loc["none", "budgeted_rp"])
    sentences = [word("gaps.budget", lang, year=year, budgeted=rupiah(budgeted, lang))]
    if (difference := gaps.budgets_differ_by()) > NEGLIGIBLE:
        sentences.append(word("gaps.unequal", lang, difference=percent(difference, lang, 3)))
    if own := gaps.manifest.get("own_money"):
        sentences.append(own_sentence(own, lang))
    columns = tuple(word(f"gaps.column.{name}", lang) for name in ("closed", "spent", "absorbed"))
    rows = [
        (
            set_name(str(closed), lang),
            rupiah(float(money["spent_rp"]), lang),
            percent(float(money["spent_rp"] / money["budgeted_rp"]), lang) if money["budgeted_rp"] else "",
        )
        for closed, money in sums.iterrows()
    ]
    return Block(word("gaps.heading.money", lang), sentences, columns, rows)


def _rates(gaps: Gaps, lang: Lang, whole: bool) -> Block:
    seen = sorted_rates(gaps)
    of = {measure: seen[measure] for measure in ("prevalence", "protected_in_time")}
    (low, usual, high), (fewest, as_usual, most) = (_swing(table, measure, lang) for measure, table in of.items())
    widest = ", ".join(str(name) for name in of["prevalence"].index[:3])
    words = {"low": low, "usual": usual, "high": high, "fewest": fewest, "as_usual": as_usual, "most": most}
    sentence = word("gaps.swing", lang, **words, widest=widest)
    sentences = [sentence, *_scatter(gaps, lang)]
    names = ["rate", "now", "range", *of, *(["meaning"] if whole else [])]
    rows = []
    for number_of, (rate, row) in enumerate(of["prevalence"].iterrows()):
        at = {measure: table.iloc[number_of] for measure, table in of.items()}
        shown = [_to(end["at_low"], end["at_high"], measure, lang) for measure, end in at.items()]
        cells = [str(rate), plain_number(row["value"], lang), rate_range(row, lang), *shown]
        rows.append((*cells, *([_meaning(str(rate), lang)] if whole else [])))
    heading = word("gaps.heading.ranges", lang)
    columns = tuple(word(f"gaps.column.{name}", lang) for name in names)
    if whole:
        return Block(heading, sentences, columns, rows, ends_in_words=True)
    left = len(rows) - SHOWN_RATES
    after = [word("gaps.more", lang, n=left)] if left > 0 else []
    return Block(heading, sentences, columns, rows[:SHOWN_RATES], after)


def _swing(table: pd.DataFrame, measure: str, lang: Lang) -> tuple[str, str, str]:
    """The difference at its lowest, with the values in use, and at its highest."""
    reached = table[["at_low", "at_value", "at_high"]].to_numpy(float)
    low, usual, high = (signed(value, measure, lang) for value in (reached.min(), reached[0, 1], reached.max()))
    return low, usual, high


def _scatter(gaps: Gaps, lang: Lang) -> list[str]:
    """How far the difference of one seed strays by chance."""
    if len(gaps.manifest["seeds"]) < 2:
        return []
    usual = gaps.values[gaps.values["draw"] == 0].pivot(index=["measure", "seed"], columns="closed", values="value")
    spread = (usual["+".join(GAPS)] - usual["none"]).groupby("measure").std()
    points_ = number(100 * float(spread["prevalence"]), lang, 2)
    return [word("gaps.scatter", lang, points=points_, children=number(float(spread["protected_in_time"]), lang))]


def sorted_rates(gaps: Gaps) -> dict[str, pd.DataFrame]:
    """The ranges by measure, each with the parameter as index, in the order of how far prevalence moves."""
    tables = {
        str(measure): table.set_index("parameter") for measure, table in gaps.ranges.groupby("measure", sort=False)
    }
    order = tables["prevalence"].index
    return {measure: table.loc[order] for measure, table in tables.items()}


def rate_range(row: pd.Series, lang: Lang) -> str:
    """The range of a rate: 0.005–0.1."""
    return f"{plain_number(row['low'], lang)}–{plain_number(row['high'], lang)}"


def plain_number(value: float, lang: Lang) -> str:
    """A value without trailing zeros, as the language writes it."""
    text = f"{float(value):.6g}"
    return text if lang == "en" else text.replace(".", ",")


def _meaning(key: str, lang: Lang) -> str:
    from konvergensi.inputs.parameters import load_parameters

    parameter = load_parameters()[key]
    return plain(parameter.arti if lang == "id" else parameter.meaning)


def _reading(gaps: Gaps, lang: Lang) -> Block:
    manifest = gaps.manifest
    seeds, draws, year = len(manifest["seeds"]), manifest["draws"], manifest["year"]
    sentences = [
        word("gaps.reading.assumptions", lang),
        word("gaps.reading.chance", lang, seeds=seeds) if seeds > 1 else word("gaps.reading.no_chance", lang),
        word("gaps.reading.drawn", lang, draws=draws, n=len(manifest["drawn"]))
        if draws
        else word("gaps.reading.no_drawn", lang),
        word("gaps.reading.in_time", lang, year=year),
        word("gaps.reading.package", lang, year=year),
        word("gaps.reading.closed", lang),
    ]
    if inputs := synthetic(gaps, lang):
        sentences.append(word("gaps.reading.synthetic", lang, inputs=plain(inputs)))
    return Block(word("gaps.heading.reading", lang), sentences)


def set_name(closed: str, lang: Lang) -> str:
    """A set of closed gaps in words: `data+timing` as "data + timing"."""
    names = closed.split("+")
    if len(names) == len(GAPS):
        return word("gaps.set.every", lang)
    return " + ".join(word(f"gaps.set.{name}", lang) for name in names)


def signed(value: float, measure: str, lang: Lang) -> str:
    """A difference with its sign, in points or children; what rounds to nothing has none."""
    text = number(value, lang) if measure == "protected_in_time" else number(100 * value, lang, 2)
    return "+" + text if value > 0 and text.strip("0.,") else text


def _to(low: float, high: float, measure: str, lang: Lang) -> str:
    shown = [signed(float(edge), measure, lang) for edge in (low, high)]
    return shown[0] if np.isnan(low) else word("gaps.to", lang, low=shown[0], high=shown[1])
