"""What decides a result, as hashes: code, inputs, and the key of each run."""

from __future__ import annotations

import functools
import importlib.util
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest
from konvergensi.base.version import __version__
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.model.identity import model_hash
from konvergensi.studies.study import KONVERGENSI, Sources, Study

ID_DIGITS = 20  # 80 bits: two of a million runs share one with a chance of 1e-12


@dataclass(frozen=True)
class Identity:
    """Version and hashes of everything besides the points that decides what comes out of a study's runs."""

    version: str
    code: str
    districts: dict[str, str]
    scenarios: dict[str, str]

    def as_data(self) -> dict[str, Any]:
        return {"version": self.version, "code": self.code, "districts": self.districts, "scenarios": self.scenarios}


def identity_of(study: Study, sources: Sources) -> Identity:
    """Hash code and inputs of a study. Raises InputError when there is no such outcome."""
    past = load_scenario("baseline").hashes if study.model == KONVERGENSI else {}  # lived before the run begins
    places = {place.id: _hash(place.hashes) for place in sources.places}
    policies = {policy.id: _hash(past | policy.hashes) for policy in sources.policies}
    return Identity(
        version=__version__,
        code=code_hash(study.model, study.outcome),
        districts=places or dict.fromkeys(sources.place_ids, ""),
        scenarios=policies or dict.fromkeys(sources.policy_ids, ""),
    )


@functools.cache
def code_hash(model: str, outcome: str) -> str:
    """Hash of the code that makes and reads a run, the outcome's module included; of a test function, its file."""
    here = Path(__file__).resolve().parents[1] / "methods"
    if model != KONVERGENSI:
        return digest((here / "functions.py").read_bytes())
    module = outcome.partition(":")[0]
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None or not found.origin or not Path(found.origin).is_file():
        raise InputError(fault("", "outcome", "no_outcome", value=outcome))
    return digest((model_hash() + digest(Path(found.origin).read_bytes())).encode())


def run_prefixes(study: Study, identity: Identity) -> dict[tuple[str, str], bytes]:
    """For each district and scenario the hash of all that its runs share; `run_id` adds the rest."""
    shared = {
        "version": identity.version, "code": identity.code, "model": study.model, "outcome": study.outcome,
        "share": study.population_share, "start": study.start, "end": study.end, "set": sorted(study.set.items()),
        "factors": [[factor.key, list(factor.values), factor.whole] for factor in study.factors],
    }  # fmt: skip
    return {
        (place, policy): _hash(shared | {"district": [place, of_place], "scenario": [policy, of_policy]}).encode()
        for place, of_place in identity.districts.items()
        for policy, of_policy in identity.scenarios.items()
    }


def run_id(prefix: bytes, codes: np.ndarray, draw: int, seed: int) -> str:
    """Id of a run: the hash of all that decides it, and of its draw, so that no two rows of a store share one."""
    return digest(prefix + np.ascontiguousarray(codes, "<f8").tobytes() + struct.pack("<qq", draw, seed))[:ID_DIGITS]


def codes_hash(codes: np.ndarray) -> str:
    """Hash of a study's points."""
    return digest(repr(codes.shape).encode() + np.ascontiguousarray(codes, "<f8").tobytes())


def _hash(data: Any) -> str:
    return digest(json.dumps(data, sort_keys=True).encode())
