"""The server of the pages: routes, faults in words, and how it is started."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from konvergensi.app import idea, job_pages, look, mine, render, tries, watch, worlds
from konvergensi.app.desk import Desk
from konvergensi.app.guard import Guard
from konvergensi.app.jobs import Runner
from konvergensi.base.errors import InputError
from konvergensi.base.words import LANGUAGES

if TYPE_CHECKING:
    from starlette.requests import Request

    from konvergensi.base.words import Lang

log = logging.getLogger("konvergensi.app")
PAGES = (look, tries, job_pages, mine, watch, idea)  # modules with routes, in the order of the menu


def make_app(folder: str | Path, lang: Lang = "en") -> Starlette:
    """The pages over one folder of work. Raises InputError when the folder cannot be made."""
    routes = [Route("/", _start), Route("/static/{name}", static), Route("/{lang}", _start)]
    for module in PAGES:
        routes += module.ROUTES
    desk = Desk(Path(folder), lang)

    @contextlib.asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        runner = Runner(desk)
        runner.start()
        yield
        runner.close()

    found = Starlette(
        routes=routes,
        lifespan=running,
        middleware=[Middleware(Guard)],
        exception_handlers={InputError: refused, HTTPException: missing, Exception: failed},
    )
    found.state.desk = desk
    return found


def warm(desk: Desk) -> None:
    """Do what the first visitor would wait for: the map, and compiling (15 s of a core, once after installing)."""
    for lang in LANGUAGES:
        look.tiles(lang)
    with desk.live:
        worlds.look("lebak", desk.district("lebak"))


def serve(app: Starlette, host: str, port: int, tell: Callable[[], None] | None = None) -> None:
    """Answer until stopped. Raises InputError when the port is taken.

    Parameters: tell, called once the port is held and before the first answer.
    """
    import socket

    import uvicorn

    from konvergensi.base.errors import fault
    from konvergensi.base.startup import started

    started()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((host, port))
        except (OSError, OverflowError) as error:
            raise InputError(
                fault("", "--port", "port_taken", value=port, reason=getattr(error, "strerror", error))
            ) from None
        held.listen(128)
        if tell is not None:
            tell()
        config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=2)
        uvicorn.Server(config).run(sockets=[held])


def _start(request: Request) -> Response:
    lang = request.path_params.get("lang", request.app.state.desk.lang)
    if lang not in LANGUAGES:
        raise HTTPException(404)
    return RedirectResponse(f"/{lang}/look")


def static(request: Request) -> Response:
    """One of our own files."""
    name = request.path_params["name"]
    try:
        return Response(render.static(name), media_type=render.STATIC[name], headers={"cache-control": "max-age=3600"})
    except KeyError:
        raise HTTPException(404) from None


def refused(request: Request, error: Any) -> Response:
    """What was wrong with the input, one line a fault."""
    lines = request.app.state.desk.told(error, render.language(request))
    if request.headers.get("x-part"):
        return Response(render.part("faults.html", request, lines=lines), 400, media_type="text/html")
    return render.page("refused.html", request, 400, lines=lines)


def missing(request: Request, error: Any) -> Response:
    """No such page, or one that may not be had."""
    return render.page("missing.html", request, error.status_code)


def failed(request: Request, error: Exception) -> Response:
    """A fault of ours: told to the terminal, not to the page."""
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    return render.page("failed.html", request, 500)
