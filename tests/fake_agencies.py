"""A handful of agencies without households: the real agencies, ties, villages and draws, in a world of a few lines.

The parts of the month that concern agencies are those of the model itself, so their order is the model's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np
import pandas as pd
from conftest import forced
from hypothesis import strategies as st

from konvergensi.base.months import month_of, parse_month
from konvergensi.inputs.agencies import Opd as Spec
from konvergensi.inputs.parameters import Settings
from konvergensi.mechanisms import network
from konvergensi.model.build import OPD_DRAWS
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.agents import Opd
from konvergensi.world.coordination import build_coordination
from konvergensi.world.draws import Draws, entity_keys
from konvergensi.world.programmes import SOURCES
from konvergensi.world.villages import Villages

DEFAULTS = Settings.defaults()
AGENCY_MONTH = ("rotate_staff", "meet_and_tell", "adopt_goals")
ROOMS = tuple(key.removesuffix(".on") for key in DEFAULTS if key.endswith(".on") and key != "shocks.on")
KECAMATAN, VILLAGES = 3, 12


def agency(id: str, **fields: Any) -> SimpleNamespace:
    """What the district file would say of an agency; a middling member of the team where nothing is said."""
    usual = {name: each.default for name, each in Spec.model_fields.items() if not each.is_required()} | {
        "name": id, "register": None, "surveyed": False, "staff": 10, "understanding": 0.3,
        "institutional_understanding": 0.2, "goal_adoption": 0.1, "ego": 0.5, "in_decree": True, "focal_unit": False,
        "guideline": False,
    }  # fmt: skip
    assert set(fields) <= set(usual)
    return SimpleNamespace(id=id, **(usual | fields))


# a coordinator, a lead that is well informed, members with and without programme, some of them outside the decree
TEAM = (
    agency("bappeda", role="coordinator", understanding=0.5, institutional_understanding=0.4, mandate=0.6),
    agency("dinkes", role="lead", understanding=0.8, institutional_understanding=0.7, mandate=1.0, register="eppgbm"),
    agency("dinsos", ego=0.6, register="dtks"),
    agency("dpmd", register="own"),
    agency("dp3a", understanding=0.5, mandate=0.8, register="krs"),
    agency("pupr", in_decree=False, ego=0.7, understanding=0.1),
    agency("disdik", mandate=0.3),
    agency("perikanan", in_decree=False, understanding=0.1, mandate=0.2),
)
RUN_A_PROGRAMME = (("dinkes", "dak"), ("dinsos", "apbn"), ("dpmd", "dana-desa"), ("dp3a", "apbn"), ("pupr", "apbn"))


class FakeWorld(SimpleNamespace):
    """Stands where a World is asked for."""

    @property
    def month_of_year(self) -> int:
        """1 January .. 12 December."""
        return month_of(self.month)


def council(
    changes: Mapping[str, Any] | None = None,
    team: Sequence[SimpleNamespace] = TEAM,
    seed: int = 1,
    month: str = "2018-01",
    programmes: Sequence[tuple[str, str]] = RUN_A_PROGRAMME,
) -> Any:
    """Agencies, ties and villages as they are at the beginning of `month`; stands where a World is asked for.

    changes: settings, also outside their ranges. programmes: (agency, source of money) of each. Villages hold no
    council of their own unless asked to, and no agency is handed a list by name: that needs families.
    """
    settings, draws = forced(DEFAULTS, {"villages.choosing": False} | dict(changes or {})), Draws(seed)
    model = mesa.Model(rng=seed)
    opds = [Opd(model, spec) for spec in team]
    runs = [(opd, money) for opd, money in programmes if opd in {each.id for each in opds}]
    for opd in opds:
        opd.has_programme = opd.id in {id for id, _ in runs}
    kecamatan = np.arange(VILLAGES) % KECAMATAN
    table = pd.DataFrame(
        {
            "lokus": np.arange(VILLAGES) % 4 == 0,
            "remoteness": np.linspace(0.0, 1.0, VILLAGES),
            "families": np.arange(VILLAGES) + 1,
        }
    )
    keys = entity_keys("village", np.arange(VILLAGES))
    state = build_coordination(SimpleNamespace(villages=table), draws, opds, ["A", "B", "C"], kecamatan, keys)  # type: ignore[arg-type]
    ids = [opd.id for opd in opds]
    n = len(runs)
    world = FakeWorld(
        settings=settings,
        draws=draws,
        month=parse_month(month),
        opds=opds,
        coordination=state,
        fixed_draws={name: draws.uniform(name, 0, state.opd_keys) for name in OPD_DRAWS},
        programmes=SimpleNamespace(
            opd=np.array([ids.index(opd) for opd, _ in runs], np.intp),
            source=np.array([SOURCES.index(money) for _, money in runs], np.intp),
            service=np.zeros(n, np.intp),
            rigid=np.zeros(n, bool),
        ),
        services=[SimpleNamespace(id="growth-monitoring", weighs=True)],
        linked=False,
        handed=SimpleNamespace(opd_draw=draws.uniform("handed list", 0, state.opd_keys), in_use=False),
        village_list_draw=draws.uniform("by-name list", 0, keys),
        villages=Villages.empty(draws, keys, np.full(n, -1, np.intp)),
        burn_in=False,
        derived={},
    )
    tell(world)
    network.begin(world)  # type: ignore[arg-type]
    return world


def tell(world: Any, changes: Mapping[str, Any] | None = None) -> None:
    """Put settings in force, changed or as they are, and tell the agencies, as World.change_settings does."""
    before = None if changes is None else world.settings
    world.settings = forced(world.settings, changes or {})
    for i, opd in enumerate(world.opds):
        opd.take_settings(
            world.settings, before, {name: float(fixed_draws[i]) for name, fixed_draws in world.fixed_draws.items()}
        )
    world.coordination.take_settings(world.settings)


def live_months(world: Any, months: int) -> Any:
    """Live the agencies' part of so many months; the same world."""
    model: Any = SimpleNamespace(world=world)
    for _ in range(months):
        for part in AGENCY_MONTH:
            getattr(ConvergenceModel, part)(model)
        world.month += 1
    return world


def after(months: int, changes: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """A council that has simulated so many months."""
    return live_months(council(changes, **options), months)


def column(world: Any, name: str) -> np.ndarray:
    """One attribute of all agencies, (n_opd,)."""
    return np.array([getattr(opd, name) for opd in world.opds], float)


def agency_state(model: ConvergenceModel) -> dict[str, tuple[float, ...]]:
    """What can change of each agency, by its id."""
    names = ("understanding", "institutional_understanding", "goal_adoption", "adaptation", "attendance")
    flags = ("in_decree", "focal_unit", "guideline", "in_plan", "shares_joined_list", "knows_colleagues")
    return {opd.id: tuple(float(getattr(opd, name)) for name in (*names, *flags)) for opd in model.opds}


def within_ranges(*rooms: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any values within their ranges for the parameters of these rooms, switches and rules among them."""

    def values(key: str) -> st.SearchStrategy[Any]:
        known = DEFAULTS.parameter(key)
        if isinstance(known.value, bool):
            return st.booleans()
        if isinstance(known.value, str):
            return st.sampled_from(known.choices)
        if isinstance(known.value, int):
            return st.integers(int(known.low or 0), int(known.high or 0))
        # ends of the range more often than chance would have them
        return st.sampled_from([known.low, known.high]) | st.floats(known.low, known.high)

    return st.fixed_dictionaries({key: values(key) for key in DEFAULTS if key.partition(".")[0] in rooms})


shares = st.floats(0.0, 1.0)
