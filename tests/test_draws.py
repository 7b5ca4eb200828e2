import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.world.draws import Draws, entity_keys, mix

N = 200_000
DRAWS = Draws(7)
KEYS = entity_keys("child", np.arange(N))


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


# Tolerance of a correlation of N independent pairs: five standard errors of 1 / sqrt(N).
INDEPENDENT = 5 / np.sqrt(N)


def test_uniform_draws_fill_every_hundredth_alike() -> None:
    counts = np.bincount((DRAWS.uniform("sex", 0, KEYS) * 100).astype(int), minlength=100)
    chi_square = float(((counts - N / 100) ** 2 / (N / 100)).sum())
    assert 50 < chi_square < 160  # 99 degrees of freedom: mean 99, SD 14


def test_uniform_draws_stay_below_one_and_reach_zero() -> None:
    assert DRAWS.uniform("edge", 0, entity_keys("many", np.arange(2_000_000))).max() < 1.0
    lowest = np.array([0], np.uint32)  # the hash is a bijection, so some key draws exactly 0
    assert mix(lowest.copy())[0] == 0


def test_draws_are_the_stored_ones() -> None:
    """All results hang on them, and compiled loops of other files that call the hash would not see that it changed."""
    keys = entity_keys("household", np.arange(4))
    assert keys.tolist() == [535154398, 3072622578, 762353957, 2260556168]
    bits = DRAWS.bits("service pmba", 24_216, keys)
    assert bits.tolist() == [2562429639, 4192857668, 3606410155, 2908945914]
    assert DRAWS.halves("service pmba", 24_216, keys).tolist() == (bits >> np.uint32(16)).tolist()
    uniform = DRAWS.uniform("staff a", 3, keys)
    assert uniform.tolist() == [0.54008549451828, 0.6921888589859009, 0.36995941400527954, 0.5362730622291565]
    assert [DRAWS.uniform_of("staff a", 3, key) for key in keys.tolist()] == uniform.tolist()


@pytest.mark.parametrize("decision", ["deviation", "birth size"])
def test_normal_draws_have_the_moments_of_a_standard_normal(decision: str) -> None:
    z = DRAWS.normal(decision, 3, KEYS).astype(np.float64)
    assert z.mean() == pytest.approx(0.0, abs=5 / np.sqrt(N))
    assert z.var() == pytest.approx(1.0, abs=5 * np.sqrt(2 / N))
    assert (z**3).mean() == pytest.approx(0.0, abs=5 * np.sqrt(15 / N))
    assert (z**4).mean() == pytest.approx(3.0, abs=5 * np.sqrt(96 / N))
    assert (z < -1.96).mean() == pytest.approx(0.025, abs=0.002)


def test_draws_of_different_decisions_months_and_seeds_are_independent() -> None:
    columns = [DRAWS.uniform(decision, 0, KEYS) for decision in ("a", "b", "attendance", "cohort", "cohort delay")]
    columns += [DRAWS.uniform("deviation", month, KEYS) for month in (24_000, 24_001, 24_002, 24_012)]
    columns += [Draws(seed).uniform("a", 0, KEYS) for seed in (0, 8, 2**31 - 1)]
    worst = max(abs(correlation(one, other)) for one, other in itertools.combinations(columns, 2))
    assert worst < INDEPENDENT


def test_neighbouring_months_do_not_repeat_a_childs_draw_in_any_bit() -> None:
    now, later = DRAWS.bits("x", 100, KEYS), DRAWS.bits("x", 101, KEYS)
    changed = np.unpackbits((now ^ later).view(np.uint8)).reshape(N, 32).mean(axis=0)
    assert np.abs(changed - 0.5).max() < 0.5 * INDEPENDENT + 0.002


def test_neighbouring_entities_draw_independently() -> None:
    u = DRAWS.uniform("x", 0, KEYS)
    assert all(abs(correlation(u[:-lag], u[lag:])) < INDEPENDENT for lag in (1, 2, 16, 345))


def test_the_two_halves_of_the_bits_are_independent() -> None:
    bits = DRAWS.bits("service pmba", 0, KEYS)  # delivery takes rank from one half and uptake from the other
    assert abs(correlation(bits >> np.uint32(16), bits & np.uint32(0xFFFF))) < INDEPENDENT


@given(st.lists(st.integers(0, N - 1), min_size=1, max_size=50))
def test_a_draw_belongs_to_its_entity_whoever_else_is_drawn_for(rows: list[int]) -> None:
    assert (DRAWS.uniform("x", 5, KEYS[rows]) == DRAWS.uniform("x", 5, KEYS)[rows]).all()
    assert (DRAWS.normal("x", 5, KEYS[rows]) == DRAWS.normal("x", 5, KEYS)[rows]).all()


def test_drawing_changes_neither_the_keys_nor_later_draws() -> None:
    before, first = KEYS.copy(), DRAWS.uniform("x", 1, KEYS)
    DRAWS.uniform("y", 2, KEYS)
    assert (before == KEYS).all()
    assert (first == DRAWS.uniform("x", 1, KEYS)).all()


def test_different_entities_have_different_keys_and_kinds_do_not_share_them() -> None:
    assert len(np.unique(KEYS)) == N
    assert (entity_keys("household", np.arange(N)) != KEYS).mean() > 0.999


@given(st.integers(0, 2**31 - 1), st.text(max_size=20), st.integers(0, 40_000))
def test_a_generator_belongs_to_seed_decision_and_month(seed: int, decision: str, month: int) -> None:
    one, same = Draws(seed).generator(decision, month), Draws(seed).generator(decision, month)
    assert one.random() == same.random()
    assert one.random() != Draws(seed).generator(decision, month + 1).random()


def test_global_random_state_is_neither_read_nor_changed() -> None:
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = Draws(7).normal("x", 0, KEYS[:10])
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert (Draws(7).normal("x", 0, KEYS[:10]) == first).all()


def test_a_sum_over_months_spreads_as_independent_draws_do() -> None:
    total = sum(DRAWS.normal("deviation", month, KEYS).astype(np.float64) for month in range(24_000, 24_036))
    assert np.var(total) == pytest.approx(36.0, rel=5 * np.sqrt(2 / N))
    assert (total**4).mean() / np.var(total) ** 2 == pytest.approx(3.0, abs=5 * np.sqrt(96 / N))
