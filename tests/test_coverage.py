"""How often 95 % intervals hold the truth, over simulated crossed designs: 2000 repetitions, no model."""

import itertools

import numpy as np
import pytest

from konvergensi.methods.statistics import best_with_interval, interval, mean_interval

REPETITIONS = 2000
TOLERANCE = 0.03  # a point that the approximation gives away, and four standard errors of a share of 0.95 in 2000
# standard deviations of draws, of seeds, of the rest
NO_SEED_EFFECT = [(1.0, 0.0, 1.0), (1.0, 0.0, 0.2), (0.3, 0.0, 1.0)]
SEED_EFFECT = [(1.0, 1.0, 1.0), (0.3, 1.0, 0.3), (1.0, 0.3, 0.3), (0.0, 1.0, 1.0)]
DEFAULT = (20, 4)


def effects(rng: np.random.Generator, shape: tuple[int, ...], skewed: bool) -> np.ndarray:
    """Mean 0, variance 1; skewed: a lognormal whose skewness is 2.3."""
    if not skewed:
        return rng.standard_normal(shape)
    spread = 0.6
    raw = rng.lognormal(0.0, spread, shape) - np.exp(spread**2 / 2)
    return raw / np.sqrt((np.exp(spread**2) - 1) * np.exp(spread**2))


def simulated(
    design: tuple[int, int], spreads: tuple[float, float, float], further: int = 0, skewed: bool = False
) -> np.ndarray:
    """Values (draws, seeds, repetitions), with one draw and one seed more where `further` asks for a further run."""
    rng = np.random.default_rng([*design, *(int(100 * each) for each in spreads), skewed])
    draws, seeds = (each + further for each in design)
    of_draws, of_seeds, of_rest = spreads
    return np.asarray(
        of_draws * effects(rng, (draws, 1, REPETITIONS), skewed)
        + of_seeds * effects(rng, (1, seeds, REPETITIONS), skewed)
        + of_rest * effects(rng, (draws, seeds, REPETITIONS), False)
    )


def held(low: np.ndarray, high: np.ndarray, truth: np.ndarray | float) -> float:
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("spreads", [*NO_SEED_EFFECT, *SEED_EFFECT])
@pytest.mark.parametrize("design", [DEFAULT, (8, 4), (40, 4), (20, 8)])
def test_the_interval_of_the_mean_holds_it_in_95_percent(
    design: tuple[int, int], spreads: tuple[float, float, float]
) -> None:
    _, low, high = mean_interval(simulated(design, spreads))
    found = held(low, high, 0.0)
    assert found >= 0.95 - TOLERANCE
    assert found <= 0.99


@pytest.mark.parametrize("spreads", [*NO_SEED_EFFECT, *SEED_EFFECT])
@pytest.mark.parametrize("design", [DEFAULT, (8, 4), (40, 4)])
def test_skewed_effects_of_draws_and_seeds_cost_it_up_to_seven_points(
    design: tuple[int, int], spreads: tuple[float, float, float]
) -> None:
    """A t interval leans on the normal distribution: with few draws or seeds a skewness of 2.3 is seen in it."""
    _, low, high = mean_interval(simulated(design, spreads, skewed=True))
    assert 0.95 - 0.07 <= held(low, high, 0.0) <= 0.99


@pytest.mark.parametrize("spreads", SEED_EFFECT)
def test_two_seeds_hold_the_mean_less_often_where_seeds_matter_which_is_why_there_are_four(
    spreads: tuple[float, float, float],
) -> None:
    """One degree of freedom, and half the time seeds look alike: the limit of the method, stated."""
    _, low, high = mean_interval(simulated((20, 2), spreads))
    assert held(low, high, 0.0) >= 0.85
    old = simulated((20, 2), spreads)
    half = 2.093 * old.mean(axis=1).std(axis=0, ddof=1) / np.sqrt(20)  # as if draws were all there is
    mean = old.mean(axis=(0, 1))
    assert held(mean - half, mean + half, 0.0) < held(low, high, 0.0)


@pytest.mark.parametrize(("design", "skewed"), itertools.product([DEFAULT, (8, 4), (40, 4), (80, 4)], [False, True]))
@pytest.mark.parametrize("spreads", [(1.0, 0.0, 0.2), (1.0, 0.3, 0.3), (1.0, 0.0, 1.0)])
def test_the_interval_of_runs_holds_a_further_run_in_about_95_percent(
    design: tuple[int, int], skewed: bool, spreads: tuple[float, float, float]
) -> None:
    """Of a new draw with a new seed; 2 points are allowed for a skewed distribution."""
    values = simulated(design, spreads, further=1, skewed=skewed)
    _, low, high = interval(values[:-1, :-1])
    found = held(low, high, values[-1, -1])
    assert found >= 0.95 - TOLERANCE - (0.02 if skewed else 0.0)
    assert found <= 0.995


def test_the_interval_of_the_share_of_being_best_holds_it_in_95_percent() -> None:
    """Three policies whose chance to be best is known: alike but for draws and chance, a third each."""
    rng = np.random.default_rng(3)
    draws, seeds = DEFAULT
    values = rng.standard_normal((draws, 1, 3, REPETITIONS)) + rng.standard_normal((draws, seeds, 3, REPETITIONS))
    _, low, high = best_with_interval(values, -1)
    assert 0.95 - TOLERANCE <= held(low, high, 1 / 3) <= 0.995
