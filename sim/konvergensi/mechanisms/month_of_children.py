"""The month of all programmes that serve children, in one compiled call: programme by programme, as delivery.py has it.

delivery.py says the same in Python and NumPy, one programme at a time, and is what runs without numba and in structures
that ask for more than stands here; tests hold the two against each other, bit for bit. What this takes: month_met.py.
"""

from __future__ import annotations

import numpy as np

from konvergensi.base.compiled import inside, together
from konvergensi.mechanisms.contacts import applies, stock_order, where
from konvergensi.mechanisms.month_met import (
    ADLER,
    AT_BIRTH,
    BIT,
    BY_WORKERS,
    CARRIES,
    CATCHES_UP,
    CONTACT,
    COURSE,
    CRC,
    ENOUGH,
    FOUND_BELOW,
    FOUND_FROM,
    FOUND_TO,
    FROM_LIST,
    GIVES_NIK,
    HAS_COURSE,
    IN_CLASS,
    JOINED_FROM,
    KEEPS,
    LOKUS,
    MISSED_BELOW,
    N_PROGRAMMES,
    NEED,
    NO_NIK,
    OF_CHILDREN,
    ONLY_IN_NEED,
    OPEN,
    PLACE,
    PROGRAMME,
    ROW,
    SERVICE,
    START,
    STOCK,
    STOP,
    TAKEN,
    TEACHES,
    THERE,
    THERE_FROM,
    VISIT,
    YOUNG,
    both,
    either,
    handed,
    handed_out,
    lists_of,
    not_served,
    truly_in_need,
)
from konvergensi.mechanisms.programme_month import SPENT, month_of_programme, teach

# ---- what was spent --------------------------------------------------------------------------------------------------


@inside
def pairwise(values):  # type: ignore[no-untyped-def]
    """Sum of values, (n,) float64, in the order in which NumPy adds them."""
    n = len(values)
    if n < 8:
        total = -0.0
        for i in range(n):
            total += values[i]
        return total
    if n <= 128:
        r = values[:8].copy()
        i = 8
        while i < n - n % 8:
            for j in range(8):
                r[j] += values[i + j]
            i += 8
        total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
        while i < n:
            total += values[i]
            i += 1
        return total
    half = n // 2
    half -= half % 8
    return pairwise(values[:half]) + pairwise(values[half:])


@together
def cost_of(who, village, remoteness, travel, base):  # type: ignore[no-untyped-def]
    """What the services of those served, rows (k,), cost, Rp: the sum that NumPy gives of float32 costs as float64."""
    cost, total = np.empty(len(who)), 0.0
    for k in range(len(who)):
        cost[k] = remoteness[np.uint64(village[np.uint64(who[k])])] * travel + base
    for start in range(0, len(who), 8192):  # what NumPy turns into float64 at a time
        total += pairwise(cost[start : start + 8192])
    return total


# ---- the month -------------------------------------------------------------------------------------------------------


@together
def live(  # type: ignore[no-untyped-def]
    turns, of_month, people, listed, book, now, means, knows, lists, found_at, found_order
):
    """Serve one turn after the other, in place; programmes of one service follow each other.

    turns (n_turns, N_FIXED); of_month (n_turns, N_OF_MONTH); knows, lists, found_at: as `find_families` wrote them down
    for these turns; found_order: the order of those found, by chance and workers.
    """
    nobody, no_order, no_places = np.zeros(0, np.bool_), np.zeros(0, np.uint16), np.zeros(0, np.intp)
    no_pool = np.zeros(0, np.float64)
    truth, need, left, needy, ends, oldest = nobody, nobody, nobody, nobody, people.offsets[:0], 0
    for t in range(len(turns)):
        turn, each = turns[t], of_month[t]
        p, mine, start, stop = turn[PROGRAMME], turn[OF_CHILDREN], each[START], each[STOP]
        rows, n, here = slice(start, stop), stop - start, slice(start - now.present, stop - now.present)
        first_of_service = t == 0 or turns[t - 1, SERVICE] != turn[SERVICE]
        if first_of_service or turn[NEED] == NO_NIK:  # an earlier programme gives numbers, and moves no other need
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
        if first_of_service:  # what programmes of one service have in common
            need = truth
            needy = need if turn[AT_BIRTH] and turn[ONLY_IN_NEED] else nobody
            left = nobody
            if p >= 0 and turn[COURSE] > 0:
                left, received, asked = np.empty(n, np.bool_), book.received[mine, rows], need
                course = np.uint8(min(turn[COURSE], 255))
                for i in range(n):
                    left[i] = received[i] < course
                need = left.copy()
                if len(asked) > 0:
                    both(need, asked)
            elif turn[N_PROGRAMMES] > 1:
                left = np.ones(n, np.bool_)
            ends, oldest = people.offsets[:0], 0
            if n > 0:
                eldest, youngest = people.birth_month[start], people.birth_month[stop - 1]
                before = now.first_birth_month
                ends = people.offsets[eldest + 1 - before : youngest + 2 - before] - start
                oldest = now.month - eldest
        if p < 0:
            stage = book.stage[turn[SERVICE], rows]
            if now.counted:
                for i in range(n):
                    stage[i] = max(stage[i], np.uint8(need[i] if len(need) > 0 else True))
            continue
        village, open_ = people.village[rows], nobody
        if each[OPEN] >= 0:
            open_ = now.open_[each[OPEN]]
        came, rank = now.came[here], book.rank[mine, rows]
        begun, lasting, came_below = nobody, no_order, -1
        contact = turn[CONTACT]
        if contact == FROM_LIST:
            known, on = np.empty(n, np.bool_), np.empty(n, np.bool_)
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
                known,
                on,
            )
            at = where(on, left, open_, village)
            order = rank[at]
        elif contact == BY_WORKERS:
            known, on, begun, lasting = knows[turn[ROW], here], lists[turn[ROW], here], book.in_course[mine, rows], rank
            if not first_of_service:  # whose course an earlier programme began this month
                either(known, begun)
                either(on, begun)
            met = slice(each[FOUND_FROM], each[FOUND_TO])
            at, order = not_served(found_at[met], found_order[met], left)
            if turn[IN_CLASS]:
                came_below = now.class_below
        else:
            if contact == PLACE:
                known = came.copy()
                if turn[CATCHES_UP]:
                    either(known, now.caught_up[here])
                if len(truth) > 0:
                    both(known, truth)
            elif contact == VISIT:
                of_visit = slice(start - now.pregnant, stop - now.pregnant)
                if turn[CARRIES]:
                    known = now.wanted[of_visit].copy()
                else:
                    held = now.held[of_visit]
                    known = handed_out(held, people.key[rows], each[CRC], each[ADLER], now.pack_share)
            elif turn[NEED] == NO_NIK:
                born, key, home = people.birth_month[rows], people.key[rows], people.household[rows]
                without, known = applies(
                    listed.nik_month[rows], now.month, born, key, now.office, now.birth, now.facility, home, now.papers
                )
                if len(now.one_stop) > 0:
                    for i in range(n):
                        known[i] |= without[i] & now.one_stop[np.uint64(village[i])] & came[i]
            else:  # a marriage is once
                known, received = np.empty(n, np.bool_), book.received[mine, rows]
                for i in range(n):
                    known[i] = received[i] == 0
                if len(truth) > 0:
                    both(known, truth)
            on = known
            at = where(known, left, open_, village)
            order = stock_order(now.stock[each[STOCK]], village, at)
        found = nobody
        if each[FOUND_BELOW] >= 0:
            found = handed(turn[NEED], rows, listed.handed_on, listed.handed_cases, listed.handed_false)
        there = now.there[each[THERE]] if each[THERE] >= 0 else nobody
        pool, weights, of_village, centre = no_pool, no_pool, no_places, no_places
        if means.places_from[p] >= 0:
            stand = slice(means.places_from[p], means.places_to[p])
            pool, weights = means.pool[stand], means.weights[stand]
            of_village = means.places[means.places_row[p]]
            centre = means.kecamatan if means.apart[p] else no_places
        taken, gained = book.taken[turn[TAKEN]], book.gained[turn[TAKEN]]
        young, target = each[YOUNG], people.weight_gain if turn[AT_BIRTH] else people.month_shift
        in_time = young if turn[BIT] else 0  # of the package, only what comes in time
        who, took, everybody = month_of_programme(
            means.counts, p, start, stop, at, order, known, on, need, people.key, people.village, people.remoteness,
            people.behind, people.joint, book.received[mine], each[MISSED_BELOW], found, each[FOUND_BELOW],
            each[JOINED_FROM], there, each[THERE_FROM], each[LOKUS] > 0, came, came_below, begun, lasting, means.base,
            means.travel, means.limits, np.inf, pool, weights, means.kept[p], of_village, centre, means.draw[p],
            now.counted, book.willing[mine], book.in_course[mine], book.refused[mine], turn[HAS_COURSE] > 0,
            means.kind[p], means.whole[p], means.share, means.steps, needy, ends, oldest, taken, gained, people.best,
            target, people.month_services, turn[KEEPS] > 0, in_time, turn[BIT], people.got,
            book.stage[turn[SERVICE]], turn[ENOUGH], young, means.gains[p],
        )  # fmt: skip
        if not everybody:  # whom no staff met is not paid for
            means.counts[p, SPENT] = cost_of(who, village, people.remoteness, means.travel[p], means.base[p])
        if turn[TEACHES] and now.counted:
            teach(now.knowledge, people.household[rows], took, means.taught[p])
        elif turn[GIVES_NIK]:
            nik = listed.nik_month[rows]
            for k in range(len(took)):
                nik[took[k]] = min(nik[took[k]], np.int32(now.month))
        if turn[CARRIES]:  # who has been seen is in the midwife's book
            held, book_of = now.held[start - now.pregnant : stop - now.pregnant], listed.cohort_month[rows]
            for k in range(len(who)):
                held[who[k]] = True
                book_of[who[k]] = min(book_of[who[k]], np.int32(now.month))
        if turn[N_PROGRAMMES] > 1:
            for k in range(len(who)):
                left[who[k]] = False
