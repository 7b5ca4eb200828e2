"""Whatever happens to a study, after `resume` its store is the one that nothing happened to."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import psutil
import pytest
from study_driver import exported, function_study, put_away, shards_in, slow_study, start, wait_for

from konvergensi.base.errors import InputError
from konvergensi.studies import engines, shards, writing
from konvergensi.studies.execute import resume_study, run_study
from konvergensi.studies.lock import holder
from konvergensi.studies.store import Store


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHARD_RUNS", 20)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return exported(run_study(slow_study(), tmp_path_factory.mktemp("whole") / "store", workers=1))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A store of the quick study, twelve shards, and what it exports."""
    before, writing.SHARD_RUNS = writing.SHARD_RUNS, 20
    store = run_study(function_study(), tmp_path_factory.mktemp("quick") / "store", workers=1)
    writing.SHARD_RUNS = before
    return store.path, exported(store)


@pytest.fixture
def copy(whole: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole[0], tmp_path / "store"))


def same_after_resume(store: Path, undisturbed: dict[str, str], done: int = 0) -> None:
    """Resume in this process; what was put away is not simulated again."""
    told: list[tuple[int, int]] = []
    found = resume_study(store, workers=1, progress=lambda *each: told.append(each))
    assert told[0][0] >= done and told[-1] == (240, 240)
    assert found.counts().left == 0 and found.damaged() == []
    assert exported(found) == undisturbed
    names = {path.name for table in (*shards.TABLES, shards.RECORDS) for path in (store / table).iterdir()}
    assert all(name.startswith("part-") for name in names)


# ---- killed ----------------------------------------------------------------------------------------------------------

killed = pytest.mark.slow  # processes of their own are started, watched and killed


@killed
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_driver_loses_only_the_shard_it_was_filling(
    workers: int, tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    store = tmp_path / "store"
    driver = start(store, workers)
    wait_for(lambda: shards_in(store) >= 2)
    family = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    driver.communicate()
    psutil.wait_procs(family, timeout=10)
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in family)  # workers go with it
    assert 40 <= put_away(store) < 240 and holder(store) == ""
    same_after_resume(store, undisturbed, done=40)


@killed
def test_a_killed_worker_costs_nothing(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    store = tmp_path / "store"
    driver = start(store, 2)
    wait_for(lambda: shards_in(store) >= 1)
    workers = [each for each in psutil.Process(driver.pid).children() if "spawn_main" in " ".join(each.cmdline())]
    assert len(workers) == 2
    workers[0].kill()
    assert driver.wait(60) == 0, driver.communicate()
    assert exported(Store.open(store)) == undisturbed and Store.open(store).counts().failed == 0


def double(job: int) -> int:
    return 2 * job


@pytest.mark.parametrize("broken", range(1, 10))
def test_no_job_is_lost_or_doubled_whenever_a_pool_breaks(broken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted = [0]

    class Fragile(ThreadPoolExecutor):
        def submit(self, *words: Any) -> Any:
            submitted[0] += 1
            if submitted[0] == broken:
                raise BrokenProcessPool
            return super().submit(*words)

    monkeypatch.setattr(engines, "_pool", Fragile)
    results = list(engines.processes(double, range(6), workers=2, ahead=1))
    assert sorted(results) == [(job, 2 * job) for job in range(6)]


@killed
def test_ctrl_c_puts_away_what_is_done(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    store = tmp_path / "store"
    driver = start(store, 2, shard_runs=100_000)  # nothing is put away before
    wait_for(lambda: holder(store) and (store / "manifest.json").exists())
    wait_for(lambda: len(psutil.Process(driver.pid).children()) >= 3)
    os.kill(driver.pid, signal.SIGINT)
    assert driver.wait(30) == 130, driver.communicate()
    same_after_resume(store, undisturbed, done=put_away(store))


class Stop(BaseException):
    """A stand-in for whatever ends a process."""


def test_killed_at_any_step_of_any_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every write and every renaming of a small store, one after the other, is the last thing that happens."""
    small = {"seeds": (1,), "set": {}, "design": function_study().design.__class__("sobol", 6)}
    study = function_study(**small)
    monkeypatch.setattr(writing, "SHARD_RUNS", 4)
    calls = [0]

    def dying(real: Callable[..., Any], last: int) -> Callable[..., Any]:
        def step(*arguments: Any) -> Any:
            calls[0] += 1
            if calls[0] == last:
                raise Stop
            return real(*arguments)

        return step

    def attempt(last: int, store: Path) -> None:
        calls[0] = 0
        with monkeypatch.context() as patch:
            patch.setattr(shards, "_write", dying(shards._write, last))
            patch.setattr(shards.os, "replace", dying(os.replace, last))
            run_study(study, store, workers=1)

    attempt(-1, tmp_path / "whole")
    expected, steps = exported(Store.open(tmp_path / "whole")), calls[0]
    assert steps > 20
    for last in range(1, steps + 1):
        store = tmp_path / f"killed-{last}"
        with pytest.raises(Stop):
            attempt(last, store)
        found = run_study(study, store, workers=1)
        assert exported(found) == expected and found.damaged() == [], last
        assert len(list((store / "runs").iterdir())) == found.counts().shards
        shutil.rmtree(store)


# ---- the disk --------------------------------------------------------------------------------------------------------


def test_a_full_disk_stops_the_study_and_says_so(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    store = tmp_path / "store"
    driver = start(store, 1, full_after=100)
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 2 and "Traceback" not in said
    assert f"{store}: cannot be written to (" in said and "study resume" in said
    assert 0 < put_away(store) <= 120 and Store.open(store).damaged() == []
    same_after_resume(store, undisturbed, done=put_away(store))


def test_a_disk_full_from_the_beginning_leaves_nothing_in_the_way(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    store = tmp_path / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "_write", no_space)
        with pytest.raises(InputError, match=r"cannot be written to .No space left"):
            run_study(slow_study(), store, workers=1)
    with pytest.raises(InputError, match="is no store of a study"):
        Store.open(store)
    assert exported(run_study(slow_study(), store, workers=1)) == undisturbed


def no_space(*_: Any) -> None:
    raise OSError(28, "No space left on device")


# ---- files that are not what they were -------------------------------------------------------------------------------


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def another_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("table", shards.TABLES)
@pytest.mark.parametrize("damage", [cut_off, another_byte, Path.unlink])
def test_a_damaged_shard_is_told_and_made_again(
    copy: Path, whole: tuple[Path, dict[str, str]], table: str, damage: Callable[[Path], None]
) -> None:
    damage(copy / table / "part-000003.parquet")
    store = Store.open(copy)
    assert store.damaged() == [f"{table}/part-000003.parquet"]
    read = {"runs": store.runs, "series": store.series, "groups": store.groups}[table]
    with pytest.raises(InputError, match=rf"1 shards are damaged .*{table}/part-000003.parquet.*study resume"):
        read()
    same_after_resume(copy, whole[1], done=220)
    assert list((copy / "damaged").iterdir())  # set aside, not thrown away


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"number": 3}', b"\xff"])
def test_a_shard_without_a_valid_record_is_told_and_made_again(
    copy: Path, whole: tuple[Path, dict[str, str]], content: bytes
) -> None:
    record = copy / "shards" / "part-000003.json"
    record.write_bytes(content)
    assert put_away(copy) == 220
    with pytest.raises(InputError, match=r"1 shards are damaged .*shards/part-000003.json.*study resume"):
        Store.open(copy).runs()
    same_after_resume(copy, whole[1], done=220)


def test_a_record_of_another_shard_counts_once(copy: Path, whole: tuple[Path, dict[str, str]]) -> None:
    kept = (copy / "shards" / "part-000002.json").read_text()
    (copy / "shards" / "part-000003.json").write_text(kept)
    assert json.loads(kept)["number"] == 2 and put_away(copy) == 220
    same_after_resume(copy, whole[1], done=220)


def test_what_is_not_ours_stays(copy: Path) -> None:
    notes = copy / "runs" / "notes.txt"
    notes.write_text("mine")
    resume_study(copy, workers=1)
    assert notes.read_text() == "mine"


# ---- one driver at a time --------------------------------------------------------------------------------------------


def test_a_second_driver_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "store"
    driver = start(store, 1)
    wait_for(lambda: shards_in(store) >= 1)
    with pytest.raises(InputError, match=rf"another process is at work on this store \(process {driver.pid} on "):
        run_study(slow_study(), store, workers=1)
    assert Store.open(store).counts().ok >= 20 and str(driver.pid) in holder(store)  # reading is free
    assert driver.wait(60) == 0, driver.communicate()
    assert holder(store) == ""
