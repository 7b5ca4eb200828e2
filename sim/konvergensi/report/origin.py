"""Where a result comes from, in one line: shown under every figure and used by the summary."""

from __future__ import annotations

import re

from konvergensi.report.readings import RunTables, span
from konvergensi.report.words import Lang, part, word, word_or


def origin(run: RunTables, lang: Lang, interval: str) -> str:
    """Version, scenario, district, time, seed, population share, kind of interval, synthetic inputs."""
    manifest = run.manifest
    parts = [
        f"konvergensi {manifest.get('version', '?')}",
        word("origin.scenario", lang, name=manifest.get("scenario", "?")),
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


def synthetic(run: RunTables, lang: Lang) -> str:
    """The synthetic inputs by name, '' when there are none."""
    inputs = run.manifest.get("synthetic_inputs") or []
    return ", ".join(word_or(f"synthetic.{name}", lang, str(name)) for name in inputs)


def period(run: RunTables, lang: Lang) -> str:
    """First and last month of the run in words."""
    start, end = str(run.manifest.get("start", "")), str(run.manifest.get("end", ""))
    if "-" not in start or "-" not in end:
        return "?"
    return span(start, end, lang)


def synthetic_places(run: RunTables) -> bool:
    """Whether the villages or where they lie are made up."""
    inputs = run.manifest.get("synthetic_inputs") or []
    return any(place in str(name) for name in inputs for place in ("village", "position"))


def district(run: RunTables) -> str:
    """Name of the district, safe in Markdown."""
    return plain(run.manifest.get("district_name") or run.manifest.get("district", "?"))


def plain(text: object) -> str:
    """A name from a file as plain text: characters that Markdown would read as layout are escaped."""
    return re.sub(r"([\\`*\[\]<>|#$])", r"\\\1", " ".join(str(text).split()))
