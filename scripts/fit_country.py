"""Fits the surveys of the whole country: python scripts/fit_country.py; needs pip install 'konvergensi[country]'.

Writes scenarios/country/posterior.npz (all surveys) and posterior-to-2022.npz (no value of 2023: no survey, no
covariate), 200 draws each: NUTS of NumPyro for the hyperparameters, exact draws for the rest. About ten minutes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from country_model import CENTRE, ERRORS, KEYS, PRIORS, SPREAD, Data, draw_parts, log_prior, named, reduce
from numpyro.infer import MCMC, NUTS
from scipy.optimize import minimize

from konvergensi.inputs import country
from konvergensi.methods.country_scale import NODES

OUT = Path(__file__).resolve().parents[1] / "scenarios" / "country"
REGIONS = {"1": 0, "2": 0, "3": 1, "5": 2, "6": 3, "7": 4, "8": 5, "9": 6}  # by the first digit of the code
REGION_NAMES = ("Sumatera", "Jawa", "Bali and Nusa Tenggara", "Kalimantan", "Sulawesi", "Maluku", "Papua")
DRAWS = 200
FITS = {2023: "posterior", 2022: "posterior-to-2022"}  # by the year of the last survey
LEAST_SHARE = 0.005


def readings(last: int, hidden: np.ndarray | None = None) -> np.ndarray:
    """Percent by district and survey year, (514, T), NaN where there is none, after `last`, or hidden after 2019."""
    table = country.surveys().pivot(index="code", columns="year", values="percent").reindex(country.codes())
    found = table[list(NODES)].to_numpy(float, copy=True)
    years = np.array(NODES)
    found[:, years > last] = np.nan
    if hidden is not None:
        found[np.ix_(hidden, years > 2019)] = np.nan
    return found


def covariates(last: int) -> pd.DataFrame:
    """What is known of each district up to `last`, standardised, (514, 11); no survey of stunting is in it."""
    means = country.covariate_means(last)
    places = country.districts()
    percents = means.filter(like="_percent") / 100.0
    shares = percents.clip(LEAST_SHARE, 1.0 - LEAST_SHARE)
    table = np.log(shares / (1.0 - shares))
    table["women_schooling_years"] = means["women_schooling_years"]
    table["health_worker_ratio"] = np.log(means["health_worker_ratio"].clip(0.01))
    table["life_expectancy_years"] = means["life_expectancy_years"]
    table["population"] = np.log(places["population"])
    table["density"] = np.log(places["population"] / places["area_km2"])
    table["kota"] = (places["kind"] == "kota").astype(float)
    early = country.lokus()["by_2020"].reindex(places.index).astype(float)
    table["priority_by_2020"] = early.fillna(early.mean())
    return (table - table.mean()) / table.std()


def data_to(last: int, hidden: np.ndarray | None = None) -> Data:
    """Everything up to a year."""
    codes = country.codes()
    provinces = country.districts()["province"].to_numpy(str)
    region = np.array([REGIONS[code[0]] for code in codes])
    return Data(
        readings(last, hidden), covariates(last).to_numpy(), region, np.unique(provinces, return_inverse=True)[1]
    )


def mode(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """The most likely hyperparameters, and a root (n, n) of the covariance around them."""
    loss = jax.jit(jax.value_and_grad(lambda x: -reduce(x, data)["log_likelihood"] - log_prior(x)))
    found = minimize(
        lambda x: tuple(np.asarray(each, float) for each in loss(jnp.array(x))), CENTRE, jac=True, method="L-BFGS-B"
    )
    step = 1e-3
    columns = [
        (np.asarray(loss(jnp.array(found.x + step * e))[1]) - np.asarray(loss(jnp.array(found.x - step * e))[1]))
        / (2.0 * step)
        for e in np.eye(len(KEYS))
    ]
    curve = np.array(columns)
    values, vectors = np.linalg.eigh((curve + curve.T) / 2.0)
    return found.x, vectors / np.sqrt(np.maximum(values, 0.5 / SPREAD.max() ** 2))


def hyper_draws(data: Data, n: int, seed: int, exact: bool = True) -> tuple[np.ndarray, dict[str, float]]:
    """Draws of the hyperparameters (n, n_keys) and checks of the chains; not exact: normal around the mode."""
    centre, root = mode(data)
    if not exact:
        return centre + np.random.default_rng(seed).standard_normal((n, len(KEYS))) @ root.T, {}
    around, turn = jnp.array(centre), jnp.array(root)

    def potential(z: jnp.ndarray) -> jnp.ndarray:
        x = around + turn @ z
        return -reduce(x, data)["log_likelihood"] - log_prior(x)

    kernel = NUTS(potential_fn=potential, max_tree_depth=4, dense_mass=False)
    sampler = MCMC(
        kernel, num_warmup=60, num_samples=n // 2, num_chains=2, chain_method="sequential", progress_bar=False
    )
    start = 0.5 * np.random.default_rng(seed).standard_normal((2, len(KEYS)))
    sampler.run(jax.random.PRNGKey(seed), init_params=jnp.array(start), extra_fields=("diverging", "num_steps"))
    chains = np.asarray(sampler.get_samples(group_by_chain=True))
    extra = sampler.get_extra_fields()
    checks = {"divergent": float(extra["diverging"].sum()), "steps": float(extra["num_steps"].mean())}
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin

    checks["worst_r_hat"] = float(split_gelman_rubin(chains).max())
    checks["least_effective"] = float(effective_sample_size(chains).min())
    flat = chains.reshape(-1, len(KEYS))
    return centre + flat[:: len(flat) // n][:n] @ root.T, checks


def posterior(
    data: Data, seed: int, exact: bool = True, n: int = DRAWS
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Arrays as methods/country.py reads them, and checks of the chains."""
    draws, checks = hyper_draws(data, n, seed, exact)
    rng = np.random.default_rng([seed, 1])
    low, high = PRIORS["damping"]["range"]
    damping = rng.uniform(low, high, n)
    parts = [draw_parts(x, data, float(each), rng) for x, each in zip(draws, damping)]
    found = {key: np.stack([part[key] for part in parts]) for key in parts[0]}
    values = [named(jnp.array(x)) for x in draws]
    own = ("d_c", "d_s", "d_w", "d_l", "psg_loading", "design_effect", "other_error")
    hyper = {
        key: np.array([float(each[key]) for each in values])
        for key in (
            *own,
            *[k for k in KEYS if k[:2] in ("p_", "r_", "b_")],
            "nation_walk",
            "nation_system",
            "ski_like_ssgi",
        )
    }
    years = np.array([[float(each[key]) for key in ERRORS] for each in values])
    later = np.exp(PRIORS["parameters"]["other_error_year"]["log_sd"] * rng.standard_normal((n, 1)))
    found["other_error"] = hyper["other_error"][:, None] * np.hstack([years, later])
    found["hyper"] = np.stack(list(hyper.values()), axis=1)
    packed = {
        key: value.astype(np.float32 if key in ("nation", "hyper") else np.float16) for key, value in found.items()
    }
    packed["damping"] = damping.astype(np.float32)
    packed["hyper_names"] = np.array(list(hyper))
    packed["seen"] = data.seen
    packed["covariates"] = data.covariates.astype(np.float32)
    packed["region_of"], packed["province_of"] = data.region.astype(np.int8), data.province.astype(np.int8)
    return packed, checks


def main() -> None:
    """Fit and write."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--last", type=int, choices=FITS, help="only the fit to surveys up to this year")
    arguments.add_argument("--quick", action="store_true", help="normal around the mode, nothing written")
    given = arguments.parse_args()
    for last, name in FITS.items():
        if given.last not in (None, last):
            continue
        packed, checks = posterior(data_to(last), seed=last, exact=not given.quick)
        print(f"{name}: {checks}, {sum(value.nbytes for value in packed.values()) / 1e6:.1f} MB")
        for key, value in zip(packed["hyper_names"], packed["hyper"].T):
            low, centre, high = np.quantile(value, (0.05, 0.5, 0.95))
            print(f"  {key:14s} {centre:7.2f} ({low:.2f} to {high:.2f})", flush=True)
        if not given.quick:
            np.savez_compressed(OUT / f"{name}.npz", **packed)
            told = {"draws": DRAWS, "chains": 2, "last_survey": last} | checks
            (OUT / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
