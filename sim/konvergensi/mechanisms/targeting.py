"""Targeting: who is truly in need of a service, and who is on the list its programme uses.

Need is the truth, whatever any register says. Lists are what an agency has: its own register as last drawn up, the
joined list where records are linked and shared, or what a village knows. Where the two differ lie the inclusion and
exclusion errors. Parameters: registers.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import registers as register_rules
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.households import Mask
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.state import World


# ---- children and pregnancies ----


def child_need(world: World, service: Service, rows: slice) -> Mask | None:
    """Who among the rows is truly in the target group, (n,) bool, whatever any register says; None: everybody."""
    match service.need:
        case "all":
            return None
        case "kek":
            return world.children.kek[rows].copy()
        case "faltering":
            return world.children.z[rows] < world.settings["registers.faltering_cutoff_z"]
        case "at-risk":
            return world.at_risk[world.children.household[rows]]
        case "first-birth":
            return world.children.first_birth[rows].copy()
        case "no-nik":
            return world.registers.nik_month[rows] > world.month
        case other:
            raise ValueError(f"services.toml: {service.id}: need {other!r} is not one of a child")


def child_list(world: World, p: int, service: Service, rows: slice) -> tuple[Mask, Mask]:
    """Who the programme's agency knows, and who is on the target list it uses; two (n,) bool."""
    registers = world.registers
    register = world.programmes.register[p]
    falter_known = registers.recorded_faltering[rows]
    match register:
        case "eppgbm":
            known = listed = registers.on_eppgbm[rows]
            if not world.burn_in:  # known matters only to those who count
                known = listed | register_rules.in_eppgbm(registers, rows, world.settings, world.month)
        case "kohort":
            known = listed = registers.cohort_month[rows] <= world.month
        case "krs":
            known, listed = registers.known_krs[rows], registers.on_krs[rows]
        case "dtks":
            known, listed = registers.known_dtks[rows], registers.on_dtks[rows]
        case "dukcapil" if service.need != "no-nik":  # who has no NIK is not on that register
            known = listed = registers.nik_month[rows] <= world.month
        case _:
            luck = world.book.own_luck[service.id][rows]
            known = listed = register_rules.own_list(child_need(world, service, rows), luck, world.settings)
    joined = register_rules.uses_joined_list(world, p)
    match service.need:
        case "kek":
            listed = listed & registers.recorded_kek[rows]
        case "faltering" if register == "eppgbm" or joined:
            # only who reads e-PPGBM knows who falters; others serve their whole list
            listed = listed & falter_known
        case "first-birth":
            listed = listed & world.children.first_birth[rows]
    if joined:
        more = registers.on_joined[rows]
        if service.need == "kek":
            more = more & registers.recorded_kek[rows]
        elif service.need == "faltering":
            more = more & falter_known
        elif service.need == "at-risk":
            more = more & registers.known_krs[rows]
        elif service.need == "no-nik":
            more = more & (registers.nik_month[rows] > world.month)
        elif service.need == "first-birth":
            more = more & world.children.first_birth[rows]
        more = more | registers.false_match[rows]
        known = known | more
        listed = listed | more
    if SOURCES[world.programmes.source[p]] == "dana-desa":
        village = world.children.village[rows]
        listed = _as_the_village_knows(world, service, village, rows, listed)
        known = known | listed
    return known, listed


def _as_the_village_knows(
    world: World, service: Service, village: NDArray[np.int16], rows: slice, listed: Mask
) -> Mask:
    """Villages serve by the by-name list if they hold one, and otherwise the families they think of."""
    holds = world.has_by_name_list[village]
    share = world.settings["registers.village_guess_share"]
    guess = world.book.own_luck[service.id][rows] < np.uint16(65535 * share)
    guess &= ~holds
    return guess | (holds & listed)


# ---- households ----


def household_need(world: World, service: Service) -> Mask:
    """Which households are truly in the target group, (n_households,) bool."""
    households = world.households
    match service.need:
        case "poor":
            poor = households.poor
            return poor & world.has_child if service.id == "pkh" else poor.copy()
        case "no-water":
            return households.no_water.copy()
        case "no-latrine":
            return households.no_latrine.copy()
        case "food-insecure":
            return households.food_insecure & world.in_1000_days
        case "four-too":
            return households.four_too & ~households.spaced
        case other:
            raise ValueError(f"services.toml: {service.id}: need {other!r} is not one of a household")


def household_list(world: World, p: int, service: Service, need: Mask) -> Mask:
    """Which households are on the list the programme uses, (n_households,) bool."""
    households, registers = world.households, world.registers
    match world.programmes.register[p]:
        case "dtks":
            listed = households.in_dtks & (world.has_child if service.id == "pkh" else True)
        case "krs":
            listed = households.in_krs & (need ^ registers.krs_misread if service.need == "four-too" else True)
        case "dukcapil":
            listed = households.has_nik.copy()
        case "eppgbm" | "kohort" as register:
            listed = _with_child_on_list(world, register)
        case _:
            luck = world.book.own_luck[service.id]
            listed = register_rules.own_list(need, luck, world.settings)
            if service.need == "food-insecure":
                listed &= world.in_1000_days
    if register_rules.uses_joined_list(world, p):
        recorded = registers.krs_poor
        if service.need != "poor":
            recorded = households.in_krs & (need ^ registers.krs_misread)
        listed = listed | (registers.joined_households & recorded)
    # who lacks a latrine can be seen; for anything else a village needs a list
    if SOURCES[world.programmes.source[p]] == "dana-desa" and service.venue != "works":
        listed = _as_the_village_knows(world, service, households.village, slice(None), listed)
    return listed


def _with_child_on_list(world: World, register: str) -> Mask:
    """Households with a child on the e-PPGBM list, or a pregnancy in the cohort book, (n_households,) bool."""
    children = world.children
    if register == "eppgbm":
        rows = children.window(world.month, 0, LAST_AGE)
        on_list = world.registers.on_eppgbm[rows]
    else:
        rows = children.window(world.month, -PREGNANCY_MONTHS, -1)
        on_list = world.registers.cohort_month[rows] <= world.month
    listed = np.zeros(len(world.households), bool)
    listed[children.household[rows][on_list]] = True
    return listed


def mark_households_with_children(world: World) -> None:
    """In months with a service for households: which have an under-five or pregnancy, which a 1,000-day member."""
    if not any(s.unit == "household" and world.month_of_year in s.months for s in world.services):
        return
    children, n = world.children, len(world.households)
    for name, last_age in (("has_child", LAST_AGE), ("in_1000_days", FIRST_1000_DAYS)):
        flags = np.zeros(n, bool)
        flags[children.household[children.window(world.month, -PREGNANCY_MONTHS, last_age)]] = True
        setattr(world, name, flags)
