"""Outputs: what is asked of a store, a number for each draw and seed, derived when it is read.

Names: any scalar (`prevalence`); `difference:<scalar>`, to the study's first scenario with the same draw and seed;
`cost_per_case_rp`, rupiah more (programmes, incentives of KPM, coordination, as `compare` counts them) for each stunted
child less at the end, to the first scenario; `mean:<name>` and `variance:<name>`, over the seeds of each draw.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from konvergensi.base.errors import InputError, fault, nearest, unknown_name
from konvergensi.studies.store import KEYS, Store

DIFFERENCE, COST = "difference:", "cost_per_case_rp"
MONEY, CASES = (
    ("spent_rp", "kpm_incentive_rp", "coordination_rp"),
    "stunted_children",
)  # what a cost per case is made of
OVER_SEEDS = ("mean:", "variance:")


def outputs(store: Store, output: str = "", scenario: str | None = None, district: str | None = None) -> pd.DataFrame:
    """An output of one scenario in one district: columns draw, seed, value; sorted, NaN where a run failed.

    Parameters: output, a name as above, the store's first scalar by default; scenario, the store's last by default;
    district, its first by default. With `mean:` or `variance:` there is one row for each draw, seed 0; the variance
    (n - 1) of one seed is NaN. Raises InputError for names that are not there.
    """
    scenario = _named(scenario or store.scenarios[-1], "scenario", store.scenarios)
    district = _named(district or store.districts[0], "district", store.districts)
    runs = store.runs([*KEYS, *store.scalars])
    runs = runs[runs["district"] == district]
    return _output(store, runs, output or store.scalars[0], scenario).reset_index(drop=True)


def output_names(store: Store) -> list[str]:
    """Names that can be asked for, without `mean:` and `variance:`."""
    names = store.scalars
    if len(store.scenarios) > 1:
        names = [*names, *(DIFFERENCE + name for name in names)]
        if {*MONEY, CASES} <= set(names):
            names.append(COST)
    return names


def _output(store: Store, runs: pd.DataFrame, output: str, scenario: str) -> pd.DataFrame:
    for over in OVER_SEEDS:
        if output.startswith(over):
            by_draw = _output(store, runs, output.removeprefix(over), scenario).groupby("draw")["value"]
            value = by_draw.apply(_mean if over == "mean:" else _variance)
            return pd.DataFrame({"draw": value.index, "seed": 0, "value": value.to_numpy(float)})
    if output == COST:
        *money, cases = (_difference(store, runs, name, scenario) for name in (*MONEY, CASES))
        averted = -cases["value"].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = sum(each["value"].to_numpy() for each in money) / averted
        return cases.assign(value=np.where(averted == 0, np.nan, ratio))
    if output.startswith(DIFFERENCE):
        return _difference(store, runs, output.removeprefix(DIFFERENCE), scenario)
    return _scalar(store, runs, output, scenario)


def _mean(values: pd.Series) -> float:
    return float(values.to_numpy().mean())  # NaN when one of the seeds failed


def _variance(values: pd.Series) -> float:
    found = values.to_numpy()
    return float(found.var(ddof=1)) if len(found) > 1 else float("nan")


def _difference(store: Store, runs: pd.DataFrame, name: str, scenario: str) -> pd.DataFrame:
    own, reference = (_scalar(store, runs, name, each) for each in (scenario, store.scenarios[0]))
    pairs = own.merge(reference, on=["draw", "seed"], suffixes=("", "_reference"))
    return pairs.assign(value=pairs["value"] - pairs["value_reference"])[["draw", "seed", "value"]]


def _scalar(store: Store, runs: pd.DataFrame, name: str, scenario: str) -> pd.DataFrame:
    known = store.scalars
    if name not in known:
        words = {"value": name, "choices": ", ".join(output_names(store)), "near": nearest(name, output_names(store))}
        raise InputError(fault(store.path, "output", "unknown_name", what="output", **words))
    own = runs.loc[runs["policy"] == scenario, ["draw", "seed", name]]
    return own.rename(columns={name: "value"})


def _named(name: str, what: str, known: list[str]) -> str:
    if name not in known:
        raise InputError(unknown_name("", what, what, name, known))
    return name
