"""Designs, verdicts and assumption heat as pure functions: what must hold whatever the model."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from SALib.analyze import shapley

from konvergensi.analyses.sensitivity_tables import convergence, heat, indices
from konvergensi.base.errors import InputError
from konvergensi.methods.factors import DUMMY
from konvergensi.methods.sensitivity_designs import METHODS, PICK_FREEZE, Design, design, positions
from konvergensi.methods.sensitivity_designs import given as given_rows
from konvergensi.methods.sensitivity_estimates import DECIDES, _contributions, estimates

FEW = {"sobol": 64, "morris": 16, "shapley": 64, "pawn": 128, "delta": 128, "rbd_fast": 128, "rsa": 128}
NAMES = ("a", "b", "c")
WEIGHTS = (3.0, 1.0, 0.0)


def linear(found: Design, weights: tuple[float, ...] = WEIGHTS) -> np.ndarray:
    """A sum of weighted coordinates, one seed: (rows, 1)."""
    return (found.points[:, : len(weights)] @ np.array(weights))[:, None]


def shuffled(found: Design, seeds: int, keys: list[int], sd: float = 1.0) -> np.ndarray:
    """Chance that is drawn anew whenever one of these coordinates changes, (rows, seeds)."""
    of_row = found.points[:, keys].round(9).tolist()
    drawn = {tuple(row): None for row in of_row}
    rng = np.random.default_rng(1)
    noise = {row: rng.normal(0.0, sd, seeds) for row in drawn}
    return np.array([noise[tuple(row)] for row in of_row])


def deciding(found: Design, replicates: np.ndarray) -> pd.DataFrame:
    table = indices(found, replicates, "y")
    table = table[table["index"] == DECIDES[found.method]]
    return table.assign(unit=table["factor"].where(table["factor"] != "", table["group"])).set_index("unit")


# ---- designs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_design_stays_in_the_cube_and_has_the_rows_it_says(method: str) -> None:
    found = design(method, NAMES, ("", "g", "g"), 20, 1)
    units = 3 if method in PICK_FREEZE else 4  # with the dummy
    rows = {"sobol": 32 * (units + 2), "morris": 20 * (units + 1), "shapley": 20 * (units + 1)}
    assert found.points.shape == (rows.get(method, 20), 4)
    assert found.points.min() >= 0.0 and found.points.max() <= 1.0
    assert found.units[-1] == found.factors[-1] == DUMMY
    assert found.blocks == (32 if method == "sobol" else 20)  # Sobol's is a power of two
    np.testing.assert_array_equal(found.points, design(method, NAMES, ("", "g", "g"), 20, 1).points)
    assert (found.points[:20] != design(method, NAMES, ("", "g", "g"), 20, 2).points[:20]).any()


@pytest.mark.parametrize("method", PICK_FREEZE)
def test_units_of_a_group_move_together_and_one_unit_at_a_time(method: str) -> None:
    found = design(method, NAMES, ("", "g", "g"), 8, 1)
    blocks = found.points.reshape(found.blocks, found.block, 4)
    for block in blocks:
        steps = block[1:-1] != block[0] if method == "sobol" else np.diff(block, axis=0) != 0.0
        assert (steps[:, 1] == steps[:, 2]).all()
        moved = np.column_stack([steps[:, 0], steps[:, 1], steps[:, 3]])
        assert (moved.sum(axis=1) == 1).all() and (moved.sum(axis=0) == 1).all()


def test_the_same_values_say_nothing_of_where_they_stand() -> None:
    levels = np.repeat([0, 1], 500)
    placed = positions([levels, np.arange(1000.0)])
    assert (placed[:500, 0] < 0.5).all() and (placed[500:, 0] > 0.5).all()
    assert abs(np.corrcoef(placed[:500, 0], np.arange(500))[0, 1]) < 0.15
    np.testing.assert_allclose(placed[:, 1], (np.arange(1000) + 0.5) / 1000)


# ---- what must not matter --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=3)
@given(shift=st.floats(-1e3, 1e3), scale=st.floats(1e-3, 1e3))
def test_adding_a_constant_or_changing_the_unit_changes_no_verdict(method: str, shift: float, scale: float) -> None:
    found = design(method, NAMES, ("", "", ""), min(FEW[method], 64), 1)
    y = linear(found) + 0.3 * shuffled(found, 1, [0, 1, 2])
    one, other = deciding(found, y), deciding(found, shift + scale * y)
    unit = scale if method == "morris" else 1.0  # its index has the unit of the output
    np.testing.assert_allclose(other["value"], unit * one["value"], rtol=1e-6, atol=1e-9 * max(unit, 1.0))
    assert other.loc["a", "detected"] == one.loc["a", "detected"]


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=2)
@given(order=st.permutations(range(3)))
def test_the_order_of_factors_orders_their_indices(method: str, order: list[int]) -> None:
    found = design(method, NAMES, ("", "", ""), min(FEW[method], 64), 1)
    y = linear(found) + 0.3 * shuffled(found, 1, [0, 1, 2])
    places = [*order, 3]
    if method == "sobol":  # rows of a block stand in the order of the units
        rows = np.arange(len(y)).reshape(found.blocks, found.block)
        moved = np.column_stack([rows[:, 0], rows[:, 1:-1][:, places], rows[:, -1]]).ravel()
    else:
        moved = np.arange(len(y))
    names = (*(NAMES[i] for i in order), DUMMY)
    other = Design(method, names, names, found.points[moved][:, places], found.block)
    one, two = deciding(found, y), deciding(other, y[moved])
    np.testing.assert_allclose(two["value"].loc[one.index], one["value"], rtol=1e-9, atol=1e-12)


# ---- noise floor and verdict -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_what_moves_is_detected_and_what_does_nothing_is_not(method: str) -> None:
    found = design(method, NAMES, ("", "", ""), 4 * FEW[method], 1)
    table = deciding(found, linear(found))
    assert list(table.index[:3]) == ["a", "b", "c"]
    assert table["detected"]["a"] and not table["detected"]["c"]
    assert pd.isna(table["detected"][DUMMY])


@pytest.mark.parametrize("method", ["sobol", "morris", "shapley"])
def test_what_only_shuffles_noise_is_not_detected_and_what_is_smaller_but_real_is(method: str) -> None:
    """Common seeds: `b` moves less than the noise that `c` shuffles, and is told from it all the same."""
    found = design(method, NAMES, ("", "", ""), 16 * FEW[method], 1)
    y = linear(found, (1.0, 0.3, 0.0)) + shuffled(found, 4, [2], 0.3)
    table = deciding(found, y)
    assert table["detected"]["a"] and not table["detected"]["c"]
    assert table["floor"]["c"] > 0.001 and table["floor"]["b"] < 1e-9  # b shuffles nothing
    assert table["detected"]["b"]
    alone = deciding(found, y[:, :1])
    assert alone["detected"]["c"]  # with one seed noise cannot be told from effect


def test_noise_of_few_blocks_is_held_against_that_of_the_others() -> None:
    found = design("morris", NAMES, ("", "", ""), 4, 1)
    y = linear(found) + shuffled(found, 2, [0, 1, 2], 0.5)
    floors = deciding(found, y)["floor"].drop(DUMMY)
    assert (floors >= floors.median() - 1e-12).all() and floors.median() > 0.1


def test_two_hundred_inert_factors_raise_no_alarm() -> None:
    names = [f"x{i}" for i in range(200)]
    found = design("rbd_fast", names, [""] * 200, 256, 1)
    rng = np.random.default_rng(2)
    y = 2.0 * found.points[:, :1] + rng.normal(0.0, 0.5, (256, 1))
    table = deciding(found, y)
    assert table["detected"]["x0"] and table["detected"].sum() == 1


def test_noise_is_what_a_mean_over_seeds_keeps_of_it() -> None:
    """Pure noise: the total index of each unit is all noise, and the mean noise is its expectation."""
    found = design("sobol", NAMES, ("", "", ""), 512, 1)
    y = np.random.default_rng(3).normal(size=(len(found.points), 8))
    total = next(each for each in estimates(found, y) if each.index == "total")
    np.testing.assert_allclose(total.value, 1.0, atol=0.2)
    assert ((total.value - total.half) < total.noise).all()
    np.testing.assert_allclose(total.noise, 1.0, atol=0.25)


def test_contributions_are_the_shapley_effects_of_salib(monkeypatch: pytest.MonkeyPatch) -> None:
    found = design("shapley", NAMES, ("", "", ""), 200, 1)
    y = linear(found)[:, 0] ** 2
    seen: dict[str, Any] = {}
    real = shapley.analyze

    def watched(*args: Any, **more: Any) -> Any:
        seen["raw"] = real(*args, **more)
        return seen["raw"]

    monkeypatch.setattr(shapley, "analyze", watched)
    estimates(found, y[:, None])
    np.testing.assert_allclose(_contributions(found, y).mean(axis=0), seen["raw"]["shapley"], rtol=1e-9, atol=1e-12)
    assert seen["raw"]["shapley"].sum() == pytest.approx(y.var(), rel=0.25)


def test_delta_leaves_warnings_and_chance_as_they_were() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - SALib's own sampling would use it
    found = design("delta", NAMES, ("", "", ""), 64, 1)
    one, other = (deciding(found, linear(found))["value"] for _ in range(2))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    np.testing.assert_array_equal(one, other)


# ---- given rows, levels, convergence, heat ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["pawn", "delta", "rbd_fast", "rsa"])
def test_levels_of_a_choice_are_seen_in_given_rows(method: str) -> None:
    rng = np.random.default_rng(4)
    level, inert = rng.integers(0, 2, 400), rng.random(400)
    found = given_rows(method, ["level", "inert"], [level, inert], 1)
    y = level + 0.2 * rng.random(400)
    table = deciding(found, y[:, None])
    assert table["detected"]["level"] and not table["detected"]["inert"]


def test_a_level_has_its_share_of_variance_in_given_rows() -> None:
    """A fair coin, variance 1/4, beside a uniform, 1/12: three quarters, of which six harmonics see 93 %."""
    rng = np.random.default_rng(5)
    level, other = rng.integers(0, 2, 2000), rng.random(2000)
    found = given_rows("rbd_fast", ["level", "other"], [level, other], 1)
    table = deciding(found, (level + other)[:, None])
    jump = 8 / np.pi**2 * (1 + 1 / 9 + 1 / 25)
    assert table.loc["level", "value"] == pytest.approx(0.75 * jump, abs=0.03)


def test_an_output_of_few_values_is_no_hurdle_for_regional_sensitivity() -> None:
    """Quantiles of two values would leave all bins but one empty."""
    false = 0
    for seed in range(1, 13):
        found = design("rsa", NAMES, ("", "", ""), 64, seed)
        table = deciding(found, (found.points[:, :1] > 0.5).astype(float))
        assert table["value"].notna().all() and table["detected"]["a"]
        false += table["detected"][["b", "c"]].sum()
    assert false <= 2  # of 24


def test_trajectories_that_end_where_they_began_give_no_index() -> None:
    found = design("shapley", NAMES, ("", "", ""), 2, 1)
    y = np.tile(np.r_[0.0, np.ones(found.block - 2), 0.0], 2)[:, None]
    with pytest.raises(InputError, match=r"^y: no index can be computed from 2 points"):
        indices(found, y, "y")
    assert convergence(found, y, "y").empty


def test_convergence_begins_where_numbers_begin() -> None:
    found = design("rbd_fast", NAMES, ("", "", ""), 128, 1)
    assert sorted(convergence(found, linear(found), "y")["n"].unique()) == [32, 64, 128]
    few = design("morris", NAMES, ("", "", ""), 3, 1)
    assert sorted(convergence(few, linear(few), "y")["n"].unique()) == [3]


def test_heat_is_the_share_of_what_is_assumed() -> None:
    """Variances 9 : 1 : 0, all additive: what each part moves by itself is all there is."""
    found = design("sobol", NAMES, ("", "", ""), 1024, 1)
    grades = {"a": "published", "b": "assumption", "c": "assumption"}
    table = heat(found, linear(found), "y", grades).set_index(["part", "bound"])
    for part, share in (("assumption", 0.1), ("better", 0.9)):
        row = table.loc[(part, "alone")]
        assert row["low"] <= share <= row["high"] and row["value"] == pytest.approx(share, abs=0.03)
        assert table.loc[(part, "at_most"), "value"] >= share - 0.03
    assert table.loc[("assumption", "alone"), "units"] == 2


def test_heat_of_shapley_sums_to_one_and_names_groups_that_hold_both() -> None:
    found = design("shapley", NAMES, ("", "g", "g"), 512, 1)
    table = heat(found, linear(found), "y", {"a": "assumption", "b": "assumption", "c": "model"}).set_index("part")
    assert table["value"].sum() == pytest.approx(1.0)
    assert table.loc["assumption", "value"] == pytest.approx(0.9, abs=0.05)
    assert "mixed" in table.index


def test_heat_says_how_much_is_chance() -> None:
    found = design("sobol", NAMES, ("", "", ""), 256, 1)
    y = linear(found) + np.random.default_rng(6).normal(0.0, 1.0, (len(found.points), 4))
    table = heat(found, y, "y", {"a": "assumption"}).set_index("part")
    signal = (9 + 1) / 12
    assert table.loc["chance", "value"] == pytest.approx(0.25 / (signal + 0.25), abs=0.03)


def test_methods_without_shares_have_no_heat() -> None:
    found = design("morris", NAMES, ("", "", ""), 8, 1)
    assert heat(found, linear(found), "y", {"a": "assumption"}).empty
