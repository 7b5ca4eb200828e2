"""Studies on a Dask cluster: a real scheduler and two real workers, over TCP."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from study_driver import (
    Cluster,
    begin_worker,
    cluster_of,
    exported,
    function_study,
    model_study,
    put_away,
    shards_in,
    slow_study,
    start,
    wait_for,
)

from konvergensi.base.errors import InputError
from konvergensi.studies import cluster as engine
from konvergensi.studies.cells import Cell, work_of
from konvergensi.studies.cluster import dask
from konvergensi.studies.execute import resume_study, run_study
from konvergensi.studies.identity import identity_of
from konvergensi.studies.store import Store
from konvergensi.studies.study import checked, sources_of


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_of(2, tmp_path_factory.mktemp("dask")) as found:
        yield found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return exported(run_study(slow_study(), tmp_path_factory.mktemp("whole") / "store", workers=1))


def who(_: int) -> int:
    time.sleep(0.02)
    return os.getpid()


def test_two_workers_over_tcp_give_the_bits_of_one_process(cluster: Cluster, tmp_path: Path) -> None:
    wait_for(lambda: len({pid for _, pid in dask(who, range(20), cluster.address, lambda: None)}) == 2)
    for name, study in (("quick", function_study()), ("real", model_study())):
        here = run_study(study, tmp_path / name, workers=1)
        there = run_study(study, tmp_path / f"{name}-dask", cluster=cluster.address)
        assert exported(there) == exported(here)


def test_failed_runs_come_back_as_failed(cluster: Cluster, tmp_path: Path) -> None:
    study = function_study(set={"fail_above": 1.0})
    here, there = (run_study(study, tmp_path / name, **how) for name, how in
                   (("here", {"workers": 1}), ("there", {"cluster": cluster.address})))  # fmt: skip
    assert 0 < there.counts().failed < 240 and exported(here) == exported(there)


def test_a_worker_with_other_code_is_refused(cluster: Cluster) -> None:
    study = checked(function_study())
    identity = identity_of(study, sources_of(study))
    other = work_of(study, replace(identity, code="other", version="0.0.1"))
    with pytest.raises(InputError, match=r"this worker has other version, code than .*0\.0\.1"):
        next(dask(other, [Cell(0, 1, 1, (0.0,) * 4)], cluster.address, other.check))


def test_a_killed_worker_costs_nothing_on_dask(cluster: Cluster, tmp_path: Path, undisturbed: dict[str, str]) -> None:
    store = tmp_path / "store"
    driver = start(store, cluster.address)
    wait_for(lambda: shards_in(store) >= 1)
    cluster.workers[0].kill()
    assert driver.wait(60) == 0, driver.communicate()
    assert exported(Store.open(store)) == undisturbed
    cluster.workers.append(begin_worker(cluster.address, tmp_path))


def test_a_killed_scheduler_ends_the_study_which_goes_on_later(
    cluster: Cluster, tmp_path: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    driver = start(store, cluster.address)
    wait_for(lambda: shards_in(store) >= 1)
    cluster.scheduler.kill()
    _, said = driver.communicate(timeout=60)
    assert driver.returncode == 2 and "Traceback" not in said
    assert f"the scheduler at '{cluster.address}' is lost; start it again, then: konvergensi study resume" in said
    assert 20 <= put_away(store) < 240
    assert exported(resume_study(store, workers=1)) == undisturbed
    monkeypatch.setattr(engine, "TIMEOUT_S", 1)
    with pytest.raises(InputError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        run_study(slow_study(), tmp_path / "other", cluster="tcp://127.0.0.1:1")
