"""The integration index of Candel and Biesbroek: four dimensions with eight sub-aspects, from agencies and network.

It is read from the state of the agencies, never set. Every sub-aspect runs from 0 to 1 and rises, or stays, with each
of the states it is made of; all agencies count alike, and their order does not matter. A dimension is the mean of its
sub-aspects, the index the mean of the four dimensions. A month's state is kept as it is; the index of all months is
worked out at once, when its table is asked for.

Source: Candel and Biesbroek 2016, Toward a processual understanding of policy integration, Policy Sciences 49:211-231,
as used for Lebak by Supriyanto & Jannah 2022 (evidence/integration_framework.csv). The formulas are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.months import format_month
from konvergensi.mechanisms import calendar

if TYPE_CHECKING:
    from konvergensi.world.state import World

Shares = NDArray[np.float64]
Flags = NDArray[np.bool_]
Value = Any  # a number for one month, (n_months,) for several
AWARENESS_ONLY = 0.5  # an agency that knows of the others but carries no responsibility is involved half as much
WITHOUT_TARGETS = 0.5  # a decree that names members and sets no targets is half a decree
HANDBOOK_ONLY = 0.5  # a national handbook is half of what a guideline of the district's own is


@dataclass(frozen=True, slots=True)
class AgencyStates:
    """What the index reads of the agencies, (n_opd,) each and (n_opd, n_opd) for ties; row i is the same agency.

    Of several months (n_months, n_opd) and (n_months, n_opd, n_opd).
    """

    known: Shares  # what people and files understand together
    in_decree: Flags
    attendance: Shares  # share of recent meetings it came to
    aware: Shares  # how much it has to do with the others
    formal: Shares  # ties by joint meetings and plans, symmetrical, zero on the diagonal
    goal_adoption: Shares
    adaptation: Shares
    in_plan: Flags
    shares_list: Flags  # takes up the joined list once there is one
    guideline: Flags  # has a handbook in hand


@dataclass(frozen=True, slots=True)
class Procedures:
    """What the index reads of the district as a whole: a number each for one month, (n_months,) for several."""

    targets: Value  # the decree sets targets
    linked: Value  # registers are linked
    juknis: Value  # the district has an operational guideline of its own
    teams_kecamatan: Value  # share of kecamatan whose team is active
    teams_desa: Value  # share of villages whose team is active
    review: Value  # quality of the yearly review, times what is left of its effect
    coordinator: Value  # strength of the coordinator
    lead_clarity: Value  # how clear it is who leads
    in_time: Value  # the joint plan is agreed before the Musrenbang, so that it can be budgeted

    @classmethod
    def of(cls, world: World) -> Procedures:
        """Of a world, as they are now."""
        settings, state = world.settings, world.coordination
        reviewed = settings["review.quality"] * state.effect("review", settings) if settings["review.on"] else 0.0
        return cls(
            targets=bool(settings["network.decree_targets"]),
            linked=bool(world.linked),
            juknis=bool(settings["socialization.juknis"]),
            teams_kecamatan=float(_mean(state.tpps_kecamatan)),
            teams_desa=float(_mean(state.tpps_desa)),
            review=float(reviewed),
            coordinator=float(settings["network.coordinator_strength"]),
            lead_clarity=float(settings["network.lead_clarity_share"]),
            in_time=calendar.action_months(settings, world.month)["plan"] <= calendar.door(settings, "apbd"),
        )


@dataclass(frozen=True, slots=True)
class Month:
    """What the index reads of a month; agencies, (n_opd,) rows of what `_SHARES` and `_FLAGS` name."""

    month: int
    agencies: list[tuple[Any, ...]]
    aware: Shares
    formal: Shares
    procedures: Procedures

    @classmethod
    def of(cls, world: World) -> Month:
        """Of a world, as it is now."""
        state = world.coordination
        agencies = [
            (
                opd.known, opd.attendance, opd.goal_adoption, opd.adaptation,
                opd.in_decree, opd.in_plan, opd.shares_joined_list, opd.guideline,
            )
            for opd in world.opds
        ]  # fmt: skip
        return cls(world.month, agencies, state.aware.copy(), state.ties["formal"].copy(), Procedures.of(world))


_SHARES, _FLAGS = (
    ("known", "attendance", "goal_adoption", "adaptation"),
    ("in_decree", "in_plan", "shares_list", "guideline"),
)


def states(months: Sequence[Month]) -> tuple[AgencyStates, Procedures]:
    """What the index reads of several months, one after the other."""
    # row by row in memory, so that each month adds up as it would alone
    columns = np.ascontiguousarray(np.moveaxis(np.array([each.agencies for each in months], float), -1, 0))
    shares: dict[str, Any] = dict(zip(_SHARES, columns, strict=False))
    flags: dict[str, Any] = dict(zip(_FLAGS, columns[len(_SHARES) :] != 0.0, strict=True))
    ties: dict[str, Any] = {name: np.stack([getattr(each, name) for each in months]) for name in ("aware", "formal")}
    procedures = {
        name: np.array([getattr(each.procedures, name) for each in months]) for name in Procedures.__dataclass_fields__
    }
    return AgencyStates(**shares, **flags, **ties), Procedures(**procedures)


def _mean(values: Shares | Flags) -> Value:
    """Mean over agencies, the last axis; its own method takes three times as long."""
    return np.add.reduce(values, axis=-1) / values.shape[-1]


def _pairs(of: Shares) -> Shares:
    """(n, n) of each month as a row."""
    return of.reshape(*of.shape[:-2], -1)


def degree_of_integration(agencies: AgencyStates) -> Value:
    """Mean of what agencies know. A problem is seen as one for all as far as all of them understand it."""
    return _mean(agencies.known)


def subsystems_involved(agencies: AgencyStates) -> Value:
    """Mean over agencies of done + (1 - done) x AWARENESS_ONLY x aware, with done = in decree x attendance.

    Formal responsibility counts as far as it is done, by coming; the rest is awareness of the others, counted half.
    """
    done = agencies.in_decree * agencies.attendance
    return _mean(done + (1.0 - done) * AWARENESS_ONLY * agencies.aware)


def interaction_density(agencies: AgencyStates) -> Value:
    """Mean formal tie over pairs of agencies; 0 with fewer than two. How often and how formally they work together."""
    n = agencies.known.shape[-1]
    return np.add.reduce(_pairs(agencies.formal), axis=-1) / max(n * (n - 1), 1)


def range_of_policies(agencies: AgencyStates) -> Value:
    """Mean goal adoption: in whose goals the shared problem is embedded."""
    return _mean(agencies.goal_adoption)


def coherence(agencies: AgencyStates) -> Value:
    """Mean goal adoption x (1 - Gini coefficient of goal adoption): goals that all share evenly.

    The same as the mean, over every two agencies (an agency with itself included), of the lower of the two adoptions:
    what one of them has adopted alone, the two do not pursue together.
    """
    adopted = agencies.goal_adoption
    return _mean(_pairs(np.minimum(adopted[..., :, None], adopted[..., None, :])))


def subsystem_instruments(agencies: AgencyStates) -> Value:
    """Mean adaptation: how far agencies bend their own programmes to the shared goal."""
    return _mean(agencies.adaptation)


def procedural_instruments(agencies: AgencyStates, procedures: Procedures) -> Value:
    """Mean of six instruments with which the system as a whole coordinates, directs and monitors, 0..1 each.

    - decree: share of agencies in it, half of it counting without targets;
    - shared data: share of agencies that take up the joined list; 0 without linkage;
    - guideline: share of agencies that one reaches, with those of the decree where the district has its own (juknis);
      a national handbook alone counts half;
    - teams below the district: mean of the shares of kecamatan and of villages whose team is active;
    - review: its quality x what is left of its effect as carried out;
    - coordinator: its strength, less where it is unclear who leads (mean of mechanisms/network.py: pull).
    """
    juknis, lead_clarity = (np.asarray(each)[..., None] for each in (procedures.juknis, procedures.lead_clarity))
    guided = agencies.guideline | (agencies.in_decree & juknis)
    unclear = (1.0 - lead_clarity) * (1.0 - agencies.known)
    each = (
        _mean(agencies.in_decree) * np.where(procedures.targets, 1.0, WITHOUT_TARGETS),
        _mean(agencies.shares_list) * procedures.linked,
        _mean(guided) * np.where(procedures.juknis, 1.0, HANDBOOK_ONLY),
        0.5 * (procedures.teams_kecamatan + procedures.teams_desa),
        procedures.review,
        procedures.coordinator * _mean(1.0 - unclear),
    )
    return sum(each) / len(each)


def consistency(agencies: AgencyStates, procedures: Procedures) -> Value:
    """Mean of the lower of goal adoption and adaptation, for agencies in the joint plan; 0 for the others.

    A mix fits together where goal, programme and joint plan meet in the same agency. A plan that comes after the
    Musrenbang cannot be budgeted in its round (Lebak study), so it counts half.
    """
    meets = np.minimum(agencies.goal_adoption, agencies.adaptation) * agencies.in_plan
    return _mean(meets) * np.where(procedures.in_time, 1.0, 0.5)


# the names are those of evidence/integration_framework.csv
SUB_ASPECTS: tuple[tuple[str, str, Callable[[AgencyStates, Procedures], Value]], ...] = (
    ("policy frame", "degree of integration", lambda a, _: degree_of_integration(a)),
    ("subsystem involvement", "subsystems involved", lambda a, _: subsystems_involved(a)),
    ("subsystem involvement", "interaction density", lambda a, _: interaction_density(a)),
    ("policy goals", "range of policies", lambda a, _: range_of_policies(a)),
    ("policy goals", "coherence", lambda a, _: coherence(a)),
    ("policy instruments", "subsystem instruments", lambda a, _: subsystem_instruments(a)),
    ("policy instruments", "procedural instruments at system level", procedural_instruments),
    ("policy instruments", "consistency", consistency),
)
DIMENSIONS = tuple(dict.fromkeys(dimension for dimension, _, _ in SUB_ASPECTS))
_PARTS = {dimension: [each[:2] for each in SUB_ASPECTS if each[0] == dimension] for dimension in DIMENSIONS}
INDEX, ALL = "index", "all"


def integration(agencies: AgencyStates, procedures: Procedures) -> dict[tuple[str, str], Value]:
    """Every sub-aspect, each dimension (sub-aspect `all`) and the index (dimension `index`), 0..1, by both names."""
    found = {(dimension, name): rule(agencies, procedures) for dimension, name, rule in SUB_ASPECTS}
    for dimension, parts in _PARTS.items():
        found[dimension, ALL] = sum(found[part] for part in parts) / len(parts)
    found[INDEX, ALL] = sum(found[dimension, ALL] for dimension in DIMENSIONS) / len(DIMENSIONS)
    return found


def integration_rows(months: Sequence[Month]) -> list[tuple[str, str, str, float]]:
    """Rows of the integration table for these months: month, dimension, sub_dimension, value."""
    if not months:
        return []
    found = integration(*states(months))
    values = np.stack(list(found.values()), axis=1).tolist()
    return [
        (format_month(each.month), dimension, name, value)
        for each, row in zip(months, values, strict=True)
        for (dimension, name), value in zip(found, row, strict=True)
    ]
