"""Names, codes and tables of the 514 districts, and the reader of a planner's own survey rows."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from konvergensi.base.errors import InputError
from konvergensi.inputs import country
from konvergensi.inputs.country import resolve_area
from konvergensi.inputs.country_observed import SYSTEMS, Observed, read_country_observed

CODES = country.codes().tolist()
BARE = country.districts()["name"].str.split(" ", n=1).str[1]
BOTH = sorted(BARE[BARE.duplicated()])


def test_there_are_514_districts_in_38_provinces_and_every_table_speaks_of_them_alone():
    assert len(CODES) == 514 and country.districts()["province"].nunique() == 38
    known = set(CODES)
    for table in (country.surveys(), country.register()):
        assert set(table["code"]) <= known
    assert set(country.lokus().index) == known
    assert set(country.covariates().index.get_level_values("code")) == known
    assert sum(len(country.villages(code)) for code in CODES) == 83762


def test_the_tables_are_what_the_script_makes_of_the_evidence(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "scripts"))
    import make_country

    for name, content in make_country.made().items():
        path = country.folder() / name
        assert make_country._plain(path.read_bytes(), name) == make_country._plain(content, name), name


def test_lebak_has_its_345_villages_in_28_kecamatan_and_its_six_surveys():
    villages = country.villages("36.02")
    assert len(villages) == 345 and villages["kecamatan"].nunique() == 28
    found = country.surveys().query("code == '36.02'").set_index("year")["percent"].to_dict()
    assert found == pytest.approx({2017: 37.3, 2018: 40.2, 2019: 33.0, 2021: 27.3, 2022: 26.2, 2023: 35.5}, abs=0.1)


def test_no_survey_is_there_twice_and_the_two_districts_of_unknown_status_stay_unknown():
    assert not country.surveys().duplicated(["code", "year", "measure_system"]).any()
    assert country.lokus()["by_2020"].isna().sum() == 2


def test_covariates_up_to_a_year_use_no_later_one():
    early = country.covariate_means(2018)
    table = country.covariates()
    by_hand = table[table.index.get_level_values("year") <= 2018].loc["36.02", "poverty_percent"].mean()
    assert early.at["36.02", "poverty_percent"] == pytest.approx(by_hand)
    assert not early.equals(country.covariate_means(2022))


@pytest.mark.parametrize(
    "text", ["Kabupaten Sumedang", "32.11", "3211", "sumedang", "KAB. SUMEDANG", "kab sumedang", 32.11]
)
def test_a_district_is_found_by_name_and_by_code_however_it_is_written(text):
    assert resolve_area(text) == "32.11"


def test_a_code_that_a_spreadsheet_cut_is_read_as_it_was():
    assert resolve_area("32.1") == resolve_area(32.1) == "32.10"


def test_what_begins_with_kota_need_not_be_a_kota():
    assert resolve_area("Kotabaru") == resolve_area("Kota Baru") == "63.02"
    assert resolve_area("Kota Banjar") == "32.79" and resolve_area("Kotawaringin Barat") == "62.01"


def test_there_are_26_names_of_both_kinds_and_each_is_refused_with_both_codes():
    assert len(BOTH) == 26
    for name in BOTH:
        with pytest.raises(InputError) as refused:
            resolve_area(name.upper())
        for kind in ("Kabupaten", "Kota"):
            assert f"{kind} {name} ({resolve_area(f'{kind} {name}')})" in str(refused.value)


def test_ids_of_shipped_folders_lead_to_their_codes():
    shipped = country.shipped_codes()
    assert shipped["lebak"] == "36.02" and shipped["kota-banjar"] == "32.79" and shipped["lanny-jaya"] == "95.07"
    assert resolve_area("lebak") == "36.02" and resolve_area("kota-banjar") == "32.79"


def test_a_wrong_name_is_refused_with_the_nearest_right_one():
    with pytest.raises(InputError, match=r"Sumdang.*did you mean Kabupaten Sumedang \(32.11\)"):
        resolve_area("Sumdang", "surveys.csv", "line 2.area")
    with pytest.raises(InputError, match=r"99\.99"):
        resolve_area("99.99")


@given(
    st.sampled_from(CODES), st.sampled_from([str.upper, str.lower, str.title]), st.sampled_from([" ", "  ", "-", ". "])
)
def test_every_full_name_and_every_code_leads_to_its_own_district(code, case, gap):
    assert resolve_area(code) == code
    assert resolve_area(case(country.area_name(code)).replace(" ", gap)) == code


@settings(deadline=None)
@given(st.text(max_size=40) | st.floats() | st.integers() | st.none())
def test_any_text_gives_a_code_or_one_clear_refusal(text):
    try:
        assert resolve_area(text) in CODES
    except InputError as refused:
        assert len(refused.lines()) == len(refused.lines("id")) == 1


def written(tmp_path: Path, *rows: str, header: str = "area,year,measure_system,percent,source") -> Path:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_rows_of_any_districts_are_read_together(tmp_path):
    path = written(tmp_path, "lebak,2024,SSGI,31.0,office", "32.1,2022,SSGI,20.5,", "Kota Banjar,2017,PSG,22,x")
    found = read_country_observed(path)
    assert [each.code for each in found] == ["36.02", "32.10", "32.79"]
    assert found[0] == Observed("36.02", 2024, "SSGI", 31.0, source="office")


def test_an_interval_is_optional_and_must_hold_its_percent(tmp_path):
    header = "area,year,measure_system,percent,low,high"
    assert read_country_observed(written(tmp_path, "lebak,2024,SSGI,31,28,34", header=header))[0].low == 28.0
    with pytest.raises(InputError, match=r"line 2\.percent.*\[32, 34\]"):
        read_country_observed(written(tmp_path, "lebak,2024,SSGI,31,32,34", header=header))


def test_a_share_is_refused_with_the_percent_it_means(tmp_path):
    with pytest.raises(InputError, match=r"line 2\.percent.*0\.193 looks like a share; write 19\.3"):
        read_country_observed(written(tmp_path, "lebak,2024,SSGI,0.193,x"))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("bandung,2024,SSGI,20,x", "both a kabupaten and a kota"),
        ("lebak,2016,SSGI,20,x", r"2016 is outside \[2017, 2029\]"),
        ("lebak,2030,SSGI,20,x", r"2030 is outside \[2017, 2029\]"),
        ("lebak,2024,SSGII,20,x", "did you mean SSGI"),
        ("lebak,2024,SSGI,120,x", "120 is outside"),
        ('lebak,2024,SSGI,"20,5,1",x', "'20,5,1' is not a number"),
        ("lebak,2024,SSGI,,x", "percent"),
    ],
)
def test_a_wrong_cell_is_refused_by_file_line_and_column(tmp_path, row, said):
    with pytest.raises(InputError, match=said) as refused:
        read_country_observed(written(tmp_path, row))
    assert all("mine.csv: line 2" in line for line in refused.value.lines())


def test_all_faults_are_told_at_once_and_a_row_that_is_there_twice_is_one(tmp_path):
    path = written(tmp_path, "lebak,2024,SSGI,20,x", "36.02,2024,SSGI,21,x", "nowhere,2031,SSGI,0.2,x")
    with pytest.raises(InputError) as refused:
        read_country_observed(path)
    assert sum("line 3" in line for line in refused.value.lines()) == 1 and len(refused.value.lines()) >= 3


_ROWS = st.lists(
    st.tuples(st.sampled_from(CODES), st.integers(2017, 2029), st.sampled_from(SYSTEMS), st.floats(1, 99)),
    min_size=1, max_size=6, unique_by=lambda row: row[:3],
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ROWS)
def test_right_rows_come_back_as_written(tmp_path, rows):
    lines = [f"{country.area_name(code)},{year},{system},{percent!r},x" for code, year, system, percent in rows]
    found = read_country_observed(written(tmp_path, *lines))
    assert [(each.code, each.year, each.measure_system, each.percent) for each in found] == rows


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(alphabet='lebak0123456789.,SGI-"', max_size=8), min_size=5, max_size=5), max_size=4))
def test_garbage_is_refused_in_words_and_never_crashes(tmp_path, cells):
    path = written(tmp_path, *[",".join(row) for row in cells])
    try:
        assert read_country_observed(path)
    except InputError as refused:
        assert refused.lines() and refused.lines("id")
