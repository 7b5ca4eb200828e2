"""Cases of a store: what was varied in each draw, and whether the draw is of interest.

A case is a draw, with what is asked for averaged over its seeds: chance weighs less the more seeds there are, and is
never gone: a box may hold some of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from konvergensi.base.errors import InputError, fault
from konvergensi.methods.cases import Cases, Where
from konvergensi.methods.designs import draws_of
from konvergensi.methods.prim import LEAST_RUNS
from konvergensi.studies.outputs import CASES, COST, DIFFERENCE, MONEY, outputs

if TYPE_CHECKING:
    from konvergensi.studies.store import Store

DEPENDENT = ("saltelli", "morris")  # their points share most coordinates with others, so none is new to the rest


def cases(store: Store, where: Where, scenario: str | None = None, district: str | None = None) -> Cases:
    """Read the cases of one scenario (the study's last by default) in one district (its first).

    Raises InputError for names that are not there, a study that varied nothing, points that hang together, and where
    so many or so few draws are of interest that nothing can be told apart.
    """
    scenario, district = scenario or store.scenarios[-1], district or store.districts[0]
    _refuse_points(store)
    names = dict.fromkeys(condition.output for condition in where.conditions)
    values = pd.DataFrame({name: by_draw(store, name, scenario, district) for name in names})
    whole = values.dropna()
    x = _factors(store, district).loc[whole.index]
    left_out = draws_of(store.study) - len(whole)
    found = Cases(x, whole, where.holds(whole), where, scenario, district, left_out)
    _refuse_one_sided(found)
    return found


def by_draw(store: Store, output: str, scenario: str, district: str) -> pd.Series:
    """An output by draw, the mean over its seeds; NaN where a run of the draw failed.

    Cost per case is the ratio of these means, and infinite where no case is averted, however little was spent: money
    that averts nothing is not cheap.
    """
    if output != COST:
        return _seed_mean(outputs(store, output, scenario, district))
    *parts, cases_ = (_seed_mean(outputs(store, DIFFERENCE + name, scenario, district)) for name in (*MONEY, CASES))
    money = sum(parts[1:], parts[0])
    return (money / -cases_).where(cases_ < 0, np.inf).where(cases_.notna() & money.notna())


def _seed_mean(table: pd.DataFrame) -> pd.Series:
    """Means over seeds; NaN where a seed is, or is not there."""
    wide = table.pivot(index="draw", columns="seed", values="value")
    return wide.mean(axis=1, skipna=False)


def _factors(store: Store, district: str) -> pd.DataFrame:
    """What was varied, by draw; without dummies, and without what never varies."""
    keys = [factor.key for factor in store.study.factors if not factor.is_dummy]
    runs = store.runs(["district", "draw", *keys])
    by = runs[runs["district"] == district].drop_duplicates("draw").set_index("draw")[keys]
    return by.loc[:, by.nunique() > 1]


def _refuse_points(store: Store) -> None:
    if not store.factors:
        raise InputError(fault(store.path, "factors", "nothing_varied"))
    if (method := store.study.design.method) in DEPENDENT:
        raise InputError(fault(store.path, "design.method", "points_hang_together", value=method))


def _refuse_one_sided(found: Cases) -> None:
    """Refuse where fewer than LEAST_RUNS draws are of interest, or are not."""
    runs, met = len(found.interest), int(found.interest.sum())
    if min(met, runs - met) >= LEAST_RUNS:
        return
    spans = [f"{name} {values.min():.6g} … {values.max():.6g}" for name, values in found.values.items() if runs]
    words = {"value": found.where.text, "met": met, "runs": runs, "least": LEAST_RUNS, "spans": "; ".join(spans)}
    raise InputError(fault("", "--where", "one_sided", **words))
