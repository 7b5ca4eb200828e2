"""The rules of contact, alone, on three families."""

import dataclasses

import numpy as np
import pytest
from conftest import OLD_RULES, SMALL, STILL, finished, simulated
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.inputs.parameters import Settings
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms import contacts, effects, growth, reach
from konvergensi.mechanisms.programme_month import put_in_order
from konvergensi.world.draws import Draws, entity_keys

SERVICES = load_services()
SETTINGS = Settings.defaults()
CONTACTS = {"contacts.reach": "contacts"}
NEW = CONTACTS | {
    "effects.reading": "published",
    "effects.dose_response": "plateau",
    "growth.combination": "additive",
    "delivery.package_dose": "adequate",
}


def u16(*values: int) -> np.ndarray:
    return np.array(values, np.uint16)


def f32(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


# ---- each kind of contact --------------------------------------------------------------------------------------------


def test_every_service_names_its_contact_and_each_kind_has_one_rule() -> None:
    kinds = {*contacts.BY_THEMSELVES, *contacts.CASELOAD, "enrolment", "transfer", "works"}
    assert {service.contact for service in SERVICES.values()} <= kinds
    assert not set(contacts.BY_THEMSELVES) & {*contacts.CASELOAD, "enrolment", "transfer", "works"}


def test_families_come_in_most_months_or_hardly_ever_and_nothing_between() -> None:
    odds = contacts.two_groups(f32(0.2, 0.6, 0.9), f32(0.0, 0.0, 0.0), 0.9, 0.05)
    assert contacts.chance_of(odds) == pytest.approx([0.9, 0.05, 0.05])


def test_a_better_place_makes_more_families_come_often() -> None:
    draw = np.linspace(0, 1, 1000, endpoint=False).astype(np.float32)
    poor, good = (contacts.two_groups(draw, np.full(1000, odds, np.float32), 0.9, 0.05) for odds in (-1.0, 1.0))
    assert (good >= poor).all()
    assert (good > 0).mean() == pytest.approx(1 / (1 + np.exp(-1.0)), abs=0.002)


@given(st.floats(0.0, 1.0))
def test_contacts_of_one_place_go_together_as_far_as_they_overlap(overlap: float) -> None:
    common, one, other = (np.random.default_rng(k).standard_normal(20_000).astype(np.float32) for k in range(3))
    first = contacts.place_effects(one, common, 1.5, overlap)
    second = contacts.place_effects(other, common, 1.5, overlap)
    assert first.std() == pytest.approx(1.5, rel=0.03)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(overlap, abs=0.03)


def test_at_an_open_contact_a_place_has_the_thing_for_all_who_come_or_for_none() -> None:
    order = contacts.stock_order(u16(500, 9), np.array([0, 1, 0]), np.arange(3))
    assert order.tolist() == [500, 9, 500]


def test_a_worker_keeps_the_families_begun_before_taking_new_ones() -> None:
    nobody = (np.arange(3, dtype=np.uint32), *4 * (np.zeros(3, np.uint16),))  # keys, places and what they have had
    begun, lasting = np.array([False, True, False]), u16(1, 65535, 2)
    order = put_in_order(u16(3, 0, 1), np.arange(3), *nobody, *reach.First(), begun, lasting)
    assert order.argsort().tolist() == [1, 2, 0]


def test_a_family_that_had_its_dose_or_refused_twice_makes_room() -> None:
    had, refused = np.array([6, 2, 2], np.uint8), np.array([0, 2, 1], np.uint8)
    assert contacts.has_room(had, refused, 6, 2).tolist() == [False, False, True]


def test_more_workers_put_a_places_families_nearer_the_front() -> None:
    order = contacts.by_workers(f32(30_000, 30_000, 30_000) / np.float32(65_536), f32(0.5, 1.0, 2.0))
    assert order[0] > order[1] > order[2]
    assert order[1] == pytest.approx(30_000, abs=2)


def test_a_paper_is_asked_for_soon_after_the_birth_and_sooner_after_one_in_a_facility() -> None:
    soon, soon_there, later, later_there = contacts.paper_shares(0.2, 0.02, 2.35)
    assert soon == pytest.approx(0.2) and later == pytest.approx(0.02)
    assert soon_there / (1 - soon_there) == pytest.approx(2.35 * 0.25, rel=1e-5)
    assert soon_there > soon > later_there > later


def test_only_those_who_are_born_and_have_no_number_go_to_the_office() -> None:
    n, draws = 8_000, Draws(1)
    key, home = entity_keys("child", np.arange(n)), np.zeros(n, np.int32)
    nik = np.where(np.arange(n) % 2, 90, 110).astype(np.int32)  # every second one has it
    born = np.repeat([101, 100, 60, 99], n // 4).astype(np.int32)  # of whom the first part is still to be born
    checksums = (draws.checksums("office", 100), draws.checksums("facility birth", 0))
    need, goes = contacts.applies(nik, 100, born, key, *checksums, f32(0.5), home, f32(0.2, 0.4, 0.02, 0.04))
    assert (need == (nik > 100)).all()
    assert not goes[~need].any() and not goes[: n // 4].any()
    soon, later = goes[(born >= 99) & (born <= 100) & need].mean(), goes[(born == 60) & need].mean()
    assert soon == pytest.approx(0.3, abs=0.04) and later == pytest.approx(0.03, abs=0.02)


def test_a_caseload_ends_with_the_adequate_dose_and_an_enrolment_with_its_course() -> None:
    assert contacts.dose_of(SERVICES["pmba"]) == SERVICES["pmba"].adequate.doses  # type: ignore[union-attr]
    assert contacts.dose_of(SERVICES["pmt-child"]) == SERVICES["pmt-child"].duration_months


# ---- dose and combination --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["linear", "plateau", "saturating", "threshold"])
def test_a_dose_response_starts_at_nothing_ends_at_the_whole_effect_and_never_falls(rule: str) -> None:
    share = effects.response(rule, np.linspace(0, 2, 41, dtype=np.float32), 3.0)
    assert share[0] == 0.0 and share[20:] == pytest.approx(1.0)
    assert (np.diff(share) >= -1e-6).all()


@pytest.mark.parametrize("quality", [0.4, 1.0])
def test_the_trials_dose_brings_the_whole_effect_and_nothing_comes_after_it(quality: float) -> None:
    settings = SETTINGS.changed({"effects.dose_response": "plateau"})
    steps = effects.dose_steps(SERVICES["pmba"], settings, quality)
    assert steps.sum() == pytest.approx(1.0, rel=1e-5)
    whole = int(np.ceil(SERVICES["pmba"].trial.doses / quality))  # type: ignore[union-attr]
    assert steps[whole:].max() == pytest.approx(0.0, abs=1e-6)


@given(st.lists(st.floats(0.0, 0.5, width=32), min_size=1, max_size=5), st.floats(0.0, 1.0))
def test_services_that_overlap_gain_at_least_the_largest_and_at_most_their_sum(each: list[float], share: float) -> None:
    combined = dataclasses.replace(
        growth.Combination.of(SETTINGS.changed({"growth.combination": "substitutes"})), together=share
    )
    best, total = np.zeros(1, np.float32), 0.0
    for gain in each:
        total += float(combined.added(f32(gain), np.zeros(1, np.float32), best)[0])
    assert max(each) - 1e-4 <= total <= sum(each) + 1e-4


@pytest.mark.parametrize("rule", sorted(growth.LIFETIME))
def test_one_service_alone_gives_its_own_gain_back_month_by_month(rule: str) -> None:
    combined = growth.Combination.of(SETTINGS.changed({"growth.combination": rule}))
    gained, best = np.zeros(1, np.float32), np.zeros(1, np.float32)
    assert sum(float(combined.added(f32(0.02), gained, best)[0]) for _ in range(10)) == pytest.approx(0.2, rel=1e-4)


# ---- a district under the new rules ----------------------------------------------------------------------------------


def test_books_balance_and_nobody_gets_more_than_the_dose_under_the_rule_of_contacts() -> None:
    model = simulated(end="2018-12", set=NEW)
    book, world = model.world.programmes, model.world
    assert (book.spent <= book.budgeted * (1 + 1e-9)).all()
    assert book.spent == pytest.approx(book.units * book.unit_cost + book.overhead)
    for s, service in enumerate(world.services):
        if service.contact in contacts.CASELOAD and len(world.book.taken[s]):
            assert world.book.taken[s].max() <= contacts.dose_of(service)


def test_who_is_met_lasts_so_that_the_same_families_come() -> None:
    model = simulated(end="2018-12", set=NEW)
    rows = model.world.children.window(model.world.month, 12, 59)
    often = np.unique(np.round(model.world.attendance_score[rows], 3))
    assert len(often) == 2  # two kinds of family


def test_the_complete_package_at_an_adequate_dose_is_rarer_than_after_any_contact() -> None:
    table = finished(simulated(end="2018-12", set=NEW)).indicators.pivot(
        index="month", columns="indicator", values="value"
    )
    assert (table["complete_package_share"] <= table["any_contact_package_share"]).all()
    assert (table["protected_in_time"] <= table["any_contact_in_time"]).all()


def test_simultaneous_services_are_counted_for_every_household_once() -> None:
    run = finished(simulated(end="2018-12", set=NEW))
    for _, month in run.simultaneous.groupby("month"):
        assert month["n_services"].tolist() == list(range(9))
        assert month["share"].sum() == pytest.approx(1.0)
        mean = (month["n_services"] * month["share"]).sum()
        single = run.single_coverage[run.single_coverage["month"] == month["month"].iloc[0]]["share"].sum()
        assert mean == pytest.approx(single)


def test_bringing_services_to_the_posyandu_day_meets_more_families_there() -> None:
    def classes(share: float) -> float:
        # where classes are not yet called at the posyandu day
        apart = {"contacts.class_posyandu_share": 0.0, "contacts.one_stop_share": share}
        model = simulated(end="2018-12", set=NEW | STILL | apart)
        s = next(i for i, each in enumerate(model.world.services) if each.id == "bkb")
        found = model.world
        rows = found.children.window(found.month, 0, 23)
        came = found.attendance_score[rows] > 0
        return float((found.book.received[s][rows] > 0)[came].mean())

    assert classes(1.0) > classes(0.0)


def test_an_integrated_posyandu_not_introduced_changes_nothing() -> None:
    one, other = (simulated(end="2018-06", set=CONTACTS | extra) for extra in ({}, {"contacts.one_stop_share": 0.0}))
    assert (one.world.children.z == other.world.children.z).all()


def test_parameters_of_the_new_rules_change_nothing_under_the_old_one() -> None:
    changed = {"contacts.place_sd": 0.6, "contacts.pack_share": 0.3, "effects.fade_per_year": 0.4}
    one, other = (simulated(share=SMALL, end="2018-06", set=OLD_RULES | extra) for extra in ({}, changed))
    assert (one.world.children.z == other.world.children.z).all()


def test_without_the_visit_there_are_no_tablets() -> None:
    model = simulated(end="2018-12", set=NEW)
    world = model.world
    anc, tablets = (
        next(i for i, each in enumerate(world.services) if each.id == name) for name in ("anc", "ttd-bumil")
    )
    assert (world.book.received[tablets] <= world.book.received[anc]).all()


def test_whose_course_has_begun_is_on_the_list_that_is_served() -> None:
    run = finished(simulated(end="2018-12", set=NEW))
    assert (run.targeting["targeted"] <= run.targeting["listed"] + 1e-9).all()
    merged = run.targeting.merge(run.money, on=["programme", "year"])
    months = merged["programme"].str.split(":").str[1].map({s.id: len(s.months) for s in SERVICES.values()})
    assert (merged["targeted"] * months).to_numpy() == pytest.approx(merged["units"].to_numpy())


def test_visits_that_cannot_take_place_bring_nothing() -> None:
    model = simulated(end="2018-06", set=NEW | {"shocks.home_contact_share": 0.0})
    for p, s in enumerate(model.world.programmes.service):
        if model.world.services[s].contact in (*contacts.CASELOAD, "enrolment", "antenatal"):
            assert model.world.programmes.units[p] == 0, model.world.programmes.id[p]


def test_where_classes_are_called_at_the_posyandu_those_who_come_there_are_in_them() -> None:
    """Share of the children in classes that came to the posyandu this month, against that of all who may be asked."""
    found = []
    for share in (0.0, 1.0):
        world = simulated(share=SMALL, end="2018-06", set={"contacts.class_posyandu_share": share}).world
        s = next(s for s, each in enumerate(world.services) if each.id == "bkb")
        rows = world.children.window(world.month - 1, 6, 23)
        often = world.attendance_score[rows] > 0.0
        found.append(float(often[world.book.taken[s][rows] > 0].mean()))
    assert found[1] > found[0] + 0.1
