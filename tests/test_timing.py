"""Timing bites: what an earlier plan, another door or the amended budget does to money and to children."""

import pandas as pd
import pytest
from conftest import STILL, finished, ledger, simulated

from konvergensi.base.months import format_month
from konvergensi.model.convergence import ConvergenceModel

START = 2018 * 12
YEAR = 12
CALM = {
    "shocks.budget_moved_share": 0.0,
    "shocks.home_contact_share": 1.0,
    "shocks.posyandu_open_share": 1.0,
}


def apbd(model: ConvergenceModel) -> list[str]:
    return [name for name in model.world.programmes.id if name.endswith(":apbd")]


def first_rise(model: ConvergenceModel, programme: str) -> int | None:
    """First month in which the budget stands above the line of the first year; None if it never does."""
    budgeted = ledger(model, "budgeted")[programme]
    above = budgeted > budgeted.iloc[0] * (1 + 1e-9)
    return int(above.idxmax()) if above.any() else None


@pytest.fixture(scope="module")
def strict() -> dict[str, ConvergenceModel]:
    """Early planning and baseline without COVID and without a second door in the year."""
    options = CALM | {"budget.apbdp_flexibility": 0.0}
    return {name: simulated(name, set=options, end="2020-12") for name in ("baseline", "early-planning")}


def test_new_money_comes_in_january_of_the_next_year_and_not_the_year_after(
    strict: dict[str, ConvergenceModel], capsys: pytest.CaptureFixture[str]
) -> None:
    early, late = strict["early-planning"], strict["baseline"]
    # those with a gap to argue for in the first spring, and still in the next: some families are reached meanwhile
    rises = {name: (first_rise(early, name), first_rise(late, name)) for name in apbd(late)}
    asking = [name for name, (soon, later) in rises.items() if soon == START + YEAR and later is not None]
    assert len(asking) >= 2
    for name in asking:
        rose = first_rise(late, name)
        with capsys.disabled():
            when = "never" if rose is None else format_month(rose)
            print(f"\n{name}: new money 2019-01 with early planning, {when} at baseline", end="")
        assert rose == START + 2 * YEAR


def test_earlier_planning_moves_no_money_of_doors_it_does_not_change(strict: dict[str, ConvergenceModel]) -> None:
    """DAK, village and company money have later doors: the April plan is in time for them too."""
    early, late = (ledger(strict[name], "budgeted") for name in ("early-planning", "baseline"))
    for source in (":dak", ":dana-desa", ":csr", ":apbn"):
        names = [name for name in late if name.endswith(source)]
        rises = [{name: first_rise(strict[key], name) for name in names} for key in strict]
        assert rises[0] == rises[1], source
    first_year = slice(START, START + YEAR - 1)
    pd.testing.assert_frame_equal(early.loc[first_year], late.loc[first_year])


def test_more_children_get_services_inside_their_1000_days_and_the_difference_is_reported(
    strict: dict[str, ConvergenceModel], capsys: pytest.CaptureFixture[str]
) -> None:
    """Services that an APBD programme of an asking agency pays for; the first year of new money is 2019."""
    early, late = (finished(strict[name]).cascade for name in ("early-planning", "baseline"))
    services = sorted({name.split(":")[1] for name in apbd(strict["baseline"]) if name.startswith("dinkes:")})

    def in_time(table: pd.DataFrame, service: str) -> int:
        rows = table[(table["service"] == service) & (table["stage"] == "in_time") & (table["year"] == 2019)]
        return int(rows["children"].sum())

    more = {service: in_time(early, service) - in_time(late, service) for service in services}
    with capsys.disabled():
        print(f"\nchildren reached in time in 2019, early planning minus baseline: {more}", end="")
    assert sum(more.values()) > 0
    assert min(more.values()) >= 0


def test_early_planning_opens_each_year_with_the_money_that_baseline_has_a_year_later(
    early: ConvergenceModel, lebak: ConvergenceModel
) -> None:
    """In the shipped scenario, with COVID and APBD-P: one year ahead, so not behind for as long as budgets grow.

    Later a year may open with less than at baseline: less is asked for once the first children are reached, and this
    too comes a year earlier. Over all years early planning has more.
    """
    money = [ledger(model, "planned")[apbd(model)].sum(axis=1) for model in (early, lebak)]
    early_opening, late_opening = (each[each.index % 12 == 0] for each in money)
    ahead = early_opening.loc[START + YEAR : START + 5 * YEAR].to_numpy()
    a_year_later = late_opening.loc[START + 2 * YEAR : START + 6 * YEAR].to_numpy()
    assert len(ahead) == 5 and ahead[:3] == pytest.approx(a_year_later[:3], rel=0.02)
    assert (ahead[3:] >= a_year_later[3:]).all()  # not behind when need has changed under both
    assert early_opening.loc[START] == late_opening.loc[START]
    first = slice(START + YEAR, START + 2 * YEAR)
    assert (early_opening.loc[first] > late_opening.loc[first]).all()
    assert early_opening.sum() > late_opening.sum()


def test_a_late_plan_waits_unless_the_amended_budget_lets_it_in() -> None:
    """The second door opens in September of the same year; how wide is its flexibility."""
    rises = {}
    for flexibility in (0.0, 0.5, 1.0):
        model = simulated(share=0.02, end="2020-12", set=CALM | {"budget.apbdp_flexibility": flexibility})
        name = "dinkes:pmba:apbd"
        rises[flexibility] = (first_rise(model, name), ledger(model, "budgeted")[name].loc[START + 11])
    assert rises[0.0][0] == START + 2 * YEAR
    door = START + 9 - 1  # September 2018
    assert rises[0.5][0] == rises[1.0][0] == door
    assert rises[0.0][1] < rises[0.5][1] < rises[1.0][1]


@pytest.mark.parametrize(
    ("plan", "door", "expected"),
    [
        (2, 3, START + YEAR),
        (3, 3, START + YEAR),
        (4, 3, START + 2 * YEAR),
        (4, 4, START + YEAR),
        (12, 3, START + 2 * YEAR),
    ],
)
def test_a_plan_is_in_time_up_to_and_including_the_month_of_the_door(plan: int, door: int, expected: int) -> None:
    changes = {
        "calendar.aksi_2_month": plan,
        "calendar.aksi_3_month": 1,
        "calendar.musrenbang_month": door,
        "budget.apbdp_flexibility": 0.0,
    }
    model = simulated(share=0.02, end="2020-12", set=CALM | changes)
    assert first_rise(model, "dinkes:pmba:apbd") == expected


def test_agreeing_late_is_as_late_as_planning_late() -> None:
    """The plan binds once the rembuk has agreed it: either month alone closes the door."""
    found = []
    for key in ("calendar.aksi_2_month", "calendar.aksi_3_month"):
        others = {"calendar.aksi_2_month": 2, "calendar.aksi_3_month": 2}
        # the rembuk is also a meeting: its month alone moves what agencies know, so they are held still
        model = simulated(share=0.02, end="2019-12", set=CALM | STILL | others | {key: 6})
        found.append(ledger(model, "budgeted"))
    pd.testing.assert_frame_equal(found[0], found[1])


def test_programmes_that_may_wait_have_somewhere_to_wait() -> None:
    """No proposal is lost: what missed this year's door is still there in December."""
    model = simulated(share=0.02, end="2018-12", set=CALM | {"budget.apbdp_flexibility": 0.0})
    book = model.world.programmes
    of_apbd = [book.id.index(name) for name in apbd(model)]
    assert book.waiting[of_apbd].sum() > 0
