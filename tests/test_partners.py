"""Kecamatan actors, the province, partners, and agencies that had nothing to do."""

from typing import Any

import numpy as np
import pytest
from conftest import finished, live, simulated

from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms import caregivers, cascade, field, partners, places, province, reach
from konvergensi.mechanisms.programme_month import put_in_order
from konvergensi.model.convergence import ConvergenceModel

END: dict[str, Any] = {"end": "2019-12", "share": 0.01}
ACTIVE = {"network.tpps_kecamatan_active_share": 1.0}
ALL = {f"field.{actor}_share": 1.0 for actor in field.ACTORS}
NEW = ("paud-sessions", "fish-mothers", "severe-referral", "p2k2", "ttd-remaja")


def start(set_: dict[str, Any]) -> ConvergenceModel:
    return live(end="2018-01", share=0.005, set=set_)


# ---- kecamatan -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor", field.ACTORS)
def test_an_actor_counts_only_where_the_team_is_active(actor: str) -> None:
    world = start(ACTIVE | ALL).world
    assert field.takes_part(world, actor).all()
    decreed_only = start(ALL | {"network.tpps_kecamatan_active_share": 0.0}).world
    assert not field.takes_part(decreed_only, actor).any()
    nobody = start(ACTIVE | {f"field.{actor}_share": 0.0}).world
    assert not field.takes_part(nobody, actor).any()


def test_a_camat_who_leads_invites_villages_outside_lokus() -> None:
    none = {"field.camat_share": 0.0, "cascade.breadth_share": 0.0}
    without, with_ = (start(ACTIVE | none | more).world for more in ({}, {"field.camat_share": 1.0}))
    assert cascade.reach(with_).sum() > cascade.reach(without).sum()


def test_field_workers_of_an_active_team_seek_the_same_families_first() -> None:
    off, on = (simulated(set=ACTIVE | ALL | {"field.together_share": at}, **END) for at in (0.0, 0.8))
    world, rows = on.world, on.world.children.window(on.world.month, -9, 23)
    p = world.programmes.id.index("dp3ak2kb:tpk-visits:apbn")
    there, share = field.together_in(world, p) or (None, None)
    assert there is not None and there.all() and share == 0.8
    assert field.together_in(off.world, p) is None
    posyandu = world.programmes.id.index("dinkes:growth-monitoring:dak")
    assert field.together_in(world, posyandu) is None  # who comes is served as before
    first, own = (
        reach.before_others(world).of(p),
        np.arange(65_536, dtype=np.uint16)[:: 65_536 // (rows.stop - rows.start)],
    )
    at, children = np.arange(rows.stop - rows.start), world.children
    columns = (children.key[rows], children.village[rows], world.behind, children.joint[rows])
    alone = reach.First(there=first.there, there_from=first.there_from)
    received = world.book.received[world.programmes.service[p]][rows]
    order = put_in_order(own[: len(at)], at, *columns, received, *alone, reach.NOBODY, reach.NO_ORDER)
    sought = children.joint[rows] < np.uint16(0.8 * 65535)
    assert order[sought].max() < order[~sought].min()


# ---- province --------------------------------------------------------------------------------------------------------


def test_a_provincial_dinkes_left_out_takes_its_part_of_the_accompaniment_away() -> None:
    """The study's passage: Bappeda coordinates, the provincial Dinkes is left out."""
    base = {"province.accompaniment": 0.8, "network.pendampingan": 0.0}
    settings = start(base).world.settings
    assert settings["province.dinkes_included"] is False
    both = settings.changed({"province.dinkes_included": True})
    neither = settings.changed({"province.bappeda_included": False})
    assert province.accompaniment(neither) == 0.0
    assert 0.0 < province.accompaniment(settings) < province.accompaniment(both) == pytest.approx(0.8)


def test_accompaniment_by_the_province_teaches_agencies() -> None:
    without, with_ = (
        simulated(set={"province.accompaniment": at, "province.dinkes_included": True}, **END) for at in (0.0, 1.0)
    )
    known = [np.mean([opd.known for opd in model.opds]) for model in (without, with_)]
    assert known[1] > known[0]


def test_provincial_money_goes_to_lines_that_lack_it_and_is_not_copied() -> None:
    model = start({"province.aid_rp": 1e10})
    world = model.world
    book = world.programmes
    more = book.budgeted - book.line
    given = 1e10 * world.population_share
    assert more[book.source == 2].sum() == pytest.approx(given, rel=0.01)
    assert (more >= -1e-6).all()
    assert abs(more[book.source != 2]).sum() == pytest.approx(0.0, abs=1e-3)


# ---- partners --------------------------------------------------------------------------------------------------------


def test_a_campaign_adds_exposure_to_whom_it_reaches_and_to_nobody_else() -> None:
    world = start({"partners.campaign_share": 0.5}).world
    reached = partners.campaign_exposure(world) > 0
    assert reached.mean() == pytest.approx(0.5, abs=0.05)
    more = caregivers.exposure(world)
    world.settings = world.settings.changed({"partners.campaign_share": 0.0})
    less = caregivers.exposure(world)
    assert (more[reached] > less[reached]).all()
    np.testing.assert_array_equal(more[~reached], less[~reached])


def test_universities_help_with_analysis_and_review_only() -> None:
    settings = start({"partners.university_share": 1.0}).world.settings
    assert partners.help_with("review", settings) == settings["partners.university_weight"]
    assert partners.help_with("rembuk", settings) == 0.0
    quality = {}
    for share in (0.0, 1.0):
        model = simulated(set={"partners.university_share": share}, **END)
        quality[share] = finished(model).actions.set_index("action")["quality"]
    assert (quality[1.0]["review"] > quality[0.0]["review"]).all()


@pytest.mark.parametrize("rule", ["near", "lokus", "all"])
def test_companies_give_where_they_choose(rule: str) -> None:
    world = start({"partners.giving_places": rule}).world
    p = world.programmes.id.index("dp3ak2kb:dashat:csr")
    open_ = places.open_villages(world, p)
    if rule == "all":
        assert open_ is None
    else:
        assert open_ is not None
        remote = world.coordination.remoteness
        assert (open_ == world.lokus).all() if rule == "lokus" else remote[open_].mean() < remote[~open_].mean()


# ---- agencies that had nothing to do ---------------------------------------------------------------------------------


@pytest.mark.parametrize("service", NEW)
def test_what_agencies_are_given_to_do_holds_no_effect_on_height_by_default(service: str) -> None:
    assert load_services()[service].effect.value == 0.0
    assert load_parameters()[f"services.{service}.effect"].value == 0.0


def test_the_agencies_of_lebak_run_what_the_study_names_and_it_reaches_people() -> None:
    model = live(end="2019-12", share=0.03)
    runs = {opd.id for opd in model.opds if opd.has_programme}
    assert {"disdik", "perikanan", "rsud", "kemenag", "dukcapil"} <= runs
    money = finished(model).money
    for service in NEW:
        assert money[money["programme"].str.contains(f":{service}:")]["units"].sum() > 0, service
