"""Refreshes the numbers of docs/validation.md and its pictures: python docs/make_validation.py

Reads the fitted draws and runs in calibration/fitted/ and makes every check of `konvergensi validate` for both
districts (Lebak's draws also predict Kota Banjar), then fills what stands between `<!-- results: NAME -->` and
`<!-- end results -->` with the method of that name in Blocks. Only the directions of barriers are simulated: a
comparison with 20 fitted draws. About five minutes on two cores.
"""

from __future__ import annotations

import sys
from pathlib import Path

from make_results import fill
from small_pictures import save_small

import konvergensi as kv
from konvergensi.calibration.calibrate import read_calibration
from konvergensi.calibration.validation import Validation, validate
from konvergensi.report.blocks import Block, markdown
from konvergensi.report.figures_calibration import FIGURES, shown
from konvergensi.report.validation_page import PARTS, leads
from konvergensi.report.words import LANGUAGES, Lang

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "validation.md"
PICTURES = ROOT / "docs" / "pictures"
# closing a gap, what the barriers say it does (evidence/barriers.csv), which direction that is
DIRECTIONS = (
    ("close-socialization", "B02, B04: who is told acts; caregivers learn", "protected_in_time", 1),
    ("close-socialization", "B02, B31: agencies integrate more", "integration_index", 1),
    ("close-data", "B09, B34: the missed are found", "protected_in_time", 1),
    ("close-timing", "B22: plans in time find money", "budgeted_rp", 1),
    ("full-convergence", "all: fewer children stunted", "prevalence", -1),
)
COMPARED = {"draws": 20, "seeds": 2, "population_share": 0.05}


class Blocks:
    """A method for each block of the page."""

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
        of = self.found["lebak"].calibration.manifest, self.found["banjar"].calibration.manifest
        told = "; ".join(
            f"{each['district_name']}: {each['runs']:,} runs, {each['wall_time_s'] / 60:.0f} minutes, model "
            f"`{each['hashes']['model'][:12]}`, {each['left_of_prior'][-1]:.1%} of the prior left"
            for each in of
        )
        return f"konvergensi {of[0]['version']}. {told}."

    def directions(self, lang: Lang) -> str:
        """Barriers' directions over fitted draws."""
        runs = self.compared.runs
        rows: list[tuple[str, ...]] = []
        for scenario, barrier, measure, direction in DIRECTIONS:
            own = runs[runs["measure"] == measure]
            last = own[own["month"] == own["month"].max()]
            wide = last.pivot_table(index=["draw", "seed"], columns="scenario", values="value")
            moved = direction * (wide[scenario] - wide["baseline"])
            by_draw = moved.groupby("draw").mean()
            rows.append((f"`{scenario}`", barrier, f"`{measure}`", f"{(by_draw > 0).mean():.0%}"))
        columns = ("closed", "barriers say", "measure", "draws in which it is so")
        return markdown("", [Block(columns=columns, rows=rows)]).removeprefix("# ").strip()


def draw(found: Validation, district: str) -> None:
    """Pictures in every language, as small as the page needs them."""
    for name in shown(found):
        for lang in LANGUAGES:
            save_small(FIGURES[name](found, lang), PICTURES / f"validation-{district}-{name}.{lang}.png")


def main() -> int:
    """Check both districts, then write pictures and page; nothing is written when a block is unknown."""
    lebak, banjar = read_calibration("lebak"), read_calibration("kota-banjar")
    found = {"lebak": validate(lebak), "banjar": validate(banjar, other=lebak)}
    scenarios = list(dict.fromkeys(["baseline", *(each[0] for each in DIRECTIONS)]))
    compared = kv.compare(scenarios, district="lebak", **COMPARED)  # type: ignore[arg-type]
    blocks = Blocks(found["lebak"], found["banjar"], compared)
    text = fill(PAGE.read_text(encoding="utf-8"), blocks, "en")  # type: ignore[arg-type]
    for district, each in found.items():
        draw(each, district)
    PAGE.write_text(text, encoding="utf-8")
    print(f"refreshed {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
