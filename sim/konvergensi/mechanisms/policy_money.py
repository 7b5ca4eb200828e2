"""Money that a policy gives or takes: what `budget.add`, `budget.fund` and `budget.cut` do to the year's budget.

It comes on top of what agencies argue for and touches no line that inertia copies, so that next year's budget is as it
would have been once the policy has ended. In the order fund, cut, add; in January, or in the month in which it changes,
where what has been released already stays. What is added counts when staff is divided, when agencies ask for more, and
not against a line whose money lapsed. Parameters: budget.toml, inputs/families.toml; floors: inputs/institutions.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.inputs.institutions import institutions
from konvergensi.mechanisms import budget
from konvergensi.world.programmes import SOURCES, Money

if TYPE_CHECKING:
    from konvergensi.world.state import World

NOTHING: tuple[float, ...] = ()


def apply(world: World) -> bool:
    """Put the policy's money into this year's budget (in place); whether it changed anything."""
    book = world.programmes
    asked = _asked(world)
    if asked == book.policy_asked and not (asked and world.month_of_year == 1):
        return False
    own = book.budgeted - book.policy
    book.budgeted[:] = np.maximum(_wanted(world, own, asked), book.released)
    book.policy[:] = book.budgeted - own
    book.planned[:] = np.maximum(book.planned, book.budgeted)
    book.policy_asked = asked
    return True


def _asked(world: World) -> tuple[float, ...]:
    """What the settings in force ask of each programme: added Rp, share funded, share cut, one after the other.

    Empty where they ask nothing. Rp of the whole district.
    """
    if "policy money" not in world.derived:
        book, settings = world.programmes, world.settings
        of_source = [settings[f"budget.{source.replace('-', '_')}_cut_share"] for source in SOURCES]
        lines = [
            [settings[f"programmes.{line}.{field}"] for field in ("add_rp", "funded_share", "cut_share")]
            for line in book.id
        ]
        found: list[float] = []
        for p, (add, fund, cut) in enumerate(lines):
            kept = institutions().kept_share(world.services[book.service[p]].id)
            left = (1.0 - of_source[book.source[p]]) * (1.0 - cut)
            found += [add, fund, (1.0 - kept) * (1.0 - left)]
        world.derived["policy money"] = tuple(found) if any(found) else NOTHING
    asked: tuple[float, ...] = world.derived["policy money"]
    return asked


def _wanted(world: World, own: Money, asked: tuple[float, ...]) -> Money:
    """The year's budget under the policy, Rp of the simulated share, (n_programmes,)."""
    if not asked:
        return own
    book, settings = world.programmes, world.settings
    add, fund, cut = np.array(asked).reshape(-1, 3).T
    target = own.copy()
    for p in np.flatnonzero(fund > 0.0):
        service = world.services[book.service[p]]
        yearly = budget.expected_need(service, world.district, settings) * budget.deliveries_a_year(service)
        cost = yearly * book.unit_cost[p] * (1.0 + settings["budget.overhead_share"])
        target[p] = fund[p] * cost * world.population_share
    return target * (1.0 - cut) + add * world.population_share
