"""How fast is the model? python benchmarks/bench.py [REPEATS]

Runs the bare NumPy growth loop of reference_core.py (130,000 children, 84 months) and the whole model (full-size Lebak,
January 2018 to December 2024, from building the district to the tables, without figures) in turn, and prints the ratio
pair by pair, the peak memory, and where the model's time goes. Then a small run (share 0.02), the first run of a new
installation, which compiles, the one after it, and `--help`; and how much tighter a difference between policies is when
both sides share their seeds. Limits: 2 times the reference, 0.5 GB, 0.15 s for the small run, 30 s for the first, a
variance 20 times smaller.
"""

from __future__ import annotations

import gc
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import reference_core

from konvergensi.analyses.run import collect
from konvergensi.model.branch import branches
from konvergensi.model.convergence import MONTH, ConvergenceModel

LIMIT_RATIO, LIMIT_GB, LIMIT_SMALL_S, LIMIT_FIRST_S, LIMIT_VARIANCE = 2.0, 0.5, 0.15, 30.0, 20.0
SMALL_SHARE = 0.02
CHILDREN, MONTHS = 130_000, 84
POLICIES = ("baseline", "one-list", "full-convergence")
SEEDS, SHARE = 12, 0.03


def time_reference() -> float:
    """Seconds of the yardstick."""
    began = time.perf_counter()
    reference_core.run(CHILDREN, MONTHS)
    return time.perf_counter() - began


def time_model(share: float = 1.0) -> float:
    """Seconds of the whole model, at full size unless said otherwise, tables included."""
    began = time.perf_counter()
    model = ConvergenceModel("baseline", "lebak", rng=1, population_share=share)
    while model.running:
        model.step()
    collect(model, {}, 0.0)
    spent = time.perf_counter() - began
    del model
    gc.collect()  # the peak is that of one model
    return spent


def time_parts() -> dict[str, float]:
    """Seconds by part of the month, burn-in included; what remains is building the district."""
    spent = dict.fromkeys(MONTH, 0.0)

    class Timed(ConvergenceModel):
        def live_month(self) -> None:
            for part in MONTH:
                began = time.perf_counter()
                getattr(self, part)()
                spent[part] += time.perf_counter() - began
            self.world.month += 1

    began = time.perf_counter()
    model = Timed("baseline", "lebak", rng=1)
    while model.running:
        model.step()
    total = time.perf_counter() - began
    return spent | {"build the district": total - sum(spent.values())}


def time_command(*words: str, cache: str) -> float:
    """Seconds of one command in a process of its own; `cache` is the folder for what numba compiles."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "konvergensi", *words]
    subprocess.run(command, env=os.environ | {"NUMBA_CACHE_DIR": cache}, capture_output=True, check=True)
    return time.perf_counter() - began


def time_commands() -> tuple[float, float, float]:
    """Seconds of the first small run of a new installation, of the next one, and of `--help`."""
    with tempfile.TemporaryDirectory() as folder:
        run = ("run", "baseline", "--population-share", str(SMALL_SHARE), "--no-figures", "--out")
        first, next_ = (time_command(*run, f"{folder}/{name}", cache=f"{folder}/numba") for name in ("first", "next"))
        return first, next_, time_command("--help", cache=f"{folder}/numba")


def variance_ratios() -> dict[str, float]:
    """Variance of the difference to the baseline in final true prevalence: seeds independent over seeds in common."""
    found = []
    for seed in range(1, SEEDS + 1):
        models = dict(branches(POLICIES, seed=seed, population_share=SHARE))
        found.append([models[name].prevalence() for name in POLICIES])
    values = np.array(found)
    of_levels = values.var(axis=0, ddof=1)
    of_pairs = (values - values[:, :1]).var(axis=0, ddof=1)
    return {name: float((of_levels[0] + of_levels[i]) / of_pairs[i]) for i, name in enumerate(POLICIES) if i}


def main(repeats: int) -> int:
    """Print the comparison; 0 when all limits are kept."""
    reference_core.run(1000, 2)
    ConvergenceModel("baseline", "lebak", rng=1, population_share=0.001, end="2018-01").step()
    pairs = [(time_reference(), time_model()) for _ in range(repeats)]
    ratios = [model / reference for reference, model in pairs]
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    for (reference, model), ratio in zip(pairs, ratios, strict=True):
        print(f"reference {reference:.3f} s   model {model:.3f} s   ratio {ratio:.2f}")
    ratio = statistics.median(ratios)
    print(f"\nmodel / reference, median of {repeats}: {ratio:.2f}   (limit {LIMIT_RATIO:g})")
    print(f"peak memory: {peak_gb:.2f} GB   (limit {LIMIT_GB:g})\n\nseconds by part, one more run:")
    for part, seconds in sorted(time_parts().items(), key=lambda item: -item[1]):
        print(f"  {part:<20} {seconds:6.3f}")
    small = statistics.median(time_model(SMALL_SHARE) for _ in range(2 * repeats + 1))
    first, next_, help_ = time_commands()
    print(f"\nrun at share {SMALL_SHARE:g}: {small:.3f} s   (limit {LIMIT_SMALL_S:g})")
    print(f"first run after installing: {first:.1f} s   (limit {LIMIT_FIRST_S:g}); the next {next_:.1f} s")
    print(f"konvergensi --help: {help_:.2f} s")
    print(f"\nvariance of a difference in prevalence, independent seeds over common seeds, {SEEDS} seeds:")
    ratios_of_variance = variance_ratios()
    for name, times in ratios_of_variance.items():
        print(f"  {name:<20} {times:6.0f} times smaller   (limit {LIMIT_VARIANCE:g})")
    kept = (
        ratio <= LIMIT_RATIO,
        peak_gb <= LIMIT_GB,
        small <= LIMIT_SMALL_S,
        first <= LIMIT_FIRST_S,
        min(ratios_of_variance.values()) >= LIMIT_VARIANCE,
    )
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
