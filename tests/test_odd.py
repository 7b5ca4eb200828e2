"""The tables of docs/odd.md are those of the code, and the guard that says so can be tripped."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_odd", DOCS / "make_odd.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_odd"] = module
    spec.loader.exec_module(module)
    return module


make_odd = _load()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "odd.md"
    path.write_text((DOCS / "odd.md").read_text(encoding="utf-8"), encoding="utf-8")
    return path


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


def test_a_state_variable_without_a_unit_stops_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(make_odd.UNITS, "wealth")
    with pytest.raises(make_odd.Stale, match=r"wealth: say its unit in docs/make_odd\.py"):
        make_odd.TABLES["households"]()


def test_every_state_variable_says_what_it_is() -> None:
    for name in ("households", "children", "registers", "programmes", "service-book", "world", "tally"):
        for row in make_odd.TABLES[name]().splitlines()[2:]:
            assert not row.endswith("|  |"), f"{name}: comment this field where it is defined: {row}"


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
    assert make_odd.table(["a"], [["x | y"]]) == "| a |\n|---|\n| x \\| y |\n"
