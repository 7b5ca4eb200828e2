"""One driver at a time: a lock on a store that the system lets go of, however its holder ends."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from konvergensi.base.errors import InputError, fault

LOCK = "lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a store for this process. Raises InputError when another one holds it, OSError when it cannot be written."""
    with _opened(folder / LOCK, os.O_CREAT) as file:
        if not _take(file):
            file.seek(0)
            raise InputError(fault(folder, "", "store_in_use", by=file.read().strip() or "?"))
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def holder(folder: Path) -> str:
    """Who holds the store, empty when nobody does."""
    try:
        with _opened(folder / LOCK) as file:
            return "" if _take(file) else file.read().strip() or "?"
    except OSError:
        return ""


def _opened(path: Path, more: int = 0) -> Any:
    """The lock's file. Raises OSError when it is a link, or no file: nothing outside the store is written."""
    flags = os.O_RDWR | more | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path.name} is no file")
    return os.fdopen(handle, "r+", encoding="utf-8")


def _take(file: Any) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(4096)  # behind the text, which others read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            file.seek(0)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
