"""Valid files spoilt in every way: each is still good or refused by name, and nothing else ever happens."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inputs_valid import (
    RAMP,
    RAMP_OF_HISTORY,
    SCENARIO,
    district_files,
    district_toml,
    write_district,
    write_scenario,
)

from konvergensi.base.errors import InputError
from konvergensi.inputs.districts import load_district
from konvergensi.inputs.scenarios import load_scenario

FILES = {**district_files(), "district.toml": district_toml() + RAMP_OF_HISTORY, "policy.toml": SCENARIO + RAMP}
SOME = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
TOML = [name for name in FILES if name.endswith(".toml")]
VALUES = [
    "true", '"text"', '""', "-1", "0", "1.0", "80", "1e300", "nan", "-inf", "[]", "{}", "[[1]]", "{ en = 1 }",
    "2020-05-17", "07:30:00", '"2020-13"', "9" * 400, "9" * 5000, '"\\u0000"', '"{value}"', '"a\\nb"',
]  # fmt: skip
CELLS = [
    "",
    "-1",
    "0",
    "2",
    "80",
    "0.5",
    "nan",
    "inf",
    "1e999",
    "x",
    '"',
    '"a,b"',
    "\x00",
    "\u0661",
    "1_0",
    "0x1",
    " 1 ",
]


def outcome(name: str, content: bytes) -> list[str]:
    """Load the file in its place; return the faults, which must name a file."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            if name == "policy.toml":
                load_scenario(write_scenario(Path(folder), content))
            else:
                load_district(write_district(Path(folder), **{name.replace(".", "_"): content}))
        except InputError as error:
            for lang in ("en", "id"):
                lines = error.lines(lang)
                assert lines and all("\n" not in line and len(line) < 1000 for line in lines)
                assert all(any(each in line for each in FILES) for line in lines), lines
            return error.lines()
        return []


def lines_that(matches: Callable[[str], object]) -> st.SearchStrategy[tuple[str, list[str], int]]:
    """Draw a TOML file as lines, with the number of one that matches."""
    places = [(name, n) for name in TOML for n, line in enumerate(FILES[name].split("\n")) if matches(line)]
    return st.sampled_from(places).map(lambda place: (place[0], FILES[place[0]].split("\n"), place[1]))


def spoilt(drawn: tuple[str, list[str], int], new: str) -> tuple[str, bytes]:
    name, lines, number = drawn
    return name, "\n".join([*lines[:number], new, *lines[number + 1 :]]).encode()


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_good_as_they_are(name: str) -> None:
    assert outcome(name, FILES[name].encode()) == []


@SOME
@given(lines_that(str.strip))
def test_a_dropped_line(drawn: tuple[str, list[str], int]) -> None:
    outcome(*spoilt(drawn, ""))


@SOME
@given(lines_that(lambda line: re.match(r'[a-z_"]+ = |\[', line)), st.data())
def test_a_misspelt_key_is_always_refused(drawn: tuple[str, list[str], int], data: st.DataObject) -> None:
    _, lines, number = drawn
    line = lines[number]
    letters = [n for n, letter in enumerate(line.partition(" = ")[0]) if letter.isalpha()]
    at = data.draw(st.sampled_from(letters))
    faults = outcome(*spoilt(drawn, line[:at] + "zz" + line[at:]))
    assert faults or "opd.dinkes" in line or line == "[[change]]", line


@SOME
@given(lines_that(lambda line: re.search(" = [^{]", line)), st.sampled_from(VALUES))
def test_another_value(drawn: tuple[str, list[str], int], value: str) -> None:
    _, lines, number = drawn
    outcome(*spoilt(drawn, f"{lines[number].partition(' = ')[0]} = {value}"))


@SOME
@given(lines_that(lambda line: re.search(r" = 0\.\d+$", line)))
def test_a_percent_for_a_share_is_always_refused(drawn: tuple[str, list[str], int]) -> None:
    _, lines, number = drawn
    key, _, share = lines[number].partition(" = ")
    faults = outcome(*spoilt(drawn, f"{key} = {float(share) * 100:.0f}"))
    assert faults and ("looks like a percent; write" in faults[0] or "services.pmba.effect" in faults[0])


@SOME
@given(st.sampled_from(list(FILES)), st.floats(0, 1))
def test_a_truncated_file(name: str, share: float) -> None:
    content = FILES[name].encode()
    outcome(name, content[: int(share * len(content))])


@SOME
@given(st.sampled_from(list(FILES)), st.floats(0, 1), st.binary(min_size=1, max_size=4))
def test_stray_bytes(name: str, share: float, stray: bytes) -> None:
    content = FILES[name].encode()
    at = int(share * len(content))
    outcome(name, content[:at] + stray + content[at + len(stray) :])


@SOME
@given(st.sampled_from(list(FILES)), st.binary(max_size=200))
def test_nothing_but_stray_bytes(name: str, content: bytes) -> None:
    outcome(name, content)


def village_cells() -> list[list[str]]:
    return [line.split(",") for line in FILES["villages.csv"].split()]


def as_csv(cells: list[list[str]]) -> bytes:
    return "\n".join(",".join(row) for row in cells).encode()


@SOME
@given(st.integers(0, 9), st.booleans())
def test_a_missing_or_misspelt_column_is_always_refused(column: int, gone: bool) -> None:
    cells = village_cells()
    name = cells[0][column]
    if gone:
        cells = [row[:column] + row[column + 1 :] for row in cells]
    else:
        cells[0][column] = f"{name}z"
    faults = outcome("villages.csv", as_csv(cells))
    assert any(f"{name}: this column is missing" in each for each in faults)


@SOME
@given(st.integers(1, 3), st.integers(1, 4))
def test_a_village_twice_is_always_refused(row: int, at: int) -> None:
    cells = village_cells()
    cells.insert(at, list(cells[row]))
    assert "is there twice" in outcome("villages.csv", as_csv(cells))[0]


@SOME
@given(st.integers(0, 3), st.integers(0, 9), st.sampled_from(CELLS))
def test_another_cell(row: int, column: int, cell: str) -> None:
    cells = village_cells()
    cells[row][column] = cell
    outcome("villages.csv", as_csv(cells))
