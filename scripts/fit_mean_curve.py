"""Sets the mean curve, districts' levels and posyandu bias from published numbers: python scripts/fit_mean_curve.py

1. growth.mean_laz_*: the synthetic national-average district, measured as a survey would, shows the age profile of
   SSGI 2022 in September 2022. The curve is that of children without services: what programmes add is in the run.
2. growth.level_shift_z of each archetype in calibration/level_targets.toml: the survey expected in the month of the
   field work reads the published percent. Several surveys: their mean. Level and rise of real districts are solved from
   the fit over the country (scripts/fit_levels.py, to be run after this script).
3. measurement.eppgbm_bias_cm where the ratio of e-PPGBM to a survey is published (Lebak 2019: 0.359).

With names of districts, only these are fitted, with the curve as it stands: python scripts/fit_mean_curve.py brebes
A folder of one's own that names no `area` will do as well; its level is fitted to the surveys in its published.toml.

One number per target, nothing else is fitted; the parameters' ranges stay. Writes the values into
mechanisms/growth.toml and scenarios/districts/<name>/district.toml and prints them. Curve, Lebak and Kota Banjar are
run at full size, archetypes with a tenth of their families.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
from fit_levels import centre

from konvergensi.base.months import parse_month
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.parameters import load_parameters
from konvergensi.mechanisms.growth import KNOTS
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.level import solved
from konvergensi.observe.series import AGE_BANDS
from konvergensi.observe.who import measured_laz
from konvergensi.world.children import LAST_AGE

ROOT = Path(__file__).resolve().parents[1]
GROWTH = ROOT / "sim/konvergensi/mechanisms/growth.toml"
DISTRICTS = ROOT / "scenarios/districts"
TARGETS = ROOT / "calibration" / "level_targets.toml"
# SSGI 2022 by age band, percent (evidence/growth_dynamics.csv); 48-59 months was not printed, see growth.toml
SSGI_2022 = (11.7, 13.7, 22.4, 26.2, 22.5, 22.5)
KNOTS_OF_BAND = ((0, 3), (9,), (18,), (30,), (42,), (54,))
PROBIT = NormalDist().inv_cdf
SEEDS = (1, 2)
SHARE = 0.1  # of the families, where a target names no other
ENOUGH_FAMILIES = 20_000  # of a district of one's own


def simulated_until(
    district: str, month: str, seed: int, values: dict[str, float], population_share: float = 1.0
) -> ConvergenceModel:
    """The baseline of a district, run until the end of `month`."""
    model = ConvergenceModel("baseline", district, rng=seed, end=month, set=values, population_share=population_share)
    while model.running:
        model.step()
    return model


def expected_survey(model: ConvergenceModel, from_age: int = 0, to_age: int = LAST_AGE) -> float:
    """Percent stunted if every under-five of these ages were measured once by a team in the last month simulated."""
    world = model.world
    month = world.month - 1
    rows = world.children.window(month, from_age, to_age)
    z = measured_laz(
        world.children.z[rows],
        (~world.children.male[rows]).view(np.int8),
        world.children.ages(month, rows),
        world.draws.normal("fit", month, world.children.key[rows]),
        world.settings["measurement.survey_error_cm"],
    )
    return 100.0 * float((z < -2.0).mean())


def expected_surveys(district: str, target: dict[str, Any], seed: int, values: dict[str, float]) -> list[float]:
    """What each survey of a district's target is expected to read, percent."""
    months = [parse_month(each["fieldwork"]) for each in target["surveys"]]
    last = max(target["surveys"], key=lambda each: parse_month(each["fieldwork"]))["fieldwork"]
    model = ConvergenceModel(
        "baseline", district, rng=seed, end=last, set=values, population_share=target.get("share", SHARE)
    )
    read: dict[int, float] = {}
    while model.running:
        model.step()
        if model.world.month - 1 in months:
            read[model.world.month - 1] = expected_survey(model)
    return [read[month] for month in months]


def fit_curve() -> dict[str, float]:
    """Mean curve of the national profile: moved band by band on the probit scale until it fits."""
    model = simulated_until("national-average", "2018-01", 1, {})
    values = {f"growth.mean_laz_{knot}": model.world.settings[f"growth.mean_laz_{knot}"] for knot in KNOTS}
    for _ in range(4):
        seen = np.mean(
            [
                [expected_survey(model, *band) for band in AGE_BANDS]
                for model in (simulated_until("national-average", "2022-09", seed, values) for seed in SEEDS)
            ],
            axis=0,
        )
        print("  by age band:", np.round(seen, 1), flush=True)
        for percent, target, knots in zip(seen, SSGI_2022, KNOTS_OF_BAND, strict=True):
            step = 1.2 * (PROBIT(percent / 100) - PROBIT(target / 100))
            for knot in knots:
                values[f"growth.mean_laz_{knot}"] = round(values[f"growth.mean_laz_{knot}"] + step, 3)
    return values


def fit_level(district: str, target: dict[str, Any], curve: dict[str, float]) -> float:
    """A district's level shift at 24 months."""
    wanted = float(np.mean([each["percent"] for each in target["surveys"]]))
    shift = round(1.3 * (PROBIT(0.24) - PROBIT(wanted / 100)), 3)  # 0.24: about the nation's level
    for _ in range(4):
        values = curve | {"growth.level_shift_z": shift}
        seen = float(np.mean([expected_surveys(district, target, seed, values) for seed in SEEDS]))
        print(f"  level shift {shift:+.3f}: {seen:.1f} percent, wanted {wanted:.1f}", flush=True)
        step = 1.3 * (PROBIT(seen / 100) - PROBIT(wanted / 100))
        shift = round(shift + step, 3)
        if abs(step) < 0.004:
            break
    return shift


def fit_bias(district: str, target: dict[str, Any], level: dict[str, float]) -> float:
    """A district's posyandu bias in centimetres, within the parameter's range; level: mean curve, level and rise."""
    routine, share = target["eppgbm"], target.get("share", SHARE)
    known = load_parameters()["measurement.eppgbm_bias_cm"]
    bias = 2.5
    for _ in range(4):
        values = level | {"measurement.eppgbm_bias_cm": bias}
        models = [simulated_until(district, routine["survey"], seed, values, share) for seed in SEEDS]
        wanted = routine["ratio"] * np.mean([expected_survey(model) for model in models])
        seen = np.mean([eppgbm_percent(model, routine["fieldwork"]) for model in models])
        print(f"  bias {bias:.2f} cm: e-PPGBM {seen:.2f} percent, wanted {wanted:.2f}", flush=True)
        bias = round(bias + 5.0 * (PROBIT(seen / 100) - PROBIT(wanted / 100)), 2)
        bias = min(max(bias, known.low or 0.0), known.high or bias)
    return bias


def eppgbm_percent(model: ConvergenceModel, fieldwork: str) -> float:
    """Percent stunted that the district's e-PPGBM published for a round."""
    table = model.recorder.tables()["surveys"]
    row = table[(table.system == "e-PPGBM") & (table.level == "district") & (table.fieldwork == fieldwork)]
    return float(row.percent.iloc[0])


def write(path: Path, table: str, value: float) -> None:
    """Replace `value = ...` of one table of a TOML file, leaving everything else as it is."""
    text = path.read_text(encoding="utf-8")
    new, count = re.subn(rf"(\[{re.escape(table)}\]\nvalue = )[^\n]+", rf"\g<1>{value}", text)
    if count != 1:
        raise SystemExit(f"{path}: no single table [{table}] with a value in its first line")
    path.write_text(new, encoding="utf-8")


def own_target(folder: Path) -> dict[str, Any]:
    """Target of a folder of one's own: what its published.toml says of surveys of the whole district."""
    place = find_district(folder)
    surveys = [
        {"fieldwork": each.fieldwork, "percent": each.percent}
        for each in place.published
        if not each.routine and each.fieldwork >= "2018-01"
    ]
    if not surveys:
        raise SystemExit(f"{folder / 'published.toml'}: no survey from 2018 on to fit to")
    return {"surveys": surveys, "share": min(1.0, ENOUGH_FAMILIES / int(place.villages["families"].sum()))}


def main(names: list[str]) -> None:
    """Fit and write: curve and all districts, or the districts named."""
    targets = tomllib.loads(TARGETS.read_text(encoding="utf-8"))
    targets |= {name: own_target(Path(name)) for name in names if name not in targets and Path(name).is_dir()}
    if unknown := [name for name in names if name not in targets]:
        raise SystemExit(f"{TARGETS}: no target for {', '.join(unknown)}; there is {', '.join(targets)}")
    curve: dict[str, float] = {}
    if not names:
        print("mean curve, national profile of SSGI 2022")
        curve = fit_curve()
        for key, value in curve.items():
            write(GROWTH, key.removeprefix("growth."), value)
    for name in names or targets:
        print(f"level of {name}")
        fitted: dict[str, float] = {}
        level = curve
        if "surveys" in targets[name]:
            fitted["growth.level_shift_z"] = fit_level(name, targets[name], curve)
            level = curve | fitted
        elif area := find_district(name).area:
            level = curve | solved(name, centre(area), curve)
        if "eppgbm" in targets[name]:
            fitted["measurement.eppgbm_bias_cm"] = fit_bias(name, targets[name], level)
        for key, value in fitted.items():
            folder = Path(name) if Path(name).is_dir() else DISTRICTS / name
            write(folder / "district.toml", f'set."{key}"', value)
        print(f"{name}: {fitted}")


if __name__ == "__main__":
    main(sys.argv[1:])
