"""Districts beside their province and peers: who the peers are, what is told apart, a survey of one's own."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from test_cli import call

import konvergensi as kv
from konvergensi.analyses.compare_districts import covariates, peers
from konvergensi.base.errors import InputError
from konvergensi.inputs import country
from konvergensi.inputs.country_observed import Observed
from konvergensi.results.districts import Districts


@cache
def found() -> Districts:
    return kv.compare_districts(["lebak", "32.73"])


def test_peers_are_the_nearest_of_the_same_kind() -> None:
    table = covariates()
    scaled = (table - table.mean()) / table.std(ddof=0)
    for code in ("36.02", "32.73", "95.03"):
        near, kind = peers(code), country.districts()["kind"]
        assert len(set(near)) == 8 and code not in near and (kind[near] == kind[code]).all()
        apart = np.sqrt(((scaled - scaled.loc[code]) ** 2).sum(axis=1))
        others = apart[(kind == kind[code]) & ~apart.index.isin([*near, code])]
        assert apart[near].max() <= others.min() and apart[near].is_monotonic_increasing


def test_each_district_stands_beside_its_province_and_eight_peers() -> None:
    for code in ("36.02", "32.73"):
        level = found().of(code, "prevalence", 2024)
        assert level["role"].tolist() == ["asked", "province", *["peer"] * 8]
        assert (level["low"] < level["middle"]).all() and (level["middle"] < level["high"]).all()
        own = kv.level(code, ["2024-07"], systems=["SSGI"])["middle"].iloc[0]
        assert level["middle"].iloc[0] == pytest.approx(own, abs=0.5)


def test_a_difference_to_the_province_is_surer_than_its_two_levels() -> None:
    level, apart = found().of("36.02", "prevalence", 2024), found().of("36.02", "points_from_province", 2024).iloc[0]
    assert apart["middle"] == pytest.approx(level["middle"].iloc[0] - level["middle"].iloc[1], abs=0.6)
    widths = (level["high"] - level["low"]).iloc[:2]
    assert apart["high"] - apart["low"] < np.sqrt((widths**2).sum())


def test_surveys_and_covariates_are_those_that_were_published() -> None:
    table = found().districts
    one = table[(table["code"] == "36.02") & (table["role"] == "asked")]
    read = one[one["quantity"].str.startswith("survey:")].set_index("year")["middle"]
    published = country.surveys().query("code == '36.02'").set_index("year")["percent"]
    assert read.to_dict() == published.to_dict() and read[2018] == pytest.approx(40.2, abs=0.1)
    poverty = one[one["quantity"] == "poverty_percent"]["middle"].iloc[0]
    assert poverty == country.covariates().loc[("36.02", 2023), "poverty_percent"]


def test_a_survey_of_one_s_own_moves_its_district_alone() -> None:
    moved = kv.compare_districts(["lebak"], observed=[Observed("36.02", 2024, "SSGI", 35.0)])
    before, after = (each.of("36.02", "prevalence", 2024)["middle"] for each in (found(), moved))
    assert after[0] > before[0] + 1 and after[2:].tolist() == before[2:].tolist()
    assert "35" in moved.manifest["observed"][0]


def test_the_page_is_written_in_both_languages_and_faults_are_refused(tmp_path: Path) -> None:
    done = call("compare-districts", "lebak", "Kota Bandung", "--lang", "id", "--out", tmp_path / "out")
    assert done.exit_code == 0 and "Kota Bandung" in done.stdout, done.output
    assert {"districts.md", "districts.parquet"} <= {each.name for each in (tmp_path / "out").iterdir()}
    for areas in (["Bandung"], ["lebak", "36.02"], ["atlantis"]):
        assert call("compare-districts", *areas, "--out", tmp_path / "no").exit_code == 2
    with pytest.raises(InputError, match="named twice"):
        kv.compare_districts(["lebak", "lebak"])
