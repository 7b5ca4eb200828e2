"""What makes a run come out as it does, as one hash: the rooms up to the model, with their parameters and tables."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from konvergensi.base.files import digest

_PACKAGE = Path(__file__).resolve().parents[1]
# A later room shows, repeats or asks, and changes no run; scenarios and districts have hashes of their own.
ROOMS = ("base", "inputs", "world", "mechanisms", "observe", "model")
NO_RESULT = ("base/words", "base/errors", "base/folders.py", "base/versions.py", "inputs/advice.py",
             "inputs/describe.py", "inputs/template", "inputs/check.py", "inputs/context")  # fmt: skip


@functools.cache
def model_hash() -> str:
    """Hash of the model's code, parameters and tables, as far as they change a result; computed once."""
    files = [path for room in ROOMS for path in sorted((_PACKAGE / room).rglob("*"))]
    names = {path.relative_to(_PACKAGE).as_posix(): path for path in files if path.suffix in (".py", ".toml", ".csv")}
    hashes = {name: digest(path.read_bytes()) for name, path in names.items() if not name.startswith(NO_RESULT)}
    return digest(json.dumps(hashes, sort_keys=True).encode())
