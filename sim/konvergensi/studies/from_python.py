"""A study as Python asks for it: run, go on with, or lengthen, by one function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import read_bytes
from konvergensi.inputs.arguments import count, kind_of, public
from konvergensi.studies.execute import extend_study, resume_study, run_study
from konvergensi.studies.store import Store
from konvergensi.studies.study import Study
from konvergensi.studies.study_file import find_study, load_study

Progress = Callable[[int, int], None]


@public(study=kind_of("a_study", Study, Store), draws=count, seeds=count)
def study(
    study: Study | Store | str | Path,
    out: str | Path | None = None,
    *,
    draws: int | None = None,
    seeds: int | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    retry_failed: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Run a study, or go on with one, and return its store.

    Parameters: study, a Study, a study file or the name of a shipped one, to be run into the folder `out` (what is
    there already of the same study is kept); or a Store or its folder, to go on with what is left of it, without `out`;
    draws and seeds, of a store, how many there are to be in all; workers, processes at work (None: one for each core);
    cluster, the address of a Dask scheduler instead; retry_failed, whether runs that failed are made again; progress,
    called with runs done and planned. Raises InputError as `run_study`, without `out` for a study, and with `out`, or
    with nothing to add, for a store.
    """
    held = study.path if isinstance(study, Store) else None
    if isinstance(study, str) and Path(study).is_dir():
        held = Path(study)
    if held is not None:
        if out is not None:
            raise InputError(fault("", "--out", "out_of_store", value=str(out), store=held))
        if draws is None and seeds is None:
            return resume_study(held, workers=workers, cluster=cluster, progress=progress, retry_failed=retry_failed)
        return extend_study(held, draws=draws, seeds=seeds, workers=workers, cluster=cluster, progress=progress)
    asked = {"--draws": draws, "--seeds": seeds}
    faults = [fault("", name, "of_store_only", value=number) for name, number in asked.items() if number is not None]
    if out is None:
        faults.append(fault("", "--out", "missing", expected='out="..."', near=None))
    if faults or out is None:
        raise InputError(faults)
    text = None if isinstance(study, Study) else read_bytes(find_study(study))  # type: ignore[arg-type]
    planned = study if isinstance(study, Study) else load_study(study)  # type: ignore[arg-type]
    return run_study(
        planned, out, workers=workers, cluster=cluster, progress=progress, retry_failed=retry_failed, text=text
    )
