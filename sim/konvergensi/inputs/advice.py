"""What may be written but does nothing, or may be a slip: told in a line, and not refused.

A lever that needs another (`needs` in mechanisms/*.toml) and is moved while that one is off; an agency that no shipped
district has; a month of an Aksi that the reform of 2025 has put out of force; a district of few families, or one still
full of the template's values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from konvergensi.base.errors import Fault, fault, format_value, nearest
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.agencies import any_line, any_opd
from konvergensi.inputs.changes import Change
from konvergensi.inputs.districts import District, find_district, list_districts
from konvergensi.inputs.parameters import Parameter, Value, load_parameters
from konvergensi.inputs.scenarios import Resolved, Scenario

REFORM = parse_month("2025-01")
REGIME = "calendar.regime"
EXAMPLE = "example"  # the source that the template of `new-district` writes beside its invented values
FEW_FAMILIES = 2_000  # below, chance moves prevalence more than a policy does


def idle_levers(
    moved: Iterable[Change], initial: Mapping[str, Value], later: Iterable[Change], known: Mapping[str, Parameter]
) -> list[Fault]:
    """Say which levers are moved without what they need.

    Parameters: moved, what a scenario or --set changes; initial, later, the values in force at the start and the dated
    changes after it, of the whole run; known, every key there is. One line for each lever, by key.
    """
    later, found = sorted(later, key=lambda change: change.month), {}
    for each in sorted(moved, key=lambda change: (change.key, change.month)):
        needed = known[each.key].needs if each.key in known else ""
        if not needed or each.value == known[each.key].value or each.key in found:
            continue
        before = [
            initial[needed],
            *(other.value for other in later if other.key == needed and other.month <= each.last),
        ]
        on_from = next((other.month for other in later if other.key == needed and other.value), None)
        if before[-1]:
            continue
        words = {"value": each.value, "when": each.span, "needed": needed, "off": format_value(initial[needed])}
        if on_from is None or on_from <= each.last:
            found[each.key] = fault(each.origin, each.key, "needs", **words)
        else:
            found[each.key] = fault(each.origin, each.key, "needs_until", **words, month=format_month(on_from))
    return list(found.values())


def of_run(
    scenario: Scenario, resolved: Resolved, set_: Mapping[str, Value], known: Mapping[str, Parameter]
) -> list[Fault]:
    """Say which levers a scenario and --set move without what they need, where and when it was resolved for."""
    given = [Change(0, key, value, "--set") for key, value in set_.items()]
    initial = {key: resolved.initial[key] for key in known}
    return idle_levers([*scenario.changes, *given], initial, resolved.changes, known)


def of_file(scenario: Scenario) -> list[Fault]:
    """Say the same of a scenario alone, with every other lever as its parameter has it; and name unknown agencies."""
    known = dict(load_parameters())
    for each in scenario.changes:
        known |= any_opd(each.key) | any_line(each.key)
    initial = {key: parameter.value for key, parameter in known.items()}
    return [*_strangers(scenario), *idle_levers(scenario.changes, initial, scenario.changes, known)]


def _strangers(scenario: Scenario) -> list[Fault]:
    """Name agencies that no shipped district has: a district of one's own may."""
    named = {each.key.split(".")[1]: each for each in scenario.changes if each.key.startswith("opd.")}
    if not named:
        return []
    here = sorted({opd.id for name in list_districts() for opd in find_district(name).opd})
    return [
        fault(each.origin, each.key, "no_such_opd", value=opd, choices=", ".join(here), near=nearest(opd, here))
        for opd, each in named.items()
        if opd not in here
    ]


def one_text(scenario: Scenario) -> list[Fault]:
    """Name what is written in one language only, and so stands in the reports of both."""
    written = {"title": scenario.title, "question": scenario.question}
    return [fault(scenario.path, key, "one_text") for key, words in written.items() if words.en == words.id]


def ruled_by() -> dict[str, str]:
    """Months of the eight Aksi that the reform of 2025 puts out of force -> what rules in their place."""
    return {key: each.replaced_by for key, each in load_parameters().items() if each.replaced_by}


def overruled(scenario: Scenario, last: int = REFORM - 1) -> list[Fault]:
    """The scenario's changes that do nothing: months of an Aksi, set where the months of the reform rule instead.

    Parameters: last, the last month to be simulated; from 2025 on, an Aksi whose month the scenario set earlier is
    named too, unless it also sets the month that takes its place.
    """
    keys = {change.key for change in scenario.changes}
    if REGIME in keys:
        return []
    found: dict[str, int] = {}
    replaced = ruled_by()
    for change in scenario.changes:
        rules = replaced.get(change.key)
        if rules and (change.month >= REFORM or (last >= REFORM and rules not in keys)):
            found[change.key] = max(change.month, REFORM)
    return [
        fault(scenario.path, key, "no_effect", month=format_month(month), rules=replaced[key])
        for key, month in found.items()
    ]


def still_example(district: District) -> list[Fault]:
    """How many values of a district's files still have the source that the template gave them."""
    rooms = (district.population.values(), district.overrides.values(), district.surveys, district.opd)
    sources = [each.source for room in (*rooms, district.programmes) for each in room]
    left = sum(source.startswith(EXAMPLE) for source in sources)
    return [fault(district.name, "", "still_example", n=left)] if left else []


def few_families(district: District, population_share: float) -> list[Fault]:
    """Whether so few families are simulated that chance weighs more than policy."""
    in_all = int(district.villages["families"].sum())
    simulated = round(in_all * population_share)
    if simulated >= FEW_FAMILIES:
        return []
    return [fault(district.name, "", "few_families" if population_share < 1 else "few_families_whole", n=simulated)]
