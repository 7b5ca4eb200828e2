"""Register drift: the register's share of the survey may fall while the survey does not; and whom each calls worst."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import finished, live, simulated

from konvergensi.mechanisms import drift
from konvergensi.methods.register_ratio import ratio_draws, shipped_ratio
from konvergensi.model.convergence import ConvergenceModel

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
fit_register: Any = importlib.import_module("fit_register")
END: dict[str, Any] = {"end": "2021-12", "share": 0.03}
CALM = {"shocks.on": False}


def register(model: ConvergenceModel) -> pd.Series:
    """Register's percent by year, August."""
    table = finished(model).surveys
    table = table[(table["system"] == "e-PPGBM") & (table["level"] == "district")]
    table = table[table["fieldwork"].str.endswith("-08")]
    return pd.Series(table["percent"].to_numpy(float), table["fieldwork"].str[:4].astype(int))


def truth(model: ConvergenceModel) -> float:
    return model.prevalence()


def test_under_pressure_the_register_falls_and_the_children_do_not() -> None:
    none, full = (simulated(set=CALM | {"drift.pressure": at, "drift.step_share": 0.25}, **END) for at in (0.0, 1.0))
    ratio = register(full) / register(none)
    assert ratio.iloc[0] == pytest.approx(1.0)
    assert ratio.iloc[-1] < 0.9
    assert (np.diff(ratio) <= 0.02).all()
    assert truth(full) == pytest.approx(truth(none), abs=0.01)


def test_without_pressure_nothing_is_kept_out_and_a_review_that_looks_keeps_less_out() -> None:
    assert simulated(set=CALM | {"drift.pressure": 0.0}, **END).world.coordination.kept_out == 0.0
    kept = [
        simulated(set=CALM | {"drift.pressure": 1.0, "review.quality": looks}, **END).world.coordination.kept_out
        for looks in (0.0, 1.0)
    ]
    assert kept[1] < kept[0]


def test_a_figure_that_falls_as_demanded_presses_nobody() -> None:
    world = live(end="2018-01", share=0.005, set=CALM | {"drift.pressure": 1.0}).world
    for later, moved in ((8.0, False), (10.0, True)):
        world.coordination.kept_out = 0.0
        first, last = world.month - 13, world.month - 1
        world.coordination.published = [(first, "e-PPGBM", 10.0), (last, "e-PPGBM", later)]
        drift.press(world)
        assert (world.coordination.kept_out > 0.0) is moved
    assert drift.kept_out(world, 0.5) > 0.5


def test_the_shipped_fit_is_what_the_evidence_gives() -> None:
    assert fit_register.main(["--check"]) == 0


def test_the_ratio_of_a_district_is_wide_and_what_is_known_of_it_narrows_it() -> None:
    fit = shipped_ratio()
    nothing, known = (ratio_draws(fit, [2022], 4000, 1, of)[:, 0] for of in (((), ()), ((2018, 2021), (0.2, 0.2))))
    low, high = np.quantile(nothing, [0.1, 0.9])
    assert low == pytest.approx(0.12, abs=0.06)  # Jawa Barat 2022: 0.12 to 0.57
    assert high == pytest.approx(0.57, abs=0.15)
    assert np.log(known).std() < np.log(nothing).std()
    assert np.median(known) < np.median(nothing)


def test_later_years_are_less_sure() -> None:
    draws = np.log(ratio_draws(shipped_ratio(), [2022, 2030], 4000, 1))
    assert draws[:, 1].std() > draws[:, 0].std()


def test_the_default_pressure_is_the_fall_that_was_fitted() -> None:
    settings = live(end="2018-01", share=0.005).world.settings
    fall = settings["drift.pressure"] * settings["drift.step_share"]
    assert fall == pytest.approx(-shipped_ratio().slope, abs=0.001)


def test_a_run_names_the_worst_villages_by_register_and_in_truth() -> None:
    run = finished(simulated(set=CALM, **END))
    table = run.worst_villages(10)
    assert len(table) == 10
    assert 0 <= table["in_both"].iloc[0] < 10  # the register does not find them all
    assert set(table["by_register"]) <= set(run.villages["village"] + ", " + run.villages["kecamatan"])
    with pytest.raises(ValueError, match="at least 1"):
        run.worst_villages(0)
