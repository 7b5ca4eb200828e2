"""Statistics of paired runs: answers worked out by hand or known from how the numbers were made."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from konvergensi.methods.crossed import Spread, planned_half
from konvergensi.methods.statistics import (
    best_shares,
    best_with_interval,
    interval,
    interval_kind,
    is_decided,
    mean_interval,
    more_runs,
    ratio_interval,
    share_interval,
    variance_shares,
)


def drawn(draws: int, seeds: int, of_draws: float, of_seeds: float, of_rest: float, mean: float = 0.0) -> np.ndarray:
    """Values with these standard deviations of draws, of seeds, and of both together."""
    rng = np.random.default_rng(1)
    rest = of_rest * rng.standard_normal((draws, seeds))
    return mean + of_draws * rng.standard_normal((draws, 1)) + of_seeds * rng.standard_normal((1, seeds)) + rest


# ---- intervals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draws", "seeds", "kind"),
    [
        (39, 1, "percentiles"),
        (38, 2, "few_draws"),
        (2, 1, "few_draws"),
        (1, 3, "chance"),
        (0, 2, "chance"),
        (0, 1, "none"),
        (1, 1, "none"),
    ],
)
def test_the_interval_goes_with_what_there_is(draws: int, seeds: int, kind: str) -> None:
    assert interval_kind(draws, seeds) == kind


def test_many_draws_give_percentiles_of_all_runs() -> None:
    values = np.arange(200.0).reshape(100, 2)
    out = (0.025 * 101 - 1) / 99  # a little further out than 2.5 %: the next draw is none of these hundred
    assert interval(values) == pytest.approx((99.5, out * 199, (1 - out) * 199))
    least = np.arange(39.0)[:, None]
    assert interval(least)[1:] == pytest.approx((0.0, 38.0))


def test_seeds_alone_give_the_t_interval_of_the_mean() -> None:
    assert interval(np.array([[1.0, 3.0]])) == pytest.approx((2.0, 2 - 12.7062, 2 + 12.7062), abs=1e-3)


def test_few_draws_say_where_a_further_run_is_expected() -> None:
    mean, low, high = interval(np.array([[1.0], [3.0]]))
    half = 12.7062 * math.sqrt(2) * math.sqrt(1.5)
    assert (mean, low, high) == pytest.approx((2.0, 2 - half, 2 + half), abs=1e-3)


def test_few_draws_hold_the_next_one_as_often_as_they_say() -> None:
    values = np.random.default_rng(1).standard_normal((6, 1, 4000))
    _, low, high = interval(values[:5])
    assert ((low <= values[5, 0]) & (values[5, 0] <= high)).mean() == pytest.approx(0.95, abs=0.015)


def test_one_run_has_no_interval() -> None:
    mean, low, high = interval(np.array([[4.0]]))
    assert mean == 4.0 and np.isnan([low, high]).all()
    assert np.isnan(mean_interval(np.array([[4.0]]))[1:]).all()


@pytest.mark.parametrize("shape", [(25, 2), (3, 2), (1, 4)])
def test_what_never_varies_has_an_interval_of_no_width(shape: tuple[int, int]) -> None:
    for of in (interval, mean_interval):
        assert [float(each) for each in of(np.zeros(shape))] == [0.0, 0.0, 0.0]


def test_a_third_axis_is_done_column_by_column() -> None:
    values = np.random.default_rng(2).standard_normal((4, 3, 5))
    for of in (interval, mean_interval):
        together = of(values)
        for k in range(5):
            assert [each[k] for each in together] == pytest.approx(of(values[:, :, k]))


def test_the_mean_of_draws_without_shared_chance_is_the_usual_t_interval() -> None:
    values = drawn(12, 1, 1.0, 0.0, 0.5)
    usual = stats.ttest_1samp(values[:, 0], 0.0).confidence_interval()
    assert mean_interval(values)[1:] == pytest.approx((usual.low, usual.high))


def test_chance_that_all_draws_share_widens_the_interval_of_the_mean() -> None:
    shared, unshared = drawn(30, 3, 0.1, 2.0, 0.1), drawn(30, 3, 0.1, 0.0, 0.1)
    widths = [float(high - low) for _, low, high in map(mean_interval, (shared, unshared))]
    assert widths[0] > 10 * widths[1]


# ---- who is best -------------------------------------------------------------------------------------------------


def test_the_best_is_the_lowest_or_the_highest_and_ties_are_split() -> None:
    values = np.array([[[1.0, 2.0, 3.0], [1.0, 1.0, 3.0]]])
    assert best_shares(values, -1).tolist() == [0.75, 0.25, 0.0]
    assert best_shares(values, 1).tolist() == [0.0, 0.0, 1.0]
    assert np.isnan(best_shares(values, 0)).all()


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=6))
def test_shares_of_being_best_sum_to_one(values: list[list[int]]) -> None:
    assert best_shares(np.array([values], float), -1).sum() == pytest.approx(1.0)


def test_the_share_of_being_best_has_an_interval_of_its_own() -> None:
    values = np.stack([drawn(20, 4, 1.0, 0.0, 0.1, mean=0.3), np.zeros((20, 4))], axis=2)
    share, low, high = best_with_interval(values, 1)
    assert (low < share).all() and (share < high).all()
    assert share.sum() == pytest.approx(1.0) and low[0] == pytest.approx(1.0 - high[1])
    assert all(np.isnan(each).all() for each in best_with_interval(values, 0))


def test_a_share_of_independent_runs_has_the_exact_interval_and_one_of_all_is_not_sure() -> None:
    hits = np.array([1.0] * 7 + [0.0] * 3)[:, None]
    exact = stats.binomtest(7, 10).proportion_ci(method="exact")
    low, high = (float(each) for each in share_interval(hits))
    assert low <= exact.low and high >= exact.high  # a sample's variance is n / (n - 1) of the binomial's
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.04)
    all_of_twenty = [float(each) for each in share_interval(np.ones((20, 4)))]
    assert all_of_twenty == pytest.approx([0.025 ** (1 / 20), 1.0])  # worth 20 draws, not 80 runs


# ---- parameters and chance -----------------------------------------------------------------------------------------


def test_variance_is_split_as_it_was_made() -> None:
    parameters, chance = variance_shares(drawn(400, 40, 3.0, 2.0, 1.0))
    assert parameters == pytest.approx(9 / 14, abs=0.08) and parameters + chance == pytest.approx(1.0)


def test_variance_by_hand() -> None:
    """Cells 1 3 / 5 7: mean squares 16 of draws, 4 of seeds, 0 of the rest; components 8 and 2."""
    assert variance_shares(np.array([[1.0, 3.0], [5.0, 7.0]])) == pytest.approx((0.8, 0.2))


def test_only_parameters_only_chance_or_nothing_varies() -> None:
    assert variance_shares(np.array([[1.0, 1.0], [5.0, 5.0]])) == (1.0, 0.0)
    assert variance_shares(np.array([[1.0, 5.0], [1.0, 5.0]])) == (0.0, 1.0)
    assert np.isnan(variance_shares(np.full((3, 2), 0.1))).all()


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_without_draws_or_with_one_seed_variance_is_not_split(shape: tuple[int, int]) -> None:
    assert np.isnan(variance_shares(np.random.default_rng(1).standard_normal(shape))).all()


# ---- how many more -------------------------------------------------------------------------------------------------


def test_as_many_more_as_it_says_just_decide_it() -> None:
    values = np.array([[-1.0], [0.5], [1.0], [0.3]])  # mean 0.2, far from decided
    more, which = more_runs(values)
    assert which == "draws"
    needed = 4 + more
    sd = values.std(ddof=1)

    def half(n: float) -> float:
        return float(stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n))

    assert half(needed) < 0.2 <= half(needed - 1)


def test_more_runs_come_in_whole_draws_or_whole_seeds_whichever_is_cheaper() -> None:
    found, which = more_runs(drawn(10, 3, 1.0, 0.0, 0.1, mean=0.1))
    assert which == "draws" and found > 0 and found % 3 == 0
    found, which = more_runs(drawn(10, 3, 0.02, 1.0, 0.02, mean=0.3))
    assert which == "seeds" and found > 0 and found % 10 == 0


def test_no_number_of_draws_makes_up_for_what_seeds_share() -> None:
    values = drawn(10, 3, 0.02, 1.0, 0.02, mean=0.3)
    half = [planned_half(Spread.of(values), draws, 3) for draws in (10, 1000)]
    assert half[1] > 0.95 * half[0] > abs(values.mean())
    assert planned_half(Spread.of(values), 10, 100) < 0.3 * half[0]


@pytest.mark.parametrize(
    "values",
    [[[5.0], [5.1], [5.2]], [[0.0], [0.0]], [[1.0], [-1.0]], [[3.0]], [[1.0], [-1.0 + 1e-9]]],
    ids=["decided", "nothing differs", "mean zero", "one run", "out of reach"],
)
def test_where_more_runs_are_not_needed_or_no_help_there_is_no_number(values: list[list[float]]) -> None:
    found, which = more_runs(np.array(values))
    assert math.isnan(found) and which == ""


def test_seeds_alone_are_counted_one_by_one() -> None:
    seeds, draws = more_runs(np.array([[-1.0, 0.5, 1.0, 0.3]])), more_runs(np.array([[-1.0], [0.5], [1.0], [0.3]]))
    assert seeds == (draws[0], "seeds") and draws[1] == "draws"


# ---- decided -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [np.zeros((20, 4)), np.full((20, 4), 0.1), np.full((1, 4), -3.0)])
def test_runs_that_do_not_vary_decide_nothing(values: np.ndarray) -> None:
    assert not is_decided(values)
    assert math.isnan(more_runs(values)[0])


def test_a_clear_difference_is_decided_and_one_run_never_is() -> None:
    assert is_decided(drawn(20, 4, 0.1, 0.1, 0.1, mean=1.0))
    assert not is_decided(drawn(20, 4, 1.0, 0.1, 0.1, mean=0.05))
    assert not is_decided(np.array([[5.0]]))


# ---- ratios --------------------------------------------------------------------------------------------------------


def test_a_ratio_with_a_sure_denominator_is_the_t_interval_divided() -> None:
    above = np.array([1.0, 2.0, 4.0, 5.0])
    ratio, low, high = ratio_interval(above, np.full(4, 2.0))
    mean, usual_low, usual_high = (float(each) for each in mean_interval(above[:, None]))
    assert (ratio, low, high) == pytest.approx((mean / 2, usual_low / 2, usual_high / 2))


def test_fieller_holds_the_truth_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(3), []
    for _ in range(1500):
        common = rng.standard_normal(12)
        _, low, high = ratio_interval(6 + 2 * common + rng.standard_normal(12), 3 + common)
        held.append(low <= 2.0 <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("below", [[1.0, -1.0, 0.5], [-3.0, -3.1, -2.9], [0.0, 0.0, 0.0]])
def test_there_is_no_ratio_when_the_denominator_may_be_nothing(below: list[float]) -> None:
    assert np.isnan(ratio_interval(np.array([1.0, 2.0, 3.0]), np.array(below))).all()
    assert np.isnan(ratio_interval(np.array([1.0]), np.array([1.0]))).all()
