"""The libraries people already use work on a run: mesa.batch_run, networkx, pandas."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import mesa
import networkx as nx
import pandas as pd
import pytest
from conftest import live

import konvergensi as kv
from konvergensi.results.run import Run

PARAMETERS = {"population_share": 0.005, "end": "2018-03", "scenario": ["baseline", "no-programme"]}

ROOT = Path(__file__).resolve().parents[1]


def batch(**options: object) -> pd.DataFrame:
    return pd.DataFrame(mesa.batch_run(kv.ConvergenceModel, number_processes=1, display_progress=False, **options))


def with_seeds(seeds: list[int], **options: object) -> pd.DataFrame:
    """Seeds as a parameter (Mesa 3.3) or as Mesa's own argument (3.5)."""
    if "rng" in inspect.signature(mesa.batch_run).parameters:
        return batch(parameters=PARAMETERS, rng=seeds, **options)
    return batch(parameters=PARAMETERS | {"rng": seeds}, **options)


def test_batch_run_runs_every_scenario_with_every_seed() -> None:
    table = with_seeds([1, 2])
    assert len(table) == 4
    assert table.groupby("scenario")["prevalence"].nunique().eq(2).all()
    assert table["prevalence"].between(0, 1).all()


def test_batch_run_returns_what_the_model_returns() -> None:
    table = with_seeds([1]).set_index("scenario")
    for scenario in PARAMETERS["scenario"]:  # type: ignore[attr-defined]
        model = live(scenario, share=0.005, end="2018-03")
        assert table.loc[scenario, "prevalence"] == model.prevalence()


def test_batch_run_collects_every_month() -> None:
    table = with_seeds([1], data_collection_period=1)
    assert table.groupby("scenario").size().tolist() == [3, 3]


def test_batch_run_repeats_runs_with_seeds_of_their_own() -> None:
    table = batch(parameters={"population_share": 0.005, "end": "2018-02"}, iterations=2)
    assert len(table) == 2
    assert table["prevalence"].nunique() == 2


def test_networkx_measures_the_network(lebak: kv.ConvergenceModel) -> None:
    graph = lebak.network
    assert isinstance(graph, nx.MultiGraph)
    agencies = graph.subgraph(n for n, kind in graph.nodes(data="kind") if kind == "opd")
    assert nx.density(agencies) > 0
    centrality = nx.degree_centrality(agencies)
    assert max(centrality, key=centrality.__getitem__) == f"opd:{lebak.opds[0].id}"
    simple = nx.Graph(graph)
    assert nx.shortest_path_length(simple, f"opd:{lebak.opds[0].id}", f"desa:{lebak.villages[7].name}") == 2
    layer = nx.Graph((a, b) for a, b, layer in graph.edges(data="layer") if layer == "hierarchy")
    assert nx.is_tree(layer)
    back = nx.node_link_graph(nx.node_link_data(graph, edges="links"), edges="links")
    assert nx.utils.graphs_equal(back, graph)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Path]]:
    run = kv.run(population_share=0.005, end="2019-03", trace_children=10)
    out = tmp_path_factory.mktemp("out") / "run"
    run.save(out, figures=False)
    yield run, out


def test_pandas_reads_every_table_back_as_it_was(saved: tuple[Run, Path]) -> None:
    run, out = saved
    files = sorted(out.glob("*.parquet"))
    assert [file.stem for file in files] == sorted(run.tables())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"`{file.name}`" in readme for file in files)
    for file in files:
        pd.testing.assert_frame_equal(pd.read_parquet(file), run.tables()[file.stem])


def test_the_manifest_is_json_and_names_no_place_on_this_machine(saved: tuple[Run, Path]) -> None:
    _, out = saved
    text = (out / "manifest.json").read_text(encoding="utf-8")
    assert json.loads(text)["district"] == "lebak"
    assert str(Path.home()) not in text
    assert str(out) not in text


def test_a_second_run_replaces_the_first_and_leaves_other_files_alone(saved: tuple[Run, Path]) -> None:
    _, out = saved
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    kv.run(population_share=0.005, end="2018-02").save(out, figures=False)
    assert not (out / "children.parquet").exists()  # the second run traced nobody
    assert pd.read_parquet(out / "series.parquet")["month"].nunique() == 2
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert not [each for each in out.parent.iterdir() if each.name.startswith(".")]
