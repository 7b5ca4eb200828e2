"""The page of a result (gaps.md, explain.md, allocation.md) as part of a page in the browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from konvergensi.base.harmless import plain
from konvergensi.report.present import SHOWN

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

# our own Markdown has no HTML; what comes from a user's files is text, and links lead nowhere else
_READER = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "autolink", "image", "reference"])
_TABLE = '<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>'


def page_of(result: Any, lang: Lang, folder: Path, written: str) -> Markup | None:
    """A result's page as HTML: of the file that the command writes too where that is in the page's language, else made
    anew from the same result; None for a kind with a sheet of its own.

    Parameters: written, the language of the files.
    """
    page = SHOWN[result.kind].page
    if page is None or not (folder / page[0]).is_file():
        return None
    text = (folder / page[0]).read_text(encoding="utf-8") if lang == written else plain(page[1](result, lang))
    return of_markdown(text)


def in_language(report: bytes, lang: Lang) -> bytes:
    """A report of both languages, opened in one of them."""

    def switch(found: re.Match[bytes]) -> bytes:
        return found[1] + (b" checked" if found[2] == lang.encode() else b"") + b">"

    return re.sub(rb'(id="show-([a-z]+)" autocomplete="off")(?: checked)?>', switch, report)


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
