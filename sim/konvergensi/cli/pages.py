"""Command `app`: pages in the browser of this machine."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated

import typer

from konvergensi.base.errors import InputError, fault
from konvergensi.cli.options import DistrictOption, LangOption, StartOption, refusals
from konvergensi.cli.terminal import Lang, say

HostOption = Annotated[str, typer.Option(help="Address to answer at · Alamat yang dilayani")]
PortOption = Annotated[int, typer.Option(help="Port · Nomor port", min=1, max=65535)]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(name="app")(pages)
    app.command(name="class")(class_)


def pages(
    port: PortOption = 8080,
    lang: LangOption = Lang.en,
    host: HostOption = "127.0.0.1",
    out: Annotated[Path, typer.Option(help="Folder of policies, jobs and districts · Folder kerja")] = Path("out/app"),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the browser · Buka peramban")] = True,
) -> None:
    """Open the pages in the browser of this computer · Buka halaman di peramban komputer ini."""
    with refusals(lang):
        _need_extra()
        from konvergensi.app.server import make_app, serve, warm

        address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '') else f'[{host}]' if ':' in host else host}:{port}/"

        app = make_app(out, lang.value)

        def tell() -> None:
            threading.Thread(target=warm, args=(app.state.desk,), daemon=True).start()
            typer.echo(say("app_open", lang, address=f"{address}{lang.value}/look", folder=out), err=True)
            if browser:
                import webbrowser

                webbrowser.open(f"{address}{lang.value}/look")

        serve(app, host, port, tell)


def class_(
    district: DistrictOption = "lebak",
    rounds: Annotated[int, typer.Option(help="Half years · Jumlah semester", min=1, max=20)] = 6,
    start: StartOption = "2018-01",
    others: Annotated[
        str, typer.Option(help="Seats nobody plays: own, obeys, shared · Peran kosong: own, obeys, shared")
    ] = "own",
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="ROUND=EVENT", help="mutasi, savings, election · Kejadian, dapat berulang"),
    ] = None,
    port: PortOption = 8081,
    lang: LangOption = Lang.en,
    host: Annotated[str, typer.Option(help="Address to answer at: the Wi-Fi · Alamat: Wi-Fi kelas")] = "0.0.0.0",
    out: Annotated[
        Path,
        typer.Option(help="Folder; a game that is there goes on · Folder; permainan yang ada dilanjutkan"),
    ] = Path("out/class"),
) -> None:
    """Open a class: players join from their phones with a code · Buka kelas: peserta masuk dari ponsel dengan kode."""
    with refusals(lang):
        _need_extra()
        from konvergensi.app.class_pages import make_app
        from konvergensi.app.game import LOG, Game
        from konvergensi.app.server import serve

        folder = out / "game"
        if (folder / LOG).is_file():
            game = Game(folder)
            typer.echo(say("class_goes_on", lang, folder=out, round=game.state.number + 1), err=True)
        else:
            game = Game.open(folder, district, start=start, rounds=rounds, others=others, events=_events(event or []))
        address = f"{_own_address(host)}:{port}"
        pages, key = make_app(out, game, lang.value, address)

        def tell() -> None:
            words = {"address": f"http://{address}/", "code": game.state.opened["code"]}
            typer.echo(say("class_open", lang, **words), err=True)
            typer.echo(f"http://127.0.0.1:{port}/{lang.value}/class/teacher?key={key}", err=True)

        serve(pages, host, port, tell)


def _events(items: list[str]) -> dict[int, list[str]]:
    """Turn `["2=mutasi"]` into what happens by round, counted from 0. Raises InputError for what has not this form."""
    found: dict[int, list[str]] = {}
    for item in items:
        number, equals, name = item.partition("=")
        if not equals or not number.strip().isdigit() or int(number) < 1:
            raise InputError(fault("", "--event", "event_form", value=item))
        found.setdefault(int(number) - 1, []).append(name.strip())
    return found


def _own_address(host: str) -> str:
    """The address of this machine on its network, as far as the system tells it; nothing is sent."""
    if host != "0.0.0.0":
        return host
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # a documentation address: chooses the way out, sends nothing
            return str(asked.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _need_extra() -> None:
    """Raise InputError where the libraries of the pages are not installed."""
    from importlib.util import find_spec

    needed = ("starlette", "uvicorn", "python_multipart", "markdown_it")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise InputError(fault("", "app", "no_extra", names=", ".join(missing), extra="app"))
