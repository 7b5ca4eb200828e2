import datetime
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.base.errors import InputError, fault, nearest, texts
from konvergensi.base.months import format_month, month_of, parse_month, year_of
from konvergensi.inputs.options import check_options, parse_set


@given(st.integers(1900 * 12, 2199 * 12 + 11))
def test_a_month_is_written_as_it_was_read(month: int) -> None:
    assert parse_month(format_month(month)) == month
    assert 1 <= month_of(month) <= 12
    assert format_month(month) == f"{year_of(month)}-{month_of(month):02d}"


def test_one_month_later_is_one_more() -> None:
    assert parse_month("2020-01") == parse_month("2019-12") + 1
    assert parse_month(datetime.date(2020, 1, 1)) == parse_month("2020-01")


@pytest.mark.parametrize("text", ["2020", "2020-13", "2020-00", "20-01", "2020-1", "", None, 2020.01, "1800-01"])
def test_what_is_no_month_is_refused(text: object) -> None:
    with pytest.raises(InputError, match=r"file.toml: from: .* is not a month; write one .*2020-03"):
        parse_month(text, "file.toml", "from")


def test_a_day_inside_a_month_is_refused() -> None:
    with pytest.raises(InputError, match="whole months, write 2020-03"):
        parse_month(datetime.date(2020, 3, 15))


def test_the_nearest_name_is_found_by_its_last_part_too() -> None:
    known = ["budget.absorption_share", "growth.rule", "calendar.plan_month"]
    assert nearest("budget.absorbtion_share", known) == "budget.absorption_share"
    assert nearest("plan_month", known) == "calendar.plan_month"
    assert nearest("zzz", known) is None


def test_an_error_travels_between_processes_and_speaks_both_languages() -> None:
    error = InputError([fault("a.toml", "x", "outside", value=2.0, low=0, high=1, unit="")])
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "a.toml: x: 2 is outside [0, 1]"
    assert error.lines("id") == ["a.toml: x: 2 di luar rentang [0, 1]"]
    assert str(InputError("anything else")) == "anything else"


@pytest.mark.parametrize("phrase", texts()["phrase"])
def test_both_languages_use_the_same_words(phrase: str) -> None:
    said = texts()["phrase"][phrase]
    fields = [{part.split("}")[0] for part in said[lang].split("{")[1:]} for lang in ("en", "id")]
    assert fields[0] == fields[1]
    assert said["en"] != said["id"] or phrase in ("plain", "range")  # no words of their own


def test_options_of_a_run_are_refused_together() -> None:
    with pytest.raises(InputError) as caught:
        check_options(start="2020-01", end="2019-12", seed=-1, population_share=80, trace_children=1.5)
    assert caught.value.lines() == [
        "end: '2019-12' is before 2020-01 (start)",
        "seed: -1 is outside [0, 2147483647]",
        "population_share: 80 looks like a percent; write 0.8 (allowed is [0.0001, 1])",
        "trace_children: 1.5 is not a whole number (0 .. 1000000 children); a point does not separate thousands: 5700, "
        "not 5.700",
    ]
    with pytest.raises(InputError, match="population_share: 0 is outside"):
        check_options(start="2020-01", end="2020-01", population_share=0)
    assert check_options(start="2020-01", end="2020-02", seed=2**31 - 1) == (24240, 24241)


def test_values_after_set_are_read_as_toml_or_as_words() -> None:
    assert parse_set(["a.b=0.5", "c=3", "d=true", "e=additive", 'f="x y"', "g=0,5", "h=1=2"]) == {
        "a.b": 0.5, "c": 3, "d": True, "e": "additive", "f": "x y", "g": "0,5", "h": "1=2",
    }  # fmt: skip
    assert parse_set(["a=[1]", "b=2020-01-01", "c=1\nd=2"]) == {"a": "[1]", "b": "2020-01-01", "c": "1\nd=2"}


@pytest.mark.parametrize("items", [["a"], ["=1"], ["a="], ["a=1", "a=2"]])
def test_set_without_key_or_value_or_twice_is_refused(items: list[str]) -> None:
    with pytest.raises(InputError, match="set"):
        parse_set(items)
