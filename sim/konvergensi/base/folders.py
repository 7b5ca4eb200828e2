"""The one safe writer of folders: staged inside the folder, then moved into place.

What a folder's manifest lists with its checksum is ours and may be replaced; everything else stays as it is, and what
stands in the way is told before any work (docs/decisions/0024-folders.md). `owned` knows what is ours, `moving` moves.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from konvergensi.base import moving
from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.files import digest, read_bytes
from konvergensi.base.owned import MANIFEST, Owned, obstacle, owned, parents_of, sealed

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MANIFEST",
    "InTheWay",
    "claimed",
    "drafted",
    "free_beside",
    "read_json",
    "seal",
    "write_json",
    "write_table",
]

LEAST_FREE = 16_000_000  # bytes on a disk before a result is begun; full-size Lebak with its figures takes 5 MB


class InTheWay(InputError):
    """Something that is not ours stands where a result belongs; `free` is a name that can be taken instead."""

    def __init__(self, faults: Fault, free: Path):
        super().__init__(faults)
        self.free = free


def claimed(out: Path, names: Iterable[str] = ()) -> dict[str, Any] | None:
    """See that `names` can be written into `out`, before any work; return the manifest of ours they would replace.

    Parameters: names, of the files that will be written, `/` between folders, the last part may be a pattern.
    Raises InTheWay when something that is not ours stands in the way, InputError when `out` cannot be made or written.
    What an earlier process left half-moved is finished first.
    """
    names = list(names)
    with _told(out):
        real = _real(out)
        made: list[Path] = []
        try:
            moving.make_folder(real, made)
            with moving.held(real):
                ours = _checked(out, real, names)
                moving.sweep(real)
            _probe(real, names, ours)
        finally:
            _unmake(made)
    return ours.manifest


@contextmanager
def drafted(out: Path) -> Iterator[Path]:
    """Yield an empty folder to write into and `seal`; when that went well, what stands in it is moved into `out`.

    What is ours in `out` is replaced, or removed when it is not made any more. The manifest comes last: a folder with a
    manifest is whole. Raises InTheWay when something that is not ours stands in the way, OSError when `out` cannot be
    written; then, and when the writing fails, `out` is left as it was.
    """
    real = _real(out)
    made: list[Path] = []
    try:
        moving.make_folder(real, made)
        with moving.draft_in(real) as draft:
            yield draft / moving.NEW
            if not (draft / moving.NEW / MANIFEST).is_file():
                raise ValueError("a draft must be sealed")
            with moving.held(real):
                ours = _checked(out, real, moving.sums_of(draft / moving.NEW))
                moving.put_in_place(real, draft, ours)
    except BaseException:
        _unmake(made)
        raise


@contextmanager
def drafted_file(path: Path) -> Iterator[Path]:
    """Yield a name to write a new file under; when that went well, it becomes `path`, whole.

    Raises InTheWay when there is anything at `path` already, OSError when it cannot be written.
    """
    _refuse_taken(path)
    made: list[Path] = []
    try:
        moving.make_folder(path.parent.resolve(), made)
        with moving.draft_in(path.parent.resolve()) as draft:
            yield draft / moving.NEW / "file"
            _refuse_taken(path)
            os.replace(draft / moving.NEW / "file", path)
    except BaseException:
        _unmake(made)
        raise


def _refuse_taken(path: Path) -> None:
    if not os.path.lexists(path):
        return
    ending = "".join(path.suffixes)
    tries = (path.with_name(f"{path.name.removesuffix(ending)}-{number}{ending}") for number in range(2, 10**6))
    free = next(each for each in tries if not os.path.lexists(each))
    raise InTheWay(fault(path, "", "file_in_the_way", free=free), free)


def free_beside(out: Path) -> Path:
    """A name that nobody has taken: `out-2` and so on; inside `out` where it has no name or nothing fits beside it."""
    beside = out.name and os.access(out.parent if out.parent.exists() else ".", os.W_OK)
    start = out if beside and len(out.name) < 250 else out / "konvergensi"
    number = 2
    while os.path.lexists(found := start.with_name(f"{start.name}-{number}")):
        number += 1
    return found


def _real(out: Path) -> Path:
    """The folder that a path leads to, through links. Raises OSError when links go round, ValueError for a NUL."""
    try:
        return out.resolve()
    except RuntimeError as error:  # links that go round, before Python 3.13
        raise OSError(str(error)) from None


def _unmake(made: list[Path]) -> None:
    with suppress(OSError):  # not empty: somebody uses them
        for folder in reversed(made):
            os.rmdir(folder)


def _checked(out: Path, real: Path, names: Iterable[str]) -> Owned:
    """What is ours in a folder. Raises InTheWay when something stands in the way of the names."""
    moving.finish(real)
    ours, wrong = owned(real)
    wrong = wrong or obstacle(real, ours, names)
    if wrong:
        free = free_beside(out)
        raise InTheWay(fault(out, "", "in_the_way", name=wrong[0], reason=wrong[1], free=free), free)
    return ours


def _probe(real: Path, names: Iterable[str], ours: Owned) -> None:
    """Do in small what saving will do. Raises OSError."""
    with moving.draft_in(real) as draft:
        probe = draft / moving.NEW / "figures" / "a-figure-whose-name-is-as-long-as-they-get.parquet"
        moving.make_folder(probe.parent, [])
        moving.write_new(probe, b"konvergensi")
        os.replace(probe, draft / "moved")
    for parent in parents_of([*names, *ours.sums]):
        if (real / parent).is_dir() and not os.access(real / parent, os.W_OK | os.X_OK):
            raise OSError(f"{parent}: no right to write")
    if shutil.disk_usage(real).free < LEAST_FREE:
        raise OSError(f"less than {LEAST_FREE // 1_000_000} MB are free")


@contextmanager
def _told(out: Path) -> Iterator[None]:
    """Tell what the system says of a folder as an InputError."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(fault(out, "--out", "unwritable", reason=reason)) from None


def write_table(table: pd.DataFrame, file: Path, attrs: Mapping[str, Any]) -> None:
    """Write a table as Parquet, saying of itself what `attrs` holds (as `DataFrame.attrs`)."""
    labelled = table.copy(deep=False)
    labelled.attrs = table.attrs | dict(attrs)
    labelled.to_parquet(file, index=False)


def seal(draft: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Write the manifest with the checksum of every file of a draft, and its own; return the names, it last."""
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    sums = {path.relative_to(draft).as_posix(): digest(path.read_bytes()) for path in files}
    write_json(sealed({**manifest, "files": sums}), draft / MANIFEST)
    tops = dict.fromkeys(name.partition("/")[0] + ("/" if "/" in name else "") for name in sums)
    return [*tops, MANIFEST]


def write_json(content: Mapping[str, Any], file: Path) -> None:
    """Write a manifest for people to read too."""
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(file: Path) -> dict[str, Any]:
    """Read a manifest. Raises InputError when it is missing, cannot be read, or is none."""
    try:
        content = json.loads(read_bytes(file))
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(fault(file, "", "unreadable", reason=error)) from None
    if not isinstance(content, dict):
        raise InputError(fault(file, "", "unreadable", reason="no table of names and values"))
    return content
