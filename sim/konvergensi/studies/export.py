"""Export: the three tables of a store in one file each, sorted, as CSV or Parquet.

The same runs give the same bytes, whatever engine made them and in whatever order; so wall_s is left out. Memory holds
the keys of the runs and a few thousand runs at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from konvergensi.base.errors import InputError, fault
from konvergensi.base.folders import MANIFEST, claimed, drafted, seal
from konvergensi.base.harmless import neutral
from konvergensi.base.owned import EXPORT
from konvergensi.base.version import __version__
from konvergensi.studies import shards
from konvergensi.studies.store import GROUPS, KEYS, SERIES, Store, in_order, run_schema

CHUNK_RUNS = 5000
CSV, PARQUET = "csv", "parquet"
LEFT_OUT = ("wall_s",)


def export_store(store: Store, out: str | Path, kind: str = PARQUET) -> list[str]:
    """Write runs, series, groups and manifest.json into a new folder; return the names of the files.

    Parameters: kind, CSV or PARQUET. Raises InputError when a shard is damaged, and when the folder is there and not
    empty or cannot be written; nothing is left of an export that failed.
    """
    out = Path(out)
    claimed(out)
    try:
        if out.exists() and any(out.iterdir()):
            raise InputError(fault(out, "", "not_empty"))
        with drafted(out) as draft:
            manifest = _write(store, draft, kind)
            seal(draft, manifest)
        return [*(f"{name}.{kind}" for name in shards.TABLES), MANIFEST]
    except OSError as error:
        raise InputError(fault(out, "", "unwritable", reason=error.strerror or error)) from None


def _write(store: Store, folder: Path, kind: str) -> dict[str, Any]:
    """Write the tables; return the manifest."""
    index = _index(store)
    runs = run_schema(store.study.factors, store.scalars)
    schemas = {
        "runs": pa.schema([each for each in runs if each.name not in LEFT_OUT]),
        "series": SERIES,
        "groups": GROUPS,
    }
    for name, schema in schemas.items():
        with _writer(folder / f"{name}.{kind}", schema, kind) as file:
            for table in _sorted(store, name, index, schema):
                file.write_table(_neutral(table) if kind == CSV else table)
    manifest = {name: value for name, value in store.manifest.items() if name not in ("not_compared", "parts")}
    counts = store.counts()
    done = {"ok": counts.ok, "failed": counts.failed}
    return manifest | {"kind": EXPORT, "version": __version__, "done": done, "left_out": list(LEFT_OUT)}


def _neutral(table: pa.Table) -> pa.Table:
    """The table with text that a spreadsheet would run as a formula led by an apostrophe."""
    for at, column in enumerate(table.schema):
        if pa.types.is_string(column.type):
            table = table.set_column(at, column, pa.array(map(neutral, table[at].to_pylist()), column.type))
    return table


def _writer(path: Path, schema: pa.Schema, kind: str) -> Any:
    return pa.csv.CSVWriter(path, schema) if kind == CSV else pq.ParquetWriter(path, schema, compression="zstd")


def _index(store: Store) -> pd.DataFrame:
    """run_id and the shard of each run, in the order of the tables. Raises InputError when a shard is damaged."""
    parts = []
    for record in store.whole(shards.TABLES):
        keys = pq.read_table(shards.file_of(store.path, "runs", record), columns=["run_id", *KEYS]).to_pandas()
        parts.append(keys.assign(shard=record.number))
    index = pd.concat(parts) if parts else pd.DataFrame(columns=["run_id", *KEYS, "shard"])
    return in_order(index, store)[["run_id", "shard"]]


def _sorted(store: Store, name: str, index: pd.DataFrame, schema: pa.Schema) -> Iterator[pa.Table]:
    """A table in parts, sorted as the index and, within a run, as its outcome was."""
    records = {record.number: record for record in store.records()}
    for start in range(0, len(index), CHUNK_RUNS):
        chunk = index.iloc[start : start + CHUNK_RUNS]
        ids = pa.array(chunk["run_id"], pa.string())
        parts = []
        for number in sorted(set(chunk["shard"])):
            part = pq.read_table(shards.file_of(store.path, name, records[number]))
            parts.append(part.filter(pc.is_in(part["run_id"], value_set=ids)))
        table = pa.concat_tables(parts, promote_options="default")
        rank = pc.index_in(table["run_id"], value_set=ids).to_numpy()
        table = table.take(np.argsort(rank, kind="stable"))
        absent = [each for each in schema if each.name not in table.column_names]  # failed runs only: no scalars
        for each in absent:
            table = table.append_column(each, pa.nulls(table.num_rows, each.type))
        yield table.select(schema.names).cast(schema)
