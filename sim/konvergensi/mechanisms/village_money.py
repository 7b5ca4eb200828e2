"""What villages buy for stunting from their own budget (APB Desa), and what comes of it.

By custom a village buys what villages buy: food for children, posyandu, health posts and transport, works. A village
that understands, met in a council and holds the by-name list moves money to what its families in the 1,000 days miss.
The totals are set as before (budget.py: inertia, argued for, the least share by rule) plus a block grant; only their
division is chosen here, and no rupiah is lost in it. Food and works are lines of programmes, so is part of posyandu;
the rest (upkeep, tools, cadres, transport) draws families. Parameters: villages.toml; shares: convergence_evidence.csv.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.world.children import FIRST_1000_DAYS, PREGNANCY_MONTHS
from konvergensi.world.programmes import SOURCES
from konvergensi.world.villages import ITEMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from konvergensi.inputs.services import Service
    from konvergensi.world.programmes import Programmes
    from konvergensi.world.state import World
    from konvergensi.world.villages import Column

FOOD, POSYANDU, HEALTH_POST, WORKS = range(len(ITEMS))
WORKS_YEARS = 5  # over which a village plans the works that its families lack
FOOD_MONTHS = 3  # a course of food


def item_of(service: Service) -> int:
    """What villages buy when they pay for a service: index into ITEMS."""
    if service.place.built:
        return WORKS
    if service.contact == "posyandu":
        return POSYANDU
    return FOOD if service.unit == "child" else HEALTH_POST


def items(programmes: Programmes, services: Sequence[Service]) -> NDArray[np.intp]:
    """Item of each programme paid from village funds, -1 for others, (n_programmes,)."""
    village = SOURCES.index("dana-desa")
    each = [item_of(services[s]) if programmes.source[p] == village else -1 for p, s in enumerate(programmes.service)]
    return np.array(each, np.intp)


def begin(world: World) -> None:
    """What villages buy at the start: their programmes' lines, and what custom adds beside them (in place)."""
    here, settings = world.villages, world.settings
    lines = _by_item(world, world.programmes.line)
    first = lines.copy()
    first[POSYANDU] = max(settings["villages.posyandu_per_food"] * lines[FOOD], lines[POSYANDU])
    first[HEALTH_POST] = max(settings["villages.health_post_per_food"] * lines[FOOD], lines[HEALTH_POST])
    here.first_rp = first
    here.custom = first / first.sum() if first.sum() > 0.0 else np.full(len(ITEMS), 1.0 / len(ITEMS))
    here.lines_share = np.divide(lines, first, out=np.ones_like(first), where=first > 0.0)
    here.money_rp = np.outer(here.custom, first.sum() * by_village(world))
    here.own_rp = first.copy()


def by_village(world: World) -> Column:
    """Each village's share of village money, (n_villages,): part the same for each, the rest by families."""
    equal, families = world.settings["villages.equal_share"], world.coordination.families
    found: Column = equal / len(families) + (1.0 - equal) * families / families.sum()
    return found


def open_year(world: World) -> None:
    """January: villages spend by what they decided last year (in place).

    What they buy beside the lines of their programmes grows with these lines. The sum is divided anew; lines follow
    what falls to them, but their sum stays as the budget set it, and so does that of what is bought beside them. A
    grant comes on top and is not copied into next year's lines.
    """
    here = world.villages
    for item in range(len(ITEMS)):
        world.derived.pop(("village money", item), None)
    lines = _by_item(world, world.programmes.budgeted)
    was = float((here.own_rp * here.lines_share).sum())
    beside = here.own_rp * (1.0 - here.lines_share) * (float(lines.sum()) / was if was > 0.0 else 1.0)
    own = float(lines.sum() + beside.sum())
    grant = float(world.settings["villages.grant_rp"]) * world.population_share
    if own + grant == 0.0:
        return
    custom = (lines + beside) / own if own > 0.0 else here.custom
    cost, village = missed(world), by_village(world)
    mine = divide(village, own, custom, wanted(cost, here.custom), choice(world))
    wish, part = mine.sum(axis=1), here.lines_share
    in_lines, outside = _to_sum(wish * part, float(lines.sum())), _to_sum(wish * (1.0 - part), float(beside.sum()))
    here.own_rp = in_lines + outside
    here.lines_share = np.divide(in_lines, here.own_rp, out=np.ones_like(part), where=here.own_rp > 0.0)
    mine *= np.divide(here.own_rp, wish, out=np.zeros_like(wish), where=wish > 0.0)[:, None]
    here.money_rp = mine + divide_grant(grant, cost - mine)
    _set_lines(world, lines)


def _to_sum(parts: Column, total: float) -> Column:
    """Parts in proportion, summing to total; nothing where there are none."""
    known = float(parts.sum())
    found: Column = parts * (total / known) if known > 0.0 else np.zeros_like(parts)
    return found


def divide(village: Column, total_rp: float, custom: Column, wanted: Column, choice: Column) -> Column:
    """Money by item and village, (n_items, n_villages), summing to total_rp.

    Parameters: village (n_villages,) shares of the total; custom (n_items,) and wanted (n_items, n_villages) shares,
    each summing to one over items; choice (n_villages,) how far a village follows what its families miss, 0..1.
    """
    shares = custom[:, None] * (1.0 - choice) + wanted * choice
    found: Column = total_rp * village * shares
    return found


def choice(world: World) -> Column:
    """How far each village follows what its families miss rather than custom, 0..1, (n_villages,)."""
    settings = world.settings
    met = np.where(world.villages.met, 1.0, settings["villages.without_rembuk_share"])
    told = np.where(world.has_by_name_list, 1.0, settings["villages.without_list_share"])
    found: Column = world.coordination.village_understanding * met * told
    return found


def missed(world: World) -> Column:
    """Yearly cost of what families in the 1,000 days miss in each village, Rp, (n_items, n_villages).

    Food for children under two recorded as faltering, posyandu and health post in full, works for homes that lack them
    over WORKS_YEARS. What no village of the district buys stays out.
    """
    children, settings, here = world.children, world.settings, world.villages
    n, scale, price = len(here.met), world.population_share, _prices(world)
    young = children.window(world.month, 6, FIRST_1000_DAYS)
    all_ = children.window(world.month, -PREGNANCY_MONTHS, FIRST_1000_DAYS)
    falter = world.registers.recorded_faltering[young]
    lacks = world.households.no_latrine[children.household[all_]]
    cost = np.zeros((len(ITEMS), n))
    cost[FOOD] = FOOD_MONTHS * price[FOOD] * np.bincount(children.village[young], weights=falter, minlength=n)
    cost[POSYANDU] = settings["villages.posyandu_full_rp"] * scale
    cost[HEALTH_POST] = settings["villages.health_post_full_rp"] * scale
    cost[WORKS] = price[WORKS] / WORKS_YEARS * np.bincount(children.village[all_], weights=lacks, minlength=n)
    cost[here.first_rp == 0.0] = 0.0
    return cost


def wanted(cost: Column, custom: Column) -> Column:
    """Shares of its money that a village that follows its list would spend, (n_items, n_villages): by cost.

    cost (n_items, n_villages) of what is missed; custom (n_items,) where nothing is.
    """
    total = cost.sum(axis=0)
    empty = total == 0.0
    found: Column = np.where(empty, custom[:, None], cost / np.where(empty, 1.0, total))
    return found


def divide_grant(grant_rp: float, missing: Column) -> Column:
    """A grant to each village by item, (n_items, n_villages): what mothers and children still miss, no works.

    Parameters: grant_rp a village; missing (n_items, n_villages), cost beyond what the village pays itself. Food is
    bought for those who need it; what is left of the grant goes to posyandu and health post.
    """
    open_ = np.maximum(missing, 0.0)
    open_[WORKS] = 0.0
    total = open_.sum(axis=0)
    found: Column = open_ * np.minimum(grant_rp / np.where(total > 0.0, total, 1.0), 1.0)
    found[POSYANDU] += grant_rp - found.sum(axis=0)
    return found


def _prices(world: World) -> Column:
    """Unit cost of what villages pay through programmes, the mean by item, Rp, (n_items,)."""
    here, book = world.villages, world.programmes
    mine = here.item_of >= 0
    count = np.bincount(here.item_of[mine], minlength=len(ITEMS))
    total = np.bincount(here.item_of[mine], weights=book.unit_cost[mine], minlength=len(ITEMS))
    found: Column = total / np.maximum(count, 1)
    return found


def _by_item(world: World, of: NDArray[np.float64]) -> Column:
    """Sum of a column of programmes over those paid from village funds, by item, (n_items,)."""
    mine = world.villages.item_of >= 0
    found: Column = np.bincount(world.villages.item_of[mine], weights=of[mine], minlength=len(ITEMS)).astype(float)
    return found


def _set_lines(world: World, lines: Column) -> None:
    """Give programmes what falls to their items, each in proportion to its line; next year copies it without grants."""
    here, book = world.villages, world.programmes
    own = here.own_rp * here.lines_share
    whole = own.copy()  # of a grant only food is bought through a programme
    whole[FOOD] += here.money_rp[FOOD].sum() - here.own_rp[FOOD]
    share = np.divide(1.0, lines, out=np.zeros_like(lines), where=lines > 0.0)
    for p in np.flatnonzero(here.item_of >= 0):
        part = book.budgeted[p] * share[here.item_of[p]]
        book.line[p] = book.next_line[p] = book.next_planned[p] = part * own[here.item_of[p]]
        book.budgeted[p] = part * whole[here.item_of[p]]
        book.planned[p] = max(book.planned[p], book.budgeted[p])


# ---- what it does ----------------------------------------------------------------------------------------------------


def per_family(world: World, programme_row: int) -> NDArray[np.float32] | None:
    """Money of each village for programme p, a family, against the mean of all; None where all pay alike."""
    item = world.villages.item_of[programme_row]
    if world.burn_in or item < 0 or not world.settings["villages.on"]:
        return None
    key = ("village money", int(item))
    if key not in world.derived:
        each = world.villages.money_rp[item] / np.maximum(world.coordination.families, 1.0)
        mean = float(world.villages.money_rp[item].sum() / max(world.coordination.families.sum(), 1.0))
        world.derived[key] = (each / mean if mean > 0.0 else np.ones_like(each)).astype(np.float32)
    found: NDArray[np.float32] = world.derived[key]
    return found


def by_money(order: NDArray[np.uint16], ratio: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Order of serving, (n,): where a village has w times the money a family, a share c of all served is c ** (1/w)."""
    lot = order.astype(np.float32) / np.float32(65536.0)
    return (lot**ratio * np.float32(65535.0)).astype(np.uint16)


def beyond_start(world: World, item: int, full_rp: float) -> Column:
    """How much of what was missing at the start to full payment of an item each village now pays, 0..1."""
    here, scale, key = world.villages, world.population_share, ("beyond start", item)
    of, full, found = world.derived.get(key, (None, 0.0, None))
    if of is not here.money_rp or full != full_rp:  # else as in the months before
        first = here.first_rp[item] * by_village(world)
        gap = np.maximum(full_rp * scale - first, 0.0)
        more = np.maximum(here.money_rp[item] - first, 0.0)
        found = np.where(gap > 0.0, np.minimum(more / np.where(gap > 0.0, gap, 1.0), 1.0), 0.0)
        world.derived[key] = (here.money_rp, full_rp, found)
    share: Column = found
    return share


def day_pull(world: World) -> Column:
    """Share of children who stay away that a posyandu day paid by the village draws, (n_villages,)."""
    full = world.settings["villages.posyandu_full_rp"]
    return world.settings["villages.day_pull_share"] * beyond_start(world, POSYANDU, full)


def transport_pull(world: World) -> Column:
    """Share of antenatal visits missed that paid transport and health post make possible, (n_villages,)."""
    full = world.settings["villages.health_post_full_rp"]
    return world.settings["villages.transport_pull_share"] * beyond_start(world, HEALTH_POST, full)


def kit_share(world: World) -> Column:
    """Share of villages like each that have a standard kit: as stated, and what villages buy, (n_villages,)."""
    stated = world.settings["measurement.eppgbm_kit_share"]
    if world.burn_in or not world.settings["villages.on"]:
        return np.full(len(world.villages.met), float(stated))
    bought = world.settings["villages.kit_share"] * beyond_start(
        world, POSYANDU, world.settings["villages.posyandu_full_rp"]
    )
    found: Column = stated + (1.0 - stated) * bought
    return found
