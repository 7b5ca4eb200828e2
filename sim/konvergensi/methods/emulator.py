"""Emulators: quick stand-ins for the model, one for each observable, with how far each may be off.

A trend (linear in all free parameters, with squares and products of those that move the output most, where that helps)
and a Gaussian process (scikit-learn) on what it leaves, where that helps. What is emulated is the mean over seeds of
a point; chance between seeds is kept apart. Whether something helps, and how far an emulator may be off, is measured by
leaving points out: an emulator's variance is the mean square of these errors, noise of the means included.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from konvergensi.inputs.calibration_targets import F64

F32 = NDArray[np.float32]
ACTIVE = 8  # free parameters that may bend an output; the others move it along a line
TUNED_ON = 150  # points that length scales are fitted to; all points are then conditioned on
ITERATIONS = 30  # of the search for length scales
RIDGE = 1e-3
HELPS = 0.95  # a part is kept when it brings the left-out variance below this share of what it was
FLAT = 1e-9  # an output that varies less than this is a constant


@dataclass(frozen=True)
class Emulator:
    """One output: `intercept + unit @ slope + bends of the active parameters + amplitude * kernel @ alpha`.

    active (n_active,): parameters that bend it; bend (n_pairs,): weights of the products of two of them, each less its
    middle; points (n_points, n_active) over their length scales; left_out_var: mean square of the leave-one-out errors;
    explained: share of the variance over the points that the left-out predictions explain.
    """

    name: str
    intercept: float
    slope: F64
    active: NDArray[np.intp]
    bend: F64
    points: F32
    alpha: F32
    per_length: F64
    left_out_var: float
    explained: float

    def predict(self, unit: F64) -> F64:
        """Mean of the output at points of the unit cube, (n,)."""
        found = self.intercept + unit @ self.slope
        own = unit[:, self.active]
        if len(self.bend):
            found = found + _products(own) @ self.bend
        if len(self.alpha):
            at = (own * self.per_length).astype(np.float32)
            square = (at**2).sum(axis=1)[:, None] + (self.points**2).sum(axis=1)[None, :]
            square -= 2.0 * (at @ self.points.T)
            np.maximum(square, 0.0, out=square)
            square *= np.float32(-0.5)
            found = found + (np.exp(square, out=square) @ self.alpha).astype(float)
        return np.asarray(found)


@dataclass(frozen=True)
class Emulators:
    """All outputs of a district.

    seed_var: variance between seeds of one point; seeds: how many each mean rests on; fixed: coordinates of the unit
    cube that are held at a value, whatever a point says.
    """

    each: tuple[Emulator, ...]
    seed_var: F64
    seeds: int
    fixed: tuple[tuple[int, float], ...] = ()
    kept: dict[Any, F64] = field(default_factory=dict, compare=False, repr=False)  # predictions asked for again

    @property
    def names(self) -> tuple[str, ...]:
        """Outputs in order."""
        return tuple(one.name for one in self.each)

    def predict(self, unit: F64) -> F64:
        """Means of all outputs at points of the unit cube, (n, n_outputs)."""
        points = np.array(np.atleast_2d(unit))
        for coordinate, value in self.fixed:
            points[:, coordinate] = value
        with threadpool_limits(1):  # sums are taken in one order, however many cores there are
            return np.column_stack([one.predict(points) for one in self.each])

    def predict_again(self, key: Any, unit: F64) -> F64:
        """The same, kept under a key for points that are asked for with every data set."""
        if key not in self.kept:
            self.kept[key] = self.predict(unit)
        return self.kept[key]

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
        return replace(self, each=tuple(self.each[i] for i in rows), seed_var=self.seed_var[rows], kept={})


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
    variance = float(y.var())
    nothing = np.zeros((0, 0), np.float32)
    if variance < FLAT**2:
        none = np.zeros(0, np.intp)
        return Emulator(
            name,
            float(y.mean()),
            np.zeros(d),
            none,
            np.zeros(0),
            nothing,
            nothing[:, 0:0].ravel(),
            np.ones(0),
            0.0,
            1.0,
        )
    active = _most_active(unit, y)
    line = np.column_stack([np.ones(n), unit])
    weights, error = _ridge(line, y)
    bent = np.column_stack([line, _products(unit[:, active])])
    if bent.shape[1] < n / 2:
        more, error_more = _ridge(bent, y)
        if np.mean(error_more**2) < HELPS * np.mean(error**2):
            line, weights, error = bent, more, error_more
    rest = y - line @ weights
    left_out = float(np.mean(error**2))
    alpha, per_length, points = np.zeros(0), np.ones(len(active)), nothing
    tuned = _tuned(unit[:, active], rest)
    scaled = unit[:, active] * tuned["per_length"]
    inverse = np.linalg.inv(tuned["amplitude"] * _correlation(scaled) + tuned["noise"] * np.eye(n))
    weighed = inverse @ rest
    without = weighed / np.diag(inverse) / np.clip(1.0 - _leverage(line), 0.2, 1.0)
    if np.mean(without**2) < HELPS * left_out:
        left_out = float(np.mean(without**2))
        alpha, per_length, points = tuned["amplitude"] * weighed, tuned["per_length"], scaled
    return Emulator(
        name=name,
        intercept=float(weights[0]),
        slope=np.asarray(weights[1 : d + 1], float),
        active=active,
        bend=np.asarray(weights[d + 1 :], float),
        points=points.astype(np.float32),
        alpha=alpha.astype(np.float32),
        per_length=per_length,
        left_out_var=left_out,
        explained=1.0 - left_out / variance,
    )


def _most_active(unit: F64, y: F64) -> NDArray[np.intp]:
    """The parameters that explain most of an output by a line and a bend of their own, in their order."""
    shares = []
    for j in range(unit.shape[1]):
        x = unit[:, j] - 0.5
        design = np.column_stack([np.ones(len(y)), x, x**2])
        rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        shares.append(1.0 - rest.var() / y.var())
    return np.sort(np.argsort(-np.array(shares), kind="stable")[:ACTIVE])


def _products(own: F64) -> F64:
    """Squares and products of columns (n, k), each less its middle: (n, k (k + 1) / 2)."""
    x = own - 0.5
    rows, columns = np.triu_indices(x.shape[1])
    return np.asarray(x[:, rows] * x[:, columns])


def _inverse(design: F64) -> F64:
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    return np.asarray(np.linalg.inv(design.T @ design + penalty))


def _leverage(design: F64) -> F64:
    return np.asarray(np.einsum("ij,jk,ik->i", design, _inverse(design), design))


def _ridge(design: F64, y: F64) -> tuple[F64, F64]:
    """Weights of a nearly unpenalised regression, and its errors with each point left out."""
    weights = _inverse(design) @ design.T @ y
    return weights, (y - design @ weights) / np.clip(1.0 - _leverage(design), 0.05, 1.0)


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

    size = float(rest.std()) + FLAT
    some = np.unique(np.linspace(0, len(unit) - 1, min(TUNED_ON, len(unit))).astype(int))
    scales = RBF(np.full(unit.shape[1], 1.0), (0.15, 20.0))
    kernel = ConstantKernel(0.5, (1e-4, 20.0)) * scales + WhiteKernel(0.3, (1e-8, 2.0))
    process = GaussianProcessRegressor(kernel, alpha=1e-10, optimizer=search)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length scale at its bound: the parameter does nothing
        process.fit(unit[some], rest[some] / size)
    found = process.kernel_
    return {
        "amplitude": size**2 * float(found.k1.k1.constant_value),
        "per_length": 1.0 / np.atleast_1d(found.k1.k2.length_scale),
        "noise": size**2 * float(found.k2.noise_level),
    }
