"""The page "Idea": the model's idea in slides, one below the other, to show on a wall or to print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from konvergensi.app import render
from konvergensi.base.words import catalogue, word

if TYPE_CHECKING:
    from starlette.requests import Request

    from konvergensi.base.words import Lang


def front(request: Request) -> Response:
    """The slides, in the order of the words, and the glossary."""
    lang = render.language(request)
    names = [key.split(".")[2] for key in catalogue() if key.startswith("app.idea.") and key.endswith(".title")]
    slides = [(word(f"app.idea.{name}.title", lang), word(f"app.idea.{name}.text", lang).split("\n")) for name in names]
    return render.page("idea.html", request, slides=slides, terms=terms(lang))


def terms(lang: Lang) -> list[tuple[str, str]]:
    """The words of the glossary with their meaning."""
    return [(word(f"glossary.{name}.word", lang), word(f"glossary.{name}.meaning", lang)) for name in render.terms()]


ROUTES = [Route("/{lang}/idea", front)]
