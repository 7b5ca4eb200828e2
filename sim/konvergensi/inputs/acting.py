"""When a policy acts: the months in which some value differs from what it is under the first policy."""

from __future__ import annotations

from konvergensi.base.months import year_of
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.scenarios import Resolved


def acting_years(reference: Resolved, policy: Resolved, first: int, last: int) -> list[int]:
    """The calendar years, from the month `first` to `last`, in which the policy differs from the reference."""
    mine, theirs = policy.initial.as_dict(), reference.initial.as_dict()
    dated = {
        each.month: (_in(reference, each.month), _in(policy, each.month))
        for each in (*reference.changes, *policy.changes)
    }
    years: set[int] = set()
    for month in range(first, last + 1):
        of_reference, of_policy = dated.get(month, ({}, {}))
        theirs |= of_reference
        mine |= of_policy
        if year_of(month) not in years and mine != theirs:
            years.add(year_of(month))
    return sorted(years)


def _in(resolved: Resolved, month: int) -> dict[str, Value]:
    return {each.key: each.value for each in resolved.changes if each.month == month}
