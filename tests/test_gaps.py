"""Closing the gaps: money equal, one thing at a time, shares that add up, and work that survives being stopped."""

import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import live
from hypothesis import given
from hypothesis import strategies as st
from test_report import drawn_texts
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.analyses import gaps as gaps_module
from konvergensi.analyses import gaps_plan
from konvergensi.analyses.gaps import Gaps, gaps, shares, t_interval
from konvergensi.analyses.gaps_plan import ALL, EQUAL_MONEY, GAPS, NONE, SETS, make_plan, name_of, unmeasured_rates
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.methods.shapley import coalitions, shapley
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.report import gaps_page
from konvergensi.report.theme import SMALL
from konvergensi.results.gaps import MEASURES
from konvergensi.world.children import FIRST_1000_DAYS, PREGNANCY_MONTHS

SHORT: dict[str, Any] = {"population_share": 0.005, "end": "2018-12"}
ONE: dict[str, Any] = SHORT | {"seeds": 1, "draws": 0, "ranges": False}
FEW_RATES = ("socialization.turnover_share", "uptake.knowledge_slope")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def one(kept: Path) -> Gaps:
    """One seed, no draw, no range: eight runs."""
    return gaps(**ONE, workers=1, keep=kept)


@pytest.fixture(scope="module")
def small(kept: Path, one: Gaps) -> Gaps:
    """A little of everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gaps_plan, "unmeasured_rates", lambda known: [known[key] for key in FEW_RATES])
        return gaps(**SHORT, seeds=2, draws=1, workers=1, keep=kept)


def same(one: Gaps, other: Gaps) -> None:
    for name, table in one.tables().items():
        pd.testing.assert_frame_equal(table, other.tables()[name], check_exact=True)


# ---- Shapley shares ----------------------------------------------------------------------------------------------

PLAYERS = ("a", "b", "c")
games = st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=8).map(lambda v: dict(zip(coalitions(PLAYERS), v)))


@given(games)
def test_shares_sum_to_what_all_bring(values: dict[frozenset[str], float]) -> None:
    total = values[frozenset(PLAYERS)] - values[frozenset()]
    assert sum(shapley(values).values()) == pytest.approx(total, abs=1e-6)


@given(games, st.floats(-100, 100))
def test_who_adds_the_same_to_everybody_gets_just_that(values: dict[frozenset[str], float], always: float) -> None:
    dummy = {each: values[each - {"c"}] + (always if "c" in each else 0.0) for each in values}
    assert shapley(dummy)["c"] == pytest.approx(always, abs=1e-6)


@given(games)
def test_equals_get_equal_shares(values: dict[frozenset[str], float]) -> None:
    swap = {"a": "b", "b": "a", "c": "c"}
    even = {each: values[each] + values[frozenset(swap[name] for name in each)] for each in values}
    found = shapley(even)
    assert found["a"] == pytest.approx(found["b"], abs=1e-6)


@given(games, games)
def test_shares_of_a_sum_are_the_sum_of_shares(
    one: dict[frozenset[str], float], other: dict[frozenset[str], float]
) -> None:
    together = shapley({each: one[each] + other[each] for each in one})
    assert together == pytest.approx({name: shapley(one)[name] + shapley(other)[name] for name in PLAYERS}, abs=1e-6)


def test_shares_of_a_game_worked_out_by_hand() -> None:
    """Two left gloves and a right one: only a pair is worth something, and the right glove is scarce."""
    pair = {each: float("right" in each and len(each) > 1) for each in coalitions(("left", "other left", "right"))}
    assert shapley(pair) == pytest.approx({"left": 1 / 6, "other left": 1 / 6, "right": 4 / 6})


def test_a_missing_coalition_is_named() -> None:
    with pytest.raises(ValueError, match=r"lack the coalitions \{\}, \{a, b\}"):
        shapley({frozenset({"a"}): 1.0, frozenset({"b"}): 2.0})


# ---- policies, money, isolation ----------------------------------------------------------------------------------


def test_a_gap_has_keys_of_its_own_and_none_of_them_is_money() -> None:
    keys = {gap: {change.key for change in load_scenario(f"close-{gap}").changes} for gap in GAPS}
    assert sum(map(len, keys.values())) == len(set().union(*keys.values()))
    amounts = re.compile(r"_rp$|room_share|absorption|min_share|envelope|overhead|funded")
    assert not [key for key in set().union(*keys.values()) if amounts.search(key)]


@pytest.mark.parametrize("district", ["lebak", "national-average"])
@pytest.mark.parametrize("closed", SETS, ids=name_of)
def test_closing_changes_what_its_policy_says_and_nothing_else(closed: frozenset[str], district: str) -> None:
    place = find_district(district)
    before, after = (
        resolve(load_scenario(name), place, EQUAL_MONEY, 2018 * 12, 2024 * 12 + 11)
        for name in ("baseline", gaps_plan.scenario_of(closed))
    )
    said = {change.key for gap in closed for change in load_scenario(f"close-{gap}").changes}
    assert {key for key in after.initial if after.initial[key] != before.initial[key]} <= said
    assert [change for change in after.changes if change.key not in said] == [
        change for change in before.changes if change.key not in said
    ]


def test_money_is_equal_in_every_run_source_and_year() -> None:
    found = gaps(**ONE | {"end": "2020-12"}, workers=1)  # COVID-19 moved budgets in 2020
    wide = found.money.pivot(index=["year", "source"], columns="closed", values="budgeted_rp")
    assert wide.shape == (3 * 5, 8) and (wide["none"] > 0).all()
    for closed in wide:
        np.testing.assert_allclose(wide[closed], wide["none"], rtol=1e-6)
    assert found.budgets_differ_by() < 1e-6
    assert (found.money["spent_rp"] <= found.money["budgeted_rp"] * (1 + 1e-9)).all()


def test_money_that_differs_is_said(one: Gaps) -> None:
    money = one.money.copy()
    money.loc[money["closed"] == "data", "budgeted_rp"] *= 1.01
    unequal = Gaps(one.values, one.differences, one.shapley, one.ranges, money, one.manifest)
    assert unequal.budgets_differ_by() == pytest.approx(0.0099, abs=1e-4)
    assert "CAUTION" in str(unequal) and "CAUTION" not in str(one)


def test_the_baseline_is_the_baseline_and_the_children_are_the_same(one: Gaps) -> None:
    run = kv.run("baseline", seed=1, set=EQUAL_MONEY, **SHORT)
    series = run.series[run.series["group"] == "all"]
    value = one.values.set_index(["closed", "measure"])["value"]
    assert value["none", "prevalence"] == pytest.approx(series["prevalence"].mean(), rel=1e-12)
    indicators = run.indicators.pivot(index="month", columns="indicator", values="value")
    scale = 1 / run.manifest["population_share_made"]
    assert value["none", "protected_in_time"] == pytest.approx(indicators["protected_in_time"].sum() * scale)
    assert value["none", "complete_package_share"] == pytest.approx(indicators["complete_package_share"].mean())
    assert one.manifest["baseline"]["turned_24_months"] == pytest.approx(indicators["turned_24_months"].sum() * scale)


@pytest.fixture(scope="module")
def year_simulated() -> ConvergenceModel:
    return live(share=0.03, end="2019-06")


def test_protected_in_time_counts_each_child_by_itself(year_simulated: ConvergenceModel) -> None:
    world = year_simulated.world
    month, children, package = world.month - 1, world.children, world.package
    rows = year_simulated.recorder.tables("indicators")["indicators"].query("month == '2019-06'")
    value = rows.set_index("indicator")["value"]
    turned = [row for row in range(len(children)) if month - children.birth_month[row] == FIRST_1000_DAYS + 1]
    due = int(package.due[PREGNANCY_MONTHS + FIRST_1000_DAYS])
    assert due.bit_count() == package.size  # by 24 months every service of the package is due
    met = protected = 0
    for row in turned:
        in_time = world.registers.nik_month[row] - children.birth_month[row] <= FIRST_1000_DAYS
        nik = int(package.nik_bit) if in_time else 0
        met += (int(children.got[row]) | nik) & due == due
        # at an adequate dose: every service was taken up as often as it takes
        takes = {s: int(world.book.taken[s][row]) >= doses for s, doses in package.doses.items()}
        enough = sum(int(package.bit_of[s]) for s, there in takes.items() if there)
        protected += (enough | nik | int(children.got[row]) & int(package.nik_bit)) & due == due
    assert value["turned_24_months"] == len(turned) > 0
    assert value["any_contact_in_time"] == met > 0
    assert value["protected_in_time"] == protected < met


# ---- what is drawn and varied ------------------------------------------------------------------------------------


def plan(**options: Any) -> gaps_plan.Plan:
    asked = {"seeds": 2, "draws": 3, "population_share": 0.01, "start": "2018-01", "end": "2018-12", "ranges": True}
    return make_plan("lebak", **asked | options)


def test_runs_are_policy_parameter_draw_and_chance() -> None:
    made, rates = plan(), unmeasured_rates(load_parameters())
    assert len(rates) > 20 and all(each.drawn or each.role == "lever" for each in rates)
    assert (len(made.main), len(made.drawn), len(made.ends)) == (8 * 2, 8 * 3, 2 * 2 * len(rates))
    assert all(job.set == tuple(EQUAL_MONEY.items()) for job in made.main.values())
    assert {job.seed for job in made.main.values()} == {1, 2}
    assert {draw: job.seed for (_, draw), job in made.drawn.items()} == {1: 1, 2: 2, 3: 1}  # seeds take turns
    assert {job.seed for job in made.ends.values()} == {1}
    assert made.main[frozenset({"timing", "data"}), 1].scenario == "close-data+close-timing"
    for draw in (1, 2, 3):  # each draw gives every set of gaps the same values
        assert len({made.drawn[closed, draw].set for closed in SETS}) == 1


def test_what_is_drawn_is_an_assumption_and_no_policy() -> None:
    drawn, closed = plan().assumptions, {change.key for change in load_scenario("close-socialization").changes}
    assert len(drawn) > 30
    for each in drawn:
        assert each.grade == "assumption" and not isinstance(each.value, (bool, str))
        assert each.key not in closed
        assert each.role == "assumption" or (each.role, "drawn" in each.marks) == ("lever", True)


def test_draws_stay_in_their_ranges_spread_over_them_and_a_longer_series_begins_with_a_shorter() -> None:
    few, many = plan(draws=3), plan(draws=8)
    assert [few.drawn[NONE, draw] for draw in (1, 2, 3)] == [many.drawn[NONE, draw] for draw in (1, 2, 3)]
    parameter_draws = [dict(many.drawn[NONE, draw].set) for draw in range(1, 9)]
    for each in many.assumptions:
        assert each.low is not None and each.high is not None
        place = np.sort(
            [
                (float(parameter_draw[each.key]) - each.low) / (each.high - each.low)
                for parameter_draw in parameter_draws
            ]
        )
        assert place[0] >= 0 and place[-1] <= 1
        if isinstance(each.value, float):
            assert (np.floor(place * 8) == range(8)).all()  # one in each eighth of the range
        assert all(each.fault_in(parameter_draw[each.key]) is None for parameter_draw in parameter_draws)


def test_a_draw_of_what_a_policy_closes_is_about_the_baseline_only() -> None:
    ends, key = plan().ends, "socialization.turnover_share"
    assert dict(ends[NONE, key, "high"].set)[key] == 0.1
    assert key not in dict(ends[ALL, key, "high"].set)
    assert dict(ends[ALL, "uptake.knowledge_slope", "low"].set)["uptake.knowledge_slope"] == 0.5


# ---- tables ------------------------------------------------------------------------------------------------------


def test_shares_sum_to_the_total_in_every_measure(small: Gaps) -> None:
    table = small.shapley.pivot(index="measure", columns="part", values="value")
    np.testing.assert_allclose(table[list(GAPS)].sum(axis=1), table["total"], atol=1e-9)
    difference = small.differences.set_index(["measure", "closed"])["difference"]
    for measure in MEASURES:
        assert table.loc[measure, "total"] == pytest.approx(difference[measure, "socialization+data+timing"])
        alone = sum(difference[measure, gap] for gap in GAPS)
        assert table.loc[measure, "interaction"] == pytest.approx(table.loc[measure, "total"] - alone)
        assert difference[measure, "none"] == 0


def test_intervals_are_those_of_the_values(small: Gaps) -> None:
    values = small.values.set_index(["measure", "closed", "seed", "draw"])["value"]
    rows = small.differences.set_index(["measure", "closed"])
    for measure in MEASURES:
        each = [values[measure, "data", seed, 0] - values[measure, "none", seed, 0] for seed in (1, 2)]
        mean, low, high = t_interval(np.array(each))
        row = rows.loc[(measure, "data")]
        assert (row["difference"], row["chance_low"], row["chance_high"]) == pytest.approx((mean, low, high))
        assert np.isnan([row["assumed_low"], row["assumed_high"]]).all()  # one draw tells of no spread


def test_draws_tell_where_a_further_draw_is_expected() -> None:
    """Two draws: the mean, and t with one degree of freedom times the spread and the error of the mean."""
    low, high = gaps_module._assumed(np.array([1.0, 3.0]))
    reach = 12.7062 * np.sqrt(2.0) * np.sqrt(1 + 1 / 2)
    assert (low, high) == pytest.approx((2.0 - reach, 2.0 + reach), abs=1e-3)
    assert np.isnan(gaps_module._assumed(np.array([1.0]))).all()


def test_a_t_interval_by_hand() -> None:
    assert t_interval(np.array([1.0, 3.0])) == pytest.approx((2.0, 2 - 12.7062, 2 + 12.7062), abs=1e-3)
    assert np.isnan(t_interval(np.array([1.0]))[1:]).all()


def test_ranges_tell_both_ends_and_how_wide_they_are_apart(small: Gaps) -> None:
    assert len(small.ranges) == len(MEASURES) * len(FEW_RATES)
    values = small.values.set_index(["measure", "closed", "seed", "draw"])["value"]
    for row in small.ranges.itertuples():
        usual = values[row.measure, "socialization+data+timing", 1, 0] - values[row.measure, "none", 1, 0]
        assert row.at_value == pytest.approx(usual)
        reached = (row.at_low, row.at_value, row.at_high)
        assert row.span == pytest.approx(max(reached) - min(reached))
    for _, table in small.ranges.groupby("measure"):
        assert table["span"].is_monotonic_decreasing
    slope = small.ranges.query("parameter == 'uptake.knowledge_slope' and measure == 'complete_package_share'").iloc[0]
    assert slope["span"] > 0


def test_two_gaps_that_need_each_other_share_their_interaction() -> None:
    needed = frozenset({"data", "timing"})
    found = shares({closed: float(needed <= closed) for closed in SETS})
    assert found == {"socialization": 0.0, "data": 0.5, "timing": 0.5, "total": 1.0, "interaction": 1.0}


# ---- the runs ----------------------------------------------------------------------------------------------------


def test_the_number_of_workers_changes_nothing(one: Gaps) -> None:
    same(one, gaps(**ONE, workers=2))


class Stop(BaseException):
    """A stand-in for Ctrl-C and worse."""


def test_stopped_halfway_it_goes_on_and_comes_to_the_same(one: Gaps, tmp_path: Path) -> None:
    def stop_after_three(done: int, _all: int) -> None:
        if done == 3:
            raise Stop

    keep, told = tmp_path / "runs", []
    with pytest.raises(Stop):
        gaps(**ONE, workers=1, keep=keep, progress=stop_after_three)
    same(one, gaps(**ONE, workers=1, keep=keep, progress=lambda *each: told.append(each)))
    assert told[0] == (3, 8) and told[-1] == (8, 8)
    told.clear()
    same(one, gaps(**ONE, workers=1, keep=keep, progress=lambda *each: told.append(each)))
    assert told == [(8, 8)]  # nothing was run again


# ---- words and pictures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "id"])
def test_the_page_says_what_the_tables_say(small: Gaps, lang: Any) -> None:
    page = gaps_page.page(small, lang)
    baseline = small.differences.query("closed == 'none' and measure == 'prevalence'")["value"].iloc[0]
    shown = f"{100 * baseline:.1f}%"
    assert (shown if lang == "en" else shown.replace(".", ",")) in page
    assert ("assumed in the model" if lang == "en" else "asumsi model") in page
    assert ("Money equal" if lang == "en" else "Dana sama") in page
    assert "uptake.knowledge_slope" in page and "{" not in page
    text = "\n".join(Gaps(**{**vars(small), "lang": lang}).lines)
    assert text.splitlines()[0] in page and "{" not in text
    assert not any(line != line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize(("half_width", "seen"), [(0.03, False), (1e-9, True)])
def test_it_says_whether_a_survey_could_see_it(small: Gaps, half_width: float, seen: bool) -> None:
    survey = {"survey": {"system": "SSGI", "half_width": half_width}}
    told = str(Gaps(**{**vars(small), "manifest": small.manifest | survey}))
    assert ("could be seen" in told) is seen and ("too small for such surveys" in told) is not seen


def test_it_says_when_closing_a_gap_makes_something_worse(small: Gaps) -> None:
    rows = small.differences.copy()
    rows[["chance_low", "chance_high"]] = 0.0
    worse = (rows["closed"] == "data") & (rows["measure"] == "protected_in_time")
    rows.loc[worse, ["chance_low", "chance_high"]] = -2.0, -1.0
    three = small.manifest | {"seeds": [1, 2, 3]}
    told = str(Gaps(**{**vars(small), "differences": rows, "manifest": three}))
    assert (
        "Worse than the baseline, although the gap is closed and beyond chance: children protected in time: data."
        in told
    )
    # two seeds may agree by chance
    assert "Worse than" not in str(Gaps(**{**vars(small), "differences": rows}))
    rows.loc[worse, "chance_high"] = 1.0
    assert "Worse than" not in str(Gaps(**{**vars(small), "differences": rows, "manifest": three}))


@pytest.mark.parametrize("lang", ["en", "id"])
@pytest.mark.parametrize("name", ["gaps", "gaps_ranges"])
@pytest.mark.parametrize("which", ["small", "one"])
def test_figures_are_legible(which: str, name: str, lang: Any, request: pytest.FixtureRequest) -> None:
    figure = request.getfixturevalue(which).plot(name, lang)
    texts = drawn_texts(figure)
    assert min(text.get_fontsize() for text in texts) >= SMALL
    width, height = figure.bbox.size
    boxes = [text.get_window_extent() for text in texts]
    for text, box in zip(texts, boxes):
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text.get_text()!r} leaves the canvas: {box}"
    for i, j in itertools.combinations(range(len(texts)), 2):
        apart = min(boxes[i].x1, boxes[j].x1) - max(boxes[i].x0, boxes[j].x0) <= 1.5
        apart |= min(boxes[i].y1, boxes[j].y1) - max(boxes[i].y0, boxes[j].y0) <= 1.5
        assert apart, f"{texts[i].get_text()!r} lies on {texts[j].get_text()!r}"


def test_an_unknown_figure_is_named(one: Gaps) -> None:
    with pytest.raises(KeyError, match="there are gaps, gaps_ranges"):
        one.plot("gap")


def test_saving_again_replaces_what_was_there(small: Gaps, one: Gaps, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    small.save(out, lang="id")
    assert (out / "gaps.md").read_text().startswith("# Menutup celah: Kabupaten Lebak, 2018")
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == {
        "manifest.json", "gaps.md", "gaps.parquet", "differences.parquet", "shapley.parquet", "ranges.parquet",
        "money.parquet", "ranking.parquet", "figures/gaps.png", "figures/gaps_ranges.png",
    }  # fmt: skip
    assert pd.read_parquet(out / "gaps.parquet").attrs["seeds"] == [1, 2]
    pd.testing.assert_frame_equal(pd.read_parquet(out / "ranges.parquet"), small.ranges)
    (out / "runs").mkdir()
    one.save(out, command="konvergensi gaps")
    assert not (out / "ranges.parquet").exists() and not (out / "figures" / "gaps_ranges.png").exists()
    assert (out / "runs").is_dir() and json.loads((out / "manifest.json").read_text())["command"] == "konvergensi gaps"
    assert not [path for path in out.parent.iterdir() if path != out]


# ---- refusals and the command line -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, "seeds: 0 is outside"),
        ({"draws": -1}, "draws: -1 is outside"),
        ({"workers": 0}, "workers: 0 is outside"),
        ({"population_share": 10}, "population_share: 10 looks like a percent"),
        ({"start": "2018-02", "end": "2019-11"}, "2018-02 to 2019-11 holds no whole calendar year"),
        ({"district": "lebakk"}, "unknown district 'lebakk'"),
    ],
)
def test_bad_input_is_refused_before_the_first_run(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        gaps(**ONE | {"keep": tmp_path / "runs"} | options)
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written to"):
        gaps(**ONE, keep=tmp_path / "file" / "runs")


def call(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--seeds 0", "--seeds: 0 is outside"),
        ("--workers 0", "--workers: 0 is outside"),
        ("--draws -1 --lang id", "--draws: -1 di luar rentang"),
        ("--start 2019-01 --end 2018-12", "--end: '2018-12' is before 2019-01 (--start)"),
        ("--end 2018-11", "2018-01 to 2018-11 holds no whole calendar year"),
        ("--district nowhere/else", "nowhere/else: there is no such file or folder"),
    ],
)
def test_the_command_refuses_with_one_line_and_writes_nothing(tmp_path: Path, options: str, message: str) -> None:
    done = call("gaps", "--out", tmp_path / "out", *options.split())
    lines = [line for line in done.stderr.splitlines() if line.strip() and "runs/s" not in line]
    assert done.exit_code == 2 and done.stdout == "" and len(lines) == 1 and lines[0].startswith(message), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_command_passes_its_options_on_and_says_what_it_wrote(
    monkeypatch: pytest.MonkeyPatch, one: Gaps, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def stand_in(district: str, **options: Any) -> Gaps:
        asked.update(options, district=district)
        options["progress"](1, 8)
        return one

    monkeypatch.setitem(vars(kv), "gaps", stand_in)
    words = "--seeds 3 --draws 0 --population-share 0.5 --start 2019-01 --end 2020-12 --workers 2 --no-ranges"
    done = call("gaps", "--out", tmp_path / "out", *words.split())
    assert done.exit_code == 0, done.output
    del asked["progress"]
    assert asked == {
        "district": "lebak", "seeds": 3, "draws": 0, "population_share": 0.5, "start": "2019-01", "end": "2020-12",
        "workers": 2, "cluster": None, "ranges": False, "structures": "all", "lang": "en",
        "policies_from": None, "keep": tmp_path / "out" / "runs",
    }  # fmt: skip
    assert done.stdout.startswith("Closing the gaps: Kabupaten Lebak, 2018\n")
    assert done.stdout.splitlines()[-1].startswith(
        f"Written to {tmp_path / 'out'}: differences.parquet, figures/, gaps.md"
    )


def test_ctrl_c_ends_with_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: Any, **__: Any) -> SimpleNamespace:
        raise KeyboardInterrupt

    monkeypatch.setitem(vars(kv), "gaps", interrupted)
    done = call("gaps", "--out", tmp_path / "out", "--lang", "id")
    assert done.exit_code == 130 and "perintah yang sama melanjutkannya" in done.stderr and done.stdout == ""


def test_it_is_part_of_the_package() -> None:
    assert kv.gaps is gaps_module.gaps
