"""Refreshes docs/signs.md, docs/signs.id.md and docs/signs.csv: python scripts/make_signs.py [--share 0.02]

Six changes that a planner would expect to help, each in Lebak against the district as it is, once with every mechanism
and once with each of several mechanisms switched off. Where a change lowers an outcome beyond chance, its cause is the
mechanism without which it does not. About five minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from make_results import fill
from scipy import stats

from konvergensi.base.words import LANGUAGES, Lang, number
from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.mechanisms import reach
from konvergensi.model.convergence import ConvergenceModel
from konvergensi.world.children import LAST_AGE

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES: dict[str, Lang] = {"signs.md": "en", "signs.id.md": "id"}
TABLE = DOCS / "signs.csv"
SEEDS = (1, 2, 3, 4)
MONEY = 4.0  # times the line of every programme: more than its whole list costs for most of them
QUARTERS = ("march", "june", "september", "december")
SOURCES = ("apbn", "dak", "apbd", "dana_desa", "csr")
EVEN = {f"budget.{source}_released_by_{q}": 0.25 * (k + 1) for source in SOURCES for k, q in enumerate(QUARTERS)}
# what is changed: scenario, values; `funded` and `lottery` besides do what no value does
CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "coverage": ("baseline", {"measurement.eppgbm_entry_share": 1.0}),
    "funded": ("baseline", {}),
    "even": ("baseline", EVEN),
    "lottery": ("baseline", {}),
    "data": ("close-data", {}),
    "convergence": ("full-convergence", {}),
}
# what is switched off; `all`: nothing; `money`: every line has more money, with the change and without it
SWITCHES: dict[str, dict[str, Any]] = {
    "all": {},
    "staff": {"delivery.contacts_per_staff_month": 1000.0},
    "dose": {"delivery.package_dose": "any-contact"},
    "contacts": {"contacts.reach": "lasting-order"},
    "caseload": {"contacts.refusals": 6, "contacts.workers_sd": 0.0},
    "proposals": {"budget.proposal_share": 0.0},
    "shocks": {"shocks.on": False},
    "costs": {"costs.paid": "free"},
    "money": {},
}
OUTCOMES = ("protected_in_time", "any_contact_in_time", "complete_package_share", "mean_z")
SCALE = {"protected_in_time": 1.0, "any_contact_in_time": 1.0, "complete_package_share": 100.0, "mean_z": 1000.0}
WORDS: dict[str, tuple[str, str]] = {
    "coverage": ("every measurement is entered in e-PPGBM", "semua hasil ukur masuk e-PPGBM"),
    "funded": ("every line four times its money, staff as they are", "setiap pos anggaran empat kali, petugas tetap"),
    "even": ("money released evenly over the year", "dana cair merata sepanjang tahun"),
    "lottery": ("who is served first drawn anew each month", "urutan layanan diundi tiap bulan"),
    "data": ("the data gap closed", "celah data ditutup"),
    "convergence": ("everything converges", "semua terkonvergensi"),
    "money": ("every line four times its money", "setiap pos anggaran empat kali"),
    "all": ("with every mechanism", "dengan semua mekanisme"),
    "staff": ("staff without limit", "petugas tanpa batas"),
    "dose": ("any contact counts", "satu kontak dihitung"),
    "contacts": ("one lasting order instead of contacts", "satu urutan tetap, bukan kontak"),
    "caseload": ("workers alike in all villages, six refusals", "petugas merata antar desa, enam penolakan"),
    "proposals": ("no agency argues for money", "tidak ada OPD yang mengusulkan dana"),
    "shocks": ("no shock", "tanpa guncangan"),
    "costs": ("coordination costs nothing", "koordinasi tanpa biaya"),
    "protected_in_time": ("children with the package at a working dose in time",
        "anak dengan paket berdosis cukup tepat waktu"),
    "any_contact_in_time": ("children with one contact of each in time",
        "anak dengan satu kontak tiap layanan tepat waktu"),
    "complete_package_share": ("complete package, points", "paket lengkap, poin"),
    "mean_z": ("mean z, thousandths", "rata-rata z, perseribu"),
    "lowers": ("**{change}** lowers {outcome} ({value}). Not so when switched off: {causes}.",
               "**{change}** menurunkan {outcome} ({value}). Tidak lagi bila dimatikan: {causes}."),
    "unexplained": ("none of those tried", "tidak satu pun yang dicoba"),
    "none": ("No change lowers an outcome beyond chance.",
             "Tidak ada perubahan yang menurunkan hasil di luar kebetulan."),
}  # fmt: skip


def say(name: str, lang: Lang) -> str:
    """A change, switch or outcome in words."""
    return WORDS[name][LANGUAGES.index(lang)]


def by_lottery() -> Callable[..., Any]:
    """Order of serving drawn anew in every month, lists and places as they are."""
    as_it_is = reach.in_order

    def order(world: Any, programme_row: int, rank: np.ndarray, of: Any, rows: Any, at: np.ndarray, first: Any) -> Any:
        drawn = world.draws.bits(f"lottery {programme_row}", world.month, of.key[rows][at]) >> np.uint32(16)
        return as_it_is(world, programme_row, drawn.astype(np.uint16), of, rows, at, first)

    return order


def outcome(change: str | None, switch: str, seed: int, share: float) -> dict[str, float]:
    """What a run comes to, in the families of the whole district; change None: the district as it is."""
    scenario, more = CHANGES[change] if change else ("baseline", {})
    values = SWITCHES[switch] | more
    model = ConvergenceModel(None, "lebak", rng=seed, population_share=share, end="2022-12", set=values)
    policy = load_scenario(scenario)
    model.begin(policy, resolve(policy, model.place, values, model.first_month, model.last_month))
    book = model.world.programmes
    if "money" in (switch, "money" if change == "funded" else ""):
        for column in (book.line, book.planned, book.budgeted, book.next_line, book.next_planned):
            column *= MONEY
    with patch.object(reach, "in_order", by_lottery() if change == "lottery" else reach.in_order):
        while model.running:
            model.step()
    world = model.world
    table = model.recorder.tables("indicators")["indicators"]
    told = table.groupby("indicator")["value"]
    in_time, package = told.sum(), told.mean()
    under_fives = world.children.window(world.month - 1, 0, LAST_AGE)
    any_contact = in_time.get("any_contact_in_time", in_time["protected_in_time"])
    return {
        "protected_in_time": float(in_time["protected_in_time"]) / world.population_share,
        "any_contact_in_time": float(any_contact) / world.population_share,
        "complete_package_share": float(package["complete_package_share"]),
        "mean_z": float(world.children.z[under_fives].mean(dtype=float)),
    }


def differences(share: float) -> pd.DataFrame:
    """Change of every outcome, mean and 95 % t interval over seeds, by change and switch."""
    rows = []
    for switch in SWITCHES:
        usual = [outcome(None, switch, seed, share) for seed in SEEDS]
        for change in CHANGES:
            if (change, switch) == ("funded", "money"):
                continue  # the same money with it and without it
            changed = [outcome(change, switch, seed, share) for seed in SEEDS]
            for name in OUTCOMES:
                each = np.array([b[name] - a[name] for a, b in zip(usual, changed, strict=True)]) * SCALE[name]
                half = stats.t.ppf(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each))
                base = float(np.mean([a[name] for a in usual])) * SCALE[name]
                rows.append((change, switch, name, base, each.mean(), each.mean() - half, each.mean() + half))
    return pd.DataFrame(rows, columns=["change", "switched_off", "outcome", "usual", "difference", "low", "high"])


class Blocks:
    """A method for each block of the pages."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table.set_index(["change", "switched_off", "outcome"])

    def shown(self, change: str, switch: str, name: str, lang: Lang) -> str:
        """A difference with its interval."""
        if (change, switch, name) not in self.table.index:
            return "–"
        row = self.table.loc[change, switch, name]
        return f"{number(row.difference, lang, 1)} ({number(row.low, lang, 1)}, {number(row.high, lang, 1)})"

    def ends(self, change: str, switch: str, name: str) -> bool:
        """Whether switching off ends it: not below zero beyond chance any more, and less than half of what it was."""
        if switch in ("all", "money"):
            return False
        row, usual = self.table.loc[change, switch, name], self.table.loc[change, "all", name]
        return bool(row.high >= 0 and row.difference > usual.difference / 2)

    def signs(self, lang: Lang) -> str:
        """Every change with every mechanism."""
        lines = [["", *(say(name, lang) for name in OUTCOMES)]]
        usual = [number(float(self.table.loc["even", "all", name].usual), lang, 1) for name in OUTCOMES]
        lines.append([{"en": "as it is", "id": "apa adanya"}[lang], *usual])
        lines += [
            [say(change, lang), *(self.shown(change, "all", name, lang) for name in OUTCOMES)] for change in CHANGES
        ]
        return _table(lines)

    def causes(self, lang: Lang) -> str:
        """What lowers an outcome beyond chance, and without which mechanism it does not."""
        found = []
        for change in CHANGES:
            for name in OUTCOMES:
                if self.table.loc[change, "all", name].high >= 0:
                    continue
                without = [say(switch, lang) for switch in SWITCHES if self.ends(change, switch, name)]
                told = {"change": say(change, lang), "outcome": say(name, lang)}
                causes = ", ".join(without) or say("unexplained", lang)
                found.append("- " + say("lowers", lang).format(
                    value=self.shown(change, "all", name, lang), causes=causes, **told))  # fmt: skip
        return "\n".join(found) or say("none", lang)

    def switched(self, lang: Lang) -> str:
        """The package at a working dose in time, each change with each mechanism off."""
        name = "protected_in_time"
        off = [switch for switch in SWITCHES if switch != "money"]
        lines = [["", *(say(switch, lang) for switch in off)]]
        lines += [
            [say(change, lang), *(self.shown(change, switch, name, lang) for switch in off)] for change in CHANGES
        ]
        return _table(lines)

    def money(self, lang: Lang) -> str:
        """What convergence and the data gap closed are worth at today's money and at more."""
        lines = [["", *(say(name, lang) for name in OUTCOMES)]]
        for change in ("convergence", "data"):
            for switch, words in (
                ("all", {"en": "today's money", "id": "dana sekarang"}[lang]),
                ("money", say("money", lang)),
            ):
                cells = [self.shown(change, switch, name, lang) for name in OUTCOMES]
                lines.append([f"{say(change, lang)}, {words}", *cells])
        return _table(lines)


def _table(lines: list[list[str]]) -> str:
    head, *rest = ["| " + " | ".join(cells) + " |" for cells in lines]
    return "\n".join([head, "|" + "---|" * len(lines[0]), *rest])


def main() -> None:
    """Run, keep the table, fill the pages."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--share", type=float, default=0.02, help="of the families of Lebak")
    options = asked.parse_args()
    table = differences(options.share)
    table.round(4).to_csv(TABLE, index=False, lineterminator="\n")
    for name, lang in PAGES.items():
        path = DOCS / name
        path.write_text(fill(path.read_text(encoding="utf-8"), Blocks(table), lang), encoding="utf-8")  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
