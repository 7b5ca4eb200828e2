"""Emulators: quick stand-ins for the model, one for each observable, with how far each may be off.

A linear trend and a Gaussian process on what it leaves (scikit-learn), on the unit cube of the free parameters. What is
emulated is the mean over the seeds of a point; chance between seeds is kept apart. How far an emulator may be off is
measured, not believed: the mean square of its leave-one-out errors.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from konvergensi.calibration.targets import F64

F32 = NDArray[np.float32]
TUNED_ON = 250  # points that length scales are fitted to; all points are then conditioned on
ITERATIONS = 40  # of the search for length scales
RIDGE = 1e-3
FLAT = 1e-9  # an output that varies less than this is a constant


@dataclass(frozen=True)
class Emulator:
    """One output. Predictions are `trend + kernel @ alpha`; the kernel is squared exponential, cut in float32.

    left_out_var: mean square of the leave-one-out errors; explained: share of the variance over the points that the
    leave-one-out predictions explain.
    """

    name: str
    intercept: float
    slope: F64  # (n_free,)
    scaled_points: F32  # (n_points, n_free), points over length scales
    alpha: F32  # (n_points,)
    amplitude: float
    per_length: F64  # (n_free,), 1 / length scales
    left_out_var: float
    explained: float

    def predict(self, unit: F64) -> F64:
        """Mean of the output at points of the unit cube, (n,)."""
        trend = self.intercept + unit @ self.slope
        if self.amplitude == 0.0:
            return np.asarray(trend)
        at = (unit * self.per_length).astype(np.float32)
        square = (at**2).sum(axis=1)[:, None] + (self.scaled_points**2).sum(axis=1)[None, :]
        square -= 2.0 * (at @ self.scaled_points.T)
        np.maximum(square, 0.0, out=square)
        square *= np.float32(-0.5)
        np.exp(square, out=square)
        return np.asarray(trend + self.amplitude * (square @ self.alpha).astype(float))


@dataclass(frozen=True)
class Emulators:
    """All outputs of a district. seed_var: variance between seeds of one point; seeds: how many each mean rests on."""

    each: tuple[Emulator, ...]
    seed_var: F64
    seeds: int

    @property
    def names(self) -> tuple[str, ...]:
        """Outputs in order."""
        return tuple(one.name for one in self.each)

    def predict(self, unit: F64) -> F64:
        """Means of all outputs at points of the unit cube, (n, n_outputs)."""
        with threadpool_limits(1):  # sums are taken in one order, however many cores there are
            return np.column_stack([one.predict(np.atleast_2d(unit)) for one in self.each])

    @property
    def left_out_var(self) -> F64:
        """How far each emulator's mean may be off, variance (n_outputs,)."""
        return np.array([one.left_out_var for one in self.each])

    @property
    def mean_var(self) -> F64:
        """Variance of the emulated mean: of the emulator, and of the seeds that all points share."""
        return np.asarray(self.left_out_var + self.seed_var / max(self.seeds, 1))

    def only(self, names: Sequence[str]) -> Emulators:
        """These outputs, in this order. Raises KeyError for one that is not there."""
        at = {name: i for i, name in enumerate(self.names)}
        rows = [at[name] for name in names]
        return Emulators(tuple(self.each[i] for i in rows), self.seed_var[rows], self.seeds)


def fit(names: Sequence[str], unit: F64, values: F64) -> Emulators:
    """Emulate outputs of the model.

    Parameters: unit (n_points, n_free) points of the unit cube; values (n_points, n_seeds, n_outputs) on the scales
    of the targets. The same points give the same emulators, whatever machine load or number of cores.
    """
    n_seeds = values.shape[1]
    mean = values.mean(axis=1)
    seed_var = values.var(axis=1, ddof=1).mean(axis=0) if n_seeds > 1 else np.zeros(values.shape[2])
    with threadpool_limits(1):
        each = tuple(fit_one(name, unit, mean[:, j]) for j, name in enumerate(names))
    return Emulators(each, np.asarray(seed_var), n_seeds)


def fit_one(name: str, unit: F64, y: F64) -> Emulator:
    """Emulate one output from its means (n_points,) at points of the unit cube (n_points, n_free)."""
    n, d = unit.shape
    design = np.column_stack([np.ones(n), unit])
    spread = float(y.std())
    if spread < FLAT:
        return _constant(name, float(y.mean()), d)
    penalty = RIDGE * np.eye(d + 1)
    penalty[0, 0] = 0.0
    weights = np.linalg.solve(design.T @ design + penalty, design.T @ y)
    rest = (y - design @ weights) / spread
    tuned = _tuned(unit, rest)
    kernel = tuned["amplitude"] * _correlation(unit * tuned["per_length"])
    inverse = np.linalg.inv(kernel + (tuned["noise"] + 1e-8) * np.eye(n))
    alpha = inverse @ rest
    # leaving each point out of the process and of the trend: the latter by the leverage of ordinary regression
    leverage = np.einsum("ij,jk,ik->i", design, np.linalg.inv(design.T @ design + penalty), design)
    left_out = alpha / np.diag(inverse) / np.clip(1.0 - leverage, 0.2, 1.0)
    error = spread**2 * float(np.mean(left_out**2))
    return Emulator(
        name=name,
        intercept=float(weights[0]),
        slope=np.asarray(weights[1:], float),
        scaled_points=(unit * tuned["per_length"]).astype(np.float32),
        alpha=(spread * alpha).astype(np.float32),
        amplitude=tuned["amplitude"],
        per_length=tuned["per_length"],
        left_out_var=error,
        explained=1.0 - error / spread**2,
    )


def _constant(name: str, value: float, d: int) -> Emulator:
    empty = np.zeros((0, d), np.float32)
    return Emulator(name, value, np.zeros(d), empty, np.zeros(0, np.float32), 0.0, np.ones(d), 0.0, 1.0)


def _correlation(scaled: F64) -> F64:
    square = (scaled**2).sum(axis=1)
    return np.asarray(np.exp(-0.5 * np.maximum(square[:, None] + square[None, :] - 2.0 * scaled @ scaled.T, 0.0)))


def _tuned(unit: F64, rest: F64) -> dict[str, Any]:
    """Amplitude, length scales and noise that make what the trend leaves most likely, from at most TUNED_ON points."""
    from scipy.optimize import minimize
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    def search(objective: Any, start: F64, bounds: F64) -> tuple[F64, float]:
        found = minimize(objective, start, method="L-BFGS-B", jac=True, bounds=bounds, options={"maxiter": ITERATIONS})
        return found.x, found.fun

    d = unit.shape[1]
    some = np.unique(np.linspace(0, len(unit) - 1, min(TUNED_ON, len(unit))).astype(int))
    kernel = ConstantKernel(0.5, (1e-4, 20.0)) * RBF(np.full(d, 2.0), (0.15, 20.0)) + WhiteKernel(0.3, (1e-6, 2.0))
    process = GaussianProcessRegressor(kernel, alpha=1e-8, optimizer=search)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length scale at its bound: the parameter does nothing
        process.fit(unit[some], rest[some])
    found = process.kernel_
    return {
        "amplitude": float(found.k1.k1.constant_value),
        "per_length": 1.0 / np.atleast_1d(found.k1.k2.length_scale),
        "noise": float(found.k2.noise_level),
    }
