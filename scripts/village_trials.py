"""Trials of what villages can do, run again in the model: the table of docs/villages.md.

docs/village_trials.toml holds each trial: where, at which baseline, what was given, for how long, what was found. The
same district lives the years with and without it, with the same draws, so that the difference is what the model
promises; the interval adds what is not known of its parameters (draws from their ranges, both arms alike) and the error
that the trial itself had. `python scripts/village_trials.py` writes the table; `--check` compares trials only.
"""

from __future__ import annotations

import argparse
import copy
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from barriers import district, resolved

from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.uncertain import is_uncertain
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.children import LAST_AGE

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "village_trials.toml"
PAGES = {"en": ROOT / "docs" / "villages.md", "id": ROOT / "docs" / "villages.id.md"}
START = "2018-01"
CUTOFFS = {"stunted": -2.0, "severe": -3.0}
SHARE, SEEDS, DRAWS = 0.04, (1, 2, 3), 12
HEAD = {
    "en": ("Trial", "Measured", "Published", "Default", "95 % interval", "Contains 0", "Contains published"),
    "id": ("Uji coba", "Ukuran", "Terbit", "Bawaan", "Selang 95 %", "Memuat 0", "Memuat angka terbit"),
}  # fmt: skip
MEASURES = {
    "stunted": {"en": "stunting, points", "id": "stunting, poin"},
    "severe": {"en": "severe stunting, points", "id": "sangat pendek, poin"},
    "laz": {"en": "length-for-age, z", "id": "PB/U, z"},
}


@dataclass(frozen=True)
class VillageTrial:
    """One trial; effects and error in percentage points, or z where `measure` is laz."""

    id: str
    words: Mapping[str, str]
    district: str
    percent: float  # prevalence at its baseline
    years: int
    stop_after: int  # years after which what was given ends
    give: Mapping[str, Any]
    measure: str
    published: float
    low: float | None
    high: float | None
    error: float


def load(path: Path = TABLE) -> list[VillageTrial]:
    """Every trial of the file. Raises KeyError where a table lacks something."""
    found = []
    for each in tomllib.loads(path.read_text(encoding="utf-8"))["trial"]:
        published = each["published"]
        ends = (published["low"], published["high"])
        low, high = (None if end == "" else float(end) for end in ends)
        words, stop = {"en": each["en"], "id": each["arti"]}, each.get("stop_after", each["years"])
        found.append(
            VillageTrial(
                each["id"],
                words,
                each["district"],
                each["percent"],
                each["years"],
                stop,
                each["give"],
                each["measure"],
                published["value"],
                low,
                high,
                each["error"],
            )
        )
    return found


def effect(trial: VillageTrial, seed: int, share: float = SHARE, draw: Mapping[str, Any] | None = None) -> float:
    """With less without, for one seed: percentage points, or z. draw: parameter values in force in both arms."""
    base = {"shocks.on": False, **(draw or {})}
    end = format_month(parse_month(START) + 12 * trial.years - 1)
    past = _past(trial, seed, share, end, base)
    given = {(START, key): value for key, value in trial.give.items()}
    if trial.stop_after < trial.years:
        stop = format_month(parse_month(START) + 12 * trial.stop_after)
        given |= {(stop, key): past.initial_of(key) for key in trial.give}
    arms = []
    for steps in (given, {}):
        model = copy.deepcopy(past.model)
        pairs = tuple(sorted(steps.items()))
        model.begin(model.policy, resolved(model.place, past.values, pairs, model.first_month, model.last_month))
        while model.running:
            model.step()
        arms.append(_measured(model, trial.measure))
    return arms[0] - arms[1]


@dataclass(frozen=True)
class _Past:
    """A district at the trial's baseline, and what was set to bring it there."""

    model: ConvergenceModel
    values: tuple[tuple[str, Any], ...]

    def initial_of(self, key: str) -> Any:
        """A lever's value without the trial."""
        return self.model.world.settings[key]


def _past(trial: VillageTrial, seed: int, share: float, end: str, base: Mapping[str, Any]) -> _Past:
    """The district simulated to START, everybody's length moved alike so that prevalence is the trial's."""
    first = ConvergenceModel(None, trial.district, seed, share, START, end, set=dict(base))
    z = _under_fives(first)
    shift = -2.0 - float(np.quantile(z, trial.percent / 100.0))
    values = dict(base) | {"growth.level_shift_z": first.world.settings["growth.level_shift_z"] + shift}
    model = ConvergenceModel(None, trial.district, seed, share, START, end, set=values)
    return _Past(model, tuple(sorted(values.items())))


def _under_fives(model: ConvergenceModel) -> np.ndarray:
    """True length-for-age of under-fives in the month last simulated, (n,)."""
    rows = model.world.children.window(model.world.month - 1, 0, LAST_AGE)
    return model.world.children.z[rows].astype(float)


def _measured(model: ConvergenceModel, measure: str) -> float:
    z = _under_fives(model)
    return float(z.mean()) if measure == "laz" else 100.0 * float((z < CUTOFFS[measure]).mean())


def draws_of(trial: VillageTrial, count: int, seed: int = 15) -> list[dict[str, Any]]:
    """Values of what is uncertain in the trial's district, drawn from their ranges: what the model does not know."""
    rng = np.random.default_rng(seed)
    place = district(trial.district)
    uncertain = [
        each for each in load_parameters().values() if is_uncertain(each, place) and each.key not in trial.give
    ]
    found = []
    for _ in range(count):
        at = rng.random(len(uncertain))
        values = {
            p.key: p.low + u * (p.high - p.low)
            for p, u in zip(uncertain, at, strict=True)
            if p.low is not None and p.high is not None
        }
        whole = {p.key for p in uncertain if isinstance(p.value, int)}
        found.append({key: round(value) if key in whole else value for key, value in values.items()})
    return found


def summary(default: Sequence[float], drawn: Sequence[float], error: float) -> tuple[float, float, float]:
    """Mean of the default over seeds, and the interval: spread over draws and the trial's own error, 95 %."""
    mean = float(np.mean(default))
    middle = float(np.mean([*default, *drawn]))
    spread = float(np.hypot(np.std([*default, *drawn], ddof=1), error))
    return mean, middle - 1.96 * spread, middle + 1.96 * spread


def _effect(job: tuple[VillageTrial, int, float, dict[str, Any] | None]) -> float:
    return effect(*job)


def rows(lang: str, found: Sequence[tuple[VillageTrial, tuple[float, float, float]]]) -> list[tuple[str, ...]]:
    """Rows of the table."""
    yes, no = ("yes", "no") if lang == "en" else ("ya", "tidak")
    table = []
    for trial, (mean, low, high) in found:
        digits = 3 if trial.measure == "laz" else 1
        published = f"{trial.published:+.1f}"
        if trial.low is not None and trial.high is not None:
            published += f" ({trial.low:+.1f} .. {trial.high:+.1f})"
        contains = (low <= 0.0 <= high, low <= trial.published <= high)
        cells = (trial.words[lang], MEASURES[trial.measure][lang], published, f"{mean:+.{digits}f}")
        table.append((*cells, f"{low:+.{digits}f} .. {high:+.{digits}f}", *(yes if each else no for each in contains)))
    return table


def written(page: str, lang: str, body: Sequence[tuple[str, ...]]) -> str:
    """The page with its table replaced. Raises ValueError when the block is not there."""
    lines = [HEAD[lang], ("---",) * len(HEAD[lang]), *body]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("-0.0 ", "0.0 ").replace("+0.0 ", "0.0 ")
    block = re.compile(r"(<!-- trials -->\n).*?(<!-- end -->)", re.DOTALL)
    if not block.search(page):
        raise ValueError("there is no block <!-- trials -->")
    return block.sub(lambda match: match[1] + table + match[2], page)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the trials and write both pages, or check that every trial is in them; 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare names of trials only; run nothing")
    parser.add_argument("--population-share", type=float, default=SHARE)
    parser.add_argument("--draws", type=int, default=DRAWS)
    asked = parser.parse_args(argv)
    trials = load()
    if asked.check:
        texts = {lang: page.read_text(encoding="utf-8") for lang, page in PAGES.items()}
        missing = [t.id for t in trials for lang, text in texts.items() if t.words[lang] not in text]
        if missing:
            print(f"run python scripts/village_trials.py: {', '.join(missing)} missing", file=sys.stderr)
        return bool(missing)
    jobs: list[tuple[VillageTrial, int, float, dict[str, Any] | None]] = []
    for trial in trials:
        jobs += [(trial, seed, asked.population_share, None) for seed in SEEDS]
        jobs += [(trial, SEEDS[0], asked.population_share, draw) for draw in draws_of(trial, asked.draws)]
    with ProcessPoolExecutor(2) as pool:
        values = list(pool.map(_effect, jobs))
    found, each = [], len(SEEDS) + asked.draws
    for i, trial in enumerate(trials):
        mine = values[i * each : (i + 1) * each]
        found.append((trial, summary(mine[: len(SEEDS)], mine[len(SEEDS) :], trial.error)))
    for lang, page in PAGES.items():
        page.write_text(written(page.read_text(encoding="utf-8"), lang, rows(lang, found)), encoding="utf-8")
    print("\n".join(" | ".join(row) for row in rows("en", found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
