"""Shapley shares: how much of a joint effect each player brings, averaged over all orders of joining.

Source: L. S. Shapley, A value for n-person games, in: Contributions to the Theory of Games II, 1953.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import factorial


def coalitions(players: tuple[str, ...]) -> list[frozenset[str]]:
    """Every subset of the players, the empty one first, then by size in the order of the players."""
    return [frozenset(each) for size in range(len(players) + 1) for each in combinations(players, size)]


def shapley(values: Mapping[frozenset[str], float]) -> dict[str, float]:
    """Share of each player in what all achieve together.

    Parameters: values, what each coalition achieves, for every subset of the players, the empty one included.
    Returns: player -> share, in the order of their names; the shares sum to values[all] - values[none].
    Raises: ValueError naming coalitions that are missing.
    """
    players = tuple(sorted(frozenset().union(*values)))
    subsets = coalitions(players)
    if missing := [each for each in subsets if each not in values]:
        named = ", ".join("{" + ", ".join(sorted(each)) + "}" for each in missing)
        raise ValueError(f"values lack the coalitions {named}")
    n = len(players)
    weight = [factorial(size) * factorial(n - size - 1) / factorial(n) for size in range(n)]

    def share(player: str) -> float:
        without = (each for each in subsets if player not in each)
        return sum(weight[len(each)] * (values[each | {player}] - values[each]) for each in without)

    return {player: share(player) for player in players}
