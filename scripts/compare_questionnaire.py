"""Compares the virtual questionnaire of Lebak with the study's counts: python scripts/compare_questionnaire.py [SHARE]

Eight seeds of the baseline until December 2022. Prints each counted category with the observed k of 9, its exact 90 %
interval in agencies, the simulated mean and range, and whether the rounded mean lies inside; then the share inside.
SHARE is the share of the district's households to simulate (0.02): agencies are all there in any case.
"""

from __future__ import annotations

import math
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pandas as pd

import konvergensi as kv
from konvergensi.observe.questionnaire import interval, within

EVIDENCE = Path(__file__).resolve().parents[1] / "evidence" / "opd_survey_lebak.csv"
SEEDS = range(1, 9)


def observed() -> pd.DataFrame:
    """Counted categories of the study: item_id, category, k, n."""
    table = pd.read_csv(EVIDENCE)
    table = table[table["item_id"].str.match(r"^[FSGI]\d$") & table["k"].notna() & table["n"].notna()]
    return table[["item_id", "category", "k", "n"]].astype({"k": int, "n": int}).reset_index(drop=True)


def simulated(share: float, seed: int, set: dict[str, object] | None = None) -> pd.Series:
    """k by item and category of one seed."""
    run = kv.run(district="lebak", seed=seed, end="2022-12", population_share=share, set=set)
    return run.questionnaire.set_index(["item_id", "category"])["k"]


def compare(found: pd.DataFrame) -> pd.DataFrame:
    """Observed categories with columns mean, least, most, inside (of the rounded mean), seeds_inside.

    found: k by item and category (rows) and seed (columns).
    """
    table = observed()
    k = found.loc[pd.MultiIndex.from_frame(table[["item_id", "category"]])].to_numpy()
    table["mean"], table["least"], table["most"] = k.mean(axis=1), k.min(axis=1), k.max(axis=1)
    counts = list(zip(k.tolist(), table["k"], table["n"], strict=True))
    table["inside"] = [within(round(mean), seen, n) for mean, (_, seen, n) in zip(table["mean"], counts, strict=True)]
    table["seeds_inside"] = [sum(within(each, seen, n) for each in row) for row, seen, n in counts]
    return table


def show(table: pd.DataFrame, seeds: int) -> str:
    """The comparison as text."""
    lines = [f"{'item':5}{'category':46}{'study':>6}{'interval':>10}{'model':>7}{'range':>7}  inside  seeds inside"]
    for row in table.itertuples():
        low, high = (share * row.n for share in interval(row.k, row.n))
        span = f"{math.ceil(low)}..{math.floor(high)}"
        lines.append(
            f"{row.item_id:5}{row.category[:44]:46}{row.k:>6}{span:>10}{row.mean:>7.1f}{f'{row.least}..{row.most}':>7}"
            f"  {'yes' if row.inside else 'NO':6}{row.seeds_inside:>6} of {seeds}"
        )
    items = table.groupby("item_id", sort=False)["inside"].all()
    lines += [
        "",
        f"inside the interval, mean of {seeds} seeds: {table['inside'].sum()} of {len(table)} categories, "
        f"{items.sum()} of {len(items)} items with all their categories ({items.mean():.0%})",
        f"one seed at a time: {table['seeds_inside'].sum() / (seeds * len(table)):.0%} of categories",
        f"outside: {', '.join(items.index[~items]) or 'none'}",
    ]
    return "\n".join(lines)


def ask(share: float = 0.02) -> pd.DataFrame:
    """k by item and category (rows) and seed (columns)."""
    with ProcessPoolExecutor() as pool:
        return pd.concat(pool.map(partial(simulated, share), SEEDS), axis=1)


def main(share: float = 0.02) -> int:
    """Print the comparison; 0."""
    found = ask(share)
    print(show(compare(found), found.shape[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(*(float(word) for word in sys.argv[1:])))
