"""A game of the class: seats, rounds and confirmed decisions, as a log that is written down before it is confirmed.

The log is all there is: the state is what its lines add up to, and the district is simulated anew from them, so a
server that is killed goes on where the last confirmed line was. No browser and no server is needed to play it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from konvergensi.app import class_rules as rules
from konvergensi.app import played, worlds
from konvergensi.app.watch import a_household
from konvergensi.base.errors import InputError, fault
from konvergensi.base.months import parse_month
from konvergensi.base.version import __version__
from konvergensi.inputs.districts import find_district

LOG = "game.jsonl"
MOST_ROUNDS = 20
NAME = 40  # letters of a player's name
STYLES = ("own", "obeys", "shared")


@dataclass
class Player:
    """Somebody at a seat; `secret` is the hash of what the phone keeps."""

    id: str
    seat: str
    name: str
    secret: str


@dataclass
class State:
    """What the log adds up to."""

    opened: dict[str, Any] = field(default_factory=dict)
    players: dict[str, Player] = field(default_factory=dict)
    number: int = 0  # of the round that is being decided
    chosen: dict[str, frozenset[str]] = field(default_factory=dict)  # seat -> standing decisions
    ready: set[str] = field(default_factory=set)  # seats that confirmed this round
    asked: frozenset[str] = frozenset()  # what the coordinator asks for this round
    rounds: list[dict[str, frozenset[str]]] = field(default_factory=list)
    askings: list[frozenset[str]] = field(default_factory=list)
    happened: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether all rounds are played."""
        return self.number >= int(self.opened["rounds"])

    def take(self, line: Mapping[str, Any]) -> None:
        """Add one line of the log."""
        match line["do"]:
            case "open":
                self.opened = dict(line)
            case "join":
                self.players[line["player"]] = Player(line["player"], line["seat"], line["name"], line["secret"])
            case "free":
                self.players = {name: each for name, each in self.players.items() if each.seat != line["seat"]}
                self.ready.discard(line["seat"])
            case "decide":
                self.chosen[line["seat"]] = frozenset(line["taken"])
                self.ready.add(line["seat"])
            case "ask":
                self.asked = frozenset(line["asked"])
            case "move":
                self.rounds.append({seat: frozenset(taken) for seat, taken in line["taken"].items()})
                self.askings.append(self.asked)
                self.happened.append(tuple(line["events"]))
                self.number += 1
                self.asked = frozenset()
                self.ready.clear()


class Game:
    """One game in a folder of its own. Every change is on the disk before the method returns."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state, self._lock = folder, State(), threading.RLock()
        for line in _lines(folder / LOG):
            self.state.take(line)
        self.place = find_district(self.state.opened["source"])
        self.seats = {seat.id: seat for seat in rules.seats(self.place)}
        self._model: tuple[int, played.PlayedModel] | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        source: str,
        *,
        start: str = "2018-01",
        rounds: int = 6,
        others: str = "own",
        events: Mapping[int, Collection[str]] | None = None,
        seed: int = 1,
        families: int = worlds.FAMILIES,
    ) -> Game:
        """Open a game in a new folder.

        Parameters: source, the district; rounds, half years; others, what seats without a player do (own, obeys,
        shared); events, round -> what happens in it; families, how many are simulated. Raises InputError.
        """
        place = find_district(source)
        if others not in STYLES:
            raise InputError(fault("", "others", "choice", value=others, choices=", ".join(STYLES)))
        if not 1 <= rounds <= MOST_ROUNDS:
            raise InputError(fault("", "rounds", "outside", value=rounds, low=1, high=MOST_ROUNDS, unit=""))
        happens = {str(number): sorted(ids) for number, ids in (events or {}).items()}
        if bad := sorted({each for ids in happens.values() for each in ids} - set(rules.events())):
            raise InputError(fault("", "events", "choice", value=bad[0], choices=", ".join(rules.events())))
        parse_month(start)
        folder.mkdir(parents=True)
        share = min(1.0, families / float(place.villages["families"].sum()))
        line = {"do": "open", "version": __version__, "source": source, "start": start, "rounds": rounds,
                "others": others, "events": happens, "seed": seed, "share": share,
                "code": f"{secrets.randbelow(10**6):06d}"}  # fmt: skip
        _append(folder / LOG, line)
        return cls(folder)

    # ---- what players and teacher do ----

    def join(self, code: str, name: str, seat: str = "") -> tuple[Player, str]:
        """Take a seat; returns the player and the secret that its phone keeps.

        Parameters: seat, '' for the next free one. Raises InputError for a wrong code, a name that is taken or empty,
        a seat that is taken or unknown, and a game without free seats.
        """
        with self._lock:
            if not secrets.compare_digest(code.strip().encode(), str(self.state.opened["code"]).encode()):
                raise InputError(fault("", "code", "wrong_code"))
            called = " ".join("".join(each for each in name if each.isprintable()).split())[:NAME]
            taken = {each.seat for each in self.state.players.values()}
            if not called or any(each.name.casefold() == called.casefold() for each in self.state.players.values()):
                raise InputError(fault("", "name", "name_taken"))
            free = [each for each in self.seats if each not in taken]
            if not free:
                raise InputError(fault("", "seat", "no_seat"))
            if seat and seat not in free:
                raise InputError(fault("", "seat", "seat_taken"))
            secret = secrets.token_urlsafe(24)
            player = Player(secrets.token_hex(6), seat or free[0], called, _hash(secret))
            self._do({"do": "join", "player": player.id, "seat": player.seat, "name": called, "secret": player.secret})
            return player, secret

    def player_of(self, secret: str) -> Player | None:
        """Whose secret this is."""
        given = _hash(secret)
        return next((each for each in self.state.players.values() if secrets.compare_digest(each.secret, given)), None)

    def decide(self, secret: str, number: int, taken: Collection[str], asked: Collection[str] = ()) -> None:
        """Confirm a seat's decisions of round `number`; it may be done again until the class moves on.

        Parameters: asked, of the coordinator alone: what it asks the others for. Raises InputError for a stranger,
        another round, and decisions that are not the seat's.
        """
        with self._lock:
            player = self.player_of(secret)
            if player is None:
                raise InputError(fault("", "player", "no_player"))
            seat = self.seats[player.seat]
            if number != self.state.number or self.state.over:
                raise InputError(fault("", "round", "round_over"))
            own = {each.id for each in rules.decisions(seat.role)}
            if strange := sorted(set(taken) - own):
                raise InputError(fault("", "decision", "not_yours", value=strange[0][:40]))
            if asked and seat.role != "bappeda":
                raise InputError(fault("", "ask", "not_yours", value=min(asked)[:40]))
            others = {each.id for each in rules.decisions() if each.role != "bappeda"}
            if strange := sorted(set(asked) - others):
                raise InputError(fault("", "ask", "not_yours", value=strange[0][:40]))
            if seat.role == "bappeda":
                self._do({"do": "ask", "asked": sorted(asked)})
            self._do({"do": "decide", "seat": player.seat, "taken": sorted(taken)})

    def free(self, seat: str) -> None:
        """Free a seat whose player is gone; what it decided stands until somebody else decides."""
        with self._lock:
            self._do({"do": "free", "seat": seat})

    def move(self, number: int) -> None:
        """Let the half year pass: seats without a player do what is scripted, the others what they last decided.

        Raises InputError when the round has been moved on already or the game is over.
        """
        with self._lock:
            if number != self.state.number or self.state.over:
                raise InputError(fault("", "round", "round_over"))
            held = {each.seat for each in self.state.players.values()}
            opened = self.state.opened
            taken = {
                seat.id: self.state.chosen.get(seat.id, frozenset())
                if seat.id in held
                else rules.scripted(opened["others"], self.place, seat, number, self.state.asked, int(opened["seed"]))
                for seat in self.seats.values()
            }
            happens = opened["events"].get(str(number), [])
            named = {seat: sorted(each) for seat, each in taken.items() if each}
            self._do({"do": "move", "round": number, "taken": named, "events": happens})

    def _do(self, line: dict[str, Any]) -> None:
        _append(self.folder / LOG, line)
        self.state.take(line)

    # ---- the district ----

    def model(self) -> played.PlayedModel:
        """The district after the rounds that were played, simulated as far as it is not yet."""
        with self._lock:
            state, opened = self.state, self.state.opened
            number, model = self._model or (0, None)
            if model is None:
                whole = (opened["share"], opened["start"], int(opened["rounds"]))
                model = played.before(opened["source"], opened["seed"], *whole)
            while number < len(state.rounds):
                number += 1
                model.decide(state.rounds[:number], state.happened[:number])
                if not model.recorder.diaries:
                    model.recorder.follow(a_household(model))  # whom the class follows; changes nothing
                played.half(model)
            self._model = (number, model)
            return model


# ---- the log ---------------------------------------------------------------------------------------------------------


def _lines(path: Path) -> list[dict[str, Any]]:
    """The lines that were written whole; what a kill cut off was never confirmed."""
    found = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            found.append(json.loads(line))
        except ValueError:
            raise InputError(fault(path.name, "", "unreadable", reason="game.jsonl")) from None
    return found


def _append(path: Path, line: Mapping[str, Any]) -> None:
    """Write a line down to the disk; what a kill left of another is cut off first."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        whole = os.pread(handle, size, 0).rfind(b"\n") + 1
        if whole != size:
            os.ftruncate(handle, whole)
        os.lseek(handle, 0, os.SEEK_END)
        content = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        while content:
            content = content[os.write(handle, content) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
