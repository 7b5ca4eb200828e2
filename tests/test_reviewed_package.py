"""The reviewed package of ten interventions at 90 percent coverage, under the default rules."""

import fit_combination as package
import pytest

from konvergensi.analyses.trial import PAIR_RULES, trial
from konvergensi.inputs.structures import load_structures


@pytest.fixture(scope="module")
def falls() -> dict[str, float]:
    world = package.at_end_of_2018({})
    return {rule: package.fall(world, share)[0] for rule, share in package.RULES.items()}


@pytest.mark.slow
def test_the_members_at_90_percent_bring_the_reviewed_fall_inside_its_interval(falls: dict[str, float]) -> None:
    goal, low, high = package.reviewed()
    assert low < goal < high
    assert low <= falls["additive"] <= high


@pytest.mark.slow
def test_less_together_falls_less_and_more_falls_more(falls: dict[str, float]) -> None:
    assert falls["substitutes"] < falls["additive"] < falls["reinforcing"]


@pytest.mark.slow
def test_no_rule_weighs_more_than_the_one_that_the_review_makes_likeliest(falls: dict[str, float]) -> None:
    mean = dict.fromkeys(falls, 0.0)
    for part in package.PARTS:
        for rule, weight in package.weights(falls, *package.reviewed(), part).items():
            mean[rule] += weight / len(package.PARTS)
    stated = load_structures()["combination"].weights
    assert max(stated, key=lambda rule: stated[rule]) == max(mean, key=lambda rule: mean[rule])


def test_a_trial_of_a_pair_tells_the_rules_of_combination_apart() -> None:
    found = trial("pmba+sq-lns", n=4000).combined
    assert tuple(found) == PAIR_RULES
    assert found["substitutes"].high < found["additive"].value < found["reinforcing"].value
