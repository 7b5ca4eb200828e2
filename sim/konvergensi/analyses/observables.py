"""Observables: every target's counterpart in a finished run, by name.

The true state, before the error that the target's error model adds: what a survey would find on average, what the
register shows, what agencies answer. Names: `survey:YYYY-MM` percent, `eppgbm:YYYY` percent of the children entered in
the year's two rounds (`eppgbm:YYYY:KECAMATAN` for each of a few), `measured:YYYY` children entered in the larger round,
`krs:YYYY`, `recorded:YYYY` and the like as counts of the whole district, `opd:ITEM:CATEGORY` as a share of agencies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr

from konvergensi.base.months import format_month
from konvergensi.mechanisms import growth, registers
from konvergensi.model.outcome import Outcome
from konvergensi.observe.eppgbm import SYSTEM
from konvergensi.observe.series import AGE_BANDS
from konvergensi.observe.who import STUNTED_BELOW, cm_per_z
from konvergensi.world.children import LAST_AGE, PREGNANCY_MONTHS

if TYPE_CHECKING:
    from konvergensi.model.convergence import ConvergenceModel

MOST_KECAMATAN = 8  # a district with more publishes no series by kecamatan that could be held against it
AGES = ((0, 24), (6, 24), (12, 24))  # between which a child's length-for-age is followed
COVERAGES = ("ttd-bumil", "immunisation")  # services whose uptake was published somewhere near
ROUND_MONTHS = ("-02", "-08")
FIELD_MONTHS = ("-04", "-09")  # Riskesdas; SSGBI, SSGI, SKI


def observed(model: ConvergenceModel) -> dict[str, float]:
    """Every observable of a finished run, by name; what a shorter run does not reach is not there, unknown is NaN."""
    tables = model.recorder.tables()
    scale = 1.0 / model.world.population_share
    found = _surveys(tables["series"], survey_error_z(model))
    found |= _age_profile(tables["series"])
    found |= _register(tables["surveys"], scale, len(set(model.place.villages["kecamatan"])))
    found |= _indicators(tables["indicators"], scale)
    found |= _coverages(tables["cascade"])
    found |= _persistence(model)
    found |= _lists(model, scale)
    asked = tables["questionnaire"]
    share = asked["k"] / asked["n"]
    found |= {f"opd:{item}:{category}": each for item, category, each in zip(asked.item_id, asked.category, share)}
    return {name: float(value) for name, value in found.items()}


def survey_error_z(model: ConvergenceModel) -> float:
    """SD of one measured length of a survey team in z, root mean square over the under-fives there are."""
    world = model.world
    month = world.month - 1
    rows = world.children.window(month, 0, LAST_AGE)
    one_z = cm_per_z((~world.children.male[rows]).view(np.int8), world.children.ages(month, rows))
    error = world.settings["measurement.survey_error_cm"]
    return float(np.sqrt(np.mean((error / one_z) ** 2))) if len(one_z) else 0.0


def _surveys(series: pd.DataFrame, error_z: float) -> dict[str, float]:
    """What surveys find on average: the true percent, and what random errors of length push below the line.

    The push is that of a normal spread with the run's mean and SD, so that it adds no chance of its own.
    """
    everyone = series[(series["group"] == "all") & series["month"].str.endswith(FIELD_MONTHS)]
    below = float(STUNTED_BELOW) - everyone["mean_laz"].to_numpy(float)
    spread = everyone["sd_laz"].to_numpy(float)
    pushed = ndtr(below / np.sqrt(spread**2 + error_z**2)) - ndtr(below / spread)
    percent = 100.0 * (everyone["prevalence"].to_numpy(float) + pushed)
    return {f"survey:{month}": value for month, value in zip(everyone["month"], percent)}


def _age_profile(series: pd.DataFrame) -> dict[str, float]:
    """Log odds of each age band less those of all, September 2022."""
    now = series[series["month"] == "2022-09"].set_index("group")["prevalence"]
    if "all" not in now:
        return {}
    share = now.clip(0.002, 0.998)
    odds = np.log(share / (1.0 - share))
    return {f"age:{first}_{last}": odds[f"age_{first}_{last}"] - odds["all"] for first, last in AGE_BANDS}


def _register(surveys: pd.DataFrame, scale: float, n_kecamatan: int) -> dict[str, float]:
    """e-PPGBM by year: both rounds together; of a district with few kecamatan, of each too."""
    rounds = surveys[(surveys["system"] == SYSTEM) & surveys["fieldwork"].str.endswith(ROUND_MONTHS)].copy()
    rounds["year"] = rounds["fieldwork"].str[:4]
    rounds["stunted"] = rounds["percent"].fillna(0.0) * rounds["n_measured"]
    found: dict[str, float] = {}
    for key, part in rounds.groupby(["level", "area", "year"], sort=False):
        level, area, year = (str(each) for each in key)
        if level != "district" and n_kecamatan > MOST_KECAMATAN:
            continue
        name = f"eppgbm:{year}" if level == "district" else f"eppgbm:{year}:{area}"
        found[name] = part["stunted"].sum() / max(part["n_measured"].sum(), 1)
        if level == "district":
            found[f"measured:{year}"] = part["n_measured"].max() * scale
    return found


def _indicators(indicators: pd.DataFrame, scale: float) -> dict[str, float]:
    """KRS families each December; attendance in ordinary months and in weighing rounds, percent, mean of the year."""
    wide = indicators.pivot(index="month", columns="indicator", values="value")
    december = wide[wide.index.str.endswith("-12")]
    found = {f"krs:{str(month)[:4]}": value * scale for month, value in december["krs_families"].items()}
    is_round = wide.index.str.endswith(ROUND_MONTHS)
    for name, part in (("attendance", wide[~is_round]), ("attendance_round", wide[is_round])):
        by_year = part["posyandu_attendance_share"].groupby(part.index.str[:4]).mean()
        found |= {f"{name}:{year}": 100.0 * value for year, value in by_year.items()}
    return found


def _coverages(cascade: pd.DataFrame) -> dict[str, float]:
    """Percent of those in need in a year who took a service up."""
    found: dict[str, float] = {}
    for service in COVERAGES:
        counts = cascade[cascade["service"] == service].pivot(index="year", columns="stage", values="children")
        share = 100.0 * counts["taken_up"] / counts["in_need"].where(counts["in_need"] > 0)
        found |= {f"taken_up:{service}:{year}": value for year, value in share.items()}
    return found


def _persistence(model: ConvergenceModel) -> dict[str, float]:
    """Correlation of a child's measured length-for-age between two ages, from the parts that growth is made of.

    The deviation keeps the product of its monthly correlations, lasting differences stay (grown by their scale), and
    each measurement has an error of its own.
    """
    world = model.world
    settings = world.settings
    keep, scale = growth.persistence(settings), growth.lasting_scale(settings)
    rows = world.children.window(world.month - 1, 0, LAST_AGE)
    lasting = float(world.children.lasting[rows].var())
    own, error = settings["growth.deviation_sd"] ** 2, survey_error_z(model) ** 2

    def correlation(young: int, old: int) -> float:
        shared = own * float(np.prod(keep[young:old])) + lasting * float(scale[young] * scale[old])
        spread = [own + lasting * float(scale[age]) ** 2 + error for age in (young, old)]
        return shared / float(np.sqrt(spread[0] * spread[1]))

    return {f"persistence:{young}-{old}": correlation(young, old) for young, old in AGES}


def _lists(model: ConvergenceModel, scale: float) -> dict[str, float]:
    """Under-fives ever entered in e-PPGBM at the end of the run, and how far KRS holds the poorest."""
    world = model.world
    month = world.month - 1
    year = format_month(month)[:4]
    rows = world.children.window(month, 0, LAST_AGE)
    entered = np.count_nonzero(world.registers.last_entry[rows] > 0)
    return {f"recorded:{year}": entered * scale, "krs_of_poorest": _krs_of_poorest(model)}


def _krs_of_poorest(model: ConvergenceModel) -> float:
    """Of the poorest tenth with a child or pregnancy at the end, percent that KRS lists where one risk is enough."""
    world = model.world
    households = world.households
    present = world.children.window(world.month - 1, -PREGNANCY_MONTHS, LAST_AGE)
    with_child = np.zeros(len(households), bool)
    with_child[world.children.household[present]] = True
    poorest = with_child & (households.wealth <= np.quantile(households.wealth, 0.1))
    reached = world.draws.uniform("krs reached", 0, households.key) < world.settings["registers.krs_coverage_share"]
    listed = reached & ((registers.risks(households) >= 1) ^ world.registers.krs_misread)
    return 100.0 * float(listed[poorest].mean()) if poorest.any() else float("nan")


def observables(model: ConvergenceModel) -> Outcome:
    """What a study keeps of a run that is simulated for a calibration: its observables, and nothing else."""
    return Outcome(observed(model))
