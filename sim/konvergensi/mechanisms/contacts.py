"""Contacts: the ways a family and a service meet, one rule for each, as pure functions over arrays.

A family is not reached by a service but met: at a posyandu day, an antenatal visit, a home visit, an enrolment, a
round of payments, an office. Several services ride on one meeting, each with its own stock and quality. What a rule
needs to know of the world is gathered in mechanisms/reach.py. Parameters and sources: contacts.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.households import F32, Mask

U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]
At = NDArray[np.intp]
HALF = np.uint16(1 << 15)
OPEN = ("posyandu", "health-centre")  # whoever comes is served while stocks last: no list, no rank
CASELOAD = ("home-visit", "class")  # a worker's families; who has had the dose or refuses twice makes room
BY_THEMSELVES = (*OPEN, "antenatal", "birth", "office")  # the family comes; elsewhere a worker or a list finds it
TAKES_STAFF = ("antenatal", "health-centre", "home-visit", "class")  # posyandu days are routine; riders take no time


def log_odds(share: float) -> float:
    """Log odds of a share in (0, 1)."""
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


def two_groups(luck: F32, odds: F32, often: float, seldom: float) -> F32:
    """Log odds of coming in an ordinary month, (n,): families come in most months, or hardly ever.

    luck: lasting draw in [0, 1); odds: log odds of belonging to those who come often; often, seldom: monthly shares.
    """
    habitual = luck < chance_of(odds)
    return np.where(habitual, np.float32(log_odds(often)), np.float32(log_odds(seldom))).astype(np.float32)


def _stock_order_in_columns(place_luck: U16, place: NDArray[np.integer], at: At) -> U16:
    return place_luck[place[at]]


@compiled(_stock_order_in_columns)
def stock_order(place_luck, place, at):  # type: ignore[no-untyped-def]
    """Order at an open contact of the rows `at`, (m,): a place has the thing in stock for all who come, or for nobody.

    place_luck: draw of each place for this service and quarter, (n_places,); place of each row, (n,).
    """
    order = np.empty(len(at), np.uint16)
    for i in range(len(at)):
        order[i] = place_luck[place[at[i]]]
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
    found = np.empty(len(met), np.intp)
    m = 0
    for i in range(len(met)):  # every row is written down and kept if it counts: no branch to guess
        found[m] = i
        counts = met[i]
        if len(left) > 0:
            counts &= left[i]
        if len(open_) > 0:
            counts &= open_[place[i]]
        m += counts
    return found[:m].copy()


# ---- home visits, classes, enrolments: a worker finds the family -----------------------------------------------------


def has_room(received: NDArray[np.uint8], refused: NDArray[np.uint8], dose: int, refusals: int) -> Mask:
    """Who can still be visited or enrolled, (n,): fewer than `dose` received and fewer than `refusals` refused."""
    return (received < dose) & (refused < refusals)


def _caseload_in_columns(
    known: Mask, listed: Mask, met: Mask, begun: Mask, had: U8, refused: U8, dose: int, refusals: int
) -> tuple[Mask, Mask, Mask]:
    room = has_room(had, refused, dose, refusals)
    known, listed = known | begun, listed | begun
    candidates = listed & room
    if len(met):
        known, listed, candidates = known | met, listed | met, candidates | (met & room)
    return known, listed, candidates


@compiled(_caseload_in_columns)
def caseload(known, listed, met, begun, had, refused, dose, refusals):  # type: ignore[no-untyped-def]
    """Who is known, who is on the list and who of them is visited, (n,) each, for those who can still be (`has_room`).

    Whose course has begun stays on the list; who is met elsewhere, (n,) or empty, comes onto it.
    """
    n = len(known)
    known_too, listed_too, candidates = np.empty(n, np.bool_), np.empty(n, np.bool_), np.empty(n, np.bool_)
    for i in range(n):
        here = begun[i]
        if len(met) > 0:
            here |= met[i]
        known_too[i] = known[i] | here
        listed_too[i] = listed[i] | here
        candidates[i] = (listed[i] | here) & (had[i] < dose) & (refused[i] < refusals)
    return known_too, listed_too, candidates


def _caseload_order_in_columns(in_course: Mask, lasting: U16, at: At, fresh: U16) -> U16:
    kept = lasting[at] >> np.uint16(1)
    new = (fresh >> np.uint16(1)) | HALF
    return np.where(in_course[at], kept, new)


@compiled(_caseload_order_in_columns)
def caseload_order(in_course, lasting, at, fresh):  # type: ignore[no-untyped-def]
    """Order of a worker's month, (m,), of the rows `at`: families begun, (n,) bool, come first, in lasting order, (n,),
    then new ones by lot, (m,).
    """
    order = np.empty(len(at), np.uint16)
    for i in range(len(at)):
        order[i] = lasting[at[i]] >> 1 if in_course[at[i]] else (fresh[i] >> 1) | 32768
    return order


def workers(draw: F32, sd: float) -> F32:
    """Workers per family of each place against the middle one, (n,): lognormal, SD `sd` of the log."""
    return np.exp(np.float32(sd) * draw).astype(np.float32)


def by_workers(fresh: U16, per_family: F32, place: NDArray[np.integer], at: At) -> U16:
    """New families' lot, (m,), of the rows `at`: in a place with w times the workers, a share c becomes c ** (1 / w).

    The power is NumPy's in either case: the compiled one differs from it in the last bit on some processors.
    """
    lot, power = _lot_and_power(fresh, per_family, place, at)
    np.power(lot, power, out=lot)
    lot *= np.float32(65535.0)
    return lot.astype(np.uint16)


def _lot_and_power_in_columns(fresh: U16, per_family: F32, place: NDArray[np.integer], at: At) -> tuple[F32, F32]:
    return fresh.astype(np.float32) / np.float32(65536.0), per_family[place[at]]


@compiled(_lot_and_power_in_columns)
def _lot_and_power(fresh, per_family, place, at):  # type: ignore[no-untyped-def]
    lot, power = np.empty(len(at), np.float32), np.empty(len(at), np.float32)
    for i in range(len(at)):
        lot[i] = np.float32(fresh[i]) / np.float32(65536.0)
        power[i] = per_family[place[at[i]]]
    return lot, power


# ---- offices ---------------------------------------------------------------------------------------------------------


def applies(
    luck: F32, months_since: NDArray[np.integer], at_facility: Mask, soon: float, later: float, odds: float
) -> Mask:
    """Who goes for a paper this month, (n,): in the two months after the event, or some day later.

    luck: this month's draw; months_since the event; at_facility: a birth there multiplies the odds by `odds`.
    """
    base = np.where(months_since < 2, np.float32(log_odds(soon)), np.float32(log_odds(later)))
    share = chance_of((base + np.float32(np.log(odds)) * at_facility).astype(np.float32))
    found: Mask = (luck < share) & (months_since >= 0)
    return found


# ---- doses -----------------------------------------------------------------------------------------------------------


def dose_of(service: Service) -> int:
    """Deliveries after which a family makes room: the adequate dose of a caseload, the whole course of an enrolment."""
    if service.contact in CASELOAD and service.adequate is not None:
        return min(service.adequate.doses, service.duration_months)
    return service.duration_months
