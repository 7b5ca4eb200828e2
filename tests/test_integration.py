"""The integration index: names, limits, direction, blindness to who is who, and what it says of Lebak."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import copy_of_lebak, finished, live, simulated, values
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.observe.integration import DIMENSIONS, INDEX, SUB_ASPECTS, AgencyStates, Procedures, integration
from konvergensi.results.run import Run

EVIDENCE = Path(__file__).resolve().parents[1] / "evidence" / "integration_framework.csv"
SHARE = 0.01
FLAGS = ("in_decree", "in_plan", "shares_list", "guideline")
SHARES = ("known", "attendance", "aware", "goal_adoption", "adaptation")
FLAGS_OF_DISTRICT = ("targets", "linked", "juknis", "in_time")
CLOSED: dict[str, Any] = {
    "socialization.meetings_per_year": 12,
    "socialization.breadth_share": 1.0,
    "socialization.focal_unit_share": 1.0,
    "socialization.guideline_share": 1.0,
    "socialization.juknis": True,
    "network.decree_in_force": True,
    "network.decree_coverage_share": 1.0,
    "network.decree_targets": True,
    "registers.linkage": True,
    "registers.sharing_share": 1.0,
    "goals.plan_inclusion_share": 1.0,
}


def states(n: int, share: float, flag: bool) -> AgencyStates:
    """n agencies all alike."""
    ties = np.full((n, n), share)
    np.fill_diagonal(ties, 0.0)
    same = {name: np.full(n, share) for name in SHARES} | {name: np.full(n, flag) for name in FLAGS}
    return AgencyStates(formal=ties, **same)


def procedures(share: float, flag: bool) -> Procedures:
    found = {each.name: flag if each.name in FLAGS_OF_DISTRICT else share for each in dataclasses.fields(Procedures)}
    return Procedures(**found)  # type: ignore[arg-type]


def rearranged(agencies: AgencyStates, order: np.ndarray) -> AgencyStates:
    return AgencyStates(
        **{
            each.name: getattr(agencies, each.name)[np.ix_(order, order) if each.name == "formal" else order]
            for each in dataclasses.fields(AgencyStates)
        }
    )


@st.composite
def any_agencies(draw: st.DrawFn) -> AgencyStates:
    n = draw(st.integers(1, 9))
    share = st.floats(0.0, 1.0)

    def column(of: st.SearchStrategy[Any]) -> np.ndarray:
        return np.array(draw(st.lists(of, min_size=n, max_size=n)))

    upper = np.triu(np.array(draw(st.lists(share, min_size=n * n, max_size=n * n))).reshape(n, n), 1)
    columns = {name: column(share) for name in SHARES} | {name: column(st.booleans()) for name in FLAGS}
    return AgencyStates(formal=upper + upper.T, **columns)


@st.composite
def any_procedures(draw: st.DrawFn) -> Procedures:
    flags = {name: draw(st.booleans()) for name in FLAGS_OF_DISTRICT}
    names = ("teams_kecamatan", "teams_desa", "review", "coordinator", "lead_clarity")
    return Procedures(**flags, **{name: draw(st.floats(0.0, 1.0)) for name in names})


# ---- the formulas ------------------------------------------------------------------------------------------------


def test_names_are_those_of_the_framework_and_each_rule_says_what_it_does() -> None:
    framework = pd.read_csv(EVIDENCE)
    stated = list(zip(framework["dimension"], framework["sub_dimension"], strict=True))
    assert [(dimension, name) for dimension, name, _ in SUB_ASPECTS] == stated
    assert len(DIMENSIONS) == 4


@given(any_agencies(), any_procedures())
def test_every_value_lies_between_0_and_1_and_dimensions_are_means(agencies: AgencyStates, system: Procedures) -> None:
    found = integration(agencies, system)
    assert all(-1e-12 <= value <= 1.0 + 1e-12 for value in found.values())
    for dimension in DIMENSIONS:
        parts = [value for (of, name), value in found.items() if of == dimension and name != "all"]
        assert found[dimension, "all"] == pytest.approx(np.mean(parts))
    assert found[INDEX, "all"] == pytest.approx(np.mean([found[dimension, "all"] for dimension in DIMENSIONS]))


@given(any_agencies(), any_procedures(), st.randoms(use_true_random=False))
def test_calling_the_agencies_something_else_changes_nothing(
    agencies: AgencyStates, system: Procedures, shuffle: Any
) -> None:
    order = list(range(len(agencies.known)))
    shuffle.shuffle(order)
    other = integration(rearranged(agencies, np.array(order)), system)
    assert other == pytest.approx(integration(agencies, system))


@given(any_agencies(), any_procedures(), st.data())
def test_more_of_anything_never_lowers_any_sub_aspect(
    agencies: AgencyStates, system: Procedures, data: st.DataObject
) -> None:
    before = integration(agencies, system)
    name = data.draw(st.sampled_from([*SHARES, *FLAGS, "formal"]))
    column = getattr(agencies, name).copy()
    i = data.draw(st.integers(0, len(agencies.known) - 1))
    if name == "formal":
        column[i, :] = column[:, i] = 1.0
        column[i, i] = 0.0
    else:
        column[i] = 1
    after = integration(dataclasses.replace(agencies, **{name: column}), system)
    assert all(after[key] >= before[key] - 1e-12 for key in before)


@given(any_agencies(), any_procedures(), st.sampled_from([each.name for each in dataclasses.fields(Procedures)]))
def test_a_better_procedure_never_lowers_the_index(agencies: AgencyStates, system: Procedures, name: str) -> None:
    best = True if name in ("targets", "linked", "juknis") else 1.0
    before, after = integration(agencies, system), integration(agencies, dataclasses.replace(system, **{name: best}))
    assert all(after[key] >= before[key] - 1e-12 for key in before)


@pytest.mark.parametrize("n", [1, 2, 14])
def test_the_ends_of_the_scale_are_reached(n: int) -> None:
    nothing = integration(states(n, 0.0, flag=False), procedures(0.0, flag=False))
    assert set(nothing.values()) == {0.0}
    everything = integration(states(n, 1.0, flag=True), procedures(1.0, flag=True))
    if n == 1:  # one agency alone has nobody to meet
        assert everything.pop(("subsystem involvement", "interaction density")) == 0.0
        everything = {key: value for key, value in everything.items() if key[0] in ("policy goals", "policy frame")}
    assert list(everything.values()) == pytest.approx([1.0] * len(everything))


@given(any_agencies())
def test_coherence_is_the_mean_adoption_less_its_inequality(agencies: AgencyStates) -> None:
    adopted = agencies.goal_adoption
    found = integration(agencies, procedures(0.5, flag=True))["policy goals", "coherence"]
    if adopted.mean() > 0.0:
        gini = np.abs(adopted[:, None] - adopted[None, :]).mean() / (2.0 * adopted.mean())
        assert found == pytest.approx(adopted.mean() * (1.0 - gini))
    else:
        assert found == 0.0


def test_a_goal_in_one_agency_is_less_coherent_than_the_same_spread_over_all() -> None:
    one, all_ = states(4, 0.0, flag=False), states(4, 0.2, flag=False)
    one.goal_adoption[0] = 0.8
    alone, spread = (integration(each, procedures(0.0, flag=False)) for each in (one, all_))
    assert alone["policy goals", "range of policies"] == pytest.approx(spread["policy goals", "range of policies"])
    assert alone["policy goals", "coherence"] < spread["policy goals", "coherence"]


def test_responsibility_counts_where_it_is_practised_and_awareness_half() -> None:
    agencies = dataclasses.replace(
        states(3, 0.0, flag=False),
        in_decree=np.array([True, False, False]),
        attendance=np.array([0.5, 1.0, 0.0]),
        aware=np.array([0.0, 0.0, 0.4]),
    )
    found = integration(agencies, procedures(0.0, flag=False))
    assert found["subsystem involvement", "subsystems involved"] == pytest.approx((0.5 + 0.0 + 0.2) / 3)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"in_decree": True, "targets": False}, 0.5),
        ({"in_decree": True, "targets": True}, 1.0),
        ({"shares_list": True, "linked": False}, 0.0),
        ({"shares_list": True, "linked": True}, 1.0),
        ({"guideline": True, "juknis": False}, 0.5),
        ({"guideline": True, "juknis": True}, 1.0),
        ({"in_decree": True, "juknis": True}, 0.5 + 1.0),  # a decree without targets, and the juknis that it binds to
        ({"teams_desa": 0.4, "teams_kecamatan": 0.2}, 0.3),
        ({"review": 0.7}, 0.7),
        ({"coordinator": 0.6, "lead_clarity": 0.5}, 0.6 * 0.5),  # nobody knows anything, so clarity is all there is
        ({"coordinator": 0.6, "lead_clarity": 0.5, "known": 1.0}, 0.6),
    ],
)
def test_what_each_procedural_instrument_adds(change: dict[str, Any], expected: float) -> None:
    agencies, system = states(4, 0.0, flag=False), procedures(0.0, flag=False)
    columns = {name: np.full(4, value) for name, value in change.items() if name in (*FLAGS, *SHARES)}
    system = dataclasses.replace(system, **{name: value for name, value in change.items() if name not in columns})
    found = integration(dataclasses.replace(agencies, **columns), system)
    assert found["policy instruments", "procedural instruments at system level"] == pytest.approx(expected / 6)


def test_goal_programme_and_joint_plan_have_to_meet_in_one_agency() -> None:
    agencies = dataclasses.replace(
        states(4, 0.0, flag=False),
        goal_adoption=np.array([0.8, 0.8, 0.0, 0.8]),
        adaptation=np.array([0.6, 0.0, 0.6, 0.6]),
        in_plan=np.array([True, True, True, False]),
    )
    found = integration(agencies, procedures(0.0, flag=False))
    assert found["policy instruments", "consistency"] == pytest.approx(0.6 / 4 / 2)  # the plan misses the Musrenbang
    found = integration(agencies, procedures(0.0, flag=True))
    assert found["policy instruments", "consistency"] == pytest.approx(0.6 / 4)


def test_a_programme_adapted_without_the_goal_is_an_instrument_and_no_consistency() -> None:
    adapted = dataclasses.replace(states(3, 0.0, flag=True), adaptation=np.ones(3))
    found = integration(adapted, procedures(0.0, flag=False))
    assert found["policy instruments", "subsystem instruments"] == 1.0
    assert found["policy instruments", "consistency"] == 0.0


# ---- in a run ----------------------------------------------------------------------------------------------------


def yearly(run: Run, dimension: str = INDEX) -> float:
    """Mean of a dimension over the last year of a run."""
    table = run.integration.query("dimension == @dimension and sub_dimension == 'all'")
    return float(table["value"].tail(12).mean())


@pytest.fixture(scope="module")
def baseline() -> Run:
    return finished(simulated(share=SHARE, end="2022-12"))


def test_the_table_has_every_month_and_every_part_between_0_and_1(baseline: Run) -> None:
    table = baseline.integration
    assert table.groupby("month").size().unique().tolist() == [13]
    assert table["month"].nunique() == 60
    assert table["value"].between(0.0, 1.0).all()


def test_lebak_is_low_and_lowest_in_its_goals(baseline: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The study: low, goals lowest, instruments partial."""
    found = {dimension: yearly(baseline, dimension) for dimension in (*DIMENSIONS, INDEX)}
    with capsys.disabled():
        print("\nLebak 2022: " + ", ".join(f"{name} {value:.2f}" for name, value in found.items()), end="")
    assert min(DIMENSIONS, key=found.__getitem__) == "policy goals"
    assert found[INDEX] < 0.4


def test_it_falls_with_turnover() -> None:
    often, rarely = (
        yearly(finished(live(share=SHARE, end="2021-12", set={"socialization.turnover_share": share})))
        for share in (0.1, 0.005)
    )
    print(f"index with turnover 0.1 a month {often:.3f}, 0.005 a month {rarely:.3f}")
    assert often < rarely - 0.01


def test_it_rises_when_gaps_are_closed(baseline: Run) -> None:
    closed = finished(live(share=SHARE, end="2022-12", set=CLOSED))
    print(f"index in 2022 {yearly(baseline):.3f}, with gaps closed {yearly(closed):.3f}")
    assert yearly(closed) > yearly(baseline) + 0.1
    for dimension in DIMENSIONS:
        assert yearly(closed, dimension) > yearly(baseline, dimension), dimension


@pytest.mark.parametrize("gap", ["socialization", "data", "timing"])
def test_it_rises_when_a_gap_is_closed_as_gaps_closes_it(baseline: Run, gap: str) -> None:
    closed = finished(live(f"close-{gap}", share=SHARE, end="2022-12"))
    assert yearly(closed) > yearly(baseline)


def test_the_order_of_agencies_in_the_file_changes_nothing(tmp_path: Path) -> None:
    def reverse(text: str) -> str:
        head, *blocks = text.split("[[opd]]")
        last, programmes = blocks[-1].split("[[programme]]", 1)
        blocks[-1] = last
        return head + "".join(f"[[opd]]{each}" for each in reversed(blocks)) + "[[programme]]" + programmes

    other = copy_of_lebak(tmp_path / "reversed", opd=reverse)
    runs = [finished(live(district=district, share=SHARE, end="2019-12")) for district in ("lebak", other)]
    assert runs[0].agencies["agency"].tolist() != runs[1].agencies["agency"].tolist()
    for name in ("integration", "network"):
        one, two = (getattr(run, name) for run in runs)
        np.testing.assert_allclose(two["value"], one["value"], rtol=1e-9)
    assert runs[1].questionnaire.equals(runs[0].questionnaire)


# ---- tables beside it --------------------------------------------------------------------------------------------


def test_actions_are_in_the_table_with_month_score_and_quality(baseline: Run) -> None:
    table = baseline.actions
    assert table.groupby("year")["action"].nunique().tolist() == [8] * 5
    assert len(table) == 40
    assert (table["month"].str[:4].astype(int) == table["year"]).all()
    assert table[["score", "quality"]].stack().between(0.0, 1.0).all()
    assert (table["score"] >= table["quality"]).all()  # documents score, whatever was done
    assert set(table["responsible"]) <= set(baseline.agencies["agency"])


def test_the_indicators_of_who_knows_and_who_leads_are_those_of_the_world(baseline: Run) -> None:
    world = simulated(share=SHARE, end="2022-12").world
    last = baseline.indicators.query("month == '2022-12'").set_index("indicator")["value"]
    assert last["caregiver_knowledge_mean"] == pytest.approx(world.households.knowledge.mean())
    assert last["village_understanding_mean"] == pytest.approx(world.coordination.village_understanding.mean())
    assert last["attention"] == pytest.approx(world.coordination.attention)
    assert 0.0 <= last["leadership"] <= 1.0
    assert (values(baseline, "kpm_incentive_rp") == 0.0).all()
    village = baseline.villages.query("year == 2022")
    assert village["understanding"].mean() == pytest.approx(last["village_understanding_mean"])
    assert village["has_kpm"].sum() == world.coordination.kpm.sum()


def test_incentives_of_kpm_are_the_sum_over_villages_with_one() -> None:
    paid = live(share=SHARE, end="2018-01", set={"cascade.kpm_incentive_rp": 500_000.0})
    state = paid.world.coordination
    expected = 500_000.0 * state.kpm.sum() * paid.world.population_share
    assert values(finished(paid), "kpm_incentive_rp").tolist() == pytest.approx([expected])
