"""Indices of one output with intervals: SALib's estimators over a design, resampled in whole blocks.

Interval of every index: value +- 1.96 standard deviations, those of a bootstrap over blocks (sobol, morris) or rows
(pawn, delta, rbd_fast, rsa), or of the mean over trajectories (shapley, and mu of morris).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from threadpoolctl import threadpool_limits

from konvergensi.methods.designs import MORRIS_LEVELS
from konvergensi.methods.sensitivity_designs import Design, positions

F64 = NDArray[np.float64]
CONFIDENCE = 0.95
Z = float(ndtri(0.5 + CONFIDENCE / 2))
# a slow one has fewer
RESAMPLES = {"sobol": 200, "morris": 200, "shapley": 200, "rbd_fast": 100, "pawn": 30, "delta": 30, "rsa": 30}
ENOUGH_FREEDOM = 20  # degrees of freedom from which on a unit's own noise is taken as known
HARMONICS = 6  # of RBD-FAST; more see finer shapes and more noise
SLICES = 10  # of PAWN
BINS = 10  # of regional sensitivity
_GRID = 100  # points at which delta compares densities
DECIDES = {  # the index that says whether a unit is detected
    "sobol": "total",
    "morris": "mu_star",
    "pawn": "median",
    "delta": "delta",
    "rbd_fast": "first",
    "shapley": "effect",
    "rsa": "mean",
}
SHARES = {"sobol": "first", "rbd_fast": "first", "shapley": "effect"}  # indices that are shares of the variance


@dataclass(frozen=True)
class IndexEstimate:
    """An index of every unit: value, half the width of its interval, and `noise`; (units,).

    `noise`: upper end of what chance alone would give the unit, were it to do nothing but shuffle the noise of a run.
    `samples` (resamples, units) are values of the index in resamples, for the interval of a sum; None where there are
    none.
    """

    index: str
    value: F64
    half: F64
    noise: F64
    samples: F64 | None = None


def estimates(design: Design, replicates: F64, seed: int = 1) -> list[IndexEstimate]:
    """Indices of one output, of the mean over its replicates.

    Parameters: replicates (rows, seeds), finite, not constant; seed, of the resampling. With one seed nothing is known
    of chance, and `noise` is 0. Raises KeyError for an unknown method.
    """
    with threadpool_limits(1):  # what is multiplied here is too small to be worth waking threads for
        return _ESTIMATORS[design.method](design, replicates, seed)


# ---- pick-freeze -----------------------------------------------------------------------------------------------------


def _sobol(design: Design, replicates: F64, seed: int) -> list[IndexEstimate]:
    from SALib.analyze import sobol as sobol_analysis

    y = replicates.mean(axis=1)
    found = sobol_analysis.analyze(
        design.problem(),
        y,
        calc_second_order=False,
        num_resamples=RESAMPLES["sobol"],
        conf_level=CONFIDENCE,
        keep_resamples=True,
        seed=seed,
    )
    variance = float(_ends(design, y).var())

    def first(noise: F64) -> F64:
        a, ab, b = _parts(design, noise)
        return b[:, None] * (ab - a[:, None])

    def total(noise: F64) -> F64:
        a, ab, _ = _parts(design, noise)
        return 0.5 * (a[:, None] - ab) ** 2

    return [
        IndexEstimate(
            name,
            np.asarray(found[short], float),
            np.asarray(found[f"{short}_conf"], float),
            _noise(of, replicates) / variance,
            np.asarray(found[f"{short}_conf_all"], float),
        )
        for name, short, of in (("first", "S1", first), ("total", "ST", total))
    ]


def _parts(design: Design, y: F64) -> tuple[F64, F64, F64]:
    """Outputs at the first point of each block (N,), with each unit moved (N, units), and at the second point (N,)."""
    blocks = y.reshape(-1, design.block)
    return blocks[:, 0], blocks[:, 1:-1], blocks[:, -1]


def _ends(design: Design, y: F64) -> F64:
    a, _, b = _parts(design, y)
    return np.concatenate([a, b])


def _morris(design: Design, replicates: F64, seed: int) -> list[IndexEstimate]:
    from SALib.analyze import morris as morris_analysis

    y = replicates.mean(axis=1)
    found = morris_analysis.analyze(
        design.problem(),
        design.points,
        y,
        num_resamples=RESAMPLES["morris"],
        conf_level=CONFIDENCE,
        num_levels=MORRIS_LEVELS,
        seed=seed,
    )
    mu_star, conf, mu, sigma = (np.asarray(np.ma.filled(found[name], np.nan), float) for name in _MORRIS)
    units, alone = design.units, np.array([design.groups.count(unit) == 1 for unit in design.units])
    none = np.zeros(len(units))
    found_mu = IndexEstimate("mu", np.where(alone, mu, np.nan), Z * sigma / np.sqrt(design.blocks), none)
    found_sigma = IndexEstimate("sigma", np.where(alone, sigma, np.nan), np.full(len(units), np.nan), none)
    return [IndexEstimate("mu_star", mu_star, conf, _morris_noise(design, replicates)), found_mu, found_sigma]


_MORRIS = ("mu_star", "mu_star_conf", "mu", "sigma")


def _morris_noise(design: Design, replicates: F64) -> F64:
    """Mean absolute effect of a unit that only shuffles the noise of each row, as far as this one does, (units,)."""
    seeds = replicates.shape[1]
    moved = _moved(design)
    if seeds < 2:
        return np.zeros(len(design.units))
    steps = np.diff(replicates.reshape(-1, design.block, seeds), axis=1)
    variance = np.empty((design.blocks, len(design.units)))
    np.put_along_axis(variance, moved, steps.var(axis=2, ddof=1) / seeds, axis=1)
    jump = MORRIS_LEVELS / (2.0 * (MORRIS_LEVELS - 1))
    noise: F64 = np.sqrt(2.0 / np.pi * _upper(variance, seeds - 1)) / jump  # the mean size of a normal deviate
    return noise


def _moved(design: Design) -> NDArray[np.intp]:
    """Which unit moves at each step of each block, (blocks, block - 1)."""
    steps = np.diff(design.points.reshape(-1, design.block, len(design.factors)), axis=1) != 0.0
    unit_of = np.array([design.units.index(group) for group in design.groups])
    return np.asarray(unit_of[steps.argmax(axis=2)])


def _shapley(design: Design, replicates: F64, seed: int) -> list[IndexEstimate]:
    from SALib.analyze import shapley as shapley_analysis

    y, units = replicates.mean(axis=1), len(design.units)
    flags = np.zeros((design.blocks, design.block, units))
    np.put_along_axis(flags[:, 1:], _moved(design)[:, :, None], 1.0, axis=2)
    rows = flags.cumsum(axis=1).reshape(-1, units)
    problem = {"num_vars": units, "names": list(design.units)}

    def effects(name: str) -> F64:
        with np.errstate(invalid="ignore"):
            return np.asarray(shapley_analysis.analyze(problem, rows, y, conf_level=CONFIDENCE)[name], float)

    each = _contributions(design, y)
    drawn = np.random.default_rng(seed).integers(design.blocks, size=(RESAMPLES["shapley"], design.blocks))
    sums = each[drawn].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # no number where both ends of all trajectories are equal
        noise = _noise(lambda noise: _contributions(design, noise), replicates) / each.sum(axis=1).mean()
        samples = sums / sums.sum(axis=1, keepdims=True)
    return [IndexEstimate("effect", effects("shapley_normalized"), effects("shapley_normalized_conf"), noise, samples)]


def _contributions(design: Design, y: F64) -> F64:
    """What each unit adds to the variance in each trajectory, (blocks, units); their means are the Shapley effects."""
    rows = y.reshape(-1, design.block)
    before, after = rows[:, :-1], rows[:, 1:]
    each = np.empty_like(before)
    np.put_along_axis(each, _moved(design), (rows[:, :1] - (before + after) / 2.0) * (before - after), axis=1)
    return each


def _noise(of: Callable[[F64], F64], replicates: F64) -> F64:
    """What a quadratic form of the outputs takes from the chance left in a mean over seeds, (units,); 0 for one seed.

    The form of the mean is that of the signal plus that of the noise over the number of seeds; the noise is seen in
    how replicates lie about their mean. Parameters: of, outputs (rows,) to the form in each block (blocks, units).
    """
    seeds = replicates.shape[1]
    noise = replicates - replicates.mean(axis=1, keepdims=True)
    forms = np.array([of(noise[:, s]) for s in range(seeds)])
    if seeds < 2:
        return np.zeros(forms.shape[2])
    return _upper(forms.sum(axis=0) / (seeds * (seeds - 1)), seeds - 1)


def _upper(each: F64, freedom: int) -> F64:
    """Upper end of the interval of a mean over blocks, (units,).

    Where few blocks tell it, it is no lower than the median of the units that have any: theirs might be low by chance.
    Parameters: each (blocks, units); freedom, degrees of freedom of each entry.
    """
    upper: F64 = each.mean(axis=0) + Z * each.std(axis=0, ddof=1) / np.sqrt(len(each))
    if len(each) * freedom < ENOUGH_FREEDOM and (upper > 0.0).any():
        return np.where(upper > 0.0, np.maximum(upper, np.median(upper[upper > 0.0])), 0.0)
    return upper


# ---- given data ------------------------------------------------------------------------------------------------------


def _statistics(
    name: str, of: Callable[[F64, F64], F64], reduce_bias: bool = False
) -> Callable[..., list[IndexEstimate]]:
    """An estimator from a function of points (rows, factors) and outputs (rows,), resampled by rows."""

    def estimate(design: Design, replicates: F64, seed: int) -> list[IndexEstimate]:
        y, rng = replicates.mean(axis=1), np.random.default_rng(seed)
        value = of(design.points, y)
        samples = np.array([
            of(design.points[rows], y[rows])
            for rows in rng.integers(len(y), size=(RESAMPLES[design.method], len(y)))
        ])  # fmt: skip
        if reduce_bias:  # Plischke et al. 2013, equation 30
            samples = 2.0 * value - samples
            value = samples.mean(axis=0)
        return [IndexEstimate(name, value, Z * samples.std(axis=0, ddof=1), np.zeros(len(value)), samples)]

    return estimate


def _rbd_fast(points: F64, y: F64) -> F64:
    from SALib.analyze import rbd_fast as rbd_analysis

    shares = [
        rbd_analysis.unskew_S1(
            rbd_analysis.compute_first_order(rbd_analysis.permute_outputs(column, y), HARMONICS), HARMONICS, len(y)
        )
        for column in points.T
    ]
    return np.array(shares)


def _pawn(points: F64, y: F64) -> F64:
    from SALib.analyze.pawn import analyze as pawn_analyze

    names = [f"x{i}" for i in range(points.shape[1])]
    found = pawn_analyze({"num_vars": len(names), "names": names}, points, y, S=SLICES)
    return np.asarray(found["median"], float)


def _rsa(points: F64, y: F64) -> F64:
    """Mean over bins of the output of how far a factor is distributed otherwise inside the bin, over rows.

    The Cramér-von Mises statistic grows with the rows; divided by them it can be compared between sample sizes. Bins
    are of places in the order of the output: where many rows share a value, quantiles of it would leave bins empty.
    """
    from SALib.analyze.rsa import rsa as rsa_analyze

    place = positions([y])[:, 0]
    return np.asarray(np.nanmean(rsa_analyze(points, place, BINS, target="Y"), axis=0) / len(y))


def _delta(points: F64, y: F64) -> F64:
    """Borgonovo's delta with the class sizes of Plischke et al. 2013."""
    from SALib.analyze.delta import calc_delta

    rows = len(y)
    edges, grid = np.linspace(0, rows, delta_classes(rows) + 1), np.linspace(y.min(), y.max(), _GRID)
    return np.array([calc_delta(y, grid, column, edges) for column in points.T])


def delta_classes(rows: int) -> int:
    """Into how many classes delta puts the rows. Source: Plischke et al. 2013."""
    return min(int(np.ceil(rows ** (2.0 / (7.0 + np.tanh((1500.0 - rows) / 500.0))))), 48)


_ESTIMATORS: dict[str, Callable[[Design, F64, int], list[IndexEstimate]]] = {
    "sobol": _sobol,
    "morris": _morris,
    "shapley": _shapley,
    "rbd_fast": _statistics("first", _rbd_fast),
    "pawn": _statistics("median", _pawn),
    "delta": _statistics("delta", _delta, reduce_bias=True),
    "rsa": _statistics("mean", _rsa),
}
