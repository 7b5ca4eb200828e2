"""Refreshes docs/waves.md, docs/waves.id.md, their picture and waves.csv: python scripts/make_waves.py

Needs pip install 'konvergensi[country]' (diff-diff). About half a minute. scenarios/country/waves.csv holds every
contrast and bound: what a simulation of early and late districts is held against.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from make_forecasts import rows_of, shown, span
from make_results import fill_pages
from matplotlib.figure import Figure
from small_pictures import save_small
from waves import BASES, CONTROLS, OUTCOMES, SCALES, bounds, contrasts, panel, placebo

from konvergensi.base.words import LANGUAGES, Lang
from konvergensi.inputs import country
from konvergensi.report import theme

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES: dict[str, Lang] = {"waves.md": "en", "waves.id.md": "id"}
NAMES: dict[str, tuple[str, str]] = {
    CONTROLS[0]: ("all late districts, nothing held equal", "semua daerah akhir, tanpa penyesuaian"),
    CONTROLS[1]: ("late districts alike in covariates", "daerah akhir dengan kovariat serupa"),
    CONTROLS[2]: ("the same, Java only", "sama, hanya Jawa"),
    CONTROLS[3]: ("the same, without those known to be last", "sama, tanpa daerah yang diketahui terakhir"),
    BASES[2]: ("mean of 2017 and 2018", "rata-rata 2017 dan 2018"),
    "points": ("points", "poin"),
    "log": ("log", "log"),
    "logit": ("logit", "logit"),
}
TRIAL = "effect of MCC Community-Based Health and Nutrition project on stunting"


def say(name: str, lang: Lang) -> str:
    """A control, base or scale in words."""
    return NAMES.get(name, (name, name))[LANGUAGES.index(lang)]


class Blocks:
    """A method for each block of the pages."""

    def __init__(self) -> None:
        self.table, self.bound, self.placed = contrasts(), bounds(), placebo()
        evidence = pd.read_csv(ROOT / "evidence" / "convergence_evidence.csv")
        self.trial = evidence[evidence["measure"] == TRIAL].iloc[0]
        self.panel = panel()

    def part(self, **given: object) -> pd.DataFrame:
        """Rows of the contrasts that have these values."""
        found = self.table
        for name, value in given.items():
            found = found[found[name] == value]
        return found

    def groups(self, lang: Lang) -> str:
        """Means of early and late districts in every survey."""
        years = (2017, 2018, 2019, 2021, 2022, 2023)
        lines = [["", *map(str, years)]]
        for early, names in ((1, ("early, by 2020", "awal, sampai 2020")), (0, ("late", "akhir"))):
            part = self.panel[self.panel["early"] == early]
            cells = [
                f"{shown(part[f'y{y}'].mean(), lang, 1)} ({part[f'y{y}'].notna().sum()})"
                if part[f"y{y}"].notna().sum() > 10
                else "-"
                for y in years
            ]
            lines.append([names[LANGUAGES.index(lang)], *cells])
        return rows_of(lines)

    def effects(self, lang: Lang) -> str:
        """Estimates in points by control and base, for every outcome, with the pre-trend."""
        heads = {
            "en": ["compared with", "base", *[f"by {y}" for y in OUTCOMES], "before: 2017 to 2018"],
            "id": ["dibandingkan dengan", "dasar", *[f"sampai {y}" for y in OUTCOMES], "sebelumnya: 2017 ke 2018"],
        }
        lines = [heads[lang]]
        for control in CONTROLS:
            pre = self.part(kind="pre-trend", control=control, scale="points").iloc[0]
            for base in BASES:
                cells = []
                for year in OUTCOMES:
                    row = self.part(kind="effect", control=control, base=base, outcome=year, scale="points").iloc[0]
                    cells.append(f"{shown(row['estimate'], lang, 1)} ({span(row['low'], row['high'], lang, 1)})")
                before = f"{shown(pre['estimate'], lang, 1)} ({span(pre['low'], pre['high'], lang, 1)})"
                lines.append([say(control, lang), say(base, lang), *cells, before if base == BASES[0] else ""])
        return rows_of(lines)

    def scales(self, lang: Lang) -> str:
        """Smallest and largest estimate over bases and controls by scale and outcome."""
        heads = {"en": ["scale", *[f"by {y}" for y in OUTCOMES]], "id": ["skala", *[f"sampai {y}" for y in OUTCOMES]]}
        lines = [heads[lang]]
        for scale in SCALES:
            cells = []
            for year in OUTCOMES:
                found = self.part(kind="effect", outcome=year, scale=scale)["estimate"]
                cells.append(span(found.min(), found.max(), lang, 1))
            lines.append([say(scale, lang), *cells])
        return rows_of(lines)

    def bounded(self, lang: Lang) -> str:
        """Bounds when trends may differ as before, by outcome."""
        heads = {
            "en": ["trends may differ by", *[f"by {y}" for y in OUTCOMES]],
            "id": ["tren boleh berbeda sebesar", *[f"sampai {y}" for y in OUTCOMES]],
        }
        words = {
            0.0: ("nothing", "tidak ada"),
            0.5: ("half of what they did before", "setengah dari sebelumnya"),
            1.0: ("as much as they did before", "sama seperti sebelumnya"),
        }
        lines = [heads[lang]]
        for m, told in words.items():
            rows = [self.bound[(self.bound["M"] == m) & (self.bound["outcome"] == year)].iloc[0] for year in OUTCOMES]
            cells = [span(row["low"], row["high"], lang, 1) for row in rows]
            lines.append([told[LANGUAGES.index(lang)], *cells])
        return rows_of(lines)

    def lead(self, lang: Lang) -> str:
        """What can be said in three sentences."""
        effects = self.part(kind="effect")
        widest = self.bound[self.bound["M"] == 1.0]
        low, high = shown(widest["low"].min(), lang, 1), shown(widest["high"].max(), lang, 1)
        least, most = shown(effects["estimate"].min(), lang, 1), shown(effects["estimate"].max(), lang, 1)
        below, n = int((effects["high"] < 0).sum()), len(effects)
        above = int((effects["low"] > 0).sum())
        if lang == "en":
            return (
                f"Early districts' stunting changed by {least} to {most} points more than that of late ones, "
                f"depending on base year, "
                f"scale and control; of {n} contrasts {below} lie below zero with their 90 % interval and "
                f"{above} above. If trends may "
                f"differ as much as they did before the programme, anything from {low} to {high} points is "
                f"possible: the effect "
                f"of being early cannot be told from zero."
            )
        return (
            f"Perubahan stunting daerah awal dibanding daerah akhir berkisar {least} sampai {most} poin, "
            f"bergantung pada tahun dasar, "
            f"skala, dan pembanding; dari {n} perbandingan, selang 90 % {below} di antaranya seluruhnya di "
            f"bawah nol dan {above} di atas nol. "
            f"Bila tren boleh berbeda sebesar sebelum program, apa pun dari {low} sampai {high} poin mungkin "
            f"terjadi: pengaruh "
            f"menjadi daerah awal tidak dapat dibedakan dari nol."
        )

    def placebo(self, lang: Lang) -> str:
        """The contrast against early status dealt out at random."""
        gap, share, sd = self.placed["contrast"], 100 * self.placed["share_as_large"], self.placed["sd"]
        if lang == "en":
            return (
                f"Within provinces, from the mean of 2017 and 2018 to 2021, early districts changed by "
                f"{shown(gap, lang)} points more "
                f"than late ones. With early status dealt out at random in each province, "
                f"{shown(share, lang, 1)} % of 500 deals give as much "
                f"(SD {shown(sd, lang)}). It is not chance; whether it is the programme or regression to the "
                f"mean, this test cannot tell."
            )
        return (
            f"Di dalam provinsi, dari rata-rata 2017 dan 2018 ke 2021, daerah awal berubah {shown(gap, lang)} "
            f"poin dibanding daerah akhir. "
            f"Bila status awal dibagikan acak di setiap provinsi, {shown(share, lang, 1)} % dari 500 pembagian "
            f"menghasilkan sebesar itu "
            f"(simpangan baku {shown(sd, lang)}). Ini bukan kebetulan; apakah karena program atau regresi ke "
            f"rata-rata, uji ini tidak dapat menjawab."
        )

    def nutrition(self, lang: Lang) -> str:
        """The community nutrition trial."""
        told = [shown(float(self.trial[name]), lang, 1) for name in ("value", "low", "high")]
        if lang == "en":
            return f"{told[0]} points of stunting ({told[1]} to {told[2]}, 95 %)"
        return f"{told[0]} poin stunting ({told[1]} sampai {told[2]}, selang 95 %)"


def figure(blocks: Blocks, lang: Lang) -> Figure:
    """Every contrast in points: rows are controls, panels the pre-trend and the outcomes, colours the base."""
    made = Figure(figsize=(9.0, 4.0), layout="constrained")
    panels = made.subplots(1, 4, sharey=True, sharex=True)
    colours = dict(zip(BASES, (theme.BLUE, theme.RED, theme.GREEN)))
    for axes, year in zip(panels, (2018, *OUTCOMES)):
        kind = "pre-trend" if year == 2018 else "effect"
        for row in blocks.part(kind=kind, outcome=year, scale="points").itertuples():
            y = -CONTROLS.index(row.control) + 0.2 - 0.2 * BASES.index(row.base)
            axes.plot([row.low, row.high], [y, y], color=colours[row.base], linewidth=1.5)
            axes.plot(row.estimate, y, "o", color=colours[row.base], markersize=5)
        axes.tick_params(axis="y", length=0)
        axes.axvline(0, color=theme.GREY, linewidth=0.8)
        before = "before:\n2017 to 2018" if lang == "en" else "sebelumnya:\n2017 ke 2018"
        axes.set_title(before if year == 2018 else f"by {year}" if lang == "en" else f"sampai {year}")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    wrapped = [say(control, lang).replace(", ", ",\n", 1) for control in CONTROLS]
    panels[0].set_yticks([-at for at in range(len(CONTROLS))], wrapped)
    for base in BASES:
        head = "base" if lang == "en" else "dasar"
        panels[-1].plot([], [], "o-", color=colours[base], label=f"{head} {say(base, lang)}")
    made.legend(loc="outside upper center", ncols=3, frameon=False)
    made.supxlabel(
        "early less late, percentage points, 90 % interval"
        if lang == "en"
        else "awal dikurangi akhir, poin persentase, selang 90 %",
        fontsize=theme.TEXT,
    )
    return made


def main() -> int:
    """Estimate, then write table, pictures and pages."""
    blocks = Blocks()
    rows = [blocks.table, blocks.bound.assign(kind="bound", base="2018", scale="points", control=CONTROLS[1])]
    table = pd.concat(rows, ignore_index=True).round(3)
    table.to_csv(country.folder() / "waves.csv", index=False, lineterminator="\n")
    for lang in LANGUAGES:
        save_small(figure(blocks, lang), DOCS / "pictures" / f"waves.{lang}.png")
    fill_pages(DOCS, PAGES, blocks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
