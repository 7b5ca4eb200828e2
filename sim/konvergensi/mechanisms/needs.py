"""Needs: for each need that a service may have, who truly has it and what registers know of it.

A need is a word of inputs/service_kinds.toml and a class here, registered under that word; a need without a class, or a
class without a word, is refused when this file is read. `truth` is what is so, whatever a register says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from konvergensi.inputs import service_kinds
from konvergensi.world.children import FIRST_1000_DAYS, PREGNANCY_MONTHS

if TYPE_CHECKING:
    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.households import Mask
    from konvergensi.world.state import World

Totals = Mapping[str, float]  # a district's population by name
SEVERE_Z = -3.0  # severely stunted (WHO)
SEVERE_SHARE = 0.1  # of under-fives, only to turn a funded share into rupiah
THOUSAND_DAYS = PREGNANCY_MONTHS + FIRST_1000_DAYS + 1  # months


class ChildNeed:
    """The need of a child or pregnancy; masks are (n,) bool over `rows`, None for no limit."""

    def truth(self, world: World, rows: slice) -> Mask | None:
        """Who has it."""
        return None

    def on_list(self, world: World, rows: slice, register: str, joined: bool) -> Mask | None:
        """Of whom on its list an agency knows it."""
        return None

    def on_joined_list(self, world: World, rows: slice) -> Mask | None:
        """Of whom the joined list tells it."""
        return None

    def expected_share(self, total: Totals, settings: Settings) -> float:
        """Share of the ages of a service that is expected to have it."""
        return 1.0


class HouseholdNeed:
    """The need of a household; masks are (n_households,) bool."""

    asks_for_children = False  # whether it reads `World.has_child` or `in_1000_days`

    def truth(self, world: World) -> Mask:
        """Who has it, as a new array."""
        raise NotImplementedError

    def on_register(self, world: World, register: str, listed: Mask, need: Mask) -> Mask:
        """Whom of those `listed` on a register it tells as having it; `need`, who has it and may still be served."""
        return listed

    def on_joined_list(self, world: World, need: Mask) -> Mask:
        """Whom the family register tells as having it."""
        return world.households.in_krs & (need ^ world.registers.krs_misread)

    def expected(self, total: Totals, settings: Settings) -> float:
        """Number of families expected to have it, full-size district."""
        raise NotImplementedError


CHILD: dict[str, ChildNeed] = {}
HOUSEHOLD: dict[str, HouseholdNeed] = {}


def rule(name: str) -> Callable[[type[Any]], type[Any]]:
    """Register a class as the rule of a need of service_kinds.toml. Raises ValueError when there is none such."""
    if name not in service_kinds.names("need"):
        raise ValueError(f"need {name!r} is not in service_kinds.toml")

    def register(of: type[Any]) -> type[Any]:
        held: dict[str, Any] = CHILD if service_kinds.need(name).of == "child" else HOUSEHOLD
        if not issubclass(of, ChildNeed if held is CHILD else HouseholdNeed):
            raise ValueError(f"need {name!r} is one of a {service_kinds.need(name).of}")
        held[name] = of()
        return of

    return register


# ---- of a child or pregnancy -----------------------------------------------------------------------------------------


@rule("all")
class _All(ChildNeed):
    pass


@rule("kek")
class _Kek(ChildNeed):
    def truth(self, world: World, rows: slice) -> Mask:
        return world.children.kek[rows].copy()

    def on_list(self, world: World, rows: slice, register: str, joined: bool) -> Mask:
        return world.registers.recorded_kek[rows]

    def on_joined_list(self, world: World, rows: slice) -> Mask:
        return world.registers.recorded_kek[rows]

    def expected_share(self, total: Totals, settings: Settings) -> float:
        return total["kek_share"]


@rule("faltering")
class _Faltering(ChildNeed):
    def truth(self, world: World, rows: slice) -> Mask:
        cutoff = world.settings["registers.faltering_cutoff_z"]
        faltering: Mask = world.children.z[rows] < cutoff
        return faltering

    def on_list(self, world: World, rows: slice, register: str, joined: bool) -> Mask | None:
        # only who reads e-PPGBM knows who falters; others serve their whole list
        return world.registers.recorded_faltering[rows] if register == "eppgbm" or joined else None

    def on_joined_list(self, world: World, rows: slice) -> Mask:
        return world.registers.recorded_faltering[rows]

    def expected_share(self, total: Totals, settings: Settings) -> float:
        return float(settings["delivery.faltering_need_share"])


@rule("severe")
class _Severe(ChildNeed):
    def truth(self, world: World, rows: slice) -> Mask:
        severe: Mask = world.children.z[rows] < SEVERE_Z
        return severe

    def on_list(self, world: World, rows: slice, register: str, joined: bool) -> Mask | None:
        # a list tells who falters; who is severe is seen when the child is there
        return world.registers.recorded_faltering[rows] if register == "eppgbm" or joined else None

    def on_joined_list(self, world: World, rows: slice) -> Mask:
        return world.registers.recorded_faltering[rows]

    def expected_share(self, total: Totals, settings: Settings) -> float:
        return SEVERE_SHARE


@rule("at-risk")
class _AtRisk(ChildNeed):
    def truth(self, world: World, rows: slice) -> Mask:
        return world.children.at_risk[rows].copy()

    def on_joined_list(self, world: World, rows: slice) -> Mask:
        return world.registers.known_krs[rows]

    def expected_share(self, total: Totals, settings: Settings) -> float:
        return 1.0 - (1.0 - total["no_water_share"]) * (1.0 - total["no_latrine_share"]) * (
            1.0 - total["four_too_share"]
        )


@rule("first-birth")
class _FirstBirth(ChildNeed):
    def truth(self, world: World, rows: slice) -> Mask:
        return world.children.first_birth[rows].copy()

    def on_list(self, world: World, rows: slice, register: str, joined: bool) -> Mask:
        return world.children.first_birth[rows]

    def on_joined_list(self, world: World, rows: slice) -> Mask:
        return world.children.first_birth[rows]

    def expected_share(self, total: Totals, settings: Settings) -> float:
        return float(settings["population.first_birth_share"])


@rule("no-nik")
class _NoNik(ChildNeed):
    def truth(self, world: World, rows: slice) -> Mask:
        missing: Mask = world.registers.nik_month[rows] > world.month
        return missing

    def on_joined_list(self, world: World, rows: slice) -> Mask:
        return self.truth(world, rows)

    def expected_share(self, total: Totals, settings: Settings) -> float:
        return float(settings["delivery.no_nik_need_share"])


# ---- of a household --------------------------------------------------------------------------------------------------


@rule("poor")
class _Poor(HouseholdNeed):
    def truth(self, world: World) -> Mask:
        return world.households.poor.copy()

    def on_joined_list(self, world: World, need: Mask) -> Mask:
        return world.registers.krs_poor

    def expected(self, total: Totals, settings: Settings) -> float:
        return float(settings["registers.poor_line_share"] * total["families"])


@rule("poor-with-child")
class _PoorWithChild(_Poor):
    asks_for_children = True

    def truth(self, world: World) -> Mask:
        return world.households.poor & world.has_child

    def on_register(self, world: World, register: str, listed: Mask, need: Mask) -> Mask:
        return listed & world.has_child if register == "dtks" else listed

    def expected(self, total: Totals, settings: Settings) -> float:
        return super().expected(total, settings) * float(settings["delivery.household_child_share"])


@rule("no-water")
class _NoWater(HouseholdNeed):
    def truth(self, world: World) -> Mask:
        return world.households.no_water.copy()

    def expected(self, total: Totals, settings: Settings) -> float:
        return total["no_water_share"] * total["families"]


@rule("no-latrine")
class _NoLatrine(HouseholdNeed):
    def truth(self, world: World) -> Mask:
        return world.households.no_latrine.copy()

    def expected(self, total: Totals, settings: Settings) -> float:
        return total["no_latrine_share"] * total["families"]


@rule("food-insecure")
class _FoodInsecure(HouseholdNeed):
    asks_for_children = True

    def truth(self, world: World) -> Mask:
        return world.households.food_insecure & world.in_1000_days

    def on_register(self, world: World, register: str, listed: Mask, need: Mask) -> Mask:
        return listed & world.in_1000_days if register == "own" else listed

    def expected(self, total: Totals, settings: Settings) -> float:
        return total["food_insecure_share"] * (total["births_per_year"] / 12.0) * THOUSAND_DAYS


@rule("four-too")
class _FourToo(HouseholdNeed):
    def truth(self, world: World) -> Mask:
        return world.households.four_too & ~world.households.spaced

    def on_register(self, world: World, register: str, listed: Mask, need: Mask) -> Mask:
        return listed & (need ^ world.registers.krs_misread) if register == "krs" else listed

    def expected(self, total: Totals, settings: Settings) -> float:
        return total["four_too_share"] * total["families"]


if missing := set(service_kinds.names("need")) - set(CHILD) - set(HOUSEHOLD):
    raise ValueError(f"needs without a rule in mechanisms/needs.py: {', '.join(sorted(missing))}")
