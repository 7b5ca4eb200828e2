"""What is robust about the three gaps: sentences and tables of docs/results.md and results.id.md, all from a result.

A verdict on a sign asks three things of a difference: whether chance (95 % interval over seeds) and assumptions with
rules (where a further draw is expected) both leave it on one side of zero, and whether every draw has it there.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from konvergensi.analyses.gaps import Gaps
from konvergensi.base.words import Lang, number, points

SIGNS = Path(__file__).resolve().parents[1] / "docs" / "signs.csv"
CLOSED = ("socialization", "data", "timing", "socialization+data+timing")
ALL_CLOSED = CLOSED[-1]
MEASURES = {"prevalence": (100, 2), "protected_in_time": (1, 0), "complete_package_share": (100, 1)}
SAID: dict[str, dict[Lang, str]] = {
    "socialization": {"en": "socialization", "id": "sosialisasi"},
    "data": {"en": "data", "id": "data"},
    "timing": {"en": "timing", "id": "waktu"},
    ALL_CLOSED: {"en": "all three", "id": "ketiganya"},
    "prevalence": {"en": "prevalence, points", "id": "prevalensi, poin"},
    "protected_in_time": {"en": "children protected in time", "id": "anak terlindungi tepat waktu"},
    "complete_package_share": {"en": "complete package, points", "id": "paket lengkap, poin"},
    "head": {"en": "Closed|Measure|Difference|Draws with this sign|Sign",
             "id": "Celah ditutup|Ukuran|Selisih|Sampel bertanda sama|Tanda"},
    "holds": {"en": "holds", "id": "bertahan"},
    "open": {"en": "open under assumptions and rules", "id": "belum pasti menurut asumsi dan aturan"},
    "chance": {"en": "not beyond chance", "id": "tidak di luar kebetulan"},
    "of": {"en": "{k} of {n}", "id": "{k} dari {n}"},
    "firm": {"en": "- **Holds** in chance, assumptions and rules: {which}.",
             "id": "- **Bertahan** terhadap kebetulan, asumsi, dan aturan: {which}."},
    "loose": {"en": "- **Sign not known**: {which}.", "id": "- **Tandanya belum pasti**: {which}."},
    "none": {"en": "none", "id": "tidak ada"},
    "run": {
        "en": "{district}, {year}, population share {share}, {seeds} seeds; {draws} draws of assumptions and rules "
        "({rules} rules), each with a seed in turn.",
        "id": "{district}, {year}, bagian penduduk {share}, {seeds} benih acak; {draws} sampel asumsi dan aturan "
        "({rules} aturan), masing-masing dengan benih acak bergiliran.",
    },
    "seen": {
        "en": "Two surveys must differ by about {seen} points before the difference means anything. All three gaps "
        "closed change prevalence by {mean} points, by {low} to {high} over assumptions and rules: {verdict}.",
        "id": "Dua survei harus berbeda sekitar {seen} poin agar selisihnya bermakna. Bila ketiga celah ditutup, "
        "prevalensi berubah {mean} poin, atau {low} sampai {high} menurut asumsi dan aturan: {verdict}.",
    },
    "never": {"en": "no survey would see it", "id": "tidak akan terlihat oleh survei"},
    "perhaps": {"en": "a survey may see it under some of them", "id": "survei mungkin melihatnya pada sebagian sampel"},
    "surely": {"en": "a survey would see it", "id": "survei akan melihatnya"},
    "money": {"en": "Everything converges|Today's money|Every line four times its money|Worth more with money?",
              "id": "Semua terkonvergensi|Dana sekarang|Setiap pos empat kali dananya|Lebih bernilai bila ada dana?"},
    "any_contact_in_time": {"en": "children with one contact of each in time",
                            "id": "anak dengan satu kontak tiap layanan tepat waktu"},
    "mean_z": {"en": "mean z, thousandths", "id": "rata-rata z, perseribu"},
    "more": {"en": "more", "id": "lebih"},
    "less": {"en": "less", "id": "kurang"},
    "same": {"en": "not to be told apart", "id": "tidak dapat dibedakan"},
    "missing": {"en": "Not computed yet: `python scripts/make_signs.py`.",
                "id": "Belum dihitung: `python scripts/make_signs.py`."},
}  # fmt: skip


def shown(value: float, measure: str, lang: Lang) -> str:
    """A difference in the unit of its measure, with its sign."""
    scale, decimals = MEASURES[measure]
    return points(scale * value / 100, lang, decimals)


def verdict(gaps: Gaps, closed: str, measure: str) -> tuple[str, int, int]:
    """`holds`, `open` or `chance`, and in how many draws of how many the difference has the sign of its mean."""
    table = gaps.differences
    at = table[(table["closed"] == closed) & (table["measure"] == measure)].iloc[0]
    sign = 1 if at["difference"] > 0 else -1
    drawn = gaps.values[(gaps.values["draw"] > 0) & (gaps.values["measure"] == measure)]
    wide = drawn.pivot(index="draw", columns="closed", values="value")
    alike = int(((wide[closed] - wide["none"]) * sign > 0).sum()) if len(wide) else 0
    if min(sign * at["chance_low"], sign * at["chance_high"]) <= 0:
        return "chance", alike, len(wide)
    firm = min(sign * at["assumed_low"], sign * at["assumed_high"]) > 0 and alike == len(wide) > 0
    return ("holds" if firm else "open"), alike, len(wide)


def gaps_run(gaps: Gaps, lang: Lang) -> str:
    """What was run."""
    told = gaps.manifest
    return SAID["run"][lang].format(
        district=told["district_name"], year=told["year"], share=number(told["population_share"], lang, 2),
        seeds=len(told["seeds"]), draws=told["draws"], rules=len(told["structures"]),
    )  # fmt: skip


def holds(gaps: Gaps, lang: Lang) -> str:
    """Which differences hold, and of which not even the sign is known."""
    told: dict[bool, list[str]] = {True: [], False: []}
    for measure in MEASURES:
        for closed in CLOSED:
            word = verdict(gaps, closed, measure)[0]
            why = "" if word == "holds" else f" ({SAID[word][lang]})"
            told[word == "holds"].append(f"{SAID[closed][lang]}, {SAID[measure][lang]}{why}")
    lines = [
        SAID[key][lang].format(which="; ".join(told[key == "firm"]) or SAID["none"][lang]) for key in ("firm", "loose")
    ]
    return "\n".join(lines)


def signs(gaps: Gaps, lang: Lang) -> list[list[str]]:
    """Rows: every gap and measure, its difference, in how many draws it has that sign, and the verdict."""
    rows = [SAID["head"][lang].split("|")]
    table = gaps.differences.set_index(["closed", "measure"])["difference"]
    for closed in CLOSED:
        for measure in MEASURES:
            word, k, n = verdict(gaps, closed, measure)
            often = SAID["of"][lang].format(k=k, n=n)
            value = shown(float(table[closed, measure]), measure, lang)
            rows.append([SAID[closed][lang], SAID[measure][lang], value, often, SAID[word][lang]])
    return rows


def seen(gaps: Gaps, lang: Lang) -> str:
    """The effect of all three on prevalence beside what two surveys can tell apart."""
    table = gaps.differences
    at = table[(table["closed"] == ALL_CLOSED) & (table["measure"] == "prevalence")].iloc[0]
    least = float(gaps.manifest["survey"]["half_width"]) * 2**0.5
    ends = [abs(float(at[name])) for name in ("assumed_low", "assumed_high")]
    same_side = float(at["assumed_low"]) * float(at["assumed_high"]) > 0
    word = "never" if max(ends) < least else "surely" if same_side and min(ends) >= least else "perhaps"
    numbers = {name: shown(float(at[column]), "prevalence", lang) for name, column in (
        ("mean", "difference"), ("low", "assumed_low"), ("high", "assumed_high"))}  # fmt: skip
    return SAID["seen"][lang].format(seen=number(100 * least, lang, 1), verdict=SAID[word][lang], **numbers)


def more_money(lang: Lang, path: Path = SIGNS) -> list[list[str]] | str:
    """Convergence at today's money and at four times the money, from the table of make_signs.py."""
    if not path.exists():
        return SAID["missing"][lang]
    found = pd.read_csv(path).set_index(["change", "switched_off", "outcome"])
    rows = [SAID["money"][lang].split("|")]
    for name in ("protected_in_time", "any_contact_in_time", "complete_package_share", "mean_z"):
        now, then = found.loc[("convergence", "all", name)], found.loc[("convergence", "money", name)]
        word = "more" if then["low"] > now["high"] else "less" if then["high"] < now["low"] else "same"
        cells = [
            f"{number(at['difference'], lang, 1)} ({number(at['low'], lang, 1)}; {number(at['high'], lang, 1)})"
            for at in (now, then)
        ]
        rows.append([SAID[name][lang], *cells, SAID[word][lang]])
    return rows
