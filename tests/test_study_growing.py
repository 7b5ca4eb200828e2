"""Failures are kept, studies grow, and neither size nor failures weigh on who drives them."""

import json
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from study_driver import exported, function_study, model_study

from konvergensi.base.errors import InputError
from konvergensi.base.owned import sealed
from konvergensi.methods.designs import Design
from konvergensi.methods.functions import ishigami
from konvergensi.model.outcome import Outcome
from konvergensi.studies import writing
from konvergensi.studies.execute import extend_study, resume_study, run_study
from konvergensi.studies.outputs import outputs
from konvergensi.studies.store import Store
from konvergensi.studies.study import Study
from konvergensi.studies.study_file import load_study

# ---- failures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_failed_runs_are_kept_and_stop_no_other(workers: int, tmp_path: Path) -> None:
    knobs = {"fail_above": 1.0} | ({"die_above": 2.9} if workers == 2 else {})
    study = function_study(set=knobs, seeds=(1,))
    store = run_study(study, tmp_path / "store", workers=workers)
    runs = store.runs()
    dead, failed = runs["x1"] > knobs.get("die_above", 9), (runs["x1"] > 1.0)
    assert 0 < failed.sum() < len(runs) == 120 and (runs.loc[failed, "status"] == "failed").all()
    assert (runs["status"] == "ok").sum() == (~failed).sum() and runs.loc[failed, "y"].isna().all()
    assert runs.loc[failed & ~dead, "error"].str.match(r"ArithmeticError: x1 is .*, above 1").all()
    assert dead.any() == (workers == 2) and runs.loc[dead, "error"].str.contains("want of memory").all()
    expected = [ishigami(list(x)) for x in runs.loc[~failed, ["x1", "x2", "x3"]].to_numpy()]
    assert runs.loc[~failed & (runs["policy"] == "baseline"), "y"].tolist() == expected[: (~failed).sum() // 2]
    assert outputs(store, "difference:y")["value"].isna().sum() == failed.sum() / 2


def test_failed_runs_are_tried_again_only_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHARD_RUNS", 16)
    study = model_study(end="2018-01", design=Design("lhs", 2), seeds=(1, 2), outcome=f"{__name__}:sometimes")
    monkeypatch.setitem(TROUBLE, "seed", 2)
    store = run_study(study, tmp_path / "store", workers=1)
    assert (store.counts().ok, store.counts().failed) == (4, 4)
    assert set(store.runs().query("seed == 2")["error"]) == {"OSError: the network drive is away"}
    monkeypatch.setitem(TROUBLE, "seed", 0)
    assert resume_study(store.path, workers=1).counts().failed == 4
    told: list[tuple[int, int]] = []
    again = resume_study(store.path, workers=1, retry_failed=True, progress=lambda *each: told.append(each))
    assert told[0] == (4, 8) and (again.counts().ok, again.counts().failed) == (8, 0)
    whole = run_study(study, tmp_path / "whole", workers=1)
    assert exported(again) == exported(whole)
    assert len(pd.read_parquet(again.path / "runs")) == 8  # for whoever reads the files themselves, too


TROUBLE = {"seed": 0}


def sometimes(model: Any) -> Outcome:
    if model.seed_used == TROUBLE["seed"]:
        raise OSError("the network drive is away")
    return Outcome({"prevalence": model.prevalence()})


# ---- growing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["sobol", "lhs", "saltelli", "morris"])
def test_an_extended_study_begins_with_what_was_run(method: str, tmp_path: Path) -> None:
    short = run_study(function_study(design=Design(method, 5), seeds=(3, 1)), tmp_path / "store", workers=1)
    before = short.runs()
    told: list[tuple[int, int]] = []
    longer = extend_study(short.path, draws=12, seeds=3, workers=1, progress=lambda *each: told.append(each))
    assert told[0][0] == len(before) and longer.study.seeds == (3, 1, 2)
    kept = longer.runs().merge(before[["run_id", "y", "wall_s"]], on="run_id")
    assert len(kept) == len(before)
    assert (kept["y_x"] == kept["y_y"]).all() and (kept["wall_s_x"] == kept["wall_s_y"]).all()
    if method != "lhs":  # longer hypercubes are others; the others are as if planned so from the beginning
        planned = function_study(design=Design(method, 12), seeds=(3, 1, 2))
        assert exported(run_study(planned, tmp_path / "planned", workers=1)) == exported(longer)


def test_what_cannot_be_extended_is_said(tmp_path: Path) -> None:
    store = run_study(function_study(), tmp_path / "store", workers=1)
    for asked, said in (({"draws": 60}, "60 is not more than the 60 there are"), ({}, "missing; write draws=N")):
        with pytest.raises(InputError, match=said):
            extend_study(store.path, **asked)
    given = run_study(Study(model="ishigami", districts=("nowhere",)), tmp_path / "given", workers=1)
    with pytest.raises(InputError, match="points of a 'list' design are given; only seeds can be added"):
        extend_study(given.path, draws=10)
    with pytest.raises(InputError, match=r"draws = 60, seeds = 2; for draws = 90, seeds = 2 write: .*study extend"):
        run_study(function_study(design=Design("sobol", 90)), store.path)
    with pytest.raises(InputError, match=r"not draws = 30, seeds = 2; go on with: konvergensi study resume"):
        run_study(function_study(design=Design("sobol", 30)), store.path)
    with pytest.raises(InputError, match=r"holds another study \(set, scenarios differ\); name a new folder"):
        run_study(function_study(set={}, scenarios=("doubled",)), store.path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").touch()
    with pytest.raises(InputError, match="is there already and not empty"):
        run_study(function_study(), tmp_path / "mine")


def test_other_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = run_study(function_study(), tmp_path / "store", workers=1)
    manifest = json.loads((store.path / "manifest.json").read_text())
    manifest["identity"] |= {"version": "0.0.1", "code": "other"}
    (store.path / "manifest.json").write_text(json.dumps(sealed(manifest)))
    with pytest.raises(InputError, match=r"was begun with other code, version 0.0.1 \(now "):
        resume_study(store.path)


# ---- size ------------------------------------------------------------------------------------------------------------


class Stop(BaseException):
    """A stand-in for Ctrl-C."""


def test_a_hundred_thousand_runs_are_planned_and_told_of_in_a_moment(tmp_path: Path) -> None:
    began = time.process_time()
    study = load_study(Path(__file__).parents[1] / "studies" / "lebak-uncertain.toml")
    study = replace(study, design=Design("sobol", 25_000), factors=study.factors[:100])
    assert study.runs == 100_000

    def stop(done: int, planned: int) -> None:
        assert (done, planned) == (0, 100_000)
        raise Stop

    with pytest.raises(Stop):
        run_study(study, tmp_path / "store", workers=1, progress=stop)
    assert time.process_time() - began < 5
    began = time.process_time()
    assert Store.open(tmp_path / "store").counts().left == 100_000
    assert time.process_time() - began < 1


@pytest.mark.parametrize("workers", [1, 2])
def test_the_drivers_memory_does_not_grow_with_the_runs(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "SHARD_RUNS", 100)
    seen: dict[int, int] = {}

    def look(done: int, _planned: int) -> None:
        if done in (200, 1100, 2000):  # each just after a shard was put away
            seen[done] = tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    run_study(function_study(design=Design("sobol", 500)), tmp_path / "store", workers=workers, progress=look)
    tracemalloc.stop()
    assert seen[2000] - seen[200] < 100_000 and seen[2000] - seen[1100] < 50_000, seen
