"""Runs: `kv.run(...)` simulates one scenario in one district and returns a `Run` with its tables."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from konvergensi.analyses.manifest import made_from
from konvergensi.analyses.paths import described_level, level_for, own_rows
from konvergensi.base.months import format_month
from konvergensi.inputs.arguments import public
from konvergensi.inputs.country_observed import Observed
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.extensions import takes_extensions
from konvergensi.inputs.options import check_options
from konvergensi.inputs.scenarios import starting
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.extensions import model_class
from konvergensi.observe.recorder import COLUMNS
from konvergensi.results.run import Run

Progress = Callable[[int, int], None]


@public()
@takes_extensions
def run(
    scenario: str = "baseline",
    *,
    district: str = "lebak",
    seed: int = 1,
    start: str = "2018-01",
    end: str = "2024-12",
    population_share: float = 1.0,
    set: Mapping[str, Any] | None = None,
    trace_children: int = 0,
    observed: str | Path | Sequence[Observed] | None = None,
    policies_from: str | None = None,
    extensions: Sequence[str | Path] | str | Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Simulate one scenario in one district.

    Parameters: as ConvergenceModel, of which an extension may define a subclass; observed, survey rows of one's own or
    a file of them, which move the district's level (as `validate --observed` reads them); policies_from, the month in
    which the scenario begins, "YYYY-MM" or `next January` (None: as it says); progress, called with months done and
    months in all after each month.
    Raises InputError naming what is wrong with the input.
    """
    began = time.perf_counter()
    check_options(start=start, end=end, seed=seed, population_share=population_share, trace_children=trace_children)
    (scenario,) = starting([scenario], policies_from)
    place = find_district(district)
    rows = own_rows(place, observed)
    values = {**(set or {}), **level_for(district, rows or None, set)}
    model = model_class(ConvergenceModel)(
        scenario, district, seed, population_share, start, end, set=values, trace_children=trace_children
    )
    months = model.last_month - model.first_month + 1
    while model.running:
        model.step()
        if progress is not None:
            progress(model.steps, months)
    return collect(model, values, time.perf_counter() - began, described_level(place, set or {}, rows))


def collect(
    model: ConvergenceModel, set_: Mapping[str, Any], wall_time_s: float, level: Mapping[str, Any] | None = None
) -> Run:
    """Gather the tables and the manifest of a model that has run; level, what `described_level` says of it."""
    tables = model.recorder.tables()
    children = tables.pop("children")
    services = model.world.services
    return Run(
        **{name: table for name, table in tables.items() if name in COLUMNS},
        children=children if len(model.recorder.traced) else None,
        own={name: table for name, table in tables.items() if name not in COLUMNS},
        manifest=_manifest(model, set_, wall_time_s) | {"level": dict(level or described_level(model.place, set_))},
        service_names={s.id: {"en": s.name["en"], "id": s.name["id"]} for s in services},
        agency_names={opd.id: opd.name for opd in model.opds},
        package=[s.id for s in services if s.package],
    )


def _manifest(model: ConvergenceModel, set_: Mapping[str, Any], wall_time_s: float) -> dict[str, Any]:
    known = model.place.parameters()
    grades = Counter(parameter.grade for parameter in known.values())
    share = {grade: round(n / len(known), 3) for grade, n in grades.most_common()}
    hashes = model.policy.hashes
    return made_from(model.place, hashes, wall_time_s) | {
        "policy": model.policy.id,
        "policy_title": {"en": model.policy.title["en"], "id": model.policy.title["id"]},
        "start": format_month(model.first_month),
        "end": format_month(model.last_month),
        "seed": model.seed_used,
        "population_share": model.population_share,
        "population_share_made": model.world.population_share,
        "children_traced": len(model.recorder.traced),
        "set": dict(set_),
        "changes": list(model.change_log),
        "command": "konvergensi.run",
        "published": [each.row(model.place.name) for each in model.place.published],
        "roles": {opd.id: opd.role for opd in model.opds},
        "assumptions_share": share.get("assumption", 0.0),
        "grades": share,
        "shocks": _shocks(model),
        "intervals": "surveys: 95 % sampling interval of the simulated survey; series: one run, no interval",
    }


def _shocks(model: ConvergenceModel) -> list[dict[str, str]]:
    """Months in which posyandu or contacts are restricted, as bands for figures, named as the district names them."""
    keys = ("shocks.posyandu_open_share", "shocks.home_contact_share")
    state = {key: float(model.initial[key]) for key in (*keys, "shocks.on")}
    named = {e.month: e.reason["en"].split(":")[0] for e in model.place.timeline if set(keys) & set(e.set)}
    bands: list[dict[str, str]] = []
    since: int | None = None
    for month in range(model.first_month, model.last_month + 2):
        state |= {c.key: float(c.value) for c in model.changes if c.month == month and c.key in state}
        shut = bool(state["shocks.on"]) and min(state[key] for key in keys) < 1.0 and month <= model.last_month
        if shut and since is None:
            since = month
        elif not shut and since is not None:
            name = named.get(max((m for m in named if m <= since), default=-1), "restrictions")
            bands.append({"name": name, "from": format_month(since), "to": format_month(month - 1)})
            since = None
    return bands
