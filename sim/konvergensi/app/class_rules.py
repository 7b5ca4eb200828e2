"""The rules of the class as data: seats, decisions and events of class.toml, and what decisions mean as a policy."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from konvergensi.analyses.gaps_plan import EQUAL_MONEY, GAPS
from konvergensi.base.files import read_toml
from konvergensi.base.months import format_month
from konvergensi.inputs.changes import Change
from konvergensi.inputs.fields import Choice, Id, Scalar, Table, Text, validated
from konvergensi.inputs.scenarios import Scenario, load_scenario, resolve

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Value

FILE = Path(__file__).with_name("class.toml")
HALF = 6  # months of a round
Role = Literal["bappeda", "opd", "desa"]
Choices = Mapping[str, frozenset[str]]  # seat -> ids of decisions it has taken


class Decision(Table):
    """One thing that a seat can do in a half year, or leave."""

    id: Text
    role: Annotated[Role, Choice]
    gap: Annotated[Literal["socialization", "data", "timing"], Choice]
    keys: list[Text]
    own: list[Text] = Field(default_factory=list)


class Event(Table):
    """What happens to the district in a half year, whatever is decided."""

    id: Id
    set: dict[str, Scalar]


class _File(Table):
    decision: list[Decision]
    event: list[Event]


@functools.cache
def _read() -> _File:
    return validated(_File, read_toml(FILE), FILE)


def decisions(role: str = "") -> tuple[Decision, ...]:
    """The decisions, those of one role, in the order of the file."""
    return tuple(each for each in _read().decision if not role or each.role == role)


def events() -> dict[str, Event]:
    """The events by id."""
    return {each.id: each for each in _read().event}


# ---- seats -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seat:
    """Who can be played: `bappeda`, `opd:<id>`, `desa:<kecamatan>`."""

    id: str
    role: Role
    name: str  # of the agency, or of the kecamatan whose villages it is

    @property
    def of(self) -> str:
        """The agency's id or the kecamatan."""
        return self.id.partition(":")[2]


def seats(place: District) -> tuple[Seat, ...]:
    """The seats of a district: the coordinator, the agencies with a programme, the villages by kecamatan."""
    coordinator = next((opd for opd in place.opd if opd.role == "coordinator"), place.opd[0])
    runs = [each.opd for each in place.programmes]
    agencies = sorted((opd for opd in place.opd if opd.id in runs), key=lambda opd: -runs.count(opd.id))
    found = [Seat("bappeda", "bappeda", coordinator.name)]
    found += [Seat(f"opd:{opd.id}", "opd", opd.name) for opd in agencies]
    sizes = place.villages.groupby("kecamatan")["families"].sum().sort_values(ascending=False, kind="stable")
    return (*found, *(Seat(f"desa:{name}", "desa", str(name)) for name in sizes.index))


# ---- what decisions mean ---------------------------------------------------------------------------------------------


@functools.cache
def closed_values() -> dict[str, Value]:
    """What a key becomes when everybody decides so: from the policies that close the gaps."""
    return {change.key: change.value for gap in GAPS for change in load_scenario(f"close-{gap}").changes}


def shares(place: District, chosen: Choices) -> dict[str, float]:
    """Share of the seats of its role that took each decision, 0..1."""
    all_seats = seats(place)
    found = {}
    for each in decisions():
        role = [seat.id for seat in all_seats if seat.role == each.role]
        found[each.id] = sum(each.id in chosen.get(seat, ()) for seat in role) / len(role) if role else 0.0
    return found


def between(base: Value, closed: Value, share: float) -> Value:
    """A value when this share of a role decides so: a number moves in proportion, a yes/no or a word only with all."""
    if share >= 1.0:
        return closed
    if isinstance(base, (bool, str)) or isinstance(closed, (bool, str)):
        return base
    moved = base + (closed - base) * share
    return round(moved) if isinstance(base, int) else float(moved)


def policy(
    place: District, rounds: Sequence[Choices], happened: Sequence[Collection[str]], start: int, end: int
) -> Scenario:
    """The scenario that rounds of decisions and events come to, each round six months, the first from `start`.

    A key is written in the months in which it moves; where nobody decides, the district's own history holds.
    """
    baseline = resolve(load_scenario("baseline"), place, EQUAL_MONEY, start, end)
    history = sorted(baseline.changes, key=lambda change: change.month)

    def standing(key: str, month: int) -> Value:
        found: Value = baseline.initial[key]
        for change in history:
            if change.key == key and change.month <= month:
                found = change.value
        return found

    changes: list[Change] = []
    before: dict[str, float] = {}
    begun: dict[str, Value] = {}
    for number, chosen in enumerate(rounds):
        month, now = start + HALF * number, shares(place, chosen)
        for each in decisions():
            if now[each.id] == before.get(each.id, 0.0):
                continue
            for key in each.keys:
                value = between(standing(key, month), closed_values()[key], now[each.id])
                changes.append(Change(month, key, value, "class"))
        before = now
        begun = _events(changes, begun, happened[number] if number < len(happened) else (), standing, month)
    kept = {(change.month, change.key): change for change in changes if change.month <= end}
    base = load_scenario("baseline")
    ordered = tuple(sorted(kept.values(), key=lambda change: change.month))
    return Scenario("class", base.title, base.question, None, ordered, base.path, base.hashes)


def _events(
    changes: list[Change], begun: Mapping[str, Value], ids: Iterable[str], standing: object, month: int
) -> dict[str, Value]:
    """Write what happens in this round, and put back what happened in the last one."""
    assert callable(standing)
    now = {key: value for name in ids for key, value in events()[name].set.items()}
    for key in begun.keys() | now.keys():
        if begun.get(key) != now.get(key):
            changes.append(Change(month, key, now.get(key, standing(key, month)), "event"))
    return now


def only(rounds: Sequence[Choices], ids: Collection[str]) -> list[dict[str, frozenset[str]]]:
    """The same rounds with these decisions alone."""
    return [{seat: taken & frozenset(ids) for seat, taken in chosen.items()} for chosen in rounds]


# ---- seats that nobody plays -----------------------------------------------------------------------------------------


def scripted(style: str, place: District, seat: Seat, number: int, asked: Collection[str], game: int) -> frozenset[str]:
    """What a seat without a player decides in round `number`.

    style: `own`, everyone for himself: nothing; `shared`, everything in time; `obeys`, what the coordinator asked for,
    an agency the likelier the less sectoral ego it has (villages as the mean), by a draw of the game and the round.
    """
    ids = [each.id for each in decisions(seat.role)]
    if style == "shared":
        return frozenset(ids)
    if style == "own" or seat.role == "bappeda":
        return frozenset()
    egos = {opd.id: opd.ego for opd in place.opd}
    ego = egos.get(seat.of, sum(egos.values()) / len(egos))
    drawn = {name: zlib.crc32(f"{game} {seat.id} {name} {number}".encode()) / 2**32 for name in ids}
    return frozenset(name for name in ids if name in asked and drawn[name] >= ego)


def month_of_round(start: int, number: int) -> str:
    """First month of a round."""
    return format_month(start + HALF * number)
