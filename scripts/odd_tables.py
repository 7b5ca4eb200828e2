"""Tables of state variables for docs/odd.md: what each row of the world holds, read from a small world.

Types and shapes are those of the arrays; meanings are the comments beside the fields. Only units, and meanings of
fields that explain themselves in code, are written here: a new state variable without a unit stops the script.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import tokenize
from collections.abc import Iterable
from functools import cache
from io import BytesIO
from typing import Any

import mesa
import numpy as np

from konvergensi.base.months import parse_month
from konvergensi.inputs.districts import find_district
from konvergensi.inputs.scenarios import load_scenario, resolve
from konvergensi.inputs.services import load_services
from konvergensi.mechanisms.uptake import KINDS
from konvergensi.model.build import build_world
from konvergensi.world.agents import OPD_FIELDS, Kecamatan, Opd, Village
from konvergensi.world.costs import PAID_FROM
from konvergensi.world.programmes import SOURCES, ByService, ServiceBook
from konvergensi.world.state import World
from konvergensi.world.tally import Tally
from konvergensi.world.villages import ITEMS

DISTRICT, START, END, SEED = "lebak", "2018-01", "2024-12", 1
SMALL = 0.01  # share of the district built to read types and shapes from
NOT_STATE = ("district", "settings", "draws", "services", "opds")  # inputs and agents that World holds

# Units of state variables other than yes/no and text; `World.fixed_draws` where a name means two things.
UNITS = {
    name: unit
    for unit, names in {
        "log odds": "attendance_score household_score",
        "0 to 1": "access aware belief kecamatan_understanding knowledge knowledge_start link_draw match_draw "
        "opd_draw posyandu_quality remoteness ties trust village_kit_draw village_list_draw "
        "village_remoteness village_understanding "
        "Coordination.fixed_draws Villages.fixed_draws World.fixed_draws",
        "Rp a month": "displaced first more now",
        "month": "birth_month cohort_month due first_birth_month last_entry month next_birth nik_month",
        "g": "birth_weight weight_gain",
        "1/65,536": "behind household_chance fixed_draws joint own_draw rank",
        "group number": "dasawisma",
        "z": "best deviation gain gained lasting village_effect z",
        "people, summed over months": "eligible listed reached right targeted",
        "bits": "got",
        "row": "household kecamatan opd service village village_kecamatan offsets",
        "hash": "key kecamatan_keys opd_keys village_keys",
        "Rp a year": "first_rp granted line money_rp need next_line next_planned own_rp policy waiting",
        "services": "month_services short staff_time units",
        "meetings a month": "routine",
        "z a month": "month_shift",
        "months": "months",
        "births": "order",
        "share": "kept_out custom lines_share population_share staff_share",
        "deliveries": "received taken",
        "refusals": "refused",
        "index of sources": "source",
        "index of items": "item_of",
        "children and pregnancies": "brought_children brought_pregnant",
        "children": "entered entered_stunted",
        "stage": "stage",
        "SD": "village_wealth wealth",
        "0 to 4": "wealth_fifth",
        "0 to 9": "cell",
        "share of leadership": "attention",
        "families": "families",
    }.items()
    for name in names.split()
}


# Meanings of fields whose name is enough for a programmer; a comment beside the field comes before these.
SAID = {
    "next_cases": "as `cases`, of the list that is being matched",
    "next_false": "as `false`, of the list that is being matched",
    "next_households": "as `households`, of the list that is being matched",
    "now": "what each item of coordination costs this month",
    "at_risk": "one or more of the KRS risks",
    "birth_month": "month of birth; the table is sorted by it",
    "belief": "strength of beliefs that resist (heredity, food taboos)",
    "budgeted": "in this year's budget, after any relocation",
    "dasawisma": "group of about ten neighbours, from whom caregivers learn",
    "eligible": "in the target group",
    "families": "of the village table",
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
    "kecamatan_keys": "what draws are keyed by",
    "kecamatan_understanding": "what the team of the kecamatan understands",
    "key": "what draws are keyed by",
    "kpm": "a KPM is at work in the village",
    "known_dtks": "the family is on DTKS",
    "limited": "a course can end before the age window does",
    "listed": "on the list in use",
    "lokus": "focus village",
    "fixed_draws": "how readily it takes up what is offered",
    "male": "a boy",
    "month": "the month being simulated, year * 12 + month - 1",
    "months": "months of delivery this year",
    "next_line": "next year's line so far",
    "next_planned": "next year's plan so far",
    "no_latrine": "without a decent latrine",
    "no_water": "without safe water",
    "offsets": "first row of each month of birth",
    "on_dtks": "on the DTKS list as last drawn up",
    "on_krs": "on the KRS list as last drawn up",
    "opd": "its agency",
    "opd_keys": "what draws are keyed by, from the agency's id",
    "overhead": "spent beyond unit costs: administration and travel",
    "own_draw": "whom an agency or village without a register thinks of",
    "planned": "what was asked for and copied",
    "population_share": "share of the district that is simulated",
    "posyandu_quality": "of the village table",
    "rank": "who is served first among equals",
    "reached": "took the service up",
    "gained": "z from the service so far, where services combine over a lifetime",
    "in_course": "on a worker's caseload or enrolled",
    "received": "deliveries so far",
    "refused": "refusals so far",
    "taken": "deliveries taken up so far",
    "recorded_kek": "the midwife recorded the mother as KEK",
    "register": "where its target list comes from",
    "released": "released so far this year",
    "remoteness": "of the village",
    "service": "its service",
    "spent": "spent so far this year",
    "targeted": "served",
    "tpps_desa": "the team of the village is active and not only decreed",
    "tpps_kecamatan": "the team of the kecamatan is active and not only decreed",
    "trust": "trust in posyandu and cadres",
    "village": "its village",
    "village_kecamatan": "its kecamatan",
    "village_understanding": "what village head, team and cadres understand",
    "village_effect": "lasting difference in length-for-age beyond wealth",
    "village_kit_draw": "fixed draw that decides whose posyandu has a standard kit",
    "village_keys": "what draws are keyed by",
    "village_list_draw": "fixed draw that decides who holds the by-name list",
    "wanted_last_year": "the same, over the whole of last year",
    "willing": "would take the service up, from its draw and chance",
}

KIND = {"bool": "yes/no", "float": "share", "int": "count", "str": "text", "NoneType": "year, if any"}  # of an agent's
# Meanings of the attributes of agents that Mesa holds; properties say what they are in their docstrings.
SAID_OF_AGENTS = {
    "adaptation": "how far its programmes bend to the shared goal",
    "attendance": "share of recent meetings it came to",
    "decree_stated": "named in the decree, in the district file or by a scenario",
    "ego": "sectoral ego: weight of its own targets",
    "focal_stated": "has a focal unit, in the district file or by a scenario",
    "focal_unit": "has a section responsible for stunting, stated or added by policy",
    "goal_adoption": "how far the shared goal is its own",
    "guideline": "has the handbook in hand, stated or distributed, once it has arrived in the district",
    "guideline_stated": "holds it in the district file or by a scenario",
    "has_programme": "runs a programme",
    "id": "short name in files and keys",
    "in_decree": "in the decree that is in force, stated or added by policy",
    "in_plan": "the joint plan of the year includes it",
    "index": "row in the columns",
    "institutional_understanding": "what its files and routines hold",
    "kecamatan": "its kecamatan",
    "knows_colleagues": "the person who comes is the one who came last time",
    "lokus": "focus village",
    "mandate": "how far stunting is in its tasks",
    "name": "as people call it",
    "posted": "where its field staff work: district, kecamatan or village",
    "posyandu_quality": "of the village table",
    "register": "where its target lists come from",
    "rembuk_year": "year of the last rembuk it took part in",
    "remoteness": "of the village table",
    "role": "coordinator, lead or member",
    "shares_joined_list": "takes up the joined list where there is one",
    "skill": "how well its people do what they do",
    "staff": "field staff, persons",
    "surveyed": "asked in the study; answers the virtual questionnaire",
    "understanding": "what its people in charge understand",
}


class Stale(Exception):
    """The document and the code do not fit together in a way that regenerating cannot mend."""


# ---- Markdown --------------------------------------------------------------------------------------------------------


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


# ---- what is read from the code --------------------------------------------------------------------------------------


@cache
def small_world() -> tuple[World, dict[str, int]]:
    """A small world before its first month, and the name of each length an array can have."""
    place, start, end = find_district(DISTRICT), parse_month(START), parse_month(END)
    # lengths must differ to be told apart
    others = (len(load_services()), len(SOURCES), len(place.opd), place.villages["kecamatan"].nunique())
    while len(place.programmes) in others:
        place = dataclasses.replace(place, programmes=place.programmes[:-1])
    settings = resolve(load_scenario("baseline"), place, None, start, end).initial
    model: Any = mesa.Model(rng=SEED)
    world = build_world(place, settings, SEED, SMALL, start, end, [Opd(model, spec) for spec in place.opd])
    sizes = {
        "n_households": len(world.households),
        "n_children": len(world.children),
        "n_villages": len(place.villages),
        "n_kecamatan": len(world.coordination.kecamatan_keys),
        "n_opd": len(world.opds),
        "n_programmes": len(world.programmes),
        "n_services": len(world.services),
        "n_sources": len(SOURCES),
        "n_items": len(ITEMS),
        "n_cost_items": len(PAID_FROM),
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
    if array.ndim == 2 and array.shape[0] == 2 * len(KINDS) and "chance" in name:
        return f"({len(KINDS)} kinds of uptake as offered and {len(KINDS)} having come, {names[array.shape[1]]})"
    if missing := [size for size in array.shape if size not in names]:
        raise Stale(f"{name}: no kind of rows has {missing} members; name it in scripts/odd_tables.py: shape")
    return "(" + ", ".join(names[size] for size in array.shape) + ("," if array.ndim == 1 else "") + ")"


def shape_of_many(arrays: Iterable[np.ndarray], holder: Any, name: str, sizes: dict[str, int]) -> str:
    """Shape of what is held by name or by service: `each (n_opd,)`."""
    if isinstance(holder, ServiceBook):
        return "per service (n_children or n_households,)"
    return "each " + " or ".join(dict.fromkeys(shape(array, name, sizes) for array in arrays))


def unit(name: str, value: Any, annotation: str, holder: str = "") -> str:
    """Unit of a state variable of a class. Raises Stale when none is known."""
    kind = np.asarray(value).dtype.kind
    if kind in "bU":
        return "yes/no" if kind == "b" else ""
    known = next((each for each in (f"{holder}.{name}", name) if each in UNITS), None)
    if known is None and annotation != "Money":
        raise Stale(f"{name}: say its unit in scripts/odd_tables.py: UNITS")
    return UNITS[known] if known else "Rp"


def columns(holder: Any) -> str:
    """State variables of an object that holds arrays, single values, or arrays per service."""
    _, sizes = small_world()
    meaning = comments(type(holder))
    fields = dataclasses.fields(holder) if dataclasses.is_dataclass(holder) else ()
    annotations = {field.name: str(field.type) for field in fields}
    rows: list[tuple[str, ...]] = []
    for name in annotations or vars(holder):
        value = getattr(holder, name)
        value = list(value) if isinstance(value, ByService) else value
        if name in NOT_STATE or name.startswith("_"):
            continue
        parts = list(value.values()) if isinstance(value, dict) else value
        said = meaning.get(name) or SAID.get(name, "")
        if name in ("derived", "kept") or (isinstance(value, (list, dict)) and not value):
            rows.append((f"`{name}`", type(value).__name__, "grows", "", said))  # nothing has happened yet
            continue
        if isinstance(value, (list, dict)) and any(isinstance(part, np.ndarray) for part in parts):
            arrays = [part for part in parts if len(part)]
            length = shape_of_many(arrays, holder, name, sizes)
            if isinstance(value, dict) and not isinstance(holder, ServiceBook):
                said += ": " + ", ".join(value)
            value = arrays[0]
        elif isinstance(value, (bool, int, float)):
            length = "one"
        elif isinstance(value, np.ndarray) or (isinstance(value, list) and isinstance(value[0], (str, bool))):
            value = np.asarray(value)
            length = shape(value, name, sizes)
        else:
            continue  # another object, with a table of its own
        kind = str(value.dtype) if isinstance(value, np.ndarray) else type(value).__name__
        of = unit(name, value, annotations.get(name, ""), type(holder).__name__)
        rows.append((f"`{name}`", "text" if kind.startswith("<U") else kind, length, of, said))
    return table(("Variable", "Type", "Shape", "Unit", "Meaning"), rows)


def agents() -> str:
    """Attributes of the Mesa agents beyond what Mesa gives every agent, and what they read of columns."""
    place = find_district(DISTRICT)
    model: Any = mesa.Model(rng=SEED)
    kecamatan = Kecamatan(model, str(place.villages["kecamatan"].iloc[0]), 0)
    village = Village(model, 0, "", kecamatan, lokus=False, remoteness=0.0, posyandu_quality=0.0)
    mesa_own = set(vars(mesa.Agent(model)))
    rows = []
    for agent in (Opd(model, place.opd[0]), kecamatan, village):
        of = type(agent).__name__
        for name, value in vars(agent).items():
            if name in mesa_own or name.startswith("_"):
                continue
            if name not in SAID_OF_AGENTS:
                raise Stale(f"{of}.{name}: say what it is in scripts/odd_tables.py: SAID_OF_AGENTS")
            kind = type(value).__name__
            lever = f"`opd.<id>.{name}`" if isinstance(agent, Opd) and name in OPD_FIELDS else ""
            rows.append((of, f"`{name}`", KIND.get(kind, kind), SAID_OF_AGENTS[name], lever))
        for name, read in vars(type(agent)).items():
            if isinstance(read, property) and not name.startswith("_"):
                kind = KIND[str(inspect.get_annotations(read.fget)["return"])]  # type: ignore[arg-type]
                said = (inspect.getdoc(read) or "").split("\n")[0].rstrip(".").removesuffix(", 0..1")
                said = said[:1].lower() + said[1:]
                rows.append((of, f"`{name}` (read)", kind, said, ""))
    return table(("Agent", "Variable", "Type", "Meaning", "Scenario key"), rows)


def tally() -> str:
    """State variables of the year's counts."""
    world, _ = small_world()
    return columns(Tally(len(world.services), len(world.programmes), len(world.children)))
