"""The fitted draws that come with the package belong to the model that comes with it."""

import numpy as np
import pytest

from konvergensi.analyses.calibrate import Calibration, read_calibration, stages_of
from konvergensi.analyses.calibration import POSTERIOR, Analysis
from konvergensi.analyses.observed import Observation, predict_observed
from konvergensi.analyses.recheck import differing
from konvergensi.analyses.validation_checks import target_table
from konvergensi.inputs.districts import find_district
from konvergensi.results.fitted import changed_since, fitted_for

SHIPPED = ("lebak", "kota-banjar")


@pytest.fixture(scope="module", params=SHIPPED)
def calibration(request: pytest.FixtureRequest) -> Calibration:
    return read_calibration(request.param)


def test_a_draw_simulated_again_comes_out_as_it_was_kept(calibration: Calibration) -> None:
    assert differing(calibration, [1]) == []


def test_another_draw_is_noticed(calibration: Calibration) -> None:
    moved = calibration.draws.copy()
    moved.loc[0, "growth.level_shift_z"] += 0.2
    other = Calibration(calibration.study, calibration.runs, moved, calibration.manifest)
    assert any("survey" in line or "prevalence" in line for line in differing(other, [1]))


def test_weights_are_a_distribution_and_draws_lie_in_the_prior(calibration: Calibration) -> None:
    draws, space = calibration.draws, calibration.study.space
    assert draws["weight"].ge(0.0).all() and np.isclose(draws["weight"].sum(), 1.0)
    unit = space.unit(draws[list(space.keys)].to_numpy(float))
    assert (unit >= -1e-9).all() and (unit <= 1.0 + 1e-9).all()


@pytest.mark.parametrize("district", SHIPPED)
def test_the_manifest_names_the_model_it_was_fitted_under(district: str) -> None:
    """When this fails and nothing moved: python scripts/recheck_fitted.py; else calibrate again."""
    place = find_district(district)
    fitted = fitted_for(place)
    assert fitted is not None and changed_since(fitted.manifest, place) == []


@pytest.mark.slow
def test_an_observation_the_fit_has_seen_is_predicted_as_if_it_had_not() -> None:
    """Kota Banjar's survey of 2021 (23.9) drew the fit down; a survey of 2022 is no target."""
    calibration = read_calibration("kota-banjar")
    analysis = Analysis(calibration.study, calibration.runs, (*stages_of(calibration.study), POSTERIOR))
    common = {"area": "Kota Banjar", "measure_system": "SSGI", "source": "published"}
    seen, new = (Observation(year=year, percent=percent, **common) for year, percent in ((2021, 23.9), (2022, 19.3)))
    found = predict_observed(analysis, calibration.draws, [seen, new], {2019.0: 27.7, 2021.0: 24.4, 2022.0: 21.6})
    model = found[found["method"] == "model"].set_index("year")
    assert model["was_target"].tolist() == [True, False]
    fitted = target_table(analysis, calibration.draws["weight"].to_numpy(float)).set_index("id").loc["survey-2021"]
    assert model.loc[2021, "middle"] > fitted["middle"] + 0.3 and fitted["middle"] > 23.9
    assert set(found["method"]) == {"model", "last value", "national trend"}
