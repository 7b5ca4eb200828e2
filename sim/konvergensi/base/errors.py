"""Refusals of bad input: one line per fault, naming file, key, value and what would be right.

The sentences are data in two languages, so that a planner reads the same fault in Indonesian that a log
keeps in English. `str(error)` is English; `error.lines("id")` is Indonesian. Options stand as at the command line
(`--population-share`); whoever did not type them reads the argument of the Python function (`population_share`).
"""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from konvergensi.base.harmless import plain
from konvergensi.base.units import unit_word

LANGUAGES = ("en", "id")

TEXTS = Path(__file__).with_name("errors.toml")
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)(?:[ =]([0-9]+|[A-Z]|drop)\b)?")
# options that Python calls by another name
_ARGUMENTS = {"from": "since", "to": "until", "children": "n", "failed": "on_failed"}
# numbers read from an office's table, said back with the decimal mark of the language; those of TOML keep the point
_READ_NUMBERS = ("read", "x", "y")


@functools.cache
def texts() -> dict[str, dict[str, dict[str, str]]]:
    """Sentences by part (`phrase`, `what`, `hint`), name and language; read when the first fault is told."""
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Fault:
    """One thing wrong: where (file or option), under which key, which sentence, with which words."""

    where: str
    key: str
    phrase: str
    words: dict[str, Any]

    def text(self, lang: str = "en", typed: bool = False) -> str:
        """Return the fault as one line in English (`en`) or Indonesian (`id`); typed: options as one types them."""
        names = [name if typed or not name.startswith("--") else as_argument(name) for name in (self.where, self.key)]
        head = "".join(f"{name}: " for name in names if name)
        return plain(" ".join((head + self.sentence(lang, typed)).split()))

    def sentence(self, lang: str = "en", typed: bool = False) -> str:
        words = {name: self._word(name, word, lang, typed) for name, word in self.words.items()}
        near = self.words.get("near")
        hint = texts()["hint"]["near"][lang].format(near=near) if near else ""
        sentence = texts()["phrase"][self.phrase][lang]
        return (sentence if typed else as_argument(sentence)).format(**words) + hint

    def _word(self, name: str, word: Any, lang: str, typed: bool) -> str:
        if name == "value":
            return shown(word)
        if name == "more":
            return texts()["hint"]["more"][lang].format(more=word) if word else ""
        if isinstance(word, Fault):
            return word.sentence(lang, typed)
        if name == "unit":
            return f" {unit_word(str(word).strip(), lang)}" if word else ""
        if name in ("first_key", "expected") and not typed:
            return as_argument(str(word))
        if name == "what" and word in texts()["what"]:
            return texts()["what"][word][lang]
        if name == "rp":  # thousands apart, as the language has them
            return str(word).replace(" ", "." if lang == "id" else ",")
        if lang == "id" and name in _READ_NUMBERS:
            return str(word).replace(".", ",")
        return str(word)


class InputError(ValueError):
    """Input that cannot be used; `faults` holds each thing wrong, one line each in `str(error)`.

    `readings` says how the office's tables in which they were found have been read, which may be why.
    """

    def __init__(self, faults: str | Fault | Iterable[Fault], readings: Iterable[Fault] = ()):
        if isinstance(faults, str):
            faults = Fault("", "", "plain", {"text": faults})
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        self.readings = tuple(readings)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, lang: str = "en", typed: bool = False) -> list[str]:
        """Return one line per fault in the language asked for; typed: with options as one types them."""
        return [fault.text(lang, typed) for fault in self.faults]


def as_argument(text: str) -> str:
    """Options as arguments of a Python function: `--population-share 1` is `population_share=1`."""

    def name(found: re.Match[str]) -> str:
        argument = _ARGUMENTS.get(found[1], found[1].replace("-", "_"))
        return f"{argument}={found[2]}" if found[2] else argument

    return _OPTION.sub(name, text)


def fault(where: object, key: str, phrase: str, **words: Any) -> Fault:
    """Build a `Fault`; `phrase` is a key of the part `phrase` of errors.toml."""
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
