import math
from typing import NamedTuple

import numpy as np
import pytest

from konvergensi.observe import surveys
from konvergensi.observe.surveys import SurveyError, SurveyRound

NO_ERROR = SurveyError(0.0, 0.0)
SSGI_ERROR = SurveyError(error_cm=0.8, age_error_months=0.1)
SSGI = SurveyRound("SSGI", fieldwork=2021 * 12 + 8, published=2021 * 12 + 11, clusters=35, children_per_cluster=20)


class District(NamedTuple):
    village: np.ndarray
    z: np.ndarray
    sex: np.ndarray
    age: np.ndarray

    @property
    def true_percent(self) -> float:
        return float(100 * (self.z < -2).mean())


def district(n: int = 30_000, villages: int = 345, village_sd: float = 0.35, mean: float = -1.5) -> District:
    """Villages of unequal size whose children differ between villages as well as within."""
    rng = np.random.default_rng(12)
    size = rng.lognormal(0, 0.4, villages)
    village = rng.choice(villages, n, p=size / size.sum()).astype(np.int32)
    within_sd = math.sqrt(1.15**2 - village_sd**2)
    z = mean + rng.normal(0, village_sd, villages)[village] + rng.normal(0, within_sd, n)
    sex, age = rng.integers(0, 2, n).astype(np.int8), rng.integers(0, 60, n).astype(np.int16)
    return District(village, z.astype(np.float32), sex, age)


def run_surveys(
    place: District, error: SurveyError = SSGI_ERROR, n: int = 400, plan: SurveyRound = SSGI
) -> list[surveys.SurveyEstimate]:
    return [surveys.survey(plan, *place, error, np.random.default_rng([5, i])) for i in range(n)]


def covered(estimates: list[surveys.SurveyEstimate], truth: float) -> float:
    return float(np.mean([each.low <= truth <= each.high for each in estimates]))


@pytest.mark.parametrize("mean", [-1.5, -1.0])  # about 33 and 19 % stunted
def test_the_interval_covers_the_true_percent_in_92_to_98_of_100_surveys(mean: float) -> None:
    place = district(mean=mean)
    estimates = run_surveys(place)
    assert 0.92 <= covered(estimates, place.true_percent) <= 0.98


def test_an_interval_that_forgets_the_clusters_covers_too_seldom() -> None:
    place = district()
    naive = []
    for each in run_surveys(place):
        share = each.percent / 100
        half = 196 * math.sqrt(share * (1 - share) / each.n_measured)
        naive.append(each._replace(low=each.percent - half, high=each.percent + half))
    assert covered(naive, place.true_percent) < 0.92


def test_measurement_error_reads_slightly_high_and_without_it_the_survey_is_unbiased() -> None:
    place = district()
    exact = np.mean([each.percent for each in run_surveys(place, NO_ERROR)])
    measured = np.mean([each.percent for each in run_surveys(place)])
    assert exact == pytest.approx(place.true_percent, abs=0.35)  # three standard errors of 400 surveys
    assert 0.1 < measured - exact < 1.0


def test_the_standard_error_is_the_spread_of_repeated_surveys() -> None:
    estimates = run_surveys(district())
    spread = np.std([each.percent for each in estimates])
    half_widths = [(each.high - each.low) / 2 for each in estimates]
    assert np.mean(half_widths) / 2.03 == pytest.approx(spread, rel=0.12)  # t(34) = 2.03


def test_the_design_effect_is_one_without_clustering_and_grows_with_it() -> None:
    effects = [
        np.mean([each.design_effect for each in run_surveys(district(village_sd=sd), n=150)]) for sd in (0.0, 0.3, 0.6)
    ]
    assert effects[0] == pytest.approx(1.0, abs=0.08)
    assert effects[0] + 0.2 < effects[1] < effects[2] - 0.5


def test_more_clusters_narrow_the_interval() -> None:
    place = district()
    wide, narrow = (
        np.mean([each.high - each.low for each in run_surveys(place, n=50, plan=plan)])
        for plan in (SSGI, SurveyRound("SSGI", SSGI.fieldwork, SSGI.published, 140, 20))
    )
    assert narrow == pytest.approx(wide / 2, rel=0.15)


def test_every_child_has_the_same_chance_and_nobody_is_measured_twice() -> None:
    village = np.repeat(np.arange(4), [10, 20, 30, 67])
    times = np.zeros(village.size)
    for seed in range(3000):
        rows, cluster = surveys.draw_clusters(village, 5, 4, np.random.default_rng(seed))
        assert np.unique(rows).size == 20 and np.bincount(cluster).tolist() == [4] * 5
        times[rows] += 1
    expected = 3000 * 20 / village.size
    by_village = np.bincount(village, weights=times) / np.bincount(village)
    np.testing.assert_allclose(by_village, expected, rtol=0.06)
    assert np.abs(times - expected).max() < 4.5 * math.sqrt(expected)


def test_a_cluster_is_a_group_of_neighbours() -> None:
    place = district()
    rows, cluster = surveys.draw_clusters(place.village, 35, 20, np.random.default_rng(3))
    villages_in = [np.unique(place.village[rows[cluster == c]]).size for c in range(35)]
    assert max(villages_in) <= 3 and np.mean(villages_in) < 1.6


@pytest.mark.parametrize("n", [1, 19, 20, 21, 400, 700])
def test_where_fewer_live_than_asked_everybody_is_measured(n: int) -> None:
    place = district(n=n, villages=30)
    estimate = surveys.survey(SSGI, *place, NO_ERROR, np.random.default_rng(1))
    assert estimate.n_measured == n
    assert estimate.percent == pytest.approx(place.true_percent)
    assert 0 <= estimate.low <= estimate.percent <= estimate.high <= 100
    assert estimate.high > estimate.low


@pytest.mark.parametrize("stunted", [False, True])
def test_nobody_or_everybody_stunted_still_has_a_width(stunted: bool) -> None:
    estimate = surveys.estimate_percent(np.full(700, stunted), np.arange(700) // 20)
    assert estimate.percent == 100 * stunted
    assert 0.1 < estimate.high - estimate.low < 2
    assert estimate.low <= estimate.percent <= estimate.high


def test_nobody_there_gives_no_number() -> None:
    empty = np.array([], dtype=np.float32)
    whole = empty.astype(np.int16)
    estimate = surveys.survey(SSGI, whole, empty, whole, whole, SSGI_ERROR, np.random.default_rng(1))
    assert estimate.n_measured == 0 and math.isnan(estimate.percent)


def test_the_same_generator_gives_the_same_survey() -> None:
    place = district()
    first, again, other = (surveys.survey(SSGI, *place, SSGI_ERROR, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_a_survey_becomes_a_row_of_the_table() -> None:
    estimate = surveys.SurveyEstimate(27.3, 23.0, 32.0, 700, 1.8)
    row = surveys.survey_row(SSGI, "Kabupaten Lebak", estimate)
    assert row == (24260, 24263, "SSGI", "Kabupaten Lebak", "district", 700, 27.3, 23.0, 32.0)


@pytest.mark.parametrize(
    ("clusters", "children", "published", "message"),
    [(0, 20, 24263, "at least 1"), (35, 0, 24263, "at least 1"), (35, 20, 24259, "before its fieldwork")],
)
def test_an_impossible_survey_is_refused(clusters: int, children: int, published: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SurveyRound("SSGI", 24260, published, clusters, children)
