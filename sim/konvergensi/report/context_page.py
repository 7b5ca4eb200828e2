"""What came since 2024, dated and graded, the calendar of the reform, and what exists and is not modelled."""

from __future__ import annotations

from konvergensi.base.months import format_month
from konvergensi.base.words import Lang, month_name, month_of_year, word
from konvergensi.inputs.context import context
from konvergensi.inputs.parameters import load_parameters
from konvergensi.report.blocks import Block, markdown
from konvergensi.report.origin import plain


def begins() -> str:
    """The month of the first event, YYYY-MM: what ends before it needs no context."""
    return format_month(min(each.month for each in context().event))


def events(lang: Lang) -> Block:
    """Each event with its month, whether the model acts on it, grade and source."""
    names = ("month", "said", "modelled", "grade", "source")
    rows: list[tuple[str, ...]] = [
        (month_name(format_month(each.month), lang), each.said[lang],
         word("report.true" if each.modelled else "report.false", lang), word(f"report.grade.{each.grade}", lang),
         each.source[lang])
        for each in sorted(context().event, key=lambda event: event.month)
    ]  # fmt: skip
    return Block(word("context.events", lang), [word("context.lead", lang)], _columns(names, lang), rows)


def calendar(lang: Lang) -> Block:
    """The months of the reform's actions as the model has them."""
    rows: list[tuple[str, ...]] = []
    for month_of in context().calendar:
        each = load_parameters()[month_of.key]
        said = str(each.arti if lang == "id" else each.meaning).rstrip(".")
        month = month_of_year(int(each.value), lang)
        rows.append((said, month, word(f"report.grade.{each.grade}", lang), month_of.source[lang]))
    columns = _columns(("action", "usual", "grade", "source"), lang)
    return Block(word("context.calendar", lang), [], columns, rows)


def left_out(lang: Lang) -> Block:
    """What exists and is not modelled, and why."""
    rows: list[tuple[str, ...]] = [(each.name[lang], each.why[lang]) for each in context().left_out]
    return Block(word("context.left_out", lang), [], _columns(("name", "why"), lang), rows)


def page(lang: Lang) -> str:
    """The page as Markdown, as docs/context.md has it; ends with a newline."""
    shown = [events(lang), calendar(lang), left_out(lang)]
    for block in shown:
        block.rows = [tuple(plain(cell) for cell in row) for row in block.rows]
    return markdown(word("context.heading", lang), shown).replace("---:", "---")  # words, no numbers


def _columns(names: tuple[str, ...], lang: Lang) -> tuple[str, ...]:
    return tuple(word(f"context.column.{name}", lang) for name in names)
