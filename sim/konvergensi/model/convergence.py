"""The model: one district, month by month. `step` is a table of contents; the work is done in mechanisms/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mesa
import networkx as nx
import numpy as np

from konvergensi.base.months import format_month
from konvergensi.base.startup import started
from konvergensi.inputs.arguments import name, optional, public
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.extensions import in_force
from konvergensi.inputs.options import check_options
from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.mechanisms import (
    actions,
    budget,
    calendar,
    caregivers,
    cascade,
    costs,
    delivery,
    drift,
    effects,
    goals,
    growth,
    lists,
    network,
    places,
    policy_money,
    province,
    registers,
    review,
    socialization,
    uptake,
    village_money,
    villages,
    wealth,
)
from konvergensi.mechanisms import settings as settings_rules
from konvergensi.model import births
from konvergensi.model.build import BURN_IN_MONTHS, build_world, refresh_households
from konvergensi.model.extensions import check, columns, observe, placed
from konvergensi.observe import measure
from konvergensi.observe.recorder import Recorder
from konvergensi.world.agents import Household, Kecamatan, Opd, Village
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS
from konvergensi.world.network import build_network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from konvergensi.inputs.scenarios import Resolved, Scenario

# The order of the month is a modelling claim: see docs/odd.md, "Process overview and scheduling".
MONTH = (
    "open_month",
    "births_and_ageing",
    "rotate_staff",
    "meet_and_tell",
    "adopt_goals",
    "carry_out_actions",
    "plan_and_budget",
    "go_to_posyandu",
    "refresh_registers",
    "release_money",
    "deliver_services",
    "grow_children",
    "measure_children",
    "record",
)
LAST_SEED = 2**31 - 1


# what Mesa's DataCollector asks each month: functions with names, so that a model can be pickled
def _last_month(model: ConvergenceModel) -> str:
    return format_month(model.world.month - 1)


def _seed(model: ConvergenceModel) -> int:
    return model.seed_used


class ConvergenceModel(mesa.Model):
    """A district as a Mesa model; each `step()` is one month.

    Parameters: scenario and district, a name or a path (scenario None: the model stops where its burn-in ends,
    and `begin` puts a scenario in force); rng, the integer seed of all draws (None: taken from the operating system
    and kept in `seed_used`); population_share in (0, 1], the share of households simulated one to one; start and
    end, the first and last month, "YYYY-MM"; set, parameter values in force from the beginning of the burn-in;
    trace_children, how many children to follow from birth; extensions, files or names of installed ones (None: those
    in force; see docs/extending.md).

    Raises InputError naming what is wrong with the input.
    """

    @public(scenario=optional(name))
    def __init__(
        self,
        scenario: str | None = "baseline",
        district: str = "lebak",
        rng: int | None = None,
        population_share: float = 1.0,
        start: str = "2018-01",
        end: str = "2024-12",
        set: Mapping[str, Any] | None = None,
        trace_children: int = 0,
        extensions: Sequence[str | Path] | str | Path | None = None,
    ) -> None:
        with in_force(extensions) as self.extensions:
            check(self.extensions, MONTH, ConvergenceModel)
            self._build(scenario, district, rng, population_share, start, end, set, trace_children)

    def _build(
        self,
        scenario: str | None,
        district: str,
        rng: int | None,
        population_share: float,
        start: str,
        end: str,
        set: Mapping[str, Any] | None,
        trace_children: int,
    ) -> None:
        """Build the district and live its past."""
        started()
        self._mechanisms = placed(self.extensions)
        seed = int(np.random.SeedSequence().entropy % LAST_SEED) if rng is None else int(rng)  # type: ignore[operator]
        self.first_month, self.last_month = check_options(
            start=start, end=end, seed=seed, population_share=population_share, trace_children=trace_children
        )
        super().__init__(rng=seed)
        self.seed_used, self.population_share = seed, population_share
        self.policy = load_scenario(scenario or "baseline")
        self.place = find_district(district)
        span = (self.first_month, self.last_month)
        resolved = resolve(self.policy, self.place, set, *span)
        # the past is simulated under the district's own history, not under the scenario
        past = (self.first_month - BURN_IN_MONTHS, self.last_month)
        before = self.policy if scenario in (None, "baseline") else load_scenario("baseline")
        simulated = resolve(before, self.place, set, *past)
        self.changes = simulated.changes
        self._make_agents()
        self.world = build_world(
            self.place, simulated.initial, seed, population_share, self.first_month, self.last_month, self.opds
        )
        self.recorder = Recorder(self.world, 0)
        self.running: bool = True
        self.datacollector = mesa.DataCollector(
            model_reporters={"month": _last_month, "seed": _seed, "prevalence": ConvergenceModel.prevalence}
        )
        while self.world.month < self.first_month:
            self.live_month()
        if scenario is not None:
            self.begin(self.policy, resolved, trace_children)

    def begin(self, policy: Scenario, resolved: Resolved, trace_children: int = 0) -> None:
        """The burn-in is over: the scenario is in force, agencies begin to move, counting begins."""
        self.follow(policy, resolved)
        costs.begin(self.world)
        settings_rules.change(self.world, resolved.initial)
        network.begin(self.world)
        village_money.begin(self.world)
        self.world.burn_in = False
        self.recorder = Recorder(self.world, trace_children, columns(self.extensions))

    def follow(self, policy: Scenario, resolved: Resolved) -> None:
        """Take this scenario's changes from this month on, and its name. Its past must have been the same."""
        self.policy = policy
        self.initial, self.changes, self.change_log = resolved.initial, resolved.changes, resolved.log

    def _make_agents(self) -> None:
        self.opds = [Opd(self, spec) for spec in self.place.opd]
        if not any(opd.role == "coordinator" for opd in self.opds):
            self.opds[0].role = "coordinator"
        told = ("village", "kecamatan", "lokus", "remoteness", "posyandu_quality")
        villages = list(zip(*(self.place.villages[name].tolist() for name in told), strict=True))
        names = list(dict.fromkeys(kecamatan for _, kecamatan, *_ in villages))
        self.kecamatan = [Kecamatan(self, name, i) for i, name in enumerate(names)]
        by_name = dict(zip(names, self.kecamatan, strict=True))
        self.villages = [
            Village(self, i, name, by_name[kecamatan], *rest) for i, (name, kecamatan, *rest) in enumerate(villages)
        ]
        # Mesa 3.3 counts agents in a table of models that never forgets one: a batch would keep them all in memory
        getattr(mesa.Agent, "_ids", {}).pop(self, None)

    @property
    def network(self) -> nx.MultiGraph:
        """The coordination network as it is now, made anew each time it is asked for."""
        state, decreed_only = self.world.coordination, self.world.settings["cascade.inactive_team_share"]
        return build_network(self.opds, self.kecamatan, self.villages, state, decreed_only)

    def step(self) -> None:
        """One month of the run; the model stops after its last month."""
        if not self.running or self.world.month > self.last_month:
            self.running = False
            return
        self.live_month()
        self.running = self.world.month <= self.last_month
        self.datacollector.collect(self)

    def live_month(self) -> None:
        """The month as a table of contents, with what extensions do before and after its parts."""
        for part in MONTH:
            self._live_extensions("before", part)
            getattr(self, part)()
            self._live_extensions("after", part)
        self.world.month += 1

    def _live_extensions(self, side: str, part: str) -> None:
        for mechanism in self._mechanisms.get((side, part), ()):
            mechanism(self.world)

    # ---- the parts of the month --------------------------------------------------------------------------------------

    def open_month(self) -> None:
        """What is dated to this month comes into force; in January the year and its money begin."""
        world = self.world
        dated = {change.key: change.value for change in self.changes if change.month == world.month}
        if dated:
            settings_rules.change(world, world.settings.changed(dated), dated)
        if world.month_of_year == 1:
            if not world.burn_in and world.settings["caregivers.on"]:
                caregivers.learn(world)
            wealth.move(world.households, world.settings, world.draws, world.month)
            refresh_households(world)
            births.carry_household(world)
            places.new_year(world)
            budget.open_year(world.programmes, world.settings)
            if not world.burn_in and world.settings["villages.on"]:
                if world.settings["villages.choosing"]:
                    village_money.open_year(world)
                villages.trigger_sanitation(world)
            if not world.burn_in:
                province.give(world)
                drift.press(world)
        if policy_money.apply(world) or world.month_of_year == 1:
            budget.staff_shares(world.programmes, world.services)

    def births_and_ageing(self) -> None:
        """Conceptions enter; children conceived nine months ago are born. Ageing is the move of the windows."""
        world = self.world
        births.enter(world, world.children.window(world.month, -PREGNANCY_MONTHS, -PREGNANCY_MONTHS))
        births.give_birth(world, world.children.window(world.month, 0, 0))

    def go_to_posyandu(self) -> None:
        """Who is brought to the posyandu this month."""
        world = self.world
        world.attended = uptake.attend(
            world.children,
            world.attendance_score,
            world.settings,
            world.draws,
            world.village_keys,
            world.month,
            world.month_of_year,
        )
        if not world.burn_in and world.settings["villages.on"]:
            villages.bring(world)

    def rotate_staff(self) -> None:
        """Persons in charge are moved, and what they did not hand over is gone."""
        if not self.world.burn_in and self.world.settings["socialization.on"]:
            socialization.rotate(self.world)

    def meet_and_tell(self) -> None:
        """Meetings of agencies, rounds to kecamatan and villages, peers; understanding and ties grow and fade."""
        world = self.world
        if world.burn_in:
            return  # in the burn-in agencies stay as the district file has them
        if world.settings["socialization.on"]:
            socialization.meet(world, "rembuk" in calendar.due(world.settings, world.month))
            socialization.keep_and_forget(world)
            effects.forget_quality(world)
        if world.settings["cascade.on"]:
            cascade.go_down(world)
            acts = world.settings["villages.on"] and world.settings["villages.choosing"]
            if acts and villages.is_rembuk_month(world.settings, world.month_of_year):
                villages.meet(world)
        if world.settings["network.on"]:
            network.move_ties(world)

    def adopt_goals(self) -> None:
        """Agencies weigh the shared goal against their own."""
        world = self.world
        if world.burn_in:
            return
        review.fade(world)
        if world.settings["goals.on"]:
            goals.adopt(world)
            goals.share_lists(world)

    def carry_out_actions(self) -> None:
        """The convergence actions of the month, done well or on paper: what is left of each one's effect."""
        world = self.world
        self.actions: dict[str, float] = {}
        if not world.burn_in:
            due = calendar.due(world.settings, world.month)
            self.actions = {each: actions.carry_out(world, each) for each in actions.CHANGES if each in due}

    def plan_and_budget(self) -> None:
        """Review, situation analysis, plans, doors, ceilings and the amended budget, each in its month."""
        world, now, done = self.world, self.world.month_of_year, self.actions
        book, settings = world.programmes, world.settings
        if world.burn_in:
            return  # in the burn-in the first year's lines stand
        if "review" in done:
            review.learn(world, done["review"])
            budget.review(book, settings, now, done["review"])
        if "analysis" in done:
            budget.analyse(book, world.services, done["analysis"])
        if "plan" in done:
            budget.propose(book, world.services, goals.argued_for(world, done["plan"]), settings, now)
            if settings["network.on"]:
                network.tie_plans(world, done["plan"])
        budget.pass_doors(book, settings, now)
        budget.cut_to_ceilings(book, settings, world.month, self._least_village_rp())
        if now == settings["calendar.apbdp_month"]:
            budget.amend(book, settings)

    def _least_village_rp(self) -> float:
        """The least that villages set aside, Rp, as far as the rule on their role (Aksi 4) is more than paper."""
        fund = self.place.population.get("village_fund_rp")
        if fund is None:
            return 0.0
        least = self.world.settings["budget.dana_desa_min_share"] * fund.value * self.world.population_share
        return float(least * self.world.coordination.effect("village_rule", self.world.settings))

    def refresh_registers(self) -> None:
        """Registers are refreshed, lists drawn up, records linked, by-name lists handed to villages."""
        world, settings = self.world, self.world.settings
        month, done = world.month, self.actions
        if month % settings["registers.dtks_refresh_months"] == 0:
            share = self.place.population["dtks_share"].value
            registers.refresh_dtks(world.households, settings, world.draws, month, share, everyone=False)
        if month % settings["registers.krs_refresh_months"] == 0:
            registers.refresh_krs(world.households, world.registers, settings, world.draws)
            present = world.children.window(month, -PREGNANCY_MONTHS, LAST_AGE)
            registers.draw_up_joint_list(world.households, world.children, world.draws, present)
        registers.draw_up_lists(world.children, world.households, world.registers, settings, month)
        if "data" in calendar.due(settings, month):
            world.linked = settings["registers.linkage"]
        if world.linked and ("data" in done or month % settings["registers.linkage_refresh_months"] == 0):
            found = world.coordination.effect("data", settings)
            registers.link(world.children, world.households, world.registers, settings, world.draws, month, found)
        if not world.burn_in:
            lists.refresh(world)
        if world.month_of_year == 1:
            world.households.spaced[:] = False  # contraception is for a year
        if "coaching" in done:
            if settings["cascade.on"]:
                cascade.coach(world, done["coaching"])
            world.has_by_name_list = cascade.holds_list(world, done["coaching"])

    def release_money(self) -> None:
        """Money moves from the budget to the programmes' accounts."""
        if not self.world.settings["delivery.programmes_on"]:
            return  # nothing is asked to be paid out
        if not self.world.burn_in:
            costs.pay(self.world)
        budget.relocate(self.world.programmes, self.world.settings)
        budget.release(self.world)

    def deliver_services(self) -> None:
        """Programmes serve their lists; households take services up, or not."""
        if self.world.settings["delivery.programmes_on"]:
            delivery.deliver(self.world)

    def grow_children(self) -> None:
        """Gains of the month combine, deviations move on, and every under-five has its true length-for-age."""
        world = self.world
        rows = world.children.window(world.month, -PREGNANCY_MONTHS, LAST_AGE)
        shift, services = world.month_shift[rows], world.month_services[rows]
        if "growth" not in world.derived:
            world.derived["growth"] = growth.Curves.of(world.settings)
        added = effects.combination(world).inverse(shift, services)
        growth.grow(world.children, world.derived["growth"], world.draws, world.month, added)
        shift[:] = 0.0
        services[:] = 0

    def measure_children(self) -> None:
        """Children are weighed at posyandu; in some months survey teams go out."""
        world = self.world
        rows = measure.weigh_at_posyandu(world, None if world.burn_in else [each.name for each in self.kecamatan])
        if not world.burn_in:
            rows = rows + measure.field_surveys(world, self.recorder.rounds)
        self.recorder.surveys(rows)
        district = [row for row in rows if row.level == "district"]
        world.coordination.published += [(row.published, row.system, row.percent) for row in district]

    def record(self) -> None:
        """Tables of the month, and of the year when it closes."""
        world = self.world
        if world.burn_in:
            return
        self.recorder.month(world)
        self.recorder.add(observe(self.extensions, world))
        if world.month_of_year == 12 or world.month == self.last_month:
            self.recorder.year(world, world.month == self.last_month)
            world.tally.new_year()

    # ---- reading -----------------------------------------------------------------------------------------------------

    def prevalence(self) -> float:
        """True share of under-fives below -2 z in the month last simulated; NaN where there are none."""
        rows = self.world.children.window(self.world.month - 1, 0, LAST_AGE)
        low = growth.stunted(self.world.children.z[rows])
        return int(np.count_nonzero(low)) / len(low) if len(low) else float("nan")

    def household(self, row: int) -> Household:
        """A household to read. Raises IndexError when there is no such row."""
        return Household.read(self.world.households, self.world.children, row)
