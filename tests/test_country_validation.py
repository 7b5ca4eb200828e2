"""`validate` over the country: rows of any districts predicted as if the fit had not seen them, scored, shown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.analyses.country_validation import COLUMNS, validate_nation, validate_rows
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app
from konvergensi.inputs import country
from konvergensi.inputs.country_observed import Observed, read_country_observed
from konvergensi.methods import country as fit
from konvergensi.methods.country_naive import NAIVE, published
from konvergensi.methods.country_unseen import register_ratio, unseen, without
from konvergensi.report import country_validation_page as words_of

LEBAK = "36.02"
ROOT = Path(__file__).resolve().parents[1]


def row_of(code, year):
    """The published reading of a district in a year."""
    table = country.surveys()
    each = table[(table["code"] == code) & (table["year"] == year)].iloc[0]
    return Observed(code, year, each["measure_system"], float(each["percent"]))


def without_late():
    """A district of which the fit knows nothing after 2019."""
    late = set(country.surveys().query("year > 2019")["code"])
    return next(code for code in country.codes().tolist() if code not in late)


@pytest.fixture(scope="module")
def mixed():
    rows = [
        row_of(LEBAK, 2021),
        row_of("32.11", 2023),
        Observed(without_late(), 2022, "SSGI", 25.0),
        Observed(LEBAK, 2024, "SSGI", 27.0, 22.0, 32.0, "made up", "KAB. LEBAK"),
        Observed("32.73", 2022, "e-PPGBM", 6.4),
    ]
    return validate_rows(rows)


def test_each_kind_of_row_is_named_and_every_method_predicts_it(mixed):
    model = mixed.of_model()
    assert model["kind"].tolist() == [
        "reading_left_out", "year_left_out", "unseen_district", "unseen_year", "register",
    ]  # fmt: skip
    assert model["was_target"].tolist() == [True, True, False, False, False]
    surveys = mixed.observed[mixed.observed["kind"] != "register"]
    assert surveys.groupby("kind")["method"].apply(set).tolist() == [{"model", *NAIVE}] * 4
    assert set(mixed.observed.loc[mixed.observed["kind"] == "register", "method"]) == {"model", "last value"}


def test_observed_keeps_the_columns_of_a_district_and_the_file_and_intervals_do_not_clash(mixed):
    kept = {
        "area", "year", "measure_system", "observed", "was_target", "method", "low", "middle", "high", "inside",
        "interval_score", "crps",
    }  # fmt: skip
    assert kept <= set(mixed.observed) and list(mixed.observed) == COLUMNS
    row = mixed.of_model().query("year == 2024").iloc[0]
    assert (row["area"], row["code"], row["own_low"], row["own_high"]) == ("KAB. LEBAK", LEBAK, 22.0, 32.0)
    assert row["source"] == "made up" and row["low"] < row["middle"] < row["high"]


@pytest.mark.parametrize("row", [row_of(LEBAK, 2021), row_of(LEBAK, 2023), Observed(LEBAK, 2024, "SSGI", 20.0)])
def test_what_a_row_reads_never_moves_its_own_prediction(row):
    low, high = (unseen(replace(row, percent=percent)).draws for percent in (5.0, 60.0))
    assert np.array_equal(low, high)


def test_a_published_reading_under_the_name_of_another_survey_is_left_out_too():
    assert unseen(Observed(LEBAK, 2023, "SSGI", 35.5)).kind == "year_left_out"
    assert unseen(Observed(LEBAK, 2021, "SKI", 27.3)).kind == "reading_left_out"


def test_a_reading_that_was_high_is_predicted_lower_once_it_is_left_out():
    post = fit.shipped_posterior()
    fallen = []
    for code in country.surveys().query("year == 2022").nlargest(8, "percent")["code"]:
        row = row_of(code, 2022)
        kept = fit.reading_draws(post, code, 2022, row.measure_system)
        fallen.append(np.median(kept) - np.median(unseen(row).draws))
    assert min(fallen) > 0


def test_weights_that_take_a_reading_back_undo_what_conditioning_on_it_did():
    """Weighing back a row that was just added gives the prediction before it was added, up to Monte Carlo error."""
    post = fit.shipped_posterior()
    rest = without(post, LEBAK, 2021)
    own = row_of(LEBAK, 2021)
    likely = fit.condition(rest, LEBAK, np.array([2021.0]), [own]).weight
    assert likely.sum() == pytest.approx(1.0) and len(likely) == post.n
    forecast = unseen(own)
    assert 10 < forecast.worth <= post.n
    assert [each.year for each in fit.known_rows(rest, LEBAK)[0]] == [2017, 2018, 2019, 2022, 2023]


def test_2023_is_forecast_as_the_shipped_trial_did():
    trials = pd.read_parquet(ROOT / "calibration" / "country_trials.parquet")
    trials = trials[trials["trial"] == "2023 from 2022"]
    codes = trials["code"].unique()[::60].tolist()
    found = validate_rows([row_of(code, 2023) for code in codes]).observed.set_index(["code", "method"])
    for name in ("low", "middle", "high", "crps"):
        there = trials.set_index(["code", "method"])[name].reindex(found.index)
        assert found[name].to_numpy(float) == pytest.approx(there.to_numpy(float), abs=1e-3), name


def test_hidden_and_seen_readings_lie_in_their_intervals_as_often_as_promised():
    table = country.surveys().query("year >= 2021").iloc[::5]
    rows = [Observed(*each) for each in zip(table["code"], table["year"], table["measure_system"], table["percent"])]
    own = validate_rows(rows).scores.query("kind == 'all'").set_index("method")
    assert 0.85 <= own.at["model", "coverage"] <= 0.95
    assert (own.loc[list(NAIVE), "gap_crps"] < 0).all()


def test_rows_of_one_file_do_not_speak_to_each_other_unless_asked():
    early, late = Observed(LEBAK, 2024, "SSGI", 45.0), Observed(LEBAK, 2025, "SSGI", 40.0)
    key = ["year", "method"]
    alone = validate_rows([late]).observed.set_index(key)["middle"]
    apart = validate_rows([early, late]).observed.set_index(key)["middle"]
    told = validate_rows([early, late], update=True).observed.set_index(key)["middle"]
    for method in ("model", "last value", "past mean"):
        assert apart[2025, method] == alone[2025, method]
        assert told[2025, method] > alone[2025, method] + 1
        assert told[2024, method] == apart[2024, method]


def test_a_later_row_never_speaks_to_an_earlier_one():
    early, late = Observed(LEBAK, 2024, "SSGI", 30.0), Observed(LEBAK, 2025, "SSGI", 60.0)
    alone, both = (validate_rows(rows, update=True).observed.query("year == 2024") for rows in ([early], [early, late]))
    assert np.array_equal(alone["middle"], both["middle"])


def test_naive_rules_know_only_what_was_published_before_the_year():
    row = row_of(LEBAK, 2022)
    found = validate_rows([row]).observed.set_index("method")
    given = published(2021)
    own = given.percent[country.codes() == LEBAK][0]
    assert found.at["last value", "middle"] == pytest.approx(own[-1], abs=0.05)


def test_the_register_is_read_below_the_survey_with_a_wide_interval_and_leaves_the_district_out():
    ratio, other = register_ratio(), register_ratio("32.73")
    assert 0.1 < np.exp(ratio.log_mean) < 1.0 and 0.2 < ratio.log_sd < 1.0 and other.n < ratio.n
    survey, register = (unseen(Observed("32.73", 2024, system, 10.0)).draws for system in ("SSGI", "e-PPGBM"))
    low, high = np.quantile(register, (0.05, 0.95))
    assert np.median(register) < np.median(survey) and high / low > 3


def test_differences_over_few_provinces_have_no_interval(mixed):
    naive = mixed.scores[mixed.scores["method"] != "model"]
    assert naive["gap_crps"].notna().all() and naive["gap_crps_high"].isna().all()
    assert any("Too few provinces" in said for said in words_of.failures(mixed, "en"))


def test_the_page_leads_with_what_failed():
    rng = np.random.default_rng(1)
    codes = country.codes()[::10].tolist()
    noise = [Observed(code, 2024, "SSGI", float(np.clip(rng.normal(70, 5), 1, 99))) for code in codes]
    bad = validate_rows(noise)
    text = words_of.page(bad, "en")
    failed, came = text.index("What failed"), text.index("What came of it")
    assert failed < text.index("the 90% interval holds 0.0% of") < came
    assert "Yang meleset" in words_of.page(bad, "id")


def test_the_shipped_trials_give_the_numbers_of_the_page_of_forecasts():
    found = validate_nation()
    page = (ROOT / "docs" / "forecasts.md").read_text(encoding="utf-8")
    for row in found.scores.query("method == 'model'").to_dict("records"):
        shown = f"| this fit | {row['n']} | {row['crps']:.2f} | {row['rmse']:.2f} | {100 * row['coverage']:.1f} % |"
        assert shown in page
    for row in found.scores.query("method != 'model'").to_dict("records"):
        span = f"{row['gap_crps']:.2f} ({row['gap_crps_low']:.2f} to {row['gap_crps_high']:.2f})".replace("-", "−")
        assert f"| {row['method']} | {span} |" in page


@pytest.mark.parametrize("lang", ["en", "id"])
def test_it_is_saved_and_loaded_and_shows_itself(mixed, tmp_path, lang):
    names = mixed.save(tmp_path / "out", lang=lang, figures=False)
    assert {"observed.parquet", "scores.parquet", "validation.md", "manifest.json"} <= set(names)
    back = kv.load(tmp_path / "out")
    pd.testing.assert_frame_equal(back.observed, mixed.observed)
    pd.testing.assert_frame_equal(back.scores, mixed.scores)
    back.lang = mixed.lang
    assert back.lines == mixed.lines


def test_the_picture_is_drawn_for_every_kind(mixed):
    figure = mixed.plot("readings", "id")
    assert len(figure.axes) == 5


def test_semicolons_and_decimal_commas_are_read_as_offices_write_them(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("area;year;measure_system;percent;low;high\n32,1;2024;SSGI;19,3;15,1;23,9\n", encoding="utf-8")
    (row,) = read_country_observed(file)
    assert (row.code, row.percent, row.low, row.high, row.written) == ("32.10", 19.3, 15.1, 23.9, "32.1")


def test_a_damaged_workbook_is_refused_with_what_to_do(tmp_path):
    file = tmp_path / "rows.xlsx"
    file.write_bytes(b"PK\x03\x04\x14\x00")
    with pytest.raises(InputError, match="open it in Excel and save it again"):
        read_country_observed(file)


def command(*words):
    return CliRunner().invoke(app, ["validate", *map(str, words)])


def test_the_command_predicts_rows_of_a_district_without_a_calibration_and_refuses_what_cannot_be(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("area,year,measure_system,percent\nsumedang,2024,SSGI,20\n", encoding="utf-8")
    done = command("--district", "32.11", "--observed", file, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert kv.load(tmp_path / "out").of_model()["kind"].tolist() == ["unseen_year"]
    none = command("--district", "32.10", "--observed", file, "--out", tmp_path / "other")
    assert none.exit_code == 2 and "Kabupaten Majalengka" in none.stderr and not (tmp_path / "other").exists()
    alone = command("--update")
    assert alone.exit_code == 2 and "--observed FILE" in alone.output
    both = command("--nation", "--observed", file, "--out", tmp_path / "other")
    assert both.exit_code == 2 and "--observed" in both.stderr and "Traceback" not in both.stderr


def test_a_level_is_told_under_every_system_and_a_file_of_ones_own_moves_it(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("area,year,measure_system,percent\nlebak,2024,SSGI,45\nsumedang,2024,SSGI,9\n", encoding="utf-8")
    months = ["2018-06", "2024-12", "2045-12"]
    before, after = kv.level("Kabupaten Lebak", months), kv.level("36.02", months, observed=file)
    assert len(before) == 6 * len(months) and set(before["code"]) == {LEBAK}
    for table in (before, after):
        assert (table["low"] < table["middle"]).all() and (table["middle"] < table["high"]).all()
        assert (table["trend_low"] < table["trend_high"]).all()
    key = ["system", "month"]
    rise = after.set_index(key)["middle"] - before.set_index(key)["middle"]
    assert rise["SSGI", "2024-12"] > 2 and abs(rise["SSGI", "2018-06"]) < rise["SSGI", "2024-12"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("bogor", ["2024-01"]), "32.71"),
        (("lebak", ["2016-12"]), "2017-01"),
        (("lebak", ["June"]), "not a month"),
        (("lebak", ["2024-01"], (), ["SSGX"]), "SSGX"),
    ],
)
def test_a_level_that_cannot_be_told_is_refused(asked, said):
    with pytest.raises(InputError, match=said):
        kv.level(*asked)
