"""Jobs: an analysis in a process of its own, kept in a folder, so that it survives the page, the server and a kill.

A job's folder holds what was asked (job.json), finished runs (rows/, as `konvergensi` keeps them), how far it is
(progress.json), and at the end the result as a command writes it (result/). Its state is read off these, never kept
elsewhere. One job runs at a time; the others wait, also over a restart.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from konvergensi.app.desk import OWN
from konvergensi.base.errors import InputError, fault
from konvergensi.report.paper import LIBRARY
from konvergensi.studies.lock import holder
from konvergensi.studies.shards import write_whole

if TYPE_CHECKING:
    from konvergensi.app.desk import Desk

JOB, PROGRESS, FAILED, STOP, RESULT, ROWS = "job.json", "progress.json", "failed.json", "stop", "result", "rows"
State = Literal["waiting", "running", "stopping", "stopped", "failed", "done"]
PAPERS = {
    "compare": ("pdf", "pptx", "xlsx"),
    "gaps": ("pdf", "xlsx"),
    "explain": ("pdf", "xlsx"),
    "allocate": ("pdf", "xlsx"),
}
NAMED = {"explain": {"since": "from", "until": "to"}, "allocate": {"since": "from"}}  # options called otherwise there
MOST = 20  # jobs that are not done; more are refused
EVERY = 0.5  # seconds between two looks at what waits


@dataclass(frozen=True)
class Job:
    """One job. options: as the function of its kind takes them, with the page's names of district and policies."""

    folder: Path
    kind: str
    options: dict[str, Any]
    lang: str
    created: float

    @property
    def id(self) -> str:
        return self.folder.name

    @classmethod
    def open(cls, desk: Desk, name: str) -> Job:
        """A job by its id. Raises InputError when there is none."""
        folder = desk.folder / "jobs" / name
        if not name.isalnum() or not (folder / JOB).is_file():
            raise InputError(fault("", "job", "no_job", value=name[:40]))
        said = json.loads((folder / JOB).read_bytes())
        return cls(folder, said["kind"], said["options"], said["lang"], said["created"])

    @property
    def state(self) -> State:
        """Where it is, read off its folder."""
        stop = (self.folder / STOP).exists()
        if (self.folder / RESULT / "manifest.json").is_file():
            return "done"
        if holder(self.folder):
            return "stopping" if stop else "running"
        if (self.folder / FAILED).is_file():
            return "failed"
        return "stopped" if stop else "waiting"

    @property
    def progress(self) -> tuple[int, int]:
        """Runs done and in all; 0, 0 before the first."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            said = json.loads((self.folder / PROGRESS).read_bytes())
            return int(said["done"]), int(said["total"])
        return 0, 0

    @property
    def faults(self) -> list[str]:
        """What stopped it, a line each."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            return [str(line) for line in json.loads((self.folder / FAILED).read_bytes())[self.lang]]
        return []

    @property
    def own_policies(self) -> list[str]:
        """Names of the policies made here that it is about."""
        asked = [*self.options.get("scenarios", ()), self.options.get("policy", "")]
        return [name for name in asked if name.startswith(OWN)]

    def stop(self) -> None:
        """Ask it to end after the run it is at; what is finished is kept."""
        (self.folder / STOP).touch()

    def resume(self) -> None:
        """Let it go on with what is left."""
        for name in (STOP, FAILED):
            with contextlib.suppress(FileNotFoundError):
                (self.folder / name).unlink()

    def command(self, desk: Desk) -> str:
        """What one types to get the same; files are named as they are downloaded."""
        options = dict(self.options)
        words = ["konvergensi", self.kind]
        words += [_file_of(each) for each in options.pop("scenarios", ())]
        words += [_file_of(options.pop("district"))] if self.kind == "allocate" else []
        named = NAMED.get(self.kind, {})
        for name, value in options.items():
            option = named.get(name, name).replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{option}" if value else f"--no-{option}")
            else:
                words += [f"--{option}", _file_of(str(value))]
        return shlex.join([*words, *(f"--{each}" for each in papers(self.kind)), "--lang", self.lang])


def papers(kind: str) -> list[str]:
    """What is written beside the result's own files, as far as the libraries for it are installed."""
    missing = {name for name, (module, _) in LIBRARY.items() if find_spec(module) is None}
    return [name for name in PAPERS.get(kind, ()) if name not in missing]


def _file_of(name: str) -> str:
    """An own policy or district as the file or folder it is downloaded as."""
    own = name.removeprefix(OWN)
    if own == name:
        return name
    return f"policy-{own}.toml" if len(own) == 16 and all(c in "0123456789abcdef" for c in own) else own


def add(desk: Desk, kind: str, options: Mapping[str, Any], lang: str) -> Job:
    """Put a job in line. Raises InputError when too many wait."""
    if sum(job.state not in ("done", "failed", "stopped") for job in every(desk)) >= MOST:
        raise InputError(fault("", "job", "many_jobs", most=MOST))
    folder = desk.folder / "jobs" / secrets.token_hex(8)
    folder.mkdir()
    said = {"kind": kind, "options": dict(options), "lang": lang, "created": time.time()}
    write_whole(folder / JOB, json.dumps(said, indent=1).encode())
    return Job.open(desk, folder.name)


def every(desk: Desk) -> list[Job]:
    """All jobs, the newest first."""
    found = [Job.open(desk, each.name) for each in (desk.folder / "jobs").iterdir() if (each / JOB).is_file()]
    return sorted(found, key=lambda job: -job.created)


class Runner:
    """Starts what waits, one job at a time, in processes that outlive the server."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._end = threading.Event()
        self._begun: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to look for waiting jobs."""
        self._thread.start()

    def close(self) -> None:
        """Look no more; what runs goes on."""
        self._end.set()
        self._thread.join(timeout=5)

    def _watch(self) -> None:
        while not self._end.wait(EVERY):
            with contextlib.suppress(OSError, ValueError):
                self.look()

    def look(self) -> None:
        """Start the oldest waiting job if none runs; a job whose process ended without a word has failed."""
        jobs = every(self.desk)
        for name, (process, tries) in list(self._begun.items()):
            if process.poll() is None:
                return  # under way, though it may not hold its folder yet
            del self._begun[name]
            job = Job.open(self.desk, name)
            if job.state == "waiting" and tries >= 2:
                write_whole(job.folder / FAILED, json.dumps(_died()).encode())
            elif job.state == "waiting":
                self._begin(job, tries + 1)
                return
        if any(job.state in ("running", "stopping") for job in jobs):
            return
        if waiting := [job for job in jobs if job.state == "waiting"]:
            self._begin(waiting[-1], 1)

    def _begin(self, job: Job, tries: int) -> None:
        with (job.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "konvergensi.app.work",
                    str(job.folder.absolute()),
                    str(self.desk.folder.absolute()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
            )
        self._begun[job.id] = (process, tries)


def _died() -> dict[str, list[str]]:
    error = InputError(fault("", "job", "job_died"))
    return {lang: error.lines(lang) for lang in ("en", "id")}
