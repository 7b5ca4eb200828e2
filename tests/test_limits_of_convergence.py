"""Business as usual goes on where nothing converges; and where everything does, money and evidence still bind."""

import itertools
from typing import Any

import numpy as np
import pytest
from conftest import finished, ledger, simulated

from konvergensi.inputs.parameters import Settings, load_parameters
from konvergensi.inputs.services import Service, load_services
from konvergensi.mechanisms import budget, effects, growth
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.programmes import SOURCES

SHARE = 0.02
YEARS = range(2018, 2025)
SERVICES = load_services()
TINY = 0.003
OPDS = [spec.id for spec in ConvergenceModel(rng=1, population_share=TINY, end="2018-01").place.opd]
LEVELS = ("understanding", "institutional_understanding", "goal_adoption")

# no understanding, no goals, no meetings, no rounds, no help, nothing shared, and plans after every door
NOTHING: dict[str, Any] = {f"opd.{id}.{name}": 0.0 for id in OPDS for name in LEVELS}
NOTHING |= {f"opd.{id}.{name}": False for id in OPDS for name in ("in_decree", "focal_unit", "guideline")}
NOTHING |= dict.fromkeys(("socialization.meetings_per_year", "cascade.meetings_per_year"), 0)
NOTHING |= dict.fromkeys(("network.decree_in_force", "socialization.guideline_in_force", "registers.linkage"), False)
NOTHING |= dict.fromkeys(
    (
        "network.pendampingan", "network.coordinator_strength", "goals.leadership", "goals.joint_planning_share",
        "goals.plan_inclusion_share", "goals.sharing_by_goal_share", "registers.sharing_share",
        "registers.by_name_village_share", "budget.apbdp_flexibility", "budget.dana_desa_min_share",
        "cascade.kecamatan_start", "cascade.village_start", "cascade.lokus_start", "cascade.kpm_share",
        "cascade.coaching_share", "cascade.list_fetch_share",
    ),
    0.0,
)  # fmt: skip
NOTHING |= {"calendar.aksi_1_month": 12, "calendar.aksi_2_month": 12, "calendar.aksi_3_month": 12}
NOTHING |= {"calendar.aksi_4_month": 12, "review.quality": 0.0}

# the three gaps closed, and all that no gap holds at its best
CLOSED = "close-socialization+close-data+close-timing"
EVERYTHING: dict[str, Any] = {f"opd.{id}.{name}": 1.0 for id in OPDS for name in (*LEVELS, "skill", "mandate")}
EVERYTHING |= {f"opd.{id}.{name}": True for id in OPDS for name in ("in_decree", "focal_unit", "guideline")}
EVERYTHING |= {f"opd.{id}.ego": 0.0 for id in OPDS}
EVERYTHING |= dict.fromkeys(
    (
        "network.pendampingan", "network.coordinator_strength", "goals.leadership", "goals.joint_planning_share",
        "goals.plan_inclusion_share", "socialization.training_share", "review.quality", "network.decree_coverage_share",
    ),
    1.0,
)  # fmt: skip
EVERYTHING |= {"network.decree_in_force": True, "network.decree_targets": True, "shocks.on": False}
# what coordination costs is taken out of lines in the middle of the year: of that, a test of its own
EVERYTHING |= {"costs.paid": "free"}
EVERYTHING |= {"budget.inertia": 0.0, "budget.proposal_share": 1.0, "actions.paper_loss_share": 0.0}


@pytest.fixture(scope="module")
def nothing() -> ConvergenceModel:
    return simulated(share=SHARE, set=NOTHING)


@pytest.fixture(scope="module")
def everything() -> ConvergenceModel:
    return simulated(CLOSED, share=SHARE, set=EVERYTHING)


def test_the_two_ends_are_as_far_apart_as_they_claim(nothing: ConvergenceModel, everything: ConvergenceModel) -> None:
    for opd in nothing.opds:
        assert opd.known == opd.goal_adoption == 0.0 and opd.adaptation < 0.01, opd.id
    state = nothing.world.coordination
    assert state.village_understanding.max() == state.kecamatan_understanding.max() == 0.0
    assert not nothing.world.linked and not nothing.world.has_by_name_list.any()
    for opd in everything.opds:
        assert opd.known > 0.7 and opd.goal_adoption > 0.9 and opd.shares_joined_list, opd.id  # persons still move
    assert np.mean([opd.known for opd in everything.opds]) > 0.85
    assert everything.world.linked and everything.world.has_by_name_list.all()
    every = {key for key in (*NOTHING, *EVERYTHING) if not key.startswith("opd.")}
    assert every <= set(load_parameters())


# ---- nothing converges: business as usual --------------------------------------------------------


def test_without_any_convergence_every_routine_service_with_a_line_is_delivered_every_year(
    nothing: ConvergenceModel,
) -> None:
    units, budgeted = ledger(nothing, "units"), ledger(nothing, "budgeted")
    service = [name.split(":")[1] for name in units]
    for year in YEARS:
        december = year * 12 + 11
        delivered = units.loc[december].groupby(service).sum()
        lines = budgeted.loc[december].groupby(service).sum()
        assert (lines > 0).all()
        assert (delivered > 0).all(), (year, list(delivered.index[delivered == 0]))


def test_without_any_convergence_most_of_the_money_is_spent_all_the_same(nothing: ConvergenceModel) -> None:
    spent, budgeted = ledger(nothing, "spent"), ledger(nothing, "budgeted")
    for year in YEARS:
        share = spent.loc[year * 12 + 11].sum() / budgeted.loc[year * 12 + 11].sum()
        assert share > (0.4 if year in (2020, 2021) else 0.6), year


def test_without_any_convergence_no_agency_argues_for_more(nothing: ConvergenceModel) -> None:
    planned = ledger(nothing, "planned")
    assert (planned.iloc[-1] <= planned.iloc[0] * (1 + 1e-9)).all()


def test_without_any_convergence_routine_programmes_still_keep_children_from_stunting(
    nothing: ConvergenceModel,
) -> None:
    bare = simulated(share=SHARE, set=NOTHING | {"delivery.programmes_on": False})
    low, without = (growth.stunted(model.world.children.z[under_fives(model)[0]]) for model in (nothing, bare))
    assert low.mean() < without.mean()
    assert (low <= without).all()  # nobody is stunted by a service


def test_poor_delivery_has_at_least_the_quality_of_its_floor(nothing: ConvergenceModel) -> None:
    settings = nothing.world.settings
    floor = settings["delivery.quality_floor_share"]
    for opd in nothing.opds:
        by_skill = settings["delivery.skill_weight"] * opd.skill * (settings["delivery.quality_full_share"] - floor)
        assert opd.quality(settings) == pytest.approx(floor + by_skill)


# ---- everything converges: money and evidence bind -----------------------------------------------


def test_at_its_best_no_programme_spends_more_than_its_budget(everything: ConvergenceModel) -> None:
    stages = [ledger(everything, stage).to_numpy() for stage in ("planned", "budgeted", "released", "spent")]
    for more, less in itertools.pairwise(stages):
        assert (more >= less * (1 - 1e-9) - 1e-6).all()
    most = budget.absorption_of(everything.world)[everything.world.programmes.source]
    assert (stages[3] <= most * stages[1] * (1 + 1e-9) + 1e-6).all()


def test_at_its_best_budgets_never_exceed_last_years_lines_and_the_room_there_is(everything: ConvergenceModel) -> None:
    budgeted = ledger(everything, "budgeted")
    source = np.array(SOURCES)[everything.world.programmes.source]
    grown = []
    for year in YEARS[1:]:
        for name in SOURCES:
            before, now = (budgeted.loc[each * 12 + 11][source == name].sum() for each in (year - 1, year))
            room = everything.world.settings[f"budget.{name.replace('-', '_')}_room_share"]
            assert now <= before * (1 + room) * (1 + 1e-9) + 1e-6, (name, year)
            grown.append(now > before)
    assert np.mean(grown) > 0.5  # the ceiling is met, not only kept


def test_with_a_fixed_envelope_even_the_best_coordination_brings_not_a_rupiah_more() -> None:
    equal = {"budget.envelope": "fixed", "shocks.on": False, "costs.paid": "free"}
    usual, best = (
        ledger(simulated(scenario, share=TINY, set=changes | equal), "budgeted")
        for scenario, changes in (("baseline", {}), (CLOSED, EVERYTHING))
    )
    assert best.sum(axis=1).to_numpy() == pytest.approx(usual.sum(axis=1).to_numpy(), rel=1e-9)


def test_what_coordination_costs_and_what_is_left_for_services_are_together_the_same_money() -> None:
    equal = {"budget.envelope": "fixed", "shocks.on": False, "costs.paid": "in-place"}
    found = []
    for scenario, changes in (("baseline", {}), (CLOSED, EVERYTHING)):
        run = finished(simulated(scenario, share=TINY, set=changes | equal))
        lines, taken = run.money.groupby("year")["budgeted_rp"].sum(), run.coordination_money.groupby("year")
        found.append((lines + taken["displaced_rp"].sum(), taken["displaced_rp"].sum()))
    (usual, _), (best, displaced) = found
    assert best.to_numpy() == pytest.approx(usual.to_numpy(), rel=1e-6)
    assert (displaced > 0).all()


def test_at_its_best_delivery_has_the_full_quality_of_trials_done_by_local_government_and_no_more(
    everything: ConvergenceModel,
) -> None:
    settings = everything.world.settings
    full = settings["delivery.quality_full_share"]
    assert full <= 1.0
    for opd in everything.opds:
        assert 0.85 * full < opd.quality(settings) <= full + 1e-12


def whole_effect(model: ConvergenceModel, service: Service) -> np.ndarray:
    """What a service adds at full adherence and full quality of a trial, cumulated by age -9..59, (69,); z or g."""
    effect = model.world.settings[f"services.{service.id}.effect"]
    return np.cumsum(np.maximum(growth.monthly_shift(service, effect, model.world.settings), 0.0))


def of_trials(model: ConvergenceModel, unit_is_g: bool) -> np.ndarray:
    every = [each for each in model.world.services if (each.effect.unit == "g") == unit_is_g]
    return np.sum([whole_effect(model, each) for each in every], axis=0)


def by_dose(model: ConvergenceModel, service: Service) -> np.ndarray:
    """The most z a service can have added by age -9..59, (69,), if every month until then brought a delivery.

    Only deliveries inside the window of the effect add, and nothing after the trial's dose; works by months, see
    `whole_effect`.
    """
    if service.place.built:
        return whole_effect(model, service)
    size = np.maximum(effects.size_by_age(service, model.world.settings), 0.0)
    age = np.arange(-PREGNANCY_MONTHS, LAST_AGE + 1)
    deliveries = np.cumsum((size > 0) & (age >= service.from_age) & (age <= service.to_age))
    assert service.trial is not None
    return size.max() * np.minimum(deliveries / (service.trial.doses * service.trial.delivered_share), 1.0)


def under_fives(model: ConvergenceModel) -> tuple[slice, np.ndarray]:
    world = model.world
    rows = world.children.window(world.month - 1, 0, LAST_AGE)
    return rows, world.children.ages(world.month - 1, rows)


def test_at_its_best_no_child_gains_more_than_all_trials_together_have_shown(everything: ConvergenceModel) -> None:
    assert effects.combination(everything.world).together <= 1.0  # never more than adding
    assert everything.world.settings["effects.dose_response"] == "plateau"
    rows, age = under_fives(everything)
    children = everything.world.children
    most = np.sum([by_dose(everything, each) for each in everything.world.services if each.effect.unit != "g"], axis=0)
    assert most[PREGNANCY_MONTHS + 5] < 0.2 < 0.5 < most[PREGNANCY_MONTHS + FIRST_1000_DAYS]
    assert (children.gain[rows] <= most[PREGNANCY_MONTHS + age] + 1e-5).all()
    grams = of_trials(everything, unit_is_g=True)[-1]
    assert (children.weight_gain[rows] <= grams * (1 + 1e-5)).all()
    assert children.gain[rows].max() > 0.1


@pytest.mark.parametrize(
    "service", [each for each in SERVICES.values() if each.venue != "works"], ids=lambda service: service.id
)
def test_no_birth_month_lets_a_service_count_more_months_than_its_trial_had(service: Service) -> None:
    """Every delivery that a child can get inside the 1,000 days, for the most favourable birth month."""
    shift = growth.monthly_shift(service, 1.0, Settings.defaults())[: PREGNANCY_MONTHS + FIRST_1000_DAYS + 1]
    by_birth_month = []
    for born in range(12):
        ages = range(service.from_age, min(service.to_age, FIRST_1000_DAYS) + 1)
        given_at = [age for age in ages if (born + age) % 12 + 1 in service.months]
        each = [shift[PREGNANCY_MONTHS + age] * growth.months_per_delivery(service) for age in given_at]
        by_birth_month.append(sum(sorted(each)[-service.duration_months :]))
    assert max(by_birth_month) <= shift.sum() * (1 + 1e-5)


def test_at_its_best_prevalence_is_not_below_that_of_a_world_in_which_every_service_reached_everyone(
    everything: ConvergenceModel,
) -> None:
    """The same children, each with the whole effect of every service, in pregnancy and after, and no birth at risk."""
    rows, age = under_fives(everything)
    children, settings = everything.world.children, everything.world.settings
    gained = of_trials(everything, unit_is_g=False)[PREGNANCY_MONTHS + age]
    at_birth = growth.birth_length_z(settings) * (
        of_trials(everything, unit_is_g=True)[-1] - children.weight_gain[rows]
    )
    spaced = abs(settings["growth.four_too_effect_z"])
    ideal = children.z[rows] - children.gain[rows] + gained + at_birth + spaced
    assert (ideal >= children.z[rows] - 1e-5).all()
    best, usual = (float(growth.stunted(z).mean()) for z in (children.z[rows], baseline_z()))
    assert float(growth.stunted(ideal).mean()) < best < usual


def baseline_z() -> np.ndarray:
    model = simulated(share=SHARE, set={"shocks.on": False})
    return model.world.children.z[under_fives(model)[0]]


def test_between_the_ends_lies_the_district_as_it_is(nothing: ConvergenceModel, everything: ConvergenceModel) -> None:
    usual = simulated(share=SHARE)
    gains = [model.world.children.gain[under_fives(model)[0]].mean() for model in (nothing, usual, everything)]
    assert gains[0] < gains[1] < gains[2]
