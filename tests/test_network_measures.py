"""Measures of the coordination network: known graphs, networkx as a second opinion, and the rules of time."""

from __future__ import annotations

import time

import networkx as nx
import numpy as np
import pytest
from conftest import finished, live
from hypothesis import given
from hypothesis import strategies as st

from konvergensi.mechanisms import settings as settings_rules
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe import network
from konvergensi.observe.network import centralisation, density, quickest, reach, tied_share, time_to_inform, waiting
from konvergensi.world.coordination import AGENCY_LAYERS
from konvergensi.world.network import density as tied_in_graph

MOST_SECONDS = 0.005


@pytest.fixture(scope="module")
def small() -> ConvergenceModel:
    """Lebak's agencies and villages after five years; to be read only."""
    model = live(share=0.01, end="2022-12")
    model.world.month -= 1
    return model


def star(n: int, strength: float = 1.0) -> np.ndarray:
    tie = np.zeros((n, n))
    tie[0, 1:] = tie[1:, 0] = strength
    return tie


def complete(n: int, strength: float = 1.0) -> np.ndarray:
    return strength * (1.0 - np.eye(n))


@st.composite
def any_ties(draw: st.DrawFn) -> np.ndarray:
    n = draw(st.integers(1, 8))
    upper = np.triu(np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=n * n, max_size=n * n))).reshape(n, n), 1)
    return upper + upper.T


# ---- density and centralisation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [3, 5, 14])
@pytest.mark.parametrize("strength", [1.0, 0.3])
def test_a_star_is_all_centre_and_a_complete_graph_has_none(n: int, strength: float) -> None:
    assert centralisation(star(n, strength)) == pytest.approx(1.0)
    assert centralisation(complete(n, strength)) == pytest.approx(0.0)
    assert density(complete(n, strength)) == pytest.approx(strength)
    assert tied_share(star(n, strength)) == pytest.approx(2.0 / n)


def test_a_ring_has_no_centre() -> None:
    ring = nx.to_numpy_array(nx.cycle_graph(7))
    assert centralisation(ring) == pytest.approx(0.0)


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_agencies_have_no_centre_and_no_ties_have_no_density(n: int) -> None:
    assert centralisation(complete(n)) == 0.0
    assert density(np.zeros((n, n))) == tied_share(np.zeros((n, n))) == 0.0


@given(any_ties(), st.randoms(use_true_random=False))
def test_measures_lie_between_0_and_1_and_do_not_ask_who_is_who(tie: np.ndarray, shuffle: object) -> None:
    order = list(range(len(tie)))
    shuffle.shuffle(order)  # type: ignore[attr-defined]
    other = tie[np.ix_(order, order)]
    for measure in (density, tied_share, centralisation):
        assert -1e-12 <= measure(tie) <= 1.0 + 1e-12
        assert measure(other) == pytest.approx(measure(tie), abs=1e-12)


@given(st.integers(3, 9), st.integers(0, 10_000))
def test_binary_ties_give_freemans_value(n: int, seed: int) -> None:
    graph = nx.gnp_random_graph(n, 0.5, seed=seed)
    degree = np.array([d for _, d in graph.degree()])
    expected = (degree.max() - degree).sum() / ((n - 1) * (n - 2))
    assert centralisation(nx.to_numpy_array(graph)) == pytest.approx(expected)


def test_the_share_tied_is_that_of_the_graph(small: ConvergenceModel) -> None:
    for layer in AGENCY_LAYERS:
        assert tied_share(small.world.coordination.ties[layer]) == pytest.approx(tied_in_graph(small.network, layer))


# ---- time --------------------------------------------------------------------------------------------------------


def test_a_message_along_a_chain_takes_the_sum_of_its_links() -> None:
    chain = np.zeros((4, 4))
    chain[0, 1] = chain[1, 0] = chain[1, 2] = chain[2, 1] = 0.5
    months = quickest(waiting(chain, contacts_a_month=1.0), 0)
    assert months.tolist() == [0.0, 2.0, 4.0, np.inf]
    assert reach(months[1:]) == pytest.approx(2 / 3)
    assert time_to_inform(months[1:]) == 4.0


def test_where_half_are_never_told_the_time_has_no_end_and_nobody_takes_no_time() -> None:
    assert time_to_inform(np.array([1.0, np.inf])) == np.inf
    assert time_to_inform(np.array([1.0, 2.0, np.inf])) == 2.0
    assert np.isnan(time_to_inform(np.zeros(0)))
    assert np.isnan(reach(np.zeros(0)))


def test_exactly_twelve_months_are_within_the_year() -> None:
    assert reach(waiting(np.array([1.0]), 1 / 12)) == 1.0
    assert reach(np.array([12.1])) == 0.0


def test_the_quickest_way_is_that_of_networkx(small: ConvergenceModel) -> None:
    often = network.contacts(small.world.settings)
    graph = nx.Graph()
    for one, other, tie in small.network.edges(data=True):
        layer, weight = tie["layer"], tie["weight"]
        if layer in ("formal", "informal"):
            months = 1.0 / (weight * often[layer])
            if not graph.has_edge(one, other) or graph[one][other]["months"] > months:
                graph.add_edge(one, other, months=months)
    start = next(i for i, opd in enumerate(small.opds) if opd.role == "coordinator")
    expected = nx.single_source_dijkstra_path_length(graph, f"opd:{small.opds[start].id}", weight="months")
    ties = small.world.coordination.ties
    length = np.minimum(*(waiting(ties[layer], often[layer]) for layer in ("formal", "informal")))
    found = quickest(length, start)
    for i, opd in enumerate(small.opds):
        assert found[i] == pytest.approx(expected.get(f"opd:{opd.id}", np.inf))


def test_villages_hear_by_their_kecamatan_and_lokus_villages_from_the_district(small: ConvergenceModel) -> None:
    world = small.world
    state, settings = world.coordination, world.settings
    kecamatan, villages = network.months_below(world)
    rounds, decreed_only = settings["cascade.meetings_per_year"] / 12, settings["cascade.inactive_team_share"]
    for v in range(len(villages)):
        k = state.village_kecamatan[v]
        team = 1.0 if state.tpps_desa[v] else decreed_only
        passes = 1.0 - settings["cascade.remoteness_share"] * state.remoteness[v]
        last = 1.0 / (team * rounds * passes)
        if not state.included(settings)[v]:
            assert villages[v] == np.inf
        else:
            assert villages[v] == pytest.approx(last if state.lokus[v] else kecamatan[k] + last)
        assert kecamatan[k] == pytest.approx(1.0 / (rounds * (1.0 if state.tpps_kecamatan[k] else decreed_only)))


def measured(model: ConvergenceModel) -> dict[tuple[str, str], float]:
    return {(layer, name): value for _, layer, name, value in network.network_rows(*network.Measured.of(model.world))}


def changed(model: ConvergenceModel, **values: object) -> dict[tuple[str, str], float]:
    """Measures under other settings, which are put back afterwards."""
    world, before = model.world, model.world.settings
    settings_rules.change(world, before.changed({key.replace("__", "."): value for key, value in values.items()}))
    found = measured(model)
    settings_rules.change(world, before)
    return found


def test_more_rounds_reach_more_villages_sooner_and_inclusion_reaches_the_rest(small: ConvergenceModel) -> None:
    base = measured(small)
    often = changed(small, cascade__meetings_per_year=12)
    everyone = changed(small, cascade__meetings_per_year=12, cascade__breadth_share=1.0)
    assert often["all", "reach_villages"] > base["all", "reach_villages"]
    assert often["all", "months_to_kecamatan"] < base["all", "months_to_kecamatan"]
    assert often["all", "told_villages"] == base["all", "told_villages"] < 0.5
    assert base["all", "months_to_villages"] == np.inf
    assert everyone["all", "told_villages"] == 1.0
    assert everyone["all", "months_to_villages"] < np.inf


def test_closed_meetings_leave_informal_ties_only(small: ConvergenceModel) -> None:
    shut = changed(small, shocks__meeting_open_share=0.0)
    assert shut["formal", "told_opd"] == shut["all", "told_villages"] == 0.0
    assert shut["all", "months_to_opd"] == shut["informal", "months_to_opd"]


# ---- the tables --------------------------------------------------------------------------------------------------


def test_rows_come_in_the_first_month_and_every_quarter_and_ties_each_december() -> None:
    run = finished(live(share=0.005, start="2018-02", end="2019-01"))
    assert run.network["month"].unique().tolist() == ["2018-02", "2018-03", "2018-06", "2018-09", "2018-12"]
    assert run.ties["month"].unique().tolist() == ["2018-02", "2018-12"]
    assert run.ties["weight"].between(0.05, 1.0).all()
    assert (run.ties["source"] != run.ties["target"]).all()
    pair = ["|".join(sorted(both)) for both in zip(run.ties["source"], run.ties["target"], strict=True)]
    assert not run.ties.assign(pair=pair).duplicated(["month", "layer", "pair"]).any()


def test_measuring_a_district_of_345_villages_is_cheap(small: ConvergenceModel) -> None:
    assert len(small.villages) == 345

    def seconds() -> float:
        began = time.perf_counter()
        network.network_rows(*network.Measured.of(small.world))
        network.tie_rows(small.world)
        return time.perf_counter() - began

    assert min(seconds() for _ in range(20)) < MOST_SECONDS
