"""The model of the country's surveys as a marginal likelihood in JAX; scripts/fit_country.py estimates it.

A survey reading on the angular scale (100 arcsin sqrt share: sampling variance does not depend on the level) is

    nation(t) + island group(t) + sum of covariate x slope(t) + province(t) + district(t) + error

Each part is constant + slope + a walk that is forgotten (Ornstein-Uhlenbeck) + what belongs to the survey system alone.
All are Gaussian given the hyperparameters, so everything but these is integrated out exactly: first districts, then
provinces, then the rest. Draws of the parts are exact as well.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import block_diag, cho_solve, solve_triangular

from konvergensi.methods.country_scale import GRID, NODES, POINT, SYSTEM_OF_NODE, SYSTEMS, slope_time, to_angle

jax.config.update("jax_enable_x64", True)
PRIORS = tomllib.loads((Path(__file__).resolve().parents[1] / "calibration" / "country_priors.toml").read_text())
T = len(NODES)
N_GRID, N_SYSTEMS = len(GRID), len(SYSTEMS)
ERRORS = tuple(f"error_{node}" for node in range(T))
KEYS = tuple(key for key in PRIORS["parameters"] if key != "other_error_year") + ERRORS + ("ski_like_ssgi",)
TINY = 1e-8
NODE_CHILDREN = [
    PRIORS["children"][name]["value"] for name in ("PSG", "Riskesdas", "SSGBI", "SSGI-2021", "SSGI-2022", "SKI")
]


def prior_of(key: str) -> tuple[float, float]:
    """Centre and SD of a parameter on the scale the sampler works on: the log, of the correlation the logit."""
    if key == "ski_like_ssgi":
        return 0.0, 1.8138  # SD of the standard logistic, which is uniform on the share
    told = PRIORS["parameters"]["other_error_year" if key in ERRORS else key]
    return float(np.log(told["value"])), float(told["log_sd"])


CENTRE = np.array([prior_of(key)[0] for key in KEYS])
SPREAD = np.array([prior_of(key)[1] for key in KEYS])


def named(x: Any) -> dict[str, Any]:
    """Hyperparameters by name from the sampler's vector."""
    values = {key: jnp.exp(x[i]) for i, key in enumerate(KEYS) if key != "ski_like_ssgi"}
    return values | {"ski_like_ssgi": jax.nn.sigmoid(x[-1])}


def log_prior(x: Any) -> Any:
    """Log density of the prior, up to a constant."""
    normal = -0.5 * jnp.sum(((x[:-1] - CENTRE[:-1]) / SPREAD[:-1]) ** 2)
    return normal - x[-1] - 2.0 * jnp.logaddexp(0.0, -x[-1])


def systems_alike(h: dict[str, Any]) -> Any:
    """Correlation of what two survey systems have of their own, (n_systems, n_systems)."""
    ssgi, ski = SYSTEMS.index("SSGI"), SYSTEMS.index("SKI")
    return jnp.eye(N_SYSTEMS).at[ssgi, ski].set(h["ski_like_ssgi"]).at[ski, ssgi].set(h["ski_like_ssgi"])


def path_cov(h: dict[str, Any], group: str, years: Any, times: Any) -> Any:
    """Covariance of a part's path over years, in angular units; times are the years as slopes count them."""
    apart = jnp.abs(years[:, None] - years[None, :])
    if group == "nation":
        first = jnp.minimum(years[:, None], years[None, :]) - (GRID[0] - 1.0)
        drift = PRIORS["drift"]["sd"] * (times - NODES[0])
        return POINT**2 * (25.0**2 + drift[:, None] * drift[None, :] + h["nation_walk"] ** 2 * first)
    slope = (times - 2020.0) / 3.0
    walk = h[f"{group}_w"] ** 2 * jnp.exp(-apart / h[f"{group}_l"])
    return POINT**2 * (h[f"{group}_c"] ** 2 + h[f"{group}_s"] ** 2 * slope[:, None] * slope[None, :] + walk)


def system_var(h: dict[str, Any], group: str) -> Any:
    """Variance of what a survey system has of its own in a part, angular units."""
    return (POINT * (h["nation_system"] if group == "nation" else h.get(f"{group}_i", 0.0))) ** 2


_NODES = jnp.array(NODES, dtype=float)
_SYS = jnp.array(np.eye(N_SYSTEMS)[list(SYSTEM_OF_NODE)])  # (T, n_systems)


def loading(h: dict[str, Any]) -> Any:
    """How much of a deviation each survey shows, (T,): 1 but for PSG."""
    return jnp.ones(T).at[0].set(h["psg_loading"])


def node_cov(h: dict[str, Any], group: str) -> Any:
    """Covariance of a part as the surveys show it, (T, T)."""
    show = loading(h) if group != "nation" else jnp.ones(T)
    own = system_var(h, group) * _SYS @ systems_alike(h) @ _SYS.T
    return path_cov(h, group, _NODES, _NODES) * show[:, None] * show[None, :] + own


def error_var(h: dict[str, Any]) -> Any:
    """Variance of a reading's error at each survey, (T,), angular units: sampling by design, and all other error."""
    sampling = h["design_effect"] * 2500.0 / jnp.array(NODE_CHILDREN)
    other = POINT * h["other_error"] * jnp.stack([h[key] for key in ERRORS])
    return sampling + other**2


@dataclass
class Data:
    """Readings (n, T) in percent with NaN where there is none, covariates (n, q), rows of regions and provinces."""

    percent: np.ndarray
    covariates: np.ndarray
    region: np.ndarray
    province: np.ndarray

    def __post_init__(self) -> None:
        self.seen = np.isfinite(self.percent)
        self.offset = float(np.nanmean(to_angle(self.percent)))
        drift = POINT * PRIORS["drift"]["value"] * (np.array(NODES) - NODES[0])
        self.rest = jnp.array(np.where(self.seen, to_angle(self.percent) - self.offset - drift, 0.0))
        self.mask = jnp.array(self.seen.astype(float))
        self.n_regions, self.q = int(self.region.max()) + 1, self.covariates.shape[1]
        self.n_provinces = int(self.province.max()) + 1
        regions = np.eye(self.n_regions)[self.region]
        self.parts = jnp.array(np.c_[np.ones(len(self.region)), self.covariates, regions])
        self.in_province = jnp.array(np.eye(self.n_provinces)[self.province])

    def groups(self) -> list[str]:
        """The group of each column of `parts`."""
        return ["nation", *["b"] * self.q, *["r"] * self.n_regions]


def _inverses(chol: Any) -> Any:
    return jax.vmap(lambda each: cho_solve((each, True), jnp.eye(T)))(chol)


def _log_det(chol: Any) -> Any:
    return 2.0 * jnp.sum(jnp.log(jnp.diagonal(chol, axis1=-2, axis2=-1)))


def reduce(x: Any, data: Data) -> dict[str, Any]:
    """Integrate districts and provinces out: log likelihood, and what is needed to draw the other parts."""
    h = named(x)
    mask, rest = data.mask, data.rest
    district = mask[:, :, None] * mask[:, None, :] * node_cov(h, "d")
    chol = jnp.linalg.cholesky(district + jax.vmap(jnp.diag)(mask * error_var(h) + 1.0 - mask))
    precision = _inverses(chol) * mask[:, :, None] * mask[:, None, :]
    pull = jnp.einsum("itu,iu->it", precision, rest)
    quad, det = jnp.sum(pull * rest), _log_det(chol)

    by_province = jnp.einsum("ip,itu->ptu", data.in_province, precision)
    pull_p = data.in_province.T @ pull
    low = jnp.linalg.cholesky(node_cov(h, "p") + TINY * jnp.eye(T))
    chol = jnp.linalg.cholesky(jnp.eye(T) + jnp.einsum("at,pab,bu->ptu", low, by_province, low))
    cov_p = jnp.einsum("ta,pab,ub->ptu", low, _inverses(chol), low)
    quad, det = quad - jnp.einsum("pt,ptu,pu->", pull_p, cov_p, pull_p), det + _log_det(chol)

    size = data.parts.shape[1] * T
    cross = jnp.einsum("ip,ik,itu->pktu", data.in_province, data.parts, precision).reshape(-1, size, T)
    both = jnp.einsum("ik,il,itu->ktlu", data.parts, data.parts, precision).reshape(size, size)
    both = both - jnp.einsum("pft,ptu,pgu->fg", cross, cov_p, cross)
    linear = jnp.einsum("ik,it->kt", data.parts, pull).reshape(size)
    linear = linear - jnp.einsum("pft,ptu,pu->f", cross, cov_p, pull_p)
    roots = {group: jnp.linalg.cholesky(node_cov(h, group) + TINY * jnp.eye(T)) for group in ("nation", "b", "r")}
    root = block_diag(*[roots[group] for group in data.groups()])
    chol = jnp.linalg.cholesky(jnp.eye(size) + root.T @ both @ root)
    white = solve_triangular(chol, root.T @ linear, lower=True)
    quad, det = quad - jnp.sum(white**2), det + _log_det(chol)
    return {
        "log_likelihood": -0.5 * (quad + det + mask.sum() * jnp.log(2.0 * jnp.pi)),
        "root": root, "chol": chol, "white": white,
        "cross": cross, "pull_p": pull_p, "cov_p": cov_p,
    }  # fmt: skip


def draw_parts(x: np.ndarray, data: Data, damping: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One exact draw of every part over GRID and of what each survey system has of its own there, given x.

    Returns nation (G + S,), covariate (q, G + S), region (n_regions, G + S), province (n_provinces, G + S): the path,
    then the systems; angular units, the nation with its level.
    """
    made = {key: np.asarray(value) for key, value in _reduced(x, data).items()}
    noise = rng.standard_normal(len(made["white"]))
    values = made["root"] @ np.linalg.solve(made["chol"].T, made["white"] + noise)
    pull = made["pull_p"] - np.einsum("pft,f->pt", made["cross"], values)
    low = np.linalg.cholesky(made["cov_p"] + TINY * np.eye(T))
    province = np.einsum("ptu,pu->pt", made["cov_p"], pull)
    province += np.einsum("ptu,pu->pt", low, rng.standard_normal(province.shape))
    values = values.reshape(-1, T)
    q = data.q
    h = {key: float(value) for key, value in named(jnp.array(x)).items()}
    nation = _extended(h, "nation", values[:1], damping, rng)[0]
    nation[:N_GRID] += data.offset + POINT * PRIORS["drift"]["value"] * (slope_time(GRID, damping) - NODES[0])
    return {
        "nation": nation,
        "covariate": _extended(h, "b", values[1 : 1 + q], damping, rng),
        "region": _extended(h, "r", values[1 + q :], damping, rng),
        "province": _extended(h, "p", province, damping, rng),
    }


_compiled: dict[int, Any] = {}


def _reduced(x: np.ndarray, data: Data) -> dict[str, Any]:
    if id(data) not in _compiled:
        _compiled[id(data)] = jax.jit(lambda each: reduce(each, data))
    return dict(_compiled[id(data)](jnp.array(x)))


def _extended(
    h: dict[str, float], group: str, seen: np.ndarray, damping: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw path and systems (n, G + S) of n parts of a group given what the surveys show of them, (n, T)."""
    times = slope_time(GRID, damping)
    prior = np.zeros((N_GRID + N_SYSTEMS, N_GRID + N_SYSTEMS))
    prior[:N_GRID, :N_GRID] = path_cov(h, group, jnp.array(GRID), jnp.array(times))
    prior[N_GRID:, N_GRID:] = system_var(h, group) * np.asarray(systems_alike(h))
    show = np.zeros((T, N_GRID + N_SYSTEMS))
    loads = np.ones(T) if group == "nation" else np.asarray(loading(h))
    show[np.arange(T), [int(year - GRID[0]) for year in NODES]] = loads
    show[np.arange(T), N_GRID + np.array(SYSTEM_OF_NODE)] = 1.0
    root = np.linalg.cholesky(prior + TINY * np.eye(len(prior)))
    free = rng.standard_normal((len(seen), len(prior))) @ root.T
    gain = prior @ show.T @ np.linalg.inv(show @ prior @ show.T + TINY * np.eye(T))
    return free + (seen - free @ show.T) @ gain.T
