"""Money as a lever: events `budget.add`, `budget.fund` and `budget.cut` of a policy, as dated changes of parameters.

- add: `amount` rupiah a year more for the line of an `agency`, `service` and `source`;
- fund: the line pays for a `share` of the service's target group;
- cut: a `share` of the year's budget goes, of one line, of one or several sources, or of `all`.

Each acts `from` a month (`2026-01`, `next January`, `Januari depan`) in every fiscal year until the December `until`,
or to the end. Events on the same line add up, cuts one after the other. In the model: mechanisms/policy_money.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from konvergensi.base.errors import Fault, InputError, fault
from konvergensi.base.months import format_month, month_of
from konvergensi.inputs.changes import Change, until_fault
from konvergensi.inputs.fields import Choice, Id, Money, Rupiah, Share, Table, When
from konvergensi.inputs.institutions import institutions
from konvergensi.inputs.services import load_services

SOURCES = ("apbn", "dak", "apbd", "dana-desa", "csr")
Cuttable = Literal["all", "apbn", "dak", "apbd", "dana-desa", "csr"]
Kind = Literal["add", "fund", "cut"]
FIELDS: dict[Kind, str] = {"add": "add_rp", "fund": "funded_share", "cut": "cut_share"}


@dataclass(frozen=True, slots=True)
class MoneyEvent:
    """One event on one key, in force from `first` to `last` (None: to the end); amount in Rp a year, or a share."""

    kind: Kind
    key: str
    amount: float
    first: int
    last: int | None
    origin: str


class _Dated(Table):
    month: When = Field(alias="from")
    until: When | None = None


class _Line(_Dated):
    agency: Id
    service: Id
    source: Annotated[Money, Choice]

    @property
    def line(self) -> str:
        return f"{self.agency}:{self.service}:{self.source}"


class _Add(_Line):
    amount: Rupiah


class _Fund(_Line):
    share: Share


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class _Cut(_Dated):
    share: Share
    source: Annotated[list[Annotated[Cuttable, Choice]], BeforeValidator(_as_list)] = Field(["all"], min_length=1)
    agency: Id | None = None
    service: Id | None = None


class BudgetEvents(Table):
    """The table `budget` of a policy."""

    add: list[_Add] = Field(default_factory=list)
    fund: list[_Fund] = Field(default_factory=list)
    cut: list[_Cut] = Field(default_factory=list)


def events_of(written: BudgetEvents, path: Path) -> list[MoneyEvent]:
    """The events of a policy's file. Raises InputError: an end that is no December, a cut that nobody may make."""
    found: list[MoneyEvent] = []
    faults: list[Fault] = []
    for kind, entries in (("add", written.add), ("fund", written.fund), ("cut", written.cut)):
        for number, entry in enumerate(entries, start=1):
            place = f"budget.{kind}[#{number}]"
            if wrong := [*_until_faults(entry, path, place), *_line_faults(entry, path, place)]:
                faults += wrong
                continue
            amount = entry.amount if isinstance(entry, _Add) else entry.share  # type: ignore[attr-defined]
            found += [
                MoneyEvent(kind, key, amount, entry.month, entry.until, path.name)  # type: ignore[arg-type]
                for key in _keys(kind, entry)
            ]
    if faults:
        raise InputError(faults)
    return found


def _until_faults(entry: _Dated, path: Path, place: str) -> list[Fault]:
    if entry.until is not None and month_of(entry.until) != 12:
        december = format_month(entry.until // 12 * 12 + 11)
        return [fault(path, f"{place}.until", "not_december", value=format_month(entry.until), month=december)]
    return until_fault(path, f"{place}.until", entry.month, entry.until)


def _line_faults(entry: Any, path: Path, place: str) -> list[Fault]:
    """What a line lacks to be one, and what may not be done with it."""
    if isinstance(entry, _Cut):
        if entry.agency is None and entry.service is None:
            return []
        if entry.agency is None or entry.service is None or len(entry.source) != 1 or entry.source == ["all"]:
            return [fault(path, place, "half_a_line")]
        if institutions().kept_share(entry.service) == 1.0:
            return [fault(path, f"{place}.service", "floor", value=entry.service)]
        return []
    rule = institutions().source[entry.source]
    if entry.service in load_services() and not rule.may_pay(entry.service):
        return [fault(path, f"{place}.source", "may_not_pay", value=entry.source, service=entry.service,
                      choices=", ".join(rule.pays))]  # fmt: skip
    return []


def _keys(kind: str, entry: Any) -> list[str]:
    """The parameters an event sets."""
    if kind != "cut":
        return [f"programmes.{entry.line}.{FIELDS[kind]}"]  # type: ignore[index]
    if entry.agency is not None:
        return [f"programmes.{entry.agency}:{entry.service}:{entry.source[0]}.{FIELDS['cut']}"]
    sources = SOURCES if "all" in entry.source else dict.fromkeys(entry.source)
    return [cut_key(source) for source in sources]


def cut_key(source: str) -> str:
    """The parameter that cuts a whole source."""
    return f"budget.{source.replace('-', '_')}_cut_share"


def as_changes(events: Iterable[MoneyEvent]) -> list[Change]:
    """Dated changes of the parameters: at each month in which an event of a key begins or has ended."""
    by_key: dict[str, list[MoneyEvent]] = {}
    for event in events:
        by_key.setdefault(event.key, []).append(event)
    found: list[Change] = []
    for key, own in by_key.items():
        months = sorted({each.first for each in own} | {each.last + 1 for each in own if each.last is not None})
        for month in months:
            there = [each for each in own if each.first <= month and (each.last is None or month <= each.last)]
            origin = there[-1].origin if there else own[-1].origin
            found.append(Change(month, key, _together(own[0].kind, [each.amount for each in there]), origin))
    return found


def _together(kind: Kind, amounts: list[float]) -> float:
    if kind == "add":
        return float(sum(amounts))
    if kind == "fund":
        return max(amounts, default=0.0)
    return amounts[0] if len(amounts) == 1 else 1.0 - math.prod(1.0 - each for each in amounts)


def is_money(key: str) -> bool:
    """Whether a key is one that events of money set."""
    return key.startswith("programmes.") or key in {cut_key(source) for source in SOURCES}
