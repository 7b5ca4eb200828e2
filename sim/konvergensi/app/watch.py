"""The page "Month by month": one district simulated while one watches: network, doors, money, lists, one household."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from konvergensi.app import charts, look, render, tries, worlds
from konvergensi.app.desk import called
from konvergensi.base.errors import InputError, fault
from konvergensi.base.months import format_month, month_of
from konvergensi.base.words import Lang, word
from konvergensi.mechanisms import calendar
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe.diary import REGISTERS
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.network import WEAKEST
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from starlette.requests import Request

    from konvergensi.observe.diary import Diary

KEPT = 8  # districts watched at once; the longest unused goes
STEPS = (1, 3, 12)
MOST = 120  # months


@dataclass
class Watched:
    """A model at a month, and the diary of one household."""

    model: ConvergenceModel
    diary: Diary
    scenario: str
    prevalence: list[tuple[str, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


_watched: OrderedDict[str, Watched] = OrderedDict()
_lock = threading.Lock()


def front(request: Request) -> Response:
    """The form: district and first year."""
    return render.page("watch.html", request, district="lebak", year=2022, **tries.choices(request))


async def begin(request: Request) -> Response:
    """Begin to watch a district."""
    form = await request.form(max_files=0, max_fields=10)
    said = {key: str(value) for key, value in form.items()}
    name = await run_in_threadpool(_begin, request, said)
    return RedirectResponse(f"/{render.language(request)}/watch/{name}", 303)


def _begin(request: Request, said: dict[str, str]) -> str:
    desk = request.app.state.desk
    name = said.get("district", "lebak")
    place = desk.district(name)
    year = tries.year(said, "since", tries.YEARS, 2022)
    with desk.live:
        model = ConvergenceModel(
            "baseline", desk.source_of(name), 1, worlds.share_of(place), f"{year}-01", f"{year + MOST // 12 - 1}-12"
        )
    watched = Watched(model, model.recorder.follow(a_household(model)), name)
    key = secrets.token_hex(8)
    with _lock:
        _watched[key] = watched
        while len(_watched) > KEPT:
            _watched.popitem(last=False)
    return key


def a_household(model: ConvergenceModel) -> int:
    """The poorest household with a pregnancy in its first months: its child is followed from before birth."""
    world = model.world
    rows = world.children.window(world.month, -PREGNANCY_MONTHS + 1, -PREGNANCY_MONTHS + 3)
    homes = world.children.household[rows]
    if not len(homes):
        homes = world.children.household[world.children.window(world.month, -PREGNANCY_MONTHS, LAST_AGE)]
    poorest = np.argsort(world.households.wealth[homes], kind="stable")
    return int(homes[poorest[0]])


async def step(request: Request) -> Response:
    """Simulate some months more."""
    form = await request.form(max_files=0, max_fields=5)
    text = str(form.get("months", "1"))
    if text not in map(str, STEPS):
        raise InputError(fault("", "months", "choice", value=text[:20], choices=", ".join(map(str, STEPS))))
    watched = _get(request)
    await run_in_threadpool(_step, request, watched, int(text))
    return RedirectResponse(f"/{render.language(request)}/watch/{request.path_params['watched']}", 303)


def _step(request: Request, watched: Watched, months: int) -> None:
    with watched.lock, request.app.state.desk.live:
        for _ in range(months):
            if watched.model.running:
                when = format_month(watched.model.world.month)
                watched.model.step()
                watched.prevalence.append((when, 100.0 * watched.model.prevalence()))


def one(request: Request) -> Response:
    """The district as it stands."""
    watched, lang = _get(request), render.language(request)
    with watched.lock:
        return render.page(
            "watched.html", request, steps=STEPS, key=request.path_params["watched"], **_told(watched, lang)
        )


ROUTES = [
    Route("/{lang}/watch", front),
    Route("/{lang}/watch/begin", begin, methods=["POST"]),
    Route("/{lang}/watch/{watched}", one),
    Route("/{lang}/watch/{watched}/step", step, methods=["POST"]),
]


def _get(request: Request) -> Watched:
    with _lock:
        found = _watched.get(request.path_params["watched"])
    if found is None:
        raise InputError(fault("", "watch", "watched_gone"))
    return found


def _told(watched: Watched, lang: Lang) -> dict[str, Any]:
    world, model = watched.model.world, watched.model
    started = bool(watched.prevalence)
    last = world.month - 1 if started else world.month  # the month that has just been simulated, or is the first
    now = month_of(last)
    ties = [
        (layer, model.opds[i].id, model.opds[j].id, float(tie[i, j]))
        for layer, tie in world.coordination.ties.items()
        for i, j in np.argwhere(np.triu(tie, 1) >= WEAKEST).tolist()
    ]
    names = {opd.id: opd.name for opd in model.opds}
    outside = [opd.id for opd in model.opds if not opd.in_decree]
    book, scale = world.programmes, 1.0 / world.population_share
    money = [
        {"source": word(f"source_short.{source}", lang),
         **{stage: float(getattr(book, stage)[book.source == s].sum()) * scale
            for stage in ("budgeted", "released", "spent")}}
        for s, source in enumerate(SOURCES)
    ]  # fmt: skip
    came = [opd.name for opd, there in zip(model.opds, world.coordination.came) if there] if started else []
    prevalence = watched.prevalence
    line = [charts.Line("", [m for m, _ in prevalence], [v for _, v in prevalence])] if len(prevalence) > 1 else []
    return {
        "place": model.place,
        "title": called(model.place.name, lang),
        "month_now": format_month(last),
        "started": started,
        "running": model.running,
        "doors": [
            (word(f"source_short.{source}", lang), calendar.door(world.settings, source), now)
            for source in SOURCES
            if source in calendar.DOOR_OF_SOURCE
        ],
        "now": now,
        "done": [word(f"app.watch.action_{each}", lang) for each in sorted(model.actions)] if started else [],
        "came": came,
        "network": charts.circle(word("app.look.network_told", lang, ties=len(ties), agencies=len(names)), names, ties,
                                 look.LAYERS, outside),
        "layers": look.layers(lang),
        "money": money,
        "lists": [
            (opd.name, render.register(opd.list_used(world.linked), lang)) for opd in model.opds if opd.has_programme
        ],
        "villages_with_list": int(world.has_by_name_list.sum()),
        "picture": charts.lines(word("app.watch.prevalence", lang), line, [], lang, "%") if line else "",
        "home": _home(watched, lang),
        "stages": look.steps_told(lang),
    }  # fmt: skip


def _home(watched: Watched, lang: Lang) -> dict[str, Any]:
    """The household's last month, and the furthest stage of each service for its youngest child this year."""
    diary, services = watched.diary, {s.id: s.name[lang] for s in watched.model.world.services}
    if diary.home.empty:
        return {}
    children, rows = diary.children, diary.services
    last = str(diary.home["month"].iloc[-1])
    youngest = children[children["month"] == last].sort_values("age_months").head(1)
    if youngest.empty:
        return {"month": last, "child": None, "services": []}
    child = youngest.iloc[0]
    here = rows[(rows["month"] == last) & (rows["child"] == child["child"]) & (rows["stage"] != "")]
    growth = children[(children["child"] == child["child"]) & children["laz_true"].notna()]
    line = (
        [charts.Line("", growth["month"].tolist(), growth["laz_true"].tolist(), charts.GREEN)]
        if len(growth) > 1
        else []
    )
    return {
        "month": last,
        "child": {"age": int(child["age_months"]), "laz": float(child["laz_true"]),
                  "posyandu": bool(child["at_posyandu"]),
                  "registers": [render.register(name, lang) for name in REGISTERS if child[name]]},
        "services": [(services[r.service], str(r.stage)) for r in here.itertuples()],
        "picture": charts.lines(word("app.watch.height", lang), line, [], lang) if line else "",
    }  # fmt: skip
