import numpy as np
import pandas as pd
import pytest
from conftest import finished, live

from konvergensi.mechanisms import delivery, targeting, turns
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.results.run import Run
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.state import World
from konvergensi.world.tally import STAGES, Tally


@pytest.fixture(scope="module", params=["baseline", "one-list", "funds-to-lokus", "early-planning", "no-programme"])
def cascade(request: pytest.FixtureRequest) -> pd.DataFrame:
    return finished(live(request.param, share=0.02)).cascade


@pytest.mark.parametrize("count", ["children", "households"])
def test_the_cascade_never_grows_from_stage_to_stage(cascade: pd.DataFrame, count: str) -> None:
    table = cascade.pivot_table(index=["year", "service"], columns="stage", values=count)[list(STAGES)]
    assert (np.diff(table.to_numpy(), axis=1) <= 0).all()
    assert (table.to_numpy() >= 0).all()


def test_households_of_a_stage_are_not_more_than_its_children(cascade: pd.DataFrame) -> None:
    assert (cascade["households"] <= cascade["children"]).all()
    assert ((cascade["households"] == 0) == (cascade["children"] == 0)).all()


def test_every_service_has_every_stage_every_year_in_order(run: Run) -> None:
    for _, table in run.cascade.groupby(["year", "service"]):
        assert table["stage"].tolist() == list(STAGES)
    assert run.cascade["year"].unique().tolist() == list(range(2018, 2025))


def test_in_need_of_what_all_need_are_all_who_had_the_age_that_year(lebak: ConvergenceModel, run: Run) -> None:
    children = lebak.world.children
    for service in ("pmba", "growth-monitoring", "ttd-bumil"):
        spec = next(each for each in lebak.world.services if each.id == service)
        for year in (2018, 2023):
            january, december = year * 12, year * 12 + 11
            oldest, youngest = january - spec.to_age, december - spec.from_age
            there = (children.birth_month >= oldest) & (children.birth_month <= youngest)
            row = run.cascade.query("year == @year and service == @service and stage == 'in_need'").iloc[0]
            # a course that has ended is no need any more: that takes some away where the course is short
            assert row["children"] == there.sum(), (service, year)
            assert row["households"] == len(np.unique(children.household[there]))


@pytest.mark.parametrize("dose", ["any-contact", "adequate"])
def test_taken_up_and_in_time_are_counts_of_different_children(monkeypatch: pytest.MonkeyPatch, dose: str) -> None:
    """Counted once more beside the model: children in need who took the service up, each once a year.

    Where only an adequate dose counts, in time are those whose deliveries of the service have reached it.
    """
    hand, took, in_time = delivery.hand_to_children, {}, {}  # type: ignore[var-annotated]

    def watch(world: World, service_row: int, service, programme_row: int, *more):  # type: ignore[no-untyped-def]
        rows = world.children.window(world.month, service.from_age, service.to_age)
        children_in_need = targeting.child_need(world, service, rows)  # as it is before anything is handed over
        served, takers = hand(world, service_row, service, programme_row, *more)
        takes = rows.start + takers
        if not world.burn_in and len(takes):
            need = children_in_need
            right = takes if need is None else takes[need[takes - rows.start]]
            young = right[world.month - world.children.birth_month[right] <= FIRST_1000_DAYS]
            took.setdefault((service.id, world.month // 12), set()).update(right.tolist())
            if dose == "adequate" and service.adequate is not None:
                young = young[world.book.taken[service_row][young] >= service.adequate.doses]
            in_time.setdefault((service.id, world.month // 12), set()).update(young.tolist())
        return served, takers

    monkeypatch.setattr(turns, "ON", False)  # programmes one by one, with the same bits
    monkeypatch.setattr(delivery, "hand_to_children", watch)
    model = live(share=0.01, end="2019-12", set={"delivery.package_dose": dose})
    table = finished(model).cascade.set_index(["service", "year", "stage"])["children"]
    assert len(took) > 20
    for (service, year), rows in took.items():
        assert table[service, year, "taken_up"] == len(rows), (service, year)
        assert table[service, year, "in_time"] == len(in_time[service, year]), (service, year)


def test_z_is_gained_only_by_services_that_act_on_growth(run: Run, lebak: ConvergenceModel) -> None:
    gained = run.cascade[run.cascade["stage"] == "z_gained"].groupby("service")["children"].sum()
    for service in lebak.world.services:
        if service.effect.value == 0:
            assert gained[service.id] == 0, service.id
    assert gained[["pmba", "pmt-child", "ttd-bumil"]].min() > 0


def test_households_that_took_works_up_pass_it_to_their_children(run: Run) -> None:
    table = run.cascade[run.cascade["service"] == "wash-latrine"].groupby("stage")["households"].sum()
    assert table["in_need"] > table["listed"] > table["delivered"] >= table["taken_up"] > 0


def test_the_burn_in_is_not_counted() -> None:
    model = ConvergenceModel(rng=1, population_share=0.01, end="2018-01")
    assert model.world.tally.stage.max() == 0
    assert model.world.tally.targeted.sum() == 0
    assert model.recorder.tables("series")["series"].empty


def test_a_tally_forgets_last_year() -> None:
    tally = Tally(1, 1, 4)
    tally.children_in_need(0, slice(0, 4), np.array([True, False, True, False]))
    assert tally.stage[0].tolist() == [1, 0, 1, 0]
    tally.new_year()
    assert tally.stage.max() == 0


def test_children_in_are_children_out_and_alive() -> None:
    """From month to month: who was there, plus who was born or conceived, minus who turned five."""
    model = ConvergenceModel(rng=1, population_share=0.02, end="2019-12")
    children, before = model.world.children, None
    while model.running:
        model.step()
        month = model.world.month - 1
        alive = children.window(month, 0, LAST_AGE)
        born, turned_five = children.window(month, 0, 0), children.window(month, LAST_AGE + 1, LAST_AGE + 1)
        series = model.recorder.tables("series")["series"]
        counted = series.loc[series["group"] == "all", "n_children"].iloc[-1]
        assert counted == alive.stop - alive.start
        if before is not None:
            assert counted == before + (born.stop - born.start) - (turned_five.stop - turned_five.start)
        before = counted
        carried = children.window(month, -PREGNANCY_MONTHS, -1)
        assert carried.stop > carried.start
