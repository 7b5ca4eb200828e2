"""PRIM: planted boxes are found, noise is not, and nothing but the order of values matters."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from konvergensi.methods.boxes import Fit, Limit, fit, inside, outside, quasi_p, relaxed, union
from konvergensi.methods.prim import LEAST_SHARE, Rule, correlation, find_boxes, strongest

Table = tuple[pd.DataFrame, np.ndarray, np.ndarray]


def planted(runs: int, factors: int, seed: int, wrong: float = 0.05) -> Table:
    """Uniform factors; inside f00 > 0.6 and f01 < 0.5 it happens, elsewhere not, and `wrong` of the runs are turned."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.random((runs, factors)), columns=[f"f{i:02}" for i in range(factors)])
    true = ((x["f00"] > 0.6) & (x["f01"] < 0.5)).to_numpy()
    return x, true ^ (rng.random(runs) < wrong), true


# ---- boxes ---------------------------------------------------------------------------------------------------------


def test_a_box_holds_what_it_asks_for_ends_included() -> None:
    x = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": ["p", "q", "q", "r"]})
    assert inside({"a": Limit(2.0, 3.0)}, x).tolist() == [False, True, True, False]
    assert inside({"a": Limit(2.0), "b": Limit(levels=("p", "r"))}, x).tolist() == [False, False, False, True]
    assert inside({}, x).all() and not union([], x).any()


def test_coverage_density_and_mass_by_hand() -> None:
    found = fit(np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool))
    assert (found.coverage, found.density, found.mass, found.base) == pytest.approx((2 / 3, 2 / 3, 0.6, 0.6))


def test_quasi_p_is_the_binomial_tail_against_the_box_without_the_restriction() -> None:
    """Inside 3 of 3; without `a` 3 of 4, so (3/4)^3; without `b` 3 of 6, so (1/2)^3."""
    x = pd.DataFrame({"a": [1, 1, 1, 0, 1, 1, 1], "b": [1, 1, 1, 1, 0, 0, 0]}, dtype=float)
    interest = np.array([1, 1, 1, 0, 0, 0, 0], bool)
    found = quasi_p(outside({"a": Limit(0.5), "b": Limit(0.5)}, x), interest)
    assert found == {("a", "low"): pytest.approx(0.75**3), ("b", "low"): pytest.approx(0.5**3)}


def test_giving_up_one_side_keeps_the_other() -> None:
    box = {"a": Limit(1.0, 2.0), "b": Limit(levels=("p",))}
    assert relaxed(box, "a", "low") == {"a": Limit(high=2.0), "b": Limit(levels=("p",))}
    assert relaxed(relaxed(box, "a", "low"), "a", "high") == {"b": Limit(levels=("p",))}
    assert relaxed(box, "b", "levels") == {"a": Limit(1.0, 2.0)}


# ---- what is planted is found --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("runs", "factors"), [(400, 10), (600, 100)])
def test_a_planted_box_is_found_among_useless_factors(runs: int, factors: int, seed: int) -> None:
    """Its two factors and no other, edges within 0.06, nine in ten of its runs, and nine in ten inside are its own."""
    x, interest, true = planted(runs, factors, seed)
    (found,) = find_boxes(x, interest)
    assert set(found.box) == {"f00", "f01"}
    assert found.box["f00"].low == pytest.approx(0.6, abs=0.06) and found.box["f00"].high == np.inf
    assert found.box["f01"].high == pytest.approx(0.5, abs=0.06) and found.box["f01"].low == -np.inf
    where = fit(inside(found.box, x), true)
    assert where.coverage >= 0.9 and where.density >= 0.9
    assert found.fit == fit(inside(found.box, x), interest)
    assert found.fit.coverage >= 0.7 and found.fit.density >= 0.85  # of what was seen, a twentieth of it turned


def test_a_box_in_the_middle_of_a_factor_is_found() -> None:
    rng = np.random.default_rng(3)
    x = pd.DataFrame({"a": rng.random(500), "b": rng.random(500)})
    (found,) = find_boxes(x, x["a"].between(0.4, 0.6).to_numpy())
    assert (found.box["a"].low, found.box["a"].high) == pytest.approx((0.4, 0.6), abs=0.03)
    assert found.fit.density >= 0.95 and found.fit.coverage >= 0.95


def test_a_box_of_levels_is_found() -> None:
    """Text, true or false, and whole numbers of three values, among numbers that do nothing."""
    rng = np.random.default_rng(4)
    x = pd.DataFrame(rng.random((400, 5)), columns=list("vwxyz"))
    x["rule"] = rng.choice(["additive", "threshold", "multiplicative"], 400)
    x["on"] = rng.random(400) < 0.5
    x["times"] = rng.integers(1, 4, 400)
    true = (x["rule"] != "additive") & x["on"] & (x["times"] >= 2)
    (found,) = find_boxes(x, true.to_numpy())
    assert found.box.keys() == {"rule", "on", "times"}
    assert set(found.box["rule"].levels or ()) == {"threshold", "multiplicative"}
    assert found.box["on"].levels == (True,) and found.box["times"].low == 2
    assert found.fit.coverage == found.fit.density == 1.0


def test_two_boxes_are_found_one_after_the_other() -> None:
    rng = np.random.default_rng(5)
    x = pd.DataFrame(rng.random((800, 6)), columns=list("abcdef"))
    true = ((x["a"] > 0.75) | ((x["b"] < 0.3) & (x["c"] < 0.5))).to_numpy()
    found = find_boxes(x, true)
    assert len(found) == 2 and {frozenset(each.box) for each in found} == {frozenset("a"), frozenset("bc")}
    together = fit(union([each.box for each in found], x), true)
    assert together.coverage >= 0.95 and together.density >= 0.95
    assert found[1].fit.runs == 800 - found[0].fit.support  # sought among what was left


def test_noise_holds_no_box() -> None:
    """Thirty factors, none of which matters: a box in at most one of twelve samples."""
    boxes = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x = pd.DataFrame(rng.random((150, 30)), columns=[f"f{i:02}" for i in range(30)])
        boxes += bool(find_boxes(x, rng.random(150) < 0.4))
    assert boxes <= 1


# ---- the way to it -------------------------------------------------------------------------------------------------


def test_the_way_begins_with_all_runs_and_gives_up_coverage_for_density() -> None:
    x, interest, _ = planted(300, 5, 1)
    found = find_boxes(x, interest)[0]
    fits = [step.fit for step in found.trajectory]
    assert fits[0].mass == 1.0 and fits[0].density == interest.mean()
    assert all(later.coverage <= now.coverage for now, later in itertools.pairwise(fits))
    assert all(0.9 * now.support <= later.support < now.support for now, later in itertools.pairwise(fits))  # patient
    assert fits[-1].density > 3 * fits[0].density
    assert fits[-1].support >= LEAST_SHARE * len(x)
    assert all(fit(inside(step.box, x), interest) == step.fit for step in found.trajectory)


def test_the_rule_by_density_gives_the_fullest_box_that_dense_or_the_densest() -> None:
    fits = [Fit(100, 20, 100, 20), Fit(100, 20, 50, 20), Fit(100, 20, 24, 18), Fit(100, 20, 12, 10)]
    assert [Rule(density).choose(fits) for density in (0.2, 0.3, 0.7, 0.8, 0.99)] == [0, 1, 2, 3, 3]


def test_the_rule_without_a_number_is_the_correlation_of_two_columns() -> None:
    where, interest = np.array([1, 1, 1, 0, 0, 0, 0], bool), np.array([1, 1, 0, 1, 0, 0, 0], bool)
    assert correlation(fit(where, interest)) == pytest.approx(np.corrcoef(where, interest)[0, 1])
    assert correlation(fit(np.ones(4, bool), np.array([1, 0, 1, 0], bool))) == 0.0


def test_a_higher_density_asked_for_gives_a_denser_box() -> None:
    rng = np.random.default_rng(6)
    x = pd.DataFrame(rng.random((600, 4)), columns=list("abcd"))
    interest = rng.random(600) < 2 * x["a"].to_numpy() - 1  # more and more often, no edge
    usual, denser = (find_boxes(x, interest, rule)[0].fit for rule in (Rule(), Rule(0.8)))
    assert denser.density >= 0.8 > usual.density and denser.coverage < usual.coverage


def test_the_factors_that_separate_are_looked_at_first() -> None:
    x, interest, _ = planted(200, 100, 2)
    looked = strongest(x, interest)
    assert len(looked) == 10 and set(looked[:2]) == {"f00", "f01"}
    x["useless"], x["telling"] = "same", np.where(interest, "p", "q")
    assert strongest(x, interest)[0] == "telling" and "useless" not in strongest(x, interest)


# ---- nothing but order matters -------------------------------------------------------------------------------------

small = st.integers(0, 10_000).map(lambda seed: planted(120, 4, seed, wrong=0.1)[:2])


@settings(max_examples=15, deadline=None)
@given(small, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_changes_nothing(table: tuple[pd.DataFrame, np.ndarray], random) -> None:
    x, interest = table
    rows, columns = list(range(len(x))), list(x)
    random.shuffle(rows)
    random.shuffle(columns)
    before, after = find_boxes(x, interest), find_boxes(x.iloc[rows][columns], interest[rows])
    assert [(dict(each.box), each.fit) for each in before] == [(dict(each.box), each.fit) for each in after]


@settings(max_examples=15, deadline=None)
@given(small, st.sampled_from([np.exp, np.cbrt, lambda v: 1000.0 * v - 7.0, lambda v: -1.0 / (v + 1.0)]))
def test_a_monotone_scale_moves_the_edges_with_it_and_keeps_the_runs(table, scale) -> None:
    x, interest = table
    x = (1024 * x).round() / 1024  # so that values that differ still do after scaling
    before, after = find_boxes(x, interest), find_boxes(x.assign(f00=scale(x["f00"])), interest)
    assert len(before) == len(after)
    for one, other in zip(before, after):
        assert one.fit == other.fit and [s.fit for s in one.trajectory] == [s.fit for s in other.trajectory]
        assert one.box.keys() == other.box.keys()
        for factor, limit in one.box.items():
            ends = np.array([limit.low, limit.high])
            moved = np.where(np.isfinite(ends), scale(np.where(np.isfinite(ends), ends, 0.0)), ends)
            expected = moved if factor == "f00" else ends
            assert [other.box[factor].low, other.box[factor].high] == pytest.approx(list(expected))
