"""What commands do with folders: refused before the work, replaced with a word, never lost, never read half."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from folder_driver import tree
from study_driver import KECIL, environment, function_study
from typer.testing import CliRunner, Result

import konvergensi as kv
from konvergensi.base.errors import InputError
from konvergensi.base.folders import InTheWay, read_json, write_json
from konvergensi.base.owned import INTENT, MANIFEST, sealed
from konvergensi.cli.main import app
from konvergensi.report import figures
from konvergensi.report.written import FILES, names
from konvergensi.results.run import Run
from konvergensi.studies.execute import run_study

RUN = ["run", "--district", KECIL, "--end", "2018-01", "--no-figures"]
# every command that takes --out for a result, its kind, and a name that it would write
COMMANDS: dict[str, tuple[list[str], str, str]] = {
    "run": (["run", "--district", KECIL], "run", "figures/map.png"),
    "compare": (["compare", "baseline", "one-list", "--district", KECIL], "comparison", "decision.md"),
    "gaps": (["gaps", "--district", KECIL], "gaps", "gaps.md"),
    "explain": (["explain", "--district", "lebak", "--draws-from", "prior"], "explanation", "worlds.parquet"),
    "calibrate": (["calibrate", "quick"], "calibration", MANIFEST),
    "validate": (["validate"], "validation", "figures/fit.png"),
    "validate --nation": (["validate", "--nation"], "country_validation", "figures/readings.png"),
    "sensitivity": (["sensitivity", "STORE"], "sensitivity", "sobol/figures/what-moves-mine.png"),
    "discover": (["discover", "STORE", "--where", "y > 5"], "discovery", "boxes.parquet"),
    "robustness": (["robustness", "STORE", "--output", "y"], "robustness", "robustness.md"),
    "allocate": (
        ["allocate", KECIL, "--more", "5e8", "--from", "2018-06", "--until", "2018-12"],
        "allocation",
        "allocation.md",
    ),
    "villages": (["villages", KECIL], "villages", "villages.xlsx"),
    "compare-districts": (["compare-districts", "36.02"], "districts", "districts.md"),
    "nation": (["nation", "--area", "36.02"], "nation", "nation.csv"),
    "rerun": (["study", "rerun", "STORE", "0"], "run", "summary.md"),
}


def asked(*words: str, out: Path) -> Result:
    return CliRunner().invoke(app, [*words, "--out", str(out)])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_study(function_study(), tmp_path_factory.mktemp("study") / "store", workers=1).path


@pytest.fixture(scope="module")
def small() -> Run:
    """One month of a tiny district."""
    return kv.run(district=KECIL, end="2018-01")


@pytest.fixture
def few_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are as good as all, and sooner drawn."""
    for name in list(figures.FIGURES)[2:]:
        monkeypatch.delitem(figures.FIGURES, name)


@pytest.fixture
def saved(small: Run, tmp_path: Path) -> Path:
    small.save(tmp_path / "saved", figures=False)
    return tmp_path / "saved"


# ---- refused before the work -----------------------------------------------------------------------------------------


def test_every_kind_of_result_has_its_command_here() -> None:
    assert {kind for _, kind, _ in COMMANDS.values()} == set(FILES) - {"trial"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_foreign_file_stops_every_command_before_its_work(command: str, store: Path, tmp_path: Path) -> None:
    words, _, name = COMMANDS[command]
    out = tmp_path / "out"
    (out / name).parent.mkdir(parents=True)
    (out / name).write_text("mine")
    before = tree(out)
    done = asked(*(str(store) if word == "STORE" else word for word in words), out=out)
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert "nothing was changed. Name another folder, for example " in done.stderr and "Simulating" not in done.stderr
    assert tree(out) == before


@pytest.mark.parametrize("command", ["run", "discover", "robustness", "compare"])
def test_no_command_writes_over_the_store_of_a_study(command: str, store: Path) -> None:
    before = tree(store)
    words = [str(store) if word == "STORE" else word for word in COMMANDS[command][0]]
    done = asked(*words, out=store)
    assert done.exit_code == 2 and "manifest.json belongs to the store of a study" in done.stderr
    assert tree(store) == before


def test_a_folder_of_the_first_version_is_refused_with_its_version(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(
        json.dumps({"version": "0.1.0", "district": "lebak", "hashes": {}, "packages": {}})
    )
    done = asked(*RUN, "--lang", "id", out=tmp_path)
    assert done.exit_code == 2 and "ditulis oleh versi 0.1.0" in done.stderr
    with pytest.raises(InputError, match=r"was written by konvergensi 0\.1\.0; this is .*cannot read it"):
        kv.load(tmp_path)


# ---- what stays, what is replaced ------------------------------------------------------------------------------------


@pytest.mark.parametrize("here", [False, True])
def test_a_thesis_beside_a_result_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: bool) -> None:
    out = tmp_path / "u"
    mine = {"figures/thesis.png": "mine", "series.csv": "mine", "data.parquet/part-0": "mine", "notes.md": "mine"}
    for name, text in mine.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    monkeypatch.chdir(out)
    for _ in range(2):
        done = asked(*RUN, out=Path(".") if here else out)
        assert done.exit_code == 0, done.output
        assert mine.items() <= tree(out).items()
    assert isinstance(kv.load(out), Run)


def test_a_folder_in_the_place_of_a_table_stays(tmp_path: Path) -> None:
    (tmp_path / "series.parquet").mkdir()
    (tmp_path / "series.parquet" / "part-0").write_text("mine")
    before = tree(tmp_path)
    done = asked(*RUN, out=tmp_path)
    assert done.exit_code == 2 and "series.parquet is a folder, where a file of the result belongs" in done.stderr
    assert tree(tmp_path) == before


def test_half_a_way_in_leaves_the_old_result(saved: Path) -> None:
    (saved / "summary.md").unlink()
    (saved / "summary.md").mkdir()
    (saved.parent / "outside").mkdir()
    (saved / "figures").symlink_to(saved.parent / "outside")
    before = tree(saved)
    assert asked(*RUN[:-1], out=saved).exit_code == 2
    assert tree(saved) == before and tree(saved.parent / "outside") == {}


def test_a_result_that_replaces_another_says_so(saved: Path) -> None:
    assert "it is replaced" not in asked(*RUN, out=saved).stderr  # the same again
    done = asked("run", "one-list", *RUN[1:], "--lang", "id", out=saved)
    assert done.exit_code == 0
    assert f"{saved} berisi hasil lain (simulasi, baseline, dan kecil); isinya diganti." in done.stderr
    done = asked(*RUN, out=saved)
    assert f"{saved} holds another result (run, one-list, and kecil); it is replaced. To keep both" in done.stderr


@pytest.mark.usefixtures("few_figures")
def test_what_is_not_made_any_more_goes_and_what_was_changed_stays(small: Run, tmp_path: Path) -> None:
    small.save(tmp_path)
    pictures = list((tmp_path / "figures").iterdir())
    assert pictures
    small.save(tmp_path, figures=False)
    assert not any(each.exists() for each in pictures)
    (tmp_path / "summary.md").write_text("my notes")
    with pytest.raises(InTheWay, match=r"summary\.md was changed since konvergensi wrote it.*-2"):
        small.save(tmp_path)
    assert (tmp_path / "summary.md").read_text() == "my notes"


def test_what_came_in_the_way_during_the_work_costs_no_result(
    tmp_path: Path, small: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def meanwhile(*_: object, **__: object) -> Run:
        out.mkdir()
        (out / "summary.md").write_text("mine")
        return small

    monkeypatch.setattr(kv, "run", meanwhile)
    done = asked(*RUN, out=out)
    assert done.exit_code == 0 and (out / "summary.md").read_text() == "mine"
    assert f"Nothing is lost: the result goes into {out}-2 instead." in done.stderr
    assert isinstance(kv.load(tmp_path / "out-2"), Run) and f"Written to {out}-2" in done.stdout


def test_a_disk_that_fails_in_the_end_costs_no_result(
    tmp_path: Path, small: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, out = Run.save, tmp_path / "out"

    def fails_there(self: Run, where: Path, **more: Any) -> list[str]:
        if Path(where).parent == tmp_path:
            raise OSError(28, "No space left on device")
        return kept(self, where, **more)

    monkeypatch.setattr(kv, "run", lambda *_, **__: small)
    monkeypatch.setattr(Run, "save", fails_there)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    done = asked(*RUN, out=out)
    assert done.exit_code == 0 and f"{out}: cannot be written to (No space left on device)" in done.stderr
    assert isinstance(kv.load(tmp_path / "elsewhere" / "out-2"), Run)


def test_the_demo_takes_a_free_folder(tmp_path: Path) -> None:
    script = Path(__file__).parents[1] / "scripts" / "free_folder.py"
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "summary.md").write_text("mine")
    words: dict[str, Any] = {"cwd": tmp_path, "env": environment(), "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, script, "demo"], check=True, **words)
    assert done.stdout == "demo-2\n" and "summary.md stands where" in done.stderr
    assert 'free_folder.py "$(OUT)"' in (script.parents[1] / "Makefile").read_text()


@pytest.mark.usefixtures("few_figures")
@pytest.mark.parametrize("with_figures", [True, False])
def test_a_run_writes_only_names_that_were_known_before(small: Run, tmp_path: Path, with_figures: bool) -> None:
    import fnmatch

    small.save(tmp_path, figures=with_figures)
    known = names("run", with_figures=with_figures)
    written = [name for name, what in tree(tmp_path).items() if what != "folder"]
    assert [name for name in written if not any(fnmatch.fnmatchcase(name, each) for each in known)] == []


# ---- loading ---------------------------------------------------------------------------------------------------------


def test_what_was_saved_loads_and_what_was_changed_does_not(saved: Path, small: Run) -> None:
    pd.testing.assert_frame_equal(kv.load(saved).series, small.series)
    table = pd.read_parquet(saved / "series.parquet")
    table.loc[0, "value" if "value" in table else table.columns[-1]] += 1
    table.to_parquet(saved / "series.parquet", index=False)
    (saved / "villages.parquet").unlink()
    with pytest.raises(InputError) as caught:
        kv.load(saved)
    assert "villages.parquet: missing, though the manifest lists it" in str(caught.value)
    assert "series.parquet: changed since konvergensi wrote it" in str(caught.value)


def test_a_changed_manifest_does_not_load(saved: Path) -> None:
    text = (saved / MANIFEST).read_text()
    (saved / MANIFEST).write_text(text.replace('"seed": 1', '"seed": 2'))
    with pytest.raises(InputError, match=r"manifest\.json: changed since"):
        kv.load(saved)


@pytest.mark.parametrize("name", ["tables", "data", "files", "kind", "checksum", "version"])
def test_a_misspelt_key_of_a_manifest_is_one_clear_fault(saved: Path, name: str) -> None:
    manifest = read_json(saved / MANIFEST)
    manifest[f"{name}s"] = manifest.pop(name)
    for content in (manifest, sealed(manifest)) if name != "checksum" else (manifest,):
        write_json(content, saved / MANIFEST)
        with pytest.raises(InputError) as caught:
            kv.load(saved)
        assert len(caught.value.faults) == 1 and str(saved) in str(caught.value)


def test_a_half_written_result_is_never_read(saved: Path) -> None:
    (saved / INTENT).write_text("{}")
    with pytest.raises(InputError, match="is only half written"):
        kv.load(saved)


def test_what_is_no_result_is_told(tmp_path: Path, store: Path, saved: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        kv.load(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no result"):
        kv.load(store)
    manifest = read_json(saved / MANIFEST) | {"version": "0.3.0"}
    write_json(sealed(manifest), saved / MANIFEST)
    with pytest.raises(InputError, match=r"was written by konvergensi 0\.3\.0"):
        kv.load(saved)


def test_a_draft_without_a_seal_is_a_mistake_of_ours(tmp_path: Path) -> None:
    from konvergensi.base.folders import drafted

    with pytest.raises(ValueError, match="must be sealed"), drafted(tmp_path / "out") as draft:
        (draft / "x").write_text("x")
    assert not (tmp_path / "out").exists()
