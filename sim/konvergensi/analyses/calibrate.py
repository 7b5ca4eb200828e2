"""Calibrate: waves of history matching, the posterior inside what is left, and the runs that check both.

Stages, each a store under the folder of the calibration, so that one that was stopped goes on where it was:

1. `wave-1`: Sobol points over the prior; `wave-2`, ...: points that the emulators of all waves before do not rule out.
2. `posterior`: draws of the posterior on these emulators, simulated with other seeds. The emulators are fitted again
   with them, and the draws weighted from the first posterior to the second.
3. `truths`: points of the prior that no emulator sees, simulated with one more seed: synthetic data with a known truth.
4. `structure-...`: points of the last wave under another structure of the model.

Everything drawn comes from the study's seed, and emulators are fitted in this process: nothing depends on the workers.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.analyses.calibration import (
    POSTERIOR,
    TRUTHS,
    Analysis,
    Corrected,
    chosen,
    corrected,
    structure_stage,
    wave,
)
from konvergensi.analyses.calibration_runs import Progress, Simulator
from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import read_bytes
from konvergensi.base.folders import claimed, read_json
from konvergensi.base.version import __version__
from konvergensi.base.versions import git_commit, package_versions
from konvergensi.inputs.arguments import kind_of, public
from konvergensi.inputs.calibration_study import CalibrationStudy, load_calibration
from konvergensi.inputs.districts import find_district
from konvergensi.methods.matching import sobol_points
from konvergensi.methods.posterior import Posterior
from konvergensi.model.identity import model_hash
from konvergensi.results.calibration import Calibration
from konvergensi.results.fitted import fitted_files, fitted_root
from konvergensi.studies.writing import refuse_foreign

OTHER_SEEDS = 100  # what is simulated to check is simulated with seeds that no emulator saw
TRUTH_SEED = 90
TRUTH_POINTS = 50  # Sobol series of the truths, apart from that of the first wave


def planned_runs(study: CalibrationStudy) -> int:
    """How many runs a calibration makes."""
    file = study.file
    paired = file.waves * file.points + file.draws + sum(each.points for each in file.structure)
    return paired * file.seeds + file.truths


@public(study=kind_of("a_calibration_study", CalibrationStudy))
def calibrate(
    study: CalibrationStudy | str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Calibrate a district; resumes what `out` holds.

    Parameters: study, a calibration study, the name of a shipped one, or its file; out, a folder for the runs; workers,
    cluster and progress as in `run_study`. Raises InputError when nothing is left of the prior.
    """
    began = time.perf_counter()
    study = study if isinstance(study, CalibrationStudy) else load_calibration(study)
    file, space = study.file, study.space
    claimed(Path(out))
    structures = [structure_stage(each) for each in file.structure if each.points]
    for stage in (*stages_of(study), POSTERIOR, TRUTHS, *structures):
        refuse_foreign(Path(out) / stage)  # now, not after the stages before it
    simulator = Simulator(study, Path(out), workers, cluster, progress, planned_runs(study))
    seeds = tuple(range(1, file.seeds + 1))
    runs, left = _waves(simulator, seeds)
    first = Analysis(study, runs, stages_of(study))
    posterior = first.posterior()
    unit = chosen(posterior, file.draws)
    simulated = simulator.run(POSTERIOR, unit, tuple(OTHER_SEEDS + seed for seed in seeds))
    runs = pd.concat([runs, simulated], ignore_index=True)
    second = Analysis(study, runs, (*stages_of(study), POSTERIOR))
    weighted = corrected(first.likelihood, second.likelihood, unit)
    extra = []
    if file.truths:
        truths = sobol_points(file.truths, len(space), file.seed + TRUTH_POINTS)
        extra.append(simulator.run(TRUTHS, truths, (TRUTH_SEED,)))
    for structure in file.structure:
        if structure.points:
            last = runs[runs["stage"] == wave(file.waves)]
            points = space.unit(last.groupby("draw")[list(space.keys)].first().to_numpy(float)[: structure.points])
            extra.append(simulator.run(structure_stage(structure), points, seeds, study.settings(structure)))
    runs = pd.concat([runs, *extra], ignore_index=True)
    draws = space.table(unit)
    draws.insert(0, "weight", weighted.weights)
    draws.insert(0, "draw", np.arange(1, len(draws) + 1))
    manifest = _manifest(second, posterior, weighted, left, time.perf_counter() - began)
    return Calibration(study, runs, draws, manifest)


def stages_of(study: CalibrationStudy) -> tuple[str, ...]:
    """Stages of the waves."""
    return tuple(wave(number) for number in range(1, study.file.waves + 1))


def _waves(simulator: Simulator, seeds: tuple[int, ...]) -> tuple[pd.DataFrame, list[float]]:
    """Runs of all waves, and the share of the prior left before each."""
    study = simulator.study
    file = study.file
    unit, share = sobol_points(file.points, len(study.space), file.seed), 1.0
    left, parts = [share], []
    for number in range(1, file.waves + 1):
        parts.append(simulator.run(wave(number), unit, seeds))
        if number < file.waves:
            analysis = Analysis(study, pd.concat(parts, ignore_index=True), stages_of(study)[:number])
            unit, share = analysis.next_wave(number)
            left.append(share)
    return pd.concat(parts, ignore_index=True), left


def _manifest(
    analysis: Analysis, posterior: Posterior, weighted: Corrected, left: list[float], wall_time_s: float
) -> dict[str, Any]:
    study = analysis.study
    file = study.file
    emulators = [
        {"output": one.name, "explained": round(one.explained, 4), "left_out_sd": one.left_out_var**0.5,
         "seed_sd": float(seed_var) ** 0.5}
        for one, seed_var in zip(analysis.emulators.each, analysis.emulators.seed_var)
    ]  # fmt: skip
    return {
        "version": __version__,
        "git_commit": git_commit(),
        "study": study.id,
        "title": {"en": file.title.en, "id": file.title.id},
        "district": study.place.id,
        "district_name": study.place.name,
        "synthetic_inputs": list(study.place.synthetic),
        "start": file.start,
        "end": file.end,
        "population_share": file.population_share,
        "seeds": file.seeds,
        "free": list(study.space.keys),
        "targets": len(study.targets),
        "runs": planned_runs(study),
        "hashes": {"model": model_hash(), "district": study.place.hashes, **study.hashes},
        "packages": package_versions(),
        "left_of_prior": [*left, posterior.left_share],
        "powers": list(posterior.powers),
        "accepted": list(posterior.accepted),
        "log_evidence": posterior.log_evidence,
        "effective_share": weighted.effective,
        "emulators": emulators,
        "wall_time_s": round(wall_time_s, 1),
    }


def read_calibration(district: str, folder: Path | None = None, study: str | Path | None = None) -> Calibration:
    """Read what `Calibration.save` wrote for a district.

    Parameters: folder, None for the fitted draws that come with the package; study, None for the shipped one of the
    name that the draws were fitted under. Raises InputError when there are none for the district.
    """
    folder = folder or fitted_root()
    place = find_district(district)
    there = sorted(path.stem for path in folder.glob("*.json"))
    if place.id not in there:
        raise InputError(fault(folder, "", "no_fitted", value=place.id, choices=", ".join(there) or "-"))
    files = fitted_files(folder, place.id)
    try:
        manifest = read_json(files.manifest)
        runs, draws = (pd.read_parquet(io.BytesIO(read_bytes(each))) for each in (files.runs, files.draws))
        named = study or manifest["study"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(fault(files.manifest, "", "unreadable", reason=error)) from None
    return Calibration(load_calibration(named), runs=runs, draws=draws, manifest=manifest)
