import csv
import tomllib
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.observe import who

Z = st.floats(-6, 6)
SEX = st.integers(0, 1)
AGE = st.floats(0, 60)


def table_rows() -> list[dict[str, str]]:
    with resources.files("konvergensi.observe").joinpath("who_lms_lhfa.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@given(Z, SEX, AGE)
def test_length_and_z_are_inverse(z: float, sex: int, age: float) -> None:
    assert who.laz(who.length_cm(z, sex, age), sex, age) == pytest.approx(z, abs=1e-9)


@given(Z, Z, SEX, AGE)
def test_a_higher_z_is_a_longer_child(z: float, other: float, sex: int, age: float) -> None:
    low, high = sorted([z, other])
    assert who.length_cm(low, sex, age) <= who.length_cm(high, sex, age)


def test_a_child_on_its_curve_never_shrinks_except_by_standing_up() -> None:
    age = np.linspace(0, 60, 601)
    for sex in (0, 1):
        steps = np.diff(who.length_cm(0.0, sex, age))
        assert list(np.flatnonzero(steps <= 0)) == [239]  # from 23.9 to 24.0 months


@pytest.mark.parametrize(("z", "column"), [(-2.0, "cutoff_minus2SD_cm"), (-3.0, "cutoff_minus3SD_cm")])
def test_the_cut_offs_are_the_published_ones(z: float, column: str) -> None:
    rows = [row for row in table_rows() if (row["age_months"], row["position"]) != ("24", "length")]
    sex = [("male", "female").index(row["sex"]) for row in rows]
    age = [int(row["age_months"]) for row in rows]
    assert len(rows) == 122
    np.testing.assert_allclose(who.length_cm(z, sex, age), [float(row[column]) for row in rows], atol=0.0006)


def test_at_24_months_the_child_stands_and_just_before_it_still_lies() -> None:
    assert who.length_cm(0.0, 0, 24) == pytest.approx(87.1303)
    assert who.length_cm(0.0, 0, 24 - 1e-9) == pytest.approx(87.8161)
    for sex in (0, 1):
        drop = who.length_cm(0.0, sex, 24 - 1e-9) - who.length_cm(0.0, sex, 24)
        assert drop == pytest.approx(who.LYING_MINUS_STANDING_CM, abs=0.02)


def test_a_fractional_age_lies_between_its_neighbours() -> None:
    assert who.length_cm(0.0, 0, 0.5) == pytest.approx((49.8842 + 54.7244) / 2)


@pytest.mark.parametrize("age", [-0.1, 60.1, float("nan")])
def test_an_age_outside_the_table_is_refused(age: float) -> None:
    with pytest.raises(ValueError, match="0 to 60"):
        who.length_cm(0.0, 0, age)


@pytest.mark.parametrize("age", [-1, 61])
def test_a_child_not_yet_born_or_over_five_is_not_measured(age: int) -> None:
    z, sex, _, normal = children(3)
    with pytest.raises(ValueError, match="0 to 60"):
        who.measured_laz(z, sex, np.array([0, age, 60], dtype=np.int16), normal, 0.8)


def children(n: int = 5000) -> tuple[who.F32, np.ndarray, np.ndarray, who.F32]:
    rng = np.random.default_rng(1)
    z = rng.normal(-1.5, 1.15, n).astype(np.float32)
    normal = rng.standard_normal(n, dtype=np.float32)
    return z, rng.integers(0, 2, n).astype(np.int8), rng.integers(0, 61, n).astype(np.int16), normal


def test_without_error_the_truth_is_measured() -> None:
    z, sex, age, normal = children()
    np.testing.assert_array_equal(who.measured_laz(z, sex, age, normal, 0.0), z)


def test_the_fast_path_is_the_long_way_through_centimetres() -> None:
    z, sex, age, normal = children()
    long_way = who.laz(who.length_cm(z, sex, age) + 0.8 * normal + 1.5, sex, age)
    np.testing.assert_allclose(who.measured_laz(z, sex, age, normal, 0.8, 1.5), long_way, atol=2e-5)
    no_age_error = np.zeros_like(z)
    np.testing.assert_allclose(who.measured_laz(z, sex, age, normal, 0.8, 1.5, no_age_error), long_way, atol=2e-5)


def test_a_bias_may_differ_by_child() -> None:
    z, sex, age, normal = children()
    bias = np.where(sex == 1, 2.0, 0.0).astype(np.float32)
    measured = who.measured_laz(z, sex, age, normal, 0.0, bias)
    assert (measured[sex == 1] > z[sex == 1]).all()
    np.testing.assert_array_equal(measured[sex == 0], z[sex == 0])


def test_a_child_recorded_too_old_looks_too_short() -> None:
    z, sex, age, normal = children()
    older = who.measured_laz(z, sex, age, normal, 0.0, age_error_months=np.full_like(z, 0.5))
    assert (older[age < 60] < z[age < 60]).all()
    np.testing.assert_allclose(older[age == 60], z[age == 60], atol=1e-5)  # the table ends at 60 months


def test_a_wrong_age_at_24_months_moves_z_by_the_age_and_not_by_the_position() -> None:
    z, sex, _, normal = children()
    age = np.full(z.size, 24, dtype=np.int16)
    younger = who.measured_laz(z, sex, age, normal, 0.0, age_error_months=np.full_like(z, -0.1))
    assert np.abs(younger - z).max() < 0.06


def test_the_default_error_is_a_third_of_a_z_at_6_to_15_months() -> None:
    z, sex, _, normal = children()
    age = np.random.default_rng(2).integers(6, 16, z.size).astype(np.int16)
    text = resources.files("konvergensi.mechanisms").joinpath("measurement.toml").read_text(encoding="utf-8")
    error_cm = tomllib.loads(text)["survey_error_cm"]["value"]
    error_z = who.measured_laz(z, sex, age, normal, error_cm) - z
    assert error_z.std() == pytest.approx(0.34, abs=0.05)  # growth_dynamics.csv: 0.34 (0.3 to 0.4)
