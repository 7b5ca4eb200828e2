"""What is allowed but may not be what its writer meant: said in one line each, never refused."""

from __future__ import annotations

from konvergensi.inputs.districts import District
from konvergensi.inputs.errors import Fault, fault
from konvergensi.inputs.months import format_month, parse_month
from konvergensi.inputs.scenarios import Scenario

REFORM = parse_month("2025-01")
REGIME = "calendar.regime"
_PLAN = "calendar.reform_plan_month"
# months of the eight Aksi, which the reform of 2025 puts out of force, and what rules in their place
RULED_BY = {
    "calendar.aksi_1_month": "calendar.reform_analysis_month",
    "calendar.aksi_2_month": _PLAN,
    "calendar.aksi_3_month": _PLAN,
    "calendar.aksi_4_month": _PLAN,
    "calendar.aksi_5_month": _PLAN,
    "calendar.aksi_8_month": "calendar.reform_review_month",
}
EXAMPLE = "example"  # the source that the template of `new-district` writes beside its invented values
FEW_FAMILIES = 2_000  # below, chance moves prevalence more than a policy does


def without_effect(scenario: Scenario, last: int = REFORM - 1) -> list[Fault]:
    """The scenario's changes that do nothing: months of an Aksi, set where the months of the reform rule instead.

    Parameters: last, the last month to be lived; from 2025 on, an Aksi whose month the scenario set earlier is named
    too, unless it also sets the month that takes its place.
    """
    keys = {change.key for change in scenario.changes}
    if REGIME in keys:
        return []
    found: dict[str, int] = {}
    for change in scenario.changes:
        rules = RULED_BY.get(change.key)
        if rules and (change.month >= REFORM or (last >= REFORM and rules not in keys)):
            found[change.key] = max(change.month, REFORM)
    return [
        fault(scenario.path, key, "no_effect", month=format_month(month), rules=RULED_BY[key])
        for key, month in found.items()
    ]


def still_example(district: District) -> list[Fault]:
    """How many values of a district's files still have the source that the template gave them."""
    entries = [*district.population.values(), *district.overrides.values(), *district.surveys, *district.opd]
    left = sum(each.source.startswith(EXAMPLE) for each in (*entries, *district.programmes))
    return [fault(district.name, "", "still_example", n=left)] if left else []


def few_families(district: District, population_share: float) -> list[Fault]:
    """Whether so few families are simulated that chance weighs more than policy."""
    in_all = int(district.villages["families"].sum())
    simulated = round(in_all * population_share)
    if simulated >= FEW_FAMILIES:
        return []
    return [fault(district.name, "", "few_families" if population_share < 1 else "few_families_whole", n=simulated)]


def of_runs(scenarios: list[Scenario], district: District, last: int, population_share: float) -> list[Fault]:
    """Everything to say before runs begin."""
    found = [each for scenario in scenarios for each in without_effect(scenario, last)]
    return [*found, *few_families(district, population_share)]
