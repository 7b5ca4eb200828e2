"""What Python's users meet: everything by `import konvergensi as kv`, numbers of any make, and no raw error."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import konvergensi as kv
from konvergensi.base.errors import InputError, as_argument
from konvergensi.inputs import district_names
from konvergensi.inputs.districts import district_id, find_district, list_districts
from konvergensi.inputs.options import check_options

KECIL = str(Path(__file__).parent / "districts" / "kecil")
MONTH: dict[str, Any] = {"district": KECIL, "end": "2018-01"}


def refused(function: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    return str(caught.value)


# ---- names and tables ------------------------------------------------------------------------------------------------

QUESTIONS = (
    "run", "compare", "gaps", "explain", "trial", "study", "sensitivity", "discover", "robustness", "calibrate",
    "validate", "load", "districts", "scenarios", "services", "parameters",
)  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_is_reached_from_the_front_door(name: str) -> None:
    assert callable(getattr(kv, name)) and name in kv.__all__ and name in dir(kv)
    assert getattr(kv, name).__doc__


def test_what_there_is_comes_as_tables() -> None:
    assert kv.districts()["id"].tolist()[: len(list_districts())] == list_districts()
    assert {"name", "province", "families", "families_grade", "synthetic"} <= set(kv.districts())
    assert kv.scenarios()["id"][0] == "baseline" and kv.scenarios("id")["title"][0] != kv.scenarios("en")["title"][0]
    services = kv.services().set_index("id")
    assert services.loc["pmba", "effect_low"] < services.loc["pmba", "effect"] < services.loc["pmba", "effect_high"]
    assert services["effect_grade"].isin(["paper", "published", "model", "recalled", "assumption"]).all()


def test_every_parameter_comes_with_range_grade_and_source() -> None:
    known = kv.parameters().set_index("key")
    numbers = known[known["low"].notna()]
    assert (numbers["low"].astype(float) <= numbers["high"].astype(float)).all()
    assert (known["grade"] != "").all() and (known["source"] != "").all()
    assert kv.parameters("budget")["key"].str.startswith("budget.").all()
    lebak = kv.parameters(district="Lebak").set_index("key")
    assert "opd.dinkes.ego" in lebak.index
    own = find_district("lebak").overrides["growth.level_shift_z"]
    assert lebak.loc["growth.level_shift_z", "value"] == own.value
    assert lebak.loc["growth.level_shift_z", "source"] == own.source


# ---- studies ---------------------------------------------------------------------------------------------------------


def toy(**changes: Any) -> kv.Study:
    usual = {"model": "ishigami", "districts": "nowhere", "factors": ["x1", "x2"], "design": kv.Design("lhs", 6)}
    return kv.Study(**usual | changes)


def test_a_study_is_run_gone_on_with_and_lengthened(tmp_path: Path) -> None:
    store = kv.study(toy(), tmp_path / "store", workers=1)
    assert isinstance(store, kv.Store) and store.counts().ok == 6
    assert kv.study(store, workers=1).counts().ok == 6
    assert kv.study(str(store.path), draws=np.int64(8), workers=1).counts().ok == 8
    assert kv.study(store, seeds=2, workers=1).counts().ok == 16


def test_what_a_study_misses_or_has_too_much_is_said(tmp_path: Path) -> None:
    assert "out: missing" in refused(kv.study, toy())
    assert "draws: 9 lengthens" in refused(kv.study, toy(), tmp_path / "store", draws=9)
    store = kv.study(toy(), tmp_path / "store", workers=1)
    assert "leave" in refused(kv.study, store, tmp_path / "other")
    assert "no store" in refused(kv.discover, tmp_path, "y > 1")


def test_lists_arrays_and_single_names_do_for_a_study() -> None:
    plain = toy(scenarios=("baseline",), seeds=(1, 2), title={"en": "Toy", "id": "Toy"})
    other = toy(scenarios="baseline", seeds=np.array([1, 2]), title="Toy", districts=np.array(["nowhere"]))
    assert other == plain and toy(seeds=2).seeds == (1, 2)
    assert all(type(seed) is int for seed in other.seeds)


WRONG_STUDIES = [
    {"seeds": "a"}, {"seeds": []}, {"seeds": 1.5}, {"seeds": [1, None]}, {"factors": 3}, {"factors": [3]},
    {"design": "lhs"}, {"set": ["x"]}, {"title": 3}, {"title": {"en": 3}}, {"scenarios": 3}, {"districts": {"a"}},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_STUDIES, ids=str)
def test_a_study_of_wrong_types_is_refused_by_the_name_of_the_argument(wrong: dict[str, Any]) -> None:
    assert refused(toy, **wrong).startswith(next(iter(wrong)))


# ---- numbers of any make ---------------------------------------------------------------------------------------------


def test_numbers_of_numpy_are_numbers() -> None:
    plain = kv.run(seed=3, set={"budget.inertia": 0.3}, population_share=1.0, **MONTH)
    given_ = {"seed": np.int64(3), "set": {"budget.inertia": np.float64(0.3)}, "population_share": np.float32(1.0)}
    assert kv.run(**given_, **MONTH).tables()["series"].equals(plain.series)
    assert kv.run(**given_, **MONTH).manifest["set"] == {"budget.inertia": 0.3}
    assert kv.trial("pmba", n=np.int32(200), seed=np.array(2)).laz == kv.trial("pmba", n=200, seed=2).laz
    assert check_options(start="2018-01", end="2018-01", seed=np.uint8(3), population_share=np.float16(0.5))


@given(st.integers(0, 100), st.sampled_from([np.int8, np.int64, np.uint16, np.float64]))
def test_a_setting_is_the_same_in_any_number_type(percent: int, kind: Callable[[float], Any]) -> None:
    parameter = find_district("lebak").parameters()["goals.leadership"]
    value = kind(percent / 100)
    assert parameter.checked(value) == float(value)


def test_scenarios_come_in_a_list_an_array_or_a_series(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("konvergensi.analyses.compare.make_plan", lambda names, *_: asked.append(names) or 1 / 0)
    for names in (("baseline", "one-list"), np.array(["baseline", "one-list"]), pd.Series(["baseline", "one-list"])):
        with pytest.raises(ZeroDivisionError):
            kv.compare(names)  # type: ignore[arg-type]
    assert asked == [["baseline", "one-list"]] * 3


# ---- wrong types -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("scenario: ['baseline'] holds several; name one", lambda: kv.run(["baseline"])),  # type: ignore[arg-type]
        ("set: ['x'] does not give values by key", lambda: kv.run(set=["x"])),  # type: ignore[arg-type]
        ("rng: 'a' is not a whole number", lambda: kv.ConvergenceModel(rng="a")),  # type: ignore[arg-type]
        ("seed: 'a' is not a whole number", lambda: kv.run(seed="a")),  # type: ignore[arg-type]
        ("trace_children: '3' is not a whole number", lambda: kv.run(trace_children="3")),  # type: ignore[arg-type]
        ("population_share: None is not a number", lambda: kv.run(population_share=None)),  # type: ignore[arg-type]
        ("scenarios: 'baseline' is not a list of names", lambda: kv.compare("baseline")),
        ("progress: 3 is not a function", lambda: kv.run(progress=3)),  # type: ignore[arg-type]
        ("until: '2019-01' is before 2020-01 (since)", lambda: kv.explain(since="2020-01", until="2019-01")),
        ("lang: 'fr' is not one of: en, id", lambda: kv.gaps(lang="fr")),  # type: ignore[arg-type]
        ("method: 'cart' is not one of: prim, tree", lambda: kv.discover("x", "y > 1", method="cart")),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_type_is_refused_in_words_of_python(said: str, asked: Callable[[], object]) -> None:
    assert said in refused(asked)


class Reached(Exception):
    """The arguments were taken: what would be simulated is not."""


def stop(*_: Any, **__: Any) -> Any:
    raise Reached


STOPS = (
    "konvergensi.model.convergence.build_world", "konvergensi.analyses.compare.rows_of",
    "konvergensi.analyses.gaps.rows_of", "konvergensi.analyses.explain.rows_of",
    "konvergensi.analyses.trial.grow_cohort", "konvergensi.studies.from_python.run_study",
    "konvergensi.analyses.sensitivity.prepared", "konvergensi.analyses.calibrate.Simulator",
    "konvergensi.analyses.validate.Analysis",
)  # fmt: skip
ARGUMENTS = {
    kv.run: ("scenario", "district", "seed", "start", "end", "population_share", "set", "trace_children", "progress"),
    kv.ConvergenceModel: ("scenario", "district", "rng", "start", "end", "population_share", "set", "trace_children"),
    kv.compare: ("scenarios", "district", "draws", "seeds", "population_share", "start", "end", "set", "draws_from",
                 "workers", "keep", "progress", "extensions", "cluster"),
    kv.gaps: ("district", "seeds", "draws", "population_share", "start", "end", "workers", "ranges", "lang", "keep"),
    kv.explain: ("district", "since", "until", "seeds", "population_share", "agencies", "workers", "set", "draws_from"),
    kv.trial: ("services", "n", "seed", "lang", "set"),
    kv.study: ("study", "out", "draws", "seeds", "workers", "cluster", "retry_failed", "progress"),
    kv.sensitivity: ("study", "method", "out", "output", "district", "draws", "workers", "on_failed", "begun"),
    kv.discover: ("store", "where", "scenario", "method", "district", "density"),
    kv.robustness: ("store", "output", "threshold", "district"),
    kv.calibrate: ("study", "out", "workers", "cluster", "progress"),
    kv.validate: ("calibration", "observed", "other", "tell"),
    kv.level: ("area", "months", "observed", "systems"),
    kv.load: ("folder",),
    kv.scenarios: ("lang",),
    kv.parameters: ("room", "district"),
}  # fmt: skip
NEEDED: dict[Any, dict[str, Any]] = {
    kv.compare: {"scenarios": ["baseline", "one-list"]},
    kv.trial: {"services": "pmba"},
    kv.study: {"study": "nowhere", "out": "nowhere"},
    kv.sensitivity: {"study": "nowhere", "method": "sobol", "out": "nowhere"},
    kv.discover: {"store": "nowhere", "where": "y > 1"},
    kv.robustness: {"store": "nowhere"},
    kv.calibrate: {"study": "quick", "out": "nowhere"},
    kv.validate: {"calibration": "nowhere"},
    kv.level: {"area": "lebak", "months": ["2024-01"]},
    kv.load: {"folder": "nowhere"},
}
THINGS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3),
    st.complex_numbers(),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=3)), max_size=2),
    st.dictionaries(st.one_of(st.integers(), st.text(max_size=3)), st.none(), max_size=2),
    st.sampled_from(
        [object(), len, int, ..., {1}, frozenset(), np.nan, np.array(["a", "b"]), np.array(3), np.float32(0.5),
         np.bool_(True), np.datetime64("2020-01"), pd.NaT, pd.NA, pd.DataFrame({"a": [1]}), pd.Series([1, 2]),
         datetime.date(2020, 1, 1), datetime.date(2020, 1, 2), Path("nowhere"), 10**400, -(10**5000), "a\0b", "x" * 300]
    ),
)  # fmt: skip


@settings(max_examples=40)
@given(data=st.data())
@pytest.mark.parametrize("function", ARGUMENTS, ids=lambda each: each.__name__)
def test_whatever_is_given_is_taken_or_refused_as_input(function: Callable[..., Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(ARGUMENTS[function]))
    value = data.draw(THINGS)
    with pytest.MonkeyPatch.context() as patch:
        for place in STOPS:
            patch.setattr(place, stop)
        try:
            function(**NEEDED.get(function, {}) | {name: value})
        except (InputError, Reached) as error:
            if isinstance(error, InputError):
                assert str(error).strip() and "--" not in str(error).split(":")[0]


def test_options_at_the_command_line_are_arguments_in_python() -> None:
    with pytest.raises(InputError) as caught:
        check_options(start="2020-01", end="2019-12", population_share=80)
    typed, python = caught.value.lines(typed=True), caught.value.lines()
    assert typed[0] == "--end: '2019-12' is before 2020-01 (--start)"
    assert python[0] == "end: '2019-12' is before 2020-01 (start)"
    assert typed[1].startswith("--population-share: ") and python[1].startswith("population_share: ")
    assert as_argument("give --draws 64, --failed drop or --set") == "give draws=64, on_failed=drop or set"


# ---- names of districts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("lebak", "lebak"), ("Lebak", "lebak"), ("LEBAK", "lebak"), ("kabupaten lebak", "lebak"),
        ("Kab. Lebak", "lebak"),
        ("Kota Banjar", "kota-banjar"), ("KOTA  BANJAR", "kota-banjar"), ("sumedang", "32.11"),
        ("kota-banjar", "kota-banjar"), ("Hulu Sungai Utara", "hulu-sungai-utara"),
    ],
)  # fmt: skip
def test_a_district_is_found_by_its_name_as_people_write_it(name: str, id_: str) -> None:
    assert find_district(name).id == id_


@pytest.mark.parametrize("id_", list_districts())
def test_every_id_and_every_name_of_a_shipped_district_finds_it(id_: str) -> None:
    assert district_id(id_) == id_ and district_id(find_district(id_).name) == id_


def test_a_city_is_not_the_regency_of_the_same_name() -> None:
    assert find_district("Kabupaten Banjar").id == "63.03" and find_district("Kota Banjar").id == "kota-banjar"


def test_a_name_that_fits_two_districts_is_refused_naming_both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = {}
    for kind in ("Kota", "Kabupaten"):
        folder = tmp_path / f"{kind.lower()}-entah"
        folder.mkdir()
        (folder / "district.toml").write_text(f'name = "{kind} Entah"\n', encoding="utf-8")
        known[folder.name] = folder
    monkeypatch.setattr(district_names, "shipped_folders", lambda: known)
    said = refused(find_district, "Entah")
    assert "Kota Entah (kota-entah)" in said and "Kabupaten Entah (kabupaten-entah)" in said
    assert district_id("kab. entah") == "kabupaten-entah"


def test_a_folder_is_still_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_district(KECIL).id == "kecil"
    monkeypatch.chdir(Path(KECIL).parent)
    assert find_district("kecil").id == "kecil" and find_district("./kecil").id == "kecil"


# ---- titles ----------------------------------------------------------------------------------------------------------


def test_a_title_may_be_one_text_for_both_languages_and_check_says_so(tmp_path: Path) -> None:
    from konvergensi.inputs.check import advice
    from konvergensi.inputs.scenarios import load_scenario
    from konvergensi.studies.study_file import read_study

    file = tmp_path / "mine.toml"
    file.write_text(
        'title = "Rencana awal"\nquestion = { en = "What if?", id = "Bagaimana bila?" }\n', encoding="utf-8"
    )
    read = load_scenario(file)
    assert read.title["en"] == read.title["id"] == "Rencana awal"
    assert [each.key for each in advice(read)] == ["title"] and "both languages" in advice(read)[0].text()
    assert not [
        each for name in ("baseline", "one-list") for each in advice(load_scenario(name)) if each.key == "title"
    ]
    study = tmp_path / "study.toml"
    study.write_text('title = "Coba"\nmodel = "ishigami"\n', encoding="utf-8")
    assert read_study(study).title == {"en": "Coba", "id": "Coba"}
    file.write_text('title = 3\nquestion = ""\n', encoding="utf-8")
    assert "title" in refused(load_scenario, file)
