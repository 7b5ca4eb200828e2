"""Every word and number that a person sees, in English (en) and Indonesian (id).

The sentences themselves live in the files of ``words/``, one table per message with ``en`` and
``id``, so that a translator needs no Python and both languages are read side by side. How a language writes
numbers, months, lists and plurals is Babel's matter (docs/decisions/0016-report.md).
"""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

Lang = Literal["en", "id"]
LANGUAGES: tuple[Lang, ...] = get_args(Lang)
FOLDER = Path(__file__).with_name("words")
ABSENT = "–"  # shown where a number does not exist (NaN, no denominator)
_SCALES = ((1e12, "unit.trillion"), (1e9, "unit.billion"), (1e6, "unit.million"))


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """All messages: dotted key -> language -> text. Read once per process."""
    messages: dict[str, dict[str, str]] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        _collect("", tomllib.loads(file.read_text(encoding="utf-8")), messages)
    return messages


def _collect(prefix: str, table: dict[str, Any], messages: dict[str, dict[str, str]]) -> None:
    for name, value in table.items():
        if all(isinstance(leaf, str) for leaf in value.values()):
            if prefix + name in messages:
                raise ValueError(f"message {prefix + name!r} is there twice")
            messages[prefix + name] = value
        else:
            _collect(f"{prefix}{name}.", value, messages)


def word(key: str, lang: Lang, **fields: object) -> str:
    """The text of one message with its {fields} filled in.

    Raises: KeyError when the key, the language or a field does not exist.
    """
    if lang not in LANGUAGES:
        raise KeyError(f"language {lang!r} is not one of {', '.join(LANGUAGES)}")
    if key not in catalogue():
        raise KeyError(f"the words have no message {key!r}")
    return catalogue()[key][lang].format(**fields)


def both(key: str, **fields: object) -> dict[str, str]:
    """The message in every language, for a manifest."""
    return {lang: word(key, lang, **fields) for lang in LANGUAGES}


def word_or(key: str, lang: Lang, otherwise: str) -> str:
    """The message, or ``otherwise`` for names that a district or scenario file may invent."""
    return word(key, lang) if key in catalogue() else otherwise


def counted(key: str, n: int, lang: Lang, **fields: object) -> str:
    """A message for a number of things, in the form that the language's plural rule asks for: 1 run, 2 runs."""
    return word(f"{key}.{Locale(lang).plural_form(n)}", lang, n=number(n, lang), **fields)


def listed(items: Iterable[str], lang: Lang) -> str:
    """Several things in a row of words: a, b, and c."""
    return format_list(list(items), locale=lang)


def number(value: float, lang: Lang, decimals: int = 0) -> str:
    """A number as the language writes it: 1,234.5 in English, 1.234,5 in Indonesian."""
    if value is None or not math.isfinite(value):
        return ABSENT
    text = format_decimal(float(value), format="#,##0" + ("." + "0" * decimals if decimals else ""), locale=lang)
    if not text.strip("-0.,"):
        text = text.lstrip("-")  # a change that rounds to nothing has no sign
    return text


def percent(share: float, lang: Lang, decimals: int = 1) -> str:
    """A share 0-1 as a percentage."""
    text = number(share * 100, lang, decimals)
    return text if text == ABSENT else text + "%"


def part(share: float, lang: Lang) -> str:
    """A share of the whole, with a decimal only where it says something: 100%, 2%, 0.5%."""
    return percent(share, lang, 0 if abs(share * 100 - round(share * 100)) < 1e-9 else 1)


def points(share: float, lang: Lang, decimals: int = 1) -> str:
    """A difference of two shares, in percentage points, with its sign."""
    text = number(share * 100, lang, decimals)
    return text if text == ABSENT or text.startswith("-") or share <= 0 else "+" + text


def rupiah(value: float, lang: Lang, decimals: int = 1) -> str:
    """An amount of money in the unit in which people say it: Rp 12.3 billion, Rp 12,3 miliar."""
    if value is None or not math.isfinite(value):
        return ABSENT
    for scale, unit in _SCALES:
        if abs(value) >= scale:
            return f"Rp {number(value / scale, lang, decimals)} {word(unit, lang)}"
    return f"Rp {number(value, lang)}"


def month_name(month: str, lang: Lang) -> str:
    """'2020-03' as 'Mar 2020'."""
    year, number_of_month = month.split("-")[:2]
    return format_date(datetime.date(int(year), int(number_of_month), 1), "MMM y", locale=lang)


def month_of_year(month: int, lang: Lang, short: bool = False) -> str:
    """3 as 'March', or 'Mar'."""
    return format_date(datetime.date(2000, month, 1), "LLL" if short else "LLLL", locale=lang)
