"""A page of words and tables, as Markdown and as lines to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Block:
    """A heading, sentences, and a table; each may be missing."""

    heading: str = ""
    sentences: list[str] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)
    after: list[str] = field(default_factory=list)  # sentences below the table
    ends_in_words: bool = False  # the last column is text, not numbers

    def rule(self) -> list[str]:
        """What stands under the headings in Markdown: numbers to the right, words to the left."""
        sides = ["---"] + ["---:"] * (len(self.columns) - 1)
        return [*sides[:-1], "---"] if self.ends_in_words else sides


def markdown(title: str, blocks: Sequence[Block]) -> str:
    """The page as Markdown, ending with a newline."""
    text = [f"# {title}"]
    for block in blocks:
        text += ["", f"## {block.heading}"] if block.heading else []
        for paragraph in (block.sentences, None, block.after):
            if paragraph is None and block.rows:
                text += ["", _markdown(block.columns), _markdown(block.rule())]
                text += [_markdown(row) for row in block.rows]
            elif paragraph:
                text += ["", " ".join(paragraph)]
    return "\n".join(text) + "\n"


def _markdown(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def printed(title: str, blocks: Sequence[Block]) -> list[str]:
    """The page as lines of a terminal."""
    text = [title]
    for block in blocks:
        text += ["", block.heading] if block.heading else [""]
        text += block.sentences
        if block.rows:
            every = [block.columns, *block.rows]
            widths = [max(len(row[column]) for row in every) for column in range(len(block.columns))]
            text += [_aligned(row, widths, block.ends_in_words) for row in every]
        text += block.after
    return text


def _aligned(cells: Sequence[str], widths: Sequence[int], ends_in_words: bool) -> str:
    first, *rest = (cell.rjust(width) for cell, width in zip(cells, widths))
    first = cells[0].ljust(widths[0])
    if ends_in_words and rest:
        rest[-1] = cells[-1]
    return ("  " + "  ".join([first, *rest])).rstrip()
