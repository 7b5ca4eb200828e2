"""The virtual questionnaire: the items of the study, one rule each over few shared levels, and how it compares."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from conftest import SEEDS, finished, live, simulated
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from konvergensi.inputs.parameters import Settings
from konvergensi.mechanisms import settings as settings_rules
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe import questionnaire
from konvergensi.observe.questionnaire import ITEMS, Levels, Respondent, answer, interval, within
from konvergensi.observe.questionnaire_more import MORE_ITEMS, Sight

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
AT = Levels.of(Settings.defaults())
YES_NO = ("leads", "in_decree", "in_plan", "has_list", "same_list")
SHARE = 0.01
AGREED = 0.8  # share of items to be inside


def _load(name: str) -> ModuleType:
    sys.path.insert(0, str(SCRIPTS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(SCRIPTS))


comparison = _load("compare_questionnaire")


def agency(share: float = 0.5, flag: bool = True, **other: Any) -> Respondent:
    """An agency with one share and one yes or no everywhere, except for what is given."""
    names = [each.name for each in dataclasses.fields(Respondent)]
    found: dict[str, Any] = {name: flag if name in YES_NO else share for name in names}
    return Respondent(**(found | {"years_since_rembuk": 0.0 if flag else float("inf")} | other))


@st.composite
def anyone(draw: st.DrawFn) -> Respondent:
    found: dict[str, Any] = {
        each.name: draw(st.booleans()) if each.name in YES_NO else draw(st.floats(0.0, 1.0))
        for each in dataclasses.fields(Respondent)
    }
    return Respondent(**(found | {"years_since_rembuk": draw(st.sampled_from([0.0, 2.0, 5.0, float("inf")]))}))


# ---- items and answers -------------------------------------------------------------------------------------------


def test_items_and_categories_are_the_counted_ones_of_the_study() -> None:
    study = comparison.observed()
    stated = {item: tuple(rows["category"]) for item, rows in study.groupby("item_id", sort=False)}
    assert {item: categories for item, (_, categories) in ITEMS.items()} == stated
    assert list(ITEMS) == list(stated)
    assert (study["n"] == 9).all()


@given(anyone())
def test_everybody_gives_exactly_one_answer_to_each_item(it: Respondent) -> None:
    whole = comparison.observed().groupby("item_id")["k"].sum() == 9
    for item, (rule, categories) in ITEMS.items():
        given_ = answer(item, it, AT)
        assert given_ in (*categories, None), item
        if len(categories) > 1:
            assert given_ is not None, item
            assert whole[item]
        assert rule.__doc__, item
        assert rule.__doc__.startswith(f"{item}. "), item


def test_levels_are_in_order_and_all_of_them_are_used() -> None:
    assert AT.aware < AT.partial < AT.specific
    text = Path(questionnaire.__file__).read_text(encoding="utf-8")
    for level in dataclasses.fields(Levels):
        assert f"at.{level.name}" in text


def test_an_agency_that_knows_nothing_and_meets_nobody() -> None:
    lost = agency(0.0, flag=False)
    said = {item: answer(item, lost, AT) for item in ITEMS}
    assert said == {
        "F1": "partial understanding",
        "F2": None,
        "F3": None,
        "F4": "doubts: readiness, capacity, unresolved local problems",
        "S2": None,
        "S3": "cannot judge",
        "S4": "does not know",
        "S5": "says none",
        "G1": "not even",
        "G2": None,
        "G3": "not well integrated",
        "I1": None,
        "I2": None,
        "I3": "does not know",
        "I5": "does not know",
        "I7": "does not understand",
    }


def test_an_agency_at_the_best_of_everything_gives_the_first_answers() -> None:
    best = agency(1.0, flag=True, seen_ego=0.0)
    study = pd.read_csv(comparison.EVIDENCE)
    praise = study[study["category_sign"] == "+"].groupby("item_id")["category"].first()
    for item in ITEMS:
        assert answer(item, best, AT) == praise[item], item


@pytest.mark.parametrize(
    ("item", "it", "said"),
    [
        ("S3", {"aware": 0.0, "seen_attendance": 1.0}, "cannot judge"),
        ("S3", {"aware": 1.0, "seen_attendance": 0.0}, "not fully active"),
        ("S4", {"aware": 0.0, "attendance": 0.9}, "knows"),
        ("S5", {"seen_ego": 0.9, "centrality": 1.0}, "says none"),  # a central role sees less conflict
        ("S5", {"seen_ego": 0.9, "centrality": 0.2}, ITEMS["S5"][1][1]),
        ("S5", {"seen_ego": 0.9, "centrality": 0.2, "aware": 0.0}, "says none"),
        ("G2", {"known": 0.2, "goal_adoption": 0.0}, "supports fully"),  # support without adoption
        ("I1", {"years_since_rembuk": AT.recall_years}, None),
        ("I2", {"leads": False, "in_decree": False}, None),
        ("I3", {"same_list": False, "known": 0.9}, "not the same"),
        ("I3", {"same_list": False, "known": 0.0, "data_tie": 0.0}, "does not know"),
        ("I5", {"same_list": False, "goal_adoption": 0.1}, "yes, they do"),
        ("I5", {"same_list": False, "goal_adoption": 0.9}, "no, they do not"),
        ("I7", {"in_plan": False}, "not yet able"),
    ],
)
def test_what_an_answer_hangs_on(item: str, it: dict[str, Any], said: str | None) -> None:
    assert answer(item, agency(0.6, flag=True, **it), AT) == said


# ---- what agencies see -------------------------------------------------------------------------------------------


def test_agencies_in_one_district_see_different_things_and_see_shares() -> None:
    model = simulated(share=SHARE, end="2022-12")
    asked = questionnaire.respondents(model.world, AT)
    assert len(asked) == 9
    for name in ("aware", "seen_bending", "seen_ego", "centrality", "seen_below"):
        seen = [getattr(it, name) for it in asked]
        assert 0.0 <= min(seen) <= max(seen) <= 1.0, name
        assert len(set(seen)) > 2, name
    by_name = {opd.id: it for opd, it in zip((opd for opd in model.opds if opd.surveyed), asked, strict=True)}
    assert by_name["dinkes"].same_list  # e-PPGBM, with the coordinator
    assert not by_name["dinsos"].same_list  # DTKS
    assert by_name["disdik"].has_list  # of the services it runs, if no register of its own
    assert not by_name["diskominfo"].has_list  # runs nothing
    assert by_name["bapelitbangda"].coordinator_tie == 1.0


def seen(model: ConvergenceModel) -> dict[str, Respondent]:
    asked = (opd.id for opd in model.opds if opd.surveyed)
    return dict(zip(asked, questionnaire.respondents(model.world, AT), strict=True))


@pytest.fixture
def fresh() -> ConvergenceModel:
    """Lebak after its first month, to be changed by a test."""
    return live(share=0.005, end="2018-01")


def test_a_list_of_ones_own_is_nobody_elses(fresh: ConvergenceModel) -> None:
    dkp, dinsos = (next(opd for opd in fresh.opds if opd.id == id) for id in ("dkp", "dinsos"))
    assert dkp.register == "own"
    dinsos.register = "own"
    fresh.world.coordination.ties["informal"][:] = 1.0
    for name in ("dkp", "dinsos"):
        assert seen(fresh)[name].has_list
        assert not seen(fresh)[name].same_list
    fresh.world.linked = True
    for opd in (dkp, dinsos):
        opd.shares_joined_list = True
    assert seen(fresh)["dkp"].same_list


def test_programmes_bound_by_ministry_rules_are_not_seen_to_bend(fresh: ConvergenceModel) -> None:
    world = fresh.world
    world.programmes.rigid[:] = True
    for opd in fresh.opds:
        opd.adaptation = 0.8
    assert {it.seen_bending for it in seen(fresh).values()} == {0.0}
    settings_rules.change(world, world.settings.changed({"registers.ministry_rules_bind": False}))
    found = seen(fresh)
    assert found["dinsos"].seen_bending == pytest.approx(0.8)  # its own programmes, if no others


def test_only_members_that_it_works_with_are_seen_to_stay_away(fresh: ConvergenceModel) -> None:
    index = {opd.id: i for i, opd in enumerate(fresh.opds)}
    for opd in fresh.opds:
        opd.in_decree, opd.attendance = opd.id != "pupr", 0.9
    fresh.opds[index["kemenag"]].attendance = 0.0
    fresh.opds[index["pupr"]].attendance = 0.0
    for tie in fresh.world.coordination.ties.values():
        tie[:] = 0.0
    tie = fresh.world.coordination.ties["formal"]
    for one, other in (("dinkes", "kemenag"), ("dinsos", "dpmd"), ("dkp", "pupr")):
        tie[index[one], index[other]] = tie[index[other], index[one]] = 0.5
    found = seen(fresh)
    assert found["dinkes"].seen_attendance == 0.0
    assert found["dinsos"].seen_attendance == 0.9
    assert found["dkp"].seen_attendance == 1.0  # works with nobody in the decree


def test_who_leads_sees_kecamatan_members_see_their_villages_and_others_themselves(fresh: ConvergenceModel) -> None:
    state = fresh.world.coordination
    state.kecamatan_understanding[:], state.village_understanding[:] = 1.0, 0.0
    for opd in fresh.opds:
        opd.attendance = 0.4
    found = seen(fresh)
    assert {found[name].seen_below for name in ("bapelitbangda", "dinkes", "dp3ak2kb")} == {1.0}
    assert {found[name].seen_below for name in ("dinsos", "dpmd", "kemenag", "disdik")} == {0.0}
    assert found["diskominfo"].seen_below == 0.4


def test_where_nobody_is_marked_as_surveyed_all_are_asked() -> None:
    model = live(share=0.005, end="2018-01")
    for opd in model.opds:
        opd.surveyed = False
    rows = questionnaire.questionnaire_rows(model.world)
    assert {n for *_, n in rows} == {len(model.opds)}


def test_nothing_reacts_to_an_answer() -> None:
    other = {f"questionnaire.{name}_share": 0.3 for name in ("aware", "partial", "specific", "tied", "most")}
    one, two = (finished(live(share=0.005, end="2018-06", set=change)) for change in ({}, other))
    assert not one.questionnaire.equals(two.questionnaire)
    for name, table in one.tables().items():
        if name != "questionnaire":
            pd.testing.assert_frame_equal(table, two.tables()[name])


# ---- when --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "asked"),
    [
        ("2018-01", "2018-03", "2018-03"),
        ("2022-11", "2023-02", "2022-12"),
        ("2023-01", "2023-02", "2023-02"),
    ],
)
def test_it_is_taken_in_december_2022_or_in_the_last_month(start: str, end: str, asked: str) -> None:
    model = live(share=0.005, start=start, end=end)
    assert model.recorder.asked == int(asked[:4]) * 12 + int(asked[5:]) - 1
    table = finished(model).questionnaire
    assert len(table) == 38  # 30 of what an agency knows of itself, 8 of what it sees of the district
    assert table["k"].between(0, 9).all()
    sums = table.groupby("item_id")["k"].sum()
    every = ITEMS | MORE_ITEMS
    assert set(sums.index) == set(every)
    assert (sums[[item for item, (_, names) in every.items() if len(names) > 1]] == 9).all()


# ---- comparing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "n"), [(0, 9), (1, 9), (4, 9), (9, 9), (3, 14)])
def test_the_interval_is_the_exact_one(k: int, n: int) -> None:
    exact = binomtest(k, n).proportion_ci(confidence_level=0.9, method="exact")
    assert interval(k, n) == pytest.approx((exact.low, exact.high))


def test_the_rule_of_agreement() -> None:
    assert [k for k in range(10) if within(k, 9, 9)] == [7, 8, 9]
    assert [k for k in range(10) if within(k, 4, 9)] == [2, 3, 4, 5, 6]
    with pytest.raises(ValueError, match="10 of 9"):
        within(1, 10, 9)


def test_lebak_answers_like_the_study(capsys: pytest.CaptureFixture[str]) -> None:
    """Mean over seeds, all categories of an item; no item has a level of its own."""
    runs = {seed: finished(simulated(seed=seed, share=SHARE, end="2022-12")) for seed in SEEDS}
    k = {seed: run.questionnaire.set_index(["item_id", "category"])["k"] for seed, run in runs.items()}
    table = comparison.compare(pd.DataFrame(k))
    items = table.groupby("item_id")["inside"].all()
    with capsys.disabled():
        missed = ", ".join(items.index[~items]) or "none"
        print(f"\nquestionnaire: {items.mean():.0%} of items inside, missed: {missed}", end="")
    assert items.mean() >= AGREED
    assert table["seeds_inside"].sum() / (len(SEEDS) * len(table)) >= AGREED


# ---- items without counts --------------------------------------------------------------------------------------------


def sight(**other: Any) -> Sight:
    base: dict[str, Any] = {
        "seen_teams": 0.0,
        "keeps_cases": False,
        "gets_cases": False,
        "case_tie": 0.0,
        "lead_share": 0.0,
    }
    return Sight(**(base | other))


def test_the_items_without_counts_are_those_of_the_evidence() -> None:
    table = pd.read_csv(SCRIPTS.parent / "evidence" / "questionnaire_items.csv")
    stated = dict(zip(table["item_id"], table["categories (in this order)"], strict=True))
    assert {item: " | ".join(categories) for item, (_, categories) in MORE_ITEMS.items()} == stated
    assert not set(MORE_ITEMS) & set(ITEMS)


@pytest.mark.parametrize(
    ("item", "it", "seen", "said"),
    [
        ("S1", {}, {"seen_teams": 1.0}, "knows process and dynamics"),
        ("S1", {"known": 0.0}, {"seen_teams": 1.0}, "knows only that TPPS were decreed everywhere"),
        ("S1", {}, {"seen_teams": 0.0}, "knows only that TPPS were decreed everywhere"),
        ("S1", {"in_decree": False, "aware": 0.0}, {}, "cannot describe"),
        ("I4", {}, {}, "does not know of it"),
        ("I4", {}, {"gets_cases": True}, "knows of sharing"),
        ("I4", {}, {"keeps_cases": True}, "knows of sharing"),
        ("I4", {}, {"case_tie": 1.0}, "knows of sharing"),
        ("I6", {}, {"lead_share": 1.0}, "centralised"),
        ("I6", {}, {"lead_share": 0.0}, "spread over all OPD"),
        ("I6", {"aware": 0.0, "known": 0.0}, {"lead_share": 1.0}, "does not know"),
    ],
)
def test_an_item_without_counts_follows_its_rule(
    item: str, it: dict[str, Any], seen: dict[str, Any], said: str
) -> None:
    assert MORE_ITEMS[item][0](agency(**it), sight(**seen), AT) == said


def test_handing_lists_out_makes_agencies_know_of_sharing_and_active_teams_are_seen() -> None:
    def count(item: str, category: str, set_: dict[str, Any]) -> int:
        table = finished(live(end="2018-12", share=0.005, set=set_)).questionnaire
        return int(table.set_index(["item_id", "category"]).loc[(item, category), "k"])

    shared = [count("I4", "knows of sharing", {"lists.sharing_share": share}) for share in (0.0, 1.0)]
    assert shared[0] < shared[1] == 9
    teams = {f"network.tpps_{place}_active_share" for place in ("kecamatan", "desa")}
    seen = [count("S1", "knows process and dynamics", dict.fromkeys(teams, share)) for share in (0.0, 1.0)]
    assert seen[0] == 0 < seen[1]


def test_every_agency_gives_one_answer_to_each_item_without_counts() -> None:
    table = finished(live(end="2018-12", share=0.005)).questionnaire
    for item in MORE_ITEMS:
        assert table[table["item_id"] == item]["k"].sum() == 9
