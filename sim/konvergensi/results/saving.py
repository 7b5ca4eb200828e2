"""Saving a result as data and loading it again: tables as Parquet, everything else in the manifest."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest, exists
from konvergensi.base.folders import MANIFEST, read_json, seal, write_table
from konvergensi.base.owned import INTENT, is_file, is_sealed, is_store
from konvergensi.base.version import __version__, told_apart
from konvergensi.inputs.arguments import folder as folder_of
from konvergensi.inputs.arguments import public
from konvergensi.observe.units import with_units
from konvergensi.results.base import Result

# kind -> module and class
KINDS = {
    "run": "run:Run",
    "comparison": "comparison:Comparison",
    "gaps": "gaps:Gaps",
    "allocation": "allocation:Allocation",
    "explanation": "explanation:Explanation",
    "villages": "villages:VillageList",
    "trial": "trial:Trial",
    "calibration": "calibration:Calibration",
    "sensitivity": "sensitivity:Sensitivity",
    "discovery": "discovery:Discovery",
    "robustness": "robustness:Robustness",
    "validation": "validation:Validation",
    "country_validation": "country_validation:CountryValidation",
    "nation": "nation:Nation",
    "districts": "districts:Districts",
}


FORMAT = 2  # of names in tables and manifests; 1, which did not say so: scenario, beliefs, anyway, rp
OURS = ("kind", "format", "tables", "files", "data", "checksum")  # what saving adds to a manifest


def write_result(result: Result, draft: Path) -> list[str]:
    """Write tables and, last, the manifest into a folder that exists; return the names of all that stands in it."""
    named = {name: each for name in result.labels if (each := result.manifest.get(name)) is not None}
    saved = with_units(result.kind, result.saved_tables())
    for name, table in saved.items():
        file = draft / f"{name}.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_table(table, file, named)
    own = {"version": __version__, "kind": result.kind, "format": FORMAT, "data": result.data(), "tables": [*saved]}
    return seal(draft, result.manifest | own)


@public(folder=folder_of)
def load(folder: str | Path) -> Any:
    """The result that a folder holds.

    Raises InputError when there is none, it is half written, it was written by another version, or a file that it lists
    is missing or changed.
    """
    folder = Path(folder)
    manifest = _whole(folder)
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


def _whole(folder: Path) -> dict[str, Any]:
    """The manifest of a folder in which everything is as it was written. Raises InputError as `load`."""
    if exists(folder / INTENT):
        raise InputError(fault(folder, "", "result_unfinished"))
    manifest = read_json(folder / MANIFEST)
    if is_store(manifest) or not ("version" in manifest or "kind" in manifest):
        raise InputError(fault(folder, "", "no_result", choices=", ".join(KINDS)))
    then = str(manifest.get("version"))
    if "files" not in manifest or _series(then) != _series(__version__):
        raise InputError(fault(folder, "", "result_of_other", then=then, now=__version__))
    if (form := manifest.get("format", 1)) != FORMAT:
        both = told_apart(then, form, FORMAT)
        raise InputError(fault(folder, "", "result_of_other", then=both[0], now=both[1]))
    if not is_sealed(manifest):
        raise InputError(fault(folder, "", "result_changed", names=MANIFEST))
    gone = [name for name in manifest["files"] if not exists(folder / name)]
    changed = [name for name, total in manifest["files"].items() if name not in gone and not _is(folder / name, total)]
    faults = [fault(folder, "", "result_gone", names=", ".join(gone))] if gone else []
    faults += [fault(folder, "", "result_changed", names=", ".join(changed))] if changed else []
    if faults:
        raise InputError(faults)
    return manifest


def _is(file: Path, total: str) -> bool:
    return is_file(file) and digest(file.read_bytes()) == total


def _series(version: str) -> str:
    """0.2 of 0.2.1: within it, what one version saves another can load."""
    return ".".join(version.split(".")[:2])
