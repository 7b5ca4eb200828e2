"""Running a study: what is not in the store yet is lived, on whichever engine, and put away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from konvergensi.inputs.files import digest
from konvergensi.studies.cells import Cell, Lived, Work
from konvergensi.studies.engines import DIED, cores, in_process, processes
from konvergensi.studies.store import Store
from konvergensi.studies.study import Study, checked
from konvergensi.studies.writing import Writer, writing

Progress = Callable[[int, int], None]
LOST = "the process ended by itself, each time, perhaps for want of memory"


def run_study(
    study: Study,
    out: str | Path,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    retry_failed: bool = False,
    text: bytes | None = None,
) -> Store:
    """Run what of a study is not in the folder yet; return its store.

    Parameters: workers, local processes, None for one on each core, 1 for this process alone; cluster, the address of a
    Dask scheduler, `tcp://host:port`, instead; progress, called with runs done and planned; retry_failed, whether runs
    that failed are tried again; text, the study file to keep in the store.
    The tables do not depend on the engine nor on how often it was stopped. Raises InputError when the study cannot be
    run, the folder holds another, or it cannot be written; the runs put away until then stay.
    """
    study = checked(study)
    with writing(Path(out), study, text) as writer:
        if retry_failed:
            writer.forget_failed()
        work_off(writer, workers, cluster, progress)
        return writer.store


def work_off(writer: Writer, workers: int | None, cluster: str | None, progress: Progress | None) -> None:
    """Live the cells that wait."""
    tell = progress or (lambda _done, _all: None)
    planned = writer.study.runs
    tell(writer.ok + writer.failed, planned)
    results = _results(writer, workers, cluster)
    try:
        for cell, lived in results:
            writer.add(cell, lived)
            tell(writer.ok + writer.failed, planned)
    finally:
        results.close()
        writer.flush()


def _results(writer: Writer, workers: int | None, cluster: str | None) -> Iterator[tuple[Cell, list[Lived]]]:
    study = replace(writer.study, codes=None)
    work = Work(study, writer.identity, digest(repr((study, writer.identity)).encode()))
    left = int((~writer.done).sum())
    count = min(workers or cores(), left)
    engine: Any
    if cluster is not None:
        from konvergensi.studies.cluster import dask

        engine = dask(work, writer.waiting(), cluster)
    elif count <= 1:
        engine = in_process(work, writer.waiting())
    else:
        engine = processes(work, writer.waiting(), count, ahead=count)
    for cell, lived in engine:
        if lived is DIED:
            lived = [Lived(None, LOST, 0.0)] * len(writer.study.scenarios)
        yield cell, lived
