"""Writing a store: one driver at a time, rows gathered and put away shard by shard."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from konvergensi.base.errors import InputError, fault
from konvergensi.base.folders import free_beside
from konvergensi.base.moving import write_new
from konvergensi.base.owned import Owned, is_file, obstacle
from konvergensi.methods.designs import codes as codes_of_study
from konvergensi.studies import manifest, shards
from konvergensi.studies.cells import Cell, Simulated
from konvergensi.studies.identity import Identity, identity_of, run_id, run_prefixes
from konvergensi.studies.lock import locked
from konvergensi.studies.store import (
    FAILED,
    GROUPS,
    MANIFEST,
    OK,
    POINTS,
    SERIES,
    STUDY_FILE,
    Store,
    cell_number,
    expected_scalars,
    planned_draws,
    run_schema,
)
from konvergensi.studies.study import Study, sources_of

BIRTH, BORN = ".konvergensi-store", b"the store of a study begins here\n"  # until there is a manifest
SHARD_RUNS, SHARD_SECONDS = 500, 15.0  # a shard is closed by whichever comes first


class Writer:
    """Puts runs into a store. Made by `writing`, which holds the lock."""

    def __init__(self, store: Store, study: Study, identity: Identity, codes: np.ndarray, damaged: list[str]):
        self.store, self.study, self.identity, self.codes, self.damaged = store, study, identity, codes, damaged
        self._prefixes = run_prefixes(study, identity)
        self._places, self._policies = list(identity.districts), list(identity.scenarios)
        self._next = 1 + max((record.number for record in store.records()), default=0)
        self._scalars = store.scalars or expected_scalars(study)
        self._cells: list[tuple[Cell, list[Simulated]]] = []
        self._since = time.monotonic()
        self.ok = self.failed = 0
        self.done = np.zeros(study.cells, bool)
        self._note_done()

    def _note_done(self) -> None:
        seed_at = {seed: at for at, seed in enumerate(self.study.seeds)}
        for record in self.store.records():
            self.ok += record.ok
            self.failed += record.failed
            for place, draw, seed in record.cells:
                try:
                    number = cell_number(self.study, len(self._places), draw, place, seed_at[seed])
                    put_away, self.done[number] = bool(self.done[number]), True
                except (KeyError, IndexError):
                    put_away = True  # of another study: a record that was copied here
                if put_away:
                    words = {"count": 1, "first": f"{shards.RECORDS}/{record.name}.json"}
                    raise InputError(fault(self.store.path, "", "shards_damaged", **words))

    def waiting(self) -> Iterator[Cell]:
        """Cells not done yet, made as they are asked for."""
        first, factors = planned_draws(self.study)[0], self.study.factors
        for number in range(self.study.cells):
            if self.done[number]:
                continue
            rest, seed_at = divmod(number, len(self.study.seeds))
            row, place = divmod(rest, len(self._places))
            values = tuple(factor.value(code) for factor, code in zip(factors, self.codes[row].tolist()))
            yield Cell(place, first + row, self.study.seeds[seed_at], values)

    @property
    def done_count(self) -> int:
        """Runs done, well or not."""
        return self.ok + self.failed

    @property
    def planned(self) -> int:
        """Runs of the study."""
        return self.study.runs

    def add(self, cell: Cell, simulated: list[Simulated]) -> None:
        """Take a cell's runs; they are in the store once a shard is closed. Raises InputError when it cannot be."""
        self._cells.append((cell, simulated))
        failed = sum(each.outcome is None for each in simulated)
        self.failed += failed
        self.ok += len(simulated) - failed
        count = len(self._cells) * len(self._policies)
        if count >= SHARD_RUNS or time.monotonic() - self._since >= SHARD_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Close the shard. Raises InputError when the disk does not take it; the rows then count as not done."""
        self._since = time.monotonic()
        if not self._cells:
            return
        with deferred_interrupt():
            cells = [[cell.district, cell.draw, cell.seed] for cell, _ in self._cells]
            failed = sum(each.outcome is None for _, simulated in self._cells for each in simulated)
            tables, ok = self._tables(), len(cells) * len(self._policies) - failed
            self._cells.clear()  # put away now or, when the disk refuses, simulated again
            with unwritable(self.store.path):
                shards.commit(self.store.path, self._next, tables, cells, ok, failed)
            self._next += 1

    def _tables(self) -> dict[str, pa.Table]:
        """The gathered cells as the three tables."""
        rows: list[tuple[Any, ...]] = []
        series: list[tuple[Any, ...]] = []
        groups: list[tuple[Any, ...]] = []
        first, scalars = planned_draws(self.study)[0], self._scalars
        for cell, simulated in self._cells:
            point, place = self.codes[cell.draw - first], self._places[cell.district]
            for policy, each in zip(self._policies, simulated):
                key = run_id(self._prefixes[place, policy], point, cell.draw, cell.seed)
                status = FAILED if each.outcome is None else OK
                found = each.outcome.scalars if each.outcome else {}
                scalars += [name for name in found if name not in scalars]
                own = (key, place, policy, cell.draw, cell.seed, status, each.error or None, each.wall_s)
                rows.append((*own, *cell.values, found))
                if each.outcome:
                    series += [(key, *row) for row in each.outcome.series]
                    groups += [(key, *row) for row in each.outcome.groups]
        schema = run_schema(self.study.factors, scalars)
        fixed = len(schema) - len(scalars)
        columns = [[row[j] for row in rows] for j in range(fixed)]
        columns += [[_number(row[-1].get(name)) for row in rows] for name in scalars]
        runs = pa.table([pa.array(column, kind.type) for column, kind in zip(columns, schema)], schema=schema)
        return {"runs": runs, "series": _long(series, SERIES), "groups": _long(groups, GROUPS)}

    def forget_failed(self) -> None:
        """Take cells with a failed run out of the store, so that they are simulated again."""
        for record in self.store.records():
            if record.failed:
                self._rewrite(record)
        self.ok = self.failed = 0
        self.done[:] = False
        self._note_done()

    def lengthen(self, study: Study) -> None:
        """Plan a longer study, which begins with this one. Raises InputError when its points do not."""
        codes = codes_of_study(study)
        if not np.array_equal(codes[: len(self.codes)], self.codes):
            raise InputError(fault(self.store.path, "", "other_points"))
        with unwritable(self.store.path):
            manifest.write(self.store.path, study, self.identity, codes)

    def _rewrite(self, record: shards.Record) -> None:
        """Replace a shard by one without the cells in which a run failed."""
        path = self.store.path
        tables = {name: pq.read_table(shards.file_of(path, name, record)) for name in shards.TABLES}
        runs = tables["runs"].to_pandas()
        cell = pd.MultiIndex.from_frame(runs[["district", "draw", "seed"]])
        bad = set(cell[runs["status"] == FAILED])
        gone = pa.array(runs.loc[cell.isin(bad), "run_id"], pa.string())
        left = {name: table.filter(pc.invert(pc.is_in(table["run_id"], gone))) for name, table in tables.items()}
        cells = [each for each in record.cells if (self._places[each[0]], each[1], each[2]) not in bad]
        ok = left["runs"].num_rows
        with unwritable(path):
            shards.commit(path, self._next, left, cells, ok, 0, replaces=[record.number])
        self._next += 1


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _long(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows)) if rows else [()] * len(schema)
    return pa.table([pa.array(column, kind.type) for column, kind in zip(columns, schema)], schema=schema)


@contextlib.contextmanager
def writing(path: Path, study: Study, text: bytes | None = None) -> Iterator[Writer]:
    """Open the store of a checked study for writing, or make it; `text` is the study file to keep beside it.

    Raises InputError when the folder holds something else or another study, is at work, or cannot be written.
    """
    identity = identity_of(study, sources_of(study))
    codes = codes_of_study(study)
    with contextlib.ExitStack() as held:
        with unwritable(path):
            refuse_foreign(path)  # whose it is must be known before the lock is written
            if not os.path.lexists(path / MANIFEST):
                _begin(path)
            held.enter_context(locked(path))
            for name in (*shards.TABLES, shards.RECORDS):
                (path / name).mkdir(exist_ok=True)
            if not os.path.lexists(path / MANIFEST):
                manifest.make(path, study, identity, codes, text)
            store = Store.open(path)
            (path / BIRTH).unlink(missing_ok=True)
            manifest.refuse_other(store, study, identity, codes)
            damaged = shards.recover(path)
        yield Writer(store, study, identity, codes, damaged)


def refuse_foreign(path: Path) -> None:
    """Raise InputError when what is in a folder is neither a store nor one that was killed at its birth."""
    if os.path.lexists(path / MANIFEST):
        Store.open(path)
    elif path.is_dir() and any(path.iterdir()):
        if not (is_file(path / BIRTH) and BORN.startswith((path / BIRTH).read_bytes())):
            raise InputError(fault(path, "", "not_empty"))
        shards.refuse_links(path, (POINTS, STUDY_FILE))


def _begin(path: Path) -> None:
    """Make a new or empty folder the place of a store, and mark it so before anything else is written."""
    path.mkdir(parents=True, exist_ok=True)
    if wrong := obstacle(path.resolve(), Owned(), []):
        raise InputError(fault(path, "", "in_the_way", name=wrong[0], reason=wrong[1], free=free_beside(path)))
    with contextlib.suppress(FileExistsError):  # another process began in the same moment; the lock decides
        write_new(path / BIRTH, BORN)


@contextlib.contextmanager
def unwritable(path: Path, phrase: str = "store_unwritable") -> Iterator[None]:
    """Tell what the system says of a disk as an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(fault(path, "", phrase, reason=error.strerror or error)) from None


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[None]:
    """A Ctrl-C in here is heard when it is over, so that a shard is either put away or still to be."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt
