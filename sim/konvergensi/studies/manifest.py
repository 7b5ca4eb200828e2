"""The manifest of a store: what is planned and with what, and whether a study is the one it was begun with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest
from konvergensi.base.owned import STUDY, is_file, sealed
from konvergensi.base.version import __version__
from konvergensi.studies import shards
from konvergensi.studies.identity import Identity, codes_hash
from konvergensi.studies.store import FORMAT, MANIFEST, POINTS, STUDY_FILE, Store
from konvergensi.studies.study import Study, as_data

# of no matter to a result: words, and paths, whose contents the identity holds
ASIDE = {"title", "districts", "scenarios"}


def make(path: Path, study: Study, identity: Identity, codes: np.ndarray, text: bytes | None) -> None:
    """Write what a new store begins with, the manifest last. Raises OSError when it cannot be written."""
    if study.codes is not None:
        sink = pa.BufferOutputStream()
        columns = {factor.key: codes[:, j] for j, factor in enumerate(study.factors)}
        pq.write_table(pa.table(columns), sink, compression="zstd")
        shards.write_whole(path / POINTS, sink.getvalue().to_pybytes())
    if text is not None:
        shards.write_whole(path / STUDY_FILE, text)
    write(path, study, identity, codes)


def write(path: Path, study: Study, identity: Identity, codes: np.ndarray) -> None:
    """Write the manifest, whole or not at all. Raises OSError when it cannot be written."""
    planned = {"draws": len(codes), "seeds": len(study.seeds), "cells": study.cells, "runs": study.runs}
    manifest = {
        "kind": STUDY,
        "format": FORMAT,
        "made_with": f"konvergensi {__version__}",
        "study": as_data(study),
        "identity": identity.as_data(),
        "points": {"given": study.codes is not None, "sha256": codes_hash(codes)},
        "planned": planned,
        "not_compared": ["wall_s"],  # how long a run took is no result
        "parts": {name: digest((path / name).read_bytes()) for name in (POINTS, STUDY_FILE) if is_file(path / name)},
    }
    shards.write_whole(path / MANIFEST, json.dumps(sealed(manifest), indent=1).encode())


def refuse_other(store: Store, study: Study, identity: Identity, codes: np.ndarray) -> None:
    """Raise InputError unless the store was begun with this very study, code and inputs."""
    kept, mine = store.manifest["identity"], identity.as_data()
    then, now = store.manifest["study"], json.loads(json.dumps(as_data(study)))
    differ = [name for name in now if name not in ASIDE and now[name] != then.get(name)]
    differ += [name for name in ("districts", "scenarios") if list(mine[name].items()) != list(kept[name].items())]
    if differ and set(differ) <= {"design", "seeds"} and _is_same_design(then, now):
        longer = now["design"]["draws"] >= then["design"]["draws"] and set(now["seeds"]) >= set(then["seeds"])
        phrase = "extend_instead" if longer else "resume_instead"
        raise InputError(fault(store.path, "", phrase, then=_size(then), now=_size(now)))
    if not differ and codes_hash(codes) != store.manifest["points"]["sha256"]:
        if study.codes is None:
            raise InputError(fault(store.path, "", "other_points"))
        differ.append("points")
    if differ:
        raise InputError(fault(store.path, "", "other_study", what=", ".join(differ)))
    refuse_other_code(store, identity)


def refuse_other_code(store: Store, identity: Identity) -> None:
    """Raise InputError unless this is the code the store was begun with."""
    kept = store.manifest["identity"]
    if (identity.version, identity.code) != (kept["version"], kept["code"]):
        raise InputError(fault(store.path, "", "other_code", then=kept["version"], now=identity.version))


def _is_same_design(then: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether one can be an extension of the other."""
    return all(
        then["design"][name] == now["design"][name] for name in then["design"] if name not in ("draws", "blocks")
    )


def _size(study: dict[str, Any]) -> str:
    return f"draws = {study['design']['draws']}, seeds = {len(study['seeds'])}"
