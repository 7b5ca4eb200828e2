"""The model among Mesa's own tools: pickled halfway, in batch_run, and its network as GraphML."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path
from typing import Any

import mesa
import networkx as nx
import numpy as np
import pandas as pd
from conftest import finished

from konvergensi.model.convergence import ConvergenceModel

KECIL = str(Path(__file__).parent / "districts" / "kecil")
SMALL: dict[str, Any] = {"district": KECIL, "end": "2018-12", "population_share": 1.0}


def test_a_model_pickled_halfway_goes_on_bit_for_bit() -> None:
    straight = ConvergenceModel(rng=2, trace_children=20, **SMALL)
    for _ in range(5):
        straight.step()
    halfway = pickle.loads(pickle.dumps(straight))
    for model in (straight, halfway):
        while model.running:
            model.step()
    assert halfway.steps == straight.steps == 12
    one, other = finished(straight), finished(halfway)
    for name, table in one.tables().items():
        pd.testing.assert_frame_equal(other.tables()[name], table, check_exact=True, obj=name)
    pd.testing.assert_frame_equal(
        halfway.datacollector.get_model_vars_dataframe(), straight.datacollector.get_model_vars_dataframe()
    )
    assert halfway.rng.random() == straight.rng.random() and halfway.random.random() == straight.random.random()


def test_agents_of_a_pickled_model_are_its_own() -> None:
    model = ConvergenceModel(**SMALL)
    copy = pickle.loads(pickle.dumps(model))
    assert len(copy.agents) == len(model.agents) > 0
    assert all(agent.model is copy for agent in copy.agents)
    assert copy.opds[0] in copy.agents and copy.opds[0].unique_id == model.opds[0].unique_id
    copy.opds[0].role = "someone else's"
    assert model.opds[0].role != copy.opds[0].role


def test_a_row_of_batch_run_tells_the_seed_that_makes_its_run_again() -> None:
    rows = mesa.batch_run(
        ConvergenceModel,
        {**SMALL, "end": "2018-01"},
        iterations=2,
        number_processes=1,
        display_progress=False,
    )
    seeds = [row["seed"] for row in rows]
    assert len(set(seeds)) == 2 and all(isinstance(seed, int) for seed in seeds)
    again = ConvergenceModel(rng=seeds[1], **SMALL | {"end": "2018-01"})
    again.step()
    assert again.prevalence() == rows[1]["prevalence"] and again.seed_used == seeds[1]


def test_a_seed_given_to_batch_run_stands_in_its_rows() -> None:
    seeds = [np.int64(3), 4]
    given: dict[str, Any] = {"rng": seeds}
    # Mesa 3.5 takes seeds beside the parameters, 3.3 among them
    beside = given if "rng" in inspect.signature(mesa.batch_run).parameters else {}
    options = {**SMALL, "end": "2018-01"} | ({} if beside else given)
    rows = mesa.batch_run(ConvergenceModel, options, number_processes=1, display_progress=False, **beside)
    assert [row["seed"] for row in rows] == [3, 4]


def test_edges_of_the_network_are_told_apart_in_graphml(tmp_path: Path) -> None:
    graph = ConvergenceModel(**SMALL).network
    nx.write_graphml(graph, tmp_path / "network.graphml")
    text = (tmp_path / "network.graphml").read_text(encoding="utf-8")
    ids = [part.split('"')[0] for part in text.split("<edge ")[1:] for part in part.split(' id="')[1:2]]
    assert len(ids) == graph.number_of_edges() == len(set(ids))
    read = nx.read_graphml(tmp_path / "network.graphml")
    assert read.number_of_edges() == graph.number_of_edges() and set(read.nodes) == {str(node) for node in graph}
    weights = sorted(weight for _, _, weight in graph.edges(data="weight"))
    assert np.allclose(sorted(weight for _, _, weight in read.edges(data="weight")), weights)
