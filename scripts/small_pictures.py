"""Pictures of pages: a figure scaled down from the size where its text was laid out to fit."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from konvergensi.report import theme
from konvergensi.report.figures import DPI

WIDTH = 1000  # pixels


def save_small(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG of WIDTH pixels and 256 colours."""
    drawn = BytesIO()
    with matplotlib.rc_context(theme.STYLE):  # type: ignore[arg-type]
        figure.savefig(drawn, dpi=DPI)
    picture = Image.open(drawn).convert("RGB")
    size = (WIDTH, round(WIDTH * picture.height / picture.width))
    small = picture.resize(size, Image.Resampling.LANCZOS).quantize(256, Image.Quantize.FASTOCTREE)
    small.save(path, optimize=True)
