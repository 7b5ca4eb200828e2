"""Refreshes docs/forecasts.md, docs/forecasts.id.md and their pictures: python scripts/make_forecasts.py [--refit]

Reads the draws in scenarios/country/ and the scored trials in calibration/country_trials.parquet, and fills what stands
between `<!-- results: NAME -->` and `<!-- end results -->` with the method of that name in Blocks. --refit makes the
trials again: seven fits, about ten minutes on one core; needs pip install 'konvergensi[country]'.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from make_results import fill_pages
from matplotlib.figure import Figure
from small_pictures import save_small

from konvergensi.base.words import LANGUAGES, Lang
from konvergensi.inputs import country
from konvergensi.methods import country as fit
from konvergensi.methods.country_scale import NODES, POINT
from konvergensi.methods.country_scores import paired, summary
from konvergensi.report import theme

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
TRIALS = ROOT / "calibration" / "country_trials.parquet"
PAGES: dict[str, Lang] = {"forecasts.md": "en", "forecasts.id.md": "id"}
MODEL = "model"
LEBAK = "36.02"
NAMES: dict[str, tuple[str, str]] = {
    "model": ("this fit", "pencocokan ini"),
    "last value": ("last value", "nilai terakhir"),
    "national trend": ("national trend", "tren nasional"),
    "past mean": ("past mean", "rata-rata lampau"),
    "partial pooling": ("partial pooling", "pengumpulan sebagian"),
    "2021 from 2019": ("2021 from surveys up to 2019", "2021 dari survei sampai 2019"),
    "2022 from 2021": ("2022 from surveys up to 2021", "2022 dari survei sampai 2021"),
    "2023 from 2022": ("2023 from surveys up to 2022", "2023 dari survei sampai 2022"),
    "hidden after 2019": ("after 2019 hidden, five folds", "sesudah 2019 disembunyikan, lima bagian"),
}


def say(name: str, lang: Lang) -> str:
    """A method or trial in words."""
    return NAMES[name][LANGUAGES.index(lang)]


def shown(value: float, lang: Lang, digits: int = 2) -> str:
    """A number with the decimal sign of the language and a true minus."""
    text = f"{value:.{digits}f}".replace("-", "−")
    return text.replace(".", ",") if lang == "id" else text


def span(low: float, high: float, lang: Lang, digits: int = 2) -> str:
    """An interval in words."""
    return f"{shown(low, lang, digits)} {'to' if lang == 'en' else 'sampai'} {shown(high, lang, digits)}"


def rows_of(lines: list[list[str]]) -> str:
    """A Markdown table; the first line is its head."""
    head, *rest = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([head, "|---" * len(lines[0]) + "|", *rest])


class Blocks:
    """A method for each block of the pages."""

    def __init__(self, trials: pd.DataFrame) -> None:
        self.trials = trials
        self.post = fit.shipped_posterior()
        self.provinces = country.districts()["province"]
        self.by = {
            (trial, method): part.reset_index(drop=True)
            for (trial, method), part in trials.groupby(["trial", "method"], sort=False)
        }
        self.names = list(dict.fromkeys(trials["trial"]))
        self.methods = list(dict.fromkeys(trials["method"]))

    def scores(self, lang: Lang) -> str:
        """CRPS, RMSE, coverage and interval score of every method in every trial."""
        heads = {
            "en": [
                "trial",
                "method",
                "readings",
                "CRPS",
                "RMSE",
                "in the 90 % interval",
                "interval score",
                "mean error",
            ],
            "id": ["uji", "cara", "nilai", "CRPS", "RMSE", "dalam selang 90 %", "skor selang", "galat rata-rata"],
        }
        lines = [heads[lang]]
        for trial in self.names:
            for method in self.methods:
                told = summary(self.by[trial, method])
                lines.append([
                    say(trial, lang), say(method, lang), str(told["n"]), shown(told["crps"], lang),
                    shown(told["rmse"], lang), f"{shown(100 * told['coverage'], lang, 1)} %",
                    shown(told["interval_score"], lang, 1), shown(told["bias"], lang),
                ])  # fmt: skip
        return rows_of(lines)

    def gaps(self, lang: Lang) -> str:
        """This fit less each naive rule, with paired intervals."""
        heads = {
            "en": ["trial", "this fit less", "CRPS", "RMSE"],
            "id": ["uji", "pencocokan ini dikurangi", "CRPS", "RMSE"],
        }
        lines = [heads[lang]]
        for trial in self.names:
            for method in self.methods:
                if method == MODEL:
                    continue
                own = self.by[trial, MODEL]
                gap = paired(own, self.by[trial, method], self.provinces.loc[own["code"]].to_numpy())
                cells = [
                    f"{shown(gap[name], lang)} ({span(gap[f'{name}_low'], gap[f'{name}_high'], lang)})"
                    for name in ("crps", "rmse")
                ]
                lines.append([say(trial, lang), say(method, lang), *cells])
        return rows_of(lines)

    def lead(self, lang: Lang) -> str:
        """What the forecast of 2023 and the hidden districts say in two sentences."""
        told = [summary(self.by[trial, MODEL]) for trial in self.names[-2:]]
        best = [
            min(summary(self.by[trial, m])["rmse"] for m in self.methods if m != MODEL) for trial in self.names[-2:]
        ]
        own, other = [shown(each["rmse"], lang) for each in told], [shown(each, lang) for each in best]
        inside = [f"{shown(100 * each['coverage'], lang, 0)} %" for each in told]
        if lang == "en":
            return (
                f"Without any value of 2023, readings of 2023 are missed by {own[0]} points (RMSE), by the best "
                f"naive rule "
                f"by {other[0]}; {inside[0]} of them lie in the 90 % interval. Where everything after 2019 was hidden: "
                f"{own[1]} points against {other[1]}, {inside[1]} inside."
            )
        return (
            f"Tanpa satu pun nilai 2023, hasil survei 2023 meleset {own[0]} poin (RMSE), sedangkan aturan "
            f"sederhana terbaik "
            f"{other[0]}; {inside[0]} di antaranya berada dalam selang 90 %. Bila semua nilai sesudah 2019 "
            f"disembunyikan: "
            f"{own[1]} poin dibanding {other[1]}, dan {inside[1]} berada di dalam selang."
        )

    def errors(self, lang: Lang) -> str:
        """What a reading's error is made of, survey by survey."""
        heads = {
            "en": ["survey", "sampling, SD in points", "all other error, SD in points"],
            "id": ["survei", "pencuplikan, simpangan baku (poin)", "galat lain, simpangan baku (poin)"],
        }
        lines = [heads[lang]]
        systems = ("PSG", "Riskesdas", "SSGBI", "SSGI", "SSGI", "SKI")
        for node, (year, system) in enumerate(zip(NODES, systems)):
            other = np.median(self.post.other_error[:, node])
            total = np.median(fit.error_var(self.post, year, system)) / POINT**2
            lines.append(
                [
                    f"{system} {year}",
                    shown(float(np.sqrt(max(total - other**2, 0))), lang, 1),
                    shown(float(other), lang, 1),
                ]
            )
        return rows_of(lines)

    def lebak(self, lang: Lang) -> str:
        """What the fit says of Lebak's 12.9 points."""
        draws = fit.level_draws(self.post, LEBAK, [2018.0, 2021.0, 2022.0, 2023.0, 2024.0])
        fall = draws[:, 0] - draws[:, 1]
        low, middle, high = np.quantile(fall, (0.05, 0.5, 0.95))
        levels = [np.quantile(draws[:, at], (0.05, 0.5, 0.95)) for at in (0, 1, 3)]
        table = country.surveys()
        read = table[table["code"] == LEBAK].set_index("year")["percent"]
        gap = shown(float(read[2018] - read[2021]), lang, 1)
        told = [f"{shown(each[1], lang, 1)} ({span(each[0], each[2], lang, 1)})" for each in levels]
        if lang == "en":
            return (
                f"Kabupaten Lebak read {gap} points less in 2021 than in 2018. On one scale, SSGI's, the fit "
                f"puts the fall at "
                f"{shown(middle, lang, 1)} points ({span(low, high, lang, 1)}): from {told[0]} percent in 2018 "
                f"to {told[1]} in 2021, "
                f"and {told[2]} in 2023."
            )
        return (
            f"Hasil survei Kabupaten Lebak turun {gap} poin dari 2018 ke 2021. Pada satu skala, yaitu skala "
            f"SSGI, penurunannya "
            f"{shown(middle, lang, 1)} poin ({span(low, high, lang, 1)}): dari {told[0]} persen pada 2018 "
            f"menjadi {told[1]} pada 2021, "
            f"dan {told[2]} pada 2023."
        )

    def checks(self, lang: Lang) -> str:
        """Checks of the chains."""
        lines = []
        for name in ("posterior", "posterior-to-2022"):
            told = json.loads((country.folder() / f"{name}.json").read_text(encoding="utf-8"))
            worst, least = shown(told["worst_r_hat"], lang), shown(told["least_effective"], lang, 0)
            divergent = int(told["divergent"])
            lines.append(
                f"- `{name}`: {told['draws']} draws, {divergent} divergent, worst R-hat {worst}, least "
                f"effective number {least}."
                if lang == "en"
                else f"- `{name}`: {told['draws']} sampel, {divergent} divergen, R-hat terburuk {worst}, jumlah "
                f"efektif terkecil {least}."
            )
        return "\n".join(lines)


def scores_figure(blocks: Blocks, lang: Lang) -> Figure:
    """RMSE of every method in every trial, with the 90 % interval of each rule's distance to this fit."""
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.subplots()
    colours = dict(zip(blocks.methods, (theme.BLUE, theme.ORANGE, theme.RED, theme.GREEN, theme.PURPLE)))
    for place, trial in enumerate(blocks.names):
        own = blocks.by[trial, MODEL]
        base = summary(own)["rmse"]
        for at, method in enumerate(blocks.methods):
            y = -place + 0.3 - 0.15 * at
            rmse = summary(blocks.by[trial, method])["rmse"]
            label = say(method, lang) if place == 0 else None
            axes.plot(rmse, y, "o", color=colours[method], label=label, markersize=6)
            if method != MODEL:
                gap = paired(own, blocks.by[trial, method], blocks.provinces.loc[own["code"]].to_numpy())
                axes.plot(
                    [base - gap["rmse_high"], base - gap["rmse_low"]], [y, y], color=colours[method], linewidth=1.5
                )
            else:
                axes.axvline(base, ymin=(4 - place - 1) / 4, ymax=(4 - place) / 4, color=theme.PALE, zorder=0)
    axes.set_yticks([-place for place in range(len(blocks.names))], [say(trial, lang) for trial in blocks.names])
    axes.set_ylim(-len(blocks.names) + 0.5, 0.5)
    axes.set_xlabel(
        "RMSE, percentage points; bars: 90 % interval, paired"
        if lang == "en"
        else "RMSE, poin persentase; garis: selang 90 %, berpasangan"
    )
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3, frameon=False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return figure


def lebak_figure(blocks: Blocks, lang: Lang) -> Figure:
    """Lebak's level with its uncertainty, every published survey, and the interval of a reading in 2024."""
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    years = np.arange(2017.0, 2029.01, 0.25)
    low, lower, middle, upper, high = np.quantile(
        fit.level_draws(blocks.post, LEBAK, years), (0.05, 0.25, 0.5, 0.75, 0.95), axis=0
    )
    axes.fill_between(years, low, high, color=theme.SKY, alpha=0.3, linewidth=0, label="90 %")
    axes.fill_between(years, lower, upper, color=theme.SKY, alpha=0.6, linewidth=0, label="50 %")
    axes.plot(
        years, middle, color=theme.BLUE, label="level, on SSGI's scale" if lang == "en" else "tingkat, pada skala SSGI"
    )
    table = country.surveys()
    marks = {"PSG": "s", "Riskesdas": "D", "SSGBI": "^", "SSGI": "o", "SKI": "v"}
    for row in table[table["code"] == LEBAK].itertuples():
        axes.plot(row.year, row.percent, marks[row.measure_system], color=theme.RED, markersize=7)
        axes.annotate(
            row.measure_system, (row.year, row.percent), xytext=(6, 5), textcoords="offset points", fontsize=9
        )
    reading = np.quantile(fit.reading_draws(blocks.post, LEBAK, 2024, "SSGI"), (0.05, 0.95))
    axes.plot([2024, 2024], reading, color=theme.INK, linewidth=1.2, label="SSGI 2024, 90 %")
    axes.set_ylabel("stunting, percent of under-fives" if lang == "en" else "stunting, persen balita")
    axes.set_ylim(0, None)
    axes.legend(loc="lower left", frameon=False, ncols=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def main() -> int:
    """Refit where asked, then write pictures and pages."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--refit", action="store_true", help="make the trials again")
    if arguments.parse_args().refit:
        from country_trials import trials

        table = trials()
        floats = table.select_dtypes("float64").columns
        table.astype(dict.fromkeys(floats, "float32")).to_parquet(TRIALS, index=False)
    blocks = Blocks(pd.read_parquet(TRIALS))
    for lang in LANGUAGES:
        save_small(scores_figure(blocks, lang), DOCS / "pictures" / f"forecasts-scores.{lang}.png")
        save_small(lebak_figure(blocks, lang), DOCS / "pictures" / f"forecasts-lebak.{lang}.png")
    fill_pages(DOCS, PAGES, blocks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
