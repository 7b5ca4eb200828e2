"""National nutrition surveys (Riskesdas, SSGBI, SSGI, SKI): a cluster sample of under-fives, with error.

Design. The under-fives are laid in a line village by village, in random order within a village, and cut into
blocks of `children_per_cluster` (the model's blok sensus). Clusters are blocks drawn with equal chance and
without replacement. A village is thus drawn in proportion to its under-fives; a village drawn twice gives two
different groups of children; tiny villages share a block with their neighbour in the village table; every
child has the same chance, so there are no weights.

Interval. The SE comes from the spread between the clusters' percentages (ultimate cluster, linearised), which
carries village clustering and measurement noise without a model of either. The interval is t (clusters - 1
degrees of freedom) on the logit scale: it stays inside 0-100 and leans upwards, as it should where prevalence
is low and a plain interval misses more often above than below. No finite population correction: a model run
at a small population share stands for the whole district and shows the whole district's uncertainty.

What the interval does not hold: random errors of length push more children below -2 than above it, so surveys
read high (by 0.2 to 0.7 of a point, see tests/test_surveys.py). No survey's interval knows that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from konvergensi.observe.who import F32, STUNTED_BELOW, measured_laz


@dataclass(frozen=True, slots=True)
class SurveyRound:
    """One survey going to the field, from [[survey]] in district.toml; months as in inputs/months.py."""

    system: str  # "Riskesdas", "SSGBI", "SSGI", "SKI"
    fieldwork: int
    published: int
    clusters: int
    children_per_cluster: int

    def __post_init__(self) -> None:
        if self.clusters < 1 or self.children_per_cluster < 1:
            raise ValueError(
                f"survey {self.system}: clusters ({self.clusters}) and children_per_cluster "
                f"({self.children_per_cluster}) must be at least 1"
            )
        if self.published < self.fieldwork:
            raise ValueError(f"survey {self.system}: published before its fieldwork")


@dataclass(frozen=True, slots=True)
class SurveyError:
    """How well a trained survey team measures: SD of one length (cm) and of the recorded age (months)."""

    error_cm: float
    age_error_months: float


class SurveyEstimate(NamedTuple):
    """Percent stunted with its 95 % interval, children measured, design effect against a simple sample."""

    percent: float
    low: float
    high: float
    n_measured: int
    design_effect: float


class SurveyRow(NamedTuple):
    """One row of the `surveys` table, columns in order; fieldwork and published are month numbers here."""

    fieldwork: int
    published: int
    system: str
    area: str
    level: str  # "district" or "subdistrict"
    n_measured: int
    percent: float
    low: float
    high: float


def draw_clusters(
    village: NDArray[np.integer], clusters: int, children_per_cluster: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose children by the two-stage design described above.

    Parameters: village (n,) row in the village table of each under-five.
    Returns: (rows, cluster), both (n_measured,): rows of the children chosen and the cluster 0, 1, ... of
    each; n_measured is clusters * children_per_cluster, or everybody where fewer live there.
    """
    place = village + rng.random(village.size)
    asked = clusters * children_per_cluster
    if village.size <= asked:
        return np.argsort(place, kind="stable"), np.arange(village.size, dtype=np.intp) // children_per_cluster
    # the line starts at a random child, so that a last incomplete block leaves nobody out for good
    start = int(rng.integers(village.size))
    n_blocks = village.size // children_per_cluster
    first = rng.choice(n_blocks, size=clusters, replace=False) * children_per_cluster
    at = ((first[:, None] + np.arange(children_per_cluster)).ravel() - start) % village.size
    return _in_line(place, at), np.repeat(np.arange(clusters, dtype=np.intp), children_per_cluster)


def _in_line(place: NDArray[np.float64], at: NDArray[np.integer]) -> NDArray[np.intp]:
    """Rows that stand at positions `at`, (m,), of a line in order of place, (n,); only their villages are sorted."""
    village = place.astype(np.int64)
    ends = np.cumsum(np.bincount(village))
    asked = np.searchsorted(ends, at, side="right")
    wanted = np.zeros(len(ends), bool)
    wanted[asked] = True
    rows = np.flatnonzero(wanted[village])
    rows = rows[np.argsort(place[rows], kind="stable")]
    left_out = np.cumsum(np.where(wanted, 0, np.diff(ends, prepend=0)))  # who stands before, in villages not sorted
    found: NDArray[np.intp] = rows[at - left_out[asked]]
    return found


def estimate_percent(stunted: NDArray[np.bool_], cluster: NDArray[np.intp]) -> SurveyEstimate:
    """Percent stunted with a cluster-robust 95 % interval.

    Parameters: stunted (n,), cluster (n,) number of each child's cluster, from 0. Source: linearised ratio
    mean with ultimate clusters (Wolter, Introduction to Variance Estimation); logit interval as in the R
    package survey (svyciprop). Special cases: nobody measured gives NaN; nobody or everybody stunted, and a
    single cluster, use the SE of a simple sample with half a child added to each side, so that the interval
    has a width.
    """
    n = stunted.size
    if n == 0:
        return SurveyEstimate(math.nan, math.nan, math.nan, 0, math.nan)
    share = float(stunted.mean())
    residual = np.bincount(cluster, weights=stunted - share)
    n_clusters = residual.size
    variance = 0.0
    if n_clusters > 1:
        variance = n_clusters / (n_clusters - 1) * float(residual @ residual) / n**2
    if variance > 0:
        centre, degrees = share, n_clusters - 1
        design_effect = variance / (share * (1 - share) / n)
    else:
        centre, degrees = (stunted.sum() + 0.5) / (n + 1), max(n - 1, 1)
        variance, design_effect = centre * (1 - centre) / n, math.nan
    half = stdtrit(degrees, 0.975) * math.sqrt(variance) / (centre * (1 - centre))
    low, high = expit(logit(centre) + np.array([-half, half]))
    return SurveyEstimate(100 * share, 100 * min(float(low), share), 100 * max(float(high), share), n, design_effect)


def survey(
    plan: SurveyRound,
    village: NDArray[np.integer],
    z_true: F32,
    sex: NDArray[np.integer],
    age_months: NDArray[np.integer],
    error: SurveyError,
    rng: np.random.Generator,
) -> SurveyEstimate:
    """Measure a cluster sample of the district's under-fives in the fieldwork month.

    Parameters: village, z_true, sex (0 male, 1 female), age_months (completed, 0 to 60): (n,), one row per
    under-five; rng the generator of this survey and month.
    """
    rows, cluster = draw_clusters(village, plan.clusters, plan.children_per_cluster, rng)
    z = measured_laz(
        z_true[rows],
        sex[rows],
        age_months[rows],
        rng.standard_normal(rows.size, dtype=np.float32),
        error.error_cm,
        age_error_months=np.float32(error.age_error_months) * rng.standard_normal(rows.size, dtype=np.float32),
    )
    return estimate_percent(z < STUNTED_BELOW, cluster)


def survey_row(plan: SurveyRound, area: str, estimate: SurveyEstimate) -> SurveyRow:
    """The estimate as a row of the `surveys` table."""
    return SurveyRow(
        plan.fieldwork,
        plan.published,
        plan.system,
        area,
        "district",
        estimate.n_measured,
        estimate.percent,
        estimate.low,
        estimate.high,
    )
