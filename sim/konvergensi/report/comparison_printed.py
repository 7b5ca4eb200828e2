"""A comparison as lines to print: a row for each scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from konvergensi.base.words import Lang, month_name, number, percent, rupiah, word
from konvergensi.report import readings_comparison
from konvergensi.report.blocks import Block, printed
from konvergensi.report.decision import too_few
from konvergensi.report.run_page import level_lines

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison


def lines(result: Comparison, lang: Lang) -> list[str]:
    """A row for each scenario, to print: how it ends, how it differs from the first, how often it is the best."""
    manifest = result.manifest
    first, end = manifest["policies"][0], manifest["end"]
    at_end = result.comparison[result.comparison["month"] == end].set_index(["measure", "policy"])
    money = result.cost_effect.groupby("policy")["d_cost_rp"].mean()

    def cell(row: Any, names: tuple[str, str, str], decimals: int, unit: str = "", sign: bool = False) -> str:
        value, low, high = (float(row[name]) for name in names)
        shown = number(value, lang, decimals) + unit
        if sign and value > 0 and shown.strip("0.,"):
            shown = f"+{shown}"
        return shown if low != low else f"{shown} ({number(low, lang, decimals)} … {number(high, lang, decimals)})"

    levels, changes = ("mean", "low", "high"), ("difference", "diff_low", "diff_high")
    rows: list[tuple[str, ...]] = []
    for name in manifest["policies"]:
        stunting, protected = at_end.loc[("prevalence", name)], at_end.loc[("protected_in_time", name)]
        rows.append(
            (
                name,
                cell(stunting, levels, 1, "%"),
                "" if name == first else cell(stunting, changes, 2, sign=True),
                percent(float(stunting["p_best"]), lang, 0),
                "" if name == first else cell(protected, changes, 0, sign=True),
                "" if name == first else rupiah(float(money[name]), lang),
            )
        )
    words = {"district": manifest["district_name"], "start": manifest["start"], "end": end, "first": first}
    names = ("policy", "stunting", "points", "best", "more_protected", "more_money")
    table = Block(columns=tuple(word(f"label.{name}", lang) for name in names), rows=rows)
    kind = word("printed.interval", lang, text=manifest["intervals"][lang])
    shown = printed(word("printed.compared", lang, month=month_name(end, lang), **words), [table])
    few = [too_few(result, lang)] if readings_comparison.too_few(result) else []
    return [*few, *shown, kind, *level_lines(manifest, lang)]
