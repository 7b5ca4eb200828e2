"""What can be believed of a calibration: its checks as tables."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from konvergensi.results.base import Result

if TYPE_CHECKING:
    from konvergensi.base.words import Lang

LABELS = ("version", "district", "study")
IDENTIFIED = 0.8  # an interval narrower than this part of the prior's says that the targets spoke
PUSHED = 0.25  # share of the draws in the outermost twentieth of a range that counts as pushed to its edge


TABLES = ("targets", "parameters", "truths", "left_out", "later", "transfer", "fall", "emulators", "observed")


@dataclass(repr=False, eq=False)
class Validation(Result):
    """Tables of the checks. Which columns each has: see checks.py, fall.py, observed.py and transfer.py.

    later and transfer hold predictions of what was left out; observed those of a user's file, else no rows. other_name:
    the district whose draws transfer; changed_since: what is no longer as it was when the draws were fitted.
    """

    kind: ClassVar[str] = "validation"
    labels: ClassVar[tuple[str, ...]] = LABELS
    targets: pd.DataFrame
    parameters: pd.DataFrame
    truths: pd.DataFrame
    left_out: pd.DataFrame
    later: pd.DataFrame
    transfer: pd.DataFrame
    fall: pd.DataFrame
    emulators: pd.DataFrame
    observed: pd.DataFrame
    manifest: dict[str, Any]
    lang: Lang = "en"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file."""
        return {name: table for name in TABLES if len(table := getattr(self, name))}

    def summary(self) -> dict[str, Any]:
        """The numbers that the page leads with."""
        weighed = self.targets[self.targets["weight"] > 0]
        shown: dict[str, Any] = {"targets": len(weighed), "inside": int(weighed["inside"].sum())}
        shown["prior_inside"] = int(weighed["prior_inside"].sum())
        if len(self.truths):
            shown["data_sets"] = int(self.truths["data_set"].nunique())
            shown["covered"] = float(self.truths["inside"].mean())
        if len(self.left_out):
            shown["left_out_inside"] = float(self.left_out["inside"].mean())
        shown["unidentified"] = self.unidentified()
        shown["pushed"] = self.pushed()
        return shown

    def unidentified(self) -> list[str]:
        """Parameters on which the targets say little: their interval is hardly narrower than the prior's."""
        return self.parameters.loc[self.parameters["narrower"] > IDENTIFIED, "key"].tolist()

    def pushed(self) -> dict[str, str]:
        """Parameters pushed to an edge of their range, and to which."""
        table = self.parameters
        edges = zip(table["key"], table["at_low"].to_numpy(float), table["at_high"].to_numpy(float))
        return {str(key): "low" if low >= PUSHED else "high" for key, low, high in edges if max(low, high) >= PUSHED}

    @property
    def fitted(self) -> dict[str, Any]:
        """The manifest of the calibration that was checked, with `draws_made`, the number of its draws."""
        found: dict[str, Any] = self.manifest["fitted"]
        return found

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Validation:
        """The result that these parts were saved from; a table that is not there has no rows."""
        names = [each.name for each in fields(cls) if each.name not in ("manifest", "lang")]
        parts: dict[str, Any] = {name: tables.get(name, pd.DataFrame()) for name in names}
        return cls(**parts, manifest=manifest)
