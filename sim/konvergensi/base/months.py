"""Months as integers: year * 12 + (month - 1), so that one month later is + 1."""

from __future__ import annotations

import datetime
import functools
import os
import re

from konvergensi.base.errors import InputError, fault

NOW = "KONVERGENSI_MONTH"  # the month from which relative months count, "2026-11"; without it, today's
MONTHS = {
    "en": ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december"),
    "id": ("januari", "februari", "maret", "april", "mei", "juni", "juli", "agustus", "september", "oktober",
           "november", "desember"),
}  # fmt: skip
_FORM = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def parse_month(text: object, where: str = "", key: str = "") -> int:
    """Return the month of `"2020-03"` or of a TOML date on the first of a month.

    Raises InputError when it is neither, naming `where` (file or option) and `key`.
    """
    if isinstance(text, datetime.date) and not isinstance(text, datetime.datetime):
        if text.day != 1:
            raise InputError(fault(where, key, "mid_month", value=text.isoformat(), month=f"{text:%Y-%m}"))
        text = f"{text.year:04d}-{text.month:02d}"
    form = _FORM.fullmatch(text) if isinstance(text, str) else None
    if form is None or not 1900 <= int(form[1]) <= 2199 or not 1 <= int(form[2]) <= 12:
        raise InputError(fault(where, key, "month", value=text))
    return int(form[1]) * 12 + int(form[2]) - 1


@functools.lru_cache(maxsize=4096)  # a run writes the same few months thousands of times
def format_month(month: int) -> str:
    """Return `"2020-03"` for the month's number."""
    return f"{year_of(month):04d}-{month_of(month):02d}"


def year_of(month: int) -> int:
    """Return the calendar year the month lies in."""
    return int(month) // 12


def month_of(month: int) -> int:
    """Return the month of the year, 1 (January) to 12."""
    return int(month) % 12 + 1


def this_month() -> int:
    """The month in which we are, or the one that the environment variable KONVERGENSI_MONTH names.

    Raises InputError when that is no month.
    """
    named = os.environ.get(NOW)
    today = datetime.date.today()
    return parse_month(named, NOW) if named else today.year * 12 + today.month - 1


def is_relative(text: object) -> bool:
    """Whether a month is counted from now: `next January`, `Januari depan`."""
    return _relative(text) is not None


def parse_when(text: object, where: str = "", key: str = "") -> int:
    """Return the month of `"2020-03"`, or of `next January` or `Januari depan`: the first one after this month.

    Raises InputError when it is neither.
    """
    wanted = _relative(text)
    if wanted is None:
        return parse_month(text, where, key)
    now = this_month()
    return now + 1 + (wanted - month_of(now + 1)) % 12


def _relative(text: object) -> int | None:
    """The month of the year, 1 .. 12, that a relative month names."""
    words = text.casefold().split() if isinstance(text, str) else []
    if len(words) != 2:
        return None
    if words[0] == "next" and words[1] in MONTHS["en"]:
        return MONTHS["en"].index(words[1]) + 1
    if words[1] == "depan" and words[0] in MONTHS["id"]:
        return MONTHS["id"].index(words[0]) + 1
    return None
