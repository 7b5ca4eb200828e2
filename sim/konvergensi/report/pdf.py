"""A result as a PDF of A4 pages to print: of a comparison the sheet alone on page one, else the page of the result."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib

from konvergensi.base.errors import InputError, fault
from konvergensi.base.harmless import plain
from konvergensi.base.words import Lang, word
from konvergensi.report import decision, front_page, measure_first_page
from konvergensi.report.decision import Sheet

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"  # come with matplotlib; they have every letter the texts use
INK, GREY = "#1A1A1A", "#555555"
_MARGIN = 42  # points, 15 mm
_BESIDE, _BELOW = 2, 2  # figures on a page: they are as high as a phone's screen
# figures of a comparison that are printed, of the many it has
PRINTED = ("trajectories", "difference_over_time", "differences", "cascade", "services", "groups", "map_change",
           "money", "calendar")  # fmt: skip


def write_comparison(comparison: Comparison, path: Path, lang: Lang, figures: Sequence[Path]) -> None:
    """Page one, the page behind it, and figures, four on a page."""
    made = _styles()
    story = [_whole_page(_of_sheet(front_page.front(comparison, lang), made)), *_break()]
    behind = [_text(word("front.details", lang), made["small"])]
    behind += _of_sheet(decision.sheet(comparison, lang), made | {"answer": made["lead"]})
    measure = _of_markdown(measure_first_page.markdown(comparison, lang), made)
    if measure_first_page.block(comparison, lang).rows:
        story += [_whole_page(behind), *_break(), *measure, *_of_figures(figures)]
    else:
        story += [_whole_page([*behind, *measure]), *_of_figures(figures)]
    _build(story, path, lang, front_page.front(comparison, lang).title)


def write_page(markdown: str, path: Path, lang: Lang, figures: Sequence[Path]) -> None:
    """A page of Markdown as we write it (headings, lists, tables, paragraphs), and figures."""
    title = next((line[2:] for line in markdown.splitlines() if line.startswith("# ")), path.stem)
    _build([*_of_markdown(markdown, _styles()), *_of_figures(figures)], path, lang, title)


def _build(story: list[Any], path: Path, lang: Lang, title: str) -> None:
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    def numbered(canvas: Any, document: Any) -> None:
        canvas.setFont(FONT, 7)
        canvas.setFillColor(GREY)
        canvas.drawRightString(A4[0] - _MARGIN, _MARGIN / 2, word("paper.page", lang, n=document.page))

    edges = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), _MARGIN)
    document = SimpleDocTemplate(
        str(path), pagesize=A4, title=plain(title), author="konvergensi", lang=lang, invariant=True, **edges
    )
    document.build(story, onFirstPage=numbered, onLaterPages=numbered)


def _styles() -> dict[str, Any]:
    """Styles by name; the fonts are registered on first use. Raises InputError where reportlab is not installed."""
    try:
        from reportlab.lib.styles import ParagraphStyle
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
    except ImportError:
        raise InputError(fault("", "--pdf", "no_library", name="reportlab")) from None
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (FONT, BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(fonts / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)

    def style(name: str, size: float, font: str = FONT, colour: str = INK, **more: Any) -> Any:
        return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.35, textColor=colour, **more)

    return {
        "title": style("title", 11, BOLD, GREY, spaceAfter=6),
        "answer": style("answer", 14, BOLD, spaceAfter=8),
        "heading": style("heading", 11, BOLD, spaceBefore=9, spaceAfter=3),
        "lead": style("lead", 9.5, BOLD, spaceAfter=4),
        "line": style("line", 9.5, leftIndent=10, bulletIndent=1, spaceAfter=2),
        "text": style("text", 9, spaceAfter=4),
        "cell": style("cell", 7),
        "small": style("small", 7, FONT, GREY, spaceBefore=6),
    }


def _text(text: str, style: Any, bullet: str | None = None) -> Any:
    from reportlab.platypus import Paragraph

    return Paragraph(text, style, bulletText=bullet)


def _of_sheet(sheet: Sheet, made: dict[str, Any]) -> list[Any]:
    story = [_text(_safe(sheet.title), made["title"]), _text(_safe(" ".join(sheet.answer)), made["answer"])]
    for part in sheet.parts:
        story.append(_text(_safe(part.heading), made["heading"]))
        for line in part.lines:
            label = f"<b>{_safe(line.label)}.</b> " if line.label else ""
            story.append(_text(label + _safe(line.text), made["line"], "•"))
    return [*story, _text(_safe(sheet.origin), made["small"])]


def _safe(text: str) -> str:
    """Text as a paragraph of reportlab takes it: nothing in it is markup."""
    return escape(plain(text), quote=False)


def _whole_page(story: list[Any]) -> Any:
    """A page of its own: made smaller until all of it fits."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import KeepInFrame

    wide, high = (side - 2 * _MARGIN - 13 for side in A4)  # a frame has 6 points of its own on each side
    return KeepInFrame(wide, high, story, mode="shrink")


def _break() -> list[Any]:
    from reportlab.platypus import PageBreak

    return [PageBreak()]


def _of_figures(figures: Sequence[Path]) -> list[Any]:
    """Figures in their order, side by side and below each other, each as large as its place."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import Image, PageBreak, Table

    wide, high = (A4[0] - 2 * _MARGIN - 12) / _BESIDE - 8, (A4[1] - 2 * _MARGIN) / _BELOW - 20
    images = []
    for file in figures:
        image = Image(str(file))
        scale = min(wide / image.imageWidth, high / image.imageHeight)
        image.drawWidth, image.drawHeight = image.imageWidth * scale, image.imageHeight * scale
        images.append(image)
    story: list[Any] = []
    for first in range(0, len(images), _BESIDE * _BELOW):
        here = images[first : first + _BESIDE * _BELOW]
        rows = [here[at : at + _BESIDE] for at in range(0, len(here), _BESIDE)]
        story += [PageBreak(), Table([[*row, *[""] * (_BESIDE - len(row))] for row in rows], vAlign="TOP")]
    return story


# ---- Markdown as our pages write it ----------------------------------------------------------------------------------


def _of_markdown(text: str, made: dict[str, Any]) -> list[Any]:
    story: list[Any] = []
    table: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip().strip("|").replace("\\|", "¦").split("|")])
            continue
        if table:
            story.append(_table(table, made))
            table = []
        if line.startswith("#"):
            style = "answer" if line.startswith("# ") else "heading"
            story.append(_text(_marked(line.lstrip("# ")), made[style]))
        elif line.startswith(("- ", "* ")):
            story.append(_text(_marked(line[2:]), made["line"], "•"))
        elif line.strip() and not line.startswith(("![", "---")):
            story.append(_text(_marked(line), made["text"]))
    return story


def _table(rows: list[list[str]], made: dict[str, Any]) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import Table, TableStyle

    kept = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    wide = max(map(len, kept))
    cells = [[_text(_marked(cell), made["cell"]) for cell in [*row, *[""] * (wide - len(row))]] for row in kept]
    room = A4[0] - 2 * _MARGIN - 12
    longest = [min(max(len(row[at]) if at < len(row) else 0 for row in kept), 40) + 3 for at in range(wide)]
    widths = [room * each / sum(longest) for each in longest]
    shown = Table(cells, colWidths=widths, repeatRows=1, spaceBefore=2, spaceAfter=8)
    line = ("LINEBELOW", (0, 0), (-1, -1), 0.25, HexColor("#BBBBBB"))
    shown.setStyle(TableStyle([line, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)]))
    return shown


def _marked(text: str) -> str:
    """A line of our Markdown as reportlab's markup: bold, code, links as their text, escapes taken off."""
    parts: Iterable[str] = re.split(r"(\*\*.+?\*\*|`[^`]+`|\[[^\]]+\]\([^)]+\))", text)
    made = []
    for part in parts:
        if part.startswith("**"):
            made.append(f"<b>{_safe(_unescaped(part[2:-2]))}</b>")
        elif found := re.fullmatch(r"\[([^\]]+)\]\([^)]+\)", part):
            made.append(_safe(_unescaped(found[1])))
        else:
            made.append(_safe(_unescaped(part.strip("`"))))
    return "".join(made)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\\`*\[\]<>|#$_])", r"\1", text).replace("¦", "|")
