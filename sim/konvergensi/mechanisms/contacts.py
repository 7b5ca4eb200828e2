"""Contacts: the ways a family and a service meet, one rule for each, as pure functions over arrays.

A family is not reached by a service but met: at a posyandu day, an antenatal visit, a home visit, an enrolment, a
round of payments, an office. Several services ride on one meeting, each with its own stock and quality. What a rule
needs to know of the world is gathered in mechanisms/reach.py. Parameters and sources: contacts.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.households import F32, Mask

U16 = NDArray[np.uint16]
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


def stock_order(place_luck: U16, place: NDArray[np.integer]) -> U16:
    """Order at an open contact, (n,): a place has the thing in stock for all who come there, or for nobody.

    place_luck: draw of each place for this service and quarter, (n_places,).
    """
    return place_luck[place]


# ---- home visits, classes, enrolments: a worker finds the family -----------------------------------------------------


def has_room(received: NDArray[np.uint8], refused: NDArray[np.uint8], dose: int, refusals: int) -> Mask:
    """Who can still be visited or enrolled, (n,): fewer than `dose` received and fewer than `refusals` refused."""
    return (received < dose) & (refused < refusals)


def caseload_order(in_course: Mask, lasting: U16, fresh: U16) -> U16:
    """Order of a worker's month, (n,): families already begun come first, in lasting order, then new ones by lot."""
    kept = lasting >> np.uint16(1)
    new = (fresh >> np.uint16(1)) | HALF
    return np.where(in_course, kept, new)


def workers(draw: F32, sd: float) -> F32:
    """Workers per family of each place against the middle one, (n,): lognormal, SD `sd` of the log."""
    return np.exp(np.float32(sd) * draw).astype(np.float32)


def by_workers(fresh: U16, per_family: F32, place: NDArray[np.integer]) -> U16:
    """New families' lot, (n,): in a place with w times the workers, a share c of all served becomes c ** (1 / w)."""
    lot = fresh.astype(np.float32) / np.float32(65536.0)
    return (lot ** per_family[place] * np.float32(65535.0)).astype(np.uint16)


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
