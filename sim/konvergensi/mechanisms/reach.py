"""Who is met this month, and who first: the rule of reach, a structure nobody can choose by evidence alone.

`lasting-order`: everybody on the list in use, in one lasting random order for each service. Parameters: registers.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.mechanisms import field, goals, lists, places, registers, shocks, targeting, village_money

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.children import Children
    from konvergensi.world.households import Households, Mask
    from konvergensi.world.state import World

Order = NDArray[np.uint16]


@dataclass(slots=True)
class Offer:
    """One programme's month: masks over the rows of a table, (n,), and the order of the candidates, (m,)."""

    known: Mask  # to the agency
    listed: Mask  # on the target list in use
    at: NDArray[np.intp]  # where those are who may be served this month, from the first row on
    order: Order  # of each of them, lower is served first


def to_children(
    world: World, service_row: int, programme_row: int, service: Service, rows: slice, left: Mask | None
) -> Offer:
    """Whom programme p of service s can serve among the children in `rows`; left: not served yet, None for all."""
    children = world.children
    known, listed = targeting.child_list(world, programme_row, service, rows)
    candidates = listed if left is None else listed & left
    if (open_ := places.open_villages(world, programme_row)) is not None:
        candidates = candidates & open_[children.village[rows]]
    if service.place.at_posyandu:
        candidates = candidates & world.came(rows)
    at = np.flatnonzero(candidates)
    return Offer(
        known,
        listed,
        at,
        serving_order(world, programme_row, world.book.rank[service_row][rows][at], children, rows, at),
    )


def to_households(
    world: World, service_row: int, programme_row: int, service: Service, need: Mask, left: Mask
) -> Offer:
    """Whom programme p of service s can serve among all households; left: not served yet."""
    households = world.households
    listed = targeting.household_list(world, programme_row, service, need)
    candidates = listed & left
    if (open_ := places.open_villages(world, programme_row)) is not None:
        candidates &= open_[households.village]
    at = np.flatnonzero(candidates)
    return Offer(
        listed,
        listed,
        at,
        serving_order(world, programme_row, world.book.rank[service_row][at], households, slice(0, len(need)), at),
    )


def serving_order(
    world: World, programme_row: int, rank: Order, of: Children | Households, rows: slice, at: NDArray[np.intp]
) -> Order:
    """Order in which programme p serves, (m,) uint16, lower first: its own order, unless lists or places lead.

    rank: its own order of the candidates at `at`, (m,), of `rows` of a table.

    Lokus villages come first where the money follows them; then, as far as the agency targets jointly, the families of
    the joint list; then, as far as linked records are used to see it, those who have not had the service yet.
    """
    order = rank
    if (ratio := village_money.per_family(world, programme_row)) is not None:
        order = village_money.by_money(order, ratio[of.village[rows][at]])
    if (
        registers.uses_joined_list(world, programme_row)
        and (share := world.settings["registers.missed_first_share"]) > 0.0
    ):
        had = world.book.received[int(world.programmes.service[programme_row])][rows][at] > 0
        order = behind(order, had & (of.key[rows][at] < np.uint32(share * (2**32 - 1))))
    if (later := lists.not_found(world, programme_row, of, rows, at)) is not None:
        order = behind(order, later)
    if (share := goals.joint_share(world, programme_row)) > 0.0:
        order = behind(order, of.joint[rows][at] >= np.uint16(share * 65535))
    if (later := field.later(world, programme_row, of, rows, at)) is not None:
        order = behind(order, later)
    if places.lokus_first(world, programme_row):
        order = (order >> np.uint16(1)) | of.behind[rows][at]
    return order


def _behind_in_columns(order: Order, later: Mask) -> Order:
    return (order >> np.uint16(1)) | (later.astype(np.uint16) << np.uint16(15))


@compiled(_behind_in_columns)
def behind(order, later):  # type: ignore[no-untyped-def]
    """Put the rows of `later` behind all others, each part in its order, (n,) uint16."""
    found = np.empty(len(order), np.uint16)
    for i in range(len(order)):
        found[i] = (order[i] >> 1) | (np.uint16(later[i]) << 15)
    return found


# ---- staff -----------------------------------------------------------------------------------------------------------


def takes_staff(service: Service) -> bool:
    """Whether an agency's field staff must be there."""
    return service.place.by_staff


def is_a_visit(service: Service) -> bool:
    """Whether it takes a meeting at home or in a clinic, which a shock can call off."""
    return takes_staff(service)


def staff_left(world: World, programme_row: int) -> float:
    """Services that programme p's share of the agency's field staff can still deliver; below one, time adds up."""
    book = world.programmes
    capacity = staff_capacity(world, programme_row)
    book.staff_time[programme_row] = min(book.staff_time[programme_row] + capacity, max(capacity, 1.0))
    return float(book.staff_time[programme_row])


def use_staff(world: World, programme_row: int, villages: NDArray[np.integer], step: NDArray[np.uint16]) -> None:
    """Take services delivered (n,) from the programme's staff time (in place); the staff of an agency are one."""
    book = world.programmes
    book.staff_time[programme_row] = max(book.staff_time[programme_row] - len(step), 0.0)


def remember(world: World, service_row: int, service: Service, rows: slice, given: Mask, takes: Mask) -> None:
    """Nothing but what was received is remembered."""


def staff_capacity(world: World, programme_row: int) -> float:
    """Services of programme p that the agency's field staff can deliver in a month."""
    opd = world.opds[world.programmes.opd[programme_row]]
    each = world.settings["delivery.contacts_per_staff_month"] * shocks.in_force(world.settings, "home_contact_share")
    return float(opd.staff * world.population_share * each * world.programmes.staff_share[programme_row])
