"""Study files: what they say, and that each wrong one is refused by name, in two languages, with nothing written."""

import re
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from study_driver import KECIL
from typer.testing import CliRunner

from konvergensi.analyses.compare_plan import is_uncertain
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import load_scenario
from konvergensi.methods.designs import Design, points
from konvergensi.methods.factors import Factor
from konvergensi.studies.study import Keep, Study, checked
from konvergensi.studies.study_file import load_study

EXAMPLES = sorted((Path(__file__).parents[1] / "studies").glob("*.toml"))
STUDY = f"""\
title.en = "A study"
title.id = "Sebuah studi"
districts = ["{KECIL}", "lebak"]
scenarios = ["baseline", "one-list", "early-planning+focal-units"]
population_share = 0.02
start = "2018-01"
end = "2024-12"
seeds = [3, 5]

[design]
method = "sobol"
draws = 8
seed = 2

[set]
"goals.leadership" = 0.4

[factors."budget.inertia"]
low = 0.2
high = 0.9
group = "budget"

[factors."growth.combination"]

[factors."uptake.knowledge_slope"]
distribution = "normal"
mean = 1.0
sd = 0.5

[factors."socialization.meetings_per_year"]
distribution = "choice"
values = [2, 4, 12]

[factors.dummy]

[keep]
scalars = ["prevalence", "prevalence_2024_12"]
series = ["prevalence"]
groups = false
"""
SOME = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
VALUES = [
    "true", '"text"', '""', "-1", "0", "1.0", "80", "1e300", "nan", "-inf", "[]", "{}", "[[1]]", "{ en = 1 }",
    "2020-05-17", "07:30:00", '"2020-13"', "9" * 400, "9" * 5000, '"\\u0000"', '"{value}"', '"a\\nb"',
]  # fmt: skip


def outcome(content: bytes) -> list[str]:
    """Load the file; return the faults, which must name a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.toml"
        file.write_bytes(content)
        try:
            load_study(file)
        except InputError as error:
            for lang in ("en", "id"):
                lines = error.lines(lang)
                assert lines and all("\n" not in line and len(line) < 1000 for line in lines)
                assert all("study.toml" in line or ".toml" in line or line.startswith("--") for line in lines), lines
            return error.lines()
        return []


def lines_that(matches: str) -> st.SearchStrategy[int]:
    return st.sampled_from([n for n, line in enumerate(STUDY.split("\n")) if re.search(matches, line)])


def with_line(number: int, new: str) -> bytes:
    lines = STUDY.split("\n")
    return "\n".join([*lines[:number], new, *lines[number + 1 :]]).encode()


# ---- what is read ----------------------------------------------------------------------------------------------------


def test_a_file_is_read_as_it_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    file.write_text(STUDY)
    study = load_study(file)
    assert (study.seeds, study.population_share, study.set) == ((3, 5), 0.02, {"goals.leadership": 0.4})
    assert study.design == Design("sobol", 8, 2) and study.runs == 2 * 3 * 8 * 2
    assert study.keep == Keep(("prevalence", "prevalence_2024_12"), ("prevalence",), False)
    assert study.factors[0] == Factor("budget.inertia", low=0.2, high=0.9, group="budget")
    assert study.factors[1].values == load_parameters()["growth.combination"].choices
    slope = find_district("lebak").parameters()["uptake.knowledge_slope"]
    assert (study.factors[2].low, study.factors[2].high) == (slope.low, slope.high)
    assert study.factors[3].values == (2, 4, 12) and study.factors[4].is_dummy


def test_a_district_folder_without_a_slash_is_found_beside_the_study_and_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(KECIL, tmp_path / "mine")
    (tmp_path / "lebak").mkdir()  # a shipped name means the shipped district, whatever lies beside
    (tmp_path / "s.toml").write_text('districts = ["mine", "lebak"]\n')
    for folder in (tmp_path, tmp_path / "lebak"):
        monkeypatch.chdir(folder)
        assert load_study(tmp_path / "s.toml").districts == (str((tmp_path / "mine").resolve()), "lebak")
    monkeypatch.chdir(tmp_path)
    assert checked(Study(districts=("mine",))).districts == (str((tmp_path / "mine").resolve()),)


def test_points_come_from_a_list_or_a_table(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("budget.inertia, goals.on\n0.5, true\n0.25, false\n")
    (tmp_path / "csv.toml").write_text('design = { method = "csv", file = "points.csv" }')
    listed = 'points = [{ "budget.inertia" = 0.5, goals.on = true }, { budget.inertia = 0.25, goals.on = false }]'
    (tmp_path / "list.toml").write_text(f'[design]\nmethod = "list"\n{listed}')
    one, other = (points(load_study(tmp_path / name)) for name in ("csv.toml", "list.toml"))
    assert one.equals(other) and one.to_dict("list") == {"budget.inertia": [0.5, 0.25], "goals.on": [True, False]}


def test_uncertain_means_every_belief_that_the_study_does_not_decide(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    head = 'scenarios = ["baseline", "one-list"]\ndesign = { method = "lhs", draws = 2 }\n'
    file.write_text(
        head + "set.goals.adaptation_ease = 0.5\n"
        '[uncertain]\nexcept = ["budget", "growth.deviation_sd"]\ngroup_by = "room"'
    )
    place = find_district("lebak")
    uncertain = {key for key, each in place.parameters().items() if is_uncertain(each, place)}
    decided = {change.key for change in load_scenario("one-list").changes}
    decided |= {"goals.adaptation_ease", "growth.deviation_sd"}
    factors = load_study(file).factors
    assert {each.key for each in factors} == {k for k in uncertain - decided if not k.startswith("budget.")}
    assert all(each.group == each.key.partition(".")[0] for each in factors)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_studies_that_come_along_are_good(file: Path) -> None:
    assert load_study(file).runs > 1


def test_the_file_in_the_documentation_is_good(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "studies.md").read_text(encoding="utf-8")
    (tmp_path / "study.toml").write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    study = load_study(tmp_path / "study.toml")
    assert {each.distribution for each in study.factors} == {"uniform", "triangular", "normal", "choice"}


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('scenarios = ["baseline"', 'scenarios = ["baselin"', "unknown scenario 'baselin'.*did you mean baseline"),
        ('"lebak"]', '"lebak", "lebak"]', "districts: 'lebak' is named twice"),
        ("seeds = [3, 5]", "seeds = [3, 3]", "seeds: 3 is there twice"),
        ("seeds = [3, 5]", "seeds = 0", r"seeds: 0 is outside \[1, 100000\]"),
        ("seeds = [3, 5]", "seeds = []", "seeds: empty"),
        ("seeds = [3, 5]", "seeds = 2.5", "seeds: 2.5 is not a whole number"),
        ("population_share = 0.02", "population_share = 20", "population_share: 20 looks like a percent; write 0.2"),
        ('end = "2024-12"', 'end = "2017-12"', "end: '2017-12' is before 2018-01"),
        ('method = "sobol"', 'method = "sobl"', "design.method: 'sobl' is not one of: .*did you mean sobol"),
        ("draws = 8", "draw = 8", "design.draw: unknown key; did you mean draws"),
        ("draws = 8", "", "design.draws: missing; write draws = ..."),
        ("draws = 8", 'draws = 8\nfile = "x.csv"', "design.file: is not used with 'sobol'"),
        ('method = "sobol"', 'method = "factorial"', "design.draws: is not used with 'factorial'"),
        ('factors."budget.inertia"', 'factors."budget.inertai"', "unknown key; did you mean budget.inertia"),
        ("high = 0.9", "high = 90", r"factors.budget.inertia.high: 90 looks like a percent; write 0.9"),
        ("high = 0.9", "high = 0.1", "factors.budget.inertia.low: 0.2 is not below high = 0.1"),
        ("sd = 0.5", "", "factors.uptake.knowledge_slope.sd: missing; write sd = ..."),
        ("sd = 0.5", "sd = 0", "factors.uptake.knowledge_slope.sd: 0 is not above 0"),
        ("sd = 0.5", "sd = 0.5\nmode = 1.0", "knowledge_slope.mode: is not used with 'normal'; leave it out"),
        ("mean = 1.0", "mean = 1e9", r"knowledge_slope: less than a thousandth of this"),
        ("values = [2, 4, 12]", "values = [2, 4, 13]", r"meetings_per_year.values: 13 is outside \[0, 12\]"),
        ("values = [2, 4, 12]", "values = [2, 4, 4]", "meetings_per_year.values: 4 is there twice"),
        ('[factors."growth.combination"]', '[factors."growth.combination"]\ndistribution = "normal"',
         "growth.combination.distribution: 'normal' is for numbers; this parameter is one of: additive"),
        ('"goals.leadership" = 0.4', '"budget.inertia" = 0.4', r"factors.budget.inertia: is also in \[set\]"),
        ('"goals.leadership" = 0.4', '"goals.leadershi" = 0.4', "set.goals.leadershi: unknown key; did you mean goals"),
        ('"goals.leadership" = 0.4', '"goals.leadership" = 4', r"set.goals.leadership: 4 looks like a percent"),
        ('[factors."growth.combination"]', '[factors."registers.sharing_share"]',
         "factors.registers.sharing_share: scenario 'one-list' changes this; a factor"),
        ('"prevalence_2024_12"]', '"prevalence_2030_12"]', "keep.scalars.prevalence_2030_12: unknown key"),
        ('series = ["prevalence"]', 'series = ["prevalenc"]', "keep.series.prevalenc: unknown key; did you mean prev"),
        ("[factors.dummy]", '[uncertain]\nonly = ["budgt"]', "uncertain.only.budgt: unknown key; did you mean budget"),
        ('title.id = "Sebuah studi"', "", "title.id: missing"),
    ],
)  # fmt: skip
def test_each_fault_is_named_where_it_is(old: str, new: str, said: str) -> None:
    assert old in STUDY
    faults = outcome(STUDY.replace(old, new).encode())
    assert len(faults) == 1 and re.search(said, faults[0]), faults


def test_every_fault_is_told_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    wrong = STUDY.replace("low = 0.2", "lo = 0.2").replace("sd = 0.5", "sd = true").replace("draws = 8", "draws = 0.5")
    (tmp_path / "study.toml").write_text(wrong)
    for lang in ("en", "id"):
        words = ["study", "run", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out"), "--lang", lang]
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 3
        assert "factors.budget.inertia.lo" in done.stderr and "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("budget.inertai\n0.5\n", "points.csv: budget.inertai: unknown key; did you mean budget.inertia"),
        ("budget.inertia\n0.5\n50\n", "points.csv: budget.inertia: line 3: 50 looks like a percent; write 0.5"),
        ("budget.inertia;goals.on\n0,5;true\n", "points.csv: the columns are separated by semicolons"),
        ("budget.inertia\n", "points.csv: the table has no rows"),
        ("", "points.csv: the table has no rows"),
        ("budget.inertia\n0.5,0.6\n0.7,0.8\n", "line 2 holds 2 values, but the first line names 1 columns"),
        ("budget.inertia,budget.inertia\n0.5,0.6\n", "points.csv: budget.inertia: .*is there twice"),
        (None, "points.csv: there is no such file"),
    ],
)
def test_tables_of_points_are_refused_by_line(table: str | None, said: str, tmp_path: Path) -> None:
    if table is not None:
        (tmp_path / "points.csv").write_text(table)
    (tmp_path / "study.toml").write_text('design = { method = "csv", file = "points.csv" }')
    with pytest.raises(InputError, match=said):
        load_study(tmp_path / "study.toml")


def test_the_valid_file_is_good_as_it_is() -> None:
    assert outcome(STUDY.encode()) == []


@SOME
@given(lines_that(r"\S"))
def test_a_dropped_line(number: int) -> None:
    outcome(with_line(number, ""))


@SOME
@given(lines_that(r"^[a-z_.]+ = "), st.data())
def test_a_misspelt_key_is_always_refused(number: int, data: st.DataObject) -> None:
    line = STUDY.split("\n")[number]
    letters = [n for n, letter in enumerate(line.partition(" = ")[0]) if letter.isalpha()]
    at = data.draw(st.sampled_from(letters))
    assert outcome(with_line(number, line[:at] + "zz" + line[at:])), line


@SOME
@given(lines_that(" = "), st.sampled_from(VALUES))
def test_another_value(number: int, value: str) -> None:
    outcome(with_line(number, f"{STUDY.split(chr(10))[number].partition(' = ')[0]} = {value}"))


@SOME
@given(st.floats(0, 1), st.binary(max_size=4), st.booleans())
def test_a_truncated_file_and_stray_bytes(share: float, stray: bytes, cut: bool) -> None:
    content = STUDY.encode()
    at = int(share * len(content))
    outcome(content[:at] + stray + (b"" if cut else content[at + len(stray) :]))
