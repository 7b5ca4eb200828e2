"""What is allowed but may not be meant is said in one line, and never refused."""

from pathlib import Path

import pytest
from inputs_valid import write_district, write_scenario
from typer.testing import CliRunner

from konvergensi.base.months import parse_month
from konvergensi.cli.main import app
from konvergensi.inputs.advice import few_families, overruled, still_example
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.scenarios import list_scenarios, load_scenario
from konvergensi.inputs.template import write_template

CHANGE = '[[change]]\nfrom = "{month}"\n[change.set]\n"{key}" = {value}\n'


def policy(folder: Path, *changes: tuple[str, str, object]) -> Path:
    """A policy that sets these (month, key, value)."""
    head = 'extends = "baseline"\ntitle = { en = "A", id = "A" }\nquestion = { en = "?", id = "?" }\n'
    text = head + "".join(CHANGE.format(month=month, key=key, value=value) for month, key, value in changes)
    path = folder / "later.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_month_of_an_aksi_that_the_reform_has_put_out_of_force_is_named(tmp_path: Path) -> None:
    path = policy(tmp_path, ("2026-01", "calendar.aksi_2_month", 2), ("2026-01", "calendar.aksi_6_month", 2))
    (found,) = overruled(load_scenario(path))
    assert found.key == "calendar.aksi_2_month"
    assert "2026-01" in found.text("en") and "calendar.reform_plan_month" in found.text("id")


def test_a_month_set_before_the_reform_is_named_only_where_the_run_outlives_it(tmp_path: Path) -> None:
    scenario = load_scenario(policy(tmp_path, ("2019-01", "calendar.aksi_8_month", 1)))
    assert not overruled(scenario) and not overruled(scenario, parse_month("2024-12"))
    (found,) = overruled(scenario, parse_month("2029-12"))
    assert "2025-01" in found.text() and "calendar.reform_review_month" in found.text()


@pytest.mark.parametrize(("key", "value"), [("calendar.reform_plan_month", 2), ("calendar.regime", '"eight-aksi"')])
def test_who_sets_what_rules_after_2025_is_not_warned(tmp_path: Path, key: str, value: object) -> None:
    path = policy(tmp_path, ("2019-01", "calendar.aksi_2_month", 2), ("2019-01", key, value))
    assert not overruled(load_scenario(path), parse_month("2029-12"))


def test_no_shipped_policy_sets_what_does_nothing() -> None:
    assert not [each for name in list_scenarios() for each in overruled(load_scenario(name))]


def test_check_names_what_is_still_the_template_s(tmp_path: Path) -> None:
    write_template(tmp_path / "mine", "en")
    done = CliRunner().invoke(app, ["check", str(tmp_path / "mine")])
    assert done.exit_code == 0 and 'still "example"' in done.output
    assert not still_example(find_district("lebak"))


def test_a_district_too_small_for_its_share_is_told_to_be_compared_whole(tmp_path: Path) -> None:
    small = find_district(write_district(tmp_path / "uji"))  # 900 families
    assert "--population-share 1" in few_families(small, 0.2)[0].text("id", typed=True)
    assert "--population-share" not in few_families(small, 1.0)[0].text("en", typed=True)
    assert not few_families(find_district("lebak"), 0.05)


def test_describe_reads_a_folder_and_a_file_of_one_s_own(tmp_path: Path) -> None:
    place, scenario = write_district(tmp_path / "uji"), write_scenario(tmp_path / "policies")
    for path, expected in ((place, "Kabupaten Uji"), (scenario, scenario.stem)):
        done = CliRunner().invoke(app, ["describe", str(path)], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        assert expected in done.stdout
