"""The whole country as data: 514 districts, their names and codes, surveys, covariates, register, villages.

Tables are made by scripts/make_country.py from the evidence and lie in scenarios/country/. They are read once and must
not be changed by who gets them.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np
import pandas as pd

from konvergensi.base.errors import Fault, InputError, fault, nearest
from konvergensi.base.files import data_root

KINDS = {"kabupaten": "Kabupaten", "kab": "Kabupaten", "kota": "Kota", "kotamadya": "Kota", "kodya": "Kota"}
_ADMINISTRATIVE = ("administrasi", "adm")
_CODE = re.compile(r"(\d\d)\.?(\d\d)")
_SHORT_CODE = re.compile(r"(\d\d)\.(\d)")  # a spreadsheet drops the last zero: 32.1 is 32.10


def folder() -> Path:
    """Where the tables lie."""
    return data_root() / "country"


def _table(name: str) -> pd.DataFrame:
    texts = {"code": str, "district": str, "kecamatan": str, "village": str, "id": str}
    return pd.read_csv(folder() / name, dtype=texts if name != "districts.csv" else {"code": str}, keep_default_na=True)


@functools.cache
def districts() -> pd.DataFrame:
    """All 514 by code: name, kind (kabupaten, kota), province, population (2025), area_km2, kecamatan, villages."""
    return _table("districts.csv").set_index("code")


@functools.cache
def surveys() -> pd.DataFrame:
    """code, year, measure_system, percent, realigned: one row for each district, year and survey that was published."""
    return _table("surveys.csv")


@functools.cache
def nation() -> pd.DataFrame:
    """year, measure_system, percent, grade of the nation's surveys; grade assumption: the mean over districts."""
    return _table("nation.csv")


@functools.cache
def covariates() -> pd.DataFrame:
    """By code and year: poverty, water, food spending, schooling and more; unit in the column's name, NaN not known."""
    return _table("covariates.csv").set_index(["code", "year"])


@functools.cache
def register() -> pd.DataFrame:
    """code, year, percent, children_measured, children_stunted, odd: the routine register, two provinces of Java."""
    return _table("register.csv")


@functools.cache
def lokus() -> pd.DataFrame:
    """By code: by_2020 (1, 0, NaN not known), first_year of priority, first_year_min, first_year_max."""
    return _table("lokus.csv").set_index("code")


@functools.cache
def _villages() -> dict[str, pd.DataFrame]:
    # "Nan" and "None" are names here: only an empty cell would be missing, and there is none
    table = pd.read_csv(folder() / "villages.csv.gz", dtype=str, keep_default_na=False)
    return {str(code): part[["kecamatan", "village"]] for code, part in table.groupby("district", sort=False)}


def villages(code: str) -> pd.DataFrame:
    """kecamatan and village: names of all desa and kelurahan of a district, in the order of their official codes."""
    return _villages()[code].reset_index(drop=True)


@functools.cache
def shipped_codes() -> dict[str, str]:
    """Id of a district that has a folder of its own (`lebak`) -> its code."""
    table = _table("shipped.csv")
    return dict(zip(table["id"], table["code"]))


LEVEL_KEYS = ("growth.level_shift_z", "growth.income_trend_z_per_year")


@functools.cache
def levels() -> pd.DataFrame:
    """By code: LEVEL_KEYS solved so that a run follows the centre of the country's fit, percent_2018 and percent_2024
    of that centre and misfit_points, the most that the run is off; empty where scripts/fit_levels.py was not run.
    """
    if not (folder() / "levels.csv").exists():
        return pd.DataFrame(columns=["code", *LEVEL_KEYS]).set_index("code")
    return _table("levels.csv").set_index("code")


def area_name(code: str) -> str:
    """Full name of a district: Kabupaten Sumedang."""
    return str(districts().at[code, "name"])


def province_of(code: str) -> str:
    """Province of a district."""
    return str(districts().at[code, "province"])


def resolve_area(text: object, where: object = "", key: str = "") -> str:
    """Code of a district from a name or a code: "Kabupaten Sumedang", "KAB. SUMEDANG", "sumedang", "32.11", 32.11.

    32.1 is 32.10. Capitals, points, hyphens and spaces do not matter; `kab` and `kota` do where both exist. Ids of
    shipped folders (`kota-banjar`) are names too. Parameters: where, key: what the message begins with.
    Raises InputError for a bare name that is both a kabupaten and a kota, naming both with their codes, and for what is
    no district, with the nearest right name.
    """
    shown = str(text).strip()
    if code := _by_code(shown):
        return code
    found = _by_name(shown)
    if len(found) == 1:
        return found[0]
    raise InputError(_refusal(shown, found, where, key))


def _refusal(text: str, found: list[str], where: object, key: str) -> Fault:
    if found:
        choices = [f"{area_name(code)} ({code})" for code in found]
        return fault(where, key, "two_areas", value=text, choices=", ".join(choices))
    near = nearest(text.casefold(), _spellings()) if not re.fullmatch(r"[\d.,\s]*", text) else None
    hint = ", ".join(f"{area_name(code)} ({code})" for code in _spellings()[near]) if near else None
    return fault(where, key, "no_area", value=text, near=hint)


def _by_code(text: str) -> str | None:
    whole, short = _CODE.fullmatch(text), _SHORT_CODE.fullmatch(text)
    code = f"{whole[1]}.{whole[2]}" if whole else f"{short[1]}.{short[2]}0" if short else None
    return code if code in districts().index else None


def _by_name(text: str) -> list[str]:
    """Codes a name can mean; with `kabupaten` or `kota` before it, of that kind only."""
    words = _words(text)
    kind, rest = (KINDS.get(words[0]), words[1:]) if words else (None, [])
    if kind and rest and rest[0] in _ADMINISTRATIVE:
        rest = rest[1:]
    if kind and rest:
        found = [code for code in _names().get("".join(rest), []) if area_name(code).startswith(kind)]
        if found:
            return found
    return _names().get("".join(words), [])  # Kotabaru begins with kota and is none


@functools.cache
def _names() -> dict[str, list[str]]:
    """Bare name without spaces -> the one or two districts of that name."""
    names: dict[str, list[str]] = {}
    for code, name in districts()["name"].items():
        words = _words(name)[1:]
        bare = "".join(words[1:] if words[0] in _ADMINISTRATIVE else words)
        names.setdefault(bare, []).append(str(code))
    return names


def _words(text: str) -> list[str]:
    words = [word for word in re.split(r"[^a-z0-9]+", text.casefold()) if word]
    return ["kepulauan" if word == "kep" else word for word in words]


@functools.cache
def _spellings() -> dict[str, list[str]]:
    """Names as people write them, in small letters, full and bare: the list that hints are taken from."""
    found: dict[str, list[str]] = {}
    for code, name in districts()["name"].items():
        low = name.casefold()
        for spelling in (low, low.partition(" ")[2], f"kab. {low.partition(' ')[2]}"):
            found.setdefault(spelling, []).append(str(code))
    return found


def covariate_means(last: int) -> pd.DataFrame:
    """Mean of each indicator over the years up to `last`, by code, (514, 7); no later year is looked at."""
    table = covariates()
    years = table.index.get_level_values("year").to_numpy()
    means = table[years <= last].groupby(level="code").mean()
    if means.isna().to_numpy().any():
        raise ValueError(f"some indicators have no value up to {last}")
    return means.loc[districts().index]


def codes() -> np.ndarray:
    """All 514 codes in order, (514,) str: row i of every array over districts."""
    return districts().index.to_numpy(str)
