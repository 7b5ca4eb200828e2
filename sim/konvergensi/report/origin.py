"""Where a result comes from, in one line: shown under every figure and used by the summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from konvergensi.base.words import Lang, counted, part, word, word_or
from konvergensi.report.readings import RunTables, span

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison


class Described(Protocol):
    """Whatever has a manifest: a run, a comparison."""

    @property
    def manifest(self) -> dict[str, Any]: ...


def origin(run: RunTables, lang: Lang, interval: str) -> str:
    """Version, scenario, district, time, seed, population share, kind of interval, synthetic inputs."""
    manifest = run.manifest
    parts = [
        f"konvergensi {manifest.get('version', '?')}",
        word("origin.scenario", lang, name=manifest.get("policy", "?")),
        str(manifest.get("district_name", manifest.get("district", "?"))),
        period(run, lang),
        word("origin.seed", lang, seed=manifest.get("seed", "?")),
        word("origin.share", lang, share=part(float(manifest.get("population_share", 1.0)), lang)),
    ]
    changes = manifest.get("set") or {}
    if changes:
        shown = ", ".join(f"{key}={value}" for key, value in list(changes.items())[:3])
        parts.append(word("origin.set", lang, changes=shown + (" …" if len(changes) > 3 else "")))
    parts.append(word(interval, lang))
    if synthetic(run, lang):
        parts.append(word("origin.synthetic", lang, inputs=synthetic(run, lang)))
    return " · ".join(parts)


def comparison_origin(comparison: Comparison, lang: Lang, interval: str = "") -> str:
    """As `origin`, of several scenarios over draws and seeds; `interval` is a message, '' for that of the tables."""
    manifest = comparison.manifest
    parts = [
        f"konvergensi {manifest.get('version', '?')}",
        word("origin.scenarios", lang, names=", ".join(manifest["policies"])),
        str(manifest.get("district_name", manifest.get("district", "?"))),
        period(comparison, lang),
        draws_and_seeds(comparison, lang),
        word("origin.share", lang, share=part(float(manifest.get("population_share", 1.0)), lang)),
        word(interval, lang) if interval else interval_kind(comparison, lang),
    ]
    if inputs := synthetic(comparison, lang):
        parts.append(word("origin.synthetic", lang, inputs=inputs))
    return " · ".join(parts)


def draws_and_seeds(comparison: Comparison, lang: Lang) -> str:
    """How many draws of the parameters and how many seeds, in words."""
    manifest = comparison.manifest
    draws, seeds = int(manifest["draws"]), int(manifest["seeds"])
    fitted = (manifest.get("parameter_draws") or {}).get("from") == "fitted"
    kind = "count.fitted_draws" if fitted else "count.draws"
    drawn = counted(kind, draws, lang) if draws else word("count.no_draws", lang)
    return word("count.times", lang, draws=drawn, seeds=counted("count.seeds", seeds, lang))


def interval_kind(comparison: Comparison, lang: Lang) -> str:
    """What the intervals of the tables are, in words."""
    said = comparison.manifest.get("intervals", "")
    return str(said.get(lang, "")) if isinstance(said, dict) else str(said)


def synthetic(run: Described, lang: Lang) -> str:
    """The synthetic inputs by name, '' when there are none."""
    inputs = run.manifest.get("synthetic_inputs") or []
    return ", ".join(word_or(f"synthetic.{name}", lang, str(name)) for name in inputs)


def period(run: Described, lang: Lang) -> str:
    """First and last month of the run in words."""
    start, end = str(run.manifest.get("start", "")), str(run.manifest.get("end", ""))
    if "-" not in start or "-" not in end:
        return "?"
    return span(start, end, lang)


def synthetic_places(run: Described) -> bool:
    """Whether the villages or where they lie are made up."""
    inputs = run.manifest.get("synthetic_inputs") or []
    return any(place in str(name) for name in inputs for place in ("village", "position"))


def district(run: Described) -> str:
    """Name of the district, safe in Markdown."""
    return plain(run.manifest.get("district_name") or run.manifest.get("district", "?"))


def plain(text: object) -> str:
    """A name from a file as plain text: characters that Markdown would read as layout are escaped."""
    return re.sub(r"([\\`*\[\]<>|#$])", r"\\\1", " ".join(str(text).split()))
