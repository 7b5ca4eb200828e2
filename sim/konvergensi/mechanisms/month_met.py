"""What the compiled month of children is told, gathered in turns.py, and whom its programmes meet.

A turn is one programme's month for one service. month_of_children.py serves the turns; families whom workers go to are
looked for here before. Rows of a window are counted from its first; an empty array stands for "does not apply".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import inside, together
from konvergensi.world.draws import Keys, scrambled
from konvergensi.world.households import F32, Mask

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

# what a turn says of its service and programme in every month; a programme of -1: nobody runs the service
(
    SERVICE, PROGRAMME, N_PROGRAMMES, NEED, CONTACT, REGISTER, OF_CHILDREN, TAKEN, OWN, COURSE, DOSE, HAS_COURSE,
    CATCHES_UP, CARRIES, AT_BIRTH, ONLY_IN_NEED, KEEPS, BIT, ENOUGH, GIVES_NIK, TEACHES, BY_VILLAGE, IN_CLASS,
    CAN_COME, ROW, N_FIXED,
) = range(26)  # fmt: skip
# and what it says of this month
(
    START, STOP, YOUNG, JOINED, HANDED, MISSED_BELOW, FOUND_BELOW, JOINED_FROM, THERE, THERE_FROM, LOKUS, OPEN, STOCK,
    CRC, ADLER, FOUND_FROM, FOUND_TO, N_OF_MONTH,
) = range(18)  # fmt: skip
NEEDS = ("all", "kek", "faltering", "severe", "at-risk", "first-birth", "no-nik")
ALL, KEK, FALTERING, SEVERE, AT_RISK, FIRST_BIRTH, NO_NIK = range(len(NEEDS))
REGISTERS = ("own", "eppgbm", "kohort", "krs", "dtks", "dukcapil")
OWN_LIST, EPPGBM, KOHORT, KRS, DTKS, DUKCAPIL = range(len(REGISTERS))
PLACE, VISIT, OFFICE, FROM_LIST, BY_WORKERS = range(5)  # who finds whom: see meetings.to_children


class People(NamedTuple):
    """Children, (n_children,), as in Children and World, and where they live."""

    key: Keys
    household: I32
    village: NDArray[np.int16]
    remoteness: F32  # of villages
    behind: U16  # of villages
    joint: U16
    birth_month: I32
    kek: Mask
    first_birth: Mask
    at_risk: Mask
    z: F32
    best: F32
    got: U16
    weight_gain: F32
    month_shift: F32
    month_services: U8
    offsets: I64  # (n_months,)


class Listed(NamedTuple):
    """Registers and lists, (n_children,), as in Registers and HandedLists."""

    on_eppgbm: Mask
    last_entry: I32
    cohort_month: I32
    known_krs: Mask
    on_krs: Mask
    known_dtks: Mask
    on_dtks: Mask
    nik_month: I32
    recorded_kek: Mask
    recorded_faltering: Mask
    on_joined: Mask
    false_match: Mask
    handed_on: Mask
    handed_cases: Mask
    handed_false: Mask


class Book(NamedTuple):
    """Blocks of ServiceBook over children, (n_columns, n_children), and the year's tally, (n_services, n_children)."""

    rank: U16
    willing: Mask
    received: U8
    in_course: Mask
    refused: U8
    taken: U8
    gained: F32
    own_draw: U16
    stage: U8


class Now(NamedTuple):
    """What the month and the settings say to all programmes."""

    month: int
    first_birth_month: int
    counted: bool
    present: int  # the first row of those between conception and 59 months
    pregnant: int  # the first row of pregnancies
    came: Mask  # of those present
    caught_up: Mask  # of those present
    wanted: Mask  # of pregnancies
    held: Mask  # of pregnancies
    knowledge: F32  # of households
    facility: F32  # share of births at one, of households
    papers: F32  # as `contacts.paper_shares`
    office: tuple[int, int]
    birth: tuple[int, int]
    by_name: Mask  # villages that hold the list by name
    one_stop: Mask  # villages with an integrated posyandu, empty where there is none
    stock: U16  # draws of villages, (n_rows, n_villages)
    open_: Mask  # villages in which a programme runs, (n_rows, n_villages)
    there: Mask  # villages in which field workers work together, (n_rows, n_villages)
    faltering_below: np.float32
    severe_below: np.float32
    pack_share: np.float32
    class_below: int
    oldest_entry: float
    own_shares: U16  # of own lists, right and wrong, and of those a village thinks of, (3,)
    refusals: int


class Means(NamedTuple):
    """Money, staff and effects of programmes, (n_programmes, ...), as in Purses, staff.OfMonth and effects."""

    counts: NDArray[np.float64]
    base: F32
    travel: F32
    limits: NDArray[np.float64]
    pool: NDArray[np.float64]
    weights: NDArray[np.float64]
    places_from: NDArray[np.intp]
    places_to: NDArray[np.intp]
    places_row: NDArray[np.intp]
    places: NDArray[np.intp]
    kept: NDArray[np.float64]
    apart: Mask
    draw: NDArray[np.float64]
    kecamatan: NDArray[np.intp]
    kind: I64
    whole: F32
    gains: Mask
    share: np.float32
    steps: F32
    taught: F32


# ---- what a turn says of this month ----------------------------------------------------------------------------------


@together
def tell_month(  # type: ignore[no-untyped-def]
    of_month, turns, ages, offsets, month, oldest, crc, adler, open_row, joined, handed, joint_from, missed_below,
    found_below,
):  # fmt: skip
    """Write down what each turn says of this month, (n_turns, N_OF_MONTH) in place.

    ages (2, n_turns) from, to; offsets and month from the first month of birth on; oldest: first row inside the 1,000
    days; crc, adler: of each turn's draws; the others of each programme, and keys below which some are served first.
    """
    last = len(offsets) - 1
    for t in range(len(turns)):
        each, p = of_month[t], turns[t, PROGRAMME]
        start = offsets[min(max(month - ages[1, t], 0), last)]
        stop = offsets[min(max(month - ages[0, t] + 1, 0), last)]
        each[START], each[STOP], each[YOUNG] = start, stop, min(max(oldest, start), stop) - start
        each[CRC], each[ADLER], each[OPEN] = crc[t], adler[t], open_row[p]
        each[JOINED], each[HANDED], each[JOINED_FROM] = joined[p], handed[p], joint_from[p]
        each[MISSED_BELOW] = missed_below if joined[p] else -1
        each[FOUND_BELOW] = found_below if handed[p] else -1


# ---- who is met ------------------------------------------------------------------------------------------------------


@inside
def both(out, other):  # type: ignore[no-untyped-def]
    """`out` and the other, (n,), in place. A loop: an expression of arrays would take a second to compile."""
    for i in range(len(out)):
        out[i] &= other[i]


@inside
def either(out, other):  # type: ignore[no-untyped-def]
    """`out` or the other, (n,), in place."""
    for i in range(len(out)):
        out[i] |= other[i]


@inside
def truly_in_need(need, rows, kek, z, at_risk, first_birth, nik_month, faltering_below, severe_below, month):  # type: ignore[no-untyped-def]
    """Who of `rows` has the need, (n,), empty for everybody: as `needs.ChildNeed.truth`.

    Columns of all children; only what is asked for is handed over, for a tuple of columns takes long to compile.
    """
    if need == ALL:
        return np.zeros(0, np.bool_)
    found = np.empty(rows.stop - rows.start, np.bool_)
    if need in (FALTERING, SEVERE):
        length, below = z[rows], faltering_below if need == FALTERING else severe_below
        for i in range(len(found)):
            found[i] = length[i] < below
    elif need == NO_NIK:
        known_from, now = nik_month[rows], np.int32(month)
        for i in range(len(found)):
            found[i] = known_from[i] > now
    else:
        told = kek[rows]
        if need == AT_RISK:
            told = at_risk[rows]
        elif need == FIRST_BIRTH:
            told = first_birth[rows]
        for i in range(len(found)):
            found[i] = told[i]
    return found


@inside
def lists_of(  # type: ignore[no-untyped-def]
    turn, of_month, rows, village, first_birth, listed, own_draw, truth, by_name, month, oldest_entry, shares, known, on
):
    """Who the agency knows and who is on the list in use, (n,) each in place: as `targeting.child_list`.

    oldest_entry: inf where nobody counts; shares (3,): of own lists, right and wrong, and of those a village thinks of.
    """
    register, need, n = turn[REGISTER], turn[NEED], rows.stop - rows.start
    right, wrong, guess = shares[0], shares[1], shares[2]
    if register == OWN_LIST:
        draw = own_draw[turn[OWN], rows]
        if len(truth) > 0:
            for i in range(n):
                on[i] = draw[i] < (right if truth[i] else wrong)
        else:
            for i in range(n):
                on[i] = draw[i] < right
    elif register in (KOHORT, DUKCAPIL):
        entered, now = listed.cohort_month[rows] if register == KOHORT else listed.nik_month[rows], np.int32(month)
        for i in range(n):
            on[i] = entered[i] <= now
    else:
        drawn_up = listed.on_dtks[rows]
        if register == EPPGBM:
            drawn_up = listed.on_eppgbm[rows]
        elif register == KRS:
            drawn_up = listed.on_krs[rows]
        for i in range(n):  # one by one: several rows at a time, where an assignment of slices takes single bytes
            on[i] = drawn_up[i]
    if register in (KRS, DTKS):
        knows = listed.known_krs[rows] if register == KRS else listed.known_dtks[rows]
        for i in range(n):
            known[i] = knows[i]
    elif register == EPPGBM and oldest_entry < np.inf:  # known matters only to those who count
        last, oldest = listed.last_entry[rows], np.int32(np.floor(oldest_entry))  # months are whole
        for i in range(n):
            known[i] = on[i] | (last[i] > oldest)
    else:
        for i in range(n):
            known[i] = on[i]
    told = listed.recorded_faltering[rows]
    asks = need in (FALTERING, SEVERE) and (register == EPPGBM or of_month[JOINED])
    if need == KEK:
        asks, told = True, listed.recorded_kek[rows]
    elif need == FIRST_BIRTH:
        asks, told = True, first_birth[rows]
    if asks:
        both(on, told)
    if of_month[JOINED]:
        more, false, told_too = listed.on_joined[rows], listed.false_match[rows], told
        asks_too = need != ALL
        if need == AT_RISK:
            told_too = listed.known_krs[rows]
        elif need == NO_NIK:
            told_too = truth
        for i in range(n):
            found = (more[i] & (told_too[i] if asks_too else True)) | false[i]
            known[i] |= found
            on[i] |= found
    elif of_month[HANDED]:
        found = handed(need, rows, listed.handed_on, listed.handed_cases, listed.handed_false)
        either(known, found)
        either(on, found)
    if turn[BY_VILLAGE]:
        draw = own_draw[turn[OWN], rows]
        for i in range(n):
            on[i] = on[i] if by_name[np.uint64(village[i])] else draw[i] < guess
            known[i] |= on[i]


@inside
def handed(need, rows, on, cases, false):  # type: ignore[no-untyped-def]
    """Who was found on the handed list as one whom the service is for, mistakes among them, (n,): as `lists.found`."""
    right = cases[rows] if need == FALTERING else on[rows]
    wrong, found = false[rows], np.empty(rows.stop - rows.start, np.bool_)
    for i in range(len(found)):
        found[i] = right[i] | wrong[i]
    return found


@inside
def handed_out(seen, key, crc, adler, share):  # type: ignore[no-untyped-def]
    """Who of those `seen`, (n,), is given what rides on the visit, by a draw of `key` below `share`."""
    found, constant = np.empty(len(seen), np.bool_), scrambled(scrambled(crc) ^ np.uint32(adler))
    for i in range(len(seen)):
        draw = np.float32(np.int32(scrambled(key[i] ^ constant) >> np.uint32(8))) * np.float32(2.0**-24)
        found[i] = seen[i] & (draw < share)
    return found


@inside
def in_room(had, refused, dose, refusals, out):  # type: ignore[no-untyped-def]
    """Who can still be visited or enrolled, (n,) into `out`: as `contacts.has_room`."""
    most, tries = np.uint8(min(dose, 255)), np.uint8(min(refusals, 255))
    for i in range(len(out)):
        out[i] = (had[i] < most) & (refused[i] < tries)


@together
def find_families(turns, of_month, people, listed, book, now, per_family, known, on, at, lot, workers):  # type: ignore[no-untyped-def]
    """Families whom workers can find this month, turn by turn: how many there are in all.

    Written down for each turn of BY_WORKERS: who is known and on the list in use, (n,) into its own row of `known` and
    `on`, (n_rows, n_present); one behind the other, from FOUND_FROM to FOUND_TO, the rows `at` of those who may be
    visited, their lots in [0, 1) and workers per family where they live, of `per_family`, (n_villages,).
    """
    m = 0
    for t in range(len(turns)):
        turn, each = turns[t], of_month[t]
        if turn[CONTACT] != BY_WORKERS or turn[PROGRAMME] < 0:
            continue
        mine, rows = turn[OF_CHILDREN], slice(each[START], each[STOP])
        here, n = slice(rows.start - now.present, rows.stop - now.present), rows.stop - rows.start
        knows, lists, village = known[turn[ROW], here], on[turn[ROW], here], people.village[rows]
        truth = truly_in_need(
            turn[NEED],
            rows,
            people.kek,
            people.z,
            people.at_risk,
            people.first_birth,
            listed.nik_month,
            now.faltering_below,
            now.severe_below,
            now.month,
        )
        lists_of(
            turn,
            each,
            rows,
            village,
            people.first_birth,
            listed,
            book.own_draw,
            truth,
            now.by_name,
            now.month,
            now.oldest_entry,
            now.own_shares,
            knows,
            lists,
        )
        begun, counts = book.in_course[mine, rows], np.empty(n, np.bool_)
        either(knows, begun)
        either(lists, begun)
        if len(now.one_stop) > 0 and turn[CAN_COME]:
            came = now.came[here]
            for i in range(n):
                met = now.one_stop[np.uint64(village[i])] & came[i] & (truth[i] if len(truth) > 0 else True)
                knows[i] |= met
                lists[i] |= met
        in_room(book.taken[turn[TAKEN], rows], book.refused[mine, rows], turn[DOSE], now.refusals, counts)
        both(counts, lists)
        if turn[COURSE] > 0:
            received, course = book.received[mine, rows], np.uint8(min(turn[COURSE], 255))
            for i in range(n):
                counts[i] &= received[i] < course
        if each[OPEN] >= 0:
            open_ = now.open_[each[OPEN]]
            for i in range(n):
                counts[i] &= open_[np.uint64(village[i])]
        each[FOUND_FROM] = m
        for i in range(n):  # every row is written down and kept if it counts: no branch to guess
            at[m] = i
            m += counts[i]
        each[FOUND_TO] = m
        constant = scrambled(scrambled(each[CRC]) ^ np.uint32(each[ADLER]))
        key = people.key[rows]
        for k in range(each[FOUND_FROM], m):
            row = np.uint64(at[k])
            half = np.uint16(scrambled(key[row] ^ constant) >> np.uint32(16))
            lot[k] = np.float32(half) / np.float32(65536.0)
            workers[k] = per_family[np.uint64(village[row])]
    return m


@inside
def not_served(at, orders, left):  # type: ignore[no-untyped-def]
    """Of the rows `at`, (m,), and their orders those not served yet by an earlier programme (`left`), (k,) each."""
    rows, found, k = np.empty(len(at), np.intp), np.empty(len(at), np.uint16), 0
    for i in range(len(at)):
        rows[k], found[k] = at[i], orders[i]
        k += left[np.uint64(at[i])] if len(left) > 0 else True
    return rows[:k], found[:k]
