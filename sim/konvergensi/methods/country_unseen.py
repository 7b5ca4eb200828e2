"""A survey reading predicted as if the fit had not seen it: what `validate --observed` holds against a user's rows.

A reading after all surveys, or of a district that has none in that year, is a forecast. One that the fit has seen is
taken out again: of the last year by the fit to the years before, of an earlier one from the district's own part exactly
and from the shared draws by importance weights (each draw weighs the less, the likelier it made that reading).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from konvergensi.inputs import country
from konvergensi.inputs.country_observed import REGISTER, Observed
from konvergensi.methods.country import (
    REFERENCE,
    CountryPosterior,
    condition,
    known_rows,
    level_draws,
    reading_draws,
    shipped_posterior,
)
from konvergensi.methods.country_scale import NODES

UNSEEN_YEAR, UNSEEN_DISTRICT = "unseen_year", "unseen_district"
YEAR_LEFT_OUT, READING_LEFT_OUT = "year_left_out", "reading_left_out"
ROUTINE = "register"
KINDS = (UNSEEN_YEAR, UNSEEN_DISTRICT, YEAR_LEFT_OUT, READING_LEFT_OUT, ROUTINE)


@dataclass(frozen=True)
class Forecast:
    """Draws of a reading, percent, (1000,); kind, one of KINDS; seen, whether the fit of all surveys used it; worth, as
    many shared draws of equal weight would tell as much.
    """

    draws: np.ndarray
    kind: str
    seen: bool
    worth: float


def unseen(row: Observed, rows: Sequence[Observed] = (), seed: int = 0) -> Forecast:
    """Predict a row from all published surveys but itself.

    Parameters: rows, others that may speak too, of any districts; those the fit has seen say nothing new.
    """
    post = shipped_posterior()
    if row.measure_system == REGISTER:
        return Forecast(register_draws(post, row, seed), ROUTINE, False, float(post.n))
    own = _seen_row(post, row)
    if own is None:
        kind = UNSEEN_DISTRICT if _year_seen(post, row.year) else UNSEEN_YEAR
        return _forecast(post, row, rows, seed, kind, np.ones(post.n), seen=False)
    if row.year == NODES[-1]:
        early = shipped_posterior(NODES[-2])
        return _forecast(early, row, rows, seed, YEAR_LEFT_OUT, np.ones(early.n), seen=True)
    rest = without(post, row.code, row.year)
    likely = condition(rest, row.code, np.array([float(row.year)]), [own]).weight
    return _forecast(rest, row, rows, seed, READING_LEFT_OUT, likely.min() / likely, seen=True)


def _forecast(
    post: CountryPosterior,
    row: Observed,
    rows: Sequence[Observed],
    seed: int,
    kind: str,
    weight: np.ndarray,
    seen: bool,
) -> Forecast:
    new = [each for each in rows if each.code == row.code and _seen_row(post, each) is None]
    draws = reading_draws(post, row.code, row.year, row.measure_system, new, seed, weight)
    return Forecast(draws, kind, seen, float(weight.sum() ** 2 / np.sum(weight**2)))


def _seen_row(post: CountryPosterior, row: Observed) -> Observed | None:
    """The published reading of this district and year, if the fit has used it; whatever system the row names: two
    surveys of one year are most likely one under two names.
    """
    return next((each for each in known_rows(post, row.code)[0] if each.year == row.year), None)


def _year_seen(post: CountryPosterior, year: int) -> bool:
    return year in NODES and bool(post.seen[:, NODES.index(year)].any())


def without(post: CountryPosterior, code: str, year: int) -> CountryPosterior:
    """The draws, with a district's reading of a year taken out of what is known of the district itself."""
    seen = post.seen.copy()
    seen[country.codes() == code, NODES.index(year)] = False
    return replace(post, seen=seen)


@dataclass(frozen=True)
class RegisterRatio:
    """Register over survey in the same district and year: mean and SD of the log ratio, and over how many pairs."""

    log_mean: float
    log_sd: float
    n: int


def register_ratio(code: str = "") -> RegisterRatio:
    """How far below the survey the register reads, over the districts and years that have both; those marked odd and
    the district itself are left out. Two provinces of Java: elsewhere it is an assumption.
    """
    register = country.register()
    pairs = register[(register["odd"] == 0) & (register["code"] != code)].merge(
        country.surveys(), on=["code", "year"], suffixes=("_register", "_survey")
    )
    log = np.log(pairs["percent_register"].to_numpy(float) / pairs["percent_survey"].to_numpy(float))
    log = log[np.isfinite(log)]
    return RegisterRatio(float(log.mean()), float(log.std(ddof=1)), len(log))


def register_draws(post: CountryPosterior, row: Observed, seed: int = 0) -> np.ndarray:
    """What the register would show, percent, (1000,): the level on the reference system times the ratio."""
    level = level_draws(post, row.code, [float(row.year)], REFERENCE, seed=seed)[:, 0]
    ratio = register_ratio(row.code)
    noise = np.random.default_rng([seed, row.year, *map(int, row.code.split("."))]).standard_normal(len(level))
    return np.asarray(np.clip(level * np.exp(ratio.log_mean + ratio.log_sd * noise), 0.0, 100.0))
