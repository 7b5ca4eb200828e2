"""The class without a browser: who may decide what, what is kept over a crash, and that the debrief tells the truth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import konvergensi as kv
from konvergensi.analyses.gaps_plan import (
    ALL,
    EQUAL_MONEY,
    GAPS,
    SETS,
    Job,
    gaps_job,
    name_of,
    scenario_of,
    year_outcome,
)
from konvergensi.app import class_rules as rules
from konvergensi.app import debrief as debriefing
from konvergensi.app import game as games
from konvergensi.app import played
from konvergensi.app.game import Game
from konvergensi.base.errors import InputError
from konvergensi.base.words import catalogue
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.results.gaps import MEASURES

BANJAR = "kota-banjar"


def new(folder: Path, **options: object) -> Game:
    options = {"rounds": 4, "families": 1500} | options
    return Game.open(folder / "game", BANJAR, **options)  # type: ignore[arg-type]


def code(game: Game) -> str:
    return str(game.state.opened["code"])


def everything(game: Game, gaps: frozenset[str] = ALL) -> dict[str, frozenset[str]]:
    return {seat.id: frozenset(each.id for each in rules.decisions(seat.role) if each.gap in gaps)
            for seat in game.seats.values()}  # fmt: skip


# ---- rules -----------------------------------------------------------------------------------------------------------


def test_the_decisions_of_a_gap_hold_every_key_of_the_policy_that_closes_it() -> None:
    for gap in GAPS:
        own = [key for each in rules.decisions() if each.gap == gap for key in each.keys]
        assert sorted(own) == sorted({change.key for change in load_scenario(f"close-{gap}").changes})


@pytest.mark.parametrize("closed", SETS, ids=name_of)
def test_a_class_that_decides_all_of_some_gaps_simulates_the_policies_of_gaps_bit_for_bit(
    closed: frozenset[str],
) -> None:
    place = find_district(BANJAR)
    chosen = {seat.id: frozenset(each.id for each in rules.decisions(seat.role) if each.gap in closed)
              for seat in rules.seats(place)}  # fmt: skip
    model = played.play(BANJAR, 1, 0.02, "2018-01", [chosen] * 2, [()] * 2)
    job = Job(scenario_of(closed), BANJAR, 1, 0.02, "2018-01", "2018-12", tuple(EQUAL_MONEY.items()))
    assert year_outcome(model) == gaps_job(job)


def test_one_agency_that_shares_its_list_shares_it_alone() -> None:
    place = find_district(BANJAR)
    seats = [seat for seat in rules.seats(place) if seat.role == "opd"]
    chosen = {"bappeda": frozenset(["link_registers"]), seats[1].id: frozenset(["share_list", "send_same"])}
    model = played.PlayedModel(BANJAR, 1, 0.02, "2018-01", "2018-12")
    model.decide([chosen], [()])
    for _ in range(2):
        model.step()
    sharing = {opd.id: opd.shares_joined_list for opd in model.opds}
    assert sharing[seats[1].of]
    nobody = played.PlayedModel(BANJAR, 1, 0.02, "2018-01", "2018-12")
    nobody.decide([{"bappeda": frozenset(["link_registers"])}], [()])
    for _ in range(2):
        nobody.step()
    freely = {opd.id: opd.shares_joined_list for opd in nobody.opds}
    assert {name for name in sharing if sharing[name] != freely[name]} <= {seats[1].of}
    focal = {opd.id: opd.focal_unit for opd in model.opds}
    assert focal[seats[1].of]


def test_villages_of_one_kecamatan_have_their_kpm_at_work_and_no_others() -> None:
    place = find_district(BANJAR)
    kecamatan = str(place.villages["kecamatan"].iloc[0])
    models = []
    for chosen in ({}, {f"desa:{kecamatan}": frozenset(["kpm_works"])}):
        model = played.PlayedModel(BANJAR, 1, 0.02, "2018-01", "2018-12")
        model.decide([chosen], [()])
        model.step()
        models.append(model.world.coordination.kpm)
    inside = (place.villages["kecamatan"] == kecamatan).to_numpy()
    assert models[1][inside].all()
    assert (models[0][~inside] == models[1][~inside]).all()


def test_a_number_moves_with_the_share_of_seats_and_a_yes_or_no_with_all() -> None:
    assert rules.between(2, 12, 0.5) == 7 and isinstance(rules.between(2, 12, 0.5), int)
    assert rules.between(0.0, 1.0, 0.25) == 0.25
    assert rules.between(False, True, 0.99) is False and rules.between(False, True, 1.0) is True


def test_what_happens_to_a_district_begins_in_its_half_year_and_ends_with_it() -> None:
    place = find_district(BANJAR)
    scenario = rules.policy(place, [{}, {}, {}], [(), ("mutasi",), ()], 2018 * 12, 2019 * 12 + 5)
    moved = [(change.month, change.value) for change in scenario.changes if change.key == "shocks.mutasi_share"]
    assert [month for month, _ in moved] == [2018 * 12 + 6, 2019 * 12]
    assert moved[0][1] == 0.2 and moved[1][1] != 0.2


def test_seats_nobody_plays_do_what_is_scripted() -> None:
    place = find_district(BANJAR)
    seats, asked = rules.seats(place), {"share_list", "fetch_list"}
    assert not any(rules.scripted("own", place, seat, 0, asked, 1) for seat in seats)
    assert all(
        len(rules.scripted("shared", place, seat, 0, (), 1)) == len(rules.decisions(seat.role)) for seat in seats
    )
    obeying = [rules.scripted("obeys", place, seat, 0, asked, 1) for seat in seats]
    assert {name for taken in obeying for name in taken} <= asked
    assert 0 < sum(map(len, obeying)) < len(seats)
    assert obeying == [rules.scripted("obeys", place, seat, 0, asked, 1) for seat in seats]


# ---- who may do what -------------------------------------------------------------------------------------------------


def test_a_code_is_needed_and_each_seat_has_one_player(tmp_path: Path) -> None:
    game = new(tmp_path)
    with pytest.raises(InputError, match="code"):
        game.join("000000" if code(game) != "000000" else "111111", "Ani")
    ani, _ = game.join(code(game), "Ani")
    budi, _ = game.join(code(game), " Budi\n\x1b")
    assert ani.seat == "bappeda" != budi.seat and budi.name == "Budi"
    for name, seat in (("ani", ""), ("", ""), ("Cici", "bappeda"), ("Cici", "opd:nobody")):
        with pytest.raises(InputError):
            game.join(code(game), name, seat)


def test_no_more_join_than_there_are_seats(tmp_path: Path) -> None:
    game = new(tmp_path)
    for number in range(len(game.seats)):
        game.join(code(game), f"p{number}")
    with pytest.raises(InputError, match="every seat"):
        game.join(code(game), "late")


def test_a_player_decides_for_its_own_seat_only_and_only_what_is_its_own(tmp_path: Path) -> None:
    game = new(tmp_path)
    _, coordinator = game.join(code(game), "Ani")
    budi, secret = game.join(code(game), "Budi")
    game.decide(secret, 0, ["share_list"])
    assert game.state.chosen == {budi.seat: frozenset(["share_list"])}
    for wrong in (["call_meetings"], ["fetch_list"], ["rm -rf"]):
        with pytest.raises(InputError, match="not decided"):
            game.decide(secret, 0, wrong)
    with pytest.raises(InputError, match="not decided"):
        game.decide(secret, 0, ["share_list"], asked=["share_list"])  # only the coordinator asks
    with pytest.raises(InputError, match="join"):
        game.decide("guessed", 0, ["share_list"])
    game.decide(coordinator, 0, ["link_registers"], asked=["share_list"])
    assert game.state.asked == {"share_list"}


def test_a_round_is_moved_once_and_what_comes_late_is_refused(tmp_path: Path) -> None:
    game = new(tmp_path)
    _, secret = game.join(code(game), "Ani")
    game.move(0)
    with pytest.raises(InputError, match="over"):
        game.move(0)
    with pytest.raises(InputError, match="over"):
        game.decide(secret, 0, ["plan_early"])
    game.decide(secret, 1, ["plan_early"])
    for number in (1, 2, 3):
        game.move(number)
    assert game.state.over
    with pytest.raises(InputError, match="over"):
        game.move(4)


def test_who_leaves_harms_nobody_and_what_was_decided_stands(tmp_path: Path) -> None:
    game = new(tmp_path, others="shared")
    ani, secret = game.join(code(game), "Ani")
    game.decide(secret, 0, [])
    game.move(0)
    game.move(1)  # Ani is silent: what she decided stands
    assert game.state.rounds[1].get("bappeda", frozenset()) == frozenset()
    game.free(ani.seat)
    assert game.player_of(secret) is None
    game.move(2)  # nobody sits there: scripted
    assert game.state.rounds[2]["bappeda"] == frozenset(each.id for each in rules.decisions("bappeda"))
    dodi, _ = game.join(code(game), "Dodi")
    assert dodi.seat == "bappeda"


# ---- crashes ---------------------------------------------------------------------------------------------------------


def test_after_a_kill_at_any_byte_what_was_confirmed_is_there(tmp_path: Path) -> None:
    game = new(tmp_path)
    _, secret = game.join(code(game), "Ani")
    game.decide(secret, 0, ["plan_early"], asked=["share_list"])
    game.move(0)
    log = game.folder / games.LOG
    content = log.read_bytes()
    confirmed = len(content)
    for cut in range(1, 60):
        log.write_bytes(content + b'{"do": "move", "round": 1, "taken": {}, "events": []}'[:cut])
        again = Game(game.folder)
        assert again.state == game.state and again.player_of(secret) is not None
    again.move(1)  # the rest of the killed line is cut off
    assert log.read_bytes()[:confirmed] == content
    assert [json.loads(line)["do"] for line in log.read_bytes().splitlines()][-2:] == ["move", "move"]
    assert Game(game.folder).state.number == 2


def test_a_game_that_goes_on_after_a_crash_is_the_game_it_would_have_been(tmp_path: Path) -> None:
    game = new(tmp_path, events={1: ["mutasi"]})
    _, secret = game.join(code(game), "Ani")
    game.decide(secret, 0, ["call_meetings", "plan_early"])
    game.move(0)
    game.model()
    game.move(1)
    straight = game.model()
    again = Game(game.folder).model()
    assert straight.world.month == again.world.month
    assert straight.prevalence() == again.prevalence()
    assert (straight.world.programmes.spent == again.world.programmes.spent).all()


# ---- the debrief -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("style", ["own", "shared"])
def test_a_scripted_class_reproduces_gaps_for_the_same_settings_sign_and_interval(tmp_path: Path, style: str) -> None:
    game = new(tmp_path, rounds=2, others=style, families=600)
    game.move(0)
    game.move(1)
    told = debriefing.debrief(game, seeds=2)  # the fewest with an interval
    if style == "own":
        said = [told["measures"][measure]["class"] for measure in MEASURES]
        assert all((each["mean"], each["verdict"]) == (0.0, "same") for each in said)
        return
    share = game.state.opened["share"]
    found = kv.gaps(
        BANJAR, seeds=2, draws=0, population_share=share, start="2018-01", end="2018-12", ranges=False, workers=1
    )
    for measure in MEASURES:
        mine = told["measures"][measure]["class"]
        table = found.differences
        row = table[(table["closed"] == name_of(ALL)) & (table["measure"] == measure)].iloc[0]
        for own, theirs in (("mean", "difference"), ("low", "chance_low"), ("high", "chance_high")):
            assert mine[own] == pytest.approx(row[theirs], rel=1e-9, abs=1e-12)
        cannot = row["chance_low"] <= 0.0 <= row["chance_high"]
        assert mine["verdict"] in (
            ("cannot_tell", "same") if cannot else ("more" if row["difference"] > 0 else "less",)
        )
        parts = found.shapley[found.shapley["measure"] == measure].set_index("part")["value"]
        for gap in GAPS:
            assert told["measures"][measure]["gaps"][gap]["mean"] == pytest.approx(parts[gap], rel=1e-9, abs=1e-12)


def test_the_verdict_says_cannot_tell_where_the_interval_holds_zero() -> None:
    assert debriefing.of_seeds([1.0, 1.1, 0.9]).verdict == "more"
    assert debriefing.of_seeds([-1.0, -1.1, -0.9]).verdict == "less"
    assert debriefing.of_seeds([1.0, -1.1, 0.9]).verdict == "cannot_tell"
    assert debriefing.of_seeds([0.0, 0.0, 0.0]).verdict == "same"
    assert debriefing.of_seeds([5.0]).verdict == "cannot_tell"  # one seed has no interval


@pytest.mark.slow
def test_a_decision_that_nobody_took_is_not_in_the_debrief_and_one_that_was_is(tmp_path: Path) -> None:
    game = new(tmp_path, rounds=2, families=600)
    _, secret = game.join(code(game), "Ani")
    game.decide(secret, 0, ["plan_early"])
    game.move(0)
    game.move(1)
    told = debriefing.debrief(game, seeds=2)
    assert list(told["measures"]["prevalence"]["decisions"]) == ["plan_early"]
    mine = told["measures"]["prevalence"]
    assert mine["decisions"]["plan_early"] == mine["class"]  # the only one taken did all there is
    assert debriefing.debrief(game, seeds=2, progress=pytest.fail) == told  # kept


# ---- thirty for twenty rounds ----------------------------------------------------------------------------------------


def test_thirty_players_over_twenty_rounds_with_reloads_leavers_and_a_crash(tmp_path: Path) -> None:
    game = Game.open(tmp_path / "game", "lebak", rounds=20, families=400, others="obeys")
    phones = [game.join(code(game), f"murid {number}") for number in range(30)]
    assert len({player.seat for player, _ in phones}) == 30
    for number in range(20):
        for k, (player, secret) in enumerate(phones):
            if (k + number) % 7 == 0:
                continue  # silent this time
            own = [each.id for each in rules.decisions(game.seats[player.seat].role)]
            game.decide(secret, number, own[: (k + number) % (len(own) + 1)])
        if number == 10:
            game = Game(game.folder)  # the server is gone and back
        assert all(game.player_of(secret).id == player.id for player, secret in phones)
        game.move(number)
    assert game.state.over and len(game.state.rounds) == 20
    model = game.model()
    assert not model.running and 0.0 < model.prevalence() < 1.0
    assert Game(game.folder).state == game.state


def test_every_decision_and_event_has_its_words_in_both_languages() -> None:
    for each in rules.decisions():
        for part in ("do", "why"):
            assert set(catalogue()[f"app.class.{part}_{each.id}"]) == {"en", "id"}
    for name in rules.events():
        assert set(catalogue()[f"app.class.event_{name}"]) == {"en", "id"}
