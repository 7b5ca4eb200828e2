"""Who is met this month, and who first: the rule of reach, a structure nobody can choose by evidence alone.

`lasting-order`: everybody on the list in use, in one lasting random order for each service. Parameters: registers.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import contacts, field, goals, lists, places, registers, shocks, targeting, village_money

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.mechanisms.staff import OfMonth
    from konvergensi.world.children import Children
    from konvergensi.world.households import Households, Mask
    from konvergensi.world.state import World

Order = NDArray[np.uint16]
NOBODY = np.zeros(0, bool)  # for a mask that does not apply
NO_ORDER = np.zeros(0, np.uint16)


class First(NamedTuple):
    """Who is served before others, as `programme_month.put_in_order` asks: what is below 0 or empty does not apply."""

    missed_below: int = -1
    found: Mask = NOBODY
    found_below: int = -1
    joint_from: int = -1
    there: Mask = NOBODY
    there_from: int = -1
    lokus: bool = False
    came: Mask = NOBODY
    came_below: int = -1


class Offer(NamedTuple):
    """One programme's month: masks over the rows of a table, (n,), and the order of the candidates, (m,)."""

    known: Mask  # to the agency
    listed: Mask  # on the target list in use
    at: NDArray[np.intp]  # where those are who may be served this month, from the first row on
    order: Order  # of each of them, lower is served first
    first: First
    begun: Mask = NOBODY  # whose course goes on before new ones begin, in lasting order
    lasting: Order = NO_ORDER


def to_children(
    world: World, service_row: int, programme_row: int, service: Service, rows: slice, left: Mask | None, first: First
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
    rank = world.book.rank[service_row][rows][at]
    return Offer(known, listed, at, *in_order(world, programme_row, rank, children, rows, at, first))


def to_households(
    world: World, service_row: int, programme_row: int, service: Service, need: Mask, left: Mask, first: First
) -> Offer:
    """Whom programme p of service s can serve among all households; left: not served yet."""
    households = world.households
    listed = targeting.household_list(world, programme_row, service, need)
    open_ = places.open_villages(world, programme_row)
    at = contacts.where(listed, left, NOBODY if open_ is None else open_, households.village)
    rank = world.book.rank[service_row][at]
    return Offer(listed, listed, at, *in_order(world, programme_row, rank, households, slice(0, len(need)), at, first))


def in_order(
    world: World,
    programme_row: int,
    rank: Order,
    of: Children | Households,
    rows: slice,
    at: NDArray[np.intp],
    first: First,
) -> tuple[Order, First]:
    """Programme p's own order of the candidates at `at`, (m,) uint16, lower first, and who comes before others.

    rank: the order that chance gives them, (m,). Where villages pay, by their money for each family.
    """
    if (ratio := village_money.per_family(world, programme_row)) is not None:
        rank = village_money.by_money(rank, ratio[of.village[rows][at]])
    if first.found_below >= 0:
        first = first._replace(found=lists.found(world, programme_row, of, rows))
    return rank, first


class Before(NamedTuple):
    """Whom each programme serves before others this month, (n_programmes,) each; `of` puts it together for one."""

    usual: Usual
    joined: Mask  # it uses the joined list
    handed: Mask  # it uses a list handed over
    joint_from: NDArray[np.int64]
    missed_below: int  # of those that use the joined list
    found_below: int  # of those that use a list handed over

    def of(self, programme_row: int) -> First:
        """For programme p; who was found on a list is for `in_order` to say."""
        p, usual = programme_row, self.usual
        row = int(usual.row[p])
        return First(
            missed_below=self.missed_below if self.joined[p] else -1,
            found_below=self.found_below if self.handed[p] else -1,
            joint_from=int(self.joint_from[p]),
            there=NOBODY if row < 0 else usual.there[row],
            there_from=int(usual.there_from[p]),
            lokus=bool(usual.lokus[p]),
        )


class Usual(NamedTuple):
    """Whom programmes serve first whatever their lists, as settings have it; columns are (n_programmes,)."""

    lokus: Mask
    row: NDArray[np.int64]  # of `there`, -1 where field workers do not work together
    there_from: NDArray[np.int64]
    there: Mask  # villages, (n_rows, n_villages)
    alike: list[int]  # one programme of each agency and of those that ministry rules bind
    kind: NDArray[np.intp]  # of `alike`


def before_others(world: World) -> Before:
    """Whom each programme serves first this month.

    Lokus villages come first where the money follows them; then, as far as the agency targets jointly, the families of
    the joint list; then, as far as linked records are used to see it, those who have not had the service yet.
    """
    settings, usual = world.settings, _usually_first(world)
    joined, handed, joint = [], [], []  # programmes of an agency under the same rules have the same lists
    for p in usual.alike:
        share = 0.0 if world.burn_in else goals.joint_share(world, p)
        joined.append(not world.burn_in and registers.uses_joined_list(world, p))
        handed.append(not world.burn_in and lists.uses(world, p))
        joint.append(int(share * 65535) if share > 0.0 else -1)
    missed, found = settings["registers.missed_first_share"], settings["lists.first_share"]
    return Before(
        usual,
        np.array(joined, bool)[usual.kind],
        np.array(handed, bool)[usual.kind],
        np.array(joint, np.int64)[usual.kind],
        part_of_keys(missed) if missed > 0.0 else -1,
        part_of_keys(found) if found > 0.0 else -1,
    )


def _usually_first(world: World) -> Usual:
    """Whom each programme serves first whatever its lists, worked out once."""
    key = ("first", world.burn_in)
    if key not in world.derived:
        book, every = world.programmes, range(len(world.programmes))
        found = [field.together_in(world, p) for p in every]
        masks = {id(each[0]): each[0] for each in found if each is not None}
        rows = {name: row for row, name in enumerate(masks)}
        kinds: dict[tuple[int, bool], int] = {}  # agency, whether ministry rules bind -> its first programme
        asks = list(zip(book.opd.tolist(), book.rigid.tolist(), strict=True))
        for p, kind in enumerate(asks):
            kinds.setdefault(kind, p)
        world.derived[key] = Usual(
            np.array([places.lokus_first(world, p) for p in every], bool),
            np.array([-1 if each is None else rows[id(each[0])] for each in found], np.int64),
            np.array([-1 if each is None else int(each[1] * 65535) for each in found], np.int64),
            np.array(list(masks.values())) if masks else np.zeros((0, len(world.lokus)), bool),
            list(kinds.values()),
            np.array([list(kinds).index(kind) for kind in asks], np.intp),
        )
    usual: Usual = world.derived[key]
    return usual


def part_of_keys(share: float) -> int:
    """Keys below it are a share of all families or children, the same ones each time."""
    return int(share * (2**32 - 1))


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


def staff_of_programmes(world: World) -> OfMonth | None:
    """The staff of an agency are one: they have no places of their own."""
    return None


def use_staff(world: World, programme_row: int, units: int) -> None:
    """Take services delivered from the programme's staff time (in place)."""
    book = world.programmes
    book.staff_time[programme_row] = max(book.staff_time[programme_row] - units, 0.0)


def has_course(service: Service) -> bool:
    """Whether it is remembered whose course has begun and who refused: nothing but what was received is."""
    return False


def remember(world: World, service: Service, rows: slice, who: NDArray[np.intp]) -> None:
    """Nothing is remembered of a visit."""


def staff_capacity(world: World, programme_row: int) -> float:
    """Services of programme p that the agency's field staff can deliver in a month."""
    opd = world.opds[world.programmes.opd[programme_row]]
    each = world.settings["delivery.contacts_per_staff_month"] * shocks.in_force(world.settings, "home_contact_share")
    return float(opd.staff * world.population_share * each * world.programmes.staff_share[programme_row])
