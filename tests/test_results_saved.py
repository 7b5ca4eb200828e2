"""Results are data: what is saved is loaded again and says the same; a screen and a notebook show what it is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_results import NAMES, result

import konvergensi as kv
from konvergensi.base.errors import InputError
from konvergensi.base.version import __version__
from konvergensi.inputs.parameters import load_parameters
from konvergensi.observe.recorder import COLUMNS
from konvergensi.observe.units import IN_TABLE, ROW, UNITS, units_of
from konvergensi.report import present
from konvergensi.results.base import Result
from konvergensi.results.discovery import Discovery
from konvergensi.results.saving import KINDS, write_result

ROOT = Path(__file__).resolve().parents[1]


def test_there_is_a_small_result_of_every_kind() -> None:
    assert {result(name).kind for name in NAMES} == set(KINDS)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_saved_is_loaded_again_and_says_the_same(name: str, tmp_path: Path) -> None:
    saved = result(name)
    write_result(saved, tmp_path)
    loaded = kv.load(tmp_path)
    assert type(loaded) is type(saved) and loaded == saved
    for table, frame in saved.tables().items():
        pd.testing.assert_frame_equal(loaded.tables()[table], frame, check_dtype=False)
    assert loaded.figure_names() == saved.figure_names()
    if name != "validation":  # whose invented tables tell too little
        assert loaded.lines == saved.lines


@pytest.mark.parametrize("name", ["trial", "robustness", "discovery", "discovery by tree", "explanation"])
def test_saved_whole_with_page_and_figures_it_is_loaded_in_its_language(name: str, tmp_path: Path) -> None:
    saved = result(name)
    saved.save(tmp_path / "out", lang="id", command="konvergensi x")
    loaded = kv.load(tmp_path / "out")
    assert loaded == saved and loaded.lang == "id" and loaded.manifest["command"] == "konvergensi x"
    for figure in loaded.figure_names():
        assert loaded.plot(figure).axes


@pytest.mark.parametrize("form", [None, 1])
def test_a_result_of_the_same_version_that_calls_its_columns_otherwise_is_refused(
    form: int | None, tmp_path: Path
) -> None:
    write_result(result("comparison"), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    del manifest["format"]
    manifest |= {} if form is None else {"format": form}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(
        InputError, match=rf"{__version__} \(format 1\); this is {__version__} \(format 2\), which cannot read"
    ):
        kv.load(tmp_path)


def test_a_result_that_says_something_else_is_not_equal(tmp_path: Path) -> None:
    one = result("robustness")
    assert one != replace(one, manifest=one.manifest | {"threshold": 31.0})  # type: ignore[type-var]
    assert one != replace(one, values=one.values + 1.0)  # type: ignore[attr-defined, type-var]
    assert one != "robustness" and one != result("discovery")


def test_boxes_check_way_and_tree_of_a_discovery_come_back_as_they_were(tmp_path: Path) -> None:
    for name in ("discovery", "discovery by tree"):
        saved = result(name)
        assert isinstance(saved, Discovery) and saved.boxes
        folder = tmp_path / name
        folder.mkdir()
        write_result(saved, folder)
        loaded = kv.load(folder)
        assert loaded.boxes == saved.boxes and loaded.check == saved.check
        assert loaded.found == saved.found and loaded.root == saved.root
        assert loaded.together == saved.together and loaded.lookalikes() == saved.lookalikes()
        held = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["data"]
        assert "Infinity" not in json.dumps(held["boxes"])


def test_a_calibration_of_ones_own_study_is_loaded_with_that_study(tmp_path: Path) -> None:
    shipped = result("calibration")
    own = replace(shipped.study, path=tmp_path / "mine.toml")  # type: ignore[attr-defined]
    assert shipped.data() == {"study": shipped.study.id}  # type: ignore[attr-defined]
    assert replace(shipped, study=own).data() == {"study": str(tmp_path / "mine.toml")}  # type: ignore[type-var]


@pytest.mark.parametrize("what", ["nothing", "no result", "table gone", "no data"])
def test_a_folder_that_holds_no_whole_result_is_refused(what: str, tmp_path: Path) -> None:
    write_result(result("trial"), tmp_path)
    manifest = tmp_path / "manifest.json"
    if what == "nothing":
        manifest.unlink()
    elif what == "no result":
        manifest.write_text('{"kind": "tea"}', encoding="utf-8")
    elif what == "table gone":
        (tmp_path / "trial.parquet").unlink()
    else:
        held = json.loads(manifest.read_text(encoding="utf-8"))
        del held["data"]
        manifest.write_text(json.dumps(held), encoding="utf-8")
    with pytest.raises(InputError):
        kv.load(tmp_path)


# ---- screens and notebooks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_repr_of_a_result_fits_a_screen(name: str) -> None:
    text = repr(result(name))
    assert text.startswith(f"{type(result(name)).__name__}(")
    assert len(text.splitlines()) <= 12 and max(map(len, text.splitlines())) <= 100


def test_the_repr_of_many_scenarios_still_fits_a_screen() -> None:
    many = result("comparison")
    many = replace(many, manifest=many.manifest | {"policies": [f"policy-{i}" for i in range(400)]})  # type: ignore[type-var]
    assert len(repr(many)) < 1000


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", [each for each in NAMES if each != "validation"])
def test_a_notebook_shows_lines_and_tables_with_units(name: str) -> None:
    shown = result(name)._repr_html_()
    tags = _Tags(shown)
    assert not tags.open and tags.seen <= {"pre", "details", "summary", "table", "tr", "th", "td", "br", "small"}
    assert shown.count("<details>") == len(result(name).tables()) and "<small>" in shown
    assert len(shown) < 60_000


def test_a_notebook_in_indonesian_shows_units_in_indonesian_and_the_table_keeps_them() -> None:
    run = result("run")
    shown = {lang: present.html(run, lang) for lang in ("en", "id")}
    assert "<small>proporsi</small>" in shown["id"] and "<small>share</small>" not in shown["id"]
    assert "<small>share</small>" in shown["en"] and run.series.attrs["units"]["prevalence"] == "share"


def test_what_a_notebook_shows_is_escaped() -> None:
    run = kv.run(district=str(ROOT / "tests/districts/kecil"), end="2018-01")
    evil = "<script>alert(1)</script>&amp;"
    actions = run.actions.assign(responsible=evil).rename(columns={"score": evil})
    assert len(actions)
    shown = replace(run, actions=actions, manifest=run.manifest | {"synthetic_inputs": [evil]})._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown and "&amp;amp;" in shown


# ---- units -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_every_table_says_its_unit(name: str) -> None:
    free = {"y"} | set(load_parameters())
    for table, frame in result(name).tables().items():
        units = frame.attrs["units"]
        assert list(units) == [str(column) for column in frame.columns], table
        if name in ("calibration", "discovery", "discovery by tree"):
            free |= {str(column) for column in frame if ":" in str(column)} | {"stage"}
        unsaid = [c for c, unit in units.items() if unit == ROW and UNITS.get(c) != ROW and c not in free]
        assert not unsaid, f"{table}: say the unit of {unsaid} in observe/units.py"


def test_a_number_has_no_unit_of_text_and_text_none_of_numbers() -> None:
    for name in NAMES:
        for table, frame in result(name).tables().items():
            for column in frame:
                textual = frame.attrs["units"][str(column)] in ("name", "month, YYYY-MM")
                numeric = pd.api.types.is_numeric_dtype(frame[column]) and frame[column].notna().any()
                assert not (textual and numeric), f"{name}: {table}.{column}"


def test_units_are_kept_in_the_parquet_file(tmp_path: Path) -> None:
    write_result(result("run"), tmp_path)
    for name, columns in COLUMNS.items():
        units = pd.read_parquet(tmp_path / f"{name}.parquet").attrs["units"]
        assert list(units) == columns
    assert pd.read_parquet(tmp_path / "money.parquet").attrs["units"]["spent_rp"] == "Rp"
    assert pd.read_parquet(tmp_path / "series.parquet").attrs["units"]["prevalence"] == "share"


def test_no_unit_is_written_for_a_table_or_column_that_is_not_there() -> None:
    there: dict[str, set[str]] = {}
    for name in NAMES:
        for table, frame in result(name).tables().items():
            there.setdefault(f"{result(name).kind}/{table}", set()).update(map(str, frame))
    told = {each: set(columns) for each, columns in IN_TABLE.items() if each in there}
    assert all(columns <= there[each] for each, columns in told.items())
    # tables that the invented validation leaves out
    assert {each for each in IN_TABLE if each not in there} <= {"validation/fall", "validation/truths"}


@pytest.mark.parametrize("file", ["README.md", "README.id.md"])
def test_the_readme_says_the_unit_of_every_column_of_a_run(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)\.parquet` \| ([^|]*) \|", text, flags=re.MULTILINE))
    for table, columns in COLUMNS.items():
        assert rows[table].split(", ") == columns
        units = set(units_of("run", table, columns).values()) - {"name"}
        assert all(f"`{unit}`" in text.replace("\n", " ") for unit in units), units


def test_equality_sees_nan_as_nan() -> None:
    one: Result = result("trial")
    assert replace(one, manifest=one.manifest | {"x": np.nan}) == replace(one, manifest=one.manifest | {"x": np.nan})  # type: ignore[type-var]
