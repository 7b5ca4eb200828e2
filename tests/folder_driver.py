"""Results in the writer's eyes, for its tests; as a script, a writer that is killed at its n-th call of the system.

python folder_driver.py OUT CALL     (CALL 0: not killed)
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from konvergensi.base.folders import drafted, seal

# what the writer does to a disk; reading is none of it
CALLS = ("mkdir", "replace", "rename", "unlink", "rmdir", "open", "write", "fsync")

FIRST = {"summary.md": "first", "series.parquet": "1", "figures/map.png": "picture", "figures/old.png": "gone later"}
SECOND = {
    "summary.md": "second",
    "series.parquet": "1",
    "figures/map.png": "other picture",
    "details/a/new.parquet": "n",
}


def write(out: Path, files: dict[str, str]) -> None:
    """Write a result that consists of these files."""
    with drafted(out) as draft:
        for name, text in files.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_text(text)
        seal(draft, {"kind": "run", "version": "0.2.0", "about": files["summary.md"]})


def tree(folder: Path) -> dict[str, str]:
    """Every file, link and folder below, with its content."""

    def shown(path: Path) -> str:
        if path.is_symlink():
            return f"link to {os.readlink(path)}"
        return path.read_text(errors="replace") if path.is_file() else "folder"

    return {path.relative_to(folder).as_posix(): shown(path) for path in sorted(folder.rglob("*"))}


@contextmanager
def counted(at: Callable[[int], None], into: Path) -> Iterator[list[int]]:
    """Call `at` with the number of each call (1, 2, ...) by which the writer is about to change something."""
    seen = [0]
    kept = {name: getattr(os, name) for name in CALLS}

    def wrapped(name: str) -> Callable[..., object]:
        def call(*args: object, **more: object) -> object:
            changes = name != "open" or bool(int(str(args[1])) & (os.O_CREAT | os.O_WRONLY))
            # names relative to an open folder are those of rmtree, which works below the draft
            if changes and (name in ("write", "fsync") or str(into) in str(args[0]) or "dir_fd" in more):
                seen[0] += 1
                at(seen[0])
            return kept[name](*args, **more)

        return call

    try:
        for name in CALLS:
            setattr(os, name, wrapped(name))
        yield seen
    finally:
        for name, function in kept.items():
            setattr(os, name, function)


def main(out: str, call: str) -> None:
    def kill(number: int) -> None:
        if number == int(call):
            os.kill(os.getpid(), signal.SIGKILL)

    with counted(kill, Path(out)):
        write(Path(out), SECOND)


def kill_at_each(
    out: Path, first: int, last: int, prepare: Callable[[Path], None], look: Callable[[Path], None]
) -> None:
    """Let a writer be killed at each of these calls, each time on a folder prepared anew, and look at what is left."""
    for call in range(first, last + 1):
        here = out.with_name(f"{out.name}-{call}")
        prepare(here)
        child = os.fork()
        if child == 0:
            try:
                main(str(here), str(call))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        look(here)


if __name__ == "__main__":
    main(*sys.argv[1:])
