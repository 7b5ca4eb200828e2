"""What agencies argue for meets a ceiling: fixed envelopes, new schemes, planning weights, review, APBD-P."""

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import forced, ledger, simulated
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.inputs.parameters import Settings
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms import budget
from konvergensi.world.programmes import SOURCES

DEFAULTS = Settings.defaults()
TINY = 0.003
FIXED = {"budget.envelope": "fixed"}
CALM = {"shocks.on": False}
APBD = SOURCES.index("apbd")
SPECIFIC, SENSITIVE = 0, 1
SERVICES = [
    next(each for each in load_services().values() if (each.class_ == "specific") == wanted) for wanted in (True, False)
]
CUT = 2018 * 12 + 8 - 1  # August 2018, when lines are cut

money = st.floats(0.0, 1e9)
rows = st.integers(1, 8).flatmap(lambda n: st.lists(st.tuples(money, money, money, money), min_size=n, max_size=n))


class Book(SimpleNamespace):
    """Columns of APBD programmes as planning reads them."""

    def __len__(self) -> int:
        return len(self.line)


def book(n: int, **columns: Any) -> Any:
    """n APBD programmes, zero where not given."""
    names = (
        "line", "planned", "budgeted", "released", "need", "waiting", "accepted", "granted", "trimmed", "lapsed",
        "lapsed_of", "next_planned", "next_line", "policy",
    )  # fmt: skip
    values = {name: np.array(columns.get(name, np.zeros(n)), float) for name in names}
    return Book(source=np.full(n, APBD), service=np.array(columns.get("service", [SPECIFIC] * n)), **values)


# ---- a fixed envelope ----------------------------------------------------------------------------


@given(rows, st.floats(0.0, 0.2))
def test_a_fixed_envelope_grows_by_its_share_whatever_is_asked_for_and_whatever_is_trimmed(
    each: list, growth: float
) -> None:
    line, asked, trimmed, _ = np.array(each).T
    trimmed = np.minimum(trimmed, 0.8 * line)
    programmes = book(len(line), line=line, accepted=asked, trimmed=trimmed, need=line + asked)
    settings = forced(DEFAULTS, FIXED | {"budget.envelope_growth_share": growth})
    budget.cut_to_ceilings(programmes, settings, CUT, 1e15)
    assert programmes.next_line.sum() == pytest.approx(line.sum() * (1 + growth), rel=1e-9, abs=1e-6)
    assert (programmes.next_line >= (line - trimmed) * (1 - 1e-9) - 1e-6).all()
    assert (programmes.next_planned >= programmes.next_line * (1 - 1e-9)).all()


@given(rows)
def test_under_a_fixed_envelope_what_is_argued_for_comes_first_and_all_lines_share_the_rest(each: list) -> None:
    line, asked, *_ = np.array(each).T + 1.0
    settings = forced(DEFAULTS, FIXED | {"budget.envelope_growth_share": 0.1})
    programmes = book(len(line), line=line, accepted=asked)
    budget.cut_to_ceilings(programmes, settings, CUT, 0.0)
    granted = asked * min(1.0, 0.1 * line.sum() / asked.sum())
    left = 1.1 - granted.sum() / line.sum()
    assert programmes.next_line == pytest.approx(line * left + granted, rel=1e-6)
    assert left >= 1.0 - 1e-9


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"goals.leadership": 1.0},
        {"goals.leadership": 0.0, "goals.plan_inclusion_share": 0.0},
        {"calendar.aksi_2_month": 1, "calendar.aksi_3_month": 1},
        {"calendar.aksi_2_month": 12},
        {"budget.apbdp_flexibility": 1.0},
        {"budget.review_trim_share": 0.8, "review.quality": 1.0},
        {"budget.proposal_share": 1.0, "budget.inertia": 0.0, "budget.apbd_room_share": 0.5},
        {"budget.sensitive_weight": 0.9, "budget.innovation_share": 1.0},
        {"budget.dana_desa_min_share": 0.4},
    ],
)
def test_with_a_fixed_envelope_a_sources_money_is_the_same_whatever_agencies_want_and_when(changes: dict) -> None:
    model = simulated(share=TINY, end="2020-12", set=CALM | FIXED | changes)
    table = ledger(model, "budgeted")
    source = np.array(SOURCES)[model.world.programmes.source]
    growth = DEFAULTS["budget.envelope_growth_share"]
    for name in SOURCES:
        total = table.loc[:, source == name].sum(axis=1)
        years = np.arange(len(total)) // 12
        assert total.to_numpy() == pytest.approx(total.iloc[0] * (1 + growth) ** years, rel=1e-9), name
    assert (table.to_numpy() >= -1e-6).all()


def test_under_a_fixed_envelope_goals_decide_what_the_growth_is_used_for() -> None:
    led, left = (
        ledger(simulated(share=TINY, end="2022-12", set=CALM | FIXED | {"goals.leadership": each}), "budgeted").iloc[-1]
        for each in (1.0, 0.0)
    )
    assert np.abs(led - left).max() > 0.01 * left.max()


def test_with_room_agencies_bring_in_money_and_with_a_fixed_envelope_they_do_not() -> None:
    wants = {"goals.leadership": 1.0, "calendar.aksi_2_month": 2, "calendar.aksi_3_month": 2}
    nothing = {"goals.leadership": 0.0}
    totals = {
        (envelope, who): ledger(
            simulated(share=TINY, end="2020-12", set=CALM | {"budget.envelope": envelope} | changes), "budgeted"
        )
        .iloc[-1]
        .sum()
        for envelope in ("room", "fixed")
        for who, changes in (("wants", wants), ("nothing", nothing))
    }
    assert totals["room", "wants"] > totals["room", "nothing"] * 1.005
    assert totals["fixed", "wants"] == pytest.approx(totals["fixed", "nothing"], rel=1e-9)


# ---- APBD-P --------------------------------------------------------------------------------------


@given(rows, st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_under_a_fixed_envelope_the_amended_budget_moves_only_idle_money_and_gives_what_it_takes(
    each: list, flexibility: float, room: float, released: float, trimmed: float
) -> None:
    line, waiting, had, spent_share = np.array(each).T
    lapsed = had * np.clip(spent_share / 1e9, 0.0, 1.0)
    programmes = book(
        len(line),
        line=line,
        planned=line,
        budgeted=line,
        released=released * line,
        waiting=waiting,
        next_line=line * (1 - trimmed),
        next_planned=line,
        lapsed=lapsed,
        lapsed_of=had,
    )
    idle = budget.idle(programmes, DEFAULTS)
    settings = {"budget.apbdp_flexibility": flexibility, "budget.apbd_room_share": room}
    before = {name: getattr(programmes, name).sum() for name in ("budgeted", "line", "next_line")}
    budget.amend(programmes, forced(DEFAULTS, FIXED | settings))
    for name, total in before.items():
        assert getattr(programmes, name).sum() == pytest.approx(total, rel=1e-9, abs=1e-3), name
        assert getattr(programmes, name).min() >= -1e-3, name
    assert (programmes.budgeted >= programmes.released - 1e-3).all()
    assert (programmes.planned >= programmes.budgeted - 1e-3).all()
    assert (programmes.waiting >= -1e-3).all()
    let_in = waiting - programmes.waiting
    given_up = line + let_in - programmes.budgeted
    assert let_in.sum() <= flexibility * min(waiting.sum(), room * line.sum()) * (1 + 1e-9) + 1e-3
    assert (given_up <= np.minimum(idle, (1 - released) * line) + 1e-3).all() and given_up.min() >= -1e-3


def test_money_that_is_released_already_cannot_be_taken_back() -> None:
    same = {name: [100, 100] for name in ("line", "budgeted", "released", "next_line", "lapsed", "lapsed_of")}
    programmes = book(2, waiting=[50, 0], **same)
    budget.amend(programmes, forced(DEFAULTS, FIXED | {"budget.apbdp_flexibility": 1.0, "budget.apbd_room_share": 0.5}))
    assert programmes.budgeted.tolist() == [100, 100]
    assert programmes.waiting.tolist() == [50, 0]  # and what was not let in goes on waiting


def test_no_budget_turns_negative_where_review_and_apbdp_take_from_the_same_line() -> None:
    """Everything that takes money from a line, at its limit, and no growth to make up for it."""
    hard = {"budget.apbd_room_share": 0.5, "budget.apbdp_flexibility": 1.0, "budget.review_trim_share": 0.8}
    hard |= {"review.quality": 1.0, "budget.inertia": 0.0, "budget.proposal_share": 1.0, "goals.leadership": 1.0}
    hard |= {"actions.paper_loss_share": 0.0, "budget.envelope_growth_share": 0.0}
    hard |= {f"budget.apbd_released_by_{q}": v for q, v in (("march", 0.0), ("june", 0.15), ("september", 0.45))}
    for envelope in ("fixed", "room"):
        model = simulated(share=TINY, set=hard | {"budget.envelope": envelope, "network.decree_in_force": True})
        stages = [ledger(model, stage).to_numpy() for stage in ("planned", "budgeted", "released", "spent")]
        for more, less in itertools.pairwise(stages):
            assert (more >= less * (1 - 1e-6) - 1e-6).all()
        assert stages[-1].min() >= 0.0


# ---- new schemes and planning weights ------------------------------------------------------------


def asked_for(settings: dict[str, Any], **columns: Any) -> np.ndarray:
    programmes = book(2, **({"need": [100, 100], "service": [SPECIFIC, SENSITIVE]} | columns))
    budget.propose(programmes, SERVICES, np.ones(2), forced(DEFAULTS, settings), 1)
    return programmes.accepted


@pytest.mark.parametrize("innovation", [0.0, 0.3, 1.0])
def test_a_service_without_a_line_is_proposed_as_far_as_agencies_innovate(innovation: float) -> None:
    settings = {"budget.innovation_share": innovation}
    usual = asked_for(settings, line=[0.001, 0.001])
    new = asked_for(settings, line=[0.0, 0.0])
    assert new == pytest.approx(innovation * usual, rel=1e-3)
    assert asked_for({"budget.innovation_share": 0.9}, line=[50, 50]) == pytest.approx(
        asked_for({"budget.innovation_share": 0.1}, line=[50, 50])
    )


def test_half_is_a_neutral_weight_and_more_of_it_moves_proposals_to_sensitive_services() -> None:
    share = DEFAULTS["budget.proposal_share"] * (1 - DEFAULTS["budget.inertia"])
    line = [50.0, 50.0]
    assert asked_for({"budget.sensitive_weight": 0.5}, line=line) == pytest.approx(share * 50)
    assert asked_for({"budget.sensitive_weight": 0.7}, line=line) == pytest.approx([0.6 * share * 50, 1.4 * share * 50])
    assert asked_for({"budget.sensitive_weight": 0.0}, line=line)[SENSITIVE] == 0.0
    assert asked_for({"budget.sensitive_weight": 1.0}, line=line)[SPECIFIC] == 0.0


@given(st.floats(0.0, 1.0), st.floats(0.1, 1.0), st.floats(0.0, 0.95), st.floats(0.0, 1.0), money, money)
def test_nobody_asks_for_more_than_is_missing(
    weight: float, share: float, inertia: float, innovation: float, line: float, need: float
) -> None:
    settings = {"budget.sensitive_weight": weight, "budget.proposal_share": share}
    settings |= {"budget.inertia": inertia, "budget.innovation_share": innovation}
    asked = asked_for(settings, line=[line, line], need=[need, need])
    assert (asked >= 0).all()
    assert (asked <= max(need - line, 0.0) * (1 + 1e-12)).all()


# ---- the review of what lapsed -------------------------------------------------------------------


@given(rows, st.floats(0.0, 1.0), st.floats(0.0, 0.8), st.integers(1, 12))
def test_the_review_takes_only_idle_money_and_only_before_the_door(
    each: list, effect: float, trim: float, now: int
) -> None:
    line, had, spent_share, _ = np.array(each).T
    spent = had * np.clip(spent_share / 1e9, 0.0, 1.0)
    programmes = book(len(line), line=line, lapsed=had - spent, lapsed_of=had)
    settings = forced(DEFAULTS, {"budget.review_trim_share": trim})
    budget.review(programmes, settings, now, effect)
    usual = 1 - DEFAULTS["budget.apbd_absorption_share"]
    idle = np.maximum(had - spent - usual * had, 0.0)
    in_time = now <= DEFAULTS["calendar.musrenbang_month"]
    assert programmes.trimmed == pytest.approx(np.minimum(effect * trim * idle, line) * in_time, abs=1e-3)
    assert (programmes.trimmed <= line).all()


def test_a_line_that_spent_what_its_source_can_absorb_loses_nothing() -> None:
    usual = DEFAULTS["budget.apbd_absorption_share"]
    programmes = book(2, line=[100, 100], lapsed=[100 * (1 - usual), 60], lapsed_of=[100, 100])
    budget.review(programmes, DEFAULTS, 2, 1.0)
    assert programmes.trimmed == pytest.approx([0.0, DEFAULTS["budget.review_trim_share"] * (60 - 100 * (1 - usual))])


@pytest.mark.parametrize("effect", [0.0, 0.5, 1.0])
def test_an_analysis_on_paper_leaves_the_belief_about_need_as_it_was(effect: float) -> None:
    programmes = book(2, need=[100, 100])
    programmes.wanted_last_year = np.array([300.0, 0.0])
    budget.analyse(programmes, [next(each for each in load_services().values() if len(each.months) == 12)], effect)
    assert programmes.need.tolist() == [100 + effect * 200, 100]
