"""The contrast of early and late priority districts: what is shipped, and that the estimator finds what was put in."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from konvergensi.inputs import country

ROOT = Path(__file__).resolve().parents[1]


def shipped():
    return pd.read_csv(country.folder() / "waves.csv")


@pytest.fixture
def waves(monkeypatch):
    pytest.importorskip("diff_diff")
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import waves

    yield waves
    sys.modules.pop("waves", None)


def test_every_contrast_is_shown_by_base_scale_and_control_with_its_own_pre_trend():
    table = shipped()
    counts = table.groupby("kind").size()
    assert counts["effect"] == 4 * 3 * 3 * 3 and counts["pre-trend"] == 4 * 3 and counts["bound"] == 9
    found = table[table["kind"] != "bound"]
    assert (found["low"] < found["estimate"]).all() and (found["estimate"] < found["high"]).all()


def test_bounds_widen_with_what_trends_may_differ_and_hold_zero_when_they_may_differ_as_before():
    bound = shipped().query("kind == 'bound'")
    for _, part in bound.groupby("outcome"):
        assert (np.diff((part["high"] - part["low"]).to_numpy()) > 0).all()
    as_before = bound[bound["M"] == 1.0]
    assert (as_before["low"] < 0).all() and (as_before["high"] > 0).all()


def made_up(waves, effect, confounded, seed=1):
    """Districts with a known effect; where confounded, poor ones are early and fall faster by themselves."""
    rng = np.random.default_rng(seed)
    n = 400
    table = pd.DataFrame(rng.standard_normal((n, len(waves.COVARIATES))), columns=list(waves.COVARIATES))
    table["early"] = (rng.random(n) < 1 / (1 + np.exp(-confounded * table["poverty"]))).astype(int)
    table["province"] = [f"p{at}" for at in rng.integers(0, 30, n)]
    before = pd.Series(30 + 4 * rng.standard_normal(n))
    after = before - 5 - 3.0 * confounded * table["poverty"] + effect * table["early"] + rng.standard_normal(n)
    return table, before, after


@pytest.mark.parametrize("effect", [0.0, -3.0])
def test_the_estimator_finds_a_known_effect_where_the_poor_were_chosen_and_a_plain_difference_does_not(waves, effect):
    table, before, after = made_up(waves, effect, confounded=0.7)
    found, se, n = waves.contrast(table, before, after, covariates=True)
    plain, _, _ = waves.contrast(table, before, after, covariates=False)
    assert n == 400 and abs(found - effect) < 3.5 * se
    assert abs(plain - effect) > 0.6


def test_districts_of_unknown_status_are_left_out_and_blanks_are_not_filled(waves):
    table = waves.panel()
    assert len(table) == 512 and set(table["early"]) == {0, 1}
    assert table["y2022"].isna().sum() > 100
    before, after = table["y2017"], table["y2022"]
    assert waves.contrast(table, before, after, covariates=False)[2] == after.notna().sum()
