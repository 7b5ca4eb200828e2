"""The fitted draws that come with the package belong to the model that comes with it."""

import numpy as np
import pytest

from konvergensi.calibration.calibrate import Calibration, read_calibration
from konvergensi.calibration.fitted import changed_since, fitted_for
from konvergensi.calibration.recheck import differing
from konvergensi.inputs.districts import find_district

SHIPPED = ("lebak", "kota-banjar")


@pytest.fixture(scope="module", params=SHIPPED)
def calibration(request: pytest.FixtureRequest) -> Calibration:
    return read_calibration(request.param)


def test_a_draw_lived_again_comes_out_as_it_was_kept(calibration: Calibration) -> None:
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
    """When this fails and nothing moved: python calibration/recheck_fitted.py; else calibrate again."""
    place = find_district(district)
    fitted = fitted_for(place)
    assert fitted is not None and changed_since(fitted.manifest, place) == []
