"""Conceptions and births: what draws, settings and January decide is worked out for the rest of the year at once.

Settings that change make it be worked out again, as everything in `World.derived`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.base.compiled import compiled
from konvergensi.mechanisms import growth, meetings, registers, uptake
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from konvergensi.world.households import F32, Mask
    from konvergensi.world.state import World

    Columns = tuple[NDArray[Any], ...]


def enter(world: World, rows: slice) -> None:
    """Children at conception: their lasting growth, when registers will know them, what their family is (in place)."""
    children, homes, registry = world.children, world.households, world.registers
    lasting, cohort_month, nik_month, recorded_kek = _of_the_year(world, -PREGNANCY_MONTHS, rows, _before_conception)
    children.lasting[rows] = lasting
    registry.cohort_month[rows], registry.nik_month[rows] = cohort_month, nik_month
    registry.recorded_kek[rows] = recorded_kek
    take_home(
        children.lasting[rows],
        children.joint[rows],
        registry.known_krs[rows],
        registry.known_dtks[rows],
        children.household[rows],
        homes.four_too,
        homes.spaced,
        homes.joint,
        homes.in_krs,
        homes.in_dtks,
        np.float32(world.settings["growth.four_too_effect_z"]),
        world.village_effect,
        children.village[rows],
    )


def give_birth(world: World, rows: slice) -> None:
    """Children at birth: weight and length, with what services in pregnancy added (in place)."""
    weight, own = _of_the_year(world, 0, rows, _before_birth)
    growth.give_birth(world.children, world.settings, weight, own, rows)


def carry_household(world: World) -> None:
    """Copy what is worked out at home each January to its children, also to those conceived later this year.

    Chances of uptake, attendance, place on the joint list, risk, wealth fifth (in place).
    """
    children = world.children
    rows = children.window(world.month, -PREGNANCY_MONTHS - _months_left(world), LAST_AGE)
    home = children.household[rows]
    chances: dict[int, NDArray[np.uint16]] = {}
    for s, service in enumerate(world.services):
        if service.unit != "household" and len(world.book.fixed_draws[s]):
            kind = uptake.row_of(service)
            if kind not in chances:
                chances[kind] = world.household_chance[kind].take(home)
            np.less(world.book.fixed_draws[s][rows], chances[kind], out=world.book.willing[s][rows])
    world.attendance_score[rows] = world.household_score.take(home)
    children.joint[rows] = world.households.joint.take(home)
    children.at_risk[rows] = world.at_risk.take(home)
    by_village = 5 * world.lokus.view(np.int8)
    np.add(world.households.wealth_fifth.take(home), by_village.take(children.village[rows]), out=children.cell[rows])


def _months_left(world: World) -> int:
    return 12 - world.month_of_year


def _of_the_year(world: World, age: int, rows: slice, work_out: Callable[[World, slice], Columns]) -> Columns:
    """Columns of `rows`, (n,) each; worked out for all who come to an age in months from this month to December."""
    key = ("of the year", age)
    year, start, found = world.derived.get(key, (None, 0, ()))
    if year != world.month // 12:
        last = world.children.window(world.month, age - _months_left(world), age)
        start, found = rows.start, work_out(world, slice(rows.start, max(last.stop, rows.stop)))
        world.derived[key] = (world.month // 12, start, found)
    return tuple(each[rows.start - start : rows.stop - start] for each in found)


def _before_conception(world: World, rows: slice) -> Columns:
    lasting = growth.lasting_of_home(world.children, world.households, world.settings, rows)
    return lasting, *registers.expected(
        world.children,
        world.households,
        world.settings,
        world.draws,
        world.district.population["nik_share"].value,
        rows,
        meetings.paper_odds(world, rows) if world.settings["contacts.reach"] == "contacts" else None,
    )


def _before_birth(world: World, rows: slice) -> Columns:
    weight, own = growth.birth_size(world.settings, world.draws, world.children.key[rows])
    return weight, own + np.float32(world.settings["growth.kek_effect_z"]) * world.children.kek[rows]


def _take_home_in_columns(
    lasting: F32,
    joint: NDArray[np.uint16],
    known_krs: Mask,
    known_dtks: Mask,
    home: NDArray[np.int32],
    four_too: Mask,
    spaced: Mask,
    joint_of_home: NDArray[np.uint16],
    in_krs: Mask,
    in_dtks: Mask,
    effect: np.float32,
    village_effect: F32,
    village: NDArray[np.int16],
) -> None:
    lasting += effect * (four_too[home] & ~spaced[home])
    lasting += village_effect[village]
    joint[:], known_krs[:], known_dtks[:] = joint_of_home[home], in_krs[home], in_dtks[home]


@compiled(_take_home_in_columns)
def take_home(  # type: ignore[no-untyped-def]
    lasting, joint, known_krs, known_dtks, home, four_too, spaced, joint_of_home, in_krs, in_dtks, effect,
    village_effect, village,
):  # fmt: skip
    """What the family is at conception, (n,) in place: its risk and its village in `lasting`, z, its place on the joint
    list, whether KRS and DTKS know it. Columns of homes and villages are read by `home` and `village`, (n,).
    """
    nothing = np.float32(0.0)
    for i in range(len(home)):
        at = home[i]
        lasting[i] += effect if four_too[at] and not spaced[at] else nothing
        lasting[i] += village_effect[village[i]]
        joint[i], known_krs[i], known_dtks[i] = joint_of_home[at], in_krs[at], in_dtks[at]
