from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import copy_of_lebak, finished, forced, ledger, live, simulated
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.base.months import parse_month
from konvergensi.inputs.parameters import Settings
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms import budget
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.results.run import Run
from konvergensi.world.programmes import SOURCES, Programmes

SETTINGS = Settings.defaults()
amounts = st.lists(st.floats(0.0, 1e12), min_size=1, max_size=30).map(np.array)
STAGES = ("planned", "budgeted", "released", "spent")


# ---- ceilings ------------------------------------------------------------------------------------


@given(amounts, st.floats(0.0, 1e13))
def test_a_ceiling_neither_creates_nor_loses_money(requests: np.ndarray, ceiling: float) -> None:
    given_ = budget.share_ceiling(requests, ceiling)
    assert given_.sum() == pytest.approx(min(requests.sum(), ceiling), rel=1e-9, abs=1e-6)
    assert (given_ >= 0).all()
    assert (given_ <= requests * (1 + 1e-12)).all()


@given(amounts, st.floats(1.0, 1e13))
def test_a_ceiling_cuts_everybody_in_the_same_proportion(requests: np.ndarray, ceiling: float) -> None:
    given_ = budget.share_ceiling(requests, ceiling)
    asked = requests > 1.0
    if asked.any():
        shares = given_[asked] / requests[asked]
        assert np.ptp(shares) < 1e-9


def test_a_roomy_ceiling_returns_the_requests_and_not_the_callers_array() -> None:
    requests = np.array([1.0, 2.0])
    given_ = budget.share_ceiling(requests, 10.0)
    given_[0] = 99.0
    assert requests.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_a_negative_or_missing_request_is_named_by_its_row(bad: float) -> None:
    with pytest.raises(ValueError, match=r"rows \[1\]"):
        budget.share_ceiling(np.array([1.0, bad, 2.0]), 10.0)


# ---- bookkeeping of every month and every programme ----------------------------------------------


@pytest.fixture(scope="module", params=["baseline", "tiny", "no staff", "shock", "rich", "funds-to-lokus"])
def books(request: pytest.FixtureRequest, lebak: ConvergenceModel, tmp_path_factory: Any) -> ConvergenceModel:
    """Runs in which bookkeeping could break: few children, no staff, money moved away, much new money."""
    match request.param:
        case "baseline":
            return lebak
        case "tiny":
            return simulated(share=0.001)
        case "no staff":
            return simulated(district=without_staff(tmp_path_factory.mktemp("d") / "sepi"), share=0.01, end="2020-12")
        case "shock":
            return simulated(share=0.01, end="2020-12", set={"shocks.budget_moved_share": 0.8})
        case "rich":
            rich = {f"budget.{each}_room_share": 0.4 for each in ("apbd", "dak", "apbn", "dana_desa", "csr")}
            return simulated(share=0.01, set=rich | {"budget.inertia": 0.0, "budget.proposal_share": 1.0})
        case scenario:
            return simulated(scenario, share=0.01)


def without_staff(folder: Path) -> str:
    import re

    return copy_of_lebak(folder, opd=lambda text: re.sub(r"staff = \d+", "staff = 0", text))


def test_planned_budgeted_released_and_spent_never_grow_along_the_chain(books: ConvergenceModel) -> None:
    columns = [ledger(books, stage).to_numpy() for stage in STAGES]
    for stage, more, less in zip(STAGES[1:], columns, columns[1:]):
        assert (more >= less * (1 - 1e-6) - 1e-6).all(), stage
    assert (columns[-1] >= 0).all()


def test_money_out_is_services_times_unit_cost_plus_overhead(books: ConvergenceModel) -> None:
    spent, overhead = ledger(books, "spent"), ledger(books, "overhead")
    services = ledger(books, "units") * ledger(books, "unit_cost")
    np.testing.assert_allclose(spent, services + overhead, rtol=1e-6, atol=1.0)


def test_overhead_lies_between_administration_alone_and_administration_with_the_longest_journey(
    books: ConvergenceModel,
) -> None:
    world = books.world
    remotest = world.district.villages["remoteness"].max()
    least = world.settings["budget.overhead_share"]
    services = (ledger(books, "units") * ledger(books, "unit_cost")).to_numpy()
    overhead = ledger(books, "overhead").to_numpy()
    for p, s in enumerate(world.programmes.service):
        travels = world.services[s].venue != "transfer"
        most = least + travels * world.settings["delivery.travel_cost_share"] * remotest
        assert (overhead[:, p] >= least * services[:, p] * (1 - 1e-5) - 1.0).all()
        assert (overhead[:, p] <= most * services[:, p] * (1 + 1e-5) + 1.0).all()


def test_within_the_year_released_and_spent_only_rise_and_in_january_they_start_again(
    books: ConvergenceModel,
) -> None:
    for column in ("released", "spent", "units"):
        table = ledger(books, column)
        for _, year in table.groupby(table.index // 12):
            assert (year.diff().iloc[1:] >= -1e-6).all().all()
    spent = ledger(books, "spent")
    januaries = spent[spent.index % 12 == 0]
    assert (januaries <= ledger(books, "released").loc[januaries.index] + 1e-6).all().all()


def test_no_programme_serves_somebody_for_less_than_its_unit_cost(books: ConvergenceModel) -> None:
    units, spent = ledger(books, "units"), ledger(books, "spent")
    assert (units >= 0).all().all()
    assert (units == units.round()).all().all()
    assert ((units == 0) == (spent == 0)).all().all()


def test_the_yearly_money_table_is_the_ledger_of_december(lebak: ConvergenceModel, run: Run) -> None:
    for year in (2018, 2024):
        december = year * 12 + 11
        money = run.money[run.money["year"] == year].set_index("programme")
        for stage in STAGES:
            expected = ledger(lebak, stage).loc[december]
            pd.testing.assert_series_equal(
                money[f"{stage}_rp"], expected, check_names=False, check_index=True, rtol=1e-12
            )
        assert (money["source"] == [name.rsplit(":", 1)[1] for name in money.index]).all()


def test_money_of_agencies_is_the_money_of_their_programmes(run: Run) -> None:
    december = run.agencies[run.agencies["month"] == "2021-12"].set_index("agency")["spent_rp"]
    by_agency = run.money[run.money["year"] == 2021].groupby("agency")["spent_rp"].sum()
    assert december[december > 0].to_dict() == pytest.approx(by_agency[by_agency > 0].to_dict())


# ---- first lines and years -----------------------------------------------------------------------


def test_the_first_year_pays_for_its_funded_share_of_the_expected_need(tmp_path: Path) -> None:
    """Twice the share is twice the money; a line stated in rupiah is that line."""
    place = copy_of_lebak(
        tmp_path / "uji",
        opd=lambda text: text.replace(
            'service = "zinc"\nopd = "dinkes"\nmoney = "apbn"\nfunded_share = 0.05',
            'service = "zinc"\nopd = "dinkes"\nmoney = "apbn"\nfunded_share = 0.1',
        ).replace(
            'service = "vitamin-a"\nopd = "dinkes"\nmoney = "apbn"\nfunded_share = 0.9',
            'service = "vitamin-a"\nopd = "dinkes"\nmoney = "apbn"\nbudget_rp = 5000000000',
        ),
    )
    lines = []
    for district in ("lebak", place):
        model = ConvergenceModel(district=district, rng=1, population_share=0.01, end="2018-01")
        lines.append(dict(zip(model.world.programmes.id, model.world.programmes.line)))
    assert lines[1]["dinkes:zinc:apbn"] == pytest.approx(2 * lines[0]["dinkes:zinc:apbn"])
    made = model.world.population_share  # of the families that were made: a village keeps whole ones
    assert made == pytest.approx(0.01, rel=0.02)
    assert lines[1]["dinkes:vitamin-a:apbn"] == pytest.approx(5e9 * made)


NO_NEW_MONEY = {f"budget.{each}_room_share": 0.0 for each in ("apbd", "dak", "apbn", "dana_desa", "csr")}
NO_NEW_MONEY |= {"shocks.budget_moved_share": 0.0, "budget.review_trim_share": 0.0}


def test_without_new_money_next_year_copies_this_one() -> None:
    nothing = simulated(share=0.01, end="2020-12", set=NO_NEW_MONEY | {"villages.choosing": False})
    lines = ledger(nothing, "budgeted")
    assert np.allclose(lines.iloc[0], lines.iloc[-1])


def test_villages_that_choose_divide_the_same_money_and_touch_no_other_line() -> None:
    lines = ledger(simulated(share=0.01, end="2020-12", set=NO_NEW_MONEY), "budgeted")
    own = np.array([name.endswith(":dana-desa") for name in lines])
    first, last = lines.iloc[0], lines.iloc[-1]
    assert np.allclose(first[~own], last[~own])
    assert not np.allclose(first[own], last[own])
    assert last[own].sum() == pytest.approx(first[own].sum())


def test_unspent_money_lapses_in_december(lebak: ConvergenceModel) -> None:
    """Next January's line does not depend on what was left: it is the new line alone."""
    released, spent = ledger(lebak, "released"), ledger(lebak, "spent")
    december, january = parse_month("2018-12"), parse_month("2019-01")
    left = (released - spent).loc[december]
    assert left.sum() > 0
    assert released.loc[january].sum() < 0.35 * ledger(lebak, "budgeted").loc[january].sum()
    assert (spent.loc[january] <= released.loc[january] + 1e-6).all()


def test_new_lines_never_exceed_the_room_of_their_source() -> None:
    """Both doors, the regular one and APBD-P, share the year's room: December against the December before."""
    calm = simulated(share=0.01, set={"shocks.budget_moved_share": 0.0, "budget.apbdp_flexibility": 1.0})
    budgeted = ledger(calm, "budgeted")
    source = np.array(SOURCES)[calm.world.programmes.source]
    for year in range(2019, 2025):
        now, before = (budgeted.loc[each * 12 + 11] for each in (year, year - 1))
        for name in SOURCES:
            key = f"budget.{name.replace('-', '_')}_room_share"
            room = SETTINGS.as_dict().get(key, 0.0)
            old = before[source == name].sum()
            assert now[source == name].sum() <= old * (1 + room) * (1 + 1e-9) + 1e-6, (name, year)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_has_room_for_new_money(source: str) -> None:
    """A source without a room parameter would silently refuse every proposal for ever."""
    assert SETTINGS[f"budget.{source.replace('-', '_')}_room_share"] > 0


@pytest.mark.parametrize(("key", "low", "high"), [("budget.inertia", 0.9, 0.1), ("budget.proposal_share", 0.1, 0.9)])
def test_weaker_inertia_and_bolder_proposals_bring_more_money(key: str, low: float, high: float) -> None:
    roomy = {"budget.dak_room_share": 0.6, "budget.apbd_room_share": 0.5}
    totals = [
        ledger(simulated(share=0.01, end="2021-01", set=roomy | {key: value}), "budgeted").iloc[-1].sum()
        for value in (low, high)
    ]
    assert totals[1] > totals[0]


def test_agencies_argue_for_what_they_adopted_and_for_nothing_without_the_goal() -> None:
    # dinkes gives up the shared goal; what the others ask for stays
    indifferent = simulated(share=0.01, end="2021-01", set={"opd.dinkes.goal_adoption": 0.0, "goals.on": False})
    lines = ledger(indifferent, "budgeted")
    dinkes_dak = [name for name in lines if name.startswith("dinkes:") and name.endswith(":dak")]
    assert (lines.iloc[-1][dinkes_dak] <= lines.iloc[0][dinkes_dak] * (1 + 1e-9)).all()
    adopted = ledger(simulated(share=0.01, end="2021-01", set={"goals.on": False}), "budgeted")
    assert adopted.iloc[-1][dinkes_dak].sum() > adopted.iloc[0][dinkes_dak].sum()


# ---- what lapsed, and the review of it -----------------------------------------------------------


def test_what_lapsed_is_last_years_budget_less_last_years_spending() -> None:
    model = ConvergenceModel(rng=1, population_share=0.01, end="2019-01", set={"shocks.budget_moved_share": 0.0})
    while model.running:
        model.step()
    december = parse_month("2018-12")
    left = ledger(model, "budgeted").loc[december] - ledger(model, "spent").loc[december]
    np.testing.assert_allclose(model.world.programmes.lapsed, left, rtol=1e-9, atol=1.0)


def test_the_review_trims_lines_that_lapsed_and_gives_to_none() -> None:
    quiet = NO_NEW_MONEY | {"calendar.aksi_8_month": 2, "villages.choosing": False}
    known = SETTINGS.parameter("budget.review_trim_share")
    assert known.high is not None
    trimmed = ledger(simulated(share=0.01, set=quiet | {"budget.review_trim_share": known.high}), "budgeted")
    januaries = trimmed[trimmed.index % 12 == 0]
    assert (januaries.diff().iloc[1:] <= 1e-6 * januaries.iloc[0]).all().all()
    assert januaries.iloc[-1].sum() < januaries.iloc[0].sum()


# ---- plans and doors: the pure steps -------------------------------------------------------------


def lines(**columns: float) -> Programmes:
    """One APBD programme's columns, as far as planning reads them."""
    names = ("line", "planned", "budgeted", "need", "waiting", "accepted", "granted", "next_planned", "next_line",
             "policy")  # fmt: skip
    given_ = {name: np.array([columns.get(name, 0.0)]) for name in names}
    apbd = np.array([SOURCES.index("apbd")])
    zero = np.zeros(1, np.intp)
    return SimpleNamespace(source=apbd, service=zero, released=np.zeros(1), relocated=False, **given_)  # type: ignore[return-value]


SPECIFIC = [next(service for service in load_services().values() if service.class_ == "specific")]


DOOR = 3


@given(st.integers(1, 12), st.floats(0.0, 1.0), st.floats(0.0, 1e9))
def test_a_plan_enters_next_year_if_it_is_not_after_the_door_and_waits_otherwise(
    now: int, adoption: float, need: float
) -> None:
    book = lines(line=1e8, need=need)
    budget.propose(book, SPECIFIC, np.array([adoption]), forced(SETTINGS, {"calendar.musrenbang_month": DOOR}), now)
    share = SETTINGS["budget.proposal_share"] * (1 - SETTINGS["budget.inertia"])
    asked = adoption * share * max(need - 1e8, 0.0)
    assert book.accepted[0] == pytest.approx(asked if now <= DOOR else 0.0)
    assert book.waiting[0] == pytest.approx(0.0 if now <= DOOR else asked)


def test_what_waits_passes_the_next_door_and_only_there() -> None:
    for now in range(1, 13):
        book = lines(waiting=5.0, accepted=1.0)
        budget.pass_doors(book, forced(SETTINGS, {"calendar.musrenbang_month": DOOR}), now)
        assert (book.waiting[0], book.accepted[0]) == ((0.0, 6.0) if now == DOOR else (5.0, 1.0))


def test_what_is_already_asked_for_is_not_asked_for_again() -> None:
    book = lines(line=40.0, waiting=30.0, accepted=30.0, need=100.0)
    budget.propose(book, SPECIFIC, np.ones(1), SETTINGS, 4)
    assert (book.waiting[0], book.accepted[0]) == (30.0, 30.0)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1e6), st.floats(0.0, 0.5))
def test_the_amended_budget_lets_in_part_of_what_waits_within_the_room(
    flexibility: float, waiting: float, room: float
) -> None:
    book = lines(line=1e6, planned=1e6, budgeted=1e6, next_line=1e6, next_planned=1e6, waiting=waiting)
    settings = forced(SETTINGS, {"budget.apbdp_flexibility": flexibility, "budget.apbd_room_share": room})
    budget.amend(book, settings)
    let_in = flexibility * min(waiting, room * 1e6)
    assert book.budgeted[0] == pytest.approx(1e6 + let_in)
    assert book.waiting[0] == pytest.approx(waiting - let_in, abs=1e-6)
    assert book.planned[0] >= book.budgeted[0]
    assert book.next_line[0] == pytest.approx(1e6 + let_in)


# ---- village money -------------------------------------------------------------------------------


def village_money(model: ConvergenceModel, year: int) -> float:
    table = ledger(model, "budgeted").loc[year * 12]
    return float(table[[name for name in table.index if name.endswith(":dana-desa")]].sum())


def test_a_least_share_raises_village_money_only_if_the_regulation_comes_before_musdes() -> None:
    least = {"budget.dana_desa_min_share": 0.05}
    usual = village_money(simulated(share=0.01, end="2019-01"), 2019)
    in_time = village_money(simulated(share=0.01, end="2019-01", set=least), 2019)
    late = village_money(simulated(share=0.01, end="2019-01", set=least | {"calendar.aksi_4_month": 8}), 2019)
    assert in_time > usual
    assert late == pytest.approx(usual)


def test_under_the_reform_the_least_share_follows_the_reforms_own_calendar() -> None:
    """From 2025 the regulation comes with the plan in March; the month of Aksi 4 counts no more."""
    changes = {"budget.dana_desa_min_share": 0.05, "calendar.aksi_4_month": 12}
    usual = village_money(simulated(share=0.01, start="2025-01", end="2026-01"), 2026)
    raised = village_money(simulated(share=0.01, start="2025-01", end="2026-01", set=changes), 2026)
    assert raised > usual


@given(amounts, st.floats(0.0, 1e13))
def test_lines_are_raised_to_the_least_share_but_never_above_their_need(need: np.ndarray, least: float) -> None:
    now = need * 0.5
    raised = budget._raise_to(now, need, max(least, now.sum()))
    assert (raised >= now * (1 - 1e-12)).all()
    assert (raised <= need * (1 + 1e-9) + 1e-6).all()
    assert raised.sum() == pytest.approx(min(need.sum(), max(least, now.sum())), rel=1e-9, abs=1e-3)


# ---- release, absorption, relocation -------------------------------------------------------------


def test_released_shares_rise_through_the_year_and_never_pass_one() -> None:
    shares = budget.released_shares(SETTINGS)
    assert (np.diff(shares, axis=0) >= 0).all()
    assert ((shares >= 0) & (shares <= 1)).all()


@pytest.mark.parametrize("source", SOURCES)
def test_each_quarters_release_is_a_lever(source: str) -> None:
    name = source.replace("-", "_")
    for quarter, month in zip(budget.QUARTERS, (3, 6, 9, 12)):
        key = f"budget.{name}_released_by_{quarter}"
        known = SETTINGS.parameter(key)
        low, high = (
            budget.released_shares(forced(SETTINGS, {key: value}))[month - 1, SOURCES.index(source)]
            for value in (known.low, known.high)
        )
        assert low < high, key


def test_transfers_are_released_payment_by_payment() -> None:
    model = simulated(share=0.01, end="2018-12")
    share = (ledger(model, "released") / ledger(model, "budgeted"))["dinsos:pkh:apbn"].to_numpy()
    assert share == pytest.approx([0.25] * 3 + [0.5] * 3 + [0.75] * 3 + [1.0] * 3)


def test_campaign_goods_come_for_their_rounds_and_projects_with_the_season() -> None:
    model = simulated(share=0.01, end="2018-12")
    share = ledger(model, "released") / ledger(model, "budgeted")
    assert share["dinkes:vitamin-a:apbn"].to_numpy() == pytest.approx([0.0] + [0.5] * 6 + [1.0] * 5)
    assert share["pupr:wash-latrine:apbn"].iloc[1] < 0.2


@pytest.mark.parametrize("source", SOURCES)
def test_absorption_caps_what_a_source_spends_in_the_year(source: str) -> None:
    model = simulated(share=0.01, end="2018-12", set={f"budget.{source.replace('-', '_')}_absorption_share": 0.75})
    spent, budgeted = ledger(model, "spent").iloc[-1], ledger(model, "budgeted").iloc[-1]
    of_source = [name for name in spent.index if name.endswith(f":{source}")]
    assert (spent[of_source] <= 0.75 * budgeted[of_source] * (1 + 1e-6)).all()


def test_a_shock_moves_only_unreleased_district_and_village_money() -> None:
    book = SimpleNamespace(
        source=np.arange(len(SOURCES)), budgeted=np.full(5, 100.0), released=np.full(5, 40.0), relocated=False
    )
    settings = forced(SETTINGS, {"shocks.budget_moved_share": 0.5})
    budget.relocate(book, settings)  # type: ignore[arg-type]
    expected = [70.0 if source in ("apbd", "dana-desa") else 100.0 for source in SOURCES]
    assert book.budgeted.tolist() == expected
    budget.relocate(book, settings)  # type: ignore[arg-type]
    assert book.budgeted.tolist() == expected  # once a year


def test_money_moved_in_2021_is_the_share_dated_for_2021(lebak: ConvergenceModel) -> None:
    """Lebak's history says 0.35 in 2020 and 0.15 in 2021: each year moves its own share of unreleased money."""
    planned, budgeted = ledger(lebak, "planned"), ledger(lebak, "budgeted")
    apbd = [name for name in budgeted if name.endswith(":apbd")]
    march, april = parse_month("2020-03"), parse_month("2020-04")
    moved = 1 - budgeted.loc[april, apbd].sum() / budgeted.loc[march, apbd].sum()
    assert 0.35 * 0.85 < moved <= 0.35  # of what was not released by then
    calm = simulated(end="2021-02", set={"shocks.budget_moved_share": 0.0})
    without = ledger(calm, "budgeted").loc[parse_month("2021-02"), apbd].sum()
    with_ = budgeted.loc[parse_month("2021-02"), apbd].sum()
    assert 1 - with_ / without == pytest.approx(0.15, abs=0.03)
    assert (planned.loc[april, apbd] >= budgeted.loc[april, apbd]).all()


def test_tables_of_money_are_in_rupiah_of_the_simulated_share() -> None:
    tiny, small = (simulated(share=share, end="2018-12") for share in (0.01, 0.03))
    one, three = (finished(model).money["budgeted_rp"].sum() / model.world.population_share for model in (tiny, small))
    assert one == pytest.approx(three, rel=1e-9)


def test_what_was_not_run_in_the_burn_in_is_not_reviewed_at_the_start() -> None:
    """BPNT and works leave nothing in a child, so the years before the run do not live them."""
    model = live(share=0.01, end="2018-02")
    world = model.world
    for p, name in enumerate(world.programmes.id):
        if name.startswith(("dinsos:bpnt", "pupr:wash")):
            assert world.programmes.lapsed[p] == world.programmes.trimmed[p] == 0.0, name
    assert (world.programmes.trimmed > 0).any()


def test_a_dated_unit_cost_counts_from_the_next_january(tmp_path: Path) -> None:
    path = tmp_path / "dearer.toml"
    path.write_text(
        'title = { en = "a", id = "b" }\nquestion = { en = "c", id = "d" }\n'
        'change = [{ from = "2018-06", set = { "services.pmba.unit_cost_rp" = 40000 } }]\n'
    )
    money = finished(live(str(path), share=0.01, end="2019-12")).money
    cost = money[money.programme == "dinkes:pmba:dak"].set_index("year").unit_cost_rp
    assert cost.to_dict() == {2018: 20000.0, 2019: 40000.0}
