"""What offices have instead of the model's columns, converted as village_conversions.toml says."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.base.errors import Fault, fault
from konvergensi.base.files import read_toml
from konvergensi.inputs.office_cells import Numbers, as_text, read_numbers
from konvergensi.inputs.office_table import OfficeTable

F64 = NDArray[np.float64]
# what an office has -> the column it stands for; of two for one column the first is read
ALTERNATIVES = {
    "distance_km": "remoteness",
    "idm": "remoteness",
    "poor_families": "poverty",
    "posyandu_strata": "posyandu_quality",
}
_BY_WORD = {"idm": "remoteness_by_idm_status", "posyandu_strata": "posyandu_quality_by_strata"}
_IDM = Numbers(0.0, 1.0, "IDM, 0 to 1")


@cache
def conversions() -> dict[str, dict[str, Any]]:
    """The parameters of the conversions, each with value, unit, source and grade."""
    return read_toml(Path(__file__).with_name("village_conversions.toml"))


def converted(found: OfficeTable, name: str, table: pd.DataFrame) -> tuple[F64 | None, list[Fault]]:
    """Remoteness from the distance to the puskesmas, (n,) 0 to 1; poverty from the number of poor families."""
    given = table[name].to_numpy(float)
    if name == "distance_km":
        full = float(conversions()["remoteness_full_km"]["value"])
        _tell(found, name, "remoteness_full_km", f"min(1, km / {full:g})")
        return np.minimum(given / full, 1.0), []
    families = table["families"].to_numpy(float)
    if (more := np.flatnonzero(given > families)).size:
        what = fault("", "", "more_than_families", value=given[more[0]], total=f"{families[more[0]]:.0f}")
        return None, found.first_fault(name, more.tolist(), what)
    found.notes.append(fault(found.grid.path, found.headers[name], "read_poor_families"))
    return given / families, []


def by_word(found: OfficeTable, name: str, marks: set[str]) -> tuple[F64 | None, list[Fault]]:
    """Remoteness from IDM, as a number or a status; quality of the posyandu from its stratum; (n,) 0 to 1."""
    cells = found.cells(name)
    if name == "idm" and not any(as_text(cell).casefold() in _words(name) for cell in cells):
        values, faults = read_numbers(found, name, _IDM, marks)
        if values is None:
            return None, faults
        near, far = (float(conversions()[f"remoteness_idm_{end}"]["value"]) for end in ("near", "far"))
        _tell(found, name, "remoteness_idm_near, remoteness_idm_far", f"({near:g} - IDM) / {near - far:.4g}, 0..1")
        return np.clip((near - values) / (near - far), 0.0, 1.0), []
    known = _words(name)
    read = [known.get(as_text(cell).casefold().removeprefix("posyandu ").removeprefix("desa ")) for cell in cells]
    if bad := [at for at, value in enumerate(read) if value is None]:
        cell = as_text(cells[bad[0]])
        what = fault("", "", "choice", value=cell, choices=", ".join(known)) if cell else fault("", "", "empty")
        return None, found.first_fault(name, bad, what)
    _tell(found, name, _BY_WORD[name], ", ".join(f"{word} {value:g}" for word, value in known.items()))
    return np.array(read, float), []


def _words(name: str) -> dict[str, float]:
    return dict(conversions()[_BY_WORD[name]]["value"])


def _tell(found: OfficeTable, name: str, keys: str, rule: str) -> None:
    grade = conversions()[keys.partition(",")[0]]["grade"]
    words = {"column": ALTERNATIVES[name], "rule": rule, "grade": grade, "keys": keys}
    found.notes.append(fault(found.grid.path, found.headers[name], "read_converted", **words))
