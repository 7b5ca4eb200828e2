"""Times runs at 1:1 and refreshes docs/scale.md and docs/scale.id.md: python scripts/measure_scale.py [DISTRICT ...]

CPU seconds and peak memory of one baseline from 2018 to 2024 with every family, each district in a process of its own;
kept in calibration/scale.csv. CPU seconds, as other work on the machine moves them less than time on the clock. --pages
fills the pages from what is kept.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from make_forecasts import rows_of, shown
from make_results import fill

from konvergensi.base.words import Lang
from konvergensi.inputs.country_profiles import profile_row
from konvergensi.inputs.districts import find_district
from konvergensi.model.convergence import ConvergenceModel

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / "calibration" / "scale.csv"
PAGES: dict[str, Lang] = {"scale.md": "en", "scale.id.md": "id"}
DISTRICTS = ("kota-banjar", "32.11")
COLUMNS = ["district", "families", "under_fives", "cpu_s", "peak_mb"]
UNDER_FIVES, CORES, AIM = 23e6, 2, 4  # of the nation, of the machine that the aim names, and the aim in minutes


def measure(district: str) -> tuple[str, int, int, float, float]:
    """One run at 1:1, after a small one that reads and compiles what is needed once."""
    ConvergenceModel("baseline", district, 1, 0.01, end="2018-02").step()
    began = time.process_time()
    model = ConvergenceModel("baseline", district, 1, 1.0)
    while model.running:
        model.step()
    spent = time.process_time() - began
    rows = model.world.children.window(model.world.month - 1, 0, 59)
    families = int(find_district(district).villages["families"].sum())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return district, families, rows.stop - rows.start, round(spent, 2), round(peak, 0)


class Blocks:
    """A method for each block of the pages."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self.slope, self.fixed = np.polyfit(table["under_fives"], table["cpu_s"], 1)
        self.minutes = (514 * self.fixed + UNDER_FIVES * self.slope) / 60

    def measured(self, lang: Lang) -> str:
        """The table of what was measured."""
        heads = {
            "en": ["district", "families", "under-fives", "CPU seconds", "peak memory, MB"],
            "id": ["daerah", "keluarga", "balita", "detik CPU", "memori puncak, MB"],
        }
        lines = [heads[lang]]
        for row in self.table.to_dict("records"):
            name = find_district(str(row["district"])).name
            lines.append([
                name, shown(row["families"], lang, 0), shown(row["under_fives"], lang, 0), shown(row["cpu_s"], lang, 1),
                shown(row["peak_mb"], lang, 0),
            ])  # fmt: skip
        return rows_of(lines)

    def told(self, lang: Lang) -> str:
        """What that comes to for the whole country."""
        each, million = shown(self.fixed, lang, 1), shown(1e6 * self.slope, lang, 0)
        cpu, clock = shown(self.minutes, lang, 0), shown(self.minutes / CORES, lang, 0)
        families = shown(float(profile_row("32.01")["families"]) / 1e6, lang, 1)
        met = self.minutes / CORES <= AIM
        if lang == "en":
            aim = "reached" if met else "not reached"
            return (
                f"That is {each} s for a district and {million} s for a million under-fives: 514 districts and 23 "
                f"million under-fives at 1:1, one draw, would take {cpu} CPU minutes, {clock} minutes on two cores "
                f"(reckoned, not run; the aim of {AIM} minutes is {aim}). Districts are run one after the other, "
                f"so memory is that of the largest, Kabupaten Bogor with {families} million families."
            )
        aim = "tercapai" if met else "belum tercapai"
        return (
            f"Artinya {each} detik untuk satu daerah dan {million} detik untuk sejuta balita: 514 daerah dan 23 juta "
            f"balita pada 1:1, satu sampel, memerlukan {cpu} menit CPU, {clock} menit pada dua inti (dihitung, tidak "
            f"dijalankan; sasaran {AIM} menit {aim}). Daerah disimulasikan satu per satu, sehingga memorinya sebesar "
            f"daerah terbesar, Kabupaten Bogor dengan {families} juta keluarga."
        )

    def study(self, lang: Lang) -> str:
        """A study of 514 districts x 100 draws at 4,000 families."""
        seconds = 514 * 100 * self.fixed
        hours, cluster = shown(seconds / 3600 / CORES, lang, 1), shown(seconds / 60 / 64, lang, 0)
        if lang == "en":
            what = "514 districts × 100 draws at 4,000 families: about"
            return f"{what} {hours} hours on two cores, {cluster} minutes on 64."
        what = "514 daerah × 100 sampel dengan 4.000 keluarga: sekitar"
        return f"{what} {hours} jam pada dua inti, {cluster} menit pada 64."


def main(asked: list[str]) -> int:
    """Measure and fill the pages."""
    if "--pages" not in asked:
        rows = []
        for each in asked or DISTRICTS:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows.append(pool.apply(measure, (each,)))
            print(rows[-1], flush=True)
        pd.DataFrame(rows, columns=COLUMNS).to_csv(STORE, index=False, lineterminator="\n")
    blocks = Blocks(pd.read_csv(STORE))
    for name, lang in PAGES.items():
        path = ROOT / "docs" / name
        path.write_text(fill(path.read_text(encoding="utf-8"), blocks, lang), encoding="utf-8")  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
