"""A study on a test function, for the tests; as a script, its driver in a process of its own that can be killed.

python study_driver.py STORE WORKERS_OR_ADDRESS SHARD_RUNS [RUNS_UNTIL_THE_DISK_IS_FULL]
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from konvergensi.base.errors import InputError
from konvergensi.methods.designs import Design
from konvergensi.methods.factors import Factor
from konvergensi.studies import writing
from konvergensi.studies.execute import run_study
from konvergensi.studies.export import export_store
from konvergensi.studies.store import Store
from konvergensi.studies.study import Study

KECIL = str(Path(__file__).parent / "districts" / "kecil")
FULL_DISK_BYTES = 2000  # no file may be longer from then on: less than a shard of any size


def function_study(**changes: Any) -> Study:
    """240 runs of Ishigami's function: 2 scenarios x 60 draws x 2 seeds."""
    usual: dict[str, Any] = {
        "model": "ishigami", "districts": ("nowhere",), "scenarios": ("baseline", "doubled"),
        "factors": (Factor("x1"), Factor("x2"), Factor("x3"), Factor("dummy")),
        "design": Design("sobol", 60), "seeds": (1, 2), "set": {"noise_sd": 0.5},
    }  # fmt: skip
    return Study(**usual | changes)


def slow_study() -> Study:
    """The same, each run long enough for something to happen meanwhile."""
    return function_study(set={"noise_sd": 0.5, "seconds": 0.01})


def model_study(**changes: Any) -> Study:
    """The real model in a tiny district: 2 scenarios x 3 draws, with a level, a whole number and a share."""
    factors = (Factor("growth.combination"), Factor("registers.krs_refresh_months"), Factor("budget.inertia"))
    usual: dict[str, Any] = {
        "districts": (KECIL,), "scenarios": ("baseline", "one-list"), "factors": factors, "end": "2018-02",
        "design": Design("lhs", 3), "population_share": 0.5,
    }  # fmt: skip
    return Study(**usual | changes)


def exported(store: Store, kind: str = "parquet") -> dict[str, str]:
    """Hash of each table of the store, exported: equal when no bit differs."""
    with tempfile.TemporaryDirectory() as folder:
        names = export_store(store, Path(folder) / "out", kind)
        files = {name: (Path(folder) / "out" / name).read_bytes() for name in names if name != "manifest.json"}
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def start(store: Path, workers: int | str, shard_runs: int = 20, full_after: int = 0) -> subprocess.Popen[str]:
    """Start a driver of `slow_study` in a process of its own."""
    words = [str(store), str(workers), str(shard_runs), str(full_after)]
    return subprocess.Popen(
        [sys.executable, __file__, *words], stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    )


def environment() -> dict[str, str]:
    """Where a new process finds the package and the tests."""
    here = Path(__file__).parent
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(here.parent / "sim"), str(here)])}


@dataclass
class Cluster:
    """A scheduler, its address, and its workers."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


def begin(module: str, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.{module}", *words]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def begin_worker(address: str, folder: Path) -> subprocess.Popen[bytes]:
    return begin("dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                 "--local-directory", str(folder))  # fmt: skip


@contextmanager
def cluster_of(workers: int, folder: Path) -> Iterator[Cluster]:
    """A real scheduler and real workers, over TCP."""
    file = folder / "scheduler.json"
    scheduler = begin("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show",
                      "--scheduler-file", str(file))  # fmt: skip
    text = wait_for(lambda: file.exists() and file.read_text())
    address = text.split('"address": "')[1].split('"')[0]
    assert address.startswith("tcp://127.0.0.1:")
    found = Cluster(address, scheduler, [begin_worker(address, folder) for _ in range(workers)])
    try:
        yield found
    finally:
        for process in [scheduler, *found.workers]:
            process.kill()
            process.wait()


def wait_for(what: Any, seconds: float = 60.0) -> Any:
    """Wait until `what()` is true; return it."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    return found


def shards_in(store: Path) -> int:
    return len(list((store / "shards").glob("part-*.json")))


def put_away(store: Path) -> int:
    """Runs in a store that is perhaps still at work."""
    counts = Store.open(store).counts()
    return counts.ok + counts.failed


def main(store: str, workers: str, shard_runs: str, full_after: str = "0") -> int:
    writing.SHARD_RUNS = int(shard_runs)

    def progress(done: int, _planned: int) -> None:
        if 0 < int(full_after) <= done:
            resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_DISK_BYTES, resource.RLIM_INFINITY))

    engine: dict[str, Any] = {"cluster": workers} if workers.startswith("tcp") else {"workers": int(workers)}
    try:
        run_study(slow_study(), store, progress=progress, **engine)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
