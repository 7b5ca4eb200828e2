from typing import Any

import numpy as np
import pytest
from conftest import finished, simulated
from fake_agencies import DEFAULTS, TEAM, VILLAGES, agency, council, live_months, tell, within_ranges
from hypothesis import given, settings
from hypothesis import strategies as st

from konvergensi.mechanisms import cascade

TINY = 0.003
KEEP = {"cascade.decay_share": 0.0}
ROUND = "2018-12"  # a round is held each December, however many there are


def round_of(changes: dict[str, Any] | None = None, **options: Any) -> tuple[Any, Any]:
    """The council before and after one round below the district and nothing else."""
    before, after = (council(KEEP | (changes or {}), month=ROUND, **options) for _ in range(2))
    cascade.go_down(after)
    return before.coordination, after.coordination


def told(changes: dict[str, Any] | None = None, months: int = 36, seed: int = 1) -> np.ndarray:
    """What villages understand month by month, (months, n_villages)."""
    world = council(changes, seed=seed)
    return np.array([live_months(world, 1).coordination.village_understanding.copy() for _ in range(months)])


# ---- bounds and limits ---------------------------------------------------------------------------


@settings(max_examples=40)
@given(within_ranges("cascade", "network"), st.integers(1, 5))
def test_understanding_below_the_district_is_a_share_whatever_the_settings(changes: dict, seed: int) -> None:
    world = council(changes, seed=seed)
    for month in range(24):
        cascade.go_down(world)
        if month % 12 == 5:
            cascade.coach(world, 1.0)
        world.month += 1
        state = world.coordination
        for each in (state.kecamatan_understanding, state.village_understanding):
            assert each.min() >= 0.0 and each.max() <= 1.0
        assert ((cascade.entry_share(world) >= 0) & (cascade.entry_share(world) <= 1)).all()
        assert 0.0 <= cascade.village_voice(world) <= 1.0


@pytest.mark.parametrize("changes", [{"cascade.meetings_per_year": 0}, {"shocks.meeting_open_share": 0.0}])
def test_without_a_round_nobody_below_the_district_learns(changes: dict) -> None:
    before, after = round_of(changes)
    assert (after.kecamatan_understanding == before.kecamatan_understanding).all()
    assert (after.village_understanding == before.village_understanding).all()


def test_a_round_never_takes_away_and_never_gives_more_than_the_district_knows() -> None:
    before, after = round_of({"cascade.breadth_share": 1.0})
    said = cascade.district_message(council())
    for name in ("kecamatan_understanding", "village_understanding"):
        old, new = getattr(before, name), getattr(after, name)
        assert (new >= old).all() and (new <= np.maximum(old, said)).all(), name
    assert after.kecamatan_understanding.mean() > before.kecamatan_understanding.mean()


def test_the_district_says_what_its_leading_agencies_understand() -> None:
    leading = [each for each in TEAM if each.role != "member"]
    mean = np.mean([0.5 * (each.understanding + each.institutional_understanding) for each in leading])
    assert cascade.district_message(council()) == pytest.approx(mean)
    nobody = council(team=[agency("dinsos", understanding=1.0)])
    assert cascade.district_message(nobody) == 0.0


def test_a_district_that_understands_nothing_teaches_nobody() -> None:
    silent = [agency(each.id, role=each.role, understanding=0.0, institutional_understanding=0.0) for each in TEAM]
    before, after = round_of({"cascade.breadth_share": 1.0, "cascade.kecamatan_start": 0.0}, team=silent)
    assert (after.village_understanding == before.village_understanding).all()


# ---- who is reached ------------------------------------------------------------------------------


def test_lokus_villages_come_first_and_others_as_breadth_says() -> None:
    near = {"cascade.remoteness_share": 0.0}
    for breadth in (0.0, 0.4, 1.0):
        before, after = round_of(near | {"cascade.breadth_share": breadth, "cascade.kecamatan_start": 0.5})
        learned = after.village_understanding > before.village_understanding
        assert learned[before.lokus].all()
        assert learned[~before.lokus].sum() == (before.fixed_draws["breadth"][~before.lokus] < breadth).sum()
    assert learned.all()


def test_at_full_remoteness_the_farthest_village_is_never_reached_and_the_nearest_always() -> None:
    reached = []
    for month in range(60):
        world = council({"cascade.remoteness_share": 1.0, "cascade.breadth_share": 1.0})
        world.month += month
        reached.append(cascade.reach(world))
    share = np.mean(reached, axis=0)
    assert share[0] == 1.0 and share[-1] == 0.0
    assert share == pytest.approx(1 - np.linspace(0, 1, VILLAGES), abs=0.25)


def test_lokus_villages_hear_the_district_itself_and_the_others_their_kecamatan() -> None:
    unknowing = {"cascade.kecamatan_start": 0.0, "network.tpps_kecamatan_active_share": 0.0}
    unknowing |= {"cascade.inactive_team_share": 0.0, "cascade.breadth_share": 1.0, "cascade.remoteness_share": 0.0}
    before, after = round_of(unknowing | {"network.tpps_desa_active_share": 1.0})
    learned = after.village_understanding > before.village_understanding
    assert (learned == before.lokus).all()  # a kecamatan that was told nothing has nothing to pass on


@pytest.mark.parametrize(("passes", "learns"), [(0.0, False), (0.5, True)])
def test_a_team_that_exists_only_by_decree_passes_on_what_the_parameter_leaves(passes: float, learns: bool) -> None:
    by_decree = {"network.tpps_kecamatan_active_share": 0.0, "network.tpps_desa_active_share": 0.0}
    before, after = round_of(by_decree | {"cascade.inactive_team_share": passes})
    assert (after.kecamatan_understanding > before.kecamatan_understanding).all() == learns
    assert (after.village_understanding > before.village_understanding).any() == learns
    active = round_of({"network.tpps_kecamatan_active_share": 1.0})[1].kecamatan_understanding
    start = before.kecamatan_understanding
    assert after.kecamatan_understanding - start == pytest.approx(passes * (active - start))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("cascade.meetings_per_year", (0, 1, 2, 4, 12)),
        ("cascade.breadth_share", (0.0, 0.2, 1.0)),
        ("cascade.learning_share", (0.05, 0.25, 0.6)),
        ("cascade.inactive_team_share", (0.0, 0.3, 0.8)),
        ("network.tpps_kecamatan_active_share", (0.0, 0.5, 1.0)),
        ("network.tpps_desa_active_share", (0.0, 0.5, 1.0)),
        ("shocks.meeting_open_share", (0.0, 0.5, 1.0)),
        ("network.pendampingan", (0.0, 1.0)),
    ],
)
def test_what_carries_the_message_never_leaves_any_village_with_less(key: str, values: tuple, seed: int) -> None:
    by_value = np.array([told({key: value}, seed=seed) for value in values])
    assert (np.diff(by_value, axis=0) >= -1e-12).all()
    assert by_value[-1].mean() > by_value[0].mean() + 1e-3


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("cascade.remoteness_share", (0.0, 0.7, 1.0)),
        ("cascade.decay_share", (0.0, 0.015, 0.05)),
        ("socialization.turnover_share", (0.0, 0.1)),
    ],
)
def test_what_stops_the_message_never_leaves_any_village_with_more(key: str, values: tuple) -> None:
    by_value = np.array([told({key: value, "cascade.meetings_per_year": 4}) for value in values])
    assert (np.diff(by_value, axis=0) <= 1e-12).all()
    assert by_value[-1].mean() < by_value[0].mean() - 1e-3


def test_what_an_active_team_knows_fades_half_as_fast() -> None:
    no_rounds = {"cascade.meetings_per_year": 0, "cascade.decay_share": 0.04}
    left = {}
    for active in (0.0, 1.0):
        teams = {"network.tpps_kecamatan_active_share": active, "network.tpps_desa_active_share": active}
        world = council(no_rounds | teams)
        start = world.coordination.village_understanding.copy()
        cascade.go_down(world)
        left[active] = world.coordination.village_understanding / start
    assert left[0.0] == pytest.approx(0.96)
    assert left[1.0] == pytest.approx(0.98)


# ---- coaching and by-name lists ------------------------------------------------------------------


def test_coaching_reaches_included_villages_with_a_kpm_and_no_paper_does() -> None:
    changes = {"cascade.kpm_share": 0.5, "cascade.breadth_share": 0.5}
    for effect in (0.0, 0.5, 1.0):
        world = council(changes)
        state = world.coordination
        before = state.village_understanding.copy()
        cascade.coach(world, effect)
        gain = state.village_understanding - before
        coached = state.kpm & state.included(world.settings)
        assert 0 < coached.sum() < VILLAGES
        assert gain[coached] == pytest.approx(effect * DEFAULTS["cascade.coaching_share"] * (1 - before[coached]))
        assert (gain[~coached] == 0).all()


def test_villages_hold_a_list_that_was_brought_or_that_they_fetched() -> None:
    def hold(brought: float, fetch: float, understanding: float, effect: float = 1.0) -> np.ndarray:
        world = council({"registers.by_name_village_share": brought, "cascade.list_fetch_share": fetch})
        world.coordination.village_understanding[:] = understanding
        return cascade.holds_list(world, effect)

    assert not hold(0.0, 0.0, 1.0).any()
    assert hold(1.0, 0.0, 0.0).all()
    assert hold(0.0, 1.0, 1.0).all()
    assert not hold(1.0, 1.0, 0.0, effect=0.0).any()  # a list brought on paper, to villages that do not ask
    some = [hold(0.2, 0.6, understanding) for understanding in (0.0, 0.5, 1.0)]
    assert (some[0] <= some[1]).all() and (some[1] <= some[2]).all() and some[0].sum() < some[2].sum()


def test_villages_that_understand_argue_for_their_money_in_proportion_to_their_families() -> None:
    world = council()
    state = world.coordination
    for voice, understanding in ((0.0, 0.0), (1.0, 1.0)):
        state.village_understanding[:] = understanding
        assert cascade.village_voice(world) == voice
    state.village_understanding[:] = 0.0
    state.village_understanding[-1] = 1.0  # the largest village
    assert cascade.village_voice(world) == pytest.approx(VILLAGES / np.arange(1, VILLAGES + 1).sum())


# ---- KPM -----------------------------------------------------------------------------------------


@given(within_ranges("cascade"))
def test_the_effort_of_a_kpm_is_a_share_whatever_is_paid(changes: dict) -> None:
    families, reporting = cascade.kpm_effort(council(changes).settings)
    assert 0.0 <= families <= 1.0
    assert 0.0 <= reporting <= 1.0


def test_an_incentive_raises_entry_more_than_exposure_of_families() -> None:
    """Barrier B39: paid for reporting, not necessarily for service."""
    unpaid, paid = (council({"cascade.kpm_incentive_rp": rp, "cascade.kpm_share": 1.0}) for rp in (0.0, 500_000.0))
    before, after = (np.array(cascade.kpm_effort(world.settings)) for world in (unpaid, paid))
    families, reporting = after - before
    assert 0.0 < families < reporting
    entered = cascade.entry_share(paid) - cascade.entry_share(unpaid)
    missing = 1 - DEFAULTS["measurement.eppgbm_entry_share"]
    assert entered == pytest.approx(missing * DEFAULTS["cascade.kpm_entry_share"] * reporting)


def test_limits_of_what_an_incentive_is_for() -> None:
    for for_reports in (0.0, 1.0):
        changes = {"cascade.kpm_reporting_share": for_reports, "cascade.kpm_incentive_rp": 500_000.0}
        families, reporting = cascade.kpm_effort(council(changes).settings)
        assert reporting == for_reports
        assert families == pytest.approx(DEFAULTS["cascade.kpm_unpaid_share"] if for_reports else 1.0)
    enough, more = (
        cascade.kpm_effort(council({"cascade.kpm_incentive_rp": rp}).settings) for rp in (500_000.0, 1_500_000.0)
    )
    assert enough == more


def test_only_villages_with_a_kpm_enter_more() -> None:
    world = council({"cascade.kpm_incentive_rp": 500_000.0, "cascade.kpm_share": 0.5})
    entered = cascade.entry_share(world)
    kpm = world.coordination.kpm
    assert 0 < kpm.sum() < VILLAGES
    assert (entered[~kpm] == DEFAULTS["measurement.eppgbm_entry_share"]).all()
    assert (entered[kpm] > DEFAULTS["measurement.eppgbm_entry_share"]).all()


def test_in_lebak_an_incentive_fills_the_register() -> None:
    entered = []
    for rp in (0.0, 500_000.0):
        run = finished(
            simulated(share=0.01, end="2018-08", set={"cascade.kpm_incentive_rp": rp, "cascade.kpm_share": 1.0})
        )
        routine = run.surveys[(run.surveys["system"] == "e-PPGBM") & (run.surveys["level"] == "district")]
        entered.append(routine["n_measured"].to_numpy())
    assert len(entered[0]) == 2
    assert (entered[1] > entered[0]).all()


# ---- levers and isolation ------------------------------------------------------------------------


def test_a_policy_that_comes_into_force_finds_the_same_villages_again() -> None:
    """Whoever has a team, a KPM or is included at a lower share is so at a higher one."""
    world = council({"cascade.kpm_share": 0.3})
    few = world.coordination.kpm.copy()
    tell(world, {"cascade.kpm_share": 0.7})
    assert (world.coordination.kpm >= few).all() and world.coordination.kpm.sum() > few.sum()
    tell(world, {"cascade.kpm_share": 0.3})
    assert (world.coordination.kpm == few).all()


def test_switched_off_kecamatan_and_villages_stay_as_they_were_and_agencies_go_on() -> None:
    off, on = (simulated(share=TINY, end="2020-12", set={"cascade.on": each}) for each in (False, True))
    state = off.world.coordination
    lokus, others, above = (DEFAULTS[f"cascade.{name}_start"] for name in ("lokus", "village", "kecamatan"))
    assert state.village_understanding == pytest.approx(np.where(state.lokus, lokus, others))
    assert state.kecamatan_understanding == pytest.approx(above)
    assert [opd.understanding for opd in off.opds] == [opd.understanding for opd in on.opds]


def test_rounds_below_the_district_teach_villages_and_no_agency() -> None:
    usual, told_ = (simulated(share=TINY, end="2021-12", set={"cascade.meetings_per_year": n}) for n in (1, 12))
    names = ("understanding", "institutional_understanding", "attendance")
    for one, other in zip(usual.opds, told_.opds):
        assert [getattr(one, name) for name in names] == [getattr(other, name) for name in names]
    assert told_.world.coordination.village_understanding.mean() > usual.world.coordination.village_understanding.mean()
