"""Programmes (one agency's line for one service from one source of money) and what each child has received."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
class ByService:
    """A column for each service, over children or over households, as `each[service row]`; empty where there is none.

    Columns of one kind stand in one block, (n_columns, n_children) or (n_columns, n_households), so that compiled code
    takes them all at once.
    """

    children: NDArray[Any]
    households: NDArray[Any]
    where: list[tuple[NDArray[Any], int]]  # block and row of each service; row -1: no column

    @classmethod
    def of(cls, kind: type, over: list[int], n: tuple[int, int]) -> ByService:
        """Columns of zeros, one for each service: over children (0), households (1) or none (-1); n, of each."""
        blocks: list[NDArray[Any]] = [np.zeros((over.count(each), n[each]), kind) for each in (0, 1)]
        rows = [over[:s].count(each) if each >= 0 else -1 for s, each in enumerate(over)]
        return cls(blocks[0], blocks[1], [(blocks[max(each, 0)], row) for each, row in zip(over, rows, strict=True)])

    def __getitem__(self, service_row: int) -> NDArray[Any]:
        block, row = self.where[service_row]
        return block[row] if row >= 0 else block.reshape(-1)[:0]

    def __setitem__(self, service_row: int, values: NDArray[Any]) -> None:
        self[service_row][:] = values

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self[s] for s in range(len(self.where)))

    def __len__(self) -> int:
        return len(self.where)


@dataclass(slots=True)
class ServiceBook:
    """What each child or household has received, and its fixed draws, per service.

    rank, fixed_draws: uint16, one column per service over its rows: who is served first among equals, and how readily a
    row takes up what is offered. willing: bool, whether it would take the service up, as last worked out from that draw
    and chance. received: uint8, months, payments or doses delivered so far, taken up or not; `limited` says that a
    course can end before its age window does. in_course, refused: on a worker's caseload or enrolled, and refusals so
    far. taken, gained: deliveries taken up so far and z from them, both always over children. own_draw: uint16, whom an
    agency or village without a register thinks of. Rows are children, or households for services given to households;
    columns are empty where no programme runs the service.
    """

    rank: ByService
    fixed_draws: ByService
    willing: ByService
    received: ByService
    in_course: ByService
    refused: ByService
    taken: ByService
    gained: ByService
    own_draw: ByService
    limited: list[bool]

    @classmethod
    def build(
        cls, services: list[Service], programmes: Programmes, draws: Draws, children: Keys, households: Keys
    ) -> ServiceBook:
        """Draw ranks and fixed draws for the services that some programme runs; the others stay empty."""
        runs = set(programmes.service.tolist())
        from_own = {
            int(s)
            for p, s in enumerate(programmes.service)
            if programmes.register[p] in ("own", "none")
            or SOURCES[programmes.source[p]] == "dana-desa"
            or programmes.register[p] == services[s].who.not_on
        }
        n, each = (len(children), len(households)), range(len(services))
        at_home = [service.unit == "household" for service in services]

        def column(kind: type, of: set[int] = runs) -> ByService:
            return ByService.of(kind, [int(at_home[s]) if s in of else -1 for s in each], n)

        def of_children(kind: type) -> ByService:
            return ByService.of(kind, [0 if s in runs else -1 for s in each], n)

        book = cls(
            rank=column(np.uint16),
            fixed_draws=column(np.uint16),
            willing=column(bool),
            received=column(np.uint8),
            in_course=column(bool),
            refused=column(np.uint8),
            taken=of_children(np.uint8),
            gained=of_children(np.float32),
            own_draw=column(np.uint16, from_own),
            limited=[
                home or one.duration_months < most_deliveries(one) for home, one in zip(at_home, services, strict=True)
            ],
        )
        for s, service in enumerate(services):
            keys = households if at_home[s] else children
            if s in runs:
                book.rank[s], book.fixed_draws[s] = draws.both_halves(f"service {service.id}", 0, keys)
            if s in from_own:
                book.own_draw[s] = draws.halves(f"own list {service.id}", 0, keys)
        return book


def most_deliveries(service: Service) -> int:
    """The most months of delivery that can fall into a child's age window."""
    window = service.to_age - service.from_age + 1
    return -(-window * len(service.months) // 12)
