"""Every shipped district runs and shows the level it was fitted to; Kota Banjar as published; a good template."""

import functools
import os
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import live
from test_cli import call

from konvergensi.base.errors import InputError
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.check import check_path
from konvergensi.inputs.districts import find_district, list_districts
from konvergensi.inputs.template import NAMES, template_files, write_template
from konvergensi.model.convergence import ConvergenceModel

ROOT = Path(__file__).resolve().parents[1]
TARGETS: dict[str, Any] = tomllib.loads((ROOT / "calibration/level_targets.toml").read_text(encoding="utf-8"))
FIRST_STUDY = {
    "rokan-hulu", "lampung-tengah", "kabupaten-tasikmalaya", "cianjur", "pemalang", "brebes", "ketapang",
    "hulu-sungai-utara", "lombok-tengah", "kabupaten-gorontalo", "mamuju", "maluku-tengah", "lanny-jaya",
}  # fmt: skip
ARCHETYPES = {"archetype-island", "archetype-upland-remote", "archetype-urban"}
LEVEL = "growth.level_shift_z"
POINTS = 5.0  # a survey of 700 children in a fiftieth of a district: loose, and still tells 20 from 30 percent


@functools.cache
def evidence(table: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "evidence" / table)


@functools.cache
def simulated(name: str) -> ConvergenceModel:
    """A fiftieth of a district, for two years at least and until the surveys it was fitted to."""
    last = max(
        parse_month(each["fieldwork"]) for each in [*TARGETS.get(name, {}).get("surveys", []), {"fieldwork": "2019-12"}]
    )
    return live(district=name, share=0.02, end=format_month(last))


def surveys(name: str) -> pd.DataFrame:
    return simulated(name).recorder.tables()["surveys"]


# ---- every district --------------------------------------------------------------------------------------------------


def test_all_are_there() -> None:
    assert set(list_districts()) == FIRST_STUDY | ARCHETYPES | {"lebak", "kota-banjar", "national-average"}
    shown = call("list").stdout
    assert all(each in shown for each in list_districts())


@pytest.mark.parametrize("name", list_districts())
def test_a_district_is_good_and_runs(name: str) -> None:
    assert check_path(name) == []
    model = simulated(name)
    assert len(model.place.surveys) == 6 and model.place.population["persons"].value > 100_000
    found = surveys(name)
    assert {"Riskesdas", "SSGBI", "e-PPGBM"} <= set(found.system) and found.percent.between(3, 60)[
        found.level == "district"
    ].all()


@pytest.mark.parametrize("name", sorted(ARCHETYPES))
def test_its_survey_reads_about_what_was_published(name: str) -> None:
    """The mean where several were published."""
    found = surveys(name).query("level == 'district'").set_index(["system", "fieldwork"]).percent
    read = np.mean([found[each["system"], each["fieldwork"]] for each in TARGETS[name]["surveys"]])
    assert abs(read - np.mean([each["percent"] for each in TARGETS[name]["surveys"]])) < POINTS


def test_the_targets_stand_in_the_evidence() -> None:
    rows = evidence("prevalence_series.csv")
    assert set(TARGETS) == ARCHETYPES | {"lebak", "kota-banjar"}
    for name, target in TARGETS.items():
        own = find_district(name).overrides[LEVEL]
        for each in target.get("surveys", []):
            year = each["fieldwork"][:4]
            found = rows[
                (rows.area == each["area"]) & (rows.year.astype(str) == year) & (rows.percent == each["percent"])
            ]
            assert len(found), each
            shown = f"{each['percent']:g}" if each["percent"] % 1 else f"{each['percent']:.1f}"
            assert shown in own.source and (year in own.source), (name, own.source)
        if "eppgbm" in target:
            pairs = evidence("eppgbm_vs_survey_pairs.csv")
            assert target["eppgbm"]["ratio"] in set(
                pairs[pairs.area == find_district(name).name].ratio_eppgbm_to_survey
            )


# ---- the thirteen, and the archetypes --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FIRST_STUDY))
def test_a_thin_profile_holds_only_what_is_its_own(name: str) -> None:
    place = find_district(name)
    files = {each.name for each in place.path.iterdir()}
    assert {"district.toml"} <= files <= {"district.toml", "published.toml"}
    assert place.extends == place.area
    assert place.synthetic[0].startswith("villages (names real") and any(
        each.startswith("population") for each in place.synthetic
    )
    assert all(f"population.{total}" in place.inherited for total in place.population)
    assert place.overrides["socialization.juknis"].value is False  # none of the thirteen had one
    assert place.levelled and "scripts/fit_levels.py" in place.overrides[LEVEL].source


def test_the_guideline_reaches_the_thirteen_in_2019() -> None:
    model = live(district="lanny-jaya", share=0.01, end="2018-12")
    assert model.world.settings["socialization.guideline_in_force"] is False
    assert simulated("lanny-jaya").world.settings["socialization.guideline_in_force"] is True


def test_archetypes_differ_as_their_names_say() -> None:
    remote = {name: find_district(name).villages["remoteness"].mean() for name in ARCHETYPES}
    poor = {name: find_district(name).population["poverty_share"].value for name in ARCHETYPES}
    for each in (remote, poor):
        assert each["archetype-urban"] < each["archetype-island"] < each["archetype-upland-remote"]
    assert all(total.grade == "assumption" for name in ARCHETYPES for total in find_district(name).population.values())


# ---- Kota Banjar -----------------------------------------------------------------------------------------------------


def test_kota_banjar_is_as_published() -> None:
    place, table = find_district("kota-banjar"), evidence("banjar_kecamatan_eppgbm.csv")
    measured = table[table.year == 2018].set_index("kecamatan").implied_measured_children
    villages = place.villages
    families = villages.groupby("kecamatan").families.sum()
    assert (
        place.kind == "kota"
        and len(villages) == 25
        and set(families.index) == {"Banjar", "Pataruman", "Purwaharja", "Langensari"}
    )
    part = measured[families.index] / measured[families.index].sum()
    assert np.allclose(families / families.sum(), part, atol=0.005)
    assert villages.groupby("kecamatan").lokus.sum().tolist() == [1, 1, 1, 1]
    roles = {each.id: each.role for each in place.opd}
    assert (roles["bappeda"], roles["dppkb"], roles["dinkes"]) == ("coordinator", "lead", "member")
    own = {key: each.value for key, each in place.overrides.items()}
    assert own["cascade.kpm_incentive_rp"] == 500_000 and own["cascade.kpm_share"] == 1
    assert own["network.lead_clarity_share"] < find_district("lebak").parameters()["network.lead_clarity_share"].value
    assert place.synthetic == ("villages (names real, all else drawn)", "agencies") and place.inherited == {}


def test_kota_banjar_s_routine_series_is_by_its_kecamatan() -> None:
    found = surveys("kota-banjar").query("system == 'e-PPGBM'")
    assert {"Banjar", "Pataruman", "Purwaharja", "Langensari"} <= set(found[found.level == "subdistrict"].area)


def test_kota_banjar_s_routine_figure_is_about_a_quarter_of_the_survey() -> None:
    model = live(district="kota-banjar", share=0.2, end="2019-09")
    found = model.recorder.tables()["surveys"].query("level == 'district'").set_index(["system", "fieldwork"]).percent
    assert 0.18 < found["e-PPGBM", "2019-08"] / found["SSGBI", "2019-09"] < 0.36


def test_kota_banjar_has_a_decree_of_its_own() -> None:
    end = {
        month: live(district="kota-banjar", share=0.01, end=month).world.settings for month in ("2021-12", "2022-01")
    }
    assert [end[month]["network.decree_in_force"] for month in ("2021-12", "2022-01")] == [False, True]


# ---- the template ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "id"])
def test_the_template_is_good_as_written_and_runs(tmp_path: Path, lang: str) -> None:
    folder = tmp_path / "baru" / "daerah-saya"
    done = call("new-district", folder, "--lang", lang)
    assert done.exit_code == 0 and f"konvergensi check {folder}" in done.stdout, done.output
    assert sorted(each.name for each in folder.iterdir()) == sorted(NAMES)
    assert call("check", folder, "--lang", lang).exit_code == 0
    model = live(district=str(folder), share=1.0, end="2019-12")
    assert 10 < 100 * model.recorder.tables()["series"].query("group == 'all'").prevalence.iloc[-1] < 50
    assert model.place.synthetic == ("villages", "population", "agencies")


def test_the_template_differs_between_languages_in_comments_only() -> None:
    english, indonesian = template_files("en"), template_files("id")
    for name in NAMES:
        assert len(english[name].splitlines()[0]) <= 120
        if name.endswith(".toml"):
            assert tomllib.loads(english[name]) == tomllib.loads(indonesian[name])
            assert english[name].count("# ") == indonesian[name].count("# ") > 5 and english[name] != indonesian[name]
            assert "#en" not in english[name] + indonesian[name] and "#id" not in english[name] + indonesian[name]


def test_three_planted_mistakes_get_three_clear_messages_and_mended_it_runs(tmp_path: Path) -> None:
    call("new-district", tmp_path / "saya")
    texts = {name: (tmp_path / "saya" / name).read_text() for name in NAMES}
    planted = {
        "district.toml": ("no_latrine_share = { value = 0.15", "no_latrine_share = { value = 15"),
        "villages.csv": ("Desa Contoh 3,Kecamatan B,330", "Desa Contoh 2,Kecamatan A,330"),
        "opd.toml": ('service = "pmba"', 'service = "pmbaa"'),
    }
    for name, (old, new) in planted.items():
        assert old in texts[name]
        (tmp_path / "saya" / name).write_text(texts[name].replace(old, new))
    done = call("check", tmp_path / "saya")
    lines = [each.removeprefix(f"{tmp_path}/saya/") for each in done.stderr.splitlines()]
    assert done.exit_code == 2 and len(lines) == 3
    assert (
        lines[0]
        == "district.toml: population.no_latrine_share.value: 15 looks like a percent; write 0.15 (allowed is [0, 1])"
    )
    assert lines[1] == "villages.csv: village: 'Desa Contoh 2' is there twice (line 3, 4)"
    assert lines[2].startswith("opd.toml: programme[dinkes:pmbaa:apbd].service: unknown service 'pmbaa'; there is ")
    assert lines[2].endswith("did you mean pmba?")
    for name, text in texts.items():
        (tmp_path / "saya" / name).write_text(text)
    done = call("run", "--district", tmp_path / "saya", "--end", "2018-12", "--out", tmp_path / "out", "--no-figures")
    assert done.exit_code == 0, done.output


def test_a_new_district_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        kept(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="cannot be written to"):
        write_template(tmp_path / "a" / "mine")
    assert not (tmp_path / "a").exists()


def test_a_new_district_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "penuh").mkdir()
    (tmp_path / "penuh" / "catatan.txt").write_text("milik saya")
    done = call("new-district", tmp_path / "penuh", "--lang", "id")
    assert (
        done.exit_code == 2 and done.stderr == f"{tmp_path}/penuh: sudah ada dan tidak kosong; sebutkan folder baru\n"
    )
    assert [each.name for each in (tmp_path / "penuh").iterdir()] == ["catatan.txt"]
    assert call("new-district", tmp_path / "penuh" / "catatan.txt").exit_code == 2
    assert "cannot be written to" in call("new-district", tmp_path / "penuh" / "catatan.txt" / "x").stderr
    (tmp_path / "kosong").mkdir()
    assert call("new-district", tmp_path / "kosong").exit_code == 0
