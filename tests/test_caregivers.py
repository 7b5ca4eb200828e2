from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import forced, live, simulated
from fake_agencies import DEFAULTS, shares, within_ranges
from hypothesis import given, settings
from hypothesis import strategies as st

from konvergensi.mechanisms import caregivers
from konvergensi.world.draws import Draws

TINY = 0.003
HOMES = 12  # two villages of six, in dasawisma groups of three


def neighbourhood(
    changes: dict[str, Any] | None = None, seed: int = 1, understanding: float = 0.6, pkk: bool = False
) -> Any:
    """Twelve households as `caregivers` reads them; stands where a World is asked for."""
    rng = np.random.default_rng(seed)
    knowledge = rng.random(HOMES).astype(np.float32)
    return SimpleNamespace(
        settings=forced(DEFAULTS, changes or {}),
        draws=Draws(seed),
        month=0,
        derived={},
        households=SimpleNamespace(
            key=np.arange(HOMES, dtype=np.uint64),
            knowledge=knowledge,
            knowledge_start=knowledge.copy(),
            belief=rng.random(HOMES).astype(np.float32),
            village=np.repeat([0, 1], HOMES // 2),
            dasawisma=np.arange(HOMES) // 3,
        ),
        coordination=SimpleNamespace(
            village_understanding=np.full(2, understanding),
            kpm=np.array([True, False]),
            village_kecamatan=np.array([0, 1]),
            kecamatan_keys=np.array([1, 2], dtype=np.uint64),
            tpps_kecamatan=np.array([pkk, pkk]),
        ),
        posyandu_quality=np.array([0.7, 0.5], np.float32),
        household_score=rng.normal(size=HOMES).astype(np.float32),
    )


def years(n: int, changes: dict[str, Any] | None = None, **options: Any) -> np.ndarray:
    """What caregivers know after each of n years, (n, HOMES)."""
    world = neighbourhood(changes, **options)
    found = []
    for _ in range(n):
        caregivers.learn(world)
        found.append(world.households.knowledge.copy())
    return np.array(found)


@settings(max_examples=60)
@given(within_ranges("caregivers", "cascade", "field", "partners"), st.integers(0, 20), shares, st.booleans())
def test_knowledge_belief_and_exposure_stay_between_0_and_1(
    changes: dict, seed: int, understanding: float, pkk: bool
) -> None:
    world = neighbourhood(changes, seed, understanding, pkk)
    homes = world.households
    for _ in range(8):
        exposed = caregivers.exposure(world)
        caregivers.learn(world)
        for each in (exposed, homes.knowledge, homes.belief):
            assert each.min() >= 0.0 and each.max() <= 1.0
            assert each.dtype == np.float32


@settings(max_examples=30)
@given(within_ranges("caregivers"), st.integers(0, 20))
def test_forgetting_leads_back_to_what_the_family_knew_at_first_and_no_further(changes: dict, seed: int) -> None:
    world = neighbourhood(changes, seed)
    for _ in range(6):
        caregivers.learn(world)
        assert (world.households.knowledge >= world.households.knowledge_start - 1e-6).all()
    world.coordination.village_understanding[:] = 0.0
    learned = (world.households.knowledge - world.households.knowledge_start).max()
    for _ in range(6):
        caregivers.learn(world)
    assert (world.households.knowledge - world.households.knowledge_start).max() <= learned + 1e-6


def test_where_the_village_understands_nothing_no_caregiver_learns_and_beliefs_stay() -> None:
    world = neighbourhood(understanding=0.0)
    beliefs = world.households.belief.copy()
    caregivers.learn(world)
    assert (caregivers.exposure(world) == 0).all()
    assert (world.households.knowledge == world.households.knowledge_start).all()
    assert (world.households.belief == beliefs).all()


def test_who_is_exposed_learns_more_of_what_is_not_known_and_beliefs_give_way() -> None:
    world = neighbourhood({"caregivers.peer_share": 0.0, "caregivers.belief_resistance_share": 0.0})
    homes, exposed = world.households, caregivers.exposure(world)
    first, beliefs = homes.knowledge.copy(), homes.belief.copy()
    caregivers.learn(world)
    assert homes.knowledge - first == pytest.approx(
        DEFAULTS["caregivers.learning_share"] * exposed * (1 - first), abs=1e-6
    )
    assert homes.belief == pytest.approx(beliefs * (1 - DEFAULTS["caregivers.belief_change_share"] * exposed), abs=1e-6)


def test_full_resisting_belief_blocks_as_much_as_the_parameter_says() -> None:
    def learned(belief: float, resistance: float) -> np.ndarray:
        world = neighbourhood({"caregivers.belief_resistance_share": resistance, "caregivers.peer_share": 0.0})
        world.households.belief[:] = belief
        caregivers.learn(world)
        return world.households.knowledge - world.households.knowledge_start

    free = learned(0.0, 1.0)
    assert (learned(1.0, 1.0) == 0).all()
    assert learned(1.0, 0.6) == pytest.approx(0.4 * free, abs=1e-6)
    assert learned(1.0, 0.0) == pytest.approx(free, abs=1e-6)


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("caregivers.learning_share", (0.02, 0.12, 0.4)),
        ("caregivers.kpm_channel_share", (0.0, 0.5, 1.0)),
        ("caregivers.posyandu_channel_share", (0.0, 0.4, 1.0)),
        ("caregivers.peer_share", (0.0, 0.08, 0.3)),
        ("caregivers.belief_change_share", (0.0, 0.04, 0.15)),
        ("cascade.kpm_incentive_rp", (0.0, 250_000.0, 500_000.0)),
        ("cascade.kpm_unpaid_share", (0.1, 0.4, 0.9)),
    ],
)
def test_what_teaches_caregivers_never_leaves_anyone_with_less(key: str, values: tuple) -> None:
    by_value = np.array([years(6, {key: value}) for value in values])
    assert (np.diff(by_value, axis=0) >= -1e-6).all()
    assert by_value[-1].mean() > by_value[0].mean()


@pytest.mark.parametrize(
    ("key", "values"),
    [("caregivers.decay_share", (0.0, 0.05, 0.2)), ("caregivers.belief_resistance_share", (0.0, 0.6, 1.0))],
)
def test_what_stands_in_the_way_never_leaves_anyone_with_more(key: str, values: tuple) -> None:
    by_value = np.array([years(6, {key: value}) for value in values])
    assert (np.diff(by_value, axis=0) <= 1e-6).all()
    assert by_value[-1].mean() < by_value[0].mean()


def test_a_village_that_understands_more_teaches_more() -> None:
    by_value = np.array([years(4, understanding=each) for each in (0.0, 0.3, 1.0)])
    assert (np.diff(by_value, axis=0) > 0).all()


def test_kpm_reach_families_of_their_own_village_only() -> None:
    with_, without = (
        caregivers.exposure(neighbourhood({"caregivers.kpm_channel_share": share})) for share in (0.5, 0.0)
    )
    kpm_village = np.arange(HOMES) < HOMES // 2
    assert (with_[kpm_village] > without[kpm_village]).all()
    assert (with_[~kpm_village] == without[~kpm_village]).all()


def test_posyandu_reach_those_who_come() -> None:
    only_posyandu = {"caregivers.kpm_channel_share": 0.0, "caregivers.posyandu_channel_share": 1.0}
    world = neighbourhood(only_posyandu, understanding=1.0)
    world.household_score = np.where(np.arange(HOMES) % 2, 40.0, -40.0).astype(np.float32)
    exposed = caregivers.exposure(world)
    assert exposed[::2] == pytest.approx(0.0, abs=1e-6)
    assert exposed[1::2] == pytest.approx(world.posyandu_quality[world.households.village][1::2])


# ---- neighbours ----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.0, 1.0, width=32)), min_size=1, max_size=30))
def test_neighbours_are_the_mean_of_the_group_and_the_sum_is_kept(pairs: list[tuple[int, float]]) -> None:
    group = np.array([each for each, _ in pairs])
    value = np.array([each for _, each in pairs], np.float32)
    mean = caregivers.neighbours(value, group)
    for each in set(group.tolist()):
        assert mean[group == each] == pytest.approx(value[group == each].mean(), abs=1e-6)
    assert mean.sum() == pytest.approx(value.sum(), abs=1e-4)


def test_what_one_family_was_taught_goes_round_in_its_dasawisma_and_not_beyond() -> None:
    world = neighbourhood(understanding=0.0)
    homes = world.households
    homes.knowledge_start[:] = homes.knowledge[:] = 0.3
    homes.knowledge[0] = 0.9  # a home visit, say
    homes.belief[:] = 0.0
    caregivers.learn(world)
    gain = homes.knowledge - np.float32(0.3)
    assert gain[1] == gain[2] == pytest.approx(DEFAULTS["caregivers.peer_share"] * 0.2, abs=1e-6)
    assert (gain[3:] == 0).all()


def test_what_families_always_knew_is_no_news_to_their_neighbours() -> None:
    world = neighbourhood(understanding=0.0)
    caregivers.learn(world)
    assert (world.households.knowledge == world.households.knowledge_start).all()


def test_every_dasawisma_lies_in_one_village() -> None:
    homes = live(share=0.01, end="2018-01").world.households
    for group in np.unique(homes.dasawisma):
        assert len(set(homes.village[homes.dasawisma == group].tolist())) == 1


# ---- in the district -----------------------------------------------------------------------------


def test_caregivers_learn_once_a_year_in_january_and_what_they_know_changes_what_they_take_up() -> None:
    all_villages = {"cascade.village_start": 0.6, "cascade.lokus_start": 0.8, "delivery.programmes_on": False}
    told = simulated("no-programme", share=TINY, end="2018-12", set=all_villages).world.households
    later = simulated("no-programme", share=TINY, end="2019-12", set=all_villages).world.households
    assert (told.knowledge >= told.knowledge_start).all()
    assert (later.knowledge >= told.knowledge - 1e-6).all() and later.knowledge.mean() > told.knowledge.mean()
    chance = [
        simulated(share=TINY, end="2021-12", set=changes).world.household_chance.astype(float).mean()
        for changes in ({"caregivers.on": False}, {"caregivers.learning_share": 0.4})
    ]
    assert chance[1] > chance[0]


def test_switched_off_caregivers_stay_as_they_were_but_for_what_services_teach() -> None:
    off = simulated("no-programme", share=TINY, end="2020-12", set={"caregivers.on": False}).world.households
    assert (off.knowledge == off.knowledge_start).all()
    visited = simulated(share=TINY, end="2020-12", set={"caregivers.on": False}).world.households
    assert (visited.knowledge >= visited.knowledge_start).all()
    assert (visited.knowledge > visited.knowledge_start).any()
    assert (visited.belief == off.belief).all()
