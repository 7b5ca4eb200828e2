"""What came since 2024: dated, graded, shown in both languages, and nothing claimed without a source."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
from pathlib import Path

import pytest

from konvergensi.base.months import format_month
from konvergensi.base.words import LANGUAGES, Lang, month_name
from konvergensi.inputs.context import context
from konvergensi.inputs.parameters import load_parameters
from konvergensi.report import comparison, context_page

ROOT = Path(__file__).resolve().parents[1]


@dataclasses.dataclass
class Ends:
    """As much of a comparison as the section asks for."""

    manifest: dict[str, str]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_has_every_event_with_month_grade_and_source_and_names_what_is_not_modelled(lang: Lang) -> None:
    shown = context_page.page(lang).replace("\\", "")
    for each in context().event:
        row = next(line for line in shown.splitlines() if each.said[lang] in line)
        assert each.source[lang] in row and month_name(format_month(each.month), lang) in row
    for each in context().left_out:
        assert f"| {each.name[lang]} | {each.why[lang]} |" in shown
    assert {"MBG", "GENTING"} <= {each.name["en"].split()[0] for each in context().left_out}


def test_the_source_of_a_month_of_the_reform_is_the_one_its_parameter_has() -> None:
    said = {each.key: each.source["en"] for each in context().calendar}
    assert said == {key: load_parameters()[key].source for key in said}


def test_no_source_is_english_on_the_indonesian_page() -> None:
    english = re.compile(r"\b(of|the|and|in|on|quoting|page|office|text|months?|assumed|found)\b")
    said = [each.source["id"] for each in (*context().event, *context().calendar)]
    assert [each for each in said if english.search(each)] == []


def test_every_event_is_after_2024_and_none_is_assumed() -> None:
    assert context_page.begins() >= "2025-01"
    assert {each.grade for each in context().event} <= {"paper", "published", "recalled"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_months_of_the_reform_are_those_of_the_model(lang: Lang) -> None:
    months = [row[1] for row in context_page.calendar(lang).rows]
    assert months == {"en": ["January", "March", "February"], "id": ["Januari", "Maret", "Februari"]}[lang]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_comparison_that_reaches_beyond_2024_shows_it_and_an_earlier_one_does_not(lang: Lang) -> None:
    shown = comparison._context(Ends({"end": "2028-12"}), lang)  # type: ignore[arg-type]
    assert [len(each.rows) for each in shown[0].tables] == [len(context().event), 3, len(context().left_out)]
    assert comparison._context(Ends({"end": "2024-12"}), lang) == []  # type: ignore[arg-type]


def test_the_documents_are_current() -> None:
    spec = importlib.util.spec_from_file_location("make_context", ROOT / "scripts/make_context.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = [path.name for path, text in module.pages().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run python scripts/make_context.py"
