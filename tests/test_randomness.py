import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cross_version
import numpy as np
import pandas as pd
import pytest
from conftest import copy_of_lebak, finished, live

import konvergensi
from konvergensi.inputs.parameters import Settings
from konvergensi.inputs.scenarios import resolve
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.results.run import Run

SHARE = 0.01
HASHES = """
import hashlib, json, sys
import pandas as pd
import konvergensi as kv
run = kv.run("one-list", population_share=0.01, end="2020-06", seed=5, trace_children=20)
hashes = {}
for name, table in run.tables().items():
    content = table.to_csv(index=False, float_format="%.17g").encode()
    hashes[name] = hashlib.sha256(content).hexdigest()
json.dump(hashes, sys.stdout)
"""


def hashes_of_another_process(hash_seed: str) -> dict[str, str]:
    """Hashes of every table of the same run in a fresh interpreter with this PYTHONHASHSEED."""
    source = str(Path(konvergensi.__file__).resolve().parents[1])
    env = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", HASHES], capture_output=True, text=True, env=env, check=True)
    return json.loads(done.stdout)


def same(one: Run, other: Run, but: tuple[str, ...] = ()) -> None:
    for name, table in one.tables().items():
        if name not in but:
            pd.testing.assert_frame_equal(table, other.tables()[name], check_exact=True, obj=name)


def run_of(scenario: str = "baseline", **options: object) -> Run:
    return finished(live(scenario, share=SHARE, **({"end": "2020-06"} | options)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def usual() -> Run:
    return run_of()


def test_the_same_seed_gives_the_same_bits_in_two_processes_with_two_hash_seeds() -> None:
    one, other = hashes_of_another_process("0"), hashes_of_another_process("4242")
    assert one == other
    assert {"series", "surveys", "cascade", "money", "targeting", "children"} <= set(one)


def test_the_same_seed_gives_the_same_bits_twice_in_one_process(usual: Run) -> None:
    same(usual, run_of())


def test_different_seeds_differ_in_every_table_that_chance_touches(usual: Run) -> None:
    other = run_of(seed=2)
    for name in ("series", "indicators", "surveys", "cascade", "money", "targeting", "villages"):
        assert not usual.tables()[name].equals(other.tables()[name]), name


def test_a_parameter_set_to_the_value_it_had_changes_no_bit(usual: Run) -> None:
    model = ConvergenceModel(rng=1, population_share=SHARE, end="2018-01")
    start = resolve(model.policy, model.place, None, model.first_month, model.last_month).initial
    dated = {change.key for change in ConvergenceModel(rng=1, population_share=SHARE, end="2020-06").changes}
    every = {key: start[key] for key in start if key not in dated}
    assert len(every) > 150
    same(usual, run_of(set=every))


def test_a_scenario_that_says_what_is_so_already_changes_no_bit(usual: Run, tmp_path: Path) -> None:
    settings = Settings.defaults()
    scenario = tmp_path / "as-it-is.toml"
    changes = {key: settings[key] for key in ("budget.inertia", "registers.sharing_share", "calendar.aksi_2_month")}
    text = ", ".join(f'"{key}" = {value}' for key, value in changes.items())
    scenario.write_text(
        'title = { en = "As it is", id = "Seperti adanya" }\nquestion = { en = "?", id = "?" }\nextends = "baseline"\n'
        f'change = [{{ from = "2018-01", set = {{ {text} }} }}, {{ from = "2019-03", set = {{ {text} }} }}]\n',
        encoding="utf-8",
    )
    same(usual, run_of(str(scenario)))


AGENCY = """[[opd]]
id = "bpbd"
name = "BPBD"
gloss = "disaster office"
in_decree = true
surveyed = false
register = "krs"
understanding = 0.9
institutional_understanding = 0.9
goal_adoption = 1.0
ego = 0.0
staff = 500
focal_unit = true
guideline = true
source = "invented for a test"
grade = "assumption"

"""
OF_ALL_AGENCIES = ("integration", "network", "ties", "questionnaire")  # tables over all agencies together
IDLE = """
[[programme]]
service = "{service}"
opd = "{opd}"
money = "csr"
funded_share = 0.0
source = "invented for a test"
grade = "assumption"
"""


@pytest.mark.parametrize("where", ["first programme", "second agency"])
def test_an_agency_without_programmes_changes_no_child_and_no_money(tmp_path: Path, where: str) -> None:
    def with_agency(text: str) -> str:
        mark = "[[programme]]" if where == "first programme" else '[[opd]]\nid = "dinkes"'
        return text.replace(mark, AGENCY + mark, 1)

    # an agency more to print guidelines for costs money that services would have had: not so where it is free
    free = {"costs.paid": "free"}
    usual, run = run_of(set=free), run_of(district=copy_of_lebak(tmp_path / "lebak", opd=with_agency), set=free)
    same(usual, run, but=("agencies", "coordination_money", *OF_ALL_AGENCIES))
    mine = (run.ties[["source", "target"]] == "bpbd").any(axis=1)
    pd.testing.assert_frame_equal(run.ties[~mine].reset_index(drop=True), usual.ties, check_exact=True)
    others = run.agencies[run.agencies["agency"] != "bpbd"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, usual.agencies, check_exact=True)


@pytest.mark.parametrize("service", ["sq-lns", "pmba", "wash-water"])
def test_a_programme_that_gets_no_money_changes_no_child(tmp_path: Path, service: str) -> None:
    place = copy_of_lebak(tmp_path / "lebak", opd=lambda text: text + IDLE.format(service=service, opd="dp3ak2kb"))
    no_room = {"budget.csr_room_share": 0.0}  # otherwise it asks for money and gets some
    same(run_of(set=no_room), run_of(district=place, set=no_room), but=("cascade", "money", "targeting"))


def test_an_idle_scenario_lever_of_one_agency_leaves_the_others_alone(usual: Run) -> None:
    """More understanding at an agency that runs no programme is seen in its own rows and in means over all agencies."""
    run = run_of(set={"opd.diskominfo.understanding": 1.0})
    same(usual, run, but=("agencies", *OF_ALL_AGENCIES))
    others = [each.agencies[each.agencies["agency"] != "diskominfo"].reset_index(drop=True) for each in (usual, run)]
    pd.testing.assert_frame_equal(*others, check_exact=True)


@pytest.mark.parametrize("earlier", ["2019-12", "2018-12"])
def test_a_shorter_end_is_a_prefix_of_a_longer_one(usual: Run, earlier: str) -> None:
    short = run_of(end=earlier)
    for name, table in short.tables().items():
        longer = usual.tables()[name]
        if name == "questionnaire":
            continue  # taken once, at the end of a run as short as these
        column = next(each for each in ("fieldwork", "month", "year") if each in table)
        last = int(earlier[:4]) if column == "year" else earlier
        expected = longer[longer[column] <= last].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, expected, check_exact=True, obj=name)


def test_traced_children_do_not_depend_on_the_end() -> None:
    short, long = (finished(live(share=SHARE, end=end, trace_children=30)).children for end in ("2018-10", "2020-12"))
    assert short is not None and long is not None
    expected = long[long["month"] <= "2018-10"].reset_index(drop=True)
    pd.testing.assert_frame_equal(short, expected, check_exact=True)


def test_tracing_children_changes_nothing_else(usual: Run) -> None:
    traced = run_of(trace_children=25)
    for name, table in usual.tables().items():
        pd.testing.assert_frame_equal(table, traced.tables()[name], check_exact=True, obj=name)


def test_a_policy_changes_only_children_it_can_have_touched() -> None:
    """Common random numbers: with and without programmes, most children of a small programme are bit for bit alike."""
    usual, dear = (live(share=SHARE, end="2018-06", set=each) for each in ({}, {"services.pmt-child.effect": 0.39}))
    rows = usual.world.children.window(usual.world.month - 1, 0, 59)
    alike = usual.world.children.z[rows] == dear.world.children.z[rows]
    assert 0.8 < alike.mean() < 1.0


def test_global_random_state_is_left_as_it_was() -> None:
    import random

    np.random.seed(11)  # noqa: NPY002
    random.seed(11)
    before, python = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    live(share=0.005, end="2018-09")
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert random.getstate() == python


def test_global_random_state_is_not_read() -> None:
    tables = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        tables.append(run_of(end="2018-04"))
    same(*tables)


def test_the_source_names_no_global_generator() -> None:
    source = Path(konvergensi.__file__).parent
    wrong = re.compile(r"np\.random\.(?!default_rng|Generator|SeedSequence)\w+|^import random|random\.seed", re.M)
    found = {path.name: wrong.findall(path.read_text(encoding="utf-8")) for path in source.rglob("*.py")}
    assert {name: each for name, each in found.items() if each} == {}


# ---- the comparison between two Pythons (make cross-version) -------------------------------------

ONE = pd.DataFrame({"month": ["2018-01", "2018-02"], "n": [1, 2], "value": [0.5, np.nan]})


def test_tables_that_agree_to_rounding_agree() -> None:
    assert cross_version.differences("t", ONE, ONE.assign(value=[0.5 * (1 + 1e-7), np.nan])) == []


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (ONE.assign(value=[0.5001, np.nan]), r"t\.value: 1 of 2 rows, first at row 0"),
        (ONE.assign(value=[0.5, 1.0]), r"t\.value: 1 of 2 rows, first at row 1"),
        (ONE.assign(n=[1, 3]), r"t\.n: 1 of 2 rows, first at row 1"),
        (ONE.assign(month=["2018-01", "2018-03"]), r"t\.month: 1 of 2"),
        (ONE.iloc[:1], "2 and 1 rows"),
        (ONE.drop(columns="n"), "columns"),
    ],
)
def test_tables_that_differ_are_named_by_column_and_row(other: pd.DataFrame, named: str) -> None:
    (line,) = cross_version.differences("t", ONE, other)
    assert re.search(named, line)


def test_a_table_that_is_missing_in_one_python_is_a_difference(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ONE.to_parquet(tmp_path / "a" / "t.parquet")
    assert cross_version.compare(tmp_path / "a", tmp_path / "b") == ["tables ['t'] and []"]


def test_a_python_that_fails_is_named_and_a_wrong_call_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert cross_version.main([]) == 2
    assert "OTHER_PYTHON" in capsys.readouterr().err
    failing = "/bin/false" if os.path.exists("/bin/false") else sys.executable + "-missing"
    with pytest.raises(SystemExit, match="failed in"):
        cross_version.main([failing])
