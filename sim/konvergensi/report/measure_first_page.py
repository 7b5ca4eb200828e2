"""Measure this first: what knowing an unknown before choosing among the policies is worth, in rupiah and in points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from konvergensi.base.words import ABSENT, Lang, month_name, number, rupiah, word
from konvergensi.methods.information import LEAST_DRAWS
from konvergensi.report import readings_comparison as compared
from konvergensi.report import readings_moves as moves
from konvergensi.report.blocks import Block
from konvergensi.report.origin import plain

if TYPE_CHECKING:
    import pandas as pd

    from konvergensi.results.comparison import Comparison

SHOWN = 8  # unknowns


def beyond_chance(comparison: Comparison) -> list[str]:
    """Unknowns that are worth more than so many would show by chance, most first."""
    table = comparison.information
    return [str(key) for key in table["parameter"][table["value"] > table["chance"]]]


def changes_nothing(comparison: Comparison) -> bool:
    """Whether the choice is the same whatever was drawn, so that no knowledge could change it."""
    return float(_told(comparison).get("everything_points", 1.0)) == 0.0


def block(comparison: Comparison, lang: Lang) -> Block:
    """The page; one plain line where there is nothing to tell. What comes from files is not yet escaped."""
    heading = word("measure.heading", lang)
    if why := _why_not(comparison):
        n = number(float(comparison.manifest["draws"]), lang)
        return Block(heading, [word(f"measure.{why}", lang, n=n, least=LEAST_DRAWS)])
    lead = compared.policies(comparison)[compared.leading(comparison)].title(lang).rstrip(".")
    if changes_nothing(comparison):
        return Block(heading, [word("measure.same_choice", lang, draws=comparison.manifest["draws"])])
    said, found = [word("measure.what", lang, month=month_name(compared.last_month(comparison), lang))], []
    table = comparison.information[comparison.information["value"] > comparison.information["chance"]]
    if table.empty:
        said = [word("measure.none", lang, n=number(len(comparison.information), lang))]
    else:
        found = _rows(table, lang)
    names = ("parameter", "points", "value", "value_rp")
    columns = tuple(word(f"measure.column.{name}", lang) for name in names) if found else ()
    return Block(heading, said, columns, found, after=[_everything(comparison, lang), _price(comparison, lead, lang)])


def _told(comparison: Comparison) -> dict[str, float]:
    """What the manifest says of it."""
    return comparison.manifest.get("information") or {}


def _why_not(comparison: Comparison) -> str:
    """Why there is nothing to tell, '' where there is."""
    if not int(comparison.manifest["draws"]):
        return "not_tried"
    if int(_told(comparison).get("choices", 2)) < 2:
        return "no_choice"
    table = comparison.information
    return "too_few" if table.empty or table["value"].isna().all() else ""


def _rows(table: pd.DataFrame, lang: Lang) -> list[tuple[str, ...]]:
    return [
        (moves.meaning(str(row.parameter), lang), number(row.points, lang, 3), number(row.value, lang),
         rupiah(row.value_rp, lang) if row.value_rp == row.value_rp else ABSENT)
        for row in table.head(SHOWN).itertuples()
    ]  # fmt: skip


def _everything(comparison: Comparison, lang: Lang) -> str:
    told = _told(comparison)
    points, children = float(told["everything_points"]), float(told["everything_children"])
    worth = {"points": number(points, lang, 3), "children": number(children, lang)}
    if told.get("rp_each"):
        return word("measure.everything_rp", lang, rp=rupiah(children * float(told["rp_each"]), lang), **worth)
    return word("measure.everything", lang, **worth)


def _price(comparison: Comparison, lead: str, lang: Lang) -> str:
    rp_each = _told(comparison).get("rp_each")
    if rp_each:
        return word("measure.price", lang, rp=rupiah(float(rp_each), lang), lead=lead)
    return word("measure.no_price", lang, lead=lead)


def markdown(comparison: Comparison, lang: Lang) -> str:
    """The page as part of `decision.md`."""
    own = block(comparison, lang)
    text = [f"## {plain(own.heading)}", "", plain(" ".join(own.sentences))]
    if own.rows:
        head, *rows = ("| " + " | ".join(map(plain, row)) + " |" for row in (own.columns, *own.rows))
        text += ["", head, "|---|---:|---:|---:|", *rows]
    text += ["", plain(" ".join(own.after))] if own.after else []
    return "\n".join(text) + "\n"
