"""My district and Month by month: what is uploaded is checked as a file is, and what is watched is the run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pages_client import client
from starlette.testclient import TestClient

from konvergensi.app import mine, watch
from konvergensi.app.desk import Desk
from konvergensi.base.words import LANGUAGES
from konvergensi.inputs.districts import find_district
from konvergensi.model.convergence import ConvergenceModel

HEAD = "village,kecamatan,families,lokus,remoteness,poverty,posyandu_quality,x,y,synthetic\n"
GOOD = HEAD + "A,K,1200,1,0.2,0.1,0.5,1,2,0\nB,K,900,0,0.4,0.2,0.6,3,2,0\n"
BAD = HEAD + "A,K,1200,1,0.2,0.1,0.5,1,2,0\nB,K,many,0,0.4,7,0.6,3,2,0\n"


def send(browser: TestClient, text: str | bytes, file: str = "desa.csv", **more: str) -> object:
    content = text.encode() if isinstance(text, str) else text
    return browser.post("/en/mine/send", data={"name": "Kabupaten Contoh", "base": "kota-banjar", **more},
                        files={"file": (file, content)})  # fmt: skip


def test_a_good_table_becomes_a_district_with_its_own_families_and_the_rest_of_its_base(tmp_path: Path) -> None:
    browser, desk = client(tmp_path), Desk(tmp_path)
    assert send(browser, GOOD).status_code == 200
    (name,) = desk.own_districts()
    place, base = desk.district(f"own:{name}"), find_district("kota-banjar")
    assert place.villages["families"].tolist() == [1200, 900]
    assert place.population["families"].value == 2100
    ratio = 2100 / base.population["families"].value
    assert place.population["births_per_year"].value == pytest.approx(
        base.population["births_per_year"].value * ratio, abs=1
    )
    assert [opd.id for opd in place.opd] == [opd.id for opd in base.opd]
    assert "Kabupaten Contoh" in browser.get(f"/id/look/own:{name}").text


def test_each_fault_stands_beside_its_cell_and_can_be_mended_there(tmp_path: Path) -> None:
    browser = client(tmp_path)
    page = send(browser, BAD)
    assert page.status_code == 400
    assert 'name="cell 3:families" value="many"' in page.text and 'name="cell 3:poverty" value="7"' in page.text
    assert not Desk(tmp_path).own_districts()
    draft = page.text.split('name="draft" value="')[1].split('"')[0]
    mended = {
        "name": "Contoh",
        "base": "kota-banjar",
        "draft": draft,
        "cell 3:families": "900",
        "cell 3:poverty": "0.07",
    }
    assert browser.post("/en/mine/send", data=mended, files={"file": ("", b"")}).status_code == 200
    (name,) = Desk(tmp_path).own_districts()
    assert Desk(tmp_path).district(f"own:{name}").villages["families"].tolist() == [1200, 900]


def test_the_table_to_fill_in_is_read_once_it_is_filled_in(tmp_path: Path) -> None:
    browser = client(tmp_path)
    for lang in LANGUAGES:
        taken = browser.get(f"/{lang}/mine/villages.xlsx?base=kota-banjar")
        book = load_workbook(io.BytesIO(taken.content))
        sheet = book.active
        rows = [row for row in sheet.iter_rows() if row[9].value == 0]  # observed: what is filled in
        assert len(rows) == 25 and "Balokang" in [row[0].value for row in rows]
        for k, row in enumerate(rows):
            for cell, value in zip(row[2:9], (1000 + k, "ya", 0.2, 0.1, 0.5, 108.5 + k / 100, -7.3)):
                cell.value = value
        filled = io.BytesIO()
        book.save(filled)
        assert send(browser, filled.getvalue(), f"{lang}.xlsx").status_code == 200
    assert Desk(tmp_path).own_districts()


def test_a_fault_is_told_by_the_header_of_the_file_and_a_missing_column_as_the_page_calls_it(tmp_path: Path) -> None:
    text = BAD.replace("families", "Jumlah KK").replace("poverty", "Kemiskinan").replace("synthetic", "note")
    data = {"name": "Contoh", "base": "kota-banjar"}
    page = client(tmp_path).post("/id/mine/send", data=data, files={"file": ("desa.csv", text.encode())}).text
    assert "<li>Jumlah KK: " in page and "<li>Kemiskinan: " in page and "<li>sintetis: " in page
    assert "families:" not in page.partition("</ul></div>")[0]


def test_a_number_of_a_workbook_is_shown_as_it_was_written() -> None:
    assert [mine._as_written(each) for each in (1200.0, 0.25, "x", None)] == ["1200", "0.25", "x", ""]


def test_a_workbook_is_mended_in_its_cell_and_no_cell_becomes_a_formula(tmp_path: Path) -> None:
    from openpyxl import Workbook, load_workbook

    from konvergensi.app.mine import mended

    book = Workbook()
    for line in BAD.splitlines():
        book.active.append([float(each) if each.replace(".", "").isdigit() else each for each in line.split(",")])
    out = io.BytesIO()
    book.save(out)
    page = send(client(tmp_path), out.getvalue(), "desa.xlsx")
    assert page.status_code == 400 and "cell C3" in page.text
    good = mended(out.getvalue(), "desa.xlsx", {"cell 3:families": "900", "cell 3:village": "=1+1"})
    sheet = load_workbook(io.BytesIO(good)).active
    assert (sheet["C3"].value, sheet["A3"].value) == (900, "1+1")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b"", "a.csv"),
        (b"\x00\x01\x02", "a.csv"),
        (b"PK\x03\x04broken", "a.xlsx"),
        (b"x" * 2_000_001, "a.csv"),
        (b"a,b\n1,2\n", "a.csv"),
    ],
)
def test_what_is_no_table_of_villages_is_refused_and_nothing_is_made(tmp_path: Path, text: bytes, name: str) -> None:
    assert send(client(tmp_path), text, name).status_code == 400
    assert not Desk(tmp_path).own_districts()


def test_names_are_escaped_and_lead_nowhere(tmp_path: Path) -> None:
    browser = client(tmp_path)
    nasty = '../../<script>alert(1)</script>"\n'
    page = send(browser, BAD, "../../etc/passwd", name=nasty)
    assert "<script>alert" not in page.text and "etc/passwd" not in page.text
    page = send(browser, GOOD.replace("A,", "<b>A</b>,"), name=nasty)
    assert page.status_code == 200 and "<script>alert" not in page.text
    inside = [each.relative_to(tmp_path) for each in tmp_path.rglob("district.toml")]
    assert [each.parts[0] for each in inside] == ["districts"]


def test_a_draft_is_found_by_its_own_name_only(tmp_path: Path) -> None:
    for draft in ("../policies/x.csv", "0000000000000000.csv", "x"):
        answer = client(tmp_path).post("/en/mine/send", data={"name": "a", "base": "lebak", "draft": draft})
        assert answer.status_code == 400


# ---- month by month --------------------------------------------------------------------------------------------------


def test_what_is_watched_is_the_run_itself_month_by_month(tmp_path: Path) -> None:
    browser = client(tmp_path)
    page = browser.post("/en/watch/begin", data={"district": "kota-banjar", "since": "2022"})
    assert page.status_code == 200 and "Jan 2022" in page.text
    assert "closed since" not in page.text  # in January every door is open, also before the month is simulated
    address = str(page.url)
    browser.post(f"{address}/step", data={"months": "3"})
    page = browser.post(f"{address}/step", data={"months": "1"})
    assert "Apr 2022" in page.text and "closed since" in page.text and "open until" in page.text
    watched = watch._watched[address.rsplit("/", 1)[1]]
    place = find_district("kota-banjar")
    share = watch.worlds.share_of(place)
    model = ConvergenceModel("baseline", "kota-banjar", 1, share, "2022-01", "2031-12")
    for _, seen in watched.prevalence:
        model.step()
        assert seen == 100.0 * model.prevalence()
    assert len(watched.diary.home) == 4
    assert browser.get(address.replace("/en/", "/id/")).status_code == 200


def test_steps_other_than_those_offered_are_refused_and_the_oldest_watched_goes(tmp_path: Path) -> None:
    browser = client(tmp_path)
    page = browser.post("/en/watch/begin", data={"district": "kota-banjar", "since": "2022"})
    assert browser.post(f"{page.url}/step", data={"months": "5000"}).status_code == 400
    first = str(page.url).rsplit("/", 1)[1]
    for number in range(watch.KEPT):
        watch._watched[f"k{number}"] = watch._watched[first]
    browser.post("/en/watch/begin", data={"district": "kota-banjar", "since": "2022"})
    assert first not in watch._watched
    assert browser.get(page.url).status_code == 400
    watch._watched.clear()
