"""Lists that travel by name and address: slow, partial, partly mistaken; linkage by NIK on top."""

from typing import Any

import numpy as np
import pytest
from conftest import live, simulated

from konvergensi.inputs.parameters import load_parameters
from konvergensi.mechanisms import lists, targeting
from konvergensi.model.convergence import ConvergenceModel

END: dict[str, Any] = {"end": "2019-12", "share": 0.02}
NONE, NAMES = {"lists.sharing_share": 0.0}, {"lists.sharing_share": 1.0}
LINKED = {"registers.linkage": True, "registers.sharing_share": 1.0}


def not_listed(model: ConvergenceModel) -> float:
    """Share of the children of families at risk who are on no list in use of the programmes for them."""
    world, shares = model.world, []
    world.month -= 1  # lists of the month last simulated
    for p, s in enumerate(world.programmes.service):
        service = world.services[s]
        if world.programmes.rigid[p] or service.need != "at-risk":
            continue
        rows = world.children.window(world.month, service.from_age, service.to_age)
        need = targeting.child_need(world, service, rows)
        if need is not None:
            shares.append(float(1.0 - targeting.child_list(world, p, service, rows)[1][need].mean()))
    world.month += 1
    return float(np.mean(shares))


@pytest.fixture(scope="module")
def handed() -> ConvergenceModel:
    return simulated(set=NAMES, **END)


def test_a_handed_list_is_partial_and_partly_mistaken(handed: ConvergenceModel) -> None:
    world = handed.world
    rows = world.children.window(world.month - 1, -9, 59)
    found, wrong = world.handed.on[rows], world.handed.false[rows]
    on = world.registers.on_krs[rows] | world.registers.on_eppgbm[rows]
    assert 0.2 < found[world.registers.on_krs[rows]].mean() < 0.8
    assert (found & ~on).mean() < 0.1  # who has left the register since
    assert 0.0 < wrong.mean() < 0.12
    assert not (found & wrong).any()
    assert (world.handed.cases[rows] <= found).all()


def test_matching_by_hand_takes_its_months() -> None:
    model = ConvergenceModel("baseline", "lebak", rng=1, population_share=0.005, end="2018-06", set=NAMES)
    used = []
    while model.running:
        model.step()
        used.append(model.world.handed.in_use)
    wait = model.world.settings["lists.matching_months"]
    assert used == [False] * wait + [True] * (6 - wait)


@pytest.mark.parametrize(("lever", "column"), [("lists.matched_share", "on"), ("lists.false_share", "false")])
def test_better_matching_finds_more_and_looser_matching_mistakes_more(lever: str, column: str) -> None:
    p = load_parameters()[lever]
    few, many = (live(set=NAMES | {lever: at}, end="2018-12", share=0.01).world.handed for at in (p.low, p.high))
    assert getattr(many, column).sum() > getattr(few, column).sum()


def test_names_and_addresses_list_more_of_those_in_need_than_own_lists_do(handed: ConvergenceModel) -> None:
    assert not_listed(handed) < not_listed(simulated(set=NONE, **END))


def test_linkage_by_nik_comes_on_top_and_the_handed_list_is_laid_aside(handed: ConvergenceModel) -> None:
    both, linked = simulated(set=NAMES | LINKED, **END), simulated(set=NONE | LINKED, **END)
    assert any(lists.uses(handed.world, p) for p in range(len(handed.world.programmes)))
    assert not any(lists.uses(both.world, p) for p in range(len(both.world.programmes)))
    assert both.world.registers.on_joined.sum() == linked.world.registers.on_joined.sum()
    assert not_listed(both) < not_listed(handed)


def test_programmes_under_ministry_rules_keep_their_own_list(handed: ConvergenceModel) -> None:
    world = handed.world
    assert not any(lists.uses(world, int(p)) for p in np.flatnonzero(world.programmes.rigid))
    assert lists.receives(world).all()


def test_where_nothing_is_handed_out_nothing_else_of_lists_changes_a_bit() -> None:
    levers = {key: p.high for key, p in load_parameters().items() if key.startswith("lists.") and key not in NONE}
    one, other = live(set=NONE, end="2019-03", share=0.005), live(set=NONE | levers, end="2019-03", share=0.005)
    np.testing.assert_array_equal(one.world.children.z, other.world.children.z)
    np.testing.assert_array_equal(one.world.programmes.spent, other.world.programmes.spent)


def test_in_lebak_lists_travel_by_name_and_are_not_linked() -> None:
    settings = live(end="2018-01", share=0.005).world.settings
    assert settings["lists.sharing_share"] > 0.0
    assert settings["registers.linkage"] is False
