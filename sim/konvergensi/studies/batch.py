"""Batches: many jobs side by side, each kept as soon as it is done, so that a batch that was stopped can go on.

A job is a run (`run_batch`), or several that are lived together (`do_all`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest
from konvergensi.base.version import __version__
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.model.identity import model_hash
from konvergensi.studies.engines import DIED, cores, in_process, processes

__all__ = ["Job", "cores", "do_all", "model_hash", "run_batch"]

if TYPE_CHECKING:
    from konvergensi.model.convergence import ConvergenceModel

Row = dict[str, Any]  # what is kept of a job: numbers, as JSON writes them
Measure = Callable[["ConvergenceModel"], Row]  # a function of a module, so that another process finds it
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """One run of a batch: policy, place, belief (`set`) and chance."""

    scenario: str
    district: str
    seed: int
    population_share: float
    start: str
    end: str
    set: tuple[tuple[str, Value], ...] = ()

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Those that decide what comes out."""
        return (self.scenario,)


class Task(Protocol):
    """What `do_all` asks of a job: a frozen dataclass whose fields decide what comes out."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def scenarios(self) -> tuple[str, ...]: ...

    @property
    def district(self) -> str: ...

    @property
    def set(self) -> tuple[tuple[str, Value], ...]: ...


T = TypeVar("T", bound=Task)


def run_batch(
    jobs: Sequence[Job],
    measure: Measure,
    *,
    workers: int = 1,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """Run every job and return what `measure` finds in the model that has lived all its months.

    Everything else as in `do_all`.
    """
    return do_all(jobs, partial(_measured, measure), _name_of(measure), workers=workers, keep=keep, progress=progress)


def _measured(measure: Measure, job: Job) -> Row:
    from konvergensi.model.convergence import ConvergenceModel

    model = ConvergenceModel(
        job.scenario, job.district, job.seed, job.population_share, job.start, job.end, set=dict(job.set)
    )
    while model.running:
        model.step()
    return measure(model)


def _name_of(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def do_all(
    jobs: Sequence[T],
    work: Callable[[T], Row],
    name: str,
    *,
    workers: int = 1,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """Do every job and return its rows, in the order of the jobs; equal jobs are done once.

    Parameters: work, what another process can find; name, what kind of work it is, as part of the key; workers,
    processes at work, 1 for this one alone; keep, the folder of rows kept as `<key>.json`, None to keep none;
    progress, called with jobs done and in all.
    The rows do not depend on the workers, nor on which of them were kept by an earlier start.
    Raises InputError when a job refuses its input, when `keep` cannot be written, and when a worker process dies.
    """
    tell = progress or (lambda _done, _all: None)
    keys = _keys(jobs, name)
    found = {job: row for job, key in keys.items() if (row := _read(keep, key)) is not None}
    left = {job: key for job, key in keys.items() if job not in found}
    tell(len(found), len(keys))
    if keep is not None:
        _make_folder(keep)
    if min(workers, len(left)) <= 1:
        results = in_process(partial(_do, work, keep), left.items())
    else:
        # no run waits in a queue, so that one who stops the batch need not wait long
        results = processes(partial(_do, work, keep), left.items(), min(workers, len(left)))
    for (job, _), row in results:
        if row is DIED:
            raise InputError(fault("", "--workers", "worker_died"))
        found[job] = row
        tell(len(found), len(keys))
    return [found[job] for job in jobs]


def _do(work: Callable[[T], Row], keep: Path | None, job_and_key: tuple[T, str]) -> Row:
    job, key = job_and_key
    row = work(job)
    if keep is not None:
        _write(keep, key, {"key": key, "job": asdict(job), "row": row})
    return row


def _make_folder(keep: Path) -> None:
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(fault(keep, "", "unwritable", reason=error.strerror or error)) from None


def _read(keep: Path | None, key: str) -> Row | None:
    """Return the row kept under this key; None when there is none or it is not whole."""
    if keep is None:
        return None
    try:
        kept = json.loads((keep / f"{key}.json").read_text(encoding="utf-8"))
        return dict(kept["row"]) if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(keep: Path, key: str, kept: dict[str, Any]) -> None:
    """Write the file whole or not at all. Raises InputError when the folder cannot be written to."""
    draft = keep / f"{key}.{os.getpid()}.part"
    try:
        draft.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(draft, keep / f"{key}.json")
    except OSError as error:
        raise InputError(fault(keep, "", "unwritable", reason=error.strerror or error)) from None


def _keys(jobs: Sequence[T], name: str) -> dict[T, str]:
    """Name under which each job is kept: another version, code, input, value, seed, share or span is another job."""
    past = load_scenario("baseline").hashes  # the years before the run are lived under it
    scenarios = {name: past | load_scenario(name).hashes for name in {each for job in jobs for each in job.scenarios}}
    districts = {name: find_district(name).hashes for name in {job.district for job in jobs}}
    shared = {"version": __version__, "model": model_hash(), "measure": name}

    def key(job: T) -> str:
        own = {
            "scenarios": [scenarios[name] for name in job.scenarios],
            "district": districts[job.district],
            "set": sorted(job.set),
        }
        return digest(json.dumps(shared | asdict(job) | own, sort_keys=True).encode())[:32]

    return {job: key(job) for job in jobs}
