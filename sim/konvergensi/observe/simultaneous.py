"""How many of eight services a 1,000-day household gets at once, counted as Susenas 2017 counted them.

The nearest thing to a national measurement of convergence. Each of the eight is mapped to the model service by
service (SERVICES says how and why); breastfeeding, diet and food security are behaviours and conditions at home, drawn
here and nowhere else: they read the world and change nothing in it. Parameters: behaviours.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.months import format_month
from konvergensi.world.children import FIRST_1000_DAYS

if TYPE_CHECKING:
    from konvergensi.world.households import Mask
    from konvergensi.world.state import World

Row = dict[str, Any]
# name in Susenas 2017 -> how it is counted here
SERVICES = {
    "immunisation": "basic immunisation as due for the age: the adequate dose by 12 months, its share before",
    "breastfeeding": "a behaviour: likelier after counselling, less likely in richer families",
    "diet_diversity": "a behaviour of children from 6 months: likelier in richer and better informed families",
    "drinking_water": "the household has safe water",
    "sanitation": "the household has a decent latrine",
    "early_education": "any parenting class (BKB): preschool itself is for children of three and over",
    "food_security": "a condition: the score that 11.9 percent met, drawn independently of everything",
    "birth_certificate": "the child has a certificate and identity number",
}


def household_services(world: World) -> tuple[NDArray[np.bool_], slice]:
    """Which of the eight each household with a child under two has, by its youngest, (n, 8); and the rows read."""
    return np.stack(_has(world), axis=1), _under_twos(world)


def _under_twos(world: World) -> slice:
    return world.children.window(world.month, 0, FIRST_1000_DAYS)


def _has(world: World) -> list[Mask]:
    """Who of the households with a child under two has each of the eight, by its youngest, (n,) each."""
    children, homes, month, rows = world.children, world.households, world.month, _under_twos(world)
    youngest = children.next_birth[rows] > month
    at = np.flatnonzero(youngest) + rows.start
    home, age = children.household[at], month - children.birth_month[at]
    return [
        _immunised(world, at, age),
        breastfed(world, at),
        diverse_diet(world, at) & (age >= 6),
        ~homes.no_water[home],
        ~homes.no_latrine[home],
        _taken(world, "bkb", at) > 0,
        _behaves(world, "food_security", at, 0.0),
        world.registers.nik_month[at] <= month,
    ]


def _taken(world: World, service: str, at: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Deliveries of a service taken up so far by the children `at`, (n,); none where nobody runs it."""
    s = next(i for i, each in enumerate(world.services) if each.id == service)
    taken = world.book.taken[s]
    return taken[at] if len(taken) else np.zeros(len(at), np.uint8)


def breastfed(world: World, at: NDArray[np.intp]) -> Mask:
    """Whose family breastfeeds exclusively in the first six months, (n,), of the children `at`."""
    return _behaves(world, "breastfeeding", at, _taken(world, "breastfeeding", at) > 0)


def diverse_diet(world: World, at: NDArray[np.intp]) -> Mask:
    """Whose family gives a diverse diet once food is due, (n,), of the children `at`."""
    knowledge = world.households.knowledge[world.children.household[at]]
    return _behaves(world, "diet_diversity", at, knowledge - np.float32(0.5))


def _immunised(world: World, at: NDArray[np.intp], age: NDArray[np.integer]) -> Mask:
    service = next(each for each in world.services if each.id == "immunisation")
    doses = service.adequate.doses if service.adequate else 1
    due = np.minimum(doses * (age + 1) // 12, doses)
    return _taken(world, "immunisation", at) >= np.maximum(due, 1)


def _behaves(world: World, name: str, at: NDArray[np.intp], moved_by: Any) -> Mask:
    """Whose family does it, (n,): a lasting draw against log odds that wealth and one thing more move."""
    settings, children = world.settings, world.children
    odds = (
        settings[f"behaviours.{name}_base"]
        + settings[f"behaviours.{name}_wealth_slope"] * world.households.wealth[children.household[at]]
        + settings[f"behaviours.{name}_slope"] * moved_by
    )
    return world.draws.uniform(f"behaviour {name}", 0, children.key[at]) < 1.0 / (1.0 + np.exp(-odds))


def simultaneous_rows(world: World) -> tuple[list[Row], list[Row]]:
    """Rows of the tables `simultaneous` (month, n_services, households, share) and `single_coverage`."""
    has, when = _has(world), format_month(world.month)
    n, at_once = len(has[0]), np.zeros(len(has[0]), np.uint8)
    for each in has:
        at_once += each
    counts = np.bincount(at_once, minlength=len(SERVICES) + 1)
    many = [
        {"month": when, "n_services": k, "households": int(count), "share": float(count / n) if n else np.nan}
        for k, count in enumerate(counts)
    ]
    single = [
        {"month": when, "service": name, "share": int(np.count_nonzero(each)) / n if n else np.nan}
        for name, each in zip(SERVICES, has, strict=True)
    ]
    return many, single


def overlap(has: NDArray[np.bool_]) -> tuple[float, float]:
    """Variance of the number of services against independence, and their mean pairwise correlation; has (n, k)."""
    share = has.mean(axis=0)
    independent = float((share * (1.0 - share)).sum())
    ratio = float(has.sum(axis=1).var()) / independent if independent else float("nan")
    varied = has[:, (share > 0) & (share < 1)]
    if varied.shape[1] < 2:
        return ratio, float("nan")
    pairs = np.asarray(np.corrcoef(varied, rowvar=False))[np.triu_indices(varied.shape[1], 1)]
    return ratio, float(pairs.mean())
