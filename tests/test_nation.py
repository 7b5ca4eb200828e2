"""All districts: plan, policies moved to 2026, partial pooling of what they bring, tables, maps and the command."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_cli import call

import konvergensi as kv
from konvergensi.analyses import nation as analysis
from konvergensi.analyses.nation_plan import DistrictJob, jobs_of, later, run_district
from konvergensi.analyses.paths import path_draws
from konvergensi.base.errors import InputError
from konvergensi.inputs import country
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.report.figures_nation import province_shapes, tiles, values
from konvergensi.results.nation import COLUMNS, Nation
from konvergensi.results.saving import load

YOGYAKARTA = ["34.01", "34.02", "34.03", "34.04", "34.71"]


def made_up(job: DistrictJob, lower: float) -> dict:
    """A row as `run_district` gives it: the path goes on, the policy lowers it by so many points for more rupiah."""
    paths = path_draws(job.code, job.samples * job.paths)
    base = [max(path[-1] + 5 * (path[-1] - path[0]) / 6, 0.0) for path in paths]
    percent = {"baseline": base, job.scenarios[1]: [each - lower for each in base]}
    money = {"baseline": [1e11] * job.samples, job.scenarios[1]: [1.1e11] * job.samples}
    same = {name: [0.0] * job.samples for name in job.scenarios}
    children = {name: [50_000.0] * job.samples for name in job.scenarios}
    return {"paths": paths, "percent": percent, "under_fives": children, "spent_rp": money, "kpm_rp": same}


@cache
def yogyakarta() -> Nation:
    jobs = jobs_of(("one-list",), 4000, 1.0, 2, YOGYAKARTA)
    found = {job.code: made_up(job, 0.3) for job in jobs}
    table = pd.concat([analysis._districts(jobs, found), *analysis._groups(jobs, found)], ignore_index=True)
    return Nation(nation=table[list(COLUMNS)], manifest=analysis._manifest(jobs, 0.0))


def test_there_are_38_provinces_with_shapes_of_their_own_and_514_districts() -> None:
    shapes = province_shapes()
    assert len(shapes) == 38 and set(shapes) == {code[:2] for code in country.codes()}
    different = {ring.tobytes() for rings in shapes.values() for ring in rings}
    assert len(different) == sum(len(rings) for rings in shapes.values())
    assert len(tiles()) == 514 and set(tiles()) == set(country.codes()) and len(set(tiles().values())) == 514


def test_tiles_of_a_province_stand_together() -> None:
    for province in province_shapes():
        places = np.array([at for code, at in tiles().items() if code[:2] == province])
        others = np.array([at for code, at in tiles().items() if code[:2] != province])
        low, high = places.min(axis=0), places.max(axis=0)
        assert not ((others >= low) & (others <= high)).all(axis=1).any()


def test_a_policy_is_tried_as_if_it_began_in_2026() -> None:
    policy, moved = load_scenario("full-convergence"), later("full-convergence")
    assert min(each.month for each in moved.changes) == 2026 * 12
    by = min(each.month for each in policy.changes) - 2026 * 12
    assert [(each.month + by, each.key, each.value) for each in moved.changes] == [
        (each.month, each.key, each.value) for each in policy.changes
    ]


def test_every_district_gets_a_job_and_a_policy_named_twice_is_refused() -> None:
    jobs = jobs_of(("one-list",), 4000, 1.0, 3)
    assert len(jobs) == 514 and {job.code for job in jobs} == set(country.codes())
    assert next(job.district for job in jobs if job.code == "36.02") == "lebak"
    with pytest.raises(InputError, match="named twice"):
        jobs_of(("one-list", "one-list"), 4000, 1.0, 3)
    with pytest.raises(InputError, match="unknown"):
        jobs_of(("no-such-policy",), 4000, 1.0, 3)


def test_the_table_has_the_columns_and_quantities_it_promises() -> None:
    table = yogyakarta().nation
    assert tuple(table.columns) == COLUMNS
    assert set(table["code"]) == {*YOGYAKARTA, "34"}  # no nation from some of its districts
    one = table[table["code"] == "34.01"].set_index(["quantity", "year"])["middle"]
    assert {("prevalence", year) for year in (*range(2018, 2025), 2029, 2045)} <= set(one.index)
    assert one["points:one-list", 2029] == pytest.approx(-0.3)
    assert one["cases:one-list", 2029] == pytest.approx(150) and one["rupiah:one-list", 2029] == pytest.approx(1e10)
    assert one["cases_per_billion_rp:one-list", 2029] == pytest.approx(15)
    told = table.dropna(subset=["low"])
    assert ((told["low"] <= told["middle"]) & (told["middle"] <= told["high"])).all()
    assert table["pooled_share"].between(0, 1).all()


def test_level_now_is_the_fit_s_and_a_province_lies_among_its_districts() -> None:
    found = yogyakarta()
    level = found.of("prevalence", 2024)["middle"]
    for code in YOGYAKARTA:
        fitted = kv.level(code, ["2024-07"], systems=["SSGI"])["middle"].iloc[0]
        assert level[code] == pytest.approx(fitted, abs=0.5)
    province = found.of("prevalence", 2024, 2).loc["34", "middle"]
    assert level.min() < province < level.max()
    chance = found.of("chance_of_target", 2029)["middle"]
    ahead = found.of("prevalence", 2029)["middle"]
    assert chance.between(0, 1).all() and (chance[ahead < 13] > 0.5).all()


def test_effects_are_drawn_together_as_far_as_chance_asks_for() -> None:
    rng = np.random.default_rng(1)
    kinds = np.repeat(["kabupaten", "kota"], 200)
    alike = effects_of(rng.normal(1.0, 1.0, (400, 3)), kinds)
    assert (alike[:, 3] > 0.8).all() and alike[:, 0].std() < 0.25  # all chance: everybody gets the mean
    apart = np.arange(400.0)[:, None] / 50 + rng.normal(0.0, 0.05, (400, 3))
    own = effects_of(apart, kinds)
    assert (own[:, 3] < 0.01).all() and np.allclose(own[:, 0], apart.mean(axis=1), atol=0.02)
    few = effects_of(rng.normal(1.0, 1.0, (5, 3)), np.repeat("kota", 5))
    assert (few[:, 3] == 0).all() and (few[:, 2] - few[:, 1] > 0).all()


def effects_of(per_sample: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    return analysis.effects(per_sample, kinds)


def test_true_effects_lie_in_their_intervals_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(1.0, 0.5, 300)
    found = effects_of(truth[:, None] + rng.normal(0.0, 0.8, (300, 3)), np.repeat("kabupaten", 300))
    inside = ((found[:, 1] <= truth) & (truth <= found[:, 2])).mean()
    assert 0.84 < inside < 0.96


def test_what_all_districts_share_in_a_set_of_parameters_is_averaged_away_by_none() -> None:
    rng = np.random.default_rng(3)
    own, truth, inside = rng.normal(0.0, 0.5, 300), 1.0, []
    for _ in range(200):  # sets of three that miss the mean of all sets by chance
        common = truth + rng.normal(0.0, 0.8, 3)
        found = effects_of(own[:, None] + common + rng.normal(0.0, 0.3, (300, 3)), np.repeat("kabupaten", 300))
        inside.append(((found[:, 1] <= truth + own) & (truth + own <= found[:, 2])).mean())
        assert (found[:, 3] < 0.3).all()  # what they share does not hide how they differ
    assert 0.84 < np.mean(inside) < 0.96


def test_a_district_is_run_once_for_each_scenario_and_read_at_every_path() -> None:
    job = DistrictJob(("baseline", "no-programme"), "71.71", "71.71", 400, 1.0, samples=1, paths=5)
    row = run_district(job)
    assert len(row["paths"]) == 5 and all(len(each) == 5 for each in row["percent"].values())
    ends = np.array(row["percent"]["baseline"])
    assert np.ptp(ends) > 1 and (ends > 0).all()
    assert row["spent_rp"]["no-programme"][0] < row["spent_rp"]["baseline"][0]


def test_the_maps_and_pages_are_drawn_in_both_languages(tmp_path: Path) -> None:
    found = yogyakarta()
    assert set(values(found, "level", 5)) == set(YOGYAKARTA) and set(values(found, "level", 2)) == {"34"}
    for lang in ("en", "id"):
        names = found.save(tmp_path / lang, lang=lang)
        assert {"nation.md", "nation.parquet", "nation.csv", "nation.xlsx"} <= set(names)
        text = (tmp_path / lang / "nation.md").read_text(encoding="utf-8")
        assert "CC BY 4.0" in text and "Daerah Istimewa Yogyakarta" in text
    assert load(tmp_path / "en") == found
    assert list(pd.read_csv(tmp_path / "id" / "nation.csv", dtype={"code": str}).columns) == list(COLUMNS)
    assert list(pd.read_excel(tmp_path / "id" / "nation.xlsx", dtype={"code": str}).columns) == list(COLUMNS)


def test_options_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for options in (["--families", "50"], ["--samples", "0"], ["--area", "Bandung"], ["--policy", "nothing"]):
        done = call("nation", *options, "--out", tmp_path / "out")
        assert done.exit_code == 2 and not (tmp_path / "out").exists(), options


@pytest.mark.slow
def test_what_is_finished_is_kept_and_the_estimate_comes_first(tmp_path: Path) -> None:
    options = ["--area", "34.71", "--area", "33.71", "--families", "300", "--samples", "1", "--policy", "one-list"]
    first = call("nation", *options, "--workers", "1", "--out", tmp_path / "out")
    assert first.exit_code == 0, first.output
    assert "for 1 districts with 1 processes" in first.output  # one was timed
    table = pd.read_parquet(tmp_path / "out" / "nation.parquet")
    again = call("nation", *options, "--workers", "1", "--out", tmp_path / "out")
    assert "for 0 districts" in again.output
    assert pd.read_parquet(tmp_path / "out" / "nation.parquet").equals(table)
