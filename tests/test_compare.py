"""Comparing scenarios: pairs that share everything but the policy, draws that stay as they are, work not lost."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import copy_of_lebak
from typer.testing import CliRunner

import konvergensi as kv
from konvergensi.analyses import compare as compare_module
from konvergensi.analyses.compare import TARGETS, compare
from konvergensi.analyses.compare_plan import Plan, compare_job, make_plan, sample_of
from konvergensi.analyses.run import run as one_run
from konvergensi.base.errors import InputError
from konvergensi.cli.main import app
from konvergensi.inputs.country import LEVEL_KEYS
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.parameters import load_parameters
from konvergensi.inputs.scenarios import list_scenarios, load_scenario
from konvergensi.inputs.uncertain import is_uncertain
from konvergensi.methods.statistics import best_shares, interval, mean_interval, variance_shares
from konvergensi.model.branch import branches
from konvergensi.report import present
from konvergensi.results import comparison as comparison_module
from konvergensi.results.comparison import BOUNDS, COLUMNS, MEASURES, Comparison
from konvergensi.studies.outputs import MONEY
from konvergensi.studies.rows import rows_of

SPAN: dict[str, Any] = {"population_share": 0.004, "end": "2019-02"}
WORDS = 'title = { en = "A", id = "B" }\nquestion = { en = "C", id = "D" }\n'
DRAWS, SEEDS = 2, 2


def inert(folder: Path) -> str:
    """A policy that sets a value to what it is."""
    folder.mkdir(exist_ok=True)
    file = folder / "inert.toml"
    file.write_text(WORDS + 'change = [{ from = "2018-07", set = { "goals.leadership" = 0.4 } }]\n')
    return str(file)


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return ["baseline", "one-list", inert(tmp_path_factory.mktemp("policies"))]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def found(scenarios: list[str], kept: Path) -> Comparison:
    return compare(scenarios, draws=DRAWS, seeds=SEEDS, workers=1, keep=kept, **SPAN)


@pytest.fixture(scope="module")
def by_seed(scenarios: list[str], kept: Path) -> Comparison:
    """Parameters as they are."""
    return compare(scenarios, draws=0, seeds=2, workers=1, keep=kept, **SPAN)


def same(one: Comparison, other: Comparison) -> None:
    for name, table in one.tables().items():
        pd.testing.assert_frame_equal(table, other.tables()[name], check_exact=True, obj=name)
    for scenario, run in one.details.items():
        for name, table in run.tables().items():
            pd.testing.assert_frame_equal(table, other.details[scenario].tables()[name], check_exact=True, obj=name)
    mine, yours = ({**each.manifest, "wall_time_s": 0, "lang": ""} for each in (one, other))
    assert json.dumps(mine) == json.dumps(yours)


def cube(table: pd.DataFrame, measure: str, month: str, scenarios: list[str]) -> np.ndarray:
    """Values of a measure, (draws, seeds, scenarios)."""
    part = table[(table["measure"] == measure) & (table["month"] == month)]
    wide = part.set_index(["draw", "seed", "policy"])["value"].unstack("policy")[scenarios]
    return wide.to_numpy().reshape(wide.index.levshape[0], -1, len(scenarios))


# ---- what is in the tables ---------------------------------------------------------------------------------------


def test_tables_have_the_columns_they_promise(found: Comparison) -> None:
    assert {name: list(table) for name, table in found.tables().items()} == COLUMNS
    assert found.manifest["policies"] == ["baseline", "one-list", "inert"] == list(found.details)
    assert set(found.comparison["measure"]) == set(MEASURES)
    of_one = found.runs[(found.runs["policy"] == "inert") & (found.runs["measure"] == "spent_rp")]
    assert sorted(set(of_one["month"])) == ["2018-12", "2019-02"] and len(of_one) == 2 * DRAWS * SEEDS
    months = found.comparison.query("policy == 'inert' and measure == 'prevalence'")["month"].tolist()
    assert months == [f"2018-{m:02d}" for m in range(1, 13)] + [f"2019-{m:02d}" for m in range(1, 3)]
    assert (len(found.villages), len(found.groups)) == (345 * 3, 13 * 3)


def test_any_run_can_be_run_again_by_itself(found: Comparison) -> None:
    """The branch of draw 2 and seed 2 is what `kv.run` gives for the same key."""
    parameter_draw = found.parameter_draws[found.parameter_draws["draw"] == 2].set_index("parameter")["value"]
    assert parameter_draw.index.tolist() == [*found.manifest["drawn"], *LEVEL_KEYS]  # and the level it was solved for
    whole = {key for key, parameter in load_parameters().items() if isinstance(parameter.value, int)}
    said = {key: int(value) if key in whole else value for key, value in parameter_draw.items()}
    settled = found.settled.query("draw == 2 and seed == 2").set_index("parameter")["value"]
    assert set(settled.index) == {*found.manifest["structures"], *LEVEL_KEYS}
    said |= {key: float(value) if key in LEVEL_KEYS else value for key, value in settled.items()}
    run = one_run("one-list", seed=2, set=said, **SPAN)
    scale = 1 / run.manifest["population_share_made"]
    row = found.runs.query("policy == 'one-list' and draw == 2 and seed == 2").set_index(["measure", "month"])["value"]
    series = run.series[run.series["group"] == "all"].set_index("month")
    assert row["prevalence"].tolist() == (100 * series["prevalence"]).tolist()
    last, end = series.iloc[-1], SPAN["end"]
    assert row["stunted_children", end] == pytest.approx(last["prevalence"] * last["n_children"] * scale)
    indicators = run.indicators.pivot(index="month", columns="indicator", values="value")
    assert row["protected_in_time", end] == pytest.approx(indicators["protected_in_time"].sum() * scale)
    assert row["complete_package_share", "2018-12"] == indicators.loc["2018-12", "complete_package_share"]
    assert row["services_mean", end] == indicators.loc[end, "services_mean"]
    assert row["kpm_incentive_rp", end] == pytest.approx(indicators["kpm_incentive_rp"].sum() * scale)
    index = run.integration.query("dimension == 'index'").set_index("month")["value"]
    assert row["integration_index", end] == index[end]
    for stage in ("budgeted", "spent"):
        money = run.money.groupby("year")[f"{stage}_rp"].sum() * scale
        assert row[f"{stage}_rp", "2018-12"] == pytest.approx(money[2018])
        assert row[f"{stage}_rp", end] == pytest.approx(money.sum())
    costs = found.costs.query("policy == 'one-list' and draw == 2 and seed == 2").set_index(["source", "stage"])[
        "amount_rp"
    ]
    for source, table in run.money.groupby("source"):
        for stage in ("planned", "budgeted", "released", "spent"):
            assert costs[source, stage] == pytest.approx(table[f"{stage}_rp"].sum() * scale)


def test_details_are_the_runs_with_parameters_as_they_are(found: Comparison) -> None:
    for scenario in ("baseline", "one-list"):
        alone, inside = one_run(scenario, seed=1, **SPAN), found.details[scenario]
        for name, table in alone.tables().items():
            pd.testing.assert_frame_equal(inside.tables()[name], table, check_exact=True, check_dtype=False, obj=name)
        drop = {"wall_time_s": 0}
        assert inside.manifest | drop == alone.manifest | drop
        assert (inside.service_names, inside.agency_names) == (alone.service_names, alone.agency_names)


def test_an_inert_policy_differs_by_exactly_nothing(found: Comparison, by_seed: Comparison) -> None:
    for each in (found, by_seed):
        rows = each.comparison[each.comparison["policy"] == "inert"]
        assert (rows[["difference", "diff_low", "diff_high"]] == 0.0).all(axis=None)
        effect = each.cost_effect[each.cost_effect["policy"] == "inert"]
        assert (effect[["d_cost_rp", "d_cases", "d_protected"]] == 0.0).all(axis=None)
        assert (each.groups.query("policy == 'inert'")["difference"] == 0.0).all()
        assert (each.villages.query("policy == 'inert'")["difference"].dropna() == 0.0).all()
        pair = each.pairs.query("policy_a == 'baseline' and policy_b == 'inert'")
        assert (pair["difference"] == 0.0).all() and not pair["decided"].any() and pair["more_runs"].isna().all()
        assert each.variance.query("policy == 'inert'")["share_chance"].isna().all()
        best = each.comparison.pivot_table(index=["measure", "month"], columns="policy", values="p_best")
        pd.testing.assert_series_equal(best["inert"], best["baseline"], check_names=False)


def test_the_first_scenario_differs_from_itself_by_nothing(found: Comparison) -> None:
    rows = found.comparison[found.comparison["policy"] == "baseline"]
    assert (rows[["difference", "diff_low", "diff_high"]] == 0.0).all(axis=None)


def test_numbers_of_the_comparison_are_those_of_the_runs(found: Comparison) -> None:
    names, end = found.manifest["policies"], SPAN["end"]
    rows = found.comparison[found.comparison["month"] == end].set_index(["measure", "policy"])
    pairs = found.pairs.set_index(["policy_a", "policy_b", "measure"])
    variance = found.variance.set_index(["policy", "measure"])
    for measure, direction in MEASURES.items():
        values = cube(found.runs, measure, end, names)
        assert values.shape == (DRAWS, SEEDS, 3)
        for i, name in enumerate(names):
            row = rows.loc[(measure, name)]
            possible, anything = BOUNDS.get(measure, (0.0, math.inf)), (-math.inf, math.inf)
            for columns, of, bounds in (
                (["mean", "low", "high"], values[..., i], possible),
                (["difference", "diff_low", "diff_high"], values[..., i] - values[..., 0], anything),
            ):
                expected = tuple(float(np.clip(each, *bounds)) for each in interval(of))
                assert tuple(row[columns]) == pytest.approx(expected)
            difference = values[..., i] - values[..., 0]
            assert row["p_best"] == pytest.approx(best_shares(values, direction)[i], nan_ok=True)
            split = variance_shares(difference if i else values[..., 0])
            assert tuple(variance.loc[(name, measure)]) == pytest.approx(split, nan_ok=True)
        pair = pairs.loc[("one-list", "inert", measure)]
        mean, low, high = mean_interval(values[..., 2] - values[..., 1])
        assert (pair["difference"], pair["low"], pair["high"]) == pytest.approx((mean, low, high))
        assert pair["decided"] == (high > low and (low > 0 or high < 0))


def test_money_is_never_best(found: Comparison) -> None:
    rows = found.comparison[found.comparison["measure"].str.endswith("_rp")]
    assert rows["p_best"].isna().all()
    rows = found.comparison[~found.comparison["measure"].str.endswith("_rp")]
    np.testing.assert_allclose(rows.groupby(["measure", "month"])["p_best"].sum(), 1.0)


def test_cost_and_effect_belong_together(found: Comparison) -> None:
    names, end = found.manifest["policies"], SPAN["end"]
    table = found.cost_effect.query("policy == 'one-list'").set_index(["draw", "seed"])
    spent = sum(cube(found.runs, each, end, names) for each in MONEY)
    cases, protected = (cube(found.runs, each, end, names) for each in ("stunted_children", "protected_in_time"))
    assert table["d_cost_rp"].tolist() == pytest.approx((spent[..., 1] - spent[..., 0]).ravel())
    assert table["d_cases"].tolist() == pytest.approx((cases[..., 0] - cases[..., 1]).ravel())
    assert table["d_protected"].tolist() == pytest.approx((protected[..., 1] - protected[..., 0]).ravel())


def test_a_price_is_given_only_for_what_is_clearly_gained(found: Comparison) -> None:
    told = {(each["policy"], each["effect"]): each for each in found.manifest["cost_per"]}
    assert set(told) == {(s, e) for s in ("one-list", "inert") for e in ("cases_averted", "protected_in_time")}
    for each in told.values():
        assert (each["rp"] is None) is (each["reason"] is not None)
        assert each["reason"] is None or set(each["reason"]) == {"en", "id"}
    assert told["inert", "cases_averted"]["reason"]["en"] == "the same as the reference in every run"


def test_a_price_is_the_ratio_of_the_means(monkeypatch: pytest.MonkeyPatch, found: Comparison) -> None:
    samples = SimpleNamespace(draws=[1, 2, 3], names=["baseline", "more", "worse", "unclear"])
    effect = {"more": [10, 11, 12], "worse": [-1, -2, -3], "unclear": [-5, 1, 5]}
    rows = [
        (name, d, 1, 100.0, float(v), float(v), 40.0) for name, vs in effect.items() for d, v in enumerate(vs, start=1)
    ]
    told = compare_module._cost_per(pd.DataFrame(rows, columns=COLUMNS["cost_effect"]), samples)  # type: ignore[arg-type]
    more, worse, unclear = told[0], told[2], told[4]
    assert more["without_transfers_rp"] == pytest.approx(60 / 11)
    assert more["rp"] == pytest.approx(100 / 11) and more["low"] < more["rp"] < more["high"]
    assert worse["reason"]["en"].startswith("fewer") and unclear["reason"]["en"].startswith("not clearly")


def test_targets_are_data_with_a_source_and_stand_in_the_evidence(found: Comparison) -> None:
    assert TARGETS == ((14.0, "2024-12"), (18.8, "2025-12"), (14.2, "2029-12"), (5.0, "2045-12"))
    evidence = pd.read_csv(Path(__file__).parents[1] / "evidence/prevalence_series.csv")
    told = evidence[(evidence.area == "Indonesia") & (evidence.measure_system == "target")]
    assert {(float(row.percent), f"{row.year}-12") for row in told.itertuples()} == set(TARGETS)
    assert all(each["source"] and each["grade"] in ("paper", "published") for each in found.manifest["targets"])


def test_targets_are_read_in_their_month_or_named_as_outside(
    found: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [(row.target_percent, row.month) for row in found.targets[:4].itertuples()] == list(TARGETS)
    assert found.targets["probability"].isna().all() and (found.targets["runs"] == 0).all()  # the run ends before
    values = found.runs.query("policy == 'baseline' and measure == 'prevalence' and month == '2019-01'")["value"]
    middle = float(values.median())
    monkeypatch.setattr(compare_module, "TARGETS", ((middle, "2019-01"), (100.0, "2019-02"), (0.0, "2019-02")))
    samples = compare_module._Samples.of(*_plan_and_rows(found))
    told = compare_module._targets(samples).query("policy == 'baseline'")
    assert told["probability"].tolist() == [(values <= middle).mean(), 1.0, 0.0]
    assert (told["runs"] == DRAWS * SEEDS).all()


def _plan_and_rows(found: Comparison) -> tuple[Any, Any]:
    """As if the runs of `found` had just been done."""
    names = found.manifest["policies"]
    wide = found.runs.set_index(["draw", "seed", "policy", "measure"]).sort_index(kind="stable")
    rows = {}
    for draw in range(1, DRAWS + 1):
        for seed in range(1, SEEDS + 1):
            outcomes = []
            for name in names:
                part = wide.loc[(draw, seed, name)]
                each = {measure: part.loc[measure, "value"].tolist() for measure in MEASURES}
                each |= {
                    "months": part.loc["prevalence", "month"].tolist(),
                    "at": part.loc["spent_rp", "month"].tolist(),
                }
                outcomes.append({"outcome": each | {"groups": [], "population_share_made": 1.0}})
            rows[draw, seed] = {"scenarios": outcomes}
    return SimpleNamespace(sample={at: at for at in rows}, names=names), rows


def test_intervals_say_what_they_are(found: Comparison, by_seed: Comparison) -> None:
    assert (
        found.manifest["interval_kind"] == "few_draws" and "(2, seeds of each: 2)" in found.manifest["intervals"]["en"]
    )
    assert by_seed.manifest["interval_kind"] == "chance" and "2 benih acak" in by_seed.manifest["intervals"]["id"]
    assert by_seed.manifest["intervals"]["en"].startswith("chance only, parameters as they are")
    assert by_seed.manifest["drawn"] == [] and by_seed.parameter_draws.empty and set(by_seed.runs["draw"]) == {0}
    assert by_seed.variance["share_parameters"].isna().all() and by_seed.manifest["variance_note"]["en"]
    place = find_district("lebak")
    uncertain = {key for key, each in place.parameters().items() if is_uncertain(each, place)}
    assert found.manifest["variance_note"] is None and len(uncertain) > 300
    changed = {change.key for each in ("one-list", "baseline") for change in load_scenario(each).changes}
    decided = {*changed, *LEVEL_KEYS, "goals.leadership"}  # the last by the policy that does nothing
    fitted = set(found.manifest["parameter_draws"]["fitted"])
    assert set(found.manifest["drawn"]) == (uncertain | fitted) - decided


def test_money_names_what_rests_on_assumed_unit_costs(found: Comparison) -> None:
    assumed, run = found.manifest["assumed_unit_costs"], found.details["baseline"]
    known = load_parameters()
    spent = run.money.assign(service=run.money["programme"].str.split(":").str[1]).groupby("service")["spent_rp"].sum()
    on = [name for name in spent.index if known[f"services.{name}.unit_cost_rp"].grade == "assumption"]
    own = {each.service for each in find_district("lebak").programmes if each.unit_cost_rp}
    if not own:
        assert assumed["services"] == sorted(on)
        assert assumed["spent_share"]["baseline"] == pytest.approx(spent[on].sum() / spent.sum())
    assert 0 < assumed["spent_share"]["baseline"] < 1


# ---- what is drawn -------------------------------------------------------------------------------------------------


def plan(*scenarios: str, draws: int = 4, **options: Any) -> Plan:
    asked = {
        "district": "lebak",
        "seeds": 2,
        "population_share": 0.01,
        "start": "2018-01",
        "end": "2018-12",
        "set_": {},
    }
    return make_plan(scenarios or ("baseline", "one-list"), draws=draws, **asked | options)


def test_only_what_is_uncertain_is_drawn() -> None:
    drawn, place = plan().drawn, find_district("lebak")
    assert len(drawn) > 150 and {"budget.inertia", "services.pmba.effect"} <= {each.key for each in drawn}
    assert any(isinstance(each.value, int) for each in drawn)
    measured = {*place.overrides, *(key for event in place.timeline for key in event.set)}
    for each in drawn:
        assert not isinstance(each.value, (bool, str)) and each.low < each.high
        assert each.key not in measured and each.key.partition(".")[0] not in ("calendar", "shocks", "opd")
        assert each.role == "assumption" or (each.role, "drawn" in each.marks) == ("lever", True)
    levers = {"socialization.turnover_share", "registers.sharing_share", "review.target_percent"}
    fitted = {"growth.mean_laz_0", "growth.level_shift_z", "measurement.eppgbm_bias_cm"}
    assert not {each.key for each in drawn} & (levers | fitted)


def test_what_a_scenario_or_set_decides_is_not_drawn() -> None:
    usual = {each.key for each in plan().drawn}
    changed = {change.key for change in load_scenario("early-planning").changes}
    assert not {each.key for each in plan("baseline", "early-planning").drawn} & changed
    fixed = plan(set_={"budget.inertia": 0.3})
    assert {each.key for each in fixed.drawn} == usual - {"budget.inertia"}
    assert all(dict(job.set)["budget.inertia"] == 0.3 for job in [fixed.full, *fixed.sample.values()])


def test_no_shipped_policy_is_silenced_by_a_draw() -> None:
    """A value that is set holds for the whole run, so a drawn key would undo the dated change of a policy."""
    names = [name for name in list_scenarios() if name != "baseline"]
    made = plan("baseline", *names, draws=1)
    assert not {each.key for each in made.drawn} & {c.key for name in names for c in load_scenario(name).changes}


def test_a_draw_is_the_same_whatever_is_compared_and_a_longer_series_begins_with_a_shorter() -> None:
    one, other = plan(draws=3), plan("one-list", "early-planning", "baseline", draws=5)
    for draw in (1, 2, 3):
        left, right = dict(one.sample[draw, 1].set), dict(other.sample[draw, 1].set)
        both = left.keys() & right.keys()
        assert len(both) > 150 and all(left[key] == right[key] for key in both)


def test_draws_stay_in_their_ranges_and_fill_them() -> None:
    made = plan(draws=16)
    parameter_draws = [dict(made.sample[draw, 1].set) for draw in range(1, 17)]
    for each in made.drawn:
        assert all(each.fault_in(parameter_draw[each.key]) is None for parameter_draw in parameter_draws)
        assert each.low is not None and each.high is not None
        if isinstance(each.value, float):
            place = np.sort(
                [
                    (float(parameter_draw[each.key]) - each.low) / (each.high - each.low)
                    for parameter_draw in parameter_draws
                ]
            )
            assert (np.floor(place * 16) == range(16)).all()


def test_seeds_cross_draws_and_without_draws_parameters_are_as_they_are() -> None:
    assert list(plan(draws=2).sample) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    alone = plan(draws=0, seeds=3)
    assert list(alone.sample) == [(0, 1), (0, 2), (0, 3)] and {job.set for job in alone.sample.values()} == {()}
    for made in (plan(), alone):
        assert (made.full.seed, made.full.set, made.full.in_full) == (1, (), True)


def test_what_the_district_says_of_itself_is_not_drawn(tmp_path: Path) -> None:
    own = '[set."uptake.adherence_share"]\nvalue = 0.7\nsource = "measured"\ngrade = "published"\n\n[[timeline]]'
    folder = copy_of_lebak(tmp_path / "mine", district=lambda text: text.replace("[[timeline]]", own, 1))
    usual, mine = (sample_of(find_district(name), 1, ())[0] for name in ("lebak", folder))
    assert {each.key for each in usual} - {each.key for each in mine} == {"uptake.adherence_share"}


# ---- work that is not lost -------------------------------------------------------------------------------------------


class Stop(BaseException):
    """A stand-in for Ctrl-C and worse."""


def test_stopped_halfway_it_goes_on_and_comes_to_the_same(
    found: Comparison, scenarios: list[str], kept: Path, tmp_path: Path
) -> None:
    def stop_after_two(done: int, _all: int) -> None:
        if done == 2 * 3:
            raise Stop

    keep, few = tmp_path / "runs", {"draws": 1, "seeds": 2, "workers": 1}
    with pytest.raises(Stop):
        compare(scenarios, keep=keep, progress=stop_after_two, **few, **SPAN)
    told: list[tuple[int, int]] = []
    again = compare(scenarios, keep=keep, progress=lambda *each: told.append(each), **few, **SPAN)
    assert told[0] == (2 * 3, 3 * 3) and told[-1] == (3 * 3, 3 * 3)
    told.clear()
    same(again, compare(scenarios, keep=kept, progress=lambda *each: told.append(each), **few, **SPAN))
    assert told == [(3 * 3, 3 * 3)]  # a longer comparison had done all of it


def test_the_number_of_workers_changes_nothing(by_seed: Comparison, scenarios: list[str]) -> None:
    same(by_seed, compare(scenarios, draws=0, seeds=2, workers=2, **SPAN))


def test_another_scenario_or_order_is_other_work(tmp_path: Path) -> None:
    def names(*scenarios: str) -> set[str]:
        jobs = [make_plan(scenarios, "lebak", 0, 1, 0.002, "2018-01", "2018-01", {}).full]
        rows_of(jobs, nothing, workers=1, keep=tmp_path / "runs")
        files = (tmp_path / "runs" / "rows").glob("*.parquet")
        return {key for file in files for key in pd.read_parquet(file)["key"]}

    assert len(names("baseline", "one-list")) == 1
    assert len(names("one-list", "baseline")) == 2
    assert len(names("baseline", "early-planning")) == 3
    policy = inert(tmp_path)
    assert len(names("baseline", policy)) == 4
    Path(policy).write_text(WORDS)
    assert len(names("baseline", policy)) == 5


def nothing(_job: object) -> dict[str, Any]:
    return {}


def test_what_is_kept_is_small_but_for_the_details(kept: Path, found: Comparison) -> None:
    sizes = sorted(len(row) for file in (kept / "rows").glob("*.parquet") for row in pd.read_parquet(file)["row"])
    assert sizes[-2] < 150_000


# ---- saving and reading again ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("few_figures")
def test_what_is_saved_can_be_read_again(found: Comparison, tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = found.save(out)
    assert sorted(path.name + ("/" if path.is_dir() else "") for path in out.iterdir()) == sorted(names)
    same(found, kv.load(out))
    attrs = pd.read_parquet(out / "pairs.parquet").attrs
    assert attrs["draws"] == DRAWS and attrs["policies"] == found.manifest["policies"]
    (out / "pairs.parquet").unlink()
    with pytest.raises(InputError, match=r"pairs\.parquet"):
        kv.load(out)


def test_saving_replaces_an_earlier_comparison_and_leaves_the_runs(
    found: Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = replace(present.SHOWN["comparison"], extra=lambda _found, out, lang: (out / "report.html").write_text(lang))
    monkeypatch.setitem(present.SHOWN, "comparison", page)
    out = tmp_path / "new" / "out"
    (out / "runs").mkdir(parents=True)
    names = found.save(out, lang="id", command="konvergensi compare")
    assert {path.name for path in out.iterdir()} == {*(name.rstrip("/") for name in names), "runs"}
    assert (out / "report.html").read_text() == "id"
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["lang"], manifest["command"]) == ("id", "konvergensi compare")
    assert [path.name for path in out.parent.iterdir()] == ["out"]


# ---- refusals and the command line -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenarios", "options", "message"),
    [
        (["baseline"], {}, "scenarios: 'baseline': a comparison needs two scenarios or more"),
        ([], {}, "a comparison needs two scenarios or more"),
        (["baseline", "one-list", "baseline"], {}, "'baseline' is named twice"),
        (["baseline", "one-lst"], {}, "did you mean one-list"),
        (["baseline", "one-list"], {"draws": -1}, "draws: -1 is outside"),
        (["baseline", "one-list"], {"seeds": 0}, "seeds: 0 is outside"),
        (["baseline", "one-list"], {"workers": 0}, "workers: 0 is outside"),
        (["baseline", "one-list"], {"set": {"goals.oon": 1}}, "goals.oon: unknown key"),
        (["baseline", "one-list"], {"set": {"budget.inertia": 40}}, "budget.inertia: 40 looks like a percent"),
        (["baseline", "one-list"], {"district": "lebakk"}, "unknown district 'lebakk'"),
    ],
)
def test_bad_input_is_refused_before_the_first_run(
    scenarios: list[str], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        compare(scenarios, keep=tmp_path / "runs", **SPAN | options)
    assert not (tmp_path / "runs").exists()


def call(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("baseline", "scenarios: 'baseline': a comparison needs two scenarios"),
        ("baseline baseline --lang id", "scenarios: 'baseline' disebut dua kali"),
        ("baseline one-list --draws -1", "--draws: -1 is outside"),
        ("baseline one-list --workers 0", "--workers: 0 is outside"),
        ("baseline one-list --start 2019-01 --end 2018-12", "--end: '2018-12' is before 2019-01 (--start)"),
        ("baseline one-list --set goals.oon=1", "--set: goals.oon: unknown key"),
        ("baseline one-list --district nowhere/else", "nowhere/else: there is no such file or folder"),
    ],
)
def test_the_command_refuses_with_one_line_and_writes_nothing(tmp_path: Path, words: str, message: str) -> None:
    done = call("compare", *words.split(), "--out", tmp_path / "out")
    assert done.exit_code == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith(message) and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lang", ["en", "id"])
def test_the_command_passes_its_options_on_and_says_what_came_out(
    lang: str, monkeypatch: pytest.MonkeyPatch, found: Comparison, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def stand_in(scenarios: list[str], **options: Any) -> Comparison:
        asked.update(options, scenarios=scenarios)
        options["progress"](3, 21)
        return found

    monkeypatch.setitem(vars(kv), "compare", stand_in)
    monkeypatch.setattr(Comparison, "save", lambda *_, **__: ["runs.parquet", "manifest.json"])
    words = "baseline one-list --draws 3 --seeds 2 --population-share 0.5 --start 2018-01 --end 2019-02 --workers 2"
    done = call("compare", *words.split(), "--set", "budget.inertia=0.3", "--out", tmp_path / "out", "--lang", lang)
    assert done.exit_code == 0, done.output
    del asked["progress"]
    assert asked == {
        "scenarios": ["baseline", "one-list"], "district": "lebak", "draws": 3, "seeds": 2, "population_share": 0.5,
        "start": "2018-01", "end": "2019-02", "set": {"budget.inertia": 0.3}, "workers": 2, "cluster": None,
        "draws_from": "fitted", "structures": "all", "observed": None,
        "keep": tmp_path / "out" / "runs",
    }  # fmt: skip
    lines = done.stdout.splitlines()
    mean = found.comparison.query("policy == 'one-list' and measure == 'prevalence' and month == '2019-02'")["mean"]
    shown = f"{mean.iloc[0]:.1f}%"
    row = next(line for line in lines if line.strip().startswith("one-list"))
    assert (shown if lang == "en" else shown.replace(".", ",")) in row and "nan" not in done.stdout
    assert lines[-1].endswith("out: manifest.json, runs.parquet") and max(map(len, lines)) <= 200


def test_ctrl_c_ends_with_how_to_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: Any, **__: Any) -> SimpleNamespace:
        raise KeyboardInterrupt

    monkeypatch.setitem(vars(kv), "compare", interrupted)
    done = call("compare", "baseline", "one-list", "--out", tmp_path / "out", "--lang", "id")
    assert done.exit_code == 130 and "perintah yang sama melanjutkannya" in done.stderr and done.stdout == ""


def test_it_is_part_of_the_package() -> None:
    assert kv.compare is compare_module.compare and kv.Comparison is comparison_module.Comparison


def test_pairs_are_much_tighter_than_runs_with_chance_of_their_own() -> None:
    """The reason for all of it: the variance of a difference, seeds independent over seeds in common."""
    levels = []
    for seed in (1, 2, 3, 4):
        pair = dict(branches(["baseline", "one-list"], seed=seed, population_share=0.01, end="2019-06"))
        levels.append([100 * pair[name].prevalence() for name in ("baseline", "one-list")])
    values = np.array(levels)
    assert (values[:, 0] != values[:, 1]).any()
    assert values.var(axis=0, ddof=1).sum() > 20 * (values[:, 1] - values[:, 0]).var(ddof=1)


def test_a_job_keeps_the_order_of_its_scenarios() -> None:
    forth, back = (make_plan(names, "lebak", 0, 1, 0.002, "2018-01", "2018-03", {}).full for names in
                   (("baseline", "no-programme"), ("no-programme", "baseline")))  # fmt: skip
    one, other = (compare_job(job)["scenarios"] for job in (forth, back))
    assert [each["outcome"]["costs"] for each in one] == [each["outcome"]["costs"] for each in reversed(other)]
    assert one[0]["run"]["manifest"]["policy"] == "baseline" == other[1]["run"]["manifest"]["policy"]
