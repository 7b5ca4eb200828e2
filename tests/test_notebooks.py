"""Notebooks run from top to bottom in an empty folder, and what they show in the repository belongs to no machine."""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXERCISES = [each for each in NOTEBOOKS if each.stem.startswith("exercises_")]
LARGEST = 400_000  # bytes: what a reader on a slow line still opens
# a path from the root of a disk, in text or in a traceback; addresses of web pages and options like and/or are none
MACHINE = re.compile(r"(?<![\w.:/<])/(?:home|root|tmp|usr|opt|var|work|mnt|Users|private)/|\b[A-Z]:\\\\?\w|~/")


def _load(name: str) -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "scripts"))


run_notebooks = _load("run_notebooks")


def faults(notebook: NotebookNode) -> list[str]:
    """What no notebook should show: errors, warnings, paths of a machine; text of pictures is not looked into."""
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        texts = [cell.source]
        for output in cell.get("outputs", []):
            if output.output_type == "error" or output.get("name") == "stderr":
                found.append(f"cell {number}: {output.get('ename', 'stderr')}")
            data = {"text/plain": output.get("text", "")} | dict(output.get("data", {}))
            texts += [text for kind, text in data.items() if kind.startswith("text/")]
        found += [f"cell {number}: {match.group()}" for text in texts for match in MACHINE.finditer(text)]
    return found


@pytest.fixture
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in; what a kernel writes down while it runs stays beside it."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom_in_an_empty_folder(path: Path, apart: Path) -> None:
    notebook = run_notebooks.run(path, apart)
    assert faults(notebook) == []
    left = {each.name for each in apart.iterdir()} - {"ipython"}
    assert left <= {"rains.py"}  # the file that a reader is shown how to write


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_exercises_have_solutions_that_a_reader_runs_and_show_nothing_before(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    asked = [cell for cell in notebook.cells if cell.source.startswith("## ")]
    solved = [cell for cell in notebook.cells if cell.source.startswith("**Solution")]
    assert len(asked) == len(solved) >= 4
    assert notebook.metadata == run_notebooks.LANGUAGE


@pytest.mark.parametrize("path", [each for each in NOTEBOOKS if each not in EXERCISES], ids=lambda path: path.stem)
def test_what_it_shows_was_made_by_one_run_and_names_no_machine(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert faults(notebook) == []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert sum("image/png" in output.get("data", {}) for cell in code for output in cell.outputs) >= 3
    assert notebook.metadata == run_notebooks.LANGUAGE
    assert not any(cell.metadata for cell in notebook.cells)


@pytest.mark.slow
def test_a_cell_that_fails_is_no_success(tmp_path: Path, apart: Path) -> None:
    broken = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    nbformat.write(broken, tmp_path / "broken.ipynb")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run_notebooks.run(tmp_path / "broken.ipynb", apart)


def test_errors_warnings_and_paths_are_found() -> None:
    cell = nbformat.v4.new_code_cell(
        "open('/home/somebody/x')",
        outputs=[
            nbformat.v4.new_output("stream", name="stderr", text="a warning"),
            nbformat.v4.new_output("error", ename="KeyError", evalue="x", traceback=[]),
            nbformat.v4.new_output("display_data", data={"text/html": "<p>C:\\data</p>", "image/png": "/tmp/"}),
        ],
    )
    fine = nbformat.v4.new_markdown_cell("[Mesa](https://mesa.example/home/index.html), [ODD](../docs/odd.md), and/or")
    found = faults(nbformat.v4.new_notebook(cells=[fine, cell]))
    assert len(found) == 4 and all(fault.startswith("cell 2") for fault in found)


def test_what_a_client_remembers_is_left_out() -> None:
    cell = nbformat.v4.new_code_cell("1", metadata={"execution": {"iopub.execute_input": "2024-01-01T00:00:00Z"}})
    cleaned = run_notebooks.clean(
        nbformat.v4.new_notebook(cells=[cell], metadata={"language_info": {"name": "python", "version": "3"}})
    )
    assert cleaned.cells[0].metadata == {} and "version" not in cleaned.metadata.language_info
