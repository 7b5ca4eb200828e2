"""Goals: each agency weighs its own target against the shared one.

Understanding x mandate x leadership stand against sectoral ego. Adapting a programme is easier than adopting the goal,
so most agencies adapt programmes and leave their goals as they were. A goal that is adopted decides what the agency
plans for and whether it takes up a shared list; adapted programme and adopted goal together, whom it serves first.
Parameters: goals.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import cascade, lists, network, shocks
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.agents import Opd
    from konvergensi.world.coordination import Flags
    from konvergensi.world.programmes import Money
    from konvergensi.world.state import World


def leadership(world: World) -> float:
    """Weight that the leaders give to the shared goal this month: policy, elections, what was published; 0..1."""
    level = world.settings["goals.leadership"] * shocks.in_force(world.settings, "leadership_share")
    return float(min(max(level + world.coordination.attention, 0.0), 1.0))


def mandate(opd: Opd, settings: Settings) -> float:
    """How far stunting is the agency's task, with what a place in the decree adds, 0..1."""
    if not opd.in_decree:
        return float(opd.mandate)
    added = settings["goals.decree_mandate_share"] * (2.0 if settings["network.decree_targets"] else 1.0)
    return float(opd.mandate + (1.0 - opd.mandate) * min(added, 1.0))


def weigh(shared: float, own: float) -> float:
    """Share of weight that the shared goal gets against the own one, 0..1; 0 where nothing speaks for it."""
    return shared / (shared + own) if shared > 0.0 else 0.0


def adopt(world: World) -> None:
    """Agencies move towards the goals that their situation speaks for (in place)."""
    settings, led = world.settings, leadership(world)
    speed, ease = settings["goals.adoption_speed"], settings["goals.adaptation_ease"]
    for i, opd in enumerate(world.opds):
        shared, own = opd.known * mandate(opd, settings), network.effective_ego(world, i)
        opd.goal_adoption += speed * (weigh(shared * led, own) - opd.goal_adoption)
        opd.adaptation += speed * (weigh(shared, own * (1.0 - ease)) - opd.adaptation)


def share_lists(world: World) -> None:
    """Which agencies take up the joined list: told to, or of their own because they adopted the goal (in place)."""
    told = world.settings["registers.sharing_share"]
    by_goal = world.settings["goals.sharing_by_goal_share"]
    for opd, draw in zip(world.opds, world.fixed_draws["shares joined list"], strict=True):
        opd.shares_joined_list = bool(draw < told + (1.0 - told) * by_goal * opd.goal_adoption)


def join_plan(world: World) -> Flags:
    """Which agencies the year's joint plan includes: those that lead, and a share of those in the decree (in place)."""
    share = world.settings["goals.plan_inclusion_share"]
    for opd, draw in zip(world.opds, world.fixed_draws["plan"], strict=True):
        opd.in_plan = bool(opd.leads or (opd.in_decree and draw < share))
    return np.array([opd.in_plan for opd in world.opds])


def argued_for(world: World, effect: float) -> Money:
    """How far next year's money is argued for, by programme, 0..1, (n_programmes,).

    Agencies that the joint plan includes argue as far as they adopted the goal; villages, for their own money, as far
    as they understand. effect: what is left of the plan's effect; no more counts than the rembuk bound them to.
    Agencies left out copy last year.
    """
    effect = min(effect, world.coordination.effect("rembuk", world.settings))
    included = join_plan(world)
    book = world.programmes
    adopted = np.array([opd.goal_adoption for opd in world.opds]) * included
    village = book.source == SOURCES.index("dana-desa")
    argued: Money = effect * np.where(village, cascade.village_voice(world), adopted[book.opd])
    return argued


def joint_share(world: World, programme_row: int) -> float:
    """How far programme p serves the families of the joint list first, 0..1.

    It takes an agency that adapted its programmes and, for the other half, adopted the goal; a joint plan; and a list:
    the family register or a shared list in hand, or as much of it as formal and data ties let through. Ministry
    rules leave no choice.
    """
    settings, i = world.settings, int(world.programmes.opd[programme_row])
    opd = world.opds[i]
    if not opd.in_plan or (world.programmes.rigid[programme_row] and settings["registers.ministry_rules_bind"]):
        return 0.0
    in_hand = opd.register == "krs" or (world.linked and opd.shares_joined_list) or lists.uses(world, programme_row)
    access = 1.0 if in_hand else _shown(world, i)
    weight = settings["goals.adaptation_weight"]
    willing = weight * opd.adaptation + (1.0 - weight) * opd.goal_adoption
    return float(settings["goals.joint_planning_share"] * willing * access)


def _shown(world: World, i: int) -> float:
    """How much of the family register agency i gets to see: its strongest formal or data tie to those who keep it."""
    data, formal = world.coordination.ties["data"][i], world.coordination.ties["formal"][i]
    keeps = [j for j, opd in enumerate(world.opds) if opd.register == "krs" and opd.has_programme]
    return max((float(max(data[j], formal[j])) for j in keeps), default=0.0)
