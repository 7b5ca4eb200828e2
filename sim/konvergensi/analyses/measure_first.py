"""What knowing an uncertain parameter before choosing among the policies compared would be worth (EVPPI)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.inputs.agencies import any_line, any_opd
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import Scenario
from konvergensi.methods.information import evpi, evppi
from konvergensi.methods.statistics import F64
from konvergensi.results.comparison import COLUMNS


def choices(policies: Sequence[Scenario]) -> list[int]:
    """Places of the policies that can be chosen: the first, and those that do more than happen to a district."""
    return [place for place, policy in enumerate(policies) if place == 0 or not _happens(policy)]


def _happens(policy: Scenario) -> bool:
    """Whether it is an event: its file says so, or all that it moves are events."""
    if policy.kind is not None:
        return policy.kind == "event"
    keys = {each.key for each in policy.changes}
    return bool(keys) and all((any_opd(key) | any_line(key) | load_parameters())[key].role == "event" for key in keys)


def measure_first(
    prevalence: F64, stunted: F64, draws: Sequence[int], parameters: pd.DataFrame, rp_each: float | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Table `information`, what each parameter would be worth to whoever wants least stunting, and of everything.

    Parameters: prevalence, percent, and stunted, children, (draws, seeds, policies that can be chosen) in the last
    month; parameters, table `parameter_draws`; rp_each, Rp that a stunted child fewer costs, None where not known.
    Returns: the table, most first, empty where nothing was drawn or there is nothing to choose and NaN with too few
    draws for a curve; and for the manifest how many can be chosen, rp_each, and what knowing everything is worth.
    """
    priced = rp_each is not None and rp_each > 0.0
    told: dict[str, Any] = {"choices": prevalence.shape[2], "rp_each": rp_each if priced else None}
    wide = parameters[parameters["draw"].isin(draws)].pivot(index="draw", columns="parameter", values="value")
    wide = wide.loc[:, wide.nunique() > 1]
    if prevalence.shape[2] < 2 or wide.empty:
        return pd.DataFrame(columns=COLUMNS["information"]), told
    gains = -prevalence.mean(axis=1)
    points, chance = evppi(gains, wide.reindex(list(draws)).to_numpy(float))
    children = float(stunted.mean() / prevalence.mean()) if prevalence.mean() > 0.0 else 0.0
    rp = children * float(rp_each or 0.0) if priced else math.nan
    rows = [
        (str(key), point * children, of_chance * children, point * rp, point)
        for key, point, of_chance in sorted(zip(wide.columns, points, chance), key=lambda row: -np.nan_to_num(row[1]))
    ]
    told |= {"everything_points": evpi(gains), "everything_children": evpi(gains) * children}
    return pd.DataFrame(rows, columns=COLUMNS["information"]), told
