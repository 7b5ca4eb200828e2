"""What in a folder is ours, told by checksums, and what stands in the way of writing there.

Ours is what the manifest lists and is still as it was written. While files are being moved into place, an intent beside
the manifest lists the checksums from before and after, so that a folder left by a kill is known as ours as well.
"""

from __future__ import annotations

import fnmatch
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from konvergensi.base.errors import Fault, fault
from konvergensi.base.files import digest, read_bytes

MANIFEST = "manifest.json"
INTENT = ".konvergensi-intent.json"
CHECKSUM = "checksum"  # of a manifest, over everything else in it
STUDY, EXPORT = "study", "study-export"  # kinds of manifest that are no result's
STORE_FOLDERS = ("runs", "series", "groups", "shards", "damaged")


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest with its own checksum, which tells whether anything in it was changed."""
    own = {name: value for name, value in content.items() if name != CHECKSUM}
    return own | {CHECKSUM: _checksum(own)}


def is_sealed(content: Mapping[str, Any]) -> bool:
    """Whether the manifest is as it was written."""
    return CHECKSUM in content and sealed(content)[CHECKSUM] == content[CHECKSUM]


def _checksum(content: Mapping[str, Any]) -> str:
    as_read = json.loads(json.dumps(content))  # keys are text once they were written
    return digest(json.dumps(as_read, sort_keys=True).encode())


@dataclass(frozen=True)
class Owned:
    """Ours in a folder: name -> checksums that it may have; the manifest, None when there is none."""

    sums: dict[str, set[str]] = field(default_factory=dict)
    manifest: dict[str, Any] | None = None


def read_object(file: Path) -> dict[str, Any] | None:
    """A regular file with a JSON object, not through a link; None when it is anything else."""
    try:
        content = json.loads(read_bytes(file)) if is_file(file) else None
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def owned(folder: Path) -> tuple[Owned, tuple[str, Fault] | None]:
    """What is ours in a folder that exists, and what is wrong with its manifest or intent: name and reason."""
    sums: dict[str, set[str]] = {}
    manifest = None
    if os.path.lexists(folder / INTENT):
        intent = read_object(folder / INTENT)
        if intent is None or not is_sealed(intent) or not _names_inside(intent["ours"]):
            return Owned(), (INTENT, fault("", "", "way_foreign"))
        for name, listed in intent["ours"].items():
            sums.setdefault(name, set()).update(listed)
    if os.path.lexists(folder / MANIFEST):
        manifest = read_object(folder / MANIFEST)
        if reason := unlike_ours(manifest):
            return Owned(), (MANIFEST, reason)
        assert manifest is not None
        for name, listed in manifest["files"].items():
            sums.setdefault(name, set()).add(listed)
        sums.setdefault(MANIFEST, set()).add(digest((folder / MANIFEST).read_bytes()))
    return Owned(sums, manifest), None


def unlike_ours(manifest: Mapping[str, Any] | None) -> Fault | None:
    """Why what stands under the name of a manifest is none of a result of this version; None when it is one."""
    if manifest is None:
        return fault("", "", "way_foreign")
    if is_store(manifest):
        return fault("", "", "way_store")
    if CHECKSUM in manifest and isinstance(manifest.get("files"), dict):
        good = is_sealed(manifest) and _names_inside(manifest["files"])
        return None if good else fault("", "", "way_changed")
    if "version" in manifest and ("hashes" in manifest or "packages" in manifest):
        return fault("", "", "way_old", version=manifest["version"])
    return fault("", "", "way_foreign")


def is_store(manifest: Mapping[str, Any]) -> bool:
    """Whether a manifest is that of a study's store, of this version or an earlier one."""
    return manifest.get("kind") == STUDY or ("kind" not in manifest and {"format", "study"} <= set(manifest))


def obstacle(folder: Path, ours: Owned, targets: Iterable[str]) -> tuple[str, Fault] | None:
    """What stands in the way of writing `targets` into a folder that exists: its name inside, and why.

    Targets are names with `/` between folders; the last part may be a pattern.
    """
    if inside := _store_around(folder):
        return str(inside), fault("", "", "way_store")
    for name, sums in ours.sums.items():
        if reason := _path_fault(folder, name):
            return reason
        file = folder / name
        if os.path.lexists(file) and not (is_file(file) and digest(file.read_bytes()) in sums):
            return name, fault("", "", "way_link" if file.is_symlink() else "way_changed")
    for target in targets:
        for name in _matching(folder, target):
            if reason := _path_fault(folder, name):
                return reason
            if name not in ours.sums and os.path.lexists(folder / name):
                return name, _foreign(folder / name)
    return None


def parents_of(names: Iterable[str]) -> list[str]:
    """The folders in which these names lie, outer ones first, without the folder itself."""
    every = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    return sorted(every - {"."})


def is_file(path: Path) -> bool:
    """Whether this is a regular file, and no link to one."""
    return os.path.lexists(path) and stat.S_ISREG(os.lstat(path).st_mode)


def _names_inside(names: Mapping[str, Any]) -> bool:
    """Whether all names lie inside the folder: a manifest from elsewhere may say anything."""
    parts = [(name, PurePosixPath(name)) for name in names]
    return all(
        str(path) == name and name != "." and not path.is_absolute() and ".." not in path.parts and "\\" not in name
        for name, path in parts
    )


def _path_fault(folder: Path, name: str) -> tuple[str, Fault] | None:
    """Whether a link, a file or another file system stands where a name needs a folder."""
    for parent in parents_of([name]):
        place = folder / parent
        if place.is_symlink():
            return parent, fault("", "", "way_link")
        if os.path.lexists(place):
            if not place.is_dir():
                return parent, fault("", "", "way_file")
            if os.lstat(place).st_dev != os.stat(folder).st_dev:
                return parent, fault("", "", "way_mount")
    return None


def _foreign(path: Path) -> Fault:
    if path.is_symlink():
        return fault("", "", "way_link")
    return fault("", "", "way_folder" if path.is_dir() else "way_foreign")


def _matching(folder: Path, target: str) -> list[str]:
    """The names in a folder that a target stands for; a target that is no pattern stands for itself."""
    if not set(target) & set("*?["):
        return [target]
    parts = PurePosixPath(target).parts
    found = [""]
    for at, part in enumerate(parts):
        inner = []
        for start in found:
            place = folder / start
            last = at == len(parts) - 1
            there = sorted(os.listdir(place)) if place.is_dir() and not place.is_symlink() else []
            inner += [f"{start}{each}{'' if last else '/'}" for each in there if fnmatch.fnmatchcase(each, part)]
            blocked = place.is_symlink() or not place.is_dir()
            if start and blocked and os.path.lexists(place) and "*" not in "".join(parts[:at]):
                inner.append(f"{start}{part}")  # a file or link where a folder belongs: told by `_path_fault`
        found = inner
    return [name.rstrip("/") for name in found]


def _store_around(folder: Path) -> Path | None:
    """The store in whose own folders this one lies, if it does."""
    for parent in folder.parents:
        first = folder.relative_to(parent).parts[0]
        if first in STORE_FOLDERS and (found := read_object(parent / MANIFEST)) and is_store(found):
            return parent
    return None
