"""Folders of results: written beside their place, then moved into it, so that nothing half-written is ever read."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MANIFEST = "manifest.json"


@contextmanager
def drafted(out: Path, stale: Iterable[str]) -> Iterator[Path]:
    """Yield an empty folder to write into; when that went well, what stands in it is moved into `out`.

    Parameters: stale, names of files and folders that an earlier start may have left in `out`; they are removed.
    The manifest goes first and comes last: a folder with a manifest is whole. Raises OSError when `out` cannot be
    written; then, and when the writing fails, `out` is left as it was.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
        draft = Path(temporary)
        yield draft
        out.mkdir(exist_ok=True)
        for name in (MANIFEST, *stale):
            if (out / name).is_dir():
                shutil.rmtree(out / name)
            else:
                (out / name).unlink(missing_ok=True)
        files = sorted(path for path in draft.rglob("*") if path.is_file())
        for file in sorted(files, key=lambda path: path == draft / MANIFEST):
            place = out / file.relative_to(draft)
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, place)


def write_table(table: pd.DataFrame, file: Path, manifest: Mapping[str, Any], labels: Iterable[str]) -> None:
    """Write a table as Parquet, saying of itself what `labels` name of the manifest (as `DataFrame.attrs`)."""
    labelled = table.copy(deep=False)
    labelled.attrs = {label: manifest[label] for label in labels}
    labelled.to_parquet(file, index=False)


def written(draft: Path) -> list[str]:
    """Names of what stands in a draft, the manifest last; a folder ends in /."""
    entries = sorted(draft.iterdir(), key=lambda path: (path.name == MANIFEST, path.name))
    return [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]


def write_json(content: Mapping[str, Any], file: Path) -> None:
    """Write a manifest for people to read too."""
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_figure(figure: Figure, file: Path) -> None:
    """Write a figure as PNG; its folder is made."""
    from konvergensi.report.figures import DPI

    file.parent.mkdir(exist_ok=True)
    figure.savefig(file, dpi=DPI, metadata={"Software": "konvergensi"})
