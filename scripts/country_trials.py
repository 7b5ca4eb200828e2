"""Forecasts of surveys that were hidden: fits without them, and naive rules, scored on the same readings.

`trials()` gives a table of every reading by trial and method, for scripts/make_forecasts.py. Trials: 2021 from
surveys up to 2019, 2022 from those up to 2021, 2023 from those up to 2022; and five folds in which all
after 2019 is hidden for a random fifth of the districts that have it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from fit_country import data_to, posterior, readings

from konvergensi.inputs import country
from konvergensi.methods.country import CountryPosterior, posterior_of, reading_draws, shipped_posterior
from konvergensi.methods.country_naive import NAIVE, Readings, naive_draws
from konvergensi.methods.country_scale import NODES, SYSTEM_OF_NODE, SYSTEMS
from konvergensi.methods.country_scores import score_rows

MODEL = "model"
AHEAD = ((2019, 2021), (2021, 2022), (2022, 2023))
FOLDS = 5
SEED = 16


def known(hidden: np.ndarray | None = None, last: int = NODES[-1]) -> Readings:
    """All readings up to a year, after 2019 only of districts that are not hidden."""
    nation = country.nation().set_index("year")["percent"].reindex(NODES).to_numpy(float)
    keep = np.array(NODES) <= last
    return Readings(readings(last, hidden)[:, keep], np.array(NODES)[keep], nation[keep])


def scored(post: CountryPosterior, given: Readings, rows: np.ndarray, node: int, nation_known: bool) -> pd.DataFrame:
    """Scores of the model and of each naive rule for one year and some districts (rows of the country)."""
    year, system = NODES[node], SYSTEMS[SYSTEM_OF_NODE[node]]
    seen = readings(NODES[-1])[rows, node]
    codes = country.codes()[rows]
    nation = float(country.nation().set_index("year").at[year, "percent"]) if nation_known else None
    draws = {MODEL: np.stack([reading_draws(post, str(code), year, system, seed=SEED) for code in codes])}
    early = given.before(year) if not nation_known else given
    draws |= {method: naive_draws(method, early, nation)[rows] for method in NAIVE}
    tables = [score_rows(each, seen).assign(method=method, code=codes, year=year) for method, each in draws.items()]
    return pd.concat(tables, ignore_index=True)


def ahead(last: int, year: int, exact: bool) -> pd.DataFrame:
    """Every reading of a year from what was known up to `last`."""
    node = NODES.index(year)
    if last == NODES[-2] and exact:
        post = shipped_posterior(last)
    else:
        post = posterior_of(f"to {last}", posterior(data_to(last), seed=last, exact=False)[0])
    rows = np.flatnonzero(np.isfinite(readings(NODES[-1])[:, node]))
    return scored(post, known(last=last), rows, node, nation_known=False).assign(trial=f"{year} from {last}")


def hidden_districts() -> pd.DataFrame:
    """Readings after 2019 of districts of which nothing after 2019 was told, five folds; the nation's are known."""
    late = np.array(NODES) > 2019
    have = np.flatnonzero(np.isfinite(readings(NODES[-1])[:, late]).any(axis=1))
    order = np.random.default_rng(SEED).permutation(have)
    tables = []
    for fold in range(FOLDS):
        hidden = np.zeros(len(country.codes()), bool)
        hidden[order[fold::FOLDS]] = True
        data = data_to(NODES[-1], hidden)
        post = posterior_of(f"fold {fold}", posterior(data, seed=100 + fold, exact=False)[0])
        for node in np.flatnonzero(late):
            rows = np.flatnonzero(hidden & np.isfinite(readings(NODES[-1])[:, node]))
            given = Readings(readings(2019), np.array(NODES), known().nation)
            given = given.before(2020)
            tables.append(scored(post, given, rows, int(node), nation_known=True).assign(fold=fold))
    return pd.concat(tables, ignore_index=True).assign(trial="hidden after 2019")


def trials(exact: bool = True) -> pd.DataFrame:
    """trial, method, code, year, seen, low, middle, high, error, inside, crps, interval_score."""
    tables = [ahead(last, year, exact) for last, year in AHEAD]
    return pd.concat([*tables, hidden_districts()], ignore_index=True)
