"""The register's share of the survey: e-PPGBM over survey prevalence, by district and year, with its uncertainty.

log ratio = level + slope (year - 2019) + district + year of the district; the survey's own error is part of the last.
Fitted over the district-years that have both by scripts/fit_register.py (Jawa Barat 2017 to 2022, Jawa Timur 2022),
written to scenarios/country/register_ratio.toml. Outside these years the level may wander: `wander_sd` a year, the
spread of yearly means that the fit leaves, at least 0.02.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from konvergensi.base.files import data_root, read_toml

if TYPE_CHECKING:
    from collections.abc import Sequence

MIDDLE = 2019
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class RegisterRatio:
    """The fit, on the log scale. `sd` of what is not known is beside each value."""

    level: float
    level_sd: float
    slope: float  # a year
    slope_sd: float
    district_sd: float
    year_sd: float  # of one district's year, the survey's error included
    wander_sd: float  # a year, outside the years of the fit
    first: int
    last: int

    def expected(self, years: F64) -> F64:
        """Log ratio of a middle district, (n_years,)."""
        found: F64 = self.level + self.slope * (years - MIDDLE)
        return found

    def district(self, years: F64, ratios: F64) -> tuple[float, float]:
        """Mean and SD of a district's own level given its ratios (n,) in `years` (n,); nothing known without any."""
        if not len(years):
            return 0.0, self.district_sd
        gap = np.log(ratios) - self.expected(years)
        weight = self.district_sd**2 / (self.district_sd**2 + self.year_sd**2 / len(years))
        return float(weight * gap.mean()), float(self.district_sd * np.sqrt(1.0 - weight))


def shipped_ratio() -> RegisterRatio:
    """The fit that is shipped."""
    found = read_toml(data_root() / "country" / "register_ratio.toml")
    names = ("level", "slope", "district_sd", "year_sd", "wander_sd")
    values = {name: float(found[name]["value"]) for name in names}
    sds = {f"{name}_sd": float(found[name]["sd"]) for name in ("level", "slope")}
    return RegisterRatio(**values, **sds, first=int(found["years"]["first"]), last=int(found["years"]["last"]))


def ratio_draws(
    fit: RegisterRatio,
    years: Sequence[int],
    draws: int,
    seed: int,
    known: tuple[Sequence[int], Sequence[float]] = ((), ()),
) -> F64:
    """Draws of the register's share of the survey in one district, (draws, n_years).

    Parameters: known, years and ratios of the district itself. Later years than the fit's are less sure.
    """
    rng = np.random.default_rng(seed)
    at = np.asarray(years, float)
    mean, sd = fit.district(np.asarray(known[0], float), np.asarray(known[1], float))
    level = rng.normal(fit.level, fit.level_sd, draws)[:, None] + rng.normal(mean, sd, draws)[:, None]
    slope = rng.normal(fit.slope, fit.slope_sd, draws)[:, None]
    outside = np.maximum(np.maximum(at - fit.last, fit.first - at), 0.0)
    wander = rng.normal(0.0, 1.0, (draws, 1)) * fit.wander_sd * np.sqrt(outside)
    noise = rng.normal(0.0, fit.year_sd, (draws, len(at)))
    found: F64 = np.exp(level + slope * (at - MIDDLE) + wander + noise)
    return found
