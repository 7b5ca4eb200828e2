"""A budget of the district's own: written to fill in, read back, and said in every answer in rupiah."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.analyses.budget_lines import budget_lines, money_note, own_money
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app
from konvergensi.inputs.districts import District, find_district


def call(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    done = call("budget-template", "kota-banjar", "--out", tmp_path / "saya")
    assert done.exit_code == 0, done.output
    return tmp_path / "saya"


def fill(folder: Path, *cells: tuple[str, object]) -> District:
    book = load_workbook(folder / "budget.xlsx")
    for place, value in cells:
        book.active[place] = value
    book.save(folder / "budget.xlsx")
    return find_district(folder)


def line(place: District, name: str) -> Any:
    (found,) = [each for each in place.programmes if each.id == name]
    return found


def row_of(folder: Path, service: str, source: str) -> int:
    sheet = load_workbook(folder / "budget.xlsx").active
    (row,) = [each[0].row for each in sheet.iter_rows(min_row=8) if (each[2].value, each[3].value) == (service, source)]
    return row


def test_an_empty_template_changes_nothing(folder: Path) -> None:
    mine, theirs = find_district(folder), find_district("kota-banjar")
    assert mine.programmes == theirs.programmes and mine.own_lines == ()
    assert own_money(mine)["share"] == 0 and "No amount comes from the district's own" in money_note(mine)["en"]


def test_a_template_is_not_written_over_a_file(folder: Path) -> None:
    done = call("budget-template", "kota-banjar", "--out", folder)
    assert done.exit_code == 2 and "is there already; nothing was changed" in done.stderr


@pytest.mark.parametrize("lang", ["en", "id"])
def test_the_template_in_each_language_is_read_back(tmp_path: Path, lang: str) -> None:
    call("budget-template", "kota-banjar", "--out", tmp_path / "saya", "--lang", lang)
    row = row_of(tmp_path / "saya", "pmba", "apbd")
    place = fill(tmp_path / "saya", (f"E{row}", 123_000_000))
    assert line(place, "dinkes:pmba:apbd").budget_rp == 123_000_000


@pytest.mark.parametrize(
    ("written", "rp"),
    [
        (250e6, 250e6),
        ("Rp 250.000.000", 250e6),
        ("250 juta", 250e6),
        ("1,2 miliar", 1.2e9),
        (0, 0.0),
        ("Rp250.000.000,-", 250e6),
    ],
)
def test_amounts_are_read_as_offices_write_them(folder: Path, written: object, rp: float) -> None:
    place = fill(folder, (f"E{row_of(folder, 'pmba', 'apbd')}", written))
    pmba = line(place, "dinkes:pmba:apbd")
    assert (pmba.budget_rp, pmba.funded_share, pmba.grade) == (rp, None, "published")
    assert place.own_lines == ("dinkes:pmba:apbd",)


def test_a_header_that_says_millions_multiplies(folder: Path) -> None:
    place = fill(folder, ("E7", "Pagu (Rp juta)"), (f"E{row_of(folder, 'pmba', 'apbd')}", 250))
    assert line(place, "dinkes:pmba:apbd").budget_rp == 250e6


def test_an_amount_that_may_mean_two_things_is_refused_with_its_cell(folder: Path) -> None:
    row = row_of(folder, "pmba", "apbd")
    with pytest.raises(InputError, match=f"amount_rp: cell E{row}: '1.500 juta' may mean"):
        fill(folder, (f"E{row}", "1.500 juta"))


def test_families_give_the_cost_of_a_service_and_a_cost_far_from_the_models_is_refused(folder: Path) -> None:
    lines = budget_lines(find_district(folder)).set_index(["service", "source"])
    amount, families = lines.loc[("pmba", "apbd"), ["amount_rp", "families"]]
    row = row_of(folder, "pmba", "apbd")
    place = fill(folder, (f"E{row}", round(2 * amount)), (f"F{row}", round(families)))
    usual = find_district("kota-banjar").parameters()["services.pmba.unit_cost_rp"].value
    assert line(place, "dinkes:pmba:apbd").unit_cost_rp == pytest.approx(2 * usual, rel=0.02)
    with pytest.raises(InputError, match="is the amount in thousands or millions"):
        fill(folder, (f"E{row}", round(amount / 1000)))


def test_rows_of_one_line_add_up_and_a_new_line_is_added(folder: Path) -> None:
    row = row_of(folder, "pmba", "apbd")
    last = load_workbook(folder / "budget.xlsx").active.max_row + 1
    new = [("dinkes", "PMBA", "pmba", "APBD", 50e6), ("Dinas Kesehatan", None, "pmba", "Dana Desa", 70e6)]
    cells = [(f"{column}{last + n}", value) for n, each in enumerate(new) for column, value in zip("ABCDE", each)]
    place = fill(folder, (f"E{row}", 100e6), *cells)
    assert line(place, "dinkes:pmba:apbd").budget_rp == 150e6
    assert line(place, "dinkes:pmba:dana-desa").budget_rp == 70e6
    assert any("3 rows added up to 2 lines" in each.text() for each in place.readings)


def test_an_unknown_agency_service_or_source_is_refused_with_its_cell(folder: Path) -> None:
    row = row_of(folder, "pmba", "apbd")
    with pytest.raises(InputError) as caught:
        fill(folder, (f"E{row}", 1e8), (f"A{row}", "dinkess"), (f"C{row}", "pmbaa"), (f"D{row}", "hibah"))
    said = str(caught.value)
    assert f"agency: cell A{row}: unknown OPD 'dinkess'" in said and f"service: cell C{row}: unknown" in said
    assert f"source: cell D{row}: unknown source of money 'hibah'" in said


def test_the_filled_lines_are_what_a_run_begins_with(folder: Path) -> None:
    place = fill(folder, (f"E{row_of(folder, 'pmba', 'apbd')}", 400e6))
    run = kv.run(district=folder, start="2018-01", end="2018-12", population_share=1.0)
    first = run.money[(run.money["programme"] == "dinkes:pmba:apbd")]
    assert place.own_lines == ("dinkes:pmba:apbd",) and len(first)
    assert run.manifest["own_money"]["lines"] == 1 and "budget.xlsx" in run.manifest["hashes"]["district"]


def test_every_answer_in_rupiah_says_how_much_is_the_planners_own(folder: Path) -> None:
    place = fill(folder, (f"E{row_of(folder, 'pmba', 'apbd')}", 400e6))
    lines = budget_lines(place)
    share = lines.loc[lines["own"], "amount_rp"].sum() / lines["amount_rp"].sum()
    assert own_money(place) == {"share": round(share, 4), "lines": 1, "of": len(lines)}
    said = money_note(place)
    assert "is the district's own (1 of" in said["en"] and "dari dokumen anggaran daerah sendiri (1 dari" in said["id"]
