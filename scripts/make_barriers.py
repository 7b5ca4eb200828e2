"""Writes the table of docs/barriers.md: python scripts/make_barriers.py; --check compares its mapping and runs nothing.

Each barrier of docs/barriers.toml is run in Kabupaten Lebak, 2018-2024, at a tenth of its population, with and without
the barrier and with the same draws, for two seeds. The table stands between `<!-- barriers: table -->` and
`<!-- end -->`, what is largest and what is nothing between `<!-- barriers: list -->` and `<!-- end -->`; the words
around them are written by hand. --check compares every column but the numbers. Some four minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from barrier_measures import MEASURES, WORDS
from barriers import ROOT, SIDES, Barrier, Pairs, Place, Value, district, lived, load, told

PAGE = Path(__file__).resolve().parents[1] / "docs" / "barriers.md"
EVIDENCE = ROOT / "evidence/barriers.csv"
DISTRICT, SHARE, END, SEEDS = "lebak", 0.1, "2024-12", (1, 2)
PAPERS = {"priority13": "13 districts", "lebak": "Lebak", "banjar": "Kota Banjar"}
BLOCK = r"(<!-- barriers: {} -->\n)(.*?)(<!-- end -->)"
HEAD = (
    "Barrier", "Study", "What the study says", "Mechanism (`sim/konvergensi/`)", "Parameter: with → without",
    "Test (`tests/test_barriers.py`)", "What is measured", "With / without (difference)", "Prevalence, points",
    "Complete package, points",
)  # fmt: skip
MAPPED = 7  # columns that --check compares; the others hold numbers
SMALL = {"prevalence": 0.05, "package": 0.1}  # points; below both nothing is to be spoken of
LARGEST = 8  # how many are listed


# ---- mapping ---------------------------------------------------------------------------------------------------------


def mapping(barrier: Barrier, paper: str) -> list[str]:
    """Cells of a barrier that hold no numbers."""
    words = f"{barrier.words['en']}<br>*{barrier.words['id']}*"
    mechanism = "<br>".join(f"`{_place(each)}`" for each in barrier.mechanism)
    return [barrier.name, PAPERS[paper], words, mechanism, switched(barrier), f"`{barrier.test}`", _measured(barrier)]


def _place(dotted: str) -> str:
    """`mechanisms/goals.py: adopt` for "mechanisms.goals.adopt"; what begins with a capital is a class."""
    parts = dotted.split(".")
    at = next((i for i, part in enumerate(parts) if part[0].isupper()), len(parts) - 1)
    return f"{'/'.join(parts[:at])}.py: {'.'.join(parts[at:])}"


def switched(barrier: Barrier) -> str:
    """What is switched, one line for each key, and what is set on both sides."""
    keys = dict.fromkeys([*barrier.sides["with"], *barrier.sides["without"]])
    with_, without = (barrier.sides[side] for side in SIDES)
    lines = [f"`{key}` {_shown(with_.get(key))} → {_shown(without.get(key))}" for key in keys]
    if barrier.background:
        both = ", ".join(f"`{key}` {_shown(value)}" for key, value in barrier.background.items())
        lines.append(f"(both sides: {both})")
    return "<br>".join(lines)


def _shown(value: Value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_shown(each)} from {month}" for month, each in value.items())
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "as it is"}[value]
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def _measured(barrier: Barrier) -> str:
    (en, arti), (direction, arah) = WORDS[barrier.measure], ("higher", "naik") if barrier.higher else ("lower", "turun")
    return f"{en}: {direction}<br>*{arti}: {arah}*"


def papers() -> dict[str, str]:
    """Barrier -> study, from the evidence."""
    with EVIDENCE.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row["paper"] for row in csv.DictReader(file)}


# ---- numbers ---------------------------------------------------------------------------------------------------------


def simulate(seed: int, share: float) -> list[dict[str, tuple[float, float]]]:
    """For each barrier: its measure, prevalence and complete package, with and without, for one seed.

    What several sides have in common, as today's values, is run once.
    """
    place, where = Place(DISTRICT, share, END), district(DISTRICT)
    barriers = load()
    sides = [[told(barrier, side, where) for side in SIDES] for barrier in barriers]
    names = [{"measure": each.measure, "prevalence": "prevalence", "package": "complete_package"} for each in barriers]
    asked: dict[tuple[Pairs, Pairs], dict[str, float]] = {}
    for both, of in zip(sides, names, strict=True):
        for side in both:
            asked.setdefault(side, {}).update(dict.fromkeys(of.values(), np.nan))
    for side, values in asked.items():
        model = lived(place, seed, *side)
        values.update({name: MEASURES[name](model) for name in values})
    return [
        {as_: (asked[both[0]][name], asked[both[1]][name]) for as_, name in of.items()}
        for both, of in zip(sides, names, strict=True)
    ]


def numbers(share: float) -> list[dict[str, np.ndarray]]:
    """For each barrier and number: (n_seeds, 2), with and without."""
    with ProcessPoolExecutor(2) as pool:  # a seed each: what was lived before 2018 is shared by its runs
        by_seed = list(pool.map(simulate, SEEDS, [share] * len(SEEDS)))
    return [{name: np.array([seed[i][name] for seed in by_seed]) for name in by_seed[0][i]} for i in range(len(load()))]


def cells(barrier: Barrier, found: dict[str, np.ndarray]) -> list[str]:
    """Cells of a barrier that hold numbers; differences are with less without."""
    with_, without = found["measure"].mean(axis=0)
    own = "no such line there" if np.isnan(with_) else f"{_n(with_)} / {_n(without)} ({_signed(with_ - without)})"
    if (with_ - without) * (1 if barrier.higher else -1) <= 0.0:
        own += " **not as stated**"
    return [own, _points(effect(found, "prevalence")), _points(effect(found, "package"))]


def effect(found: dict[str, np.ndarray], name: str) -> np.ndarray:
    """With less without in percentage points, (n_seeds,)."""
    points: np.ndarray = (found[name][:, 0] - found[name][:, 1]) * {"prevalence": 1.0, "package": 100.0}[name]
    return points


def _points(by_seed: np.ndarray) -> str:
    low, high = by_seed.min(), by_seed.max()
    return f"{_signed(by_seed.mean(), 2)} ({_signed(low, 2)} .. {_signed(high, 2)})"


def _n(value: float) -> str:
    return (f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}").replace("-", "−")


def _signed(value: float, digits: int | None = None) -> str:
    text = f"{value:+.{3 if digits is None else digits}f}"
    return text.replace("-", "−") if float(text) else "0"


def listed(barriers: Sequence[Barrier], found: Sequence[dict[str, np.ndarray]], share: float) -> str:
    """What is largest in Lebak by prevalence and by complete package, and what is nothing to speak of."""
    size: dict[str, dict[str, float]] = {}  # barrier -> prevalence and package; one of those that switch the same
    seen: list[tuple[Any, Any]] = []
    for barrier, each in zip(barriers, found, strict=True):
        if (barrier.sides, barrier.background) not in seen:
            seen.append((barrier.sides, barrier.background))
            size[barrier.name] = {name: float(effect(each, name).mean()) for name in SMALL}
    words = {"prevalence": "prevalence of December 2024", "package": "complete package in 2024"}
    lines = [
        f"Population share {share:g}, seeds {' and '.join(map(str, SEEDS))}; rows that switch the same count once."
    ]
    for name, of in words.items():
        top = sorted(size, key=lambda barrier: -abs(size[barrier][name]))[:LARGEST]
        shown = [f"{each} {_signed(size[each][name], 2)}" for each in top if abs(size[each][name]) >= SMALL[name]]
        lines.append(f"- **Largest by {of}** (points): {', '.join(shown) or 'none'}.")
    none = [each for each, of in size.items() if all(abs(of[name]) < SMALL[name] for name in SMALL)]
    limits = f"under {SMALL['prevalence']:g} points of prevalence and {SMALL['package']:g} points of complete package"
    lines.append(f"- **None to speak of** ({limits}), whatever they do to agencies: {', '.join(none) or 'none'}.")
    return "\n".join([lines[0], "", *lines[1:]]) + "\n"


# ---- the page --------------------------------------------------------------------------------------------------------


def row(cells_: Sequence[str]) -> str:
    """A row of the table."""
    return f"| {' | '.join(cells_)} |\n"


def block(text: str, name: str) -> re.Match[str]:
    """A block of the page. Raises ValueError when it is not there exactly once."""
    found = list(re.finditer(BLOCK.format(name), text, re.DOTALL))
    if len(found) != 1:
        raise ValueError(f"{PAGE.name}: the block <!-- barriers: {name} --> is there {len(found)} times, not once")
    return found[0]


def stale(text: str) -> list[str]:
    """What differs between the page's table and docs/barriers.toml, numbers aside; ValueError without a table."""
    rows = [line[2:-2].split(" | ") for line in block(text, "table")[2].splitlines()[2:]]
    there = {cells_[0]: cells_[:MAPPED] for cells_ in rows}
    of = papers()
    wanted = {barrier.name: mapping(barrier, of[barrier.id]) for barrier in load()}
    wrong = [f"{name} is missing" for name in wanted if name not in there]
    wrong += [f"{name} is no barrier" for name in there if name not in wanted]
    for name in wanted.keys() & there.keys():
        pairs = zip(HEAD, wanted[name], there[name], strict=False)
        wrong += [f"{name}: {head}" for head, new, old in pairs if new != old]
    return sorted(wrong)


def main(argv: Sequence[str] | None = None) -> int:
    """Run and write, or check; 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the mapping only; write and run nothing")
    parser.add_argument("--population-share", type=float, default=SHARE)
    parser.add_argument("page", nargs="?", type=Path, default=PAGE)
    asked = parser.parse_args(argv)
    text = asked.page.read_text(encoding="utf-8")
    if asked.check:
        wrong = stale(text)
        if wrong:
            print(f"{asked.page}: run python scripts/make_barriers.py: {'; '.join(wrong)}", file=sys.stderr)
        return bool(wrong)
    for name in ("table", "list"):
        block(text, name)  # before minutes are spent on numbers
    barriers, found, of = load(), numbers(asked.population_share), papers()
    order = sorted(range(len(barriers)), key=lambda i: barriers[i].id)
    body = row(HEAD) + row(["---"] * len(HEAD)).replace(" ", "")
    body += "".join(row(mapping(barriers[i], of[barriers[i].id]) + cells(barriers[i], found[i])) for i in order)
    for name, new in (("table", body), ("list", listed(barriers, found, asked.population_share))):
        at = block(text, name)
        text = text[: at.start(2)] + new + text[at.end(2) :]
    asked.page.write_text(text, encoding="utf-8")
    print(f"refreshed {asked.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
