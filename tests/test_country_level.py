"""Levels, readings and updates from the fit over the country; naive forecasts; scores of many forecasts."""

import json
import time
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konvergensi.inputs import country
from konvergensi.inputs.country_observed import Observed
from konvergensi.methods import country as fit
from konvergensi.methods.country_naive import NAIVE, Readings, centres, naive_draws, published, spread
from konvergensi.methods.country_scale import DAMPED_FROM, NODES, from_angle, slope_time, to_angle
from konvergensi.methods.country_scores import paired, score_rows, summary

ROOT = Path(__file__).resolve().parents[1]
LEBAK = "36.02"


@pytest.fixture(scope="module")
def post():
    return fit.shipped_posterior()


def middle(draws):
    return np.median(draws, axis=0)


def test_the_angular_scale_gives_every_percent_back():
    percent = np.linspace(0, 100, 101)
    assert from_angle(to_angle(percent)) == pytest.approx(percent)
    assert from_angle(-5.0) == 0.0 and from_angle(400.0) == 100.0


def test_a_damped_trend_runs_straight_until_2024_and_slower_after():
    years = np.arange(2016.0, 2047.0)
    assert slope_time(years, 1.0) == pytest.approx(years)
    steps = np.diff(slope_time(years, 0.9))
    assert steps[years[1:] <= DAMPED_FROM] == pytest.approx(1.0) and (np.diff(steps[years[1:] > DAMPED_FROM]) < 0).all()


def test_children_measured_are_those_of_the_priors():
    told = tomllib.loads((ROOT / "calibration" / "country_priors.toml").read_text(encoding="utf-8"))["children"]
    assert {name: fit.CHILDREN[name] for name in ("PSG", "Riskesdas", "SSGBI", "SKI")} == {
        name: told[name]["value"] for name in ("PSG", "Riskesdas", "SSGBI", "SKI")
    }
    assert fit.CHILDREN["SSGI"] == told["later"]["value"]
    for (system, year), children in fit.CHILDREN_IN.items():
        assert children == told[f"{system}-{year}"]["value"]


def test_the_shipped_trials_beat_every_naive_rule_and_cover_as_promised():
    table = pd.read_parquet(ROOT / "calibration" / "country_trials.parquet")
    for trial in ("2023 from 2022", "hidden after 2019"):
        told = {name: summary(part) for name, part in table[table["trial"] == trial].groupby("method")}
        own = told.pop("model")
        assert 0.85 <= own["coverage"] <= 0.95
        assert all(own["crps"] < other["crps"] and own["rmse"] < other["rmse"] for other in told.values())


def test_the_shipped_draws_have_converged():
    for name in ("posterior", "posterior-to-2022"):
        told = json.loads((country.folder() / f"{name}.json").read_text(encoding="utf-8"))
        assert told["divergent"] == 0 and told["worst_r_hat"] < 1.05 and told["least_effective"] >= 50


def test_the_fit_without_2023_has_seen_no_value_of_2023():
    early = fit.shipped_posterior(2022)
    assert not early.seen[:, NODES.index(2023)].any() and early.seen[:, NODES.index(2022)].any()
    assert [row.year for row in fit.known_rows(early, LEBAK)[0]] == [2017, 2018, 2019, 2021, 2022]
    with pytest.raises(ValueError, match="2020"):
        fit.shipped_posterior(2020)


def test_fitted_levels_follow_the_surveys_in_the_mean_over_districts(post):
    table = country.surveys()
    for year in (2018, 2021, 2022):
        part = table[table["year"] == year].iloc[::12]
        system = str(part["measure_system"].iloc[0])
        found = [middle(fit.level_draws(post, code, [float(year)], system))[0] for code in part["code"]]
        assert np.mean(found) == pytest.approx(part["percent"].mean(), abs=1.5)


def test_levels_of_districts_are_drawn_together_compared_with_their_surveys(post):
    part = country.surveys().query("year == 2022").iloc[::8]
    found = np.array([middle(fit.level_draws(post, code, [2022.0]))[0] for code in part["code"]])
    assert found.std() < part["percent"].std()
    assert np.corrcoef(found, part["percent"])[0, 1] > 0.7


def test_a_district_without_late_surveys_is_known_less_well(post):
    late = country.surveys().query("year > 2019")["code"].unique()
    without = [code for code in country.codes().tolist() if code not in set(late)]
    assert len(without) == 100

    def width(codes):
        spans = [np.ptp(np.quantile(fit.level_draws(post, code, [2023.0]), (0.05, 0.95), axis=0)) for code in codes]
        return np.mean(spans)

    assert width(without[::5]) > width(late[::20])


def test_the_further_ahead_the_wider(post):
    low, high = np.quantile(fit.level_draws(post, LEBAK, [2022.0, 2029.0, 2045.0]), (0.05, 0.95), axis=0)
    assert (np.diff(high - low) > 0).all()


def test_any_month_from_2017_to_2045_has_a_level_and_years_outside_are_refused(post):
    months = [2017 * 12, 2045 * 12 + 11]
    draws = fit.level_draws(post, LEBAK, [fit.time_of(month) for month in months])
    assert draws.shape == (post.n * fit.PER_DRAW, 2) and ((draws >= 0) & (draws <= 100)).all()
    with pytest.raises(ValueError, match="2016"):
        fit.level_draws(post, LEBAK, [2010.0])
    with pytest.raises(ValueError, match="SSGX"):
        fit.level_draws(post, LEBAK, [2020.0], "SSGX")


def test_a_reading_is_wider_than_the_level_it_reads(post):
    level = fit.level_draws(post, LEBAK, [2024.0])[:, 0]
    reading = fit.reading_draws(post, LEBAK, 2024, "SSGI")
    assert reading.std() > 1.3 * level.std()
    assert np.median(reading) == pytest.approx(np.median(level), abs=1.0)


@pytest.mark.parametrize("percent", [15.0, 45.0])
def test_a_new_survey_moves_its_district_towards_it_and_no_other(post, percent):
    row = Observed(LEBAK, 2024, "SSGI", percent)
    before = fit.level_draws(post, LEBAK, [2024.0])[:, 0]
    after = fit.level_draws(post, LEBAK, [2024.0], rows=[row])[:, 0]
    assert np.sign(np.median(after) - np.median(before)) == np.sign(percent - np.median(before))
    assert abs(np.median(after) - np.median(before)) < abs(percent - np.median(before))
    other = "32.11"
    same = [fit.level_draws(post, other, [2024.0], rows=rows) for rows in ([], [row])]
    assert np.array_equal(*same)


def test_a_new_survey_that_reads_as_expected_makes_the_level_known_better(post):
    before = fit.level_draws(post, LEBAK, [2024.0])[:, 0]
    row = Observed(LEBAK, 2024, "SSGI", float(np.median(before)))
    assert fit.level_draws(post, LEBAK, [2024.0], rows=[row])[:, 0].std() < 0.95 * before.std()


def test_a_new_survey_that_surprises_leaves_fewer_draws(post):
    usual, odd = (
        fit.condition(post, LEBAK, np.array([2024.0]), [Observed(LEBAK, 2024, "SSGI", percent)]).worth
        for percent in (25.0, 48.0)
    )
    assert odd < usual <= post.n


def test_a_survey_with_a_narrow_interval_of_its_own_moves_more(post):
    rows = [Observed(LEBAK, 2024, "SSGI", 45.0, low, high) for low, high in ((44.0, 46.0), (30.0, 60.0))]
    narrow, wide = (np.median(fit.level_draws(post, LEBAK, [2024.0], rows=[row])) for row in rows)
    assert narrow > wide


def test_a_value_that_was_published_already_is_not_counted_twice(post):
    published = [Observed(LEBAK, 2022, "SSGI", float(row.percent)) for row in country.surveys().itertuples()
                 if row.code == LEBAK and row.year == 2022]  # fmt: skip
    plain, again = (middle(fit.level_draws(post, LEBAK, [2022.0], rows=rows)) for rows in ([], published))
    assert again == pytest.approx(plain, abs=0.3)


def test_the_register_moves_no_level(post):
    row = Observed(LEBAK, 2024, "e-PPGBM", 5.0)
    assert np.array_equal(fit.level_draws(post, LEBAK, [2024.0]), fit.level_draws(post, LEBAK, [2024.0], rows=[row]))


def test_conditioning_agrees_with_the_formula_for_one_reading(post):
    """One district without any survey row and one new reading: a normal updated by hand."""
    early = fit.CountryPosterior(**{**post.__dict__, "seen": np.zeros_like(post.seen)})
    row = Observed(LEBAK, 2021, "SSGI", 30.0)
    when = np.array([2021.0])
    found = fit.condition(early, LEBAK, when, [row])
    prior = fit.own_cov(early, when, when)[:, 0, 0]
    error = fit.error_var(early, 2021, "SSGI", row)
    surprise = to_angle(30.0) - fit.shared_level(early, LEBAK, when, "SSGI")[:, 0]
    assert found.mean[:, 0] == pytest.approx(prior / (prior + error) * surprise)
    assert found.cov[:, 0, 0] == pytest.approx(prior * error / (prior + error))
    weight = np.exp(-0.5 * surprise**2 / (prior + error)) / np.sqrt(prior + error)
    assert found.weight == pytest.approx(weight / weight.sum())


def test_an_update_takes_less_than_a_second(post):
    rows = [Observed(LEBAK, year, "SSGI", 30.0) for year in (2024, 2025, 2026)]
    started = time.perf_counter()
    fit.level_draws(post, LEBAK, np.linspace(2017, 2045, 337), rows=rows)
    assert time.perf_counter() - started < 1.0


def test_the_same_seed_gives_the_same_draws(post):
    first, second, other = (fit.reading_draws(post, LEBAK, 2024, "SSGI", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def known(percent, years=(2018, 2021, 2022), nation=(30.0, 25.0, 22.0)):
    return Readings(np.asarray(percent, float), np.array(years), np.array(nation))


def test_what_was_published_up_to_a_year_holds_no_later_reading():
    given = published(2021)
    assert given.years.tolist() == [2017, 2018, 2019, 2021] and given.percent.shape == (514, 4)
    assert given.before(2019).years.tolist() == [2017, 2018]


def test_naive_rules_say_what_their_names_say():
    given = known([[40.0, 35.0, np.nan], [20.0, np.nan, 12.0], [np.nan] * 3])
    nan = pytest.approx([np.nan], nan_ok=True)
    assert centres("last value", given)[:2] == pytest.approx([35.0, 12.0]) and centres("last value", given)[2:] == nan
    assert centres("past mean", given)[:2] == pytest.approx([22 + 10.0, 22 - 10.0])
    assert centres("national trend", given)[:2] == pytest.approx([35 + 19 - 25, 12 - 3.0])
    assert centres("national trend", given, nation_then=20.0)[:2] == pytest.approx([30.0, 10.0])
    with pytest.raises(ValueError, match="last value"):
        centres("magic", given)


def test_partial_pooling_lies_between_the_district_and_all():
    rng = np.random.default_rng(1)
    true = rng.normal(0, 4, 300)
    given = known(np.array([30.0, 25.0, 22.0]) + true[:, None] + rng.normal(0, 4, (300, 3)))
    mean, pooled = centres("past mean", given), centres("partial pooling", given)
    assert 0.6 < np.std(pooled) / np.std(mean) < 0.95
    assert np.mean((pooled - 22 - true) ** 2) < np.mean((mean - 22 - true) ** 2)


def test_naive_intervals_are_as_wide_as_the_rule_was_wrong_before():
    rng = np.random.default_rng(2)
    given = known(np.array([30.0, 25.0, 22.0]) + rng.normal(0, 5, (400, 3)))
    assert spread("past mean", given) == pytest.approx(5 * np.sqrt(1.5), rel=0.25)
    for method in NAIVE:
        draws = naive_draws(method, given)
        assert draws.shape == (400, 199) and ((draws >= 0) & (draws <= 100)).all()


def test_scores_of_a_forecast_that_is_right_have_the_right_coverage_and_beat_a_wide_one():
    rng = np.random.default_rng(3)
    seen = rng.normal(30, 5, 400)
    good, wide = (score_rows(30 + sd * rng.standard_normal((400, 400)), seen) for sd in (5, 12))
    assert summary(good)["coverage"] == pytest.approx(0.9, abs=0.04)
    assert summary(good)["crps"] < summary(wide)["crps"]
    blocks = np.arange(400) // 10
    gap = paired(good, wide, blocks)
    assert gap["crps_high"] < 0 and gap["crps_low"] < gap["crps"] < gap["crps_high"]
    none = paired(good, good, blocks)
    assert none["crps"] == none["rmse_low"] == none["rmse_high"] == 0.0


def test_a_paired_interval_of_two_equal_methods_mostly_holds_nothing():
    rng = np.random.default_rng(4)
    holds = []
    for at in range(40):
        seen = rng.normal(30, 5, 200)
        a, b = (pd.DataFrame({"crps": np.abs(rng.normal(0, 5, 200)), "error": rng.normal(0, 5, 200)}) for _ in "ab")
        del seen
        gap = paired(a, b, np.arange(200) // 5, seed=at)
        holds.append(gap["crps_low"] <= 0 <= gap["crps_high"])
    assert 0.75 <= np.mean(holds) <= 1.0
