"""The debrief of a game: what the class changed against everyone for himself, and what each decision did.

The same children and the same draws, over several seeds: without any decision, with all, with the decisions of each
set of gaps alone, and without each decision. Differences are paired by seed with the interval of `gaps`; where it holds
zero, the debrief says that it cannot tell.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from konvergensi.analyses.gaps import t_interval
from konvergensi.analyses.gaps_plan import ALL, GAPS, NONE, SETS, year_outcome
from konvergensi.analyses.run import collect
from konvergensi.app import class_rules as rules
from konvergensi.app import played
from konvergensi.methods.shapley import shapley
from konvergensi.report import readings
from konvergensi.results.gaps import GOOD, MEASURES
from konvergensi.studies.shards import write_whole

if TYPE_CHECKING:
    from konvergensi.app.game import Game

FILE = "debrief.json"
SEEDS = 4  # as `gaps`
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Told:
    """A paired difference and its 95 % t interval over seeds."""

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """same, more, less, or cannot_tell where the interval holds zero (or there is none)."""
        if self.mean == self.low == self.high == 0.0:
            return "same"
        if self.low > 0.0:
            return "more"
        return "less" if self.high < 0.0 else "cannot_tell"


def of_seeds(values: Sequence[float]) -> Told:
    """Mean and interval of differences, one for each seed."""
    return Told(*t_interval(np.array(values, float)))


def debrief(game: Game, seeds: int = SEEDS, progress: Progress | None = None) -> dict[str, Any]:
    """Work out the debrief of a game, and keep it; one that is kept is read again.

    Returns: measures -> `class` (against everyone for himself), gap -> its share, decision -> what leaving it out
    changes, each [mean, low, high] and verdict; `chain`: by service what changed on the way, first seed.
    Raises InputError where the rounds hold no whole calendar year.
    """
    key = {"rounds": len(game.state.rounds), "seeds": seeds}
    if (game.folder / FILE).is_file():
        kept: dict[str, Any] = json.loads((game.folder / FILE).read_bytes())
        if kept["of"] == key:
            return kept
    worlds = _worlds(game.state.rounds)
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in worlds}
    chains: dict[str, Any] = {}
    done, total = 0, len(worlds) * seeds
    opened = game.state.opened
    for seed in range(1, seeds + 1):
        first = played.before(opened["source"], seed, opened["share"], opened["start"], len(game.state.rounds))
        for name, rounds in worlds.items():
            model = played.play_on(copy.deepcopy(first), rounds, game.state.happened)
            runs[name].append(year_outcome(model))
            if seed == 1 and name in ("none", "all"):
                chains[name] = _chain(model)
            done += 1
            if progress is not None:
                progress(done, total)
    found = {"of": key, "measures": {m: _measure(m, runs) for m in MEASURES}, "chain": _broken(chains),
             "year": max(int(row[0]) for row in runs["none"][0]["money"])}  # fmt: skip
    write_whole(game.folder / FILE, json.dumps(found).encode())
    return found


def _worlds(rounds: Sequence[rules.Choices]) -> dict[str, list[dict[str, frozenset[str]]]]:
    """The worlds to simulate by name: sets of gaps, and `without <decision>` for each that somebody took."""
    of_gap = {gap: {each.id for each in rules.decisions() if each.gap == gap} for gap in GAPS}
    every = {each.id for each in rules.decisions()}
    found = {_name(closed): rules.only(rounds, set().union(*(of_gap[gap] for gap in closed))) for closed in SETS}
    taken = {name for chosen in rounds for ids in chosen.values() for name in ids}
    return found | {f"without {name}": rules.only(rounds, every - {name}) for name in sorted(taken)}


def _name(closed: frozenset[str]) -> str:
    return {NONE: "none", ALL: "all"}.get(closed, "+".join(sorted(closed)))


def _measure(name: str, runs: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    seeds = range(len(runs["none"]))
    at = {world: [row[name] for row in rows] for world, rows in runs.items()}
    parts = [shapley({closed: at[_name(closed)][k] for closed in SETS}) for k in seeds]
    return {
        "none": float(np.mean(at["none"])),
        "all": float(np.mean(at["all"])),
        "good": GOOD[name],
        "class": _said(of_seeds([at["all"][k] - at["none"][k] for k in seeds])),
        "gaps": {gap: _said(of_seeds([part[gap] for part in parts])) for gap in GAPS},
        "decisions": {
            world.removeprefix("without "): _said(of_seeds([at["all"][k] - at[world][k] for k in seeds]))
            for world in at
            if world.startswith("without ")
        },
    }


def _said(told: Told) -> dict[str, Any]:
    return {"mean": told.mean, "low": told.low, "high": told.high, "verdict": told.verdict}


def _chain(model: played.PlayedModel) -> tuple[Any, Any]:
    run = collect(model, {}, 0.0)
    table = readings.chain(run, readings.last_full_year(run, run.cascade) or 0)
    table = table[readings.offered(run, table.index)]
    return table, readings.weakest_links(table)


def _broken(chains: Mapping[str, tuple[Any, Any]]) -> list[dict[str, Any]]:
    """By service: share of those in need who took it up in time without and with the class, and the weakest link."""
    rows = []
    (before, _), (after, weakest) = chains["none"], chains["all"]
    for service in after.index.intersection(before.index):
        reached = [float(each.at[service, "in_time"]) / float(each.at[service, "in_need"]) for each in (before, after)]
        lost = {"lost_at": str(weakest.at[service, "stage"]), "lost": float(weakest.at[service, "share"])}
        rows.append({"service": str(service), "none": reached[0], "all": reached[1], **lost})
    return sorted(rows, key=lambda row: -row["lost"])
