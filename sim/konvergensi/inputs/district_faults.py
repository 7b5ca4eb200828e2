"""What the tables of a district say of each other: keys, ramps, sums and ratios that cannot be."""

from __future__ import annotations

from typing import Any

import pandas as pd

from konvergensi.base.errors import Fault, fault, format_value, unknown
from konvergensi.base.months import format_month
from konvergensi.inputs.agencies import duplicates
from konvergensi.inputs.changes import Change, inside_fault, inside_ramps, ramp_fault, until_fault
from konvergensi.inputs.district_chain import FILES, Chain, Said, id_of
from konvergensi.inputs.parameters import Parameter, load_parameters

# first total, second total, times, least, most: outside these one of the two is in another unit or has a slip in it
PLAUSIBLE = (
    ("births_per_year", "persons", 1000.0, 5.0, 45.0, "births_per_1000"),
    ("births_per_year", "families", 100.0, 2.0, 25.0, "births_per_100"),
    ("persons", "families", 1.0, 2.0, 9.0, "family_size"),
)


def key_faults(chain: Chain, said: Said, opd: dict[str, Parameter] | None) -> list[Fault]:
    """Check every key and value of [set] and the timeline against the parameters; opd None: agencies are not known."""
    known = load_parameters() | (opd or {})
    given: list[tuple[int, str, str, Any, int | None]] = []
    given += [(number, "set", key, each.value, None) for key, (number, each) in said.overrides.items()]
    faults: list[Fault] = []
    for number, event in said.timeline:
        place = f"timeline[{format_month(event.month)}]"
        faults += until_fault(chain.profiles[number].path, f"{place}.until", event.month, event.until)
        given += [(number, f"{place}.set", key, value, event.until) for key, value in event.set.items()]
    for number, place, key, value, until in given:
        path = chain.profiles[number].path
        if key not in known:
            if opd is not None or not key.startswith("opd."):
                faults.append(unknown(path, f"{place}.{key}", key, known))
        elif wrong := known[key].fault_in(value, path) or ramp_fault(known[key], value, until):
            faults.append(fault(path, f"{place}.{key}", wrong.phrase, **wrong.words))
    for number, profile in enumerate(chain.profiles):
        moments = [
            f"{format_month(each.month)} {key}" for at, each in said.timeline if at == number for key in each.set
        ]
        faults += duplicates(moments, profile.path, "timeline")
    return faults + _ramp_faults(chain, said)


def _ramp_faults(chain: Chain, said: Said) -> list[Fault]:
    """Refuse a change inside a ramp of its key; the nearer of the two files is to be mended."""
    origin = [f"{chain.prefix(number)}{FILES[0]}" for number in range(len(chain.profiles))]
    history: list[Change] = [change for number, event in said.timeline for change in event.changes(origin[number])]
    faults = []
    for ramp, other in inside_ramps(history):
        here = ramp if origin.index(ramp.origin) < origin.index(other.origin) else other
        path = chain.profiles[origin.index(here.origin)].path
        faults.append(inside_fault(path, f"timeline[{format_month(here.month)}].set.{here.key}", ramp, other))
    return faults


def size_faults(chain: Chain, said: Said, villages: pd.DataFrame | None) -> list[Fault]:
    """Check that families add up (money would be sized wrongly) and that births, persons and families fit together."""
    totals = {name: total.value for name, (_, total) in said.population.items()}
    faults: list[Fault] = []
    if villages is not None and "families" in totals:
        number, found, total = said.population["families"][0], int(villages["families"].sum()), totals["families"]
        if abs(found - total) > 0.01 * total:
            words = {"value": found, "total": format_value(total)}
            if number > chain.holder["villages.csv"]:
                words["district"] = id_of(chain.profiles[number].path)
                faults.append(fault(chain.own, "population.families", "families_inherited", **words))
            else:
                faults.append(fault(chain.profiles[number].path, "population.families", "families_sum", **words))
            del totals["families"]  # nothing can be held against it
    return faults + _plausibility_faults(chain, said, totals)


def _plausibility_faults(chain: Chain, said: Said, totals: dict[str, float]) -> list[Fault]:
    """Say which total does not fit the others; one fault, however many of its ratios are out."""
    out = [
        (each, ratio)
        for each in PLAUSIBLE
        if {each[0], each[1]} <= totals.keys()
        and not each[3] <= (ratio := each[2] * totals[each[0]] / totals[each[1]]) <= each[4]
    ]
    if not out:
        return []
    (first, second, _, least, most, phrase), ratio = out[0]
    shared = set.intersection(*({each[0], each[1]} for each, _ in out))
    # the one written nearest is to be mended; then the one that fits none of the others
    name = min((first, second), key=lambda each: (said.population[each][0], each not in shared))
    path = chain.profiles[said.population[name][0]].path
    words = {"value": totals[first], "total": format_value(totals[second]), "ratio": f"{ratio:.3g}"}
    return [fault(path, f"population.{name}", phrase, **words, low=f"{least:g}", high=f"{most:g}")]
