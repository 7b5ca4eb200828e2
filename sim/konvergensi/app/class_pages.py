"""The pages of a class: joining with a code, a seat's own view and decisions, the board, the teacher, the debrief."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from konvergensi.app import class_views as views
from konvergensi.app import debrief, render, server
from konvergensi.app.desk import Desk
from konvergensi.app.guard import Guard
from konvergensi.base.errors import InputError, fault
from konvergensi.base.words import word

if TYPE_CHECKING:
    from starlette.requests import Request

    from konvergensi.app.game import Game, Player
    from konvergensi.base.words import Lang

SEAT, TEACHER = "konvergensi_seat", "konvergensi_teacher"
TRIES, WITHIN = 60, 60.0  # wrong codes that the whole class may type, and in how many seconds
KEPT_DAYS = 30
FIELDS = {"code": "app.class.code", "name": "app.class.name", "seat": "app.class.seat"}  # as the form calls them


@dataclass
class Room:
    """One game with its teacher's key, and the debrief while it is worked out."""

    game: Game
    key: str
    address: str = ""  # what phones open; '' for what the teacher opened
    wrong: deque[float] = field(default_factory=deque)
    working: threading.Thread | None = None
    done: tuple[int, int] = (0, 0)
    said: dict[str, Any] | None = None
    fault: InputError | None = None


def make_app(folder: Path, game: Game, lang: Lang = "en", address: str = "") -> tuple[Starlette, str]:
    """The pages of one game, and the teacher's key; it is kept beside the game, for after a restart.

    Parameters: address, `host:port` that phones open, where the teacher opens another.
    """
    kept = game.folder / "teacher.key"
    if not kept.is_file():
        kept.touch(0o600)
        kept.write_text(secrets.token_urlsafe(18), encoding="utf-8")
    room = Room(game, kept.read_text(encoding="utf-8").strip(), address)
    found = Starlette(
        routes=ROUTES,
        middleware=[Middleware(Guard, largest=20_000)],
        exception_handlers={InputError: refused, HTTPException: server.missing, Exception: server.failed},
    )
    found.state.desk, found.state.room = Desk(folder, lang), room
    return found, room.key


def refused(request: Request, error: Any) -> Response:
    """What was wrong, with a way back to the class."""
    lang, desk = render.language(request), request.app.state.desk
    lines = [
        f"{word(FIELDS[each.key], lang)}: {desk.hidden(each.sentence(lang))}"
        if each.key in FIELDS
        else desk.told(InputError(each), lang)[0]
        for each in error.faults
    ]
    return render.page("class_refused.html", request, 400, lines=lines)


def _start(request: Request) -> Response:
    return RedirectResponse(f"/{request.app.state.desk.lang}/class")


def front(request: Request) -> Response:
    """Join, or the own seat."""
    room, player = request.app.state.room, _player(request)
    if player is None:
        return render.page("class_join.html", request, place=room.game.place, free=views.free_seats(room.game))
    return render.page("class_seat.html", request, **views.seat(room.game, player, render.language(request)))


def waiting(request: Request) -> Response:
    """The part of a seat's page that says how far the class is."""
    if _player(request) is None:
        raise HTTPException(404)
    return _waiting(request, "")


def board_waiting(request: Request) -> Response:
    """The same for the board, which everybody may see."""
    return _waiting(request, "/board")


def _waiting(request: Request, back: str) -> Response:
    said, game = request.query_params.get("round", ""), request.app.state.room.game
    shown = int(said) if said.isascii() and said.isdigit() else 0
    html = render.part("class_waiting.html", request, shown=shown, back=back, **views.progress(game))
    return Response(html, media_type="text/html")


async def join(request: Request) -> Response:
    """Take a seat."""
    form = await request.form(max_files=0, max_fields=5)
    room, now = request.app.state.room, time.monotonic()
    while room.wrong and now - room.wrong[0] > WITHIN:
        room.wrong.popleft()
    if len(room.wrong) >= TRIES:
        raise InputError(fault("", "code", "many_tries"))
    try:
        _, secret = room.game.join(str(form.get("code", "")), str(form.get("name", "")), str(form.get("seat", "")))
    except InputError as error:
        if error.faults[0].phrase == "wrong_code":
            room.wrong.append(now)
        raise
    answer = RedirectResponse(f"/{render.language(request)}/class", 303)
    _remember(answer, SEAT, secret)
    return answer


async def decide(request: Request) -> Response:
    """Confirm the own seat's decisions."""
    form = await request.form(max_files=0, max_fields=60)
    room, number = request.app.state.room, str(form.get("round", ""))
    room.game.decide(
        request.cookies.get(SEAT, ""),
        int(number) if number.isascii() and number.isdigit() else -1,
        [str(each) for each in form.getlist("taken")],
        [str(each) for each in form.getlist("asked")],
    )
    return RedirectResponse(f"/{render.language(request)}/class", 303)


def board(request: Request) -> Response:
    """What the whole class sees: what reached the same child, and what was published."""
    game = request.app.state.room.game
    told = views.board(game, render.language(request))
    return render.page("class_board.html", request, teaches=_teaches(request), **told)


# ---- the teacher -----------------------------------------------------------------------------------------------------


def teacher(request: Request) -> Response:
    """The teacher's page; a key in the address becomes a cookie, so that the address can be shown on a wall."""
    room, given = request.app.state.room, request.query_params.get("key", "")
    if given:
        if not secrets.compare_digest(given.encode(), room.key.encode()):
            raise HTTPException(404)
        answer = RedirectResponse(f"/{render.language(request)}/class/teacher", 303)
        _remember(answer, TEACHER, given)
        return answer
    _need_teacher(request)
    address = room.address or request.url.netloc
    return render.page(
        "class_teacher.html", request, address=address, **views.teacher(room.game, render.language(request))
    )


def progress(request: Request) -> Response:
    """The part of the teacher's page that says who has decided."""
    _need_teacher(request)
    told = views.teacher(request.app.state.room.game, render.language(request))
    return Response(render.part("class_who.html", request, **told), media_type="text/html")


async def order(request: Request) -> Response:
    """Move on, or free a seat."""
    _need_teacher(request)
    form = await request.form(max_files=0, max_fields=5)
    game, what, number = request.app.state.room.game, str(form.get("do", "")), str(form.get("round", ""))
    if what == "move":
        await run_in_threadpool(_move, game, int(number) if number.isascii() and number.isdigit() else -1)
    elif what == "free":
        game.free(str(form.get("seat", "")))
    return RedirectResponse(f"/{render.language(request)}/class/teacher", 303)


def _move(game: Game, number: int) -> None:
    game.move(number)
    game.model()


def debriefing(request: Request) -> Response:
    """The debrief, worked out behind the page the first time it is asked for."""
    _need_teacher(request)
    room = request.app.state.room
    if not room.game.state.over:
        raise InputError(fault("", "debrief", "not_over"))
    if room.said is None and room.fault is None and (room.working is None or not room.working.is_alive()):
        room.working = threading.Thread(target=_work, args=(room,), daemon=True)
        room.working.start()
    if room.fault is not None:
        raise room.fault
    return render.page("class_debrief.html", request, **_told(request))


def debrief_part(request: Request) -> Response:
    """The part of the debrief's page that changes."""
    _need_teacher(request)
    return Response(render.part("class_debrief_part.html", request, **_told(request)), media_type="text/html")


def _told(request: Request) -> dict[str, Any]:
    room, lang = request.app.state.room, render.language(request)
    found = None if room.said is None else views.debriefed(room.game, room.said, lang)
    return {"place": room.game.place, "done": room.done, "found": found}


def _work(room: Room) -> None:
    def tell(done: int, total: int) -> None:
        room.done = (done, total)

    try:
        room.said = debrief.debrief(room.game, progress=tell)
    except InputError as error:
        room.fault = error


def _remember(answer: Response, name: str, secret: str) -> None:
    """Let the browser keep a secret that no script and no other site can read or send."""
    answer.set_cookie(name, secret, max_age=KEPT_DAYS * 24 * 3600, path="/", httponly=True, samesite="strict")


def _player(request: Request) -> Player | None:
    found: Player | None = request.app.state.room.game.player_of(request.cookies.get(SEAT, ""))
    return found


def _teaches(request: Request) -> bool:
    given = request.cookies.get(TEACHER, "")
    return secrets.compare_digest(given.encode(), request.app.state.room.key.encode())


def _need_teacher(request: Request) -> None:
    if not _teaches(request):
        raise HTTPException(404)


ROUTES = [
    Route("/", _start),
    Route("/static/{name}", server.static),
    Route("/{lang}/class", front),
    Route("/{lang}/class/join", join, methods=["POST"]),
    Route("/{lang}/class/decide", decide, methods=["POST"]),
    Route("/{lang}/class/waiting", waiting),
    Route("/{lang}/class/board", board),
    Route("/{lang}/class/board/waiting", board_waiting),
    Route("/{lang}/class/teacher", teacher),
    Route("/{lang}/class/teacher/who", progress),
    Route("/{lang}/class/teacher/do", order, methods=["POST"]),
    Route("/{lang}/class/debrief", debriefing),
    Route("/{lang}/class/debrief/part", debrief_part),
]
