"""The page of a result (gaps.md, explain.md, allocation.md) as part of a page in the browser."""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup

from konvergensi.report.present import SHOWN

# our own Markdown has no HTML; what comes from a user's files is text, and links lead nowhere else
_READER = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "autolink", "image", "reference"])
_TABLE = '<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'


def page_of(kind: str, folder: Path) -> Markup | None:
    """A result's page as HTML, of the file that the command writes too; None for a kind with a sheet of its own."""
    page = SHOWN[kind].page
    if page is None or not (folder / page[0]).is_file():
        return None
    return of_markdown((folder / page[0]).read_text(encoding="utf-8"))


def of_markdown(text: str) -> Markup:
    """Markdown as our pages are written: headings one step lower, for the browser's page has its own; wide tables
    scroll by themselves.
    """
    tokens = _READER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"
        if token.attrs.pop("style", "") == "text-align:right":  # no page of ours may hold styles of its own
            token.attrSet("class", "right")
    made, heading, number = _READER.renderer.render(tokens, _READER.options, {}), "", 0
    out = []
    for line in made.splitlines(keepends=True):
        if line.startswith("<h"):
            heading = Markup(line).striptags()
        if line.startswith("<table>"):
            number += 1
            line = line.replace("<table>", Markup(_TABLE).format(label=f"{heading} ({number})"))
        out.append(line.replace("</table>", "</table></div>"))
    return Markup("".join(out))
