import re
from pathlib import Path

import pytest
from inputs_valid import PARENT, SCENARIO, write_district, write_scenario

from konvergensi.inputs.check import check_path, headline, read_path
from konvergensi.inputs.districts import District, find_district, list_districts
from konvergensi.inputs.errors import InputError
from konvergensi.inputs.months import parse_month
from konvergensi.inputs.scenarios import list_scenarios, load_scenario, resolve

EFFECT = "services.pmba.effect"
START, END = parse_month("2018-01"), parse_month("2022-12")


@pytest.fixture
def district(tmp_path: Path) -> District:
    return find_district(write_district(tmp_path / "uji"))


def test_a_scenario_comes_in_with_what_it_extends(tmp_path: Path) -> None:
    scenario = load_scenario(write_scenario(tmp_path))
    assert (scenario.id, scenario.title["id"], scenario.extends) == ("policy", "Suatu kebijakan", "parent")
    assert [(each.key, each.value, each.origin) for each in scenario.changes] == [
        (EFFECT, 0.25, "policy.toml"),  # the parent's change of the same key and month gives way
        ("opd.dinkes.understanding", 0.9, "parent.toml"),
        ("opd.dinkes.ego", 0.1, "policy.toml"),
        ("opd.dinkes.in_decree", False, "policy.toml"),
    ]
    assert len(scenario.hashes) == 2
    assert headline(scenario) == "A policy (scenario; dated changes: 4)"


def test_shipped_scenarios_are_good_for_the_shipped_districts() -> None:
    assert all(check_path(each) == [] for each in list_scenarios())
    for name in list_districts():
        district = find_district(name)
        for each in list_scenarios():
            assert resolve(load_scenario(each), district, None, START, END).initial


def test_layers_lie_in_their_order(tmp_path: Path, district: District) -> None:
    scenario = load_scenario(write_scenario(tmp_path))
    resolved = resolve(scenario, district, None, START, END)
    assert resolved.initial[EFFECT] == 0.2  # the district's own value over the parameter's
    assert resolved.initial["opd.dinkes.ego"] == 0.3
    assert [(each.month, each.key, each.value) for each in resolved.changes] == [
        (parse_month("2019-01"), EFFECT, 0.25),
        (parse_month("2019-01"), "opd.dinkes.understanding", 0.9),
        (parse_month("2019-01"), "opd.dinkes.ego", 0.1),
        (parse_month("2020-03"), EFFECT, 0.15),  # the district's history
        (parse_month("2021-06"), "opd.dinkes.in_decree", False),
    ]
    assert f"2020-03 {EFFECT}: 0.25 -> 0.15 (district uji)" in resolved.log


def test_a_scenario_wins_over_history_in_the_same_month(tmp_path: Path, district: District) -> None:
    path = write_scenario(tmp_path, SCENARIO.replace('"2019-01"', '"2020-03"'))
    changes = resolve(load_scenario(path), district, None, START, END).changes
    assert [each.value for each in changes if each.key == EFFECT] == [0.12, 0.25]


def test_changes_up_to_the_start_are_in_force_at_the_start(tmp_path: Path, district: District) -> None:
    scenario = load_scenario(write_scenario(tmp_path))
    resolved = resolve(scenario, district, None, parse_month("2020-03"), parse_month("2020-12"))
    assert resolved.initial[EFFECT] == 0.15 and resolved.initial["opd.dinkes.ego"] == 0.1
    assert resolved.changes == ()  # June 2021 is after the end
    assert any("after the end" in line for line in resolved.log)


def test_set_holds_from_start_to_end(tmp_path: Path, district: District) -> None:
    scenario = load_scenario(write_scenario(tmp_path))
    resolved = resolve(scenario, district, {EFFECT: 0.3}, START, END)
    assert resolved.initial[EFFECT] == 0.3
    assert EFFECT not in {each.key for each in resolved.changes}
    assert resolved.log[1] == f"2018-01 {EFFECT}: 0.2 -> 0.3 (--set)"


@pytest.mark.parametrize(
    ("set_", "message"),
    [
        ({"opd.dinkes.eggo": 0.1}, r"--set: opd.dinkes.eggo: unknown key; did you mean opd.dinkes.ego\?"),
        ({"opd.dinkes.ego": 10}, "--set: opd.dinkes.ego: 10 looks like a percent; write 0.1"),
        ({"opd.dinsos.ego": 0.1}, r"opd.dinsos.ego: unknown key; did you mean opd.dinkes.ego\?"),
    ],
)
def test_set_is_checked_against_the_district(
    tmp_path: Path, district: District, set_: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        resolve(load_scenario(write_scenario(tmp_path)), district, set_, START, END)


def test_a_scenario_for_an_agency_the_district_lacks_is_refused(tmp_path: Path, district: District) -> None:
    path = write_scenario(tmp_path, SCENARIO.replace("opd.dinkes.ego", "opd.pupr.ego"))
    assert check_path(path) == []  # right in itself
    with pytest.raises(InputError, match=r"policy.toml: opd.pupr.ego: unknown key"):
        resolve(load_scenario(path), district, None, START, END)


def test_an_end_before_the_start_is_refused(tmp_path: Path, district: District) -> None:
    with pytest.raises(InputError, match=r"end: '2018-01' is before 2022-12 \(start\)"):
        resolve(load_scenario(write_scenario(tmp_path)), district, None, END, START)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('from = "2019-01"', 'form = "2019-01"', r"change\[#1\].form: unknown key; did you mean from\?"),
        ('from = "2019-01"', "from = 2019", r"change\[2019\].from: 2019 is not a month"),
        ("pmba.effect", "pmba.efect", r"\[2019-01\].set.services.pmba.efect: unknown key; did you"),
        ("= 0.25", "= 25", r"\[2019-01\].set.services.pmba.effect: 25 is outside"),
        ("= 0.1", "= 10", r"change\[2019-01\].set.opd.dinkes.ego: 10 looks like a percent; write 0.1"),
        ("dinkes.ego", "dinkes.egoo", r"opd.dinkes.egoo: unknown key; did you mean opd.dinkes.ego\?"),
        ("= false", "= 0", r"change\[2021-06\].set.opd.dinkes.in_decree: 0 is not true or false"),
        ("from = 2021-06-01", 'from = "2019-01"', ""),
        ('id = "Suatu kebijakan"', "", "title.id: missing"),
        ("[title]\n", "", r"title: missing"),
        ('extends = "parent"', 'extend = "parent"', r"extend: unknown key; did you mean extends\?"),
        ('extends = "parent"', 'extends = "parnt"', r"policy.toml: extends: unknown scenario 'parnt'"),
        ('extends = "parent"', 'extends = "a/b.toml"', "policy.toml: extends: there is no such file"),
        ('extends = "parent"', 'extends = "policy"', "extends: extends itself: policy -> policy"),
        ("[change.set]", "[change.set", "policy.toml: not valid TOML"),
    ],
)  # fmt: skip
def test_a_faulty_scenario_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SCENARIO
    faults = check_path(write_scenario(tmp_path, SCENARIO.replace(old, new, 1)))
    assert bool(faults) == bool(message)
    assert not message or any(re.search(message, each) and "policy.toml" in each for each in faults), faults


def test_two_changes_of_one_key_in_one_month_are_refused(tmp_path: Path) -> None:
    twice = (
        SCENARIO.replace("from = 2021-06-01", 'from = "2019-01"').replace("in_decree", "ego").replace("false", "0.2")
    )
    faults = check_path(write_scenario(tmp_path, twice))
    assert len(faults) == 1
    assert faults[0].endswith("change[2019-01].set.opd.dinkes.ego: set twice at 2019-01 in this file")


def test_one_key_written_in_two_ways_is_refused(tmp_path: Path) -> None:
    both = SCENARIO.replace('"opd.dinkes.ego" = 0.1', '"opd.dinkes.ego" = 0.1\nopd.dinkes.ego = 0.2')
    assert "opd.dinkes.ego: set twice" in check_path(write_scenario(tmp_path, both))[0]


def test_a_ring_of_scenarios_is_refused(tmp_path: Path) -> None:
    path = write_scenario(tmp_path)
    (tmp_path / "parent.toml").write_text('extends = "policy"\n' + PARENT)
    assert "extends itself: policy -> parent -> policy" in check_path(path)[0]


def test_a_file_named_baseline_may_extend_the_shipped_one(tmp_path: Path) -> None:
    if "baseline" not in list_scenarios():
        pytest.skip("no baseline among the scenarios")
    path = tmp_path / "baseline.toml"
    path.write_text('extends = "baseline"\n' + PARENT)
    assert check_path(path) == []


def test_an_unknown_scenario_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown scenario 'basline'"):
        load_scenario("basline")
    with pytest.raises(InputError, match=r"none\.toml: there is no such file"):
        read_path(tmp_path / "none.toml")


@pytest.mark.parametrize("key", ["population.knowledge_mean", "growth.village_sd_z", "delivery.no_nik_need_share"])
def test_a_date_for_what_is_read_when_the_district_is_built_is_refused(
    tmp_path: Path, district: District, key: str
) -> None:
    value = district.parameters()[key].value
    path = tmp_path / "late.toml"
    path.write_text(
        'title = { en = "a", id = "b" }\nquestion = { en = "c", id = "d" }\n'
        f'change = [{{ from = "2019-01", set = {{ "{key}" = {value} }} }}]\n'
    )
    with pytest.raises(InputError, match=rf"late\.toml: {re.escape(key)}: is read only when the district is built"):
        resolve(load_scenario(path), district, None, START, END)
    assert resolve(load_scenario("baseline"), district, {key: value}, START, END).initial[key] == value
