"""Money: next year's lines copy this year's, plus what adopted goals argue for in time, cut to the ceiling.

A plan that is ready in month m enters next year's line only if m is not after the door of its source (Musrenbang for
APBD, the DAK proposal window, Musdes for village money). Later, it waits for next year's door, except for what the
amended budget (APBD-P) lets in. Money is released by season, absorbed below one, and lapses in December.
Always planned >= budgeted >= released >= spent. Parameters: budget.toml.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from konvergensi.base.months import month_of
from konvergensi.mechanisms import calendar, needs, shocks
from konvergensi.world.programmes import SOURCES, Money, Programmes

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Settings
    from konvergensi.inputs.services import Service
    from konvergensi.world.state import World

QUARTERS = ("march", "june", "september", "december")
MOST_ROUNDS = 6  # a year; what is given more often follows the season
RELOCATED_SOURCES = ("apbd", "dana-desa")  # what a district can move in an emergency


def expected_need(service: Service, district: District, settings: Settings) -> float:
    """Expected number in need of a service in one month of delivery, full-size district.

    Used only to turn `funded_share` of the first year into rupiah.
    """
    total = {name: quantity.value for name, quantity in district.population.items()}
    if service.unit == "household":
        return needs.HOUSEHOLD[service.need].expected(total, settings)
    births, months = total["births_per_year"] / 12.0, service.to_age - service.from_age + 1
    return births * months * needs.CHILD[service.need].expected_share(total, settings)


def deliveries_a_year(service: Service) -> int:
    """How often a year the same beneficiary is served: every delivery month, but works are built once."""
    return 1 if service.place.built else len(service.months)


def first_lines(
    programmes: Programmes,
    services: list[Service],
    district: District,
    settings: Settings,
    population_share: float,
) -> None:
    """Give each programme its first year's line: stated in rupiah, or the cost of its funded share (in place)."""
    for i, spec in enumerate(district.programmes):
        service = services[programmes.service[i]]
        yearly = expected_need(service, district, settings) * deliveries_a_year(service)
        cost = programmes.unit_cost[i] * (1.0 + settings["budget.overhead_share"])
        programmes.need[i] = yearly * cost * population_share  # until agencies have a year of lists to look at
        stated = spec.budget_rp
        programmes.line[i] = (
            stated * population_share if stated is not None else (spec.funded_share or 0.0) * programmes.need[i]
        )
    programmes.next_line[:] = programmes.line
    programmes.next_planned[:] = programmes.line


def open_year(programmes: Programmes, settings: Settings) -> None:
    """January: last year's unspent money has lapsed, new lines and unit costs are in force (in place)."""
    for p, key in enumerate(programmes.unit_cost_key):
        if key is not None:
            programmes.unit_cost[p] = settings[key]
    # a programme that has never run (as some in the burn-in) is not reviewed
    given = np.maximum(programmes.policy, 0.0)  # by a policy: spent last, and no line is judged by it
    lapsed = np.where(given > 0.0, np.maximum(programmes.budgeted - given - programmes.spent, 0.0),
                      programmes.budgeted - programmes.spent)  # fmt: skip
    programmes.lapsed[:] = np.where(programmes.ran, lapsed, 0.0)
    programmes.lapsed_of[:] = programmes.budgeted - given
    programmes.policy[:] = 0.0
    programmes.trimmed[:] = 0.0
    programmes.granted[:] = np.maximum(programmes.next_line - programmes.line, 0.0)
    programmes.line[:] = programmes.next_line
    programmes.planned[:] = programmes.next_planned
    programmes.budgeted[:] = programmes.next_line
    programmes.wanted_last_year[:] = programmes.wanted
    for column in (
        programmes.released, programmes.spent, programmes.units, programmes.overhead, programmes.wanted,
        programmes.short,
    ):  # fmt: skip
        column[:] = 0.0
    programmes.accepted[:] = 0.0
    programmes.next_planned[:] = programmes.line  # inertia: unless argued otherwise, next year copies this one
    programmes.next_line[:] = programmes.line
    programmes.relocated = False


def analyse(programmes: Programmes, services: list[Service], effect: float) -> None:
    """Situation analysis: what serving everybody on the agency's own list would have cost last year (in place).

    effect: what is left of the action's effect, 0..1; the rest of the belief stays as it was.
    """
    for i in range(len(programmes)):
        service = services[programmes.service[i]]
        if programmes.wanted_last_year[i] > 0.0:
            found = programmes.wanted_last_year[i] * deliveries_a_year(service) / len(service.months)
            programmes.need[i] += effect * (found - programmes.need[i])


def review(programmes: Programmes, settings: Settings, now: int, effect: float) -> None:
    """Yearly review (Aksi 8): lines lose part of last year's idle money, if the door is still open.

    effect: what is left of the action's effect, 0..1.
    """
    in_time = np.array([now <= calendar.door(settings, source) for source in SOURCES])[programmes.source]
    trim = effect * settings["budget.review_trim_share"] * idle(programmes, settings)
    programmes.trimmed[:] = np.where(in_time, np.minimum(trim, programmes.line), 0.0)


def idle(programmes: Programmes, settings: Settings) -> Money:
    """Last year's money that lapsed beyond what no line of its source can absorb, Rp, (n_programmes,)."""
    usual = (1.0 - absorption(settings)[programmes.source]) * programmes.lapsed_of
    return np.maximum(programmes.lapsed - usual, 0.0)


def propose(programmes: Programmes, services: list[Service], adoption: Money, settings: Settings, now: int) -> None:
    """The plan is ready: agencies ask for part of the gap, as far as they adopted the shared goal (in place).

    A service without a line yet is a scheme of their own, which fewer propose. Parameters: adoption (n_programmes,)
    0..1 of those who argue for the programme, 0 where the joint plan leaves them out; now, month of the year.
    """
    pending = programmes.line + programmes.waiting + programmes.accepted + np.maximum(programmes.policy, 0.0)
    gap = np.maximum(programmes.need - pending, 0.0)
    asked = adoption * settings["budget.proposal_share"] * (1.0 - settings["budget.inertia"]) * gap
    sensitive = np.array([services[s].class_ != "specific" for s in programmes.service], bool)
    weight = settings["budget.sensitive_weight"]
    asked *= 2.0 * np.where(sensitive, weight, 1.0 - weight)
    asked *= np.where(programmes.line > 0.0, 1.0, settings["budget.innovation_share"])
    asked = np.minimum(asked, gap)  # a heavy weight asks sooner, not for more than is needed
    in_time = np.array([now <= calendar.door(settings, source) for source in SOURCES])[programmes.source]
    programmes.accepted += np.where(in_time, asked, 0.0)
    programmes.waiting += np.where(in_time, 0.0, asked)


def pass_doors(programmes: Programmes, settings: Settings, now: int) -> None:
    """In the month of a source's door, proposals that waited enter next year's plan (in place)."""
    for s, source in enumerate(SOURCES):
        if now == calendar.door(settings, source):
            of_source = programmes.source == s
            programmes.accepted[of_source] += programmes.waiting[of_source]
            programmes.waiting[of_source] = 0.0


def cut_to_ceilings(programmes: Programmes, settings: Settings, month: int, least_village_rp: float) -> None:
    """Set next year's lines: last year's line is kept, new money is cut to the room there is (in place).

    With a fixed envelope the source's total grows by a stated share whatever agencies argue for: what they argue for in
    time comes first, and what is left of the growth goes to all lines alike.
    least_village_rp: the least that villages set aside for stunting, if the regulation on their role (Aksi 4) came
    before the Musdes.
    """
    for s, source in enumerate(SOURCES):
        if month_of(month) != calendar.cut_month(settings, source):
            continue
        of_source = programmes.source == s
        line, new = programmes.line[of_source], programmes.accepted[of_source]
        planned = line + new
        kept = line - programmes.trimmed[of_source]
        if settings["budget.envelope"] == "fixed":
            total = float(line.sum()) * (1.0 + settings["budget.envelope_growth_share"])
            granted = share_ceiling(new, total - float(kept.sum()))
            budgeted = _to_total(kept, total - float(granted.sum())) + granted
            programmes.next_planned[of_source] = np.maximum(planned, budgeted)
            programmes.next_line[of_source] = budgeted
            continue
        granted = share_ceiling(new, room_share(settings, source) * float(line.sum()))
        budgeted = kept + granted
        if source == "dana-desa":
            rule = calendar.action_months(settings, month)["village_rule"]
            if rule <= calendar.door(settings, source) and budgeted.sum() < least_village_rp:
                raised = _raise_to(budgeted, programmes.need[of_source], least_village_rp)
                planned, budgeted = np.maximum(planned, raised), raised
        programmes.next_planned[of_source] = planned
        programmes.next_line[of_source] = budgeted


def room_share(settings: Settings, source: str) -> float:
    """Room for new money as a share of the source's present lines."""
    return float(settings[f"budget.{source.replace('-', '_')}_room_share"])


def share_ceiling(requests_rp: Money, ceiling_rp: float) -> Money:
    """Cut requests in proportion so that they fit under the ceiling.

    Parameters: requests_rp (n,) rupiah >= 0; ceiling_rp rupiah >= 0.
    Returns: (n,) rupiah, summing to min(total request, ceiling).
    Raises: ValueError naming the rows whose request is negative or NaN.
    """
    if (bad := ~(requests_rp >= 0)).any():
        raise ValueError(f"requests_rp must be >= 0; rows {np.flatnonzero(bad).tolist()} hold {requests_rp[bad]}")
    total = float(requests_rp.sum())
    return requests_rp * (ceiling_rp / total) if total > ceiling_rp else requests_rp.copy()


def _to_total(lines: Money, total: float) -> Money:
    """Lines in the same proportions that sum to `total`, Rp; as they are where there is nothing to scale."""
    sum_ = float(lines.sum())
    return lines * (total / sum_) if sum_ > 0.0 else lines


def _raise_to(lines: Money, need: Money, least: float) -> Money:
    """Raise lines towards `least` in total, each at most to its need; money nobody can use is not budgeted."""
    gap = np.maximum(need - lines, 0.0)
    return lines + share_ceiling(gap, least - float(lines.sum()))


def amend(programmes: Programmes, settings: Settings) -> None:
    """APBD-P: part of the APBD proposals that wait enters this year's budget at once (in place)."""
    apbd = programmes.source == SOURCES.index("apbd")
    # the year's room is one: what the regular round used is not there for the amendment
    before = float((programmes.line - programmes.granted)[apbd].sum())
    room = max(room_share(settings, "apbd") * before - float(programmes.granted[apbd].sum()), 0.0)
    waiting = np.where(apbd, programmes.waiting, 0.0)
    let_in = settings["budget.apbdp_flexibility"] * share_ceiling(waiting, room)
    given_up = np.zeros_like(let_in)
    if settings["budget.envelope"] == "fixed":
        # at equal money the amendment can only move what its programme leaves unspent
        free = np.minimum(idle(programmes, settings), programmes.budgeted - programmes.released)
        free = np.where(apbd, np.clip(free, 0.0, programmes.next_line), 0.0)
        let_in = share_ceiling(let_in, float(free.sum()))
        given_up = share_ceiling(free, float(let_in.sum()))
    programmes.waiting -= let_in
    programmes.planned += let_in
    programmes.next_planned += let_in
    for column in (programmes.budgeted, programmes.line, programmes.next_line):
        column += let_in - given_up  # already part of next year's lines, which inertia copies


def relocate(programmes: Programmes, settings: Settings) -> None:
    """A shock moves part of this year's unreleased district and village money away, once a year (in place)."""
    share = shocks.in_force(settings, "budget_moved_share")
    if share > 0.0 and not programmes.relocated:
        movable = np.isin(programmes.source, [SOURCES.index(s) for s in RELOCATED_SOURCES])
        programmes.budgeted -= np.where(movable, share * (programmes.budgeted - programmes.released), 0.0)
        programmes.relocated = True


def released_by_round(service: Service) -> bool:
    """Payments and goods of a few rounds a year (PKH, vitamin A, seeds) come for them; projects follow the season."""
    return len(service.months) <= MOST_ROUNDS and not service.place.built


def release(world: World) -> None:
    """Release money by tranche and season: a cumulative share of the budget by month (in place)."""
    programmes, shares = world.programmes, world.derived.get("released")
    if shares is None:
        shares = world.derived["released"] = _shares_released(programmes, world.services, world.settings)
    due = shares[world.month_of_year - 1] * programmes.budgeted
    most = np.maximum(programmes.budgeted, programmes.released)
    programmes.released[:] = np.minimum(np.maximum(due, programmes.released), most)


def _shares_released(programmes: Programmes, services: list[Service], settings: Settings) -> Money:
    """Share of each programme's budget released by the end of each month, (12, n_programmes).

    Payments and campaign goods are released round by round, whatever the season.
    """
    none = (-1.0,) * 12
    by_round = np.array([_rounds_so_far(tuple(each.months)) if released_by_round(each) else none for each in services])
    rounds, season = by_round[programmes.service].T, released_shares(settings)[:, programmes.source]
    return np.where(rounds < 0.0, season, rounds)


@functools.lru_cache(maxsize=4096)
def _rounds_so_far(months: tuple[int, ...]) -> tuple[float, ...]:
    """Share of the year's rounds that have come by the end of each month."""
    return tuple(sum(at <= now for at in months) / len(months) for now in range(1, 13))


def released_shares(settings: Settings) -> Money:
    """Share of the year's budget released by the end of each month, (12, n_sources), linear between quarters."""
    shares = []
    for source in SOURCES:
        name = source.replace("-", "_")
        shares.append(_released_by(tuple(float(settings[f"budget.{name}_released_by_{each}"]) for each in QUARTERS)))
    return np.array(shares).T


@functools.lru_cache(maxsize=4096)  # the same quarters every year
def _released_by(by: tuple[float, ...]) -> tuple[float, ...]:
    shares = np.interp(range(1, 13), [0, 3, 6, 9, 12], np.maximum.accumulate([0.0, *by]))
    return tuple(shares.tolist())


def absorption(settings: Settings) -> Money:
    """Share of a line that can be spent within the year, (n_sources,)."""
    return np.array([settings[f"budget.{s.replace('-', '_')}_absorption_share"] for s in SOURCES])


def absorption_of(world: World) -> Money:
    """`absorption` under the settings in force, worked out once."""
    if "absorption" not in world.derived:
        world.derived["absorption"] = absorption(world.settings)
    found: Money = world.derived["absorption"]
    return found


def routine_meetings(programmes: Programmes, services: list[Service]) -> None:
    """Meetings a month that each line of the first year pays for, whatever staff there are (in place)."""
    for i in range(len(programmes)):
        yearly = programmes.line[i] / max(programmes.unit_cost[i], 1.0)
        programmes.routine[i] = yearly / len(services[programmes.service[i]].months)


def staff_shares(programmes: Programmes, services: list[Service]) -> None:
    """Divide each agency's field staff among its programmes by expected services a month (in place)."""
    by_staff = np.array([each.place.by_staff for each in services])[programmes.service]
    months = np.array([float(len(each.months)) for each in services])[programmes.service]
    line = np.maximum(programmes.line + programmes.policy, 0.0)
    weight = np.where(by_staff, line / np.maximum(programmes.unit_cost, 1.0) / months, 0.0)
    for opd in set(programmes.opd.tolist()):
        own = programmes.opd == opd
        total = float(weight[own].sum())
        programmes.staff_share[own] = weight[own] / total if total > 0 else 0.0
