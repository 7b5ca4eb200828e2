"""Tables of docs/indices.md and docs/indices.id.md: what each official index counts and how the model counts it."""

from __future__ import annotations

import functools
from collections.abc import Callable

from odd_tables import table

from konvergensi.base.words import Lang
from konvergensi.inputs.indices import Counts, Index, indices

HEADS = {
    "en": ("Group", "Indicator", "Officially", "In the model"),
    "id": ("Kelompok", "Indikator", "Secara resmi", "Dalam model"),
}
STAGE_HEADS = {"en": ("Main action", "Actions of the model", "Why"), "id": ("Aksi utama", "Aksi dalam model", "Alasan")}
LEFT_HEADS = {"en": ("Left out", "Why"), "id": ("Tidak dihitung", "Alasan")}
FIT = {
    "en": {"same": "the same", "near": "close to it", "none": "**not in it**"},
    "id": {"same": "sama", "near": "mendekati", "none": "**tidak ada**"},
}


def by_what(counts: Counts | None) -> str:
    """The services and deliveries by which something is counted, as they stand in the file."""
    if counts is None or not counts.services:
        return ""
    due = ", ".join(f"{step.age}: {step.deliveries}" for step in counts.steps)
    named = " + ".join(f"`{each}`" for each in counts.services)
    return f" ({named}; {due})" if due else f" ({named})"


def index(name: str, lang: Lang) -> str:
    """One index, a row an indicator."""
    found: Index = getattr(indices(), name)
    groups = {each.id: each.name[lang] for each in found.group}
    rows = [
        (groups[each.group], f"`{each.id}` {each.name[lang]}", each.official[lang],
         f"{FIT[lang][each.fit]}: {each.reason[lang]}{by_what(each.counts)}")
        for each in found.indicator
    ]  # fmt: skip
    return table(HEADS[lang], rows)


def stages(lang: Lang) -> str:
    """The main actions of the reform, and what of it has no number."""
    found = indices().reform
    rows = [
        (f"`{each.id}` {each.name[lang]}", ", ".join(f"`{action}`" for action in each.actions) or "–",
         f"{FIT[lang][each.fit]}: {each.reason[lang]}")
        for each in found.stage
    ]  # fmt: skip
    left = [(each.name[lang], each.why[lang]) for each in found.left_out]
    return f"{table(STAGE_HEADS[lang], rows)}\n{table(LEFT_HEADS[lang], left)}"


def tables(lang: Lang) -> dict[str, Callable[[], str]]:
    """The tables of the page in one language, by name."""
    return {
        "ikps": functools.partial(index, "ikps", lang),
        "scorecard": functools.partial(index, "scorecard", lang),
        "reform": functools.partial(stages, lang),
    }
