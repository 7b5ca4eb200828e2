"""A district that extends another: what its folder does not say comes from there; faults are named where they are."""

import re
import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inputs_valid import HEADER, OPD, POPULATION, RAMP_OF_HISTORY, district_toml, villages_csv, write_district

from konvergensi.base.errors import InputError
from konvergensi.inputs.check import check_path
from konvergensi.inputs.describe import describe
from konvergensi.inputs.districts import FILES, District, find_district, load_district

SOME = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
THIN = """\
extends = "{extends}"
name = "Kabupaten Anak"
province = "Banten"
kind = "kabupaten"
notes = {{ en = "Thin.", id = "Ringkas." }}
"""
EFFECT = "services.pmba.effect"
OWN_EFFECT = f'\n[set."{EFFECT}"]\nvalue = 0.3\nsource = "own"\ngrade = "assumption"\n'
OWN_EVENT = f"""
[[timeline]]
from = "2020-03"
set = {{ "{EFFECT}" = 0.1 }}
reason = {{ en = "Own.", id = "Sendiri." }}
"""
OWN_SURVEY = """
[[survey]]
system = "SSGI"
fieldwork = "2021-10"
published = "2021-12"
clusters = 20
children_per_cluster = 10
source = "own"
grade = "assumption"
"""


def child(folder: Path, more: str = "", extends: str = "induk", **files: str) -> Path:
    """A thin district beside `induk`, the valid district of inputs_valid; returns the thin one's folder."""
    if not (folder / "induk").exists():
        write_district(folder / "induk")
    thin = folder / "anak"
    thin.mkdir(exist_ok=True)
    (thin / "district.toml").write_text(THIN.format(extends=extends) + more)
    for name, text in files.items():
        (thin / name.replace("_", ".")).write_text(text)
    return thin


def opd_set(opd: str) -> str:
    return f'\n[set."opd.{opd}.ego"]\nvalue = 0.9\nsource = "x"\ngrade = "assumption"\n'


# ---- what comes from where -------------------------------------------------------------------------------------------


def test_a_folder_with_nothing_of_its_own_is_the_other_under_its_own_name(tmp_path: Path) -> None:
    thin, parent = find_district(child(tmp_path)), find_district(tmp_path / "induk")
    assert (thin.id, thin.name, thin.notes["id"], thin.extends) == ("anak", "Kabupaten Anak", "Ringkas.", "induk")
    assert same(thin, parent)
    assert thin.opd == parent.opd and thin.programmes == parent.programmes and thin.synthetic == parent.synthetic
    assert thin.villages.equals(parent.villages)
    assert set(thin.hashes) == {"district.toml", "induk/district.toml", "induk/villages.csv", "induk/opd.toml"}
    assert {thin.inherited[each] for each in ("villages", "opd", "population.families")} == {"induk"}
    assert parent.inherited == {} and parent.extends is None


def same(one: District, other: District) -> bool:
    """Whether totals, own values, history and surveys are the same, in whatever order of the keys."""
    history = [
        sorted((event.month, event.until, key, value) for event in each.timeline for key, value in event.set.items())
        for each in (one, other)
    ]
    return (one.population, one.overrides, one.surveys) == (
        other.population, other.overrides, other.surveys,
    ) and history[0] == history[1]  # fmt: skip


def test_what_is_its_own_holds(tmp_path: Path) -> None:
    own = '[population]\nkek_share = { value = 0.11, unit = "share", source = "own", grade = "assumption" }\n'
    thin = find_district(child(tmp_path, own + OWN_EFFECT + OWN_EVENT + OWN_SURVEY))
    assert thin.population["kek_share"].value == 0.11 and thin.population["nik_share"].value == 0.9
    assert thin.overrides[EFFECT].value == 0.3
    assert [event.set for event in thin.timeline] == [{EFFECT: 0.1}]  # of two changes in one month its own
    assert [survey.clusters for survey in thin.surveys] == [20]  # of two SSGI in one year its own
    assert "population.kek_share" not in thin.inherited and "villages" in thin.inherited
    assert not {f"set.{EFFECT}", f"timeline.2020-03.{EFFECT}", "survey.2021-10"} & set(thin.inherited)


def test_history_and_surveys_of_other_dates_are_added(tmp_path: Path) -> None:
    other = OWN_EVENT.replace("2020-03", "2021-03") + OWN_SURVEY.replace("2021-10", "2020-10")
    thin = find_district(child(tmp_path, other))
    assert [event.month % 12 for event in thin.timeline] == [2, 2] and len(thin.surveys) == 2
    assert thin.inherited[f"timeline.2020-03.{EFFECT}"] == "induk"
    assert f"timeline.2021-03.{EFFECT}" not in thin.inherited


def test_a_chain_is_read_to_its_end(tmp_path: Path) -> None:
    middle = child(tmp_path, OWN_EFFECT)
    grandchild = tmp_path / "cucu"
    grandchild.mkdir()
    (grandchild / "district.toml").write_text(THIN.format(extends="anak"))
    found = find_district(grandchild)
    assert found.overrides[EFFECT].value == 0.3 and found.inherited[f"set.{EFFECT}"] == "anak"
    assert found.inherited["villages"] == "induk" and "anak/district.toml" in found.hashes
    assert find_district(middle).extends == "induk"


def test_a_shipped_district_and_a_path_can_be_extended(tmp_path: Path) -> None:
    assert len(find_district(child(tmp_path, extends="archetype-island")).villages) == 180
    write_district(tmp_path / "jauh" / "sekali")
    assert len(find_district(child(tmp_path, extends="../jauh/sekali")).villages) == 3
    write_district(tmp_path / "lebak")  # a folder beside it comes before the shipped one of that name
    assert len(find_district(child(tmp_path, extends="lebak")).villages) == 3


def test_a_district_named_like_the_shipped_one_it_extends(tmp_path: Path) -> None:
    folder = tmp_path / "lebak"
    folder.mkdir()
    (folder / "district.toml").write_text(THIN.format(extends="lebak"))
    found = find_district(folder)
    assert (found.name, len(found.villages)) == ("Kabupaten Anak", 345)
    assert set(found.hashes) == {"district.toml", *(f"lebak/{name}" for name in FILES), "country/levels.csv"}
    grandchild = find_district(child(tmp_path, extends="lebak"))
    assert set(grandchild.hashes) == {
        "district.toml", "lebak/district.toml", *(f"lebak (2)/{name}" for name in FILES), "country/levels.csv",
    }  # fmt: skip


def test_own_villages_need_own_families(tmp_path: Path) -> None:
    csv = villages_csv().replace(",400,", ",100,")
    (thin := child(tmp_path)).joinpath("villages.csv").write_text(csv)
    assert check_path(thin) == [
        f"{thin}/district.toml: population.families: 600 families in the table of villages, but 900 in induk, "
        "which this district extends; write families = { value = 600, ... } here, and the other counts of your own"
    ]
    assert "yang diperluas daerah ini" in check_path(thin, "id")[0]
    families = '[population]\nfamilies = { value = 600, unit = "f", source = "own", grade = "assumption" }\n'
    assert check_path(child(tmp_path, families)) == []


def test_own_agencies_leave_the_others_and_their_values_behind(tmp_path: Path) -> None:
    text = district_toml().replace('["villages"]', '["villages", "agencies (those of Lebak)", "population", "budgets"]')
    write_district(tmp_path / "induk", district_toml=text + opd_set("dinkes"))
    assert find_district(child(tmp_path)).overrides["opd.dinkes.ego"].value == 0.9
    thin = child(tmp_path, opd_set("dinsos"))
    (thin / "opd.toml").write_text(OPD.replace('"dinkes"', '"dinsos"'))
    found = find_district(thin)
    assert "opd.dinkes.ego" not in found.overrides and found.overrides["opd.dinsos.ego"].value == 0.9
    assert found.synthetic == ("villages", "population", "budgets") and "opd" not in found.inherited


def test_synthetic_labels_are_inherited_as_long_as_they_are_true(tmp_path: Path) -> None:
    totals = district_toml().partition("[population.families]")
    population = "[population.families]" + totals[2].partition('[set."')[0]
    write_district(tmp_path / "induk", district_toml=district_toml().replace('["villages"]', '["population"]'))
    assert find_district(child(tmp_path)).synthetic == ("villages", "population")
    assert find_district(child(tmp_path, population)).synthetic == ("villages",)


def test_describe_says_what_comes_from_where() -> None:
    rows = describe("maluku-tengah", "id")
    assert ("memperluas", "81.01") in rows and ("desa", "192 [dari 81.01]") in rows
    own = next(text for _, text in rows if text.startswith("socialization.juknis"))
    assert "[dari" not in own
    assert any(text.endswith("[from national-average]") for name, text in describe("maluku-tengah") if name == "survey")


# ---- what is refused, and where --------------------------------------------------------------------------------------


def test_extending_itself_is_refused(tmp_path: Path) -> None:
    thin = child(tmp_path, extends="anak")
    assert check_path(thin) == [f"{thin}/district.toml: extends: extends itself: anak -> anak"]
    write_district(tmp_path / "induk", district_toml='extends = "anak"\n' + district_toml())
    (fault,) = check_path(child(tmp_path))
    assert fault == f"{tmp_path}/induk/district.toml: extends: extends itself: anak -> induk -> anak"


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ('"archetype-iland"', r"extends: unknown district 'archetype-iland'; there is .*mean archetype-island\?"),
        ('"../nowhere"', "extends: there is no such file or folder"),
        ("3", "extends: 3 is not text in quotes"),
        ('""', "extends: empty"),
        ('"a\\u0000b"', "control character"),
    ],
)
def test_what_cannot_be_extended_is_named_once(tmp_path: Path, extends: str, message: str) -> None:
    """And the files that may have been meant to come from there are not said to be missing."""
    thin = child(tmp_path)
    (thin / "district.toml").write_text(THIN.format(extends="").replace('extends = ""', f"extends = {extends}"))
    (fault,) = check_path(thin)
    assert re.search(message, fault) and f"{thin}/district.toml" in fault


def test_a_misspelt_extends_is_refused(tmp_path: Path) -> None:
    thin = child(tmp_path)
    (thin / "district.toml").write_text(THIN.format(extends="induk").replace("extends", "extend", 1))
    (fault,) = check_path(thin)  # not that all the rest is missing
    assert "extend: unknown key; did you mean extends?" in fault


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("district.toml", "value = 0.9\n", "value = 90\n", "population.nik_share.value: 90 looks like a percent"),
        ("district.toml", '"services.pmba.effect" = 0.15', '"services.pmba.efect" = 0.15', "unknown key; did you mean"),
        ("district.toml", "[notes]", "[notes", "not valid TOML"),
        ("villages.csv", "Utara,400", "Utara,-400", "families: line 2: -400 is outside"),
        ("opd.toml", "ego = 0.3", "ego = 30", r"opd\[dinkes\].ego: 30 looks like"),
    ],
)
def test_a_fault_of_the_other_district_names_its_file(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    thin = child(tmp_path, opd_set("dinkes").replace("0.9", "90"))
    path = tmp_path / "induk" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    faults = check_path(thin)
    assert any(each.startswith(f"{path}: ") and re.search(message, each) for each in faults), faults
    whole = new != "[notes" and file != "opd.toml"  # else it cannot be told which agencies there are
    assert any("anak/district.toml: set.opd.dinkes.ego: 90 looks like" in each for each in faults) == whole
    assert len(faults) == 1 + whole


def test_a_total_missing_everywhere_is_missing_here(tmp_path: Path) -> None:
    text = district_toml().replace("[population.kek_share]", "[population.kek_shr]")
    write_district(tmp_path / "induk", district_toml=text)
    faults = check_path(child(tmp_path))
    assert any(re.search(r"anak/district.toml: population.kek_share: missing; .*not kek_shr", each) for each in faults)
    assert any("induk/district.toml: population.kek_shr: unknown key" in each for each in faults) and len(faults) == 2


def test_history_inside_a_ramp_of_the_other_is_refused_here(tmp_path: Path) -> None:
    write_district(tmp_path / "induk", district_toml=district_toml() + RAMP_OF_HISTORY)
    inside = RAMP_OF_HISTORY.replace('"2021-01"\nuntil = "2021-12"', '"2021-06"')
    (fault,) = check_path(child(tmp_path, inside))
    assert re.search(
        r"anak/district.toml: timeline\[2021-06\].set.opd.dinkes.goal_adoption: 0.6 at 2021-06 \(district.toml\) "
        r"begins inside the ramp 2021-01 .. 2021-12 \(induk/district.toml\)",
        fault,
    )
    over = RAMP_OF_HISTORY.replace('"2021-01"\nuntil = "2021-12"', '"2019-06"\nuntil = "2021-06"')
    (fault,) = check_path(child(tmp_path, over))
    assert "anak/district.toml: timeline[2019-06].set.opd.dinkes.goal_adoption" in fault


def test_an_odd_size_is_to_be_mended_in_the_nearer_file(tmp_path: Path) -> None:
    own = '[population]\npersons = { value = 36, unit = "p", source = "own", grade = "assumption" }\n'
    (fault,) = check_path(child(tmp_path, own))
    assert "anak/district.toml: population.persons" in fault
    write_district(tmp_path / "induk", district_toml=district_toml(POPULATION | {"births_per_year": 90}))
    (fault,) = check_path(child(tmp_path, own.replace("36", "1900")))  # only the births do not fit it
    assert "anak/district.toml: population.persons: 90 births a year among 1900 persons are 47.4" in fault


# ---- every way of dividing, every way of spoiling --------------------------------------------------------------------

BASE = district_toml() + RAMP_OF_HISTORY + OWN_SURVEY.replace("2021-1", "2022-1")
TABLES = re.split(r"\n(?=\[(?!notes|timeline\.))", BASE)  # head with notes, then one entry each


@SOME
@given(st.lists(st.booleans(), min_size=len(TABLES) - 1, max_size=len(TABLES) - 1))
def test_however_entries_are_divided_the_district_is_the_same(mine: list[bool]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = load_district(write_district(folder / "utuh", district_toml=BASE))
        own = [table for table, here in zip(TABLES[1:], mine) if here]
        rest = [table for table, here in zip(TABLES[1:], mine) if not here]
        write_district(folder / "induk", district_toml="\n".join([TABLES[0], *rest]))
        thin = load_district(child(folder, "\n" + "\n".join(own)))
        assert same(thin, whole)
        mine_too = {key for key in whole.population if f"[population.{key}]" in "".join(own)}
        assert {key for key in whole.population if f"population.{key}" not in thin.inherited} == mine_too


@SOME
@given(
    st.sampled_from(["induk", "anak"]), st.floats(0, 1), st.sampled_from(["", "zz", '"', "[", " = 1", "nan", "\x00"])
)
def test_spoilt_anywhere_it_is_good_or_refused_by_the_name_of_a_file(where: str, at: float, stray: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        thin = child(folder, OWN_EFFECT + OWN_EVENT + OWN_SURVEY)
        path = folder / where / "district.toml"
        lines = path.read_text().split("\n")
        number = int(at * (len(lines) - 1))
        lines[number] = (lines[number] + stray) if stray else ""
        path.write_text("\n".join(lines))
        try:
            assert load_district(thin).extends == "induk"
        except InputError as error:
            for lang in ("en", "id"):
                assert all(any(each in line for each in FILES) and "\n" not in line for line in error.lines(lang))
        else:
            assert tomllib.loads(path.read_text())


def test_a_header_alone_is_a_village_table_of_its_own(tmp_path: Path) -> None:
    (thin := child(tmp_path)).joinpath("villages.csv").write_text(HEADER + "\n")
    assert check_path(thin) == [f"{thin}/villages.csv: the table has no rows"]
