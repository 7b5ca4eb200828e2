"""Sets the mean curve, Lebak's level and the posyandu bias from published numbers: python calibration/fit_mean_curve.py

1. growth.mean_laz_*: the synthetic national-average district, measured as a survey would, shows the age profile of
   SSGI 2022 in September 2022. The curve is that of children without services: what programmes add is in the run.
2. Lebak's growth.level_shift_z: the survey expected in April 2018 reads 40.2 percent (Riskesdas 2018).
3. Lebak's measurement.eppgbm_bias_cm: e-PPGBM of August 2019 over the survey expected in September 2019 is 0.359.

One number per target, nothing else is fitted; the parameters' ranges stay. Writes the values into
mechanisms/growth.toml and scenarios/districts/lebak/district.toml and prints them. Everything is run at full size.
"""

from __future__ import annotations

import re
from pathlib import Path
from statistics import NormalDist

import numpy as np

from konvergensi.mechanisms.growth import KNOTS
from konvergensi.model import ConvergenceModel
from konvergensi.observe.series import AGE_BANDS
from konvergensi.observe.who import measured_laz
from konvergensi.world.children import LAST_AGE

ROOT = Path(__file__).resolve().parents[1]
GROWTH = ROOT / "sim/konvergensi/mechanisms/growth.toml"
LEBAK = ROOT / "scenarios/districts/lebak/district.toml"
# SSGI 2022 by age band, percent (evidence/growth_dynamics.csv); 48-59 months was not printed, see growth.toml
SSGI_2022 = (11.7, 13.7, 22.4, 26.2, 22.5, 22.5)
KNOTS_OF_BAND = ((0, 3), (9,), (18,), (30,), (42,), (54,))
RISKESDAS_2018 = 40.2
EPPGBM_TO_SURVEY_2019 = 0.359
PROBIT = NormalDist().inv_cdf
SEEDS = (1, 2)


def lived_until(district: str, month: str, seed: int, values: dict[str, float]) -> ConvergenceModel:
    """The baseline of a district, run until the end of `month`."""
    model = ConvergenceModel("baseline", district, rng=seed, end=month, set=values)
    while model.running:
        model.step()
    model.world.month -= 1  # read the month last lived
    return model


def expected_survey(model: ConvergenceModel, from_age: int = 0, to_age: int = LAST_AGE) -> float:
    """Percent stunted if every under-five of these ages were measured by a survey team once."""
    world = model.world
    rows = world.children.window(world.month, from_age, to_age)
    z = measured_laz(
        world.children.z[rows],
        (~world.children.male[rows]).view(np.int8),
        world.children.ages(world.month, rows),
        world.draws.normal("fit", world.month, world.children.key[rows]),
        world.settings["measurement.survey_error_cm"],
    )
    return 100.0 * float((z < -2.0).mean())


def fit_curve() -> dict[str, float]:
    """Mean curve of the national profile: moved band by band on the probit scale until it fits."""
    model = lived_until("national-average", "2018-01", 1, {})
    values = {f"growth.mean_laz_{knot}": model.world.settings[f"growth.mean_laz_{knot}"] for knot in KNOTS}
    for _ in range(4):
        seen = np.mean(
            [
                [expected_survey(model, *band) for band in AGE_BANDS]
                for model in (lived_until("national-average", "2022-09", seed, values) for seed in SEEDS)
            ],
            axis=0,
        )
        print("  by age band:", np.round(seen, 1), flush=True)
        for percent, target, knots in zip(seen, SSGI_2022, KNOTS_OF_BAND, strict=True):
            step = 1.2 * (PROBIT(percent / 100) - PROBIT(target / 100))
            for knot in knots:
                values[f"growth.mean_laz_{knot}"] = round(values[f"growth.mean_laz_{knot}"] + step, 3)
    return values


def fit_level(curve: dict[str, float]) -> float:
    """Lebak's level shift at 24 months."""
    shift = -0.5
    for _ in range(4):
        values = curve | {"growth.level_shift_z": shift}
        seen = np.mean([expected_survey(lived_until("lebak", "2018-04", seed, values)) for seed in SEEDS])
        print(f"  level shift {shift:+.3f}: {seen:.1f} percent in April 2018", flush=True)
        shift = round(shift + 1.3 * (PROBIT(seen / 100) - PROBIT(RISKESDAS_2018 / 100)), 3)
    return shift


def fit_bias(curve: dict[str, float], shift: float) -> float:
    """Lebak's posyandu bias in centimetres."""
    bias = 2.5
    for _ in range(4):
        values = curve | {"growth.level_shift_z": shift, "measurement.eppgbm_bias_cm": bias}
        models = [lived_until("lebak", "2019-09", seed, values) for seed in SEEDS]
        target = EPPGBM_TO_SURVEY_2019 * np.mean([expected_survey(model) for model in models])
        seen = np.mean([eppgbm_percent(model, "2019-08") for model in models])
        print(f"  bias {bias:.2f} cm: e-PPGBM {seen:.2f} percent, wanted {target:.2f}", flush=True)
        bias = round(bias + 5.0 * (PROBIT(seen / 100) - PROBIT(target / 100)), 2)
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


if __name__ == "__main__":
    print("mean curve, national profile of SSGI 2022")
    curve = fit_curve()
    print("level of Lebak, Riskesdas 2018")
    shift = fit_level(curve)
    print("posyandu bias of Lebak, ratio of 2019")
    bias = fit_bias(curve, shift)
    for key, value in curve.items():
        write(GROWTH, key.removeprefix("growth."), value)
    write(LEBAK, 'set."growth.level_shift_z"', shift)
    write(LEBAK, 'set."measurement.eppgbm_bias_cm"', bias)
    print({key: float(value) for key, value in curve.items()} | {"level_shift_z": shift, "eppgbm_bias_cm": bias})
