"""Writes the tables of docs/barriers.md and barriers.id.md: python scripts/make_barriers.py; --check runs nothing.

Each barrier of docs/barriers.toml is run in Kabupaten Lebak, 2018-2024, at a tenth of its population, with and without
the barrier and with the same draws, for two seeds. The table stands between `<!-- barriers: table -->` and
`<!-- end -->`, what is largest and what is nothing between `<!-- barriers: list -->` and `<!-- end -->`; the words
around them are written by hand. A page whose name ends in .id.md gets Indonesian words and numbers. --check compares
every column but the numbers. Some four minutes on two cores.
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
from barriers import ROOT, SIDES, Barrier, Pairs, Place, Value, district, load, simulated, told

from konvergensi.base.words import LANGUAGES, Lang

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGE, HALAMAN = DOCS / "barriers.md", DOCS / "barriers.id.md"
EVIDENCE = ROOT / "evidence/barriers.csv"
DISTRICT, SHARE, END, SEEDS = "lebak", 0.1, "2024-12", (1, 2)
PAPERS: dict[str, dict[Lang, str]] = {
    "priority13": {"en": "13 districts", "id": "13 kabupaten"},
    "lebak": {"en": "Lebak", "id": "Lebak"},
    "banjar": {"en": "Kota Banjar", "id": "Kota Banjar"},
}
BLOCK = r"(<!-- barriers: {} -->\n)(.*?)(<!-- end -->)"
HEAD: dict[Lang, tuple[str, ...]] = {
    "en": (
        "Barrier", "Study", "What the study says", "Mechanism (`sim/konvergensi/`)", "Parameter: with → without",
        "Test (`tests/test_barriers.py`)", "What is measured", "With / without (difference)", "Prevalence, points",
        "Complete package, points",
    ),
    "id": (
        "Hambatan", "Penelitian", "Temuan penelitian", "Mekanisme (`sim/konvergensi/`)", "Parameter: dengan → tanpa",
        "Pengujian (`tests/test_barriers.py`)", "Yang diukur", "Dengan / tanpa (selisih)", "Prevalensi, poin",
        "Paket lengkap, poin",
    ),
}  # fmt: skip
SAID: dict[str, dict[Lang, str]] = {
    "from": {"en": "from", "id": "mulai"},
    "both": {"en": "both sides", "id": "kedua sisi"},
    "and": {"en": "and", "id": "dan"},
    "none": {"en": "none", "id": "tidak ada"},
    "higher": {"en": "higher", "id": "naik"},
    "lower": {"en": "lower", "id": "turun"},
    "no_line": {"en": "no such line there", "id": "tidak ada pos itu di sana"},
    "not_as_stated": {"en": "**not as stated**", "id": "**tidak seperti dinyatakan**"},
    "share": {
        "en": "Population share {share}, seeds {seeds}; rows that switch the same count once.",
        "id": "Bagian penduduk {share}, benih acak {seeds}; baris dengan parameter yang sama dihitung satu kali.",
    },
    "largest": {"en": "- **Largest by {of}** (points): {shown}.", "id": "- **Terbesar menurut {of}** (poin): {shown}."},
    "prevalence": {"en": "prevalence of December 2024", "id": "prevalensi Desember 2024"},
    "package": {"en": "complete package in 2024", "id": "paket lengkap tahun 2024"},
    "nothing": {
        "en": "- **None to speak of** (under {prevalence} points of prevalence and {package} points of complete "
        "package), whatever they do to agencies: {shown}.",
        "id": "- **Tidak berarti** (kurang dari {prevalence} poin prevalensi dan {package} poin paket lengkap), apa "
        "pun pengaruhnya pada OPD: {shown}.",
    },
}
SWITCH: dict[Lang, dict[Value, str]] = {
    "en": {True: "yes", False: "no", None: "as it is"},
    "id": {True: "ya", False: "tidak", None: "apa adanya"},
}
MAPPED = 7  # columns that --check compares; the others hold numbers
SMALL = {"prevalence": 0.05, "package": 0.1}  # points; below both nothing is to be spoken of
LARGEST = 8  # how many are listed


# ---- mapping ---------------------------------------------------------------------------------------------------------


def mapping(barrier: Barrier, paper: str, lang: Lang = "en") -> list[str]:
    """Cells of a barrier that hold no numbers."""
    mechanism = "<br>".join(f"`{_place(each)}`" for each in barrier.mechanism)
    switched_ = switched(barrier, lang)
    told = barrier.words[lang]
    return [
        barrier.name,
        PAPERS[paper][lang],
        told,
        mechanism,
        switched_,
        f"`{barrier.test}`",
        _measured(barrier, lang),
    ]


def _place(dotted: str) -> str:
    """`mechanisms/goals.py: adopt` for "mechanisms.goals.adopt"; what begins with a capital is a class."""
    parts = dotted.split(".")
    at = next((i for i, part in enumerate(parts) if part[0].isupper()), len(parts) - 1)
    return f"{'/'.join(parts[:at])}.py: {'.'.join(parts[at:])}"


def switched(barrier: Barrier, lang: Lang = "en") -> str:
    """What is switched, one line for each key, and what is set on both sides."""
    keys = dict.fromkeys([*barrier.sides["with"], *barrier.sides["without"]])
    with_, without = (barrier.sides[side] for side in SIDES)
    lines = [f"`{key}` {_shown(with_.get(key), lang)} → {_shown(without.get(key), lang)}" for key in keys]
    if barrier.background:
        both = ", ".join(f"`{key}` {_shown(value, lang)}" for key, value in barrier.background.items())
        lines.append(f"({SAID['both'][lang]}: {both})")
    return "<br>".join(lines)


def _shown(value: Value, lang: Lang) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_shown(each, lang)} {SAID['from'][lang]} {month}" for month, each in value.items())
    if isinstance(value, bool) or value is None:
        return SWITCH[lang][value]
    if isinstance(value, str):
        return value
    return written(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}", lang)


def written(text: str, lang: Lang) -> str:
    """A number of the page as the language writes it; it comes as English does, 1,234.5."""
    return text if lang == "en" else text.translate(str.maketrans(".,", ",."))


def _measured(barrier: Barrier, lang: Lang) -> str:
    direction = "higher" if barrier.higher else "lower"
    return f"{WORDS[barrier.measure][LANGUAGES.index(lang)]}: {SAID[direction][lang]}"


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
        model = simulated(place, seed, *side)
        values.update({name: MEASURES[name](model) for name in values})
    return [
        {as_: (asked[both[0]][name], asked[both[1]][name]) for as_, name in of.items()}
        for both, of in zip(sides, names, strict=True)
    ]


def numbers(share: float) -> list[dict[str, np.ndarray]]:
    """For each barrier and number: (n_seeds, 2), with and without."""
    with ProcessPoolExecutor(2) as pool:  # a seed each: what was simulated before 2018 is shared by its runs
        by_seed = list(pool.map(simulate, SEEDS, [share] * len(SEEDS)))
    return [{name: np.array([seed[i][name] for seed in by_seed]) for name in by_seed[0][i]} for i in range(len(load()))]


def cells(barrier: Barrier, found: dict[str, np.ndarray], lang: Lang = "en") -> list[str]:
    """Cells of a barrier that hold numbers; differences are with less without."""
    with_, without = found["measure"].mean(axis=0)
    own = f"{_n(with_, lang)} / {_n(without, lang)} ({_signed(with_ - without, lang)})"
    if np.isnan(with_):
        own = SAID["no_line"][lang]
    if (with_ - without) * (1 if barrier.higher else -1) <= 0.0:
        own += f" {SAID['not_as_stated'][lang]}"
    return [own, _points(effect(found, "prevalence"), lang), _points(effect(found, "package"), lang)]


def effect(found: dict[str, np.ndarray], name: str) -> np.ndarray:
    """With less without in percentage points, (n_seeds,)."""
    points: np.ndarray = (found[name][:, 0] - found[name][:, 1]) * {"prevalence": 1.0, "package": 100.0}[name]
    return points


def _points(by_seed: np.ndarray, lang: Lang) -> str:
    low, high = by_seed.min(), by_seed.max()
    return f"{_signed(by_seed.mean(), lang, 2)} ({_signed(low, lang, 2)} .. {_signed(high, lang, 2)})"


def _n(value: float, lang: Lang) -> str:
    return written(f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}", lang).replace("-", "−")


def _signed(value: float, lang: Lang, digits: int | None = None) -> str:
    text = f"{value:+.{3 if digits is None else digits}f}"
    return written(text, lang).replace("-", "−") if float(text) else "0"


def listed(barriers: Sequence[Barrier], found: Sequence[dict[str, np.ndarray]], share: float, lang: Lang = "en") -> str:
    """What is largest in Lebak by prevalence and by complete package, and what is nothing to speak of."""
    size: dict[str, dict[str, float]] = {}  # barrier -> prevalence and package; one of those that switch the same
    seen: list[tuple[Any, Any]] = []
    for barrier, each in zip(barriers, found, strict=True):
        if (barrier.sides, barrier.background) not in seen:
            seen.append((barrier.sides, barrier.background))
            size[barrier.name] = {name: float(effect(each, name).mean()) for name in SMALL}
    none = SAID["none"][lang]
    seeds = f" {SAID['and'][lang]} ".join(map(str, SEEDS))
    lines = [SAID["share"][lang].format(share=written(f"{share:g}", lang), seeds=seeds), ""]
    for name, least in SMALL.items():
        top = sorted(size, key=lambda barrier: -abs(size[barrier][name]))[:LARGEST]
        shown = [f"{each} {_signed(size[each][name], lang, 2)}" for each in top if abs(size[each][name]) >= least]
        lines.append(SAID["largest"][lang].format(of=SAID[name][lang], shown=", ".join(shown) or none))
    small = [each for each, of in size.items() if all(abs(of[name]) < SMALL[name] for name in SMALL)]
    limits = {name: written(f"{limit:g}", lang) for name, limit in SMALL.items()}
    lines.append(SAID["nothing"][lang].format(**limits, shown=", ".join(small) or none))
    return "\n".join(lines) + "\n"


# ---- the page --------------------------------------------------------------------------------------------------------


def row(cells_: Sequence[str]) -> str:
    """A row of the table."""
    return f"| {' | '.join(cells_)} |\n"


def language(page: Path) -> Lang:
    """That of a page, by its name."""
    return "id" if page.name.endswith(".id.md") else "en"


def block(text: str, name: str) -> re.Match[str]:
    """A block of the page. Raises ValueError when it is not there exactly once."""
    found = list(re.finditer(BLOCK.format(name), text, re.DOTALL))
    if len(found) != 1:
        raise ValueError(f"{PAGE.name}: the block <!-- barriers: {name} --> is there {len(found)} times, not once")
    return found[0]


def stale(text: str, lang: Lang = "en") -> list[str]:
    """What differs between the page's table and docs/barriers.toml, numbers aside; ValueError without a table."""
    rows = [line[2:-2].split(" | ") for line in block(text, "table")[2].splitlines()[2:]]
    there = {cells_[0]: cells_[:MAPPED] for cells_ in rows}
    of = papers()
    wanted = {barrier.name: mapping(barrier, of[barrier.id], lang) for barrier in load()}
    wrong = [f"{name} is missing" for name in wanted if name not in there]
    wrong += [f"{name} is no barrier" for name in there if name not in wanted]
    for name in wanted.keys() & there.keys():
        pairs = zip(HEAD[lang], wanted[name], there[name], strict=False)
        wrong += [f"{name}: {head}" for head, new, old in pairs if new != old]
    return sorted(wrong)


def filled(text: str, found: Sequence[dict[str, np.ndarray]], share: float, lang: Lang) -> str:
    """The page with these numbers in it. Raises ValueError when a block is missing."""
    barriers, of = load(), papers()
    order = sorted(range(len(barriers)), key=lambda i: barriers[i].id)
    head = HEAD[lang]
    body = row(head) + row(["---"] * len(head)).replace(" ", "")
    for i in order:
        body += row(mapping(barriers[i], of[barriers[i].id], lang) + cells(barriers[i], found[i], lang))
    for name, new in (("table", body), ("list", listed(barriers, found, share, lang))):
        at = block(text, name)
        text = text[: at.start(2)] + new + text[at.end(2) :]
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Run and write, or check; 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the mapping only; write and run nothing")
    parser.add_argument("--population-share", type=float, default=SHARE)
    parser.add_argument("pages", nargs="*", type=Path, default=[PAGE, HALAMAN])
    asked = parser.parse_args(argv)
    texts = {page: page.read_text(encoding="utf-8") for page in asked.pages}
    if asked.check:
        wrong = {page: stale(text, language(page)) for page, text in texts.items()}
        for page, each in wrong.items():
            if each:
                print(f"{page}: run python scripts/make_barriers.py: {'; '.join(each)}", file=sys.stderr)
        return int(any(wrong.values()))
    for text in texts.values():
        for name in ("table", "list"):
            block(text, name)  # before minutes are spent on numbers
    found = numbers(asked.population_share)
    for page, text in texts.items():
        page.write_text(filled(text, found, asked.population_share, language(page)), encoding="utf-8")
        print(f"refreshed {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
