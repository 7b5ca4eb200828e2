"""Who is met this month, and who first: the rule of reach, a structure nobody can choose by evidence alone.

`lasting-order`: everybody on the list in use, in one lasting random order for each service. Parameters: registers.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import goals, places, registers, shocks, targeting

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


def to_children(world: World, s: int, p: int, service: Service, rows: slice, left: Mask | None) -> Offer:
    """Whom programme p of service s can serve among the children in `rows`; left: not served yet, None for all."""
    children = world.children
    known, listed = targeting.child_list(world, p, service, rows)
    candidates = listed if left is None else listed & left
    if (open_ := places.open_villages(world, p)) is not None:
        candidates = candidates & open_[children.village[rows]]
    if service.place.at_posyandu:
        candidates = candidates & world.came(rows)
    at = np.flatnonzero(candidates)
    return Offer(known, listed, at, serving_order(world, p, world.book.rank[s][rows][at], children, rows, at))


def to_households(world: World, s: int, p: int, service: Service, need: Mask, left: Mask) -> Offer:
    """Whom programme p of service s can serve among all households; left: not served yet."""
    households = world.households
    listed = targeting.household_list(world, p, service, need)
    candidates = listed & left
    if (open_ := places.open_villages(world, p)) is not None:
        candidates &= open_[households.village]
    at = np.flatnonzero(candidates)
    return Offer(
        listed, listed, at, serving_order(world, p, world.book.rank[s][at], households, slice(0, len(need)), at)
    )


def serving_order(
    world: World, p: int, rank: Order, of: Children | Households, rows: slice, at: NDArray[np.intp]
) -> Order:
    """Order in which programme p serves, (m,) uint16, lower first: its own order, unless lists or places lead.

    rank: its own order of the candidates at `at`, (m,), of `rows` of a table.

    Lokus villages come first where the money follows them; then, as far as the agency targets jointly, the families of
    the joint list; then, as far as linked records are used to see it, those who have not had the service yet.
    """
    order = rank
    if registers.uses_joined_list(world, p) and (share := world.settings["registers.missed_first_share"]) > 0.0:
        had = world.book.received[int(world.programmes.service[p])][rows][at] > 0
        order = behind(order, had & (of.key[rows][at] < np.uint32(share * (2**32 - 1))))
    if (share := goals.joint_share(world, p)) > 0.0:
        order = behind(order, of.joint[rows][at] >= np.uint16(share * 65535))
    if places.lokus_first(world, p):
        order = (order >> np.uint16(1)) | of.behind[rows][at]
    return order


def behind(order: Order, later: Mask) -> Order:
    """Put the rows of `later` behind all others, each part in its order, (n,) uint16."""
    return (order >> np.uint16(1)) | (later.astype(np.uint16) << np.uint16(15))


# ---- staff -----------------------------------------------------------------------------------------------------------


def takes_staff(service: Service) -> bool:
    """Whether an agency's field staff must be there."""
    return service.place.by_staff


def is_a_visit(service: Service) -> bool:
    """Whether it takes a meeting at home or in a clinic, which a shock can call off."""
    return takes_staff(service)


def staff_left(world: World, p: int) -> float:
    """Services that programme p's share of the agency's field staff can still deliver; below one, time adds up."""
    book = world.programmes
    capacity = staff_capacity(world, p)
    book.staff_time[p] = min(book.staff_time[p] + capacity, max(capacity, 1.0))
    return float(book.staff_time[p])


def use_staff(world: World, p: int, units: int) -> None:
    """Take services delivered from the programme's staff time (in place)."""
    book = world.programmes
    book.staff_time[p] = max(book.staff_time[p] - units, 0.0)


def remember(world: World, s: int, service: Service, rows: slice, given: Mask, takes: Mask) -> None:
    """Nothing but what was received is remembered."""


def staff_capacity(world: World, p: int) -> float:
    """Services of programme p that the agency's field staff can deliver in a month."""
    opd = world.opds[world.programmes.opd[p]]
    each = world.settings["delivery.contacts_per_staff_month"] * shocks.in_force(world.settings, "home_contact_share")
    return float(opd.staff * world.population_share * each * world.programmes.staff_share[p])
