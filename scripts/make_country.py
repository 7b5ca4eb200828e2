"""Makes the compact tables of scenarios/country/ from evidence/: python scripts/make_country.py [--check]

Everything is taken over as published; nothing is drawn or estimated here. Left out: notes and sources (they stay in
evidence/), rows of ssgi_districts.csv that another source contradicts (`prefer` = 0), families at risk.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import tomllib
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "evidence"
COUNTRY = ROOT / "scenarios" / "country"
COVARIATES = {
    "poverty_rate": "poverty_percent",
    "households_without_clean_water": "no_clean_water_percent",
    "households_food_spending_over_65": "food_spending_percent",
    "women_years_of_schooling": "women_schooling_years",
    "households_without_electricity": "no_electricity_percent",
    "health_worker_ratio": "health_worker_ratio",
    "life_expectancy": "life_expectancy_years",
}


def read(name: str) -> pd.DataFrame:
    """A table of evidence/, codes as text."""
    return pd.read_csv(EVIDENCE / name, dtype={"code": str, "district_code": str})


def districts() -> pd.DataFrame:
    """code, name, kind, province, population, area_km2, kecamatan, villages."""
    table = read("districts.csv").rename(columns={"area": "name"})
    kind = table["name"].str.split().str[0].str.lower()
    table.insert(2, "kind", kind)
    return table.sort_values("code")


def surveys() -> pd.DataFrame:
    """code, year, measure_system, percent, realigned (1: of the 2022 column, confirmed by no press value)."""
    table = read("ssgi_districts.csv")
    table = table[table["prefer"] == 1].copy()
    table["realigned"] = table["note"].fillna("").str.startswith("re-aligned").astype(int)
    return table[["code", "year", "measure_system", "percent", "realigned"]].sort_values(["code", "year"])


def covariates() -> pd.DataFrame:
    """code, year and one column for each indicator, blank where the year has none."""
    table = read("district_covariates.csv")
    table = table[table["indicator"].isin(COVARIATES)]
    wide = table.pivot_table(index=["code", "year"], columns="indicator", values="value").rename(columns=COVARIATES)
    return wide[list(COVARIATES.values())].round(4).reset_index()


def register() -> pd.DataFrame:
    """code, year, percent, children_measured, children_stunted, odd (1: marked ODD in the evidence)."""
    table = read("eppgbm_districts.csv")
    table["odd"] = table["note"].fillna("").str.contains("ODD").astype(int)
    columns = ["code", "year", "percent", "children_measured", "children_stunted", "odd"]
    found = table[columns].astype({"children_measured": "Int64", "children_stunted": "Int64"})
    return found.sort_values(["code", "year"])


def lokus() -> pd.DataFrame:
    """code, by_2020 (1, 0 or blank), first year of priority and its bounds, blank where not known."""
    table = read("lokus_rollout.csv")
    years = ["by_2020", "first_year", "first_year_min", "first_year_max"]
    return table[["code", *years]].astype(dict.fromkeys(years, "Int64")).sort_values("code")


def villages() -> pd.DataFrame:
    """district (code), kecamatan, village: names in the order of their own codes."""
    table = read("villages_names.csv.gz").sort_values("code", kind="stable")
    return table.rename(columns={"district_code": "district"})[["district", "kecamatan", "village"]]


def shipped() -> pd.DataFrame:
    """id, code: the folders of scenarios/districts that stand for a real district, found by full name.

    Not by province: Lanny Jaya's folder still says Papua, of which Papua Pegunungan was a part.
    """
    names = districts().set_index("name")["code"]
    rows = []
    for path in sorted((ROOT / "scenarios" / "districts").glob("*/district.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        if told.get("name") in names.index:
            rows.append({"id": path.parent.name, "code": names[told["name"]]})
    return pd.DataFrame(rows)


def nation() -> pd.DataFrame:
    """year, measure_system, percent, grade: the nation's surveys as published, first row of the evidence that fits.

    Where the evidence has no published figure (2017, 2023) the mean over districts weighted by population, grade
    `assumption`.
    """
    told = read("prevalence_series.csv")
    told = told[(told["area"] == "Indonesia") & told["percent"].notna()].astype({"year": str})
    found = surveys().merge(districts()[["code", "population"]], on="code")
    rows = []
    for (year, system), part in found.groupby(["year", "measure_system"]):
        same = told[(told["year"] == str(year)) & (told["measure_system"] == system)]
        mean = round(float((part["percent"] * part["population"]).sum() / part["population"].sum()), 2)
        percent = float(same["percent"].iloc[0]) if len(same) else mean
        grade = "published" if len(same) else "assumption"
        rows.append({"year": year, "measure_system": system, "percent": percent, "grade": grade})
    return pd.DataFrame(rows)


TABLES = (districts, surveys, nation, covariates, register, lokus, shipped)


def made() -> dict[str, bytes]:
    """File name -> bytes, the same on every machine."""
    found = {f"{table.__name__}.csv": table().to_csv(index=False, lineterminator="\n").encode() for table in TABLES}
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as stream:
        stream.write(villages().to_csv(index=False, lineterminator="\n").encode())
    return found | {"villages.csv.gz": packed.getvalue()}


def main() -> int:
    """Write the tables, or with --check say which differ (exit 1)."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="compare only")
    check = arguments.parse_args().check
    stale = []
    for name, content in made().items():
        path = COUNTRY / name
        if not path.exists() or _plain(path.read_bytes(), name) != _plain(content, name):
            stale.append(name)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    print(f"{len(stale)} files {'differ' if check else 'written'}: {', '.join(stale) or '-'}")
    return 1 if check and stale else 0


def _plain(content: bytes, name: str) -> bytes:
    """Contents without compression, which differs between versions of zlib."""
    return gzip.decompress(content) if name.endswith(".gz") else content


if __name__ == "__main__":
    sys.exit(main())
