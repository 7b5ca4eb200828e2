"""Fit the register's share of the survey over district-years that have both, and say whom each of the two calls worst.

Reads evidence/eppgbm_districts.csv and evidence/ssgi_districts.csv (`prefer` = 1), writes
scenarios/country/register_ratio.toml and the tables of docs/register.md and docs/register.id.md.
`python scripts/fit_register.py`; `--check` compares without writing.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "evidence"
OUT = ROOT / "sim" / "konvergensi" / "data" / "country" / "register_ratio.toml"
if not OUT.parent.exists():
    OUT = ROOT / "scenarios" / "country" / "register_ratio.toml"
PAGES = {"en": ROOT / "docs" / "register.md", "id": ROOT / "docs" / "register.id.md"}
MIDDLE = 2019
YEARS = (2017, 2018, 2019, 2021, 2022)
LEAST = 0.5  # percent: below this a register figure says nothing
WORST = 5  # districts that an office would name


def pairs() -> pd.DataFrame:
    """District-years with both: code, area, province, year, register and survey in percent, log ratio."""
    register = pd.read_csv(EVIDENCE / "eppgbm_districts.csv", dtype={"code": str})
    register = register[register["percent"].ge(LEAST) & ~register["note"].fillna("").str.contains("ODD")]
    keys = ["code", "area", "province", "year"]
    register = register.groupby(keys)["percent"].mean().reset_index(name="register")
    survey = pd.read_csv(EVIDENCE / "ssgi_districts.csv", dtype={"code": str})
    value = "percent" if "percent" in survey else "value"
    survey = survey[survey["prefer"].eq(1) & survey[value].gt(0)]
    survey = survey.groupby(["code", "year"])[value].mean().reset_index(name="survey")
    both = register.merge(survey, on=["code", "year"])
    both = both[both["year"].isin(YEARS)]
    both["log_ratio"] = np.log(both["register"] / both["survey"])
    return both.sort_values(["code", "year"]).reset_index(drop=True)


def fit(both: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Level, slope, log SD of districts, log SD of district-years, by maximum likelihood; and their covariance."""
    groups = [part for _, part in both.groupby("code")]

    def loss(x: np.ndarray) -> float:
        between, within = np.exp(2 * x[2]), np.exp(2 * x[3])
        total = 0.0
        for part in groups:
            gap = part["log_ratio"].to_numpy() - x[0] - x[1] * (part["year"].to_numpy() - MIDDLE)
            n, s = len(gap), gap.sum()
            # random intercept: closed form of the Gaussian likelihood
            total += 0.5 * ((gap @ gap) / within - between * s**2 / (within * (within + n * between)))
            total += 0.5 * ((n - 1) * np.log(within) + np.log(within + n * between))
        return float(total)

    start = np.array([both["log_ratio"].mean(), 0.0, np.log(0.4), np.log(0.4)])
    found = minimize(loss, start, method="BFGS")
    return found.x, found.hess_inv


def wander(both: pd.DataFrame, x: np.ndarray) -> float:
    """Spread of yearly means around the line beyond what the number of districts explains, log scale."""
    gap = both["log_ratio"] - x[0] - x[1] * (both["year"] - MIDDLE)
    by_year = gap.groupby(both["year"])
    explained = float((by_year.var() / by_year.size()).mean())
    return float(np.sqrt(max(float(by_year.mean().var()) - explained, 0.02**2)))


def as_toml(both: pd.DataFrame) -> str:
    """The fit as a file."""
    x, covariance = fit(both)
    sd = np.sqrt(np.diag(covariance))
    source = "fitted to evidence/eppgbm_districts.csv and ssgi_districts.csv (scripts/fit_register.py)"
    lines = ["# The register's share of the survey (log ratio); written by scripts/fit_register.py.", ""]
    lines += [f"years = {{ first = {both['year'].min()}, last = {both['year'].max()} }}"]
    lines += [f"pairs = {len(both)}", f"districts = {both['code'].nunique()}", ""]
    for name, value, error, unit in (
        ("level", x[0], sd[0], "log ratio in 2019"),
        ("slope", x[1], sd[1], "log ratio a year"),
        ("district_sd", np.exp(x[2]), np.exp(x[2]) * sd[2], "log ratio, SD between districts"),
        ("year_sd", np.exp(x[3]), np.exp(x[3]) * sd[3], "log ratio, SD of a district's year, survey error in it"),
        ("wander_sd", wander(both, x), np.nan, "log ratio a year outside the years fitted"),
    ):
        lines += [f"[{name}]", f"value = {value:.4f}"]
        lines += [] if np.isnan(error) else [f"sd = {error:.4f}"]
        lines += [f'unit = "{unit}"', f'source = "{source}"', 'grade = "model"', ""]
    return "\n".join(lines)


def by_year(both: pd.DataFrame, lang: str) -> str:
    """Table: ratio by province and year, and how alike the two rank districts."""
    head = {
        "en": "| Province | Year | Districts | Middle ratio | 10th to 90th percentile | Rank correlation |",
        "id": "| Provinsi | Tahun | Kabupaten/kota | Rasio tengah | Persentil 10-90 | Korelasi peringkat |",
    }[lang]
    lines = [head, "|---|---|---|---|---|---|"]
    for (province, year), part in both.groupby(["province", "year"]):
        if len(part) < WORST:
            continue
        low, middle, high = np.exp(part["log_ratio"].quantile([0.1, 0.5, 0.9]))
        ranks = part["register"].corr(part["survey"], method="spearman")
        cells = (province, year, len(part), f"{middle:.2f}", f"{low:.2f} .. {high:.2f}", f"{ranks:+.2f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def worst(both: pd.DataFrame, lang: str) -> str:
    """Table: the districts that each of the two calls worst in the last year, and how many they share."""
    head = {
        "en": "| Province | Worst by the register | Worst by the survey | In both |",
        "id": "| Provinsi | Terburuk menurut register | Terburuk menurut survei | Pada keduanya |",
    }[lang]
    lines = [head, "|---|---|---|---|"]
    for province, part in both[both["year"] == both["year"].max()].groupby("province"):
        named = [part.nlargest(WORST, column) for column in ("register", "survey")]
        shown = [
            ", ".join(f"{r.area} {getattr(r, c):.1f}" for r in t.itertuples())
            for t, c in zip(named, ("register", "survey"), strict=True)
        ]
        shared = len(set(named[0]["code"]) & set(named[1]["code"]))
        lines.append(f"| {province} | {shown[0]} | {shown[1]} | {shared} / {WORST} |")
    return "\n".join(lines) + "\n"


def renewed(page: str, tables: dict[str, str]) -> str:
    """The page with its tables replaced. Raises ValueError for a block that is not there."""
    for name, table in tables.items():
        block = re.compile(rf"(<!-- register: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if (at := block.search(page)) is None:
            raise ValueError(f"there is no block <!-- register: {name} -->")
        page = page[: at.start()] + at[1] + table + at[2] + page[at.end() :]
    return page


def main(argv: Sequence[str] | None = None) -> int:
    """Fit and write, or check; 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args(argv)
    both = pairs()
    texts = {OUT: as_toml(both)}
    for lang, page in PAGES.items():
        tables = {"years": by_year(both, lang), "worst": worst(both, lang)}
        texts[page] = renewed(page.read_text(encoding="utf-8"), tables)
    if asked.check:
        stale = [path.name for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
        print(f"differ: {', '.join(stale)}" if stale else "as fitted")
        return bool(stale)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    print(texts[OUT])
    return 0


if __name__ == "__main__":
    sys.exit(main())
