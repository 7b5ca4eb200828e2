"""Months as integers: year * 12 + (month - 1), so that one month later is + 1."""

from __future__ import annotations

import datetime
import re

from konvergensi.base.errors import InputError, fault

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


def format_month(month: int) -> str:
    """Return `"2020-03"` for the month's number."""
    return f"{year_of(month):04d}-{month_of(month):02d}"


def year_of(month: int) -> int:
    """Return the calendar year the month lies in."""
    return int(month) // 12


def month_of(month: int) -> int:
    """Return the month of the year, 1 (January) to 12."""
    return int(month) % 12 + 1
