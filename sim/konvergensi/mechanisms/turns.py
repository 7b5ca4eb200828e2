"""What the compiled month of children asks for, gathered: the turns of programmes as numbers, and the month's columns.

A turn is one programme's month for one service. What a turn is in every month of the year is worked out once as long as
settings stand; the rest is gathered each month. See month_of_children.py; parameters: contacts.toml, registers.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import COMPILES
from konvergensi.mechanisms import contacts, effects, lists, meetings, needs, places, reach, registers, staff, village_money
from konvergensi.mechanisms import month_of_children as compiled
from konvergensi.mechanisms.month_of_children import Book, Listed, Means, Now, People
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.mechanisms.purses import Purses
    from konvergensi.mechanisms.reach import First
    from konvergensi.mechanisms.staff import OfMonth
    from konvergensi.world.households import Mask
    from konvergensi.world.state import World

Table = NDArray[np.int64]
ON = COMPILES  # without it programmes are served one by one, with the same bits
CONTACTS = {
    "posyandu": compiled.PLACE,
    "health-centre": compiled.PLACE,
    "antenatal": compiled.VISIT,
    "office": compiled.OFFICE,
    "transfer": compiled.FROM_LIST,
    "works": compiled.FROM_LIST,
    "birth": compiled.FROM_LIST,
}
NOT_ASKED = -1
NOBODY = np.zeros(0, bool)


class Plan(NamedTuple):
    """The turns of a month of the year, (n_turns,), and the order in which they and other services are served."""

    fixed: Table  # (n_turns, N_FIXED)
    steps: list[tuple[int, int, int]]  # turns from .. to, or the row of a service that is served by itself
    ages: Table  # (2, n_turns) from, to
    stocked: list[int]  # services whose stock counts
    begun: list[tuple[int, int]]  # of the draws of each turn


def possible(world: World) -> bool:
    """Whether the structures in force are those that the compiled month knows."""
    return ON and world.settings["contacts.reach"] == "contacts" and not effects.one_by_one(world)


def plan(world: World, due: list[int], enough: list[int]) -> Plan:
    """The turns of the services that are `due`, worked out once for each month of the year.

    enough: deliveries that make an adequate dose of each service, (n_services,).
    """
    key = ("turns", world.month_of_year, world.burn_in, tuple(due))
    if key not in world.derived:
        world.derived[key] = _draw_up(world, due, enough)
    found: Plan = world.derived[key]
    return found


def _draw_up(world: World, due: list[int], enough: list[int]) -> Plan:
    rows: list[list[int]] = []
    steps: list[tuple[int, int, int]] = []
    ages, stocked, decisions = [], [], []
    for s in due:
        service = world.services[s]
        if not _is_known(world, s, service):
            steps.append((s, 0, 0))
            continue
        began = len(rows)
        if CONTACTS.get(service.contact, compiled.BY_WORKERS) in (compiled.PLACE, compiled.VISIT, compiled.OFFICE):
            stocked.append(s)
        for p in world.programmes_of[s] or [NOT_ASKED]:
            rows.append(_turn(world, s, service, p, enough[s]))
            ages.append((service.from_age, service.to_age))
            rides = service.contact == "antenatal"
            decisions.append(f"handed out {service.id}" if rides else f"met {service.id}")
        if steps and steps[-1][0] == NOT_ASKED:
            began = steps.pop()[1]
        steps.append((NOT_ASKED, began, len(rows)))
    fixed = np.array(rows, np.int64).reshape(len(rows), compiled.N_FIXED)
    return Plan(fixed, steps, np.array(ages, np.int64).reshape(-1, 2).T, stocked, world.draws.begin(decisions))


def _is_known(world: World, service_row: int, service: Service) -> bool:
    """Whether the compiled month knows a service of this kind."""
    if service.unit == "household" or service.need not in compiled.NEEDS:
        return False
    if service.from_age < -PREGNANCY_MONTHS or service.to_age > LAST_AGE:
        return False
    from_list = CONTACTS.get(service.contact, compiled.BY_WORKERS) == compiled.FROM_LIST
    village_pays = any(world.villages.item_of[p] >= 0 for p in world.programmes_of[service_row])
    return not (from_list and (service.place.at_posyandu or village_pays))


def _turn(world: World, s: int, service: Service, p: int, enough: int) -> list[int]:
    book, row = world.book, [0] * compiled.N_FIXED
    register = "own"
    if p != NOT_ASKED and world.programmes.register[p] != service.who.not_on:
        register = world.programmes.register[p]
    row[compiled.SERVICE], row[compiled.PROGRAMME] = s, p
    row[compiled.N_PROGRAMMES] = len(world.programmes_of[s])
    row[compiled.NEED] = compiled.NEEDS.index(service.need)
    row[compiled.CONTACT] = CONTACTS.get(service.contact, compiled.BY_WORKERS)
    row[compiled.REGISTER] = compiled.REGISTERS.index(register) if register in compiled.REGISTERS else compiled.OWN_LIST
    row[compiled.OF_CHILDREN], row[compiled.TAKEN] = book.received.where[s][1], book.taken.where[s][1]
    row[compiled.OWN] = book.own_draw.where[s][1]
    row[compiled.COURSE] = service.duration_months if book.limited[s] else 0
    row[compiled.DOSE] = contacts.dose_of(service)
    row[compiled.HAS_COURSE] = meetings.has_course(service)
    row[compiled.CATCHES_UP] = service.id == meetings.VACCINES
    row[compiled.CARRIES] = service.id == contacts.CARRIER
    row[compiled.AT_BIRTH], row[compiled.ONLY_IN_NEED] = service.act.at_birth, service.only_in_need
    row[compiled.KEEPS], row[compiled.BIT] = not service.place.built, world.package.bit_of.get(s, 0)
    row[compiled.ENOUGH] = enough
    row[compiled.GIVES_NIK], row[compiled.TEACHES] = service.act.gives_nik, service.act.teaches
    row[compiled.BY_VILLAGE] = p != NOT_ASKED and SOURCES[world.programmes.source[p]] == "dana-desa"
    row[compiled.IN_CLASS], row[compiled.CAN_COME] = service.contact == "class", service.to_age >= 0
    return row


class Ready(NamedTuple):
    """All that `month_of_children.live` takes but the range of turns."""

    fixed: Table
    of_month: Table
    people: People
    listed: Listed
    book: Book
    now: Now
    means: Means
    fresh_at: NDArray[np.int32]
    fresh_order: NDArray[np.uint16]

    def serve(self, first: int, last: int) -> None:
        """Serve turns `first` to `last` - 1 (in place)."""
        fixed, of_month, *rest, fresh_at, fresh_order = self
        compiled.live(fixed, of_month, first, last, *rest, fresh_at, fresh_order)


def gather(
    world: World, turns: Plan, purses: Purses, work: OfMonth, first: list[First], share: np.float32
) -> Ready:
    """This month's columns and numbers. share: of what is gained beside the largest gain (`effects.Doses`)."""
    programmes = turns.fixed[:, compiled.PROGRAMME].tolist()
    of_month = _of_month(world, turns)
    there = _served_first(of_month, programmes, first)
    open_ = _open(world, of_month, programmes)
    stock = _stocks(world, turns, of_month, programmes)
    people, listed = _people(world), _listed(world)
    book, now = _book(world), _now(world, turns, stock, open_, there)
    at, lot, workers = compiled.fresh_families(turns.fixed, of_month, people, book, now, staff.workers(world))
    order = contacts.by_workers(lot, workers)
    at, order = _by_village_money(world, turns, of_month, programmes, at, order)
    return Ready(turns.fixed, of_month, people, listed, book, now, _means(world, purses, work, share), at, order)


def _of_month(world: World, turns: Plan) -> Table:
    children, found = world.children, np.zeros((len(turns.fixed), compiled.N_OF_MONTH), np.int64)
    from_age, to_age = turns.ages
    before, last = world.month - children.first_birth_month, len(children.offsets) - 1
    start = children.offsets[np.clip(before - to_age, 0, last)]
    stop = children.offsets[np.clip(before - from_age + 1, 0, last)]
    oldest = children.window(world.month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
    found[:, compiled.START], found[:, compiled.STOP] = start, stop
    found[:, compiled.YOUNG] = np.minimum(np.maximum(oldest, start), stop) - start
    found[:, compiled.CRC], found[:, compiled.ADLER] = world.draws.of_month(turns.begun, world.month)
    return found


def _served_first(of_month: Table, programmes: list[int], first: list[First]) -> Mask:
    """Write down whom each turn serves before others; the villages that some of them ask for, (n_rows, n_villages)."""
    rows: dict[int, int] = {}
    masks, found = [], []
    for p in programmes:
        one, row = (first[p] if p != NOT_ASKED else reach.First()), NOT_ASKED
        if one.there_from >= 0:
            row = rows.setdefault(id(one.there), len(rows))
            if row == len(masks):
                masks.append(one.there)
        found.append((one.missed_below, one.found_below, one.joint_from, row, one.there_from, one.lokus))
    if found:
        of_month[:, compiled.MISSED_BELOW : compiled.LOKUS + 1] = found
    return np.array(masks) if masks else np.zeros((0, 0), bool)


def _open(world: World, of_month: Table, programmes: list[int]) -> Mask:
    """Write down which lists each turn may use and where it runs; the villages, (n_rows, n_villages)."""
    masks: list[Mask] = []
    where = [NOT_ASKED] * len(programmes)
    for t, p in enumerate(programmes):
        if p != NOT_ASKED and (mask := places.open_villages(world, p)) is not None:
            where[t] = len(masks)
            masks.append(mask)
    of_month[:, compiled.OPEN] = where
    if world.linked:
        uses = [p != NOT_ASKED and registers.uses_joined_list(world, p) for p in programmes]
        of_month[:, compiled.JOINED] = uses
    if world.handed.in_use:
        of_month[:, compiled.HANDED] = [p != NOT_ASKED and lists.uses(world, p) for p in programmes]
    return np.array(masks) if masks else np.zeros((0, 0), bool)


def _stocks(world: World, turns: Plan, of_month: Table, programmes: list[int]) -> NDArray[np.uint16]:
    """Write down whose stock each turn draws on; the draws of the villages, (n_rows, n_villages)."""
    orders = {s: meetings.stock(world, world.services[s]) for s in turns.stocked}
    rows = {s: i for i, s in enumerate(orders)}
    found = list(orders.values())
    where = [rows.get(s, NOT_ASKED) for s in turns.fixed[:, compiled.SERVICE].tolist()]
    for t, p in enumerate(programmes):
        if where[t] != NOT_ASKED and p != NOT_ASKED and (ratio := village_money.per_family(world, p)) is not None:
            found.append(village_money.by_money(found[where[t]], ratio))
            where[t] = len(found) - 1
    of_month[:, compiled.STOCK] = where
    return np.array(found) if found else np.zeros((0, 0), np.uint16)


def _by_village_money(
    world: World, turns: Plan, of_month: Table, programmes: list[int], at: NDArray[np.int32], order: NDArray[np.uint16]
) -> tuple[NDArray[np.int32], NDArray[np.uint16]]:
    """New families of programmes that villages pay, added in the order that their money gives, behind the others."""
    rows, orders, end = [at], [order], len(at)
    for t, p in enumerate(programmes):
        if turns.fixed[t, compiled.CONTACT] != compiled.BY_WORKERS or p == NOT_ASKED:
            continue
        if (ratio := village_money.per_family(world, p)) is None:
            continue
        lots = slice(of_month[t, compiled.LOTS_FROM], of_month[t, compiled.LOTS_TO])
        village = world.children.village[of_month[t, compiled.START] :][at[lots]]
        rows.append(at[lots])
        orders.append(village_money.by_money(order[lots], ratio[village]))
        of_month[t, compiled.LOTS_FROM], of_month[t, compiled.LOTS_TO] = end, end + len(village)
        end += len(village)
    return (np.concatenate(rows), np.concatenate(orders)) if len(rows) > 1 else (at, order)


def _people(world: World) -> People:
    of = world.children
    return People(
        of.key, of.household, of.village, of.remoteness, of.behind, of.joint, of.birth_month, of.kek, of.first_birth, of.z,
        of.best, of.got, of.weight_gain, world.month_shift, world.month_services, of.offsets,
    )  # fmt: skip


def _listed(world: World) -> Listed:
    of, handed = world.registers, world.handed
    return Listed(
        of.on_eppgbm, of.last_entry, of.cohort_month, of.known_krs, of.on_krs, of.known_dtks, of.on_dtks, of.nik_month,
        of.recorded_kek, of.recorded_faltering, of.on_joined, of.false_match, handed.on, handed.cases, handed.false,
    )  # fmt: skip


def _book(world: World) -> Book:
    of = world.book
    own = (of.rank, of.willing, of.received, of.in_course, of.refused, of.taken, of.gained, of.own_draw)
    return Book(*(each.children for each in own), world.tally.stage)


def _now(world: World, turns: Plan, stock: NDArray[np.uint16], open_: Mask, there: Mask) -> Now:
    children, settings, draws, month = world.children, world.settings, world.draws, world.month
    present = children.window(month, -PREGNANCY_MONTHS, LAST_AGE)
    asked = set(turns.fixed[:, compiled.NEED].tolist())
    pregnant, wanted, held = 0, NOBODY, NOBODY
    if (turns.fixed[:, compiled.CONTACT] == compiled.VISIT).any():
        pregnant, wanted, held = meetings.antenatal_visits(world)
    caught_up = NOBODY
    for t in np.flatnonzero(turns.fixed[:, compiled.CATCHES_UP]):
        from_age, to_age = turns.ages[:, t].tolist()
        rows = children.window(month, from_age, to_age)
        caught_up = np.zeros(present.stop - present.start, bool)
        caught_up[rows.start - present.start : rows.stop - present.start] = meetings.caught_up(world, rows)
    facility, papers = np.zeros(0, np.float32), np.zeros(4, np.float32)
    if compiled.NO_NIK in asked:
        facility = meetings.share_at_home(world, "contacts.facility_birth_base")
        papers = contacts.paper_shares(*(settings[f"contacts.paper_{name}"] for name in meetings.PAPER))
    one_stop = settings["contacts.one_stop_share"]
    cutoff = settings["registers.faltering_cutoff_z"]
    return Now(
        month=month,
        first_birth_month=children.first_birth_month,
        counted=not world.burn_in,
        present=present.start,
        pregnant=pregnant,
        came=meetings.came(world, present),
        caught_up=caught_up,
        at_risk=world.at_risk[children.household[present]] if compiled.AT_RISK in asked else NOBODY,
        wanted=wanted,
        held=held,
        knowledge=world.households.knowledge,
        facility=facility,
        papers=papers,
        office=draws.checksums("office", month),
        birth=draws.checksums("facility birth", 0),
        by_name=world.has_by_name_list,
        one_stop=meetings.one_stop(world, one_stop) if one_stop > 0.0 else NOBODY,
        stock=stock,
        open_=open_,
        there=there,
        faltering_below=np.float32(cutoff),
        severe_below=np.float32(needs.SEVERE_Z),
        pack_share=np.float32(settings["contacts.pack_share"]),
        class_below=reach.part_of_keys(settings["contacts.class_posyandu_share"]),
        oldest_entry=float(month - settings["registers.eppgbm_active_months"]),
        own_right=np.uint16(65535 * settings["registers.own_list_share"]),
        own_wrong=np.uint16(65535 * settings["registers.own_list_false_share"]),
        guess=np.uint16(65535 * settings["registers.village_guess_share"]),
        refusals=settings["contacts.refusals"],
    )


def _means(world: World, purses: Purses, work: OfMonth, share: np.float32) -> Means:
    rota = work.rota
    kind, whole, gains = effects.tables(world)
    return Means(
        counts=purses.counts,
        base=purses.base,
        travel=purses.travel,
        limits=purses.limits,
        pool=work.pool,
        weights=rota.weights,
        places_from=rota.first,
        places_to=rota.stop,
        places_row=rota.row,
        places=rota.places,
        kept=rota.kept,
        apart=rota.apart,
        draw=work.draw,
        kecamatan=world.kecamatan,
        kind=kind,
        whole=whole,
        gains=gains,
        share=share,
        steps=effects.steps_of_all(world),
        taught=effects.taught(world),
    )
