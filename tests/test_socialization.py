from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import STILL, forced, live, simulated
from fake_agencies import (
    DEFAULTS,
    ROOMS,
    TEAM,
    after,
    agency,
    agency_state,
    column,
    council,
    live_months,
    shares,
    tell,
    within_ranges,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from konvergensi.base.months import parse_month
from konvergensi.inputs.parameters import load_parameters
from konvergensi.mechanisms import calendar, network, shocks, socialization
from konvergensi.model.convergence import ConvergenceModel

TINY = 0.003  # of Lebak: two households a village; agencies do not depend on how many there are
QUIET = {"socialization.staff_decay_share": 0.0, "socialization.institution_decay_share": 0.0}
NOBODY_MOVES = {"socialization.turnover_share": 0.0}
EVERYBODY_COMES = {
    "socialization.breadth_share": 1.0, "socialization.workload_share": 0.0, "network.coordinator_strength": 1.0,
    "network.lead_clarity_share": 1.0,
}  # fmt: skip


def person(understanding: float = 0.6, files: float = 0.4, **fields: Any) -> Any:
    """An agency as `hand_over` and `guideline_level` read it."""
    usual = {"focal_unit": False, "guideline": False, "in_decree": False, "knows_colleagues": True}
    return SimpleNamespace(understanding=understanding, institutional_understanding=files, **(usual | fields))


def known(world: Any) -> np.ndarray:
    return column(world, "known")


# ---- bounds --------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(within_ranges(*ROOMS, "shocks"), st.integers(1, 5))
def test_every_share_stays_between_0_and_1_whatever_the_settings(changes: dict, seed: int) -> None:
    world = council(changes, seed=seed)
    for _ in range(18):
        live_months(world, 1)
        state = world.coordination
        for name in ("understanding", "institutional_understanding", "goal_adoption", "adaptation", "attendance"):
            each = column(world, name)
            assert ((each >= 0.0) & (each <= 1.0)).all(), name
        for each in (*state.ties.values(), state.kecamatan_understanding, state.village_understanding, state.aware):
            assert ((each >= 0.0) & (each <= 1.0)).all()


@settings(max_examples=15)
@given(st.booleans(), st.integers(1, 5))
def test_limits_of_zero_and_one_that_no_evidence_supports_break_nothing(everything: bool, seed: int) -> None:
    """Every share of the agencies' parameters at 0, or every one at 1."""
    at = 1.0 if everything else 0.0
    of_agencies = [key for key in DEFAULTS if key.split(".")[0] in ("socialization", "network", "goals", "cascade")]
    extreme = {key: at for key in of_agencies if DEFAULTS.parameter(key).unit.startswith("share")}
    world = after(18, extreme, seed=seed)
    for name in ("understanding", "institutional_understanding", "goal_adoption", "adaptation"):
        assert ((column(world, name) >= 0.0) & (column(world, name) <= 1.0)).all(), name


# ---- rotation ------------------------------------------------------------------------------------


@given(shares, shares, shares, st.booleans(), st.booleans())
def test_a_new_person_never_knows_more_than_the_one_who_left_and_files_stay(
    staff: float, files: float, loss: float, unit: bool, handbook: bool
) -> None:
    opd = person(staff, files, focal_unit=unit, guideline=handbook)
    socialization.hand_over(opd, forced(DEFAULTS, {"socialization.rotation_loss_share": loss}))
    assert 0.0 <= opd.understanding <= staff
    assert opd.institutional_understanding == files
    assert not opd.knows_colleagues


@given(shares, shares)
def test_rotation_takes_what_is_unprotected_but_not_what_files_can_tell(staff: float, files: float) -> None:
    opd = person(staff, files)
    all_lost = {"socialization.rotation_loss_share": 1.0, "socialization.newcomer_share": 0.5}
    socialization.hand_over(opd, forced(DEFAULTS, all_lost))
    assert opd.understanding == pytest.approx(min(staff, 0.5 * files))


@pytest.mark.parametrize(("has", "key"), [("focal_unit", "focal"), ("guideline", "guideline")])
def test_a_focal_unit_and_a_guideline_each_protect_what_is_known(has: str, key: str) -> None:
    kept = []
    for fields in ({}, {has: True}):
        opd = person(0.8, 0.0, **fields)
        socialization.hand_over(opd, DEFAULTS)
        kept.append(opd.understanding)
    loss = DEFAULTS["socialization.rotation_loss_share"]
    assert kept[0] == pytest.approx(0.8 * (1 - loss))
    assert kept[1] == pytest.approx(0.8 * (1 - loss * (1 - DEFAULTS[f"socialization.{key}_protection_share"])))
    whole = person(0.8, 0.0, **{has: True})
    socialization.hand_over(whole, forced(DEFAULTS, {f"socialization.{key}_protection_share": 1.0}))
    assert whole.understanding == 0.8


@pytest.mark.parametrize(("turnover", "mutasi", "moved"), [(0, 0, 0), (1, 0, 8), (0, 1, 8), (0.5, 0.5, 0.75 * 8)])
def test_persons_in_charge_are_moved_by_turnover_and_by_mutasi(turnover: float, mutasi: float, moved: float) -> None:
    counts = []
    for seed in range(1, 41):
        world = council({"socialization.turnover_share": turnover, "shocks.mutasi_share": mutasi}, seed=seed)
        for opd in world.opds:
            opd.knows_colleagues = True
        socialization.rotate(world)
        counts.append(sum(not opd.knows_colleagues for opd in world.opds))
    if moved in (0, 8):
        assert set(counts) == {moved}
    else:
        assert np.mean(counts) == pytest.approx(moved, abs=0.8)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("socialization.turnover_share", (0.0, 0.03, 0.1, 0.5)),
        ("shocks.mutasi_share", (0.0, 0.1, 0.8)),
        ("socialization.rotation_loss_share", (0.3, 0.7, 1.0)),
        ("socialization.staff_decay_share", (0.0, 0.008, 0.04)),
        ("socialization.institution_decay_share", (0.0, 0.004, 0.02)),
        ("socialization.workload_share", (0.0, 0.25, 0.7)),
    ],
)
def test_what_takes_understanding_away_never_leaves_any_agency_with_more(key: str, values: tuple, seed: int) -> None:
    """With common random numbers, agency by agency and month by month, not on average only."""
    worlds = [council({key: value}, seed=seed) for value in values]
    for _ in range(36):
        now = np.array([known(live_months(world, 1)) for world in worlds])
        assert (np.diff(now, axis=0) <= 1e-12).all()
    assert now[-1].mean() < now[0].mean() - 1e-4


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("socialization.meetings_per_year", (0, 2, 10)),  # and two by decree: 2, 4 and 12 share their months
        ("socialization.breadth_share", (0.0, 0.3, 1.0)),
        ("socialization.same_person_share", (0.0, 0.4, 1.0)),
        ("socialization.focal_unit_share", (0.0, 0.5, 1.0)),
        ("socialization.guideline_share", (0.0, 0.5, 1.0)),
        ("socialization.learning_share", (0.05, 0.3, 0.5)),
        ("socialization.one_off_share", (0.0, 0.4, 0.9)),
        ("socialization.no_programme_share", (0.2, 0.6, 1.0)),
        ("socialization.consolidation_share", (0.01, 0.05, 0.2)),
        ("socialization.peer_share", (0.0, 0.02, 0.08)),
        ("network.pendampingan", (0.0, 0.2, 1.0)),
        ("network.coordinator_strength", (0.0, 0.35, 1.0)),
        ("network.lead_clarity_share", (0.0, 0.6, 1.0)),
        ("network.decree_in_force", (False, True)),
        ("network.decree_coverage_share", (0.0, 0.5, 1.0)),
        ("network.interdependence", (0.0, 0.3, 1.0)),
        ("shocks.meeting_open_share", (0.0, 0.2, 1.0)),
    ],
)
def test_what_brings_understanding_never_leaves_any_agency_with_less(key: str, values: tuple, seed: int) -> None:
    worlds = [council({key: value}, seed=seed) for value in values]
    for _ in range(36):
        now = np.array([known(live_months(world, 1)) for world in worlds])
        assert (np.diff(now, axis=0) >= -1e-12).all()
    # one agency's first chance to meet again may come late
    assert now[-1].mean() > now[0].mean() + (1e-5 if key == "network.interdependence" else 1e-4)


def test_more_turnover_means_less_understanding_in_lebak() -> None:
    means = []
    for turnover in (0.005, 0.03, 0.1):
        model = simulated(share=TINY, end="2022-12", set={"socialization.turnover_share": turnover})
        means.append(np.mean([opd.known for opd in model.opds]))
    assert means[0] > means[1] > means[2]


# ---- meetings ------------------------------------------------------------------------------------


@given(st.integers(0, 12))
def test_meetings_are_spread_over_the_year_and_end_it(times: int) -> None:
    months = [month for month in range(1, 13) if calendar.is_meeting_month(times, month - 1)]
    assert len(months) == times
    if times:
        assert months[-1] == 12
        gaps = np.diff([0, *months])
        assert gaps.max() - gaps.min() <= 1


@given(st.integers(0, 12), st.integers(0, 10), st.booleans())
def test_a_decree_brings_meetings_but_never_more_than_one_a_month(usual: int, more: int, decree: bool) -> None:
    changes = {
        "socialization.meetings_per_year": usual,
        "socialization.decree_meetings_per_year": more,
        "network.decree_in_force": decree,
    }
    called = socialization.meetings_per_year(forced(DEFAULTS, changes))
    assert called == (min(usual + more, 12) if decree else usual)


def meeting(changes: dict[str, Any], rembuk: bool = False, month: str = "2018-12", **options: Any) -> Any:
    """The council after one December meeting and nothing else."""
    world = council(changes, month=month, **options)
    socialization.meet(world, rembuk)
    return world


def test_without_a_meeting_nobody_comes_and_nobody_learns() -> None:
    for changes, month in (
        ({"socialization.meetings_per_year": 0, "socialization.decree_meetings_per_year": 0}, "2018-12"),
        ({}, "2018-01"),
        ({"shocks.meeting_open_share": 0.0}, "2018-12"),
    ):
        before, world = known(council(changes, month=month)), meeting(changes, month=month)
        assert not world.coordination.came.any()
        assert (known(world) == before).all()
        assert {opd.attendance for opd in world.opds} == {0.5}


def test_a_cancelled_meeting_cancels_the_rembuk_too() -> None:
    assert not meeting({"shocks.meeting_open_share": 0.0}, rembuk=True).coordination.came.any()
    assert meeting({"shocks.meeting_open_share": 1.0}, rembuk=True).coordination.came.any()


def test_without_workload_and_ego_every_agency_that_is_invited_comes() -> None:
    world = meeting(EVERYBODY_COMES)
    assert world.coordination.came.all()


def test_invited_are_those_who_lead_those_in_the_decree_and_a_share_of_the_others() -> None:
    only_team = EVERYBODY_COMES | {"socialization.breadth_share": 0.0}
    world = meeting(only_team)
    assert [opd.id for opd, came in zip(world.opds, world.coordination.came) if not came] == ["pupr", "perikanan"]
    without_decree = meeting(only_team | {"network.decree_in_force": False})
    came = [opd.id for opd, there in zip(without_decree.opds, without_decree.coordination.came) if there]
    assert came == ["bappeda", "dinkes"]


def test_full_ego_without_a_coordinator_keeps_everybody_away_except_from_the_rembuk() -> None:
    """The coordinator calls the meeting, and is there."""
    proud = [agency(each.id, role=each.role, ego=1.0) for each in TEAM]
    changes = {"network.coordinator_strength": 0.0, "network.interdependence": 0.0, "socialization.workload_share": 0.0}
    assert meeting(changes, team=proud).coordination.came.tolist() == [True] + [False] * 7
    assert meeting(changes, rembuk=True, team=proud).coordination.came.all()


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_stronger_coordinator_brings_whoever_came_before_and_more(seed: int) -> None:
    came = [
        meeting({"network.coordinator_strength": strength}, seed=seed).coordination.came
        for strength in (0.0, 0.35, 0.7, 1.0)
    ]
    assert (np.diff(np.array(came, int), axis=0) >= 0).all()


def test_a_stronger_coordinator_raises_attendance() -> None:
    attended = [
        np.mean([column(after(24, {"network.coordinator_strength": s}, seed=seed), "attendance") for seed in (1, 2, 3)])
        for s in (0.0, 0.5, 1.0)
    ]
    assert attended[0] < attended[1] < attended[2]


@given(st.integers(1, 5))
def test_nobody_learns_more_than_the_best_informed_of_those_who_came_can_tell(seed: int) -> None:
    changes = {"network.pendampingan": 0.0, "socialization.learning_share": 1.0}
    before = council(changes, month="2018-12", seed=seed)
    world = meeting(changes, seed=seed)
    came = world.coordination.came
    tells = [opd.known for opd, there in zip(before.opds, came) if there and (opd.leads or opd.has_programme)]
    best = max(tells, default=0.0)
    for old, new, there in zip(before.opds, world.opds, came):
        most = max(old.understanding, best) if there else old.understanding
        assert old.understanding <= new.understanding <= most + 1e-12


@given(shares, shares)
def test_accompaniment_tells_what_nobody_there_knows(pendampingan: float, best: float) -> None:
    team = [agency("bappeda", role="coordinator", understanding=best, institutional_understanding=best)]
    world = meeting(EVERYBODY_COMES | {"network.pendampingan": pendampingan}, team=team)
    world.opds[0].understanding = best
    assert socialization.message(world) == pytest.approx(1 - (1 - best) * (1 - pendampingan))


def test_a_different_person_each_time_takes_home_less_and_one_without_programme_too() -> None:
    """The first meeting is everybody's first; at the second the same persons know it already."""
    base = EVERYBODY_COMES | QUIET | {"network.pendampingan": 0.0}
    gains = {}
    for name, again in (("same", 1.0), ("another", 0.0)):
        world = council(base | {"socialization.same_person_share": again}, month="2018-12")
        for opd in world.opds:
            opd.knows_colleagues = True
        before = column(world, "understanding")
        socialization.meet(world, rembuk=False)
        gains[name] = column(world, "understanding") - before
    of = [opd.id for opd in world.opds]
    learners = [of.index(id) for id in ("dinsos", "dpmd", "disdik")]
    one_off, outside = DEFAULTS["socialization.one_off_share"], DEFAULTS["socialization.no_programme_share"]
    assert gains["another"][learners] == pytest.approx(one_off * gains["same"][learners])
    assert gains["same"][of.index("disdik")] == pytest.approx(outside * gains["same"][of.index("dpmd")])


def test_the_first_meeting_after_a_rotation_is_a_meeting_among_strangers() -> None:
    world = council(EVERYBODY_COMES | {"socialization.same_person_share": 1.0}, month="2018-12")
    for i, opd in enumerate(world.opds):
        opd.knows_colleagues = i > 2
    world.coordination.ties["informal"][:] = 0.0
    socialization.meet(world, rembuk=False)
    tied = world.coordination.ties["informal"].any(axis=1)
    assert tied.tolist() == [False] * 3 + [True] * 5
    assert all(opd.knows_colleagues for opd in world.opds)


def test_attendance_remembers_who_came_and_who_stayed_away() -> None:
    world = meeting({})
    assert 0 < world.coordination.came.sum() < len(world.opds)
    for opd, came in zip(world.opds, world.coordination.came):
        assert opd.attendance == pytest.approx(0.5 + 0.25 * (came - 0.5))
    assert {opd.rembuk_year for opd in world.opds} == {None}
    council_of_year = meeting({}, rembuk=True)
    for opd, came in zip(council_of_year.opds, council_of_year.coordination.came):
        assert opd.rembuk_year == (2018 if came else None)


# ---- months between meetings ---------------------------------------------------------------------

NO_MEETINGS = {"socialization.meetings_per_year": 0, "socialization.decree_meetings_per_year": 0}


def months_alone(months: int, changes: dict[str, Any], **options: Any) -> Any:
    world = council(NO_MEETINGS | changes, **options)
    for _ in range(months):
        socialization.keep_and_forget(world)
    return world


def test_without_decay_meetings_peers_or_guideline_people_and_files_come_together_and_nothing_is_lost() -> None:
    world = months_alone(600, QUIET | {"socialization.peer_share": 0.0})
    for opd, spec in zip(world.opds, TEAM):
        most = max(spec.understanding, spec.institutional_understanding)
        assert opd.understanding == pytest.approx(most, abs=0.01)
        assert opd.institutional_understanding == pytest.approx(most, abs=0.01)


def test_everything_fades_in_the_end() -> None:
    world = months_alone(3000, {"socialization.guideline_in_force": False})
    assert known(world).max() < 1e-3


def test_a_focal_unit_writes_down_faster() -> None:
    changes = QUIET | {"socialization.peer_share": 0.0}
    without = months_alone(12, changes)
    with_ = months_alone(12, changes | {"socialization.focal_unit_share": 1.0})
    knows_more = column(without, "understanding") > column(council(), "institutional_understanding")
    files = [column(world, "institutional_understanding") for world in (without, with_)]
    assert (files[1] > files[0])[knows_more].all()


@pytest.mark.parametrize(
    ("changes", "fields", "level"),
    [
        ({}, {}, 0.0),
        ({}, {"guideline": True}, 0.5),
        ({"socialization.juknis": True}, {}, 0.0),
        ({"socialization.juknis": True}, {"guideline": True}, 0.8),
        ({"socialization.juknis": True}, {"in_decree": True}, 0.8),
    ],
)
def test_a_guideline_teaches_those_who_hold_it_up_to_its_level(changes: dict, fields: dict, level: float) -> None:
    given_levels = {"socialization.guideline_level_share": 0.5, "socialization.juknis_level_share": 0.8}
    levels = socialization.levels_of_guidelines(forced(DEFAULTS, given_levels | changes))
    assert socialization.guideline_level(person(**fields), *levels) == level


@given(shares, shares, st.booleans(), st.booleans())
def test_an_own_guideline_never_leads_lower_than_the_handbook(
    national: float, own: float, book: bool, sk: bool
) -> None:
    levels = {"socialization.guideline_level_share": national, "socialization.juknis_level_share": own}
    opd = person(guideline=book, in_decree=sk)
    without, with_ = (
        socialization.guideline_level(opd, *socialization.levels_of_guidelines(forced(DEFAULTS, levels | own_or_not)))
        for own_or_not in ({"socialization.juknis": False}, {"socialization.juknis": True})
    )
    assert with_ >= without
    assert (with_ >= own) == (book or sk or own == 0.0)


def test_a_handbook_in_hand_counts_only_once_the_guideline_has_arrived() -> None:
    team = [agency("bappeda", role="coordinator", guideline=True), agency("dinsos")]
    world = council({"socialization.guideline_in_force": False, "socialization.guideline_share": 1.0}, team=team)
    assert not any(opd.guideline for opd in world.opds)
    tell(world, {"socialization.guideline_in_force": True, "socialization.guideline_share": 0.0})
    assert [opd.guideline for opd in world.opds] == [True, False]
    tell(world, {"socialization.guideline_share": 1.0})
    assert all(opd.guideline for opd in world.opds)


def test_reading_leads_files_to_the_level_of_the_handbook_and_not_beyond() -> None:
    alone = {"socialization.peer_share": 0.0, "socialization.guideline_share": 1.0}
    files = column(months_alone(900, QUIET | alone), "institutional_understanding")
    level = DEFAULTS["socialization.guideline_level_share"]
    start = np.array([max(each.understanding, each.institutional_understanding) for each in TEAM])
    assert files == pytest.approx(np.maximum(start, level), abs=0.01)


def test_acquaintances_tell_only_what_they_know_and_only_if_they_run_a_programme_or_lead() -> None:
    changes = {"socialization.consolidation_share": 0.0, "socialization.peer_share": 0.5} | QUIET
    team = [agency("dinsos", understanding=0.2), agency("dinkes", understanding=0.8), agency("bank", understanding=1.0)]
    world = council(NO_MEETINGS | changes, team=team, programmes=[("dinkes", "dak")])
    tie = world.coordination.ties["informal"]
    tie[:] = 1.0 - np.eye(3)
    socialization.keep_and_forget(world)
    assert column(world, "understanding") == pytest.approx([0.2 + 0.5 * 0.6, 0.8, 1.0])
    tie[:] = 0.0
    before = column(world, "understanding")
    socialization.keep_and_forget(world)
    assert column(world, "understanding") == pytest.approx(before)


@given(shares, shares, shares, shares)
def test_quality_rises_with_understanding_and_training(low: float, high: float, skill: float, t: float) -> None:
    """Between the floor and the full quality, whatever an agency knows and can."""
    floor, full = DEFAULTS["delivery.quality_floor_share"], DEFAULTS["delivery.quality_full_share"]
    opd = council().opds[0]
    opd.skill = skill
    quality = []
    for known_ in (min(low, high), max(low, high)):
        for training in (0.0, t, 1.0):
            opd.understanding = opd.institutional_understanding = known_
            quality.append(opd.quality(forced(DEFAULTS, {"socialization.training_share": training})))
    steps = np.array(quality).reshape(2, 3)
    assert (np.diff(steps, axis=0) >= -1e-12).all() and (np.diff(steps, axis=1) >= -1e-12).all()
    assert floor - 1e-12 <= steps.min() <= steps.max() <= full + 1e-12


# ---- isolation -----------------------------------------------------------------------------------


def test_switched_off_agencies_stay_as_they_were() -> None:
    """Ties and goals go on: without meetings, ties fade; goals follow what agencies knew at the start."""
    off = simulated(share=TINY, end="2020-12", set={"socialization.on": False})
    start = {spec.id: spec for spec in off.place.opd}
    for opd in off.opds:
        assert opd.understanding == start[opd.id].understanding
        assert opd.institutional_understanding == start[opd.id].institutional_understanding
        assert opd.attendance == 0.5
    state = off.world.coordination
    assert not state.came.any()
    members = [i for i, opd in enumerate(off.opds) if not opd.leads]
    assert state.ties["formal"][members].max() < 0.15  # those who lead still plan together
    assert any(opd.goal_adoption != start[opd.id].goal_adoption for opd in off.opds)


def test_with_everything_switched_off_nothing_of_the_agencies_moves_but_plans() -> None:
    still = simulated(share=TINY, end="2020-12", set=STILL)
    begun = live(share=TINY, end="2018-01", set=STILL)
    assert {id: state[:5] for id, state in agency_state(still).items()} == {
        id: state[:5] for id, state in agency_state(begun).items()
    }
    for layer, tie in still.world.coordination.ties.items():
        joined = begun.world.coordination.ties[layer]
        assert (tie == joined).all()
    assert still.world.coordination.attention == 0.0


def test_in_the_burn_in_agencies_stay_as_the_district_file_has_them() -> None:
    model = ConvergenceModel(rng=1, population_share=TINY, end="2018-01")
    for opd, spec in zip(model.opds, model.place.opd):
        assert (opd.understanding, opd.goal_adoption) == (spec.understanding, spec.goal_adoption)
    assert model.world.coordination.carried_out == []


def as_written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else repr(value)


def test_a_dated_level_puts_an_agency_there_also_when_it_began_there(tmp_path: Path) -> None:
    key = "opd.dinkes.understanding"
    words = 'title = { en = "a", id = "b" }\nquestion = { en = "c", id = "d" }\n'

    def after(month: str) -> float:
        model = ConvergenceModel(str(path), rng=1, population_share=TINY, end=month)
        while model.running:
            model.step()
        return float(next(opd.understanding for opd in model.opds if opd.id == "dinkes"))

    path = tmp_path / "again.toml"
    start = ConvergenceModel(rng=1, population_share=TINY, end="2018-01").world.settings[key]
    path.write_text(f'{words}[[change]]\nfrom = "2020-07"\n[change.set]\n"{key}" = {start}\n', encoding="utf-8")
    assert abs(after("2020-07") - start) < abs(after("2020-06") - start)


def test_a_dated_change_to_the_value_in_force_changes_no_bit(tmp_path: Path) -> None:
    """Every rule that can be dated, in the middle of a year and of the epidemic; agencies move by themselves."""
    at = ConvergenceModel(rng=1, population_share=TINY, end="2020-07")
    while at.running:
        at.step()
    now = at.world.settings
    built = ("population.", "growth.village_sd_z", "cascade.kecamatan_start", "cascade.lokus_start")
    built += (
        "cascade.village_start",
        "network.start_",
        "delivery.faltering_need",
        "delivery.no_nik_need",
        "delivery.household_child",
        *(key for key, each in load_parameters().items() if each.read == "start"),
    )
    keys = [key for key in now if not key.startswith((*built, "opd."))]
    assert set(load_parameters()) - set(keys)
    values = "".join(f'"{key}" = {as_written(now[key])}\n' for key in keys)
    path = tmp_path / "same.toml"
    words = 'title = { en = "a", id = "b" }\nquestion = { en = "c", id = "d" }\n'
    path.write_text(f'{words}[[change]]\nfrom = "2020-07"\n[change.set]\n{values}', encoding="utf-8")
    usual, told = (live(scenario, share=TINY, end="2021-12") for scenario in ("baseline", str(path)))
    assert any(change.month == parse_month("2020-07") for change in told.changes)
    for name in ("z", "gain", "got"):
        assert (getattr(told.world.children, name) == getattr(usual.world.children, name)).all()
    assert agency_state(told) == agency_state(usual)
    for layer, tie in usual.world.coordination.ties.items():
        assert (told.world.coordination.ties[layer] == tie).all()
    for name in ("budgeted", "spent", "need"):
        assert (getattr(told.world.programmes, name) == getattr(usual.world.programmes, name)).all()


# ---- shocks --------------------------------------------------------------------------------------


def test_an_ordinary_month_is_the_value_without_shock_of_every_parameter() -> None:
    calm_values = {"posyandu_open_share": 1.0, "home_contact_share": 1.0, "budget_moved_share": 0.0, "surveys_on": True,
                   "meeting_open_share": 1.0, "mutasi_share": 0.0, "leadership_share": 1.0}  # fmt: skip
    assert {"on", *calm_values} == {key.partition(".")[2] for key in DEFAULTS if key.startswith("shocks.")}
    for name, calm in calm_values.items():
        assert shocks.in_force(forced(DEFAULTS, {"shocks.on": False, f"shocks.{name}": 0.123}), name) == calm


@pytest.mark.parametrize(
    ("name", "value"), [("mutasi_share", 0.8), ("meeting_open_share", 0.0), ("leadership_share", 0.0)]
)
def test_a_shock_to_agencies_is_felt_and_switched_off_with_the_others(name: str, value: float) -> None:
    def measured(changes: dict[str, Any]) -> np.ndarray:
        world = after(24, {"network.pendampingan": 0.5} | changes)
        return np.concatenate([known(world), column(world, "goal_adoption")])

    calm, struck = measured({}), measured({f"shocks.{name}": value})
    assert struck.mean() < calm.mean() - 0.01
    assert (measured({f"shocks.{name}": value, "shocks.on": False}) == calm).all()


def test_lebaks_history_of_mutasi_and_closed_meetings_costs_understanding() -> None:
    usual, calm = simulated(share=TINY, end="2021-12"), simulated("no-covid", share=TINY, end="2021-12")
    means = [np.mean([opd.known for opd in model.opds]) for model in (usual, calm)]
    assert means[0] < means[1]


# ---- what a lever of one agency moves ------------------------------------------------------------


def test_a_lever_sets_where_the_agency_stands_and_lets_it_move_from_there() -> None:
    model = ConvergenceModel(rng=1, population_share=TINY, end="2018-12", set={"opd.dinsos.understanding": 0.9})
    opd = next(opd for opd in model.opds if opd.id == "dinsos")
    assert opd.understanding == 0.9
    while model.running:
        model.step()
    assert opd.understanding != 0.9


def test_ego_at_the_limits_of_interdependence() -> None:
    for depends, left in ((0.0, 1.0), (1.0, 0.0)):
        world = council({"network.interdependence": 1.0})
        world.coordination.aware[:] = depends
        for i, opd in enumerate(world.opds):
            assert network.effective_ego(world, i) == pytest.approx(opd.ego * left)
