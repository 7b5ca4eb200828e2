"""Fits who comes and who is met to evidence/reach.csv: python scripts/fit_contacts.py [--write]

The synthetic district of national averages lives its past under the rule `contacts`; what its children have had in
the last month of it is measured as the surveys measured it. One parameter for each of FITTED, moved together by
Gauss-Newton until the weighted squares no longer fall; rows that are recalled weigh half as much as published ones.
Everything of TARGETS is printed, also what no parameter was fitted to: that is where the rule can fail. With --write
the values go into mechanisms/contacts.toml and behaviours.toml.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from konvergensi.inputs.parameters import load_parameters
from konvergensi.mechanisms import meetings
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe import simultaneous
from konvergensi.world.children import LAST_AGE
from konvergensi.world.state import World

ROOT = Path(__file__).resolve().parents[1]
REACH = ROOT / "evidence" / "reach.csv"
REGISTRIES = ROOT / "evidence" / "registries.csv"
CONVERGENCE = ROOT / "evidence" / "convergence_evidence.csv"
MECHANISMS = ROOT / "sim/konvergensi/mechanisms"
SEEDS, SHARE = (1, 2), 0.15
WEIGHT = {"published": 1.0, "computed": 1.0, "paper": 1.0, "recalled": 0.5, "assumption": 0.25}
FITTED = (
    "contacts.habit_base", "contacts.seldom_share", "uptake.attendance_round", "contacts.place_sd",
    "contacts.antenatal_base",
    "contacts.antenatal_seldom_share", "contacts.facility_birth_base", "contacts.present_bonus",
    "contacts.place_overlap_share", "contacts.works_place_share", "contacts.paper_wealth_slope",
    "contacts.class_posyandu_share",
    "contacts.catch_up_share", "contacts.pack_share", "behaviours.breastfeeding_base", "behaviours.diet_diversity_base",
)  # fmt: skip
STEP = {"share": 0.02}  # of the slope, for shares; 0.2 for log odds
Measure = Callable[[World], float]


@dataclass(frozen=True)
class Target:
    """One published figure: where it stands, how far off counts as one, how the model is asked."""

    name: str
    value: float
    scale: float  # a difference of this size counts as one
    grade: str
    measure: Measure
    fitted: bool = True


# ---- what the model says ---------------------------------------------------------------------------------------------


def service(world: World, name: str) -> int:
    """Index of a service by its id."""
    return next(s for s, each in enumerate(world.services) if each.id == name)


def taken(world: World, name: str, from_age: int, to_age: int) -> np.ndarray:
    """Deliveries of a service taken up by children of these ages, (n,)."""
    return world.book.taken[service(world, name)][world.children.window(world.month - 1, from_age, to_age)]


def chance_of_coming(world: World) -> np.ndarray:
    """Chance of being at posyandu in an ordinary month, (n,), of children of 6 to 59 months."""
    children, month = world.children, world.month - 1
    rows = children.window(month, 6, LAST_AGE)
    odds = world.attendance_score[rows].astype(float)
    age = children.ages(month, rows)
    odds += np.where(age < 12, world.settings["uptake.attendance_infant"], 0.0)
    odds += np.where((age >= 12) & (age < 24), world.settings["uptake.attendance_toddler"], 0.0)
    return odds


def in_a_round(world: World) -> float:
    """Share of under-fives who come to posyandu in a weighing month."""
    odds = chance_of_coming(world) + world.settings["uptake.attendance_round"]
    return float((1.0 / (1.0 + np.exp(-odds))).mean())


def weighed(world: World) -> tuple[float, float]:
    """Shares of children weighed never, and four times or more, in six months of which one is a weighing round."""
    odds = chance_of_coming(world)
    p = [1.0 / (1.0 + np.exp(-odds - (world.settings["uptake.attendance_round"] if k == 0 else 0.0))) for k in range(6)]
    times = np.zeros((7, len(odds)))
    times[0] = 1.0
    for each in p:
        times[1:] = times[1:] * (1.0 - each) + times[:-1] * each
        times[0] *= 1.0 - each
    return float(times[0].mean()), float(times[4:].sum(axis=0).mean())


def icc(value: np.ndarray, group: np.ndarray) -> float:
    """Intraclass correlation by group, analysis of variance; groups of one say nothing."""
    _, at, n = np.unique(group, return_inverse=True, return_counts=True)
    keep = n[at] > 1
    value, group = value[keep].astype(float), group[keep]
    _, at, n = np.unique(group, return_inverse=True, return_counts=True)
    mean = np.bincount(at, weights=value) / n
    within = ((value - mean[at]) ** 2).sum() / max(len(value) - len(n), 1)
    between = (n * (mean - value.mean()) ** 2).sum() / max(len(n) - 1, 1)
    size = (len(value) - (n**2).sum() / len(value)) / max(len(n) - 1, 1)
    return float((between - within) / (between + (size - 1.0) * within))


def place_of(world: World, rows: slice) -> np.ndarray:
    """Posyandu of each child, (n,)."""
    place, _ = meetings.posyandu_of(world)
    return place[world.children.household[rows]]


def one_year_olds(world: World) -> slice:
    """Children of 12 to 23 months."""
    return world.children.window(world.month - 1, 12, 23)


def dpt3(world: World) -> np.ndarray:
    """Three doses by four visits of the schedule, (n,) of one-year-olds."""
    return taken(world, "immunisation", 12, 23) >= 3


def facility(world: World) -> np.ndarray:
    """Which one-year-olds were born in a facility, (n,)."""
    return meetings.born_in_facility(world, one_year_olds(world))


def by_fifth(world: World, has: np.ndarray, fifth: int) -> float:
    """Share of one-year-olds of a wealth fifth who have it."""
    rows = one_year_olds(world)
    return float(has[world.households.wealth_fifth[world.children.household[rows]] == fifth].mean())


def within_place(world: World) -> float:
    """Correlation of facility birth and third dose inside one posyandu's families."""
    a, b = facility(world).astype(float), dpt3(world).astype(float)
    _, at, n = np.unique(place_of(world, one_year_olds(world)), return_inverse=True, return_counts=True)
    keep = n[at] > 1
    for each in (a, b):
        each -= (np.bincount(at, weights=each) / n)[at]
    return float(np.corrcoef(a[keep], b[keep])[0, 1])


def places_with(world: World, least: float, most: float) -> float:
    """Share of places with three births or more whose share in a facility lies in [least, most]."""
    _, at, n = np.unique(place_of(world, one_year_olds(world)), return_inverse=True, return_counts=True)
    share = (np.bincount(at, weights=facility(world)) / n)[n >= 5]
    return float(((share >= least) & (share <= most)).mean()) if len(share) else float("nan")


def tablets(world: World, least_visits: int, most_visits: int) -> float:
    """Share of mothers with these many visits who took 90 tablets."""
    visits, packs = taken(world, "anc", 0, 11), taken(world, "ttd-bumil", 0, 11)
    at = (visits >= least_visits) & (visits <= most_visits)
    return float((packs[at] >= 3).mean()) if at.any() else float("nan")


def single(name: str) -> Measure:
    """Share of households with one of the eight services."""
    at = list(simultaneous.SERVICES).index(name)
    return lambda world: float(eight(world)[:, at].mean())


def eight(world: World) -> np.ndarray:
    """Which of the eight services households have, (n, 8)."""
    world.month -= 1  # the past has been simulated to the end of the month before
    try:
        return simultaneous.household_services(world)[0]
    finally:
        world.month += 1


# ---- what was published ----------------------------------------------------------------------------------------------


def evidence(path: Path, measure: str, column: str = "measure", **where: str) -> tuple[float, str]:
    """Value and grade of the one row with this measure, in the column of that name.

    Raises SystemExit when there is none, or more than one.
    """
    with path.open(encoding="utf-8", newline="") as file:
        found = [
            row for row in csv.DictReader(file)
            if row[column] == measure and all(row[name].startswith(text) for name, text in where.items())
        ]  # fmt: skip
    if len(found) != 1:
        raise SystemExit(f"{path.name}: {len(found)} rows for {measure!r} {where}")
    return float(found[0]["value"]), found[0]["grade"]


def targets() -> list[Target]:
    """Every figure the rule is held against; fitted or only shown."""
    found: list[Target] = []

    def add(
        name: str, measure: Measure, scale: float = 0.03, fitted: bool = True, share: bool = True, **where: str
    ) -> None:
        value, grade = evidence(REACH, name, **where)
        label = f"{name} {' '.join(where.values())}".strip()
        found.append(Target(label, value / 100.0 if share else value, scale, grade, measure, fitted))

    add("weighed four times or more in six months", lambda w: weighed(w)[1], year="2013")
    add("never weighed in six months", lambda w: weighed(w)[0], year="2013")
    add("posyandu participation of mothers, national", lambda w: float((1 / (1 + np.exp(-chance_of_coming(w)))).mean()))
    value, grade = evidence(REGISTRIES, "Measurement coverage, Pematang Siantar Oct-Nov 2022", "fact")
    found.append(Target("measured in a round, Pematang Siantar 2022", value / 100.0, 0.03, grade, in_a_round))
    add(
        "intraclass correlation of DPT3 by census block",
        lambda w: icc(dpt3(w), place_of(w, one_year_olds(w))),
        share=False,
    )
    add("intraclass correlation of skilled birth care by census block",
        lambda w: icc(facility(w), place_of(w, one_year_olds(w))), share=False)  # fmt: skip
    add("correlation of skilled birth care and DPT3 of the same child",
        lambda w: float(np.corrcoef(facility(w), dpt3(w))[0, 1]), share=False)  # fmt: skip
    add("same correlation within the same census block", within_place, fitted=False, share=False)
    add("census blocks where every birth had skilled care", lambda w: places_with(w, 1.0, 1.0), fitted=False)
    add(
        "census blocks where fewer than half of births had skilled care",
        lambda w: places_with(w, 0.0, 0.4999),
        fitted=False,
    )
    add("DPT3 by wealth", lambda w: by_fifth(w, dpt3(w), 0), group="poorest")
    add("DPT3 by wealth", lambda w: by_fifth(w, dpt3(w), 4), group="richest")
    add("skilled care at birth by wealth", lambda w: by_fifth(w, facility(w), 0), fitted=False, group="poorest")
    add("skilled care at birth by wealth", lambda w: by_fifth(w, facility(w), 4), fitted=False, group="richest")
    add("fully immunised", lambda w: float((taken(w, "immunisation", 12, 23) >= 5).mean()), year="2017")
    add(
        "zero-dose (no DPT), national mean",
        lambda w: float((taken(w, "immunisation", 12, 23) == 0).mean()),
        fitted=False,
    )
    add("vitamin A capsule", lambda w: float((np.diff(_last_round(w)) != 0).mean()), year="2007")
    add("first visit, four visits", lambda w: float((taken(w, "anc", 0, 11) >= 4).mean()), year="2018")
    add(
        "antenatal, facility delivery and postnatal care coverage", lambda w: float((taken(w, "anc", 0, 11) > 0).mean())
    )
    found.append(Target("facility birth (Istifa et al., note of the row above)", 0.794, 0.03, "published",
                        lambda w: float(facility(w).mean())))  # fmt: skip
    add("iron tablets taken 90 or more", lambda w: float((taken(w, "ttd-bumil", 0, 11) >= 3).mean()))
    for least, most, words in ((0, 3, "fewer than 4 visits"), (4, 7, "4 to 7 visits"), (8, 9, "8 or more visits")):
        add(f"90 or more tablets taken, mother with {words}", lambda w, a=least, b=most: tablets(w, a, b), fitted=False)
    add("child under five with birth certificate", lambda w: float(_certified(w)), fitted=False, year="2017")
    for name, words in SINGLE.items():
        value, grade = evidence(CONVERGENCE, f"coverage of {words} among 1,000-day households")
        found.append(Target(f"Susenas 2017: {words}", value / 100.0, 0.03, grade, single(name), name in BEHAVIOURS))
    add("variance of the number of services a 1000-day household gets (of 8), relative to independence",
        lambda w: simultaneous.overlap(eight(w))[0], scale=0.1, share=False)  # fmt: skip
    add("mean pairwise correlation between the eight services implied by that variance",
        lambda w: simultaneous.overlap(eight(w))[1], scale=0.02, fitted=False, share=False)  # fmt: skip
    return found


BEHAVIOURS = ("breastfeeding", "diet_diversity")
SINGLE = {
    "immunisation": "immunisation", "breastfeeding": "exclusive breastfeeding", "diet_diversity": "diet diversity",
    "drinking_water": "drinking water", "sanitation": "sanitation", "early_education": "early childhood education",
    "food_security": "food insecurity score", "birth_certificate": "birth certificate",
}  # fmt: skip


def _certified(world: World) -> float:
    rows = world.children.window(world.month - 1, 0, LAST_AGE)
    return float((world.registers.nik_month[rows] < world.month).mean())


def _last_round(world: World) -> np.ndarray:
    """Vitamin A taken before and at the last round cannot be told apart afterwards: any capsule by 12 to 17 months."""
    had = taken(world, "vitamin-a", 12, 17) > 0
    return np.stack([np.zeros_like(had, int), had.astype(int)], axis=0).T


# ---- the fit ---------------------------------------------------------------------------------------------------------


def past(values: dict[str, float], seed: int) -> World:
    """The district of national averages at the end of its burn-in."""
    rule = {"contacts.reach": "contacts"}
    return ConvergenceModel(None, "national-average", rng=seed, population_share=SHARE, set=rule | values).world


def measured(wanted: list[Target], values: dict[str, float], seeds: tuple[int, ...] = SEEDS[:1]) -> np.ndarray:
    """What the model says of each target, mean over seeds, (n_targets,)."""
    worlds = [past(values, seed) for seed in seeds]
    return np.mean([[target.measure(world) for target in wanted] for world in worlds], axis=0)


def fit(wanted: list[Target], rounds: int) -> dict[str, float]:
    """Values of FITTED that bring the fitted targets nearest, by damped Gauss-Newton within the parameters' ranges."""
    known = load_parameters()
    at = np.array([float(known[key].value) for key in FITTED])
    low, high = (np.array([float(getattr(known[key], end)) for key in FITTED]) for end in ("low", "high"))
    step = np.array([0.02 if known[key].unit.startswith("share") else 0.2 for key in FITTED])
    chosen = [target for target in wanted if target.fitted]
    weight = np.array([np.sqrt(WEIGHT[target.grade]) / target.scale for target in chosen])
    goal = np.array([target.value for target in chosen])

    def off(values: np.ndarray) -> np.ndarray:
        return weight * (measured(chosen, dict(zip(FITTED, values.tolist(), strict=True)), SEEDS) - goal)

    now = off(at)
    print(f"start: {now @ now:.1f}")
    for number in range(rounds):
        moved = [np.clip(at + step * (np.arange(len(at)) == k), low, high) for k in range(len(at))]
        slope = np.stack([(off(each) - now) / max(each[k] - at[k], 1e-9) for k, each in enumerate(moved)], axis=1)
        damped = slope.T @ slope + np.diag(0.02 * (slope**2).sum(axis=0) + 1e-6)
        for part in (1.0, 0.5, 0.25, 0.1):
            try_ = np.clip(at - part * np.linalg.solve(damped, slope.T @ now), low, high)
            then = off(try_)
            if then @ then < now @ now:
                break
        else:
            break
        at, now = try_, then
        print(f"round {number + 1}: {now @ now:.1f}")
    return {key: round(float(value), 3) for key, value in zip(FITTED, at, strict=True)}


def write(values: dict[str, float]) -> None:
    """Set `value` of each fitted parameter in its file."""
    for key, value in values.items():
        room, name = key.split(".")
        path = MECHANISMS / f"{room}.toml"
        text = path.read_text(encoding="utf-8")
        changed, n = re.subn(rf"(\[{name}\]\nvalue = )[-0-9.]+", rf"\g<1>{value}", text)
        assert n == 1, key
        path.write_text(changed, encoding="utf-8")


def main() -> None:
    """Fit, print every target beside what the model says, and write the values if asked."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--write", action="store_true", help="write the values into mechanisms/*.toml")
    asked.add_argument("--rounds", type=int, default=3, help="of Gauss-Newton; 0 only shows how things stand")
    options = asked.parse_args()
    wanted = targets()
    values = fit(wanted, options.rounds) if options.rounds else {}
    for key, value in values.items():
        print(f"{key} = {value}")
    told = measured(wanted, values, SEEDS)
    print(f"\n{'published':>10} {'model':>7}  grade, target (* no parameter was fitted to it)")
    for target, model in zip(wanted, told, strict=True):
        mark = "" if target.fitted else " *"
        print(f"{target.value:10.3f} {model:7.3f}  {target.grade}, {target.name}{mark}")
    if options.write:
        write(values)


if __name__ == "__main__":
    main()
