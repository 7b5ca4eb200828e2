"""A virtual trial: the difference that services make to the same children, beside what was published."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from konvergensi.observe.units import with_units
from konvergensi.results.base import Result

if TYPE_CHECKING:
    from konvergensi.base.words import Lang


@dataclass(frozen=True)
class TrialEstimate:
    """A mean with a 95 % interval from the spread between children."""

    value: float
    low: float
    high: float

    @classmethod
    def of_mean(cls, each: NDArray[np.floating]) -> TrialEstimate:
        """Mean over the children, (n,)."""
        half = 1.96 * float(each.std(ddof=1)) / np.sqrt(len(each))
        mean = float(each.mean(dtype=np.float64))
        return cls(mean, mean - half, mean + half)


@dataclass(repr=False, eq=False)
class Trial(Result):
    """A virtual trial. `laz`, `ratio` and `birth_weight` compare with and without."""

    kind: ClassVar[str] = "trial"
    labels: ClassVar[tuple[str, ...]] = ("version", "services", "children", "seed")

    services: tuple[str, ...]
    laz: TrialEstimate  # difference of measured LAZ at 24 months, z
    ratio: TrialEstimate  # prevalence of stunting with / without, as measured
    birth_weight: TrialEstimate  # g
    published: TrialEstimate | None  # LAZ effect of one service, z; None for two services or where none is published
    manifest: dict[str, Any]
    lang: Lang = "en"
    combined: dict[str, TrialEstimate] = field(default_factory=dict)  # laz of several services by rule of combination

    def tables(self) -> dict[str, pd.DataFrame]:
        """`trial`: quantity, value, low, high; for several services also the LAZ effect by rule of combination."""
        rows = {"laz": self.laz, "ratio": self.ratio, "birth_weight": self.birth_weight, "published": self.published}
        rows |= {f"laz_{rule}": each for rule, each in self.combined.items()}
        found = [{"quantity": name, **asdict(each)} for name, each in rows.items() if each is not None]
        return with_units(self.kind, {"trial": pd.DataFrame(found)})

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Trial:
        """The trial that these parts were saved from. Raises KeyError when a part is missing."""
        rows = tables["trial"].set_index("quantity")
        each = {str(name): TrialEstimate(*map(float, row)) for name, row in zip(rows.index, rows.to_numpy())}
        found = (each["laz"], each["ratio"], each["birth_weight"], each.get("published"))
        combined = {name.removeprefix("laz_"): value for name, value in each.items() if name.startswith("laz_")}
        return cls(tuple(manifest["services"]), *found, manifest=manifest, combined=combined)
