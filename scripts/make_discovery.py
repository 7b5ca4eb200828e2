"""Refreshes docs/discovery.md, docs/discovery.id.md and their pictures: python scripts/make_discovery.py

Runs studies/lebak-conditions.toml (kept in --out: stopped halfway, the same command goes on), asks in which conditions
convergence gains little, and how robust it is. Fills what stands between `<!-- discovery: NAME -->` and `<!-- end -->`;
the words around are written by hand. About four minutes on two cores.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from small_pictures import save_small

from konvergensi.analyses.discover import Discovery, discover
from konvergensi.analyses.robustness import Robustness, robustness
from konvergensi.base.errors import InputError
from konvergensi.base.words import LANGUAGES, Lang
from konvergensi.report import discovery_page, figures_discovery, figures_robustness, robustness_page
from konvergensi.report.blocks import Block, markdown
from konvergensi.studies.execute import run_study
from konvergensi.studies.store import Store
from konvergensi.studies.study_file import load_study

DOCS = Path(__file__).resolve().parents[1] / "docs"
STUDY = DOCS.parent / "studies/lebak-conditions.toml"
PAGES: dict[str, Lang] = {"discovery.md": "en", "discovery.id.md": "id"}
ASKED = {  # block -> condition, method; all under full-convergence
    "protected": ("difference:protected_in_time < 1500", "prim"),
    "prevalence": ("difference:prevalence >= -0.3", "prim"),
    "cost": ("cost_per_case_rp > 1e9", "tree"),
}
TARGET = "prevalence > 14"  # missed in every draw, so it is refused, and that is the answer
PICTURES = {  # name -> block, figure
    "discovery-draws": ("protected", "draws"),
    "discovery-trajectory": ("protected", "trajectory"),
    "discovery-tree": ("cost", "tree"),
    "discovery-robustness": ("robustness", "robustness"),
}
BLOCK = re.compile(r"(<!-- discovery: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def blocks(found: dict[str, Discovery], ranked: Robustness, refused: InputError, lang: Lang) -> dict[str, str]:
    """Blocks of the page by name; how to read them is told once, by hand."""
    made = {name: _body(discovery_page.blocks(each, lang)[:-1]) for name, each in found.items()}
    made["target"] = "".join(f"> `{line}`\n" for line in refused.lines(lang, typed=True))
    return made | {"robustness": _body(robustness_page.blocks(ranked, lang)[:3])}


def _body(told: list[Block]) -> str:
    return markdown("", told).partition("\n")[2].lstrip("\n").replace("## ", "#### ")


def fill(text: str, made: dict[str, str]) -> str:
    """The page with every block refreshed. Raises KeyError naming a block that nothing makes."""
    return BLOCK.sub(lambda found: f"{found[1]}{made[found[2]]}{found[4]}", text)


def draw(found: dict[str, Discovery], ranked: Robustness, folder: Path) -> None:
    """Small pictures in every language, scaled down from those of the command, where text was laid out to fit."""
    for lang in LANGUAGES:
        figures: dict[str, dict[str, Figure]] = {
            name: figures_discovery.figures(each, lang) for name, each in found.items()
        }
        figures["robustness"] = figures_robustness.figures(ranked, lang)
        for name, (block, figure) in PICTURES.items():
            save_small(figures[block][figure], folder / f"{name}.{lang}.png")


def told(done: int, planned: int) -> None:
    """Say every hundredth run how far it is."""
    if done % 100 == 0 or done == planned:
        sys.stderr.write(f"\r{done} of {planned} runs")
        sys.stderr.flush()


def refusal(store: Store) -> InputError:
    """What is said when every draw misses the target. Raises RuntimeError when some draw meets it."""
    try:
        discover(store, TARGET)
    except InputError as error:
        return error
    raise RuntimeError(f"some draws meet {TARGET!r} now: write docs/discovery.md anew")


def main(argv: Sequence[str] | None = None) -> int:
    """Run, then write pages and pictures; nothing is written when a block is unknown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/discovery-lebak"), help="folder of the runs")
    parser.add_argument("--store", type=Path, help="read this store of the study instead of running it")
    parser.add_argument("--pages", type=Path, default=DOCS, help="folder of the pages")
    parser.add_argument("--workers", type=int)
    asked = parser.parse_args(argv)
    if asked.store:
        store = Store.open(asked.store)
    else:
        store = run_study(load_study(STUDY), asked.out, workers=asked.workers, progress=told)
    found = {name: discover(store, where, method=method) for name, (where, method) in ASKED.items()}
    ranked = robustness(store, "prevalence")
    refused = refusal(store)
    texts = {asked.pages / name: lang for name, lang in PAGES.items()}
    new = {
        page: fill(page.read_text(encoding="utf-8"), blocks(found, ranked, refused, lang))
        for page, lang in texts.items()
    }
    (asked.pages / "pictures").mkdir(exist_ok=True)
    draw(found, ranked, asked.pages / "pictures")
    for page, text in new.items():
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
