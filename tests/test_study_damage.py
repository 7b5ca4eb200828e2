"""Stores that came by mail, were edited, or are none: told, never misread, and nothing outside them is touched."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folder_driver import tree
from study_driver import exported, function_study, model_study
from typer.testing import CliRunner

from konvergensi.analyses.discover import described
from konvergensi.base.errors import InputError
from konvergensi.base.owned import sealed
from konvergensi.cli.main import app
from konvergensi.methods.designs import Design
from konvergensi.methods.factors import Factor
from konvergensi.studies import shards, writing
from konvergensi.studies.execute import resume_study, run_study
from konvergensi.studies.export import export_store
from konvergensi.studies.store import Store
from konvergensi.studies.study import with_points

COMMANDS: dict[str, list[str]] = {
    "status": ["study", "status", "STORE"], "resume": ["study", "resume", "STORE", "--workers", "1"],
    "extend": ["study", "extend", "STORE", "--draws", "70"], "export": ["study", "export", "STORE", "--out", "OUT"],
    "ema": ["study", "export", "STORE", "--format", "ema", "--out", "OUT"], "rerun": ["study", "rerun", "STORE", "0"],
    "discover": ["discover", "STORE", "--where", "y > 5", "--out", "OUT"],
    "robustness": ["robustness", "STORE", "--output", "y", "--out", "OUT"],
    "sensitivity": ["sensitivity", "STORE", "--out", "OUT"],
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "SHARD_RUNS", 80)
        store = run_study(function_study(), tmp_path_factory.mktemp("study") / "store", workers=1, text=b"# mine\n")
    return store.path, exported(store)


@pytest.fixture
def copy(whole: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole[0], tmp_path / "store"))


def refused(store: Path, match: str, commands: list[str] | None = None) -> None:
    """Every command refuses the store with one clear line, and changes nothing."""
    before = tree(store.parent)
    for command in commands or COMMANDS:
        out = str(store.parent / "out")
        words = [{"STORE": str(store), "OUT": out}.get(word, word) for word in COMMANDS[command]]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2, (command, done.output)
        assert match in done.stderr and "Traceback" not in done.stderr, (command, done.stderr)
        assert tree(store.parent) == before, command


def edit(file: Path, change: Callable[[Any], None], seal: bool = False) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(sealed(content) if seal else content))


# ---- changed ---------------------------------------------------------------------------------------------------------


def test_a_record_that_was_changed_is_told_and_its_runs_are_made_again(
    copy: Path, whole: tuple[Path, dict[str, str]]
) -> None:
    record = copy / "shards" / "part-000002.json"

    def another_draw(content: Any) -> None:
        content["cells"][3] = [0, 14, 2]

    edit(record, another_draw)
    store = Store.open(copy)
    assert store.counts().ok == 160 and store.damaged() == ["shards/part-000002.json"]
    with pytest.raises(InputError, match=r"1 shards are damaged .*shards/part-000002\.json.*study resume"):
        store.runs()
    found = resume_study(copy, workers=1)
    assert found.counts().ok == 240 and exported(found) == whole[1]
    assert "shards-part-000002.json" in {path.name for path in (copy / "damaged").iterdir()}


@pytest.mark.parametrize("name", ["bytes", "sha256", "cells", "files", "ok", "number"])
def test_a_misspelt_key_of_a_record_is_no_traceback(copy: Path, whole: tuple[Path, dict[str, str]], name: str) -> None:
    record = copy / "shards" / "part-000002.json"
    record.write_text(record.read_text().replace(f'"{name}"', f'"{name}x"'))
    assert Store.open(copy).damaged() == ["shards/part-000002.json"]
    assert exported(resume_study(copy, workers=1)) == whole[1]


def test_a_record_of_another_study_is_told(copy: Path) -> None:
    def another_seed(content: Any) -> None:
        content["cells"][0] = [0, 1, 77]

    edit(copy / "shards" / "part-000002.json", another_seed, seal=True)
    with pytest.raises(InputError, match=r"damaged or incomplete .*part-000002\.json"):
        resume_study(copy, workers=1)


def test_a_manifest_that_was_changed_is_refused(copy: Path) -> None:
    def other_noise(content: Any) -> None:
        content["study"]["set"]["noise_sd"] = 0.25

    edit(copy / "manifest.json", other_noise)
    refused(copy, "manifest.json: was changed or removed since konvergensi wrote it")


@pytest.mark.parametrize("name", ["kind", "format", "study", "identity", "points", "planned", "parts", "checksum"])
def test_a_misspelt_key_of_the_manifest_is_one_clear_fault(copy: Path, name: str) -> None:
    def misspell(content: Any) -> None:
        content[f"{name}s"] = content.pop(name)

    edit(copy / "manifest.json", misspell)
    with pytest.raises(InputError) as caught:
        Store.open(copy)
    assert len(caught.value.faults) == 1 and str(copy) in str(caught.value)


def test_the_study_file_and_the_points_are_checked(copy: Path, tmp_path: Path) -> None:
    (copy / "study.toml").write_text("# theirs\n")
    refused(copy, "study.toml: was changed or removed", ["status", "resume", "export"])
    base = function_study(factors=(Factor("x1"),))
    given = run_study(with_points(base, four_points()), tmp_path / "given", workers=1)
    (given.path / "points.parquet").unlink()
    refused(given.path, "points.parquet: was changed or removed", ["status", "resume", "export"])


def four_points() -> Any:
    import pandas as pd

    return pd.DataFrame({"x1": np.linspace(-1.0, 1.0, 4)})


def test_a_store_of_the_same_version_that_calls_its_columns_otherwise_is_refused_with_its_format(copy: Path) -> None:
    edit(copy / "manifest.json", lambda content: content.update(format=2))
    refused(
        copy, "is the store of a study made with konvergensi 0.2.0 (format 2); this is 0.2.0 (format 3), which cannot"
    )


def test_a_store_of_the_first_version_is_refused_with_its_version(copy: Path) -> None:
    def as_then(content: Any) -> None:
        for name in ("kind", "parts", "checksum"):
            del content[name]
        content |= {"format": 1, "made_with": "konvergensi 0.1.0"}

    edit(copy / "manifest.json", as_then)
    refused(copy, "is the store of a study made with konvergensi 0.1.0; this is ")
    with pytest.raises(InputError, match=r"made with konvergensi 0\.1\.0"):
        run_study(function_study(), copy, workers=1)


def test_an_export_is_no_store(copy: Path, tmp_path: Path) -> None:
    export_store(Store.open(copy), tmp_path / "exported")
    with pytest.raises(InputError, match="is no store of a study"):
        Store.open(tmp_path / "exported")


# ---- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["runs", "series", "groups", "shards", "damaged"])
def test_a_store_whose_folder_is_a_link_is_refused(copy: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "part-000009.parquet").write_text("mine")
    if (copy / name).exists():
        for path in (copy / name).iterdir():
            path.rename(outside / path.name)
        (copy / name).rmdir()
    (copy / name).symlink_to(outside)
    refused(copy, f"{name} is a link; a store holds its files itself")


@pytest.mark.parametrize(
    "name", ["lock", "manifest.json", "study.toml", "runs/part-000001.parquet", "shards/part-000001.json",
             "runs/.part-000004.draft", "shards/.part-000004.json.draft"]
)  # fmt: skip
def test_a_store_in_which_a_file_is_a_link_is_refused(copy: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "mine.txt"
    place = copy / name
    if place.exists() and name != "lock":
        place.rename(outside)
    else:
        place.unlink(missing_ok=True)
        outside.write_text("mine")
    place.symlink_to(outside)
    refused(copy, f"{name} is a link; a store holds its files itself")


@pytest.mark.parametrize("name", [".manifest.json.draft", "lock"])
def test_nothing_is_written_through_a_link_that_appears_later(copy: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (copy / name).unlink(missing_ok=True)
    (copy / name).symlink_to(tmp_path / "mine.txt")
    if name == "lock":
        from konvergensi.studies.lock import holder, locked

        with pytest.raises(OSError, match=r"symbolic link|links"), locked(copy):
            raise AssertionError("locked through a link")
        assert holder(copy) == ""
    else:
        shards.write_whole(copy / "manifest.json", (copy / "manifest.json").read_bytes())
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_only_shards_are_set_aside_and_nothing_set_aside_is_replaced(
    copy: Path, whole: tuple[Path, dict[str, str]]
) -> None:
    mine = {"runs/part-thesis.docx": "mine", "runs/.part-mine": "mine", "damaged/runs-part-000002.parquet": "mine"}
    (copy / "damaged").mkdir()
    for name, text in mine.items():
        (copy / name).write_text(text)
    (copy / "runs" / "part-000002.parquet").write_bytes(b"broken")
    assert exported(resume_study(copy, workers=1)) == whole[1]
    assert mine.items() <= tree(copy).items()
    assert (copy / "damaged" / "1-runs-part-000002.parquet").read_bytes() == b"broken"


# ---- folders that are no stores --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "there",
    [
        {"runs/part-000001.parquet": "mine", "groups/b.csv": "mine"}, {"study.toml": "mine"}, {"lock": "mine"},
        {"points.parquet": "mine"}, {".konvergensi-store": "mine"}, {"shards/part-000001.json": "{}"},
        {"manifest.json": "{}", "runs/x": "mine"}, {"manifest.json": '{"name": "my app"}', "lock": "mine"},
    ],
)  # fmt: skip
def test_a_folder_of_someone_else_is_never_adopted(tmp_path: Path, there: dict[str, str]) -> None:
    out = tmp_path / "out"
    for name, text in there.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    before = tree(out)
    with pytest.raises(InputError, match=r"is there already and not empty|is no store of a study"):
        run_study(function_study(), out, workers=1)
    assert tree(out) == before


def test_a_store_killed_at_its_birth_is_known_by_its_mark(tmp_path: Path, whole: tuple[Path, dict[str, str]]) -> None:
    for number, mark in enumerate((b"", writing.BORN[:9], writing.BORN)):
        out = tmp_path / str(number)
        (out / "runs").mkdir(parents=True)
        (out / writing.BIRTH).write_bytes(mark)
        assert exported(run_study(function_study(), out, workers=1)) == whole[1]
        assert not (out / writing.BIRTH).exists()


def test_no_store_is_begun_inside_the_folders_of_another(copy: Path) -> None:
    with pytest.raises(InputError, match="belongs to the store of a study"):
        run_study(function_study(), copy / "runs" / "mine", workers=1)


def test_a_calibration_looks_at_the_folders_of_all_its_stages_before_the_first(tmp_path: Path) -> None:
    (tmp_path / "posterior").mkdir()
    (tmp_path / "posterior" / "thesis.docx").write_text("mine")
    done = CliRunner().invoke(app, ["calibrate", "quick", "--out", str(tmp_path)])
    assert done.exit_code == 2 and f"{tmp_path / 'posterior'}: is there already and not empty" in done.stderr
    assert set(tree(tmp_path)) == {"posterior", "posterior/thesis.docx"}


# ---- export ----------------------------------------------------------------------------------------------------------


def test_an_export_takes_the_place_of_nothing(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "thesis.docx").write_text("mine")
    monkeypatch.chdir(tmp_path / "here")
    before = tree(tmp_path)
    for out, told in ((".", "is there already and not empty"), (str(copy), "belongs to the store of a study")):
        done = CliRunner().invoke(app, ["study", "export", str(copy), "--out", out])
        assert done.exit_code == 2 and told in done.stderr and "Traceback" not in done.output
    done = CliRunner().invoke(app, ["study", "export", str(copy), "--format", "ema", "--out", "thesis.docx"])
    assert done.exit_code == 2 and "thesis.docx: is there already; nothing was changed" in done.stderr
    assert tree(tmp_path) == before
    done = CliRunner().invoke(app, ["study", "export", str(copy), "--format", "ema", "--out", "thesis.tar.gz"])
    assert done.exit_code == 0 and tarfile.is_tarfile("thesis.tar.gz")


# ---- districts that are folders, factors without values --------------------------------------------------------------


def test_findings_of_a_store_whose_district_is_a_folder_know_its_name(tmp_path: Path) -> None:
    study = model_study(design=Design("lhs", 1), scenarios=("baseline",), end="2018-01")
    store = run_study(study, tmp_path / "store", workers=1)
    assert store.districts == ["kecil"] and Path(store.source_of("kecil")).is_dir()
    told = described(store, "kecil")
    assert told["district"] == "kecil" and told["district_name"] != "kecil" and told["synthetic_inputs"]


@pytest.mark.slow
def test_discover_robustness_and_sensitivity_work_where_the_district_is_a_folder(tmp_path: Path) -> None:
    factors = (Factor("growth.level_shift_z"), Factor("budget.inertia"))
    study = model_study(design=Design("lhs", 32), end="2018-01", population_share=0.2, factors=factors)
    store = run_study(study, tmp_path / "store", workers=2)
    middle = float(store.runs()["prevalence"].median())
    asked = {
        "discover": ["--where", f"prevalence > {middle!r}"],
        "robustness": ["--output", "prevalence"],
        "sensitivity": ["--method", "delta"],
    }
    for command, words in asked.items():
        done = CliRunner().invoke(app, [command, str(store.path), *words, "--out", str(tmp_path / command)])
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize("distribution", ["", 'distribution = "choice"\n'])
def test_a_factor_without_values_is_one_clear_fault(tmp_path: Path, distribution: str) -> None:
    file = tmp_path / "study.toml"
    file.write_text(f'[design]\nmethod = "lhs"\ndraws = 4\n[factors."budget.inertia"]\n{distribution}values = []\n')
    for lang, told in (("en", "needs at least 1 entry, has 0"), ("id", "perlu paling sedikit 1 isi, ada 0")):
        done = CliRunner().invoke(app, ["study", "run", str(file), "--out", str(tmp_path / "out"), "--lang", lang])
        assert done.exit_code == 2 and f"factors.budget.inertia.values: {told}" in done.stderr
        assert "Traceback" not in done.output and not (tmp_path / "out").exists()
