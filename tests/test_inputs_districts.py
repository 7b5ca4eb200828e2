import os
import re
from pathlib import Path

import pytest
from inputs_valid import (
    HEADER,
    OPD,
    POPULATION,
    RAMP_OF_HISTORY,
    ROWS,
    district_toml,
    villages_csv,
    write_district,
)

from konvergensi.base.errors import InputError
from konvergensi.inputs.check import check_path, headline, read_path
from konvergensi.inputs.districts import District, find_district, list_districts


def test_a_district_comes_in_whole(tmp_path: Path) -> None:
    district = find_district(write_district(tmp_path / "uji"))
    assert (district.id, district.name, district.kind) == ("uji", "Kabupaten Uji", "kabupaten")
    assert district.notes["id"] == "Rekaan untuk pengujian." and district.synthetic == ("villages",)
    assert district.population["poverty_share"].value == 0.1
    assert district.overrides["services.pmba.effect"].value == 0.2
    assert district.timeline[0].month == 2020 * 12 + 2
    assert (district.surveys[0].fieldwork, district.surveys[0].published) == (2021 * 12 + 8, 2021 * 12 + 11)
    assert [each.id for each in district.programmes] == ["dinkes:pmba:dak", "dinkes:vitamin-a:apbn"]
    assert district.programmes[1].rigid and district.opd[0].register == "eppgbm"
    assert set(district.hashes) == {"district.toml", "villages.csv", "opd.toml"}


def test_villages_have_their_types(tmp_path: Path) -> None:
    villages = find_district(write_district(tmp_path)).villages
    assert [str(villages[name].dtype) for name in ("families", "lokus", "synthetic", "x")] == [
        "int64", "bool", "bool", "float64",
    ]  # fmt: skip
    assert villages["families"].tolist() == [400, 300, 200] and villages["lokus"].tolist() == [
        True,
        False,
        True,
    ]


def test_agencies_states_are_keys_a_scenario_may_set(tmp_path: Path) -> None:
    parameters = find_district(write_district(tmp_path)).parameters()
    assert parameters["opd.dinkes.ego"].checked(0.5) == 0.5
    assert parameters["opd.dinkes.guideline"].value is False
    with pytest.raises(InputError, match=r"looks like a percent; write 0\.4"):
        parameters["opd.dinkes.understanding"].checked(40)


def test_role_mandate_and_skill_may_be_left_out(tmp_path: Path) -> None:
    assert find_district(write_district(tmp_path / "a")).opd[0].role == "coordinator"
    lines = [each for each in OPD.splitlines() if not each.startswith(("role", "mandate", "skill"))]
    agency = find_district(write_district(tmp_path / "b", opd_toml="\n".join(lines))).opd[0]
    assert (agency.role, agency.mandate, agency.skill) == ("member", 0.4, 0.6)


def test_a_shipped_district_has_one_coordinator() -> None:
    for name in list_districts():
        assert [each.role for each in find_district(name).opd].count("coordinator") == 1


def test_mandate_and_skill_are_levers_of_every_agency(tmp_path: Path) -> None:
    parameters = find_district(write_district(tmp_path)).parameters()
    assert parameters["opd.dinkes.mandate"].value == 0.7 and parameters["opd.dinkes.skill"].value == 0.6
    assert "opd.dinkes.role" not in parameters  # who coordinates is the district's, not a policy's


def test_own_values_may_be_written_as_nested_tables(tmp_path: Path) -> None:
    text = district_toml().replace('[set."services.pmba.effect"]', "[set.services.pmba.effect]")
    assert find_district(write_district(tmp_path, district_toml=text)).overrides["services.pmba.effect"].value == 0.2


def test_shipped_districts_are_good() -> None:
    for name in list_districts():
        district = find_district(name)
        assert district.id == name and isinstance(district, District)


def test_files_saved_by_excel_or_windows_are_read(tmp_path: Path) -> None:
    csv = b"\xef\xbb\xbf" + villages_csv().replace("\n", "\r\n").encode()
    toml = b"\xef\xbb\xbf" + district_toml().replace("\n", "\r\n").encode()
    assert len(find_district(write_district(tmp_path, villages_csv=csv, district_toml=toml)).villages) == 3


def refused(folder: Path, **files: str | bytes) -> list[str]:
    faults = check_path(write_district(folder, **files))
    assert faults
    return faults


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "kabupaten"', 'kind = "kabupatn"', "kind: 'kabupatn' is not one of: kabupaten, kota"),
        ('province = "Banten"', "", r"province: missing; write province = \.\.\."),
        ('province = "Banten"', 'provinsi = "Banten"', r"provinsi: unknown key; did you mean province\?"),
        ('name = "Kabupaten Uji"', "name = 3", "name: 3 is not text in quotes"),
        ('name = "Kabupaten Uji"', 'name = " "', "name: empty"),
        ('synthetic = ["villages"]', 'synthetic = "villages"', "synthetic: 'villages' is not a list"),
        ('id = "Rekaan untuk pengujian."', "", "notes.id: missing"),
        ("[population.kek_share]", "[population.kek_shr]", "population.kek_share: missing; .*not kek_shr"),
        ("[population.kek_share]", "[population.kek_shr]", "kek_shr: unknown key; did you mean kek"),
        ("value = 0.9\n", "value = 90\n", "nik_share.value: 90 looks like a percent; write 0.9"),
        ("value = 0.9\n", "value = nan\n", "population.nik_share.value: nan is outside"),
        ("value = 0.9\n", "value = 0.9\nlow = 0.95\n", r"nik_share: value 0.9 must lie in low..high"),
        ("value = 900\n", "value = -900\n", r"families.value: -900 is outside \[1, 1000000000\] unit"),
        ("value = 900\n", 'value = "900"\n', "population.families.value: '900' is not a number"),
        ('"services.pmba.effect"]\nvalue', '"services.pmba.efect"]\nvalue', "services.pmba.efect: unknown"),
        ("value = 0.2\nsource", "value = 9\nsource", r"pmba.effect: 9 is outside \[-1, 1\] sd"),
        ("value = 0.2\nsource", "source", "set.services.pmba.effect.value: missing"),
        ('from = "2020-03"', 'from = "2020-3"', r"timeline\[2020-3\].from: '2020-3' is not a month"),
        ('from = "2020-03"', "from = 2020-03-02", "the model works in whole months, write 2020-03"),
        ('"services.pmba.effect" = 0.15', '"opd.dinas.ego" = 0.15', "set.opd.dinas.ego: unknown"),
        ('"services.pmba.effect" = 0.15', '"opd.dinkes.ego" = 15', "looks like a percent; write 0.15"),
        ('"services.pmba.effect" = 0.15', '"a" = [1]', r"timeline\[2020-03\].set.a: \[1\] is not one value"),
        ('from = "2020-03"', 'from = "2020-03"\nuntil = "2020-02"', r"\[2020-03\].until: '2020-02' is before 2020-03"),
        ('from = "2020-03"', 'from = "2020-03"\nuntil = 2021', r"timeline\[2020-03\].until: 2021 is not a month"),
        ('from = "2020-03"', 'from = "2020-03"\nuntill = "2021-01"', r"untill: unknown key; did you mean until\?"),
        ('published = "2021-12"', 'published = "2020-12"', r"\[SSGI\].published: '2020-12' is before"),
        ('system = "SSGI"', 'system = "ssgi"', r"survey\[ssgi\].system: 'ssgi' is not one of"),
        ("clusters = 35", "clusters = 3.5", r"survey\[SSGI\].clusters: 3.5 is not a whole number"),
        ("[[survey]]", "[survey]", "survey: .* is not a list"),
        ("[notes]", "[notes", r"not valid TOML \(.*line 6"),
        ("[notes]", "a." * 60 + "b = 1\n[notes]", "more than 30 tables inside each other"),
    ],
)  # fmt: skip
def test_a_faulty_district_toml_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = district_toml()
    assert old in text
    faults = refused(tmp_path, district_toml=text.replace(old, new, 1))
    assert any(re.search(message, each) and "district.toml" in each for each in faults), faults


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (RAMP_OF_HISTORY, ""),
        (
            RAMP_OF_HISTORY.replace("goal_adoption", "in_decree").replace("0.6", "false"),
            r"timeline\[2021-01\].set.opd.dinkes.in_decree: false cannot be reached in steps, only a number can",
        ),
        (
            RAMP_OF_HISTORY + RAMP_OF_HISTORY.replace('"2021-01"\nuntil = "2021-12"', '"2021-12"'),
            r"timeline\[2021-12\].set.opd.dinkes.goal_adoption: 0.6 at 2021-12 \(district.toml\) begins inside the "
            r"ramp 2021-01 .. 2021-12 \(district.toml\)",
        ),
        (RAMP_OF_HISTORY + RAMP_OF_HISTORY, "timeline: '2021-01 opd.dinkes.goal_adoption' is there twice"),
    ],
)
def test_a_ramp_of_history_is_checked(tmp_path: Path, event: str, message: str) -> None:
    faults = check_path(write_district(tmp_path, district_toml=district_toml() + event))
    assert bool(faults) == bool(message)
    assert not message or re.search(message, faults[0]), faults


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("understanding = 0.7", "understanding = 70", r"opd\[dinkes\].understanding: 70 looks like"),
        ("ego = 0.3", "eggo = 0.3", r"opd\[dinkes\].eggo: unknown key; did you mean ego\?"),
        ("ego = 0.3", "", r"opd\[dinkes\].ego: missing"),
        ("in_decree = true", "in_decree = 1", r"opd\[dinkes\].in_decree: 1 is not true or false"),
        ("staff = 120", "staff = -1", r"opd\[dinkes\].staff: -1 is outside \[0, 100000\] persons"),
        ('register = "eppgbm"', 'register = "eppbgm"', "register: 'eppbgm' is not one of: .*mean eppgbm"),
        ('service = "pmba"', 'service = "pmb"', "service: unknown service 'pmb'; .*mean pmba"),
        ('opd = "dinkes"', 'opd = "dinks"', "opd: unknown OPD 'dinks'; there is dinkes; did"),
        ("funded_share = 0.4", "", r"\[dinkes:pmba:dak\]: write funded_share or"),
        ("budget_rp = 500000000", "budget_rp = inf", "budget_rp: inf is outside"),
        ('location = "central"', 'location = "pusat"', "location: 'pusat' is not one of: all, central"),
        ('"coordinator"', '"coordinater"', r"\[dinkes\].role: 'coordinater' is not one of: coordinator, lead"),
        ("mandate = 0.7", "mandate = 70", r"opd\[dinkes\].mandate: 70 looks like a percent; write 0.7"),
        ("skill = 0.6", 'skill = "good"', r"opd\[dinkes\].skill: 'good' is not a number"),
        (OPD, OPD + OPD.replace('"dinkes"', '"dinsos"'), "opd.role: 'coordinator' is the role of dinkes, dinsos;"),
        (OPD, OPD + OPD, "opd.id: 'dinkes' is there twice"),
        (OPD, OPD + OPD, "programme: 'dinkes:pmba:dak' is there twice"),
        (OPD, "opd = []", "opd: the table has no rows"),
        (OPD, "", r"opd: missing; write opd = \.\.\."),
    ],
)  # fmt: skip
def test_a_faulty_opd_toml_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in OPD
    faults = refused(tmp_path, opd_toml=OPD.replace(old, new, 1))
    assert any(re.search(message, each) and "opd.toml" in each for each in faults), faults


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",poverty", "", "line 2 holds 10 values, but the first line names 9 columns"),
        (",poverty,", ",", "line 4 holds 10 values, but the first line names 9 columns"),
        (",poverty", ",povery", r"povery: unknown key; did you mean poverty\?"),
        (",poverty", ",poverty,poverty", "poverty: 'poverty' is there twice"),
        ("Sukasari", "Sukamaju", r"village: 'Sukamaju' is there twice \(line 2, 3\)"),
        ("Sukasari", "", "village: line 3: empty"),
        ("Utara,400", "Utara,-400", r"families: line 2: -400 is outside \[1, 1000000\] families"),
        ("Utara,400", "Utara,400.5", "families: line 2: 400.5 is not a whole number"),
        ("Utara,400", "Utara,", "families: line 2: empty"),
        ("Utara,400", 'Utara,"4,00"', "families: line 2: '4,00' is not a whole number"),
        ("400,1", "400,2", r"lokus: line 2: 2 is outside \[0, 1\]"),
        ("400,1", "400,perhaps", "lokus: line 2: 'perhaps' is neither yes nor no"),
        ("1,0.5,0.2", "1,0.5,20", "poverty: line 2: 20 looks like a percent; write 0.2"),
        ("1,0.5,0.2", "1,nan,0.2", "remoteness: line 2: 'nan' is not a number"),
        ("1.5,-2.0", "inf,-2.0", r"x: line 2: inf is outside \[-10000, 10000\] km"),
        (ROWS[0], ROWS[0] + ",9", "line 2 holds 11 values, but the first line names 10 columns"),
        (ROWS[0], "\nSukamaju,Utara", "line 3 holds 2 values, but the first line names 10 columns"),
        ("\n".join(ROWS), "", "the table has no rows"),
        (HEADER, '"', r"line \d: not a valid CSV table"),
        (villages_csv(), "", "the table has no rows"),
    ],
)  # fmt: skip
def test_a_faulty_village_table_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = villages_csv()
    assert old in text
    faults = refused(tmp_path, villages_csv=text.replace(old, new, 1))
    assert any(re.search(message, each) and "villages.csv" in each for each in faults), faults


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    without = "\n".join(line.rsplit(",", 1)[0] for line in (HEADER, *ROWS))
    assert refused(tmp_path, villages_csv=without)[0].endswith("villages.csv: synthetic: this column is missing")


def test_blank_lines_are_no_villages(tmp_path: Path) -> None:
    text = villages_csv().replace(ROWS[1], f"\n{ROWS[1]}\n")
    assert find_district(write_district(tmp_path, villages_csv=text)).villages.index.tolist() == [0, 1, 2]


def test_faults_of_all_three_files_come_at_once_and_in_indonesian(tmp_path: Path) -> None:
    folder = write_district(
        tmp_path,
        district_toml=district_toml().replace("value = 0.9\n", "value = 90\n"),
        villages_csv=villages_csv().replace(",1\n", ",7\n"),
        opd_toml=OPD.replace("ego = 0.3", "ego = 3"),
    )
    faults = check_path(folder, "id")
    assert [each.split(": ", 1)[1] for each in faults] == [
        "population.nik_share.value: 90 tampaknya persen; tulis 0.9 (yang boleh [0, 1])",
        "synthetic: baris 2: 7 di luar rentang [0, 1]; dan 1 baris lagi",
        "opd[dinkes].ego: 3 tampaknya persen; tulis 0.03 (yang boleh [0, 1])",
    ]


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    folder = write_district(tmp_path / "a", villages_csv=b"village\x81")
    assert check_path(folder) == [f"{folder}/villages.csv: is not UTF-8 text (byte 8); save it as UTF-8"]
    (folder / "villages.csv").unlink()
    assert check_path(folder) == [f"{folder}/villages.csv: there is no such file or folder"]
    (folder / "villages.csv").mkdir()
    assert check_path(folder) == [f"{folder}/villages.csv: is a folder, not a file"]
    assert check_path(tmp_path) == [f"{tmp_path}/district.toml: there is no such file or folder"]
    assert check_path(tmp_path / "b") and check_path("a\0/b") and check_path("x" * 5000)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    folder = write_district(tmp_path)
    (folder / "opd.toml").chmod(0)
    assert "opd.toml: cannot be read (Permission denied)" in check_path(folder)[0]


def test_an_unknown_district_is_refused_with_what_there_is() -> None:
    with pytest.raises(InputError, match="unknown district 'lebakk'; there is"):
        find_district("lebakk")


def test_check_says_what_it_read(tmp_path: Path) -> None:
    folder = write_district(tmp_path)
    expected = "Kabupaten Uji (district: 3 villages in 2 kecamatan, 1 OPD, 2 programmes)"
    assert headline(read_path(folder)) == headline(read_path(folder / "opd.toml")) == expected
    assert headline(read_path(folder), "id").startswith("Kabupaten Uji (daerah: 3 desa")


def test_families_must_add_up(tmp_path: Path) -> None:
    """Money is sized by the total and spent in the villages: a replaced village table needs its own total."""
    fewer = villages_csv().replace(",400,", ",100,").encode()
    folder = write_district(tmp_path, villages_csv=fewer)
    message = (
        "population.families: 600 families in the table of villages, but 900 here; they must agree within 1 percent"
    )
    assert check_path(folder) == [f"{folder}/district.toml: {message}"]


def test_the_village_table_decides_whether_villages_are_called_synthetic(tmp_path: Path) -> None:
    assert "villages" in find_district(write_district(tmp_path / "a")).synthetic
    real = "\n".join(line[:-1] + "0" if line[-1] in "01" else line for line in villages_csv().splitlines())
    assert "villages" not in find_district(write_district(tmp_path / "b", villages_csv=real.encode())).synthetic


def test_a_value_fault_is_named_together_with_what_is_missing(tmp_path: Path) -> None:
    """All at once, so that mending is one round: a missing field hides no other fault, in its entry or elsewhere."""
    text = (
        district_toml()
        .replace('province = "Banten"\n', "")
        .replace("value = 0.9\nunit", "value = 90\nUnit")
        .replace('value = 0.2\nsource = "invented"\n', "value = 9\n")
        .replace('"services.pmba.effect" = 0.15', '"services.pmba.efect" = 0.15')
        .replace('published = "2021-12"', 'published = "2020-12"')
    )
    opd = OPD.replace("ego = 0.3\n", "").replace('service = "pmba"\n', "").replace('"vitamin-a"', '"vitamin-b"')
    csv = "\n".join(line.rsplit(",", 1)[0] for line in (HEADER, *ROWS)).replace("400,1,0.5,0.2", "400,1,0.5,20")
    folder = write_district(tmp_path, district_toml=text, opd_toml=opd, villages_csv=csv)
    faults = [each.removeprefix(f"{folder}/").partition(";")[0] for each in check_path(folder)]
    assert faults == [
        "district.toml: province: missing",
        "district.toml: population.nik_share.unit: missing",
        "district.toml: population.nik_share.Unit: unknown key",
        "district.toml: set.services.pmba.effect.source: missing",
        "district.toml: population.nik_share.value: 90 looks like a percent",
        "district.toml: survey[SSGI].published: '2020-12' is before 2021-09 (fieldwork)",
        "villages.csv: synthetic: this column is missing",
        "villages.csv: poverty: line 2: 20 looks like a percent",
        "opd.toml: opd[dinkes].ego: missing",
        "opd.toml: programme[#1].service: missing",
        "opd.toml: programme[dinkes:vitamin-b:apbn].service: unknown service 'vitamin-b'",
        "district.toml: set.services.pmba.effect: 9 is outside [-1, 1] sd",
        "district.toml: timeline[2020-03].set.services.pmba.efect: unknown key",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"births_per_year": 600}, "births_per_year: 600 births a year among 3600 persons are 167 per 1,000"),
        ({"births_per_year": 6}, "births_per_year: 6 births a year among 3600 persons are 1.67 per 1,000"),
        ({"persons": 360}, "persons: 60 births a year among 360 persons are 167 per 1,000"),
        ({"persons": 1500}, "persons: 1500 persons in 900 families are 1.67 in a family; plausible is 2 to 9 (Ind"),
        ({"births_per_year": 600, "persons": None}, "births_per_year: 600 births a year in 900 families are 66.7 per"),
        ({"births_per_year": 600, "persons": 36000}, "families: 600 births a year in 900 families are 66.7 per 100"),
        ({"births_per_year": 30}, ""),
        ({"births_per_year": 150}, ""),
        ({"persons": None}, ""),
    ],
)  # fmt: skip
def test_births_persons_and_families_must_fit_together(
    tmp_path: Path, changes: dict[str, float | None], message: str
) -> None:
    """One fault, however many ratios are out, at the total that fits neither of the others."""
    totals = {name: value for name, value in (POPULATION | changes).items() if value is not None}
    faults = check_path(write_district(tmp_path, district_toml=district_toml(totals)))
    assert len(faults) == bool(message)
    assert not message or f"district.toml: population.{message}" in faults[0], faults
    assert not message or "yang wajar" in check_path(tmp_path, "id")[0]


def test_a_typing_slip_in_the_families_of_a_district_is_one_fault(tmp_path: Path) -> None:
    faults = check_path(write_district(tmp_path, district_toml=district_toml(POPULATION | {"families": 90000})))
    assert len(faults) == 1 and "900 families in the table of villages, but 90000 here" in faults[0]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("district.toml", "value = 900\n", "value = -900\n", "families.value: -900 is outside"),
        ("district.toml", "value = 900\n", "value = 1e300\n", "families.value: 1e+300 is outside"),
        ("district.toml", "value = 0.9\n", "value = nan\n", "nik_share.value: nan is outside"),
        (
            "district.toml",
            '[set."services.pmba.effect"]',
            '[set.services.pmba.effect]\nvalue = 0.1\n[set."services.pmba.effect"]',
            "set.services.pmba.effect: set twice",
        ),
        ("opd.toml", OPD.partition("[[programme]]")[0], "", "opd: missing"),
        ("opd.toml", 'service = "pmba"', 'service = "Pmba"', "'Pmba' is not a short name"),
    ],
)
def test_one_mistake_is_one_fault(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    folder = write_district(tmp_path)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    (fault,) = check_path(folder)
    assert message in fault


def test_lines_that_lack_their_service_are_not_called_double(tmp_path: Path) -> None:
    opd = OPD.replace('service = "pmba"\n', "").replace('service = "vitamin-a"\n', "").replace('"apbn"', '"dak"')
    faults = check_path(write_district(tmp_path, opd_toml=opd))
    assert len(faults) == 2 and all("service: missing" in each for each in faults)


def test_a_missing_column_hides_no_bad_cell(tmp_path: Path) -> None:
    rows = [line.split(",") for line in (HEADER, *ROWS)]
    csv = "\n".join(",".join(row[:4] + row[5:]) for row in rows).replace("400,1,0.2", "400,1,20")
    faults = [each.partition("villages.csv: ")[2] for each in check_path(write_district(tmp_path, villages_csv=csv))]
    assert faults[0] == "remoteness: this column is missing" and faults[1].startswith("poverty: line 2: 20 looks like")
