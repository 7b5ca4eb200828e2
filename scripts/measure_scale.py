"""Times runs at 1:1 and refreshes docs/scale.md and docs/scale.id.md: python scripts/measure_scale.py [DISTRICT ...]

CPU seconds and peak memory of one baseline from 2018 to 2024 with every family, each district in a process of its own;
kept in calibration/scale.csv. CPU seconds, as other work on the machine moves them less than time on the clock.
--country runs all 514 districts so, over two processes, and keeps what that took in calibration/scale_country.csv; it
wants a machine with nothing else to do. --pages fills the pages from what is kept.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from make_forecasts import rows_of, shown
from make_results import fill

from konvergensi.base.words import Lang
from konvergensi.inputs.country import districts as country_districts
from konvergensi.inputs.country_profiles import profile_row
from konvergensi.inputs.districts import find_district
from konvergensi.model.convergence import ConvergenceModel

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / "calibration" / "scale.csv"
COUNTRY = ROOT / "calibration" / "scale_country.csv"
PAGES: dict[str, Lang] = {"scale.md": "en", "scale.id.md": "id"}
DISTRICTS = ("kota-banjar", "32.11")
COLUMNS = ["district", "families", "under_fives", "cpu_s", "peak_mb"]
CORES, AIM = 2, 4  # of the machine that the aim names, and the aim in minutes


def live(district: str) -> tuple[int, int, int, float]:
    """One run at 1:1 in this process: its number, under-fives at the end, families, and the process's peak in MB."""
    model = ConvergenceModel("baseline", district, 1, 1.0)
    while model.running:
        model.step()
    rows = model.world.children.window(model.world.month - 1, 0, 59)
    found = (rows.stop - rows.start, len(model.world.households))
    del model
    gc.collect()  # agents and model hold each other, and columns are no load that Python counts
    return os.getpid(), *found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def warm_up() -> None:
    """Read and compile what is needed once; what is there then is not looked through after each run."""
    ConvergenceModel("baseline", "kota-banjar", 1, 0.01, end="2018-02").step()
    gc.collect()
    gc.freeze()


def country() -> None:
    """All districts at 1:1, the largest first, over CORES processes; keep what it took."""
    codes = sorted(country_districts().index, key=lambda code: -float(profile_row(code)["families"]))
    peaks: dict[int, float] = {}
    children = families = 0
    began = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(CORES, warm_up) as pool:
        for n, (process, under_fives, homes, peak) in enumerate(pool.imap_unordered(live, codes), 1):
            peaks[process] = max(peak, peaks.get(process, 0.0))
            children, families = children + under_fives, families + homes
            print(f"\r{n} of {len(codes)}, {time.perf_counter() - began:.0f} s", end="", flush=True)
    minutes = (time.perf_counter() - began) / 60
    row = {"districts": len(codes), "families": families, "under_fives": children, "cores": CORES}
    row |= {"minutes": round(minutes, 2), "peak_mb": round(sum(peaks.values()))}  # type: ignore[dict-item]
    print(f"\n{row}")
    pd.DataFrame([row]).to_csv(COUNTRY, index=False, lineterminator="\n")


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

    def __init__(self, table: pd.DataFrame, whole: dict[str, float]) -> None:
        self.table, self.whole = table, whole
        self.slope, self.fixed = np.polyfit(table["under_fives"], table["cpu_s"], 1)

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
        """What the whole country took."""
        each, million = shown(self.fixed, lang, 1), shown(1e6 * self.slope, lang, 0)
        whole, met = self.whole, self.whole["minutes"] <= AIM
        minutes, memory = shown(whole["minutes"], lang, 1), shown(whole["peak_mb"] / 1024, lang, 1)
        children = shown(whole["under_fives"] / 1e6, lang, 1)
        families = shown(float(profile_row("32.01")["families"]) / 1e6, lang, 1)
        districts = f"{whole['districts']:.0f}"
        if lang == "en":
            aim = "reached" if met else "not reached"
            return (
                f"That is {each} s for a district and {million} s for a million under-fives. All {districts} districts "
                f"with {children} million under-fives at 1:1, one draw from 2018 to 2024, took {minutes} minutes on "
                f"{CORES} cores and {memory} GB (run, not reckoned; the aim of {AIM} minutes is {aim}). Each process "
                f"runs one district after the other, so its memory is that of the largest, Kabupaten Bogor with "
                f"{families} million families."
            )
        aim = "tercapai" if met else "belum tercapai"
        return (
            f"Artinya {each} detik untuk satu daerah dan {million} detik untuk sejuta balita. Seluruh {districts} "
            f"daerah dengan {children} juta balita pada 1:1, satu sampel dari 2018 sampai 2024, memerlukan {minutes} "
            f"menit pada {CORES} inti dan {memory} GB (dijalankan, bukan dihitung; sasaran {AIM} menit {aim}). "
            f"Setiap proses menyimulasikan daerah satu per satu, sehingga memorinya sebesar daerah terbesar, "
            f"Kabupaten Bogor dengan {families} juta keluarga."
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
    if "--country" in asked:
        country()
    elif "--pages" not in asked:
        rows = []
        for each in asked or DISTRICTS:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows.append(pool.apply(measure, (each,)))
            print(rows[-1], flush=True)
        pd.DataFrame(rows, columns=COLUMNS).to_csv(STORE, index=False, lineterminator="\n")
    blocks = Blocks(pd.read_csv(STORE), pd.read_csv(COUNTRY).to_dict("records")[0])  # type: ignore[arg-type]
    for name, lang in PAGES.items():
        path = ROOT / "docs" / name
        path.write_text(fill(path.read_text(encoding="utf-8"), blocks, lang), encoding="utf-8")  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
