"""Contacts: the ways a family and a service meet, one rule for each, as pure functions over arrays.

A family is not reached by a service but met: at a posyandu day, an antenatal visit, a home visit, an enrolment, a
round of payments, an office. Several services ride on one meeting, each with its own stock and quality. What a rule
needs to know of the world is gathered in mechanisms/reach.py. Parameters and sources: contacts.toml.
"""

from __future__ import annotations

from math import exp, log
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.world.draws import halves_in_columns, scrambled, uniform_in_columns

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.draws import Keys
    from konvergensi.world.households import F32, Mask

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
At = NDArray[np.intp]
HALF = np.uint16(1 << 15)
LEAST_SHARE = 1e-6
MOST_LACKING = 0.97  # chance of being without water or a latrine that no place and no poverty exceeds
OPEN = ("posyandu", "health-centre")  # whoever comes is served while stocks last: no list, no rank
CASELOAD = ("home-visit", "class")  # a worker's families; who has had the dose or refuses twice makes room
BY_THEMSELVES = (*OPEN, "antenatal", "birth", "office")  # the family comes; elsewhere a worker or a list finds it
# posyandu days and payments are routine; what rides on an antenatal visit takes no time of its own
CARRIER = "anc"  # the service that is the antenatal visit itself; the others ride on it
TAKES_STAFF = ("antenatal", "health-centre", "home-visit", "class", "enrolment", "office")


def log_odds(share: float) -> float:
    """Log odds of a share, 0 and 1 included: those of a share in a million."""
    share = min(max(share, LEAST_SHARE), 1.0 - LEAST_SHARE)
    return float(np.log(share / (1.0 - share)))


def chance_of(odds: F32) -> F32:
    """Share (n,) of log odds (n,)."""
    return (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)


# ---- open contacts and antenatal care: the family comes --------------------------------------------------------------


def place_effects(own: F32, common: F32, sd: float, overlap: float) -> F32:
    """Log odds by place, (n_places,): SD `sd`; `overlap` is the correlation between the contacts of one place.

    own, common: standard normal draws of the place for this contact and for all of them.
    """
    mixed = np.sqrt(overlap) * common + np.sqrt(1.0 - overlap) * own
    return (np.float32(sd) * mixed).astype(np.float32)


def lacking(lean: F32, sd: float, share: float) -> F32:
    """Chance of lacking something, (n,), at most MOST_LACKING; its mean is `share`.

    lean: by how much, in logs, somebody lacks it more often than others; normal with mean 0 and SD `sd`.
    """
    if not 0.0 < share < MOST_LACKING:
        return np.full_like(lean, share)
    middle = NormalDist()

    def mean(level: float) -> float:  # of min(exp(level + lean), MOST_LACKING)
        if sd == 0.0:
            return min(exp(level), MOST_LACKING)
        cut = (log(MOST_LACKING) - level) / sd
        return exp(level + 0.5 * sd**2) * middle.cdf(cut - sd) + MOST_LACKING * middle.cdf(-cut)

    low, high = log(share) - 0.5 * sd**2, log(share) + 8.0 * sd + 1.0
    for _ in range(60):
        level = 0.5 * (low + high)
        low, high = (level, high) if mean(level) < share else (low, level)
    return np.minimum(np.exp(np.float32(level) + lean), np.float32(MOST_LACKING)).astype(np.float32)


def two_groups(draw: F32, odds: F32, often: float, seldom: float) -> F32:
    """Log odds of coming in an ordinary month, (n,): families come in most months, or hardly ever.

    draw: fixed draw in [0, 1); odds: log odds of belonging to those who come often; often, seldom: monthly shares.
    """
    habitual = draw < chance_of(odds)
    return np.where(habitual, np.float32(log_odds(often)), np.float32(log_odds(seldom))).astype(np.float32)


def _below_in_columns(draw: F32, share: F32, home: NDArray[np.int32]) -> Mask:
    return draw < share[home]


@compiled(_below_in_columns)
def below(draw, share, home):  # type: ignore[no-untyped-def]
    """Whose draw, (n,), is below the share of its household `home`, (n,); share (n_households,)."""
    found = np.empty(len(draw), np.bool_)
    for i in range(len(draw)):
        found[i] = draw[i] < share[np.uint64(home[i])]
    return found


def _wants_visit_in_columns(
    key: Keys,
    home: NDArray[np.int32],
    birth_month: NDArray[np.int32],
    latest: int,
    care: tuple[int, int],
    visit: tuple[int, int],
    regular: F32,
    shares: F32,
) -> tuple[Mask, Mask]:
    often = _below_in_columns(uniform_in_columns(key, *care), regular, home)
    begun: Mask = birth_month <= latest
    return begun, (uniform_in_columns(key, *visit) < shares[often.view(np.uint8)]) & begun


@compiled(_wants_visit_in_columns)
def wants_visit(key, home, birth_month, latest, care, visit, regular, shares):  # type: ignore[no-untyped-def]
    """Pregnancies that can be seen, to be born until `latest`, and who of them wants a visit this month, (n,) each.

    care, visit: checksums of the lasting draw of who is seen in most months, below the share of its home in `regular`,
    (n_households,), and of this month's draw; shares (2,) of the others and of those who want one in a month.
    """
    n, grid = len(key), np.float32(2.0**-24)
    once = scrambled(scrambled(care[0]) ^ np.uint32(care[1]))
    now = scrambled(scrambled(visit[0]) ^ np.uint32(visit[1]))
    kind, draw = np.empty(n, np.float32), np.empty(n, np.float32)
    begun, found = np.empty(n, np.bool_), np.empty(n, np.bool_)
    for i in range(n):  # loops that do one thing each run several rows at a time
        kind[i] = np.float32(np.int32(scrambled(key[i] ^ once) >> np.uint32(8))) * grid
    for i in range(n):
        draw[i] = np.float32(np.int32(scrambled(key[i] ^ now) >> np.uint32(8))) * grid
    for i in range(n):
        begun[i] = birth_month[i] <= latest
    for i in range(n):
        found[i] = kind[i] < regular[np.uint64(home[i])]
    seldom, often = shares[0], shares[1]
    for i in range(n):
        found[i] = begun[i] & (draw[i] < (often if found[i] else seldom))
    return begun, found


def _stock_order_in_columns(place_draw: U16, place: NDArray[np.integer], at: At) -> U16:
    return place_draw[place[at]]


@compiled(_stock_order_in_columns)
def stock_order(place_draw, place, at):  # type: ignore[no-untyped-def]
    """Order at an open contact of the rows `at`, (m,): a place has the thing in stock for all who come, or for nobody.

    place_draw: draw of each place for this service and quarter, (n_places,); place of each row, (n,).
    """
    order = np.empty(len(at), np.uint16)
    for i in range(len(at)):
        order[i] = place_draw[np.uint64(place[np.uint64(at[i])])]
    return order


def _where_in_columns(met: Mask, left: Mask, open_: Mask, place: NDArray[np.integer]) -> At:
    if len(left):
        met = met & left
    if len(open_):
        met = met & open_[place]
    return np.flatnonzero(met)


@compiled(_where_in_columns)
def where(met, left, open_, place):  # type: ignore[no-untyped-def]
    """Rows, (m,), of those met, (n,), who have not been served yet and live where the programme runs.

    Empty `left`, (n,), and `open_`, (n_places,), leave nobody out.
    """
    n, m, counts = len(met), 0, met
    if len(left) > 0:
        counts = np.empty(n, np.bool_)
        for i in range(n):
            counts[i] = met[i] & left[i]
    if len(open_) > 0:
        there = np.empty(n, np.bool_)
        for i in range(n):
            there[i] = counts[i] & open_[np.uint64(place[i])]
        counts = there
    found = np.empty(n, np.intp)
    for i in range(n):  # every row is written down and kept if it counts: no branch to guess
        found[m] = i
        m += counts[i]
    return found[:m]


# ---- home visits, classes, enrolments: a worker finds the family -----------------------------------------------------


def has_room(received: NDArray[np.uint8], refused: NDArray[np.uint8], dose: int, refusals: int) -> Mask:
    """Who can still be visited or enrolled, (n,): fewer than `dose` received and fewer than `refusals` refused."""
    return (received < dose) & (refused < refusals)


def _caseload_in_columns(
    known: Mask,
    listed: Mask,
    met: Mask,
    begun: Mask,
    had: U8,
    refused: U8,
    dose: int,
    refusals: int,
    left: Mask,
    open_: Mask,
    place: NDArray[np.integer],
    key: Keys,
    crc: int,
    adler: int,
    per_family: F32,
) -> tuple[Mask, Mask, At, F32, F32]:
    room = has_room(had, refused, dose, refusals)
    known, listed = known | begun, listed | begun
    if len(met):
        known, listed = known | met, listed | met
    at = _where_in_columns(listed & room, left, open_, place)
    fresh = halves_in_columns(key[at], crc, adler)
    return known, listed, at, fresh.astype(np.float32) / np.float32(65536.0), per_family[place[at]]


@compiled(_caseload_in_columns)
def caseload(  # type: ignore[no-untyped-def]
    known, listed, met, begun, had, refused, dose, refusals, left, open_, place, key, crc, adler, per_family
):
    """Who is known, who is on the list, (n,) each; the rows, (m,), of those who may be visited this month, the lot of
    each in [0, 1), drawn by `key`, (n,), and the workers per family where it lives, of `per_family`, (n_places,).

    Whose course has begun stays on the list; who is met elsewhere, (n,) or empty, comes onto it. Visited are those who
    still can be (`has_room`), of them as in `where`.
    """
    n, m = len(known), 0
    known_too, listed_too, counts = np.empty(n, np.bool_), np.empty(n, np.bool_), np.empty(n, np.bool_)
    most, tries = np.uint8(min(dose, 255)), np.uint8(min(refusals, 255))
    for i in range(n):  # loops that do one thing each run several rows at a time
        known_too[i] = known[i] | begun[i]
        listed_too[i] = listed[i] | begun[i]
    if len(met) > 0:
        for i in range(n):
            known_too[i] |= met[i]
            listed_too[i] |= met[i]
    for i in range(n):
        counts[i] = listed_too[i] & (had[i] < most) & (refused[i] < tries)
    if len(left) > 0:
        for i in range(n):
            counts[i] &= left[i]
    if len(open_) > 0:
        for i in range(n):
            counts[i] &= open_[np.uint64(place[i])]
    at = np.empty(n, np.intp)
    for i in range(n):  # every row is written down and kept if it counts: no branch to guess
        at[m] = i
        m += counts[i]
    at = at[:m]
    lot, workers = np.empty(m, np.float32), np.empty(m, np.float32)
    constant = scrambled(scrambled(crc) ^ np.uint32(adler))
    for k in range(m):
        lot[k] = np.float32(np.uint16(scrambled(key[at[k]] ^ constant) >> np.uint32(16))) / np.float32(65536.0)
        workers[k] = per_family[place[at[k]]]
    return known_too, listed_too, at, lot, workers


def workers(draw: F32, sd: float) -> F32:
    """Workers per family of each place against the middle one, (n,): lognormal, SD `sd` of the log."""
    return np.exp(np.float32(sd) * draw).astype(np.float32)


def by_workers(lot: F32, per_family: F32) -> U16:
    """Order of new families, (m,), by their lot: with w times the workers in a place, a share c becomes c ** (1 / w).

    The power is NumPy's in either case: the compiled one differs from it in the last bit on some processors.
    """
    order: F32 = np.power(lot, per_family)
    order *= np.float32(65535.0)
    return order.astype(np.uint16)


# ---- offices ---------------------------------------------------------------------------------------------------------


def paper_shares(soon: float, later: float, odds: float) -> F32:
    """Share of families without a paper who go for it in a month, (4,): in the two months after the event, or some day
    later (2 and 3); a birth at a facility (1 and 3) multiplies the odds by `odds`.
    """
    base = np.array([log_odds(soon), log_odds(soon), log_odds(later), log_odds(later)], np.float32)
    at_facility = np.array([False, True, False, True])
    return chance_of((base + np.float32(np.log(odds)) * at_facility).astype(np.float32))


def _applies_in_columns(
    nik_month: NDArray[np.int32],
    month: int,
    birth_month: NDArray[np.int32],
    key: Keys,
    office: tuple[int, int],
    birth: tuple[int, int],
    facility: F32,
    home: NDArray[np.int32],
    shares: F32,
) -> tuple[Mask, Mask]:
    need: Mask = nik_month > month
    at_facility = _below_in_columns(uniform_in_columns(key, *birth), facility, home)
    share = shares[2 * (month - birth_month >= 2) + at_facility]
    return need, need & (uniform_in_columns(key, *office) < share) & (birth_month <= month)


@compiled(_applies_in_columns)
def applies(nik_month, month, birth_month, key, office, birth, facility, home, shares):  # type: ignore[no-untyped-def]
    """Who has no number yet and who of them goes to the office for it this month, (n,) each.

    Columns of children, (n,), and of their homes, `facility`: share of births at one; office, birth: checksums of the
    draws of this month's visit and of the place of birth; shares as in `paper_shares`.
    """
    n = len(key)
    need, goes = np.empty(n, np.bool_), np.zeros(n, np.bool_)
    for i in range(n):
        need[i] = nik_month[i] > month
    now = scrambled(scrambled(office[0]) ^ np.uint32(office[1]))
    once = scrambled(scrambled(birth[0]) ^ np.uint32(birth[1]))
    grid, most = np.float32(2.0**-24), np.float32(0.0)
    for i in range(len(shares)):
        most = max(most, shares[i])
    likely = np.empty(n, np.bool_)
    for i in range(n):  # loops that do one thing each run several rows at a time
        likely[i] = need[i] & (np.float32(np.int32(scrambled(key[i] ^ now) >> np.uint32(8))) * grid < most)
    for i in range(n):  # few; of the others it is no matter where they were born
        if likely[i] and birth_month[i] <= month:
            draw = np.float32(np.int32(scrambled(key[i] ^ now) >> np.uint32(8))) * grid
            born = np.float32(np.int32(scrambled(key[i] ^ once) >> np.uint32(8))) * grid < facility[home[i]]
            goes[i] = draw < shares[2 * (month - birth_month[i] >= 2) + born]
    return need, goes


# ---- staff -----------------------------------------------------------------------------------------------------------


def takes_staff(service: Service) -> bool:
    """Whether an agency's field staff must be there; what rides on a visit takes no time of its own."""
    if service.contact == "antenatal":
        return service.id == CARRIER
    return service.contact in TAKES_STAFF


# ---- doses -----------------------------------------------------------------------------------------------------------


def dose_of(service: Service) -> int:
    """Deliveries after which a family makes room: the adequate dose of a caseload, the whole course of an enrolment."""
    if service.contact in CASELOAD and service.adequate is not None:
        return min(service.adequate.doses, service.duration_months)
    return service.duration_months
