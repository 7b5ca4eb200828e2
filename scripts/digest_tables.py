"""Digests of every table the package writes, so that a change of its shape can show that no value moved.

    python scripts/digest_tables.py            # compare with tests/baseline/digests.json; exit 1 names what differs
    python scripts/digest_tables.py --store    # store what comes out now

A digest is taken of each column by itself, over its values at full precision, so that a renamed column is told from a
changed one; TABLES and RENAMED map names of the stored file to the names of today. Tables come from the command line
alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

STORED = Path(__file__).resolve().parents[1] / "tests" / "baseline" / "digests.json"
DISTRICTS = ("lebak", "kota-banjar", "archetype-island", "lanny-jaya")
POLICIES = ("baseline", "one-list", "early-planning", "full-convergence", "no-programme")
SMALL = ("--population-share", "0.02")
STUDY = """title.en = "digests"
title.id = "digests"
districts = ["lebak"]
scenarios = ["baseline", "one-list"]
population_share = 0.02
start = "2018-01"
end = "2018-12"
seeds = 2

[design]
method = "sobol"
draws = 4

[factors."budget.inertia"]
[factors."growth.income_trend_z_per_year"]
"""
# stored table -> table of today
TABLES = {"beliefs": "parameter_draws"}
# table -> {stored column: column of today}; an empty name says that the column is gone
_POLICY = {"scenario": "policy"}
RENAMED: dict[str, dict[str, str]] = {
    **dict.fromkeys(("cost_effect", "groups", "runs", "series", "targets", "variance", "villages", "gaps"), _POLICY),
    "comparison": _POLICY,
    "costs": _POLICY | {"rp": "amount_rp"},
    "pairs": {"scenario_a": "policy_a", "scenario_b": "policy_b"},
}
# values that are names themselves, and were renamed: `anyway` is `cohort_replacement` now
REWORDED = {("explain", "part")}
# what tells of the code or the time of a run and not of its results
VOLATILE = {"run_id", "key", "seconds", "wall_time_s", "written", "shard"}


def konvergensi(*words: str) -> str:
    """Run a command of the package; returns what it prints."""
    done = subprocess.run([sys.executable, "-m", "konvergensi", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"konvergensi {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def commands() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name of each analysis and the command that makes it, without its folder for results."""
    for district in DISTRICTS:
        for policy in POLICIES:
            words = ("run", policy, "--district", district, *SMALL, "--end", "2020-12", "--no-figures")
            yield f"run-{district}-{policy}", words
    traced = ("run", "baseline", "--district", "kota-banjar", "--population-share", "0.1", "--trace-children", "20")
    yield "run-traced", (*traced, "--end", "2022-12", "--no-figures")
    compared = ("baseline", "one-list", "early-planning")
    yield "compare", ("compare", *compared, "--draws", "2", "--seeds", "2", *SMALL, "--end", "2020-12")
    yield "gaps", ("gaps", "--draws", "2", "--seeds", "2", "--no-ranges", *SMALL, "--end", "2019-12")
    yield "explain", ("explain", *SMALL, "--seeds", "2", "--agencies", "1", "--to", "2020-12")


def digests() -> dict[str, dict[str, str]]:
    """Analysis and table -> column -> digest, of everything in this file's list."""
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, words in commands():
            konvergensi(*words, "--out", str(folder / name))
            for file in sorted((folder / name).rglob("*.parquet")):
                inside = file.relative_to(folder / name)
                if inside.parts[0] != "runs":  # what a start keeps for the next one is no result
                    found[f"{name}/{inside.with_suffix('').as_posix()}"] = of_table(pd.read_parquet(file))
        for service in ("pmba", "pkh", "pmba+pkh"):
            printed = konvergensi("trial", service, "--children", "4000").splitlines()[0]
            found[f"trial/{service}"] = {"printed": digest(printed)}
        (folder / "study.toml").write_text(STUDY, encoding="utf-8")
        konvergensi("study", "run", str(folder / "study.toml"), "--out", str(folder / "study"), "--workers", "1")
        konvergensi("study", "export", str(folder / "study"), "--out", str(folder / "exported"))
        for file in sorted((folder / "exported").rglob("*.parquet")):
            found[f"study/{file.stem}"] = of_table(pd.read_parquet(file))
    return found


def of_table(table: pd.DataFrame) -> dict[str, str]:
    """Digest of each column in the order of its rows."""
    return {str(name): digest(table[name].tolist()) for name in table.columns if name not in VOLATILE}


def digest(values: object) -> str:
    """Twelve hexadecimal digits that stand for these values at full precision."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:12]


def differences(stored: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """What is not as stored, a line each."""
    lines = []
    for then, columns in stored.items():
        analysis, _, last = then.rpartition("/")
        table = f"{analysis}/{TABLES.get(last, last)}"
        if table not in now:
            lines.append(f"{table}: not there any more")
            continue
        renamed = RENAMED.get(last, {})
        for column, value in columns.items():
            if (last, column) in REWORDED:
                continue
            name = renamed.get(column, column)
            name = (
                column if name and name not in now[table] else name
            )  # not in every analysis is the table of this name
            if name and now[table].get(name) != value:
                lines.append(f"{table}: {column}" + ("" if name in now[table] else " is gone"))
    return lines


def main() -> None:
    """Compare, or store."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--store", action="store_true", help="store what comes out now")
    now = digests()
    if asked.parse_args().store:
        STORED.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        print(f"{len(now)} tables stored in {STORED.name}")
        return
    lines = differences(json.loads(STORED.read_text(encoding="utf-8")), now)
    print("\n".join(lines) or f"{len(now)} tables, every column as stored")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
