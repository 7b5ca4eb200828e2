"""Makes the profiles of all 514 districts: python scripts/make_profiles.py [--check]

Writes scenarios/country/profiles.csv (totals of a district by the formulas of scenarios/country/formulas.toml) and
village_draws.parquet: of every village its families, lokus, remoteness, poverty, posyandu quality and place, drawn once
with a fixed seed as scripts/synthetic_villages.py does. Names are real, everything else of a village is synthetic.
inputs/country_profiles.py puts both together when a district is asked for.
"""

from __future__ import annotations

import argparse
import sys
import tomllib

import numpy as np
import pandas as pd
from make_country import COUNTRY, read
from synthetic_villages import Place, Terrain, village_table

# column -> times, as whole numbers are kept; see inputs/country_profiles.py
KEPT = {"families": 1, "lokus": 1, "remoteness": 1000, "poverty": 10_000, "posyandu_quality": 1000, "x": 100, "y": 100}
PAPUA = "9"  # codes of the six provinces begin with it
FORMULAS = tomllib.loads((COUNTRY / "formulas.toml").read_text(encoding="utf-8"))


def kinds(districts: pd.DataFrame) -> pd.Series:
    """kabupaten, kota or papua: which archetype's agencies a district has, by code."""
    papua = districts.index.str.startswith(PAPUA) & (districts["kind"] == "kabupaten")
    return districts["kind"].mask(papua, "papua")


def desa_and_kelurahan() -> pd.DataFrame:
    """code of the district, and whether a village is a kelurahan (the fourth part of its code begins with 1)."""
    table = read("villages_names.csv.gz").sort_values("code", kind="stable")
    kelurahan = table["code"].str.split(".").str[3].str.startswith("1").astype(np.uint8)
    return pd.DataFrame({"code": table["district_code"], "kecamatan": table["kecamatan"], "kelurahan": kelurahan})


def first_years(codes: pd.Index) -> pd.Series:
    """First year as a priority district, by code: published, else by its bounds and `by_2020`."""
    table = pd.read_csv(COUNTRY / "lokus.csv", dtype={"code": str}).set_index("code").loc[codes]
    rule = FORMULAS["lokus"]
    year = table["by_2020"].map({1.0: rule["early"], 0.0: rule["late"]}).fillna(rule["unknown"])
    year = year.clip(lower=table["first_year_min"].fillna(2018), upper=table["first_year_max"].fillna(2022))
    return table["first_year"].fillna(year).clip(upper=2022).astype(int)


def profiles() -> pd.DataFrame:
    """One row for each district: code, archetype, first_lokus_year, covariate year and its totals."""
    districts = pd.read_csv(COUNTRY / "districts.csv", dtype={"code": str}).set_index("code")
    covariates = pd.read_csv(COUNTRY / "covariates.csv", dtype={"code": str})
    year = int(covariates.dropna(subset=["poverty_percent"])["year"].max())
    last = covariates[covariates["year"] == year].set_index("code").loc[districts.index]
    kind, persons = kinds(districts), districts["population"]
    found = pd.DataFrame({"archetype": kind, "first_lokus_year": first_years(districts.index), "year": year})
    found["persons"] = persons
    found["families"] = (persons / FORMULAS["families"]["per_family"]).round().astype(int)
    rate = kind.map(FORMULAS["births_per_year"]["per_1000"])
    found["births_per_year"] = (rate * persons / 1000).round().astype(int)
    for name, rule in FORMULAS.items():
        if "covariate" in rule:
            value = last[rule["covariate"]] / 100
            if rule["nation"] != "covariate":
                nation = float((value * persons).sum() / persons.sum())
                value = rule["nation"] * (value / nation) ** rule["power"]
                value = value.clip(rule["floor"], rule["ceiling"])
            found[name] = value.round(4)
        elif "value" in rule:
            found[name] = kind.map(rule["value"])
    counts = desa_and_kelurahan().groupby("code")["kelurahan"].agg(["size", "sum"]).loc[districts.index]
    found["kelurahan"] = counts["sum"]
    found["desa"] = counts["size"] - counts["sum"]
    fund = FORMULAS["village_fund_rp"]
    found["village_fund_rp"] = (fund["per_desa"] * found["desa"] + fund["per_kelurahan"] * found["kelurahan"]).astype(
        int
    )
    return found.reset_index()


def village_draws(made: pd.DataFrame) -> pd.DataFrame:
    """All villages in the order of their codes: code of the district, kelurahan, and KEPT as whole numbers."""
    areas = pd.read_csv(COUNTRY / "districts.csv", dtype={"code": str}).set_index("code")["area_km2"]
    villages, parts = desa_and_kelurahan(), []
    for row in made.itertuples():
        own = villages[villages["code"] == row.code]
        sizes = own.groupby("kecamatan", sort=False).size()
        terrain = FORMULAS["kind"][row.archetype]
        lokus = min(FORMULAS["villages"]["lokus_each"], max(len(own) // 2, 1))
        place = Place(
            len(own), {str(name): (int(size), float(size)) for name, size in sizes.items()}, int(row.families),
            float(np.sqrt(areas[row.code])), float(row.poverty_share), lokus, int(row.code.replace(".", "")),
            Terrain(far=terrain["far"], base=terrain["base"], quality=terrain["quality"]),
        )  # fmt: skip
        drawn = village_table(place)
        kept = {name: np.rint(drawn[name] * times).astype(np.uint32) for name, times in KEPT.items()}
        parts.append(pd.DataFrame({"code": row.code, "kelurahan": own["kelurahan"].to_numpy(), **kept}))
    return pd.concat(parts, ignore_index=True)


def main() -> int:
    """Write both tables, or with --check say which differ (exit 1)."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="compare only")
    check = arguments.parse_args().check
    table, stale = profiles(), []
    text = table.to_csv(index=False, lineterminator="\n")
    path = COUNTRY / "profiles.csv"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        stale.append(path.name)
    draws, drawn = village_draws(table), COUNTRY / "village_draws.parquet"
    if not drawn.exists() or not pd.read_parquet(drawn).equals(draws):
        stale.append(drawn.name)
    if not check:
        path.write_text(text, encoding="utf-8")
        draws.to_parquet(drawn, index=False, compression="zstd")
    print(f"{len(stale)} files {'differ' if check else 'written'}: {', '.join(stale) or '-'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
