"""Refreshes docs/results.md, results.id.md, both READMEs and docs/pictures/: python scripts/make_results.py

Runs the shipped policies on the whole of Kabupaten Lebak (seed 1, and 2 and 3 for the spread), then fills what stands
between `<!-- results: NAME -->` and `<!-- end results -->` in those files with the method of that name in
results_blocks.py. Also closes the three gaps (konvergensi.gaps) and asks the virtual questionnaire
(compare_questionnaire.py). Words without numbers are written in the files, by hand. The same code and inputs give the
same files. About four minutes on two cores.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from compare_questionnaire import ask, compare
from results_blocks import JOBS, ROOT, Job, Results
from small_pictures import save_small

import konvergensi as kv
from konvergensi.base.words import LANGUAGES, Lang

FILES: dict[str, Lang] = {"docs/results.md": "en", "docs/results.id.md": "id", "README.md": "en", "README.id.md": "id"}
PICTURES = ("prevalence", "cascade", "network")
BLOCK = re.compile(r"(<!-- results: ([a-z-]+) -->)(.*?)(<!-- end results -->)", re.DOTALL)


def simulate(jobs: Iterable[Job]) -> dict[Job, kv.Run]:
    """Run the jobs, on at most two processors."""
    jobs = list(jobs)
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return dict(zip(jobs, pool.map(Job.run, jobs), strict=True))


def fill(text: str, results: Results, lang: Lang) -> str:
    """The text with every block refreshed; a block that began on its own line stays on lines of its own.

    Raises: KeyError naming a block that results_blocks.py does not have.
    """

    def block(found: re.Match[str]) -> str:
        make = getattr(results, found[2].replace("-", "_"), None)
        if make is None:
            raise KeyError(f"no block {found[2]!r} in scripts/results_blocks.py")
        edge = "\n" if found[3].startswith("\n") else ""
        return f"{found[1]}{edge}{make(lang)}{edge}{found[4]}"

    return BLOCK.sub(block, text)


def fill_pages(folder: Path, pages: Mapping[str, Lang], results: Any) -> None:
    """Refresh the blocks of these pages of a folder, in the language of each. Raises KeyError as `fill`."""
    for name, lang in pages.items():
        path = folder / name
        path.write_text(fill(path.read_text(encoding="utf-8"), results, lang), encoding="utf-8")


def draw(run: kv.Run, folder: Path) -> None:
    """Small pictures in every language, scaled down from those of a run, where the text has been laid out to fit."""
    folder.mkdir(exist_ok=True)
    for name in PICTURES:
        for lang in LANGUAGES:
            save_small(run.plot(name, lang), folder / f"{name}.{lang}.png")


def main() -> int:
    """Simulate, then write the pictures and the files; nothing is written when a block is unknown."""
    results = Results(simulate(JOBS), kv.gaps("lebak", population_share=0.2), compare(ask()))
    new = {name: fill((ROOT / name).read_text(encoding="utf-8"), results, lang) for name, lang in FILES.items()}
    draw(results.of("baseline"), ROOT / "docs/pictures")
    for name, text in new.items():
        (ROOT / name).write_text(text, encoding="utf-8")
        print(f"refreshed {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
