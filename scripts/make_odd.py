"""Regenerates the tables of docs/odd.md, levers.md, indices.md and indices.id.md; --check compares only.

python scripts/make_odd.py. A table stands between `<!-- table: NAME -->` and `<!-- end table -->`. Tables of state
variables are made in odd_tables.py, those of levers in lever_tables.py, those of indices in index_tables.py; those of
inputs, of the month and of outputs here, from the input files and the code.
"""

from __future__ import annotations

import argparse
import functools
import inspect
import itertools
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import index_tables
import numpy as np
from lever_tables import LEVER_TABLES
from odd_tables import SEED, START, Stale, about, agents, columns, small_world, table, tally

from konvergensi.base.errors import format_value
from konvergensi.base.months import format_month, parse_month
from konvergensi.inputs.changes import format_span
from konvergensi.inputs.districts import District, find_district, list_districts
from konvergensi.inputs.parameters import Settings, load_parameters
from konvergensi.inputs.scenarios import list_scenarios, load_scenario, resolve
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms import actions, calendar
from konvergensi.mechanisms.growth import KNOTS
from konvergensi.model.build import BURN_IN_MONTHS
from konvergensi.model.convergence import MONTH, ConvergenceModel
from konvergensi.observe.recorder import COLUMNS
from konvergensi.observe.series import AGE_BANDS
from konvergensi.world.children import FIRST_1000_DAYS, LAST_AGE, PREGNANCY_MONTHS, build_children
from konvergensi.world.draws import Draws
from konvergensi.world.households import build_households
from konvergensi.world.tally import STAGES

ODD = Path(__file__).resolve().parents[1] / "docs" / "odd.md"
LEVERS = ODD.parent / "levers.md"
INDICES, INDICES_ID = ODD.parent / "indices.md", ODD.parent / "indices.id.md"
MOST_CHANGES = 20  # of a policy that its row can hold
REGIME_YEARS = (calendar.REFORM_YEAR - 1, calendar.REFORM_YEAR)  # the last of the eight Aksi, the first of the reform
BLOCK = re.compile(r"<!-- table: (?P<name>[a-z-]+) -->\n(?P<body>.*?)<!-- end table -->", re.DOTALL)


# ---- tables of inputs, of the month and of outputs -------------------------------------------------------------------


@functools.cache  # districts are read, and families counted, once a process
def entities() -> str:
    """How many of each there are, by district with villages of its own, full size, in the first month of the run."""
    names = [name for name in list_districts() if "villages" not in find_district(name).inherited]
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
    first = start - BURN_IN_MONTHS - FIRST_1000_DAYS
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


def schedule() -> str:
    """The month, in order, with what each part says of itself."""
    rows = []
    for number, name in enumerate(MONTH, 1):
        said = inspect.getdoc(getattr(ConvergenceModel, name))
        if not said:
            raise Stale(f"model.py: {name} has no docstring")
        rows.append((str(number), f"`{name}`", said.split("\n\n")[0]))
    return table(("", "Part", "What happens"), rows)


def convergence_actions() -> str:
    """The convergence actions: when, which levers move the month, who does them in Lebak, what they change."""
    world, _ = small_world()
    settings = Settings.defaults()
    months = {year: calendar.action_months(settings, parse_month(f"{year}-01")) for year in REGIME_YEARS}
    moved: dict[str, list[str]] = {name: [] for name in actions.CHANGES}
    for key, lever in load_parameters().items():
        if not key.startswith(("calendar.aksi_", "calendar.reform_")):
            continue
        for year, end in itertools.product(REGIME_YEARS, (lever.low, lever.high)):
            after = calendar.action_months(settings.changed({key: end}), parse_month(f"{year}-01"))
            for name, keys in moved.items():
                if after[name] != months[year][name] and f"`{key}`" not in keys:
                    keys.append(f"`{key}`")
    rows = []
    for name, changes in actions.CHANGES.items():
        opd = actions.responsible(world, name)
        others = "yes" if name in actions.NEED_MANY else ""
        when = (str(months[year][name]) for year in REGIME_YEARS)
        rows.append((f"`{name}`", *when, ", ".join(moved[name]), opd.name if opd else "nobody", others, changes))
    first, last = REGIME_YEARS
    head = (
        "Action", f"Month to {first}", f"Month from {last}", "Levers", "Done in Lebak by", "Needs the others",
        "What it changes",
    )  # fmt: skip
    return table(head, rows)


def services() -> str:
    """Services: who, to whom, when, from which list and money."""
    rows = []
    for s in load_services().values():
        months = "every month" if len(s.months) == 12 else ", ".join(str(month) for month in s.months)
        rows.append(
            (
                f"`{s.id}`", s.name["en"], s.class_, s.opd, s.money, f"{s.unit}: {s.target['en']}",
                f"{s.from_age}..{s.to_age}", f"`{s.need}`", months, s.duration_months, s.register or "own",
                s.venue, s.contact, "yes" if s.package else "", s.acts_on, s.uptake,
            )
        )  # fmt: skip
    head = (
        "Id", "Service", "Class", "Agency", "Money", "Given to", "Ages", "Need", "Months", "At most",
        "Register", "Venue", "Contact", "Package", "Acts on", "Uptake",
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
            rows.append((f"`{p.key}`", format_value(p.value), of, p.drawn_text(), p.grade, p.source))
    return table(("Key", "Value", "Unit", "Range", "Grade", "Source"), rows)


def parameters() -> str:
    """Every other parameter, by mechanism."""
    rooms: dict[str, list[tuple[str, ...]]] = {}
    for key, p in load_parameters().items():
        room = key.partition(".")[0]
        row = (f"`{key}`", format_value(p.value), p.unit, p.drawn_text(), p.grade, p.meaning, p.source)
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


@functools.cache
def districts() -> str:
    """Totals and own parameter values of each district; of thin profiles their level only."""
    parts, thin = [], []
    known = load_parameters()
    for name in list_districts():
        place = find_district(name)
        if "villages" in place.inherited:
            level = place.overrides["growth.level_shift_z"]
            thin.append((f"`{name}`", place.name, f"`{place.extends}`", format_value(level.value), level.source))
            continue
        rows = [
            (f"population.{key}", format_value(q.value), q.unit, _range(q.low, q.high), q.grade, q.source)
            for key, q in place.population.items()
            if f"population.{key}" not in place.inherited
        ]
        rows += [
            (f"`{key}`", format_value(own.value), known[key].unit, known[key].drawn_text(), own.grade, own.source)
            for key, own in place.overrides.items()
            if f"set.{key}" not in place.inherited
        ]
        synthetic = ", ".join(place.synthetic) or "nothing"
        extends = f" Extends `{place.extends}`." if place.extends else ""
        parts.append(
            f"#### {place.name} (`{name}`)\n\nSynthetic: {synthetic}.{extends}\n\n"
            + table(("Key", "Value", "Unit", "Range", "Grade", "Source"), rows)
        )
    head = "#### Thin profiles\n\nAll is that of the district they extend, but for the level, no juknis, the late "
    head += "guideline and Mamuju's decree.\n\n"
    columns = ("District", "Name", "Extends", "`growth.level_shift_z`", "Source (grade: assumption)")
    return "\n".join([*parts, head + table(columns, thin)])


def _range(low: object, high: object) -> str:
    return "" if low is None or high is None else f"{format_value(low)} .. {format_value(high)}"


@functools.cache
def history() -> str:
    """Dated changes that belong to a district's history, in the file of which they stand; alike ones in one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for name in list_districts():
        place = find_district(name)
        for event in place.timeline:
            if f"timeline.{format_month(event.month)}.{next(iter(event.set))}" not in place.inherited:
                changes = ", ".join(f"`{key}` = {format_value(value)}" for key, value in event.set.items())
                row = (format_span(event.month, event.until), changes, event.reason["en"])
                rows.setdefault(row, []).append(name)
    return table(("District", "From", "Sets", "Reason"), [(", ".join(names), *row) for row, names in rows.items()])


def survey_rounds() -> str:
    """Surveys that go to the field, in the file of which they stand; alike ones in one row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for name in list_districts():
        place = find_district(name)
        for s in place.surveys:
            when = [format_month(s.fieldwork), format_month(s.published)]
            if f"survey.{when[0]}" not in place.inherited:
                row = (s.system, *when, f"{s.clusters} x {s.children_per_cluster}", s.grade)
                rows.setdefault(row, []).append(name)
    columns = ("District", "System", "Fieldwork", "Published", "Clusters x children", "Grade")
    return table(columns, [(", ".join(names), *row) for row, names in rows.items()])


def scenarios() -> str:
    """The policies that come with the model."""
    rows = []
    for name in list_scenarios():
        policy = load_scenario(name)
        changes = "; ".join(f"{each.span} `{each.key}` = {format_value(each.value)}" for each in policy.changes)
        if len(policy.changes) > MOST_CHANGES:
            changes = f"{len(policy.changes)} values: see `scenarios/policies/{name}.toml`"
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


TABLES: dict[str, Callable[[], str]] = {
    "entities": entities,
    "households": lambda: columns(small_world()[0].households),
    "children": lambda: columns(small_world()[0].children),
    "registers": lambda: columns(small_world()[0].registers),
    "programmes": lambda: columns(small_world()[0].programmes),
    "service-book": lambda: columns(small_world()[0].book),
    "world": lambda: columns(small_world()[0]),
    "coordination": lambda: columns(small_world()[0].coordination),
    "handed-lists": lambda: columns(small_world()[0].handed),
    "costs": lambda: columns(small_world()[0].costs),
    "villages": lambda: columns(small_world()[0].villages),
    "tally": tally,
    "agents": agents,
    "schedule": schedule,
    "actions": convergence_actions,
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


# ---- the documents ---------------------------------------------------------------------------------------------------

Tables = dict[str, Callable[[], str]]
DOCUMENTS: dict[str, Tables] = {
    ODD.name: TABLES,
    LEVERS.name: LEVER_TABLES,
    INDICES.name: index_tables.tables("en"),
    INDICES_ID.name: index_tables.tables("id"),
}


def blocks(text: str, tables: Tables = TABLES) -> dict[str, str]:
    """Tables of a document by name. Raises Stale when one is unknown, missing or there twice."""
    names = [found["name"] for found in BLOCK.finditer(text)]
    if text.count("<!-- table:") != len(names) or text.count("<!-- end table -->") != len(names):
        raise Stale("a table's markers are not a pair of `<!-- table: NAME -->` and `<!-- end table -->`")
    if unknown := [name for name in names if name not in tables]:
        raise Stale(f"no such table: {', '.join(unknown)}; there are {', '.join(tables)}")
    if wrong := [name for name in tables if names.count(name) != 1]:
        raise Stale(f"not in the document exactly once: {', '.join(wrong)}")
    return {found["name"]: found["body"] for found in BLOCK.finditer(text)}


def stale_tables(text: str, tables: Tables = TABLES) -> list[str]:
    """Names of the tables that differ from the code."""
    return [name for name, body in blocks(text, tables).items() if body != f"\n{tables[name]()}\n"]


def regenerated(text: str, tables: Tables = TABLES) -> str:
    """The document with every table as the code has it."""
    blocks(text, tables)

    def fill(found: re.Match[str]) -> str:
        return f"<!-- table: {found['name']} -->\n\n{tables[found['name']]()}\n<!-- end table -->"

    return BLOCK.sub(fill, text)


def main(arguments: list[str] | None = None) -> int:
    """Rewrite the tables of the documents, or check them; returns the exit code."""
    parser = argparse.ArgumentParser(description=f"Tables of {', '.join(DOCUMENTS)} in docs/, from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a table differs")
    parser.add_argument("path", nargs="*", type=Path, help="one of these, wherever it is; all if none")
    options = parser.parse_args(arguments)
    return max(_renew(path, options.check) for path in options.path or (ODD, LEVERS, INDICES, INDICES_ID))


def _renew(path: Path, check: bool) -> int:
    """Rewrite the tables of one document, or check them; returns the exit code."""
    try:
        if path.name not in DOCUMENTS:
            raise Stale(f"no such document; there are {', '.join(DOCUMENTS)}")
        text, tables = path.read_text(encoding="utf-8"), DOCUMENTS[path.name]
        if not check:
            path.write_text(regenerated(text, tables), encoding="utf-8")
            return 0
        stale = stale_tables(text, tables)
    except Stale as wrong:
        print(f"{path}: {wrong}", file=sys.stderr)
        return 1
    if stale:
        said = f"{path}: {', '.join(stale)} differ from the code; run python scripts/make_odd.py"
        print(said, file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
