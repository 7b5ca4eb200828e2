"""What may be written of a parameter: the cases people ask about, and the ends of every range."""

import numpy as np
import pytest
from conftest import live

from konvergensi.base.errors import InputError
from konvergensi.inputs.describe import describe
from konvergensi.inputs.parameters import Settings, load_parameters

KNOWN = load_parameters()
ROOMS = sorted({key.partition(".")[0] for key in KNOWN})
ASKED = {  # no turnover, everything decreed and remembered, money without limit of room, nobody reached
    "socialization.turnover_share": 0.0, "network.decree_coverage_share": 1.0, "network.tpps_desa_active_share": 1.0,
    "socialization.rotation_loss_share": 0.0, "budget.inertia": 1.0, "budget.apbd_absorption_share": 1.0,
    "budget.dana_desa_min_share": 1.0, "budget.apbd_room_share": 2.0, "uptake.adherence_share": 1.0,
    "delivery.quality_floor_share": 1.0, "registers.linkage_miss_share": 0.0, "registers.dtks_exclusion_share": 0.0,
    "measurement.eppgbm_entry_share": 0.0, "measurement.survey_error_cm": 0.0, "delivery.contacts_per_staff_month": 0.0,
    "cascade.kpm_unpaid_share": 0.0, "review.target_percent": 0.0, "services.pkh.effect": 0.3,
    "services.pmba.unit_cost_rp": 0.0, "goals.adoption_speed": 0.0, "network.decay_share": 0.0,
}  # fmt: skip


def test_no_range_forbids_the_case_people_ask_about() -> None:
    settings = Settings.defaults().changed(ASKED)
    assert all(settings[key] == value for key, value in ASKED.items())


def test_a_share_may_be_nothing_and_everything() -> None:
    shares = [each for each in KNOWN.values() if each.is_number and each.unit.startswith("share")]
    closed = [each.key for each in shares if each.bounds[0] > 0 or each.bounds[1] < 1]
    # with everybody poor no one is left whom DTKS could list wrongly; births are of two sexes
    assert closed == ["population.male_birth_share", "registers.poor_line_share"]


def test_what_is_drawn_lies_in_what_may_be_written_and_a_refusal_tells_the_latter() -> None:
    for each in KNOWN.values():
        if each.is_number:
            assert each.low is not None and each.high is not None
            assert each.bounds[0] <= each.low <= each.value <= each.high <= each.bounds[1]
    turnover = KNOWN["socialization.turnover_share"]
    assert (turnover.low, turnover.high, turnover.bounds) == (0.005, 0.1, (0.0, 1.0))
    with pytest.raises(InputError, match=r"1.5 is outside \[0, 1\]"):
        turnover.checked(1.5)
    shown = dict(describe("socialization.turnover_share"))
    assert shown["range"] == "0 .. 1" and "drawn from" not in shown  # a lever is not drawn
    assert dict(describe("socialization.learning_share"))["drawn from"] == "0.05 .. 0.5"


@pytest.mark.slow
@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("room", ROOMS)
def test_a_run_lives_through_the_ends_of_what_may_be_written(room: str, end: int) -> None:
    values = {
        key: each.bounds[end] if not isinstance(each.value, int) else int(each.bounds[end])
        for key, each in KNOWN.items()
        if key.startswith(f"{room}.") and each.is_number and each.low != each.high
    }
    with np.errstate(divide="raise", invalid="raise"):
        model = live("baseline", share=0.002, end="2019-01", set=values)
    world = model.world
    there = world.children.window(world.month, 0, 59)
    assert np.isfinite(world.children.z[there]).all() and np.isfinite(world.programmes.spent).all()
    assert (world.programmes.spent <= world.programmes.budgeted + 1e-6 * np.abs(world.programmes.budgeted) + 1).all()
