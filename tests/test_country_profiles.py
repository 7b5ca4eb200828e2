"""Each of the 514 districts can be named; its profile says whose each value is; a folder of one's own goes first."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import live
from pandas.testing import assert_frame_equal
from test_cli import call

import konvergensi as kv
from konvergensi.base.errors import InputError
from konvergensi.inputs import country
from konvergensi.inputs.country_profiles import content_of, folder_of, kind_of, published_rows
from konvergensi.inputs.districts import district_id, find_district
from konvergensi.inputs.profile import read_profile
from konvergensi.inputs.villages import read_villages

ROOT = Path(__file__).resolve().parents[1]
SOME = ["11.01", "31.71", "32.73", "35.78", "53.04", "71.08", "93.01", "95.03"]


def test_every_code_names_its_district_or_the_folder_that_stands_for_it() -> None:
    own = {code: id_ for id_, code in country.shipped_codes().items()}
    for code in country.codes().tolist():
        assert district_id(code) == own.get(code, code)
        assert district_id(country.area_name(code)) == own.get(code, code)


def test_a_district_is_found_by_name_code_and_short_code() -> None:
    for text in ("Kabupaten Sumedang", "32.11", "sumedang", "KAB. SUMEDANG"):
        assert find_district(text).id == "32.11"
    assert find_district("32.1").area == "32.10"


def test_bare_names_that_are_two_districts_are_refused_naming_both() -> None:
    names = country.districts()["name"].str.partition(" ")[2]
    both = sorted(set(names[names.duplicated()]))
    assert len(both) == 26
    for name in both:
        with pytest.raises(InputError) as refused:
            find_district(name)
        said = str(refused.value)
        assert f"Kabupaten {name} (" in said and f"Kota {name} (" in said and said.count(".") >= 2


@pytest.mark.parametrize("code", SOME)
def test_a_profile_is_whole_and_says_whose_each_value_is(code: str) -> None:
    place = find_district(code)
    names = country.villages(code)
    assert place.area == place.id == code and len(place.villages) == len(names)
    assert place.villages["kecamatan"].tolist() == names["kecamatan"].tolist()
    assert all(name in shown for name, shown in zip(names["village"], place.villages["village"]))
    assert place.villages["synthetic"].all() and place.synthetic[0] == "villages (names real, all else drawn)"
    assert all(total.source and total.grade for total in place.population.values())
    assert {name for name, total in place.population.items() if total.grade == "published"} == {
        "persons",
        "poverty_share",
    }
    births = place.population["births_per_year"]
    assert births.grade == "assumption" and births.low < births.value < births.high
    assert [each.percent for each in place.published] == [row["percent"] for row in published_rows(code)]


def test_agencies_are_those_of_the_kind_and_staff_grows_with_families() -> None:
    kota, kabupaten, papua = (find_district(code) for code in ("32.73", "32.04", "95.03"))
    assert [kind_of(each.id) for each in (kota, kabupaten, papua)] == ["kota", "kabupaten", "papua"]
    assert {each.id for each in kota.opd} == {each.id for each in find_district("kota-banjar").opd}
    assert {each.id for each in papua.opd} == {each.id for each in find_district("lebak").opd}
    staff = {each.id: sum(opd.staff for opd in each.opd) for each in (kabupaten, papua)}
    families = {each.id: each.population["families"].value for each in (kabupaten, papua)}
    assert staff["32.04"] / staff["95.03"] == pytest.approx(families["32.04"] / families["95.03"], rel=0.05)
    assert all(each.source.startswith("as in ") for each in (*kota.opd, *papua.opd))


def test_the_guideline_comes_with_the_first_year_as_a_priority_district() -> None:
    key, table = "socialization.guideline_in_force", country.lokus()
    known = table.index[table["first_year"].notna() & ~table.index.isin(country.shipped_codes().values())]
    for code in known[::10]:
        place = find_district(code)
        (first,) = [event for event in place.timeline if key in event.set]
        year = int(table.at[code, "first_year"])
        assert (first.month // 12, first.set[key], place.overrides[key].value) == (year, True, False)


def test_a_folder_of_one_s_own_goes_before_the_profile(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "district.toml").write_text(
        'extends = "32.11"\nname = "Sumedang, kami"\nprovince = "Jawa Barat"\nkind = "kabupaten"\n'
        'notes = { en = "ours", id = "kami" }\n[population]\n'
        'births_per_year = { value = 18000, unit = "births", source = "Disdukcapil", grade = "published" }\n',
        encoding="utf-8",
    )
    place = find_district(folder)
    assert place.population["births_per_year"].value == 18000 and place.area == "32.11"
    assert place.inherited["villages"] == "32.11" and len(place.villages) == 277


def test_a_new_district_may_start_from_a_profile(tmp_path: Path) -> None:
    done = call("new-district", tmp_path / "a", "--like", "sumedang")
    assert done.exit_code == 0, done.output
    for name in ("district.toml", "villages.csv", "opd.toml", "published.toml"):
        assert (tmp_path / "a" / name).read_bytes() == content_of(folder_of("32.11") / name)
    assert call("check", tmp_path / "a").exit_code == 0
    refused = call("new-district", tmp_path / "b", "--like", "Bandung")
    assert refused.exit_code == 2 and not (tmp_path / "b").exists()


def test_an_area_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "district.toml"
    path.write_text('area = "99.99"\n', encoding="utf-8")
    assert any("99.99" in each.text() for each in read_profile(path).faults)


def test_districts_lists_all_and_searches() -> None:
    table = kv.districts()
    assert len(set(table["code"]) - {""}) == 514 and table["id"].is_unique
    assert kv.districts("sumedang")["id"].tolist() == ["32.11"]
    assert set(country.codes()[country.districts()["province"] == "Papua Selatan"]) <= set(
        kv.districts("papua selatan")["code"]
    )
    shown = call("districts", "sumedang", "--lang", "id")
    assert shown.exit_code == 0 and "32.11" in shown.stdout and "277" in shown.stdout
    assert call("districts", "atlantis").exit_code == 2


@pytest.mark.parametrize("code", ["32.73", "95.03"])
def test_a_profile_runs(code: str) -> None:
    model = live(district=code, share=0.02, end="2019-12")
    assert 0.02 < model.prevalence() < 0.7 and not model.running


def test_lebak_and_kota_banjar_have_their_real_villages() -> None:
    for id_, code in (("lebak", "36.02"), ("kota-banjar", "32.79"), ("brebes", "33.29")):
        shown = find_district(id_).villages
        names = country.villages(code)
        assert sorted(shown["kecamatan"]) == sorted(names["kecamatan"])
        assert len(set(shown["village"]) & set(names["village"])) > 0.8 * names["village"].nunique()


@pytest.mark.slow
def test_the_compact_tables_are_what_the_script_makes() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/make_profiles.py", "--check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("code", ["32.11", "36.02", "82.04", "92.03", "71.09"])
def test_a_profiles_villages_are_what_reading_its_file_would_find(code: str, tmp_path: Path) -> None:
    path = folder_of(code) / "villages.csv"
    read = read_villages(content_of(path), tmp_path / "villages.csv").table
    assert_frame_equal(read_villages(content_of(path), path).table, read, check_exact=True)
