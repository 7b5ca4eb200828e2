from typing import Any

import numpy as np
import pytest
from conftest import STILL, forced, live, simulated
from fake_agencies import DEFAULTS, TEAM, after, agency, column, council, live_months, shares, tell, within_ranges
from hypothesis import given, settings
from hypothesis import strategies as st

from konvergensi.mechanisms import cascade, goals, network, reach
from konvergensi.mechanisms.programme_month import put_in_order
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.coordination import Done
from konvergensi.world.households import LAST_PLACE

TINY = 0.003
IDS = [each.id for each in TEAM]
# agencies that neither learn nor forget, so that goals reach what their situation speaks for
FIXED = {"socialization.on": False, "network.on": False}


def settled(changes: dict[str, Any] | None = None, **options: Any) -> Any:
    """The council once goals have come to rest."""
    return after(400, FIXED | (changes or {}), **options)


# ---- the weighing --------------------------------------------------------------------------------


@given(shares, shares)
def test_weights_are_a_share_and_nothing_speaks_for_a_goal_that_nothing_supports(shared: float, own: float) -> None:
    assert 0.0 <= goals.weigh(shared, own) <= 1.0
    assert goals.weigh(0.0, own) == 0.0
    if shared > 0.0:
        assert goals.weigh(shared, 0.0) == 1.0
        assert goals.weigh(shared, shared) == 0.5


@given(shares, shares, shares)
def test_more_for_the_shared_goal_and_less_ego_weigh_more(one: float, other: float, own: float) -> None:
    less, more = min(one, other), max(one, other)
    assert goals.weigh(less, own) <= goals.weigh(more, own) + 1e-12
    if own > 0.0:
        assert goals.weigh(own, more) <= goals.weigh(own, less) + 1e-12


@given(shares, st.floats(-1.0, 1.0), shares)
def test_leadership_is_a_share_whatever_was_published_and_whoever_governs(
    level: float, attention: float, left: float
) -> None:
    world = council({"goals.leadership": level, "shocks.leadership_share": left})
    world.coordination.attention = attention
    assert goals.leadership(world) == pytest.approx(np.clip(level * left + attention, 0.0, 1.0))
    tell(world, {"shocks.on": False})
    assert goals.leadership(world) == pytest.approx(np.clip(level + attention, 0.0, 1.0))


@given(shares, shares, st.booleans(), st.booleans())
def test_a_place_in_the_decree_adds_to_the_mandate_and_targets_add_as_much_again(
    own: float, added: float, member: bool, targets: bool
) -> None:
    opd = council(team=[agency("dinsos", mandate=own)]).opds[0]
    opd.in_decree = member
    changes = {"goals.decree_mandate_share": added, "network.decree_targets": targets}
    mandate = goals.mandate(opd, forced(DEFAULTS, changes))
    expected = min(added * (2 if targets else 1), 1.0) if member else 0.0
    assert mandate == pytest.approx(own + (1 - own) * expected)
    assert own - 1e-12 <= mandate <= 1.0 + 1e-12


# ---- where goals come to rest --------------------------------------------------------------------


def test_goals_come_to_rest_where_understanding_mandate_and_leadership_stand_against_ego() -> None:
    world = settled()
    led, ease = goals.leadership(world), DEFAULTS["goals.adaptation_ease"]
    for i, opd in enumerate(world.opds):
        shared = opd.known * goals.mandate(opd, world.settings)
        ego = network.effective_ego(world, i)
        assert opd.goal_adoption == pytest.approx(shared * led / (shared * led + ego))
        assert opd.adaptation == pytest.approx(shared / (shared + ego * (1 - ease)))


def test_goals_move_at_their_speed_towards_it_and_never_past_it() -> None:
    world, rest = council(FIXED), column(settled(), "goal_adoption")
    distance = rest - column(world, "goal_adoption")
    for _ in range(12):
        live_months(world, 1)
        left = rest - column(world, "goal_adoption")
        assert left == pytest.approx(distance * (1 - DEFAULTS["goals.adoption_speed"]), abs=1e-9)
        distance = left


@settings(max_examples=40)
@given(within_ranges("goals", "network", "socialization", "review"), st.integers(1, 4))
def test_adapting_the_programme_is_never_harder_than_adopting_the_goal(changes: dict, seed: int) -> None:
    """From the same start, for every agency and in every month: `displaced` is a state that can be reached."""
    world = council(changes, seed=seed)
    for _ in range(24):
        live_months(world, 1)
        assert (column(world, "adaptation") >= column(world, "goal_adoption") - 1e-12).all()


@pytest.mark.parametrize(
    ("changes", "team", "rest"),
    [
        ({}, [agency("a", understanding=0.0, institutional_understanding=0.0)], 0.0),
        ({}, [agency("a", mandate=0.0, in_decree=False)], 0.0),
        ({"goals.leadership": 0.0}, [agency("a")], 0.0),
        ({}, [agency("a", ego=0.0)], 1.0),
    ],
)
def test_limits_nothing_speaks_for_the_goal_or_nothing_against(changes: dict, team: list, rest: float) -> None:
    world = settled({"goals.decree_mandate_share": 0.0} | changes, team=team)
    assert world.opds[0].goal_adoption == pytest.approx(rest, abs=1e-6)


def test_programmes_adapt_to_the_goal_even_where_no_leader_asks_for_it() -> None:
    world = settled({"goals.leadership": 0.0})
    assert column(world, "goal_adoption").max() < 1e-6
    assert column(world, "adaptation").min() > 0.05


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("goals.leadership", (0.0, 0.4, 1.0)),
        ("goals.decree_mandate_share", (0.0, 0.2, 0.6)),
        ("network.decree_targets", (False, True)),
        ("network.decree_in_force", (False, True)),
        ("network.interdependence", (0.0, 0.3, 1.0)),
        ("shocks.leadership_share", (0.0, 0.8, 1.0)),
        ("socialization.meetings_per_year", (0, 2, 10)),
        ("socialization.breadth_share", (0.0, 0.5, 1.0)),
        ("socialization.focal_unit_share", (0.0, 1.0)),
    ],
)
def test_what_speaks_for_the_shared_goal_never_leaves_any_agency_with_less_of_it(
    key: str, values: tuple, seed: int
) -> None:
    worlds = [council({key: value}, seed=seed) for value in values]
    for _ in range(36):
        now = np.array([column(live_months(world, 1), "goal_adoption") for world in worlds])
        assert (np.diff(now, axis=0) >= -1e-12).all()
    assert now[-1].mean() > now[0].mean() + 1e-4


@pytest.mark.parametrize(("key", "values"), [("socialization.turnover_share", (0.0, 0.03, 0.1))])
def test_what_takes_understanding_away_takes_goals_away(key: str, values: tuple) -> None:
    worlds = [after(48, {key: value}) for value in values]
    adopted = np.array([column(world, "goal_adoption") for world in worlds])
    assert (np.diff(adopted, axis=0) <= 1e-12).all()
    assert adopted[-1].mean() < adopted[0].mean()


def test_ego_of_one_agency_lowers_its_own_goal() -> None:
    rest = [settled(team=[agency("dinsos", ego=ego), *TEAM[3:]]).opds[0].goal_adoption for ego in (0.1, 0.5, 0.9)]
    assert rest[0] > rest[1] > rest[2]


# ---- Lebak: programmes adapted, goals kept -------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_at_the_end_of_2022_most_members_in_lebak_have_adapted_programmes_and_kept_their_goals(seed: int) -> None:
    """Supriyanto and Jannah (2022), B30: nearly all adapt at programme level only."""
    opds = {opd.id: opd for opd in simulated(share=TINY, seed=seed, end="2022-12").opds}
    members = [opd for opd in opds.values() if opd.role == "member"]
    displaced = [opd for opd in members if opd.goal_adoption < 0.2 and opd.adaptation > 2 * opd.goal_adoption]
    assert len(displaced) > 0.75 * len(members)
    others = [opd.goal_adoption for id, opd in opds.items() if id not in ("dinkes", "dp3ak2kb", "bapelitbangda")]
    assert min(opds["dinkes"].goal_adoption, opds["dp3ak2kb"].goal_adoption) > 1.5 * max(others)


def test_at_the_end_of_2022_goals_in_lebak_are_highest_at_dinkes_and_dp3ak2kb() -> None:
    """In the mean of some seeds: who is moved when is chance. The coordinator is not among the two in the study."""
    models = [simulated(share=TINY, seed=seed, end="2022-12") for seed in (1, 2, 3, 4, 5, 6)]
    mean = {opd.id: np.mean([model.opds[i].goal_adoption for model in models]) for i, opd in enumerate(models[0].opds)}
    assert set(sorted(mean, key=lambda id: -mean[id])[:2]) == {"dinkes", "dp3ak2kb"}


def test_switched_off_goals_stay_as_they_were_while_understanding_moves() -> None:
    off = simulated(share=TINY, end="2020-12", set={"goals.on": False})
    specs = {spec.id: spec for spec in off.place.opd}
    for opd in off.opds:
        assert opd.goal_adoption == opd.adaptation == specs[opd.id].goal_adoption
    assert [opd.understanding for opd in off.opds] == [
        opd.understanding for opd in simulated(share=TINY, end="2020-12").opds
    ]


# ---- what an adopted goal does: lists, plans -----------------------------------------------------


@given(shares, shares, shares)
def test_agencies_share_lists_because_they_are_told_or_because_they_adopted_the_goal(
    told: float, by_goal: float, adopted: float
) -> None:
    world = council({"registers.sharing_share": told, "goals.sharing_by_goal_share": by_goal})
    for opd in world.opds:
        opd.goal_adoption = adopted
    goals.share_lists(world)
    chance = told + (1 - told) * by_goal * adopted
    assert [opd.shares_joined_list for opd in world.opds] == (world.fixed_draws["shares joined list"] < chance).tolist()


def test_limits_of_sharing() -> None:
    def who(told: float, by_goal: float, adopted: float) -> list[bool]:
        world = council({"registers.sharing_share": told, "goals.sharing_by_goal_share": by_goal})
        for opd in world.opds:
            opd.goal_adoption = adopted
        goals.share_lists(world)
        return [opd.shares_joined_list for opd in world.opds]

    assert not any(who(0.0, 1.0, 0.0)) and not any(who(0.0, 0.0, 1.0))
    assert all(who(1.0, 0.0, 0.0)) and all(who(0.0, 1.0, 1.0))


def test_the_joint_plan_includes_those_who_lead_and_a_share_of_those_in_the_decree() -> None:
    for share, decree, members in (
        (0.0, True, {"bappeda", "dinkes"}),
        (1.0, True, {each.id for each in TEAM if each.in_decree}),
        (1.0, False, {"bappeda", "dinkes"}),
    ):
        world = council({"goals.plan_inclusion_share": share, "network.decree_in_force": decree})
        included = goals.join_plan(world)
        assert {id for id, there in zip(IDS, included) if there} == members
        assert included.tolist() == [opd.in_plan for opd in world.opds]


def test_programmes_are_argued_for_by_their_agency_and_village_money_by_villages() -> None:
    world = council({"goals.plan_inclusion_share": 0.0})
    world.coordination.village_understanding[:] = 0.4
    argued = goals.argued_for(world, 0.5)
    by_programme = dict(zip(("dinkes", "dinsos", "dpmd", "dp3a", "pupr"), argued))
    assert by_programme["dinkes"] == pytest.approx(0.5 * TEAM[1].goal_adoption)  # leads
    assert by_programme["dpmd"] == pytest.approx(0.5 * cascade.village_voice(world)) == pytest.approx(0.2)
    assert by_programme["dinsos"] == by_programme["dp3a"] == by_programme["pupr"] == 0.0  # left out: copies last year
    assert (goals.argued_for(world, 0.0) == 0).all()  # a plan on paper argues for nothing
    assert ((argued >= 0) & (argued <= 1)).all()


@pytest.mark.parametrize("bound", [0.0, 0.3, 1.0])
def test_a_plan_counts_for_no_more_than_the_rembuk_bound_agencies_to(bound: float) -> None:
    world = council({"actions.paper_loss_share": 1.0})
    whole = goals.argued_for(world, 1.0)
    world.coordination.done["rembuk"] = Done(world.month, "bappeda", bound, 1.0)
    assert goals.argued_for(world, 1.0) == pytest.approx(bound * whole)
    assert goals.argued_for(world, 0.2) == pytest.approx(min(bound, 0.2) * whole)


# ---- joint targeting -----------------------------------------------------------------------------


def ready(register: str = "krs", adopted: float = 1.0, **changes: Any) -> Any:
    """A council in which dp3a, the fourth programme's agency, has what joint targeting takes."""
    world = council({"goals.joint_planning_share": 1.0} | changes)
    opd = world.opds[IDS.index("dp3a")]
    opd.register, opd.goal_adoption, opd.adaptation, opd.in_plan = register, adopted, adopted, True
    return world


def test_joint_targeting_takes_a_joint_plan_an_agency_that_follows_it_and_a_list() -> None:
    p = 3
    assert goals.joint_share(ready(), p) == 1.0
    assert goals.joint_share(ready(adopted=0.3), p) == pytest.approx(0.3)
    assert goals.joint_share(ready(adopted=0.0), p) == 0.0
    for share in (0.0, 0.5, 1.0):
        assert goals.joint_share(ready(**{"goals.joint_planning_share": share}), p) == pytest.approx(share)
    left_out = ready()
    left_out.opds[IDS.index("dp3a")].in_plan = False
    assert goals.joint_share(left_out, p) == 0.0


def test_without_the_family_register_in_hand_the_joined_list_will_do_or_what_data_ties_let_through() -> None:
    p, i = 3, IDS.index("dp3a")
    world = ready(register="own")
    world.coordination.ties["data"][:] = 0.0
    assert goals.joint_share(world, p) == 0.0
    world.linked, world.opds[i].shares_joined_list = True, True
    assert goals.joint_share(world, p) == 1.0
    world.linked = False
    keeper = IDS.index("dinsos")
    world.opds[keeper].register = "krs"
    world.coordination.ties["data"][i, keeper] = world.coordination.ties["data"][keeper, i] = 0.4
    assert goals.joint_share(world, p) == pytest.approx(0.4)
    world.opds[keeper].has_programme = False  # who runs nothing keeps nothing that others wait for
    assert goals.joint_share(world, p) == 0.0


def test_ministry_rules_leave_rigid_programmes_no_choice() -> None:
    for rigid, bind, share in ((True, True, 0.0), (True, False, 1.0), (False, True, 1.0)):
        world = ready(**{"registers.ministry_rules_bind": bind})
        world.programmes.rigid[3] = rigid
        assert goals.joint_share(world, 3) == share


@pytest.fixture(scope="module")
def targeting() -> ConvergenceModel:
    """A small Lebak whose agencies all have what joint targeting takes; tests set how far it goes.

    Nothing else leads to the families of the joint list: in the field people keep the order of their agency.
    """
    alone = {"registers.ministry_rules_bind": True, "field.together_share": 0.0}
    model = live(share=0.03, end="2018-06", set=STILL | alone)
    for opd in model.opds:
        opd.register, opd.goal_adoption, opd.adaptation, opd.in_plan = "krs", 1.0, 1.0, True
    return model


def order_of(model: ConvergenceModel, programme: str, share: float) -> tuple[np.ndarray, np.ndarray, Any, Any]:
    """Order of serving the pregnancies and children of a programme's service, their own order, joint list, lokus."""
    world = model.world
    world.settings = forced(world.settings, {"goals.joint_planning_share": share})
    p = world.programmes.id.index(programme)
    s = int(world.programmes.service[p])
    service = world.services[s]
    rows = world.children.window(world.month, service.from_age, service.to_age)
    rank = world.book.rank[s][rows]
    children, at = world.children, np.arange(len(rank))
    columns = (children.key[rows], children.village[rows], world.behind, children.joint[rows])
    first, received = reach.before_others(world).of(p), world.book.received[s][rows]
    order = put_in_order(rank, at, *columns, received, *first, reach.NOBODY, reach.NO_ORDER)
    lokus = world.lokus[world.children.village[rows]]
    return order, rank, world.children.joint[rows], lokus


def test_the_joint_list_is_families_at_risk_each_with_a_lasting_place(targeting: ConvergenceModel) -> None:
    homes = targeting.world.households
    assert ((homes.joint < LAST_PLACE) == homes.in_krs).all()
    listed = homes.joint[homes.in_krs]
    assert len(np.unique(listed)) > 0.95 * len(listed)


def test_without_joint_targeting_everyone_keeps_the_agencys_own_order(targeting: ConvergenceModel) -> None:
    order, rank, *_ = order_of(targeting, "dinkes:pmba:dak", 0.0)
    assert (order == rank).all()


def test_at_full_joint_targeting_families_of_the_list_come_before_all_others(targeting: ConvergenceModel) -> None:
    order, rank, joint, _ = order_of(targeting, "dinkes:pmba:dak", 1.0)
    on_list = joint < LAST_PLACE
    assert 0 < on_list.sum() < len(on_list)
    assert order[on_list].max() < order[~on_list].min()
    for group in (on_list, ~on_list):  # and among themselves the order stays
        assert (np.diff(order[group][np.argsort(rank[group], kind="stable")].astype(int)) >= 0).all()


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_part_of_joint_targeting_puts_that_part_of_the_list_first(targeting: ConvergenceModel, share: float) -> None:
    order, _, joint, _ = order_of(targeting, "dinkes:pmba:dak", share)
    first = joint < np.uint16(share * 65535)
    assert order[first].max() < order[~first].min()
    assert first[joint < LAST_PLACE].mean() == pytest.approx(share, abs=0.08)


def test_lokus_villages_stay_first_where_the_money_follows_them(targeting: ConvergenceModel) -> None:
    order, _, joint, lokus = order_of(targeting, "dinkes:pmba:apbd", 1.0)
    on_list = joint < LAST_PLACE
    assert order[lokus].max() < order[~lokus].min()
    for place in (lokus, ~lokus):
        assert order[place & on_list].max() < order[place & ~on_list].min()


def test_a_rigid_programme_serves_in_its_own_order_whatever_was_planned_jointly(targeting: ConvergenceModel) -> None:
    world = targeting.world
    p = world.programmes.id.index("dinkes:zinc:apbn")
    assert world.programmes.rigid[p]
    order, rank, *_ = order_of(targeting, "dinkes:zinc:apbn", 1.0)
    assert (order == rank).all()


def test_households_of_the_joint_list_are_served_first_by_joint_targeting() -> None:
    """In the district, with every agency willing: more of the families at risk get what was for sale anyway."""
    willing = STILL | {"goals.plan_inclusion_share": 1.0, "network.decree_in_force": True, "goals.on": True}
    willing |= {"goals.leadership": 1.0, "goals.adoption_speed": 0.3}
    willing |= {"network.decree_coverage_share": 1.0, "registers.ministry_rules_bind": False}
    willing |= {"registers.linkage": True, "registers.sharing_share": 1.0}
    ids = [spec.id for spec in ConvergenceModel(rng=1, population_share=TINY, end="2018-01").place.opd]
    willing |= {f"opd.{id}.ego": 0.0 for id in ids}
    reached = []
    for share in (0.0, 1.0):
        world = simulated(share=0.01, end="2021-12", set=willing | {"goals.joint_planning_share": share}).world
        s = next(s for s, service in enumerate(world.services) if service.id == "pmt-child")
        served = world.book.received[s] > 0
        at_risk = world.households.in_krs[world.children.household]
        reached.append(served[at_risk].mean() / served.mean())
    assert reached[1] > reached[0] + 0.02
