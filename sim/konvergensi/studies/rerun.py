"""Any run of a store, made again by itself: does the same come out?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.parquet as pq

from konvergensi.base.errors import InputError, fault
from konvergensi.inputs.parameters import Value
from konvergensi.studies import shards
from konvergensi.studies.cells import Cell, Simulated, live, values_of
from konvergensi.studies.identity import identity_of
from konvergensi.studies.manifest import refuse_other_code
from konvergensi.studies.store import OK, Store
from konvergensi.studies.study import Study, sources_of


@dataclass(frozen=True)
class Again:
    """A run made again: its row as kept, what came out now, and which numbers differ (name, kept, now)."""

    row: dict[str, Any]
    simulated: Simulated
    differ: list[tuple[str, Any, Any]]
    study: Study
    place: int
    set: dict[str, Value]


def rerun(store: Store, run_id: str) -> Again:
    """Make a run again, alone; `run_id` may be shortened.

    Raises InputError when there is no such run, or the store was begun with other code.
    """
    row, tables = _find(store, run_id)
    study = store.study
    place, policy = store.districts.index(row["district"]), store.scenarios.index(row["policy"])
    study = replace(study, scenarios=(study.scenarios[policy],), codes=None)
    refuse_other_code(store, identity_of(study, sources_of(study)))
    cell = Cell(place, row["draw"], row["seed"], tuple(row[key] for key in store.factors))
    (simulated,) = live(study, cell)
    return Again(row, simulated, _differences(store, row, tables, simulated), study, place, values_of(study, cell))


def _find(store: Store, run_id: str) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The row of a run and its rows in the other tables."""
    found = []
    for record in store.whole(shards.TABLES):
        ids = pq.read_table(shards.file_of(store.path, "runs", record), columns=["run_id"])["run_id"].to_pylist()
        found += [(each, record) for each in ids if run_id and each.startswith(run_id)]
    if not found:
        raise InputError(fault(store.path, "", "no_run", value=run_id))
    if len(found) > 1:
        raise InputError(fault(store.path, "", "run_ambiguous", value=run_id, count=len(found)))
    ((whole, record),) = found
    rows = {
        name: pq.read_table(shards.file_of(store.path, name, record), filters=[("run_id", "=", whole)]).to_pylist()
        for name in shards.TABLES
    }
    return rows["runs"][0], rows


def _differences(
    store: Store, row: dict[str, Any], tables: dict[str, list[dict[str, Any]]], simulated: Simulated
) -> list[tuple[str, Any, Any]]:
    status = OK if row["status"] == OK else row["error"], simulated.error or OK
    if simulated.outcome is None or row["status"] != OK:
        return [("status", *status)] if status[0] != status[1] else []
    kept: dict[str, Any] = {name: row[name] for name in store.scalars if row.get(name) is not None}
    now: dict[str, Any] = dict(simulated.outcome.scalars)
    for name, rows in (("series", simulated.outcome.series), ("groups", simulated.outcome.groups)):
        kept |= {" ".join([name, *(each[key] for key in list(each)[1:-1])]): each["value"] for each in tables[name]}
        now |= {" ".join([name, *map(str, each[:-1])]): each[-1] for each in rows}
    pairs = [(name, kept.get(name), now.get(name)) for name in dict.fromkeys([*kept, *now])]
    return [each for each in pairs if each[1] != each[2] and not (_is_nan(each[1]) and _is_nan(each[2]))]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
