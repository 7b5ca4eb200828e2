"""Refreshes docs/country.md and docs/country.id.md: python scripts/make_country_checks.py [--districts 60] [--jobs 1]

The simulation held against the country: districts drawn with a fixed seed run their baseline from 2018 to 2023 (4,000
families each); two of three are early priority districts and run a second time with the dates of late ones. About two
seconds of CPU for a district. calibration/country_simulated.json holds what the pages are filled with.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from make_forecasts import rows_of, shown, span
from make_results import fill

from konvergensi.base.months import format_month, parse_month
from konvergensi.base.words import Lang
from konvergensi.inputs import country
from konvergensi.inputs.changes import Change
from konvergensi.inputs.country_profiles import profile_row
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.scenarios import Scenario, load_scenario
from konvergensi.methods.country import level_draws, reading_draws, shipped_posterior
from konvergensi.methods.country_scores import paired, score_rows, summary
from konvergensi.model.branch import branches_of
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.model.level import MIDDLE, YEARS, Probe, Snapshot, snapshot
from konvergensi.world.programmes import SOURCES

ROOT = Path(__file__).resolve().parents[1]
STORE = ROOT / "calibration" / "country_simulated.json"
PAGES: dict[str, Lang] = {"country.md": "en", "country.id.md": "id"}
FAMILIES, PATHS, SEED = 4000, 60, 1
LATE = "2022-01"
MEASURED, DESIGN = 700, 1.5  # children of a survey as national-average has it, and about its design effect
KEYS = {
    "socialization.guideline_in_force": (False, True),
    "network.decree_in_force": (False, True),
    "network.pendampingan": (0.0, 0.2),
    "cascade.kpm_share": (0.0, None),
}
APBD_MONTHS = ("2023-04", "2023-06", "2023-09")


def as_late(code: str, kpm: float) -> Scenario:
    """The baseline of an early district with the dates of a late one: nothing of it before 2022."""
    base = load_scenario("baseline")
    first = parse_month(f"{profile_row(code)['first_lokus_year']}-01")
    changes = [Change(first, key, before, "as-late") for key, (before, _) in KEYS.items()]
    later = {key: kpm if after is None else after for key, (_, after) in KEYS.items()}
    changes += [Change(parse_month(LATE), key, value, "as-late") for key, value in later.items()]
    return Scenario("as-late", base.title, base.question, None, tuple(changes), base.path, base.hashes)


def run(code: str) -> dict[str, Any]:
    """One district: effect of its own dates, readings of 2023 by the simulation's survey, money and coverage."""
    place, row = find_district(code), profile_row(code)
    early = country.lokus().at[code, "by_2020"] == 1
    policies = [("baseline", load_scenario("baseline"))]
    if early:
        shares = [each.set.get("cascade.kpm_share") for each in place.timeline if "cascade.kpm_share" in each.set]
        policies.append(("as-late", as_late(code, float(shares[-1]) if shares else 0.5)))
    seen: dict[str, dict[int, Snapshot]] = {"baseline": {}, "as-late": {}}
    spent: dict[str, float] = {}

    def watch(model: ConvergenceModel) -> None:
        month = format_month(model.world.month - 1)
        if month.endswith(f"-{MIDDLE:02d}"):
            seen[model.policy.id if model.policy.id in seen else "baseline"][int(month[:4])] = snapshot(
                model, model.world.month - 1
            )
        if month in APBD_MONTHS and model.policy.id == "baseline":
            book = model.world.programmes
            apbd = book.source == SOURCES.index("apbd")
            spent[month] = float(book.spent[apbd].sum() / max(book.budgeted[apbd].sum(), 1.0))

    share = min(1.0, FAMILIES / float(row["families"]))
    began, coverage, sd = time.process_time(), {}, 0.0
    for name, model in branches_of(policies, code, SEED, share, "2018-01", "2023-12", watch=watch):
        sd = float(model.world.settings["growth.deviation_sd"])
        if name == "baseline":
            single = model.recorder.tables()["single_coverage"]
            single["year"] = single["month"].str[:4].astype(int)
            coverage = {int(year): float(part["share"].mean()) for year, part in single.groupby("year")}
    level = [place.overrides[key].value for key in country.LEVEL_KEYS]
    found: dict[str, Any] = {"code": code, "cpu_s": time.process_time() - began, "apbd": spent, "coverage": coverage}
    if early:
        # what both runs have in common was seen once, before they parted
        late = seen["baseline"] | seen["as-late"]
        own = seen["baseline"]
        found["early"] = {
            str(year): 100 * (own[year].prevalence(*level, sd) - late[year].prevalence(*level, sd)) for year in own
        }
    found["path"] = {str(y): 100 * each.prevalence(*level, sd) for y, each in seen["baseline"].items()}
    found["readings"] = _readings(code, Probe(seen["baseline"], sd, {}))
    return found


def _readings(code: str, probe: Probe) -> list[float]:
    """Draws of what the simulation's survey of 2023 would read, with level and rise from the fit to 2022."""
    years = [year for year in YEARS if year in probe.snapshots]
    draws = level_draws(shipped_posterior(2022), code, [float(year) for year in years])
    rng = np.random.default_rng([SEED, int(code.replace(".", ""))])
    read = []
    for row in draws[rng.choice(len(draws), PATHS, replace=False)]:
        share = probe.snapshots[2023].prevalence(*probe.solve(dict(zip(years, row))), probe.sd)
        sampled = share + rng.standard_normal() * np.sqrt(DESIGN * share * (1 - share) / MEASURED)
        read.append(round(100 * float(np.clip(sampled, 0.001, 0.999)), 3))
    return read


def sample(n: int) -> list[str]:
    """Codes of n districts with a reading of 2023, two of three early; folders of their own are left out."""
    lokus, surveys = country.lokus(), country.surveys()
    has = set(surveys.loc[surveys["year"] == 2023, "code"]) - set(country.shipped_codes().values())
    rng = np.random.default_rng(SEED)
    groups = [sorted(has & set(lokus.index[lokus["by_2020"] == which])) for which in (1, 0)]
    return sorted(
        str(each)
        for group, part in zip(groups, (2 * n // 3, n - 2 * n // 3))
        for each in rng.choice(group, part, False)
    )


class Blocks:
    """A method for each block of the pages."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.rows = found["districts"]

    def agreement(self, lang: Lang) -> str:
        """How far the simulation's path lies from the fit's centre."""
        off, change = [], []
        for row in self.rows:
            years = sorted(map(int, row["path"]))
            fit = np.median(level_draws(shipped_posterior(), row["code"], [float(y) for y in years]), axis=0)
            own = np.array([row["path"][str(y)] for y in years])
            off += list(np.abs(own - fit))
            change.append((own[-1] - own[0]) - (fit[-1] - fit[0]))
        words = shown(float(np.mean(off)), lang, 1), shown(float(np.quantile(off, 0.95)), lang, 1)
        moved = shown(float(np.mean(np.abs(change))), lang, 1)
        if lang == "en":
            return (
                f"Over {len(self.rows)} districts drawn at random the simulated level of a July lies {words[0]} points "
                f"from the fit's centre on average (95 of 100: within {words[1]}), its change over the years {moved}."
            )
        return (
            f"Pada {len(self.rows)} daerah yang diambil acak, tingkat simulasi tiap Juli berjarak rata-rata {words[0]} "
            f"poin dari nilai tengah pencocokan (95 dari 100: dalam {words[1]}), perubahannya {moved}."
        )

    def early(self, lang: Lang) -> str:
        """The simulation's own effect of being early beside the waves' estimates."""
        waves = pd.read_csv(country.folder() / "waves.csv")
        heads = {
            "en": [
                "by",
                "simulated, points",
                "districts",
                "estimates from surveys",
                "bounds, trends as different as before",
            ],
            "id": [
                "sampai",
                "simulasi, poin",
                "daerah",
                "taksiran dari survei",
                "batas, tren berbeda seperti sebelumnya",
            ],
        }
        lines = [heads[lang]]
        for year in (2021, 2022, 2023):
            own = np.array([row["early"][str(year)] for row in self.rows if "early" in row])
            half = 1.645 * own.std(ddof=1) / np.sqrt(len(own))
            effect = waves[(waves["kind"] == "effect") & (waves["scale"] == "points") & (waves["outcome"] == year)]
            bound = waves[(waves["kind"] == "bound") & (waves["outcome"] == year) & (waves["M"] == 1.0)]
            bounds = span(bound["low"].min(), bound["high"].max(), lang, 1) if len(bound) else "-"
            lines.append([
                str(year), f"{shown(own.mean(), lang, 2)} ({span(own.mean() - half, own.mean() + half, lang, 2)})",
                str(len(own)), span(effect["estimate"].min(), effect["estimate"].max(), lang, 1), bounds,
            ])  # fmt: skip
        return rows_of(lines)

    def scores(self, lang: Lang) -> str:
        """The fit and the simulation's survey output on the readings of 2023, both knowing nothing of that year."""
        surveys = country.surveys()
        read = surveys[surveys["year"] == 2023].drop_duplicates("code").set_index("code")["percent"]
        codes = [row["code"] for row in self.rows]
        seen = read.loc[codes].to_numpy(float)
        post = shipped_posterior(2022)
        fit = score_rows(np.array([reading_draws(post, code, 2023, "SKI") for code in codes]), seen)
        simulated = score_rows(np.array([row["readings"] for row in self.rows]), seen)
        heads = {
            "en": [
                "readings of 2023 from surveys to 2022",
                "readings",
                "CRPS",
                "RMSE",
                "in the 90 % interval",
                "mean error",
            ],
            "id": [
                "hasil 2023 dari survei sampai 2022",
                "hasil",
                "CRPS",
                "RMSE",
                "dalam selang 90 %",
                "galat rata-rata",
            ],
        }
        names = {"en": ("the fit", "the simulation's survey"), "id": ("pencocokan", "survei simulasi")}
        lines = [heads[lang]]
        for name, rows in zip(names[lang], (fit, simulated)):
            told = summary(rows)
            lines.append([
                name, str(int(told["n"])), shown(told["crps"], lang, 2), shown(told["rmse"], lang, 2),
                f"{shown(100 * told['coverage'], lang, 0)} %", shown(told["bias"], lang, 2),
            ])  # fmt: skip
        gap = paired(simulated, fit, np.array([code[:2] for code in codes]))
        less = {"en": "the simulation less the fit", "id": "simulasi dikurangi pencocokan"}[lang]
        cells = [
            f"{shown(gap[k], lang, 2)} ({span(gap[f'{k}_low'], gap[f'{k}_high'], lang, 2)})" for k in ("crps", "rmse")
        ]
        return rows_of([*lines, [less, str(len(codes)), *cells, "", ""]])

    def absorbed(self, lang: Lang) -> str:
        """Share of APBD spent by month, published and simulated."""
        evidence = pd.read_csv(ROOT / "evidence" / "convergence_evidence.csv")
        part = evidence[evidence["measure"].str.startswith("APBD expenditure realised, ", na=False)]
        told = {
            m: float(part[part["measure"].str.contains(w)]["value"].iloc[0])
            for m, w in zip(APBD_MONTHS, ("30 April", "30 June", "end September"))
        }
        heads = {
            "en": ["spent by the end of", "published, % of APBD", "simulated, % of APBD lines"],
            "id": ["terbelanjakan sampai akhir", "terbit, % APBD", "simulasi, % baris APBD"],
        }
        names = {
            "en": ("April 2023", "June 2023", "September (year not printed)"),
            "id": ("April 2023", "Juni 2023", "September (tahun tidak dicetak)"),
        }
        lines = [heads[lang]]
        for month, name in zip(APBD_MONTHS, names[lang]):
            own = 100 * np.array([row["apbd"][month] for row in self.rows if month in row["apbd"]])
            lines.append(
                [
                    name,
                    shown(told[month], lang, 1),
                    f"{shown(own.mean(), lang, 1)} ({span(*np.quantile(own, (0.05, 0.95)), lang, 1)})",
                ]
            )
        return rows_of(lines)

    def ikps(self, lang: Lang) -> str:
        """The index of stunting handling beside the mean coverage of eight services."""
        evidence = pd.read_csv(ROOT / "evidence" / "convergence_evidence.csv")
        told = evidence[evidence["measure"].str.startswith("special index", na=False)].set_index("year")["value"]
        told.index = told.index.astype(float).astype(int)
        heads = {
            "en": ["year", "IKPS, 0 to 100", "against 2018", "mean share of eight services, %", "against 2018"],
            "id": [
                "tahun",
                "IKPS, 0 sampai 100",
                "terhadap 2018",
                "rata-rata bagian delapan layanan, %",
                "terhadap 2018",
            ],
        }
        own = {year: 100 * np.mean([row["coverage"][str(year)] for row in self.rows]) for year in (2018, 2019, 2020)}
        lines = [heads[lang]]
        for year in (2018, 2019, 2020):
            value = float(told.loc[year])
            lines.append(
                [
                    str(year),
                    shown(value, lang, 1),
                    shown(value / float(told.loc[2018]), lang, 2),
                    shown(own[year], lang, 1),
                    shown(own[year] / own[2018], lang, 2),
                ]
            )
        return rows_of(lines)

    def dimensions(self, lang: Lang) -> str:
        """Dimensions of the index, as published."""
        evidence = pd.read_csv(ROOT / "evidence" / "convergence_evidence.csv")
        part = evidence[evidence["measure"].str.startswith("dimension ", na=False)].copy()
        part["year"] = part["year"].astype(float).astype(int)
        wide = part.pivot_table(index="measure", columns="year", values="value")
        words = {
            "nutrition": "gizi",
            "housing": "perumahan",
            "health": "kesehatan",
            "education": "pendidikan",
            "food": "pangan",
            "social protection": "perlindungan sosial",
        }
        each = []
        for name, row in wide.iterrows():
            short = str(name).removeprefix("dimension ")
            each.append(
                f"{short if lang == 'en' else words[short]} {shown(row[2019], lang, 1)} → {shown(row[2020], lang, 1)}"
            )
        return "; ".join(each) + "."


def main() -> int:
    """Run the districts and fill the pages; with --pages only the pages."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--districts", type=int, default=60)
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--pages", action="store_true", help="fill the pages from what is stored")
    asked = arguments.parse_args()
    if not asked.pages:
        with ProcessPoolExecutor(asked.jobs) as pool:
            rows = list(pool.map(run, sample(asked.districts), chunksize=2))
        STORE.write_text(json.dumps({"districts": rows}) + "\n", encoding="utf-8")
    blocks = Blocks(json.loads(STORE.read_text(encoding="utf-8")))
    for name, lang in PAGES.items():
        path = ROOT / "docs" / name
        path.write_text(fill(path.read_text(encoding="utf-8"), blocks, lang), encoding="utf-8")  # type: ignore[arg-type]
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
