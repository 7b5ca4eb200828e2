"""Working off: jobs go to an engine, and what comes out is put away as it comes, whatever the jobs are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from konvergensi.studies.engines import J, Results, cores, in_process, processes

Progress = Callable[[int, int], None]


class Work(Protocol):
    """What does a job, in any process that finds it; `check` raises InputError in one that may not."""

    def __call__(self, job: Any, /) -> Any: ...

    def check(self) -> None: ...


class Desk(Protocol):
    """Where results go. `add` takes one, `flush` puts away what was taken; `done` and `planned` count for progress."""

    @property
    def done_count(self) -> int: ...

    @property
    def planned(self) -> int: ...

    def add(self, job: Any, result: Any) -> None: ...

    def flush(self) -> None: ...


def results_of(
    work: Work, jobs: Iterable[J], left: int, workers: int | None, cluster: str | None, ahead: bool = True
) -> Results[J]:
    """Start the engine asked for: a Dask cluster, local processes, or this process alone.

    Parameters: left, how many jobs there are; workers, None for one on each core; cluster, address of a Dask scheduler,
    which goes before workers; ahead, whether each process has a job waiting (it is not given up on Ctrl-C).
    """
    count = min(workers or cores(), left)
    if cluster is not None:
        from konvergensi.studies.cluster import dask

        return dask(work, jobs, cluster, work.check)
    if count <= 1:
        return in_process(work, jobs)
    return processes(work, jobs, count, ahead=count if ahead else 0)


def work_off(desk: Desk, results: Results[Any], progress: Progress | None) -> None:
    """Put away every result. However it ends, what was done until then is put away too."""
    tell = progress or (lambda _done, _planned: None)
    tell(desk.done_count, desk.planned)
    try:
        for job, result in results:
            desk.add(job, result)
            tell(desk.done_count, desk.planned)
    finally:
        results.close()
        desk.flush()
