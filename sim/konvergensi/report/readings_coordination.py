"""Numbers about agencies and their coordination, read off a run's tables like those of readings.py."""

from __future__ import annotations

import pandas as pd

from konvergensi.base.words import Lang, number, word, word_or
from konvergensi.report.readings import RunTables, rows

TOLD = ("opd", "kecamatan", "villages")  # whom a message from the coordinator is to reach
STATES = ("understanding", "institutional_understanding", "adaptation", "goal_adoption")
ALL, INDEX = "all", "index"  # how the integration table names a dimension as a whole, and the index


def agencies(run: RunTables) -> pd.DataFrame:
    """States of the agencies by month, in order; empty where one of them was not recorded."""
    return rows(run.agencies, "month", "agency", "in_decree", *STATES).sort_values("month", kind="stable")


def moments(run: RunTables) -> list[str]:
    """The two months whose ties a run keeps for sure: its first and its last December; one where they are the same."""
    months = sorted(agencies(run)["month"].astype(str).unique())
    return list(dict.fromkeys([*months[:1], *[month for month in months if month.endswith("-12")][-1:]]))


def agencies_at(run: RunTables, month: str) -> pd.DataFrame:
    """One row per agency with its states in a month, in the order of the district file."""
    table = agencies(run)
    return table[table["month"] == month].set_index("agency")


def ties_at(run: RunTables, month: str) -> pd.DataFrame:
    """Ties between agencies in a month: layer, source, target, weight."""
    table = rows(run.ties, "month", "layer", "source", "target", "weight")
    return table[table["month"] == month]


def measure_at(run: RunTables, month: str, layer: str, name: str) -> float:
    """A measure of the network in a month; NaN where it was not recorded."""
    table = rows(run.network, "month", "layer", "measure", "value")
    found = table[(table["month"] == month) & (table["layer"] == layer) & (table["measure"] == name)]["value"]
    return float(found.iloc[0]) if len(found) else float("nan")


def months_to_inform(run: RunTables, month: str, whom: str, lang: Lang) -> str:
    """Months until half of the agencies ('opd'), 'kecamatan' or 'villages' have a message, in words."""
    months = measure_at(run, month, ALL, f"months_to_{whom}")
    if months == float("inf"):
        return word("network.never", lang)
    return word("network.months", lang, n=number(months, lang, int(months < 10)))


def coordinator(run: RunTables) -> str | None:
    """The agency that coordinates, by its id; None in a run without agencies."""
    named = [name for name, role in (run.manifest.get("roles") or {}).items() if role == "coordinator"]
    return next(iter([*named, *agencies(run)["agency"]]), None)


def at_work(run: RunTables) -> list[str]:
    """Agencies in the decree at some time, or with a programme, by id, in the order of the district file."""
    table = agencies(run)
    member = set(table.loc[table["in_decree"].astype(bool), "agency"])
    paid = set(rows(run.money, "agency")["agency"])
    return [agency for agency in table["agency"].unique() if agency in member | paid | {coordinator(run)}]


def short_name(run: RunTables, agency: str) -> str:
    """How people call an agency: its id, in capitals where those are its initials or stand so in its name."""
    name = run.agency_names.get(agency, "")
    capitals = agency.upper()
    if capitals in name.split() or capitals == "".join(word[0] for word in name.split() if word[0].isupper()):
        return capitals
    return agency[:1].upper() + agency[1:]


def integration(run: RunTables) -> pd.DataFrame:
    """The integration index by month: one column per (dimension, sub-aspect), both as the table names them, 0..1."""
    table = rows(run.integration, "month", "dimension", "sub_dimension", "value")
    wide = table.pivot_table(index="month", columns=["dimension", "sub_dimension"], values="value", sort=False)
    return wide.sort_index()


def dimensions(wide: pd.DataFrame) -> list[str]:
    """The dimensions of `integration`, in order, without the index."""
    return [name for name in dict.fromkeys(wide.columns.get_level_values(0)) if name != INDEX]


def aspects(wide: pd.DataFrame, dimension: str) -> list[str]:
    """The sub-aspects of a dimension of `integration`, in order."""
    return [name for name in wide[dimension].columns if name != ALL]


def dimension_name(dimension: str, lang: Lang) -> str:
    """A dimension of `integration`, or the index, in words."""
    return word_or(f"dimension.{dimension.replace(' ', '_')}", lang, dimension)
