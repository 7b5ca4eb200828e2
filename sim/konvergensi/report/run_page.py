"""A run in a few lines: prevalence, surveys beside those that were really published, synthetic inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from konvergensi.base.words import Lang, number, word
from konvergensi.report.origin import synthetic

if TYPE_CHECKING:
    from konvergensi.results.run import Run


def level_lines(manifest: Mapping[str, Any], lang: Lang) -> list[str]:
    """The fitted level that a run or comparison follows, and what rows of one's own did to it; nothing for others."""
    level = manifest.get("level") or {}
    if level.get("from") != "country":
        return []
    year, (middle, low, high) = max(level["percent"].items())
    words = {name: number(value, lang, 1) for name, value in (("middle", middle), ("low", low), ("high", high))}
    said = [word("printed.level", lang, year=year, system=level["system"], **words)]
    return [*said, level["said"][lang]] if "said" in level else said


def lines(result: Run, lang: Lang) -> list[str]:
    """Say in a few lines what came out."""

    def percent(value: float) -> str:
        text = f"{value:.1f} %"
        return text.replace(".", ",") if lang == "id" else text

    every = result.series[result.series["group"] == "all"].sort_values("month")
    first, last = every.iloc[0], every.iloc[-1]
    ends = {"start": first["month"], "end": last["month"]}
    prevalence = {"first": percent(100 * first["prevalence"]), "last": percent(100 * last["prevalence"])}
    said = [word("printed.true", lang, **prevalence, **ends)]
    surveys = result.surveys[(result.surveys["level"] == "district") & (result.surveys["system"] != "e-PPGBM")]
    published = {
        each["fieldwork"]: percent(each["percent"])
        for each in result.manifest.get("published") or []
        if each["level"] == "district" and each["system"] != "e-PPGBM"
    }
    for _, row in surveys.iterrows():
        words = {name: percent(row[name]) for name in ("percent", "low", "high")}
        real = published.get(row["fieldwork"])
        words["really"] = word("printed.really", lang, percent=real) if real else ""
        said.append(word("printed.survey", lang, system=row["system"], fieldwork=row["fieldwork"], **words))
    said += level_lines(result.manifest, lang)
    if names := result.manifest.get("synthetic_inputs"):
        said.append(word("printed.synthetic", lang, names=synthetic(result, lang) or ", ".join(names)))
    return said
