"""What coordination costs, and who pays: meetings, rounds, guidelines, training, cadres, lists, councils.

A month costs a twelfth of what the levers in force come to in a year. How the district coordinated at the start is in
its running budget already; what a scenario adds is paid in place of services of the same source (their lines lose it in
proportion to what is not released yet), on top with new money of that source, or not at all. What the centre pays is
always on top. Parameters: costs.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.mechanisms import province, shocks, socialization
from konvergensi.world.costs import FROM_ABOVE, PAID_FROM
from konvergensi.world.programmes import SOURCES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from konvergensi.world.state import World

TRAINED_YEARS = 3  # in which everybody is trained once
# source of money -> which items of PAID_FROM the district pays for from it, (n_items,)
OWN = {
    source: np.array([of == source and item not in FROM_ABOVE for item, of in PAID_FROM.items()])
    for source in dict.fromkeys(PAID_FROM.values())
}
KPM = list(PAID_FROM).index("kpm-pay")


def yearly(world: World) -> dict[str, float]:
    """What coordination under the settings in force comes to in a year, by item of PAID_FROM; Rp of the whole district.

    Meetings that a shock calls off are not paid for.
    """
    settings, state = world.settings, world.coordination
    open_ = shocks.in_force(settings, "meeting_open_share")
    included = state.included(settings)
    told = sum(bool(opd.guideline) for opd in world.opds) + len(world.opds) * bool(settings["socialization.juknis"])
    staff = sum(opd.staff for opd in world.opds)
    trained = world.villages.fixed_draws["kpm trained"] < settings["villages.kpm_trained_share"]
    councils = world.villages.fixed_draws["village rembuk"] < settings["villages.rembuk_share"]
    triggered = world.villages.fixed_draws["village triggered"] < settings["villages.triggering_share"]
    handed = np.count_nonzero(world.handed.opd_draw < settings["lists.sharing_share"])
    lists = handed * settings["costs.handout_rp"] * 12.0 / settings["lists.handout_months"]
    lists += settings["costs.linkage_rp"] * bool(settings["registers.linkage"])
    meetings = socialization.meetings_per_year(settings) * settings["costs.meeting_rp"]
    rounds = settings["cascade.meetings_per_year"] * settings["costs.round_village_rp"]
    return {
        "meetings": open_ * (meetings + settings["costs.rembuk_rp"]),
        "rounds": open_ * rounds * np.count_nonzero(included),
        "guidelines": settings["costs.guideline_rp"] * told,
        "focal-units": settings["costs.focal_unit_rp"] * sum(bool(opd.focal_unit) for opd in world.opds),
        "training": settings["costs.training_rp"] * settings["socialization.training_share"] * staff / TRAINED_YEARS,
        "kpm-training": settings["costs.kpm_training_rp"] * np.count_nonzero(state.kpm & trained),
        "lists": lists,
        "sanitation": settings["costs.triggering_rp"] * np.count_nonzero(triggered),
        "kpm-pay": 12.0 * settings["cascade.kpm_incentive_rp"] * np.count_nonzero(state.kpm),
        "village-councils": open_ * settings["costs.village_council_rp"] * np.count_nonzero(councils),
        "accompaniment": settings["costs.accompaniment_rp"]
        * (settings["network.pendampingan"] + province.own_accompaniment(settings)),
        "province": settings["province.aid_rp"],
        "campaigns": settings["costs.campaign_rp"] * settings["partners.campaign_share"],
        "universities": settings["costs.university_rp"] * settings["partners.university_share"],
        "grants": settings["villages.grant_rp"] * float(len(state.kpm)),
    }


def _month(world: World) -> NDArray[np.float64]:
    """The month's costs by item, Rp of the simulated share, (n_items,): as last month until something of it changes."""
    agencies = [(opd.guideline, opd.focal_unit, opd.staff) for opd in world.opds]
    now = (world.coordination.kpm.tobytes(), agencies)
    of, found = world.derived.get("costs", (None, None))
    if of != now:
        whole = yearly(world)
        found = np.array([whole[item] for item in PAID_FROM]) / 12.0 * world.population_share
        world.derived["costs"] = (now, found)
    month: NDArray[np.float64] = found
    return month


def begin(world: World) -> None:
    """Take down what the district's own way of coordinating costs, before a scenario changes it (in place)."""
    world.costs.first = _month(world)


def pay(world: World) -> None:
    """The month's costs; what lies beyond the start is paid by the rule in force (in place)."""
    costs, rule = world.costs, world.settings["costs.paid"]
    costs.now = _month(world)
    costs.more = np.maximum(costs.now - costs.first, 0.0)
    costs.displaced = np.zeros(len(PAID_FROM))
    if rule != "in-place":
        return
    if not costs.more.any():
        return
    for source, mine in OWN.items():
        asked = float(costs.more[mine].sum())
        if asked > 0.0:
            taken = displace(world, source, asked)
            costs.displaced[mine] = costs.more[mine] * taken / asked


def displace(world: World, source: str, asked_rp: float) -> float:
    """Take money out of this year's lines of a source, in proportion to what is not released; Rp taken (in place)."""
    book = world.programmes
    free = np.where(book.source == SOURCES.index(source), np.maximum(book.budgeted - book.released, 0.0), 0.0)
    total = float(free.sum())
    if total <= 0.0:
        return 0.0
    taken = min(asked_rp, total)
    book.budgeted -= free * (taken / total)
    return taken


def more_rp(world: World) -> float:
    """What the month's coordination costs beyond the start, KPM pay left out (it is told apart), Rp; 0 where free."""
    if world.settings["costs.paid"] == "free":
        return 0.0
    return float(np.add.reduce(world.costs.more) - world.costs.more[KPM])
