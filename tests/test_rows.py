"""Rows of analyses: kept in shards, found again by what decides them, the same on every engine."""

import json
import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from study_driver import KECIL, Cluster, cluster_of

from konvergensi.base.errors import InputError
from konvergensi.cli.terminal import Lang, warn_of_damage
from konvergensi.inputs.parameters import Value
from konvergensi.studies import rows, shards
from konvergensi.studies.lock import locked
from konvergensi.studies.rows import Row, damaged_rows, rows_of

WORDS = 'title = { en = "A", id = "A" }\nquestion = { en = "B", id = "B" }\nextends = "baseline"\n'
done: list[int] = []  # seeds of the jobs done in this process


@dataclass(frozen=True)
class Sum:
    """A job that takes no time."""

    seed: int = 1
    district: str = KECIL
    scenarios: tuple[str, ...] = ("baseline",)
    set: tuple[tuple[str, Value], ...] = ()


JOBS = [Sum(seed) for seed in (1, 2, 3, 1)]


def third(job: Sum) -> Row:
    done.append(job.seed)
    return {"third": job.seed / 3, "pair": (job.seed, float("nan"))}


def other(job: Sum) -> Row:
    return {"half": job.seed / 2}


def refuses(job: Sum) -> Row:
    from konvergensi.inputs.districts import find_district

    return {"never": find_district("lebakk")}


def dies(_job: Sum) -> Row:
    os._exit(9)  # as when memory runs out


@pytest.fixture(autouse=True)
def a_shard_for_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "SHARD_RUNS", 1)
    done.clear()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_of(2, tmp_path_factory.mktemp("dask")) as found:
        yield found


def kept_keys(folder: Path) -> set[str]:
    return {key for file in (folder / "rows").glob("*.parquet") for key in pq.read_table(file)["key"].to_pylist()}


def said(found: list[Row]) -> str:
    return json.dumps(found)


# ---- the same everywhere ---------------------------------------------------------------------------------------------


def test_rows_come_in_the_order_of_the_jobs_and_equal_jobs_are_done_once() -> None:
    found = rows_of(JOBS, third, workers=1)
    assert [row["third"] for row in found] == [1 / 3, 2 / 3, 1.0, 1 / 3] and done == [1, 2, 3]


def test_one_process_two_and_a_cluster_give_the_same_bits(cluster: Cluster, tmp_path: Path) -> None:
    here = rows_of(JOBS, third, workers=1, keep=tmp_path / "here")
    for name, how in (("two", {"workers": 2}), ("dask", {"cluster": cluster.address})):
        assert said(rows_of(JOBS, third, keep=tmp_path / name, **how)) == said(here)
        assert kept_keys(tmp_path / name) == kept_keys(tmp_path / "here")


def test_a_kept_row_is_the_row_that_was_found(tmp_path: Path) -> None:
    assert said(rows_of(JOBS, third, workers=1, keep=tmp_path / "r")) == said(
        rows_of(JOBS, third, workers=1, keep=tmp_path / "r")
    )
    assert done == [1, 2, 3]


def test_a_worker_with_other_code_or_inputs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "mine.toml"
    policy.write_text(WORDS)
    work = rows._Work(third, rows._identity(third, [Sum(scenarios=(str(policy),))]))
    pickle.loads(pickle.dumps(work)).check()
    monkeypatch.setattr(rows, "_checked", [])
    policy.write_text(WORDS + 'change = [{ from = "2018-01", set = { "goals.on" = false } }]\n')
    with pytest.raises(InputError, match="this worker has other scenarios than the work was begun with"):
        work.check()
    with pytest.raises(InputError, match=r"this worker has other version than .*0\.0\.1"):
        replace(work, identity=replace(work.identity, version="0.0.1", scenarios={})).check()


def test_a_process_that_dies_each_time_is_told_and_no_traceback() -> None:
    with pytest.raises(InputError, match="worker process ended by itself"):
        rows_of(JOBS, dies, workers=2)


def test_a_fault_found_in_another_process_can_still_be_told() -> None:
    with pytest.raises(InputError) as found:
        rows_of(JOBS, refuses, workers=2)
    assert found.value.lines("id") and "lebakk" in str(found.value)


# ---- what decides a row ----------------------------------------------------------------------------------------------


def test_another_value_seed_policy_file_or_function_is_another_row(tmp_path: Path) -> None:
    policy = tmp_path / "mine.toml"
    policy.write_text(WORDS)
    usual, folder = Sum(scenarios=(str(policy),)), tmp_path / "r"
    jobs = [usual, replace(usual, seed=2), replace(usual, set=(("goals.on", False),)), Sum()]
    rows_of(jobs, other, workers=1, keep=folder)
    assert len(kept_keys(folder)) == 4
    rows_of([usual], other, workers=1, keep=folder)
    assert len(kept_keys(folder)) == 4
    rows_of([usual], third, workers=1, keep=folder)
    assert len(kept_keys(folder)) == 5
    policy.write_text(WORDS + 'change = [{ from = "2018-01", set = { "goals.on" = false } }]\n')
    rows_of([usual], other, workers=1, keep=folder)
    assert len(kept_keys(folder)) == 6


def test_the_code_of_an_analysis_is_its_module_and_the_analyses_it_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    from konvergensi.studies import identity

    seen: list[str] = []
    find = identity._file_of
    monkeypatch.setattr(identity, "_file_of", lambda name: seen.append(name) or find(name))
    identity.code_of.__wrapped__("konvergensi.analyses.compare_plan")
    named = ("compare_plan", "paths", "level", "run", "manifest", "budget_lines")
    assert set(seen) == {f"konvergensi.analyses.{name}" for name in named}


# ---- a folder that loses nothing -------------------------------------------------------------------------------------


class Stop(BaseException):
    """A stand-in for Ctrl-C and worse."""


def test_stopped_halfway_it_goes_on(tmp_path: Path) -> None:
    def stop(count: int, _all: int) -> None:
        if count == 2:
            raise Stop

    with pytest.raises(Stop):
        rows_of(JOBS, third, workers=1, keep=tmp_path / "r", progress=stop)
    told: list[tuple[int, int]] = []
    rows_of(JOBS, third, workers=1, keep=tmp_path / "r", progress=lambda *each: told.append(each))
    assert done == [1, 2, 3] and told == [(2, 3), (3, 3)]


def other_digit(file: Path) -> None:
    """Write a table again with one digit changed: 41.0 becomes 81.0."""
    table = pq.read_table(file)
    text = [each.replace("41.0", "81.0") for each in table["row"].to_pylist()]
    assert text != table["row"].to_pylist()
    pq.write_table(table.set_column(2, "row", pa.array(text)), file)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def one_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def forty_one(job: Sum) -> Row:
    done.append(job.seed)
    return {"prevalence": 40.0 + job.seed}


@pytest.mark.parametrize("damage", [other_digit, cut, one_bit, Path.unlink])
def test_a_row_that_is_not_as_it_was_written_is_made_again(damage: Any, tmp_path: Path) -> None:
    folder, jobs = tmp_path / "r", JOBS[:2]
    first = rows_of(jobs, forty_one, workers=1, keep=folder)
    damage(folder / "rows" / "part-000001.parquet")
    assert damaged_rows(folder) == ["rows/part-000001.parquet"]
    done.clear()
    assert said(rows_of(jobs, forty_one, workers=1, keep=folder)) == said(first) and done == [1]
    aside = {each.name for each in (folder / shards.DAMAGED).iterdir()}
    expected = {"shards-part-000001.json", "rows-part-000001.parquet"}
    assert aside == (expected if damage is not Path.unlink else {"shards-part-000001.json"})
    assert damaged_rows(folder) == []
    done.clear()
    rows_of(jobs, forty_one, workers=1, keep=folder)
    assert done == []


def test_a_record_that_was_changed_is_set_aside_and_its_rows_made_again(tmp_path: Path) -> None:
    first = rows_of(JOBS[:2], forty_one, workers=1, keep=tmp_path / "r")
    record = tmp_path / "r" / "shards" / "part-000001.json"
    record.write_text(record.read_text().replace('"ok": 1', '"ok": 2'))
    assert damaged_rows(tmp_path / "r") == ["shards/part-000001.json"]
    done.clear()
    assert said(rows_of(JOBS[:2], forty_one, workers=1, keep=tmp_path / "r")) == said(first) and done == [1]


def test_the_command_says_which_rows_are_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_damage(tmp_path / "nothing", Lang.en)
    rows_of(JOBS[:1], forty_one, workers=1, keep=tmp_path / "r")
    warn_of_damage(tmp_path / "r", Lang.en)
    assert capsys.readouterr().err == ""
    other_digit(tmp_path / "r" / "rows" / "part-000001.parquet")
    warn_of_damage(tmp_path / "r", Lang.id)
    assert "Rusak atau hilang, simulasinya diulang: rows/part-000001.parquet" in capsys.readouterr().err


def test_a_link_in_a_folder_of_rows_is_refused(tmp_path: Path) -> None:
    rows_of(JOBS[:1], third, workers=1, keep=tmp_path / "r")
    (tmp_path / "r" / "rows").rename(tmp_path / "elsewhere")
    (tmp_path / "r" / "rows").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="holds what this version did not write"):
        rows_of(JOBS, third, workers=1, keep=tmp_path / "r")


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "0f2a.json").write_text("{}")  # as version 0.1.0 kept rows
    with pytest.raises(InputError, match="holds what this version did not write"):
        rows_of(JOBS, third, workers=1, keep=tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["0f2a.json"] and not done


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    rows_of(JOBS[:1], third, workers=1, keep=tmp_path / "r")
    with locked(tmp_path / "r"), pytest.raises(InputError, match="another process is at work"):
        rows_of(JOBS, third, workers=1, keep=tmp_path / "r")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written to"):
        rows_of(JOBS, third, workers=1, keep=tmp_path / "file" / "runs")


def test_a_disk_that_is_full_ends_the_work_and_what_was_put_away_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, count = shards.commit, [0]

    def full(*words: Any, **options: Any) -> Any:
        count[0] += 1
        if count[0] > 1:
            raise OSError(28, "No space left on device")
        return commit(*words, **options)

    monkeypatch.setattr(shards, "commit", full)
    with pytest.raises(InputError, match="No space left on device"):
        rows_of(JOBS, third, workers=1, keep=tmp_path / "r")
    monkeypatch.undo()
    assert len(kept_keys(tmp_path / "r")) == 1
