"""Rows: jobs of an analysis (a run, or several simulated together), each a JSON row that a later start finds.

Like a study, they are done on any engine and kept in shards: a row is there once or not at all, a shard that is not as
it was written is set aside and its jobs are done again. A row is kept under a key made of everything that decides it,
so one folder may hold the rows of several comparisons, and never mixes what other code or inputs made.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from konvergensi.base.errors import InputError, fault
from konvergensi.base.version import __version__
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.extensions import Extension, current, in_force
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.studies import shards
from konvergensi.studies.engines import DIED, ONE_AT_A_TIME
from konvergensi.studies.identity import Identity, code_of, hash_of, refuse_other
from konvergensi.studies.lock import LOCK, locked
from konvergensi.studies.working import Progress, results_of, work_off
from konvergensi.studies.writing import SHARD_RUNS, SHARD_SECONDS, deferred_interrupt, unwritable

__all__ = ["Progress", "Row", "Task", "damaged_rows", "rows_of"]

Row = dict[str, Any]  # what is kept of a job: numbers, as JSON writes them
ROWS, MANIFEST = "rows", "manifest.json"
SCHEMA = pa.schema([("key", pa.string()), ("job", pa.string()), ("row", pa.string())])
MARK = {"kind": "rows", "format": 1, "holds": "rows of konvergensi compare, gaps or explain"}


class Task(Protocol):
    """A job: a frozen dataclass whose fields decide what comes out."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def scenarios(self) -> tuple[str, ...]: ...

    @property
    def district(self) -> str: ...

    @property
    def set(self) -> tuple[tuple[str, Value], ...]: ...


T = TypeVar("T", bound=Task)


def rows_of(
    jobs: Sequence[T],
    function: Callable[[T], Row],
    *,
    workers: int | None = None,
    cluster: str | None = None,
    keep: str | Path | None = None,
    progress: Progress | None = None,
) -> list[Row]:
    """Do every job and return its rows, in the order of the jobs; equal jobs are done once.

    Parameters: function, of a module, so that another process finds it; workers, local processes, None for one on each
    core, 1 for this process alone; cluster, the address of a Dask scheduler instead; keep, the folder of kept rows,
    None to keep none; progress, called with jobs done and in all.
    The rows do not depend on the engine, nor on which of them an earlier start has kept. Raises InputError when a job
    refuses its input, when a process that does one ends by itself each time, when a worker has other code or inputs,
    and when `keep` holds something else, is at work, or cannot be written.
    """
    identity = _identity(function, jobs)
    keys = {job: _key(job, function, identity) for job in jobs}
    with _kept(None if keep is None else Path(keep)) as kept:
        desk = _Rows(keys, kept, set(keys.values()))
        left = [job for job, key in keys.items() if key not in desk.found]
        work = _Work(function, identity, tuple(each.where for each in current()))
        results = results_of(work, left, len(left), workers, cluster, ahead=False)
        work_off(desk, results, progress)
    return [desk.found[keys[job]] for job in jobs]


def kept_jobs(jobs: Sequence[T], function: Callable[[T], Row], keep: Path) -> list[T]:
    """Those of the jobs whose rows an earlier start has kept, under this code and these inputs."""
    if not (keep / shards.RECORDS).is_dir():
        return []
    identity = _identity(function, jobs)
    keys = {job: _key(job, function, identity) for job in jobs}
    found = _read(keep, set(keys.values()))
    return [job for job, key in keys.items() if key in found]


def damaged_rows(keep: Path) -> list[str]:
    """Files of kept rows that are missing or not as they were written; nothing where no rows are kept."""
    records = list(shards.records(keep)) if (keep / shards.RECORDS).is_dir() else []
    return shards.broken(keep) + [wrong for record in records if (wrong := shards.fault_in(keep, record, (ROWS,)))]


# ---- one job ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Work:
    """Do a job and give its row as text. Raises InputError in a process that has other code or inputs."""

    function: Callable[[Any], Row]
    identity: Identity
    extensions: tuple[str, ...] = ()  # where they are

    def __call__(self, job: Any) -> str:
        with ONE_AT_A_TIME, in_force(self._extensions()):
            return json.dumps(self.function(job))

    def check(self) -> None:
        self._extensions()

    def _extensions(self) -> tuple[Extension, ...]:
        for identity, extensions in _checked:
            if identity == self.identity:
                return extensions
        with in_force(self.extensions) as extensions:
            refuse_other(self.identity, _identity_of(self.function, self.identity.scenarios, self.identity.districts))
        _checked[:] = [(self.identity, extensions)]
        return extensions


_checked: list[tuple[Identity, tuple[Extension, ...]]] = []  # in this process, the last one


def _identity(function: Callable[..., Any], jobs: Sequence[Task]) -> Identity:
    scenarios = dict.fromkeys(name for job in jobs for name in job.scenarios)
    return _identity_of(function, scenarios, dict.fromkeys(job.district for job in jobs))


def _identity_of(function: Callable[..., Any], scenarios: Collection[str], districts: Collection[str]) -> Identity:
    """Hash code and inputs; scenarios and districts by the names that the jobs have for them."""
    past = load_scenario("baseline").hashes  # the years before the run are simulated under it
    return Identity(
        version=__version__,
        code=code_of(function.__module__),
        districts={name: hash_of(find_district(name).hashes) for name in districts},
        scenarios={name: hash_of(past | load_scenario(name).hashes) for name in scenarios},
        extensions={each.name: each.sha256 for each in current()},
    )


def _key(job: Any, function: Callable[..., Any], identity: Identity) -> str:
    """The name a row is kept under: another version, code, input, value, seed, share or span is another row."""
    decides = {
        **asdict(job),
        "set": sorted(job.set),
        "function": f"{function.__module__}.{function.__qualname__}",
        "identity": identity.as_data()
        | {
            "scenarios": [identity.scenarios[name] for name in job.scenarios],
            "districts": [identity.districts[job.district]],
        },
    }
    return hash_of(decides)[:32]


# ---- the store -------------------------------------------------------------------------------------------------------


class _Rows:
    """The desk: rows found, and rows to be put away."""

    def __init__(self, keys: Mapping[Any, str], kept: Path | None, wanted: set[str]) -> None:
        self.keys, self.kept = keys, kept
        self.found: dict[str, Row] = _read(kept, wanted) if kept else {}
        self._next = 1 + max((record.number for record in shards.records(kept)), default=0) if kept else 0
        self._new: list[tuple[str, str, str]] = []
        self._since = time.monotonic()

    @property
    def done_count(self) -> int:
        return len(self.found)

    @property
    def planned(self) -> int:
        return len(set(self.keys.values()))

    def add(self, job: Any, result: Any) -> None:
        if result is DIED:
            raise InputError(fault("", "workers", "worker_died"))
        key = self.keys[job]
        self.found[key] = json.loads(result)
        self._new.append((key, json.dumps(asdict(job)), result))
        if len(self._new) >= SHARD_RUNS or time.monotonic() - self._since >= SHARD_SECONDS:
            self.flush()

    def flush(self) -> None:
        self._since = time.monotonic()
        if self.kept is None or not self._new:
            return
        with deferred_interrupt():
            table = pa.table([pa.array(column, pa.string()) for column in zip(*self._new)], schema=SCHEMA)
            ok = len(self._new)
            self._new.clear()
            with unwritable(self.kept, "unwritable"):
                shards.commit(self.kept, self._next, {ROWS: table}, [], ok, 0)
            self._next += 1


def _read(kept: Path, wanted: set[str]) -> dict[str, Row]:
    """The rows kept under these keys; of those of other keys nothing is parsed."""
    found: dict[str, Row] = {}
    keys = pa.array(sorted(wanted), pa.string())
    for record in shards.records(kept):
        table = pq.read_table(shards.file_of(kept, ROWS, record))
        table = table.filter(pc.is_in(table["key"], keys))
        found |= {key: json.loads(row) for key, row in zip(table["key"].to_pylist(), table["row"].to_pylist())}
    return found


@contextmanager
def _kept(folder: Path | None) -> Iterator[Path | None]:
    """Hold a folder of rows for this process, made where there is none, damaged shards set aside.

    Raises InputError when it holds something else, is at work, or cannot be written.
    """
    if folder is None:
        yield None
        return
    with unwritable(folder, "unwritable"):
        folder.mkdir(parents=True, exist_ok=True)
        if not _is_ours(folder):
            raise InputError(fault(folder, "", "not_rows"))
        if not (folder / MANIFEST).is_file():
            shards.write_whole(folder / MANIFEST, json.dumps(MARK).encode())
        for name in (ROWS, shards.RECORDS):
            (folder / name).mkdir(exist_ok=True)
    with locked(folder):
        with unwritable(folder, "unwritable"):
            shards.recover(folder, (ROWS,))
        yield folder


def _is_ours(folder: Path) -> bool:
    """Whether a folder says that it holds rows, or has only what a killed start has left; a link is nobody's."""
    if any((folder / name).is_symlink() for name in (MANIFEST, LOCK, ROWS, shards.RECORDS, shards.DAMAGED)):
        return False
    if not (folder / MANIFEST).is_file():
        return all(each.name == f".{MANIFEST}.draft" for each in folder.iterdir())
    try:
        return bool(json.loads((folder / MANIFEST).read_bytes()) == MARK)
    except ValueError:
        return False
