"""Units of the columns of every table: what `DataFrame.attrs["units"]` says, also in the Parquet files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from konvergensi.inputs.parameters import load_parameters

if TYPE_CHECKING:
    import pandas as pd

NAME, MONTH, YEAR, YES_NO = "name", "month, YYYY-MM", "year", "true or false"
CHILDREN, HOUSEHOLDS, RUPIAH, SHARE = "children", "households", "Rp", "share"
POINTS = "percentage points"
ROW = "as the row says"  # of a value whose unit follows from the measure, indicator or parameter of its row

_COLUMNS: dict[str, tuple[str, ...]] = {
    NAME: (
        "action", "agency", "area", "bound", "category", "child", "closed", "code", "dimension", "error_model",
        "factor", "item",
        "grade", "group", "id", "index", "indicator", "informed_by", "item_id", "kecamatan", "key", "kind", "layer",
        "level", "levels", "measure", "measure_system", "method", "more_of", "output", "parameter", "part", "programme",
        "province", "reason", "reasons",
        "quantity", "responsible", "rule", "policy", "policy_a", "policy_b", "service", "sex", "source", "stage",
        "beside", "role", "sub_dimension", "system", "target", "unit", "village", "world",
    ),
    MONTH: ("birth_month", "fieldwork", "month", "published", "when"),
    YEAR: ("year",),
    YES_NO: (
        "chosen", "decided", "detected", "focal_unit", "guideline", "has_by_name_list", "has_kpm", "in_decree",
        "in_plan", "inside", "interest", "list_used", "lokus", "prior_inside", "tpps_active", "was_target",
    ),
    CHILDREN: ("need", "need_high", "need_low", "d_cases", "d_protected", "n_children", "n_measured"),
    HOUSEHOLDS: ("households",),
    RUPIAH: (
        "budgeted_rp", "cost_rp", "d_cost_rp", "d_transfer_rp", "displaced_rp", "more_rp", "overhead_rp", "planned_rp",
        "released_rp", "amount_rp", "spent_rp", "unit_cost_rp", "least_rp", "most_rp", "now_rp", "rp", "value_rp",
    ),
    SHARE: (
        "adaptation", "attendance", "best_share", "complete_package_share", "coverage", "density", "ego",
        "exclusion_error", "explained", "goal_adoption", "inclusion_error", "institutional_understanding", "mandate",
        "mass", "p_best", "p_best_high", "p_best_low",
        "prevalence", "probability", "quality", "quasi_p", "quasi_p_high", "quasi_p_low", "recurs",
        "register_share",
        "remoteness", "score", "share", "share_chance", "share_parameters", "skill", "understanding", "weight",
        "narrower", "effective", "pooled_share", "need_share", "reach", "reach_high", "reach_low", "first_share",
    ),
    "persons": ("eligible", "listed", "reached", "targeted"),
    "answers": ("k", "n"),
    "z": ("laz_measured", "laz_true", "mean_laz", "sd_laz"),
    "months": ("age_months",),
    "percent": ("percent", "target_percent"),
    POINTS: ("change",),
    "km": ("x", "y"),
    "number": (
        "actions", "actions_done", "box", "due", "received", "villages", "villages_high", "villages_low",
        "data_set", "draw", "more_runs", "rank", "restrictions", "n_services", "runs", "seed", "step",
        "support", "units",
    ),
    ROW: (
        "as_it_is", "assumed_high", "assumed_low", "at_high", "at_low", "at_value", "chance_high", "chance_low",
        "diff_high", "diff_low", "difference", "floor", "high", "left_out_sd", "low", "mean", "middle",
        "bias", "gap_crps", "gap_crps_high", "gap_crps_low", "gap_rmse", "gap_rmse_high", "gap_rmse_low", "rmse",
        "observed", "own_high", "own_low", "own_width", "prior_high", "prior_low", "prior_middle", "regret", "seed_sd",
        "chance", "counted", "first_per_billion", "gain", "per_billion", "per_billion_high", "per_billion_low", "span",
        "truth", "value", "width", "crps", "interval_score", "log_evidence",
    ),
}  # fmt: skip
UNITS = {column: unit for unit, columns in _COLUMNS.items() for column in columns}
# "<kind of result>/<table>": columns that are something else there
IN_TABLE: dict[str, dict[str, str]] = {
    "allocation/allocation": {"rank_low": "rank", "rank_high": "rank"},
    "allocation/marginal": {"first_share": SHARE},
    "allocation/cautions": {"caution": NAME},
    "allocation/checked": {"what": NAME},
    "allocation/structures": dict.fromkeys(("structure", "choice", "first", "second"), NAME) | {"draws": "draws"},
    "allocation/information": {"points": POINTS},
    "comparison/information": {"value": CHILDREN, "chance": CHILDREN, "points": POINTS},
    "comparison/groups": {"mean": "percent"} | dict.fromkeys(("difference", "diff_low", "diff_high"), POINTS),
    "comparison/villages": {"prevalence": "percent", "difference": POINTS},
    "explanation/explain": dict.fromkeys(("value", "low", "high", "alone", "last"), POINTS),
    "explanation/surveys": {"simulated": "percent", "truth": "percent", "published": "percent", "half_width": POINTS},
    "run/cascade": {"children": CHILDREN},
    "run/ikps": {"counted": "people or families"},
    "run/integration": {"value": SHARE},
    "run/money": {"units": "units of the service", "short_of_staff": "units of the service"},
    "run/surveys": {"low": "percent", "high": "percent"},
    "villages/kecamatan": {"first": "number"},
    "sensitivity/convergence": {"n": "points of the design", "unit": NAME},
    "sensitivity/heat": {"units": "factors"},
    "validation/fall": {"first": NAME, "last": NAME}
    | dict.fromkeys(
        ("published", "noise_sd", "low", "middle", "high", "prior_low", "prior_middle", "prior_high"), POINTS
    ),
    "validation/parameters": {"at_low": SHARE, "at_high": SHARE},
    "validation/truths": {"rank": SHARE},
}


def units_of(kind: str, table: str, columns: Iterable[object]) -> dict[str, str]:
    """Unit of each column of a table of a kind of result; the parameter's own where a column is called like one."""
    own, known = IN_TABLE.get(f"{kind}/{table}", {}), load_parameters()
    return {
        column: own.get(column) or UNITS.get(column) or (known[column].unit if column in known else ROW)
        for column in map(str, columns)
    }


def with_units(kind: str, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables, each saying in `attrs["units"]` what its columns are measured in, unless it says so already."""
    for name, table in tables.items():
        table.attrs.setdefault("units", units_of(kind, name, table.columns))
    return tables
