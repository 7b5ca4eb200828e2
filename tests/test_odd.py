"""The tables of docs/odd.md are those of the code, and the guard that says so can be tripped."""

import dataclasses
import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from konvergensi.inputs.changes import Change
from konvergensi.inputs.districts import OPTIONAL, REQUIRED
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.world.agents import OPD_FIELDS
from konvergensi.world.tally import Tally

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PROSE = (DOCS / "odd.md", DOCS / "levers.md", DOCS / "indices.md", *sorted((DOCS / "decisions").glob("*.md")))


def _load(name: str) -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "scripts"))


make_odd = _load("make_odd")
odd_tables = _load("odd_tables")
lever_tables = _load("lever_tables")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    path = tmp_path / "odd.md"
    path.write_text((DOCS / "odd.md").read_text(encoding="utf-8"), encoding="utf-8")
    return path


# ---- tables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", list(make_odd.DOCUMENTS))
def test_the_tables_are_those_of_the_code(document: str) -> None:
    stale = make_odd.stale_tables((DOCS / document).read_text(encoding="utf-8"), make_odd.DOCUMENTS[document])
    assert not stale, f"run python scripts/make_odd.py: {', '.join(stale)}"


@pytest.mark.slow  # the document is built anew
def test_regenerating_twice_changes_nothing(copy: Path) -> None:
    assert make_odd.main([str(copy)]) == 0
    once = copy.read_bytes()
    assert make_odd.main([str(copy)]) == 0
    assert copy.read_bytes() == once
    assert make_odd.main(["--check", str(copy)]) == 0


@pytest.mark.slow  # the document is built anew
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


@pytest.mark.slow  # the document is built anew
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


def test_another_document_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "results.md"
    other.write_text("no tables")
    assert make_odd.main([str(other)]) == 1
    assert "no such document; there are odd.md, levers.md" in capsys.readouterr().err


def test_every_action_says_which_levers_move_its_month() -> None:
    rows = make_odd.TABLES["actions"]().splitlines()[2:]
    levers = {row.split("|")[1].strip(" `"): re.findall(r"`(calendar\.\w+)`", row) for row in rows}
    assert levers["plan"] == ["calendar.aksi_2_month", "calendar.aksi_3_month", "calendar.reform_plan_month"]
    assert all(levers.values())


def test_a_ramp_in_a_policy_shows_its_first_and_last_month(monkeypatch: pytest.MonkeyPatch) -> None:
    ramp = Change(2019 * 12, "goals.leadership", 0.8, "x.toml", until=2020 * 12 + 11)
    policy = dataclasses.replace(load_scenario("baseline"), changes=(ramp,))
    monkeypatch.setattr(make_odd, "load_scenario", lambda name: policy)
    assert "2019-01 .. 2020-12 `goals.leadership` = 0.8" in make_odd.scenarios()


def test_bars_in_a_cell_do_not_break_the_table() -> None:
    assert odd_tables.table(["a"], [["x | y"]]) == "| a |\n|---|\n| x \\| y |\n"


# ---- state variables ---------------------------------------------------------------------------------------------


def test_a_state_variable_without_a_unit_stops_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(odd_tables.UNITS, "wealth")
    with pytest.raises(odd_tables.Stale, match=r"wealth: say its unit in scripts/odd_tables\.py"):
        make_odd.TABLES["households"]()


def test_every_state_variable_says_what_it_is() -> None:
    state = ("households", "children", "registers", "programmes", "service-book", "world", "coordination")
    holders = (*state, "handed-lists", "costs", "villages", "tally")
    for name in holders:
        for row in make_odd.TABLES[name]().splitlines()[2:]:
            assert not row.endswith("|  |"), f"{name}: comment this field where it is defined: {row}"


def test_no_unit_or_meaning_is_kept_of_a_variable_that_is_gone() -> None:
    world, _ = odd_tables.small_world()
    known: set[str] = set(vars(Tally(1, 1, 1)))
    parts = [world.households, world.children, world.registers, world.programmes, world.book, world.coordination]
    parts += [world.villages, world.handed, world.costs]
    for holder in (world, *parts):
        fields = {field.name for field in dataclasses.fields(holder)}
        known |= fields | {f"{type(holder).__name__}.{name}" for name in fields}
    assert set(odd_tables.UNITS) <= known
    assert set(odd_tables.SAID) <= known


def test_an_attribute_of_an_agent_without_a_meaning_stops_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(odd_tables.SAID_OF_AGENTS, "mandate")
    with pytest.raises(odd_tables.Stale, match=r"Opd\.mandate: say what it is in scripts/odd_tables\.py"):
        make_odd.TABLES["agents"]()


def test_no_meaning_is_kept_of_an_attribute_that_is_gone() -> None:
    rows = make_odd.TABLES["agents"]().splitlines()[2:]
    assert set(odd_tables.SAID_OF_AGENTS) <= {row.split("|")[2].strip(" `") for row in rows}


def test_what_an_agent_reads_of_columns_is_in_the_table() -> None:
    rows = make_odd.TABLES["agents"]().splitlines()
    assert "| Village | `has_kpm` (read) | yes/no | whether a KPM is at work |  |" in rows


# ---- levers ------------------------------------------------------------------------------------------------------


def test_a_lever_says_what_it_is_in_both_languages() -> None:
    row = next(row for row in lever_tables.levers("lever-goals").splitlines() if "`goals.leadership`" in row)
    lever = load_parameters()["goals.leadership"]
    assert lever.meaning in row and lever.arti in row and lever.range_text() in row


def test_every_field_of_an_agency_that_a_scenario_may_set_is_a_lever() -> None:
    assert lever_tables.opd_levers().count("`opd.<id>.") == len(OPD_FIELDS)


# ---- prose -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_parameters_named_in_prose_exist(path: Path) -> None:
    known = {*load_parameters(), *(f"population.{name}" for name in REQUIRED + OPTIONAL)}
    rooms = "|".join({key.partition(".")[0] for key in known})
    text = path.read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{rooms})\.[a-z0-9_]+(?:\.[a-z0-9_]+)?\*?)`", text)
    files = ("py", "toml", "md", "csv")
    for key in {name for name in named if not name.endswith(files)}:
        found = any(each.startswith(key[:-1]) for each in known) if key.endswith("*") else key in known
        assert found, f"{path.name}: there is no parameter {key}"


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_files_named_in_prose_exist(path: Path) -> None:
    named = set(re.findall(r"`([a-z_]+/[a-z0-9_/]+\.(?:py|toml|md))`", path.read_text(encoding="utf-8")))
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "sim/konvergensi" / name).exists(), f"{path.name}: no file {name}"


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.stem)
def test_every_decision_named_in_the_document_is_there(path: Path) -> None:
    for number in set(re.findall(r"[Dd]ecisions? (\d{4})", path.read_text(encoding="utf-8"))):
        assert list((DOCS / "decisions").glob(f"{number}-*.md")), f"no decision {number}"
