"""What was published of a district beside what the model shows: one reading for figures, pages and documents.

Published figures come from published.toml by way of the manifest of a run or a comparison.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from konvergensi.report import readings as read

ROUTINE = "e-PPGBM"
_ROUNDS = ("fieldwork", "system", "level", "area", "n_measured", "percent")
COLUMNS = ("kecamatan", "fieldwork", "published", "cases", "modelled", "children", "rounds", "source", "grade")


class Apart(NamedTuple):
    """How far model and publication are apart: root mean square in points, mean of the one over that of the other."""

    points: float
    ratio: float
    n: int


def published(manifest: dict[str, Any], level: str, routine: bool) -> pd.DataFrame:
    """Published figures of the district or of its kecamatan, within the months of the run, in order of time.

    Parameters: level, "district" or "subdistrict"; routine, those of the register, else those of surveys.
    Returns: columns area, system, fieldwork ("2019-09", or "2019" where no month was printed), percent and others.
    """
    table = read.rows(pd.DataFrame(manifest.get("published") or []), "area", "level", "system", "fieldwork", "percent")
    wanted = (table["level"] == level) & ((table["system"] == ROUTINE) == routine)
    start, end = str(manifest.get("start", "")), str(manifest.get("end", "9999"))
    when = table["fieldwork"].astype(str)
    simulated = np.array([start[: len(each)] <= each <= end[: len(each)] for each in when], bool)
    return table[wanted & simulated].sort_values("fieldwork", kind="stable", ignore_index=True)


def routine_by_kecamatan(surveys: pd.DataFrame, manifest: dict[str, Any]) -> pd.DataFrame:
    """One row for each published figure of a kecamatan, columns COLUMNS; no rows where a district has none.

    modelled: percent of all children entered in the model's rounds of that year (or month), NaN without a round;
    children: how many those were, in the simulated share; rounds: of how many rounds.
    """
    rounds = rounds_by_kecamatan(surveys)
    rows = []
    for each in published(manifest, "subdistrict", routine=True).to_dict("records"):
        when = str(each["fieldwork"])
        mine = rounds[(rounds["area"] == each["area"]) & rounds["fieldwork"].str.startswith(when)]
        n = mine["n_measured"].to_numpy(float)
        modelled = float(np.average(mine["percent"], weights=n)) if n.sum() else float("nan")
        told = (each.get("cases"), modelled, int(n.sum()), len(mine), each.get("source", ""), each.get("grade", ""))
        rows.append((each["area"], when, float(each["percent"]), *told))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"cases": "Int64"})


def rounds_by_kecamatan(surveys: pd.DataFrame) -> pd.DataFrame:
    """The model's own rounds of the register by kecamatan; rounds in which nobody was entered are left out."""
    table = read.rows(surveys, *_ROUNDS)
    wanted = (table["system"] == ROUTINE) & (table["level"] == "subdistrict") & table["percent"].notna()
    return table[wanted].astype({"fieldwork": str, "percent": float}).sort_values("fieldwork", kind="stable")


def apart(table: pd.DataFrame) -> Apart:
    """How far the two columns of `routine_by_kecamatan` are apart; NaN where there is nothing to compare."""
    both = table[table["modelled"].notna()]
    if both.empty:
        return Apart(float("nan"), float("nan"), 0)
    error = (both["modelled"] - both["published"]).to_numpy(float)
    ratio = read.ratio(both["modelled"].mean(), both["published"].mean())
    return Apart(float(np.sqrt(np.mean(error**2))), ratio, len(both))
