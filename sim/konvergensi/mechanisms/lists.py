"""Lists that travel by name and address: handed out some times a year, matched by hand, partly found, partly mistaken.

What agencies are handed is the case list of e-PPGBM and the register of families at risk as last drawn up. Matching
takes months, finds part of the people and takes some others for them. It tells whom to serve, and nobody what a family
already had, which only linkage by NIK does. Where an agency uses the joined list (registers.py) it needs no other.
Parameters: lists.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from konvergensi.mechanisms import registers
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.registers import NEVER

if TYPE_CHECKING:
    from konvergensi.world.children import Children
    from konvergensi.world.coordination import Flags
    from konvergensi.world.households import Households, Mask
    from konvergensi.world.state import World


def refresh(world: World) -> None:
    """The month's part: a matched list comes into use; a new one is handed out (in place)."""
    settings, lists = world.settings, world.handed
    if settings["lists.sharing_share"] == 0.0:
        lists.due, lists.in_use = NEVER, False
        return
    if world.month >= lists.due:
        lists.on[:], lists.cases[:], lists.false[:] = lists.next_on, lists.next_cases, lists.next_false
        lists.households[:] = lists.next_households
        lists.due, lists.in_use = NEVER, True
    if world.month % settings["lists.handout_months"] == 0 and lists.due == NEVER:
        _hand_out(world)
        lists.due = world.month + settings["lists.matching_months"]


def _hand_out(world: World) -> None:
    settings, lists, registry = world.settings, world.handed, world.registers
    children, homes, draws = world.children, world.households, world.draws
    rows = children.window(world.month, -PREGNANCY_MONTHS, LAST_AGE)
    key = children.key[rows]
    matched = lists.match_draw[rows] < settings["lists.matched_share"]
    cases = registry.on_eppgbm[rows] & registry.recorded_faltering[rows] & matched
    wrong = draws.uniform("false name", world.month, key) < settings["lists.false_share"]
    lists.next_on[rows] = found = (registry.on_krs[rows] & matched) | cases
    lists.next_cases[rows], lists.next_false[rows] = cases, wrong & ~found
    named = draws.uniform("family name match", 0, homes.key) < settings["lists.matched_share"]
    mistaken = draws.uniform("false family name", world.month, homes.key) < settings["lists.false_share"]
    lists.next_households[:] = (homes.in_krs & named) | mistaken


def receives(world: World) -> Flags:
    """Agencies that are handed the list, (n_opd,)."""
    found: Flags = world.handed.opd_draw < world.settings["lists.sharing_share"]
    return found


def uses(world: World, programme_row: int) -> bool:
    """Whether programme p may serve from a handed list: matched, not under ministry rules, no joined list at hand."""
    if not world.handed.in_use:
        return False
    bound = world.programmes.rigid[programme_row] and world.settings["registers.ministry_rules_bind"]
    handed = world.handed.opd_draw[world.programmes.opd[programme_row]] < world.settings["lists.sharing_share"]
    return bool(handed and not bound and not registers.uses_joined_list(world, programme_row))


def found(world: World, programme_row: int, of: Children | Households, rows: slice) -> Mask:
    """Who of `rows` was found on the handed list as one whom programme p serves, mistakes among them, (n,)."""
    lists = world.handed
    if of is world.households:
        return lists.households[rows]
    faltering = world.services[world.programmes.service[programme_row]].need == "faltering"
    listed: Mask = (lists.cases if faltering else lists.on)[rows] | lists.false[rows]
    return listed
