"""Which runs `allocate` makes: each line with some rupiah more or less, paired with the same children, draws and seed.

Candidates are the district's budget lines, inside what institutions allow (inputs/institutions.toml): who may add or
cut, what a source pays, how far a line can grow, the room of a source, floors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from konvergensi.analyses.compare_plan import sample_of
from konvergensi.analyses.paths import NodePath, at_level, follows_country, path_draws
from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import anywhere
from konvergensi.base.months import format_month, month_of, parse_month
from konvergensi.inputs.country import LEVEL_KEYS
from konvergensi.inputs.districts import District, find_district
from konvergensi.inputs.institutions import institutions
from konvergensi.inputs.money import MoneyEvent, as_changes
from konvergensi.inputs.parameters import Value
from konvergensi.inputs.scenarios import Scenario, load_scenario
from konvergensi.inputs.structures import Structure, structures_asked
from konvergensi.mechanisms import growth
from konvergensi.methods.sobol import rules
from konvergensi.model.branch import branches_of
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.extensions import model_class
from konvergensi.results.fitted import Fitted, parameter_draws_of
from konvergensi.studies.rows import Row
from konvergensi.world.children import LAST_AGE

OBJECTIVES = ("cases", "protected", "equity", "cost")
AFTER = 36  # months from the first rupiah to the month in which gains are counted
UNDER = 24  # months of age: whom money can still reach
PARTS = (0.5, 1.0)  # of the most a line can take, the amounts that are tried
LEAST_SHARE = 0.01  # of the money: a line that can take less is left out
# of wealth fifths, poorest first: 2 (1 - rank), the weights of the concentration index (Wagstaff 2002, nu = 2)
EQUITY = (1.8, 1.4, 1.0, 0.6, 0.2)
REFERENCE, ALONG = "as it is", "as lines are"
LOOK = 0.01  # share of the families with which lines and needs are looked up


@dataclass(frozen=True)
class Line:
    """A budget line that may be changed. Rupiah a year of the whole district."""

    name: str  # agency:service:source
    now_rp: float
    need_rp: float
    most_rp: float  # that can be added
    least_rp: float  # below zero: that can be taken away

    @property
    def source(self) -> str:
        return self.name.rpartition(":")[2]


@dataclass(frozen=True)
class AllocateJob:
    """All tries of one draw and one seed; a try is rupiah a year by line."""

    scenarios: tuple[str, ...]
    district: str
    seed: int
    population_share: float
    start: str
    tries: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    since: str
    until: str
    at: str
    set: tuple[tuple[str, Value], ...] = ()
    path: NodePath | None = None  # of true prevalence, solved into level and rise


@dataclass(frozen=True)
class Plan:
    """What is tried. `points`: line and rupiah a year of each try, in the order of the tries; `jobs` by draw and
    seed.
    """

    place: District
    policy: Scenario
    since: int
    until: int
    at: int
    budget_rp: float  # a year; below 0 where it is less
    lines: tuple[Line, ...]
    points: tuple[tuple[int, float], ...]
    jobs: dict[tuple[int, int], AllocateJob]
    chosen_rules: tuple[dict[str, Value], ...]
    sample: tuple[dict[str, Value], ...]
    structures: tuple[Structure, ...]
    fitted: Fitted | None

    @property
    def years(self) -> int:
        return self.until // 12 - self.since // 12 + 1


def months_of(since: str, until: str, at: str | None, start: str) -> tuple[int, int, int]:
    """First and last month of the money and the month of counting. Raises InputError where they do not follow."""
    first, last = parse_month(since, "--from"), parse_month(until, "--until")
    counted = first + AFTER if at is None else parse_month(at, "--at")
    begin = parse_month(start, "--start")
    faults = []
    if last < first:
        faults.append(fault("", "--until", "before", value=until, first=since, first_key="--from"))
    elif month_of(last) != 12:
        december = format_month(last // 12 * 12 + 11)
        faults.append(fault("", "--until", "not_december", value=until, month=december))
    if first < begin:
        faults.append(fault("", "--from", "before", value=since, first=start, first_key="--start"))
    if counted < max(first, last):
        faults.append(fault("", "--at", "before", value=format_month(counted), first=until, first_key="--until"))
    if faults:
        raise InputError(faults)
    return first, last, counted


def make_plan(
    district: str,
    budget_rp: float,
    months: tuple[int, int, int],
    policy: str,
    draws: int,
    seeds: Sequence[int],
    population_share: float,
    start: str,
    draws_from: str,
    structures: str,
) -> Plan:
    """Plan the runs. Raises InputError where no line may be changed, or not by so much."""
    district, policy = anywhere(district), anywhere(policy)
    place, scenario = find_district(district), load_scenario(policy)
    since, until, at = months
    lines = candidates(place, (policy, district), budget_rp, since, start, population_share)
    points = tuple((i, part * end) for i, line in enumerate(lines) for end in _ends(line, budget_rp) for part in PARTS)
    tries: list[tuple[str, tuple[tuple[str, float], ...]]] = [(REFERENCE, ())]
    tries += [(f"{lines[i].name} {rp:.0f}", ((lines[i].name, rp),)) for i, rp in points]
    if along := along_lines(lines, budget_rp):
        tries.append((ALONG, along))
    fitted = parameter_draws_of(place, draws_from)
    decided = {change.key for change in scenario.changes}
    followed = follows_country(place, decided)
    decided |= set(LEVEL_KEYS) if followed else set()
    _, sample = sample_of(place, draws, decided, fitted)
    asked = tuple(each for each in structures_asked(structures) if each.key not in decided)
    chosen = rules(asked, draws)
    parameter_draws = [{**parameter_draw, **rule} for parameter_draw, rule in zip(sample, chosen)]
    span = (format_month(since), format_month(until), format_month(at))
    paths = dict(enumerate(path_draws(str(place.area), draws), start=1)) if followed else {}
    jobs = {
        (draw, seed): AllocateJob(
            (policy,),
            district,
            seed,
            population_share,
            start,
            tuple(tries),
            *span,
            tuple(parameter_draw.items()),
            paths.get(draw),
        )
        for draw, parameter_draw in enumerate(parameter_draws, start=1)
        for seed in seeds
    }
    return Plan(
        place, scenario, *months, budget_rp, lines, points, jobs, tuple(chosen), tuple(parameter_draws), asked, fitted
    )  # fmt: skip


def _ends(line: Line, budget_rp: float) -> list[float]:
    """The largest amounts tried of a line: upwards, downwards or, where the same money is dealt anew, both."""
    ends = [line.most_rp] if budget_rp >= 0.0 else []
    ends += [line.least_rp] if budget_rp <= 0.0 else []
    return [each for each in ends if each != 0.0]


def along_lines(lines: Sequence[Line], budget_rp: float) -> tuple[tuple[str, float], ...]:
    """The money divided as the lines are now, inside what each can take; nothing where the same money is dealt anew."""
    if budget_rp == 0.0:
        return ()
    ends = np.array([line.most_rp if budget_rp > 0.0 else -line.least_rp for line in lines])
    weights = np.array([max(line.now_rp, 1.0) for line in lines])
    given, left = np.zeros(len(lines)), abs(budget_rp)
    while left > 1.0 and (open_ := given < ends - 1.0).any():
        share = left * weights * open_ / (weights * open_).sum()
        step = np.minimum(share, ends - given)
        given, left = given + step, left - float(step.sum())
    sign = 1.0 if budget_rp > 0.0 else -1.0
    return tuple((line.name, sign * float(rp)) for line, rp in zip(lines, given) if rp > 1.0)


def candidates(
    place: District, named: tuple[str, str], budget_rp: float, since: int, start: str, share: float
) -> tuple[Line, ...]:
    """The lines that may be changed, and by how much. Raises InputError where there is none."""
    first = format_month(since)
    model = model_class(ConvergenceModel)(*named, 1, min(share, LOOK), start, first)
    while model.running:
        model.step()
    book, scale = model.world.programmes, 1.0 / model.world.population_share
    found = []
    money = abs(budget_rp)
    for p, name in enumerate(book.id):
        _, service, source = name.split(":")
        rule = institutions().source[source]
        now, need = float(book.line[p]) * scale, float(max(book.need[p], book.wanted_last_year[p])) * scale
        most = least = 0.0
        if rule.district_adds and rule.may_pay(service):
            most = max((rule.growth_times.value - 1.0) * now, rule.new_line_share.value * need)
            most = max(min(most, need - now, money or np.inf), 0.0)
        if rule.district_cuts:
            least = -min(now * (1.0 - institutions().kept_share(service)), money or np.inf)
        if budget_rp == 0.0:
            most, least = min(most, 0.5 * now + 1e9), 0.5 * least  # at the same money a line gives up half at most
        used = max(most if budget_rp >= 0.0 else 0.0, -least if budget_rp <= 0.0 else 0.0)
        if used > LEAST_SHARE * (money or now):
            found.append(Line(name, now, need, most, least))
    if not found:
        raise InputError(fault("", "--more", "no_line_to_change", value=budget_rp, district=place.name))
    return tuple(found)


def rooms(plan_lines: Sequence[Line]) -> dict[str, float]:
    """The most that can be added to each source in a year, Rp of the whole district."""
    total: dict[str, float] = {}
    for line in plan_lines:
        total[line.source] = total.get(line.source, 0.0) + line.now_rp
    return {source: institutions().source[source].room_share.value * rp for source, rp in total.items()}


# ---- one job ---------------------------------------------------------------------------------------------------------


def allocate_job(job: AllocateJob) -> Row:
    """Live all tries of a job; what is counted of each."""
    base = load_scenario(job.scenarios[0])
    since, until = parse_month(job.since), parse_month(job.until)
    named = [(name, with_money(base, lines, since, until)) for name, lines in job.tries]
    found: Row = {}
    span = (job.start, job.at)
    values = at_level(job.district, 1, job.set, job.path)  # one level for all seeds of a draw
    for name, model in branches_of(named, job.district, job.seed, job.population_share, *span, values):
        found[name] = counted(model, since, until)
    return {"tries": found, "level": {key: values[key] for key in LEVEL_KEYS} if job.path else {}}


def with_money(base: Scenario, lines: Sequence[tuple[str, float]], since: int, until: int) -> Scenario:
    """A scenario with rupiah more (below zero: less) a year for some lines."""
    events = [
        MoneyEvent("add", f"programmes.{name}.add_rp", rp, since, until, "allocate") for name, rp in lines if rp != 0.0
    ]
    changes = {(each.month, each.key): each for each in (*base.changes, *as_changes((*base.money, *events)))}
    ordered = tuple(sorted(changes.values(), key=lambda change: change.month))
    return replace(base, changes=ordered, money=(*base.money, *events))


def counted(model: ConvergenceModel, since: int, until: int) -> dict[str, float]:
    """What is counted of a run, of the whole district: children born or under 24 months while the money acts.

    cases: stunted in the last month; equity: the same, weighted by wealth fifth; protected: those who turned 24 months
    by then with every service that was due, inside the 1,000 days; spent_rp: from `since` on; children: how many there
    are.
    """
    world, last = model.world, model.world.month - 1
    children, scale = world.children, 1.0 / world.population_share
    rows = children.window(last, 0, LAST_AGE)
    born = children.birth_month[rows]
    mine = (born > since - UNDER) & (born <= until)
    low = growth.stunted(children.z[rows]) & mine
    weight = np.array(EQUITY)[children.cell[rows] % 5]
    tables = model.recorder.tables("indicators", "money")
    indicators = tables["indicators"]
    turned = indicators[indicators["indicator"] == "protected_in_time"]
    months = turned["month"].map(parse_month)
    money = tables["money"]
    return {
        "cases": float(low.sum()) * scale,
        "equity": float(weight[low].sum()) * scale,
        "protected": float(turned["value"][(months > since) & (months <= until + UNDER)].sum()) * scale,
        "spent_rp": float(money["spent_rp"][money["year"] >= since // 12].sum()) * scale,
        "children": float(mine.sum()) * scale,
    }
