import itertools

import numpy as np
import pandas as pd
import pytest
from conftest import finished, live, simulated, values

from konvergensi.base.months import format_month
from konvergensi.inputs.services import Service, load_services
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe import series
from konvergensi.observe.recorder import COLUMNS
from konvergensi.observe.together import convergence, indicators_of
from konvergensi.results.run import Run
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.package import Package, due_from
from konvergensi.world.state import World

SERVICES = list(load_services().values())
IN_PACKAGE = [(s, service) for s, service in enumerate(SERVICES) if service.package]
BANDS = [f"age_{first}_{last}" for first, last in series.AGE_BANDS]


@pytest.fixture(scope="module")
def small() -> World:
    """A world of one small district as it stands at the end of its last month."""
    model = live(share=0.01, end="2019-03")
    model.world.month -= 1
    return model.world


# ---- prevalence by group -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "groups", [["lokus", "non_lokus"], [f"wealth_{fifth}" for fifth in range(1, 6)], BANDS], ids=lambda x: x[0]
)
def test_groups_sum_to_all_in_every_month(run: Run, groups: list[str]) -> None:
    wide = {
        column: run.series.pivot(index="month", columns="group", values=column)
        for column in ("n_children", "prevalence", "mean_laz")
    }
    n = wide["n_children"]
    assert (n[groups].sum(axis=1) == n["all"]).all()
    for column in ("prevalence", "mean_laz"):
        total = (wide[column][groups] * n[groups]).sum(axis=1)
        assert total.to_numpy() == pytest.approx((wide[column]["all"] * n["all"]).to_numpy(), rel=1e-4, abs=0.01)


def test_the_series_are_the_columns_counted_by_hand(small: World) -> None:
    rows = {
        row[1]: dict(zip(COLUMNS["series"], row, strict=True)) for row in series.prevalence_rows(*series.groups(small))
    }
    window = small.children.window(small.month, 0, LAST_AGE)
    z = small.children.z[window].astype(np.float64)
    home, village = small.children.household[window], small.children.village[window]
    masks = {"all": np.ones(len(z), bool), "lokus": small.lokus[village], "non_lokus": ~small.lokus[village]}
    ages = small.children.ages(small.month, window)
    for first, last in series.AGE_BANDS:
        masks[f"age_{first}_{last}"] = (ages >= first) & (ages <= last)
    for group, mask in masks.items():
        assert rows[group]["n_children"] == mask.sum()
        assert rows[group]["prevalence"] == pytest.approx((z[mask] < -2).mean())
        assert rows[group]["mean_laz"] == pytest.approx(z[mask].mean(), abs=1e-4)
        assert rows[group]["sd_laz"] == pytest.approx(z[mask].std(), abs=1e-3)
    assert len(home) == rows["all"]["n_children"]


def test_prevalence_is_a_share_and_the_poor_have_more_of_it(run: Run) -> None:
    assert run.series["prevalence"].dropna().between(0, 1).all()
    by_group = run.series.groupby("group")["prevalence"].mean()
    assert by_group["wealth_1"] > by_group["wealth_5"]
    assert by_group["age_24_35"] > by_group["age_0_5"]


def test_every_month_has_every_group_once(run: Run) -> None:
    expected = {"all", "lokus", "non_lokus", *BANDS, *(f"wealth_{fifth}" for fifth in range(1, 6))}
    groups = run.series.groupby("month")["group"]
    assert (groups.nunique() == len(expected)).all()
    assert (groups.size() == len(expected)).all()
    assert set(run.series["group"]) == expected
    assert run.series["month"].nunique() == 84


# ---- services at the same household --------------------------------------------------------------


def youngest(world: World) -> dict[int, int]:
    """Household -> row of its youngest pregnancy or child under two, found one by one."""
    window = world.children.window(world.month, -PREGNANCY_MONTHS, FIRST_1000_DAYS)
    found: dict[int, int] = {}
    for row in range(window.start, window.stop):  # in order of birth, so the last one stays
        found[int(world.children.household[row])] = row
    return found


def has(world: World, row: int, service_row: int) -> bool:
    """Whether the child has taken up a service of the package inside its 1,000 days."""
    if SERVICES[service_row].acts_on == "nik" and world.registers.nik_month[row] <= world.month:
        return True
    return bool(world.children.got[row] & world.package.bit_of[service_row])


def last_age_for(service: Service) -> int:
    """The age by whose end an adequate dose is due; without a dose of its own, any contact from the age it is due."""
    return service.adequate.by_age if service.adequate else due_from(service) - 1


def has_enough(world: World, row: int, service_row: int) -> bool:
    """Whether the child has taken up an adequate dose."""
    adequate = SERVICES[service_row].adequate
    if SERVICES[service_row].acts_on == "nik" and world.registers.nik_month[row] <= world.month:
        return True
    taken = world.book.taken[service_row]
    return bool(len(taken)) and bool(taken[row] >= (adequate.doses if adequate else 1))


def test_households_of_the_1000_days_are_counted_once_each(small: World) -> None:
    counted = indicators_of(convergence(small, small.package)[0])
    assert counted["households_1000hpk"] == len(youngest(small))


def test_services_per_household_are_those_counted_by_hand(small: World) -> None:
    had, complete, window = convergence(small, small.package)
    found = indicators_of(had)
    number, whole, enough, due_somewhere = [], [], [], 0
    for row in youngest(small).values():
        age = small.month - int(small.children.birth_month[row])
        due = [s for s, service in IN_PACKAGE if age >= due_from(service)]
        number.append(sum(has(small, row, s) for s, _ in IN_PACKAGE))
        if due:
            due_somewhere += 1
            whole.append(all(has(small, row, s) for s in due))
        if over := [s for s, service in IN_PACKAGE if age > last_age_for(service)]:
            enough.append(all(has_enough(small, row, s) for s in over))
            assert complete[row - window.start] == enough[-1]
    assert found["services_mean"] == pytest.approx(np.mean(number))
    assert found["any_contact_package_share"] == pytest.approx(np.mean(whole))
    assert found["complete_package_share"] == pytest.approx(np.mean(enough))
    assert len(enough) > 100 and found["complete_package_share"] < found["any_contact_package_share"]
    for k in range(len(IN_PACKAGE) + 1):
        assert found[f"services_{k}"] == pytest.approx(np.mean(np.array(number) == k))
    assert due_somewhere > 100


def test_the_distribution_of_services_sums_to_one_and_has_its_mean(run: Run) -> None:
    wide = run.indicators.pivot(index="month", columns="indicator", values="value")
    parts = [f"services_{k}" for k in range(len(IN_PACKAGE) + 1)]
    assert wide[parts].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert (wide[parts] @ np.arange(len(parts))).to_numpy() == pytest.approx(wide["services_mean"].to_numpy())
    assert wide["complete_package_share"].between(0, 1).all()


def give(world: World, shares: dict[int, float], kind: str) -> float:
    """Variance ratio after services were handed out: independently, all to the same, or each to other households."""
    rng = np.random.default_rng(3)
    window = world.children.window(world.month, -PREGNANCY_MONTHS, FIRST_1000_DAYS)
    n = window.stop - window.start
    world.children.got[window] = 0
    world.registers.nik_month[window] = 1_000_000
    draw = rng.random(n)
    for k, (s, share) in enumerate(shares.items()):
        if kind == "apart":  # each household at most one service
            taken = (draw >= k * share) & (draw < (k + 1) * share)
        else:
            taken = (rng.random(n) if kind == "independent" else draw) < share
        world.children.got[window] |= np.where(taken, world.package.bit_of[s], 0).astype(world.children.got.dtype)
    return indicators_of(convergence(world, world.package)[0])["services_variance_ratio"]


def test_the_variance_ratio_is_one_for_independent_services_more_for_nested_and_less_for_scattered() -> None:
    model = live(share=0.1, end="2018-01")
    model.world.month -= 1
    shares = {s: 0.1 for s, _ in IN_PACKAGE}
    assert give(model.world, shares, "independent") == pytest.approx(1.0, abs=0.05)
    assert give(model.world, shares, "same") > 2.0
    assert give(model.world, shares, "apart") < 0.95


def test_the_package_is_due_from_three_months_into_each_services_window() -> None:
    package = Package(SERVICES)
    for age in range(-PREGNANCY_MONTHS, LAST_AGE + 1):
        due = {s for s, _ in IN_PACKAGE if package.due[age + PREGNANCY_MONTHS] & package.bit_of[s]}
        assert due == {s for s, service in IN_PACKAGE if age >= due_from(service)}


def test_what_is_due_could_have_been_given_by_then() -> None:
    """No service is due at an age by which some children have not yet been alive in one of its delivery months."""
    for _, service in IN_PACKAGE:
        due_at = due_from(service)
        for conceived in range(12):
            simulated = [(conceived + PREGNANCY_MONTHS + age) % 12 + 1 for age in range(service.from_age, due_at + 1)]
            assert set(simulated) & set(service.months), service.id


def test_too_many_services_in_the_package_are_refused() -> None:
    too_many = [IN_PACKAGE[0][1].model_copy(update={"id": f"x-{i}"}) for i in range(17)]
    with pytest.raises(ValueError, match="17 services in the package"):
        Package(too_many)


# ---- villages and indicators ---------------------------------------------------------------------


def test_villages_sum_to_the_district(run: Run) -> None:
    for year, table in run.villages.groupby("year"):
        assert len(table) == 345
        whole = run.series[(run.series["month"] == f"{year}-12") & (run.series["group"] == "all")].iloc[0]
        assert table["n_children"].sum() == whole["n_children"]
        stunted = (table["n_children"] * table["prevalence"].fillna(0)).sum()
        assert stunted == pytest.approx(whole["n_children"] * whole["prevalence"], rel=1e-6)
    assert run.villages["lokus"].sum() == 7 * 10
    assert run.villages["complete_package_share"].dropna().between(0, 1).all()


def test_indicators_count_what_they_say(lebak: ConvergenceModel, run: Run) -> None:
    world, month = lebak.world, lebak.world.month - 1
    when = format_month(month)
    for name, ages in (("under_fives", (0, 59)), ("births", (0, 0)), ("pregnant_women", (-9, -1))):
        rows = world.children.window(month, *ages)
        assert values(run, name)[when] == rows.stop - rows.start
    assert values(run, "krs_families")[when] == world.households.in_krs.sum()
    assert values(run, "low_birth_weight_share").mean() == pytest.approx(0.062, abs=0.02)


def test_a_part_of_a_year_closes_its_tables_too() -> None:
    run = finished(simulated(share=0.01, start="2019-05", end="2020-03"))
    for table in (run.cascade, run.money, run.villages, run.targeting):
        assert table["year"].unique().tolist() == [2019, 2020]
    months = list(
        itertools.chain.from_iterable([[f"2019-{m:02d}" for m in range(5, 13)], ["2020-01", "2020-02", "2020-03"]])
    )
    assert run.series["month"].unique().tolist() == months


def test_no_table_holds_a_row_twice(run: Run) -> None:
    keys = {
        "series": ["month", "group"],
        "indicators": ["month", "indicator"],
        "surveys": ["fieldwork", "system", "area"],
        "cascade": ["year", "service", "stage"],
        "money": ["year", "programme"],
        "targeting": ["year", "programme"],
        "agencies": ["month", "agency"],
        "villages": ["year", "village"],
    }
    for name, key in keys.items():
        table: pd.DataFrame = run.tables()[name]
        assert not table.duplicated(key).any(), name
