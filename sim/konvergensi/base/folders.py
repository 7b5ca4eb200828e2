"""The one safe writer of folders: staged inside the folder, then moved into place.

What a folder's manifest lists with its checksum is ours and may be replaced; everything else stays as it is.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest, read_bytes

if TYPE_CHECKING:
    import pandas as pd

MANIFEST = "manifest.json"


def claimed(out: Path) -> None:
    """See that `out` can be made and written into, before any work. Raises InputError when it cannot."""
    made: list[Path] = []
    try:
        for folder in reversed([each for each in (out, *out.parents) if not each.exists()]):
            folder.mkdir()
            made.append(folder)
        with tempfile.TemporaryFile(dir=out):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(fault(out, "--out", "unwritable", reason=reason)) from None
    finally:
        for folder in reversed(made):
            folder.rmdir()


@contextmanager
def drafted(out: Path) -> Iterator[Path]:
    """Yield an empty folder to write into; when that went well, what stands in it is moved into `out`.

    The manifest comes last: a folder with a manifest is whole. Raises OSError when `out` cannot be written; then, and
    when the writing fails, `out` is left as it was.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".konvergensi-draft-", dir=out) as temporary:
        draft = Path(temporary)
        yield draft
        files = sorted(path for path in draft.rglob("*") if path.is_file())
        for file in sorted(files, key=lambda path: path == draft / MANIFEST):
            place = out / file.relative_to(draft)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, place)


def write_table(table: pd.DataFrame, file: Path, attrs: Mapping[str, Any]) -> None:
    """Write a table as Parquet, saying of itself what `attrs` holds (as `DataFrame.attrs`)."""
    labelled = table.copy(deep=False)
    labelled.attrs = table.attrs | dict(attrs)
    labelled.to_parquet(file, index=False)


def seal(draft: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Write the manifest with the checksum of every file of a draft; return the names, the manifest last."""
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    sums = {path.relative_to(draft).as_posix(): digest(path.read_bytes()) for path in files}
    write_json({**manifest, "files": sums}, draft / MANIFEST)
    tops = dict.fromkeys(name.partition("/")[0] + ("/" if "/" in name else "") for name in sums)
    return [*tops, MANIFEST]


def write_json(content: Mapping[str, Any], file: Path) -> None:
    """Write a manifest for people to read too."""
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(file: Path) -> dict[str, Any]:
    """Read a manifest. Raises InputError when it is missing, cannot be read, or is none."""
    try:
        content = json.loads(read_bytes(file))
    except ValueError as error:
        raise InputError(fault(file, "", "unreadable", reason=error)) from None
    if not isinstance(content, dict):
        raise InputError(fault(file, "", "unreadable", reason="no table of names and values"))
    return content
