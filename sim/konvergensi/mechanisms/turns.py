"""What the compiled month of children asks for, gathered: the turns of programmes as numbers, and the month's columns.

A turn is one programme's month for one service. What a turn is in every month of the year is worked out once as long as
settings stand; the rest is gathered each month. See month_met.py; parameters: contacts.toml, registers.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import COMPILES, is_kept
from konvergensi.mechanisms import contacts, effects, meetings, needs, places, reach, staff, village_money
from konvergensi.mechanisms import month_met as told
from konvergensi.mechanisms import month_of_children as compiled
from konvergensi.mechanisms.month_met import Book, Listed, Means, Now, People
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.households import Mask
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.mechanisms.purses import Purses
    from konvergensi.mechanisms.reach import Before
    from konvergensi.mechanisms.staff import OfMonth
    from konvergensi.world.draws import Begun
    from konvergensi.world.state import World

Table = NDArray[np.int64]
ON = COMPILES  # without it programmes are served one by one, with the same bits
CONTACTS = {
    "posyandu": told.PLACE,
    "health-centre": told.PLACE,
    "antenatal": told.VISIT,
    "office": told.OFFICE,
    "transfer": told.FROM_LIST,
    "works": told.FROM_LIST,
    "birth": told.FROM_LIST,
}
NOT_ASKED = -1
_MODELS: list[None] = []  # of this process
OF_OWN_LISTS = ("own_list_share", "own_list_false_share", "village_guess_share")
FOUND: tuple[tuple[str, type], ...] = (("at", np.int32), ("lot", np.float32), ("workers", np.float32))
NOBODY = np.zeros(0, bool)
Families = tuple[Mask, Mask, NDArray[np.int32], NDArray[np.uint16]]  # as `month_of_children.live` takes them
NO_FAMILIES: Families = (np.zeros((0, 0), bool), np.zeros((0, 0), bool), np.zeros(0, np.int32), np.zeros(0, np.uint16))


class Rules(NamedTuple):
    """What settings say to all turns, as month_met.Now has it."""

    papers: NDArray[np.float32]
    faltering_below: np.float32
    severe_below: np.float32
    pack_share: np.float32
    class_below: int
    own_shares: NDArray[np.uint16]
    refusals: int
    active_months: float
    one_stop: Mask


class Step(NamedTuple):
    """Turns that are served in one call, or a service that is served by itself."""

    alone: int  # row of the service, NOT_ASKED for turns
    first: int
    last: int
    fixed: Table  # of the turns
    by_workers: list[int]  # which of them are of workers who look for families
    looks: Table  # the same as 1 and 0, (n_turns of the step,)
    of_villages: list[tuple[int, int]]  # of these, those that villages pay, and the programmes
    ran: list[int]  # programmes


class Plan(NamedTuple):
    """The turns of a month of the year, (n_turns,), and the order in which they and other services are served."""

    due: tuple[int, ...]  # services
    fixed: Table  # (n_turns, N_FIXED)
    steps: list[Step]
    asked: frozenset[int]  # needs
    visits: bool  # whether any rides on antenatal care
    catching_up: tuple[int, int] | None  # ages of the service for which health workers go after children
    ages: Table  # (2, n_turns) from, to
    stock_row: Table  # of `_stocked`, (n_turns,), -1 for none
    of_villages: list[tuple[int, int]]  # turns of programmes that villages pay, and the programmes
    begun: Begun  # of the draws of each turn


def possible(world: World) -> bool:
    """Whether the structures in force are those that the compiled month knows, and it is worth what it takes."""
    if not ON or world.settings["contacts.reach"] != "contacts" or effects.one_by_one(world):
        return False
    if "month compiled" not in world.kept:
        world.kept["month compiled"] = is_kept(compiled.live) or not is_first_of_process()
    found: bool = world.kept["month compiled"]
    return found


def is_first_of_process() -> bool:
    """Whether no other model was asked about before: to compile the month takes ten seconds, which one run does not
    bring back, and the first run of a new installation has enough to compile.
    """
    _MODELS.append(None)
    return len(_MODELS) == 1


def plan(world: World, due: tuple[int, ...], enough: tuple[int, ...]) -> Plan:
    """The turns of the services that are `due`, worked out once for each month of the year.

    enough: deliveries that make an adequate dose of each service, (n_services,).
    """
    key = ("turns", due, enough)
    if key not in world.kept:
        world.kept[key] = _draw_up(world, due, enough)
    found: Plan = world.kept[key]
    return found


def _draw_up(world: World, due: tuple[int, ...], enough: tuple[int, ...]) -> Plan:
    rows: list[list[int]] = []
    steps: list[tuple[int, int, int]] = []
    ages, decisions = [], []
    for s in due:
        service = world.services[s]
        if not _is_known(world, s, service):
            steps.append((s, 0, 0))
            continue
        began = len(rows)
        for p in world.programmes_of[s] or [NOT_ASKED]:
            rows.append(_turn(world, s, service, p, enough[s]))
            ages.append((service.from_age, service.to_age))
            rides = service.contact == "antenatal"
            decisions.append(f"handed out {service.id}" if rides else f"met {service.id}")
        if steps and steps[-1][0] == NOT_ASKED and not _waits(rows[steps[-1][1] : began], rows[began:]):
            began = steps.pop()[1]
        steps.append((NOT_ASKED, began, len(rows)))
    fixed = np.array(rows, np.int64).reshape(len(rows), told.N_FIXED)
    vaccines = [(world.services[s].from_age, world.services[s].to_age) for s in due if _catches_up(world.services[s])]
    asked = frozenset(fixed[:, told.NEED].tolist())
    visits = bool((fixed[:, told.CONTACT] == told.VISIT).any())
    of_draws = world.draws.begin(decisions)
    rows_of = {s: row for row, s in enumerate(_stocked(world))}
    stock_row = np.array([rows_of.get(s, NOT_ASKED) for s in fixed[:, told.SERVICE].tolist()], np.int64)
    paid = enumerate(fixed[:, told.PROGRAMME].tolist())
    of_villages = [(t, p) for t, p in paid if p != NOT_ASKED and world.villages.item_of[p] >= 0]
    return Plan(
        due, fixed, [_step(fixed, step, of_villages) for step in steps], asked, visits,
        vaccines[0] if vaccines else None, np.array(ages, np.int64).reshape(-1, 2).T, stock_row, of_villages, of_draws,
    )  # fmt: skip


def _stocked(world: World) -> list[int]:
    """Services whose stock counts, worked out once."""
    if "stocked" not in world.kept:
        at_hand = told.PLACE, told.VISIT, told.OFFICE
        of = enumerate(world.services)
        world.kept["stocked"] = [s for s, each in of if CONTACTS.get(each.contact, told.BY_WORKERS) in at_hand]
    found: list[int] = world.kept["stocked"]
    return found


def _step(fixed: Table, step: tuple[int, int, int], of_villages: list[tuple[int, int]]) -> Step:
    """A step, from its service or its turns from .. to; its turns of workers are numbered (in place)."""
    alone, first, last = step
    mine = fixed[first:last]
    by_workers = mine[:, told.CONTACT] == told.BY_WORKERS
    mine[:, told.ROW] = np.cumsum(by_workers) - 1
    asked: list[int] = np.flatnonzero(by_workers).tolist()
    paid = [(t - first, p) for t, p in of_villages if t - first in asked]
    ran = [p for p in mine[:, told.PROGRAMME].tolist() if p >= 0]
    return Step(alone, first, last, mine, asked, by_workers.astype(np.int64), paid, ran)


def _catches_up(service: Service) -> bool:
    return service.id == meetings.VACCINES


def _waits(before: list[list[int]], turns: list[list[int]]) -> bool:
    """Whether workers of some of these turns can look for families only when those before have been served: because
    these enter them in the registers that are looked up.
    """
    for turn in turns:
        if turn[told.CONTACT] == told.BY_WORKERS:
            in_cohort = turn[told.REGISTER] == told.KOHORT
            by_number = turn[told.REGISTER] == told.DUKCAPIL or turn[told.NEED] == told.NO_NIK
            for other in before:
                if (in_cohort and other[told.CARRIES]) or (by_number and other[told.GIVES_NIK]):
                    return True
    return False


def _is_known(world: World, service_row: int, service: Service) -> bool:
    """Whether the compiled month knows a service of this kind."""
    if service.unit == "household" or service.need not in told.NEEDS:
        return False
    if service.from_age < -PREGNANCY_MONTHS or service.to_age > LAST_AGE:
        return False
    from_list = CONTACTS.get(service.contact, told.BY_WORKERS) == told.FROM_LIST
    village_pays = any(world.villages.item_of[p] >= 0 for p in world.programmes_of[service_row])
    return not (from_list and (service.place.at_posyandu or village_pays))


def _turn(world: World, s: int, service: Service, p: int, enough: int) -> list[int]:
    """What a turn says of its service and programme, N_FIXED numbers, worked out once for all months of the year."""
    key = ("turn", s, p, enough)
    if key not in world.kept:
        world.kept[key] = _told_of(world, s, service, p, enough)
    found: list[int] = world.kept[key]
    return found


def _told_of(world: World, s: int, service: Service, p: int, enough: int) -> list[int]:
    book, row = world.book, [0] * told.N_FIXED
    register = "own"
    if p != NOT_ASKED and world.programmes.register[p] != service.who.not_on:
        register = world.programmes.register[p]
    row[told.SERVICE], row[told.PROGRAMME] = s, p
    row[told.N_PROGRAMMES] = len(world.programmes_of[s])
    row[told.NEED] = told.NEEDS.index(service.need)
    row[told.CONTACT] = CONTACTS.get(service.contact, told.BY_WORKERS)
    row[told.REGISTER] = told.REGISTERS.index(register) if register in told.REGISTERS else told.OWN_LIST
    row[told.OF_CHILDREN], row[told.TAKEN] = book.received.where[s][1], book.taken.where[s][1]
    row[told.OWN] = book.own_draw.where[s][1]
    row[told.COURSE] = service.duration_months if book.limited[s] else 0
    row[told.DOSE] = contacts.dose_of(service)
    row[told.HAS_COURSE] = meetings.has_course(service)
    row[told.CATCHES_UP] = _catches_up(service)
    row[told.CARRIES] = service.id == contacts.CARRIER
    row[told.AT_BIRTH], row[told.ONLY_IN_NEED] = service.act.at_birth, service.only_in_need
    row[told.KEEPS], row[told.BIT] = not service.place.built, int(world.package.bit_of.get(s, 0))
    row[told.ENOUGH] = enough
    row[told.GIVES_NIK], row[told.TEACHES] = service.act.gives_nik, service.act.teaches
    row[told.BY_VILLAGE] = p != NOT_ASKED and SOURCES[world.programmes.source[p]] == "dana-desa"
    row[told.IN_CLASS], row[told.CAN_COME] = service.contact == "class", service.to_age >= 0
    return row


class Ready:
    """The month gathered: serves ranges of its turns one after the other."""

    def __init__(
        self, world: World, turns: Plan, purses: Purses, work: OfMonth, first: Before, share: np.float32
    ) -> None:
        """share: of what is gained beside the largest gain (`effects.Doses`)."""
        self.world, self.plan = world, turns
        open_row, open_ = _open(world)
        self.of_month = _of_month(world, turns, first, open_row)
        stock = _stocks(world, turns, self.of_month)
        self.people, self.listed, self.book = _people(world), _listed(world), _book(world)
        self.now = _now(world, turns, stock, open_, first.usual.there)
        self.means = _means(world, purses, work, share)

    def serve(self, step: Step) -> None:
        """Serve the turns of a step (in place)."""
        of_month = self.of_month[step.first : step.last]
        columns = self.people, self.listed, self.book, self.now
        found = self._find(step, of_month) if step.by_workers else NO_FAMILIES
        compiled.live(step.fixed, of_month, *columns, self.means, *found)

    def _find(self, step: Step, of_month: Table) -> Families:
        """Families whom workers can find."""
        world, n, rows = self.world, len(self.now.came), len(step.by_workers)
        empty, looks = world.scratch.empty, step.looks
        span = int(looks @ of_month[:, told.STOP] - looks @ of_month[:, told.START])
        knows, lists = (empty(name, rows * n, bool).reshape(rows, n) for name in ("knows", "lists"))
        at, lot, workers = (empty(name, span, kind) for name, kind in FOUND)
        columns, per_family = (self.people, self.listed, self.book, self.now), staff.workers(world)
        m = told.find_families(step.fixed, of_month, *columns, per_family, knows, lists, at, lot, workers)
        order = contacts.by_workers(lot[:m], workers[:m])
        for t, p in step.of_villages:
            if (ratio := village_money.per_family(world, p)) is not None:
                met = slice(of_month[t, told.FOUND_FROM], of_month[t, told.FOUND_TO])
                village = world.children.village[of_month[t, told.START] :][at[met]]
                order[met] = village_money.by_money(order[met], ratio[village])
        return knows, lists, at[:m], order


def _of_month(world: World, turns: Plan, first: Before, open_row: NDArray[np.int64]) -> Table:
    """What each turn says of this month, (n_turns, N_OF_MONTH): its rows, draws, lists, places and whom it serves
    before others; open_row: of `Now.open_`, for each programme.
    """
    children, found = world.children, _as_usual(world, turns, first).copy()
    oldest = children.window(world.month, FIRST_1000_DAYS, FIRST_1000_DAYS).start
    told.tell_month(
        found, turns.fixed, turns.ages, children.offsets, world.month - children.first_birth_month, oldest,
        *world.draws.of_month(turns.begun, world.month), open_row, first.joined, first.handed, first.joint_from,
        first.missed_below, first.found_below,
    )  # fmt: skip
    return found


def _as_usual(world: World, turns: Plan, first: Before) -> Table:
    """What turns say of every month of the year, (n_turns, N_OF_MONTH), worked out once; the rest is zeros."""
    key = ("turns as usual", world.burn_in, turns.due)
    if key not in world.derived:
        p, usual = turns.fixed[:, told.PROGRAMME], first.usual
        found = np.zeros((len(p), told.N_OF_MONTH), np.int64)
        found[:, told.THERE], found[:, told.THERE_FROM] = usual.row[p], usual.there_from[p]
        found[:, told.LOKUS] = usual.lokus[p]
        found[:, told.STOCK] = turns.stock_row
        world.derived[key] = found
    usually: Table = world.derived[key]
    return usually


def _open(world: World) -> tuple[NDArray[np.int64], Mask]:
    """Where each programme runs: its row, (n_programmes,), -1 for everywhere; the villages, (n_rows, n_villages)."""
    key = ("open", "all")  # forgotten with the lists of places of a year
    if key not in world.derived:
        masks = [places.open_villages(world, p) for p in range(len(world.programmes))]
        limited = np.array([mask is not None for mask in masks], bool)
        found = [mask for mask in masks if mask is not None]
        rows = np.where(limited, np.cumsum(limited) - 1, NOT_ASKED)
        world.derived[key] = rows, np.array(found) if found else np.zeros((0, 0), bool)
    there: tuple[NDArray[np.int64], Mask] = world.derived[key]
    return there


def _stocks(world: World, turns: Plan, of_month: Table) -> NDArray[np.uint16]:
    """The draws of the villages in being supplied, (n_rows, n_villages); where villages pay, the turn's row is set."""
    quarter = world.month // 3
    when, drawn = world.kept.get("stocks", (None, None))
    if when != quarter:
        of_services = [meetings.stock(world, world.services[s]) for s in _stocked(world)]
        drawn = np.array(of_services) if of_services else np.zeros((0, 0), np.uint16)
        world.kept["stocks"] = (quarter, drawn)
    found: NDArray[np.uint16] = drawn
    for t, p in turns.of_villages:
        if turns.stock_row[t] >= 0 and (ratio := village_money.per_family(world, p)) is not None:
            of_month[t, told.STOCK] = len(found)
            found = np.concatenate([found, [village_money.by_money(found[turns.stock_row[t]], ratio)]])
    return found


def _people(world: World) -> People:
    of = world.children
    return People(
        of.key, of.household, of.village, of.village_remoteness, world.behind, of.joint, of.birth_month, of.kek,
        of.first_birth, of.at_risk, of.z, of.best, of.got, of.weight_gain, world.month_shift, world.month_services,
        of.offsets,
    )  # fmt: skip


def _listed(world: World) -> Listed:
    of, handed = world.registers, world.handed
    return Listed(
        of.on_eppgbm, of.last_entry, of.cohort_month, of.known_krs, of.on_krs, of.known_dtks, of.on_dtks, of.nik_month,
        of.recorded_kek, of.recorded_faltering, of.on_joined, of.false_match, handed.on, handed.cases, handed.false,
    )  # fmt: skip


def _book(world: World) -> Book:
    of = world.book
    return Book(
        of.rank.children, of.willing.children, of.received.children, of.in_course.children, of.refused.children,
        of.taken.children, of.gained.children, of.own_draw.children, world.tally.stage,
    )  # fmt: skip


def _now(world: World, turns: Plan, stock: NDArray[np.uint16], open_: Mask, there: Mask) -> Now:
    children, draws, month = world.children, world.draws, world.month
    present = children.window(month, -PREGNANCY_MONTHS, LAST_AGE)
    pregnant, wanted, held = 0, NOBODY, NOBODY
    if turns.visits:
        pregnant, wanted, held = meetings.antenatal_visits(world)
    caught_up = NOBODY
    if turns.catching_up is not None:
        rows = children.window(month, *turns.catching_up)
        caught_up = np.zeros(present.stop - present.start, bool)
        caught_up[rows.start - present.start : rows.stop - present.start] = meetings.caught_up(world, rows)
    facility = np.zeros(0, np.float32)
    if told.NO_NIK in turns.asked:
        facility = meetings.share_at_home(world, "contacts.facility_birth_base")
    rules = _rules(world)
    return Now(
        month=month,
        first_birth_month=children.first_birth_month,
        counted=not world.burn_in,
        present=present.start,
        pregnant=pregnant,
        came=meetings.came(world, present),
        caught_up=caught_up,
        wanted=wanted,
        held=held,
        knowledge=world.households.knowledge,
        facility=facility,
        papers=rules.papers,
        office=draws.checksums("office", month),
        birth=draws.checksums("facility birth", 0),
        by_name=world.has_by_name_list,
        one_stop=rules.one_stop,
        stock=stock,
        open_=open_,
        there=there,
        faltering_below=rules.faltering_below,
        severe_below=rules.severe_below,
        pack_share=rules.pack_share,
        class_below=rules.class_below,
        oldest_entry=np.inf if world.burn_in else month - rules.active_months,
        own_shares=rules.own_shares,
        refusals=rules.refusals,
    )


def _rules(world: World) -> Rules:
    """What settings say to all turns, worked out once."""
    if "rules of turns" not in world.derived:
        settings, one_stop = world.settings, world.settings["contacts.one_stop_share"]
        world.derived["rules of turns"] = Rules(
            papers=contacts.paper_shares(*(settings[f"contacts.paper_{name}"] for name in meetings.PAPER)),
            faltering_below=np.float32(settings["registers.faltering_cutoff_z"]),
            severe_below=np.float32(needs.SEVERE_Z),
            pack_share=np.float32(settings["contacts.pack_share"]),
            class_below=reach.part_of_keys(settings["contacts.class_posyandu_share"]),
            own_shares=np.array([65535 * settings[f"registers.{name}"] for name in OF_OWN_LISTS], np.uint16),
            refusals=settings["contacts.refusals"],
            active_months=float(settings["registers.eppgbm_active_months"]),
            one_stop=meetings.one_stop(world, one_stop) if one_stop > 0.0 else NOBODY,
        )
    found: Rules = world.derived["rules of turns"]
    return found


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
        kept=work.kept,
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
