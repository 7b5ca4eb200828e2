"""Money as a lever: events of a policy, what they do to budgets, and what nobody may do."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ledger, live

from konvergensi.base.errors import InputError
from konvergensi.base.months import parse_month
from konvergensi.inputs.acting import acting_years
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.institutions import institutions
from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.model.convergence import ConvergenceModel

SPAN = {"share": 0.01, "start": "2018-01", "end": "2020-12"}
ADD = """[[budget.add]]
from = "2019-01"
until = "2019-12"
agency = "dinkes"
service = "pmba"
source = "apbd"
amount = 5_000_000_000
"""


def policy(folder: Path, text: str, name: str = "money") -> str:
    file = folder / f"{name}.toml"
    file.write_text(f'title = "t"\nquestion = "q"\n{text}', encoding="utf-8")
    return str(file)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as error:
        resolve(load_scenario(policy(folder, text)), find_district("lebak"), None, 24216, 24300)
    assert len(error.value.faults) == 1
    return str(error.value)


@pytest.fixture(scope="module")
def base() -> ConvergenceModel:
    return live(**SPAN)


def december(model: ConvergenceModel, column: str, year: int) -> pd.Series:
    return ledger(model, column).loc[year * 12 + 11]


# ---- what is written -----------------------------------------------------------------------------


def test_an_event_becomes_a_dated_change_that_ends_in_the_january_after(tmp_path: Path) -> None:
    found = load_scenario(policy(tmp_path, ADD)).changes
    assert [(each.month, each.key, each.value) for each in found] == [
        (parse_month("2019-01"), "programmes.dinkes:pmba:apbd.add_rp", 5e9),
        (parse_month("2020-01"), "programmes.dinkes:pmba:apbd.add_rp", 0.0),
    ]


def test_events_on_the_same_line_add_up_in_one_policy_in_its_parent_and_in_a_combination(tmp_path: Path) -> None:
    later = ADD.replace('"2019-01"', '"2019-07"').replace("2019-12", "2020-12").replace("5_000", "1_000")
    whole = [(24228, 5e9), (24234, 6e9), (24240, 1e9), (24252, 0.0)]
    one, other = policy(tmp_path, ADD, "one"), policy(tmp_path, later, "other")
    for name in (
        policy(tmp_path, ADD + later, "both"),
        policy(tmp_path, 'extends = "one.toml"\n' + later, "child"),
        f"{one}+{other}",
    ):
        assert [(each.month, each.value) for each in load_scenario(name).changes] == whole


def test_a_cut_names_all_sources_some_or_one_line(tmp_path: Path) -> None:
    def keys(text: str) -> list[str]:
        cut = f'[[budget.cut]]\nfrom = "2019-01"\nshare = 0.2\n{text}'
        return [each.key for each in load_scenario(policy(tmp_path, cut)).changes]

    every = ["apbn", "dak", "apbd", "dana_desa", "csr"]
    assert keys("") == keys('source = "all"') == [f"budget.{source}_cut_share" for source in every]
    assert keys('source = ["apbd", "dana-desa"]') == ["budget.apbd_cut_share", "budget.dana_desa_cut_share"]
    line = 'agency = "dinkes"\nservice = "pmba"\nsource = "dak"'
    assert keys(line) == ["programmes.dinkes:pmba:dak.cut_share"]


@pytest.mark.parametrize(("now", "month"), [("2026-11", "2027-01"), ("2026-01", "2027-01"), ("2026-12", "2027-01")])
@pytest.mark.parametrize("written", ["next January", "Januari depan"])
def test_a_relative_month_is_the_next_one_and_part_of_the_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, now: str, month: str
) -> None:
    monkeypatch.setenv("KONVERGENSI_MONTH", now)
    name = policy(tmp_path, ADD.replace("2019-01", written).replace('until = "2019-12"\n', ""))
    found = load_scenario(name)
    assert [each.month for each in found.changes] == [parse_month(month)]
    monkeypatch.setenv("KONVERGENSI_MONTH", "2030-05")
    assert load_scenario(name).hashes != found.hashes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2019-12", "2019-06", "such as 2019-12"),
        ('"pmba"', '"mms"', "no budget line 'dinkes:mms:apbd'"),
        ('"pmba"', '"pmbaa"', "did you mean dinkes:pmba:apbd"),
        ('"apbd"', '"dana-desa"', "no budget line 'dinkes:pmba:dana-desa'"),
        ("5_000_000_000", "-1", "outside"),
        ("amount", "amout", "amount"),
        ("2019-01", "next Foo", "is not a month"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        name = policy(tmp_path, ADD.replace(old, new))
        resolve(load_scenario(name), find_district("lebak"), None, 24216, 24300)
    assert said in str(error.value)


def test_a_source_pays_only_what_it_may(tmp_path: Path) -> None:
    text = ADD.replace("dinkes", "dpmd").replace("pmba", "vitamin-a").replace("apbd", "dana-desa")
    assert "may not pay for vitamin-a" in refused(tmp_path, text)


def test_pkh_is_not_the_districts_to_cut(tmp_path: Path) -> None:
    line = '[[budget.cut]]\nfrom = "2019-01"\nshare = 0.2\nagency = "dinsos"\nservice = "pkh"\nsource = "apbn"'
    assert "pkh" in refused(tmp_path, line)
    assert "write agency, service and one source" in refused(tmp_path, line.replace('agency = "dinsos"\n', ""))


def test_an_event_and_a_change_of_the_same_key_are_refused(tmp_path: Path) -> None:
    change = 'change = [{ from = "2019-01", set = { "programmes.dinkes:pmba:apbd.add_rp" = 1.0 } }]\n'
    assert "use one of them" in refused(tmp_path, change + ADD)


def test_every_rule_of_institutions_has_its_range_around_its_value() -> None:
    rules = institutions()
    for each in rules.source.values():
        for limit in (each.room_share, each.growth_times, each.new_line_share, each.lead_months):
            assert limit.low <= limit.value <= limit.high
    assert rules.kept_share("pkh") == 1.0
    assert rules.kept_share("pmba") == 0.0


def test_a_policy_acts_in_the_years_in_which_it_differs(tmp_path: Path) -> None:
    place, span = find_district("lebak"), (parse_month("2018-01"), parse_month("2022-12"))
    first, money, cut = (
        resolve(load_scenario(name), place, None, *span)
        for name in ("baseline", policy(tmp_path, ADD), policy(tmp_path, ADD.replace('until = "2019-12"\n', ""), "on"))
    )
    assert acting_years(first, first, *span) == []
    assert acting_years(first, money, *span) == [2019]
    assert acting_years(first, cut, *span) == [2019, 2020, 2021, 2022]


# ---- what it does --------------------------------------------------------------------------------


def test_rupiah_added_are_in_the_budget_of_their_year_and_of_no_other(base: ConvergenceModel, tmp_path: Path) -> None:
    model, line = live(policy(tmp_path, ADD), **SPAN), "dinkes:pmba:apbd"
    more = ledger(model, "budgeted") - ledger(base, "budgeted")
    assert more.loc[: parse_month("2018-12")].abs().max().max() == 0.0
    january = more.loc[parse_month("2019-01")]
    assert january[line] == pytest.approx(5e9 * model.world.population_share)
    assert january.drop(line).abs().max() == 0.0
    assert more.loc[parse_month("2020-01")][line] <= 1.0  # inertia copies nothing; agencies asked for less meanwhile


@pytest.mark.parametrize("service", ["pmba", "pmt-child", "breastfeeding"])
def test_more_money_never_lowers_what_its_line_spends_and_delivers(
    base: ConvergenceModel, tmp_path: Path, service: str
) -> None:
    line, before = f"dinkes:{service}:apbd", -1.0
    for amount in ("500_000_000", "5_000_000_000", "50_000_000_000"):
        model = live(policy(tmp_path, ADD.replace("pmba", service).replace("5_000_000_000", amount)), **SPAN)
        spent, units = (december(model, column, 2019)[line] for column in ("spent", "units"))
        assert spent >= max(before, december(base, "spent", 2019)[line])
        assert units >= december(base, "units", 2019)[line]
        before = spent


def test_a_cut_takes_its_share_of_the_year_and_nothing_where_a_floor_holds(
    base: ConvergenceModel, tmp_path: Path
) -> None:
    model = live(policy(tmp_path, '[[budget.cut]]\nfrom = "2019-01"\nuntil = "2019-12"\nshare = 0.2\n'), **SPAN)
    before, after = (december(each, "budgeted", 2019) for each in (base, model))
    floors = [name for name in before.index if name.split(":")[1] in ("pkh", "bpnt")]
    assert len(floors) == 2
    np.testing.assert_allclose(after[floors], before[floors])
    amended = before.index.str.endswith(":apbd")  # the amended budget lets other proposals in
    np.testing.assert_allclose(after.drop(floors)[~amended[~before.index.isin(floors)]],
                               0.8 * before.drop(floors)[~amended[~before.index.isin(floors)]])  # fmt: skip
    spent = [december(each, "spent", 2019).sum() for each in (base, model)]
    assert spent[1] < spent[0]
    assert model.prevalence() >= base.prevalence() - 0.002  # a cut gains nothing beyond chance


def test_from_the_middle_of_the_year_a_cut_leaves_what_has_been_released(
    base: ConvergenceModel, tmp_path: Path
) -> None:
    text = '[[budget.cut]]\nfrom = "2019-11"\nuntil = "2019-12"\nshare = 1.0\nsource = "dak"\n'
    model = live(policy(tmp_path, text), **SPAN)
    october, at = ledger(base, "released").loc[parse_month("2019-10")], december(model, "budgeted", 2019)
    dak = [name for name in at.index if name.endswith(":dak")]
    np.testing.assert_allclose(at[dak], october[dak])


def test_a_line_that_pays_for_all_costs_what_the_need_costs(base: ConvergenceModel, tmp_path: Path) -> None:
    fund = ADD.replace("budget.add", "budget.fund").replace("amount = 5_000_000_000", "share = 0.5")
    half, whole = (
        december(live(policy(tmp_path, text), **SPAN), "budgeted", 2019)["dinkes:pmba:apbd"]
        for text in (fund, fund.replace("0.5", "1.0"))
    )
    assert whole == pytest.approx(2.0 * half, rel=0.02)
    stated = {each.id: each.funded_share for each in find_district("lebak").programmes}["dinkes:pmba:apbd"]
    first = ledger(base, "budgeted").loc[parse_month("2018-01")]["dinkes:pmba:apbd"]
    assert half / 0.5 == pytest.approx(first / stated, rel=0.02)


def test_no_rupiah_appears_or_is_lost_along_the_chain_under_events_of_money(tmp_path: Path) -> None:
    cut = '[[budget.cut]]\nfrom = "2019-05"\nshare = 0.3\nsource = ["apbd", "dak"]\n'
    model = live(policy(tmp_path, ADD + cut), **SPAN)
    columns = [ledger(model, stage).to_numpy() for stage in ("planned", "budgeted", "released", "spent")]
    for more, less in itertools.pairwise(columns):
        assert (more >= less * (1 - 1e-6) - 1e-6).all()
    services = ledger(model, "units") * ledger(model, "unit_cost")
    np.testing.assert_allclose(ledger(model, "spent"), services + ledger(model, "overhead"), rtol=1e-6, atol=1.0)


def test_a_policy_that_adds_nothing_changes_no_bit(base: ConvergenceModel, tmp_path: Path) -> None:
    model = live(policy(tmp_path, ADD.replace("5_000_000_000", "0")), **SPAN)
    assert np.array_equal(model.world.children.z, base.world.children.z)
    pd.testing.assert_frame_equal(ledger(model, "budgeted"), ledger(base, "budgeted"), check_exact=True)
