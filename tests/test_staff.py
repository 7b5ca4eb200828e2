"""Field staff: where they are posted, whose time is kept, and what is left for new money."""

import numpy as np
import pytest
from conftest import simulated

from konvergensi.mechanisms import contacts, programme_month, staff
from konvergensi.model.convergence import ConvergenceModel

SHARE = 0.02


def funded(factor: float, service: str = "") -> ConvergenceModel:
    """Lebak in 2018 with the lines of one service, or of all, multiplied at unchanged staff."""
    model = ConvergenceModel("baseline", "lebak", rng=1, population_share=SHARE, end="2018-12")
    book = model.world.programmes
    of = np.array([not service or model.world.services[s].id == service for s in book.service])
    for column in (book.line, book.planned, book.budgeted, book.next_line, book.next_planned):
        column[of] *= factor
    while model.running:
        model.step()
    return model


def held(model: ConvergenceModel, service: str) -> float:
    """Deliveries of a service in the year."""
    book, services = model.world.programmes, model.world.services
    return float(sum(book.units[p] for p, s in enumerate(book.service) if services[s].id == service))


def test_the_first_of_each_place_are_met_in_their_order() -> None:
    place, step = np.array([0, 1, 0, 0, 1]), np.array([5, 2, 1, 3, 9], np.uint16)
    assert programme_month.first_of_each(place, step, np.array([2, 1])).tolist() == [1, 2, 3]


@pytest.mark.parametrize("share", [0.0, 0.4, 0.99])
def test_rounding_to_whole_meetings_keeps_the_sum_within_one(share: float) -> None:
    room = np.full(300, 0.37)
    found = programme_month.whole_meetings(room, share)
    assert set(found.tolist()) <= {0, 1}
    assert abs(found.sum() - room.sum()) <= 1.0


def test_staff_of_all_places_are_the_staff_of_the_agency() -> None:
    world = simulated(share=SHARE, end="2018-03").world
    for opd in range(len(world.opds)):
        of_village, weights = staff._places(world, opd)
        assert weights.sum() == pytest.approx(1.0)
        assert of_village.max() == len(weights) - 1


def test_a_village_limit_holds_only_where_its_staff_hold_enough_meetings() -> None:
    world = simulated(share=SHARE, end="2018-03").world
    teams = next(i for i, opd in enumerate(world.opds) if opd.id == "dp3ak2kb")
    assert world.opds[teams].posted == "village"
    _, weights = staff._places(world, teams)
    assert len(weights) < len(world.kecamatan)  # 2 percent of the families: the next larger area
    assert staff.capacity(world, teams) / len(weights) >= staff.LEAST


def test_money_for_one_service_takes_no_staff_from_the_others_of_its_agency() -> None:
    """Classes come before family planning and visits in the order of services, so only kept time protects these."""
    usual, rich = funded(1.0), funded(6.0, "bkb")
    assert held(rich, "bkb") > 1.2 * held(usual, "bkb")
    for service in ("family-planning", "tpk-visits"):
        assert held(rich, service) >= 0.9 * min(held(usual, service), routine(usual, service)), service


def routine(model: ConvergenceModel, service: str) -> float:
    """Meetings of a year whose staff time the first lines of a service keep, scaled to the staff there are."""
    world, book = model.world, model.world.programmes
    of = [p for p, s in enumerate(book.service) if world.services[s].id == service]
    months, opd = world.services[book.service[of[0]]].months, book.opd[of[0]]
    total = 0.0
    for month in months:
        asked = sum(
            book.routine[p]
            for p, s in enumerate(book.service)
            if book.opd[p] == opd and contacts.takes_staff(world.services[s]) and month in world.services[s].months
        )
        total += sum(book.routine[p] for p in of) * min(1.0, staff.capacity(world, opd) / asked)
    return float(total)


def test_whom_money_would_have_reached_and_no_staff_met_is_counted_and_his_money_stays() -> None:
    usual, rich = funded(1.0), funded(6.0)
    assert rich.world.programmes.short.sum() > usual.world.programmes.short.sum()
    book = rich.world.programmes
    assert (book.spent <= book.released * (1 + 1e-9)).all()
    assert book.spent == pytest.approx(book.units * book.unit_cost + book.overhead)


@pytest.mark.slow
def test_funding_everything_lowers_no_service_of_the_package() -> None:
    usual, rich = funded(1.0), funded(4.0)
    for service in usual.world.services:
        if service.package:
            assert held(rich, service.id) >= 0.98 * held(usual, service.id), service.id
