"""Targets, priors, studies and observations: what is shipped fits together, and what is wrong is named."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from konvergensi.analyses.observed import as_target, read_observed
from konvergensi.base.errors import InputError
from konvergensi.inputs.calibration_study import calibration_root, list_studies, load_calibration
from konvergensi.inputs.calibration_targets import Columns, read_targets
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.priors import read_space

EVIDENCE = Path(__file__).parents[1] / "evidence"
TARGETS = calibration_root() / "targets"
HEAD = "area,year,measure_system,percent,low,high,source\n"


# ---- what is shipped -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(list_studies()))
def test_a_shipped_study_fits_together(name: str) -> None:
    study = load_calibration(name)
    ids = [each.id for each in study.targets]
    assert len(ids) == len(set(ids)) > 20
    for key, told in zip(study.space.keys, study.space.informed_by, strict=True):
        assert any(each.startswith(start) for start in told for each in ids) or name == "quick", key
    own = study.space.unit(study.space.values(np.full((1, len(study.space)), 0.3)))
    assert own == pytest.approx(0.3, abs=1e-9)


@pytest.mark.parametrize("name", ["lebak", "kota-banjar"])
def test_every_target_says_where_it_is_from_and_how_far_it_may_be_off(name: str) -> None:
    for each in read_targets(TARGETS / f"{name}.csv"):
        assert each.observation_sd > 0.0 and each.source and 0.0 <= each.weight <= 1.0
        assert each.error_sd_all >= max(each.observation_sd, each.discrepancy_sd)


def test_survey_targets_are_the_evidence_and_their_error_is_that_of_a_survey() -> None:
    known = {(row["area"], float(row["percent"])) for row in _rows("prevalence_series.csv") if row["percent"]}
    for name in ("lebak", "kota-banjar"):
        for each in read_targets(TARGETS / f"{name}.csv"):
            if each.error_model != "survey":
                continue
            assert (each.area, each.value) in known
            points = each.value * (1 - each.value / 100)
            assert 1.9 < each.sampling_sd * points < 2.6  # 690 children, design effect 1.5
            assert each.observation_sd * points > 3.0  # and what two surveys of one year differ by


def test_every_count_of_the_nine_agencies_is_a_target_and_an_item_weighs_what_it_can_say() -> None:
    counted = [row for row in _rows("opd_survey_lebak.csv") if re.fullmatch(r"[FSGI]\d", row["item_id"]) and row["k"]]
    targets = {each.observable: each for each in read_targets(TARGETS / "lebak.csv") if each.level == "agencies"}
    assert len(targets) == len(counted) == 30
    for row in counted:
        each = targets[f"opd:{row['item_id']}:{row['category']}"]
        assert (each.value, each.count) == (int(row["k"]), int(row["n"]))
    by_item: dict[str, list[float]] = {}
    for each in targets.values():
        by_item.setdefault(each.observable.split(":")[1], []).append(each.weight)
    for weights in by_item.values():
        assert sum(weights) == pytest.approx(max(len(weights) - 1, 1), abs=0.01)


def test_banjars_register_is_the_sum_of_its_kecamatan() -> None:
    rows = [row for row in _rows("banjar_kecamatan_eppgbm.csv") if row["kecamatan"].istitle()]
    targets = {each.observable: each.value for each in read_targets(TARGETS / "kota-banjar.csv")}
    for year in ("2018", "2019", "2020", "2021"):
        own = [row for row in rows if row["year"] == year]
        measured = sum(float(row["implied_measured_children"]) for row in own)
        cases = sum(float(row["cases"]) for row in own)
        assert targets[f"measured:{year}"] == pytest.approx(measured, rel=2e-4)
        assert targets[f"eppgbm:{year}"] == pytest.approx(100 * cases / measured, abs=0.01)
        for row in own:
            assert targets[f"eppgbm:{year}:{row['kecamatan']}"] == float(row["percent"])


def _rows(name: str) -> list[dict[str, str]]:
    with (EVIDENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_count_keeps_its_chance_apart_from_its_discrepancy() -> None:
    targets = read_targets(TARGETS / "lebak.csv")
    columns = Columns.of(targets)
    for each, var, n in zip(targets, columns.error_var, columns.count, strict=True):
        expected = each.discrepancy_sd**2 if n else each.observation_sd**2 + each.discrepancy_sd**2
        assert var == pytest.approx(expected)


# ---- what is wrong is named ------------------------------------------------------------------------------------------


def wrong_targets(tmp_path: Path, old: str, new: str) -> str:
    path = tmp_path / "targets.csv"
    path.write_text((TARGETS / "lebak.csv").read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_targets(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",40.2,", ",402,", "line 2.value: 402 is outside [0, 100]"),
        (",40.2,", ",forty,", "line 2.value: 'forty' is not a number"),
        ("logit,survey", "logit,guess", "line 2.error_model: 'guess' is not one of: survey, binomial, factor, normal"),
        ("logit,survey", "log,survey", "line 2.scale: 'log' is not one of: logit"),
        ("logit,survey,690", "logit,survey,", "line 2.n: missing; write a number, for survey"),
        ("survey-2019,", "survey-2018,", "line 3.id: 'survey-2018' is there twice"),
        ("id,area", "name,area", "id: this column is missing"),
    ],
)
def test_a_wrong_target_is_named_by_line_and_column(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in wrong_targets(tmp_path, old, new)


def test_priors_outside_a_parameters_range_and_unknown_keys_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "priors.toml"
    path.write_text(
        '["budget.inertia"]\nlow = -1\nwhy = "x"\ninformed_by = ["a"]\n\n'
        '["budget.inertya"]\nwhy = "x"\ninformed_by = ["a"]\n',
        encoding="utf-8",
    )
    known = find_district("lebak").parameters()
    with pytest.raises(InputError, match=r"budget\.inertya: unknown key; did you mean budget\.inertia"):
        read_space(path, ["budget.inertia"], known, "study.toml")
    path.write_text(path.read_text(encoding="utf-8").split("\n\n")[0], encoding="utf-8")
    with pytest.raises(InputError, match=r"budget\.inertia\.low: -1 is outside \[0, 1\]"):
        read_space(path, ["budget.inertia"], known, "study.toml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('later = ["survey-2021"]', 'later = ["survey-2031"]', "later: unknown target 'survey-2031'"),
        ("waves = 2", "waves = 0", "waves: 0 is outside [1, 20] waves"),
        ('district = "kota-banjar"', 'district = "kota-banyar"', "did you mean kota-banjar"),
        ("particles = 300", "particel = 300", "particel: unknown key; did you mean particles?"),
        ('"growth.level_shift_z",', '"growth.level_shift",', "free.growth.level_shift: unknown key"),
        ("start = ", "[[structure]]\n#", "structure"),
    ],
)
def test_a_wrong_study_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (calibration_root() / "studies" / "quick.toml").read_text(encoding="utf-8")
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    for part in ("targets", "priors.toml"):
        (tmp_path / part).symlink_to(calibration_root() / part)
    with pytest.raises(InputError) as caught:
        load_calibration(tmp_path / "studies" / "mine.toml")
    assert said in str(caught.value)


# ---- a user's observations -------------------------------------------------------------------------------------------


def observed(tmp_path: Path, *lines: str, head: str = HEAD) -> Path:
    path = tmp_path / "observed.csv"
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_observations_are_read_and_a_surveys_own_interval_is_its_error(tmp_path: Path) -> None:
    study = load_calibration("lebak")
    path = observed(tmp_path, "Kabupaten Lebak,2022,SSGI,26.2,22.0,30.9,test", "lebak,2023,e-PPGBM,9.0,,,test")
    survey, register = read_observed(path, study)
    target = as_target(survey, study)
    assert target.observable == "survey:2022-09"
    # (logit 30.9 - logit 22.0) / 2 / 1.96 on the logit scale
    assert target.sampling_sd == pytest.approx(0.1175, abs=0.002)
    assert as_target(register, study).observable == "eppgbm:2023"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "Kabupaten Garut,2022,SSGI,26.2,,,x",
            "line 2.area: unknown district 'Kabupaten Garut'; there is Kabupaten Lebak",
        ),
        ("lebak,2032,SSGI,26.2,,,x", "line 2.year: 2032 is outside [2018-01, 2024-12]"),
        (
            "lebak,2022,SGSI,26.2,,,x",
            "line 2.measure_system: 'SGSI' is not one of: Riskesdas, SSGBI, SSGI, SKI, e-PPGBM",
        ),
        ("lebak,2022,SSGI,262,,,x", "line 2.percent: 262 is outside [1, 99] percent"),
        ("lebak,2022,SSGI,0.262,,,x", "line 2.percent: 0.262 is outside [1, 99] percent"),
        ("lebak,2022,SSGI,26.2,27,30,x", "line 2.percent: value 26.2 must lie in low..high = [27, 30]"),
        ("lebak,2022,SSGI,,,,x", "line 2.percent:"),
        ("lebak,2022,SSGI,26.2,,", "line 2 holds 6 values, but the first line names 7 columns"),
    ],
)
def test_a_wrong_observation_is_named_by_line_and_column(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_observed(observed(tmp_path, line), load_calibration("lebak"))
    assert said in str(caught.value)
    assert len(caught.value.lines("id")) == len(caught.value.lines("en"))


def test_a_file_without_rows_or_columns_is_refused(tmp_path: Path) -> None:
    study = load_calibration("lebak")
    with pytest.raises(InputError, match="the table has no rows"):
        read_observed(observed(tmp_path), study)
    short = observed(tmp_path, "lebak,2022,SSGI,26.2,test", head="area,year,measure_system,percent,source\n")
    assert read_observed(short, study)[0].low is None
    with pytest.raises(InputError, match="percent: this column is missing"):
        read_observed(observed(tmp_path, head="area,year,measure_system,low,high,source\n"), study)
