"""A cell of a study: all scenarios of one district, draw and seed, simulated by whichever process gets it."""

from __future__ import annotations

import functools
import importlib
import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from konvergensi.base.errors import InputError, fault
from konvergensi.base.files import digest
from konvergensi.inputs.extensions import Extension, in_force
from konvergensi.inputs.parameters import Value
from konvergensi.methods import functions
from konvergensi.model.outcome import Outcome, kept
from konvergensi.studies.engines import ONE_AT_A_TIME
from konvergensi.studies.identity import Identity, identity_of, refuse_other
from konvergensi.studies.study import KONVERGENSI, Study, sources_of


@dataclass(frozen=True)
class Cell:
    """One piece of work; `values` in the order of the study's factors."""

    district: int
    draw: int
    seed: int
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Simulated:
    """What came of one run; `outcome` None and an error in words when it failed."""

    outcome: Outcome | None
    error: str
    wall_s: float


@dataclass(frozen=True)
class Work:
    """Live a cell, in any process that has the same code and inputs; gives its runs in the order of the scenarios.

    Parameters: packed, the study without its points and its identity, pickled once; key, their hash.
    Raises InputError when this process has another version, code or input files.
    """

    packed: bytes
    key: str

    def __call__(self, cell: Cell) -> list[Simulated]:
        study, extensions = self.study()
        with ONE_AT_A_TIME:
            return live(study, cell, extensions)

    def study(self) -> tuple[Study, tuple[Extension, ...]]:
        """The study and its extensions, unpacked and checked once in each process. Raises InputError as above."""
        if self.key not in _known:
            study, identity = pickle.loads(self.packed)
            refuse_other(identity, identity_of(study, sources_of(study)))
            with in_force(study.extensions) as extensions:
                _known.clear()
                _known[self.key] = study, extensions
        return _known[self.key]

    def check(self) -> None:
        """Raise InputError as above."""
        self.study()


_known: dict[str, tuple[Study, tuple[Extension, ...]]] = {}


def work_of(study: Study, identity: Identity) -> Work:
    """What a worker needs to live the study's cells."""
    packed = pickle.dumps((replace(study, codes=None), identity))
    return Work(packed, digest(packed))


def live(study: Study, cell: Cell, extensions: Sequence[str | Extension] | None = None) -> list[Simulated]:
    """Live a cell's scenarios together; where that fails, those still missing one by one. No failure is raised.

    Parameters: extensions, the study's own, read already.
    """
    with in_force(study.extensions if extensions is None else extensions):
        return _live(study, cell)


def _live(study: Study, cell: Cell) -> list[Simulated]:
    began = time.perf_counter()
    found: dict[str, Outcome] = {}
    try:
        for name, outcome in _lives(study, cell, study.scenarios):
            found[name] = outcome
        error = ""
    except Exception as problem:
        error = _in_words(problem)
    missing = [name for name in study.scenarios if name not in found]
    if len(study.scenarios) == 1 and missing:
        return [Simulated(None, error, time.perf_counter() - began)]
    share = (time.perf_counter() - began) / max(len(found), 1)
    return [
        Simulated(found[name], "", share) if name in found else _single(study, cell, name) for name in study.scenarios
    ]


def _single(study: Study, cell: Cell, scenario: str) -> Simulated:
    began = time.perf_counter()
    try:
        ((_, outcome),) = _lives(study, cell, (scenario,))
        return Simulated(outcome, "", time.perf_counter() - began)
    except Exception as problem:
        return Simulated(None, _in_words(problem), time.perf_counter() - began)


def values_of(study: Study, cell: Cell) -> dict[str, Value]:
    """What is set in a cell's runs: what all share and the factors, without dummies."""
    own = {factor.key: value for factor, value in zip(study.factors, cell.values) if not factor.is_dummy}
    return {**study.set, **own}


def _lives(study: Study, cell: Cell, scenarios: tuple[str, ...]) -> Any:
    values, keep = values_of(study, cell), study.keep
    if study.model != KONVERGENSI:
        for name in scenarios:
            found = functions.evaluate(study.model, name, values, cell.seed)
            yield name, kept(found, keep.scalars, keep.series, keep.groups)
        return
    from konvergensi.model.branch import branches

    observe = outcome_function(study.outcome)
    span = study.population_share, study.start, study.end
    for name, model in branches(scenarios, study.districts[cell.district], cell.seed, *span, values):
        yield name, kept(observe(model), keep.scalars, keep.series, keep.groups)


@functools.cache
def outcome_function(name: str) -> Callable[[Any], Outcome]:
    """The function `module:function` that reads a finished model. Raises InputError when there is none."""
    module, _, function = name.partition(":")
    try:
        found: Callable[[Any], Outcome] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError):
        raise InputError(fault("", "outcome", "no_outcome", value=name)) from None
    return found


def _in_words(problem: Exception) -> str:
    return " ".join(f"{type(problem).__name__}: {problem}".split())[:1000]
