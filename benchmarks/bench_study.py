"""How well do studies use the machine? python benchmarks/bench_study.py [RUNS]

Runs a Sobol study of Lebak at population share 0.02 (RUNS runs, baseline and full-convergence, every uncertain number)
with one worker process and with two, and prints runs per second, the share of the time in which workers were living
runs, and what the second worker adds; then what a run costs beyond the model: cells simulated as a study does against
their bare lives. Limits: efficiency 0.85 on two cores or more that nothing else uses, 30 ms a run. Starting the
processes is not part of the rate.
"""

from __future__ import annotations

import itertools
import pickle
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from konvergensi.methods.designs import Design
from konvergensi.model.branch import branches
from konvergensi.studies.cells import Cell, values_of, work_of
from konvergensi.studies.engines import cores, processes
from konvergensi.studies.study import Study
from konvergensi.studies.study_file import load_study
from konvergensi.studies.writing import writing

STUDY = Path(__file__).resolve().parents[1] / "studies" / "lebak-uncertain.toml"
LIMIT_EFFICIENCY, LIMIT_OVERHEAD_MS = 0.85, 30.0
CELLS = 20  # of which the overhead is told


def study_of(runs: int) -> Study:
    """The example study of Lebak, as long as this."""
    study = replace(load_study(STUDY), seeds=(1,))
    return replace(study, design=Design("sobol", max(runs // len(study.scenarios), 1)))


def rate(study: Study, workers: int, folder: Path) -> tuple[float, float]:
    """Runs per second, put away in a store, and the share of the time in which the workers were living runs.

    Both from the moment every worker has finished two cells. The share says whether workers wait for the driver, also
    on a machine that has other things to do.
    """
    with writing(folder, study) as writer:
        work = work_of(study, writer.identity)
        done, began, simulated_s = 0, 0.0, 0.0
        for cell, simulated in processes(work, writer.waiting(), workers, ahead=workers):
            writer.add(cell, simulated)
            done += 1
            if done > 2 * workers:
                simulated_s += sum(each.wall_s for each in simulated)
            elif done == 2 * workers:
                began = time.perf_counter()
        writer.flush()
        seconds = time.perf_counter() - began
    return (done - 2 * workers) * len(study.scenarios) / seconds, simulated_s / (workers * seconds)


def overhead_ms(study: Study, folder: Path) -> float:
    """Milliseconds of processor time a run of a study costs beyond living it, median over cells.

    Counted: its values, its outcome, the way to a worker and back, its place in the store. Each cell is simulated bare
    and as the study does, in turn, so that a machine that slows down slows both.
    """
    with writing(folder, study) as writer:
        work = work_of(study, writer.identity)
        cells = list(itertools.islice(writer.waiting(), CELLS + 1))
        work(cells.pop())  # the first of a process pays for imports and for looking at the code

        def bare(cell: Cell) -> None:
            span = (study.population_share, study.start, study.end)
            for _ in branches(study.scenarios, study.districts[0], cell.seed, *span, values_of(study, cell)):
                pass

        def whole(cell: Cell) -> None:
            sent_work, sent_cell = pickle.loads(pickle.dumps((work, cell)))
            writer.add(cell, pickle.loads(pickle.dumps(sent_work(sent_cell))))

        more = []
        for number, cell in enumerate(cells):
            spent = {}
            for way in (bare, whole) if number % 2 else (whole, bare):  # whoever is second finds things warm
                began = time.process_time()
                way(cell)
                spent[way] = time.process_time() - began
            more.append(spent[whole] - spent[bare])
        began = time.process_time()
        writer.flush()
        shard = (time.process_time() - began) / CELLS
    return 1000.0 * (statistics.median(more) + shard) / len(study.scenarios)


def main(runs: int) -> int:
    """Print rates, efficiency and overhead; 0 when the limits are kept."""
    study = study_of(runs)
    with tempfile.TemporaryDirectory() as folder:
        found = {workers: rate(study, workers, Path(folder) / str(workers)) for workers in (1, 2)}
        overhead = overhead_ms(study, Path(folder) / "overhead")
    efficiency = found[2][0] / (2 * found[1][0])
    print(
        f"study of {study.runs} runs, {len(study.factors)} factors, share {study.population_share:g}, {cores()} cores"
    )
    for workers, (per_second, busy) in found.items():
        minutes = 2000 / per_second / 60
        print(
            f"  {workers} workers  {per_second:6.2f} runs/s   {minutes:6.1f} minutes for 2,000 runs   busy {busy:.0%}"
        )
    print(f"scaling efficiency, one to two workers: {efficiency:.2f}   (limit {LIMIT_EFFICIENCY:g}, on idle cores)")
    print(f"overhead a run beyond the model: {overhead:.1f} ms   (limit {LIMIT_OVERHEAD_MS:g})")
    return 0 if (efficiency >= LIMIT_EFFICIENCY or cores() < 2) and overhead <= LIMIT_OVERHEAD_MS else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
