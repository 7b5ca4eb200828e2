"""Scenario discovery in a store: under which conditions is a draw of interest?

`discover(store, "prevalence > 14")` returns a `Discovery`: boxes of conditions, how well they match, and whether they
stand on runs that the search has not seen.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from konvergensi.analyses.cases import cases
from konvergensi.base.errors import InputError, fault
from konvergensi.base.version import __version__
from konvergensi.base.words import both
from konvergensi.inputs.arguments import kind_of, one_of, public
from konvergensi.inputs.districts import district_id, find_district
from konvergensi.methods import tree
from konvergensi.methods.box_check import check
from konvergensi.methods.boxes import Bools, Box, fit, inside, outside, quasi_p
from konvergensi.methods.cases import Cases, parse_where
from konvergensi.methods.prim import Found, Rule, find_boxes
from konvergensi.results.discovery import Discovery, Region
from konvergensi.studies.store import Store, opened
from konvergensi.studies.study import KONVERGENSI, parameters_for

Method = Literal["prim", "tree"]
ALIKE = 0.5  # rank correlation over the draws from which on two numbers cannot well be told apart
METHODS: tuple[Method, ...] = ("prim", "tree")


@public(store=kind_of("a_store", Store), method=one_of("prim", "tree"))
def discover(
    store: Store | str | Path,
    where: str,
    scenario: str | None = None,
    method: Method = "prim",
    *,
    district: str | None = None,
    density: float | None = None,
) -> Discovery:
    """Find the conditions under which draws meet `where` in one scenario (the study's last by default).

    Parameters: store, a Store or its folder; where, such as `prevalence > 14` (see `cases.parse_where`); method, prim
    or tree; density, the least a PRIM box should have, None for the rule that needs no number. Raises InputError for
    input that does not fit.
    """
    store = opened(store)
    if density is not None and not 0 < density <= 1:
        raise InputError(fault("", "--density", "outside", value=density, low=0, high=1, unit=""))
    place = str(district_id(district)) if district else None
    given, rule = cases(store, parse_where(where), scenario, place), Rule(density)
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
        "policies": [given.scenario],
        "draws": len(given.x),
        "left_out": given.left_out,
        "where": given.where.text,
        "method": method,
        "rule": "correlation" if rule.density is None else rule.density,
        "intervals": both("said.intervals.unseen_draws"),
        "factors": factors,
    }


def described(store: Store, district: str) -> dict[str, Any]:
    """What any finding says of the store that it was read from."""
    study = store.study
    place = find_district(store.source_of(district)) if study.model == KONVERGENSI else None
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
        "extensions": store.extensions,
        "synthetic_inputs": list(place.synthetic) if place else [],
        "command": "",
    }
