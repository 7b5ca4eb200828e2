"""Regenerates the tables of docs/odd.md from the code: python docs/make_odd.py, with --check to compare only.

A table stands between `<!-- table: NAME -->` and `<!-- end table -->`. Types and shapes are those of a small
world that is really built; meanings are the comments beside the fields; numbers are those of the input files.
Only units are written here, because NumPy has none: a new state variable without one stops the script.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import mesa
import numpy as np

from konvergensi.inputs.districts import District, find_district, list_districts
from konvergensi.inputs.errors import format_value
from konvergensi.inputs.months import format_month, parse_month
from konvergensi.inputs.parameters import Settings, load_parameters
from konvergensi.inputs.scenarios import list_scenarios, load_scenario, resolve
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms.growth import KNOTS
from konvergensi.mechanisms.uptake import KINDS
from konvergensi.model import MONTH, ConvergenceModel
from konvergensi.observe.recorder import COLUMNS
from konvergensi.observe.series import AGE_BANDS
from konvergensi.observe.tally import STAGES, Tally
from konvergensi.world.agents import OPD_FIELDS, Kecamatan, Opd, Village
from konvergensi.world.build import LIVED_MONTHS, build_world
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS, build_children
from konvergensi.world.draws import Draws
from konvergensi.world.households import build_households
from konvergensi.world.programmes import SOURCES
from konvergensi.world.world import World

ODD = Path(__file__).parent / "odd.md"
BLOCK = re.compile(r"<!-- table: (?P<name>[a-z-]+) -->\n(?P<body>.*?)<!-- end table -->", re.DOTALL)
DISTRICT, START, END, SEED = "lebak", "2018-01", "2024-12", 1
SMALL = 0.01  # share of the district built to read types and shapes from
NOT_STATE = ("district", "settings", "draws", "services", "opds")  # inputs and agents that World holds

# Units of state variables other than yes/no and text.
UNITS = {
    name: unit
    for unit, names in {
        "share of the budget": "absorption",
        "log odds": "attendance_score household_score",
        "0 to 1": "access belief knowledge link_draw posyandu_quality remoteness trust village_list_luck",
        "month": "birth_month cohort_month first_birth_month last_entry month next_birth nik_month",
        "g": "birth_weight weight_gain",
        "1/65,536": "household_chance luck own_luck rank",
        "group number": "dasawisma",
        "z": "deviation gain lasting village_effect z",
        "people, summed over months": "eligible listed reached right targeted",
        "bits": "got",
        "row": "household kecamatan opd service village offsets",
        "number": "identity",
        "hash": "key village_keys",
        "Rp a year": "granted line need next_line next_planned waiting",
        "services": "month_services units",
        "z a month": "month_shift",
        "months": "months",
        "births": "order",
        "share": "population_share staff_share",
        "deliveries": "received",
        "index of sources": "source",
        "stage": "stage",
        "SD": "wealth",
        "0 to 4": "wealth_fifth",
        "0 to 9": "cell",
    }.items()
    for name in names.split()
}


# Meanings of fields whose name is enough for a programmer; a comment beside the field comes before these.
SAID = {
    "absorption": "share of a line that can be spent in the year",
    "at_risk": "one or more of the KRS risks",
    "attended": "brought to posyandu this month",
    "birth_month": "month of birth; the table is sorted by it",
    "belief": "strength of beliefs that resist (heredity, food taboos)",
    "budgeted": "in this year's budget, after any relocation",
    "counting": "whether the run has begun",
    "dasawisma": "group of neighbours; no mechanism uses it yet",
    "eligible": "in the target group",
    "first_birth": "the mother's first",
    "first_birth_month": "month of birth of the first row",
    "food_insecure": "short of food",
    "has_by_name_list": "the village holds the by-name by-address list",
    "has_child": "has a pregnancy or an under-five",
    "has_nik": "the adults have an identity number",
    "household": "its household",
    "household_chance": "chance of taking up each kind of service",
    "id": "`agency:service:source`",
    "in_1000_days": "has a pregnancy or a child under two",
    "in_dtks": "on the social register",
    "in_krs": "on the register of families at risk",
    "key": "what draws are keyed by",
    "knowledge": "what the caregiver knows of feeding and care",
    "known_dtks": "the family is on DTKS",
    "limited": "a course can end before the age window does",
    "listed": "on the list in use",
    "lokus": "focus village",
    "luck": "how readily it takes up what is offered",
    "male": "a boy",
    "month": "the month being lived, year * 12 + month - 1",
    "months": "months of delivery this year",
    "next_line": "next year's line so far",
    "next_planned": "next year's plan so far",
    "no_latrine": "without a decent latrine",
    "no_water": "without safe water",
    "offsets": "first row of each month of birth",
    "on_dtks": "on the DTKS list as last drawn up",
    "on_krs": "on the KRS list as last drawn up",
    "opd": "its agency",
    "overhead": "spent beyond unit costs: administration and travel",
    "own_luck": "whom an agency or village without a register thinks of",
    "planned": "what was asked for and copied",
    "population_share": "share of the district that is simulated",
    "posyandu_quality": "of the village table",
    "rank": "who is served first among equals",
    "reached": "took the service up",
    "received": "deliveries so far",
    "recorded_kek": "the midwife recorded the mother as KEK",
    "register": "where its target list comes from",
    "released": "released so far this year",
    "remoteness": "of the village table",
    "service": "its service",
    "spent": "spent so far this year",
    "targeted": "served",
    "trust": "trust in posyandu and cadres",
    "village": "its village",
    "village_effect": "lasting difference in length-for-age beyond wealth",
    "village_keys": "what draws are keyed by",
    "village_list_luck": "fixed draw that decides who holds the by-name list",
    "wanted_last_year": "the same, over the whole of last year",
    "willing": "would take the service up, from its luck and chance",
}


class Stale(Exception):
    """The document and the code do not fit together in a way that regenerating cannot mend."""


# ---- Markdown ----------------------------------------------------------------------------------------------


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Markdown table with a closing newline; bars inside cells are escaped."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"

    names = list(head)
    return "\n".join([line(names), "|" + "---|" * len(names), *(line(row) for row in rows)]) + "\n"


def about(count: float) -> str:
    """A count to three figures: `105,000`."""
    digits = max(len(str(int(count))) - 3, 0)
    return f"{int(round(count, -digits)):,}"


# ---- what is read from the code ----------------------------------------------------------------------------


@cache
def small_world() -> tuple[World, dict[str, int]]:
    """A small world before its first month, and the name of each length an array can have."""
    place, start, end = find_district(DISTRICT), parse_month(START), parse_month(END)
    while len(place.programmes) in (
        len(load_services()),
        len(SOURCES),
    ):  # lengths must differ to be told apart
        place = dataclasses.replace(place, programmes=place.programmes[:-1])
    settings = resolve(load_scenario("baseline"), place, None, start, end).initial
    model: Any = mesa.Model(rng=SEED)
    world = build_world(place, settings, SEED, SMALL, start, end, [Opd(model, spec) for spec in place.opd])
    sizes = {
        "n_households": len(world.households),
        "n_children": len(world.children),
        "n_villages": len(place.villages),
        "n_programmes": len(world.programmes),
        "n_services": len(world.services),
        "n_sources": len(SOURCES),
        "months of birth + 1": len(world.children.offsets),
    }
    if len(set(sizes.values())) < len(sizes):
        raise Stale(f"two kinds of rows have the same number, so shapes cannot be told apart: {sizes}")
    return world, sizes


def comments(cls: type) -> dict[str, str]:
    """Meaning of fields: the comment on a field's line, without a shape, which the table gives anyway."""
    source = inspect.getsource(cls)
    found: dict[str, str] = {}
    for token in tokenize.tokenize(BytesIO(source.encode()).readline):
        if token.type == tokenize.COMMENT and (named := re.match(r"\s+(?:self\.)?(\w+)(?::| =)", token.line)):
            found[named[1]] = re.sub(r"^# *(\([\w, ]*n_\w+,?\)[,:]? ?)?", "", token.string)
    return found


def shape(array: np.ndarray, name: str, sizes: dict[str, int]) -> str:
    """Shape in words: `(n_children,)`."""
    if name == "attended":
        return "(under-fives of the month,)"
    names = {size: word for word, size in sizes.items()}
    if array.ndim == 2 and array.shape[0] == len(KINDS) and "chance" in name:
        return f"({len(KINDS)} kinds of uptake, {names[array.shape[1]]})"
    if missing := [size for size in array.shape if size not in names]:
        raise Stale(f"{name}: no kind of rows has {missing} members; name it in docs/make_odd.py: shape")
    return "(" + ", ".join(names[size] for size in array.shape) + ("," if array.ndim == 1 else "") + ")"


def unit(name: str, value: Any, annotation: str) -> str:
    """Unit of a state variable. Raises Stale when none is known."""
    kind = np.asarray(value).dtype.kind
    if kind in "bU":
        return "yes/no" if kind == "b" else ""
    if name not in UNITS and annotation != "Money":
        raise Stale(f"{name}: say its unit in docs/make_odd.py: UNITS")
    return UNITS.get(name, "Rp")


def columns(holder: Any) -> str:
    """State variables of an object that holds arrays, single values, or arrays per service."""
    _, sizes = small_world()
    meaning = comments(type(holder))
    fields = dataclasses.fields(holder) if dataclasses.is_dataclass(holder) else ()
    annotations = {field.name: str(field.type) for field in fields}
    rows: list[tuple[str, ...]] = []
    for name in annotations or vars(holder):
        value = getattr(holder, name)
        if name in NOT_STATE or name.startswith("_"):
            continue
        parts = list(value.values()) if isinstance(value, dict) else value
        if isinstance(value, (list, dict)) and any(isinstance(part, np.ndarray) for part in parts):
            value, length = (
                next(part for part in parts if len(part)),
                "per service (n_children or n_households,)",
            )
        elif isinstance(value, (bool, int, float)):
            length = "one"
        elif isinstance(value, np.ndarray) or (isinstance(value, list) and isinstance(value[0], (str, bool))):
            value = np.asarray(value)
            length = shape(value, name, sizes)
        else:
            continue  # another object, with a table of its own
        kind = str(value.dtype) if isinstance(value, np.ndarray) else type(value).__name__
        said = meaning.get(name) or SAID.get(name, "")
        of = unit(name, value, annotations.get(name, ""))
        rows.append((f"`{name}`", "text" if kind.startswith("<U") else kind, length, of, said))
    return table(("Variable", "Type", "Shape", "Unit", "Meaning"), rows)


# ---- the tables --------------------------------------------------------------------------------------------


def entities() -> str:
    """Who exists and how many of each, by district, full size, in the first month of the run."""
    names = list_districts()
    rows = [[name] for name in ("Agencies (OPD)", "Programmes", "Kecamatan", "Villages", "Lokus villages")]
    rows += [[name] for name in ("Households", "Under-fives", "Pregnancies", "1,000-day households")]
    rows += [["Births a year"]]
    for name in names:
        for row, count in zip(rows, _counts(find_district(name)), strict=True):
            row.append(count)
    return table(("Entity", *names), rows)


def _counts(place: District) -> list[str]:
    start = parse_month(START)
    settings = resolve(load_scenario("baseline"), place, None, start, start).initial
    draws = Draws(SEED)
    households = build_households(place, settings, draws, 1.0)
    first = start - LIVED_MONTHS - FIRST_1000_DAYS
    children = build_children(place, settings, draws, households, first, start + PREGNANCY_MONTHS)

    def count(from_age: int, to_age: int, month: int = start) -> int:
        rows = children.window(month, from_age, to_age)
        return rows.stop - rows.start

    days = children.window(start, -PREGNANCY_MONTHS, FIRST_1000_DAYS)
    villages = place.villages
    whole = (len(place.opd), len(place.programmes), villages["kecamatan"].nunique(), len(villages))
    rounded = (
        len(households),
        count(0, LAST_AGE),
        count(-PREGNANCY_MONTHS, -1),
        len(np.unique(children.household[days])),
        count(0, 11, start - 1),
    )
    return [str(n) for n in (*whole, int(villages["lokus"].sum()))] + [about(n) for n in rounded]


def agents() -> str:
    """Attributes of the Mesa agents, beyond what Mesa gives every agent."""
    place = find_district(DISTRICT)
    model: Any = mesa.Model(rng=SEED)
    kecamatan = Kecamatan(model, str(place.villages["kecamatan"].iloc[0]), 0)
    village = Village(model, 0, next(place.villages.itertuples()), kecamatan)
    mesa_own = set(vars(mesa.Agent(model)))
    rows = []
    for agent in (Opd(model, place.opd[0]), kecamatan, village):
        for name, value in vars(agent).items():
            if name in mesa_own:
                continue
            kind = "yes/no" if isinstance(value, bool) else type(value).__name__
            kind = "share" if isinstance(value, float) else {"str": "text", "int": "count"}.get(kind, kind)
            lever = f"`opd.<id>.{name}`" if isinstance(agent, Opd) and name in OPD_FIELDS else ""
            rows.append((type(agent).__name__, f"`{name}`", kind, lever))
    return table(("Agent", "Variable", "Type", "Scenario key"), rows)


def schedule() -> str:
    """The month, in order, with what each part says of itself."""
    rows = []
    for number, name in enumerate(MONTH, 1):
        said = inspect.getdoc(getattr(ConvergenceModel, name))
        if not said:
            raise Stale(f"model.py: {name} has no docstring")
        rows.append((str(number), f"`{name}`", said.split("\n\n")[0]))
    return table(("", "Part", "What happens"), rows)


def services() -> str:
    """Services: who, to whom, when, from which list and money."""
    rows = []
    for s in load_services().values():
        months = "every month" if len(s.months) == 12 else ", ".join(str(month) for month in s.months)
        rows.append(
            (
                f"`{s.id}`", s.name["en"], s.class_, s.opd, s.money, f"{s.unit}: {s.target['en']}",
                f"{s.from_age}..{s.to_age}", f"`{s.need}`", months, s.duration_months, s.register or "own",
                s.venue, "yes" if s.package else "", s.acts_on, s.uptake,
            )
        )  # fmt: skip
    head = (
        "Id", "Service", "Class", "Agency", "Money", "Given to", "Ages", "Need", "Months", "At most",
        "Register", "Venue", "Package", "Acts on", "Uptake",
    )  # fmt: skip
    return table(head, rows)


def service_numbers() -> str:
    """Effects and unit costs of services, as parameters."""
    known, found = load_parameters(), load_services()
    rows = []
    for s in found.values():
        effect, cost = known[f"services.{s.id}.effect"], known[f"services.{s.id}.unit_cost_rp"]
        window = f"{effect.unit}, ages {s.effect.from_age}..{s.effect.to_age}"
        for p, of in ((effect, window), (cost, cost.unit)):
            rows.append((f"`{p.key}`", format_value(p.value), of, p.range_text(), p.grade, p.source))
    return table(("Key", "Value", "Unit", "Range", "Grade", "Source"), rows)


def parameters() -> str:
    """Every other parameter, by mechanism."""
    rooms: dict[str, list[tuple[str, ...]]] = {}
    for key, p in load_parameters().items():
        room = key.partition(".")[0]
        row = (f"`{key}`", format_value(p.value), p.unit, p.range_text(), p.grade, p.meaning, p.source)
        if room != "services":
            rooms.setdefault(room, []).append(row)
    head = ("Key", "Value", "Unit", "Range", "Grade", "Meaning", "Source")
    return "\n".join(f"#### {room}\n\n{table(head, rows)}" for room, rows in rooms.items())


def grades() -> str:
    """How many parameters stand on what."""
    grade = Counter((key.partition(".")[0], p.grade) for key, p in load_parameters().items())
    names = ("paper", "published", "model", "recalled", "assumption")
    rooms = sorted({room for room, _ in grade})
    rows = [(room, *(grade[room, name] or "" for name in names)) for room in rooms]
    total = ("all", *(sum(grade[room, name] for room in rooms) for name in names))
    return table(("Mechanism", *names), [*rows, total])


def districts() -> str:
    """Totals and own parameter values of each district."""
    parts = []
    for name in list_districts():
        place = find_district(name)
        rows = [
            (f"population.{key}", format_value(q.value), q.unit, _range(q.low, q.high), q.grade, q.source)
            for key, q in place.population.items()
        ]
        known = load_parameters()
        rows += [
            (
                f"`{key}`",
                format_value(own.value),
                known[key].unit,
                known[key].range_text(),
                own.grade,
                own.source,
            )
            for key, own in place.overrides.items()
        ]
        synthetic = ", ".join(place.synthetic) or "nothing"
        parts.append(
            f"#### {place.name} (`{name}`)\n\nSynthetic: {synthetic}.\n\n"
            + table(("Key", "Value", "Unit", "Range", "Grade", "Source"), rows)
        )
    return "\n".join(parts)


def _range(low: object, high: object) -> str:
    return "" if low is None or high is None else f"{format_value(low)} .. {format_value(high)}"


def history() -> str:
    """Dated changes that belong to a district's history."""
    rows = []
    for name in list_districts():
        for event in find_district(name).timeline:
            changes = ", ".join(f"`{key}` = {format_value(value)}" for key, value in event.set.items())
            rows.append((name, format_month(event.month), changes, event.reason["en"]))
    return table(("District", "From", "Sets", "Reason"), rows)


def survey_rounds() -> str:
    """Surveys that go to the field."""
    rows = [
        (name, s.system, *when, f"{s.clusters} x {s.children_per_cluster}", s.grade)
        for name in list_districts()
        for s in find_district(name).surveys
        for when in [(format_month(s.fieldwork), format_month(s.published))]
    ]
    return table(("District", "System", "Fieldwork", "Published", "Clusters x children", "Grade"), rows)


def scenarios() -> str:
    """The policies that come with the model."""
    rows = []
    for name in list_scenarios():
        policy = load_scenario(name)
        changes = "; ".join(
            f"{format_month(each.month)} `{each.key}` = {format_value(each.value)}" for each in policy.changes
        )
        rows.append((f"`{name}`", policy.title["en"], policy.question["en"], changes))
    return table(("Policy", "Title", "Question", "What it sets"), rows)


def outputs() -> str:
    """Tables of a run."""
    rows = [(f"`{name}`", ", ".join(f"`{column}`" for column in found)) for name, found in COLUMNS.items()]
    rows.append(("stages of `cascade`", " → ".join(f"`{stage}`" for stage in STAGES)))
    bands = [f"`age_{first}_{last}`" for first, last in AGE_BANDS]
    rows.append(("age groups of `series`", ", ".join(bands)))
    return table(("Table", "Columns"), rows)


def mean_curve() -> str:
    """The mean curve at its knots."""
    settings = Settings.defaults()
    values = [format_value(settings[f"growth.mean_laz_{age}"]) for age in KNOTS]
    return table(("Age, months", *(str(age) for age in KNOTS)), [("Mean LAZ", *values)])


def _tally() -> str:
    world, _ = small_world()
    return columns(Tally(len(world.services), len(world.programmes), len(world.children)))


TABLES: dict[str, Callable[[], str]] = {
    "entities": entities,
    "households": lambda: columns(small_world()[0].households),
    "children": lambda: columns(small_world()[0].children),
    "registers": lambda: columns(small_world()[0].registers),
    "programmes": lambda: columns(small_world()[0].programmes),
    "service-book": lambda: columns(small_world()[0].book),
    "world": lambda: columns(small_world()[0]),
    "tally": _tally,
    "agents": agents,
    "schedule": schedule,
    "services": services,
    "service-numbers": service_numbers,
    "parameters": parameters,
    "grades": grades,
    "districts": districts,
    "history": history,
    "surveys": survey_rounds,
    "scenarios": scenarios,
    "outputs": outputs,
    "mean-curve": mean_curve,
}


# ---- the document ------------------------------------------------------------------------------------------


def blocks(text: str) -> dict[str, str]:
    """Tables of a document by name. Raises Stale when one is unknown, missing or there twice."""
    names = [found["name"] for found in BLOCK.finditer(text)]
    if text.count("<!-- table:") != len(names) or text.count("<!-- end table -->") != len(names):
        raise Stale("a table's markers are not a pair of `<!-- table: NAME -->` and `<!-- end table -->`")
    if unknown := [name for name in names if name not in TABLES]:
        raise Stale(f"no such table: {', '.join(unknown)}; there are {', '.join(TABLES)}")
    if wrong := [name for name in TABLES if names.count(name) != 1]:
        raise Stale(f"not in the document exactly once: {', '.join(wrong)}")
    return {found["name"]: found["body"] for found in BLOCK.finditer(text)}


def stale_tables(text: str) -> list[str]:
    """Names of the tables that differ from the code."""
    return [name for name, body in blocks(text).items() if body != f"\n{TABLES[name]()}\n"]


def regenerated(text: str) -> str:
    """The document with every table as the code has it."""
    blocks(text)

    def fill(found: re.Match[str]) -> str:
        return f"<!-- table: {found['name']} -->\n\n{TABLES[found['name']]()}\n<!-- end table -->"

    return BLOCK.sub(fill, text)


def main(arguments: list[str] | None = None) -> int:
    """Rewrite the tables of a document, or check them; returns the exit code."""
    parser = argparse.ArgumentParser(description="Tables of docs/odd.md, from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a table differs")
    parser.add_argument("path", nargs="?", type=Path, default=ODD)
    options = parser.parse_args(arguments)
    text = options.path.read_text(encoding="utf-8")
    try:
        if not options.check:
            options.path.write_text(regenerated(text), encoding="utf-8")
            return 0
        stale = stale_tables(text)
    except Stale as wrong:
        print(f"{options.path}: {wrong}", file=sys.stderr)
        return 1
    if stale:
        said = f"{options.path}: {', '.join(stale)} differ from the code; run python docs/make_odd.py"
        print(said, file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
