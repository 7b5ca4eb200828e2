"""Extensions: what a user adds from outside works everywhere, stands in every identity, and fails in one clear line.

The code is that of docs/extending.md, so that the chapter is what is tested.
"""

import contextlib
import json
import pickle
import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest
from study_driver import KECIL, Cluster, cluster_of, exported
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.analyses.compare_plan import sample_of
from konvergensi.analyses.sensitivity import sensitivity
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app
from konvergensi.inputs import extensions, service_kinds
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.extensions import in_force, read_extension
from konvergensi.inputs.services import Service
from konvergensi.model.build import BURN_IN_MONTHS
from konvergensi.model.convergence import MONTH
from konvergensi.studies.execute import resume_study, run_study
from konvergensi.studies.study_file import load_study

DOCS = Path(__file__).resolve().parents[1] / "docs"
SHORT: dict[str, Any] = {"district": KECIL, "population_share": 0.2, "start": "2018-01", "end": "2018-03"}
STUDY_EXAMPLE = "rainy.toml"


def blocks(page: Path) -> dict[str, str]:
    """The examples of the chapter by the name of their file."""
    text = page.read_text(encoding="utf-8")
    return {name: f"# {name}\n{code}" for name, code in re.findall(r"```\w+\n# (\S+)\n(.*?)```", text, re.DOTALL)}


EXAMPLES = blocks(DOCS / "extending.md")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of the chapter, in which one is."""
    for name, code in EXAMPLES.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster_of(1, tmp_path_factory.mktemp("dask")) as found:
        yield found


@pytest.fixture(scope="module")
def plain() -> kv.Run:
    return kv.run("baseline", **SHORT)


def call(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def same_tables(one: kv.Run, other: kv.Run) -> bool:
    mine, yours = one.tables(), other.tables()
    return mine.keys() == yours.keys() and all(mine[name].equals(yours[name]) for name in mine)


# ---- the chapter -----------------------------------------------------------------------------------------------------


def test_both_languages_show_the_same_examples_each_under_twenty_lines() -> None:
    assert blocks(DOCS / "extending.id.md") == EXAMPLES
    assert {"rains.py", "brought.py", "telur.toml", "no_august.py", STUDY_EXAMPLE} <= set(EXAMPLES)
    for name, code in EXAMPLES.items():
        parts = code.split("\n\n[[programme]]")  # a service, and the programme that pays for it
        assert all(len(part.strip().splitlines()) < 20 for part in parts), name


@pytest.mark.parametrize("page", ["extending.md", "extending.id.md"])
def test_the_chapter_names_the_parts_of_the_month_in_their_order(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    said = re.search(r"(?:in their order|menurut urutan):(.*?)\.\s", text, re.DOTALL)
    assert said and tuple(re.findall(r"`(\w+)`", said[1])) == MONTH
    assert f"{BURN_IN_MONTHS} months" in text or f"{BURN_IN_MONTHS} bulan" in text


def test_what_the_chapter_says_the_world_holds_is_there() -> None:
    model = kv.ConvergenceModel(district=KECIL, rng=1, population_share=0.1, end="2018-01")
    text = (DOCS / "extending.md").read_text(encoding="utf-8")
    table = text.split("### What the world holds")[1].split("## An observer")[0]
    for row in table.splitlines():
        for name in re.findall(r"`world\.([a-z_]+)", row):
            assert hasattr(model.world, name)
        owner = re.match(r"\| `world\.(children|households|programmes|opds)` \|(.*)", row)
        for column in set(re.findall(r"`(\w+)`", owner[2])) - set(MONTH) if owner else ():
            found = getattr(model.world, owner[1])
            assert hasattr(found[0] if owner[1] == "opds" else found, column), column


@pytest.mark.parametrize("page", ["extending.md", "extending.id.md"])
def test_the_chapter_says_what_each_key_of_a_service_may_be(page: str) -> None:
    said = {}
    for key, values in re.findall(r"^\| (.+?) \| (.+) \|$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE):
        said.setdefault(key.split("`")[1] if "`" in key else key, set()).update(re.findall(r"`([\w-]+)`", values))
    for key in ("need", "venue", "acts_on", "uptake"):
        assert said[key] == set(service_kinds.names(key)), key
    for key, kind in {"class": "class_", "money": "money", "unit": "unit", "contact": "contact"}.items():
        assert said[key] - {"venue"} == set(get_args(Service.model_fields[kind].annotation)), key


# ---- each kind -------------------------------------------------------------------------------------------------------


def test_a_mechanism_acts_in_its_place_and_its_parameter_scales_it(folder: Path, plain: kv.Run) -> None:
    everyone, some, nobody = (
        kv.run("baseline", **SHORT, extensions=["rains.py", "brought.py"], set={"rains.staying_home_share": share})
        for share in (0.0, 0.5, 1.0)
    )
    brought = [run.tables()["brought"]["brought"].tolist() for run in (everyone, some, nobody)]
    assert brought[0][0] > brought[1][0] > brought[2][0] == 0
    assert brought[0][2] == pytest.approx(brought[2][2], rel=0.2) and brought[2][2] > 0  # March is dry
    shipped = {name: table for name, table in everyone.tables().items() if name != "brought"}
    assert all(table.equals(plain.tables()[name]) for name, table in shipped.items())  # nothing else is moved


def test_an_observer_makes_a_table_that_is_saved_and_loaded(folder: Path, plain: kv.Run) -> None:
    run = kv.run("baseline", **SHORT, extensions="brought.py")
    table = run.tables()["brought"]
    assert list(table) == ["month", "children", "brought"] and len(table) == 3
    assert table["month"].tolist() == ["2018-01", "2018-02", "2018-03"]  # as in every table, to be joined by it
    names = run.save(folder / "out", figures=False)
    assert "brought.parquet" in names
    pd.testing.assert_frame_equal(kv.load(folder / "out").tables()["brought"], table)
    assert [name for name in run.tables() if name != "brought"] == list(plain.tables())


def test_a_service_is_given_paid_and_tried(folder: Path) -> None:
    run = kv.run("baseline", **SHORT | {"end": "2018-06"}, extensions=["telur.toml"])
    money = run.money[run.money["programme"] == "dinkes:telur:apbd"]
    assert money["budgeted_rp"].sum() > 0 and run.service_names["telur"]["id"] == "Sebutir telur sehari"
    reached = run.cascade[(run.cascade["service"] == "telur") & (run.cascade["stage"] == "taken_up")]
    assert reached["children"].sum() > 0
    tried = kv.trial("telur", n=2000, extensions=["telur.toml"])
    assert tried.laz.value == pytest.approx(0.1, abs=0.02)
    with pytest.raises(InputError, match="unknown service 'telur'"):
        kv.trial("telur", n=2000)


def test_a_model_of_ones_own_is_the_one_that_is_simulated(folder: Path) -> None:
    span = SHORT | {"end": "2018-08"}
    usual = kv.run("baseline", **span, extensions=["brought.py"]).tables()["brought"]["brought"]
    own = kv.run("baseline", **span, extensions=["no_august.py", "brought.py"]).tables()["brought"]["brought"]
    assert own[:7].tolist() == usual[:7].tolist() and own[7] == 0 < usual[7]


def test_without_extensions_nothing_is_left_of_them(folder: Path, plain: kv.Run) -> None:
    kv.run("baseline", **SHORT, extensions=["rains.py", "telur.toml"])
    again = kv.run("baseline", **SHORT)
    assert same_tables(again, plain) and again.manifest["extensions"] == []


def test_a_copied_and_a_pickled_model_go_on_as_one(folder: Path) -> None:
    model = kv.ConvergenceModel("baseline", KECIL, 1, 0.1, end="2018-03", extensions=["rains.py", "brought.py"])
    model.step()
    (extension, _) = model.extensions
    again = pickle.loads(pickle.dumps(extension))
    assert again.sha256 == extension.sha256 and set(again.mechanisms) == {"stay_home"}
    (folder / "rains.py").write_text(EXAMPLES["rains.py"] + "\n# changed\n")
    with pytest.raises(InputError, match="is not the file that the work was begun with"):
        pickle.loads(pickle.dumps(extension))


# ---- everywhere ------------------------------------------------------------------------------------------------------


def test_the_manifest_names_them(folder: Path) -> None:
    done = call("run", "baseline", "--district", KECIL, "--population-share", "0.1", "--end", "2018-01", "--with",
                "rains.py", "--out", "out", "--no-figures")  # fmt: skip
    assert done.exit_code == 0, done.output
    (named,) = json.loads((folder / "out" / "manifest.json").read_text())["extensions"]
    assert named == {"name": "rains", "file": "rains.py", "sha256": read_extension("rains.py").sha256}


def test_a_comparison_holds_them_on_every_engine(folder: Path, cluster: Cluster) -> None:
    how = {"draws": 1, "seeds": 1, "draws_from": "prior", **SHORT, "end": "2018-02", "extensions": ["rains.py"]}
    policy = folder / "dry.toml"
    policy.write_text(
        'title = { en = "A", id = "A" }\nquestion = { en = "B", id = "B" }\n'
        'change = [{ from = "2018-01", set = { "rains.staying_home_share" = 0.0 } }]\n'
    )
    names = ["baseline", str(policy)]
    one = kv.compare(names, workers=1, keep=folder / "runs", **how)
    assert [each["name"] for each in one.manifest["extensions"]] == ["rains"]
    assert "rains.staying_home_share" in str(one.manifest["changes"])
    for other in ({"workers": 2}, {"cluster": cluster.address}):
        pd.testing.assert_frame_equal(kv.compare(names, **how, **other).comparison, one.comparison, check_exact=True)
    told: list[tuple[int, int]] = []
    kv.compare(names, workers=1, keep=folder / "runs", progress=lambda *each: told.append(each), **how)
    assert told == [(4, 4)]
    (folder / "rains.py").write_text(EXAMPLES["rains.py"] + "\n# changed\n")
    told.clear()
    kv.compare(names, workers=1, keep=folder / "runs", progress=lambda *each: told.append(each), **how)
    assert told[0] == (0, 4)  # another file is another comparison


def test_a_comparison_draws_the_same_of_shipped_parameters_with_and_without_them(folder: Path) -> None:
    def drawn() -> list[dict[str, Any]]:
        return sample_of(find_district(KECIL), 3, ())[1]

    without = drawn()
    with in_force(["rains.py", "telur.toml"]):
        found = drawn()
    added = {"rains.staying_home_share", "services.telur.unit_cost_rp", "services.telur.effect"}
    assert [each.keys() - other.keys() for each, other in zip(found, without)] == [added] * 3
    assert [{key: value for key, value in each.items() if key not in added} for each in found] == without


def test_gaps_and_explain_live_them(folder: Path) -> None:
    own = SHORT | {"end": "2018-12", "population_share": 0.05}
    found = kv.gaps(seeds=1, draws=0, ranges=False, workers=1, extensions=["no_august.py"], **own)
    assert found.manifest["extensions"][0]["file"] == "no_august.py"
    short = {"seeds": 1, "agencies": 1, "population_share": 0.05, "workers": 1, "until": "2018-06"}
    why = kv.explain(KECIL, extensions=["rains.py", "no_august.py"], **short)
    assert [each["name"] for each in why.manifest["extensions"]] == ["rains", "no_august"]


def test_a_study_varies_their_parameters_over_processes_and_dask(folder: Path, cluster: Cluster) -> None:
    text = (
        (folder / STUDY_EXAMPLE).read_text().replace('end = "2018-12"', 'end = "2018-02"\ndistricts = ["kota-banjar"]')
    )
    (folder / STUDY_EXAMPLE).write_text(text)
    study = load_study(folder / STUDY_EXAMPLE)
    assert [factor.key for factor in study.factors] == ["rains.staying_home_share", "budget.inertia"]
    one = run_study(study, folder / "one", workers=1)
    assert one.counts().failed == 0, one.runs()["error"].tolist()
    assert exported(run_study(study, folder / "two", workers=2)) == exported(one)
    assert exported(run_study(study, folder / "dask", cluster=cluster.address)) == exported(one)
    assert one.manifest["identity"]["extensions"] == {"rains": read_extension("rains.py").sha256}
    found = sensitivity(study, "morris", out=folder / "s", draws=2, workers=1, output=["services_mean"])
    assert {"rains.staying_home_share", "budget.inertia"} <= set(found.sensitivity["factor"])
    assert found.manifest["extensions"] == [read_extension("rains.py").as_data()]
    (folder / "rains.py").write_text(EXAMPLES["rains.py"] + "\n# changed\n")
    with pytest.raises(InputError, match=r"holds another study \(extensions differ\)"):
        resume_study(folder / "one", workers=1)


def test_a_worker_with_another_version_is_refused(folder: Path) -> None:
    from konvergensi.studies.cells import work_of
    from konvergensi.studies.identity import identity_of
    from konvergensi.studies.study import checked, sources_of

    study = checked(load_study(folder / STUDY_EXAMPLE))
    work = work_of(study, identity_of(study, sources_of(study)))
    (folder / "rains.py").write_text(EXAMPLES["rains.py"] + "\n# changed\n")
    with pytest.raises(InputError, match="this worker has other extensions than the work was begun with"):
        work.check()
    (folder / "rains.py").unlink()
    with pytest.raises(InputError, match=r"rains\.py"):
        work.check()


# ---- installed -------------------------------------------------------------------------------------------------------


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with an entry point, as pip would leave it."""
    package = folder / "site" / "rain_plugin"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(EXAMPLES["rains.py"])
    monkeypatch.syspath_prepend(str(package.parent))
    points = [EntryPoint("rains", "rain_plugin", extensions.GROUP)]
    monkeypatch.setattr(extensions, "entry_points", lambda group: points if group == extensions.GROUP else [])
    yield "rains"
    sys.modules.pop("rain_plugin", None)


def test_an_installed_package_goes_by_its_name_and_acts_only_when_named(installed: str, plain: kv.Run) -> None:
    run = kv.run("baseline", **SHORT, extensions=[installed])
    assert run.manifest["extensions"][0]["name"] == "rains"
    assert not run.series.equals(plain.series) or not run.surveys.equals(plain.surveys)
    assert same_tables(kv.run("baseline", **SHORT), plain)
    with pytest.raises(InputError, match=r"unknown extension .rain.; there is rains; did you mean rains\?"):
        kv.run("baseline", **SHORT, extensions=["rain"])


# ---- faults ----------------------------------------------------------------------------------------------------------

HEAD = "import konvergensi as kv\n"
BAD = {
    "x.txt": ("", "is no extension: write the name of an installed one, or of a file that ends in .py or .toml"),
    "missing.py": (None, "no such file"),
    "empty.py": ("x = 1\n", "adds nothing: no parameter"),
    "empty.toml": ("", "adds nothing: no parameter"),
    "syntax.py": ("def f(:\n", "line 1: SyntaxError"),
    "broken.py": (HEAD + "nothing = 1 / 0\n", "line 2: ZeroDivisionError: division by zero"),
    "exits.py": (HEAD + "raise SystemExit(3)\n", "line 2: SystemExit"),
    "place.py": (
        HEAD + "@kv.mechanism(after='go_to_posyand')\ndef f(world): ...\n",
        "f: unknown part of the month 'go_to_posyand'; there is adopt_goals, .*; did you mean go_to_posyandu?",
    ),
    "bare.py": (HEAD + "@kv.mechanism('record')\ndef f(world): ...\n", "name one part of the month"),
    "nowhere.py": (HEAD + "@kv.mechanism()\ndef f(world): ...\n", "name one part of the month"),
    "columns.py": (HEAD + "@kv.observer()\ndef f(world): ...\n", "name the columns of its rows"),
    "shipped.py": (HEAD + "@kv.observer('a')\ndef series(world): ...\n", "series: 'series' is there already"),
    "argument.py": (HEAD + "@kv.mechanism(after='record')\ndef f(): ...\n", "f: has to be a function of one argument"),
    "budget.toml": (
        '[inertia]\nvalue = 0.5\nlow = 0.0\nhigh = 1.0\nunit = "share"\nsource = "a"\ngrade = "assumption"\n'
        'meaning = "a"\narti = "a"\n',
        "parameter: 'budget.inertia' is there already",
    ),
    "range.py": ('PARAMETERS = {"a": {"value": 2.0, "low": 0.0, "high": 1.0}}\n', r"a\.unit: missing"),
    "service.toml": ('[[service]]\nid = "x"\n', r"service\[x\]"),
    "money.toml": ('[[programme]]\nservice = "telurr"\nopd = "dinkes"\nmoney = "apbd"\n', "unknown service 'telurr'"),
    "two.py": (
        HEAD + "class A(kv.ConvergenceModel): ...\nclass B(kv.ConvergenceModel): ...\n",
        "only one model can be simulated, and there are A, B",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    code, message = BAD[name]
    if code is not None:
        (tmp_path / name).write_text(code)
    with pytest.raises(InputError, match=message) as found:
        kv.run("baseline", **SHORT, extensions=[tmp_path / name])
    assert name == "two.py" or name in str(found.value)
    assert len(found.value.lines("id")) == len(found.value.lines()) and "\n" not in found.value.lines("id")[0]


def test_what_fails_in_the_middle_of_a_run_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(
        HEAD + "@kv.mechanism(before='record')\ndef f(world):\n    if not world.burn_in:\n        wrld.month\n"
    )
    (tmp_path / "rows.py").write_text(HEAD + "@kv.observer('a', 'b')\ndef f(world):\n    return [(1,)]\n")
    with pytest.raises(InputError, match=r"late\.py: f: line 5: NameError: name 'wrld' is not defined"):
        kv.run("baseline", **SHORT, extensions=[tmp_path / "late.py"])
    with pytest.raises(InputError, match=r"late\.py: f: line 5: NameError"), contextlib.chdir(tmp_path):
        kv.run("baseline", **SHORT, extensions=["late.py"])  # named from the folder one is in
    (tmp_path / "long.py").write_text(
        HEAD + "@kv.mechanism(before='record')\ndef f(world):\n    world.attended = [1]\n"
    )
    with pytest.raises(InputError, match=r"long\.py: f: world\.attended has to keep its length"):
        kv.run("baseline", **SHORT, extensions=[tmp_path / "long.py"])
    (tmp_path / "key.py").write_text(
        HEAD + "@kv.mechanism(before='record')\ndef f(world):\n    world.settings['k.x']\n"
    )
    with pytest.raises(InputError, match=r"key\.py: f: k\.x: unknown key"):
        kv.run("baseline", **SHORT, extensions=[tmp_path / "key.py"])
    with pytest.raises(InputError, match=r"rows\.py: f: has to return a list of rows with 2 values each \(a, b\)"):
        kv.run("baseline", **SHORT, extensions=[tmp_path / "rows.py"])


def test_an_agency_that_a_district_has_not_is_told(folder: Path) -> None:
    (folder / "telur.toml").write_text(EXAMPLES["telur.toml"].replace('opd = "dinkes"', 'opd = "dinkess"'))
    with pytest.raises(InputError, match=r"telur\.toml: .*unknown OPD 'dinkess'"):
        kv.run("baseline", **SHORT, extensions=["telur.toml"])


def test_check_tells_an_agency_a_district_has_not_a_service_nobody_pays_for_and_reads_a_study(folder: Path) -> None:
    (folder / "none.toml").write_text(EXAMPLES["telur.toml"].split("[[programme]]")[0])
    (folder / "ess.toml").write_text(EXAMPLES["telur.toml"].replace('opd = "dinkes"', 'opd = "dinkess"'))
    free, other, good, study = (
        call("check", *words)
        for words in (["none.toml"], ["ess.toml", "--district", KECIL], ["telur.toml"], [STUDY_EXAMPLE])
    )
    assert free.exit_code == 0 and "telur: no [[programme]] here pays for it" in free.output
    assert other.exit_code == 2 and "unknown OPD 'dinkess'" in other.output
    assert good.exit_code == 0 and "pays for it" not in good.output
    assert study.exit_code == 0 and "How much do the rains matter?" in study.output


@pytest.mark.parametrize("lang", ["en", "id"])
def test_check_says_what_a_file_adds_or_what_is_wrong(lang: str, folder: Path) -> None:
    done = call("check", "rains.py", "--lang", lang)
    assert done.exit_code == 0 and "rains.staying_home_share" in done.stdout and "stay_home" in done.stdout
    assert call("check", "telur.toml").exit_code == 0 and call("check", "no_august.py").exit_code == 0
    (folder / "bad.py").write_text(BAD["place.py"][0])
    done = call("check", "bad.py", "--lang", lang)
    assert done.exit_code == 2 and "go_to_posyandu" in done.output and "Traceback" not in done.output


def test_describe_tells_of_their_parameters(folder: Path) -> None:
    done = call("describe", "rains.staying_home_share", "--with", "rains.py")
    assert done.exit_code == 0 and "share of children" in done.stdout
    assert re.search(r"file\s+rains\.py", done.stdout)
    assert call("describe", "rains.staying_home_share").exit_code == 2


@pytest.mark.parametrize("given", [5, [5], {"rains.py": 1}])
def test_what_names_no_files_is_refused(given: Any) -> None:
    with pytest.raises(InputError, match=r"extensions: .* (list of names|neither a name nor a path)"):
        kv.run("baseline", **SHORT, extensions=given)


def test_extensions_named_twice_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="'rains' is there already"), in_force(["rains.py", "rains.py"]):
        pass
