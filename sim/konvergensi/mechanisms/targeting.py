"""Targeting: who is truly in need of a service, and who is on the list its programme uses.

Need is the truth, whatever any register says. Lists are what an agency has: its own register as last drawn up, the
joined list where records are linked and shared, or what a village knows. Where the two differ lie the inclusion and
exclusion errors. Parameters: registers.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.mechanisms import lists, needs
from konvergensi.mechanisms import registers as register_rules
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS, homes_of
from konvergensi.world.households import Mask
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.inputs.services import Service
    from konvergensi.world.state import World


# ---- children and pregnancies ----


def child_need(world: World, service: Service, rows: slice) -> Mask | None:
    """Who among the rows is truly in the target group, (n,) bool, whatever any register says; None: everybody."""
    return needs.CHILD[service.need].truth(world, rows)


def child_list(world: World, programme_row: int, service: Service, rows: slice) -> tuple[Mask, Mask]:
    """Who the programme's agency knows, and who is on the target list it uses; two (n,) bool."""
    registers = world.registers
    register, rule = world.programmes.register[programme_row], needs.CHILD[service.need]
    if register == service.who.not_on:
        register = "own"
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
        case "dukcapil":
            known = listed = registers.nik_month[rows] <= world.month
        case _:
            draw = world.book.own_draw[int(world.programmes.service[programme_row])][rows]
            known = listed = register_rules.own_list(child_need(world, service, rows), draw, world.settings)
    joined = register_rules.uses_joined_list(world, programme_row)
    if (told := rule.on_list(world, rows, register, joined)) is not None:
        listed = listed & told
    if joined:
        more = registers.on_joined[rows]
        if (told := rule.on_joined_list(world, rows)) is not None:
            more = more & told
        more = more | registers.false_match[rows]
        known = known | more
        listed = listed | more
    elif lists.uses(world, programme_row):
        more = lists.found(world, programme_row, world.children, rows)
        known = known | more
        listed = listed | more
    if SOURCES[world.programmes.source[programme_row]] == "dana-desa":
        village = world.children.village[rows]
        listed = _as_the_village_knows(world, int(world.programmes.service[programme_row]), village, rows, listed)
        known = known | listed
    return known, listed


def _as_the_village_knows(
    world: World, service_row: int, village: NDArray[np.int16], rows: slice, listed: Mask
) -> Mask:
    """Villages serve by the by-name list if they hold one, and otherwise the families they think of."""
    holds = world.has_by_name_list[village]
    share = world.settings["registers.village_guess_share"]
    guess = world.book.own_draw[service_row][rows] < np.uint16(65535 * share)
    guess &= ~holds
    return guess | (holds & listed)


# ---- households ----


def household_need(world: World, service: Service) -> Mask:
    """Which households are truly in the target group, (n_households,) bool."""
    return needs.HOUSEHOLD[service.need].truth(world)


def household_list(world: World, programme_row: int, service: Service, need: Mask) -> Mask:
    """Which households are on the list the programme uses, (n_households,) bool."""
    households, rule = world.households, needs.HOUSEHOLD[service.need]
    register = world.programmes.register[programme_row]
    match register:
        case "dtks":
            listed = households.in_dtks
        case "krs":
            listed = households.in_krs
        case "dukcapil":
            listed = households.has_nik
        case "eppgbm" | "kohort":
            listed = _with_child_on_list(world, register)
        case _:
            draw = world.book.own_draw[int(world.programmes.service[programme_row])]
            register, listed = "own", register_rules.own_list(need, draw, world.settings)
    listed = rule.on_register(world, register, listed, need)
    if register_rules.uses_joined_list(world, programme_row):
        listed = listed | (world.registers.joined_households & rule.on_joined_list(world, need))
    elif lists.uses(world, programme_row):
        listed = listed | (
            lists.found(world, programme_row, world.households, slice(None)) & rule.on_joined_list(world, need)
        )
    # who lacks a latrine can be seen; for anything else a village needs a list
    if SOURCES[world.programmes.source[programme_row]] == "dana-desa" and not service.place.built:
        listed = _as_the_village_knows(
            world, int(world.programmes.service[programme_row]), households.village, slice(None), listed
        )
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
    """In months in which a need asks for it: which have an under-five or pregnancy, which a 1,000-day member."""
    if not _asks_for_children(world):
        return
    children, n = world.children, len(world.households)
    for name, last_age in (("has_child", LAST_AGE), ("in_1000_days", FIRST_1000_DAYS)):
        rows = children.window(world.month, -PREGNANCY_MONTHS, last_age)
        setattr(world, name, homes_of(children.household[rows], n))


def _asks_for_children(world: World) -> bool:
    """Whether a need of this month of the year does, worked out once."""
    now = world.month_of_year
    key = ("asks for children", now)
    if key not in world.kept:
        due = (each for each in world.services if each.unit == "household" and now in each.months)
        world.kept[key] = any(needs.HOUSEHOLD[each.need].asks_for_children for each in due)
    found: bool = world.kept[key]
    return found
