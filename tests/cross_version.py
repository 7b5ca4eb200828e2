"""The same small run in two Pythons, with whatever Mesa each has: python tests/cross_version.py OTHER_PYTHON

Prints both versions and exits 1 naming the tables and columns that differ. Text, counts and months must be equal; other
numbers may differ by rounding (RTOL), which a NumPy built for another CPU or version is allowed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

RTOL, ATOL = 1e-5, 1e-9
SOURCE = Path(__file__).resolve().parents[1] / "sim"
RUN = """
import sys, pathlib, platform
sys.path.insert(0, sys.argv[2])
import mesa, numpy
import konvergensi as kv
out = pathlib.Path(sys.argv[1])
run = kv.run("baseline", district="lebak", start="2018-01", end="2020-12", seed=3, population_share=0.02,
             trace_children=50)
for name, table in run.tables().items():
    table.to_parquet(out / f"{name}.parquet", index=False)
print(f"Python {platform.python_version()}, Mesa {mesa.__version__}, NumPy {numpy.__version__}")
"""


def run_in(python: str, out: Path) -> str:
    """Run with this interpreter, tables into `out`; the line that names its versions. Raises SystemExit."""
    out.mkdir()
    done = subprocess.run([python, "-c", RUN, str(out), str(SOURCE)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cross-version: the run failed in {python}:\n{done.stderr.strip()[-2000:]}")
    return done.stdout.strip().splitlines()[-1]


def differences(name: str, one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """What differs between two tables, one line each; an empty list when they agree."""
    if list(one.columns) != list(other.columns):
        return [f"{name}: columns {list(one.columns)} and {list(other.columns)}"]
    if len(one) != len(other):
        return [f"{name}: {len(one)} and {len(other)} rows"]
    found = []
    for column in one.columns:
        a, b = one[column], other[column]
        if pd.api.types.is_float_dtype(a) and pd.api.types.is_float_dtype(b):
            equal = np.isclose(a.to_numpy(), b.to_numpy(), rtol=RTOL, atol=ATOL, equal_nan=True)
        else:
            equal = ((a == b) | (a.isna() & b.isna())).to_numpy()
        if not equal.all():
            row = int(np.flatnonzero(~equal)[0])
            found.append(
                f"{name}.{column}: {np.count_nonzero(~equal)} of {len(one)} rows, "
                f"first at row {row}: {a.iloc[row]!r} and {b.iloc[row]!r}"
            )
    return found


def compare(one: Path, other: Path) -> list[str]:
    """Differences between two folders of tables."""
    names = [sorted(file.stem for file in folder.glob("*.parquet")) for folder in (one, other)]
    if names[0] != names[1] or not names[0]:
        return [f"tables {names[0]} and {names[1]}"]
    found = []
    for name in names[0]:
        found += differences(name, *(pd.read_parquet(folder / f"{name}.parquet") for folder in (one, other)))
    return found


def main(arguments: list[str]) -> int:
    """Compare this Python with the one named; 0 when they agree, 1 when they differ, 2 when it was called wrongly."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary) / "this", Path(temporary) / "other"]
        # the other one first: if it does not work, that is known at once
        for python, folder in zip((arguments[0], sys.executable), reversed(folders)):
            print(f"cross-version: {run_in(python, folder)}")
        found = compare(*folders)
        tables = len(list(folders[0].glob("*.parquet")))
    if found:
        print("cross-version: the two differ\n  " + "\n  ".join(found), file=sys.stderr)
        return 1
    print(f"cross-version: {tables} tables agree (numbers to {RTOL:g}, counts and text exactly)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
