"""Emulators, history matching and posterior against answers that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom, binom, norm

from konvergensi.inputs.calibration_targets import Target, from_scale, to_scale
from konvergensi.methods.emulator import Emulators, fit
from konvergensi.methods.likelihood import Likelihood, beta_binomial_log
from konvergensi.methods.matching import not_ruled_out, reflected, sobol_points, what_is_left
from konvergensi.methods.posterior import effective_share, sample, systematic, temper


def target(name: str, value: float, sd: float, **others: object) -> Target:
    return Target(
        **{
            "id": name, "area": "test", "level": "district", "when": "2018", "observable": name, "value": value,
            "unit": "1", "scale": "difference", "error_model": "normal", "error_sd": sd, "source": "test",
            "grade": "assumption",
        } | others
    )  # fmt: skip


def emulated(functions: dict[str, object], d: int, n: int = 128) -> Emulators:
    x = sobol_points(n, d, 5)
    values = np.stack([f(x) for f in functions.values()], axis=1)[:, None, :]  # type: ignore[operator]
    return fit(list(functions), x, values)


# ---- emulators -------------------------------------------------------------------------------------------------------


def test_an_emulator_finds_a_smooth_function_and_says_how_far_it_is_off() -> None:
    def smooth(x: np.ndarray) -> np.ndarray:
        return np.sin(3 * x[:, 0]) + x[:, 1] ** 2 + 0.5 * x[:, 2]

    emulators = emulated({"y": smooth}, 4, 160)
    new = sobol_points(512, 4, 99)
    error = emulators.predict(new)[:, 0] - smooth(new)
    assert np.sqrt(np.mean(error**2)) < 0.01 * smooth(new).std()
    assert emulators.each[0].explained > 0.999
    # what it says of itself, leaving points out, is about what it does at new points
    assert 0.1 < np.mean(error**2) / emulators.left_out_var[0] < 10.0


def test_noise_is_not_taken_for_the_function() -> None:
    rng = np.random.default_rng(1)
    x = sobol_points(256, 3, 5)
    values = (2.0 * x[:, 0])[:, None, None] + 0.5 * rng.standard_normal((256, 2, 1))
    emulators = fit(["y"], x, values)
    new = sobol_points(256, 3, 99)
    assert np.abs(emulators.predict(new)[:, 0] - 2.0 * new[:, 0]).max() < 0.3
    assert emulators.seed_var[0] == pytest.approx(0.25, rel=0.2)
    assert emulators.left_out_var[0] == pytest.approx(0.125, rel=0.3)  # means of two seeds


def test_a_constant_output_is_a_constant_and_the_same_points_give_the_same_bits() -> None:
    functions = {"flat": lambda x: np.full(len(x), 0.3), "y": lambda x: np.exp(x[:, 0])}
    one, other = emulated(functions, 2), emulated(functions, 2)
    new = sobol_points(32, 2, 3)
    assert one.predict(new)[:, 0] == pytest.approx(0.3)
    assert np.array_equal(one.predict(new), other.predict(new))
    assert one.only(["y"]).names == ("y",)
    with pytest.raises(KeyError):
        one.only(["z"])


# ---- history matching ------------------------------------------------------------------------------------------------


def linear(d: int = 3) -> Emulators:
    return emulated({f"y{i}": (lambda x, i=i: x[:, i]) for i in range(d)}, d)


def test_what_is_left_of_a_known_function_is_the_known_part() -> None:
    # two targets on the same parameter: left is |x - 0.5| <= 3 sd, here half of the prior
    emulators = emulated({"a": lambda x: x[:, 0], "b": lambda x: x[:, 0]}, 2)
    likelihood = Likelihood.of([target("a", 0.5, 0.25 / 3), target("b", 0.5, 0.25 / 3)], emulators)
    left = what_is_left(likelihood, 2, 500, seed=1)
    assert left.share == pytest.approx(0.5, abs=0.02)
    assert left.points[:, 0].min() == pytest.approx(0.25, abs=0.01)
    assert left.points[:, 0].max() == pytest.approx(0.75, abs=0.01)
    assert left.points[:, 1].std() == pytest.approx(np.sqrt(1 / 12), rel=0.05)  # the other parameter stays free


def test_one_target_alone_rules_nothing_out_and_weight_0_counts_for_nothing() -> None:
    likelihood = Likelihood.of([target("y0", 9.0, 0.1), target("y1", 0.5, 1.0)], linear())
    assert not_ruled_out(likelihood, sobol_points(64, 3, 1)).all()
    both = Likelihood.of([target("y0", 9.0, 0.1), target("y1", 9.0, 0.1)], linear())
    assert not not_ruled_out(both, sobol_points(64, 3, 1)).any()
    assert not_ruled_out(both.weighing(np.array([1.0, 0.0])), sobol_points(64, 3, 1)).all()


def test_nothing_left_names_what_is_farthest_off() -> None:
    likelihood = Likelihood.of([target("y0", 5.0, 0.1), target("y1", 9.0, 0.1)], linear())
    with pytest.raises(ValueError, match="farthest off: y1, y0"):
        what_is_left(likelihood, 3, 10, seed=1)


def test_a_small_rest_is_filled_by_walks_that_stay_inside() -> None:
    narrow = [target(f"y{i}", 0.5, 0.004) for i in range(3)]
    likelihood = Likelihood.of(narrow, linear())
    left = what_is_left(likelihood, 3, 400, seed=1)
    assert len(left.points) == 400
    assert left.share < 0.01
    assert not_ruled_out(likelihood, left.points).all()


def test_mirrored_points_are_inside() -> None:
    assert reflected(np.array([-0.1, 0.4, 1.3, 2.2])) == pytest.approx([0.1, 0.4, 0.7, 0.2])


# ---- posterior -------------------------------------------------------------------------------------------------------


def test_the_posterior_of_a_linear_model_with_normal_errors_is_the_known_normal() -> None:
    sd = 0.08
    matrix = np.array([[1.0, 0.5], [0.2, 1.0], [1.0, -1.0]])
    truth = np.array([0.5, 0.45])
    functions = {f"y{i}": (lambda x, row=row: x @ row) for i, row in enumerate(matrix)}
    targets = [target(f"y{i}", float(row @ truth), sd) for i, row in enumerate(matrix)]
    found = sample(Likelihood.of(targets, emulated(functions, 2)), 2, 2000, seed=3)
    precision = matrix.T @ matrix / sd**2  # prior flat, and the box far away
    assert found.particles.mean(axis=0) == pytest.approx(truth, abs=0.008)
    assert np.cov(found.particles.T) == pytest.approx(np.linalg.inv(precision), rel=0.15, abs=2e-4)


def test_tempering_finds_a_density_with_two_peaks_and_its_evidence() -> None:
    # a mixture that integrates to 1 on the square, with the peaks' weights 0.3 and 0.7
    def log_density(x: np.ndarray) -> np.ndarray:
        peaks = [(0.3, (0.25, 0.25)), (0.7, (0.75, 0.7))]
        return np.log(sum(w * norm.pdf(x, at, 0.05).prod(axis=1) for w, at in peaks) + 1e-300)

    found = temper(log_density, sobol_points(4000, 2, 1), np.random.default_rng(1))
    assert found.log_evidence == pytest.approx(0.0, abs=0.1)
    assert (found.particles[:, 0] < 0.5).mean() == pytest.approx(0.3, abs=0.05)
    assert found.powers[-1] == 1.0
    again = temper(log_density, sobol_points(4000, 2, 1), np.random.default_rng(1))
    assert np.array_equal(found.particles, again.particles)


def test_a_posterior_stays_inside_what_is_left_and_a_free_parameter_stays_free() -> None:
    likelihood = Likelihood.of([target("y0", 0.4, 0.05), target("y1", 0.6, 0.05)], linear())
    found = sample(likelihood, 3, 1000, seed=2)
    assert not_ruled_out(likelihood, found.particles).all()
    assert found.particles[:, 2].std() == pytest.approx(np.sqrt(1 / 12), rel=0.1)
    assert found.particles[:, 0].mean() == pytest.approx(0.4, abs=0.01)


def test_ninety_percent_intervals_cover_ninety_percent_of_truths() -> None:
    emulators = emulated({"a": lambda x: x[:, 0] + 0.3 * x[:, 1], "b": lambda x: x[:, 1] - x[:, 0]}, 2)
    base = Likelihood.of([target("a", 0.5, 0.1), target("b", 0.0, 0.1)], emulators)
    rng = np.random.default_rng(9)
    truths = rng.random((30, 2))
    hits = 0
    for truth, data in zip(truths, base.draw(emulators.predict(truths), rng), strict=True):
        low, high = sample(base.seeing(data), 2, 400, seed=1).quantiles(0.05, 0.95)
        hits += int(((low <= truth) & (truth <= high)).sum())
    assert 0.8 <= hits / truths.size <= 0.98


# ---- parts -----------------------------------------------------------------------------------------------------------


def test_the_beta_binomial_is_scipys_and_binomial_in_the_limit() -> None:
    k, n = np.arange(10.0), np.full(10, 9.0)
    share, var = 0.4, 0.03
    size = share * (1 - share) / var - 1
    known = betabinom.logpmf(k, 9, share * size, (1 - share) * size)
    assert beta_binomial_log(k, n, np.full(10, share), np.full(10, var)) == pytest.approx(known)
    assert beta_binomial_log(k, n, np.full(10, 0.4), np.zeros(10)) == pytest.approx(binom.logpmf(k, 9, 0.4), abs=0.01)


def test_weights_are_counted_and_resampled_as_they_say() -> None:
    assert effective_share(np.ones(7)) == pytest.approx(1.0)
    assert effective_share(np.array([1.0, 0.0, 0.0, 0.0])) == pytest.approx(0.25)
    rows = systematic(np.array([0.1, 0.6, 0.3]), 10, 0.5)
    assert np.bincount(rows).tolist() == [1, 6, 3]


@pytest.mark.parametrize(
    ("scale", "values"), [("logit", [5.0, 40.2]), ("log", [3.0, 9e4]), ("difference", [-1.0, 2.0])]
)
def test_scales_go_there_and_back(scale: str, values: list[float]) -> None:
    assert from_scale(to_scale(values, scale), scale) == pytest.approx(values)  # type: ignore[arg-type]
