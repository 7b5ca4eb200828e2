"""The month as a whole, what a model offers to read, and measurement as a layer over the truth."""

from pathlib import Path

import mesa
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from conftest import SMALL, copy_of_lebak, finished, live, values
from refresh_baseline import FOLDER, baseline_tables

from konvergensi.analyses.run import run
from konvergensi.base.errors import InputError
from konvergensi.base.months import format_month, parse_month
from konvergensi.model.convergence import MONTH, ConvergenceModel
from konvergensi.observe.recorder import COLUMNS
from konvergensi.results.run import Run
from konvergensi.world.agents import Opd
from konvergensi.world.network import LAYERS, density, edge_key

EPPGBM_TO_SURVEY_2019 = 0.359  # 11.83 over 32.96 percent, evidence/eppgbm_vs_survey_pairs.csv


# ---- steps ---------------------------------------------------------------------------------------


def _tied(model: ConvergenceModel, other: str) -> bool:
    """Whether the coordinator is formally tied to this one."""
    one = f"opd:{model.opds[0].id}"
    return bool(model.network.has_edge(one, other, key=edge_key("formal", one, other)))


def test_every_part_of_the_month_is_a_method_with_a_sentence() -> None:
    for part in MONTH:
        assert getattr(ConvergenceModel, part).__doc__, part


def test_a_model_lives_from_its_first_month_to_its_last_and_then_stops() -> None:
    model = ConvergenceModel(rng=1, population_share=0.005, start="2019-11", end="2020-02")
    assert model.world.month == parse_month("2019-11")
    simulated = []
    while model.running:
        simulated.append(format_month(model.world.month))
        model.step()
    assert simulated == ["2019-11", "2019-12", "2020-01", "2020-02"]
    assert model.recorder.tables()["series"]["month"].unique().tolist() == simulated


def test_a_step_after_the_end_changes_nothing() -> None:
    model = live(share=0.005, end="2018-02")
    before = model.world.month, len(model.recorder.tables("series")["series"]), model.world.children.z.copy()
    model.step()
    assert not model.running
    assert (model.world.month, len(model.recorder.tables("series")["series"])) == before[:2]
    assert (model.world.children.z == before[2]).all()


def test_the_data_collector_names_the_month_that_its_prevalence_is_of() -> None:
    model = live(share=0.01, end="2018-03")
    collected = model.datacollector.get_model_vars_dataframe()
    true = finished(model).series.query("group == 'all'")
    assert collected["prevalence"].tolist() == pytest.approx(true["prevalence"].tolist())
    assert collected["month"].tolist() == true["month"].tolist()


def test_a_model_without_a_seed_keeps_the_one_it_took() -> None:
    first = ConvergenceModel(population_share=0.005, end="2018-01")
    again = ConvergenceModel(rng=first.seed_used, population_share=0.005, end="2018-01")
    assert (first.world.children.key == again.world.children.key).all()
    for model in (first, again):
        model.step()
    assert (first.world.children.z == again.world.children.z).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"end": "2017-12"}, "end"),
        ({"population_share": 0.0}, "population_share"),
        ({"population_share": 1.5}, "population_share"),
        ({"rng": -1}, "rng"),
        ({"trace_children": -1}, "trace_children"),
        ({"set": {"budget.inertiaa": 0.5}}, "budget.inertia"),
        ({"set": {"budget.inertia": 5}}, "budget.inertia"),
        ({"district": "atlantis"}, "atlantis"),
        ({"scenario": "wishful"}, "wishful"),
    ],
)
def test_a_bad_option_is_refused_by_name_before_anything_is_built(options: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ConvergenceModel(**({"population_share": 0.005} | options))


def test_progress_is_told_after_every_month() -> None:
    told: list[tuple[int, int]] = []
    run(population_share=0.005, end="2018-03", progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_settings_given_by_hand_win_over_dated_changes() -> None:
    model = live(share=0.005, end="2020-06", set={"shocks.posyandu_open_share": 1.0})
    assert model.world.settings["shocks.posyandu_open_share"] == 1.0
    assert model.world.settings["shocks.home_contact_share"] == 0.5  # the rest of COVID stays


def test_dated_changes_come_into_force_in_their_month(lebak: ConvergenceModel) -> None:
    model = ConvergenceModel(rng=1, population_share=0.005, end="2020-05")
    seen = {}
    while model.running:
        month = model.world.month
        model.step()
        seen[format_month(month)] = model.world.settings["shocks.posyandu_open_share"]
    assert (seen["2020-03"], seen["2020-04"]) == (1.0, 0.25)
    assert any("2020-04 shocks.posyandu_open_share: 1 -> 0.25" in line for line in lebak.change_log)


# ---- the burn-in ------------------------------------------------------------------------------


def test_a_later_start_finds_the_same_district(run_2018: Run) -> None:
    """Whoever starts in 2021 has simulated the years before as a run from 2018 did, but for that run's own policies."""
    later = finished(live(start="2021-01", end="2021-12"))
    from_2018, from_2021 = (
        each.series.query("group == 'all' and month >= '2021-01' and month <= '2021-12'")["prevalence"].mean()
        for each in (run_2018, later)
    )
    assert from_2021 == pytest.approx(from_2018, abs=0.02)
    attendance = [values(each, "posyandu_attendance_share") for each in (run_2018, later)]
    assert attendance[1]["2021-03"] == pytest.approx(attendance[0]["2021-03"], abs=0.03)


@pytest.fixture(scope="module")
def run_2018(run: Run) -> Run:
    return run


def test_a_policy_does_not_reach_into_the_past() -> None:
    """A scenario that starts with the run leaves the children of its first month as baseline has them."""
    worlds = [
        ConvergenceModel(name, rng=1, population_share=0.01, end="2018-01").world
        for name in ("baseline", "no-programme")
    ]
    rows = worlds[0].children.window(worlds[0].month - 1, 0, 59)
    assert (worlds[0].children.z[rows] == worlds[1].children.z[rows]).all()
    assert (worlds[0].children.got == worlds[1].children.got).all()


def test_children_alive_at_the_start_have_their_months_simulated(run: Run) -> None:
    """Services and growth of those born before 2018 do not differ from those born after: no jump at the start."""
    mean = values(run, "services_mean")
    assert mean["2018-01"] == pytest.approx(mean["2018-12"], rel=0.25)
    prevalence = run.series.query("group == 'age_48_59'").set_index("month")["prevalence"]
    assert prevalence["2018-01"] == pytest.approx(prevalence["2018-06"], abs=0.05)


# ---- agents, households, network -----------------------------------------------------------------


def test_agencies_kecamatan_and_villages_are_mesa_agents() -> None:
    model = ConvergenceModel(rng=1, population_share=0.005, end="2018-01")
    assert len(model.agents_by_type[Opd]) == len(model.place.opd) >= 9
    assert len(model.kecamatan) == 28
    assert len(model.villages) == 345
    assert all(isinstance(agent, mesa.Agent) for agent in model.agents)
    assert sum(village.lokus for village in model.villages) == 10


def test_a_household_can_be_read_and_a_missing_one_is_refused_by_its_number(lebak: ConvergenceModel) -> None:
    world = lebak.world
    row = int(world.children.household[world.children.window(world.month - 1, 0, 0).start])
    home = lebak.household(row)
    assert home.village == world.households.village[row]
    assert 1 <= home.wealth_fifth <= 5
    assert all(world.children.household[child] == row for child in home.children)
    assert ("krs" in home.on_registers) == world.households.in_krs[row]
    assert ("water" in home.lacks) == world.households.no_water[row]
    for missing in (-1, len(world.households)):
        with pytest.raises(IndexError, match=str(missing)):
            lebak.household(missing)


@pytest.mark.parametrize("low_first", ["understanding", "institutional_understanding"])
def test_quality_rises_with_what_people_and_files_know(lebak: ConvergenceModel, low_first: str) -> None:
    opd, settings = lebak.opds[1], lebak.world.settings
    kept = getattr(opd, low_first)
    found = []
    for value in (0.0, 0.5, 1.0):
        setattr(opd, low_first, value)
        found.append(opd.quality(settings))
    setattr(opd, low_first, kept)
    assert found[0] < found[1] < found[2]
    assert settings["delivery.quality_floor_share"] <= found[0]
    assert found[2] <= settings["delivery.quality_full_share"] + 1e-9


def test_the_network_has_its_layers_and_reaches_every_village(lebak: ConvergenceModel) -> None:
    graph = lebak.network
    assert {layer for *_, layer in graph.edges(data="layer")} <= set(LAYERS)
    assert nx.has_path(graph, f"opd:{lebak.opds[0].id}", f"desa:{lebak.villages[-1].name}")
    kinds = pd.Series([kind for _, kind in graph.nodes(data="kind")]).value_counts()
    assert kinds.to_dict() == {"desa": 345, "kecamatan": 28, "opd": len(lebak.opds)}
    for layer in LAYERS:
        assert 0.0 <= density(graph, layer) <= 1.0


def test_at_the_start_agencies_outside_the_decree_have_no_formal_tie() -> None:
    model = ConvergenceModel(rng=1, population_share=0.005, end="2018-01")
    for opd in model.opds[1:]:
        tied = _tied(model, f"opd:{opd.id}")
        assert tied == (opd.in_decree or opd.leads)


def test_agencies_without_ego_know_each_other_and_full_ego_knows_nobody() -> None:
    ids = [opd.id for opd in ConvergenceModel(rng=1, population_share=0.005, end="2018-01").opds]
    for ego, expected in ((0.0, 1.0), (1.0, 0.0)):
        model = ConvergenceModel(
            rng=1, population_share=0.005, end="2018-01", set={f"opd.{each}.ego": ego for each in ids}
        )
        assert density(model.network, "informal") == expected


def test_a_decree_that_a_scenario_widens_from_the_start_ties_the_agency(tmp_path: Path) -> None:
    scenario = tmp_path / "wide-decree.toml"
    scenario.write_text(
        'title = { en = "Wide", id = "Luas" }\nquestion = { en = "?", id = "?" }\nextends = "baseline"\n'
        'change = [{ from = "2018-01", set = { "opd.pupr.in_decree" = true } }]\n',
        encoding="utf-8",
    )
    model = ConvergenceModel(str(scenario), rng=1, population_share=0.005, end="2018-01")
    assert next(opd for opd in model.opds if opd.id == "pupr").decree_stated
    assert not _tied(model, "opd:pupr")  # no decree in force yet
    scenario.write_text(
        scenario.read_text(encoding="utf-8").replace('{ "opd', '{ "network.decree_in_force" = true, "opd'),
        encoding="utf-8",
    )
    model = ConvergenceModel(str(scenario), rng=1, population_share=0.005, end="2018-01")
    assert _tied(model, "opd:pupr")


# ---- traced children -----------------------------------------------------------------------------


def test_traced_children_are_followed_from_birth_month_by_month() -> None:
    found = finished(live(share=0.02, end="2020-12", trace_children=40)).children
    assert found is not None
    assert found["child"].nunique() == 40
    for _, life in found.groupby("child"):
        assert life["age_months"].tolist() == list(range(len(life)))
        assert life["month"].iloc[0] == life["birth_month"].iloc[0]
        assert life["sex"].nunique() == 1
        assert life["month"].iloc[-1] == "2020-12"
    error = found["laz_measured"] - found["laz_true"]
    assert abs(error.mean()) < 0.05
    assert 0.2 < error.std() < 0.5


def test_without_tracing_there_is_no_table_of_children(run: Run) -> None:
    assert run.children is None
    assert "children" not in run.tables()


# ---- tables and manifest -------------------------------------------------------------------------


def test_every_table_has_its_columns_and_its_rows(run: Run) -> None:
    for name, table in run.tables().items():
        assert list(table.columns) == COLUMNS[name]
        assert len(table) > 0 or name == "reform_stages"  # the run ends before the reform of 2025


def test_no_number_is_missing_where_one_was_counted(run: Run) -> None:
    for name, columns in {
        "series": ["n_children", "prevalence", "mean_laz", "sd_laz"],
        "cascade": ["children", "households"],
        "money": ["planned_rp", "budgeted_rp", "released_rp", "spent_rp"],
        "agencies": ["understanding", "goal_adoption", "budgeted_rp"],
    }.items():
        assert getattr(run, name)[columns].notna().all().all(), name


def test_the_manifest_says_what_was_run(run: Run) -> None:
    told = run.manifest
    assert (told["policy"], told["district"], told["seed"]) == ("baseline", "lebak", 1)
    assert (told["start"], told["end"], told["population_share"]) == ("2018-01", "2024-12", SMALL)
    assert told["synthetic_inputs"] == ["villages (names real, all else drawn)"]
    assert told["shocks"] == [{"name": "COVID-19", "from": "2020-04", "to": "2021-12"}]
    assert {"scenario", "district", "parameters"} == set(told["hashes"])
    assert told["packages"]["mesa"] == mesa.__version__


# ---- measurement is a layer ----------------------------------------------------------------------


def seen(run: Run, system: str, fieldwork: str) -> float:
    row = run.surveys.query("system == @system and fieldwork == @fieldwork and level == 'district'")
    return float(row["percent"].iloc[0])


def test_surveys_of_lebak_are_those_of_its_file_and_are_published_later(run: Run) -> None:
    surveys = run.surveys[run.surveys["system"] != "e-PPGBM"]
    assert surveys["system"].tolist() == ["Riskesdas", "SSGBI", "SSGI", "SSGI", "SKI", "SSGI"]
    assert (surveys["published"] > surveys["fieldwork"]).all()
    assert (surveys["low"] <= surveys["percent"]).all()
    assert (surveys["percent"] <= surveys["high"]).all()
    rounds = run.surveys[run.surveys["system"] == "e-PPGBM"]
    assert set(rounds["fieldwork"].str[5:]) == {"02", "08"}
    assert rounds[["low", "high"]].isna().all().all()


def test_the_register_reads_below_the_survey_in_lebak(until_2019: list[Run]) -> None:
    for each in until_2019:
        assert seen(each, "e-PPGBM", "2019-08") < seen(each, "SSGBI", "2019-09")


def test_the_ratio_of_register_and_survey_of_2019_lies_inside_the_models_spread(until_2019: list[Run]) -> None:
    ratios = [seen(each, "e-PPGBM", "2019-08") / seen(each, "SSGBI", "2019-09") for each in until_2019]
    assert min(ratios) <= EPPGBM_TO_SURVEY_2019 <= max(ratios), np.round(ratios, 3)
    assert np.mean(ratios) == pytest.approx(EPPGBM_TO_SURVEY_2019, abs=0.06)


def test_how_children_are_measured_changes_no_child(tmp_path: Path) -> None:
    """Surveys and their errors change what is seen; the truth moves only if an agency acts on what it sees."""
    tables = []
    for error in (0.6, 1.1):
        found = finished(live(share=0.01, end="2019-12", set={"measurement.survey_error_cm": error}))
        tables.append(found)
    pd.testing.assert_frame_equal(tables[0].series, tables[1].series)
    pd.testing.assert_frame_equal(tables[0].cascade, tables[1].cascade)
    assert not tables[0].surveys.equals(tables[1].surveys)


def test_a_district_without_surveys_has_the_register_only(tmp_path: Path) -> None:
    place = copy_of_lebak(tmp_path / "uji", district=lambda text: text[: text.index("[[survey]]")])
    found = finished(live(district=place, share=0.005, end="2018-12"))
    assert set(found.surveys["system"]) == {"e-PPGBM"}


# ---- the stored run ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def today() -> dict[str, pd.DataFrame]:
    return baseline_tables()


@pytest.mark.parametrize("name", ["prevalence", "in_time", "money", "surveys"])
def test_the_baseline_run_is_the_stored_one(today: dict[str, pd.DataFrame], name: str) -> None:
    """When results are meant to move: python tests/refresh_baseline.py, and say in the commit what moved."""
    stored = pd.read_csv(FOLDER / f"{name}.csv")
    found = today[name].rename(columns=str).rename_axis(columns=None)
    pd.testing.assert_frame_equal(found, stored, check_dtype=False, rtol=1e-6, obj=name)


def test_a_handful_of_households_runs_even_without_a_birth() -> None:
    """Shares below one household a village: money follows the households that were made, and nothing fails."""
    for share in (0.0001, 0.0005, 0.01):
        model = live(share=share, end="2018-02")
        families = model.place.villages["families"].sum()
        assert model.world.population_share == len(model.world.households) / families
    lines = [
        model.world.programmes.line.sum() / model.world.population_share
        for model in (live(share=s, end="2018-01") for s in (0.0005, 0.05))
    ]
    assert lines[0] == pytest.approx(lines[1], rel=1e-6)
