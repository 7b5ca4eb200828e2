"""The tables of docs/odd.md are those of the code, and the guard that says so can be tripped."""

import dataclasses
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from konvergensi.inputs.districts import OPTIONAL, REQUIRED
from konvergensi.inputs.parameters import load_parameters
from konvergensi.observe.tally import Tally

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PROSE = (DOCS / "odd.md", *sorted((DOCS / "decisions").glob("*.md")))


def _load(name: str) -> ModuleType:
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(DOCS))


make_odd = _load("make_odd")
odd_tables = _load("odd_tables")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "odd.md"
    path.write_text((DOCS / "odd.md").read_text(encoding="utf-8"), encoding="utf-8")
    return path


# ---- tables ------------------------------------------------------------------------------------------------------


def test_the_tables_are_those_of_the_code() -> None:
    stale = make_odd.stale_tables((DOCS / "odd.md").read_text(encoding="utf-8"))
    assert not stale, f"run python docs/make_odd.py: {', '.join(stale)}"


def test_regenerating_twice_changes_nothing(copy: Path) -> None:
    assert make_odd.main([str(copy)]) == 0
    once = copy.read_bytes()
    assert make_odd.main([str(copy)]) == 0
    assert copy.read_bytes() == once
    assert make_odd.main(["--check", str(copy)]) == 0


def test_a_number_edited_by_hand_is_found_and_nothing_is_written(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_odd.main([str(copy)])
    row = next(line for line in copy.read_text().splitlines() if line.startswith("| `budget.inertia` |"))
    edited = copy.read_text().replace(row, row.replace("assumption", "published"))
    copy.write_text(edited)
    assert make_odd.main(["--check", str(copy)]) == 1
    assert "parameters differ from the code" in capsys.readouterr().err
    assert copy.read_text() == edited


def test_a_part_of_the_month_that_moves_is_found(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_odd.main([str(copy)])
    monkeypatch.setattr(make_odd, "MONTH", make_odd.MONTH[::-1])
    assert make_odd.stale_tables(copy.read_text()) == ["schedule"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<!-- table: agents -->", "<!-- table: agent -->", "no such table: agent"),
        ("<!-- table: agents -->", "<!-- table: schedule -->", "not in the document exactly once: agents"),
        ("<!-- end table -->", "<!-- the end -->", "not a pair"),
    ],
)
def test_broken_markers_are_named(
    copy: Path, old: str, new: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy.write_text(copy.read_text().replace(old, new, 1))
    before = copy.read_text()
    assert make_odd.main([str(copy)]) == 1
    assert message in capsys.readouterr().err
    assert copy.read_text() == before


def test_bars_in_a_cell_do_not_break_the_table() -> None:
    assert odd_tables.table(["a"], [["x | y"]]) == "| a |\n|---|\n| x \\| y |\n"


# ---- state variables ---------------------------------------------------------------------------------------------


def test_a_state_variable_without_a_unit_stops_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(odd_tables.UNITS, "wealth")
    with pytest.raises(odd_tables.Stale, match=r"wealth: say its unit in docs/odd_tables\.py"):
        make_odd.TABLES["households"]()


def test_every_state_variable_says_what_it_is() -> None:
    for name in ("households", "children", "registers", "programmes", "service-book", "world", "tally"):
        for row in make_odd.TABLES[name]().splitlines()[2:]:
            assert not row.endswith("|  |"), f"{name}: comment this field where it is defined: {row}"


def test_no_unit_or_meaning_is_kept_of_a_variable_that_is_gone() -> None:
    world, _ = odd_tables.small_world()
    known: set[str] = set(vars(Tally(1, 1, 1)))
    for holder in (world, world.households, world.children, world.registers, world.programmes, world.book):
        known |= {field.name for field in dataclasses.fields(holder)}
    assert set(odd_tables.UNITS) <= known
    assert set(odd_tables.SAID) <= known


# ---- prose -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_parameters_named_in_prose_exist(path: Path) -> None:
    known = {*load_parameters(), *(f"population.{name}" for name in REQUIRED + OPTIONAL)}
    rooms = "|".join({key.partition(".")[0] for key in known})
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{rooms})\.[a-z0-9_]+(?:\.[a-z0-9_]+)?\*?)`", text)
    files = ("py", "toml", "md")
    for key in {name for name in named if not name.endswith(files)}:
        found = any(each.startswith(key[:-1]) for each in known) if key.endswith("*") else key in known
        assert found, f"{path.name}: there is no parameter {key}"


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_files_named_in_prose_exist(path: Path) -> None:
    named = set(re.findall(r"`([a-z_]+/[a-z0-9_/]+\.(?:py|toml|md))`", path.read_text(encoding="utf-8")))
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "sim/konvergensi" / name).exists(), f"{path.name}: no file {name}"


def test_every_decision_named_in_the_document_is_there() -> None:
    text = (DOCS / "odd.md").read_text(encoding="utf-8")
    for number in set(re.findall(r"[Dd]ecision (\d{4})", text)):
        assert list((DOCS / "decisions").glob(f"{number}-*.md")), f"no decision {number}"
