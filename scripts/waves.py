"""What being an early priority district (lokus by 2020) did: doubly robust difference in differences.

`contrasts()` gives every contrast by base year, year of outcome, scale and control; `bounds()` what is left when the
trends of early and late districts differ as much as they did before. Needs the extra `country` (diff-diff).
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from diff_diff import CallawaySantAnna, HonestDiD

from konvergensi.inputs import country

LEVEL = 0.90
BASES = ("2017", "2018", "mean of 2017 and 2018")
OUTCOMES = (2021, 2022, 2023)
SCALES = ("points", "log", "logit")
CONTROLS = ("all late", "late, covariates alike", "late, Java only", "late, without those known to be last")
COVARIATES = ("poverty", "water", "food", "schooling", "population", "kota")
GROUP_OF = {"1": "west", "2": "west", "3": "java", "5": "east", "6": "east", "7": "east", "8": "east", "9": "east"}
STEPS = {2017: 1, 2018: 2, 2021: 3, 2022: 4, 2023: 5}
PERMUTATIONS = 500


def panel() -> pd.DataFrame:
    """By code: early (1, 0), province, island, covariates of 2017 (standardised) and readings y2017 .. y2023.

    The two districts with no known status are left out.
    """
    early = country.lokus()["by_2020"].dropna().astype(int)
    places = country.districts().loc[early.index]
    before = country.covariates().xs(2017, level="year").loc[early.index]
    table = pd.DataFrame({
        "early": early, "province": places["province"], "island": [GROUP_OF[code[0]] for code in early.index],
        "poverty": np.log(before["poverty_percent"]), "water": before["no_clean_water_percent"],
        "food": before["food_spending_percent"], "schooling": before["women_schooling_years"],
        "population": np.log(places["population"]), "kota": (places["kind"] == "kota").astype(float),
    })  # fmt: skip
    names = list(COVARIATES)
    table[names] = (table[names] - table[names].mean()) / table[names].std()
    wide = country.surveys().pivot(index="code", columns="year", values="percent").reindex(early.index)
    return table.join(wide.add_prefix("y"))


def on_scale(percent: pd.Series, scale: str) -> pd.Series:
    """Percent as points, 100 x log, or 100 x logit / (what makes it points at 25 percent)."""
    if scale == "points":
        return percent
    if scale == "log":
        return 25.0 * np.log(percent)
    return 18.75 * np.log(percent / (100.0 - percent))


def in_base(table: pd.DataFrame, base: str) -> pd.Series:
    """Readings of the base."""
    return table[["y2017", "y2018"]].mean(axis=1) if base == BASES[2] else table[f"y{base}"]


def controlled(table: pd.DataFrame, control: str) -> pd.DataFrame:
    """The districts a contrast rests on: for the third control Java alone, for the fourth without those known to be of
    the very last wave (2022), who waited longest.
    """
    if control == CONTROLS[2]:
        return table[table["island"] == "java"]
    if control == CONTROLS[3]:
        first = country.lokus()["first_year"].reindex(table.index)
        return table[(table["early"] == 1) | ~(first >= 2022)]
    return table


def contrast(table: pd.DataFrame, before: pd.Series, after: pd.Series, covariates: bool) -> tuple[float, float, int]:
    """Early less late in the change from before to after: estimate, standard error (by province), districts."""
    keep = before.notna() & after.notna()
    part, count = table[keep], int(keep.sum())
    long = pd.concat([
        part.assign(y=values[keep], time=time, unit=np.arange(count), first=np.where(part["early"] == 1, 2, 0))
        for time, values in ((1, before), (2, after))
    ])  # fmt: skip
    long["block"] = long["province"].astype("category").cat.codes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = CallawaySantAnna(estimation_method="dr", cluster="block", alpha=1.0 - LEVEL).fit(
            long, outcome="y", unit="unit", time="time", first_treat="first",
            covariates=list(COVARIATES) if covariates else None,
        )  # fmt: skip
    return float(found.overall_att), float(found.overall_se), count


def contrasts() -> pd.DataFrame:
    """kind (effect, pre-trend), base, outcome, scale, control, estimate, low, high (90 %), se, districts; points where
    prevalence is 25 percent, negative: less stunting in early districts.
    """
    rows = []
    for control in CONTROLS:
        table = controlled(panel(), control)
        for scale in SCALES:
            pairs = [("effect", base, in_base(table, base), year) for base in BASES for year in OUTCOMES]
            pairs.append(("pre-trend", "2017", table["y2017"], 2018))
            for kind, base, before, year in pairs:
                after = on_scale(table[f"y{year}"], scale)
                found, se, n = contrast(table, on_scale(before, scale), after, covariates=control != CONTROLS[0])
                rows.append({
                    "kind": kind, "base": base, "outcome": year, "scale": scale, "control": control,
                    "estimate": found, "low": found - 1.645 * se, "high": found + 1.645 * se, "se": se, "districts": n,
                })  # fmt: skip
    return pd.DataFrame(rows)


def placebo(seed: int = 16) -> dict[str, float]:
    """Early status dealt out anew within provinces: share of 500 deals with a contrast as large as the real one.

    Of the mean change from 2017 and 2018 to 2021, less the mean of the province; points.
    """
    table = panel()
    change = (table["y2021"] - in_base(table, BASES[2])).dropna()
    part = table.loc[change.index]
    apart = change - change.groupby(part["province"]).transform("mean")
    rng = np.random.default_rng(seed)

    def gap(early: np.ndarray) -> float:
        return float(apart[early == 1].mean() - apart[early == 0].mean())

    real = gap(part["early"].to_numpy())
    groups = [np.flatnonzero(part["province"] == name) for name in part["province"].unique()]
    drawn = []
    for _ in range(PERMUTATIONS):
        early = part["early"].to_numpy().copy()
        for rows in groups:
            early[rows] = rng.permutation(early[rows])
        drawn.append(gap(early))
    return {"contrast": real, "share_as_large": float(np.mean(np.abs(drawn) >= abs(real))), "sd": float(np.std(drawn))}


def bounds() -> pd.DataFrame:
    """For each outcome, what is left if trends differed by up to M times what they did from 2017 to 2018 (Rambachan and
    Roth 2023): outcome, M, low, high (90 %); points, all late districts with covariates.
    """
    table = panel()
    wide = table[[f"y{year}" for year in STEPS]].dropna()
    part = table.loc[wide.index]
    long = pd.concat([
        part.assign(y=part[f"y{year}"], time=step, unit=np.arange(len(part)), first=np.where(part["early"] == 1, 3, 0))
        for year, step in STEPS.items()
    ])  # fmt: skip
    long["block"] = long["province"].astype("category").cat.codes
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = CallawaySantAnna(
            estimation_method="dr", cluster="block", base_period="universal", alpha=1.0 - LEVEL
        ).fit(
            long, outcome="y", unit="unit", time="time", first_treat="first", covariates=list(COVARIATES),
            aggregate="event_study",
        )  # fmt: skip
        for at, year in enumerate(OUTCOMES):
            for m in (0.0, 0.5, 1.0):
                honest = HonestDiD(
                    method="relative_magnitude", M=m, alpha=1.0 - LEVEL, l_vec=np.eye(len(OUTCOMES))[at]
                ).fit(found)
                rows.append(
                    {"outcome": year, "M": m, "low": honest.ci_lb, "high": honest.ci_ub, "districts": len(part)}
                )
    return pd.DataFrame(rows)
