"""The page "Try": move what a district decides and see the same children's future, with and without it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from konvergensi.app import charts, levers, render, worlds
from konvergensi.app.desk import Desk
from konvergensi.base.errors import InputError, fault
from konvergensi.base.months import format_month, parse_month
from konvergensi.base.words import Lang, word
from konvergensi.inputs.advice import of_run, overruled
from konvergensi.inputs.scenarios import load_scenario, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import FormData
    from starlette.requests import Request

YEARS = range(2019, 2031)  # in which a policy may begin
LASTS = range(1, 9)  # years it is followed
SINCE, LAST = 2025, 3  # unless told otherwise
MONEY = ("line-", "billion-")
BETTER = {"prevalence": -1, "stunted_children": -1, "protected_in_time": 1, "complete_package_share": 1, "spent_rp": 0}


def front(request: Request) -> Response:
    """The form, as it stands without a policy; its answer is asked for right after."""
    asked, desk = read(request.query_params, request), request.app.state.desk
    threading.Thread(target=_prepare, args=(desk, asked), daemon=True).start()
    return render.page("try.html", request, **asked, **choices(request), part=None)


def _prepare(desk: Desk, asked: Mapping[str, Any]) -> None:
    """Live the past while the form is read, so that the first answer comes as soon as the others."""
    with desk.live:
        worlds.past(desk.source_of(asked["district"]), asked["place"], asked["since"], asked["end"])


async def answer(request: Request) -> Response:
    """What the policy on the form changes: a part of the page, or with `whole` the page with it."""
    form = await request.form(max_files=0, max_fields=400)
    from starlette.concurrency import run_in_threadpool

    return await run_in_threadpool(_answer, request, form)


def _answer(request: Request, form: FormData) -> Response:
    lang, desk = render.language(request), request.app.state.desk
    asked = read({key: str(value) for key, value in form.items()}, request)
    said = {key: str(value) for key, value in form.items()}
    changes, money = levers.moved(said, asked["groups"]), levers.added(said, asked["place"])
    policy = desk.keep_policy(levers.policy_text(changes, asked["since"], money))
    source, path = desk.source_of(asked["district"]), desk.scenario(policy)
    with desk.live:
        past = worlds.past(source, asked["place"], asked["since"], asked["end"])
        found = worlds.future(past, path)
    told = render.part(
        "try_part.html",
        request,
        found=found,
        changes=bool(changes or money),
        policy=policy,
        advice=_advice(path, asked, lang),
        better=BETTER,
        picture=_picture(found, asked["since"], lang),
        key=charts.key(
            [(word("app.try.without", lang), charts.GREY, "dashed"), (word("app.try.with", lang), charts.BLUE, "line")]
        ),
        **asked,
    )
    if request.headers.get("x-part"):
        return Response(told, media_type="text/html")
    asked["moved"] = {key: form.get(key) for key in changes} | {k: v for k, v in said.items() if k.startswith(MONEY)}
    return render.page("try.html", request, **asked, **choices(request), part=charts.Markup(told))


ROUTES = [Route("/{lang}/try", front), Route("/{lang}/try/answer", answer, methods=["POST"])]


def read(form: Mapping[str, str], request: Request) -> dict[str, Any]:
    """District, first month, last month and levers that a form asks about. Raises InputError."""
    desk = request.app.state.desk
    name = desk.id_of(str(form.get("district") or "lebak"))
    first, years = year(form, "since", YEARS, SINCE), year(form, "years", LASTS, LAST)
    place = desk.district(name)
    since, end = f"{first}-01", f"{first + years - 1}-12"
    shown = levers.levers(place, parse_month(worlds.START), parse_month(since), parse_month(end))
    return {"district": name, "place": place, "since": since, "year": first, "years": years, "end": end,
            "groups": shown, "moved": {}, "lines": levers.lines(place, render.language(request)),
            "added": levers.ADDED}  # fmt: skip


def choices(request: Request) -> dict[str, Any]:
    """What the form offers."""
    desk = request.app.state.desk
    return {"districts": desk.offered(render.language(request)), "all_years": YEARS, "all_lasts": LASTS}


def year(form: Mapping[str, str], name: str, allowed: range, otherwise: int) -> int:
    """A whole number of a form. Raises InputError when it is none of those allowed."""
    text = str(form.get(name) or otherwise)
    if not text.isascii() or not text.isdigit() or int(text) not in allowed:
        bounds = {"low": allowed[0], "high": allowed[-1], "unit": ""}
        raise InputError(fault("", name, "outside", value=text[:20], **bounds))
    return int(text)


def _advice(path: str, asked: Mapping[str, Any], lang: Lang) -> list[str]:
    scenario, place, last = load_scenario(path), asked["place"], parse_month(asked["end"])
    resolved = resolve(scenario, place, {}, parse_month(worlds.START), last)
    faults = [*of_run(scenario, resolved, {}, place.parameters()), *overruled(scenario, last)]
    return [type(each)("", each.key, each.phrase, each.words).text(lang) for each in faults]


def _picture(found: worlds.Future, since: str, lang: Lang) -> Any:
    first = max(parse_month(since) - 24, parse_month(found.months[0]))
    shown = [k for k, month in enumerate(found.months) if month >= format_month(first)]
    months = [found.months[k] for k in shown]
    drawn = []
    for values, colour, dashed in ((found.without, charts.GREY, True), (found.with_it, charts.BLUE, False)):
        drawn.append(charts.Line("", months, values[:, shown].mean(axis=0).tolist(), colour, dashed))
    last = {"without": render.fields(lang)["num"](float(found.without[:, -1].mean()), 1),
            "with_it": render.fields(lang)["num"](float(found.with_it[:, -1].mean()), 1)}  # fmt: skip
    return charts.lines(word("app.try.told", lang, **last), drawn, [], lang, "%", since)
