"""Scenario discovery in a store: under which conditions is a draw of interest?

`discover(store, "prevalence > 14")` returns a `Discovery`: boxes of conditions, how well they match, and whether they
stand on runs that the search has not seen.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from konvergensi import __version__
from konvergensi.discovery import tree
from konvergensi.discovery.boxes import Bools, Box, Fit, Restriction, fit, inside, outside, quasi_p, union
from konvergensi.discovery.cases import Cases, cases, parse_where
from konvergensi.discovery.check import Check, check
from konvergensi.discovery.prim import Found, Rule, find_boxes, is_number
from konvergensi.studies.study import KONVERGENSI, parameters_for

if TYPE_CHECKING:
    from konvergensi.report.words import Lang
    from konvergensi.studies.store import Store

Method = Literal["prim", "tree"]
ALIKE = 0.5  # rank correlation over the draws from which on two numbers cannot well be told apart
METHODS: tuple[Method, ...] = ("prim", "tree")


@dataclass(frozen=True)
class Region:
    """A box as it is told, what matters most first; `fit` counts draws in no box before."""

    box: Box
    fit: Fit
    quasi_p: dict[Restriction, float]


@dataclass
class Discovery:
    """Under which conditions draws of a study are of interest.

    cases: what was searched. boxes: conditions, in the order found (of a tree, the densest first); [] where nothing
    stands out from chance. check: the search tried on runs it had not seen. found: PRIM's way to each box. root: the
    tree. manifest: what was read, and what each factor means.
    """

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

    def save(self, out: str | Path, *, lang: Lang = "en", command: str | None = None) -> list[str]:
        """Write boxes, cases and trajectory (Parquet), discovery.md, figures and manifest.json; return their names.

        Raises OSError when `out` cannot be written.
        """
        from konvergensi.discovery.writing import write
        from konvergensi.report.discovery_page import page
        from konvergensi.report.figures_discovery import figures

        named = replace(self, manifest=self.manifest | {"lang": lang, "command": command or self.manifest["command"]})
        return write(Path(out), self.tables(), page(named, lang), figures(named, lang), named.manifest)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by the name of their file.

        boxes: a row for each restriction: box, factor, low, high (NaN where there is none), levels, quasi_p_low,
        quasi_p_high, recurs, and coverage, density, mass, support of the box. cases: draw, outputs, interest, box (0:
        in none), factors. trajectory (PRIM): box, step, coverage, density, mass, support, restrictions, chosen.
        """
        found = {"boxes": self._boxes(), "cases": self._cases()}
        return found | ({"trajectory": self._trajectory()} if self.found else {})

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


BOX_COLUMNS = ["box", "factor", "low", "high", "levels", "quasi_p_low", "quasi_p_high", "recurs", "coverage", "density",
               "mass", "support"]  # fmt: skip


def discover(
    store: Store,
    where: str,
    scenario: str | None = None,
    method: Method = "prim",
    *,
    district: str | None = None,
    density: float | None = None,
) -> Discovery:
    """Find the conditions under which draws meet `where` in one scenario (the study's last by default).

    Parameters: where, such as `prevalence > 14` (see `cases.parse_where`); method, prim or tree; density, the least a
    PRIM box should have, None for the rule that needs no number. Raises InputError for input that does not fit.
    """
    given, rule = cases(store, parse_where(where), scenario, district), Rule(density)
    return search(given, method, rule, _manifest(store, given, method, rule))


def search(given: Cases, method: Method, rule: Rule, manifest: dict[str, Any]) -> Discovery:
    """Search among cases, and try the search on cases held back; `manifest` says where they come from."""
    x, interest = given.x, given.interest
    found: list[Found] = []
    root: tree.Node | None = None
    if method == "prim":
        found = find_boxes(x, interest, rule)
        boxes = [each.box for each in found]
        checked = check(lambda x, y: [each.box for each in find_boxes(x, y, rule)], x, interest)
    else:
        root = tree.grow(x, interest)
        boxes = tree.boxes(root)
        checked = check(lambda x, y: tree.boxes(tree.grow(x, y)), x, interest)
    regions = _regions(boxes, x, interest, apart=method == "tree")
    verdict = {"check": asdict(checked) | {"verdict": checked.verdict}}
    return Discovery(given, regions, checked, found, root, manifest | verdict)


def _regions(boxes: list[Box], x: pd.DataFrame, interest: Bools, apart: bool) -> list[Region]:
    """The boxes with what is told of each. Leaves of a tree stand `apart`; other boxes were sought in what was left."""
    told, left = [], np.ones(len(x), dtype=bool)
    for box in boxes:
        among = np.ones_like(left) if apart else left
        p = quasi_p(outside(box, x[among]), interest[among])
        where = inside(box, x) & left
        first = sorted(box, key=lambda name: (min(p[name, side] for side in box[name].sides()), name))
        told.append(Region({name: box[name] for name in first}, fit(where, interest), p))
        left &= ~where
    return told


def _manifest(store: Store, given: Cases, method: Method, rule: Rule) -> dict[str, Any]:
    known = parameters_for(store.study)
    factors = {
        each.key: {
            "meaning": known[each.key].meaning,
            "arti": known[each.key].arti,
            "unit": known[each.key].unit,
            "grade": known[each.key].grade,
        }
        for each in store.study.factors
        if each.key in given.x
    }
    return described(store, given.district) | {
        "kind": "discovery",
        "scenarios": [given.scenario],
        "draws": len(given.x),
        "left_out": given.left_out,
        "where": given.where.text,
        "method": method,
        "rule": "correlation" if rule.density is None else rule.density,
        "intervals": {
            "en": "95% Wilson interval of the density on unseen draws",
            "id": "selang Wilson 95% untuk kepadatan pada sampel baru",
        },
        "factors": factors,
    }


def described(store: Store, district: str) -> dict[str, Any]:
    """What any finding says of the store that it was read from."""
    from konvergensi.inputs.districts import find_district

    study = store.study
    place = find_district(district) if study.model == KONVERGENSI else None
    return {
        "version": __version__,
        "model": study.model,
        "store": store.path.name,
        "district": district,
        "district_name": place.name if place else district,
        "reference": store.scenarios[0],
        "start": study.start,
        "end": study.end,
        "seeds": len(study.seeds),
        "varied": sum(not factor.is_dummy for factor in study.factors),
        "population_share": study.population_share,
        "synthetic_inputs": list(place.synthetic) if place else [],
        "command": "",
    }
