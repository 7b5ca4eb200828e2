"""Write docs/context.md and docs/context.id.md from inputs/context.toml and the calendar of the reform."""

from __future__ import annotations

from pathlib import Path

from konvergensi.base.words import LANGUAGES
from konvergensi.report.context_page import page

DOCS = Path(__file__).resolve().parents[1] / "docs"


def pages() -> dict[Path, str]:
    """Each page with its text."""
    return {DOCS / ("context.md" if lang == "en" else f"context.{lang}.md"): page(lang) for lang in LANGUAGES}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
