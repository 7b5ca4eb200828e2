"""How far a study is, told from the records of its shards."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow.parquet as pq

from konvergensi.studies import shards
from konvergensi.studies.lock import holder
from konvergensi.studies.store import FAILED, Counts, Store

RECENT = 20  # shards over which the rate is told
LOOKED_AT = 50  # shards with failed runs that are read for their errors


@dataclass(frozen=True)
class Status:
    """counts; megabytes on disk; files that are damaged (by size); who is at work; runs per second of late, and seconds
    left at that rate (None when unknown); errors of failed runs with how often each was seen.
    """

    counts: Counts
    megabytes: float
    damaged: list[str]
    holder: str
    per_second: float | None
    seconds_left: float | None
    errors: list[tuple[str, int]]


def status_of(store: Store) -> Status:
    """Tell how far a study is; changes nothing and reads no results but the errors of failed runs."""
    records, counts = store.records(), store.counts()
    size = sum(file["bytes"] for record in records for file in record.files.values())
    rate = _rate(store, records)
    errors: Counter[str] = Counter()
    for record in [each for each in records if each.failed][:LOOKED_AT]:
        table = pq.read_table(shards.file_of(store.path, "runs", record), columns=["status", "error"]).to_pylist()
        errors.update(row["error"] for row in table if row["status"] == FAILED)
    left = counts.left / rate if rate else None
    return Status(
        counts, size / 1e6, store.damaged(contents=False), holder(store.path), rate, left, errors.most_common(5)
    )


def _rate(store: Store, records: list[shards.Record]) -> float | None:
    """Runs per second over the last shards, from when their records were written."""
    written = [
        ((store.path / shards.RECORDS / f"{each.name}.json").stat().st_mtime, each) for each in records[-RECENT:]
    ]
    if len(written) < 2 or written[-1][0] <= written[0][0]:
        return None
    return sum(each.ok + each.failed for _, each in written[1:]) / (written[-1][0] - written[0][0])
