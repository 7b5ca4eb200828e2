"""Writing a finding down: tables, a page, figures and a manifest, all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from konvergensi.saving import MANIFEST, drafted, write_figure, write_json, write_table, written

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
    with drafted(out, (*(f"{name}.parquet" for name in tables), "figures")) as draft:
        for name, table in tables.items():
            write_table(table, draft / f"{name}.parquet", manifest, LABELS)
        (draft / f"{manifest['kind']}.md").write_text(page, encoding="utf-8")
        (draft / "figures").mkdir()
        for name, figure in figures.items():
            write_figure(figure, draft / "figures" / f"{name}.png")
        write_json(manifest, draft / MANIFEST)
        return written(draft)
