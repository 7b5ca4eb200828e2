"""The one stored run, in small tables that a reviewer can read in a diff: python tests/refresh_baseline.py

test_model.py compares today's run with tests/baseline/*.csv. A change of the model that is meant to move results is
followed by this script, and the commit says what moved.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "baseline"
SHARE, SEED = 0.02, 1


def baseline_tables() -> dict[str, pd.DataFrame]:
    """Yearly prevalence by group, children reached in time by service, and money by source, of the baseline run."""
    import konvergensi as kv

    run = kv.run("baseline", district="lebak", seed=SEED, population_share=SHARE)
    series = run.series.assign(year=run.series["month"].str[:4].astype(int))
    prevalence = series.groupby(["group", "year"], sort=False)["prevalence"].mean().unstack("year")
    in_time = run.cascade[run.cascade["stage"] == "in_time"]
    in_time = in_time.pivot(index="service", columns="year", values="children")
    stages = ["planned_rp", "budgeted_rp", "released_rp", "spent_rp"]
    money = run.money.groupby(["source", "year"])[stages].sum()
    surveys = run.surveys[run.surveys["level"] == "district"]
    surveys = surveys[["system", "fieldwork", "n_measured", "percent"]]
    return {
        "prevalence": prevalence.reset_index(),
        "in_time": in_time.reset_index(),
        "money": money.reset_index(),
        "surveys": surveys.reset_index(drop=True),
    }


def refresh() -> None:
    """Write the tables and say which of them are new or different."""
    FOLDER.mkdir(exist_ok=True)
    for name, table in baseline_tables().items():
        file = FOLDER / f"{name}.csv"
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        table.to_csv(file, index=False, float_format="%.10g", lineterminator="\n")
        same = file.read_text(encoding="utf-8") == before
        print(f"{file.relative_to(HERE.parent)}: {'as it was' if same else 'written'}")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent / "sim"))
    refresh()
