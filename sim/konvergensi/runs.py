"""Runs: `kv.run(...)` simulates one scenario in one district and returns a `Run` with its tables."""

from __future__ import annotations

import platform
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from konvergensi import __version__
from konvergensi.inputs.months import format_month
from konvergensi.inputs.options import check_options
from konvergensi.inputs.parameters import parameter_hashes
from konvergensi.model import ConvergenceModel
from konvergensi.observe.recorder import COLUMNS
from konvergensi.saving import MANIFEST, drafted, write_json, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from konvergensi.report.words import Lang

# what every table says of itself, as `DataFrame.attrs`
LABELS = (
    "version", "scenario", "district", "start", "end", "seed", "population_share", "synthetic_inputs", "intervals",
)  # fmt: skip
Progress = Callable[[int, int], None]
PACKAGES = ("mesa", "numpy", "networkx", "SALib", "scipy", "matplotlib", "pandas", "pyarrow", "pydantic", "typer")


@dataclass
class Run:
    """Tables and manifest of one run. Money and counts are those of the simulated share of the district."""

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
    children: pd.DataFrame | None
    manifest: dict[str, Any]
    service_names: dict[str, dict[str, str]] = field(repr=False)
    agency_names: dict[str, str] = field(repr=False)
    package: list[str] = field(repr=False)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables by name; `children` only when some were traced."""
        found = {name: getattr(self, name) for name in COLUMNS}
        return {name: table for name, table in found.items() if table is not None}

    def save(self, out: str | Path, *, lang: Lang = "en", figures: bool = True, command: str | None = None) -> Path:
        """Write tables (Parquet), summary.md, manifest.json and figures into `out`; all of it or nothing.

        What an earlier run left there under the same names is replaced. Raises OSError when `out` cannot be written.
        """
        from konvergensi.report.figures import save_figures
        from konvergensi.report.summary import summary

        out = Path(out)
        manifest = self.manifest | {"lang": lang, "command": command or self.manifest["command"]}
        with drafted(out, ("figures", *(f"{name}.parquet" for name in COLUMNS))) as draft:
            for name, table in self.tables().items():
                write_table(table, draft / f"{name}.parquet", manifest, LABELS)
            words = summary(replace(self, manifest=manifest), lang)
            (draft / "summary.md").write_text(words, encoding="utf-8")
            if figures:
                (draft / "figures").mkdir()
                save_figures(self, draft / "figures", lang)
            write_json(manifest, draft / MANIFEST)
        return out

    def plot(self, name: str = "prevalence", lang: Lang = "en") -> Figure:
        """Draw one of the figures of the report by its name. Raises KeyError with the names there are."""
        from konvergensi.report.figures import FIGURES

        if name not in FIGURES:
            raise KeyError(f"no figure {name!r}; there are {', '.join(FIGURES)}")
        return FIGURES[name](self, lang)


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
    progress: Progress | None = None,
) -> Run:
    """Simulate one scenario in one district.

    Parameters: as ConvergenceModel; progress, called with months done and months in all after each month.
    Raises InputError naming what is wrong with the input.
    """
    began = time.perf_counter()
    check_options(start=start, end=end, seed=seed, population_share=population_share, trace_children=trace_children)
    model = ConvergenceModel(
        scenario, district, seed, population_share, start, end, set=set, trace_children=trace_children
    )
    months = model.last_month - model.first_month + 1
    while model.running:
        model.step()
        if progress is not None:
            progress(model.steps, months)
    return collect(model, set or {}, time.perf_counter() - began)


def collect(model: ConvergenceModel, set_: Mapping[str, Any], wall_time_s: float) -> Run:
    """Gather the tables and the manifest of a model that has run."""
    tables = model.recorder.tables()
    children = tables["children"] if len(model.recorder.traced) else None
    services = model.world.services
    return Run(
        **{name: table for name, table in tables.items() if name != "children"},
        children=children,
        manifest=_manifest(model, set_, wall_time_s),
        service_names={s.id: {"en": s.name["en"], "id": s.name["id"]} for s in services},
        agency_names={opd.id: opd.name for opd in model.opds},
        package=[s.id for s in services if s.package],
    )


def _manifest(model: ConvergenceModel, set_: Mapping[str, Any], wall_time_s: float) -> dict[str, Any]:
    known = model.place.parameters()
    grades = pd.Series([parameter.grade for parameter in known.values()])
    share = {grade: round(float(part), 3) for grade, part in grades.value_counts(normalize=True).items()}
    return {
        "version": __version__,
        "git_commit": git_commit(),
        "scenario": model.policy.id,
        "scenario_title": {"en": model.policy.title["en"], "id": model.policy.title["id"]},
        "district": model.place.id,
        "district_name": model.place.name,
        "start": format_month(model.first_month),
        "end": format_month(model.last_month),
        "seed": model.seed_used,
        "population_share": model.population_share,
        "population_share_made": model.world.population_share,
        "children_traced": len(model.recorder.traced),
        "set": dict(set_),
        "changes": list(model.change_log),
        "command": "konvergensi.run",
        "synthetic_inputs": list(model.place.synthetic),
        "published": [each.row(model.place.name) for each in model.place.published],
        "roles": {opd.id: opd.role for opd in model.opds},
        "assumptions_share": share.get("assumption", 0.0),
        "grades": share,
        "shocks": _shocks(model),
        "hashes": {
            "scenario": model.policy.hashes,
            "district": model.place.hashes,
            "parameters": parameter_hashes(),
        },
        "packages": package_versions(),
        "wall_time_s": round(wall_time_s, 3),
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


def git_commit() -> str | None:
    """Commit of the checkout the package is run from; None for an installed package or without git."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
        tracked = subprocess.run(
            ["git", "-C", str(here), "ls-files", "--error-unmatch", Path(__file__).name],
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() if found.returncode == 0 and tracked.returncode == 0 else None


def package_versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that decide results, for a manifest."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
