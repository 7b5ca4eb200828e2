"""The store of a study: what it says, who can read it, that no bit depends on how it was made, and how it grows."""

import json
import random
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import live
from study_driver import KECIL, exported, function_study, model_study

from konvergensi.base.errors import InputError
from konvergensi.base.owned import sealed
from konvergensi.inputs.parameters import load_parameters
from konvergensi.methods.designs import Design, points
from konvergensi.methods.factors import Factor
from konvergensi.model import identity
from konvergensi.model.branch import branches
from konvergensi.model.outcome import MEASURES, Outcome, outcome, scalar_names
from konvergensi.studies import working, writing
from konvergensi.studies.engines import Results
from konvergensi.studies.execute import run_study
from konvergensi.studies.export import export_store
from konvergensi.studies.identity import code_hash
from konvergensi.studies.outputs import output_names, outputs
from konvergensi.studies.rerun import rerun
from konvergensi.studies.store import RUN_COLUMNS, Store
from konvergensi.studies.study import OUTCOME, Keep, checked


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return run_study(function_study(), tmp_path_factory.mktemp("quick") / "store", workers=1)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return run_study(model_study(), tmp_path_factory.mktemp("real") / "store", workers=1)


# ---- what is in it ---------------------------------------------------------------------------------------------------


def test_a_row_for_each_run_sorted_with_values_and_results(quick: Store) -> None:
    runs = quick.runs()
    assert list(runs) == [*RUN_COLUMNS, "x1", "x2", "x3", "dummy", "y"]
    keys = [(s, d, k) for s in ("baseline", "doubled") for d in range(1, 61) for k in (1, 2)]
    assert list(runs[["policy", "draw", "seed"]].itertuples(index=False, name=None)) == keys
    assert runs["run_id"].is_unique and set(runs["status"]) == {"ok"} and runs["error"].isna().all()
    values = points(quick.study)
    assert (runs.loc[runs["policy"] == "baseline", ["x1", "dummy"]].iloc[::2].to_numpy()
            == values[["x1", "dummy"]].to_numpy()).all()  # fmt: skip


def test_what_a_run_of_the_model_keeps_is_what_the_model_says(real: Store) -> None:
    row = real.runs().query("policy == 'one-list' and draw == 2").iloc[0]
    set_ = {key: row[key] for key in real.factors}
    model = live("one-list", KECIL, 1, 0.5, end="2018-02", set=set_)
    found = outcome(model)
    assert real.scalars == scalar_names("2018-01", "2018-02") == list(found.scalars)
    assert {name: row[name] for name in real.scalars} == found.scalars
    assert found.scalars["prevalence"] == 100 * model.prevalence()
    series = real.series().query(f"run_id == '{row['run_id']}'")[["month", "measure", "value"]]
    assert list(series.itertuples(index=False, name=None)) == found.series
    assert set(series["measure"]) == set(MEASURES)
    groups = real.groups().query(f"run_id == '{row['run_id']}'")[["month", "group", "measure", "value"]]
    assert list(groups.itertuples(index=False, name=None)) == found.groups


def test_values_have_the_type_of_their_parameter(real: Store) -> None:
    runs = real.runs()
    assert runs["registers.krs_refresh_months"].dtype == np.int64
    assert runs["budget.inertia"].dtype == np.float64
    assert set(runs["growth.combination"]) <= set(load_parameters()["growth.combination"].choices)


def test_scenarios_share_chance_and_a_cell_equals_single_runs(real: Store) -> None:
    row = real.runs().query("draw == 1").iloc[0]
    alone = dict(branches(["baseline"], KECIL, 1, 0.5, "2018-01", "2018-02", {key: row[key] for key in real.factors}))
    assert outcome(alone["baseline"]).scalars["integration_index"] == row["integration_index"]


def test_districts_are_simulated_side_by_side(real: Store, tmp_path: Path) -> None:
    twin = shutil.copytree(KECIL, tmp_path / "mungil")
    study = model_study(districts=(str(twin), KECIL), design=Design("lhs", 3), scenarios=("one-list",))
    both = run_study(study, tmp_path / "store", workers=1)
    runs = both.runs()
    assert runs["district"].tolist() == ["mungil"] * 3 + ["kecil"] * 3 and runs["run_id"].is_unique
    alone = outputs(real, "integration_index", scenario="one-list")
    for district in both.districts:  # a district's name is no chance, and its neighbour in the study no influence
        pd.testing.assert_frame_equal(outputs(both, "integration_index", district=district), alone, check_exact=True)


def test_duckdb_and_pandas_read_it_in_one_line(quick: Store) -> None:
    runs, series = f"'{quick.path}/runs/*.parquet'", f"'{quick.path}/series/*.parquet'"
    mean = duckdb.sql(f"select policy, avg(y) from {runs} group by all order by all").fetchall()
    joined = duckdb.sql(f"select count(*) from {runs} join {series} using (run_id) where value = y").fetchall()
    table = pd.read_parquet(quick.path / "runs")
    assert [name for name, _ in mean] == ["baseline", "doubled"] and mean[1][1] == pytest.approx(2 * mean[0][1])
    assert joined == [(240,)] and len(table) == 240 and list(table) == list(quick.runs())
    assert {each["y"] for each in quick.iter_runs()} == set(table["y"])


def test_only_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    keep = Keep(scalars=("prevalence",), series=("services_mean",), groups=False)
    store = run_study(model_study(keep=keep, design=Design("lhs", 1)), tmp_path / "store", workers=1)
    assert store.scalars == ["prevalence"] and set(store.series()["measure"]) == {"services_mean"}
    assert store.groups().empty and list(store.groups()) == ["run_id", "month", "group", "measure", "value"]


def own_outcome(model: Any) -> Outcome:
    return Outcome({"children": float(len(model.world.children.z)), "unknown": float("nan")})


def test_a_study_may_have_an_outcome_of_its_own(tmp_path: Path) -> None:
    study = model_study(outcome=f"{__name__}:own_outcome", design=Design("lhs", 1), scenarios=("baseline",))
    store = run_study(study, tmp_path / "store", workers=1)
    assert store.scalars == ["children", "unknown"] and store.runs()["unknown"].isna().all()
    with pytest.raises(InputError, match=r"outcome: there is no function 'konvergensi.nothing:x'"):
        run_study(replace(study, outcome="konvergensi.nothing:x"), tmp_path / "other", workers=1)
    assert not (tmp_path / "other").exists()


# ---- no bit depends on how it was made -------------------------------------------------------------------------------


def shuffled(work: Callable[[Any], Any], jobs: Iterable[Any]) -> Results[Any]:
    every = list(jobs)
    random.Random(3).shuffle(every)
    for job in every:
        yield job, work(job)


def test_two_processes_and_any_order_give_the_same_bits(
    quick: Store, real: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, store in (("quick", quick), ("real", real)):
        two = run_study(store.study, tmp_path / f"{name}-2", workers=2)
        monkeypatch.setattr(working, "in_process", shuffled)
        monkeypatch.setattr(writing, "SHARD_RUNS", 7)
        any_order = run_study(store.study, tmp_path / f"{name}-s", workers=1)
        monkeypatch.undo()
        assert exported(two) == exported(store) == exported(any_order)
        for table in ("series", "groups"):
            pd.testing.assert_frame_equal(getattr(any_order, table)(), getattr(store, table)(), check_exact=True)
        runs = [each.runs().drop(columns="wall_s") for each in (store, two, any_order)]
        for other in runs[1:]:
            pd.testing.assert_frame_equal(runs[0], other, check_exact=True)


def test_csv_holds_every_digit_and_no_timing(quick: Store, tmp_path: Path) -> None:
    names = export_store(quick, tmp_path / "out", "csv")
    assert names == ["runs.csv", "series.csv", "groups.csv", "manifest.json"]
    runs = pd.read_csv(tmp_path / "out" / "runs.csv")
    assert runs["y"].tolist() == quick.runs()["y"].tolist() and "wall_s" not in runs
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["left_out"] == ["wall_s"] and manifest["done"] == {"ok": 240, "failed": 0}
    with pytest.raises(InputError, match="is there already and not empty"):
        export_store(quick, tmp_path / "out", "csv")


def test_a_rerun_is_the_same_and_says_when_it_is_not(quick: Store, real: Store, tmp_path: Path) -> None:
    for store in (quick, real):
        row = store.runs().iloc[-1]
        found = rerun(store, row["run_id"][:12])
        assert found.row["run_id"] == row["run_id"] and found.differ == []
        assert found.set == {**store.study.set, **{key: row[key] for key in store.factors if key != "dummy"}}
    copy = Path(shutil.copytree(quick.path, tmp_path / "copy"))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["study"]["set"]["noise_sd"] = 0.25
    (copy / "manifest.json").write_text(json.dumps(sealed(manifest)))
    found = rerun(Store.open(copy), quick.runs()["run_id"][0])
    assert found.differ[0][0] == "y"
    with pytest.raises(InputError, match="there is no run 'zz' in this store"):
        rerun(quick, "zz")
    with pytest.raises(InputError, match=r"is the beginning of \d+ ids"):
        rerun(quick, quick.runs()["run_id"][0][:1])


# ---- ids -------------------------------------------------------------------------------------------------------------


def test_another_value_seed_share_span_or_outcome_is_another_run(tmp_path: Path) -> None:
    usual = model_study(design=Design("lhs", 1), scenarios=("baseline",))
    others = [
        usual, replace(usual, population_share=0.4), replace(usual, end="2018-01"), replace(usual, seeds=(2,)),
        replace(usual, design=Design("lhs", 1, seed=2)), replace(usual, set={"goals.on": False}),
        replace(usual, scenarios=("one-list",)), replace(usual, outcome=f"{__name__}:own_outcome"),
    ]  # fmt: skip
    stores = [run_study(study, tmp_path / str(n), workers=1) for n, study in enumerate([*others, usual])]
    ids = [store.runs()["run_id"][0] for store in stores]
    assert len(set(ids)) == len(others) and ids[0] == ids[-1]


def test_code_that_changes_no_run_changes_no_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = Path(shutil.copytree(identity._PACKAGE, tmp_path / "konvergensi", ignore=shutil.ignore_patterns("*.pyc")))
    monkeypatch.setattr(identity, "_PACKAGE", package)

    def changed(name: str) -> bool:
        before = identity.model_hash.__wrapped__()
        file = package / name
        file.write_text((file.read_text() if file.exists() else "") + "\n# another line\n")
        return identity.model_hash.__wrapped__() != before

    aside = ("studies/store.py", "analyses/new.py", "results/run.py", "report/theme.py", "cli/run.py", "base/errors.py")
    assert not any(changed(name) for name in aside)
    parts = ("model/convergence.py", "mechanisms/growth.toml", "observe/series.py", "model/branch.py",
             "model/outcome.py")  # fmt: skip
    assert all(changed(name) for name in parts)
    assert code_hash("konvergensi", OUTCOME) != code_hash("konvergensi", f"{__name__}:own_outcome")


# ---- outputs ---------------------------------------------------------------------------------------------------------


def test_outputs_are_derived_in_pairs(quick: Store, real: Store) -> None:
    runs = quick.runs().set_index(["policy", "draw", "seed"])["y"]
    gain = outputs(quick, "difference:y", scenario="doubled")
    assert gain["value"].tolist() == (runs["doubled"] - runs["baseline"]).tolist()
    assert list(gain) == ["draw", "seed", "value"]
    mean, variance = (outputs(quick, f"{over}:y", scenario="baseline") for over in ("mean", "variance"))
    one = runs["baseline"][7]
    assert mean["value"][6] == one.mean() and 0 < variance["value"][6] == pytest.approx(one.var(ddof=1))
    assert output_names(quick) == ["y", "difference:y"]
    names = output_names(real)
    assert "cost_per_case_rp" in names and "difference:spent_rp" in names
    measures = ["spent_rp", "kpm_incentive_rp", "stunted_children"]
    wide = real.runs().pivot(index="draw", columns="policy", values=measures)
    more = {name: wide[name]["one-list"] - wide[name]["baseline"] for name in measures}
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (more["spent_rp"] + more["kpm_incentive_rp"]) / -more["stunted_children"]
        expected = np.where(more["stunted_children"] == 0, np.nan, ratio)
    np.testing.assert_array_equal(outputs(real, "cost_per_case_rp")["value"], expected)
    with pytest.raises(InputError, match=r"unknown output 'prevalenc'.*did you mean prevalence"):
        outputs(real, "prevalenc")


def test_the_same_study_again_is_no_work(quick: Store) -> None:
    told: list[tuple[int, int]] = []
    run_study(function_study(), quick.path, workers=2, progress=lambda *each: told.append(each))
    assert told == [(240, 240)]


def test_a_checked_study_stays_as_it_is() -> None:
    study = checked(model_study())
    assert checked(study) == study and study.factors[2] == Factor("budget.inertia", low=0.0, high=0.95)
