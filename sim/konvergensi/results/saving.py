"""Saving a result as data and loading it again: tables as Parquet, everything else in the manifest."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from konvergensi.base.errors import InputError, fault
from konvergensi.base.folders import MANIFEST, read_json, seal, write_table
from konvergensi.inputs.arguments import folder as folder_of
from konvergensi.inputs.arguments import public
from konvergensi.observe.units import with_units
from konvergensi.results.base import Result

# kind -> module and class
KINDS = {
    "run": "run:Run",
    "comparison": "comparison:Comparison",
    "gaps": "gaps:Gaps",
    "explanation": "explanation:Explanation",
    "trial": "trial:Trial",
    "calibration": "calibration:Calibration",
    "sensitivity": "sensitivity:Sensitivity",
    "discovery": "discovery:Discovery",
    "robustness": "robustness:Robustness",
    "validation": "validation:Validation",
}


OURS = ("kind", "tables", "files", "data")  # what saving adds to a manifest


def write_result(result: Result, draft: Path) -> list[str]:
    """Write tables and, last, the manifest into a folder that exists; return the names of all that stands in it."""
    named = {name: each for name in result.labels if (each := result.manifest.get(name)) is not None}
    saved = with_units(result.kind, result.saved_tables())
    for name, table in saved.items():
        file = draft / f"{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_table(table, file, named)
    return seal(draft, result.manifest | {"kind": result.kind, "data": result.data(), "tables": [*saved]})


@public(folder=folder_of)
def load(folder: str | Path) -> Any:
    """The result that a folder holds.

    Raises InputError when there is none, it was written by another version, or a file is missing or changed.
    """
    folder = Path(folder)
    manifest = read_json(folder / MANIFEST)
    kind = manifest.get("kind")
    if kind not in KINDS:
        raise InputError(fault(folder, "", "no_result", choices=", ".join(KINDS)))
    module, _, name = KINDS[kind].partition(":")
    cls: type[Result] = getattr(import_module(f"konvergensi.results.{module}"), name)
    try:
        tables = {each: pd.read_parquet(folder / f"{each}.parquet") for each in manifest["tables"]}
        data = manifest.pop("data")
        result = cls.restored(tables, data, {key: value for key, value in manifest.items() if key not in OURS})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(fault(folder, "", "result_unreadable", reason=error)) from None
    result.lang = manifest.get("lang", "en")
    return result
