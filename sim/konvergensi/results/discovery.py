"""Under which conditions draws of a study are of interest: boxes, how well they match, and whether they stand."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from konvergensi.base.scalars import scalar
from konvergensi.methods import tree
from konvergensi.methods.box_check import Check
from konvergensi.methods.boxes import Box, Fit, Limit, Restriction, fit, inside, union
from konvergensi.methods.cases import Cases, parse_where
from konvergensi.methods.prim import Found, Step, is_number
from konvergensi.observe.units import with_units
from konvergensi.results.base import Result

ALIKE = 0.5  # rank correlation over the draws from which on two numbers cannot well be told apart
LABELS = ("version", "district", "policies", "start", "end", "draws", "seeds", "population_share", "synthetic_inputs",
          "intervals")  # fmt: skip


@dataclass(frozen=True)
class Region:
    """A box as it is told, what matters most first; `fit` counts draws in no box before."""

    box: Box
    fit: Fit
    quasi_p: dict[Restriction, float]


@dataclass(repr=False, eq=False)
class Discovery(Result):
    """Under which conditions draws of a study are of interest.

    cases: what was searched. boxes: conditions, in the order found (of a tree, the densest first); [] where nothing
    stands out from chance. check: the search tried on runs it had not seen. found: PRIM's way to each box. root: the
    tree. manifest: what was read, and what each factor means.
    """

    kind: ClassVar[str] = "discovery"
    labels: ClassVar[tuple[str, ...]] = LABELS
    cases: Cases
    boxes: list[Region]
    check: Check
    found: list[Found]
    root: tree.Node | None
    manifest: dict[str, Any]

    def lookalikes(self) -> dict[str, list[str]]:
        """For each number that a box restricts, others that the design moved together with it (if there are any)."""
        numbers = [name for name in self.cases.x if is_number(self.cases.x[name])]
        ranks = self.cases.x[numbers].rank()
        asked = dict.fromkeys(name for each in self.boxes for name in each.box if name in numbers)
        alike = {name: ranks.corrwith(ranks[name]).drop(name).abs() for name in asked}
        return {name: list(of.index[of >= ALIKE]) for name, of in alike.items() if (of >= ALIKE).any()}

    @cached_property
    def together(self) -> Fit:
        """How the boxes match, all together."""
        return fit(union([each.box for each in self.boxes], self.cases.x), self.cases.interest)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file.

        boxes: a row for each restriction: box, factor, low, high (NaN where there is none), levels, quasi_p_low,
        quasi_p_high, recurs, and coverage, density, mass, support of the box. cases: draw, outputs, interest, box (0:
        in none), factors. trajectory (PRIM): box, step, coverage, density, mass, support, restrictions, chosen.
        """
        found = {"boxes": self._boxes(), "cases": self._cases()}
        return with_units(self.kind, found | ({"trajectory": self._trajectory()} if self.found else {}))

    def _boxes(self) -> pd.DataFrame:
        rows = []
        for number, each in enumerate(self.boxes, start=1):
            of_box = {name: getattr(each.fit, name) for name in ("coverage", "density", "mass", "support")}
            for factor, limit in each.box.items():
                p = {f"quasi_p_{side}": each.quasi_p.get((factor, side), np.nan) for side in ("low", "high")}
                p["quasi_p_low"] = each.quasi_p.get((factor, "levels"), p["quasi_p_low"])
                ends = {name: end if np.isfinite(end) else np.nan for name, end in
                        (("low", limit.low), ("high", limit.high))}  # fmt: skip
                levels = ", ".join(map(str, limit.levels or ()))
                recurs = self.check.recurs[factor]
                rows.append(
                    {"box": number, "factor": factor, **ends, "levels": levels, **p, "recurs": recurs, **of_box}
                )
        return pd.DataFrame(rows, columns=BOX_COLUMNS)

    def _cases(self) -> pd.DataFrame:
        number = np.zeros(len(self.cases.x), dtype=int)
        for place, each in reversed(list(enumerate(self.boxes, start=1))):
            number[inside(each.box, self.cases.x)] = place
        table = self.cases.values.assign(interest=self.cases.interest, box=number)
        return pd.concat([table, self.cases.x], axis=1).reset_index(names="draw")

    def _trajectory(self) -> pd.DataFrame:
        names = ("coverage", "density", "mass", "support")
        rows = [
            {"box": number, "step": at, **{name: getattr(step.fit, name) for name in names},
             "restrictions": len(step.box), "chosen": at == found.chosen}
            for number, found in enumerate(self.found, start=1)
            for at, step in enumerate(found.trajectory)
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def data(self) -> dict[str, Any]:
        """What was looked for, the boxes, the check, PRIM's way and the tree, as JSON holds them."""
        given = self.cases
        return {
            "where": given.where.text,
            "outputs": list(given.values),
            "left_out": given.left_out,
            "boxes": [
                {
                    "box": _of_box(each.box),
                    "fit": asdict(each.fit),
                    "quasi_p": [[*at, p] for at, p in each.quasi_p.items()],
                }
                for each in self.boxes
            ],
            "check": asdict(self.check),
            "found": [
                {
                    "box": _of_box(each.box),
                    "fit": asdict(each.fit),
                    "trajectory": [{"box": _of_box(step.box), "fit": asdict(step.fit)} for step in each.trajectory],
                    "chosen": each.chosen,
                }
                for each in self.found
            ],
            "root": None if self.root is None else _of_node(self.root),
        }

    @classmethod
    def restored(cls, tables: dict[str, pd.DataFrame], data: dict[str, Any], manifest: dict[str, Any]) -> Discovery:
        """The discovery that these parts were saved from. Raises KeyError when a part is missing."""
        table = tables["cases"].set_index("draw")
        x = table.drop(columns=[*data["outputs"], "interest", "box"])
        where = parse_where(data["where"])
        scenario, district = manifest["policies"][0], manifest["district"]
        interest = table["interest"].to_numpy(bool)
        given = Cases(x, table[data["outputs"]], interest, where, scenario, district, data["left_out"])
        boxes = [
            Region(_box(each["box"]), Fit(**each["fit"]), {(factor, side): p for factor, side, p in each["quasi_p"]})
            for each in data["boxes"]
        ]
        found = [
            Found(
                _box(each["box"]),
                Fit(**each["fit"]),
                tuple(Step(_box(step["box"]), Fit(**step["fit"])) for step in each["trajectory"]),
                each["chosen"],
            )
            for each in data["found"]
        ]
        root = None if data["root"] is None else _node(data["root"])
        return cls(given, boxes, Check(**data["check"]), found, root, manifest)


BOX_COLUMNS = ["box", "factor", "low", "high", "levels", "quasi_p_low", "quasi_p_high", "recurs", "coverage", "density",
               "mass", "support"]  # fmt: skip


# ---- boxes and trees as JSON holds them: None where a side is open ---------------------------------------------------


def _of_limit(limit: Limit) -> dict[str, Any]:
    if limit.levels is not None:
        return {"levels": [scalar(level) for level in limit.levels]}
    ends = (("low", limit.low), ("high", limit.high))
    return {side: float(end) if np.isfinite(end) else None for side, end in ends}


def _limit(held: dict[str, Any]) -> Limit:
    if "levels" in held:
        return Limit(levels=tuple(held["levels"]))
    low, high = held["low"], held["high"]
    return Limit(-np.inf if low is None else low, np.inf if high is None else high)


def _of_box(box: Box) -> dict[str, Any]:
    return {factor: _of_limit(limit) for factor, limit in box.items()}


def _box(held: dict[str, Any]) -> Box:
    return {factor: _limit(limit) for factor, limit in held.items()}


def _of_node(node: tree.Node) -> dict[str, Any]:
    held = {"fit": asdict(node.fit), "box": _of_box(node.box)}
    if node.limit is None or node.yes is None or node.no is None:
        return held
    return held | {
        "factor": node.factor, "limit": _of_limit(node.limit), "yes": _of_node(node.yes), "no": _of_node(node.no)
    }  # fmt: skip


def _node(held: dict[str, Any]) -> tree.Node:
    own = (Fit(**held["fit"]), _box(held["box"]))
    if "factor" not in held:
        return tree.Node(*own)
    return tree.Node(*own, held["factor"], _limit(held["limit"]), _node(held["yes"]), _node(held["no"]))
