"""Measurement of the month: posyandu weighing into e-PPGBM, and surveys that go to the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.months import month_of
from konvergensi.mechanisms import actions, calendar, cascade, drift, registers, review, shocks, village_money
from konvergensi.mechanisms.uptake import WEIGHING_ROUNDS
from konvergensi.observe import eppgbm, surveys
from konvergensi.observe.who import measured_laz
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from konvergensi.inputs.parameters import Settings
    from konvergensi.world.state import World


def posyandu_tools(settings: Settings, kept_out_share: float = 0.0) -> eppgbm.PosyanduMeasurement:
    """How posyandu measure and enter, from measurement.toml; kept_out_share of stunted results for a better score."""
    return eppgbm.PosyanduMeasurement(
        error_cm=settings["measurement.eppgbm_error_cm"],
        bias_cm=settings["measurement.eppgbm_bias_cm"],
        entry_share=settings["measurement.eppgbm_entry_share"],
        stunted_entry_factor=settings["measurement.eppgbm_stunted_entry_factor"] * (1.0 - kept_out_share),
        kit_error_cm=settings["measurement.eppgbm_kit_error_cm"],
        kit_bias_cm=settings["measurement.eppgbm_bias_cm"] * settings["measurement.eppgbm_kit_bias_share"],
    )


def weigh_at_posyandu(world: World, kecamatan_names: Sequence[str] | None) -> list[surveys.SurveyRow]:
    """Weigh who came, enter part of it, and in a weighing month return the published table (else nothing).

    Outside the rounds of February and August only the under-twos are weighed for length.
    Parameters: kecamatan_names, in the order of their index; None: nothing is published.
    """
    is_round = world.month_of_year in WEIGHING_ROUNDS
    children, month = world.children, world.month
    rows = children.window(month, 0, LAST_AGE if is_round else FIRST_1000_DAYS)
    z, entered = eppgbm.weigh_rows(world.came(rows), children, rows, world.draws, month, _tools_of(world))
    registers.record_weighing(world.registers, rows, entered, z, world.settings, month)
    if not is_round:
        return []
    here = world.villages  # what the round's register shows of each
    here.entered, here.entered_stunted = eppgbm.by_village(entered, z, children.village[rows], len(world.lokus))
    if kecamatan_names is None:
        return []
    every, low = (
        np.bincount(world.kecamatan, weights=each, minlength=len(kecamatan_names)).astype(np.int64)
        for each in (here.entered, here.entered_stunted)
    )
    lag = publication_lag(world.settings, month) + actions.publication_delay(world)
    return eppgbm.round_table(every, low, kecamatan_names, world.district.name, month, lag)


def _tools_of(world: World) -> eppgbm.Tools:
    """How each village's posyandu measures and enters this month: as last month until something of it changes."""
    kept_out = drift.kept_out(world, review.kept_out_share(world))
    now = (world.burn_in, kept_out, world.villages.money_rp, world.coordination.kpm)
    of, found = world.derived.get("posyandu tools", ((), None))
    if not of or of[:2] != now[:2] or of[2] is not now[2] or of[3] is not now[3]:
        kit = world.village_kit_draw < village_money.kit_share(world)
        found = eppgbm.Tools.of(posyandu_tools(world.settings, kept_out), kit, cascade.entry_share(world))
        world.derived["posyandu tools"] = (now, found)
    tools: eppgbm.Tools = found
    return tools


def publication_lag(settings: Settings, month: int) -> int:
    """Months until a round is published: the register's own lag, and for August not before Aksi 7."""
    lag = int(settings["measurement.eppgbm_publication_lag_months"])
    aksi_7 = calendar.action_months(settings, month)["measurement"]
    if month_of(month) == WEIGHING_ROUNDS[1] and aksi_7 > month_of(month):
        lag = max(lag, aksi_7 - month_of(month))
    return lag


def survey_rounds(world: World) -> list[surveys.SurveyRound]:
    """The surveys of the district file."""
    return [
        surveys.SurveyRound(s.system, s.fieldwork, s.published, s.clusters, s.children_per_cluster)
        for s in world.district.surveys
    ]


def field_surveys(world: World, rounds: list[surveys.SurveyRound]) -> list[surveys.SurveyRow]:
    """Rows of the surveys whose fieldwork is this month, if survey teams can go out."""
    due = [plan for plan in rounds if plan.fieldwork == world.month]
    if not due or not shocks.in_force(world.settings, "surveys_on"):
        return []
    error = surveys.SurveyError(
        world.settings["measurement.survey_error_cm"], world.settings["measurement.age_error_months"]
    )
    children = world.children
    rows = children.window(world.month, 0, LAST_AGE)
    return [
        surveys.survey_row(
            plan,
            world.district.name,
            surveys.survey(
                plan,
                children.village[rows],
                children.z[rows],
                _sex(world, rows),
                children.ages(world.month, rows),
                error,
                world.draws.generator(f"survey {plan.system}", world.month),
            ),
        )
        for plan in due
    ]


def traced_measurement(world: World, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Length of traced children as a trained team would measure it each month, LAZ (n,) float32."""
    children = world.children
    return measured_laz(
        children.z[rows],
        _sex(world, rows),
        world.month - children.birth_month[rows],
        world.draws.normal("traced measurement", world.month, children.key[rows]),
        world.settings["measurement.survey_error_cm"],
    )


def _sex(world: World, rows: NDArray[np.intp] | slice) -> NDArray[np.int8]:
    """0 male, 1 female, as the WHO tables count."""
    return (~world.children.male[rows]).view(np.int8)
