"""The pages of a class: phones with a code, each for its own seat, and a teacher nobody else can be."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from konvergensi.app import class_pages
from konvergensi.app import class_rules as rules
from konvergensi.app.game import LOG, Game
from konvergensi.base.words import LANGUAGES

HOME = "http://192.168.1.5:8081"


class Class:
    """A game with its server; `phone` is a browser of its own."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.folder = folder
        options = {"rounds": 2, "families": 600} | options
        self.game = Game.open(folder / "game", "kota-banjar", **options)  # type: ignore[arg-type]
        self.start()

    def start(self) -> None:
        """Start the server on what is in the folder, as after a kill."""
        self.game = Game(self.folder / "game")
        self.app: Starlette
        self.app, self.key = class_pages.make_app(self.folder, self.game)

    def phone(self, name: str = "", seat: str = "", lang: str = "en") -> TestClient:
        found = TestClient(self.app, base_url=HOME)
        if name:
            data = {"code": self.code, "name": name, "seat": seat}
            assert found.post(f"/{lang}/class/join", data=data).status_code == 200
        return found

    def moved(self, phone: TestClient) -> TestClient:
        """The same phone asking the server that runs now."""
        found = TestClient(self.app, base_url=HOME)
        found.cookies = phone.cookies
        return found

    def teacher(self) -> TestClient:
        found = TestClient(self.app, base_url=HOME)
        assert found.get("/en/class/teacher", params={"key": self.key}).status_code == 200
        return found

    @property
    def code(self) -> str:
        return str(self.game.state.opened["code"])


@pytest.fixture
def school(tmp_path: Path) -> Class:
    return Class(tmp_path)


def test_a_phone_joins_with_the_code_decides_and_sees_its_own_agency_only(school: Class) -> None:
    health = school.phone("Ani", "opd:dinkes")
    social = school.phone("Budi", "opd:dinsos")
    page = health.get("/en/class").text
    place = school.game.place
    names = {opd.id: opd.name for opd in place.opd}
    assert names["dinkes"] in page and names["dinsos"] not in page
    assert names["dinsos"] in social.get("/en/class").text
    health.post("/en/class/decide", data={"round": "0", "taken": ["share_list"]})
    assert school.game.state.chosen == {"opd:dinkes": frozenset(["share_list"])}
    assert 'value="share_list" checked' in health.get("/en/class").text
    assert 'value="share_list" checked' not in social.get("/en/class").text


def test_the_truth_is_on_no_page_before_the_debrief(school: Class) -> None:
    phone, teacher = school.phone("Ani"), school.teacher()
    teacher.post("/en/class/teacher/do", data={"do": "move", "round": "0"})
    truth = f"{100 * school.game.model().prevalence():.1f}%"
    for page in (phone.get("/en/class").text, phone.get("/en/class/board").text):
        assert truth not in page


def test_who_has_no_code_or_tries_too_often_stays_outside(school: Class) -> None:
    stranger = school.phone()
    wrong = {"code": "000000" if school.code != "000000" else "111111", "name": "x"}
    for _ in range(class_pages.TRIES):
        assert stranger.post("/en/class/join", data=wrong).status_code == 400
    right = stranger.post("/en/class/join", data=wrong | {"code": school.code})
    assert right.status_code == 400 and "too many" in right.text
    assert stranger.post("/en/class/decide", data={"round": "0", "taken": ["share_list"]}).status_code == 400
    assert stranger.get("/en/class/waiting").status_code == 404
    assert not school.game.state.players


def test_one_player_cannot_be_another_nor_the_teacher(school: Class) -> None:
    school.phone("Ani", "bappeda")
    budi = school.phone("Budi", "opd:dinkes")
    for path in ("teacher", "teacher/who", "debrief", "debrief/part"):
        assert budi.get(f"/en/class/{path}").status_code == 404, path
    assert budi.post("/en/class/teacher/do", data={"do": "move", "round": "0"}).status_code == 404
    assert budi.get("/en/class/teacher", params={"key": "guessed"}).status_code == 404
    assert budi.post("/en/class/decide", data={"round": "0", "taken": ["call_meetings"]}).status_code == 400
    budi.post("/en/class/decide", data={"round": "0", "taken": ["share_list"], "seat": "bappeda"})
    assert set(school.game.state.chosen) == {"opd:dinkes"}
    assert school.game.state.number == 0
    secrets = {each.secret for each in school.game.state.players.values()}
    assert not any(secret in budi.get("/en/class").text for secret in secrets)


def test_the_phone_keeps_a_secret_that_no_script_can_read(school: Class) -> None:
    phone = TestClient(school.app, base_url=HOME)
    answer = phone.post("/en/class/join", data={"code": school.code, "name": "Ani"}, follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    secret = phone.cookies[class_pages.SEAT]
    assert secret not in (school.folder / "game" / LOG).read_text()
    assert secret not in phone.get("/en/class").text


def test_reloading_joining_twice_and_leaving_harm_nobody(school: Class) -> None:
    ani, budi = school.phone("Ani"), school.phone("Budi")
    for _ in range(3):
        assert ani.get("/en/class").status_code == 200
        ani.post("/en/class/decide", data={"round": "0", "taken": ["plan_early"]})
    assert len(school.game.state.players) == 2
    ani.cookies.clear()  # her phone is lost
    school.teacher().post("/en/class/teacher/do", data={"do": "free", "seat": "bappeda"})
    assert "Join" in ani.get("/en/class").text
    assert budi.get("/en/class").status_code == 200
    again = school.phone("Ani", "bappeda")
    assert 'value="plan_early" checked' in again.get("/en/class").text  # what was decided stands


def test_after_a_kill_of_the_server_phones_and_teacher_go_on(school: Class) -> None:
    ani, teacher = school.phone("Ani"), school.teacher()
    ani.post("/en/class/decide", data={"round": "0", "taken": ["plan_early"]})
    teacher.post("/en/class/teacher/do", data={"do": "move", "round": "0"})
    before = school.game.model().prevalence()
    school.start()
    ani, teacher = school.moved(ani), school.moved(teacher)
    assert 'value="plan_early" checked' in ani.get("/en/class").text
    assert teacher.get("/en/class/teacher").status_code == 200
    assert school.game.state.number == 1 and school.game.model().prevalence() == before


def test_the_teacher_shows_the_address_that_phones_can_reach(school: Class) -> None:
    app, key = class_pages.make_app(school.folder, school.game, address="192.168.1.5:8081")
    teacher = TestClient(app, base_url="http://127.0.0.1:8081")
    assert "http://192.168.1.5:8081/" in teacher.get("/en/class/teacher", params={"key": key}).text


def test_the_board_tells_when_it_is_old_and_leads_the_teacher_back(school: Class) -> None:
    phone, teacher = school.phone("Ani"), school.teacher()
    assert "/class/teacher" in teacher.get("/en/class/board").text
    assert "/class/teacher" not in phone.get("/en/class/board").text
    assert "/class/board/waiting?round=0" in phone.get("/en/class/board").text
    teacher.post("/en/class/teacher/do", data={"do": "move", "round": "0"})
    part = phone.get("/en/class/board/waiting", params={"round": "0"}).text
    assert 'href="/en/class/board"' in part and "The half year has passed" in part


def test_two_clicks_of_the_teacher_let_one_half_year_pass(school: Class) -> None:
    teacher = school.teacher()
    assert teacher.post("/en/class/teacher/do", data={"do": "move", "round": "0"}).status_code == 200
    assert teacher.post("/en/class/teacher/do", data={"do": "move", "round": "0"}).status_code == 400
    assert school.game.state.number == 1
    late = school.phone("Ani")
    assert late.post("/en/class/decide", data={"round": "0", "taken": []}).status_code == 400
    assert "Half year 2 of 2" in late.get("/en/class").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_of_a_class_answers_in_both_languages_and_escapes_names(school: Class, lang: str) -> None:
    phone, teacher = school.phone("<script>x</script>", lang=lang), school.teacher()
    teacher.post(f"/{lang}/class/teacher/do", data={"do": "move", "round": "0"})
    for browser, path in (
        (phone, ""),
        (phone, "/board"),
        (teacher, "/teacher"),
        (TestClient(school.app, base_url=HOME), ""),
    ):
        page = browser.get(f"/{lang}/class{path}")
        assert page.status_code == 200 and f'<html lang="{lang}">' in page.text
        assert "<script>x" not in page.text


def test_the_class_serves_nothing_of_the_pages_for_planners(school: Class) -> None:
    phone = school.phone("Ani")
    for path in ("look", "try", "jobs", "mine", "watch", "policies/x.toml"):
        assert phone.get(f"/en/{path}").status_code == 404


@pytest.mark.slow
def test_the_debrief_comes_when_the_class_is_over_and_says_what_it_can_tell(school: Class) -> None:
    import time

    phone, teacher = school.phone("Ani"), school.teacher()
    phone.post("/en/class/decide", data={"round": "0", "taken": ["call_meetings"], "asked": ["share_list"]})
    assert teacher.get("/en/class/debrief").status_code == 400
    for number in range(2):
        teacher.post("/en/class/teacher/do", data={"do": "move", "round": str(number)})
    page = teacher.get("/en/class/debrief")
    for _ in range(240):
        if "data-poll" not in page.text:
            break
        time.sleep(0.5)
        page = teacher.get("/en/class/debrief/part")
    assert "Your class against everyone for himself" in page.text
    assert "0 of" in page.text  # nobody shared its list, as the coordinator asked


@pytest.mark.slow
def test_thirty_phones_over_twenty_rounds(tmp_path: Path) -> None:
    school = Class(tmp_path, rounds=20, others="obeys")
    seats = list(school.game.seats)
    phones = {seat: school.phone(f"murid {k}", seat) for k, seat in enumerate(seats[:30])}
    teacher = school.teacher()
    for number in range(20):
        for k, (seat, phone) in enumerate(phones.items()):
            if (k + number) % 5:
                own = [each.id for each in rules.decisions(school.game.seats[seat].role)]
                answer = phone.post("/id/class/decide", data={"round": str(number), "taken": own[: (k + number) % 3]})
                assert answer.status_code == 200
        assert teacher.post("/id/class/teacher/do", data={"do": "move", "round": str(number)}).status_code == 200
        if number == 9:
            school.start()
            phones = {seat: school.moved(phone) for seat, phone in phones.items()}
            teacher = school.moved(teacher)
    assert school.game.state.over
    assert all(phone.get("/id/class").status_code == 200 for phone in phones.values())
