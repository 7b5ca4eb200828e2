"""Runs shared by the tests of the model: each is simulated once for all workers, read by many, changed by none."""

from __future__ import annotations

import functools
import gc
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings as hypothesis_settings
from kept import begin, changed_code, kept

from konvergensi.analyses.run import collect
from konvergensi.base.files import data_root
from konvergensi.inputs.parameters import Settings
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.observe.series import AGE_BANDS
from konvergensi.observe.who import measured_laz
from konvergensi.report import comparison
from konvergensi.results.run import Run
from konvergensi.world.state import World

SMALL = 0.05  # share of Lebak's 239,000 families: 12,000 households, 5,000 under-fives
SEEDS = range(1, 9)

# agencies as the district file has them: what other mechanisms do with it can then be seen apart
STILL = {f"{room}.on": False for room in ("socialization", "cascade", "caregivers", "network", "goals", "review")}

# the rules of before contacts and published effects, for what specifies them
OLD_RULES = {
    "contacts.reach": "lasting-order",
    "effects.reading": "discounted",
    "effects.dose_response": "linear",
    "growth.combination": "additive",
    "delivery.package_dose": "any-contact",
}

# the same examples every time, and no clock: a busy machine is no failure
hypothesis_settings.register_profile("model", deadline=None, derandomize=True)
hypothesis_settings.load_profile("model")


def pytest_configure(config: pytest.Config) -> None:
    begin(config)


@pytest.hookimpl(tryfirst=True)  # before `-m "not slow"` is asked
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what took long when it was last measured, itself or a fixture: scripts/list_slow_tests.py.

    Files with many slow tests come first, so that at the end no worker waits for the other.
    """
    slow = set(Path(__file__).with_name("slow_tests.txt").read_text(encoding="utf-8").split())
    for item in items:
        file, _, name = item.nodeid.partition("::")
        used = [name.split("[")[0], *getattr(item, "fixturenames", ())]
        if not slow.isdisjoint(f"{file}::{each}" for each in used):
            item.add_marker("slow")
    many = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -many[item.path])


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end, so that Python need not look at it again for garbage.

    An eighth of the time of tests that draw.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _code_as_it_is(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is simulated while code is changed is kept for nobody."""
    with changed_code("monkeypatch" in request.fixturenames):
        yield


def live(
    scenario: str = "baseline", district: str = "lebak", seed: int = 1, share: float = SMALL, **options: Any
) -> ConvergenceModel:
    """A model that has simulated all its months."""
    model = ConvergenceModel(scenario, district, rng=seed, population_share=share, **options)
    while model.running:
        model.step()
    return model


def simulated(scenario: str = "baseline", *, set: Mapping[str, Any] | None = None, **options: Any) -> ConvergenceModel:
    """As `live`, kept for others who ask for the same; only to be read."""
    return _simulated(scenario, tuple((set or {}).items()), tuple(sorted(options.items())))


@functools.lru_cache(maxsize=48)
def _simulated(
    scenario: str, set_: tuple[tuple[str, Any], ...], options: tuple[tuple[str, Any], ...]
) -> ConvergenceModel:
    files = (scenario, *(value for name, value in options if name == "district"))
    if any(os.sep in str(each) for each in files):  # whose content no name tells
        return live(scenario, set=dict(set_), **dict(options))
    return kept(_live, scenario, set_, options)


def _live(scenario: str, set_: tuple[tuple[str, Any], ...], options: tuple[tuple[str, Any], ...]) -> ConvergenceModel:
    return live(scenario, set=dict(set_), **dict(options))


def forced(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Settings with values outside their ranges: limits such as 0 and 1 that no evidence supports."""
    known = {key: settings.parameter(key) for key in settings}
    assert set(changes) <= set(known)
    return Settings(settings.as_dict() | dict(changes), known)


def finished(model: ConvergenceModel) -> Run:
    return collect(model, {}, 0.0)


def copy_of_lebak(folder: Path, opd: Callable[[str], str] = str, district: Callable[[str], str] = str) -> str:
    """A district folder like Lebak's with opd.toml and district.toml rewritten; its path."""
    shutil.copytree(data_root() / "districts" / "lebak", folder)
    for name, rewrite in (("opd.toml", opd), ("district.toml", district)):
        file = folder / name
        file.write_text(rewrite(file.read_text(encoding="utf-8")), encoding="utf-8")
    return str(folder)


def ledger(model: ConvergenceModel, column: str) -> pd.DataFrame:
    """One column of the monthly books: rows are months, columns are programmes."""
    book = model.recorder.ledger
    index = pd.Index([entry["month"] for entry in book], name="month")
    return pd.DataFrame([entry[column] for entry in book], index=index, columns=model.world.programmes.id)


def values(run: Run, indicator: str) -> pd.Series:
    """An indicator by month."""
    table = run.indicators
    return table[table["indicator"] == indicator].set_index("month")["value"]


def percent_measured(world: World, month: int, from_age: int, to_age: int) -> tuple[float, int]:
    """Children read below -2 if each were measured once by a survey team, percent, and how many there are."""
    rows = world.children.window(month, from_age, to_age)
    laz = measured_laz(
        world.children.z[rows],
        (~world.children.male[rows]).view(np.int8),
        world.children.ages(month, rows),
        world.draws.normal("test measurement", month, world.children.key[rows]),
        world.settings["measurement.survey_error_cm"],
    )
    return float(100 * (laz < -2.0).mean()), len(laz)


@pytest.fixture
def few_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons draw three of their figures: for tests of what else is written, as all of them take ten seconds.

    That all are written and how they look: test_comparison_report.py.
    """
    of = comparison.figures_of
    monkeypatch.setattr(comparison, "figures_of", lambda found: dict(list(of(found).items())[:3]))


@pytest.fixture(scope="session")
def lebak() -> ConvergenceModel:
    """Lebak in small, baseline, January 2018 to December 2024."""
    return simulated()


@pytest.fixture(scope="session")
def run(lebak: ConvergenceModel) -> Run:
    return finished(lebak)


@pytest.fixture(scope="session")
def early() -> ConvergenceModel:
    return simulated("early-planning")


@pytest.fixture(scope="session")
def one_list() -> ConvergenceModel:
    return simulated("one-list")


@pytest.fixture(scope="session")
def full_size() -> ConvergenceModel:
    """The whole of Lebak at its first month; its children are those born until 2024."""
    return ConvergenceModel(rng=1, population_share=1.0, end="2024-12")


@pytest.fixture(scope="session")
def until_2019() -> list[Run]:
    """Lebak until the surveys of 2019, once for each seed."""
    return kept(_until_2019)


def _until_2019() -> list[Run]:
    return [finished(live(seed=seed, share=0.1, end="2019-10")) for seed in SEEDS]


@pytest.fixture(scope="session")
def cohort() -> pd.DataFrame:
    """Measured LAZ of children followed from birth: a row for each child, a column for each month of age."""
    return kept(_cohort)


def _cohort() -> pd.DataFrame:
    run = finished(live(share=0.1, end="2022-02", trace_children=2500))
    assert run.children is not None
    return run.children.pivot(index="child", columns="age_months", values="laz_measured")


@pytest.fixture(scope="session")
def profile() -> dict[tuple[int, int], float]:
    """Percent measured as stunted in the national-average district by age band, mean of the months of 2022."""
    return kept(_profile)


def _profile() -> dict[tuple[int, int], float]:
    model = ConvergenceModel("baseline", "national-average", rng=1, population_share=1.0, end="2022-12")
    found: dict[tuple[int, int], list[float]] = {band: [] for band in AGE_BANDS}
    while model.running:
        model.step()
        month = model.world.month - 1
        if month >= 2022 * 12:
            for band in AGE_BANDS:
                found[band].append(percent_measured(model.world, month, *band)[0])
    return {band: float(np.mean(each)) for band, each in found.items()}
