"""Compiled loops: one pass over columns instead of many, by numba where it is installed and by NumPy where it is not.

Every loop stands beside the NumPy function that says the same in whole columns. The two give the same bits (tests hold
them against each other), so that it is a matter of time alone which of them runs. numba keeps what it has compiled on
disk: the first run after installing compiles, later ones load. Why numba: docs/decisions/0009-speed.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable
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


def part(loop: Loop) -> Loop:
    """A piece that compiled loops of the same file share; without numba as it stands."""
    return loop if numba is None else numba.njit(cache=True, inline="always")(loop)


def together(loop: Loop) -> Loop:
    """A function that calls compiled loops of its own file; without numba as it stands, calling them in columns.

    It takes positional arguments only and has to be plain enough for numba; both ways give the same bits.
    """
    return loop if numba is None else numba.njit(cache=True, error_model="numpy")(loop)


def compiled(in_columns: Loop) -> Callable[[Callable[..., Any]], Loop]:
    """Compile the loop that follows; `in_columns` is the NumPy function with the same arguments and the same bits.

    What comes out takes positional arguments only. Both ways stay at hand: `each.in_columns`, and `each.py_func` where
    it is compiled.
    """

    def choose(loop: Callable[..., Any]) -> Loop:
        if numba is None:
            return in_columns
        # divided as NumPy does: a look for zeros before each division would keep loops from several rows at a time
        chosen = numba.njit(cache=True, error_model="numpy")(loop)
        chosen.in_columns = in_columns
        return chosen

    return choose
