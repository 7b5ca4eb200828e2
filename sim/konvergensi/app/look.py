"""The page "Look": a map of provinces as tiles, a search, and a district's surveys, services, network and villages."""

from __future__ import annotations

import functools
import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from konvergensi.app import charts, render, worlds
from konvergensi.app.desk import OWN, called, ids, shipped
from konvergensi.base.errors import InputError
from konvergensi.base.files import read_toml
from konvergensi.base.words import Lang, word
from konvergensi.inputs import country
from konvergensi.report import readings
from konvergensi.report.origin import synthetic
from konvergensi.world.coordination import AGENCY_LAYERS

if TYPE_CHECKING:
    from starlette.requests import Request

    from konvergensi.results.run import Run

TILES = Path(__file__).with_name("tiles.toml")
EDGES = (15.0, 20.0, 25.0, 30.0)  # percent, between the colours of the tiles
STAGES = ("in_need", "listed", "budgeted", "released", "delivered", "taken_up", "in_time")
LAYERS = dict(zip(AGENCY_LAYERS, (charts.BLUE, charts.ORANGE, charts.GREEN)))
SHOWN_VILLAGES = 400


def front(request: Request) -> Response:
    """The map of provinces, one province's districts, or what a search finds."""
    lang, desk = render.language(request), request.app.state.desk
    province, asked = request.query_params.get("province", ""), request.query_params.get("q", "").strip()[:80]
    known = sorted({str(each) for each in country.districts()["province"]})
    found = _search(asked) if asked else _of_province(province) if province in known else []
    own = [(f"{OWN}{name}", desk.district(f"{OWN}{name}").name) for name in desk.own_districts()]
    return render.page(
        "look.html",
        request,
        province=province if province in known else "",
        asked=asked,
        found=[{**each, "address": f"/{lang}/look/{quote(each['id'])}"} for each in found],
        ready=[(place.id, called(place.name, lang), place.province) for place in shipped()],
        own=own,
        tiles=tiles(lang),
        provinces=[(name, percent, _address(lang, name)) for name, percent in sorted(_of_provinces().items())],
        years=_last_years(),
        edges=EDGES,
        steps=charts.STEPS,
        key=charts.key(_steps(lang)),
    )


def district(request: Request) -> Response:
    """One district: the page at once, what has to be simulated right after it."""
    name, lang = request.path_params["district"], render.language(request)
    place = request.app.state.desk.district(name)
    return render.page(
        "district.html", request, name=name, place=place, title=called(place.name, lang), made_up=_made_up(place, lang)
    )


def simulated(request: Request) -> Response:
    """The part of a district's page that a small simulation fills."""
    lang, desk, name = render.language(request), request.app.state.desk, request.path_params["district"]
    place = desk.district(name)
    with desk.live:
        run = worlds.look(desk.source_of(name), place)
    year = readings.last_full_year(run, run.cascade)
    html = render.part(
        "district_part.html",
        request,
        name=name,
        place=place,
        run=run,
        year=year,
        families=round(worlds.share_of(place) * float(place.villages["families"].sum())),
        surveys=_surveys(run, lang),
        cascade=_cascade(run, year or 0, lang),
        stages=STAGES,
        network=_network(run, lang),
        layers=layers(lang),
        villages=_villages(place, lang),
        synthetic=synthetic(run, lang),
    )
    return Response(html, media_type="text/html")


ROUTES = [
    Route("/{lang}/look", front),
    Route("/{lang}/look/{district}", district),
    Route("/{lang}/look/{district}/simulated", simulated),
]


# ---- finding a district ----------------------------------------------------------------------------------------------


def _row(code: str) -> dict[str, Any]:
    return {
        "id": ids().get(code, code),
        "name": country.area_name(code),
        "province": country.province_of(code),
        "percent": _last_percent().get(code, math.nan),
    }


def _of_province(province: str) -> list[dict[str, Any]]:
    table = country.districts()
    return [_row(str(code)) for code in table.index[table["province"] == province]]


def _search(text: str) -> list[dict[str, Any]]:
    """Districts whose name or code holds what was typed, 40 at most; a name with a slip finds the nearest."""
    low = text.casefold()
    table = country.districts()
    codes = [str(code) for code, name in table["name"].items() if low in str(name).casefold() or low == code]
    if not codes:
        try:
            codes = [country.resolve_area(text)]
        except InputError as error:
            near = error.faults[0].words.get("near") or error.faults[0].words.get("choices") or ""
            codes = [str(code) for code in table.index if str(code) in str(near)]
    return [_row(code) for code in codes[:40]]


@functools.cache
def _last_percent() -> dict[str, float]:
    """Percent stunted of each district in its last published survey."""
    table = country.surveys().sort_values("year")
    return {str(code): float(part["percent"].iloc[-1]) for code, part in table.groupby("code")}


@functools.cache
def _last_years() -> str:
    """The year, or the years, of the districts' last surveys."""
    years = country.surveys().groupby("code")["year"].max()
    first, last = int(years.min()), int(years.max())
    return str(first) if first == last else f"{first}–{last}"


@functools.cache
def _of_provinces() -> dict[str, float]:
    """The mean over a province's districts."""
    table = country.districts()
    table = table.assign(percent=[_last_percent().get(str(code), math.nan) for code in table.index])
    return {str(province): float(mean) for province, mean in table.groupby("province")["percent"].mean().items()}


def _address(lang: Lang, province: str) -> str:
    return f"/{lang}/look?province={quote(province)}#found"


@functools.cache
def tiles(lang: Lang) -> Any:
    """The map: a tile for each province, kept."""
    places = {each["province"]: each for each in read_toml(TILES)["tile"]}
    entries = []
    for province, value in _of_provinces().items():
        at, address = places[province], _address(lang, province)
        whole = word("app.look.tile", lang, province=province, percent=render.fields(lang)["num"](value, 1))
        entries.append((at["column"], at["row"], at["short"], whole, address, charts.step_of(value, EDGES)))
    entries.sort(key=lambda each: (each[1], each[0]))
    return charts.tiles(word("app.look.map", lang), entries)


def _steps(lang: Lang) -> list[tuple[str, str]]:
    num = render.fields(lang)["num"]
    names = [f"< {num(EDGES[0])}%", *(f"{num(low)}–{num(high)}%" for low, high in itertools.pairwise(EDGES))]
    return list(zip([*names, f"≥ {num(EDGES[-1])}%"], reversed(charts.STEPS)))


# ---- what was simulated ----------------------------------------------------------------------------------------------


def _made_up(place: Any, lang: Lang) -> str:
    return ", ".join(word(f"synthetic.{name}", lang) for name in place.synthetic)


def _surveys(run: Run, lang: Lang) -> dict[str, Any]:
    true, found = readings.group(run, "all"), readings.surveys_of_district(run, routine=False)
    real = [each for each in run.manifest["published"] if each["level"] == "district" and len(each["fieldwork"]) == 7]
    real = [each for each in real if each["system"] != "e-PPGBM" and worlds.START <= each["fieldwork"] <= worlds.END]
    rows = [
        {
            "system": each["system"],
            "month": each["fieldwork"],
            "percent": each["percent"],
            "low": each["low"],
            "high": each["high"],
            "real": next((r["percent"] for r in real if r["fieldwork"] == each["fieldwork"]), math.nan),
        }
        for _, each in found.iterrows()
    ]
    marks = [charts.Mark(r["month"], r["percent"], r["low"], r["high"], charts.BLUE) for r in rows]
    marks += [charts.Mark(r["fieldwork"], r["percent"], colour=charts.RED, hollow=True) for r in real]
    line = charts.Line("", true["month"].tolist(), (100 * true["prevalence"]).tolist())
    shown = (("true", charts.BLUE, "line"), ("survey", charts.BLUE, "dot"), ("published", charts.RED, "hollow"))
    entries = [(word(f"app.look.{name}", lang), colour, sign) for name, colour, sign in shown]
    picture = charts.lines(word("app.look.surveys_told", lang), [line], marks, lang, "%")
    return {"picture": picture, "rows": rows, "key": charts.key(entries)}


def _cascade(run: Run, year: int, lang: Lang) -> list[dict[str, Any]]:
    """Services with the share of children in need who got as far as each stage, and where most are lost."""
    table = readings.chain(run, year)
    table = table[readings.offered(run, table.index)]
    weakest = readings.weakest_links(table)
    rows = []
    for service, reached in table.iterrows():
        need = float(reached["in_need"])
        rows.append(
            {
                "name": run.service_names[str(service)][lang],
                "need": need / float(run.manifest["population_share_made"]),
                "shares": {stage: float(reached[stage]) / need for stage in STAGES},
                "lost_at": str(weakest.at[service, "stage"]),
            }
        )
    return sorted(rows, key=lambda row: row["shares"]["taken_up"])


def steps_told(lang: Lang) -> str:
    """The steps of a service towards a child, in order."""
    return ", ".join(word(f"stage.{stage}", lang) for stage in STAGES)


def layers(lang: Lang) -> Any:
    """What the colours of the ties are."""
    return charts.key((word(f"app.layer.{layer}", lang), colour, "line") for layer, colour in LAYERS.items())


def _network(run: Run, lang: Lang) -> Any:
    ties = run.ties
    last = ties[ties["month"] == ties["month"].max()]
    rows = [(str(r.layer), str(r.source), str(r.target), float(r.weight)) for r in last.itertuples()]
    agencies = run.agencies[run.agencies["month"] == run.agencies["month"].max()]
    outside = agencies.loc[~agencies["in_decree"].astype(bool), "agency"].tolist()
    told = word("app.look.network_told", lang, ties=len(rows), agencies=len(run.agency_names))
    return charts.circle(told, run.agency_names, rows, LAYERS, outside)


def _villages(place: Any, lang: Lang) -> dict[str, Any]:
    table = place.villages
    most = float(table["families"].max())
    spots = [(float(v.x), float(v.y), float(v.families) / most, bool(v.lokus)) for v in table.itertuples()]
    by = table.groupby("kecamatan", sort=True).agg(villages=("village", "size"), families=("families", "sum"),
                                                   lokus=("lokus", "sum"))  # fmt: skip
    told = word("app.look.villages_told", lang, villages=len(table))
    names = (("app.look.other", charts.BLUE), ("app.look.lokus", charts.ORANGE))
    return {
        "picture": charts.dots(told, spots[:SHOWN_VILLAGES]),
        "rows": [(str(name), int(r.villages), int(r.families), int(r.lokus)) for name, r in by.iterrows()],
        "key": charts.key((word(name, lang), colour, "dot") for name, colour in names),
    }
