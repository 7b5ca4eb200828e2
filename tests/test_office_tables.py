"""Villages and observed values as an Indonesian office keeps them: read where they can mean one thing, else refused."""

from __future__ import annotations

import datetime
import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app
from konvergensi.inputs.country_observed import read_country_observed
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.office_cells import meanings
from konvergensi.inputs.villages import COLUMNS, Villages, read_villages

CASES = Path(__file__).parent / "excel"
PLAIN = "village,kecamatan,families,lokus,remoteness,poverty,posyandu_quality,x,y,synthetic"
ROWS: tuple[tuple[Any, ...], ...] = (
    ("Sukamaju", "Cibadak", 410, 1, 0.35, 0.12, 0.7, 106.21, -6.41, 0),
    ("Mekarsari", "Cibadak", 380, 0, 0.2, 0.09, 0.8, 106.23, -6.44, 0),
    ("Sukamaju", "Maja", 295, 0, 0.55, 0.21, 0.5, 106.39, -6.33, 0),
    ("Pasir Kembang", "Maja", 1520, 1, 0.6, 0.25, 0.4, 106.4, -6.35, 0),
)


def text(rows: Any = ROWS, header: str = PLAIN, between: str = ",") -> str:
    lines = [header.replace(",", between), *(between.join(str(cell) for cell in row) for row in rows)]
    return "\n".join(lines) + "\n"


def read(content: str | bytes, name: str = "villages.csv") -> Villages:
    return read_villages(content if isinstance(content, bytes) else content.encode(), Path(name))


def refused(content: str | bytes, name: str = "villages.csv") -> str:
    with pytest.raises(InputError) as caught:
        read(content, name)
    assert len(caught.value.lines("id")) == len(caught.value.lines("en"))
    return str(caught.value)


def said(found: Villages, lang: str = "en") -> str:
    return "\n".join(each.text(lang) for each in found.notes)


def book(*sheets: tuple[str, list[list[Any]]], hidden: tuple[str, ...] = (), merge: tuple[str, ...] = ()) -> bytes:
    made = Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for area in merge:
            sheet.merge_cells(area)
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


def as_rows(*before: list[Any], rows: Any = ROWS) -> list[list[Any]]:
    return [*before, PLAIN.split(","), *(list(row) for row in rows)]


def changed(row: int, column: str, value: Any) -> list[list[Any]]:
    rows = [list(each) for each in ROWS]
    rows[row][COLUMNS.index(column)] = value
    return rows


def column(name: str, *values: Any) -> str:
    """The plain table with other cells in a column, quoted where they hold a comma."""
    rows = [list(each) for each in ROWS]
    for row, value in zip(rows, values):
        row[COLUMNS.index(name)] = f'"{value}"' if "," in str(value) else value
    return text(rows)


def same(found: Villages) -> bool:
    table = found.table
    there = [tuple(table[name]) for name in COLUMNS if name not in ("x", "y")]
    expected = [each for each, name in zip(zip(*ROWS), COLUMNS) if name not in ("x", "y")]
    return all(tuple(a) == tuple(b) for a, b in zip(there, expected))


# ---- the cases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(each.name for each in CASES.iterdir() if not each.name.startswith("06")))
def test_a_case_is_read_as_what_it_says(name: str) -> None:
    found = read((CASES / name).read_bytes(), name)
    assert same(found)
    assert len(said(found).splitlines()) == len(said(found, "id").splitlines()) == len(found.notes) > 0


def test_one_kecamatan_spelt_three_ways_is_one_and_said() -> None:
    found = read((CASES / "06_capitals_and_kecamatan_spelt_three_ways.csv").read_bytes())
    assert set(found.table["kecamatan"]) == {"Cibadak"}
    assert "kecamatan: one kecamatan: CIBADAK, Kec. Cibadak = Cibadak" in said(found)
    assert found.table["x"].tolist() == [1, 2, 2]  # kilometres stay what they are


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("01", "columns separated by semicolons"),
        ("01", "comma read as decimal mark"),
        ("03", "rows before the header skipped: line 1"),
        ("03", "columns skipped: no"),
        ("03", "empty rows skipped: line 8-9"),
        ("04", "headers read as Desa = village, Jumlah KK = families"),
        ("05", "families: '1,520 KK' read as 1520"),
        ("05", "poverty: '12%' read as 0.12 (such cells: 4)"),
        ("05", "lokus: read as ya = 1, tidak = 0"),
        ("07", "families: '1.520' read as 1520"),
        ("08", "sheet Data read, not Catatan"),
    ],
)
def test_what_was_read_how_is_said_in_one_line(name: str, line: str) -> None:
    (file,) = CASES.glob(f"{name}_*")
    assert sum(line in each.text() for each in read(file.read_bytes(), file.name).notes) == 1


def test_degrees_become_kilometres_that_keep_the_distances() -> None:
    table = read(text()).table
    degrees = np.array([row[7:9] for row in ROWS], float)
    step = degrees[3] - degrees[0]
    km = np.hypot(step[0] * 111.32 * np.cos(np.radians(6.38)), step[1] * 111.32)
    assert np.hypot(*(table.loc[3, ["x", "y"]] - table.loc[0, ["x", "y"]]).astype(float)) == pytest.approx(km, rel=0.01)


def test_a_table_that_needs_no_reading_has_no_notes() -> None:
    assert find_district("lebak").readings == ()
    assert find_district("lebak").villages["kecamatan"].iloc[0] == "Malingping"


# ---- variations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("between", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_separator_and_encoding_of_excel_is_read(between: str, encoding: str) -> None:
    found = read(text(between=between).encode(encoding))
    assert same(found)


def test_a_name_with_an_accent_in_cp1252_is_read_and_said() -> None:
    found = read(text(changed(0, "village", "Cafétaria")).encode("cp1252"))
    assert found.table["village"][0] == "Cafétaria" and "read as Windows-1252 text" in said(found)


def test_numbers_said_back_have_the_decimal_mark_of_the_language() -> None:
    found = read(
        text(changed(0, "poverty", "12%"))
        .replace(",0.09,", ",9%,")
        .replace(",0.21,", ",21%,")
        .replace(",0.25,", ",25%,")
    )
    assert "'12%' read as 0.12" in said(found) and "in km from 106.3, -6.385" in said(found)
    assert "'12%' dibaca 0,12" in said(found, "id") and "dari 106,3; -6,385" in said(found, "id")


def test_the_separator_that_excel_writes_itself_is_heeded() -> None:
    assert same(read("sep=;\n" + text(between=";")))


def test_spaces_at_the_ends_and_unbroken_ones_are_no_part_of_a_name_or_number() -> None:
    rows = changed(0, "village", " Sukamaju\u00a0 ")
    rows[1][1] = "Cibadak "
    rows[3][2] = " 1520 "
    assert same(read(text(rows)))


@pytest.mark.parametrize(
    "after",
    ["Total,,2605,,,,,,,", "JUMLAH,,2605,2,,,,,,", ",Jumlah,2605,,,,,,,", "Total Kecamatan Maja,Maja,1815,,,,,,,",
     "Sumber: BPS 2024,,,,,,,,,", ",,,,,,Kepala Bappeda,,,", "Mengetahui,,,,,,,Rangkasbitung,,"],
)  # fmt: skip
def test_totals_and_notes_at_the_bottom_are_skipped_and_said(after: str) -> None:
    found = read(text() + after + "\n")
    assert same(found) and "skipped: line 6" in said(found)


def test_a_row_of_column_numbers_under_the_header_is_skipped() -> None:
    numbers = tuple(f"({i})" for i in range(1, 11))
    assert same(read(text((numbers, *ROWS))))


def test_a_village_without_its_numbers_is_refused_and_not_skipped() -> None:
    assert "families: line 6: empty" in refused(text() + "Cimenteng,Maja,,,,,,,,\n")


def test_merged_titles_and_kecamatan_are_read() -> None:
    rows = as_rows(["DAFTAR DESA", *[None] * 9])
    rows[3][1] = None
    rows[5][1] = None
    found = read(book(("Data", rows), merge=("A1:J1", "B3:B4", "B5:B6")), "v.xlsx")
    assert same(found) and "merged cells" in said(found)


def test_a_header_over_two_rows_is_read() -> None:
    top = [*PLAIN.split(",")[:7], "Koordinat", None, "synthetic"]
    below = [*[None] * 7, "X", "Y", None]
    found = read(book(("Data", [top, below, *(list(row) for row in ROWS)]), merge=("H1:I1",)), "v.xlsx")
    assert same(found)


def test_hidden_sheets_are_not_read_and_two_that_fit_are_refused() -> None:
    other = as_rows(rows=changed(0, "families", 999))
    assert same(read(book(("Lama", other), ("Data", as_rows()), hidden=("Lama",)), "v.xlsx"))
    assert "several sheets hold such a table: Lama, Data" in refused(
        book(("Lama", other), ("Data", as_rows())), "v.xlsx"
    )


def test_a_date_where_a_number_belongs_is_refused_with_its_cell() -> None:
    rows = as_rows(rows=changed(1, "poverty", datetime.date(2025, 3, 4)))
    assert refused(book(("Data", rows)), "v.xlsx").startswith(
        "v.xlsx: poverty: cell F3: '2025-03-04 00:00:00' is a date"
    )
    assert "poverty: line 3: '4-Mar' is a date" in refused(column("poverty", 0.12, "4-Mar"))
    assert "families: line 3: '03/04/2025' is a date" in refused(column("families", 410, "03/04/2025"))


def test_a_formula_that_was_never_computed_is_refused_with_its_cell() -> None:
    assert "C3: is a formula whose value was never stored" in refused(
        book(("Data", as_rows(rows=changed(1, "families", "=300+80")))), "v.xlsx"
    )


def test_a_percent_format_of_a_workbook_is_a_share() -> None:
    rows = as_rows()
    made = Workbook()
    for row in rows:
        made.active.append(row)
    for line in range(2, 6):
        made.active.cell(line, 6).number_format = "0%"
    kept = io.BytesIO()
    made.save(kept)
    assert same(read(kept.getvalue(), "v.xlsx"))


@pytest.mark.parametrize(
    ("written", "value"), [("12,5%", 0.125), ("12.5 %", 0.125), ("12 persen", 0.12), ("0,125", 0.125)]
)
def test_a_share_may_be_written_as_percent(written: str, value: float) -> None:
    rest = ("9%", "21%", "25%") if "%" in written or "persen" in written else (0.09, 0.21, 0.25)
    assert read(column("poverty", written, *rest)).table["poverty"][0] == pytest.approx(value)


def test_a_header_that_says_percent_makes_percents() -> None:
    content = column("poverty", 12, 9, 21, 25).replace("poverty", "Kemiskinan (%)")
    assert same(read(content)) and "poverty: '12' read as 0.12" in said(read(content))
    assert "percent or share?" in refused(column("poverty", 0.1, 0.09, 0.2, 0.25).replace("poverty", "Kemiskinan (%)"))


def test_a_number_without_a_sign_beside_percents_is_refused() -> None:
    assert "poverty: line 3: '0.5' has no percent sign" in refused(column("poverty", "12%", 0.5, "21%", "25%"))
    assert "looks like a percent; write 0.12" in refused(column("poverty", 12))


@pytest.mark.parametrize("written", ["1.520", "1,520", "1 520", "1.520 KK", "1520 keluarga", "1520.0"])
def test_thousands_of_families_are_read_where_they_can_mean_one_thing_only(written: str) -> None:
    assert same(read(column("families", 410, 380, 295, written)))


def test_two_thousand_or_two_is_refused_where_nothing_tells() -> None:
    assert "families: line 5: '2.000' may mean 2 / 2000" in refused(column("families", 410, 380, 295, "2.000"))
    assert read(column("families", 410, 380, "1.520", "2.000")).table["families"].tolist() == [410, 380, 1520, 2000]
    decimals = text(changed(3, "families", "2.000"), between=";").replace("0.", "0,").replace("6.", "6,")
    assert read(decimals).table["families"][3] == 2000


def test_a_distance_with_three_digits_after_its_mark_is_refused_unless_others_tell() -> None:
    content = column("remoteness", "1.250", 3, 4, 8).replace("remoteness", "Jarak ke Puskesmas (km)")
    assert read(content).table["remoteness"].tolist() == [0.0625, 0.15, 0.2, 0.4]  # 0.12 elsewhere tells
    whole = [(*row[:4], km, 0, 1, 1, 1, 0) for row, km in zip(ROWS, ("1.250", 3, 4, 8))]
    header = PLAIN.replace("remoteness", "Jarak ke Puskesmas (km)")
    assert read(text(whole, header)).table["remoteness"][0] == 0.0625  # 1250 km is too far
    assert "distance_km: line 2: '1.000' may mean 1 / 1000" in refused(
        text([(*whole[0][:4], "1.000", *whole[0][5:]), *whole[1:]], header)
    )


def test_two_marks_in_digits_are_taken_apart() -> None:
    assert meanings("1.234.567") == {",": 1234567}
    assert meanings("1,234.5") == {".": 1234.5} and meanings("1.234,5") == {",": 1234.5}
    assert meanings("0.350") == {".": 0.35} and meanings("1.520") == {".": 1.52, ",": 1520}
    assert meanings("12.34.567") == {} and meanings("1.23,456,7") == {}


@pytest.mark.parametrize("word", ["x", "t", "-", "mungkin", "Ya/Tidak"])
def test_a_word_that_may_be_yes_or_no_is_refused(word: str) -> None:
    assert f"lokus: line 2: '{word}' is neither yes nor no" in refused(column("lokus", word))


@pytest.mark.parametrize(
    "words", [("Ya", "TIDAK"), ("yes", "no"), ("V", "0"), ("TRUE", "FALSE"), ("Lokus", "Non Lokus")]
)
def test_words_for_yes_and_no_are_read(words: tuple[str, str]) -> None:
    yes, no = words
    assert same(read(column("lokus", yes, no, no, yes)))


def test_a_village_is_its_code_where_names_are_shared_in_a_kecamatan() -> None:
    coded = [["36.1", *ROWS[0]], ["36.2", *ROWS[1]], ["36.3", *ROWS[2]], ["36.4", "Sukamaju", "Maja", *ROWS[3][2:]]]
    assert read(text(coded, f"Kode Desa,{PLAIN}")).table["village"].tolist() == [
        "Sukamaju", "Mekarsari", "Sukamaju (36.3)", "Sukamaju (36.4)",
    ]  # fmt: skip
    assert "village: 'Sukamaju' is there twice (line 4, 5)" in refused(text([row[1:] for row in coded]))
    coded[3][0] = "36.3"
    assert "Kode Desa: '36.3' is there twice (line 4, 5)" in refused(text(coded, f"Kode Desa,{PLAIN}"))


def test_latitude_and_longitude_the_wrong_way_round_are_refused() -> None:
    assert "the wrong way round" in refused(text([[*row[:7], row[8], row[7], row[9]] for row in ROWS]))


def test_one_place_outside_the_country_is_refused_with_its_line() -> None:
    assert "x: line 4: 10.639, -6.33 is no longitude" in refused(text(changed(2, "x", 10.639)))


def test_an_old_or_a_damaged_workbook_is_refused_with_what_to_do() -> None:
    assert "save it as Excel Workbook (.xlsx)" in refused(b"\xd0\xcf\x11\xe0" + b"\0" * 100, "v.xls")
    assert "open it in Excel and save it again" in refused(b"PK\x03\x04 not a zip", "v.xlsx")


def test_a_column_that_is_no_part_of_the_table_is_skipped_and_one_nearly_right_is_refused() -> None:
    found = read(text([[*row, "baik"] for row in ROWS], f"{PLAIN},Keterangan"))
    assert same(found) and "columns skipped: Keterangan" in said(found)
    assert "Kemiskinn: unknown key; did you mean poverty?" in refused(text().replace("poverty", "Kemiskinn"))


# ---- what offices have instead ---------------------------------------------------------------------------------------


def test_strata_distance_and_idm_stand_for_quality_and_remoteness_by_a_stated_graded_rule() -> None:
    strata = read(
        column("posyandu_quality", "Pratama", "MADYA", "Purnama", "Mandiri").replace(
            "posyandu_quality", "Strata Posyandu"
        )
    )
    assert strata.table["posyandu_quality"].is_monotonic_increasing
    assert "(grade assumption; village_conversions.toml: posyandu_quality_by_strata)" in said(strata)
    far = read(column("remoteness", "2 km", 5, 10, 60).replace("remoteness", "Jarak ke Puskesmas (km)")).table[
        "remoteness"
    ]
    assert far.tolist() == [0.1, 0.25, 0.5, 1.0]
    idm = read(column("remoteness", 0.9, 0.7, 0.6, 0.4).replace("remoteness", "IDM")).table["remoteness"]
    assert idm.is_monotonic_increasing and idm.iloc[0] == 0 and idm.iloc[3] == 1
    status = read(
        column("remoteness", "Mandiri", "Maju", "Tertinggal", "Sangat Tertinggal").replace("remoteness", "Status IDM")
    )
    assert status.table["remoteness"].tolist() == [0, 0.17, 0.83, 1]
    assert "'Utama' is not one of: pratama" in refused(
        column("posyandu_quality", "Utama", "Madya").replace("posyandu_quality", "strata")
    )


def test_poor_families_become_their_share_and_more_than_all_is_refused() -> None:
    poor = column("poverty", 41, 38, 59, 380).replace("poverty", "Jumlah KK Miskin")
    assert read(poor).table["poverty"].tolist() == [0.1, 0.1, 0.2, 0.25]
    assert "411 poor families, but only 410 families" in refused(poor.replace(",41,", ",411,"))


def test_of_two_columns_for_one_thing_the_model_s_own_is_read_and_said() -> None:
    found = read(text([[*row, "Madya"] for row in ROWS], f"{PLAIN},Strata Posyandu"))
    assert same(found) and "not read, as posyandu_quality is there: Strata Posyandu" in said(found)


# ---- observed values -------------------------------------------------------------------------------------------------

OBSERVED = [["Kabupaten/Kota", "Tahun", "Survei", "Prevalensi (%)", "Batas Bawah", "Batas Atas"],
            ["Kabupaten Sumedang", 2024, "SSGI", 19.3, 15.1, 23.9]]  # fmt: skip


def test_observed_values_may_come_as_a_workbook_or_with_indonesian_headers(tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(book(("Data", [["Hasil survei"], *OBSERVED])))
    lines = [";".join(map(str, row)).replace(".", ",") for row in OBSERVED]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name in ("rows.xlsx", "rows.csv"):
        (row,) = read_country_observed(tmp_path / name, notes := [])
        assert (row.code, row.year, row.percent, row.low, row.high) == ("32.11", 2024, 19.3, 15.1, 23.9)
        assert any("headers read as" in each.text() for each in notes)


def test_a_percent_format_in_an_observed_workbook_stays_a_percent(tmp_path: Path) -> None:
    made = Workbook()
    for each in (OBSERVED[0], [*OBSERVED[1][:3], 0.193, None, None]):
        made.active.append(each)
    made.active["D2"].number_format = "0.0%"
    made.save(tmp_path / "rows.xlsx")
    assert read_country_observed(tmp_path / "rows.xlsx")[0].percent == pytest.approx(19.3)


# ---- the whole way ---------------------------------------------------------------------------------------------------


def test_a_district_with_a_workbook_of_villages_is_checked_and_run(tmp_path: Path) -> None:
    folder = tmp_path / "saya"
    shutil.copytree(Path(__file__).parent / "districts" / "kecil", folder)
    rows = [line.split(",") for line in (folder / "villages.csv").read_text(encoding="utf-8").splitlines()]
    cells = [[float(cell) if cell.replace(".", "").isdigit() else cell for cell in row] for row in rows[1:]]
    (folder / "villages.xlsx").write_bytes(book(("Desa", [["DAFTAR DESA"], rows[0], *cells])))
    done = CliRunner().invoke(app, ["check", str(folder)])
    assert done.exit_code == 2 and "villages.csv and villages.xlsx are both there; keep one" in done.stderr
    (folder / "villages.csv").unlink()
    done = CliRunner().invoke(app, ["check", str(folder), "--lang", "id"])
    assert done.exit_code == 0 and "Dibaca: " in done.stderr and "baris sebelum judul kolom dilewati" in done.stderr
    run = kv.run("baseline", district=folder, end="2018-01", population_share=0.5)
    assert "villages.xlsx" in run.manifest["hashes"]["district"]


@pytest.mark.parametrize(("code", "kecamatan"), [("82.04", "Obi Timur"), ("92.03", "Teluk Patipi")])
def test_a_village_that_is_called_like_a_row_of_totals_is_a_village(code: str, kecamatan: str, tmp_path: Path) -> None:
    """There are two villages called Sum: in the profiles of their districts, and in an office's own file of one."""
    villages = find_district(code).villages
    assert set(villages.loc[villages["village"] == "Sum", "kecamatan"]) == {kecamatan}
    villages.astype({"lokus": int, "synthetic": int}).to_csv(tmp_path / "villages.csv", index=False)
    read = read_villages((tmp_path / "villages.csv").read_bytes(), tmp_path / "villages.csv")
    assert read.table["village"].tolist() == villages["village"].tolist()


def test_where_the_families_do_not_add_up_it_is_said_which_row_was_taken_for_a_total(tmp_path: Path) -> None:
    folder = shutil.copytree(Path(__file__).parent / "districts" / "kecil", tmp_path / "kecil")
    lines = (folder / "villages.csv").read_text(encoding="utf-8").splitlines()
    lines[2] = ",".join(["@SUM(A1)", *lines[2].split(",")[1:]])  # a village nobody has
    (folder / "villages.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = CliRunner().invoke(app, ["check", str(folder)], env={"COLUMNS": "300"})
    assert found.exit_code == 2
    first, *_, last = found.stderr.splitlines()
    assert first.startswith("Read") and "total" in first and "3" in first
    assert "families" in last
