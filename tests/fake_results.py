"""A small result of every kind: real ones of the smallest district where a second or two does, else invented."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from kept import kept

import konvergensi as kv
from konvergensi.analyses.calibrate import read_calibration
from konvergensi.analyses.country_validation import validate_rows
from konvergensi.analyses.discover import search
from konvergensi.inputs.country_observed import Observed
from konvergensi.methods.cases import Cases, parse_where
from konvergensi.methods.prim import Rule
from konvergensi.methods.regret import table
from konvergensi.results.base import Result
from konvergensi.results.calibration import Calibration
from konvergensi.results.discovery import Discovery
from konvergensi.results.robustness import Robustness
from konvergensi.results.sensitivity import Sensitivity
from konvergensi.results.validation import Validation

KECIL = str(Path(__file__).parent / "districts" / "kecil")
WORDS = {"en": "95%", "id": "95%"}
STUDIED: dict[str, Any] = {
    "version": kv.__version__, "model": "konvergensi", "store": "studi", "district": "lebak",
    "district_name": "Kabupaten Lebak",
    "policies": ["full-convergence"], "reference": "baseline", "start": "2018-01", "end": "2024-12", "draws": 120,
    "seeds": 2, "left_out": 3, "varied": 3, "population_share": 0.02, "synthetic_inputs": ["villages"], "command": "",
    "intervals": WORDS,
}  # fmt: skip


def _discovery(method: Any) -> Discovery:
    rng, known = np.random.default_rng(1), kv.parameters().set_index("key")
    keys = ["registers.missed_first_share", "growth.combination", "actions.on"]
    x = pd.DataFrame({keys[0]: rng.random(120)}, index=pd.RangeIndex(1, 121, name="draw"))
    x[keys[1]] = rng.choice(["additive", "threshold", "multiplicative"], 120)
    x[keys[2]] = rng.random(120) < 0.7
    interest = ((x[keys[0]] < 0.6) & (x[keys[1]] != "additive") & x[keys[2]]).to_numpy()
    values = pd.DataFrame({"difference:prevalence": -1.0 + 0.9 * interest}, index=x.index)
    given = Cases(x, values, interest, parse_where("difference:prevalence >= -0.2"), "full-convergence", "lebak", 3)
    factors = {key: {name: known.loc[key, name] for name in ("meaning", "arti", "unit", "grade")} for key in keys}
    how = {"method": method, "rule": "correlation", "where": given.where.text, "factors": factors}
    return search(given, method, Rule(), STUDIED | how)


def _robustness() -> Robustness:
    rng = np.random.default_rng(2)
    values = pd.DataFrame(rng.normal(30, 2, (40, 2)), columns=["baseline", "one-list"])
    values.index = pd.RangeIndex(1, 41, name="draw")
    what = {"output": "prevalence", "direction": -1, "threshold": 30.0, "policies": list(values)}
    return Robustness(values, table(values, -1, 30.0), STUDIED | what)


def _sensitivity() -> Sensitivity:
    from test_sensitivity_report import made

    found = made("sobol")
    return replace(found, manifest=found.manifest | {"version": kv.__version__})


def _calibration() -> Calibration:
    """A shipped one, as if fitted with this version: those of another are refused."""
    found = read_calibration("kota-banjar")
    return replace(found, manifest=found.manifest | {"version": kv.__version__})


def _validation() -> Validation:
    """Of the checks that need no emulator, those of a calibration that is shipped; the others invented, or left out."""
    calibration = read_calibration("kota-banjar")
    keys = list(calibration.study.space.keys)
    parameters = pd.DataFrame({"key": keys, "unit": "z", "prior_low": 0.0, "prior_high": 1.0, "as_it_is": 0.5})
    parameters = parameters.assign(low=0.2, middle=0.5, high=0.7, narrower=0.5, at_low=0.0, at_high=0.3)
    rows = [(each.id, each.area, "2019", each.unit) for each in calibration.study.targets]
    targets = pd.DataFrame(rows, columns=["id", "area", "when", "unit"]).assign(level="district", weight=1.0)
    shown = {"observed": 30.0, "low": 25.0, "middle": 29.0, "high": 33.0, "inside": True, "prior_inside": True}
    targets = targets.assign(grade="paper", **shown)
    emulators = pd.DataFrame({"output": ["survey:2019-09"], "explained": 0.99, "left_out_sd": 0.1, "seed_sd": 0.1})
    none = pd.DataFrame()
    manifest = {"version": kv.__version__, "district": "kota-banjar", "fitted": calibration.manifest}
    return Validation(targets, parameters, none, none, none, none, none, emulators, none, manifest)


@functools.cache
def result(name: str) -> Result:
    """The result of that name: a kind, or `discovery by tree`. To be read only; made once for all workers."""
    return kept(_made, name)


def _made(name: str) -> Result:
    small: dict[str, Any] = {"population_share": 1.0, "workers": 1}
    made: dict[str, Any] = {
        "run": lambda: kv.run(district=KECIL, end="2018-12", trace_children=3),
        "comparison": lambda: kv.compare(
            ["baseline", "one-list"], district=KECIL, draws=1, seeds=1, end="2018-02", **small
        ),
        "gaps": lambda: kv.gaps(KECIL, seeds=1, draws=0, end="2018-12", ranges=False, **small),
        "explanation": lambda: kv.explain(KECIL, since="2018-04", until="2018-10", seeds=1, agencies=1, **small),
        "trial": lambda: kv.trial("pmba", n=200),
        "calibration": _calibration,
        "sensitivity": _sensitivity,
        "discovery": lambda: _discovery("prim"),
        "discovery by tree": lambda: _discovery("tree"),
        "robustness": _robustness,
        "validation": _validation,
        "allocation": lambda: kv.allocate(
            KECIL,
            more=5e8,
            since="2018-06",
            until="2018-12",
            at="2018-12",
            draws=2,
            seeds=1,
            structures="default",
            **small,
        ),
        "villages": lambda: kv.villages(KECIL, seeds=2, end="2018-03"),
        "districts": lambda: kv.compare_districts(["36.02", "32.79"]),
        "nation": lambda: kv.nation(areas=["36.02"], policies=["one-list"], families=150, samples=1, workers=1),
        "country_validation": lambda: validate_rows([Observed("36.02", 2024, "SSGI", 27.0, 22.0, 32.0, "x", "Lebak")]),
    }
    found: Result = made[name]()
    return found


NAMES = (
    "run", "comparison", "gaps", "explanation", "trial", "calibration", "sensitivity", "discovery", "discovery by tree",
    "robustness", "validation", "country_validation", "allocation", "villages", "districts", "nation",
)  # fmt: skip
