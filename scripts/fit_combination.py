"""What the rules of combination make of the reviewed package: python scripts/fit_combination.py

Ten interventions at 90 percent coverage were reviewed to bring 20.3 percent fewer stunted under-fives (10.2 to 28.9;
Bhutta et al. 2013, a row of evidence/effects_dose.csv). Here the members that the model has go from the model's own
coverage of 2018, at the dose of their trials, to 90 percent of those eligible, delivered as the trials delivered them;
children who are already covered by chance are so independently. The fall is that of true prevalence among under-fives
of the synthetic district of national averages at the end of 2018, with the effects read as published. What share of
the reviewed fall the missing members bring was not published: the weights are printed for several.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from konvergensi.mechanisms import growth
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.children import LAST_AGE
from konvergensi.world.draws import Draws
from konvergensi.world.state import World

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "evidence" / "effects_dose.csv"
COVERAGE = 0.9
STRUCTURE = {
    "contacts.reach": "contacts", "effects.reading": "published", "effects.dose_response": "plateau",
    "growth.combination": "additive",
}  # fmt: skip
RULES = {"substitutes": growth.LIFETIME["substitutes"], "additive": 1.0, "reinforcing": growth.LIFETIME["reinforcing"]}
PARTS = (0.6, 0.8, 1.0)  # of the reviewed fall that the members of the model may bring
# member of the review -> service of the model, and who is eligible; None: the model has no such service
MEMBERS: dict[str, tuple[str, str] | None] = {
    "periconceptional folic acid": None,
    "balanced energy protein in pregnancy": ("pmt-bumil", "kek"),
    "calcium in pregnancy": None,
    "multiple micronutrients in pregnancy": ("mms", "all"),
    "breastfeeding promotion": ("breastfeeding", "all"),
    "complementary feeding (education, food where insecure)": ("pmba", "all"),
    "vitamin A": ("vitamin-a", "all"),
    "preventive zinc": ("zinc", "all"),
    "management of severe acute malnutrition": None,
    "management of moderate acute malnutrition": None,
}
FOOD = ("pmt-child", "food-insecure")  # the second half of complementary feeding


def reviewed() -> tuple[float, float, float]:
    """The reviewed fall in stunted children, share, with its interval; the members are checked against MEMBERS."""
    with EVIDENCE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    members = {row["service"] for row in rows if row["measure"].startswith("member of the reviewed package")}
    if members != set(MEMBERS):
        raise SystemExit(f"{EVIDENCE.name}: the members of the reviewed package are not those of this script")
    row = next(r for r in rows if r["measure"] == "ten interventions at 90 percent coverage: fall in stunted children")
    return -float(row["value"]) / 100, -float(row["high"]) / 100, -float(row["low"]) / 100


def at_end_of_2018(effects: dict[str, float]) -> World:
    """The district of national averages, simulated to the end of 2018."""
    model = ConvergenceModel(
        "baseline", "national-average", rng=1, population_share=0.15, end="2018-12", set=STRUCTURE | effects
    )
    while model.running:
        model.step()
    return model.world


def gains(world: World, name: str, who: str, coverage: float | None) -> tuple[np.ndarray, float]:
    """z gained from a member by each under-five, (n,), and the coverage of 2018; coverage None: that of 2018."""
    children, settings, month = world.children, world.settings, world.month - 1
    rows = children.window(month, 0, LAST_AGE)
    service = next(each for each in world.services if each.id == name)
    s = world.services.index(service)
    doses = service.trial.doses * service.trial.delivered_share if service.trial else 1.0
    old = children.window(month, 24, 35)
    eligible = {"all": np.ones(len(children), bool), "kek": children.kek,
                "food-insecure": world.households.food_insecure[children.household]}[who]  # fmt: skip
    own = (
        float((world.book.taken[s][old][eligible[old]] >= min(doses, 255)).mean()) if len(world.book.taken[s]) else 0.0
    )
    size = growth.monthly_shift(service, settings[f"services.{name}.effect"], settings)
    whole = float(size.max()) * (service.effect.to_age - service.effect.from_age + 1)
    age = children.ages(month, rows)
    if service.acts_on == "birth-weight":  # at birth, and then as long as the deviation lasts
        lasting = np.concatenate([[1.0], np.cumprod(growth.persistence(settings))[:LAST_AGE]])
        reached = growth.birth_length_z(settings) * lasting[age]
    else:
        reached = np.clip((age - service.effect.from_age + 1) / max(doses, 1.0), 0.0, 1.0)
        years = np.maximum(age - 23, 0) / 12.0
        reached = reached * (1.0 - settings["effects.fade_per_year"]) ** years
    share = own if coverage is None else max(coverage, own)
    covered = Draws(1).uniform(f"reviewed {name}", 0, children.key[rows]) < share
    return whole * reached * covered * eligible[rows], own


def fall(world: World, together: float) -> tuple[float, dict[str, float]]:
    """Relative fall in the number stunted, and the coverage of 2018 by member."""
    rows = world.children.window(world.month - 1, 0, LAST_AGE)
    bare = world.children.z[rows] - world.children.gain[rows]
    members = [pair for pair in (*MEMBERS.values(), FOOD) if pair is not None]
    own: dict[str, float] = {}
    stunted = []
    for coverage in (None, COVERAGE):
        each = []
        for name, who in members:
            gained, own[name] = gains(world, name, who, coverage)
            each.append(gained)
        total, largest = np.sum(each, axis=0), np.max(each, axis=0)
        stunted.append(float((bare + largest + together * (total - largest) < -2.0).mean()))
    return 1.0 - stunted[1] / stunted[0], own


def weights(falls: dict[str, float], goal: float, low: float, high: float, part: float) -> dict[str, float]:
    """How likely each rule makes its fall if the model's members bring `part` of the reviewed one, sum 1."""
    sd = part * (high - low) / (2 * 1.96)
    likely = {rule: float(np.exp(-0.5 * ((fall_ - part * goal) / sd) ** 2)) for rule, fall_ in falls.items()}
    return {rule: each / sum(likely.values()) for rule, each in likely.items()}


def main() -> None:
    """Print what each rule makes of the reviewed package, and how the review weighs the rules."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--pmba", type=float, help="another effect of feeding counselling, SD")
    options = asked.parse_args()
    goal, low, high = reviewed()
    world = at_end_of_2018({} if options.pmba is None else {"services.pmba.effect": options.pmba})
    falls, own = {}, {}
    for rule, share in RULES.items():
        falls[rule], own = fall(world, share)
    missing = [name for name, pair in MEMBERS.items() if pair is None]
    print(f"reviewed fall: {goal:.1%} ({low:.1%} to {high:.1%})")
    print(f"members not in the model: {len(missing)} of {len(MEMBERS)}: {', '.join(missing)}")
    print("coverage of 2018 at the trial's dose: " + ", ".join(f"{name} {share:.1%}" for name, share in own.items()))
    for rule, each in falls.items():
        print(f"{rule}: fall {each:.1%}, {'inside' if low <= each <= high else 'outside'} the interval")
    for part in PARTS:
        told = ", ".join(f"{rule} {each:.2f}" for rule, each in weights(falls, goal, low, high, part).items())
        print(f"weights if the members here bring {part:.0%} of the reviewed fall: {told}")


if __name__ == "__main__":
    main()
