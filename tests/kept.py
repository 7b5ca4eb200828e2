"""What tests share: simulated models and results, made once and kept on disk below pytest's cache.

A kept thing is found under the hash of everything that makes it: the code and data of the package, of the scenarios and
of this folder's helpers, Python and the packages that compute, and what was asked for. Code or data that moved is
another folder, and the folders of before are removed, so nothing kept is ever stale. Workers of pytest-xdist wait for
each other by a lock instead of making a thing twice. A test that changes code while it runs (`monkeypatch`) neither
reads nor writes here; `KONVERGENSI_TESTS_KEEP=0` turns it off for all.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import pytest

from konvergensi.base.files import data_root

try:
    import fcntl
except ImportError:  # without locks two workers may make the same thing; each writes it whole
    fcntl = None  # type: ignore[assignment]

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]
HELPERS = ("kept.py", "conftest.py", "fake_comparison.py", "fake_results.py")  # that say how a kept thing is made
COMPUTING = ("numpy", "pandas", "scipy", "networkx", "mesa", "SALib", "numba")
FULL = 2_000_000_000  # bytes below which things are put away

_folder: Path | None = None  # none: nothing is kept
_changed = False  # code is not as the hash says


def begin(config: pytest.Config) -> None:
    """Keep things below the cache of pytest, in a folder for this code; those of other code are removed."""
    global _folder  # noqa: PLW0603  # one place for the process, as the cache of pytest is
    cache = getattr(config, "cache", None)
    if cache is None or os.environ.get("KONVERGENSI_TESTS_KEEP") == "0":
        return
    top = Path(cache.mkdir("konvergensi"))
    _folder = top / _made_by()
    if not hasattr(config, "workerinput"):
        for other in top.iterdir():
            if other != _folder:
                shutil.rmtree(other, ignore_errors=True)
    _folder.mkdir(exist_ok=True)


@contextlib.contextmanager
def changed_code(yes: bool = True) -> Iterator[None]:
    """Keep nothing, and read nothing kept, while a test changes code."""
    global _changed  # noqa: PLW0603
    before, _changed = _changed, _changed or yes
    try:
        yield
    finally:
        _changed = before


def kept(make: Callable[..., T], *asked: Any) -> T:
    """What `make(*asked)` returns, a copy of one's own; `asked` must say all that it depends on by its `repr`."""
    if _folder is None or _changed:
        return make(*asked)
    text = repr((make.__module__, make.__qualname__, inspect.getsource(make), asked))
    file = _folder / hashlib.sha256(text.encode()).hexdigest()[:32]
    with _locked(file.with_suffix(".lock")):
        if file.exists():
            return pickle.loads(file.read_bytes())  # type: ignore[no-any-return]  # written by ourselves
        made = make(*asked)
        if _size(_folder) < FULL:
            _put(file, pickle.dumps(made, protocol=pickle.HIGHEST_PROTOCOL))
        return made


def _size(folder: Path) -> int:
    """Bytes in a folder to which other workers write: a draft listed a moment ago may have its own name by now."""
    total = 0
    for each in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            total += each.stat().st_size
    return total


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        if fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _put(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as draft:
        draft.write(content)
    Path(draft.name).replace(file)


@functools.cache
def _made_by() -> str:
    """Hash of all code and data that decide a kept thing."""
    files = [*(ROOT / "sim").rglob("*"), *data_root().rglob("*"), *(ROOT / "calibration").rglob("*")]
    files += (ROOT / "tests" / "districts").rglob("*")
    files += [Path(__file__).with_name(name) for name in HELPERS]
    files = [each for each in files if each.suffix in (".py", ".toml", ".csv", ".parquet", ".json")]
    total = hashlib.sha256(repr([sys.version, *map(_version, COMPUTING)]).encode())
    for each in sorted(files):
        total.update(each.as_posix().encode() + b"\0" + each.read_bytes())
    return total.hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
