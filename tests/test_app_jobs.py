"""Jobs of the pages: the command's own answer, in a process that outlives page and server, stopped, killed, resumed."""

from __future__ import annotations

import io
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pages_client import client

import konvergensi as kv
from konvergensi.app import jobs, levers
from konvergensi.app.desk import Desk
from konvergensi.base.errors import InputError
from konvergensi.results.base import Result
from konvergensi.studies.lock import holder

SMALL = {
    "district": "kota-banjar",
    "draws": 0,
    "seeds": 1,
    "population_share": 0.02,
    "start": "2018-01",
    "end": "2018-03",
}
LONG = SMALL | {"seeds": 40, "end": "2018-12"}


def wait(until: Callable[[], bool], seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


def compared(desk: Desk, **options: object) -> jobs.Job:
    name = desk.keep_policy(levers.policy_text({"registers.linkage": True}, "2018-02"))
    return jobs.add(desk, "compare", {"scenarios": ["baseline", name], **SMALL, **options}, "en")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def run_to_the_end(desk: Desk, job: jobs.Job) -> None:
    runner = jobs.Runner(desk)
    runner.start()
    try:
        wait(lambda: job.state in ("done", "failed"))
    finally:
        runner.close()


def same_tables(one: Result, other: Result) -> None:
    for name, table in one.saved_tables().items():
        assert table.reset_index(drop=True).equals(other.saved_tables()[name].reset_index(drop=True)), name


@pytest.mark.slow
def test_a_job_answers_what_the_function_behind_the_command_answers(desk: Desk) -> None:
    job = compared(desk)
    run_to_the_end(desk, job)
    assert job.state == "done", job.faults
    direct = kv.compare([desk.scenario(each) for each in job.options["scenarios"]], **SMALL, workers=1)
    found = kv.load(job.folder / jobs.RESULT)
    same_tables(direct, found)
    assert direct.lines == found.lines
    page = client(desk.folder).get(f"/en/jobs/{job.id}")
    assert direct.lines[0] in page.text.replace("&#34;", '"').replace("&#39;", "'")
    packed = zipfile.ZipFile(io.BytesIO(client(desk.folder).get(f"/en/jobs/{job.id}/all.zip").content))
    policy = job.options["scenarios"][1].removeprefix("own:")
    assert {
        "report.html",
        "comparison.parquet",
        "command.txt",
        "decision.pdf",
        "slides.pptx",
        "tables.xlsx",
        f"policy-{policy}.toml",
    } <= set(packed.namelist())
    assert (
        packed.read("command.txt").decode().startswith(f"konvergensi compare baseline policy-{policy}.toml --district")
    )
    for name in ("decision.md", "report.html"):
        assert str(desk.folder) not in packed.read(name).decode()


@pytest.mark.slow
def test_a_job_whose_process_is_killed_goes_on_with_what_was_finished(desk: Desk) -> None:
    job = compared(desk, **LONG)
    runner = jobs.Runner(desk)
    runner.start()
    wait(lambda: job.progress[0] >= 10)
    runner.close()  # the server is gone; the job goes on
    before = job.progress[0]
    wait(lambda: job.progress[0] > before)
    os.kill(int(holder(job.folder).split()[1]), signal.SIGKILL)
    wait(lambda: not holder(job.folder))
    assert job.state == "waiting"
    kept = len(list((job.folder / jobs.ROWS).glob("rows/*")))
    again = jobs.Runner(desk)
    again.start()
    wait(lambda: job.state == "running")
    job.stop()
    wait(lambda: job.state == "stopped")
    again.close()
    assert len(list((job.folder / jobs.ROWS).glob("rows/*"))) >= kept
    said = json.loads((job.folder / jobs.PROGRESS).read_bytes())
    assert said["done"] > 0


@pytest.mark.slow
def test_a_stopped_job_keeps_its_runs_and_goes_on_when_asked(desk: Desk) -> None:
    options = SMALL | {"seeds": 2, "end": "2018-12", "ranges": False}
    job = jobs.add(desk, "gaps", options, "en")  # draws few figures; a comparison takes ten seconds for all of its own
    runner = jobs.Runner(desk)
    runner.start()
    wait(lambda: job.progress[0] >= 1)
    job.stop()
    wait(lambda: job.state in ("stopped", "done"))
    assert job.state == "stopped"
    job.resume()
    wait(lambda: job.state == "done")
    runner.close()
    same_tables(kv.gaps(**options, workers=1), kv.load(job.folder / jobs.RESULT))


@pytest.mark.slow
def test_a_job_that_cannot_be_done_says_why_and_not_where(desk: Desk) -> None:
    job = jobs.add(desk, "compare", {"scenarios": ["baseline", "own:0000000000000000"], **SMALL}, "id")
    run_to_the_end(desk, job)
    assert job.state == "failed"
    assert job.faults and str(desk.folder) not in "".join(job.faults)


def test_a_job_waits_until_something_runs_it_and_can_be_stopped_before(desk: Desk) -> None:
    job = compared(desk)
    assert job.state == "waiting"
    job.stop()
    assert job.state == "stopped"
    job.resume()
    assert job.state == "waiting"
    assert [each.id for each in jobs.every(desk)] == [job.id]


def test_no_more_jobs_wait_than_a_laptop_can_do(desk: Desk) -> None:
    for _ in range(jobs.MOST):
        compared(desk)
    with pytest.raises(InputError, match="waiting"):
        compared(desk)


def test_the_command_names_every_option(desk: Desk) -> None:
    command = compared(desk).command(desk)
    for words in (
        "--district kota-banjar",
        "--draws 0",
        "--seeds 1",
        "--population-share 0.02",
        "--start 2018-01",
        "--lang en",
    ):
        assert words in command
    explain = jobs.add(desk, "explain", {"district": "lebak", "since": "2018-01", "until": "2021-12"}, "id")
    papers = "".join(f"--{each} " for each in jobs.papers("explain"))
    assert (
        explain.command(desk) == f"konvergensi explain --district lebak --from 2018-01 --to 2021-12 {papers}--lang id"
    )
    gaps = jobs.add(desk, "gaps", {"district": "lebak", "ranges": False}, "id")
    papers = "".join(f"--{each} " for each in jobs.papers("gaps"))
    assert gaps.command(desk) == f"konvergensi gaps --district lebak --no-ranges {papers}--lang id"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "rm"}, "not one of"),
        ({"policies": []}, "one to five"),
        ({"policies": ["../../etc/passwd"]}, "neither a name"),
        ({"policies": ["own:../../x"]}, "neither a name"),
        ({"district": "own:../x"}, "no such file"),
        ({"draws": "5000"}, "outside"),
        ({"draws": "many"}, "not a number"),
        ({"population_share": "-2"}, "outside"),
        ({"end": "2017-01"}, "before"),
        ({"start": "x"}, "not a month"),
    ],
)
def test_a_job_asked_for_with_a_wrong_value_is_refused_and_none_begins(
    tmp_path: Path, wrong: dict[str, object], said: str
) -> None:
    form = {"kind": "compare", "policies": ["one-list"], **{key: str(value) for key, value in SMALL.items()}} | wrong
    answer = client(tmp_path).post("/en/jobs/new", data=form)
    assert answer.status_code == 400 and said in answer.text, answer.text
    assert not jobs.every(Desk(tmp_path))


def test_only_files_of_a_result_can_be_taken(tmp_path: Path) -> None:
    browser, desk = client(tmp_path), Desk(tmp_path)
    job = compared(desk)
    (job.folder / jobs.RESULT).mkdir()
    (job.folder / jobs.RESULT / "manifest.json").write_text("{}")
    (job.folder / jobs.RESULT / "link").symlink_to("/etc/passwd")
    assert browser.get(f"/en/jobs/{job.id}/files/manifest.json").status_code == 200
    for name in ("../job.json", "..%2Fjob.json", "link", "%2Fetc%2Fpasswd", "nothing"):
        assert browser.get(f"/en/jobs/{job.id}/files/{name}").status_code == 404, name
    assert browser.get("/en/jobs/..%2F..").status_code in (400, 404)
    assert browser.get("/en/policies/..%2Fx.toml").status_code in (400, 404)


def test_the_page_shows_a_job_in_both_languages_and_asks_again_while_it_waits(tmp_path: Path) -> None:
    browser, job = client(tmp_path), compared(Desk(tmp_path))
    for lang in ("en", "id"):
        page = browser.get(f"/{lang}/jobs/{job.id}").text
        assert f'data-poll="/{lang}/jobs/{job.id}/state"' in page
        assert browser.get(f"/{lang}/jobs").text.count(job.id) == 1
    part = browser.get(f"/en/jobs/{job.id}/state").text
    assert page.count('id="command"') == 1 and 'id="command"' not in part  # what is asked again adds nothing twice
    browser.post(f"/en/jobs/{job.id}/do", data={"do": "stop"})
    assert job.state == "stopped"
    assert "data-poll" not in browser.get(f"/en/jobs/{job.id}/state").text
