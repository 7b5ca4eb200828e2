"""The tree finds planted splits; the check says of boxes and leaves whether they stand on runs held back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_discovery_prim import planted

from konvergensi.methods import tree
from konvergensi.methods.box_check import Check, check
from konvergensi.methods.boxes import Box, fit, inside, union
from konvergensi.methods.prim import LEAST_RUNS, find_boxes


def prim_search(x: pd.DataFrame, interest: np.ndarray) -> list[Box]:
    return [each.box for each in find_boxes(x, interest)]


def tree_search(x: pd.DataFrame, interest: np.ndarray) -> list[Box]:
    return tree.boxes(tree.grow(x, interest))


SEARCHES = pytest.mark.parametrize("search", [prim_search, tree_search], ids=["prim", "tree"])


# ---- the tree ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_split_is_found(seed: int) -> None:
    """The first question is one of the two planted, and one leaf holds nine in ten of what is planted."""
    x, interest, true = planted(400, 12, seed)
    root = tree.grow(x, interest)
    assert root.factor in ("f00", "f01")
    best = root.of_interest()[0]
    assert {"f00", "f01"} <= best.box.keys()
    assert best.box["f00"].low == pytest.approx(0.6, abs=0.06) and best.box["f01"].high == pytest.approx(0.5, abs=0.06)
    where = fit(inside(best.box, x), true)
    assert where.coverage >= 0.9 and where.density >= 0.9


def test_leaves_share_out_the_runs_and_count_what_lies_in_their_boxes() -> None:
    x, interest, _ = planted(300, 6, 1)
    root = tree.grow(x, interest)
    leaves = list(root.leaves())
    held = np.array([inside(leaf.box, x) for leaf in leaves])
    assert len(leaves) > 2 and (held.sum(axis=0) == 1).all()
    assert all(leaf.fit == fit(where, interest) for leaf, where in zip(leaves, held))
    assert sum(leaf.fit.hits for leaf in leaves) == root.fit.hits == interest.sum()
    assert min(leaf.fit.support for leaf in leaves) >= LEAST_RUNS


def test_levels_and_true_or_false_are_asked_by_name() -> None:
    rng = np.random.default_rng(2)
    x = pd.DataFrame({"rule": rng.choice(["additive", "threshold", "other"], 300), "on": rng.random(300) < 0.5})
    x["noise"] = rng.random(300)
    true = ((x["rule"] == "threshold") & x["on"]).to_numpy()
    (leaf,) = tree.grow(x, true).of_interest()
    assert leaf.box["rule"].levels == ("threshold",) and leaf.box["on"].levels == (True,)
    assert leaf.fit.coverage == leaf.fit.density == 1.0


def test_levels_that_are_left_after_a_no_are_all_the_others() -> None:
    rng = np.random.default_rng(3)
    x = pd.DataFrame({"rule": rng.choice(list("abcd"), 300), "noise": rng.random(300)})
    (leaf,) = tree.grow(x, (x["rule"] != "b").to_numpy()).of_interest()
    assert leaf.box["rule"].levels == ("a", "c", "d")


def test_noise_grows_no_tree() -> None:
    grown = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = pd.DataFrame(rng.random((150, 20)), columns=[f"f{i:02}" for i in range(20)])
        grown += bool(tree_search(x, rng.random(150) < 0.4))
    assert grown <= 2


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_the_tree(seed: int, random) -> None:
    x, interest, _ = planted(100, 3, seed)
    rows = list(range(len(x)))
    random.shuffle(rows)
    assert tree.grow(x, interest) == tree.grow(x.iloc[rows], interest[rows])


# ---- does it stand? ------------------------------------------------------------------------------------------------


@SEARCHES
def test_what_is_planted_stands_and_is_found_again(search) -> None:
    x, interest, _ = planted(250, 8, 1)
    found = check(search, x, interest)
    assert found.verdict == "stands" and found.found == 1.0
    assert (
        found.recurs["f00"] == found.recurs["f01"] == 1.0 and max(found.recurs[f"f{i:02}"] for i in range(2, 8)) < 0.5
    )
    assert found.density >= 0.8 and found.coverage >= 0.7
    assert found.low < found.density < found.high and found.base == interest.mean()
    seen = fit(union(search(x, interest), x), interest)
    assert found.density < seen.density + 0.02  # runs that were held back flatter nobody


@SEARCHES
@pytest.mark.parametrize("seed", range(3))
def test_noise_does_not_stand(search, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.random((120, 10)), columns=list("abcdefghij"))
    assert check(search, x, rng.random(120) < 0.5).verdict != "stands"


def test_a_search_that_follows_chance_is_seen_through() -> None:
    """It takes the densest of all boxes on the way: dense where it looked, and not elsewhere."""

    def credulous(x: pd.DataFrame, interest: np.ndarray) -> list[Box]:
        return [max((step.box for step in _steps(x, interest)), key=lambda box: fit(inside(box, x), interest).density)]

    rng = np.random.default_rng(7)
    x = pd.DataFrame(rng.random((200, 12)), columns=list("abcdefghijkl"))
    interest = rng.random(200) < 0.3
    seen = fit(union(credulous(x, interest), x), interest)
    found = check(credulous, x, interest)
    assert seen.density > 0.8 and found.density < 0.45 and found.verdict != "stands"


def _steps(x: pd.DataFrame, interest: np.ndarray) -> list:
    from konvergensi.methods.prim import _peel

    return list(_peel(x, interest, 10))


def test_a_search_that_finds_nothing_falls() -> None:
    x, interest, _ = planted(60, 2, 1)
    found = check(lambda x, y: [], x, interest)
    assert found.verdict == "falls" and found.found == 0.0 and found.coverage == 0.0 and np.isnan(found.density)


@pytest.mark.parametrize(
    ("density", "low", "verdict"),
    [(0.8, 0.5, "stands"), (0.8, 0.3, "unsure"), (0.3, 0.1, "falls"), (np.nan, np.nan, "falls")],
)
def test_the_verdict_compares_with_the_share_of_all_runs(density: float, low: float, verdict: str) -> None:
    assert Check(0.4, density, low, 0.9, 0.5, 1.0, {}).verdict == verdict


def test_the_check_does_not_depend_on_the_order_of_rows() -> None:
    x, interest, _ = planted(80, 3, 2)
    rows = np.random.default_rng(1).permutation(len(x))
    assert check(prim_search, x, interest) == check(prim_search, x.iloc[rows], interest[rows])
