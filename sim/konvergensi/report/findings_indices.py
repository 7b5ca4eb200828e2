"""What the official indices of a run say, a few words each, as the summary is one page; without data, nothing."""

from __future__ import annotations

from konvergensi.base.words import Lang, number, percent, word
from konvergensi.observe import ikps, scorecard
from konvergensi.report import readings as read
from konvergensi.report.readings import RunTables


def indices(run: RunTables, lang: Lang) -> list[str]:
    """IKPS, the village scorecard and the reform's main actions, of the last full year."""
    return [*_ikps(run, lang), *_scorecard(run, lang), *_reform(run, lang)]


def _ikps(run: RunTables, lang: Lang) -> list[str]:
    table = read.rows(run.ikps, "year", "dimension", "percent")
    year = read.last_full_year(run, table)
    index = table[(table["year"] == year) & (table["dimension"] == ikps.INDEX)]["percent"].dropna()
    if year is None or index.empty:
        return []
    shown = {"year": read.year_name(run, year, lang), "index": number(float(index.iloc[0]), lang, 1)}
    return [word("summary.indices.ikps", lang, **shown)]


def _scorecard(run: RunTables, lang: Lang) -> list[str]:
    table = read.rows(run.scorecard, "year", "target", "received", "due")
    table = table[(table["year"] == read.last_full_year(run, table)) & (table["target"] == scorecard.ALL)]
    due = float(table["due"].sum())
    if not due:
        return []
    return [word("summary.indices.scorecard", lang, percent=percent(float(table["received"].sum()) / due, lang))]


def _reform(run: RunTables, lang: Lang) -> list[str]:
    table = read.rows(run.reform_stages, "year", "actions", "actions_done")
    table = table[table["year"] == read.last_full_year(run, table)]
    if table.empty:
        return []
    counts = {"done": int(table["actions_done"].sum()), "of": int(table["actions"].sum())}
    return [word("summary.indices.reform", lang, **counts)]
