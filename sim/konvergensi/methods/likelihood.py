"""How likely what was observed is, given what the model would show: shared by matching, posterior and checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaln, gammaln

from konvergensi.inputs.calibration_targets import F64, Columns, Target
from konvergensi.methods.emulator import Emulators

NEAR = 0.02  # no agency's answer is surer than this, whatever the emulator says


@dataclass(frozen=True)
class Likelihood:
    """Targets with the emulators of their observables.

    mean_var: variance of an emulated mean; chance_var: of one run around that mean. A count carries its own chance (it
    is binomial in the model's share), so what chance adds to it is not counted twice.
    """

    targets: tuple[Target, ...]
    emulators: Emulators
    columns: Columns

    @classmethod
    def of(cls, targets: Sequence[Target], emulators: Emulators, observed: F64 | None = None) -> Likelihood:
        """Take the emulators that the targets name, in their order; `observed` as in `Columns.of`."""
        own = emulators.only([each.observable for each in targets])
        return cls(tuple(targets), own, Columns.of(targets, observed))

    def seeing(self, observed: F64) -> Likelihood:
        """The same with other data (n_targets,), on the scales."""
        return replace(self, columns=replace(self.columns, value=np.asarray(observed, float)))

    def weighing(self, weight: F64) -> Likelihood:
        """The same with other weights (n_targets,): 0 leaves a target out."""
        return replace(self, columns=replace(self.columns, weight=np.asarray(weight, float)))

    @property
    def spread_var(self) -> F64:
        """Variance of an observation around the emulated mean, a count's binomial chance apart, (n_targets,)."""
        chance = np.where(self.columns.count > 0, 0.0, self.emulators.seed_var)
        return np.asarray(self.columns.error_var + self.emulators.mean_var + chance)

    def implausibility(self, unit: F64) -> F64:
        """Distance of what was observed from the emulated mean in standard deviations, (n, n_targets); 0 of weight 0.

        The variances of observation (a count's: its sampling SD), discrepancy, chance and emulator are summed.
        """
        return self.implausibility_of(self.emulators.predict(unit))

    def implausibility_of(self, mean: F64) -> F64:
        """The same, given means of the outputs (n, n_targets)."""
        n = self.columns.count
        share = np.clip(mean, NEAR, 1.0 - NEAR)
        own = np.where(n > 0, share * (1.0 - share) / np.maximum(n, 1), 0.0)
        away = np.abs(mean - self.columns.value) / np.sqrt(self.spread_var + own)
        return np.asarray(away * (self.columns.weight > 0))

    def log(self, unit: F64) -> F64:
        """Weighted log likelihood at points of the unit cube, (n,)."""
        return self.log_of(self.emulators.predict(unit))

    def log_of(self, mean: F64) -> F64:
        """Weighted log likelihood given means of the outputs (n, n_targets)."""
        return np.asarray(self.each_log_of(mean) @ self.columns.weight)

    def each_log_of(self, mean: F64) -> F64:
        """Log likelihood of each target, (n, n_targets)."""
        from scipy.stats import norm

        columns, is_count = self.columns, self.columns.count > 0
        found = np.empty_like(mean)
        sd = np.sqrt(self.spread_var)
        found[:, ~is_count] = norm.logpdf(columns.value[~is_count], mean[:, ~is_count], sd[~is_count])
        k = np.round(columns.value[is_count] * columns.count[is_count])
        found[:, is_count] = beta_binomial_log(
            k, columns.count[is_count].astype(float), mean[:, is_count], self.spread_var[is_count]
        )
        return found

    def draw(self, mean: F64, rng: np.random.Generator, of_runs: bool = False) -> F64:
        """Observations that the error models would give at these means, (n, n_targets), on the scales.

        of_runs: the means are what single runs showed, so neither emulator nor chance is added.
        """
        var = self.columns.error_var if of_runs else self.spread_var
        drawn = mean + np.sqrt(var) * rng.standard_normal(mean.shape)
        is_count = self.columns.count > 0
        n, share = self.columns.count[is_count], np.clip(mean[:, is_count], NEAR, 1.0 - NEAR)
        a, b = _shape(share, var[is_count])
        drawn[:, is_count] = rng.binomial(np.broadcast_to(n, share.shape), rng.beta(a, b)) / n
        return drawn


def _shape(share: F64, var: F64) -> tuple[F64, F64]:
    """Beta parameters with this mean and variance; the variance is kept below what the mean allows."""
    room = share * (1.0 - share)
    size = room / np.clip(var, 1e-4 * room, 0.5 * room) - 1.0
    return share * size, (1.0 - share) * size


def beta_binomial_log(k: F64, n: F64, share: F64, var: F64) -> F64:
    """Log probability of k of n where the share has this mean and variance; the limit of no variance is binomial."""
    a, b = _shape(np.clip(share, NEAR, 1.0 - NEAR), var)
    ways = gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)
    return np.asarray(ways + betaln(k + a, n - k + b) - betaln(a, b))
