"""Units are shown in the language of the page; files, columns and manifests keep the English text."""

from __future__ import annotations

import ast
import csv
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import konvergensi as kv
from konvergensi.base.errors import InputError
from konvergensi.base.units import unit_word, unit_words
from konvergensi.inputs.calibration_targets import read_targets
from konvergensi.inputs.describe import describe, parameter_rows
from konvergensi.inputs.fields import validated
from konvergensi.inputs.options import LIMITS, check_options
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.published import Published
from konvergensi.observe.units import IN_TABLE, UNITS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(kv.__file__).parent
NO_INPUTS = ("words", "errors.toml", "units.toml")  # words for people


def written(table: Any) -> Iterator[str]:
    """Every `unit` of a TOML file, but those of services: child, pregnancy and household are names of a rule."""
    if isinstance(table, list):
        for each in table:
            yield from written(each)
    elif isinstance(table, dict):
        if isinstance(table.get("unit"), str) and "unit_cost" not in table:
            yield table["unit"]
        for each in table.values():
            yield from written(each)


def of_files() -> set[str]:
    """Units of parameters, services, families of levers, institutions, districts, profiles and targets."""
    files = [each for each in PACKAGE.rglob("*.toml") if not {*NO_INPUTS} & {*each.relative_to(PACKAGE).parts}]
    files += [*(ROOT / "scenarios/districts").glob("*/district.toml"), ROOT / "scenarios/country/formulas.toml"]
    found = {unit for file in files for unit in written(tomllib.loads(file.read_text(encoding="utf-8")))}
    for file in (ROOT / "calibration/targets").glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as rows:
            found |= {row["unit"] for row in csv.DictReader(rows) if "unit" in row}
    return found


def of_code() -> set[str]:
    """Units of options, of columns, of an office's columns and of numbers checked where they stand in a class."""
    found = {unit for _, _, unit, _ in LIMITS.values()} | set(UNITS.values())
    found |= {unit for columns in IN_TABLE.values() for unit in columns.values()}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            found |= {each.value for each in _named(node) if isinstance(each, ast.Constant)}
    return {unit for unit in found if isinstance(unit, str) and unit}


def _named(node: ast.AST) -> list[ast.expr]:
    """What stands for a unit in a check of a number, in a fault, and under the key "unit" of a dict."""
    if isinstance(node, ast.Dict):
        return [value for key, value in zip(node.keys, node.values) if getattr(key, "value", None) == "unit"]
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return []
    named = [each.value for each in node.keywords if each.arg == "unit"]
    place = {"between": 2, "Numbers": 2, "number_fault": 3}.get(node.func.id)
    return named if place is None else [*named, *node.args[place : place + 1]]


def test_every_unit_has_its_word_in_indonesian() -> None:
    shown = of_files() | of_code()
    assert len(shown) > 200
    assert sorted(shown - set(unit_words())) == [], "write their Indonesian words into base/units.toml"


def test_every_word_stands_for_a_unit_that_there_is() -> None:
    assert sorted(set(unit_words()) - of_files() - of_code()) == [], "take these out of base/units.toml"


def test_the_search_finds_units_in_files_and_in_code() -> None:
    assert {"share of villages", "Rp per child-month", "sd", "Rp a year", "share of pregnant women"} <= of_files()
    assert {"percent of the poorest tenth with a child or pregnancy", "births"} <= of_files()
    assert {"processes", "months of age", "IDM, 0 to 1", "particles", "month, YYYY-MM", "points"} <= of_code()
    assert "pregnancy" not in of_files()


def test_a_word_is_indonesian_and_an_unknown_unit_stands_as_it_is() -> None:
    assert unit_word("log odds per SD of wealth", "id") == "log odds per SD kesejahteraan"
    assert unit_word("log odds per SD of wealth", "en") == "log odds per SD of wealth"
    assert unit_word("share of children", "id") == "share of children"  # of the extension in docs/extending.md
    assert unit_word("", "id") == ""
    kept = {"share of ", "Rp a ", " per SD of ", " a year", " a month"}
    assert [word for word in unit_words().values() if any(each in word for each in kept)] == []


# ---- messages --------------------------------------------------------------------------------------------------------


def lines(key: str, value: Any) -> tuple[str, str]:
    with pytest.raises(InputError) as caught:
        load_parameters()[key].checked(value)
    return str(caught.value), caught.value.lines("id")[0]


@pytest.mark.parametrize(
    ("key", "value", "english", "indonesian"),
    [
        ("cascade.kpm_share", 200, "[0, 1] share of villages", "200 di luar rentang [0, 1] proporsi desa"),
        ("cascade.kpm_share", "x", "(0 .. 1 share of villages)", "'x' bukan angka (0 .. 1 proporsi desa)"),
        ("cascade.kpm_share", "0,5", "(0 .. 1 share of villages); decimals", "bukan angka (0 .. 1 proporsi desa); des"),
        ("calendar.aksi_3_month", 13, "[1, 12] month of year", "13 di luar rentang [1, 12] bulan dalam setahun"),
        ("calendar.aksi_3_month", 1.5, "(1 .. 12 month of year); a", "bulat (1 .. 12 bulan dalam setahun); titik"),
        ("services.pmba.unit_cost_rp", -1, "] Rp per child-month", "] Rp per anak per bulan"),
    ],
)
def test_a_number_out_of_range_is_refused_with_its_unit_in_the_language(
    key: str, value: Any, english: str, indonesian: str
) -> None:
    said = lines(key, value)
    assert english in said[0] and indonesian in said[1]


def test_options_fields_and_targets_name_their_units_in_the_language(tmp_path: Path) -> None:
    with pytest.raises(InputError) as option:
        check_options(start="2020-01", end="2020-12", workers=0, trace_children=1.5)
    assert option.value.lines("id")[0] == "workers: 0 di luar rentang [1, 1024] proses"
    assert option.value.lines("id")[1].startswith("trace_children: 1.5 bukan bilangan bulat (0 .. 1000000 anak);")
    with pytest.raises(InputError) as field:
        validated(Published, {"percent": 120, "cases": 1.5}, "published.toml")
    assert "published.toml: percent: 120 di luar rentang [0, 100] persen" in field.value.lines("id")
    assert "published.toml: percent: 120 is outside [0, 100] percent" in field.value.lines("en")
    assert any("cases: 1.5 bukan bilangan bulat (0 .. 10000000 anak);" in line for line in field.value.lines("id"))
    file = tmp_path / "targets.csv"
    file.write_text((ROOT / "calibration/targets/lebak.csv").read_text().replace(",40.2,", ",140.2,"))
    with pytest.raises(InputError) as target:
        read_targets(file)
    assert target.value.lines("id")[0].endswith("140.2 di luar rentang [0, 100] persen balita")
    assert target.value.lines("en")[0].endswith("140.2 is outside [0, 100] percent of under-fives")


# ---- pages -----------------------------------------------------------------------------------------------------------


def test_describe_shows_units_in_the_language_and_the_table_of_parameters_keeps_them() -> None:
    key = "behaviours.breastfeeding_wealth_slope"
    assert dict(describe(key, "id"))["satuan"] == "log odds per SD kesejahteraan"
    assert dict(describe(key, "en"))["unit"] == "log odds per SD of wealth"
    assert dict(describe("pmba", "id"))["biaya satuan"] == "20000 Rp per anak per bulan (8000 .. 50000)"
    assert any("births_per_year = 21500 kelahiran (" in text for _, text in describe("lebak", "id"))
    shown = {row[0]: row[2] for row in parameter_rows("id", "cascade")}
    assert shown["cascade.kpm_share"] == "proporsi desa"
    assert kv.parameters().set_index("key").at["cascade.kpm_share", "unit"] == "share of villages"
