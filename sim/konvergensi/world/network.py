"""The coordination network: who can reach whom, in four layers of one networkx multigraph.

formal: agencies in the decree, joined to the coordinator; informal: agencies that share a workplace of ideas, joined by
chance more often the less sectoral ego they have; hierarchy: coordinator - kecamatan - village; data: agencies that use
the same register, or the joined list. In this version the ties are those at the start; their change comes with
socialization.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from konvergensi.world.draws import Draws, entity_keys

if TYPE_CHECKING:
    from konvergensi.world.agents import Kecamatan, Opd, Village

LAYERS = ("formal", "informal", "hierarchy", "data")


def build_network(
    opds: Sequence[Opd], kecamatan: Sequence[Kecamatan], villages: Sequence[Village], draws: Draws
) -> nx.MultiGraph:
    """Multigraph with nodes `opd:<id>`, `kecamatan:<name>`, `desa:<name>` and edges keyed by layer."""
    graph = nx.MultiGraph()
    for opd in opds:
        graph.add_node(f"opd:{opd.id}", kind="opd", label=opd.name)
    coordinator = opds[0] if opds else None
    for opd in opds:
        if coordinator is not None and opd is not coordinator and opd.in_decree and coordinator.in_decree:
            graph.add_edge(f"opd:{coordinator.id}", f"opd:{opd.id}", key="formal")
    for i, one in enumerate(opds):
        for other in opds[i + 1 :]:
            # keyed by the pair's names: another agency in the file changes no tie between these two
            pair = entity_keys("tie", np.array([_pair_number(one.id, other.id)]))
            if draws.uniform("informal tie", 0, pair)[0] < (1.0 - one.ego) * (1.0 - other.ego):
                graph.add_edge(f"opd:{one.id}", f"opd:{other.id}", key="informal")
            if one.register == other.register != "none":
                graph.add_edge(f"opd:{one.id}", f"opd:{other.id}", key="data")
    for place in kecamatan:
        graph.add_node(f"kecamatan:{place.name}", kind="kecamatan", label=place.name)
        if coordinator is not None:
            graph.add_edge(f"opd:{coordinator.id}", f"kecamatan:{place.name}", key="hierarchy")
    for village in villages:
        node = f"desa:{village.name}"
        graph.add_node(node, kind="desa", label=village.name, lokus=village.lokus)
        graph.add_edge(f"kecamatan:{village.kecamatan.name}", node, key="hierarchy")
    return graph


def _pair_number(one: str, other: str) -> int:
    first, second = sorted((one, other))
    number = 0
    for char in f"{first}|{second}".encode():
        number = (number * 131 + char) % 2**32
    return number


def density(graph: nx.MultiGraph, layer: str) -> float:
    """Share of pairs of agencies tied in a layer, 0..1."""
    nodes = [n for n, kind in graph.nodes(data="kind") if kind == "opd"]
    pairs = len(nodes) * (len(nodes) - 1) / 2
    inside = set(nodes)
    ties = {frozenset((a, b)) for a, b, key in graph.edges(keys=True) if key == layer and a in inside and b in inside}
    return len(ties) / pairs if pairs else 0.0
