"""Writing a finding down: tables, a page, figures and a manifest, all of it or nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABELS = ("version", "district", "scenarios", "start", "end", "draws", "seeds", "population_share", "synthetic_inputs",
          "intervals")  # fmt: skip


def write(
    out: Path, tables: Mapping[str, pd.DataFrame], page: str, figures: Mapping[str, Figure], manifest: dict[str, Any]
) -> list[str]:
    """Write into `out` and return the names; what was there under these names is replaced, figures as a whole.

    Parameters: page, Markdown, written as <kind>.md with the manifest's kind. Raises OSError when `out` cannot be
    written.
    """
    from konvergensi.report.figures import DPI

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
        draft = Path(temporary)
        for name, table in tables.items():
            labelled = table.copy(deep=False)
            labelled.attrs = {key: manifest[key] for key in LABELS}  # pandas keeps attrs in the Parquet file
            labelled.to_parquet(draft / f"{name}.parquet", index=False)
        (draft / f"{manifest['kind']}.md").write_text(page, encoding="utf-8")
        (draft / "figures").mkdir()
        for name, figure in figures.items():
            figure.savefig(draft / "figures" / f"{name}.png", dpi=DPI, metadata={"Software": "konvergensi"})
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        (draft / "manifest.json").write_text(text, encoding="utf-8")
        return _replace(draft, out)


def _replace(draft: Path, out: Path) -> list[str]:
    """Move a finished draft into place; the manifest last, so that a folder with a manifest is whole."""
    (out / "manifest.json").unlink(missing_ok=True)
    entries = sorted(draft.iterdir(), key=lambda path: (path.name == "manifest.json", path.name))
    names = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
    for entry in entries:
        if entry.is_dir():
            shutil.rmtree(out / entry.name, ignore_errors=True)
        os.replace(entry, out / entry.name)
    return names
