"""What is kept of a run of a study: numbers at the end, series by month, values by group of children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from konvergensi.inputs.months import format_month, parse_month

if TYPE_CHECKING:
    from konvergensi.model import ConvergenceModel

# in the last month of the run; protected in time, money and incentives: over the whole run
MEASURES = (
    "prevalence", "stunted_children", "protected_in_time", "complete_package_share", "services_mean",
    "integration_index", "budgeted_rp", "spent_rp", "kpm_incentive_rp",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """Plain data of one run, as a worker sends it.

    scalars: name -> value; series: month ("YYYY-MM"), measure, value; groups: month, group, measure, value.
    """

    scalars: dict[str, float]
    series: list[tuple[str, str, float]] = field(default_factory=list)
    groups: list[tuple[str, str, str, float]] = field(default_factory=list)


def outcome(model: ConvergenceModel) -> Outcome:
    """What a study keeps of a model that has lived all its months; units as in `compare_plan.outcome`.

    scalars: each of MEASURES in the last month (counts and rupiah: over the run) and the prevalence of every December.
    series: prevalence of every month; the other measures each December and in the last month. groups: prevalence in
    the last month.
    """
    from konvergensi.experiments.compare_plan import outcome as kept_of  # brings the whole model with it

    kept = kept_of(model)
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
