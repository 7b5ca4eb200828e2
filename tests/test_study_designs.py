"""Designs and factors: where points lie, what they are worth, and that more of them begin with fewer."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from SALib.analyze import sobol as sobol_indices
from SALib.sample import sobol as salib_sobol
from scipy import stats

from konvergensi.base.errors import InputError
from konvergensi.inputs.parameters import load_parameters
from konvergensi.methods.designs import Design, codes, draws_of, extended, groups_of, points, points_for, unit_points
from konvergensi.methods.factors import Factor
from konvergensi.methods.functions import FUNCTIONS, analytic
from konvergensi.studies.study import Study, checked, with_points

NAMES = ("x1", "x2", "x3")
EVEN = (np.arange(4000) + 0.5) / 4000  # the unit interval, evenly


def ishigami(*factors: Factor, **design: object) -> Study:
    return Study(model="ishigami", districts=("nowhere",), factors=factors, design=Design(**design))  # type: ignore[arg-type]


def settled(factor: Factor) -> Factor:
    return checked(ishigami(factor, method="sobol", draws=1)).factors[0]


# ---- from the unit interval to values --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (Factor("x1", low=-1.0, high=3.0), stats.uniform(-1, 4)),
        (Factor("x1", "normal", mean=0.0, sd=0.5), stats.norm(0, 0.5)),
        (Factor("x1", "normal", low=0.0, high=1.0, mean=0.5, sd=1.0), stats.truncnorm(-0.5, 0.5, 0.5, 1.0)),
        (Factor("x1", "triangular", low=-2.0, mode=1.0, high=2.0), stats.triang(0.75, -2, 4)),
        (Factor("x1", "triangular", low=0.0, mode=0.0, high=2.0), stats.triang(0.0, 0, 2)),
        (Factor("x1", "lognormal", low=0.0, median=0.5, gsd=1.3), stats.lognorm(np.log(1.3), scale=0.5)),
    ],
)
def test_values_follow_their_distribution(factor: Factor, expected: object) -> None:
    values = settled(factor).codes(EVEN)
    assert stats.kstest(values, expected.cdf).statistic < 0.001  # type: ignore[attr-defined]
    assert (np.diff(values) > 0).all()  # a larger coordinate, a larger value: the sampler's order is kept


@given(st.floats(-3, 3), st.floats(0.01, 50), st.floats(-3.1, 3), st.floats(0.01, 3))
def test_no_value_leaves_the_range(mean: float, sd: float, low: float, width: float) -> None:
    factor = Factor("x1", "normal", low=low, high=min(low + width, 3.14), mean=mean, sd=sd)
    try:
        factor = settled(factor)
    except InputError as error:
        assert "less than a thousandth of this distribution" in str(error)
        return
    values = factor.codes(np.array([0.0, 1e-12, 0.5, 1.0]))
    assert factor.low <= values.min() <= values.max() <= factor.high  # type: ignore[operator]


def test_levels_are_equally_likely_and_whole_numbers_are_whole() -> None:
    levels = settled(Factor("x1", "choice", values=(0.0, 2.0, 1.0)))
    assert np.bincount(levels.codes(EVEN).astype(int)).tolist() == [1333, 1334, 1333]
    assert [levels.value(code) for code in levels.codes(np.array([0.0, 0.5, 1.0]))] == [0.0, 2.0, 1.0]
    keys = ("socialization.meetings_per_year", "goals.on", "growth.combination")
    study = checked(Study(factors=tuple(map(Factor, keys)), design=Design("sobol", 64)))
    table = points(study)
    assert table["socialization.meetings_per_year"].dtype == np.int64 and table["goals.on"].dtype == bool
    assert set(table["socialization.meetings_per_year"]) == set(range(13)) and table["goals.on"].mean() == 0.5
    assert set(table["growth.combination"]) == set(load_parameters()["growth.combination"].choices)


# ---- designs ---------------------------------------------------------------------------------------------------------


def test_a_factorial_holds_every_combination_once() -> None:
    factors = (Factor("x1", levels=3), Factor("x2", "choice", values=(0.5, 1.5)), Factor("x3", low=0.0, high=1.0))
    study = checked(ishigami(*factors, method="factorial"))
    table = points(study)
    assert draws_of(study) == len(table) == 12 and not table.duplicated().any()
    assert [sorted(set(table[key])) for key in NAMES] == [[-np.pi, 0.0, np.pi], [0.5, 1.5], [0.0, 1.0]]
    assert table["x3"].tolist()[:4] == [0.0, 1.0, 0.0, 1.0] and table.index.tolist() == list(range(1, 13))


@pytest.mark.parametrize("method", ["lhs", "sobol", "saltelli", "morris"])
def test_a_longer_design_begins_with_the_shorter(method: str) -> None:
    groups = ["a", "b", "a", "c"]
    short = Design(method, 5, seed=3)
    longer = extended(extended(short, 8), 21)
    few, many = unit_points(short, groups), unit_points(longer, groups)
    assert np.array_equal(many[: len(few)], few) and len(many) == 21 * len(few) // 5
    assert not np.array_equal(unit_points(replace(short, seed=4), groups), few)
    assert few.min() >= 0 and few.max() <= 1


def test_each_hypercube_has_one_point_in_each_stratum() -> None:
    every = unit_points(Design("lhs", 30, blocks=(10, 20)), ["a", "b"])
    for block in (every[:10], every[10:]):
        strata = np.sort(np.floor(block * len(block)).astype(int), axis=0)
        assert (strata == np.arange(len(block))[:, None]).all()


def test_sobol_points_fill_space_better_than_chance() -> None:
    from scipy.stats import qmc

    filled = unit_points(Design("sobol", 256), list("abcd"))
    assert qmc.discrepancy(filled) < 0.3 * qmc.discrepancy(np.random.default_rng(1).random((256, 4)))


@pytest.mark.parametrize("second_order", [False, True])
@pytest.mark.parametrize("groups", [list("abc"), list("aba")])
def test_saltelli_points_are_salibs(second_order: bool, groups: list[str]) -> None:
    problem = {"num_vars": 3, "names": list(NAMES), "bounds": [[0, 1]] * 3, "groups": groups}
    rng = np.random.default_rng(1)
    theirs = salib_sobol.sample(problem, 16, calc_second_order=second_order, seed=rng)
    assert np.array_equal(unit_points(Design("saltelli", 16, seed=1, second_order=second_order), groups), theirs)


@pytest.mark.parametrize("name", ["ishigami", "sobol_g"])
def test_the_test_functions_have_the_indices_they_are_said_to_have(name: str) -> None:
    function, count, low, high = FUNCTIONS[name]
    keys = [f"x{i + 1}" for i in range(count)]
    study = Study(model=name, districts=("nowhere",), factors=tuple(map(Factor, keys)))
    table = points_for(checked(replace(study, design=Design("sobol", 1))), Design("saltelli", 4096))
    y = np.array([function(list(row)) for row in table.to_numpy()])
    problem = {"num_vars": count, "names": keys, "bounds": [[low, high]] * count}
    found = sobol_indices.analyze(problem, y, calc_second_order=False, seed=1)
    for i, (first, total) in enumerate(analytic(name).values()):
        assert found["S1"][i] == pytest.approx(first, abs=0.02) and found["ST"][i] == pytest.approx(total, abs=0.02)


@pytest.mark.parametrize("groups", [list("abc"), list("aba")])
def test_a_morris_trajectory_moves_one_group_at_a_time(groups: list[str]) -> None:
    moved = len(set(groups))
    paths = unit_points(Design("morris", 6), groups).reshape(6, moved + 1, 3)
    assert np.isin(np.round(paths * 3), range(4)).all()  # four levels
    for path in paths:
        steps = np.abs(np.diff(path, axis=0)) > 0
        assert sorted("".join(sorted({groups[j] for j in np.flatnonzero(step)})) for step in steps) == sorted(
            set(groups)
        )
        np.testing.assert_allclose(np.abs(np.diff(path, axis=0))[steps], 2 / 3)


# ---- given points ----------------------------------------------------------------------------------------------------


def test_given_points_are_taken_as_they_are() -> None:
    table = pd.DataFrame({"goals.on": [True, False], "growth.combination": ["additive", "threshold"],
                          "socialization.meetings_per_year": [2, 12], "budget.inertia": [0.25, 0.5]})  # fmt: skip
    study = checked(with_points(Study(), table))
    pd.testing.assert_frame_equal(points(study).reset_index(drop=True), table, check_dtype=False, check_exact=True)
    assert codes(study).dtype == np.float64 and draws_of(study) == 2


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ({"budget.inertai": [0.1]}, "points: budget.inertai: unknown key; did you mean budget.inertia"),
        ({"budget.inertia": [0.1, 7.0]}, r"points: budget.inertia: line 2: 7 looks like a percent"),
        ({"budget.inertia": [float("nan")]}, r"points: budget.inertia: line 1: nan is outside \[0, 1\]"),
        ({"socialization.meetings_per_year": [2.5]}, r"line 1: 2.5 is not a whole number"),
        ({"growth.combination": ["additiv"]}, r"line 1: 'additiv' is not one of: .*did you mean additive"),
        ({"goals.on": ["yes"]}, r"line 1: 'yes' is not true or false"),
        ({"dummy": ["yes"]}, r"line 1: 'yes' is not a number"),
        ({"budget.inertia": []}, r"points: the table has no rows"),
    ],
)
def test_given_points_that_cannot_be_are_refused(column: dict[str, list[object]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        with_points(Study(), pd.DataFrame(column))


def test_groups_are_named_by_their_factors_where_they_have_none() -> None:
    assert groups_of((Factor("x1", group="a"), Factor("x2"), Factor("x3", group="a"))) == ["a", "x2", "a"]
