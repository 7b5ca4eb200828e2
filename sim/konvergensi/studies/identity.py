"""What decides a result, as hashes: code, inputs, and the key of each run."""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import socket
import struct
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest
from konvergensi.base.version import __version__
from konvergensi.inputs.extensions import in_force
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.model.identity import model_hash
from konvergensi.studies.study import KONVERGENSI, Sources, Study

ANALYSES = f"{__name__.partition('.')[0]}.analyses."
ID_DIGITS = 20  # 80 bits: two of a million runs share one with a chance of 1e-12


@dataclass(frozen=True)
class Identity:
    """Version and hashes of everything besides the points that decides what comes out of a study's runs."""

    version: str
    code: str
    districts: dict[str, str]
    scenarios: dict[str, str]
    extensions: dict[str, str] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def identity_of(study: Study, sources: Sources) -> Identity:
    """Hash code, inputs and extensions of a study. Raises InputError when there is no such outcome or extension."""
    with in_force(study.extensions) as extensions:
        found = _identity_of(study, sources)
    return replace(found, extensions={each.name: each.sha256 for each in extensions})


def _identity_of(study: Study, sources: Sources) -> Identity:
    past = load_scenario("baseline").hashes if study.model == KONVERGENSI else {}  # simulated before the run begins
    places = {place.id: hash_of(place.hashes) for place in sources.places}
    policies = {policy.id: hash_of(past | policy.hashes) for policy in sources.policies}
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
    own = _file_of(outcome.partition(":")[0])
    if own is None:
        raise InputError(fault("", "outcome", "no_outcome", value=outcome))
    return digest((model_hash() + digest(own.read_bytes())).encode())


@functools.cache
def code_of(module: str) -> str:
    """Hash of the code that makes a row: the model's, the module's, and that of the analyses it imports."""
    files: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file_of(name)
        if path is None or name in files:
            continue
        content = path.read_bytes()
        files[name] = digest(content)
        named = [each.module for each in ast.walk(ast.parse(content)) if isinstance(each, ast.ImportFrom)]
        waiting += [each for each in named if each and each.startswith(ANALYSES)]
    return hash_of({"model": model_hash(), "files": files})


def _file_of(module: str) -> Path | None:
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(found.origin) if found and found.origin and Path(found.origin).is_file() else None


def refuse_other(theirs: Identity, mine: Identity) -> None:
    """Raise InputError unless this process has the version, code and inputs that the work was begun with."""
    then, now = theirs.as_data(), mine.as_data()
    differ = [name for name in then if then[name] != now[name]]
    if differ:
        words = {"what": ", ".join(differ), "then": theirs.version, "now": mine.version}
        raise InputError(fault(socket.gethostname(), "", "worker_differs", **words))


def run_prefixes(study: Study, identity: Identity) -> dict[tuple[str, str], bytes]:
    """For each district and scenario the hash of all that its runs share; `run_id` adds the rest."""
    shared = {
        "version": identity.version, "code": identity.code, "model": study.model, "outcome": study.outcome,
        "share": study.population_share, "start": study.start, "end": study.end, "set": sorted(study.set.items()),
        "factors": [[factor.key, list(factor.values), factor.whole] for factor in study.factors],
    }  # fmt: skip
    if identity.extensions:
        shared["extensions"] = identity.extensions
    return {
        (place, policy): hash_of(shared | {"district": [place, of_place], "scenario": [policy, of_policy]}).encode()
        for place, of_place in identity.districts.items()
        for policy, of_policy in identity.scenarios.items()
    }


def run_id(prefix: bytes, codes: np.ndarray, draw: int, seed: int) -> str:
    """Id of a run: the hash of all that decides it, and of its draw, so that no two rows of a store share one."""
    return digest(prefix + np.ascontiguousarray(codes, "<f8").tobytes() + struct.pack("<qq", draw, seed))[:ID_DIGITS]


def codes_hash(codes: np.ndarray) -> str:
    """Hash of a study's points."""
    return digest(repr(codes.shape).encode() + np.ascontiguousarray(codes, "<f8").tobytes())


def hash_of(data: Any) -> str:
    """Hash of plain data."""
    return digest(json.dumps(data, sort_keys=True).encode())
