"""Runs the notebooks and keeps what they show: python scripts/run_notebooks.py

Outputs are kept so that a notebook can be read where nothing runs it. What depends on the machine or the moment is left
out: the same code gives the same file. Half a minute.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
LANGUAGE = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
LONGEST_CELL_S = 300


def run(path: Path, folder: Path) -> NotebookNode:
    """The notebook as it is after running in `folder`, with this Python and the package of this checkout.

    Raises nbclient.exceptions.CellExecutionError with the cell and its traceback.
    """
    notebook = nbformat.read(path, as_version=4)
    search = [str(ROOT / "sim"), *filter(None, [os.environ.get("PYTHONPATH")])]
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(search), "IPYTHONDIR": str(folder / "ipython")}
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, kernel_name="python3", timeout=LONGEST_CELL_S, resources=resources)
    client.execute(env=surroundings)
    return clean(notebook)


def clean(notebook: NotebookNode) -> NotebookNode:
    """The notebook without times, versions and what a client remembers (in place, and returned)."""
    notebook.metadata = nbformat.from_dict(LANGUAGE)
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = nbformat.from_dict({})
    return notebook


def main() -> None:
    """Run every notebook in an empty folder and write it back with its outputs; exercises are the reader's to run."""
    for path in sorted(set(NOTEBOOKS.glob("*.ipynb")) - set(NOTEBOOKS.glob("exercises_*.ipynb"))):
        with tempfile.TemporaryDirectory() as folder:
            notebook = run(path, Path(folder))
        nbformat.write(notebook, path)
        sys.stdout.write(f"{path.relative_to(ROOT)}: {len(notebook.cells)} cells\n")


if __name__ == "__main__":
    main()
