import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inputs_valid import PARENT, RAMP_OF_HISTORY, SCENARIO, district_toml, write_district, write_scenario

from konvergensi.base.errors import InputError
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.changes import Change
from konvergensi.inputs.check import check_path, headline, read_path
from konvergensi.inputs.describe import describe
from konvergensi.inputs.districts import District, find_district, list_districts
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.scenarios import Resolved, Scenario, is_combination, list_scenarios, load_scenario, resolve

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
        ({"opd.dinkes.eggo": 0.1}, r"set: opd.dinkes.eggo: unknown key; did you mean opd.dinkes.ego\?"),
        ({"opd.dinkes.ego": 10}, "set: opd.dinkes.ego: 10 looks like a percent; write 0.1"),
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


# ---- ramps -----------------------------------------------------------------------------------------------------------

EGO = "opd.dinkes.ego"  # 0.3 in the test district
HEAD = 'title = { en = "Plan", id = "Rencana" }\nquestion = { en = "Why?", id = "Mengapa?" }\n'


def change(key: str, value: object, month: str, until: str | None = None) -> str:
    """One entry of a scenario's list of changes."""
    ramp = "" if until is None else f', until = "{until}"'
    return f'  {{ from = "{month}"{ramp}, set = {{ "{key}" = {value} }} }},\n'


def policy(folder: Path, *changes: str, name: str = "plan", extends: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    first = f'extends = "{extends}"\n' if extends else ""
    path.write_text(f"{first}{HEAD}change = [\n{''.join(changes)}]\n".replace("Plan", name.title()))
    return path


def months(resolved: Resolved, key: str, start: int, end: int) -> list[Value]:
    """The value of a key in every month of a run."""
    dated = {each.month: each.value for each in resolved.changes if each.key == key}
    values = [resolved.initial[key]]
    for month in range(start + 1, end + 1):
        values.append(dated.get(month, values[-1]))
    return values


def test_a_ramp_moves_in_equal_monthly_steps(tmp_path: Path, district: District) -> None:
    scenario = load_scenario(policy(tmp_path, change(EGO, 0.7, "2019-01", "2019-04")))
    assert [(each.key, each.value, each.span) for each in scenario.changes] == [(EGO, 0.7, "2019-01 .. 2019-04")]
    assert headline(scenario) == "Plan (scenario; dated changes: 1)"
    resolved = resolve(scenario, district, None, START, END)
    assert resolved.initial[EGO] == 0.3
    steps = [each for each in resolved.changes if each.key == EGO]
    assert [format_month(each.month) for each in steps] == ["2019-01", "2019-02", "2019-03", "2019-04"]
    assert [each.value for each in steps] == pytest.approx([0.4, 0.5, 0.6, 0.7]) and steps[-1].value == 0.7
    assert [line for line in resolved.log if EGO in line] == [f"2019-01 .. 2019-04 {EGO}: 0.3 -> 0.7 (plan.toml)"]


def test_a_ramp_begins_at_the_value_in_force_before_it(tmp_path: Path, district: District) -> None:
    path = policy(tmp_path, change(EGO, 0.7, "2019-03", "2019-04"), change(EGO, 0.1, "2019-02"))
    values = months(resolve(load_scenario(path), district, None, START, END), EGO, START, END)
    assert values[12:17] == pytest.approx([0.3, 0.1, 0.4, 0.7, 0.7])


def test_whole_numbers_are_rounded(tmp_path: Path, district: District) -> None:
    key = "calendar.aksi_2_month"
    now = district.parameters()[key].value
    assert now == 4
    path = policy(tmp_path, change(key, 2, "2019-01", "2019-04"))
    values = months(resolve(load_scenario(path), district, None, START, END), key, START, END)
    assert values[11:17] == [4, 4, 3, 3, 2, 2] and all(type(each) is int for each in values)  # 3.5 up, 2.5 up


def test_a_ramp_of_one_month_is_a_change(tmp_path: Path, district: District) -> None:
    scenario = load_scenario(policy(tmp_path, change(EGO, 0.7, "2019-01", "2019-01")))
    assert scenario.changes == (Change(parse_month("2019-01"), EGO, 0.7, "plan.toml"),)


def test_a_ramp_to_the_value_in_force_changes_nothing(tmp_path: Path, district: District) -> None:
    with_it = resolve(
        load_scenario(policy(tmp_path, change(EGO, 0.3, "2019-01", "2020-12"))), district, None, START, END
    )
    without = resolve(load_scenario("baseline"), district, None, START, END)
    assert (with_it.initial, with_it.changes) == (without.initial, without.changes)


def test_the_log_says_where_a_ramp_stood_at_the_start_and_at_the_end(tmp_path: Path, district: District) -> None:
    path = policy(tmp_path, change(EGO, 0.7, "2019-01", "2019-04"))
    for span, notes in (
        (("2019-02", "2019-03"), "; 0.5 at 2019-02; 0.6 at 2019-03"),
        (("2019-03", "2019-03"), "; 0.6 at 2019-03"),
        (("2018-01", "2019-01"), "; 0.4 at 2019-01"),
        (("2019-04", "2019-06"), ""),
        (("2020-01", "2020-06"), ""),
    ):
        log = resolve(load_scenario(path), district, None, *map(parse_month, span)).log
        assert f"2019-01 .. 2019-04 {EGO}: 0.3 -> 0.7 (plan.toml{notes})" in log, log
    log = resolve(load_scenario(path), district, None, START, parse_month("2018-12")).log
    assert f"2019-01 .. 2019-04 {EGO}: 0.7 (plan.toml) (after the end, left out)" in log


@pytest.mark.parametrize("until", [None, "2017-09"])
def test_what_was_over_before_the_start_lies_over_the_district_s_own_value(
    tmp_path: Path, district: District, until: str | None
) -> None:
    path = policy(tmp_path, change(EFFECT, 0.3, "2017-06", until))
    resolved = resolve(load_scenario(path), district, None, START, END)
    assert resolved.initial[EFFECT] == 0.3
    assert any(f"{EFFECT}: 0.2 -> 0.3 (plan.toml)" in line for line in resolved.log)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> District:
    return find_district(write_district(tmp_path_factory.mktemp("plain")))


@settings(max_examples=60)
@given(
    old=st.floats(0, 1) | st.integers(1, 12),
    target=st.floats(0, 1) | st.integers(1, 12),
    length=st.integers(2, 90),
)
def test_a_ramp_never_leaves_its_way_and_arrives(old: float, target: float, length: int) -> None:
    if type(old) is not type(target):
        target = type(old)(target)
    steps = Change(START, "key", target, "", START + length - 1).steps(old)
    by_month = {each.month: each.value for each in steps}
    values = [old]
    for number in range(length):
        values.append(by_month.get(START + number, values[-1]))  # type: ignore[arg-type]
    assert values[-1] == target and all(type(each) is type(old) for each in values)
    assert sorted(values, reverse=target < old) == values
    half = 0.5 if isinstance(old, int) else 1e-12
    for number, value in enumerate(values):
        assert abs(value - (old + (target - old) * number / length)) <= half + 1e-12


@settings(max_examples=40)
@given(
    first=st.integers(-30, 70), length=st.integers(2, 60), target=st.floats(0, 1),
    start=st.integers(-20, 40), run=st.integers(0, 40),
)  # fmt: skip
def test_when_the_run_begins_and_ends_does_not_matter_to_a_ramp(
    plain: District, first: int, length: int, target: float, start: int, run: int
) -> None:
    ramp = Change(START + first, EGO, target, "plan.toml", START + first + length - 1)
    baseline = load_scenario("baseline")
    scenario = Scenario("plan", baseline.title, baseline.question, None, (ramp,), baseline.path, {})
    whole, long_before, long_after = START + start, START - 40, START + 200
    ever = months(resolve(scenario, plain, None, long_before, long_after), EGO, long_before, long_after)
    here = months(resolve(scenario, plain, None, whole, whole + run), EGO, whole, whole + run)
    assert here == ever[whole - long_before : whole - long_before + run + 1]
    assert ever[0] == 0.3 and ever[-1] == target


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [change(EGO, 0.7, "2019-03", "2019-02")],
            r"plan\.toml: change\[2019-03\]\.until: '2019-02' is before 2019-03 \(from\)",
        ),
        ([change(EGO, 0.7, "2019-03", "2019-3")], r"change\[2019-03\]\.until: '2019-3' is not a month; write one from"),
        (
            [change("opd.dinkes.in_decree", "false", "2019-03", "2019-12")],
            r"plan\.toml: change\[2019-03\]\.set\.opd\.dinkes\.in_decree: false cannot be reached in steps, "
            "only a number can; leave out until",
        ),
        (
            [change("growth.combination", '"additive"', "2019-03", "2019-12")],
            r"set\.growth\.combination: 'additive' cannot be reached in steps",
        ),
        ([change(EGO, 7, "2019-03", "2019-12")], "ego: 7 looks like a percent"),
        (
            [change(EGO, 0.7, "2019-03", "2019-12"), change(EGO, 0.5, "2019-12")],
            r"change\[2019-12\]\.set\.opd\.dinkes\.ego: 0\.5 at 2019-12 \(plan\.toml\) begins inside the ramp "
            r"2019-03 \.\. 2019-12 \(plan\.toml\); put it before or after the ramp",
        ),
        (
            [change(EGO, 0.5, "2019-04", "2020-12"), change(EGO, 0.7, "2019-03", "2019-12")],
            r"change\[2019-04\]\.set\.opd\.dinkes\.ego: 0\.5 at 2019-04 \.\. 2020-12 \(plan\.toml\) begins inside",
        ),
        ([change(EGO, 0.5, "2019-03"), change(EGO, 0.7, "2019-03", "2019-12")], "set twice at 2019-03 in this file"),
        ([change(EGO, 0.7, "2019-03", "2019-12"), change(EGO, 0.5, "2020-01")], ""),
        ([change(EGO, 0.7, "2019-03", "2019-12"), change(EGO, 0.5, "2019-02")], ""),
        ([change(EGO, 0.7, "2019-03", "2019-12"), change("opd.dinkes.skill", 0.5, "2019-06")], ""),
    ],
)
def test_a_ramp_that_cannot_be_is_refused(tmp_path: Path, changes: list[str], message: str) -> None:
    faults = check_path(policy(tmp_path, *changes))
    assert len(faults) == bool(message), faults
    assert not message or re.search(message, faults[0]), faults


def test_the_refusals_of_ramps_in_indonesian(tmp_path: Path) -> None:
    inside = policy(tmp_path, change(EGO, 0.7, "2019-03", "2019-12"), change(EGO, 0.5, "2019-06"), name="dalam")
    yes_no = policy(tmp_path, change("opd.dinkes.in_decree", "true", "2019-03", "2019-12"), name="ya")
    assert check_path(inside, "id")[0].endswith(
        "0.5 pada 2019-06 (dalam.toml) mulai di tengah perubahan bertahap 2019-03 .. 2019-12 (dalam.toml); "
        "letakkan sebelum atau sesudahnya"
    )
    assert check_path(yes_no, "id")[0].endswith(
        "true tidak dapat dicapai bertahap, hanya angka yang dapat; hapus until"
    )


def test_a_ramp_takes_the_place_of_an_inherited_change_of_its_first_month_only(tmp_path: Path) -> None:
    policy(tmp_path, change(EGO, 0.1, "2019-01"), change(EGO, 0.2, "2020-01"), name="above")
    good = policy(tmp_path, change(EGO, 0.7, "2019-01", "2019-12"), extends="above")
    assert [(each.span, each.value) for each in load_scenario(good).changes] == [
        ("2019-01 .. 2019-12", 0.7),
        ("2020-01", 0.2),
    ]
    bad = policy(tmp_path, change(EGO, 0.7, "2019-01", "2020-06"), extends="above")
    assert check_path(bad)[0].endswith(
        f"change[2020-01].set.{EGO}: 0.2 at 2020-01 (above.toml) begins inside the ramp 2019-01 .. 2020-06 "
        "(plan.toml); put it before or after the ramp"
    )


def test_history_may_not_break_into_a_ramp_of_a_policy(tmp_path: Path, district: District) -> None:
    path = policy(tmp_path, change(EFFECT, 0.3, "2020-01", "2020-12"))
    assert check_path(path) == []  # right in itself
    message = r"plan\.toml: services\.pmba\.effect: 0\.15 at 2020-03 \(district uji\) begins inside the ramp 2020-01"
    with pytest.raises(InputError, match=message):
        resolve(load_scenario(path), district, None, START, END)
    assert resolve(load_scenario(path), district, {EFFECT: 0.2}, START, END).initial[EFFECT] == 0.2
    same_month = policy(tmp_path, change(EFFECT, 0.3, "2020-03", "2020-12"))
    values = months(resolve(load_scenario(same_month), district, None, START, END), EFFECT, START, END)
    assert values[25:27] == pytest.approx([0.2, 0.21]) and values[-1] == 0.3


def test_a_policy_takes_over_from_a_ramp_of_history(tmp_path: Path) -> None:
    key = "opd.dinkes.goal_adoption"  # 0.5, in history 0.6 by the end of 2021
    district = find_district(write_district(tmp_path / "uji", district_toml=district_toml() + RAMP_OF_HISTORY))
    untouched = resolve(load_scenario("baseline"), district, None, START, END)
    assert months(untouched, key, START, END)[-13] == 0.6
    path = policy(tmp_path, change(key, 0.9, "2021-07"))
    resolved = resolve(load_scenario(path), district, None, START, END)
    values = months(resolved, key, START, END)
    assert values[35:43] == pytest.approx([0.5, *(0.5 + number / 120 for number in range(1, 7)), 0.9])
    assert values[-1] == 0.9
    assert f"2021-01 .. 2021-12 {key}: 0.5 -> 0.6 (district uji; 0.55 at 2021-06)" in resolved.log
    assert f"2021-07 {key}: 0.55 -> 0.9 (plan.toml)" in resolved.log


def test_a_ramp_of_what_is_read_when_the_district_is_built_is_refused(tmp_path: Path, district: District) -> None:
    path = policy(tmp_path, change("growth.village_sd_z", 0.2, "2019-01", "2019-12"))
    with pytest.raises(InputError, match="is read only when the district is built"):
        resolve(load_scenario(path), district, None, START, END)


# ---- combinations ----------------------------------------------------------------------------------------------------


def test_scenarios_combine(tmp_path: Path) -> None:
    both = load_scenario("one-list+early-planning")
    one, early = load_scenario("one-list"), load_scenario("early-planning")
    assert both.id == "one-list+early-planning"
    for lang in ("en", "id"):
        assert both.title[lang] == f"{one.title[lang]} + {early.title[lang]}"
        assert both.question[lang] == f"{one.question[lang]} {early.question[lang]}"
    assert set(both.changes) == {*one.changes, *early.changes}
    assert both.hashes == one.hashes | early.hashes and both.extends is None
    assert headline(read_path("one-list+early-planning")).startswith(both.title["en"])
    assert check_path(" one-list + early-planning ") == []
    shown = [text for _, text in describe("one-list+early-planning")]
    assert shown[0] == both.id and any("registers.linkage = true (one-list.toml)" in text for text in shown)


def test_files_and_names_combine(tmp_path: Path, district: District) -> None:
    path = policy(tmp_path, change(EGO, 0.7, "2019-01", "2019-04"))
    both = load_scenario(f"{path}+one-list")
    assert both.id == "plan+one-list" and [each.span for each in both.changes][-1] == "2019-01 .. 2019-04"
    assert check_path(f"one-list+{path}+early-planning") == []
    resolved = resolve(both, district, None, START, END)
    assert resolved.initial["registers.linkage"] is True and resolved.changes[-1].key in (EGO, EFFECT)
    assert f"2019-01 .. 2019-04 {EGO} = 0.7 (plan.toml)" in [text for _, text in describe(f"{path}+one-list")]


def test_a_plus_in_the_name_of_a_file_or_folder_separates_nothing(tmp_path: Path) -> None:
    path = policy(tmp_path / "c++", change(EGO, 0.7, "2019-01"), name="a+b")
    assert load_scenario(path).id == load_scenario(str(path)).id == "a+b"
    assert not is_combination(path)
    assert load_scenario(f"{path}+one-list").id == "a+b+one-list"
    assert load_scenario(f"one-list+{path}").id == "one-list+a+b"


@pytest.mark.parametrize("name", ["baseline+one-list", "one-list+baseline", "one-list+one-list", "baseline+baseline"])
def test_what_adds_nothing_leaves_the_other_as_it_is(name: str) -> None:
    assert load_scenario(name) == load_scenario(max(name.split("+")))


def test_the_baseline_adds_nothing_to_a_scenario_that_does_not_extend_it(tmp_path: Path) -> None:
    path = policy(tmp_path, change(EGO, 0.7, "2019-01"))
    assert load_scenario(f"baseline+{path}") == load_scenario(f"{path}+baseline") == load_scenario(path)


def test_a_scenario_with_the_one_it_extends_is_the_former(tmp_path: Path) -> None:
    path = write_scenario(tmp_path)  # differs from its parent on one key and month
    assert load_scenario(f"{path}+{tmp_path}/parent.toml") == load_scenario(path)
    assert load_scenario(f"{tmp_path}/parent.toml+{path}") == load_scenario(path)


@pytest.mark.parametrize(
    ("mine", "yours", "message"),
    [
        (
            change(EGO, 0.5, "2019-01"), change(EGO, 0.7, "2019-01"),
            f"{EGO}: 0.5 at 2019-01 in MINE, but 0.7 at 2019-01 in YOURS; "
            "scenarios are combined only where they agree or change a key in different months",
        ),
        (
            change(EGO, 0.5, "2019-01", "2019-12"), change(EGO, 0.5, "2019-06"),
            f"{EGO}: 0.5 at 2019-01 .. 2019-12 in MINE, but 0.5 at 2019-06 in YOURS; ",
        ),
        (
            change(EGO, 0.5, "2019-06"), change(EGO, 0.6, "2019-01", "2019-12"),
            f"{EGO}: 0.5 at 2019-06 in MINE, but 0.6 at 2019-01 .. 2019-12 in YOURS; ",
        ),
        (
            change(EGO, 0.5, "2019-01", "2019-12"), change(EGO, 0.5, "2019-12", "2020-12"),
            f"{EGO}: 0.5 at 2019-01 .. 2019-12 in MINE, but 0.5 at 2019-12 .. 2020-12 in YOURS; ",
        ),
        (change(EGO, 0.5, "2019-01"), change(EGO, 0.5, "2019-01"), ""),
        (change(EGO, 0.5, "2019-01", "2019-12"), change(EGO, 0.5, "2019-01", "2019-12"), ""),
        (change(EGO, 0.5, "2019-01", "2019-12"), change(EGO, 0.7, "2020-01"), ""),
        (change(EGO, 0.5, "2019-01"), change("opd.dinkes.skill", 0.7, "2019-01"), ""),
    ],
)  # fmt: skip
def test_scenarios_that_disagree_do_not_combine(tmp_path: Path, mine: str, yours: str, message: str) -> None:
    one, two = policy(tmp_path, mine, name="mine"), policy(tmp_path, yours, name="yours")
    faults = check_path(f"{one}+{two}")
    assert len(faults) == bool(message), faults
    if message:
        message = message.replace("MINE", str(one)).replace("YOURS", str(two))
        assert faults[0].startswith(f"{one}+{two}: {message}")
        assert "skenario hanya dapat digabung bila" in check_path(f"{one}+{two}", "id")[0]


def test_every_disagreement_is_named_and_equal_changes_are_kept_once(tmp_path: Path) -> None:
    skill, grown = "opd.dinkes.skill", change("opd.dinkes.mandate", 0.9, "2019-01")
    one = policy(tmp_path, change(EGO, 0.5, "2019-01"), change(skill, 0.5, "2020-01"), grown, name="one")
    two = policy(tmp_path, change(EGO, 0.6, "2019-01"), change(skill, 0.6, "2020-01"), grown, name="two")
    three = policy(tmp_path, change(skill, 0.5, "2020-01"), grown, name="three")
    assert [each.split(": ")[1] for each in check_path(f"{one}+{two}")] == [EGO, skill]
    assert len(load_scenario(f"{one}+{three}").changes) == 3


def test_files_of_one_name_keep_their_own_hashes(tmp_path: Path) -> None:
    one = policy(tmp_path / "a" / "policies", change(EGO, 0.5, "2019-01"))
    two = policy(tmp_path / "b" / "policies", change(EGO, 0.6, "2020-01"))
    assert list(load_scenario(f"{one}+{two}").hashes) == ["policies/plan.toml", "policies/plan.toml (2)"]


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("one-lst+early-planning", [r"unknown scenario 'one-lst'; there is .*; did you mean one-list\?"]),
        ("one-lst+erly-planning", [r"did you mean one-list\?", r"did you mean early-planning\?"]),
        ("one-list+", ["unknown scenario ''; there is "]),
        ("+", ["unknown scenario ''; there is "]),
        ("one-list+nowhere/else.toml", [r"nowhere/else\.toml: there is no such file"]),
    ],
)
def test_an_unknown_member_is_refused_like_an_unknown_scenario(name: str, messages: list[str]) -> None:
    faults = check_path(name)
    assert len(faults) >= len(messages)
    for message, each in zip(messages, faults):
        assert re.search(message, each), faults
    with pytest.raises(InputError, match=messages[0]):
        describe(name)


ENTRIES = st.dictionaries(
    st.tuples(st.sampled_from(["opd.dinkes.ego", "opd.dinkes.skill"]), st.sampled_from(["2019-01", "2020-01"])),
    st.sampled_from([0.2, 0.4]),
)


@settings(max_examples=40)
@given(ENTRIES, ENTRIES)
def test_combining_is_refused_exactly_when_members_differ_and_the_order_does_not_matter(
    plain: District, mine: dict[tuple[str, str], float], yours: dict[tuple[str, str], float]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            policy(Path(folder), *(change(key, value, month) for (key, month), value in entries.items()), name=name)
            for name, entries in (("mine", mine), ("yours", yours))
        ]
        clashes = [each for each in mine.keys() & yours.keys() if mine[each] != yours[each]]
        forth, back = ("+".join(map(str, each)) for each in (paths, paths[::-1]))
        assert len(check_path(forth)) == len(check_path(back)) == len(clashes)
        if not clashes:
            one, other = (resolve(load_scenario(each), plain, None, START, END) for each in (forth, back))
            for (key, month), value in (mine | yours).items():
                values = months(one, key, START, END)
                assert values == months(other, key, START, END)
                assert values[parse_month(month) - START] == value


def test_a_value_fault_of_a_scenario_is_named_together_with_what_is_missing(tmp_path: Path) -> None:
    text = SCENARIO.replace('id = "Suatu kebijakan"', "").replace("= 0.25", "= 25")
    faults = check_path(write_scenario(tmp_path, text))
    assert len(faults) == 2 and "title.id: missing" in faults[0] and "pmba.effect: 25 is outside" in faults[1]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("title = Late\n", "teks perlu tanda kutip"),
        ('title = "Late\n', "tanda kutip penutup belum ada"),
        ("value = 5,3\n", "desimal ditulis dengan titik"),
        ('extends = "baseline"\ntitel = { en = "A", id = "B" }\n', "(bukan titel)"),
    ],
)
def test_a_slip_is_told_in_indonesian_with_what_to_write(tmp_path: Path, written: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert any(said in line for line in caught.value.lines("id")), caught.value.lines("id")
