"""Every page of docs/ for people is there in both languages, and each leads to the other."""

from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
ONE = {"odd.md", "levers.md"}  # the protocol of science stays English; levers.md holds x


def test_every_page_has_its_indonesian_twin_and_each_leads_to_the_other() -> None:
    english = [page for page in sorted(DOCS.glob("*.md")) if not page.name.endswith(".id.md") and page.name not in ONE]
    assert len(english) > 10
    twins = {page: page.with_name(f"{page.stem}.id.md") for page in english}
    assert [page.name for page, twin in twins.items() if not twin.exists()] == []
    twins.pop(DOCS / "context.md")  # made whole by make_context.py, which writes no links
    for page, twin in twins.items():
        assert f"({twin.name})" in page.read_text(encoding="utf-8"), f"{page.name} does not lead to {twin.name}"
        assert f"({page.name})" in twin.read_text(encoding="utf-8"), f"{twin.name} does not lead to {page.name}"
