"""Registers that overlap and miss, target lists drawn from them, and their linkage by NIK.

e-PPGBM knows who was weighed and entered; the midwife's cohort book knows pregnancies that reached her; KRS knows
families at risk that the census reached; DTKS knows households once assessed as poor; Dukcapil knows who has a NIK.
They share no key in practice; linkage joins records by NIK with misses and false matches. Parameters: registers.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.compiled import compiled
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS, Children
from konvergensi.world.draws import Draws
from konvergensi.world.households import F32, LAST_PLACE, Households, Mask
from konvergensi.world.registers import NEVER, Registers

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.state import World


def risks(households: Households) -> NDArray[np.int8]:
    """Number of KRS risks of each household: no safe water, no decent latrine, 4-too; (n_households,) int8.

    Whoever uses contraception stays 4-too: the census counts age, children and years between births.
    """
    count = households.no_water.astype(np.int8)
    count += households.no_latrine
    count += households.four_too
    return count


def refresh_dtks(
    households: Households, settings: Settings, draws: Draws, month: int, dtks_share: float, everyone: bool
) -> None:
    """Assess households for DTKS, a share of them at each refresh; the others keep their old entry (in place)."""
    line, missed = settings["registers.poor_line_share"], settings["registers.dtks_exclusion_share"]
    wrongly = max((dtks_share - line * (1.0 - missed)) / (1.0 - line), 0.0)
    drawn = draws.uniform("dtks", month, households.key)
    looked = drawn if everyone else draws.uniform("dtks reassessed", month, households.key)
    share = np.float32(1.0 if everyone else settings["registers.dtks_reassess_share"])
    assess(households.in_dtks, households.poor, drawn, 1.0 - missed, wrongly, looked, share)


def _assess_in_columns(
    listed: Mask, poor: Mask, drawn: F32, of_poor: float, of_others: float, looked: F32, share: np.float32
) -> None:
    listed[:] = np.where(looked < share, drawn < np.where(poor, of_poor, of_others), listed)


@compiled(_assess_in_columns)
def assess(listed, poor, drawn, of_poor, of_others, looked, share):  # type: ignore[no-untyped-def]
    """Whose entry is looked at, a draw below `share`, is listed by chances of the poor and of others, (n,) in place."""
    for i in range(len(listed)):
        new = drawn[i] < (of_poor if poor[i] else of_others)
        listed[i] = new if looked[i] < share else listed[i]


def refresh_krs(households: Households, registers: Registers, settings: Settings, draws: Draws) -> None:
    """Take the family census: risks as recorded decide who is on KRS (in place)."""
    reached = draws.uniform("krs reached", 0, households.key) < settings["registers.krs_coverage_share"]
    registers.krs_misread = misread = (
        draws.uniform("krs misread", 0, households.key) < settings["registers.krs_misread_share"]
    )
    at_risk = risks(households) >= settings["registers.krs_min_risks"]
    households.in_krs = reached & (at_risk ^ misread)
    registers.krs_poor = reached & (households.poor ^ misread)


def draw_up_joint_list(households: Households, children: Children, draws: Draws, rows: slice) -> None:
    """The list that agencies can serve first together: families at risk as recorded, in a lasting order (in place).

    rows: the children who carry it along.
    """
    order = draws.halves("joint list", 0, households.key)
    np.minimum(order, LAST_PLACE - np.uint16(1), out=order)
    households.joint = np.maximum(order, ~households.in_krs * LAST_PLACE, out=order)
    children.joint[rows] = order.take(children.household[rows])


def expected(
    children: Children,
    households: Households,
    settings: Settings,
    draws: Draws,
    nik_share: float,
    rows: slice,
    odds: F32 | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.int32], Mask]:
    """Month in which a pregnancy will be known, month in which the child will have a NIK, whether KEK is recorded.

    Each (n,). Parameters: odds (n,) log odds of ever having a NIK beyond those of `nik_share`; None: the same for all.
    """
    key, home = children.key[rows], children.household[rows]
    conceived = children.birth_month[rows] - PREGNANCY_MONTHS
    # households out of reach come later; the mean delay is that at middling access
    later = 1.0 + settings["registers.cohort_delay_access_slope"] * (0.5 - households.access[home])
    delay = -np.log1p(-draws.uniform("cohort delay", 0, key)) * settings["registers.cohort_delay_months"] * later
    comes = draws.uniform("cohort", 0, key) < settings["registers.cohort_known_share"]
    cohort_month = np.where(comes, conceived + 1 + delay.astype(np.int32), NEVER).astype(np.int32)
    wait = -np.log1p(-draws.uniform("nik delay", 0, key)) * settings["registers.nik_delay_months"]
    share: float | F32 = nik_share
    if odds is not None:
        share = (1.0 / (1.0 + (1.0 / nik_share - 1.0) * np.exp(-odds))).astype(np.float32)
    ever = draws.uniform("nik", 0, key) < share
    nik_month = np.where(ever, children.birth_month[rows] + wait.astype(np.int32), NEVER).astype(np.int32)
    found = np.where(
        children.kek[rows],
        settings["registers.kek_sensitivity_share"],
        settings["registers.kek_false_share"],
    )
    return cohort_month, nik_month, draws.uniform("kek found", 0, key) < found


def record_weighing(registers: Registers, rows: slice, entered: Mask, z: F32, settings: Settings, month: int) -> None:
    """Enter those weighed, (n,) of `rows`, with their measured z, (n,), into e-PPGBM (in place)."""
    cutoff = np.float32(settings["registers.faltering_cutoff_z"])
    write_down(registers.last_entry[rows], registers.recorded_faltering[rows], entered, z, month, cutoff)


def _write_down_in_columns(
    last_entry: NDArray[np.int32], faltering: Mask, entered: Mask, z: F32, month: int, cutoff: np.float32
) -> None:
    last_entry[entered] = month
    faltering[entered] = z[entered] < cutoff


@compiled(_write_down_in_columns)
def write_down(last_entry, faltering, entered, z, month, cutoff):  # type: ignore[no-untyped-def]
    """The month and whether z is below the cutoff for those entered, (n,) in place."""
    now = np.int32(month)
    for i in range(len(entered)):
        last_entry[i] = now if entered[i] else last_entry[i]
    for i in range(len(entered)):
        faltering[i] = (z[i] < cutoff) if entered[i] else faltering[i]


def in_eppgbm(registers: Registers, rows: slice, settings: Settings, month: int) -> Mask:
    """Whom e-PPGBM knows: an entry not older than registers.eppgbm_active_months; (n,) bool."""
    return registers.last_entry[rows] > month - settings["registers.eppgbm_active_months"]


def draw_up_lists(
    children: Children, households: Households, registers: Registers, settings: Settings, month: int
) -> None:
    """Draw up target lists in the months in which each register is refreshed (in place)."""
    rows = children.window(month, -PREGNANCY_MONTHS, LAST_AGE)
    home = children.household[rows]
    if month % settings["registers.eppgbm_list_months"] == 0:
        registers.on_eppgbm[rows] = in_eppgbm(registers, rows, settings, month)
    if month % settings["registers.krs_refresh_months"] == 0:
        registers.known_krs[rows] = households.in_krs.take(home)
        registers.on_krs[rows] = registers.known_krs[rows]
    if month % settings["registers.dtks_refresh_months"] == 0:
        registers.known_dtks[rows] = households.in_dtks.take(home)
        registers.on_dtks[rows] = registers.known_dtks[rows]


def link(
    children: Children,
    households: Households,
    registers: Registers,
    settings: Settings,
    draws: Draws,
    month: int,
    effect: float = 1.0,
) -> None:
    """Join the registers by NIK (in place); without linkage the joined list is empty.

    effect: what is left of Aksi 6's effect, 0..1; the rest of the records that could be found is missed.
    """
    rows = children.window(month, -PREGNANCY_MONTHS, LAST_AGE)
    if not settings["registers.linkage"]:
        registers.on_joined[rows] = False
        registers.joined_households[:] = False
        return
    home, key = children.household[rows], children.key[rows]
    anywhere = (
        in_eppgbm(registers, rows, settings, month)
        | (registers.cohort_month[rows] <= month)
        | registers.known_krs[rows]
        | registers.known_dtks[rows]
        | (registers.nik_month[rows] <= month)
    )
    miss = 1.0 - effect * (1.0 - settings["registers.linkage_miss_share"])
    found = anywhere & households.has_nik[home] & (registers.link_draw[rows] >= miss)
    wrong = draws.uniform("false match", month, key) < settings["registers.linkage_false_share"]
    registers.on_joined[rows] = found | wrong
    registers.false_match[rows] = wrong & ~found
    linked = draws.uniform("linkage household", 0, households.key) >= miss
    registers.joined_households = households.has_nik & linked & (households.in_krs | households.in_dtks)
    registers.joined_households[home[found]] = True


def own_list(need: Mask | None, draw: NDArray[np.uint16], settings: Settings) -> Mask:
    """Own list of an agency without a register: part of those in need, and some who are not; (n,) bool.

    Parameters: need (n,) bool, None if everybody is; draw (n,) uint16, a fixed draw of each row for this service.
    """
    right = np.uint16(65535 * settings["registers.own_list_share"])
    wrong = np.uint16(65535 * settings["registers.own_list_false_share"])
    if need is None:
        return draw < right
    return (draw < wrong) & ~need | (draw < right) & need


def uses_joined_list(world: World, programme_row: int) -> bool:
    """Whether programme p may serve from the joined list: shared with its agency, and not under ministry rules."""
    if not (world.linked and world.opds[world.programmes.opd[programme_row]].shares_joined_list):
        return False
    return not (world.programmes.rigid[programme_row] and world.settings["registers.ministry_rules_bind"])
