"""The model as a class plays it: decisions of each half year as dated changes, and what they mean for a seat itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.analyses.gaps_plan import EQUAL_MONEY
from konvergensi.app import class_rules as rules
from konvergensi.base.months import parse_month
from konvergensi.inputs.scenarios import resolve
from konvergensi.model.convergence import ConvergenceModel

if TYPE_CHECKING:
    from konvergensi.app.class_rules import Choices


class PlayedModel(ConvergenceModel):
    """A district in which seats decide. Money is that of `gaps`: the same, whatever is decided.

    Whoever decided it has a focal unit, a guideline, shares its list, serves the joint list first, has KPM at work;
    for the others all this stays as it would have been.
    """

    def __init__(self, district: str, seed: int, population_share: float, start: str, end: str) -> None:
        self.own: dict[str, Any] = {}
        super().__init__(None, district, seed, population_share, start, end, set=EQUAL_MONEY)
        seats = {seat.of for seat in rules.seats(self.place) if seat.role == "opd"}
        self._seated = [i for i, opd in enumerate(self.opds) if opd.id in seats]  # the others go with the share
        self._rigid = self.world.programmes.rigid.copy()
        self._base = {name: float(self.world.settings[name]) for name in ("cascade.kpm_share",
                      "network.tpps_desa_active_share", "registers.sharing_share")}  # fmt: skip

    def decide(self, rounds: Sequence[Choices], happened: Sequence[Collection[str]]) -> None:
        """Take over all rounds so far; the last one holds from the month the model has reached."""
        world, place = self.world, self.place
        scenario = rules.policy(place, rounds, happened, self.first_month, self.last_month)
        resolved = resolve(scenario, place, EQUAL_MONEY, self.first_month, self.last_month)
        taken = rounds[-1]
        by_own = {name: each.id for each in rules.decisions() for name in each.own}
        agency = {name: np.array([by_own[name] in taken.get(f"opd:{opd.id}", ()) for opd in self.opds], bool)
                  for name in ("focal_unit", "guideline", "shares_joined_list", "not_rigid")}  # fmt: skip
        desa = [taken.get(f"desa:{each.kecamatan.name}", ()) for each in self.villages]
        village = {name: np.array([by_own[name] in each for each in desa], bool) for name in ("kpm", "tpps_desa")}
        self.own = {**agency, **village}
        if world.burn_in:
            self.begin(scenario, resolved)
        else:
            self.follow(scenario, resolved)

    def open_month(self) -> None:
        """As always; then who decided for itself."""
        super().open_month()
        if not self.own:
            return
        world, state, own = self.world, self.world.coordination, self.own
        for i in self._seated:
            opd = self.opds[i]
            opd.focal_unit = bool(opd.focal_stated or own["focal_unit"][i])
            has = opd.guideline_stated or own["guideline"][i]
            opd.guideline = bool(world.settings["socialization.guideline_in_force"] and has)
        world.programmes.rigid[:] = self._rigid & ~own["not_rigid"][world.programmes.opd]
        kpm, teams = self._base["cascade.kpm_share"], self._base["network.tpps_desa_active_share"]
        state.kpm = (state.fixed_draws["kpm"] < kpm) | own["kpm"]
        state.tpps_desa = (state.fixed_draws["tpps_desa"] < teams) | own["tpps_desa"]

    def adopt_goals(self) -> None:
        """As always; a list is shared by who decided so, or would have of its own."""
        super().adopt_goals()
        if not self.own:
            return
        told, by_goal = self._base["registers.sharing_share"], self.world.settings["goals.sharing_by_goal_share"]
        for i in self._seated:
            opd, draw = self.opds[i], self.world.fixed_draws["shares joined list"][i]
            freely = draw < told + (1.0 - told) * by_goal * opd.goal_adoption
            opd.shares_joined_list = bool(freely or self.own["shares_joined_list"][i])


def play(
    source: str, seed: int, share: float, start: str, rounds: Sequence[Choices], happened: Sequence[Collection[str]]
) -> PlayedModel:
    """Play rounds to their end in a district anew."""
    return play_on(before(source, seed, share, start, len(rounds)), rounds, happened)


def before(source: str, seed: int, share: float, start: str, rounds: int) -> PlayedModel:
    """A district as it stands before its first round of so many."""
    end = parse_month(start) + rules.HALF * rounds - 1
    return PlayedModel(source, seed, share, start, rules.format_month(end))


def play_on(model: PlayedModel, rounds: Sequence[Choices], happened: Sequence[Collection[str]]) -> PlayedModel:
    """Play rounds to their end from before the first (the model moves)."""
    for number in range(len(rounds)):
        model.decide(rounds[: number + 1], happened[: number + 1])
        half(model)
    return model


def half(model: PlayedModel) -> None:
    """Six months, or what is left."""
    for _ in range(rules.HALF):
        model.step()
