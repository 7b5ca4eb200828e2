"""Inputs that never end, command a terminal, or run in a spreadsheet."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_driver import KECIL, function_study
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.base import files
from konvergensi.base.errors import fault
from konvergensi.base.harmless import CONTROLS, neutral, plain, write_csv
from konvergensi.cli.main import app
from konvergensi.cli.terminal import Lang, say
from konvergensi.studies.execute import run_study
from konvergensi.studies.export import export_store

ESCAPE, CSI, TURNED = "\x1b[31m", "\x9b31m", "\u202e"


@pytest.fixture
def kecil(tmp_path: Path) -> Path:
    return Path(shutil.copytree(KECIL, tmp_path / "kecil"))


def refused(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 2 and "Traceback" not in done.output, done.output
    return done.stderr


# ---- no regular files ------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["pipe.toml", "/dev/zero", "link.toml"])
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "link.toml").symlink_to("/dev/zero")
    for words in (["run"], ["check"], ["compare", "baseline"], ["study", "run"], ["calibrate"]):
        assert "is a pipe, a device or a socket" in refused(*words, tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["district.toml", "villages.csv", "opd.toml", "published.toml"])
def test_a_pipe_in_a_district_is_refused_at_once(kecil: Path, name: str) -> None:
    (kecil / name).unlink(missing_ok=True)
    os.mkfifo(kecil / name)
    assert f"{name}: is a pipe, a device or a socket" in refused("check", kecil)


def test_a_file_that_is_far_too_large_is_refused_with_both_sizes(tmp_path: Path) -> None:
    with (tmp_path / "large.toml").open("wb") as file:
        file.truncate(files.LARGEST + 1)  # takes no room on the disk
    assert "has 200 MB; an input may have at most 200 MB" in refused("check", tmp_path / "large.toml")


# ---- what commands a terminal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("control", ["\\u001b[31m", "\\u009b31m", "\\u202e", "\\u0007", "\\r"])
def test_a_title_that_commands_a_terminal_is_refused_by_its_key(tmp_path: Path, control: str) -> None:
    (tmp_path / "red.toml").write_text(f'[title]\nen = "a{control}b"\nid = "c"\n')
    told = refused("run", tmp_path / "red.toml")
    assert "title.en: holds the control character U+" in told and not CONTROLS.search(told)


def test_a_name_in_a_table_that_commands_a_terminal_is_refused_by_its_line(kecil: Path) -> None:
    lines = (kecil / "villages.csv").read_text().splitlines()
    lines[2] = ESCAPE + lines[2]
    (kecil / "villages.csv").write_text("\n".join(lines))
    told = refused("check", kecil)
    assert "villages.csv: line 3: holds the control character U+001B" in told and ESCAPE not in told


@pytest.mark.parametrize("control", [ESCAPE, CSI, TURNED])
def test_whatever_is_said_holds_no_control_character(control: str) -> None:
    name = f"a{control}b"
    assert not CONTROLS.search(fault(name, name, "unknown", near=name).text())
    assert not CONTROLS.search(say("written", Lang.en, out=name, files=name))
    assert not CONTROLS.search(refused("run", f"{name}.toml")) and not CONTROLS.search(refused("run", name))


@given(st.text())
def test_text_is_harmless_once_it_is_plain_and_else_stays_as_it_is(text: str) -> None:
    assert not CONTROLS.search(plain(text))
    assert plain(text) == text or CONTROLS.search(text)


@pytest.mark.parametrize("control", [ESCAPE, CSI, TURNED])
def test_a_result_that_came_by_mail_commands_nobody(control: str, tmp_path: Path) -> None:
    run = kv.run(district=KECIL, end="2018-01")
    run.manifest |= dict.fromkeys(("district_name", "policy", "command"), f"a{control}b")
    run.manifest["policy_title"] = {"en": f"a{control}b", "id": f"a{control}b"}
    run.save(tmp_path / "mail", figures=False)
    loaded = kv.load(tmp_path / "mail")
    assert control in loaded.manifest["policy"]  # it is data, and stays so
    shown = [*loaded.lines, str(loaded), loaded._repr_html_(), repr(loaded)]
    shown.append((tmp_path / "mail" / "summary.md").read_text(encoding="utf-8"))
    assert not any(CONTROLS.search(text) for text in shown)


# ---- what runs in a spreadsheet --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", " =1"])
def test_a_cell_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(cell: str, tmp_path: Path) -> None:
    assert neutral(cell) == f"'{cell}"
    write_csv(pd.DataFrame({cell: [cell], "n": [-1.5]}), tmp_path / "t.csv")
    again = pd.read_csv(tmp_path / "t.csv", skip_blank_lines=False)
    assert list(again) == [f"'{cell}", "n"] and again["n"][0] == -1.5
    assert again.iloc[0, 0].strip() == f"'{cell}".strip()


def test_a_cell_never_breaks_its_row(tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"a": ["x\r@y", "x\ny"], "b": [1, 2]}), tmp_path / "t.csv")
    assert pd.read_csv(tmp_path / "t.csv").to_dict("list") == {"a": ["x\\r@y", "x\ny"], "b": [1, 2]}


def test_every_table_for_spreadsheets_is_written_this_way() -> None:
    rooms = [Path(kv.__file__).parent / name for name in ("results", "analyses", "report", "cli")]
    assert [file.name for room in rooms for file in room.rglob("*.py") if ".to_csv(" in file.read_text()] == []


@pytest.mark.parametrize("cell", ["Cibadak", "-1.5", "+3e2", "a=b", "", None, -1.5, "-inf"])
def test_any_other_cell_stays_as_it_is(cell: object) -> None:
    assert neutral(cell) == cell


def test_the_export_of_a_study_holds_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = function_study(set={"fail_above": -1e9})
    monkeypatch.setattr("konvergensi.studies.store.FAILED", "=failed")
    monkeypatch.setattr("konvergensi.studies.writing.FAILED", "=failed")
    store = run_study(study, tmp_path / "store", workers=1)
    for kind, status in (("csv", "'=failed"), ("parquet", "=failed")):
        export_store(store, tmp_path / kind, kind)
        read = pd.read_csv if kind == "csv" else pd.read_parquet
        assert set(read(tmp_path / kind / f"runs.{kind}")["status"]) == {status}
