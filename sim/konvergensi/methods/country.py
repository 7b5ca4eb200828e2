"""Level and trend of every district from the fit over the country, forecasts of surveys, and updating with new rows.

The fit (scripts/fit_country.py) left draws of what districts share: nation, island groups, provinces, covariates and
survey systems. What a district has of its own is Gaussian given such a draw, so its surveys, and any new row, are
conditioned on exactly; draws under which new rows are likelier weigh more. Nothing is fitted again.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from konvergensi.inputs import country
from konvergensi.inputs.country_observed import REGISTER, Observed
from konvergensi.methods.country_scale import GRID, NODES, POINT, SYSTEMS, from_angle, slope_time, to_angle

REFERENCE = "SSGI"  # the survey system on whose level everything is told unless another is named
PER_DRAW = 5  # paths of a district drawn for each draw of what is shared
CHILDREN = {"PSG": 300.0, "Riskesdas": 180.0, "SSGBI": 165.0, "SSGI": 600.0, "SKI": 300.0}
CHILDREN_IN = {("SSGI", 2021): 298.0, ("SSGI", 2022): 689.0}  # calibration/country_priors.toml
Z95 = 1.959964


@dataclass(frozen=True)
class CountryPosterior:
    """Draws (k) of what the districts share, as scripts/fit_country.py wrote them; angular units.

    nation (k, G + S), covariate (k, q, G + S), region (k, 7, G + S), province (k, n_provinces, G + S): paths over GRID
    and then what each of SYSTEMS has of its own. other_error (k, T + 1): SD of a reading beyond sampling, points, at
    each of NODES and for any later survey. seen (514, T): the readings the fit has used.
    """

    name: str
    hyper: dict[str, np.ndarray]
    damping: np.ndarray
    other_error: np.ndarray
    nation: np.ndarray
    covariate: np.ndarray
    region: np.ndarray
    province: np.ndarray
    covariates: np.ndarray
    region_of: np.ndarray
    province_of: np.ndarray
    seen: np.ndarray

    @property
    def n(self) -> int:
        """Number of draws."""
        return len(self.damping)


def posterior_of(name: str, stored: dict[str, np.ndarray]) -> CountryPosterior:
    """Draws from the arrays that scripts/fit_country.py makes."""
    arrays = dict(stored)
    names, values = arrays.pop("hyper_names"), arrays.pop("hyper").astype(float)
    hyper = {str(each): values[:, i] for i, each in enumerate(names)}
    floats = {key: value.astype(float) if value.dtype.kind == "f" else value for key, value in arrays.items()}
    return CountryPosterior(name, hyper, **floats)


def read_posterior(path: Path) -> CountryPosterior:
    """Read draws from a file that scripts/fit_country.py wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return posterior_of(path.stem, {key: stored[key] for key in stored.files})


@functools.cache
def shipped_posterior(last: int = 2023) -> CountryPosterior:
    """The draws fitted to surveys up to a year: 2023, all there are, or 2022. ValueError for another year."""
    names = {2023: "posterior.npz", 2022: "posterior-to-2022.npz"}
    if last not in names:
        raise ValueError(f"no draws fitted to surveys up to {last}; there are {sorted(names)}")
    return read_posterior(country.folder() / names[last])


@functools.cache
def _rows_of() -> dict[str, int]:
    return {code: row for row, code in enumerate(country.codes().tolist())}


@functools.cache
def _published() -> dict[str, list[Observed]]:
    found: dict[str, list[Observed]] = {}
    table = country.surveys()
    columns = (table[name].tolist() for name in ("code", "year", "measure_system", "percent"))
    for code, year, system, percent in zip(*columns):
        found.setdefault(code, []).append(Observed(code, year, system, percent))
    return found


def known_rows(
    post: CountryPosterior, code: str, rows: Sequence[Observed] = ()
) -> tuple[list[Observed], list[Observed]]:
    """Survey rows of a district that count: those the fit has used, and new ones, which replace a published one.

    The routine register is left out: it hardly ranks districts as surveys do (docs/decisions/0023-country-fit.md).
    """
    used = post.seen[_rows_of()[code]]
    new = {_key(each): each for each in rows if each.code == code and each.measure_system != REGISTER}
    published = [each for each in _published().get(code, []) if used[NODES.index(each.year)]]
    return [each for each in published if _key(each) not in new], list(new.values())


def _key(row: Observed) -> tuple[int, str]:
    return row.year, row.measure_system


def time_of(month: int) -> float:
    """A month (12 x year + month - 1) as years are counted here, where 2018 stands for the middle of 2018."""
    return month / 12.0 + 0.5 / 12.0 - 0.5


def shared_level(post: CountryPosterior, code: str, years: np.ndarray, system: str | None) -> np.ndarray:
    """What a district has in common with others at whole years (m,), (k, m), angular units, as a survey system shows
    it.

    system None: without what any survey system has of its own. ValueError outside GRID or for an unknown system.
    """
    if years.min() < GRID[0] or years.max() > GRID[-1]:
        raise ValueError(f"years must lie in [{GRID[0]:.0f}, {GRID[-1]:.0f}], not {years.min()} to {years.max()}")
    if system is not None and system not in SYSTEMS:
        raise ValueError(f"system must be one of {SYSTEMS}, not {system!r}")
    row, at = _rows_of()[code], (years - GRID[0]).astype(int)
    apart = np.einsum("kqg,q->kg", post.covariate, post.covariates[row])
    apart += post.region[:, post.region_of[row]] + post.province[:, post.province_of[row]]
    level = post.nation[:, at] + show_share(post, system) * apart[:, at]
    if system is not None:
        own = len(GRID) + SYSTEMS.index(system)
        level += post.nation[:, own, None] + apart[:, own, None]
    return np.asarray(level)


def show_share(post: CountryPosterior, system: str | None) -> np.ndarray:
    """How much of what sets a district apart from the nation a survey system shows, (k, 1): 1 but for PSG."""
    return (post.hyper["psg_loading"] if system == "PSG" else np.ones(post.n))[:, None]


def own_cov(post: CountryPosterior, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Covariance of what a district has of its own between years (a,) and (b,), (k, a, b), angular units."""
    h = {key: post.hyper[key][:, None, None] for key in ("d_c", "d_s", "d_w", "d_l")}
    slopes = [(slope_time(years, post.damping[:, None]) - 2020.0) / 3.0 for years in (first, second)]
    walk = h["d_w"] ** 2 * np.exp(-np.abs(first[:, None] - second[None, :]) / h["d_l"])
    return np.asarray(POINT**2 * (h["d_c"] ** 2 + h["d_s"] ** 2 * slopes[0][:, :, None] * slopes[1][:, None, :] + walk))


def error_var(post: CountryPosterior, year: int, system: str, row: Observed | None = None) -> np.ndarray:
    """Variance of a reading's error, (k,), angular units: sampling, from the row's own interval if it has one, and all
    other error.
    """
    sampling = post.hyper["design_effect"] * 2500.0 / CHILDREN_IN.get((system, year), CHILDREN[system])
    if row is not None and row.low is not None and row.high is not None and row.low < row.high:
        width = to_angle(row.high) - to_angle(row.low)
        sampling = np.full(post.n, float(width / (2.0 * Z95)) ** 2)
    node = NODES.index(year) if year in NODES and post.seen[:, NODES.index(year)].any() else len(NODES)
    return np.asarray(sampling + (POINT * post.other_error[:, node]) ** 2)


@dataclass(frozen=True)
class DistrictLevel:
    """A district's own part at years (m,) given rows: mean (k, m), cov (k, m, m), and the weight of each draw (k,)."""

    mean: np.ndarray
    cov: np.ndarray
    weight: np.ndarray

    @property
    def worth(self) -> float:
        """As many draws of equal weight would tell as much: new rows that surprise leave few."""
        return float(1.0 / np.sum(self.weight**2))


def condition(post: CountryPosterior, code: str, years: np.ndarray, rows: Sequence[Observed] = ()) -> DistrictLevel:
    """What a district has of its own at years (m,), given its surveys and new rows; angular units."""
    old, new = known_rows(post, code, rows)
    known = [*old, *new]
    prior = own_cov(post, years, years)
    if not known:
        return DistrictLevel(np.zeros((post.n, len(years))), prior, np.full(post.n, 1.0 / post.n))
    when = np.array([float(row.year) for row in known])
    shared = [shared_level(post, code, np.array([float(row.year)]), row.measure_system) for row in known]
    seen = to_angle(np.array([row.percent for row in known])) - np.hstack(shared)
    show = np.hstack([show_share(post, row.measure_system) for row in known])
    cov = own_cov(post, when, when) * show[:, :, None] * show[:, None, :]
    error = np.stack([error_var(post, row.year, row.measure_system, row) for row in known], axis=1)
    cov[:, np.arange(len(known)), np.arange(len(known))] += error
    across = own_cov(post, years, when) * show[:, None, :]
    solved = np.linalg.solve(cov, np.concatenate([seen[:, :, None], across.transpose(0, 2, 1)], axis=2))
    mean = np.einsum("kmr,kr->km", across, solved[:, :, 0])
    left = prior - np.einsum("kmr,krn->kmn", across, solved[:, :, 1:])
    return DistrictLevel(mean, left, _weights(seen, cov, len(old)))


def _weights(seen: np.ndarray, cov: np.ndarray, n_old: int) -> np.ndarray:
    """How likely the new rows are under each draw given the old ones, (k,), summing to 1."""
    log = _log_density(seen, cov)
    if n_old:
        log = log - _log_density(seen[:, :n_old], cov[:, :n_old, :n_old])
    weight = np.exp(log - log.max())
    return np.asarray(weight / weight.sum())


def _log_density(seen: np.ndarray, cov: np.ndarray) -> np.ndarray:
    root = np.linalg.cholesky(cov)
    white = np.linalg.solve(root, seen[:, :, None])[:, :, 0]
    return np.asarray(-0.5 * np.sum(white**2, axis=1) - np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1))


def level_draws(
    post: CountryPosterior,
    code: str,
    years: Sequence[float] | np.ndarray,
    system: str | None = REFERENCE,
    rows: Sequence[Observed] = (),
    seed: int = 0,
) -> np.ndarray:
    """Draws of a district's true prevalence at years, percent, (1000, m), as a perfect survey would find it.

    Parameters: years (m,) from 2016 to 2046, 2018.0 the middle of 2018 (`time_of` a month), between whole years linear
    on the angular scale; system None: without what survey systems have of their own; rows: new survey rows, of any
    districts; seed: of the district's own part.
    """
    when = np.asarray(years, float)
    nodes = np.unique(np.concatenate([np.floor(when), np.ceil(when)]))
    angle, _ = _angles(post, code, nodes, system, rows, seed)
    below = np.searchsorted(nodes, np.floor(when))
    above = np.searchsorted(nodes, np.ceil(when))
    share = when - np.floor(when)
    return from_angle(angle[:, below] * (1.0 - share) + angle[:, above] * share)


def _angles(
    post: CountryPosterior,
    code: str,
    years: np.ndarray,
    system: str | None,
    rows: Sequence[Observed],
    seed: int,
    weight: np.ndarray | float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draws (n, m) on the angular scale at whole years, and of which shared draw each is, (n,)."""
    own = condition(post, code, years, rows)
    n = post.n * PER_DRAW
    reached = np.cumsum(own.weight * weight)
    pick = np.searchsorted(reached / reached[-1], (np.arange(n) + 0.5) / n).clip(0, post.n - 1)
    root = np.linalg.cholesky(own.cov + 1e-9 * np.eye(len(years)))
    noise = np.random.default_rng([seed, _rows_of()[code]]).standard_normal((n, len(years)))
    apart = own.mean[pick] + np.einsum("nab,nb->na", root[pick], noise)
    return shared_level(post, code, years, system)[pick] + show_share(post, system)[pick] * apart, pick


def reading_draws(
    post: CountryPosterior,
    code: str,
    year: int,
    system: str,
    rows: Sequence[Observed] = (),
    seed: int = 0,
    weight: np.ndarray | float = 1.0,
) -> np.ndarray:
    """Draws of what a survey of a system would read in a district in a year, its error included, percent, (1000,).

    A reading of that very survey in the fit or in `rows` is used like any other: to test a forecast, take
    `country_unseen.unseen`. weight (k,): of each shared draw, beyond what `rows` say.
    """
    angle, pick = _angles(post, code, np.array([float(year)]), system, rows, seed, weight)
    noise = np.random.default_rng([seed, _rows_of()[code], year]).standard_normal(len(pick))
    return from_angle(angle[:, 0] + noise * np.sqrt(error_var(post, year, system))[pick])
