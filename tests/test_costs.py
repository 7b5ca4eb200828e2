"""What coordination costs, who pays, and what it displaces."""

import copy
from typing import Any

import numpy as np
import pytest
from conftest import finished, live, simulated

from konvergensi.inputs.parameters import load_parameters
from konvergensi.mechanisms import costs
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.costs import FROM_ABOVE, PAID_FROM

END: dict[str, Any] = {"end": "2019-12", "share": 0.01}


def year(model: ConvergenceModel, column: str) -> dict[str, float]:
    table = finished(model).coordination_money
    return dict(table[table["year"] == 2019].set_index("item")[column])


def pair(policy: str, rule: str) -> ConvergenceModel:
    return simulated(policy, set={"costs.paid": rule}, **END)


def spent(model: ConvergenceModel, source: str) -> float:
    money = finished(model).money
    return float(money[(money["source"] == source) & (money["year"] == 2019)]["budgeted_rp"].sum())


# lever -> what it makes dearer
DEARER = {
    "socialization.meetings_per_year": "meetings",
    "cascade.meetings_per_year": "rounds",
    "cascade.breadth_share": "rounds",
    "socialization.guideline_share": "guidelines",
    "socialization.focal_unit_share": "focal-units",
    "socialization.training_share": "training",
    "villages.kpm_trained_share": "kpm-training",
    "lists.sharing_share": "lists",
    "registers.linkage": "lists",
    "villages.triggering_share": "sanitation",
    "cascade.kpm_incentive_rp": "kpm-pay",
    "villages.rembuk_share": "village-councils",
    "network.pendampingan": "accompaniment",
    "villages.grant_rp": "grants",
    "province.accompaniment": "accompaniment",
    "province.aid_rp": "province",
    "partners.campaign_share": "campaigns",
    "partners.university_share": "universities",
}


@pytest.fixture(scope="module")
def january() -> ConvergenceModel:
    return live(end="2018-01", share=0.005)


@pytest.mark.parametrize(("lever", "item"), DEARER.items())
def test_more_coordination_costs_more(january: ConvergenceModel, lever: str, item: str) -> None:
    world = copy.deepcopy(january).world
    few = costs.yearly(world)[item]
    known = load_parameters()[lever]
    most = True if known.value is False else known.high
    before, world.settings = world.settings, world.settings.changed({lever: most})
    world.coordination.take_settings(world.settings)
    for i, opd in enumerate(world.opds):
        fixed = {name: float(values[i]) for name, values in world.fixed_draws.items()}
        opd.take_settings(world.settings, before, fixed)
    assert costs.yearly(world)[item] > few


def test_every_item_has_a_lever_that_makes_it_dearer() -> None:
    assert set(DEARER.values()) == set(PAID_FROM)


def test_the_baseline_pays_for_nothing_beyond_what_it_did() -> None:
    assert not any(year(simulated(**END), "more_rp").values())
    assert not any(year(simulated(**END), "displaced_rp").values())


@pytest.mark.parametrize("policy", ["village-teams", "massive-socialization"])
def test_in_place_services_lose_what_coordination_takes_and_on_top_they_lose_nothing(policy: str) -> None:
    place, top, free = (pair(policy, rule) for rule in ("in-place", "on-top", "free"))
    more, lost = year(place, "more_rp"), year(place, "displaced_rp")
    local = [item for item in PAID_FROM if item not in FROM_ABOVE]
    assert sum(lost[item] for item in local) == pytest.approx(sum(more[item] for item in local), rel=0.2)
    assert all(lost[item] <= more[item] + 1e-6 for item in PAID_FROM)
    assert not any(lost[item] for item in FROM_ABOVE)
    assert not any(year(top, "displaced_rp").values())
    source = "dana-desa" if policy == "village-teams" else "apbd"
    assert spent(place, source) < spent(top, source)
    np.testing.assert_array_equal(top.world.children.z, free.world.children.z)  # money on top changes no child


def test_displaced_money_leaves_the_lines_and_no_line_falls_below_what_is_released() -> None:
    world = live(end="2018-03", share=0.01).world
    before, released = world.programmes.budgeted.copy(), world.programmes.released.copy()
    taken = costs.displace(world, "apbd", 1e6)
    assert taken == pytest.approx(1e6)
    assert before.sum() - world.programmes.budgeted.sum() == pytest.approx(taken)
    assert costs.displace(world, "apbd", 1e15) < 1e15  # no more than there is
    assert (world.programmes.budgeted >= released - 1e-6).all()


def test_a_meeting_called_off_is_not_paid_for() -> None:
    world = live(end="2018-01", share=0.005).world
    all_held = costs.yearly(world)["meetings"]
    world.settings = world.settings.changed({"shocks.meeting_open_share": 0.0})
    assert costs.yearly(world)["meetings"] == 0.0 < all_held


def test_a_comparison_says_what_coordination_costs_and_displaces() -> None:
    import konvergensi as kv

    found = kv.compare(
        ["baseline", "village-teams"], draws=0, seeds=1, population_share=0.005, end="2019-12", workers=1
    )
    end = found.comparison[found.comparison["policy"] == "village-teams"].set_index("measure")["mean"]
    assert end["coordination_rp"].max() > 0.0
    assert end["displaced_rp"].max() > 0.0
    assert found.cost_effect.query("policy == 'village-teams'")["d_cost_rp"].notna().all()
