"""The coordination network to read: who is tied to whom and how strongly, in four layers of one networkx multigraph.

formal: joint meetings and plans; informal: acquaintance; data: one list; hierarchy: coordinator - kecamatan - village,
as strong as the teams that carry it. Ties between agencies live in world/coordination.py and change there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import networkx as nx

if TYPE_CHECKING:
    from konvergensi.world.agents import Kecamatan, Opd, Village
    from konvergensi.world.coordination import Coordination

LAYERS = ("formal", "informal", "hierarchy", "data")
WEAKEST = 0.05  # a weaker tie is none


def build_network(
    opds: Sequence[Opd],
    kecamatan: Sequence[Kecamatan],
    villages: Sequence[Village],
    state: Coordination,
    decreed_only: float,
) -> nx.MultiGraph:
    """Multigraph with nodes `opd:<id>`, `kecamatan:<name>`, `desa:<name>`; edges with a layer and a weight 0..1.

    The key of an edge is its own (see `edge_key`): formats such as GraphML take it for the edge's id.

    decreed_only: strength of a link to a team that exists only by decree, as cascade.inactive_team_share has it.
    """
    graph = nx.MultiGraph()
    for opd in opds:
        graph.add_node(f"opd:{opd.id}", kind="opd", label=opd.name, role=opd.role, in_decree=opd.in_decree)
    for layer, tie in state.ties.items():
        for i, one in enumerate(opds):
            for j in range(i + 1, len(opds)):
                if tie[i, j] >= WEAKEST:
                    _tie(graph, layer, f"opd:{one.id}", f"opd:{opds[j].id}", float(tie[i, j]))
    coordinator = next((opd for opd in opds if opd.role == "coordinator"), None)
    for place in kecamatan:
        graph.add_node(f"kecamatan:{place.name}", kind="kecamatan", label=place.name)
        if coordinator is not None:
            weight = 1.0 if state.tpps_kecamatan[place.index] else decreed_only
            _tie(graph, "hierarchy", f"opd:{coordinator.id}", f"kecamatan:{place.name}", weight)
    for village in villages:
        node = f"desa:{village.name}"
        graph.add_node(node, kind="desa", label=village.name, lokus=village.lokus)
        weight = 1.0 if state.tpps_desa[village.index] else decreed_only
        _tie(graph, "hierarchy", f"kecamatan:{village.kecamatan.name}", node, weight)
    return graph


def _tie(graph: nx.MultiGraph, layer: str, one: str, other: str, weight: float) -> None:
    graph.add_edge(one, other, key=edge_key(layer, one, other), layer=layer, weight=weight)


def edge_key(layer: str, one: str, other: str) -> str:
    """Key of the edge between two nodes in a layer, whichever is named first."""
    return " ".join([layer, *sorted((one, other))])


def density(graph: nx.MultiGraph, layer: str) -> float:
    """Share of pairs of agencies tied in a layer, 0..1."""
    nodes = [n for n, kind in graph.nodes(data="kind") if kind == "opd"]
    pairs = len(nodes) * (len(nodes) - 1) / 2
    inside = set(nodes)
    edges = graph.edges(data="layer")
    ties = {frozenset((a, b)) for a, b, its in edges if its == layer and a in inside and b in inside}
    return len(ties) / pairs if pairs else 0.0
