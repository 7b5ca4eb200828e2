"""Which villages first: need, reach, uncertainty and reasons, from the planner's own villages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.analyses.manifest import made_from
from konvergensi.analyses.run import run
from konvergensi.inputs.arguments import public
from konvergensi.inputs.districts import District, find_district
from konvergensi.results.villages import COLUMNS, REASONS, VillageList

F64 = NDArray[np.float64]
SHARES = (0.25, 0.5, 0.75)  # of all need
_UPPER = 0.75  # a village has a reason when it lies in the upper quarter of its district


@public()
def villages(
    district: str = "lebak",
    *,
    scenario: str = "baseline",
    seeds: int = 4,
    population_share: float = 1.0,
    start: str = "2018-01",
    end: str = "2024-12",
    set: Mapping[str, Any] | None = None,
    lang: str = "en",
    progress: Callable[[int, int], None] | None = None,
) -> VillageList:
    """List the villages of a district by need, with reach, uncertainty and reasons, under a scenario at the end.

    Parameters: seeds, runs that differ by chance; parameters stay as they are, so that what nobody has measured is in
    no range here; progress, called with runs done and in all.
    Raises InputError naming what is wrong with the input.
    """
    began = time.perf_counter()
    place = find_district(district)
    seen = []
    for seed in range(1, seeds + 1):
        span = {"start": start, "end": end, "population_share": population_share}
        made = run(scenario, district=district, seed=seed, set=set, **span)  # type: ignore[arg-type]
        seen.append(_at_end(made.villages, float(made.manifest["population_share_made"])))
        if progress is not None:
            progress(seed, seeds)
    need, reach = (np.array([each[name] for each in seen], float) for name in ("need", "reach"))
    drawn = is_drawn(place)
    first = _first(place)
    tables = {
        "villages": _villages(place, need, reach, first),
        "rule": _rule(place, need, reach),
        "cover": _cover(need),
    }
    tables["kecamatan"] = _kecamatan(tables["villages"], first)
    if drawn:
        tables |= {name: tables[name].iloc[:0] for name in ("villages", "kecamatan")}
    manifest = made_from(place, made.manifest["hashes"]["scenario"], time.perf_counter() - began) | {
        "policy": scenario, "policy_title": made.manifest["policy_title"], "start": start, "end": end,
        "seeds": seeds, "population_share": population_share, "set": dict(set or {}), "drawn": drawn, "first": first,
        "listed": drawn and not bool(place.villages["synthetic"].any()),  # drawn by district.toml's word alone
        "n_villages": len(place.villages), "command": "konvergensi.villages",
    }  # fmt: skip
    return VillageList(manifest=manifest, **{name: tables[name][COLUMNS[name]] for name in COLUMNS}, lang=lang)  # type: ignore[arg-type]


def is_drawn(place: District) -> bool:
    """Whether size, poverty, remoteness or posyandu of any village is made up."""
    return bool(place.villages["synthetic"].any()) or "villages" in place.synthetic


def _first(place: District) -> int:
    """How many villages come first: as many as are lokus now, a fifth where none is."""
    lokus = int(place.villages["lokus"].sum())
    return lokus or max(1, round(0.2 * len(place.villages)))


def _at_end(table: pd.DataFrame, share_made: float) -> dict[str, F64]:
    """Stunted under-fives of each village in the last year, whole district, and its reach."""
    last = table[table["year"] == table["year"].max()]
    need = (last["n_children"] * last["prevalence"].fillna(0.0)).to_numpy(float) / share_made
    return {"need": need, "reach": last["complete_package_share"].to_numpy(float)}


def _villages(place: District, need: F64, reach: F64, first: int) -> pd.DataFrame:
    table = place.villages[["kecamatan", "village", "lokus"]].reset_index(drop=True)
    places = np.argsort(np.argsort(-need, axis=1, kind="stable"), axis=1, kind="stable")
    table = table.assign(
        need=need.mean(axis=0), need_low=need.min(axis=0), need_high=need.max(axis=0),
        reach=_mean(reach), reach_low=_edge(np.fmin, reach), reach_high=_edge(np.fmax, reach),
        first_share=(places < first).mean(axis=0), reasons=_reasons(place, need, reach),
    )  # fmt: skip
    table = table.sort_values(["need", "village"], ascending=[False, True], kind="stable", ignore_index=True)
    return table.assign(rank=np.arange(1, len(table) + 1))


def _mean(values: F64) -> F64:
    """Mean over the runs that know it; NaN where none does."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def _edge(of: Any, values: F64) -> F64:
    edge: F64 = of.reduce(values, axis=0)
    return edge


def _has(place: District, need: F64, reach: F64) -> dict[str, NDArray[np.bool_]]:
    """Which villages have each reason, (n_villages,), in the order of REASONS."""
    table = place.villages

    def upper(values: pd.Series | F64) -> NDArray[np.bool_]:
        given = np.asarray(values, float)
        known = np.isfinite(given)
        border = np.quantile(given[known], _UPPER) if known.any() else np.inf
        spread = known.any() and given[known].min() < given[known].max()
        return known & (given >= border) if spread else np.zeros(len(given), bool)

    return {
        "poor": upper(table["poverty"]),
        "remote": upper(table["remoteness"]),
        "weak_posyandu": upper(-table["posyandu_quality"]),
        "large": upper(table["families"].astype(float)),
        "low_reach": upper(-_mean(reach)),
        "not_lokus": ~table["lokus"].to_numpy(bool),
    }


def _reasons(place: District, need: F64, reach: F64) -> list[str]:
    has = _has(place, need, reach)
    return [" ".join(name for name in REASONS if has[name][at]) for at in range(len(place.villages))]


def _rule(place: District, need: F64, reach: F64) -> pd.DataFrame:
    mean, total = need.mean(axis=0), float(need.mean(axis=0).sum())
    rows = [
        (name, int(mask.sum()), float(mean[mask].sum()), float(mean[mask].sum()) / total if total else np.nan)
        for name, mask in _has(place, need, reach).items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS["rule"])


def _cover(need: F64) -> pd.DataFrame:
    """How many villages, those with most need first, hold a share of all need in each run."""
    rows = []
    ordered = -np.sort(-need, axis=1)
    total = ordered.sum(axis=1, keepdims=True)
    held = np.cumsum(ordered, axis=1) / np.where(total > 0, total, 1.0)
    for share in SHARES:
        counts = (held < share - 1e-12).sum(axis=1) + 1
        rows.append((share, float(counts.mean()), int(counts.min()), int(counts.max())))
    return pd.DataFrame(rows, columns=COLUMNS["cover"])


def _kecamatan(table: pd.DataFrame, first: int) -> pd.DataFrame:
    by = table.groupby("kecamatan", sort=False)
    found = by.agg(villages=("village", "size"), need=("need", "sum"), reach=("reach", "mean"))
    found["first"] = by["rank"].apply(lambda rank: int((rank <= first).sum()))
    return found.reset_index().sort_values("need", ascending=False, kind="stable", ignore_index=True)
