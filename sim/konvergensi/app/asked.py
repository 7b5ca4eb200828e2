"""What the form of each kind of job asks for, and reading it: the options of the command of the same name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from konvergensi.analyses.allocate import checked
from konvergensi.analyses.allocate_plan import OBJECTIVES, months_of
from konvergensi.base.errors import InputError, fault
from konvergensi.base.months import format_month
from konvergensi.inputs.options import LIMITS, check_options
from konvergensi.methods.allocation import CAUTIONS

if TYPE_CHECKING:
    from konvergensi.app.desk import Desk

# option -> what the page offers first; sizes are those of one laptop in an evening
SIZES: dict[str, dict[str, Any]] = {
    "compare": {"draws": 4, "seeds": 2, "population_share": 0.02, "start": "2018-01", "end": "2024-12"},
    "gaps": {"draws": 2, "seeds": 4, "population_share": 0.02, "start": "2018-01", "end": "2024-12", "ranges": False},
    "explain": {"seeds": 2, "population_share": 0.02, "since": "2018-01", "until": "2021-12", "agencies": 2},
    "allocate": {"since": "2026-01", "until": "2026-12", "at": "", "objective": "cases", "caution": "mean",
                 "draws": 4, "seeds": 2, "population_share": 0.01, "start": "2018-01"},
}  # fmt: skip
CHOICES = {"objective": OBJECTIVES, "caution": CAUTIONS}
MAY_LACK = ("at",)
TOP = {"draws": 100, "seeds": 20, "agencies": 4}
MONEY = ("more", "less", "same")  # than now, a year
BILLION = 1_000_000_000


def options_of(desk: Desk, kind: str, said: Mapping[str, str], policies: list[str]) -> dict[str, Any]:
    """The options of a job as its function takes them, but for names of district and policies, which are the page's.

    Raises InputError with what cannot be asked.
    """
    options: dict[str, Any] = {}
    if kind == "compare":
        scenarios = [*dict.fromkeys(["baseline", *policies])]
        if not 2 <= len(scenarios) <= 6:
            raise InputError(fault("", "policies", "choose_policies"))
        for name in scenarios:
            desk.scenario(name)
        options["scenarios"] = scenarios
    options["district"] = said.get("district", "lebak")
    desk.district(options["district"])
    if kind == "allocate":
        options |= _money(said)
        options["policy"] = said.get("policy", "baseline")
        desk.scenario(options["policy"])
    read = {name: _read(name, value, said) for name, value in SIZES[kind].items()}
    options |= {name: value for name, value in read.items() if value != "" or name not in MAY_LACK}
    numbers = {name: value for name, value in options.items() if name in LIMITS}
    if kind == "allocate":
        money, how = (options.get("more"), options.get("less")), (options["objective"], options["caution"])
        checked(*money, *how, options["draws"], options["seeds"])
        last = months_of(options["since"], options["until"], options.get("at"), options["start"])[2]
        check_options(start=options["start"], end=format_month(last), **numbers)
    else:
        first, end = options.get("start") or options["since"], options.get("end") or options["until"]
        check_options(start=str(first), end=str(end), **numbers)
    return options


def _money(said: Mapping[str, str]) -> dict[str, float]:
    """Rupiah a year more or less, of an amount in Rp billion; nothing for the same money."""
    which = said.get("money", "more")
    if which not in MONEY:
        raise InputError(fault("", "money", "choice", value=which[:40], choices=", ".join(MONEY)))
    if which == "same":
        return {}
    billion = _number("billion", said.get("billion", "").strip(), float)
    return {which: round(billion * BILLION)}


def _read(name: str, otherwise: Any, said: Mapping[str, str]) -> Any:
    text = said.get(name, "").strip()
    if isinstance(otherwise, bool):
        return text == "true"
    if not text:
        return otherwise
    if isinstance(otherwise, str):
        return text
    value = _number(name, text, type(otherwise))
    if value > TOP.get(name, value):
        raise InputError(fault("", name, "outside", value=value, low=0, high=TOP[name], unit=""))
    return value


def _number(name: str, text: str, kind: type) -> Any:
    """A number with a point, or with a comma as it is written in Indonesian."""
    try:
        value = kind(text.replace(",", "."))
    except ValueError:
        raise InputError(fault("", name, "not_number", value=text[:40], range="")) from None
    if not math.isfinite(value):
        raise InputError(fault("", name, "not_number", value=text[:40], range=""))
    return value
