"""Running a study: what is not in the store yet is simulated, on whichever engine, and put away."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import replace
from pathlib import Path

from konvergensi.base.errors import InputError, fault
from konvergensi.methods.designs import SAMPLED, extended
from konvergensi.studies.cells import Cell, Simulated, work_of
from konvergensi.studies.engines import DIED, Results
from konvergensi.studies.store import Store
from konvergensi.studies.study import Study, checked
from konvergensi.studies.working import Progress, results_of, work_off
from konvergensi.studies.writing import Writer, writing

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
        _live_waiting(writer, workers, cluster, progress)
        return writer.store


def resume_study(
    out: str | Path,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    retry_failed: bool = False,
) -> Store:
    """Run what is left of the study in a store; return the store. Parameters and errors as in `run_study`."""
    study = Store.open(out).study
    return run_study(study, out, workers=workers, cluster=cluster, progress=progress, retry_failed=retry_failed)


def extend_study(
    out: str | Path,
    *,
    draws: int | None = None,
    seeds: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Store:
    """Run more draws or seeds of the study in a store; what was run stays part of it. Return the store.

    Parameters: draws and seeds, how many there are to be in all; draws counted as in the design (of saltelli base
    points, of morris trajectories); new seeds are the smallest that are not there yet; the others as in `run_study`.
    Raises InputError when there are that many already, and for draws of a design whose points are given.
    """
    store = Store.open(out)
    longer = lengthened(store.study, draws, seeds, store.path)
    with writing(store.path, checked(store.study)) as writer:
        writer.lengthen(longer)
    return run_study(longer, out, workers=workers, cluster=cluster, progress=progress)


def lengthened(study: Study, draws: int | None, seeds: int | None, where: object) -> Study:
    """The study with more draws or seeds. Raises InputError as `extend_study`."""
    faults = []
    had = {"draws": study.design.draws, "seeds": len(study.seeds)}
    for name, asked in (("draws", draws), ("seeds", seeds)):
        if asked is not None and asked <= had[name]:
            faults.append(fault(where, name, "not_more", value=asked, had=had[name]))
    if draws is not None and (study.design.method not in SAMPLED or not study.factors):
        faults = [fault(where, "draws", "points_given", value=study.design.method)]
    if draws is None and seeds is None:
        faults.append(fault(where, "", "missing", expected="--draws N / --seeds M", near=None))
    if faults:
        raise InputError(faults)
    if draws is not None:
        study = replace(study, design=extended(study.design, draws))
    if seeds is not None:
        new = (seed for seed in itertools.count(1) if seed not in study.seeds)
        study = replace(study, seeds=(*study.seeds, *itertools.islice(new, seeds - len(study.seeds))))
    return checked(study, where)


def _live_waiting(writer: Writer, workers: int | None, cluster: str | None, progress: Progress | None) -> None:
    """Live the cells that wait."""
    work, left = work_of(writer.study, writer.identity), int((~writer.done).sum())
    work_off(writer, _lost_as_failed(writer, results_of(work, writer.waiting(), left, workers, cluster)), progress)


def _lost_as_failed(writer: Writer, results: Results[Cell]) -> Results[Cell]:
    with contextlib.closing(results):
        for cell, simulated in results:
            yield cell, [Simulated(None, LOST, 0.0)] * len(writer.study.scenarios) if simulated is DIED else simulated
