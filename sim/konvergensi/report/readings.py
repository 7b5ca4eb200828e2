"""Numbers read off a run's tables, so that figures and summary can never say different things."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pandas as pd

from konvergensi.base.words import Lang, month_name, word_or
from konvergensi.inputs.targets import load_targets
from konvergensi.world.tally import STAGES

# Links of the chain, where it can break. What follows them is a result and no link: a service for children
# up to five also serves those past the 1,000 days, and z is gained only where the evidence says so.
LINKS = STAGES[STAGES.index("in_need") + 1 : STAGES.index("in_time")]
MONEY_STAGES = ("planned_rp", "budgeted_rp", "released_rp", "spent_rp")
SOURCES = ("apbn", "dak", "apbd", "dana-desa", "csr")
WEALTH = ("wealth_1", "wealth_2", "wealth_3", "wealth_4", "wealth_5")
# Prevalence by age, Indonesia, SSGI 2022 (Databoks/Katadata, July 2024, citing the Ministry of Health).
# 48-59 months is not printed in the source.
SSGI_2022_NATIONAL = {
    "age_0_5": 11.7,
    "age_6_11": 13.7,
    "age_12_23": 22.4,
    "age_24_35": 26.2,
    "age_36_47": 22.5,
}
AGE_BANDS = (*SSGI_2022_NATIONAL, "age_48_59")
TARGET_SHARE = load_targets()[0].percent / 100  # the national one for 2024


class RunTables(Protocol):
    """What a report needs of a run: its tables and the names of services and agencies."""

    @property
    def series(self) -> pd.DataFrame: ...
    @property
    def indicators(self) -> pd.DataFrame: ...
    @property
    def surveys(self) -> pd.DataFrame: ...
    @property
    def cascade(self) -> pd.DataFrame: ...
    @property
    def money(self) -> pd.DataFrame: ...
    @property
    def targeting(self) -> pd.DataFrame: ...
    @property
    def villages(self) -> pd.DataFrame: ...
    @property
    def agencies(self) -> pd.DataFrame: ...
    @property
    def network(self) -> pd.DataFrame: ...
    @property
    def ties(self) -> pd.DataFrame: ...
    @property
    def ikps(self) -> pd.DataFrame: ...
    @property
    def scorecard(self) -> pd.DataFrame: ...
    @property
    def scorecard_indicators(self) -> pd.DataFrame: ...
    @property
    def reform_stages(self) -> pd.DataFrame: ...
    @property
    def integration(self) -> pd.DataFrame: ...
    @property
    def manifest(self) -> dict[str, Any]: ...
    @property
    def service_names(self) -> dict[str, dict[str, str]]: ...
    @property
    def agency_names(self) -> dict[str, str]: ...
    @property
    def package(self) -> list[str]: ...


def rows(frame: pd.DataFrame | None, *columns: str) -> pd.DataFrame:
    """The frame, or an empty one when it is absent or lacks a column that the reader needs."""
    if frame is None or not set(columns) <= set(frame.columns):
        return pd.DataFrame({column: pd.Series(dtype=float) for column in columns})
    return frame


def year_fraction(months: pd.Series) -> np.ndarray:
    """Months 'YYYY-MM' as years on an axis; a month sits at its middle."""
    return np.array([int(m[:4]) + (int(m[5:7]) - 0.5) / 12 for m in months.astype(str)], dtype=float)


def group(run: RunTables, name: str) -> pd.DataFrame:
    """True state of one group by month, in order; months without children are left out."""
    table = rows(run.series, "month", "group", "n_children", "prevalence")
    return table[(table["group"] == name) & table["prevalence"].notna()].sort_values("month")


def indicator(run: RunTables, name: str) -> pd.DataFrame:
    """One indicator by month, in order."""
    table = rows(run.indicators, "month", "indicator", "value")
    return table[(table["indicator"] == name) & table["value"].notna()].sort_values("month")


def last_indicator(run: RunTables, name: str) -> float:
    """Value of an indicator in the last month, NaN when it was not recorded."""
    values = indicator(run, name)["value"]
    return float(values.iloc[-1]) if len(values) else float("nan")


def services_distribution(run: RunTables) -> tuple[str, pd.Series]:
    """Last month that has them, and the share of 1,000-HPK households by number of package services."""
    table = rows(run.indicators, "month", "indicator", "value")
    table = table[table["indicator"].astype(str).str.fullmatch(r"services_\d+") & table["value"].notna()]
    if table.empty:
        return "", pd.Series(dtype=float)
    month = str(table["month"].max())
    last = table[table["month"] == month]
    counts = last["indicator"].astype(str).str.removeprefix("services_").astype(int)
    return month, pd.Series(last["value"].to_numpy(float), index=counts.to_numpy()).sort_index()


def months_of_year(run: RunTables, year: int) -> tuple[str, str]:
    """First and last month of a year that the run covers."""
    start, end = str(run.manifest.get("start", f"{year}-01")), str(run.manifest.get("end", f"{year}-12"))
    return max(start, f"{year}-01"), min(end, f"{year}-12")


def last_full_year(run: RunTables, frame: pd.DataFrame) -> int | None:
    """The last year that the run covers from January to December, else the last year in the table."""
    years = sorted(int(year) for year in frame["year"].unique())
    full = [year for year in years if months_of_year(run, year) == (f"{year}-01", f"{year}-12")]
    return full[-1] if full else years[-1] if years else None


def year_name(run: RunTables, year: int, lang: Lang) -> str:
    """'2024', or '2024 (Jan 2024 – Mar 2024)' when the run covers only part of it."""
    first, last = months_of_year(run, year)
    if (first, last) == (f"{year}-01", f"{year}-12"):
        return str(year)
    return f"{year} ({span(first, last, lang)})"


def span(first: str, last: str, lang: Lang) -> str:
    """'Jan 2018 – Mar 2018', or 'Jan 2018' for a single month."""
    ends = dict.fromkeys(month_name(month, lang) for month in (first, last))
    return " – ".join(ends)


def year_prevalence(run: RunTables, name: str, year: int) -> float:
    """Mean true prevalence of a group over a year, each month weighted by its children."""
    table = group(run, name)
    table = table[table["month"].astype(str).str.startswith(f"{year}-")]
    children = table["n_children"].to_numpy(float)
    return float(np.average(table["prevalence"], weights=children)) if children.sum() > 0 else float("nan")


def surveys_of_district(run: RunTables, routine: bool) -> pd.DataFrame:
    """District values of the routine register (e-PPGBM) or of the surveys, by month of fieldwork."""
    table = rows(run.surveys, "fieldwork", "published", "system", "level", "percent", "low", "high")
    is_routine = table["system"] == "e-PPGBM"
    wanted = (is_routine == routine) & (table["level"] == "district") & table["percent"].notna()
    numbers = dict.fromkeys(("percent", "low", "high"), float)
    return table[wanted].sort_values("fieldwork").astype(numbers)


def chain(run: RunTables, year: int) -> pd.DataFrame:
    """Cascade of one year: one row per service, one column per stage, children.

    Services that nobody needed that year are left out; a stage that was not recorded is NaN.
    """
    table = rows(run.cascade, "year", "service", "stage", "children")
    table = table[table["year"] == year]
    wide = table.pivot_table(index="service", columns="stage", values="children", aggfunc="sum", min_count=1)
    wide = wide.reindex(columns=list(STAGES)).astype(float)
    return wide[wide["in_need"] > 0]


def weakest_links(children: pd.DataFrame) -> pd.DataFrame:
    """Per service the link (known to taken up) where most children are lost, and how many.

    Returns: columns stage (the stage that was not reached; '' when nobody is lost), lost (children),
    share (of those in need).
    """
    held = children[["in_need", *LINKS]].ffill(axis=1)
    loss = -held.diff(axis=1)[list(LINKS)]
    stage = loss.idxmax(axis=1).where(loss.max(axis=1) > 0, "")
    lost = loss.max(axis=1)
    return pd.DataFrame({"stage": stage, "lost": lost, "share": lost / children["in_need"]})


def offered(run: RunTables, services: pd.Index) -> pd.Series:
    """Whether a service is in somebody's programme at all, bool by service id."""
    programmes = rows(run.money, "programme")["programme"].astype(str)
    run_by_somebody = {programme.split(":")[1] for programme in programmes if programme.count(":") == 2}
    return pd.Series([service in run_by_somebody for service in services], index=services, dtype=bool)


def money_by(run: RunTables, *keys: str) -> pd.DataFrame:
    """Planned, budgeted, released and spent rupiah summed over everything but ``keys``."""
    table = rows(run.money, "year", "source", *MONEY_STAGES)
    return table.groupby(list(keys))[list(MONEY_STAGES)].sum()


def gap(run: RunTables, high: str, low: str) -> tuple[float, float]:
    """Difference in true prevalence between two groups, first and last month that has both; else NaN."""
    both = group(run, high).merge(group(run, low), on="month", suffixes=("_high", "_low"))
    if both.empty:
        return float("nan"), float("nan")
    between = both["prevalence_high"] - both["prevalence_low"]
    return float(between.iloc[0]), float(between.iloc[-1])


def targeting_errors(run: RunTables) -> tuple[int | None, pd.DataFrame]:
    """Last full year and its programmes that somebody is entitled to and that have at least one error."""
    table = rows(run.targeting, "year", "programme", "eligible", "inclusion_error", "exclusion_error")
    year = last_full_year(run, table)
    table = table[(table["year"] == year) & (table["eligible"] > 0)] if year is not None else table
    return year, table.dropna(subset=["inclusion_error", "exclusion_error"], how="all")


def ratio(part: float, whole: float) -> float:
    """part / whole, NaN when there is nothing to divide."""
    return float(part) / float(whole) if whole else float("nan")


def service_name(run: RunTables, service: str, lang: Lang) -> str:
    """Name of a service in the language, its id when it has no name."""
    return run.service_names.get(service, {}).get(lang, service)


def programme_name(run: RunTables, programme: str, lang: Lang) -> str:
    """'<opd>:<service>:<money>' in words."""
    opd, _, rest = programme.partition(":")
    service, _, money = rest.partition(":")
    if not service:
        return programme
    source = f", {word_or(f'source_short.{money}', lang, money)}" if money and money != "none" else ""
    return f"{service_name(run, service, lang)} ({run.agency_names.get(opd, opd)}{source})"


def source_name(source: str, lang: Lang) -> str:
    """Name of a source of money."""
    return word_or(f"source.{source}", lang, source)
