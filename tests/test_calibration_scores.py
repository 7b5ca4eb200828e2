"""Scores and naive forecasts against known answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from konvergensi.analyses.forecasts import naive, nation_at, of_sample, read_national, year_of
from konvergensi.inputs.calibration_study import calibration_root
from konvergensi.inputs.calibration_targets import read_targets
from konvergensi.methods.scores import crps, interval_score, rank_of, weighted_quantiles

NATION = read_national(calibration_root() / "targets" / "national.csv")
LEBAK = {each.id: each for each in read_targets(calibration_root() / "targets" / "lebak.csv")}
numbers = st.floats(-100, 100, allow_nan=False)


def test_the_interval_score_is_the_width_and_a_fine_outside() -> None:
    assert interval_score(10, 14, 12) == 4
    assert interval_score(10, 14, 15) == pytest.approx(4 + 20)  # 2 / 0.1 for each unit outside
    assert interval_score(10, 14, 9.5) == pytest.approx(4 + 10)


def test_the_interval_score_is_best_at_the_true_quantiles() -> None:
    seen = np.random.default_rng(1).standard_normal(20_000)

    def mean_score(half: float) -> float:
        return float(np.mean([interval_score(-half, half, y) for y in seen]))

    best = min(np.arange(1.0, 2.4, 0.1), key=mean_score)
    assert best == pytest.approx(norm.ppf(0.95), abs=0.1)


def test_crps_of_a_normal_is_the_closed_form_and_of_a_point_the_distance() -> None:
    sample, y = norm.ppf((np.arange(4000) + 0.5) / 4000), 0.7
    known = y * (2 * norm.cdf(y) - 1) + 2 * norm.pdf(y) - 1 / np.sqrt(np.pi)
    assert crps(sample, y) == pytest.approx(known, abs=2e-3)
    assert crps(np.array([3.0]), 5.0) == pytest.approx(2.0)


@given(st.lists(numbers, min_size=1, max_size=8), numbers)
def test_crps_is_never_below_zero_and_weights_are_repetitions(values: list[float], seen: float) -> None:
    array = np.array(values)
    assert crps(array, seen) >= -1e-9
    twice = np.concatenate([array, array[:1]])
    weights = np.ones(len(array))
    weights[0] = 2.0
    assert crps(array, seen, weights) == pytest.approx(crps(twice, seen), abs=1e-7)


def test_weighted_quantiles_and_ranks() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([0.1, 0.6, 0.3])
    assert weighted_quantiles(values, weights, (0.05, 0.5, 0.7, 0.95)).tolist() == [1.0, 1.0, 2.0, 3.0]
    assert rank_of(0.5, np.array([0.0, 0.5, 1.0, 2.0])) == pytest.approx(0.375)


def test_the_nation_between_its_surveys_and_after_them() -> None:
    assert nation_at(NATION, year_of("2018-04")) == pytest.approx(30.8)
    assert 24.4 < nation_at(NATION, year_of("2020-09")) < 27.67
    assert nation_at(NATION, year_of("2023-09")) == pytest.approx(21.6 - 2.8)  # on at the pace of 2021 to 2022


def test_naive_forecasts_take_the_last_value_and_carry_both_errors() -> None:
    target, earlier = LEBAK["survey-2021"], [LEBAK["survey-2018"], LEBAK["survey-2019"]]
    last, trend = (naive(name, target, earlier, NATION) for name in ("last value", "national trend"))
    assert last is not None and trend is not None
    assert last.middle == pytest.approx(32.96)
    assert trend.middle == pytest.approx(29.3, abs=0.1)  # 32.96 moved as 27.67 to 24.4 on the logit
    half = 1.645 * np.hypot(earlier[1].observation_sd, target.observation_sd)
    assert np.log(last.high / (100 - last.high)) - earlier[1].scaled == pytest.approx(half, abs=1e-3)
    assert naive("last value", LEBAK["survey-2018"], earlier, NATION) is None
    assert naive("last value", target, [LEBAK["eppgbm-2019"]], NATION) is None


def test_a_forecast_of_a_sample_scores_itself() -> None:
    made = of_sample("model", np.arange(101.0))
    assert (made.low, made.middle, made.high) == pytest.approx((5.0, 50.0, 95.0))
    assert made.scores(50.0)["interval_score"] == pytest.approx(90.0)
