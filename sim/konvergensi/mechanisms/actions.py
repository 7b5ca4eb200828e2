"""The convergence actions as they are carried out: month, responsible agency, quality, compliance score.

Eight Aksi (2018-2024) or the reform of 2025; months come from calendar.toml. What an action changes is done by the
mechanism it belongs to, times `Coordination.effect`: done on paper, most of it is lost, while the score for documents
stands. Parameters: actions.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import partners, province
from konvergensi.world.coordination import Done
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.world.agents import Opd
    from konvergensi.world.state import World

# what each action changes in the model: the ODD's table of actions
CHANGES = {
    "analysis": "what agencies believe the need of each programme to be",
    "plan": "proposals for next year's money, ties between agencies in the joint plan",
    "rembuk": "a meeting to which the regent invites, ties, how far agencies are bound to the plan",
    "village_rule": "the least share of the village fund for stunting",
    "coaching": "understanding of villages with a KPM, by-name lists",
    "data": "linkage of registers: how many records are found",
    "measurement": "how late e-PPGBM is published",
    "review": "attention to published figures, lines whose money lapsed",
}
NEED_MANY = ("plan", "rembuk", "data", "review")  # actions that are worth what the others bring to the table


def carry_out(world: World, action: str) -> float:
    """Carry out an action this month; returns what is left of its effect, 0..1 (in place)."""
    settings, state = world.settings, world.coordination
    opd = responsible(world, action)
    understood = opd.known if opd else 0.0
    if action in NEED_MANY:
        weight = settings["actions.presence_weight"]
        understood *= 1.0 - weight + weight * _presence(world)
    base = settings["actions.base_quality"]
    helped = settings["actions.pendampingan_share"] * province.accompaniment(settings)
    quality = 1.0 - (1.0 - base) * (1.0 - understood) * (1.0 - helped) * (1.0 - partners.help_with(action, settings))
    paper = settings["actions.paper_score_share"]
    done = Done(world.month, opd.id if opd else "", float(quality), float(paper + (1.0 - paper) * quality))
    state.done[action] = done
    state.carried_out.append((action, done))
    return state.effect(action, settings)


def _presence(world: World) -> float:
    """Share of meetings that the agencies with a programme came to lately, 0..1."""
    there = [opd.attendance for opd in world.opds if opd.has_programme]
    return float(np.mean(there)) if there else 0.0


def responsible(world: World, action: str) -> Opd | None:
    """The agency an action is done by: coordinator; for villages who runs village money; for measurement who weighs."""
    book, services = world.programmes, world.services
    if action in ("village_rule", "coaching"):
        runs = np.flatnonzero(book.source == SOURCES.index("dana-desa"))
    elif action == "measurement":
        weighs = [s for s, service in enumerate(services) if service.weighs]
        runs = np.flatnonzero(np.isin(book.service, weighs) & (book.source != SOURCES.index("dana-desa")))
    else:
        runs = np.zeros(0, np.intp)
    if len(runs):
        return world.opds[book.opd[runs[0]]]
    return next((opd for opd in world.opds if opd.role == "coordinator"), None)


def publication_delay(world: World) -> int:
    """Months by which e-PPGBM is published later because its publication is done on paper only."""
    return round(
        world.settings["actions.late_months"] * (1.0 - world.coordination.effect("measurement", world.settings))
    )
