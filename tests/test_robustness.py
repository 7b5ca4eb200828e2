"""Robustness: every rule against a table worked by hand, regret's laws, and how sure a rank is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from konvergensi.analyses.robustness import direction_of, measure_of
from konvergensi.base.errors import InputError
from konvergensi.methods.regret import RULES, better, measures, regrets, table

# prevalence under three policies in three draws; the best of each draw is 10, 15, 25
PERCENT = np.array([[10.0, 12.0, 11.0], [20.0, 15.0, 18.0], [30.0, 31.0, 25.0]])
POLICIES = pd.DataFrame(PERCENT, index=[1, 2, 3], columns=["a", "b", "c"])
numbers = st.floats(-1e6, 1e6, allow_nan=False, width=32)
tables = arrays(float, st.tuples(st.integers(2, 6), st.integers(2, 4)), elements=numbers)


# ---- by hand -------------------------------------------------------------------------------------------------------


def test_regret_by_hand() -> None:
    assert regrets(PERCENT, -1).tolist() == [[0, 2, 1], [5, 0, 3], [5, 6, 0]]
    assert regrets(PERCENT, 1).tolist() == [[2, 0, 1], [0, 5, 2], [1, 0, 6]]  # were it children protected


def test_every_rule_by_hand() -> None:
    """Less is better; percentiles are linear between the draws; the standard deviation is that of a sample."""
    found = measures(PERCENT, -1, threshold=15.0)
    assert found["expected"] == pytest.approx([20.0, 58 / 3, 18.0])
    assert found["worst"] == pytest.approx([30.0, 31.0, 25.0])
    assert found["percentile"] == pytest.approx([28.0, 27.8, 23.6])
    assert found["regret"] == pytest.approx([5.0, 6.0, 3.0])
    assert found["mean_sd"] == pytest.approx([30.0, 58 / 3 + 10.2144, 25.0], abs=1e-3)
    assert found["satisficing"] == pytest.approx([1 / 3, 2 / 3, 1 / 3])
    assert tuple(found) == RULES


def test_where_more_is_better_the_same_table_upside_down_gives_the_same_picture() -> None:
    down, up = measures(PERCENT, -1, 15.0), measures(-PERCENT, 1, -15.0)
    for rule in RULES:
        sign = 1 if rule in ("regret", "satisficing") else -1
        assert up[rule] == pytest.approx(sign * down[rule])
    assert measures(PERCENT, 1)["worst"].tolist() == [10.0, 12.0, 11.0]
    assert measures(PERCENT, 1)["percentile"] == pytest.approx([12.0, 12.6, 12.4])


def test_without_a_threshold_nothing_is_said_of_meeting_it() -> None:
    assert "satisficing" not in measures(PERCENT, -1)


def test_ranks_follow_the_rule_and_equals_share_the_better_one() -> None:
    ranks = table(POLICIES, -1, 15.0).pivot(index="rule", columns="policy", values="rank")
    assert ranks.loc["expected"].tolist() == [3, 2, 1] and ranks.loc["regret"].tolist() == [2, 3, 1]
    assert ranks.loc["satisficing"].tolist() == [2, 1, 2]
    assert better("regret", 1) == -1 and better("satisficing", -1) == 1 and better("worst", 1) == 1


# ---- laws ----------------------------------------------------------------------------------------------------------


@given(tables, st.sampled_from([-1, 1]))
def test_regret_is_never_negative_and_someone_has_none_in_every_draw(values: np.ndarray, direction: int) -> None:
    found = regrets(values, direction)
    assert (found >= 0).all() and (found == 0).any(axis=1).all()


@given(tables, st.sampled_from([-1, 1]))
def test_what_is_as_good_as_the_best_in_every_draw_has_no_regret(values: np.ndarray, direction: int) -> None:
    ideal = (direction * values).max(axis=1, keepdims=True) * direction
    assert regrets(np.hstack([values, ideal]), direction)[:, -1].max() == 0


@given(
    arrays(float, (4, 3), elements=st.integers(-1000, 1000)), arrays(float, (4, 1), elements=st.integers(-1000, 1000))
)
def test_what_hits_all_policies_of_a_draw_alike_is_not_regretted(values: np.ndarray, hit: np.ndarray) -> None:
    assert (regrets(values + hit, -1) == regrets(values, -1)).all()


@given(arrays(float, (5, 3), elements=st.integers(0, 1000)), st.integers(-500, 500), st.sampled_from([1, 2, 10]))
def test_another_zero_or_unit_ranks_no_differently(values: np.ndarray, zero: int, unit: int) -> None:
    """A product of mean and standard deviation would; see docs/decisions/0020-scenario-discovery.md."""
    before, after = measures(values, -1), measures(unit * values + zero, -1)
    for rule in ("expected", "worst", "percentile", "mean_sd"):
        assert after[rule] == pytest.approx(unit * before[rule] + zero)
    assert after["regret"] == pytest.approx(unit * before["regret"])


@given(arrays(float, (6, 3), elements=st.integers(0, 100)), st.randoms(use_true_random=False))
def test_the_order_of_draws_changes_nothing(values: np.ndarray, random) -> None:
    rows = list(range(len(values)))
    random.shuffle(rows)
    for rule, found in measures(values[rows], -1, 50.0).items():
        assert found == pytest.approx(measures(values, -1, 50.0)[rule])


# ---- how sure ------------------------------------------------------------------------------------------------------


def test_a_policy_that_is_better_in_every_draw_is_best_in_every_resample() -> None:
    rng = np.random.default_rng(1)
    good = rng.normal(30, 3, 40)
    found = table(pd.DataFrame({"base": good + 0.5, "good": good}), -1).set_index(["rule", "policy"])
    for rule in ("expected", "worst", "percentile", "regret", "mean_sd"):
        assert found.loc[(rule, "good"), "rank"] == 1 and found.loc[(rule, "good"), "best_share"] == 1.0
    assert found.loc[("regret", "base"), ["value", "low", "high"]].tolist() == pytest.approx([0.5] * 3)


def test_two_that_differ_by_chance_alone_share_the_resamples() -> None:
    rng = np.random.default_rng(2)
    found = table(pd.DataFrame(rng.normal(30, 3, (60, 2)), columns=["a", "b"]), -1)
    shares = found[found["rule"] == "expected"]["best_share"]
    assert shares.sum() == pytest.approx(1.0) and shares.min() > 0.03


def test_the_interval_of_the_mean_is_about_the_t_interval() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(30, 3, 200)
    row = table(pd.DataFrame({"a": values, "b": values + 1}), -1).set_index(["rule", "policy"]).loc[("expected", "a")]
    half = 1.96 * values.std(ddof=1) / np.sqrt(200)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half, rel=0.1)
    assert row["low"] < row["value"] < row["high"]


def test_the_table_does_not_depend_on_the_order_of_draws() -> None:
    values = pd.DataFrame(np.random.default_rng(4).normal(size=(12, 2)), columns=["a", "b"])
    pd.testing.assert_frame_equal(table(values, -1), table(values.iloc[::-1], -1))


# ---- which way is better -------------------------------------------------------------------------------------------


def test_the_direction_is_that_of_the_measures_table() -> None:
    assert direction_of("prevalence") == direction_of("difference:prevalence_2024_12") == -1
    assert direction_of("protected_in_time") == direction_of("difference:complete_package_share") == 1
    assert measure_of("difference:prevalence_2024_12") == "prevalence"


@pytest.mark.parametrize("output", ["spent_rp", "prevalense", "cost_per_case_rp"])
def test_an_output_without_a_better_direction_is_refused_with_those_that_have_one(output: str) -> None:
    with pytest.raises(InputError, match=rf"output: '{output}': .*prevalence.*protected_in_time"):
        direction_of(output)
