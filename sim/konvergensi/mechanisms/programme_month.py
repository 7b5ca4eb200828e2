"""A programme's month in compiled loops: who comes first, how far money and staff reach, what is handed over, counted.

`month_of_programme` is the month as a table of contents. The NumPy function that says the same as a loop, in whole
columns, stands in programme_month_columns.py (see base/compiled.py). Rows are counted from the first of the window;
`at` and `who` ascend. An empty array stands for "does not apply", a limit of keys below 0 as well.
"""

from __future__ import annotations

import numpy as np

from konvergensi.base.compiled import compiled, inside, together
from konvergensi.mechanisms.programme_month_columns import (
    AT_BIRTH,
    BINS,
    LIFETIME,
    NOTHING,
    PLAIN,
    add_doses_in_columns,
    count_in_columns,
    first_in_columns,
    give_in_columns,
    meet_in_columns,
    put_in_order_in_columns,
    reached_in_columns,
    serve_in_columns,
    take_in_columns,
    teach_in_columns,
    whole_in_columns,
)
from konvergensi.world.children import PREGNANCY_MONTHS

# columns of what comes out of a month, for each programme
UNITS, SPENT, WANTED, SHORT, ELIGIBLE, LISTED, TARGETED, RIGHT, REACHED = range(9)
N_COUNTS = 9


# ---- who comes first -------------------------------------------------------------------------------------------------


@compiled(put_in_order_in_columns)
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
    below `found_below`; who stands from `joint_from` on in the joint list, or from `there_from` on in the villages
    `there`; villages that are not lokus; who did not come to posyandu, of the keys below `came_below`; whose course has
    not begun.
    """
    out, m, one, last = order.copy(), len(at), np.uint16(1), np.uint16(15)
    if missed_below >= 0:
        for k in range(m):
            i = np.uint64(at[k])  # an index that cannot be negative is read without asking
            out[k] = (out[k] >> one) | (np.uint16((received[i] > 0) & (key[i] < missed_below)) << last)
    if found_below >= 0:
        for k in range(m):
            i = np.uint64(at[k])
            out[k] = (out[k] >> one) | (np.uint16((key[i] < found_below) & (not found[i])) << last)
    if joint_from >= 0:
        for k in range(m):
            out[k] = (out[k] >> one) | (np.uint16(joint[np.uint64(at[k])] >= joint_from) << last)
    if there_from >= 0:
        for k in range(m):
            i = np.uint64(at[k])
            out[k] = (out[k] >> one) | (np.uint16(there[np.uint64(village[i])] & (joint[i] >= there_from)) << last)
    if lokus:
        for k in range(m):
            out[k] = (out[k] >> one) | behind[np.uint64(village[np.uint64(at[k])])]
    if came_below >= 0:
        for k in range(m):
            i = np.uint64(at[k])
            out[k] = (out[k] >> one) | (np.uint16((key[i] < came_below) & (not came[i])) << last)
    if len(begun) > 0:
        for k in range(m):
            i = np.uint64(at[k])
            new = (out[k] >> one) | np.uint16(32768)
            out[k] = new + np.uint16(begun[i]) * ((lasting[i] >> one) - new)  # the lasting order; no branch to guess
    return out


# ---- how far money reaches -------------------------------------------------------------------------------------------


@compiled(serve_in_columns)
def serve(order, at, village, remoteness, base, travel, budget, release, spend, staff):  # type: ignore[no-untyped-def]
    """How far money and staff reach among candidates at rows `at`, (m,), in `order`, (m,).

    A service costs `base` and `travel` times the remoteness, (n_villages,), of the village of its row, (n,). Returns
    the step of each, (m,); below which step budget, release and delivery reach; how many are paid for and served; Rp
    spent, and what all would cost.
    """
    cost_to = np.zeros(BINS)
    step = np.empty(len(at), np.uint16)
    for i in range(len(at)):
        step[i] = order[i] >> 6
        cost_to[step[i]] += remoteness[np.uint64(village[np.uint64(at[i])])] * travel + base
    upto, budgeted, released, delivered = 0.0, 0, 0, 0
    for each in range(BINS):
        upto += cost_to[each]
        cost_to[each] = upto
        budgeted += upto <= budget
        released += upto <= release
        delivered += upto <= spend
    released = min(released, budgeted)
    delivered = min(delivered, released)
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


@compiled(reached_in_columns)
def reached(step, delivered, at):  # type: ignore[no-untyped-def]
    """Rows of the candidates, (m,), that the money reaches and their steps, (k,) each."""
    rows, steps, k = np.empty(len(step), np.intp), np.empty(len(step), np.uint16), 0
    for i in range(len(step)):  # every row is written down and kept if it counts: no branch to guess
        rows[k], steps[k] = at[i], step[i]
        k += step[i] < delivered
    return rows[:k], steps[:k]


# ---- how far staff reach ---------------------------------------------------------------------------------------------


@compiled(first_in_columns)
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
    found, m = np.empty(n, np.intp), 0
    for i in range(n):
        found[m] = i
        m += kept[i]
    return found[:m]


@compiled(whole_in_columns)
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


@compiled(meet_in_columns)
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
        last = 0
        for i in range(n_places):
            last = max(last, centre[i])
        in_common = np.zeros(last + 1)
        for i in range(n_places):
            in_common[centre[i]] += free[i]
    room = whole_meetings(in_common, draw)
    place = np.empty(len(villages), np.int64)
    asked = np.zeros(len(room), np.int64)
    for i in range(len(villages)):
        where = np.uint64(villages[i])
        place[i] = centre[where] if together_there else of_village[where]
        asked[np.uint64(place[i])] += 1
    everybody, held = True, np.zeros(0, np.intp)
    for i in range(len(room)):
        everybody &= asked[i] <= room[i]
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


@compiled(give_in_columns)
def give(who, willing, received, begun, refused, has_course):  # type: ignore[no-untyped-def]
    """Rows of those served, `who`, (k,), who take it up; what was received, begun and refused moves on (in place)."""
    took, m = np.empty(len(who), np.intp), 0
    if has_course:
        for k in range(len(who)):
            i = np.uint64(who[k])
            received[i] += 1
            begun[i] = True
            refused[i] += not willing[i]
            took[m] = who[k]
            m += willing[i]
    else:
        for k in range(len(who)):
            i = np.uint64(who[k])
            received[i] += 1
            took[m] = who[k]
            m += willing[i]
    return took[:m]


@compiled(add_doses_in_columns)
def add_doses(kind, took, needy, whole, steps, ends, oldest, taken, gained, best, share, target, services):  # type: ignore[no-untyped-def]
    """Add what one delivery brings to the rows who took it, (k,), to `target`, (n,), z or g (in place).

    It brings `whole`, (69,), by age times `steps`, (128,), by deliveries taken before. Of a lifetime: gains make the
    largest one and `share` of the others, a loss counts wholly. At birth: only to the `needy`, (n,) or empty: to all.
    """
    nothing, rest = np.float32(0.0), np.float32(1.0) - share
    month = 0
    for k in range(len(took)):
        i = np.uint64(took[k])
        while ends[month] <= took[k]:
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


@compiled(take_in_columns)
def take(took, first, bit, got, taken):  # type: ignore[no-untyped-def]
    """Count a delivery for those of the rows who took it, (k,), that stand from row `first` on, and set their `bit`."""
    for k in range(len(took)):
        i = np.uint64(took[k])
        if took[k] >= first:
            got[i] |= bit
            taken[i] += 1


@compiled(teach_in_columns)
def teach(knowledge, home, took, gain):  # type: ignore[no-untyped-def]
    """Caregivers at the home, (n,), of the rows who took it, (k,), know more: once, for however many children."""
    knows = np.empty(len(took), np.float32)
    for k in range(len(took)):
        knows[k] = min(knowledge[home[took[k]]] + gain, np.float32(1.0))
    for k in range(len(took)):
        knowledge[home[took[k]]] = knows[k]


# ---- what is counted -------------------------------------------------------------------------------------------------


@compiled(count_in_columns)
def count(  # type: ignore[no-untyped-def]
    furthest, need, known, listed, at, step, budgeted, released, who, took, taken, enough, young, gains, ends, oldest
):
    """Raise the furthest stage of each row, (n,) in place; how many are eligible, listed and rightly served.

    need (n,), or empty: everybody; step (m,) of the candidates at rows `at`; who was served and who took it up, rows.
    In time are those who took it up, from row `young` on, with `enough` deliveries; `gains` are the ages at which
    length is gained.
    """
    n, asked, one = len(known), len(need) > 0, np.uint8(1)
    on_list, eligible, right = 0, n, len(who)
    further = np.empty(n, np.uint8)  # how far beyond the list
    for i in range(n):  # loops that do one thing each run several rows at a time
        further[i] = one
    for k in range(len(at)):  # written down for each, money or not: no branch to guess
        further[np.uint64(at[k])] = one + np.uint8(step[k] < budgeted) + np.uint8(step[k] < released)
    for k in range(len(who)):  # in need, budgeted, released and delivered
        further[np.uint64(who[k])] = 4
    month = 0
    for k in range(len(took)):
        i = took[k]
        while month < len(ends) - 1 and ends[month] <= i:
            month += 1
        in_time = (i >= young) & (taken[i] >= enough)
        further[i] = 5 + in_time * (1 + gains[oldest - month + PREGNANCY_MONTHS])
    for i in range(n):
        on_list += listed[i]
    if asked:
        eligible = right = 0
        for i in range(n):  # in bytes, or fewer rows are taken at a time
            stage = np.uint8(np.uint8(further[i] + known[i] + listed[i]) * np.uint8(need[i]))
            furthest[i] = stage if stage > furthest[i] else furthest[i]
        for i in range(n):
            eligible += need[i]
        for k in range(len(who)):
            right += need[who[k]]
    else:
        for i in range(n):
            stage = np.uint8(further[i] + known[i] + listed[i])
            furthest[i] = stage if stage > furthest[i] else furthest[i]
    return eligible, on_list, right


# ---- the month -------------------------------------------------------------------------------------------------------


@inside
def ration(  # type: ignore[no-untyped-def]
    counts, p, at, order, key, village, remoteness, behind, joint, received, missed_below, found, found_below,
    joint_from, there, there_from, lokus, came, came_below, begun, lasting, base, travel, purse, staff, pool, weights,
    kept, of_village, centre, draw,
):  # fmt: skip
    """Who is served of the candidates at rows `at`, (m,), in `order`, (m,), by programme p; its row of `counts` is set.

    Columns over rows of a table, (n,); rules of `put_in_order`; base and travel cost, (n_programmes,) Rp; purse
    (n_programmes, 3) limits of budget, release and spending; meetings of `meet`, without them at most `staff` services.
    Returns the step of each candidate, below which step budget and release reach, the rows served, and whether all whom
    the money reaches were met: where not, what they cost is still to be added up.
    """
    order = put_in_order(
        order, at, key, village, behind, joint, received, missed_below, found, found_below, joint_from, there,
        there_from, lokus, came, came_below, begun, lasting,
    )  # fmt: skip
    step, budgeted, released, delivered, paid, units, spent, wanted = serve(
        order, at, village, remoteness, base[p], travel[p], purse[p, 0], purse[p, 1], purse[p, 2], staff
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


@inside
def hand_over(  # type: ignore[no-untyped-def]
    counts, p, counted, known, listed, need, at, step, budgeted, released, who, willing, received, begun, refused,
    has_course, kind, needy, whole, steps, ends, oldest, taken, gained, best, share, target, services, keeps, first,
    bit, got, furthest, enough, young, gains,
):  # fmt: skip
    """What those served by programme p, rows `who`, (k,), get of it and how far along they came; rows who took it up.

    Columns over rows, (n,), move on in place, as said of `give`, `add_doses`, `take` (where it `keeps` count) and,
    where the month is `counted`, `count`.
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
def month_of_programme(  # type: ignore[no-untyped-def]
    counts, p, start, stop, at, order, known, listed, need, key, village, remoteness, behind, joint, received,
    missed_below, found, found_below, joint_from, there, there_from, lokus, came, came_below, begun, lasting, base,
    travel, purse, staff, pool, weights, kept, of_village, centre, draw, counted, willing, in_course, refused,
    has_course, kind, whole, share, steps, needy, ends, oldest, taken, gained, best, target, services, keeps, first,
    bit, got, furthest, enough, young, gains,
):  # fmt: skip
    """The whole month of programme p among the rows from `start` to `stop`: `ration`, then `hand_over`.

    Columns are whole, (n_children,) or (n_households,), but for masks over the rows: known, listed, need, found, came,
    begun, lasting and needy. Returns the rows served, those who took it up, and whether all whom it reaches were met.
    """
    rows = slice(start, stop)
    received = received[rows]
    step, budgeted, released, who, everybody = ration(
        counts, p, at, order, key[rows], village[rows], remoteness, behind, joint[rows], received,
        missed_below, found, found_below, joint_from, there, there_from, lokus, came, came_below, begun, lasting, base,
        travel, purse, staff, pool, weights, kept, of_village, centre, draw,
    )  # fmt: skip
    took = hand_over(
        counts, p, counted, known, listed, need, at, step, budgeted, released, who, willing[rows], received,
        in_course[rows], refused[rows], has_course, kind, needy, whole, steps[p], ends, oldest, taken[rows],
        gained[rows], best[rows], share, target[rows], services[rows], keeps, first, bit, got[rows], furthest[rows],
        enough, young, gains,
    )  # fmt: skip
    return who, took, everybody
