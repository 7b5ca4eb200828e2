"""What every manifest says of how a result was made: version, district, inputs by hash, packages, time."""

from __future__ import annotations

from typing import Any

from konvergensi.analyses.budget_lines import own_money
from konvergensi.base.version import __version__
from konvergensi.base.versions import git_commit, package_versions
from konvergensi.inputs.districts import District
from konvergensi.inputs.extensions import as_data as extensions_in_force
from konvergensi.inputs.parameters import parameter_hashes


def made_from(place: District, scenario_hashes: dict[str, Any], wall_time_s: float) -> dict[str, Any]:
    """The entries that runs, comparisons, gaps and explanations share.

    Parameters: scenario_hashes, SHA-256 of the scenarios' files, by file name or by scenario and file name.
    """
    return {
        "version": __version__,
        "git_commit": git_commit(),
        "district": place.id,
        "district_name": place.name,
        "extensions": extensions_in_force(),
        "synthetic_inputs": list(place.synthetic),
        "own_money": own_money(place),
        "hashes": {"scenario": scenario_hashes, "district": place.hashes, "parameters": parameter_hashes()},
        "packages": package_versions(),
        "wall_time_s": round(wall_time_s, 3),
    }
