"""Compiled loops and the NumPy functions beside them give the same bits, one by one and over a whole run."""

import hashlib
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import konvergensi
from konvergensi.base import compiled
from konvergensi.mechanisms import (
    caregivers,
    contacts,
    growth,
    programme_month,
    purses,
    registers,
    staff,
    uptake,
    villages,
)
from konvergensi.model import births
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe import eppgbm, network, series
from konvergensi.observe import together as at_home
from konvergensi.observe.who import CM_PER_Z
from konvergensi.world import children, draws, package, tally

SIZES = (0, 1, 7, 500, 5_000)
N_PLACES = 9
SHARE = 0.005


class Columns:
    """Random columns of one length, as the model holds them."""

    def __init__(self, n: int) -> None:
        self.n, self.draw = n, np.random.default_rng(n)
        self.ages = ages = np.sort(self.draw.integers(-9, 24, n))[::-1]
        self.oldest = int(ages[0]) if n else 0
        k = self.oldest - int(ages[-1]) + 1 if n else 0
        self.ends = np.searchsorted(-ages, np.arange(-self.oldest, k - self.oldest), side="right").astype(np.int64)
        self.place = self.draw.integers(0, N_PLACES, n).astype(np.int16)
        self.at = np.flatnonzero(self.mask(0.6))

    def mask(self, share: float = 0.4) -> np.ndarray:
        return self.draw.random(self.n) < share

    def whole(self, kind: type, n: int | tuple[int, ...] | None = None, most: int = 2**16) -> np.ndarray:
        return self.draw.integers(0, most, self.n if n is None else n).astype(kind)

    def z(self, n: int | None = None) -> np.ndarray:
        return self.draw.normal(0.0, 1.0, self.n if n is None else n).astype(np.float32)


def cases(n: int) -> Iterator[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Every compiled loop with arguments of n rows."""
    c = Columns(n)
    m, nobody, f32 = len(c.at), np.zeros(0, bool), np.float32
    ages = (c.ends, c.oldest)
    keys = draws.entity_keys("child", np.arange(n))
    for loop in (draws._bits, draws._halves, draws._both_halves, draws.uniform):
        yield loop, (keys, 3_000_000_000, 77)
    yield draws._normal, (keys, 5, 6, draws._normal_table())
    for left, open_ in ((nobody, nobody), (c.mask(), c.draw.random(N_PLACES) < 0.5)):
        yield contacts.where, (c.mask(), left, open_, c.place)
    many = tuple(draws.entity_keys(kind, np.arange(n)) for kind in ("opd", "crc", "adler"))
    yield draws._one_each, many
    yield draws._carry_on, (*draws.Draws(n).begin(map(str, range(n))), np.frombuffer(b"2190", np.uint8))
    visits = (c.whole(np.int32, most=50), c.whole(np.int32, most=60), 40, (3_000_000_000, 7), (8, 9))
    yield contacts.wants_visit, (keys, *visits, c.draw.random(50).astype(f32), np.array([0.2, 0.9], f32))
    held = c.mask(), c.mask(), c.whole(np.uint8, most=9)
    yield villages.behind_pace, (c.whole(np.int32, most=9), 10, *held)
    yield contacts.stock_order, (c.whole(np.uint16, N_PLACES), c.place, c.at)
    for met in (nobody, c.mask()):
        had, refused = c.whole(np.uint8, most=9), c.whole(np.uint8, most=4)
        for left, open_ in ((nobody, nobody), (c.mask(), c.draw.random(N_PLACES) < 0.5)):
            limits, lot = (left, open_, c.place), (keys, 3_000_000_000, 77, np.abs(c.z(N_PLACES)))
            yield contacts.caseload, (c.mask(), c.mask(), met, c.mask(), had, refused, 6, 2, *limits, *lot)
    born = c.whole(np.int32, most=60)
    shares = contacts.paper_shares(0.25, 0.03, 2.35)
    home = c.whole(np.int32, most=50)
    given = (keys, (3_000_000_000, 7), (8, 9), c.draw.random(50).astype(f32), home, shares)
    yield contacts.applies, (c.whole(np.int32, most=60), 40, born, *given)
    yield villages.away_from, (c.mask(), c.place, N_PLACES)
    chances = c.draw.random(N_PLACES), c.draw.random(N_PLACES)
    yield villages.either_way, (3 * chances[0], c.whole(np.int64, N_PLACES, 4), 0.3, *chances[:1], 0.4, chances[1])
    yield villages.come_too, (c.mask(), c.place, n // 3, *chances, np.abs(c.z()))
    yield contacts.below, (np.abs(c.z()), c.z(50), c.whole(np.int32, most=50))
    young = (np.minimum(c.ends, n), max(c.oldest, len(c.ends)))  # nobody unborn comes
    yield uptake.who_comes, (c.z(), c.z(60), f32(0.4), *young, c.whole(np.uint16), uptake._logistic_table())
    behind = c.whole(np.uint16, N_PLACES, 2) << np.uint16(15)
    table = (keys, c.place, behind, c.whole(np.uint16), c.whole(np.uint8, most=3))
    nobody_first = {"missed_below": -1, "found": nobody, "found_below": -1, "joint_from": -1, "there": nobody,
                    "there_from": -1, "lokus": False, "came": nobody, "came_below": -1}  # fmt: skip
    alone: tuple[dict[str, Any], ...] = ({}, {"missed_below": 2**31}, {"found": c.mask(), "found_below": 2**31},
             {"joint_from": 30_000}, {"there": c.draw.random(N_PLACES) < 0.5, "there_from": 20_000}, {"lokus": True},
             {"came": c.mask(), "came_below": 2**31})  # fmt: skip
    everything = {name: value for each in alone for name, value in each.items()}
    for each in (*alone, everything):
        for course in ((nobody, np.zeros(0, np.uint16)), (c.mask(), c.whole(np.uint16))):
            first = (nobody_first | each).values()
            yield programme_month.put_in_order, (c.whole(np.uint16, m), c.at, *table, *first, *course)
    for money, people in ((1e5, np.inf), (1e7, 40.0), (0.0, 5.0), (np.inf, 0.0)):
        reach_to = (2 * money, 1.5 * money, money, people)
        remoteness = c.draw.random(N_PLACES).astype(f32)
        cost = (c.place, remoteness, f32(30_000.5), f32(9_999.9))
        yield programme_month.serve, (c.whole(np.uint16, m), c.at, *cost, *reach_to)
    yield (
        programme_month.first_of_each,
        (c.place, c.whole(np.uint16, most=300), c.whole(np.int64, N_PLACES, n // 5 + 1)),
    )
    pool, weights = 20.0 * np.abs(c.draw.normal(0, 1, N_PLACES)), c.draw.random(N_PLACES)
    for centre in (staff.NOWHERE, np.arange(N_PLACES) // 3):
        order = c.whole(np.uint16, most=300)
        yield programme_month.meet, (pool * n / 30, weights, 3.3, np.arange(N_PLACES), centre, c.place, order, 0.3)
    yield programme_month.whole_meetings, (pool - 3.0, 0.6)
    yield programme_month.reached, (c.whole(np.uint16, m, 1024), 500, c.at)
    takes, whole, steps = c.mask(), c.z(69), np.abs(c.z(128))
    who, took = c.at, np.flatnonzero(takes)
    course = (c.mask(), c.whole(np.uint8, most=9), c.mask(), c.whole(np.uint8, most=9))
    for has_course in (True, False):
        yield programme_month.give, (who, *course, has_course)
    yield programme_month.take, (took, n // 3, 8, c.whole(np.uint16), c.whole(np.uint8, most=9))
    yield programme_month.teach, (c.draw.random(50).astype(f32), home, took, f32(0.07))
    taken, gained = c.whole(np.uint8, most=30), np.abs(c.z())
    best = gained + np.abs(c.z())  # of all services, so no less than of one
    for together in (f32(0.0), f32(0.37), f32(2.0)):
        yield growth.add_gain, (takes, c.z(), gained, best, together, c.z())
        for kind in (programme_month.PLAIN, programme_month.LIFETIME, programme_month.AT_BIRTH):
            for needy in (nobody, c.mask()):
                doses = (kind, took, needy, whole, steps, *ages, taken, gained, best, together)
                yield programme_month.add_doses, (*doses, c.z(), c.whole(np.uint8, most=9))
    for older in (0, 30):
        moving = int(((c.ages + older > 0) & (c.ages + older <= growth.SETTLED_AGE)).sum())
        curves = (c.z(60) for _ in range(5))
        grown = (c.z(), c.z(), c.z(), c.z(), c.z(), c.z(moving), *curves, c.ends, c.oldest + older)
        yield growth.move_on, grown
    yield uptake.log_odds, (f32(0.3), c.z(), f32(0.7), c.z())
    yield uptake.to_chance, (c.whole(np.uint16), np.exp(c.z()))
    for need in (tally.EVERYBODY, c.mask()):
        known, listed = c.mask(), c.mask()
        for enough, gains in ((0, tally.NOWHERE), (5, c.draw.random(69) < 0.5)):
            step = c.whole(np.uint16, m, 1024)
            so_far = (c.whole(np.uint8, most=10), need, known, listed, c.at, step, 700, 300)
            reached = c.at[step < 200]  # only what is budgeted and released is delivered
            served = (reached, reached[c.mask()[reached]], taken, enough, n // 3, gains, *ages)
            yield programme_month.count, (*so_far, *served)
    for gains in (tally.NOWHERE, c.draw.random(69) < 0.5):
        for enough, so_far in ((0, c.whole(np.uint8, 0)), (5, c.whole(np.uint8, most=10))):
            furthest, of_home = c.whole(np.uint8, most=10), c.whole(np.uint8, 50, most=8)
            home_of = c.whole(np.int32, most=50)
            yield tally.pass_on, (furthest, of_home, home_of, so_far, enough, n // 3, gains, *ages)
    yield children.homes_of, (c.whole(np.int32, most=50), 50)
    yield children.at_homes, (c.draw.random(50) < 0.3, c.whole(np.int32, most=50))
    yield tally.reached, (c.whole(np.uint8, most=10), c.whole(np.int32, most=50), 50)
    counts = (c.whole(np.uint8, (3, n), most=9), np.array([2, -1, 0]), np.array([5, 1, 3], np.uint8))
    yield package.marked, (*counts, np.array([8, 1, 4], np.uint16), n // 3, n)
    rp = [1e9 * c.draw.random(n) for _ in range(3)]
    left = np.where(c.mask(), np.inf, c.whole(np.int64, most=12) + 1.0)
    yield purses.limits_of, (*rp, left, c.draw.random(3), c.whole(np.intp, most=3), c.mask(), 0.4)
    of_year = [c.draw.random(n) for _ in range(12)]
    ran = np.flatnonzero(c.mask())
    for counted in (True, False):
        yield purses.enter, (c.draw.random((n, programme_month.N_COUNTS)), ran, counted, *of_year)
    yield purses.costs_of, (rp[0], 1.15, 0.4, c.mask())
    starts = np.array([0, n // 5, n // 3, n // 3, n // 2, n - n // 8, n])
    yield series.by_group, (c.whole(np.int8, most=10), c.z(), starts)
    bits, next_birth = (c.whole(np.uint16, most=64), c.whole(np.uint16, most=64)), c.whole(np.int32, most=90)
    identity = (c.whole(np.int32, most=90), 40, np.uint16(4))
    due = (c.whole(np.uint16, 69, 8), c.whole(np.uint16, 69, 64))
    yield at_home.served, (*bits, *identity, next_birth, *due, *ages, 64)
    of_home = (c.mask(0.5)[:7], c.mask(0.5)[:7], c.whole(np.uint16, 7), c.mask()[:7], c.mask()[:7])
    homes = c.whole(np.int32, most=min(n, 7) or 1)
    risk = (*of_home, f32(-0.3), c.z(N_PLACES), c.place)
    yield births.take_home, (c.z(), c.whole(np.uint16), c.mask(), c.mask(), homes, *risk)
    yield at_home.held_together, (c.whole(np.int64, (4, 8), most=n + 1), np.bitwise_count(np.arange(8)).astype(int), 3)
    yield network.quickest, (np.where(c.draw.random((9, 9)) < 0.4, c.draw.random((9, 9)), np.inf), 3)
    by_place = (np.abs(c.z(N_PLACES)), c.z(N_PLACES), np.abs(c.z(N_PLACES)))
    weighed = (c.mask(), c.z(), c.mask(), *young, c.place, c.z(), c.draw.random(n).astype(f32))
    yield eppgbm.weighed, (*weighed, *by_place, f32(0.4), CM_PER_Z)
    yield eppgbm.by_village, (c.mask(), c.z() - 2, c.place, N_PLACES)
    shares, people = (
        (f32(0.4), f32(0.3), f32(0.2), f32(0.1), f32(0.6)),
        [c.draw.random(n).astype(f32) for _ in range(6)],
    )
    yield caregivers.learnt, (*people[:5], *shares)
    yield caregivers.exposed_to, (*(np.abs(c.z(N_PLACES)) for _ in range(3)), c.place, np.abs(c.z()), people[0])
    yield caregivers.neighbours, (people[0], np.sort(c.whole(np.int32, most=n // 5 + 1)))
    yield registers.assess, (c.mask(), c.mask(), people[0], 0.7, 0.2, people[1], f32(0.4))
    yield registers.write_down, (c.whole(np.int32, most=90), c.mask(), c.mask(), c.z(), 91, f32(-1.5))


def same_bits(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return len(one) == len(other) and all(same_bits(*each) for each in zip(one, other))
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")


def copied(given: tuple[Any, ...]) -> list[Any]:
    return [each.copy() if isinstance(each, np.ndarray) else each for each in given]


needs_numba = pytest.mark.skipif(not compiled.COMPILES, reason="numba is not installed")


@needs_numba
@pytest.mark.parametrize("n", SIZES)
def test_a_loop_and_its_columns_give_the_same_bits_and_leave_the_same_bits_behind(n: int) -> None:
    for loop, given in cases(n):
        one, other = copied(given), copied(given)
        found, expected = loop(*one), loop.in_columns(*other)  # type: ignore[attr-defined]
        assert same_bits(found, expected), loop
        assert same_bits(tuple(one), tuple(other)), loop


@needs_numba
def test_every_compiled_loop_of_the_package_is_held_against_its_columns() -> None:
    there = set()
    for module in pkgutil.walk_packages(konvergensi.__path__, "konvergensi."):
        if module.name.split(".")[1] in ("world", "mechanisms", "observe", "model"):
            found = vars(importlib.import_module(module.name)).values()
            there |= {each.py_func.__qualname__ for each in found if hasattr(each, "in_columns")}
    assert there == {loop.py_func.__qualname__ for loop, _ in cases(7)}  # type: ignore[attr-defined]


def tables_of(seed: int) -> str:
    """Hash of every table of a short run."""
    model = ConvergenceModel("one-list", "lebak", rng=seed, population_share=SHARE, end="2018-06", trace_children=5)
    while model.running:
        model.step()
    found = hashlib.sha256()
    for name, table in sorted(model.recorder.tables().items()):
        found.update(f"{name}{table.to_dict('list')!r}".encode())
    found.update(model.world.children.z.tobytes())
    return found.hexdigest()


def test_a_run_without_numba_gives_the_same_bits() -> None:
    code = (
        "from test_compiled import tables_of; from konvergensi.base.compiled import COMPILES; "
        "assert not COMPILES; print(tables_of(3))"
    )
    path = os.pathsep.join(sys.path)
    away = os.environ | {compiled.SWITCH: "0", "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=away, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == tables_of(3)


def test_two_processes_give_the_bits_of_one() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(tables_of, (3, 4))) == [tables_of(3), tables_of(4)]


def test_help_does_not_wait_for_the_compiler() -> None:
    code = (
        "import sys; from konvergensi.cli.main import main; sys.argv = ['konvergensi', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit('numba' in sys.modules)"
    )
    away = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=away, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "konvergensi" in done.stdout


@needs_numba
def test_a_loop_is_compiled_anew_when_a_file_it_takes_others_from_has_changed(tmp_path: Path) -> None:
    (tmp_path / "loops_beside.py").write_text(
        "from konvergensi.base.compiled import together\n@together\ndef part(x):\n    return 2 * x\n"
    )
    (tmp_path / "loops_own.py").write_text(
        "from konvergensi.base import compiled\ncompiled.PACKAGE = 'loops_'\nfrom loops_beside import part\n"
        "@compiled.together\ndef whole(x):\n    return part(x) + 1\nprint(whole(1))\n"
    )
    away = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONDONTWRITEBYTECODE": "1"}
    for times, said in ((2, "3"), (7, "8")):
        beside = tmp_path / "loops_beside.py"
        beside.write_text(beside.read_text().replace("2 * x", f"{times} * x"))
        for _ in range(2):  # compiled, then from disk
            done = subprocess.run(
                [sys.executable, "-c", "import loops_own"], env=away, cwd=tmp_path, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert done.stdout.strip() == said, done.stderr
