import itertools

import pytest
from conftest import forced, ledger, simulated
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.base.months import month_of, parse_month
from konvergensi.inputs.parameters import Settings
from konvergensi.mechanisms import calendar
from konvergensi.world.programmes import SOURCES

SETTINGS = Settings.defaults()
BEFORE, REFORM = parse_month("2024-12"), parse_month("2025-01")
month_of_year = st.integers(1, 12)


def with_months(**months: int) -> Settings:
    return forced(SETTINGS, {f"calendar.{name}": month for name, month in months.items()})


def test_the_reform_of_2025_takes_over_in_its_january() -> None:
    assert calendar.regime(SETTINGS, BEFORE) == "eight-aksi"
    assert calendar.regime(SETTINGS, REFORM) == "reform-2025"


@pytest.mark.parametrize("regime", ["eight-aksi", "reform-2025"])
def test_a_regime_can_be_kept_or_brought_forward_by_choice(regime: str) -> None:
    chosen = forced(SETTINGS, {"calendar.regime": regime})
    assert {calendar.regime(chosen, month) for month in (BEFORE, REFORM)} == {regime}


def test_both_regimes_have_the_same_steps() -> None:
    assert calendar.action_months(SETTINGS, BEFORE).keys() == calendar.action_months(SETTINGS, REFORM).keys()


@given(month_of_year, month_of_year)
def test_the_plan_binds_once_it_is_made_and_agreed(plan: int, agreed: int) -> None:
    settings = with_months(aksi_2_month=plan, aksi_3_month=agreed)
    assert calendar.action_months(settings, BEFORE)["plan"] == max(plan, agreed)


@given(st.integers(parse_month("2018-01"), parse_month("2030-12")))
def test_every_action_is_due_once_a_year_and_in_its_month(january: int) -> None:
    january -= month_of(january) - 1
    due = list(itertools.chain.from_iterable(calendar.due(SETTINGS, month) for month in range(january, january + 12)))
    assert sorted(due) == sorted(calendar.action_months(SETTINGS, january))


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_has_a_door_with_a_month_of_its_own(source: str) -> None:
    key = calendar.DOOR_OF_SOURCE[source]
    for month in (1, 12):
        assert calendar.door(forced(SETTINGS, {key: month}), source) == month


@given(month_of_year, st.integers(7, 11))
def test_lines_are_cut_at_the_ceiling_but_never_before_their_door(door: int, ceiling: int) -> None:
    settings = with_months(musrenbang_month=door, ceiling_month=ceiling)
    assert calendar.cut_month(settings, "apbd") == max(door, ceiling)


# ---- every month is a lever: moving it moves what it stands for ----------------------------------

LINKED = {"registers.linkage": True, "registers.sharing_share": 1.0}
VILLAGES = {"budget.dana_desa_min_share": 0.2}
# key, month, and what else must be switched on for the action to have work to do
LEVERS = [
    ("aksi_1_month", 6, {}),
    ("aksi_2_month", 8, {}),
    ("aksi_3_month", 8, {}),
    ("aksi_4_month", 9, VILLAGES),
    ("aksi_6_month", 2, LINKED),
    ("musrenbang_month", 6, {}),
    ("dak_month", 2, {}),
    ("apbn_month", 2, {}),
    ("musdes_month", 2, {}),
    ("csr_month", 2, {}),
    ("ceiling_month", 11, {}),
    ("apbdp_month", 11, {"budget.apbdp_flexibility": 1.0, "budget.apbd_room_share": 0.5}),
]


@pytest.fixture(scope="module")
def usual() -> dict[str, tuple[list, list]]:
    return {}


def trace(changes: dict) -> tuple[list, list]:
    """Budgets and services of every programme by month, 2018 to 2020."""
    model = simulated(share=0.01, end="2020-12", set=changes)
    return ledger(model, "budgeted").to_numpy().tolist(), ledger(model, "units").to_numpy().tolist()


@pytest.mark.parametrize(("lever", "month", "with_"), LEVERS)
def test_moving_a_door_or_an_action_moves_money_or_services(
    usual: dict[str, tuple[list, list]], lever: str, month: int, with_: dict
) -> None:
    name = repr(with_)
    if name not in usual:
        usual[name] = trace(with_)
    assert trace(with_ | {f"calendar.{lever}": month}) != usual[name]


WELL_DONE = {"actions.paper_loss_share": 0.0}  # no action is on paper only


def test_moving_the_coaching_of_villages_moves_when_they_hold_lists() -> None:
    def first(month: int) -> int:
        model = simulated("one-list", share=0.005, end="2018-01", set=WELL_DONE | {"calendar.aksi_5_month": month})
        return int(model.world.has_by_name_list.sum())

    assert first(1) == 345  # in January at once
    assert first(6) < 345


def test_moving_the_measurement_of_august_moves_its_publication() -> None:
    published = []
    for month in (8, 12):
        model = simulated(share=0.005, end="2018-08", set=WELL_DONE | {"calendar.aksi_7_month": month})
        published.append(model.recorder.tables()["surveys"].query("fieldwork == '2018-08'")["published"].max())
    assert published == ["2018-10", "2018-12"]


@pytest.mark.parametrize(("lever", "month"), [("reform_analysis_month", 6), ("reform_plan_month", 9)])
def test_the_months_of_the_reform_are_levers_from_2025_on(lever: str, month: int) -> None:
    def trace(changes: dict) -> list:
        model = simulated(share=0.01, start="2025-01", end="2026-12", set=changes)
        return ledger(model, "budgeted").to_numpy().tolist()

    assert trace({f"calendar.{lever}": month}) != trace({})


@pytest.mark.parametrize(("lever", "regime"), [("aksi_8_month", "eight-aksi"), ("reform_review_month", "reform-2025")])
def test_moving_the_review_past_a_door_moves_money(lever: str, regime: str) -> None:
    chosen = {"calendar.regime": regime}
    assert trace(chosen | {f"calendar.{lever}": 11}) != trace(chosen)
