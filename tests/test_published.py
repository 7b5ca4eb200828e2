"""What was really published of a district: read, checked, and drawn beside what the model shows."""

from __future__ import annotations

import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fake_run import full_run
from test_districts import evidence, simulated
from test_report import drawn_texts

from konvergensi.analyses.run import collect
from konvergensi.base.errors import InputError
from konvergensi.base.months import parse_month
from konvergensi.inputs.districts import find_district, list_districts
from konvergensi.inputs.published import read_published
from konvergensi.inputs.template import write_template
from konvergensi.report import figures_comparison, figures_published
from konvergensi.report import readings_published as real
from konvergensi.report.figures import FIGURES, shown

BANJAR = ("Banjar", "Pataruman", "Purwaharja", "Langensari")
ROW = """
[[published]]
kecamatan = "Pataruman"
system = "e-PPGBM"
fieldwork = "2018"
percent = 8.7
cases = 321
source = "a study"
grade = "paper"
"""


def read(folder: Path, text: str) -> tuple:
    (folder / "published.toml").write_text(text, encoding="utf-8")
    return read_published(folder, BANJAR)


# ---- the file --------------------------------------------------------------------------------------------------------


def test_what_kota_banjar_published_is_as_in_the_evidence() -> None:
    found = pd.DataFrame([each.row("KOTA") for each in find_district("kota-banjar").published])
    table = evidence("banjar_kecamatan_eppgbm.csv")
    wanted = table[table.kecamatan.isin(BANJAR)].set_index(["kecamatan", "year"])
    mine = found[found.level == "subdistrict"].astype({"fieldwork": int}).set_index(["area", "fieldwork"])
    assert len(mine) == len(wanted) == 16
    assert (mine.percent.sort_index() == wanted.percent.sort_index()).all()
    assert (mine.cases.sort_index() == wanted.cases.sort_index()).all()
    surveys = found[(found.level == "district") & (found.system != "e-PPGBM") & (found.grade == "paper")]
    assert surveys.set_index("fieldwork").percent.to_dict() == {"2019-09": 28.97, "2021-09": 23.9}
    whole = evidence("ssgi_districts.csv").query("code == 32.79 and prefer == 1")
    years = found[(found.level == "district") & (found.system != "e-PPGBM")].fieldwork.str[:4].astype(int)
    assert sorted(years) == sorted({*whole.year, 2019, 2021})
    city = found[(found.level == "district") & (found.system == "e-PPGBM")].set_index("fieldwork")
    assert city.percent.to_dict() == {"2018": 8.3, "2019": 7.6, "2020": 9.3, "2021": 8.7}
    sums = mine.cases.groupby(level=1).sum()
    assert {int(year): cases for year, cases in city.cases.items()} == sums.to_dict()  # 962 in 2019, printed as 799


@pytest.mark.parametrize("name", list_districts())
def test_what_is_published_is_in_the_evidence_and_its_survey_in_the_model(name: str) -> None:
    place, table, country = find_district(name), evidence("prevalence_series.csv"), evidence("ssgi_districts.csv")
    rounds = {(each.system, each.fieldwork) for each in place.surveys}
    area = place.name.replace("Kabupaten", "Kab") if name != "lebak" else place.name
    for each in place.published:
        assert each.routine or each.system == "PSG" or (each.system, parse_month(each.fieldwork)) in rounds
        if each.source.startswith("evidence/ssgi_districts.csv"):
            known = country[(country.code == float(place.area or 0)) & (country.year == int(each.fieldwork[:4]))]
            assert each.percent in set(known.percent), each
        elif not each.kecamatan:
            known = table[(table.area == area) & (table.year == each.fieldwork[:4])]
            assert each.percent in set(known.percent), each
    assert name != "national-average" or not place.published


def test_a_district_does_not_inherit_what_was_published_of_another(tmp_path: Path) -> None:
    text = 'extends = "kota-banjar"\nname = "Kota Kita"\nprovince = "Jawa Barat"\nkind = "kota"\n'
    (tmp_path / "district.toml").write_text(text + 'notes = { en = "a", id = "b" }\n', encoding="utf-8")
    assert find_district(tmp_path).published == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Pataruman"', '"Patarman"', "unknown kecamatan 'Patarman'; there is .*; did you mean Pataruman"),
        ('"e-PPGBM"', '"SSGI"', "'SSGI' is a survey of whole districts; of a kecamatan there is only e-PPGBM"),
        ('"2018"', '"2018-13"', "fieldwork: '2018-13' is not a month"),
        ('"2018"', "true", "fieldwork: true is not a month"),
        ("8.7", "870", r"published\[Pataruman\].percent: 870 is outside \[0, 100\]"),
        ("321", "321.5", "321.5 is not a whole number"),
        ("cases", "case", "unknown key; did you mean cases"),
        ('grade = "paper"', 'grade = "papers"', "'papers' is not one of: .*did you mean paper"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        read(tmp_path, ROW.replace(old, new, 1))
    assert all("published.toml" in line for line in refused.value.lines("id"))


def test_every_slip_is_named_at_once_and_what_is_there_twice(tmp_path: Path) -> None:
    both = (
        ROW
        + ROW
        + ROW.replace("Pataruman", "Bnjar")
        + ROW.replace('kecamatan = "Pataruman"\n', "").replace("e-PPGBM", "SKI")
    )
    with pytest.raises(InputError) as refused:
        read(tmp_path, both)
    lines = refused.value.lines()
    assert len(lines) == 3
    assert any("'Pataruman e-PPGBM 2018' is there twice" in line for line in lines)
    assert any("did you mean Banjar" in line for line in lines)
    assert any("'2018' is not a month" in line for line in lines)  # a survey has a month


def test_a_year_may_be_a_number_and_a_month_is_one_too(tmp_path: Path) -> None:
    first, second = read(tmp_path, ROW.replace('"2018"', "2018") + ROW.replace('"2018"', '"2018-08"'))
    assert (first.fieldwork, second.fieldwork) == ("2018", "2018-08")


def test_a_planner_s_own_series_is_checked_with_the_district(tmp_path: Path) -> None:
    write_template(tmp_path / "mine")
    (tmp_path / "mine" / "published.toml").write_text(ROW, encoding="utf-8")
    with pytest.raises(InputError, match="unknown kecamatan 'Pataruman'"):
        find_district(tmp_path / "mine")


# ---- beside the model ------------------------------------------------------------------------------------------------


def rounds(*rows: tuple[str, str, int, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["area", "fieldwork", "n_measured", "percent"])
    return table.assign(system="e-PPGBM", level="subdistrict")


def told(**more: object) -> dict:
    row = {"area": "Bayah", "level": "subdistrict", "system": "e-PPGBM", "fieldwork": "2019", "percent": 10.0}
    return {"published": [row | more], "start": "2018-01", "end": "2020-06"}


def test_a_year_is_all_children_entered_in_its_rounds() -> None:
    surveys = rounds(
        ("Bayah", "2019-02", 100, 4.0), ("Bayah", "2019-08", 300, 8.0), ("Bayah", "2020-02", 10, 50.0),
        ("Cibeber", "2019-02", 900, 1.0), ("Bayah", "2019-09", 0, np.nan),
    )  # fmt: skip
    found = real.routine_by_kecamatan(surveys, told()).iloc[0]
    assert (found.modelled, found.children, found.rounds) == (7.0, 400, 2)
    assert real.routine_by_kecamatan(surveys, told(fieldwork="2019-08")).iloc[0].modelled == 8.0
    assert np.isnan(real.routine_by_kecamatan(surveys.iloc[3:], told()).iloc[0].modelled)


@pytest.mark.parametrize(("when", "shown"), [("2017", 0), ("2018", 1), ("2020", 1), ("2020-06", 1), ("2020-07", 0)])
def test_only_what_was_published_of_the_months_simulated_is_shown(when: str, shown: int) -> None:
    assert len(real.published(told(fieldwork=when), "subdistrict", routine=True)) == shown


def test_how_far_apart_is_the_root_mean_square_and_the_ratio_of_means() -> None:
    table = pd.DataFrame({"published": [10.0, 20.0, 99.0], "modelled": [13.0, 16.0, np.nan]})
    points, ratio, n = real.apart(table)
    assert (points, n) == (pytest.approx(np.sqrt(12.5)), 2) and ratio == pytest.approx(29 / 30)
    assert real.apart(table.iloc[2:]).n == 0


@pytest.mark.parametrize("lang", ["en", "id"])
def test_kota_banjar_s_routine_series_is_drawn_beside_the_model_s(lang: str, tmp_path: Path) -> None:
    run = collect(simulated("kota-banjar"), {}, 0.0)
    assert "routine" in shown(run)
    figure = run.plot("routine", lang)  # type: ignore[arg-type]
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(BANJAR)
    texts = {text.get_text() for text in drawn_texts(figure)}
    assert ("8.7" if lang == "en" else "8,7") in texts  # Pataruman 2018
    for axes, name in zip(figure.axes, BANJAR, strict=True):
        model, *bars = axes.lines
        mine = run.surveys[(run.surveys.area == name) & (run.surveys.system == "e-PPGBM")]
        assert list(model.get_ydata()) == mine.percent.dropna().tolist()
        assert [list(bar.get_xdata()) for bar in bars] == [[2018, 2019], [2019, 2020]]


def test_published_surveys_stand_in_the_figure_of_the_district() -> None:
    run = collect(simulated("kota-banjar"), {}, 0.0)
    stars = [line for line in run.plot("prevalence").axes[0].lines if line.get_marker() == "*"]
    assert [float(star.get_ydata()[0]) for star in stars] == [27.89, 28.97]  # it ends before SSGI 2021


def test_where_nothing_was_published_by_kecamatan_there_is_no_such_figure(tmp_path: Path) -> None:
    run = full_run("2018-01", "2019-12", 3)
    run.manifest["published"] = []
    assert "routine" not in shown(run)
    assert "no data in this run" in {text.get_text() for text in drawn_texts(FIGURES["routine"](run, "en"))}
    nothing = SimpleNamespace(manifest={"published": [], "start": "2018-01", "end": "2019-12"})
    assert "routine" not in figures_comparison.figures_of(nothing)  # type: ignore[arg-type]
    assert not figures_published.compared_has_routine(nothing)  # type: ignore[arg-type]


def test_the_shipped_files_are_toml_with_sources() -> None:
    for name in list_districts():
        path = find_district(name).path / "published.toml"
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["published"] if path.exists() else []
        assert all(each["source"].strip() and each["grade"] != "assumption" for each in rows)
