from pathlib import Path

import numpy as np
import pytest
from conftest import SMALL, copy_of_lebak, finished, forced, live, simulated, values
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.inputs.parameters import Settings
from konvergensi.mechanisms import registers
from konvergensi.mechanisms import settings as settings_rules
from konvergensi.mechanisms.contacts import BY_THEMSELVES
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.results.run import Run
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.draws import Draws, entity_keys
from konvergensi.world.registers import NEVER
from konvergensi.world.state import World

DINKES_PMBA = "dinkes:pmba:dak"


@pytest.fixture(scope="module")
def one_list_run(one_list: ConvergenceModel) -> Run:
    return finished(one_list)


def world_of(month: str = "2018-08", **options: object) -> World:
    """A world as it stands after the month, to try one register on."""
    model = live(share=0.02, start=month, end=month, **options)  # type: ignore[arg-type]
    model.world.month -= 1
    return model.world


@pytest.fixture
def world() -> World:
    return world_of()


def present(world: World) -> slice:
    return world.children.window(world.month, -PREGNANCY_MONTHS, LAST_AGE)


def targeting(run: Run, programme: str, column: str, years: range = range(2022, 2025)) -> float:
    """Mean over years in which lists have settled."""
    table = run.targeting
    return float(table[(table["programme"] == programme) & table["year"].isin(years)][column].mean())


# ---- coverage at its limits ----------------------------------------------------------------------


def test_a_census_that_reaches_nobody_knows_no_family_and_one_that_reaches_all_knows_all_at_risk(
    world: World,
) -> None:
    at_risk = registers.risks(world.households) >= 1
    for coverage, expected in ((0.0, np.zeros_like(at_risk)), (1.0, at_risk)):
        rules = forced(world.settings, {"registers.krs_coverage_share": coverage, "registers.krs_misread_share": 0.0})
        registers.refresh_krs(world.households, world.registers, rules, world.draws)
        assert (world.households.in_krs == expected).all()
    assert (world.registers.krs_poor == world.households.poor).all()


def test_a_census_that_misreads_everything_lists_exactly_the_wrong_families(world: World) -> None:
    rules = forced(world.settings, {"registers.krs_coverage_share": 1.0, "registers.krs_misread_share": 1.0})
    registers.refresh_krs(world.households, world.registers, rules, world.draws)
    assert (world.households.in_krs == (registers.risks(world.households) < 1)).all()


def test_stricter_verification_lists_fewer_families(world: World) -> None:
    counts = []
    for least in (1, 2, 3):
        rules = forced(world.settings, {"registers.krs_min_risks": least})
        registers.refresh_krs(world.households, world.registers, rules, world.draws)
        counts.append(int(world.households.in_krs.sum()))
    assert counts[0] > counts[1] > counts[2] > 0


def test_dtks_without_exclusion_holds_every_poor_household(world: World) -> None:
    rules = forced(world.settings, {"registers.dtks_exclusion_share": 0.0, "registers.poor_line_share": 0.4})
    registers.refresh_dtks(world.households, rules, world.draws, world.month, 0.4, everyone=True)
    assert (world.households.in_dtks == world.households.poor).all()
    rules = forced(world.settings, {"registers.dtks_exclusion_share": 1.0})
    registers.refresh_dtks(world.households, rules, world.draws, world.month, 0.4, everyone=True)
    assert not world.households.in_dtks[world.households.poor].any()


def test_an_entry_that_is_not_looked_at_again_goes_stale(world: World) -> None:
    before = world.households.in_dtks.copy()
    never = forced(world.settings, {"registers.dtks_reassess_share": 0.0})
    registers.refresh_dtks(world.households, never, world.draws, world.month, 0.4, everyone=False)
    assert (world.households.in_dtks == before).all()
    always = forced(world.settings, {"registers.dtks_reassess_share": 1.0})
    registers.refresh_dtks(world.households, always, world.draws, world.month, 0.4, everyone=False)
    assert (world.households.in_dtks != before).any()


@pytest.mark.parametrize(
    ("key", "column", "known_at_one"),
    [("registers.cohort_known_share", "cohort_month", True), ("registers.kek_sensitivity_share", "recorded_kek", True)],
)
def test_what_midwives_find_goes_from_nobody_to_everybody(
    world: World, key: str, column: str, known_at_one: bool
) -> None:
    children, rows = world.children, present(world)
    for share in (0.0, 1.0):
        rules = forced(world.settings, {key: share, "registers.kek_false_share": 0.0})
        known, _, recorded = registers.expected(children, world.households, rules, world.draws, 0.88, rows)
        if column == "cohort_month":
            assert ((known < NEVER) == (share == 1.0)).all()
        else:
            assert (recorded == (children.kek[rows] & (share == 1.0))).all()


@pytest.mark.parametrize("nik_share", [0.0, 1.0])
def test_nik_goes_from_nobody_to_everybody(world: World, nik_share: float) -> None:
    rows = present(world)
    _, nik_month, _ = registers.expected(world.children, world.households, world.settings, world.draws, nik_share, rows)
    ever = nik_month < NEVER
    assert (ever == (nik_share == 1.0)).all()
    assert (nik_month >= world.children.birth_month[rows]).all()


def test_remote_pregnancies_become_known_later(lebak: ConvergenceModel) -> None:
    world = lebak.world
    rows = present(world)
    known = world.registers.cohort_month[rows] < NEVER
    wait = (world.registers.cohort_month[rows] - world.children.birth_month[rows])[known]
    access = world.households.access[world.children.household[rows]][known]
    assert wait[access < 0.4].mean() > wait[access > 0.8].mean()


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_an_own_list_holds_its_share_of_those_in_need_and_of_others(right: float, wrong: float) -> None:
    n = 20_000
    draw = (Draws(5).bits("own", 0, entity_keys("x", np.arange(n))) >> np.uint32(16)).astype(np.uint16)
    need = np.arange(n) % 2 == 0
    rules = forced(Settings.defaults(), {"registers.own_list_share": right, "registers.own_list_false_share": wrong})
    listed = registers.own_list(need, draw, rules)
    assert listed[need].mean() == pytest.approx(right, abs=0.02)
    assert listed[~need].mean() == pytest.approx(wrong, abs=0.02)


# ---- staleness -----------------------------------------------------------------------------------


def weigh(world: World, child: int, z: float, month: int) -> None:
    """Enter one child's weighing."""
    one, measured = slice(child, child + 1), np.array([z], np.float32)
    registers.record_weighing(world.registers, one, np.ones(1, bool), measured, world.settings, month)


def test_a_child_weighed_today_waits_for_the_next_list(world: World) -> None:
    registry, rows = world.registers, world.children.window(world.month, 0, 23)
    every = world.settings["registers.eppgbm_list_months"]
    between = next(month for month in range(world.month + 1, world.month + every + 2) if month % every)
    due = next(month for month in range(between, between + every) if month % every == 0)
    known = registers.in_eppgbm(registry, rows, world.settings, between)
    newcomer = np.flatnonzero(~known & ~registry.on_eppgbm[rows])[0] + rows.start
    weigh(world, newcomer, -3.0, between)
    registers.draw_up_lists(world.children, world.households, registry, world.settings, between)
    assert registers.in_eppgbm(registry, rows, world.settings, between)[newcomer - rows.start]
    assert registry.recorded_faltering[newcomer]
    assert not registry.on_eppgbm[newcomer]
    registers.draw_up_lists(world.children, world.households, registry, world.settings, due)
    assert registry.on_eppgbm[newcomer]


def test_an_old_entry_in_eppgbm_does_not_count_any_more(world: World) -> None:
    registry, rows, month = world.registers, present(world), world.month
    active = world.settings["registers.eppgbm_active_months"]
    weigh(world, rows.start + 5, 0.0, month)
    known = [registers.in_eppgbm(registry, rows, world.settings, month + later)[5] for later in (0, active - 1, active)]
    assert known == [True, True, False]


@pytest.mark.parametrize(("register", "column"), [("krs", "on_krs"), ("dtks", "on_dtks")])
def test_a_pregnancy_conceived_after_the_refresh_is_on_no_family_list_until_the_next(
    register: str, column: str
) -> None:
    model = ConvergenceModel(rng=1, population_share=0.05, end="2018-12")
    for _ in range(2):
        model.step()
    world = model.world
    conceived = world.children.window(world.month - 1, -PREGNANCY_MONTHS, -PREGNANCY_MONTHS)
    in_register = getattr(world.households, f"in_{register}")[world.children.household[conceived]]
    assert in_register.any()
    assert not getattr(world.registers, column)[conceived].any()
    for _ in range(11 - 1):
        model.step()
    refreshed = getattr(world.registers, column)[conceived]
    if register == "dtks":  # refreshed in July; those who were on it mostly still are
        assert refreshed[in_register].mean() > 0.7
    else:
        assert not refreshed.any()  # KRS is updated once a year: the next time is January


@pytest.mark.parametrize(
    ("key", "service"),
    [
        ("registers.eppgbm_list_months", "breastfeeding"),
        ("registers.krs_refresh_months", "tpk-visits"),
        ("registers.dtks_refresh_months", "pkh"),
    ],
)
def test_rarer_refreshes_leave_more_of_those_in_need_off_the_list(key: str, service: str) -> None:
    rare, often = {"registers.eppgbm_list_months": (12, 1)}.get(key, (24, 3))
    listed = []
    for months in (rare, often):
        table = finished(simulated(end="2019-12", set={key: months})).cascade
        table = table[table["service"] == service].groupby("stage")["children"].sum()
        listed.append(table["listed"] / table["in_need"])
    assert listed[0] < listed[1]


def test_families_known_are_not_fewer_than_families_listed_at_any_time(lebak: ConvergenceModel) -> None:
    registry, rows = lebak.world.registers, present(lebak.world)
    for name in ("krs", "dtks"):
        known = getattr(registry, f"known_{name}")[rows]
        assert not (getattr(registry, f"on_{name}")[rows] & ~known).any(), name


# ---- linkage -------------------------------------------------------------------------------------


def linked(world: World, miss: float, false: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether each child present is on the joined list, and whether by a false match."""
    rules = forced(
        world.settings,
        {
            "registers.linkage": True,
            "registers.linkage_miss_share": miss,
            "registers.linkage_false_share": false,
        },
    )
    registers.link(world.children, world.households, world.registers, rules, world.draws, world.month)
    rows = present(world)
    return world.registers.on_joined[rows].copy(), world.registers.false_match[rows].copy()


def in_some_register_with_nik(world: World) -> np.ndarray:
    registry, rows = world.registers, present(world)
    somewhere = (
        registers.in_eppgbm(registry, rows, world.settings, world.month)
        | registry.known_krs[rows]
        | registry.known_dtks[rows]
        | (registry.cohort_month[rows] <= world.month)
        | (registry.nik_month[rows] <= world.month)
    )
    return somewhere & world.households.has_nik[world.children.household[rows]]


def test_perfect_linkage_joins_everyone_with_a_nik_in_any_register_and_nobody_else(world: World) -> None:
    joined, false = linked(world, miss=0.0, false=0.0)
    assert (joined == in_some_register_with_nik(world)).all()
    assert not false.any()


def test_linkage_that_misses_every_pair_joins_nobody(world: World) -> None:
    joined, _ = linked(world, miss=1.0, false=0.0)
    assert not joined.any()
    assert not world.registers.joined_households.any()


def test_linkage_that_matches_at_random_joins_everybody(world: World) -> None:
    joined, false = linked(world, miss=1.0, false=1.0)
    assert joined.all()
    assert false.all()


@given(miss=st.floats(0.0, 1.0))
def test_misses_fall_on_their_share_of_true_pairs(lebak: ConvergenceModel, miss: float) -> None:
    world = lebak.world
    kept = world.registers.link_draw >= miss
    assert kept.mean() == pytest.approx(1 - miss, abs=0.02)


def test_false_matches_are_drawn_afresh_at_each_linkage(world: World) -> None:
    _, first = linked(world, miss=1.0, false=0.2)
    world.month += 3
    rows = present(world)
    _, second = linked(world, miss=1.0, false=0.2)
    assert first.mean() == pytest.approx(0.2, abs=0.03)
    assert second.mean() == pytest.approx(0.2, abs=0.03)
    assert len(second) == rows.stop - rows.start
    assert (first[-500:] != second[-500:]).any()


def test_without_linkage_the_joined_list_is_empty(world: World) -> None:
    linked(world, miss=0.0, false=0.0)
    rules = forced(world.settings, {"registers.linkage": False})
    registers.link(world.children, world.households, world.registers, rules, world.draws, world.month)
    assert not world.registers.on_joined[present(world)].any()
    assert not world.registers.joined_households.any()


# ---- what sharing the list does ------------------------------------------------------------------


def test_one_list_misses_fewer_and_reaches_more_children(run: Run, one_list_run: Run) -> None:
    assert targeting(one_list_run, DINKES_PMBA, "exclusion_error") < targeting(run, DINKES_PMBA, "exclusion_error")
    reach = [
        table[(table["service"] == "pmba") & (table["stage"] == "listed") & (table["year"] >= 2019)]["children"].sum()
        for table in (run.cascade, one_list_run.cascade)
    ]
    assert reach[1] > reach[0]


def test_linkage_alone_changes_no_child_when_no_agency_gets_the_list() -> None:
    nobody = {"registers.sharing_share": 0.0, "goals.sharing_by_goal_share": 0.0}
    on = simulated(end="2019-12", set=nobody | {"registers.linkage": True})
    off = simulated(end="2019-12", set=nobody)
    assert (on.world.children.z == off.world.children.z).all()


def test_only_agencies_that_share_use_the_joined_list() -> None:
    model = simulated(end="2018-12", share=0.02, set={"registers.linkage": True, "registers.sharing_share": 0.5})
    world = model.world
    shares = [opd.shares_joined_list for opd in world.opds]
    assert 0 < sum(shares) < len(shares)
    for p in range(len(world.programmes)):
        uses = registers.uses_joined_list(world, p)
        assert uses == (shares[world.programmes.opd[p]] and not world.programmes.rigid[p])


def test_more_agencies_join_as_the_share_rises_and_none_leaves() -> None:
    model = ConvergenceModel(rng=1, population_share=0.01, end="2018-01")
    before: set[str] = set()
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        settings_rules.change(model.world, forced(model.world.settings, {"registers.sharing_share": share}))
        now = {opd.id for opd in model.opds if opd.shares_joined_list}
        assert before <= now
        before = now
    assert before == {opd.id for opd in model.opds}


def test_programmes_under_ministry_rules_keep_their_own_list(
    run: Run, one_list_run: Run, lebak: ConvergenceModel
) -> None:
    book = lebak.world.programmes
    rigid = [name for name, is_rigid in zip(book.id, book.rigid) if is_rigid]
    # to an antenatal visit families come by themselves, listed or not: there is no list to keep
    met = {each.id for each in lebak.world.services if each.contact in BY_THEMSELVES}
    rigid = [name for name in rigid if name.split(":")[1] not in met]
    assert rigid
    for programme in rigid:
        for year in (2018, 2019):
            listed = [
                table[(table["programme"] == programme) & (table["year"] == year)]["listed"].iloc[0]
                for table in (run.targeting, one_list_run.targeting)
            ]
            # their own register may still move a little: what others now reach changes who is poor or has a NIK
            assert listed[1] == pytest.approx(listed[0], rel=0.01), (programme, year)


def test_the_agencies_table_names_the_list_that_was_used(one_list_run: Run) -> None:
    table = one_list_run.agencies
    june, august = (table[table["month"] == month]["list_used"] for month in ("2018-06", "2018-08"))
    assert august.str.endswith("+joined").all()
    assert not june.str.endswith("+joined").any()


def test_the_list_is_joined_in_the_month_of_data_management() -> None:
    for month in (4, 10):
        model = ConvergenceModel(
            "one-list", rng=1, population_share=0.01, end="2018-12", set={"calendar.aksi_6_month": month}
        )
        first = None
        while model.running:
            model.step()
            if first is None and model.world.registers.on_joined.any():
                first = model.world.month - 1
        assert first == 2018 * 12 + month - 1


# ---- by-name lists at villages --------------------------------------------------------------------------------------


def test_villages_with_a_by_name_list_serve_from_it_and_others_guess(world: World) -> None:
    for share in (0.0, 1.0):
        draw = world.village_list_draw
        assert ((draw < share) == bool(share)).all()
    from konvergensi.mechanisms import targeting

    p = world.programmes.id.index("dpmd:pmt-child:dana-desa")
    service = world.services[world.programmes.service[p]]
    rows = world.children.window(world.month, service.from_age, service.to_age)
    world.has_by_name_list[:] = True
    _, with_list = targeting.child_list(world, p, service, rows)
    registry = world.registers
    on_it = registry.on_eppgbm[rows] | registers.in_eppgbm(registry, rows, world.settings, world.month)
    assert with_list.any()
    assert not (with_list & ~on_it).any()
    world.has_by_name_list[:] = False
    _, guessed = targeting.child_list(world, p, service, rows)
    need = targeting.child_need(world, service, rows)
    assert guessed[need].mean() == pytest.approx(guessed[~need].mean(), abs=0.1)  # whatever their need
    assert guessed.mean() == pytest.approx(world.settings["registers.village_guess_share"], abs=0.05)


def test_by_name_lists_lower_the_inclusion_error_of_village_money() -> None:
    found = []
    for share in (0.0, 1.0):
        run = finished(simulated(end="2019-12", set={"registers.by_name_village_share": share}))
        found.append(targeting(run, "dpmd:pmt-child:dana-desa", "inclusion_error", range(2018, 2020)))
    assert found[1] < found[0]


def test_coaching_hands_by_name_lists_to_villages_in_its_month(tmp_path: Path) -> None:
    well_done = {"actions.paper_loss_share": 0.0}
    model = ConvergenceModel("one-list", rng=1, population_share=0.01, end="2018-07", set=well_done)
    assert model.world.settings["registers.by_name_village_share"] == 1.0
    for _ in range(5):
        model.step()
    assert not model.world.has_by_name_list.all()
    model.step()  # June, Aksi 5
    assert model.world.has_by_name_list.all()
    assert all(village.has_by_name_list for village in model.villages)


# ---- a wrong register does no harm ---------------------------------------------------------------


@pytest.mark.parametrize("register", ["eppgbm", "kohort", "dukcapil", "krs", "dtks", "own", "none"])
@pytest.mark.parametrize("programme", ['service = "wash-water"\nopd = "pupr"', 'service = "pmba"\nopd = "dinkes"'])
def test_any_register_may_be_named_for_any_programme(tmp_path: Path, programme: str, register: str) -> None:
    place = copy_of_lebak(
        tmp_path / "uji", opd=lambda text: text.replace(programme, f'{programme}\nregister = "{register}"', 1)
    )
    run = finished(live(district=place, share=0.005, start="2018-08", end="2018-08"))
    assert values(run, "under_fives").iloc[-1] > 0


def test_small_world_is_the_share_it_says(lebak: ConvergenceModel) -> None:
    assert lebak.world.population_share == pytest.approx(SMALL, rel=0.01)
