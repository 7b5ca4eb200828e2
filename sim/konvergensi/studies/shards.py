"""Shards: pieces of a store, each a Parquet file of every table and a record that says they are whole.

A shard is written as hidden drafts, then its record is put in place in one step, then the drafts get their names. A
shard without a valid record does not exist; a record whose files still have their draft names is finished at the next
opening. So whoever is killed at whatever moment, rows are there once or not at all.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from konvergensi.base.files import digest

TABLES = ("runs", "series", "groups")
RECORDS, DAMAGED = "shards", "damaged"


@dataclass(frozen=True)
class Record:
    """Commit record of a shard.

    files: table -> sha256, bytes, rows; cells: district number, draw and seed of each cell that is in it; ok, failed:
    runs; replaces: shards it stands for, which are gone.
    """

    number: int
    files: dict[str, dict[str, Any]]
    cells: list[list[int]]
    ok: int
    failed: int
    replaces: list[int]

    @property
    def name(self) -> str:
        return _name(self.number)


def _name(number: int) -> str:
    return f"part-{number:06d}"


def final_path(store: Path, table: str, number: int) -> Path:
    """Where a shard's file is."""
    return store / table / f"{_name(number)}.parquet"


def draft_path(store: Path, table: str, number: int) -> Path:
    """Where it is until its record is there: no tool that reads `*.parquet` or a folder sees it."""
    return store / table / f".{_name(number)}.draft"


def file_of(store: Path, table: str, record: Record) -> Path:
    """The file of a committed shard, by whichever name it has at the moment."""
    final = final_path(store, table, record.number)
    return final if final.exists() else draft_path(store, table, record.number)


def commit(
    store: Path, number: int, tables: dict[str, pa.Table], cells: list[list[int]], ok: int, failed: int,
    replaces: list[int] | None = None,
) -> Record:  # fmt: skip
    """Write a shard so that it is there whole or not at all. Raises OSError when it cannot be written."""
    files = {}
    try:
        for name, table in tables.items():
            sink = pa.BufferOutputStream()
            pq.write_table(table, sink, compression="zstd")
            content = sink.getvalue().to_pybytes()
            _write(draft_path(store, name, number), content)
            files[name] = {"sha256": digest(content), "bytes": len(content), "rows": table.num_rows}
        record = Record(number, files, cells, ok, failed, replaces or [])
        write_whole(store / RECORDS / f"{record.name}.json", json.dumps(asdict(record)).encode())
    except OSError:
        for name in tables:
            with contextlib.suppress(OSError):
                draft_path(store, name, number).unlink(missing_ok=True)
        raise
    finish(store, record)
    return record


def finish(store: Path, record: Record) -> None:
    """Give a committed shard's files their names, and remove those it replaces."""
    for number in record.replaces:
        (store / RECORDS / f"{_name(number)}.json").unlink(missing_ok=True)
        for table in record.files:
            final_path(store, table, number).unlink(missing_ok=True)
    for table in record.files:
        draft = draft_path(store, table, record.number)
        if draft.exists():
            os.replace(draft, final_path(store, table, record.number))


def records(store: Path) -> Iterator[Record]:
    """Records that can be read, by number; those another one replaces are left out."""
    found = []
    for path in sorted((store / RECORDS).glob("part-*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError):
            record = Record(**json.loads(path.read_bytes()))
            if record.name == path.stem:
                found.append(record)
    gone = {number for record in found for number in record.replaces}
    yield from (record for record in found if record.number not in gone)


def fault_in(store: Path, record: Record, contents: Collection[str] = TABLES) -> str:
    """Which file of a shard is missing or of another size than written, or, of `contents`, of another hash; else ''."""
    for table, written in record.files.items():
        path = file_of(store, table, record)
        try:
            same = path.stat().st_size == written["bytes"]
            if same and table in contents:
                same = digest(path.read_bytes()) == written["sha256"]
        except OSError:
            same = False
        if not same:
            return f"{table}/{record.name}.parquet"
    return ""


def recover(store: Path, tables: tuple[str, ...] = TABLES) -> list[str]:
    """Finish what was committed, remove drafts that were not, and set damaged shards aside; return what was damaged."""
    good, damaged = set(), []
    for record in records(store):
        wrong = fault_in(store, record, tables)
        if wrong:
            damaged.append(wrong)
        else:
            finish(store, record)
            good.add(record.name)
    folders = [store / name for name in (*tables, RECORDS)]
    for path in (each for folder in folders for each in sorted(folder.iterdir())):
        if path.name.startswith(".part-"):
            path.unlink()
        elif path.name.startswith("part-") and path.stem not in good:
            (store / DAMAGED).mkdir(exist_ok=True)
            os.replace(path, store / DAMAGED / f"{path.parent.name}-{path.name}")
    return damaged


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        _write(draft, content)
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
