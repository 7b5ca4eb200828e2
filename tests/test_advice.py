"""Warnings: levers moved without what they need, agencies that nobody has; and what is told of a share out of range."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import live
from test_cli import call

from konvergensi.base.errors import InputError
from konvergensi.base.months import parse_month
from konvergensi.inputs.advice import of_file, of_run
from konvergensi.inputs.check import advice
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.fields import number_fault
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import list_scenarios, load_scenario, resolve
from konvergensi.mechanisms import settings as settings_rules

FIRST, LAST = parse_month("2018-01"), parse_month("2024-12")


def policy(folder: Path, *changes: str) -> str:
    listed = ",\n".join(changes)
    text = 'extends = "baseline"\ntitle = { en = "a", id = "b" }\nquestion = { en = "a?", id = "b?" }\n'
    path = folder / "mine.toml"
    path.write_text(f"{text}change = [\n{listed}\n]\n", encoding="utf-8")
    return str(path)


def told(path: str, district: str = "lebak", lang: str = "en", **set_: object) -> list[str]:
    place, scenario = find_district(district), load_scenario(path)
    given = {key.replace("__", "."): value for key, value in set_.items()}
    resolved = resolve(scenario, place, given, FIRST, LAST)
    return [each.text(lang, typed=True) for each in of_run(scenario, resolved, given, place.parameters())]


SHARING = '{ from = "2020-01", set = { "registers.sharing_share" = 0.8 } }'


def test_a_lever_moved_without_what_it_needs_is_named(tmp_path: Path) -> None:
    path = policy(tmp_path, SHARING)
    where, what = "mine.toml: registers.sharing_share", "0.8 from 2020-01 has no effect"
    assert told(path) == [f"{where}: {what}: registers.linkage is false; switch it on too"]
    assert "tidak berpengaruh: registers.linkage" in told(path, lang="id")[0]
    assert told("baseline", registers__sharing_share=0.5)[0].startswith("--set: registers.sharing_share")


@pytest.mark.parametrize("when", ["2019-06", "2020-01"])
def test_with_what_it_needs_nothing_is_said(tmp_path: Path, when: str) -> None:
    linked = f'{{ from = "{when}", set = {{ "registers.linkage" = true }} }}'
    assert told(policy(tmp_path, SHARING, linked)) == []
    assert told(policy(tmp_path, SHARING), registers__linkage=True) == []


def test_what_comes_later_is_said_with_its_month(tmp_path: Path) -> None:
    late = '{ from = "2022-03", set = { "registers.linkage" = true } }'
    assert "has no effect until 2022-03" in told(policy(tmp_path, SHARING, late))[0]
    wide = policy(tmp_path, '{ from = "2019-01", set = { "network.decree_coverage_share" = 1.0 } }')
    assert "has no effect until 2022-01" in told(wide, "kota-banjar")[0]  # its decree comes then
    assert told(wide, "national-average", network__decree_in_force=True) == []


def test_what_rules_in_the_place_of_another_month_is_a_month_of_the_reform() -> None:
    known = load_parameters()
    replaced = {each.key: each.replaced_by for each in known.values() if each.replaced_by}
    assert set(replaced) == {f"calendar.aksi_{n}_month" for n in (1, 2, 3, 4, 5, 8)}  # 6 and 7 go on under the reform
    assert all(by in known and known[by].unit == known[key].unit and "reform" in by for key, by in replaced.items())


def test_a_lever_left_where_it_is_needs_nothing(tmp_path: Path) -> None:
    same = policy(tmp_path, '{ from = "2020-01", set = { "registers.sharing_share" = 0.0 } }')
    assert told(same) == []


@pytest.mark.parametrize("name", list_scenarios())
def test_no_shipped_policy_moves_a_lever_in_vain(name: str) -> None:
    assert of_file(load_scenario(name)) == []
    assert all("network.decree_in_force" in line and "until 2022-01" in line for line in told(name))  # as Lebak's came


def test_what_a_lever_needs_is_a_switch_and_stands_in_its_meaning() -> None:
    known = load_parameters()
    needing = [each for each in known.values() if each.needs]
    assert len(needing) > 10 and all(isinstance(known[each.needs].value, bool) for each in needing)


def test_check_warns_of_an_agency_nobody_has_and_refuses_it_in_a_district(tmp_path: Path) -> None:
    path = policy(tmp_path, '{ from = "2020-01", set = { "opd.dinkess.skill" = 0.8 } }', SHARING)
    done = call("check", path)
    assert done.exit_code == 0 and "good" in done.stdout
    assert "Warning: mine.toml: opd.dinkess.skill: no shipped district has an agency 'dinkess'" in done.stderr
    assert "did you mean dinkes?" in done.stderr and "registers.sharing_share" in done.stderr
    assert call("check", path, "--district", "lebak").exit_code == 2
    good = policy(tmp_path, '{ from = "2020-01", set = { "opd.dinkes.skill" = 0.8 } }')
    assert call("check", good, "--district", "lebak", "--lang", "id").stderr == ""
    with pytest.raises(InputError, match="unknown"):
        advice(load_scenario(policy(tmp_path, '{ from = "2020-01", set = { "opd.dinkess.skill" = 0.8 } }')), "lebak")


def test_run_and_compare_warn_too(tmp_path: Path) -> None:
    path = policy(tmp_path, SHARING)
    short = ("--population-share", "0.005", "--end", "2020-02")
    done = call("run", path, *short, "--no-figures", "--out", tmp_path / "out", "--lang", "id")
    assert done.exit_code == 0 and "Peringatan: mine.toml: registers.sharing_share: 0.8 mulai 2020-01" in done.stderr
    refused = call("compare", "baseline", path, *short, "--draws", "0", "--seeds", "1", "--out", "/proc/no")
    assert "Warning: mine.toml: registers.sharing_share" in refused.stderr


def test_a_dated_level_of_an_agency_counts_also_when_it_is_the_file_s() -> None:
    place = find_district("lebak")
    start = next(opd.understanding for opd in place.opd if opd.id == "dinkes")
    model = live(district="lebak", share=0.005, end="2019-12")
    world = model.world
    dinkes = next(opd for opd in world.opds if opd.id == "dinkes")
    assert dinkes.understanding != start  # it has moved on
    settings_rules.change(world, world.settings.changed({"goals.leadership": 0.9}), ["goals.leadership"])
    assert dinkes.understanding != start
    settings_rules.change(world, world.settings, ["opd.dinkes.understanding"])
    assert dinkes.understanding == start


@pytest.mark.parametrize(
    ("value", "low", "high", "phrase"),
    [
        (40, 0, 1, "percent"),
        (2, 0, 1, "percent"),
        (1.5, 0, 1, "outside"),
        (1.01, 0, 1, "outside"),
        (101, 0, 1, "outside"),
        (40, 0.5, 1, "outside"),  # 0.4 would be refused too
        (0.7, 0, 1, None),
    ],
)
def test_only_what_would_be_right_as_a_percent_is_told_so(
    value: float, low: float, high: float, phrase: str | None
) -> None:
    wrong = number_fault(value, low, high, "share of families", whole=False)
    assert (wrong[0] if wrong else None) == phrase
