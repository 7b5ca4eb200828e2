"""One driver at a time: a lock on a store that the system lets go of, however its holder ends."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from konvergensi.base.errors import InputError, fault

LOCK = "lock"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a store for this process. Raises InputError when another one holds it, OSError when it cannot be written."""
    with (folder / LOCK).open("a+") as file:
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
        with (folder / LOCK).open("r+") as file:
            return "" if _take(file) else file.read().strip() or "?"
    except OSError:
        return ""


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
