"""Rules that evidence cannot choose between: stated weights, drawn like parameters."""

import numpy as np
import pandas as pd
import pytest

from konvergensi.analyses.gaps_plan import make_plan
from konvergensi.base.errors import InputError
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.structures import load_structures, structures_asked
from konvergensi.methods.sobol import rules

STRUCTURES = load_structures()


@pytest.mark.parametrize("each", STRUCTURES.values(), ids=list(STRUCTURES))
def test_every_structure_is_a_choice_of_the_model_with_weights_that_sum_to_one(each) -> None:  # type: ignore[no-untyped-def]
    assert set(each.weights) <= set(load_parameters()[each.key].choices)
    assert sum(each.weights.values()) == pytest.approx(1.0)
    assert load_parameters()[each.key].value in each.weights
    assert each.settles["en"] and each.settles["id"]


def test_draws_follow_the_weights() -> None:
    drawn = pd.DataFrame(rules(tuple(STRUCTURES.values()), 512))
    for each in STRUCTURES.values():
        for choice, weight in each.weights.items():
            assert (drawn[each.key] == choice).mean() == pytest.approx(weight, abs=0.03)


def test_a_longer_series_of_draws_begins_with_the_shorter_one() -> None:
    asked = structures_asked("all")
    assert rules(asked, 16)[:8] == rules(asked, 8)


def test_asking_for_structures_leaves_the_draws_of_numbers_as_they_are() -> None:
    plain, both = (make_plan("lebak", 1, 4, 0.02, "2018-01", "2018-12", False, text) for text in ("default", "all"))
    keys = {each.key for each in STRUCTURES.values()}
    for at, job in plain.drawn.items():
        more = dict(both.drawn[at].set)
        assert {key: value for key, value in more.items() if key not in keys} == dict(job.set)
        assert keys <= set(more)


@pytest.mark.parametrize(("given", "near"), [("reech", "reach"), ("everything", "all, default, reach")])
def test_an_unknown_structure_is_refused_with_the_names_there_are(given: str, near: str) -> None:
    with pytest.raises(InputError, match=near):
        structures_asked(given)


def test_one_structure_is_asked_for_by_name_or_key() -> None:
    assert structures_asked("dose") == structures_asked("effects.dose_response") == (STRUCTURES["dose"],)
    assert structures_asked("default") == ()


def test_without_structures_nothing_is_chosen() -> None:
    assert rules((), 3) == [{}, {}, {}]
    assert np.all([not each for each in rules((), 5)])
