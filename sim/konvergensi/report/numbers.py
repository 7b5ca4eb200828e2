"""Results as people should read them: with unit and interval, and no more digits than the interval supports."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from konvergensi.base.words import ABSENT, Lang, number, word

if TYPE_CHECKING:
    from konvergensi.report.readings_comparison import Estimate


@dataclass(frozen=True)
class Unit:
    """How a measure is shown: what tables hold times `scale`, with `decimals` where there is no interval to go by."""

    scale: float
    decimals: int
    level: str  # message key of the unit of a level, '' for none
    change: str  # and of a difference


_CHILDREN = Unit(1.0, 0, "unit.children", "unit.children")
_UNITS = {
    "prevalence": Unit(1.0, 1, "unit.percent", "unit.points"),
    "complete_package_share": Unit(100.0, 1, "unit.percent", "unit.points"),
    "stunted_children": _CHILDREN,
    "protected_in_time": _CHILDREN,
    "services_mean": Unit(1.0, 2, "unit.services", "unit.services"),
    "integration_index": Unit(1.0, 2, "", ""),
}
_MOST_DECIMALS = 2


def unit_of(measure: str) -> Unit:
    """How a measure is shown; what is not known is a plain number."""
    return _UNITS.get(measure, Unit(1.0, 2, "", ""))


def level(estimate: Estimate, measure: str, lang: Lang) -> str:
    """A level with unit and interval: 31.0% (27.8 to 33.9)."""
    unit = unit_of(measure)
    return _shown(estimate.scaled(unit.scale), unit.decimals, unit.level, lang, sign=False)


def change(estimate: Estimate, measure: str, lang: Lang, words: str = "compare") -> str:
    """A difference with sign, unit and interval: -0.55 points (-0.77 to -0.33).

    words: where the words for an interval stand in the catalogue, `front` on page one.
    """
    if estimate.is_zero:
        return word("compare.no_difference", lang)
    unit = unit_of(measure)
    return _shown(estimate.scaled(unit.scale), unit.decimals, unit.change, lang, True, words)


def rupiah(estimate: Estimate, lang: Lang, sign: bool = False, words: str = "compare") -> str:
    """Money in billions, small amounts in millions, with interval: Rp 15.3 billion (5.3 to 39.1)."""
    if sign and estimate.is_zero:
        return word("compare.no_difference", lang)
    scale, name = (1e9, "unit.rp_billion") if abs(estimate.mean) >= 1e9 else (1e6, "unit.rp_million")
    return _shown(estimate.scaled(1 / scale), 1, name, lang, sign, words)


def without_interval(value: float, measure: str, lang: Lang) -> str:
    """A number of one run, with its unit."""
    unit = unit_of(measure)
    text = number(value * unit.scale, lang, unit.decimals)
    return word(unit.level, lang, n=text) if unit.level and text != ABSENT else text


def _shown(estimate: Estimate, decimals: int, unit: str, lang: Lang, sign: bool, words: str = "compare") -> str:
    if not math.isfinite(estimate.mean):
        return ABSENT
    decimals = _decimals(estimate, decimals)
    ends = (estimate.mean, estimate.low, estimate.high)
    mean, low, high = (_digits(value, _kept(value, decimals, estimate), lang, sign) for value in ends)
    text = word(unit, lang, n=mean) if unit else mean
    if not estimate.has_interval:
        return word(f"{words}.without_interval", lang, value=text)
    return word(f"{words}.between", lang, value=text, low=low, high=high)


def _decimals(estimate: Estimate, usual: int) -> int:
    """Decimals that show two digits of half the interval; below zero, tens and hundreds are rounded."""
    half = (estimate.high - estimate.low) / 2
    if not estimate.has_interval or half <= 0:
        return usual
    return min(1 - math.floor(math.log10(half)), _MOST_DECIMALS)


def _kept(value: float, decimals: int, estimate: Estimate) -> int:
    """The decimals, or more: what is surely not nothing keeps a digit, however wide the interval is."""
    if not estimate.side or not math.isfinite(value) or value == 0:
        return decimals
    return max(decimals, min(-math.floor(math.log10(abs(value))), _MOST_DECIMALS))


def _digits(value: float, decimals: int, lang: Lang, sign: bool) -> str:
    if not math.isfinite(value):
        return ABSENT
    text = number(round(value, decimals), lang, max(decimals, 0))
    return "+" + text if sign and text.strip("0.,") and not text.startswith("-") else text
