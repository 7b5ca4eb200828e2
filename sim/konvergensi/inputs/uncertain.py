"""What is uncertain: parameters that are beliefs about how the world works, and not decisions, events or fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from konvergensi.inputs.parameters import load_parameters

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Parameter

# What a policy decides is no belief, even where nobody measured how it stands today.
POLICY_LEVERS = frozenset(
    """
    socialization.meetings_per_year socialization.decree_meetings_per_year socialization.breadth_share
    socialization.guideline_share socialization.focal_unit_share socialization.turnover_share
    socialization.same_person_share socialization.training_share cascade.meetings_per_year cascade.breadth_share
    cascade.kpm_share cascade.kpm_incentive_rp network.decree_coverage_share network.coordinator_strength
    network.lead_clarity_share network.pendampingan network.tpps_kecamatan_active_share
    network.tpps_desa_active_share goals.leadership goals.joint_planning_share goals.plan_inclusion_share
    review.quality review.score_reward
    """.split()
)
# decided by people, dated by regulation, or events of one time: no belief about how the world works
NO_BELIEF_ROOMS = ("calendar", "shocks", "behaviours")
# what counts only under another structure than the one in force: room -> the choice that uses it
STRUCTURE_OF = {
    "contacts": ("contacts.reach", "contacts"),
    "effects": ("effects.reading", "published"),
}
DECIDED = POLICY_LEVERS | {
    "budget.apbdp_flexibility", "contacts.one_stop_share", "budget.dana_desa_min_share", "registers.sharing_share",
    "registers.by_name_village_share", "review.target_percent",
}  # fmt: skip
# set so that the model meets published figures: drawing them would undo that
FITTED = {
    "growth.mean_laz_0", "growth.mean_laz_3", "growth.mean_laz_9", "growth.mean_laz_18", "growth.mean_laz_30",
    "growth.mean_laz_42", "growth.mean_laz_54", "growth.level_shift_z", "measurement.eppgbm_bias_cm",
    "growth.together_share", "contacts.habit_base", "contacts.seldom_share", "contacts.place_sd",
    "contacts.antenatal_base", "contacts.antenatal_seldom_share", "contacts.facility_birth_base",
    "contacts.present_bonus", "contacts.catch_up_share", "contacts.pack_share",
}  # fmt: skip


def is_uncertain(parameter: Parameter, place: District) -> bool:
    """Whether a parameter is a belief with a range: no choice, nothing fitted, nothing the district says of itself."""
    room, key = parameter.key.partition(".")[0], parameter.key
    if isinstance(parameter.value, (bool, str)) or parameter.low == parameter.high:
        return False
    if room in STRUCTURE_OF and load_parameters()[STRUCTURE_OF[room][0]].value != STRUCTURE_OF[room][1]:
        return False
    if room in NO_BELIEF_ROOMS or key in DECIDED or key in FITTED:
        return False
    own = key.startswith("opd.") or key in place.overrides  # of an agency's state, 0 to 1 is only what may be written
    return not own and not any(key in event.set for event in place.timeline)
