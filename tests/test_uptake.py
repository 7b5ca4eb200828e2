import dataclasses

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL, STILL, finished, forced, live, simulated, values
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.inputs.parameters import Settings
from konvergensi.mechanisms import uptake
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.results.run import Run
from konvergensi.world.children import LAST_AGE
from konvergensi.world.households import Households

SETTINGS = Settings.defaults()
BEFORE_COVID = ["2018", "2019"]
ROUNDS = ("02", "08")


@pytest.fixture(scope="module")
def homes() -> Households:
    return ConvergenceModel(rng=1, population_share=0.01, end="2018-01").world.households


def chance(homes: Households, settings: Settings = SETTINGS, **columns: float) -> dict[str, np.ndarray]:
    """Chance of uptake of each kind, 0 to 1, with some columns of the households set to one value."""
    changed = {name: np.full(len(homes), value, np.float32) for name, value in columns.items()}
    table, homes = np.zeros((len(uptake.KINDS), len(homes)), np.uint16), dataclasses.replace(homes, **changed)
    common = uptake.common_odds(homes, settings)
    uptake.set_chances(table, homes, settings, range(len(uptake.KINDS)), common)
    return dict(zip(uptake.KINDS, table / 65536.0))


share = st.floats(0.0, 1.0, width=32)


@given(share, share, st.sampled_from(["access", "knowledge", "trust"]))
def test_access_knowledge_and_trust_never_lower_uptake(
    homes: Households, one: float, other: float, column: str
) -> None:
    low, high = (chance(homes, **{column: value}) for value in sorted((one, other)))
    assert all((high[kind] >= low[kind]).all() for kind in uptake.KINDS)


@pytest.mark.parametrize("column", ["access", "knowledge", "trust"])
def test_access_knowledge_and_trust_raise_uptake_of_every_kind(homes: Households, column: str) -> None:
    low, high = (chance(homes, **{column: value}) for value in (0.1, 0.9))
    assert all(high[kind].mean() > low[kind].mean() for kind in uptake.KINDS)


def test_beliefs_lower_uptake_of_food_most_and_of_money_not_at_all(homes: Households) -> None:
    free, held = (chance(homes, belief=value) for value in (0.0, 1.0))
    lost = {kind: float((free[kind] - held[kind]).mean()) for kind in uptake.KINDS}
    assert lost["food"] == max(lost.values())
    assert lost["transfer"] == 0.0
    assert lost["general"] > 0
    assert lost["facility"] > lost["general"]


@pytest.mark.parametrize("kind", uptake.KINDS)
def test_the_base_of_each_kind_moves_that_kind_alone(homes: Households, kind: str) -> None:
    key = f"uptake.{kind}_base"
    known = SETTINGS.parameter(key)
    low, high = (chance(homes, forced(SETTINGS, {key: value})) for value in (known.low, known.high))
    assert high[kind].mean() > low[kind].mean()
    assert all((high[other] == low[other]).all() for other in uptake.KINDS if other != kind)


def test_log_odds_far_out_are_never_and_always(homes: Households) -> None:
    never, always = (chance(homes, forced(SETTINGS, {"uptake.general_base": value})) for value in (-40.0, 40.0))
    assert never["general"].max() == 0.0
    assert always["general"].min() > 0.9999


def test_most_households_take_up_a_simple_service_and_no_kind_is_certain(homes: Households) -> None:
    means = {kind: each.mean() for kind, each in chance(homes).items()}
    assert all(0.2 < mean < 0.99 for mean in means.values())
    assert means["transfer"] == max(means.values())
    assert means["food"] == min(means.values())


# ---- in the district -----------------------------------------------------------------------------


def taken(run: Run, service: str) -> float:
    """Share of delivered services that were taken up."""
    table = run.cascade[run.cascade["service"] == service].groupby("stage")["children"].sum()
    return float(table["taken_up"] / table["delivered"])


@pytest.mark.parametrize(
    ("key", "value", "service"),
    [
        ("uptake.access_slope", 3.0, None),
        ("uptake.knowledge_slope", 4.0, None),
        ("uptake.trust_slope", 2.5, None),
        ("uptake.belief_slope", 0.5, "pmba"),
        ("uptake.food_base", 2.5, "pmba"),
        ("uptake.general_base", 3.0, "breastfeeding"),
        ("uptake.facility_base", 3.0, "anc"),
        ("uptake.transfer_base", 5.0, "pkh"),
        ("uptake.works_base", 4.0, "wash-latrine"),
        ("population.knowledge_mean", 0.65, "pmba"),
        ("population.trust_mean", 0.75, "pmba"),
        ("population.belief_mean", 0.2, "pmba"),
    ],
)
def test_each_lever_of_uptake_moves_what_is_taken_up(key: str, value: float, service: str | None) -> None:
    """The slopes make households differ: their direction depends on where the middle lies."""
    known = SETTINGS.parameter(key)
    value = float(np.clip(value, known.low, known.high))  # type: ignore[type-var]
    share = 0.1 if service == "wash-latrine" else 0.02  # few are built in a year
    usual, changed = (finished(simulated(share=share, end="2018-12", set=each)) for each in ({}, {key: value}))
    before, after = (taken(run, service or "pmba") for run in (usual, changed))
    if service:
        assert after > before
    else:
        assert after != before


def test_more_remote_households_take_up_less(lebak: ConvergenceModel) -> None:
    homes = lebak.world.households
    near, far = homes.access > 0.8, homes.access < 0.4
    food = chance(homes)["food"]
    assert food[far].mean() < food[near].mean()


def test_who_refuses_keeps_refusing_while_nothing_changes() -> None:
    """Uptake is one lasting draw of a child for a service, not a new lottery each month."""
    model = ConvergenceModel(rng=1, population_share=0.02, end="2018-12")
    model.step()
    s = [each.id for each in model.world.services].index("pmba")
    young = model.world.children.window(model.world.month, 6, 12)
    before = model.world.book.willing[s][young].copy()
    assert 0 < before.mean() < 1
    for _ in range(6):
        model.step()
    assert (model.world.book.willing[s][young] == before).all()


def test_visits_raise_caregivers_knowledge(lebak: ConvergenceModel) -> None:
    fresh = ConvergenceModel(rng=1, population_share=SMALL, end="2018-01").world.households
    now = lebak.world.households
    assert (now.knowledge >= fresh.knowledge - 1e-6).all()  # forgetting goes back to the start and no further
    assert (now.knowledge > fresh.knowledge).any()
    assert now.knowledge.max() <= 1.0
    still = simulated(share=0.01, end="2018-12", set=STILL | {"uptake.knowledge_gain_per_visit": 0.0}).world.households
    start = ConvergenceModel(rng=1, population_share=0.01, end="2018-01").world.households
    assert (still.knowledge == start.knowledge).all()


# ---- who comes to posyandu -----------------------------------------------------------------------


def attendance(run: Run) -> pd.Series:
    return values(run, "posyandu_attendance_share")


def test_attendance_of_ordinary_months_and_of_rounds_is_as_published() -> None:
    """45 percent (40 to 50) in ordinary months (BKKBN 2023), 74 percent in a weighing round (Pematang Siantar 2022)."""
    usual = attendance(finished(simulated(end="2019-12")))
    usual = usual[usual.index.str[:4].isin(BEFORE_COVID)]
    is_round = usual.index.str[5:].isin(ROUNDS)
    assert 0.40 <= usual[~is_round].mean() <= 0.50
    assert usual[is_round].mean() == pytest.approx(0.74, abs=0.06)


def test_the_young_come_more_often() -> None:
    world = live(share=SMALL, end="2018-03").world
    world.month -= 1
    start = world.children.window(world.month, 0, LAST_AGE).start
    shares = []
    for ages in ((0, 11), (12, 23), (24, 59)):
        rows = world.children.window(world.month, *ages)
        shares.append(world.attended[rows.start - start : rows.stop - start].mean())
    assert shares[0] > shares[1] > shares[2]


LASTING_ORDER = {"contacts.reach": "lasting-order"}


def mean_attendance(set_: dict[str, object]) -> float:
    return float(attendance(finished(simulated(share=0.01, end="2018-03", set=set_))).mean())


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ({}, "contacts.habit_base"),
        ({}, "contacts.often_share"),
        ({}, "contacts.seldom_share"),
        ({}, "uptake.attendance_infant"),
        ({}, "uptake.attendance_toddler"),
        ({}, "uptake.attendance_round"),
        (LASTING_ORDER, "uptake.attendance_base"),
        (LASTING_ORDER, "uptake.attendance_infant"),
        (LASTING_ORDER, "uptake.attendance_toddler"),
        (LASTING_ORDER, "uptake.attendance_round"),
    ],
)
def test_each_lever_of_attendance_raises_it_under_its_rule(rule: dict[str, object], key: str) -> None:
    assert mean_attendance(rule | {key: SETTINGS.parameter(key).high}) > mean_attendance(rule)


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ({}, "uptake.attendance_quality_slope"),
        ({}, "contacts.place_sd"),
        (LASTING_ORDER, "uptake.attendance_quality_slope"),
        (LASTING_ORDER, "uptake.attendance_frailty"),
    ],
)
def test_quality_places_and_lasting_habits_spread_attendance(rule: dict[str, object], key: str) -> None:
    assert mean_attendance(rule | {key: SETTINGS.parameter(key).high}) != mean_attendance(rule)


def test_a_good_posyandu_draws_more_children() -> None:
    world = simulated(share=0.2, end="2018-03").world
    rows = world.children.window(world.month - 1, 0, LAST_AGE)
    quality = world.posyandu_quality[world.children.village[rows]]
    best, worst = (world.attended[mask].mean() for mask in (quality > 0.8, quality < 0.5))
    assert best > worst


def test_habits_last_from_month_to_month(lebak: ConvergenceModel) -> None:
    model = ConvergenceModel(rng=1, population_share=SMALL, end="2018-05")
    for _ in range(3):
        model.step()
    march = model.world.attended.copy()
    rows = model.world.children.window(model.world.month - 1, 0, LAST_AGE - 1)
    n = rows.stop - rows.start
    model.step()
    again = model.world.attended[:n]
    before = march[len(march) - n :]
    assert again[before].mean() > again[~before].mean() + 0.2


# ---- shocks --------------------------------------------------------------------------------------

NO_COVID = {
    "shocks.posyandu_open_share": 1.0,
    "shocks.home_contact_share": 1.0,
    "shocks.budget_moved_share": 0.0,
    "shocks.surveys_on": True,
}


@pytest.fixture(scope="module")
def calm() -> Run:
    return finished(simulated(end="2021-12", set=NO_COVID))


def test_covid_empties_posyandu_in_2020_and_can_be_switched_off(run: Run, calm: Run) -> None:
    months = [f"2020-{month:02d}" for month in range(4, 9)]
    with_, without = attendance(run)[months].mean(), attendance(calm)[months].mean()
    assert with_ < 0.5 * without
    assert attendance(calm)[months].mean() == pytest.approx(
        attendance(calm)[[month.replace("2020", "2019") for month in months]].mean(), abs=0.03
    )


def test_before_covid_its_switch_changes_nothing(run: Run, calm: Run) -> None:
    before = run.series["month"] < "2020-04"
    pd.testing.assert_frame_equal(run.series[before], calm.series[calm.series["month"] < "2020-04"])


def test_covid_cuts_services_and_money(run: Run, calm: Run) -> None:
    for table, column in (("money", "spent_rp"), ("targeting", "reached")):
        with_, without = (getattr(each, table) for each in (run, calm))
        assert with_[with_["year"] == 2020][column].sum() < without[without["year"] == 2020][column].sum()


def test_after_covid_attendance_comes_back(run: Run) -> None:
    found = attendance(run)
    assert found["2022-03"] == pytest.approx(found["2019-03"], abs=0.04)


@pytest.mark.parametrize("open_share", [0.0, 1.0])
def test_posyandu_closed_everywhere_weigh_nobody_and_open_everywhere_weigh_as_usual(open_share: float) -> None:
    found = attendance(finished(simulated(share=0.01, end="2018-03", set={"shocks.posyandu_open_share": open_share})))
    assert (found == 0).all() if open_share == 0 else (found > 0.2).all()


def test_no_survey_goes_to_the_field_while_teams_stay_at_home() -> None:
    run = finished(simulated(share=0.01, end="2018-12", set={"shocks.surveys_on": False}))
    assert set(run.surveys["system"]) == {"e-PPGBM"}
