"""Compiled loops: one pass over columns instead of many, by numba where it is installed and by NumPy where it is not.

Every loop stands beside the NumPy function that says the same in whole columns. The two give the same bits (tests hold
them against each other), so that it is a matter of time alone which of them runs. numba keeps what it has compiled on
disk: the first run after installing compiles, later ones load. Why numba: docs/decisions/0009-speed.md.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

Loop = TypeVar("Loop", bound=Callable[..., Any])
SWITCH = "KONVERGENSI_COMPILED"  # environment variable; 0 keeps to NumPy

try:
    if os.environ.get(SWITCH, "1") == "0":
        raise ImportError
    import numba
except ImportError:
    numba = None

COMPILES = numba is not None
PACKAGE = __name__.split(".")[0]


def part(loop: Loop) -> Loop:
    """A piece that compiled loops share; without numba as it stands."""
    return loop if numba is None else numba.njit(cache=True, inline="always")(loop)


def inside(loop: Loop) -> Loop:
    """A function that compiled loops alone call, never Python; without numba as it stands."""
    return loop if numba is None else _kept(numba.njit(cache=True, error_model="numpy", no_cpython_wrapper=True)(loop))


def together(loop: Loop) -> Loop:
    """A function that calls compiled loops; without numba as it stands, calling them in columns.

    It takes positional arguments only and has to be plain enough for numba; both ways give the same bits.
    """
    return loop if numba is None else _kept(numba.njit(cache=True, error_model="numpy")(loop))


def compiled(in_columns: Loop) -> Callable[[Callable[..., Any]], Loop]:
    """Compile the loop that follows; `in_columns` is the NumPy function with the same arguments and the same bits.

    What comes out takes positional arguments only. Both ways stay at hand: `each.in_columns`, and `each.py_func` where
    it is compiled.
    """

    def choose(loop: Callable[..., Any]) -> Loop:
        if numba is None:
            return in_columns
        # divided as NumPy does: a look for zeros before each division would keep loops from several rows at a time
        chosen = _kept(numba.njit(cache=True, error_model="numpy")(loop))
        chosen.in_columns = in_columns
        return chosen

    return choose


def _kept(loop: Any) -> Any:
    """The loop, compiled anew when a file it takes others from has changed, and not only its own.

    numba knows what it keeps on disk by the loop's own file. Those of the package's modules that this file imports from
    are added: from no other can it call a loop.
    """
    cache = getattr(getattr(loop, "_cache", None), "_cache_file", None)
    if cache is not None:
        names = {getattr(each, "__module__", None) or "" for each in loop.py_func.__globals__.values()}
        files = [getattr(sys.modules.get(each), "__file__", None) for each in sorted(names) if each.startswith(PACKAGE)]
        cache._source_stamp = (cache._source_stamp, tuple(_digest(file) for file in files if file))
    return loop


def is_kept(loop: Any) -> bool:
    """Whether numba has compiled the loop in this process, or has it on disk."""
    if getattr(loop, "signatures", None):
        return True
    cache = getattr(getattr(loop, "_cache", None), "_cache_file", None)
    return cache is not None and bool(cache._load_index())


@functools.cache
def _digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
