"""Socialization of the agencies: who knows, and who keeps knowing.

Understanding sits in people and in institutions. Whoever comes to a meeting learns; when that person is moved, what was
not handed over is gone. A focal unit, a guideline and the same person coming again protect it. Everything fades.
How much is learnt, lost and forgotten was never measured: see the grades in socialization.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import calendar, goals, network, province, shocks

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.agents import Opd
    from konvergensi.world.coordination import Flags
    from konvergensi.world.state import World


def rotate(world: World) -> None:
    """Persons in charge are moved, by the usual turnover and by mutasi; what they knew goes with them (in place)."""
    settings, state = world.settings, world.coordination
    stay = (1.0 - settings["socialization.turnover_share"]) * (1.0 - shocks.in_force(settings, "mutasi_share"))
    draw = world.draws.uniform("rotation", world.month, state.opd_keys)
    for opd, drawn in zip(world.opds, draw, strict=True):
        if drawn >= stay:
            hand_over(opd, settings)


def hand_over(opd: Opd, settings: Settings) -> None:
    """Replace the agency's person in charge: unprotected understanding is lost, files teach the newcomer (in place)."""
    loss = settings["socialization.rotation_loss_share"]
    if opd.focal_unit:
        loss *= 1.0 - settings["socialization.focal_protection_share"]
    if opd.guideline:
        loss *= 1.0 - settings["socialization.guideline_protection_share"]
    from_files = settings["socialization.newcomer_share"] * opd.institutional_understanding
    opd.understanding = max(opd.understanding * (1.0 - loss), min(from_files, opd.understanding))
    opd.knows_colleagues = False


def meetings_per_year(settings: Settings) -> int:
    """Meetings that are called in a year, the rembuk not counted: the usual ones, and those a decree brings; 0..12."""
    by_decree = settings["socialization.decree_meetings_per_year"] if settings["network.decree_in_force"] else 0
    return min(settings["socialization.meetings_per_year"] + by_decree, 12)


def meet(world: World, rembuk: bool) -> None:
    """Hold the month's meeting, if there is one: who is invited, who comes, what they learn, whom they meet (in place).

    rembuk: the yearly council (Aksi 3) is this month; the regent's invitation outranks ego.
    """
    settings, state = world.settings, world.coordination
    state.came[:] = False
    called = calendar.is_meeting_month(meetings_per_year(settings), world.month)
    if not (called or rembuk):
        return
    key = state.opd_keys
    closed = world.draws.generator("meeting held", world.month).random()
    if closed >= shocks.in_force(settings, "meeting_open_share"):
        return
    asked = world.draws.uniform("invited", world.month, key) < settings["socialization.breadth_share"]
    free = world.draws.uniform("workload", world.month, key)
    willing = world.draws.uniform("willing", world.month, key)
    same = world.draws.uniform("same person", world.month, key)
    for i, opd in enumerate(world.opds):
        invited = opd.leads or opd.in_decree or asked[i]
        busy = settings["socialization.workload_share"]
        refuses = network.effective_ego(world, i) * (1.0 - network.pull(opd, settings))
        if rembuk:
            busy *= 1.0 - goals.leadership(world)
            refuses = 0.0
        comes = free[i] >= busy and willing[i] >= refuses
        state.came[i] = opd.role == "coordinator" or (invited and comes)  # who calls the meeting is there
        opd.attendance += settings["socialization.attendance_memory_share"] * (float(state.came[i]) - opd.attendance)
    again = _same_people(world, same)
    _learn(world, again)
    if settings["network.on"]:
        network.tie_meeting(world, again)
    if rembuk:
        for i, opd in enumerate(world.opds):
            if state.came[i]:
                opd.rembuk_year = world.month // 12


def _same_people(world: World, draw: np.ndarray) -> Flags:
    """Of the agencies that came, which sent the person who came last time; (n_opd,)."""
    settings = world.settings
    again = np.zeros(len(world.opds), bool)
    for i, opd in enumerate(world.opds):
        if not world.coordination.came[i]:
            continue
        chance = settings["socialization.same_person_share"]
        if opd.focal_unit:
            chance += (1.0 - chance) * settings["socialization.focal_continuity_share"]
        again[i] = opd.knows_colleagues and draw[i] < chance
        opd.knows_colleagues = True
    return again


def message(world: World) -> float:
    """What a meeting can teach: the best informed of those who came and run a programme or lead, and accompaniment."""
    best = 0.0
    for i, opd in enumerate(world.opds):
        if world.coordination.came[i] and (opd.has_programme or opd.leads):
            best = max(best, opd.known)
    return float(1.0 - (1.0 - best) * (1.0 - province.accompaniment(world.settings)))


def _learn(world: World, again: Flags) -> None:
    settings, taught = world.settings, message(world)
    for i, opd in enumerate(world.opds):
        if not world.coordination.came[i]:
            continue
        share = settings["socialization.learning_share"]
        share *= 1.0 if again[i] else settings["socialization.one_off_share"]
        share *= 1.0 if opd.has_programme or opd.leads else settings["socialization.no_programme_share"]
        opd.understanding += share * max(taught - opd.understanding, 0.0)


def keep_and_forget(world: World) -> None:
    """The month outside meetings: files and people teach each other, peers tell, guidelines are read, all fades."""
    settings = world.settings
    consolidation, without_unit, learning = (
        settings[f"socialization.{name}_share"] for name in ("consolidation", "without_unit", "guideline_learning")
    )
    people_keep = 1.0 - settings["socialization.staff_decay_share"]
    files_keep = 1.0 - settings["socialization.institution_decay_share"]
    levels = levels_of_guidelines(settings)
    for opd, told in zip(world.opds, _from_peers(world).tolist(), strict=True):
        write = consolidation * (1.0 if opd.focal_unit else without_unit)
        people, files = opd.understanding, opd.institutional_understanding
        behind, ahead = max(people - files, 0.0), max(files - people, 0.0)
        files += write * behind
        people += write * ahead + told
        files += learning * max(guideline_level(opd, *levels) - files, 0.0)
        opd.understanding = min(people * people_keep, 1.0)
        opd.institutional_understanding = files * files_keep


def levels_of_guidelines(settings: Settings) -> tuple[float, float]:
    """Institutional understanding that reading a guideline leads to, and reading juklak/juknis, 0 without them."""
    juknis = settings["socialization.juknis_level_share"] if settings["socialization.juknis"] else 0.0
    return float(settings["socialization.guideline_level_share"]), float(juknis)


def guideline_level(opd: Opd, by_guideline: float, by_juknis: float) -> float:
    """Institutional understanding that reading leads to: none without a guideline; juklak/juknis also by decree."""
    level = by_guideline if opd.guideline else 0.0
    return max(level, by_juknis) if opd.guideline or opd.in_decree else level


def _from_peers(world: World) -> np.ndarray:
    """What each agency hears in a month from better informed acquaintances, (n_opd,).

    Only who runs a programme or leads has something to tell, so an agency without part in it changes nobody.
    """
    knows = np.array([opd.understanding for opd in world.opds])
    tells = np.array(network.partners(world.opds))
    more = np.maximum(knows[None, :] - knows[:, None], 0.0) * tells[None, :]
    heard = np.maximum.reduce(world.coordination.ties["informal"] * more, axis=1, initial=0.0)
    share: np.ndarray = world.settings["socialization.peer_share"] * heard
    return share
