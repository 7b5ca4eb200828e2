"""Branching equals the straight run, bit for bit, wherever scenarios part; and each branch saves what is its own."""

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import finished, live

from konvergensi.base.errors import InputError
from konvergensi.model.branch import branches
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.children import Children

SHORT: dict[str, Any] = {"end": "2019-03", "set": {"goals.adoption_speed": 0.2}}
SHARE = 0.004
# strong, and in every room of the model
CHANGED = (
    '{ "registers.linkage" = true, "registers.sharing_share" = 0.9, "goals.leadership" = 0.9, "budget.inertia" = 0.1 }'
)


def policy(folder: Path, name: str, changes: str) -> str:
    file = folder / f"{name}.toml"
    words = '{ en = "A", id = "B" }'
    file.write_text(f'extends = "baseline"\ntitle = {words}\nquestion = {words}\nchange = [{changes}]\n')
    return str(file)


def from_month(folder: Path, month: str) -> str:
    return policy(folder, f"from-{month}", f'{{ from = "{month}", set = {CHANGED} }}')


def straight(scenario: str, **options: Any) -> ConvergenceModel:
    return live(scenario, share=SHARE, **SHORT | options)


def alike(branch: ConvergenceModel, alone: ConvergenceModel) -> None:
    one, other = finished(branch), finished(alone)
    for name, table in other.tables().items():
        pd.testing.assert_frame_equal(one.tables()[name], table, check_exact=True, obj=name)
    mine, yours = ({**run.manifest, "wall_time_s": 0} for run in (one, other))
    assert mine == yours
    for name in Children.__slots__:
        ours, theirs = getattr(branch.world.children, name), getattr(alone.world.children, name)
        if isinstance(theirs, np.ndarray):
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
    pd.testing.assert_frame_equal(
        branch.datacollector.get_model_vars_dataframe(), alone.datacollector.get_model_vars_dataframe()
    )


@pytest.fixture(scope="module")
def baseline() -> ConvergenceModel:
    return straight("baseline")


@pytest.mark.parametrize("month", ["2018-01", "2018-02", "2018-08", "2018-12", "2019-01", "2019-03", "2020-01"])
def test_a_branch_equals_the_straight_run(month: str, tmp_path: Path, baseline: ConvergenceModel) -> None:
    """At the first month, in the middle, at the turn of the year, at the last month, and after it: never."""
    changed = from_month(tmp_path, month)
    found = dict(branches(["baseline", changed], population_share=SHARE, **SHORT))
    alike(found["baseline"], baseline)
    alone = straight(changed)
    alike(found[changed], alone)
    assert found[changed].policy.id == f"from-{month}" and any("registers.linkage" in line for line in alone.change_log)
    goals = [[opd.goal_adoption for opd in model.opds] for model in (alone, baseline)]
    assert (goals[0] != goals[1]) is (month < "2020")  # the change is felt, so that the test can fail


def test_branches_of_branches_in_any_order(tmp_path: Path, baseline: ConvergenceModel) -> None:
    early, late = from_month(tmp_path, "2018-03"), from_month(tmp_path, "2018-09")
    ramp = policy(tmp_path, "ramp", '{ from = "2018-06", until = "2018-10", set = { "goals.leadership" = 0.9 } }')
    alone = {name: straight(name) for name in (early, late, ramp)} | {"baseline": baseline}
    for order in ([late, "baseline", ramp, early], [early, ramp, late, "baseline"]):
        found = dict(branches(order, population_share=SHARE, **SHORT))
        assert set(found) == set(order)
        for name in order:
            alike(found[name], alone[name])


def test_scenarios_that_never_differ_are_simulated_once(
    tmp_path: Path, baseline: ConvergenceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = []
    month = ConvergenceModel.live_month
    monkeypatch.setattr(ConvergenceModel, "live_month", lambda self: (simulated.append(self.world.month), month(self)))
    idle = policy(tmp_path, "idle", "")
    found = dict(branches(["baseline", idle], population_share=SHARE, **SHORT))
    assert len(simulated) == len(set(simulated))
    assert found[idle] is not found["baseline"] and found[idle].policy.id == "idle"
    monkeypatch.undo()
    alike(found["baseline"], baseline)
    alike(found[idle], straight(idle))


def test_the_common_past_is_simulated_once_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated: list[int] = []
    month = ConvergenceModel.live_month
    monkeypatch.setattr(ConvergenceModel, "live_month", lambda self: (simulated.append(self.world.month), month(self)))
    list(branches(["baseline", from_month(tmp_path, "2018-10")], population_share=SHARE, **SHORT))
    assert {each for each in simulated if simulated.count(each) > 1} == set(range(2018 * 12 + 9, 2019 * 12 + 3))


def test_a_value_set_to_what_it_was_is_still_an_own_branch(tmp_path: Path, baseline: ConvergenceModel) -> None:
    inert = policy(tmp_path, "inert", '{ from = "2018-05", set = { "goals.leadership" = 0.4 } }')
    found = dict(branches(["baseline", inert], population_share=SHARE, **SHORT))
    alike(found[inert], straight(inert))
    assert found[inert].policy.id == "inert"
    np.testing.assert_array_equal(found[inert].world.children.z, baseline.world.children.z)


def test_agents_of_a_branch_are_its_own(tmp_path: Path) -> None:
    changed = from_month(tmp_path, "2018-06")
    models = [model for _, model in branches(["baseline", changed], population_share=SHARE, **SHORT)]
    for model in models:
        assert all(agent.model is model for agent in model.agents)
        assert {*model.opds, *model.kecamatan, *model.villages} == set(model.agents) and model.world.opds is model.opds
    assert not set(models[0].agents) & set(models[1].agents)


def test_what_has_been_read_is_forgotten(tmp_path: Path) -> None:
    """Else a batch would fill the memory with the districts it has simulated."""
    seen = [weakref.ref(model) for _, model in branches(["baseline", from_month(tmp_path, "2018-03")], end="2018-04",
                                                        population_share=SHARE)]  # fmt: skip
    gc.collect()
    assert [model() for model in seen] == [None, None]


def test_followed_children_are_the_same_in_every_branch(tmp_path: Path) -> None:
    changed = from_month(tmp_path, "2018-06")
    found = dict(branches(["baseline", changed], population_share=SHARE, trace_children=5, **SHORT))
    alike(found[changed], straight(changed, trace_children=5))


def test_every_wrong_scenario_is_named_before_anything_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConvergenceModel, "live_month", lambda _: pytest.fail("simulated"))
    with pytest.raises(InputError) as found:
        branches(["baseline", "one-lst", "early-planing"], population_share=SHARE)
    assert "one-lst" in str(found.value) and "early-planing" in str(found.value)
