"""Scale, years and survey systems of the statistical layer over the country."""

from __future__ import annotations

import numpy as np

from konvergensi.inputs.country_observed import SYSTEMS

__all__ = ["GRID", "NODES", "POINT", "SYSTEMS", "SYSTEM_OF_NODE", "from_angle", "slope_time", "to_angle"]

NODES = (2017, 2018, 2019, 2021, 2022, 2023)  # years with a survey of districts
SYSTEM_OF_NODE = tuple(SYSTEMS.index(name) for name in ("PSG", "Riskesdas", "SSGBI", "SSGI", "SSGI", "SKI"))
GRID = np.arange(2016.0, 2047.0)  # years of every path; a year stands for its middle
POINT = 50.0 / np.sqrt(25.0 * 75.0)  # angular units for one percentage point where prevalence is 25 percent
DAMPED_FROM = 2024.0


def to_angle(percent: np.ndarray | float) -> np.ndarray:
    """100 arcsin of the root of the share: the variance of a sample of n is 2500/n at any level."""
    return np.asarray(100.0 * np.arcsin(np.sqrt(np.asarray(percent, float) / 100.0)))


def from_angle(angle: np.ndarray | float) -> np.ndarray:
    """Back to percent; what lies below 0 or above all is 0 or 100."""
    return np.asarray(100.0 * np.sin(np.clip(np.asarray(angle, float) / 100.0, 0.0, np.pi / 2.0)) ** 2)


def slope_time(years: np.ndarray, damping: float | np.ndarray) -> np.ndarray:
    """Years as a trend counts them: from 2024 on each counts `damping` times the one before, (..., n_years).

    Parameters: years (n,); damping in (0, 1], one or (k, 1).
    """
    ahead = np.maximum(np.asarray(years, float) - DAMPED_FROM, 0.0)
    kept = np.minimum(damping, 1.0 - 1e-9)
    return np.minimum(years, DAMPED_FROM) + kept * (1.0 - kept**ahead) / (1.0 - kept)
