"""Districts beside each other, each beside its province and its peers: level, trend and chances from the country's fit.

`compare_districts(["Kabupaten Sumedang", "lebak"])` returns a `Districts`. Nothing is simulated, so it takes seconds.
Peers are the districts nearest in covariates of the last years: poverty, clean water, spending on food, women's
schooling, persons (logarithm), each over its standard deviation, and of the same kind (kabupaten or kota).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.analyses.level import rows_or_file
from konvergensi.analyses.nation import pooled_share
from konvergensi.base.errors import InputError, fault
from konvergensi.base.months import parse_month
from konvergensi.base.version import __version__
from konvergensi.inputs import country
from konvergensi.inputs.arguments import name_list, public
from konvergensi.inputs.country_observed import Observed
from konvergensi.inputs.country_profiles import profile_row
from konvergensi.inputs.targets import load_targets
from konvergensi.methods.country import REFERENCE, level_draws, shipped_posterior, time_of
from konvergensi.methods.scores import TAILS
from konvergensi.results.districts import ASKED, PEER, PROVINCE, Districts

PEERS = 8
YEARS = (2018, 2021, 2024)
AHEAD = (2029, 2045)
COVARIATES = ("poverty_percent", "no_clean_water_percent", "food_spending_percent", "women_schooling_years")


@public(areas=name_list)
def compare_districts(
    areas: Sequence[str], *, observed: str | Path | Sequence[Observed] | None = None, lang: str = "en"
) -> Districts:
    """Level, trend and chance of the targets of districts, of their provinces and of their peers.

    Parameters: areas, names or codes, one or more; observed, survey rows of one's own or a file of them: each speaks of
    its own district.
    Raises InputError for an area that is none or is named twice, and for a file that cannot be used.
    """
    codes = [country.resolve_area(each, "", "areas") for each in areas]
    if not codes:
        raise InputError(fault("", "areas", "not_names", value=[]))
    if twice := [each for each in dict.fromkeys(codes) if codes.count(each) > 1]:
        raise InputError(fault("", "areas", "named_twice", value=country.area_name(each)) for each in twice)
    rows = tuple(rows_or_file("--observed", observed)) if observed else ()
    parts = []
    for code in codes:
        parts += [_of(code, ASKED, code, rows), *_province(code, rows)]
        parts += [_of(peer, PEER, code, rows) for peer in peers(code)]
    spoke = [f"{row.area} {row.year} {row.measure_system} {row.percent:g}" for row in rows if row.code in codes]
    manifest: dict[str, Any] = {
        "version": __version__,
        "areas": [country.area_name(code) for code in codes],
        "codes": codes,
        "system": REFERENCE,
        "peers_by": [*COVARIATES, "persons", "kind"],
        "observed": spoke,
        "targets": {str(each.month // 12): each.percent for each in load_targets() if each.month // 12 in AHEAD},
        "command": "konvergensi.compare_districts",
    }
    return Districts(
        districts=pd.concat(parts, ignore_index=True), manifest=manifest, lang="id" if lang == "id" else "en"
    )


def peers(code: str, most: int = PEERS) -> list[str]:
    """The codes of the districts of the same kind nearest in covariates, nearest first."""
    table = covariates()
    apart = np.sqrt((((table - table.loc[code]) / table.std(ddof=0)) ** 2).sum(axis=1))
    same = country.districts()["kind"] == country.districts().at[code, "kind"]
    return [str(each) for each in apart[same].drop(index=code).nsmallest(most).index]


def covariates() -> pd.DataFrame:
    """Last published values of COVARIATES and the logarithm of persons, by code."""
    table = country.covariates()[list(COVARIATES)].dropna().groupby(level="code").last()
    table["log_persons"] = np.log(country.districts()["population"])
    return table.loc[country.districts().index]


def _draws(code: str, rows: Sequence[Observed]) -> np.ndarray:
    """True prevalence in the middle of YEARS and in December of AHEAD, percent, (1000, 5)."""
    ahead = [time_of(parse_month(f"{year}-12")) for year in AHEAD]
    return level_draws(shipped_posterior(), code, [*map(float, YEARS), *ahead], REFERENCE, rows)


def _of(code: str, role: str, beside: str, rows: Sequence[Observed]) -> pd.DataFrame:
    known: dict[Any, Any] = covariates().loc[code].to_dict()
    told: list[tuple[Any, ...]] = [(0, name, known[name], math.nan, math.nan) for name in COVARIATES]
    surveys = country.surveys()
    for each in surveys[surveys["code"] == code].to_dict("records"):
        told.append((each["year"], f"survey:{each['measure_system']}", each["percent"], math.nan, math.nan))
    levels = _rows(_draws(code, rows))
    table = pd.concat([levels, pd.DataFrame(told, columns=levels.columns)], ignore_index=True)
    name, province = country.area_name(code), country.province_of(code)
    return table.assign(
        code=code, role=role, beside=beside, area=name, province=province, pooled_share=pooled_share(code)
    )


def _province(code: str, rows: Sequence[Observed]) -> list[pd.DataFrame]:
    """Its province, the mean of all its districts weighted by births, and how far the district lies from it."""
    members = [each for each in country.codes().tolist() if each[:2] == code[:2]]
    weight = np.array([float(profile_row(each)["births_per_year"]) for each in members])
    weight /= weight.sum()
    draws = np.tensordot(weight, np.array([_draws(each, rows) for each in members]), axes=1)
    pooled = float(weight @ np.array([pooled_share(each) for each in members]))
    name = country.province_of(code)
    whole = _rows(draws).assign(code=code[:2], role=PROVINCE, area=name)
    # draw i of a district belongs to draw i of another
    ends = np.quantile((_draws(code, rows) - draws)[:, YEARS.index(YEARS[-1])], (0.5, *TAILS)).tolist()
    columns = ["year", "quantity", "middle", "low", "high"]
    apart = pd.DataFrame([(YEARS[-1], "points_from_province", *ends)], columns=columns)
    apart = apart.assign(code=code, role=ASKED, area=country.area_name(code))
    return [each.assign(beside=code, province=name, pooled_share=pooled) for each in (whole, apart)]


def _rows(draws: np.ndarray) -> pd.DataFrame:
    """year, quantity, middle, low, high of draws as `_draws` gives them."""
    targets = {each.month // 12: each.percent for each in load_targets()}
    ends = np.quantile(draws, (0.5, *TAILS), axis=0).T.tolist()
    rows = [(year, "prevalence", *three) for year, three in zip((*YEARS, *AHEAD), ends)]
    slope = (draws[:, 2] - draws[:, 0]) / (YEARS[-1] - YEARS[0])
    rows.append((YEARS[-1], "trend_points_per_year", *np.quantile(slope, (0.5, *TAILS)).tolist()))
    for at, year in enumerate(AHEAD, start=len(YEARS)):
        rows.append((year, "chance_of_target", float(np.mean(draws[:, at] <= targets[year])), math.nan, math.nan))
    return pd.DataFrame(rows, columns=["year", "quantity", "middle", "low", "high"])
