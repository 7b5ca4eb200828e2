"""The process of one job: `python -m konvergensi.app.work JOB DESK`. What it does, a command would do alike."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

from konvergensi.app import jobs
from konvergensi.app.desk import Desk
from konvergensi.base.errors import InputError
from konvergensi.studies.lock import locked
from konvergensi.studies.shards import write_whole

KINDS = ("compare", "gaps", "explain", "allocate")  # functions of the package, as far as it has them


class Stopped(Exception):
    """Somebody asked the job to end."""


def kinds() -> tuple[str, ...]:
    """The kinds there are in this version."""
    import konvergensi

    return tuple(name for name in KINDS if name in konvergensi.__all__)


def main(job_folder: str, desk_folder: str) -> int:
    """Do the job; returns the exit code. Faults are written beside it in both languages."""
    desk = Desk(Path(desk_folder))
    job = jobs.Job.open(desk, Path(job_folder).name)
    with contextlib.ExitStack() as held:
        if not _hold(job, held):
            return 3  # another process does it
        if job.state == "done":
            return 0
        try:
            result = run(desk, job)
            also = jobs.papers(job.kind)
            result.save(job.folder / jobs.RESULT, lang=job.lang, command=job.command(desk), also=also)
        except Stopped:
            return 130
        except InputError as error:
            _failed(job, {lang: desk.told(error, lang) for lang in ("en", "id")})
            return 2
    return 0


def _hold(job: jobs.Job, held: contextlib.ExitStack) -> bool:
    """Hold the job's folder; tried for a while, since who looks whether it is held holds it for a moment."""
    for _ in range(30):
        try:
            held.enter_context(locked(job.folder))
            return True
        except InputError:
            time.sleep(0.1)
    return False


def run(desk: Desk, job: jobs.Job) -> Any:
    """What the function of the job's kind answers. Raises InputError, and Stopped when somebody asked for it."""
    import konvergensi

    began, last = time.monotonic(), 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        if (job.folder / jobs.STOP).exists():
            raise Stopped
        if done == total or time.monotonic() - last > 0.3:
            last = time.monotonic()
            said = {"done": done, "total": total, "seconds": round(last - began, 1)}
            write_whole(job.folder / jobs.PROGRESS, json.dumps(said).encode())

    options = arguments(desk, job)
    if job.kind != "compare":  # whose words are in both languages
        options["lang"] = job.lang
    workers = max(1, (os.cpu_count() or 2) - 1)  # a core is left to the page
    return getattr(konvergensi, job.kind)(**options, workers=workers, keep=job.folder / jobs.ROWS, progress=tell)


def arguments(desk: Desk, job: jobs.Job) -> dict[str, Any]:
    """The options with names turned into what the function reads. Raises InputError for a name nobody knows."""
    options = dict(job.options)
    options["district"] = desk.source_of(options["district"])
    if "scenarios" in options:
        options["scenarios"] = [desk.scenario(name) for name in options["scenarios"]]
    if "policy" in options:
        options["policy"] = desk.scenario(options["policy"])
    return options


def _failed(job: jobs.Job, lines: dict[str, list[str]]) -> None:
    write_whole(job.folder / jobs.FAILED, json.dumps(lines).encode())


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    raise SystemExit(main(sys.argv[1], sys.argv[2]))
