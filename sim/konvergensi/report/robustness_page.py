"""Robustness in words and tables: what is printed, and robustness.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from konvergensi.analyses.robustness import measure_of
from konvergensi.base.words import ABSENT, Lang, listed, percent, word
from konvergensi.report.blocks import Block, markdown, printed
from konvergensi.report.discovery_page import output_name, plain_value
from konvergensi.report.numbers import change, level
from konvergensi.report.origin import comparison_origin, district, interval_kind, plain, synthetic
from konvergensi.report.readings_comparison import Estimate
from konvergensi.studies.outputs import DIFFERENCE
from konvergensi.studies.study import KONVERGENSI

if TYPE_CHECKING:
    from konvergensi.analyses.robustness import Robustness

SURE = 0.95  # share of the resamples in which a scenario is best by a rule, from which on it is sure


def page(found: Robustness, lang: Lang) -> str:
    """The page as Markdown, ending with a newline."""
    made = [comparison_origin(found, lang)]
    if found.manifest["command"]:
        made.append(word("discovery.written", lang, command=f"`{found.manifest['command']}`"))
    return markdown(_title(found, lang), blocks(found, lang)) + "\n" + "  \n".join(made) + "\n"


def lines(found: Robustness, lang: Lang) -> list[str]:
    """The same to print."""
    return printed(_title(found, lang), blocks(found, lang))


def _title(found: Robustness, lang: Lang) -> str:
    return word("robustness.title", lang, output=output(found, lang), district=district(found))


def output(found: Robustness, lang: Lang) -> str:
    """The output in words."""
    manifest = found.manifest
    return output_name(manifest["output"], manifest["reference"], manifest["end"], lang)


def blocks(found: Robustness, lang: Lang) -> list[Block]:
    """What is told, block by block; how to read it stands last."""
    return [_done(found, lang), _table(found, lang), _rules(found, lang), _reading(found, lang)]


def _done(found: Robustness, lang: Lang) -> Block:
    manifest = found.manifest
    words = {"scenarios": listed(manifest["policies"], lang), "draws": manifest["draws"], "varied": manifest["varied"]}
    way = word(f"robustness.better.{'higher' if manifest['direction'] > 0 else 'lower'}", lang)
    sentences = [*caution(found, lang), word("robustness.done", lang, better=way, **words)]
    if manifest["seeds"] > 1:
        sentences.append(word("robustness.chance", lang, seeds=manifest["seeds"]))
    if manifest["left_out"]:
        sentences.append(word("discovery.left_out", lang, n=manifest["left_out"]))
    if manifest["threshold"] is not None:
        value = plain_value(float(manifest["threshold"]), lang)
        sentences.append(word("robustness.threshold_own", lang, value=value))
    cost = [word("robustness.cost", lang)] if manifest["model"] == KONVERGENSI else []
    return Block(word("robustness.heading.done", lang), sentences, after=verdict(found, lang) + cost)


def caution(found: Robustness, lang: Lang) -> list[str]:
    """What is to be said first: the chance of one seed is in no interval."""
    return [word("robustness.chance_one", lang)] if found.manifest["seeds"] == 1 else []


def verdict(found: Robustness, lang: Lang) -> list[str]:
    """Who wins by which rule, and how sure that is; rules by which all are equal tell nothing and are left out."""
    telling = [rule for rule in found.rules if len(winners(found, rule)) < len(found.manifest["policies"])]
    by: dict[tuple[str, ...], list[str]] = {}
    for rule in telling:
        by.setdefault(winners(found, rule), []).append(word(f"robustness.rule.{rule}", lang))
    said = []
    if len(by) == 1:
        said.append(word("robustness.all_rules", lang, scenario=names(next(iter(by)), lang)))
    elif by:
        parts = [word("robustness.split_part", lang, scenario=names(who, lang), rules=listed(rules, lang))
                 for who, rules in by.items()]  # fmt: skip
        said.append(word("robustness.split", lang, parts="; ".join(parts)))
    unsure = [word(f"robustness.rule.{rule}", lang) for rule in telling if found.of(rule)["best_share"].max() < SURE]
    if telling:
        said.append(
            word("robustness.unsure", lang, rules=listed(unsure, lang)) if unsure else word("robustness.sure", lang)
        )
    if "satisficing" in found.rules and (found.of("satisficing")["value"] == 0).all():
        said.append(word("robustness.never", lang))
    return said


def winners(found: Robustness, rule: str) -> tuple[str, ...]:
    """The scenarios of rank 1."""
    table = found.of(rule)
    return tuple(str(name) for name in table.index[table["rank"] == 1])


def names(scenarios: tuple[str, ...], lang: Lang) -> str:
    """Scenarios in words; equals are called so."""
    if len(scenarios) == 1:
        return scenarios[0]
    return word("robustness.tie", lang, names=listed(scenarios, lang))


def _table(found: Robustness, lang: Lang) -> Block:
    scenarios = [str(name) for name in found.manifest["policies"]]
    ends = tuple(word(f"robustness.column.{name}", lang) for name in ("best", "share"))
    columns = (word("robustness.column.rule", lang), *scenarios, *ends)
    rows = []
    for rule in found.rules:
        table, who = found.of(rule), winners(found, rule)
        best = ABSENT if len(who) == len(scenarios) else names(who, lang)
        share = ABSENT if len(who) == len(scenarios) else percent(float(table["best_share"].max()), lang, 0)
        values = [shown(found, rule, name, lang) for name in scenarios]
        rows.append((word(f"robustness.rule.{rule}", lang), *values, best, share))
    after = [word("robustness.interval", lang, interval=interval_kind(found, lang))]
    return Block(word("robustness.heading.table", lang), [], columns, rows, after)


def shown(found: Robustness, rule: str, scenario: str, lang: Lang) -> str:
    """A rule's number with unit and interval."""
    row = found.of(rule).loc[scenario]
    estimate = Estimate(float(row["value"]), float(row["low"]), float(row["high"]))
    if rule == "satisficing":
        ends = {name: percent(float(row[name]), lang, 0) for name in ("value", "low", "high")}
        return word("compare.between", lang, **ends)
    asked = str(found.manifest["output"])
    measure = measure_of(asked)
    return (change if rule == "regret" or asked != asked.removeprefix(DIFFERENCE) else level)(estimate, measure, lang)


def _rules(found: Robustness, lang: Lang) -> Block:
    columns = tuple(word(f"robustness.column.{name}", lang) for name in ("rule", "meaning"))
    rows = [(word(f"robustness.rule.{rule}", lang), word(f"robustness.meaning.{rule}", lang)) for rule in found.rules]
    return Block(word("robustness.heading.rules", lang), [], columns, rows, ends_in_words=True)


def _reading(found: Robustness, lang: Lang) -> Block:
    sentences = [word(f"robustness.{name}", lang) for name in ("extremes", "ranges")]
    if inputs := synthetic(found, lang):
        sentences.append(word("discovery.reading.synthetic", lang, inputs=plain(inputs)))
    return Block(word("robustness.heading.reading", lang), sentences)
