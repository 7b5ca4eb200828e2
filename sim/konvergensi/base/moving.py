"""Moving a finished draft into its folder, so that whoever is killed at whatever moment leaves old or new, not both.

Before the first file is moved, an intent says what was there and what is coming. Whoever claims the folder next finds
it and finishes the moves.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from konvergensi.base.files import digest
from konvergensi.base.owned import INTENT, MANIFEST, Owned, is_file, is_sealed, parents_of, read_object, sealed

DRAFT, MARKER = ".konvergensi-draft-", "konvergensi-draft.json"
NEW, OLD = "new", "old"  # inside a draft: what is coming, and what it replaces


@contextlib.contextmanager
def held(folder: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a folder for this process, by a lock of the system that ends with it; yields whether it is held.

    Where folders cannot be locked (Windows, some network file systems), it is taken as held.
    """
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except (ImportError, AttributeError):  # pragma: no cover - Windows
        yield True
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            free = True
        except BlockingIOError:
            free = False
        except OSError:
            free = True
        yield free
    finally:
        os.close(handle)


@contextlib.contextmanager
def draft_in(folder: Path) -> Iterator[Path]:
    """A draft inside a folder that exists, removed at the end; yields it with its empty folder NEW."""
    with contextlib.ExitStack() as at_end:
        with held(folder):  # whoever sweeps holds it too, and so never meets a draft before its marker
            draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder))
            at_end.callback(_remove, draft)
            at_end.enter_context(held(draft))
            write_new(draft / MARKER, _marker(draft))
        (draft / NEW).mkdir()
        yield draft


def sweep(folder: Path) -> None:
    """Remove drafts of ours that nobody is at work on any more, but the one that an intent still needs.

    The folder must be held.
    """
    needed = (read_object(folder / INTENT) or {}).get("draft")
    for draft in sorted(folder.glob(f"{DRAFT}*")):
        if draft.is_symlink() or not draft.is_dir() or draft.name == needed:
            continue
        if _is_ours(draft):
            with held(draft, wait=False) as free:
                if free:
                    _remove(draft)


def _remove(draft: Path) -> None:
    """Remove a draft, its marker last, so that a draft of which a kill left something is still known as ours."""
    with contextlib.suppress(OSError):
        for inside in sorted(draft.iterdir(), key=lambda path: path.name == MARKER):
            if inside.is_dir() and not inside.is_symlink():
                shutil.rmtree(inside)
            else:
                os.unlink(inside)
        os.rmdir(draft)


def _is_ours(draft: Path) -> bool:
    """Whether a draft has the marker, or was killed before it had more than the beginning of one."""
    there = os.listdir(draft)
    if not there:
        return True
    marked = is_file(draft / MARKER) and (draft / MARKER).read_bytes()
    return marked == _marker(draft) or (marked is not False and there == [MARKER] and _marker(draft).startswith(marked))


def _marker(draft: Path) -> bytes:
    return json.dumps({"draft_of": "konvergensi", "name": draft.name}).encode()


def sums_of(folder: Path) -> dict[str, str]:
    """Checksums of all files below a folder, the manifest last."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files.sort(key=lambda path: path == folder / MANIFEST)
    return {path.relative_to(folder).as_posix(): digest(path.read_bytes()) for path in files}


def put_in_place(folder: Path, draft: Path, ours: Owned) -> None:
    """Move what stands in the draft's NEW into the folder in place of what is ours there.

    Raises OSError when that fails; then the folder is as it was.
    """
    new = sums_of(draft / NEW)
    for path in sorted((draft / NEW).rglob("*")):
        _sync(path)
    known = {name: sorted(ours.sums.get(name, set()) | {new.get(name, "")} - {""}) for name in {*ours.sums, *new}}
    write_new(draft / "intent", _as_json(sealed({"draft": draft.name, "ours": known, "new": new})))
    undo: list[tuple[Path, Path]] = []
    made: list[Path] = []
    stood = os.path.lexists(folder / INTENT)  # of moves that could not be finished; the new one knows all it knew
    os.replace(draft / "intent", folder / INTENT)
    try:
        _sync(folder)
        for name in [*reversed(new), *sorted(set(ours.sums) - set(new))]:  # the old manifest first
            if os.path.lexists(folder / name):
                _move(folder / name, draft / OLD / name, undo, [])
        for name in new:
            _move(draft / NEW / name, folder / name, undo, made)
        _sync(folder)
        os.unlink(folder / INTENT)
    except BaseException:
        with contextlib.suppress(OSError):  # what cannot be undone either, the next one finishes by the intent
            for source, target in reversed(undo):
                os.replace(target, source)
            for parent in reversed(made):
                os.rmdir(parent)
            if not stood:
                os.unlink(folder / INTENT)
        raise


def finish(folder: Path) -> None:
    """Finish the moves that a killed process left undone; when the draft is not whole any more, leave them."""
    intent = read_object(folder / INTENT)
    if intent is None or not is_sealed(intent) or Path(intent["draft"]).name != intent["draft"]:
        return
    draft = folder / intent["draft"]
    coming = [name for name, total in intent["new"].items() if not _is(folder / name, [total])]
    here = [name for name in intent["ours"] if name not in intent["new"] or name in coming]
    here = [name for name in here if os.path.lexists(folder / name)]
    if not all(_is(draft / NEW / name, [intent["new"][name]]) for name in coming) or draft.is_symlink():
        return
    if not all(_is(folder / name, intent["ours"][name]) for name in here):
        return  # changed by others meanwhile: told by who checks the folder
    if any((folder / parent).is_symlink() for parent in parents_of(intent["ours"])):
        return
    for name in sorted(here, key=lambda name: name != MANIFEST):
        _move(folder / name, draft / OLD / name, [], [])
    for name in coming:
        _move(draft / NEW / name, folder / name, [], [])
    os.unlink(folder / INTENT)
    _remove(draft)


def _is(file: Path, sums: list[str]) -> bool:
    return is_file(file) and digest(file.read_bytes()) in sums


def _move(source: Path, target: Path, undo: list[tuple[Path, Path]], made: list[Path]) -> None:
    make_folder(target.parent, made)
    os.replace(source, target)
    undo.append((source, target))


def make_folder(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it, noting each that was made. Raises OSError."""
    for each in reversed([each for each in (folder, *folder.parents) if not os.path.lexists(each)]):
        os.mkdir(each)
        made.append(each)
    if not folder.is_dir():
        os.mkdir(folder)  # raises with the system's own word


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not be there yet, down to the disk. Raises OSError; then there is none."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(handle)


def _sync(path: Path) -> None:
    """See that the disk holds it; folders as far as the system can."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        os.close(handle)


def _as_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode()
