import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from conftest import SMALL, copy_of_lebak, finished, forced, ledger, live, simulated
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.inputs import service_kinds
from konvergensi.inputs.parameters import Settings
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms import delivery, meetings, needs, places, targeting, turns
from konvergensi.mechanisms import settings as settings_rules
from konvergensi.mechanisms.programme_month import BINS, serve
from konvergensi.mechanisms.purses import open_purses
from konvergensi.model.convergence import MONTH, ConvergenceModel
from konvergensi.results.run import Run
from konvergensi.world.state import World

SERVICES = load_services()
INF = float("inf")


# ---- rationing: how far money and staff reach ----------------------------------------------------

candidates = st.integers(0, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 65535), min_size=n, max_size=n).map(lambda x: np.array(x, np.uint16)),
        st.lists(st.integers(1_000, 3_000_000), min_size=n, max_size=n).map(lambda x: np.array(x, np.float64)),
    )
)
limit = st.floats(0.0, 1e9)


class Result(NamedTuple):
    step: np.ndarray
    budgeted: int
    released: int
    delivered: int
    paid: int
    units: int
    spent: float
    wanted: float


def served(order: np.ndarray, cost: np.ndarray, *limits: float) -> tuple[np.ndarray, Result]:
    """Whom limits of budget, release, spending and staff reach, each at a cost of its own."""
    result = Result(*serve(order, np.arange(len(order)), np.arange(len(order)), cost, 0.0, 1.0, *limits))
    assert result.units == (result.step < result.delivered).sum() <= result.paid
    return result.step < result.delivered, result


@given(candidates, limit, limit, limit, st.integers(0, 80))
def test_spending_is_the_cost_of_those_served_and_passes_no_limit(
    people: tuple, budget: float, release: float, spend: float, staff: int
) -> None:
    who, result = served(*people, budget, release, spend, staff)
    assert result.spent == pytest.approx(people[1][who].sum())
    assert result.spent <= min(budget, release, spend) * (1 + 1e-12)
    assert who.sum() <= staff
    assert result.delivered <= result.released <= result.budgeted <= BINS
    assert result.wanted == pytest.approx(people[1].sum())


@given(candidates, limit)
def test_money_left_over_would_not_have_paid_for_the_next_step(people: tuple, money: float) -> None:
    order, cost = people
    who, result = served(order, cost, money, money, money, INF)
    if not who.all():
        next_step = result.step[~who].min()
        assert result.spent + cost[result.step == next_step].sum() > money


@given(candidates, limit, limit)
def test_more_money_serves_everybody_who_was_served_before(people: tuple, less: float, more: float) -> None:
    less, more = min(less, more), max(less, more)
    before, _ = served(*people, less, less, less, INF)
    after, _ = served(*people, more, more, more, INF)
    assert (after >= before).all()


@given(candidates, limit)
def test_whoever_comes_earlier_in_the_order_is_not_passed_over(people: tuple, money: float) -> None:
    order, _ = people
    who, _ = served(*people, money, money, money, INF)
    if who.any() and not who.all():
        assert order[who].max() >> 6 < order[~who].min() >> 6


@given(candidates)
def test_without_limits_everybody_is_served_and_without_money_or_staff_nobody(people: tuple) -> None:
    assert served(*people, INF, INF, INF, INF)[0].all()
    for limits in ((0, INF, INF, INF), (INF, 0, INF, INF), (INF, INF, 0, INF), (INF, INF, INF, 0)):
        who, result = served(*people, *limits)
        assert not who.any()
        assert result.spent == 0.0


# ---- money, staff and distance in the district ---------------------------------------------------


def units(model: ConvergenceModel, programme: str, year: int = 2019) -> float:
    return float(ledger(model, "units").loc[year * 12 + 11, programme])


def with_share(folder: Path, service: str, opd: str, money: str, share: float) -> str:
    pattern = rf'(service = "{service}"\nopd = "{opd}"\nmoney = "{money}"\nfunded_share = )[\d.]+'

    def rewrite(text: str) -> str:
        new, count = re.subn(pattern, rf"\g<1>{share}", text)
        assert count == 1
        return new

    return copy_of_lebak(folder, opd=rewrite)


@pytest.mark.parametrize(("service", "money"), [("pmba", "dak"), ("vitamin-a", "apbn"), ("anc", "dak")])
def test_more_money_serves_not_fewer(tmp_path: Path, service: str, money: str) -> None:
    reached, delivered = [], []
    for share in (0.0, 0.1, 0.8):
        place = with_share(tmp_path / f"{share}", service, "dinkes", money, share)
        model = simulated(district=place, share=0.02, end="2018-12")
        reached.append(units(model, f"dinkes:{service}:{money}", 2018))
        cascade = finished(model).cascade
        row = cascade[(cascade["service"] == service) & (cascade["stage"] == "delivered")]
        delivered.append(int(row["children"].iloc[0]))
    assert reached[0] == 0
    assert (np.diff(reached) >= 0).all()
    assert (np.diff(delivered) >= 0).all()
    assert reached[1] < reached[-1]


def test_no_programmes_deliver_nothing_and_spend_nothing() -> None:
    model = simulated("no-programme", share=0.02, end="2019-12")
    assert ledger(model, "units").to_numpy().sum() == 0
    assert ledger(model, "spent").to_numpy().sum() == 0
    cascade = finished(model).cascade
    late = cascade["stage"].isin(["delivered", "taken_up", "in_time", "z_gained"])
    assert cascade[late][["children", "households"]].to_numpy().sum() == 0


def test_without_programmes_children_are_shorter_in_the_end() -> None:
    usual, none = simulated(share=0.02), simulated("no-programme", share=0.02)
    rows = usual.world.children.window(usual.world.month - 1, 24, 35)
    difference = usual.world.children.z[rows] - none.world.children.z[rows]
    assert difference.min() >= -1e-5
    assert difference.mean() > 0.005


@pytest.mark.parametrize("key", ["delivery.travel_cost_share", "services.pmba.unit_cost_rp", "budget.overhead_share"])
def test_dearer_services_reach_fewer_with_the_same_money(key: str) -> None:
    """The money is stated in rupiah here, so that a higher unit cost does not raise it."""
    high = Settings.defaults().parameter(key).high
    found = []
    for changes in ({}, {key: high}):
        here = simulated(share=0.02, end="2018-12", set=changes)
        money = float(ledger(here, "budgeted").iloc[-1]["dinkes:pmba:dak"])
        found.append(units(here, "dinkes:pmba:dak", 2018) / money)
    assert found[1] < found[0]


def test_the_remote_cost_more(lebak: ConvergenceModel) -> None:
    world = lebak.world
    p = world.programmes.id.index("dinkes:pmba:dak")
    purses = open_purses(world, meetings.is_a_visit)
    unit = world.programmes.unit_cost[p]
    assert purses.base[p] == pytest.approx(unit * (1 + world.settings["budget.overhead_share"]))
    assert purses.travel[p] == pytest.approx(unit * world.settings["delivery.travel_cost_share"])
    assert purses.travel[world.programmes.id.index("dinsos:pkh:apbn")] == 0.0  # money travels for nothing


def test_without_staff_nothing_is_delivered_at_home_or_in_facilities(tmp_path: Path) -> None:
    place = copy_of_lebak(tmp_path / "sepi", opd=lambda text: re.sub(r"staff = \d+", "staff = 0", text))
    model = simulated(district=place, share=0.02, end="2018-12")
    for name, s in zip(model.world.programmes.id, model.world.programmes.service):
        if model.world.services[s].venue in ("home", "facility"):
            assert units(model, name, 2018) == 0, name
    assert units(model, "dinkes:vitamin-a:apbn", 2018) > 0


@pytest.mark.parametrize("reach", ["contacts", "lasting-order"])
def test_staff_limits_what_an_agency_delivers_in_a_month(reach: str) -> None:
    """Of what takes its staff's time: what rides on an antenatal visit takes none of its own."""
    model = simulated(end="2019-12", set={"contacts.reach": reach})
    world, rule = model.world, delivery.rule_of(model.world)
    done = ledger(model, "units")
    monthly = done.groupby(done.index // 12).diff().fillna(done)
    reached = []
    for i, opd in enumerate(world.opds):
        meets = [
            name
            for name, s, o in zip(world.programmes.id, world.programmes.service, world.programmes.opd)
            if o == i and rule.takes_staff(world.services[s])
        ]
        most = opd.staff * SMALL * world.settings["delivery.contacts_per_staff_month"]
        assert monthly[meets].sum(axis=1).max() <= most + len(meets), opd.id
        reached.append(monthly[meets].sum(axis=1).max() > 0.9 * most)
    assert any(reached)  # the limit is met somewhere, not only kept


@pytest.mark.parametrize(("low", "high"), [(15.0, 120.0)])
def test_more_contacts_per_worker_serve_not_fewer(low: float, high: float) -> None:
    totals = [
        ledger(simulated(share=0.02, end="2018-12", set={"delivery.contacts_per_staff_month": value}), "units").iloc[-1]
        for value in (low, high)
    ]
    assert totals[1].sum() > totals[0].sum()


def test_contacts_that_cannot_take_place_deliver_nothing_at_home() -> None:
    model = simulated(share=0.02, end="2018-12", set={"shocks.home_contact_share": 0.0})
    for name, s in zip(model.world.programmes.id, model.world.programmes.service):
        if model.world.services[s].venue in ("home", "facility"):
            assert units(model, name, 2018) == 0, name


def test_services_are_given_in_their_months_only(lebak: ConvergenceModel) -> None:
    done = ledger(lebak, "units")
    monthly = done.groupby(done.index // 12).diff().fillna(done)
    for name, s in zip(lebak.world.programmes.id, lebak.world.programmes.service):
        active = set((monthly.index[monthly[name] > 0] % 12 + 1).tolist())
        assert active <= set(lebak.world.services[s].months), name


# ---- lokus and place -----------------------------------------------------------------------------


def coverage_by_lokus(model: ConvergenceModel, service: str) -> tuple[float, float]:
    """Share of children of 6 to 23 months with length gained so far, in lokus villages and in the others."""
    world = model.world
    rows = world.children.window(world.month - 1, 9, 23)
    lokus = world.lokus[world.children.village[rows]]
    reached = world.children.gain[rows] > 0
    return float(reached[lokus].mean()), float(reached[~lokus].mean())


def test_lokus_villages_come_first_where_the_money_follows_them() -> None:
    follow = simulated("funds-to-lokus", share=0.2, end="2019-06")
    usual = simulated(share=0.2, end="2019-06")
    inside, outside = coverage_by_lokus(follow, "pmba")
    before, _ = coverage_by_lokus(usual, "pmba")
    assert inside > outside
    assert inside > before


@pytest.mark.parametrize("source", ["apbn", "dak", "apbd"])
def test_each_source_can_be_told_to_follow_lokus(source: str) -> None:
    model = ConvergenceModel(rng=1, population_share=0.01, end="2018-01")
    world = model.world
    p = next(p for p, name in enumerate(world.programmes.id) if name.endswith(f":{source}"))
    for follows in (False, True):
        settings_rules.change(world, world.settings.changed({f"budget.{source}_follow_lokus": follows}))
        assert places.lokus_first(world, p) == follows
    # where lokus come first, every lokus household is served before any other
    assert ((world.behind == 0) == world.lokus).all()


def test_money_placed_by_the_centre_misses_lokus_villages_unless_it_follows_them() -> None:
    model = ConvergenceModel(rng=1, population_share=0.01, end="2018-01")
    world = model.world
    central = [p for p, place in enumerate(world.programmes.location) if place == "central"]
    assert central
    missed = 0
    for p in central:
        open_ = places.open_villages(world, p)
        assert open_ is not None
        missed += int((world.lokus & ~open_).sum())
        share = world.settings["budget.apbn_location_share"]
        assert open_.mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(open_)))
    assert missed > 0
    settings_rules.change(world, world.settings.changed({"budget.apbn_follow_lokus": True}))
    assert all(not (world.lokus & ~places.open_villages(world, p)).any() for p in central)  # type: ignore[operator]


def test_a_better_match_of_places_opens_more_lokus_villages_and_no_other() -> None:
    model = ConvergenceModel(rng=1, population_share=0.01, end="2018-01")
    world = model.world
    p = world.programmes.location.index("central")
    before = places.open_villages(world, p).copy()  # type: ignore[union-attr]
    settings_rules.change(world, forced(world.settings, {"budget.apbn_location_match_share": 1.0}))
    after = places.open_villages(world, p)
    assert after is not None
    assert after[world.lokus].all()
    assert (after[~world.lokus] == before[~world.lokus]).all()


# ---- who is served: target groups, courses, quality ----------------------------------------------


class Watch:
    """Counts by programme and year, made by looking over delivery's shoulder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.took: dict[tuple[str, int], int] = {}
        self.outside: dict[tuple[str, int], int] = {}
        self.hand = delivery.hand_to_children
        self.twice = 0
        self.seen: set[tuple[int, int, int]] = set()
        monkeypatch.setattr(turns, "ON", False)  # programmes one by one, with the same bits
        monkeypatch.setattr(delivery, "hand_to_children", self.hand_to_children)

    def hand_to_children(self, world: World, service_row: int, service: Any, programme_row: int, *more: Any) -> Any:
        rows = world.children.window(world.month, service.from_age, service.to_age)
        need = targeting.child_need(world, service, rows)
        who, takers = self.hand(world, service_row, service, programme_row, *more)
        takes = rows.start + takers
        if not world.burn_in and len(takes):
            wrong = 0 if need is None else int((~need[takes - rows.start]).sum())
            key = (world.programmes.id[programme_row], world.month // 12)
            self.took[key] = self.took.get(key, 0) + len(takes)
            self.outside[key] = self.outside.get(key, 0) + wrong
            for row in takes.tolist():
                self.twice += (world.month, service_row, row) in self.seen
                self.seen.add((world.month, service_row, row))
        return who, takers


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> tuple[Watch, Run, ConvergenceModel]:
    watch = Watch(monkeypatch)
    model = live("one-list", share=0.02, end="2019-12")
    return watch, finished(model), model


def test_services_outside_the_target_group_are_counted_as_inclusion_error(
    watched: tuple[Watch, Run, ConvergenceModel],
) -> None:
    watch, run, model = watched
    table = run.targeting.set_index(["programme", "year"])
    programmes = {
        name: model.world.services[s] for name, s in zip(model.world.programmes.id, model.world.programmes.service)
    }
    seen_outside = 0
    for (name, year), took in watch.took.items():
        row = table.loc[(name, year)]
        months = len(programmes[name].months)
        assert row["reached"] * months == pytest.approx(took)
        wrongly_targeted = row["targeted"] * row["inclusion_error"] * months
        assert watch.outside[name, year] <= wrongly_targeted + 1e-6, (name, year)
        seen_outside += watch.outside[name, year]
    assert seen_outside > 0


def test_nobody_gets_the_same_service_twice_in_a_month(watched: tuple[Watch, Run, ConvergenceModel]) -> None:
    assert watched[0].twice == 0


def test_targeted_are_the_units_paid_for(run: Run) -> None:
    merged = run.targeting.merge(run.money, on=["programme", "year"])
    counted = {s.id: len(s.months) for s in SERVICES.values()}
    months = merged["programme"].str.split(":").str[1].map(counted)
    assert (merged["targeted"] * months).to_numpy() == pytest.approx(merged["units"].to_numpy())
    assert (merged["reached"] <= merged["targeted"] + 1e-9).all()
    assert (merged["targeted"] <= merged["listed"] + 1e-9).all()
    assert merged["inclusion_error"].dropna().between(0, 1).all()
    assert merged["exclusion_error"].dropna().between(0, 1).all()


def test_households_are_served_from_the_list_and_the_rest_of_the_need_is_exclusion_error() -> None:
    model = ConvergenceModel(rng=1, population_share=0.05, end="2018-12")
    world = model.world
    s = next(i for i, service in enumerate(world.services) if service.id == "pkh")
    (p,) = world.programmes_of[s]
    right = units_ = need_sum = 0
    while model.running:
        for part in MONTH:
            if part == "deliver_services" and world.month_of_year in world.services[s].months:
                before = world.book.received[s].copy()
                targeting.mark_households_with_children(world)
                need = targeting.household_need(world, world.services[s])
                need &= before < world.services[s].duration_months  # who has had the whole course needs no more
                model.deliver_services()
                served_now = world.book.received[s] > before
                units_ += int(served_now.sum())
                right += int((served_now & need).sum())
                need_sum += int(need.sum())
            else:
                getattr(model, part)()
        world.month += 1
        model.running = world.month <= model.last_month
    table = model.recorder.tables()["targeting"].set_index("programme").loc[world.programmes.id[p]]
    assert table["targeted"] * 4 == units_
    assert table["inclusion_error"] == pytest.approx(1 - right / units_)
    assert table["exclusion_error"] == pytest.approx(1 - right / need_sum)


@pytest.mark.parametrize("service", ["pmt-child", "pmt-bumil", "wash-latrine", "pkh", "dashat"])
def test_nobody_gets_more_than_the_course(lebak: ConvergenceModel, service: str) -> None:
    s = [each.id for each in lebak.world.services].index(service)
    received = lebak.world.book.received[s]
    assert received.max() == SERVICES[service].duration_months


def test_a_service_nobody_runs_is_needed_and_never_delivered(run: Run) -> None:
    sq_lns = run.cascade[run.cascade["service"] == "sq-lns"].groupby("stage")["children"].sum()
    assert sq_lns["in_need"] > 0
    assert sq_lns.drop("in_need").sum() == 0


@pytest.mark.parametrize(
    ("key", "better"),
    [
        ("opd.dinkes.understanding", 1.0),
        ("opd.dinkes.institutional_understanding", 1.0),
        ("delivery.quality_floor_share", 0.8),
        ("delivery.quality_full_share", 1.0),
        ("services.pmba.effect", 0.36),
        # trial effects read as published contain adherence; only the other reading takes it off
        ("uptake.adherence_share", 0.95),
    ],
)
def test_understanding_quality_and_adherence_raise_what_services_gain(key: str, better: float) -> None:
    rule = {"effects.reading": "discounted"} if key == "uptake.adherence_share" else {}
    gains = [
        float(simulated(share=0.01, end="2018-12", set=rule | each).world.children.gain.astype(float).sum())
        for each in ({}, {key: better})
    ]
    assert gains[1] > gains[0]


def test_works_change_the_home_for_good() -> None:
    model = ConvergenceModel(rng=1, population_share=0.05, end="2020-12")
    before = model.world.households.no_latrine.copy()
    while model.running:
        model.step()
    after = model.world.households.no_latrine
    assert after.sum() < before.sum()
    assert not (after & ~before).any()


def test_family_planning_lowers_the_risk_of_later_births() -> None:
    world = simulated(share=0.05, end="2020-12").world
    assert world.households.spaced.any()
    later = world.children.window(world.month - 1 + 9, 0, 12)
    home = world.children.household[later]
    risky = world.households.four_too[home] & ~world.households.spaced[home]
    assert 0 < risky.mean() < world.households.four_too.mean()


def test_every_need_that_is_declared_has_its_rule_and_no_rule_is_of_an_unknown_need() -> None:
    declared = {name: service_kinds.need(name).of for name in service_kinds.names("need")}
    assert {name for name, of in declared.items() if of == "child"} == set(needs.CHILD)
    assert {name for name, of in declared.items() if of == "household"} == set(needs.HOUSEHOLD)
    with pytest.raises(ValueError, match="'moon' is not in service_kinds"):
        needs.rule("moon")
    with pytest.raises(ValueError, match="'kek' is one of a child"):
        needs.rule("kek")(needs.HouseholdNeed)


def test_a_need_can_be_told_from_its_expected_size_and_from_the_truth(lebak: ConvergenceModel) -> None:
    world, total = lebak.world, {name: each.value for name, each in lebak.place.population.items()}
    rows = world.children.window(world.month, 0, 59)
    for child in needs.CHILD.values():
        truth = child.truth(world, rows)
        assert truth is None or (truth.dtype == bool and len(truth) == rows.stop - rows.start)
        assert 0 < child.expected_share(total, world.settings) <= 1
    for household in needs.HOUSEHOLD.values():
        assert len(household.truth(world)) == len(world.households)
        assert 0 < household.expected(total, world.settings) <= total["families"]


def test_a_village_sees_who_lacks_a_latrine(run: Run) -> None:
    """Works from village money go by what can be seen, with or without a by-name list."""
    table = run.targeting.set_index(["programme", "year"])
    village, agency = (
        table.loc[(f"{opd}:wash-latrine:{source}", 2024)] for opd, source in (("dpmd", "dana-desa"), ("pupr", "apbn"))
    )
    assert village.inclusion_error == pytest.approx(agency.inclusion_error, abs=0.25)
    assert village.inclusion_error < 0.7
