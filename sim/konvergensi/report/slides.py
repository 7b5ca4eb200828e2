"""A comparison as five slides with text and chart to edit: answer, how sure, what to do, money, what is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from konvergensi.base.errors import InputError, fault
from konvergensi.base.harmless import plain
from konvergensi.base.words import Lang, word, word_or
from konvergensi.report import front_page
from konvergensi.report import readings_comparison as compared
from konvergensi.report.decision import Line, Part, Sheet

if TYPE_CHECKING:
    from konvergensi.results.comparison import Comparison

SLIDES = 5
_WIDE, _HIGH = 13.333, 7.5  # inches, 16:9
_LEFT = 0.6
_LEAST_RP = 5e7  # of a source in a year: less would be a bar of nothing, 0.0
_LINES = 10  # on a slide; the rest goes into the notes


def write_slides(comparison: Comparison, path: Path, lang: Lang) -> None:
    """Write the five slides. Raises InputError where python-pptx is not installed."""
    try:
        from pptx import Presentation
        from pptx.util import Inches
    except ImportError:
        raise InputError(fault("", "--pptx", "no_library", name="python-pptx")) from None
    sheet = front_page.front(comparison, lang)
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(_WIDE), Inches(_HIGH)
    deck.core_properties.title, deck.core_properties.author = plain(sheet.title), "konvergensi"
    _opening(deck, sheet)
    for heading, lines, chart in _middle(comparison, sheet, lang):
        _slide(deck, heading, lines, sheet.origin, _by_source(comparison, lang) if chart else None, lang)
    deck.save(str(path))


def _middle(comparison: Comparison, sheet: Sheet, lang: Lang) -> list[tuple[str, list[Line], bool]]:
    """Headings and lines of slides two to five, and whether the chart of money stands there."""
    parts = {part.heading: part for part in sheet.parts}

    def named(name: str) -> Part | None:
        return parts.get(word(f"front.heading.{name}", lang))

    lost = [part for heading, part in parts.items() if heading not in {
        word(f"front.heading.{name}", lang) for name in ("sure", "costs", "do", "unseen", "changes")}]  # fmt: skip
    changes = _lines(named("changes"))
    if named("do") is None:  # nothing but events: what is lost fills two slides
        told = _lines(*lost)
        half = -(-len(told) // 2)
        heading = lost[0].heading if lost else sheet.title
        money = word("paper.money_by_source", lang)
        return [(heading, told[:half], False), (heading, told[half:], False), (money, [], True),
                (word("front.heading.changes", lang), changes, False)]  # fmt: skip
    sure = (word("front.heading.sure", lang), [*_lines(named("sure")), *_lines(named("unseen"))], False)
    do = (word("front.heading.do", lang), _lines(named("do")), False)
    costs = (word("front.heading.costs", lang), _lines(named("costs")), True)
    last = (word("front.heading.changes", lang), changes, False)
    if lost:
        last = (lost[0].heading, [*_lines(*lost), *changes], False)
    return [sure, do, costs, last]


def _lines(*parts: Part | None) -> list[Line]:
    return [line for part in parts if part is not None for line in part.lines]


def _opening(deck: Any, sheet: Sheet) -> None:
    from pptx.dml.color import RGBColor
    from pptx.util import Inches

    slide = deck.slides.add_slide(deck.slide_layouts[6])
    box = slide.shapes.add_textbox(Inches(_LEFT), Inches(0.5), Inches(_WIDE - 2 * _LEFT), Inches(0.8))
    box.text_frame.word_wrap = True
    _put(box.text_frame, plain(sheet.title), 20, colour=RGBColor(0x55, 0x55, 0x55))
    body = slide.shapes.add_textbox(Inches(_LEFT), Inches(1.6), Inches(_WIDE - 2 * _LEFT), Inches(4.6))
    text = plain(" ".join(sheet.answer))
    body.text_frame.word_wrap = True
    _put(body.text_frame, text, 34 if len(text) < 260 else 26, bold=True)
    _footer(slide, sheet.origin)


def _slide(deck: Any, heading: str, lines: list[Line], origin: str, money: dict[str, float] | None, lang: Lang) -> None:
    from pptx.util import Inches, Pt

    slide = deck.slides.add_slide(deck.slide_layouts[6])
    top = slide.shapes.add_textbox(Inches(_LEFT), Inches(0.4), Inches(_WIDE - 2 * _LEFT), Inches(0.9))
    top.text_frame.word_wrap = True
    _put(top.text_frame, plain(heading), 28 if len(heading) < 60 else 22, bold=True)
    chart = money is not None and any(money.values())
    wide = (_WIDE - 2 * _LEFT) * (0.5 if chart and lines else 1.0)
    shown = lines[:_LINES]
    if shown:
        body = slide.shapes.add_textbox(Inches(_LEFT), Inches(1.4), Inches(wide), Inches(5.2))
        frame = body.text_frame
        frame.word_wrap = True
        size = _size(shown, wide)
        for at, line in enumerate(shown):
            paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
            paragraph.space_after = Pt(size / 2)
            if line.label:
                _run(paragraph, f"{plain(line.label)}. ", size, bold=True)
            _run(paragraph, plain(line.text), size)
    if chart and money is not None:
        left = _LEFT + (wide + 0.3 if lines else 0)
        _chart(slide, money, left, _WIDE - _LEFT - left, lang)
    if rest := lines[_LINES:]:
        slide.notes_slide.notes_text_frame.text = plain("\n".join(f"{line.label} {line.text}".strip() for line in rest))
    _footer(slide, origin)


def _size(lines: list[Line], wide: float) -> int:
    """Points at which the lines fit the height of a slide."""
    for size in (20, 18, 16, 14, 12, 11):
        a_line = wide * 72 / (0.52 * size)  # letters
        rows = sum(-(-(len(line.label) + len(line.text) + 2) // int(a_line)) + 0.5 for line in lines)
        if rows * size * 1.2 <= 5.1 * 72:
            return size
    return 10


def _by_source(comparison: Comparison, lang: Lang) -> dict[str, float]:
    """Rp billion a year more than under the first policy, by source, of the leading policy."""
    more = compared.more_spent(comparison, compared.leading(comparison))
    moved = {source: round(rp / 1e9, 3) for source, rp in more.items() if abs(rp) >= _LEAST_RP}
    return {word_or(f"source_short.{source}", lang, source): rp for source, rp in moved.items()}


def _chart(slide: Any, money: dict[str, float], left: float, wide: float, lang: Lang) -> None:
    """A bar chart that PowerPoint can edit."""
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE, XL_TICK_LABEL_POSITION
    from pptx.util import Inches, Pt

    data = CategoryChartData()
    data.categories = list(money)
    data.add_series(word("paper.money_by_source", lang), list(money.values()))
    frame = slide.shapes.add_chart(
        XL_CHART_TYPE.BAR_CLUSTERED, Inches(left), Inches(1.4), Inches(wide), Inches(4.8), data
    )
    frame.chart.has_legend = False
    frame.chart.has_title = True
    frame.chart.chart_title.text_frame.text = word("paper.money_by_source", lang)
    frame.chart.chart_title.text_frame.paragraphs[0].runs[0].font.size = Pt(14)
    frame.chart.font.size = Pt(12)
    frame.chart.value_axis.has_major_gridlines = False
    frame.chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW  # names left of bars below zero too
    plot = frame.chart.plots[0]
    plot.has_data_labels = True
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = "#,##0.0", False


def _footer(slide: Any, origin: str) -> None:
    from pptx.dml.color import RGBColor
    from pptx.util import Inches

    box = slide.shapes.add_textbox(Inches(_LEFT), Inches(_HIGH - 0.7), Inches(_WIDE - 2 * _LEFT), Inches(0.5))
    box.text_frame.word_wrap = True
    _put(box.text_frame, plain(origin), 10, colour=RGBColor(0x55, 0x55, 0x55))


def _put(frame: Any, text: str, size: float, bold: bool = False, colour: Any = None) -> None:
    _run(frame.paragraphs[0], text, size, bold, colour)


def _run(paragraph: Any, text: str, size: float, bold: bool = False, colour: Any = None) -> None:
    from pptx.util import Pt

    run = paragraph.add_run()
    run.text = text
    run.font.size, run.font.bold = Pt(size), bold
    if colour is not None:
        run.font.color.rgb = colour
