"""The store of a study: a folder of Parquet files that any tool reads.

manifest.json says what was planned and with what, with checksums of itself and of the files beside it; runs/, series/
and groups/ hold the three tables; shards/ the records that say which files are whole (see shards.py). Readers change
nothing, and nobody follows a link inside a store.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest, exists, read_bytes
from konvergensi.base.folders import read_json
from konvergensi.base.owned import STUDY, is_file, is_sealed, is_store
from konvergensi.base.version import told_apart
from konvergensi.methods.designs import draws_of, first_draw
from konvergensi.methods.factors import Factor
from konvergensi.model.outcome import scalar_names
from konvergensi.studies import shards
from konvergensi.studies.shards import Record
from konvergensi.studies.study import KONVERGENSI, OUTCOME, Study, from_data

MANIFEST, POINTS, STUDY_FILE = "manifest.json", "points.parquet", "study.toml"
FORMAT = 3  # 1: version 0.1.0, without checksums of manifest and records; 2: a column `scenario`, now `policy`
KEYS = ("district", "policy", "draw", "seed")
RUN_COLUMNS = ("run_id", *KEYS, "status", "error", "wall_s")  # then the factors, then the scalars
OK, FAILED = "ok", "failed"
SERIES = pa.schema([("run_id", pa.string()), ("month", pa.string()), ("measure", pa.string()), ("value", pa.float64())])
GROUPS = pa.schema([
    ("run_id", pa.string()), ("month", pa.string()), ("group", pa.string()), ("measure", pa.string()),
    ("value", pa.float64()),
])  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """How far a study is: runs planned, well done, failed, and shards."""

    planned: int
    ok: int
    failed: int
    shards: int

    @property
    def left(self) -> int:
        return self.planned - self.ok - self.failed


class Store:
    """A store to read. Tables are sorted by district and scenario (in the study's order), draw and seed."""

    def __init__(self, path: Path, manifest: dict[str, Any]):
        self.path = path
        self.manifest = manifest

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Open a folder. Raises InputError when it holds no store, one of another version, one in which a file was
        changed, or a link.
        """
        path = Path(path)
        shards.refuse_links(path, (MANIFEST, POINTS, STUDY_FILE))
        if not exists(path / MANIFEST):
            raise InputError(fault(path, "", "not_a_store"))
        manifest = read_json(path / MANIFEST)
        if not is_store(manifest):
            raise InputError(fault(path, "", "not_a_store"))
        if manifest.get("kind") != STUDY or manifest.get("format") != FORMAT:
            then = str(manifest.get("made_with", "?")).removeprefix("konvergensi ")
            both = told_apart(then, manifest.get("format", 1), FORMAT)
            raise InputError(fault(path, "", "store_of_other", then=both[0], now=both[1]))
        if not is_sealed(manifest):
            raise InputError(fault(path / MANIFEST, "", "store_changed"))
        for name, total in manifest["parts"].items():
            if not is_file(path / name) or digest(read_bytes(path / name)) != total:
                raise InputError(fault(path / name, "", "store_changed"))
        return cls(path, manifest)

    @cached_property
    def study(self) -> Study:
        """The study it holds, with its points if they were given."""
        given = None
        if self.manifest["points"]["given"]:
            table = pq.read_table(self.path / POINTS)
            given = np.column_stack([column.to_numpy() for column in table.columns]).astype(np.float64)
        return from_data(self.manifest["study"], given)

    @property
    def districts(self) -> list[str]:
        """Ids of the districts, in the study's order."""
        return list(self.manifest["identity"]["districts"])

    @property
    def scenarios(self) -> list[str]:
        """Ids of the scenarios, the reference first."""
        return list(self.manifest["identity"]["scenarios"])

    def source_of(self, district: str) -> str:
        """What the study names a district by: its id, or the folder it is read from."""
        return dict(zip(self.districts, self.study.districts)).get(district, district)

    @property
    def extensions(self) -> list[dict[str, str]]:
        """The extensions it was run with, as every manifest names them: name, file, sha256."""
        hashes = self.manifest["identity"].get("extensions", {})
        files = self.manifest["study"].get("extensions", [])
        return [
            {"name": name, "file": Path(file).name, "sha256": sha256}
            for file, (name, sha256) in zip(files, hashes.items())
        ]

    @property
    def factors(self) -> list[str]:
        """Keys of the factors, as columns of runs."""
        return [factor["key"] for factor in self.manifest["study"]["factors"]]

    @property
    def scalars(self) -> list[str]:
        """Names of the scalars, as columns of runs; empty before the first shard."""
        found: list[str] = []
        for record in self.records():
            names = pq.read_schema(shards.file_of(self.path, "runs", record)).names[self._fixed :]
            found = names if len(names) > len(found) else found
        return found

    @property
    def _fixed(self) -> int:
        return len(RUN_COLUMNS) + len(self.manifest["study"]["factors"])

    def records(self) -> list[Record]:
        """Records of the shards that are there."""
        return list(shards.records(self.path))

    def counts(self) -> Counts:
        """How far the study is, from the records alone."""
        records = self.records()
        done, failed = sum(each.ok for each in records), sum(each.failed for each in records)
        return Counts(self.manifest["planned"]["runs"], done, failed, len(records))

    def damaged(self, contents: bool = True) -> list[str]:
        """Files that are missing or not as they were written; without contents, those of tables by their size only."""
        return self._damaged(self.records(), shards.TABLES if contents else ())

    def _damaged(self, records: list[Record], contents: tuple[str, ...]) -> list[str]:
        tables = [wrong for record in records if (wrong := shards.fault_in(self.path, record, contents))]
        return [*shards.broken(self.path), *tables]

    def runs(self, columns: list[str] | None = None) -> pd.DataFrame:
        """A row for each run: keys, status, error, wall_s, values of the factors, scalars (NaN where it failed).

        Raises InputError when a shard is damaged.
        """
        keys = None if columns is None else list(dict.fromkeys([*KEYS, *columns]))
        table = self._read("runs", keys).to_pandas()
        table = in_order(table, self)
        return table if columns is None else table[columns]

    def series(self) -> pd.DataFrame:
        """run_id, month, measure, value; as `runs` sorted, and within a run as its outcome was."""
        return self._long("series")

    def groups(self) -> pd.DataFrame:
        """run_id, month, group, measure, value; sorted as `series`."""
        return self._long("groups")

    def iter_runs(self) -> Iterator[dict[str, Any]]:
        """Each run as a dict, shard by shard, in no order: memory does not grow with the store."""
        for record in self.whole(()):
            yield from pq.read_table(shards.file_of(self.path, "runs", record)).to_pylist()

    def _long(self, name: str) -> pd.DataFrame:
        table = self._read(name)
        ids = pa.array(self.runs(["run_id"])["run_id"], pa.string())
        rank = pc.index_in(table["run_id"], value_set=ids).to_numpy()
        return table.take(np.argsort(rank, kind="stable")).to_pandas()

    def _read(self, name: str, columns: list[str] | None = None) -> pa.Table:
        files = [shards.file_of(self.path, name, record) for record in self.whole((name,))]
        tables = [_columns(pq.ParquetFile(file), columns) for file in files]
        if not tables:
            schemas = {"runs": run_schema(self.study.factors, []), "series": SERIES, "groups": GROUPS}
            tables = [schemas[name].empty_table()]
        return pa.concat_tables(tables, promote_options="default")

    def whole(self, contents: tuple[str, ...]) -> list[Record]:
        """The records. Raises InputError when a shard is damaged; the contents of these tables are looked at too."""
        records = self.records()
        if damaged := self._damaged(records, contents):
            raise InputError(fault(self.path, "", "shards_damaged", count=len(damaged), first=damaged[0]))
        return records


def opened(store: Store | str | Path) -> Store:
    """A store, opened where its folder was named. Raises InputError when that holds no store."""
    return store if isinstance(store, Store) else Store.open(store)


def _columns(file: pq.ParquetFile, columns: list[str] | None) -> pa.Table:
    """Those of the columns that a file has: one of failed runs only has no scalars."""
    return file.read(None if columns is None else [name for name in columns if name in file.schema_arrow.names])


def in_order(table: pd.DataFrame, store: Store) -> pd.DataFrame:
    """A table with the keys of runs, sorted by them in the study's order."""
    place = table["district"].map({name: number for number, name in enumerate(store.districts)})
    policy = table["policy"].map({name: number for number, name in enumerate(store.scenarios)})
    return table.iloc[np.lexsort((table["seed"], table["draw"], policy, place))].reset_index(drop=True)


def run_schema(factors: tuple[Factor, ...], scalars: list[str]) -> pa.Schema:
    """Schema of the runs table."""
    keys = [("run_id", pa.string()), ("district", pa.string()), ("policy", pa.string()), ("draw", pa.int64())]
    own = [("seed", pa.int64()), ("status", pa.string()), ("error", pa.string()), ("wall_s", pa.float64())]
    varied = [(factor.key, _kind(factor)) for factor in factors]
    return pa.schema([*keys, *own, *varied, *((name, pa.float64()) for name in scalars)])


def _kind(factor: Factor) -> pa.DataType:
    if factor.values and isinstance(factor.values[0], (bool, str)):
        return pa.bool_() if isinstance(factor.values[0], bool) else pa.string()
    return pa.int64() if factor.whole else pa.float64()


def cell_number(study: Study, places: int, draw: int, place: int, seed_at: int) -> int:
    """Number of a cell: draws first, so that a study stopped halfway has its first draws whole."""
    return ((draw - first_draw(study)) * places + place) * len(study.seeds) + seed_at


def planned_draws(study: Study) -> range:
    """The numbers of the draws."""
    return range(first_draw(study), first_draw(study) + draws_of(study))


def expected_scalars(study: Study) -> list[str]:
    """Names of the scalars, as far as they are known before the first run."""
    if study.keep.scalars is not None:
        return list(study.keep.scalars)
    if study.model != KONVERGENSI:
        return ["y"]
    return scalar_names(study.start, study.end) if study.outcome == OUTCOME else []
