"""Which villages first: a list from the planner's own villages, and no names where villages are made up."""

from __future__ import annotations

import dataclasses
import functools
import shutil
from pathlib import Path

import numpy as np
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.analyses import villages as first
from konvergensi.base.words import LANGUAGES, Lang
from konvergensi.cli.main import app
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.villages import read_villages
from konvergensi.report import villages_page as shown
from konvergensi.results.villages import REASONS

KECIL = Path(__file__).parent / "districts" / "kecil"


def own(folder: Path) -> Path:
    """The small district as if its villages were real."""
    shutil.copytree(KECIL, folder)
    lines = (folder / "villages.csv").read_text(encoding="utf-8").splitlines()
    real = [lines[0], *(line.rsplit(",", 1)[0] + ",0" for line in lines[1:])]
    (folder / "villages.csv").write_text("\n".join(real) + "\n", encoding="utf-8")
    toml = (folder / "district.toml").read_text(encoding="utf-8")
    (folder / "district.toml").write_text(toml.replace('"villages", ', "").replace('"villages"', ""), encoding="utf-8")
    return folder


@functools.cache
def listed(folder: Path) -> kv.VillageList:
    return kv.villages(folder, seeds=3, end="2018-12")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> kv.VillageList:
    return listed(own(tmp_path_factory.mktemp("own") / "kecil"))


def test_own_villages_are_listed_by_need_with_reach_ranges_and_reasons(real: kv.VillageList) -> None:
    table = real.villages
    assert not real.is_drawn and len(table) == real.manifest["n_villages"]
    assert table["need"].is_monotonic_decreasing and table["rank"].tolist() == list(range(1, len(table) + 1))
    assert (table["need_low"] <= table["need"]).all() and (table["need"] <= table["need_high"]).all()
    assert table["first_share"].between(0, 1).all()
    assert table["first_share"].sum() == pytest.approx(real.manifest["first"])  # in each run so many are first
    assert {name for each in table["reasons"] for name in each.split()} <= set(REASONS)


def test_need_is_the_stunted_children_of_the_runs() -> None:
    run = kv.run(district=KECIL, seed=1, end="2018-12")
    last = run.villages[run.villages["year"] == run.villages["year"].max()]
    stunted = (last["n_children"] * last["prevalence"].fillna(0)).to_numpy(float) / run.manifest[
        "population_share_made"
    ]
    assert first._at_end(run.villages, float(run.manifest["population_share_made"]))["need"] == pytest.approx(stunted)


def test_a_kecamatan_adds_up_its_villages(real: kv.VillageList) -> None:
    assert real.kecamatan["need"].sum() == pytest.approx(real.villages["need"].sum())
    assert real.kecamatan["villages"].sum() == len(real.villages)
    assert real.kecamatan["first"].sum() == real.manifest["first"]


def test_how_many_villages_hold_a_share_of_all_need() -> None:
    need = np.array([[4.0, 3.0, 2.0, 1.0], [1.0, 1.0, 1.0, 7.0]])
    table = first._cover(need)
    assert table["need_share"].tolist() == [0.25, 0.5, 0.75]
    assert table["villages_low"].tolist() == [1, 1, 2] and table["villages_high"].tolist() == [1, 2, 3]


def test_the_first_sentence_names_the_villages_that_are_first_in_every_simulation(real: kv.VillageList) -> None:
    table = real.villages
    some = dataclasses.replace(real, villages=table.assign(first_share=[1.0, 1.0] + [0.5] * (len(table) - 2)))
    for lang, begin in (("en", "Begin with"), ("id", "Mulai dari")):
        said = shown.page(some, lang).split("\n\n")[1]  # type: ignore[arg-type]
        assert said.startswith(begin) and all(name in said for name in table["village"].head(2))
        assert table["village"][2] not in said
    none = dataclasses.replace(real, villages=table.assign(first_share=0.5))
    one = dataclasses.replace(some, manifest=some.manifest | {"seeds": 1})
    assert "No village is among the first" in shown.page(none, "en")
    assert "One simulation was made" in shown.page(one, "en")


def test_own_rows_that_district_toml_still_calls_made_up_are_told_apart_from_made_up_rows() -> None:
    drawn = listed(KECIL)
    assert drawn.manifest["listed"] is False
    still = dataclasses.replace(drawn, manifest=drawn.manifest | {"listed": True})
    for lang in LANGUAGES:
        page = shown.page(still, lang)
        assert "district.toml" in page and "`synthetic`" in page and "--like" not in page


def test_made_up_villages_are_not_ranked_by_name_but_the_rule_and_the_number_are_told() -> None:
    drawn = listed(KECIL)
    assert drawn.is_drawn and drawn.villages.empty and drawn.kecamatan.empty
    assert len(drawn.rule) and (drawn.cover["villages"] >= 1).all()
    names = find_district(KECIL).villages["village"]
    for lang in LANGUAGES:
        page = shown.page(drawn, lang)
        assert not [name for name in names if name in page]
    assert "No village is named" in shown.page(drawn, "en")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_workbook_to_fill_in_is_read_back(tmp_path: Path, lang: Lang) -> None:
    shown.write(listed(KECIL), tmp_path, lang)
    book = load_workbook(tmp_path / shown.FILE)
    sheet = book.active
    top = next(row[0].row for row in sheet.iter_rows() if row[1].value == "kecamatan")
    values = [120, "ya", 0.3, "12%", 0.6, 106.2, -6.4]
    for line, name in enumerate(("Satu", "Dua"), start=top + 1):
        for at, value in enumerate([name, "Utara", *values, 0], start=1):
            sheet.cell(line, at, value)
    for line in range(top + 3, sheet.max_row + 1):
        sheet.cell(line, 10).value = None
    book.save(tmp_path / shown.FILE)
    table = read_villages((tmp_path / shown.FILE).read_bytes(), Path("villages.xlsx")).table
    assert table["village"].tolist() == ["Satu", "Dua"] and table["poverty"].tolist() == [0.12, 0.12]


def test_the_workbook_of_a_known_district_has_the_names_of_its_real_villages() -> None:
    names = shown._official("Kabupaten Lebak")
    assert len(names) > 300 and all(kecamatan and village for kecamatan, village in names)
    assert shown._official("Kabupaten Antah Berantah") == []


def test_it_is_saved_with_its_workbook_and_loaded_again(tmp_path: Path, real: kv.VillageList) -> None:
    names = real.save(tmp_path / "out", lang="id")
    assert {"villages.md", "villages.xlsx", "villages.parquet"} <= set(names)
    assert kv.load(tmp_path / "out") == real
    sheet = load_workbook(tmp_path / "out" / "villages.xlsx").active
    assert sheet.max_row == len(real.villages) + 2


def test_the_command_prints_and_refuses() -> None:
    done = CliRunner().invoke(app, ["villages", "nowhere"])
    assert done.exit_code == 2 and "unknown district" in done.stderr
