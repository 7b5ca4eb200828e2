"""What is kept of a run of a study: numbers at the end, series by month, values by group of children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from konvergensi.base.months import format_month, parse_month
from konvergensi.observe.integration import INDEX

if TYPE_CHECKING:
    from konvergensi.model.convergence import ConvergenceModel

MONEY_STAGES = ("planned", "budgeted", "released", "spent")
# measure -> the better direction: -1 the lower the better, 1 the higher, 0 neither: money is a means
DIRECTIONS = {
    "prevalence": -1,  # percent of under-fives truly below -2 z, in the month
    "stunted_children": -1,  # count, whole district, in the month
    "protected_in_time": 1,  # count, whole district, from the first month on
    "complete_package_share": 1,  # share of 1,000-day households, in the month
    "services_mean": 1,  # services per 1,000-day household, in the month
    "integration_index": 1,  # 0 to 1, in the month
    "budgeted_rp": 0,  # whole district, from the first month on
    "spent_rp": 0,  # whole district, from the first month on
    "kpm_incentive_rp": 0,  # whole district, from the first month on; part of no programme's money
    "coordination_rp": 0,  # beyond the start, KPM incentives left out; whole district, from the first month on
    "displaced_rp": 0,  # what services lost to coordination and KPM; whole district, from the first month on
}
MEASURES = tuple(DIRECTIONS)


@dataclass(frozen=True)
class Outcome:
    """Plain data of one run, as a worker sends it.

    scalars: name -> value; series: month ("YYYY-MM"), measure, value; groups: month, group, measure, value.
    """

    scalars: dict[str, float]
    series: list[tuple[str, str, float]] = field(default_factory=list)
    groups: list[tuple[str, str, str, float]] = field(default_factory=list)


def outcome(model: ConvergenceModel) -> Outcome:
    """What a study keeps of a model that has simulated all its months; units as in `measures_of`.

    scalars: each of MEASURES in the last month (counts and rupiah: over the run) and the prevalence of every December.
    series: prevalence of every month; the other measures each December and in the last month. groups: prevalence in
    the last month.
    """
    kept = measures_of(model)
    months, at = kept["months"], kept["at"]
    by_month = dict(zip(months, kept["prevalence"]))
    scalars = {"prevalence": by_month[months[-1]]}
    scalars |= {name: float(kept[name][-1]) for name in MEASURES[1:]}
    scalars |= {december(month): by_month[month] for month in months if month.endswith("-12")}
    series = [(month, "prevalence", value) for month, value in by_month.items()]
    series += [(month, name, float(value)) for name in MEASURES[1:] for month, value in zip(at, kept[name])]
    groups = [
        (months[-1], group, "prevalence", float(value))
        for group, value in zip(kept["groups"], kept["groups_prevalence"])
    ]
    return Outcome(scalars, series, groups)


def measures_of(model: ConvergenceModel) -> dict[str, Any]:
    """What is kept of a run. Counts and rupiah are scaled up to the whole district, prevalence is in percent.

    months, prevalence: of every month. at, and each other measure: each December and the last month. costs: source,
    stage, Rp over the run; transfer_rp: of what was spent over the run, what families got as cash or food vouchers.
    groups, groups_prevalence: last month. villages: prevalence at the end of the last year.
    """
    tables = model.recorder.tables("series", "money", "indicators", "integration")
    series, money = tables["series"], tables["money"]
    scale = 1.0 / model.world.population_share
    everyone = series[series["group"] == "all"].set_index("month")
    months = everyone.index.tolist()
    at = [month for month in months if month.endswith("-12") or month == months[-1]]
    indicators = tables["indicators"].pivot(index="month", columns="indicator", values="value")
    integration = tables["integration"]
    index = integration[integration["dimension"] == INDEX].set_index("month")["value"]
    yearly = money.groupby("year")[[f"{stage}_rp" for stage in MONEY_STAGES]].sum().cumsum() * scale
    by_source = money.groupby("source", sort=False)[[f"{stage}_rp" for stage in MONEY_STAGES]].sum() * scale
    now = series[(series["month"] == months[-1]) & (series["group"] != "all")]
    villages = model.recorder.villages[-1]
    transfers = {s.id for s in model.world.services if s.contact == "transfer"}
    paid_out = money["programme"].str.split(":").str[1].isin(transfers)
    measures = {
        "stunted_children": everyone["prevalence"] * everyone["n_children"] * scale,
        "protected_in_time": indicators["protected_in_time"].cumsum() * scale,
        "complete_package_share": indicators["complete_package_share"],
        "services_mean": indicators["services_mean"],
        "integration_index": index,
        "budgeted_rp": pd.Series(yearly["budgeted_rp"].to_numpy(), at),
        "spent_rp": pd.Series(yearly["spent_rp"].to_numpy(), at),
        **{name: indicators[name].cumsum() * scale for name in ("kpm_incentive_rp", "coordination_rp", "displaced_rp")},
    }
    return {
        "months": months,
        "prevalence": (100.0 * everyone["prevalence"]).tolist(),
        "at": at,
        **{name: values.loc[at].tolist() for name, values in measures.items()},
        "costs": [
            [source, stage, float(by_source.loc[source, f"{stage}_rp"])]
            for source in by_source.index
            for stage in MONEY_STAGES
        ],
        "transfer_rp": float(money.loc[paid_out, "spent_rp"].sum()) * scale,
        "groups": now["group"].tolist(),
        "groups_prevalence": (100.0 * now["prevalence"]).tolist(),
        "villages": (100.0 * villages["prevalence"]).tolist(),
        "population_share_made": float(model.world.population_share),
    }


def december(month: str) -> str:
    """Name of the prevalence in a month: `prevalence_2024_12`."""
    return f"prevalence_{month.replace('-', '_')}"


def scalar_names(start: str, end: str) -> list[str]:
    """Names of the scalars that `outcome` gives for a run from start to end."""
    months = range(parse_month(start), parse_month(end) + 1)
    return [*MEASURES, *(december(format_month(month)) for month in months if month % 12 == 11)]


def kept(found: Outcome, scalars: Sequence[str] | None, series: Sequence[str] | None, groups: bool) -> Outcome:
    """Leave out what a study does not ask for; None keeps all."""
    return Outcome(
        found.scalars if scalars is None else {name: found.scalars[name] for name in scalars},
        found.series if series is None else [row for row in found.series if row[1] in series],
        found.groups if groups else [],
    )
