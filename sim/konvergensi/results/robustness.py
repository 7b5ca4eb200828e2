"""How robust the scenarios of a study are: their rank by each rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from konvergensi.methods.regret import RULES, regrets
from konvergensi.observe.units import with_units
from konvergensi.results.base import Result
from konvergensi.results.discovery import LABELS


@dataclass(repr=False, eq=False)
class Robustness(Result):
    """Scenarios by rule. values: index draw, columns scenarios; table: see `robustness.table`."""

    kind: ClassVar[str] = "robustness"
    labels: ClassVar[tuple[str, ...]] = LABELS
    values: pd.DataFrame
    table: pd.DataFrame
    manifest: dict[str, Any]

    @property
    def rules(self) -> list[str]:
        """The rules there are, in their order."""
        return [rule for rule in RULES if rule in set(self.table["rule"])]

    def of(self, rule: str) -> pd.DataFrame:
        """The rows of a rule by scenario."""
        return self.table[self.table["rule"] == rule].set_index("policy")

    def regret(self) -> pd.DataFrame:
        """Regret by draw and scenario."""
        numbers = regrets(self.values.to_numpy(float), self.manifest["direction"])
        return pd.DataFrame(numbers, index=self.values.index, columns=self.values.columns)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file. draws: draw, scenario, value, regret."""
        parts = (each.rename_axis(columns="policy").stack() for each in (self.values, self.regret()))
        draws = pd.concat(parts, axis=1, keys=["value", "regret"]).reset_index()
        return with_units(self.kind, {"robustness": self.table, "draws": draws})

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Robustness:
        """The result that these parts were saved from. Raises KeyError when a part is missing."""
        values = tables["draws"].pivot(index="draw", columns="policy", values="value")
        values = values[manifest["policies"]].rename_axis(columns=None)
        return cls(values, tables["robustness"], manifest)
