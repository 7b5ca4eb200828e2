"""A programme's month in compiled loops: who comes first, how far money and staff reach, what is handed over and counted.

`ration` and `hand_over` are the month of a programme as a table of contents; each loop they call stands beside the
NumPy function that says the same in whole columns (base/compiled.py). All of them stand in this file because a loop that
was compiled does not see that one in another file has changed. Rows are counted from the first of the window; `at` and
`who` ascend. An empty array stands for "does not apply", a limit of keys below 0 as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled, together
from konvergensi.world.children import PREGNANCY_MONTHS, age_of_rows
from konvergensi.world.households import F32, Mask

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
Rows = NDArray[np.intp]
Whole = NDArray[np.integer]
Meetings = NDArray[np.float64]

BINS = 1024  # steps of the lasting order in which people are served
HALF = np.uint16(1 << 15)
# what a delivery adds: nothing, to the month's sum, to the lifetime's gains, to the weight at birth
NOTHING, PLAIN, LIFETIME, AT_BIRTH = range(4)
# columns of what comes out of a month, for each programme
UNITS, SPENT, WANTED, SHORT, ELIGIBLE, LISTED, TARGETED, RIGHT, REACHED = range(9)
N_COUNTS = 9


# ---- who comes first -------------------------------------------------------------------------------------------------


def _put_in_order_in_columns(
    order: U16,
    at: Rows,
    key: Whole,
    village: Whole,
    behind: U16,
    joint: U16,
    received: U8,
    missed_below: int,
    found: Mask,
    found_below: int,
    joint_from: int,
    there: Mask,
    there_from: int,
    lokus: bool,
    came: Mask,
    came_below: int,
    begun: Mask,
    lasting: U16,
) -> U16:
    if missed_below >= 0:
        order = _behind(order, (received[at] > 0) & (key[at] < missed_below))
    if found_below >= 0:
        order = _behind(order, (key[at] < found_below) & ~found[at])
    if joint_from >= 0:
        order = _behind(order, joint[at] >= joint_from)
    if there_from >= 0:
        order = _behind(order, there[village[at]] & (joint[at] >= there_from))
    if lokus:
        order = (order >> np.uint16(1)) | behind[at]
    if came_below >= 0:
        order = _behind(order, (key[at] < came_below) & ~came[at])
    if len(begun):
        order = np.where(begun[at], lasting[at] >> np.uint16(1), (order >> np.uint16(1)) | HALF)
    return order


def _behind(order: U16, later: Mask) -> U16:
    return (order >> np.uint16(1)) | (later.astype(np.uint16) << np.uint16(15))


@compiled(_put_in_order_in_columns)
def put_in_order(  # type: ignore[no-untyped-def]
    order,
    at,
    key,
    village,
    behind,
    joint,
    received,
    missed_below,
    found,
    found_below,
    joint_from,
    there,
    there_from,
    lokus,
    came,
    came_below,
    begun,
    lasting,
):
    """Order of the candidates `at`, (m,), lower first: their own `order`, (m,), each rule behind the ones after it.

    Who had the service already, of the keys below `missed_below`; who was not `found` on a list handed over, of those
    below `found_below`; who stands from `joint_from` on in the joint list; from `there_from` on in the villages `there`;
    villages that are not lokus; who did not come to posyandu, of those below `came_below`; whose course has not begun.
    """
    out, m = order.copy(), len(at)
    if missed_below >= 0:
        for k in range(m):
            i = at[k]
            out[k] = (out[k] >> 1) | (np.uint16((received[i] > 0) & (key[i] < missed_below)) << 15)
    if found_below >= 0:
        for k in range(m):
            i = at[k]
            out[k] = (out[k] >> 1) | (np.uint16((key[i] < found_below) & (not found[i])) << 15)
    if joint_from >= 0:
        for k in range(m):
            out[k] = (out[k] >> 1) | (np.uint16(joint[at[k]] >= joint_from) << 15)
    if there_from >= 0:
        for k in range(m):
            i = at[k]
            out[k] = (out[k] >> 1) | (np.uint16(there[village[i]] & (joint[i] >= there_from)) << 15)
    if lokus:
        for k in range(m):
            out[k] = (out[k] >> 1) | behind[at[k]]
    if came_below >= 0:
        for k in range(m):
            i = at[k]
            out[k] = (out[k] >> 1) | (np.uint16((key[i] < came_below) & (not came[i])) << 15)
    if len(begun) > 0:
        for k in range(m):
            i = at[k]
            old, new = lasting[i] >> 1, (out[k] >> 1) | 32768
            out[k] = old if begun[i] else new
    return out


# ---- how far money reaches -------------------------------------------------------------------------------------------


def _serve_in_columns(
    order: U16,
    at: Rows,
    remoteness: NDArray[np.floating],
    base: np.floating,
    travel: np.floating,
    budget: float,
    release: float,
    spend: float,
    staff: float,
) -> tuple[U16, int, int, int, int, int, float, float]:
    step = order >> np.uint16(6)
    cost_to = np.cumsum(np.bincount(step, weights=remoteness[at] * travel + base, minlength=BINS))
    budgeted, released, delivered = cost_to.searchsorted((budget, release, spend), side="right").tolist()
    released = min(released, budgeted)
    delivered = min(delivered, released)
    paid = int(np.count_nonzero(step < delivered))
    if paid > staff:
        count_to = np.cumsum(np.bincount(step, minlength=BINS))
        delivered = int(np.searchsorted(count_to, staff, side="right"))
    spent = float(cost_to[delivered - 1]) if delivered else 0.0
    units = int(np.count_nonzero(step < delivered))
    return step, budgeted, released, delivered, paid, units, spent, float(cost_to[-1])


@compiled(_serve_in_columns)
def serve(order, at, remoteness, base, travel, budget, release, spend, staff):  # type: ignore[no-untyped-def]
    """How far money and staff reach among candidates at rows `at`, (m,), in `order`, (m,).

    A service costs `base` and `travel` times the remoteness of its row, (n,). Returns the step of each, (m,); below
    which step budget, release and delivery reach; how many are paid for and served; Rp spent, and what all would cost.
    """
    cost_to = np.zeros(BINS)
    step = np.empty(len(at), np.uint16)
    for i in range(len(at)):
        step[i] = order[i] >> 6
        cost_to[step[i]] += remoteness[at[i]] * travel + base
    for each in range(1, BINS):
        cost_to[each] += cost_to[each - 1]
    budgeted = np.searchsorted(cost_to, budget, side="right")
    released = min(np.searchsorted(cost_to, release, side="right"), budgeted)
    delivered = min(np.searchsorted(cost_to, spend, side="right"), released)
    paid = 0
    for i in range(len(at)):
        paid += step[i] < delivered
    units = paid
    if paid > staff:
        people = np.zeros(BINS, np.int64)
        for i in range(len(at)):
            people[step[i]] += 1
        units = 0
        for each in range(delivered):
            if units + people[each] > staff:
                delivered = each
                break
            units += people[each]
    spent = cost_to[delivered - 1] if delivered > 0 else 0.0
    return step, budgeted, released, delivered, paid, units, spent, cost_to[BINS - 1]


def _reached_in_columns(step: U16, delivered: int, at: Rows) -> tuple[Rows, U16]:
    found = step < delivered
    return at[found], step[found]


@compiled(_reached_in_columns)
def reached(step, delivered, at):  # type: ignore[no-untyped-def]
    """Rows of the candidates, (m,), that the money reaches and their steps, (k,) each."""
    rows, steps, k = np.empty(len(step), np.intp), np.empty(len(step), np.uint16), 0
    for i in range(len(step)):  # every row is written down and kept if it counts: no branch to guess
        rows[k], steps[k] = at[i], step[i]
        k += step[i] < delivered
    return rows[:k], steps[:k]


# ---- how far staff reach ---------------------------------------------------------------------------------------------


def _first_in_columns(place: Whole, step: U16, room: Whole) -> Rows:
    order = np.lexsort((step, place))
    at = place[order]
    nth = np.arange(len(at)) - np.searchsorted(at, at)  # how many of the same place come before
    return np.sort(order[nth < room[at]])


@compiled(_first_in_columns)
def first_of_each(place, step, room):  # type: ignore[no-untyped-def]
    """The first `room` of each place, (n_places,), in their order, as rows of place and step (n,), ascending."""
    n, last = len(place), 0
    for i in range(n):
        last = max(last, int(step[i]))
    starts = np.zeros(last + 2, np.int64)
    for i in range(n):
        starts[np.int64(step[i]) + 1] += 1
    for each in range(last):
        starts[each + 1] += starts[each]
    order = np.empty(n, np.int64)  # rows by step, equals as they stand
    for i in range(n):
        order[starts[step[i]]] = i
        starts[step[i]] += 1
    kept, met = np.zeros(n, np.bool_), np.zeros(len(room), np.int64)
    for k in range(n):
        where = place[order[k]]
        kept[order[k]] = met[where] < room[where]
        met[where] += 1
    return np.flatnonzero(kept)


def _whole_in_columns(room: Meetings, fixed_draw: float) -> NDArray[np.int64]:
    upto = np.floor(np.cumsum(np.concatenate([[0.0], np.maximum(room, 0.0)])) + fixed_draw)
    return np.diff(upto).astype(np.int64)


@compiled(_whole_in_columns)
def whole_meetings(room, fixed_draw):  # type: ignore[no-untyped-def]
    """Whole meetings of each place, (n_places,): rounded so that their sum stays within one of the sum of `room`.

    Which places get the fractions follows one draw of the month, so small districts lose no time to rounding.
    """
    found = np.empty(len(room), np.int64)
    total, before = 0.0, np.floor(0.0 + fixed_draw)
    for i in range(len(room)):
        total += max(room[i], 0.0)
        upto = np.floor(total + fixed_draw)
        found[i] = np.int64(upto - before)
        before = upto
    return found


def _meet_in_columns(
    pool: Meetings, weights: Meetings, kept: float, of_village: Rows, centre: Rows, villages: Whole, step: U16, draw: float
) -> tuple[bool, Rows]:
    free: Meetings = np.maximum(pool - kept * weights, 0.0)
    area = centre if len(centre) else of_village
    place = area[villages]
    in_common = np.bincount(centre, weights=free).astype(float) if len(centre) else free
    room = whole_meetings(in_common, draw)
    asked = np.bincount(place, minlength=len(room))
    everybody, held = not (asked > room).any(), np.zeros(0, np.intp)
    if not everybody:
        held = first_of_each(place, step, room)
        asked = np.bincount(place[held], minlength=len(room))
    if len(centre):  # everybody's time in the kecamatan, in proportion
        pool -= free * (asked / np.maximum(in_common, 1e-9))[centre]
    else:
        pool -= asked
    return everybody, held


@compiled(_meet_in_columns)
def meet(pool, weights, kept, of_village, centre, villages, step, draw):  # type: ignore[no-untyped-def]
    """Whether everybody is met, else the rows who are, of families in `villages`, (n,), in the order of `step`, (n,).

    What a pool, (n_places,), keeps for others is `kept` times its weight; what is held is taken from it (in place).
    centre: kecamatan of each place where those who work in villages meet together there, else empty.
    """
    n_places, together_there = len(pool), len(centre) > 0
    free = np.empty(n_places)
    for i in range(n_places):
        free[i] = max(pool[i] - kept * weights[i], 0.0)
    in_common = free
    if together_there:
        in_common = np.zeros(centre.max() + 1)
        for i in range(n_places):
            in_common[centre[i]] += free[i]
    room = whole_meetings(in_common, draw)
    place = np.empty(len(villages), np.int64)
    asked = np.zeros(len(room), np.int64)
    for i in range(len(villages)):
        place[i] = centre[villages[i]] if together_there else of_village[villages[i]]
        asked[place[i]] += 1
    everybody, held = (asked <= room).all(), np.zeros(0, np.int64)
    if not everybody:
        held = first_of_each(place, step, room)
        asked[:] = 0
        for k in range(len(held)):
            asked[place[held[k]]] += 1
    for i in range(n_places):
        if together_there:
            pool[i] -= free[i] * (asked[centre[i]] / max(in_common[centre[i]], 1e-9))
        else:
            pool[i] -= asked[i]
    return everybody, held


# ---- what is handed over ---------------------------------------------------------------------------------------------


def _give_in_columns(who: Rows, willing: Mask, received: U8, begun: Mask, refused: U8, has_course: bool) -> Rows:
    takes = willing[who]
    received[who] += np.uint8(1)
    if has_course:
        begun[who] = True
        refused[who] += (~takes).view(np.uint8)
    return who[takes]


@compiled(_give_in_columns)
def give(who, willing, received, begun, refused, has_course):  # type: ignore[no-untyped-def]
    """Rows of those served, `who`, (k,), who take it up; what was received, begun and refused moves on (in place)."""
    took, m = np.empty(len(who), np.intp), 0
    for k in range(len(who)):
        i = who[k]
        received[i] += 1
        took[m] = i
        m += willing[i]
    if has_course:
        for k in range(len(who)):
            begun[who[k]] = True
            refused[who[k]] += not willing[who[k]]
    return took[:m]


def _add_doses_in_columns(
    kind: int,
    took: Rows,
    needy: Mask,
    whole: F32,
    steps: F32,
    ends: NDArray[np.int64],
    oldest: int,
    taken: U8,
    gained: F32,
    best: F32,
    share: np.float32,
    target: F32,
    services: U8,
) -> None:
    if kind == AT_BIRTH and len(needy):
        took = took[needy[took]]
    each = whole[age_of_rows(ends, oldest, len(taken))[took] + PREGNANCY_MONTHS] * steps[taken[took]]
    if kind == LIFETIME:
        up = np.maximum(each, np.float32(0.0))
        gained[took] += up
        largest = np.maximum(best[took], gained[took])
        more = share * up + (np.float32(1.0) - share) * (largest - best[took]) + np.minimum(each, np.float32(0.0))
        target[took] += more
        best[took] = largest
    else:
        target[took] += each
    if kind != AT_BIRTH:
        services[took] += np.uint8(1)


@compiled(_add_doses_in_columns)
def add_doses(kind, took, needy, whole, steps, ends, oldest, taken, gained, best, share, target, services):  # type: ignore[no-untyped-def]
    """Add what one delivery brings to the rows who took it, (k,), to `target`, (n,), z or g (in place).

    It brings `whole`, (69,), by age times `steps`, (128,), by deliveries taken before. Of a lifetime: gains make the
    largest one and `share` of the others, a loss counts wholly. At birth: only to the `needy`, (n,) or empty: to all.
    """
    nothing, rest = np.float32(0.0), np.float32(1.0) - share
    month = 0
    for k in range(len(took)):
        i = took[k]
        while ends[month] <= i:
            month += 1
        each = whole[oldest - month + PREGNANCY_MONTHS] * steps[taken[i]]
        if kind == LIFETIME:
            up = max(each, nothing)
            gained[i] += up
            largest = max(best[i], gained[i])
            target[i] += share * up + rest * (largest - best[i]) + min(each, nothing)
            best[i] = largest
        elif kind == PLAIN or len(needy) == 0 or needy[i]:
            target[i] += each
        if kind != AT_BIRTH:
            services[i] += 1


def _take_in_columns(took: Rows, first: int, bit: int, got: U16, taken: U8) -> None:
    counted = took[took >= first]
    got[counted] |= np.uint16(bit)
    taken[counted] += np.uint8(1)


@compiled(_take_in_columns)
def take(took, first, bit, got, taken):  # type: ignore[no-untyped-def]
    """Count a delivery for those of the rows who took it, (k,), that stand from row `first` on, and set their `bit`."""
    for k in range(len(took)):
        if took[k] >= first:
            got[took[k]] |= bit
            taken[took[k]] += 1


def _teach_in_columns(knowledge: F32, home: NDArray[np.int32], took: Rows, gain: np.float32) -> None:
    at = home[took]
    knowledge[at] = np.minimum(knowledge[at] + gain, np.float32(1.0))


@compiled(_teach_in_columns)
def teach(knowledge, home, took, gain):  # type: ignore[no-untyped-def]
    """Caregivers at the home, (n,), of the rows who took it, (k,), know more; once, however many children they brought."""
    knows = np.empty(len(took), np.float32)
    for k in range(len(took)):
        knows[k] = min(knowledge[home[took[k]]] + gain, np.float32(1.0))
    for k in range(len(took)):
        knowledge[home[took[k]]] = knows[k]


# ---- what is counted -------------------------------------------------------------------------------------------------


def _count_in_columns(
    furthest: U8,
    need: Mask,
    known: Mask,
    listed: Mask,
    at: Rows,
    step: U16,
    budgeted: int,
    released: int,
    who: Rows,
    took: Rows,
    taken: U8,
    enough: int,
    young: int,
    gains: Mask,
    ends: NDArray[np.int64],
    oldest: int,
) -> tuple[int, int, int]:
    stage = known.view(np.uint8) + listed.view(np.uint8) + np.uint8(1)
    stage[at] += (step < budgeted).view(np.uint8) + (step < released).view(np.uint8)
    stage[who] += np.uint8(1)
    stage[took] += np.uint8(1)
    eligible, right, in_time = len(stage), len(who), took[took >= young]
    in_time = in_time[taken[in_time] >= enough]
    if len(need):
        stage *= need
        eligible, right = int(np.count_nonzero(need)), int(np.count_nonzero(need[who]))
        in_time = in_time[need[in_time]]
    age = age_of_rows(ends, oldest, len(stage))[in_time]
    stage[in_time] += np.uint8(1) + gains[age + PREGNANCY_MONTHS].view(np.uint8)
    np.maximum(furthest, stage, out=furthest)
    return eligible, int(np.count_nonzero(listed)), right


@compiled(_count_in_columns)
def count(
    furthest, need, known, listed, at, step, budgeted, released, who, took, taken, enough, young, gains, ends, oldest
):  # type: ignore[no-untyped-def]
    """Raise the furthest stage of each row, (n,) in place; how many are eligible, listed and rightly served.

    need (n,), or empty: everybody; step (m,) of the candidates at rows `at`; who was served and who took it up, rows.
    In time are those who took it up, from row `young` on, with `enough` deliveries; length is gained at ages of `gains`.
    """
    n = len(known)
    stage = np.empty(n, np.uint8)
    on_list, eligible, right = 0, n, len(who)
    for i in range(n):  # loops that do one thing each run several rows at a time
        stage[i] = 1 + known[i] + listed[i]
    for i in range(n):
        on_list += listed[i]
    for k in range(len(at)):
        stage[at[k]] += (step[k] < budgeted) + (step[k] < released)
    for k in range(len(who)):
        stage[who[k]] += 1
    if len(need) > 0:
        eligible = right = 0
        for i in range(n):
            eligible += need[i]
        for k in range(len(who)):
            right += need[who[k]]
    month = 0
    for k in range(len(took)):
        i = took[k]
        more = 1
        if i >= young and taken[i] >= enough and (len(need) == 0 or need[i]):
            while ends[month] <= i:
                month += 1
            more += 1 + gains[oldest - month + PREGNANCY_MONTHS]
        stage[i] += more
    if len(need) > 0:
        for i in range(n):
            stage[i] *= need[i]
    for i in range(n):
        furthest[i] = max(furthest[i], stage[i])
    return eligible, on_list, right


# ---- the month -------------------------------------------------------------------------------------------------------


@together
def ration(
    counts, p, at, order, key, village, remoteness, behind, joint, received, missed_below, found, found_below,
    joint_from, there, there_from, lokus, came, came_below, begun, lasting, base, travel, purse, staff, pool, weights,
    kept, of_village, centre, draw,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Who is served of the candidates at rows `at`, (m,), in `order`, (m,), by programme p; its row of `counts` is set.

    Columns over rows of a table, (n,); rules of `put_in_order`; base and travel cost, (n_programmes,) Rp; purse
    (n_programmes, 3) limits of budget, release and spending; meetings of `meet`, without them at most `staff` services.
    Returns the step of each candidate, below which step budget and release reach, the rows served, and whether all whom
    the money reaches were met: where not, what they cost is still to be added up.
    """
    order = put_in_order(
        order, at, key, village, behind, joint, received, missed_below, found, found_below, joint_from, there, there_from,
        lokus, came, came_below, begun, lasting,
    )  # fmt: skip
    step, budgeted, released, delivered, paid, units, spent, wanted = serve(
        order, at, remoteness, base[p], travel[p], purse[p, 0], purse[p, 1], purse[p, 2], staff
    )
    who, steps = reached(step, delivered, at)
    everybody = True
    if len(pool) > 0:
        everybody, held = meet(pool, weights, kept, of_village, centre, village[who], steps, draw)
        if not everybody:  # whom no staff were there for is not served, and the money stays in the line
            who = who[held]
            units = len(who)
    counts[p, UNITS], counts[p, SPENT], counts[p, WANTED], counts[p, SHORT] = units, spent, wanted, paid - units
    return step, budgeted, released, who, everybody


@together
def hand_over(
    counts, p, counted, known, listed, need, at, step, budgeted, released, who, willing, received, begun, refused,
    has_course, kind, needy, whole, steps, ends, oldest, taken, gained, best, share, target, services, keeps, first, bit,
    got, furthest, enough, young, gains,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """What those served by programme p, rows `who`, (k,), get of it and how far along they came; rows who took it up.

    Columns over rows, (n,), move on in place, as said of `give`, `add_doses`, `take` (where it `keeps` count) and, where
    the month is `counted`, `count`.
    """
    took = give(who, willing, received, begun, refused, has_course)
    if kind != NOTHING:
        add_doses(kind, took, needy, whole, steps, ends, oldest, taken, gained, best, share, target, services)
    if keeps:
        take(took, first, bit, got, taken)
    if counted:
        eligible, on_list, right = count(
            furthest, need, known, listed, at, step, budgeted, released, who, took, taken, enough, young, gains, ends,
            oldest,
        )  # fmt: skip
        counts[p, ELIGIBLE], counts[p, LISTED], counts[p, RIGHT] = eligible, on_list, right
        counts[p, TARGETED], counts[p, REACHED] = len(who), len(took)
    return took


@together
def serve_children(
    counts, p, start, stop, at, order, known, listed, need, key, village, remoteness, behind, joint, received,
    missed_below, found, found_below, joint_from, there, there_from, lokus, came, came_below, begun, lasting, base,
    travel, purse, staff, pool, weights, kept, of_village, centre, draw, counted, willing, in_course, refused, has_course,
    kind, whole, share, steps, needy, ends, oldest, taken, gained, best, target, services, keeps, first, bit, got,
    furthest, enough, young, gains,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """The whole month of programme p among the children from row `start` to `stop`: `ration`, then `hand_over`.

    Columns are whole, (n_children,), but for masks over the rows: known, listed, need, found, came, begun, lasting and
    needy. Returns the rows served, those who took it up, and whether all whom the money reaches were met.
    """
    rows = slice(start, stop)
    received = received[rows]
    step, budgeted, released, who, everybody = ration(
        counts, p, at, order, key[rows], village[rows], remoteness[rows], behind[rows], joint[rows], received,
        missed_below, found, found_below, joint_from, there, there_from, lokus, came, came_below, begun, lasting, base,
        travel, purse, staff, pool, weights, kept, of_village, centre, draw,
    )  # fmt: skip
    took = hand_over(
        counts, p, counted, known, listed, need, at, step, budgeted, released, who, willing[rows], received,
        in_course[rows], refused[rows], has_course, kind, needy, whole, steps[p], ends, oldest, taken[rows], gained[rows],
        best[rows], share, target[rows], services[rows], keeps, first, bit, got[rows], furthest[rows], enough, young,
        gains,
    )  # fmt: skip
    return who, took, everybody
