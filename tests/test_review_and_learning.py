from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import finished, forced, simulated
from fake_agencies import DEFAULTS, council, shares, within_ranges
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.mechanisms import actions, goals, review
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.coordination import Done

TINY = 0.003
NOW = 2020 * 12
TARGET = 14.0
figures = st.lists(
    st.tuples(st.integers(NOW - 40, NOW + 40), st.sampled_from(["e-PPGBM", "SSGI", "SKI"]), st.floats(0.0, 100.0)),
    max_size=12,
)


def learner(
    published: list[tuple[int, str, float]], changes: dict[str, Any] | None = None, attention: float = 0.0
) -> Any:
    """A world with published figures and nothing else: there is no child in it to look at."""
    return SimpleNamespace(
        month=NOW,
        settings=forced(DEFAULTS, {"review.target_percent": TARGET} | (changes or {})),
        coordination=SimpleNamespace(published=published, attention=attention, effect=lambda action, settings: 1.0),
    )


def attention_after(published: list[tuple[int, str, float]], effect: float = 1.0, **changes: Any) -> float:
    world = learner(published, {f"review.{name}": value for name, value in changes.items()})
    review.learn(world, effect)
    return float(world.coordination.attention)


# ---- what is seen --------------------------------------------------------------------------------


@given(figures)
def test_what_is_published_later_is_not_seen_earlier(published: list) -> None:
    out = [each for each in published if each[0] <= NOW]
    seen, without = (review.published_percent(learner(each)) for each in (published, out))
    assert seen == without or (np.isnan(seen) and np.isnan(without))


@given(figures)
def test_the_last_figure_of_the_register_and_of_the_surveys_count_by_their_weights(published: list) -> None:
    last: dict[bool, float] = {}
    for _, system, percent in sorted((each for each in published if each[0] <= NOW), key=lambda each: each[0]):
        last[system == "e-PPGBM"] = percent
    seen = review.published_percent(learner(published))
    if len(last) == 2:
        weight = DEFAULTS["review.survey_weight_share"]
        assert seen == pytest.approx(weight * last[False] + (1 - weight) * last[True])
    elif last:
        assert seen == next(iter(last.values()))
    else:
        assert np.isnan(seen)


@pytest.mark.parametrize(("weight", "seen"), [(0.0, 11.0), (1.0, 33.0), (0.5, 22.0)])
def test_limits_of_the_weight_of_the_survey(weight: float, seen: float) -> None:
    published = [(NOW - 5, "SSGBI", 33.0), (NOW - 1, "e-PPGBM", 11.0)]
    assert review.published_percent(learner(published, {"review.survey_weight_share": weight})) == seen


def test_a_round_in_which_nobody_was_entered_says_nothing() -> None:
    published = [(NOW - 6, "e-PPGBM", 12.0), (NOW - 1, "e-PPGBM", float("nan"))]
    assert review.published_percent(learner(published)) == 12.0


def test_surveys_and_rounds_come_to_be_seen_in_the_month_they_are_published() -> None:
    model = simulated(share=0.01, end="2022-12")
    out = model.world.coordination.published
    table = finished(model).surveys
    district = table[table["level"] == "district"].copy()
    month = pd.to_datetime(district["published"])
    district["out"] = month.dt.year * 12 + month.dt.month - 1
    assert sorted(zip(district["out"], district["system"])) == sorted((month, system) for month, system, _ in out)
    fieldwork = pd.to_datetime(district["fieldwork"])
    assert (district["out"] > fieldwork.dt.year * 12 + fieldwork.dt.month - 1).all()


# ---- what is learnt ------------------------------------------------------------------------------


def test_a_high_figure_raises_attention_a_low_one_lets_leaders_rest_and_the_target_leaves_them_alone() -> None:
    by_figure = [attention_after([(NOW - 1, "e-PPGBM", percent)]) for percent in (0.0, 5.0, 14.0, 20.0, 28.0, 60.0)]
    assert by_figure[0] < by_figure[1] < by_figure[2] == 0.0 < by_figure[3] < by_figure[4] == by_figure[5]
    most = DEFAULTS["review.attention_share"] * DEFAULTS["review.quality"]
    assert by_figure[0] == pytest.approx(-most) and by_figure[-1] == pytest.approx(most)


def test_a_low_register_hides_a_high_survey() -> None:
    survey, register = (NOW - 4, "SSGI", 30.0), (NOW - 2, "e-PPGBM", 5.0)
    assert attention_after([survey]) > attention_after([survey, register]) > attention_after([register])
    assert attention_after([register]) < 0


@given(figures, within_ranges("review"), st.floats(-0.6, 0.6), shares)
def test_attention_never_passes_its_share_and_fades(
    published: list, changes: dict, attention: float, effect: float
) -> None:
    world = learner(published, changes, attention)
    review.learn(world, effect)
    most = max(changes["review.attention_share"], abs(attention))
    assert abs(world.coordination.attention) <= most + 1e-12
    before = world.coordination.attention
    review.fade(world)
    assert world.coordination.attention == pytest.approx(before * (1 - changes["review.attention_decay_share"]))


@pytest.mark.parametrize(("quality", "effect"), [(0.0, 1.0), (1.0, 0.0)])
def test_a_review_without_quality_or_on_paper_teaches_nothing(quality: float, effect: float) -> None:
    assert attention_after([(NOW - 1, "SSGI", 40.0)], effect, quality=quality) == 0.0


def test_switched_off_or_before_anything_is_published_attention_stays_as_it_is() -> None:
    assert attention_after([(NOW - 1, "SSGI", 40.0)], on=False) == 0.0
    assert attention_after([]) == 0.0
    assert attention_after([(NOW + 1, "SSGI", 40.0)]) == 0.0
    off, quiet = (simulated(share=TINY, end="2020-12", set={"review.on": each}) for each in (False, True))
    assert off.world.coordination.attention == 0.0
    assert quiet.world.coordination.attention != 0.0
    assert [opd.understanding for opd in off.opds] == [opd.understanding for opd in quiet.opds]


def test_attention_adds_to_leadership_and_so_to_goals() -> None:
    world = council()
    usual = goals.leadership(world)
    world.coordination.attention = 0.1
    assert goals.leadership(world) == pytest.approx(usual + 0.1)


def test_only_what_was_published_matters_and_the_true_length_of_children_does_not() -> None:
    """The same figures, once with every child shortened just before the review: leaders learn the same."""
    attention, truth = [], []
    for shorter in (0.0, 1.0):
        model = ConvergenceModel(rng=1, population_share=TINY, end="2020-02")
        while model.world.month < model.last_month:
            model.step()
        model.world.children.lasting -= shorter
        model.world.children.z -= shorter
        model.step()
        attention.append(model.world.coordination.attention)
        truth.append(model.prevalence())
    assert truth[1] > truth[0] + 0.1
    assert attention[0] == attention[1] != 0.0


# ---- what scores do to the register --------------------------------------------------------------


def kept_out(reward: float, gaming: float, quality: float, effect: float) -> float:
    changes = {"review.score_reward": reward, "review.gaming_entry_share": gaming, "review.quality": quality}
    world = learner([], changes)
    world.coordination.effect = lambda action, settings: effect
    return review.kept_out_share(world)


@given(shares, shares, shares, shares)
def test_results_are_kept_out_as_far_as_it_pays_and_nobody_looks(
    reward: float, gaming: float, quality: float, effect: float
) -> None:
    share = kept_out(reward, gaming, quality, effect)
    assert share == pytest.approx(reward * gaming * (1 - quality * effect))
    assert 0.0 <= share <= 1.0
    assert kept_out(0.0, gaming, quality, effect) == 0.0
    assert kept_out(reward, gaming, 1.0, 1.0) == 0.0


def rounds(model: ConvergenceModel) -> np.ndarray:
    return np.array([percent for _, system, percent in model.world.coordination.published if system == "e-PPGBM"])


def gamed(reward: float, quality: float, **changes: Any) -> ConvergenceModel:
    """Without programmes, in the burn-in too: so that the register decides about nothing but its own figure."""
    paid = {"review.score_reward": reward, "review.quality": quality, "review.gaming_entry_share": 1.0}
    return simulated(share=0.01, end="2020-12", set={"delivery.programmes_on": False} | paid | changes)


def test_a_rewarded_score_lowers_the_published_figure_and_not_the_truth() -> None:
    honest, half, paid = (gamed(reward, 0.0) for reward in (0.0, 0.5, 1.0))
    assert (rounds(paid) <= rounds(half)).all() and (rounds(half) <= rounds(honest)).all()
    assert rounds(paid).mean() < 0.2 * rounds(honest).mean()
    assert (paid.world.children.z == honest.world.children.z).all()
    surveys = [[each for each in m.world.coordination.published if each[1] != "e-PPGBM"] for m in (honest, paid)]
    assert surveys[0] == surveys[1]


def test_a_lower_figure_calms_leaders() -> None:
    only_register = {"review.survey_weight_share": 0.0, "review.quality": 0.4}
    honest, paid = (
        simulated("no-programme", share=0.01, end="2020-02", set=only_register | {"review.score_reward": reward})
        for reward in (0.0, 1.0)
    )
    assert paid.world.coordination.attention < honest.world.coordination.attention


def test_a_review_that_looks_ends_it() -> None:
    """At full quality and nothing lost on paper the register is as if no score were paid."""
    looks = {"actions.paper_loss_share": 0.0}
    honest, paid = (gamed(reward, 1.0, **looks) for reward in (0.0, 1.0))
    assert (rounds(paid) == rounds(honest)).all()
    poor, fair = (gamed(1.0, quality, **looks) for quality in (0.0, 0.5))
    assert rounds(poor).mean() < rounds(fair).mean() < rounds(honest).mean()


def test_a_review_on_paper_does_not_look() -> None:
    world = council({"review.score_reward": 1.0, "review.quality": 1.0, "actions.paper_loss_share": 1.0})
    world.coordination.done["review"] = Done(NOW, "bappeda", 0.0, 0.7)
    assert review.kept_out_share(world) == DEFAULTS["review.gaming_entry_share"]
    world.coordination.done["review"] = Done(NOW, "bappeda", 1.0, 1.0)
    assert review.kept_out_share(world) == 0.0


def test_how_late_a_round_is_published_follows_the_quality_of_the_measurement() -> None:
    world = council({"actions.paper_loss_share": 1.0})
    late = []
    for quality in (1.0, 0.75, 0.5, 0.0):
        world.coordination.done["measurement"] = Done(NOW, "dinkes", quality, 0.7)
        late.append(actions.publication_delay(world))
    assert late[0] == 0 and late[-1] == world.settings["actions.late_months"]
    assert late == sorted(late)
