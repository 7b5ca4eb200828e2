"""What each sees of a game: a seat only what its agency would see, the class what reached the same child."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.app import charts, idea, look, render
from konvergensi.app import class_rules as rules
from konvergensi.base.months import format_month
from konvergensi.base.words import Lang, word
from konvergensi.mechanisms import calendar
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.app.class_rules import Seat
    from konvergensi.app.game import Game, Player
    from konvergensi.app.played import PlayedModel

STEPS = ("budgeted", "released", "spent")


def free_seats(game: Game) -> list[tuple[str, str]]:
    """Seats that can still be taken: id and name."""
    taken = {each.seat for each in game.state.players.values()}
    return [(seat.id, seat.name) for seat in game.seats.values() if seat.id not in taken]


def progress(game: Game) -> dict[str, Any]:
    """How far the class is."""
    state = game.state
    return {"number": state.number, "over": state.over, "ready": len(state.ready), "players": len(state.players),
            "rounds": int(state.opened["rounds"])}  # fmt: skip


def seat(game: Game, player: Player, lang: Lang) -> dict[str, Any]:
    """What a seat sees: its own list, its own money, published figures, what the coordinator asks, its decisions."""
    own, state, model = game.seats[player.seat], game.state, game.model()
    month = rules.month_of_round(model.first_month, state.number)
    asked = [word(f"app.class.do_{name}", lang) for name in sorted(state.asked) if name in _ids(own.role)]
    askable = [(each.id, each.role, word(f"app.class.do_{each.id}", lang), each.id in state.asked)
              for each in rules.decisions() if each.role != "bappeda"]  # fmt: skip
    return {
        "place": game.place,
        "player": player,
        "seat": own,
        "month_now": month,
        "decisions": [
            {"id": each.id, "do": word(f"app.class.do_{each.id}", lang), "why": word(f"app.class.why_{each.id}", lang),
             "taken": each.id in state.chosen.get(own.id, ())}
            for each in rules.decisions(own.role)
        ],
        "asked": asked,
        "askable": askable if own.role == "bappeda" else [],
        "confirmed": own.id in state.ready,
        "published": _published(model, lang),
        "doors": _doors(model, lang),
        "events": _events(game, lang),
        "terms": idea.terms(lang),
        **_own(model, own, lang),
        **progress(game),
    }  # fmt: skip


def _ids(role: str) -> set[str]:
    return {each.id for each in rules.decisions(role)}


def _events(game: Game, lang: Lang) -> list[str]:
    """What happened in the last half year, as everybody heard."""
    last = game.state.happened[-1] if game.state.happened else ()
    return [word(f"app.class.event_{name}", lang) for name in last]


def _doors(model: PlayedModel, lang: Lang) -> list[tuple[str, int]]:
    return [(word(f"source_short.{source}", lang), calendar.door(model.world.settings, source))
            for source in SOURCES if source in calendar.DOOR_OF_SOURCE]  # fmt: skip


def _published(model: PlayedModel, lang: Lang) -> list[tuple[str, str, float]]:
    """The last published figures, as a newspaper has them: month, system, percent. Never the truth."""
    known = [each for each in model.world.coordination.published if each[0] <= model.world.month]
    found = [(format_month(month), system, percent) for month, system, percent in known if np.isfinite(percent)]
    return found[-3:]


def _own(model: PlayedModel, own: Seat, lang: Lang) -> dict[str, Any]:
    """A seat's own money, list and attendance."""
    world = model.world
    scale = 1.0 / world.population_share
    if own.role == "desa":
        rows = [k for k, each in enumerate(model.villages) if each.kecamatan.name == own.of]
        state = world.coordination
        facts = [
            word("app.class.fact_villages", lang, n=len(rows)),
            word("app.class.fact_kpm", lang, n=int(state.kpm[rows].sum())),
            word("app.class.fact_list", lang, n=int(world.has_by_name_list[rows].sum())),
        ]
        return {"facts": facts, "money": []}
    opds = {opd.id: i for i, opd in enumerate(model.opds)}
    i = opds.get(own.of, next((k for k, opd in enumerate(model.opds) if opd.role == "coordinator"), 0))
    opd, book = model.opds[i], world.programmes
    money = []
    for p in np.flatnonzero(book.opd == i):
        name = world.services[book.service[p]].name[lang]
        source = word(f"source_short.{SOURCES[book.source[p]]}", lang)
        money.append({"name": name, "source": source,
                      **{step: float(getattr(book, step)[p]) * scale for step in STEPS}})  # fmt: skip
    facts = [
        word("app.class.fact_list_used", lang, name=render.register(opd.list_used(world.linked), lang)),
        word("app.class.fact_attendance", lang, share=f"{100 * opd.attendance:.0f}%"),
        word("app.class.fact_decree_yes" if opd.in_decree else "app.class.fact_decree_no", lang),
    ]
    return {"facts": facts, "money": money}


def board(game: Game, lang: Lang) -> dict[str, Any]:
    """What the class sees together: how far services came to the same child, and the published figures."""
    model = game.model()
    return {"place": game.place, "published": _published(model, lang), "events": _events(game, lang),
            "month_now": rules.month_of_round(model.first_month, game.state.number),
            "child": child_told(model, lang), "steps": look.steps_told(lang), **progress(game)}  # fmt: skip


def child_told(model: PlayedModel, lang: Lang) -> dict[str, Any]:
    """Age and length of the household's youngest child, and the furthest stage of each service this year."""
    diary = next(iter(model.recorder.diaries), None)
    if diary is None or diary.children.empty:
        return {}
    children, rows = diary.children, diary.services
    last = str(children["month"].iloc[-1])
    youngest = children[children["month"] == last].sort_values("age_months").iloc[0]
    here = rows[(rows["month"] == last) & (rows["child"] == youngest["child"]) & (rows["stage"] != "")]
    names = {each.id: each.name[lang] for each in model.world.services}
    growth = children[(children["child"] == youngest["child"]) & children["laz_true"].notna()]
    line = charts.Line("", growth["month"].tolist(), growth["laz_true"].tolist(), charts.GREEN)
    return {
        "age": int(youngest["age_months"]),
        "laz": float(youngest["laz_true"]),
        "month": last,
        "services": [(names[r.service], str(r.stage)) for r in here.itertuples()],
        "picture": charts.lines(word("app.watch.height", lang), [line], [], lang) if len(growth) > 1 else "",
    }


def teacher(game: Game, lang: Lang) -> dict[str, Any]:
    """What the teacher sees: code, seats, who has decided, what happened."""
    state = game.state
    by_seat = {each.seat: each.name for each in state.players.values()}
    rows = [
        {
            "id": seat.id,
            "name": seat.name,
            "role": word(f"app.class.role_{seat.role}", lang),
            "player": by_seat.get(seat.id, ""),
            "ready": seat.id in state.ready,
        }
        for seat in game.seats.values()
    ]
    start = game.model().first_month
    return {"place": game.place, "code": state.opened["code"], "seats": rows, "events": _events(game, lang),
            "style": state.opened["others"], "month_now": rules.month_of_round(start, state.number),
            **progress(game)}  # fmt: skip


def debriefed(game: Game, said: dict[str, Any], lang: Lang) -> dict[str, Any]:
    """The debrief with names in place of ids."""
    services = {each.id: each.name[lang] for each in game.model().world.services}
    obeyed = []
    for number, (asked, taken) in enumerate(zip(game.state.askings, game.state.rounds)):
        for name in sorted(asked):
            role = next(each.role for each in rules.decisions() if each.id == name)
            seats = [seat.id for seat in game.seats.values() if seat.role == role]
            did = sum(name in taken.get(seat, ()) for seat in seats)
            obeyed.append((number + 1, word(f"app.class.do_{name}", lang), did, len(seats)))
    return {
        "year": said["year"],
        "measures": said["measures"],
        "decisions": {each.id: word(f"app.class.do_{each.id}", lang) for each in rules.decisions()},
        "chain": [{**row, "name": services.get(row["service"], row["service"])} for row in said["chain"]],
        "obeyed": obeyed,
        "seeds": said["of"]["seeds"],
    }
