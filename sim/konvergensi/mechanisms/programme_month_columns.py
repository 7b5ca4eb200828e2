"""A programme's month in whole columns: what each loop of programme_month.py says, in NumPy, with the same bits.

Arguments and what comes back are described there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
NONE = np.float32(0.0)


def put_in_order_in_columns(
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
    """As `put_in_order`."""
    if missed_below >= 0:
        order = _behind(order, (received[at] > 0) & (key[at] < missed_below))
    if found_below >= 0:
        order = _behind(order, (key[at] < found_below) & ~found[at])
    if joint_from >= 0:
        order = _behind(order, joint[at] >= joint_from)
    if there_from >= 0:
        order = _behind(order, there[village[at]] & (joint[at] >= there_from))
    if lokus:
        order = (order >> np.uint16(1)) | behind[village[at]]
    if came_below >= 0:
        order = _behind(order, (key[at] < came_below) & ~came[at])
    if len(begun):
        order = np.where(begun[at], lasting[at] >> np.uint16(1), (order >> np.uint16(1)) | HALF)
    return order


def _behind(order: U16, later: Mask) -> U16:
    return (order >> np.uint16(1)) | (later.astype(np.uint16) << np.uint16(15))


def serve_in_columns(
    order: U16,
    at: Rows,
    village: Whole,
    remoteness: NDArray[np.floating],
    base: np.floating,
    travel: np.floating,
    budget: float,
    release: float,
    spend: float,
    staff: float,
) -> tuple[U16, int, int, int, int, int, float, float]:
    """As `serve`."""
    step = order >> np.uint16(6)
    cost_to = np.cumsum(np.bincount(step, weights=remoteness[village[at]] * travel + base, minlength=BINS))
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


def reached_in_columns(step: U16, delivered: int, at: Rows) -> tuple[Rows, U16]:
    """As `reached`."""
    found = step < delivered
    return at[found], step[found]


def first_in_columns(place: Whole, step: U16, room: Whole) -> Rows:
    """As `first_of_each`."""
    order = np.lexsort((step, place))
    at = place[order]
    nth = np.arange(len(at)) - np.searchsorted(at, at)  # how many of the same place come before
    return np.sort(order[nth < room[at]])


def whole_in_columns(room: Meetings, fixed_draw: float) -> NDArray[np.int64]:
    """As `whole_meetings`."""
    upto = np.floor(np.cumsum(np.concatenate([[0.0], np.maximum(room, 0.0)])) + fixed_draw)
    return np.diff(upto).astype(np.int64)


def meet_in_columns(
    pool: Meetings,
    weights: Meetings,
    kept: float,
    of_village: Rows,
    centre: Rows,
    villages: Whole,
    step: U16,
    draw: float,
) -> tuple[bool, Rows]:
    """As `meet`."""
    free: Meetings = np.maximum(pool - kept * weights, 0.0)
    area = centre if len(centre) else of_village
    place = area[villages]
    in_common = np.bincount(centre, weights=free).astype(float) if len(centre) else free
    room = whole_in_columns(in_common, draw)
    asked = np.bincount(place, minlength=len(room))
    everybody, held = not (asked > room).any(), np.zeros(0, np.intp)
    if not everybody:
        held = first_in_columns(place, step, room)
        asked = np.bincount(place[held], minlength=len(room))
    if len(centre):  # everybody's time in the kecamatan, in proportion
        pool -= free * (asked / np.maximum(in_common, 1e-9))[centre]
    else:
        pool -= asked
    return everybody, held


def give_in_columns(who: Rows, willing: Mask, received: U8, begun: Mask, refused: U8, has_course: bool) -> Rows:
    """As `give`."""
    takes = willing[who]
    received[who] += np.uint8(1)
    if has_course:
        begun[who] = True
        refused[who] += (~takes).view(np.uint8)
    return who[takes]


def add_doses_in_columns(
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
    """As `add_doses`."""
    if kind == AT_BIRTH and len(needy):
        took = took[needy[took]]
    each = whole[age_of_rows(ends, oldest, len(taken))[took] + PREGNANCY_MONTHS] * steps[taken[took]]
    if kind == LIFETIME:
        up = np.maximum(each, NONE)
        gained[took] += up
        largest = np.maximum(best[took], gained[took])
        more = share * up + (np.float32(1.0) - share) * (largest - best[took]) + np.minimum(each, NONE)
        target[took] += more
        best[took] = largest
    else:
        target[took] += each
    if kind != AT_BIRTH:
        services[took] += np.uint8(1)


def take_in_columns(took: Rows, first: int, bit: int, got: U16, taken: U8) -> None:
    """As `take`."""
    counted = took[took >= first]
    got[counted] |= np.uint16(bit)
    taken[counted] += np.uint8(1)


def teach_in_columns(knowledge: F32, home: NDArray[np.int32], took: Rows, gain: np.float32) -> None:
    """As `teach`."""
    at = home[took]
    knowledge[at] = np.minimum(knowledge[at] + gain, np.float32(1.0))


def count_in_columns(
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
    """As `count`."""
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
