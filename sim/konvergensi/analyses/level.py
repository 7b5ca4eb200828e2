"""A district's level and trend from the fit over the country, with survey rows of one's own, in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.base.errors import InputError, fault, unknown_name
from konvergensi.base.months import parse_month
from konvergensi.inputs.arguments import name_list, public, text
from konvergensi.inputs.country import resolve_area
from konvergensi.inputs.country_observed import SYSTEMS, Observed, read_country_observed
from konvergensi.methods.country import level_draws, shipped_posterior, time_of
from konvergensi.methods.scores import TAILS

FIRST, LAST = "2017-01", "2045-12"
NO_SYSTEM = "none"  # without what any survey system has of its own


def rows_or_file(option: str, value: Any) -> list[Observed]:
    """Rows of `Observed`, or a file of them."""
    if isinstance(value, (list, tuple)) and all(isinstance(each, Observed) for each in value):
        return list(value)
    if isinstance(value, (str, Path)):
        return read_country_observed(Path(value))
    raise InputError(fault("", option, "not_kind", value=value, what="observations"))


@public(area=text, months=name_list, observed=rows_or_file, systems=name_list)
def level(
    area: str,
    months: Sequence[str],
    observed: str | Path | Sequence[Observed] | None = None,
    systems: Sequence[str] = (*SYSTEMS, NO_SYSTEM),
) -> pd.DataFrame:
    """True prevalence of a district and its trend, as each survey system would show them if it had no error.

    Parameters: area, a name or a code; months, "YYYY-MM" from 2017-01 to 2045-12; observed, a file of survey rows as
    `validate --observed` reads it, or rows: those of the district speak too, nothing is fitted again; systems, of
    surveys, "none" for what no system adds to.

    Returns a row for each system and month: code, month, system, low, middle, high (percent of under-fives), and
    trend_low, trend_middle, trend_high (points a year, over half a year before and after); 90 % intervals.
    Raises InputError for an area, a month, a system or a file that cannot be used.
    """
    code = resolve_area(area, "", "--area")
    when = np.array([time_of(_month(month)) for month in months])
    known = (*SYSTEMS, NO_SYSTEM)
    if wrong := [name for name in systems if name not in known]:
        raise InputError(unknown_name("", "--systems", "measure_system", wrong[0], known))
    if not len(when) or not len(systems):
        raise InputError(fault("", "--systems" if len(when) else "--months", "not_names", value=[]))
    rows: Any = observed or ()
    before, after = np.maximum(when - 0.5, 2016.0), np.minimum(when + 0.5, 2046.0)
    tables = []
    for system in systems:
        asked = np.concatenate([when, before, after])
        shown = None if system == NO_SYSTEM else system
        now, early, late = np.split(level_draws(shipped_posterior(), code, asked, shown, rows), 3, axis=1)
        found = {"code": code, "month": list(months), "system": system}
        for prefix, draws in (("", now), ("trend_", (late - early) / (after - before))):
            ends = np.quantile(draws, (TAILS[0], 0.5, TAILS[1]), axis=0)
            found |= {f"{prefix}{name}": each for name, each in zip(("low", "middle", "high"), ends)}
        tables.append(pd.DataFrame(found))
    return pd.concat(tables, ignore_index=True)


def _month(written: str) -> int:
    month = parse_month(written, key="--months")
    if not parse_month(FIRST) <= month <= parse_month(LAST):
        raise InputError(fault("", "--months", "outside", value=written, low=FIRST, high=LAST, unit=""))
    return month
