import itertools
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from conftest import copy_of_lebak, live, simulated
from fake_agencies import (
    DEFAULTS,
    TEAM,
    after,
    agency,
    agency_state,
    council,
    live_months,
    shares,
    within_ranges,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from konvergensi.mechanisms import network
from konvergensi.world.coordination import AGENCY_LAYERS
from konvergensi.world.network import LAYERS, WEAKEST, edge_key

TINY = 0.003
NO_DECAY = {"network.decay_share": 0.0, "network.informal_decay_share": 0.0}
IDS = [each.id for each in TEAM]


def well_formed(ties: dict[str, np.ndarray]) -> bool:
    """Between 0 and 1, the same in both directions, and none of an agency to itself."""
    return all(
        ((tie >= 0.0) & (tie <= 1.0)).all() and np.allclose(tie, tie.T) and not np.diagonal(tie).any()
        for tie in ties.values()
    )


# ---- ties at the start ---------------------------------------------------------------------------


def test_at_the_start_the_decrees_members_are_tied_to_the_coordinator_and_one_register_ties() -> None:
    team = [
        agency("bappeda", role="coordinator", register="eppgbm"),
        agency("dinkes", role="lead", register="eppgbm"),
        agency("dpmd", register="own"),
        agency("pupr", register="own", in_decree=False),
    ]
    ties = council(team=team).coordination.ties
    assert well_formed(ties)
    assert (ties["formal"][0] > 0).tolist() == [False, True, True, False]
    assert ties["formal"][1:, 1:].sum() == 0
    assert ties["data"][0, 1] == 1.0
    assert ties["data"][2, 3] == 0.0  # each has a list of its own


def test_acquaintance_is_by_chance_and_never_with_full_ego() -> None:
    open_, proud = (
        [council(team=[agency(f"a{i}", ego=ego) for i in range(8)], seed=seed).coordination.ties for seed in range(5)]
        for ego in (0.0, 1.0)
    )
    assert all((tie["informal"] > 0).sum() == 8 * 7 for tie in open_)
    assert all((tie["informal"] == 0).all() for tie in proud)


def test_the_tie_of_two_agencies_does_not_depend_on_the_others_nor_on_their_order() -> None:
    whole = council().coordination.ties["informal"]
    backwards = council(team=TEAM[::-1]).coordination.ties["informal"]
    assert (backwards[::-1, ::-1] == whole).all()
    few = [TEAM[i] for i in (1, 4, 6)]
    assert (council(team=few).coordination.ties["informal"] == whole[np.ix_([1, 4, 6], [1, 4, 6])]).all()


# ---- ties strengthen and decay -------------------------------------------------------------------


@settings(max_examples=30)
@given(within_ranges("network", "socialization"), st.integers(1, 4))
def test_ties_stay_between_0_and_1_and_mutual(changes: dict, seed: int) -> None:
    world = council(changes, seed=seed)
    world.linked = True
    for opd in world.opds:
        opd.shares_joined_list = opd.ego < 0.6
        opd.in_plan = opd.in_decree
    for _ in range(15):
        live_months(world, 1)
        network.tie_plans(world, 1.0)
        assert well_formed(world.coordination.ties)
        assert world.coordination.aware.min() >= 0.0 and world.coordination.aware.max() <= 1.0


@given(st.lists(st.booleans(), min_size=8, max_size=8), shares, shares)
def test_who_meets_is_tied_more_strongly_and_nobody_else(came: list[bool], formal: float, informal: float) -> None:
    gains = {"network.tie_gain_share": formal, "network.informal_gain_share": informal}
    world = council(gains)
    state = world.coordination
    before = {layer: tie.copy() for layer, tie in state.ties.items()}
    state.came = np.array(came)
    again = state.came & (np.arange(8) % 2 == 0)
    network.tie_meeting(world, again)
    for layer, who, share in (("formal", state.came, formal), ("informal", again, informal)):
        met = np.outer(who, who) & ~np.eye(8, dtype=bool)
        assert state.ties[layer][met] == pytest.approx((before[layer] + share * (1 - before[layer]))[met])
        assert (state.ties[layer] == before[layer])[~met].all()
    assert (state.ties["data"] == before["data"]).all()


def test_a_plan_ties_those_it_includes_as_far_as_it_is_more_than_paper() -> None:
    for quality in (0.0, 0.5, 1.0):
        world = council()
        before = world.coordination.ties["formal"].copy()
        for opd in world.opds:
            opd.in_plan = opd.id in ("bappeda", "pupr", "disdik")
        network.tie_plans(world, quality)
        gain = world.coordination.ties["formal"] - before
        chosen = np.isin(IDS, ("bappeda", "pupr", "disdik"))
        among = np.outer(chosen, chosen) & ~np.eye(8, dtype=bool)
        share = quality * DEFAULTS["network.plan_gain_share"]
        assert gain[among] == pytest.approx(share * (1 - before[among]))
        assert (gain[~among] == 0).all()


def test_without_meetings_plans_or_shared_lists_every_tie_dies_away_and_without_decay_none_does() -> None:
    nothing = {"socialization.meetings_per_year": 0, "socialization.decree_meetings_per_year": 0}
    nothing |= {"calendar.aksi_3_month": 12}
    world = council(nothing)
    for layer in AGENCY_LAYERS:
        world.coordination.ties[layer][:] = 1.0 - np.eye(8)
    for _ in range(400):
        network.move_ties(world)
    assert max(tie.max() for tie in world.coordination.ties.values()) < 0.05
    kept = council(nothing | NO_DECAY)
    before = {layer: tie.copy() for layer, tie in kept.coordination.ties.items()}
    for _ in range(50):
        network.move_ties(kept)
    assert all((kept.coordination.ties[layer] == before[layer]).all() for layer in AGENCY_LAYERS)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("layer", "key", "values"),
    [
        ("formal", "network.tie_gain_share", (0.02, 0.12, 0.4)),
        ("formal", "socialization.meetings_per_year", (0, 2, 10)),
        ("formal", "socialization.breadth_share", (0.0, 0.5, 1.0)),
        ("formal", "network.coordinator_strength", (0.0, 0.5, 1.0)),
        ("informal", "network.informal_gain_share", (0.0, 0.03, 0.1)),
        ("informal", "socialization.same_person_share", (0.0, 0.5, 1.0)),
    ],
)
def test_ties_grow_with_meetings_and_with_the_same_persons_meeting(
    layer: str, key: str, values: tuple, seed: int
) -> None:
    worlds = [council({key: value}, seed=seed) for value in values]
    for _ in range(36):
        now = np.array([live_months(world, 1).coordination.ties[layer] for world in worlds])
        assert (np.diff(now, axis=0) >= -1e-12).all()
    assert now[-1].mean() > now[0].mean() + 1e-3


@pytest.mark.parametrize(("key", "layer"), [("decay_share", "formal"), ("informal_decay_share", "informal")])
def test_ties_are_weaker_the_faster_they_decay(key: str, layer: str) -> None:
    at = DEFAULTS.parameter(f"network.{key}")
    means = [after(36, {f"network.{key}": v}).coordination.ties[layer].mean() for v in (at.low, at.value, at.high)]
    assert means[0] > means[1] > means[2]


def test_data_ties_grow_between_agencies_that_use_one_list_and_decay_between_others() -> None:
    world = council(NO_DECAY | {"network.data_gain_share": 0.5})
    one_list = network.same_list(world)
    assert not one_list.any()  # eppgbm, own, dtks and krs are four lists, one agency each
    joined = [IDS.index(id) for id in ("dinsos", "dpmd", "pupr")]
    for i in joined:
        world.opds[i].shares_joined_list = True
    assert not network.same_list(world).any()  # nobody has joined the records yet
    world.linked = True
    for _ in range(20):
        network.move_ties(world)
    data = world.coordination.ties["data"]
    assert data[np.ix_(joined, joined)] == pytest.approx(1 - np.eye(3), abs=1e-4)
    assert data.sum() == pytest.approx(6, abs=1e-3)


# ---- what ties and the decree do to an agency ----------------------------------------------------


@given(shares, shares, shares)
def test_the_coordinator_pulls_at_most_as_strongly_as_it_is_and_less_where_it_is_unclear_who_leads(
    strength: float, clarity: float, known: float
) -> None:
    changes = {"network.coordinator_strength": strength, "network.lead_clarity_share": clarity}
    world = council(changes)
    opd = world.opds[0]
    opd.understanding = opd.institutional_understanding = known
    pull = network.pull(opd, world.settings)
    assert 0.0 <= pull <= strength + 1e-12
    opd.understanding = opd.institutional_understanding = 1.0
    assert pull <= network.pull(opd, world.settings) + 1e-12
    clear = council(changes | {"network.lead_clarity_share": 1.0})
    assert network.pull(clear.opds[0], clear.settings) == pytest.approx(strength)


def test_dependence_on_the_others_lowers_ego_and_only_as_far_as_interdependence_says() -> None:
    for interdependence in (0.0, 0.3, 1.0):
        world = council({"network.interdependence": interdependence})
        for aware in (0.0, 0.5, 1.0):
            world.coordination.aware[:] = aware
            for i, opd in enumerate(world.opds):
                assert network.effective_ego(world, i) == pytest.approx(opd.ego * (1 - interdependence * aware))


def test_an_agency_depends_on_those_that_run_a_programme_or_lead_and_on_nobody_else() -> None:
    opds = council().opds
    partners = [i for i, opd in enumerate(opds) if opd.has_programme or opd.leads]
    others = [i for i in range(8) if i not in partners]
    tie = np.zeros((8, 8))
    tie[:, others] = 1.0
    assert not network.awareness({"formal": tie, "data": tie}, opds).any()
    tie = np.zeros((8, 8))
    tie[:, partners] = 1.0
    assert network.awareness({"formal": tie, "data": np.zeros((8, 8))}, opds) == pytest.approx(1.0)


@given(shares, shares)
def test_more_ties_never_make_an_agency_less_aware(weak: float, strong: float) -> None:
    weak, strong = min(weak, strong), max(weak, strong)
    opds = council().opds
    aware = [network.awareness({"formal": np.full((8, 8), tie)}, opds) for tie in (weak, strong)]
    assert (aware[1] >= aware[0]).all()


def test_the_decree_names_who_is_in_and_a_wider_one_adds_those_it_left_out() -> None:
    named = [each.id for each in TEAM if each.in_decree]
    for coverage, decree, members in ((0.0, True, named), (1.0, True, IDS), (1.0, False, [])):
        world = council({"network.decree_coverage_share": coverage, "network.decree_in_force": decree})
        assert [opd.id for opd in world.opds if opd.in_decree] == members
    some = [
        {opd.id for opd in council({"network.decree_coverage_share": share}).opds if opd.in_decree}
        for share in (0.0, 0.3, 0.6, 1.0)
    ]
    assert all(less <= more for less, more in itertools.pairwise(some))


# ---- isolation -----------------------------------------------------------------------------------


def test_switched_off_ties_stay_as_they_were_and_meetings_still_teach() -> None:
    off, on = (simulated(share=TINY, end="2020-12", set={"network.on": each}) for each in (False, True))
    for layer, tie in off.world.coordination.ties.items():
        begun = live(share=TINY, end="2018-01", set={"network.on": False}).world.coordination.ties[layer]
        assert (tie == begun).all(), layer
    assert any((off.world.coordination.ties[each] != on.world.coordination.ties[each]).any() for each in AGENCY_LAYERS)
    taught = [opd.understanding for opd in off.opds]
    assert taught != [spec.understanding for spec in off.place.opd]
    assert max(opd.attendance for opd in off.opds) != 0.5


def test_without_interdependence_and_peers_ties_change_no_agency() -> None:
    """Nothing else reads formal and informal ties; data ties show the family register, and that takes a joint plan."""
    alone = {"network.interdependence": 0.0, "socialization.peer_share": 0.0, "goals.joint_planning_share": 0.0}
    on, off = (simulated(share=TINY, end="2021-12", set=alone | {"network.on": each}) for each in (True, False))
    assert agency_state(on) == agency_state(off)
    assert (on.world.children.z == off.world.children.z).all()


NEWCOMER = """
[[opd]]
id = "bank-data"
name = "Bank Data"
gloss = "an agency without programme, in the team and well informed"
in_decree = true
surveyed = false
register = "krs"
understanding = 1.0
institutional_understanding = 1.0
goal_adoption = 1.0
ego = 0.0
mandate = 1.0
staff = 1000
focal_unit = true
guideline = true
source = "made up for a test"
grade = "assumption"
"""


def in_blocks(text: str) -> tuple[str, list[str], str]:
    """opd.toml taken apart: what stands before the agencies, the agencies, the programmes."""
    first, last = text.index("[[opd]]"), text.index("[[programme]]")
    return text[:first], ["[[opd]]" + each for each in text[first:last].split("[[opd]]")[1:]], text[last:]


def test_an_agency_without_programme_or_lead_changes_no_child_and_no_other_agency(tmp_path: Path) -> None:
    """In the decree, with full understanding, no ego and a register: it has nothing to hand out."""

    def joined(text: str) -> str:
        head, opds, programmes = in_blocks(text)
        return head + "".join(opds) + NEWCOMER + programmes

    # where lists and plans are shared, an agency that counts for nothing could still come between the others
    shared = {"goals.joint_planning_share": 1.0, "network.decree_in_force": True, "goals.plan_inclusion_share": 1.0}
    usual, more = (
        live("one-list", district=copy_of_lebak(tmp_path / name, opd=rewrite), share=0.01, end="2021-12", set=shared)
        for name, rewrite in (("usual", str), ("more", joined))
    )
    assert len(more.opds) == len(usual.opds) + 1
    for name in ("z", "gain", "got", "deviation"):
        assert (getattr(more.world.children, name) == getattr(usual.world.children, name)).all(), name
    assert (more.world.households.knowledge == usual.world.households.knowledge).all()
    assert (more.world.programmes.spent == usual.world.programmes.spent).all()
    with_it, without = agency_state(more), agency_state(usual)
    assert with_it.pop("bank-data") is not None
    assert with_it == without
    n = len(usual.opds)
    for layer, tie in usual.world.coordination.ties.items():
        assert (more.world.coordination.ties[layer][:n, :n] == tie).all()


def test_it_does_not_matter_where_an_agency_stands_in_the_file(tmp_path: Path) -> None:
    def reversed_(text: str) -> str:
        head, opds, programmes = in_blocks(text)
        return head + "".join(each.rstrip() + "\n\n" for each in reversed(opds)) + programmes

    one, other = (
        live("one-list", district=copy_of_lebak(tmp_path / name, opd=rewrite), share=TINY, end="2021-12")
        for name, rewrite in (("usual", str), ("reversed", reversed_))
    )
    assert [opd.id for opd in other.opds] == [opd.id for opd in one.opds][::-1]
    mine, theirs = agency_state(one), agency_state(other)
    for id, state in mine.items():
        assert theirs[id] == pytest.approx(state, rel=1e-9), id  # sums are taken in another order
    for layer, tie in one.world.coordination.ties.items():
        assert other.world.coordination.ties[layer][::-1, ::-1] == pytest.approx(tie, rel=1e-9), layer
    assert other.world.children.z == pytest.approx(one.world.children.z, abs=1e-5)


# ---- the network to read -------------------------------------------------------------------------


def test_the_network_is_the_ties_teams_and_villages_as_they_are_now() -> None:
    model = simulated(share=TINY, end="2020-12")
    graph: nx.MultiGraph = model.network
    kinds = [kind for _, kind in graph.nodes(data="kind")]
    assert [kinds.count(kind) for kind in ("opd", "kecamatan", "desa")] == [
        len(model.opds), len(model.kecamatan), len(model.villages)
    ]  # fmt: skip
    assert {layer for *_, layer in graph.edges(data="layer")} <= set(LAYERS)
    for layer, tie in model.world.coordination.ties.items():
        for i, one in enumerate(model.opds):
            for j, other in enumerate(model.opds[:i]):
                ends = (f"opd:{one.id}", f"opd:{other.id}")
                found = graph.get_edge_data(*ends, key=edge_key(layer, *ends))
                assert (found["weight"] if found else 0.0) == (tie[i, j] if tie[i, j] >= WEAKEST else 0.0)
    below = graph.edge_subgraph(edge for edge in graph.edges(keys=True) if graph.edges[edge]["layer"] == "hierarchy")
    # the coordinator reaches every kecamatan, each kecamatan its villages: a tree
    assert below.number_of_edges() == len(model.kecamatan) + len(model.villages)
    assert nx.is_connected(below)


def test_to_look_at_the_network_changes_nothing() -> None:
    model = live(share=TINY, end="2018-03")
    before = agency_state(model)
    one, other = model.network, model.network
    assert nx.utils.graphs_equal(one, other) and one is not other
    assert agency_state(model) == before


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_teams_below_the_district_are_active_as_far_as_the_policy_says(share: float) -> None:
    keys = ("network.tpps_kecamatan_active_share", "network.tpps_desa_active_share", "cascade.kpm_share")
    state = simulated(share=TINY, end="2018-01", set=dict.fromkeys(keys, share)).world.coordination
    for active in (state.tpps_kecamatan, state.tpps_desa, state.kpm):
        assert active.mean() == pytest.approx(share, abs=0.0 if share in (0, 1) else 0.2)


def test_ties_of_a_pair_are_drawn_from_the_seed() -> None:
    one, other = (council(seed=seed).coordination.ties["informal"] for seed in (1, 2))
    assert (one != other).any()
    assert (one == council(seed=1).coordination.ties["informal"]).all()
