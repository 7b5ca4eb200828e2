"""Branching: what scenarios have in common is simulated once, and each goes its own way from where it differs.

A branch is a copy of the whole model, so it equals the run of its scenario from the start, bit for bit. Memory: one
model for each scenario that still waits behind a branching.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from konvergensi.base.files import collect
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.options import check_options
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.scenarios import Resolved, Scenario, load_scenario, resolve
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.extensions import model_class


@dataclass(frozen=True)
class _Branch:
    name: str  # as it was asked for
    policy: Scenario
    resolved: Resolved

    def at_start(self) -> dict[str, Value]:
        return self.resolved.initial.as_dict()

    def in_month(self, month: int) -> dict[str, Value]:
        """Values that change in this month, also to what they were: so that nothing rests on that being the same."""
        return {change.key: change.value for change in self.resolved.changes if change.month == month}


def branches(
    scenarios: Sequence[str],
    district: str = "lebak",
    seed: int = 1,
    population_share: float = 1.0,
    start: str = "2018-01",
    end: str = "2024-12",
    set: Mapping[str, Any] | None = None,
    trace_children: int = 0,
) -> Iterator[tuple[str, ConvergenceModel]]:
    """Live each scenario to its end, in one district and with one seed; what they share is simulated once.

    Yields: each scenario as it was named and its model, those that branch off first at first. A model may be changed by
    whoever gets it.
    Parameters: as `konvergensi.run`. Raises InputError naming what is wrong with the input, before any month is run.
    """
    span = (seed, population_share, start, end)
    numbers = {"seed": seed, "population_share": population_share, "trace_children": trace_children}
    check_options(start=start, end=end, **numbers)
    policies = collect(partial(load_scenario, name) for name in scenarios)
    return branches_of(list(zip(scenarios, policies)), district, *span, set, trace_children)


def _nothing(_model: ConvergenceModel) -> None:
    """Look at nothing."""


def branches_of(
    policies: Sequence[tuple[str, Scenario]],
    district: str,
    seed: int,
    population_share: float,
    start: str,
    end: str,
    set: Mapping[str, Any] | None = None,
    trace_children: int = 0,
    watch: Callable[[ConvergenceModel], None] = _nothing,
) -> Iterator[tuple[str, ConvergenceModel]]:
    """As `branches`, with scenarios that are read already, by name.

    Parameters: watch, called after each month with each model there is then (one until the scenarios part).
    """
    span = (seed, population_share, start, end)
    numbers = {"seed": seed, "population_share": population_share, "trace_children": trace_children}
    first, last = check_options(start=start, end=end, **numbers)
    place = find_district(district)
    settled = collect(partial(resolve, policy, place, set, first, last) for _, policy in policies)
    members = [_Branch(name, policy, found) for (name, policy), found in zip(policies, settled)]
    past = model_class(ConvergenceModel)(None, district, *span, set)
    return _from_start(members, past, trace_children, watch)


def _from_start(
    members: list[_Branch], past: ConvergenceModel, trace_children: int, watch: Callable[[ConvergenceModel], None]
) -> Iterator[tuple[str, ConvergenceModel]]:
    for group, model in _apart(past, _alike(members, [each.at_start() for each in members])):
        model.begin(group[0].policy, group[0].resolved, trace_children)
        yield from _onward(group, model, watch)


def _onward(
    members: list[_Branch], model: ConvergenceModel, watch: Callable[[ConvergenceModel], None]
) -> Iterator[tuple[str, ConvergenceModel]]:
    """Live on together until the members part, then apart."""
    while model.running:
        groups = _alike(members, [each.in_month(model.world.month) for each in members])
        if len(groups) > 1:
            for group, branch in _apart(model, groups):
                branch.follow(group[0].policy, group[0].resolved)
                yield from _onward(group, branch, watch)
            return
        model.step()
        watch(model)
    for (member,), twin in _apart(model, [[member] for member in members]):
        twin.follow(member.policy, member.resolved)  # the name and the log are its own
        yield member.name, twin


def _alike(members: list[_Branch], values: list[dict[str, Value]]) -> list[list[_Branch]]:
    """Members with equal values together, in the order of their first."""
    groups: list[tuple[dict[str, Value], list[_Branch]]] = []
    for member, own in zip(members, values):
        for common, group in groups:
            if own == common:
                group.append(member)
                break
        else:
            groups.append((own, [member]))
    return [group for _, group in groups]


def _apart(model: ConvergenceModel, groups: list[list[_Branch]]) -> Iterator[tuple[list[_Branch], ConvergenceModel]]:
    """Each group with a copy of the model, the last with the model itself."""
    for group in groups[:-1]:
        yield group, copy.deepcopy(model)
    yield groups[-1], model
