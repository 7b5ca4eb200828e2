"""A district's level and exogenous rise, solved so that a run follows a given path of true prevalence.

The path is the total: what programmes do is in it. A small run of the baseline says what programmes add; the shift of
the mean curve and the rise per birth year are then solved on its children, each deviation integrated out, so that few
of them are enough.
Why this split is sound: docs/decisions/0038-one-truth.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr

from konvergensi.base.months import format_month, month_of
from konvergensi.inputs.country import LEVEL_KEYS
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.parameters import load_parameters
from konvergensi.mechanisms import growth
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.extensions import model_class
from konvergensi.world.children import LAST_AGE

LEVEL, RISE = LEVEL_KEYS
MIDDLE = 7  # July: a year of the fit stands for its middle
YEARS = tuple(range(2018, 2025))
FAMILIES = 12_000  # of the district that a probe simulates, all where there are fewer
SEED = 1


@dataclass(frozen=True)
class Snapshot:
    """Under-fives of one month without level and rise: expected z (n,), its slope on both (n, 2); float64."""

    z: np.ndarray
    slopes: np.ndarray

    def prevalence(self, shift: float, rise: float, sd: float) -> float:
        """Share below -2 z at a level and a rise, deviations of this SD integrated out."""
        return float(ndtr((-2.0 - self.z - self.slopes @ np.array([shift, rise])) / sd).mean())


@dataclass(frozen=True)
class Probe:
    """What a small run says of a district: snapshots by year, the SD of deviations, true prevalence as it came out."""

    snapshots: dict[int, Snapshot]
    sd: float
    seen: dict[int, float]

    def path(self, shift: float, rise: float) -> dict[int, float]:
        """True prevalence by year, percent, at a level and a rise."""
        return {year: 100.0 * each.prevalence(shift, rise, self.sd) for year, each in self.snapshots.items()}

    def solve(self, target: Mapping[int, float]) -> tuple[float, float]:
        """Level (z at 24 months) and rise (z per birth year) whose path lies nearest the target (percent by year)."""
        from scipy.optimize import least_squares

        wanted = np.array([_angle(target[year] / 100.0) for year in self.snapshots])
        bounds = [load_parameters()[key].allowed or (-3.0, 3.0) for key in LEVEL_KEYS]

        def apart(x: np.ndarray) -> np.ndarray:
            found = [each.prevalence(float(x[0]), float(x[1]), self.sd) for each in self.snapshots.values()]
            return np.array([_angle(share) for share in found]) - wanted

        found = least_squares(apart, np.zeros(2), bounds=tuple(zip(*bounds)), x_scale=(0.1, 0.01))
        return float(found.x[0]), float(found.x[1])


def _angle(share: float) -> float:
    """On this scale the sampling variance of a share is the same at every level."""
    return float(np.arcsin(np.sqrt(share)))


def probe(district: str, values: Mapping[str, Any], families: int = FAMILIES, seed: int = SEED) -> Probe:
    """Run the baseline of a district with `values`, at most so many of its families, and look at it each July.

    Raises InputError naming what is wrong with the input.
    """
    there = float(find_district(district).population["families"].value)
    share = min(1.0, families / there)
    end = f"{YEARS[-1]}-{MIDDLE:02d}"
    model = model_class(ConvergenceModel)("baseline", district, seed, share, end=end, set=values)
    snapshots: dict[int, Snapshot] = {}
    seen: dict[int, float] = {}
    while model.running:
        model.step()
        last = model.world.month - 1
        if month_of(last) == MIDDLE:
            year = int(format_month(last)[:4])
            snapshots[year], seen[year] = snapshot(model, last), 100.0 * model.prevalence()
    return Probe(snapshots, float(model.world.settings["growth.deviation_sd"]), seen)


def snapshot(model: ConvergenceModel, month: int) -> Snapshot:
    """Under-fives of a model in the month last simulated, without level and rise."""
    children, settings = model.world.children, model.world.settings
    rows = children.window(month, 0, LAST_AGE)
    age = children.ages(month, rows)
    scale = growth.lasting_scale(settings).astype(float)[age]
    years = growth.trend_years(children.birth_month[rows], settings["growth.trend_kept_per_year"])
    slopes = np.column_stack([scale, scale * years])
    # what birth left in the deviation besides chance fades as the deviation itself does
    kept = np.concatenate([[1.0], np.cumprod(growth.persistence(settings).astype(float)[: growth.SETTLED_AGE])])
    born = settings["growth.kek_effect_z"] * children.kek[rows]
    born = born + growth.birth_length_z(settings) * children.weight_gain[rows]
    z = growth.mean_curve(settings).astype(float)[age] + scale * children.lasting[rows] + children.gain[rows]
    z += born * kept[np.minimum(age, growth.SETTLED_AGE)]
    z -= slopes @ np.array([settings[LEVEL], settings[RISE]])
    return Snapshot(z, slopes)


def solved(
    district: str, target: Mapping[int, float], values: Mapping[str, Any], seed: int = SEED, families: int = FAMILIES
) -> dict[str, float]:
    """Values of LEVEL_KEYS under which the district follows the target (percent by each of YEARS), given other values.

    One small run; what programmes add hardly depends on level and rise, so a second finds the same within 0.001 z.
    Deterministic. Raises InputError as `probe`.
    """
    shift, rise = probe(district, {RISE: 0.03, **values, LEVEL: 0.0}, families, seed).solve(target)
    return {LEVEL: round(shift, 4), RISE: round(rise, 4)}
