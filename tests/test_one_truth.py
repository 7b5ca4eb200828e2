"""One level for every question: runs follow the path fitted over the country, programmes and rise together."""

from pathlib import Path

import numpy as np
import pytest
from test_cli import call

import konvergensi as kv
from konvergensi.analyses import explain_plan, gaps_plan
from konvergensi.analyses.compare_plan import make_plan
from konvergensi.analyses.paths import at_level, centre, described_level, level_for, own_rows, path_draws
from konvergensi.base.errors import InputError
from konvergensi.inputs.country import LEVEL_KEYS, levels
from konvergensi.inputs.country_observed import Observed
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms.growth import trend_years
from konvergensi.methods.country import level_draws, shipped_posterior
from konvergensi.model.level import LEVEL, RISE, YEARS, probe, solved

NEW = Observed("36.02", 2024, "SSGI", 33.0)
NO_EFFECT = {f"services.{name}.effect": 0.0 for name in load_services()}


def test_level_and_rise_of_a_known_path_are_found_again() -> None:
    found = probe("lebak", {LEVEL: 0.0, RISE: 0.03}, families=3000)
    assert found.solve(found.path(-0.4, 0.05)) == pytest.approx((-0.4, 0.05), abs=1e-4)


def test_chance_of_deviations_is_integrated_out_and_nothing_else() -> None:
    """What the snapshots expect is what the children of a larger run show, to within their own sampling error."""
    values = {key: float(levels().at["36.02", key]) for key in LEVEL_KEYS}
    found = probe("lebak", values, families=40_000, seed=3)
    seen, expected = np.array(list(found.seen.values())), np.array(list(found.path(*values.values()).values()))
    children = len(found.snapshots[2021].z)
    error = 100 * np.sqrt(0.3 * 0.7 / children)
    assert abs(seen.mean() - expected.mean()) < 2 * error and np.abs(seen - expected).max() < 3.5 * error


@pytest.mark.parametrize("code", ["36.02", "32.79", "32.73", "95.03"])
def test_the_simulation_and_the_fit_agree_on_what_both_can_say(code: str) -> None:
    """Shipped level and rise, another seed: every July inside the fit's 90 %, level and change near its centre."""
    district = {"36.02": "lebak", "32.79": "kota-banjar"}.get(code, code)
    place = find_district(district)
    values = {key: place.overrides[key].value for key in LEVEL_KEYS}
    path = np.array(list(probe(district, {}, seed=2).path(*values.values()).values()))
    draws = level_draws(shipped_posterior(), code, [float(year) for year in YEARS])
    low, high = np.quantile(draws, (0.05, 0.95), axis=0)
    assert place.levelled and ((low <= path) & (path <= high)).all()
    middle = np.array(centre(code))
    assert abs(path.mean() - middle.mean()) < 1.2
    assert abs((path[-1] - path[0]) - (middle[-1] - middle[0])) < 2.5


def test_what_programmes_add_is_taken_off_the_rise_and_never_added_twice() -> None:
    target = dict(zip(YEARS, centre("36.02")))
    with_, without = solved("lebak", target, {}), solved("lebak", target, NO_EFFECT)
    assert without[RISE] > with_[RISE] and without[LEVEL] + 6 * without[RISE] > with_[LEVEL] + 6 * with_[RISE] + 0.01
    paths = [probe("lebak", values).path(*own) for values, own in (({}, with_.values()), (NO_EFFECT, without.values()))]
    assert np.allclose(list(paths[0].values()), list(paths[1].values()), atol=0.6)


def test_each_draw_of_a_comparison_follows_its_own_path() -> None:
    plan = make_plan(["baseline", "one-list"], "lebak", 3, 1, 0.02, "2018-01", "2019-12", {}, "fitted")
    assert [plan.sample[draw, 1].path for draw in (1, 2, 3)] == path_draws("36.02", 3)
    assert not {*LEVEL_KEYS} & {key for job in plan.sample.values() for key, _ in job.set}
    assert not {*LEVEL_KEYS} & {each.key for each in plan.drawn} and plan.full.path is None
    job = plan.sample[2, 1]
    values = at_level(job.district, job.seed, job.set, job.path)
    path = probe(job.district, values, seed=job.seed).path(values[LEVEL], values[RISE])
    assert np.mean(np.abs(np.array(list(path.values())) - np.array(job.path))) < 2.0


def test_gaps_and_explain_follow_the_same_fit() -> None:
    gaps = gaps_plan.make_plan("32.11", 1, 2, 0.02, "2018-01", "2019-12", ranges=False)
    assert {job.path for job in gaps.drawn.values()} == set(path_draws("32.11", 2))
    assert {job.path for job in gaps.main.values()} == {None}  # the centre is in the district's own values
    numbers = {"seeds": 2, "population_share": 0.02, "agencies": 1}
    explained = explain_plan.make_plan("32.11", "2018-01", "2019-12", numbers, draws_from="fitted")
    assert {job.path for job in explained.jobs} == set(path_draws("32.11", 2, by_change=True))


def test_what_is_set_by_hand_or_in_an_own_folder_stays() -> None:
    plan = make_plan(["baseline", "one-list"], "lebak", 1, 1, 0.02, "2018-01", "2019-12", {LEVEL: -0.3}, "fitted")
    assert plan.sample[1, 1].path is None and dict(plan.sample[1, 1].set)[LEVEL] == -0.3
    assert described_level(find_district("archetype-urban"), {}) == {"from": "district"}


def test_a_survey_of_one_s_own_moves_the_level_towards_it_within_seconds(tmp_path: Path) -> None:
    file = tmp_path / "survey.csv"
    file.write_text("area,year,measure_system,percent\nlebak,2024,SSGI,33\n32.11,2024,SSGI,12\n", encoding="utf-8")
    before, after = centre("36.02")[-1], centre("36.02", own_rows(find_district("lebak"), file))[-1]
    assert before + 1 < after < 33
    values = level_for("lebak", file)
    assert values[LEVEL] + 6 * values[RISE] < levels().at["36.02", LEVEL] + 6 * levels().at["36.02", RISE]
    run = kv.run(district="lebak", population_share=0.01, end="2018-03", observed=file)
    level = run.manifest["level"]
    assert level["percent"]["2024"][0] == pytest.approx(after, abs=0.01) and level["observed"][0]["percent"] == 33
    assert "Kabupaten Lebak" in level["said"]["id"]
    plan = make_plan(["baseline", "one-list"], "lebak", 1, 1, 0.02, "2018-01", "2019-12", {}, observed=[NEW])
    assert plan.full.path == centre("36.02", [NEW]) and plan.sample[1, 1].path == path_draws("36.02", 1, [NEW])[0]


def test_a_survey_of_another_district_or_of_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "survey.csv"
    file.write_text("area,year,measure_system,percent\n32.11,2024,SSGI,12\n", encoding="utf-8")
    with pytest.raises(InputError, match="no row of"):
        own_rows(find_district("lebak"), file)
    with pytest.raises(InputError, match="no district of the country"):
        own_rows(find_district("archetype-urban"), file)
    done = call("run", "--district", "lebak", "--observed", file, "--out", tmp_path / "out")
    assert done.exit_code == 2 and not (tmp_path / "out").exists()


def test_a_run_says_which_level_it_follows() -> None:
    run = kv.run(district="32.11", population_share=0.01, end="2018-02")
    level = run.manifest["level"]
    assert level["from"] == "country" and level["percent"]["2024"][0] == pytest.approx(centre("32.11")[-1], abs=0.01)


def test_the_rise_is_damped_after_2024_as_the_fit_s_trends_are() -> None:
    years = trend_years(np.array([2018, 2022, 2023, 2024]) * 12 + np.array([6, 0, 0, 0]), 0.9)
    assert years == pytest.approx([0.0, 3.5, 4.4, 5.21])
    assert trend_years(2030 * 12 + 6, 1.0) == pytest.approx(12.0)


def test_every_district_has_a_level_of_its_own() -> None:
    table = levels()
    assert len(table) == 514 and not table.isna().any().any() and table["misfit_points"].max() < 8
