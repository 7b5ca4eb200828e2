"""Every barrier of the field studies works in the direction that they state: docs/barriers.toml, in a small district.

Each is switched alone, with the same seed and draws on both sides. Asked for is the stated direction in the mean of
three seeds (by more than rounding: MARGIN of the measure's size), and in no single seed the opposite by more than a
quarter of that mean. Sizes are not tested: no study measured one.
"""

import csv
import functools
import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from kept import kept

import konvergensi
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.check import read_path
from konvergensi.inputs.districts import District, find_district
from konvergensi.mechanisms.growth import monthly_shift
from konvergensi.model.convergence import ConvergenceModel

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
KECIL = ROOT / "tests/districts/kecil"
SEEDS = (1, 2, 3)
MARGIN = 0.001  # share of the measure's size; common draws leave no noise where nothing happens
AGAINST = 0.25  # of the mean effect, in a single seed


def _load(name: str, folder: Path = ROOT / "scripts") -> ModuleType:
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


measures = _load("barrier_measures")
barriers = _load("barriers")
make_barriers = _load("make_barriers")
make_kecil = _load("make_kecil", KECIL.parent)
BARRIERS = barriers.load()
# models of its small district are kept as those of the other tests are
barriers._kept = functools.lru_cache(maxsize=128)(functools.partial(kept, barriers.simulated))
PLACE = barriers.Place(str(KECIL), 1.0, "2020-12")


def named(slug: str) -> Any:
    return next(each for each in BARRIERS if each.slug == slug)


def live(slug: str, side: str, seed: int = 1) -> ConvergenceModel:
    model: ConvergenceModel = barriers.live(named(slug), side, PLACE, seed)
    return model


# ---- directions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("barrier", BARRIERS, ids=lambda each: each.name)
def test_barrier(barrier: Any) -> None:
    measure = measures.MEASURES[barrier.measure]
    seen = np.array([[measure(barriers.live(barrier, side, PLACE, seed)) for side in barriers.SIDES] for seed in SEEDS])
    effect = (seen[:, 0] - seen[:, 1]) * (1.0 if barrier.higher else -1.0)
    found = f"{barrier.measure}, with and without by seed: {seen.tolist()}"
    assert effect.mean() > MARGIN * np.abs(seen).mean(), found
    assert effect.min() > -AGAINST * effect.mean(), found


def test_members_adapt_their_programmes_without_adopting_the_goal() -> None:
    # with today's values: what the Lebak study found (B30), and what leaders change about it
    weak, strong = live("leadership", "with"), live("leadership", "without")
    for opd in weak.opds:
        assert opd.adaptation > opd.goal_adoption
    members = [opd for opd in weak.opds if not opd.leads]
    adapted, adopted = (np.mean([getattr(opd, name) for opd in members]) for name in ("adaptation", "goal_adoption"))
    assert adapted > 2 * adopted
    assert max(opd.goal_adoption for opd in members) < min(opd.goal_adoption for opd in weak.opds if opd.leads)
    for before, after in zip(weak.opds, strong.opds, strict=True):
        assert after.goal_adoption > before.goal_adoption


def test_the_30_70_claim_moves_money_and_no_effect() -> None:
    with_, without = (live("thirty-seventy", side).world for side in barriers.SIDES)
    assert not np.array_equal(with_.programmes.planned, without.programmes.planned)
    for service in with_.services:
        key = f"services.{service.id}.effect"
        effects = [monthly_shift(service, world.settings[key], world.settings) for world in (with_, without)]
        assert np.array_equal(*effects)


def test_an_incentive_adds_more_to_the_register_than_to_what_families_know() -> None:
    with_, without = (live("incentive-reporting", side) for side in barriers.SIDES)
    for grows in ("eppgbm_coverage", "caregivers_know"):
        assert measures.MEASURES[grows](with_) > measures.MEASURES[grows](without)
    reported, known = (
        measures.MEASURES[name](with_) / measures.MEASURES[name](without) - 1.0
        for name in ("eppgbm_coverage", "caregivers_know")
    )
    assert reported > 2 * known


# ---- the table -------------------------------------------------------------------------------------------------------


def test_every_barrier_of_the_evidence_has_an_entry_and_no_entry_is_of_anything_else() -> None:
    with (ROOT / "evidence/barriers.csv").open(encoding="utf-8", newline="") as file:
        stated = [row["id"] for row in csv.DictReader(file)]
    assert len(stated) == 41
    assert {each.id for each in BARRIERS} == set(stated)
    names = [each.name for each in BARRIERS]
    assert len(names) == len(set(names))


@pytest.fixture(scope="module", params=["kecil", "lebak"])
def place(request: pytest.FixtureRequest) -> District:
    return find_district(KECIL if request.param == "kecil" else request.param)


def test_its_parameters_exist_and_only_those_named_differ(place: District) -> None:
    first, last = parse_month("2018-01"), parse_month("2024-12")
    known = place.parameters()
    for barrier in BARRIERS:
        switched = barriers.spelt_out(barrier.sides["with"], place).keys()
        assert switched == barriers.spelt_out(barrier.sides["without"], place).keys(), barrier.name
        assert switched <= known.keys(), barrier.name
        in_force = []
        for side in barriers.SIDES:
            # raises InputError for what does not exist, is out of range or comes too late
            resolved = barriers.resolved(place, *barriers.told(barrier, side, place), first, last)
            in_force.append({("start", key): value for key, value in resolved.initial.as_dict().items()})
            in_force[-1] |= {(format_month(change.month), change.key): change.value for change in resolved.changes}
        with_, without = in_force
        differ = {key for at, key in with_.keys() | without.keys() if with_.get((at, key)) != without.get((at, key))}
        assert differ and differ <= switched, barrier.name
        for (key, value), side in ((pair, each) for pair in barrier.background.items() for each in in_force):
            assert side["start", key] == value, barrier.name


def test_its_mechanisms_exist() -> None:
    for barrier in BARRIERS:
        for dotted in barrier.mechanism:
            found: Any = konvergensi
            for depth, part in enumerate(dotted.split(".")):
                if not hasattr(found, part):
                    importlib.import_module(".".join(["konvergensi", *dotted.split(".")[: depth + 1]]))
                found = getattr(found, part)
            assert callable(found), f"{barrier.name}: {dotted}"


def test_words_are_there_in_both_languages_and_break_no_table() -> None:
    for barrier in BARRIERS:
        words = [*barrier.words.values(), *measures.WORDS[barrier.measure]]
        assert all(words) and not any("|" in each for each in words), barrier.name


@pytest.mark.parametrize("name", sorted(measures.MEASURES))
def test_a_measure_is_a_number_that_moves(name: str) -> None:
    # two chances, linked lists without ministry rules, a decree that leaves nobody out
    models = [live("thirty-seventy", "without"), live("thirty-seventy", "with", 2)]
    models += [live("ministry-rules", "without"), live("decree-left-out", "without")]
    values = [measures.MEASURES[name](model) for model in models]
    assert np.isfinite(values).all()
    assert len(set(values)) > 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('direction = "lower"', 'direction = "down"', "B01: direction 'down' is neither higher nor lower"),
        ('measure = "goals_adopted"', 'measure = "goals"', "B01: there is no measure 'goals'"),
    ],
)
def test_a_wrong_word_in_the_table_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    table = tmp_path / "barriers.toml"
    table.write_text(barriers.TABLE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        barriers.load(table)


# ---- how it is run ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["late-information", "sectoral-ego", "covid-meetings", "beliefs"])
def test_a_side_is_an_ordinary_run_of_a_scenario(slug: str, tmp_path: Path) -> None:
    start, steps = barriers.told(named(slug), "with", find_district(KECIL))
    if not (start or steps):
        start = (("population.belief_mean", 0.3),)  # a side that is as the district is anyway
    changes = [
        f'  {{ from = "{month}", set = {{ "{key}" = {str(value).lower()} }} }},' for (month, key), value in steps
    ]
    words = '{ en = "x", id = "x" }'
    text = f"title = {words}\nquestion = {words}\nchange = [\n" + "\n".join(changes) + "\n]\n"
    (tmp_path / "side.toml").write_text(text, encoding="utf-8")
    usual = ConvergenceModel(str(tmp_path / "side.toml"), str(KECIL), 1, 1.0, end=PLACE.end, set=dict(start))
    while usual.running:
        usual.step()
    model = live(slug, "with")
    assert np.array_equal(usual.world.children.z, model.world.children.z)
    assert np.array_equal(usual.world.coordination.ties["formal"], model.world.coordination.ties["formal"])
    assert usual.world.coordination.carried_out == model.world.coordination.carried_out
    assert usual.recorder.rows["agencies"] == model.recorder.rows["agencies"]


# ---- the small district ----------------------------------------------------------------------------------------------


def test_the_small_district_is_good_and_says_that_it_is_synthetic() -> None:
    assert read_path(str(KECIL)) is not None
    place = find_district(KECIL)
    assert {"villages", "population", "agencies"} <= set(place.synthetic)
    assert "synthetic" in place.name
    table = place.villages
    assert table["kecamatan"].nunique() == 4 and len(table) == 24 and table["families"].sum() == 3000
    assert table.groupby("kecamatan")["lokus"].any().all()
    assert (table.groupby("kecamatan")["remoteness"].max() > 0.8).all()


def test_the_small_district_is_the_one_its_script_writes() -> None:
    lebak = ROOT / "scenarios/districts/lebak"
    wanted = {
        "district.toml": make_kecil.district((lebak / "district.toml").read_text(encoding="utf-8")),
        "opd.toml": make_kecil.agencies((lebak / "opd.toml").read_text(encoding="utf-8")),
        "villages.csv": make_kecil.villages(),
    }
    stale = [name for name, text in wanted.items() if (KECIL / name).read_text(encoding="utf-8") != text]
    assert not stale, f"run python tests/districts/make_kecil.py: {', '.join(stale)}"


# ---- the page --------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "barriers.md"
    path.write_text(make_barriers.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.mark.parametrize("page", [make_barriers.PAGE, make_barriers.HALAMAN], ids=["en", "id"])
def test_the_page_maps_every_barrier_as_the_table_has_it(page: Path) -> None:
    stale = make_barriers.stale(page.read_text(encoding="utf-8"), make_barriers.language(page))
    assert not stale, f"run python scripts/make_barriers.py: {'; '.join(stale)}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("| B07-juknis |", "| B07-guideline |", "B07-juknis is missing"),
        ("`socialization.juknis` no → yes", "`socialization.juknis` yes → no", "B07-juknis: Parameter"),
        ("<!-- barriers: table -->", "", "is there 0 times, not once"),
    ],
)
def test_a_page_edited_by_hand_is_found(
    page: Path, old: str, new: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new), encoding="utf-8")
    if "times" in message:
        with pytest.raises(ValueError, match=message):
            make_barriers.main(["--check", str(page)])
        return
    assert make_barriers.main(["--check", str(page)]) == 1
    assert message in capsys.readouterr().err


def test_numbers_of_the_page_are_written_into_it(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = {name: np.array([[1.0, 0.5], [1.0, 0.7]]) for name in ("measure", "prevalence", "package")}
    monkeypatch.setattr(make_barriers, "numbers", lambda share: [one] * len(BARRIERS))
    assert make_barriers.main([str(page)]) == 0
    assert make_barriers.main(["--check", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    line = next(row for row in text.splitlines() if row.startswith("| B04-same-person |"))
    assert " | 1.000 / 0.600 (+0.400) **not as stated** | " in line
    assert line.endswith(" | +0.40 (+0.30 .. +0.50) | +40.00 (+30.00 .. +50.00) |")
    assert "**Largest by prevalence of December 2024** (points): B01-sectoral-ego +0.40," in text


def test_the_indonesian_page_has_indonesian_words_and_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "barriers.id.md"
    page.write_text(make_barriers.HALAMAN.read_text(encoding="utf-8"), encoding="utf-8")
    one = {name: np.array([[1.0, 0.5], [1.0, 0.7]]) for name in ("measure", "prevalence", "package")}
    monkeypatch.setattr(make_barriers, "numbers", lambda share: [one] * len(BARRIERS))
    assert make_barriers.main([str(page)]) == 0
    line = next(row for row in page.read_text(encoding="utf-8").splitlines() if row.startswith("| B04-same-person |"))
    assert " | 1,000 / 0,600 (+0,400) **tidak seperti dinyatakan** | " in line
    assert line.endswith(" | +0,40 (+0,30 .. +0,50) | +40,00 (+30,00 .. +50,00) |")
