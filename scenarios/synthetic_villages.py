"""Writes the synthetic village tables: python scenarios/synthetic_villages.py

No village table was found for these districts. The tables are drawn once from published totals (villages, kecamatan,
families, area) with a fixed seed, are the same for everyone, and are labelled synthetic in every output. Names are
numbers on purpose: nothing here may be read as a statement about a real village. Replace villages.csv with your own.
"""

from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent / "districts"
# district: villages, kecamatan, families, side of a square of the same area (km), poverty share, lokus villages, seed
DISTRICTS = {
    "lebak": (345, 28, 239_000, 57.5, 0.0924, 10, 1),
    "national-average": (220, 18, 160_000, 60.0, 0.0957, 10, 2),
}


def village_table(
    n: int, n_kecamatan: int, families: int, side_km: float, poverty: float, n_lokus: int, seed: int
) -> pd.DataFrame:
    """Village table of n rows; families sum to the total, poverty averages to the district's."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0.08, 0.92, (n_kecamatan, 2)) * side_km
    kecamatan = np.sort(np.concatenate([np.arange(n_kecamatan), rng.integers(0, n_kecamatan, n - n_kecamatan)]))
    place = np.clip(centre[kecamatan] + rng.normal(0, side_km / 16, (n, 2)), 0, side_km)
    capital = np.array([0.75, 0.85]) * side_km
    distance = np.hypot(*(place - capital).T) / (side_km * 1.1)
    remoteness = np.clip(0.9 * distance + rng.normal(0, 0.12, n), 0, 1)
    weight = rng.lognormal(0, 0.35, n) * (1.4 - 0.7 * remoteness)
    exact = weight / weight.sum() * families
    size = np.floor(exact).astype(int)
    size[np.argsort(size - exact)[: families - size.sum()]] += 1
    poor = np.clip(poverty * np.exp(0.9 * (remoteness - remoteness.mean()) + rng.normal(0, 0.3, n)), 0.01, 0.6)
    poor *= poverty / np.average(poor, weights=size)
    quality = np.clip(0.65 - 0.3 * (remoteness - 0.5) + rng.normal(0, 0.12, n), 0.05, 1)
    lokus = np.zeros(n, int)
    lokus[np.argsort(-(poor + rng.normal(0, poverty / 3, n)))[:n_lokus]] = 1
    within = np.arange(n) - np.searchsorted(kecamatan, kecamatan) + 1
    return pd.DataFrame(
        {
            "village": [f"Desa {k + 1:02d}-{i:02d}" for k, i in zip(kecamatan, within)],
            "kecamatan": [f"Kecamatan {k + 1:02d}" for k in kecamatan],
            "families": size,
            "lokus": lokus,
            "remoteness": remoteness.round(3),
            "poverty": poor.round(4),
            "posyandu_quality": quality.round(3),
            "x": place[:, 0].round(2),
            "y": place[:, 1].round(2),
            "synthetic": 1,
        }
    )


if __name__ == "__main__":
    for name, numbers in DISTRICTS.items():
        table = village_table(*numbers)
        table.to_csv(HERE / name / "villages.csv", index=False, lineterminator="\n")
        print(f"{name}: {len(table)} villages, {table.families.sum()} families")
