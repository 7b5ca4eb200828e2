"""How fast is the model? python benchmarks/bench.py [REPEATS]

Runs the bare NumPy growth loop of reference_core.py (130,000 children, 84 months) and the whole model (full-size Lebak,
January 2018 to December 2024, from building the district to the tables, without figures) in turn, and prints the ratio
pair by pair, the peak memory, and where the model's time goes. Then: how much tighter a difference between policies is
when both sides share their seeds. Limits: 6 times the reference, 1 GB, a variance 20 times smaller.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time

import numpy as np
import reference_core

from konvergensi.analyses.run import collect
from konvergensi.model.branch import branches
from konvergensi.model.convergence import MONTH, ConvergenceModel

LIMIT_RATIO, LIMIT_GB, LIMIT_VARIANCE = 6.0, 1.0, 20.0
CHILDREN, MONTHS = 130_000, 84
POLICIES = ("baseline", "one-list", "full-convergence")
SEEDS, SHARE = 12, 0.03


def time_reference() -> float:
    """Seconds of the yardstick."""
    began = time.perf_counter()
    reference_core.run(CHILDREN, MONTHS)
    return time.perf_counter() - began


def time_model() -> float:
    """Seconds of the whole model at full size, tables included."""
    began = time.perf_counter()
    model = ConvergenceModel("baseline", "lebak", rng=1)
    while model.running:
        model.step()
    collect(model, {}, 0.0)
    return time.perf_counter() - began


def time_parts() -> dict[str, float]:
    """Seconds by part of the month, lived past included; what remains is building the district."""
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
    print(f"\nvariance of a difference in prevalence, independent seeds over common seeds, {SEEDS} seeds:")
    ratios_of_variance = variance_ratios()
    for name, times in ratios_of_variance.items():
        print(f"  {name:<20} {times:6.0f} times smaller   (limit {LIMIT_VARIANCE:g})")
    tight = min(ratios_of_variance.values()) >= LIMIT_VARIANCE
    return 0 if ratio <= LIMIT_RATIO and peak_gb <= LIMIT_GB and tight else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
