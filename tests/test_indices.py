"""Official indices: what they count, their limits, what adds up, whom they move with, and that they only look."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fake_run
import numpy as np
import pandas as pd
import pytest
from conftest import finished, live, simulated

from konvergensi.base.errors import InputError
from konvergensi.base.files import read_toml
from konvergensi.base.words import LANGUAGES
from konvergensi.inputs.indices import FILE, Indices, indices, read_indices
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms.actions import CHANGES
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe import counted, ikps, reform, scorecard
from konvergensi.observe.counted import COUNTED, NEEDS, Past
from konvergensi.observe.recorder import Recorder
from konvergensi.report.findings_indices import indices as said
from konvergensi.results.run import Run
from konvergensi.world.state import World

EVIDENCE = Path(__file__).resolve().parents[1] / "evidence"
SHARE = 0.005


@pytest.fixture(scope="module")
def model() -> ConvergenceModel:
    return simulated(end="2018-12", share=SHARE)


@pytest.fixture(scope="module")
def run(model: ConvergenceModel) -> Run:
    return finished(model)


@pytest.fixture
def world(model: ConvergenceModel) -> World:
    """A world that has lived until December 2018, to be changed."""
    found = copy.deepcopy(model.world)
    found.month = 2018 * 12 + 11  # the month last lived
    return found


def every_need(world: World) -> None:
    """There are people of every kind that an indicator is for."""
    world.children.kek[:] = True
    world.households.four_too[:] = True
    world.children.z[:] = -3.0


def past(world: World, everything: bool) -> Past:
    """A memory in which nobody had had anything before the quarter and year, and all or nobody came to be weighed."""
    found = Past.begin(world, [each.counts for of in (indices().ikps, indices().scorecard) for each in of.counted])
    for kept in (*found.taken, *found.paid):
        for column in kept[1].values():
            column[:] = 0 if everything else column.max(initial=0)
    for month in (2018 * 12 + 1, 2018 * 12 + 7):
        rows = world.children.window(month, 0, 23)
        found.rounds.append((month, rows, np.full(rows.stop - rows.start, everything)))
    return found


def give(world: World, everything: bool) -> Past:
    """Everybody has had everything that an index counts, or nobody anything."""
    every_need(world)
    for column in (*world.book.taken, *world.book.received):
        column[:] = 100 if everything else 0
    for lack in (world.households.no_water, world.households.no_latrine, world.households.food_insecure):
        lack[:] = not everything
    world.registers.nik_month[:] = 0 if everything else 10**6
    odds = 60.0 if everything else -60.0
    bases = {f"behaviours.{name}_base": odds for name in ("breastfeeding", "diet_diversity")}
    known = {key: world.settings.parameter(key) for key in world.settings}
    world.settings = type(world.settings)(world.settings.as_dict() | bases, known)
    return past(world, everything)


# ---- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("everything", "percent"), [(True, 100.0), (False, 0.0)])
def test_everything_delivered_is_100_percent_and_nothing_0(world: World, everything: bool, percent: float) -> None:
    memory = give(world, everything)
    rows = pd.DataFrame(ikps.ikps_rows(world, memory))
    assert len(rows) == len(indices().ikps.counted) + 5 + 1  # five dimensions have an indicator, and the index
    assert (rows["percent"] == percent).all()
    card, single = scorecard.card_of(world, memory)
    assert len(single) == len(indices().scorecard.counted)
    assert [row["percent"] for row in single] == [percent] * len(single)
    table = scorecard.by_village([(2018, card)], world.district.villages)
    assert (table["percent"].dropna() == percent).all()
    assert table["percent"].isna().equals(table["due"] == 0)


def test_where_nobody_is_due_anything_there_is_no_percent(world: World) -> None:
    world.children.kek[:] = False
    _, single = scorecard.card_of(world, give_no_need(world))
    by_id = {row["indicator"]: row for row in single if row["target"] == "pregnant_women"}
    assert by_id["visits_kek"]["due"] == 0
    assert np.isnan(by_id["visits_kek"]["percent"])


def give_no_need(world: World) -> Past:
    return past(world, everything=True)


def test_the_mean_of_nothing_is_not_a_number_and_what_is_missing_does_not_count_as_0() -> None:
    assert np.isnan(ikps.mean([]))
    assert ikps.mean([50.0, float("nan"), 100.0]) == 75.0


# ---- what adds up ----------------------------------------------------------------------------------------------------


def test_villages_add_up_to_the_district_and_groups_to_all(run: Run) -> None:
    by_group = run.scorecard.groupby("target")[["received", "due"]].sum()
    single = run.scorecard_indicators.groupby("target")[["received", "due"]].sum()
    for target in ("pregnant_women", "children_0_23"):
        assert by_group.loc[target].tolist() == single.loc[target].tolist()
    assert by_group.loc["all"].tolist() == single.sum().tolist()
    assert (run.scorecard["received"] <= run.scorecard["due"]).all()
    assert single["due"].min() > 0


def test_a_year_has_a_card_of_every_village_for_each_group(run: Run, model: ConvergenceModel) -> None:
    n = len(model.world.lokus)
    assert run.scorecard.groupby(["year", "target"]).size().tolist() == [n, n, n]
    assert run.scorecard["village"].iloc[:n].tolist() == run.villages["village"].iloc[:n].tolist()


def test_dimensions_average_to_the_index_and_indicators_to_dimensions(run: Run) -> None:
    table = run.ikps
    means = table[table["indicator"] == "all"].set_index("dimension")["percent"]
    assert means["index"] == pytest.approx(means.drop("index").mean())
    single = table[table["indicator"] != "all"].groupby("dimension")["percent"].mean()
    assert single.to_dict() == pytest.approx(means.drop("index").to_dict())


def test_the_published_dimensions_of_ikps_average_to_the_published_index() -> None:
    """The rule of the means is inferred from this: no report that states it could be read."""
    with (EVIDENCE / "convergence_evidence.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["topic"] == "IKPS"]
    for year in ("2019", "2020"):
        of_year = {row["measure"]: float(row["value"]) for row in rows if row["year"] == year}
        dimensions = [value for name, value in of_year.items() if name.startswith("dimension ")]
        assert len(dimensions) == 6
        index = next(value for name, value in of_year.items() if name.startswith("special index"))
        assert np.mean(dimensions) == pytest.approx(index, abs=0.1)
    cards = [value for name, value in of_year.items() if "KPS/KKS" in name or "JKN" in name]
    assert np.mean(cards) == pytest.approx(of_year["dimension social protection"], abs=0.1)


# ---- direction -------------------------------------------------------------------------------------------------------


def index_of(world: World, memory: Past) -> float:
    return float(ikps.ikps_rows(world, memory)[-1]["percent"])


def card_percent(world: World, memory: Past) -> float:
    received, due = scorecard.card_of(world, memory)[0]["all"]
    return float(100 * received.sum() / due.sum())


def build_latrines(world: World, memory: Past) -> None:
    world.households.no_latrine[:] = False


def immunise(world: World, memory: Past) -> None:
    world.book.taken[next(s for s, each in enumerate(world.services) if each.id == "immunisation")][:] = 5


@pytest.mark.parametrize("better", [build_latrines, immunise])
def test_more_of_a_service_raises_both_indices(world: World, better: Callable[[World, Past], None]) -> None:
    memory = past(world, everything=False)
    before = index_of(world, memory), card_percent(world, memory)
    better(world, memory)
    assert index_of(world, memory) > before[0]
    assert card_percent(world, memory) > before[1]


def test_without_programmes_families_receive_less_of_what_is_due(run: Run) -> None:
    other = finished(simulated(end="2018-12", share=SHARE, set={"delivery.programmes_on": False}))

    def card(found: Run) -> float:
        both = found.scorecard[found.scorecard["target"] == "all"][["received", "due"]].sum()
        return float(both["received"] / both["due"])

    def index(found: Run) -> float:
        return float(found.ikps[found.ikps["dimension"] == "index"]["percent"].iloc[-1])

    assert card(other) < card(run)
    assert index(other) < index(run)


def test_only_what_came_within_the_quarter_or_year_counts_as_of_it(world: World) -> None:
    of_card = {(each.group, each.id): each.counts for each in indices().scorecard.counted}
    visits = of_card["pregnant_women", "antenatal_4"]
    assert visits is not None
    memory = give(world, everything=True)
    assert counted.count(world, visits, memory)[2].all()
    for _, kept in memory.taken:
        kept["anc"][:] = 100  # as many as they have now
    assert not counted.count(world, visits, memory)[2].any()
    card = next(each.counts for each in indices().ikps.counted if each.id == "social_card")
    assert card is not None
    assert counted.count(world, card, memory)[2].all()
    for _, kept in memory.paid:
        for column in kept.values():
            column[:] = 100
    assert not counted.count(world, card, memory)[2].any()


def test_a_child_too_young_for_an_indicator_is_no_target_of_it(world: World) -> None:
    by_id = {each.id: each.counts for each in indices().scorecard.counted if each.group == "children_0_23"}
    weighed, measured = by_id["weighed"], by_id["length_measured"]
    assert weighed is not None and measured is not None
    memory = give(world, everything=True)
    rows, due, _ = counted.count(world, weighed, memory)
    assert np.array_equal(due, world.children.ages(world.month, rows) >= 6)
    rows, due, _ = counted.count(world, measured, memory)
    assert np.array_equal(due, world.children.ages(world.month, rows) >= 3 + 4)  # three months old in August


def test_a_round_of_more_than_a_year_ago_does_not_count(world: World) -> None:
    measured = next(each.counts for each in indices().scorecard.counted if each.id == "length_measured")
    assert measured is not None
    memory = give(world, everything=True)
    memory.rounds = [(month - 12, rows, came) for month, rows, came in memory.rounds]
    assert not counted.count(world, measured, memory)[1].any()


# ---- the reform ------------------------------------------------------------------------------------------------------


def test_the_reform_has_rows_only_where_it_is_in_force_and_of_actions_that_were_done(run: Run) -> None:
    assert run.reform_stages.empty
    model = simulated(end="2018-12", share=SHARE, set={"calendar.regime": "reform-2025"})
    found = finished(model)
    stages = found.reform_stages.set_index("stage")
    asked = {each.id: each.actions for each in indices().reform.stage if each.actions}
    assert list(stages.index) == list(asked)
    done = found.actions.set_index("action")
    for stage, actions in asked.items():
        here = done.loc[[action for action in actions if action in done.index]]
        row = stages.loc[stage]
        assert row["actions_done"] == len(here) <= row["actions"] == len(actions)
        assert row["month"] == here["month"].max()
        assert row["quality"] == pytest.approx(here["quality"].mean())


def test_a_year_in_which_nothing_was_done_says_so(world: World) -> None:
    world.coordination.carried_out.clear()
    world.settings = world.settings.changed({"calendar.regime": "reform-2025"})
    for row in reform.stage_rows(world):
        assert (row["actions_done"], row["month"]) == (0, "")
        assert np.isnan(row["score"]) and np.isnan(row["quality"])


# ---- isolation -------------------------------------------------------------------------------------------------------


def test_recording_the_indices_changes_no_bit_of_a_run(
    model: ConvergenceModel, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "_indices", lambda self, world: None)
    monkeypatch.setattr(Past, "remember", lambda self, world: None)
    other = live(end="2018-12", share=SHARE)
    assert (other.world.children.z == model.world.children.z).all()
    without = finished(other)
    for name, table in run.tables().items():
        if name not in ("ikps", "scorecard", "scorecard_indicators", "reform_stages"):
            pd.testing.assert_frame_equal(table, without.tables()[name])


# ---- the file --------------------------------------------------------------------------------------------------------


def test_every_indicator_of_the_card_is_mapped_or_named_as_missing() -> None:
    names = {
        "pregnant woman": "pregnant_women",
        "child 0-23 months": "children_0_23",
        "child 2-6 years": "children_2_6",
    }
    with (EVIDENCE / "scorecard_indicators.csv").open(encoding="utf-8") as file:
        official = {(names[row["target"]], row["indicator"]) for row in csv.DictReader(file) if row["target"] in names}
    mapped = [(each.group, each.id) for each in indices().scorecard.indicator]
    assert set(mapped) == official
    assert len(mapped) == len(set(mapped))


def test_the_mapping_refers_to_known_services_words_and_actions() -> None:
    asked = [each.counts for of in (indices().ikps, indices().scorecard) for each in of.counted if each.counts]
    assert {name for counts in asked for name in counts.services} <= set(load_services())
    assert {counts.what for counts in asked} == set(COUNTED)
    assert {counts.need for counts in asked} - {None} == set(NEEDS)
    assert {action for stage in indices().reform.stage for action in stage.actions} <= set(CHANGES)


def test_what_is_due_can_be_had_inside_the_ages_of_the_service() -> None:
    for each in indices().scorecard.counted:
        assert each.counts is not None
        for name in each.counts.services:
            service = load_services()[name]
            assert all(step.age >= service.from_age for step in each.counts.steps) or len(each.counts.services) > 1


def broken(change: Callable[[dict[str, Any]], None]) -> Callable[[], Indices]:
    data = read_toml(FILE)
    change(data)
    return lambda: read_indices(data, "indices.toml")


def first(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["ikps"]["indicator"][0]
    return found


WRONG: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda data: first(data).update(colour="red"), "colour: unknown key"),
    (lambda data: first(data)["counts"].update(what="delivery"), "what: 'delivery'.*did you mean deliveries"),
    (lambda data: first(data)["counts"].update(services=["imunisation"]), "unknown service.*did you mean immunisation"),
    (lambda data: first(data).update(group="helth"), "unknown group.*did you mean health"),
    (lambda data: first(data).update(fit="none"), 'does not go with fit = "none"'),
    (lambda data: first(data).pop("counts"), 'does not go with fit = "same"'),
    (lambda data: first(data)["counts"].pop("steps"), 'steps: is needed to count "deliveries" of children'),
    (lambda data: first(data)["counts"].update(what="water"), 'services: says nothing where "water"'),
    (lambda data: first(data)["counts"].pop("to_age"), "to_age: is needed"),
    (lambda data: first(data)["counts"]["steps"].append({"age": 3, "deliveries": 1}), "youngest age to the oldest"),
    (lambda data: data["reform"]["stage"][0].update(actions=["analisis"]), "analisis.*analysis"),
    (lambda data: data["reform"]["stage"][0].update(actions=[]), 'does not go with fit = "same"'),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_what_is_wrong_in_the_file_is_refused(change: Callable[[dict[str, Any]], None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        broken(change)()


# ---- what a reader sees ----------------------------------------------------------------------------------------------


@pytest.fixture
def told() -> Iterator[SimpleNamespace]:
    yield fake_run.full_run("2023-01", "2025-12", 3)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_summary_says_the_numbers_of_the_tables_and_where_their_limits_stand(
    told: SimpleNamespace, lang: Any
) -> None:
    coverage, card, actions = said(told, lang)
    point = "," if lang == "id" else "."
    assert "2025" in coverage and f"70{point}0" in coverage and "docs/indices." in coverage
    assert f"40{point}0%" in card
    assert "2/3" in actions


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_run_without_these_tables_says_nothing_of_them(lang: Any) -> None:
    assert said(fake_run.empty_run(), lang) == []
