"""The budget of a district as a workbook to fill in: agency, programme, source, amount, families."""

from __future__ import annotations

from pathlib import Path

from konvergensi.analyses.budget_lines import budget_lines
from konvergensi.base.words import Lang, word
from konvergensi.inputs.districts import District
from konvergensi.report.workbook import RUPIAH, WHOLE, Sheet, write_workbook

SHOWN = ("agency", "programme", "service", "source", "amount_rp", "families", "assumed_rp", "assumed_families")


def budget_sheet(place: District, lang: Lang) -> Sheet:
    """One row for each budget line; the planner fills amount and families, the model's own stand beside."""
    lines = budget_lines(place, lang)
    rows = [
        (each.agency, each.programme, each.service, each.source, each.amount_rp if each.own else None, None,
         None if each.own else round(each.amount_rp), round(each.families))
        for each in lines.itertuples()
    ]  # fmt: skip
    before = [
        word("budget.title", lang, district=place.name),
        *(word(f"budget.how.{step}", lang) for step in ("fill", "blank", "families", "new", "put")),
    ]
    columns = [word(f"budget.column.{name}", lang) for name in SHOWN]
    formats = {4: RUPIAH, 5: WHOLE, 6: RUPIAH, 7: WHOLE}
    return Sheet(word("budget.sheet", lang), columns, rows, before, formats, fill=(4, 5))


def write_budget_template(place: District, path: Path, lang: Lang) -> None:
    """Write the workbook."""
    write_workbook([budget_sheet(place, lang)], path)


def district_toml(place: District, lang: Lang) -> str:
    """A district of one's own that is another but for its budget, as the text of its district.toml."""
    return "\n".join([
        f"# {word('budget.district', lang, district=place.name)}",
        f'extends = "{place.id}"',
        f'name = "{place.name}"',
        f'province = "{place.province}"',
        f'kind = "{place.kind}"',
        f'notes = {{ en = "{word("budget.notes", "en", district=place.name)}", '
        f'id = "{word("budget.notes", "id", district=place.name)}" }}',
        "",
    ])  # fmt: skip
