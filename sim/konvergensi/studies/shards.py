"""Shards: pieces of a store, each three Parquet files and a record that says they are whole.

A shard is written as hidden drafts, then its record is put in place in one step, then the drafts get their names. A
shard without a valid record does not exist; a record whose files still have their draft names is finished at the next
opening. So whoever is killed at whatever moment, rows are there once or not at all. A record carries its own checksum;
one that does not match was changed, and its runs are made again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest
from konvergensi.base.moving import write_new
from konvergensi.base.owned import CHECKSUM, is_sealed, read_object, sealed

TABLES = ("runs", "series", "groups")
RECORDS, DAMAGED = "shards", "damaged"
_OURS = re.compile(r"part-\d{6}\.(parquet|json)")
_DRAFT = re.compile(r"\.part-\d{6}(\.json)?\.draft")


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
        write_whole(store / RECORDS / f"{record.name}.json", json.dumps(sealed(asdict(record))).encode())
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
        for table in TABLES:
            final_path(store, table, number).unlink(missing_ok=True)
    for table in TABLES:
        draft = draft_path(store, table, record.number)
        if draft.exists():
            os.replace(draft, final_path(store, table, record.number))


def records(store: Path) -> Iterator[Record]:
    """Records that are as they were written, by number; those another one replaces are left out."""
    found = [record for path in _record_files(store) if (record := _read(path))]
    gone = {number for record in found for number in record.replaces}
    yield from (record for record in found if record.number not in gone)


def broken(store: Path) -> list[str]:
    """Files of records that are not as they were written."""
    return [f"{RECORDS}/{path.name}" for path in _record_files(store) if path.exists() and _read(path) is None]


def _record_files(store: Path) -> list[Path]:
    return [path for path in sorted((store / RECORDS).glob("part-*.json")) if _OURS.fullmatch(path.name)]


def _read(path: Path) -> Record | None:
    content = read_object(path)
    if content is None or not is_sealed(content):
        return None
    try:
        record = Record(**{name: value for name, value in content.items() if name != CHECKSUM})
    except TypeError:
        return None
    return record if record.name == path.stem else None


def refuse_links(store: Path, names: Iterable[str] = ()) -> None:
    """Raise InputError for a link inside a store: what it leads to is somebody else's."""
    folders = [store / name for name in (*TABLES, RECORDS, DAMAGED)]
    inside = [path for folder in folders if folder.is_dir() and not folder.is_symlink() for path in folder.iterdir()]
    for path in (*(store / name for name in (*names, "lock")), *folders, *inside):
        if path.is_symlink():
            raise InputError(fault(store, "", "store_link", name=path.relative_to(store).as_posix()))


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


def recover(store: Path) -> list[str]:
    """Finish what was committed, remove drafts that were not, and set damaged shards aside; return what was damaged."""
    good, damaged = set(), broken(store)
    for record in records(store):
        wrong = fault_in(store, record)
        if wrong:
            damaged.append(wrong)
        else:
            finish(store, record)
            good.add(record.name)
    folders = [store / name for name in (*TABLES, RECORDS)]
    for path in (each for folder in folders for each in sorted(folder.iterdir())):
        if _DRAFT.fullmatch(path.name):
            path.unlink()
        elif _OURS.fullmatch(path.name) and path.stem not in good:
            (store / DAMAGED).mkdir(exist_ok=True)
            os.replace(path, _aside(store / DAMAGED, f"{path.parent.name}-{path.name}"))
    return damaged


def _aside(folder: Path, name: str) -> Path:
    """A name that nothing has yet."""
    tries = (folder / (f"{number}-{name}" if number else name) for number in range(10**6))
    return next(path for path in tries if not os.path.lexists(path))


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
    path.unlink(missing_ok=True)  # a draft of one that was killed, or a link: never written through
    write_new(path, content)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
