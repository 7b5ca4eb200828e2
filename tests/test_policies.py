"""The shipped policies: each loads, fits every district, says itself in both languages, changes something."""

import functools
import itertools

import pytest
from conftest import live

from konvergensi.base.files import data_root
from konvergensi.base.months import parse_month
from konvergensi.inputs.districts import District, find_district, list_districts
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import Resolved, Scenario, list_scenarios, load_scenario, resolve
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.agents import OPD_FIELDS

POLICIES = [name for name in list_scenarios() if name != "baseline"]
IDLE = ("as-it-was",)  # change nothing, and say so
BUNDLES = ("anting-berlian", "coordination-no-money", "full-convergence")  # of what others do one by one
CLOSE = ("close-data", "close-socialization", "close-timing")
# each turns one thing, so they combine
PARTICULAR = [name for name in POLICIES if name not in (*IDLE, *BUNDLES, *CLOSE, "no-covid", "no-programme")]
START, END = parse_month("2018-01"), parse_month("2026-12")


def keys(policy: Scenario) -> set[str]:
    return {change.key for change in policy.changes}


def reached(policy: Scenario) -> dict[str, object]:
    """The last value that a policy gives to each key."""
    return {change.key: change.value for change in policy.changes}


def in_lebak(name: str) -> Resolved:
    return resolve(load_scenario(name), find_district("lebak"), None, START, END)


def monthly(found: Resolved) -> list[dict[str, object]]:
    """All values in force, for each month that differs from the one before."""
    values = found.initial.as_dict()
    states = [dict(values)]
    for _, changes in itertools.groupby(found.changes, key=lambda change: change.month):
        values |= {change.key: change.value for change in changes}
        states.append(dict(values))
    return states


def test_there_are_enough_to_choose_from() -> None:
    assert len(PARTICULAR) + len(BUNDLES) >= 14


@functools.cache
def every_district() -> list[District]:
    return [find_district(name) for name in list_districts()]


@pytest.mark.parametrize("name", POLICIES)
def test_it_says_itself_in_both_languages_and_fits_every_district(name: str) -> None:
    policy = load_scenario(name)
    for said in (policy.title, policy.question):
        assert said["en"] != said["id"] and min(len(said["en"]), len(said["id"])) > 8
    assert "?" in policy.question["en"] and "?" in policy.question["id"]
    assert max(len(policy.title["en"]), len(policy.title["id"])) <= 60
    for district in every_district():
        assert resolve(policy, district, None, START, END).initial


@pytest.mark.parametrize("name", [name for name in POLICIES if name not in IDLE])
def test_it_changes_something_in_lebak_that_history_does_not_undo_at_once(name: str) -> None:
    assert monthly(in_lebak(name)) != monthly(in_lebak("baseline"))


@pytest.mark.parametrize("name", IDLE)
def test_an_idle_policy_changes_nothing_at_all(name: str) -> None:
    states = monthly(in_lebak(name))
    values = states[0]
    for state in states:
        assert {key: state[key] for key in keys(load_scenario(name))} == {
            key: values[key] for key in keys(load_scenario(name))
        }
    one, other = (live(each, share=0.003, end="2020-06") for each in ("baseline", name))
    assert one.world.children.z.tobytes() == other.world.children.z.tobytes()


def test_a_new_policy_begins_when_a_district_could_act() -> None:
    first = {name: min(change.month for change in load_scenario(name).changes) for name in PARTICULAR}
    for name, month in first.items():
        if name not in ("early-planning", "one-list", "lists-by-name", "funds-to-lokus"):  # from the start, to be seen
            assert month >= parse_month("2019-01")
    assert first["lists-by-name"] == first["one-list"]  # what NIK adds to lists is the difference of the two


def test_every_lever_is_in_a_policy() -> None:
    levers = {key for key, each in load_parameters().items() if each.decided_by}
    used = set().union(*(keys(load_scenario(name)) for name in POLICIES))
    assert levers - used == {
        "contacts.one_stop_share",
        "review.target_percent",
        "socialization.decree_meetings_per_year",
    }
    assert {f"opd.dinkes.{name}" for name in OPD_FIELDS} <= used


@pytest.mark.parametrize("pair", list(itertools.combinations(PARTICULAR, 2)), ids="+".join)
def test_particular_policies_combine(pair: tuple[str, str]) -> None:
    assert keys(load_scenario("+".join(pair))) == keys(load_scenario(pair[0])) | keys(load_scenario(pair[1]))


def test_all_particular_policies_at_once_resolve_and_run() -> None:
    together = "+".join(PARTICULAR)
    assert keys(load_scenario(together)) == set().union(*(keys(load_scenario(name)) for name in PARTICULAR))
    model = ConvergenceModel(together, "lebak", rng=1, population_share=0.002, end="2019-03")
    while model.running:
        model.step()
    assert model.world.settings["cascade.kpm_incentive_rp"] == 500_000


def test_full_convergence_is_the_three_gaps_closed_and_coordination_beside_them() -> None:
    full = reached(load_scenario("full-convergence"))
    for name in CLOSE:
        assert reached(load_scenario(name)).items() <= full.items()
    coordination = {
        "network.decree_in_force": True, "network.decree_coverage_share": 1.0, "network.decree_targets": True,
        "network.coordinator_strength": 0.85, "network.pendampingan": 0.8, "goals.leadership": 0.85,
        "goals.joint_planning_share": 0.9, "goals.plan_inclusion_share": 1.0, "review.quality": 0.9,
    }  # fmt: skip
    assert coordination.items() <= full.items()
    assert not {key for key in full if "room_share" in key or key == "budget.envelope"}


def test_no_lever_of_money_is_left_in_coordination_without_money() -> None:
    found = reached(load_scenario("coordination-no-money"))
    assert (found["budget.envelope"], found["budget.envelope_growth_share"]) == ("fixed", 0.0)
    assert found["cascade.kpm_incentive_rp"] == found["budget.dana_desa_min_share"] == 0.0
    others = {"budget.envelope", "budget.envelope_growth_share"}
    assert set(found) - others == keys(load_scenario("full-convergence"))


def test_more_money_touches_nothing_but_room() -> None:
    assert keys(load_scenario("more-money-no-coordination")) == {"budget.apbd_room_share", "budget.dak_room_share"}


def test_the_bundle_of_kota_banjar_says_of_each_effort_what_it_switches() -> None:
    text = (data_root() / "policies" / "anting-berlian.toml").read_text(encoding="utf-8")
    before, _, changes = text.partition("change = [")
    for effort in (1, 2, 4, 5, 6):
        assert f"\n  # {effort} " in changes
    assert "Not in the model" in before and "curriculum (3)" in before
    assert reached(load_scenario("anting-berlian"))["cascade.kpm_incentive_rp"] == 500_000
