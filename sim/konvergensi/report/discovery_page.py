"""Conditions in words and tables: what is printed, and discovery.md."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from konvergensi.base.units import unit_word
from konvergensi.base.words import Lang, listed, month_name, number, percent, rupiah, word
from konvergensi.methods.box_check import FOLDS, REPEATS
from konvergensi.methods.boxes import Level, Limit, Side, fit
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.origin import comparison_origin, district, plain, synthetic
from konvergensi.results.comparison import MEASURES
from konvergensi.studies.outputs import COST, DIFFERENCE

if TYPE_CHECKING:
    from konvergensi.analyses.discover import Discovery, Region
    from konvergensi.methods.cases import Condition

_SIGNS = {">": "above", ">=": "at_least", "<": "below", "<=": "at_most"}
_OUTPUTS = (*MEASURES, COST, "y")
_AT_END = ("prevalence", "stunted_children", "complete_package_share", "services_mean", "integration_index")
SELDOM = 0.5  # found again in fewer of the searches than this: to be warned of


def page(found: Discovery, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    text = markdown(f"{_title(found, lang)}", blocks(found, lang))
    made = [comparison_origin(found, lang)]
    if found.manifest["command"]:
        made.append(word("discovery.written", lang, command=f"`{found.manifest['command']}`"))
    return text + "\n" + "  \n".join(made) + "\n"


def lines(found: Discovery, lang: Lang) -> list[str]:
    """The same to print."""
    return printed(_title(found, lang), blocks(found, lang))


def _title(found: Discovery, lang: Lang) -> str:
    return word("discovery.title", lang, what=f"{what(found, lang)}, {district(found)}")


def what(found: Discovery, lang: Lang) -> str:
    """What is of interest, with its scenario: prevalence of stunting (percent) is above 14, baseline."""
    return word("discovery.of_scenario", lang, condition=condition(found, lang), scenario=found.cases.scenario)


def condition(found: Discovery, lang: Lang) -> str:
    """What is of interest in words."""
    where = found.cases.where
    each = [_one(found, each, lang) for each in where.conditions]
    return word("discovery.join.any" if where.any else "discovery.join.all", lang).join(each)


def _one(found: Discovery, each: Condition, lang: Lang) -> str:
    name = output_name(each.output, str(found.manifest["reference"]), str(found.manifest["end"]), lang)
    money = each.output.endswith("_rp") or each.output == COST
    value = rupiah(each.value, lang) if money else plain_value(each.value, lang)
    return word(f"discovery.sign.{_SIGNS[each.sign]}", lang, output=name, value=value)


def output_name(output: str, reference: str, end: str, lang: Lang) -> str:
    """An output in words; a level at the end of the run says when that is."""
    inner = output.removeprefix(DIFFERENCE)
    measure, year, month = (*re.split(r"_(\d{4})_(\d\d)$", inner), "", "")[:3]
    unit = word(f"discovery.unit.{'level' if inner == output else 'difference'}", lang)
    name = word(f"discovery.output.{measure}", lang, unit=unit) if measure in _OUTPUTS else inner
    if year or measure in _AT_END:
        name = word(
            "discovery.output.at", lang, output=name, month=month_name(f"{year}-{month}" if year else end, lang)
        )
    return name if inner == output else word("discovery.output.difference", lang, reference=reference, output=name)


def blocks(found: Discovery, lang: Lang) -> list[Block]:
    """What is told, block by block; how to read it stands last."""
    regions = [_region(found, number_of, lang) for number_of in range(len(found.boxes))]
    return [_done(found, lang), *regions, _check(found, lang), _reading(found, lang)]


def _done(found: Discovery, lang: Lang) -> Block:
    manifest, whole = found.manifest, fit(found.cases.interest, found.cases.interest)
    counts = {
        "met": number(whole.of_interest, lang),
        "draws": number(whole.runs, lang),
        "share": percent(whole.base, lang),
    }
    sentences = [word("discovery.done", lang, condition=what(found, lang), varied=manifest["varied"], **counts)]
    if manifest["seeds"] > 1:
        sentences.append(word("discovery.chance", lang, seeds=manifest["seeds"]))
    else:
        sentences.append(word("discovery.chance_one", lang))
    if manifest["left_out"]:
        sentences.append(word("discovery.left_out", lang, n=manifest["left_out"]))
    if "cost_per_case_rp" in found.cases.values:
        sentences.append(word("discovery.cost", lang))
    return Block(word("discovery.heading.done", lang), sentences, after=[headline(found, lang)])


def headline(found: Discovery, lang: Lang) -> str:
    """How well the conditions tell the draws apart, in one sentence."""
    together = found.together
    if not found.boxes:
        return word("discovery.none", lang, draws=number(together.runs, lang))
    outside = (together.of_interest - together.hits) / max(together.runs - together.support, 1)
    shown = {"density": together.density, "elsewhere": outside, "coverage": together.coverage}
    return word("discovery.found", lang, **{name: percent(share, lang, 0) for name, share in shown.items()})


def _region(found: Discovery, at: int, lang: Lang) -> Block:
    region = found.boxes[at]
    counts = {name: number(getattr(region.fit, name), lang) for name in ("hits", "support", "of_interest")}
    shares = {name: percent(getattr(region.fit, name), lang, 0) for name in ("coverage", "density", "mass")}
    after = [word("discovery.numbers", lang, **counts, **shares)]
    if at and found.root is None:  # leaves of a tree do not overlap
        after.append(word("discovery.besides", lang))
    columns = tuple(word(f"discovery.column.{name}", lang) for name in ("factor", "limit", "p", "recurs", "key"))
    rows = [_row(found, region, factor, lang) for factor in region.box]
    heading = word("discovery.heading.box", lang, n=at + 1)
    return Block(heading, [sentence(found, region, lang)], columns, rows, after, ends_in_words=True)


def sentence(found: Discovery, region: Region, lang: Lang) -> str:
    """A box as a sentence that a planner may read out."""
    parts = [
        word("discovery.part", lang, meaning=meaning(found, factor, lang), limit=limit_words(limit, lang))
        for factor, limit in region.box.items()
    ]
    shares = {"density": percent(region.fit.density, lang, 0), "base": percent(region.fit.base, lang, 0)}
    return word("discovery.sentence", lang, parts=listed(parts, lang), condition=condition(found, lang), **shares)


def _row(found: Discovery, region: Region, factor: str, lang: Lang) -> tuple[str, ...]:
    limit, unit = region.box[factor], unit_of(found, factor, lang)
    alone = float(limit.holds(found.cases.x[factor]).mean())
    p = [region.quasi_p[factor, side] for side in limit.sides()]
    return (
        plain(meaning(found, factor, lang)),
        _with_share(limit, alone, lang),
        " / ".join(_p(each, lang) for each in p),
        percent(found.check.recurs[factor], lang, 0),
        f"`{factor}`" + (f" ({plain(unit)})" if unit else ""),
    )


def _with_share(limit: Limit, share: float, lang: Lang) -> str:
    sides = {("low",): "upper", ("high",): "lower"}
    key = sides.get(tuple(limit.sides()), "middle")
    return word(f"discovery.{key}", lang, limit=limit_words(limit, lang), share=percent(share, lang, 0))


def _p(value: float, lang: Lang) -> str:
    return "< " + number(0.001, lang, 3) if value < 0.001 else number(value, lang, 3)


def unit_of(found: Discovery, factor: str, lang: Lang) -> str:
    """What a factor is measured in, '' for nothing."""
    return unit_word(str(found.manifest["factors"][factor]["unit"]), lang)


def meaning(found: Discovery, factor: str, lang: Lang) -> str:
    """What a factor is, as its parameter says, without the full stop."""
    of = found.manifest["factors"][factor]
    return str(of["arti"] if lang == "id" else of["meaning"]).rstrip(". ")


def limit_words(limit: Limit, lang: Lang) -> str:
    """What is asked of a factor: at least 0.62."""
    if limit.levels is not None:
        return word(
            "discovery.limit.levels", lang, levels=listed((level_name(each, lang) for each in limit.levels), lang)
        )
    sides: list[Side] = limit.sides()
    ends = {"low": plain_value(limit.low, lang), "high": plain_value(limit.high, lang)}
    if len(sides) == 2:
        return word("discovery.limit.both", lang, **ends)
    return word(f"discovery.limit.{sides[0]}", lang, **{sides[0]: ends[sides[0]]})


def level_name(level: Level, lang: Lang) -> str:
    """A level as the language says it: true is yes."""
    if isinstance(level, (bool, np.bool_)):
        return word(f"discovery.level.{str(bool(level)).lower()}", lang)
    return str(level)


def plain_value(value: float, lang: Lang) -> str:
    """A value with three digits, large ones whole, as the language writes it."""
    if not np.isfinite(value):
        return str(value)
    digits = 0 if value == 0 else 2 - int(np.floor(np.log10(abs(value))))
    text = number(round(value, digits), lang, max(digits, 0))
    separator = "," if lang == "id" else "."
    return text.rstrip("0").rstrip(separator) if separator in text else text


def _check(found: Discovery, lang: Lang) -> Block:
    check = found.check
    sentences = [word("discovery.check.how", lang, times=REPEATS * FOLDS)]
    if check.found == 0:
        sentences.append(word("discovery.check.nothing", lang))
    else:
        shown = {
            "density": check.density,
            "low": check.low,
            "high": check.high,
            "coverage": check.coverage,
            "base": check.base,
        }
        shares = {name: percent(share, lang) for name, share in shown.items()}
        sentences.append(word("discovery.check.result", lang, **shares))
        if found.boxes:
            told = found.together.coverage
            kept = {"coverage": percent(check.coverage, lang, 0), "told": percent(told, lang, 0)}
            sentences.append(word(f"discovery.check.{check.verdict}", lang, low=shares["low"], base=shares["base"]))
            sentences.append(word(f"discovery.check.{'edges' if check.coverage < told / 2 else 'kept'}", lang, **kept))
    factors = dict.fromkeys(factor for region in found.boxes for factor in region.box)
    if seldom := [f"`{factor}`" for factor in factors if check.recurs[factor] < SELDOM]:
        sentences.append(word("discovery.check.seldom", lang, factors=", ".join(seldom)))
    for factor, others in found.lookalikes().items():
        shown_others = ", ".join(f"`{other}`" for other in others)
        sentences.append(word("discovery.check.alike", lang, factor=f"`{factor}`", others=shown_others))
    return Block(word("discovery.heading.check", lang), sentences)


def _reading(found: Discovery, lang: Lang) -> Block:
    manifest = found.manifest
    sentences = [word(f"discovery.reading.{name}", lang) for name in ("words", "quasi_p")]
    sentences.append(word(f"discovery.reading.{manifest['method']}", lang))
    if manifest["method"] == "prim":
        sentences.append(rule(found, lang))
    sentences += [word(f"discovery.reading.{name}", lang) for name in ("ranges", "cause")]
    if inputs := synthetic(found, lang):
        sentences.append(word("discovery.reading.synthetic", lang, inputs=plain(inputs)))
    return Block(word("discovery.heading.reading", lang), sentences)


def rule(found: Discovery, lang: Lang) -> str:
    """The rule that chose the box."""
    asked = found.manifest["rule"]
    if asked == "correlation":
        return word("discovery.reading.correlation", lang)
    return word("discovery.reading.density", lang, density=percent(float(asked), lang, 0))
