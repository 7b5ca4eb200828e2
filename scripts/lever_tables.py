"""Tables of docs/levers.md: what a policy can set, in both languages, from the parameter files; and which policy does.

Which keys a policy decides, and which describe how people and offices behave, is a judgement, and is written here.
Meaning, value and range are those of mechanisms/*.toml.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from odd_tables import Stale, table

from konvergensi.base.errors import format_value
from konvergensi.inputs.agencies import SHARE_LEVERS
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import list_scenarios, load_scenario
from konvergensi.world.agents import OPD_FIELDS

LEVERS = {
    "lever-socialization": "meetings_per_year breadth_share guideline_in_force guideline_share juknis focal_unit_share "
    "turnover_share same_person_share training_share",
    "lever-cascade": "meetings_per_year breadth_share kpm_share kpm_incentive_rp",
    "lever-network": "decree_in_force decree_coverage_share decree_targets coordinator_strength lead_clarity_share "
    "pendampingan tpps_kecamatan_active_share tpps_desa_active_share",
    "lever-goals": "leadership joint_planning_share plan_inclusion_share",
    "lever-registers": "linkage sharing_share by_name_village_share ministry_rules_bind",
    "lever-calendar": "aksi_1_month aksi_2_month aksi_3_month aksi_4_month aksi_5_month aksi_6_month aksi_7_month "
    "aksi_8_month reform_analysis_month reform_plan_month reform_review_month",
    "lever-budget": "apbd_room_share dak_room_share apbdp_flexibility dana_desa_min_share apbn_follow_lokus "
    "dak_follow_lokus apbd_follow_lokus envelope",
    "lever-review": "quality score_reward",
    "lever-shocks": "on meeting_open_share mutasi_share leadership_share",
}
OPD_WORDS = {
    "understanding": ("what its people in charge understand", "pemahaman penanggung jawabnya"),
    "institutional_understanding": ("what its files and routines hold", "pemahaman lembaga: arsip dan kebiasaan kerja"),
    "goal_adoption": ("how far the shared goal is its own", "seberapa jauh tujuan bersama menjadi tujuannya"),
    "ego": ("sectoral ego: weight of its own targets", "ego sektoral: bobot target sendiri"),
    "mandate": ("how far stunting is in its tasks", "seberapa jauh stunting termasuk tugasnya"),
    "skill": ("how well its people do what they do", "keterampilan petugasnya"),
    "in_decree": ("named in the decree", "tercantum dalam SK"),
    "focal_unit": ("has a section responsible for stunting", "punya unit khusus stunting"),
    "guideline": ("has the handbook in hand", "memegang buku pedoman"),
}
MOVING = OPD_FIELDS[:3]  # move by themselves from then on
SHOWN_POLICIES = 2  # beside a lever: those that set least beside it


@functools.cache
def keys_by_policy() -> dict[str, frozenset[str]]:
    """What each shipped policy sets, the most particular policy first."""
    found = {name: frozenset(change.key for change in load_scenario(name).changes) for name in list_scenarios()}
    return dict(sorted(found.items(), key=lambda item: (len(item[1]), item[0])))


def policies(key: str) -> str:
    """The shipped policies that set a lever, the most particular ones."""
    found = [f"`{name}`" for name, keys in keys_by_policy().items() if key in keys]
    if not found:
        raise Stale(f"no policy in scenarios/policies sets {key}")
    return ", ".join(found[:SHOWN_POLICIES])


def levers(name: str) -> str:
    """One group of levers: key, meaning in both languages, value where no district or policy sets another, range."""
    known, room = load_parameters(), name.removeprefix("lever-")
    rows = []
    for each in LEVERS[name].split():
        p = known[f"{room}.{each}"]
        rows.append((f"`{p.key}`", p.meaning, p.arti, format_value(p.value), p.range_text(), p.unit, policies(p.key)))
    return table(("Key", "What it is", "Apa itu", "Value", "Range", "Unit", "Policies"), rows)


def opd_levers() -> str:
    """What a policy can set of one agency."""
    if missing := [name for name in OPD_FIELDS if name not in OPD_WORDS]:
        raise Stale(f"say in scripts/lever_tables.py: OPD_WORDS what {', '.join(missing)} of an agency is")
    rows = []
    for name in OPD_FIELDS:
        en, arti = OPD_WORDS[name]
        en, arti = (f"{en}; moves on from there", f"{arti}; lalu bergerak sendiri") if name in MOVING else (en, arti)
        rows.append((f"`opd.<id>.{name}`", en, arti, "0 .. 1" if name in SHARE_LEVERS else "true, false"))
    return table(("Key", "What it is", "Apa itu", "Range"), rows)


def _maker(name: str) -> Callable[[], str]:
    return lambda: levers(name)


LEVER_TABLES: dict[str, Callable[[], str]] = {name: _maker(name) for name in LEVERS} | {"lever-opd": opd_levers}
