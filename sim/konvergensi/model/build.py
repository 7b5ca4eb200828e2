"""Builds a world: households, children, agencies, registers and programmes of a district, some years before the run.

The world starts 68 months before the first month of the run, under the district's own settings, so that every child
alive at the start has its months simulated, from conception, in the same way as those that follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from konvergensi.inputs.services import load_services
from konvergensi.mechanisms import budget, growth, meetings, network, registers, uptake, village_money
from konvergensi.mechanisms import settings as settings_rules
from konvergensi.model import births
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS, build_children
from konvergensi.world.coordination import build_coordination
from konvergensi.world.costs import Costs
from konvergensi.world.draws import Draws
from konvergensi.world.households import build_households, village_keys
from konvergensi.world.lists import HandedLists
from konvergensi.world.package import Package
from konvergensi.world.programmes import ServiceBook, build_programmes
from konvergensi.world.registers import Registers
from konvergensi.world.state import World
from konvergensi.world.tally import Tally
from konvergensi.world.villages import Villages

if TYPE_CHECKING:
    from konvergensi.inputs.districts import District
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.agents import Opd

# what chance decides about an agency once and for all
OPD_DRAWS = ("decree", "focal unit", "guideline", "shares joined list", "plan")
BURN_IN_MONTHS = LAST_AGE + PREGNANCY_MONTHS  # simulated before the run by the oldest child alive at its start


def build_world(
    district: District, settings: Settings, seed: int, population_share: float, start: int, end: int, opds: list[Opd]
) -> World:
    """World of the district, BURN_IN_MONTHS before `start`, ready for its first month."""
    draws = Draws(seed)
    first = start - BURN_IN_MONTHS
    services = list(load_services().values())
    households = build_households(district, settings, draws, population_share)
    if settings["contacts.reach"] == "contacts":
        lacks = (district.population[name].value for name in ("no_water_share", "no_latrine_share"))
        meetings.lack_by_place(households, settings, draws, village_keys(district.villages), *lacks)
    # children up to 23 months old in the first month of the burn-in, so that no service's window is ever half empty
    children = build_children(district, settings, draws, households, first - FIRST_1000_DAYS, end + PREGNANCY_MONTHS)
    unit_costs = {s.id: float(settings[f"services.{s.id}.unit_cost_rp"]) for s in services}
    programmes = build_programmes(district, services, [opd.id for opd in opds], unit_costs)
    # money and staff follow the households that were made: a village keeps at least one, however small the share
    made_share = len(households) / float(district.villages["families"].sum())
    budget.first_lines(programmes, services, district, settings, made_share)
    budget.staff_shares(programmes, services)
    budget.routine_meetings(programmes, services)
    villages = district.villages
    keys = village_keys(villages)
    n_children, n_households = len(children), len(households)
    index = {name: i for i, name in enumerate(dict.fromkeys(villages["kecamatan"].tolist()))}
    kecamatan_names = list(index)
    kecamatan = np.array([index[name] for name in villages["kecamatan"].tolist()], np.intp)
    for i, opd in enumerate(opds):
        opd.has_programme = bool((programmes.opd == i).any())
    coordination = build_coordination(district, draws, opds, kecamatan_names, kecamatan, keys)
    world = World(
        district=district,
        settings=settings,
        draws=draws,
        services=services,
        population_share=made_share,
        month=first,
        households=households,
        children=children,
        registers=Registers.empty(draws, children.key, n_households),
        programmes=programmes,
        programmes_of=[np.flatnonzero(programmes.service == s).tolist() for s in range(len(services))],
        book=ServiceBook.build(services, programmes, draws, children.key, households.key),
        tally=Tally(len(services), len(programmes), n_children),
        opds=opds,
        coordination=coordination,
        fixed_draws={name: draws.uniform(name, 0, coordination.opd_keys) for name in OPD_DRAWS},
        village_keys=keys,
        posyandu_quality=villages["posyandu_quality"].to_numpy(np.float32),
        lokus=villages["lokus"].to_numpy(bool),
        behind=np.where(villages["lokus"].to_numpy(bool), np.uint16(0), np.uint16(1 << 15)),
        kecamatan=kecamatan,
        families=np.bincount(households.village, minlength=len(villages)).astype(float),
        village_effect=growth.village_effects(settings, draws, keys),
        village_kit_draw=draws.uniform("posyandu kit", 0, keys),
        village_list_draw=draws.uniform("by-name list", 0, keys),
        villages=Villages.empty(draws, keys, village_money.items(programmes, services)),
        costs=Costs(),
        handed=HandedLists.empty(draws, children.key, households.key, coordination.opd_keys),
        package=Package(services),
        household_chance=np.zeros((2 * len(uptake.KINDS), n_households), np.uint16),
        attendance_score=np.zeros(n_children, np.float32),
        household_score=np.zeros(n_households, np.float32),
        attended=np.zeros(0, bool),
        has_by_name_list=np.zeros(len(villages), bool),
        has_child=np.zeros(n_households, bool),
        in_1000_days=np.zeros(n_households, bool),
        at_risk=np.zeros(n_households, bool),
        month_shift=np.zeros(n_children, np.float32),
        month_services=np.zeros(n_children, np.uint8),
    )
    settings_rules.settle_agencies(world)
    network.begin(world)
    _settle(world)
    return world


def _settle(world: World) -> None:
    """Registers, chances and children as they are before the first month of the burn-in."""
    settings, draws, month = world.settings, world.draws, world.month
    households, children, registry = world.households, world.children, world.registers
    total = world.district.population
    registers.refresh_dtks(households, settings, draws, month, total["dtks_share"].value, everyone=True)
    registers.refresh_krs(households, registry, settings, draws)
    world.has_by_name_list = world.village_list_draw < settings["registers.by_name_village_share"]
    refresh_households(world)
    there = children.window(month, -PREGNANCY_MONTHS + 1, LAST_AGE)
    registers.draw_up_joint_list(households, children, draws, there)
    births.enter(world, there)
    births.carry_household(world)
    # under-twos alive already: born before, deviation in its stationary spread
    births.give_birth(world, children.window(month, 0, LAST_AGE))
    registers.draw_up_lists(children, households, registry, settings, 0)
    budget.open_year(world.programmes, settings)


def refresh_households(world: World) -> None:
    """Work out what follows from households' present state: chances of uptake, attendance, risks (in place)."""
    in_use = {uptake.row_of(each) for s, each in enumerate(world.services) if len(world.book.fixed_draws[s])}
    common = uptake.common_odds(world.households, world.settings)
    uptake.set_chances(world.household_chance, world.households, world.settings, in_use, common)
    for s, service in enumerate(world.services):
        if service.unit == "household" and len(world.book.fixed_draws[s]):
            chance = world.household_chance[uptake.row_of(service)]
            np.less(world.book.fixed_draws[s], chance, out=world.book.willing[s])
    if world.settings["contacts.reach"] == "contacts":
        world.household_score = meetings.attendance(world, common)
    else:
        world.household_score = uptake.attendance_score(
            world.households, world.settings, world.draws, world.posyandu_quality
        )
    world.at_risk = registers.risks(world.households) >= 1
