"""A page from a template: words in the language of its address, everything from files and forms escaped."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from konvergensi.base.version import __version__
from konvergensi.base.words import LANGUAGES, Lang, catalogue, month_name, month_of_year, number, percent, rupiah, word

if TYPE_CHECKING:
    from starlette.requests import Request

TERM = "glossary."


@functools.cache
def environment() -> Environment:
    """The templates, read once."""
    found = Environment(
        loader=PackageLoader("konvergensi.app"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["version"] = __version__
    return found


def language(request: Request) -> Lang:
    """The language of an address: `/id/look`; also of one that leads nowhere."""
    said = request.url.path.split("/")[1]
    found: Lang = said if said in LANGUAGES else request.app.state.desk.lang
    return found


def term(name: str, lang: Lang) -> Markup:
    """An official word with its meaning, shown when it is pointed at or reached by keyboard."""
    shown, meaning = word(f"{TERM}{name}.word", lang), word(f"{TERM}{name}.meaning", lang)
    return Markup('<span class="term" tabindex="0">{}<span class="meaning" role="tooltip">{}</span></span>').format(
        shown, meaning
    )


def register(name: str, lang: Lang) -> str:
    """A register, or several as the model joins them with `+`, in words."""
    return " + ".join(word(f"app.register.{each}", lang) for each in name.split("+"))


def terms() -> list[str]:
    """Names of the words that have a meaning to show."""
    return [key[len(TERM) : -len(".word")] for key in catalogue() if key.startswith(TERM) and key.endswith(".word")]


def fields(lang: Lang) -> dict[str, Any]:
    """What every template can call: words and numbers of its language."""
    return {
        "lang": lang,
        "t": lambda key, **words: word(f"app.{key}", lang, **words),
        "say": lambda key, **words: word(key, lang, **words),
        "term": functools.partial(term, lang=lang),
        "num": lambda value, decimals=0: number(value, lang, decimals),
        "pct": lambda share, decimals=1: percent(share, lang, decimals),
        "rp": lambda value: rupiah(value, lang),
        "month": lambda text: month_name(text, lang),
        "calendar_month": lambda at: month_of_year(at, lang),
    }


def part(name: str, request: Request, /, **more: Any) -> str:
    """A template filled in."""
    lang = language(request)
    return environment().get_template(name).render(**fields(lang), request=request, **more)


def page(name: str, request: Request, status: int = 200, /, **more: Any) -> HTMLResponse:
    """A whole page; `others` lead to the same page in the other language.

    The answer to a form has no address of its own: from there they lead to the page that the form belongs to.
    """
    lang = language(request)
    path, query = request.url.path, request.url.query
    rest = path.removeprefix(f"/{lang}")
    if request.method not in ("GET", "HEAD"):
        rest = "/" + rest.strip("/").partition("/")[0]
    others = {each: f"/{each}{rest}" + (f"?{query}" if query else "") for each in LANGUAGES if each != lang}
    return HTMLResponse(part(name, request, others=others, **more), status)


def static(name: str) -> bytes:
    """One of our own files: styles, script, icon. Raises KeyError for any other name."""
    if name not in STATIC:
        raise KeyError(name)
    return files("konvergensi.app").joinpath("static", name).read_bytes()


STATIC = {"app.css": "text/css", "app.js": "text/javascript", "icon.svg": "image/svg+xml"}

__all__ = [
    "STATIC",
    "Markup",
    "environment",
    "escape",
    "fields",
    "language",
    "page",
    "part",
    "register",
    "static",
    "term",
    "terms",
]
