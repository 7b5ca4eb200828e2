"""Survey rows of any districts predicted by the fit over the country and by naive rules, and scored.

Rows do not speak to each other unless asked: each is predicted from what was published, never from the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from konvergensi.base.version import __version__
from konvergensi.inputs import country
from konvergensi.inputs.calibration_study import calibration_root
from konvergensi.inputs.country_observed import REGISTER, Observed
from konvergensi.methods.country_naive import NAIVE, QUANTILES, Readings, naive_draws, published
from konvergensi.methods.country_scale import NODES, SYSTEM_OF_NODE, SYSTEMS
from konvergensi.methods.country_scores import paired, score_rows, summary
from konvergensi.methods.country_unseen import ROUTINE, UNSEEN_YEAR, YEAR_LEFT_OUT, Forecast, register_ratio, unseen
from konvergensi.results.country_validation import MODEL, CountryValidation

FEW_PROVINCES = 5  # drawn anew, fewer say little of how far a difference would move
ALL = "all"  # survey rows of every kind together
SEED = 16  # as in scripts/country_trials.py: the same row has the same forecast
COLUMNS = [
    "area", "code", "year", "measure_system", "observed", "own_low", "own_high", "source", "kind", "was_target",
    "method", "low", "middle", "high", "inside", "interval_score", "crps",
]  # fmt: skip


def validate_rows(
    rows: Sequence[Observed], update: bool = False, tell: Callable[[int, int], None] = lambda _done, _all: None
) -> CountryValidation:
    """Predict and score rows of any districts.

    Parameters: update, whether earlier rows of the same district speak to later ones, for the model and the naive rules
    alike; tell, called with rows done and in all.
    """
    made: list[Forecast] = []
    for done, row in enumerate(rows):
        made.append(unseen(row, _earlier(rows, row) if update else (), SEED))
        tell(done + 1, len(rows))
    parts = [_table(rows, made, MODEL, [(at, each.draws) for at, each in enumerate(made)])]
    parts += [_table(rows, made, method, _naive(rows, made, method, update)) for method in NAIVE]
    observed = pd.concat([each for each in parts if len(each)], ignore_index=True)
    ratio = register_ratio()
    manifest: dict[str, Any] = {
        "version": __version__,
        "about": "observed",
        "rows": len(rows),
        "districts": len({row.code for row in rows}),
        "update": update,
        "fit": [f"surveys to {NODES[-1]}", f"surveys to {NODES[-2]}"],
        "least_worth": min(each.worth for each in made),
        "register_ratio": {
            "middle": float(np.exp(ratio.log_mean)), "log_sd": ratio.log_sd, "pairs": ratio.n,
            "grade": "model in Jawa Barat and Jawa Timur, assumption elsewhere",
        },
        "command": "konvergensi validate --observed",
    }  # fmt: skip
    return CountryValidation(observed, scores(observed), manifest)


def validate_nation() -> CountryValidation:
    """The shipped trials: published surveys that were hidden from fits, by year and by district."""
    trials = pd.read_parquet(calibration_root() / "country_trials.parquet")
    scored = ["low", "middle", "high", "seen", "interval_score", "crps"]
    trials[scored] = trials[scored].astype(float)
    system = {year: SYSTEMS[at] for year, at in zip(NODES, SYSTEM_OF_NODE)}
    observed = trials.rename(columns={"seen": "observed", "trial": "kind"}).assign(
        area=trials["code"].map(country.districts()["name"]),
        measure_system=trials["year"].map(system),
        own_low=np.nan,
        own_high=np.nan,
        source="",
        was_target=False,
    )[COLUMNS]
    manifest = {
        "version": __version__,
        "about": "trials",
        "rows": int((observed["method"] == MODEL).sum()),
        "districts": int(observed["code"].nunique()),
        "update": False,
        "command": "konvergensi validate --nation",
    }
    return CountryValidation(observed, scores(observed, together=False), manifest)


def _earlier(rows: Sequence[Observed], row: Observed) -> list[Observed]:
    return [each for each in rows if each.code == row.code and each.year < row.year]


def _table(
    rows: Sequence[Observed], made: list[Forecast], method: str, draws: list[tuple[int, np.ndarray]]
) -> pd.DataFrame:
    """Scores of one method with what the file says of each row; (row, its draws) for those it can predict."""
    if not draws:
        return pd.DataFrame(columns=COLUMNS)
    chosen = [(rows[at], made[at]) for at, _ in draws]
    seen = np.array([row.percent for row, _ in chosen])
    told = pd.DataFrame({
        "area": [row.written or row.area for row, _ in chosen], "code": [row.code for row, _ in chosen],
        "year": [row.year for row, _ in chosen], "measure_system": [row.measure_system for row, _ in chosen],
        "observed": seen, "own_low": np.array([row.low for row, _ in chosen], float),
        "own_high": np.array([row.high for row, _ in chosen], float), "source": [row.source for row, _ in chosen],
        "kind": [each.kind for _, each in chosen], "was_target": [each.seen for _, each in chosen], "method": method,
    })  # fmt: skip
    return told.join(score_rows(np.stack([each for _, each in draws]), seen))[COLUMNS]


def _naive(rows: Sequence[Observed], made: list[Forecast], method: str, update: bool) -> list[tuple[int, np.ndarray]]:
    """Draws of a naive rule for each row of which it can say something.

    It knows what was published before the year; where the fit knows the nation's reading of that year, it does too.
    """
    found: list[tuple[int, np.ndarray]] = []
    place = {code: at for at, code in enumerate(country.codes().tolist())}
    groups: dict[tuple[int, bool], list[int]] = {}
    for at, (row, each) in enumerate(zip(rows, made)):
        if each.kind == ROUTINE:
            found += [(at, draws)] if method == "last value" and (draws := _last_register(row)) is not None else []
        else:
            groups.setdefault((row.year, each.kind not in (UNSEEN_YEAR, YEAR_LEFT_OUT)), []).append(at)
    nation = country.nation().set_index("year")["percent"]
    for (year, told), group in groups.items():
        given = published(NODES[-1]).before(year)
        given = _with(given, [row for row in rows if row.year < year]) if update else given
        if len(given.years) < (1 if told else 2):
            continue
        draws = naive_draws(method, given, float(nation[year]) if told else None, year - int(given.years[-1]))
        found += [(at, own) for at in group if np.isfinite(own := draws[place[rows[at].code]]).all()]
    return sorted(found, key=lambda each: each[0])


def _with(given: Readings, rows: list[Observed]) -> Readings:
    """Readings with rows of the file added where nothing was published; a year without a national reading keeps the
    nation's last one.
    """
    surveys = [row for row in rows if row.measure_system != REGISTER]
    years = np.unique([*given.years, *(row.year for row in surveys)]).astype(int)
    at = {int(year): column for column, year in enumerate(years)}
    percent = np.full((len(given.percent), len(years)), np.nan)
    percent[:, [at[int(year)] for year in given.years]] = given.percent
    place = {code: row for row, code in enumerate(country.codes().tolist())}
    for row in surveys:
        if np.isnan(percent[place[row.code], at[row.year]]):
            percent[place[row.code], at[row.year]] = row.percent
    last = np.searchsorted(given.years, years, side="right") - 1
    return Readings(percent, years, given.nation[np.maximum(last, 0)])


def _last_register(row: Observed) -> np.ndarray | None:
    """The register's last value of the district before that year, as wide as it moves from year to year."""
    register = country.register()
    register = register[register["odd"] == 0]
    own = register[(register["code"] == row.code) & (register["year"] < row.year)].sort_values("year")
    if own.empty:
        return None
    others = register[(register["percent"] > 0) & (register["code"] != row.code)]
    wide = others.pivot_table(index="code", columns="year", values="percent")
    spread = float(np.nanstd(np.diff(np.log(wide.to_numpy(float)), axis=1)))
    return np.asarray(np.clip(own["percent"].iloc[-1] * np.exp(spread * QUANTILES), 0.0, 100.0))


def scores(observed: pd.DataFrame, together: bool = True) -> pd.DataFrame:
    """Scores by kind and method; see `CountryValidation`. together: also of survey rows of every kind as one."""
    kinds = list(dict.fromkeys(observed["kind"]))
    groups = [(kind, observed[observed["kind"] == kind]) for kind in kinds]
    surveys = observed[observed["kind"] != ROUTINE]
    if together and surveys["kind"].nunique() > 1:
        groups.insert(0, (ALL, surveys))
    return pd.DataFrame([each for kind, part in groups for each in _scores(kind, part)])


def _scores(kind: str, part: pd.DataFrame) -> list[dict[str, Any]]:
    part = part.assign(error=part["middle"] - part["observed"])
    key = ["code", "year", "measure_system"]
    model = part[part["method"] == MODEL]
    found = []
    for method in dict.fromkeys(part["method"]):
        own = part[part["method"] == method]
        told = {"kind": kind, "method": method, **summary(own)}
        if method != MODEL:
            same = own[key].merge(model, on=key, how="left")
            blocks = country.districts()["province"].loc[own["code"]].to_numpy()
            gap = paired(same, own.reset_index(drop=True), blocks)
            if len(set(blocks)) < FEW_PROVINCES:
                gap |= {name: np.nan for name in gap if name.endswith(("_low", "_high"))}
            told |= {f"gap_{name}": value for name, value in gap.items()}
        found.append(told)
    return found
