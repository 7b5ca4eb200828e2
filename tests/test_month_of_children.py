"""The month of all programmes in one compiled call, held against the same month one programme after the other."""

import copy
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import finished, live

from konvergensi.base.compiled import COMPILES
from konvergensi.mechanisms import month_of_children as compiled
from konvergensi.mechanisms import turns
from konvergensi.model.convergence import ConvergenceModel

SHARE = 0.01
needs_numba = pytest.mark.skipif(not COMPILES, reason="nothing is compiled here")

# what districts, policies and structures can ask for: lists, places, courses, money of villages, doses
CASES: dict[str, tuple[str, str, Mapping[str, Any]]] = {
    "as it is": ("baseline", "lebak", {}),
    "linked": ("one-list", "lebak", {"registers.ministry_rules_bind": False}),
    "everything": ("full-convergence", "kota-banjar", {"villages.choosing": True}),
    "remote": ("baseline", "archetype-island", {"lists.sharing_share": 1.0, "lists.first_share": 0.5}),
    "one stop": ("one-list", "lebak", {"contacts.one_stop_share": 0.5, "registers.missed_first_share": 0.5}),
    "any contact": ("baseline", "lebak", {"delivery.package_dose": "any-contact"}),
    "substitutes": ("baseline", "lebak", {"growth.combination": "substitutes", "effects.dose_response": "saturating"}),
    "discounted": ("baseline", "lebak", {"effects.dose_response": "linear", "effects.reading": "discounted"}),
    "threshold": ("baseline", "lebak", {"growth.combination": "threshold", "effects.dose_response": "threshold"}),
}
UNKNOWN = {  # structures in which programmes are served one by one
    "lasting order": {"contacts.reach": "lasting-order"},
    "by deficit": {"effects.heterogeneity": "deficit"},
    "multiplicative": {"growth.combination": "multiplicative"},
}


def state_of(case: str) -> str:
    """Hash of what a run leaves in children, households, books and tables."""
    scenario, district, set_ = CASES[case]
    share = SHARE if district == "lebak" else 5 * SHARE
    model = live(scenario, district, share=share, end="2019-06", set=set_)
    world, found = model.world, hashlib.sha256()
    book, children = world.book, world.children
    columns = [children.z, children.got, children.best, children.weight_gain, world.households.knowledge]
    columns += [world.registers.nik_month, world.registers.cohort_month, world.tally.stage]
    columns += [world.programmes.spent, world.programmes.short, world.programmes.wanted]
    for each in (book.received, book.taken, book.gained, book.in_course, book.refused):
        columns += list(each)
    for column in columns:
        found.update(np.ascontiguousarray(column).tobytes())
    for name, table in sorted(finished(model).tables().items()):
        found.update(f"{name}{table.to_dict('list')!r}".encode())
    return found.hexdigest()


@needs_numba
@pytest.mark.parametrize("case", CASES)
def test_the_month_in_one_call_leaves_what_one_programme_after_the_other_leaves(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(*columns: Any) -> None:
        calls.append(len(columns[0]))
        return as_it_is(*columns)

    monkeypatch.setattr(turns, "is_first_of_process", lambda: False)
    as_it_is = compiled.live
    monkeypatch.setattr(compiled, "live", counted)
    at_once = state_of(case)
    assert sum(calls) > 500  # it is what ran
    monkeypatch.setattr(turns, "ON", False)
    calls.clear()
    assert state_of(case) == at_once
    assert not calls


@needs_numba
@pytest.mark.parametrize(("kept", "first", "said"), [(False, True, False), (False, False, True), (True, True, True)])
def test_a_first_run_does_not_wait_for_the_month_to_be_compiled(
    kept: bool, first: bool, said: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ConvergenceModel("baseline", "lebak", rng=1, population_share=0.002, end="2018-01").world
    world.kept.pop("month compiled")
    monkeypatch.setattr(turns, "is_kept", lambda loop: kept)
    monkeypatch.setattr(turns, "is_first_of_process", lambda: first)
    assert turns.possible(world) is said
    monkeypatch.setattr(turns, "is_first_of_process", lambda: not first)
    assert turns.possible(world) is said  # a model stays with what it began with


@needs_numba
def test_what_numba_has_on_disk_is_known_before_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "loops.py").write_text(
        "from konvergensi.base.compiled import is_kept, together\n@together\ndef twice(x):\n    return 2 * x\n"
        "print(is_kept(twice), twice(2), is_kept(twice))\n"
    )
    away = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    for said in ("False 4 True", "True 4 True"):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "loops.py")], env=away, capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == said, done.stderr


@needs_numba
@pytest.mark.parametrize("structure", UNKNOWN)
def test_structures_that_ask_for_more_are_served_one_by_one(structure: str) -> None:
    set_ = UNKNOWN[structure]
    world = ConvergenceModel("baseline", "lebak", rng=1, population_share=0.002, end="2018-01", set=set_).world
    assert not turns.possible(world)


@needs_numba
@pytest.mark.parametrize("n", [0, 1, 7, 8, 127, 128, 129, 1000, 8192, 8193, 20_001])
def test_what_was_spent_is_added_up_in_the_order_of_numpy(n: int) -> None:
    draw = np.random.default_rng(n)
    remoteness, village, who = draw.random(50).astype(np.float32), draw.integers(0, 50, n), np.arange(n)
    travel, base = np.float32(12_345.6), np.float32(98_765.4)
    expected = float((remoteness[village] * travel + base).sum(dtype=float))
    assert compiled.cost_of(who, village.astype(np.int16), remoteness, travel, base) == expected


def test_workers_look_for_families_only_when_those_before_have_been_entered() -> None:
    """A range of turns is served in one call: no turn in it may read a register that an earlier one of it writes."""
    world = ConvergenceModel("baseline", "lebak", rng=1, population_share=0.002, end="2018-01").world
    due = tuple(range(len(world.services)))
    plan = turns.plan(world, due, (0,) * len(due))
    broken = 0
    for alone, first, last in (step[:3] for step in plan.steps):
        if alone >= 0:
            assert not turns._is_known(world, alone, world.services[alone])
            continue
        for t in range(first, last):
            assert not turns._waits(plan.fixed[first:t].tolist(), [plan.fixed[t].tolist()])
        broken += first > 0
    assert broken  # the midwife's book is written and read in one month
    served = {step.alone for step in plan.steps if step.alone >= 0} | set(plan.fixed[:, compiled.SERVICE].tolist())
    assert served == set(due)


def test_what_is_only_held_for_a_month_is_no_part_of_a_copy() -> None:

    world = live(share=0.002, end="2018-01").world
    world.scratch.empty("at", 5, np.int32)[:] = 7
    for twin in (copy.deepcopy(world.scratch), pickle.loads(pickle.dumps(world.scratch))):
        assert len(twin.empty("at", 0, np.int32)) == 0
        assert twin._held.keys() == {"at"}
