"""Writing a store: one driver at a time, rows gathered and put away shard by shard."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from konvergensi import __version__
from konvergensi.inputs.errors import InputError, fault
from konvergensi.studies import shards
from konvergensi.studies.cells import Cell, Lived
from konvergensi.studies.designs import codes, draws_of
from konvergensi.studies.identity import Identity, codes_hash, identity_of, run_id, run_prefixes
from konvergensi.studies.store import (
    FAILED,
    FORMAT,
    GROUPS,
    MANIFEST,
    OK,
    POINTS,
    SERIES,
    Store,
    cell_number,
    planned_draws,
    run_schema,
)
from konvergensi.studies.study import Study, as_data, sources_of

SHARD_RUNS, SHARD_SECONDS = 500, 15.0  # a shard is closed by whichever comes first
LOCK = "lock"


class Writer:
    """Puts runs into a store. Made by `writing`, which holds the lock."""

    def __init__(self, store: Store, study: Study, identity: Identity, damaged: list[str]):
        self.store, self.study, self.identity, self.damaged = store, study, identity, damaged
        self.points = store.codes()
        self._prefixes = run_prefixes(study, identity)
        self._places, self._policies = list(identity.districts), list(identity.scenarios)
        self._next = 1 + max((record.number for record in store.records()), default=0)
        self._scalars = store.scalars
        self._cells: list[tuple[Cell, list[Lived]]] = []
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
                self.done[cell_number(self.study, len(self._places), draw, place, seed_at[seed])] = True

    def waiting(self) -> Iterator[Cell]:
        """Cells not done yet, made as they are asked for."""
        first, factors = planned_draws(self.study)[0], self.study.factors
        for number in range(self.study.cells):
            if self.done[number]:
                continue
            rest, seed_at = divmod(number, len(self.study.seeds))
            row, place = divmod(rest, len(self._places))
            values = tuple(factor.value(code) for factor, code in zip(factors, self.points[row].tolist()))
            yield Cell(place, first + row, self.study.seeds[seed_at], values)

    def add(self, cell: Cell, lived: list[Lived]) -> None:
        """Take a cell's runs; they are in the store once a shard is closed. Raises InputError when it cannot be."""
        self._cells.append((cell, lived))
        failed = sum(each.outcome is None for each in lived)
        self.failed += failed
        self.ok += len(lived) - failed
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
            failed = sum(each.outcome is None for _, lived in self._cells for each in lived)
            tables, ok = self._tables(), len(cells) * len(self._policies) - failed
            try:
                shards.commit(self.store.path, self._next, tables, cells, ok, failed)
            except OSError as error:
                self._cells.clear()
                raise InputError(
                    fault(self.store.path, "", "store_unwritable", reason=error.strerror or error)
                ) from None
            self._next += 1
            self._cells.clear()

    def _tables(self) -> dict[str, pa.Table]:
        """The gathered cells as the three tables."""
        rows: list[tuple[Any, ...]] = []
        series: list[tuple[Any, ...]] = []
        groups: list[tuple[Any, ...]] = []
        first, scalars = planned_draws(self.study)[0], self._scalars
        for cell, lived in self._cells:
            point, place = self.points[cell.draw - first], self._places[cell.district]
            for policy, each in zip(self._policies, lived):
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
        """Take cells with a failed run out of the store, so that they are lived again."""
        for record in self.store.records():
            if record.failed:
                self._rewrite(record)
        self.ok = self.failed = 0
        self.done[:] = False
        self._note_done()

    def _rewrite(self, record: shards.Record) -> None:
        """Replace a shard by one without the cells in which a run failed."""
        path = self.store.path
        tables = {name: pq.read_table(shards.file_of(path, name, record)) for name in shards.TABLES}
        runs = tables["runs"].to_pandas()
        bad = {
            tuple(each) for each in runs.loc[runs["status"] == FAILED, ["district", "draw", "seed"]].to_numpy().tolist()
        }
        gone = [tuple(each) in bad for each in runs[["district", "draw", "seed"]].to_numpy().tolist()]
        ids = pa.array(runs.loc[gone, "run_id"], pa.string())
        left = {
            name: table.filter(pc.invert(pc.is_in(table["run_id"], value_set=ids))) for name, table in tables.items()
        }
        cells = [each for each in record.cells if (self._places[each[0]], each[1], each[2]) not in bad]
        ok = left["runs"].num_rows
        try:
            shards.commit(path, self._next, left, cells, ok, 0, replaces=[record.number])
        except OSError as error:
            raise InputError(fault(path, "", "store_unwritable", reason=error.strerror or error)) from None
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
    sources = sources_of(study)
    identity = identity_of(study, sources)
    with _unwritable(path):
        if not (path / MANIFEST).exists():
            if path.exists() and any(path.iterdir()) and not _begun(path):
                raise InputError(fault(path, "", "not_empty"))
            for name in (*shards.TABLES, shards.RECORDS):
                (path / name).mkdir(parents=True, exist_ok=True)
    with _locked(path):
        with _unwritable(path):
            if not (path / MANIFEST).exists():
                _make(path, study, identity, text)
            store = Store.open(path)
            _refuse_other(store, study, identity)
            damaged = shards.recover(path)
        yield Writer(store, study, identity, damaged)


def _begun(path: Path) -> bool:
    """Whether a folder holds only what a store that was killed at its birth leaves."""
    ours = {
        *shards.TABLES,
        shards.RECORDS,
        LOCK,
        POINTS,
        "study.toml",
        f".{MANIFEST}.draft",
        f".{POINTS}.draft",
        ".study.toml.draft",
    }
    return all(each.name in ours for each in path.iterdir())


def _make(path: Path, study: Study, identity: Identity, text: bytes | None) -> None:
    found = codes(study)
    if study.codes is not None:
        sink = pa.BufferOutputStream()
        columns = {factor.key: found[:, j] for j, factor in enumerate(study.factors)}
        pq.write_table(pa.table(columns), sink, compression="zstd")
        shards.write_whole(path / POINTS, sink.getvalue().to_pybytes())
    if text is not None:
        shards.write_whole(path / "study.toml", text)
    write_manifest(path, study, identity, codes_hash(found))


def write_manifest(path: Path, study: Study, identity: Identity, points: str) -> None:
    """Write what is planned and with what, whole or not at all."""
    planned = {"draws": draws_of(study), "seeds": len(study.seeds), "cells": study.cells, "runs": study.runs}
    manifest = {
        "format": FORMAT,
        "made_with": f"konvergensi {__version__}",
        "study": as_data(study),
        "identity": identity.as_data(),
        "points": {"given": study.codes is not None, "sha256": points},
        "planned": planned,
        "not_compared": ["wall_s"],  # differs from time to time, and is part of no comparison
    }
    shards.write_whole(path / MANIFEST, json.dumps(manifest, indent=1).encode())


def _refuse_other(store: Store, study: Study, identity: Identity) -> None:
    """Raise InputError unless the store was begun with this very study, code and inputs."""
    path = store.path
    then, now = store.manifest["study"], json.loads(json.dumps(as_data(study)))
    aside = {"title", "keep"}
    differ = [name for name in now if name not in aside and now[name] != then.get(name)]
    if set(differ) and set(differ) <= {"design", "seeds"} and _is_longer(then, now):
        words = {"then": _size(then), "now": _size(now)}
        raise InputError(fault(path, "", "extend_instead", **words))
    kept = store.manifest["identity"]
    mine = identity.as_data()
    differ += [name for name in ("districts", "scenarios") if mine[name] != kept[name] and name not in differ]
    if not differ and codes_hash(codes(study)) != store.manifest["points"]["sha256"]:
        differ.append("points")
    if differ or then["keep"] != now["keep"]:
        raise InputError(fault(path, "", "other_study", what=", ".join(differ) or "keep"))
    if (mine["version"], mine["code"]) != (kept["version"], kept["code"]):
        raise InputError(fault(path, "", "other_code", then=kept["version"], now=mine["version"]))


def _is_longer(then: dict[str, Any], now: dict[str, Any]) -> bool:
    sizes = {"draws", "blocks"}
    same = all(then["design"][name] == now["design"][name] for name in then["design"] if name not in sizes)
    more = now["design"]["draws"] >= then["design"]["draws"] and set(now["seeds"]) >= set(then["seeds"])
    return same and more


def _size(study: dict[str, Any]) -> str:
    return f"draws = {study['design']['draws']}, seeds = {len(study['seeds'])}"


@contextlib.contextmanager
def _unwritable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(fault(path, "", "unwritable", reason=error.strerror or error)) from None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the store for this process; the system lets go of it however the process ends."""
    with _unwritable(path):
        file = (path / LOCK).open("a+")
    try:
        if not _take(file):
            file.seek(0)
            raise InputError(fault(path, "", "store_in_use", by=file.read().strip() or "?"))
        file.seek(0)
        file.truncate()
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield
    finally:
        file.close()


def _take(file: Any) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


def in_use(path: Path) -> bool:
    """Whether a process holds the store."""
    try:
        with (path / LOCK).open("a+") as file:
            return not _take(file)
    except OSError:
        return False


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[None]:
    """A Ctrl-C in here is heard when it is over, so that a shard is either put away or still to be."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: Sequence[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))  # type: ignore[attr-defined]
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt
