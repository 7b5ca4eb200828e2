import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from inputs_valid import SCENARIO, district_toml, write_district, write_scenario
from typer.testing import CliRunner, Result

import konvergensi
from konvergensi.cli.main import app
from konvergensi.inputs.districts import list_districts
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import list_scenarios
from konvergensi.inputs.services import load_services
from konvergensi.report import run_page


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


class Finished:
    """What kv.run hands back, with two months and one survey in it."""

    def __init__(self) -> None:
        series = {"month": ["2018-01", "2018-02"], "group": "all", "prevalence": [0.402, 0.395]}
        survey = {"fieldwork": "2018-02", "system": "SSGI", "level": "district", "percent": 39.0, "low": 36.0}
        self.series = pd.DataFrame(series)
        self.surveys = pd.DataFrame([survey | {"high": 42.0}, survey | {"system": "e-PPGBM"}])
        published = {"level": "district", "system": "SSGI", "fieldwork": "2018-02", "percent": 35.5}
        self.manifest = {"synthetic_inputs": ["villages"], "published": [published]}
        self.saved: dict[str, Any] = {}
        self.lang: Any = "en"

    @property
    def lines(self) -> list[str]:
        return run_page.lines(self, self.lang)  # type: ignore[arg-type]

    def save(self, out: Path, **options: Any) -> list[str]:
        out.mkdir(parents=True)
        (out / "manifest.json").write_text("{}")
        self.saved = options
        return ["manifest.json"]


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    scenario, district = write_scenario(tmp_path / "policies"), write_district(tmp_path / "uji")
    return [str(scenario), "--district", str(district), "--out", str(tmp_path / "a" / "b")]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for kv.run and note what it was asked."""
    asked: list[dict[str, Any]] = []

    def run(scenario: str, **options: Any) -> Finished:
        finished = Finished()
        options["progress"](1, 2)
        asked.append({"scenario": scenario, "finished": finished, **options})
        return finished

    monkeypatch.setitem(vars(konvergensi), "run", run)
    return asked


def test_run_passes_everything_on_and_says_what_came_out(
    monkeypatch: pytest.MonkeyPatch, inputs: list[str], runs: list[dict[str, Any]]
) -> None:
    options = "--seed 7 --start 2018-01 --end 2018-02 --population-share 0.1 --trace-children 5 --no-figures"
    monkeypatch.setattr(sys, "argv", ["/somewhere/konvergensi", "run", *options.split()])
    done = call("run", *inputs, *options.split(), "--set", "opd.dinkes.ego=0.5", "--lang", "id")
    assert done.exit_code == 0, done.output
    (asked,) = runs
    given = {name: asked[name] for name in ("seed", "start", "end", "population_share", "trace_children", "set")}
    assert given == {
        "seed": 7, "start": "2018-01", "end": "2018-02", "population_share": 0.1, "trace_children": 5,
        "set": {"opd.dinkes.ego": 0.5},
    }  # fmt: skip
    assert asked["finished"].saved["lang"] == "id" and asked["finished"].saved["figures"] is False
    assert asked["finished"].saved["command"].startswith("konvergensi run --seed 7")
    assert done.stdout.splitlines()[:3] == [
        "Prevalensi stunting sebenarnya: 40,2 % (2018-01) menjadi 39,5 % (2018-02)",
        "  survei simulasi SSGI 2018-02: 39,0 % (95 %: 36,0 % sampai 42,0 %); yang benar-benar dipublikasikan: 35,5 %",
        "Masukan sintetis, bukan data: desa/kelurahan",
    ]
    assert done.stdout.splitlines()[3] == f"Ditulis ke {Path(inputs[-1])}: manifest.json"


def test_run_check_and_describe_take_several_scenarios_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: list[dict[str, Any]]
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("run", "one-list+early-planning", "--population-share", "0.02")
    assert done.exit_code == 0, done.output
    assert runs[0]["scenario"] == "one-list+early-planning"
    assert (tmp_path / "out" / "one-list+early-planning-lebak" / "manifest.json").exists()
    assert "(scenario; dated changes: 5)" in call("check", "one-list+early-planning").stdout
    assert "registers.linkage = true (one-list.toml)" in call("describe", "one-list+early-planning").stdout
    for command in ("run", "check", "describe"):
        refused = call(command, "one-list+erly-planning")
        assert refused.exit_code == 2 and "did you mean early-planning?" in refused.stderr, refused.output


def test_run_speaks_english_by_default(inputs: list[str], runs: list[dict[str, Any]]) -> None:
    assert "40.2 % (2018-01) to 39.5 % (2018-02)" in call("run", *inputs).stdout
    assert (runs[0]["seed"], runs[0]["start"], runs[0]["end"], runs[0]["population_share"]) == (
        1, "2018-01", "2024-12", 1.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--seed -1", "--seed: -1 is outside [0, 2147483647]"),
        ("--seed 2147483648", "--seed: 2147483648 is outside"),
        ("--population-share 0", "--population-share: 0 is outside"),
        ("--population-share 20", "--population-share: 20 looks like a percent; write 0.2"),
        ("--population-share nan", "--population-share: nan is outside"),
        ("--trace-children -5", "--trace-children: -5 is outside"),
        ("--start 2020-13", "--start: '2020-13' is not a month; write one"),
        ("--start 2020-01 --end 2019-12", "--end: '2019-12' is before 2020-01 (--start)"),
        ("--set opd.dinkes.eggo=0.5", "--set: opd.dinkes.eggo: unknown key; did you mean opd.dinkes.ego?"),
        ("--set opd.dinkes.ego=50", "--set: opd.dinkes.ego: 50 looks like a percent; write 0.5"),
        ("--set opd.dinkes.ego", "--set: 'opd.dinkes.ego' is not KEY=VALUE"),
        ("--set a=1 --set a=2", "--set: a: set twice"),
        ("--district lebakk", "unknown district 'lebakk'; there is"),
        ("--district nowhere/else", "nowhere/else: there is no such file or folder"),
        ("--lang id --seed -1", "--seed: -1 di luar rentang [0, 2147483647]"),
    ],
)
def test_run_refuses_bad_options_before_anything_is_done(
    tmp_path: Path, inputs: list[str], runs: list[dict[str, Any]], options: str, message: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    done = call("run", *inputs, *options.split())
    assert done.exit_code == 2 and done.stdout == ""
    assert done.stderr.startswith(message) and len(done.stderr.splitlines()) == 1, done.stderr
    assert sorted(tmp_path.rglob("*")) == before and runs == []


@pytest.mark.parametrize("options", ["--seed x", "--lang fr", "--nothing", "--population-share a"])
def test_usage_errors_leave_with_two(inputs: list[str], runs: list[dict[str, Any]], options: str) -> None:
    done = call("run", *inputs, *options.split())
    assert done.exit_code == 2 and runs == [] and "Traceback" not in done.output


def test_run_refuses_faulty_files_with_one_line_for_each_fault(tmp_path: Path, runs: list[dict[str, Any]]) -> None:
    scenario = write_scenario(tmp_path, SCENARIO.replace("= 0.25", "= 25").replace("= 0.1", "= 10"))
    district = write_district(tmp_path / "uji")
    done = call("run", scenario, "--district", district, "--out", tmp_path / "out")
    assert done.exit_code == 2 and runs == [] and not (tmp_path / "out").exists()
    assert len(done.stderr.splitlines()) == 2 and "Traceback" not in done.stderr


@pytest.mark.parametrize("place", ["file", "file/out", "x" * 300])
def test_a_place_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, inputs: list[str], runs: list[dict[str, Any]], place: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    before = sorted(tmp_path.rglob("*"))
    done = call("run", *inputs[:-1], tmp_path / "new" / ".." / place)
    assert done.exit_code == 2 and runs == []
    assert "--out: cannot be written to (" in done.stderr and len(done.stderr.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_fills_up_while_saving_is_named(
    inputs: list[str], runs: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Finished, "save", full)
    done = call("run", *inputs)
    assert done.exit_code == 2 and "cannot be written to (No space left on device)" in done.stderr


def test_check_accepts_good_files_and_names_every_fault(tmp_path: Path) -> None:
    good, district = write_scenario(tmp_path / "policies"), write_district(tmp_path / "uji")
    assert call("check", good).stdout == f"{good}: good. A policy (scenario; dated changes: 4)\n"
    assert "3 desa di 2 kecamatan" in call("check", district, "--lang", "id").stdout
    text = district_toml().replace("value = 0.9\n", "value = 90\n").replace('kind = "kabupaten"', "")
    done = call("check", write_district(tmp_path / "bad", district_toml=text))
    assert done.exit_code == 2 and done.stdout == "" and "kind: missing" in done.stderr
    assert call("check", tmp_path / "none.toml").exit_code == 2


@pytest.mark.parametrize("lang", ["en", "id"])
def test_list_shows_everything_there_is(lang: str) -> None:
    done = call("list", "--lang", lang)
    assert done.exit_code == 0, done.output
    for name in (*list_districts(), *list_scenarios(), *load_services()):
        assert name in done.stdout
    assert ("Layanan" if lang == "id" else "Services") in done.stdout


def test_describe_shows_all_parameters_one_mechanism_or_one_thing() -> None:
    parameters = load_parameters()
    shown = call("describe").stdout
    assert all(key in shown for key in parameters)
    key, each = next(iter(parameters.items()))
    one = call("describe", key)
    assert one.exit_code == 0 and each.grade in one.stdout and each.unit.split()[0] in one.stdout
    room = key.partition(".")[0]
    assert {
        line.split(".")[0].strip() for line in call("describe", room).stdout.splitlines() if f"{room}." in line
    } == {room}
    assert "Konseling" in call("describe", "pmba", "--lang", "id").stdout
    for name in (*list_districts(), *list_scenarios()):
        assert call("describe", name).exit_code == 0


def test_describe_names_the_nearest_key_on_a_miss() -> None:
    done = call("describe", "services.pmba.efect")
    assert done.exit_code == 2
    assert done.stderr == "services.pmba.efect: unknown key; did you mean services.pmba.effect?\n"


def test_trial_passes_its_services_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def trial(services: list[str], **options: Any) -> SimpleNamespace:
        return SimpleNamespace(lines=[f"{services} {options}"])

    monkeypatch.setitem(vars(konvergensi), "trial", trial)
    done = call("trial", "pmba+vitamin-a", "--children", "500", "--seed", "3")
    assert done.stdout == "['pmba', 'vitamin-a'] {'n': 500, 'seed': 3, 'lang': 'en'}\n"


def test_trial_refuses_unknown_services_and_bad_numbers() -> None:
    done = call("trial", "pmba+pbma", "--children", "0")
    assert done.exit_code == 2
    assert "--children: 0 is outside" in done.stderr and "did you mean pmba?" in done.stderr


def test_version() -> None:
    assert call("--version").stdout == f"konvergensi {konvergensi.__version__}\n"
