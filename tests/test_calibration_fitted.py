"""Fitted draws: written, read, taken by comparisons in place of the prior, and named where they are used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import konvergensi as kv
from konvergensi.analyses.calibrate import calibrate
from konvergensi.analyses.compare_plan import make_plan, sample_of
from konvergensi.analyses.explain_plan import make_plan as plan_worlds
from konvergensi.base.errors import InputError
from konvergensi.base.files import data_root
from konvergensi.base.folders import write_json
from konvergensi.inputs.calibration_study import calibration_root, load_calibration
from konvergensi.inputs.districts import find_district
from konvergensi.model.identity import model_hash
from konvergensi.results import fitted as fitted_draws
from konvergensi.results.fitted import Fitted, changed_since, described, fitted_for, joined, parameter_draws_of
from konvergensi.studies import engines

KEYS = ("growth.level_shift_z", "uptake.adherence_share")
ADHERENCE = np.linspace(0.5, 0.85, 8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fitted draws of Lebak: level -0.9, -0.8, ..., the last weighing half of all."""
    n = 8
    weights = np.full(n, 0.5 / (n - 1))
    weights[-1] = 0.5
    draws = pd.DataFrame({
        "draw": range(1, n + 1), "weight": weights, KEYS[0]: np.linspace(-0.9, -0.2, n), KEYS[1]: ADHERENCE,
    })  # fmt: skip
    hashes = {"model": model_hash(), "district": find_district("lebak").hashes}
    manifest = {"free": list(KEYS), "study": "test", "version": "0", "hashes": hashes}
    draws.to_parquet(tmp_path / "lebak.parquet", index=False)
    pd.DataFrame({"draw": [1], "survey:2018-04": [40.0]}).to_parquet(tmp_path / "lebak-runs.parquet", index=False)
    write_json(manifest, tmp_path / "lebak.json")
    fitted_draws._read.cache_clear()
    return tmp_path


def plan(draws_from: str, draws: int = 16, set_: dict[str, object] | None = None, district: str = "lebak"):  # type: ignore[no-untyped-def]
    names = ("baseline", "one-list")
    return make_plan(names, district, draws, 1, 0.01, "2018-01", "2018-12", set_ or {}, draws_from)


def test_draws_are_taken_by_weight_and_a_longer_series_begins_with_a_shorter_one(folder: Path) -> None:
    found = parameter_draws_of(find_district("lebak"), str(folder))
    assert found is not None
    levels = [found.draw(number)[KEYS[0]] for number in range(1, 201)]
    assert np.mean(np.isclose(levels, -0.2)) == pytest.approx(0.5, abs=0.02)
    assert len({round(level, 6) for level in levels}) == 8


def test_comparisons_draw_fitted_parameters_from_the_fit_and_the_others_from_the_prior(folder: Path) -> None:
    place = find_district("lebak")
    prior, usual = sample_of(place, 4, ())
    fitted = fitted_for(place, folder)
    drawn, sample = sample_of(place, 4, (), fitted)
    assert {each.key for each in drawn} == {each.key for each in prior} | set(KEYS)
    assert KEYS[0] not in usual[0] and len(set(KEYS) & set(sample[0])) == 2
    for one, other in zip(sample, usual, strict=True):
        assert np.isclose(ADHERENCE, one[KEYS[1]]).any() and not np.isclose(ADHERENCE, other[KEYS[1]]).any()
        assert {key: value for key, value in one.items() if key not in KEYS} == {
            key: value for key, value in other.items() if key not in KEYS
        }


def test_what_is_decided_stays_decided_and_without_draws_nothing_is_fitted(folder: Path) -> None:
    made = plan(str(folder), set_={KEYS[0]: -0.3})
    assert {dict(job.set)[KEYS[0]] for job in made.sample.values()} == {-0.3}
    assert KEYS[0] not in {each.key for each in made.drawn}
    assert plan(str(folder), draws=0).fitted is None


def test_a_district_of_ones_own_and_one_that_extends_take_the_prior(folder: Path, tmp_path: Path) -> None:
    assert fitted_for(find_district("brebes"), folder) is None
    mine = tmp_path / "lebak"
    shutil.copytree(data_root() / "districts" / "lebak", mine)
    assert fitted_for(find_district(mine), folder) is None
    with pytest.raises(InputError, match="there are no fitted draws for 'brebes'; there are for lebak"):
        plan(str(folder), district="brebes")
    with pytest.raises(InputError, match="'nowhere' is not one of: fitted, prior, a folder"):
        plan("nowhere")


def test_the_manifest_names_the_parameter_draws_and_what_has_changed_since(folder: Path) -> None:
    place = find_district("lebak")
    found = fitted_for(place, folder)
    assert found is not None and changed_since(found.manifest, place) == []
    assert described(found, place)["from"] == "fitted" and described(None, place) == {"from": "prior"}
    old = Fitted(found.keys, found.values, found.weights, {**found.manifest, "hashes": {"model": "other"}})
    assert described(old, place)["changed_since"] == ["model", "district"]


def test_explaining_gives_each_seed_a_draw_of_its_own_in_all_its_worlds(folder: Path) -> None:
    numbers = {"seeds": 3, "population_share": 0.01, "agencies": 1}
    made = plan_worlds("lebak", "2018-01", "2018-12", numbers, draws_from=str(folder))
    values = {(job.seed, dict(job.set)[KEYS[1]]) for job in made.jobs}
    assert len(values) == 3 and all(KEYS[0] not in dict(job.set) for job in made.jobs)  # the level is the country's
    prior = plan_worlds("lebak", "2018-01", "2018-12", numbers, structures="default").jobs
    assert all(job.set == () for job in prior)


def test_a_comparison_says_which_parameter_draws_it_used(folder: Path) -> None:
    options = {"draws": 2, "seeds": 1, "population_share": 0.002, "end": "2018-02", "workers": 1}
    found = kv.compare(["baseline", "one-list"], draws_from=str(folder), **options)  # type: ignore[arg-type]
    assert found.manifest["parameter_draws"]["from"] == "fitted"
    values = found.parameter_draws.set_index(["parameter", "draw"])["value"].loc[KEYS[1]]
    assert set(np.round(values, 6)) <= set(np.round(ADHERENCE, 6))
    from konvergensi.report.origin import draws_and_seeds

    assert "fitted draws" in draws_and_seeds(found, "en") and "hasil kalibrasi" in draws_and_seeds(found, "id")
    prior = kv.compare(["baseline", "one-list"], draws_from="prior", **options)  # type: ignore[arg-type]
    assert prior.manifest["parameter_draws"] == {"from": "prior"}


def test_values_outside_a_range_by_rounding_are_brought_back() -> None:
    place = find_district("lebak")
    one = Fitted(KEYS, np.array([[-1.2000001, 0.3]]), np.ones(1), {})
    assert joined(one, [{}], place.parameters(), ()) == [{KEYS[0]: -1.2, KEYS[1]: 0.3}]


# ---- the whole way, small --------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A study of two parameters and two targets that takes seconds."""
    (tmp_path / "targets").mkdir()
    lines = (calibration_root() / "targets" / "kota-banjar.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith(("id,", "eppgbm-2018,", "measured-2018,"))]
    (tmp_path / "targets" / "targets.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    shutil.copy(calibration_root() / "priors.toml", tmp_path)
    (tmp_path / "small.toml").write_text(
        'title = { en = "small", id = "kecil" }\ndistrict = "kota-banjar"\ntargets = "targets/targets.csv"\n'
        'priors = "priors.toml"\nstart = "2018-01"\nend = "2018-09"\npopulation_share = 0.02\nseeds = 1\nseed = 1\n'
        "waves = 2\npoints = 10\ncutoff = 3.0\nparticles = 60\ndraws = 10\ntruths = 0\n"
        'free = ["growth.level_shift_z", "measurement.eppgbm_bias_cm"]\n',
        encoding="utf-8",
    )
    return tmp_path


@pytest.fixture
def begun_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processes are begun once for all stages of a calibration: each takes two seconds to import the model."""
    begin, begun = engines._pool, dict[int, ProcessPoolExecutor]()

    def pool(workers: int) -> ProcessPoolExecutor:
        if workers not in begun:
            begun[workers] = begin(workers)
            monkeypatch.setattr(begun[workers], "shutdown", lambda **_: None)
        return begun[workers]

    monkeypatch.setattr(engines, "_pool", pool)
    yield
    monkeypatch.undo()
    for each in begun.values():
        each.shutdown()


@pytest.mark.slow
@pytest.mark.usefixtures("begun_once")
def test_a_calibration_has_the_same_bits_for_any_workers_and_when_it_was_stopped(small: Path) -> None:
    study = load_calibration(small / "small.toml")

    class Stopped(Exception):
        pass

    def stop(done: int, _all: int) -> None:
        if done >= 13:
            raise Stopped

    with pytest.raises(Stopped):
        calibrate(study, small / "one", workers=1, progress=stop)
    one, two = calibrate(study, small / "one", workers=1), calibrate(study, small / "two", workers=2)
    pd.testing.assert_frame_equal(one.draws, two.draws, check_exact=True)
    pd.testing.assert_frame_equal(one.runs, two.runs, check_exact=True)
    assert one.draws["weight"].sum() == pytest.approx(1.0)
    one.save(small / "one")
    manifest = json.loads((small / "one" / "kota-banjar.json").read_text(encoding="utf-8"))
    assert manifest["free"] == list(study.space.keys) and 0 < manifest["effective_share"] <= 1
    fitted_draws._read.cache_clear()
    assert parameter_draws_of(study.place, str(small / "one")) is not None
