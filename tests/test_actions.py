from typing import Any

import numpy as np
import pytest
from conftest import STILL, forced, ledger, simulated
from fake_agencies import DEFAULTS, TEAM, agency, council, shares, within_ranges
from hypothesis import given, settings
from hypothesis import strategies as st

from konvergensi.base.months import month_of, year_of
from konvergensi.mechanisms import actions, calendar
from konvergensi.model.convergence import ConvergenceModel

TINY = 0.003
EIGHT = ("analysis", "plan", "rembuk", "village_rule", "coaching", "data", "measurement", "review")
NO_HELP = {"network.pendampingan": 0.0}


def done(
    action: str, changes: dict[str, Any] | None = None, attendance: float = 1.0, **options: Any
) -> tuple[Any, float]:
    """An action carried out by the council: how it was done, and what is left of its effect."""
    world = council(changes, **options)
    for opd in world.opds:
        opd.attendance = attendance
    effect = actions.carry_out(world, action)
    assert world.coordination.carried_out == [(action, world.coordination.done[action])]
    return world.coordination.done[action], effect


def knowing(share: float) -> list[Any]:
    """The usual team, all of it with the same understanding."""
    return [agency(each.id, role=each.role, understanding=share, institutional_understanding=share) for each in TEAM]


# ---- quality, score, effect ----------------------------------------------------------------------


@settings(max_examples=60)
@given(st.sampled_from(EIGHT), within_ranges("actions", "network"), shares, shares)
def test_quality_score_and_effect_are_shares_and_the_score_flatters(
    action: str, changes: dict, understanding: float, attendance: float
) -> None:
    how, effect = done(action, changes, attendance, team=knowing(understanding))
    assert changes["actions.base_quality"] - 1e-12 <= how.quality <= 1.0 + 1e-12
    assert how.quality - 1e-12 <= how.score <= 1.0 + 1e-12
    assert 0.0 <= effect <= 1.0 + 1e-12
    lost = changes["actions.paper_loss_share"] * (1 - how.quality) if changes["actions.on"] else 0.0
    assert effect == pytest.approx(1 - lost)


@pytest.mark.parametrize("action", EIGHT)
def test_the_quality_of_an_action_is_what_its_agency_understands_and_help_adds(action: str) -> None:
    base, helped = DEFAULTS["actions.base_quality"], DEFAULTS["actions.pendampingan_share"]
    assert done(action, NO_HELP, team=knowing(0.0))[0].quality == pytest.approx(base)
    assert done(action, NO_HELP, team=knowing(1.0))[0].quality == pytest.approx(1.0)
    full = done(action, {"network.pendampingan": 1.0}, team=knowing(0.0))[0].quality
    assert full == pytest.approx(1 - (1 - base) * (1 - helped))


@pytest.mark.parametrize("action", EIGHT)
def test_what_the_others_bring_to_the_table_counts_where_an_action_needs_them(action: str) -> None:
    alone, together = (done(action, NO_HELP, attendance, team=knowing(0.8))[0].quality for attendance in (0.0, 1.0))
    if action in actions.NEED_MANY:
        assert alone < together
    else:
        assert alone == together


@given(shares, shares)
def test_the_score_falls_with_quality_by_no_more_than_documents_leave_open(low: float, high: float) -> None:
    low, high = min(low, high), max(low, high)
    worse, better = (done("plan", NO_HELP, team=knowing(each))[0] for each in (low, high))
    open_share = 1 - DEFAULTS["actions.paper_score_share"]
    assert better.score - worse.score == pytest.approx(open_share * (better.quality - worse.quality))
    assert worse.score >= DEFAULTS["actions.paper_score_share"]


def test_where_scores_look_at_documents_alone_everything_scores_full() -> None:
    for share in (0.0, 1.0):
        how, _ = done("review", NO_HELP | {"actions.paper_score_share": 1.0}, team=knowing(share))
        assert how.score == 1.0


@given(shares, shares, shares)
def test_an_action_has_full_effect_at_full_quality_and_loses_its_paper_share_without(
    quality: float, loss: float, other: float
) -> None:
    state = council().coordination
    paper = forced(DEFAULTS, {"actions.paper_loss_share": loss})
    assert state.effect("plan", paper) == 1.0  # not yet carried out: what stands, stands
    for each in (quality, other):
        state.done["plan"] = actions.Done(0, "bappeda", each, 1.0)
        assert state.effect("plan", paper) == pytest.approx(1 - loss * (1 - each))
    state.done["plan"] = actions.Done(0, "bappeda", 1.0, 1.0)
    assert state.effect("plan", paper) == 1.0
    state.done["plan"] = actions.Done(0, "bappeda", 0.0, 1.0)
    assert state.effect("plan", forced(DEFAULTS, {"actions.paper_loss_share": 1.0})) == 0.0


def test_switched_off_every_action_has_its_full_effect_and_is_scored_all_the_same() -> None:
    changes = {"actions.on": False, "actions.paper_loss_share": 1.0, "actions.base_quality": 0.0}
    for action in EIGHT:
        how, effect = done(action, NO_HELP | changes, team=knowing(0.0))
        assert (how.quality, effect) == (0.0, 1.0)
        assert how.score == DEFAULTS["actions.paper_score_share"]


# ---- who is responsible --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "agency_id"),
    [(each, "bappeda") for each in ("analysis", "plan", "rembuk", "data", "review")]
    + [("village_rule", "dpmd"), ("coaching", "dpmd"), ("measurement", "dinkes")],
)
def test_each_action_has_a_responsible_agency(action: str, agency_id: str) -> None:
    """The fake council's service is growth monitoring: whoever runs it first, not by village money, weighs."""
    assert done(action)[0].responsible == agency_id


def test_without_whoever_it_belongs_to_an_action_falls_to_the_coordinator_or_is_nobodys() -> None:
    alone, _ = done("coaching", programmes=[("dinkes", "dak")])
    assert alone.responsible == "bappeda"
    nobody, _ = done("plan", NO_HELP, team=[each for each in TEAM if each.role != "coordinator"])
    assert nobody.responsible == ""
    assert nobody.quality == pytest.approx(DEFAULTS["actions.base_quality"])


def test_in_lebak_bapelitbangda_dpmd_and_dinkes_carry_the_actions_out() -> None:
    carried = simulated(share=TINY, end="2020-12").world.coordination.carried_out
    assert {action: how.responsible for action, how in carried} == {
        "analysis": "bapelitbangda", "plan": "bapelitbangda", "rembuk": "bapelitbangda", "village_rule": "dpmd",
        "coaching": "dpmd", "data": "bapelitbangda", "measurement": "dinkes", "review": "bapelitbangda",
    }  # fmt: skip


# ---- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "regime"),
    [("2018-01", "2020-12", "eight-aksi"), ("2025-01", "2026-12", "reform-2025"), ("2024-01", "2025-12", "by-date")],
)
def test_every_action_is_carried_out_once_a_year_in_its_month_under_either_regime(
    start: str, end: str, regime: str
) -> None:
    model = simulated(share=TINY, start=start, end=end, set={"calendar.regime": regime})
    settings_ = model.world.settings
    found = [(year_of(how.month), action, month_of(how.month)) for action, how in model.world.coordination.carried_out]
    years = range(model.first_month // 12, model.last_month // 12 + 1)
    expected = [
        (year, action, month)
        for year in years
        for action, month in calendar.action_months(settings_, year * 12).items()
    ]
    assert sorted(found) == sorted(expected)
    assert len(found) == len(EIGHT) * len(years)
    months = [how.month for _, how in model.world.coordination.carried_out]
    assert months == sorted(months)


def test_the_months_of_the_actions_are_levers() -> None:
    late = {f"calendar.aksi_{n}_month": 12 for n in range(1, 9)}
    carried = simulated(share=TINY, end="2018-12", set=late).world.coordination.carried_out
    assert {month_of(how.month) for _, how in carried} == {12}
    # in a month in which all are due: what is known, then what is planned, then what follows from it
    assert [action for action, _ in carried] == list(actions.CHANGES)


def test_every_action_of_the_calendar_is_one_that_changes_something() -> None:
    for regime in ("eight-aksi", "reform-2025"):
        months = calendar.action_months(forced(DEFAULTS, {"calendar.regime": regime}), 2018 * 12)
        assert set(months) == set(actions.CHANGES) == set(EIGHT)
    assert set(actions.NEED_MANY) < set(EIGHT)


# ---- done on paper is not done -------------------------------------------------------------------

PAPER = STILL | {"actions.base_quality": 0.0, "actions.paper_loss_share": 1.0, "network.pendampingan": 0.0}
PAPER |= {"shocks.on": False, "registers.linkage": True, "registers.linkage_false_share": 0.0}
PAPER |= {"budget.dana_desa_min_share": 0.3, "registers.by_name_village_share": 1.0}
PAPER |= {"villages.choosing": False}  # villages that divide their money anew move lines whatever the plan is


def nobody_knows(model: ConvergenceModel) -> dict[str, float]:
    return {
        f"opd.{spec.id}.{name}": 0.0
        for spec in model.place.opd
        for name in ("understanding", "institutional_understanding")
    }


@pytest.fixture(scope="module")
def paper() -> ConvergenceModel:
    """A district in which every action is documents and nothing else, agencies as adopted as they began."""
    place = ConvergenceModel(rng=1, population_share=TINY, end="2018-01")
    return simulated(share=0.01, end="2020-12", set=PAPER | nobody_knows(place))


@pytest.fixture(scope="module")
def well_done() -> ConvergenceModel:
    """The same district and agencies, but what is lost on paper is nothing."""
    place = ConvergenceModel(rng=1, population_share=TINY, end="2018-01")
    return simulated(share=0.01, end="2020-12", set=PAPER | nobody_knows(place) | {"actions.paper_loss_share": 0.0})


def test_on_paper_every_action_is_done_and_scored_and_none_has_an_effect(paper: ConvergenceModel) -> None:
    state = paper.world.coordination
    assert set(state.done) == set(EIGHT)
    for action, how in state.done.items():
        assert how.quality == 0.0
        assert how.score == DEFAULTS["actions.paper_score_share"]
        assert state.effect(action, paper.world.settings) == 0.0


def test_a_plan_on_paper_asks_for_nothing_and_a_review_on_paper_takes_nothing(
    paper: ConvergenceModel, well_done: ConvergenceModel
) -> None:
    lines = ledger(paper, "budgeted")
    assert np.allclose(lines.iloc[-1], lines.iloc[0], rtol=1e-9)
    assert (paper.world.programmes.trimmed == 0).all()
    real = ledger(well_done, "budgeted")
    assert real.iloc[-1].sum() > real.iloc[0].sum()
    assert (well_done.world.programmes.trimmed > 0).any()


def test_an_analysis_on_paper_finds_nothing_out(paper: ConvergenceModel, well_done: ConvergenceModel) -> None:
    begun = ConvergenceModel(rng=1, population_share=0.01, end="2018-01", set=paper_settings(paper))
    assert paper.world.programmes.need == pytest.approx(begun.world.programmes.need)
    assert (well_done.world.programmes.need != begun.world.programmes.need).any()


def paper_settings(model: ConvergenceModel) -> dict[str, Any]:
    return {key: model.world.settings[key] for key in PAPER}


def test_records_linked_on_paper_find_nobody(paper: ConvergenceModel, well_done: ConvergenceModel) -> None:
    assert paper.world.linked and well_done.world.linked
    for model, found in ((paper, False), (well_done, True)):
        world = model.world
        rows = world.children.window(world.month - 1, 0, 59)
        assert world.registers.on_joined[rows].any() == found
        assert world.registers.joined_households.any() == found


def test_lists_and_least_shares_on_paper_reach_no_village(paper: ConvergenceModel, well_done: ConvergenceModel) -> None:
    fetched = DEFAULTS["cascade.list_fetch_share"] * paper.world.coordination.village_understanding
    assert (paper.world.has_by_name_list == (paper.world.village_list_draw < fetched)).all()
    assert well_done.world.has_by_name_list.all()
    village = [name for name in ledger(paper, "budgeted") if name.endswith(":dana-desa")]
    raised = [ledger(model, "budgeted")[village].iloc[-1].sum() for model in (paper, well_done)]
    assert raised[1] > 1.5 * raised[0]


def test_a_measurement_on_paper_is_published_half_a_year_later(
    paper: ConvergenceModel, well_done: ConvergenceModel
) -> None:
    assert actions.publication_delay(paper.world) == paper.world.settings["actions.late_months"]
    assert actions.publication_delay(well_done.world) == 0
    first_measured, later = (
        sorted(month for month, system, _ in model.world.coordination.published if system == "e-PPGBM")
        for model in (well_done, paper)
    )
    assert all(b >= a for a, b in zip(first_measured, later)) and later != first_measured


def test_coaching_on_paper_teaches_no_village() -> None:
    def coached(loss: float) -> float:
        changes = NO_HELP | {"cascade.meetings_per_year": 0, "cascade.decay_share": 0.0, "cascade.kpm_share": 1.0}
        changes |= {"actions.base_quality": 0.0, "actions.paper_loss_share": loss, "opd.dpmd.understanding": 0.0}
        changes |= {"opd.dpmd.institutional_understanding": 0.0, "socialization.meetings_per_year": 0}
        changes |= {"socialization.peer_share": 0.0, "calendar.aksi_3_month": 12, "socialization.breadth_share": 0.0}
        changes |= {"villages.rembuk_learning_share": 0.0}  # the village's own council teaches too
        model = simulated(share=TINY, end="2018-06", set=changes)
        return float(model.world.coordination.village_understanding.mean())

    start = simulated(share=TINY, end="2018-01", set={"cascade.meetings_per_year": 0, "cascade.decay_share": 0.0})
    assert coached(1.0) == pytest.approx(start.world.coordination.village_understanding.mean(), abs=1e-3)
    assert coached(0.0) > coached(1.0) + 0.01


def test_a_district_that_understands_does_its_actions_better_and_scores_hardly_better() -> None:
    low, high = (
        [how for _, how in simulated(share=TINY, end="2020-12", set=changes).world.coordination.carried_out]
        for changes in (
            {"socialization.meetings_per_year": 0, "network.pendampingan": 0.0},
            {"network.pendampingan": 1.0},
        )
    )
    quality = [np.mean([how.quality for how in each]) for each in (low, high)]
    score = [np.mean([how.score for how in each]) for each in (low, high)]
    assert quality[1] > quality[0] + 0.2
    assert 0 < score[1] - score[0] < 0.35 * (quality[1] - quality[0])
