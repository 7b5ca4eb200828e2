"""Writes the synthetic village tables: python scripts/synthetic_villages.py

No village table was found for these districts. The tables are drawn once from published or assumed totals (villages,
kecamatan, families, area) with a fixed seed, are the same for everyone, and are labelled synthetic in every output.
Villages of Lebak and Kota Banjar have their real names (scenarios/country/villages.csv.gz), those of places that are no
real district numbers; everything else is drawn: nothing here may be read as a statement about a real village. Replace
villages.csv with your own.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from konvergensi.inputs import country
from konvergensi.inputs.country_profiles import unique_names

HERE = Path(__file__).resolve().parents[1] / "scenarios" / "districts"


@dataclass(frozen=True)
class Terrain:
    """How villages lie.

    Parameters: far, how fast remoteness grows with the distance from the capital; base, remoteness next to it; islands,
    number of islands on which the kecamatan lie (0: one land), sea, remoteness added on all but the capital's; quality
    of the posyandu at middle remoteness; lokus_each True for one lokus village in each kecamatan.
    """

    far: float = 0.9
    base: float = 0.0
    islands: int = 0
    sea: float = 0.0
    quality: float = 0.65
    lokus_each: bool = False


@dataclass(frozen=True)
class Place:
    """Totals of a district.

    Parameters: kecamatan, how many, or name -> (villages, part of the families); side_km of a square of the same area;
    poverty share of the families; lokus villages.
    """

    villages: int
    kecamatan: int | dict[str, tuple[int, float]]
    families: int
    side_km: float
    poverty: float
    lokus: int
    seed: int
    terrain: Terrain = Terrain()


# Kota Banjar, by kecamatan: villages (recalled), children measured in 2018 (evidence/banjar_kecamatan_eppgbm.csv)
BANJAR = {
    "Banjar": (7, 3867.0),
    "Pataruman": (8, 3690.0),
    "Purwaharja": (4, 1686.0),
    "Langensari": (6, 3571.0),
}
REAL = {"lebak": "36.02", "kota-banjar": "32.79"}
LEBAK = {
    name: (int(n), float(n)) for name, n in country.villages("36.02").groupby("kecamatan", sort=False).size().items()
}
DISTRICTS = {
    "lebak": Place(345, LEBAK, 239_000, 57.5, 0.0924, 10, 1),
    "national-average": Place(220, 18, 160_000, 60.0, 0.0957, 10, 2),
    "kota-banjar": Place(25, BANJAR, 55_000, 11.4, 0.07, 4, 3, Terrain(far=0.45, quality=0.75, lokus_each=True)),
    "archetype-island": Place(180, 16, 110_000, 120.0, 0.17, 10, 4, Terrain(base=0.1, islands=6, sea=0.3)),
    "archetype-upland-remote": Place(200, 20, 90_000, 95.0, 0.25, 10, 5, Terrain(far=0.9, base=0.3, quality=0.55)),
    "archetype-urban": Place(60, 8, 170_000, 13.0, 0.055, 6, 6, Terrain(far=0.25, quality=0.7)),
}


def village_table(place: Place) -> pd.DataFrame:
    """Village table of a place; families sum to the total, poverty averages to the district's."""
    rng = np.random.default_rng(place.seed)
    names, kecamatan, centre, overseas = _kecamatan(place, rng)
    n, side_km, terrain = place.villages, place.side_km, place.terrain
    at = np.clip(centre[kecamatan] + rng.normal(0, side_km / 16, (n, 2)), 0, side_km)
    capital = np.array([0.75, 0.85]) * side_km
    distance = np.hypot(*(at - capital).T) / (side_km * 1.1)
    remoteness = terrain.base + terrain.far * distance + terrain.sea * overseas[kecamatan]
    remoteness = np.clip(remoteness + rng.normal(0, 0.12, n), 0, 1)
    weight = rng.lognormal(0, 0.35, n) * (1.4 - 0.7 * remoteness)
    if isinstance(place.kecamatan, dict):  # the parts of the kecamatan are kept
        part = np.array([families for _, families in place.kecamatan.values()])
        weight *= (part / np.bincount(kecamatan, weight))[kecamatan]
    exact = weight / weight.sum() * place.families
    size = np.floor(exact).astype(int)
    size[np.argsort(size - exact)[: place.families - size.sum()]] += 1
    poor = np.clip(place.poverty * np.exp(0.9 * (remoteness - remoteness.mean()) + rng.normal(0, 0.3, n)), 0.01, 0.6)
    poor *= place.poverty / np.average(poor, weights=size)
    quality = np.clip(terrain.quality - 0.3 * (remoteness - 0.5) + rng.normal(0, 0.12, n), 0.05, 1)
    poorest = np.argsort(-(poor + rng.normal(0, place.poverty / 3, n)))
    if terrain.lokus_each:
        poorest = np.array([next(i for i in poorest if kecamatan[i] == k) for k in range(len(names))])
    lokus = np.zeros(n, int)
    lokus[poorest[: place.lokus]] = 1
    within = np.arange(n) - np.searchsorted(kecamatan, kecamatan) + 1
    return pd.DataFrame(
        {
            "village": [f"Desa {k + 1:02d}-{i:02d}" for k, i in zip(kecamatan, within)],
            "kecamatan": [names[k] for k in kecamatan],
            "families": size,
            "lokus": lokus,
            "remoteness": remoteness.round(3),
            "poverty": poor.round(4),
            "posyandu_quality": quality.round(3),
            "x": at[:, 0].round(2),
            "y": at[:, 1].round(2),
            "synthetic": 1,
        }
    )


def _kecamatan(place: Place, rng: np.random.Generator) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Names, the kecamatan of each village (sorted), centres (n, 2) in km, whether the sea lies before the capital."""
    if isinstance(place.kecamatan, dict):
        names = list(place.kecamatan)
        kecamatan = np.repeat(np.arange(len(names)), [villages for villages, _ in place.kecamatan.values()])
        return names, kecamatan, rng.uniform(0.08, 0.92, (len(names), 2)) * place.side_km, np.zeros(len(names))
    n = place.kecamatan
    centre = rng.uniform(0.08, 0.92, (n, 2)) * place.side_km
    overseas = np.zeros(n)
    if islands := place.terrain.islands:
        middle = rng.uniform(0.1, 0.9, (islands, 2)) * place.side_km
        middle[0] = np.array([0.72, 0.8]) * place.side_km  # the capital's island
        island = np.arange(n) % islands
        centre = np.clip(middle[island] + rng.normal(0, place.side_km / 25, (n, 2)), 0, place.side_km)
        overseas = (island > 0).astype(float)
    kecamatan = np.sort(np.concatenate([np.arange(n), rng.integers(0, n, place.villages - n)]))
    return [f"Kecamatan {k + 1:02d}" for k in range(n)], kecamatan, centre, overseas


def named(table: pd.DataFrame, code: str) -> pd.DataFrame:
    """The table with the real names of a district's villages, kecamatan by kecamatan."""
    names = country.villages(code)
    order = {name: i for i, name in enumerate(dict.fromkeys(table["kecamatan"]))}
    names = names.iloc[np.argsort(names["kecamatan"].map(order).to_numpy(), kind="stable")].reset_index(drop=True)
    if names["kecamatan"].tolist() != table["kecamatan"].tolist():
        raise ValueError(f"{code}: villages by kecamatan are not those of the country's table")
    table["village"] = unique_names(names, pd.Series(np.zeros(len(names))))
    return table


if __name__ == "__main__":
    for name, place in DISTRICTS.items():
        table = village_table(place)
        if name in REAL:
            table = named(table, REAL[name])
        table.to_csv(HERE / name / "villages.csv", index=False, lineterminator="\n")
        print(f"{name}: {len(table)} villages, {table.families.sum()} families")
