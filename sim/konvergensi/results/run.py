"""A run: the tables of one scenario in one district with one seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd

from konvergensi.observe.recorder import COLUMNS
from konvergensi.results.base import Result

# what every table says of itself, as `DataFrame.attrs`
LABELS = (
    "version", "policy", "district", "start", "end", "seed", "population_share", "synthetic_inputs", "intervals",
)  # fmt: skip


@dataclass(repr=False, eq=False)
class Run(Result):
    """Tables and manifest of one run. Money and counts are those of the simulated share of the district."""

    kind: ClassVar[str] = "run"
    labels: ClassVar[tuple[str, ...]] = LABELS

    series: pd.DataFrame
    indicators: pd.DataFrame
    surveys: pd.DataFrame
    cascade: pd.DataFrame
    money: pd.DataFrame
    targeting: pd.DataFrame
    agencies: pd.DataFrame
    villages: pd.DataFrame
    integration: pd.DataFrame
    questionnaire: pd.DataFrame
    network: pd.DataFrame
    ties: pd.DataFrame
    actions: pd.DataFrame
    simultaneous: pd.DataFrame
    single_coverage: pd.DataFrame
    children: pd.DataFrame | None
    manifest: dict[str, Any]
    service_names: dict[str, dict[str, str]]
    agency_names: dict[str, str]
    package: list[str]
    coordination_money: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=COLUMNS["coordination_money"])
    )
    # runs saved before there were these tables load without them
    ikps: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS["ikps"]))
    scorecard: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS["scorecard"]))
    scorecard_indicators: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=COLUMNS["scorecard_indicators"])
    )
    reform_stages: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS["reform_stages"]))
    own: dict[str, pd.DataFrame] = field(default_factory=dict)  # tables of observers of extensions, by name

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by name; `children` only when some were traced, and those of extensions."""
        found = {name: getattr(self, name) for name in COLUMNS} | self.own
        return {name: table for name, table in found.items() if table is not None}

    def worst_villages(self, n: int = 10) -> pd.DataFrame:
        """The n villages that the register of the last August calls worst, and the n that are: the data gap in places.

        Columns: rank, by_register, by_truth (village, kecamatan), in_both (of the n). Villages without a figure are
        left out. Raises ValueError when n is below one.
        """
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n}")
        last = self.villages[self.villages["year"] == self.villages["year"].max()]
        name = last["village"].astype(str) + ", " + last["kecamatan"].astype(str)
        named = {}
        for column, figure in (("by_register", "register_share"), ("by_truth", "prevalence")):
            named[column] = name[last[figure].dropna().sort_values(ascending=False, kind="stable").index[:n]].tolist()
        most = min(map(len, named.values()))
        shared = len(set(named["by_register"][:most]) & set(named["by_truth"][:most]))
        columns = {column: names[:most] for column, names in named.items()}
        return pd.DataFrame({"rank": range(1, most + 1), **columns, "in_both": shared})

    def data(self) -> dict[str, Any]:
        """Names of services and agencies, and which services are the package."""
        return {"service_names": self.service_names, "agency_names": self.agency_names, "package": self.package}

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Run:
        """The run that these parts were saved from. Raises KeyError when a part is missing."""
        shipped = {name: table for name, table in tables.items() if name in COLUMNS}
        own = {name: table for name, table in tables.items() if name not in COLUMNS}
        parts: dict[str, Any] = {"children": None, **shipped, **data}
        return cls(**parts, manifest=manifest, own=own)
