"""Directions that must hold whatever the numbers: money, and whom it serves first, under the rule of contacts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from conftest import STILL

from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.mechanisms import reach, turns
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.children import LAST_AGE

NEW = STILL | {
    "contacts.reach": "contacts",
    "effects.reading": "published",
    "effects.dose_response": "plateau",
    "growth.combination": "additive",
    "delivery.package_dose": "adequate",
    "shocks.on": False,
}
BEYOND_CHANCE = 0.002  # z: spread of the mean over seeds when only the order of serving is drawn anew


def after_two_years(money: float = 1.0, set_: Mapping[str, Any] = {}, seed: int = 1) -> ConvergenceModel:
    """Lebak two years after every line of every agency was multiplied, at unchanged staff and lists."""
    values = NEW | dict(set_)
    model = ConvergenceModel(None, "lebak", rng=seed, population_share=0.04, end="2019-12", set=values)
    policy = load_scenario("baseline")
    model.begin(policy, resolve(policy, model.place, values, model.first_month, model.last_month))
    book = model.world.programmes
    for column in (book.line, book.planned, book.budgeted, book.next_line, book.next_planned):
        column *= money
    while model.running:
        model.step()
    return model


def mean_z(model: ConvergenceModel) -> float:
    """Mean true z of under-fives in the last month."""
    world = model.world
    return float(world.children.z[world.children.window(world.month - 1, 0, LAST_AGE)].mean(dtype=float))


def package(model: ConvergenceModel) -> float:
    """Mean share of 1,000-day households with the complete package."""
    table = model.recorder.tables("indicators")["indicators"]
    return float(table.loc[table["indicator"] == "complete_package_share", "value"].mean())


@pytest.mark.slow
def test_more_money_to_all_lines_at_unchanged_staff_never_lowers_mean_z_or_the_package() -> None:
    models = [after_two_years(money) for money in (0.5, 1.0, 2.0, 4.0)]
    assert (np.diff([mean_z(each) for each in models]) > 0).all()
    assert (np.diff([package(each) for each in models]) >= 0).all()


def worst_first(
    world: Any, programme_row: int, order: np.ndarray, of: Any, rows: slice, at: np.ndarray, first: Any
) -> Any:
    """Serve those with the larger deficit first, before all lists, wherever a programme serves children."""
    if not hasattr(of, "lasting"):
        return AS_IT_IS(world, programme_row, order, of, rows, at, first)
    z = (of.lasting[rows] + of.deviation[rows])[at]
    place = np.empty(len(z), np.int64)
    place[np.argsort(z, kind="stable")] = np.arange(len(z))
    return (place * 65535 // max(len(z), 1)).astype(np.uint16), reach.First()


AS_IT_IS = reach.in_order


def gain_of_serving_the_worst_first(monkeypatch: pytest.MonkeyPatch, effects: str) -> float:
    """Change of mean z, at equal money and reach, mean of two seeds."""
    change = []
    for seed in (1, 2):
        as_it_is = mean_z(after_two_years(set_={"effects.heterogeneity": effects}, seed=seed))
        with monkeypatch.context() as patched:
            patched.setattr(turns, "ON", False)  # programmes one by one, each asking for its order
            patched.setattr(reach, "in_order", worst_first)
            change.append(mean_z(after_two_years(set_={"effects.heterogeneity": effects}, seed=seed)) - as_it_is)
    return float(np.mean(change))


@pytest.mark.slow
def test_where_effects_are_equal_serving_the_larger_deficit_first_moves_mean_z_by_nothing_beyond_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert abs(gain_of_serving_the_worst_first(monkeypatch, "none")) < BEYOND_CHANCE


@pytest.mark.slow
def test_where_effects_are_larger_in_the_larger_deficit_serving_it_first_is_worth_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    equal, larger = (gain_of_serving_the_worst_first(monkeypatch, effects) for effects in ("none", "deficit"))
    assert larger > equal + 0.0005
