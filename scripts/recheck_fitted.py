"""Do the fitted draws still belong to this model? python scripts/recheck_fitted.py [DRAWS]

Any change of the model's files makes `compare` say that the draws were fitted under other ones, also one that moves
nothing. This lives DRAWS draws of each district again (default 8). Where every observable comes out as it did, the
hash in the manifest becomes that of the present model, and `rechecked` says so; where one does not, nothing is written
and the exit code is 1: calibrate again (`konvergensi calibrate DISTRICT`).
"""

import json
import sys

from konvergensi.analyses.calibrate import read_calibration
from konvergensi.analyses.recheck import differing
from konvergensi.base.versions import git_commit
from konvergensi.inputs.districts import find_district
from konvergensi.results.fitted import fitted_files, fitted_root, model_hash


def main(draws: int) -> int:
    """Recheck every district that has fitted draws; 0 when all belong."""
    moved = 0
    for path in sorted(fitted_root().glob("*.json")):
        calibration = read_calibration(path.stem)
        found = differing(calibration, range(1, draws + 1))
        for line in found:
            print(f"{path.stem}: {line}")
        moved += bool(found)
        if found:
            continue
        now = {"model": model_hash(), "district": find_district(path.stem).hashes}
        checked = {"draws": draws, "git_commit": git_commit()}
        manifest = calibration.manifest | {"hashes": calibration.manifest["hashes"] | now, "rechecked": checked}
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        fitted_files(fitted_root(), path.stem).manifest.write_text(text, encoding="utf-8")
        print(f"{path.stem}: {draws} draws simulated again, all as they were")
    return min(moved, 1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8))
