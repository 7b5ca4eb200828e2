"""From a table of runs to posterior and predictions: everything that needs no further run of the model.

`calibrate` lives the runs stage by stage and asks for the next points; `validate` reads the same table and asks the
same questions, so that what is reported can be made again in minutes from what is committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from konvergensi.analyses.calibration_runs import arrays, outputs_of
from konvergensi.base.errors import InputError, fault
from konvergensi.inputs.calibration_study import CalibrationStudy, Structure
from konvergensi.inputs.calibration_targets import F64, Scale, from_scale
from konvergensi.methods.emulator import Emulators, fit
from konvergensi.methods.likelihood import Likelihood
from konvergensi.methods.matching import what_is_left
from konvergensi.methods.posterior import Posterior, effective_share, sample, systematic

POSTERIOR, TRUTHS = "posterior", "truths"
RIDGE = 1e-2  # of the linear shift of another structure


def wave(number: int) -> str:
    """Stage of a wave."""
    return f"wave-{number}"


def structure_stage(structure: Structure) -> str:
    """Stage of the runs under another structure."""
    return f"structure-{structure.id}"


@dataclass
class Analysis:
    """Emulators and likelihood from the runs of some stages.

    stages: whose runs the emulators rest on; scales: outputs emulated, with their scales.
    """

    study: CalibrationStudy
    runs: pd.DataFrame
    stages: tuple[str, ...]
    scales: dict[str, Scale] = field(init=False)
    emulators: Emulators = field(init=False)
    likelihood: Likelihood = field(init=False)

    def __post_init__(self) -> None:
        own = self.runs[self.runs["stage"].isin(self.stages)]
        self.scales = outputs_of(self.study, own)
        unit, values = arrays(self.study, own, self.scales)
        if len(unit) < len(self.study.space) + 2:
            words = {"value": len(unit), "least": len(self.study.space) + 2}
            raise InputError(fault(self.study.path, "points", "too_few_points", **words))
        self.emulators = fit(list(self.scales), unit, values)
        self.likelihood = Likelihood.of(self.study.targets, self.emulators)

    # ---- points ------------------------------------------------------------------------------------------------------

    def next_wave(self, number: int) -> tuple[F64, float]:
        """Points of the next wave (points, n_free) and the share of the prior that is left for it."""
        file = self.study.file
        try:
            left = what_is_left(self.likelihood, len(self.study.space), file.points, file.seed + number, file.cutoff)
        except ValueError as error:
            raise InputError(fault(self.study.path, "cutoff", "plain", text=str(error))) from None
        return left.points, left.share

    # ---- posteriors --------------------------------------------------------------------------------------------------

    def posterior(self, likelihood: Likelihood | None = None, seed: int = 0) -> Posterior:
        """The posterior of the study's targets, or of another likelihood."""
        file = self.study.file
        try:
            return sample(
                likelihood or self.likelihood, len(self.study.space), file.particles, file.seed + seed, file.cutoff
            )
        except ValueError as error:
            raise InputError(fault(self.study.path, "cutoff", "plain", text=str(error))) from None

    def without(self, left_out: Sequence[bool] | np.ndarray) -> Likelihood:
        """The likelihood without some targets."""
        weight = np.where(np.asarray(left_out), 0.0, self.likelihood.columns.weight)
        return self.likelihood.weighing(weight)

    def predict(self, unit: F64, rng: np.random.Generator, emulators: Emulators | None = None) -> F64:
        """Observations of every target that these points lead to, (n, n_targets), in the targets' units."""
        likelihood = self.likelihood if emulators is None else Likelihood.of(self.study.targets, emulators)
        drawn = likelihood.draw(likelihood.emulators.predict(unit), rng)
        return in_units(self.study, drawn)

    def under(self, structure: Structure) -> Emulators:
        """Emulators under another structure: those of the study, shifted by what its runs showed at the same points.

        The shift is linear in the free parameters (ridge), from pairs of runs with the same point and seeds; how far it
        may be off is added. Free parameters that the structure fixes are fixed.
        """
        found = _shifted(self, structure) if structure.points else self.emulators
        space = self.study.space
        fixed = {key: float(value) for key, value in structure.set.items() if key in space.keys}
        at = [(i, (fixed[key] - space.low[i]) / (space.high[i] - space.low[i])) for i, key in enumerate(space.keys)
              if key in fixed]  # fmt: skip
        return replace(found, fixed=tuple(at))


def in_units(study: CalibrationStudy, scaled: F64) -> F64:
    """Values of the targets (n, n_targets) from their scales to their units."""
    columns = [from_scale(scaled[:, j], each.scale, each.count) for j, each in enumerate(study.targets)]
    return np.column_stack(columns)


def _shifted(analysis: Analysis, structure: Structure) -> Emulators:
    study, runs, emulators = analysis.study, analysis.runs, analysis.emulators
    stage = structure_stage(structure)
    other = runs[runs["stage"] == stage]
    base = runs[(runs["stage"] == wave(study.file.waves)) & runs["draw"].isin(set(other["draw"]))]
    other = other[other["draw"].isin(set(base["draw"]))]
    unit, values = arrays(study, other, analysis.scales)
    _, before = arrays(study, base, analysis.scales)
    difference = values.mean(axis=1) - before.mean(axis=1)
    design = np.column_stack([np.ones(len(unit)), unit - 0.5])
    inverse = np.linalg.inv(design.T @ design + RIDGE * np.eye(design.shape[1]))
    weights = inverse @ design.T @ difference
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    left_out = (difference - design @ weights) / np.clip(1.0 - leverage, 0.1, 1.0)[:, None]
    error = (left_out**2).mean(axis=0)
    each = tuple(
        replace(
            one,
            intercept=one.intercept + float(weights[0, j] - 0.5 * weights[1:, j].sum()),
            slope=one.slope + weights[1:, j],
            left_out_var=one.left_out_var + float(error[j]),
        )
        for j, one in enumerate(emulators.each)
    )
    return replace(emulators, each=each)


# ---- fitted draws ----------------------------------------------------------------------------------------------------


def chosen(posterior: Posterior, draws: int) -> F64:
    """So many of the particles, evenly taken, (draws, n_free)."""
    ones = np.ones(len(posterior.particles))
    return posterior.particles[systematic(ones, draws, 0.5)]


@dataclass(frozen=True)
class Corrected:
    """Weights (n_draws,) that bring draws of one posterior to that of better emulators; their effective share."""

    weights: F64
    effective: float


def corrected(before: Likelihood, after: Likelihood, unit: F64) -> Corrected:
    """Importance weights of draws of the posterior of `before` under the likelihood of `after`, summing to 1."""
    logs = after.log(unit) - before.log(unit)
    weights = np.exp(logs - logs.max())
    return Corrected(weights / weights.sum(), effective_share(weights))
