"""A study in the EMA Workbench's results format, so that researchers may use its tools on our runs.

What `ema_workbench.load_results` reads (version 2.5): a tar.gz with `experiments.csv`, a row for each experiment;
`metadata.json` with the column types and, for each outcome, class, name and file; and a file for each outcome. Ours:

- an experiment is a run that ended well. Its columns are the factors, `seed`, and the workbench's own three: `scenario`
  (the draw), `policy` (what we call scenario) and `model` (the district). Seed and draw are words (`seed 1`,
  `draw 12`): they are names, not amounts, and PRIM is to look for no range of them.
- scalars are `ScalarOutcome`; what is known in every month is a `TimeSeriesOutcome` named `<measure>_by_month`, with
  `TIME` in years for the workbench's plots.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from konvergensi.base.errors import InputError, fault
from konvergensi.base.folders import drafted_file

if TYPE_CHECKING:
    from konvergensi.studies.store import Store

VERSION = 0.1  # of the format, as the workbench writes it
SCALAR, SERIES = "ScalarOutcome", "TimeSeriesOutcome"


def write_ema(store: Store, path: str | Path) -> int:
    """Write the runs of a store that ended well as `path`, whole or not at all; return how many there are.

    The same store gives the same bytes. Raises InputError when there is no such run or `path` is there already, OSError
    when it cannot be written.
    """
    runs = store.runs()
    runs = runs[runs["status"] == "ok"].reset_index(drop=True)
    if runs.empty:
        raise InputError(fault(store.path, "", "no_runs"))
    with (
        drafted_file(Path(path)) as draft,
        open(draft, "wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,  # no name, no time: the same bytes again
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        _fill(archive, store, runs)
    return len(runs)


def _fill(archive: tarfile.TarFile, store: Store, runs: pd.DataFrame) -> None:
    experiments = _experiments(store, runs)
    _add(archive, "experiments.csv", experiments.to_csv(index=False))
    outcomes = []
    for name in store.scalars:
        file = f"{name}.cls"  # the workbench's own ending for these
        outcomes.append((SCALAR, name, file))
        _add(archive, file, runs[[name]].to_csv(header=False, index=False))
    for name, table in _by_month(store, runs).items():
        outcomes.append((SERIES, name, f"{name}.csv"))
        _add(archive, f"{name}.csv", table.to_csv(index=False))
    types = {name: column.name for name, column in experiments.dtypes.items()}
    metadata = {"version": VERSION, "outcomes": outcomes, "experiments": types}
    _add(archive, "metadata.json", json.dumps(metadata))


def _experiments(store: Store, runs: pd.DataFrame) -> pd.DataFrame:
    """Factors and keys; text and true or false are categories, as the workbench's own are."""
    table = runs[store.factors].assign(
        seed=[f"seed {seed}" for seed in runs["seed"]],
        scenario=[f"draw {draw}" for draw in runs["draw"]],
        policy=runs["policy"],
        model=runs["district"],
    )
    nominal = [name for name in table if not pd.api.types.is_numeric_dtype(table[name]) or table[name].dtype == bool]
    return table.astype(dict.fromkeys(nominal, "category"))


def _by_month(store: Store, runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """A table for each measure with a value in every month of every run, (runs, months), and TIME; {} for none."""
    series = store.series()
    series = series[series["run_id"].isin(runs["run_id"])]
    months = sorted(series["month"].unique())
    found = {}
    for measure, of in series.groupby("measure", sort=True):
        wide = of.pivot(index="run_id", columns="month", values="value").reindex(runs["run_id"])
        if len(months) > 1 and list(wide.columns) == months:
            found[f"{measure}_by_month"] = wide
    if found:
        years = [int(month[:4]) + (int(month[5:7]) - 1) / 12 for month in months]
        time = pd.DataFrame([years] * len(runs), columns=months)
        found = {"TIME": time} | found
    return found


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
