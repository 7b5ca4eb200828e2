"""Refreshes docs/sensitivity.md, docs/sensitivity.id.md and their pictures: python scripts/make_sensitivity.py

Which uncertain numbers move prevalence in Kabupaten Lebak in December 2024, which move the gain from full convergence,
and what lies under the noise floor. Two looks at studies/lebak-uncertain.toml: Morris screening of every uncertain
parameter, then Sobol indices of those that came first, with all others in two groups by grade of evidence. Fills what
stands between `<!-- sensitivity: NAME -->` and `<!-- end -->`; the words around are written by hand.

Runs are kept in --out: stopped halfway, the same command goes on. About an hour and a half on two cores; more
trajectories, base points or families (and a new --out) narrow what is said.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from small_pictures import save_small

from konvergensi.analyses.sensitivity import sensitivity
from konvergensi.base.words import LANGUAGES, Lang
from konvergensi.report.blocks import Block, markdown
from konvergensi.report.figures_sensitivity import file_name
from konvergensi.report.sensitivity_page import done_block, heat_block, output_block, settled_block
from konvergensi.results.sensitivity import Sensitivity
from konvergensi.studies.study import Study, parameters_for
from konvergensi.studies.study_file import load_study

DOCS = Path(__file__).resolve().parents[1] / "docs"
STUDY = DOCS.parent / "studies/lebak-uncertain.toml"
PAGES: dict[str, Lang] = {"sensitivity.md": "en", "sensitivity.id.md": "id"}
LEVEL, GAIN = "prevalence@baseline", "difference:prevalence@full-convergence"
PACKAGE = "difference:complete_package_share@full-convergence"
BLOCK = re.compile(r"(<!-- sensitivity: ([a-z-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def pictures() -> dict[str, tuple[str, str]]:
    """Name of each picture -> of which look, which figure."""
    level, gain = (f"what-moves-{file_name(output)}" for output in (LEVEL, GAIN))
    return {
        "sensitivity-prevalence": ("screen", level),
        "sensitivity-gain": ("screen", gain),
        "sensitivity-shares": ("shares", gain),
        "sensitivity-heat": ("shares", "assumption-heat"),
    }


def screen(study: Study, asked: argparse.Namespace) -> Sensitivity:
    """Morris over every uncertain parameter, each by itself."""
    out, draws = asked.out, asked.trajectories
    return sensitivity(
        study, "morris", out=out, output=(LEVEL, GAIN, PACKAGE), draws=draws, workers=asked.workers, progress=told
    )


def shares(study: Study, screened: Sensitivity, asked: argparse.Namespace) -> Sensitivity:
    """Sobol indices of what came first for prevalence and for the gain; all others are two groups, by grade."""
    first = [unit for output in (LEVEL, GAIN) for unit in screened.ranked(output)["unit"].head(asked.top)]
    known = parameters_for(study)

    def group(key: str) -> str:
        rest = "rest_assumed" if known[key].grade == "assumption" else "rest_better"
        return "" if key in first else rest

    factors = tuple(replace(factor, group=group(factor.key)) for factor in study.factors)
    grouped = replace(study, factors=factors)
    out, draws = asked.out, asked.base
    return sensitivity(
        grouped, "sobol", out=out, output=(LEVEL, GAIN, PACKAGE), draws=draws, workers=asked.workers, progress=told
    )


def told(done: int, planned: int) -> None:
    """Say every hundredth run how far it is."""
    if done % 100 == 0 or done == planned:
        sys.stderr.write(f"\r{done} of {planned} runs")
        sys.stderr.flush()


def blocks(looks: dict[str, Sensitivity], lang: Lang) -> dict[str, list[Block]]:
    """Blocks of the page by name."""
    first, second = looks["screen"], looks["shares"]
    return {
        "screen": [done_block(first, lang)],
        "prevalence": [output_block(first, LEVEL, lang, whole=True)],
        "gain": [output_block(first, GAIN, lang, whole=True)],
        "package": [output_block(first, PACKAGE, lang, whole=True)],
        "settled": [settled_block(first, output, lang) for output in (LEVEL, GAIN)],
        "shares": [
            done_block(second, lang),
            *(output_block(second, output, lang, whole=True) for output in (LEVEL, GAIN, PACKAGE)),
        ],
        "shares-settled": [settled_block(second, output, lang) for output in (LEVEL, GAIN)],
        "heat": [heat_block(second, lang)],
    }


def fill(text: str, made: dict[str, list[Block]]) -> str:
    """The page with every block refreshed. Raises KeyError naming a block that nothing makes."""

    def refreshed(found: re.Match[str]) -> str:
        if found[2] not in made:
            raise KeyError(f"no block {found[2]!r} in {Path(__file__).name}")
        body = markdown("", made[found[2]]).partition("\n")[2].lstrip("\n")
        return f"{found[1]}{body.replace('## ', '### ')}{found[4]}"

    return BLOCK.sub(refreshed, text)


def draw(looks: dict[str, Sensitivity], folder: Path) -> None:
    """Small pictures in every language, scaled down from those of the command, where text was laid out to fit."""
    for name, (look, figure_name) in pictures().items():
        for lang in LANGUAGES:
            save_small(looks[look].plot(figure_name, lang), folder / f"{name}.{lang}.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run, then write pages and pictures; nothing is written when a block is unknown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/sensitivity-lebak"), help="folder of runs and results")
    parser.add_argument("--pages", type=Path, default=DOCS, help="folder of the pages")
    parser.add_argument("--trajectories", type=int, default=8, help="of Morris")
    parser.add_argument("--base", type=int, default=128, help="base points of Sobol, a power of two")
    parser.add_argument("--top", type=int, default=4, help="parameters of each output that Sobol looks at one by one")
    parser.add_argument("--population-share", type=float, default=0.1, help="share of the families")
    parser.add_argument("--end", help="last month, for a trial")
    parser.add_argument("--workers", type=int)
    asked = parser.parse_args(argv)
    changed = {"population_share": asked.population_share, "end": asked.end}
    study = replace(load_study(STUDY), **{name: value for name, value in changed.items() if value is not None})
    screened = screen(study, asked)
    looks = {"screen": screened, "shares": shares(study, screened, asked)}
    for name, look in looks.items():
        look.save(asked.out / name, command="python scripts/make_sensitivity.py")
    texts = {asked.pages / name: lang for name, lang in PAGES.items()}
    new = {page: fill(page.read_text(encoding="utf-8"), blocks(looks, lang)) for page, lang in texts.items()}
    (asked.pages / "pictures").mkdir(exist_ok=True)
    draw(looks, asked.pages / "pictures")
    for page, text in new.items():
        page.write_text(text, encoding="utf-8")
        print(f"refreshed {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
