"""Refusals of bad input: one line per fault, naming file, key, value and what would be right.

The sentences are data in two languages, so that a planner reads the same fault in Indonesian that a log
keeps in English. `str(error)` is English; `error.text("id")` is Indonesian.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "id")

# phrase -> (English, Indonesian). Words in braces come from the fault; {value} comes quoted and shortened.
PHRASES: dict[str, tuple[str, str]] = {
    "plain": ("{text}", "{text}"),
    "unknown": ("unknown key", "kunci tidak dikenal"),
    "unknown_name": (
        "unknown {what} {value}; there is {choices}",
        "{what} {value} tidak dikenal; yang ada {choices}",
    ),
    "missing": ("missing; write {expected}", "belum ada; tulis {expected}"),
    "instead": ("{expected} (not {rival})", "{expected} (bukan {rival})"),
    "missing_column": ("this column is missing", "kolom ini belum ada"),
    "outside": ("{value} is outside [{low}, {high}]{unit}", "{value} di luar rentang [{low}, {high}]{unit}"),
    "percent": (
        "{value} looks like a percent; write {share} (allowed is [{low}, {high}])",
        "{value} tampaknya persen; tulis {share} (yang boleh [{low}, {high}])",
    ),
    "choice": ("{value} is not one of: {choices}", "{value} bukan salah satu dari: {choices}"),
    "not_number": ("{value} is not a number{range}", "{value} bukan angka{range}"),
    "not_whole": ("{value} is not a whole number{range}", "{value} bukan bilangan bulat{range}"),
    "not_whole_point": (
        "{value} is not a whole number{range}; a point does not separate thousands: 5700, not 5.700",
        "{value} bukan bilangan bulat{range}; titik bukan pemisah ribuan: 5700, bukan 5.700",
    ),
    "decimal_comma": (
        "{value} is not a number{range}; decimals are written with a point: {point}",
        "{value} bukan angka{range}; desimal ditulis dengan titik: {point}",
    ),
    "not_bool": ("{value} is not true or false", "{value} bukan true atau false"),
    "not_text": ("{value} is not text in quotes", "{value} bukan teks dalam tanda kutip"),
    "not_scalar": (
        "{value} is not one value (number, text, true or false)",
        "{value} bukan satu nilai (angka, teks, true atau false)",
    ),
    "not_list": ("{value} is not a list", "{value} bukan daftar"),
    "not_table": ("{value} is not a table of keys", "{value} bukan tabel berisi kunci"),
    "not_id": (
        "{value} is not a short name (small letters, digits and -)",
        "{value} bukan nama pendek (huruf kecil, angka dan -)",
    ),
    "empty": ("empty", "kosong"),
    "month": (
        "{value} is not a month; write one from 1900-01 to 2199-12, such as 2020-03",
        "{value} bukan bulan; tulis dari 1900-01 sampai 2199-12, misalnya 2020-03",
    ),
    "mid_month": (
        "{value} is inside a month; the model works in whole months, write {month}",
        "{value} di tengah bulan; model ini memakai bulan penuh, tulis {month}",
    ),
    "before": ("{value} is before {first} ({first_key})", "{value} mendahului {first} ({first_key})"),
    "built": (
        "is read only when the district is built; give it with --set or in the district's [set]",
        "hanya dibaca saat daerah dibentuk; berikan lewat --set atau [set] di berkas daerah",
    ),
    "families_sum": (
        "{value} families in villages.csv, but {total} here; they must agree within 1 percent",
        "{value} keluarga di villages.csv, tetapi {total} di sini; selisihnya tidak boleh lebih dari 1 persen",
    ),
    "families_inherited": (
        "{value} families in villages.csv, but {total} in {district}, which this district extends; write families = {{ "
        "value = {value}, ... }} here, and the other counts of your own",
        "{value} keluarga di villages.csv, tetapi {total} di {district} yang diperluas daerah ini; tulis families = {{ "
        "value = {value}, ... }} di sini, beserta jumlah lain milik daerah Anda",
    ),
    "births_per_1000": (
        "{value} births a year among {total} persons are {ratio} per 1,000; plausible is {low} to {high} (Indonesia: "
        "about 16). Is one of the two in another unit, or of another year? A point does not separate thousands: 5700, "
        "not 5.700",
        "{value} kelahiran setahun di antara {total} jiwa berarti {ratio} per 1.000; yang wajar {low} sampai {high} "
        "(Indonesia: sekitar 16). Apakah satuan atau tahun salah satunya berbeda? Titik bukan pemisah ribuan: 5700, "
        "bukan 5.700",
    ),
    "births_per_100": (
        "{value} births a year in {total} families are {ratio} per 100; plausible is {low} to {high} (Indonesia: about "
        "6). Is one of the two in another unit, or of another year? A point does not separate thousands: 5700, not "
        "5.700",
        "{value} kelahiran setahun di {total} keluarga berarti {ratio} per 100; yang wajar {low} sampai {high} "
        "(Indonesia: sekitar 6). Apakah satuan atau tahun salah satunya berbeda? Titik bukan pemisah ribuan: 5700, "
        "bukan 5.700",
    ),
    "family_size": (
        "{value} persons in {total} families are {ratio} in a family; plausible is {low} to {high} (Indonesia: about "
        "4). Is one of the two in another unit, or of another year? A point does not separate thousands: 5700, not "
        "5.700",
        "{value} jiwa di {total} keluarga berarti {ratio} per keluarga; yang wajar {low} sampai {high} (Indonesia: "
        "sekitar 4). Apakah satuan atau tahun salah satunya berbeda? Titik bukan pemisah ribuan: 5700, bukan 5.700",
    ),
    "low_above_high": (
        "value {value} must lie in low..high = [{low}, {high}]",
        "value {value} harus di antara low..high = [{low}, {high}]",
    ),
    "no_range": ("a number needs both low and high", "angka memerlukan low dan high"),
    "no_comparison": ("holds no whole comparison: {reason}", "tidak berisi perbandingan yang utuh: {reason}"),
    "no_choices": ("text needs choices = [...]", "teks memerlukan choices = [...]"),
    "not_by_kecamatan": (
        "{value} is a survey of whole districts; of a kecamatan there is only {choices}",
        "{value} adalah survei tingkat kabupaten/kota; untuk kecamatan hanya ada {choices}",
    ),
    "duplicate": ("{value} is there twice{at}", "{value} muncul dua kali{at}"),
    "twice": ("set twice at {month} in this file", "diubah dua kali pada {month} di berkas ini"),
    "set_twice": ("set twice", "diubah dua kali"),
    "no_ramp": (
        "{value} cannot be reached in steps, only a number can; leave out until",
        "{value} tidak dapat dicapai bertahap, hanya angka yang dapat; hapus until",
    ),
    "inside_ramp": (
        "{value} at {when} ({origin}) begins inside the ramp {span} ({ramp}); put it before or after the ramp",
        "{value} pada {when} ({origin}) mulai di tengah perubahan bertahap {span} ({ramp}); "
        "letakkan sebelum atau sesudahnya",
    ),
    "disagree": (
        "{value} at {when} in {first}, but {other} at {then} in {second}; "
        "scenarios are combined only where they agree or change a key in different months",
        "{value} pada {when} di {first}, tetapi {other} pada {then} di {second}; "
        "skenario hanya dapat digabung bila nilainya sama atau bulannya berbeda",
    ),
    "cycle": ("extends itself: {chain}", "memperluas dirinya sendiri: {chain}"),
    "no_file": ("there is no such file or folder", "berkas atau folder ini tidak ada"),
    "is_folder": ("is a folder, not a file", "ini folder, bukan berkas"),
    "unreadable": ("cannot be read ({reason})", "tidak dapat dibaca ({reason})"),
    "not_empty": (
        "is there already and not empty; name a new folder",
        "sudah ada dan tidak kosong; sebutkan folder baru",
    ),
    "unwritable": ("cannot be written to ({reason})", "tidak dapat ditulisi ({reason})"),
    "not_utf8": (
        "is not UTF-8 text (byte {byte}); save it as UTF-8",
        "bukan teks UTF-8 (bita {byte}); simpan sebagai UTF-8",
    ),
    "bad_toml": ("not valid TOML ({reason})", "bukan TOML yang sah ({reason})"),
    "toml_value": (
        "line {line}, column {column}: this is no value; text needs quotation marks, true and false small letters, "
        "decimals a point",
        "baris {line}, kolom {column}: ini bukan nilai; teks perlu tanda kutip, true dan false huruf kecil, desimal "
        "memakai titik",
    ),
    "toml_quote": (
        "line {line}, column {column}: a closing quotation mark is missing",
        "baris {line}, kolom {column}: tanda kutip penutup belum ada",
    ),
    "toml_after": (
        "line {line}, column {column}: something stands after the value; decimals are written with a point, text in "
        "quotation marks",
        "baris {line}, kolom {column}: ada sesuatu sesudah nilai; desimal ditulis dengan titik, teks dalam tanda kutip",
    ),
    "toml_key": (
        "line {line}, column {column}: a line is key = value, and a key has no spaces",
        "baris {line}, kolom {column}: satu baris berbentuk kunci = nilai, dan kunci tanpa spasi",
    ),
    "toml_comma": (
        "line {line}, column {column}: a comma or a closing bracket is missing",
        "baris {line}, kolom {column}: ada koma atau kurung penutup yang kurang",
    ),
    "bad_csv": (
        "line {line}: not a valid CSV table ({reason})",
        "baris {line}: bukan tabel CSV yang sah ({reason})",
    ),
    "cells": (
        "line {line} holds {cells} values, but the first line names {columns} columns; is a comma missing or too many? "
        "Decimals are written with a point: 0.12",
        "baris {line} berisi {cells} nilai, padahal baris pertama menyebut {columns} kolom; apakah ada koma yang "
        "kurang atau berlebih? Desimal ditulis dengan titik: 0.12",
    ),
    "semicolons": (
        "the columns are separated by semicolons; save it with commas between columns and points in decimals: 0.12",
        "kolom dipisahkan titik koma; simpan dengan koma antarkolom dan titik untuk desimal: 0.12",
    ),
    "no_rows": ("the table has no rows", "tabel tidak berisi baris"),
    "at_line": ("line {line}: {what}{more}", "baris {line}: {what}{more}"),
    "no_money": ("write funded_share or budget_rp", "tulis funded_share atau budget_rp"),
    "one_coordinator": (
        "{value} is the role of {opd}; at most one OPD coordinates",
        "{value} adalah peran {opd}; paling banyak satu OPD yang mengoordinasikan",
    ),
    "no_year": (
        "{first} to {last} holds no whole calendar year",
        "{first} sampai {last} tidak memuat satu tahun kalender penuh",
    ),
    "two_scenarios": (
        "{value}: a comparison needs two scenarios or more, the first to compare with",
        "{value}: perbandingan memerlukan dua skenario atau lebih, yang pertama sebagai acuan",
    ),
    "named_twice": (
        "{value} is named twice; name each scenario once, and give two files two names",
        "{value} disebut dua kali; sebut tiap skenario sekali saja, dan beri dua berkas nama yang berbeda",
    ),
    "worker_died": (
        "a worker process ended by itself, perhaps for want of memory: take fewer; a script has to start the work "
        "under if __name__ == '__main__'",
        "satu proses kerja berhenti sendiri, mungkin karena kekurangan memori: kurangi jumlahnya; skrip harus "
        "memulainya di bawah if __name__ == '__main__'",
    ),
    "needs": (
        "{value} from {when} has no effect: {needed} is {off}; switch it on too",
        "{value} mulai {when} tidak berpengaruh: {needed} bernilai {off}; nyalakan juga",
    ),
    "needs_until": (
        "{value} from {when} has no effect until {month}: {needed} is {off} before",
        "{value} mulai {when} baru berpengaruh pada {month}: sebelumnya {needed} bernilai {off}",
    ),
    "no_such_opd": (
        "no shipped district has an agency {value}, only a district of your own can; there is {choices}",
        "tidak ada daerah bawaan yang mempunyai OPD {value}, hanya daerah Anda sendiri; yang ada {choices}",
    ),
    "set_form": ("{value} is not KEY=VALUE", "{value} bukan KUNCI=NILAI"),
    "no_effect": (
        "has no effect from {month} on, as {rules} rules then (reform of 2025); set that key",
        "tidak berpengaruh mulai {month} karena yang berlaku {rules} (reformasi 2025); yang diatur harus kunci itu",
    ),
    "still_example": (
        'values whose source is still "example": {n}; put your own values and sources in their place',
        'nilai yang sumbernya masih "example": {n}; ganti dengan nilai dan sumber Anda sendiri',
    ),
    "few_families": (
        "only about {n} families are simulated, so chance moves prevalence more than a policy does; compare a small "
        "district whole, --population-share 1",
        "hanya sekitar {n} keluarga yang disimulasikan, sehingga kebetulan menggerakkan prevalensi lebih besar "
        "daripada kebijakan; daerah kecil sebaiknya dibandingkan utuh, --population-share 1",
    ),
    "few_families_whole": (
        "only {n} families live here, so chance moves prevalence more than a policy does, even over the whole district",
        "di sini hanya ada {n} keluarga, sehingga kebetulan menggerakkan prevalensi lebih besar daripada kebijakan, "
        "walaupun seluruh daerah disimulasikan",
    ),
}
# names of things, where they stand in a sentence
WHAT = {
    "district": ("district", "daerah"),
    "scenario": ("scenario", "skenario"),
    "service": ("service", "layanan"),
}
HINT = ("; did you mean {near}?", "; maksud Anda {near}?")
MORE = ("; and {more} more lines", "; dan {more} baris lagi")


@dataclass(frozen=True)
class Fault:
    """One thing wrong: where (file or option), under which key, which sentence, with which words."""

    where: str
    key: str
    phrase: str
    words: dict[str, Any]

    def text(self, lang: str = "en") -> str:
        """Return the fault as one line in English (`en`) or Indonesian (`id`)."""
        head = f"{self.where}: " if self.where else ""
        head += f"{self.key}: " if self.key else ""
        return " ".join((head + self.sentence(lang)).split())

    def sentence(self, lang: str = "en") -> str:
        column = LANGUAGES.index(lang)
        words = {name: self._word(name, word, lang) for name, word in self.words.items()}
        near = self.words.get("near")
        return PHRASES[self.phrase][column].format(**words) + (HINT[column].format(near=near) if near else "")

    def _word(self, name: str, word: Any, lang: str) -> str:
        if name == "value":
            return shown(word)
        if name == "more":
            return MORE[LANGUAGES.index(lang)].format(more=word) if word else ""
        if isinstance(word, Fault):
            return word.sentence(lang)
        if name == "what" and word in WHAT:
            return WHAT[word][LANGUAGES.index(lang)]
        return str(word)


class InputError(ValueError):
    """Input that cannot be used; `faults` holds each thing wrong, one line each in `str(error)`."""

    def __init__(self, faults: str | Fault | Iterable[Fault]):
        if isinstance(faults, str):
            faults = Fault("", "", "plain", {"text": faults})
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, lang: str = "en") -> list[str]:
        """Return one line per fault in the language asked for."""
        return [fault.text(lang) for fault in self.faults]


def fault(where: object, key: str, phrase: str, **words: Any) -> Fault:
    """Build a `Fault`; `phrase` is a key of PHRASES."""
    return Fault(str(where), key, phrase, words)


def unknown(where: object, key: str, name: str, known: Iterable[str]) -> Fault:
    """A key nobody knows, with the nearest one that exists."""
    return fault(where, key, "unknown", near=nearest(name, known))


def unknown_name(where: object, key: str, what: str, name: str, known: Iterable[str]) -> Fault:
    """A name (of a district, a service, an OPD) nobody knows, with what there is."""
    names = sorted(known)
    return fault(
        where,
        key,
        "unknown_name",
        what=what,
        value=name,
        choices=", ".join(names) or "-",
        near=nearest(name, names),
    )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, or None when nothing is close.

    The last part of a dotted key is tried too, so that `absorption` finds `budget.absorption`.
    """
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return close[0]
    tails = {each.rpartition(".")[2]: each for each in reversed(names)}
    close = difflib.get_close_matches(name.rpartition(".")[2], tails, n=1, cutoff=0.75)
    return tails[close[0]] if close else None


def shown(value: object) -> str:
    """Return a value as it should stand in a message: quoted text, short, on one line."""
    try:
        text = repr(value) if isinstance(value, str) else format_value(value)
    except ValueError:  # an integer too long for Python to print
        text = "a number of more than 4300 digits"
    return text if len(text) <= 60 else text[:57] + "..."


def format_value(value: object) -> str:
    """Return a value as TOML writes it, numbers without trailing noise."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    return str(value)
