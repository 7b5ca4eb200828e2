"""A job of the pages and the command that its page shows: the same numbers, the same page, in both directions."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from pages_client import client
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.app import asked, jobs, levers, sheets, work
from konvergensi.app.desk import Desk
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app

PLACE = {"district": "kota-banjar", "population_share": "0.01"}
# forms as small as the question allows
FORMS = {
    "compare": PLACE | {"draws": "0", "seeds": "2", "end": "2018-03"},
    "gaps": PLACE | {"draws": "0", "seeds": "2", "end": "2018-12"},
    "explain": PLACE | {"seeds": "1", "until": "2018-03", "agencies": "1"},
    "allocate": PLACE | {"money": "more", "billion": "2,5", "since": "2018-06", "until": "2018-12", "at": "2019-01",
                         "objective": "protected", "caution": "worst-decile", "draws": "2", "seeds": "1"},
}  # fmt: skip
PAGES = {"gaps": "gaps.md", "explain": "explain.md", "allocate": "allocation.md", "compare": "decision.md"}


def put(folder: Path, kind: str, lang: str = "id", **form: object) -> jobs.Job:
    """A job as the page puts it in line, with a policy made on the page "Try"."""
    desk = Desk(folder)
    policy = desk.keep_policy(levers.policy_text({"registers.linkage": True}, "2018-02"))
    answer = client(folder).post(
        f"/{lang}/jobs/new", data={"kind": kind, "policies": [policy], "policy": policy, **FORMS[kind], **form}
    )
    assert answer.status_code == 200, answer.text
    (job,) = jobs.every(desk)
    return job


@pytest.mark.slow
@pytest.mark.usefixtures("few_figures")
@pytest.mark.parametrize("kind", FORMS)
def test_a_job_finds_what_the_command_that_its_page_shows_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    desk = Desk(tmp_path / "desk")
    job = put(desk.folder, kind)
    assert work.main(str(job.folder), str(desk.folder)) == 0, job.faults
    for name in job.own_policies:  # as they are downloaded
        shutil.copy(desk.policy_path(name), tmp_path)
    monkeypatch.chdir(tmp_path)
    words = shlex.split(job.command(desk))
    said = CliRunner().invoke(app, [*words[1:], "--workers", "1", "--out", "again"], env={"COLUMNS": "200"})
    assert said.exit_code == 0, said.output
    here, there = kv.load(job.folder / jobs.RESULT), kv.load("again")
    mine, theirs = here.saved_tables(), there.saved_tables()
    assert mine.keys() == theirs.keys() and mine
    for name, table in mine.items():
        assert table.reset_index(drop=True).equals(theirs[name].reset_index(drop=True)), name
    assert here.lines == there.lines
    folders = (job.folder / jobs.RESULT, Path("again"))
    mine_page, their_page = ((each / PAGES[kind]).read_text(encoding="utf-8") for each in folders)
    assert without_command(mine_page) == without_command(their_page) != ""
    written, again = (sorted(each.name for each in folder.iterdir() if each.is_file()) for folder in folders)
    assert written == again  # PDF, slides and workbook too
    shown = client(desk.folder).get(f"/id/jobs/{job.id}").text
    for paper in ("pdf", *(["pptx"] if kind == "compare" else []), "xlsx"):
        assert f".{paper}" in shown
    if kind != "compare":
        assert sheets.page_of(here, "id", job.folder / jobs.RESULT, job.lang) in shown
        there, made = (sheets.page_of(here, "en", job.folder / jobs.RESULT, each) for each in (job.lang, "en"))
        assert there is not None and there != made  # in the other language it is made anew from the same result


def without_command(page: str) -> str:
    """A page without the line that names the command it was written by."""
    made = ("Made by:", "Dibuat dengan:")
    return "\n".join(line.rstrip() for line in page.splitlines() if not line.startswith(made)).rstrip()


def test_what_to_buy_is_asked_in_billions_and_shown_as_the_command_in_rupiah(tmp_path: Path) -> None:
    job = put(tmp_path, "allocate", draws="4", since="2026-01", until="2026-12", at="")
    desk = Desk(tmp_path)
    own = job.own_policies[0].removeprefix("own:")
    assert job.options["more"] == 2_500_000_000 and "less" not in job.options and "at" not in job.options
    command = job.command(desk)
    assert command.startswith("konvergensi allocate kota-banjar --more 2500000000 ")
    for words in (
        f"--policy policy-{own}.toml", "--from 2026-01", "--until 2026-12", "--objective protected",
        "--caution worst-decile", "--draws 4", "--population-share 0.01", "--start 2018-01", "--lang id",
    ):  # fmt: skip
        assert f"{words} " in f"{command} ", words


@pytest.mark.parametrize(("money", "key"), [("less", "less"), ("same", None)])
def test_less_money_and_the_same_money_can_be_asked_for(tmp_path: Path, money: str, key: str | None) -> None:
    options = put(tmp_path, "allocate", money=money).options
    assert [name for name in ("more", "less") if name in options] == ([key] if key else [])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"billion": "x"}, "not a number"),
        ({"billion": "-3"}, "outside"),
        ({"billion": ""}, "not a number"),
        ({"money": "none"}, "not one of"),
        ({"objective": "caess"}, "cases"),
        ({"caution": "brave"}, "caution"),
        ({"until": "2018-11"}, "2018-12"),
        ({"at": "2018-01"}, "before"),
        ({"draws": "1"}, "outside"),
        ({"policy": "../../etc/passwd"}, "neither a name"),
    ],
)
def test_what_to_buy_is_not_begun_with_a_wrong_value(tmp_path: Path, wrong: dict[str, str], said: str) -> None:
    form = {"kind": "allocate", "policy": "baseline", **FORMS["allocate"], **wrong}
    answer = client(tmp_path).post("/en/jobs/new", data=form)
    assert answer.status_code == 400 and said in answer.text, answer.text
    assert not jobs.every(Desk(tmp_path))


def test_every_kind_has_a_form_with_the_options_of_its_command_and_words_for_each(tmp_path: Path) -> None:
    for lang in ("en", "id"):
        page = client(tmp_path).get(f"/{lang}/jobs").text
        for kind, sizes in asked.SIZES.items():
            form = page[page.index(f'name="kind" value="{kind}"') :].partition("</form>")[0]
            assert all(f'name="{name}"' in form for name in sizes), kind


def test_a_number_may_have_a_comma_as_in_indonesian_and_must_be_finite() -> None:
    assert asked._number("x", "0,25", float) == 0.25
    for text in ("nan", "inf", "1.000,5", ""):
        with pytest.raises(InputError):
            asked._number("x", text, float)


def test_a_page_of_a_result_is_shown_as_text_and_tables_and_nothing_of_it_is_code() -> None:
    made = sheets.of_markdown(
        "# A <b>\n\n## B\n\n**c** <script>x</script> [d](http://e) ![f](http://g)\n\n| h | i |\n|---|---:|\n| 1 | 2 |\n"
    )
    assert "<h2>A &lt;b&gt;</h2>" in made and "<h3>B</h3>" in made and "<strong>c</strong>" in made
    assert '<td class="right">2</td>' in made and "style=" not in made
    assert "<script" not in made and "<a " not in made and "<img" not in made
    assert made.count("<table>") == made.count("</table></div>") == made.count('class="scroll"') == 1


def test_a_report_of_both_languages_opens_in_that_of_the_page() -> None:
    report = b'<input id="show-en" autocomplete="off" checked>\n<input id="show-id" autocomplete="off">'
    assert sheets.in_language(report, "en") == report
    turned = sheets.in_language(report, "id")
    assert turned == b'<input id="show-en" autocomplete="off">\n<input id="show-id" autocomplete="off" checked>'
    assert sheets.in_language(turned, "en") == report
