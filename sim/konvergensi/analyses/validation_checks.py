"""Checks of a calibration, from its runs alone: predictive, synthetic truth, leaving out, out of sample, structures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.analyses.calibration import POSTERIOR, TRUTHS, Analysis, in_units, wave
from konvergensi.analyses.forecasts import NAIVE, Forecast, naive, of_sample
from konvergensi.inputs.calibration_study import Structure
from konvergensi.inputs.calibration_targets import F64, from_scale, to_scale
from konvergensi.methods.likelihood import Likelihood
from konvergensi.methods.posterior import Posterior, effective_share, sample, systematic
from konvergensi.methods.scores import TAILS, rank_of, weighted_quantiles

NOISES = 10  # observations drawn for each run of a predictive check
ENOUGH = 0.2  # effective share of particles from which on leaving a target out needs no posterior of its own
PREDICTED = 1000  # observations that stand for a forecast
EDGE = 0.05  # part of a range that counts as its edge


def predictive(analysis: Analysis, stage: str, weights: F64 | None = None) -> pd.DataFrame:
    """Quantiles (low, middle, high) of every target over the runs of a stage, with the error models' noise.

    weights: of the stage's draws (n_draws,), all alike when None.
    """
    likelihood, targets = analysis.likelihood, analysis.study.targets
    runs = analysis.runs[analysis.runs["stage"] == stage].sort_values(["draw", "seed"], kind="stable")
    shown = np.column_stack([to_scale(runs[each.observable].to_numpy(float), each.scale) for each in targets])
    each = np.ones(len(runs)) if weights is None else weights[runs["draw"].to_numpy(int) - 1]
    rng = np.random.default_rng([analysis.study.file.seed, 21])
    noisy = likelihood.draw(np.repeat(shown, NOISES, axis=0), rng, of_runs=True)
    values = in_units(analysis.study, noisy)
    mass = np.repeat(each, NOISES)
    found = np.array([weighted_quantiles(values[:, j], mass, (TAILS[0], 0.5, TAILS[1])) for j in range(len(targets))])
    return pd.DataFrame(found, columns=["low", "middle", "high"], index=[each.id for each in targets])


def target_table(analysis: Analysis, weights: F64) -> pd.DataFrame:
    """Every target: what was observed, its own 90 % interval, prior and posterior predictive, and whether inside."""
    prior = predictive(analysis, wave(1)).add_prefix("prior_")
    after = predictive(analysis, POSTERIOR, weights)
    rows = []
    for each in analysis.study.targets:
        half = 1.6449 * each.observation_sd
        edges = np.clip(each.scaled + np.array([-half, half]), 0.0, 1.0) if each.scale == "share" else (
            each.scaled + np.array([-half, half])
        )  # fmt: skip
        own_low, own_high = (float(x) for x in from_scale(edges, each.scale, each.count))
        rows.append({
            "id": each.id, "area": each.area, "level": each.level, "when": each.when, "unit": each.unit,
            "weight": each.weight, "grade": each.grade, "error_model": each.error_model, "observed": each.value,
            "own_low": own_low, "own_high": own_high,
        })  # fmt: skip
    table = pd.DataFrame(rows).set_index("id").join(prior).join(after)
    table["inside"] = (table["low"] <= table["observed"]) & (table["observed"] <= table["high"])
    table["prior_inside"] = (table["prior_low"] <= table["observed"]) & (table["observed"] <= table["prior_high"])
    table["width"], table["own_width"] = table["high"] - table["low"], table["own_high"] - table["own_low"]
    return table.reset_index()


def parameter_table(analysis: Analysis, draws: pd.DataFrame) -> pd.DataFrame:
    """Every free parameter: prior, 90 % interval and median of the fitted draws, how much narrower, mass at edges.

    narrower: width of the interval over that of the prior's; at_low, at_high: share of the draws in the outermost
    twentieth of the range, 0.05 under the prior.
    """
    space, weights = analysis.study.space, draws["weight"].to_numpy()
    known = analysis.study.place.parameters()
    rows = []
    for i, key in enumerate(space.keys):
        values = draws[key].to_numpy(float)
        span = space.high[i] - space.low[i]
        low, middle, high = weighted_quantiles(values, weights, (TAILS[0], 0.5, TAILS[1]))
        rows.append({
            "key": key, "unit": known[key].unit, "prior_low": space.low[i], "prior_high": space.high[i],
            "as_it_is": _own_value(analysis, key), "low": low, "middle": middle, "high": high,
            "narrower": (high - low) / ((TAILS[1] - TAILS[0]) * span),
            "at_low": float(weights[values < space.low[i] + EDGE * span].sum()),
            "at_high": float(weights[values > space.high[i] - EDGE * span].sum()),
            "informed_by": ", ".join(space.informed_by[i]),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _own_value(analysis: Analysis, key: str) -> float:
    place = analysis.study.place
    own = place.overrides[key].value if key in place.overrides else place.parameters()[key].value
    return float(own)


# ---- synthetic truth -------------------------------------------------------------------------------------------------


def truths(analysis: Analysis) -> pd.DataFrame:
    """Posteriors of data sets with a known truth: data_set, key, truth, low, middle, high, rank, inside, narrower.

    Data: a run at a point that no emulator saw, with a seed of its own, and the noise of the error models; a count is
    as the run shows it, its chance being the agencies' own.
    """
    study, runs = analysis.study, analysis.runs
    own = runs[runs["stage"] == TRUTHS].sort_values("draw")
    space, rows = study.space, []
    rng = np.random.default_rng([study.file.seed, 31])
    columns = analysis.likelihood.columns
    for row in own.index:
        point = own.loc[row, list(space.keys)].to_numpy(float)
        shown = np.array([float(to_scale(own.loc[row, each.observable], each.scale)) for each in study.targets])
        noise = np.sqrt(columns.error_var) * rng.standard_normal(len(shown))
        data = np.where(columns.count > 0, shown, shown + noise)
        try:
            found = analysis.posterior(analysis.likelihood.seeing(data))
        except ValueError:
            continue
        values = space.values(found.particles)
        for i, key in enumerate(space.keys):
            low, middle, high = np.quantile(values[:, i], (TAILS[0], 0.5, TAILS[1]))
            rows.append({
                "data_set": int(own.loc[row, "draw"]), "key": key, "truth": point[i], "low": low, "middle": middle,
                "high": high, "rank": rank_of(point[i], values[:, i]), "inside": bool(low <= point[i] <= high),
                "narrower": (high - low) / ((TAILS[1] - TAILS[0]) * (space.high[i] - space.low[i])),
            })  # fmt: skip
    return pd.DataFrame(rows)


# ---- leaving out, and out of sample ----------------------------------------------------------------------------------


def group_of(id: str) -> str:
    """The group in which a target is left out: answers to one item, ages of one profile, kecamatan of one year."""
    parts = id.split("-")
    if parts[0] in ("age", "persistence"):
        return parts[0]
    return "-".join(parts[:2])


def left_out(analysis: Analysis, posterior: Posterior) -> pd.DataFrame:
    """Each group of targets predicted without it: id, group, observed, low, middle, high, inside, effective.

    From the posterior's particles, weighted back by the group's likelihood; where that leaves fewer than ENOUGH of them
    worth, from a posterior of its own.
    """
    study, likelihood = analysis.study, analysis.likelihood
    groups = [group_of(each.id) for each in study.targets]
    logs = likelihood.each_log_of(likelihood.emulators.predict(posterior.particles)) * likelihood.columns.weight
    rng = np.random.default_rng([study.file.seed, 41])
    rows = []
    for group in dict.fromkeys(groups):
        inside = np.array([each == group for each in groups])
        if not (likelihood.columns.weight[inside] > 0).any():
            continue
        back = -logs[:, inside].sum(axis=1)
        weights = np.exp(back - back.max())
        effective = effective_share(weights)
        if effective >= ENOUGH:
            unit = posterior.particles[systematic(weights, PREDICTED, 0.5)]
        else:
            unit = analysis.posterior(analysis.without(inside)).particles
        predicted = analysis.predict(unit, rng)
        for j in np.flatnonzero(inside):
            low, middle, high = np.quantile(predicted[:, j], (TAILS[0], 0.5, TAILS[1]))
            seen = study.targets[j].value
            rows.append({
                "id": study.targets[j].id, "group": group, "observed": seen, "low": low, "middle": middle,
                "high": high, "inside": bool(low <= seen <= high), "effective": effective,
            })  # fmt: skip
    return pd.DataFrame(rows)


def later(analysis: Analysis, national: dict[float, float]) -> pd.DataFrame:
    """The study's later targets, predicted from the others, against naive forecasts and other structures.

    Rows: id, method (`model`, `last value`, `national trend`, or a structure), observed, low, middle, high,
    interval_score, crps, inside, and of structures log_evidence of what they were fitted to.
    """
    study = analysis.study
    hidden = [study.later(each) for each in study.targets]
    if not any(hidden):
        return pd.DataFrame()
    rows: list[dict[str, Any]] = []
    known = [each for each, out in zip(study.targets, hidden) if not out]
    found = analysis.posterior(analysis.without(hidden))
    sample_ = analysis.predict(found.particles, np.random.default_rng([study.file.seed, 51]))
    structures = {each.id: _under(analysis, each, hidden) for each in study.file.structure}
    for j in np.flatnonzero(hidden):
        target = study.targets[j]
        forecasts: list[tuple[Forecast, float]] = [(of_sample("model", sample_[:, j]), found.log_evidence)]
        forecasts += [
            (made, float("nan")) for method in NAIVE if (made := naive(method, target, known, national)) is not None
        ]
        forecasts += [(of_sample(name, values[:, j]), evidence) for name, (values, evidence) in structures.items()]
        for made, evidence in forecasts:
            rows.append({
                "id": target.id, "method": made.method, "observed": target.value, "low": made.low,
                "middle": made.middle, "high": made.high, **made.scores(target.value),
                "inside": bool(made.low <= target.value <= made.high), "log_evidence": evidence,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _under(analysis: Analysis, structure: Structure, hidden: Sequence[bool]) -> tuple[F64, float]:
    """Predictions of all targets under a structure that was fitted without some, and the evidence of the others."""
    likelihood = Likelihood.of(analysis.study.targets, analysis.under(structure))
    likelihood = likelihood.weighing(np.where(np.asarray(hidden), 0.0, likelihood.columns.weight))
    file = analysis.study.file
    found = sample(likelihood, len(analysis.study.space), file.particles, file.seed, file.cutoff)
    rng = np.random.default_rng([file.seed, 51])
    drawn = likelihood.draw(likelihood.emulators.predict(found.particles), rng)
    return in_units(analysis.study, drawn), found.log_evidence
