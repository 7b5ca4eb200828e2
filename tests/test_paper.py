"""Paper and Excel: the PDF, the slides, the workbook and the CSV of a result."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from fake_comparison import compared
from openpyxl import load_workbook
from PIL import Image

import konvergensi as kv
from konvergensi.base.errors import InputError
from konvergensi.base.words import LANGUAGES, Lang, catalogue
from konvergensi.observe import units
from konvergensi.report import decision, front_page, paper, pdf, slides, tables
from konvergensi.results import allocation, comparison, explanation, gaps, run

pdfium = pytest.importorskip("pypdfium2")
pptx = pytest.importorskip("pptx")


def flat(text: str) -> str:
    return "".join(text.split())


def page_texts(file: Path) -> list[str]:
    document = pdfium.PdfDocument(file)
    return [document[at].get_textpage().get_text_range() for at in range(len(document))]


@pytest.fixture(scope="module")
def figure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("figure") / "figure.png"
    Image.new("RGB", (600, 900), "white").save(file)
    return file


# ---- PDF -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("policies", [("baseline", "one-list"), ("baseline", "full-convergence")])
def test_the_sheet_stands_alone_and_whole_on_page_one_of_a4(
    tmp_path: Path, figure: Path, policies: tuple[str, ...], lang: Lang
) -> None:
    made = compared(policies, start="2019-11", end="2021-02")
    pdf.write_comparison(made, tmp_path / "a.pdf", lang, [figure] * 5)
    document = pdfium.PdfDocument(tmp_path / "a.pdf")
    assert [round(side) for side in document[0].get_size()] == [595, 842]
    first, second = (flat(text) for text in page_texts(tmp_path / "a.pdf")[:2])
    sheet = front_page.front(made, lang)
    for text in (*sheet.answer, *(line.text for part in sheet.parts for line in part.lines), sheet.origin):
        assert flat(text) in first
    behind = decision.sheet(made, lang)
    assert flat(behind.title) in second and flat(behind.title) not in first
    assert len(document) == 4  # two of text, five figures on two


def test_letters_and_signs_of_both_languages_are_in_its_font(tmp_path: Path) -> None:
    signs = "“kutip” – × → − ≥ Rp 1.520,5 é"
    pdf.write_page(
        f"# {signs}\n\n- **{signs}**: `x`\n\n| a | b |\n|---|---|\n| {signs} | 2 |\n", tmp_path / "b.pdf", "id", []
    )
    assert flat(page_texts(tmp_path / "b.pdf")[0]).count(flat(signs)) == 3


def test_what_comes_from_files_is_text_in_a_pdf(tmp_path: Path) -> None:
    awkward = "<b>x</b> & <img src='file:///etc/passwd'/> </para>"
    pdf.write_page(f"# {awkward}\n\n{awkward}\n", tmp_path / "c.pdf", "en", [])
    assert flat(page_texts(tmp_path / "c.pdf")[0]).count(flat(awkward)) == 2


def test_the_same_result_is_the_same_pdf(tmp_path: Path) -> None:
    for name in ("d.pdf", "e.pdf"):
        pdf.write_page("# a\n\ntext\n", tmp_path / name, "en", [])
    assert (tmp_path / "d.pdf").read_bytes() == (tmp_path / "e.pdf").read_bytes()


# ---- slides ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_there_are_five_slides_of_text_that_can_be_edited_and_a_chart(tmp_path: Path, lang: Lang) -> None:
    made = compared(("baseline", "one-list"), start="2019-11", end="2021-02")
    slides.write_slides(made, tmp_path / "a.pptx", lang)
    deck = pptx.Presentation(str(tmp_path / "a.pptx"))
    assert len(deck.slides) == 5
    texts = [" ".join(shape.text_frame.text for shape in each.shapes if shape.has_text_frame) for each in deck.slides]
    sheet = front_page.front(made, lang)
    assert sheet.answer[0] in texts[0]
    notes = " ".join(each.notes_slide.notes_text_frame.text for each in deck.slides if each.has_notes_slide)
    for part in sheet.parts:
        for line in part.lines:
            assert line.text in " ".join([*texts, notes])
    assert sum(shape.has_chart for each in deck.slides for shape in each.shapes) == 1
    assert not [shape for each in deck.slides for shape in each.shapes if shape.shape_type == 13]  # no pictures of text
    for each in deck.slides:
        for shape in each.shapes:
            assert shape.left >= 0 and shape.left + shape.width <= deck.slide_width
            assert shape.top >= 0 and shape.top + shape.height <= deck.slide_height


# ---- tables ----------------------------------------------------------------------------------------------------------


def test_every_column_has_a_heading_in_both_languages() -> None:
    known = {column for module in (run, comparison, gaps, explanation, allocation) for columns in
             getattr(module, "COLUMNS", {}).values() for column in columns} | set(units.UNITS)  # fmt: skip
    assert sorted(known - {key.removeprefix("column.") for key in catalogue() if key.startswith("column.")}) == []


def test_the_workbook_has_every_table_with_headings_and_formats_of_the_language(tmp_path: Path) -> None:
    made = compared(("baseline", "one-list"), start="2019-11", end="2021-02")
    tables.write_tables(made, tmp_path / "a.xlsx", "id")
    book = load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["tentang", *made.tables()]
    sheet = book["costs"]
    headings = [cell.value for cell in sheet[1]]
    assert headings == [tables.header(column, "id") for column in made.costs]
    assert sheet.max_row == len(made.costs) + 1
    money = sheet.cell(2, headings.index("jumlah (Rp)") + 1)
    assert money.number_format == '"Rp" #,##0' and money.value == pytest.approx(made.costs["amount_rp"].iloc[0])
    assert book["targets"].cell(2, 4).number_format in ("0.0%",)
    assert "Hasil simulasi model, bukan pengukuran." in [cell.value for cell in book["tentang"]["B"]]


def test_the_csv_is_what_an_indonesian_excel_opens(tmp_path: Path) -> None:
    made = compared(("baseline", "one-list"), start="2019-11", end="2021-02")
    tables.write_csvs(made, tmp_path / "csv", "id")
    raw = (tmp_path / "csv" / "costs.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and b"\r\n" in raw
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines(), delimiter=";"))
    assert rows[0] == ["kebijakan", "sampel parameter", "benih acak", "sumber", "tahap", "jumlah (Rp)"]
    assert (
        float(rows[1][5].replace(",", ".")) == pytest.approx(made.costs["amount_rp"].iloc[0]) and "." not in rows[1][5]
    )


# ---- on request ------------------------------------------------------------------------------------------------------


def test_a_run_is_saved_with_what_is_asked_for_and_loaded_as_before(tmp_path: Path) -> None:
    made = kv.run("baseline", end="2018-12", population_share=0.005)
    names = made.save(tmp_path / "out", lang="id", figures=False, also=["pdf", "xlsx", "csv"])
    assert {"summary.pdf", "tables.xlsx"} <= set(names) and (tmp_path / "out" / "csv" / "series.csv").is_file()
    assert kv.load(tmp_path / "out") == made
    again = made.save(tmp_path / "out", lang="id", figures=False)
    assert "summary.pdf" not in again and not (tmp_path / "out" / "summary.pdf").exists()


def test_what_a_kind_of_result_has_not_is_refused_before_any_work() -> None:
    with pytest.raises(InputError, match="there is none of this kind of result"):
        paper.check("run", ["pptx"])
    with pytest.raises(InputError, match="'docx' is not one of: pdf, pptx, xlsx, csv"):
        paper.check("comparison", ["docx"])
    paper.check("comparison", paper.ALSO)


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs reportlab: pip install 'konvergensi\[paper\]'"):
        paper.check("comparison", ["pdf"])


def test_text_that_would_be_a_formula_stays_text_in_a_workbook(tmp_path: Path) -> None:
    from konvergensi.report.workbook import Sheet, write_workbook

    write_workbook([Sheet("a", ["=1+1", "b"], [['=HYPERLINK("x")', float("nan")]])], tmp_path / "f.xlsx")
    sheet = load_workbook(tmp_path / "f.xlsx").active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert sheet["B2"].value is None
