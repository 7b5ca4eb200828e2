"""`konvergensi study`: what each command says, in two languages, and how it ends."""

import tarfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from study_driver import exported
from typer.testing import CliRunner, Result

from konvergensi.cli.main import app
from konvergensi.studies import status, working, writing
from konvergensi.studies.shards import RECORDS
from konvergensi.studies.status import status_of
from konvergensi.studies.store import Store

FILE = Path(__file__).parents[1] / "studies" / "ishigami.toml"
RUNS = 1024 * 2


def call(*words: object) -> Result:
    return CliRunner().invoke(app, ["study", *map(str, words)])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    done = call("run", FILE, "--out", tmp_path / "store", "--workers", 1)
    assert done.exit_code == 0, done.output
    assert f"{tmp_path}/store: {RUNS} of {RUNS} runs done, 0 failed, 0 left; 5 shards" in done.stdout
    assert "what a method should find. 2048 runs: districts 1, policies 2, draws 1024, seeds 1" in done.stderr
    return tmp_path / "store"


def test_from_the_file_to_the_tables(store: Path, tmp_path: Path) -> None:
    assert (store / "study.toml").read_bytes() == FILE.read_bytes()
    assert call("status", store).stdout.startswith(f"{store}: {RUNS} of {RUNS} runs done")
    assert call("resume", store, "--workers", 1, "--lang", "id").stdout.startswith(f"{store}: {RUNS} dari {RUNS}")
    longer = call("extend", store, "--seeds", 2, "--workers", 1)
    assert longer.exit_code == 0 and f"{2 * RUNS} of {2 * RUNS} runs done" in longer.stdout
    written = call("export", store, "--out", tmp_path / "out", "--format", "csv")
    assert written.stdout == f"Written to {tmp_path}/out: runs.csv, series.csv, groups.csv, manifest.json\n"
    row = pd.read_csv(tmp_path / "out" / "runs.csv").iloc[-1]
    again = call("rerun", store, row["run_id"])
    assert again.exit_code == 0 and "nowhere, doubled, draw 1024, seed 2, kept as ok" in again.stdout
    assert f"x1 = {row['x1']}" in again.stdout and "bit for bit" in again.stdout and "dummy" not in again.stdout


def test_an_export_for_the_ema_workbench_is_one_archive(store: Path, tmp_path: Path) -> None:
    written = call("export", store, "--out", tmp_path / "study.tar.gz", "--format", "ema")
    assert written.exit_code == 0 and "study.tar.gz" in written.stdout
    with tarfile.open(tmp_path / "study.tar.gz") as archive:
        assert {"experiments.csv", "metadata.json", "y.cls"} <= set(archive.getnames())
    refused = call("export", store, "--out", tmp_path, "--format", "ema")
    assert refused.exit_code == 2 and refused.stderr.startswith(f"{tmp_path}: ")


def test_ctrl_c_ends_with_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = working.in_process

    def interrupted(work: Any, jobs: Any) -> Any:
        for number, result in enumerate(real(work, jobs)):
            yield result
            if number == 99:
                raise KeyboardInterrupt

    monkeypatch.setattr(working, "in_process", interrupted)
    done = call("run", "ishigami", "--out", tmp_path / "store", "--workers", 1, "--lang", "id")
    assert done.exit_code == 130 and done.stdout == "" and "Traceback" not in done.stderr
    assert f"lanjutkan dengan: konvergensi study resume {tmp_path}/store" in done.stderr
    monkeypatch.undo()
    assert f"200 of {RUNS} runs done, 0 failed, {RUNS - 200} left" in call("status", tmp_path / "store").stdout
    part = call("export", tmp_path / "store", "--out", tmp_path / "part")
    assert part.exit_code == 0 and f"CAUTION: {RUNS - 200} of {RUNS} runs are not there yet" in part.stderr
    assert call("resume", tmp_path / "store", "--workers", 1).exit_code == 0
    assert "CAUTION" not in call("export", tmp_path / "store", "--out", tmp_path / "all").stderr
    whole = call("run", FILE, "--out", tmp_path / "whole", "--workers", 1)
    assert whole.exit_code == 0 and exported(Store.open(tmp_path / "whole")) == exported(Store.open(tmp_path / "store"))


def test_status_tells_of_failures_damage_and_who_is_at_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "study.toml"
    file.write_text(FILE.read_text().replace('model = "ishigami"', 'model = "ishigami"\nset = { fail_above = 3.0 }'))
    ran = call("run", file, "--out", tmp_path / "store", "--workers", 1)
    failed = Store.open(tmp_path / "store").counts().failed
    assert ran.exit_code == 0 and failed > 0 and f"{failed} failed, 0 left" in ran.stdout
    assert "ArithmeticError: x1 is 3." in ran.stdout and "resume" in ran.stdout and "--retry-failed" in ran.stdout
    record = tmp_path / "store" / RECORDS / "part-000002.json"
    with writing.locked(tmp_path / "store"):
        assert "At work: process " in call("status", tmp_path / "store").stdout
    (tmp_path / "store" / "groups" / "part-000002.parquet").unlink()
    assert (
        "Damaged or missing, their runs are made again: groups/part-000002" in call("status", tmp_path / "store").stdout
    )
    resumed = call("resume", tmp_path / "store", "--workers", 1)
    assert resumed.exit_code == 0 and "groups/part-000002.parquet" in resumed.stderr and not record.exists()
    monkeypatch.setattr(status, "RECENT", 3)
    found = status_of(Store.open(tmp_path / "store"))
    assert found.per_second is not None and found.seconds_left == 0 and found.damaged == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "nothing.toml"], "nothing.toml: there is no such file"),
        (["run", "ishigamy"], "unknown study 'ishigamy'; there is ishigami, "),
        (["status", "nowhere"], "nowhere: is no store of a study"),
        (["resume", "nowhere"], "nowhere: is no store of a study"),
        (["extend", "nowhere", "--draws", "3"], "nowhere: is no store of a study"),
        (["export", "nowhere", "--out", "x"], "nowhere: is no store of a study"),
        (["rerun", "nowhere", "a"], "nowhere: is no store of a study"),
        (["run", str(FILE), "--workers", "0"], "--workers: 0 is outside [1, 1024]"),
        (["run", str(FILE), "--workers", "2", "--cluster", "tcp://x:1"], "--workers: is for this machine alone"),
        (["run", str(FILE), "--cluster", "nonsense://x"], "--cluster: no Dask scheduler answers at 'nonsense://x'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(words: list[str], said: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*words)
    assert done.exit_code == 2 and done.stdout == "" and said in done.stderr
    assert len([line for line in done.stderr.splitlines() if "Simulating" not in line and "function" not in line]) == 1
