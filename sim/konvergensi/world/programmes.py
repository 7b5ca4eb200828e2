"""Programmes (one agency's line for one service from one source of money) and what each child has received."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.world.draws import Draws, Keys

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.services import Service

SOURCES = ("apbn", "dak", "apbd", "dana-desa", "csr")
Money = NDArray[np.float64]


@dataclass(slots=True)
class Programmes:
    """Columns over programmes, (n_programmes,); money in rupiah of the simulated share of the district.

    Within the fiscal year planned >= budgeted >= released >= spent >= 0, and spent = units * unit_cost + overhead.
    """

    id: list[str]
    service: NDArray[np.intp]
    opd: NDArray[np.intp]
    source: NDArray[np.intp]  # index into SOURCES
    register: list[str]
    location: list[str]  # all, central, lokus
    rigid: NDArray[np.bool_]  # ministry rules: the programme's own list only
    unit_cost: Money  # Rp per unit, before overhead and travel
    unit_cost_key: list[str | None]  # the parameter it follows; None where the district states its own
    line: Money  # what inertia copies: this year's budget before any relocation
    planned: Money
    budgeted: Money
    released: Money
    spent: Money
    units: Money  # services delivered this fiscal year
    overhead: Money
    need: Money  # yearly cost of serving the agency's own list, as last analysed
    wanted: Money  # cost of serving every candidate, added up over the months of this year
    wanted_last_year: Money
    waiting: Money  # proposals that missed their door
    lapsed: Money  # last year's budget that was not spent
    lapsed_of: Money  # last year's budget
    trimmed: Money  # of that, what the review takes off next year's line
    granted: Money  # new money of the regular round in this year's line
    accepted: Money  # proposals that passed it, for next year
    next_planned: Money
    next_line: Money
    staff_share: NDArray[np.float64]  # share of the agency's field staff
    staff_time: Money  # services the staff can still deliver; below one a month, time adds up until it is one
    routine: Money  # meetings a month that the first year's line paid for: their staff time is kept
    short: Money  # services of this year that money would have paid for and no staff were there for
    ran: NDArray[np.bool_]  # it has looked for people to serve at least once
    policy: Money  # what a policy's events of money give to this year's budget, or take from it
    policy_asked: tuple[float, ...] = ()  # what they asked when it was last worked out (mechanisms/policy_money.py)
    relocated: bool = False  # this year's unreleased money has been moved by a shock

    def __len__(self) -> int:
        return len(self.id)


def build_programmes(
    district: District,
    services: list[Service],
    opd_ids: list[str],
    unit_costs: dict[str, float],
) -> Programmes:
    """Columns from the district's programme list, without money yet (see mechanisms/budget.py: first_lines)."""
    index = {service.id: i for i, service in enumerate(services)}
    specs = district.programmes
    n = len(specs)

    def zero() -> Money:
        return np.zeros(n)

    return Programmes(
        id=[spec.id for spec in specs],
        service=np.array([index[spec.service] for spec in specs], np.intp),
        opd=np.array([opd_ids.index(spec.opd) for spec in specs], np.intp),
        source=np.array([SOURCES.index(spec.money) for spec in specs], np.intp),
        register=[spec.register or services[index[spec.service]].register or "own" for spec in specs],
        location=[spec.location for spec in specs],
        rigid=np.array([spec.rigid for spec in specs], bool),
        unit_cost=np.array([spec.unit_cost_rp or unit_costs[spec.service] for spec in specs], float),
        unit_cost_key=[None if spec.unit_cost_rp else f"services.{spec.service}.unit_cost_rp" for spec in specs],
        line=zero(),
        planned=zero(),
        budgeted=zero(),
        released=zero(),
        spent=zero(),
        units=zero(),
        overhead=zero(),
        need=zero(),
        wanted=zero(),
        wanted_last_year=zero(),
        waiting=zero(),
        lapsed=zero(),
        lapsed_of=zero(),
        trimmed=zero(),
        granted=zero(),
        accepted=zero(),
        next_planned=zero(),
        next_line=zero(),
        staff_share=zero(),
        staff_time=zero(),
        routine=zero(),
        short=zero(),
        ran=np.zeros(n, bool),
        policy=zero(),
    )


@dataclass(slots=True)
class ServiceBook:
    """What each child or household has received, and its fixed draws, per service.

    rank, fixed_draws: uint16, one array per service over its rows: who is served first among equals, and how readily a
    row takes up what is offered. willing: bool, whether it would take the service up, as last worked out from that draw
    and chance. received: uint8, months, payments or doses delivered so far, taken up or not; `limited` says that a
    course can end before its age window does. in_course, refused: on a worker's caseload or enrolled, and refusals so
    far. taken, gained: deliveries taken up so far and z from them, both always over children. own_draw: uint16, by
    service id, whom an agency or village without a register thinks of. Rows are children, or households for services
    given to households; arrays are empty where no programme runs the service.
    """

    rank: list[NDArray[np.uint16]] = field(default_factory=list)
    fixed_draws: list[NDArray[np.uint16]] = field(default_factory=list)
    willing: list[NDArray[np.bool_]] = field(default_factory=list)
    received: list[NDArray[np.uint8]] = field(default_factory=list)
    in_course: list[NDArray[np.bool_]] = field(default_factory=list)
    refused: list[NDArray[np.uint8]] = field(default_factory=list)
    taken: list[NDArray[np.uint8]] = field(default_factory=list)
    gained: list[NDArray[np.float32]] = field(default_factory=list)
    limited: list[bool] = field(default_factory=list)
    own_draw: dict[str, NDArray[np.uint16]] = field(default_factory=dict)

    @classmethod
    def build(
        cls, services: list[Service], programmes: Programmes, draws: Draws, children: Keys, households: Keys
    ) -> ServiceBook:
        """Draw ranks and fixed draws for the services that some programme runs; the others stay empty."""
        in_use = set(programmes.service.tolist())
        from_own = {
            int(s)
            for p, s in enumerate(programmes.service)
            if programmes.register[p] in ("own", "none")
            or SOURCES[programmes.source[p]] == "dana-desa"
            or programmes.register[p] == services[s].who.not_on
        }
        book = cls()
        for i, service in enumerate(services):
            keys = households if service.unit == "household" else children
            keys = keys if i in in_use else keys[:0]
            rank, fixed_draws = draws.both_halves(f"service {service.id}", 0, keys)
            book.rank.append(rank)
            book.fixed_draws.append(fixed_draws)
            book.willing.append(np.zeros(len(keys), bool))
            limited = service.unit == "household" or service.duration_months < most_deliveries(service)
            book.limited.append(limited)
            book.received.append(np.zeros(len(keys), np.uint8))
            book.in_course.append(np.zeros(len(keys), bool))
            book.refused.append(np.zeros(len(keys), np.uint8))
            book.taken.append(np.zeros(len(children) if i in in_use else 0, np.uint8))
            book.gained.append(np.zeros(len(children) if i in in_use else 0, np.float32))
            if i in from_own:
                book.own_draw[service.id] = draws.halves(f"own list {service.id}", 0, keys)
        return book


def most_deliveries(service: Service) -> int:
    """The most months of delivery that can fall into a child's age window."""
    window = service.to_age - service.from_age + 1
    return -(-window * len(service.months) // 12)
