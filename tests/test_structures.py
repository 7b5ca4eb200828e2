"""Rules that evidence cannot choose between: stated weights, drawn like parameters."""

import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import konvergensi as kv
from konvergensi.analyses.gaps_plan import make_plan
from konvergensi.analyses.sensitivity import sensitivity, with_rules
from konvergensi.base.errors import InputError
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.structures import load_structures, structures_asked
from konvergensi.methods.factors import Factor
from konvergensi.methods.sobol import rules
from konvergensi.studies.study import Study

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


# ---- what draws them when nobody asks --------------------------------------------------------------------------------


def test_questions_draw_every_structure_unless_told_otherwise() -> None:
    for question in (kv.gaps, kv.compare, kv.explain):
        assert inspect.signature(question).parameters["structures"].default == "all"
    plan = make_plan("lebak", 1, 4, 0.02, "2018-01", "2018-12", False)
    assert plan.structures == tuple(STRUCTURES.values())


# ---- sensitivity: a factor with levels and weights -------------------------------------------------------------------

STUDY = Study(factors=(Factor("uptake.adherence_share", low=0.3, high=0.9),), population_share=0.005, end="2018-03")


def test_levels_of_a_factor_follow_its_weights() -> None:
    factor = Factor("growth.combination", "choice", values=("a", "b", "c"), weights=(0.5, 0.2, 0.3))
    codes = factor.codes(np.linspace(0, 1, 1000, endpoint=False))
    assert np.bincount(codes.astype(int)).tolist() == [500, 200, 300]
    assert [factor.value(code) for code in factor.codes(np.array([0.0, 0.6, 0.999]))] == ["a", "b", "c"]


def test_sensitivity_adds_the_rules_asked_for_and_leaves_those_a_study_varies() -> None:
    found = with_rules(STUDY, "all")
    assert isinstance(found, Study)
    assert [each.key for each in found.factors[1:]] == [each.key for each in STRUCTURES.values()]
    again = with_rules(found, "reach")
    assert again == found and with_rules(STUDY, "default") is STUDY
    with pytest.raises(InputError, match="name them among its factors"):
        with_rules(Study(model="ishigami", districts=("unit-cube",), scenarios=("value",)), "all")


def test_sensitivity_says_how_much_a_rule_moves(tmp_path: Path) -> None:
    found = sensitivity(STUDY, "morris", out=tmp_path, output="prevalence", draws=4, structures="reading", workers=1)
    assert set(found.sensitivity["factor"]) >= {"effects.reading", "uptake.adherence_share"}
