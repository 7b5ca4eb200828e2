"""Refreshes docs/validation.md, docs/validation.id.md and their pictures: python scripts/make_validation.py

Reads the fitted draws and runs in calibration/fitted/ and makes every check of `konvergensi validate` for both
districts (Lebak's draws also predict Kota Banjar), then fills what stands between `<!-- results: NAME -->` and
`<!-- end results -->` in both pages with the method of that name in Blocks; the words around are written by hand. Only
the directions of barriers are simulated: a comparison with 20 fitted draws. About five minutes on two cores.
"""

from __future__ import annotations

import sys
from pathlib import Path

from make_results import fill
from small_pictures import save_small

import konvergensi as kv
from konvergensi.analyses.calibrate import read_calibration
from konvergensi.analyses.validate import Validation, validate
from konvergensi.base.words import LANGUAGES, Lang, number, percent, word
from konvergensi.report.blocks import Block, markdown
from konvergensi.report.figures_calibration import FIGURES, shown
from konvergensi.report.validation_page import PARTS, leads

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES: dict[str, Lang] = {"validation.md": "en", "validation.id.md": "id"}
# closing a gap, what the barriers say it does (evidence/barriers.csv), which direction that is
DIRECTIONS = (
    ("close-socialization", "validation.direction.told", "protected_in_time", 1),
    ("close-socialization", "validation.direction.integrated", "integration_index", 1),
    ("close-data", "validation.direction.found", "protected_in_time", 1),
    ("close-timing", "validation.direction.planned", "budgeted_rp", 1),
    ("full-convergence", "validation.direction.fewer", "prevalence", -1),
)
COMPARED = {"draws": 20, "seeds": 2, "population_share": 0.05}


class Blocks:
    """A method for each block of the pages."""

    def __init__(self, lebak: Validation, banjar: Validation, compared: kv.Comparison) -> None:
        self.found = {"lebak": lebak, "banjar": banjar}
        self.compared = compared

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        """`lebak_fall` and the like: a part of a district's page."""
        district, _, part = name.partition("_")
        if district not in ("lebak", "banjar") or part not in (*PARTS, "lead"):
            raise AttributeError(name)
        return lambda lang: self.part(self.found[district], part, lang)

    @staticmethod
    def part(found: Validation, part: str, lang: Lang) -> str:
        """A part without its heading."""
        block = Block(sentences=leads(found, lang)) if part == "lead" else PARTS[part](found, lang)
        block.heading = ""
        return markdown("", [block]).removeprefix("# ").strip()

    def stamp(self, lang: Lang) -> str:
        """What was fitted, when the mechanisms were which."""
        of = [self.found[district].fitted for district in ("lebak", "banjar")]
        told = "; ".join(
            word(
                "validation.stamp", lang, district=each["district_name"], runs=number(each["runs"], lang),
                minutes=number(each["wall_time_s"] / 60, lang), model=each["hashes"]["model"][:12],
                left=percent(each["left_of_prior"][-1], lang),
            )
            for each in of
        )  # fmt: skip
        return f"konvergensi {of[0]['version']}. {told}."

    def directions(self, lang: Lang) -> str:
        """Barriers' directions over fitted draws."""
        runs = self.compared.runs
        rows: list[tuple[str, ...]] = []
        for scenario, barrier, measure, direction in DIRECTIONS:
            own = runs[runs["measure"] == measure]
            last = own[own["month"] == own["month"].max()]
            wide = last.pivot_table(index=["draw", "seed"], columns="policy", values="value")
            moved = direction * (wide[scenario] - wide["baseline"])
            by_draw = moved.groupby("draw").mean()
            share = percent(float((by_draw > 0).mean()), lang, 0)
            rows.append((f"`{scenario}`", word(barrier, lang), f"`{measure}`", share))
        columns = tuple(word(f"validation.column.{name}", lang) for name in ("closed", "barriers", "measure", "agree"))
        return markdown("", [Block(columns=columns, rows=rows)]).removeprefix("# ").strip()


def draw(found: Validation, district: str) -> None:
    """Pictures in every language, as small as the pages need them."""
    for name in shown(found):
        for lang in LANGUAGES:
            save_small(FIGURES[name](found, lang), DOCS / "pictures" / f"validation-{district}-{name}.{lang}.png")


def main() -> int:
    """Check both districts, then write pictures and pages; nothing is written when a block is unknown."""
    lebak, banjar = read_calibration("lebak"), read_calibration("kota-banjar")
    found = {"lebak": validate(lebak), "banjar": validate(banjar, other=lebak)}
    scenarios = list(dict.fromkeys(["baseline", *(each[0] for each in DIRECTIONS)]))
    compared = kv.compare(scenarios, district="lebak", **COMPARED)  # type: ignore[arg-type]
    blocks = Blocks(found["lebak"], found["banjar"], compared)
    new = {
        page: fill((DOCS / page).read_text(encoding="utf-8"), blocks, lang)  # type: ignore[arg-type]
        for page, lang in PAGES.items()
    }
    for district, each in found.items():
        draw(each, district)
    for page, text in new.items():
        (DOCS / page).write_text(text, encoding="utf-8")
        print(f"refreshed docs/{page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
