"""Fitted draws: small tables that come with the package, and how comparisons take parameter draws from them.

A fitted draw says something of the free parameters only. A comparison's draw joins one with a draw of the prior of
everything else that is uncertain.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import data_root, exists, read_bytes
from konvergensi.base.folders import read_json
from konvergensi.inputs.districts import District
from konvergensi.inputs.parameters import Parameter, Value
from konvergensi.model.identity import model_hash

FITTED, PRIOR = "fitted", "prior"
GOLDEN = 0.6180339887498949  # steps of the golden ratio fill the unit interval evenly, however many are taken


class Files(NamedTuple):
    """Files of a district's calibration."""

    draws: Path
    runs: Path
    manifest: Path


@dataclass(frozen=True, eq=False)
class Fitted:
    """Weighted draws of a district: keys, values (n_draws, n_keys), weights (n_draws,) summing to 1."""

    keys: tuple[str, ...]
    values: np.ndarray
    weights: np.ndarray
    manifest: Mapping[str, Any]

    def draw(self, number: int) -> dict[str, Value]:
        """The draw of a number (1, 2, ...), taken by weight; any number of them is spread evenly over the weights."""
        row = int(np.searchsorted(np.cumsum(self.weights), (0.5 + number * GOLDEN) % 1.0).clip(0, len(self.values) - 1))
        return dict(zip(self.keys, self.values[row].tolist()))


def fitted_root() -> Path:
    """The folder of fitted draws: in the installed package, else in the checkout."""
    return data_root().parent / "calibration" / "fitted"


def fitted_files(folder: Path, district: str) -> Files:
    """Names of the files. Raises InputError when one of them is not there."""
    files = _named(folder, district)
    if missing := [path for path in files if not exists(path)]:
        raise InputError(fault(path, "", "no_file") for path in missing)
    return files


def _named(folder: Path, district: str) -> Files:
    return Files(folder / f"{district}.parquet", folder / f"{district}-runs.parquet", folder / f"{district}.json")


def small(runs: pd.DataFrame) -> pd.DataFrame:
    """A table of runs with observables as float32, as it is kept."""
    kinds = {name: np.float32 for name in runs.columns if ":" in name or runs[name].dtype == np.float64}
    return runs.astype(kinds)


def fitted_for(place: District, folder: Path | None = None) -> Fitted | None:
    """The fitted draws of a shipped district; None where there are none, or the district is a folder of one's own.

    A district that extends another has its own level and data: it is never given the other's draws.
    """
    folder = folder or fitted_root()
    if place.path.resolve() != (data_root() / "districts" / place.id).resolve():
        return None
    return _read(folder, place.id)


@functools.cache
def _read(folder: Path, district: str) -> Fitted | None:
    files = _named(folder, district)
    if not (exists(files.draws) and exists(files.manifest)):
        return None
    try:
        draws = pd.read_parquet(io.BytesIO(read_bytes(files.draws)))
        manifest = read_json(files.manifest)
        keys = tuple(manifest["free"])
        values, weights = draws[list(keys)].to_numpy(float), draws["weight"].to_numpy(float)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(fault(files.draws, "", "unreadable", reason=error)) from None
    return Fitted(keys, values, weights / weights.sum(), manifest)


def changed_since(manifest: Mapping[str, Any], place: District) -> list[str]:
    """What has changed since draws were fitted: `model`, `district`; empty when nothing has."""
    then = manifest["hashes"]
    now = {"model": model_hash(), "district": place.hashes}
    return [name for name, value in now.items() if then.get(name) != value]


def parameter_draws_of(place: District, draws_from: str = FITTED) -> Fitted | None:
    """The fitted draws that `draws_from` asks for.

    Parameters: `fitted`, those that come with the package, None where there are none; `prior`, none; or a folder that
    `konvergensi calibrate` wrote. Raises InputError when a folder is named that holds none for this district.
    """
    if draws_from == PRIOR:
        return None
    if draws_from == FITTED:
        return fitted_for(place)
    folder = Path(draws_from)
    if not folder.is_dir():
        raise InputError(fault("", "--draws-from", "choice", value=draws_from, choices=f"{FITTED}, {PRIOR}, a folder"))
    found = _read(folder, place.id)
    if found is None:
        there = sorted(path.stem for path in folder.glob("*.json"))
        raise InputError(fault(folder, "", "no_fitted", value=place.id, choices=", ".join(there) or "-"))
    return found


def described(fitted: Fitted | None, place: District) -> dict[str, Any]:
    """What a manifest says of the parameter draws: where they come from, what has changed since they were fitted."""
    if fitted is None:
        return {"from": PRIOR}
    manifest = fitted.manifest
    return {
        "from": FITTED,
        "study": manifest["study"],
        "version": manifest["version"],
        "fitted": list(fitted.keys),
        "draws": len(fitted.values),
        "hashes": manifest["hashes"],
        "changed_since": changed_since(manifest, place),
    }


def joined(
    fitted: Fitted, prior: list[dict[str, Value]], known: Mapping[str, Parameter], decided: Collection[str]
) -> list[dict[str, Value]]:
    """Draws of the prior (draw 1, 2, ...) with what the fitted draws say of the free parameters laid over them."""
    found = []
    for number, own in enumerate(prior, start=1):
        drawn = {key: known[key].checked(_typed(known[key], value)) for key, value in fitted.draw(number).items()}
        found.append(own | {key: value for key, value in drawn.items() if key not in decided})
    return found


def _typed(parameter: Parameter, value: Any) -> Value:
    return round(value) if isinstance(parameter.value, int) else float(np.clip(value, parameter.low, parameter.high))
